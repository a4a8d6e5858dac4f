/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns what can be known of a connection from outside: Linux's tcp_info, and the clock that says what
 * a sender waited for. Refuses to change anything that TCP acts on. Floor 3.
 */
#include "base/seq.h"
#include "tcp/pmtu.h"
#include "tcp/tcp.h"
#include "wire/ip.h"

/* Octets queued and never sent. */
static uint64_t unsent(const struct rnl_tcb *tcb)
{
	return tcb->work->snd.end - tcb->snd_bytes - (tcb->snd_nxt - tcb->snd_una);
}

static enum rnl_chrono doing(const struct rnl_tcb *tcb)
{
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;

	if (flight != 0 && (tcb->flags & RNL_F_FIN_SENT))
		return RNL_CHRONO_BUSY;
	if (unsent(tcb) == 0) {
		if (flight == 0)
			return RNL_CHRONO_NONE;
		return tcb->flags & RNL_F_WANT_WRITE ? RNL_CHRONO_SNDBUF : RNL_CHRONO_BUSY;
	}
	if (tcb->flags & RNL_F_CWND_LIMITED)
		return RNL_CHRONO_BUSY;
	return tcb->snd_wnd < flight + tcb->snd_mss ? RNL_CHRONO_RWND : RNL_CHRONO_BUSY;
}

static void turn_to(struct rnl_meter *meter, enum rnl_chrono what, uint64_t at_us)
{
	if (meter->chrono != RNL_CHRONO_NONE && at_us > meter->chrono_us)
		meter->chrono_sum[meter->chrono - 1] += at_us - meter->chrono_us;
	meter->chrono = (uint8_t)what;
	meter->chrono_us = at_us;
}

void rnl_info_before_output(const struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_meter *meter = &tcb->work->meter;

	/* Nobody looks when the last octet is acknowledged; that it was is known afterwards. */
	if (tcb->snd_una == tcb->snd_nxt &&
	    (meter->chrono == RNL_CHRONO_BUSY || meter->chrono == RNL_CHRONO_SNDBUF))
		turn_to(meter, RNL_CHRONO_NONE, RTE_MIN(tcb->work->rate.delivered_us, core->now_us));
}

void rnl_info_after_output(const struct rnl_core *core, struct rnl_tcb *tcb)
{
	enum rnl_chrono what;

	if (unlikely(tcb->work == NULL)) /* a producer failed */
		return;
	what = doing(tcb);
	if (what != tcb->work->meter.chrono)
		turn_to(&tcb->work->meter, what, core->now_us);
}

/* Segments that `bytes` fill, as Linux counts them. */
static uint32_t segments(uint32_t bytes, uint32_t mss)
{
	return (bytes + mss - 1) / mss;
}

/* Times of what the sender did, what it does now included. */
static void chrono_info(const struct rnl_core *core, const struct rnl_tcb *tcb,
			struct rnl_conn_info *info)
{
	const struct rnl_meter *meter = &tcb->work->meter;
	uint64_t sum[3], until = core->now_us;

	memcpy(sum, meter->chrono_sum, sizeof(sum));
	if (doing(tcb) == RNL_CHRONO_NONE)
		until = tcb->work->rate.delivered_us;
	if (meter->chrono != RNL_CHRONO_NONE && until > meter->chrono_us)
		sum[meter->chrono - 1] += until - meter->chrono_us;
	info->tcpi_rwnd_limited = sum[RNL_CHRONO_RWND - 1];
	info->tcpi_sndbuf_limited = sum[RNL_CHRONO_SNDBUF - 1];
	info->tcpi_busy_time = sum[0] + sum[1] + sum[2];
}

static uint32_t ms_since(const struct rnl_core *core, uint64_t at_us)
{
	return at_us != 0 ? (uint32_t)((core->now_us - at_us) / 1000) : 0;
}

static void meter_info(const struct rnl_core *core, const struct rnl_tcb *tcb,
		       struct rnl_conn_info *info)
{
	const struct rnl_work *w = tcb->work;
	const struct rnl_meter *meter = &w->meter;

	info->tcpi_last_data_sent = ms_since(core, w->last_send_us);
	if (meter->data_segs_in > 0)
		info->tcpi_last_data_recv = core->now_ms - meter->last_data_rx_ms;
	info->tcpi_rcv_rtt = w->tune.rtt_us;
	info->tcpi_rcv_space = w->tune.space;
	info->tcpi_segs_out = meter->segs_out;
	info->tcpi_segs_in = meter->segs_in;
	info->tcpi_data_segs_in = meter->data_segs_in;
	info->tcpi_data_segs_out = meter->data_segs_out;
	info->tcpi_bytes_sent = meter->bytes_sent;
	info->tcpi_bytes_retrans = meter->bytes_retrans;
	info->tcpi_rcv_ooopack = meter->ooo_segs;
	info->tcpi_dsack_dups = w->dsacks;
	info->tcpi_reord_seen = w->reord_seen;
	info->tcpi_reordering = RTE_MAX(3u, segments(w->reordering_bytes, tcb->snd_mss));
	info->tcpi_min_rtt = rnl_min_rtt_us(&w->min_rtt);
	info->tcpi_total_rto = meter->rtos;
	info->tcpi_total_rto_recoveries = meter->rto_episodes;
	info->tcpi_delivered =
	    (uint32_t)((w->rate.delivered + tcb->snd_mss - 1) / tcb->snd_mss);
	chrono_info(core, tcb, info);
}

