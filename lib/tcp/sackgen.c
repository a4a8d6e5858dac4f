/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns which SACK blocks an acknowledgement carries. At most four of the newest runs are looked at,
 * however many there are. Refuses to remember: a block is taken from what is held at the time it is
 * sent, so that what was dropped for want of memory is never reported (RFC 2018 8), and a duplicate is
 * reported once or not at all (RFC 2883 4). Floor 3. RFC 2018 3, 4, 8; RFC 2883 4.
 * DEVIATES RFC 2018 4: the mini block of TIME-WAIT answers without SACK: it holds no data, and a peer
 * whose FIN came twice has nothing left to send that it would do better for knowing.
 */
#include "base/seq.h"
#include "tcp/sackgen.h"

#define SACK_BASE 4u /* NOP NOP kind length */
#define SACK_BLOCK 8u

static unsigned int blocks_fit(const struct rnl_tcb *tcb, unsigned int room)
{
	unsigned int space = RNL_TCPOPT_MAXLEN - (tcb->flags & RNL_F_TS ? 12u : 0u);

	room = RTE_MIN(room, space);
	return room < SACK_BASE ? 0 : RTE_MIN((room - SACK_BASE) / SACK_BLOCK, RNL_SACK_MAX);
}

/*
 * A FIN that waits behind a hole has a sequence number of its own: it belongs to the data that it
 * touches, or is a block by itself, so that a peer which lost the last data but not the FIN sees
 * the hole. It comes first when it is what is being answered, else behind all runs.
 */
static unsigned int add_fin(const struct rnl_work *w, struct rnl_sack *b, unsigned int n,
                            unsigned int max, bool first)
{
	const struct rnl_sack fin = {w->peer_fin, w->peer_fin + 1};

	for (unsigned int i = 0; i < n; i++)
		if (b[i].right == fin.left) {
			b[i].right = fin.right;
			return n;
		}
	if (first && max > 0) {
		n = RTE_MIN(n, max - 1);
		memmove(b + 1, b, n * sizeof(*b));
		b[0] = fin;
		return n + 1;
	}
	if (n == max || n < w->reasm.runs)
		return n;
	b[n] = fin;
	return n + 1;
}

/* What is held, the newest first (RFC 2018 4). @return how many blocks. */
static unsigned int add_held(const struct rnl_core *core, const struct rnl_tcb *tcb,
                             const struct rnl_seg *seg, struct rnl_sack *b, unsigned int max)
{
	const struct rnl_work *w = tcb->work;
	bool fin_came = seg != NULL && seg->len == 0 && (seg->flags & RNL_TH_FIN);
	unsigned int n;

	if (w == NULL)
		return 0;
	n = rnl_reasm_recent(&w->reasm, &core->ranges, b, max);
	if (w->peer_fin_seen && rnl_seq_gt(w->peer_fin, tcb->rcv_nxt))
		n = add_fin(w, b, n, max, fin_came);
	return n;
}

unsigned int rnl_sackgen_fill(const struct rnl_core *core, const struct rnl_tcb *tcb,
                              const struct rnl_seg *seg, unsigned int room, struct rnl_tcpopt *opt)
{
	unsigned int max = blocks_fit(tcb, room), n = 0;

	if (!(tcb->flags & RNL_F_SACK) || max == 0)
		return 0;
	if (seg != NULL && seg->dup.left != seg->dup.right)
		opt->sack[n++] = seg->dup;
	n += add_held(core, tcb, seg, opt->sack + n, max - n);
	if (n == 0)
		return 0;
	opt->has |= RNL_OPT_SACK;
	opt->nsack = (uint8_t)n;
	return SACK_BASE + SACK_BLOCK * n;
}

/* RFC 9293 3.7.1 (MUST-16). */
uint32_t rnl_sackgen_mss_less(const struct rnl_tcb *tcb)
{
	const struct rnl_work *w = tcb->work;
	unsigned int blocks = w->reasm.runs + w->peer_fin_seen;

	if (!(tcb->flags & RNL_F_SACK))
		return tcb->snd_mss;
	blocks = RTE_MIN(blocks, blocks_fit(tcb, RNL_TCPOPT_MAXLEN));
	return tcb->snd_mss - SACK_BASE - SACK_BLOCK * blocks;
}

/* RFC 2883 4.1, 4.3: whether an old timestamp made it fail or not. Nothing before the first octet
 * of data was received, so it cannot have been received twice. */
struct rnl_sack rnl_sackgen_old(const struct rnl_tcb *tcb, uint32_t seq, uint32_t len)
{
	uint64_t received = tcb->rcv_bytes + !!(tcb->flags & RNL_F_FIN_RCVD);
	struct rnl_sack dup = {seq, rnl_seq_min(seq + len, tcb->rcv_nxt)};

	if (tcb->rcv_nxt - seq > received)
		dup.left = tcb->rcv_nxt - (uint32_t)received;
	if (rnl_seq_geq(seq, tcb->rcv_nxt) || rnl_seq_geq(dup.left, dup.right))
		return (struct rnl_sack){seq, seq};
	return dup;
}
