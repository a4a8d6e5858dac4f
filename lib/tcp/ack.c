/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns what an acknowledgement changes: SND.UNA, the send window, round trip, loss recovery, and
 * through the ops table the congestion window. Loss detection is NewReno's (RFC 6582): each duplicate
 * ACK stands for one segment that left the network. Floor 3.
 * RFC 9293 3.10.7.4 (fifth check), RFC 5681 3, RFC 6298 5, RFC 6582 3, RFC 3042, RFC 7323 4.
 */
#include "base/seq.h"
#include "tcp/tcp.h"

#define DUP_THRESH 3 /* RFC 5681 3.2 */

uint32_t rnl_ack_inflight(const struct rnl_tcb *tcb)
{
	const struct rnl_work *w = tcb->work;
	uint32_t out = tcb->snd_nxt - tcb->snd_una;
	uint32_t gone =
	    w->sentq.sacked_bytes + w->sentq.lost_bytes + w->dup_acks * (uint32_t)tcb->snd_mss;

	return out > gone ? out - gone : 0;
}

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

/* RFC 9293 3.10.7.4: SND.WND follows the newest segment. @return whether it changed. */
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

/* The window opened: what lies beyond its old edge was never accepted, so send it again at once. */
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
			    const struct rnl_seg *seg, const struct rnl_sentq_acked *a)
{
	uint32_t ms;

	if (a->rtt_sent_us != 0)
		return core->now_us > a->rtt_sent_us ? (uint32_t)(core->now_us - a->rtt_sent_us) : 1;
	if (!(tcb->flags & RNL_F_TS) || !(seg->opt.has & RNL_OPT_TS) || seg->opt.tsecr == 0)
		return 0;
	ms = core->now_ms + tcb->ts_offset - seg->opt.tsecr;
	return ms < RNL_RTO_MAX_US / 1000 ? RTE_MAX(ms * 1000, 1000u) : 0;
}

/* Marks the first unacknowledged segment lost and lets it out whatever cwnd says. */
static void retransmit_head(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	const struct rnl_range *head = rnl_sentq_at(&core->ranges, w->sentq.head);

	if (head->end - head->seq > tcb->snd_mss)
		rnl_sentq_split(&w->sentq, &core->ranges, w->sentq.head, head->seq + tcb->snd_mss);
	rnl_sentq_mark_lost(&w->sentq, &core->ranges, w->sentq.head);
	tcb->flags |= RNL_F_RTX_NOW;
	rnl_core_output(core, tcb);
}

static struct rnl_ack_sample sample_of(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	return (struct rnl_ack_sample){
	    .now_us = core->now_us,
	    .delivered = tcb->work->delivered,
	    .inflight_bytes = tcb->snd_nxt - tcb->snd_una,
	    .srtt_us = tcb->rtt.srtt_us >> 3,
	    .cwnd_limited = tcb->flags & RNL_F_CWND_LIMITED,
	    .in_recovery = tcb->flags & RNL_F_RECOVERY,
	};
}

