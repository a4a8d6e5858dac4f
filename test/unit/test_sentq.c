/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue of sent ranges: cases by hand, then random steps against a model that knows each
 * number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "algo/sentq.h"
#include "base/prng.h"
#include "base/seq.h"

struct world {
	struct rnl_pool pool;
	struct rnl_sentq q;
	void *mem;
};

static void world_init(struct world *w, uint32_t ranges)
{
	w->mem = calloc(1, rnl_pool_bytes(ranges, sizeof(struct rnl_range)));
	assert_non_null(w->mem);
	rnl_pool_init(&w->pool, w->mem, ranges, sizeof(struct rnl_range),
	              offsetof(struct rnl_range, next));
	w->q = (struct rnl_sentq){0};
}

static void world_end(struct world *w)
{
	rnl_sentq_clear(&w->q, &w->pool);
	assert_int_equal(w->pool.used, 0);
	assert_true(rnl_sentq_empty(&w->q));
	free(w->mem);
}

static void check(const struct world *w)
{
	const char *broken = rnl_sentq_check(&w->q, &w->pool);

	if (broken != NULL)
		fail_msg("sentq: %s", broken);
}

static uint32_t push(struct world *w, uint32_t seq, uint32_t len, uint64_t now, uint8_t flags)
{
	struct rnl_range r = {.seq = seq,
	                      .end = seq + len,
	                      .sent_us = now,
	                      .delivered = (uint32_t)now * 3,
	                      .delivered_us = now + 1,
	                      .first_sent_us = now + 2,
	                      .mss = 1,
	                      .flags = flags};
	uint32_t i = rnl_sentq_push(&w->q, &w->pool, &r);

	check(w);
	return i;
}

static void resent(struct world *w, uint32_t i, uint64_t now)
{
	struct rnl_range r = {.sent_us = now,
	                      .delivered = (uint32_t)now * 3,
	                      .delivered_us = now + 1,
	                      .first_sent_us = now + 2};

	rnl_sentq_resent(&w->q, &w->pool, i, &r);
	check(w);
}

static void ack(struct world *w, uint32_t una, struct rnl_sentq_acked *a)
{
	*a = (struct rnl_sentq_acked){.spurious_after_us = UINT64_MAX};
	rnl_sentq_ack(&w->q, &w->pool, una, a);
	check(w);
}

/* @return steps taken. */
static unsigned int sack(struct world *w, uint32_t left, uint32_t right, struct rnl_sentq_acked *a)
{
	struct rnl_sack block = {left, right};
	unsigned int steps = 1000;

	rnl_sentq_sack(&w->q, &w->pool, &block, &steps, a);
	check(w);
	return 1000 - steps;
}

static struct rnl_range *at(const struct world *w, uint32_t i)
{
	return rnl_sentq_at(&w->pool, i);
}

static void sentq__ack_of_whole_ranges(void **state)
{
	struct rnl_sentq_acked a;
	struct world w;

	world_init(&w, 8);
	push(&w, 1000, 100, 10, 0);
	push(&w, 1100, 100, 20, 0);
	push(&w, 1200, 100, 30, 0);
	ack(&w, 1200, &a);
	check(&w);
	assert_int_equal(a.bytes, 200);
	assert_int_equal(a.rtt_sent_us, 20);
	assert_int_equal(a.sent_us, 20);
	assert_int_equal(a.delivered, 60);
	assert_int_equal(a.delivered_us, 21);
	assert_int_equal(a.first_sent_us, 22);
	assert_int_equal(w.q.count, 1);
	ack(&w, 1200, &a); /* nothing new */
	assert_int_equal(a.bytes, 0);
	ack(&w, 1300, &a);
	assert_true(rnl_sentq_empty(&w.q));
	ack(&w, 1300, &a); /* on an empty queue */
	assert_int_equal(a.bytes, 0);
	world_end(&w);
}

