/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One's complement sums, in the memory's own byte order (RFC 1071 2 (B): the order does not matter
 * as long as the result is stored as it was summed). Refuses: writing. Floor 1. RFC 1071.
 */
#include "wire/cksum.h"

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>

/* Leaves 17 bits at most, so that callers have room to add to it. */
static inline uint32_t reduce(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return (uint32_t)((sum & UINT16_MAX) + (sum >> 16));
}

uint32_t rnl_cksum_add(const void *p, uint32_t len, uint32_t sum)
{
	const uint8_t *c = p;
	uint64_t low = sum, high = 0;
	uint16_t half;
	uint32_t word;

	for (; len >= 8; len -= 8, c += 8) {
		uint64_t w;

		memcpy(&w, c, sizeof(w));
		low += (uint32_t)w;
		high += w >> 32;
	}
	if (len & 4) {
		memcpy(&word, c, sizeof(word));
		low += word;
		c += 4;
	}
	if (len & 2) {
		memcpy(&half, c, sizeof(half));
		low += half;
		c += 2;
	}
	if (len & 1) {
		half = 0;
		memcpy(&half, c, 1);
		low += half;
	}
	return reduce(low + high);
}

/* A segment that begins at an odd offset of the sum has its octets in the wrong halves of words. */
static uint32_t add_chain(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint32_t sum)
{
	uint64_t total = sum;
	uint32_t done = 0;

	for (; m != NULL && done < len; m = m->next, off = 0) {
		uint32_t n = RTE_MIN(len - done, m->data_len - off);
		const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);
		uint16_t part = rnl_cksum_fold(rnl_cksum_add(p, n, 0));

		total += done & 1 ? rte_bswap16(part) : part;
		done += n;
	}
	return reduce(total);
}

uint32_t rnl_cksum_add_mbuf(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint32_t sum)
{
	while (unlikely(off >= m->data_len && m->next != NULL)) {
		off -= m->data_len;
		m = m->next;
	}
	if (likely(off + len <= m->data_len))
		return rnl_cksum_add(rte_pktmbuf_mtod_offset(m, const uint8_t *, off), len, sum);
	return add_chain(m, off, len, sum);
}
