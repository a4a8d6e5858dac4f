/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack/neigh: time is moved by hand; what is sent is read from the transmit queues. Port 0 is
 * plain Ethernet, port 1 lives in VLAN 100, port 2 has no link addresses.
 */
#include "env.h"

#include <errno.h>

#include <rte_common.h>

#include "stack/mem.h"
#include "stack/neigh.h"
#include "wire/ip.h"

#define SECOND 1000000u
#define BASE_MS 20000u /* BaseReachableTime: entries live 10 to 30 s */
#define TXQ 32
#define ENTRIES 8

static struct {
	struct rnl_core core;
	struct rnl_neigh n;
	struct rnl_routes routes;
	struct rnl_txitem ring[RNL_MAX_PORTS][TXQ];
	uint8_t nexthop_port[ENTRIES + 1];
	void *mem;
} w;

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t new_mac[6] = {2, 0, 0, 0, 0, 3};
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t zero_mac[6];

static struct rnl_addr addr(const char *text)
{
	struct rnl_addr a;

	assert_int_equal(rnl_addr_parse(text, &a), 0);
	return a;
}

static void add_port(unsigned int port, uint16_t vlan, uint32_t caps, const char *text)
{
	struct rnl_port desc = {.size = sizeof(desc), .vlan = vlan, .caps = caps};
	const struct rnl_addr a = addr(text);

	memcpy(desc.mac, own_mac, 6);
	w.core.ports[port].txq = (struct rnl_txq){.ring = w.ring[port], .mask = TXQ - 1};
	rnl_neigh_port_set(&w.n, port, &desc);
	assert_int_equal(rnl_route_add_address(&w.routes, port, &a, 24), 0);
}

static int setup(void **state)
{
	struct rnl_neigh_config cfg = {
	    .core = &w.core, .routes = &w.routes, .max_entries = ENTRIES, .reachable_ms = BASE_MS};

	memset(&w, 0, sizeof(w));
	w.core.now_us = 1000 * SECOND;
	w.core.hdr_pool = rnl_test_hdr_pool();
	w.core.nexthop_port = w.nexthop_port;
	rnl_prng_seed(&w.core.prng, 1);
	rnl_route_init(&w.routes);
	w.mem = rnl_mem_reserve(rnl_neigh_bytes(ENTRIES), -1);
	assert_non_null(w.mem);
	rnl_neigh_init(&w.n, w.mem, &cfg);
	add_port(0, 0, 0, "10.0.0.1");
	add_port(1, 100, 0, "10.0.1.1");
	add_port(2, 0, RNL_CAP_RAW_IP, "10.0.2.1");
	return 0;
}

static int teardown(void **state)
{
	rnl_neigh_fini(&w.n);
	for (unsigned int port = 0; port < 3; port++) {
		struct rnl_txq *q = &w.core.ports[port].txq;

		while (rnl_txq_count(q) > 0)
			rte_pktmbuf_free(q->ring[q->head++ & q->mask].m);
	}
	rnl_mem_release(w.mem, rnl_neigh_bytes(ENTRIES));
	return rnl_test_no_leak(state);
}

/* ---- what the tests say --------------------------------------------------------------------- */

static void pass(uint64_t us)
{
	w.core.now_us += us;
	rnl_neigh_expire(&w.n);
}

static uint64_t count(enum rnl_counter id)
{
	return w.core.counters.v[id];
}

static enum rnl_neigh_state state_of(uint32_t idx)
{
	return rnl_neigh_at(&w.n, idx)->state;
}

static uint32_t get(unsigned int port, const char *text)
{
	const struct rnl_addr a = addr(text);
	int idx = rnl_neigh_get(&w.n, port, &a);

	assert_in_range(idx, 1, ENTRIES);
	assert_int_equal(w.nexthop_port[idx], port);
	return (uint32_t)idx;
}

static struct rte_mbuf *packet(uint8_t mark)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w.core.hdr_pool);

	assert_non_null(m);
	*(uint8_t *)rte_pktmbuf_append(m, 1) = mark;
	return m;
}

/* A packet that is sent now must come out with this link header. */
static void expect_frame(struct rte_mbuf *m, const uint8_t dst[6], uint16_t vlan, uint8_t mark)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint16_t l2 = vlan ? 18 : 14;

	assert_int_equal(m->pkt_len, l2 + 1);
	assert_int_equal(m->l2_len, l2);
	assert_memory_equal(p, dst, 6);
	assert_memory_equal(p + 6, own_mac, 6);
	if (vlan) {
		const uint8_t tag[4] = {0x81, 0x00, (uint8_t)(vlan >> 8), (uint8_t)vlan};

		assert_memory_equal(p + 12, tag, 4);
	}
	assert_int_equal(p[l2 - 2], 0x08);
	assert_int_equal(p[l2 - 1], 0x00);
	assert_int_equal(p[l2], mark);
	rte_pktmbuf_free(m);
}

static void send_usable(uint32_t idx, const uint8_t dst[6], uint16_t vlan)
{
	struct rte_mbuf *m = packet(0x5a);

	assert_int_equal(rnl_neigh_output(&w.n, idx, m), RNL_NEIGH_USABLE);
	expect_frame(m, dst, vlan, 0x5a);
}

