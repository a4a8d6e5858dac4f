/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack/rehome, stack/icmp: a whole stack on Ethernet, its routers played by the test. Connections
 * leave a router that goes (RFC 4861 6.3.5, 7.3.3); pings to a group are answered (RFC 4443 4.2);
 * what RFC 4861 7.1 forbids changes nothing.
 */
#include "pair.h"

#include "runnel.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/nd.h"

#define SECOND UINT64_C(1000000000)

static struct rnl_stack *st;
static struct rnl_error err;
static uint64_t now_ns;
static struct rte_mbuf *in[64], *out[256];
static unsigned int in_n, out_n;

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};

static uint16_t rx(void *port, struct rte_mbuf **m, uint16_t n)
{
	n = (uint16_t)RTE_MIN(n, in_n);
	memcpy(m, in, n * sizeof(*m));
	memmove(in, in + n, (in_n - n) * sizeof(*m));
	in_n -= n;
	return n;
}

static uint16_t tx(void *port, struct rte_mbuf **m, uint16_t n)
{
	n = (uint16_t)RTE_MIN(n, RTE_DIM(out) - out_n);
	memcpy(out + out_n, m, n * sizeof(*m));
	out_n += n;
	return n;
}

static const struct rnl_port_ops ops = {.rx = rx, .tx = tx};
static const struct rnl_app_ops app = {.size = sizeof(app)};

static struct rnl_addr addr(const char *text)
{
	struct rnl_addr a;

	assert_int_equal(rnl_addr_parse(text, &a), 0);
	return a;
}

static void silence(void)
{
	rte_pktmbuf_free_bulk(out, out_n);
	out_n = 0;
}

static void run(uint64_t ns)
{
	const uint64_t end = now_ns + ns;

	while (now_ns < end) {
		now_ns += RTE_MIN(end - now_ns, SECOND / 20);
		if (out_n > RTE_DIM(out) / 2)
			silence();
		rnl_poll(st, now_ns);
	}
}

static uint64_t counter(const char *name)
{
	uint64_t v[512];

	rnl_counters_read(st, v, RTE_DIM(v));
	for (unsigned int i = 0; i < rnl_counters_count(); i++)
		if (strcmp(rnl_counter_name(i), name) == 0)
			return v[i];
	fail_msg("no counter %s", name);
	return 0;
}

static int setup(void **state)
{
	struct rnl_stack_config c = pair_stack_config(1);
	struct rnl_port p = {.size = sizeof(p), .ops = &ops, .ipv6 = RNL_IPV6_NO_DAD | RNL_IPV6_ROUTERS};
	struct rnl_addr a = addr("fd00::1");

	now_ns = c.now_ns;
	memcpy(p.mac, own_mac, 6);
	assert_int_equal(rnl_stack_create(&c, &st, &err), 0);
	assert_int_equal(rnl_port_add(st, &p, &err), 0);
	assert_int_equal(rnl_addr_add(st, 0, &a, 64, &err), 0);
	run(SECOND);
	silence();
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(rnl_stack_destroy(st), 0);
	silence();
	return rnl_test_no_leak(state);
}

/* Hands in an IPv6 packet of ICMPv6, checksum filled. */
static void hear(uint8_t *p, uint16_t len, uint8_t hops, const char *from, const char *to)
{
	const struct rnl_addr src = addr(from), dst = addr(to);
	const struct rnl_ip_out ip = {.src = &src,
	                              .dst = &dst,
	                              .payload_len = (uint16_t)(len - 54),
	                              .proto = RNL_IPPROTO_ICMPV6,
	                              .ttl = hops};
	uint16_t sum;

	rnl_eth_write(p, own_mac, (const uint8_t[6]){2, 0, 0, 0, 0, src.b[15]}, 0,
	              RNL_ETHERTYPE_IPV6);
	rnl_ip_write(p + 14, &ip);
	memset(p + 56, 0, 2);
	sum = (uint16_t)~rnl_cksum_fold(rnl_cksum_add(
	    p + 54, len - 54u, rnl_ip_pseudo_sum(&src, &dst, RNL_IPPROTO_ICMPV6, len - 54u)));
	memcpy(p + 56, &sum, 2);
	in[in_n++] = rnl_test_mbuf(p, len);
	run(1);
}

static void router(const char *from, uint16_t lifetime_s)
{
	const uint8_t last = addr(from).b[15];
	uint8_t p[14 + 40 + 24] = {0};

	p[54] = RNL_ND_ROUTER_ADVERT;
	p[60] = (uint8_t)(lifetime_s >> 8);
	p[61] = (uint8_t)lifetime_s;
	memcpy(p + 70, (const uint8_t[8]){1, 1, 2, 0, 0, 0, 0, last}, 8);
	hear(p, sizeof(p), 255, from, "ff02::1");
}

