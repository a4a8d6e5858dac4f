/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/ip and wire/addr. */
#include "frames.h"

#include <errno.h>

#include <rte_byteorder.h>

#include "wire/cksum.h"
#include "wire/ip.h"

/*
 * Parses the packet behind 14 octets of a link header, in every chain shape; all shapes agree, what
 * follows the packet is gone, and no octet of it was written. @return the verdict.
 */
static enum rnl_counter parse(const uint8_t *packet, uint32_t len, uint64_t ol_flags,
                              struct rnl_ip *out)
{
	enum rnl_counter verdict = RNL_C_COUNT;
	uint8_t p[FRAME_MAX] = {0};

	memcpy(p + 14, packet, len);
	len += 14;
	for (uint32_t shape = 0; shape < FRAME_SHAPES(len); shape++) {
		struct rte_mbuf *m = frame_shape(p, len, shape);
		struct rnl_ip ip;
		enum rnl_counter v;

		memset(&ip, 0, sizeof(ip));
		m->ol_flags |= ol_flags;
		v = rnl_ip_parse(m, 14, &ip);
		assert_memory_equal(rnl_test_octets(m), p, m->pkt_len);
		if (v == RNL_C_ok)
			assert_int_equal(ip.l4_off + ip.l4_len, m->pkt_len);
		assert_int_equal(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
		rte_pktmbuf_free(m);
		if (shape > 0)
			assert_int_equal(v, verdict);
		if (shape > 0 && v == RNL_C_ok)
			assert_memory_equal(&ip, out, sizeof(ip));
		verdict = v;
		*out = ip;
	}
	return verdict;
}

static void ip__v4(void **state)
{
	struct rnl_addr src = rnl_addr_v4(192, 0, 2, 1), dst = rnl_addr_v4(198, 51, 100, 7);
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;
	uint32_t len = frame_tcp(p, false, NULL, 0, 11);

	assert_int_equal(parse(p, len, 0, &ip), RNL_C_ok);
	assert_true(rnl_addr_equal(&ip.src, &src));
	assert_true(rnl_addr_equal(&ip.dst, &dst));
	assert_int_equal(ip.version, 4);
	assert_int_equal(ip.proto, RNL_IPPROTO_TCP);
	assert_int_equal(ip.ttl, 61);
	assert_int_equal(ip.tos, 0x29);
	assert_int_equal(ip.l4_off, 34);
	assert_int_equal(ip.l4_len, 31);
	assert_false(ip.fragment);
}

static void ip__v6(void **state)
{
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;
	uint32_t len = frame_tcp(p, true, NULL, 0, 11);

	assert_int_equal(parse(p, len, 0, &ip), RNL_C_ok);
	assert_memory_equal(ip.src.b, frame_v6_src, 16);
	assert_memory_equal(ip.dst.b, frame_v6_dst, 16);
	assert_int_equal(ip.version, 6);
	assert_int_equal(ip.proto, RNL_IPPROTO_TCP);
	assert_int_equal(ip.ttl, 61);
	assert_int_equal(ip.tos, 0x29);
	assert_int_equal(ip.l4_off, 54);
	assert_int_equal(ip.l4_len, 31);
	assert_false(ip.fragment);
}

static void ip__padding_and_trailers_are_trimmed(void **state)
{
	uint8_t p[FRAME_MAX] = {0};
	struct rnl_ip ip;

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t len = frame_tcp(p, v6, NULL, 0, 2);

		memset(p + len, 0x5a, 40);
		for (uint32_t extra = 0; extra < 40; extra += 3) {
			assert_int_equal(parse(p, len + extra, 0, &ip), RNL_C_ok);
			assert_int_equal(ip.l4_len, 22);
		}
	}
}

static void ip__every_truncation(void **state)
{
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t len = frame_tcp(p, v6, NULL, 0, 3), hlen = v6 ? 40 : 20;

		for (uint32_t n = 0; n < len; n++)
			assert_int_equal(parse(p, n, 0, &ip),
			                 n < hlen ? RNL_C_rx_runt : RNL_C_ip_rx_bad_header);
	}
}

