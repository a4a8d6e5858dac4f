/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbour discovery for the neighbour table, as neigh_arp.c is ARP for it: asking, answering,
 * learning. Own addresses that are still being checked are ip6_addr.c's, routers ip6_router.c's.
 * Packets go into the port's transmit queue; of those that find no room or no buffer (counted),
 * solicitations are tried again soon, advertisements are left to the peer to ask for.
 * Floor 4. RFC 4861 7.2, 7.3; RFC 4862 5.4.4.
 */
#include <string.h>

#include "base/pkt.h"
#include "stack/neigh_pvt.h"
#include "wire/ip.h"

/* ---- sending -------------------------------------------------------------------------------- */

static void count_sent(struct rnl_neigh *n, const struct rnl_nd *nd, const struct rnl_addr *from)
{
	enum rnl_counter id = RNL_C_nd_tx_router_solicit;

	if (nd->type == RNL_ND_ADVERT)
		id = RNL_C_nd_tx_advert;
	else if (nd->type == RNL_ND_SOLICIT)
		id = rnl_addr_is_unspecified(from) ? RNL_C_dad_tx_solicit
		                                   : RNL_C_nd_tx_solicit;
	rnl_core_count(n->core, id);
}

struct rte_mbuf *rnl_neigh_alloc(struct rnl_neigh *n, unsigned int port, struct rte_mempool *pool)
{
	struct rte_mbuf *m;

	if (rnl_txq_room(&n->core->ports[port].txq) == 0) {
		rnl_core_count(n->core, RNL_C_txq_full);
		return NULL;
	}
	m = rnl_pkt_alloc(pool);
	if (m == NULL)
		rnl_core_count(n->core, RNL_C_tx_no_mbuf);
	return m;
}

bool rnl_neigh_send_to(struct rnl_neigh *n, unsigned int port, const uint8_t to[6],
                       struct rte_mbuf *m)
{
	const struct rnl_neigh_port *p = &n->ports[port];
	uint8_t hdr[RNL_ETH_MAXLEN];
	const uint16_t l2 = rnl_eth_write(hdr, to, p->mac, p->vlan, RNL_ETHERTYPE_IPV6);
	char *at = rte_pktmbuf_prepend(m, l2);

	if (at == NULL) {
		rnl_core_count(n->core, RNL_C_tx_no_mbuf);
		rte_pktmbuf_free(m);
		return false;
	}
	memcpy(at, hdr, l2);
	m->l2_len = l2;
	rnl_neigh_queue(n, port, m);
	return true;
}

/* To a neighbour whose Ethernet address has to be found first. */
static void send_resolved(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *to,
                          struct rte_mbuf *m)
{
	int idx = rnl_neigh_get(n, port, to);

	if (idx < 0) {
		rte_pktmbuf_free(m);
		return;
	}
	rnl_txq_put(&n->core->ports[port].txq, m, (uint32_t)idx);
	rnl_neigh_put(n, (uint32_t)idx);
}

bool rnl_neigh_nd_send(struct rnl_neigh *n, unsigned int port, const struct rnl_nd_packet *p)
{
	struct rte_mbuf *m = rnl_neigh_alloc(n, port, n->core->hdr_pool);
	uint8_t packet[RNL_ND_MAXLEN], group[6];
	uint16_t len;
	char *at;

	if (m == NULL)
		return false;
	len = rnl_nd_write(packet, p->nd, p->from, p->to);
	/* It stands in the headroom: header buffers may have no more than 64 octets behind that. */
	at = rte_pktmbuf_prepend(m, len);
	if (at == NULL) {
		rnl_core_count(n->core, RNL_C_tx_no_mbuf);
		rte_pktmbuf_free(m);
		return false;
	}
	memcpy(at, packet, len);
	count_sent(n, p->nd, p->from);
	if (p->mac == NULL && !rnl_addr_is_multicast(p->to)) {
		send_resolved(n, port, p->to, m);
		return true;
	}
	rnl_nd_group_mac(p->to, group);
	return rnl_neigh_send_to(n, port, p->mac != NULL ? p->mac : group, m);
}

/* RFC 4861 7.2.2: the address that the packet which asks for this was sent from, if there is one. */
static int ask_from(const struct rnl_neigh *n, const struct rnl_neigh_entry *e,
                    struct rnl_addr *from)
{
	const struct rte_mbuf *m = e->held > 0 ? e->hold[e->hold_first] : NULL;
	const struct rnl_addr *src;

	if (m != NULL && m->data_len >= 40) {
		src = rte_pktmbuf_mtod_offset(m, const struct rnl_addr *, 8);
		if (rnl_route_local_port(n->routes, src) == e->port) {
			*from = *src;
			return 0;
		}
	}
	return rnl_route_source(n->routes, e->port, &e->addr, from);
}

