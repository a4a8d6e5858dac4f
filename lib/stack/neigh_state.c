/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The states of a neighbour (neigh.h) and the packets that wait for it; which octets ask and answer
 * is neigh_arp.c's and neigh_nd.c's. An entry has one timer node; due_us says when its state ends, and
 * rearm() is the only place that sets the node. Floor 4. RFC 4861 7.2, 7.3.
 *
 * DEVIATES RFC 4861 7.3.3: an entry that answers no probe becomes FAILED instead of being deleted,
 * because connections keep its index. It is unusable and resolved anew, which is what deletion is
 * for.
 */
#include <string.h>

#include "base/pkt.h"
#include "stack/neigh_pvt.h"

#define MAX_REACHABLE_MS 3600000u /* MAX_REACHABLE_TIME of routers (RFC 4861 6.2.1) */
/* What a router may ask for: not so short that it floods the link, nor so long that nothing fails. */
#define MIN_RETRANS_MS 100u
#define MAX_RETRANS_MS 60000u
#define AGAIN_US 1000 /* a request or held packets found no room in the transmit queue */

/* ---- held packets --------------------------------------------------------------------------- */

static void drop(struct rnl_neigh *n, struct rte_mbuf *m)
{
	rnl_core_count(n->core, RNL_C_neigh_queue_drop);
	rte_pktmbuf_free(m);
}

static struct rte_mbuf *hold_take(struct rnl_neigh *n, struct rnl_neigh_entry *e)
{
	struct rte_mbuf *m = e->hold[e->hold_first];

	e->hold_first = (uint8_t)((e->hold_first + 1) % RNL_NEIGH_HOLD);
	e->held--;
	n->held--;
	return m;
}

/*
 * The newest packets are worth most: the oldest gives way (RFC 1122 2.3.2.2). All neighbours
 * together hold a bounded number: who sends from addresses that do not exist must not empty the
 * buffer pool.
 */
static bool hold_put(struct rnl_neigh *n, struct rnl_neigh_entry *e, struct rte_mbuf *m)
{
	if (e->held == RNL_NEIGH_HOLD || (n->held == RNL_NEIGH_HOLD_ALL && e->held > 0))
		drop(n, hold_take(n, e));
	if (n->held == RNL_NEIGH_HOLD_ALL) {
		drop(n, m);
		return false;
	}
	e->hold[(e->hold_first + e->held++) % RNL_NEIGH_HOLD] = m;
	n->held++;
	return true;
}

void rnl_neigh_hold_drop(struct rnl_neigh *n, struct rnl_neigh_entry *e)
{
	while (e->held > 0)
		drop(n, hold_take(n, e));
}

/* ---- states --------------------------------------------------------------------------------- */

/* Sets the timer to what the entry waits for: the end of its state, or room for held packets. */
static void rearm(struct rnl_neigh *n, uint32_t idx)
{
	const struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	uint64_t at = e->due_us != 0 && e->state != RNL_NEIGH_FAILED ? e->due_us : UINT64_MAX;

	if (e->held > 0 && e->state >= RNL_NEIGH_STALE)
		at = RTE_MIN(at, n->core->now_us + AGAIN_US);
	if (at == UINT64_MAX)
		rnl_wheel_stop(&n->wheel, idx);
	else
		rnl_wheel_arm(&n->wheel, idx, at);
}

static void enter(struct rnl_neigh *n, uint32_t idx, enum rnl_neigh_state state, uint64_t due_us)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	e->state = (uint8_t)state;
	e->due_us = due_us;
	rearm(n, idx);
}

/* Routers set the timers of IPv6 (RFC 4861 6.3.4). */
static uint32_t reachable_ms(const struct rnl_neigh *n, const struct rnl_neigh_entry *e)
{
	const uint32_t told = n->ports[e->port].reachable_ms;

	return told != 0 && !rnl_addr_is_v4(&e->addr) ? told : n->reachable_ms;
}

static uint32_t retrans_us(const struct rnl_neigh *n, const struct rnl_neigh_entry *e)
{
	const uint32_t told = n->ports[e->port].retrans_us;

	return told != 0 && !rnl_addr_is_v4(&e->addr) ? told : RNL_NEIGH_RETRANS_US;
}

static void enter_reachable(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	const uint32_t base = reachable_ms(n, e);

	/* Between 0.5 and 1.5 of the base, so that hosts do not probe in step (RFC 4861 6.3.2). */
	e->life_ms = base / 2 + rnl_prng_below(&n->core->prng, base) + 1;
	e->confirmed_us = n->core->now_us;
	enter(n, idx, RNL_NEIGH_REACHABLE, e->confirmed_us + e->life_ms * UINT64_C(1000));
}

static void enter_delay(struct rnl_neigh *n, uint32_t idx)
{
	enter(n, idx, RNL_NEIGH_DELAY, n->core->now_us + RNL_NEIGH_DELAY_US);
}

