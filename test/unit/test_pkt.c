/* SPDX-License-Identifier: BSD-3-Clause */
/* base/pkt. */
#include "frames.h"

#include "base/pkt.h"

#define LEN 23

static uint8_t octets[LEN];

static int setup(void **state)
{
	for (unsigned int i = 0; i < LEN; i++)
		octets[i] = (uint8_t)(i + 1);
	return rnl_test_env_init();
}

/* What the chain says of itself agrees with what it is. */
static void check_chain(const struct rte_mbuf *m, const uint8_t *expected, uint32_t len)
{
	const char *reason = "";

	assert_int_equal(rte_mbuf_check(m, 1, &reason), 0);
	assert_int_equal(m->pkt_len, len);
	assert_memory_equal(rnl_test_octets(m), expected, len);
}

static void pkt__slice_every_range_of_every_shape(void **state)
{
	for (uint32_t shape = 0; shape < FRAME_SHAPES(LEN); shape++)
		for (uint32_t off = 0; off < LEN; off++)
			for (uint32_t len = 1; off + len <= LEN; len++) {
				struct rte_mbuf *m = frame_shape(octets, LEN, shape);

				m = rnl_pkt_slice(m, off, len);
				check_chain(m, octets + off, len);
				rte_pktmbuf_free(m);
			}
}

static void pkt__trim_every_length_of_every_shape(void **state)
{
	for (uint32_t shape = 0; shape < FRAME_SHAPES(LEN); shape++)
		for (uint32_t len = 0; len <= LEN; len++) {
			struct rte_mbuf *m = frame_shape(octets, LEN, shape);

			rnl_pkt_trim(m, len);
			check_chain(m, octets, len);
			rte_pktmbuf_free(m);
		}
}

/* The octets that were cut off are still there for whoever else holds the buffer. */
static void pkt__slice_writes_no_octet(void **state)
{
	struct rte_mbuf *m = rnl_test_mbuf(octets, LEN);
	struct rte_mbuf *other = rte_pktmbuf_alloc(rnl_test_hdr_pool());

	rte_pktmbuf_attach(other, m);
	m = rnl_pkt_slice(m, 5, 6);
	check_chain(m, octets + 5, 6);
	check_chain(other, octets, LEN);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(other);
}

static void pkt__copy_out(void **state)
{
	uint8_t out[LEN];

	for (uint32_t shape = 0; shape < FRAME_SHAPES(LEN); shape++)
		for (uint32_t off = 0; off < LEN; off++) {
			struct rte_mbuf *m = frame_shape(octets, LEN, shape);

			memset(out, 0, sizeof(out));
			rnl_pkt_copy_out(m, off, LEN - off, out);
			assert_memory_equal(out, octets + off, LEN - off);
			rte_pktmbuf_free(m);
		}
}

static void pkt__writable(void **state)
{
	struct rte_mbuf *m = rnl_test_mbuf(octets, LEN);
	struct rte_mbuf *other = rte_pktmbuf_alloc(rnl_test_hdr_pool());

	assert_true(rnl_pkt_writable(m));
	rte_mbuf_refcnt_update(m, 1);
	assert_false(rnl_pkt_writable(m));
	rte_mbuf_refcnt_update(m, -1);
	rte_pktmbuf_attach(other, m);
	assert_false(rnl_pkt_writable(other));
	assert_false(rnl_pkt_writable(m));
	rte_pktmbuf_free(other);
	assert_true(rnl_pkt_writable(m));
	rte_pktmbuf_free(m);
}

static void pkt__sanitize(void **state)
{
	struct rte_mbuf *m = frame_shape(octets, LEN, 0);
	uint64_t keep = m->ol_flags | RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_RSS_HASH;

	m->ol_flags = keep | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 |
	              RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_VLAN;
	m->tx_offload = UINT64_MAX;
	rnl_pkt_sanitize(m);
	assert_int_equal(m->ol_flags, keep);
	assert_int_equal(m->tx_offload, 0);
	rte_pktmbuf_free(m); /* the external buffer too: its flag was kept */
}

static void pkt__truesize(void **state)
{
	struct rte_mbuf *m = rnl_pkt_alloc(rnl_test_pkt_pool());

	assert_int_equal(rnl_pkt_truesize(m), sizeof(*m) + 2048 + RTE_PKTMBUF_HEADROOM);
	rte_pktmbuf_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(pkt__slice_every_range_of_every_shape),
	    rnl_unit_test(pkt__trim_every_length_of_every_shape),
	    rnl_unit_test(pkt__slice_writes_no_octet),
	    rnl_unit_test(pkt__copy_out),
	    rnl_unit_test(pkt__writable),
	    rnl_unit_test(pkt__sanitize),
	    rnl_unit_test(pkt__truesize),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
