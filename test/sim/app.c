/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The users of the connections: each end follows its plan, sends in pieces of any size and way,
 * leaves data unread, keeps buffers, pauses, half-closes, closes, aborts.
 */
#include <errno.h>
#include <string.h>

#include "sim.h"

static struct rnl_stack *stack_of(const struct side *s)
{
	return s->w->node[s->node].stack;
}

static struct side *peer_of(struct side *s)
{
	return &s->conn->s[1 - s->which];
}

/* ---- sending and ending -----------------------------------------------------------------------
 */

static void give_up(struct side *s)
{
	s->closing = s->aborted = true;
	rnl_abort(stack_of(s), s->handle);
}

static void close_now(struct side *s)
{
	s->closing = true;
	rnl_close(stack_of(s), s->handle);
}

/* All is sent: FIN now, or with the close that waits until all is received. */
static void finish(struct side *s)
{
	int rc;

	if (s->plan.close_when_done) {
		/* RFC 9293 3.10.4: CLOSE in SYN-SENT would forget the queued data. */
		if (s->up && (s->received == peer_of(s)->plan.length || s->peer_closed))
			close_now(s);
		return;
	}
	if (s->shut)
		return;
	s->shut = true;
	rc = rnl_shutdown(stack_of(s), s->handle);
	if (rc != 0)
		sim_fail(s->w, "conn %u.%u: shutdown returned %d", s->conn->id, s->which, rc);
}

void app_send(struct side *s)
{
	struct side_plan *p = &s->plan;

	if (p->wait_for_peer && s->received == 0 && !s->peer_closed)
		return;
	while (!s->closed && !s->closing && !s->paused && s->sent < p->length) {
		uint64_t left = p->length - s->sent;
		uint32_t len = 1 + sim_below(s->w, p->chunk);

		if (s->sent >= p->abort_at) {
			give_up(s);
			return;
		}
		if (send_some(s, len < left ? len : (uint32_t)left) == 0)
			return;
		if (sim_pct(s->w, p->pause_pct)) {
			s->paused = true;
			rnl_conn_timer(stack_of(s), s->handle,
			               s->w->now_ns + 1 +
			                   sim_below(s->w, (uint32_t)(p->pause_ns / 1000)) *
			                       UINT64_C(1000));
		}
	}
	if (s->closed || s->closing || s->paused || s->sent < p->length)
		return;
	if (s->sent >= p->abort_at)
		give_up(s);
	else
		finish(s);
}

/* ---- meddling ---------------------------------------------------------------------------------
 */

/* Who is gone is refused, whatever is asked. */
static void meddle_gone(struct side *t)
{
	struct rnl_stack *st = stack_of(t);
	struct rnl_conn_opts o = {.size = sizeof(o)};
	int64_t rc = 0;

	switch (sim_below(t->w, 7)) {
	case 0:
		rc = rnl_close(st, t->handle);
		break;
	case 1:
		rc = rnl_abort(st, t->handle);
		break;
	case 2:
		rc = rnl_shutdown(st, t->handle);
		break;
	case 3:
		rc = rnl_send(st, t->handle, "x", 1);
		break;
	case 4:
		rc = rnl_receive_resume(st, t->handle);
		break;
	case 5:
		rc = rnl_set_opts(st, t->handle, &o);
		break;
	default:
		rc = rnl_conn_timer(st, t->handle, t->w->now_ns);
		break;
	}
	if (rc != -ESTALE)
		sim_fail(t->w, "conn %u.%u is gone, and a call on it returned %lld", t->conn->id,
		         t->which, (long long)rc);
}

static void meddle_open(struct side *t)
{
	struct rnl_stack *st = stack_of(t);
	struct rnl_conn_info info;
	struct rnl_conn_opts o = {.size = sizeof(o)};

	switch (sim_below(t->w, 5)) {
	case 0:
		rnl_receive_resume(st, t->handle);
		break;
	case 1:
		if (rnl_get_opts(st, t->handle, &o) == 0) {
			o.nodelay = !o.nodelay;
			rnl_set_opts(st, t->handle, &o);
		}
		break;
	case 2:
		rnl_conn_info(st, t->handle, &info);
		break;
	case 3:
		if (t->up && !t->closing)
			app_send(t);
		break;
	default:
		if (!t->conn->clean && !t->closing && sim_pct(t->w, 10))
			give_up(t);
		break;
	}
}

/* From inside of a callback of s: a call on any connection of the same stack. */
static void meddle(const struct side *s)
{
	struct world *w = s->w;
	struct side *t;

	if (!w->sc.meddle || w->well || w->stopping || !sim_pct(w, 30))
		return;
	t = &w->conn[sim_below(w, w->conns)].s[sim_below(w, 2)];
	if (!t->open || t->node != s->node || t == s)
		return;
	if (t->closed)
		meddle_gone(t);
	else
		meddle_open(t);
}

