/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports on the console, in testpmd's words: see show.h. Floor 6. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "show.h"

/* Calls fn for the port, or for all. */
static void each_port(const struct rnl_endpoint *e, const char *which,
                      void (*fn)(uint16_t port, void *arg), void *arg)
{
	const bool all = strcmp(which, "all") == 0;
	bool found = false;
	unsigned int i;
	uint64_t n = 0;

	if (!all && rnl_service_number(which, UINT16_MAX, &n) != 0) {
		printf("'%s' is not a port: give a port number or all\n", which);
		return;
	}
	for (i = 0; i < e->topo.nb_devs; i++) {
		if (!all && e->topo.devs[i].port_id != n)
			continue;
		found = true;
		fn(e->topo.devs[i].port_id, arg);
	}
	if (!found)
		printf("port %s is not in use here: see 'show config'\n", which);
}

static void print_offloads(const char *title, uint64_t bits, const char *(*name)(uint64_t bit))
{
	printf("  %s:", title);
	if (bits == 0)
		printf(" none");
	for (; bits != 0; bits &= bits - 1)
		printf(" %s", name(bits & -bits));
	putchar('\n');
}

static void show_info(uint16_t port, void *arg)
{
	struct rte_ether_addr mac = {0};
	struct rte_eth_dev_info info;
	struct rte_eth_link link = {0};
	struct rte_eth_conf conf = {0};
	char name[RTE_ETH_NAME_MAX_LEN] = "";
	uint16_t mtu = 0;

	if (rte_eth_dev_info_get(port, &info) != 0) {
		printf("port %u gives no information\n", port);
		return;
	}
	rte_eth_dev_get_name_by_port(port, name);
	rte_eth_macaddr_get(port, &mac);
	rte_eth_dev_get_mtu(port, &mtu);
	rte_eth_link_get_nowait(port, &link);
	rte_eth_dev_conf_get(port, &conf);
	printf("Port %u: %s, driver %s, NUMA node %d\n", port, name, info.driver_name,
	       rte_eth_dev_socket_id(port));
	printf("  MAC address: " RTE_ETHER_ADDR_PRT_FMT "\n", RTE_ETHER_ADDR_BYTES(&mac));
	printf("  Link: %s, %s, %s\n", link.link_status ? "up" : "down",
	       rte_eth_link_speed_to_str(link.link_speed),
	       link.link_duplex ? "full-duplex" : "half-duplex");
	printf("  MTU: %u; promiscuous: %s\n", mtu,
	       rte_eth_promiscuous_get(port) == 1 ? "on" : "off");
	printf("  Queues: rx %u of %u, tx %u of %u\n", info.nb_rx_queues, info.max_rx_queues,
	       info.nb_tx_queues, info.max_tx_queues);
	print_offloads("Rx offloads in use", conf.rxmode.offloads, rte_eth_dev_rx_offload_name);
	print_offloads("Tx offloads in use", conf.txmode.offloads, rte_eth_dev_tx_offload_name);
	print_offloads("Tx offloads there are", info.tx_offload_capa, rte_eth_dev_tx_offload_name);
}

static void show_stats(uint16_t port, void *arg)
{
	struct rte_eth_stats s;

	if (rte_eth_stats_get(port, &s) != 0) {
		printf("port %u keeps no statistics\n", port);
		return;
	}
	printf("NIC statistics for port %u:\n", port);
	printf("  RX-packets: %-12" PRIu64 " RX-missed: %-12" PRIu64 " RX-bytes:  %" PRIu64 "\n",
	       s.ipackets, s.imissed, s.ibytes);
	printf("  RX-errors:  %-12" PRIu64 " RX-nombuf: %" PRIu64 "\n", s.ierrors, s.rx_nombuf);
	printf("  TX-packets: %-12" PRIu64 " TX-errors: %-12" PRIu64 " TX-bytes:  %" PRIu64 "\n",
	       s.opackets, s.oerrors, s.obytes);
}

static void show_xstats(uint16_t port, void *arg)
{
	int n = rte_eth_xstats_get(port, NULL, 0), i;
	struct rte_eth_xstat_name *names;
	struct rte_eth_xstat *values;

	if (n <= 0) {
		printf("port %u keeps no extended statistics\n", port);
		return;
	}
	names = calloc((size_t)n, sizeof(*names));
	values = calloc((size_t)n, sizeof(*values));
	if (names != NULL && values != NULL &&
	    rte_eth_xstats_get_names(port, names, (unsigned int)n) == n &&
	    rte_eth_xstats_get(port, values, (unsigned int)n) == n) {
		printf("Extended statistics for port %u that are not zero:\n", port);
		for (i = 0; i < n; i++)
			if (values[i].value != 0)
				printf("  %s: %" PRIu64 "\n", names[i].name, values[i].value);
	}
	free(names);
	free(values);
}

void rnl_show_port(const struct rnl_endpoint *e, enum rnl_show_port what, const char *which)
{
	static void (*const show[])(uint16_t port, void *arg) = {
	    [RNL_SHOW_INFO] = show_info,
	    [RNL_SHOW_STATS] = show_stats,
	    [RNL_SHOW_XSTATS] = show_xstats,
	};

	each_port(e, which, show[what], NULL);
}

static void clear_stats(uint16_t port, void *arg)
{
	int ret = rte_eth_stats_reset(port);

	printf(ret == 0 ? "Port %u: statistics cleared\n" : "port %u cannot clear its statistics\n",
	       port);
}

static void clear_xstats(uint16_t port, void *arg)
{
	int ret = rte_eth_xstats_reset(port);

	printf(ret == 0 ? "Port %u: extended statistics cleared\n"
	                : "port %u cannot clear its extended statistics\n",
	       port);
}

void rnl_show_clear_port(const struct rnl_endpoint *e, enum rnl_show_port what, const char *which)
{
	each_port(e, which, what == RNL_SHOW_XSTATS ? clear_xstats : clear_stats, NULL);
}

static void set_promisc(uint16_t port, void *arg)
{
	const bool on = *(const bool *)arg;
	int ret = on ? rte_eth_promiscuous_enable(port) : rte_eth_promiscuous_disable(port);

	if (ret != 0)
		printf("port %u: promiscuous mode stays as it is: %s\n", port, strerror(-ret));
	else
		printf("Port %u: promiscuous mode %s\n", port, on ? "on" : "off");
}

void rnl_show_set_promisc(const struct rnl_endpoint *e, const char *which, bool on)
{
	each_port(e, which, set_promisc, &on);
}
