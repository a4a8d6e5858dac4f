/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dev - opening and closing an ethdev port. All that can fail comes before the start, so that a
 * failure leaves a stopped device with its old MTU behind. Floor 5.
 */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_log.h>
#include <rte_malloc.h>

#include "dev.h"
#include "err.h"
#include "pools.h"

#define DEFAULT_LINK_WAIT_MS 9000
#define LINK_STEP_MS 100

static int failed(const struct rnl_dev *dev, int rc, const char *what, struct rnl_error *err)
{
	if (rc == -ENOMEM)
		return rnl_port_err(err, -ENOMEM,
		                    "port %u (%s): no memory to %s: give the EAL more (-m)",
		                    dev->cfg.port_id, dev->info.driver_name, what);
	if (rc == -EBUSY)
		return rnl_port_err(err, -EINVAL,
		                    "port %u (%s) is running: close it where it was opened first",
		                    dev->cfg.port_id, dev->info.driver_name);
	return rnl_port_err(err, -EIO,
	                    "port %u (%s) refused to %s (%s): --log-level=pmd:debug tells more",
	                    dev->cfg.port_id, dev->info.driver_name, what, rte_strerror(-rc));
}

static int configure(struct rnl_dev *dev, struct rnl_error *err)
{
	struct rnl_dev_plan *p = &dev->plan;
	uint16_t id = dev->cfg.port_id;
	int rc = rte_eth_dev_configure(id, p->nb_rxq, p->nb_txq, &p->eth);

	if (rc != 0)
		return failed(dev, rc, "be configured", err);
	if (p->mtu == p->old_mtu)
		return 0;
	rc = rte_eth_dev_set_mtu(id, p->mtu);
	/* Without an MTU of its own (net_ring), a device sends whatever fits its packet limit. */
	if (rc != 0 && rc != -ENOTSUP)
		return rnl_port_err(err, -EINVAL,
		                    "port %u (%s) refused an MTU of %u (%s): give less", id,
		                    dev->info.driver_name, p->mtu, rte_strerror(-rc));
	return 0;
}

static int make_pool(struct rnl_dev *dev, uint16_t queue, struct rnl_error *err)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rnl_pools_spec spec = {
	    .name = name,
	    .count = dev->plan.rx_mbufs,
	    .data_room = dev->plan.data_room,
	    .socket_id = dev->socket_id,
	};

	snprintf(name, sizeof(name), "rnl_rx_%u_%u", dev->cfg.port_id, queue);
	return rnl_pools_make(&spec, &dev->pools[queue], err);
}

static int setup_rx(struct rnl_dev *dev, uint16_t queue, struct rnl_error *err)
{
	struct rte_eth_rxconf conf = dev->info.default_rxconf;
	int rc = make_pool(dev, queue, err);

	if (rc != 0)
		return rc;
	conf.offloads = dev->plan.eth.rxmode.offloads;
	rc = rte_eth_rx_queue_setup(dev->cfg.port_id, queue, dev->plan.nb_rxd,
	                            (unsigned int)dev->socket_id, &conf, dev->pools[queue]);
	return rc == 0 ? 0 : failed(dev, rc, "set up a receive queue", err);
}

static int setup_tx(struct rnl_dev *dev, uint16_t queue, struct rnl_error *err)
{
	struct rte_eth_txconf conf = dev->info.default_txconf;
	int rc;

	conf.offloads = dev->plan.eth.txmode.offloads;
	rc = rte_eth_tx_queue_setup(dev->cfg.port_id, queue, dev->plan.nb_txd,
	                            (unsigned int)dev->socket_id, &conf);
	return rc == 0 ? 0 : failed(dev, rc, "set up a transmit queue", err);
}

static int setup_queues(struct rnl_dev *dev, struct rnl_error *err)
{
	int rc = 0;

	for (uint16_t q = 0; q < dev->plan.nb_rxq && rc == 0; q++) {
		dev->queues[q].port_id = dev->cfg.port_id;
		dev->queues[q].queue = q;
		dev->queues[q].dev = dev;
		rc = setup_rx(dev, q, err);
	}
	for (uint16_t q = 0; q < dev->plan.nb_txq && rc == 0; q++)
		rc = setup_tx(dev, q, err);
	return rc;
}

