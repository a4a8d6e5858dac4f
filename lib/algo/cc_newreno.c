/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The congestion control of RFC 5681 and RFC 6582, counted in octets. TCP finds losses, sends again
 * and keeps what is in flight below cwnd; during recovery cwnd is therefore ssthresh, as in RFC
 * 6675, and not inflated by duplicate acknowledgements. Slow start is HyStart++'s. No division.
 * Refuses: loss detection, clocks, pacing. Floor 2. RFC 5681 3, RFC 6582 3.2, RFC 9406.
 */
#include <rte_common.h>

#include "algo/reno.h"

_Static_assert(sizeof(struct rnl_reno) <= sizeof(((struct rnl_cc *)0)->priv), "fits");

static struct rnl_reno *priv(struct rnl_cc *cc)
{
	return (struct rnl_reno *)(void *)cc->priv;
}

static void newreno_init(struct rnl_cc *cc, uint32_t mss, uint32_t initial_window, uint64_t now_us)
{
	*cc =
	    (struct rnl_cc){.cwnd_bytes = initial_window, .ssthresh_bytes = UINT32_MAX, .mss = mss};
	rnl_hystart_begin(&priv(cc)->hystart);
}

/*
 * RFC 5681 3.1, RFC 9406 4.2. @return acknowledged octets left for congestion avoidance.
 * RFC 9293 3.8.2 (MUST-19).
 */
static uint32_t slow_start(struct rnl_cc *cc, uint32_t acked)
{
	struct rnl_reno *p = priv(cc);
	uint32_t left = rnl_hystart_grow(&p->hystart, cc, acked, p->after_rto);

	if (cc->cwnd_bytes >= cc->ssthresh_bytes)
		p->after_rto = 0;
	return left;
}

/* One SMSS for each cwnd of acknowledged octets: at most one for each round trip (RFC 5681 3.1). */
static void avoid_congestion(struct rnl_cc *cc, uint32_t acked)
{
	struct rnl_reno *p = priv(cc);

	p->acked_bytes += acked;
	if (p->acked_bytes < cc->cwnd_bytes)
		return;
	p->acked_bytes -= cc->cwnd_bytes;
	p->acked_bytes = RTE_MIN(p->acked_bytes, cc->cwnd_bytes);
	cc->cwnd_bytes += cc->mss;
}

static void newreno_on_ack(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	uint32_t acked = s->acked_bytes;

	if (acked == 0)
		return;
	priv(cc)->rto_unanswered = 0;
	if (cc->cwnd_bytes < cc->ssthresh_bytes && rnl_hystart_on_ack(&priv(cc)->hystart, s))
		cc->ssthresh_bytes = cc->cwnd_bytes;
	/* A window that was not used says nothing about the path (RFC 7661 4.3). No growth by what echoes
	 * congestion (RFC 3168 6.1.2). */
	if (s->in_recovery || s->ece || !s->cwnd_limited || cc->cwnd_bytes >= RNL_CC_CWND_MAX)
		return;
	if (cc->cwnd_bytes < cc->ssthresh_bytes)
		acked = slow_start(cc, acked);
	if (acked != 0)
		avoid_congestion(cc, acked);
}

/* RFC 5681 3.1, equation 4. */
static uint32_t half_flight(const struct rnl_cc *cc, uint32_t flight)
{
	return RTE_MAX(flight >> 1, 2 * cc->mss);
}

static void remember(struct rnl_cc *cc)
{
	struct rnl_reno *p = priv(cc);

	p->prior_cwnd = cc->cwnd_bytes;
	p->prior_ssthresh = cc->ssthresh_bytes;
	p->prior_hystart = p->hystart.phase != RNL_HYSTART_OFF;
}

static void on_rto(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	struct rnl_reno *p = priv(cc);

	/* A segment that timed out again: ssthresh is held (RFC 5681 3.1). */
	if (!p->rto_unanswered) {
		remember(cc);
		cc->ssthresh_bytes = half_flight(cc, s->inflight_bytes);
	}
	rnl_hystart_end(&p->hystart);
	cc->cwnd_bytes = cc->mss; /* the loss window */
	p->rto_unanswered = 1;
	p->after_rto = 1;
}

static void newreno_on_congestion(struct rnl_cc *cc, enum rnl_cc_cause why,
                                  const struct rnl_ack_sample *s)
{
	priv(cc)->acked_bytes = 0;
	if (why == RNL_CC_RTO) {
		on_rto(cc, s);
		return;
	}
	remember(cc);
	rnl_hystart_end(&priv(cc)->hystart);
	cc->ssthresh_bytes = half_flight(cc, s->inflight_bytes);
	if (why == RNL_CC_LOSS || cc->cwnd_bytes > cc->ssthresh_bytes)
		cc->cwnd_bytes = cc->ssthresh_bytes;
}

static void newreno_on_recovered(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	cc->cwnd_bytes = rnl_cc_recovered_window(cc, s);
	priv(cc)->acked_bytes = 0;
}

static void newreno_on_undo(struct rnl_cc *cc)
{
	struct rnl_reno *p = priv(cc);

	if (p->prior_cwnd == 0)
		return;
	cc->cwnd_bytes = RTE_MAX(cc->cwnd_bytes, p->prior_cwnd);
	cc->ssthresh_bytes = RTE_MAX(cc->ssthresh_bytes, p->prior_ssthresh);
	if (p->prior_hystart)
		rnl_hystart_begin(&p->hystart);
	p->prior_cwnd = 0;
	p->after_rto = 0;
	p->rto_unanswered = 0;
}

static void newreno_on_restart(struct rnl_cc *cc, uint32_t initial_window, uint64_t idle_us,
                               uint32_t rto_us)
{
	if (idle_us <= rto_us)
		return;
	cc->cwnd_bytes = RTE_MIN(cc->cwnd_bytes, initial_window);
	priv(cc)->acked_bytes = 0;
	priv(cc)->after_rto = 0;
	rnl_hystart_begin(&priv(cc)->hystart);
}

static void newreno_fold(const struct rnl_cc *cc, struct rnl_cc_folded *out)
{
	*out = (struct rnl_cc_folded){.word = {cc->cwnd_bytes, cc->ssthresh_bytes}};
}

static void newreno_unfold(struct rnl_cc *cc, const struct rnl_cc_folded *in, uint64_t now_us)
{
	*cc = (struct rnl_cc){.cwnd_bytes = RTE_MAX(in->word[0], cc->mss),
	                      .ssthresh_bytes = in->word[1],
	                      .mss = cc->mss};
}

const struct rnl_cc_ops rnl_cc_newreno = {
    .size = sizeof(struct rnl_cc_ops),
    .priv_size = sizeof(struct rnl_reno),
    .name = "newreno",
    .init = newreno_init,
    .on_ack = newreno_on_ack,
    .on_congestion = newreno_on_congestion,
    .on_recovered = newreno_on_recovered,
    .on_undo = newreno_on_undo,
    .on_restart = newreno_on_restart,
    .fold = newreno_fold,
    .unfold = newreno_unfold,
};
