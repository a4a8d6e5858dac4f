/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * devqueue - the two bursts of a queue pair, in the variants that drivers call for. Refuses to hold
 * a packet: what the device does not take stays with the stack. Floor 5.
 */
#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dev.h"

static uint16_t rx_plain(void *port, struct rte_mbuf **m, uint16_t n)
{
	const struct rnl_dev_queue *q = port;

	return rte_eth_rx_burst(q->port_id, q->queue, m, n);
}

/* For drivers that pass the sender's buffer on as it is. */
static uint16_t rx_set_port(void *port, struct rte_mbuf **m, uint16_t n)
{
	const struct rnl_dev_queue *q = port;
	uint16_t got = rte_eth_rx_burst(q->port_id, q->queue, m, n);

	for (uint16_t i = 0; i < got; i++)
		m[i]->port = q->port_id;
	return got;
}

static uint16_t tx_plain(void *port, struct rte_mbuf **m, uint16_t n)
{
	const struct rnl_dev_queue *q = port;

	return rte_eth_tx_burst(q->port_id, q->queue, m, n);
}

static void reject(struct rnl_dev_queue *q, struct rte_mbuf *m)
{
	rte_pktmbuf_free(m);
	__atomic_store_n(&q->tx_rejected, q->tx_rejected + 1, __ATOMIC_RELAXED);
}

/*
 * Some drivers want the pseudo header's sum their own way, or lengths in other places: prepare does
 * it. It stops at the first packet that can never be sent; that one is freed, because the stack
 * would offer it again for ever.
 */
static uint16_t tx_prepared(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct rnl_dev_queue *q = port;
	uint16_t taken = 0;

	while (taken < n) {
		uint16_t rest = (uint16_t)(n - taken);
		uint16_t ready = rte_eth_tx_prepare(q->port_id, q->queue, m + taken, rest);
		uint16_t sent = rte_eth_tx_burst(q->port_id, q->queue, m + taken, ready);

		taken = (uint16_t)(taken + sent);
		if (sent < ready)
			break;
		if (unlikely(ready < rest))
			reject(q, m[taken++]);
	}
	return taken;
}

const struct rnl_port_ops *rnl_dev_ops(const struct rnl_dev *dev)
{
	static const struct rnl_port_ops ops[2][2] = {
	    {{rx_plain, tx_plain, rnl_dev_set_groups},
	     {rx_plain, tx_prepared, rnl_dev_set_groups}},
	    {{rx_set_port, tx_plain, rnl_dev_set_groups},
	     {rx_set_port, tx_prepared, rnl_dev_set_groups}},
	};
	const uint32_t offloads = RNL_CAP_TX_IPV4_CKSUM | RNL_CAP_TX_TCP_CKSUM | RNL_CAP_TX_TSO;

	return &ops[dev->quirk->sets_no_port][(dev->plan.caps & offloads) != 0];
}

int rnl_dev_queue(struct rnl_dev *dev, unsigned int queue, struct rnl_port *out)
{
	if (dev == NULL || out == NULL || queue >= dev->plan.nb_rxq)
		return -EINVAL;
	*out = (struct rnl_port){
	    .size = sizeof(*out),
	    .ops = rnl_dev_ops(dev),
	    .ctx = &dev->queues[queue],
	    .mtu = dev->plan.mtu,
	    .vlan = dev->cfg.vlan,
	    .caps = dev->plan.caps,
	    .tso_max_segs = dev->plan.tso_max_segs,
	};
	for (unsigned int i = 0; i < sizeof(out->mac); i++)
		out->mac[i] = dev->mac[i];
	return 0;
}

uint64_t rnl_dev_tx_rejected(const struct rnl_dev *dev, unsigned int queue)
{
	if (queue >= dev->plan.nb_rxq)
		return 0;
	return __atomic_load_n(&dev->queues[queue].tx_rejected, __ATOMIC_RELAXED);
}

unsigned int rnl_dev_queues(const struct rnl_dev *dev)
{
	return dev->plan.nb_rxq;
}

void rnl_dev_drain(struct rnl_dev *dev)
{
	struct rte_mbuf *m[32];

	for (uint16_t q = 0; q < dev->plan.nb_rxq; q++) {
		uint16_t got;

		/* Nobody sends any more, so this ends. */
		while ((got = rte_eth_rx_burst(dev->cfg.port_id, q, m, RTE_DIM(m))) != 0)
			rte_pktmbuf_free_bulk(m, got);
	}
}
