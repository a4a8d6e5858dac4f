/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the peer's SACK blocks: which are believed, and what they say about the sent ranges. The work for
 * one segment is bounded, whatever the blocks are. Refuses to draw conclusions. Floor 3.
 * RFC 2018 5, RFC 2883 4, RFC 6675 4.
 */
#include "base/seq.h"
#include "tcp/acked.h"

/* Ranges looked at for one segment: three blocks in place cost about ten. */
#define STEPS 256

/*
 * RFC 2883 4: the first block tells of duplicates when it lies behind the cumulative acknowledgement, or
 * inside the second block. One that is older than a window proves nothing.
 */
static bool is_dsack(const struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	const struct rnl_sack *b = seg->opt.sack;

	if (rnl_seq_leq(b[0].right, seg->ack))
		return rnl_seq_geq(b[0].left, tcb->snd_una - tcb->max_snd_wnd);
	return seg->opt.nsack > 1 && rnl_seq_leq(b[1].left, b[0].left) &&
	       rnl_seq_geq(b[1].right, b[0].right) && rnl_seq_geq(b[0].left, tcb->snd_una);
}

/* Puts block b into its place among n sorted ones: what came in one segment came in no order. */
static void insert(struct rnl_sack *sorted, unsigned int n, struct rnl_sack b)
{
	for (; n > 0 && rnl_seq_gt(sorted[n - 1].left, b.left); n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = b;
}

/* Blocks that name something in flight, cut to it, sorted. @return how many. */
static unsigned int usable(struct rnl_core *core, const struct rnl_tcb *tcb,
			   const struct rnl_seg *seg, unsigned int first, struct rnl_sack *sorted)
{
	unsigned int n = 0;

	for (unsigned int i = first; i < seg->opt.nsack; i++) {
		struct rnl_sack b = seg->opt.sack[i];

		if (!rnl_seq_lt(b.left, b.right) || rnl_seq_gt(b.right, tcb->snd_nxt)) {
			rnl_core_count(core, RNL_C_tcp_rx_sack_bad);
			continue;
		}
		if (rnl_seq_leq(b.right, tcb->snd_una))
			continue; /* an old acknowledgement */
		b.left = rnl_seq_max(b.left, tcb->snd_una);
		insert(sorted, n++, b);
	}
	return n;
}

void rnl_sack_take(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		   struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;
	struct rnl_sack sorted[RNL_SACK_MAX];
	unsigned int steps = STEPS, n;

	a->has_dsack = rnl_seq_lt(seg->opt.sack[0].left, seg->opt.sack[0].right) && is_dsack(tcb, seg);
	if (a->has_dsack) {
		a->dsack = seg->opt.sack[0];
		w->dsacks++;
		rnl_core_count(core, RNL_C_tcp_rx_dsack);
	}
	if (rnl_sentq_empty(&w->sentq))
		return;
	n = usable(core, tcb, seg, a->has_dsack, sorted);
	a->sack = n > 0;
	for (unsigned int i = 0; i < n; i++)
		rnl_sentq_sack(&w->sentq, &core->ranges, &sorted[i], &steps, &a->q);
	if (a->q.capped)
		rnl_core_count(core, RNL_C_tcp_rx_sack_capped);
}
