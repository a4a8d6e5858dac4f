/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns TIME-WAIT as a mini block: late segments are answered, RST is ignored, a newer SYN may start
 * over. Floor 3. RFC 9293 3.6.1, 3.10.7.4; RFC 6191; RFC 1337.
 */
#include "base/seq.h"
#include "tcp/tcp.h"

static void arm(struct rnl_core *core, struct rnl_mini *mini)
{
	uint32_t ms = core->policies[mini->policy].opts.time_wait_ms;

	rnl_wheel_arm(&core->mini_wheel, rnl_core_mini_index(core, mini),
		      core->now_us + ms * UINT64_C(1000));
}

/* The list is by entry, which is by end as well where all wait equally long. */
static void enlist(struct rnl_core *core, struct rnl_mini *mini)
{
	uint32_t i = rnl_core_mini_index(core, mini);

	mini->older = core->time_wait.tail;
	mini->newer = RNL_NIL;
	if (core->time_wait.head == RNL_NIL)
		core->time_wait.head = i;
	else
		rnl_core_mini(core, core->time_wait.tail)->newer = i;
	core->time_wait.tail = i;
}

void rnl_timewait_unlist(struct rnl_core *core, struct rnl_mini *mini)
{
	if (mini->older == RNL_NIL)
		core->time_wait.head = mini->newer;
	else
		rnl_core_mini(core, mini->older)->newer = mini->newer;
	if (mini->newer == RNL_NIL)
		core->time_wait.tail = mini->older;
	else
		rnl_core_mini(core, mini->newer)->older = mini->older;
	mini->older = mini->newer = RNL_NIL;
}

void rnl_timewait_init(struct rnl_core *core, struct rnl_mini *mini, const struct rnl_tcb *tcb)
{
	uint8_t shift = rnl_wscale_ours(tcb->wscale);

	mini->key = tcb->key;
	mini->state = RNL_TIME_WAIT;
	mini->flags = tcb->flags & RNL_F_TS ? RNL_MINI_TS : 0;
	rnl_ecn_timewait(core, tcb, mini);
	mini->wscale = tcb->wscale;
	mini->retries = 0;
	mini->snd_nxt = tcb->snd_nxt;
	mini->rcv_nxt = tcb->rcv_nxt;
	mini->ts_recent = tcb->ts_recent;
	mini->ts_offset = tcb->ts_offset;
	mini->policy = tcb->policy;
	mini->nexthop = tcb->nexthop;
	mini->wnd = (uint16_t)RTE_MIN((tcb->rcv_adv - tcb->rcv_nxt) >> shift, (uint32_t)UINT16_MAX);
	enlist(core, mini);
	arm(core, mini);
}

/*
 * RFC 6191 2, RFC 9293 3.6.1 (MAY-2): is this SYN younger than all of the old? Timestamps say so when both
 * incarnations have them, or only the new one; else, or when they are equal, the number behind the FIN.
 * DEVIATES RFC 6191 2: a SYN that is not is answered with an ACK, as RFC 9293 3.10.7.4 has it.
 */
static bool younger(const struct rnl_core *core, const struct rnl_mini *mini,
		    const struct rnl_seg *seg)
{
	bool ts = (seg->opt.has & RNL_OPT_TS) && !core->policies[mini->policy].opts.no_timestamps;

	if (ts && !(mini->flags & RNL_MINI_TS))
		return true;
	if (ts && seg->opt.tsval != mini->ts_recent)
		return rnl_seq_gt(seg->opt.tsval, mini->ts_recent);
	return rnl_seq_geq(seg->seq, mini->rcv_nxt);
}

enum rnl_mini_verdict rnl_timewait_input(struct rnl_core *core, struct rnl_mini *mini,
					 const struct rnl_seg *seg)
{
	uint32_t end = seg->seq + seg->len + !!(seg->flags & RNL_TH_FIN);

	if (seg->flags & RNL_TH_RST) { /* RFC 1337 3 */
		rnl_core_count(core, RNL_C_tcp_rx_rst_bad);
		return RNL_MINI_KEEP;
	}
	if ((seg->flags & (RNL_TH_SYN | RNL_TH_ACK)) == RNL_TH_SYN && younger(core, mini, seg))
		return RNL_MINI_RESTART;
	/* A last ACK that needs no answer. */
	if (end == seg->seq && seg->seq == mini->rcv_nxt && seg->ack == mini->snd_nxt &&
	    !(seg->flags & RNL_TH_SYN)) {
		rnl_core_count(core, RNL_C_tcp_time_wait_ignored);
		return RNL_MINI_KEEP;
	}
	/* The peer's FIN again: our ACK was lost (RFC 9293 3.10.7.4, eighth check). */
	if ((seg->flags & RNL_TH_FIN) && end == mini->rcv_nxt) {
		arm(core, mini);
	} else if (end == seg->seq && !rnl_handshake_may_answer(mini)) {
		rnl_core_count(core, RNL_C_tcp_time_wait_ignored);
		return RNL_MINI_KEEP;
	}
	if (rnl_emit_mini(core, mini, false))
		rnl_core_count(core, RNL_C_tcp_time_wait_acks);
	return RNL_MINI_KEEP;
}
