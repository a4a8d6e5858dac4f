/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack/fragments: RFC 791 3.2, RFC 8200 4.5, RFC 5722 3, RFC 7112 5, RFC 3168 5.3. Fragments in
 * any order and chain shape give the packet again; nothing that comes in is written to; nothing
 * leaks.
 */
#include "frames.h"

#include "base/prng.h"
#include "stack/fragments.h"
#include "wire/ip.h"

#define DATA 3000

static struct rnl_core core;
static struct rnl_fragments fr;
static uint8_t packet[40 + 20 + DATA];

static uint64_t count(enum rnl_counter id)
{
	return core.counters.v[id];
}

static void open_table(uint32_t packets, uint32_t held_max)
{
	memset(&core, 0, sizeof(core));
	memset(&fr, 0, sizeof(fr));
	core.pkt_pool = rnl_test_pkt_pool();
	core.held_max = held_max;
	core.now_us = 1000;
	assert_int_equal(rnl_fragments_init(&fr, &core, packets, -1), 0);
}

static int setup(void **state)
{
	open_table(16, 256);
	return 0;
}

static int teardown(void **state)
{
	rnl_fragments_fini(&fr);
	assert_int_equal(fr.bufs, 0);
	assert_int_equal(core.held, 0);
	return rnl_test_no_leak(state);
}

#define frag_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Octets [off, off + len) behind the IP header of `packet`, as a fragment. @return its length. */
static uint32_t cut(uint8_t *p, bool v6, uint32_t id, uint32_t off, uint32_t len, uint32_t total)
{
	bool more = off + len < total;

	if (v6) {
		frame_v6(p, 44, 8 + len);
		frame_put(p + 40, 4, 6u << 24 | off | more);
		frame_put(p + 44, 4, id);
		memcpy(p + 48, packet + 40 + off, len);
		return 48 + len;
	}
	frame_v4(p, 6, len, NULL, 0);
	frame_put(p + 4, 2, id);
	frame_put(p + 6, 2, off / 8 | (more ? 0x2000 : 0));
	frame_cksum(p, 20, 0, 10);
	memcpy(p + 20, packet + 20 + off, len);
	return 20 + len;
}

static struct rte_mbuf *give_mbuf(struct rte_mbuf *m, uint16_t off)
{
	struct rnl_ip ip;

	assert_int_equal(rnl_ip_parse(m, off, &ip), RNL_C_ok);
	assert_true(ip.fragment);
	return rnl_fragments_take(&fr, m, off, &ip);
}

static struct rte_mbuf *give(bool v6, uint32_t id, uint32_t off, uint32_t len, uint32_t total)
{
	uint8_t p[sizeof(packet) + 8];

	return give_mbuf(rnl_test_mbuf(p, cut(p, v6, id, off, len, total)), 0);
}

/* frame_tcp() writes into FRAME_MAX octets at most; here is more. */
static uint32_t make(bool v6, uint32_t data)
{
	uint32_t l3 = v6 ? frame_v6(packet, 6, 20 + data) : frame_v4(packet, 6, 20 + data, NULL, 0);

	for (uint32_t i = 0; i < 20 + data; i++)
		packet[l3 + i] = (uint8_t)(i * 7 + (i >> 8));
	packet[l3 + 12] = 0x50;
	return 20 + data;
}

/* What was put together is what was cut, and is judged as a TCP segment. */
static void same(struct rte_mbuf *m, bool v6, uint32_t total)
{
	uint32_t l3 = v6 ? 40 : 20;
	struct rnl_ip ip;

	assert_non_null(m);
	assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
	assert_false(ip.fragment);
	assert_int_equal(ip.proto, 6);
	assert_int_equal(ip.l4_len, total);
	assert_int_equal(rnl_fragments_judge(m, &ip), RNL_C_ok);
	assert_memory_equal(rnl_test_octets(m) + l3, packet + l3, total);
	rte_pktmbuf_free(m);
}

static void fragments__any_order_both_families(void **state)
{
	static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
	                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (uint32_t i = 0; i < 12; i++) {
		bool v6 = i & 1;
		uint32_t total = make(v6, DATA);
		struct rte_mbuf *m = NULL;

		for (unsigned int k = 0; k < 3; k++) {
			assert_null(m);
			m = give(v6, i, orders[i / 2][k] * 1024u,
			         orders[i / 2][k] == 2 ? total - 2048 : 1024, total);
		}
		same(m, v6, total);
		assert_int_equal(core.held, 0);
	}
	assert_int_equal(count(RNL_C_ip_frag_reassembled), 12);
	assert_int_equal(count(RNL_C_ip_frag_kept), 24);
}