static void ip__v4_every_corrupt_header_octet(void **state)
{
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;
	uint32_t len = frame_tcp(p, false, NULL, 0, 0);

	for (uint32_t i = 0; i < 20; i++) {
		p[i] ^= 0x08;
		assert_int_not_equal(parse(p, len, 0, &ip), RNL_C_ok);
		p[i] ^= 0x08;
	}
}

/* Whole mask: GOOD and NONE vouch for the header, UNKNOWN and BAD are looked into. */
static void ip__v4_device_verdict(void **state)
{
	uint8_t good[FRAME_MAX], wrong[FRAME_MAX];
	uint32_t len = frame_tcp(good, false, NULL, 0, 0);
	struct rnl_ip ip;

	memcpy(wrong, good, len);
	wrong[10] ^= 1;
	assert_int_equal(parse(good, len, RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, &ip), RNL_C_ok);
	assert_int_equal(parse(good, len, RTE_MBUF_F_RX_IP_CKSUM_BAD, &ip), RNL_C_ok);
	assert_int_equal(parse(wrong, len, RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, &ip),
	                 RNL_C_ip_rx_bad_header);
	assert_int_equal(parse(wrong, len, RTE_MBUF_F_RX_IP_CKSUM_BAD, &ip),
	                 RNL_C_ip_rx_bad_header);
	assert_int_equal(parse(wrong, len, RTE_MBUF_F_RX_IP_CKSUM_GOOD, &ip), RNL_C_ok);
	assert_int_equal(parse(wrong, len, RTE_MBUF_F_RX_IP_CKSUM_NONE, &ip), RNL_C_ok);
}

static void ip__v4_lengths_that_lie(void **state)
{
	static const struct {
		uint8_t ihl;
		uint16_t total;
		enum rnl_counter verdict;
	} cases[] = {
	    {5, 40, RNL_C_ok},
	    {5, 41, RNL_C_ip_rx_bad_header}, /* more than there is */
	    {5, 65535, RNL_C_ip_rx_bad_header},
	    {5, 20, RNL_C_ok}, /* nothing behind the header */
	    {5, 19, RNL_C_ip_rx_bad_header},
	    {5, 0, RNL_C_ip_rx_bad_header}, /* as TSO leaves it: no excuse here */
	    {4, 40, RNL_C_ip_rx_bad_header},
	    {0, 40, RNL_C_ip_rx_bad_header},
	    {10, 40, RNL_C_ok},
	    {11, 40, RNL_C_ip_rx_bad_header},
	    {15, 40, RNL_C_ip_rx_bad_header},
	};
	struct rnl_ip ip;

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		uint8_t p[FRAME_MAX] = {0};

		frame_v4(p, 6, 20, NULL, 0);
		p[0] = 0x40 | cases[i].ihl;
		frame_put(p + 2, 2, cases[i].total);
		frame_cksum(p, RTE_MIN(cases[i].ihl * 4u, 40u), 0, 10);
		assert_int_equal(parse(p, 40, 0, &ip), cases[i].verdict);
		if (cases[i].verdict == RNL_C_ok)
			assert_int_equal(ip.l4_len, cases[i].total - cases[i].ihl * 4);
	}
}

/* RFC 9293 3.9.2 (MUST-50). */
static void ip__v4_options_are_stepped_over(void **state)
{
	static const uint8_t options[40] = {7, 39, 4}; /* record route */
	uint8_t p[FRAME_MAX] = {0};
	struct rnl_ip ip;

	for (uint32_t optlen = 4; optlen <= 40; optlen += 4) {
		frame_v4(p, 6, 8, options, optlen);
		assert_int_equal(parse(p, 28 + optlen, 0, &ip), RNL_C_ok);
		assert_int_equal(ip.l4_off, 34 + optlen);
		assert_int_equal(ip.l4_len, 8);
	}
}

