/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly: cases by hand, then random packets against a map that knows each octet. */
#include "env.h"

#include <errno.h>
#include <stdlib.h>

#include "algo/reasm.h"
#include "base/prng.h"
#include "base/seq.h"

struct world {
	struct rnl_pool pool;
	struct rnl_reasm r;
	struct rnl_sack dup; /* of the last packet */
	void *mem;
};

static void world_init(struct world *w, uint32_t runs)
{
	w->mem = calloc(1, rnl_pool_bytes(runs, sizeof(struct rnl_run)));
	assert_non_null(w->mem);
	rnl_pool_init(&w->pool, w->mem, runs, sizeof(struct rnl_run),
	              offsetof(struct rnl_run, next));
	w->r = (struct rnl_reasm){0};
}

static void world_end(struct world *w)
{
	rnl_reasm_clear(&w->r, &w->pool);
	assert_int_equal(w->pool.used, 0);
	assert_true(rnl_reasm_empty(&w->r));
	free(w->mem);
}

static void check(const struct world *w)
{
	const char *broken = rnl_reasm_check(&w->r, &w->pool);

	if (broken != NULL)
		fail_msg("reasm: %s", broken);
	assert_int_equal(w->r.bufs, rnl_test_mbufs_out());
}

static int add(struct world *w, uint32_t seq, const char *text)
{
	struct rnl_sack had = {seq, seq};
	int rc = rnl_reasm_add(&w->r, &w->pool, seq, rnl_test_mbuf(text, (uint32_t)strlen(text)),
	                       &had);

	w->dup = had;
	check(w);
	return rc;
}