static void send_held(uint32_t idx, uint8_t mark)
{
	assert_int_equal(rnl_neigh_output(&w.n, idx, packet(mark)), RNL_NEIGH_HELD);
}

static void send_dropped(uint32_t idx)
{
	assert_int_equal(rnl_neigh_output(&w.n, idx, packet(0)), RNL_NEIGH_DROPPED);
}

static struct rte_mbuf *pop(unsigned int port)
{
	struct rnl_txq *q = &w.core.ports[port].txq;
	struct rnl_txitem *item = &q->ring[q->head & q->mask];

	assert_int_not_equal(rnl_txq_count(q), 0);
	assert_true(item->ready);
	q->head++;
	return item->m;
}

static void expect_quiet(unsigned int port)
{
	assert_int_equal(rnl_txq_count(&w.core.ports[port].txq), 0);
}

static void expect_arp(unsigned int port, const uint8_t dst[6], uint16_t op, const char *spa,
                       const uint8_t tha[6], const char *tpa)
{
	struct rte_mbuf *m = pop(port);
	struct rnl_addr s = addr(spa), t = addr(tpa);
	const uint16_t l2_len = m->l2_len; /* the parser clears what is for transmission */
	struct rnl_eth eth;
	struct rnl_arp arp;

	assert_int_equal(rnl_eth_parse(m, &eth), RNL_C_ok);
	assert_int_equal(eth.type, RNL_ETHERTYPE_ARP);
	assert_int_equal(eth.vlan, port == 1 ? 100 : 0);
	assert_int_equal(l2_len, eth.l3_off);
	assert_memory_equal(eth.dst, dst, 6);
	assert_memory_equal(eth.src, own_mac, 6);
	assert_int_equal(rnl_arp_parse(m, eth.l3_off, &arp), RNL_C_ok);
	assert_int_equal(arp.op, op);
	assert_memory_equal(arp.sha, own_mac, 6);
	assert_memory_equal(arp.tha, tha, 6);
	assert_true(rnl_addr_equal(&arp.spa, &s));
	assert_true(rnl_addr_equal(&arp.tpa, &t));
	assert_int_equal(m->pkt_len, eth.l3_off + RNL_ARP_LEN);
	rte_pktmbuf_free(m);
}

static void expect_request(const uint8_t dst[6])
{
	expect_arp(0, dst, RNL_ARP_REQUEST, "10.0.0.1", zero_mac, "10.0.0.2");
	expect_quiet(0);
}

static void arp_in(unsigned int port, uint16_t op, const uint8_t sha[6], const char *spa,
                   const char *tpa)
{
	struct rnl_arp arp = {.op = op, .spa = addr(spa), .tpa = addr(tpa)};

	memcpy(arp.sha, sha, 6);
	if (op == RNL_ARP_REPLY)
		memcpy(arp.tha, own_mac, 6);
	rnl_neigh_arp_input(&w.n, port, &arp);
}

static void peer_replies(void)
{
	arp_in(0, RNL_ARP_REPLY, peer_mac, "10.0.0.2", "10.0.0.1");
}

/* An entry for 10.0.0.2 that was just resolved by an answer. */
static uint32_t reachable(void)
{
	uint32_t idx = get(0, "10.0.0.2");

	send_held(idx, 1);
	expect_request(everybody);
	peer_replies();
	expect_frame(pop(0), peer_mac, 0, 1);
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	return idx;
}

static uint32_t stale(void)
{
	uint32_t idx = reachable();

	pass(BASE_MS * 1500ull + 2000);
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	expect_quiet(0);
	return idx;
}

static uint32_t failed(void)
{
	uint32_t idx = get(0, "10.0.0.2");

	send_held(idx, 1);
	for (unsigned int i = 0; i < 3; i++) {
		expect_request(everybody);
		pass(SECOND);
	}
	assert_int_equal(state_of(idx), RNL_NEIGH_FAILED);
	return idx;
}

/* ---- resolving ------------------------------------------------------------------------------ */

static void neigh__resolves_on_first_use(void **state)
{
	uint32_t idx = get(0, "10.0.0.2");

	assert_int_equal(state_of(idx), RNL_NEIGH_NEW);
	assert_null(rnl_neigh_mac(rnl_neigh_at(&w.n, idx)));
	expect_quiet(0);
	assert_int_equal(rnl_neigh_next(&w.n), UINT64_MAX);
	send_held(idx, 1);
	assert_int_equal(state_of(idx), RNL_NEIGH_INCOMPLETE);
	expect_request(everybody);
	send_held(idx, 2);
	expect_quiet(0);
	peer_replies();
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	expect_frame(pop(0), peer_mac, 0, 1);
	expect_frame(pop(0), peer_mac, 0, 2);
	expect_quiet(0);
	send_usable(idx, peer_mac, 0);
	assert_memory_equal(rnl_neigh_mac(rnl_neigh_at(&w.n, idx)), peer_mac, 6);
	assert_int_equal(count(RNL_C_arp_tx_request), 1);
	assert_int_equal(count(RNL_C_arp_rx_reply), 1);
}

