/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR: the events of the ops table, and the three controls: pacing rate, quantum, window. The model
 * of the path is in bbr_model.c, the state machine in bbr_cycle.c. Divides when a sample is a new
 * maximum, and once for a round with losses. Refuses: clocks, randomness from outside, pacing
 * itself. Floor 2. draft-ietf-ccwg-bbr 3.7, 5.2, 5.4, 5.6.
 */
#include "algo/bbr.h"

#define QUANTUM_MAX 65536u
#define NOT_FULL 0u
#define FULL 0x80000000u /* folded: full_bw_reached; below it a stamp in units of 2 ms */

/* draft-ietf-ccwg-bbr 5.6.1: percent. */
static const struct {
	uint16_t pacing, cwnd;
} gains[] = {
    [RNL_BBR_STARTUP] = {277, 200},  [RNL_BBR_DRAIN] = {50, 200},   [RNL_BBR_DOWN] = {90, 200},
    [RNL_BBR_CRUISE] = {100, 200},   [RNL_BBR_REFILL] = {100, 200}, [RNL_BBR_UP] = {125, 225},
    [RNL_BBR_PROBE_RTT] = {100, 50},
};

/* ---- controls ---- */

/* draft-ietf-ccwg-bbr 5.6.2, InitPacingRate: as if the initial window took `us`. Divides. */
static void init_pacing(struct rnl_cc *cc, uint32_t us)
{
	uint64_t window = rnl_bbr_of(cc)->initial_cwnd;

	cc->pacing_bytes_per_s = window * gains[RNL_BBR_STARTUP].pacing * 10000 / us;
}

/* draft-ietf-ccwg-bbr 5.6.2, SetPacingRateWithGain: 1 % below it (BBR.PacingMarginPercent). */
static void set_pacing(struct rnl_cc *cc, uint32_t gain)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	uint64_t rate = rnl_bbr_bw(b) * (gain * 99) / 10000;

	/* From octets per us << RNL_BBR_SHIFT: 10^6 / 2^20 is 15625 / 2^14. */
	rate = rate * 15625 >> (RNL_BBR_SHIFT - 6);
	if (rate != 0 && (b->full_bw_reached || rate > cc->pacing_bytes_per_s))
		cc->pacing_bytes_per_s = rate;
}

/* draft-ietf-ccwg-bbr 5.6.3: a millisecond's. */
static void set_quantum(struct rnl_cc *cc)
{
	uint64_t quantum = RTE_MIN(cc->pacing_bytes_per_s / 1000, (uint64_t)QUANTUM_MAX);

	cc->quantum_bytes = RTE_MAX((uint32_t)quantum, 2 * cc->mss);
}

/* draft-ietf-ccwg-bbr 5.6.4.7, BoundCwndForModel. */
static uint32_t model_cap(const struct rnl_cc *cc)
{
	const struct rnl_bbr *b = (const struct rnl_bbr *)(const void *)cc->priv;
	uint32_t cap = RNL_BBR_NO_LIMIT;

	if (b->state == RNL_BBR_PROBE_RTT || b->state == RNL_BBR_CRUISE)
		cap = rnl_bbr_headroom(cc);
	else if (rnl_bbr_probes_bw(b))
		cap = b->inflight_longterm;
	cap = RTE_MIN(cap, b->inflight_shortterm);
	return RTE_MAX(cap, rnl_bbr_min_pipe(cc));
}

/* draft-ietf-ccwg-bbr 5.6.4.2, UpdateMaxInflight. */
static uint32_t max_inflight(const struct rnl_cc *cc)
{
	const struct rnl_bbr *b = (const struct rnl_bbr *)(const void *)cc->priv;
	uint32_t bdp = rnl_bbr_bdp(b, rnl_bbr_bw(b), gains[b->state].cwnd);

	return rnl_bbr_budget(cc, bdp + RTE_MAX(b->extra_acked[0], b->extra_acked[1]));
}