static void ip__v4_fragments_are_marked(void **state)
{
	static const struct {
		uint16_t field;
		bool fragment;
	} cases[] = {{0, false},     {0x4000, false}, {0x8000, false},
	             {0x2000, true}, {0x0001, true},  {0x1fff, true}};
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		uint32_t len = frame_tcp(p, false, NULL, 0, 0);

		frame_put(p + 6, 2, cases[i].field);
		frame_cksum(p, 20, 0, 10);
		assert_int_equal(parse(p, len, 0, &ip), RNL_C_ok);
		assert_int_equal(ip.fragment, cases[i].fragment);
	}
}

static enum rnl_counter from_source(const char *text)
{
	uint8_t p[FRAME_MAX];
	struct rnl_addr a;
	struct rnl_ip ip;
	uint32_t len;

	assert_int_equal(rnl_addr_parse(text, &a), 0);
	len = frame_tcp(p, !rnl_addr_is_v4(&a), NULL, 0, 0);
	if (rnl_addr_is_v4(&a)) {
		memcpy(p + 12, a.b + 12, 4);
		frame_cksum(p, 20, 0, 10);
	} else {
		memcpy(p + 8, a.b, 16);
	}
	return parse(p, len, 0, &ip);
}

/* RFC 9293 3.9.2.3 (MUST-63). */
static void ip__sources_that_cannot_be(void **state)
{
	static const char *const bad[] = {"0.0.0.0",         "0.1.2.3",   "127.0.0.1",
	                                  "127.255.0.9",     "224.0.0.1", "239.255.255.255",
	                                  "255.255.255.255", "ff02::1",   "::1"};
	static const char *const good[] = {"1.0.0.1",   "126.9.9.9", "128.0.0.1", "10.0.0.255",
	                                   "223.1.1.1", "::",        "fe80::1",   "::2"};

	for (unsigned int i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(from_source(bad[i]), RNL_C_ip_rx_bad_source);
	for (unsigned int i = 0; i < RTE_DIM(good); i++)
		assert_int_equal(from_source(good[i]), RNL_C_ok);
}

/* An IPv6 packet must not pass for an IPv4 one by its addresses. */
static void ip__v6_mapped_addresses_are_refused(void **state)
{
	struct rnl_addr v4 = rnl_addr_v4(192, 0, 2, 1);
	uint8_t p[FRAME_MAX];
	struct rnl_ip ip;
	uint32_t len = frame_tcp(p, true, NULL, 0, 0);

	memcpy(p + 8, v4.b, 16);
	assert_int_equal(parse(p, len, 0, &ip), RNL_C_ip_rx_bad_source);
	len = frame_tcp(p, true, NULL, 0, 0);
	memcpy(p + 24, v4.b, 16);
	assert_int_equal(parse(p, len, 0, &ip), RNL_C_ip_rx_other_address);
}

static void ip__other_versions(void **state)
{
	uint8_t p[60];
	struct rnl_ip ip;

	for (unsigned int version = 0; version < 16; version++) {
		memset(p, 0, sizeof(p));
		p[0] = (uint8_t)(version << 4 | 5);
		if (version != 6)
			assert_int_equal(parse(p, sizeof(p), 0, &ip), RNL_C_ip_rx_bad_header);
	}
}

/* Puts extension headers between an IPv6 header and eight octets of payload, and parses that. */
static enum rnl_counter with_ext(uint8_t next, const uint8_t *ext, uint32_t len, struct rnl_ip *ip)
{
	uint8_t p[FRAME_MAX] = {0};

	frame_v6(p, next, len + 8);
	memcpy(p + 40, ext, len);
	return parse(p, 48 + len, 0, ip);
}

#define EXT(next, ip, ...)                                                                         \
	with_ext(next, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), ip)

static void ip__v6_extension_headers_are_stepped_over(void **state)
{
	struct rnl_ip ip;

	/* Hop-by-hop with PadN; with router alert (RFC 2711) and Pad1. */
	assert_int_equal(EXT(0, &ip, 6, 0, 1, 4, 0, 0, 0, 0), RNL_C_ok);
	assert_int_equal(ip.proto, 6);
	assert_int_equal(ip.l4_off, 14 + 48);
	assert_int_equal(ip.l4_len, 8);
	assert_int_equal(EXT(0, &ip, 6, 0, 5, 2, 0, 0, 0, 0), RNL_C_ok);
	/* Hop-by-hop, destination options (16 octets), routing with no segment left. */
	assert_int_equal(EXT(0, &ip, 60, 0, 1, 4, 0, 0, 0, 0, 43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0,
	                     0, 0, 0, 0, 58, 0, 4, 0, 0, 0, 0, 0),
	                 RNL_C_ok);
	assert_int_equal(ip.proto, 58);
	assert_int_equal(ip.l4_off, 14 + 72);
}

