/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP headers of both families. Every length that is used is proved against the packet's; what
 * follows the packet (Ethernet padding, a trailer) is trimmed; IPv4 options and IPv6 extension
 * headers are stepped over, not acted upon (RFC 9293 3.9.2, MUST-50).
 * Refuses: reassembly, forwarding, deciding whether an address is ours.
 * DEVIATES RFC 8200 4.2, 4.4: a packet with an option or a routing header that demands it is
 * dropped, but no ICMPv6 Parameter Problem is sent: this floor sends nothing.
 * DEVIATES RFC 9293 3.9.2.1 (MUST-51, MUST-52, MUST-53, SHLD-24): no source routes are sent or turned
 * round: routers drop them, and who sends one must not choose the way of the answers.
 * Floor 1. RFC 791, RFC 1122 3.2.1, RFC 8200, RFC 4291, RFC 6946.
 */
#include "wire/ip.h"

#include <string.h>

#include <rte_mbuf.h>

#include "base/pkt.h"
#include "wire/cksum.h"
#include "wire/octets.h"

#define V4_HLEN 20
#define V4_HLEN_MAX 60
#define V6_HLEN 40
#define V4_DF 0x4000
#define V4_MF_AND_OFFSET 0x3fff
#define V6_EXT_MAX 8 /* extension headers that are stepped over */

#define ROUTER_ALERT 5

enum v6_next { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };

static inline void map_v4(struct rnl_addr *a, const uint8_t *p)
{
	memset(a->b, 0, 10);
	memset(a->b + 10, 0xff, 2);
	memcpy(a->b + 12, p, 4);
}

/* RFC 1122 3.2.1.3: (a) 0/8, (c) limited broadcast, (g) loopback; 3.2.1.3: never multicast. */
static inline bool v4_source_can_be(const uint8_t *p)
{
	uint32_t a = rnl_get32(p);

	return p[0] != 0 && p[0] != 127 && (p[0] & 0xf0) != 0xe0 && a != UINT32_MAX;
}

/* GOOD and NONE: the device has verified the header. */
static inline bool v4_device_verified(const struct rte_mbuf *m)
{
	uint64_t verdict = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	return verdict == RTE_MBUF_F_RX_IP_CKSUM_GOOD || verdict == RTE_MBUF_F_RX_IP_CKSUM_NONE;
}

/* RFC 1122 3.3.3. */
static enum rnl_counter parse_v4(struct rte_mbuf *m, uint16_t l3_off, struct rnl_ip *out)
{
	uint8_t scratch[V4_HLEN_MAX];
	const uint8_t *h = rte_pktmbuf_read(m, l3_off, V4_HLEN, scratch);
	uint16_t hlen, total;

	if (unlikely(h == NULL))
		return RNL_C_rx_runt;
	hlen = (uint16_t)((h[0] & 0xf) * 4);
	total = rnl_get16(h + 2);
	if (unlikely(hlen < V4_HLEN || total < hlen || total > m->pkt_len - l3_off))
		return RNL_C_ip_rx_bad_header;
	if (unlikely(!v4_device_verified(m)) &&
	    rnl_cksum_fold(rnl_cksum_add_mbuf(m, l3_off, hlen, 0)) != 0xffff)
		return RNL_C_ip_rx_bad_header;
	if (unlikely(!v4_source_can_be(h + 12)))
		return RNL_C_ip_rx_bad_source;
	out->version = 4;
	out->tos = h[1];
	out->fragment = rnl_get16(h + 6) & V4_MF_AND_OFFSET;
	out->frag_header = false;
	out->router_alert = false;
	out->ttl = h[8];
	out->proto = h[9];
	map_v4(&out->src, h + 12);
	map_v4(&out->dst, h + 16);
	out->l4_off = (uint16_t)(l3_off + hlen);
	out->l4_len = (uint16_t)(total - hlen);
	rnl_pkt_trim(m, (uint32_t)l3_off + total);
	return RNL_C_ok;
}

/* Where the walk along the headers of an IPv6 packet stands. */
struct v6_walk {
	const struct rte_mbuf *m;
	uint32_t off, end;
	uint8_t next;
	bool fragment, frag_header, router_alert;
};

/*
 * All options but the two of padding are unknown here; the two upper bits of a type say whether the
 * packet may go on nevertheless (RFC 8200 4.2).
 */
static bool v6_options_pass(struct v6_walk *w, uint32_t off, uint32_t end)
{
	uint8_t scratch[2];

	while (off < end) {
		const uint8_t *o = rte_pktmbuf_read(w->m, off, 1, scratch);

		if (o != NULL && o[0] == 0) { /* Pad1 */
			off++;
			continue;
		}
		o = off + 2 <= end ? rte_pktmbuf_read(w->m, off, 2, scratch) : NULL;
		if (o == NULL || o[0] >> 6 != 0)
			return false;
		w->router_alert |= o[0] == ROUTER_ALERT && o[1] == 2;
		off += 2u + o[1];
	}
	return off == end;
}