/* RFC 6582 3.2: a full acknowledgement ends recovery, a partial one shows the next hole. */
static void recovery_acked(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t ack,
			   const struct rnl_ack_sample *s)
{
	struct rnl_work *w = tcb->work;
	uint32_t segments = s->acked_bytes > tcb->snd_mss ? w->dup_acks : 1;

	if (rnl_seq_geq(ack, w->recover)) {
		w->dup_acks = 0;
		if (tcb->flags & RNL_F_RECOVERY) {
			w->ccops->on_recovered(&w->cc, s);
			rnl_core_count(core, RNL_C_tcp_recovered);
		}
		tcb->flags &= ~(RNL_F_RECOVERY | RNL_F_LOSS);
		return;
	}
	if (tcb->flags & RNL_F_LOSS)
		return;
	/* The octets acknowledged are those that the duplicate ACKs stood for. */
	while (segments > 0 && s->acked_bytes / 2 < segments * (tcb->snd_mss / 2))
		segments--;
	w->dup_acks -= RTE_MIN(w->dup_acks, segments);
	rnl_core_count(core, RNL_C_tcp_partial_acks);
	if (!(rnl_sentq_at(&core->ranges, w->sentq.head)->flags & RNL_RANGE_RETRANS))
		retransmit_head(core, tcb);
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

/* Takes [SND.UNA, ack) out of the queues. @return the sample for congestion control. */
static struct rnl_ack_sample take_acked(struct rnl_core *core, struct rnl_tcb *tcb,
					const struct rnl_seg *seg)
{
	struct rnl_work *w = tcb->work;
	struct rnl_sndbuf_env env = rnl_core_sndbuf_env(core, tcb->nexthop);
	struct rnl_ack_sample s = sample_of(core, tcb);
	struct rnl_sentq_acked a;
	uint32_t data = seg->ack - tcb->snd_una;

	rnl_sentq_ack(&w->sentq, &core->ranges, seg->ack, &a);
	data -= !!(a.flags & RNL_RANGE_SYN);
	data -= (tcb->flags & RNL_F_FIN_SENT) && seg->ack == tcb->snd_nxt;
	tcb->snd_una = seg->ack;
	tcb->snd_bytes += data;
	if (data > 0)
		rnl_sndbuf_ack(&w->snd, &env, tcb->snd_bytes);
	w->delivered += data;
	w->delivered_us = core->now_us;
	w->first_sent_us = a.sent_us;
	w->unacked_us = core->now_us;
	s.acked_bytes = data;
	s.delivered = w->delivered;
	s.rtt_us = measure_rtt(core, tcb, seg, &a);
	if (s.rtt_us != 0)
		rnl_rtt_sample(&tcb->rtt, s.rtt_us);
	return s;
}

static bool new_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	struct rnl_work *w = tcb->work;
	struct rnl_ack_sample s = take_acked(core, tcb, seg);

	tcb->backoff = 0;
	tcb->flags &= ~RNL_F_R1;
	if (s.acked_bytes > 0)
		w->ccops->on_ack(&w->cc, &s);
	if (tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS))
		recovery_acked(core, tcb, seg->ack, &s);
	else
		w->dup_acks = 0;
	/* RFC 6298 5.2, 5.3 */
	if (tcb->snd_una == tcb->snd_nxt)
		w->rto_at_us = 0;
	else
		rnl_ack_arm_rto(core, tcb);
	if (w->snd.head != RNL_NIL || (tcb->flags & RNL_F_FIN_QUEUED) || w->sentq.lost_bytes > 0)
		rnl_core_output(core, tcb);
	rnl_ack_maybe_writable(core, tcb);
	if ((tcb->flags & RNL_F_FIN_SENT) && tcb->snd_una == tcb->snd_nxt)
		return fin_acked(core, tcb);
	return true;
}

/* RFC 5681 2: an ACK of SND.UNA without data, SYN, FIN or news of the window, while data is out. */
static bool is_duplicate(const struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	return seg->ack == tcb->snd_una && seg->len == 0 && tcb->snd_una != tcb->snd_nxt &&
	       !(seg->flags & (RNL_TH_SYN | RNL_TH_FIN));
}

/*
 * RFC 5681 3.2, RFC 6582 3.2, RFC 3042: the first two let new segments out, the third retransmits.
 * DEVIATES RFC 6582 3.2: duplicates of exactly `recover` begin a recovery as well: the first segment
 * that was sent after the last one may be lost like any other, and the alternative is a timeout.
 */
static void duplicate_ack(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	struct rnl_ack_sample s;

	rnl_core_count(core, RNL_C_tcp_rx_dup_ack);
	if ((tcb->flags & RNL_F_LOSS) || w->persist)
		return;
	if ((w->dup_acks + 1) * (uint32_t)tcb->snd_mss <= tcb->snd_nxt - tcb->snd_una + tcb->snd_mss)
		w->dup_acks++;
	rnl_core_output(core, tcb);
	if ((tcb->flags & RNL_F_RECOVERY) || w->dup_acks < DUP_THRESH ||
	    rnl_seq_lt(tcb->snd_una, w->recover))
		return;
	s = sample_of(core, tcb);
	w->recover = tcb->snd_nxt;
	tcb->flags |= RNL_F_RECOVERY;
	w->ccops->on_congestion(&w->cc, RNL_CC_LOSS, &s);
	rnl_core_count(core, RNL_C_tcp_fast_retransmits);
	retransmit_head(core, tcb);
}

bool rnl_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	bool changed = update_window(core, tcb, seg);

	if (rnl_seq_gt(seg->ack, tcb->snd_una)) {
		if (!new_ack(core, tcb, seg))
			return false;
	} else if (!changed && is_duplicate(tcb, seg)) {
		duplicate_ack(core, tcb);
	}
	if (changed)
		window_opened(core, tcb);
	return true;
}
