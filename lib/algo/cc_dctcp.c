/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DCTCP: "newreno" that answers to marks by their share. A division for each window. Refuses: what
 * the receiver and the ECN field owe it (TCP's), loss detection, clocks, pacing. For networks whose
 * switches mark early and where both ends are asked to use it: never the default. Floor 2.
 * RFC 8257 3.3-3.5, 4.2.
 */
#include <rte_common.h>

#include "algo/reno.h"

#define ALPHA_SHIFT 20 /* SCF of RFC 8257 4.2 */
#define ALPHA_ONE (UINT32_C(1) << ALPHA_SHIFT)
#define GAIN_SHIFT 4 /* g = 1/16 */

struct dctcp {
	struct rnl_reno reno; /* first: newreno's events run on it */
	uint32_t alpha;       /* DCTCP.Alpha, 2^-20 */
	uint32_t window_left; /* octets up to DCTCP.WindowEnd that are not acknowledged yet */
	uint64_t acked;       /* DCTCP.BytesAcked */
	uint64_t marked;      /* DCTCP.BytesMarked */
	uint32_t lost;        /* the window was lowered for a loss in this window of data */
};

_Static_assert(sizeof(struct dctcp) <= sizeof(((struct rnl_cc *)0)->priv), "fits");

static struct dctcp *priv(struct rnl_cc *cc)
{
	return (struct dctcp *)(void *)cc->priv;
}

static void dctcp_init(struct rnl_cc *cc, uint32_t mss, uint32_t initial_window, uint64_t now_us)
{
	rnl_cc_newreno.init(cc, mss, initial_window, now_us);
	priv(cc)->alpha = ALPHA_ONE;
}

/* The first mark ends slow start (RFC 9406 4.2); how much less is sent is decided once a window. */
static void end_slow_start(struct rnl_cc *cc)
{
	cc->ssthresh_bytes = RTE_MIN(cc->ssthresh_bytes, RTE_MAX(cc->cwnd_bytes, 2 * cc->mss));
	rnl_hystart_end(&priv(cc)->reno.hystart);
}

/* RFC 8257 3.3 steps 5 and 6, scaled as RFC 8257 4.2 does. */
static void update_alpha(struct dctcp *p)
{
	uint64_t marked = RTE_MIN(p->marked, p->acked);
	uint32_t m = (uint32_t)((marked << ALPHA_SHIFT) / p->acked);

	if (p->alpha >> GAIN_SHIFT == 0)
		p->alpha = 0;
	p->alpha += (m >> GAIN_SHIFT) - (p->alpha >> GAIN_SHIFT);
	p->alpha = RTE_MIN(p->alpha, ALPHA_ONE);
}

/* RFC 8257 3.3 step 9. RFC 3168 6.1.2: down to 1 SMSS. */
static void reduce(struct rnl_cc *cc)
{
	uint32_t less = (uint32_t)((uint64_t)cc->cwnd_bytes * priv(cc)->alpha >> (ALPHA_SHIFT + 1));

	cc->cwnd_bytes = RTE_MAX(cc->cwnd_bytes - less, cc->mss);
	cc->ssthresh_bytes = RTE_MAX(cc->cwnd_bytes, 2 * cc->mss);
	priv(cc)->reno.acked_bytes = 0;
}

/* RFC 8257 3.3 steps 5 to 9. */
static void end_window(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	struct dctcp *p = priv(cc);
	bool marked = p->marked != 0;

	update_alpha(p);
	p->window_left = s->inflight_bytes - RTE_MIN(s->acked_bytes, s->inflight_bytes);
	p->acked = p->marked = 0;
	if (marked && !p->lost && !s->in_recovery)
		reduce(cc);
	p->lost = 0;
}

static void dctcp_on_ack(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	struct dctcp *p = priv(cc);
	uint32_t marked = s->ce_bytes != 0 ? s->ce_bytes : s->ece ? s->acked_bytes : 0;

	if (marked != 0)
		end_slow_start(cc);
	rnl_cc_newreno.on_ack(cc, s); /* RFC 8257 3.4 */
	p->acked += s->acked_bytes;   /* steps 1 to 3 */
	p->marked += marked;
	if (s->acked_bytes > p->window_left) /* step 4 */
		end_window(cc, s);
	else
		p->window_left -= s->acked_bytes;
}

/* RFC 8257 3.5: losses as newreno. Marks are answered in dctcp_on_ack(), once a window. */
static void dctcp_on_congestion(struct rnl_cc *cc, enum rnl_cc_cause why,
                                const struct rnl_ack_sample *s)
{
	if (why == RNL_CC_ECN) {
		end_slow_start(cc);
		return;
	}
	rnl_cc_newreno.on_congestion(cc, why, s);
	priv(cc)->lost = 1;
}

static void dctcp_on_recovered(struct rnl_cc *cc, const struct rnl_ack_sample *s)
{
	rnl_cc_newreno.on_recovered(cc, s);
}

static void dctcp_on_undo(struct rnl_cc *cc)
{
	rnl_cc_newreno.on_undo(cc);
	priv(cc)->lost = 0;
}

static void dctcp_on_restart(struct rnl_cc *cc, uint32_t initial_window, uint64_t idle_us,
                             uint32_t rto_us)
{
	rnl_cc_newreno.on_restart(cc, initial_window, idle_us, rto_us);
}

static void dctcp_fold(const struct rnl_cc *cc, struct rnl_cc_folded *out)
{
	rnl_cc_newreno.fold(cc, out);
	out->word[2] = ((const struct dctcp *)(const void *)cc->priv)->alpha;
}

static void dctcp_unfold(struct rnl_cc *cc, const struct rnl_cc_folded *in, uint64_t now_us)
{
	rnl_cc_newreno.unfold(cc, in, now_us);
	priv(cc)->alpha = in->word[2];
}

const struct rnl_cc_ops rnl_cc_dctcp = {
    .size = sizeof(struct rnl_cc_ops),
    .priv_size = sizeof(struct dctcp),
    .flags = RNL_CC_NEEDS_ECN,
    .name = "dctcp",
    .init = dctcp_init,
    .on_ack = dctcp_on_ack,
    .on_congestion = dctcp_on_congestion,
    .on_recovered = dctcp_on_recovered,
    .on_undo = dctcp_on_undo,
    .on_restart = dctcp_on_restart,
    .fold = dctcp_fold,
    .unfold = dctcp_unfold,
};
