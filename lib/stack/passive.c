/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns segments that meet no full connection: SYNs for listeners, half-open and TIME-WAIT blocks,
 * and those for nobody; and when a SYN cookie takes a half-open block's place. Floor 4.
 * RFC 9293 3.10.7.1, 3.10.7.2, 3.9.2.3; RFC 4987 3.6; RFC 6191; RFC 7413 4.2.2.
 */
#include <errno.h>

#include "algo/cookie.h"
#include "algo/isn.h"
#include "stack/stack.h"
#include "tcp/fastopen.h"
#include "wire/ip.h"

static uint32_t mini_hash(const struct rnl_stack *st, const struct rnl_mini *mini)
{
	return rnl_flow_hash(&st->flow, &mini->key);
}

static void leave_backlog(struct rnl_stack *st, const struct rnl_mini *mini)
{
	struct rnl_listener *l;

	if (mini->state != RNL_SYN_RECEIVED)
		return;
	l = rnl_listen_get(&st->listeners, mini->listener);
	if (l != NULL)
		l->half_open--;
}

void rnl_passive_drop(struct rnl_stack *st, uint32_t i)
{
	struct rnl_core *core = &st->core;
	struct rnl_mini *mini = rnl_core_mini(core, i);

	if (mini->state == RNL_TIME_WAIT)
		rnl_timewait_unlist(core, mini);
	rnl_tcb_count_transition(core, mini->state,
				 mini->state == RNL_TIME_WAIT ? RNL_CLOSED : RNL_LISTEN);
	leave_backlog(st, mini);
	rnl_wheel_stop(&core->mini_wheel, i);
	rnl_flow_remove(&st->flow, mini_hash(st, mini), i | RNL_FLOW_MINI);
	rnl_neigh_put(&st->neigh, mini->nexthop);
	rnl_policy_put(st, mini->policy);
	mini->state = 0;
	rnl_pool_put(&core->minis, i);
}

/*
 * DEVIATES RFC 9293 3.6.1 (MUST-13): when no block is free, the connection that has been in TIME-WAIT
 * for the longest time gives way; serving new ones matters more than guarding against its segments.
 */
uint32_t rnl_passive_get(struct rnl_stack *st)
{
	struct rnl_core *core = &st->core;
	uint32_t i = rnl_pool_get(&core->minis);

	if (likely(i != RNL_NIL))
		return i;
	rnl_core_count(core, RNL_C_pool_minis_empty);
	if (core->time_wait.head == RNL_NIL)
		return RNL_NIL;
	rnl_core_count(core, RNL_C_tcp_time_wait_recycled);
	rnl_passive_drop(st, core->time_wait.head);
	return rnl_pool_get(&core->minis);
}

void rnl_passive_forget(struct rnl_stack *st, rnl_listener_t id)
{
	uint32_t i;

	for (i = 1; i < st->core.minis.fresh; i++) {
		const struct rnl_mini *mini = rnl_core_mini(&st->core, i);

		if (mini->state == RNL_SYN_RECEIVED && mini->listener == id)
			rnl_passive_drop(st, i);
	}
}

/* The next hop back to a segment's source, with a reference. @return its index, or negative errno. */
static int way_back(struct rnl_stack *st, const struct rnl_seg *seg)
{
	struct rnl_addr next;
	unsigned int port;
	int ret = rnl_route_back(&st->routes, seg->port, &seg->key.raddr, &port, &next);

	if (ret == 0)
		ret = rnl_neigh_get(&st->neigh, port, &next);
	if (ret < 0)
		rnl_core_count(&st->core, RNL_C_tx_no_route);
	return ret;
}

static void reset(struct rnl_stack *st, const struct rnl_seg *seg)
{
	int hop;

	if (seg->flags & RNL_TH_RST)
		return;
	hop = way_back(st, seg);
	if (hop < 0)
		return;
	rnl_emit_reset(&st->core, seg, (uint16_t)hop);
	rnl_neigh_put(&st->neigh, (uint32_t)hop);
}

/* RFC 9293 3.9.2.3 (MUST-57, MUST-63): nobody may talk from, or to, such an address. */
static enum rnl_counter misaddressed(const struct rnl_stack *st, const struct rnl_seg *seg)
{
	if (rnl_addr_is_multicast(&seg->key.laddr) ||
	    rnl_addr_is_limited_broadcast(&seg->key.laddr) ||
	    rnl_route_is_broadcast(&st->routes, &seg->key.laddr))
		return RNL_C_ip_rx_broadcast;
	if (!rnl_route_is_local(&st->routes, &seg->key.laddr))
		return RNL_C_ip_rx_other_address;
	if (rnl_addr_is_unspecified(&seg->key.raddr) ||
	    rnl_route_is_local(&st->routes, &seg->key.raddr) ||
	    rnl_route_is_broadcast(&st->routes, &seg->key.raddr))
		return RNL_C_ip_rx_bad_source;
	return RNL_C_ok;
}

