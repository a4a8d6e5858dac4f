/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the application stage: what TCP noted on the event list is told in the order in which it
 * happened to a connection, and ended connections leave: to a mini block in TIME-WAIT, or for good.
 * A callback may do anything to its own connection, so that its state is looked at anew after each.
 * Floor 4. RFC 9293 3.6, 3.6.1, 3.10.4.
 */
#include "stack/stack.h"

#define SPANS 32

static const struct rnl_app_ops *ops_of(const struct rnl_stack *st, const struct rnl_tcb *tcb)
{
	return rnl_core_policy(&st->core, tcb)->ops;
}

static bool take(struct rnl_tcb *tcb, uint8_t event)
{
	bool had = tcb->events & event;

	tcb->events &= (uint8_t)~event;
	return had;
}

static bool unread(const struct rnl_tcb *tcb)
{
	return tcb->work != NULL && tcb->work->rcvq.bytes > 0;
}

/* ---- closing ---- */

void rnl_events_shutdown(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	struct rnl_core *core = &st->core;

	if (tcb->flags & RNL_F_FIN_QUEUED)
		return;
	if (rnl_tcb_busy(core, tcb) == NULL) {
		rnl_tcb_abort(core, tcb, RNL_REASON_NO_RESOURCES);
		return;
	}
	tcb->flags |= RNL_F_FIN_QUEUED;
	if (tcb->state == RNL_ESTABLISHED)
		rnl_tcb_set_state(core, tcb, RNL_FIN_WAIT_1);
	else if (tcb->state == RNL_CLOSE_WAIT)
		rnl_tcb_set_state(core, tcb, RNL_LAST_ACK);
	rnl_core_output(core, tcb);
}

/* The end is on its way. Both FINs went by, but not everything was read: no orderly end for the
 * application. */
static void let_go_of_ended(struct rnl_core *core, struct rnl_tcb *tcb)
{
	if (tcb->reason == RNL_REASON_NORMAL && unread(tcb))
		tcb->reason = RNL_REASON_LOCAL_ABORT;
	rnl_core_event(core, tcb, 0);
}

void rnl_events_abort(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	tcb->flags |= RNL_F_APP_CLOSED;
	if (tcb->events & RNL_EV_END)
		let_go_of_ended(&st->core, tcb);
	else
		rnl_tcb_abort(&st->core, tcb, RNL_REASON_LOCAL_ABORT);
}

/* RFC 9293 3.10.4. Unread data would be lost: the peer must know (RFC 9293 3.6.1, SHLD-3). */
void rnl_events_close(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	struct rnl_core *core = &st->core;
	uint32_t linger = rnl_core_policy(core, tcb)->opts.linger_ms;

	tcb->flags |= RNL_F_APP_CLOSED;
	tcb->app_timer_ms = 0;
	if (tcb->events & RNL_EV_END) {
		let_go_of_ended(core, tcb);
		return;
	}
	if (tcb->state == RNL_SYN_SENT || unread(tcb) || linger == RNL_LINGER_RESET) {
		rnl_tcb_abort(core, tcb, RNL_REASON_LOCAL_ABORT);
		return;
	}
	if (tcb->state == RNL_FIN_WAIT_2) {
		uint32_t ms = rnl_core_policy(core, tcb)->opts.fin_wait2_ms;

		tcb->app_timer_ms = (core->now_ms + ms) | 1;
		rnl_tcp_rearm(core, tcb);
	} else if (linger != 0) {
		tcb->app_timer_ms = (core->now_ms + linger) | 1;
		rnl_tcp_rearm(core, tcb);
	}
	rnl_events_shutdown(st, tcb);
}

/* ---- receiving ---- */

/* What `received` called on its own connection takes effect now. @return whether it did. */
static bool let_go_inside(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	bool aborted = st->abort_pending, closed = st->close_pending;

	st->abort_pending = st->close_pending = false;
	if (aborted)
		rnl_events_abort(st, tcb);
	else if (closed)
		rnl_events_close(st, tcb);
	return aborted || closed;
}

