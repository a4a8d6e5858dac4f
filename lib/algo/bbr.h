/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the three files of BBR share: its state, and their functions for each other. Names are those
 * of draft-ietf-ccwg-bbr 2. Integers only: a rate of one sample is a fraction, compared by
 * multiplying; one that is used is fixed point. Times that need no more are milliseconds, wrapping.
 * Floor 2.
 */
#ifndef RNL_ALGO_BBR_H
#define RNL_ALGO_BBR_H

#include <rte_common.h>

#include "algo/cc.h"

#define RNL_BBR_SHIFT 20              /* of fixed-point rates: octets per us << 20 */
#define RNL_BBR_NO_BW UINT64_MAX      /* infinity */
#define RNL_BBR_NO_LIMIT UINT32_MAX   /* infinity */
#define RNL_BBR_NO_RTT UINT32_MAX     /* infinity */
#define RNL_BBR_WINDOW_MAX (1u << 30) /* larger than any window (RFC 7323 2.3) */

enum rnl_bbr_state {
	RNL_BBR_STARTUP,
	RNL_BBR_DRAIN,
	RNL_BBR_DOWN, /* DOWN to UP: ProbeBW */
	RNL_BBR_CRUISE,
	RNL_BBR_REFILL,
	RNL_BBR_UP,
	RNL_BBR_PROBE_RTT,
	RNL_BBR_NONE, /* of undo_state */
};

enum rnl_bbr_acks {
	RNL_BBR_ACKS_INIT,
	RNL_BBR_ACKS_REFILLING,
	RNL_BBR_ACKS_PROBE_STARTING,
	RNL_BBR_ACKS_PROBE_FEEDBACK,
	RNL_BBR_ACKS_PROBE_STOPPING,
};

/** A rate as it was measured: below 2^31 octets in less than 2^28 us, never 0 us. */
struct rnl_bbr_rate {
	uint32_t bytes, us;
};

/** What lies in rnl_cc.priv. */
struct rnl_bbr {
	uint64_t max_bw;         /* of max_bw_filter, fixed point */
	uint64_t bw_shortterm;   /* fixed point */
	uint64_t undo_bw_shortterm;
	uint64_t extra_acked_start_us;
	struct rnl_bbr_rate max_bw_filter[2]; /* of this cycle, of the one before */
	struct rnl_bbr_rate full_bw, bw_latest;
	uint32_t min_rtt_us, probe_rtt_min_us;
	uint32_t min_rtt_ms, probe_rtt_min_ms; /* stamps of the two */
	uint32_t probe_rtt_done_ms;
	uint32_t cycle_ms, wait_ms; /* cycle_stamp, bw_probe_wait */
	uint32_t last_sent_ms;      /* send time of what was acknowledged last */
	uint32_t inflight_longterm, inflight_shortterm, inflight_latest;
	uint32_t undo_inflight_longterm, undo_inflight_shortterm;
	uint32_t prior_cwnd, initial_cwnd;
	uint32_t delivered;     /* of the sample before */
	uint32_t next_round;    /* next_round_delivered */
	uint32_t loss_round;    /* loss_round_delivered */
	uint32_t limited_until; /* while probe_limited: samples up to here are not to be believed */
	uint32_t extra_acked_delivered;
	uint32_t extra_acked[2]; /* of these five rounds, of the five before */
	uint32_t up_acked, up_acked_per_inc;
	uint32_t lost_end; /* where the range ended that was lost last */
	uint16_t rounds_since_probe_up;
	uint8_t up_rounds;    /* bw_probe_up_rounds */
	uint8_t drain_rounds; /* since drain_start_round */
	uint8_t extra_rounds; /* in extra_acked[0] */
	uint8_t loss_events;  /* discontiguous ranges lost in this round */
	uint8_t full_bw_count;
	uint8_t state, ack_phase, undo_state;
	bool idle_restart : 1;
	bool full_bw_reached : 1;
	bool full_bw_now : 1;
	bool is_bw_probe_sample : 1;
	bool is_loss_in_round : 1;
	bool prev_probe_too_high : 1;
	bool prev_probe_precautionary : 1;
	bool probe_rtt_expired : 1;
	bool probe_rtt_waits : 1; /* probe_rtt_done_ms is set */
	bool probe_rtt_round_done : 1;
	bool probe_limited : 1;
	bool seen_rtt : 1;
	bool in_recovery : 1;
	bool after_rto : 1;     /* the recovery began with a timeout */
	bool limited_now : 1;   /* by cwnd, in this round */
	bool limited_before : 1; /* in the round before */
};

_Static_assert(sizeof(struct rnl_bbr) <= sizeof(((struct rnl_cc *)0)->priv), "fits");

/** RS: what one acknowledgement told, and what follows from it at once. */
struct rnl_bbr_ack {
	const struct rnl_ack_sample *s;
	struct rnl_bbr_rate rate; /* delivery_rate; 0 octets: none */
	uint32_t delivered;       /* RS.delivered */
	uint32_t prior_delivered;
	uint32_t newly_acked;
	uint32_t now_ms;
	bool has_data; /* the rest is known: something was delivered that was stamped */
	bool app_limited;
	bool round_start, loss_round_start;
};

static inline struct rnl_bbr *rnl_bbr_of(struct rnl_cc *cc)
{
	return (struct rnl_bbr *)(void *)cc->priv;
}