/* The one place that chooses a protocol by family. */
static bool solicit(struct rnl_neigh *n, const struct rnl_neigh_entry *e)
{
	return rnl_addr_is_v4(&e->addr) ? rnl_neigh_arp_solicit(n, e) : rnl_neigh_nd_solicit(n, e);
}

static void fail(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	rnl_core_count(n->core, RNL_C_neigh_failed);
	rnl_neigh_hold_drop(n, e);
	n->router_lost |= e->router; /* RFC 4861 7.3.3: the next hop is determined anew */
	enter(n, idx, RNL_NEIGH_FAILED, n->core->now_us + RNL_NEIGH_RETRANS_US);
	rnl_neigh_sink(n, idx);
}

static void solicit_next(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	if (e->solicits == RNL_NEIGH_SOLICITS) {
		fail(n, idx);
		return;
	}
	/* One that could not be sent is none: a full queue must cost neither a second nor the
	 * entry. */
	if (solicit(n, e)) {
		e->solicits++;
		e->due_us = n->core->now_us + retrans_us(n, e);
	} else {
		e->due_us = n->core->now_us + AGAIN_US;
	}
	rearm(n, idx);
}

static void begin_solicits(struct rnl_neigh *n, uint32_t idx, enum rnl_neigh_state state)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	e->state = (uint8_t)state;
	e->solicits = 0;
	solicit_next(n, idx);
}

static void age(struct rnl_neigh *n, uint32_t idx)
{
	const struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	const uint64_t until = e->confirmed_us + e->life_ms * UINT64_C(1000);

	if (until > n->core->now_us)
		enter(n, idx, RNL_NEIGH_REACHABLE, until);
	else
		enter(n, idx, RNL_NEIGH_STALE, 0);
}

static void timeout(struct rnl_neigh *n, uint32_t idx)
{
	switch (rnl_neigh_at(n, idx)->state) {
	case RNL_NEIGH_INCOMPLETE:
	case RNL_NEIGH_PROBE:
		solicit_next(n, idx);
		break;
	case RNL_NEIGH_DELAY:
		begin_solicits(n, idx, RNL_NEIGH_PROBE);
		break;
	case RNL_NEIGH_REACHABLE:
		age(n, idx);
		break;
	default:
		break;
	}
}

/* Moves held packets to the transmit queue as far as there is room. */
static void flush(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	const struct rnl_txq *q = &n->core->ports[e->port].txq;
	const bool used = e->held > 0;

	while (e->held > 0 && rnl_txq_room(q) > 0) {
		struct rte_mbuf *m = hold_take(n, e);

		if (rnl_neigh_write(n, e, m) == RNL_NEIGH_USABLE)
			rnl_neigh_queue(n, e->port, m);
	}
	if (used && e->state == RNL_NEIGH_STALE)
		enter_delay(n, idx);
	else
		rearm(n, idx);
}

void rnl_neigh_expire(struct rnl_neigh *n)
{
	const uint64_t now = n->core->now_us;
	uint32_t idx;

	rnl_neigh_announce_due(n);
	while ((idx = rnl_wheel_expire(&n->wheel, now)) != RNL_NIL) {
		const struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

		if (e->due_us != 0 && e->due_us <= now)
			timeout(n, idx);
		if (e->state >= RNL_NEIGH_STALE)
			flush(n, idx);
	}
}

uint64_t rnl_neigh_next(const struct rnl_neigh *n)
{
	return RTE_MIN(rnl_wheel_next(&n->wheel), rnl_neigh_announce_next(n));
}

void rnl_neigh_confirm_slow(struct rnl_neigh *n, uint32_t idx)
{
	const uint8_t state = rnl_neigh_at(n, idx)->state;

	if (state == RNL_NEIGH_STALE || state == RNL_NEIGH_DELAY || state == RNL_NEIGH_PROBE)
		enter_reachable(n, idx);
}

/* ---- what the link told --------------------------------------------------------------------- */

static void write_header(const struct rnl_neigh *n, struct rnl_neigh_entry *e, const uint8_t mac[6])
{
	const struct rnl_neigh_port *p = &n->ports[e->port];

	e->hdr_len = (uint8_t)rnl_eth_write(e->hdr, mac, p->mac, p->vlan,
	                                    rnl_addr_is_v4(&e->addr) ? RNL_ETHERTYPE_IPV4
	                                                             : RNL_ETHERTYPE_IPV6);
}

