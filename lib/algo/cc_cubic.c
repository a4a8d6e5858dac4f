/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC, counted in octets, times in units of 1024 us. W_cubic is computed once in such a unit; an
 * ACK costs multiplications. A division for each congestion epoch, and for each new target.
 * Refuses: loss detection, clocks, pacing. Floor 2. RFC 9438 4, RFC 8511 3.1; slow start is
 * HyStart++'s (RFC 9406).
 */
#include <rte_common.h>

#include "algo/hystart.h"

#define UNIT_SHIFT 10 /* us in a unit of time */

/*
 * C is 0.4 segments/s^3 (RFC 9438 5.1): 0.4 * (1024e-6)^3 segments in the cube of a unit.
 * C_CUBE is that in 2^-51, C_INVERSE its reciprocal.
 */
#define C_CUBE UINT64_C(967140)
#define C_INVERSE UINT64_C(2328306437)

/* Longest distance from K that the curve is followed to, 268 s: its cube has 54 bits. */
#define DISTANCE_MAX ((UINT64_C(1) << 18) - 1)

/* Multiplicative decrease, 2^-16: 0.7 (RFC 9438 4.6), 0.85 for marks (RFC 8511 3.1). */
#define BETA 45875
#define BETA_ECN 55706
/* (1 + 0.7) / 2, 2^-16 (RFC 9438 4.7) */
#define BETA_FAST 55706
/* alpha_cubic = 3 * (1 - 0.7) / (1 + 0.7), 2^-16 (RFC 9438 4.3) */
#define ALPHA 34696
#define ALPHA_RENO 65536

/* The epoch: what RFC 9438 4.9.2 restores. Windows in octets. */
struct curve {
	uint64_t epoch_us; /* t_epoch, moved by the time that the application limited */
	uint32_t k;        /* K, units */
	uint32_t w_max;    /* 0: undefined */
	uint32_t w_est;
	uint32_t cwnd_prior; /* 0: ssthresh was never set */
	uint32_t begun;      /* t_epoch, K and W_est are valid */
};

struct cubic {
	struct rnl_hystart hystart;
	struct curve now;
	struct curve undo;
	uint64_t last_us;    /* of the last ACK that found cwnd in use */
	uint64_t unit;       /* time since t_epoch for which the target was computed */
	uint64_t rate;       /* (target - cwnd) / cwnd, 2^-32 */
	uint64_t est_credit; /* acknowledged octets towards W_est, 2^-16 */
	uint32_t fraction;   /* of an octet of cwnd, 2^-32 */
	uint32_t w_cubic;    /* W_cubic(t) */
	uint32_t target;
	uint32_t undo_cwnd; /* 0: nothing to undo */
	uint32_t undo_ssthresh;
	uint8_t undo_hystart;   /* HyStart++ ran then */
	uint8_t after_rto;      /* slow start that began with a timeout */
	uint8_t rto_unanswered; /* nothing was acknowledged since the last timeout */
	uint8_t frozen;         /* the application limited since last_us */
};

_Static_assert(sizeof(struct cubic) <= sizeof(((struct rnl_cc *)0)->priv), "fits");

static struct cubic *priv(struct rnl_cc *cc)
{
	return (struct cubic *)(void *)cc->priv;
}

static uint32_t scale(uint32_t bytes, uint32_t q16)
{
	return (uint32_t)((uint64_t)bytes * q16 >> 16);
}

/* Three bits of n for each bit of the root. @return its integer cube root. */
static uint32_t cube_root(uint64_t n)
{
	uint64_t root = 0;

	for (int shift = 63; shift >= 0; shift -= 3) {
		uint64_t more;

		root <<= 1;
		more = 3 * root * (root + 1) + 1;
		if ((n >> shift) >= more) {
			n -= more << shift;
			root++;
		}
	}
	return (uint32_t)root;
}

