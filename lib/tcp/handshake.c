/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns how a connection begins: active open in a full block, passive open in a mini block that
 * becomes a full one when the handshake is complete. Floor 3.
 * RFC 9293 3.5, 3.10.7.2, 3.10.7.3, 3.10.7.4 (SYN-RECEIVED); RFC 6528; RFC 6298 5.7; RFC 7323 2, 3; RFC 2018 2.
 */
#include "algo/isn.h"
#include "base/seq.h"
#include "tcp/tcp.h"

bool rnl_handshake_connect(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;

	if (!opts->no_timestamps)
		tcb->flags |= RNL_F_TS;
	if (!opts->no_wscale)
		tcb->flags |= RNL_F_WSCALE;
	if (!opts->no_sack)
		tcb->flags |= RNL_F_SACK;
	tcb->wscale = rnl_wscale_pack(opts->no_wscale ? 0 : rnl_tcb_offer_wscale(opts), 0);
	tcb->ts_offset = rnl_isn_ts_offset(&tcb->key, core->secrets.ts);
	tcb->snd_una = rnl_isn(&tcb->key, core->secrets.isn, core->now_us);
	tcb->snd_nxt = tcb->snd_una;
	rnl_ecn_connect(core, tcb);
	if (rnl_tcb_busy(core, tcb) == NULL)
		return false;
	tcb->snd_bytes = RNL_BEFORE_STREAM;
	rnl_tcb_set_state(core, tcb, RNL_SYN_SENT);
	rnl_core_count(core, RNL_C_tcp_active_opens);
	rnl_core_output(core, tcb);
	return true;
}

/* RFC 9293 3.10.7.3, first check. @return whether to go on. */
static bool syn_sent_ack_ok(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	if (!(seg->flags & RNL_TH_ACK))
		return true;
	if (rnl_seq_gt(seg->ack, tcb->snd_una) && rnl_seq_leq(seg->ack, tcb->snd_nxt))
		return true;
	rnl_core_count(core, RNL_C_tcp_rx_bad_ack);
	rnl_emit_reset(core, seg, tcb->nexthop);
	return false;
}

/* RFC 9293 3.10.7.3, fourth check: what the peer's SYN says. The window of a SYN is not scaled.
 * RFC 9293 3.2 (MUST-65). */
static void take_syn(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	tcb->rcv_nxt = seg->seq + 1;
	tcb->rcv_adv = tcb->rcv_nxt + RTE_MIN(rnl_core_policy(core, tcb)->opts.rcvbuf_bytes,
					      (uint32_t)UINT16_MAX);
	tcb->last_ack_sent = tcb->rcv_nxt;
	tcb->ts_recent = seg->opt.tsval;
	tcb->last_rx_ms = core->now_ms;
	tcb->snd_wnd = seg->wnd;
	tcb->max_snd_wnd = seg->wnd;
	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = seg->ack;
	if (seg->flags & RNL_SEG_UTO)
		rnl_uto_received(core, tcb, seg->opt.uto);
	rnl_tcb_negotiated(core, tcb, &seg->opt);
	rnl_ecn_answered(core, tcb, seg);
}

/* Both ends sent SYN at the same time (RFC 9293 3.5, MUST-10): answer, and wait for the answer. */
static void simultaneous(struct rnl_core *core, struct rnl_tcb *tcb)
{
	rnl_core_count(core, RNL_C_tcp_simultaneous_opens);
	rnl_tcb_set_state(core, tcb, RNL_SYN_RECEIVED);
	rnl_emit_syn(core, tcb);
}

/* Our SYN is acknowledged: acknowledge theirs, and go on with what the segment carries. */
static bool syn_acked(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	uint8_t shift = rnl_wscale_theirs(tcb->wscale);

	tcb->wscale = rnl_wscale_pack(rnl_wscale_ours(tcb->wscale), 0);
	rnl_ack(core, tcb, seg);
	tcb->wscale = rnl_wscale_pack(rnl_wscale_ours(tcb->wscale), shift);
	rnl_tcb_set_state(core, tcb,
			  tcb->flags & RNL_F_FIN_QUEUED ? RNL_FIN_WAIT_1 : RNL_ESTABLISHED);
	rnl_core_event(core, tcb, RNL_EV_CONNECTED);
	rnl_tcp_rearm(core, tcb);
	rnl_ecn_established(core, tcb, seg);
	rnl_uto_announce(core, tcb);
	seg->seq++;
	seg->flags &= (uint16_t)~RNL_TH_SYN;
	if (seg->len > tcb->rcv_adv - tcb->rcv_nxt) {
		seg->len = tcb->rcv_adv - tcb->rcv_nxt;
		seg->flags &= (uint16_t)~RNL_TH_FIN;
	}
	return rnl_text(core, tcb, seg);
}

