/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack/neigh_nd, ip6_addr, ip6_group and ip6_router: time is moved by hand, messages are parsed
 * structs, what is sent is read from the transmit queue. Port 0 is plain Ethernet.
 * Proves RFC 4861 6.3, 7.2 and 7.3, RFC 4862 5.4 and 5.5, RFC 7217 5 and 6, RFC 7527 4,
 * RFC 3810 6, RFC 2710 4, RFC 3590 4.
 */
#include "env.h"

#include <rte_common.h>

#include "stack/ip6.h"
#include "stack/mem.h"
#include "wire/ip.h"

#define SECOND UINT64_C(1000000)
#define TXQ 64
#define ENTRIES 32

static struct {
	struct rnl_core core;
	struct rnl_neigh n;
	struct rnl_routes routes;
	struct rnl_ip6 v;
	struct rnl_txitem ring[TXQ];
	uint8_t nexthop_port[ENTRIES + 1];
	uint8_t groups[16][6];
	unsigned int ngroups, rehomes;
	void *mem;
} w;

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t new_mac[6] = {2, 0, 0, 0, 0, 3};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

static void groups(void *port, const uint8_t (*macs)[6], unsigned int n)
{
	w.ngroups = n;
	memcpy(w.groups, macs, RTE_MIN(n, 16u) * 6);
}

static const struct rnl_port_ops ops = {.groups = groups};

static struct rnl_addr addr(const char *text)
{
	struct rnl_addr a;

	assert_int_equal(rnl_addr_parse(text, &a), 0);
	return a;
}

static void begin(uint32_t flags)
{
	struct rnl_neigh_config cfg = {
	    .core = &w.core, .routes = &w.routes, .max_entries = ENTRIES, .reachable_ms = 20000};
	struct rnl_port desc = {.size = sizeof(desc), .mtu = 1500, .ipv6 = flags, .ops = &ops};

	memcpy(desc.mac, own_mac, 6);
	memset(&w, 0, sizeof(w));
	w.core.now_us = 1000 * SECOND;
	w.core.hdr_pool = rnl_test_hdr_pool();
	w.core.pkt_pool = rnl_test_pkt_pool();
	w.core.nexthop_port = w.nexthop_port;
	w.core.ports[0].mtu = w.core.ports[0].mtu6 = 1500;
	w.core.ports[0].txq = (struct rnl_txq){.ring = w.ring, .mask = TXQ - 1};
	memset(w.core.secrets.iid, 7, 16);
	rnl_prng_seed(&w.core.prng, 1);
	rnl_route_init(&w.routes);
	w.mem = rnl_mem_reserve(rnl_neigh_bytes(ENTRIES), -1);
	assert_non_null(w.mem);
	rnl_neigh_init(&w.n, w.mem, &cfg);
	rnl_neigh_port_set(&w.n, 0, &desc);
	rnl_ip6_init(&w.v, &w.core, &w.routes, &w.n);
	rnl_ip6_port_set(&w.v, 0, &desc);
}

static struct rte_mbuf *pop(void)
{
	struct rnl_txq *q = &w.core.ports[0].txq;

	while (rnl_txq_count(q) > 0) {
		struct rnl_txitem *item = &q->ring[q->head++ & q->mask];

		if (item->ready ||
		    rnl_neigh_output(&w.n, item->nexthop, item->m) == RNL_NEIGH_USABLE)
			return item->m;
	}
	return NULL;
}

static void silence(void)
{
	struct rte_mbuf *m;

	while ((m = pop()) != NULL)
		rte_pktmbuf_free(m);
}

static int teardown(void **state)
{
	silence();
	rnl_neigh_fini(&w.n);
	rnl_mem_release(w.mem, rnl_neigh_bytes(ENTRIES));
	return rnl_test_no_leak(state);
}

/* ---- what the tests say --------------------------------------------------------------------- */

static void expire(void)
{
	rnl_neigh_expire(&w.n);
	if (rnl_ip6_due(&w.v))
		rnl_ip6_expire(&w.v);
	if (w.v.rehome && w.v.rehome_us <= w.core.now_us) { /* as rnl_poll() does */
		assert_true(w.v.rehomed_us == 0 || w.core.now_us - w.v.rehomed_us >= SECOND);
		w.v.rehome = false;
		w.v.rehomed_us = w.core.now_us;
		w.rehomes++;
	}
}

/* From deadline to deadline, as rnl_poll() would; each must bring the next one forward. */
static void pass(uint64_t us)
{
	const uint64_t end = w.core.now_us + us;
	unsigned int steps = 0;

	for (;;) {
		const uint64_t at = RTE_MIN(rnl_ip6_next(&w.v), rnl_neigh_next(&w.n));

		if (at > end)
			break;
		w.core.now_us = RTE_MAX(w.core.now_us, at);
		expire();
		assert_true(++steps < 100000);
	}
	w.core.now_us = end;
	expire();
}

/* As pass(), forgetting what is sent. */
static void go_on(uint64_t us)
{
	for (; us > 0; us -= RTE_MIN(us, SECOND / 10)) {
		pass(RTE_MIN(us, SECOND / 10));
		silence();
	}
}

static uint64_t count(enum rnl_counter id)
{
	return w.core.counters.v[id];
}

static void own(const char *text)
{
	const struct rnl_addr a = addr(text);

	assert_int_equal(rnl_route_add_address(&w.routes, 0, &a, 64), 0);
	rnl_ip6_added(&w.v, 0, &a);
}

static int state_of(const struct rnl_addr *a)
{
	const struct rnl_route_addr *o = rnl_route_own(&w.routes, a);

	return o != NULL ? o->state : -1;
}

static int state_of_text(const char *text)
{
	const struct rnl_addr a = addr(text);

	return state_of(&a);
}

/* The port's first link-local address, whatever its state. */
static struct rnl_addr link_local(void)
{
	for (unsigned int i = 0; i < w.routes.addrs; i++)
		if (rnl_addr_is_link_local(&w.routes.addr[i].addr))
			return w.routes.addr[i].addr;
	return (struct rnl_addr){.b = {0}};
}

