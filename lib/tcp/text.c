/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the receive side: payload into the in-order queue or reassembly, FIN, and when an ACK is owed
 * for it. Floor 3. RFC 9293 3.8.6.2.2, 3.8.6.3, 3.10.7.4 (seventh and eighth check); RFC 5681 4.2;
 * RFC 2018 8; RFC 2883 4.2.
 */
#include "base/seq.h"
#include "tcp/tcp.h"

void rnl_text_schedule_ack(struct rnl_core *core, struct rnl_tcb *tcb, bool at_once)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;

	/* RFC 9293 3.8.6.3 (SHLD-19): every second full-sized segment. */
	if (at_once || opts->no_delayed_ack ||
	    tcb->rcv_nxt - tcb->last_ack_sent >= 2u * tcb->rcv_mss)
		tcb->flags |= RNL_F_ACK_NOW;
	else
		tcb->flags |= RNL_F_ACK_DELAYED;
	rnl_core_output(core, tcb);
}

/* RFC 9293 3.8.6.2.2: the window is offered again when it has grown by something worth having. */
void rnl_text_consumed(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t len)
{
	uint32_t rcvbuf = rnl_tune_rcvbuf(core, tcb);
	int32_t gain = rnl_seq_diff(rnl_emit_edge(core, tcb), tcb->rcv_adv);
	uint32_t worth =
	    tcb->flags & RNL_F_ZERO_WND ? RTE_MIN(rcvbuf / 2, (uint32_t)tcb->rcv_mss) : rcvbuf / 2;

	if (unlikely(tcb->flags & RNL_F_SLEEPS)) {
		tcb->flags &= ~RNL_F_SLEEPS;
		rnl_core_timer(core, tcb, core->now_us + rnl_tcb_rto(core, tcb));
	}
	if (len == 0 || gain < (int32_t)worth || (tcb->flags & RNL_F_FIN_RCVD))
		return;
	tcb->flags |= RNL_F_ACK_NOW | RNL_F_WND_UPDATE;
	rnl_core_output(core, tcb);
}

static bool under_pressure(const struct rnl_core *core, uint32_t eighths)
{
	return core->held >= core->held_max / 8 * eighths;
}

static void append(struct rnl_core *core, struct rnl_tcb *tcb, struct rte_mbuf *m)
{
	uint16_t bufs = m->nb_segs;
	bool compact = tcb->work->rcvq.head != NULL && under_pressure(core, 6);

	core->held += bufs;
	if (rnl_rcvq_append(&tcb->work->rcvq, m, compact)) {
		core->held -= bufs;
		rnl_core_count(core, RNL_C_tcp_rx_compacted);
	}
}

/* Data that lay behind a hole, if it is filled now. */
static void take_reassembled(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_reasm *r = &tcb->work->reasm;
	uint32_t bufs = r->bufs, bytes;
	struct rte_mbuf *m = rnl_reasm_take(r, &core->ranges, tcb->rcv_nxt, &bytes);

	core->held -= bufs - r->bufs;
	if (m == NULL)
		return;
	tcb->rcv_nxt += bytes;
	tcb->rcv_bytes += bytes;
	rnl_count_n(&core->counters, RNL_C_tcp_rx_bytes, bytes);
	append(core, tcb, m);
}

/*
 * RFC 2018 8: data that was reported may be dropped when memory runs out. Here only the farthest, and
 * only for data that is in order: it is what lets the application go on and free something.
 * @return whether there is room now.
 */
static bool make_room(struct rnl_core *core, struct rnl_tcb *tcb)
{
	while (core->held >= core->held_max && !rnl_reasm_empty(&tcb->work->reasm)) {
		core->held -= rnl_reasm_drop_last(&tcb->work->reasm, &core->ranges);
		rnl_core_count(core, RNL_C_tcp_rx_sack_reneged);
	}
	return core->held < core->held_max;
}

/* RFC 5681 4.2: a segment that fills a gap, in whole or in part, is acknowledged at once. */
static void into_hole(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	if (seg->dup.left == seg->dup.right)
		rnl_reasm_overlap(&tcb->work->reasm, &core->ranges, seg->seq, seg->seq + seg->len,
				  &seg->dup);
	take_reassembled(core, tcb);
	seg->answer = true;
}

static bool in_order(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	if (unlikely(core->held >= core->held_max) && !make_room(core, tcb) &&
	    !rnl_pressure_reclaim(core, tcb)) {
		rnl_core_count(core, RNL_C_tcp_rx_no_buffer);
		return false;
	}
	append(core, tcb, rnl_pkt_slice(seg->m, seg->off, seg->len));
	tcb->rcv_nxt += seg->len;
	tcb->rcv_bytes += seg->len;
	rnl_count_n(&core->counters, RNL_C_tcp_rx_bytes, seg->len);
	if (unlikely(seg->len > tcb->rcv_mss))
		tcb->rcv_mss =
		    (uint16_t)RTE_MIN(seg->len, (uint32_t)rnl_core_port(core, tcb->nexthop)->mtu);
	tcb->work->meter.data_segs_in++;
	tcb->work->meter.last_data_rx_ms = core->now_ms;
	if (unlikely(!rnl_reasm_empty(&tcb->work->reasm)))
		into_hole(core, tcb, seg);
	if (unlikely(rnl_seq_geq(tcb->rcv_nxt, tcb->work->tune.mark)))
		rnl_tune_received(core, tcb, seg);
	tcb->flags &= ~RNL_F_RX_PAUSED;
	rnl_core_event(core, tcb, RNL_EV_RECEIVED);
	rnl_text_schedule_ack(core, tcb, false);
	return true;
}

