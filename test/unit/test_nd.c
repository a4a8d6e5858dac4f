/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/nd: every rule of RFC 4861 6.1.2, 7.1.1 and 7.1.2, of RFC 6980 5, options (RFC 4861 4.6,
 * RFC 4191 2.2, RFC 7527 3), and what is written: RFC 4861 4.1, 4.3, 4.4, RFC 3810 5.2, RFC 2710 3.
 */
#include "frames.h"

#include "wire/ip.h"
#include "wire/nd.h"

static uint8_t packet[FRAME_MAX];
static uint32_t packet_len;

static const uint8_t link_local[16] = {0xfe, 0x80, [15] = 7};
static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
static const uint8_t group[16] = {0xff, 2, [11] = 1, [12] = 0xff, [15] = 2}; /* of frame_v6_dst */
static const uint8_t slla[8] = {1, 1, 2, 0, 0, 0, 0, 9};
static const uint8_t tlla[8] = {2, 1, 2, 0, 0, 0, 0, 9};

static void seal(void)
{
	uint8_t p[40] = {0};

	memcpy(p, packet + 8, 32);
	frame_put(p + 32, 4, packet_len - 40);
	p[39] = 58;
	frame_put(packet + 4, 2, packet_len - 40);
	frame_cksum(packet + 40, packet_len - 40, frame_sum(p, 40, 0), 2);
}

static void begin(uint8_t type, uint32_t fixed)
{
	frame_v6(packet, 58, fixed);
	packet[7] = 255;
	memset(packet + 40, 0, fixed);
	packet[40] = type;
	packet_len = 40 + fixed;
	if (type == RNL_ND_ROUTER_ADVERT)
		memcpy(packet + 8, link_local, 16);
	else
		memcpy(packet + 48, frame_v6_dst, 16);
}

static void option(const void *o, uint32_t len)
{
	memcpy(packet + packet_len, o, len);
	packet_len += len;
}

static void solicit(void)
{
	begin(RNL_ND_SOLICIT, 24);
	option(slla, 8);
}

static void advert(void)
{
	begin(RNL_ND_ADVERT, 24);
	packet[44] = 0x60;
	option(tlla, 8);
}

static enum rnl_counter parse_one(struct rte_mbuf *m, struct rnl_nd *out)
{
	struct rnl_ip ip;
	struct rnl_icmp icmp;
	enum rnl_counter v = rnl_ip_parse(m, 0, &ip);

	memset(out, 0, sizeof(*out));
	if (v == RNL_C_ok)
		v = rnl_icmp_parse(m, &ip, &icmp);
	return v == RNL_C_ok ? rnl_nd_parse(m, &ip, &icmp, out) : v;
}

/* In every chain shape; all agree. */
static enum rnl_counter parse(struct rnl_nd *out)
{
	enum rnl_counter verdict = RNL_C_COUNT;

	seal();
	for (uint32_t shape = 0; shape < FRAME_SHAPES(packet_len); shape++) {
		struct rte_mbuf *m = frame_shape(packet, packet_len, shape);
		struct rnl_nd nd;
		enum rnl_counter v = parse_one(m, &nd);

		rte_pktmbuf_free(m);
		if (shape > 0) {
			assert_int_equal(v, verdict);
			assert_memory_equal(&nd, out, sizeof(nd));
		}
		verdict = v;
		*out = nd;
	}
	return verdict;
}

static void expect(enum rnl_counter verdict)
{
	struct rnl_nd nd;

	assert_int_equal(parse(&nd), verdict);
}

static void nd__solicitation(void **state)
{
	static const uint8_t nonce[8] = {14, 1, 1, 2, 3, 4, 5, 6};
	struct rnl_nd nd;

	solicit();
	assert_int_equal(parse(&nd), RNL_C_ok);
	assert_int_equal(nd.type, RNL_ND_SOLICIT);
	assert_memory_equal(nd.target.b, frame_v6_dst, 16);
	assert_true(nd.has_lladdr);
	assert_memory_equal(nd.lladdr, slla + 2, 6);
	assert_false(nd.has_nonce);
	/* a check for duplicates, with a nonce */
	begin(RNL_ND_SOLICIT, 24);
	memset(packet + 8, 0, 16);
	memcpy(packet + 24, group, 16);
	option(nonce, 8);
	assert_int_equal(parse(&nd), RNL_C_ok);
	assert_true(nd.has_nonce);
	assert_memory_equal(nd.nonce, nonce + 2, 6);
}

