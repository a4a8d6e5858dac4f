/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes ICMPv6 and neighbour discovery into a whole stack on Ethernet that asks for routers and
 * makes addresses: any messages in any order, with time in between. The network header and the
 * checksum are made here, so that luck is spent on what matters. Besides what the sanitizers see,
 * it demands that
 * - tables stay within their bounds, and the configured address, route and neighbour stay;
 * - nothing that the stack sends is malformed, and nothing leaks;
 * - no deadline is without end.
 * Input: messages, one after the other: six octets of control, then the ICMPv6 message. RFC 4861 7.1.
 */
#include "env.h"

#include <stdlib.h>

#include <rte_common.h>

#include "runnel.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/nd.h"

#define CONTROL 6
#define POLLS_MAX 2000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mbuf *pending;
static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static struct rnl_addr own, static_peer;

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static struct rnl_addr addr(const char *text)
{
	struct rnl_addr a;

	demand(rnl_addr_parse(text, &a) == 0);
	return a;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	own = addr("fd00::1");
	static_peer = addr("fd00::77");
	return rnl_test_env_init();
}

static uint16_t rx(void *port, struct rte_mbuf **m, uint16_t n)
{
	if (pending == NULL || n == 0)
		return 0;
	m[0] = pending;
	pending = NULL;
	return 1;
}

/* What the stack says is read by the rules that it reads by. */
static void check_sent(struct rte_mbuf *m)
{
	struct rnl_eth eth;
	struct rnl_ip ip;
	struct rnl_icmp icmp;
	struct rnl_nd nd;
	enum rnl_counter v;

	demand(rnl_eth_parse(m, &eth) == RNL_C_ok);
	demand(memcmp(eth.src, own_mac, 6) == 0);
	if (eth.type == RNL_ETHERTYPE_ARP)
		return;
	demand(eth.type == RNL_ETHERTYPE_IPV6 && rnl_ip_parse(m, eth.l3_off, &ip) == RNL_C_ok);
	demand(ip.proto == RNL_IPPROTO_ICMPV6 && rnl_icmp_parse(m, &ip, &icmp) == RNL_C_ok);
	v = rnl_nd_parse(m, &ip, &icmp, &nd);
	demand(v == RNL_C_ok || v == RNL_C_icmp_rx_other);
}

static uint16_t tx(void *port, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		check_sent(m[i]);
		rte_pktmbuf_free(m[i]);
	}
	return n;
}

static void groups(void *port, const uint8_t (*macs)[6], unsigned int n)
{
	demand(n >= 1 && n <= 1025);
	for (unsigned int i = 0; i < n; i++)
		demand(macs[i][0] == 0x33 && macs[i][1] == 0x33);
}

static void quiet(void *ctx, enum rnl_log_level level, const char *module, const char *text)
{
}

static struct rnl_stack *make(uint8_t flags)
{
	static const struct rnl_port_ops ops = {rx, tx, groups};
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x77};
	struct rnl_stack_config c = {.size = sizeof(c),
	                             .socket_id = -1,
	                             .max_conns = 16,
	                             .pkt_pool = rnl_test_pkt_pool(),
	                             .hdr_pool = rnl_test_hdr_pool(),
	                             .now_ns = 1000000000,
	                             .log = quiet};
	struct rnl_port p = {.size = sizeof(p), .ops = &ops};
	struct rnl_stack *st = NULL;

	memcpy(p.mac, own_mac, 6);
	p.ipv6 = RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF |
	         (flags & 1 ? RNL_IPV6_NO_DAD : 0) | (flags & 2 ? RNL_IPV6_EUI64 : 0);
	demand(rnl_stack_create(&c, &st, NULL) == 0);
	demand(rnl_port_add(st, &p, NULL) == 0);
	demand(rnl_addr_add(st, 0, &own, 64, NULL) == 0);
	demand(rnl_neigh_add(st, 0, &static_peer, mac, NULL) == 0);
	return st;
}

/* Addresses that matter, so that messages meet what they are about. */
static struct rnl_addr choose(uint8_t which, bool source)
{
	static const char *const from[] = {"fe80::a", "fe80::b", "fd00::2", "fd00::3",
	                                   "::",      "fd00::77", "fd00::1", "2001:db8::1"};
	static const char *const to[] = {"fd00::1",         "ff02::1", "ff02::1:ff00:1", "ff02::2",
	                                 "fe80::ff:fe00:1", "ff02::1", "fd00::99",       "fd00::1"};

	return addr(source ? from[which & 7] : to[which & 7]);
}

static void put(const uint8_t *control, const uint8_t *msg, uint16_t len)
{
	const struct rnl_addr src = choose(control[1], true), dst = choose(control[2], false);
	const struct rnl_ip_out ip = {.src = &src,
	                              .dst = &dst,
	                              .payload_len = len,
	                              .proto = RNL_IPPROTO_ICMPV6,
	                              .ttl = control[3] & 0x80 ? control[3] : 255};
	uint8_t p[14 + 40 + 256] = {0};
	uint32_t cuts[1] = {control[5]};
	uint16_t sum;

	rnl_eth_write(p, own_mac, (const uint8_t[6]){2, 0, 0, 0, 0, 9}, 0, RNL_ETHERTYPE_IPV6);
	rnl_ip_write(p + 14, &ip);
	memcpy(p + 54, msg, len);
	if (len >= 4) {
		memset(p + 56, 0, 2);
		sum = (uint16_t)~rnl_cksum_fold(rnl_cksum_add(
		    p + 54, len, rnl_ip_pseudo_sum(&src, &dst, RNL_IPPROTO_ICMPV6, len)));
		memcpy(p + 56, &sum, 2);
	}
	pending = rnl_test_exact(p, 54u + len, cuts, 1);
}

static bool seen(void *arg, const struct rnl_addr_info *info)
{
	*(bool *)arg |= memcmp(&info->addr, &own, sizeof(own)) == 0;
	return true;
}

static void check(const struct rnl_stack *st)
{
	struct rnl_usage u;
	bool there = false;

	rnl_usage(st, &u);
	demand(u.routes <= 64 && u.routes >= 2);
	demand(u.addrs <= 2 + 16);
	demand(u.neighbours >= 1);
	rnl_addr_foreach(st, seen, &there);
	demand(there);
}

/* To the end of the time, from deadline to deadline. */
static uint64_t pass(struct rnl_stack *st, uint64_t now, uint64_t ns)
{
	const uint64_t end = now + ns;

	for (unsigned int polls = 0; now < end; polls++) {
		uint64_t at = rnl_next_deadline(st);

		demand(polls < POLLS_MAX);
		now = at < end ? RTE_MAX(at, now + 1000) : end;
		rnl_poll(st, now);
	}
	return now;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* 1 ms, 100 ms, 2 s, 10 s */
	static const uint64_t steps[4] = {1000000, 100000000, 2000000000, 10000000000};
	struct rnl_stack *st = make(size > 0 ? data[0] : 0);
	uint64_t now = 1000000000;

	while (size >= CONTROL) {
		const uint8_t *control = data;
		uint16_t len = (uint16_t)RTE_MIN(size - CONTROL, (size_t)control[4] + 1);

		len = (uint16_t)RTE_MIN(len, 255);
		put(control, data + CONTROL, len);
		now = pass(st, now, steps[control[0] >> 6]);
		check(st);
		data += CONTROL + len;
		size -= CONTROL + len;
	}
	demand(rnl_stack_destroy(st) == 0);
	rte_pktmbuf_free(pending);
	pending = NULL;
	demand(rnl_test_mbufs_out() == 0);
	return 0;
}