/* A message that came out. */
struct out {
	struct rnl_eth eth;
	struct rnl_ip ip;
	struct rnl_icmp icmp;
	struct rnl_nd nd;
	enum rnl_counter verdict; /* of rnl_nd_parse() */
};

/* @return false when there is none; checks what every message has. */
static bool next(struct out *o)
{
	struct rte_mbuf *m = pop();

	memset(o, 0, sizeof(*o));
	if (m == NULL)
		return false;
	assert_int_equal(rnl_eth_parse(m, &o->eth), RNL_C_ok);
	assert_int_equal(o->eth.type, RNL_ETHERTYPE_IPV6);
	assert_memory_equal(o->eth.src, own_mac, 6);
	assert_int_equal(rnl_ip_parse(m, o->eth.l3_off, &o->ip), RNL_C_ok);
	assert_int_equal(rnl_icmp_parse(m, &o->ip, &o->icmp), RNL_C_ok);
	o->verdict = rnl_nd_parse(m, &o->ip, &o->icmp, &o->nd);
	if (rnl_addr_is_multicast(&o->ip.dst)) {
		uint8_t mac[6];

		rnl_nd_group_mac(&o->ip.dst, mac);
		assert_memory_equal(o->eth.dst, mac, 6);
	}
	rte_pktmbuf_free(m);
	return true;
}

/* The next message of this type; others are passed over. */
static struct out expect(uint8_t type)
{
	struct out o;

	while (next(&o))
		if (o.icmp.type == type)
			return o;
	fail_msg("no message of type %u came out", type);
	return o;
}

static void expect_none(uint8_t type)
{
	struct out o;

	while (next(&o))
		assert_int_not_equal(o.icmp.type, type);
}

static void hear(const struct rnl_nd *nd, const char *from, const char *to)
{
	const struct rnl_ip ip = {.src = addr(from), .dst = addr(to), .version = 6, .ttl = 255};

	rnl_ip6_nd_input(&w.v, 0, &ip, nd);
}

static struct rnl_nd told(uint8_t type, const char *target, const uint8_t *mac)
{
	struct rnl_nd nd = {.type = type, .target = addr(target), .has_lladdr = mac != NULL};

	if (mac != NULL)
		memcpy(nd.lladdr, mac, 6);
	return nd;
}

static void advertise(const char *target, const uint8_t *mac, const char *flags)
{
	struct rnl_nd nd = told(RNL_ND_ADVERT, target, mac);

	nd.router = strchr(flags, 'R') != NULL;
	nd.solicited = strchr(flags, 'S') != NULL;
	nd.override = strchr(flags, 'O') != NULL;
	hear(&nd, target, "fd00::1");
}

/* A port with fd00::1 in use, and nothing under way. */
static void ready(uint32_t flags)
{
	begin(flags);
	own("fd00::1");
	go_on(15 * SECOND);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_PREFERRED);
}

static uint32_t get(const char *text)
{
	const struct rnl_addr a = addr(text);
	int idx = rnl_neigh_get(&w.n, 0, &a);

	assert_true(idx > 0);
	return (uint32_t)idx;
}

static enum rnl_neigh_state neigh(uint32_t idx)
{
	return rnl_neigh_at(&w.n, idx)->state;
}

/* An IPv6 packet of its header alone. */
static enum rnl_neigh_verdict output(uint32_t idx, const char *from)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w.core.hdr_pool);
	const struct rnl_addr src = addr(from), dst = rnl_neigh_at(&w.n, idx)->addr;
	const struct rnl_ip_out ip = {.src = &src, .dst = &dst, .proto = 59, .ttl = 64};
	enum rnl_neigh_verdict v;

	assert_non_null(m);
	rnl_ip_write((uint8_t *)rte_pktmbuf_append(m, 40), &ip);
	v = rnl_neigh_output(&w.n, idx, m);
	if (v == RNL_NEIGH_USABLE)
		rte_pktmbuf_free(m);
	return v;
}

static void reachable(uint32_t idx, const char *text)
{
	assert_int_equal(output(idx, "fd00::1"), RNL_NEIGH_HELD);
	advertise(text, peer_mac, "SO");
	assert_int_equal(neigh(idx), RNL_NEIGH_REACHABLE);
	silence();
}

/* ---- neighbours (RFC 4861 7.2, 7.3) ---------------------------------------------------------- */

static void ip6__resolves_a_neighbour(void **state)
{
	struct rte_mbuf *m;
	struct out o;
	uint32_t idx;

	ready(0);
	own("fd00::5");
	go_on(3 * SECOND);
	idx = get("fd00::2");
	assert_int_equal(output(idx, "fd00::5"), RNL_NEIGH_HELD);
	o = expect(RNL_ND_SOLICIT);
	assert_int_equal(o.verdict, RNL_C_ok);
	assert_int_equal(o.ip.dst.b[0], 0xff);
	assert_int_equal(o.eth.dst[5], 2);
	assert_int_equal(o.ip.src.b[15], 5); /* the packet's own source, 7.2.2 */
	assert_true(o.nd.has_lladdr);
	assert_memory_equal(o.nd.lladdr, own_mac, 6);
	advertise("fd00::2", NULL, "SO"); /* says nothing of use: 7.2.5 */
	assert_int_equal(neigh(idx), RNL_NEIGH_INCOMPLETE);
	advertise("fd00::2", peer_mac, "S");
	assert_int_equal(neigh(idx), RNL_NEIGH_REACHABLE);
	m = pop(); /* what was held */
	assert_non_null(m);
	assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), peer_mac, 6);
	assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[12], 0x86);
	rte_pktmbuf_free(m);
}

static void ip6__asks_three_times_a_second_apart(void **state)
{
	uint32_t idx;

	ready(0);
	idx = get("fd00::2");
	output(idx, "fd00::1");
	for (unsigned int i = 0; i < 3; i++) {
		expect(RNL_ND_SOLICIT);
		pass(SECOND - 1);
		expect_none(RNL_ND_SOLICIT);
		pass(1);
	}
	assert_int_equal(neigh(idx), RNL_NEIGH_FAILED);
	assert_int_equal(count(RNL_C_neigh_failed), 1);
}