void rnl_neigh_learn(struct rnl_neigh *n, uint32_t idx, const uint8_t mac[6], bool solicited)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	const bool asked = e->state == RNL_NEIGH_INCOMPLETE || e->state == RNL_NEIGH_PROBE;

	if (e->state == RNL_NEIGH_PERMANENT)
		return;
	/* What nobody asked for proves no two-way path: only a change is news (RFC 4861 7.2.5). */
	if (e->state >= RNL_NEIGH_STALE && !(asked && solicited) && memcmp(e->hdr, mac, 6) == 0)
		return;
	write_header(n, e, mac);
	if (asked && solicited)
		enter_reachable(n, idx);
	else
		enter(n, idx, RNL_NEIGH_STALE, 0);
	flush(n, idx);
}

/* Records what an advertisement says that may be believed (RFC 4861 7.2.5, INCOMPLETE and II). */
static void accept(struct rnl_neigh *n, uint32_t idx, const struct rnl_neigh_told *told)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	const bool known = e->state >= RNL_NEIGH_STALE;
	const bool changed = told->mac != NULL && (!known || memcmp(e->hdr, told->mac, 6) != 0);

	if (changed)
		write_header(n, e, told->mac);
	if (told->solicited)
		enter_reachable(n, idx);
	else if (changed)
		enter(n, idx, RNL_NEIGH_STALE, 0);
	n->router_lost |= e->router && !told->router;
	e->router = told->router;
	if (changed)
		flush(n, idx);
}

/* FAILED stands for an entry that was deleted: it learns as one that is being resolved does. */
void rnl_neigh_hear(struct rnl_neigh *n, uint32_t idx, const struct rnl_neigh_told *told)
{
	const struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	const bool known = e->state >= RNL_NEIGH_STALE;
	const bool differs = told->mac != NULL && known && memcmp(e->hdr, told->mac, 6) != 0;

	if (e->state == RNL_NEIGH_PERMANENT || (!known && told->mac == NULL))
		return;
	if (!told->override && differs) {
		if (e->state == RNL_NEIGH_REACHABLE)
			enter(n, idx, RNL_NEIGH_STALE, 0);
		return;
	}
	accept(n, idx, told);
}

void rnl_neigh_timers_set(struct rnl_neigh *n, unsigned int port, uint32_t reachable_ms,
                          uint32_t retrans_ms)
{
	struct rnl_neigh_port *p = &n->ports[port];

	if (reachable_ms != 0)
		p->reachable_ms = RTE_MIN(reachable_ms, MAX_REACHABLE_MS);
	if (retrans_ms != 0)
		p->retrans_us = RTE_MAX(RTE_MIN(retrans_ms, MAX_RETRANS_MS), MIN_RETRANS_MS) * 1000;
}

void rnl_neigh_fix(struct rnl_neigh *n, uint32_t idx, const uint8_t mac[6])
{
	write_header(n, rnl_neigh_at(n, idx), mac);
	enter(n, idx, RNL_NEIGH_PERMANENT, 0);
	flush(n, idx);
}

/* ---- packets -------------------------------------------------------------------------------- */

enum rnl_neigh_verdict rnl_neigh_write(struct rnl_neigh *n, const struct rnl_neigh_entry *e,
                                       struct rte_mbuf *m)
{
	char *p = rte_pktmbuf_prepend(m, e->hdr_len);

	if (unlikely(p == NULL)) {
		drop(n, m);
		return RNL_NEIGH_DROPPED;
	}
	if (likely(e->hdr_len == 14))
		memcpy(p, e->hdr, 14);
	else
		memcpy(p, e->hdr, e->hdr_len);
	m->l2_len = e->hdr_len;
	return RNL_NEIGH_USABLE;
}

enum rnl_neigh_verdict rnl_neigh_output_slow(struct rnl_neigh *n, uint32_t idx, struct rte_mbuf *m)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	bool held;

	switch (e->state) {
	case RNL_NEIGH_STALE:
		enter_delay(n, idx);
		return rnl_neigh_write(n, e, m);
	case RNL_NEIGH_INCOMPLETE:
		break;
	case RNL_NEIGH_FAILED:
		if (n->core->now_us < e->due_us) {
			drop(n, m);
			return RNL_NEIGH_DROPPED;
		}
		break;
	case RNL_NEIGH_NEW:
		break;
	default: /* FREE: the caller kept an index without a reference */
		drop(n, m);
		return RNL_NEIGH_DROPPED;
	}
	/* Held first: the solicitation comes from its source (RFC 4861 7.2.2). */
	held = hold_put(n, e, m);
	if (e->state != RNL_NEIGH_INCOMPLETE)
		begin_solicits(n, idx, RNL_NEIGH_INCOMPLETE);
	return held ? RNL_NEIGH_HELD : RNL_NEIGH_DROPPED;
}

void rnl_neigh_queue(struct rnl_neigh *n, unsigned int port, struct rte_mbuf *m)
{
	struct rnl_txq *q = &n->core->ports[port].txq;

	rnl_txq_put(q, m, 0);
	q->ring[(q->tail - 1) & q->mask].ready = 1;
}
