/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The record of one release, as sndbuf.c and zc.c share it; others see struct rnl_zc_list
 * (sndbuf.h). Records and chunks share a pool, so that a chunk can turn into its own record.
 * Floor 2.
 */
#ifndef RNL_ALGO_ZC_H
#define RNL_ALGO_ZC_H

#include <rte_mbuf.h>

#include "algo/sndbuf.h"

struct rnl_zc {
	struct rte_mbuf_ext_shared_info
	    shinfo; /* references: ours, and one of each packet segment */
	struct rnl_zc *next;
	rnl_release_fn release; /* NULL: nobody is told */
	void *arg;
	uint32_t self;  /* index in the pool */
	uint32_t owner; /* rnl_sndbuf.owner */
};

_Static_assert(sizeof(struct rnl_zc) <= sizeof(struct rnl_chunk), "they share a pool");

/** @return a record with one reference, or NULL: the pool is empty. */
struct rnl_zc *rnl_zc_new(struct rnl_pool *pool, uint32_t owner);
/** Makes object `index` of the pool such a record. */
void rnl_zc_init(struct rnl_zc *z, uint32_t index, uint32_t owner);
/** The stream needs the memory no more: due now, or when the last packet lets go of it. */
void rnl_zc_finish(struct rnl_zc_list *l, struct rnl_pool *pool, struct rnl_zc *z);

#endif /* RNL_ALGO_ZC_H */
