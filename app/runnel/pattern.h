/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The octets that engine `source` sends: a function of their offset in the stream, so that a
 * receiver can verify any piece without the rest. Octet at offset o = XOR of the eight octets of o:
 * a counter within each 256, whose phase tells which 256.
 * Floor 6 (app).
 */
#ifndef RNL_PATTERN_H
#define RNL_PATTERN_H

#include <stdint.h>

/** @return the octet at a stream offset. */
static inline uint8_t rnl_pattern_octet(uint64_t offset)
{
	offset ^= offset >> 32;
	offset ^= offset >> 16;
	offset ^= offset >> 8;
	return (uint8_t)offset;
}

/** Writes the octets from `offset` on. Block by block, so that the inner loop vectorises. */
static inline void rnl_pattern_fill(uint64_t offset, uint8_t *dst, uint32_t len)
{
	while (len > 0) {
		const uint8_t low = (uint8_t)offset;
		const uint8_t high = rnl_pattern_octet(offset >> 8 << 8);
		uint32_t n = 256u - low;
		uint32_t i;

		if (n > len)
			n = len;
		for (i = 0; i < n; i++)
			dst[i] = (uint8_t)((uint8_t)(low + i) ^ high);
		dst += n;
		offset += n;
		len -= n;
	}
}

/** @return how many octets from the front match the pattern; len: all do. */
static inline uint32_t rnl_pattern_check(uint64_t offset, const uint8_t *src, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		if (src[i] != rnl_pattern_octet(offset + i))
			break;
	return i;
}

#endif /* RNL_PATTERN_H */
