/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns ECN on an open connection: which packets of ours may be marked, what marks on the peer's
 * packets are told to it, and what the peer tells of ours: congestion control gets it. Refuses: the
 * handshake (ecn_open.c). Floor 3. RFC 3168 6.1.2-6.1.6; RFC 9768 3.1.5, 3.2, 3.3.4; RFC 8257 3.2.
 */
#include "base/seq.h"
#include "tcp/tcp.h"
#include "wire/tcpopt.h"

#define ACE_SHIFT 6
#define BYTES_MASK 0xffffffu
#define STRETCH 4 /* segments for each ACK, on average, from which ACKs count as thinned out */

/* The counter of an ECN field, as a bit of `ever`; 0: none. */
static const uint8_t counter_of[4] = {
    [RNL_IPECN_ECT1] = RNL_ECN_E1, [RNL_IPECN_ECT0] = RNL_ECN_E0, [RNL_IPECN_CE] = RNL_ECN_CE};

void rnl_ecn_set_cep(struct rnl_tcb *tcb, struct rnl_ecn *e, uint32_t cep)
{
	e->s_cep = cep;
	tcb->flags = (tcb->flags & ~RNL_F_ACE) | (cep & 7) << RNL_F_ACE_SHIFT;
}

/* ---- receiving marks ---- */

/* RFC 9768 3.2: r.ceb, r.e0b and r.e1b count payload. */
static void count_bytes(struct rnl_ecn *e, unsigned int ip_ecn, uint32_t len)
{
	uint32_t bit = counter_of[ip_ecn];

	if (ip_ecn == RNL_IPECN_ECT0)
		e->r_e0b = (e->r_e0b + len) & BYTES_MASK;
	else if (ip_ecn == RNL_IPECN_CE)
		e->r_ceb = (e->r_ceb + len) & BYTES_MASK;
	else if (ip_ecn == RNL_IPECN_ECT1)
		e->r_e1b = (e->r_e1b + len) & BYTES_MASK;
	e->ever |= bit;
	e->since |= bit;
}

/* RFC 9768 3.2.2.2: CE on SYN-ACKs counts once, however many there are. */
void rnl_ecn_syn_ack_counts(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if ((seg->flags & RNL_TH_CE) && !e->syn_ce) {
		e->syn_ce = 1;
		e->r_cep++;
		rnl_core_count(core, RNL_C_tcp_ecn_rx_ce);
	}
	if (seg->len > 0)
		count_bytes(e, seg->tos & RNL_IPECN_MASK, seg->len);
}

/* RFC 9768 3.2.2.5.1: which segments get an ACK of their own. */
static void receive_accurate(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_ecn *e,
			     const struct rnl_seg *seg)
{
	bool ce = seg->flags & RNL_TH_CE;

	if (!e->checked) {
		e->checked = 1;
		if (!(seg->flags & RNL_TH_ACE)) { /* RFC 9768 3.2.2.4 */
			e->ignore = 1;
			e->ect = 0;
			rnl_core_count(core, RNL_C_tcp_ecn_zeroed);
		}
	}
	if (seg->len > 0)
		count_bytes(e, seg->tos & RNL_IPECN_MASK, seg->len);
	if (ce) {
		bool waiting = seg->len > 0 || tcb->rcv_nxt != tcb->last_ack_sent;

		e->r_cep++;
		e->run = RTE_MIN(e->run + 1u, 7u);
		e->ack_due |= (seg->len > 0 && !e->last_ce) || e->run >= (waiting ? 2 : 3);
	}
	e->last_ce = ce;
}

/*
 * RFC 8257 3.2: a change of DCTCP.CE is told at once, and what came before it in the old state.
 * While it is set every segment leaves the predicted path: the one without CE must be seen.
 */
static void receive_dctcp(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_ecn *e, bool ce)
{
	if (ce == e->echo)
		return;
	if (tcb->flags & (RNL_F_ACK_NOW | RNL_F_ACK_DELAYED))
		rnl_emit_ack_now(core, tcb);
	e->echo = ce;
	e->ack_due = 1;
	tcb->flags &= ~RNL_F_ACE;
	tcb->flags |= ce ? RNL_F_ACE : 0;
}