/* RFC 9438 4.2: W_cubic(t) = C * (t - K)^3 + W_max. */
static uint32_t w_cubic(const struct curve *c, uint32_t mss, uint64_t t)
{
	uint64_t d = t > c->k ? t - c->k : c->k - t;
	uint64_t off;

	d = RTE_MIN(d, DISTANCE_MAX);
	off = ((d * d * d >> 10) * mss >> 20) * C_CUBE >> 21;
	if (t < c->k)
		return c->w_max > off ? (uint32_t)(c->w_max - off) : 0;
	return (uint32_t)RTE_MIN(c->w_max + off, (uint64_t)RNL_CC_CWND_MAX);
}

static void cubic_init(struct rnl_cc *cc, uint32_t mss, uint32_t initial_window, uint64_t now_us)
{
	*cc =
	    (struct rnl_cc){.cwnd_bytes = initial_window, .ssthresh_bytes = UINT32_MAX, .mss = mss};
	rnl_hystart_begin(&priv(cc)->hystart);
}

/*
 * A stage of congestion avoidance begins. K is 0 and W_max is cwnd after a timeout (RFC 9438 4.8)
 * and when HyStart++ ended slow start (RFC 9438 4.10); so too when cwnd is past W_max.
 */
static void begin_epoch(struct rnl_cc *cc, uint64_t now_us)
{
	struct cubic *p = priv(cc);
	struct curve *c = &p->now;

	c->begun = 1;
	c->epoch_us = now_us;
	c->w_est = cc->cwnd_bytes;
	if (c->cwnd_prior == 0)
		c->cwnd_prior = cc->cwnd_bytes;
	if (c->w_max <= cc->cwnd_bytes) {
		c->w_max = cc->cwnd_bytes;
		c->k = 0;
	} else {
		c->k = cube_root((c->w_max - cc->cwnd_bytes) * C_INVERSE / cc->mss);
	}
	p->unit = UINT64_MAX;
	p->est_credit = 0;
	p->fraction = 0;
}

/* RFC 9438 4.2: the target after the next round trip, and how far each octet brings cwnd there. */
static void aim(struct rnl_cc *cc, uint64_t t_us, uint32_t srtt_us)
{
	struct cubic *p = priv(cc);
	uint32_t cwnd = cc->cwnd_bytes;
	uint32_t w = w_cubic(&p->now, cc->mss, (t_us + srtt_us) >> UNIT_SHIFT);

	p->unit = t_us >> UNIT_SHIFT;
	p->w_cubic = w_cubic(&p->now, cc->mss, p->unit);
	p->target = RTE_MAX(cwnd, RTE_MIN(w, cwnd + (cwnd >> 1)));
	p->rate = ((uint64_t)(p->target - cwnd) << 32) / cwnd;
}

/* RFC 9438 4.3, equation 4: one SMSS for each cwnd / alpha of acknowledged octets. */
static void estimate_reno(struct rnl_cc *cc, uint32_t acked)
{
	struct cubic *p = priv(cc);
	uint64_t enough = (uint64_t)cc->cwnd_bytes << 16;

	p->est_credit += (uint64_t)acked * (p->now.w_est >= p->now.cwnd_prior ? ALPHA_RENO : ALPHA);
	if (p->est_credit < enough)
		return;
	p->est_credit = RTE_MIN(p->est_credit - enough, enough);
	p->now.w_est += cc->mss;
}

/*
 * RFC 9438 4.3: in the Reno-friendly region cwnd is W_est. RFC 9438 4.4, 4.5: else it grows by
 * (target - cwnd) / cwnd for each octet acknowledged.
 */
static void grow(struct rnl_cc *cc, uint32_t acked)
{
	struct cubic *p = priv(cc);
	uint64_t more;

	if (p->w_cubic < p->now.w_est) {
		cc->cwnd_bytes = RTE_MAX(cc->cwnd_bytes, p->now.w_est);
		return;
	}
	more = RTE_MIN(acked, RNL_CC_CWND_MAX) * p->rate + p->fraction;
	p->fraction = (uint32_t)more;
	more = RTE_MIN(cc->cwnd_bytes + (more >> 32), (uint64_t)p->target);
	cc->cwnd_bytes = RTE_MAX(cc->cwnd_bytes, (uint32_t)more);
}

