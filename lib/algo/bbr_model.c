/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR's model of the path: maximum bandwidth, minimum round trip, aggregation, and the short-term
 * bounds after losses. Refuses: deciding what to do next (bbr_cycle.c). Floor 2.
 * draft-ietf-ccwg-bbr 5.5, 5.6.4.2.
 */
#include "algo/bbr.h"

#define BETA 7 / 10                 /* BBR.Beta */
#define EXTRA_ROUNDS 5u             /* two of these windows make ExtraAckedFilterLen, 10 */
#define PROBE_RTT_INTERVAL_MS 5000u /* BBR.ProbeRTTInterval */
#define MIN_RTT_FILTER_MS 10000u    /* BBR.MinRTTFilterLen */

static const struct rnl_bbr_rate no_rate = {0, 1};

/* Not before, on a circle of 2^32. */
static bool reached(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

static struct rnl_bbr_rate faster(struct rnl_bbr_rate a, struct rnl_bbr_rate b)
{
	return rnl_bbr_reaches(a, b, 4) ? a : b;
}

/* draft-ietf-ccwg-bbr 5.5.1, UpdateRound; and C.is_cwnd_limited, which lasts for a round. */
static void update_round(struct rnl_bbr *b, struct rnl_bbr_ack *a)
{
	a->round_start = a->has_data && reached(a->prior_delivered, b->next_round);
	if (a->round_start) {
		b->next_round = b->delivered;
		b->rounds_since_probe_up += b->rounds_since_probe_up < UINT16_MAX;
		b->drain_rounds += b->drain_rounds < UINT8_MAX;
		b->limited_before = b->limited_now;
		b->limited_now = false;
	}
	b->limited_now |= a->s->cwnd_limited;
}

/* draft-ietf-ccwg-bbr 5.5.5, UpdateMaxBw. Divides when there is a new maximum. */
static void update_max_bw(struct rnl_bbr *b, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr_rate *now = &b->max_bw_filter[0];
	struct rnl_bbr_rate max = faster(now[0], now[1]);

	if (a->rate.bytes == 0 || (a->app_limited && !rnl_bbr_reaches(a->rate, max, 4)))
		return;
	*now = faster(a->rate, *now);
	if (rnl_bbr_reaches(a->rate, max, 4))
		b->max_bw = rnl_bbr_fixed(a->rate);
}

/* draft-ietf-ccwg-bbr 5.5.6. A cycle without a sample does not make the one before forgotten. */
void rnl_bbr_advance_max_bw(struct rnl_bbr *b)
{
	if (b->max_bw_filter[0].bytes == 0)
		return;
	b->max_bw_filter[1] = b->max_bw_filter[0];
	b->max_bw_filter[0] = no_rate;
	b->max_bw = rnl_bbr_fixed(b->max_bw_filter[1]);
}

/* draft-ietf-ccwg-bbr 5.5.10.3, UpdateLatestDeliverySignals. */
static void update_latest(struct rnl_bbr *b, struct rnl_bbr_ack *a)
{
	a->loss_round_start = false;
	if (!a->has_data)
		return;
	b->bw_latest = faster(a->rate, b->bw_latest);
	b->inflight_latest = RTE_MAX(b->inflight_latest, a->delivered);
	if (reached(a->prior_delivered, b->loss_round)) {
		b->loss_round = b->delivered;
		a->loss_round_start = true;
	}
}

void rnl_bbr_advance_latest(struct rnl_bbr *b, const struct rnl_bbr_ack *a)
{
	if (!a->loss_round_start)
		return;
	b->bw_latest = a->rate;
	b->inflight_latest = a->delivered;
}

/* draft-ietf-ccwg-bbr 5.5.10.3: once for each round with a loss, while not probing. */
static void adapt_lower_bounds(struct rnl_cc *cc)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	if (b->state == RNL_BBR_STARTUP || b->state == RNL_BBR_REFILL || b->state == RNL_BBR_UP ||
	    !b->is_loss_in_round)
		return;
	if (b->bw_shortterm == RNL_BBR_NO_BW)
		b->bw_shortterm = b->max_bw;
	if (b->inflight_shortterm == RNL_BBR_NO_LIMIT)
		b->inflight_shortterm = cc->cwnd_bytes;
	b->bw_shortterm = RTE_MAX(rnl_bbr_fixed(b->bw_latest), b->bw_shortterm * BETA);
	b->inflight_shortterm =
	    RTE_MAX(b->inflight_latest, (uint32_t)((uint64_t)b->inflight_shortterm * BETA));
}

/* draft-ietf-ccwg-bbr 5.5.9. The windowed maximum is that of two windows of five rounds, in Startup
 * of one. */
