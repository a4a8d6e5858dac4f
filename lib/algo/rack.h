/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK: a segment is lost when one that was sent later has been delivered and the reordering window has
 * passed. Works on the queue of sent ranges; refuses congestion control, timers (it says when to ask
 * again), and the tail loss probe. Floor 2. RFC 8985 5, 6.
 */
#ifndef RNL_ALGO_RACK_H
#define RNL_ALGO_RACK_H

#include "algo/sentq.h"

/** All zero: nothing delivered yet. Names as in RFC 8985 5.3. */
struct rnl_rack {
	uint64_t xmit_us; /* send time of the segment sent last among those delivered; 0: none */
	uint32_t end_seq; /* its end */
	uint32_t rtt_us;
	uint32_t dsack_round;     /* SND.NXT at the first D-SACK of the round */
	uint8_t reo_wnd_extra;    /* reo_wnd_mult - 1, saturating */
	uint8_t reo_wnd_persist;
	bool dsack_seen;          /* dsack_round holds */
	bool reordering_seen;
};

/** What the reordering window depends on. */
struct rnl_rack_state {
	uint32_t min_rtt_us;
	uint32_t srtt_us;
	bool in_recovery;   /* fast or RTO recovery */
	bool dup_thresh;    /* DupThresh segments are SACKed */
};

/** Steps 2 and 3 of RFC 8985 6.2: takes what one acknowledgement delivered. */
void rnl_rack_delivered(struct rnl_rack *r, const struct rnl_sentq_acked *a, uint64_t now_us);
/** Step 4: one acknowledgement brought a D-SACK, or not; una and nxt are SND.UNA and SND.NXT after it. */
void rnl_rack_dsack(struct rnl_rack *r, bool dsack, uint32_t una, uint32_t nxt);
/** Step 4: a recovery ended. */
void rnl_rack_recovered(struct rnl_rack *r);
/** Step 4: @return the reordering window, us. */
uint32_t rnl_rack_reo_wnd(const struct rnl_rack *r, const struct rnl_rack_state *s);
/**
 * Step 5: marks what is lost by now. Each range is looked at once and one more.
 * @return when to ask again because what is overdue then is lost as well, us; 0: no need.
 */
uint64_t rnl_rack_detect(const struct rnl_rack *r, struct rnl_sentq *q, struct rnl_pool *pool,
			 uint32_t reo_wnd_us, uint64_t now_us);
/** RFC 8985 6.3: the retransmission timer fired: what is older than a round trip is lost. */
void rnl_rack_timeout(const struct rnl_rack *r, struct rnl_sentq *q, struct rnl_pool *pool,
		      uint32_t reo_wnd_us, uint64_t now_us);

#endif /* RNL_ALGO_RACK_H */
