/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out-of-order data: disjoint runs of sequence space, each a chain of packet buffers, sorted.
 * First copy wins: what is already there is never overwritten (consistent under overlaps). Work per
 * segment is bounded by RNL_REASM_MAX_RUNS. Counts the true buffers that it holds.
 * Floor 2. RFC 9293 3.10.7.4 (SHLD-31).
 */
#ifndef RNL_ALGO_REASM_H
#define RNL_ALGO_REASM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

struct rte_mbuf;

#define RNL_REASM_MAX_RUNS 128

/** One run; lives in the worker's pool (the same as rnl_range: its size is asserted). */
struct rnl_run {
	uint32_t seq, end;          /* [seq, end) */
	uint32_t next, prev;        /* by sequence; `next` links free runs */
	struct rte_mbuf *head, *tail; /* segments of the chain, payload only */
	uint32_t bufs;              /* segments in the chain */
	uint32_t stamp;             /* higher: a segment for it came later (the order of SACK blocks) */
};

/** A connection's runs. All zero: empty. */
struct rnl_reasm {
	uint32_t head, tail;
	uint32_t runs;
	uint32_t bytes; /* octets held */
	uint32_t bufs;  /* buffers held */
	uint32_t stamp;
};

/**
 * Adds a packet: m's data is exactly the payload of [seq, seq + pkt_len). Takes m in every case. Of a
 * packet that would fill several gaps, the first gap gets its octets; the peer sends the others again.
 * @return octets that were added: 0 when all had been there, negative errno when it was dropped
 * (-ENOBUFS: no record free, too many runs or too many buffers).
 */
int rnl_reasm_add(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t seq, struct rte_mbuf *m);
/**
 * Takes the data that begins at or before rcv_nxt, without what is before it.
 * @return a chain (nb_segs, pkt_len set) or NULL; *bytes its length.
 */
struct rte_mbuf *rnl_reasm_take(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t rcv_nxt,
				uint32_t *bytes);
/** Drops the run that is farthest from rcv_nxt. @return buffers freed. */
uint32_t rnl_reasm_drop_last(struct rnl_reasm *r, struct rnl_pool *pool);
/** Frees everything. */
void rnl_reasm_clear(struct rnl_reasm *r, struct rnl_pool *pool);
/** Verifies every invariant. @return NULL, or which one is broken. */
const char *rnl_reasm_check(const struct rnl_reasm *r, const struct rnl_pool *pool);

static inline bool rnl_reasm_empty(const struct rnl_reasm *r)
{
	return r->head == RNL_NIL;
}

#endif /* RNL_ALGO_REASM_H */
