/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK over the order of last transmission: what was delivered, and what is therefore lost. Refuses to
 * look at ranges that are known to be lost or delivered: they left that order. Floor 2. RFC 8985 6.
 */
#include <rte_common.h>

#include "algo/rack.h"
#include "base/seq.h"

#define PERSIST_RECOVERIES 16 /* RFC 8985 6.2, step 4 */

static bool sent_after(uint64_t t1, uint32_t seq1, uint64_t t2, uint32_t seq2)
{
	return t1 > t2 || (t1 == t2 && rnl_seq_gt(seq1, seq2));
}

void rnl_rack_delivered(struct rnl_rack *r, const struct rnl_sentq_acked *a, uint64_t now_us)
{
	r->reordering_seen |= a->reordered_by != 0;
	if (!a->delivered_any)
		return;
	r->rtt_us = (uint32_t)(now_us - a->sent_us);
	if (r->xmit_us != 0 && !sent_after(a->sent_us, a->end, r->xmit_us, r->end_seq))
		return;
	r->xmit_us = a->sent_us;
	r->end_seq = a->end;
}

void rnl_rack_dsack(struct rnl_rack *r, bool dsack, uint32_t una, uint32_t nxt)
{
	if (r->dsack_seen && rnl_seq_geq(una, r->dsack_round))
		r->dsack_seen = false;
	if (r->dsack_seen || !dsack)
		return;
	r->dsack_seen = true;
	r->dsack_round = nxt;
	r->reo_wnd_extra += r->reo_wnd_extra < UINT8_MAX;
	r->reo_wnd_persist = PERSIST_RECOVERIES;
}

void rnl_rack_recovered(struct rnl_rack *r)
{
	if (r->reo_wnd_persist > 0 && --r->reo_wnd_persist == 0)
		r->reo_wnd_extra = 0;
}

uint32_t rnl_rack_reo_wnd(const struct rnl_rack *r, const struct rnl_rack_state *s)
{
	uint64_t wnd = (uint64_t)(r->reo_wnd_extra + 1u) * s->min_rtt_us / 4;

	if (!r->reordering_seen && (s->in_recovery || s->dup_thresh))
		return 0;
	return (uint32_t)RTE_MIN(wnd, (uint64_t)s->srtt_us);
}

uint64_t rnl_rack_detect(const struct rnl_rack *r, struct rnl_sentq *q, struct rnl_pool *pool,
			 uint32_t reo_wnd_us, uint64_t now_us)
{
	uint64_t wait_us = (uint64_t)r->rtt_us + reo_wnd_us;
	uint64_t ask_at_us = 0;
	uint32_t next;

	if (r->xmit_us == 0)
		return 0;
	for (uint32_t i = q->thead; i != RNL_NIL; i = next) {
		const struct rnl_range *range = rnl_sentq_at(pool, i);

		next = range->tnext;
		/* The rest was sent later still: the list knows the order within a microsecond too. */
		if (!sent_after(r->xmit_us, r->end_seq, range->sent_us, range->end))
			break;
		if (range->sent_us + wait_us <= now_us)
			rnl_sentq_mark_lost(q, pool, i);
		else
			ask_at_us = RTE_MAX(ask_at_us, range->sent_us + wait_us);
	}
	return ask_at_us;
}

void rnl_rack_timeout(const struct rnl_rack *r, struct rnl_sentq *q, struct rnl_pool *pool,
		      uint32_t reo_wnd_us, uint64_t now_us)
{
	uint64_t wait_us = (uint64_t)r->rtt_us + reo_wnd_us;

	while (q->thead != RNL_NIL && rnl_sentq_at(pool, q->thead)->sent_us + wait_us <= now_us)
		rnl_sentq_mark_lost(q, pool, q->thead);
}