static void ip__v6_extension_headers_that_lie(void **state)
{
	struct rnl_ip ip;

	/* Longer than the packet. */
	assert_int_equal(EXT(60, &ip, 6, 2, 1, 4, 0, 0, 0, 0), RNL_C_ip_rx_bad_header);
	assert_int_equal(EXT(60, &ip, 6, 255, 1, 4, 0, 0, 0, 0), RNL_C_ip_rx_bad_header);
	/* An option longer than its header. */
	assert_int_equal(EXT(60, &ip, 6, 0, 1, 5, 0, 0, 0, 0), RNL_C_ip_rx_bad_header);
	assert_int_equal(EXT(60, &ip, 6, 0, 1, 3, 0, 0, 0, 1), RNL_C_ip_rx_bad_header);
	/* Nothing but extension headers, to the last octet of the packet. */
	assert_int_equal(EXT(60, &ip, 60, 0, 1, 4, 0, 0, 0, 0), RNL_C_ip_rx_bad_header);
	/* Hop-by-hop that is not the first. */
	assert_int_equal(EXT(60, &ip, 0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0),
	                 RNL_C_ip_rx_bad_header);
	/* A routing header that has segments left (RFC 8200 4.4; RFC 5095). */
	assert_int_equal(EXT(43, &ip, 6, 0, 0, 1, 0, 0, 0, 0), RNL_C_ip_rx_bad_header);
}

/* Headers that run past the packet's end are no better for standing in front of padding. */
static void ip__v6_extension_headers_end_with_the_packet(void **state)
{
	static const uint8_t next[] = {0, 43, 44, 60};
	uint8_t p[FRAME_MAX] = {0};
	struct rnl_ip ip;

	for (unsigned int i = 0; i < RTE_DIM(next); i++)
		for (uint32_t inside = 0; inside < 24; inside++) {
			memset(p, 0, 120);
			frame_v6(p, next[i], inside);
			p[40] = 6;
			p[41] = next[i] == 44 ? 0 : 1; /* 16 octets, but for a fragment's 8 */
			assert_int_equal(parse(p, 120, 0, &ip), inside >= (next[i] == 44 ? 8u : 16u)
			                                            ? RNL_C_ok
			                                            : RNL_C_ip_rx_bad_header);
		}
}

/* RFC 8200 4.2: 00 may be skipped; 01, 10, 11 must be dropped. */
static void ip__v6_unknown_options(void **state)
{
	struct rnl_ip ip;

	assert_int_equal(EXT(60, &ip, 6, 0, 0x1e, 4, 0, 0, 0, 0), RNL_C_ok);
	assert_int_equal(EXT(60, &ip, 6, 0, 0x5e, 4, 0, 0, 0, 0), RNL_C_ip_rx_bad_header);
	assert_int_equal(EXT(60, &ip, 6, 0, 0x9e, 4, 0, 0, 0, 0), RNL_C_ip_rx_bad_header);
	assert_int_equal(EXT(60, &ip, 6, 0, 0xc2, 4, 0, 0, 0, 0), RNL_C_ip_rx_bad_header);
}

static void ip__v6_extension_headers_are_bounded(void **state)
{
	uint8_t ext[9 * 8] = {0};
	struct rnl_ip ip;

	for (unsigned int n = 1; n <= 9; n++) {
		for (unsigned int i = 0; i < n; i++) {
			memset(ext + 8 * i, 0, 8);
			ext[8 * i] = i + 1 < n ? 60 : 6;
		}
		assert_int_equal(with_ext(60, ext, 8 * n, &ip),
		                 n <= 8 ? RNL_C_ok : RNL_C_ip_rx_bad_header);
	}
}

