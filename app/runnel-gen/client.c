/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a connection: open, ready, end, and again. Which places are free.
 * Floor: 6 (application).
 */
#include <errno.h>

#include "http.h"
#include "lane.h"

#define NS_PER_MS UINT64_C(1000000)
/** Opens under way at once while the lasting connections are made: below a server's backlog. */
#define RAMP_AT_ONCE 256u
/** A place that failed waits this long before it connects again. */
#define RETRY_NS (50 * NS_PER_MS)
/** Tuples that are tried for one connection, since some may be in use. */
#define TUPLE_TRIES 16u

static uint32_t slot_of(const struct gen_conn *c)
{
	return (uint32_t)(c - c->lane->conns);
}

static bool can_take(const struct gen_conn *c)
{
	const struct gen_options *o = c->lane->opt;

	if (o->mode == GEN_CPS)
		return c->state == GEN_CONN_FREE;
	return c->state == GEN_CONN_READY && !c->last && c->inflight < o->outstanding &&
	       (o->requests_per_conn == 0 || c->served + c->inflight < o->requests_per_conn);
}

void gen_client_list(struct gen_conn *c)
{
	struct gen_ring *r = &c->lane->ready;

	if (c->listed + c->inflight >= c->lane->opt->outstanding || !can_take(c))
		return;
	r->slot[r->tail++ & r->mask] = slot_of(c);
	c->listed++;
}

struct gen_conn *gen_client_unlist(struct gen_lane *l)
{
	struct gen_ring *r = &l->ready;
	struct gen_conn *c;

	while (r->head != r->tail) {
		c = &l->conns[r->slot[r->head++ & r->mask]];
		c->listed--;
		/* An entry may have outlived its connection. */
		if (can_take(c))
			return c;
	}
	return NULL;
}

static void wait_to_retry(struct gen_conn *c, uint64_t now)
{
	struct gen_lane *l = c->lane;

	/* A place is in here at most once: it is free and waits. */
	l->retry[(l->retry_head + l->retry_n) % l->nb_conns] =
	    (struct gen_retry){.slot = slot_of(c), .due_ns = now + RETRY_NS};
	l->retry_n++;
	c->waiting = true;
}

static enum gen_failure failure_of(int err)
{
	switch (err) {
	case -EADDRNOTAVAIL:
		return GEN_FAIL_NO_PORT;
	case -ENOBUFS:
		return GEN_FAIL_NO_BUFFER;
	case -ENETUNREACH:
		return GEN_FAIL_NO_ROUTE;
	default:
		return GEN_FAIL_CONNECT_OTHER;
	}
}

static int try_connect(struct gen_conn *c)
{
	struct gen_lane *l = c->lane;
	const struct gen_options *o = l->opt;
	struct gen_tuple t = gen_tuples_next(&l->tuples);
	struct rnl_connect_config cfg = {
	    .size = sizeof(cfg),
	    .raddr = o->server,
	    .rport = t.sport,
	    .laddr = rnl_addr_range_at(&o->clients, t.addr),
	    .lport = t.lport,
	    .ops = l->ops,
	    .ctx = c,
	    .opts = {.size = sizeof(cfg.opts),
	             .nodelay = true,
	             .connect_timeout_ms = (uint32_t)(o->connect_timeout_ns / NS_PER_MS)},
	};

	rnl_topo_conn_opts(&o->topo, &cfg.opts);
	return rnl_connect(l->st, &cfg, &c->h);
}

bool gen_client_connect(struct gen_conn *c, uint64_t now)
{
	struct gen_lane *l = c->lane;
	unsigned int tries;
	int ret = -EADDRNOTAVAIL;

	for (tries = 0; tries < TUPLE_TRIES && ret == -EADDRNOTAVAIL; tries++)
		ret = try_connect(c);
	if (ret != 0) {
		GEN_STAT_ADD(l->stats.failures[failure_of(ret)], 1);
		return false;
	}
	c->state = GEN_CONN_CONNECTING;
	c->connect_ns = now;
	c->rx_left = c->rx_pos = c->tx_left = c->acked = 0;
	c->tx_pos = c->served = 0;
	c->in_body = c->last = c->counted_end = false;
	GEN_STAT_ADD(l->open, 1);
	l->connecting++;
	GEN_STAT_ADD(l->stats.connects, 1);
	return true;
}