/* The sender may still hold what it sent (net_ring): no octet and no length of it changes. */
static void fragments__shared_packets_are_not_written(void **state)
{
	for (uint32_t shape = 0; shape < 300; shape += 7) {
		bool v6 = shape & 1;
		uint32_t total = make(v6, 240), len, i;
		struct rte_mbuf *in[2], *m = NULL;
		uint8_t p[2][FRAME_MAX];

		for (i = 0; i < 2; i++) {
			len = cut(p[i], v6, 9, i * 128, i == 0 ? 128 : total - 128, total);
			in[i] = frame_shape(p[i], len, shape % FRAME_SHAPES(len));
			for (struct rte_mbuf *s = in[i]; s != NULL; s = s->next)
				rte_mbuf_refcnt_update(s, 1);
			m = give_mbuf(in[i], 0);
			assert_memory_equal(rnl_test_octets(in[i]), p[i], len);
			assert_int_equal(in[i]->pkt_len, len);
		}
		same(m, v6, total);
		for (i = 0; i < 2; i++)
			rte_pktmbuf_free(in[i]);
	}
}

/* Headers before the fragment header are per fragment: they were stepped over and are gone. */
static void fragments__extension_headers_in_front(void **state)
{
	uint32_t total = make(true, 240), len;
	uint8_t p[FRAME_MAX];
	struct rte_mbuf *m = NULL;

	for (uint32_t i = 0; i < 2; i++) {
		len = cut(p, true, 9, i * 128, i == 0 ? 128 : total - 128, total);
		memmove(p + 48, p + 40, len - 40);
		memset(p + 40, 0, 8);
		p[6] = 60;
		p[40] = 44;
		p[42] = 1; /* PadN of 4 */
		p[43] = 4;
		frame_put(p + 4, 2, len + 8 - 40);
		m = give_mbuf(rnl_test_mbuf(p, len + 8), 0);
	}
	same(m, true, total);
}

static void fragments__options_in_front(void **state)
{
	static const uint8_t nops[8] = {1, 1, 1, 1, 1, 1, 1, 0};
	uint32_t total = make(false, 240);
	struct rte_mbuf *m;
	uint8_t p[FRAME_MAX];

	frame_v4(p, 6, 128, nops, 8);
	frame_put(p + 4, 2, 3);
	frame_put(p + 6, 2, 0x2000);
	frame_cksum(p, 28, 0, 10);
	memcpy(p + 28, packet + 20, 128);
	assert_null(give_mbuf(rnl_test_mbuf(p, 28 + 128), 0));
	m = give(false, 3, 128, total - 128, total);
	same(m, false, total);
}

/* A device's verdict about a fragment says nothing about the segment. */
static void fragments__verdicts_do_not_survive(void **state)
{
	uint32_t total = make(false, 240);
	uint8_t p[FRAME_MAX];
	struct rte_mbuf *m = NULL;

	for (uint32_t i = 0; i < 2; i++) {
		m = rnl_test_mbuf(p, cut(p, false, 9, i * 128, i == 0 ? 128 : total - 128, total));
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_VLAN_STRIPPED;
		m = give_mbuf(m, 0);
	}
	assert_non_null(m);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_RX_IP_CKSUM_GOOD);
	same(m, false, total);
}

static void fragments__marks(void **state)
{
	static const struct {
		uint8_t first, second, whole; /* ECN; whole 4: dropped */
	} cases[] = {{0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {3, 3, 3},
	             {2, 3, 3}, {3, 1, 3}, {3, 0, 4}, {0, 3, 4}};

	for (uint32_t i = 0; i < 2 * RTE_DIM(cases); i++) {
		const uint8_t ecn[2] = {cases[i / 2].first, cases[i / 2].second};
		bool v6 = i & 1;
		uint32_t total = make(v6, 240);
		struct rte_mbuf *m = NULL;
		uint8_t p[FRAME_MAX];
		struct rnl_ip ip;

		for (uint32_t k = 0; k < 2; k++) {
			uint32_t len = cut(p, v6, i, k * 128, k == 0 ? 128 : total - 128, total);

			if (v6)
				p[1] = (uint8_t)((p[1] & 0xcf) | ecn[k] << 4);
			else
				p[1] = (uint8_t)((p[1] & 0xfc) | ecn[k]);
			if (!v6)
				frame_cksum(p, 20, 0, 10);
			m = give_mbuf(rnl_test_mbuf(p, len), 0);
		}
		if (cases[i / 2].whole == 4) {
			assert_null(m);
			continue;
		}
		assert_non_null(m);
		assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
		assert_int_equal(ip.tos, 0x28 | cases[i / 2].whole);
		same(m, v6, total);
	}
	assert_int_equal(count(RNL_C_ip_frag_bad), 4);
}

/* RFC 8200 5. */
static void fragments__only_of_tcp(void **state)
{
	uint8_t p[FRAME_MAX];

	make(false, 240);
	cut(p, false, 1, 0, 128, 260);
	p[9] = 1;
	frame_cksum(p, 20, 0, 10);
	assert_null(give_mbuf(rnl_test_mbuf(p, 148), 0));
	make(true, 240);
	cut(p, true, 1, 0, 128, 260);
	p[40] = 58;
	assert_null(give_mbuf(rnl_test_mbuf(p, 176), 0));
	assert_int_equal(count(RNL_C_ip_rx_fragment), 2);
	assert_int_equal(core.held, 0);
}

/* Behind an extension header that is fragmented with the rest only the whole packet tells. */
static void fragments__judged_whole(void **state)
{
	uint8_t p[FRAME_MAX];
	struct rte_mbuf *m = NULL;
	struct rnl_ip ip;

	make(true, 240);
	memset(packet + 40, 0, 8);
	packet[40] = 58; /* what comes behind the destination options */
	packet[42] = 1;
	packet[43] = 4;
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t len = cut(p, true, 5, i * 128, i == 0 ? 128 : 132, 260);

		p[40] = 60;
		m = give_mbuf(rnl_test_mbuf(p, len), 0);
	}
	assert_non_null(m);
	assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
	assert_int_equal(rnl_fragments_judge(m, &ip), RNL_C_ip_rx_fragment);
	rte_pktmbuf_free(m);
}