/* draft-ietf-ccwg-bbr 5.6.4.6, 5.6.4.5. */
static void set_cwnd(struct rnl_cc *cc, uint32_t newly_acked)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	uint32_t most = max_inflight(cc), cwnd = cc->cwnd_bytes, probe;

	if (b->full_bw_reached)
		cwnd = RTE_MIN(cwnd + newly_acked, most);
	else if (cwnd < most || b->delivered < b->initial_cwnd)
		cwnd += newly_acked;
	cwnd = RTE_MAX(cwnd, rnl_bbr_min_pipe(cc));
	if (b->state == RNL_BBR_PROBE_RTT) {
		probe = rnl_bbr_bdp(b, rnl_bbr_bw(b), gains[RNL_BBR_PROBE_RTT].cwnd);
		cwnd = RTE_MIN(cwnd, RTE_MAX(probe, rnl_bbr_min_pipe(cc)));
	}
	cwnd = RTE_MIN(cwnd, RNL_BBR_WINDOW_MAX);
	cc->cwnd_bytes = RTE_MIN(cwnd, model_cap(cc));
}

/* ---- events ---- */

/* draft-ietf-ccwg-bbr 5.2.1, OnInit. */
static void bbr_init(struct rnl_cc *cc, uint32_t mss, uint32_t initial_window, uint64_t now_us)
{
	uint32_t now_ms = (uint32_t)(now_us / 1000);
	struct rnl_bbr *b = rnl_bbr_of(cc);

	*cc =
	    (struct rnl_cc){.cwnd_bytes = initial_window, .ssthresh_bytes = UINT32_MAX, .mss = mss};
	*b = (struct rnl_bbr){
	    .extra_acked_start_us = now_us,
	    .max_bw_filter = {{0, 1}, {0, 1}},
	    .full_bw = {0, 1},
	    .min_rtt_us = RNL_BBR_NO_RTT,
	    .probe_rtt_min_us = RNL_BBR_NO_RTT,
	    .min_rtt_ms = now_ms,
	    .probe_rtt_min_ms = now_ms,
	    .last_sent_ms = now_ms,
	    .inflight_longterm = RNL_BBR_NO_LIMIT,
	    .initial_cwnd = initial_window,
	    .up_acked_per_inc = RNL_BBR_NO_LIMIT,
	    .undo_state = RNL_BBR_NONE,
	};
	rnl_bbr_reset_signals(b);
	rnl_bbr_reset_shortterm(b);
	init_pacing(cc, 1000);
	set_quantum(cc);
	rnl_bbr_enter_startup(b);
}

static bool is_app_limited(struct rnl_bbr *b, const struct rnl_ack_sample *s)
{
	if (b->probe_limited && (int32_t)((uint32_t)s->prior_delivered - b->limited_until) > 0)
		b->probe_limited = false;
	return s->app_limited || b->probe_limited;
}

static struct rnl_bbr_ack gather(struct rnl_bbr *b, const struct rnl_ack_sample *s)
{
	struct rnl_bbr_ack a = {
	    .s = s,
	    .rate = {0, 1},
	    .newly_acked = (uint32_t)s->delivered - b->delivered,
	    .now_ms = (uint32_t)(s->now_us / 1000),
	    .has_data = s->rate_inflight_bytes != 0,
	};

	b->delivered = (uint32_t)s->delivered;
	if (!a.has_data)
		return a;
	a.prior_delivered = (uint32_t)s->prior_delivered;
	a.delivered = b->delivered - a.prior_delivered;
	a.app_limited = is_app_limited(b, s);
	if (s->rate_delivered_bytes != 0)
		a.rate = (struct rnl_bbr_rate){RTE_MIN(s->rate_delivered_bytes, UINT32_MAX >> 1),
		                               RTE_MIN(s->rate_interval_us, (1u << 28) - 1)};
	if (s->rtt_us != 0)
		b->last_sent_ms = (uint32_t)((s->now_us - s->rtt_us) / 1000);
	return a;
}

