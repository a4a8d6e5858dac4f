/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a lane does what: ramp -> wait for the others -> warm-up -> measure -> drain -> close. One
 * stack timer drives it; each time it is set to the next thing that is due.
 * Refuses to drop a planned request: what found no free connection goes out during drain, or counts
 * as unfinished.
 * Floor: 6 (application).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "lane.h"

#define NS_PER_MS UINT64_C(1000000)
/** The timer runs at least this often: that is how soon an interruption is noticed. */
#define TICK_NS (10 * NS_PER_MS)
/** How often the acknowledged octets of a stream are read. */
#define LOOK_NS (100 * NS_PER_MS)
/** Connections closed in one turn. */
#define CLOSE_BATCH 256u

static uint32_t pow2_up(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

static const struct rnl_app_ops *ops_for(const struct gen_options *o)
{
	if (gen_mode_bulk(o->mode))
		return &gen_bulk_ops;
	return o->http ? &gen_http_ops : &gen_raw_ops;
}

static int allocate(struct gen_lane *l)
{
	uint32_t entries = pow2_up(l->nb_conns * l->opt->outstanding);

	l->req_room = pow2_up(l->opt->outstanding);
	l->conns = calloc(l->nb_conns, sizeof(*l->conns));
	l->requests = calloc((size_t)l->nb_conns * l->req_room, sizeof(*l->requests));
	l->ready.slot = calloc(entries, sizeof(*l->ready.slot));
	l->ready.mask = entries - 1;
	l->retry = calloc(l->nb_conns, sizeof(*l->retry));
	l->scratch = malloc(GEN_HTTP_HEAD_MAX);
	if (l->conns == NULL || l->requests == NULL || l->ready.slot == NULL || l->retry == NULL ||
	    l->scratch == NULL)
		return -ENOMEM;
	return 0;
}

int gen_lane_init(struct gen_lane *l, struct gen_run *run, struct rnl_stack *st, uint32_t index,
                  struct rnl_error *err)
{
	const struct gen_options *o = run->opt;
	const uint16_t sports[2] = {o->server_ports.first, o->server_ports.last};
	const uint16_t lports[2] = {o->client_ports.first, o->client_ports.last};
	uint32_t i;

	memset(l, 0, offsetof(struct gen_lane, stats));
	gen_stats_reset(&l->stats);
	l->run = run;
	l->opt = o;
	l->st = st;
	l->index = index;
	l->ops = ops_for(o);
	l->to_prime = o->clients.count;
	l->win_start = l->win_end = UINT64_MAX;
	l->nb_conns = o->connections / run->nb_lanes + (index < o->connections % run->nb_lanes);
	gen_tuples_init(&l->tuples, o->clients.count, sports, lports, index, run->nb_lanes);
	gen_tuples_seed(&l->tuples, o->seed);
	if (allocate(l) != 0) {
		gen_lane_free(l);
		snprintf(err->text, sizeof(err->text),
		         "no memory for %u connections: lower --connections or --outstanding",
		         l->nb_conns);
		return -ENOMEM;
	}
	for (i = 0; i < l->nb_conns; i++)
		l->conns[i].lane = l;
	return 0;
}

void gen_lane_free(struct gen_lane *l)
{
	free(l->conns);
	free(l->requests);
	free(l->ready.slot);
	free(l->retry);
	free(l->scratch);
	l->conns = NULL;
	l->requests = NULL;
	l->ready.slot = NULL;
	l->retry = NULL;
	l->scratch = NULL;
}

/* The live line looks at the phase from another thread. */
static void enter(struct gen_lane *l, enum gen_phase phase)
{
	__atomic_store_n(&l->phase, phase, __ATOMIC_RELAXED);
}

void gen_lane_break(struct gen_lane *l, const char *why)
{
	if (__atomic_exchange_n(&l->run->broken, 1, __ATOMIC_ACQ_REL) == 0)
		snprintf(l->run->broken_why, sizeof(l->run->broken_why), "%s", why);
	__atomic_store_n(&l->run->stop, 1, __ATOMIC_RELEASE);
}

void gen_lane_dispatch(struct gen_lane *l, uint64_t now)
{
	struct gen_conn *c;
	uint64_t planned;

	if (l->phase < GEN_WARMUP || l->phase > GEN_DRAIN)
		return;
	while ((c = gen_client_unlist(l)) != NULL) {
		if (!gen_arrivals_take(&l->arrivals, now, &planned)) {
			/* Nothing is due: it keeps its place at the head. */
			l->ready.head--;
			c->listed++;
			return;
		}
		if (gen_in_window(l, planned))
			gen_hist_record(&l->stats.lag, now - planned);
		gen_request_start(c, planned, now);
	}
}

/* The last lane that is ready sets the start for all. */
static void lane_ready(struct gen_lane *l, uint64_t now)
{
	struct gen_run *run = l->run;

	enter(l, GEN_WAIT);
	if (__atomic_add_fetch(&run->lanes_ready, 1, __ATOMIC_ACQ_REL) == run->nb_lanes)
		__atomic_store_n(&run->start_ns, now + NS_PER_MS, __ATOMIC_RELEASE);
}

static void ramp(struct gen_lane *l, uint64_t now)
{
	uint32_t target = l->opt->mode == GEN_CPS ? l->opt->clients.count : l->nb_conns;
	char why[160];

	if (l->were_up >= target) {
		lane_ready(l, now);
		return;
	}
	if (l->progress_ns == 0)
		l->progress_ns = now;
	if (now - l->progress_ns > l->opt->connect_timeout_ns) {
		snprintf(
		    why, sizeof(why),
		    "%u of %u connections were established, then none for %.1f s: check that the "
		    "server listens and the addresses are right",
		    l->were_up, target, (double)l->opt->connect_timeout_ns / 1e9);
		gen_lane_break(l, why);
		return;
	}
	gen_client_ramp(l, now);
}

static void begin(struct gen_lane *l, uint64_t start)
{
	uint32_t i, n;

	l->win_start = start + l->opt->warmup_ns;
	l->win_end = l->win_start + l->opt->duration_ns;
	gen_arrivals_init(&l->arrivals, l->opt->rate, start, l->index, l->run->nb_lanes);
	gen_arrivals_end(&l->arrivals, l->win_end);
	enter(l, GEN_WARMUP);
	if (gen_mode_bulk(l->opt->mode))
		return;
	for (n = 0; n < l->opt->outstanding; n++)
		for (i = 0; i < l->nb_conns; i++)
			gen_client_list(&l->conns[i]);
}

static void take_meters(struct gen_lane *l, unsigned int when, uint64_t now)
{
	unsigned int i;

	if (gen_mode_bulk(l->opt->mode))
		gen_bulk_look(l, now);
	for (i = 0; i < l->nb_meters; i++)
		gen_meter_take(&l->meter[i], when);
}

static void end_measure(struct gen_lane *l, uint64_t now)
{
	take_meters(l, GEN_METER_END, now);
	l->stats.window_ns = l->win_end - l->win_start;
	l->deadline = now + l->opt->drain_ns;
	enter(l, GEN_DRAIN);
}

/* What nobody waits for any longer: requests without an answer, and those that never went out. */
static void count_unfinished(struct gen_lane *l)
{
	uint64_t planned, n = 0;
	uint32_t i;

	for (i = 0; i < l->nb_conns; i++) {
		n += l->conns[i].inflight;
		gen_request_lost(&l->conns[i]);
	}
	while (l->opt->rate != 0 && gen_arrivals_take(&l->arrivals, UINT64_MAX - 1, &planned)) {
		if (gen_in_window(l, planned))
			GEN_STAT_ADD(l->stats.failed, 1);
		n++;
	}
	GEN_STAT_ADD(l->stats.failures[GEN_FAIL_UNFINISHED], n);
}

static void drain(struct gen_lane *l, uint64_t now)
{
	bool idle = l->inflight == 0 && gen_arrivals_backlog(&l->arrivals, now) == 0;

	if (!gen_mode_bulk(l->opt->mode)) {
		if (!idle && now < l->deadline)
			return;
		if (!idle)
			count_unfinished(l);
	}
	enter(l, GEN_CLOSE);
	l->cursor = 0;
	l->deadline = now + l->opt->drain_ns;
}

static void close_all(struct gen_lane *l, uint64_t now)
{
	gen_client_close_some(l, CLOSE_BATCH);
	if (l->open != 0 && now < l->deadline)
		return;
	enter(l, GEN_DONE);
	__atomic_add_fetch(&l->run->lanes_done, 1, __ATOMIC_ACQ_REL);
}

/* An interruption: what was measured up to now is what counts. */
static void stop_early(struct gen_lane *l, uint64_t now)
{
	if (l->phase >= GEN_DRAIN)
		return;
	gen_arrivals_end(&l->arrivals, now);
	if (l->phase == GEN_MEASURE) {
		l->win_end = now;
		end_measure(l, now);
		/* Those under way still have the drain time. */
		return;
	}
	l->win_start = l->win_end = UINT64_MAX;
	enter(l, GEN_CLOSE);
	l->deadline = now + l->opt->drain_ns;
}

static void step(struct gen_lane *l, uint64_t now)
{
	uint64_t start;

	if (__atomic_load_n(&l->run->stop, __ATOMIC_ACQUIRE))
		stop_early(l, now);
	if (l->phase == GEN_RAMP)
		ramp(l, now);
	if (l->phase == GEN_WAIT) {
		start = __atomic_load_n(&l->run->start_ns, __ATOMIC_ACQUIRE);
		if (start != 0 && now >= start)
			begin(l, start);
	}
	if (l->phase == GEN_WARMUP && now >= l->win_start) {
		take_meters(l, GEN_METER_BEGIN, now);
		enter(l, GEN_MEASURE);
	}
	if (l->phase == GEN_MEASURE && now >= l->win_end)
		end_measure(l, now);
	if (l->phase == GEN_DRAIN)
		drain(l, now);
	if (l->phase == GEN_CLOSE)
		close_all(l, now);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the timer must run next. */
static uint64_t next_at(const struct gen_lane *l, uint64_t now)
{
	uint64_t at = now + TICK_NS;

	if (l->phase == GEN_RAMP || l->phase == GEN_WAIT || l->phase == GEN_CLOSE)
		return now + NS_PER_MS / 10;
	if (l->phase == GEN_WARMUP)
		at = earlier(at, l->win_start);
	if (l->phase == GEN_MEASURE)
		at = earlier(at, l->win_end);
	if (l->phase == GEN_DRAIN)
		at = earlier(at, now + NS_PER_MS);
	if (l->retry_n != 0)
		at = earlier(at, l->retry[l->retry_head].due_ns);
	/* Without a free connection nothing can be sent; an answer will start what is due. */
	if (l->opt->rate != 0 && l->ready.head != l->ready.tail &&
	    l->arrivals.next_ns < l->arrivals.end_ns)
		at = earlier(at, l->arrivals.next_ns);
	return at > now ? at : now + 1;
}

static void on_timer(struct rnl_stack *st, void *arg)
{
	struct gen_lane *l = arg;
	uint64_t now = rnl_clock_ns();
	rnl_timer_t timer;

	step(l, now);
	if (l->phase == GEN_DONE)
		return;
	gen_client_retry(l, now);
	gen_lane_dispatch(l, now);
	if (gen_mode_bulk(l->opt->mode) && now >= l->look_ns && l->phase < GEN_DRAIN) {
		gen_bulk_look(l, now);
		l->look_ns = now + LOOK_NS;
	}
	if (rnl_timer_start(st, next_at(l, now), on_timer, l, &timer) == 0)
		return;
	gen_lane_break(l, "the stack has no timer left: this is a defect, please report it");
	enter(l, GEN_DONE);
	__atomic_add_fetch(&l->run->lanes_done, 1, __ATOMIC_ACQ_REL);
}

int gen_lane_start(struct gen_lane *l)
{
	return rnl_post(l->st, on_timer, l);
}
