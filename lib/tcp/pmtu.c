/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path MTU discovery: what a Packet Too Big changes, and when. Such a message may be forged, so it counts
 * at once only as long as nothing contradicts it; else a timeout must confirm it. What it says is
 * remembered for the host, and forgotten after a while.
 * Refuses: raising by what a message says, reading messages. Floor 3.
 * RFC 1191 3, 5, 6.3, 6.4, 7.1; RFC 8201 4, 5.2, 5.3, 5.4; RFC 5927 7.2.
 */
#include "tcp/pmtu.h"

#include "base/seq.h"
#include "tcp/tcp.h"
#include "wire/ip.h"

#define TS_OPTION_LEN 12

/* RFC 1191 7.1: likely MTUs, for routers that do not say. */
static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, RNL_PMTU_MIN_V4};

static struct rnl_path *entry(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	return &core->paths[rnl_core_index(core, tcb)];
}

struct rnl_path *rnl_pmtu_path(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_path *p = entry(core, tcb);

	if (!(tcb->flags & RNL_F_PATH)) {
		tcb->flags |= RNL_F_PATH;
		*p = (struct rnl_path){0};
	}
	return p;
}

uint16_t rnl_pmtu_headers(const struct rnl_tcb *tcb)
{
	return (uint16_t)(rnl_ip_hlen(&tcb->key.raddr) + RNL_TCP_HLEN +
			  (tcb->flags & RNL_F_TS ? TS_OPTION_LEN : 0));
}

uint32_t rnl_pmtu(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	if ((tcb->flags & RNL_F_PATH) && entry(core, tcb)->mss_max != 0)
		return (uint32_t)tcb->snd_mss + rnl_pmtu_headers(tcb);
	return rnl_core_mtu(core, tcb->nexthop, &tcb->key.raddr);
}

static void set_mss(struct rnl_tcb *tcb, uint16_t mss)
{
	tcb->snd_mss = mss;
	if (tcb->work != NULL)
		tcb->work->cc.mss = mss;
}

void rnl_pmtu_lower(struct rnl_core *core, struct rnl_tcb *tcb, uint16_t mss)
{
	struct rnl_path *p = rnl_pmtu_path(core, tcb);

	if (p->mss_max == 0)
		p->mss_max = tcb->snd_mss;
	if (core->pmtu_us != 0) { /* RFC 8201 4: not before five minutes; ten by default */
		p->raise_at_us = core->now_us + core->pmtu_us;
		rnl_core_timer(core, tcb, p->raise_at_us);
	}
	set_mss(tcb, mss);
}

void rnl_pmtu_raise(struct rnl_core *core, struct rnl_tcb *tcb, uint16_t mss)
{
	struct rnl_path *p = entry(core, tcb);

	set_mss(tcb, RTE_MIN(mss, p->mss_max));
	if (tcb->snd_mss == p->mss_max)
		tcb->flags &= ~RNL_F_PATH;
	rnl_core_count(core, RNL_C_tcp_pmtu_raised);
}

void rnl_pmtu_start(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint16_t pmtu = rnl_hostcache_pmtu(&core->hosts, &tcb->key.raddr, core->now_us);
	uint16_t headers = rnl_pmtu_headers(tcb);
	struct rnl_path *p;

	tcb->flags &= ~RNL_F_PATH;
	if (pmtu == 0 || pmtu - headers >= tcb->snd_mss)
		return;
	rnl_pmtu_lower(core, tcb, (uint16_t)(pmtu - headers));
	p = entry(core, tcb);
	p->raise_at_us = rnl_hostcache_find(&core->hosts, &tcb->key.raddr)->pmtu_until_us;
	if (p->raise_at_us == UINT64_MAX)
		p->raise_at_us = 0;
	rnl_core_count(core, RNL_C_tcp_pmtu_cached);
}

/* RFC 8201 5.2: the least that was seen counts, and for how long it has not been lowered. */
static void remember(struct rnl_core *core, const struct rnl_tcb *tcb, uint16_t mtu)
{
	struct rnl_host *h = rnl_hostcache_get(&core->hosts, &tcb->key.raddr);

	if (h->pmtu != 0 && core->now_us < h->pmtu_until_us && h->pmtu <= mtu)
		return;
	h->pmtu = mtu;
	h->pmtu_until_us = core->pmtu_us != 0 ? core->now_us + core->pmtu_us : UINT64_MAX;
}

static uint32_t payload_of(const struct rnl_range *r)
{
	return r->end - r->seq - !!(r->flags & RNL_RANGE_FIN) - !!(r->flags & RNL_RANGE_SYN);
}

/*
 * RFC 1191 6.4: what was too big is sent again at once, in smaller pieces, and that says nothing about
 * congestion: cwnd stays. Duplicate ACKs for what came through in between must not begin a recovery.
 */
static void resegment(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	uint32_t before = w->sentq.lost_bytes;
	uint32_t i;

	for (i = w->sentq.head; i != RNL_NIL; i = rnl_sentq_at(&core->ranges, i)->next)
		if (payload_of(rnl_sentq_at(&core->ranges, i)) > tcb->snd_mss)
			rnl_sentq_mark_lost(&w->sentq, &core->ranges, i);
	if (w->sentq.lost_bytes == before)
		return;
	tcb->flags &= ~RNL_F_RECOVERY;
	tcb->flags |= RNL_F_LOSS | RNL_F_RTX_NOW;
	w->recover = tcb->snd_nxt;
	w->dup_acks = 0;
	w->undo = false;
	w->loss_at_us = 0;
	rnl_ack_arm_rto(core, tcb);
	rnl_core_output(core, tcb);
}

