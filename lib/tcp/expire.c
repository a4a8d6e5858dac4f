/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns what happens when time passes. A connection has one wheel node; its deadlines are numbers, and
 * the node is armed for the earliest or earlier: work that cancels a deadline leaves the node alone,
 * and a node that fires for nothing arms itself anew. Floor 3.
 *
 *   retransmission  RFC 6298 5, RFC 9293 3.8.3 (R1, R2)
 *   loss            RFC 8985 6.2 (reordering), 7 (tail loss probe)
 *   persist         RFC 9293 3.8.6.1: the window is closed, or too small to be worth a segment
 *   delayed ACK     RFC 9293 3.8.6.3
 *   pacing          draft-ietf-ccwg-bbr 5.6.2: what waited may be sent
 *   keepalive       RFC 9293 3.8.4
 *   user timeout, connect timeout, idle timeout, FIN-WAIT-2 of a closed connection, TS.Recent's age
 *   (RFC 7323 5.5), the application's own timer; and the folding of a working set that is not used
 */
#include <errno.h>

#include "base/seq.h"
#include "tcp/acked.h"
#include "tcp/pmtu.h"

#define R1 3 /* RFC 9293 3.8.3 (SHLD-10) */
#define PROBE_BACKOFF_MAX 16
#define TS_STALE_MS (24u * 24 * 3600 * 1000) /* RFC 7323 5.5 */

/* Milliseconds from now to a tick that is at most 24 days away; not positive: it passed. */
static int32_t ms_left(const struct rnl_core *core, uint32_t at_ms)
{
	return (int32_t)(at_ms - core->now_ms);
}

static uint64_t at_us(const struct rnl_core *core, uint32_t at_ms)
{
	int32_t left = ms_left(core, at_ms);

	return core->now_us + (left > 0 ? (uint64_t)left * 1000 : 1);
}

static bool connecting(const struct rnl_tcb *tcb)
{
	return tcb->state == RNL_SYN_SENT || tcb->state == RNL_SYN_RECEIVED;
}

/* R2 as a count: nobody waits for a connection that the application closed, so it has a smaller one. */
static uint8_t retries2(const struct rnl_tcb *tcb, const struct rnl_conn_opts *opts)
{
	return tcb->flags & RNL_F_APP_CLOSED ? RTE_MIN(opts->retries2, opts->orphan_retries)
					     : opts->retries2;
}

/* RFC 9293 3.8.3: R2 as a count, for SYN as a time of its own (MUST-23). */
static bool gave_up(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;

	if (connecting(tcb)) {
		uint8_t limit = opts->syn_retries;

		if (tcb->flags & RNL_F_PASSIVE)
			limit = RTE_MIN(limit, (uint8_t)RNL_SYN_ACK_RETRIES);
		if (tcb->backoff < limit)
			return false;
		rnl_tcb_end(core, tcb, RNL_REASON_TIMEOUT_CONNECT);
		return true;
	}
	if (tcb->backoff < retries2(tcb, opts) || rnl_uto_adopted(core, tcb))
		return false;
	rnl_tcb_end(core, tcb, RNL_REASON_TIMEOUT_RETRANSMIT);
	return true;
}

/* RFC 6298 5.4-5.7, RFC 5681 3.1 (eq. 4: once for each flight), RFC 6582 4 (recover). */
static void retransmission_timeout(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	struct rnl_ack_sample s = {0};

	if (gave_up(core, tcb))
		return;
	rnl_core_count(core, RNL_C_tcp_rto);
	w->meter.rtos++;
	w->meter.rto_episodes += tcb->backoff == 0;
	rnl_pmtu_timeout(core, tcb);
	rnl_pace_check_limited(tcb);
	rnl_ack_describe(core, tcb, &s);
	if (connecting(tcb)) {
		tcb->syn_lost = 1;
	} else if (tcb->backoff == 0) {
		w->ccops->on_congestion(&w->cc, RNL_CC_RTO, &s);
		rnl_ecn_cwnd_reduced(core, tcb);
	}
	if (++tcb->backoff >= R1 && !(tcb->flags & RNL_F_R1)) {
		tcb->flags |= RNL_F_R1; /* RFC 9293 3.8.3 (SHLD-9) */
		tcb->soft_error = ETIMEDOUT;
	}
	rnl_recovery_timeout(core, tcb);
	rnl_ack_arm_rto(core, tcb);
	rnl_core_output(core, tcb);
}

