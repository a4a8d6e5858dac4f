/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thin mbuf inlines: the ownership rules of packets in one place. A packet handed to a port is
 * immutable until its reference count is 1 again. Floor 0.
 */
#ifndef RNL_BASE_PKT_H
#define RNL_BASE_PKT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

/** Transmit requests that may stand on a packet; cleared on each received one (net_ring passes them). */
#define RNL_PKT_TX_FLAGS                                                                           \
	(RTE_MBUF_F_TX_OFFLOAD_MASK)

/** @return whether nobody else holds the buffer: it may be written. */
static inline bool rnl_pkt_writable(const struct rte_mbuf *m)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1;
}

/** @return true memory held by one segment of a chain, octets. */
static inline uint32_t rnl_pkt_truesize(const struct rte_mbuf *m)
{
	return (uint32_t)sizeof(*m) + m->buf_len;
}

/** @return an empty, unshared packet, or NULL. */
static inline struct rte_mbuf *rnl_pkt_alloc(struct rte_mempool *mp)
{
	return rte_pktmbuf_alloc(mp);
}

/** Copies len octets at off of a chain to dst; off + len is inside the packet. */
static inline void rnl_pkt_copy_out(const struct rte_mbuf *m, uint32_t off, uint32_t len, void *dst)
{
	const void *p = rte_pktmbuf_read(m, off, len, dst);

	if (p != dst)
		memcpy(dst, p, len);
}

/**
 * Takes transmit requests off a received packet: net_ring hands over the sender's very mbuf, and a
 * request that came along would be obeyed again when the buffer is sent on.
 */
static inline void rnl_pkt_sanitize(struct rte_mbuf *m)
{
	m->ol_flags &= ~RNL_PKT_TX_FLAGS;
	m->tx_offload = 0;
}

/** Cuts everything behind the first len octets away; len is inside the packet. No octet is written. */
static inline void rnl_pkt_trim(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *last = m;
	uint32_t keep = len;
	uint16_t segs = 1;

	if (m->pkt_len == len)
		return;
	while (keep > last->data_len && last->next != NULL) {
		keep -= last->data_len;
		last = last->next;
		segs++;
	}
	rte_pktmbuf_free(last->next);
	last->next = NULL;
	last->data_len = (uint16_t)keep;
	m->nb_segs = segs;
	m->pkt_len = len;
}

/**
 * Cuts everything but [off, off + len) away; off + len is inside the packet. len > 0.
 * @return the packet's new head: leading segments are freed.
 */
static inline struct rte_mbuf *rnl_pkt_slice(struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	while (off >= m->data_len && m->next != NULL) {
		struct rte_mbuf *next = m->next;

		off -= m->data_len;
		next->pkt_len = m->pkt_len - m->data_len;
		next->nb_segs = (uint16_t)(m->nb_segs - 1);
		m->next = NULL;
		m->nb_segs = 1;
		rte_pktmbuf_free_seg(m);
		m = next;
	}
	m->data_off = (uint16_t)(m->data_off + off);
	m->data_len = (uint16_t)(m->data_len - off);
	m->pkt_len -= off;
	rnl_pkt_trim(m, len);
	return m;
}

#endif /* RNL_BASE_PKT_H */
