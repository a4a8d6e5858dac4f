/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the life of a connection block: its start, its working set, its end. Refuses to look at
 * segments. Floor 3. RFC 9293 3.3.1, 3.7.1, 3.10.5; RFC 7323 2.3; RFC 6928 2; RFC 2018 4.
 */
#include <errno.h>

#include "base/seq.h"
#include "tcp/fastopen.h"
#include "tcp/pmtu.h"
#include "tcp/tcp.h"
#include "wire/ip.h"

#define MSS_DEFAULT_V4 536  /* RFC 9293 3.7.1 (MUST-15) */
#define MSS_DEFAULT_V6 1220 /* RFC 9293 3.7.1 (MUST-15) */
#define TS_OPTION_LEN 12

void rnl_tcb_init(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_tuple *key,
		  uint16_t policy, uint16_t nexthop)
{
	uint32_t gen = tcb->gen;

	*tcb = (struct rnl_tcb){
	    .key = *key,
	    .gen = gen,
	    .policy = policy,
	    .nexthop = nexthop,
	    .state = RNL_CLOSED,
	    .last_rx_ms = core->now_ms,
	    .snd_mss = rnl_addr_is_v4(&key->raddr) ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6,
	};
	tcb->rcv_mss = tcb->snd_mss;
}

/* Every transition that there is; one that is not counts as RNL_C_ok, which must stay 0. */
static const uint16_t transitions[RNL_STATE_COUNT][RNL_STATE_COUNT] = {
    [RNL_CLOSED][RNL_SYN_SENT] = RNL_C_tcp_closed_to_syn_sent,
    [RNL_LISTEN][RNL_SYN_RECEIVED] = RNL_C_tcp_listen_to_syn_received,
    [RNL_SYN_SENT][RNL_SYN_RECEIVED] = RNL_C_tcp_syn_sent_to_syn_received,
    [RNL_SYN_SENT][RNL_ESTABLISHED] = RNL_C_tcp_syn_sent_to_established,
    [RNL_SYN_SENT][RNL_FIN_WAIT_1] = RNL_C_tcp_syn_sent_to_fin_wait_1,
    [RNL_SYN_SENT][RNL_CLOSED] = RNL_C_tcp_syn_sent_to_closed,
    [RNL_SYN_RECEIVED][RNL_ESTABLISHED] = RNL_C_tcp_syn_received_to_established,
    [RNL_SYN_RECEIVED][RNL_FIN_WAIT_1] = RNL_C_tcp_syn_received_to_fin_wait_1,
    [RNL_SYN_RECEIVED][RNL_LISTEN] = RNL_C_tcp_syn_received_to_listen,
    [RNL_SYN_RECEIVED][RNL_CLOSED] = RNL_C_tcp_syn_received_to_closed,
    [RNL_ESTABLISHED][RNL_FIN_WAIT_1] = RNL_C_tcp_established_to_fin_wait_1,
    [RNL_ESTABLISHED][RNL_CLOSE_WAIT] = RNL_C_tcp_established_to_close_wait,
    [RNL_ESTABLISHED][RNL_CLOSED] = RNL_C_tcp_established_to_closed,
    [RNL_FIN_WAIT_1][RNL_FIN_WAIT_2] = RNL_C_tcp_fin_wait_1_to_fin_wait_2,
    [RNL_FIN_WAIT_1][RNL_CLOSING] = RNL_C_tcp_fin_wait_1_to_closing,
    [RNL_FIN_WAIT_1][RNL_CLOSED] = RNL_C_tcp_fin_wait_1_to_closed,
    [RNL_FIN_WAIT_2][RNL_TIME_WAIT] = RNL_C_tcp_fin_wait_2_to_time_wait,
    [RNL_FIN_WAIT_2][RNL_CLOSED] = RNL_C_tcp_fin_wait_2_to_closed,
    [RNL_CLOSING][RNL_TIME_WAIT] = RNL_C_tcp_closing_to_time_wait,
    [RNL_CLOSING][RNL_CLOSED] = RNL_C_tcp_closing_to_closed,
    [RNL_CLOSE_WAIT][RNL_LAST_ACK] = RNL_C_tcp_close_wait_to_last_ack,
    [RNL_CLOSE_WAIT][RNL_CLOSED] = RNL_C_tcp_close_wait_to_closed,
    [RNL_LAST_ACK][RNL_CLOSED] = RNL_C_tcp_last_ack_to_closed,
    [RNL_TIME_WAIT][RNL_CLOSED] = RNL_C_tcp_time_wait_to_closed,
    [RNL_TIME_WAIT][RNL_SYN_RECEIVED] = RNL_C_tcp_time_wait_to_syn_received,
};

