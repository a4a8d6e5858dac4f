/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Black holes: paths that drop large packets without a word. Who times out three times on a large segment
 * goes on with smaller ones; after core->pmtu_us larger ones are tried again, all at once.
 * DEVIATES RFC 4821 7.3, 7.4: no probes search for the largest size between, so that such a path is used
 * with the base size. Floor 3. RFC 4821 5.2, 7.7; RFC 8899 4.3.
 */
#include "tcp/pmtu.h"
#include "tcp/tcp.h"
#include "wire/ip.h"

#define SUSPECT_AFTER 2 /* timeouts in a row before the one that counts (RFC 4821 7.7) */
#define DOUBT_AFTER 4   /* and before the base counts as too large as well */
#define BASE_V4 1024    /* RFC 4821 7.2: probably passes everywhere */

void rnl_plpmtud_timeout(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_range *head = rnl_sentq_at(&core->ranges, tcb->work->sentq.head);
	bool v4 = rnl_addr_is_v4(&tcb->key.raddr);
	uint16_t base = v4 ? BASE_V4 : RNL_PMTU_MIN_V6;
	uint16_t mss;

	if (tcb->backoff < SUSPECT_AFTER || tcb->state == RNL_SYN_SENT ||
	    tcb->state == RNL_SYN_RECEIVED || rnl_core_policy(core, tcb)->opts.no_black_hole)
		return;
	if (v4 && tcb->backoff >= DOUBT_AFTER)
		base = RNL_PMTU_MIN_V4;
	mss = (uint16_t)(base - rnl_pmtu_headers(tcb));
	if (tcb->snd_mss <= mss || head->end - head->seq <= mss)
		return;
	rnl_pmtu_lower(core, tcb, mss);
	rnl_core_count(core, RNL_C_tcp_pmtu_black_holes);
}
