/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "Segment arrives": the order of the steps and nothing else. One predicate gathers every reason to
 * leave the straight path (header prediction); behind it the steps of RFC 9293 3.10.7.4 stand in
 * their order. Floor 3.
 */
#include "base/seq.h"
#include "tcp/fastopen.h"
#include "tcp/tcp.h"

#define NOT_PREDICTED                                                                              \
	(RNL_F_RECOVERY | RNL_F_LOSS | RNL_F_APP_CLOSED | RNL_F_TS_STALE | RNL_F_FIN_QUEUED)

#define ACE_DOWN (RNL_F_ACE_SHIFT - 6) /* from RNL_F_ACE to RNL_TH_ACE */

/*
 * The next segment of an undisturbed connection: in order, inside the window, acknowledging something
 * that was sent, or bringing data. What repeats an acknowledgement without data may be a duplicate
 * ACK: not here.
 */
static bool predicted(const struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	const struct rnl_work *w = tcb->work;

	if (tcb->state != RNL_ESTABLISHED || (tcb->flags & NOT_PREDICTED))
		return false;
	if (((seg->flags ^ (tcb->flags >> ACE_DOWN & RNL_TH_ACE)) & ~RNL_TH_PSH) != RNL_TH_ACK ||
	    seg->seq != tcb->rcv_nxt)
		return false;
	if (seg->len > tcb->rcv_adv - tcb->rcv_nxt ||
	    seg->ack - tcb->snd_una > tcb->snd_nxt - tcb->snd_una)
		return false;
	if (seg->len == 0 && seg->ack == tcb->snd_una)
		return false;
	if (tcb->flags & RNL_F_TS) {
		if (!(seg->opt.has & RNL_OPT_TS) || rnl_seq_lt(seg->opt.tsval, tcb->ts_recent))
			return false;
	}
	return w == NULL || (rnl_reasm_empty(&w->reasm) && w->dup_acks == 0 && !w->persist &&
			     !w->peer_fin_seen);
}

static void fast(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	bool taken = false;

	rnl_core_count(core, RNL_C_tcp_rx_fast);
	if (tcb->flags & RNL_F_TS)
		rnl_validate_ts_update(tcb, seg);
	tcb->last_rx_ms = core->now_ms;
	tcb->probes = 0;
	if (unlikely(tcb->flags & RNL_F_ECN))
		rnl_ecn_received(core, tcb, seg);
	rnl_ack(core, tcb, seg);
	if (seg->len > 0)
		taken = rnl_text(core, tcb, seg);
	if (likely(tcb->work != NULL))
		tcb->work->meter.segs_in++;
	if (!taken)
		rte_pktmbuf_free(seg->m);
}

/* An acceptable ACK completes a simultaneous open, or a Fast Open of the peer (RFC 9293 3.10.7.4,
 * SYN-RECEIVED). */
static void established(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	tcb->snd_wnd = (uint32_t)seg->wnd << rnl_wscale_theirs(tcb->wscale);
	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = seg->ack;
	tcb->max_snd_wnd = RTE_MAX(tcb->max_snd_wnd, tcb->snd_wnd);
	rnl_tcb_set_state(core, tcb,
			  tcb->flags & RNL_F_FIN_QUEUED ? RNL_FIN_WAIT_1 : RNL_ESTABLISHED);
	if (tcb->flags & RNL_F_PASSIVE)
		rnl_fastopen_completed(core, tcb);
	else
		rnl_core_event(core, tcb, RNL_EV_CONNECTED);
	rnl_tcp_rearm(core, tcb);
}

/*
 * What came out of order, again, or into a hole is acknowledged at once, each by itself and in its
 * order, so that the peer learns of each (RFC 5681 4.2, RFC 2018 4). @return whether seg->m was taken.
 */
static bool slow(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	bool taken;

	if (!rnl_validate(core, tcb, seg))
		return false;
	if (tcb->work != NULL)
		tcb->work->meter.segs_in++;
	if (tcb->flags & RNL_F_ECN)
		rnl_ecn_received(core, tcb, seg);
	if (tcb->state == RNL_SYN_RECEIVED)
		established(core, tcb, seg);
	if (!rnl_ack(core, tcb, seg))
		return false;
	if (seg->flags & RNL_TH_URG)
		rnl_urgent_received(core, tcb, seg);
	if (seg->flags & RNL_SEG_UTO)
		rnl_uto_received(core, tcb, seg->opt.uto);
	taken = rnl_text(core, tcb, seg);
	if ((seg->answer || seg->dup.left != seg->dup.right) && tcb->state != RNL_CLOSED)
		rnl_emit_answer(core, tcb, seg);
	if (tcb->flags & RNL_F_ECN)
		rnl_ecn_answer(core, tcb);
	return taken;
}

/* The full block of a connection in TIME-WAIT lives until the application has read everything. */
static void time_wait(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	if (seg->flags & RNL_TH_RST) { /* RFC 1337 3 */
		rnl_core_count(core, RNL_C_tcp_rx_rst_bad);
		return;
	}
	rnl_core_count(core, RNL_C_tcp_time_wait_acks);
	rnl_emit_challenge(core, tcb);
}

void rnl_tcp_input(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	if (likely(predicted(tcb, seg))) {
		fast(core, tcb, seg);
		return;
	}
	seg->dup = (struct rnl_sack){0};
	seg->answer = false;
	switch (tcb->state) {
	case RNL_SYN_SENT:
		rnl_handshake_syn_sent(core, tcb, seg);
		return;
	case RNL_CLOSED:
		/* It waits for its reader or its zero-copy memory; the peer must not wait for it (RFC
		 * 9293 3.10.7.1). A SYN comes again when the block is gone. */
		rnl_core_count(core, RNL_C_tcp_rx_no_connection);
		if (seg->flags & RNL_TH_ACK)
			rnl_emit_reset(core, seg, tcb->nexthop);
		break;
	case RNL_TIME_WAIT:
		time_wait(core, tcb, seg);
		break;
	default:
		if (slow(core, tcb, seg))
			return;
		break;
	}
	rte_pktmbuf_free(seg->m);
}