/* RFC 3168 6.1.3: from CE on, until CWR. On the same segment CWR comes first (RFC 8257 3.2). */
static void receive_classic(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_ecn *e,
			    const struct rnl_seg *seg)
{
	bool ce = seg->flags & RNL_TH_CE;

	if (seg->len == 0)
		return;
	if (ce)
		e->r_cep++;
	if (rnl_core_policy(core, tcb)->opts.cc->flags & RNL_CC_NEEDS_ECN) {
		receive_dctcp(core, tcb, e, ce);
		return;
	}
	if (seg->flags & RNL_TH_CWR)
		e->echo = 0;
	e->echo |= ce;
}

void rnl_ecn_received(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if (seg->tos & RNL_IPECN_MASK)
		e->seen = 1;
	if (seg->flags & RNL_TH_CE)
		rnl_core_count(core, RNL_C_tcp_ecn_rx_ce);
	if (e->accurate)
		receive_accurate(core, tcb, e, seg);
	else
		receive_classic(core, tcb, e, seg);
}

void rnl_ecn_answer(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if (!e->ack_due || tcb->state == RNL_CLOSED)
		return;
	e->ack_due = 0;
	rnl_core_count(core, RNL_C_tcp_ecn_tx_acks);
	rnl_emit_ack_now(core, tcb);
}

/* ---- sending ---- */

/* How many fields of an option reach the last of these counters (RFC 9768 3.2.3, table 5). */
static unsigned int reach(unsigned int counters, bool order1)
{
	unsigned int last = order1 ? RNL_ECN_E0 : RNL_ECN_E1;

	return counters & last ? 3 : counters & RNL_ECN_CE ? 2 : counters != 0;
}

static bool order1(const struct rnl_ecn *e)
{
	return (e->ever & (RNL_ECN_E0 | RNL_ECN_E1)) == RNL_ECN_E1;
}

void rnl_ecn_first_option(struct rnl_tcpopt *opt)
{
	opt->has |= RNL_OPT_ACCECN;
	opt->accecn = (struct rnl_accecn){.fields = 3, .e0b = 1, .e1b = 1};
}

/*
 * RFC 9768 3.2.3.3: a field for every counter that ever changed, if it fits; one that changed since the
 * last option is never left out; two SACK blocks come first, on data all of them.
 * @return fields, or -1: no option now.
 */
static int fields_fit(const struct rnl_tcb *tcb, const struct rnl_ecn *e, uint32_t len,
		      const struct rnl_tcpopt *opt)
{
	bool test = len > 0 ? e->test_data : e->test_ack;
	unsigned int blocks = len > 0 ? opt->nsack : RTE_MIN(opt->nsack, 2u);
	unsigned int sack = opt->has & RNL_OPT_SACK ? 4 + 8 * blocks : 0;
	unsigned int room = RNL_TCPOPT_MAXLEN - (tcb->flags & RNL_F_TS ? 12 : 0) - sack;
	int least = (int)reach(e->since, order1(e)), n;

	if (len > 0)
		room = tcb->snd_mss > len + sack ? RTE_MIN(room, tcb->snd_mss - len - sack) : 0;
	for (n = test ? 3 : (int)reach(e->ever, order1(e)); n >= least; n--)
		if (rnl_tcpopt_accecn_len((unsigned int)n) <= room)
			return n;
	return -1;
}

static void add_option(struct rnl_tcb *tcb, struct rnl_ecn *e, uint32_t len,
		       struct rnl_tcpopt *opt)
{
	int n = fields_fit(tcb, e, len, opt);