/* RFC 4861 7.2.5, an unsolicited one in INCOMPLETE. */
static void ip6__unsolicited_answer_makes_it_stale(void **state)
{
	uint32_t idx;

	ready(0);
	idx = get("fd00::2");
	output(idx, "fd00::1");
	advertise("fd00::2", peer_mac, "");
	assert_int_equal(neigh(idx), RNL_NEIGH_DELAY); /* the held packet used it at once */
}

/* RFC 4861 7.2.5 I and II. */
static void ip6__override_rules(void **state)
{
	uint32_t idx;

	ready(0);
	idx = get("fd00::2");
	reachable(idx, "fd00::2");
	advertise("fd00::2", new_mac, ""); /* I a: suspicion, no more */
	assert_int_equal(neigh(idx), RNL_NEIGH_STALE);
	assert_memory_equal(rnl_neigh_mac(rnl_neigh_at(&w.n, idx)), peer_mac, 6);
	advertise("fd00::2", new_mac, "S"); /* I b: ignored */
	assert_int_equal(neigh(idx), RNL_NEIGH_STALE);
	assert_memory_equal(rnl_neigh_mac(rnl_neigh_at(&w.n, idx)), peer_mac, 6);
	advertise("fd00::2", peer_mac, "S"); /* II: the same address */
	assert_int_equal(neigh(idx), RNL_NEIGH_REACHABLE);
	advertise("fd00::2", new_mac, "O"); /* II: another one, not solicited */
	assert_int_equal(neigh(idx), RNL_NEIGH_STALE);
	assert_memory_equal(rnl_neigh_mac(rnl_neigh_at(&w.n, idx)), new_mac, 6);
	advertise("fd00::2", NULL, "S"); /* II: none supplied */
	assert_int_equal(neigh(idx), RNL_NEIGH_REACHABLE);
	advertise("fd00::2", new_mac, "O"); /* no news: unchanged */
	assert_int_equal(neigh(idx), RNL_NEIGH_REACHABLE);
	advertise("fd00::99", new_mac, "SO"); /* nobody asked: no entry */
	assert_int_equal(rnl_neigh_count(&w.n), 1);
}

/* RFC 4861 7.3.3, and 7.3.1: progress above saves the probes. */
static void ip6__unreachability_detection(void **state)
{
	struct out o;
	uint32_t idx;

	ready(0);
	idx = get("fd00::2");
	reachable(idx, "fd00::2");
	go_on(31 * SECOND);
	assert_int_equal(neigh(idx), RNL_NEIGH_STALE);
	assert_int_equal(output(idx, "fd00::1"), RNL_NEIGH_USABLE);
	assert_int_equal(neigh(idx), RNL_NEIGH_DELAY);
	rnl_neigh_confirm(&w.n, idx);
	assert_int_equal(neigh(idx), RNL_NEIGH_REACHABLE);
	go_on(31 * SECOND);
	output(idx, "fd00::1");
	pass(5 * SECOND);
	o = expect(RNL_ND_SOLICIT);
	assert_int_equal(neigh(idx), RNL_NEIGH_PROBE);
	assert_memory_equal(o.eth.dst, peer_mac, 6); /* to it alone */
	assert_int_equal(o.ip.dst.b[15], 2);
	go_on(3 * SECOND);
	assert_int_equal(neigh(idx), RNL_NEIGH_FAILED);
}

/* RFC 4861 7.2.3, 7.2.4. */
static void ip6__answers_solicitations(void **state)
{
	struct rnl_nd nd;
	struct rnl_addr a = addr("fd00::2");
	struct out o;

	ready(0);
	nd = told(RNL_ND_SOLICIT, "fd00::1", peer_mac);
	hear(&nd, "fd00::2", "ff02::1:ff00:1");
	o = expect(RNL_ND_ADVERT);
	assert_int_equal(o.verdict, RNL_C_ok);
	assert_true(o.nd.solicited && o.nd.override && !o.nd.router);
	assert_memory_equal(o.nd.lladdr, own_mac, 6);
	assert_memory_equal(o.eth.dst, peer_mac, 6);
	assert_true(rnl_addr_equal(&o.ip.dst, &a));
	assert_int_equal(neigh(get("fd00::2")), RNL_NEIGH_STALE);
	/* who does not say where it is, is asked for first */
	nd = told(RNL_ND_SOLICIT, "fd00::1", NULL);
	hear(&nd, "fd00::3", "fd00::1");
	o = expect(RNL_ND_SOLICIT);
	assert_int_equal(o.nd.target.b[15], 3);
	advertise("fd00::3", new_mac, "SO");
	o = expect(RNL_ND_ADVERT);
	assert_memory_equal(o.eth.dst, new_mac, 6);
	/* a check by somebody else: told to all, not solicited */
	hear(&nd, "::", "ff02::1:ff00:1");
	o = expect(RNL_ND_ADVERT);
	assert_memory_equal(o.eth.dst, all_nodes_mac, 6);
	assert_false(o.nd.solicited);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_PREFERRED);
	/* not ours */
	nd = told(RNL_ND_SOLICIT, "fd00::77", peer_mac);
	hear(&nd, "fd00::2", "ff02::1:ff00:77");
	expect_none(RNL_ND_ADVERT);
	assert_int_equal(count(RNL_C_nd_rx_solicit), 3);
}

/* RFC 4862 5.4.4 (2): defended once, then not for a while. */
static void ip6__somebody_uses_our_address(void **state)
{
	ready(0);
	advertise("fd00::1", peer_mac, "O");
	assert_int_equal(count(RNL_C_nd_rx_conflict), 1);
	expect(RNL_ND_ADVERT);
	advertise("fd00::1", peer_mac, "O");
	expect_none(RNL_ND_ADVERT);
	advertise("fd00::1", own_mac, "O"); /* our own, come back */
	assert_int_equal(count(RNL_C_nd_rx_conflict), 2);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_PREFERRED);
}

