/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lib/port: the ring link, devices and their bursts, pools, the clock. No hugepages, no
 * NIC, no rights.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "runnel.h"
#include "port/clock.h"
#include "port/dev.h"
#include "port/pools.h"
#include "port/ringlink.h"

/* Two opened ends of a ring link, and pools to send from. */
struct wire {
	uint16_t ids[2];
	struct rnl_dev *dev[2];
	struct rnl_port port[2];
	struct rte_mempool *pkt, *hdr;
};

static struct rnl_dev_config config_of(uint16_t port_id)
{
	return (struct rnl_dev_config){
	    .size = sizeof(struct rnl_dev_config), .port_id = port_id, .extra_mbufs = 64};
}

static void wire_open(struct wire *w, unsigned int queues)
{
	struct rnl_error err = {{0}};

	memset(w, 0, sizeof(*w));
	assert_int_equal(rnl_ring_link("t", queues, w->ids, &err), 0);
	for (int i = 0; i < 2; i++) {
		struct rnl_dev_config cfg = config_of(w->ids[i]);

		cfg.nb_rxq = (uint16_t)queues;
		assert_int_equal(rnl_dev_open(&cfg, &w->dev[i], &err), 0);
		assert_int_equal(rnl_dev_queue(w->dev[i], 0, &w->port[i]), 0);
	}
	assert_int_equal(rnl_pools_create("t", 256, -1, &w->pkt, &w->hdr, &err), 0);
}

static void wire_close(struct wire *w)
{
	for (int i = 0; i < 2; i++)
		rnl_dev_close(w->dev[i]);
	rnl_ring_unlink("t");
	rnl_pools_free(w->pkt, w->hdr);
}

static void make_packets(struct rte_mempool *pool, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		m[i] = rte_pktmbuf_alloc(pool);
		assert_non_null(m[i]);
		memset(rte_pktmbuf_append(m[i], 64), i, 64);
	}
}

static void port__link_carries_bursts_both_ways(void **state)
{
	struct wire w;
	struct rte_mbuf *m[8], *got[16];

	wire_open(&w, 1);
	for (int from = 0; from < 2; from++) {
		struct rnl_port *a = &w.port[from], *b = &w.port[1 - from];

		make_packets(w.pkt, m, 8);
		assert_int_equal(a->ops->tx(a->ctx, m, 8), 8);
		assert_int_equal(a->ops->rx(a->ctx, got, 16), 0);
		assert_int_equal(b->ops->rx(b->ctx, got, 16), 8);
		for (int i = 0; i < 8; i++) {
			assert_ptr_equal(got[i], m[i]);
			assert_int_equal(*rte_pktmbuf_mtod(got[i], uint8_t *), i);
			/* the driver leaves the sender's port in it */
			assert_int_equal(got[i]->port, w.ids[1 - from]);
		}
		rte_pktmbuf_free_bulk(got, 8);
	}
	wire_close(&w);
}

static void port__queues_are_separate(void **state)
{
	struct wire w;
	struct rnl_port a, b0, b1;
	struct rte_mbuf *m[1], *got[1];

	wire_open(&w, 2);
	assert_int_equal(rnl_dev_queues(w.dev[0]), 2);
	assert_int_equal(rnl_dev_queue(w.dev[0], 1, &a), 0);
	assert_int_equal(rnl_dev_queue(w.dev[1], 0, &b0), 0);
	assert_int_equal(rnl_dev_queue(w.dev[1], 1, &b1), 0);
	make_packets(w.pkt, m, 1);
	assert_int_equal(a.ops->tx(a.ctx, m, 1), 1);
	assert_int_equal(b0.ops->rx(b0.ctx, got, 1), 0);
	assert_int_equal(b1.ops->rx(b1.ctx, got, 1), 1);
	rte_pktmbuf_free(got[0]);
	assert_int_equal(rnl_dev_queue(w.dev[0], 2, &a), -EINVAL);
	wire_close(&w);
}