/* A timeout's recovery is told to end by nothing else. */
static void leave_rto(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (!b->after_rto || a->s->in_recovery || !a->round_start)
		return;
	b->in_recovery = b->after_rto = false;
	rnl_bbr_restore_cwnd(cc);
}

/* draft-ietf-ccwg-bbr 5.2.3, UpdateOnACK. */
static void bbr_on_ack(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	struct rnl_bbr_ack a = gather(b, s);

	if (a.newly_acked == 0)
		return;
	if (!b->seen_rtt && s->srtt_us != 0) {
		b->seen_rtt = true;
		init_pacing(cc, s->srtt_us);
	}
	rnl_bbr_learn(cc, &a);
	leave_rto(cc, &a);
	rnl_bbr_cycle(cc, &a);
	rnl_bbr_learn_rtt(b, &a);
	rnl_bbr_check_probe_rtt(cc, &a);
	rnl_bbr_advance_latest(b, &a);
	set_pacing(cc, gains[b->state].pacing);
	set_quantum(cc);
	set_cwnd(cc, a.newly_acked);
}

/* draft-ietf-ccwg-bbr 5.5.10.2, InflightAtLoss: the part of the range that did fit. Lost is more
 * than 2 %, so 98 of 100 parts of the prefix fill what was not lost before. */
static uint32_t inflight_at_loss(const struct rnl_lost_sample *l)
{
	uint32_t size = l->end - l->seq;
	int64_t inflight = (int64_t)l->inflight_bytes - size;
	int64_t lost = (int64_t)l->lost_bytes - size;
	int64_t prefix = (inflight * 2 - lost * 100) / 98;

	return (uint32_t)RTE_MAX(inflight + RTE_MAX(prefix, (int64_t)0), (int64_t)0);
}

/* draft-ietf-ccwg-bbr 5.5.10.2, HandleLostPacket. */
static void bbr_on_lost(struct rnl_cc *cc, const struct rnl_lost_sample *l)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (b->loss_events == 0 || l->seq != b->lost_end)
		rnl_bbr_note_loss(cc, (uint32_t)l->delivered);
	b->lost_end = l->end;
	b->is_loss_in_round = true;
	if (b->is_bw_probe_sample &&
	    rnl_bbr_is_too_high(l->lost_bytes, l->inflight_bytes, l->sack_ok))
		rnl_bbr_too_high(cc, inflight_at_loss(l), l->app_limited, l->now_us);
}

/* draft-ietf-ccwg-bbr 3.7: marks are congestion as well. */
static void congestion_marked(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	rnl_bbr_note_loss(cc, (uint32_t)s->delivered);
	if (b->state == RNL_BBR_STARTUP && !b->full_bw_reached)
		rnl_bbr_startup_lossy(cc);
	else if (b->is_bw_probe_sample)
		rnl_bbr_too_high(cc, s->pipe_bytes, s->app_limited, s->now_us);
}

/* draft-ietf-ccwg-bbr 5.6.4.4, OnEnterRTO, OnEnterFastRecovery. What is in flight when the timer
 * expires counts as lost here, whatever is marked so: one segment may be sent. */
static void bbr_on_congestion(struct rnl_cc *cc, enum rnl_cc_cause why,
                              const struct rnl_ack_sample *s)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (why == RNL_CC_ECN) {
		congestion_marked(cc, s);
		return;
	}
	rnl_bbr_save_cwnd(cc);
	if (b->loss_events == 0)
		rnl_bbr_note_loss(cc, (uint32_t)s->delivered);
	b->in_recovery = true;
	b->after_rto = why == RNL_CC_RTO;
	if (b->after_rto)
		cc->cwnd_bytes = cc->mss;
}

static void bbr_on_recovered(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	rnl_bbr_of(cc)->in_recovery = rnl_bbr_of(cc)->after_rto = false;
	rnl_bbr_restore_cwnd(cc);
}

static void bbr_on_undo(struct rnl_cc *cc)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	rnl_bbr_spurious(cc);
	b->in_recovery = b->after_rto = false;
	cc->cwnd_bytes = RTE_MIN(cc->cwnd_bytes, model_cap(cc));
}