/* Does the application want this peer? */
static bool admitted(struct rnl_stack *st, const struct rnl_listener *l, const struct rnl_seg *seg)
{
	const struct rnl_app_ops *ops = st->core.policies[l->policy].ops;
	rnl_listener_t id = l->id;

	if (ops->admit != NULL && !ops->admit(st, l->ctx, &seg->key)) {
		rnl_core_count(&st->core, RNL_C_tcp_syn_not_admitted);
		reset(st, seg);
		return false;
	}
	return rnl_listen_get(&st->listeners, id) == l; /* `admit` may have stopped it */
}

static enum rnl_syncookies way_of(const struct rnl_stack *st, const struct rnl_listener *l)
{
	return l->syncookies != RNL_SYNCOOKIES_DEFAULT ? l->syncookies : st->cfg.syncookies;
}

/* RFC 4987 3.6: what finds no room is answered all the same. From now on ACKs may bring cookies back;
 * at all other times nobody can try to guess one (RFC 4987 appendix A, "last overflow time"). */
static void send_cookie(struct rnl_stack *st, struct rnl_listener *l, const struct rnl_seg *seg,
			uint16_t hop)
{
	if (rnl_syncookie_send(&st->core, seg, l->policy, hop))
		l->cookies_until_us = st->core.now_us + RNL_COOKIE_VALID_US;
}

/* Keeps a half-open connection. @return false: no block is free. Takes the reference to hop.
 * RFC 9293 3.9.1.1 (MUST-42). */
static bool keep_half_open(struct rnl_stack *st, struct rnl_listener *l, const struct rnl_seg *seg,
			   uint16_t hop)
{
	struct rnl_core *core = &st->core;
	uint32_t i = rnl_passive_get(st);
	struct rnl_mini *mini;

	if (i == RNL_NIL)
		return false;
	mini = rnl_core_mini(core, i);
	memset(mini, 0, sizeof(*mini));
	if (rnl_flow_insert(&st->flow, seg->hash, i | RNL_FLOW_MINI) < 0) {
		rnl_core_count(core, RNL_C_flow_table_full);
		rnl_pool_put(&core->minis, i);
		return false;
	}
	mini->listener = l->id;
	l->half_open++;
	rnl_policy_ref(st, l->policy);
	rnl_handshake_syn(core, mini, seg, l->policy, hop);
	return true;
}

/* Makes a connection of a half-open block. @return its index, RNL_NIL: none is free; counted. */
static uint32_t adopt(struct rnl_stack *st, const struct rnl_listener *l,
		      const struct rnl_mini *mini)
{
	struct rnl_core *core = &st->core;
	uint32_t c = rnl_pool_get(&core->conns);
	struct rnl_tcb *tcb;

	if (c == RNL_NIL) {
		rnl_core_count(core, RNL_C_pool_conns_empty);
		rnl_core_count(core, RNL_C_tcp_promote_failed);
		return RNL_NIL;
	}
	tcb = rnl_core_tcb(core, c);
	rnl_tcb_init(core, tcb, &mini->key, mini->policy, mini->nexthop);
	if (tcb->gen == 0)
		rnl_handle_retire(tcb);
	tcb->ctx = l->ctx;
	return c;
}

/* As adopt(), for a tuple that is not in the flow table. Takes the reference to the next hop.
 * @return NULL: no room; counted. */
static struct rnl_tcb *install(struct rnl_stack *st, const struct rnl_listener *l,
			       const struct rnl_mini *mini, const struct rnl_seg *seg)
{
	struct rnl_core *core = &st->core;
	uint32_t c = adopt(st, l, mini);

	if (c == RNL_NIL)
		return NULL;
	if (rnl_flow_insert(&st->flow, seg->hash, c) < 0) {
		rnl_core_count(core, RNL_C_flow_table_full);
		rnl_pool_put(&core->conns, c);
		return NULL;
	}
	rnl_policy_ref(st, l->policy);
	return rnl_core_tcb(core, c);
}

_Static_assert(RNL_FASTOPEN_SLOTS == RNL_LISTEN_MAX, "a slot for each listener");

/*
 * RFC 7413 4.2.2: the connection begins with the SYN. ECN is left out: nobody could tell of marks before
 * the handshake is complete. @return false: there is no memory, a half-open block must do.
 */