void rnl_handshake_syn_sent(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	if (!syn_sent_ack_ok(core, tcb, seg))
		goto drop;
	if (seg->flags & RNL_TH_RST) {
		if (seg->flags & RNL_TH_ACK) {
			rnl_core_count(core, RNL_C_tcp_rx_rst);
			rnl_tcb_end(core, tcb, RNL_REASON_REFUSED);
		} else {
			rnl_core_count(core, RNL_C_tcp_rx_rst_bad);
		}
		goto drop;
	}
	if (!(seg->flags & RNL_TH_SYN)) {
		rnl_core_count(core, RNL_C_tcp_rx_unacceptable);
		goto drop;
	}
	take_syn(core, tcb, seg);
	if (!(seg->flags & RNL_TH_ACK))
		simultaneous(core, tcb);
	else if (syn_acked(core, tcb, seg))
		return;
drop:
	rte_pktmbuf_free(seg->m);
}

/* A new ISN must lie beyond what the last connection of this tuple used (RFC 6191 2, RFC 9293 3.4.3). */
static uint32_t choose_iss(const struct rnl_core *core, const struct rnl_mini *mini,
			   const struct rnl_tuple *key)
{
	uint32_t iss = rnl_isn(key, core->secrets.isn, core->now_us);

	if (mini->state == RNL_TIME_WAIT && rnl_seq_leq(iss, mini->snd_nxt))
		iss = mini->snd_nxt + 0x10000;
	return iss;
}

void rnl_handshake_offer(struct rnl_core *core, struct rnl_mini *mini, const struct rnl_seg *seg,
			 uint16_t policy, uint16_t nexthop)
{
	const struct rnl_conn_opts *opts = &core->policies[policy].opts;

	mini->key = seg->key;
	mini->state = RNL_SYN_RECEIVED;
	mini->flags = 0;
	mini->wscale = 0;
	mini->retries = 0;
	mini->answers = 0;
	mini->rcv_nxt = seg->seq + 1;
	mini->policy = policy;
	mini->nexthop = nexthop;
	mini->wnd = seg->wnd;
	mini->peer_mss = seg->opt.has & RNL_OPT_MSS ? seg->opt.mss : 0;
	mini->uto = seg->flags & RNL_SEG_UTO ? rnl_uto_code(seg->opt.uto) : 0;
	mini->ts_offset = rnl_isn_ts_offset(&seg->key, core->secrets.ts);
	mini->ts_recent = seg->opt.has & RNL_OPT_TS ? seg->opt.tsval : 0;
	if ((seg->opt.has & RNL_OPT_TS) && !opts->no_timestamps)
		mini->flags |= RNL_MINI_TS;
	if ((seg->opt.has & RNL_OPT_WSCALE) && !opts->no_wscale) {
		mini->flags |= RNL_MINI_WSCALE;
		mini->wscale = rnl_wscale_pack(rnl_tcb_offer_wscale(opts), seg->opt.wscale);
	}
	if ((seg->opt.has & RNL_OPT_SACK_OK) && !opts->no_sack)
		mini->flags |= RNL_MINI_SACK_OK;
	rnl_ecn_offer(mini, opts, seg);
}

void rnl_handshake_syn(struct rnl_core *core, struct rnl_mini *mini, const struct rnl_seg *seg,
		       uint16_t policy, uint16_t nexthop)
{
	rnl_tcb_count_transition(core, mini->state == RNL_TIME_WAIT ? RNL_TIME_WAIT : RNL_LISTEN,
				 RNL_SYN_RECEIVED);
	mini->snd_nxt = choose_iss(core, mini, &seg->key) + 1;
	mini->sent_us = (uint32_t)core->now_us;
	rnl_handshake_offer(core, mini, seg, policy, nexthop);
	if (seg->opt.has & RNL_OPT_TFO)
		mini->flags |= RNL_MINI_TFO;
	rnl_wheel_arm(&core->mini_wheel, rnl_core_mini_index(core, mini),
		      core->now_us + RNL_RTO_INITIAL_US);
	rnl_emit_mini(core, mini, true);
	mini->flags &= (uint8_t)~RNL_MINI_TFO; /* RFC 7413 4.2.1: once, and not when it is sent again */
}

/* RFC 9293 3.8.3. */
bool rnl_handshake_mini_expire(struct rnl_core *core, struct rnl_mini *mini)
{
	uint8_t limit = RTE_MIN(core->policies[mini->policy].opts.syn_retries,
				(uint8_t)RNL_SYN_ACK_RETRIES);

	if (mini->retries >= limit) {
		rnl_core_count(core, RNL_C_tcp_half_open_expired);
		return false;
	}
	mini->retries++;
	mini->answers = 0;
	rnl_core_count(core, RNL_C_tcp_syn_ack_retransmits);
	rnl_ecn_mini_expired(core, mini);
	rnl_wheel_arm(&core->mini_wheel, rnl_core_mini_index(core, mini),
		      core->now_us + rnl_rtt_backoff(RNL_RTO_INITIAL_US, mini->retries));
	rnl_emit_mini(core, mini, true);
	return true;
}

/* The window that our SYN-ACK offered. */
static uint32_t mini_window(const struct rnl_core *core, const struct rnl_mini *mini)
{
	return RTE_MIN(core->policies[mini->policy].opts.rcvbuf_bytes, (uint32_t)UINT16_MAX);
}