	if (n < 0)
		return;
	opt->has |= RNL_OPT_ACCECN;
	opt->accecn = (struct rnl_accecn){.fields = (uint8_t)n,
					  .order1 = order1(e),
					  .e0b = e->r_e0b,
					  .ceb = e->r_ceb,
					  .e1b = e->r_e1b};
	e->since = 0;
	e->test_ack = 0;
	if (len > 0)
		e->test_data = 0;
	e->first_opt |= len > 0 && tcb->snd_bytes == 0;
}

static void send_accurate(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_ecn *e,
			  struct rnl_ecn_out *out, struct rnl_tcpopt *opt)
{
	/* RFC 9768 3.2.3.2.2: our first data comes again, so the option on it may be what is dropped. */
	if (out->len > 0 && !out->fresh && tcb->snd_bytes == 0 && e->first_opt) {
		e->first_opt = 0;
		e->opt_off = 1;
		rnl_core_count(core, RNL_C_tcp_ecn_option_off);
	}
	out->flags = e->hs ? rnl_ecn_reflected(e->syn_ip) : (uint16_t)((e->r_cep & 7) << ACE_SHIFT);
	e->run = 0;
	e->ack_due = 0;
	if (!e->opt_off && (e->since != 0 || (out->len > 0 ? e->test_data : e->test_ack)))
		add_option(tcb, e, out->len, opt);
}

/* RFC 3168 6.1.2: CWR on the first new data after a reduction; 6.1.5, 6.1.6: on nothing else. */
static void send_classic(struct rnl_core *core, struct rnl_ecn *e, struct rnl_ecn_out *out)
{
	out->flags = e->echo ? RNL_TH_ECE : 0;
	e->ack_due = 0;
	if (!e->cwr || !out->fresh)
		return;
	e->cwr = 0;
	out->flags |= RNL_TH_CWR;
	rnl_core_count(core, RNL_C_tcp_ecn_tx_cwr);
}

/* RFC 3168 6.1.4, 6.1.5, 6.1.6. */
void rnl_ecn_send(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_ecn_out *out,
		  struct rnl_tcpopt *opt)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if (e->accurate)
		send_accurate(core, tcb, e, out, opt);
	else
		send_classic(core, e, out);
	out->tos = out->fresh && e->ect ? RNL_IPECN_ECT0 : RNL_IPECN_NOT_ECT;
}

uint32_t rnl_ecn_reserve(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if (!e->accurate || e->opt_off || (e->since == 0 && !e->test_data))
		return 0;
	return rnl_tcpopt_accecn_len(e->test_data ? 3 : reach(e->ever, order1(e)));
}

/* RFC 9768 3.3.4: devices made for RFC 3168 clear CWR behind the first segment that they cut. */
bool rnl_ecn_may_cut(const struct rnl_core *core, const struct rnl_tcb *tcb, uint32_t caps)
{
	const struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if (rnl_ecn_reserve(core, tcb) > 0)
		return false;
	if (e->accurate)
		return (caps & RNL_CAP_TX_TSO_ECN) || !(e->r_cep & 2);
	return !e->cwr;
}

/* ---- what the peer tells ---- */

static void mangled(struct rnl_core *core, struct rnl_ecn *e)
{
	if (e->ect)
		rnl_core_count(core, RNL_C_tcp_ecn_mangled);
	e->ect = 0;
}

/* The shortest way from the counter to the field (RFC 9768 3.2.3.1). */
static uint32_t step(uint32_t field, uint32_t counter)
{
	return (field - counter) & BYTES_MASK;
}

static void take_other_bytes(struct rnl_ecn_work *w, const struct rnl_accecn *a)
{
	bool e0 = a->fields == 3 || (a->fields > 0 && !a->order1);
	bool e1 = a->fields == 3 || (a->fields > 0 && a->order1);

	if (e0) {
		w->s_e0b += w->has_e0b ? step(a->e0b, w->e0b) : 0;
		w->e0b = a->e0b;
		w->has_e0b = true;
	}
	if (e1) {
		w->s_e1b += w->has_e1b ? step(a->e1b, w->e1b) : 0;
		w->e1b = a->e1b;
		w->has_e1b = true;
	}
}

