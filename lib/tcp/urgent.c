/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the urgent mechanism: two pointers, kept as offsets in the streams, so that they never wrap.
 * Urgent data stays in line, as every octet (RFC 6093 6: SO_OOBINLINE is the only sane way); what the
 * mechanism does is tell. Refuses: taking octets out of the stream, arithmetic of length and pointer.
 * Floor 3. RFC 9293 3.8.5, 3.10.2, 3.10.7.4 (sixth check); RFC 6093 3.
 */
#include "base/seq.h"
#include "tcp/tcp.h"

/* Stream offset of the first octet that the application has not consumed. */
static uint64_t consumed(const struct rnl_tcb *tcb)
{
	return tcb->rcv_bytes - (tcb->work != NULL ? tcb->work->rcvq.bytes : 0);
}

uint32_t rnl_urgent_pending(const struct rnl_tcb *tcb)
{
	if (tcb->work == NULL || tcb->work->rcv_up <= consumed(tcb))
		return 0;
	return (uint32_t)RTE_MIN(tcb->work->rcv_up - consumed(tcb), (uint64_t)UINT32_MAX);
}

/*
 * RFC 9293 3.10.7.4, sixth check: RCV.UP <- max(RCV.UP, SEG.UP); the pointer names the octet after the
 * urgent data (MUST-62). Told when it is ahead of what was consumed and moved (MUST-32). A pointer of
 * 0, or into what was consumed, says nothing; one beyond the data waits for it (MUST-31).
 */
void rnl_urgent_received(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg)
{
	int32_t ahead = rnl_seq_diff(seg->seq + seg->urp, tcb->rcv_nxt);
	uint64_t up;

	rnl_core_count(core, RNL_C_tcp_rx_urgent);
	if (tcb->state != RNL_ESTABLISHED && tcb->state != RNL_FIN_WAIT_1 &&
	    tcb->state != RNL_FIN_WAIT_2)
		return;
	if (ahead < 0 && tcb->rcv_bytes < (uint64_t) - (int64_t)ahead)
		return;
	up = tcb->rcv_bytes + (uint64_t)(int64_t)ahead;
	if (up <= consumed(tcb) || rnl_tcb_busy(core, tcb) == NULL)
		return;
	if (up <= tcb->work->rcv_up)
		return;
	tcb->work->rcv_up = up;
	rnl_core_event(core, tcb, RNL_EV_URGENT);
}

/* RFC 9293 3.10.2: SND.UP <- the end of what is queued. */
void rnl_urgent_queued(struct rnl_core *core, struct rnl_tcb *tcb)
{
	bool closed = rnl_seq_leq(tcb->snd_una + tcb->snd_wnd, tcb->snd_nxt);

	tcb->work->snd_up = tcb->work->snd.end;
	tcb->flags |= RNL_F_URGENT;
	/* The data cannot go, but that it is there can (RFC 9293 3.4, MUST-66). */
	if (closed && tcb->state != RNL_SYN_SENT && tcb->state != RNL_SYN_RECEIVED)
		rnl_emit_ack(core, tcb, tcb->snd_nxt, rnl_urgent_flag(tcb, tcb->snd_nxt));
}

static uint64_t offset_of(const struct rnl_tcb *tcb, uint32_t seq)
{
	return tcb->snd_bytes + (uint64_t)(int64_t)rnl_seq_diff(seq, tcb->snd_una);
}

uint16_t rnl_urgent_flag(struct rnl_tcb *tcb, uint32_t seq)
{
	if (tcb->work == NULL || tcb->work->snd_up <= tcb->snd_bytes) {
		tcb->flags &= ~RNL_F_URGENT; /* all of it is acknowledged */
		return 0;
	}
	return offset_of(tcb, seq) < tcb->work->snd_up ? RNL_TH_URG : 0;
}

/* A pointer farther away than the field reaches is named by a later segment. */
uint16_t rnl_urgent_pointer(const struct rnl_tcb *tcb, uint32_t seq)
{
	uint64_t off = offset_of(tcb, seq);

	if (tcb->work == NULL || tcb->work->snd_up <= off)
		return 0;
	return (uint16_t)RTE_MIN(tcb->work->snd_up - off, (uint64_t)UINT16_MAX);
}
