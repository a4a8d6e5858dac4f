/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers in network order at any alignment. Floor 1. */
#ifndef RNL_WIRE_OCTETS_H
#define RNL_WIRE_OCTETS_H

#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

static inline uint16_t rnl_get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_16(v);
}

static inline uint32_t rnl_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_32(v);
}

static inline void rnl_put16(uint8_t *p, uint16_t v)
{
	v = rte_cpu_to_be_16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void rnl_put32(uint8_t *p, uint32_t v)
{
	v = rte_cpu_to_be_32(v);
	memcpy(p, &v, sizeof(v));
}

#endif /* RNL_WIRE_OCTETS_H */
