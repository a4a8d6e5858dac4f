/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a finished run to plain data. See gather.h.
 * Floor: 6 (application).
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_version.h>

#include "gather.h"

static void read_cpu_model(char *buf, size_t len)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256], *colon;

	snprintf(buf, len, "unknown");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "model name", 10) != 0)
			continue;
		colon = strchr(line, ':');
		line[strcspn(line, "\n")] = '\0';
		if (colon != NULL && colon[1] == ' ')
			snprintf(buf, len, "%s", colon + 2);
		break;
	}
	if (f != NULL)
		fclose(f);
}

void gen_gather_begin(struct gen_gather *g, int argc, char *const argv[])
{
	time_t now = time(NULL);
	struct utsname u;
	struct tm tm;
	size_t n = 0;
	int i;

	for (i = 0; i < argc && n < sizeof(g->command_line); i++)
		n += (size_t)snprintf(g->command_line + n, sizeof(g->command_line) - n, "%s%s",
		                      i == 0 ? "" : " ", argv[i]);
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(g->started_at, sizeof(g->started_at), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		g->started_at[0] = '\0';
	if (uname(&u) == 0)
		snprintf(g->kernel, sizeof(g->kernel), "%s %s", u.sysname, u.release);
	read_cpu_model(g->cpu, sizeof(g->cpu));
	snprintf(g->version, sizeof(g->version), "%u.%u.%u", rnl_version() >> 16,
	         rnl_version() >> 8 & 0xff, rnl_version() & 0xff);
	/* It begins with the name. */
	snprintf(g->dpdk, sizeof(g->dpdk), "%s",
	         rte_version() + strcspn(rte_version(), "0123456789"));
}

static void describe_offloads(uint32_t caps, char *buf, size_t len)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
	    {RNL_CAP_TX_IPV4_CKSUM, "tx_ipv4_cksum"},
	    {RNL_CAP_TX_TCP_CKSUM, "tx_tcp_cksum"},
	    {RNL_CAP_TX_MULTI_SEGS, "tx_multi_segs"},
	    {RNL_CAP_TX_TSO, "tx_tso"},
	};
	size_t n = 0;
	unsigned int i;

	buf[0] = '\0';
	for (i = 0; i < RTE_DIM(names); i++)
		if ((caps & names[i].bit) != 0)
			n += (size_t)snprintf(buf + n, len - n, "%s%s", n == 0 ? "" : " ",
			                      names[i].name);
}

static void describe_device(struct gen_gather *g, unsigned int side, const struct rnl_topo *t,
                            struct gen_end *e)
{
	struct rte_eth_dev_info info;
	struct rte_eth_link link;
	struct rnl_port port = {.size = sizeof(port)};
	uint16_t id = t->devs[0].port_id;

	if (rte_eth_dev_info_get(id, &info) == 0 && info.driver_name != NULL)
		snprintf(g->driver[side], sizeof(g->driver[side]), "%s", info.driver_name);
	if (rte_eth_dev_get_name_by_port(id, g->device[side]) != 0)
		snprintf(g->device[side], sizeof(g->device[side]), "port %u", id);
	if (rte_eth_link_get_nowait(id, &link) == 0 && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		e->speed_mbps = link.link_speed;
	if (rnl_dev_queue(t->devs[0].dev, 0, &port) == 0) {
		e->mtu = port.mtu != 0 ? port.mtu : 1500;
		describe_offloads(port.caps, g->offloads[side], sizeof(g->offloads[side]));
	}
	e->driver = g->driver[side];
	e->device = g->device[side];
	e->offloads = g->offloads[side];
}

/* Counters of the whole run, all stacks of an end together. */
static void sum_counters(struct gen_gather *g, unsigned int side, const struct rnl_topo *t,
                         struct gen_end *e)
{
	uint64_t sum[GEN_METER_COUNTERS] = {0}, one[GEN_METER_COUNTERS];
	unsigned int n = rnl_counters_count(), i, s;

	if (n > GEN_METER_COUNTERS)
		n = GEN_METER_COUNTERS;
	for (s = 0; s < t->nb_stacks; s++) {
		rnl_counters_read(t->stacks[s].st, one, n);
		for (i = 0; i < n; i++)
			sum[i] += one[i];
	}
	e->counters = g->counters[side];
	e->nb_counters = 0;
	for (i = 0; i < n; i++)
		if (sum[i] != 0)
			e->counters[e->nb_counters++] =
			    (struct gen_counter){.name = rnl_counter_name(i), .value = sum[i]};
}

static void list_lcores(struct gen_gather *g, unsigned int side, const struct rnl_topo *t,
                        struct gen_end *e)
{
	char *buf = g->lcores[side];
	size_t n = 0;
	unsigned int i;

