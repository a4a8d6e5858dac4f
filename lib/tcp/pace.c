/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns how fast a paced connection sends: the rate that its congestion control or its options ask
 * for, the wait for it, and whether the application keeps up with the network. The wait is one more
 * deadline of the connection's timer. ACKs, probes, the retransmission of the head after a timeout
 * and a FIN without data do not wait. Floor 3.
 * draft-ietf-ccwg-bbr 4.1.2.4, 5.6.2.
 */
#include "tcp/tcp.h"

#define QUANTUM_MAX 65536u /* octets (draft-ietf-ccwg-bbr 5.6.3) */

/*
 * What a window that is sent evenly over a round trip makes, with room to grow: twice that in slow
 * start, as the window doubles, later 1.2 times. 0: no round trip was measured yet.
 */
static uint64_t window_rate(const struct rnl_tcb *tcb)
{
	const struct rnl_cc *cc = &tcb->work->cc;
	uint32_t srtt_us = tcb->rtt.srtt_us >> 3;
	uint32_t percent = cc->cwnd_bytes < cc->ssthresh_bytes / 2 ? 200 : 120;

	if (srtt_us == 0)
		return 0;
	return (uint64_t)cc->cwnd_bytes * percent * 10000 / srtt_us;
}

static uint32_t quantum_of(const struct rnl_cc *cc, uint64_t rate)
{
	uint32_t quantum = cc->quantum_bytes;

	if (cc->pacing_bytes_per_s == 0) /* about a millisecond's */
		quantum = (uint32_t)RTE_MIN(rate >> 10, (uint64_t)QUANTUM_MAX);
	return RTE_MAX(quantum, 2 * cc->mss);
}

uint64_t rnl_pace_rate(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	uint64_t rate = tcb->work->cc.pacing_bytes_per_s;
	uint64_t most = opts->max_pacing_bytes_per_s;

	if (rate == 0 && opts->pacing)
		rate = window_rate(tcb);
	if (most != 0 && (rate == 0 || rate > most))
		rate = most;
	return rate;
}

void rnl_pace_open(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint64_t now_ns = core->now_us * 1000;
	uint64_t rate;

	if (w->pacer.rate != 0 && now_ns < w->pacer.next_ns)
		return;
	rate = rnl_pace_rate(core, tcb);
	rnl_pacer_set(&w->pacer, rate, quantum_of(&w->cc, rate));
	rnl_pacer_open(&w->pacer, now_ns);
	w->pace_at_us = 0;
}

/* draft-ietf-ccwg-bbr 4.1.2.4, CheckIfApplicationLimited. */
void rnl_pace_check_limited(struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint32_t inflight = rnl_ack_inflight(tcb);

	if (tcb->snd_bytes + (tcb->snd_nxt - tcb->snd_una) >= w->snd.end && w->sentq.lost_bytes == 0 &&
	    inflight < w->cc.cwnd_bytes)
		rnl_rate_limited(&w->rate, inflight);
}

void rnl_pace_wait(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	w->pace_at_us = (w->pacer.next_ns + 999) / 1000;
	rnl_core_count(core, RNL_C_tcp_paced);
	rnl_core_timer(core, tcb, w->pace_at_us);
}