/* RFC 9768 3.2.3.2.4: both of these counters begin with 1. */
static bool zeroed(const struct rnl_accecn *a)
{
	bool e0 = a->fields == 3 || (a->fields > 0 && !a->order1);
	bool e1 = a->fields == 3 || (a->fields > 0 && a->order1);

	return (e0 && a->e0b == 0) || (e1 && a->e1b == 0);
}

uint32_t rnl_ecn_take_option(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);
	const struct rnl_accecn *a = &seg->opt.accecn;
	uint32_t more = 0;

	if (!(seg->opt.has & RNL_OPT_ACCECN) || e->opt_in == RNL_ECN_OPT_BAD)
		return 0;
	if (e->opt_in == RNL_ECN_OPT_NONE) {
		e->opt_in = zeroed(a) ? RNL_ECN_OPT_BAD : RNL_ECN_OPT_TAKEN;
		if (e->opt_in == RNL_ECN_OPT_BAD) {
			rnl_core_count(core, RNL_C_tcp_ecn_option_zeroed);
			return 0;
		}
	}
	if (a->fields >= 2) {
		more = step(a->ceb, e->s_ceb);
		e->s_ceb = a->ceb & BYTES_MASK;
	}
	if (tcb->work != NULL)
		take_other_bytes(&tcb->work->ecn, a);
	return more;
}

/* Octets that this ACK delivered, and the running average of that. */
static uint32_t newly_delivered(struct rnl_work *work)
{
	struct rnl_ecn_work *w = &work->ecn;
	uint32_t bytes = (uint32_t)work->rate.delivered - w->delivered;

	w->delivered = (uint32_t)work->rate.delivered;
	if (w->ack_bytes == 0)
		w->ack_bytes = RTE_MIN(bytes, UINT32_MAX >> 6) << 6;
	else
		w->ack_bytes += RTE_MIN(bytes, UINT32_MAX >> 7) - (w->ack_bytes >> 6);
	return bytes;
}

/*
 * RFC 9768 3.2.2.5.2: how many packets ACE stands for when so many octets were delivered that it may
 * have gone round: by the option if there is one; else the most that is likely. Where ACKs for many
 * segments are usual, nothing points to lost ones, and the least increment is the likely one.
 */
static uint32_t safe_cep(struct rnl_core *core, const struct rnl_tcb *tcb, uint32_t least,
			 uint32_t bytes, int64_t ce_bytes)
{
	uint32_t mss = tcb->snd_mss;
	uint32_t packets, most;

	if (bytes <= 7 * mss)
		return least;
	packets = (bytes + mss - 1) / mss;
	most = packets - ((packets - least) & 7);
	if (most == least || (int32_t)most < 0)
		return least;
	if (ce_bytes >= 0) {
		if (ce_bytes <= (int64_t)least * mss || ce_bytes * 2 < (int64_t)most * mss)
			return least;
	} else if (tcb->work->ecn.ack_bytes >> 6 > STRETCH * mss) {
		return least;
	}
	rnl_core_count(core, RNL_C_tcp_ecn_ace_cycled);
	return most;
}

/* The octets that congestion control is told of: the option's, less what was guessed before it. */
static uint32_t ce_octets(struct rnl_ecn_work *w, uint32_t guess, bool option, uint32_t from_option)
{
	uint32_t told;

	if (!option) {
		w->guessed += guess;
		return guess;
	}
	told = from_option > w->guessed ? from_option - w->guessed : 0;
	w->guessed = 0;
	return told;
}

