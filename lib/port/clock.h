/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock - TSC cycles to ns by a multiplication and a shift, exact to 1 in 2^31. Refuses TSCs that
 * stop or differ between cores: the EAL has checked for that. Floor 5.
 */
#ifndef RNL_PORT_CLOCK_H
#define RNL_PORT_CLOCK_H

#include <stdint.h>

#include <rte_cycles.h>

/** ns = cycles * mult / 2^32. */
struct rnl_clock {
	uint64_t mult;
};

/** @return the clock of a counter of `hz`, which must not be 0. */
static inline struct rnl_clock rnl_clock_of_hz(uint64_t hz)
{
	/* 10^9 * 2^32 fits 62 bits. */
	return (struct rnl_clock){.mult = ((UINT64_C(1000000000) << 32) + hz / 2) / hz};
}

/** @return cycles as ns. Good for 2^64 ns: the product has 128 bits. */
static inline uint64_t rnl_clock_cycles_ns(const struct rnl_clock *c, uint64_t cycles)
{
	__extension__ typedef unsigned __int128 wide;

	return (uint64_t)(((wide)cycles * c->mult) >> 32);
}

#endif /* RNL_PORT_CLOCK_H */
