/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the decision what may be sent now: retransmissions first, then new data within
 * min(cwnd, window), FIN, and an ACK when nothing else carried it. Floor 3.
 * RFC 9293 3.7.4 (Nagle), 3.8.6.2.1 (silly windows), 3.8.6.1; RFC 5681 3; RFC 6298 5.
 */
#include "base/seq.h"
#include "tcp/acked.h"
#include "tcp/sackgen.h"

enum verdict {
	SENT,  /* go on */
	DONE,  /* nothing more may be sent now */
	STUCK, /* a resource is missing: again next iteration */
};

static bool no_room(struct rnl_core *core, const struct rnl_tcb *tcb)
{
	if (rnl_txq_room(&rnl_core_port(core, tcb->nexthop)->txq) > 0)
		return false;
	rnl_core_count(core, RNL_C_txq_full);
	return true;
}

/* Range [seq, end) is about to be sent, perhaps again. */
static struct rnl_range stamp(const struct rnl_core *core, const struct rnl_tcb *tcb, uint32_t seq,
			      uint32_t end)
{
	struct rnl_work *w = tcb->work;
	struct rnl_range r = {
	    .seq = seq, .end = end, .sent_us = core->now_us, .mss = tcb->snd_mss, .sends = 1};

	rnl_rate_stamp(&w->rate, &r, rnl_ack_inflight(tcb), (uint32_t)w->sentq.lost_total);
	return r;
}

static void start_rto(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	if (tcb->snd_una == tcb->snd_nxt)
		w->unacked_us = core->now_us;
	if (w->rto_at_us == 0 || w->persist)
		rnl_ack_arm_rto(core, tcb);
}

/* The stream offset of a sequence number; that of SYN is RNL_BEFORE_STREAM. */
static uint64_t offset_of(const struct rnl_tcb *tcb, uint32_t seq)
{
	return tcb->snd_bytes + (seq - tcb->snd_una);
}

static struct rte_mbuf *payload(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t seq,
				uint32_t len, enum verdict *v)
{
	struct rnl_sndbuf_env env = rnl_core_sndbuf_env(core, tcb->nexthop);
	struct rte_mbuf *m;
	int err = 0;

	if (len == 0)
		m = rnl_pkt_alloc(core->hdr_pool);
	else
		m = rnl_sndbuf_packet(&tcb->work->snd, &env, offset_of(tcb, seq), len, &err);
	if (m != NULL)
		return m;
	*v = STUCK;
	if (err == -EIO) {
		rnl_tcb_abort(core, tcb, RNL_REASON_PRODUCE_FAILED);
		*v = DONE;
	} else {
		rnl_core_count(core, RNL_C_tx_no_mbuf);
	}
	return NULL;
}

/* Sends range i again, at most one segment of it. */
static enum verdict resend(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t i)
{
	struct rnl_work *w = tcb->work;
	struct rnl_range *r = rnl_sentq_at(&core->ranges, i);
	uint32_t len = r->end - r->seq - !!(r->flags & RNL_RANGE_FIN);
	struct rnl_range again;
	uint16_t flags = RNL_TH_ACK;
	enum verdict v = SENT;
	struct rte_mbuf *m;

	if (len > tcb->snd_mss) {
		if (rnl_sentq_split(&w->sentq, &core->ranges, i, r->seq + tcb->snd_mss) == RNL_NIL) {
			rnl_core_count(core, RNL_C_pool_ranges_empty);
			return STUCK;
		}
		len = tcb->snd_mss;
	}
	m = payload(core, tcb, r->seq, len, &v);
	if (m == NULL)
		return v;
	if (r->flags & RNL_RANGE_FIN)
		flags |= RNL_TH_FIN;
	if (len > 0 && offset_of(tcb, r->seq) + len == w->snd.end)
		flags |= RNL_TH_PSH;
	again = stamp(core, tcb, r->seq, r->end);
	rnl_sentq_resent(&w->sentq, &core->ranges, i, &again);
	rnl_recovery_resent(core, tcb, r);
	tcb->flags &= ~RNL_F_RTX_NOW;
	w->total_retrans++;
	w->meter.bytes_retrans += len;
	w->last_send_us = core->now_us;
	rnl_pacer_sent(&w->pacer, len);
	rnl_core_count(core, RNL_C_tcp_retransmits);
	if (unlikely(tcb->flags & RNL_F_URGENT))
		flags |= rnl_urgent_flag(tcb, r->seq);
	rnl_emit_data(core, tcb, m, r->seq, flags);
	/* RFC 6675 6, RFC 8985 8: a retransmission found by SACK leaves a round trip after the segment:
	 * the timer of that one would expire before the answer can be here. */
	if ((tcb->flags & (RNL_F_RECOVERY | RNL_F_SACK)) == (RNL_F_RECOVERY | RNL_F_SACK) &&
	    i == w->sentq.head)
		rnl_ack_arm_rto(core, tcb);
	else
		start_rto(core, tcb);
	return SENT;
}