static void ip__v6_fragments_are_marked(void **state)
{
	struct rnl_ip ip;

	assert_int_equal(EXT(44, &ip, 6, 0, 0, 1, 0, 0, 0, 7), RNL_C_ok); /* first of several */
	assert_true(ip.fragment);
	assert_int_equal(ip.proto, 6);
	assert_int_equal(EXT(44, &ip, 6, 0, 0, 8, 0, 0, 0, 7), RNL_C_ok); /* the last */
	assert_true(ip.fragment);
	assert_int_equal(EXT(44, &ip, 60, 0, 0xff, 0xf8, 0, 0, 0, 7), RNL_C_ok);
	assert_true(ip.fragment);
	assert_int_equal(ip.proto, 60); /* not walked further: it may be data */
	assert_int_equal(EXT(44, &ip, 6, 0, 0, 0, 0, 0, 0, 7), RNL_C_ok); /* RFC 6946: atomic */
	assert_false(ip.fragment);
	assert_int_equal(ip.l4_off, 14 + 48);
}

static void ip__write_is_read_back(void **state)
{
	struct rnl_addr a, b;

	for (int v6 = 0; v6 < 2; v6++) {
		struct rnl_ip_out out = {.src = &a, .dst = &b, .payload_len = 9, .id = 0x1234};
		uint8_t p[64] = {0};
		struct rnl_ip ip;
		uint16_t hlen;

		rnl_addr_parse(v6 ? "2001:db8::1" : "203.0.113.4", &a);
		rnl_addr_parse(v6 ? "2001:db8::2" : "203.0.113.5", &b);
		out.proto = 6;
		out.ttl = 3;
		out.tos = 0xb9;
		hlen = rnl_ip_write(p, &out);
		assert_int_equal(hlen, v6 ? 40 : 20);
		assert_int_equal(hlen, rnl_ip_hlen(&b));
		assert_int_equal(parse(p, hlen + 9u, 0, &ip), RNL_C_ok);
		assert_true(rnl_addr_equal(&ip.src, &a));
		assert_true(rnl_addr_equal(&ip.dst, &b));
		assert_int_equal(ip.tos, 0xb9);
		assert_int_equal(ip.ttl, 3);
		assert_int_equal(ip.l4_len, 9);
		if (!v6) {
			assert_int_equal(p[4] << 8 | p[5], 0x1234);
			assert_int_equal(p[6] << 8 | p[7], 0x4000);
		}
	}
}

static void ip__pseudo_sum(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct rnl_addr src, dst;
		uint16_t sum;

		memcpy(src.b, frame_v6_src, 16);
		memcpy(dst.b, frame_v6_dst, 16);
		if (!v6) {
			src = rnl_addr_v4(192, 0, 2, 1);
			dst = rnl_addr_v4(198, 51, 100, 7);
		}
		sum = rnl_cksum_fold(rnl_ip_pseudo_sum(&src, &dst, 6, 1234));
		assert_int_equal(rte_be_to_cpu_16(sum), frame_pseudo(v6, 6, 1234));
	}
}