static void avoid_congestion(struct rnl_cc *cc, const struct rnl_ack_sample *s, uint32_t acked)
{
	struct cubic *p = priv(cc);
	uint64_t t_us;

	if (!p->now.begun)
		begin_epoch(cc, s->now_us);
	else if (p->frozen) /* RFC 9438 4.2: t does not include it */
		p->now.epoch_us += s->now_us - p->last_us;
	p->frozen = 0;
	p->last_us = s->now_us;
	t_us = s->now_us - p->now.epoch_us;
	if (t_us >> UNIT_SHIFT != p->unit)
		aim(cc, t_us, s->srtt_us);
	estimate_reno(cc, acked);
	grow(cc, acked);
}

static uint32_t slow_start(struct rnl_cc *cc, uint32_t acked)
{
	struct cubic *p = priv(cc);
	uint32_t left = rnl_hystart_grow(&p->hystart, cc, acked, p->after_rto);

	if (cc->cwnd_bytes >= cc->ssthresh_bytes)
		p->after_rto = 0;
	return left;
}

static void cubic_on_ack(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	struct cubic *p = priv(cc);
	uint32_t acked = s->acked_bytes;

	if (acked == 0)
		return;
	p->rto_unanswered = 0;
	if (cc->cwnd_bytes < cc->ssthresh_bytes && rnl_hystart_on_ack(&p->hystart, s))
		cc->ssthresh_bytes = cc->cwnd_bytes;
	if (s->in_recovery || s->ece) /* RFC 3168 6.1.2 */
		return;
	/* RFC 9438 5.8: neither cwnd nor t grows while the application limits. */
	if (!s->cwnd_limited) {
		p->frozen = 1;
		return;
	}
	if (cc->cwnd_bytes >= RNL_CC_CWND_MAX)
		return;
	if (cc->cwnd_bytes < cc->ssthresh_bytes)
		acked = slow_start(cc, acked);
	if (acked != 0)
		avoid_congestion(cc, s, acked);
}

/* RFC 9438 4.9.2: before the window is reduced. */
static void remember(struct rnl_cc *cc)
{
	struct cubic *p = priv(cc);

	p->undo = p->now;
	p->undo_cwnd = cc->cwnd_bytes;
	p->undo_ssthresh = cc->ssthresh_bytes;
	p->undo_hystart = p->hystart.phase != RNL_HYSTART_OFF;
}

static uint32_t reduced(const struct rnl_cc *cc, uint32_t flight, uint32_t beta)
{
	return RTE_MAX(scale(flight, beta), 2 * cc->mss);
}

/* RFC 9438 4.8: as Reno, with another factor. W_max is found anew. */
static void on_rto(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	struct cubic *p = priv(cc);

	/* A segment that timed out again: ssthresh is held (RFC 5681 3.1). */
	if (!p->rto_unanswered) {
		remember(cc);
		cc->ssthresh_bytes = reduced(cc, s->inflight_bytes, BETA);
		p->now.cwnd_prior = cc->cwnd_bytes;
	}
	p->now.w_max = 0;
	cc->cwnd_bytes = cc->mss; /* the loss window */
	p->rto_unanswered = 1;
	p->after_rto = 1;
}

/* RFC 9438 4.7: a flow that did not get back to W_max lets others have more. */
static void fast_convergence(struct rnl_cc *cc)
{
	struct curve *c = &priv(cc)->now;

	c->w_max = cc->cwnd_bytes < c->w_max ? scale(cc->cwnd_bytes, BETA_FAST) : cc->cwnd_bytes;
	c->cwnd_prior = cc->cwnd_bytes;
}

/*
 * RFC 9438 4.6, equation 7. RFC 9293 3.8.2 (MAY-18). Of what is in flight, SACKed octets have left
 * the network: right after one recovery there can be more of them than cwnd, and ssthresh would rise
 * from loss to loss.
 */
