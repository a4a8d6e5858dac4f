/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What "newreno" keeps: first in the private octets of modules that act as it does and a little
 * more (RFC 8257 4.1), so that these may call its events. Floor 2.
 */
#ifndef RNL_ALGO_RENO_H
#define RNL_ALGO_RENO_H

#include "algo/hystart.h"

struct rnl_reno {
	struct rnl_hystart hystart;
	uint32_t acked_bytes; /* in congestion avoidance, towards the next increase */
	uint32_t prior_cwnd;  /* before the last response; 0: nothing to undo */
	uint32_t prior_ssthresh;
	uint8_t prior_hystart;  /* HyStart++ ran then */
	uint8_t after_rto;      /* slow start that began with a timeout */
	uint8_t rto_unanswered; /* nothing was acknowledged since the last timeout */
};

#endif /* RNL_ALGO_RENO_H */
