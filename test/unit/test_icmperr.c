/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/icmperr: what ICMP errors of both families mean (RFC 9293 3.9.2.2, RFC 792, RFC 4443 3.1
 * to 3.4, RFC 1191 4, RFC 6633 5) and of which segment they are, in every chain shape.
 */
#include "frames.h"

#include <errno.h>

#include "wire/icmperr.h"
#include "wire/ip.h"

/* The quoted segment: frame_tcp()'s, from here to there. */
#define SEQ 0x11223344u

/* An error that quotes `quote` octets of a segment, at `to`. @return the packet's length. */
static uint32_t error(uint8_t *p, bool v6, uint8_t type, uint8_t code, uint32_t word,
                      const uint8_t *quoted, uint32_t quote)
{
	uint32_t len = 8 + quote;
	uint32_t l3 = v6 ? frame_v6(p, 58, len) : frame_v4(p, 1, len, NULL, 0);

	p[l3] = type;
	p[l3 + 1] = code;
	frame_put(p + l3 + 4, 4, word);
	memcpy(p + l3 + 8, quoted, quote);
	frame_cksum(p + l3, len, v6 ? frame_pseudo(true, 58, len) : 0, 2);
	return l3 + len;
}

/* Parses in every chain shape; all agree. @return the verdict. */
static enum rnl_counter parse(const uint8_t *p, uint32_t len, struct rnl_icmp_error *out)
{
	enum rnl_counter verdict = RNL_C_COUNT;

	for (uint32_t shape = 0; shape < FRAME_SHAPES(len); shape++) {
		struct rte_mbuf *m = frame_shape(p, len, shape);
		struct rnl_icmp_error e;
		struct rnl_icmp icmp;
		enum rnl_counter v;
		struct rnl_ip ip;

		memset(&e, 0, sizeof(e));
		assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
		assert_int_equal(rnl_icmp_parse(m, &ip, &icmp), RNL_C_ok);
		assert_true(rnl_icmp_is_error(&ip, &icmp));
		v = rnl_icmp_error_parse(m, &ip, &icmp, &e);
		rte_pktmbuf_free(m);
		if (shape > 0) {
			assert_int_equal(v, verdict);
			assert_memory_equal(&e, out, sizeof(e));
		}
		verdict = v;
		*out = e;
	}
	return verdict;
}

static void icmperr__meanings(void **state)
{
	static const struct {
		bool v6;
		uint8_t type, code;
		enum rnl_counter verdict;
		uint8_t kind, err;
	} cases[] = {
	    {false, 3, 0, RNL_C_ok, RNL_ICMP_SOFT, ENETUNREACH},
	    {false, 3, 1, RNL_C_ok, RNL_ICMP_SOFT, EHOSTUNREACH},
	    {false, 3, 2, RNL_C_ok, RNL_ICMP_HARD, ENOPROTOOPT},
	    {false, 3, 3, RNL_C_ok, RNL_ICMP_HARD, ECONNREFUSED},
	    {false, 3, 4, RNL_C_ok, RNL_ICMP_TOO_BIG, EMSGSIZE},
	    {false, 3, 5, RNL_C_ok, RNL_ICMP_SOFT, EOPNOTSUPP},
	    {false, 3, 13, RNL_C_ok, RNL_ICMP_HARD, EACCES},
	    {false, 3, 15, RNL_C_ok, RNL_ICMP_SOFT, EHOSTUNREACH},
	    {false, 3, 16, RNL_C_icmp_rx_other, 0, 0},
	    {false, 4, 0, RNL_C_icmp_rx_quench, 0, 0},
	    {false, 11, 0, RNL_C_ok, RNL_ICMP_SOFT, EHOSTUNREACH},
	    {false, 12, 0, RNL_C_ok, RNL_ICMP_SOFT, EPROTO},
	    {true, 1, 0, RNL_C_ok, RNL_ICMP_SOFT, ENETUNREACH},
	    {true, 1, 1, RNL_C_ok, RNL_ICMP_HARD, EACCES},
	    {true, 1, 4, RNL_C_ok, RNL_ICMP_HARD, ECONNREFUSED},
	    {true, 1, 7, RNL_C_icmp_rx_other, 0, 0},
	    {true, 2, 9, RNL_C_ok, RNL_ICMP_TOO_BIG, EMSGSIZE}, /* the code is ignored */
	    {true, 3, 1, RNL_C_ok, RNL_ICMP_SOFT, EHOSTUNREACH},
	    {true, 4, 2, RNL_C_ok, RNL_ICMP_SOFT, EPROTO},
	    {true, 100, 0, RNL_C_icmp_rx_other, 0, 0},
	};
	uint8_t quoted[FRAME_MAX], p[FRAME_MAX];
	struct rnl_icmp_error e;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		bool v6 = cases[i].v6;
		uint32_t len;

		frame_tcp(quoted, v6, NULL, 0, 30);
		len = error(p, v6, cases[i].type, cases[i].code, 1300, quoted, v6 ? 48 : 28);
		assert_int_equal(parse(p, len, &e), cases[i].verdict);
		if (cases[i].verdict != RNL_C_ok)
			continue;
		assert_int_equal(e.kind, cases[i].kind);
		assert_int_equal(e.err, cases[i].err);
		assert_int_equal(e.seq, SEQ);
		assert_int_equal(e.key.lport, 40000);
		assert_int_equal(e.key.rport, 443);
		assert_int_equal(e.mtu, cases[i].kind == RNL_ICMP_TOO_BIG ? 1300 : 0);
		assert_int_equal(e.size, v6 ? 90 : 70);
		assert_int_equal(rnl_addr_is_v4(&e.key.laddr), !v6);
		assert_memory_equal(e.key.raddr.b + (v6 ? 0 : 12), v6 ? frame_v6_dst : frame_v4_dst,
		                    v6 ? 16 : 4);
	}
}

