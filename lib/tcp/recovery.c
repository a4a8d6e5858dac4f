/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns loss recovery with SACK: RACK says what is lost, PRR how much goes out meanwhile, and a response
 * to what was no loss is taken back. Beginning, end and undoing serve connections without SACK as well.
 * Floor 3. RFC 8985 6, RFC 9937 6, RFC 6675 5, RFC 3522 3, RFC 3708 3, RFC 4015 3, RFC 2018 8.
 */
#include "base/seq.h"
#include "tcp/acked.h"

#define DUP_THRESH 3 /* RFC 5681 3.2 */

static uint32_t reo_wnd(const struct rnl_tcb *tcb)
{
	const struct rnl_work *w = tcb->work;
	const struct rnl_rack_state s = {
	    .min_rtt_us = rnl_min_rtt_us(&w->min_rtt),
	    .srtt_us = tcb->rtt.srtt_us >> 3,
	    .in_recovery = tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS),
	    .dup_thresh = w->sentq.sacked_bytes > (DUP_THRESH - 1) * (uint32_t)tcb->snd_mss,
	};

	return rnl_rack_reo_wnd(&w->rack, &s);
}

struct told_arg {
	struct rnl_core *core;
	struct rnl_tcb *tcb;
};

static void tell_lost(void *arg, const struct rnl_sentq *q, const struct rnl_range *range)
{
	const struct told_arg *t = arg;
	struct rnl_work *w = t->tcb->work;
	const struct rnl_lost_sample l = {
	    .now_us = t->core->now_us,
	    .delivered = w->rate.delivered,
	    .seq = range->seq,
	    .end = range->end,
	    .inflight_bytes = range->inflight,
	    .lost_bytes = (uint32_t)q->lost_total - range->lost,
	    .app_limited = range->flags & RNL_RANGE_APP_LIMITED,
	    .sack_ok = t->tcb->flags & RNL_F_SACK,
	};

	w->ccops->on_lost(&w->cc, &l);
}

/* RFC 8985 6.2, step 5. @return octets newly found lost. */
static uint32_t detect(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint64_t before = w->sentq.lost_total;
	struct told_arg arg = {core, tcb};
	const struct rnl_sentq_told told = {tell_lost, &arg};
	uint64_t at_us;

	w->sentq.told = w->ccops->on_lost != NULL ? &told : NULL;
	at_us = rnl_rack_detect(&w->rack, &w->sentq, &core->ranges, reo_wnd(tcb), core->now_us);
	w->sentq.told = NULL;
	if (at_us != 0) {
		w->loss_is_pto = false;
		w->loss_at_us = at_us;
		rnl_core_timer(core, tcb, at_us);
	} else if (!w->loss_is_pto) {
		w->loss_at_us = 0;
	}
	return (uint32_t)(w->sentq.lost_total - before);
}

/* From here on a response can be taken back. */
static void arm_undo(struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	w->undo = true;
	w->undo_una = tcb->snd_una;
	w->undo_bytes = 0;
	w->undo_acked = false;
	w->undo_stamped = false;
	w->tlp_out = false;
}

/*
 * RFC 3522 3.2: only the retransmission that begins the recovery can tell, if it is of the oldest segment.
 * One that was sent again before may be answered for that, and the recovery is for another's sake.
 */
void rnl_recovery_resent(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_range *r)
{
	struct rnl_work *w = tcb->work;
	uint32_t len = r->end - r->seq;
	bool first = w->undo_bytes == 0;

	w->prr.out += len;
	if (!w->undo)
		return;
	w->undo_bytes += len;
	if (!first || r->seq != tcb->snd_una || r->sends != 2)
		return;
	w->undo_stamped = true;
	w->undo_tsval = rnl_emit_tsval(core, tcb->ts_offset);
}