/* One call of `received`. @return whether there is more to offer. */
static bool offer(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	const struct rnl_app_ops *ops = ops_of(st, tcb);
	struct rnl_core *core = &st->core;
	struct rnl_span spans[SPANS];
	size_t total, used;
	unsigned int n = rnl_rcvq_spans(&tcb->work->rcvq, spans, SPANS, &total);

	if (n == 0)
		return false;
	used = total;
	if (ops->received != NULL) {
		st->receiving = tcb;
		used = ops->received(st, rnl_handle(st, tcb), tcb->ctx, spans, n, total);
		st->receiving = NULL;
	}
	used = RTE_MIN(used, total);
	core->held -= rnl_rcvq_consume(&tcb->work->rcvq, (uint32_t)used);
	rnl_text_consumed(core, tcb, (uint32_t)used);
	if (let_go_inside(st, tcb))
		return false;
	if (used < total)
		tcb->flags |= RNL_F_RX_PAUSED;
	return used == total && tcb->work->rcvq.bytes > 0;
}

static void received(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	while (tcb->work != NULL && !(tcb->flags & (RNL_F_APP_CLOSED | RNL_F_RX_PAUSED)) &&
	       offer(st, tcb))
		;
}

/* The peer's FIN is told when everything before it was consumed. */
static void end_of_stream(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	const struct rnl_app_ops *ops = ops_of(st, tcb);

	bool broken = (tcb->events & RNL_EV_END) && tcb->reason != RNL_REASON_NORMAL;

	if (!(tcb->flags & RNL_F_FIN_RCVD) || broken ||
	    tcb->eof_told || (tcb->flags & RNL_F_APP_CLOSED) || unread(tcb))
		return;
	tcb->eof_told = 1;
	if (ops->peer_closed != NULL)
		ops->peer_closed(st, rnl_handle(st, tcb), tcb->ctx);
	else if (tcb->state == RNL_CLOSE_WAIT)
		rnl_events_shutdown(st, tcb);
}

/* ---- the end ---- */

static const uint16_t closed_counters[RNL_REASON_COUNT] = {
    [RNL_REASON_NORMAL] = RNL_C_tcp_closed_normal,
    [RNL_REASON_REFUSED] = RNL_C_tcp_closed_refused,
    [RNL_REASON_RESET] = RNL_C_tcp_closed_reset,
    [RNL_REASON_TIMEOUT_CONNECT] = RNL_C_tcp_closed_timeout_connect,
    [RNL_REASON_TIMEOUT_RETRANSMIT] = RNL_C_tcp_closed_timeout_retransmit,
    [RNL_REASON_TIMEOUT_USER] = RNL_C_tcp_closed_timeout_user,
    [RNL_REASON_TIMEOUT_KEEPALIVE] = RNL_C_tcp_closed_timeout_keepalive,
    [RNL_REASON_TIMEOUT_IDLE] = RNL_C_tcp_closed_timeout_idle,
    [RNL_REASON_UNREACHABLE] = RNL_C_tcp_closed_unreachable,
    [RNL_REASON_NO_RESOURCES] = RNL_C_tcp_closed_no_resources,
    [RNL_REASON_NOT_ADMITTED] = RNL_C_tcp_closed_not_admitted,
    [RNL_REASON_LOCAL_ABORT] = RNL_C_tcp_closed_local_abort,
    [RNL_REASON_PRODUCE_FAILED] = RNL_C_tcp_closed_produce_failed,
    [RNL_REASON_DESTROYED] = RNL_C_tcp_closed_destroyed,
};

