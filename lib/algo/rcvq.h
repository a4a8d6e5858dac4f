/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-order data that the application has not consumed: one chain of packet buffers, payload only.
 * Under pressure small packets are copied into the tail's free room, so that a 1-octet segment does
 * not pin a whole buffer. Floor 2.
 */
#ifndef RNL_ALGO_RCVQ_H
#define RNL_ALGO_RCVQ_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"

struct rnl_rcvq {
	struct rte_mbuf *head, *tail;
	uint32_t bytes; /* octets */
	uint32_t bufs;  /* segments in the chain */
};

/** Appends a chain (pkt_len octets, payload only); takes it. `compact`: copy it into the tail's free
 * room when it fits and the tail is writable. @return whether its buffers are free again: it was
 * compacted, or empty. */
bool rnl_rcvq_append(struct rnl_rcvq *q, struct rte_mbuf *m, bool compact);
/** Fills spans[] with at most n pieces from the front. @return how many; *total their octets. */
unsigned int rnl_rcvq_spans(const struct rnl_rcvq *q, struct rnl_span *spans, unsigned int n,
			    size_t *total);
/** Removes `len` octets (<= bytes) from the front. @return buffers freed. */
uint32_t rnl_rcvq_consume(struct rnl_rcvq *q, uint32_t len);
/** Frees everything. @return buffers freed. */
uint32_t rnl_rcvq_clear(struct rnl_rcvq *q);

#endif /* RNL_ALGO_RCVQ_H */