/* ---- duplicates (RFC 4862 5.4) --------------------------------------------------------------- */

static void ip6__checks_an_address_before_use(void **state)
{
	const struct rnl_addr a = addr("fd00::1");
	struct rnl_addr src;
	struct out o;

	begin(0);
	own("fd00::1");
	assert_int_equal(state_of(&a), RNL_ADDR_TENTATIVE);
	assert_int_equal(rnl_route_local_port(&w.routes, &a), -1);
	assert_int_not_equal(rnl_route_source(&w.routes, 0, &a, &src), 0);
	pass(SECOND); /* the random delay */
	do
		o = expect(RNL_ND_SOLICIT);
	while (!rnl_addr_equal(&o.nd.target, &a));
	assert_int_equal(o.verdict, RNL_C_ok);
	assert_true(rnl_addr_is_unspecified(&o.ip.src));
	assert_int_equal(o.ip.dst.b[12], 0xff);
	assert_false(o.nd.has_lladdr);
	assert_true(o.nd.has_nonce);
	assert_int_equal(count(RNL_C_dad_tx_solicit), 2); /* it, and the link-local one */
	pass(SECOND);
	assert_int_equal(state_of(&a), RNL_ADDR_PREFERRED);
	assert_int_equal(rnl_route_local_port(&w.routes, &a), 0);
	assert_int_equal(count(RNL_C_dad_done), 2);
	pass(1);
	o = expect(RNL_ND_ADVERT); /* and told to all: 7.2.6 */
	assert_true(o.nd.override && !o.nd.solicited);
}

static void checking(const char *text)
{
	begin(0);
	own(text);
	pass(SECOND);
	silence();
	assert_int_equal(state_of_text(text), RNL_ADDR_TENTATIVE);
}

static void ip6__advertisement_for_a_tentative_address(void **state)
{
	checking("fd00::1");
	advertise("fd00::1", peer_mac, "O");
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_DUPLICATE);
	assert_int_equal(count(RNL_C_dad_conflict), 1);
	pass(60 * SECOND);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_DUPLICATE);
	assert_true(rnl_addr_equal(&w.v.duplicate, &(struct rnl_addr){.b = {0xfd, [15] = 1}}));
}

/* RFC 4862 5.4.3, RFC 7527 4.2. */
static void ip6__solicitation_for_a_tentative_address(void **state)
{
	struct rnl_nd nd = told(RNL_ND_SOLICIT, "fd00::1", NULL);
	uint32_t idx;

	checking("fd00::1");
	hear(&nd, "fd00::2", "ff02::1:ff00:1"); /* somebody looks for it: ignored, unanswered */
	expect_none(RNL_ND_ADVERT);
	for (unsigned int i = 0; i < w.v.addrs; i++)
		if (rnl_addr_equal(&w.v.addr[i].addr, &nd.target))
			memcpy(nd.nonce, w.v.addr[i].nonce, sizeof(nd.nonce));
	nd.has_nonce = true;
	hear(&nd, "::", "ff02::1:ff00:1"); /* our own, sent back */
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_TENTATIVE);
	nd.nonce[0] ^= 1;
	hear(&nd, "::", "ff02::1:ff00:1"); /* another host checks it at the same time */
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_DUPLICATE);
	expect_none(RNL_ND_ADVERT);
	nd.has_nonce = false;
	hear(&nd, "fd00::2", "ff02::1:ff00:1"); /* never answered for */
	expect_none(RNL_ND_ADVERT);
	/* whose it is, is a neighbour as any other */
	go_on(5 * SECOND);
	own("fd00::5");
	go_on(5 * SECOND);
	nd = told(RNL_ND_SOLICIT, "fd00::5", peer_mac);
	hear(&nd, "fd00::1", "ff02::1:ff00:5");
	expect(RNL_ND_ADVERT);
	idx = get("fd00::1");
	assert_int_equal(neigh(idx), RNL_NEIGH_STALE);
	advertise("fd00::1", new_mac, "SO");
	assert_int_equal(neigh(idx), RNL_NEIGH_REACHABLE);
}

/* A solicitation that comes before ours was sent counts too. */
static void ip6__both_check_at_once(void **state)
{
	const struct rnl_nd nd = told(RNL_ND_SOLICIT, "fd00::1", NULL);

	begin(0);
	own("fd00::1");
	hear(&nd, "::", "ff02::1:ff00:1");
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_DUPLICATE);
}

static void ip6__check_can_be_left_out(void **state)
{
	begin(RNL_IPV6_NO_DAD);
	own("fd00::1");
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_PREFERRED);
	pass(5 * SECOND);
	assert_int_equal(count(RNL_C_dad_tx_solicit), 0);
	assert_true(count(RNL_C_nd_tx_advert) > 0);
}

/* A full queue costs neither the check nor the address. */
static void ip6__check_waits_for_room(void **state)
{
	begin(0);
	own("fd00::1");
	w.core.ports[0].txq.mask = 0;
	w.core.ports[0].txq.tail++;
	pass(3 * SECOND);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_TENTATIVE);
	assert_int_equal(count(RNL_C_dad_tx_solicit), 0);
	assert_true(count(RNL_C_txq_full) > 0);
	w.core.ports[0].txq = (struct rnl_txq){.ring = w.ring, .mask = TXQ - 1};
	pass(2 * SECOND);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_PREFERRED);
}

/* ---- identifiers (RFC 7217, RFC 4291 appendix A) ---------------------------------------------- */

static struct rnl_addr link_local_of(uint32_t flags, const uint8_t *mac, uint8_t secret)
{
	struct rnl_port desc = {.size = sizeof(desc), .mtu = 1500, .ipv6 = flags, .ops = &ops};
	struct rnl_addr a;

	begin(flags);
	memcpy(desc.mac, mac, 6);
	memset(w.core.secrets.iid, secret, 16);
	rnl_ip6_port_set(&w.v, 0, &desc);
	own("fd00::1");
	a = link_local();
	teardown(NULL);
	return a;
}