static void nd__advertisement(void **state)
{
	struct rnl_nd nd;

	for (unsigned int flags = 0; flags < 8; flags++) {
		advert();
		packet[44] = (uint8_t)(flags << 5 | 0x1f); /* the reserved bits mean nothing */
		assert_int_equal(parse(&nd), RNL_C_ok);
		assert_int_equal(nd.router, flags >> 2);
		assert_int_equal(nd.solicited, flags >> 1 & 1);
		assert_int_equal(nd.override, flags & 1);
		assert_memory_equal(nd.lladdr, tlla + 2, 6);
	}
	/* the other link-layer option, an unknown one, one of another length: ignored */
	begin(RNL_ND_ADVERT, 24);
	option(slla, 8);
	option((const uint8_t[16]){200, 2}, 16);
	option((const uint8_t[16]){2, 2, 1, 2, 3}, 16);
	assert_int_equal(parse(&nd), RNL_C_ok);
	assert_false(nd.has_lladdr);
}

/* RFC 4861 7.1.1 and 7.1.2, rule by rule, for both messages where both have it. */
static void nd__rules(void **state)
{
	static void (*const make[2])(void) = {solicit, advert};
	static const uint8_t targets[][16] = {
	    {0xff, 2, [15] = 1}, {[15] = 1}, {0}, {[10] = 0xff, 0xff, 10, 0, 0, 1}};

	for (unsigned int i = 0; i < 2; i++) {
		make[i]();
		packet[7] = 254;
		expect(RNL_C_nd_rx_bad_hop_limit);
		make[i]();
		packet[41] = 1;
		expect(RNL_C_nd_rx_bad_code);
		make[i]();
		packet_len = 40 + 23;
		expect(RNL_C_nd_rx_bad_length);
		make[i]();
		packet[65] = 0; /* an option of length 0 */
		expect(RNL_C_nd_rx_bad_option);
		make[i]();
		packet[65] = 2; /* one that ends behind the message */
		expect(RNL_C_nd_rx_bad_option);
		make[i]();
		packet_len--;
		expect(RNL_C_nd_rx_bad_option);
		make[i]();
		packet[66] |= 1; /* a group as a host's Ethernet address */
		expect(RNL_C_nd_rx_bad_option);
		make[i]();
		memset(packet + 66, 0, 6);
		expect(RNL_C_nd_rx_bad_option);
		for (unsigned int t = 0; t < RTE_DIM(targets); t++) {
			make[i]();
			memcpy(packet + 48, targets[t], 16);
			expect(RNL_C_nd_rx_bad_target);
		}
	}
}

static void nd__checksum(void **state)
{
	struct rte_mbuf *m;
	struct rnl_nd nd;

	solicit();
	seal();
	packet[50] ^= 1;
	m = rnl_test_mbuf(packet, packet_len);
	assert_int_equal(parse_one(m, &nd), RNL_C_icmp_rx_bad);
	rte_pktmbuf_free(m);
}

/* RFC 4861 7.1.1: from nowhere only to a solicited-node group, and without an address. */
static void nd__solicitation_from_nowhere(void **state)
{
	solicit();
	memset(packet + 8, 0, 16);
	memcpy(packet + 24, group, 16);
	expect(RNL_C_nd_rx_bad_source); /* with the option */
	begin(RNL_ND_SOLICIT, 24);
	memset(packet + 8, 0, 16);
	expect(RNL_C_nd_rx_bad_source); /* to a host */
	memcpy(packet + 24, all_nodes, 16);
	expect(RNL_C_nd_rx_bad_source); /* to another group */
	memcpy(packet + 24, group, 16);
	packet[24 + 13] ^= 0x55; /* any solicited-node group will do */
	expect(RNL_C_ok);
}

/* RFC 4861 7.1.2: what goes to all was asked for by nobody. */
static void nd__advertisement_to_a_group(void **state)
{
	advert();
	memcpy(packet + 24, all_nodes, 16);
	expect(RNL_C_nd_rx_bad_flags);
	packet[44] = 0x20;
	expect(RNL_C_ok);
	memset(packet + 8, 0, 16);
	expect(RNL_C_nd_rx_bad_source);
}

/* RFC 6980 5: an atomic fragment is one too. */
static void nd__fragment_header(void **state)
{
	uint8_t message[32];
	struct rte_mbuf *m;
	struct rnl_nd nd;

	solicit();
	seal();
	memcpy(message, packet + 40, 32);
	packet[6] = 44;
	memset(packet + 40, 0, 8);
	packet[40] = 58;
	memcpy(packet + 48, message, 32);
	frame_put(packet + 4, 2, 40);
	m = rnl_test_mbuf(packet, 80);
	assert_int_equal(parse_one(m, &nd), RNL_C_nd_rx_fragmented);
	rte_pktmbuf_free(m);
}