/*
 * draft-ietf-ccwg-bbr 5.4, HandleRestartFromIdle. The time of now is that of the last send, which
 * was acknowledged, and the pause.
 */
static void bbr_on_restart(struct rnl_cc *cc, uint32_t initial_window, uint64_t idle_us,
                           uint32_t rto_us)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	b->idle_restart = true;
	b->extra_acked_delivered = 0; /* so that the next ACK begins the interval */
	if (rnl_bbr_probes_bw(b))
		set_pacing(cc, 100);
	else if (b->state == RNL_BBR_PROBE_RTT)
		rnl_bbr_check_probe_rtt_done(cc, b->last_sent_ms + (uint32_t)(idle_us / 1000));
}

/* Octets per second in units of 16, so that 500 Gbit/s fit. Without an estimate, one. */
static void bbr_fold(const struct rnl_cc *cc, struct rnl_cc_folded *out)
{
	const struct rnl_bbr *b = (const struct rnl_bbr *)(const void *)cc->priv;
	uint64_t rate = (b->max_bw * 15625 >> (RNL_BBR_SHIFT - 6)) >> 4;
	uint32_t stamp = b->min_rtt_ms >> 1;

	rate = RTE_MIN(RTE_MAX(rate, UINT64_C(1)), (uint64_t)UINT32_MAX);
	*out = (struct rnl_cc_folded){
	    .word = {(uint32_t)rate, b->min_rtt_us,
	             b->full_bw_reached ? b->inflight_longterm : cc->cwnd_bytes,
	             (b->full_bw_reached ? FULL : NOT_FULL) | stamp}};
}

static void bbr_unfold(struct rnl_cc *cc, const struct rnl_cc_folded *in, uint64_t now_us)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	uint32_t mss = cc->mss, now_ms = (uint32_t)(now_us / 1000);
	uint32_t age_ms = ((now_ms >> 1) - in->word[3]) << 1;

	bbr_init(cc, mss, rnl_cc_initial_window(mss), now_us);
	b->min_rtt_us = b->probe_rtt_min_us = in->word[1];
	b->min_rtt_ms = b->probe_rtt_min_ms = now_ms - age_ms;
	if (in->word[0] > 1) {
		/* 16 octets per second, as they are now: a rate in octets per 62,500 us. */
		b->max_bw_filter[1] =
		    (struct rnl_bbr_rate){RTE_MIN(in->word[0], UINT32_MAX >> 1), 62500};
		b->max_bw = rnl_bbr_fixed(b->max_bw_filter[1]);
	}
	b->full_bw_reached = in->word[3] & FULL;
	b->seen_rtt = in->word[1] != RNL_BBR_NO_RTT;
	if (b->full_bw_reached)
		b->inflight_longterm = in->word[2];
	else
		cc->cwnd_bytes =
		    RTE_MIN(RTE_MAX(in->word[2], rnl_bbr_min_pipe(cc)), RNL_BBR_WINDOW_MAX);
	rnl_bbr_resume(cc, now_ms);
	if (b->seen_rtt)
		init_pacing(cc, in->word[1]);
	set_pacing(cc, gains[b->state].pacing);
	set_quantum(cc);
	if (b->full_bw_reached)
		cc->cwnd_bytes = RTE_MIN(max_inflight(cc), model_cap(cc));
}

const struct rnl_cc_ops rnl_cc_bbr = {
    .size = sizeof(struct rnl_cc_ops),
    .priv_size = sizeof(struct rnl_bbr),
    .flags = RNL_CC_OWN_RECOVERY | RNL_CC_EACH_RESTART,
    .name = "bbr",
    .init = bbr_init,
    .on_ack = bbr_on_ack,
    .on_congestion = bbr_on_congestion,
    .on_recovered = bbr_on_recovered,
    .on_undo = bbr_on_undo,
    .on_restart = bbr_on_restart,
    .fold = bbr_fold,
    .unfold = bbr_unfold,
    .on_lost = bbr_on_lost,
};
