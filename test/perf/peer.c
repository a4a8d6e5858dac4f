/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scripted peer: it writes whole, correct segments and follows what the stack sends closely
 * enough to acknowledge it. Refuses: loss, reordering, thinking.
 */
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "perf.h"

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_ACK 0x10

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};

static void put_be32(uint8_t *p, uint32_t v)
{
	v = rte_cpu_to_be_32(v);
	memcpy(p, &v, sizeof(v));
}

static uint32_t get_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_32(v);
}

/* As Linux writes them. @return octets. */
static unsigned int put_options(const struct perf_world *w, const struct perf_peer *p, bool syn,
                                uint8_t *o)
{
	static const uint8_t syn_start[6] = {2, 4, 1460 >> 8, 1460 & 255, 4, 2};
	static const uint8_t syn_end[4] = {1, 3, 3, PERF_WSCALE};
	static const uint8_t plain[4] = {1, 1, 8, 10};
	unsigned int at = 0;

	if (syn) {
		memcpy(o, syn_start, 6);
		o[6] = 8;
		o[7] = 10;
		at = 8;
	} else {
		memcpy(o, plain, 4);
		at = 4;
	}
	put_be32(o + at, (uint32_t)(w->now_ns / 1000000) + 1000);
	put_be32(o + at + 4, p->tsecr);
	at += 8;
	if (syn) {
		memcpy(o + at, syn_end, 4);
		at += 4;
	}
	return at;
}

static void put_ip(struct rte_ipv4_hdr *ip, uint16_t total)
{
	memset(ip, 0, sizeof(*ip));
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16(total);
	ip->fragment_offset = rte_cpu_to_be_16(0x4000);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_TCP;
	ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 2));
	ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 1));
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static void put_tcp(const struct perf_world *w, const struct perf_peer *p, uint16_t flags,
                    struct rte_tcp_hdr *tcp, unsigned int hlen)
{
	tcp->src_port = rte_cpu_to_be_16((uint16_t)(PERF_PEER_PORT + (p - w->peers)));
	tcp->dst_port = rte_cpu_to_be_16(p->dport);
	tcp->sent_seq = rte_cpu_to_be_32(p->seq);
	tcp->recv_ack = flags & FLAG_ACK ? rte_cpu_to_be_32(p->acked) : 0;
	tcp->data_off = (uint8_t)(hlen / 4 << 4);
	tcp->tcp_flags = (uint8_t)flags;
	tcp->rx_win = rte_cpu_to_be_16(flags & FLAG_SYN ? 65535 : p->wnd);
	tcp->cksum = 0;
	tcp->tcp_urp = 0;
}

void perf_peer_send(struct perf_world *w, struct perf_peer *p, uint16_t flags, uint32_t len)
{
	struct rte_mbuf *m = perf_rx_buf();
	uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
	unsigned int l2 = w->variant->eth ? RTE_ETHER_HDR_LEN : 0;
	struct rte_ipv4_hdr *ip = (void *)(at + l2);
	struct rte_tcp_hdr *tcp = (void *)(ip + 1);
	unsigned int hlen = sizeof(*tcp);

	if (w->variant->eth) {
		memcpy(at, own_mac, 6);
		memcpy(at + 6, peer_mac, 6);
		at[12] = 8;
		at[13] = 0;
	}
	hlen += put_options(w, p, flags & FLAG_SYN, (uint8_t *)(tcp + 1));
	put_ip(ip, (uint16_t)(sizeof(*ip) + hlen + len));
	put_tcp(w, p, flags, tcp, hlen);
	memset((uint8_t *)tcp + hlen, 'r', len);
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	m->data_len = (uint16_t)(l2 + sizeof(*ip) + hlen + len);
	m->pkt_len = m->data_len;
	if (w->variant->verified)
		m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	p->seq += len + !!(flags & FLAG_SYN) + !!(flags & FLAG_FIN);
	if (w->rx_n == PERF_QUEUE)
		perf_die("too many packets in one step");
	w->rx[w->rx_n++] = m;
}

/* The TSval of a segment that has one where we look for it. */
static uint32_t tsval_of(const struct rte_tcp_hdr *tcp)
{
	const uint8_t *o = (const uint8_t *)(tcp + 1);
	const uint8_t *end = (const uint8_t *)tcp + (tcp->data_off >> 4) * 4;

	while (o < end && *o != 8 && *o != 0)
		o += *o == 1 ? 1 : o[1];
	return o < end && *o == 8 ? get_be32(o + 2) : 0;
}

static void take(struct perf_world *w, const struct rte_mbuf *m)
{
	const uint8_t *at = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv4_hdr *ip =
	    (const void *)(at + (w->variant->eth ? RTE_ETHER_HDR_LEN : 0));
	const struct rte_tcp_hdr *tcp = (const void *)(ip + 1);
	unsigned int i, len;
	struct perf_peer *p;

	if (w->variant->eth && (at[12] != 8 || at[13] != 0)) /* ARP */
		return;
	i = (unsigned int)rte_be_to_cpu_16(tcp->dst_port) - PERF_PEER_PORT;
	if (i >= PERF_CONNS || tcp->tcp_flags & RTE_TCP_RST_FLAG)
		perf_die("%s: the stack sent what nobody asked for (port %u, flags %02x)",
		         w->path->name, i + PERF_PEER_PORT, tcp->tcp_flags);
	p = &w->peers[i];
	len = (unsigned int)rte_be_to_cpu_16(ip->total_length) - sizeof(*ip) -
	      (tcp->data_off >> 4) * 4u;
	p->ack = rte_be_to_cpu_32(tcp->sent_seq) + len + !!(tcp->tcp_flags & FLAG_SYN) +
	         !!(tcp->tcp_flags & FLAG_FIN);
	p->tsecr = tsval_of(tcp);
	p->dport = rte_be_to_cpu_16(tcp->src_port);
	if (tcp->tcp_flags & FLAG_SYN)
		p->acked = p->ack;
	w->sent_bytes += len;
}

void perf_peer_take(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->tx_n; i++) {
		take(w, w->tx[i]);
		rte_pktmbuf_free(w->tx[i]);
	}
	w->tx_n = 0;
}

static void each(struct perf_world *w, uint16_t flags)
{
	for (unsigned int i = 0; i < w->n; i++) {
		struct perf_peer *p = perf_nth(w, i);

		p->acked = p->ack;
		perf_peer_send(w, p, flags, 0);
	}
	perf_step_free(w, NULL);
}

void perf_peer_connect(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->n; i++)
		perf_nth(w, i)->dport = PERF_OWN_PORT;
	each(w, FLAG_SYN);
	each(w, FLAG_ACK);
}
