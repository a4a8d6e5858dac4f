/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * devplan - what to configure: the user's wishes within the device's limits. Touches nothing.
 * Refuses MBUF_FAST_FREE: retransmission keeps references to sent buffers, which may also be of
 * several pools, and that offload allows neither. Floor 5.
 */
#include <errno.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ethdev.h>

#include "dev.h"
#include "err.h"
#include "pools.h"

#define DEFAULT_DESC 1024
#define DEFAULT_EXTRA_MBUFS 8192
/* The refill reserve: two full receive bursts on top of the descriptors. */
#define BURST_RESERVE 512
/* Ethernet header and two VLAN tags. */
#define L2_MAX (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)
/* Longest TSO chain that is asked for: 61440 octets in buffers of 2 KiB, and headers. */
#define TSO_SEGS_MAX 40
/* Fewest segments of an ordinary packet that make chaining worth it: header and two pieces. */
#define MULTI_SEGS_MIN 3

const struct rnl_dev_quirk *rnl_dev_quirk_of(const char *driver)
{
	static const struct rnl_dev_quirk quirks[] = {
	    {.driver = "net_ring", .sets_no_port = true, .passes_mbufs = true},
	    /* Counts the Ethernet header into a segment: one that fills the MTU is refused (22.11). */
	    {.driver = "net_tap", .no_tso = true},
	    {.driver = NULL},
	};
	const struct rnl_dev_quirk *q = quirks;

	while (q->driver != NULL && (driver == NULL || strcmp(q->driver, driver) != 0))
		q++;
	return q;
}

static int plan_queues(struct rnl_dev *dev, struct rnl_error *err)
{
	const struct rnl_dev_config *cfg = &dev->cfg;
	struct rnl_dev_plan *p = &dev->plan;
	uint16_t rxq = cfg->nb_rxq != 0 ? cfg->nb_rxq : 1;
	uint16_t txq = cfg->nb_txq != 0 ? cfg->nb_txq : rxq;

	if (txq < rxq)
		return rnl_port_err(
		    err, -EINVAL,
		    "port %u: %u transmit queues for %u receive queues: each receive "
		    "queue needs its transmit queue",
		    cfg->port_id, txq, rxq);
	if (dev->info.max_rx_queues == 0 || dev->info.max_tx_queues == 0)
		return rnl_port_err(err, -EINVAL, "port %u (%s) has no queues: use another port",
		                    cfg->port_id, dev->info.driver_name);
	p->nb_txq = RTE_MIN(txq, dev->info.max_tx_queues);
	p->nb_rxq = RTE_MIN(rxq, dev->info.max_rx_queues);
	p->nb_rxq = RTE_MIN(p->nb_rxq, p->nb_txq);
	p->nb_rxd = cfg->nb_rxd != 0 ? cfg->nb_rxd : DEFAULT_DESC;
	p->nb_txd = cfg->nb_txd != 0 ? cfg->nb_txd : DEFAULT_DESC;
	if (rte_eth_dev_adjust_nb_rx_tx_desc(cfg->port_id, &p->nb_rxd, &p->nb_txd) != 0)
		return rnl_port_err(err, -EINVAL,
		                    "port %u (%s) takes neither %u receive nor %u transmit "
		                    "descriptors: ask for other numbers",
		                    cfg->port_id, dev->info.driver_name, p->nb_rxd, p->nb_txd);
	return 0;
}

static int plan_mtu(struct rnl_dev *dev, struct rnl_error *err)
{
	const struct rte_eth_dev_info *info = &dev->info;
	struct rnl_dev_plan *p = &dev->plan;
	uint32_t most = info->max_mtu != 0 ? info->max_mtu : UINT16_MAX;
	uint16_t least = RTE_MAX(info->min_mtu, (uint16_t)RTE_ETHER_MIN_MTU);

	if (rte_eth_dev_get_mtu(dev->cfg.port_id, &p->old_mtu) != 0 || p->old_mtu == 0)
		p->old_mtu = RTE_ETHER_MTU;
	p->mtu = dev->cfg.mtu != 0 ? dev->cfg.mtu : p->old_mtu;
	if (info->max_rx_pktlen >= RTE_ETHER_MIN_LEN) {
		uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

		most = RTE_MIN(most, info->max_rx_pktlen - overhead);
	}
	if (p->mtu < least || p->mtu > most)
		return rnl_port_err(err, -EINVAL,
		                    "port %u (%s) cannot have an MTU of %u: give %u to %u",
		                    dev->cfg.port_id, info->driver_name, p->mtu, least, most);
	return 0;
}