/* The first lost range (RFC 5681 3.2, RFC 6298 5.4, RFC 6675 4, NextSeg (1)). */
static enum verdict retransmit(struct rnl_core *core, struct rnl_tcb *tcb)
{
	return resend(core, tcb, rnl_sentq_first_lost(&tcb->work->sentq, &core->ranges));
}

static enum verdict retransmissions(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	enum verdict v = SENT;

	while (v == SENT && w->sentq.lost_bytes > 0) {
		bool allowed = (tcb->flags & RNL_F_RTX_NOW) ||
			       rnl_ack_inflight(tcb) + tcb->snd_mss <= w->cc.cwnd_bytes ||
			       rnl_ack_inflight(tcb) == 0;

		if (!allowed) {
			tcb->flags |= RNL_F_CWND_LIMITED;
			return DONE;
		}
		if (unlikely(rnl_pacer_room(&w->pacer) < tcb->snd_mss) &&
		    !(tcb->flags & RNL_F_RTX_NOW)) {
			rnl_pace_wait(core, tcb);
			return DONE;
		}
		if (no_room(core, tcb))
			return STUCK;
		v = retransmit(core, tcb);
	}
	return v;
}

/* What the window still takes; 0 also when it shrank below what is out (RFC 9293 3.8.6, SHLD-15). */
static uint32_t window_room(const struct rnl_tcb *tcb)
{
	int32_t room = rnl_seq_diff(tcb->snd_una + tcb->snd_wnd, tcb->snd_nxt);

	return room > 0 ? (uint32_t)room : 0;
}

static uint32_t cwnd_room(const struct rnl_tcb *tcb)
{
	uint32_t inflight = rnl_ack_inflight(tcb);

	return tcb->work->cc.cwnd_bytes > inflight ? tcb->work->cc.cwnd_bytes - inflight : 0;
}

/* The largest packet for the port: one segment, or as many as it cuts itself. */
static uint32_t largest(struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_core_port *port = rnl_core_port(core, tcb->nexthop);
	uint32_t mss = rnl_sackgen_mss(tcb);

	/* The urgent pointer counts from the segment that it stands in: such are not cut by the port. */
	if (!(port->caps & RNL_CAP_TX_TSO) || (tcb->flags & RNL_F_URGENT))
		return mss;
	if (unlikely(tcb->flags & RNL_F_ECN) && !rnl_ecn_may_cut(core, tcb, port->caps))
		return mss;
	return RTE_MAX(port->tso_max_bytes, mss);
}

/*
 * How much of the queued data goes into the next packet; 0: none now.
 * RFC 9293 3.8.6.2.1: (1) a full segment; (2) all that is queued, unless Nagle waits for an ACK;
 * (3) half of the largest window seen; (4) the override timer.
 * RFC 9293 3.9.1.2 (SHLD-28).
 */
