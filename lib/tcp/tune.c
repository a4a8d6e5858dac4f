/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns how large the receive buffer is: dynamic right-sizing. Each time a window's worth of data has
 * come, what the application consumed in that time is scaled to one round trip; the buffer has to
 * hold twice that, because the next window is sent while the sender's rate may double (slow start).
 * It never shrinks while the connection is busy: an edge that was offered stays (RFC 9293 3.8.6,
 * SHLD-14). Refuses: growing while half of the stack's received buffers are in use. Floor 3.
 * RFC 7323 2.3 (the window scale is offered for the limit, at SYN time).
 */
#include "base/seq.h"
#include "tcp/tcp.h"

#define INITIAL_SEGMENTS 10 /* what a sender may begin with (RFC 6928 2) */
#define SLACK_SEGMENTS 16

static uint64_t consumed(const struct rnl_tcb *tcb)
{
	return tcb->rcv_bytes - tcb->work->rcvq.bytes;
}

static void mark(const struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_tune *t = &tcb->work->tune;

	t->mark = rnl_seq_max(tcb->rcv_adv, tcb->rcv_nxt + tcb->rcv_mss);
	t->since_us = core->now_us;
	t->bytes = consumed(tcb);
}

void rnl_tune_start(const struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	struct rnl_tune *t = &tcb->work->tune;

	t->rcvbuf = RTE_MAX(t->rcvbuf, opts->rcvbuf_bytes);
	t->rcvbuf = RTE_MIN(t->rcvbuf, opts->rcvbuf_max_bytes);
	t->space = RTE_MAX(t->space, INITIAL_SEGMENTS * (uint32_t)tcb->rcv_mss);
	mark(core, tcb);
}

/*
 * The peer echoes the timestamp of an ACK of ours with data that this ACK let out: a round trip, or
 * more if it had nothing to send (RFC 7323 4.1). Below two ticks the sender's estimate is finer.
 * Without either, a window cannot have come in less than a round trip.
 */
static uint32_t round_trip(const struct rnl_core *core, const struct rnl_tcb *tcb,
			   const struct rnl_seg *seg, uint32_t elapsed_us)
{
	uint32_t srtt = tcb->rtt.srtt_us >> 3;
	uint32_t ms;

	if ((tcb->flags & RNL_F_TS) && (seg->opt.has & RNL_OPT_TS) && seg->opt.tsecr != 0) {
		ms = core->now_ms + tcb->ts_offset - seg->opt.tsecr;
		if (ms < RNL_RTO_MAX_US / 1000 && (ms > 1 || srtt == 0))
			return RTE_MIN(RTE_MAX(ms * 1000, 1000u), elapsed_us);
	}
	return srtt != 0 ? RTE_MIN(srtt, elapsed_us) : elapsed_us;
}

static void sample(struct rnl_tune *t, uint32_t rtt_us)
{
	if (t->rtt_us == 0)
		t->rtt_us = rtt_us;
	else
		t->rtt_us = t->rtt_us - (t->rtt_us >> 3) + (rtt_us >> 3);
}

/* `took` octets were consumed in one round trip, more than ever before. */
static void grow(struct rnl_core *core, struct rnl_tcb *tcb, uint64_t took)
{
	uint32_t max = rnl_core_policy(core, tcb)->opts.rcvbuf_max_bytes;
	struct rnl_tune *t = &tcb->work->tune;
	uint64_t want = 2 * took + SLACK_SEGMENTS * tcb->rcv_mss;

	/* A sender in slow start doubles again before this shows. */
	want += 2 * want * (took - t->space) / t->space;
	t->space = (uint32_t)took;
	want = RTE_MIN(want, (uint64_t)max);
	if (want <= t->rcvbuf)
		return;
	if (core->held >= core->held_max / 2) {
		rnl_core_count(core, RNL_C_tcp_rcvbuf_held);
		return;
	}
	t->rcvbuf = (uint32_t)want;
	rnl_core_count(core, RNL_C_tcp_rcvbuf_grown);
}

void rnl_tune_received(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	struct rnl_tune *t = &tcb->work->tune;
	uint32_t elapsed = (uint32_t)RTE_MIN(core->now_us - t->since_us, UINT64_C(1) << 30);
	uint64_t took = consumed(tcb) - t->bytes;

	if (elapsed > 0) {
		sample(t, round_trip(core, tcb, seg, elapsed));
		if (t->rtt_us < elapsed)
			took = took * t->rtt_us / elapsed;
	}
	took = RTE_MIN(took, UINT64_C(1) << 30);
	if (took > t->space)
		grow(core, tcb, took);
	mark(core, tcb);
}
