/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp/sackgen: segments of one burst are answered in their order, and what goes out beside SACK
 * blocks fits the MTU, also when the device cuts it.
 */
#include "stack/stack.h" /* first: its inlines have a parameter of the pair's name */

#include "pair.h"

#include "wire/ip.h"
#include "wire/tcphdr.h"

#define MTU 1500
#define HELD 16

static struct rte_mbuf *held[HELD]; /* what b sent */
static struct rnl_seg seen[HELD];   /* what a sent */
static uint8_t data[64 << 10];

/* b sends n full segments, which are kept from a. @return the sequence number of the first. */
static uint32_t hold(unsigned int n, uint32_t *mss)
{
	struct rnl_conn_info info;
	struct rnl_ip ip;
	struct rnl_seg s;

	assert_int_equal(rnl_conn_info(w.b.st, w.b.conn, &info), 0);
	*mss = info.tcpi_snd_mss;
	for (unsigned int i = 0; i < n;
	     i++) { /* one by one: a port that cuts gets no more at once */
		assert_int_equal(rnl_send(w.b.st, w.b.conn, data, *mss), *mss);
		rnl_poll(w.b.st, w.now_ns);
	}
	assert_int_equal(w.a.in_n, n);
	memcpy(held, w.a.in, n * sizeof(held[0]));
	w.a.in_n = 0;
	assert_int_equal(rnl_ip_parse(held[0], 0, &ip), RNL_C_ok);
	assert_int_equal(rnl_tcphdr_parse(held[0], &ip, &s), RNL_C_ok);
	return s.seq;
}

static void give(unsigned int i)
{
	w.a.in[w.a.in_n++] = rte_pktmbuf_copy(held[i], rnl_test_pkt_pool(), 0, UINT32_MAX);
}

static void drop_held(unsigned int n)
{
	rte_pktmbuf_free_bulk(held, n);
}

/* a polls once: what it sent stands in seen[]. @return how many. */
static unsigned int answers(void)
{
	unsigned int n;

	rnl_poll(w.a.st, w.now_ns += 1000);
	n = w.b.in_n;
	assert_true(n <= HELD);
	for (unsigned int i = 0; i < n; i++) {
		struct rnl_ip ip;

		assert_int_equal(rnl_ip_parse(w.b.in[i], 0, &ip), RNL_C_ok);
		assert_int_equal(rnl_tcphdr_parse(w.b.in[i], &ip, &seen[i]), RNL_C_ok);
		seen[i].m = NULL;
	}
	rte_pktmbuf_free_bulk(w.b.in, n);
	w.b.in_n = 0;
	return n;
}

/* Answer i: its acknowledgement and its blocks, in segments from `base` on, as "2 1 3". */
static void said(unsigned int i, uint32_t base, uint32_t mss, const char *expected)
{
	char text[64];

	snprintf(text, sizeof(text), "%u:", (seen[i].ack - base) / mss);
	if (seen[i].opt.has & RNL_OPT_SACK)
		for (unsigned int k = 0; k < seen[i].opt.nsack; k++) {
			const struct rnl_sack *b = &seen[i].opt.sack[k];

			snprintf(text + strlen(text), sizeof(text) - strlen(text), " %u-%u",
			         (b->left - base) / mss, (b->right - base) / mss);
		}
	assert_string_equal(text, expected);
	assert_int_equal(seen[i].len, 0);
}

/* RFC 2018 4, RFC 2883 4, RFC 5681 4.2: one ACK for each, though they came in one burst. */
static void sackgen__a_burst_is_answered_one_by_one(void **state)
{
	static const unsigned int order[] = {1, 3, 1, 0, 2, 0, 4};
	uint32_t mss, base;

	pair_connect();
	base = hold(5, &mss);
	for (unsigned int i = 0; i < RTE_DIM(order); i++)
		give(order[i]);
	assert_int_equal(answers(), 6);
	said(0, base, mss, "0: 1-2");
	said(1, base, mss, "0: 3-4 1-2");
	said(2, base, mss, "0: 1-2 1-2 3-4");
	said(3, base, mss, "2: 3-4");
	said(4, base, mss, "4:");
	said(5, base, mss, "4: 0-1");
	assert_int_equal(w.a.got_n, 5 * mss);
	assert_int_equal(pair_counter(&w.a, "tcp_tx_sacks"), 5);
	assert_int_equal(pair_counter(&w.a, "tcp_tx_dsack_ooo"), 1);
	assert_int_equal(pair_counter(&w.a, "tcp_tx_dsack_old"), 1);
	drop_held(5);
}

/* Every packet that a sent keeps to the MTU, cut or not, and has `blocks` blocks. @return the
 * longest. */
static uint32_t packets_fit(unsigned int blocks)
{
	uint32_t longest = 0;

	rnl_poll(w.a.st, w.now_ns += 1000);
	assert_true(w.b.in_n > 0);
	for (unsigned int i = 0; i < w.b.in_n; i++) {
		struct rte_mbuf *m = w.b.in[i];
		struct rnl_ip ip;
		struct rnl_seg s;

		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
		assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
		assert_int_equal(rnl_tcphdr_parse(m, &ip, &s), RNL_C_ok);
		assert_int_equal(s.opt.has & RNL_OPT_SACK ? s.opt.nsack : 0, blocks);
		if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
			longest =
			    RTE_MAX(longest, (uint32_t)(m->l3_len + m->l4_len + m->tso_segsz));
		else
			longest = RTE_MAX(longest, m->pkt_len);
	}
	rte_pktmbuf_free_bulk(w.b.in, w.b.in_n);
	w.b.in_n = 0;
	return longest;
}

/* RFC 9293 3.7.1 (MUST-16): a sends a lot while holes are open, one more each time. */
static void data_beside_blocks(uint32_t caps)
{
	const struct pair_config cfg = {.caps = caps};
	uint32_t mss;

	for (unsigned int holes = 0; holes <= 4; holes++) {
		pair_open(&cfg);
		pair_connect();
		hold(9, &mss);
		for (unsigned int i = 0; i < holes; i++)
			give(2 * i + 1);
		assert_int_equal(answers(), holes);
		assert_int_equal(rnl_send(w.a.st, w.a.conn, data, sizeof(data)), sizeof(data));
		assert_int_equal(packets_fit(RTE_MIN(holes, 3u)), MTU);
		drop_held(9);
		pair_close();
	}
}

static void sackgen__data_beside_blocks_keeps_to_the_mtu(void **state)
{
	data_beside_blocks(0);
}

static void sackgen__so_does_what_the_device_cuts(void **state)
{
	data_beside_blocks(RNL_CAP_TX_MULTI_SEGS | RNL_CAP_TX_TSO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(sackgen__a_burst_is_answered_one_by_one),
	    rnl_unit_test(sackgen__data_beside_blocks_keeps_to_the_mtu),
	    rnl_unit_test(sackgen__so_does_what_the_device_cuts),
	};

	return cmocka_run_group_tests_name("sackgen", tests, rnl_test_group_setup, NULL);
}