static void sentq__ack_inside_a_range_needs_no_record(void **state)
{
	struct rnl_sentq_acked a;
	struct world w;

	world_init(&w, 1);
	push(&w, 1000, 100, 10, 0);
	rnl_sentq_mark_all_lost(&w.q, &w.pool);
	ack(&w, 1001, &a);
	check(&w);
	assert_int_equal(a.bytes, 1);
	assert_int_equal(w.q.lost_bytes, 99);
	assert_int_equal(at(&w, w.q.head)->seq, 1001);
	world_end(&w);
}

static void sentq__syn_and_fin_stay_at_their_ends(void **state)
{
	struct rnl_sentq_acked a;
	struct world w;
	uint32_t i, j;

	world_init(&w, 8);
	i = push(&w, UINT32_MAX, 12, 10, RNL_RANGE_SYN | RNL_RANGE_FIN);
	j = rnl_sentq_split(&w.q, &w.pool, i, 4);
	check(&w);
	assert_int_equal(at(&w, i)->flags, RNL_RANGE_SYN);
	assert_int_equal(at(&w, j)->flags, RNL_RANGE_FIN);
	ack(&w, 0, &a);
	check(&w);
	assert_int_equal(a.flags, RNL_RANGE_SYN);
	assert_int_equal(at(&w, w.q.head)->flags, 0);
	ack(&w, 10, &a);
	check(&w);
	assert_int_equal(a.flags, 0);
	ack(&w, 11, &a);
	assert_int_equal(a.flags, RNL_RANGE_FIN);
	world_end(&w);
}

/* RFC 6298 3. */
static void sentq__karn(void **state)
{
	struct rnl_sentq_acked a;
	struct world w;
	uint32_t i;

	world_init(&w, 8);
	i = push(&w, 0, 100, 10, 0);
	push(&w, 100, 100, 20, 0);
	resent(&w, i, 50);
	ack(&w, 100, &a);
	assert_int_equal(a.rtt_sent_us, 0); /* ambiguous */
	assert_int_equal(a.sent_us, 50);
	assert_int_equal(a.delivered, 150);
	ack(&w, 200, &a);
	assert_int_equal(a.rtt_sent_us, 20);
	world_end(&w);
}

static void sentq__sacked_gives_no_sample_again(void **state)
{
	struct rnl_sentq_acked a = {.spurious_after_us = UINT64_MAX};
	struct world w;

	world_init(&w, 8);
	push(&w, 0, 100, 10, 0);
	push(&w, 100, 100, 20, 0);
	sack(&w, 100, 200, &a);
	assert_int_equal(a.new_sacked_bytes, 100);
	assert_int_equal(a.rtt_sent_us, 20);
	assert_int_equal(w.q.sacked_bytes, 100);
	rnl_sentq_mark_lost(&w.q, &w.pool, w.q.tail);
	assert_int_equal(w.q.lost_bytes, 0);
	ack(&w, 200, &a);
	assert_int_equal(a.bytes, 200);
	assert_int_equal(a.sacked_bytes, 100);
	assert_int_equal(a.sent_us, 10);
	assert_int_equal(w.q.sacked_bytes, 0);
	world_end(&w);
}

/* Neighbours become one: the scoreboard is as long as it has holes. */
static void sentq__sacked_neighbours_merge(void **state)
{
	struct rnl_sentq_acked a = {.spurious_after_us = UINT64_MAX};
	struct world w;

	world_init(&w, 16);
	for (uint32_t k = 0; k < 10; k++)
		push(&w, k * 100, 100, k, 0);
	sack(&w, 300, 400, &a);
	sack(&w, 500, 600, &a);
	assert_int_equal(w.q.count, 10);
	sack(&w, 300, 600, &a); /* joins both and what lies between */
	assert_int_equal(w.q.count, 8);
	assert_int_equal(a.new_sacked_bytes, 300);
	sack(&w, 100, 1000, &a);
	assert_int_equal(w.q.count, 2);
	assert_int_equal(w.q.sacked_bytes, 900);
	assert_int_equal(w.q.thead, w.q.head);
	assert_int_equal(w.q.ttail, w.q.head);
	world_end(&w);
}

