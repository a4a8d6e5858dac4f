/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/eth. */
#include "frames.h"

#include "wire/eth.h"

static const uint8_t to[6] = {2, 0, 0, 0, 0, 1}, from[6] = {2, 0, 0, 0, 0, 9};

/* Parses len octets in every chain shape; all agree. @return the verdict. */
static enum rnl_counter parse(const uint8_t *p, uint32_t len, uint64_t ol_flags,
                              struct rnl_eth *out)
{
	enum rnl_counter verdict = RNL_C_COUNT;

	for (uint32_t shape = 0; shape < FRAME_SHAPES(len); shape++) {
		struct rte_mbuf *m = frame_shape(p, len, shape);
		struct rnl_eth eth;
		enum rnl_counter v;

		memset(&eth, 0, sizeof(eth));
		m->ol_flags |= ol_flags;
		m->vlan_tci = 0xe123;
		v = rnl_eth_parse(m, &eth);
		assert_memory_equal(rnl_test_octets(m), p, len);
		rte_pktmbuf_free(m);
		if (shape > 0) {
			assert_int_equal(v, verdict);
			if (v == RNL_C_ok)
				assert_memory_equal(&eth, out, sizeof(eth));
		}
		verdict = v;
		*out = eth;
	}
	return verdict;
}

static void eth__untagged(void **state)
{
	uint8_t p[20] = {0};
	struct rnl_eth eth;

	assert_int_equal(rnl_eth_write(p, to, from, 0, RNL_ETHERTYPE_IPV4), 14);
	assert_int_equal(parse(p, sizeof(p), 0, &eth), RNL_C_ok);
	assert_memory_equal(eth.dst, to, 6);
	assert_memory_equal(eth.src, from, 6);
	assert_int_equal(eth.type, 0x0800);
	assert_int_equal(eth.vlan, 0);
	assert_int_equal(eth.l3_off, 14);
}

static void eth__tagged(void **state)
{
	uint8_t p[20] = {0};
	struct rnl_eth eth;

	assert_int_equal(rnl_eth_write(p, to, from, 4094, RNL_ETHERTYPE_IPV6), 18);
	assert_int_equal(p[12] << 8 | p[13], 0x8100);
	assert_int_equal(parse(p, sizeof(p), 0, &eth), RNL_C_ok);
	assert_int_equal(eth.type, 0x86dd);
	assert_int_equal(eth.vlan, 4094);
	assert_int_equal(eth.l3_off, 18);
}

/* VLAN identifier 0 with a priority is no VLAN. */
static void eth__priority_tag(void **state)
{
	uint8_t p[20] = {0};
	struct rnl_eth eth;

	rnl_eth_write(p, to, from, 5, RNL_ETHERTYPE_ARP);
	p[14] = 0xe0;
	p[15] = 0;
	assert_int_equal(parse(p, sizeof(p), 0, &eth), RNL_C_ok);
	assert_int_equal(eth.vlan, 0);
	assert_int_equal(eth.type, 0x0806);
	assert_int_equal(eth.l3_off, 18);
	p[14] = 0xe1; /* priority 7, VLAN 0x123 */
	p[15] = 0x23;
	assert_int_equal(parse(p, sizeof(p), 0, &eth), RNL_C_ok);
	assert_int_equal(eth.vlan, 0x123);
}

static void eth__stripped_tag(void **state)
{
	uint8_t p[20] = {0};
	struct rnl_eth eth;
	uint64_t stripped = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;

	rnl_eth_write(p, to, from, 0, RNL_ETHERTYPE_IPV4);
	assert_int_equal(parse(p, sizeof(p), stripped, &eth), RNL_C_ok);
	assert_int_equal(eth.vlan, 0x123);
	assert_int_equal(eth.l3_off, 14);
	/* One tag was stripped, so the one in the frame is a second: not spoken here. */
	rnl_eth_write(p, to, from, 7, RNL_ETHERTYPE_IPV4);
	assert_int_equal(parse(p, sizeof(p), stripped, &eth), RNL_C_ok);
	assert_int_equal(eth.type, 0x8100);
	/* Only announced, not stripped: it is in the frame. */
	assert_int_equal(parse(p, sizeof(p), RTE_MBUF_F_RX_VLAN, &eth), RNL_C_ok);
	assert_int_equal(eth.vlan, 7);
}

static void eth__every_truncation(void **state)
{
	uint8_t p[20] = {0};
	struct rnl_eth eth;

	for (uint32_t len = 0; len <= sizeof(p); len++) {
		rnl_eth_write(p, to, from, 0, RNL_ETHERTYPE_IPV4);
		assert_int_equal(parse(p, len, 0, &eth), len < 14 ? RNL_C_rx_runt : RNL_C_ok);
		rnl_eth_write(p, to, from, 3, RNL_ETHERTYPE_IPV4);
		assert_int_equal(parse(p, len, 0, &eth), len < 18 ? RNL_C_rx_runt : RNL_C_ok);
	}
}

static void eth__clears_transmit_requests(void **state)
{
	uint8_t p[20] = {0};
	struct rnl_eth eth;
	struct rte_mbuf *m;

	rnl_eth_write(p, to, from, 0, RNL_ETHERTYPE_IPV4);
	m = rnl_test_mbuf(p, sizeof(p));
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4;
	m->l3_len = 20;
	m->tso_segsz = 1000;
	assert_int_equal(rnl_eth_parse(m, &eth), RNL_C_ok);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_int_equal(m->tx_offload, 0);
	rte_pktmbuf_free(m);
}

static void eth__group_addresses(void **state)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0, 0, 1};

	assert_true(rnl_eth_is_group(all));
	assert_true(rnl_eth_is_group(group));
	assert_false(rnl_eth_is_group(to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(eth__untagged),         rnl_unit_test(eth__tagged),
	    rnl_unit_test(eth__priority_tag),     rnl_unit_test(eth__stripped_tag),
	    rnl_unit_test(eth__every_truncation), rnl_unit_test(eth__clears_transmit_requests),
	    rnl_unit_test(eth__group_addresses),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