static uint32_t next_length(struct rnl_core *core, struct rnl_tcb *tcb, uint64_t left)
{
	uint32_t option = unlikely(tcb->flags & RNL_F_ECN) ? rnl_ecn_reserve(core, tcb) : 0;
	uint32_t mss = rnl_sackgen_mss(tcb) - option; /* SACK blocks go with new data, too */
	uint32_t window = window_room(tcb);
	uint32_t cwnd = cwnd_room(tcb);
	uint32_t len = (uint32_t)RTE_MIN(left, (uint64_t)(largest(core, tcb) - option));
	bool idle = offset_of(tcb, tcb->snd_nxt) == tcb->work->snd.una; /* but for SYN */
	bool nodelay = rnl_core_policy(core, tcb)->opts.nodelay;

	tcb->flags &= ~RNL_F_CWND_LIMITED;
	if (cwnd < RTE_MIN(len, mss)) {
		tcb->flags |= RNL_F_CWND_LIMITED;
		return 0;
	}
	cwnd = RTE_MAX(cwnd, mss);
	len = RTE_MIN(len, cwnd);
	len = RTE_MIN(len, window);
	if (unlikely(len > rnl_pacer_room(&tcb->work->pacer))) {
		len = rnl_pacer_room(&tcb->work->pacer);
		if (len < mss) {
			rnl_pace_wait(core, tcb);
			return 0;
		}
	}
	/* TSO only: cut where single segments would end; one division for many of them. */
	if (len > mss && (len < left || !(nodelay || (tcb->flags & RNL_F_FIN_QUEUED))))
		len -= len % mss;
	if (len >= mss || len == 0)
		return len;
	if (tcb->flags & RNL_F_FORCE_SEND)
		return len;
	if (len == left && (idle || nodelay || (tcb->flags & RNL_F_FIN_QUEUED)))
		return len;
	return len >= tcb->max_snd_wnd / 2 && (len < left || nodelay || idle) ? len : 0;
}

/* FIN goes with the last octet when the window takes both; not before SYN is acknowledged (RFC 9293
 * 3.10.4). */
static bool fin_fits(const struct rnl_tcb *tcb, uint32_t len)
{
	return (tcb->flags & RNL_F_FIN_QUEUED) && !(tcb->flags & RNL_F_FIN_SENT) &&
	       window_room(tcb) > len && tcb->state != RNL_SYN_RECEIVED;
}

/* TSO: as much of len as makes a chain that the port takes. */
static uint32_t segs_fit(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t seq, uint32_t len)
{
	struct rnl_sndbuf_env env = rnl_core_sndbuf_env(core, tcb->nexthop);
	uint32_t fit = rnl_sndbuf_fit(&tcb->work->snd, &env, offset_of(tcb, seq), len,
				      rnl_core_port(core, tcb->nexthop)->tso_max_segs);
	uint32_t mss = rnl_sackgen_mss(tcb);

	return fit < len && fit > mss ? fit - fit % mss : fit;
}

/* Sends [SND.NXT, SND.NXT + len), and FIN behind it when fin is set. */
static enum verdict send_new(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t len, bool fin)
{
	struct rnl_work *w = tcb->work;
	struct rnl_range r;
	uint32_t seq = tcb->snd_nxt;
	uint16_t flags = RNL_TH_ACK;
	enum verdict v = SENT;
	struct rte_mbuf *m;

	if (len > tcb->snd_mss) {
		uint32_t fit = segs_fit(core, tcb, seq, len);

		fin = fin && fit == len;
		len = fit;
	}
	m = payload(core, tcb, seq, len, &v);
	if (m == NULL)
		return v;
	r = stamp(core, tcb, seq, seq + len + fin);
	r.flags |= fin ? RNL_RANGE_FIN : 0;
	if (rnl_sentq_push(&w->sentq, &core->ranges, &r) == RNL_NIL) {
		rnl_core_count(core, RNL_C_pool_ranges_empty);
		rte_pktmbuf_free(m);
		return STUCK;
	}
	/* RFC 9293 3.9.1.2 (MUST-61): PSH on the last of what is queued. */
	if (len > 0 && offset_of(tcb, seq) + len == w->snd.end)
		flags |= RNL_TH_PSH;
	if (len > 0 && len <= window_room(tcb)) /* a window probe is not inside it */
		flags |= RNL_TX_FRESH;
	if (fin) {
		flags |= RNL_TH_FIN;
		tcb->flags |= RNL_F_FIN_SENT;
	}
	start_rto(core, tcb);
	tcb->snd_nxt = r.end;
	tcb->flags &= ~RNL_F_FORCE_SEND;
	w->last_send_us = core->now_us;
	rnl_pacer_sent(&w->pacer, len);
	rnl_count_n(&core->counters, RNL_C_tcp_tx_bytes, len);
	w->prr.out += len;
	if ((w->dup_acks | w->sentq.sacked_bytes) != 0 && !(tcb->flags & RNL_F_RECOVERY))
		rnl_core_count(core, RNL_C_tcp_limited_transmits);
	if (unlikely(tcb->flags & RNL_F_URGENT))
		flags |= rnl_urgent_flag(tcb, seq);
	rnl_emit_data(core, tcb, m, seq, flags);
	return SENT;
}

