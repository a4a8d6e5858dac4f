/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/icmp: of both families; the reply is judged by the parsers and by hand-made checksums. */
#include "frames.h"

#include "wire/icmp.h"
#include "wire/ip.h"

/* Parses IP and ICMP in every chain shape; all agree. @return ICMP's verdict. */
static enum rnl_counter parse(const uint8_t *p, uint32_t len, struct rnl_ip *ip,
                              struct rnl_icmp *out)
{
	enum rnl_counter verdict = RNL_C_COUNT;

	for (uint32_t shape = 0; shape < FRAME_SHAPES(len); shape++) {
		struct rte_mbuf *m = frame_shape(p, len, shape);
		struct rnl_icmp icmp;
		enum rnl_counter v;

		memset(&icmp, 0, sizeof(icmp));
		assert_int_equal(rnl_ip_parse(m, 0, ip), RNL_C_ok);
		v = rnl_icmp_parse(m, ip, &icmp);
		rte_pktmbuf_free(m);
		if (shape > 0) {
			assert_int_equal(v, verdict);
			assert_memory_equal(&icmp, out, sizeof(icmp));
		}
		verdict = v;
		*out = icmp;
	}
	return verdict;
}

static void icmp__echo_request(void **state)
{
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;
	struct rnl_icmp icmp;

	for (int v6 = 0; v6 < 2; v6++)
		for (uint32_t data = 0; data < 35; data += 7) {
			uint32_t len = frame_echo(p, v6, data);

			assert_int_equal(parse(p, len, &ip, &icmp), RNL_C_ok);
			assert_true(icmp.echo_request);
			assert_int_equal(icmp.type, v6 ? 128 : 8);
			assert_int_equal(icmp.off, len - 8 - data);
			assert_int_equal(icmp.len, 8 + data);
		}
}

static void icmp__other_messages_are_no_echo(void **state)
{
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;
	struct rnl_icmp icmp;

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t l3 = v6 ? 40 : 20, len = frame_echo(p, v6, 28);
		uint32_t pseudo = v6 ? frame_pseudo(true, 58, len - l3) : 0;

		p[l3] = v6 ? 8 : 128; /* the other family's request */
		frame_cksum(p + l3, len - l3, pseudo, 2);
		assert_int_equal(parse(p, len, &ip, &icmp), RNL_C_ok);
		assert_false(icmp.echo_request);
		p[l3] = v6 ? 128 : 8;
		p[l3 + 1] = 1; /* no code but 0 is an echo */
		frame_cksum(p + l3, len - l3, pseudo, 2);
		assert_int_equal(parse(p, len, &ip, &icmp), RNL_C_ok);
		assert_false(icmp.echo_request);
	}
}

static void icmp__every_corrupt_octet_is_bad(void **state)
{
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;
	struct rnl_icmp icmp;

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t len = frame_echo(p, v6, 13);

		for (uint32_t i = v6 ? 40 : 20; i < len; i++) {
			p[i] ^= 0x20;
			assert_int_equal(parse(p, len, &ip, &icmp), RNL_C_icmp_rx_bad);
			p[i] ^= 0x20;
		}
	}
}

static void icmp__short_or_fragment_is_bad(void **state)
{
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;
	struct rnl_icmp icmp;
	uint32_t len;

	for (uint32_t n = 0; n < 8; n++) {
		frame_v4(p, 1, n, NULL, 0);
		memset(p + 20, 0xff, 8); /* the sum of all ones is right */
		assert_int_equal(parse(p, 20 + n, &ip, &icmp), RNL_C_icmp_rx_bad);
	}
	len = frame_echo(p, false, 20);
	frame_put(p + 6, 2, 0x2000);
	frame_cksum(p, 20, 0, 10);
	assert_int_equal(parse(p, len, &ip, &icmp), RNL_C_icmp_rx_bad);
}

/* The reply to a request in any chain shape: addresses turned, data the same, checksums right.
 * RFC 1122 3.2.2.6. */
static void icmp__reply(void **state)
{
	uint8_t p[FRAME_MAX];

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t l3 = v6 ? 40 : 20, len = frame_echo(p, v6, 31);

		for (uint32_t shape = 0; shape < FRAME_SHAPES(len); shape++) {
			struct rte_mbuf *m = frame_shape(p, len, shape);
			struct rte_mbuf *reply = rte_pktmbuf_alloc(rnl_test_hdr_pool());
			struct rnl_ip ip, back;
			struct rnl_icmp icmp, answer;
			const uint8_t *r;

			rnl_ip_parse(m, 0, &ip);
			rnl_icmp_parse(m, &ip, &icmp);
			assert_int_equal(rnl_icmp_echo_reply(reply, m, &ip, &icmp, 77), 0);
			assert_int_equal(rnl_ip_parse(reply, 0, &back), RNL_C_ok);
			assert_int_equal(rnl_icmp_parse(reply, &back, &answer), RNL_C_ok);
			assert_true(rnl_addr_equal(&back.src, &ip.dst));
			assert_true(rnl_addr_equal(&back.dst, &ip.src));
			assert_int_equal(back.ttl, 77);
			assert_int_equal(back.tos, 0x28); /* ECN bits are not returned */
			assert_int_equal(answer.type, v6 ? 129 : 0);
			assert_int_equal(reply->pkt_len, len);
			r = rnl_test_octets(reply);
			assert_memory_equal(r + l3 + 4, p + l3 + 4, len - l3 - 4);
			assert_int_equal(
			    frame_sum(r + l3, len - l3, v6 ? frame_pseudo(true, 58, len - l3) : 0),
			    0xffff);
			rte_pktmbuf_free(reply);
			rte_pktmbuf_free(m);
		}
	}
}

static void icmp__reply_that_does_not_fit(void **state)
{
	uint8_t p[FRAME_MAX];

	for (uint32_t data = 225; data < 232; data++) {
		struct rte_mbuf *m = rnl_test_mbuf(p, frame_echo(p, false, data));
		struct rte_mbuf *reply = rte_pktmbuf_alloc(rnl_test_hdr_pool());
		struct rnl_ip ip;
		struct rnl_icmp icmp;
		int rc;

		rnl_ip_parse(m, 0, &ip);
		rnl_icmp_parse(m, &ip, &icmp);
		rc = rnl_icmp_echo_reply(reply, m, &ip, &icmp, 64);
		assert_int_equal(rc, 28 + data <= 256 ? 0 : -1);
		rte_pktmbuf_free(reply);
		rte_pktmbuf_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(icmp__echo_request),
	    rnl_unit_test(icmp__other_messages_are_no_echo),
	    rnl_unit_test(icmp__every_corrupt_octet_is_bad),
	    rnl_unit_test(icmp__short_or_fragment_is_bad),
	    rnl_unit_test(icmp__reply),
	    rnl_unit_test(icmp__reply_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
