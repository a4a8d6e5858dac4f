/* SPDX-License-Identifier: BSD-3-Clause */
/* Round-trip estimation and the retransmission timeout (RFC 6298). Floor 2. */
#ifndef RNL_ALGO_RTT_H
#define RNL_ALGO_RTT_H

#include <stdint.h>

#define RNL_RTO_INITIAL_US 1000000u /* RFC 6298 2.1 */
#define RNL_RTO_SYN_LOST_US 3000000u /* RFC 6298 5.7 */
/* DEVIATES RFC 6298 2.4: the floor is 200 ms, as every current stack has it, not one second. */
#define RNL_RTO_MIN_US 200000u
#define RNL_RTO_MAX_US 60000000u /* RFC 6298 2.5 */

/** All zero: no sample yet. */
struct rnl_rtt {
	uint32_t srtt_us;   /* smoothed round trip, times 8; 0: no sample */
	uint32_t rttvar_us; /* mean deviation, times 4 */
};

#define RNL_MIN_RTT_WINDOW_US 30000000u

/** The shortest round trip of the last one to two windows. All zero: none yet. */
struct rnl_min_rtt {
	uint64_t since_us; /* when the newer window began */
	uint32_t newer_us, older_us; /* 0: none */
};

/** Takes a sample, us, not 0 (RFC 8985 6.2, step 1). */
static inline void rnl_min_rtt_sample(struct rnl_min_rtt *m, uint32_t rtt_us, uint64_t now_us)
{
	if (now_us - m->since_us > RNL_MIN_RTT_WINDOW_US) {
		/* After a silence, what was measured before it is no longer of the last two. */
		m->older_us = now_us - m->since_us > 2 * RNL_MIN_RTT_WINDOW_US ? 0 : m->newer_us;
		m->newer_us = rtt_us;
		m->since_us = now_us;
	} else if (rtt_us < m->newer_us || m->newer_us == 0) {
		m->newer_us = rtt_us;
	}
}

/** @return the minimum, us; 0: none yet. */
static inline uint32_t rnl_min_rtt_us(const struct rnl_min_rtt *m)
{
	return m->older_us != 0 && m->older_us < m->newer_us ? m->older_us : m->newer_us;
}

/** Takes a sample (us; 0 counts as 1). Samples of retransmitted data are the caller's to leave out
 * (Karn, RFC 6298 3). */
void rnl_rtt_sample(struct rnl_rtt *r, uint32_t rtt_us);
/** @return RTO without backoff, within [min_us, RNL_RTO_MAX_US] (RFC 6298 2). */
uint32_t rnl_rtt_rto(const struct rnl_rtt *r, uint32_t min_us);
/** @return rto doubled `backoff` times, at most RNL_RTO_MAX_US (RFC 6298 5.5). */
uint32_t rnl_rtt_backoff(uint32_t rto_us, unsigned int backoff);

#endif /* RNL_ALGO_RTT_H */