/* RFC 2018 5: only whole segments, so that a peer cannot cut what it likes (CVE-2019-11477). */
static void sentq__sack_takes_whole_segments(void **state)
{
	struct rnl_sentq_acked a = {.spurious_after_us = UINT64_MAX};
	struct world w;
	uint32_t i;

	world_init(&w, 16);
	i = push(&w, 0, 1000, 1, 0);
	at(&w, i)->mss = 300; /* 0 300 600 900 */
	sack(&w, 299, 301, &a);
	sack(&w, 1, 300, &a);
	sack(&w, 901, 1000, &a);
	assert_int_equal(a.new_sacked_bytes, 0);
	assert_int_equal(w.q.count, 1);
	sack(&w, 1, 650, &a);
	assert_int_equal(a.new_sacked_bytes, 300);
	assert_int_equal(w.q.count, 3);
	sack(&w, 700, 1000, &a); /* the last is short */
	assert_int_equal(a.new_sacked_bytes, 400);
	world_end(&w);
}

/* RFC 8985 6.2, step 3. */
static void sentq__order_of_delivery(void **state)
{
	struct rnl_sentq_acked a = {.spurious_after_us = UINT64_MAX};
	struct world w;

	world_init(&w, 16);
	for (uint32_t k = 0; k < 6; k++)
		push(&w, 0u - 250 + k * 100, 100, k, 0);
	sack(&w, 0u - 150, 0u - 50, &a);
	sack(&w, 50, 150, &a);
	assert_int_equal(a.reordered_by, 0);
	sack(&w, 0u - 50, 50, &a);
	assert_int_equal(a.reordered_by, 100);
	resent(&w, w.q.head, 9);
	ack(&w, 0u - 150, &a); /* sent twice: says nothing */
	assert_int_equal(a.reordered_by, 0);
	world_end(&w);
}

/* RFC 8985 6.2, step 2: a retransmission that is too young is not what arrived. */
static void sentq__young_retransmission_is_ignored(void **state)
{
	struct rnl_sentq_acked a = {.spurious_after_us = 49};
	struct world w;

	world_init(&w, 8);
	push(&w, 0, 100, 10, 0);
	push(&w, 100, 100, 20, 0);
	resent(&w, w.q.head, 50);
	rnl_sentq_ack(&w.q, &w.pool, 100, &a);
	assert_false(a.delivered_any);
	a.spurious_after_us = 50;
	resent(&w, w.q.head, 50);
	rnl_sentq_ack(&w.q, &w.pool, 200, &a);
	assert_true(a.delivered_any);
	assert_int_equal(a.sent_us, 50);
	assert_int_equal(a.end, 200);
	world_end(&w);
}

/* Far jumps cost a bounded number of steps, and the next try goes on from there (CVE-2019-11478).
 * RFC 6675 4. */
static void sentq__search_is_bounded(void **state)
{
	struct rnl_sentq_acked a = {.spurious_after_us = UINT64_MAX};
	struct rnl_sack block = {60000, 60100};
	struct world w;
	unsigned int steps, tries = 0;

	world_init(&w, 1200);
	for (uint32_t k = 0; k < 1200; k++)
		push(&w, k * 100, 100, k, 0);
	do {
		steps = 64;
		a.capped = false;
		rnl_sentq_sack(&w.q, &w.pool, &block, &steps, &a);
		tries++;
	} while (a.capped);
	assert_int_equal(a.new_sacked_bytes, 100);
	assert_in_range(tries, 5, 15);
	assert_in_range(sack(&w, 60000, 60300, &a), 1, 8); /* near the last */
	assert_in_range(sack(&w, 119900, 120000, &a), 1, 4); /* the tail */
	assert_in_range(sack(&w, 100, 200, &a), 1, 8); /* the head */
	world_end(&w);
}

