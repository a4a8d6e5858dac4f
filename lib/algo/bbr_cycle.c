/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR's state machine: Startup, Drain, ProbeBW (DOWN, CRUISE, REFILL, UP), ProbeRTT, and what
 * losses and their undoing change in it. Randomness is a hash of what this flow alone knows.
 * Floor 2. draft-ietf-ccwg-bbr 5.3, 5.5.10, 5.5.11.
 */
#include "algo/bbr.h"

#define PROBE_RTT_MS 200u /* BBR.ProbeRTTDuration */
#define FULL_LOSS_COUNT 6 /* BBRStartupFullLossCnt */
#define FULL_BW_COUNT 3   /* rounds without growth */
#define DRAIN_ROUNDS 3    /* until Drain gives up */
#define RENO_ROUNDS 63u   /* 5.3.3.5.2 */
#define UP_ROUNDS_MAX 30  /* the slope doubles so often at most */

static const struct rnl_bbr_rate no_rate = {0, 1};

static void start_round(struct rnl_bbr *b)
{
	b->next_round = b->delivered;
}

/* draft-ietf-ccwg-bbr 5.3.3.5.3, PickProbeWait: 2 to 3 s, and 0 or 1 round already counted. */
static void pick_probe_wait(struct rnl_bbr *b, uint32_t now_ms)
{
	uint64_t h = ((uint64_t)now_ms << 32 | b->delivered) + UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	h ^= h >> 31;
	b->rounds_since_probe_up = h & 1;
	b->wait_ms = 2000 + (uint32_t)((h >> 32) * 1001 >> 32);
}

void rnl_bbr_enter_startup(struct rnl_bbr *b)
{
	b->state = RNL_BBR_STARTUP;
}

static void enter_drain(struct rnl_bbr *b)
{
	b->state = RNL_BBR_DRAIN;
	b->drain_rounds = 0;
}

static void start_down(struct rnl_bbr *b, uint32_t now_ms)
{
	rnl_bbr_reset_signals(b);
	b->up_acked_per_inc = RNL_BBR_NO_LIMIT;
	pick_probe_wait(b, now_ms);
	b->cycle_ms = now_ms;
	b->ack_phase = RNL_BBR_ACKS_PROBE_STOPPING;
	start_round(b);
	b->state = RNL_BBR_DOWN;
}

static void start_refill(struct rnl_bbr *b)
{
	rnl_bbr_reset_shortterm(b);
	b->up_rounds = 0;
	b->up_acked = 0;
	b->prev_probe_precautionary = false;
	b->ack_phase = RNL_BBR_ACKS_REFILLING;
	start_round(b);
	b->state = RNL_BBR_REFILL;
}

/* RaiseInflightLongtermSlope: one segment in the first round, then two, four, ... */
static void raise_slope(struct rnl_cc *cc)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	b->up_acked_per_inc = RTE_MAX(cc->cwnd_bytes >> b->up_rounds, cc->mss);
	b->up_rounds += b->up_rounds < UP_ROUNDS_MAX;
}

static void start_up(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	b->ack_phase = RNL_BBR_ACKS_PROBE_STARTING;
	start_round(b);
	rnl_bbr_reset_full_bw(b, a->rate);
	b->state = RNL_BBR_UP;
	raise_slope(cc);
}

/* ---- Startup and Drain ---- */

/* draft-ietf-ccwg-bbr 5.3.1.2: three rounds without 25 % more. */
static void check_full_bw(struct rnl_bbr *b, const struct rnl_bbr_ack *a)
{
	if (b->full_bw_now || !a->round_start || a->app_limited)
		return;
	if (rnl_bbr_reaches(a->rate, b->full_bw, 5)) {
		rnl_bbr_reset_full_bw(b, a->rate);
		return;
	}
	b->full_bw_now = ++b->full_bw_count >= FULL_BW_COUNT;
	b->full_bw_reached |= b->full_bw_now;
}

void rnl_bbr_startup_lossy(struct rnl_cc *cc)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	b->undo_state = RNL_BBR_STARTUP;
	b->full_bw_reached = b->full_bw_now = true;
	b->inflight_longterm = RTE_MAX(rnl_bbr_bdp(b, rnl_bbr_bw(b), 100), b->inflight_latest);
	enter_drain(b);
}

/* draft-ietf-ccwg-bbr 5.3.1.3. A loss round begins a round trip after the first loss at the
 * soonest. */
static void check_startup_loss(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	bool sack = a->s->sack_ok;

	if (b->state == RNL_BBR_STARTUP && !b->full_bw_reached && b->in_recovery &&
	    ((a->loss_round_start && b->loss_events >= FULL_LOSS_COUNT &&
	      rnl_bbr_is_too_high(a->s->rate_lost_bytes, a->s->rate_inflight_bytes, true)) ||
	     (!sack && b->loss_events > 0)))
		rnl_bbr_startup_lossy(cc);
	if (a->loss_round_start)
		b->loss_events = 0;
}

