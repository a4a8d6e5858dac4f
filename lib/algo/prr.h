/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proportional Rate Reduction: in fast recovery, how much may be sent for what was delivered, so that
 * the amount in flight meets ssthresh when recovery ends. Floor 2. RFC 9937 6.
 */
#ifndef RNL_ALGO_PRR_H
#define RNL_ALGO_PRR_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

struct rnl_prr {
	uint64_t ratio;     /* ssthresh / RecoverFS, times 2^32, rounded down */
	uint32_t delivered; /* prr_delivered */
	uint32_t out;       /* prr_out: what was sent in this recovery; the sender adds to it */
};

/** What the acknowledgement told. */
struct rnl_prr_ack {
	uint32_t delivered; /* DeliveredData, octets; not 0 */
	uint32_t pipe;      /* octets in the network, what is lost deducted */
	uint32_t ssthresh;
	uint32_t mss;
	bool safe;          /* SND.UNA advanced and nothing more was found lost */
};

/** A recovery begins. recover_fs: RecoverFS, octets; the one division is here. */
static inline void rnl_prr_start(struct rnl_prr *p, uint32_t ssthresh, uint32_t recover_fs)
{
	uint32_t fs = RTE_MAX(recover_fs, 1u);

	/* Down: the product is rounded up, and so is exact where it is whole. */
	p->ratio = ((uint64_t)RTE_MIN(ssthresh, recover_fs) << 32) / fs;
	p->delivered = 0;
	p->out = 0;
}

/** @return the congestion window until the next acknowledgement (RFC 9937 6.2). */
static inline uint32_t rnl_prr_cwnd(struct rnl_prr *p, const struct rnl_prr_ack *a)
{
	uint64_t proportional;
	uint32_t banked, count;

	p->delivered += a->delivered;
	if (a->pipe > a->ssthresh) {
		proportional = (p->delivered * p->ratio + UINT32_MAX) >> 32;
		count = proportional > p->out ? (uint32_t)(proportional - p->out) : 0;
	} else {
		banked = p->delivered > p->out ? p->delivered - p->out : 0;
		count = RTE_MAX(banked, a->delivered) + (a->safe ? a->mss : 0);
		count = RTE_MIN(count, a->ssthresh - a->pipe);
	}
	if (p->out == 0 && count < a->mss)
		count = a->mss; /* the fast retransmit goes out whatever is in flight */
	return a->pipe + count;
}

#endif /* RNL_ALGO_PRR_H */