static void port__full_link_leaves_the_rest_with_the_sender(void **state)
{
	static struct rte_mbuf *m[RNL_RING_LINK_SIZE + 8];
	struct wire w;
	struct rte_mempool *pkt, *hdr;
	struct rnl_port *a;
	uint16_t taken;

	wire_open(&w, 1);
	a = &w.port[0];
	assert_int_equal(rnl_pools_create("big", RTE_DIM(m), -1, &pkt, &hdr, NULL), 0);
	make_packets(pkt, m, RTE_DIM(m));
	taken = a->ops->tx(a->ctx, m, RTE_DIM(m));
	assert_int_equal(taken, RNL_RING_LINK_SIZE - 1);
	assert_int_equal(a->ops->tx(a->ctx, m + taken, 1), 0);
	rte_pktmbuf_free_bulk(m + taken, RTE_DIM(m) - taken);
	wire_close(&w);
	/* closing emptied the wire: every buffer is home, so that the pools may go */
	assert_true(rte_mempool_full(pkt));
	rnl_pools_free(pkt, hdr);
	assert_null(rte_mempool_lookup("rnl_big_pkt"));
	assert_null(rte_mempool_lookup("rnl_big_hdr"));
}

static void port__describes_the_device(void **state)
{
	struct wire w;

	wire_open(&w, 1);
	assert_int_equal(w.port[0].size, sizeof(struct rnl_port));
	assert_int_equal(w.port[0].mtu, 1500);
	assert_int_equal(w.port[0].caps, RNL_CAP_TX_MULTI_SEGS);
	/* net_ring has no address of its own: each end gets a local unicast one */
	assert_int_equal(w.port[0].mac[0] & 3, 2);
	assert_memory_not_equal(w.port[0].mac, w.port[1].mac, 6);
	wire_close(&w);
}