/* What a hostile peer costs: 64 segments are out, `blocks` come three to an ACK with `budget` steps. */
struct attack {
	struct world w;
	struct rnl_sentq_acked a;
	unsigned int most; /* steps of the costliest ACK */
};

#define ATTACK_SEGMENTS 64u
#define ATTACK_MSS 1000u
#define ATTACK_BUDGET 256u

static void attack_init(struct attack *x)
{
	*x = (struct attack){.a.spurious_after_us = UINT64_MAX};
	world_init(&x->w, 4 * ATTACK_SEGMENTS);
	for (uint32_t k = 0; k < ATTACK_SEGMENTS / 8; k++) { /* as TSO sends them: eight to a range */
		struct rnl_range r = {.seq = k * 8 * ATTACK_MSS,
		                      .end = (k + 1) * 8 * ATTACK_MSS,
		                      .sent_us = k,
		                      .mss = ATTACK_MSS};

		rnl_sentq_push(&x->w.q, &x->w.pool, &r);
	}
}

static void attack_ack(struct attack *x, const struct rnl_sack *blocks, unsigned int n)
{
	unsigned int steps = ATTACK_BUDGET;

	for (unsigned int i = 0; i < n; i++)
		rnl_sentq_sack(&x->w.q, &x->w.pool, &blocks[i], &steps, &x->a);
	if (ATTACK_BUDGET - steps > x->most)
		x->most = ATTACK_BUDGET - steps;
	check(&x->w);
	/* A record for each segment is the most (CVE-2019-11477), and each range costs a step or two. */
	assert_in_range(x->w.q.count, 1, ATTACK_SEGMENTS);
	assert_in_range(x->most, 0, 3 * ATTACK_SEGMENTS);
}

/* RFC 6675 4: blocks of one octet cut nothing into crumbs (CVE-2019-11477, CVE-2019-5599). */
static void sentq__attack_single_octets(void **state)
{
	struct attack x;

	attack_init(&x);
	for (uint32_t at = 0; at + 5 < ATTACK_SEGMENTS * ATTACK_MSS; at += 6) {
		const struct rnl_sack b[] = {{at, at + 1}, {at + 2, at + 3}, {at + 4, at + 5}};

		attack_ack(&x, b, 3);
	}
	assert_int_equal(x.w.q.sacked_bytes, 0);
	assert_int_equal(x.w.q.count, ATTACK_SEGMENTS / 8);
	world_end(&x.w);
}

/* RFC 6675 4: every second segment SACKed is as many records as segments; no more, whatever follows. */
static void sentq__attack_alternating_segments(void **state)
{
	struct attack x;

	attack_init(&x);
	for (int pass = 0; pass < 3; pass++) {
		for (uint32_t k = 0; k < ATTACK_SEGMENTS; k += 2) {
			uint32_t left = k * ATTACK_MSS;
			const struct rnl_sack b[] = {{left, left + ATTACK_MSS},
			                             {left + 1, left + ATTACK_MSS - 1},
			                             {left, left + ATTACK_MSS + 1}};

			attack_ack(&x, b, 3);
		}
		assert_int_equal(x.w.q.count, ATTACK_SEGMENTS);
		assert_int_equal(x.w.q.sacked_bytes, ATTACK_SEGMENTS / 2 * ATTACK_MSS);
	}
	/* Filling the holes makes one record of all. */
	attack_ack(&x, &(struct rnl_sack){0, ATTACK_SEGMENTS * ATTACK_MSS}, 1);
	assert_int_equal(x.w.q.count, 1);
	world_end(&x.w);
}

/* RFC 6675 4: blocks from the back to the front and from end to end stay within the steps of a walk
 * (CVE-2019-11478). */
