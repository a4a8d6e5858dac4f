/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The iteration: the order of the stages, and nothing else. The clock is read once, by the caller.
 * Floor 4.
 */
#include <errno.h>

#include "stack/stack.h"

#define POSTS_PER_POLL 32
#define EXPIRES_PER_POLL 1024
#define RELEASE_US 10000 /* how soon to ask whether zero-copy memory is still read */
#define STUCK_US 100 /* how soon to ask a full port or an empty pool again */

void rnl_poll_clock(struct rnl_stack *st, uint64_t now_ns)
{
	st->now_ns = now_ns;
	st->core.now_us = now_ns / 1000;
	st->core.now_ms = (uint32_t)(st->core.now_us / 1000);
}

static unsigned int posted(struct rnl_stack *st)
{
	struct rnl_posted call;
	unsigned int n = 0;

	while (n < POSTS_PER_POLL &&
	       rte_ring_dequeue_elem(st->post, &call, sizeof(call)) == 0) {
		call.fn(st, call.arg);
		n++;
	}
	return n;
}

static unsigned int receive(struct rnl_stack *st)
{
	unsigned int i, total = 0;
	uint16_t n;

	for (i = 0; i < st->nports; i++) {
		n = st->ports[i].ops->rx(st->ports[i].ctx, st->rx, st->burst);
		if (n > 0)
			rnl_receive_burst(st, i, st->rx, n);
		total += n;
	}
	n = st->in_count;
	if (unlikely(n > 0)) {
		st->in_count = 0;
		for (i = 0; i < n; i++)
			rnl_receive_burst(st, st->in_port[i], &st->in[i], 1);
		total += n;
	}
	return total;
}

static unsigned int stack_timers(struct rnl_stack *st)
{
	unsigned int n = 0;
	uint32_t i;

	while (n < EXPIRES_PER_POLL &&
	       (i = rnl_wheel_expire(&st->timer_wheel, st->core.now_us)) != RNL_NIL) {
		struct rnl_stack_timer *t = rnl_pool_at(&st->timers, i);
		rnl_timer_fn fn = t->fn;
		void *arg = t->arg;

		t->gen++;
		rnl_pool_put(&st->timers, i);
		fn(st, arg);
		n++;
	}
	return n;
}

/* The neighbour on the way answers nothing: a connection that never began ends sooner. */
static void conn_due(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	rnl_tcp_expire(&st->core, tcb);
	if (tcb->state == RNL_SYN_SENT &&
	    rnl_neigh_at(&st->neigh, tcb->nexthop)->state == RNL_NEIGH_FAILED)
		rnl_tcb_end(&st->core, tcb, RNL_REASON_UNREACHABLE);
}

static void ip6_due(struct rnl_stack *st)
{
	rnl_ip6_expire(&st->ip6);
	if (!st->ip6.rehome || st->ip6.rehome_us > st->core.now_us)
		return;
	st->ip6.rehome = false;
	st->ip6.rehomed_us = st->core.now_us;
	rnl_rehome_run(st);
}

static unsigned int timers(struct rnl_stack *st)
{
	struct rnl_core *core = &st->core;
	unsigned int n = 0;
	uint32_t i;

	while (n < EXPIRES_PER_POLL &&
	       (i = rnl_wheel_expire(&core->conn_wheel, core->now_us)) != RNL_NIL) {
		conn_due(st, rnl_core_tcb(core, i));
		n++;
	}
	while (n < EXPIRES_PER_POLL &&
	       (i = rnl_wheel_expire(&core->mini_wheel, core->now_us)) != RNL_NIL) {
		rnl_passive_expire(st, i);
		n++;
	}
	rnl_neigh_expire(&st->neigh);
	if (unlikely(rnl_ip6_due(&st->ip6)))
		ip6_due(st);
	if (unlikely(rnl_fragments_due(&st->fragments)))
		rnl_fragments_expire(&st->fragments);
	return n + stack_timers(st);
}

/* RFC 9293 3.10.7.4 (MUST-59). */
unsigned int rnl_poll(struct rnl_stack *st, uint64_t now_ns)
{
	unsigned int n;

	rnl_poll_clock(st, now_ns);
	n = posted(st);
	n += receive(st);
	n += timers(st);
	n += rnl_events_run(st);
	if (unlikely(rnl_pressure_over(&st->core)))
		rnl_pressure_relieve(&st->core);
	n += rnl_transmit_output(st);
	n += rnl_transmit_drain(st);
	if (unlikely(st->core.now_us >= st->report_at_us))
		rnl_log_report(st);
	return n;
}

/* Something that the next iteration will do. */
static bool unfinished(const struct rnl_stack *st)
{
	return st->core.events.head != RNL_NIL || rnl_pressure_over(&st->core) || st->in_count > 0 || !rte_ring_empty(st->post);
}

/* Something waits for a port or a pool: it comes back in its own time. */
static bool stuck(const struct rnl_stack *st)
{
	const struct rnl_core *core = &st->core;
	unsigned int i;

	if (core->output.head != RNL_NIL)
		return true;
	for (i = 0; i < st->nports; i++) {
		if (rnl_txq_count(&core->ports[i].txq) > 0)
			return true;
	}
	return false;
}

uint64_t rnl_next_deadline(const struct rnl_stack *st)
{
	const struct rnl_core *core = &st->core;
	uint64_t at = rnl_wheel_next(&core->conn_wheel);

	if (unfinished(st))
		return st->now_ns + 1000;
	at = RTE_MIN(at, rnl_wheel_next(&core->mini_wheel));
	at = RTE_MIN(at, rnl_wheel_next(&st->timer_wheel));
	at = RTE_MIN(at, rnl_neigh_next(&st->neigh));
	at = RTE_MIN(at, rnl_ip6_next(&st->ip6));
	at = RTE_MIN(at, st->fragments.due_us);
	if (stuck(st))
		at = RTE_MIN(at, core->now_us + STUCK_US);
	if (rnl_zc_pending(&core->zc))
		at = RTE_MIN(at, core->now_us + RELEASE_US);
	return at == UINT64_MAX ? UINT64_MAX : at * 1000;
}

uint16_t rnl_input(struct rnl_stack *st, unsigned int port, struct rte_mbuf **m, uint16_t n)
{
	uint16_t i;

	if (port >= st->nports)
		return 0;
	for (i = 0; i < n && st->in_count < RNL_BURST_MAX; i++) {
		st->in_port[st->in_count] = (uint8_t)port;
		st->in[st->in_count++] = m[i];
	}
	return i;
}

int rnl_post(struct rnl_stack *st, void (*fn)(struct rnl_stack *st, void *arg), void *arg)
{
	struct rnl_posted call = {.fn = fn, .arg = arg};

	return rte_ring_enqueue_elem(st->post, &call, sizeof(call)) == 0 ? 0 : -ENOSPC;
}
