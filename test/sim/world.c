/* SPDX-License-Identifier: BSD-3-Clause */
/* One seed from begin to end: the clock jumps to the next event or deadline. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "sim.h"

#define START_NS (1000 * SIM_S)
/* Later than any timeout that a scenario can ask for. */
#define LIMIT_NS (6000 * SIM_S)
/* More polls than any scenario needs: a stack that asks for more of them spins. */
#define POLLS_MAX 3000000

void sim_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failed)
		return;
	w->failed = true;
	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
}

static void event_at(struct world *w, uint64_t at_ns, int kind, unsigned int arg)
{
	struct event e = {.at_ns = at_ns, .arg = arg};

	e.kind = kind;
	heap_push(w, &e);
}

static void plan_events(struct world *w)
{
	const struct scenario *sc = &w->sc;

	for (unsigned int i = 0; i < sc->conns; i++)
		event_at(w, START_NS + w->conn[i].start_ns, EV_START, i);
	if (sc->cut_at_ns != 0) {
		event_at(w, START_NS + sc->cut_at_ns, EV_CUT, 0);
		event_at(w, START_NS + sc->cut_at_ns + sc->cut_len_ns, EV_HEAL, 0);
	}
	for (unsigned int i = 0; sc->starve && i < 3; i++) {
		event_at(w, START_NS + sim_below(w, 3000) * SIM_MS, EV_STARVE, 0);
		event_at(w, START_NS + sim_below(w, 6000) * SIM_MS, EV_FEED, 0);
	}
	if (sc->starve)
		event_at(w, START_NS + 6000 * SIM_MS, EV_FEED, 0);
	for (unsigned int i = 0; sc->noise && !sc->raw && i < 40; i++)
		event_at(w, START_NS + sc->quiet_ns + sim_below(w, 3000) * SIM_MS, EV_NOISE, 0);
}

static void start_conn(struct world *w, struct conn *c)
{
	if (app_start_due(w, c))
		app_start(w, c);
	else
		event_at(w, w->now_ns + 50 * SIM_MS, EV_START, c->id);
}

static void handle(struct world *w, struct event *e)
{
	switch (e->kind) {
	case EV_FRAME:
		wire_deliver(w, e);
		break;
	case EV_FREE:
		rte_pktmbuf_free(e->m);
		break;
	case EV_START:
		start_conn(w, &w->conn[e->arg]);
		break;
	case EV_CUT:
	case EV_HEAL:
		w->node[0].cut = e->kind == EV_CUT && !w->well;
		break;
	case EV_STARVE:
		if (!w->well)
			node_steal(w);
		break;
	case EV_FEED:
		node_feed(w);
		break;
	case EV_NOISE:
		noise_inject(w);
		break;
	}
}

static uint64_t node_due(const struct world *w, const struct node *n)
{
	uint64_t at = n->wake_ns, soonest = n->last_poll_ns + w->sc.poll_gap_ns;

	if (n->rx_head < n->rx_len)
		at = w->now_ns;
	return at < soonest ? soonest : at;
}

static uint64_t next_time(const struct world *w)
{
	uint64_t at = heap_next(w);

	for (unsigned int i = 0; i < w->sc.nodes; i++)
		if (node_due(w, &w->node[i]) < at)
			at = node_due(w, &w->node[i]);
	return at < w->now_ns ? w->now_ns : at;
}

/* @return false: nothing will ever happen again, or something went wrong. */
static bool step(struct world *w, uint64_t until_ns)
{
	uint64_t at = next_time(w);
	struct event e;

	if (at > until_ns) {
		w->now_ns = until_ns;
		return false;
	}
	w->now_ns = at;
	while (!w->failed && heap_pop(w, at, &e))
		handle(w, &e);
	for (unsigned int i = 0; i < w->sc.nodes && !w->failed; i++)
		if (node_due(w, &w->node[i]) <= at)
			node_poll(w, &w->node[i]);
	if (w->polls > POLLS_MAX)
		sim_fail(w, "%u polls: a stack spins", POLLS_MAX);
	return !w->failed;
}

