/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * topo_map - see topo_map.h. A stack sees a port through one queue pair, so an lcore polls at most
 * one queue of each port. Floor 6.
 */
#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "args_err.h"
#include "topo_map.h"

static int add_port(struct rnl_topo_ports *p, uint16_t id, struct rnl_error *err)
{
	if (p->n == RNL_TOPO_MAX_PORTS)
		return rnl_app_err(err, -EINVAL, "more than %d ports: choose with -p",
		                   RNL_TOPO_MAX_PORTS);
	p->id[p->n++] = id;
	return 0;
}

static int port_index(const struct rnl_topo_ports *p, uint16_t id)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->id[i] == id)
			return (int)i;
	return -1;
}

/* Ports of the mask; without one those of the map; without both all. */
static int choose_ports(const struct rnl_topo_opts *o, struct rnl_topo_ports *p,
                        struct rnl_error *err)
{
	for (unsigned int id = 0; id < 64; id++)
		if ((o->portmask >> id & 1) != 0 && !rte_eth_dev_is_valid_port((uint16_t)id))
			return rnl_app_err(err, -ENODEV,
			                   "-p names port %u, and there are %u: name "
			                   "devices with -a or --vdev, or change -p",
			                   id, rte_eth_dev_count_avail());
	for (uint16_t id = 0; id < RTE_MAX_ETHPORTS; id++) {
		bool wanted = o->portmask == 0 || (id < 64 && (o->portmask >> id & 1) != 0);
		bool mapped = o->nb_map == 0;

		for (unsigned int i = 0; i < o->nb_map; i++)
			mapped |= o->map[i].port == id;
		if (!rte_eth_dev_is_valid_port(id) || !wanted || !mapped)
			continue;
		if (add_port(p, id, err) != 0)
			return -EINVAL;
	}
	if (p->n == 0)
		return rnl_app_err(err, -ENODEV,
		                   "no ports: name a device with -a or --vdev, such as "
		                   "--vdev=net_tap0,iface=tap0");
	return 0;
}

/* Queues that a port gets by itself: more than one only where something spreads the packets. */
static int queues_for(const struct rnl_topo_opts *o, uint16_t id, unsigned int lcores,
                      struct rnl_error *err)
{
	struct rte_eth_dev_info info;
	unsigned int most;

	if (rte_eth_dev_info_get(id, &info) != 0)
		return rnl_app_err(err, -ENODEV,
		                   "port %u says nothing about itself: use another one", id);
	most = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
	if (o->rxq > most)
		return rnl_app_err(err, -EINVAL,
		                   "--rxq %u is more than port %u (%s) has: give at most %u",
		                   o->rxq, id, info.driver_name, most);
	if (o->rxq > lcores)
		return rnl_app_err(err, -EINVAL,
		                   "--rxq %u needs as many worker lcores, and there are %u: "
		                   "name more with -l, or give fewer queues",
		                   o->rxq, lcores);
	if (o->rxq != 0)
		return o->rxq;
	if (info.flow_type_rss_offloads == 0 && strcmp(info.driver_name, "net_ring") != 0)
		return 1;
	return (int)RTE_MIN(most, lcores);
}

static int default_map(struct rnl_topo_opts *o, const struct rnl_topo_ports *p,
                       struct rnl_error *err)
{
	unsigned int lcores[RTE_MAX_LCORE], n = 0, lcore;

	RTE_LCORE_FOREACH_WORKER(lcore)
	lcores[n++] = lcore;
	if (n == 0)
		lcores[n++] = rte_get_main_lcore();
	for (unsigned int i = 0; i < p->n; i++) {
		int queues = queues_for(o, p->id[i], n, err);

		if (queues < 0)
			return queues;
		for (int q = 0; q < queues && o->nb_map < RNL_TOPO_MAX_MAPS; q++)
			o->map[o->nb_map++] = (struct rnl_queue_map){
			    .port = p->id[i], .queue = (uint16_t)q, .lcore = lcores[q]};
	}
	return 0;
}

static int check_entry(const struct rnl_topo_opts *o, unsigned int i,
                       const struct rnl_topo_ports *p, struct rnl_error *err)
{
	const struct rnl_queue_map *m = &o->map[i];

	if (m->lcore >= RTE_MAX_LCORE || !rte_lcore_is_enabled(m->lcore))
		return rnl_app_err(err, -EINVAL,
		                   "--config names lcore %u, which is not enabled: add it "
		                   "to -l, or change --config",
		                   m->lcore);
	if (port_index(p, m->port) < 0)
		return rnl_app_err(
		    err, -ENODEV, "--config names port %u, which %s: change --config", m->port,
		    rte_eth_dev_is_valid_port(m->port) ? "-p leaves out" : "does not exist");
	for (unsigned int k = 0; k < i; k++)
		if (o->map[k].port == m->port && o->map[k].lcore == m->lcore)
			return rnl_app_err(err, -EINVAL,
			                   "--config gives lcore %u two queues of port %u: "
			                   "give it one",
			                   m->lcore, m->port);
	return 0;
}

/* Queues of a port count from 0 without a hole, for RSS spreads over all of them. */
static int count_queues(const struct rnl_topo_opts *o, struct rnl_topo_ports *p,
                        struct rnl_error *err)
{
	for (unsigned int k = 0; k < p->n; k++) {
		unsigned int n = 0, highest = 0;

		for (unsigned int i = 0; i < o->nb_map; i++) {
			if (o->map[i].port != p->id[k])
				continue;
			highest = RTE_MAX(highest, (unsigned int)o->map[i].queue);
			n++;
		}
		if (n == 0 || highest + 1 != n)
			return rnl_app_err(err, -EINVAL,
			                   "--config has %u queues of port %u, the highest "
			                   "being %u: name them all, from 0 on",
			                   n, p->id[k], highest);
		p->queues[k] = (uint16_t)n;
	}
	return 0;
}

int rnl_topo_map(struct rnl_topo_opts *o, struct rnl_topo_ports *out, struct rnl_error *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = choose_ports(o, out, err);
	if (rc == 0 && o->nb_map == 0)
		rc = default_map(o, out, err);
	for (unsigned int i = 0; i < o->nb_map && rc == 0; i++)
		rc = check_entry(o, i, out, err);
	return rc == 0 ? count_queues(o, out, err) : rc;
}
