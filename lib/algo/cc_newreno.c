/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The congestion control of RFC 5681 and RFC 6582, counted in octets. TCP finds losses, sends again
 * and keeps what is in flight below cwnd; during recovery cwnd is therefore ssthresh, as in RFC
 * 6675, and not inflated by duplicate acknowledgements. No division. Refuses: loss detection,
 * clocks, pacing. Floor 2. RFC 5681 3, RFC 6582 3.2, RFC 3465 2.
 */
#include <rte_common.h>

#include "algo/cc.h"

/* Larger than any window (RFC 7323 2.3: 2^30), so that cwnd cannot overflow. */
#define CWND_MAX (1u << 30)

struct newreno {
	uint32_t acked_bytes; /* in congestion avoidance, towards the next increase */
	uint32_t prior_cwnd;  /* before the last response; 0: nothing to undo */
	uint32_t prior_ssthresh;
	uint32_t after_rto;      /* slow start that began with a timeout */
	uint32_t rto_unanswered; /* nothing was acknowledged since the last timeout */
};

_Static_assert(sizeof(struct newreno) <= sizeof(((struct rnl_cc *)0)->priv), "fits");

static struct newreno *priv(struct rnl_cc *cc)
{
	return (struct newreno *)(void *)cc->priv;
}

static void newreno_init(struct rnl_cc *cc, uint32_t mss, uint32_t initial_window, uint64_t now_us)
{
	*cc =
	    (struct rnl_cc){.cwnd_bytes = initial_window, .ssthresh_bytes = UINT32_MAX, .mss = mss};
}

/*
 * RFC 5681 3.1, by octets (RFC 3465 2.2). @return acknowledged octets left for congestion
 * avoidance. DEVIATES RFC 5681 3.1: cwnd grows by at most 2 SMSS for an ACK, not by SMSS, as RFC
 * 3465 2.3 allows: receivers acknowledge each second segment at best. After a timeout it is SMSS,
 * as both ask.
 */
static uint32_t slow_start(struct rnl_cc *cc, uint32_t acked)
{
	uint32_t limit = priv(cc)->after_rto ? cc->mss : 2 * cc->mss;
	uint32_t room = cc->ssthresh_bytes - cc->cwnd_bytes;
	uint32_t grow = RTE_MIN(acked, limit);

	if (grow < room) {
		cc->cwnd_bytes += grow;
		return 0;
	}
	cc->cwnd_bytes = cc->ssthresh_bytes;
	priv(cc)->after_rto = 0;
	return grow - room;
}

/* One SMSS for each cwnd of acknowledged octets: at most one for each round trip (RFC 5681 3.1). */
static void avoid_congestion(struct rnl_cc *cc, uint32_t acked)
{
	struct newreno *p = priv(cc);

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
	/* A window that was not used says nothing about the path (RFC 7661 4.3). */
	if (s->in_recovery || !s->cwnd_limited || cc->cwnd_bytes >= CWND_MAX)
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
	priv(cc)->prior_cwnd = cc->cwnd_bytes;
	priv(cc)->prior_ssthresh = cc->ssthresh_bytes;
}

static void on_rto(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	struct newreno *p = priv(cc);

	/* A segment that timed out again: ssthresh is held (RFC 5681 3.1). */
	if (!p->rto_unanswered) {
		remember(cc);
		cc->ssthresh_bytes = half_flight(cc, s->inflight_bytes);
	}
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
	cc->ssthresh_bytes = half_flight(cc, s->inflight_bytes);
	if (why == RNL_CC_LOSS || cc->cwnd_bytes > cc->ssthresh_bytes)
		cc->cwnd_bytes = cc->ssthresh_bytes;
}

/* RFC 6582 3.2 step 3, full acknowledgement, option 1: no burst when little is in flight. */
static void newreno_on_recovered(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	uint32_t acked = RTE_MIN(s->acked_bytes, s->inflight_bytes);
	uint32_t flight = s->inflight_bytes - acked;

	flight = RTE_MAX(flight, cc->mss) + cc->mss;
	cc->cwnd_bytes = RTE_MIN(cc->ssthresh_bytes, flight);
	priv(cc)->acked_bytes = 0;
}

static void newreno_on_undo(struct rnl_cc *cc)
{
	struct newreno *p = priv(cc);

	if (p->prior_cwnd == 0)
		return;
	cc->cwnd_bytes = RTE_MAX(cc->cwnd_bytes, p->prior_cwnd);
	cc->ssthresh_bytes = RTE_MAX(cc->ssthresh_bytes, p->prior_ssthresh);
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
    .priv_size = sizeof(struct newreno),
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
