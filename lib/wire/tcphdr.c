/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP headers: one parser; two writers that share how they end, which is the checksums: made here,
 * or asked of the device (the pseudo header's sum stands in the field then, as rte_mbuf.h wants).
 * Refuses: meaning; link headers. Floor 1. RFC 9293 3.1, RFC 9768 3.1.1 (AE).
 */
#include "wire/tcphdr.h"

#include <string.h>

#include <rte_mbuf.h>

#include "base/pkt.h"
#include "wire/cksum.h"
#include "wire/ip.h"
#include "wire/octets.h"
#include "wire/tcpopt.h"

#define TCP_HLEN_MAX 60
#define CKSUM_OFF 16 /* in the TCP header */
#define TS_OFF 24    /* of TSval behind NOP NOP kind length */
#define FLAGS_MASK 0x1ffu

static inline bool device_verified(const struct rte_mbuf *m)
{
	uint64_t verdict = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	return verdict == RTE_MBUF_F_RX_L4_CKSUM_GOOD || verdict == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

static bool checksum_right(const struct rte_mbuf *m, const struct rnl_ip *ip)
{
	uint32_t sum = rnl_ip_pseudo_sum(&ip->src, &ip->dst, RNL_IPPROTO_TCP, ip->l4_len);

	return rnl_cksum_fold(rnl_cksum_add_mbuf(m, ip->l4_off, ip->l4_len, sum)) == 0xffff;
}

static void take_fields(const uint8_t *h, struct rnl_seg *seg)
{
	seg->key.rport = rnl_get16(h);
	seg->key.lport = rnl_get16(h + 2);
	seg->seq = rnl_get32(h + 4);
	seg->ack = rnl_get32(h + 8);
	seg->flags = rnl_get16(h + 12) & FLAGS_MASK;
	seg->wnd = rnl_get16(h + 14);
	seg->urp = rnl_get16(h + 18);
}

_Static_assert(RNL_OPT_UTO << 8 == RNL_SEG_UTO, "one becomes the other without a branch");

enum rnl_counter rnl_tcphdr_parse(struct rte_mbuf *m, const struct rnl_ip *ip, struct rnl_seg *seg)
{
	uint8_t scratch[TCP_HLEN_MAX];
	const uint8_t *h;
	uint16_t hlen;

	if (unlikely(ip->fragment || ip->l4_len < RNL_TCP_HLEN))
		return RNL_C_tcp_rx_bad_header;
	h = rte_pktmbuf_read(m, ip->l4_off, RNL_TCP_HLEN, scratch);
	if (unlikely(h == NULL))
		return RNL_C_tcp_rx_bad_header;
	hlen = (uint16_t)((h[12] >> 4) * 4);
	if (unlikely(hlen < RNL_TCP_HLEN || hlen > ip->l4_len))
		return RNL_C_tcp_rx_bad_header;
	if (unlikely(!device_verified(m)) && !checksum_right(m, ip))
		return RNL_C_tcp_rx_bad_checksum;
	h = rte_pktmbuf_read(m, ip->l4_off, hlen, scratch);
	if (unlikely(h == NULL))
		return RNL_C_tcp_rx_bad_header;
	take_fields(h, seg);
	rnl_tcpopt_parse(h + RNL_TCP_HLEN, hlen - RNL_TCP_HLEN, &seg->opt);
	seg->flags |= (uint16_t)((seg->opt.has & RNL_OPT_UTO) << 8);
	seg->m = m;
	seg->key.laddr = ip->dst;
	seg->key.raddr = ip->src;
	seg->off = (uint16_t)(ip->l4_off + hlen);
	seg->len = (uint32_t)(ip->l4_len - hlen);
	seg->tos = ip->tos;
	seg->flags |= (uint16_t)((ip->tos & ip->tos >> 1 & 1) * RNL_TH_CE);
	seg->ttl = ip->ttl;
	return RNL_C_ok;
}

/* What is needed to end a header whose fields all stand there but for the two checksums. */
struct ending {
	uint8_t *ip;         /* where the IP header begins, at the packet's start */
	uint32_t pseudo_sum; /* pseudo header, length 0 */
	uint32_t tcp_sum;    /* TCP header and options, checksum field 0 */
	uint32_t ip_sum;     /* IPv4 header, checksum field 0 */
	uint16_t tso_mss;    /* 0: no TSO */
	uint8_t l3_len, l4_len;
};

/* Stores the TCP checksum, or what the device needs in its place. @return the requests for it. */
static inline uint64_t end_tcp(struct rte_mbuf *m, const struct ending *e, uint32_t caps)
{
	uint16_t tcp_len = (uint16_t)(m->pkt_len - e->l3_len);
	uint32_t sum = e->pseudo_sum;
	uint64_t request = 0;
	uint16_t field;

	if (e->tso_mss != 0) {
		request = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM;
		field = rnl_cksum_fold(sum);
	} else if (caps & RNL_CAP_TX_TCP_CKSUM) {
		request = RTE_MBUF_F_TX_TCP_CKSUM;
		field = rnl_cksum_fold(sum + rte_cpu_to_be_16(tcp_len));
	} else {
		uint32_t head = (uint32_t)e->l3_len + e->l4_len;

		sum += e->tcp_sum + rte_cpu_to_be_16(tcp_len);
		field =
		    (uint16_t)~rnl_cksum_fold(rnl_cksum_add_mbuf(m, head, m->pkt_len - head, sum));
	}
	memcpy(e->ip + e->l3_len + CKSUM_OFF, &field, sizeof(field));
	return request;
}

/* Stores both checksums or requests them; m begins with the IP header. */
static inline void end_headers(struct rte_mbuf *m, const struct ending *e, uint32_t caps)
{
	uint64_t request = end_tcp(m, e, caps);
	bool v4 = e->l3_len == 20;
	uint16_t field = 0;

	/* TSO makes a header checksum for each segment, so it comes with that request. */
	if (v4 && (e->tso_mss != 0 || caps & RNL_CAP_TX_IPV4_CKSUM))
		request |= RTE_MBUF_F_TX_IP_CKSUM;
	else
		field = (uint16_t)~rnl_cksum_fold(e->ip_sum);
	if (v4)
		memcpy(e->ip + 10, &field, sizeof(field));
	if (request != 0)
		request |= v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	m->ol_flags = (m->ol_flags & ~RNL_PKT_TX_FLAGS) | request;
	m->tx_offload = rte_mbuf_tx_offload(0, e->l3_len, e->l4_len, e->tso_mss, 0, 0, 0);
}

/* Moves the packet's start forward over headroom that the caller has vouched for. */
static inline uint8_t *push(struct rte_mbuf *m, uint16_t len)
{
	RTE_ASSERT(rnl_pkt_writable(m) && rte_pktmbuf_headroom(m) >= len);
	m->data_off = (uint16_t)(m->data_off - len);
	m->data_len = (uint16_t)(m->data_len + len);
	m->pkt_len += len;
	return rte_pktmbuf_mtod(m, uint8_t *);
}

static void write_tcp(uint8_t *t, const struct rnl_tcphdr_out *h, unsigned int hlen)
{
	rnl_put16(t, h->key.lport);
	rnl_put16(t + 2, h->key.rport);
	rnl_put32(t + 4, h->seq);
	rnl_put32(t + 8, h->ack);
	rnl_put16(t + 12, (uint16_t)(hlen / 4 << 12 | (h->flags & FLAGS_MASK)));
	rnl_put16(t + 14, h->wnd);
	rnl_put16(t + CKSUM_OFF, 0);
	rnl_put16(t + 18, h->urp);
}

void rnl_tcphdr_write(struct rte_mbuf *m, const struct rnl_tcphdr_out *h, uint32_t caps)
{
	uint8_t options[RNL_TCPOPT_MAXLEN];
	unsigned int optlen = rnl_tcpopt_write(options, &h->opt);
	uint16_t hlen = (uint16_t)(RNL_TCP_HLEN + optlen);
	struct rnl_ip_out ip = {.src = &h->key.laddr,
	                        .dst = &h->key.raddr,
	                        .payload_len = (uint16_t)(m->pkt_len + hlen),
	                        .id = h->ip_id,
	                        .proto = RNL_IPPROTO_TCP,
	                        .ttl = h->ttl,
	                        .tos = h->tos};
	struct ending e = {.l3_len = (uint8_t)rnl_ip_hlen(&h->key.raddr), .l4_len = (uint8_t)hlen};

	e.ip = push(m, (uint16_t)(e.l3_len + hlen));
	rnl_ip_write(e.ip, &ip);
	memset(e.ip + 10, 0, e.l3_len == 20 ? 2 : 0);
	write_tcp(e.ip + e.l3_len, h, hlen);
	memcpy(e.ip + e.l3_len + RNL_TCP_HLEN, options, optlen);
	e.pseudo_sum = rnl_ip_pseudo_sum(ip.src, ip.dst, RNL_IPPROTO_TCP, 0);
	e.tcp_sum = rnl_cksum_add(e.ip + e.l3_len, hlen, 0);
	e.ip_sum = rnl_cksum_add(e.ip, 20, 0);
	end_headers(m, &e, caps);
}

void rnl_tmpl_init(struct rnl_tmpl *t, const struct rnl_tuple *key, bool ts, uint8_t ttl,
                   uint8_t tos)
{
	struct rnl_tcphdr_out h = {.key = *key};
	struct rnl_ip_out ip = {.src = &key->laddr,
	                        .dst = &key->raddr,
	                        .proto = RNL_IPPROTO_TCP,
	                        .ttl = ttl,
	                        .tos = tos};
	struct rnl_tcpopt opt = {.has = RNL_OPT_TS};
	uint8_t *hdr, *tcp;

	memset(t, 0, sizeof(*t));
	t->l3_len = (uint8_t)rnl_ip_hlen(&key->raddr);
	t->ts = ts;
	t->len = (uint8_t)(t->l3_len + RNL_TCP_HLEN + (ts ? 12 : 0));
	hdr = t->hdr + RNL_TMPL_MAXLEN - t->len;
	tcp = hdr + t->l3_len;
	rnl_ip_write(hdr, &ip);
	write_tcp(tcp, &h, 0);
	if (ts)
		rnl_tcpopt_write(tcp + RNL_TCP_HLEN, &opt);
	t->pseudo_sum = rnl_cksum_fold(rnl_ip_pseudo_sum(ip.src, ip.dst, RNL_IPPROTO_TCP, 0));
	t->tcp_sum = rnl_cksum_fold(rnl_cksum_add(tcp, (uint32_t)(t->len - t->l3_len), 0));
	if (t->l3_len == 20) {
		memset(hdr + 10, 0, 2);
		t->ip_sum = rnl_cksum_fold(rnl_cksum_add(hdr + 6, 14, 0));
	}
}

/* Stores a number that stands in the checksum's range and adds it. */
static inline uint32_t put32_sum(uint8_t *p, uint32_t v, uint32_t sum)
{
	v = rte_cpu_to_be_32(v);
	memcpy(p, &v, sizeof(v));
	return sum + (v & UINT16_MAX) + (v >> 16);
}

static inline uint32_t tmpl_ip(struct ending *e, const struct rnl_tmpl_fields *f, uint32_t pkt_len,
                               uint8_t tos_ecn)
{
	uint8_t *ip = e->ip;
	uint32_t sum = e->ip_sum;

	if (e->l3_len == 20) {
		ip[1] |= tos_ecn;
		sum = put32_sum(ip, (rnl_get32(ip) & 0xffff0000) | pkt_len, sum);
		rnl_put16(ip + 4, f->ip_id);
		return sum + rte_cpu_to_be_16(f->ip_id);
	}
	ip[0] |= tos_ecn >> 4;
	ip[1] |= (uint8_t)(tos_ecn << 4);
	rnl_put16(ip + 4, (uint16_t)(pkt_len - 40));
	return 0;
}

static inline uint32_t tmpl_tcp(uint8_t *tcp, const struct rnl_tmpl *t,
                                const struct rnl_tmpl_fields *f, uint8_t hlen)
{
	uint32_t control = (uint32_t)(hlen / 4) << 28 | (f->flags & FLAGS_MASK) << 16 | f->wnd;
	uint32_t sum = t->tcp_sum;

	sum = put32_sum(tcp + 4, f->seq, sum);
	sum = put32_sum(tcp + 8, f->ack, sum);
	sum = put32_sum(tcp + 12, control, sum);
	if (t->ts) {
		sum = put32_sum(tcp + TS_OFF, f->tsval, sum);
		sum = put32_sum(tcp + TS_OFF + 4, f->tsecr, sum);
	}
	return sum;
}

void rnl_tmpl_write(const struct rnl_tmpl *t, struct rte_mbuf *m, const struct rnl_tmpl_fields *f,
                    uint8_t tos_ecn, uint32_t caps)
{
	uint32_t payload = m->pkt_len;
	uint8_t options[RNL_TCPOPT_MAXLEN];
	unsigned int optlen = 0;
	struct ending e = {.pseudo_sum = t->pseudo_sum, .ip_sum = t->ip_sum, .l3_len = t->l3_len};
	uint8_t *tcp;

	if (unlikely(f->sack != NULL))
		optlen =
		    rnl_tcpopt_write_room(options, f->sack, RNL_TCPOPT_MAXLEN - (t->ts ? 12 : 0));
	e.ip = push(m, (uint16_t)(t->len + optlen));
	e.l4_len = (uint8_t)(t->len - t->l3_len + optlen);
	if (caps & RNL_CAP_TX_TSO && payload > f->tso_mss)
		e.tso_mss = f->tso_mss;
	memcpy(e.ip + t->len - RNL_TMPL_MAXLEN, t->hdr, RNL_TMPL_MAXLEN);
	tcp = e.ip + t->l3_len;
	e.ip_sum = tmpl_ip(&e, f, m->pkt_len, tos_ecn);
	e.tcp_sum = tmpl_tcp(tcp, t, f, e.l4_len);
	if (unlikely(optlen > 0)) {
		memcpy(e.ip + t->len, options, optlen);
		e.tcp_sum = rnl_cksum_add(options, optlen, e.tcp_sum);
	}
	end_headers(m, &e, caps);
}
