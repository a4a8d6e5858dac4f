/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures of an endpoint for people: see stats.h. Floor 6. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "stats.h"

/* What the lines are made of, summed over stacks, at one moment. */
struct sample {
	uint64_t at_ns;
	uint64_t engine[RNL_ENGINE_COUNTERS];
	uint64_t busy_cycles, total_cycles;
	uint64_t *counter; /* of the stacks */
};

struct rnl_stats_view {
	const struct rnl_endpoint *e;
	unsigned int n; /* stack counters */
	unsigned int rx_bytes, tx_bytes, retransmits;
	struct sample base, last, now;
	uint64_t *memory;
};

/* @return the index of a counter; n when there is none of that name: reads as zero. */
static unsigned int find_counter(const struct rnl_stats_view *v, const char *name)
{
	unsigned int i;

	for (i = 0; i < v->n; i++)
		if (strcmp(rnl_counter_name(i), name) == 0)
			return i;
	return v->n;
}

/* Whether a counter tells of something that was lost or refused. */
static bool is_drop(const char *name)
{
	static const char *const parts[] = {"drop",     "_bad_",   "_full",
	                                    "_empty",   "no_mbuf", "no_buffer",
	                                    "no_route", "_failed", "_limited"};
	unsigned int i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(name, parts[i]) != NULL)
			return true;
	return false;
}

static void take_sample(const struct rnl_stats_view *v, struct sample *s)
{
	const struct rnl_endpoint *e = v->e;
	unsigned int i, j;

	s->at_ns = rnl_clock_ns();
	rnl_endpoint_counters(e, s->counter, v->n);
	s->counter[v->n] = 0;
	for (i = 0; i < RNL_ENGINE_COUNTERS; i++)
		s->engine[i] = rnl_endpoint_engine_counter(e, UINT_MAX, i);
	s->busy_cycles = s->total_cycles = 0;
	for (i = 0; i < e->nb_workers; i++) {
		const struct rnl_worker *w = &e->workers[i];

		for (j = 0; j < 8 && w->stacks[j] != NULL; j++)
			s->busy_cycles +=
			    __atomic_load_n(&w->stats[j].busy_cycles, __ATOMIC_RELAXED);
		s->total_cycles += __atomic_load_n(&w->stats[0].total_cycles, __ATOMIC_RELAXED);
	}
}

static void copy_sample(const struct rnl_stats_view *v, struct sample *dst,
                        const struct sample *src)
{
	uint64_t *counter = dst->counter;

	memcpy(counter, src->counter, (v->n + 1) * sizeof(*counter));
	*dst = *src;
	dst->counter = counter;
}

struct rnl_stats_view *rnl_stats_new(const struct rnl_endpoint *e)
{
	struct rnl_stats_view *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->e = e;
	v->n = rnl_counters_count();
	v->memory = calloc(3 * (v->n + 1), sizeof(*v->memory));
	if (v->memory == NULL) {
		free(v);
		return NULL;
	}
	v->base.counter = v->memory;
	v->last.counter = v->memory + (v->n + 1);
	v->now.counter = v->memory + 2 * (v->n + 1);
	v->rx_bytes = find_counter(v, "rx_bytes");
	v->tx_bytes = find_counter(v, "tx_bytes");
	v->retransmits = find_counter(v, "tcp_retransmits");
	rnl_stats_clear(v);
	return v;
}

void rnl_stats_free(struct rnl_stats_view *v)
{
	if (v != NULL)
		free(v->memory);
	free(v);
}

void rnl_stats_clear(struct rnl_stats_view *v)
{
	take_sample(v, &v->base);
	copy_sample(v, &v->last, &v->base);
}

static void print_drops(const struct rnl_stats_view *v, const struct sample *from,
                        const struct sample *to)
{
	unsigned int i;

	for (i = 0; i < v->n; i++)
		if (to->counter[i] != from->counter[i] && is_drop(rnl_counter_name(i)))
			printf(" %s=%" PRIu64, rnl_counter_name(i),
			       to->counter[i] - from->counter[i]);
}