static void ip6__stable_opaque_identifiers(void **state)
{
	const struct rnl_addr a = link_local_of(0, own_mac, 7), again = link_local_of(0, own_mac, 7);
	const struct rnl_addr b = link_local_of(0, peer_mac, 7), c = link_local_of(0, own_mac, 8);
	const struct rnl_addr eui = link_local_of(RNL_IPV6_EUI64, own_mac, 7);
	const struct rnl_addr want = addr("fe80::ff:fe00:1");

	assert_true(rnl_addr_is_link_local(&a));
	assert_memory_equal(&a, &again, sizeof(a));
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
	assert_memory_equal(&eui, &want, sizeof(eui));
	begin(0);
}

/* RFC 7217 6: another identifier, three times; then the address is given up. */
static void ip6__conflicts_of_opaque_identifiers(void **state)
{
	begin(0);
	own("fd00::1");
	for (unsigned int i = 0; i < 4; i++) {
		const struct rnl_addr a = link_local();
		char text[RNL_ADDR_STRLEN];

		assert_int_equal(state_of(&a), RNL_ADDR_TENTATIVE);
		rnl_addr_format(&a, text);
		advertise(text, peer_mac, "O");
		assert_int_equal(state_of(&a), i < 3 ? -1 : RNL_ADDR_DUPLICATE);
	}
	go_on(10 * SECOND);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_PREFERRED);
}

/* RFC 4862 5.4.5: the hardware's own identifier in use elsewhere stops IPv6 on the port. */
static void ip6__conflict_of_a_hardware_identifier(void **state)
{
	begin(RNL_IPV6_EUI64 | RNL_IPV6_ROUTERS);
	own("fd00::1");
	advertise("fe80::ff:fe00:1", peer_mac, "O");
	go_on(60 * SECOND);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_DUPLICATE);
	assert_int_equal(state_of_text("fe80::ff:fe00:1"), RNL_ADDR_DUPLICATE);
	assert_int_equal(count(RNL_C_dad_tx_solicit), 0);
	assert_int_equal(count(RNL_C_nd_tx_router_solicit), 0);
}

/* ---- groups (RFC 4861 7.2.1, RFC 3810) -------------------------------------------------------- */

static bool filter_has(uint8_t last)
{
	const uint8_t mac[6] = {0x33, 0x33, 0xff, 0, 0, last};

	for (unsigned int i = 0; i < w.ngroups; i++)
		if (memcmp(w.groups[i], mac, 6) == 0)
			return true;
	return false;
}

static void ip6__groups_of_the_port(void **state)
{
	const struct rnl_addr all = addr("ff02::1"), its = addr("ff02::1:ff00:1"),
	                      other = addr("ff02::1:ff00:99");

	begin(0);
	own("fd00::1");
	pass(1);
	assert_int_equal(w.ngroups, 3); /* all nodes, its own, the link-local one's */
	assert_memory_equal(w.groups[0], all_nodes_mac, 6);
	assert_true(filter_has(1)); /* while it is being checked, too */
	own("fd01::1");            /* the same group again */
	pass(1);
	assert_int_equal(w.ngroups, 3);
	own("fd00::2");
	pass(1);
	assert_int_equal(w.ngroups, 4);
	assert_true(rnl_ip6_for_us(&w.v, 0, &all));
	assert_true(rnl_ip6_for_us(&w.v, 0, &its));
	assert_false(rnl_ip6_for_us(&w.v, 0, &other));
	advertise("fd00::2", peer_mac, "O"); /* a duplicate leaves its group */
	pass(1);
	assert_int_equal(w.ngroups, 3);
	assert_false(filter_has(2));
}

static void ip6__reports_groups(void **state)
{
	struct out o;

	begin(0);
	own("fd00::1");
	pass(SECOND);
	assert_true(next(&o)); /* before any check: RFC 4862 5.4.2 */
	assert_int_equal(o.icmp.type, RNL_ICMP6_MLD2_REPORT);
	assert_true(rnl_addr_is_unspecified(&o.ip.src)); /* RFC 3590 4 */
	assert_int_equal(o.ip.ttl, 1);
	pass(3 * SECOND);
	do
		o = expect(RNL_ICMP6_MLD2_REPORT);
	while (rnl_addr_is_unspecified(&o.ip.src));
	assert_true(rnl_addr_is_link_local(&o.ip.src));
	go_on(10 * SECOND);
	pass(3600 * SECOND);
	expect_none(RNL_ICMP6_MLD2_REPORT); /* and no more, unless asked */
}

static void query(uint16_t len, uint8_t hops, bool alert, const char *from)
{
	uint8_t p[28] = {130};
	const struct rnl_ip ip = {.src = addr(from),
	                          .dst = addr("ff02::1"),
	                          .l4_len = len,
	                          .version = 6,
	                          .ttl = hops,
	                          .router_alert = alert};
	const struct rnl_icmp icmp = {.type = 130, .len = len};
	struct rte_mbuf *m;

	p[4] = 0x27; /* 10 s */
	p[5] = 0x10;
	m = rnl_test_mbuf(p, len);
	rnl_ip6_mld_query(&w.v, 0, &ip, m, &icmp);
	rte_pktmbuf_free(m);
}

static void ip6__answers_queries(void **state)
{
	struct out o;

	ready(0);
	query(28, 1, true, "fe80::9");
	pass(10 * SECOND + 1);
	o = expect(RNL_ICMP6_MLD2_REPORT);
	expect_none(RNL_ICMP6_MLD2_REPORT);
	query(24, 1, true, "fe80::9"); /* of the older kind: a report for each group */
	pass(10 * SECOND + 1);
	o = expect(RNL_ICMP6_MLD_REPORT);
	assert_int_equal(o.ip.dst.b[12], 0xff);
	expect(RNL_ICMP6_MLD_REPORT);
	assert_int_equal(count(RNL_C_mld_rx_query), 2);
	query(28, 2, true, "fe80::9"); /* from beyond the link */
	query(28, 1, false, "fe80::9");
	query(28, 1, true, "fd00::9");
	query(25, 1, true, "fe80::9");
	assert_int_equal(count(RNL_C_mld_rx_query), 2);
	assert_int_equal(count(RNL_C_icmp_rx_bad), 4);
}

