/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xoshiro256** (Blackman, Vigna), seeded through SplitMix64 so that any seed, 0 included, gives a
 * good state. Refuses: secrecy, a device's randomness. Floor 0.
 */
#include "base/prng.h"

static inline uint64_t rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

void rnl_prng_seed(struct rnl_prng *p, uint64_t seed)
{
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		p->s[i] = z ^ z >> 31;
	}
}

uint64_t rnl_prng_next(struct rnl_prng *p)
{
	uint64_t *s = p->s;
	uint64_t out = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

/* The upper 32 bits of the 96-bit product: its bias is below n / 2^64, too small to be seen. */
uint32_t rnl_prng_below(struct rnl_prng *p, uint32_t n)
{
	uint64_t x = rnl_prng_next(p);
	uint64_t high = (x >> 32) * n, low = (x & UINT32_MAX) * n;

	return (uint32_t)((high + (low >> 32)) >> 32);
}