static void on_loss(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	uint32_t flight = RTE_MIN(s->inflight_bytes, cc->cwnd_bytes);

	fast_convergence(cc);
	cc->ssthresh_bytes = reduced(cc, flight, BETA);
	cc->cwnd_bytes = cc->ssthresh_bytes;
}

/* RFC 9438 4.6: cwnd may become 1 SMSS. RFC 8511 3.1, 4: a smaller decrease, not in slow start. */
static void on_ecn(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	uint32_t beta = cc->cwnd_bytes < cc->ssthresh_bytes ? BETA : BETA_ECN;
	uint32_t lower = RTE_MAX(scale(s->inflight_bytes, beta), cc->mss);

	fast_convergence(cc);
	cc->ssthresh_bytes = reduced(cc, s->inflight_bytes, beta);
	cc->cwnd_bytes = RTE_MIN(cc->cwnd_bytes, lower);
}

static void cubic_on_congestion(struct rnl_cc *cc, enum rnl_cc_cause why,
                                const struct rnl_ack_sample *s)
{
	struct cubic *p = priv(cc);

	if (why == RNL_CC_RTO) {
		on_rto(cc, s);
	} else {
		remember(cc);
		if (why == RNL_CC_LOSS)
			on_loss(cc, s);
		else
			on_ecn(cc, s);
	}
	p->now.begun = 0;
	rnl_hystart_end(&p->hystart);
}

static void cubic_on_recovered(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	cc->cwnd_bytes = rnl_cc_recovered_window(cc, s);
}

/* RFC 9438 4.9.2: only while cwnd is still below what it was. */
static void cubic_on_undo(struct rnl_cc *cc)
{
	struct cubic *p = priv(cc);

	if (p->undo_cwnd == 0)
		return;
	if (cc->cwnd_bytes < p->now.cwnd_prior) {
		cc->cwnd_bytes = p->undo_cwnd;
		cc->ssthresh_bytes = p->undo_ssthresh;
		p->now = p->undo;
		p->unit = UINT64_MAX;
		if (p->undo_hystart)
			rnl_hystart_begin(&p->hystart);
	}
	p->undo_cwnd = 0;
	p->after_rto = 0;
	p->rto_unanswered = 0;
}

/* RFC 5681 4.1. W_max stays: what follows is a new stage of congestion avoidance. */
static void cubic_on_restart(struct rnl_cc *cc, uint32_t initial_window, uint64_t idle_us,
                             uint32_t rto_us)
{
	struct cubic *p = priv(cc);

	if (idle_us <= rto_us)
		return;
	cc->cwnd_bytes = RTE_MIN(cc->cwnd_bytes, initial_window);
	p->now.begun = 0;
	p->after_rto = 0;
	rnl_hystart_begin(&p->hystart);
}

static void cubic_fold(const struct rnl_cc *cc, struct rnl_cc_folded *out)
{
	const struct cubic *p = (const struct cubic *)(const void *)cc->priv;

	*out = (struct rnl_cc_folded){
	    .word = {cc->cwnd_bytes, cc->ssthresh_bytes, p->now.w_max, p->now.cwnd_prior}};
}

static void cubic_unfold(struct rnl_cc *cc, const struct rnl_cc_folded *in, uint64_t now_us)
{
	*cc = (struct rnl_cc){.cwnd_bytes = RTE_MAX(in->word[0], cc->mss),
	                      .ssthresh_bytes = in->word[1],
	                      .mss = cc->mss};
	priv(cc)->now.w_max = in->word[2];
	priv(cc)->now.cwnd_prior = in->word[3];
}

const struct rnl_cc_ops rnl_cc_cubic = {
    .size = sizeof(struct rnl_cc_ops),
    .priv_size = sizeof(struct cubic),
    .name = "cubic",
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .on_congestion = cubic_on_congestion,
    .on_recovered = cubic_on_recovered,
    .on_undo = cubic_on_undo,
    .on_restart = cubic_on_restart,
    .fold = cubic_fold,
    .unfold = cubic_unfold,
};
