/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges of sequence space that were sent and not yet cumulatively acknowledged, in two intrusive
 * lists (by sequence, by last transmission) over one pool. Push, acknowledgement of a range, split,
 * mark and resend are O(1); the first lost range is found from a hint.
 * Refuses: payload, deciding what is lost, merging ranges. Floor 2.
 * Carries what RFC 6298 3, RFC 6675 4 and RFC 8985 5 ask to be remembered.
 */
#include <stddef.h>

#include "algo/sentq.h"
#include "base/seq.h"

#define PUSH_FLAGS (RNL_RANGE_FIN | RNL_RANGE_SYN | RNL_RANGE_APP_LIMITED)

static uint32_t range_len(const struct rnl_range *r)
{
	return r->end - r->seq;
}

/* The one counter that a range's numbers belong to, or NULL: plain in-flight data. */
static uint32_t *counter_of(struct rnl_sentq *q, uint8_t flags)
{
	if (flags & RNL_RANGE_SACKED)
		return &q->sacked_bytes;
	if (flags & RNL_RANGE_LOST)
		return &q->lost_bytes;
	return flags & RNL_RANGE_RETRANS ? &q->retrans_bytes : NULL;
}

static void count_add(struct rnl_sentq *q, uint8_t flags, uint32_t len)
{
	uint32_t *counter = counter_of(q, flags);

	if (counter != NULL)
		*counter += len;
}

static void count_sub(struct rnl_sentq *q, uint8_t flags, uint32_t len)
{
	uint32_t *counter = counter_of(q, flags);

	if (counter != NULL)
		*counter -= len;
}

static void set_flags(struct rnl_sentq *q, struct rnl_range *r, unsigned int flags)
{
	count_sub(q, r->flags, range_len(r));
	r->flags = (uint8_t)flags;
	count_add(q, r->flags, range_len(r));
}

/* Puts range i behind `after` (RNL_NIL: first) in the order of sequence. */
static void seq_insert(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i, uint32_t after)
{
	struct rnl_range *r = rnl_sentq_at(pool, i);

	r->prev = after;
	r->next = after != RNL_NIL ? rnl_sentq_at(pool, after)->next : q->head;
	*(after != RNL_NIL ? &rnl_sentq_at(pool, after)->next : &q->head) = i;
	*(r->next != RNL_NIL ? &rnl_sentq_at(pool, r->next)->prev : &q->tail) = i;
}

/* Puts range i behind `after` (RNL_NIL: first) in the order of time. */
static void time_insert(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i, uint32_t after)
{
	struct rnl_range *r = rnl_sentq_at(pool, i);

	r->tprev = after;
	r->tnext = after != RNL_NIL ? rnl_sentq_at(pool, after)->tnext : q->thead;
	*(after != RNL_NIL ? &rnl_sentq_at(pool, after)->tnext : &q->thead) = i;
	*(r->tnext != RNL_NIL ? &rnl_sentq_at(pool, r->tnext)->tprev : &q->ttail) = i;
}

static void time_remove(struct rnl_sentq *q, struct rnl_pool *pool, const struct rnl_range *r)
{
	*(r->tprev != RNL_NIL ? &rnl_sentq_at(pool, r->tprev)->tnext : &q->thead) = r->tnext;
	*(r->tnext != RNL_NIL ? &rnl_sentq_at(pool, r->tnext)->tprev : &q->ttail) = r->tprev;
}

static void remove_head(struct rnl_sentq *q, struct rnl_pool *pool)
{
	uint32_t i = q->head;
	struct rnl_range *r = rnl_sentq_at(pool, i);

	time_remove(q, pool, r);
	q->head = r->next;
	*(r->next != RNL_NIL ? &rnl_sentq_at(pool, r->next)->prev : &q->tail) = RNL_NIL;
	if (q->lost_hint == i)
		q->lost_hint = r->next;
	q->count--;
	rnl_pool_put(pool, i);
}

uint32_t rnl_sentq_push(struct rnl_sentq *q, struct rnl_pool *pool, const struct rnl_range *r)
{
	uint32_t i = rnl_pool_get(pool);
	struct rnl_range *range;

	if (i == RNL_NIL)
		return RNL_NIL;
	range = rnl_sentq_at(pool, i);
	*range = *r;
	range->flags = r->flags & PUSH_FLAGS;
	range->sends = 1;
	seq_insert(q, pool, i, q->tail);
	time_insert(q, pool, i, q->ttail);
	q->count++;
	return i;
}