/* Takes from rcv_nxt on: exactly `text`, or nothing when that is NULL. */
static void take(struct world *w, uint32_t rcv_nxt, const char *text)
{
	uint32_t bytes;
	struct rte_mbuf *m = rnl_reasm_take(&w->r, &w->pool, rcv_nxt, &bytes);

	if (text == NULL) {
		assert_null(m);
		assert_int_equal(bytes, 0);
		return;
	}
	assert_non_null(m);
	assert_int_equal(bytes, strlen(text));
	assert_int_equal(m->pkt_len, bytes);
	assert_int_equal(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
	assert_memory_equal(rnl_test_octets(m), text, bytes);
	rte_pktmbuf_free(m);
	check(w);
}

static struct rnl_run *nth(const struct world *w, unsigned int n)
{
	uint32_t i = w->r.head;

	while (n-- > 0)
		i = ((struct rnl_run *)rnl_pool_at(&w->pool, i))->next;
	return rnl_pool_at(&w->pool, i);
}

static void reasm__gap_then_fill(void **state)
{
	struct world w;

	world_init(&w, 4);
	assert_int_equal(add(&w, 105, "fghij"), 5);
	take(&w, 100, NULL);
	assert_int_equal(add(&w, 100, "abcde"), 5);
	assert_int_equal(w.r.runs, 1);
	take(&w, 100, "abcdefghij");
	take(&w, 110, NULL);
	world_end(&w);
}

static void reasm__one_packet_joins_two_runs(void **state)
{
	struct world w;

	world_init(&w, 4);
	add(&w, 10, "aa");
	add(&w, 14, "cc");
	assert_int_equal(w.r.runs, 2);
	assert_int_equal(add(&w, 11, "xbbx"), 2); /* its ends are there already */
	assert_int_equal(w.r.runs, 1);
	take(&w, 10, "aabbcc");
	world_end(&w);
}

/* RFC 9293 3.4. */
static void reasm__first_copy_wins(void **state)
{
	struct world w;

	world_init(&w, 4);
	add(&w, 10, "first");
	assert_int_equal(add(&w, 10, "OTHER"), 0);
	assert_int_equal(add(&w, 8, "ABCDE"), 2);  /* the gap before */
	assert_int_equal(add(&w, 12, "VWXYZ"), 2); /* the gap behind */
	take(&w, 8, "ABfirstYZ");
	world_end(&w);
}

static void reasm__several_gaps_fill_the_first(void **state)
{
	struct world w;

	world_init(&w, 8);
	add(&w, 2, "2");
	add(&w, 4, "4");
	assert_int_equal(add(&w, 0, "abcdefgh"), 2);
	assert_int_equal(add(&w, 0, "abcdefgh"), 1);
	assert_int_equal(add(&w, 0, "abcdefgh"), 3);
	assert_int_equal(add(&w, 0, "abcdefgh"), 0);
	take(&w, 0, "ab2d4fgh");
	world_end(&w);
}

static void reasm__old_data_is_cut_when_taken(void **state)
{
	struct world w;

	world_init(&w, 8);
	add(&w, 0, "abc");
	add(&w, 10, "defg");
	add(&w, 20, "h");
	take(&w, 12, "fg"); /* the first run is wholly old, the second in part */
	assert_int_equal(w.r.runs, 1);
	world_end(&w);
}

static void reasm__wraps_with_sequence_space(void **state)
{
	struct world w;

	world_init(&w, 8);
	add(&w, 2, "fg");
	add(&w, UINT32_MAX - 1, "bcde");
	assert_int_equal(w.r.runs, 1);
	add(&w, UINT32_MAX - 4, "y");
	assert_int_equal(nth(&w, 0)->seq, UINT32_MAX - 4);
	take(&w, UINT32_MAX - 1, "bcdefg");
	world_end(&w);
}

/* The runs, newest first, as "seq-end seq-end". */
static void recent(const struct world *w, unsigned int n, const char *expected)
{
	struct rnl_sack b[8];
	char text[128] = "";
	unsigned int got = rnl_reasm_recent(&w->r, &w->pool, b, n);

	assert_true(got <= n);
	for (unsigned int i = 0; i < got; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u-%u",
		         i > 0 ? " " : "", b[i].left, b[i].right);
	assert_string_equal(text, expected);
}

/* RFC 2018 4: the run that a segment came for last is the first, then those before it. */
static void reasm__newest_runs_first(void **state)
{
	struct world w;

	world_init(&w, 8);
	recent(&w, 4, "");
	add(&w, 10, "a");
	add(&w, 30, "c");
	add(&w, 20, "b");
	recent(&w, 4, "20-21 30-31 10-11");
	recent(&w, 2, "20-21 30-31");
	recent(&w, 0, "");
	add(&w, 11, "a");
	recent(&w, 4, "10-12 20-21 30-31");
	add(&w, 30, "c"); /* a duplicate, too */
	recent(&w, 4, "30-31 10-12 20-21");
	add(&w, 12, "abcdefgh"); /* two become one */
	recent(&w, 4, "10-21 30-31");
	take(&w, 10, "aaabcdefghb");
	recent(&w, 4, "30-31");
	add(&w, 40, "d");
	add(&w, 30, "c");
	recent(&w, 4, "30-31 40-41");
	assert_int_equal(rnl_reasm_drop_last(&w.r, &w.pool), 1);
	recent(&w, 4, "30-31");
	world_end(&w);
}

static void dup_is(const struct world *w, uint32_t left, uint32_t right)
{
	assert_int_equal(w->dup.left, left);
	assert_int_equal(w->dup.right, right);
}

/* RFC 2883 4.2: the first stretch that had been there, and the run around it is the newest. */
static void reasm__tells_the_first_duplicate(void **state)
{
	struct rnl_sack none = {7, 7};
	struct world w;

	world_init(&w, 8);
	add(&w, 10, "abcde");
	dup_is(&w, 10, 10);
	add(&w, 20, "abcde");
	add(&w, 30, "abcde");
	dup_is(&w, 30, 30);
	add(&w, 11, "bc");
	dup_is(&w, 11, 13);
	recent(&w, 1, "10-15");
	add(&w, 23, "defg");
	dup_is(&w, 23, 25);
	recent(&w, 1, "20-27");
	add(&w, 28, "yzabcdefg"); /* from a gap over a whole run */
	dup_is(&w, 30, 35);
	recent(&w, 1, "28-35");
	add(&w, 13, "depqrstuv"); /* two of them: the first */
	dup_is(&w, 13, 15);
	recent(&w, 1, "10-27");
	assert_false(rnl_reasm_overlap(&w.r, &w.pool, 5, 10, &none));
	assert_false(rnl_reasm_overlap(&w.r, &w.pool, 27, 28, &none));
	assert_false(rnl_reasm_overlap(&w.r, &w.pool, 35, 99, &none));
	assert_int_equal(none.right, 7);
	assert_true(rnl_reasm_overlap(&w.r, &w.pool, 5, 99, &none));
	assert_true(none.left == 10 && none.right == 27);
	world_end(&w);
}

static void reasm__empty_packet_is_nothing(void **state)
{
	struct world w;

	world_init(&w, 8);
	assert_int_equal(add(&w, 10, ""), 0);
	add(&w, 10, "abc");
	assert_int_equal(add(&w, 11, ""), 0);
	assert_int_equal(add(&w, 20, ""), 0);
	world_end(&w);
}

static void reasm__no_record_is_free(void **state)
{
	struct world w;

	world_init(&w, 2);
	add(&w, 10, "a");
	add(&w, 20, "b");
	assert_int_equal(add(&w, 30, "c"), -ENOBUFS);
	assert_int_equal(add(&w, 0, "c"), -ENOBUFS);
	assert_int_equal(add(&w, 21, "c"), 1); /* joins: needs none */
	assert_int_equal(rnl_reasm_drop_last(&w.r, &w.pool), 2);
	check(&w);
	assert_int_equal(add(&w, 0, "c"), 1);
	assert_int_equal(rnl_reasm_drop_last(&w.r, &w.pool), 1);
	assert_int_equal(rnl_reasm_drop_last(&w.r, &w.pool), 1);
	assert_int_equal(rnl_reasm_drop_last(&w.r, &w.pool), 0);
	check(&w);
	world_end(&w);
}

static void reasm__runs_are_bounded(void **state)
{
	struct world w;

	world_init(&w, 2 * RNL_REASM_MAX_RUNS);
	for (uint32_t i = 0; i < RNL_REASM_MAX_RUNS; i++)
		assert_int_equal(add(&w, 10 * i, "x"), 1);
	assert_int_equal(add(&w, 10 * RNL_REASM_MAX_RUNS, "x"), -ENOBUFS);
	assert_int_equal(w.r.runs, RNL_REASM_MAX_RUNS);
	world_end(&w);
}

/* ---- random steps ---- */

#define SPACE 9000 /* sequence numbers that a seed lives in */
#define WINDOW 1500

struct model {
	struct world w;
	struct rnl_prng prng;
	uint32_t base;       /* sequence number of map[0] */
	uint32_t rcv;        /* rcv_nxt - base */
	uint16_t map[SPACE]; /* 0: nothing; else 0x100 | octet */
	uint8_t copy;        /* differs from packet to packet */
};

static uint32_t below(struct model *m, uint32_t n)
{
	return rnl_prng_below(&m->prng, n);
}

static uint32_t model_runs(const struct model *m)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; i < SPACE; i++)
		runs += m->map[i] != 0 && (i == 0 || m->map[i - 1] == 0);
	return runs;
}

