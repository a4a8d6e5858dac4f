/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns what an acknowledgement changes: SND.UNA, the send window, round trip; and the order in which
 * the rest of it is told: sent ranges -> SACK blocks -> loss recovery -> congestion control. Floor 3.
 * RFC 9293 3.10.7.4 (fifth check), RFC 5681 2, RFC 6298 5, RFC 7323 4.
 */
#include "base/seq.h"
#include "tcp/acked.h"

void rnl_ack_arm_rto(struct rnl_core *core, struct rnl_tcb *tcb)
{
	tcb->work->rto_at_us = core->now_us + rnl_tcb_rto(core, tcb);
	tcb->work->persist = false;
	rnl_core_timer(core, tcb, tcb->work->rto_at_us);
}

void rnl_ack_maybe_writable(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint32_t sndbuf = rnl_tune_sndbuf(core, tcb);

	if ((tcb->flags & RNL_F_WANT_WRITE) && tcb->work->snd.bytes <= sndbuf - sndbuf / 3) {
		tcb->flags &= ~RNL_F_WANT_WRITE;
		rnl_core_event(core, tcb, RNL_EV_WRITABLE);
	}
}

/* RFC 9293 3.10.7.4: SND.WND follows the newest segment. @return whether it changed.
 * RFC 9293 3.1 (REC-1), RFC 7323 2.3. */
static bool update_window(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	uint32_t wnd = (uint32_t)seg->wnd << rnl_wscale_theirs(tcb->wscale);
	bool changed = wnd != tcb->snd_wnd;

	if (rnl_seq_lt(seg->ack, tcb->snd_una))
		return false;
	if (!rnl_seq_lt(tcb->snd_wl1, seg->seq) &&
	    !(tcb->snd_wl1 == seg->seq && rnl_seq_leq(tcb->snd_wl2, seg->ack)))
		return false;
	if (rnl_seq_lt(seg->ack + wnd, tcb->snd_una + tcb->snd_wnd))
		rnl_core_count(core, RNL_C_tcp_rx_window_shrunk);
	if (wnd == 0)
		rnl_core_count(core, RNL_C_tcp_rx_zero_window);
	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = seg->ack;
	tcb->snd_wnd = wnd;
	tcb->max_snd_wnd = RTE_MAX(tcb->max_snd_wnd, wnd);
	return changed;
}

/* The window opened: what lies beyond its old edge was never accepted, so send it again at once.
 * RFC 9293 3.8.6 (SHLD-16). */
static void window_opened(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	if (w == NULL)
		return;
	if (w->persist && tcb->snd_wnd > 0) {
		w->persist = false;
		w->rto_at_us = 0;
		tcb->backoff = 0;
		if (!rnl_sentq_empty(&w->sentq)) {
			rnl_sentq_mark_all_lost(&w->sentq, &core->ranges);
			rnl_ack_arm_rto(core, tcb);
		}
	}
	rnl_core_output(core, tcb);
}

/* Send times are exact to the microsecond but say nothing of segments sent twice (RFC 6298 3);
 * timestamps do (RFC 7323 4.1), to the millisecond. */
static uint32_t measure_rtt(const struct rnl_core *core, const struct rnl_tcb *tcb,
			    const struct rnl_seg *seg, const struct rnl_acked *a)
{
	uint64_t sent_us = a->q.rtt_sent_us;
	uint32_t ms;

	if (sent_us != 0)
		return core->now_us > sent_us ? (uint32_t)(core->now_us - sent_us) : 1;
	if (!a->advanced || !(tcb->flags & RNL_F_TS) || !(seg->opt.has & RNL_OPT_TS) ||
	    seg->opt.tsecr == 0)
		return 0;
	ms = core->now_ms + tcb->ts_offset - seg->opt.tsecr;
	return ms < RNL_RTO_MAX_US / 1000 ? RTE_MAX(ms * 1000, 1000u) : 0;
}