bool rnl_neigh_nd_solicit(struct rnl_neigh *n, const struct rnl_neigh_entry *e)
{
	const bool probe = e->state == RNL_NEIGH_PROBE;
	const struct rnl_addr group = rnl_nd_solicited_node(&e->addr);
	struct rnl_nd nd = {.type = RNL_ND_SOLICIT, .target = e->addr, .has_lladdr = true};
	struct rnl_addr from;

	/* Without an address of our own we cannot be answered; the solicitations time out. */
	if (ask_from(n, e, &from) != 0)
		return true;
	memcpy(nd.lladdr, n->ports[e->port].mac, 6);
	return rnl_neigh_nd_send(n, e->port,
	                         &(struct rnl_nd_packet){.nd = &nd,
	                                                 .from = &from,
	                                                 .to = probe ? &e->addr : &group,
	                                                 .mac = probe ? e->hdr : NULL});
}

bool rnl_neigh_nd_announce(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr)
{
	struct rnl_nd nd = {
	    .type = RNL_ND_ADVERT, .target = *addr, .override = true, .has_lladdr = true};

	/* It went away, or another host has it. */
	if (rnl_route_local_port(n->routes, addr) != (int)port)
		return true;
	memcpy(nd.lladdr, n->ports[port].mac, 6);
	return rnl_neigh_nd_send(
	    n, port, &(struct rnl_nd_packet){.nd = &nd, .from = addr, .to = &rnl_nd_all_nodes});
}

/* ---- receiving ------------------------------------------------------------------------------ */

/* RFC 4861 7.2.4 */
static void answer(struct rnl_neigh *n, unsigned int port, const struct rnl_ip *ip,
                   const struct rnl_nd *solicit)
{
	const bool check = rnl_addr_is_unspecified(&ip->src);
	struct rnl_nd nd = {.type = RNL_ND_ADVERT,
	                    .target = solicit->target,
	                    .solicited = !check,
	                    .override = true,
	                    .has_lladdr = true};

	memcpy(nd.lladdr, n->ports[port].mac, 6);
	rnl_neigh_nd_send(n, port,
	                  &(struct rnl_nd_packet){
	                      .nd = &nd,
	                      .from = &solicit->target,
	                      .to = check ? &rnl_nd_all_nodes : &ip->src,
	                      .mac = solicit->has_lladdr ? solicit->lladdr : NULL});
}

/* RFC 4861 7.2.3 */
static void solicited(struct rnl_neigh *n, unsigned int port, const struct rnl_ip *ip,
                      const struct rnl_nd *nd)
{
	uint32_t idx;

	if (rnl_route_local_port(n->routes, &nd->target) != (int)port)
		return;
	rnl_core_count(n->core, RNL_C_nd_rx_solicit);
	if (rnl_route_is_local(n->routes, &ip->src))
		return; /* our own, sent back to us, or from another stack of this port */
	if (nd->has_lladdr) {
		idx = rnl_neigh_lookup(n, port, &ip->src);
		if (idx == RNL_NIL && rnl_route_on_link(n->routes, port, &ip->src))
			idx = rnl_neigh_make(n, port, &ip->src);
		if (idx != RNL_NIL)
			rnl_neigh_learn(n, idx, nd->lladdr, false);
	}
	answer(n, port, ip, nd);
}

/* RFC 4861 7.2.5 */
static void advertised(struct rnl_neigh *n, unsigned int port, const struct rnl_nd *nd)
{
	const struct rnl_neigh_told told = {.mac = nd->has_lladdr ? nd->lladdr : NULL,
	                                    .solicited = nd->solicited,
	                                    .override = nd->override,
	                                    .router = nd->router};
	uint32_t idx;

	rnl_core_count(n->core, RNL_C_nd_rx_advert);
	if (rnl_route_local_port(n->routes, &nd->target) >= 0) {
		/* RFC 4862 5.4.4 (2): a duplicate that the check has not found. */
		if (!nd->has_lladdr || memcmp(nd->lladdr, n->ports[port].mac, 6) != 0)
			rnl_neigh_conflict(n, port, &nd->target);
		return;
	}
	idx = rnl_neigh_lookup(n, port, &nd->target);
	if (idx != RNL_NIL)
		rnl_neigh_hear(n, idx, &told);
}

void rnl_neigh_nd_input(struct rnl_neigh *n, unsigned int port, const struct rnl_ip *ip,
                        const struct rnl_nd *nd)
{
	if (nd->type == RNL_ND_SOLICIT)
		solicited(n, port, ip, nd);
	else if (nd->type == RNL_ND_ADVERT)
		advertised(n, port, nd);
}

uint32_t rnl_neigh_router(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr,
                          const uint8_t *mac)
{
	uint32_t idx = rnl_neigh_lookup(n, port, addr);

	if (idx == RNL_NIL && mac != NULL)
		idx = rnl_neigh_make(n, port, addr);
	if (idx == RNL_NIL)
		return RNL_NIL;
	rnl_neigh_at(n, idx)->router = true;
	if (mac != NULL)
		rnl_neigh_learn(n, idx, mac, false);
	return idx;
}