/* ---- receiving --------------------------------------------------------------------------------
 */

static void on_resume(struct rnl_stack *st, void *arg)
{
	struct side *s = arg;

	s->resume_due = false;
	if (!s->closed && !s->closing)
		rnl_receive_resume(st, s->handle);
}

static void held_free(struct held *h)
{
	check_octets(h->side, h->data, h->len, h->off);
	h->used = false;
	rnl_buf_release(stack_of(h->side), h->buf);
}

static void on_held_due(struct rnl_stack *st, void *arg)
{
	struct held *h = arg;

	if (h->used)
		held_free(h);
}

void app_release_held(struct world *w)
{
	for (unsigned int c = 0; c < w->conns; c++)
		for (unsigned int i = 0; i < 8; i++) {
			struct held *h = &w->conn[c].s[i / 4].held[i % 4];

			if (h->used && w->node[h->side->node].stack != NULL)
				held_free(h);
		}
}

static void hold(struct side *s, const struct rnl_span *span)
{
	rnl_timer_t t;

	for (unsigned int i = 0; i < 4; i++) {
		struct held *h = &s->held[i];

		if (h->used)
			continue;
		if (rnl_buf_hold(stack_of(s), span) != 0)
			return;
		*h = (struct held){.side = s,
		                   .buf = span->buf,
		                   .data = span->data,
		                   .len = span->len,
		                   .off = s->received,
		                   .used = true};
		if (rnl_timer_start(stack_of(s), s->w->now_ns + sim_below(s->w, 2000) * SIM_MS,
		                    on_held_due, h, &t) != 0)
			held_free(h);
		return;
	}
}

/* How many of `total` octets are taken now; what is left is asked for again by a timer. */
static size_t appetite(struct side *s, size_t total)
{
	rnl_timer_t t;

	if (!sim_pct(s->w, s->plan.lazy_pct))
		return total;
	if (!s->resume_due) {
		if (rnl_timer_start(stack_of(s),
		                    s->w->now_ns + sim_below(s->w, 200000) * UINT64_C(1000),
		                    on_resume, s, &t) != 0)
			return total;
		s->resume_due = true;
	}
	return sim_below(s->w, (uint32_t)total + 1);
}

static size_t on_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                          const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct side *s = ctx;
	uint64_t off = s->received;
	size_t sum = 0, taken;

	if (s->closed || s->closing || c != s->handle) {
		sim_fail(s->w, "conn %u.%u: received after the end", s->conn->id, s->which);
		return total;
	}
	for (unsigned int i = 0; i < n; i++) {
		check_octets(s, spans[i].data, spans[i].len, off + sum);
		sum += spans[i].len;
	}
	if (sum != total || total == 0)
		sim_fail(s->w, "conn %u.%u: spans of %zu octets, told %zu", s->conn->id, s->which,
		         sum, total);
	meddle(s);
	taken = appetite(s, total);
	if (taken >= spans[0].len && sim_pct(s->w, s->plan.hold_pct))
		hold(s, &spans[0]);
	s->received += taken;
	s->w->octets += taken;
	if (s->received >= s->plan.close_at)
		close_now(s);
	else
		app_send(s);
	return taken;
}

/* ---- news -------------------------------------------------------------------------------------
 */

static bool is_between(const struct conn *c, const struct rnl_tuple *t)
{
	return c->s[0].open && !c->s[1].open && c->tuple.lport == t->rport &&
	       memcmp(&c->tuple.laddr, &t->raddr, sizeof(t->raddr)) == 0 &&
	       memcmp(&c->tuple.raddr, &t->laddr, sizeof(t->laddr)) == 0;
}

/* Of connections with the same ports, the one that was opened last. */
static struct conn *find(struct world *w, const struct rnl_tuple *t)
{
	struct conn *best = NULL;

	for (unsigned int i = 0; i < w->conns; i++) {
		struct conn *c = &w->conn[i];

		if (is_between(c, t) && (best == NULL || c->opened > best->opened))
			best = c;
	}
	return best;
}

static bool on_admit(struct rnl_stack *st, void *listener_ctx, const struct rnl_tuple *tuple)
{
	struct world *w = listener_ctx;

	return !w->sc.picky || w->well || !sim_pct(w, 30);
}

static void on_accepted(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx)
{
	struct world *w = listener_ctx;
	struct rnl_conn_info info;
	struct side *s;

	/* An ACK that is replayed brings its cookie again (RFC 4987 3.6). */
	if (w->sc.syncookies != RNL_SYNCOOKIES_NEVER && rnl_conn_info(st, c, &info) == 0 &&
	    find(w, &info.tuple) == NULL) {
		rnl_set_ctx(st, c, NULL);
		rnl_abort(st, c);
		return;
	}
	if (rnl_conn_info(st, c, &info) != 0 || find(w, &info.tuple) == NULL) {
		sim_fail(w, "accepted a connection that nobody opened");
		return;
	}
	s = &find(w, &info.tuple)->s[1];
	s->handle = c;
	s->open = s->up = true;
	w->open_sides++;
	rnl_set_ctx(st, c, s);
	meddle(s);
	app_send(s);
}

