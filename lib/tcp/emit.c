/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns how a segment leaves TCP: the window that it offers, its timestamps, its place in the port's
 * transmit queue. Refuses to decide whether one should be sent. Floor 3.
 * RFC 9293 3.8.6.2.2, 3.10.7.1; RFC 7323 2, 3; RFC 2018 2, 4; RFC 5961 7.
 */
#include "base/seq.h"
#include "base/siphash.h"
#include "tcp/fastopen.h"
#include "tcp/sackgen.h"
#include "tcp/tcp.h"
#include "wire/ip.h"

/* In a second, the first on average; RFC 5961 7 leaves the numbers open. */
#define CHALLENGE_PER_PEER 160
#define CHALLENGE_PER_CONN 8
#define RST_PER_SECOND 10000

/* An empty packet to put headers in front of, if the queue has room for it. */
static struct rte_mbuf *empty_packet(struct rnl_core *core, uint16_t nexthop)
{
	struct rte_mbuf *m;

	if (rnl_txq_room(&rnl_core_port(core, nexthop)->txq) == 0) {
		rnl_core_count(core, RNL_C_txq_full);
		return NULL;
	}
	m = rnl_pkt_alloc(core->hdr_pool);
	if (m == NULL)
		rnl_core_count(core, RNL_C_tx_no_mbuf);
	return m;
}

static void queue_packet(struct rnl_core *core, struct rte_mbuf *m, uint16_t nexthop)
{
	rnl_core_count(core, RNL_C_tcp_tx_segments);
	rnl_txq_put(&rnl_core_port(core, nexthop)->txq, m, nexthop);
}

uint32_t rnl_emit_edge(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	uint32_t rcvbuf = rnl_tune_rcvbuf(core, tcb);
	uint32_t queued = tcb->work != NULL ? tcb->work->rcvq.bytes : 0;
	uint32_t room = rcvbuf > queued ? rcvbuf - queued : 0;
	uint32_t field_max = (uint32_t)UINT16_MAX << rnl_wscale_ours(tcb->wscale);

	return tcb->rcv_nxt + RTE_MIN(room, field_max);
}

/*
 * The window to offer: never less than was offered (RFC 9293 3.8.6, SHLD-14), and more only in steps
 * worth having (RFC 9293 3.8.6.2.2, MUST-39). Rounding up to the scale's unit keeps the edge.
 */
static uint16_t select_window(struct rnl_core *core, struct rnl_tcb *tcb, uint8_t shift)
{
	uint32_t rcvbuf = rnl_tune_rcvbuf(core, tcb);
	uint32_t edge = rnl_emit_edge(core, tcb);
	uint32_t step = RTE_MIN(rcvbuf / 2, (uint32_t)tcb->rcv_mss);
	uint32_t field;

	if (rnl_seq_diff(edge, tcb->rcv_adv) < (int32_t)step) {
		edge = tcb->rcv_adv;
	} else if (unlikely(core->held >= core->held_max)) {
		edge = tcb->rcv_adv;
		rnl_pressure_held_back(core, tcb);
	}
	if (rnl_seq_lt(edge, tcb->rcv_nxt))
		edge = tcb->rcv_nxt;
	field = (edge - tcb->rcv_nxt + (1u << shift) - 1) >> shift;
	field = RTE_MIN(field, (uint32_t)UINT16_MAX);
	tcb->rcv_adv = rnl_seq_max(tcb->rcv_adv, tcb->rcv_nxt + (field << shift));
	if (field == 0)
		rnl_core_count(core, RNL_C_tcp_tx_zero_window);
	tcb->flags &= ~RNL_F_ZERO_WND;
	if ((field << shift) < tcb->rcv_mss)
		tcb->flags |= RNL_F_ZERO_WND;
	return (uint16_t)field;
}

/* Whatever is sent acknowledges: nothing is owed any more. */
static void acknowledged(struct rnl_tcb *tcb)
{
	tcb->last_ack_sent = tcb->rcv_nxt;
	tcb->flags &= ~(RNL_F_ACK_NOW | RNL_F_ACK_DELAYED | RNL_F_WND_UPDATE);
	if (tcb->work != NULL)
		tcb->work->delack_at_us = 0;
}