static void sentq__attack_reversed_and_far(void **state)
{
	struct attack x;

	attack_init(&x);
	for (uint32_t k = ATTACK_SEGMENTS; k > 2; k -= 2) {
		uint32_t left = (k - 1) * ATTACK_MSS, mirror = (ATTACK_SEGMENTS - k + 1) * ATTACK_MSS;
		const struct rnl_sack b[] = {{left, left + ATTACK_MSS},
		                             {mirror, mirror + 1},
		                             {left, left + 1}};

		attack_ack(&x, b, 3);
	}
	assert_int_equal(x.w.q.sacked_bytes, (ATTACK_SEGMENTS / 2 - 1) * ATTACK_MSS);
	world_end(&x.w);
}

/* RFC 2018 5: blocks that overlap each other, or repeat what is known, add nothing. */
static void sentq__attack_overlapping_and_old(void **state)
{
	struct attack x;
	uint32_t sacked;

	attack_init(&x);
	for (uint32_t k = 0; k < ATTACK_SEGMENTS - 4; k++) {
		uint32_t left = k * ATTACK_MSS + k;
		const struct rnl_sack b[] = {{left, left + 3 * ATTACK_MSS},
		                             {left + 500, left + 3 * ATTACK_MSS},
		                             {left, left + ATTACK_MSS + 1}};

		attack_ack(&x, b, 3);
	}
	sacked = x.w.q.sacked_bytes;
	assert_int_equal(x.a.new_sacked_bytes, sacked);
	for (int i = 0; i < 1000; i++)
		attack_ack(&x, &(struct rnl_sack){2000, 4000}, 1);
	assert_int_equal(x.w.q.sacked_bytes, sacked);
	world_end(&x.w);
}

/* RFC 2018 8. */
static void sentq__renege(void **state)
{
	struct rnl_sentq_acked a = {.spurious_after_us = UINT64_MAX};
	struct world w;

	world_init(&w, 8);
	push(&w, 0, 100, 10, 0);
	push(&w, 100, 100, 20, 0);
	sack(&w, 100, 200, &a);
	rnl_sentq_renege(&w.q, &w.pool);
	check(&w);
	assert_int_equal(w.q.sacked_bytes, 0);
	assert_int_equal(w.q.lost_bytes, 100);
	assert_int_equal(rnl_sentq_first_lost(&w.q, &w.pool), w.q.tail);
	rnl_sentq_mark_lost(&w.q, &w.pool, w.q.head);
	rnl_sentq_unmark_lost(&w.q, &w.pool, 99);
	check(&w);
	assert_int_equal(w.q.lost_bytes, 0);
	assert_int_equal(w.q.lost_total, 100);
	assert_int_equal(at(&w, w.q.thead)->sent_us, 99);
	world_end(&w);
}

static void sentq__lost_again_after_retransmission(void **state)
{
	struct world w;
	uint32_t i, j;

	world_init(&w, 8);
	i = push(&w, 0, 100, 10, 0);
	j = push(&w, 100, 100, 11, 0);
	assert_int_equal(rnl_sentq_first_lost(&w.q, &w.pool), RNL_NIL);
	rnl_sentq_mark_lost(&w.q, &w.pool, j);
	rnl_sentq_mark_lost(&w.q, &w.pool, j);
	assert_int_equal(w.q.lost_bytes, 100);
	assert_int_equal(rnl_sentq_first_lost(&w.q, &w.pool), j);
	rnl_sentq_mark_lost(&w.q, &w.pool, i);
	assert_int_equal(rnl_sentq_first_lost(&w.q, &w.pool), i);
	resent(&w, i, 20);
	assert_int_equal(w.q.lost_bytes, 100);
	assert_int_equal(w.q.retrans_bytes, 100);
	assert_int_equal(w.q.thead, i); /* the other is lost: it cannot arrive */
	assert_int_equal(w.q.ttail, i);
	assert_int_equal(rnl_sentq_first_lost(&w.q, &w.pool), j);
	rnl_sentq_mark_all_lost(&w.q, &w.pool);
	check(&w);
	assert_int_equal(w.q.lost_bytes, 200);
	assert_int_equal(w.q.retrans_bytes, 0);
	assert_int_equal(rnl_sentq_first_lost(&w.q, &w.pool), i);
	world_end(&w);
}