static void on_connected(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct side *s = ctx;

	if (s->up || s->closed)
		sim_fail(s->w, "conn %u.%u: connected twice or late", s->conn->id, s->which);
	s->up = true;
	meddle(s);
	app_send(s);
}

static void on_writable(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	meddle(ctx);
	app_send(ctx);
}

static void on_timer(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct side *s = ctx;

	s->paused = false;
	meddle(s);
	app_send(s);
}

static void on_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct side *s = ctx, *p = peer_of(s);

	if (s->peer_closed || s->closed || s->closing)
		sim_fail(s->w, "conn %u.%u: peer_closed twice or late", s->conn->id, s->which);
	if ((!p->shut && !p->closing) || s->received != p->sent)
		sim_fail(s->w, "conn %u.%u: peer_closed at %llu, the peer sent %llu%s", s->conn->id,
		         s->which, (unsigned long long)s->received, (unsigned long long)p->sent,
		         p->shut || p->closing ? "" : " and did not close");
	s->peer_closed = true;
	meddle(s);
	app_send(s);
}

static void on_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	struct side *s = ctx;
	struct rnl_conn_info info;

	if (s == NULL) /* replayed */
		return;
	if (s->closed || c != s->handle) {
		sim_fail(s->w, "conn %u.%u: closed twice", s->conn->id, s->which);
		return;
	}
	if (rnl_conn_info(st, c, &info) != 0)
		sim_fail(s->w, "conn %u.%u: the handle is stale inside of closed", s->conn->id,
		         s->which);
	s->closed = true;
	s->reason = reason;
	s->w->open_sides--;
	check_closed(s);
	meddle(s);
}

const struct rnl_app_ops app_ops = {
    .size = sizeof(struct rnl_app_ops),
    .admit = on_admit,
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .writable = on_writable,
    .peer_closed = on_peer_closed,
    .timer = on_timer,
    .closed = on_closed,
};

/* ---- opening ----------------------------------------------------------------------------------
 */

/* A connection that takes ports again waits until their last owner is gone from both ends. */
bool app_start_due(const struct world *w, const struct conn *c)
{
	const struct conn *old;

	if (c->reuse_of < 0)
		return true;
	old = &w->conn[c->reuse_of];
	return old->gave_up || (old->s[0].closed && (old->s[1].closed || !old->s[1].open));
}

void app_start(struct world *w, struct conn *c)
{
	struct side *s = &c->s[0];
	struct node *n = &w->node[s->node];
	struct rnl_connect_config cfg = {.size = sizeof(cfg),
	                                 .rport = SIM_PORT,
	                                 .ops = &app_ops,
	                                 .ctx = s,
	                                 .opts = w->sc.opts[s->node]};
	struct rnl_conn_info info;
	int rc;

	node_poll(w, n); /* calls are timed by the last poll, and it may be long ago */
	cfg.raddr = w->node[c->s[1].node].addr;
	/* After a reset there is no TIME-WAIT: what is still in the network would pass for the new
	 * connection's data (RFC 1337 1), and that is nobody's fault here. */
	if (c->reuse_of >= 0 && w->conn[c->reuse_of].s[1].closed &&
	    w->conn[c->reuse_of].s[0].reason == RNL_REASON_NORMAL &&
	    w->conn[c->reuse_of].s[1].reason == RNL_REASON_NORMAL)
		cfg.lport = w->conn[c->reuse_of].tuple.lport;
	else if (sim_pct(w, 50))
		cfg.lport = (uint16_t)(20000 + c->id);
	if (c->id == w->sc.conns) /* the probe has patience */
		cfg.opts = (struct rnl_conn_opts){.size = sizeof(cfg.opts)};
	rc = rnl_connect(n->stack, &cfg, &s->handle);
	if (rc == -EADDRNOTAVAIL && cfg.lport != 0) {
		cfg.lport = 0;
		rc = rnl_connect(n->stack, &cfg, &s->handle);
	}
	n->wake_ns = w->now_ns;
	if (rc != 0) {
		c->gave_up = true;
		if (c->clean || rc == -EINVAL)
			sim_fail(w, "conn %u: connect returned %d", c->id, rc);
		return;
	}
	s->open = true;
	c->opened = ++w->order;
	w->open_sides++;
	if (rnl_conn_info(n->stack, s->handle, &info) != 0)
		sim_fail(w, "conn %u: no info on a new connection", c->id);
	c->tuple = info.tuple;
	if (sim_pct(w, 30))
		app_send(s);
}
