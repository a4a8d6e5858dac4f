/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the checks that come before anything in a segment is believed: timestamp, RST, window, SYN,
 * acknowledgement range. What passes lies inside the receive window. Floor 3.
 * RFC 9293 3.10.7.4 (first to fifth check), RFC 5961 3-5, RFC 7323 4.3, 5.
 */
#include "base/seq.h"
#include "tcp/sackgen.h"
#include "tcp/tcp.h"

bool rnl_validate_paws_old(const struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	return !(tcb->flags & RNL_F_TS_STALE) && rnl_seq_lt(seg->opt.tsval, tcb->ts_recent);
}

void rnl_validate_ts_update(struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	if (rnl_seq_gt(seg->seq, tcb->last_ack_sent))
		return;
	tcb->ts_recent = seg->opt.tsval;
	tcb->flags &= ~RNL_F_TS_STALE;
}

static uint32_t seg_len(const struct rnl_seg *seg)
{
	return seg->len + !!(seg->flags & RNL_TH_FIN) + !!(seg->flags & RNL_TH_SYN);
}

/*
 * RFC 9293 3.10.7.4: an ACK in reply to what is not acceptable; one without octets is throttled.
 * RFC 2883 4.1, 4.3: it says which octets had been received before, also of an old timestamp.
 */
static void answer(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	if (seg_len(seg) == 0) {
		rnl_emit_disagree(core, tcb);
		return;
	}
	seg->dup = rnl_sackgen_old(tcb, seg->seq, seg_len(seg));
	rnl_emit_answer(core, tcb, seg);
}

/* RFC 7323 3.2, 5.3 R1. RST is judged by its sequence number alone. */
static bool timestamp_ok(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	if (!(tcb->flags & RNL_F_TS) || (seg->flags & RNL_TH_RST))
		return true;
	if (!(seg->opt.has & RNL_OPT_TS)) {
		rnl_core_count(core, RNL_C_tcp_rx_no_timestamp);
		return false;
	}
	if (!rnl_validate_paws_old(tcb, seg))
		return true;
	rnl_core_count(core, RNL_C_tcp_rx_paws);
	answer(core, tcb, seg);
	return false;
}

/* RFC 5961 3.2: only RST exactly at RCV.NXT resets; one elsewhere in the window is challenged.
 * RFC 9293 3.5 (MUST-11), 3.5.3 (SHLD-2). */
static void reset_received(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	if (seg->seq == tcb->rcv_nxt) {
		bool refused = tcb->state == RNL_SYN_RECEIVED && !(tcb->flags & RNL_F_PASSIVE);

		rnl_core_count(core, RNL_C_tcp_rx_rst);
		rnl_tcb_end(core, tcb, refused ? RNL_REASON_REFUSED : RNL_REASON_RESET);
		return;
	}
	rnl_core_count(core, RNL_C_tcp_rx_rst_bad);
	if (rnl_seq_gt(seg->seq, tcb->rcv_nxt) && rnl_seq_lt(seg->seq, tcb->rcv_adv))
		rnl_emit_challenge(core, tcb);
}

/* RFC 9768 3.2.2.1: the ACK of a SYN-ACK that was sent again reflects its ECN field. */
static bool is_syn_ack_again(const struct rnl_core *core, const struct rnl_tcb *tcb,
			     const struct rnl_seg *seg)
{
	bool answer = (tcb->flags & (RNL_F_ECN | RNL_F_PASSIVE)) == RNL_F_ECN &&
		      (seg->flags & RNL_TH_ACK) && (seg->flags & RNL_TH_ACE);

	return answer && rnl_ecn_of(core, tcb)->accurate && tcb->rcv_bytes < UINT32_MAX &&
	       seg->seq + 1 + (uint32_t)tcb->rcv_bytes == tcb->rcv_nxt;
}

/*
 * RFC 5961 4.2: SYN on a synchronised connection is challenged, whatever its sequence number.
 * While a simultaneous open is under way, the peer's SYN-ACK repeats the SYN that we have seen: what
 * is left is its acknowledgement (RFC 9293 3.5); and a peer that did not hear our answer sends SYN
 * again, without the data of a Fast Open (RFC 7413 4.2.2).
 */
static bool syn_ok(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	bool repeated = tcb->state == RNL_SYN_RECEIVED &&
			seg->seq == tcb->rcv_nxt - 1 - (uint32_t)tcb->rcv_bytes;

	if (!(seg->flags & RNL_TH_SYN))
		return true;
	if (repeated && (seg->flags & RNL_TH_ACK)) {
		/* On a SYN these flags are no counter (RFC 9768 3.2.2): as if they were as expected. */
		seg->flags &= (uint16_t)~RNL_TH_ACE;
		seg->flags |= (uint16_t)((tcb->flags & RNL_F_ACE) >> (RNL_F_ACE_SHIFT - 6));
		seg->seq++;
		seg->wnd >>= rnl_wscale_theirs(tcb->wscale); /* not scaled on a SYN */
		seg->flags &= (uint16_t)~RNL_TH_SYN;
		return true;
	}
	if (repeated) {
		rnl_core_count(core, RNL_C_tcp_syn_ack_retransmits);
		rnl_emit_syn(core, tcb);
		return false;
	}
	rnl_core_count(core, RNL_C_tcp_rx_syn_in_window);
	if (is_syn_ack_again(core, tcb, seg)) {
		rnl_ecn_syn_ack_counts(core, tcb, seg);
		if (rnl_emit_challenged(core, &tcb->key))
			rnl_ecn_ack_syn_ack(core, tcb, seg);
		return false;
	}
	rnl_emit_challenge(core, tcb);
	return false;
}