/** @return whether rate a is at least quarters/4 times b. */
static inline bool rnl_bbr_reaches(struct rnl_bbr_rate a, struct rnl_bbr_rate b, uint32_t quarters)
{
	return (uint64_t)a.bytes * b.us * 4 >= (uint64_t)b.bytes * a.us * quarters;
}

static inline uint64_t rnl_bbr_fixed(struct rnl_bbr_rate r)
{
	return ((uint64_t)r.bytes << RNL_BBR_SHIFT) / r.us;
}

/** BBR.bw (draft-ietf-ccwg-bbr 5.5.10.3, BoundBWForModel). */
static inline uint64_t rnl_bbr_bw(const struct rnl_bbr *b)
{
	return RTE_MIN(b->max_bw, b->bw_shortterm);
}

/** Octets that rate bw brings in `us`, at most RNL_BBR_WINDOW_MAX. */
static inline uint32_t rnl_bbr_volume(uint64_t bw, uint64_t us)
{
	uint64_t v = bw * RTE_MIN(us, UINT64_C(1) << 27) >> RNL_BBR_SHIFT;

	return (uint32_t)RTE_MIN(v, (uint64_t)RNL_BBR_WINDOW_MAX);
}

static inline bool rnl_bbr_probes_bw(const struct rnl_bbr *b)
{
	return b->state >= RNL_BBR_DOWN && b->state <= RNL_BBR_UP;
}

/** C.is_cwnd_limited: at any point in the last round trip. */
static inline bool rnl_bbr_cwnd_limited(const struct rnl_bbr *b)
{
	return b->limited_now || b->limited_before;
}

static inline uint32_t rnl_bbr_min_pipe(const struct rnl_cc *cc)
{
	return 4 * cc->mss;
}

/* ---- bbr_model.c: what is known of the path ---- */

/** max_bw, the round, the short-term bounds, extra_acked (5.5). */
void rnl_bbr_learn(struct rnl_cc *cc, struct rnl_bbr_ack *a);
/** UpdateMinRTT (5.3.4.3). */
void rnl_bbr_learn_rtt(struct rnl_bbr *b, const struct rnl_bbr_ack *a);
/** AdvanceLatestDeliverySignals (5.5.10.3). */
void rnl_bbr_advance_latest(struct rnl_bbr *b, const struct rnl_bbr_ack *a);
/** AdvanceMaxBwFilter (5.5.6). */
void rnl_bbr_advance_max_bw(struct rnl_bbr *b);
/** ResetShortTermModel, ResetCongestionSignals, ResetFullBW. */
void rnl_bbr_reset_shortterm(struct rnl_bbr *b);
void rnl_bbr_reset_signals(struct rnl_bbr *b);
void rnl_bbr_reset_full_bw(struct rnl_bbr *b, struct rnl_bbr_rate base);
/** Inflight(bw, gain) (5.6.4.2); gain in percent. */
uint32_t rnl_bbr_inflight(const struct rnl_cc *cc, uint64_t bw, uint32_t gain);
/** BDPMultiple(bw, gain): without budgets. */
uint32_t rnl_bbr_bdp(const struct rnl_bbr *b, uint64_t bw, uint32_t gain);
/** QuantizationBudget. */
uint32_t rnl_bbr_budget(const struct rnl_cc *cc, uint32_t inflight);
/** TargetInflight (5.3.3.5.3). */
uint32_t rnl_bbr_target(const struct rnl_cc *cc);
/** InflightWithHeadroom (5.3.3.6). */
uint32_t rnl_bbr_headroom(const struct rnl_cc *cc);

/* ---- bbr_cycle.c: the state machine ---- */

/** CheckFullBWReached to UpdateProbeBWCyclePhase, in the order of 5.2.3. */
void rnl_bbr_cycle(struct rnl_cc *cc, struct rnl_bbr_ack *a);
/** CheckProbeRTT (5.3.4.3). */
void rnl_bbr_check_probe_rtt(struct rnl_cc *cc, const struct rnl_bbr_ack *a);
/** CheckProbeRTTDone. */
void rnl_bbr_check_probe_rtt_done(struct rnl_cc *cc, uint32_t now_ms);
void rnl_bbr_enter_startup(struct rnl_bbr *b);
/** ExitProbeRTT: to CRUISE by way of DOWN, or to Startup. */
void rnl_bbr_resume(struct rnl_cc *cc, uint32_t now_ms);
/** NoteLoss (5.5.10.2) of one range: the first in this round saves the state. */
void rnl_bbr_note_loss(struct rnl_cc *cc, uint32_t delivered);
/** HandleInflightTooHigh (5.5.10.2). */
void rnl_bbr_too_high(struct rnl_cc *cc, uint32_t tx_in_flight, bool app_limited, uint64_t now_us);
/** IsInflightTooHigh: lost more than LossThresh, 2 %, or anything without selective ACKs. */
static inline bool rnl_bbr_is_too_high(uint32_t lost, uint32_t tx_in_flight, bool sack)
{
	return (uint64_t)lost * 50 > tx_in_flight || (lost > 0 && !sack);
}
/** Startup found the limit by losses (5.3.1.3). */
void rnl_bbr_startup_lossy(struct rnl_cc *cc);
/** HandleSpuriousLossDetection (5.5.11.2). */
void rnl_bbr_spurious(struct rnl_cc *cc);
/** SaveCwnd, RestoreCwnd (5.6.4.4). */
void rnl_bbr_save_cwnd(struct rnl_cc *cc);
void rnl_bbr_restore_cwnd(struct rnl_cc *cc);

#endif /* RNL_ALGO_BBR_H */
