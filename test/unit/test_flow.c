/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack/flow: twins against each other, single rules, then random histories against a plain array
 * under good and under hopeless hashes, and the spread of the hash over the tuples that tests and
 * generators really use. All seeds are fixed.
 */
#include "env.h"

#include <errno.h>
#include <stdio.h>

#include <rte_common.h>

#include "base/prng.h"
#include "stack/flow.h"

#define BLOCKS 400 /* of each kind; valid indices 1 to 399 */
#define MAX_ENTRIES 96

struct block {
	struct rnl_tuple key;
	uint32_t link;
};

struct world {
	struct rnl_flow flow;
	struct rnl_pool conns, minis;
	struct block conn[BLOCKS], mini[BLOCKS];
	uint32_t hash[2][BLOCKS]; /* under which it was inserted */
	bool in[2][BLOCKS];       /* the reference: what is in the table */
	unsigned int count;
	struct rnl_prng rng;
	struct rnl_flow_bucket buckets[64];
};

static const uint8_t secret[16] = "0123456789abcde";

static struct rnl_tuple tuple_v4(uint32_t laddr, uint16_t lport, uint32_t raddr, uint16_t rport)
{
	return (struct rnl_tuple){
	    .laddr = rnl_addr_v4((uint8_t)(laddr >> 24), (uint8_t)(laddr >> 16),
	                         (uint8_t)(laddr >> 8), (uint8_t)laddr),
	    .raddr = rnl_addr_v4((uint8_t)(raddr >> 24), (uint8_t)(raddr >> 16),
	                         (uint8_t)(raddr >> 8), (uint8_t)raddr),
	    .lport = lport,
	    .rport = rport};
}

static void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	rnl_prng_seed(&w->rng, seed);
	rnl_pool_init(&w->conns, w->conn, BLOCKS - 1, sizeof(struct block),
	              offsetof(struct block, link));
	rnl_pool_init(&w->minis, w->mini, BLOCKS - 1, sizeof(struct block),
	              offsetof(struct block, link));
	assert_true(rnl_flow_bytes(MAX_ENTRIES) <= sizeof(w->buckets));
	rnl_flow_init(&w->flow, w->buckets, MAX_ENTRIES, secret);
	rnl_flow_pools(&w->flow, &w->conns, &w->minis);
	/* A connection and a mini block with the same number have different keys. */
	for (uint32_t i = 1; i < BLOCKS; i++) {
		w->conn[i].key = tuple_v4(0x0a000001, 80, 0x0a000100 + i, (uint16_t)(40000 + i));
		w->mini[i].key = tuple_v4(0x0a000001, 80, 0x0a000100 + i, (uint16_t)(20000 + i));
		w->mini[i].key.raddr.b[0] = 0xfd; /* not IPv4 */
	}
}

static void flow__fold_twins_agree(void **state)
{
	static const uint64_t edge[] = {0, 1, 2, UINT32_MAX, 1ull << 32, UINT64_MAX, 1ull << 63};
	struct rnl_prng rng;

	rnl_prng_seed(&rng, 1);
	for (unsigned int i = 0; i < RTE_DIM(edge); i++)
		for (unsigned int j = 0; j < RTE_DIM(edge); j++)
			assert_int_equal(rnl_flow_fold(edge[i], edge[j]),
			                 rnl_flow_fold_portable(edge[i], edge[j]));
	for (unsigned int i = 0; i < 10000; i++) {
		uint64_t a = rnl_prng_next(&rng), b = rnl_prng_next(&rng);

		assert_int_equal(rnl_flow_fold(a, b), rnl_flow_fold_portable(a, b));
	}
	/* (2^64 - 1)^2 = 2^128 - 2^65 + 1 */
	assert_int_equal(rnl_flow_fold(UINT64_MAX, UINT64_MAX), UINT64_MAX);
	assert_int_equal(rnl_flow_fold(3, 5), 15);
}

static uint32_t naive_match(const uint16_t *tags, uint16_t tag)
{
	uint32_t m = 0;

	for (unsigned int i = 0; i < RNL_FLOW_SLOTS; i++)
		m |= (uint32_t)(tags[i] == tag) << 2 * i;
	return m;
}

static void flow__match_twins_agree(void **state)
{
	/* Values whose differences tempt a borrow or carry into the next lane. */
	static const uint16_t values[] = {0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff};
	uint16_t tags[RNL_FLOW_SLOTS];
	struct rnl_prng rng;

	rnl_prng_seed(&rng, 2);
	for (unsigned int i = 0; i < 20000; i++) {
		uint16_t tag = values[rnl_prng_below(&rng, RTE_DIM(values))];

		for (unsigned int j = 0; j < RNL_FLOW_SLOTS; j++)
			tags[j] = values[rnl_prng_below(&rng, RTE_DIM(values))];
		assert_int_equal(rnl_flow_match(tags, tag), naive_match(tags, tag));
		assert_int_equal(rnl_flow_match_portable(tags, tag), naive_match(tags, tag));
	}
}

