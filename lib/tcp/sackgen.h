/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the receiver says of data behind a hole, and of data that came twice. Floor 3.
 * RFC 2018 3, 4, 8; RFC 2883 4.
 */
#ifndef RNL_TCP_SACKGEN_H
#define RNL_TCP_SACKGEN_H

#include "tcp/core.h"
#include "wire/tcpopt.h"

/** @return whether a hole is open: something was received that cannot be acknowledged yet. */
static inline bool rnl_sackgen_hole(const struct rnl_tcb *tcb)
{
	const struct rnl_work *w = tcb->work;

	return !rnl_reasm_empty(&w->reasm) || w->peer_fin_seen;
}

/**
 * Selects the blocks of the next segment, at most `room` octets of options: what the segment that
 * it answers repeated (RFC 2883 4), then what is held, the block that changed last in front (RFC
 * 2018 4).
 * @param seg the segment that is being answered; NULL: none in particular.
 * @return octets that they take as options, 0: none (opt is as it was).
 */
unsigned int rnl_sackgen_fill(const struct rnl_core *core, const struct rnl_tcb *tcb,
                              const struct rnl_seg *seg, unsigned int room, struct rnl_tcpopt *opt);

/** @return snd_mss without the blocks that a segment with data has to carry while a hole is open.
 */
uint32_t rnl_sackgen_mss_less(const struct rnl_tcb *tcb);

/** @return the payload octets of a full segment now (RFC 9293 3.7.1, MUST-16). There is a working
 * set. */
static inline uint32_t rnl_sackgen_mss(const struct rnl_tcb *tcb)
{
	return likely(rnl_reasm_empty(&tcb->work->reasm)) ? tcb->snd_mss
	                                                  : rnl_sackgen_mss_less(tcb);
}

/** @return what of a segment that begins before RCV.NXT was received before: all of it up to there.
 */
struct rnl_sack rnl_sackgen_old(const struct rnl_tcb *tcb, uint32_t seq, uint32_t len);

#endif /* RNL_TCP_SACKGEN_H */