void rnl_recovery_begin(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;
	uint32_t delivered = a->q.bytes - a->q.sacked_bytes + a->q.new_sacked_bytes;
	uint32_t in_network = tcb->snd_nxt - tcb->snd_una - w->sentq.sacked_bytes;

	w->recover = tcb->snd_nxt;
	tcb->flags |= RNL_F_RECOVERY;
	arm_undo(tcb);
	w->ccops->on_congestion(&w->cc, RNL_CC_LOSS, &a->s);
	rnl_ecn_cwnd_reduced(core, tcb);
	rnl_prr_start(&w->prr, w->cc.ssthresh_bytes, in_network + delivered);
	rnl_core_count(core, RNL_C_tcp_fast_retransmits);
}

bool rnl_recovery_ended(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;

	if (rnl_seq_lt(tcb->snd_una, w->recover))
		return false;
	if (tcb->flags & RNL_F_RECOVERY) {
		w->ccops->on_recovered(&w->cc, &a->s);
		rnl_core_count(core, RNL_C_tcp_recovered);
	}
	rnl_rack_recovered(&w->rack);
	tcb->flags &= ~(RNL_F_RECOVERY | RNL_F_LOSS);
	return true;
}

/* RFC 3522 3.2, step 5: when the ACKs of a whole flight were lost, the answer to the repetition echoes an
 * old time as well. It has a D-SACK, or acknowledges all, from a peer that is not known to send any. */
static bool acks_were_lost(const struct rnl_tcb *tcb, const struct rnl_acked *a)
{
	return a->has_dsack || (tcb->work->dsacks == 0 && tcb->snd_una == tcb->snd_nxt);
}

/* RFC 3522 3.2, step 4: an acknowledgement that echoes a time before the first retransmission answers
 * the original. The clock's ticks are coarse: the same tick proves nothing. */
static bool eifel(const struct rnl_tcb *tcb, const struct rnl_seg *seg, const struct rnl_acked *a)
{
	const struct rnl_work *w = tcb->work;

	return (tcb->flags & RNL_F_TS) && (seg->opt.has & RNL_OPT_TS) && seg->opt.tsecr != 0 &&
	       w->undo_stamped && rnl_seq_lt(seg->opt.tsecr, w->undo_tsval) && !acks_were_lost(tcb, a);
}

/* RFC 3708 3: all that was sent again arrived twice. */
static bool all_twice(struct rnl_work *w, const struct rnl_acked *a)
{
	uint32_t len = a->dsack.right - a->dsack.left;

	if (!a->has_dsack || w->undo_bytes == 0 || rnl_seq_lt(a->dsack.left, w->undo_una))
		return false;
	w->undo_bytes -= RTE_MIN(w->undo_bytes, len);
	return w->undo_bytes == 0;
}

void rnl_recovery_undo(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		       const struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;
	bool first = a->advanced && (tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS)) && !w->undo_acked;

	if (first && eifel(tcb, seg, a))
		rnl_core_count(core, RNL_C_tcp_undo_eifel);
	else if (all_twice(w, a))
		rnl_core_count(core, RNL_C_tcp_undo_dsack);
	else {
		/* RFC 3522 3.2, step 4: only the first acknowledgement that counts can tell. */
		w->undo_acked |= a->advanced;
		return;
	}
	/* RFC 8985 6.2, step 3 learns nothing from a late segment that was sent again before it came, so
	 * that without this each one would be. */
	if (!(tcb->flags & RNL_F_LOSS))
		w->rack.reordering_seen = true;
	w->undo = false;
	w->ccops->on_undo(&w->cc);
	tcb->flags &= ~(RNL_F_RECOVERY | RNL_F_LOSS);
	tcb->backoff = 0;
	w->dup_acks = 0;
	rnl_sentq_unmark_lost(&w->sentq, &core->ranges, core->now_us);
}

/* RFC 9937 6.2. */
static void reduce(struct rnl_tcb *tcb, const struct rnl_acked *a, uint32_t lost)
{
	struct rnl_work *w = tcb->work;
	const struct rnl_prr_ack p = {
	    .delivered = a->q.bytes - a->q.sacked_bytes + a->q.new_sacked_bytes,
	    .pipe = rnl_ack_inflight(tcb),
	    .ssthresh = w->cc.ssthresh_bytes,
	    .mss = tcb->snd_mss,
	    .safe = a->advanced && lost == 0,
	};

	if (p.delivered != 0)
		w->cc.cwnd_bytes = RTE_MAX(rnl_prr_cwnd(&w->prr, &p), (uint32_t)tcb->snd_mss);
}