/* Adds to *out that the first `len` numbers of range r, with `flags`, are acknowledged. */
static void note_acked(struct rnl_sentq_acked *out, const struct rnl_range *r, uint32_t len,
                       unsigned int flags)
{
	out->bytes += len;
	out->segments++;
	out->flags |= (uint8_t)flags;
	if (flags & RNL_RANGE_SACKED) {
		out->sacked_bytes += len;
		return;
	}
	if (!(flags & RNL_RANGE_RETRANS) && r->sent_us > out->rtt_sent_us)
		out->rtt_sent_us = r->sent_us;
	if (r->sent_us >= out->sent_us) {
		out->sent_us = r->sent_us;
		out->delivered_us = r->delivered_us;
		out->first_sent_us = r->first_sent_us;
		out->delivered = r->delivered;
		out->lost = r->lost;
		out->inflight = r->inflight;
	}
}

void rnl_sentq_ack(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t una,
                   struct rnl_sentq_acked *out)
{
	struct rnl_range *r;

	*out = (struct rnl_sentq_acked){0};
	while (q->head != RNL_NIL) {
		r = rnl_sentq_at(pool, q->head);
		if (rnl_seq_gt(r->end, una))
			break;
		note_acked(out, r, range_len(r), r->flags);
		count_sub(q, r->flags, range_len(r));
		remove_head(q, pool);
	}
	if (q->head == RNL_NIL)
		return;
	r = rnl_sentq_at(pool, q->head);
	if (rnl_seq_geq(r->seq, una))
		return;
	/* The front of a range: cut in place, so it cannot fail. FIN is its last number, SYN its
	 * first. */
	note_acked(out, r, una - r->seq, r->flags & ~RNL_RANGE_FIN);
	count_sub(q, r->flags, una - r->seq);
	r->seq = una;
	r->flags &= (uint8_t)~RNL_RANGE_SYN;
}

uint32_t rnl_sentq_split(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i, uint32_t at)
{
	uint32_t j = rnl_pool_get(pool);
	struct rnl_range *first, *second;

	if (j == RNL_NIL)
		return RNL_NIL;
	first = rnl_sentq_at(pool, i);
	second = rnl_sentq_at(pool, j);
	*second = *first;
	second->seq = at;
	first->end = at;
	second->flags &= (uint8_t)~RNL_RANGE_SYN;
	first->flags &= (uint8_t)~RNL_RANGE_FIN;
	seq_insert(q, pool, j, i);
	time_insert(q, pool, j, i);
	q->count++;
	return j;
}

/* Range r became lost: the hint may not stay behind it. */
static void lower_hint(struct rnl_sentq *q, const struct rnl_pool *pool, uint32_t i)
{
	if (q->lost_hint == RNL_NIL ||
	    rnl_seq_lt(rnl_sentq_at(pool, i)->seq, rnl_sentq_at(pool, q->lost_hint)->seq))
		q->lost_hint = i;
}

void rnl_sentq_mark_lost(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i)
{
	struct rnl_range *r = rnl_sentq_at(pool, i);

	if (r->flags & (RNL_RANGE_LOST | RNL_RANGE_SACKED))
		return;
	set_flags(q, r, r->flags | RNL_RANGE_LOST);
	lower_hint(q, pool, i);
}

void rnl_sentq_mark_sacked(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i)
{
	struct rnl_range *r = rnl_sentq_at(pool, i);

	set_flags(q, r, (r->flags & ~RNL_RANGE_LOST) | RNL_RANGE_SACKED);
}

void rnl_sentq_mark_all_lost(struct rnl_sentq *q, struct rnl_pool *pool)
{
	for (uint32_t i = q->head; i != RNL_NIL; i = rnl_sentq_at(pool, i)->next)
		rnl_sentq_mark_lost(q, pool, i);
}

uint32_t rnl_sentq_first_lost(struct rnl_sentq *q, const struct rnl_pool *pool)
{
	uint32_t i = q->lost_bytes != 0 ? q->lost_hint : RNL_NIL;

	while (i != RNL_NIL && !(rnl_sentq_at(pool, i)->flags & RNL_RANGE_LOST))
		i = rnl_sentq_at(pool, i)->next;
	q->lost_hint = i;
	return i;
}