/* RFC 6429 3: nobody waits for a closed connection any more; a peer that answers its probes and keeps
 * its window shut must not hold it for ever. */
static bool abandoned(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	uint8_t r2 = retries2(tcb, &rnl_core_policy(core, tcb)->opts);

	return (tcb->flags & RNL_F_APP_CLOSED) && tcb->backoff >= RTE_MIN(r2, PROBE_BACKOFF_MAX);
}

/* RFC 9293 3.8.6.1: for ever as long as the probes are answered (MUST-37); further and further apart.
 * RFC 9293 3.9.1.2 (MUST-60). */
static void persist_timeout(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;

	if (tcb->snd_una == tcb->snd_nxt && tcb->snd_wnd > 0) {
		w->rto_at_us = 0;
		w->persist = false;
		tcb->flags |= RNL_F_FORCE_SEND; /* RFC 9293 3.8.6.2.1 (4) */
		rnl_core_output(core, tcb);
		return;
	}
	if (tcb->probes >= retries2(tcb, &rnl_core_policy(core, tcb)->opts) &&
	    !rnl_uto_adopted(core, tcb)) {
		rnl_tcb_end(core, tcb, RNL_REASON_TIMEOUT_RETRANSMIT);
		return;
	}
	if (abandoned(core, tcb)) {
		rnl_tcb_abort(core, tcb, RNL_REASON_TIMEOUT_RETRANSMIT);
		return;
	}
	if (rnl_output_probe(core, tcb)) {
		rnl_core_count(core, RNL_C_tcp_persist_probes);
		tcb->probes++;
		tcb->backoff += tcb->backoff < PROBE_BACKOFF_MAX;
	}
	if (tcb->state == RNL_CLOSED) /* the producer failed */
		return;
	w->persist = true;
	w->rto_at_us = core->now_us + rnl_tcb_rto(core, tcb);
}

static void rto_due(struct rnl_core *core, struct rnl_tcb *tcb)
{
	if (tcb->work->persist || (tcb->snd_wnd == 0 && !connecting(tcb)))
		persist_timeout(core, tcb);
	else
		retransmission_timeout(core, tcb);
}

static bool keepalive_runs(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	return rnl_core_policy(core, tcb)->opts.keepalive_idle_ms != 0 &&
	       tcb->snd_una == tcb->snd_nxt && tcb->state != RNL_TIME_WAIT;
}

static uint32_t keepalive_at_ms(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	uint32_t idle = opts->keepalive_idle_ms;

	/* RFC 5482 4.2: what the user timeout survives, keepalive must not end. */
	if (rnl_uto_adopted(core, tcb))
		idle = RTE_MAX(idle, rnl_uto_timeout_ms(core, tcb) + 1000);
	return tcb->last_rx_ms + idle + tcb->probes * opts->keepalive_intvl_ms;
}

/* RFC 9293 3.8.4: an ACK of the octet before SND.NXT, without data (SHLD-12); several go unanswered
 * before the peer counts as dead (MUST-29). */
static void keepalive_due(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	uint32_t late;

	if (tcb->probes >= opts->keepalive_probes) {
		rnl_tcb_abort(core, tcb, RNL_REASON_TIMEOUT_KEEPALIVE);
		return;
	}
	/* Options that became shorter, or a loop that stood still, make probes late: the next ones must
	 * not come without an interval between them, or an idle peer would count as dead at once. */
	late = core->now_ms - keepalive_at_ms(core, tcb);
	if (late >= opts->keepalive_intvl_ms)
		tcb->last_rx_ms += late;
	tcb->probes++;
	rnl_core_count(core, RNL_C_tcp_keepalive_probes);
	rnl_emit_ack(core, tcb, tcb->snd_nxt - 1, 0);
}

