/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyStart++: slow start that ends when the round trip grows, not when packets are lost. What the
 * modules that have a slow start share. Floor 2. RFC 9406 4.2, 4.3.
 */
#ifndef RNL_ALGO_HYSTART_H
#define RNL_ALGO_HYSTART_H

#include "algo/cc.h"

enum rnl_hystart_phase {
	RNL_HYSTART_OFF, /* standard slow start: after a loss, a mark, or a found threshold */
	RNL_HYSTART_SS,  /* slow start, watching the round trip */
	RNL_HYSTART_CSS, /* conservative slow start: it grew; is that so still? */
};

struct rnl_hystart {
	uint32_t round_left;  /* octets up to windowEnd that are not acknowledged yet */
	uint32_t last_min_us; /* lastRoundMinRTT; UINT32_MAX: infinity */
	uint32_t min_us;      /* currentRoundMinRTT; UINT32_MAX: infinity */
	uint32_t baseline_us; /* cssBaselineMinRtt; UINT32_MAX: infinity */
	uint8_t samples;      /* rttSampleCount, up to what is asked for */
	uint8_t css_rounds;
	uint8_t phase; /* enum rnl_hystart_phase */
};

/** The initial slow start begins, or one after a long idle period (RFC 9406 4.3 allows it). */
void rnl_hystart_begin(struct rnl_hystart *h);

/** Loss, a mark, or ssthresh was reached: every later slow start is the standard one. */
static inline void rnl_hystart_end(struct rnl_hystart *h)
{
	h->phase = RNL_HYSTART_OFF;
}

/**
 * Takes the round trip of an ACK that came in slow start.
 * @return whether slow start is over: ssthresh is to be cwnd now.
 */
bool rnl_hystart_on_ack(struct rnl_hystart *h, const struct rnl_ack_sample *s);

/**
 * Slow start: cwnd grows by what the phase allows of `acked` octets, up to ssthresh.
 * `after_rto`: it began with a retransmission timeout.
 * @return acknowledged octets left for congestion avoidance.
 */
uint32_t rnl_hystart_grow(struct rnl_hystart *h, struct rnl_cc *cc, uint32_t acked, bool after_rto);

#endif /* RNL_ALGO_HYSTART_H */