/* Something waits and nothing is out that would bring an ACK: ask in time (RFC 9293 3.8.6.1). */
static void start_persist(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	if (tcb->snd_una != tcb->snd_nxt || w->rto_at_us != 0)
		return;
	w->persist = true;
	w->rto_at_us = core->now_us + rnl_tcb_rto(core, tcb);
	rnl_core_timer(core, tcb, w->rto_at_us);
}

/* RFC 5681 4.1: the window of long ago says little about the path of now. */
static void restart_after_idle(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint64_t idle = core->now_us - w->last_send_us;
	bool each = w->ccops->flags & RNL_CC_EACH_RESTART;
	uint32_t rto;

	if (tcb->snd_una != tcb->snd_nxt || w->last_send_us == 0 ||
	    (!each && idle <= rnl_core_policy(core, tcb)->opts.rto_min_us))
		return;
	rto = rnl_tcb_rto(core, tcb);
	if (each ? rnl_sndbuf_left(&w->snd, offset_of(tcb, tcb->snd_nxt)) == 0 : idle <= rto)
		return;
	w->ccops->on_restart(&w->cc, rnl_cc_initial_window(tcb->snd_mss), idle, rto);
	rnl_core_count(core, RNL_C_tcp_idle_restarts);
}

static enum verdict new_data(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	enum verdict v = SENT;

	restart_after_idle(core, tcb);
	while (v == SENT && !(tcb->flags & RNL_F_FIN_SENT)) {
		uint64_t left = rnl_sndbuf_left(&w->snd, offset_of(tcb, tcb->snd_nxt));
		uint32_t len = left > 0 ? next_length(core, tcb, left) : 0;
		bool fin = len == left && fin_fits(tcb, len);

		if (len == 0 && !fin) {
			if ((left > 0 || (tcb->flags & RNL_F_FIN_QUEUED)) && w->pace_at_us == 0)
				start_persist(core, tcb);
			return DONE;
		}
		if (no_room(core, tcb))
			return STUCK;
		v = send_new(core, tcb, len, fin);
	}
	return v;
}

/* Beyond the window on purpose: the answer says how wide it is (RFC 9293 3.8.6.1, MUST-36). */
bool rnl_output_probe(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	bool data = rnl_sndbuf_left(&w->snd, offset_of(tcb, tcb->snd_nxt)) > 0;
	enum verdict v;

	if (no_room(core, tcb))
		return false;
	if (tcb->snd_una == tcb->snd_nxt) {
		v = send_new(core, tcb, data, !data);
	} else {
		rnl_recovery_head_lost(core, tcb);
		v = retransmit(core, tcb);
	}
	return v == SENT;
}

/* RFC 8985 7.3: the last segment, which is what shows the loss of those before it. */
static enum verdict repeat_tail(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint32_t i = w->sentq.tail;
	const struct rnl_range *r = rnl_sentq_at(&core->ranges, i);
	uint32_t len = r->end - r->seq - !!(r->flags & RNL_RANGE_FIN);

	if (len > tcb->snd_mss) {
		uint32_t last = len % tcb->snd_mss;

		last = last != 0 ? last : tcb->snd_mss;
		i = rnl_sentq_split(&w->sentq, &core->ranges, i, r->seq + len - last);
		if (i == RNL_NIL) {
			rnl_core_count(core, RNL_C_pool_ranges_empty);
			return STUCK;
		}
	}
	return resend(core, tcb, i);
}

/* RFC 8985 7.3. */
bool rnl_output_tlp(struct rnl_core *core, struct rnl_tcb *tcb, bool *retrans)
{
	uint64_t left = 0;
	uint32_t len;

	if (no_room(core, tcb))
		return false;
	if (!(tcb->flags & RNL_F_FIN_SENT))
		left = rnl_sndbuf_left(&tcb->work->snd, offset_of(tcb, tcb->snd_nxt));
	len = (uint32_t)RTE_MIN(left, (uint64_t)tcb->snd_mss);
	*retrans = len == 0 || len > window_room(tcb);
	if (*retrans)
		return repeat_tail(core, tcb) == SENT;
	return send_new(core, tcb, len, len == left && fin_fits(tcb, len)) == SENT;
}

