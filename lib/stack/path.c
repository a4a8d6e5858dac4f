/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns what ICMP errors do to connections. Whoever knows a tuple can forge one, so each must quote a
 * sequence number that is in flight, and none ends a connection that was established (RFC 5927 5.2).
 * Half-open and TIME-WAIT blocks ignore them: what is real is found out by their timers.
 * Refuses: source quench. Floor 4. RFC 9293 3.9.2.2, RFC 5927 4.1, 5.2, 7.2; RFC 5461 2.1, RFC 6633.
 */
#include <errno.h>

#include "base/seq.h"
#include "stack/stack.h"
#include "tcp/pmtu.h"
#include "wire/icmperr.h"
#include "wire/ip.h"

/* RFC 9293 3.9.1.8, 3.9.2.2 (SHLD-25): the application can see it, unless it does not want to (SHLD-20). */
static enum rnl_counter note(struct rnl_core *core, struct rnl_tcb *tcb, uint8_t err)
{
	if (!rnl_core_policy(core, tcb)->opts.no_soft_errors)
		tcb->soft_error = err;
	return RNL_C_icmp_error_soft;
}

/* RFC 9293 3.9.2.2 (SHLD-26) as RFC 5927 5.2 bounds it: only who still waits for the first answer gives up. */
static enum rnl_counter hard(struct rnl_core *core, struct rnl_tcb *tcb, uint8_t err)
{
	note(core, tcb, err);
	if (tcb->state != RNL_SYN_SENT)
		return RNL_C_icmp_error_soft;
	rnl_tcb_end(core, tcb, err == ECONNREFUSED ? RNL_REASON_REFUSED : RNL_REASON_UNREACHABLE);
	return RNL_C_icmp_error_hard;
}

/* RFC 5927 4.1. A segment without data carries SND.NXT itself; it can elicit an error, too. */
static bool in_flight(const struct rnl_tcb *tcb, uint32_t seq)
{
	return rnl_seq_leq(tcb->snd_una, seq) && rnl_seq_leq(seq, tcb->snd_nxt);
}

static enum rnl_counter connection(struct rnl_core *core, struct rnl_tcb *tcb,
				   const struct rnl_icmp_error *e)
{
	if (tcb->state == RNL_CLOSED || !in_flight(tcb, e->seq))
		return RNL_C_icmp_error_bad_seq;
	switch (e->kind) {
	case RNL_ICMP_TOO_BIG:
		return rnl_pmtu_too_big(core, tcb, e->seq, e->mtu, e->size);
	case RNL_ICMP_HARD:
		return hard(core, tcb, e->err);
	default:
		return note(core, tcb, e->err);
	}
}

/* RFC 9293 3.9.2.2 (MUST-54): to the connection that sent what is quoted, and to no other. */
void rnl_path_error(struct rnl_stack *st, const struct rnl_icmp_error *e)
{
	uint32_t ref = rnl_flow_find(&st->flow, &e->key, rnl_flow_hash(&st->flow, &e->key));
	enum rnl_counter what = RNL_C_icmp_error_no_connection;

	if (ref & RNL_FLOW_MINI)
		what = RNL_C_icmp_error_half_open;
	else if (ref != 0)
		what = connection(&st->core, rnl_core_tcb(&st->core, ref), e);
	rnl_core_count(&st->core, what);
}

bool rnl_path_icmp(struct rnl_stack *st, const struct rte_mbuf *m, const struct rnl_ip *ip,
		   const struct rnl_icmp *msg)
{
	struct rnl_icmp_error e;
	enum rnl_counter why;

	if (!rnl_icmp_is_error(ip, msg))
		return false;
	why = rnl_icmp_error_parse(m, ip, msg, &e);
	/* It came to the address that the segment was sent from. */
	if (why == RNL_C_ok && !rnl_addr_equal(&e.key.laddr, &ip->dst))
		why = RNL_C_icmp_error_bad_quote;
	if (why != RNL_C_ok)
		rnl_core_count(&st->core, why);
	else
		rnl_path_error(st, &e);
	return true;
}
