/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the way of a received burst, stage by stage: link and network headers, ARP and ICMP on the
 * spot, TCP segments parsed and hashed; then look-up; then TCP. Each stage prefetches for the next.
 * Fragments take the slow way through fragments.c. Floor 4. RFC 1122 2.3, 3.2.1.3, 3.2.2.6; RFC 826; RFC 792.
 */
#include "stack/stack.h"
#include "wire/ip.h"

static void drop(struct rnl_stack *st, struct rte_mbuf *m, enum rnl_counter why)
{
	rnl_core_count(&st->core, why);
	rte_pktmbuf_free(m);
}

/* Not for us: the appliance may want it. */
static void unclaimed(struct rnl_stack *st, unsigned int port, struct rte_mbuf *m,
		      enum rnl_counter why)
{
	if (st->cfg.unclaimed != NULL && st->cfg.unclaimed(st->cfg.unclaimed_ctx, st, port, m)) {
		rnl_core_count(&st->core, RNL_C_rx_unclaimed);
		return;
	}
	drop(st, m, why);
}

static void arp(struct rnl_stack *st, unsigned int port, struct rte_mbuf *m, uint16_t off)
{
	struct rnl_arp a;

	if (rnl_arp_parse(m, off, &a) != RNL_C_ok)
		rnl_core_count(&st->core, RNL_C_arp_rx_bad);
	else
		rnl_neigh_arp_input(&st->neigh, port, &a);
	rte_pktmbuf_free(m);
}

/* @return whether *seg, with its packet m set, is a TCP segment; else the packet was taken. */
static inline bool tcp(struct rnl_stack *st, unsigned int port, const struct rnl_ip *ip,
		       struct rnl_seg *seg)
{
	enum rnl_counter why = rnl_tcphdr_parse(seg->m, ip, seg);

	if (unlikely(why != RNL_C_ok)) {
		drop(st, seg->m, why);
		return false;
	}
	if (unlikely(seg->opt.has & RNL_OPT_BAD))
		rnl_core_count(&st->core, RNL_C_tcp_rx_bad_option);
	seg->port = (uint8_t)port;
	seg->hash = rnl_flow_hash(&st->flow, &seg->key);
	rnl_flow_prefetch(&st->flow, seg->hash);
	return true;
}

/* A fragment. @return whether it completed a TCP segment, which is *seg; the packet was taken. */
static bool fragment(struct rnl_stack *st, unsigned int port, uint16_t off, struct rnl_ip *ip,
		     struct rnl_seg *seg)
{
	enum rnl_counter why;

	if (!rnl_ip6_for_us(&st->ip6, port, &ip->dst)) {
		unclaimed(st, port, seg->m, RNL_C_ip_rx_other_address);
		return false;
	}
	seg->m = rnl_fragments_take(&st->fragments, seg->m, off, ip);
	if (seg->m == NULL)
		return false;
	why = rnl_ip_parse(seg->m, 0, ip);
	if (why == RNL_C_ok)
		why = rnl_fragments_judge(seg->m, ip);
	if (why == RNL_C_ok)
		return tcp(st, port, ip, seg);
	drop(st, seg->m, why);
	return false;
}

/* Network header. @return whether *seg is a TCP segment; else the packet was taken. */
static bool network(struct rnl_stack *st, unsigned int port, struct rte_mbuf *m, uint16_t off,
		    struct rnl_seg *seg)
{
	enum rnl_counter why;
	struct rnl_ip ip;

	why = rnl_ip_parse(m, off, &ip);
	if (why == RNL_C_ok && ip.fragment)
		why = RNL_C_ip_rx_fragment;
	if (unlikely(why != RNL_C_ok)) {
		if (why == RNL_C_ip_rx_fragment)
			return fragment(st, port, off, &ip, seg);
		drop(st, m, why);
		return false;
	}
	if (likely(ip.proto == RNL_IPPROTO_TCP))
		return tcp(st, port, &ip, seg);
	if (!rnl_ip6_for_us(&st->ip6, port, &ip.dst))
		unclaimed(st, port, m, RNL_C_ip_rx_other_address);
	else if (ip.proto == (ip.version == 4 ? RNL_IPPROTO_ICMP : RNL_IPPROTO_ICMPV6))
		rnl_icmp_input(st, port, m, &ip);
	else
		unclaimed(st, port, m, RNL_C_ip_rx_unknown_protocol);
	return false;
}

/* Link header. @return whether *seg is a TCP segment; else the packet was taken. */
static bool link_layer(struct rnl_stack *st, unsigned int port, struct rte_mbuf *m,
		       struct rnl_seg *seg)
{
	const struct rnl_stack_port *p = &st->ports[port];
	enum rnl_counter why;
	struct rnl_eth eth;

	if (p->raw_ip) {
		rnl_pkt_sanitize(m);
		return network(st, port, m, 0, seg);
	}
	why = rnl_eth_parse(m, &eth);
	if (unlikely(why != RNL_C_ok)) {
		drop(st, m, why);
		return false;
	}
	if (unlikely(eth.vlan != p->vlan)) {
		unclaimed(st, port, m, RNL_C_rx_other_vlan);
		return false;
	}
	if (unlikely(memcmp(eth.dst, p->mac, sizeof(p->mac)) != 0 && !rnl_eth_is_group(eth.dst))) {
		unclaimed(st, port, m, RNL_C_rx_other_mac);
		return false;
	}
	switch (eth.type) {
	case RNL_ETHERTYPE_IPV4:
	case RNL_ETHERTYPE_IPV6:
		return network(st, port, m, eth.l3_off, seg);
	case RNL_ETHERTYPE_ARP:
		arp(st, port, m, eth.l3_off);
		return false;
	default:
		unclaimed(st, port, m, RNL_C_rx_unknown_ethertype);
		return false;
	}
}

static void segment(struct rnl_stack *st, struct rnl_seg *seg)
{
	uint32_t ref = rnl_flow_find(&st->flow, &seg->key, seg->hash);

	rnl_core_count(&st->core, RNL_C_tcp_rx_segments);
	if (unlikely(ref == 0)) {
		rnl_passive_miss(st, seg);
	} else if (unlikely(ref & RNL_FLOW_MINI)) {
		rnl_passive_mini(st, ref & ~RNL_FLOW_MINI, seg);
	} else {
		struct rnl_tcb *tcb = rnl_core_tcb(&st->core, ref);
		uint32_t una = tcb->snd_una;

		rnl_tcp_input(&st->core, tcb, seg);
		/* Progress proves that the way to the peer works (RFC 4861 7.3.1). */
		if (tcb->snd_una != una)
			rnl_neigh_confirm(&st->neigh, tcb->nexthop);
	}
}

void rnl_receive_burst(struct rnl_stack *st, unsigned int port, struct rte_mbuf **m, unsigned int n)
{
	unsigned int i, segs = 0;
	uint64_t bytes = 0;

	for (i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	for (i = 0; i < n; i++) {
		bytes += m[i]->pkt_len;
		st->segs[segs].m = m[i];
		segs += link_layer(st, port, m[i], &st->segs[segs]);
	}
	for (i = 0; i < segs; i++)
		rnl_flow_prefetch_entry(&st->flow, st->segs[i].hash);
	for (i = 0; i < segs; i++)
		segment(st, &st->segs[i]);
	rnl_count_n(&st->core.counters, RNL_C_rx_packets, n);
	rnl_count_n(&st->core.counters, RNL_C_rx_bytes, bytes);
}