static void check_startup(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	check_startup_loss(cc, a);
	if (b->state == RNL_BBR_STARTUP && b->full_bw_reached)
		enter_drain(b);
	/* draft-ietf-ccwg-bbr 5.3.2, CheckDrainDone */
	if (b->state == RNL_BBR_DRAIN &&
	    (a->s->pipe_bytes <= rnl_bbr_inflight(cc, rnl_bbr_bw(b), 100) ||
	     b->drain_rounds > DRAIN_ROUNDS))
		start_down(b, a->now_ms);
}

/* ---- ProbeBW: draft-ietf-ccwg-bbr 5.3.3.5.3, 5.3.3.6 ---- */

static void probe_longterm_upward(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	uint32_t delta;

	if (!rnl_bbr_cwnd_limited(b) || cc->cwnd_bytes < b->inflight_longterm)
		return;
	b->up_acked += a->newly_acked;
	if (b->up_acked >= b->up_acked_per_inc) {
		delta = b->up_acked / b->up_acked_per_inc;
		b->up_acked -= delta * b->up_acked_per_inc;
		b->inflight_longterm = (uint32_t)RTE_MIN(
		    b->inflight_longterm + (uint64_t)delta * cc->mss, (uint64_t)RNL_BBR_WINDOW_MAX);
	}
	if (a->round_start)
		raise_slope(cc);
}

/* @return whether a state transition was decided: straight back to REFILL. */
static bool end_of_probe(struct rnl_bbr *b, const struct rnl_bbr_ack *a)
{
	b->is_bw_probe_sample = false;
	b->ack_phase = RNL_BBR_ACKS_INIT;
	if (!rnl_bbr_probes_bw(b))
		return false;
	if (!a->app_limited)
		rnl_bbr_advance_max_bw(b);
	if (!b->prev_probe_precautionary || b->prev_probe_too_high)
		return false;
	start_refill(b);
	return true;
}

/* AdaptLongTermModel. @return whether it decided a state transition. */
static bool adapt_longterm(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (b->ack_phase == RNL_BBR_ACKS_PROBE_STARTING && a->round_start)
		b->ack_phase = RNL_BBR_ACKS_PROBE_FEEDBACK;
	if (b->ack_phase == RNL_BBR_ACKS_PROBE_STOPPING && a->round_start && end_of_probe(b, a))
		return true;
	if (!a->has_data || b->inflight_longterm == RNL_BBR_NO_LIMIT ||
	    rnl_bbr_is_too_high(a->s->rate_lost_bytes, a->s->rate_inflight_bytes, a->s->sack_ok))
		return false;
	b->inflight_longterm = RTE_MAX(b->inflight_longterm, a->s->rate_inflight_bytes);
	if (b->state == RNL_BBR_UP)
		probe_longterm_upward(cc, a);
	return false;
}

static bool is_time_to_probe(const struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	const struct rnl_bbr *b = (const struct rnl_bbr *)(const void *)cc->priv;
	uint64_t rounds = b->rounds_since_probe_up;

	if (a->now_ms - b->cycle_ms > b->wait_ms || rounds >= RENO_ROUNDS)
		return true;
	/* As many rounds as the target has whole segments. */
	return (rounds + 1) * cc->mss > rnl_bbr_target(cc);
}

static bool is_time_to_cruise(const struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	const struct rnl_bbr *b = (const struct rnl_bbr *)(const void *)cc->priv;

	return a->s->pipe_bytes <= rnl_bbr_headroom(cc) &&
	       a->s->pipe_bytes <= rnl_bbr_inflight(cc, b->max_bw, 100);
}

static bool is_time_to_go_down(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (b->prev_probe_too_high && a->s->pipe_bytes >= b->inflight_longterm) {
		b->prev_probe_precautionary = true;
		return true;
	}
	if (rnl_bbr_cwnd_limited(b) && cc->cwnd_bytes >= b->inflight_longterm) {
		rnl_bbr_reset_full_bw(b, a->rate);
		return false;
	}
	return b->full_bw_now;
}

static void probe_bw(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	switch (b->state) {
	case RNL_BBR_DOWN:
	case RNL_BBR_CRUISE:
		if (is_time_to_probe(cc, a))
			start_refill(b);
		else if (b->state == RNL_BBR_DOWN && is_time_to_cruise(cc, a))
			b->state = RNL_BBR_CRUISE;
		break;
	case RNL_BBR_REFILL:
		if (a->round_start) {
			b->is_bw_probe_sample = true;
			start_up(cc, a);
		}
		break;
	case RNL_BBR_UP:
		if (is_time_to_go_down(cc, a)) {
			b->prev_probe_too_high = false;
			start_down(b, a->now_ms);
		}
		break;
	default:
		break;
	}
}

void rnl_bbr_cycle(struct rnl_cc *cc, struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	check_full_bw(b, a);
	check_startup(cc, a);
	if (b->full_bw_reached && !adapt_longterm(cc, a))
		probe_bw(cc, a);
}

/* ---- ProbeRTT: draft-ietf-ccwg-bbr 5.3.4.3, 5.3.4.4 ---- */

void rnl_bbr_resume(struct rnl_cc *cc, uint32_t now_ms)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	rnl_bbr_reset_shortterm(b);
	if (!b->full_bw_reached) {
		rnl_bbr_enter_startup(b);
		return;
	}
	start_down(b, now_ms);
	b->state = RNL_BBR_CRUISE;
}

