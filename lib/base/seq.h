/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wrap-safe comparison of 32-bit sequence numbers, timestamps and ticks (RFC 9293 3.4, RFC 7323 5.2).
 * Floor 0.
 */
#ifndef RNL_BASE_SEQ_H
#define RNL_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/** @return b - a as a signed distance: positive when b is later. */
static inline int32_t rnl_seq_diff(uint32_t b, uint32_t a)
{
	return (int32_t)(b - a);
}

static inline bool rnl_seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool rnl_seq_leq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool rnl_seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static inline bool rnl_seq_geq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

static inline uint32_t rnl_seq_max(uint32_t a, uint32_t b)
{
	return rnl_seq_lt(a, b) ? b : a;
}

static inline uint32_t rnl_seq_min(uint32_t a, uint32_t b)
{
	return rnl_seq_lt(a, b) ? a : b;
}

#endif /* RNL_BASE_SEQ_H */