/*
 * RFC 9293 3.10.7.4 (SHLD-31) and RFC 5681 4.2: kept, and acknowledged at once.
 * DEVIATES RFC 2018 8: a segment that is dropped on arrival is not reported: the peer would take it for
 * delivered and send it again only after a timeout.
 */
static bool out_of_order(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	struct rnl_reasm *r = &tcb->work->reasm;
	uint32_t bufs = r->bufs;
	int added;

	tcb->work->meter.data_segs_in++;
	tcb->work->meter.ooo_segs++;
	tcb->work->meter.last_data_rx_ms = core->now_ms;
	seg->answer = true;
	if (!rnl_pressure_takes(core, tcb)) {
		rnl_core_count(core, RNL_C_tcp_rx_ooo_drop);
		return false;
	}
	added = rnl_reasm_add(r, &core->ranges, seg->seq, rnl_pkt_slice(seg->m, seg->off, seg->len),
			      &seg->dup);
	core->held += r->bufs - bufs;
	rnl_core_count(core, added > 0    ? RNL_C_tcp_rx_out_of_order
			     : added == 0 ? RNL_C_tcp_rx_duplicate
					  : RNL_C_tcp_rx_ooo_drop);
	return true;
}

/* RFC 9293 3.10.7.4, eighth check: everything before the FIN was received. */
static void fin_reached(struct rnl_core *core, struct rnl_tcb *tcb)
{
	tcb->rcv_nxt++;
	tcb->flags |= RNL_F_FIN_RCVD | RNL_F_ACK_NOW;
	rnl_core_event(core, tcb, RNL_EV_EOF);
	rnl_core_output(core, tcb);
	switch (tcb->state) {
	case RNL_ESTABLISHED:
		rnl_tcb_set_state(core, tcb, RNL_CLOSE_WAIT);
		break;
	case RNL_FIN_WAIT_1:
		rnl_tcb_set_state(core, tcb, RNL_CLOSING);
		break;
	case RNL_FIN_WAIT_2:
		rnl_tcb_set_state(core, tcb, RNL_TIME_WAIT);
		rnl_tcb_end(core, tcb, RNL_REASON_NORMAL);
		break;
	default:
		break;
	}
}

/* Whether data was queued that lies behind a FIN at `fin`: one of the two is a lie. */
static bool data_end_after(const struct rnl_core *core, const struct rnl_work *w, uint32_t fin)
{
	const struct rnl_run *last = rnl_pool_at(&core->ranges, w->reasm.tail);

	return !rnl_reasm_empty(&w->reasm) && rnl_seq_gt(last->end, fin);
}

/* A FIN that waits already came again: alone, or behind data that came again as well (RFC 2883 4). */
static void fin_again(struct rnl_seg *seg, uint32_t fin)
{
	if (seg->len == 0)
		seg->dup = (struct rnl_sack){fin, fin + 1};
	else if (seg->dup.right == fin)
		seg->dup.right++;
}

static void process_fin(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	struct rnl_work *w = tcb->work;

	if ((seg->flags & RNL_TH_FIN) && seg->seq + seg->len != tcb->rcv_nxt) {
		if (rnl_seq_lt(seg->seq + seg->len, tcb->rcv_nxt))
			return;
		w = rnl_tcb_busy(core, tcb);
		if (w == NULL)
			return;
		if (data_end_after(core, w, seg->seq + seg->len)) {
			rnl_core_count(core, RNL_C_tcp_rx_beyond_fin);
			return;
		}
		if (w->peer_fin_seen && w->peer_fin == seg->seq + seg->len)
			fin_again(seg, w->peer_fin);
		w->peer_fin = seg->seq + seg->len;
		w->peer_fin_seen = true;
		seg->answer = true;
		return;
	}
	if ((seg->flags & RNL_TH_FIN) ||
	    (w != NULL && w->peer_fin_seen && w->peer_fin == tcb->rcv_nxt))
		fin_reached(core, tcb);
}

static bool receives(const struct rnl_tcb *tcb)
{
	return tcb->state == RNL_ESTABLISHED || tcb->state == RNL_FIN_WAIT_1 ||
	       tcb->state == RNL_FIN_WAIT_2 || tcb->state == RNL_SYN_RECEIVED; /* RFC 7413 4.2.2 */
}

/* RFC 9293 3.4. */
bool rnl_text(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	bool taken = false;

	if (!receives(tcb)) {
		/* RFC 9293 3.10.7.4, seventh check: there is nothing behind a FIN. */
		if (seg->len > 0)
			rnl_core_count(core, RNL_C_tcp_rx_beyond_fin);
		return false;
	}
	if (seg->len > 0) {
		/* RFC 9293 3.6.1 (SHLD-3): the data would be lost, so say so. */
		if (tcb->flags & RNL_F_APP_CLOSED) {
			rnl_core_count(core, RNL_C_tcp_rx_after_close);
			rnl_tcb_abort(core, tcb, RNL_REASON_LOCAL_ABORT);
			return false;
		}
		if (rnl_tcb_busy(core, tcb) == NULL)
			return false;
		if (unlikely(tcb->work->peer_fin_seen)) {
			seg->answer = true;
			if (rnl_seq_gt(seg->seq + seg->len, tcb->work->peer_fin)) {
				rnl_core_count(core, RNL_C_tcp_rx_beyond_fin);
				return false;
			}
		}
		taken = seg->seq == tcb->rcv_nxt ? in_order(core, tcb, seg)
						 : out_of_order(core, tcb, seg);
		/* What could not be kept was not received: nor was the FIN behind it. */
		if (!taken)
			return false;
	}
	process_fin(core, tcb, seg);
	return taken;
}