/* RFC 9768 3.2.2.2: only an acknowledgement that moves something on is surely not superseded. */
static void ack_accurate(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
			 struct rnl_ack_sample *s)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);
	struct rnl_ecn_work *w = &tcb->work->ecn;
	uint32_t bytes = newly_delivered(tcb->work);
	uint32_t more = rnl_ecn_take_option(core, tcb, seg);
	bool option = (seg->opt.has & RNL_OPT_ACCECN) && e->opt_in == RNL_ECN_OPT_TAKEN;
	uint32_t least = (((seg->flags & RNL_TH_ACE) >> ACE_SHIFT) - e->s_cep) & 7;
	uint32_t cep = least, ce;

	if (e->opt_in != RNL_ECN_OPT_TAKEN || option)
		cep = safe_cep(core, tcb, least, bytes, option ? (int64_t)more : -1);
	if (cep > 0)
		rnl_ecn_set_cep(tcb, e, e->s_cep + cep);
	/* RFC 9768 3.2.3.2.5: octets with CE, but no packet. */
	if (more > 0 && cep == 0 && !e->cep_moved && bytes <= 7u * tcb->snd_mss)
		mangled(core, e);
	e->cep_moved = option ? 0 : e->cep_moved || cep > 0;
	ce = ce_octets(w, RTE_MIN(cep * tcb->snd_mss, bytes), option, more);
	if (e->ignore)
		return;
	s->ce_bytes = ce;
	s->ece = cep > 0;
}

void rnl_ecn_acked(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		   struct rnl_ack_sample *s)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if ((seg->flags & RNL_TH_SYN) || e->pending || (s->acked_bytes | s->sacked_bytes) == 0)
		return;
	if (e->accurate) {
		ack_accurate(core, tcb, seg, s);
	} else if (seg->flags & RNL_TH_ECE) { /* RFC 3168 6.1.2; RFC 8257 3.3 for the octets */
		e->s_cep++;
		s->ece = true;
		s->ce_bytes = s->acked_bytes;
	}
	if (s->ece)
		rnl_core_count(core, RNL_C_tcp_ecn_rx_echo);
}

/*
 * RFC 3168 6.1.2: once for each window of data, and not in a recovery, which has answered already.
 * DEVIATES RFC 3168 6.1.2: with a window of one segment the next one does not wait for the timer.
 * RFC 9293 3.8.2 (SHLD-8).
 */
void rnl_ecn_respond(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_ack_sample *s)
{
	struct rnl_work *w = tcb->work;

	if (!s->ece || (tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS)))
		return;
	if (w->ecn.reduced && rnl_seq_leq(tcb->snd_una, w->ecn.recover))
		return;
	w->ccops->on_congestion(&w->cc, RNL_CC_ECN, s);
	rnl_core_count(core, RNL_C_tcp_ecn_reductions);
	rnl_ecn_reduced(core, tcb);
}

/* RFC 3168 6.1.2: whatever the reason was, CWR tells; with AccECN nothing does (RFC 9768 3.1.5). */
void rnl_ecn_reduced(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	e->cwr = !e->accurate;
	tcb->work->ecn.recover = tcb->snd_nxt;
	tcb->work->ecn.reduced = true;
}

void rnl_ecn_info(const struct rnl_core *core, const struct rnl_tcb *tcb,
		  struct rnl_conn_info *info)
{
	const struct rnl_ecn *e = rnl_ecn_of(core, tcb);

	if (!(tcb->flags & RNL_F_ECN))
		return;
	info->tcpi_options |= e->pending ? 0 : 8;
	info->tcpi_options |= e->seen ? 16 : 0;
	info->tcpi_ecn_mode = e->pending ? 3 : e->accurate ? 2 : 1;
	info->tcpi_received_ce = e->r_cep - (e->accurate ? 5 : 0);
	info->tcpi_delivered_ce = e->s_cep - (e->accurate ? 5 : 0);
	if (!e->accurate || e->pending)
		return;
	info->tcpi_received_ce_bytes = e->r_ceb;
	info->tcpi_received_e0_bytes = (e->r_e0b - 1u) & BYTES_MASK;
	info->tcpi_received_e1_bytes = (e->r_e1b - 1u) & BYTES_MASK;
	info->tcpi_delivered_ce_bytes = e->s_ceb;
	if (tcb->work == NULL)
		return;
	info->tcpi_delivered_e0_bytes = tcb->work->ecn.s_e0b;
	info->tcpi_delivered_e1_bytes = tcb->work->ecn.s_e1b;
}