/* What was sent again after this time was not what the segment acknowledges, by its timestamp and by the
 * shortest round trip known (RFC 8985 6.2, step 2). */
static uint64_t spurious_after(const struct rnl_core *core, const struct rnl_tcb *tcb,
			       const struct rnl_seg *seg)
{
	const struct rnl_work *w = tcb->work;
	uint64_t after_us = core->now_us - rnl_min_rtt_us(&w->min_rtt);
	uint32_t ms;

	if ((w->sentq.retrans_bytes | w->sentq.lost_bytes) == 0)
		return UINT64_MAX;
	if (!(tcb->flags & RNL_F_TS) || !(seg->opt.has & RNL_OPT_TS) || seg->opt.tsecr == 0)
		return after_us;
	ms = core->now_ms + tcb->ts_offset - seg->opt.tsecr;
	if (ms > 1 && ms < RNL_RTO_MAX_US / 1000)
		after_us = RTE_MIN(after_us, core->now_us - (ms - 1) * UINT64_C(1000));
	return after_us;
}

void rnl_ack_describe(const struct rnl_core *core, const struct rnl_tcb *tcb,
		      struct rnl_ack_sample *s)
{
	const struct rnl_work *w = tcb->work;

	s->now_us = core->now_us;
	s->delivered = w->rate.delivered;
	s->sack_ok = tcb->flags & RNL_F_SACK;
	s->lost = w->sentq.lost_total;
	s->inflight_bytes = tcb->snd_nxt - tcb->snd_una;
	s->pipe_bytes = rnl_ack_inflight(tcb);
	s->srtt_us = tcb->rtt.srtt_us >> 3;
	s->min_rtt_us = rnl_min_rtt_us(&w->min_rtt);
}

/* Our FIN is acknowledged. @return false: the connection is over. */
static bool fin_acked(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint32_t wait_ms = rnl_core_policy(core, tcb)->opts.fin_wait2_ms;

	switch (tcb->state) {
	case RNL_FIN_WAIT_1:
		rnl_tcb_set_state(core, tcb, RNL_FIN_WAIT_2);
		if (tcb->flags & RNL_F_APP_CLOSED) {
			tcb->app_timer_ms = (core->now_ms + wait_ms) | 1;
			rnl_core_timer(core, tcb, core->now_us + wait_ms * UINT64_C(1000));
		}
		return true;
	case RNL_CLOSING:
		rnl_tcb_set_state(core, tcb, RNL_TIME_WAIT);
		rnl_tcb_end(core, tcb, RNL_REASON_NORMAL);
		return false;
	case RNL_LAST_ACK:
		rnl_tcb_end(core, tcb, RNL_REASON_NORMAL);
		return false;
	default:
		return true;
	}
}

/* Takes [SND.UNA, SEG.ACK) out of the queues. */
static void take_cumulative(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
			    struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;
	struct rnl_sndbuf_env env = rnl_core_sndbuf_env(core, tcb->nexthop);
	uint32_t data = seg->ack - tcb->snd_una;

	rnl_sentq_ack(&w->sentq, &core->ranges, seg->ack, &a->q);
	data -= (tcb->flags & RNL_F_FIN_SENT) && seg->ack == tcb->snd_nxt;
	tcb->snd_una = seg->ack;
	tcb->snd_bytes += data; /* RNL_BEFORE_STREAM counts SYN */
	data -= !!(a->q.flags & RNL_RANGE_SYN);
	if (data > 0)
		rnl_sndbuf_ack(&w->snd, &env, tcb->snd_bytes);
	w->unacked_us = core->now_us;
	a->s.acked_bytes = data;
	tcb->backoff = 0;
	tcb->flags &= ~RNL_F_R1;
}