static void flow__finds_by_whole_key(void **state)
{
	static struct world w;
	struct rnl_tuple other;
	uint32_t h;

	world_init(&w, 0);
	h = rnl_flow_hash(&w.flow, &w.conn[5].key);
	assert_int_equal(rnl_flow_find(&w.flow, &w.conn[5].key, h), 0);
	assert_int_equal(rnl_flow_insert(&w.flow, h, 5), 0);
	assert_int_equal(rnl_flow_find(&w.flow, &w.conn[5].key, h), 5);
	/* The same hash, and a key that differs in any one octet, is somebody else. */
	for (unsigned int i = 0; i < sizeof(other); i++) {
		other = w.conn[5].key;
		((uint8_t *)&other)[i] ^= 0x10;
		assert_int_equal(rnl_flow_find(&w.flow, &other, h), 0);
	}
}

static void flow__tells_minis_from_connections(void **state)
{
	static struct world w;
	uint32_t hc, hm;

	world_init(&w, 0);
	hc = rnl_flow_hash(&w.flow, &w.conn[7].key);
	hm = rnl_flow_hash(&w.flow, &w.mini[7].key);
	assert_int_equal(rnl_flow_insert(&w.flow, hc, 7), 0);
	assert_int_equal(rnl_flow_insert(&w.flow, hm, 7 | RNL_FLOW_MINI), 0);
	assert_int_equal(rnl_flow_find(&w.flow, &w.conn[7].key, hc), 7);
	assert_int_equal(rnl_flow_find(&w.flow, &w.mini[7].key, hm), 7 | RNL_FLOW_MINI);
	rnl_flow_prefetch(&w.flow, hc);
	rnl_flow_prefetch_entry(&w.flow, hc);
	rnl_flow_prefetch_entry(&w.flow, ~hc);
}

static void flow__replaces_in_place(void **state)
{
	static struct world w;
	uint32_t h;

	world_init(&w, 0);
	w.mini[9].key = w.conn[3].key; /* a handshake that finishes */
	h = rnl_flow_hash(&w.flow, &w.conn[3].key);
	assert_int_equal(rnl_flow_insert(&w.flow, h, 9 | RNL_FLOW_MINI), 0);
	assert_int_equal(rnl_flow_replace(&w.flow, h, 9 | RNL_FLOW_MINI, 3), 0);
	assert_int_equal(rnl_flow_find(&w.flow, &w.conn[3].key, h), 3);
	assert_int_equal(w.flow.count, 1);
	assert_int_equal(rnl_flow_replace(&w.flow, h, 9 | RNL_FLOW_MINI, 3), -ENOENT);
	assert_int_equal(rnl_flow_remove(&w.flow, h, 9 | RNL_FLOW_MINI), -ENOENT);
	assert_int_equal(rnl_flow_remove(&w.flow, h, 3), 0);
	assert_int_equal(rnl_flow_remove(&w.flow, h, 3), -ENOENT);
}

static void flow__is_full_at_its_maximum(void **state)
{
	static struct world w;
	uint32_t h[MAX_ENTRIES + 2];

	world_init(&w, 0);
	for (uint32_t i = 1; i <= MAX_ENTRIES + 1; i++) {
		h[i] = rnl_flow_hash(&w.flow, &w.conn[i].key);
		assert_int_equal(rnl_flow_insert(&w.flow, h[i], i), i <= MAX_ENTRIES ? 0 : -ENOSPC);
	}
	for (uint32_t i = 1; i <= MAX_ENTRIES; i++)
		assert_int_equal(rnl_flow_find(&w.flow, &w.conn[i].key, h[i]), i);
	assert_int_equal(rnl_flow_remove(&w.flow, h[1], 1), 0);
	assert_int_equal(rnl_flow_insert(&w.flow, h[MAX_ENTRIES + 1], MAX_ENTRIES + 1), 0);
}

static void flow__sizes(void **state)
{
	assert_int_equal(rnl_flow_bytes(1), 64);
	assert_int_equal(rnl_flow_bytes(6), 64);
	assert_int_equal(rnl_flow_bytes(7), 128);
	assert_int_equal(rnl_flow_bytes(96), 1024);
	assert_int_equal(rnl_flow_bytes(97), 2048);
	assert_int_equal(rnl_flow_bytes(10000000), (size_t)64 << 21);
}

