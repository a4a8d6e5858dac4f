/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum (RFC 1071 arithmetic) over memory and mbuf chains. Floor 1. */
#ifndef RNL_WIRE_CKSUM_H
#define RNL_WIRE_CKSUM_H

#include <stdint.h>

struct rte_mbuf;

/** @return sum plus the octets at p as big-endian-agnostic 16-bit words, unfolded. */
uint32_t rnl_cksum_add(const void *p, uint32_t len, uint32_t sum);
/** @return sum plus `len` octets of a chain from `off` on, unfolded. off+len is inside the packet. */
uint32_t rnl_cksum_add_mbuf(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint32_t sum);
/** @return the folded one's complement sum, not inverted. */
static inline uint16_t rnl_cksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

#endif /* RNL_WIRE_CKSUM_H */