/* RFC 8985 6.2. */
static void take_rtt(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		     struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;

	a->s.srtt_us = tcb->rtt.srtt_us >> 3;
	a->s.rtt_us = measure_rtt(core, tcb, seg, a);
	if (a->s.rtt_us != 0) {
		rnl_rtt_sample(&tcb->rtt, a->s.rtt_us);
		rnl_min_rtt_sample(&w->min_rtt, a->s.rtt_us, core->now_us);
		w->tlp_rtt_seen = true;
	}
	a->s.min_rtt_us = rnl_min_rtt_us(&w->min_rtt);
}

/* What arrived at the peer by this segment's account. */
static void gather(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		   struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;
	uint32_t delivered;

	a->q.spurious_after_us = spurious_after(core, tcb, seg);
	a->s.now_us = core->now_us;
	a->s.inflight_bytes = tcb->snd_nxt - tcb->snd_una;
	a->s.cwnd_limited = tcb->flags & RNL_F_CWND_LIMITED;
	if (a->advanced)
		take_cumulative(core, tcb, seg, a);
	if (unlikely(seg->opt.has & RNL_OPT_SACK) && (tcb->flags & RNL_F_SACK))
		rnl_sack_take(core, tcb, seg, a);
	a->s.sacked_bytes = a->q.new_sacked_bytes;
	delivered = a->s.acked_bytes - RTE_MIN(a->s.acked_bytes, a->q.sacked_bytes) +
		    a->q.new_sacked_bytes;
	a->s.lost = w->sentq.lost_total;
	a->s.sack_ok = tcb->flags & RNL_F_SACK;
	take_rtt(core, tcb, seg, a);
	rnl_rate_sample(&w->rate, &a->q, delivered, &a->s);
}

/* RFC 6298 5.2, 5.3. */
static void restart_timers(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	if (tcb->snd_una == tcb->snd_nxt) {
		w->rto_at_us = 0;
		w->loss_at_us = 0;
		return;
	}
	rnl_ack_arm_rto(core, tcb);
	rnl_tlp_schedule(core, tcb);
}

/* RFC 5681 2: an ACK of SND.UNA without data, SYN, FIN or news of the window, while data is out. */
static bool is_duplicate(const struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	return seg->ack == tcb->snd_una && seg->len == 0 && tcb->snd_una != tcb->snd_nxt &&
	       !(seg->flags & (RNL_TH_SYN | RNL_TH_FIN));
}

/* @return false: the connection is over. */
static bool take(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		 struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;

	rnl_pace_check_limited(tcb);
	gather(core, tcb, seg, a);
	if (unlikely(tcb->flags & RNL_F_ECN))
		rnl_ecn_acked(core, tcb, seg, &a->s);
	if (tcb->flags & RNL_F_SACK)
		rnl_recovery_ack(core, tcb, seg, a);
	else
		rnl_dupack_ack(core, tcb, seg, a);
	if (unlikely(a->s.ece))
		rnl_ecn_respond(core, tcb, &a->s);
	if (a->advanced)
		restart_timers(core, tcb);
	else if (a->q.new_sacked_bytes != 0)
		rnl_tlp_schedule(core, tcb);
	if (w->snd.head != RNL_NIL || (tcb->flags & RNL_F_FIN_QUEUED) || w->sentq.lost_bytes > 0)
		rnl_core_output(core, tcb);
	rnl_ack_maybe_writable(core, tcb);
	if (a->advanced && (tcb->flags & RNL_F_FIN_SENT) && tcb->snd_una == tcb->snd_nxt)
		return fin_acked(core, tcb);
	return true;
}

bool rnl_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	bool changed = update_window(core, tcb, seg);
	struct rnl_acked a = {.advanced = rnl_seq_gt(seg->ack, tcb->snd_una)};

	if (!a.advanced && !changed && is_duplicate(tcb, seg)) {
		rnl_core_count(core, RNL_C_tcp_rx_dup_ack);
		a.duplicate = true;
	}
	if (a.advanced || (tcb->work != NULL && (a.duplicate || (seg->opt.has & RNL_OPT_SACK)))) {
		if (!take(core, tcb, seg, &a))
			return false;
	}
	if (changed)
		window_opened(core, tcb);
	return true;
}