void rnl_tcb_count_transition(struct rnl_core *core, enum rnl_state from, enum rnl_state to)
{
	rnl_core_count(core, transitions[from][to]);
}

void rnl_tcb_set_state(struct rnl_core *core, struct rnl_tcb *tcb, enum rnl_state state)
{
	rnl_tcb_count_transition(core, tcb->state, state);
	tcb->state = (uint8_t)state;
}

void rnl_tcb_start_cc(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint32_t iw = rnl_cc_initial_window(tcb->snd_mss);

	w->ccops = rnl_core_policy(core, tcb)->opts.cc;
	w->cc.mss = tcb->snd_mss;
	/* RFC 5681 3.1: a lost SYN makes it one segment. */
	if (tcb->syn_lost)
		iw = tcb->snd_mss;
	if (tcb->folded.word[0] == 0) {
		w->ccops->init(&w->cc, tcb->snd_mss, iw, core->now_us);
		return;
	}
	w->ccops->unfold(&w->cc, &tcb->folded, core->now_us);
	/* It was folded because it had been idle for more than an RTO (RFC 5681 4.1). */
	w->ccops->on_restart(&w->cc, iw, rnl_tcb_rto(core, tcb) + 1, rnl_tcb_rto(core, tcb));
	rnl_core_count(core, RNL_C_tcp_idle_restarts);
}

/* RFC 9293 3.9.2 (MUST-49), 3.9.1.9 (SHLD-21), RFC 7323 3.2. */
void rnl_tcb_template(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;

	rnl_tmpl_init(&tcb->work->tmpl, &tcb->key, tcb->flags & RNL_F_TS, opts->ttl,
		      (uint8_t)(opts->dscp << 2));
}

struct rnl_work *rnl_tcb_busy(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint32_t i;

	if (likely(w != NULL))
		return w;
	i = rnl_pool_get(&core->works);
	if (i == RNL_NIL) {
		rnl_core_count(core, RNL_C_pool_busy_empty);
		return NULL;
	}
	w = rnl_pool_at(&core->works, i);
	memset(w, 0, sizeof(*w));
	w->index = i;
	w->snd.una = w->snd.end = tcb->snd_bytes;
	w->snd.owner = rnl_core_index(core, tcb);
	w->rate.delivered_us = core->now_us;
	w->recover = tcb->snd_una - 1;
	w->tlp_rtt_seen = tcb->rtt.srtt_us != 0;
	tcb->work = w;
	rnl_tcb_start_cc(core, tcb);
	rnl_tune_start(core, tcb);
	rnl_tcb_template(core, tcb);
	rnl_core_timer(core, tcb, core->now_us + rnl_tcb_rto(core, tcb));
	return w;
}

void rnl_tcb_drop_work(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	struct rnl_sndbuf_env env;

	if (w == NULL)
		return;
	env = rnl_core_sndbuf_env(core, tcb->nexthop);
	rnl_sndbuf_clear(&w->snd, &env);
	rnl_sentq_clear(&w->sentq, &core->ranges);
	core->held -= w->reasm.bufs;
	rnl_reasm_clear(&w->reasm, &core->ranges);
	core->held -= rnl_rcvq_clear(&w->rcvq);
	tcb->work = NULL;
	rnl_pool_put(&core->works, w->index);
}

void rnl_tcb_fold(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	/* What stands on the output list has something to send yet: SYN, FIN, an ACK. */
	if ((tcb->flags & RNL_F_ON_OUTPUT) || !rnl_sentq_empty(&w->sentq) ||
	    w->snd.head != RNL_NIL || w->rcvq.head != NULL || !rnl_reasm_empty(&w->reasm) ||
	    w->rto_at_us != 0 || w->loss_at_us != 0 || w->delack_at_us != 0)
		return;
	w->ccops->fold(&w->cc, &tcb->folded);
	tcb->flags &= ~(RNL_F_RECOVERY | RNL_F_LOSS | RNL_F_CWND_LIMITED);
	tcb->work = NULL;
	rnl_pool_put(&core->works, w->index);
}