static void neigh__asks_three_times_then_fails(void **state)
{
	uint32_t idx = get(0, "10.0.0.2");

	send_held(idx, 1);
	expect_request(everybody);
	pass(SECOND - 1);
	expect_quiet(0);
	assert_true(rnl_neigh_next(&w.n) <= w.core.now_us + 1);
	pass(1);
	expect_request(everybody);
	pass(SECOND);
	expect_request(everybody);
	pass(SECOND - 1);
	assert_int_equal(state_of(idx), RNL_NEIGH_INCOMPLETE);
	pass(1);
	expect_quiet(0);
	assert_int_equal(state_of(idx), RNL_NEIGH_FAILED);
	assert_int_equal(count(RNL_C_neigh_failed), 1);
	assert_int_equal(count(RNL_C_neigh_queue_drop), 1);
	assert_int_equal(count(RNL_C_arp_tx_request), 3);
	assert_int_equal(rnl_neigh_next(&w.n), UINT64_MAX);
}

static void neigh__failed_is_retried_after_one_second(void **state)
{
	uint32_t idx = failed();

	send_dropped(idx);
	assert_int_equal(count(RNL_C_neigh_queue_drop), 2);
	pass(SECOND - 1);
	send_dropped(idx);
	expect_quiet(0);
	pass(1);
	send_held(idx, 7);
	assert_int_equal(state_of(idx), RNL_NEIGH_INCOMPLETE);
	expect_request(everybody);
	peer_replies();
	expect_frame(pop(0), peer_mac, 0, 7);
}

static void neigh__failed_wakes_when_it_is_heard(void **state)
{
	uint32_t idx = failed();

	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.2", "10.0.0.77");
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	send_usable(idx, peer_mac, 0);
}

static void neigh__holds_so_many_and_drops_the_oldest(void **state)
{
	uint32_t idx = get(0, "10.0.0.2");

	for (uint8_t i = 1; i <= RNL_NEIGH_HOLD + 3; i++)
		send_held(idx, i);
	assert_int_equal(count(RNL_C_neigh_queue_drop), 3);
	expect_request(everybody);
	peer_replies();
	for (uint8_t i = 4; i <= RNL_NEIGH_HOLD + 3; i++)
		expect_frame(pop(0), peer_mac, 0, i);
	expect_quiet(0);
}

static void neigh__all_together_hold_a_bounded_number(void **state)
{
	uint32_t a = get(0, "10.0.0.2"), b = get(0, "10.0.0.3");

	send_held(a, 1);
	w.n.held += RNL_NEIGH_HOLD_ALL - 1; /* other neighbours' */
	send_dropped(b);
	send_held(a, 2); /* in place of its own */
	assert_int_equal(count(RNL_C_neigh_queue_drop), 2);
	while (rnl_txq_count(&w.core.ports[0].txq) > 0)
		rte_pktmbuf_free(pop(0));
	peer_replies();
	expect_frame(pop(0), peer_mac, 0, 2);
	send_held(b, 3);
	assert_int_equal(w.n.held, RNL_NEIGH_HOLD_ALL);
}

static void neigh__held_packets_wait_for_room(void **state)
{
	uint32_t idx = get(0, "10.0.0.2");
	struct rnl_txq *q = &w.core.ports[0].txq;

	for (uint8_t i = 1; i <= 3; i++)
		send_held(idx, i);
	expect_request(everybody);
	while (rnl_txq_room(q) > 1)
		rnl_txq_put(q, packet(0xee), 0);
	peer_replies();
	assert_int_equal(rnl_txq_room(q), 0);
	assert_int_equal(rnl_neigh_at(&w.n, idx)->held, 2);
	assert_true(rnl_neigh_next(&w.n) <= w.core.now_us + 1000);
	pass(1000); /* still no room */
	while (rnl_txq_count(q) > 1)
		rte_pktmbuf_free(q->ring[q->head++ & q->mask].m);
	expect_frame(pop(0), peer_mac, 0, 1);
	pass(1000);
	expect_frame(pop(0), peer_mac, 0, 2);
	expect_frame(pop(0), peer_mac, 0, 3);
	expect_quiet(0);
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	assert_int_equal(count(RNL_C_neigh_queue_drop), 0);
	pass(BASE_MS * 1500ull + 2000);
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
}

static void neigh__full_queue_delays_the_request(void **state)
{
	uint32_t idx = get(0, "10.0.0.2");
	struct rnl_txq *q = &w.core.ports[0].txq;

	while (rnl_txq_room(q) > 0)
		rnl_txq_put(q, packet(0xee), 0);
	send_held(idx, 1);
	assert_int_equal(count(RNL_C_txq_full), 1);
	assert_int_equal(count(RNL_C_arp_tx_request), 0);
	for (unsigned int i = 0; i < 10000; i++)
		pass(1000);
	assert_int_equal(state_of(idx), RNL_NEIGH_INCOMPLETE);
	while (rnl_txq_count(q) > 0)
		rte_pktmbuf_free(q->ring[q->head++ & q->mask].m);
	pass(1000);
	for (unsigned int i = 0; i < 3; i++) {
		expect_request(everybody);
		pass(SECOND);
	}
	assert_int_equal(state_of(idx), RNL_NEIGH_FAILED);
}