static bool fast_open(struct rnl_stack *st, const struct rnl_listener *l, struct rnl_seg *seg,
		      uint16_t hop, bool *taken)
{
	struct rnl_core *core = &st->core;
	struct rnl_mini mini = {0};
	struct rnl_tcb *tcb = NULL;

	rnl_handshake_offer(core, &mini, seg, l->policy, hop);
	mini.flags &= (uint8_t)~(RNL_MINI_ECN | RNL_MINI_ACCECN);
	mini.listener = l->id;
	mini.snd_nxt = rnl_isn(&seg->key, core->secrets.isn, core->now_us) + 1;
	if (rnl_pool_avail(&core->works) > 0)
		tcb = install(st, l, &mini, seg);
	if (tcb == NULL) {
		rnl_core_count(core, RNL_C_tcp_fastopen_no_memory);
		return false;
	}
	*taken = rnl_fastopen_accept(core, tcb, &mini, seg);
	return true;
}

/* Keeps a connection, of which kind ever. @return false: no block is free. Takes the reference to hop. */
static bool keep(struct rnl_stack *st, struct rnl_listener *l, struct rnl_seg *seg, uint16_t hop,
		 bool *taken)
{
	if (unlikely(seg->opt.has & RNL_OPT_TFO) &&
	    rnl_fastopen_judge(&st->core, l->id, l->fastopen, seg) &&
	    fast_open(st, l, seg, hop, taken))
		return true;
	return keep_half_open(st, l, seg, hop);
}

/* RFC 9293 3.10.7.2, third check. Data and FIN on the SYN are not taken, but by Fast Open: the peer
 * sends them again. @return whether seg->m was taken. */
static bool syn(struct rnl_stack *st, struct rnl_listener *l, struct rnl_seg *seg)
{
	enum rnl_syncookies way = way_of(st, l);
	struct rnl_core *core = &st->core;
	bool full = l->half_open >= l->backlog;
	bool taken = false;
	int hop;

	rnl_core_count(core, RNL_C_tcp_syn_received);
	if (full && way == RNL_SYNCOOKIES_NEVER) {
		rnl_core_count(core, RNL_C_tcp_syn_dropped_backlog);
		return false;
	}
	if (!admitted(st, l, seg))
		return false;
	hop = way_back(st, seg);
	if (hop < 0)
		return false;
	if (!full && way != RNL_SYNCOOKIES_ALWAYS && keep(st, l, seg, (uint16_t)hop, &taken))
		return taken;
	if (way != RNL_SYNCOOKIES_NEVER)
		send_cookie(st, l, seg, (uint16_t)hop);
	else
		rnl_core_count(core, RNL_C_tcp_syn_dropped_memory);
	rnl_neigh_put(&st->neigh, (uint32_t)hop);
	return false;
}

/* A cookie came back: the connection begins. What cannot be kept now is acknowledged again by the
 * peer's next segment, if there is one. @return whether seg->m was taken. */
static bool finish_cookie(struct rnl_stack *st, struct rnl_listener *l, struct rnl_mini *mini,
			  struct rnl_seg *seg)
{
	struct rnl_core *core = &st->core;
	struct rnl_tcb *tcb;
	int hop;

	if (!admitted(st, l, seg))
		return false;
	hop = way_back(st, seg);
	if (hop < 0)
		return false;
	mini->nexthop = (uint16_t)hop;
	tcb = install(st, l, mini, seg);
	if (tcb == NULL) {
		rnl_neigh_put(&st->neigh, (uint32_t)hop);
		return false;
	}
	rnl_core_count(core, RNL_C_tcp_syncookies_received);
	rnl_tcb_count_transition(core, RNL_LISTEN, RNL_SYN_RECEIVED);
	rnl_handshake_promote(core, tcb, mini, seg);
	rnl_tcp_input(core, tcb, seg);
	return true;
}

/* RFC 9293 3.10.7.2, second check: an ACK is answered with RST, unless it brings a cookie.
 * @return whether seg->m was taken. */
static bool acked(struct rnl_stack *st, struct rnl_listener *l, struct rnl_seg *seg)
{
	struct rnl_mini mini;

	if (st->core.now_us < l->cookies_until_us && !(seg->flags & RNL_TH_SYN)) {
		switch (rnl_syncookie_check(&st->core, seg, l->policy, &mini)) {
		case RNL_SYNCOOKIE_GOOD:
			return finish_cookie(st, l, &mini, seg);
		case RNL_SYNCOOKIE_EARLY:
			return false;
		case RNL_SYNCOOKIE_BAD:
			break;
		}
	}
	reset(st, seg);
	return false;
}

/* RFC 9293 3.10.7.2: LISTEN. @return whether seg->m was taken. RFC 9293 3.9.1.1 (MUST-41). */
static bool listening(struct rnl_stack *st, struct rnl_listener *l, struct rnl_seg *seg)
{
	if (seg->flags & RNL_TH_RST)
		rnl_core_count(&st->core, RNL_C_tcp_rx_no_connection);
	else if (seg->flags & RNL_TH_ACK)
		return acked(st, l, seg);
	else if (seg->flags & RNL_TH_SYN)
		return syn(st, l, seg);
	else
		rnl_core_count(&st->core, RNL_C_tcp_rx_no_connection);
	return false;
}