static void addr__text(void **state)
{
	static const char *const same[] = {"0.0.0.0",
	                                   "10.1.2.3",
	                                   "255.255.255.255",
	                                   "::",
	                                   "::1",
	                                   "2001:db8::7",
	                                   "ffff:eeee:dddd:cccc:bbbb:aaaa:9999:8888"};
	static const char *const bad[] = {
	    "",        "1.2.3",   "1.2.3.4.5", "256.1.1.1",    "1.2.3.4 ",
	    "example", "1::2::3", ":::",       "fe80::1%eth0", "12345::1"};
	char buf[RNL_ADDR_STRLEN];
	struct rnl_addr a;

	for (unsigned int i = 0; i < RTE_DIM(same); i++) {
		assert_int_equal(rnl_addr_parse(same[i], &a), 0);
		assert_ptr_equal(rnl_addr_format(&a, buf), buf);
		assert_string_equal(buf, same[i]);
		assert_int_equal(rnl_addr_is_v4(&a), strchr(same[i], ':') == NULL);
	}
	for (unsigned int i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(rnl_addr_parse(bad[i], &a), -EINVAL);
	assert_int_equal(rnl_addr_parse("::ffff:10.1.2.3", &a), 0);
	assert_true(rnl_addr_is_v4(&a));
	assert_string_equal(rnl_addr_format(&a, buf), "10.1.2.3");
}

static void addr__classes(void **state)
{
	static const struct {
		const char *text;
		bool unspecified, multicast, broadcast, loopback;
	} cases[] = {
	    {"0.0.0.0", true, false, false, false},
	    {"::", true, false, false, false},
	    {"224.0.0.1", false, true, false, false},
	    {"239.9.9.9", false, true, false, false},
	    {"240.0.0.1", false, false, false, false},
	    {"ff02::1", false, true, false, false},
	    {"255.255.255.255", false, false, true, false},
	    {"127.0.0.1", false, false, false, true},
	    {"127.9.9.9", false, false, false, true},
	    {"::1", false, false, false, true},
	    {"::2", false, false, false, false},
	    {"0.0.0.1", false, false, false, false},
	    {"10.0.0.1", false, false, false, false},
	};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		struct rnl_addr a;

		assert_int_equal(rnl_addr_parse(cases[i].text, &a), 0);
		assert_int_equal(rnl_addr_is_unspecified(&a), cases[i].unspecified);
		assert_int_equal(rnl_addr_is_multicast(&a), cases[i].multicast);
		assert_int_equal(rnl_addr_is_limited_broadcast(&a), cases[i].broadcast);
		assert_int_equal(rnl_addr_is_loopback(&a), cases[i].loopback);
	}
}

/* Two addresses that differ in bit n agree in prefixes of up to n bits. */
static void addr__prefix_match(void **state)
{
	struct rnl_addr a, b;

	rnl_addr_parse("2001:db8:aaaa:5555:1234:5678:9abc:def0", &a);
	for (unsigned int n = 0; n < 128; n++) {
		b = a;
		b.b[n / 8] ^= (uint8_t)(0x80 >> n % 8);
		for (unsigned int len = 0; len <= 128; len++)
			assert_int_equal(rnl_addr_prefix_match(&a, &b, len), len <= n);
	}
	assert_true(rnl_addr_prefix_match(&a, &a, 128));
	assert_false(rnl_addr_prefix_match(&a, &a, 129));
	a = rnl_addr_v4(10, 1, 2, 3);
	b = rnl_addr_v4(10, 1, 2, 200);
	assert_true(rnl_addr_prefix_match(&a, &b, 96 + 24));
	assert_false(rnl_addr_prefix_match(&a, &b, 96 + 25));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(ip__v4),
	    rnl_unit_test(ip__v6),
	    rnl_unit_test(ip__padding_and_trailers_are_trimmed),
	    rnl_unit_test(ip__every_truncation),
	    rnl_unit_test(ip__v4_every_corrupt_header_octet),
	    rnl_unit_test(ip__v4_device_verdict),
	    rnl_unit_test(ip__v4_lengths_that_lie),
	    rnl_unit_test(ip__v4_options_are_stepped_over),
	    rnl_unit_test(ip__v4_fragments_are_marked),
	    rnl_unit_test(ip__sources_that_cannot_be),
	    rnl_unit_test(ip__v6_mapped_addresses_are_refused),
	    rnl_unit_test(ip__other_versions),
	    rnl_unit_test(ip__v6_extension_headers_are_stepped_over),
	    rnl_unit_test(ip__v6_extension_headers_that_lie),
	    rnl_unit_test(ip__v6_extension_headers_end_with_the_packet),
	    rnl_unit_test(ip__v6_unknown_options),
	    rnl_unit_test(ip__v6_extension_headers_are_bounded),
	    rnl_unit_test(ip__v6_fragments_are_marked),
	    rnl_unit_test(ip__write_is_read_back),
	    rnl_unit_test(ip__pseudo_sum),
	    rnl_unit_test(addr__text),
	    rnl_unit_test(addr__classes),
	    rnl_unit_test(addr__prefix_match),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