void rnl_tcb_end(struct rnl_core *core, struct rnl_tcb *tcb, enum rnl_reason reason)
{
	if (tcb->events & RNL_EV_END)
		return;
	if (tcb->state == RNL_SYN_SENT ||
	    (tcb->state == RNL_SYN_RECEIVED && !(tcb->flags & RNL_F_PASSIVE)))
		rnl_core_count(core, RNL_C_tcp_attempt_fails);
	tcb->reason = (unsigned int)reason & 0x3f;
	if (tcb->state == RNL_SYN_RECEIVED)
		rnl_fastopen_failed(core, tcb, reason);
	if (reason != RNL_REASON_NORMAL) {
		rnl_tcb_drop_work(core, tcb);
		tcb->events &= (uint8_t)~(RNL_EV_RECEIVED | RNL_EV_WRITABLE | RNL_EV_EOF |
					  RNL_EV_CONNECTED | RNL_EV_TIMER | RNL_EV_URGENT);
	}
	if (tcb->state != RNL_TIME_WAIT)
		rnl_tcb_set_state(core, tcb, RNL_CLOSED);
	rnl_core_event(core, tcb, RNL_EV_END);
}

void rnl_tcb_abort(struct rnl_core *core, struct rnl_tcb *tcb, enum rnl_reason reason)
{
	switch (tcb->state) {
	case RNL_SYN_RECEIVED:
	case RNL_ESTABLISHED:
	case RNL_FIN_WAIT_1:
	case RNL_FIN_WAIT_2:
	case RNL_CLOSE_WAIT:
		rnl_emit_abort(core, tcb); /* RFC 9293 3.10.5 */
		break;
	case RNL_CLOSING:
	case RNL_LAST_ACK:
		/* These names stand from the call on; in the RFC they begin when FIN is sent. Before
		 * that the peer waits for data, and must hear that none will come. */
		if (!(tcb->flags & RNL_F_FIN_SENT))
			rnl_emit_abort(core, tcb);
		break;
	default:
		break;
	}
	if (tcb->state == RNL_TIME_WAIT)
		rnl_tcb_set_state(core, tcb, RNL_CLOSED);
	rnl_tcb_end(core, tcb, reason);
}

/* RFC 9293 3.7.3 (SHLD-6). */
uint16_t rnl_tcb_offer_mss(struct rnl_core *core, const struct rnl_tuple *key, uint16_t nexthop,
			   const struct rnl_conn_opts *opts)
{
	uint16_t mss =
	    (uint16_t)(rnl_core_mtu(core, nexthop, &key->raddr) - rnl_ip_hlen(&key->raddr) -
		       RNL_TCP_HLEN);

	return opts->mss != 0 && opts->mss < mss ? opts->mss : mss;
}

uint8_t rnl_tcb_offer_wscale(const struct rnl_conn_opts *opts)
{
	uint8_t shift = 0;

	while (shift < 14 && (uint32_t)UINT16_MAX << shift < opts->rcvbuf_max_bytes)
		shift++;
	return shift;
}

/* RFC 7323 2.2, 3.2. */
void rnl_tcb_negotiated(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_tcpopt *opt)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	uint16_t own = rnl_tcb_offer_mss(core, &tcb->key, tcb->nexthop, opts);
	uint16_t mss = rnl_addr_is_v4(&tcb->key.raddr) ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6;

	if (opt->has & RNL_OPT_MSS)
		mss = RTE_MAX(opt->mss, opts->min_mss);
	tcb->snd_mss = RTE_MIN(mss, own);
	tcb->rcv_mss = RTE_MIN(tcb->rcv_mss, own);
	if ((tcb->flags & RNL_F_TS) && (opt->has & RNL_OPT_TS))
		tcb->snd_mss -= TS_OPTION_LEN;
	else
		tcb->flags &= ~RNL_F_TS;
	if ((tcb->flags & RNL_F_WSCALE) && (opt->has & RNL_OPT_WSCALE)) {
		tcb->wscale = rnl_wscale_pack(rnl_wscale_ours(tcb->wscale), opt->wscale);
	} else {
		tcb->flags &= ~RNL_F_WSCALE;
		tcb->wscale = 0;
	}
	/* RFC 2018 4: without permission there are no SACK options. */
	if (!(opt->has & RNL_OPT_SACK_OK))
		tcb->flags &= ~RNL_F_SACK;
	rnl_pmtu_start(core, tcb);
	if (tcb->work == NULL)
		return;
	rnl_tcb_start_cc(core, tcb);
	rnl_tune_start(core, tcb);
	rnl_tcb_template(core, tcb);
}

