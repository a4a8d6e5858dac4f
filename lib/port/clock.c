/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock - rnl_clock_ns(): see clock.h. Floor 5.
 */
#include <rte_cycles.h>

#include "runnel.h"
#include "clock.h"

uint64_t rnl_clock_ns(void)
{
	/*
	 * The one cached value of the library. It is a constant of the machine: whoever computes it
	 * gets the same, so a race between first callers is harmless, and no state is shared.
	 */
	static uint64_t mult;
	struct rnl_clock c = {.mult = __atomic_load_n(&mult, __ATOMIC_RELAXED)};

	if (unlikely(c.mult == 0)) {
		c = rnl_clock_of_hz(rte_get_tsc_hz());
		__atomic_store_n(&mult, c.mult, __ATOMIC_RELAXED);
	}
	return rnl_clock_cycles_ns(&c, rte_rdtsc());
}
