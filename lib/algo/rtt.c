/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Round-trip estimation and the retransmission timeout, in integers: SRTT is kept times 8 and
 * RTTVAR times 4, so that the gains 1/8 and 1/4 are shifts. Clock granularity G is 1 us. Refuses: a
 * clock, timers, choosing which segments may be sampled. Floor 2. RFC 6298.
 */
#include <rte_common.h>

#include "algo/rtt.h"

/* Above this a sample is a broken clock; below it no sum here passes 32 bits. */
#define SAMPLE_MAX_US (1u << 28)
#define GRANULARITY_US 1u

static uint32_t clamp(uint32_t v, uint32_t low, uint32_t high)
{
	v = RTE_MAX(v, low);
	return RTE_MIN(v, high);
}

void rnl_rtt_sample(struct rnl_rtt *r, uint32_t rtt_us)
{
	uint32_t sample = clamp(rtt_us, 1, SAMPLE_MAX_US);
	uint32_t srtt, err;

	if (r->srtt_us == 0) { /* RFC 6298 2.2 */
		r->srtt_us = sample << 3;
		r->rttvar_us = sample << 1; /* 4 * R/2 */
		return;
	}
	/* RFC 6298 2.3: RTTVAR first, from the old SRTT. */
	srtt = r->srtt_us >> 3;
	err = srtt > sample ? srtt - sample : sample - srtt;
	r->rttvar_us = r->rttvar_us - (r->rttvar_us >> 2) + err;
	r->srtt_us = r->srtt_us - srtt + sample;
}

/* RFC 9293 3.8.1 (MUST-18), RFC 6298 2.1, 2.4, RFC 8961 4. */
uint32_t rnl_rtt_rto(const struct rnl_rtt *r, uint32_t min_us)
{
	uint32_t rto = RNL_RTO_INITIAL_US;

	if (r->srtt_us != 0) /* RFC 6298 2.3: SRTT + max(G, 4 * RTTVAR) */
		rto = (r->srtt_us >> 3) + RTE_MAX(GRANULARITY_US, r->rttvar_us);
	return clamp(rto, min_us, RNL_RTO_MAX_US);
}

/* RFC 9293 3.8.2 (MUST-19), RFC 6298 2.5, 5.5. */
uint32_t rnl_rtt_backoff(uint32_t rto_us, unsigned int backoff)
{
	uint64_t rto = (uint64_t)rto_us << RTE_MIN(backoff, 31u);

	return (uint32_t)RTE_MIN(rto, (uint64_t)RNL_RTO_MAX_US);
}
