/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the tail loss probe: when nothing follows a segment that would show its loss, one more segment is
 * sent after two round trips, so that RACK and not the retransmission timer repairs the tail. Floor 3.
 * RFC 8985 7.
 */
#include "base/seq.h"
#include "tcp/acked.h"

/* RFC 8985 7.2 leaves these open: a receiver may hold an ACK back that long, and a timer that fires
 * within a poll of many connections says nothing about loss. */
#define MAX_ACK_DELAY_US 200000u
#define PTO_MIN_US 2000u
#define PTO_INITIAL_US 1000000u

/* RFC 8985 7.2; and 7.3's conditions as well: a timer that would send nothing only delays the RTO. */
static bool wanted(const struct rnl_tcb *tcb, const struct rnl_work *w)
{
	return !w->tlp_out && w->tlp_rtt_seen &&
	       (tcb->flags & (RNL_F_SACK | RNL_F_RECOVERY | RNL_F_LOSS)) == RNL_F_SACK &&
	       w->sentq.sacked_bytes == 0 && tcb->snd_una != tcb->snd_nxt && !w->persist &&
	       tcb->state != RNL_SYN_SENT && tcb->state != RNL_SYN_RECEIVED;
}

void rnl_tlp_schedule(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint32_t pto_us = PTO_INITIAL_US;

	if (!wanted(tcb, w)) {
		if (w->loss_is_pto)
			w->loss_at_us = 0;
		return;
	}
	if (tcb->rtt.srtt_us != 0)
		pto_us = RTE_MAX(tcb->rtt.srtt_us >> 2, PTO_MIN_US); /* 2 SRTT, which is kept times 8 */
	if (tcb->snd_nxt - tcb->snd_una <= tcb->snd_mss)
		pto_us += MAX_ACK_DELAY_US;
	w->loss_is_pto = true;
	w->loss_at_us = RTE_MIN(core->now_us + pto_us, w->rto_at_us);
	rnl_core_timer(core, tcb, w->loss_at_us);
}

void rnl_tlp_due(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	w->loss_at_us = 0;
	if (!wanted(tcb, w)) /* recovery has begun meanwhile */
		return;
	if (rnl_output_tlp(core, tcb, &w->tlp_retrans)) {
		w->tlp_out = true;
		w->tlp_rtt_seen = false;
		w->tlp_end = tcb->snd_nxt;
		rnl_core_count(core, RNL_C_tcp_tlp_probes);
	}
	if (tcb->state == RNL_CLOSED) /* the producer failed */
		return;
	rnl_ack_arm_rto(core, tcb);
}

/* The probe repaired the loss of the segment that it repeats: congestion control must hear of it. */
static void repaired(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;

	rnl_core_count(core, RNL_C_tcp_tlp_recoveries);
	if (tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS))
		return;
	w->ccops->on_congestion(&w->cc, RNL_CC_LOSS, &a->s);
	rnl_ecn_cwnd_reduced(core, tcb);
	w->ccops->on_recovered(&w->cc, &a->s);
}

void rnl_tlp_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		 const struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;

	if (rnl_seq_lt(seg->ack, w->tlp_end))
		return;
	if (!w->tlp_retrans || (a->has_dsack && a->dsack.right == w->tlp_end)) {
		w->tlp_out = false;
	} else if (rnl_seq_gt(seg->ack, w->tlp_end)) {
		w->tlp_out = false;
		repaired(core, tcb, a);
	} else if (a->duplicate && !(seg->opt.has & RNL_OPT_SACK)) {
		w->tlp_out = false;
	}
}
