/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pools - packet-buffer pools as ports and stacks need them. Internal part: receive pools. Floor 5.
 */
#ifndef RNL_PORT_POOLS_H
#define RNL_PORT_POOLS_H

#include <stdint.h>

#include "runnel.h"

/** Octets of data that a buffer of pkt_pool and of a usual receive pool holds. */
#define RNL_POOLS_DATA_ROOM 2048
/** Octets of data that a buffer of hdr_pool holds. */
#define RNL_POOLS_HDR_ROOM 256

/** A pool to make. */
struct rnl_pools_spec {
	const char *name;   /**< whole name, below RTE_MEMPOOL_NAMESIZE */
	uint32_t count;     /**< buffers */
	uint32_t data_room; /**< octets behind the headroom */
	int socket_id;      /**< NUMA node, -1: any */
};

/** Makes one pool. @return 0, -EINVAL, -ENOMEM, -EEXIST. */
int rnl_pools_make(const struct rnl_pools_spec *spec, struct rte_mempool **out,
                   struct rnl_error *err);

/**
 * Frees a pool when all its buffers are home. One that a driver or a link still holds buffers of
 * stays: freeing it would pull memory from under them. NULL is fine.
 */
void rnl_pools_drop(struct rte_mempool *pool);

#endif /* RNL_PORT_POOLS_H */