static void work_info(const struct rnl_tcb *tcb, const struct rnl_work *w,
		      struct rnl_conn_info *info)
{
	uint32_t flight = tcb->snd_nxt - tcb->snd_una;
	bool syn = tcb->state == RNL_SYN_SENT || tcb->state == RNL_SYN_RECEIVED;
	bool fin = tcb->flags & RNL_F_FIN_SENT;
	uint32_t octets = flight > 0 ? flight - (syn || fin) : 0;

	info->tcpi_unacked = segments(flight, tcb->snd_mss);
	info->tcpi_sacked = w->dup_acks + segments(w->sentq.sacked_bytes, tcb->snd_mss);
	info->tcpi_lost = segments(w->sentq.lost_bytes, tcb->snd_mss);
	info->tcpi_retrans = segments(w->sentq.retrans_bytes, tcb->snd_mss);
	info->tcpi_total_retrans = w->total_retrans;
	info->tcpi_snd_cwnd = w->cc.cwnd_bytes / tcb->snd_mss;
	info->tcpi_snd_ssthresh = w->cc.ssthresh_bytes == UINT32_MAX
				      ? UINT32_MAX
				      : w->cc.ssthresh_bytes / tcb->snd_mss;
	info->tcpi_notsent_bytes = (uint32_t)RTE_MIN(w->snd.end - w->snd.una - octets,
						     (uint64_t)UINT32_MAX);
	info->ooo_bytes = w->reasm.bytes;
	info->unread_bytes = w->rcvq.bytes;
	info->unacked_bytes = flight;
	info->tcpi_delivery_rate = rnl_rate_best(&w->rate);
	info->tcpi_delivery_rate_app_limited = w->rate.best_limited;
	if (w->pacer.rate != 0)
		info->tcpi_pacing_rate = w->pacer.rate;
}

void rnl_tcb_info(const struct rnl_core *core, const struct rnl_tcb *tcb,
		  struct rnl_conn_info *info)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	const uint16_t mtu = rnl_core_mtu(core, tcb->nexthop, &tcb->key.raddr);

	*info = (struct rnl_conn_info){
	    .tuple = tcb->key,
	    .tcpi_state = tcb->state,
	    .tcpi_ca_state = tcb->flags & RNL_F_LOSS ? 4 : tcb->flags & RNL_F_RECOVERY ? 3 : 0,
	    .tcpi_retransmits = tcb->backoff,
	    .tcpi_probes = tcb->probes,
	    .tcpi_backoff = tcb->backoff,
	    .tcpi_options =
		(uint8_t)((tcb->flags & RNL_F_TS ? 1 : 0) | (tcb->flags & RNL_F_SACK ? 2 : 0) |
			  (tcb->flags & RNL_F_WSCALE ? 4 : 0) | (tcb->syn_data ? 32 : 0)),
	    .tcpi_snd_wscale = rnl_wscale_theirs(tcb->wscale),
	    .tcpi_rcv_wscale = rnl_wscale_ours(tcb->wscale),
	    .tcpi_rto = rnl_tcb_rto(core, tcb),
	    .tcpi_ato = opts->delayed_ack_us,
	    .tcpi_snd_mss = tcb->snd_mss,
	    .tcpi_rcv_mss = tcb->rcv_mss,
	    .tcpi_last_ack_recv = core->now_ms - tcb->last_rx_ms,
	    .tcpi_pmtu = rnl_pmtu(core, tcb),
	    .tcpi_rcv_ssthresh = rnl_tune_rcvbuf(core, tcb),
	    .tcpi_rtt = tcb->rtt.srtt_us >> 3,
	    .tcpi_rttvar = tcb->rtt.rttvar_us >> 2,
	    .tcpi_advmss = (uint32_t)(mtu - rnl_ip_hlen(&tcb->key.raddr) - RNL_TCP_HLEN),
	    .tcpi_bytes_acked = tcb->snd_bytes != RNL_BEFORE_STREAM ? tcb->snd_bytes : 0,
	    .tcpi_bytes_received = tcb->rcv_bytes,
	    .tcpi_snd_wnd = tcb->snd_wnd,
	    .tcpi_rcv_wnd = tcb->rcv_adv - tcb->rcv_nxt,
	    .tcpi_pacing_rate = UINT64_MAX,
	    .tcpi_max_pacing_rate =
		opts->max_pacing_bytes_per_s != 0 ? opts->max_pacing_bytes_per_s : UINT64_MAX,
	    .urgent_bytes = rnl_urgent_pending(tcb),
	    .user_timeout_ms = rnl_uto_timeout_ms(core, tcb),
	    .peer_uto_s = rnl_uto_seconds(tcb->uto),
	    .sndbuf_bytes = rnl_tune_sndbuf(core, tcb),
	    .cc = opts->cc->name,
	    .soft_error = tcb->soft_error,
	};
	rnl_ecn_info(core, tcb, info);
	if (tcb->work == NULL)
		return;
	work_info(tcb, tcb->work, info);
	meter_info(core, tcb, info);
}