void rnl_passive_miss(struct rnl_stack *st, struct rnl_seg *seg)
{
	enum rnl_counter why = misaddressed(st, seg);
	struct rnl_listener *l;

	if (why == RNL_C_ip_rx_other_address && st->cfg.unclaimed != NULL &&
	    st->cfg.unclaimed(st->cfg.unclaimed_ctx, st, seg->port, seg->m)) {
		rnl_core_count(&st->core, RNL_C_rx_unclaimed);
		return;
	}
	if (why != RNL_C_ok) {
		rnl_core_count(&st->core, why);
		goto out;
	}
	l = rnl_listen_find(&st->listeners, &seg->key.laddr, seg->key.lport);
	if (l != NULL) {
		if (listening(st, l, seg))
			return;
		goto out;
	}
	rnl_core_count(&st->core, RNL_C_tcp_rx_no_connection);
	reset(st, seg); /* RFC 9293 3.10.7.1 */
out:
	rte_pktmbuf_free(seg->m);
}

/* The handshake is complete: the mini block becomes a connection. Takes seg->m. */
static void promote(struct rnl_stack *st, uint32_t i, struct rnl_seg *seg)
{
	struct rnl_core *core = &st->core;
	struct rnl_mini *mini = rnl_core_mini(core, i);
	struct rnl_listener *l = rnl_listen_get(&st->listeners, mini->listener);
	uint32_t c = adopt(st, l, mini);
	struct rnl_tcb *tcb;

	if (c == RNL_NIL) { /* the block stays: the peer tries again */
		rte_pktmbuf_free(seg->m);
		return;
	}
	tcb = rnl_core_tcb(core, c);
	leave_backlog(st, mini);
	rnl_wheel_stop(&core->mini_wheel, i);
	rnl_flow_replace(&st->flow, seg->hash, i | RNL_FLOW_MINI, c);
	rnl_handshake_promote(core, tcb, mini, seg);
	mini->state = 0;
	rnl_pool_put(&core->minis, i);
	rnl_tcp_input(core, tcb, seg);
}

/* RFC 6191 2, RFC 9293 3.6.1 (MAY-2): a new incarnation, if somebody still listens. Its block is there
 * and knows which ISN lies behind the old ones: neither the backlog nor a cookie has a say. */
static bool restart(struct rnl_stack *st, struct rnl_mini *mini, struct rnl_seg *seg)
{
	struct rnl_listener *l =
	    rnl_listen_find(&st->listeners, &seg->key.laddr, seg->key.lport);
	uint16_t old = mini->policy;

	if (l == NULL)
		return false;
	rnl_core_count(&st->core, RNL_C_tcp_syn_received);
	if (!admitted(st, l, seg))
		return true;
	rnl_core_count(&st->core, RNL_C_tcp_time_wait_reused);
	seg->opt.has &= (uint16_t)~RNL_OPT_TFO;
	rnl_timewait_unlist(&st->core, mini);
	mini->listener = l->id;
	l->half_open++;
	rnl_policy_ref(st, l->policy);
	rnl_handshake_syn(&st->core, mini, seg, l->policy, mini->nexthop);
	rnl_policy_put(st, old);
	return true;
}

void rnl_passive_mini(struct rnl_stack *st, uint32_t i, struct rnl_seg *seg)
{
	struct rnl_mini *mini = rnl_core_mini(&st->core, i);
	enum rnl_mini_verdict v = mini->state == RNL_TIME_WAIT
				      ? rnl_timewait_input(&st->core, mini, seg)
				      : rnl_handshake_mini(&st->core, mini, seg);

	switch (v) {
	case RNL_MINI_PROMOTE:
		promote(st, i, seg);
		return;
	case RNL_MINI_RESTART:
		if (!restart(st, mini, seg) && rnl_emit_mini(&st->core, mini, false))
			rnl_core_count(&st->core, RNL_C_tcp_time_wait_acks);
		break;
	case RNL_MINI_DROP:
		rnl_passive_drop(st, i);
		break;
	case RNL_MINI_KEEP:
		break;
	}
	rte_pktmbuf_free(seg->m);
}

void rnl_passive_expire(struct rnl_stack *st, uint32_t i)
{
	struct rnl_mini *mini = rnl_core_mini(&st->core, i);

	if (mini->state == RNL_TIME_WAIT)
		rnl_core_count(&st->core, RNL_C_tcp_time_wait_expired);
	else if (rnl_handshake_mini_expire(&st->core, mini))
		return;
	rnl_passive_drop(st, i);
}