/* ---- routers (RFC 4861 6.3) ------------------------------------------------------------------- */

#define AUTO (RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF)

static void router(const char *from, uint16_t lifetime_s, int8_t preference)
{
	struct rnl_nd nd = {.type = RNL_ND_ROUTER_ADVERT,
	                    .lifetime_s = lifetime_s,
	                    .preference = preference,
	                    .has_lladdr = true,
	                    .lladdr = {2, 0, 0, 0, 1}};

	nd.lladdr[5] = addr(from).b[15];
	hear(&nd, from, "ff02::1");
}

static void prefix_from(const char *text, uint8_t len, uint32_t valid_s, uint32_t preferred_s,
                        const char *flags)
{
	struct rnl_nd nd = {.type = RNL_ND_ROUTER_ADVERT, .nprefix = 1};

	nd.prefix[0] = (struct rnl_nd_prefix){.prefix = addr(text),
	                                      .len = len,
	                                      .valid_s = valid_s,
	                                      .preferred_s = preferred_s,
	                                      .on_link = strchr(flags, 'L') != NULL,
	                                      .autonomous = strchr(flags, 'A') != NULL};
	hear(&nd, "fe80::a", "ff02::1");
}

/* @return the last octet of the next hop to 2001:db8::1, or 0. */
static int way_out(void)
{
	const struct rnl_addr far = addr("2001:db8::1");
	struct rnl_addr hop;

	return rnl_route_find(&w.routes, &far, NULL, &hop, NULL) == 0 ? hop.b[15] : 0;
}

/* 6.3.7 */
static void ip6__asks_for_routers(void **state)
{
	struct out o;

	begin(AUTO);
	pass(2 * SECOND + 1);
	o = expect(RNL_ND_ROUTER_SOLICIT);
	assert_true(rnl_addr_is_link_local(&o.ip.src));
	assert_int_equal(o.ip.dst.b[15], 2);
	assert_int_equal(o.ip.ttl, 255);
	go_on(60 * SECOND);
	assert_int_equal(count(RNL_C_nd_tx_router_solicit), 3);
	teardown(state);
	begin(AUTO);
	go_on(2 * SECOND + 1);
	router("fe80::a", 1800, 0); /* enough */
	go_on(60 * SECOND);
	assert_int_equal(count(RNL_C_nd_tx_router_solicit), 1);
	teardown(state);
	begin(AUTO);
	router("fe80::a", 1800, 0); /* one that came by itself: asked once nevertheless */
	go_on(60 * SECOND);
	assert_int_equal(count(RNL_C_nd_tx_router_solicit), 1);
	teardown(state);
	begin(0);
	own("fd00::1");
	router("fe80::a", 1800, 0); /* nobody wanted routers */
	go_on(60 * SECOND);
	assert_int_equal(count(RNL_C_nd_tx_router_solicit), 0);
	assert_int_equal(way_out(), 0);
	assert_int_equal(count(RNL_C_icmp_rx_other), 1);
}

static void ip6__default_route_and_its_lifetime(void **state)
{
	ready(AUTO);
	assert_int_equal(way_out(), 0);
	router("fe80::a", 0, 0);
	assert_int_equal(way_out(), 0);
	router("fe80::a", 10, 0);
	assert_int_equal(way_out(), 0xa);
	assert_true(w.v.rehome);
	assert_int_equal(neigh(get("fe80::a")), RNL_NEIGH_STALE); /* 6.3.4 */
	pass(10 * SECOND - 1);
	assert_int_equal(way_out(), 0xa);
	router("fe80::a", 10, 0);
	pass(10 * SECOND - 1);
	assert_int_equal(way_out(), 0xa);
	pass(1);
	assert_int_equal(way_out(), 0);
	router("fe80::a", 10, 0);
	router("fe80::a", 0, 0); /* it resigns */
	assert_int_equal(way_out(), 0);
	assert_int_equal(count(RNL_C_nd_router_lost), 2);
}

/* 6.3.6, RFC 4191 3.1, 7.3.3. */
static void ip6__several_routers(void **state)
{
	unsigned int before;
	uint32_t a, b;

	ready(AUTO);
	router("fe80::a", 1800, 0);
	router("fe80::b", 1800, 0);
	assert_int_equal(way_out(), 0xa);
	router("fe80::c", 1800, 1);
	assert_int_equal(way_out(), 0xc);
	router("fe80::c", 1800, -1);
	assert_int_not_equal(way_out(), 0xc);
	router("fe80::c", 0, 0);
	a = get("fe80::a");
	b = get("fe80::b");
	if (way_out() == 0xb) {
		uint32_t other = a;

		a = b;
		b = other;
	}
	/* the one in use stops answering */
	go_on(2 * SECOND);
	before = w.rehomes;
	assert_int_equal(output(a, "fd00::1"), RNL_NEIGH_USABLE);
	go_on(8 * SECOND);
	assert_int_equal(neigh(a), RNL_NEIGH_FAILED);
	assert_int_equal(way_out(), rnl_neigh_at(&w.n, b)->addr.b[15]);
	assert_int_equal(w.rehomes, before + 1);
	/* the other one as well: they take turns */
	assert_int_equal(output(b, "fd00::1"), RNL_NEIGH_USABLE);
	go_on(8 * SECOND);
	assert_int_equal(way_out(), rnl_neigh_at(&w.n, a)->addr.b[15]);
	go_on(2 * SECOND);
	output(a, "fd00::1");
	go_on(4 * SECOND);
	assert_int_equal(way_out(), rnl_neigh_at(&w.n, b)->addr.b[15]);
}

/* 6.3.6 (1): one that answers goes before one that is next and does not. */
static void ip6__routers_that_answer_go_first(void **state)
{
	uint32_t dead, used;

	ready(AUTO);
	router("fe80::a", 1800, 0);
	router("fe80::b", 1800, 0);
	router("fe80::c", 1800, 0);
	assert_int_equal(way_out(), 0xa);
	dead = get("fe80::b");
	used = get("fe80::a");
	output(dead, "fd00::1");
	go_on(8 * SECOND);
	assert_int_equal(neigh(dead), RNL_NEIGH_FAILED);
	assert_int_equal(way_out(), 0xa);
	output(used, "fd00::1");
	go_on(8 * SECOND);
	assert_int_equal(neigh(used), RNL_NEIGH_FAILED);
	assert_int_equal(way_out(), 0xc);
}