static void neigh__both_resolve_at_once(void **state)
{
	uint32_t idx = get(0, "10.0.0.2");

	send_held(idx, 1);
	expect_request(everybody);
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.2", "10.0.0.1");
	/* Its request told the address, and using that counts as use. */
	assert_int_equal(state_of(idx), RNL_NEIGH_DELAY);
	expect_frame(pop(0), peer_mac, 0, 1);
	expect_arp(0, peer_mac, RNL_ARP_REPLY, "10.0.0.1", peer_mac, "10.0.0.2");
	assert_int_equal(rnl_neigh_count(&w.n), 1);
}

static void neigh__vlan_and_headers(void **state)
{
	uint32_t idx = get(1, "10.0.1.2");

	send_held(idx, 1);
	expect_arp(1, everybody, RNL_ARP_REQUEST, "10.0.1.1", zero_mac, "10.0.1.2");
	arp_in(1, RNL_ARP_REPLY, peer_mac, "10.0.1.2", "10.0.1.1");
	expect_frame(pop(1), peer_mac, 100, 1);
	send_usable(idx, peer_mac, 100);
	expect_quiet(0);
}

static void neigh__no_headroom_is_a_drop(void **state)
{
	uint32_t idx = reachable();
	struct rte_mbuf *m = packet(1);

	assert_non_null(rte_pktmbuf_prepend(m, (uint16_t)(rte_pktmbuf_headroom(m) - 13)));
	assert_int_equal(rnl_neigh_output(&w.n, idx, m), RNL_NEIGH_DROPPED);
	assert_int_equal(count(RNL_C_neigh_queue_drop), 1);
	send_dropped(0); /* no next hop */
}

static void neigh__port_without_link_addresses(void **state)
{
	uint32_t idx = get(2, "10.0.2.2");
	struct rte_mbuf *m = packet(9);
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct rnl_addr a = addr("10.0.2.2"), six = addr("2001:db8::1");

	assert_int_equal(state_of(idx), RNL_NEIGH_PERMANENT);
	assert_int_equal(rnl_neigh_output(&w.n, idx, m), RNL_NEIGH_USABLE);
	assert_int_equal(m->pkt_len, 1);
	assert_int_equal(m->l2_len, 0);
	rte_pktmbuf_free(m);
	assert_null(rnl_neigh_mac(rnl_neigh_at(&w.n, idx)));
	assert_int_equal(rnl_neigh_add_static(&w.n, 2, &a, mac), -EINVAL);
	assert_true(rnl_neigh_get(&w.n, 2, &six) > 0);
	arp_in(2, RNL_ARP_REQUEST, peer_mac, "10.0.2.2", "10.0.2.1");
	rnl_neigh_announce(&w.n, 2, &a);
	pass(SECOND);
	expect_quiet(2);
	assert_int_equal(rnl_neigh_next(&w.n), UINT64_MAX);
}

static void neigh__static_ipv6_entry_on_ethernet(void **state)
{
	const struct rnl_addr a = addr("2001:db8::2");
	struct rte_mbuf *m = packet(1);
	int idx;

	assert_int_equal(rnl_neigh_add_static(&w.n, 0, &a, peer_mac), 0);
	idx = rnl_neigh_get(&w.n, 0, &a);
	assert_true(idx > 0);
	assert_int_equal(rnl_neigh_output(&w.n, (uint32_t)idx, m), RNL_NEIGH_USABLE);
	assert_int_equal(rte_pktmbuf_mtod(m, const uint8_t *)[12], 0x86);
	rte_pktmbuf_free(m);
}

/* ---- ageing --------------------------------------------------------------------------------- */

static void neigh__ages_between_half_and_one_and_a_half(void **state)
{
	uint32_t idx = reachable();

	pass(BASE_MS * 500ull - 1);
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	pass(BASE_MS * 1000ull + 2000);
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	pass(3600ull * SECOND);
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	expect_quiet(0);
	assert_int_equal(rnl_neigh_next(&w.n), UINT64_MAX);
}

static void neigh__confirmation_keeps_it_reachable(void **state)
{
	uint32_t idx = reachable();

	for (unsigned int i = 0; i < 100; i++) {
		pass(BASE_MS * 400ull);
		assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
		rnl_neigh_confirm(&w.n, idx);
	}
	pass(BASE_MS * 1500ull + 2000);
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	assert_int_equal(count(RNL_C_arp_tx_request), 1);
}

static void neigh__stale_delay_probe_reachable(void **state)
{
	uint32_t idx = stale();

	send_usable(idx, peer_mac, 0);
	assert_int_equal(state_of(idx), RNL_NEIGH_DELAY);
	expect_quiet(0);
	pass(5 * SECOND - 1);
	assert_int_equal(state_of(idx), RNL_NEIGH_DELAY);
	pass(1);
	assert_int_equal(state_of(idx), RNL_NEIGH_PROBE);
	expect_request(peer_mac);
	send_usable(idx, peer_mac, 0);
	peer_replies();
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	pass(SECOND);
	expect_quiet(0);
}

static void neigh__probe_fails_after_three(void **state)
{
	uint32_t idx = stale();

	send_usable(idx, peer_mac, 0);
	pass(5 * SECOND);
	for (unsigned int i = 0; i < 3; i++) {
		expect_request(peer_mac);
		send_usable(idx, peer_mac, 0);
		assert_int_equal(state_of(idx), RNL_NEIGH_PROBE);
		pass(SECOND);
	}
	assert_int_equal(state_of(idx), RNL_NEIGH_FAILED);
	assert_int_equal(count(RNL_C_neigh_failed), 1);
	send_dropped(idx);
	pass(SECOND);
	send_held(idx, 3); /* from the begin: everybody is asked */
	expect_request(everybody);
}

