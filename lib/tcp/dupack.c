/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns loss recovery without SACK: each duplicate ACK stands for one segment that left the network.
 * Floor 3. RFC 6582 3, RFC 5681 3.2, RFC 3042.
 */
#include "base/seq.h"
#include "tcp/acked.h"

#define DUP_THRESH 3 /* RFC 5681 3.2 */

/* Marks the first unacknowledged segment lost and lets it out whatever cwnd says. */
static void retransmit_head(struct rnl_core *core, struct rnl_tcb *tcb)
{
	struct rnl_work *w = tcb->work;
	const struct rnl_range *head = rnl_sentq_at(&core->ranges, w->sentq.head);

	if (head->end - head->seq > tcb->snd_mss)
		rnl_sentq_split(&w->sentq, &core->ranges, w->sentq.head, head->seq + tcb->snd_mss);
	rnl_sentq_mark_lost(&w->sentq, &core->ranges, w->sentq.head);
	tcb->flags |= RNL_F_RTX_NOW;
	rnl_core_output(core, tcb);
}

/* RFC 6582 3.2: a full acknowledgement ends recovery, a partial one shows the next hole. */
static void recovery_acked(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;
	uint32_t segments = a->s.acked_bytes > tcb->snd_mss ? w->dup_acks : 1;

	if (rnl_recovery_ended(core, tcb, a)) {
		w->dup_acks = 0;
		return;
	}
	if (tcb->flags & RNL_F_LOSS)
		return;
	/* The octets acknowledged are those that the duplicate ACKs stood for. */
	while (segments > 0 && a->s.acked_bytes / 2 < segments * (tcb->snd_mss / 2))
		segments--;
	w->dup_acks -= RTE_MIN(w->dup_acks, segments);
	rnl_core_count(core, RNL_C_tcp_partial_acks);
	if (!(rnl_sentq_at(&core->ranges, w->sentq.head)->flags & RNL_RANGE_RETRANS))
		retransmit_head(core, tcb);
}

/*
 * RFC 5681 3.2, RFC 6582 3.2, RFC 3042: the first two let new segments out, the third retransmits.
 * DEVIATES RFC 6582 3.2: duplicates of exactly `recover` begin a recovery as well: the first segment
 * that was sent after the last one may be lost like any other, and the alternative is a timeout.
 * RFC 3042 2.
 */
static void duplicate_ack(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;

	if ((tcb->flags & RNL_F_LOSS) || w->persist)
		return;
	if ((w->dup_acks + 1) * (uint32_t)tcb->snd_mss <= tcb->snd_nxt - tcb->snd_una + tcb->snd_mss)
		w->dup_acks++;
	rnl_core_output(core, tcb);
	if ((tcb->flags & RNL_F_RECOVERY) || w->dup_acks < DUP_THRESH ||
	    rnl_seq_lt(tcb->snd_una, w->recover))
		return;
	rnl_recovery_begin(core, tcb, a);
	if (!(w->ccops->flags & RNL_CC_OWN_RECOVERY))
		w->cc.cwnd_bytes = RTE_MIN(w->cc.cwnd_bytes, w->cc.ssthresh_bytes);
	retransmit_head(core, tcb);
}

void rnl_dupack_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		    struct rnl_acked *a)
{
	struct rnl_work *w = tcb->work;

	if (!a->advanced) {
		if (a->duplicate)
			duplicate_ack(core, tcb, a);
		return;
	}
	if (unlikely(w->undo))
		rnl_recovery_undo(core, tcb, seg, a);
	a->s.in_recovery = tcb->flags & RNL_F_RECOVERY;
	a->s.pipe_bytes = rnl_ack_inflight(tcb);
	if (a->s.acked_bytes > 0)
		w->ccops->on_ack(&w->cc, &a->s);
	if (tcb->flags & (RNL_F_RECOVERY | RNL_F_LOSS))
		recovery_acked(core, tcb, a);
	else
		w->dup_acks = 0;
}
