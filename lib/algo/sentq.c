/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges of sequence space that were sent and not yet cumulatively acknowledged, in two intrusive
 * lists (by sequence, by last transmission) over one pool. Push, acknowledgement of a range, split,
 * mark and resend are O(1); the first lost range and the place of a SACK block are found from hints,
 * and a budget bounds the search for the latter.
 * Refuses: payload, deciding what is lost. Floor 2.
 * Carries what RFC 6298 3, RFC 6675 4 and RFC 8985 5 ask to be remembered.
 */
#include <rte_common.h>

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

/* May it still arrive? Then it stands in the order of time. */
static bool waits(unsigned int flags)
{
	return !(flags & (RNL_RANGE_LOST | RNL_RANGE_SACKED));
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

/* Takes range i out of the order of sequence; `heir` takes its place as a hint. */
static void remove_range(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i, uint32_t heir)
{
	const struct rnl_range *r = rnl_sentq_at(pool, i);

	*(r->prev != RNL_NIL ? &rnl_sentq_at(pool, r->prev)->next : &q->head) = r->next;
	*(r->next != RNL_NIL ? &rnl_sentq_at(pool, r->next)->prev : &q->tail) = r->prev;
	if (q->lost_hint == i)
		q->lost_hint = heir;
	if (q->sack_hint == i)
		q->sack_hint = heir;
	q->count--;
	rnl_pool_put(pool, i);
}

static void remove_head(struct rnl_sentq *q, struct rnl_pool *pool)
{
	const struct rnl_range *r = rnl_sentq_at(pool, q->head);

	if (waits(r->flags))
		time_remove(q, pool, r);
	remove_range(q, pool, q->head, r->next);
}

uint32_t rnl_sentq_push(struct rnl_sentq *q, struct rnl_pool *pool, const struct rnl_range *r)
{
	uint32_t i = rnl_pool_get(pool);
	struct rnl_range *range;

	if (i == RNL_NIL)
		return RNL_NIL;
	if (q->head == RNL_NIL)
		q->fack = r->seq;
	range = rnl_sentq_at(pool, i);
	*range = *r;
	range->flags = r->flags & PUSH_FLAGS;
	range->sends = 1;
	seq_insert(q, pool, i, q->tail);
	time_insert(q, pool, i, q->ttail);
	q->count++;
	return i;
}

/* RFC 8985 6.2, step 3: what was sent once comes behind what was sent later. */
static void note_order(struct rnl_sentq *q, struct rnl_sentq_acked *out, uint32_t end,
                       unsigned int flags)
{
	if (rnl_seq_gt(end, q->fack))
		q->fack = end;
	else if (!(flags & RNL_RANGE_RETRANS) && q->fack - end > out->reordered_by)
		out->reordered_by = q->fack - end;
}

/* Range r up to `end`, with `flags`, is delivered (RFC 8985 6.2, step 2). */
static void note_delivered(struct rnl_sentq *q, struct rnl_sentq_acked *out,
                           const struct rnl_range *r, uint32_t end, unsigned int flags)
{
	bool retrans = flags & RNL_RANGE_RETRANS;

	note_order(q, out, end, flags);
	if (!retrans && r->sent_us > out->rtt_sent_us)
		out->rtt_sent_us = r->sent_us;
	if (retrans && r->sent_us > out->spurious_after_us)
		return;
	if (out->delivered_any &&
	    (r->sent_us < out->sent_us || (r->sent_us == out->sent_us && rnl_seq_lt(end, out->end))))
		return;
	out->delivered_any = true;
	out->sent_us = r->sent_us;
	out->end = end;
	out->delivered_us = r->delivered_us;
	out->first_sent_us = r->first_sent_us;
	out->delivered = r->delivered;
	out->lost = r->lost;
	out->inflight = r->inflight;
	out->app_limited = flags & RNL_RANGE_APP_LIMITED;
}

/* Adds to *out that range r up to `end`, with `flags`, is acknowledged. */
static void note_acked(struct rnl_sentq *q, struct rnl_sentq_acked *out, const struct rnl_range *r,
                       uint32_t end, unsigned int flags)
{
	out->bytes += end - r->seq;
	out->flags |= (uint8_t)flags;
	if (flags & RNL_RANGE_SACKED)
		out->sacked_bytes += end - r->seq;
	else
		note_delivered(q, out, r, end, flags);
}

void rnl_sentq_ack(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t una,
                   struct rnl_sentq_acked *out)
{
	struct rnl_range *r;

	while (q->head != RNL_NIL) {
		r = rnl_sentq_at(pool, q->head);
		if (rnl_seq_gt(r->end, una))
			break;
		note_acked(q, out, r, r->end, r->flags);
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
	note_acked(q, out, r, una, r->flags & ~RNL_RANGE_FIN);
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
	if (waits(first->flags))
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

	if (!waits(r->flags))
		return;
	time_remove(q, pool, r);
	set_flags(q, r, r->flags | RNL_RANGE_LOST);
	q->lost_total += range_len(r);
	if (q->told != NULL)
		q->told->fn(q->told->arg, q, r);
	lower_hint(q, pool, i);
}

void rnl_sentq_mark_all_lost(struct rnl_sentq *q, struct rnl_pool *pool)
{
	while (q->thead != RNL_NIL)
		rnl_sentq_mark_lost(q, pool, q->thead);
}

void rnl_sentq_unmark_lost(struct rnl_sentq *q, struct rnl_pool *pool, uint64_t now_us)
{
	uint32_t i;

	while ((i = rnl_sentq_first_lost(q, pool)) != RNL_NIL) {
		struct rnl_range again = *rnl_sentq_at(pool, i);

		again.sent_us = now_us;
		rnl_sentq_resent(q, pool, i, &again);
	}
}

/* RFC 2018 8. */
void rnl_sentq_renege(struct rnl_sentq *q, struct rnl_pool *pool)
{
	for (uint32_t i = q->head; i != RNL_NIL; i = rnl_sentq_at(pool, i)->next) {
		struct rnl_range *r = rnl_sentq_at(pool, i);

		if (!(r->flags & RNL_RANGE_SACKED))
			continue;
		set_flags(q, r, (r->flags & ~RNL_RANGE_SACKED) | RNL_RANGE_LOST);
		lower_hint(q, pool, i);
	}
}

/* Makes range i and the one behind it one, if both are SACKED. */
static void merge_next(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i)
{
	struct rnl_range *r = rnl_sentq_at(pool, i);
	const struct rnl_range *next = rnl_sentq_at(pool, r->next);

	if (r->next == RNL_NIL || !(r->flags & next->flags & RNL_RANGE_SACKED))
		return;
	r->end = next->end;
	r->flags |= next->flags;
	r->sends = RTE_MAX(r->sends, next->sends);
	remove_range(q, pool, r->next, i);
}

/* The whole of range i is selectively acknowledged. @return the range that holds it now. */
static uint32_t mark_sacked(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i,
                            struct rnl_sentq_acked *out)
{
	struct rnl_range *r = rnl_sentq_at(pool, i);
	uint32_t before = r->prev;

	note_delivered(q, out, r, r->end, r->flags);
	out->new_sacked_bytes += range_len(r);
	if (waits(r->flags))
		time_remove(q, pool, r);
	set_flags(q, r, (r->flags & ~RNL_RANGE_LOST) | RNL_RANGE_SACKED);
	merge_next(q, pool, i);
	if (before == RNL_NIL || !(rnl_sentq_at(pool, before)->flags & RNL_RANGE_SACKED))
		return i;
	merge_next(q, pool, before);
	return before;
}

/* Of range r, the whole segments that lie in the block. @return false: none. */
static bool whole_segments(const struct rnl_range *r, const struct rnl_sack *block,
                           struct rnl_sack *part)
{
	uint32_t from = rnl_seq_max(block->left, r->seq) - r->seq;
	uint32_t to = rnl_seq_min(block->right, r->end) - r->seq;
	uint32_t len = range_len(r);

	if (from == 0 && to == len) {
		*part = (struct rnl_sack){r->seq, r->end};
		return true;
	}
	if (r->mss == 0 || len <= r->mss)
		return false;
	from += r->mss - 1;
	from -= from % r->mss;
	if (to != len)
		to -= to % r->mss;
	*part = (struct rnl_sack){r->seq + from, r->seq + to};
	return from < to;
}

/* Marks what the block covers of range i. @return the range to go on with; RNL_NIL: no record free.
 * RFC 2018 5. */
static uint32_t sack_range(struct rnl_sentq *q, struct rnl_pool *pool, uint32_t i,
                           const struct rnl_sack *block, struct rnl_sentq_acked *out)
{
	const struct rnl_range *r = rnl_sentq_at(pool, i);
	struct rnl_sack part;

	q->sack_hint = i;
	if ((r->flags & RNL_RANGE_SACKED) || !whole_segments(r, block, &part))
		return r->next;
	if (part.left != r->seq)
		i = rnl_sentq_split(q, pool, i, part.left);
	if (i == RNL_NIL || (part.right != rnl_sentq_at(pool, i)->end &&
	                     rnl_sentq_split(q, pool, i, part.right) == RNL_NIL))
		return RNL_NIL;
	i = mark_sacked(q, pool, i, out);
	q->sack_hint = i;
	return rnl_sentq_at(pool, i)->next;
}

/* @return the range with number seq, from the nearest of three known places; RNL_NIL: too far. */
static uint32_t find(struct rnl_sentq *q, const struct rnl_pool *pool, uint32_t seq,
                     unsigned int *steps)
{
	uint32_t i = q->sack_hint != RNL_NIL ? q->sack_hint : q->head;
	uint32_t from = rnl_sentq_at(pool, i)->seq;
	uint32_t first = rnl_sentq_at(pool, q->head)->seq;
	uint32_t last = rnl_sentq_at(pool, q->tail)->seq;

	if (rnl_seq_lt(seq, from) && seq - first < from - seq)
		i = q->head;
	else if (rnl_seq_geq(seq, last) ||
	         (rnl_seq_gt(seq, from) && last - seq < seq - from))
		i = q->tail;
	for (; *steps > 0; --*steps) {
		const struct rnl_range *r = rnl_sentq_at(pool, i);

		if (rnl_seq_lt(seq, r->seq))
			i = r->prev;
		else if (rnl_seq_geq(seq, r->end))
			i = r->next;
		else
			return i;
	}
	q->sack_hint = i;
	return RNL_NIL;
}

void rnl_sentq_sack(struct rnl_sentq *q, struct rnl_pool *pool, const struct rnl_sack *block,
                    unsigned int *steps, struct rnl_sentq_acked *out)
{
	uint32_t i = find(q, pool, block->left, steps);

	for (; i != RNL_NIL && *steps > 0; --*steps) {
		if (rnl_seq_geq(rnl_sentq_at(pool, i)->seq, block->right))
			return;
		i = sack_range(q, pool, i, block, out);
	}
	out->capped |= *steps == 0;
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

	if (waits(r->flags))
		time_remove(q, pool, r);
	set_flags(q, r, flags | RNL_RANGE_RETRANS | (now->flags & RNL_RANGE_APP_LIMITED));
	r->sent_us = now->sent_us;
	r->delivered_us = now->delivered_us;
	r->first_sent_us = now->first_sent_us;
	r->delivered = now->delivered;
	r->lost = now->lost;
	r->inflight = now->inflight;
	r->sends = (uint8_t)(r->sends + (r->sends < UINT8_MAX));
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
	if (before != NULL && (r->flags & before->flags & RNL_RANGE_SACKED))
		return "two sacked ranges side by side";
	if (((r->flags & RNL_RANGE_RETRANS) != 0) != (r->sends > 1))
		return "RETRANS without a second transmission, or the other way";
	if ((r->flags & RNL_RANGE_FIN) && r->next != RNL_NIL)
		return "something after FIN";
	if ((r->flags & RNL_RANGE_SYN) && before != NULL)
		return "something before SYN";
	return NULL;
}

/* What the walk by sequence found. */
struct found {
	struct rnl_sentq sum;
	uint32_t waiting; /* ranges that must stand in the order of time */
	bool lost_hint, sack_hint;
};

static const char *walk(const struct rnl_sentq *q, const struct rnl_pool *pool, struct found *f)
{
	const struct rnl_range *r = NULL, *before = NULL;
	const char *broken = NULL;

	for (uint32_t i = q->head; i != RNL_NIL && broken == NULL; i = r->next, before = r) {
		r = rnl_sentq_at(pool, i);
		f->lost_hint |= i == q->lost_hint;
		f->sack_hint |= i == q->sack_hint;
		f->waiting += waits(r->flags);
		if (++f->sum.count > q->count)
			return "more ranges by sequence than counted";
		if (r->prev != f->sum.tail)
			return "a broken link by sequence";
		if ((r->flags & RNL_RANGE_LOST) && !f->lost_hint)
			return "a lost range before the hint";
		broken = check_range(r, before);
		count_add(&f->sum, r->flags, range_len(r));
		f->sum.tail = i;
	}
	return broken;
}

/* The order of sequence, the sums, and the hints. */
static const char *check_sequence(const struct rnl_sentq *q, const struct rnl_pool *pool,
                                  struct found *f)
{
	const char *broken = walk(q, pool, f);

	if (broken != NULL)
		return broken;
	if (f->sum.count != q->count || f->sum.tail != q->tail)
		return "fewer ranges by sequence than counted, or a wrong tail";
	if ((q->lost_hint != RNL_NIL && !f->lost_hint) || (q->sack_hint != RNL_NIL && !f->sack_hint))
		return "a hint that is not in the queue";
	if (f->sum.lost_bytes != q->lost_bytes || f->sum.sacked_bytes != q->sacked_bytes ||
	    f->sum.retrans_bytes != q->retrans_bytes)
		return "wrong sums of lost, sacked or retransmitted numbers";
	return NULL;
}

static const char *check_time(const struct rnl_sentq *q, const struct rnl_pool *pool,
                              uint32_t waiting)
{
	const struct rnl_range *r = NULL;
	uint32_t count = 0, before = RNL_NIL;
	uint64_t sent_us = 0;

	for (uint32_t i = q->thead; i != RNL_NIL; i = r->tnext) {
		r = rnl_sentq_at(pool, i);
		if (++count > waiting || !waits(r->flags))
			return "a range by time that cannot arrive any more";
		if (r->tprev != before)
			return "a broken link by time";
		if (r->sent_us < sent_us)
			return "ranges out of the order of time";
		sent_us = r->sent_us;
		before = i;
	}
	if (count != waiting || before != q->ttail)
		return "fewer ranges by time than may arrive, or a wrong tail";
	return NULL;
}

const char *rnl_sentq_check(const struct rnl_sentq *q, const struct rnl_pool *pool)
{
	struct found f = {0};
	const char *broken = check_sequence(q, pool, &f);

	return broken != NULL ? broken : check_time(q, pool, f.waiting);
}