static void neigh__confirmation_ends_delay_and_probe(void **state)
{
	uint32_t idx = stale();

	rnl_neigh_confirm(&w.n, idx);
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	pass(BASE_MS * 1500ull + 2000);
	send_usable(idx, peer_mac, 0);
	rnl_neigh_confirm(&w.n, idx);
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	pass(BASE_MS * 1500ull + 2000);
	send_usable(idx, peer_mac, 0);
	pass(5 * SECOND);
	expect_request(peer_mac);
	rnl_neigh_confirm(&w.n, idx);
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	pass(2 * SECOND);
	expect_quiet(0);
}

static void neigh__confirmation_cannot_resolve(void **state)
{
	uint32_t idx = get(0, "10.0.0.2");

	rnl_neigh_confirm(&w.n, idx);
	assert_int_equal(state_of(idx), RNL_NEIGH_NEW);
	send_held(idx, 1);
	rnl_neigh_confirm(&w.n, idx);
	assert_int_equal(state_of(idx), RNL_NEIGH_INCOMPLETE);
	for (unsigned int i = 0; i < 3; i++)
		pass(SECOND);
	rnl_neigh_confirm(&w.n, idx);
	assert_int_equal(state_of(idx), RNL_NEIGH_FAILED);
}

/* ---- learning ------------------------------------------------------------------------------- */

static void neigh__a_request_for_us_is_answered_and_learnt(void **state)
{
	uint32_t idx;

	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.2", "10.0.0.1");
	expect_arp(0, peer_mac, RNL_ARP_REPLY, "10.0.0.1", peer_mac, "10.0.0.2");
	expect_quiet(0);
	assert_int_equal(count(RNL_C_arp_rx_request), 1);
	assert_int_equal(count(RNL_C_arp_tx_reply), 1);
	assert_int_equal(rnl_neigh_count(&w.n), 1);
	idx = get(0, "10.0.0.2");
	assert_int_equal(rnl_neigh_count(&w.n), 1);
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	send_usable(idx, peer_mac, 0);
	assert_int_equal(state_of(idx), RNL_NEIGH_DELAY);
}

static void neigh__replies_carry_the_vlan(void **state)
{
	arp_in(1, RNL_ARP_REQUEST, peer_mac, "10.0.1.2", "10.0.1.1");
	expect_arp(1, peer_mac, RNL_ARP_REPLY, "10.0.1.1", peer_mac, "10.0.1.2");
}

static void neigh__requests_for_others_teach_nothing_new(void **state)
{
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.2", "10.0.0.77");
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.2", "10.0.1.1"); /* ours, of another port */
	expect_quiet(0);
	assert_int_equal(rnl_neigh_count(&w.n), 0);
	assert_int_equal(count(RNL_C_arp_rx_request), 0);
}

static void neigh__unsolicited_replies_make_no_entry(void **state)
{
	peer_replies();
	assert_int_equal(rnl_neigh_count(&w.n), 0);
	assert_int_equal(count(RNL_C_arp_rx_reply), 1);
}

static void neigh__off_link_sender_is_answered_not_learnt(void **state)
{
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.9.0.2", "10.0.0.1");
	expect_arp(0, peer_mac, RNL_ARP_REPLY, "10.0.0.1", peer_mac, "10.9.0.2");
	assert_int_equal(rnl_neigh_count(&w.n), 0);
}

static void neigh__address_probe_is_answered_not_learnt(void **state)
{
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "0.0.0.0", "10.0.0.1");
	expect_arp(0, peer_mac, RNL_ARP_REPLY, "10.0.0.1", peer_mac, "0.0.0.0");
	assert_int_equal(rnl_neigh_count(&w.n), 0);
	assert_int_equal(count(RNL_C_arp_rx_conflict), 0);
}

static void neigh__gratuitous_arp_moves_a_known_neighbour(void **state)
{
	uint32_t idx = reachable();

	arp_in(0, RNL_ARP_REQUEST, new_mac, "10.0.0.2", "10.0.0.2");
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	send_usable(idx, new_mac, 0);
	assert_int_equal(state_of(idx), RNL_NEIGH_DELAY);
	/* As a reply it does the same. */
	arp_in(0, RNL_ARP_REPLY, peer_mac, "10.0.0.2", "10.0.0.2");
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	send_usable(idx, peer_mac, 0);
	expect_quiet(0);
}

static void neigh__old_news_proves_nothing(void **state)
{
	uint32_t idx = stale();

	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.2", "10.0.0.77");
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	peer_replies(); /* to a question that nobody asked */
	assert_int_equal(state_of(idx), RNL_NEIGH_STALE);
	send_usable(idx, peer_mac, 0);
	pass(5 * SECOND);
	expect_request(peer_mac);
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.2", "10.0.0.77");
	assert_int_equal(state_of(idx), RNL_NEIGH_PROBE);
}