/* For tcp_info. One packet may be cut into several segments by the port. */
static void sent(struct rnl_tcb *tcb, uint32_t payload)
{
	struct rnl_meter *meter = &tcb->work->meter;
	uint32_t segs = 1;

	if (unlikely(payload > tcb->snd_mss))
		segs = (payload + tcb->snd_mss - 1) / tcb->snd_mss;
	meter->segs_out += segs;
	meter->data_segs_out += payload > 0 ? segs : 0;
	meter->bytes_sent += payload;
}

/* RFC 9293 3.9.1.9 (MUST-48, SHLD-22). */
static uint8_t opts_tos(const struct rnl_conn_opts *opts)
{
	return (uint8_t)(opts->dscp << 2);
}

static uint8_t our_shift(const struct rnl_tcb *tcb)
{
	return rnl_wscale_ours(tcb->wscale);
}

/* What differs from one segment to the next, payload aside. */
struct outgoing {
	uint32_t seq;
	uint32_t len; /* payload */
	uint16_t flags;
	const struct rnl_seg *answers; /* NULL: no segment in particular */
};

static void count_blocks(struct rnl_core *core, const struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	rnl_core_count(core, RNL_C_tcp_tx_sacks);
	if (seg != NULL && seg->dup.left != seg->dup.right)
		rnl_core_count(core, rnl_seq_lt(seg->dup.left, tcb->rcv_nxt)
					 ? RNL_C_tcp_tx_dsack_old
					 : RNL_C_tcp_tx_dsack_ooo);
}

/*
 * Blocks for the packet, as many as it has room for (RFC 9293 3.7.1, MUST-16): a segment beside them
 * is that much shorter, and so is each that the device cuts from a longer one.
 * DEVIATES RFC 2018 4: a full segment that is sent again keeps its length and has no blocks; what they
 * would say stood on the ACK of the segment that changed it.
 */
static void add_blocks(struct rnl_core *core, const struct rnl_tcb *tcb, const struct outgoing *o,
		       struct rnl_tmpl_fields *f, struct rnl_tcpopt *opt)
{
	uint32_t room = RNL_TCPOPT_MAXLEN;
	unsigned int octets;

	if (o->len > 0 && o->len <= tcb->snd_mss)
		room = tcb->snd_mss - o->len;
	opt->has = 0;
	octets = rnl_sackgen_fill(core, tcb, o->answers, room, opt);
	if (octets == 0)
		return;
	f->sack = opt;
	if (f->tso_mss != 0)
		f->tso_mss = (uint16_t)(f->tso_mss - octets);
	count_blocks(core, tcb, o->answers);
}

/* What ECN adds: flags, the field of the IP header, an option. @return the field. */
static uint8_t add_ecn(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t len, uint16_t *flags,
		       struct rnl_tcpopt *opt)
{
	struct rnl_ecn_out out = {.len = len, .fresh = *flags & RNL_TX_FRESH};

	if (*flags & RNL_TH_RST)
		return 0;
	rnl_ecn_send(core, tcb, &out, opt);
	*flags |= out.flags;
	return out.tos;
}

/* Headers written whole: for connections without a working set, and for segments off the usual path. */
static void emit_whole(struct rnl_core *core, struct rnl_tcb *tcb, struct rte_mbuf *m,
		       const struct outgoing *o)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	struct rnl_tcphdr_out h = {
	    .key = tcb->key,
	    .seq = o->seq,
	    .ack = o->flags & RNL_TH_ACK ? tcb->rcv_nxt : 0,
	    .flags = o->flags,
	    .wnd = select_window(core, tcb, our_shift(tcb)),
	    .ip_id = core->ip_id++,
	    .ttl = opts->ttl,
	    .tos = opts_tos(opts),
	};

	if (o->answers != NULL &&
	    rnl_sackgen_fill(core, tcb, o->answers, RNL_TCPOPT_MAXLEN, &h.opt) > 0)
		count_blocks(core, tcb, o->answers);
	if (tcb->flags & RNL_F_ECN)
		h.tos |= add_ecn(core, tcb, m->pkt_len, &h.flags, &h.opt);
	if (tcb->flags & RNL_F_TS) {
		h.opt.has |= RNL_OPT_TS;
		h.opt.tsval = rnl_emit_tsval(core, tcb->ts_offset);
		h.opt.tsecr = tcb->ts_recent;
	}
	if (o->flags & RNL_SEG_UTO) {
		h.opt.has |= RNL_OPT_UTO;
		h.opt.uto = rnl_uto_field(opts);
	}
	if (o->flags & RNL_TH_URG)
		h.urp = rnl_urgent_pointer(tcb, o->seq);
	rnl_tcphdr_write(m, &h, rnl_core_port(core, tcb->nexthop)->caps);
	acknowledged(tcb);
	queue_packet(core, m, tcb->nexthop);
}

