/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges of sequence space that were sent and not yet cumulatively acknowledged. All stand in the order
 * of sequence; those that may still arrive (neither SACKED nor LOST) also in the order of their last
 * transmission, which is what RACK walks. A range can be split at any octet; SACKED neighbours become
 * one, so that a scoreboard is as long as it has holes. It carries what RFC 6298, RFC 8985 and
 * delivery-rate samples need: send time, what was delivered then, how often it was sent. SYN and FIN
 * occupy one number each and are ranges like any other.
 * Refuses: payload (sndbuf owns it), deciding what is lost. Floor 2.
 */
#ifndef RNL_ALGO_SENTQ_H
#define RNL_ALGO_SENTQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "wire/seg.h"

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
	uint32_t tnext, tprev;         /* by last transmission, oldest first; not LOST, not SACKED */
	uint64_t sent_us;              /* last transmission */
	uint64_t delivered_us;         /* time of the latest delivery then */
	uint64_t first_sent_us;        /* send time of the range whose ACK was the latest then */
	uint32_t delivered;            /* octets delivered then, wrapping */
	uint32_t lost;                 /* octets marked lost until then, wrapping */
	uint32_t inflight;             /* octets in the network with it */
	uint16_t mss;                  /* octets of each segment in it: where SACK blocks may cut */
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
	uint32_t sack_hint;    /* where the last SACK block ended; RNL_NIL: nowhere */
	uint32_t fack;         /* highest number delivered (RACK.fack); holds while not empty */
	const struct rnl_sentq_told *told; /* who is told of losses, for the time of a call; NULL: nobody */
	uint64_t lost_total;   /* octets that were ever marked LOST */
	uint32_t lost_bytes;   /* numbers in LOST ranges */
	uint32_t sacked_bytes; /* numbers in SACKED ranges */
	uint32_t retrans_bytes;/* numbers in RETRANS ranges that are neither LOST nor SACKED */
};

/**
 * What one segment's acknowledgements, cumulative and selective, delivered. The caller zeroes it and sets
 * spurious_after_us; rnl_sentq_ack() and rnl_sentq_sack() add to it.
 */
struct rnl_sentq_acked {
	/** Retransmissions that were sent after this time cannot be what was delivered: the original
	 * was (RFC 8985 6.2, step 2). UINT64_MAX: all can. */
	uint64_t spurious_after_us;
	uint32_t bytes;        /* sequence numbers taken away */
	uint32_t sacked_bytes; /* of them: in SACKED ranges, so delivered before */
	uint32_t new_sacked_bytes; /* newly SACKED */
	uint32_t reordered_by; /* numbers below fack at which a range that was sent once came; 0: none */
	uint8_t flags;         /* or of the flags of what was taken away */
	bool capped;           /* SACK blocks were not looked at to their end: too much work */
	bool delivered_any;    /* the rest holds */
	/* Of what was delivered by this segment: */
	uint64_t rtt_sent_us;  /* latest send time of a range that was sent once; 0: none (Karn) */
	uint64_t sent_us;      /* latest send time of any that counts; 0: none */
	uint32_t end;          /* highest number of those with that time */
	/* of the same one, for the rate sample: */
	uint64_t delivered_us;
	uint64_t first_sent_us;
	uint32_t delivered;
	uint32_t lost;
	uint32_t inflight;
	bool app_limited;
};

/**
 * Records the first transmission of [r->seq, r->end), which begins where the queue ends (or anywhere
 * when it is empty), at r->sent_us, which is not before that of any other range. Of r->flags, FIN,
 * SYN and APP_LIMITED are taken; links and sends are set here.
 * @return the range's index, or RNL_NIL when the pool is empty (nothing is changed).
 */
uint32_t rnl_sentq_push(struct rnl_sentq *q, struct rnl_pool *pool, const struct rnl_range *r);
/** Removes everything before `una`, splitting a range that straddles it; adds to *out. */
void rnl_sentq_ack(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t una,
		   struct rnl_sentq_acked *out);
/** Splits range i at `at` (strictly inside). @return the second part, or RNL_NIL: no record free. */
uint32_t rnl_sentq_split(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i, uint32_t at);
/**
 * Marks what lies in [left, right) selectively acknowledged and adds it to *out: whole segments only, so
 * that a peer cannot cut the queue into crumbs (a record for each segment in flight is the most), and
 * no more ranges looked at than *steps, which is counted down: the next block goes on from there.
 * The block lies inside the queue. RFC 2018 5, RFC 6675 4.
 */
void rnl_sentq_sack(struct rnl_sentq *q, struct rnl_pool *pool, const struct rnl_sack *block,
		    unsigned int *steps, struct rnl_sentq_acked *out);
/** Told of each range that becomes lost. */
struct rnl_sentq_told {
	void (*fn)(void *arg, const struct rnl_sentq *q, const struct rnl_range *r);
	void *arg;
};
/** Marks range i lost. Nothing happens when it is lost or sacked already. */
void rnl_sentq_mark_lost(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i);
/** Marks everything that is not sacked lost (RFC 6298 5.4: after a timeout). */
void rnl_sentq_mark_all_lost(struct rnl_sentq *q, struct rnl_pool *pool);
/** What is marked lost may arrive after all: as if it had just been sent again (its times say nothing). */
void rnl_sentq_unmark_lost(struct rnl_sentq *q, struct rnl_pool *pool, uint64_t now_us);
/** Forgets what was selectively acknowledged: it is lost as well (RFC 2018 8). */
void rnl_sentq_renege(struct rnl_sentq *q, struct rnl_pool *pool);
/** @return the first lost range by sequence, or RNL_NIL. Searches on from where it last was. */
uint32_t rnl_sentq_first_lost(struct rnl_sentq *q, const struct rnl_pool *pool);
/** Records that range i was sent again: clears LOST, sets RETRANS, puts it last by time. Of *now,
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