static void neigh__probe_finds_a_new_address(void **state)
{
	uint32_t idx = stale();

	send_usable(idx, peer_mac, 0);
	pass(5 * SECOND);
	expect_request(peer_mac);
	arp_in(0, RNL_ARP_REPLY, new_mac, "10.0.0.2", "10.0.0.1");
	assert_int_equal(state_of(idx), RNL_NEIGH_REACHABLE);
	send_usable(idx, new_mac, 0);
}

static void neigh__own_other_port_is_no_neighbour(void **state)
{
	const struct rnl_addr a = addr("10.0.0.9"); /* port 1 on the same wire as port 0 */

	assert_int_equal(rnl_route_add_address(&w.routes, 1, &a, 24), 0);
	arp_in(0, RNL_ARP_REQUEST, new_mac, "10.0.0.9", "10.0.0.1");
	expect_arp(0, new_mac, RNL_ARP_REPLY, "10.0.0.1", new_mac, "10.0.0.9");
	assert_int_equal(rnl_neigh_count(&w.n), 0);
	assert_int_equal(count(RNL_C_arp_rx_conflict), 0);
}

static void neigh__nonsense_is_counted(void **state)
{
	static const uint8_t group[6] = {3, 0, 0, 0, 0, 2};

	arp_in(0, 3, peer_mac, "10.0.0.2", "10.0.0.1");
	arp_in(0, RNL_ARP_REQUEST, group, "10.0.0.2", "10.0.0.1");
	arp_in(0, RNL_ARP_REQUEST, zero_mac, "10.0.0.2", "10.0.0.1");
	assert_int_equal(count(RNL_C_arp_rx_bad), 3);
	arp_in(0, RNL_ARP_REQUEST, own_mac, "10.0.0.1", "10.0.0.1"); /* our own echo */
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "224.0.0.1", "10.0.0.77");
	expect_quiet(0);
	assert_int_equal(rnl_neigh_count(&w.n), 0);
	assert_int_equal(count(RNL_C_arp_rx_conflict), 0);
}

/* ---- own addresses -------------------------------------------------------------------------- */

static void neigh__announces_twice(void **state)
{
	const struct rnl_addr a = addr("10.0.0.1"), b = addr("10.0.1.1");

	rnl_neigh_announce(&w.n, 0, &a);
	expect_quiet(0);
	assert_true(rnl_neigh_next(&w.n) <= w.core.now_us);
	pass(0);
	expect_arp(0, everybody, RNL_ARP_REQUEST, "10.0.0.1", zero_mac, "10.0.0.1");
	expect_quiet(0);
	assert_int_equal(rnl_neigh_next(&w.n), w.core.now_us + 2 * SECOND);
	pass(SECOND);
	rnl_neigh_announce(&w.n, 1, &b); /* not held up by the one that waits */
	pass(0);
	expect_quiet(0);
	expect_arp(1, everybody, RNL_ARP_REQUEST, "10.0.1.1", zero_mac, "10.0.1.1");
	pass(SECOND);
	expect_arp(0, everybody, RNL_ARP_REQUEST, "10.0.0.1", zero_mac, "10.0.0.1");
	pass(SECOND);
	expect_arp(1, everybody, RNL_ARP_REQUEST, "10.0.1.1", zero_mac, "10.0.1.1");
	pass(10 * SECOND);
	expect_quiet(0);
	expect_quiet(1);
	assert_int_equal(rnl_neigh_next(&w.n), UINT64_MAX);
}

static void neigh__announcements_wait_for_room(void **state)
{
	struct rnl_txq *q = &w.core.ports[0].txq;
	struct rnl_addr a;

	for (uint8_t i = 0; i < 2 * TXQ; i++) {
		a = rnl_addr_v4(10, 0, 0, (uint8_t)(100 + i));
		rnl_neigh_announce(&w.n, 0, &a);
	}
	pass(0);
	assert_int_equal(rnl_txq_room(q), 0);
	pass(0);
	assert_int_equal(count(RNL_C_txq_full), 1);
	assert_int_equal(rnl_neigh_next(&w.n), w.core.now_us + 1000); /* no spinning */
	for (unsigned int i = 0; i < 10; i++) {
		while (rnl_txq_count(q) > 0)
			rte_pktmbuf_free(pop(0));
		pass(SECOND);
	}
	assert_int_equal(count(RNL_C_arp_tx_request), 4 * TXQ);
	assert_int_equal(rnl_neigh_next(&w.n), UINT64_MAX);
}

static void neigh__conflict_is_counted_and_defended_once(void **state)
{
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.1", "10.0.0.1");
	expect_arp(0, everybody, RNL_ARP_REQUEST, "10.0.0.1", zero_mac, "10.0.0.1");
	expect_quiet(0); /* no reply to the impostor */
	pass(9 * SECOND);
	arp_in(0, RNL_ARP_REPLY, peer_mac, "10.0.0.1", "10.0.0.77");
	expect_quiet(0);
	pass(9 * SECOND);
	arp_in(0, RNL_ARP_REPLY, peer_mac, "10.0.0.1", "10.0.0.77");
	expect_quiet(0); /* the last conflict counts, not the last defence */
	pass(10 * SECOND);
	arp_in(0, RNL_ARP_REPLY, peer_mac, "10.0.0.1", "10.0.0.77");
	expect_arp(0, everybody, RNL_ARP_REQUEST, "10.0.0.1", zero_mac, "10.0.0.1");
	assert_int_equal(count(RNL_C_arp_rx_conflict), 4);
	assert_int_equal(rnl_neigh_count(&w.n), 0);
}

