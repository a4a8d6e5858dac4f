/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns how ECN is agreed on: the flags of SYN and SYN-ACK, falling back, and what the final ACK says.
 * Refuses: feedback once the connection is open (ecn.c). Floor 3.
 * RFC 9768 3.1, 3.2.1, 3.2.2.1, 3.2.2.3, 3.2.3.2; RFC 3168 6.1.1; RFC 8257 1.
 */
#include "tcp/tcp.h"

#define ACE_SHIFT 6 /* of RNL_TH_ACE: the field's lowest bit is ECE */
#define CEP_INIT 5u /* RFC 9768 3.2.1 */

enum mode { NONE, CLASSIC, ACCURATE };

static unsigned int ace_of(uint16_t flags)
{
	return (flags & RNL_TH_ACE) >> ACE_SHIFT;
}

/* RFC 9768 3.1.1, 3.2.2.1: tables 2 and 3 encode the ECN field of the other's SYN or SYN-ACK alike. */
static uint16_t reflect(unsigned int ip_ecn)
{
	static const uint8_t ace[] = {[RNL_IPECN_NOT_ECT] = 2,
				      [RNL_IPECN_ECT1] = 3,
				      [RNL_IPECN_ECT0] = 4,
				      [RNL_IPECN_CE] = 6};

	return (uint16_t)(ace[ip_ecn] << ACE_SHIFT);
}

uint16_t rnl_ecn_reflected(unsigned int ip_ecn)
{
	return reflect(ip_ecn);
}

/* What our SYN asks for. A module that lives on marks asks whatever the options say (RFC 8257 1). */
static enum mode asked(const struct rnl_conn_opts *opts)
{
	if (opts->cc->flags & RNL_CC_NEEDS_ECN || opts->ecn == RNL_ECN_ACCURATE)
		return ACCURATE;
	return opts->ecn == RNL_ECN_ON ? CLASSIC : NONE;
}

/*
 * What a SYN gets: RFC 9768 3.1.2, table 2; any combination that is not assigned counts as AccECN
 * (RFC 9768 3.1.3). For one who speaks RFC 3168 alone, CWR and ECE decide (RFC 3168 6.1.1).
 */
static enum mode accepted(const struct rnl_conn_opts *opts, uint16_t flags)
{
	uint16_t bits = flags & RNL_TH_ACE;

	if (bits == 0 || (opts->ecn == RNL_ECN_OFF && !(opts->cc->flags & RNL_CC_NEEDS_ECN)))
		return NONE;
	if (opts->ecn == RNL_ECN_ON)
		return (bits & (RNL_TH_CWR | RNL_TH_ECE)) == (RNL_TH_CWR | RNL_TH_ECE) ? CLASSIC
										      : NONE;
	return bits == (RNL_TH_CWR | RNL_TH_ECE) ? CLASSIC : ACCURATE;
}

/* RFC 9768 3.2.1. */
static struct rnl_ecn *begin(struct rnl_core *core, struct rnl_tcb *tcb, enum mode mode)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	*e = (struct rnl_ecn){.accurate = mode == ACCURATE, .ect = 1};
	tcb->flags |= RNL_F_ECN;
	tcb->flags &= ~RNL_F_ACE;
	if (mode == ACCURATE) {
		e->r_cep = e->s_cep = CEP_INIT;
		e->r_e0b = e->r_e1b = 1;
		tcb->flags |= CEP_INIT << RNL_F_ACE_SHIFT;
	}
	rnl_core_count(core, mode == ACCURATE ? RNL_C_tcp_ecn_accurate : RNL_C_tcp_ecn_classic);
	return e;
}

static void stop_ect(struct rnl_core *core, struct rnl_ecn *e, enum rnl_counter why)
{
	e->ect = 0;
	rnl_core_count(core, why);
}

/* RFC 9768 3.2.2.2: a SYN or SYN-ACK of ours was marked: answered as if the window had been. */
static void handshake_marked(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = rnl_tcb_busy(core, tcb);
	struct rnl_ack_sample s = {.now_us = core->now_us, .ece = true};

	if (w == NULL)
		return;
	s.inflight_bytes = w->cc.cwnd_bytes;
	w->ccops->on_congestion(&w->cc, RNL_CC_ECN, &s);
	rnl_core_count(core, RNL_C_tcp_ecn_reductions);
}

/* ---- active open ---- */

void rnl_ecn_connect(struct rnl_core *core, struct rnl_tcb *tcb)
{
	enum mode mode = asked(&rnl_core_policy(core, tcb)->opts);

	if (mode == NONE)
		return;
	*rnl_ecn_of(core, tcb) = (struct rnl_ecn){.accurate = mode == ACCURATE, .pending = 1};
	tcb->flags |= RNL_F_ECN;
}

/*
 * RFC 9768 3.1.4.1, RFC 3168 6.1.1.1: asked once more, then no longer: what drops SYNs with these flags
 * must not keep us from connecting.
 * DEVIATES RFC 9768 3.1.4.1: failed attempts are not remembered for later connections.
 */