	for (i = 0; i < t->nb_stacks && n < sizeof(g->lcores[side]); i++)
		n += (size_t)snprintf(buf + n, sizeof(g->lcores[side]) - n, "%s%u",
		                      i == 0 ? "" : ",", t->stacks[i].lcore);
	e->lcores = buf;
	e->nb_stacks = t->nb_stacks;
}

/* Cycles and packets of the measured time. The busiest core speaks for the cores. */
static void sum_meters(const struct gen_lane *lanes, unsigned int n, unsigned int side,
                       struct gen_end *e)
{
	uint64_t total = 0;
	const struct gen_meter *m;
	unsigned int i;
	double share;

	e->core_busy_share = 0;
	for (i = 0; i < n; i++) {
		m = &lanes[i].meter[side];
		e->rx_packets += gen_meter_counter(m, "rx_packets");
		e->tx_packets += gen_meter_counter(m, "tx_packets");
		if (m->worker == NULL || gen_meter_total_cycles(m) == 0)
			continue;
		e->busy_cycles += gen_meter_busy_cycles(m);
		total += gen_meter_total_cycles(m);
		share = gen_ratio((double)gen_meter_core_busy_cycles(m),
		                  (double)gen_meter_total_cycles(m));
		if (share > e->core_busy_share)
			e->core_busy_share = share;
	}
	e->busy_share = total == 0 ? -1 : (double)e->busy_cycles / (double)total;
	if (total == 0)
		e->core_busy_share = -1;
}

static void describe_ends(struct gen_gather *g, const struct gen_options *o, struct gen_result *r)
{
	static const char *const close_text[] = {"client", "server", "rst"};
	char a[RNL_ADDR_STRLEN], b[RNL_ADDR_STRLEN];
	struct rnl_addr last = rnl_addr_range_at(&o->clients, o->clients.count - 1);

	rnl_addr_format(&o->server, a);
	if (o->server_ports.first == o->server_ports.last)
		snprintf(g->server, sizeof(g->server), "%s port %u", a, o->server_ports.first);
	else
		snprintf(g->server, sizeof(g->server), "%s ports %u-%u", a, o->server_ports.first,
		         o->server_ports.last);
	rnl_addr_format(&o->clients.first, a);
	rnl_addr_format(&last, b);
	snprintf(g->clients, sizeof(g->clients), "%s%s%s ports %u-%u", a,
	         o->clients.count > 1 ? "-" : "", o->clients.count > 1 ? b : "",
	         o->client_ports.first, o->client_ports.last);
	r->server = g->server;
	r->clients = g->clients;
	r->close = close_text[o->close];
	r->engine = o->loop ? o->service.text : NULL;
}

static void describe_load(const struct gen_options *o, const struct gen_plan *plan,
                          struct gen_result *r)
{
	struct gen_plan_in in;

	gen_options_plan(o, &in);
	r->mode = gen_mode_text(o->mode);
	r->bulk = gen_mode_bulk(o->mode);
	r->http = o->http;
	r->short_lived = gen_short_lived(o);
	r->rate = o->rate;
	r->connections = o->connections;
	r->outstanding = o->outstanding;
	if (!r->bulk && !r->http) {
		r->request_bytes = o->request_bytes;
		r->response_bytes = o->response_bytes;
	}
	r->requests_per_conn = o->requests_per_conn;
	r->duration_ns = o->duration_ns;
	r->warmup_ns = o->warmup_ns;
	r->time_wait_ms = in.time_wait_ms;
	r->tuples = plan->tuples;
	r->sustained_per_s = plan->sustained_per_s;
	r->seed = o->seed;
	r->criteria = o->criteria;
}

void gen_gather_result(struct gen_gather *g, const struct gen_link *k, const struct gen_lane *lanes,
                       const struct gen_plan *plan, struct gen_result *r)
{
	const struct gen_options *o = lanes[0].opt;
	unsigned int i;

	gen_stats_reset(&g->stats);
	for (i = 0; i < k->client.nb_stacks; i++)
		gen_stats_merge(&g->stats, &lanes[i].stats);
	describe_load(o, plan, r);
	if (r->http)
		r->request_bytes = lanes[0].run->request_len;
	describe_ends(g, o, r);
	describe_device(g, 0, &k->client, &r->client);
	sum_counters(g, 0, &k->client, &r->client);
	list_lcores(g, 0, &k->client, &r->client);
	sum_meters(lanes, k->client.nb_stacks, 0, &r->client);
	if (o->loop) {
		describe_device(g, 1, &k->server, &r->loop_server);
		sum_counters(g, 1, &k->server, &r->loop_server);
		list_lcores(g, 1, &k->server, &r->loop_server);
		sum_meters(lanes, k->client.nb_stacks, 1, &r->loop_server);
	}
	r->stats = &g->stats;
	r->command_line = g->command_line;
	r->started_at = g->started_at;
	r->version_runnel = g->version;
	r->version_dpdk = g->dpdk;
	r->cpu_model = g->cpu;
	r->kernel = g->kernel;
	r->tsc_hz = rte_get_tsc_hz();
}
