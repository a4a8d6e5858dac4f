/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP messages for this stack, of both families: echo requests are answered, neighbour discovery and
 * MLD go to ip6.h, errors to path.c.
 * Refuses: sending errors.
 * DEVIATES RFC 4443 2.4 (f), RFC 8200 4: what cannot be parsed is dropped and counted; no Parameter
 * Problem is sent for it.
 * Floor 4. RFC 792, RFC 1122 3.2.2.6, RFC 4443 2.4, 4.
 */
#include "stack/stack.h"
#include "wire/icmp.h"
#include "wire/ip.h"

static void drop(struct rnl_stack *st, struct rte_mbuf *m, enum rnl_counter why)
{
	rnl_core_count(&st->core, why);
	rte_pktmbuf_free(m);
}

/* Sends an L3 packet back to who sent one on `port`; takes it. */
static void send_back(struct rnl_stack *st, unsigned int port, const struct rnl_addr *dst,
		      struct rte_mbuf *m)
{
	struct rnl_addr next;
	int hop;

	if (rnl_route_back(&st->routes, port, dst, &port, &next) < 0) {
		drop(st, m, RNL_C_tx_no_route);
		return;
	}
	hop = rnl_neigh_get(&st->neigh, port, &next);
	if (hop < 0 || rnl_txq_room(&st->core.ports[port].txq) == 0)
		drop(st, m, hop < 0 ? RNL_C_tx_no_route : RNL_C_txq_full);
	else
		rnl_txq_put(&st->core.ports[port].txq, m, (uint32_t)hop);
	if (hop > 0)
		rnl_neigh_put(&st->neigh, (uint32_t)hop);
}

/* RFC 4443 4.2: the answer to what was sent to a group comes from an address of the port. */
static int answer_from(const struct rnl_stack *st, unsigned int port, struct rnl_ip *ip)
{
	if (rnl_addr_is_unspecified(&ip->src))
		return -1;
	if (!rnl_addr_is_multicast(&ip->dst))
		return 0;
	return rnl_route_source(&st->routes, port, &ip->src, &ip->dst);
}

/* RFC 1122 3.2.2.6, RFC 4443 4.2: an echo request is answered from the address that it was sent to. */
static void echo(struct rnl_stack *st, unsigned int port, struct rte_mbuf *m,
		 const struct rnl_ip *request, const struct rnl_icmp *msg)
{
	const uint8_t told = request->version == 6 ? st->core.ports[port].hop_limit : 0;
	struct rnl_ip ip = *request;
	struct rte_mbuf *reply;

	rnl_core_count(&st->core, RNL_C_icmp_rx_echo);
	if (answer_from(st, port, &ip) < 0) {
		drop(st, m, RNL_C_tx_no_route);
		return;
	}
	reply = rnl_pkt_alloc(st->core.pkt_pool);
	if (reply == NULL) {
		drop(st, m, RNL_C_tx_no_mbuf);
		return;
	}
	if (rnl_icmp_echo_reply(reply, m, &ip, msg, told != 0 ? told : 64) == 0) {
		rnl_core_count(&st->core, RNL_C_icmp_tx_echo_reply);
		send_back(st, port, &ip.src, reply);
	} else {
		rte_pktmbuf_free(reply);
	}
	rte_pktmbuf_free(m);
}

/* RFC 4861: on ports that have neighbours. */
static void discovery(struct rnl_stack *st, unsigned int port, const struct rte_mbuf *m,
		      const struct rnl_ip *ip, const struct rnl_icmp *msg)
{
	struct rnl_nd nd;
	enum rnl_counter why = RNL_C_icmp_rx_other;

	if (st->ip6.ports[port].used)
		why = rnl_nd_parse(m, ip, msg, &nd);
	if (why == RNL_C_ok)
		rnl_ip6_nd_input(&st->ip6, port, ip, &nd);
	else
		rnl_core_count(&st->core, why);
}

static void icmp6(struct rnl_stack *st, unsigned int port, struct rte_mbuf *m,
		  const struct rnl_ip *ip, const struct rnl_icmp *msg)
{
	switch (msg->type) {
	case RNL_ND_SOLICIT:
	case RNL_ND_ADVERT:
	case RNL_ND_ROUTER_ADVERT:
		discovery(st, port, m, ip, msg);
		break;
	case RNL_ICMP6_MLD_QUERY:
		rnl_ip6_mld_query(&st->ip6, port, ip, m, msg);
		break;
	default:
		rnl_core_count(&st->core, RNL_C_icmp_rx_other);
		break;
	}
	rte_pktmbuf_free(m);
}

void rnl_icmp_input(struct rnl_stack *st, unsigned int port, struct rte_mbuf *m,
		    const struct rnl_ip *ip)
{
	struct rnl_icmp msg;

	if (rnl_icmp_parse(m, ip, &msg) != RNL_C_ok)
		drop(st, m, RNL_C_icmp_rx_bad);
	else if (rnl_path_icmp(st, m, ip, &msg))
		rte_pktmbuf_free(m);
	else if (msg.echo_request)
		echo(st, port, m, ip, &msg);
	else if (ip->version == 6)
		icmp6(st, port, m, ip, &msg);
	else
		drop(st, m, RNL_C_icmp_rx_other);
}
