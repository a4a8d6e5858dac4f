/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices, stacks and workers of a run. See link.h.
 * Floor: 6 (application).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_lcore.h>

#include "port/ringlink.h"
#include "link.h"

#define RING_NAME "gen"

/** Which lcore polls the client and which the server of each lane. */
struct lanes {
	unsigned int n;
	unsigned int client[GEN_MAX_LANES], server[GEN_MAX_LANES];
};

__attribute__((format(printf, 2, 3))) static int fail(struct rnl_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/*
 * One lcore: shared. Two: one for each end. More: the main lcore is left to the live line, the
 * others are pairs; with --loop-shared every lcore has both ends of a lane.
 */
static void choose_lcores(struct lanes *l, bool shared, unsigned int most)
{
	unsigned int all[2 * GEN_MAX_LANES + 1], n = 0, lcore, i, first;

	all[n++] = rte_get_main_lcore();
	RTE_LCORE_FOREACH_WORKER(lcore)
	if (n < RTE_DIM(all))
		all[n++] = lcore;
	shared |= n == 1;
	first = !shared && n > 2 ? 1 : 0;
	l->n = shared ? n : (n - first) / 2;
	l->n = RTE_MIN(l->n, most);
	if (l->n > GEN_MAX_LANES)
		l->n = GEN_MAX_LANES;
	for (i = 0; i < l->n; i++) {
		l->client[i] = shared ? all[i] : all[first + 2 * i];
		l->server[i] = shared ? all[i] : all[first + 2 * i + 1];
	}
}

/* One port, queue i on lcore[i]. */
static void map_port(struct rnl_topo_opts *t, uint16_t port, const unsigned int *lcore,
                     unsigned int n)
{
	unsigned int i;

	t->portmask = UINT64_C(1) << port;
	t->rxq = t->txq = (uint16_t)n;
	t->nb_map = n;
	for (i = 0; i < n; i++)
		t->map[i] =
		    (struct rnl_queue_map){.port = port, .queue = (uint16_t)i, .lcore = lcore[i]};
}

static int open_server(struct gen_link *k, struct gen_options *o, const struct lanes *l,
                       uint16_t port, struct rnl_error *err)
{
	struct rnl_topo_opts t = o->topo;
	struct rnl_engine_env env;
	unsigned int i;
	int ret;

	map_port(&t, port, l->server, l->n);
	t.name = "server";
	if (o->server_minis != 0)
		t.max_minis = o->server_minis;
	t.first_id = l->n;
	t.has_gateway[0] = t.has_gateway[1] = false;
	t.ipv6 = o->topo.ipv6 = RNL_IPV6_NO_DAD; /* a wire of two ends, both known */
	t.nb_neighs = 0;
	t.addrs[0] = (struct rnl_topo_addr){
	    .port = port,
	    .prefix_len = o->client_prefix_len,
	    .range = {.first = o->server, .count = 1},
	};
	ret = rnl_topo_open(&t, &k->server, err);
	if (ret != 0)
		return ret;
	k->has_server = true;
	rnl_topo_conn_opts(&o->topo, &o->service.listen.opts);
	ret = rnl_service_prepare(&o->service, err);
	for (i = 0; ret == 0 && i < k->server.nb_stacks; i++) {
		env = (struct rnl_engine_env){
		    .stack = k->server.stacks[i].st,
		    .socket_id = (int)rte_lcore_to_socket_id(k->server.stacks[i].lcore),
		    .max_conns = k->server.opts.max_conns,
		};
		ret = rnl_service_begin(&o->service, &env, &k->runs[i], err);
		if (ret != 0)
			break;
		k->nb_runs++;
		ret = rnl_service_listen(&k->runs[i], err);
	}
	return ret;
}

static int open_loop(struct gen_link *k, struct gen_options *o, struct rnl_error *err)
{
	struct lanes l;
	uint16_t ports[2];
	int ret;

	if (o->topo.portmask != 0 || o->topo.nb_map != 0 || o->topo.rxq != 0)
		return fail(err, "-p, --config and --rxq choose devices; --loop has its own: leave "
		                 "them out");
	choose_lcores(&l, o->loop_shared, o->connections);
	ret = rnl_ring_link(RING_NAME, l.n, ports, err);
	if (ret != 0)
		return ret;
	k->has_ring = true;
	ret = open_server(k, o, &l, ports[1], err);
	if (ret != 0)
		return ret;
	map_port(&o->topo, ports[0], l.client, l.n);
	o->topo.addrs[0].port = ports[0];
	ret = rnl_topo_open(&o->topo, &k->client, err);
	k->has_client = ret == 0;
	return ret;
}

/*
 * Devices of the user. One queue unless more are asked for: the answer must come to the queue that
 * the request left by, and only some devices do that by themselves.
 */
static int open_devices(struct gen_link *k, struct gen_options *o, struct rnl_error *err)
{
	int ret;

	if (o->topo.rxq == 0 && o->topo.nb_map == 0)
		o->topo.rxq = 1;
	if (o->topo.portmask != 0)
		o->topo.addrs[0].port = (uint16_t)__builtin_ctzll(o->topo.portmask);
	ret = rnl_topo_open(&o->topo, &k->client, err);
	k->has_client = ret == 0;
	return ret;
}

int gen_link_open(struct gen_link *k, struct gen_options *o, struct rnl_error *err)
{
	struct rnl_topo *topos[2] = {&k->client, &k->server};
	int ret;

	memset(k, 0, sizeof(*k));
	k->has_service = o->loop;
	o->topo.name = "client";
	ret = o->loop ? open_loop(k, o, err) : open_devices(k, o, err);
	if (ret == 0 && k->client.nb_stacks > GEN_MAX_LANES)
		ret = fail(err, "%u lanes: at most %u are possible; name fewer lcores or queues",
		           k->client.nb_stacks, GEN_MAX_LANES);
	if (ret == 0)
		ret =
		    rnl_topo_workers(topos, o->loop ? 2 : 1, k->workers, RTE_DIM(k->workers), err);
	if (ret < 0) {
		gen_link_close(k, o);
		return ret;
	}
	k->nb_workers = (unsigned int)ret;
	return 0;
}

void gen_link_close(struct gen_link *k, struct gen_options *o)
{
	unsigned int i;

	if (k->has_client)
		rnl_topo_close(&k->client);
	if (k->has_server)
		rnl_topo_close(&k->server);
	for (i = 0; i < k->nb_runs; i++)
		rnl_service_end(&k->runs[i]);
	if (k->has_ring)
		rnl_ring_unlink(RING_NAME);
	if (k->has_service)
		rnl_service_free(&o->service);
	memset(k, 0, sizeof(*k));
}