void rnl_sentq_resent(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i,
                      const struct rnl_range *now)
{
	struct rnl_range *r = rnl_sentq_at(pool, i);
	unsigned int flags = r->flags & ~(RNL_RANGE_LOST | RNL_RANGE_APP_LIMITED);

	set_flags(q, r, flags | RNL_RANGE_RETRANS | (now->flags & RNL_RANGE_APP_LIMITED));
	r->sent_us = now->sent_us;
	r->delivered_us = now->delivered_us;
	r->first_sent_us = now->first_sent_us;
	r->delivered = now->delivered;
	r->lost = now->lost;
	r->inflight = now->inflight;
	r->sends = (uint8_t)(r->sends + (r->sends < UINT8_MAX));
	time_remove(q, pool, r);
	time_insert(q, pool, i, q->ttail);
}

void rnl_sentq_clear(struct rnl_sentq *q, struct rnl_pool *pool)
{
	while (q->head != RNL_NIL) {
		uint32_t i = q->head;

		q->head = rnl_sentq_at(pool, i)->next;
		rnl_pool_put(pool, i);
	}
	*q = (struct rnl_sentq){0};
}

static const char *check_range(const struct rnl_range *r, const struct rnl_range *before)
{
	if (!rnl_seq_lt(r->seq, r->end))
		return "an empty range";
	if (before != NULL && before->end != r->seq)
		return "a gap or overlap between ranges";
	if ((r->flags & RNL_RANGE_LOST) && (r->flags & RNL_RANGE_SACKED))
		return "a range both lost and sacked";
	if (((r->flags & RNL_RANGE_RETRANS) != 0) != (r->sends > 1))
		return "RETRANS without a second transmission, or the other way";
	if ((r->flags & RNL_RANGE_FIN) && r->next != RNL_NIL)
		return "something after FIN";
	if ((r->flags & RNL_RANGE_SYN) && before != NULL)
		return "something before SYN";
	return NULL;
}

/* The order of sequence, the sums, and the hint. */
static const char *check_sequence(const struct rnl_sentq *q, const struct rnl_pool *pool)
{
	struct rnl_sentq sum = {0};
	const struct rnl_range *r = NULL, *before = NULL;
	const char *broken = NULL;
	bool past_hint = false;

	for (uint32_t i = q->head; i != RNL_NIL && broken == NULL; i = r->next, before = r) {
		r = rnl_sentq_at(pool, i);
		past_hint |= i == q->lost_hint;
		if (++sum.count > q->count)
			return "more ranges by sequence than counted";
		if (r->prev != sum.tail)
			return "a broken link by sequence";
		if ((r->flags & RNL_RANGE_LOST) && !past_hint)
			return "a lost range before the hint";
		broken = check_range(r, before);
		count_add(&sum, r->flags, range_len(r));
		sum.tail = i;
	}
	if (broken != NULL)
		return broken;
	if (sum.count != q->count || sum.tail != q->tail)
		return "fewer ranges by sequence than counted, or a wrong tail";
	if (q->lost_hint != RNL_NIL && !past_hint)
		return "a hint that is not in the queue";
	if (sum.lost_bytes != q->lost_bytes || sum.sacked_bytes != q->sacked_bytes ||
	    sum.retrans_bytes != q->retrans_bytes)
		return "wrong sums of lost, sacked or retransmitted numbers";
	return NULL;
}

static const char *check_time(const struct rnl_sentq *q, const struct rnl_pool *pool)
{
	const struct rnl_range *r = NULL;
	uint32_t count = 0, before = RNL_NIL;
	uint64_t sent_us = 0;

	for (uint32_t i = q->thead; i != RNL_NIL; i = r->tnext) {
		r = rnl_sentq_at(pool, i);
		if (++count > q->count)
			return "more ranges by time than counted";
		if (r->tprev != before)
			return "a broken link by time";
		if (r->sent_us < sent_us)
			return "ranges out of the order of time";
		sent_us = r->sent_us;
		before = i;
	}
	if (count != q->count || before != q->ttail)
		return "fewer ranges by time than counted, or a wrong tail";
	return NULL;
}

const char *rnl_sentq_check(const struct rnl_sentq *q, const struct rnl_pool *pool)
{
	const char *broken = check_sequence(q, pool);

	return broken != NULL ? broken : check_time(q, pool);
}
