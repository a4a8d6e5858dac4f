/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dev - an ethdev port as its users share it: the queues, and what was chosen for them. Internal to
 * floor 5 and app/common; the public face is runnel.h.
 */
#ifndef RNL_PORT_DEV_H
#define RNL_PORT_DEV_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_spinlock.h>

#include "runnel.h"

#define RNL_DEV_GROUPS 64     /* that a device is asked to keep a list of; beyond: all groups */
#define RNL_DEV_ALL_GROUPS 1  /* struct rnl_dev.filter: everything comes in, no list is kept */

/** What a driver needs that its rte_eth_dev_info does not say. */
struct rnl_dev_quirk {
	const char *driver;
	bool sets_no_port; /**< received buffers keep the sender's mbuf port */
	bool no_tso;       /**< offers TSO and does not do it right */
	bool passes_mbufs; /**< never allocates for receive, and keeps sent buffers on the wire */
};

/** A queue pair as a stack's port sees it: the ctx of struct rnl_port. Written by its worker. */
struct rnl_dev_queue {
	uint16_t port_id, queue;
	struct rnl_dev *dev;
	uint64_t tx_rejected; /**< packets that rte_eth_tx_prepare() refused: freed */
} __rte_cache_aligned;

/** Groups that the stack of one queue pair wants; n above RNL_DEV_GROUPS: more than fit. */
struct rnl_dev_groups {
	unsigned int n;
	struct rte_ether_addr mac[RNL_DEV_GROUPS];
};

/** What is going to be configured, decided before the device is touched. */
struct rnl_dev_plan {
	uint16_t nb_rxq, nb_txq, nb_rxd, nb_txd;
	uint16_t mtu, old_mtu;
	uint16_t tso_max_segs;
	uint32_t caps;      /**< enum rnl_port_cap */
	uint32_t data_room; /**< of receive buffers */
	uint32_t rx_mbufs;  /**< of each receive queue */
	struct rte_eth_conf eth;
};

struct rnl_dev {
	struct rnl_dev_config cfg;
	struct rnl_dev_plan plan;
	const struct rnl_dev_quirk *quirk;
	struct rte_eth_dev_info info;
	int socket_id;
	uint8_t mac[6];
	struct rnl_dev_queue *queues; /* nb_rxq */
	struct rte_mempool **pools;   /* nb_rxq */
	struct rnl_dev_groups *groups; /* nb_rxq; under lock */
	int filter;                    /* RNL_DEV_ALL_GROUPS, or 0; under lock */
	rte_spinlock_t lock;
};

/** @return the quirks of a driver; never NULL. */
const struct rnl_dev_quirk *rnl_dev_quirk_of(const char *driver);

/** Decides queues, descriptors, offloads and buffers of dev->cfg within dev->info. @return 0,
 * -EINVAL. */
int rnl_dev_plan(struct rnl_dev *dev, struct rnl_error *err);

/** @return packets of a queue that the driver found impossible to send, and that were freed. */
uint64_t rnl_dev_tx_rejected(const struct rnl_dev *dev, unsigned int queue);

/** @return the two bursts that fit the device. */
const struct rnl_port_ops *rnl_dev_ops(const struct rnl_dev *dev);

/** struct rnl_port_ops.groups of every device: `port` is a struct rnl_dev_queue. */
void rnl_dev_set_groups(void *port, const uint8_t (*macs)[6], unsigned int n);

/** Empties what waits in the receive queues of a device that passes buffers. No worker may run. */
void rnl_dev_drain(struct rnl_dev *dev);

#endif /* RNL_PORT_DEV_H */