uint32_t rnl_tcb_rto(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	uint32_t rto = rnl_rtt_rto(&tcb->rtt, rnl_core_policy(core, tcb)->opts.rto_min_us);

	/* RFC 6298 5.7: a lost SYN left no sample behind. */
	if (tcb->syn_lost && tcb->rtt.srtt_us == 0 && tcb->state != RNL_SYN_SENT &&
	    tcb->state != RNL_SYN_RECEIVED)
		rto = RNL_RTO_SYN_LOST_US;

	return rnl_rtt_backoff(rto, tcb->backoff);
}

static const char *check_work(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_work *w = tcb->work;
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;
	const char *broken = rnl_sentq_check(&w->sentq, &core->ranges);

	if (broken == NULL)
		broken = rnl_reasm_check(&w->reasm, &core->ranges);
	if (broken != NULL)
		return broken;
	if (tcb->state == RNL_CLOSED || tcb->state == RNL_TIME_WAIT)
		return NULL;
	if (rnl_sentq_empty(&w->sentq) != (flight == 0))
		return "sentq holds exactly what is in flight";
	if (flight != 0 && rnl_sentq_at(&core->ranges, w->sentq.head)->seq != tcb->snd_una)
		return "sentq begins at SND.UNA";
	if (flight != 0 && rnl_sentq_at(&core->ranges, w->sentq.tail)->end != tcb->snd_nxt)
		return "sentq ends at SND.NXT";
	if (w->snd.una != (tcb->snd_bytes != RNL_BEFORE_STREAM ? tcb->snd_bytes : 0))
		return "sndbuf begins at the acknowledged offset";
	if (flight != 0 && w->rto_at_us == 0 && !(tcb->flags & RNL_F_ON_OUTPUT))
		return "the retransmission timer runs while anything is in flight (RFC 6298 5.1)";
	if (!rnl_reasm_empty(&w->reasm) &&
	    rnl_seq_leq(((const struct rnl_run *)rnl_pool_at(&core->ranges, w->reasm.head))->seq,
			tcb->rcv_nxt))
		return "out-of-order data lies behind RCV.NXT";
	if (w->cc.cwnd_bytes == 0)
		return "cwnd is not zero";
	return NULL;
}

const char *rnl_tcb_check(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	if (tcb->state == RNL_CLOSED && !(tcb->events & RNL_EV_END))
		return "a CLOSED block is about to be reaped";
	/* END alone may wait for the application to read what is queued. */
	if ((tcb->events & ~RNL_EV_END) != 0 && !(tcb->flags & RNL_F_ON_EVENTS))
		return "events stand on the list";
	if (rnl_seq_gt(tcb->snd_una, tcb->snd_nxt))
		return "SND.UNA <= SND.NXT";
	if (tcb->state == RNL_CLOSED || tcb->state == RNL_SYN_SENT)
		return NULL;
	if (rnl_seq_lt(tcb->rcv_adv + !!(tcb->flags & RNL_F_FIN_RCVD), tcb->rcv_nxt))
		return "RCV.NXT lies inside the window that was offered";
	if (rnl_seq_gt(tcb->last_ack_sent, tcb->rcv_nxt))
		return "Last.ACK.sent <= RCV.NXT";
	if ((tcb->flags & RNL_F_FIN_SENT) && !(tcb->flags & RNL_F_FIN_QUEUED))
		return "FIN was asked for before it was sent";
	if (tcb->snd_mss == 0)
		return "the send MSS is not zero";
	if (tcb->work == NULL)
		return tcb->snd_una == tcb->snd_nxt ? NULL : "an idle connection has nothing in flight";
	return check_work(core, tcb);
}
