/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP for the neighbour table: asking, answering, learning; and announcing and defending own
 * addresses of both families.
 * Packets go into the port's transmit queue with their link header; of those that find no room or
 * no buffer (counted), requests are tried again soon, replies are left to the peer to ask for.
 * Floor 4. RFC 826, RFC 5227.
 */
#include <string.h>

#include "base/pkt.h"
#include "stack/neigh_pvt.h"
#include "wire/ip.h"

#define ANNOUNCE_BURST 32
#define ANNOUNCE_RETRY_US 1000 /* no room or no buffer */
#define RING(i) ((i) % RNL_ROUTE_ADDR_MAX)

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* ---- sending -------------------------------------------------------------------------------- */

static bool send_arp(struct rnl_neigh *n, unsigned int port, const uint8_t to[6],
                     const struct rnl_arp *arp)
{
	const struct rnl_neigh_port *p = &n->ports[port];
	uint8_t frame[RNL_ETH_MAXLEN + RNL_ARP_LEN];
	struct rte_mbuf *m;
	uint16_t l2;

	if (rnl_txq_room(&n->core->ports[port].txq) == 0) {
		rnl_core_count(n->core, RNL_C_txq_full);
		return false;
	}
	m = rnl_pkt_alloc(n->core->hdr_pool);
	if (m == NULL) {
		rnl_core_count(n->core, RNL_C_tx_no_mbuf);
		return false;
	}
	l2 = rnl_eth_write(frame, to, p->mac, p->vlan, RNL_ETHERTYPE_ARP);
	rnl_arp_write(frame + l2, arp);
	m->l2_len = l2;
	memcpy(rte_pktmbuf_append(m, (uint16_t)(l2 + RNL_ARP_LEN)), frame, l2 + RNL_ARP_LEN);
	rnl_neigh_queue(n, port, m);
	rnl_core_count(n->core,
	               arp->op == RNL_ARP_REQUEST ? RNL_C_arp_tx_request : RNL_C_arp_tx_reply);
	return true;
}

bool rnl_neigh_arp_solicit(struct rnl_neigh *n, const struct rnl_neigh_entry *e)
{
	struct rnl_arp arp = {.op = RNL_ARP_REQUEST, .tpa = e->addr};

	/* Without an address of our own we cannot be answered; the requests time out. */
	if (rnl_route_source(n->routes, e->port, &e->addr, &arp.spa) != 0)
		return true;
	memcpy(arp.sha, n->ports[e->port].mac, 6);
	/* RFC 1122 2.3.2.1: a poll of a known neighbour goes to it alone. */
	return send_arp(n, e->port, e->state == RNL_NEIGH_PROBE ? e->hdr : everybody, &arp);
}

static bool announce(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr)
{
	struct rnl_arp arp = {.op = RNL_ARP_REQUEST, .spa = *addr, .tpa = *addr};

	if (!rnl_addr_is_v4(addr))
		return rnl_neigh_nd_announce(n, port, addr);
	memcpy(arp.sha, n->ports[port].mac, 6);
	return send_arp(n, port, everybody, &arp);
}

/* ---- announcements, of both families (RFC 5227 2.3, RFC 4861 7.2.6) -------------------------- */

void rnl_neigh_announce(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr)
{
	if (n->ports[port].raw_ip ||
	    n->announce_tail - n->announce_second == RNL_ROUTE_ADDR_MAX)
		return;
	n->announce[RING(n->announce_tail++)] =
	    (struct rnl_neigh_announce){.addr = *addr, .port = (uint8_t)port};
}

/* @return false when there is none that is due, or it cannot be sent now. */
static bool announce_one(struct rnl_neigh *n)
{
	const uint64_t now = n->core->now_us;
	const bool again = n->announce_second != n->announce_first &&
	                   n->announce[RING(n->announce_second)].again_us <= now;
	uint32_t *place = again ? &n->announce_second : &n->announce_first;
	struct rnl_neigh_announce *a = &n->announce[RING(*place)];

	if (!again && n->announce_first == n->announce_tail)
		return false;
	if (!announce(n, a->port, &a->addr)) {
		n->announce_retry_us = now + ANNOUNCE_RETRY_US;
		return false;
	}
	a->again_us = now + RNL_NEIGH_ANNOUNCE_US;
	++*place;
	return true;
}

