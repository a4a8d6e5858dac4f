/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out-of-order data: disjoint runs of sequence space, each a chain of packet buffers, sorted.
 * First copy wins: what is already there is never overwritten (consistent under overlaps). Work per
 * segment is bounded by RNL_REASM_MAX_RUNS. Counts the true buffers that it holds. Knows which runs
 * changed last, for SACK. Floor 2. RFC 9293 3.10.7.4 (SHLD-31), RFC 2018 4, RFC 2883 4.
 */
#ifndef RNL_ALGO_REASM_H
#define RNL_ALGO_REASM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "wire/seg.h"

struct rte_mbuf;

#define RNL_REASM_MAX_RUNS 128

/** One run; lives in the worker's pool (the same as rnl_range: its size is asserted). */
struct rnl_run {
	uint32_t seq, end;          /* [seq, end) */
	uint32_t next, prev;        /* by sequence; `next` links free runs */
	struct rte_mbuf *head, *tail; /* segments of the chain, payload only */
	uint32_t bufs;              /* segments in the chain */
	uint32_t newer, older;      /* by when a segment last came for it: the order of SACK blocks */
};

/** A connection's runs. All zero: empty. */
struct rnl_reasm {
	uint32_t head, tail;
	uint32_t runs;
	uint32_t bytes; /* octets held */
	uint32_t bufs;  /* buffers held */
	uint32_t newest; /* the run that a segment came for last */
};

/**
 * Adds a packet: m's data is exactly the payload of [seq, seq + pkt_len). Takes m in every case. Of a
 * packet that would fill several gaps, the first gap gets its octets; the peer sends the others again.
 * *dup becomes what of the packet had been there: the first stretch of it (RFC 2883 4.2), which then
 * lies in the newest run; it is left alone when there is none, and when the packet was dropped.
 * @return octets that were added: 0 when all had been there, negative errno when it was dropped
 * (-ENOBUFS: no record free, too many runs or too many buffers).
 */
int rnl_reasm_add(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t seq, struct rte_mbuf *m,
		  struct rnl_sack *dup);
/** Fills out[] with at most n runs, the one that changed last first. @return how many. */
unsigned int rnl_reasm_recent(const struct rnl_reasm *r, const struct rnl_pool *pool,
			      struct rnl_sack *out, unsigned int n);
/** @return what of [seq, end) is there: the first stretch of it, in *dup; false: nothing. */
bool rnl_reasm_overlap(const struct rnl_reasm *r, const struct rnl_pool *pool, uint32_t seq,
		       uint32_t end, struct rnl_sack *dup);
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