/* The next place for the ramp. @return NULL: there is none now. */
static struct gen_conn *ramp_place(struct gen_lane *l)
{
	uint32_t i;

	if (l->opt->mode != GEN_CPS)
		return l->cursor < l->nb_conns ? &l->conns[l->cursor++] : NULL;
	for (i = 0; l->to_prime != 0 && i < l->nb_conns; i++)
		if (l->conns[i].state == GEN_CONN_FREE && !l->conns[i].waiting) {
			l->to_prime--;
			return &l->conns[i];
		}
	return NULL;
}

void gen_client_ramp(struct gen_lane *l, uint64_t now)
{
	uint32_t at_once = 1 + 2 * l->were_up;
	struct gen_conn *c;

	if (at_once > RAMP_AT_ONCE)
		at_once = RAMP_AT_ONCE;
	while (l->connecting < at_once && (c = ramp_place(l)) != NULL)
		if (!gen_client_connect(c, now))
			wait_to_retry(c, now);
}

void gen_client_not_begun(struct gen_conn *c, uint64_t now)
{
	/* An open loop is paced by its schedule; a closed one must not spin. */
	if (c->lane->opt->rate != 0)
		gen_client_list(c);
	else
		wait_to_retry(c, now);
}

/* A lasting connection is made anew; a place of cps may take the next one. */
static void use_again(struct gen_conn *c, uint64_t now)
{
	struct gen_lane *l = c->lane;

	if (l->opt->mode == GEN_CPS && l->phase != GEN_RAMP) {
		gen_client_list(c);
		gen_lane_dispatch(l, now);
	} else if (!gen_client_connect(c, now)) {
		wait_to_retry(c, now);
	}
}

void gen_client_retry(struct gen_lane *l, uint64_t now)
{
	struct gen_conn *c;

	if (l->phase > GEN_DRAIN)
		return;
	while (l->retry_n != 0 && l->retry[l->retry_head].due_ns <= now) {
		c = &l->conns[l->retry[l->retry_head].slot];
		l->retry_head = (l->retry_head + 1) % l->nb_conns;
		l->retry_n--;
		c->waiting = false;
		use_again(c, now);
	}
}

void gen_client_connected(struct rnl_stack *st, rnl_conn_t h, void *ctx)
{
	struct gen_conn *c = ctx;
	struct gen_lane *l = c->lane;
	uint64_t now = rnl_clock_ns();

	c->state = GEN_CONN_READY;
	l->connecting--;
	if (l->phase == GEN_RAMP && (l->opt->mode == GEN_CPS || !c->was_up)) {
		c->was_up = true;
		l->were_up++;
		l->progress_ns = now;
	}
	GEN_STAT_ADD(l->stats.connected, 1);
	/* Lasting connections are opened before the window: their handshakes count all the same. */
	if (gen_in_window(l, now))
		GEN_STAT_ADD(l->stats.opened_in_time, 1);
	if (!gen_short_lived(l->opt) || gen_in_window(l, c->connect_ns))
		gen_hist_record(&l->stats.connect, now - c->connect_ns);
	if (l->phase == GEN_RAMP)
		gen_client_ramp(l, now);
	if (l->opt->mode == GEN_CPS && c->inflight == 0) {
		/* One of the ramp: it has done its work. */
		c->state = GEN_CONN_CLOSING;
		rnl_close(st, h);
	} else if (gen_mode_bulk(l->opt->mode))
		gen_bulk_ready(c);
	else
		gen_request_ready(c, now);
}

void gen_client_finish(struct gen_conn *c)
{
	struct gen_lane *l = c->lane;

	if (l->opt->close == GEN_CLOSE_SERVER || c->last) {
		c->state = GEN_CONN_WAIT_FIN;
		rnl_conn_timer(l->st, c->h, rnl_clock_ns() + l->opt->connect_timeout_ns);
		return;
	}
	c->state = GEN_CONN_CLOSING;
	if (l->opt->close == GEN_CLOSE_RST)
		rnl_abort(l->st, c->h);
	else
		rnl_close(l->st, c->h);
}