/* 7.2.5: who is no router any more, is no way out. */
static void ip6__router_becomes_a_host(void **state)
{
	ready(AUTO);
	router("fe80::a", 1800, 0);
	assert_int_equal(way_out(), 0xa);
	advertise("fe80::a", NULL, "RO");
	pass(1);
	assert_int_equal(way_out(), 0xa);
	advertise("fe80::a", NULL, "O");
	pass(1);
	assert_int_equal(way_out(), 0);
}

static void ip6__configured_gateway_goes_first(void **state)
{
	const struct rnl_addr any = {.b = {0}}, gw = addr("fd00::9");

	ready(AUTO);
	router("fe80::a", 10, 0);
	assert_int_equal(way_out(), 0xa);
	assert_int_equal(rnl_route_add_gateway(&w.routes, &any, 0, &gw), 0);
	assert_int_equal(way_out(), 9);
	router("fe80::b", 1800, 1);
	assert_int_equal(way_out(), 9);
	go_on(20 * SECOND);
	assert_int_equal(way_out(), 9);
}

static void ip6__router_table_is_bounded(void **state)
{
	char text[RNL_ADDR_STRLEN];

	ready(AUTO);
	for (unsigned int i = 0; i < RNL_IP6_ROUTERS + 3; i++) {
		snprintf(text, sizeof(text), "fe80::%x", 0x20 + i);
		router(text, 1800, 0);
	}
	assert_int_equal(w.v.routers, RNL_IP6_ROUTERS);
	assert_int_equal(count(RNL_C_nd_table_full), 3);
	for (unsigned int i = 0; i < RNL_IP6_PREFIXES + 2; i++) {
		snprintf(text, sizeof(text), "2001:%x::", i + 1);
		prefix_from(text, 48, 100, 100, "L");
	}
	assert_int_equal(w.v.prefixes, RNL_IP6_PREFIXES);
	assert_int_equal(count(RNL_C_nd_table_full), 5);
	go_on(101 * SECOND);
	assert_int_equal(w.v.prefixes, 0);
}

/* 6.3.4: parameters of the link. */
static void ip6__parameters(void **state)
{
	struct rnl_nd nd = {.type = RNL_ND_ROUTER_ADVERT,
	                    .hop_limit = 61,
	                    .mtu = 1400,
	                    .reachable_ms = 5000,
	                    .retrans_ms = 2000};
	uint32_t idx;

	ready(AUTO);
	hear(&nd, "fe80::a", "ff02::1");
	assert_int_equal(w.core.ports[0].hop_limit, 61);
	assert_int_equal(w.core.ports[0].mtu6, 1400);
	assert_int_equal(w.core.ports[0].mtu, 1500);
	idx = get("fd00::2");
	reachable(idx, "fd00::2");
	go_on(7600 * SECOND / 1000);
	assert_int_equal(neigh(idx), RNL_NEIGH_STALE);
	idx = get("fd00::3");
	output(idx, "fd00::1");
	silence();
	pass(2 * SECOND - 1);
	expect_none(RNL_ND_SOLICIT);
	pass(1);
	expect(RNL_ND_SOLICIT);
	/* what says nothing, or is out of bounds, changes nothing */
	nd = (struct rnl_nd){.type = RNL_ND_ROUTER_ADVERT, .mtu = 1279};
	hear(&nd, "fe80::a", "ff02::1");
	nd.mtu = 1501;
	hear(&nd, "fe80::a", "ff02::1");
	assert_int_equal(w.core.ports[0].hop_limit, 61);
	assert_int_equal(w.core.ports[0].mtu6, 1400);
}

static void ip6__prefixes_on_link(void **state)
{
	const struct rnl_addr a = addr("2001:db8::1");

	ready(AUTO);
	assert_false(rnl_route_on_link(&w.routes, 0, &a));
	prefix_from("2001:db8::", 64, 10, 10, ""); /* says nothing of the link */
	assert_false(rnl_route_on_link(&w.routes, 0, &a));
	prefix_from("2001:db8::", 64, 10, 10, "L");
	assert_true(rnl_route_on_link(&w.routes, 0, &a));
	pass(10 * SECOND - 1);
	assert_true(rnl_route_on_link(&w.routes, 0, &a));
	pass(1);
	assert_false(rnl_route_on_link(&w.routes, 0, &a));
	prefix_from("2001:db8::", 64, UINT32_MAX, 10, "L");
	go_on(10000 * SECOND);
	assert_true(rnl_route_on_link(&w.routes, 0, &a));
	prefix_from("2001:db8::", 64, 0, 0, "L");
	assert_false(rnl_route_on_link(&w.routes, 0, &a));
	/* never ours to take away: what was configured */
	prefix_from("fd00::", 64, 10, 10, "L");
	prefix_from("fd00::", 64, 0, 0, "L");
	assert_true(rnl_route_on_link(&w.routes, 0, &(struct rnl_addr){.b = {0xfd, [15] = 9}}));
	prefix_from("fe80::", 64, 10, 10, "L");
	prefix_from("::", 0, 10, 10, "L");
	assert_int_equal(w.v.prefixes, 0);
}

/* ---- autoconfiguration (RFC 4862 5.5) --------------------------------------------------------- */

/* The address that was made of 2001:db8::/64, or NULL. */
static const struct rnl_route_addr *made(void)
{
	const struct rnl_addr net = addr("2001:db8::");

	for (unsigned int i = 0; i < w.routes.addrs; i++)
		if (rnl_addr_prefix_match(&w.routes.addr[i].addr, &net, 64))
			return &w.routes.addr[i];
	return NULL;
}