static void app_timer_due(struct rnl_core *core, struct rnl_tcb *tcb)
{
	tcb->app_timer_ms = 0;
	if (!(tcb->flags & RNL_F_APP_CLOSED)) {
		rnl_core_event(core, tcb, RNL_EV_TIMER);
	} else if (tcb->state == RNL_FIN_WAIT_2) {
		rnl_core_count(core, RNL_C_tcp_fin_wait2_expired);
		rnl_tcb_end(core, tcb, RNL_REASON_NORMAL);
	} else if (!(tcb->events & RNL_EV_END)) {
		rnl_core_count(core, RNL_C_tcp_linger_expired);
		rnl_tcb_abort(core, tcb, RNL_REASON_LOCAL_ABORT);
	}
}

/* Deadlines of the working set. */
static void work_due(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	struct rnl_work *w = tcb->work;
	uint32_t user_ms = rnl_uto_timeout_ms(core, tcb);
	uint64_t age = core->now_us - w->unacked_us;

	if (connecting(tcb) && w->unacked_us != 0 &&
	    age >= opts->connect_timeout_ms * UINT64_C(1000)) {
		rnl_tcb_abort(core, tcb, RNL_REASON_TIMEOUT_CONNECT);
		return;
	}
	if (user_ms != 0 && !connecting(tcb) && tcb->snd_una != tcb->snd_nxt &&
	    age >= user_ms * UINT64_C(1000)) {
		rnl_tcb_abort(core, tcb, RNL_REASON_TIMEOUT_USER);
		return;
	}
	if (w->delack_at_us != 0 && w->delack_at_us <= core->now_us) {
		w->delack_at_us = 0;
		rnl_core_count(core, RNL_C_tcp_tx_delayed_acks);
		tcb->flags |= RNL_F_ACK_NOW;
		rnl_core_output(core, tcb);
	}
	if (w->pace_at_us != 0 && w->pace_at_us <= core->now_us) {
		w->pace_at_us = 0;
		rnl_core_output(core, tcb);
	}
	if (w->loss_at_us != 0 && w->loss_at_us <= core->now_us) {
		if (w->loss_is_pto)
			rnl_tlp_due(core, tcb);
		else
			rnl_recovery_due(core, tcb);
	}
	if (tcb->state != RNL_CLOSED && w->rto_at_us != 0 && w->rto_at_us <= core->now_us)
		rto_due(core, tcb);
}

/* Deadlines that an idle connection has too. */
static void idle_due(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;

	if (tcb->app_timer_ms != 0 && ms_left(core, tcb->app_timer_ms) <= 0)
		app_timer_due(core, tcb);
	if (tcb->state == RNL_CLOSED || connecting(tcb))
		return;
	if ((tcb->flags & RNL_F_TS) && ms_left(core, tcb->last_rx_ms + TS_STALE_MS) <= 0)
		tcb->flags |= RNL_F_TS_STALE;
	if (opts->idle_timeout_ms != 0 && tcb->state != RNL_TIME_WAIT &&
	    ms_left(core, tcb->last_rx_ms + opts->idle_timeout_ms) <= 0) {
		rnl_tcb_abort(core, tcb, RNL_REASON_TIMEOUT_IDLE);
		return;
	}
	if (tcb->flags & RNL_F_PATH)
		rnl_pmtu_due(core, tcb);
	if (keepalive_runs(core, tcb) && ms_left(core, keepalive_at_ms(core, tcb)) <= 0)
		keepalive_due(core, tcb);
}

static uint64_t last_use_us(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	uint64_t rx = core->now_us - (uint64_t)(core->now_ms - tcb->last_rx_ms) * 1000;

	return RTE_MAX(rx, tcb->work->last_send_us);
}

