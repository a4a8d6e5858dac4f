/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One acknowledgement, gathered once and passed along ACK -> loss -> congestion control; and what the
 * files of that way offer each other. Floor 3.
 */
#ifndef RNL_TCP_ACKED_H
#define RNL_TCP_ACKED_H

#include "tcp/tcp.h"

struct rnl_acked {
	struct rnl_sentq_acked q; /* what the queue of sent ranges told */
	struct rnl_ack_sample s;  /* what congestion control is told */
	struct rnl_sack dsack;    /* RFC 2883: what arrived twice */
	bool advanced;            /* SND.UNA moved */
	bool duplicate;           /* RFC 5681 2 */
	bool sack;                /* it carried usable blocks */
	bool has_dsack;
};

/* ---- sack.c: the peer's SACK blocks ---- */

/** Applies the blocks of seg to the queue; fills a->q, a->sack and the D-SACK (RFC 2018, RFC 2883). */
void rnl_sack_take(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		   struct rnl_acked *a);

/* ---- recovery.c: loss detection and recovery of connections with SACK ---- */

/** Detects losses, begins and ends recovery, tells congestion control. Something was delivered, or the
 * segment carried SACK blocks. */
void rnl_recovery_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		      struct rnl_acked *a);
/** The reordering timer fired (RFC 8985 6.2, step 5). */
void rnl_recovery_due(struct rnl_core *core, struct rnl_tcb *tcb);
/** The head is lost; had it been SACKED, so is all that was (RFC 2018 8). Something is in flight. */
void rnl_recovery_head_lost(struct rnl_core *core, struct rnl_tcb *tcb);
/** The retransmission timer fired: marks what is lost, and is in RTO recovery from now on. */
void rnl_recovery_timeout(struct rnl_core *core, struct rnl_tcb *tcb);
/** The end of recovery, if the acknowledgement reached `recover`. @return whether it ended one. */
bool rnl_recovery_ended(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_acked *a);
/** Fast recovery begins: the congestion response, and what undoing it needs. */
void rnl_recovery_begin(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_acked *a);
/** RFC 3522, RFC 3708: takes the response back if nothing was lost. */
void rnl_recovery_undo(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		       const struct rnl_acked *a);
/** Remembers for undoing that r was just sent again. */
void rnl_recovery_resent(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_range *r);

/* ---- dupack.c: the same for connections without SACK ---- */

/** RFC 6582, RFC 5681 3.2, RFC 3042. */
void rnl_dupack_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		    struct rnl_acked *a);

/* ---- tlp.c: the tail loss probe ---- */

/** (Re)starts or cancels the probe timer after sending or an acknowledgement (RFC 8985 7.2). */
void rnl_tlp_schedule(struct rnl_core *core, struct rnl_tcb *tcb);
/** The probe timer fired (RFC 8985 7.3). */
void rnl_tlp_due(struct rnl_core *core, struct rnl_tcb *tcb);
/** RFC 8985 7.4: what the acknowledgement says about the probe. */
void rnl_tlp_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		 const struct rnl_acked *a);

#endif /* RNL_TCP_ACKED_H */
