/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out-of-order data as sorted, disjoint runs that never touch. A packet is trimmed to the first gap
 * that it fills and joins the runs on either side; at most RNL_REASM_MAX_RUNS are looked at.
 * Refuses: window arithmetic (the caller has trimmed to the window), overwriting what is there,
 * copying, growing past 65,535 buffers (a chain's own limit). Floor 2.
 * RFC 9293 3.10.7.4 (SHLD-31), RFC 2018 4, RFC 2883 4.2.
 */
#include <errno.h>
#include <stddef.h>

#include "algo/reasm.h"
#include "algo/sentq.h"
#include "base/pkt.h"
#include "base/seq.h"

_Static_assert(sizeof(struct rnl_run) <= sizeof(struct rnl_range), "they share a pool");
_Static_assert(offsetof(struct rnl_run, next) == offsetof(struct rnl_range, next),
               "they share the pool's link");

static struct rnl_run *run_at(const struct rnl_pool *pool, uint32_t i)
{
	return rnl_pool_at(pool, i);
}

/* Segment by segment: nb_segs of a run's first buffer is not kept. */
static void free_chain(struct rte_mbuf *m)
{
	while (m != NULL) {
		struct rte_mbuf *next = m->next;

		m->next = NULL;
		rte_pktmbuf_free_seg(m);
		m = next;
	}
}

/* @return the last run that begins at or before seq. Most packets come behind all others. */
static uint32_t find_before(const struct rnl_reasm *r, const struct rnl_pool *pool, uint32_t seq)
{
	uint32_t i = r->tail;

	while (i != RNL_NIL && rnl_seq_gt(run_at(pool, i)->seq, seq))
		i = run_at(pool, i)->prev;
	return i;
}

/* The second list: by when a segment last came, so that nobody has to look through all runs. */
static void recent_unlink(struct rnl_reasm *r, struct rnl_pool *pool, const struct rnl_run *run)
{
	*(run->newer != RNL_NIL ? &run_at(pool, run->newer)->older : &r->newest) = run->older;
	if (run->older != RNL_NIL)
		run_at(pool, run->older)->newer = run->newer;
}

static void recent_push(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t i)
{
	struct rnl_run *run = run_at(pool, i);

	run->newer = RNL_NIL;
	run->older = r->newest;
	if (r->newest != RNL_NIL)
		run_at(pool, r->newest)->newer = i;
	r->newest = i;
}

static void touch(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t i)
{
	if (r->newest == i)
		return;
	recent_unlink(r, pool, run_at(pool, i));
	recent_push(r, pool, i);
}

static void unlink_run(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t i)
{
	const struct rnl_run *run = run_at(pool, i);

	recent_unlink(r, pool, run);

	*(run->prev != RNL_NIL ? &run_at(pool, run->prev)->next : &r->head) = run->next;
	*(run->next != RNL_NIL ? &run_at(pool, run->next)->prev : &r->tail) = run->prev;
	r->runs--;
	rnl_pool_put(pool, i);
}

/* Frees a run and what it holds. @return its buffers. */
static uint32_t drop_run(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t i)
{
	const struct rnl_run *run = run_at(pool, i);
	uint32_t bufs = run->bufs;

	r->bytes -= run->end - run->seq;
	r->bufs -= bufs;
	free_chain(run->head);
	unlink_run(r, pool, i);
	return bufs;
}

/* A run of one packet, not yet in the list. */
static struct rnl_run run_of(uint32_t seq, struct rte_mbuf *m)
{
	return (struct rnl_run){.seq = seq,
	                        .end = seq + m->pkt_len,
	                        .head = m,
	                        .tail = rte_pktmbuf_lastseg(m),
	                        .bufs = m->nb_segs};
}

/* Puts a run behind `before` (RNL_NIL: first). @return its index, or RNL_NIL: no room. */
static uint32_t insert_run(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t before,
                           const struct rnl_run *run)
{
	uint32_t i = r->runs < RNL_REASM_MAX_RUNS ? rnl_pool_get(pool) : RNL_NIL;
	struct rnl_run *new;

	if (i == RNL_NIL)
		return RNL_NIL;
	new = run_at(pool, i);
	*new = *run;
	new->prev = before;
	new->next = before != RNL_NIL ? run_at(pool, before)->next : r->head;
	*(before != RNL_NIL ? &run_at(pool, before)->next : &r->head) = i;
	*(new->next != RNL_NIL ? &run_at(pool, new->next)->prev : &r->tail) = i;
	recent_push(r, pool, i);
	r->runs++;
	return i;
}

/* Puts b's buffers behind a's. */
static void join(struct rnl_run *a, const struct rnl_run *b)
{
	a->tail->next = b->head;
	a->tail = b->tail;
	a->end = b->end;
	a->bufs += b->bufs;
}

/* Puts b's buffers before a's. */
static void join_front(struct rnl_run *a, const struct rnl_run *b)
{
	b->tail->next = a->head;
	a->head = b->head;
	a->seq = b->seq;
	a->bufs += b->bufs;
}

/* Puts a run that overlaps nothing between `before` and the one behind it, and joins those that
 * touch. @return the run that holds it now, or RNL_NIL: no room. RFC 9293 3.4. */
static uint32_t place(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t before,
                      const struct rnl_run *run)
{
	uint32_t after = before != RNL_NIL ? run_at(pool, before)->next : r->head;
	bool joins_before = before != RNL_NIL && run_at(pool, before)->end == run->seq;
	bool joins_after = after != RNL_NIL && run_at(pool, after)->seq == run->end;

	if (!joins_before && !joins_after)
		return insert_run(r, pool, before, run);
	if (!joins_before) {
		join_front(run_at(pool, after), run);
		return after;
	}
	join(run_at(pool, before), run);
	if (joins_after) {
		join(run_at(pool, before), run_at(pool, after));
		unlink_run(r, pool, after);
	}
	return before;
}

/* What [seq, end) shares with the runs, given the last one that begins at or before seq. */
static bool overlap(const struct rnl_reasm *r, const struct rnl_pool *pool, uint32_t before,
                    const struct rnl_sack *seg, struct rnl_sack *dup)
{
	uint32_t i = before;

	if (i == RNL_NIL || rnl_seq_leq(run_at(pool, i)->end, seg->left))
		i = i != RNL_NIL ? run_at(pool, i)->next : r->head;
	if (i == RNL_NIL || rnl_seq_geq(run_at(pool, i)->seq, seg->right))
		return false;
	dup->left = rnl_seq_max(run_at(pool, i)->seq, seg->left);
	dup->right = rnl_seq_min(run_at(pool, i)->end, seg->right);
	return true;
}

bool rnl_reasm_overlap(const struct rnl_reasm *r, const struct rnl_pool *pool, uint32_t seq,
                       uint32_t end, struct rnl_sack *dup)
{
	const struct rnl_sack seg = {seq, end};

	return overlap(r, pool, find_before(r, pool, seq), &seg, dup);
}

int rnl_reasm_add(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t seq, struct rte_mbuf *m,
                  struct rnl_sack *dup)
{
	uint32_t before = find_before(r, pool, seq), after;
	uint32_t from = seq, to = seq + m->pkt_len, i;
	const struct rnl_sack seg = {from, to};
	struct rnl_sack had = *dup;
	struct rnl_run run;

	overlap(r, pool, before, &seg, &had);

	if (before != RNL_NIL)
		from = rnl_seq_max(from, run_at(pool, before)->end);
	if (rnl_seq_geq(from, to)) {
		if (m->pkt_len != 0)
			touch(r, pool, before);
		*dup = had;
		rte_pktmbuf_free(m);
		return 0;
	}
	after = before != RNL_NIL ? run_at(pool, before)->next : r->head;
	if (after != RNL_NIL)
		to = rnl_seq_min(to, run_at(pool, after)->seq);
	m = rnl_pkt_slice(m, from - seq, to - from);
	run = run_of(from, m);
	i = r->bufs + run.bufs <= UINT16_MAX ? place(r, pool, before, &run) : RNL_NIL;
	if (i == RNL_NIL) {
		rte_pktmbuf_free(m);
		return -ENOBUFS;
	}
	touch(r, pool, i);
	*dup = had;
	r->bytes += to - from;
	r->bufs += run.bufs;
	return (int)(to - from);
}

struct rte_mbuf *rnl_reasm_take(struct rnl_reasm *r, struct rnl_pool *pool, uint32_t rcv_nxt,
                                uint32_t *bytes)
{
	struct rnl_run run;
	struct rte_mbuf *m;

	*bytes = 0;
	while (r->head != RNL_NIL && rnl_seq_leq(run_at(pool, r->head)->end, rcv_nxt))
		drop_run(r, pool, r->head);
	if (r->head == RNL_NIL || rnl_seq_gt(run_at(pool, r->head)->seq, rcv_nxt))
		return NULL;
	run = *run_at(pool, r->head);
	unlink_run(r, pool, r->head);
	r->bytes -= run.end - run.seq;
	r->bufs -= run.bufs;
	m = run.head;
	m->pkt_len = run.end - run.seq;
	m->nb_segs = (uint16_t)run.bufs;
	*bytes = run.end - rcv_nxt;
	return rnl_pkt_slice(m, rcv_nxt - run.seq, *bytes);
}

unsigned int rnl_reasm_recent(const struct rnl_reasm *r, const struct rnl_pool *pool,
                              struct rnl_sack *out, unsigned int n)
{
	unsigned int got = 0;

	for (uint32_t i = r->newest; i != RNL_NIL && got < n; i = run_at(pool, i)->older)
		out[got++] = (struct rnl_sack){run_at(pool, i)->seq, run_at(pool, i)->end};
	return got;
}

uint32_t rnl_reasm_drop_last(struct rnl_reasm *r, struct rnl_pool *pool)
{
	return r->tail != RNL_NIL ? drop_run(r, pool, r->tail) : 0;
}

void rnl_reasm_clear(struct rnl_reasm *r, struct rnl_pool *pool)
{
	while (r->head != RNL_NIL)
		drop_run(r, pool, r->head);
	*r = (struct rnl_reasm){0};
}

/* The buffers of a run: as many and as long as it says. */
static const char *check_chain(const struct rnl_run *run)
{
	const struct rte_mbuf *last = NULL;
	uint32_t bytes = 0, bufs = 0;

	for (const struct rte_mbuf *m = run->head; m != NULL; m = m->next) {
		bytes += m->data_len;
		if (++bufs > run->bufs)
			return "more buffers in a run than counted";
		last = m;
	}
	if (bufs != run->bufs || last != run->tail)
		return "fewer buffers in a run than counted, or a wrong last one";
	return bytes != run->end - run->seq ? "a run whose octets are not its length" : NULL;
}

static const char *check_recent(const struct rnl_reasm *r, const struct rnl_pool *pool)
{
	uint32_t runs = 0, newer = RNL_NIL;

	for (uint32_t i = r->newest; i != RNL_NIL; i = run_at(pool, i)->older) {
		if (++runs > r->runs || run_at(pool, i)->newer != newer)
			return "a broken list of recent runs";
		newer = i;
	}
	return runs != r->runs ? "a list of recent runs that lacks some" : NULL;
}

const char *rnl_reasm_check(const struct rnl_reasm *r, const struct rnl_pool *pool)
{
	uint32_t runs = 0, bytes = 0, bufs = 0, before = RNL_NIL;
	const char *broken;

	for (uint32_t i = r->head; i != RNL_NIL; i = run_at(pool, i)->next) {
		const struct rnl_run *run = run_at(pool, i);

		if (++runs > RNL_REASM_MAX_RUNS)
			return "more runs than allowed";
		if (run->prev != before)
			return "a broken link";
		if (!rnl_seq_lt(run->seq, run->end))
			return "an empty run";
		if (before != RNL_NIL && !rnl_seq_lt(run_at(pool, before)->end, run->seq))
			return "runs that touch, overlap or are not sorted";
		broken = check_chain(run);
		if (broken != NULL)
			return broken;
		bytes += run->end - run->seq;
		bufs += run->bufs;
		before = i;
	}
	if (before != r->tail || runs != r->runs)
		return "a wrong tail or count of runs";
	broken = check_recent(r, pool);
	if (broken != NULL)
		return broken;
	return bytes != r->bytes || bufs != r->bufs ? "a wrong sum of octets or buffers" : NULL;
}