static void emit_data(struct rnl_core *core, struct rnl_tcb *tcb, struct rte_mbuf *m,
		      const struct outgoing *o)
{
	const struct rnl_core_port *port = rnl_core_port(core, tcb->nexthop);
	struct rnl_tmpl_fields f = {
	    .seq = o->seq,
	    .ack = tcb->rcv_nxt,
	    .tsval = rnl_emit_tsval(core, tcb->ts_offset),
	    .tsecr = tcb->ts_recent,
	    .flags = o->flags,
	    .wnd = select_window(core, tcb, our_shift(tcb)),
	    .ip_id = core->ip_id++,
	    .tso_mss = o->len > tcb->snd_mss ? tcb->snd_mss : 0,
	};
	struct rnl_tcpopt opt;
	uint8_t tos = 0;

	if (unlikely(rnl_sackgen_hole(tcb) || o->answers != NULL))
		add_blocks(core, tcb, o, &f, &opt);
	if (unlikely(tcb->flags & RNL_F_ECN)) {
		opt.has = f.sack != NULL ? opt.has : 0;
		tos = add_ecn(core, tcb, o->len, &f.flags, &opt);
		f.sack = opt.has != 0 ? &opt : NULL;
	}
	sent(tcb, o->len);
	rnl_tmpl_write(&tcb->work->tmpl, m, &f, tos, port->caps);
	acknowledged(tcb);
	queue_packet(core, m, tcb->nexthop);
}

void rnl_emit_data(struct rnl_core *core, struct rnl_tcb *tcb, struct rte_mbuf *m, uint32_t seq,
		   uint16_t flags)
{
	const struct outgoing o = {.seq = seq, .len = m->pkt_len, .flags = flags};

	if (likely(!(flags & RNL_TH_URG))) {
		emit_data(core, tcb, m, &o);
		return;
	}
	sent(tcb, o.len); /* the template has no urgent pointer */
	emit_whole(core, tcb, m, &o);
}

void rnl_emit_uto(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct outgoing o = {.seq = tcb->snd_nxt, .flags = RNL_TH_ACK | RNL_SEG_UTO};
	struct rte_mbuf *m = empty_packet(core, tcb->nexthop);

	if (m == NULL)
		return;
	rnl_core_count(core, RNL_C_tcp_tx_uto);
	emit_whole(core, tcb, m, &o);
}

static bool emit_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct outgoing *o)
{
	struct rte_mbuf *m = empty_packet(core, tcb->nexthop);

	if (m == NULL)
		return false;
	if (tcb->work != NULL && !(o->flags & RNL_TH_URG))
		emit_data(core, tcb, m, o);
	else
		emit_whole(core, tcb, m, o);
	return true;
}

bool rnl_emit_ack(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t seq, uint16_t flags)
{
	const struct outgoing o = {.seq = seq, .flags = flags | RNL_TH_ACK};

	return emit_ack(core, tcb, &o);
}

void rnl_emit_answer(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	const struct outgoing o = {.seq = tcb->snd_nxt, .flags = RNL_TH_ACK, .answers = seg};

	if (emit_ack(core, tcb, &o)) {
		rnl_core_count(core, RNL_C_tcp_tx_acks);
		return;
	}
	tcb->flags |= RNL_F_ACK_NOW;
	rnl_core_output(core, tcb);
}

void rnl_emit_ack_now(struct rnl_core *core, struct rnl_tcb *tcb)
{
	rnl_emit_answer(core, tcb, NULL);
}

/* All limits are drawn anew each second, so that counting answers tells an outsider nothing. */
static void refill_limits(struct rnl_core *core)
{
	uint64_t second = core->now_us / 1000000 + 1; /* 0: none was drawn yet */
	unsigned int i;

	if (second == core->challenge_second)
		return;
	core->challenge_second = second;
	for (i = 0; i < RNL_CHALLENGE_PEERS; i++)
		core->challenge_peer[i] = (uint8_t)(CHALLENGE_PER_PEER / 2 +
						    rnl_prng_below(&core->prng, CHALLENGE_PER_PEER));
	memset(core->challenge_conn, 0, sizeof(core->challenge_conn));
	core->rst_left = RST_PER_SECOND / 2 + rnl_prng_below(&core->prng, RST_PER_SECOND);
}

