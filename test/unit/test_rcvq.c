/* SPDX-License-Identifier: BSD-3-Clause */
/* The receive queue: cases by hand, then random packets and reads against a flat copy of the
 * stream. */
#include "env.h"

#include <stdlib.h>

#include "algo/rcvq.h"
#include "base/prng.h"

#define MAX_SPANS 64

static bool append(struct rnl_rcvq *q, const char *text, bool compact)
{
	return rnl_rcvq_append(q, rnl_test_mbuf(text, (uint32_t)strlen(text)), compact);
}

/* The first spans hold exactly `text`, in `pieces` pieces. */
static void expect(const struct rnl_rcvq *q, const char *text, unsigned int pieces)
{
	struct rnl_span spans[MAX_SPANS];
	size_t total, at = 0;
	unsigned int n = rnl_rcvq_spans(q, spans, MAX_SPANS, &total);

	assert_int_equal(n, pieces);
	assert_int_equal(total, strlen(text));
	assert_int_equal(q->bytes, total);
	for (unsigned int i = 0; i < n; at += spans[i++].len)
		assert_memory_equal(spans[i].data, text + at, spans[i].len);
	assert_int_equal(q->bufs, rnl_test_mbufs_out());
}

static void rcvq__spans_over_chains(void **state)
{
	static const uint32_t cuts[] = {0, 2, 2, 4};
	struct rnl_rcvq q = {0};
	struct rnl_span spans[2];
	size_t total;

	assert_false(rnl_rcvq_append(&q, rnl_test_chain("abcdef", 6, cuts, 4), false));
	assert_false(append(&q, "gh", false));
	expect(&q, "abcdefgh", 4); /* empty segments are no spans */
	assert_int_equal(rnl_rcvq_spans(&q, spans, 2, &total), 2);
	assert_int_equal(total, 4);
	assert_ptr_equal(spans[0].data, rte_pktmbuf_mtod(spans[0].buf, void *));
	assert_int_equal(rnl_rcvq_clear(&q), 6);
	assert_null(q.head);
	assert_int_equal(q.bytes, 0);
}

static void rcvq__consume_in_part(void **state)
{
	struct rnl_rcvq q = {0};

	append(&q, "abc", false);
	append(&q, "def", false);
	assert_int_equal(rnl_rcvq_consume(&q, 0), 0);
	assert_int_equal(rnl_rcvq_consume(&q, 1), 0);
	expect(&q, "bcdef", 2);
	assert_int_equal(rnl_rcvq_consume(&q, 3), 1);
	expect(&q, "ef", 1);
	assert_int_equal(rnl_rcvq_consume(&q, 2), 1);
	expect(&q, "", 0);
	assert_null(q.tail);
	append(&q, "x", false);
	expect(&q, "x", 1);
	assert_int_equal(rnl_rcvq_clear(&q), 1);
	assert_int_equal(rnl_rcvq_clear(&q), 0);
}

static void rcvq__empty_segments_go_with_the_rest(void **state)
{
	static const uint32_t cuts[] = {0, 3, 3};
	struct rnl_rcvq q = {0};

	rnl_rcvq_append(&q, rnl_test_chain("abc", 3, cuts, 3), false);
	assert_int_equal(q.bufs, 4);
	assert_int_equal(rnl_rcvq_consume(&q, 3), 4);
	assert_true(append(&q, "", false));
	assert_null(q.head);
}

static void rcvq__compacts_into_the_tail(void **state)
{
	static const uint32_t cuts[] = {1, 2};
	struct rnl_rcvq q = {0};

	assert_false(append(&q, "a", true)); /* nothing to copy it behind */
	assert_true(append(&q, "b", true));
	assert_true(rnl_rcvq_append(&q, rnl_test_chain("cdef", 4, cuts, 2), true));
	expect(&q, "abcdef", 1);
	assert_false(append(&q, "g", false));
	expect(&q, "abcdefg", 2);
	rnl_rcvq_clear(&q);
}

static void rcvq__shared_tail_is_not_written(void **state)
{
	struct rnl_rcvq q = {0};
	struct rte_mbuf *held;

	append(&q, "a", false);
	held = q.tail;
	rte_mbuf_refcnt_update(held, 1); /* the application keeps it */
	assert_false(append(&q, "b", true));
	assert_int_equal(held->data_len, 1);
	assert_int_equal(rnl_rcvq_consume(&q, 1), 1);
	assert_null(held->next); /* freeing it must not free what was behind it */
	rte_pktmbuf_free(held);
	expect(&q, "b", 1);
	rnl_rcvq_clear(&q);
}

