/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns who gives way when received buffers run short. Counted is what a segment pins, a whole buffer,
 * not its octets. In this order: a connection whose out-of-order buffers are mostly air keeps no more
 * (SegmentSmack, CVE-2018-5390); from seven eighths of max_held on, nobody gets more out of order, but
 * what others hold beyond a share is dropped for who asks (it may have been reported with SACK: RFC 2018
 * 8 allows that); when nothing is left, windows stop opening, and open when there is memory again.
 * Looks at a bounded number of blocks for each segment and each iteration. Floor 3.
 * RFC 9293 3.8.6 (SHLD-14: no edge is ever pulled back), RFC 2018 8.
 */
#include "tcp/tcp.h"

#define SHARE 16u       /* a connection's share: one in so many of max_held */
#define SHARE_MIN 2u
#define AIR_BUFS 256u   /* so many buffers may be as empty as they like */
#define LOOKS 64u       /* blocks looked at for one segment */
#define SWEEP 1024u     /* and in one iteration */
#define UPDATES 64u     /* window updates in one iteration */

static bool pressure(const struct rnl_core *core, uint32_t eighths)
{
	return core->held >= core->held_max / 8 * eighths;
}

/* More buffers than their octets are worth: on average less than half of a segment in each. */
static bool airy(const struct rnl_tcb *tcb)
{
	const struct rnl_reasm *r = &tcb->work->reasm;

	return r->bufs > AIR_BUFS && (uint64_t)(r->bufs - AIR_BUFS) * tcb->rcv_mss > 2ull * r->bytes;
}

static uint32_t next_block(const struct rnl_core *core, uint32_t i)
{
	return i + 1 < core->conns.fresh ? i + 1 : 1;
}

static uint32_t share(const struct rnl_core *core)
{
	return RTE_MAX(core->held_max / SHARE, SHARE_MIN);
}

/* Drops what is farthest from RCV.NXT until the rest is the connection's share. */
static void cut_to_share(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_reasm *r = &tcb->work->reasm;

	if (r->bufs <= share(core))
		return;
	while (r->bufs > share(core)) {
		core->held -= rnl_reasm_drop_last(r, &core->ranges);
		rnl_core_count(core, RNL_C_tcp_rx_ooo_reclaimed);
	}
	rnl_core_timer(core, tcb, core->now_us + rnl_tcb_rto(core, tcb));
}

bool rnl_pressure_reclaim(struct rnl_core *core, const struct rnl_tcb *asks)
{
	unsigned int looks;

	for (looks = 0; looks < LOOKS && pressure(core, 7); looks++) {
		struct rnl_tcb *tcb;

		core->reclaim_at = next_block(core, core->reclaim_at);
		tcb = rnl_core_tcb(core, core->reclaim_at);
		if (tcb != asks && tcb->work != NULL)
			cut_to_share(core, tcb);
	}
	return core->held < core->held_max;
}

/* RFC 9293 3.10.7.4. */
bool rnl_pressure_takes(struct rnl_core *core, const struct rnl_tcb *tcb)
{
	if (airy(tcb)) {
		rnl_core_count(core, RNL_C_tcp_rx_ooo_airy);
		return false;
	}
	if (!pressure(core, 7))
		return true;
	rnl_pressure_reclaim(core, tcb);
	return !pressure(core, 7);
}

void rnl_pressure_held_back(struct rnl_core *core, struct rnl_tcb *tcb)
{
	tcb->flags |= RNL_F_WND_HELD;
	core->held_back = core->conns.fresh; /* a whole round from here */
}

bool rnl_pressure_over(const struct rnl_core *core)
{
	return core->held_back != 0 && !pressure(core, 6);
}

void rnl_pressure_relieve(struct rnl_core *core)
{
	unsigned int looks, updates = 0;

	for (looks = 0; looks < SWEEP && updates < UPDATES && core->held_back != 0; looks++) {
		struct rnl_tcb *tcb;

		core->held_back--;
		core->relieve_at = next_block(core, core->relieve_at);
		tcb = rnl_core_tcb(core, core->relieve_at);
		if (!(tcb->flags & RNL_F_WND_HELD))
			continue;
		tcb->flags &= ~RNL_F_WND_HELD;
		if (tcb->state == RNL_CLOSED || (tcb->flags & RNL_F_FIN_RCVD))
			continue;
		tcb->flags |= RNL_F_ACK_NOW | RNL_F_WND_UPDATE;
		rnl_core_output(core, tcb);
		updates++;
	}
}