/* RFC 792, RFC 4443 2.4: eight octets of TCP are the least that names a connection. */
static void icmperr__every_truncated_quote(void **state)
{
	uint8_t quoted[FRAME_MAX], p[FRAME_MAX];
	struct rnl_icmp_error e;

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t least = v6 ? 48 : 28;

		frame_tcp(quoted, v6, NULL, 0, 30);
		for (uint32_t quote = 0; quote < least + 12; quote++)
			assert_int_equal(
			    parse(p, error(p, v6, v6 ? 1 : 3, 0, 0, quoted, quote), &e),
			    quote < least ? RNL_C_icmp_error_bad_quote : RNL_C_ok);
	}
}

static void icmperr__quotes_of_no_segment(void **state)
{
	uint8_t quoted[FRAME_MAX], p[FRAME_MAX];
	struct rnl_icmp_error e;

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t quote = v6 ? 60 : 40;
		const struct {
			uint32_t at;
			uint8_t value;
		} spoil[] = {
		    {0, v6 ? 0x45 : 0x65}, /* the other family */
		    {v6 ? 6 : 9, 17},      /* UDP */
		    {v6 ? 6 : 0, v6 ? 59 : 0x44},
		    {v6 ? 6 : 7, v6 ? 44 : 1}, /* not the first fragment */
		};

		for (size_t i = 0; i < RTE_DIM(spoil); i++) {
			frame_tcp(quoted, v6, NULL, 0, 30);
			if (v6)
				frame_put(quoted + 42, 2, 8); /* offset, if it is a fragment */
			quoted[spoil[i].at] = spoil[i].value;
			assert_int_equal(
			    parse(p, error(p, v6, v6 ? 1 : 3, 0, 0, quoted, quote), &e),
			    RNL_C_icmp_error_bad_quote);
		}
	}
}

/* IPv4 options and IPv6 extension headers of the quoted packet are stepped over. */
static void icmperr__headers_between(void **state)
{
	static const uint8_t nops[4] = {1, 1, 1, 0};
	uint8_t quoted[FRAME_MAX], tcp[FRAME_MAX], p[FRAME_MAX];
	struct rnl_icmp_error e;
	uint32_t l3;

	frame_tcp(tcp, false, NULL, 0, 0);
	l3 = frame_v4(quoted, 6, 20, nops, 4);
	memcpy(quoted + l3, tcp + 20, 20);
	assert_int_equal(parse(p, error(p, false, 3, 4, 576, quoted, l3 + 8), &e), RNL_C_ok);
	assert_int_equal(e.seq, SEQ);
	frame_tcp(tcp, true, NULL, 0, 0);
	frame_v6(quoted, 60, 8 + 20);
	memset(quoted + 40, 0, 8);
	quoted[40] = 6;
	memcpy(quoted + 48, tcp + 40, 20);
	assert_int_equal(parse(p, error(p, true, 2, 0, 1280, quoted, 56), &e), RNL_C_ok);
	assert_int_equal(e.seq, SEQ);
	assert_int_equal(e.mtu, 1280);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(icmperr__meanings),
	    rnl_unit_test(icmperr__every_truncated_quote),
	    rnl_unit_test(icmperr__quotes_of_no_segment),
	    rnl_unit_test(icmperr__headers_between),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
