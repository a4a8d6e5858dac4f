/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * devgroups - the multicast filter of a device: the groups that its queues' stacks want, together.
 * A device that keeps no list receives all groups; one that cannot be told even that, everything; and
 * one that cannot be told at all (net_af_packet, net_memif, net_ring) is taken to filter nothing, which
 * is said once. Workers of several queues may come at a time: a lock, taken when addresses change
 * and never for a packet. Floor 5. RFC 4861 7.2.1.
 */
#include <string.h>

#include <rte_ethdev.h>
#include <rte_log.h>

#include "dev.h"

static const char *name_of(const struct rnl_dev *dev)
{
	return dev->info.driver_name;
}

/* What the driver does not offer is -ENOTSUP; -ENOSPC and others: the list is too long for it. */
static int enable_all(const struct rnl_dev *dev)
{
	uint16_t id = dev->cfg.port_id;

	if (rte_eth_allmulticast_enable(id) == 0) {
		rte_log(RTE_LOG_INFO, RTE_LOGTYPE_USER1,
		        "runnel: port %u (%s) keeps no list of groups: it receives all of them\n",
		        id, name_of(dev));
		return RNL_DEV_ALL_GROUPS;
	}
	if (rte_eth_promiscuous_get(id) == 1 || rte_eth_promiscuous_enable(id) == 0) {
		rte_log(RTE_LOG_NOTICE, RTE_LOGTYPE_USER1,
		        "runnel: port %u (%s) cannot receive groups alone: it receives "
		        "everything\n",
		        id, name_of(dev));
		return RNL_DEV_ALL_GROUPS;
	}
	rte_log(RTE_LOG_NOTICE, RTE_LOGTYPE_USER1,
	        "runnel: port %u (%s) cannot be told which groups to receive: if IPv6 neighbours "
	        "do not find it, let its interface receive all multicast\n",
	        id, name_of(dev));
	return RNL_DEV_ALL_GROUPS;
}

static bool listed(const struct rte_ether_addr *all, unsigned int n, const struct rte_ether_addr *a)
{
	for (unsigned int i = 0; i < n; i++)
		if (rte_is_same_ether_addr(&all[i], a))
			return true;
	return false;
}

/* The groups of all queues, each once. @return how many, at most RNL_DEV_GROUPS; more: they do not
 * fit. */
static unsigned int collect(const struct rnl_dev *dev, struct rte_ether_addr all[RNL_DEV_GROUPS])
{
	unsigned int n = 0;

	for (uint16_t q = 0; q < dev->plan.nb_rxq; q++) {
		const struct rnl_dev_groups *g = &dev->groups[q];

		if (g->n > RNL_DEV_GROUPS)
			return RNL_DEV_GROUPS + 1;
		for (unsigned int i = 0; i < g->n; i++) {
			if (listed(all, n, &g->mac[i]))
				continue;
			if (n == RNL_DEV_GROUPS)
				return RNL_DEV_GROUPS + 1;
			all[n++] = g->mac[i];
		}
	}
	return n;
}

static void apply(struct rnl_dev *dev)
{
	struct rte_ether_addr all[RNL_DEV_GROUPS];
	unsigned int n = collect(dev, all);

	if (dev->filter == RNL_DEV_ALL_GROUPS)
		return;
	if (n <= RNL_DEV_GROUPS && rte_eth_dev_set_mc_addr_list(dev->cfg.port_id, all, n) == 0)
		return;
	dev->filter = enable_all(dev);
}

void rnl_dev_set_groups(void *port, const uint8_t (*macs)[6], unsigned int n)
{
	const struct rnl_dev_queue *q = port;
	struct rnl_dev *dev = q->dev;
	struct rnl_dev_groups *g = &dev->groups[q->queue];

	rte_spinlock_lock(&dev->lock);
	g->n = RTE_MIN(n, (unsigned int)RNL_DEV_GROUPS + 1);
	for (unsigned int i = 0; i < n && i < RNL_DEV_GROUPS; i++)
		memcpy(g->mac[i].addr_bytes, macs[i], RTE_ETHER_ADDR_LEN);
	apply(dev);
	rte_spinlock_unlock(&dev->lock);
}