static void fragments__bounded_by_buffers(void **state)
{
	uint32_t i;

	rnl_fragments_fini(&fr);
	open_table(64, 40);
	make(false, 240);
	for (i = 0; i < 30; i++)
		assert_null(give(false, i, 0, 128, 260));
	assert_int_equal(core.held, 10);
	assert_int_equal(count(RNL_C_ip_frag_no_room), 20);
	core.held += 30; /* others hold the rest */
	core.now_us += 2000000;
	assert_null(give(false, 99, 0, 128, 260));
	assert_int_equal(count(RNL_C_ip_frag_evicted), 10);
	assert_int_equal(fr.bufs, 1);
	core.held -= 30;
}

static void fragments__no_buffer_no_copy(void **state)
{
	struct rte_mbuf *all[70000], *m = NULL;
	uint32_t n = 0, total = make(false, 240);
	uint8_t p[FRAME_MAX];

	m = rnl_test_mbuf(p, cut(p, false, 1, 0, 128, total));
	while (n < RTE_DIM(all) && (all[n] = rte_pktmbuf_alloc(core.pkt_pool)) != NULL)
		n++;
	assert_in_range(n, 1, RTE_DIM(all) - 1);
	assert_null(give_mbuf(m, 0));
	assert_int_equal(count(RNL_C_ip_frag_no_room), 1);
	rte_pktmbuf_free_bulk(all, n);
}

static void fragments__expire(void **state)
{
	assert_false(rnl_fragments_due(&fr));
	make(false, 240);
	assert_null(give(false, 1, 0, 128, 260));
	core.now_us += RNL_FRAGMENTS_WAIT_US;
	assert_false(rnl_fragments_due(&fr));
	core.now_us += 1;
	assert_true(rnl_fragments_due(&fr));
	rnl_fragments_expire(&fr);
	assert_int_equal(count(RNL_C_ip_frag_timeout), 1);
	assert_int_equal(fr.due_us, UINT64_MAX);
	assert_int_equal(core.held, 0);
}

static void fragments__off(void **state)
{
	rnl_fragments_fini(&fr);
	open_table(0, 40);
	make(true, 240);
	assert_null(give(true, 1, 0, 128, 260));
	assert_int_equal(count(RNL_C_ip_rx_fragment), 1);
	assert_false(rnl_fragments_due(&fr));
}

/* Any fragments of packets with known octets: what comes out has them all, in place. */
static void fragments__random(void **state)
{
	struct rnl_prng prng;
	uint32_t whole = 0;

	rnl_prng_seed(&prng, 7);
	for (uint32_t i = 0; i < 60000; i++) {
		bool v6 = rnl_prng_below(&prng, 2);
		uint32_t total = make(v6, 300), off = 64 * rnl_prng_below(&prng, 5);
		uint32_t len = 64 * (1 + rnl_prng_below(&prng, 3));
		struct rte_mbuf *m;

		len = RTE_MIN(len, total - off);
		if (off == 0 && len == total)
			continue;
		core.now_us += rnl_prng_below(&prng, 20000);
		m = give(v6, rnl_prng_below(&prng, 4), off, len, total);
		assert_in_range(fr.bufs, 0, 64);
		assert_int_equal(core.held, fr.bufs);
		if (m == NULL)
			continue;
		same(m, v6, total);
		whole++;
	}
	assert_in_range(whole, 50, 60000);
	assert_in_range(count(RNL_C_ip_frag_overlap), 50, 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    frag_test(fragments__any_order_both_families),
	    frag_test(fragments__shared_packets_are_not_written),
	    frag_test(fragments__extension_headers_in_front),
	    frag_test(fragments__options_in_front),
	    frag_test(fragments__verdicts_do_not_survive),
	    frag_test(fragments__marks),
	    frag_test(fragments__only_of_tcp),
	    frag_test(fragments__judged_whole),
	    frag_test(fragments__bounded_by_buffers),
	    frag_test(fragments__no_buffer_no_copy),
	    frag_test(fragments__expire),
	    frag_test(fragments__off),
	    frag_test(fragments__random),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