static rnl_conn_t connect_to(const char *text)
{
	struct rnl_connect_config c = {.size = sizeof(c), .rport = 80, .ops = &app};
	rnl_conn_t conn;

	c.raddr = addr(text);
	assert_int_equal(rnl_connect(st, &c, &conn), 0);
	run(1);
	return conn;
}

/* Last octet of the Ethernet address that the last TCP segment went to, 0: none. */
static uint8_t last_way(void)
{
	uint8_t to = 0;

	for (unsigned int i = 0; i < out_n; i++) {
		const uint8_t *p = rte_pktmbuf_mtod(out[i], const uint8_t *);

		if (p[12] == 0x86 && p[20] == RNL_IPPROTO_TCP)
			to = p[5];
	}
	return to;
}

static void rehome__another_router_takes_over(void **state)
{
	router("fe80::a", 1800);
	router("fe80::b", 1800);
	connect_to("2001:db8::1");
	assert_int_equal(last_way(), 0xa);
	assert_int_equal(counter("nd_rehomed"), 0);
	router("fe80::a", 0); /* it resigns */
	run(2 * SECOND);      /* the SYN again */
	assert_int_equal(counter("nd_rehomed"), 1);
	assert_int_equal(last_way(), 0xb);
}

/* The router answers no probe. */
static void rehome__dead_router_is_left(void **state)
{
	router("fe80::a", 1800);
	router("fe80::b", 1800);
	connect_to("2001:db8::1");
	assert_int_equal(last_way(), 0xa);
	run(16 * SECOND); /* DELAY, three probes, the next SYN */
	assert_true(counter("neigh_failed") >= 1);
	assert_int_equal(counter("nd_rehomed"), 1);
	assert_int_equal(last_way(), 0xb);
}

static void rehome__on_link_peers_stay(void **state)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x77};
	const struct rnl_addr peer = addr("fd00::77");

	assert_int_equal(rnl_neigh_add(st, 0, &peer, mac, &err), 0);
	router("fe80::a", 1800);
	connect_to("fd00::77");
	router("fe80::a", 0);
	run(2 * SECOND);
	assert_int_equal(counter("nd_rehomed"), 0);
	assert_int_equal(last_way(), 0x77);
}

/* At most once a second, however often routers come and go. */
static void rehome__is_limited(void **state)
{
	router("fe80::a", 1800);
	router("fe80::b", 1800);
	connect_to("2001:db8::1");
	run(2 * SECOND);
	for (unsigned int i = 0; i < 50; i++) {
		router("fe80::a", i % 2 == 0 ? 0 : 1800);
		router("fe80::b", i % 2 == 0 ? 1800 : 0);
	}
	assert_true(counter("nd_rehomed") <= 1);
	run(2 * SECOND);
	assert_true(counter("nd_rehomed") <= 2);
}

/* RFC 4443 4.2; RFC 4861 6.3.4: the hop limit that a router told. */
static void icmp__answers_pings_to_a_group(void **state)
{
	uint8_t p[14 + 40 + 16] = {[54] = 128, [61] = 9};
	struct rnl_addr own = addr("fd00::1");
	const uint8_t *got = NULL;

	router("fe80::a", 1800);
	silence();
	hear(p, sizeof(p), 64, "fd00::a", "ff02::1");
	run(SECOND); /* the asker is resolved first, and never answers: so tell where it is */
	assert_int_equal(counter("icmp_tx_echo_reply"), 1);
	for (unsigned int i = 0; i < out_n; i++)
		if (rte_pktmbuf_mtod(out[i], const uint8_t *)[54] == RNL_ND_SOLICIT)
			got = rte_pktmbuf_mtod(out[i], const uint8_t *);
	assert_non_null(got);
	assert_memory_equal(got + 22, own.b, 16); /* from the address that the reply bears */
	hear(p, sizeof(p), 64, "::", "ff02::1"); /* from nobody: nothing to answer */
	assert_int_equal(counter("icmp_tx_echo_reply"), 1);
}

static void icmp__forwarded_discovery_is_refused(void **state)
{
	uint8_t p[14 + 40 + 24] = {[54] = RNL_ND_ROUTER_ADVERT, [60] = 7, [70] = 1, 1, 2};
	struct rnl_usage before, after;

	rnl_usage(st, &before);
	hear(p, sizeof(p), 254, "fe80::c", "ff02::1");
	rnl_usage(st, &after);
	assert_int_equal(counter("nd_rx_bad_hop_limit"), 1);
	assert_int_equal(before.routes, after.routes);
	assert_int_equal(before.neighbours, after.neighbours);
}

#define stack_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    stack_test(rehome__another_router_takes_over),
	    stack_test(rehome__dead_router_is_left),
	    stack_test(rehome__on_link_peers_stay),
	    stack_test(rehome__is_limited),
	    stack_test(icmp__answers_pings_to_a_group),
	    stack_test(icmp__forwarded_discovery_is_refused),
	};

	return cmocka_run_group_tests_name("rehome", tests, rnl_test_group_setup, NULL);
}