/*
 * RFC 5961 7: challenge ACKs are throttled. One count for all would be an oracle (CVE-2016-5696): who
 * probes somebody else's connection sees on his own whether he hit. So a connection has a limit of its
 * own, and peers are spread over counts that are redrawn at random; which of them share one is a hash
 * that only we know. No block of a connection grows for it.
 */
bool rnl_emit_challenged(struct rnl_core *core, const struct rnl_tuple *key)
{
	const uint8_t *secret = core->secrets.flow;
	uint64_t peer = rnl_siphash13(secret, &key->raddr, sizeof(key->raddr));
	uint8_t *left = &core->challenge_peer[peer % RNL_CHALLENGE_PEERS];
	uint8_t *given =
	    &core->challenge_conn[rnl_siphash13(secret, key, sizeof(*key)) % RNL_CHALLENGE_CONNS];

	refill_limits(core);
	if (*given == CHALLENGE_PER_CONN || *left == 0) {
		rnl_core_count(core, RNL_C_tcp_tx_challenge_limited);
		return false;
	}
	(*given)++;
	(*left)--;
	rnl_core_count(core, RNL_C_tcp_tx_challenge_acks);
	return true;
}

void rnl_emit_challenge(struct rnl_core *core, struct rnl_tcb *tcb)
{
	if (rnl_emit_challenged(core, &tcb->key))
		rnl_emit_ack_now(core, tcb);
}

/*
 * Once in half a second. An answer that is left out ends an echo, since nothing comes back; the one
 * after it is given again, so that a peer's probes go unanswered at most every other time.
 */
void rnl_emit_disagree(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint8_t tick = (uint8_t)(core->now_ms >> 8 | 1);

	if (tcb->answered == tick) {
		tcb->answered = 0;
		rnl_core_count(core, RNL_C_tcp_tx_challenge_limited);
		return;
	}
	tcb->answered = tick;
	rnl_emit_challenge(core, tcb);
}

static void offer_options(struct rnl_core *core, struct rnl_tcpopt *opt, uint8_t wscale,
			  uint32_t ts_offset)
{
	opt->wscale = wscale;
	opt->tsval = rnl_emit_tsval(core, ts_offset);
}

/*
 * RFC 9293 3.7.1 (MUST-14, MAY-3): MSS on every SYN. RFC 7323 2.2: the window of a SYN is never
 * scaled. RFC 2018 2: SACK-permitted stands on SYNs alone. A SYN-ACK carries only what the peer offered.
 * RFC 3168 6.1.1.
 */
bool rnl_emit_syn(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	bool answer = tcb->state == RNL_SYN_RECEIVED;
	struct rte_mbuf *m = empty_packet(core, tcb->nexthop);
	struct rnl_tcphdr_out h = {
	    .key = tcb->key,
	    .seq = tcb->snd_una,
	    .ack = answer ? tcb->rcv_nxt : 0,
	    .flags = answer ? RNL_TH_SYN | RNL_TH_ACK : RNL_TH_SYN,
	    .ip_id = core->ip_id++,
	    .ttl = opts->ttl,
	    .tos = opts_tos(opts),
	};

	if (m == NULL)
		return false;
	h.wnd = (uint16_t)RTE_MIN(answer ? rnl_emit_edge(core, tcb) - tcb->rcv_nxt
					 : opts->rcvbuf_bytes,
				  (uint32_t)UINT16_MAX);
	tcb->rcv_adv = tcb->rcv_nxt + h.wnd;
	h.opt.has = RNL_OPT_MSS;
	h.opt.mss = rnl_tcb_offer_mss(core, &tcb->key, tcb->nexthop, opts);
	if (tcb->flags & RNL_F_TS)
		h.opt.has |= RNL_OPT_TS;
	if (tcb->flags & RNL_F_WSCALE)
		h.opt.has |= RNL_OPT_WSCALE;
	if (tcb->flags & RNL_F_SACK)
		h.opt.has |= RNL_OPT_SACK_OK;
	h.opt.uto = rnl_uto_field(opts);
	if (h.opt.uto != 0)
		h.opt.has |= RNL_OPT_UTO;
	offer_options(core, &h.opt, our_shift(tcb), tcb->ts_offset);
	h.opt.tsecr = answer ? tcb->ts_recent : 0;
	h.flags |= rnl_ecn_syn(core, tcb, &h.opt);
	rnl_fastopen_option(core, tcb, &h.opt);
	rnl_tcphdr_write(m, &h, rnl_core_port(core, tcb->nexthop)->caps);
	acknowledged(tcb);
	queue_packet(core, m, tcb->nexthop);
	return true;
}