/* Steps over one extension header. @return false when the packet must be dropped. RFC 6946 4. */
static bool v6_step(struct v6_walk *w, bool first)
{
	uint8_t scratch[8];
	const uint8_t *h = w->off + 8 <= w->end ? rte_pktmbuf_read(w->m, w->off, 8, scratch) : NULL;
	uint32_t len;

	if (h == NULL)
		return false;
	len = w->next == FRAGMENT ? 8 : 8u * h[1] + 8;
	if (w->off + len > w->end)
		return false;
	if (w->next == ROUTING && h[3] != 0) /* segments left: we are not its end */
		return false;
	if (w->next == HOP_BY_HOP && !first)
		return false;
	if (w->next == FRAGMENT) {
		w->fragment = (rnl_get16(h + 2) & 0xfff9) != 0; /* RFC 6946: else atomic */
		w->frag_header = true;
	} else if (w->next != ROUTING && !v6_options_pass(w, w->off + 2, w->off + len)) {
		return false;
	}
	w->next = h[0];
	w->off += len;
	return true;
}

static enum rnl_counter parse_v6(struct rte_mbuf *m, uint16_t l3_off, struct rnl_ip *out)
{
	uint8_t scratch[V6_HLEN];
	const uint8_t *h = rte_pktmbuf_read(m, l3_off, V6_HLEN, scratch);
	struct v6_walk w = {.m = m, .off = (uint32_t)l3_off + V6_HLEN};

	if (unlikely(h == NULL))
		return RNL_C_rx_runt;
	w.next = h[6];
	w.end = w.off + rnl_get16(h + 4);
	if (unlikely(w.end > m->pkt_len))
		return RNL_C_ip_rx_bad_header;
	memcpy(out->src.b, h + 8, 16);
	memcpy(out->dst.b, h + 24, 16);
	out->version = 6;
	out->tos = (uint8_t)(rnl_get16(h) >> 4);
	out->ttl = h[7];
	if (unlikely(rnl_addr_is_v4(&out->src) || rnl_addr_is_multicast(&out->src) ||
	             rnl_addr_is_loopback(&out->src)))
		return RNL_C_ip_rx_bad_source;
	if (unlikely(rnl_addr_is_v4(&out->dst)))
		return RNL_C_ip_rx_other_address;
	for (unsigned int n = 0; unlikely(rnl_ip_is_extension(w.next)) && !w.fragment; n++)
		if (n == V6_EXT_MAX || !v6_step(&w, n == 0))
			return RNL_C_ip_rx_bad_header;
	out->proto = w.next;
	out->fragment = w.fragment;
	out->frag_header = w.frag_header;
	out->router_alert = w.router_alert;
	out->l4_off = (uint16_t)w.off;
	out->l4_len = (uint16_t)(w.end - w.off);
	rnl_pkt_trim(m, w.end);
	return RNL_C_ok;
}

enum rnl_counter rnl_ip_parse(struct rte_mbuf *m, uint16_t l3_off, struct rnl_ip *out)
{
	uint8_t scratch[1];
	const uint8_t *first = rte_pktmbuf_read(m, l3_off, 1, scratch);

	if (unlikely(first == NULL))
		return RNL_C_rx_runt;
	if (likely(first[0] >> 4 == 4))
		return parse_v4(m, l3_off, out);
	if (likely(first[0] >> 4 == 6))
		return parse_v6(m, l3_off, out);
	return RNL_C_ip_rx_bad_header;
}

static uint16_t write_v4(uint8_t *dst, const struct rnl_ip_out *ip)
{
	uint16_t sum;

	dst[0] = 4 << 4 | V4_HLEN / 4;
	dst[1] = ip->tos;
	rnl_put16(dst + 2, (uint16_t)(V4_HLEN + ip->payload_len));
	rnl_put16(dst + 4, ip->id);
	rnl_put16(dst + 6, V4_DF);
	dst[8] = ip->ttl;
	dst[9] = ip->proto;
	memset(dst + 10, 0, 2);
	memcpy(dst + 12, ip->src->b + 12, 4);
	memcpy(dst + 16, ip->dst->b + 12, 4);
	sum = (uint16_t)~rnl_cksum_fold(rnl_cksum_add(dst, V4_HLEN, 0));
	memcpy(dst + 10, &sum, sizeof(sum));
	return V4_HLEN;
}

uint16_t rnl_ip_write(uint8_t *dst, const struct rnl_ip_out *ip)
{
	if (rnl_addr_is_v4(ip->dst))
		return write_v4(dst, ip);
	rnl_put32(dst, 6u << 28 | (uint32_t)ip->tos << 20);
	rnl_put16(dst + 4, ip->payload_len);
	dst[6] = ip->proto;
	dst[7] = ip->ttl;
	memcpy(dst + 8, ip->src->b, 16);
	memcpy(dst + 24, ip->dst->b, 16);
	return V6_HLEN;
}

uint32_t rnl_ip_pseudo_sum(const struct rnl_addr *src, const struct rnl_addr *dst, uint8_t proto,
                           uint32_t len)
{
	uint32_t skip = rnl_addr_is_v4(dst) ? 12 : 0;
	uint8_t rest[8] = {[7] = proto};

	rnl_put32(rest, len);
	return rnl_cksum_add(
	    src->b + skip, 16 - skip,
	    rnl_cksum_add(dst->b + skip, 16 - skip, rnl_cksum_add(rest, sizeof(rest), 0)));
}