/* A block in TIME-WAIT shrinks; it keeps its next hop and its policy. @return false: no room for it. */
static bool to_time_wait(struct rnl_stack *st, struct rnl_tcb *tcb, uint32_t hash)
{
	struct rnl_core *core = &st->core;
	uint32_t i = rnl_passive_get(st);
	struct rnl_mini *mini;

	if (i == RNL_NIL) {
		rnl_tcb_count_transition(core, RNL_TIME_WAIT, RNL_CLOSED);
		rnl_core_count(core, RNL_C_tcp_time_wait_recycled);
		return false;
	}
	mini = rnl_core_mini(core, i);
	memset(mini, 0, sizeof(*mini));
	rnl_timewait_init(core, mini, tcb);
	rnl_flow_replace(&st->flow, hash, rnl_core_index(core, tcb), i | RNL_FLOW_MINI);
	return true;
}

void rnl_events_free(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	rnl_pool_put(&st->core.conns, rnl_core_index(&st->core, tcb));
}

/* Takes the block out of every table; the output list is left to its own stage. */
static void leave(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	struct rnl_core *core = &st->core;
	uint32_t i = rnl_core_index(core, tcb);
	uint32_t hash = rnl_flow_hash(&st->flow, &tcb->key);

	/* The last ACK goes out before the block shrinks (RFC 9293 3.10.7.4, eighth check). */
	if (tcb->state == RNL_TIME_WAIT && (tcb->flags & RNL_F_ACK_NOW))
		rnl_tcp_output(core, tcb);
	rnl_tcb_drop_work(core, tcb);
	rnl_wheel_stop(&core->conn_wheel, i);
	if (tcb->state != RNL_TIME_WAIT || !to_time_wait(st, tcb, hash)) {
		rnl_flow_remove(&st->flow, hash, i);
		rnl_neigh_put(&st->neigh, tcb->nexthop);
		rnl_policy_put(st, tcb->policy);
	}
	tcb->state = RNL_CLOSED;
	rnl_handle_retire(tcb);
	if (tcb->flags & RNL_F_ON_OUTPUT)
		tcb->flags |= RNL_F_DEAD;
	else
		rnl_events_free(st, tcb);
}

/* Everything was told and every zero-copy release ran? Then `closed`, and the block leaves.
 * @return whether it did. */
static bool end(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	const struct rnl_app_ops *ops = ops_of(st, tcb);
	bool app_closed = tcb->flags & RNL_F_APP_CLOSED;

	if (!app_closed && tcb->reason == RNL_REASON_NORMAL && unread(tcb))
		return false; /* until the application has read it */
	if (rnl_zc_owned(&st->core.zc, rnl_core_index(&st->core, tcb))) {
		rnl_core_append(&st->core, &st->core.parked, tcb);
		return false;
	}
	rnl_core_count(&st->core, closed_counters[tcb->reason]);
	/* The block leaves: nothing that `closed` does may put it on a list again. */
	tcb->flags |= RNL_F_APP_CLOSED | RNL_F_ON_EVENTS;
	if (ops->closed != NULL)
		ops->closed(st, rnl_handle(st, tcb), tcb->ctx, tcb->reason);
	leave(st, tcb);
	return true;
}

/* ---- the stage ---- */

static bool app_listens(const struct rnl_tcb *tcb)
{
	return !(tcb->flags & RNL_F_APP_CLOSED);
}

/* Calls one of the plain callbacks when its event stands and the application has not let go. */
#define TELL(event, member)                                                                        \
	do {                                                                                       \
		if (take(tcb, event) && app_listens(tcb) && ops->member != NULL)                   \
			ops->member(st, rnl_handle(st, tcb), tcb->ctx);                            \
	} while (0)

/* RFC 9293 3.8.5 (MUST-32): before the data, so that `received` knows. */
static void urgent(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	const struct rnl_app_ops *ops = ops_of(st, tcb);
	uint32_t bytes = rnl_urgent_pending(tcb);

	if (app_listens(tcb) && bytes > 0 && ops->size > offsetof(struct rnl_app_ops, urgent) &&
	    ops->urgent != NULL)
		ops->urgent(st, rnl_handle(st, tcb), tcb->ctx, bytes);
}