/* ---- random histories ----------------------------------------------------------------------- */

static struct block *block_of(struct world *w, unsigned int kind, uint32_t i)
{
	return kind ? &w->mini[i] : &w->conn[i];
}

static uint32_t ref_of(unsigned int kind, uint32_t i)
{
	return i | (kind ? RNL_FLOW_MINI : 0);
}

static uint32_t spoiled_hash(struct world *w, unsigned int kind, uint32_t i, uint32_t keep)
{
	return rnl_flow_hash(&w->flow, &block_of(w, kind, i)->key) & keep;
}

static void check_find(struct world *w, unsigned int kind, uint32_t i, uint32_t keep)
{
	const uint32_t h = spoiled_hash(w, kind, i, keep);
	const uint32_t found = rnl_flow_find(&w->flow, &block_of(w, kind, i)->key, h);

	assert_int_equal(found, w->in[kind][i] ? ref_of(kind, i) : 0);
}

static void step(struct world *w, uint32_t keep)
{
	const unsigned int kind = rnl_prng_below(&w->rng, 2);
	const uint32_t i = 1 + rnl_prng_below(&w->rng, BLOCKS - 1);
	const uint32_t h = spoiled_hash(w, kind, i, keep);

	if (!w->in[kind][i]) {
		const bool full = w->count == MAX_ENTRIES;

		assert_int_equal(rnl_flow_remove(&w->flow, h, ref_of(kind, i)), -ENOENT);
		assert_int_equal(rnl_flow_insert(&w->flow, h, ref_of(kind, i)), full ? -ENOSPC : 0);
		w->in[kind][i] = !full;
		w->count += !full;
	} else {
		assert_int_equal(rnl_flow_remove(&w->flow, h, ref_of(kind, i)), 0);
		w->in[kind][i] = false;
		w->count--;
	}
	assert_int_equal(w->flow.count, w->count);
	check_find(w, kind, i, keep);
	check_find(w, rnl_prng_below(&w->rng, 2), 1 + rnl_prng_below(&w->rng, BLOCKS - 1), keep);
}

static void check_all(struct world *w, uint32_t keep)
{
	for (unsigned int kind = 0; kind < 2; kind++)
		for (uint32_t i = 1; i < BLOCKS; i++)
			check_find(w, kind, i, keep);
}

/* An empty table is as new: nothing of what overflowed is left. */
static void drain(struct world *w, uint32_t keep)
{
	for (unsigned int kind = 0; kind < 2; kind++)
		for (uint32_t i = 1; i < BLOCKS; i++)
			if (w->in[kind][i])
				assert_int_equal(rnl_flow_remove(&w->flow,
				                                 spoiled_hash(w, kind, i, keep),
				                                 ref_of(kind, i)),
				                 0);
	assert_int_equal(w->flow.count, 0);
	for (uint32_t b = 0; b <= w->flow.mask; b++) {
		assert_int_equal(w->buckets[b].overflow, 0);
		for (unsigned int i = 0; i < RNL_FLOW_SLOTS; i++) {
			assert_int_equal(w->buckets[b].tag[i], 0);
			assert_int_equal(w->buckets[b].ref[i], 0);
		}
	}
}

static void flow__random_histories_agree_with_an_array(void **state)
{
	/* All bits; few buckets; one bucket; few tags; the last bucket (wraps); nothing at all. */
	static const uint32_t keep[] = {UINT32_MAX, 0xffff0003, 0xffff0000,
	                                0x0003ffff, 0x00000008, 0};
	static struct world w;

	for (unsigned int k = 0; k < RTE_DIM(keep); k++)
		for (uint64_t seed = 1; seed <= 8; seed++) {
			world_init(&w, seed);
			for (unsigned int i = 0; i < 3000; i++)
				step(&w, keep[k]);
			check_all(&w, keep[k]);
			drain(&w, keep[k]);
		}
}

static void flow__every_bucket_overflowed_still_ends(void **state)
{
	static struct world w;
	uint32_t h;

	world_init(&w, 0);
	h = rnl_flow_hash(&w.flow, &w.conn[1].key);
	for (uint32_t b = 0; b <= w.flow.mask; b++)
		w.buckets[b].overflow = 1;
	assert_int_equal(rnl_flow_find(&w.flow, &w.conn[1].key, h), 0);
	assert_int_equal(rnl_flow_remove(&w.flow, h, 1), -ENOENT);
}

/* ---- the hash ------------------------------------------------------------------------------- */