/* One line about the time between two samples. */
static void print_span(const struct rnl_stats_view *v, const struct sample *a,
                       const struct sample *b)
{
	const double s = (double)(b->at_ns - a->at_ns) / 1e9;
	const double per_s = s > 0 ? 1 / s : 0;
	const uint64_t open = b->engine[RNL_ENGINE_ACCEPTED] - b->engine[RNL_ENGINE_CLOSED];
	const uint64_t *ca = a->counter, *cb = b->counter;
	struct rnl_text t[6];

	printf("conns %" PRIu64 " (+%s/s) | requests %s/s | rx %s tx %s | retransmits %" PRIu64
	       " | busy %s | drops:",
	       open,
	       rnl_print_count(&t[0], (double)(b->engine[RNL_ENGINE_ACCEPTED] -
	                                       a->engine[RNL_ENGINE_ACCEPTED]) *
	                                  per_s),
	       rnl_print_count(&t[1], (double)(b->engine[RNL_ENGINE_REQUESTS] -
	                                       a->engine[RNL_ENGINE_REQUESTS]) *
	                                  per_s),
	       rnl_print_bps(&t[2], (double)(cb[v->rx_bytes] - ca[v->rx_bytes]) * per_s),
	       rnl_print_bps(&t[3], (double)(cb[v->tx_bytes] - ca[v->tx_bytes]) * per_s),
	       cb[v->retransmits] - ca[v->retransmits],
	       rnl_print_percent(&t[4], (double)(b->busy_cycles - a->busy_cycles),
	                         (double)(b->total_cycles - a->total_cycles)));
	print_drops(v, a, b);
	putchar('\n');
}

void rnl_stats_line(struct rnl_stats_view *v)
{
	take_sample(v, &v->now);
	printf("%7.1fs ", (double)(v->now.at_ns - v->e->started_ns) / 1e9);
	print_span(v, &v->last, &v->now);
	copy_sample(v, &v->last, &v->now);
	fflush(stdout);
}

static void print_services(const struct rnl_stats_view *v)
{
	const struct rnl_params *p = v->e->params;
	unsigned int i, c;

	for (i = 0; i < p->nb_services; i++) {
		printf("%s:", p->services[i].text);
		for (c = 0; c < RNL_ENGINE_COUNTERS; c++) {
			uint64_t n = rnl_endpoint_engine_counter(v->e, i, c);

			if (n != 0)
				printf(" %s %" PRIu64, rnl_engine_counter_name(c), n);
		}
		putchar('\n');
	}
}

void rnl_stats_all(const struct rnl_stats_view *v)
{
	struct sample now =
	    v->now; /* shares the scratch counters: they hold nothing between calls */
	unsigned int i;

	take_sample(v, &now);
	for (i = 0; i < v->n; i++) {
		uint64_t n = now.counter[i] - v->base.counter[i];

		if (n != 0)
			printf("  %-32s %14" PRIu64 "  %s\n", rnl_counter_name(i), n,
			       rnl_counter_text(i));
	}
	print_services(v);
}

void rnl_stats_totals(const struct rnl_stats_view *v)
{
	struct sample now = v->now;

	take_sample(v, &now);
	printf("in %.1f s: accepted %" PRIu64 ", requests %" PRIu64 ", octets in %" PRIu64
	       ", out %" PRIu64 "\nmean: ",
	       (double)(now.at_ns - v->base.at_ns) / 1e9,
	       now.engine[RNL_ENGINE_ACCEPTED] - v->base.engine[RNL_ENGINE_ACCEPTED],
	       now.engine[RNL_ENGINE_REQUESTS] - v->base.engine[RNL_ENGINE_REQUESTS],
	       now.engine[RNL_ENGINE_RX_BYTES] - v->base.engine[RNL_ENGINE_RX_BYTES],
	       now.engine[RNL_ENGINE_TX_BYTES] - v->base.engine[RNL_ENGINE_TX_BYTES]);
	print_span(v, &v->base, &now);
	fflush(stdout);
}