static uint16_t syn_flags(struct rnl_core *core, const struct rnl_tcb *tcb, struct rnl_ecn *e)
{
	if (tcb->backoff < 2)
		return e->accurate ? RNL_TH_ACE : RNL_TH_CWR | RNL_TH_ECE;
	if (!e->fell_back)
		rnl_core_count(core, RNL_C_tcp_ecn_syn_fallback);
	e->fell_back = 1;
	return 0;
}

uint16_t rnl_ecn_syn(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_tcpopt *opt)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if (!(tcb->flags & RNL_F_ECN))
		return 0;
	if (tcb->state == RNL_SYN_SENT)
		return syn_flags(core, tcb, e);
	if (!e->accurate)
		return RNL_TH_ECE;
	if (tcb->backoff == 0)
		rnl_ecn_first_option(opt);
	return reflect(e->syn_ip);
}

/* RFC 9768 3.1.2, table 2, right column; 3.1.3 for the combination that is not assigned. */
static enum mode answered(const struct rnl_ecn *e, unsigned int ace)
{
	static const uint8_t table[8] = {NONE,	   CLASSIC,  ACCURATE, ACCURATE,
					 ACCURATE, ACCURATE, ACCURATE, NONE};

	if (e->accurate)
		return table[ace];
	/* RFC 3168 6.1.1: ECE without CWR. */
	return (ace & 3) == 1 ? CLASSIC : NONE;
}

static void refused(struct rnl_core *core, struct rnl_tcb *tcb, unsigned int ace)
{
	tcb->flags &= ~(RNL_F_ECN | RNL_F_ACE);
	rnl_core_count(core, ace == 7 ? RNL_C_tcp_ecn_broken : RNL_C_tcp_ecn_refused);
}

/* Both ends sent SYN: as a responder would (RFC 9768 3.1.2). */
static void crossed(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	bool fell_back = (tcb->flags & RNL_F_ECN) && rnl_ecn_of(core, tcb)->fell_back;
	enum mode mode = accepted(&rnl_core_policy(core, tcb)->opts, seg->flags);
	struct rnl_ecn *e;

	if (mode == NONE) {
		tcb->flags &= ~RNL_F_ECN;
		return;
	}
	e = begin(core, tcb, mode);
	e->syn_ip = seg->tos & RNL_IPECN_MASK;
	e->ect = !fell_back;
}

void rnl_ecn_answered(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);
	unsigned int ace = ace_of(seg->flags);
	bool fell_back;
	enum mode mode;

	if (!(seg->flags & RNL_TH_ACK)) {
		crossed(core, tcb, seg);
		return;
	}
	if (!(tcb->flags & RNL_F_ECN))
		return;
	mode = answered(e, ace);
	fell_back = e->fell_back;
	if (mode == NONE) {
		refused(core, tcb, ace);
		return;
	}
	e = begin(core, tcb, mode);
	if (mode == CLASSIC) {
		e->ect = !fell_back; /* RFC 3168 6.1.1; a client of AccECN may (RFC 9768 3.1.4.1) */
		return;
	}
	e->test_ack = e->test_data = 1;
	/* RFC 9768 3.2.2.3: our SYN had Not-ECT. */
	if (ace != 2 && ace != 5)
		stop_ect(core, e, RNL_C_tcp_ecn_mangled);
	rnl_ecn_syn_ack_counts(core, tcb, seg);
	rnl_ecn_take_option(core, tcb, seg);
}

void rnl_ecn_established(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if (!(tcb->flags & RNL_F_ECN) || !e->accurate) {
		tcb->flags |= RNL_F_ACK_NOW;
		rnl_core_output(core, tcb);
		return;
	}
	if (ace_of(seg->flags) == 6)
		handshake_marked(core, tcb);
	if (!rnl_ecn_ack_syn_ack(core, tcb, seg)) {
		tcb->flags |= RNL_F_ACK_NOW;
		rnl_core_output(core, tcb);
	}
}

bool rnl_ecn_ack_syn_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);
	bool sent;

	e->syn_ip = seg->tos & RNL_IPECN_MASK;
	e->hs = 1;
	sent = rnl_emit_ack(core, tcb, tcb->snd_nxt, 0);
	e->hs = 0;
	if (sent)
		rnl_core_count(core, RNL_C_tcp_tx_acks);
	return sent;
}

/* ---- passive open ---- */

void rnl_ecn_offer(struct rnl_mini *mini, const struct rnl_conn_opts *opts,
		   const struct rnl_seg *seg)
{
	enum mode mode = accepted(opts, seg->flags);

	mini->ecn = seg->tos & RNL_MINI_ECN_SYN;
	if (mode != NONE)
		mini->flags |= mode == ACCURATE ? RNL_MINI_ACCECN : RNL_MINI_ECN;
}