/* What is left in the working set waits for the application, or for the peer to fill a hole: no time
 * changes that. rnl_text_consumed() and pressure.c look at the timer again. */
static bool waits_for_others(const struct rnl_tcb *tcb)
{
	const struct rnl_work *w = tcb->work;

	return !(tcb->flags & RNL_F_ON_OUTPUT) && rnl_sentq_empty(&w->sentq) &&
	       w->snd.head == RNL_NIL && w->rto_at_us == 0 && w->delack_at_us == 0 &&
	       (w->rcvq.head != NULL || !rnl_reasm_empty(&w->reasm));
}

/* An unused working set goes back after one RTO. @return when to look again; UINT64_MAX: it is gone. */
static uint64_t fold_at(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint64_t at = last_use_us(core, tcb) + rnl_tcb_rto(core, tcb);

	if (at > core->now_us)
		return at;
	rnl_tcb_fold(core, tcb);
	if (tcb->work != NULL && waits_for_others(tcb)) {
		tcb->flags |= RNL_F_SLEEPS;
		return UINT64_MAX;
	}
	return tcb->work == NULL ? UINT64_MAX : core->now_us + rnl_tcb_rto(core, tcb);
}

static uint64_t work_deadline(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	const struct rnl_work *w = tcb->work;
	uint32_t user_ms = rnl_uto_timeout_ms(core, tcb);
	uint64_t at = UINT64_MAX;

	if (w->rto_at_us != 0)
		at = w->rto_at_us;
	if (w->loss_at_us != 0)
		at = RTE_MIN(at, w->loss_at_us);
	if (w->delack_at_us != 0)
		at = RTE_MIN(at, w->delack_at_us);
	if (w->pace_at_us != 0)
		at = RTE_MIN(at, w->pace_at_us);
	if (connecting(tcb) && w->unacked_us != 0)
		at = RTE_MIN(at, w->unacked_us + opts->connect_timeout_ms * UINT64_C(1000));
	else if (user_ms != 0 && tcb->snd_una != tcb->snd_nxt)
		at = RTE_MIN(at, w->unacked_us + user_ms * UINT64_C(1000));
	if (at == UINT64_MAX && !connecting(tcb))
		at = fold_at(core, tcb);
	return at;
}

static uint64_t deadline(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	uint64_t at = UINT64_MAX;

	if (tcb->work != NULL && tcb->state != RNL_CLOSED)
		at = work_deadline(core, tcb);
	if (tcb->app_timer_ms != 0)
		at = RTE_MIN(at, at_us(core, tcb->app_timer_ms));
	if (tcb->state == RNL_CLOSED || connecting(tcb) || tcb->state == RNL_TIME_WAIT)
		return at;
	if (opts->idle_timeout_ms != 0)
		at = RTE_MIN(at, at_us(core, tcb->last_rx_ms + opts->idle_timeout_ms));
	if (tcb->flags & RNL_F_PATH)
		at = RTE_MIN(at, rnl_pmtu_deadline(core, tcb));
	if (keepalive_runs(core, tcb))
		at = RTE_MIN(at, at_us(core, keepalive_at_ms(core, tcb)));
	if ((tcb->flags & (RNL_F_TS | RNL_F_TS_STALE)) == RNL_F_TS)
		at = RTE_MIN(at, at_us(core, tcb->last_rx_ms + TS_STALE_MS));
	return at;
}

void rnl_tcp_expire(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint64_t at;

	if (tcb->work != NULL && tcb->state != RNL_CLOSED)
		work_due(core, tcb);
	idle_due(core, tcb);
	at = deadline(core, tcb);
	if (at != UINT64_MAX)
		rnl_core_timer(core, tcb, at);
}

void rnl_tcp_rearm(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint64_t at = deadline(core, tcb);

	if (at != UINT64_MAX)
		rnl_core_timer(core, tcb, at);
}
