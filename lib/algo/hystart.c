/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyStart++: see hystart.h. Rounds are counted in acknowledged octets: windowEnd is SND.NXT at the
 * round's begin, kept as its distance from SND.UNA. No division. Refuses: clocks, loss. Floor 2.
 * RFC 9406 4.2, 4.3; RFC 5681 3.1; RFC 3465 2.3.
 */
#include <rte_common.h>

#include "algo/hystart.h"

/* RFC 9406 4.3 */
#define MIN_RTT_THRESH_US 4000u
#define MAX_RTT_THRESH_US 16000u
#define MIN_RTT_DIVISOR_SHIFT 3 /* 8 */
#define N_RTT_SAMPLE 8
#define CSS_GROWTH_SHIFT 2 /* CSS_GROWTH_DIVISOR: 4 */
#define CSS_ROUNDS 5
#define L_UNPACED 8

#define INFINITE UINT32_MAX

void rnl_hystart_begin(struct rnl_hystart *h)
{
	*h = (struct rnl_hystart){
	    .last_min_us = INFINITE,
	    .min_us = INFINITE,
	    .baseline_us = INFINITE,
	    .phase = RNL_HYSTART_SS,
	};
}

/* RFC 9406 4.2: RttThresh. */
static uint32_t rtt_thresh(uint32_t last_us)
{
	uint32_t part = RTE_MIN(last_us >> MIN_RTT_DIVISOR_SHIFT, MAX_RTT_THRESH_US);

	return RTE_MAX(part, MIN_RTT_THRESH_US);
}

/* RFC 9406 4.2: the delay increase that begins CSS, and the decrease that shows it was spurious. */
static void compare(struct rnl_hystart *h)
{
	if (h->samples < N_RTT_SAMPLE)
		return;
	if (h->phase == RNL_HYSTART_CSS) {
		if (h->min_us >= h->baseline_us)
			return;
		h->baseline_us = INFINITE;
		h->phase = RNL_HYSTART_SS;
		return;
	}
	if (h->last_min_us == INFINITE ||
	    h->min_us < (uint64_t)h->last_min_us + rtt_thresh(h->last_min_us))
		return;
	h->baseline_us = h->min_us;
	h->css_rounds = 0;
	h->phase = RNL_HYSTART_CSS;
}

/* RFC 9406 4.2: the round in which CSS began counts. @return whether that was the last of CSS. */
static bool next_round(struct rnl_hystart *h)
{
	h->last_min_us = h->min_us;
	h->min_us = INFINITE;
	h->samples = 0;
	return h->phase == RNL_HYSTART_CSS && ++h->css_rounds >= CSS_ROUNDS;
}

bool rnl_hystart_on_ack(struct rnl_hystart *h, const struct rnl_ack_sample *s)
{
	bool over;

	if (h->phase == RNL_HYSTART_OFF)
		return false;
	if (s->rtt_us != 0) {
		h->min_us = RTE_MIN(h->min_us, s->rtt_us);
		h->samples += h->samples < N_RTT_SAMPLE;
		compare(h);
	}
	if (s->acked_bytes < h->round_left) {
		h->round_left -= s->acked_bytes;
		return false;
	}
	h->round_left = s->inflight_bytes - RTE_MIN(s->acked_bytes, s->inflight_bytes);
	over = next_round(h);
	if (over)
		rnl_hystart_end(h);
	return over;
}

/*
 * L of RFC 9406 4.3 in octets: what one ACK may add. A standard slow start adds SMSS after a
 * timeout (RFC 5681 3.1, RFC 3465 2.3), else two. DEVIATES RFC 5681 3.1: two, not one, as RFC
 * 3465 2.3 allows: receivers acknowledge each second segment at best.
 */
static uint32_t limit(const struct rnl_hystart *h, const struct rnl_cc *cc, bool after_rto)
{
	if (h->phase == RNL_HYSTART_OFF)
		return after_rto ? cc->mss : 2 * cc->mss;
	return cc->pacing_bytes_per_s != 0 ? UINT32_MAX : L_UNPACED * cc->mss;
}

uint32_t rnl_hystart_grow(struct rnl_hystart *h, struct rnl_cc *cc, uint32_t acked, bool after_rto)
{
	uint32_t room = RTE_MIN(cc->ssthresh_bytes, RNL_CC_CWND_MAX);
	uint32_t grow = RTE_MIN(acked, limit(h, cc, after_rto));

	room -= RTE_MIN(room, cc->cwnd_bytes);
	if (h->phase == RNL_HYSTART_CSS)
		grow >>= CSS_GROWTH_SHIFT;
	if (grow < room) {
		cc->cwnd_bytes += grow;
		return 0;
	}
	cc->cwnd_bytes += room;
	rnl_hystart_end(h);
	return grow - room;
}