static enum verdict send_syn(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	struct rnl_range r = stamp(core, tcb, tcb->snd_una, tcb->snd_una + 1);

	if (!rnl_sentq_empty(&w->sentq)) {
		uint32_t i = w->sentq.head; /* data may follow it */

		if (!(rnl_sentq_at(&core->ranges, i)->flags & RNL_RANGE_LOST))
			return DONE;
		if (!rnl_emit_syn(core, tcb))
			return STUCK;
		rnl_core_count(core, tcb->state == RNL_SYN_RECEIVED ? RNL_C_tcp_syn_ack_retransmits
								    : RNL_C_tcp_syn_retransmits);
		rnl_sentq_resent(&w->sentq, &core->ranges, i, &r);
		return DONE;
	}
	r.flags |= RNL_RANGE_SYN;
	if (w->unacked_us == 0) /* the connect timeout counts from the first attempt */
		w->unacked_us = core->now_us;
	if (no_room(core, tcb))
		return STUCK;
	if (rnl_sentq_push(&w->sentq, &core->ranges, &r) == RNL_NIL) {
		rnl_core_count(core, RNL_C_pool_ranges_empty);
		return STUCK;
	}
	tcb->snd_nxt = r.end;
	rnl_ack_arm_rto(core, tcb);
	/* Without a buffer the SYN is lost, as it may be anywhere else. */
	rnl_emit_syn(core, tcb);
	return DONE;
}

/* What no segment with data carried. RFC 9293 3.8.6.3 (MUST-40). */
static enum verdict acks(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint32_t flags = tcb->flags;
	struct rnl_work *w = tcb->work;
	uint32_t delay = rnl_core_policy(core, tcb)->opts.delayed_ack_us;

	if (flags & RNL_F_ACK_NOW) {
		if (!rnl_emit_ack(core, tcb, tcb->snd_nxt, 0))
			return STUCK;
		rnl_core_count(core, flags & RNL_F_WND_UPDATE ? RNL_C_tcp_tx_window_updates
							      : RNL_C_tcp_tx_acks);
	} else if ((flags & RNL_F_ACK_DELAYED) && w != NULL && w->delack_at_us == 0) {
		w->delack_at_us = core->now_us + delay;
		rnl_core_timer(core, tcb, w->delack_at_us);
	}
	return DONE;
}

/*
 * RFC 7413 4.2.2: after a Fast Open the server need not wait for the last ACK of the handshake, unless
 * its SYN-ACK got lost: then what works is found out first.
 */
static enum verdict before_established(struct rnl_core *core, struct rnl_tcb *tcb)
{
	enum verdict v = send_syn(core, tcb);

	if (v == STUCK || tcb->state != RNL_SYN_RECEIVED || !(tcb->flags & RNL_F_PASSIVE) ||
	    tcb->syn_lost || (tcb->flags & RNL_F_URGENT))
		return v;
	rnl_info_before_output(core, tcb);
	rnl_pace_begin(core, tcb);
	v = new_data(core, tcb);
	rnl_info_after_output(core, tcb);
	return v;
}

static bool may_send_data(const struct rnl_tcb *tcb)
{
	switch (tcb->state) {
	case RNL_ESTABLISHED:
	case RNL_CLOSE_WAIT:
	case RNL_FIN_WAIT_1:
	case RNL_CLOSING:
	case RNL_LAST_ACK:
		return true;
	default:
		return false;
	}
}

bool rnl_tcp_output(struct rnl_core *core, struct rnl_tcb *tcb)
{
	enum verdict v = SENT;

	if (tcb->state == RNL_CLOSED)
		return true;
	if (tcb->state == RNL_SYN_SENT || tcb->state == RNL_SYN_RECEIVED)
		return before_established(core, tcb) != STUCK;
	if (tcb->work != NULL && may_send_data(tcb)) {
		uint32_t nxt = tcb->snd_nxt;

		rnl_info_before_output(core, tcb);
		rnl_pace_begin(core, tcb);
		v = retransmissions(core, tcb);
		if (v == SENT)
			v = new_data(core, tcb);
		rnl_info_after_output(core, tcb);
		if (tcb->snd_nxt != nxt && tcb->work != NULL)
			rnl_tlp_schedule(core, tcb);
	}
	/* An ACK does not wait for the buffer that data waits for: it may be what frees one. */
	if (tcb->state != RNL_CLOSED && acks(core, tcb) == STUCK)
		v = STUCK;
	return v != STUCK;
}
