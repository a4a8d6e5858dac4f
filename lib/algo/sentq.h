/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges of sequence space that were sent and not yet cumulatively acknowledged. Kept in two orders:
 * by sequence and by time of the last transmission; a range can be split at any octet. It carries
 * what RFC 6298, RFC 8985 (RACK) and delivery-rate samples need: send time, what was delivered
 * then, how often it was sent. SYN and FIN occupy one number each and are ranges like any other.
 * Refuses: payload (sndbuf owns it), deciding what is lost, merging ranges. Floor 2.
 */
#ifndef RNL_ALGO_SENTQ_H
#define RNL_ALGO_SENTQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

#define RNL_RANGE_SACKED 0x01u  /* selectively acknowledged */
#define RNL_RANGE_LOST 0x02u    /* marked lost, not yet sent again */
#define RNL_RANGE_RETRANS 0x04u /* sent more than once (Karn) */
#define RNL_RANGE_FIN 0x08u     /* its last number is FIN */
#define RNL_RANGE_SYN 0x10u     /* its first number is SYN */
#define RNL_RANGE_APP_LIMITED 0x20u /* sent when the application had no more */

/** One range; lives in the worker's pool. */
struct rnl_range {
	uint32_t seq, end;             /* [seq, end) */
	uint32_t next, prev;           /* by sequence; RNL_NIL ends. `next` links free ranges */
	uint32_t tnext, tprev;         /* by last transmission, oldest first */
	uint64_t sent_us;              /* last transmission */
	uint64_t delivered_us;         /* time of the latest delivery then */
	uint64_t first_sent_us;        /* send time of the range whose ACK was the latest then */
	uint32_t delivered;            /* octets delivered then, wrapping */
	uint32_t lost;                 /* octets marked lost until then, wrapping */
	uint32_t inflight;             /* octets in the network with it */
	uint8_t flags;                 /* RNL_RANGE_* */
	uint8_t sends;                 /* transmissions, saturating */
};

_Static_assert(sizeof(struct rnl_range) == 64, "a range is one cache line");

/** A connection's queue. All zero: empty. */
struct rnl_sentq {
	uint32_t head, tail;   /* by sequence */
	uint32_t thead, ttail; /* by time */
	uint32_t count;        /* ranges */
	uint32_t lost_hint;    /* no LOST range precedes this one by sequence; RNL_NIL: there is none */
	uint32_t lost_bytes;   /* numbers in LOST ranges */
	uint32_t sacked_bytes; /* numbers in SACKED ranges */
	uint32_t retrans_bytes;/* numbers in RETRANS ranges that are neither LOST nor SACKED */
};

/** What a cumulative acknowledgement took away. */
struct rnl_sentq_acked {
	uint32_t bytes;        /* sequence numbers */
	uint32_t sacked_bytes; /* of them: in SACKED ranges, so delivered before */
	uint32_t segments;     /* ranges, whole or part */
	/* The times are of ranges that this acknowledgement delivered: not of SACKED ones. */
	uint64_t rtt_sent_us;  /* latest send time of one that was sent once; 0: none (Karn) */
	uint64_t sent_us;      /* latest send time of any; 0: none */
	/* Of the one with the latest sent_us, for the rate sample: */
	uint64_t delivered_us;
	uint64_t first_sent_us;
	uint32_t delivered;
	uint32_t lost;
	uint32_t inflight;
	uint8_t flags;         /* or of their flags */
};

/**
 * Records the first transmission of [r->seq, r->end), which begins where the queue ends (or anywhere
 * when it is empty), at r->sent_us, which is not before that of any other range. Of r->flags, FIN,
 * SYN and APP_LIMITED are taken; links and sends are set here.
 * @return the range's index, or RNL_NIL when the pool is empty (nothing is changed).
 */
uint32_t rnl_sentq_push(struct rnl_sentq *q, struct rnl_pool *pool, const struct rnl_range *r);
/** Removes everything before `una`, splitting a range that straddles it. *out is overwritten. */
void rnl_sentq_ack(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t una,
		   struct rnl_sentq_acked *out);
/** Splits range i at `at` (strictly inside). @return the second part, or RNL_NIL: no record free. */
uint32_t rnl_sentq_split(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i, uint32_t at);
/** Marks range i lost. Nothing happens when it is lost or sacked already. */
void rnl_sentq_mark_lost(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i);
/** Marks range i selectively acknowledged; it is not lost any more. Nothing happens when it is so already. */
void rnl_sentq_mark_sacked(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i);
/** Marks everything that is not sacked lost (RFC 6298 5.4: after a timeout). */
void rnl_sentq_mark_all_lost(struct rnl_sentq *q, struct rnl_pool *pool);
/** @return the first lost range by sequence, or RNL_NIL. Searches on from where it last was. */
uint32_t rnl_sentq_first_lost(struct rnl_sentq *q, const struct rnl_pool *pool);
/** Records that range i was sent again: clears LOST, sets RETRANS, moves it last by time. Of *now,
 * the times, counts and APP_LIMITED are taken. */
void rnl_sentq_resent(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i,
		      const struct rnl_range *now);
/** Forgets everything. */
void rnl_sentq_clear(struct rnl_sentq *q, struct rnl_pool *pool);
/** Verifies every invariant. @return NULL, or which one is broken. For tests and debug builds. */
const char *rnl_sentq_check(const struct rnl_sentq *q, const struct rnl_pool *pool);

static inline struct rnl_range *rnl_sentq_at(const struct rnl_pool *pool, uint32_t i)
{
	return rnl_pool_at(pool, i);
}

static inline bool rnl_sentq_empty(const struct rnl_sentq *q)
{
	return q->head == RNL_NIL;
}

#endif /* RNL_ALGO_SENTQ_H */