static void sentq__empty_pool_changes_nothing(void **state)
{
	struct rnl_sentq_acked a;
	struct rnl_sentq was;
	struct world w;
	uint32_t i;

	world_init(&w, 2);
	i = push(&w, 0, 100, 10, 0);
	push(&w, 100, 100, 11, 0);
	was = w.q;
	assert_int_equal(push(&w, 200, 100, 12, 0), RNL_NIL);
	assert_int_equal(rnl_sentq_split(&w.q, &w.pool, i, 50), RNL_NIL);
	assert_memory_equal(&was, &w.q, sizeof(was));
	assert_int_equal(at(&w, i)->end, 100);
	ack(&w, 100, &a);
	assert_int_not_equal(push(&w, 200, 100, 12, 0), RNL_NIL);
	world_end(&w);
}

static void sentq__sends_saturate(void **state)
{
	struct world w;
	uint32_t i;

	world_init(&w, 1);
	i = push(&w, 0, 1, 1, 0);
	for (uint64_t n = 2; n < 400; n++)
		resent(&w, i, n);
	assert_int_equal(at(&w, i)->sends, UINT8_MAX);
	world_end(&w);
}

/* ---- the model: one record for each sequence number in flight ---- */

#define MODEL_MAX 4096

struct number {
	uint64_t sent_us;
	uint32_t sends;
	uint8_t flags;
};

struct model {
	struct number n[MODEL_MAX]; /* [0] is una */
	uint32_t una, len;
	uint64_t now;
	struct rnl_prng prng;
};

static uint32_t below(struct model *m, uint32_t n)
{
	return rnl_prng_below(&m->prng, n);
}

/* Every range must say of each of its numbers what the model says. */
static void compare(struct world *w, struct model *m)
{
	uint32_t k = 0, lost = UINT32_MAX, sum[3] = {0}, i;

	check(w);
	for (i = w->q.head; i != RNL_NIL; i = at(w, i)->next) {
		const struct rnl_range *r = at(w, i);

		assert_int_equal(r->seq, m->una + k);
		for (uint32_t seq = r->seq; seq != r->end; seq++, k++) {
			const struct number *n = &m->n[k];

			assert_true(k < m->len);
			sum[1] += (n->flags & RNL_RANGE_SACKED) != 0;
			if (r->flags & RNL_RANGE_SACKED) { /* nothing else matters any more */
				assert_true(n->flags & RNL_RANGE_SACKED);
				continue;
			}
			assert_int_equal(r->flags, n->flags);
			assert_int_equal(r->sends, n->sends);
			assert_int_equal(r->sent_us, n->sent_us);
			assert_int_equal(r->delivered, n->sent_us * 3);
			sum[0] += (n->flags & RNL_RANGE_LOST) != 0;
			sum[2] += n->flags == RNL_RANGE_RETRANS;
			if ((n->flags & RNL_RANGE_LOST) && lost == UINT32_MAX)
				lost = k;
		}
	}
	assert_int_equal(k, m->len);
	assert_int_equal(w->q.lost_bytes, sum[0]);
	assert_int_equal(w->q.sacked_bytes, sum[1]);
	assert_int_equal(w->q.retrans_bytes, sum[2]);
	i = rnl_sentq_first_lost(&w->q, &w->pool);
	if (lost == UINT32_MAX)
		assert_int_equal(i, RNL_NIL);
	else
		assert_int_equal(at(w, i)->seq, m->una + lost);
}

