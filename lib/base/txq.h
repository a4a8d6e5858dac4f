/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that wait for a port, in order: TCP puts L3 packets in with the next hop they need, floor 4
 * resolves, writes the link header and drains. Full is a state, not a drop: the sender stops.
 * Floor 0.
 */
#ifndef RNL_BASE_TXQ_H
#define RNL_BASE_TXQ_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

struct rnl_txitem {
	struct rte_mbuf *m;
	uint32_t nexthop;
	uint32_t ready; /* link header written: only the port is waited for */
};

struct rnl_txq {
	struct rnl_txitem *ring;
	uint32_t mask;
	uint32_t head; /* next to send; free-running */
	uint32_t tail; /* next free; free-running */
};

static inline uint32_t rnl_txq_count(const struct rnl_txq *q)
{
	return q->tail - q->head;
}

static inline uint32_t rnl_txq_room(const struct rnl_txq *q)
{
	return q->mask + 1 - (q->tail - q->head);
}

/** Appends; the caller has seen room. */
static inline void rnl_txq_put(struct rnl_txq *q, struct rte_mbuf *m, uint32_t nexthop)
{
	q->ring[q->tail++ & q->mask] = (struct rnl_txitem){.m = m, .nexthop = nexthop};
}

#endif /* RNL_BASE_TXQ_H */