/* RFC 9293 3.10.7.4, SYN-RECEIVED from a passive open. */
enum rnl_mini_verdict rnl_handshake_mini(struct rnl_core *core, struct rnl_mini *mini,
					 const struct rnl_seg *seg)
{
	if (seg->flags & RNL_TH_RST) {
		if (seg->seq == mini->rcv_nxt) {
			rnl_core_count(core, RNL_C_tcp_half_open_reset);
			return RNL_MINI_DROP;
		}
		/* RFC 5961 3.2 */
		rnl_core_count(core, RNL_C_tcp_rx_rst_bad);
		if (seg->seq - mini->rcv_nxt < mini_window(core, mini) &&
		    rnl_handshake_may_answer(mini) && rnl_emit_challenged(core, &mini->key))
			rnl_emit_mini(core, mini, false);
		return RNL_MINI_KEEP;
	}
	if ((seg->flags & RNL_TH_SYN) && !rnl_ecn_syn_again(core, mini, seg)) {
		rnl_emit_reset(core, seg, mini->nexthop);
		return RNL_MINI_DROP;
	}
	/* The peer did not hear us, or somebody probes (RFC 5961 4.2): either way, say it again. */
	if ((seg->flags & RNL_TH_SYN) || seg->seq - mini->rcv_nxt > mini_window(core, mini) ||
	    ((mini->flags & RNL_MINI_TS) && (seg->opt.has & RNL_OPT_TS) &&
	     rnl_seq_lt(seg->opt.tsval, mini->ts_recent))) {
		rnl_core_count(core, seg->flags & RNL_TH_SYN ? RNL_C_tcp_syn_ack_retransmits
							     : RNL_C_tcp_rx_unacceptable);
		if (rnl_handshake_may_answer(mini))
			rnl_emit_mini(core, mini, true);
		return RNL_MINI_KEEP;
	}
	if (!(seg->flags & RNL_TH_ACK)) {
		rnl_core_count(core, RNL_C_tcp_rx_no_ack_flag);
		return RNL_MINI_KEEP;
	}
	if (seg->ack == mini->snd_nxt)
		return RNL_MINI_PROMOTE;
	rnl_core_count(core, RNL_C_tcp_half_open_bad_ack);
	rnl_emit_reset(core, seg, mini->nexthop);
	return RNL_MINI_KEEP;
}

void rnl_handshake_adopt(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_mini *mini)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	struct rnl_tcpopt said = {.mss = mini->peer_mss,
				  .wscale = rnl_wscale_theirs(mini->wscale)};

	said.has = (uint16_t)((mini->peer_mss != 0 ? RNL_OPT_MSS : 0) |
			     (mini->flags & RNL_MINI_TS ? RNL_OPT_TS : 0) |
			     (mini->flags & RNL_MINI_WSCALE ? RNL_OPT_WSCALE : 0) |
			     (mini->flags & RNL_MINI_SACK_OK ? RNL_OPT_SACK_OK : 0));
	tcb->flags = RNL_F_PASSIVE;
	tcb->flags |= mini->flags & RNL_MINI_TS ? RNL_F_TS : 0;
	tcb->flags |= mini->flags & RNL_MINI_WSCALE ? RNL_F_WSCALE : 0;
	tcb->flags |= mini->flags & RNL_MINI_SACK_OK ? RNL_F_SACK : 0;
	tcb->syn_lost = mini->retries > 0;
	tcb->wscale = mini->wscale;
	tcb->snd_una = tcb->snd_nxt = mini->snd_nxt;
	tcb->rcv_nxt = tcb->last_ack_sent = mini->rcv_nxt;
	tcb->rcv_adv = tcb->rcv_nxt + RTE_MIN(opts->rcvbuf_bytes, (uint32_t)UINT16_MAX);
	tcb->ts_recent = mini->ts_recent;
	tcb->ts_offset = mini->ts_offset;
	tcb->uto = opts->uto ? mini->uto : 0;
	rnl_tcb_negotiated(core, tcb, &said);
}

void rnl_handshake_promote(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_mini *mini,
			   const struct rnl_seg *seg)
{
	rnl_handshake_adopt(core, tcb, mini);
	tcb->snd_wnd = (uint32_t)seg->wnd << rnl_wscale_theirs(tcb->wscale);
	tcb->max_snd_wnd = RTE_MAX(tcb->snd_wnd, (uint32_t)mini->wnd);
	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = seg->ack;
	if (mini->retries == 0 && !(mini->flags & RNL_MINI_COOKIE))
		rnl_rtt_sample(&tcb->rtt, (uint32_t)core->now_us - mini->sent_us);
	tcb->state = RNL_SYN_RECEIVED; /* the mini block was there */
	rnl_tcb_set_state(core, tcb, RNL_ESTABLISHED);
	rnl_core_count(core, RNL_C_tcp_passive_opens);
	rnl_ecn_promote(core, tcb, mini, seg);
	rnl_core_event(core, tcb, RNL_EV_ACCEPTED);
	rnl_tcp_rearm(core, tcb);
	rnl_uto_announce(core, tcb);
}
