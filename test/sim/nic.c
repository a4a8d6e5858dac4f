/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device does with a packet. Sending: the checksums and the cutting that the port offers,
 * from the packet's own metadata; a request that the port does not offer is a fault. Receiving:
 * mbuf chains cut anywhere, padding, and any checksum verdict that is true.
 */
#include <string.h>

#include <rte_mbuf.h>

#include "sim.h"

#define TCP_MAX 65536

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len >= 2; p += 2, len -= 2)
		sum += get16(p);
	if (len > 0)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static struct layout layout_of(uint8_t *f, uint32_t len)
{
	uint32_t l2 = len >= 18 && get16(f + 12) == 0x8100 ? 18 : 14;
	struct layout l = {.l3 = f + l2};
	uint32_t type = get16(f + l2 - 2), total;

	if (type == 0x0800 && len >= l2 + 20 && (l.l3[0] & 0xf0) == 0x40) {
		l.ip4 = true;
		l.l3_len = (l.l3[0] & 15u) * 4;
		total = get16(l.l3 + 2);
		if (l.l3[9] == 6 && l.l3_len >= 20 && total >= l.l3_len + 20 && l2 + total <= len) {
			l.l4 = l.l3 + l.l3_len;
			l.l4_len = total - l.l3_len;
		}
	} else if (type == 0x86dd && len >= l2 + 60 && l.l3[6] == 6) {
		l.l3_len = 40;
		l.l4_len = get16(l.l3 + 4);
		if (l.l4_len >= 20 && l2 + 40 + l.l4_len <= len)
			l.l4 = l.l3 + 40;
	}
	return l;
}

struct layout nic_layout(const uint8_t *frame, uint32_t len)
{
	return layout_of((uint8_t *)(uintptr_t)frame, len);
}

static uint32_t tcp_sum(const struct layout *l)
{
	uint32_t sum = l->ip4 ? sum16(l->l3 + 12, 8, 0) : sum16(l->l3 + 8, 32, 0);

	return sum16(l->l4, l->l4_len, sum + 6 + l->l4_len);
}

const char *nic_check_frame(const uint8_t *frame, uint32_t len, uint16_t vlan)
{
	static uint8_t copy[TCP_MAX];
	struct layout l;

	if (len < 14 || len > sizeof(copy))
		return "length";
	if ((get16(frame + 12) == 0x8100) != (vlan != 0))
		return "VLAN tag missing, or there is one";
	if (vlan != 0 && (get16(frame + 14) & 0xfff) != vlan)
		return "another VLAN";
	memcpy(copy, frame, len);
	l = layout_of(copy, len);
	if (l.ip4 && sum16(l.l3, l.l3_len, 0) != 0xffff)
		return "IPv4 header checksum";
	if (l.ip4 && get16(l.l3 + 2) + (uint32_t)(l.l3 - copy) > len)
		return "IPv4 total length";
	if (l.l4 != NULL && tcp_sum(&l) != 0xffff)
		return "TCP checksum";
	if (l.l4 != NULL && (l.l4[12] >> 4) * 4u > l.l4_len)
		return "TCP data offset";
	return NULL;
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static void fill_checksums(uint8_t *f, uint32_t len, uint64_t flags)
{
	struct layout l = layout_of(f, len);

	if ((flags & RTE_MBUF_F_TX_IP_CKSUM) != 0 && l.ip4) {
		put16(l.l3 + 10, 0);
		put16(l.l3 + 10, ~sum16(l.l3, l.l3_len, 0) & 0xffff);
	}
	/* As hardware: the field holds the pseudo header's sum, and the rest is added. */
	if ((flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM && l.l4 != NULL)
		put16(l.l4 + 16, ~sum16(l.l4, l.l4_len, 0) & 0xffff);
}

/* Cuts one large segment as hardware does. */
static void cut(struct node *n, uint8_t *f, uint32_t len, const struct rte_mbuf *m,
                wire_emit_fn emit)
{
	uint32_t hlen = (uint32_t)(m->l2_len + m->l3_len + m->l4_len), off, part;
	static uint8_t out[TCP_MAX];

	hlen += n->w->sc.raw ? 14 : 0;
	for (off = hlen; off < len; off += part) {
		struct layout l;
		bool last;

		part = len - off < m->tso_segsz ? len - off : m->tso_segsz;
		last = off + part == len;
		memcpy(out, f, hlen);
		memcpy(out + hlen, f + off, part);
		l.ip4 = (m->ol_flags & RTE_MBUF_F_TX_IPV4) != 0;
		l.l3 = out + (n->w->sc.raw ? 14 : m->l2_len);
		l.l3_len = (uint32_t)m->l3_len;
		l.l4 = l.l3 + l.l3_len;
		l.l4_len = (uint32_t)m->l4_len + part;
		put16(l.ip4 ? l.l3 + 2 : l.l3 + 4, l.ip4 ? l.l3_len + l.l4_len : l.l4_len);
		uint32_t seq = (get16(l.l4 + 4) << 16 | get16(l.l4 + 6)) + (off - hlen);

		put16(l.l4 + 4, seq >> 16);
		put16(l.l4 + 6, seq & 0xffff);
		if (!last)
			l.l4[13] &= (uint8_t)~0x09u; /* FIN, PSH: on the last only */
		put16(l.l4 + 16, 0);
		put16(l.l4 + 16, ~tcp_sum(&l) & 0xffff);
		fill_checksums(out, hlen + part, m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM);
		emit(n, out, hlen + part, NULL);
	}
}

static const char *request_fault(const struct node *n, const struct rte_mbuf *m)
{
	uint32_t caps = n->w->sc.caps[n->id];
	uint64_t f = m->ol_flags;

	if ((f & RTE_MBUF_F_TX_IP_CKSUM) != 0 && (caps & RNL_CAP_TX_IPV4_CKSUM) == 0)
		return "asks for an IPv4 checksum";
	if ((f & RTE_MBUF_F_TX_L4_MASK) != 0 && (caps & RNL_CAP_TX_TCP_CKSUM) == 0)
		return "asks for a TCP checksum";
	if ((f & RTE_MBUF_F_TX_TCP_SEG) != 0 && (caps & RNL_CAP_TX_TSO) == 0)
		return "asks for TSO";
	if (m->nb_segs > 1 && (caps & RNL_CAP_TX_MULTI_SEGS) == 0)
		return "is a chain";
	if ((f & RTE_MBUF_F_TX_TCP_SEG) != 0 && (m->nb_segs > 16 || m->tso_segsz == 0))
		return "is too long a chain for TSO, or has no segment size";
	if ((f & RTE_MBUF_F_TX_TCP_SEG) == 0 && m->pkt_len > 1518)
		return "is longer than the MTU";
	return rte_mbuf_check(m, 1, &(const char *){NULL}) != 0 ? "is no sane mbuf" : NULL;
}

/* A port of bare IP has its link header made here. @return octets of it in buf, 0: the stack does
 * it. */
static uint32_t link_header(struct node *n, uint8_t *buf)
{
	if (!n->w->sc.raw)
		return 0;
	memcpy(buf + 6, n->mac, 6);
	put16(buf + 12, 0x86dd);
	return 14;
}

bool nic_send(struct node *n, struct rte_mbuf *m, wire_emit_fn emit)
{
	static uint8_t buf[TCP_MAX + 64];
	const char *fault = request_fault(n, m);
	const void *at;
	uint32_t l2;

	if (fault != NULL || m->pkt_len > sizeof(buf)) {
		sim_fail(n->w, "node %u: a packet to send %s, which the port does not offer", n->id,
		         fault == NULL ? "is huge" : fault);
		return false;
	}
	l2 = link_header(n, buf);
	at = rte_pktmbuf_read(m, 0, m->pkt_len, buf + l2);
	if (at != buf + l2)
		memcpy(buf + l2, at, m->pkt_len);
	if (l2 != 0)
		memcpy(buf, (uint8_t[]){2, 0, 0, 0, 0, buf[l2 + 39]}, 6);
	if ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0) {
		cut(n, buf, l2 + m->pkt_len, m, emit);
		return false;
	}
	fill_checksums(buf, l2 + m->pkt_len, m->ol_flags);
	return emit(n, buf, l2 + m->pkt_len, m);
}

/* ---- receiving --------------------------------------------------------------------------------
 */

/* One piece of a received packet in a buffer of its own. */
static struct rte_mbuf *piece(struct node *n, const uint8_t *p, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(node_pkt_pool(n->id));

	if (m == NULL)
		return NULL;
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), p, len);
	return m;
}