/* Each octet of each run is the one that the map has, and the map has no other. */
static void compare(const struct model *m)
{
	uint32_t at = 0, i;

	check(&m->w);
	for (i = m->w.r.head; i != RNL_NIL;) {
		const struct rnl_run *run = rnl_pool_at(&m->w.pool, i);

		for (; at < run->seq - m->base; at++)
			assert_int_equal(m->map[at], 0);
		for (const struct rte_mbuf *b = run->head; b != NULL; b = b->next)
			for (uint32_t k = 0; k < b->data_len; k++, at++)
				assert_int_equal(m->map[at],
				                 0x100 | rte_pktmbuf_mtod(b, uint8_t *)[k]);
		i = run->next;
	}
	for (; at < SPACE; at++)
		assert_int_equal(m->map[at], 0);
}

static struct rte_mbuf *random_chain(struct model *m, const uint8_t *data, uint32_t len)
{
	uint32_t cuts[6], n = below(m, 7);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t low = i > 0 ? cuts[i - 1] : 0;

		cuts[i] = low + below(m, len - low + 1);
	}
	return rnl_test_chain(data, len, cuts, n);
}

static void step_add(struct model *m)
{
	uint8_t data[600];
	uint32_t from = m->rcv + below(m, WINDOW), len = below(m, below(m, 4) ? 60 : 600), to, k;
	bool full = m->w.r.runs == RNL_REASM_MAX_RUNS || rnl_pool_avail(&m->w.pool) == 0;
	struct rnl_sack dup = {0, 0};
	int rc, expected;

	if (from >= 300 && below(m, 8) == 0)
		from -= below(m, 300); /* partly old */
	m->copy++;
	for (k = 0; k < len; k++)
		data[k] = (uint8_t)(from + k + m->copy * 37u);
	rc = rnl_reasm_add(&m->w.r, &m->w.pool, m->base + from, random_chain(m, data, len), &dup);

	for (k = from; k < from + len && m->map[k] == 0;)
		k++;
	for (to = k; to < from + len && m->map[to] != 0;)
		to++;
	if (rc >= 0 && k < to)
		assert_true(dup.left == m->base + k && dup.right == m->base + to);
	else
		assert_int_equal(dup.right, dup.left);
	for (k = from; k < from + len && m->map[k] != 0;)
		k++;
	for (to = k; to < from + len && m->map[to] == 0;)
		to++;
	expected = (int)(to - k);
	if (expected > 0 && full && (k == 0 || m->map[k - 1] == 0) && m->map[to] == 0)
		expected = -ENOBUFS;
	assert_int_equal(rc, expected);
	for (; expected > 0 && k < to; k++)
		m->map[k] = 0x100 | data[k - from];
}