static bool link_is_up(uint16_t port_id)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(port_id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

/* A link that is down is not an error: the peer of a memif or vhost port may come later. */
static void wait_link(const struct rnl_dev *dev)
{
	unsigned int left_ms = dev->cfg.link_wait_ms;

	if (left_ms == 0)
		left_ms = DEFAULT_LINK_WAIT_MS;
	while (!link_is_up(dev->cfg.port_id)) {
		unsigned int step_ms = RTE_MIN(left_ms, (unsigned int)LINK_STEP_MS);

		if (step_ms == 0) {
			rte_log(RTE_LOG_NOTICE, RTE_LOGTYPE_USER1,
			        "runnel: port %u (%s): link is down, going on without it\n",
			        dev->cfg.port_id, dev->info.driver_name);
			return;
		}
		rte_delay_us_sleep(step_ms * 1000);
		left_ms -= step_ms;
	}
}

/* net_ring has no address; peers need one that is unicast and theirs alone in the process. */
static void read_mac(struct rnl_dev *dev)
{
	struct rte_ether_addr mac = {{0}};
	uint16_t id = dev->cfg.port_id;

	if (rte_eth_macaddr_get(id, &mac) != 0 || rte_is_zero_ether_addr(&mac))
		mac = (struct rte_ether_addr){
		    {0x02, 0x72, 0x6e, 0x6c, (uint8_t)(id >> 8), (uint8_t)id}};
	memcpy(dev->mac, mac.addr_bytes, sizeof(dev->mac));
}

static int start(struct rnl_dev *dev, struct rnl_error *err)
{
	int rc = rte_eth_dev_start(dev->cfg.port_id);

	if (rc != 0)
		return failed(dev, rc, "start", err);
	/* Devices that cannot choose what they receive (net_memif) receive everything. */
	if (dev->cfg.promiscuous)
		(void)rte_eth_promiscuous_enable(dev->cfg.port_id);
	read_mac(dev);
	wait_link(dev);
	return 0;
}

static void free_memory(struct rnl_dev *dev)
{
	for (uint16_t q = 0; dev->pools != NULL && q < dev->plan.nb_rxq; q++)
		rnl_pools_drop(dev->pools[q]);
	rte_free(dev->pools);
	rte_free(dev->queues);
	rte_free(dev->groups);
	rte_free(dev);
}

static int allocate(struct rnl_dev *dev, struct rnl_error *err)
{
	uint16_t n = dev->plan.nb_rxq;
	int node = dev->socket_id;

	dev->queues = rte_zmalloc_socket("rnl_dev_queue", n * sizeof(*dev->queues),
	                                 RTE_CACHE_LINE_SIZE, node);
	dev->pools = rte_zmalloc_socket("rnl_dev_pools", n * sizeof(struct rte_mempool *), 0, node);
	dev->groups = rte_zmalloc_socket("rnl_dev_groups", n * sizeof(*dev->groups), 0, node);
	if (dev->queues == NULL || dev->pools == NULL || dev->groups == NULL)
		return failed(dev, -ENOMEM, "keep its queues", err);
	return 0;
}

static int bring_up(struct rnl_dev *dev, struct rnl_error *err)
{
	int rc = configure(dev, err);

	if (rc == 0)
		rc = setup_queues(dev, err);
	if (rc == 0)
		rc = start(dev, err);
	if (rc != 0 && dev->plan.mtu != dev->plan.old_mtu)
		(void)rte_eth_dev_set_mtu(dev->cfg.port_id, dev->plan.old_mtu);
	return rc;
}

static int check_config(const struct rnl_dev_config *cfg, struct rnl_error *err)
{
	if (cfg == NULL || cfg->size < offsetof(struct rnl_dev_config, nb_rxq) ||
	    cfg->size > sizeof(*cfg))
		return rnl_port_err(err, -EINVAL,
		                    "struct rnl_dev_config has a wrong size: set its size "
		                    "field, and compile with the header of this library");
	if (!rte_eth_dev_is_valid_port(cfg->port_id))
		return rnl_port_err(err, -ENODEV,
		                    "port %u does not exist, %u do: name devices with -a "
		                    "or --vdev",
		                    cfg->port_id, rte_eth_dev_count_avail());
	return 0;
}

int rnl_dev_open(const struct rnl_dev_config *cfg, struct rnl_dev **out, struct rnl_error *err)
{
	struct rnl_dev *dev;
	int rc = check_config(cfg, err);

	if (rc != 0)
		return rc;
	dev = rte_zmalloc("rnl_dev", sizeof(*dev), RTE_CACHE_LINE_SIZE);
	if (dev == NULL)
		return rnl_port_err(err, -ENOMEM, "no memory for port %u: give the EAL more (-m)",
		                    cfg->port_id);
	memcpy(&dev->cfg, cfg, cfg->size);
	dev->socket_id = rte_eth_dev_socket_id(dev->cfg.port_id);
	if (rte_eth_dev_info_get(dev->cfg.port_id, &dev->info) != 0)
		dev->info.driver_name = "unknown driver";
	dev->quirk = rnl_dev_quirk_of(dev->info.driver_name);
	rc = rnl_dev_plan(dev, err);
	if (rc == 0)
		rc = allocate(dev, err);
	if (rc == 0)
		rc = bring_up(dev, err);
	if (rc != 0) {
		free_memory(dev);
		return rc;
	}
	*out = dev;
	return 0;
}

void rnl_dev_close(struct rnl_dev *dev)
{
	if (dev == NULL)
		return;
	if (dev->quirk->passes_mbufs)
		rnl_dev_drain(dev);
	(void)rte_eth_dev_stop(dev->cfg.port_id);
	(void)rte_eth_dev_close(dev->cfg.port_id);
	free_memory(dev);
}