/* Whether anything says that a segment may be lost; else all that is out came after all that came. */
static bool suspicious(const struct rnl_tcb *tcb, const struct rnl_work *w)
{
	return w->sentq.sacked_bytes != 0 || w->sentq.retrans_bytes != 0 ||
	       (tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS));
}

void rnl_recovery_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		      struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;
	uint32_t lost = 0;

	rnl_rack_delivered(&w->rack, &a->q, core->now_us);
	if (unlikely(a->has_dsack || w->rack.dsack_seen))
		rnl_rack_dsack(&w->rack, a->has_dsack, tcb->snd_una, tcb->snd_nxt);
	if (unlikely(a->q.reordered_by != 0)) {
		w->reordering_bytes = RTE_MAX(w->reordering_bytes, a->q.reordered_by);
		w->reord_seen++;
		rnl_core_count(core, RNL_C_tcp_rx_reordering);
	}
	if (unlikely(w->undo))
		rnl_recovery_undo(core, tcb, seg, a);
	if (unlikely(w->tlp_out))
		rnl_tlp_ack(core, tcb, seg, a);
	if (a->advanced && (tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS)))
		rnl_recovery_ended(core, tcb, a);
	if (unlikely(suspicious(tcb, w)))
		lost = detect(core, tcb);
	a->s.lost_bytes = lost;
	a->s.pipe_bytes = rnl_ack_inflight(tcb);
	if (lost > 0 && !(tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS)))
		rnl_recovery_begin(core, tcb, a);
	a->s.in_recovery = tcb->flags & RNL_F_RECOVERY;
	w->ccops->on_ack(&w->cc, &a->s);
	if (unlikely(a->s.in_recovery) && !(w->ccops->flags & RNL_CC_OWN_RECOVERY))
		reduce(tcb, a, lost);
}

void rnl_recovery_due(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_acked a = {0};

	tcb->work->loss_at_us = 0;
	rnl_ack_describe(core, tcb, &a.s);
	a.s.lost_bytes = detect(core, tcb);
	if (a.s.lost_bytes == 0)
		return;
	rnl_core_count(core, RNL_C_tcp_reo_timeouts);
	if (!(tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS))) {
		rnl_recovery_begin(core, tcb, &a);
		if (!(tcb->work->ccops->flags & RNL_CC_OWN_RECOVERY))
			tcb->work->cc.cwnd_bytes = rnl_ack_inflight(tcb) + tcb->snd_mss;
	}
	rnl_core_output(core, tcb);
}

void rnl_recovery_head_lost(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	/* RFC 2018 8: the peer threw away what it had announced, and may have done so with the rest. */
	if (rnl_sentq_at(&core->ranges, w->sentq.head)->flags & RNL_RANGE_SACKED) {
		rnl_core_count(core, RNL_C_tcp_peer_reneged);
		rnl_sentq_renege(&w->sentq, &core->ranges);
	}
	rnl_sentq_mark_lost(&w->sentq, &core->ranges, w->sentq.head);
}

void rnl_recovery_timeout(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	if (!(tcb->flags & RNL_F_LOSS))
		arm_undo(tcb);
	w->undo_acked = false;
	w->loss_at_us = 0;
	tcb->flags &= ~RNL_F_RECOVERY;
	rnl_recovery_head_lost(core, tcb);
	if (tcb->flags & RNL_F_SACK)
		rnl_rack_timeout(&w->rack, &w->sentq, &core->ranges, reo_wnd(tcb), core->now_us);
	else
		rnl_sentq_mark_all_lost(&w->sentq, &core->ranges);
	tcb->flags |= RNL_F_LOSS | RNL_F_RTX_NOW;
	w->recover = tcb->snd_nxt;
	w->dup_acks = 0;
}