static void step_take(struct model *m)
{
	uint32_t bytes, expected = 0;
	uint8_t octets[SPACE];
	struct rte_mbuf *chain;

	m->rcv += below(m, 3) ? 0 : below(m, 200);
	chain = rnl_reasm_take(&m->w.r, &m->w.pool, m->base + m->rcv, &bytes);
	for (; m->map[m->rcv + expected] != 0; expected++)
		octets[expected] = (uint8_t)m->map[m->rcv + expected];
	/* What stands before rcv_nxt is gone, taken or too old. */
	memset(m->map, 0, (m->rcv + expected) * sizeof(m->map[0]));
	assert_int_equal(bytes, expected);
	assert_true((chain == NULL) == (bytes == 0));
	if (chain == NULL)
		return;
	assert_int_equal(chain->pkt_len, bytes);
	assert_int_equal(rte_mbuf_check(chain, 1, &(const char *){NULL}), 0);
	assert_memory_equal(rnl_test_octets(chain), octets, bytes);
	m->rcv += bytes;
	rte_pktmbuf_free(chain);
}

static void step_drop(struct model *m)
{
	const struct rnl_run *last;

	if (rnl_reasm_empty(&m->w.r))
		return;
	last = rnl_pool_at(&m->w.pool, m->w.r.tail);
	memset(m->map + (last->seq - m->base), 0, (last->end - last->seq) * sizeof(m->map[0]));
	assert_true(rnl_reasm_drop_last(&m->w.r, &m->w.pool) > 0);
}

static void run_seed(uint64_t seed, uint32_t runs)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	world_init(&m->w, runs);
	rnl_prng_seed(&m->prng, seed);
	m->base = (seed & 1 ? UINT32_MAX : INT32_MAX) - below(m, SPACE);
	for (int n = 0; n < 300 && m->rcv < SPACE - 2 * WINDOW; n++) {
		switch (below(m, 10)) {
		case 0:
			step_take(m);
			break;
		case 1:
			if (below(m, 4) == 0)
				step_drop(m);
			break;
		default:
			step_add(m);
			break;
		}
		compare(m);
		assert_int_equal(model_runs(m), m->w.r.runs);
	}
	world_end(&m->w);
	free(m);
}

static void reasm__random_packets_equal_the_map(void **state)
{
	for (uint64_t seed = 0; seed < 40; seed++)
		run_seed(seed, 200);
}

static void reasm__random_packets_with_few_records(void **state)
{
	for (uint64_t seed = 1000; seed < 1020; seed++)
		run_seed(seed, 1 + (uint32_t)(seed % 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(reasm__gap_then_fill),
	    rnl_unit_test(reasm__one_packet_joins_two_runs),
	    rnl_unit_test(reasm__first_copy_wins),
	    rnl_unit_test(reasm__several_gaps_fill_the_first),
	    rnl_unit_test(reasm__old_data_is_cut_when_taken),
	    rnl_unit_test(reasm__wraps_with_sequence_space),
	    rnl_unit_test(reasm__newest_runs_first),
	    rnl_unit_test(reasm__tells_the_first_duplicate),
	    rnl_unit_test(reasm__empty_packet_is_nothing),
	    rnl_unit_test(reasm__no_record_is_free),
	    rnl_unit_test(reasm__runs_are_bounded),
	    rnl_unit_test(reasm__random_packets_equal_the_map),
	    rnl_unit_test(reasm__random_packets_with_few_records),
	};
	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