static void run_until(struct world *w, uint64_t until_ns)
{
	while (step(w, until_ns))
		;
}

static bool all_ended(const struct world *w)
{
	if (w->open_sides != 0)
		return false;
	for (unsigned int i = 0; i < w->conns; i++)
		if (!w->conn[i].s[0].open && !w->conn[i].gave_up)
			return false;
	return true;
}

/*
 * An end whose peer is gone for good may wait for ever, as its peer's zero-copy memory may that
 * lies in its queue; one whose peer is well must not.
 */
static bool is_orphan(const struct side *s)
{
	const struct side *p = &s->conn->s[1 - s->which];

	if (s->conn->clean)
		return false;
	if (p->owed > 0 && s->w->sc.link[p->node].by_reference)
		return true;
	return !p->open || p->aborted || (p->closed && p->reason != RNL_REASON_NORMAL) ||
	       (p->closed && p->closing);
}

static void end_orphans(struct world *w)
{
	for (unsigned int i = 0; i < 2 * w->conns; i++) {
		struct side *s = &w->conn[i / 2].s[i % 2];

		if (!s->open || s->closed || !is_orphan(s))
			continue;
		s->closing = s->aborted = true;
		rnl_abort(w->node[s->node].stack, s->handle);
		w->node[s->node].wake_ns = w->now_ns;
	}
}

static void check_stuck(struct world *w)
{
	for (unsigned int i = 0; i < 2 * w->conns; i++) {
		const struct side *s = &w->conn[i / 2].s[i % 2];

		if (s->open && !s->closed)
			sim_fail(w, "conn %u.%u is stuck: sent %llu, received %llu", i / 2, i % 2,
			         (unsigned long long)s->sent, (unsigned long long)s->received);
	}
}

/* Connections that wait for the ports of orphans begin only when these are gone: hence the rounds.
 */
static void run_all(struct world *w)
{
	for (unsigned int round = 0; round < 4; round++) {
		uint64_t limit = w->now_ns + LIMIT_NS;

		while (!w->failed && !all_ended(w) && step(w, limit))
			;
		if (w->failed || all_ended(w))
			return;
		end_orphans(w);
	}
	run_until(w, w->now_ns + SIM_S);
	check_stuck(w);
}

/* After trouble, on a network that is well again: a new connection must work. */
static void probe(struct world *w)
{
	struct conn *c = &w->conn[w->conns];
	uint64_t until;

	for (unsigned int i = 0; i < w->sc.nodes; i++) {
		struct link_plan *l = &w->sc.link[i];

		l->loss = l->dup = l->corrupt = l->replay = l->refuse = 0;
		w->node[i].cut = false;
	}
	node_feed(w);
	w->well = true;
	run_until(w, w->now_ns + 30 * SIM_S);
	conn_draw(w, w->conns);
	c->reuse_of = -1;
	c->clean = true;
	for (unsigned int i = 0; i < 2; i++)
		c->s[i].plan = (struct side_plan){.length = 1000,
		                                  .chunk = 1000,
		                                  .abort_at = UINT64_MAX,
		                                  .close_at = UINT64_MAX,
		                                  .fail_at = UINT64_MAX,
		                                  .modes = 1};
	w->conns++;
	app_start(w, c);
	until = w->now_ns + 1000 * SIM_S;
	while (!w->failed && !all_ended(w) && step(w, until))
		;
	if (!w->failed && (!c->s[1].closed || c->s[1].received != 1000))
		sim_fail(w, "after the trouble a new connection does not work");
}