static void apply(struct rnl_core *core, struct rnl_tcb *tcb, uint16_t mtu)
{
	rnl_pmtu_lower(core, tcb, (uint16_t)(mtu - rnl_pmtu_headers(tcb)));
	remember(core, tcb, mtu);
	resegment(core, tcb);
}

/* @return the MTU to believe in; 0: the message cannot be true. */
static uint16_t claimed(const struct rnl_tcb *tcb, uint32_t mtu, uint16_t size)
{
	bool v4 = rnl_addr_is_v4(&tcb->key.raddr);
	unsigned int i = 0;

	if (mtu != 0 && mtu >= size) /* RFC 5927 7.2: it would have fit */
		return 0;
	if (!v4) /* RFC 8201 4: less than every link must take is no answer */
		return mtu < RNL_PMTU_MIN_V6 ? 0 : (uint16_t)mtu;
	if (mtu == 0) { /* RFC 1191 5, 7.1: the next plateau below */
		while (i < RTE_DIM(plateaus) - 1 && plateaus[i] >= size)
			i++;
		return plateaus[i];
	}
	if (mtu < 68) /* RFC 1191 3 */
		return 0;
	return (uint16_t)RTE_MAX(mtu, (uint32_t)RNL_PMTU_MIN_V4);
}

/*
 * RFC 5927 7.2, stage 1: nothing larger than what is claimed can have been acknowledged. Largest
 * acknowledged sizes are not kept; so few octets in all cannot have held one. Or the segment was sent
 * more than once: it did not get through the first time.
 */
static bool believable(const struct rnl_core *core, const struct rnl_tcb *tcb, uint32_t seq,
		       uint16_t mss)
{
	uint32_t i = tcb->work->sentq.head;
	const struct rnl_range *r;

	if (tcb->snd_bytes + 1 <= mss + UINT64_C(1)) /* RNL_BEFORE_STREAM, too */
		return true;
	for (; i != RNL_NIL; i = r->next) {
		r = rnl_sentq_at(&core->ranges, i);
		if (rnl_seq_lt(seq, r->end))
			return r->sends > 1 && rnl_seq_geq(seq, r->seq);
	}
	return false;
}

enum rnl_counter rnl_pmtu_too_big(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t seq,
				  uint32_t mtu, uint16_t size)
{
	uint16_t pmtu = claimed(tcb, mtu, size);
	uint16_t headers = rnl_pmtu_headers(tcb);
	struct rnl_path *p;

	if (tcb->work == NULL || rnl_seq_geq(seq, tcb->snd_nxt))
		return RNL_C_icmp_error_bad_seq;
	if (pmtu == 0 || pmtu - headers >= tcb->snd_mss) /* RFC 1191 6.4, RFC 8201 4: never up */
		return RNL_C_icmp_too_big_ignored;
	if (believable(core, tcb, seq, (uint16_t)(pmtu - headers))) {
		apply(core, tcb, pmtu);
		return RNL_C_tcp_pmtu_lowered;
	}
	p = rnl_pmtu_path(core, tcb);
	if (p->pending_mtu == 0 || rnl_seq_lt(seq, p->pending_seq) ||
	    rnl_seq_lt(p->pending_seq, tcb->snd_una))
		p->pending_seq = seq;
	p->pending_mtu = pmtu;
	return RNL_C_tcp_pmtu_pending;
}

/* RFC 5927 7.2, stage 2: it timed out, so the message may be true; unless it was acknowledged since. */
static void confirm(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_path *p = entry(core, tcb);
	uint16_t mtu = p->pending_mtu;

	p->pending_mtu = 0;
	if (mtu == 0 || rnl_seq_lt(p->pending_seq, tcb->snd_una) ||
	    mtu - rnl_pmtu_headers(tcb) >= tcb->snd_mss)
		return;
	rnl_core_count(core, RNL_C_tcp_pmtu_confirmed);
	rnl_pmtu_lower(core, tcb, (uint16_t)(mtu - rnl_pmtu_headers(tcb)));
	remember(core, tcb, mtu);
}

void rnl_pmtu_timeout(struct rnl_core *core, struct rnl_tcb *tcb)
{
	if (tcb->flags & RNL_F_PATH)
		confirm(core, tcb);
	rnl_plpmtud_timeout(core, tcb);
}

uint64_t rnl_pmtu_deadline(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_path *p = entry(core, tcb);

	return p->raise_at_us != 0 ? p->raise_at_us : UINT64_MAX;
}

/* RFC 1191 6.3, RFC 8201 5.3: what was learnt long ago does not count any more. */
void rnl_pmtu_due(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_path *p = entry(core, tcb);

	if (p->raise_at_us == 0 || p->raise_at_us > core->now_us)
		return;
	p->raise_at_us = 0;
	rnl_pmtu_raise(core, tcb, p->mss_max);
}