static uint32_t any_range(struct world *w, struct model *m)
{
	uint32_t i = w->q.head;

	for (uint32_t n = w->q.count ? below(m, w->q.count) : 0; n > 0; n--)
		i = at(w, i)->next;
	return i;
}

static void step_push(struct world *w, struct model *m)
{
	uint32_t len = 1 + below(m, 60);

	if (m->len + len > MODEL_MAX)
		return;
	if (push(w, m->una + m->len, len, m->now, 0) == RNL_NIL) {
		assert_int_equal(rnl_pool_avail(&w->pool), 0);
		return;
	}
	for (uint32_t k = 0; k < len; k++)
		m->n[m->len++] = (struct number){.sent_us = m->now, .sends = 1};
}

static void step_ack(struct world *w, struct model *m)
{
	uint32_t len = below(m, m->len + 1), sacked = 0;
	uint64_t sent = 0, rtt = 0;
	struct rnl_sentq_acked a;

	if (below(m, 4) != 0 && len > 100)
		len = below(m, 100);
	for (uint32_t k = 0; k < len; k++) {
		const struct number *n = &m->n[k];

		sacked += (n->flags & RNL_RANGE_SACKED) != 0;
		if (n->flags & RNL_RANGE_SACKED)
			continue;
		if (n->sent_us > sent)
			sent = n->sent_us;
		if (n->sends == 1 && n->sent_us > rtt)
			rtt = n->sent_us;
	}
	ack(w, m->una + len, &a);
	assert_int_equal(a.bytes, len);
	assert_int_equal(a.sacked_bytes, sacked);
	assert_int_equal(a.sent_us, sent);
	assert_int_equal(a.rtt_sent_us, rtt);
	assert_int_equal(a.delivered, sent * 3);
	m->una += len;
	m->len -= len;
	memmove(m->n, m->n + len, m->len * sizeof(m->n[0]));
}

static void step_split(struct world *w, struct model *m)
{
	uint32_t i = any_range(w, m), len;

	if (i == RNL_NIL || (len = at(w, i)->end - at(w, i)->seq) < 2 ||
	    (at(w, i)->flags & RNL_RANGE_SACKED))
		return;
	if (rnl_sentq_split(&w->q, &w->pool, i, at(w, i)->seq + 1 + below(m, len - 1)) == RNL_NIL)
		assert_int_equal(rnl_pool_avail(&w->pool), 0);
}

static void step_lose(struct world *w, struct model *m)
{
	uint32_t i = any_range(w, m);

	if (i == RNL_NIL)
		return;
	for (uint32_t k = at(w, i)->seq - m->una; k != at(w, i)->end - m->una; k++)
		if (!(m->n[k].flags & RNL_RANGE_SACKED))
			m->n[k].flags |= RNL_RANGE_LOST;
	rnl_sentq_mark_lost(&w->q, &w->pool, i);
}

/* Which ranges are SACKED now, the queue says; all of the block must be, if no record was missing. */
static void step_sack(struct world *w, struct model *m)
{
	struct rnl_sentq_acked a = {.spurious_after_us = UINT64_MAX};
	uint32_t from = below(m, m->len + 1), to = from + below(m, m->len - from + 1), new = 0;
	bool enough = rnl_pool_avail(&w->pool) >= 2;

	if (from == to)
		return;
	sack(w, m->una + from, m->una + to, &a);
	for (uint32_t i = w->q.head; i != RNL_NIL; i = at(w, i)->next) {
		const struct rnl_range *r = at(w, i);

		for (uint32_t k = r->seq - m->una; k != r->end - m->una; k++) {
			bool was = m->n[k].flags & RNL_RANGE_SACKED;
			bool is = r->flags & RNL_RANGE_SACKED;

			assert_true(is == was || (is && k >= from && k < to));
			assert_true(is || !enough || k < from || k >= to);
			new += is && !was;
			if (is)
				m->n[k].flags = RNL_RANGE_SACKED;
		}
	}
	assert_int_equal(a.new_sacked_bytes, new);
}

