/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash with c compression and d finalisation rounds (Aumasson, Bernstein: "SipHash: a fast
 * short-input PRF", 2012). Owns nothing; the key is the caller's. Floor 0.
 * RFC 6528 3 and RFC 6056 3.3.3 ask for such a keyed function.
 */
#include "base/siphash.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>

static inline uint64_t rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return rte_le_to_cpu_64(w);
}

static __rte_always_inline void rounds(uint64_t v[4], unsigned int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

/* The last word: up to seven octets that are left, and the length modulo 256 on top. */
static inline uint64_t last_word(const uint8_t *p, size_t len)
{
	uint8_t tail[8] = {0};

	memcpy(tail, p, len & 7);
	return load_le64(tail) | (uint64_t)len << 56;
}

static __rte_always_inline uint64_t siphash(const uint8_t key[16], const void *data, size_t len,
                                            unsigned int c, unsigned int d)
{
	const uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
	                 k1 ^ 0x7465646279746573};
	const uint8_t *p = data;
	const uint8_t *end = p + (len & ~(size_t)7);
	uint64_t w;

	for (; p != end; p += 8) {
		w = load_le64(p);
		v[3] ^= w;
		rounds(v, c);
		v[0] ^= w;
	}
	w = last_word(p, len);
	v[3] ^= w;
	rounds(v, c);
	v[0] ^= w;
	v[2] ^= 0xff;
	rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t rnl_siphash24(const uint8_t key[16], const void *data, size_t len)
{
	return siphash(key, data, len, 2, 4);
}

uint64_t rnl_siphash13(const uint8_t key[16], const void *data, size_t len)
{
	return siphash(key, data, len, 1, 3);
}