/* ---- static entries, references, a full table ------------------------------------------------ */

static void neigh__static_entry_never_changes(void **state)
{
	const struct rnl_addr a = addr("10.0.0.2");
	uint32_t idx;

	assert_int_equal(rnl_neigh_add_static(&w.n, 0, &a, peer_mac), 0);
	idx = get(0, "10.0.0.2");
	send_usable(idx, peer_mac, 0);
	arp_in(0, RNL_ARP_REQUEST, new_mac, "10.0.0.2", "10.0.0.2");
	send_usable(idx, peer_mac, 0);
	rnl_neigh_confirm(&w.n, idx);
	pass(3600ull * SECOND);
	assert_int_equal(state_of(idx), RNL_NEIGH_PERMANENT);
	expect_quiet(0);
	/* Given again, it is replaced. */
	assert_int_equal(rnl_neigh_add_static(&w.n, 0, &a, new_mac), 0);
	send_usable(idx, new_mac, 0);
	rnl_neigh_put(&w.n, idx);
	assert_int_equal(rnl_neigh_at(&w.n, idx)->refs, 1);
}

static void neigh__static_entry_ends_resolution(void **state)
{
	const struct rnl_addr a = addr("10.0.0.2");
	uint32_t idx = get(0, "10.0.0.2");

	send_held(idx, 4);
	expect_request(everybody);
	assert_int_equal(rnl_neigh_add_static(&w.n, 0, &a, peer_mac), 0);
	expect_frame(pop(0), peer_mac, 0, 4);
	pass(10 * SECOND);
	assert_int_equal(state_of(idx), RNL_NEIGH_PERMANENT);
	expect_quiet(0);
}

static void neigh__static_entry_is_checked(void **state)
{
	struct rnl_addr a = addr("10.0.0.2");

	assert_int_equal(rnl_neigh_add_static(&w.n, 0, &a, zero_mac), -EINVAL);
	assert_int_equal(rnl_neigh_add_static(&w.n, 0, &a, everybody), -EINVAL);
	assert_int_equal(rnl_neigh_add_static(&w.n, 8, &a, peer_mac), -EINVAL);
	a = addr("224.0.0.2");
	assert_int_equal(rnl_neigh_add_static(&w.n, 0, &a, peer_mac), -EINVAL);
	assert_int_equal(rnl_neigh_count(&w.n), 0);
}

static struct rnl_addr host(unsigned int i)
{
	return rnl_addr_v4(10, 0, 0, (uint8_t)(10 + i));
}

static void neigh__one_entry_per_port_and_address(void **state)
{
	uint32_t a = get(0, "10.0.0.2"), b = get(1, "10.0.0.2"), c = get(0, "10.0.0.2");

	assert_int_equal(a, c);
	assert_int_not_equal(a, b);
	assert_int_equal(rnl_neigh_at(&w.n, a)->refs, 2);
	rnl_neigh_ref(&w.n, a);
	assert_int_equal(rnl_neigh_at(&w.n, a)->refs, 3);
}

static void neigh__full_of_references_refuses(void **state)
{
	struct rnl_addr a;

	for (unsigned int i = 0; i < ENTRIES; i++) {
		a = host(i);
		assert_true(rnl_neigh_get(&w.n, 0, &a) > 0);
	}
	a = host(ENTRIES);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), -ENOSPC);
	assert_int_equal(rnl_neigh_add_static(&w.n, 0, &a, peer_mac), -ENOSPC);
	assert_int_equal(count(RNL_C_neigh_full), 2);
	/* Not deaf: who asks is answered, though not learnt. */
	arp_in(0, RNL_ARP_REQUEST, peer_mac, "10.0.0.2", "10.0.0.1");
	expect_arp(0, peer_mac, RNL_ARP_REPLY, "10.0.0.1", peer_mac, "10.0.0.2");
	assert_int_equal(count(RNL_C_neigh_full), 3);
	a = host(0);
	assert_true(rnl_neigh_get(&w.n, 0, &a) > 0);
}

static void neigh__full_gives_up_the_longest_unused(void **state)
{
	int idx[ENTRIES];
	struct rnl_addr a;

	for (unsigned int i = 0; i < ENTRIES; i++) {
		a = host(i);
		idx[i] = rnl_neigh_get(&w.n, 0, &a);
	}
	rnl_neigh_put(&w.n, (uint32_t)idx[3]);
	rnl_neigh_put(&w.n, (uint32_t)idx[5]);
	rnl_neigh_put(&w.n, (uint32_t)idx[1]);
	rnl_neigh_ref(&w.n, (uint32_t)idx[3]);
	rnl_neigh_put(&w.n, (uint32_t)idx[3]); /* now the newest */
	a = host(20);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), idx[5]);
	a = host(21);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), idx[1]);
	a = host(3);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), idx[3]);
	a = host(22);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), -ENOSPC);
}