static void prefix_option(uint8_t len, uint8_t flags, uint32_t valid, uint32_t preferred)
{
	uint8_t o[32] = {3, 4, len, flags};

	frame_put(o + 4, 4, valid);
	frame_put(o + 8, 4, preferred);
	memset(o + 16, 0xfd, 16);
	option(o, 32);
}

static void nd__router_advertisement(void **state)
{
	static const uint8_t mtu[8] = {5, 1, 0, 0, 0, 0, 0x05, 0x14};
	static const int8_t preference[4] = {0, 1, 0, -1};
	struct rnl_nd nd;

	begin(RNL_ND_ROUTER_ADVERT, 16);
	packet[44] = 61;
	frame_put(packet + 46, 2, 1800);
	frame_put(packet + 48, 4, 20000);
	frame_put(packet + 52, 4, 2000);
	option(slla, 8);
	option(mtu, 8);
	prefix_option(63, 0xc0, 7200, 3600);
	prefix_option(129, 0xc0, 1, 1); /* no such length: left out */
	prefix_option(64, 0x40, UINT32_MAX, 0);
	assert_int_equal(parse(&nd), RNL_C_ok);
	assert_int_equal(nd.hop_limit, 61);
	assert_int_equal(nd.lifetime_s, 1800);
	assert_int_equal(nd.reachable_ms, 20000);
	assert_int_equal(nd.retrans_ms, 2000);
	assert_int_equal(nd.mtu, 1300);
	assert_true(nd.has_lladdr);
	assert_int_equal(nd.nprefix, 2);
	assert_int_equal(nd.prefix[0].len, 63);
	assert_true(nd.prefix[0].on_link && nd.prefix[0].autonomous);
	assert_int_equal(nd.prefix[0].valid_s, 7200);
	assert_int_equal(nd.prefix[0].preferred_s, 3600);
	assert_int_equal(nd.prefix[0].prefix.b[7], 0xfc); /* bits behind the length are not its */
	assert_int_equal(nd.prefix[0].prefix.b[8], 0);
	assert_false(nd.prefix[1].on_link);
	assert_int_equal(nd.prefix[1].valid_s, UINT32_MAX);
	for (unsigned int i = 0; i < 4; i++) {
		packet[45] = (uint8_t)(i << 3);
		assert_int_equal(parse(&nd), RNL_C_ok);
		assert_int_equal(nd.preference, preference[i]);
	}
}

static void nd__router_advertisement_rules(void **state)
{
	struct rnl_nd nd;

	begin(RNL_ND_ROUTER_ADVERT, 16);
	expect(RNL_C_ok);
	packet[7] = 64;
	expect(RNL_C_nd_rx_bad_hop_limit);
	packet[7] = 255;
	packet[41] = 3;
	expect(RNL_C_nd_rx_bad_code);
	packet[41] = 0;
	memcpy(packet + 8, frame_v6_src, 16);
	expect(RNL_C_nd_rx_bad_source);
	memcpy(packet + 8, link_local, 16);
	packet_len = 40 + 15;
	expect(RNL_C_nd_rx_bad_length);
	begin(RNL_ND_ROUTER_ADVERT, 16);
	option((const uint8_t[8]){3, 0}, 8);
	expect(RNL_C_nd_rx_bad_option);
	/* more prefixes than there is room for */
	begin(RNL_ND_ROUTER_ADVERT, 16);
	for (unsigned int i = 0; i < RNL_ND_PREFIX_MAX + 2; i++)
		prefix_option(64, 0xc0, 1, 1);
	assert_int_equal(parse(&nd), RNL_C_ok);
	assert_int_equal(nd.nprefix, RNL_ND_PREFIX_MAX);
	/* what hosts do not hear */
	begin(RNL_ND_ROUTER_SOLICIT, 24);
	expect(RNL_C_icmp_rx_other);
	begin(RNL_ND_REDIRECT, 40);
	expect(RNL_C_icmp_rx_other);
}