static void flow__hash_depends_on_every_bit_and_on_the_secret(void **state)
{
	static const uint8_t zero[16];
	struct rnl_flow f, g;
	struct rnl_tuple key = tuple_v4(0xc0a80001, 443, 0xc0a80002, 50000), k;
	uint32_t h;

	rnl_flow_init(&f, NULL, 96, secret);
	rnl_flow_init(&g, NULL, 96, zero);
	h = rnl_flow_hash(&f, &key);
	assert_int_equal(h, rnl_flow_hash(&f, &key));
	assert_int_not_equal(h, rnl_flow_hash(&g, &key));
	for (unsigned int bit = 0; bit < 8 * sizeof(k); bit++) {
		k = key;
		((uint8_t *)&k)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(rnl_flow_hash(&f, &k), h);
		assert_int_not_equal(rnl_flow_hash(&g, &k), rnl_flow_hash(&g, &key));
	}
	k = key;
	k.laddr = key.raddr;
	k.raddr = key.laddr;
	assert_int_not_equal(rnl_flow_hash(&f, &k), h);
	k = key;
	k.lport = key.rport;
	k.rport = key.lport;
	assert_int_not_equal(rnl_flow_hash(&f, &k), h);
}

#define CELLS 4096u
#define SAMPLES 65536u

/* The i-th tuple of a pattern that is met in the field. */
static struct rnl_tuple pattern(unsigned int kind, uint32_t i)
{
	struct rnl_tuple t = tuple_v4(0x0a000001, 80, 0x0a000002, (uint16_t)i);

	switch (kind) {
	case 0: /* one client, all its ports */
		break;
	case 1: /* neighbouring clients, one port */
		t = tuple_v4(0x0a000001, 80, 0x0a010000 + i, 40000);
		break;
	case 2: /* 256 clients with 256 ports each, in step */
		t = tuple_v4(0x0a000001, 80, 0x0a010000 + (i & 255), (uint16_t)(32768 + (i >> 8)));
		break;
	case 3: /* many local ports and remote addresses, powers of two apart */
		t = tuple_v4(0x0a000001, (uint16_t)(i & 0xff00), (i & 255) << 24 | 1, 1024);
		break;
	default: /* IPv6: neighbouring networks */
		memset(&t, 0, sizeof(t));
		t.laddr.b[0] = t.raddr.b[0] = 0x20;
		t.raddr.b[6] = (uint8_t)(i >> 8);
		t.raddr.b[7] = (uint8_t)i;
		t.lport = 443;
		t.rport = 50000;
		break;
	}
	return t;
}

/* Chi-square over 4095 degrees of freedom: mean 4095, standard deviation 90. Ten of them are
 * allowed upwards; a hash that spreads better than chance (a counter) is fine. */
static void check_spread(const struct rnl_flow *f, unsigned int kind, unsigned int shift)
{
	static uint32_t cell[CELLS];
	uint64_t sum = 0;

	memset(cell, 0, sizeof(cell));
	for (uint32_t i = 0; i < SAMPLES; i++) {
		struct rnl_tuple t = pattern(kind, i);

		cell[rnl_flow_hash(f, &t) >> shift & (CELLS - 1)]++;
	}
	for (uint32_t i = 0; i < CELLS; i++) {
		int64_t d = (int64_t)cell[i] - SAMPLES / CELLS;

		sum += (uint64_t)(d * d);
	}
	sum /= SAMPLES / CELLS;
	if (sum > 4995)
		fail_msg("pattern %u, bits from %u: chi-square %lu", kind, shift,
		         (unsigned long)sum);
}

static void flow__hash_spreads_real_tuples(void **state)
{
	uint8_t key[16];
	struct rnl_flow f;

	for (uint8_t s = 0; s < 4; s++) {
		memset(key, s, sizeof(key)); /* the poorest of secrets */
		rnl_flow_init(&f, NULL, 96, key);
		for (unsigned int kind = 0; kind < 5; kind++) {
			check_spread(&f, kind, 0);
			check_spread(&f, kind, 10);
			check_spread(&f, kind, 20);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(flow__fold_twins_agree),
	    cmocka_unit_test(flow__match_twins_agree),
	    cmocka_unit_test(flow__finds_by_whole_key),
	    cmocka_unit_test(flow__tells_minis_from_connections),
	    cmocka_unit_test(flow__replaces_in_place),
	    cmocka_unit_test(flow__is_full_at_its_maximum),
	    cmocka_unit_test(flow__sizes),
	    cmocka_unit_test(flow__random_histories_agree_with_an_array),
	    cmocka_unit_test(flow__every_bucket_overflowed_still_ends),
	    cmocka_unit_test(flow__hash_depends_on_every_bit_and_on_the_secret),
	    cmocka_unit_test(flow__hash_spreads_real_tuples),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