static void step_resend(struct world *w, struct model *m)
{
	uint32_t i = below(m, 2) ? rnl_sentq_first_lost(&w->q, &w->pool) : any_range(w, m);

	if (i == RNL_NIL || at(w, i)->sends >= 200 || (at(w, i)->flags & RNL_RANGE_SACKED))
		return;
	for (uint32_t k = at(w, i)->seq - m->una; k != at(w, i)->end - m->una; k++) {
		m->n[k].flags = (uint8_t)((m->n[k].flags & ~RNL_RANGE_LOST) | RNL_RANGE_RETRANS);
		m->n[k].sent_us = m->now;
		m->n[k].sends++;
	}
	resent(w, i, m->now);
}

static void step(struct world *w, struct model *m)
{
	switch (below(m, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		step_push(w, m);
		break;
	case 4:
	case 5:
		step_ack(w, m);
		break;
	case 6:
		step_split(w, m);
		break;
	case 7:
	case 8:
		step_lose(w, m);
		break;
	case 9:
		step_sack(w, m);
		break;
	default:
		step_resend(w, m);
		break;
	}
	if (below(m, 100) == 0) {
		rnl_sentq_mark_all_lost(&w->q, &w->pool);
		for (uint32_t k = 0; k < m->len; k++)
			if (!(m->n[k].flags & RNL_RANGE_SACKED))
				m->n[k].flags |= RNL_RANGE_LOST;
	}
	m->now += below(m, 3);
}

static void run_seed(uint64_t seed, uint32_t ranges)
{
	struct model *m = calloc(1, sizeof(*m));
	struct world w;

	assert_non_null(m);
	world_init(&w, ranges);
	rnl_prng_seed(&m->prng, seed);
	m->una = seed & 1 ? UINT32_MAX - below(m, 3000) : INT32_MAX - below(m, 3000);
	m->now = 1;
	for (int n = 0; n < 400; n++) {
		step(&w, m);
		compare(&w, m);
	}
	world_end(&w);
	free(m);
}

static void sentq__random_steps_equal_the_model(void **state)
{
	for (uint64_t seed = 0; seed < 60; seed++)
		run_seed(seed, 1000);
}

static void sentq__random_steps_with_a_small_pool(void **state)
{
	for (uint64_t seed = 1000; seed < 1060; seed++)
		run_seed(seed, 1 + (uint32_t)(seed % 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sentq__ack_of_whole_ranges),
	    cmocka_unit_test(sentq__ack_inside_a_range_needs_no_record),
	    cmocka_unit_test(sentq__syn_and_fin_stay_at_their_ends),
	    cmocka_unit_test(sentq__karn),
	    cmocka_unit_test(sentq__sacked_gives_no_sample_again),
	    cmocka_unit_test(sentq__sacked_neighbours_merge),
	    cmocka_unit_test(sentq__sack_takes_whole_segments),
	    cmocka_unit_test(sentq__order_of_delivery),
	    cmocka_unit_test(sentq__young_retransmission_is_ignored),
	    cmocka_unit_test(sentq__search_is_bounded),
	    cmocka_unit_test(sentq__attack_single_octets),
	    cmocka_unit_test(sentq__attack_alternating_segments),
	    cmocka_unit_test(sentq__attack_reversed_and_far),
	    cmocka_unit_test(sentq__attack_overlapping_and_old),
	    cmocka_unit_test(sentq__renege),
	    cmocka_unit_test(sentq__lost_again_after_retransmission),
	    cmocka_unit_test(sentq__empty_pool_changes_nothing),
	    cmocka_unit_test(sentq__sends_saturate),
	    cmocka_unit_test(sentq__random_steps_equal_the_model),
	    cmocka_unit_test(sentq__random_steps_with_a_small_pool),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