void rnl_bbr_check_probe_rtt_done(struct rnl_cc *cc, uint32_t now_ms)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (!b->probe_rtt_waits || (int32_t)(now_ms - b->probe_rtt_done_ms) <= 0)
		return;
	b->probe_rtt_min_ms = now_ms;
	rnl_bbr_restore_cwnd(cc);
	rnl_bbr_resume(cc, now_ms);
}

static void enter_probe_rtt(struct rnl_cc *cc)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	b->state = RNL_BBR_PROBE_RTT;
	rnl_bbr_save_cwnd(cc);
	b->probe_rtt_waits = false;
	b->ack_phase = RNL_BBR_ACKS_PROBE_STOPPING;
	start_round(b);
}

static void handle_probe_rtt(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	uint32_t target = RTE_MAX(rnl_bbr_bdp(b, rnl_bbr_bw(b), 50), rnl_bbr_min_pipe(cc));

	/* MarkConnectionAppLimited: low samples say nothing. */
	b->probe_limited = true;
	b->limited_until = b->delivered + a->s->pipe_bytes;
	if (!b->probe_rtt_waits) {
		if (a->s->pipe_bytes > target)
			return;
		b->probe_rtt_waits = true;
		b->probe_rtt_done_ms = a->now_ms + PROBE_RTT_MS;
		b->probe_rtt_round_done = false;
		start_round(b);
		return;
	}
	b->probe_rtt_round_done |= a->round_start;
	if (b->probe_rtt_round_done)
		rnl_bbr_check_probe_rtt_done(cc, a->now_ms);
}

void rnl_bbr_check_probe_rtt(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (b->state != RNL_BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart)
		enter_probe_rtt(cc);
	if (b->state == RNL_BBR_PROBE_RTT)
		handle_probe_rtt(cc, a);
	if (a->has_data && a->delivered > 0)
		b->idle_restart = false;
}

/* ---- losses: draft-ietf-ccwg-bbr 5.5.10.2, 5.5.11, 5.6.4.4 ---- */

void rnl_bbr_save_cwnd(struct rnl_cc *cc)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (!b->in_recovery && b->state != RNL_BBR_PROBE_RTT)
		b->prior_cwnd = cc->cwnd_bytes;
	else
		b->prior_cwnd = RTE_MAX(b->prior_cwnd, cc->cwnd_bytes);
}

void rnl_bbr_restore_cwnd(struct rnl_cc *cc)
{
	cc->cwnd_bytes = RTE_MAX(cc->cwnd_bytes, rnl_bbr_of(cc)->prior_cwnd);
}

/* SaveStateUponLoss once for each loss round, also if the first range that is lost ends UP, which
 * makes the next one the first of its own phase: the state that is undone is that before both. */
void rnl_bbr_note_loss(struct rnl_cc *cc, uint32_t delivered)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (!b->is_loss_in_round)
		b->loss_round = delivered;
	b->is_loss_in_round = true;
	b->loss_events += b->loss_events < UINT8_MAX;
	if (b->loss_events > 1)
		return;
	rnl_bbr_save_cwnd(cc);
	b->undo_state = RNL_BBR_NONE;
	b->undo_bw_shortterm = b->bw_shortterm;
	b->undo_inflight_shortterm = b->inflight_shortterm;
	b->undo_inflight_longterm = b->inflight_longterm;
}

void rnl_bbr_too_high(struct rnl_cc *cc, uint32_t tx_in_flight, bool app_limited, uint64_t now_us)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	uint32_t least = (uint32_t)((uint64_t)rnl_bbr_target(cc) * 7 / 10);

	b->prev_probe_too_high = true;
	b->is_bw_probe_sample = false; /* only react once per bw probe */
	if (!app_limited)
		b->inflight_longterm = RTE_MAX(tx_in_flight, least);
	if (b->state == RNL_BBR_UP) {
		b->undo_state = RNL_BBR_UP;
		start_down(b, (uint32_t)(now_us / 1000));
	}
}

void rnl_bbr_spurious(struct rnl_cc *cc)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	uint8_t before = b->undo_state;

	rnl_bbr_restore_cwnd(cc);
	b->is_loss_in_round = false;
	rnl_bbr_reset_full_bw(b, no_rate);
	b->bw_shortterm = RTE_MAX(b->bw_shortterm, b->undo_bw_shortterm);
	b->inflight_shortterm = RTE_MAX(b->inflight_shortterm, b->undo_inflight_shortterm);
	b->inflight_longterm = RTE_MAX(b->inflight_longterm, b->undo_inflight_longterm);
	b->undo_state = RNL_BBR_NONE;
	if (before == RNL_BBR_STARTUP && b->state != RNL_BBR_STARTUP) {
		b->full_bw_reached = false;
		if (b->state != RNL_BBR_PROBE_RTT)
			rnl_bbr_enter_startup(b);
	} else if (before == RNL_BBR_UP && b->state != RNL_BBR_UP &&
	           b->state != RNL_BBR_PROBE_RTT) {
		start_refill(b);
	}
}