/*
 * RFC 9293 3.10.7.4, table 6.
 * DEVIATES RFC 9293 3.10.7.4: a segment without octets exactly at the right edge is acceptable: a
 * peer that filled the window sends its acknowledgements from there, also while a hole is open.
 */
static bool acceptable(const struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	uint32_t len = seg_len(seg);
	uint32_t wnd = tcb->rcv_adv - tcb->rcv_nxt;

	if (len == 0)
		return seg->seq - tcb->rcv_nxt <= wnd;
	if (wnd == 0)
		return false;
	return seg->seq - tcb->rcv_nxt < wnd || seg->seq + len - 1 - tcb->rcv_nxt < wnd;
}

static void not_acceptable(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	uint32_t len = seg_len(seg);

	if (len > 0 && rnl_seq_leq(seg->seq + len, tcb->rcv_nxt))
		rnl_core_count(core, RNL_C_tcp_rx_duplicate);
	else
		rnl_core_count(core, RNL_C_tcp_rx_unacceptable);
	answer(core, tcb, seg);
}

/* Cuts what was received before, to be reported (RFC 2883 4.2), and what lies beyond the window (RFC
 * 9293 3.10.7.4). */
static void trim(struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	uint32_t before = tcb->rcv_nxt - seg->seq;
	uint32_t room;

	if ((int32_t)before > 0) {
		before = RTE_MIN(before, seg->len);
		seg->dup = rnl_sackgen_old(tcb, seg->seq, before);
		if (seg->urp < before)
			seg->flags &= (uint16_t)~RNL_TH_URG; /* all of it was received */
		seg->urp = (uint16_t)(seg->urp - before);
		seg->seq += before;
		seg->off = (uint16_t)(seg->off + before);
		seg->len -= before;
	}
	room = tcb->rcv_adv - seg->seq;
	if (seg->len > room) {
		seg->len = room;
		seg->flags &= (uint16_t)~(RNL_TH_FIN | RNL_TH_PSH);
	} else if ((seg->flags & RNL_TH_FIN) && seg->len == room) {
		seg->flags &= (uint16_t)~RNL_TH_FIN;
	}
}

/* RFC 9293 3.10.7.4, RFC 5961 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT. */
static bool ack_in_range(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	if (rnl_seq_gt(seg->ack, tcb->snd_nxt)) {
		rnl_core_count(core, RNL_C_tcp_rx_bad_ack);
	} else if (rnl_seq_lt(seg->ack, tcb->snd_una - tcb->max_snd_wnd)) {
		rnl_core_count(core, RNL_C_tcp_rx_old_ack);
	} else if (tcb->state != RNL_SYN_RECEIVED || rnl_seq_gt(seg->ack, tcb->snd_una)) {
		return true;
	} else {
		rnl_core_count(core, RNL_C_tcp_half_open_bad_ack);
	}
	if (tcb->state == RNL_SYN_RECEIVED)
		rnl_emit_reset(core, seg, tcb->nexthop);
	else if (seg_len(seg) > 0)
		rnl_emit_challenge(core, tcb);
	else
		rnl_emit_disagree(core, tcb);
	return false;
}

/* The window is closed: the peer's probe brings no data in, but its ACK counts (RFC 9293 3.10.7.4).
 * RFC 9293 3.4 (MUST-66). */
static bool probe_of_closed_window(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	if (tcb->rcv_adv != tcb->rcv_nxt || seg->seq != tcb->rcv_nxt)
		return false;
	seg->len = 0;
	seg->flags &= (uint16_t)~RNL_TH_FIN;
	tcb->flags |= RNL_F_ACK_NOW;
	rnl_core_output(core, tcb);
	return true;
}

bool rnl_validate(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	if (!timestamp_ok(core, tcb, seg))
		return false;
	if (seg->flags & RNL_TH_RST) {
		reset_received(core, tcb, seg);
		return false;
	}
	if (!syn_ok(core, tcb, seg))
		return false;
	if (!acceptable(tcb, seg) && !probe_of_closed_window(core, tcb, seg)) {
		not_acceptable(core, tcb, seg);
		return false;
	}
	if (!(seg->flags & RNL_TH_ACK)) {
		rnl_core_count(core, RNL_C_tcp_rx_no_ack_flag);
		return false;
	}
	if (!ack_in_range(core, tcb, seg))
		return false;
	if (tcb->flags & RNL_F_TS)
		rnl_validate_ts_update(tcb, seg);
	tcb->last_rx_ms = core->now_ms;
	tcb->probes = 0;
	trim(tcb, seg);
	return true;
}