/* One buffer for a whole frame where that fits; else chains, where the device makes them. */
static void plan_buffers(struct rnl_dev *dev)
{
	struct rnl_dev_plan *p = &dev->plan;
	uint32_t frame = p->mtu + (uint32_t)L2_MAX;
	uint32_t room = RTE_MAX((uint32_t)RNL_POOLS_DATA_ROOM, dev->info.min_rx_bufsize);
	uint32_t extra = dev->cfg.extra_mbufs != 0 ? dev->cfg.extra_mbufs : DEFAULT_EXTRA_MBUFS;

	if (frame > room && (dev->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0)
		p->eth.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	else if (frame > room)
		room = RTE_ALIGN_CEIL(frame, (uint32_t)RTE_CACHE_LINE_SIZE);
	p->data_room = RTE_MIN(room, (uint32_t)UINT16_MAX - RTE_PKTMBUF_HEADROOM);
	p->rx_mbufs = p->nb_rxd + BURST_RESERVE + extra;
	if (dev->quirk->passes_mbufs)
		p->rx_mbufs = BURST_RESERVE; /* asked for by the API, never used */
}

static uint32_t tx_caps(uint64_t offloads)
{
	uint32_t caps = 0;

	if ((offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0)
		caps |= RNL_CAP_TX_IPV4_CKSUM;
	if ((offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0)
		caps |= RNL_CAP_TX_TCP_CKSUM;
	if ((offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0)
		caps |= RNL_CAP_TX_MULTI_SEGS;
	if ((offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0)
		caps |= RNL_CAP_TX_TSO;
	return caps;
}

static void plan_tx_offloads(struct rnl_dev *dev)
{
	const struct rte_eth_desc_lim *lim = &dev->info.tx_desc_lim;
	struct rnl_dev_plan *p = &dev->plan;
	uint16_t ring_share = RTE_MAX(p->nb_txd / 4, 1);
	uint64_t want = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

	if (!dev->cfg.no_tx_offloads)
		want |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
		        RTE_ETH_TX_OFFLOAD_TCP_TSO;
	want &= dev->info.tx_offload_capa;
	if (dev->quirk->no_tso)
		want &= ~RTE_ETH_TX_OFFLOAD_TCP_TSO;
	if (lim->nb_mtu_seg_max != 0 && lim->nb_mtu_seg_max < MULTI_SEGS_MIN)
		want &= ~RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	/* Cutting needs the TCP checksum of each piece, and a payload of more than one buffer. */
	if ((want & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) == 0 ||
	    (want & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) == 0)
		want &= ~RTE_ETH_TX_OFFLOAD_TCP_TSO;
	p->eth.txmode.offloads = want;
	p->caps = tx_caps(want);
	p->tso_max_segs = TSO_SEGS_MAX;
	if (lim->nb_seg_max != 0)
		p->tso_max_segs = RTE_MIN(p->tso_max_segs, lim->nb_seg_max);
	/* A chain as long as the ring would never be sent. */
	p->tso_max_segs = RTE_MIN(p->tso_max_segs, ring_share);
}

static void plan_rx_offloads(struct rnl_dev *dev)
{
	const uint64_t hash = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
	                      RTE_ETH_RSS_NONFRAG_IPV6_TCP;
	struct rnl_dev_plan *p = &dev->plan;

	p->eth.rxmode.offloads |= dev->info.rx_offload_capa &
	                          (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
	if (p->nb_rxq > 1 && (dev->info.flow_type_rss_offloads & hash) != 0) {
		p->eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		p->eth.rx_adv_conf.rss_conf.rss_hf = dev->info.flow_type_rss_offloads & hash;
	}
}

int rnl_dev_plan(struct rnl_dev *dev, struct rnl_error *err)
{
	int rc;

	if (dev->cfg.vlan > 4094)
		return rnl_port_err(err, -EINVAL, "VLAN %u: give 1 to 4094, or 0 for none",
		                    dev->cfg.vlan);
	rc = plan_queues(dev, err);
	if (rc == 0)
		rc = plan_mtu(dev, err);
	if (rc != 0)
		return rc;
	plan_buffers(dev);
	plan_tx_offloads(dev);
	plan_rx_offloads(dev);
	dev->plan.eth.rxmode.mtu = dev->plan.old_mtu;
	return 0;
}