/* @return whether it was more than waiting for memory. */
static bool tell(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	const struct rnl_app_ops *ops = ops_of(st, tcb);
	bool news = tcb->events != RNL_EV_END;

	TELL(RNL_EV_ACCEPTED, accepted);
	TELL(RNL_EV_CONNECTED, connected);
	if (unlikely(tcb->events & RNL_EV_URGENT)) {
		take(tcb, RNL_EV_URGENT);
		urgent(st, tcb);
	}
	if (take(tcb, RNL_EV_RECEIVED))
		received(st, tcb);
	TELL(RNL_EV_WRITABLE, writable);
	take(tcb, RNL_EV_EOF);
	end_of_stream(st, tcb);
	TELL(RNL_EV_TIMER, timer);
	/* A callback above may have put it on the list again: then it is its turn next time. */
	if ((tcb->events & RNL_EV_END) && !(tcb->flags & RNL_F_ON_EVENTS))
		news |= end(st, tcb);
	return news;
}

static unsigned int releases(struct rnl_stack *st)
{
	rnl_release_fn fn;
	unsigned int n = 0;
	void *arg;

	if (!rnl_zc_pending(&st->core.zc))
		return 0;
	rnl_zc_poll(&st->core.zc);
	while (rnl_zc_next(&st->core.zc, &fn, &arg)) {
		n++;
		if (fn != NULL)
			fn(st, arg);
	}
	return n;
}

/* Those that waited for their memory look again. */
static void unpark(struct rnl_core *core)
{
	uint32_t i = core->parked.head;

	core->parked.head = RNL_NIL;
	while (i != RNL_NIL) {
		struct rnl_tcb *tcb = rnl_core_tcb(core, i);

		i = tcb->next_event;
		rnl_core_append(core, &core->events, tcb);
	}
}

unsigned int rnl_events_run(struct rnl_stack *st)
{
	struct rnl_core *core = &st->core;
	unsigned int n = releases(st);
	uint32_t i;

	if (unlikely(core->parked.head != RNL_NIL))
		unpark(core);
	i = core->events.head;
	core->events.head = RNL_NIL;
	while (i != RNL_NIL) {
		struct rnl_tcb *tcb = rnl_core_tcb(core, i);
		uint32_t next = tcb->next_event;

		tcb->flags &= ~RNL_F_ON_EVENTS;
		n += tell(st, tcb);
		i = next;
	}
	return n;
}

static bool in_table(const struct rnl_stack *st, const struct rnl_tcb *tcb, uint32_t i)
{
	return rnl_flow_find(&st->flow, &tcb->key, rnl_flow_hash(&st->flow, &tcb->key)) == i;
}

bool rnl_events_destroy(struct rnl_stack *st)
{
	struct rnl_core *core = &st->core;
	uint32_t i;

	for (i = 1; i < core->conns.fresh; i++) {
		struct rnl_tcb *tcb = rnl_core_tcb(core, i);

		if (!in_table(st, tcb, i))
			continue;
		if (!(tcb->events & RNL_EV_END))
			rnl_tcb_end(core, tcb, RNL_REASON_DESTROYED);
		else if (tcb->reason == RNL_REASON_NORMAL && unread(tcb))
			tcb->reason = RNL_REASON_DESTROYED;
		rnl_tcb_drop_work(core, tcb);
	}
	/* What waits for the application to let go of memory is at most a poll's worth each time. */
	for (i = 0; i <= core->chunks.used; i++)
		releases(st);
	for (i = 1; i < core->conns.fresh; i++) {
		struct rnl_tcb *tcb = rnl_core_tcb(core, i);

		if (in_table(st, tcb, i))
			end(st, tcb);
	}
	return !rnl_zc_pending(&core->zc);
}
