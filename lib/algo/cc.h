/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion control as TCP drives it: the modules' shared arithmetic and their list. Floor 2. */
#ifndef RNL_ALGO_CC_H
#define RNL_ALGO_CC_H

#include "runnel.h"

/** Larger than any window (RFC 7323 2.3: 2^30), so that cwnd cannot overflow. */
#define RNL_CC_CWND_MAX (1u << 30)

/** @return IW: min(10 MSS, max(2 MSS, 14600)) octets (RFC 6928 2). */
static inline uint32_t rnl_cc_initial_window(uint32_t mss)
{
	uint32_t floor = 2 * mss > 14600 ? 2 * mss : 14600;

	return 10 * mss < floor ? 10 * mss : floor;
}

/**
 * @return cwnd after recovery: no burst when little is in flight (RFC 6582 3.2 step 3, full
 * acknowledgement, option 1).
 */
static inline uint32_t rnl_cc_recovered_window(const struct rnl_cc *cc,
					       const struct rnl_ack_sample *s)
{
	uint32_t flight = s->inflight_bytes > s->acked_bytes ? s->inflight_bytes - s->acked_bytes : 0;

	flight = (flight > cc->mss ? flight : cc->mss) + cc->mss;
	return cc->ssthresh_bytes < flight ? cc->ssthresh_bytes : flight;
}

#endif /* RNL_ALGO_CC_H */