static void ip6__makes_addresses(void **state)
{
	ready(AUTO);
	prefix_from("2001:db8::", 63, 7200, 3600, "A"); /* another length: 5.5.3 (d) */
	prefix_from("fe80::", 64, 7200, 3600, "A");
	prefix_from("2001:db8::", 64, 3600, 7200, "A"); /* preferred for longer than valid: (c) */
	prefix_from("2001:db8::", 64, 0, 0, "A");
	prefix_from("2001:db8::", 64, 7200, 3600, "L");
	prefix_from("ff05::", 64, 7200, 3600, "A");
	assert_null(made());
	prefix_from("2001:db8::", 64, 9000, 3600, "A");
	assert_non_null(made());
	assert_int_equal(made()->state, RNL_ADDR_TENTATIVE);
	assert_int_equal(made()->prefix_len, 64);
	go_on(3 * SECOND);
	assert_int_equal(made()->state, RNL_ADDR_PREFERRED);
	go_on(3600 * SECOND);
	assert_int_equal(made()->state, RNL_ADDR_DEPRECATED);
	assert_int_equal(rnl_route_local_port(&w.routes, &made()->addr), 0);
	prefix_from("2001:db8::", 64, 9000, 3600, "A");
	pass(1);
	assert_int_equal(made()->state, RNL_ADDR_PREFERRED);
	go_on(9000 * SECOND);
	assert_null(made());
	assert_int_equal(count(RNL_C_addr_expired), 1);
	/* without the flag it takes prefixes, but makes nothing of them */
	teardown(state);
	ready(RNL_IPV6_ROUTERS);
	prefix_from("2001:db8::", 64, 9000, 3600, "LA");
	assert_null(made());
	assert_int_equal(w.v.prefixes, 1);
}

/* 5.5.3 (e): nobody can end an address at once. */
static void ip6__two_hours_rule(void **state)
{
	ready(AUTO);
	prefix_from("2001:db8::", 64, 100000, 100000, "A");
	go_on(3 * SECOND);
	prefix_from("2001:db8::", 64, 1, 1, "A");
	go_on(7190 * SECOND);
	assert_non_null(made()); /* two hours from then */
	assert_int_equal(made()->state, RNL_ADDR_DEPRECATED);
	prefix_from("2001:db8::", 64, 1, 1, "A"); /* less than two hours are left: ignored */
	go_on(5 * SECOND);
	assert_non_null(made());
	prefix_from("2001:db8::", 64, 3600, 1, "A"); /* longer than what is left: taken */
	go_on(3500 * SECOND);
	assert_non_null(made());
	go_on(101 * SECOND);
	assert_null(made());
}

static void ip6__duplicate_of_a_made_address(void **state)
{
	struct rnl_addr first;
	char text[RNL_ADDR_STRLEN];

	ready(AUTO | RNL_IPV6_EUI64);
	prefix_from("2001:db8::", 64, 9000, 9000, "A");
	first = made()->addr;
	assert_int_equal(first.b[15], 1);
	advertise(rnl_addr_format(&first, text), peer_mac, "O");
	assert_int_equal(made()->state, RNL_ADDR_DUPLICATE);
	prefix_from("2001:db8::", 64, 9000, 9000, "A"); /* not tried anew each time */
	go_on(5 * SECOND);
	assert_int_equal(made()->state, RNL_ADDR_DUPLICATE);
	assert_int_equal(state_of_text("fd00::1"), RNL_ADDR_PREFERRED);
}

static void ip6__made_addresses_are_bounded(void **state)
{
	char text[RNL_ADDR_STRLEN];

	ready(AUTO);
	for (unsigned int i = 0; i < RNL_IP6_AUTO + 4; i++) {
		snprintf(text, sizeof(text), "2001:%x::", i + 1);
		prefix_from(text, 64, 8000, 8000, "A");
		go_on(3 * SECOND);
	}
	assert_int_equal(w.v.autos, RNL_IP6_AUTO);
	assert_int_equal(count(RNL_C_nd_table_full), 4);
	go_on(8000 * SECOND);
	assert_int_equal(w.v.autos, 0);
	assert_int_equal(w.routes.addrs, 2);
}

#define ip6_test(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ip6_test(ip6__resolves_a_neighbour),
	    ip6_test(ip6__asks_three_times_a_second_apart),
	    ip6_test(ip6__unsolicited_answer_makes_it_stale),
	    ip6_test(ip6__override_rules),
	    ip6_test(ip6__unreachability_detection),
	    ip6_test(ip6__answers_solicitations),
	    ip6_test(ip6__somebody_uses_our_address),
	    ip6_test(ip6__checks_an_address_before_use),
	    ip6_test(ip6__advertisement_for_a_tentative_address),
	    ip6_test(ip6__solicitation_for_a_tentative_address),
	    ip6_test(ip6__both_check_at_once),
	    ip6_test(ip6__check_can_be_left_out),
	    ip6_test(ip6__check_waits_for_room),
	    ip6_test(ip6__stable_opaque_identifiers),
	    ip6_test(ip6__conflicts_of_opaque_identifiers),
	    ip6_test(ip6__conflict_of_a_hardware_identifier),
	    ip6_test(ip6__groups_of_the_port),
	    ip6_test(ip6__reports_groups),
	    ip6_test(ip6__answers_queries),
	    ip6_test(ip6__asks_for_routers),
	    ip6_test(ip6__default_route_and_its_lifetime),
	    ip6_test(ip6__several_routers),
	    ip6_test(ip6__routers_that_answer_go_first),
	    ip6_test(ip6__router_becomes_a_host),
	    ip6_test(ip6__configured_gateway_goes_first),
	    ip6_test(ip6__router_table_is_bounded),
	    ip6_test(ip6__parameters),
	    ip6_test(ip6__prefixes_on_link),
	    ip6_test(ip6__makes_addresses),
	    ip6_test(ip6__two_hours_rule),
	    ip6_test(ip6__duplicate_of_a_made_address),
	    ip6_test(ip6__made_addresses_are_bounded),
	};

	return cmocka_run_group_tests_name("ip6", tests, rnl_test_group_setup, NULL);
}