static void wind_down(struct world *w)
{
	run_until(w, w->now_ns + (w->sc.wait_time_wait ? 400 : 20) * SIM_S);
	/* The ACK of a client that aborted at once, and whose RST was lost, was on its way all the same. */
	end_orphans(w);
	run_until(w, w->now_ns + SIM_S);
	app_release_held(w);
	if (w->failed)
		return;
	/* What a device refused at the last moment goes now. */
	for (unsigned int i = 0; i < w->sc.nodes; i++) {
		w->sc.link[i].refuse = 0;
		w->node[i].stall_until_ns = 0;
		node_poll(w, &w->node[i]);
	}
	check_usage(w);
}

/*
 * A node may hold packets whose octets lie in another's zero-copy memory, so all let go of what
 * they hold before the first is destroyed. Only after a fault: scenarios that stop early avoid it.
 */
static void let_go(struct world *w)
{
	for (unsigned int i = 0; i < 2 * w->conns; i++) {
		struct side *s = &w->conn[i / 2].s[i % 2];

		if (s->open && !s->closed && w->node[s->node].stack != NULL)
			rnl_abort(w->node[s->node].stack, s->handle);
	}
	for (unsigned int i = 0; i < w->sc.nodes; i++)
		if (w->node[i].stack != NULL)
			rnl_poll(w->node[i].stack, w->now_ns);
}

static void tear_down(struct world *w)
{
	app_release_held(w);
	heap_clear(w);
	for (unsigned int i = 0; i < w->sc.nodes; i++)
		wire_clear(&w->node[i]);
	if (w->failed)
		let_go(w);
	heap_clear(w);
	for (unsigned int i = 0; i < w->sc.nodes; i++)
		wire_clear(&w->node[i]);
	w->stopping = true;
	for (unsigned int i = 0; i < w->sc.nodes; i++)
		node_destroy(w, i);
	node_feed(w);
	if (!w->failed)
		check_end(w);
	truth_free(w);
	free(w->heap);
	w->heap = NULL;
}

static void show(const struct world *w)
{
	const struct scenario *sc = &w->sc;

	printf("seed %llu: %u nodes, %u connections%s%s%s%s%s%s%s\n", (unsigned long long)w->seed,
	       sc->nodes, sc->conns, sc->raw ? ", bare IPv6" : sc->ip6 ? ", IPv6" : "", sc->vlan != 0 ? ", VLAN" : "",
	       sc->clean ? ", clean" : "", sc->starve ? ", starved" : "",
	       sc->small_pools ? ", small pools" : "", sc->stop_early ? ", stopped early" : "",
	       sc->cut_at_ns != 0 ? ", cut" : "");
	for (unsigned int i = 0; i < sc->nodes; i++)
		printf("  node %u: delay %llu us, jitter %llu us, loss %u, dup %u, corrupt %u, "
		       "caps 0x%x%s\n",
		       i, (unsigned long long)(sc->link[i].delay_ns / 1000),
		       (unsigned long long)(sc->link[i].jitter_ns / 1000), sc->link[i].loss,
		       sc->link[i].dup, sc->link[i].corrupt, sc->caps[i],
		       sc->link[i].by_reference ? ", by reference" : "");
}

bool sim_run(struct world *w, uint64_t seed)
{
	bool ready = true;

	w->seed = seed;
	w->now_ns = START_NS;
	w->hash = UINT64_C(0xcbf29ce484222325);
	rnl_prng_seed(&w->prng, seed);
	scenario_draw(w);
	if (w->verbose)
		show(w);
	for (unsigned int i = 0; i < w->sc.nodes && ready; i++)
		ready = node_create(w, i);
	w->conns = w->sc.conns;
	for (unsigned int i = 0; i < w->conns; i++)
		conn_draw(w, i);
	if (ready) {
		plan_events(w);
		if (w->sc.stop_early) {
			run_until(w, START_NS + w->sc.stop_at_ns);
		} else {
			run_all(w);
			if (!w->sc.clean && !w->failed)
				probe(w);
			if (!w->failed)
				wind_down(w);
		}
	}
	tear_down(w);
	return !w->failed;
}