/* What is written reads the same. */
static void nd__write_is_the_inverse(void **state)
{
	struct rnl_nd nd = {.type = RNL_ND_ADVERT,
	                    .router = true,
	                    .override = true,
	                    .has_lladdr = true,
	                    .lladdr = {2, 0, 0, 0, 0, 9}};
	struct rnl_addr from, to;
	struct rnl_nd back;
	struct rte_mbuf *m;

	memcpy(from.b, frame_v6_src, 16);
	memcpy(to.b, frame_v6_dst, 16);
	nd.target = from;
	packet_len = rnl_nd_write(packet, &nd, &from, &to);
	assert_int_equal(packet_len, 72);
	m = rnl_test_mbuf(packet, packet_len);
	assert_int_equal(parse_one(m, &back), RNL_C_ok);
	assert_memory_equal(&back, &nd, sizeof(nd));
	rte_pktmbuf_free(m);
	nd = (struct rnl_nd){.type = RNL_ND_SOLICIT, .target = to, .has_nonce = true};
	memset(&from, 0, sizeof(from));
	to = rnl_nd_solicited_node(&to);
	packet_len = rnl_nd_write(packet, &nd, &from, &to);
	m = rnl_test_mbuf(packet, packet_len);
	assert_int_equal(parse_one(m, &back), RNL_C_ok);
	assert_memory_equal(&back, &nd, sizeof(nd));
	assert_int_equal(packet[7], 255);
	rte_pktmbuf_free(m);
	/* a router solicitation: RFC 4861 4.1 */
	nd = (struct rnl_nd){.type = RNL_ND_ROUTER_SOLICIT, .has_lladdr = true};
	packet_len = rnl_nd_write(packet, &nd, &from, &rnl_nd_all_routers);
	assert_int_equal(packet_len, 40 + 8 + 8);
	assert_int_equal(packet[40], 133);
	assert_int_equal(packet[48], 1);
	assert_true(packet_len <= RNL_ND_MAXLEN);
}

/* RFC 4291 2.7.1, RFC 2464 7. */
static void nd__groups(void **state)
{
	static const uint8_t want[6] = {0x33, 0x33, 0xff, 0, 0, 2};
	struct rnl_addr a, g;
	uint8_t mac[6];

	memcpy(a.b, frame_v6_dst, 16);
	g = rnl_nd_solicited_node(&a);
	assert_memory_equal(g.b, group, 16);
	rnl_nd_group_mac(&g, mac);
	assert_memory_equal(mac, want, 6);
	assert_true(rnl_addr_is_link_local(&(struct rnl_addr){.b = {0xfe, 0xbf}}));
	assert_false(rnl_addr_is_link_local(&(struct rnl_addr){.b = {0xfe, 0xc0}}));
}

/* RFC 3810 5.2, 5.2.13 and 5; RFC 2710 3: hop limit 1, router alert, checksum. */
static void nd__reports(void **state)
{
	struct rnl_addr groups[2], from;
	const struct rnl_mld_report r = {.groups = groups, .n = 2, .change = true};
	struct rnl_icmp icmp;
	struct rte_mbuf *m;
	struct rnl_ip ip;

	memcpy(groups[0].b, group, 16);
	memcpy(groups[1].b, all_nodes, 16);
	memcpy(from.b, link_local, 16);
	packet_len = rnl_mld_write(packet, &r, &from);
	assert_int_equal(packet_len, RNL_MLD_LEN(2));
	m = rnl_test_mbuf(packet, packet_len);
	assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
	assert_int_equal(ip.ttl, 1);
	assert_true(ip.router_alert);
	assert_int_equal(ip.dst.b[15], 0x16);
	assert_int_equal(rnl_icmp_parse(m, &ip, &icmp), RNL_C_ok);
	assert_int_equal(icmp.type, 143);
	rte_pktmbuf_free(m);
	assert_int_equal(packet[48 + 7], 2);  /* records */
	assert_int_equal(packet[48 + 8], 4);  /* CHANGE_TO_EXCLUDE_MODE */
	assert_int_equal(packet[48 + 28], 4);
	assert_memory_equal(packet + 48 + 12, group, 16);
	packet_len = rnl_mld1_write(packet, &groups[0], &from);
	m = rnl_test_mbuf(packet, packet_len);
	assert_int_equal(rnl_ip_parse(m, 0, &ip), RNL_C_ok);
	assert_memory_equal(ip.dst.b, group, 16);
	assert_int_equal(rnl_icmp_parse(m, &ip, &icmp), RNL_C_ok);
	assert_int_equal(icmp.type, 131);
	assert_memory_equal(packet + 48 + 8, group, 16);
	rte_pktmbuf_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(nd__solicitation),
	    rnl_unit_test(nd__advertisement),
	    rnl_unit_test(nd__rules),
	    rnl_unit_test(nd__checksum),
	    rnl_unit_test(nd__solicitation_from_nowhere),
	    rnl_unit_test(nd__advertisement_to_a_group),
	    rnl_unit_test(nd__fragment_header),
	    rnl_unit_test(nd__router_advertisement),
	    rnl_unit_test(nd__router_advertisement_rules),
	    rnl_unit_test(nd__write_is_the_inverse),
	    rnl_unit_test(nd__groups),
	    rnl_unit_test(nd__reports),
	};

	return cmocka_run_group_tests_name("nd", tests, rnl_test_group_setup, NULL);
}