static void port__link_can_be_made_again(void **state)
{
	struct wire w;
	uint16_t ids[2];

	for (int i = 0; i < 3; i++) {
		wire_open(&w, 1);
		assert_int_equal(rnl_ring_link("t", 1, ids, NULL), -EEXIST);
		wire_close(&w);
	}
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

static void port__bad_links_are_refused(void **state)
{
	struct rnl_error err = {{0}};
	uint16_t ids[2];

	assert_int_equal(rnl_ring_link("", 1, ids, &err), -EINVAL);
	assert_int_equal(rnl_ring_link("thirteenchars", 1, ids, &err), -EINVAL);
	assert_non_null(strstr(err.text, "1 to 12 characters"));
	assert_int_equal(rnl_ring_link("x", 0, ids, &err), -EINVAL);
	assert_int_equal(rnl_ring_link("x", RNL_RING_LINK_QUEUES + 1, ids, &err), -EINVAL);
	assert_non_null(strstr(err.text, "give 1 to 16"));
	assert_int_equal(rnl_ring_link("twelve_chars", RNL_RING_LINK_QUEUES, ids, &err), 0);
	rnl_ring_unlink("twelve_chars");
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

/* Opens with cfg, expects rc and a text that names the way out. */
static void refuse(const struct rnl_dev_config *cfg, int rc, const char *hint)
{
	struct rnl_error err = {{0}};
	struct rnl_dev *dev = NULL;

	assert_int_equal(rnl_dev_open(cfg, &dev, &err), rc);
	assert_null(dev);
	assert_non_null(strstr(err.text, hint));
	assert_null(strchr(err.text, '\n'));
}

static void port__bad_device_configs_are_refused(void **state)
{
	struct rnl_dev_config cfg;
	uint16_t ids[2];

	assert_int_equal(rnl_ring_link("bad", 1, ids, NULL), 0);
	cfg = config_of(77);
	refuse(&cfg, -ENODEV, "--vdev");
	cfg = config_of(ids[0]);
	cfg.size = 0;
	refuse(&cfg, -EINVAL, "size field");
	cfg = config_of(ids[0]);
	cfg.vlan = 4095;
	refuse(&cfg, -EINVAL, "1 to 4094");
	cfg = config_of(ids[0]);
	cfg.nb_rxq = 2;
	cfg.nb_txq = 1;
	refuse(&cfg, -EINVAL, "each receive queue needs its transmit queue");
	cfg = config_of(ids[0]);
	cfg.mtu = 20;
	refuse(&cfg, -EINVAL, "give 68 to");
	rnl_ring_unlink("bad");
}

static void port__a_running_device_is_refused_and_runs_on(void **state)
{
	struct wire w;
	struct rnl_dev_config cfg;
	struct rte_mbuf *m[1], *got[1];

	wire_open(&w, 1);
	cfg = config_of(w.ids[0]);
	/* the pools' names are taken as well, but the device must speak first */
	refuse(&cfg, -EINVAL, "is running");
	make_packets(w.pkt, m, 1);
	assert_int_equal(w.port[0].ops->tx(w.port[0].ctx, m, 1), 1);
	assert_int_equal(w.port[1].ops->rx(w.port[1].ctx, got, 1), 1);
	rte_pktmbuf_free(got[0]);
	wire_close(&w);
}

static void port__failure_leaves_a_usable_device(void **state)
{
	struct rte_mempool *thief;
	struct rnl_dev_config cfg;
	struct rnl_dev *dev;
	uint16_t ids[2], mtu;

	assert_int_equal(rnl_ring_link("again", 1, ids, NULL), 0);
	cfg = config_of(ids[0]);
	cfg.mtu = 9000;
	/* somebody has the name of the receive pool */
	thief = rte_pktmbuf_pool_create("rnl_rx_0_0", 15, 0, 0, 512, -1);
	assert_non_null(thief);
	refuse(&cfg, -EEXIST, "another name");
	assert_int_equal(rte_eth_dev_get_mtu(ids[0], &mtu), 0);
	assert_int_equal(mtu, 1500);
	rte_mempool_free(thief);
	assert_int_equal(rnl_dev_open(&cfg, &dev, NULL), 0);
	assert_int_equal(dev->plan.mtu, 9000);
	rnl_dev_close(dev);
	rnl_ring_unlink("again");
}

static void port__queues_beyond_the_device_are_cut(void **state)
{
	struct rnl_dev_config cfg;
	struct rnl_dev *dev;
	struct rnl_port port;
	uint16_t ids[2];

	assert_int_equal(rnl_ring_link("cut", 2, ids, NULL), 0);
	cfg = config_of(ids[0]);
	cfg.nb_rxq = 5;
	assert_int_equal(rnl_dev_open(&cfg, &dev, NULL), 0);
	assert_int_equal(rnl_dev_queues(dev), 2);
	assert_int_equal(rnl_dev_queue(dev, 1, &port), 0);
	assert_int_equal(rnl_dev_queue(dev, 2, &port), -EINVAL);
	rnl_dev_close(dev);
	rnl_ring_unlink("cut");
}

/* A plan for a device whose rte_eth_dev_info has been changed. */
static void plan_with(struct rnl_dev *dev, const struct rte_eth_dev_info *info, uint16_t rxq)
{
	*dev = (struct rnl_dev){.cfg = config_of(0), .info = *info};
	dev->cfg.nb_rxq = rxq;
	dev->quirk = rnl_dev_quirk_of("net_some_nic");
	assert_int_equal(rnl_dev_plan(dev, NULL), 0);
}

static void port__plan_takes_offloads_but_never_fast_free(void **state)
{
	struct wire w;
	struct rnl_dev dev;
	struct rte_eth_dev_info info;

	wire_open(&w, 1);
	info = w.dev[0]->info;
	info.max_rx_queues = info.max_tx_queues = 4;
	info.tx_offload_capa = UINT64_MAX;
	info.rx_offload_capa = UINT64_MAX;
	info.flow_type_rss_offloads = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP;
	plan_with(&dev, &info, 4);
	assert_int_equal(dev.plan.caps, RNL_CAP_TX_IPV4_CKSUM | RNL_CAP_TX_TCP_CKSUM |
	                                    RNL_CAP_TX_MULTI_SEGS | RNL_CAP_TX_TSO);
	assert_int_equal(dev.plan.eth.txmode.offloads & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE, 0);
	assert_int_equal(dev.plan.eth.rxmode.offloads,
	                 RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
	assert_int_equal(dev.plan.eth.rx_adv_conf.rss_conf.rss_hf, RTE_ETH_RSS_NONFRAG_IPV4_TCP);
	/* refill reserve: descriptors, bursts, and what may wait for the application */
	assert_int_equal(dev.plan.rx_mbufs, 1024 + 512 + 64);

	info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	plan_with(&dev, &info, 1);
	assert_int_equal(dev.plan.caps, RNL_CAP_TX_MULTI_SEGS); /* no TSO without TCP checksums */
	assert_int_equal(dev.plan.eth.rxmode.mq_mode, RTE_ETH_MQ_RX_NONE);
	wire_close(&w);
}

static void port__plan_respects_limits(void **state)
{
	struct wire w;
	struct rnl_dev dev;
	struct rte_eth_dev_info info;

	wire_open(&w, 1);
	info = w.dev[0]->info;
	info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS |
	                       RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	info.tx_desc_lim.nb_seg_max = 8;
	plan_with(&dev, &info, 1);
	assert_int_equal(dev.plan.tso_max_segs, 8);
	info.tx_desc_lim.nb_mtu_seg_max = 1;
	plan_with(&dev, &info, 1);
	assert_int_equal(dev.plan.caps, RNL_CAP_TX_TCP_CKSUM);
	/* a frame that fits no buffer: a larger one, or chains */
	dev.cfg.mtu = 9000;
	info.rx_offload_capa = 0;
	dev.info = info;
	dev.plan = (struct rnl_dev_plan){0};
	assert_int_equal(rnl_dev_plan(&dev, NULL), 0);
	assert_true(dev.plan.data_room >= 9022);
	dev.info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER;
	dev.plan = (struct rnl_dev_plan){0};
	assert_int_equal(rnl_dev_plan(&dev, NULL), 0);
	assert_int_equal(dev.plan.data_room, 2048);
	assert_int_equal(dev.plan.eth.rxmode.offloads, RTE_ETH_RX_OFFLOAD_SCATTER);
	wire_close(&w);
}

/* Stands for a driver that refuses packets marked 0xbad. */
static uint16_t picky_prepare(void *queue, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		if (m[i]->hash.usr == 0xbad) {
			rte_errno = EINVAL;
			return i;
		}
	return n;
}

static void port__rejected_packets_do_not_block(void **state)
{
	struct wire w;
	struct rnl_port a;
	struct rte_mbuf *m[6], *got[6];

	wire_open(&w, 1);
	w.dev[0]->plan.caps |= RNL_CAP_TX_TCP_CKSUM;
	assert_int_equal(rnl_dev_queue(w.dev[0], 0, &a), 0);
	rte_eth_fp_ops[w.ids[0]].tx_pkt_prepare = picky_prepare;
	make_packets(w.pkt, m, 6);
	m[0]->hash.usr = m[3]->hash.usr = m[5]->hash.usr = 0xbad;
	assert_int_equal(a.ops->tx(a.ctx, m, 6), 6);
	assert_int_equal(rnl_dev_tx_rejected(w.dev[0], 0), 3);
	assert_int_equal(w.port[1].ops->rx(w.port[1].ctx, got, 6), 3);
	assert_int_equal(*rte_pktmbuf_mtod(got[0], uint8_t *), 1);
	assert_int_equal(*rte_pktmbuf_mtod(got[2], uint8_t *), 4);
	rte_pktmbuf_free_bulk(got, 3);
	assert_true(rte_mempool_full(w.pkt));
	wire_close(&w);
}

static void port__pools_are_as_asked_for(void **state)
{
	struct rte_mempool *pkt, *hdr;

	assert_int_equal(rnl_pools_create("sixteen_chars_ok", 100, -1, &pkt, &hdr, NULL), 0);
	assert_int_equal(pkt->size, 100);
	assert_int_equal(hdr->size, 200);
	assert_int_equal(rte_pktmbuf_data_room_size(pkt), 2048 + RTE_PKTMBUF_HEADROOM);
	assert_int_equal(rte_pktmbuf_data_room_size(hdr), 256 + RTE_PKTMBUF_HEADROOM);
	rnl_pools_free(pkt, hdr);
}

static void port__pool_errors_say_what_to_do(void **state)
{
	struct rte_mempool *pkt, *hdr, *pkt2, *hdr2, *other;
	struct rnl_error err = {{0}};

	assert_int_equal(rnl_pools_create("seventeen_chars_x", 64, -1, &pkt, &hdr, &err), -EINVAL);
	assert_non_null(strstr(err.text, "1 to 16 characters"));
	assert_int_equal(rnl_pools_create("none", 0, -1, &pkt, &hdr, &err), -EINVAL);
	assert_int_equal(rnl_pools_create("huge", 1u << 22, -1, &pkt, &hdr, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "fewer"));
	/* the second pool's name is taken: the first is given back */
	other = rte_pktmbuf_pool_create("rnl_both_hdr", 15, 0, 0, 256, -1);
	assert_non_null(other);
	assert_int_equal(rnl_pools_create("both", 64, -1, &pkt, &hdr, &err), -EEXIST);
	assert_non_null(strstr(err.text, "rnl_both_hdr"));
	rte_mempool_free(other);
	assert_null(rte_mempool_lookup("rnl_both_pkt"));
	assert_int_equal(rnl_pools_create("twice", 64, -1, &pkt, &hdr, &err), 0);
	assert_int_equal(rnl_pools_create("twice", 64, -1, &pkt2, &hdr2, &err), -EEXIST);
	rnl_pools_free(pkt, hdr);
	assert_null(rte_mempool_lookup("rnl_twice_pkt"));
}

static void port__pools_that_are_in_use_stay(void **state)
{
	struct rte_mempool *pkt, *hdr;
	struct rte_mbuf *m;

	assert_int_equal(rnl_pools_create("used", 64, -1, &pkt, &hdr, NULL), 0);
	m = rte_pktmbuf_alloc(pkt);
	assert_non_null(m);
	rnl_pools_free(pkt, hdr);
	assert_ptr_equal(rte_mempool_lookup("rnl_used_pkt"), pkt);
	assert_null(rte_mempool_lookup("rnl_used_hdr"));
	rte_pktmbuf_free(m);
	rnl_pools_free(pkt, NULL);
	assert_null(rte_mempool_lookup("rnl_used_pkt"));
}

static void port__clock_converts_exactly(void **state)
{
	const uint64_t hz[] = {25000000, 1000000000, 2596130000, 5000000000};

	for (unsigned int i = 0; i < RTE_DIM(hz); i++) {
		struct rnl_clock c = rnl_clock_of_hz(hz[i]);

		assert_int_equal(rnl_clock_cycles_ns(&c, 0), 0);
		for (uint64_t s = 1; s < 100000000; s *= 10) { /* to three years */
			uint64_t ns = rnl_clock_cycles_ns(&c, hz[i] * s), want = s * 1000000000;

			assert_true(ns + s + 1 >= want && ns <= want + s + 1); /* 1 ppb */
		}
	}
}

static void port__clock_goes_with_the_wall(void **state)
{
	uint64_t a = rnl_clock_ns(), last = a, passed;
	struct timespec t0, t1;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (int i = 0; i < 100000; i++) {
		uint64_t now = rnl_clock_ns();

		assert_true(now >= last);
		last = now;
	}
	rte_delay_us_sleep(20000);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	passed = rnl_clock_ns() - a;
	assert_true(passed >= 20000000);
	/* the same interval by the kernel's clock lies inside ours, less 1 % for calibration */
	assert_true(passed + passed / 100 >= (uint64_t)(t1.tv_sec - t0.tv_sec) * 1000000000 +
	                                         (uint64_t)t1.tv_nsec - (uint64_t)t0.tv_nsec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(port__link_carries_bursts_both_ways),
	    cmocka_unit_test(port__queues_are_separate),
	    cmocka_unit_test(port__full_link_leaves_the_rest_with_the_sender),
	    cmocka_unit_test(port__describes_the_device),
	    cmocka_unit_test(port__link_can_be_made_again),
	    cmocka_unit_test(port__bad_links_are_refused),
	    cmocka_unit_test(port__bad_device_configs_are_refused),
	    cmocka_unit_test(port__a_running_device_is_refused_and_runs_on),
	    cmocka_unit_test(port__failure_leaves_a_usable_device),
	    cmocka_unit_test(port__queues_beyond_the_device_are_cut),
	    cmocka_unit_test(port__plan_takes_offloads_but_never_fast_free),
	    cmocka_unit_test(port__plan_respects_limits),
	    cmocka_unit_test(port__rejected_packets_do_not_block),
	    cmocka_unit_test(port__pools_are_as_asked_for),
	    cmocka_unit_test(port__pool_errors_say_what_to_do),
	    cmocka_unit_test(port__pools_that_are_in_use_stay),
	    cmocka_unit_test(port__clock_converts_exactly),
	    cmocka_unit_test(port__clock_goes_with_the_wall),
	};
	char prog[] = "test_port", o1[] = "--no-huge", o2[] = "-m", o3[] = "128", o4[] = "--no-pci",
	     o5[] = "--no-shconf", o6[] = "--no-telemetry", o7[] = "--log-level=4";
	char *argv[] = {prog, o1, o2, o3, o4, o5, o6, o7, NULL};
	int rc;

	if (rte_eal_init(RTE_DIM(argv) - 1, argv) < 0)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rte_eal_cleanup();
	return rc;
}