static void neigh__reclaimed_entry_lets_go_of_everything(void **state)
{
	uint32_t idx = get(0, "10.0.0.2");
	struct rnl_addr a;

	send_held(idx, 1);
	expect_request(everybody);
	rnl_neigh_put(&w.n, idx);
	for (unsigned int i = 0; i < ENTRIES; i++) {
		a = host(i);
		assert_true(rnl_neigh_get(&w.n, 1, &a) > 0);
	}
	assert_int_equal(count(RNL_C_neigh_queue_drop), 1);
	assert_int_equal(state_of(idx), RNL_NEIGH_NEW);
	assert_int_equal(w.nexthop_port[idx], 1);
	pass(10 * SECOND); /* its timer is gone too */
	expect_quiet(0);
}

static void neigh__reclaims_no_entry_with_queued_packets(void **state)
{
	uint32_t first = get(0, "10.0.0.2"), second = get(0, "10.0.0.3");
	struct rnl_txq *q = &w.core.ports[0].txq;
	struct rnl_addr a;

	for (unsigned int i = 2; i < ENTRIES; i++) {
		a = host(i);
		assert_true(rnl_neigh_get(&w.n, 0, &a) > 0);
	}
	rnl_neigh_put(&w.n, first);
	rnl_neigh_put(&w.n, second);
	rnl_txq_put(q, packet(1), first); /* a reset, say: it holds no reference */
	a = host(30);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), second);
	a = host(31);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), -ENOSPC);
	rte_pktmbuf_free(q->ring[q->head++ & q->mask].m);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), first);
}

static void neigh__failed_ones_go_first(void **state)
{
	uint32_t good = get(0, "10.0.0.3"), bad;
	struct rnl_addr a;

	rnl_neigh_put(&w.n, good);
	bad = failed();
	rnl_neigh_put(&w.n, bad);
	pass(SECOND);
	send_held(bad, 1); /* without a reference */
	for (unsigned int i = 0; i < 3; i++) {
		expect_request(everybody);
		pass(SECOND);
	}
	for (unsigned int i = 2; i < ENTRIES; i++) {
		a = host(i);
		assert_true(rnl_neigh_get(&w.n, 0, &a) > 0);
	}
	a = host(30);
	assert_int_equal(rnl_neigh_get(&w.n, 0, &a), bad);
}

static void neigh__can_be_listed(void **state)
{
	uint32_t i, n = 0;

	assert_int_equal(rnl_neigh_iterate(&w.n, 0), 0);
	get(0, "10.0.0.2");
	get(0, "10.0.0.3");
	get(1, "10.0.1.3");
	for (i = rnl_neigh_iterate(&w.n, 0); i != 0; i = rnl_neigh_iterate(&w.n, i))
		n++;
	assert_int_equal(n, 3);
	assert_int_equal(rnl_neigh_count(&w.n), 3);
	assert_string_equal(rnl_neigh_state_text(RNL_NEIGH_PROBE), "PROBE");
	assert_string_equal(rnl_neigh_state_text((enum rnl_neigh_state)99), "?");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(neigh__resolves_on_first_use),
	    T(neigh__asks_three_times_then_fails),
	    T(neigh__failed_is_retried_after_one_second),
	    T(neigh__failed_wakes_when_it_is_heard),
	    T(neigh__holds_so_many_and_drops_the_oldest),
	    T(neigh__all_together_hold_a_bounded_number),
	    T(neigh__held_packets_wait_for_room),
	    T(neigh__full_queue_delays_the_request),
	    T(neigh__both_resolve_at_once),
	    T(neigh__vlan_and_headers),
	    T(neigh__no_headroom_is_a_drop),
	    T(neigh__port_without_link_addresses),
	    T(neigh__static_ipv6_entry_on_ethernet),
	    T(neigh__ages_between_half_and_one_and_a_half),
	    T(neigh__confirmation_keeps_it_reachable),
	    T(neigh__stale_delay_probe_reachable),
	    T(neigh__probe_fails_after_three),
	    T(neigh__confirmation_ends_delay_and_probe),
	    T(neigh__confirmation_cannot_resolve),
	    T(neigh__a_request_for_us_is_answered_and_learnt),
	    T(neigh__replies_carry_the_vlan),
	    T(neigh__requests_for_others_teach_nothing_new),
	    T(neigh__unsolicited_replies_make_no_entry),
	    T(neigh__off_link_sender_is_answered_not_learnt),
	    T(neigh__address_probe_is_answered_not_learnt),
	    T(neigh__gratuitous_arp_moves_a_known_neighbour),
	    T(neigh__old_news_proves_nothing),
	    T(neigh__probe_finds_a_new_address),
	    T(neigh__own_other_port_is_no_neighbour),
	    T(neigh__nonsense_is_counted),
	    T(neigh__announces_twice),
	    T(neigh__announcements_wait_for_room),
	    T(neigh__conflict_is_counted_and_defended_once),
	    T(neigh__static_entry_never_changes),
	    T(neigh__static_entry_ends_resolution),
	    T(neigh__static_entry_is_checked),
	    T(neigh__one_entry_per_port_and_address),
	    T(neigh__full_of_references_refuses),
	    T(neigh__full_gives_up_the_longest_unused),
	    T(neigh__reclaimed_entry_lets_go_of_everything),
	    T(neigh__reclaims_no_entry_with_queued_packets),
	    T(neigh__failed_ones_go_first),
	    T(neigh__can_be_listed),
	};

	return cmocka_run_group_tests_name("neigh", tests, rnl_test_group_setup, NULL);
}