static void rcvq__full_tail_is_not_written(void **state)
{
	struct rnl_rcvq q = {0};
	char *text = calloc(1, 2048);

	memset(text, 'x', 2047);
	append(&q, text, false);
	assert_int_equal(rte_pktmbuf_tailroom(q.tail), 1);
	assert_false(append(&q, "bc", true));
	rnl_rcvq_clear(&q);
	append(&q, text, false);
	assert_true(append(&q, "b", true));
	assert_int_equal(rte_pktmbuf_tailroom(q.tail), 0);
	rnl_rcvq_clear(&q);
	free(text);
}

/* ---- random steps ---- */

struct model {
	struct rnl_rcvq q;
	struct rnl_prng prng;
	uint8_t next;  /* next octet of the stream; it counts */
	uint8_t first; /* first octet that is queued */
	struct rte_mbuf *held[8];
};

static uint32_t below(struct model *m, uint32_t n)
{
	return rnl_prng_below(&m->prng, n);
}

static void step_append(struct model *m)
{
	uint8_t data[3000];
	uint32_t cuts[4], n = below(m, 5), len = below(m, below(m, 2) ? 20 : sizeof(data));
	uint32_t bufs = m->q.bufs;
	struct rte_mbuf *chain;
	uint16_t segs;

	for (uint32_t i = 0; i < len; i++)
		data[i] = m->next++;
	for (uint32_t i = 0; i < n; i++)
		cuts[i] = (i > 0 ? cuts[i - 1] : 0) + below(m, 300);
	chain = rnl_test_chain(data, len, cuts, n);
	segs = chain->nb_segs;
	if (rnl_rcvq_append(&m->q, chain, below(m, 2) != 0))
		segs = 0;
	assert_int_equal(m->q.bufs, bufs + segs);
}

static void step_consume(struct model *m)
{
	uint32_t len = below(m, m->q.bytes + 1), bufs = m->q.bufs;
	uint32_t freed = rnl_rcvq_consume(&m->q, len);

	assert_int_equal(freed, bufs - m->q.bufs);
	m->first = (uint8_t)(m->first + len);
}

/* The application keeps a buffer, or lets go of one. */
static void step_hold(struct model *m)
{
	struct rte_mbuf **slot = &m->held[below(m, 8)];

	if (*slot != NULL) {
		rte_pktmbuf_free_seg(*slot);
		*slot = NULL;
		return;
	}
	*slot = m->q.head;
	if (*slot != NULL)
		rte_mbuf_refcnt_update(*slot, 1);
}

static void compare(const struct model *m)
{
	struct rnl_span spans[MAX_SPANS];
	size_t total, at = 0;
	unsigned int n = rnl_rcvq_spans(&m->q, spans, MAX_SPANS, &total);

	assert_true(total == m->q.bytes || n == MAX_SPANS);
	for (unsigned int i = 0; i < n; i++)
		for (uint32_t k = 0; k < spans[i].len; k++)
			assert_int_equal(((const uint8_t *)spans[i].data)[k],
			                 (uint8_t)(m->first + at++));
	assert_int_equal(at, total);
}

static void run_seed(uint64_t seed)
{
	struct model m = {0};

	rnl_prng_seed(&m.prng, seed);
	for (int n = 0; n < 200; n++) {
		uint32_t what = below(&m, 8);

		if (what < 3)
			step_append(&m);
		else if (what < 6)
			step_consume(&m);
		else
			step_hold(&m);
		compare(&m);
	}
	rnl_rcvq_clear(&m.q);
	for (int i = 0; i < 8; i++)
		if (m.held[i] != NULL)
			rte_pktmbuf_free(m.held[i]); /* as a chain: its links must be cut */
	assert_int_equal(rnl_test_mbufs_out(), 0);
}

static void rcvq__random_steps_equal_the_stream(void **state)
{
	for (uint64_t seed = 0; seed < 100; seed++)
		run_seed(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(rcvq__spans_over_chains),
	    rnl_unit_test(rcvq__consume_in_part),
	    rnl_unit_test(rcvq__empty_segments_go_with_the_rest),
	    rnl_unit_test(rcvq__compacts_into_the_tail),
	    rnl_unit_test(rcvq__shared_tail_is_not_written),
	    rnl_unit_test(rcvq__full_tail_is_not_written),
	    rnl_unit_test(rcvq__random_steps_equal_the_stream),
	};
	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