static struct rte_mbuf *chain_of(struct node *n, const uint8_t *p, uint32_t len, bool chop)
{
	struct rte_mbuf *head = NULL;

	while (len > 0) {
		uint32_t part = chop ? 1 + sim_below(n->w, len < 400 ? len : 400) : len;
		struct rte_mbuf *m;

		if (head != NULL && head->nb_segs == 8)
			part = len;
		m = piece(n, p, part);
		if (m == NULL || (head != NULL && rte_pktmbuf_chain(head, m) != 0)) {
			rte_pktmbuf_free(m);
			rte_pktmbuf_free(head);
			return NULL;
		}
		head = head == NULL ? m : head;
		p += part;
		len -= part;
	}
	return head;
}

/* A verdict that a device could give: never GOOD or NONE for a damaged frame. */
static uint64_t verdict(struct node *n, uint8_t *f, uint32_t len, bool damaged)
{
	uint32_t k = sim_below(n->w, damaged ? 3 : 8);
	struct layout l;

	if (k == 0)
		return RTE_MBUF_F_RX_L4_CKSUM_BAD; /* devices are wrong at times: it must be
		                                      verified */
	if (k < 3)
		return 0;
	if (k < 6)
		return RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	l = layout_of(f, len);
	if (l.l4 == NULL)
		return 0;
	put16(l.l4 + 16,
	      sim_below(n->w, 65536)); /* NONE: the data is good, the field is not filled */
	return RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

struct rte_mbuf *nic_receive(struct node *n, const struct event *e)
{
	const struct scenario *sc = &n->w->sc;
	uint8_t buf[SIM_FRAME_MAX + 64];
	uint64_t flags = 0;
	struct rte_mbuf *m;
	uint32_t len = e->len, at;

	if (e->m != NULL)
		return e->m;
	if (len > SIM_FRAME_MAX)
		return NULL;
	memcpy(buf, e->frame, len);
	if (sc->verdicts)
		flags = verdict(n, buf, len, e->damaged);
	if (!e->bare && (len < 60 || sim_pct(n->w, sc->pad_pct))) {
		uint32_t to = (len < 60 ? 60 : len) + sim_below(n->w, 8);

		for (; len < to; len++)
			buf[len] = (uint8_t)sim_below(n->w, 256);
	}
	at = sc->raw ? 14 : 0; /* a port of bare IP */
	if (len <= at)
		return NULL;
	m = chain_of(n, buf + at, len - at, sim_pct(n->w, sc->rechain_pct));
	if (m != NULL)
		m->ol_flags = flags;
	return m;
}