static void update_extra_acked(struct rnl_cc *cc, const struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);
	uint32_t expected, extra;

	if (a->round_start && ++b->extra_rounds >= (b->full_bw_reached ? EXTRA_ROUNDS : 1)) {
		b->extra_rounds = 0;
		b->extra_acked[1] = b->extra_acked[0];
		b->extra_acked[0] = 0;
	}
	expected = rnl_bbr_volume(rnl_bbr_bw(b), a->s->now_us - b->extra_acked_start_us);
	if (b->extra_acked_delivered <= expected) {
		b->extra_acked_delivered = 0;
		b->extra_acked_start_us = a->s->now_us;
		expected = 0;
	}
	b->extra_acked_delivered += a->newly_acked;
	extra = RTE_MIN(b->extra_acked_delivered - expected, cc->cwnd_bytes);
	b->extra_acked[0] = RTE_MAX(b->extra_acked[0], extra);
}

void rnl_bbr_learn(struct rnl_cc *cc, struct rnl_bbr_ack *a)
{
	struct rnl_bbr *b = rnl_bbr_of(cc);

	update_latest(b, a);
	update_round(b, a);
	update_max_bw(b, a);
	if (a->loss_round_start) {
		adapt_lower_bounds(cc);
		b->is_loss_in_round = false;
	}
	update_extra_acked(cc, a);
}

/* draft-ietf-ccwg-bbr 5.3.4.3, UpdateMinRTT. */
void rnl_bbr_learn_rtt(struct rnl_bbr *b, const struct rnl_bbr_ack *a)
{
	uint32_t rtt = a->s->rtt_us;

	b->probe_rtt_expired = a->now_ms - b->probe_rtt_min_ms > PROBE_RTT_INTERVAL_MS;
	if (rtt != 0 && (rtt < b->probe_rtt_min_us || b->probe_rtt_expired)) {
		b->probe_rtt_min_us = rtt;
		b->probe_rtt_min_ms = a->now_ms;
	}
	if (b->probe_rtt_min_us < b->min_rtt_us || a->now_ms - b->min_rtt_ms > MIN_RTT_FILTER_MS) {
		b->min_rtt_us = b->probe_rtt_min_us;
		b->min_rtt_ms = b->probe_rtt_min_ms;
	}
}

void rnl_bbr_reset_shortterm(struct rnl_bbr *b)
{
	b->bw_shortterm = RNL_BBR_NO_BW;
	b->inflight_shortterm = RNL_BBR_NO_LIMIT;
}

void rnl_bbr_reset_signals(struct rnl_bbr *b)
{
	b->is_loss_in_round = false;
	b->bw_latest = no_rate;
	b->inflight_latest = 0;
}

void rnl_bbr_reset_full_bw(struct rnl_bbr *b, struct rnl_bbr_rate base)
{
	b->full_bw = base;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

uint32_t rnl_bbr_bdp(const struct rnl_bbr *b, uint64_t bw, uint32_t gain)
{
	uint64_t v;

	if (b->min_rtt_us == RNL_BBR_NO_RTT || bw == 0)
		return b->initial_cwnd;
	v = (uint64_t)rnl_bbr_volume(bw, b->min_rtt_us) * gain / 100;
	return (uint32_t)RTE_MIN(v, (uint64_t)RNL_BBR_WINDOW_MAX);
}

/* draft-ietf-ccwg-bbr 5.5.8.1, 5.6.4.2. */
uint32_t rnl_bbr_budget(const struct rnl_cc *cc, uint32_t inflight)
{
	const struct rnl_bbr *b = (const struct rnl_bbr *)(const void *)cc->priv;

	inflight = RTE_MAX(inflight, 3 * cc->quantum_bytes);
	inflight = RTE_MAX(inflight, rnl_bbr_min_pipe(cc));
	return b->state == RNL_BBR_UP ? inflight + 2 * cc->mss : inflight;
}

uint32_t rnl_bbr_inflight(const struct rnl_cc *cc, uint64_t bw, uint32_t gain)
{
	return rnl_bbr_budget(
	    cc, rnl_bbr_bdp((const struct rnl_bbr *)(const void *)cc->priv, bw, gain));
}

uint32_t rnl_bbr_target(const struct rnl_cc *cc)
{
	const struct rnl_bbr *b = (const struct rnl_bbr *)(const void *)cc->priv;

	return RTE_MIN(rnl_bbr_bdp(b, rnl_bbr_bw(b), 100), cc->cwnd_bytes);
}

/* BBR.Headroom: 15 % are left to others, one segment at least. */
uint32_t rnl_bbr_headroom(const struct rnl_cc *cc)
{
	const struct rnl_bbr *b = (const struct rnl_bbr *)(const void *)cc->priv;
	uint32_t longterm = b->inflight_longterm, room;

	if (longterm == RNL_BBR_NO_LIMIT)
		return longterm;
	room = RTE_MAX((uint32_t)((uint64_t)longterm * 15 / 100), cc->mss);
	return RTE_MAX(longterm > room ? longterm - room : 0, rnl_bbr_min_pipe(cc));
}
