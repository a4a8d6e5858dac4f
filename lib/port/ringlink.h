/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ringlink - an in-process wire: two ethdev ports whose queues are rte_rings, cross-connected.
 * A bare --vdev=net_ring sends to itself, so this is how two stacks of one process are joined.
 * Internal: for app/common and tests. Floor 5.
 *
 * A packet is passed by pointer: the receiver gets the very mbuf that was sent. Both ends must be
 * in one process, and the link outlives it: rnl_ring_unlink() ends it early.
 */
#ifndef RNL_PORT_RINGLINK_H
#define RNL_PORT_RINGLINK_H

#include <stdint.h>

#include "runnel.h"

/** Packets that a queue of the link holds. */
#define RNL_RING_LINK_SIZE 1024
/** Queues that a link has at most. */
#define RNL_RING_LINK_QUEUES 16

/**
 * Makes two ethdev ports; queue i of one sends to queue i of the other. Needs an initialised EAL.
 * @param name of the link, at most 12 characters, unique in the process
 * @param queues pairs, 1 to RNL_RING_LINK_QUEUES
 * @param port_ids receives the ids of both ports
 * @return 0, -EINVAL, -EEXIST, -ENOMEM; on failure nothing is left behind.
 */
int rnl_ring_link(const char *name, unsigned int queues, uint16_t port_ids[2],
                  struct rnl_error *err);

/**
 * Frees what rnl_ring_link() made, and the packets that are still on the wire. Closed devices are
 * fine, running ones are not.
 */
void rnl_ring_unlink(const char *name);

#endif /* RNL_PORT_RINGLINK_H */
