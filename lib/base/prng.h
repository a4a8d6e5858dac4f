/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Seeded pseudo-random numbers (xoshiro256**) for jitter and choices that need no secrecy. What must
 * not be guessed comes from siphash. Floor 0.
 */
#ifndef RNL_BASE_PRNG_H
#define RNL_BASE_PRNG_H

#include <stdint.h>

struct rnl_prng {
	uint64_t s[4];
};

void rnl_prng_seed(struct rnl_prng *p, uint64_t seed);
/** @return 64 evenly distributed bits. */
uint64_t rnl_prng_next(struct rnl_prng *p);
/** @return an evenly distributed number in [0, n), n > 0, without a division. */
uint32_t rnl_prng_below(struct rnl_prng *p, uint32_t n);

#endif /* RNL_BASE_PRNG_H */