bool rnl_emit_mini(struct rnl_core *core, const struct rnl_mini *mini, bool syn)
{
	const struct rnl_conn_opts *opts = &core->policies[mini->policy].opts;
	struct rte_mbuf *m = empty_packet(core, mini->nexthop);
	struct rnl_tcphdr_out h = {
	    .key = mini->key,
	    .seq = syn ? mini->snd_nxt - 1 : mini->snd_nxt,
	    .ack = mini->rcv_nxt,
	    .flags = syn ? RNL_TH_SYN | RNL_TH_ACK : RNL_TH_ACK,
	    .wnd = mini->wnd,
	    .ip_id = core->ip_id++,
	    .ttl = opts->ttl,
	    .tos = opts_tos(opts),
	};

	if (m == NULL)
		return false;
	if (mini->flags & RNL_MINI_TS)
		h.opt.has |= RNL_OPT_TS;
	if (syn) {
		h.opt.has |= RNL_OPT_MSS;
		h.opt.mss = rnl_tcb_offer_mss(core, &mini->key, mini->nexthop, opts);
		h.wnd = (uint16_t)RTE_MIN(opts->rcvbuf_bytes, (uint32_t)UINT16_MAX);
		if (mini->flags & RNL_MINI_WSCALE)
			h.opt.has |= RNL_OPT_WSCALE;
		if (mini->flags & RNL_MINI_SACK_OK)
			h.opt.has |= RNL_OPT_SACK_OK;
		h.opt.uto = rnl_uto_field(opts);
		if (h.opt.uto != 0)
			h.opt.has |= RNL_OPT_UTO;
	}
	if (mini->flags & RNL_MINI_TFO)
		rnl_fastopen_give(core, &mini->key.raddr, &h.opt);
	offer_options(core, &h.opt, rnl_wscale_ours(mini->wscale), mini->ts_offset);
	h.opt.tsecr = mini->ts_recent;
	h.flags |= rnl_ecn_mini(mini, syn, &h.opt);
	rnl_tcphdr_write(m, &h, rnl_core_port(core, mini->nexthop)->caps);
	queue_packet(core, m, mini->nexthop);
	return true;
}

/* RFC 9293 3.10.7.1: <SEQ=SEG.ACK><CTL=RST>, or <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>. */
void rnl_emit_reset(struct rnl_core *core, const struct rnl_seg *seg, uint16_t nexthop)
{
	struct rnl_tcphdr_out h = {
	    .key = seg->key, .flags = RNL_TH_RST, .ip_id = core->ip_id++, .ttl = 64};
	struct rte_mbuf *m;

	if (seg->flags & RNL_TH_RST)
		return;
	refill_limits(core);
	if (core->rst_left == 0) {
		rnl_core_count(core, RNL_C_tcp_tx_rst_limited);
		return;
	}
	m = empty_packet(core, nexthop);
	if (m == NULL)
		return;
	core->rst_left--;
	if (seg->flags & RNL_TH_ACK) {
		h.seq = seg->ack;
	} else {
		h.flags |= RNL_TH_ACK;
		h.ack = seg->seq + seg->len + !!(seg->flags & RNL_TH_SYN) +
			!!(seg->flags & RNL_TH_FIN);
	}
	rnl_tcphdr_write(m, &h, rnl_core_port(core, nexthop)->caps);
	rnl_core_count(core, RNL_C_tcp_tx_rst);
	queue_packet(core, m, nexthop);
}

void rnl_emit_abort(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct outgoing o = {.seq = tcb->snd_nxt, .flags = RNL_TH_RST | RNL_TH_ACK};
	struct rte_mbuf *m = empty_packet(core, tcb->nexthop);

	if (m == NULL)
		return;
	rnl_core_count(core, RNL_C_tcp_tx_rst);
	emit_whole(core, tcb, m, &o);
}
