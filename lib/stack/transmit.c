/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the last two stages: connections send what they may, and the transmit queues go to the ports.
 * Floor 4.
 */
#include "stack/stack.h"

/* So many in a row could not send: the others will not either, until a port or a pool has room. */
#define STUCK_MAX 64

/* Puts those that had no turn in front of those that could not send. */
static void rejoin(struct rnl_core *core, uint32_t first, uint32_t last)
{
	if (core->output.head == RNL_NIL)
		core->output.tail = last;
	else
		rnl_core_tcb(core, last)->next_output = core->output.head;
	core->output.head = first;
}

unsigned int rnl_transmit_output(struct rnl_stack *st)
{
	struct rnl_core *core = &st->core;
	uint32_t i = core->output.head, last = core->output.tail;
	unsigned int n = 0, stuck = 0;

	core->output.head = RNL_NIL;
	while (i != RNL_NIL && stuck < STUCK_MAX) {
		struct rnl_tcb *tcb = rnl_core_tcb(core, i);
		uint32_t next = tcb->next_output;

		tcb->flags &= ~RNL_F_ON_OUTPUT;
		if (unlikely(tcb->flags & RNL_F_DEAD)) {
			rnl_events_free(st, tcb);
		} else if (likely(rnl_tcp_output(core, tcb))) {
			stuck = 0;
			n++;
		} else {
			stuck++;
			rnl_core_output(core, tcb);
		}
		i = next;
	}
	if (unlikely(i != RNL_NIL))
		rejoin(core, i, last);
	return n;
}

/* Gets up to `max` packets from the head of the queue ready; *span is how many places they take. */
static unsigned int ready(struct rnl_stack *st, struct rnl_txq *q, struct rte_mbuf **m,
			  unsigned int max)
{
	unsigned int n = 0;
	uint32_t i;

	for (i = q->head; i != q->tail && n < max; i++) {
		struct rnl_txitem *item = &q->ring[i & q->mask];

		if (!item->ready &&
		    rnl_neigh_output(&st->neigh, item->nexthop, item->m) != RNL_NEIGH_USABLE) {
			/* Held or dropped: the packets before it move up into its place. */
			uint32_t j;

			for (j = i; j != q->head; j--)
				q->ring[j & q->mask] = q->ring[(j - 1) & q->mask];
			q->head++;
			continue;
		}
		item->ready = 1;
		m[n++] = item->m;
	}
	return n;
}

static unsigned int drain_port(struct rnl_stack *st, unsigned int port)
{
	const struct rnl_stack_port *p = &st->ports[port];
	struct rnl_txq *q = &st->core.ports[port].txq;
	struct rte_mbuf *m[RNL_BURST_MAX];
	unsigned int sent = 0;

	while (rnl_txq_count(q) > 0) {
		unsigned int n = ready(st, q, m, st->burst);
		uint64_t bytes = 0;
		unsigned int i;
		uint16_t took;

		for (i = 0; i < n; i++)
			bytes += m[i]->pkt_len;
		took = n > 0 ? p->ops->tx(p->ctx, m, (uint16_t)n) : 0;
		q->head += took;
		sent += took;
		rnl_count_n(&st->core.counters, RNL_C_tx_packets, took);
		if (took < n) {
			/* The port is full: not a drop, not a loss signal. Its octets are counted when they go. */
			rnl_core_count(&st->core, RNL_C_tx_full);
			for (i = took; i < n; i++)
				bytes -= m[i]->pkt_len;
		}
		rnl_count_n(&st->core.counters, RNL_C_tx_bytes, bytes);
		if (took < n)
			break;
	}
	return sent;
}

unsigned int rnl_transmit_drain(struct rnl_stack *st)
{
	unsigned int i, sent = 0;

	for (i = 0; i < st->nports; i++)
		sent += drain_port(st, i);
	return sent;
}