uint8_t rnl_ecn_of_final_ack(const struct rnl_conn_opts *opts, uint16_t flags, uint8_t remembered)
{
	if (ace_of(flags) >= 2 && accepted(opts, RNL_TH_ACE) == ACCURATE)
		return RNL_MINI_ACCECN;
	return remembered & RNL_MINI_ECN;
}

uint16_t rnl_ecn_mini(const struct rnl_mini *mini, bool syn, struct rnl_tcpopt *opt)
{
	if (mini->flags & RNL_MINI_ACCECN) {
		if (!syn)
			return (uint16_t)((mini->state == RNL_TIME_WAIT ? mini->ecn & 7u : CEP_INIT)
					  << ACE_SHIFT);
		if (mini->retries >= 2) /* RFC 9768 3.2.3.2.2 */
			return 0;
		if (!(mini->ecn & RNL_MINI_ECN_NO_OPT))
			rnl_ecn_first_option(opt);
		return reflect(mini->ecn & RNL_MINI_ECN_SYN);
	}
	/* RFC 3168 6.1.1.1: a SYN that does not ask is answered likewise. */
	return syn && (mini->flags & RNL_MINI_ECN) && !(mini->ecn & RNL_MINI_ECN_NO_ECT)
		   ? RNL_TH_ECE
		   : 0;
}

bool rnl_ecn_syn_again(struct rnl_core *core, struct rnl_mini *mini, const struct rnl_seg *seg)
{
	bool accurate = mini->flags & RNL_MINI_ACCECN;
	uint16_t bits = seg->flags & RNL_TH_ACE;
	bool classic_syn = bits == (RNL_TH_CWR | RNL_TH_ECE);

	if (!(mini->flags & (RNL_MINI_ACCECN | RNL_MINI_ECN)) || (seg->flags & RNL_TH_ACK) ||
	    seg->seq + 1 != mini->rcv_nxt)
		return true;
	if (bits != 0 && classic_syn == accurate && core->policies[mini->policy].opts.ecn != RNL_ECN_ON) {
		rnl_core_count(core, RNL_C_tcp_ecn_conflict);
		return false;
	}
	mini->ecn = (uint8_t)((mini->ecn & ~RNL_MINI_ECN_SYN) | (seg->tos & RNL_IPECN_MASK) |
			      RNL_MINI_ECN_NO_OPT | (bits == 0 ? RNL_MINI_ECN_NO_ECT : 0));
	return true;
}

void rnl_ecn_mini_expired(struct rnl_core *core, struct rnl_mini *mini)
{
	if (!(mini->flags & RNL_MINI_ACCECN) || mini->retries > 2)
		return;
	mini->ecn |= mini->retries == 1 ? RNL_MINI_ECN_NO_OPT : RNL_MINI_ECN_NO_ECT;
	rnl_core_count(core, RNL_C_tcp_ecn_syn_ack_fallback);
}

/* RFC 9768 3.2.2.1, table 4: the final ACK tells how our SYN-ACK, Not-ECT, arrived. */
static void final_ack(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_ecn *e,
		      const struct rnl_seg *seg)
{
	unsigned int ace = ace_of(seg->flags);

	e->checked = 1;
	if (ace == 0) { /* note 1; with data RFC 9768 3.2.2.4 says the same */
		e->ignore = 1;
		stop_ect(core, e, RNL_C_tcp_ecn_zeroed);
		return;
	}
	if (seg->len > 0 || (seg->opt.has & RNL_OPT_SACK))
		return;
	if (ace == 3 || ace == 4 || ace == 6) /* RFC 9768 3.2.2.3 */
		stop_ect(core, e, RNL_C_tcp_ecn_mangled);
	if (ace == 6) {
		rnl_ecn_set_cep(tcb, e, CEP_INIT + 1);
		handshake_marked(core, tcb);
	}
}

void rnl_ecn_promote(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_mini *mini,
		     const struct rnl_seg *seg)
{
	struct rnl_ecn *e;

	if (!(mini->flags & (RNL_MINI_ACCECN | RNL_MINI_ECN)))
		return;
	e = begin(core, tcb, mini->flags & RNL_MINI_ACCECN ? ACCURATE : CLASSIC);
	e->ect = !(mini->ecn & RNL_MINI_ECN_NO_ECT);
	if (!e->accurate)
		return;
	e->opt_off = !!(mini->ecn & RNL_MINI_ECN_NO_OPT);
	final_ack(core, tcb, e, seg);
	rnl_ecn_take_option(core, tcb, seg);
}

void rnl_ecn_timewait(const struct rnl_core *core, const struct rnl_tcb *tcb,
		      struct rnl_mini *mini)
{
	const struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	mini->ecn = 0;
	if (!(tcb->flags & RNL_F_ECN) || !e->accurate)
		return;
	mini->flags |= RNL_MINI_ACCECN;
	mini->ecn = e->r_cep & 7;
}