void rnl_neigh_announce_due(struct rnl_neigh *n)
{
	unsigned int left = ANNOUNCE_BURST;

	if (n->core->now_us < n->announce_retry_us)
		return;
	while (left > 0 && announce_one(n))
		left--;
}

uint64_t rnl_neigh_announce_next(const struct rnl_neigh *n)
{
	uint64_t at = UINT64_MAX;

	if (n->announce_first != n->announce_tail)
		at = n->core->now_us;
	else if (n->announce_second != n->announce_first)
		at = n->announce[RING(n->announce_second)].again_us;
	return RTE_MAX(at, n->announce_retry_us);
}

/* ---- receiving ------------------------------------------------------------------------------ */

/*
 * RFC 5227 2.4 (c): an endpoint's address is configured and kept. It is defended by one
 * announcement unless the last conflict is recent, lest two hosts argue for ever.
 */
void rnl_neigh_conflict(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr)
{
	struct rnl_neigh_port *p = &n->ports[port];
	const uint64_t now = n->core->now_us;
	const bool recent = p->conflict_seen && now - p->conflict_us < RNL_NEIGH_DEFEND_US;

	rnl_core_count(n->core,
	               rnl_addr_is_v4(addr) ? RNL_C_arp_rx_conflict : RNL_C_nd_rx_conflict);
	p->conflict_seen = true;
	p->conflict_us = now;
	if (!recent)
		announce(n, port, addr);
}

static void reply(struct rnl_neigh *n, unsigned int port, const struct rnl_arp *request)
{
	struct rnl_arp arp = {.op = RNL_ARP_REPLY, .spa = request->tpa, .tpa = request->spa};

	memcpy(arp.sha, n->ports[port].mac, 6);
	memcpy(arp.tha, request->sha, 6);
	send_arp(n, port, request->sha, &arp);
}

/* RFC 826: whom we know is updated by any packet; a new one only enters when it asked for us. */
static void learn_sender(struct rnl_neigh *n, unsigned int port, const struct rnl_arp *arp,
                         bool for_us)
{
	const bool answer = arp->op == RNL_ARP_REPLY;
	uint32_t idx = rnl_neigh_lookup(n, port, &arp->spa);

	if (idx == RNL_NIL && for_us && !answer && rnl_route_on_link(n->routes, port, &arp->spa))
		idx = rnl_neigh_make(n, port, &arp->spa);
	if (idx != RNL_NIL)
		rnl_neigh_learn(n, idx, arp->sha, for_us && answer);
}

static bool sender_is_host(const struct rnl_arp *arp)
{
	static const uint8_t zero[6];

	return !rnl_eth_is_group(arp->sha) && memcmp(arp->sha, zero, 6) != 0;
}

void rnl_neigh_arp_input(struct rnl_neigh *n, unsigned int port, const struct rnl_arp *arp)
{
	const bool for_us = rnl_route_local_port(n->routes, &arp->tpa) == (int)port;
	const int owner = rnl_route_local_port(n->routes, &arp->spa);
	const bool request = arp->op == RNL_ARP_REQUEST;

	if (n->ports[port].raw_ip || (!request && arp->op != RNL_ARP_REPLY) ||
	    !sender_is_host(arp)) {
		rnl_core_count(n->core, RNL_C_arp_rx_bad);
		return;
	}
	/* Our own, sent back to us, or from another stack of this port. The address decides, too: both
	 * ends of a tap device bear the same Ethernet address. */
	if (memcmp(arp->sha, n->ports[port].mac, 6) == 0 &&
	    (owner >= 0 || !rnl_route_unicast(&arp->spa)))
		return;
	if (!request)
		rnl_core_count(n->core, RNL_C_arp_rx_reply);
	else if (for_us)
		rnl_core_count(n->core, RNL_C_arp_rx_request);
	if (owner == (int)port) {
		rnl_neigh_conflict(n, port, &arp->spa);
		return;
	}
	/* An address probe (RFC 5227 1.1) has no sender address: answered, not learnt. */
	if (owner < 0 && rnl_route_unicast(&arp->spa))
		learn_sender(n, port, arp, for_us);
	if (request && for_us)
		reply(n, port, arp);
}
