/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The live lines. See live.h.
 * Floor: 6 (application).
 */
#include <inttypes.h>
#include <string.h>

#include "live.h"
#include "print.h"

#define NS_PER_S UINT64_C(1000000000)

/* Sums over the lanes. */
struct sums {
	uint64_t done, rx_bytes, tx_bytes, errors;
	uint32_t open;
	enum gen_phase phase; /* of the lane that is least far */
};

void gen_live_init(struct gen_live *v, const struct gen_lane *lanes, uint32_t n, FILE *out)
{
	memset(v, 0, offsetof(struct gen_live, now));
	v->lanes = lanes;
	v->nb_lanes = n;
	v->out = out;
	gen_hist_reset(&v->now);
	gen_hist_reset(&v->then);
}

/* Words of another thread: each is whole, together they are of about one moment. */
static uint64_t peek(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void add_lane(struct sums *s, const struct gen_lane *l)
{
	enum gen_phase phase = __atomic_load_n(&l->phase, __ATOMIC_RELAXED);
	unsigned int i;

	s->done += peek(&l->stats.live_done);
	s->rx_bytes += peek(&l->stats.live_rx_bytes);
	s->tx_bytes += peek(&l->stats.live_tx_bytes);
	s->open += __atomic_load_n(&l->open, __ATOMIC_RELAXED);
	for (i = 0; i < GEN_FAIL_COUNT; i++)
		s->errors += peek(&l->stats.failures[i]);
	for (i = 0; i < RNL_REASON_COUNT; i++)
		s->errors += peek(&l->stats.reasons[i]);
	if (phase < s->phase)
		s->phase = phase;
}

static const char *phase_text(enum gen_phase p)
{
	static const char *const text[] = {"connecting", "connecting", "warm-up", "measuring",
	                                   "draining",   "closing",    "done"};

	return text[p];
}

/* Latency of the answers since the last line. */
static void print_latency(struct gen_live *v)
{
	struct rnl_text a, b, c;
	uint32_t i;

	gen_hist_reset(&v->now);
	for (i = 0; i < v->nb_lanes; i++)
		gen_hist_merge(&v->now, &v->lanes[i].stats.latency);
	gen_hist_diff(&v->diff, &v->now, &v->then);
	v->then = v->now;
	if (v->diff.count == 0)
		return;
	fprintf(v->out, "  p50 %9s  p99 %9s  max %9s",
	        rnl_print_ns(&a, gen_hist_percentile(&v->diff, 500000)),
	        rnl_print_ns(&b, gen_hist_percentile(&v->diff, 990000)),
	        rnl_print_ns(&c, v->diff.max_ns));
}

static void print_line(struct gen_live *v, const struct sums *s, double seconds)
{
	struct rnl_text a, b, c;

	fprintf(v->out, "%-10s %7s open", phase_text(s->phase), rnl_print_count(&a, s->open));
	if (gen_mode_bulk(v->lanes[0].opt->mode)) {
		fprintf(v->out, "  out %s  in %s",
		        rnl_print_bps(&b, (double)(s->tx_bytes - v->tx_bytes) / seconds),
		        rnl_print_bps(&c, (double)(s->rx_bytes - v->rx_bytes) / seconds));
	} else {
		fprintf(v->out, "  %7s /s",
		        rnl_print_count(&b, (double)(s->done - v->done) / seconds));
		print_latency(v);
	}
	fprintf(v->out, "  errors %" PRIu64 "\n", s->errors);
	fflush(v->out);
}

void gen_live_tick(struct gen_live *v, uint64_t now_ns)
{
	struct sums s = {.phase = GEN_DONE};
	uint32_t i;

	if (v->out == NULL || now_ns < v->next_ns)
		return;
	for (i = 0; i < v->nb_lanes; i++)
		add_lane(&s, &v->lanes[i]);
	if (v->last_ns != 0 && s.phase < GEN_DONE)
		print_line(v, &s, (double)(now_ns - v->last_ns) / 1e9);
	v->done = s.done;
	v->rx_bytes = s.rx_bytes;
	v->tx_bytes = s.tx_bytes;
	v->last_ns = now_ns;
	v->next_ns = now_ns + NS_PER_S;
}
