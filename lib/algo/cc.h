/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion control as TCP drives it: the modules' shared arithmetic and their list. Floor 2. */
#ifndef RNL_ALGO_CC_H
#define RNL_ALGO_CC_H

#include "runnel.h"

/** @return IW: min(10 MSS, max(2 MSS, 14600)) octets (RFC 6928 2). */
static inline uint32_t rnl_cc_initial_window(uint32_t mss)
{
	uint32_t floor = 2 * mss > 14600 ? 2 * mss : 14600;

	return 10 * mss < floor ? 10 * mss : floor;
}

/** @return the module of that name, or NULL. */
const struct rnl_cc_ops *rnl_cc_find(const char *name);
/** @return module i, or NULL past the last. */
const struct rnl_cc_ops *rnl_cc_nth(unsigned int i);

#endif /* RNL_ALGO_CC_H */