void gen_client_fail(struct gen_conn *c, enum gen_failure f)
{
	GEN_STAT_ADD(c->lane->stats.failures[f], 1);
	c->counted_end = true;
	c->state = GEN_CONN_CLOSING;
	rnl_abort(c->lane->st, c->h);
}

void gen_client_close_some(struct gen_lane *l, uint32_t n)
{
	struct gen_conn *c;

	for (; n > 0 && l->cursor < l->nb_conns; l->cursor++) {
		c = &l->conns[l->cursor];
		if (c->state == GEN_CONN_FREE || c->state == GEN_CONN_CLOSING)
			continue;
		n--;
		/* An endless stream, a half-open connection or one that owes an answer has no
		 * orderly end. */
		c->counted_end = true;
		if (gen_mode_bulk(l->opt->mode) || l->opt->close == GEN_CLOSE_RST ||
		    c->state == GEN_CONN_CONNECTING || c->in_body || c->tx_left != 0)
			rnl_abort(l->st, c->h);
		else
			rnl_close(l->st, c->h);
		c->state = GEN_CONN_CLOSING;
	}
}

void gen_client_peer_closed(struct rnl_stack *st, rnl_conn_t h, void *ctx)
{
	struct gen_conn *c = ctx;

	if (c->state == GEN_CONN_CLOSING)
		return;
	if (c->in_body && c->rx_left == GEN_HTTP_UNTIL_CLOSE)
		gen_request_complete(c, rnl_clock_ns());
	if (c->inflight != 0 || gen_mode_bulk(c->lane->opt->mode)) {
		gen_client_fail(c, GEN_FAIL_PEER_CLOSED);
		return;
	}
	/* It may close an idle connection, and it must when that was agreed. */
	c->state = GEN_CONN_CLOSING;
	rnl_close(st, h);
}

void gen_client_timer(struct rnl_stack *st, rnl_conn_t h, void *ctx)
{
	struct gen_conn *c = ctx;

	if (c->state == GEN_CONN_WAIT_FIN)
		gen_client_fail(c, GEN_FAIL_NO_FIN);
}

/* Whether an end of this kind is what we asked for. */
static bool as_asked(const struct gen_conn *c, enum rnl_reason reason)
{
	if (c->counted_end || reason == RNL_REASON_DESTROYED)
		return true;
	if (c->state != GEN_CONN_CLOSING)
		return false;
	return reason == RNL_REASON_NORMAL ||
	       (reason == RNL_REASON_LOCAL_ABORT && c->lane->opt->close == GEN_CLOSE_RST);
}

void gen_client_closed(struct rnl_stack *st, rnl_conn_t h, void *ctx, enum rnl_reason reason)
{
	struct gen_conn *c = ctx;
	struct gen_lane *l = c->lane;
	bool wanted = as_asked(c, reason), connecting = c->state == GEN_CONN_CONNECTING;
	uint64_t now = rnl_clock_ns();

	if (!wanted)
		GEN_STAT_ADD(l->stats.reasons[reason], 1);
	if (connecting)
		l->connecting--;
	GEN_STAT_ADD(l->open, -1);
	GEN_STAT_ADD(l->stats.closed, 1);
	gen_request_lost(c);
	c->state = GEN_CONN_FREE;
	c->h = 0;
	if (l->phase > GEN_DRAIN || reason == RNL_REASON_DESTROYED)
		return;
	if (wanted && l->opt->mode == GEN_CPS && l->phase == GEN_RAMP) {
		gen_client_ramp(l, now);
		return;
	}
	/* A server that refuses must not make this spin; an open loop is paced by its schedule. */
	if ((!wanted || c->counted_end) && !(l->opt->mode == GEN_CPS && l->opt->rate != 0))
		wait_to_retry(c, now);
	else
		use_again(c, now);
}
