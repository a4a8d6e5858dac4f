/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the making and unmaking of a stack: everything that it will ever use is reserved here, and
 * whatever fails undoes what was done. Floor 4.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "stack/mem.h"
#include "stack/stack.h"
#include "tcp/fastopen.h"
#include "tcp/pmtu.h"
#include "wire/ip.h"

#define MAX_CONNS (1u << 30)
#define MAX_HOSTS (1u << 24)
#define NO_FRAGMENTS UINT32_MAX
#define NEIGH_MAX 8192
#define PMTU_MIN_MS 300000u
#define MAX_TSO_BYTES 65000u

int rnl_fail(struct rnl_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err != NULL) {
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

static int check_config(const struct rnl_stack_config *c, struct rnl_error *err)
{
	if (c->id > 255)
		return rnl_fail(err, -EINVAL, "stack id %u: must be 0 to 255", c->id);
	if (c->max_conns > MAX_CONNS || c->max_minis > MAX_CONNS || c->max_busy > MAX_CONNS)
		return rnl_fail(err, -EINVAL,
				"max_conns, max_minis and max_busy are at most %u each: lower them",
				MAX_CONNS);
	if (c->max_hosts > MAX_HOSTS)
		return rnl_fail(err, -EINVAL, "max_hosts %u: at most %u", c->max_hosts, MAX_HOSTS);
	if (c->max_fragments > RNL_FRAGMENTS_MAX && c->max_fragments != NO_FRAGMENTS)
		return rnl_fail(err, -EINVAL, "max_fragments %u: at most %u", c->max_fragments,
				RNL_FRAGMENTS_MAX);
	if (c->pmtu_ms != 0 && c->pmtu_ms < PMTU_MIN_MS)
		return rnl_fail(err, -EINVAL, "pmtu_ms %u: at least %u (RFC 8201 4)", c->pmtu_ms,
				PMTU_MIN_MS);
	if (c->burst > RNL_BURST_MAX)
		return rnl_fail(err, -EINVAL, "burst %u: at most %u", c->burst, RNL_BURST_MAX);
	if (c->txq_size & (c->txq_size - 1))
		return rnl_fail(err, -EINVAL, "txq_size %u: must be a power of two", c->txq_size);
	if (c->syncookies >= RNL_SYNCOOKIES_COUNT)
		return rnl_fail(err, -EINVAL, "syncookies %u: give one of enum rnl_syncookies",
				c->syncookies);
	if (c->pkt_pool == NULL || c->hdr_pool == NULL)
		return rnl_fail(err, -EINVAL, "pkt_pool or hdr_pool missing: see rnl_pools_create()");
	if (rte_pktmbuf_data_room_size(c->pkt_pool) < RTE_PKTMBUF_HEADROOM + 1600)
		return rnl_fail(err, -EINVAL, "buffers of pkt_pool hold less than 1600 octets");
	if (rte_pktmbuf_data_room_size(c->hdr_pool) < RTE_PKTMBUF_HEADROOM + 64)
		return rnl_fail(err, -EINVAL, "buffers of hdr_pool hold less than 64 octets");
	if (c->cc != NULL && c->cc->size < sizeof(struct rnl_cc_ops))
		return rnl_fail(err, -EINVAL, "congestion control without its size set");
	if (c->cc != NULL && c->cc->priv_size > sizeof(((struct rnl_cc *)0)->priv))
		return rnl_fail(err, -EINVAL, "congestion control %s keeps %u octets: at most %zu",
				c->cc->name, c->cc->priv_size, sizeof(((struct rnl_cc *)0)->priv));
	return 0;
}

static void fill_defaults(struct rnl_stack_config *c)
{
	c->max_conns = c->max_conns != 0 ? c->max_conns : 65536;
	c->max_minis = c->max_minis != 0 ? c->max_minis : c->max_conns;
	c->max_busy = c->max_busy != 0 ? c->max_busy : c->max_conns;
	c->burst = c->burst != 0 ? c->burst : 32;
	c->txq_size = c->txq_size != 0 ? c->txq_size : 1024;
	c->max_hosts = c->max_hosts != 0 ? c->max_hosts : 4096;
	c->max_fragments = c->max_fragments != 0 ? c->max_fragments : 64;
	c->pmtu_ms = c->pmtu_ms != 0 ? c->pmtu_ms : 600000;
	c->time_wait_ms = c->time_wait_ms != 0 ? c->time_wait_ms : 60000;
	c->max_held = c->max_held != 0 ? c->max_held : c->pkt_pool->size / 4 * 3;
	c->cc = c->cc != NULL ? c->cc : &rnl_cc_cubic;
	if (c->syncookies == RNL_SYNCOOKIES_DEFAULT)
		c->syncookies = RNL_SYNCOOKIES_AUTO;
}

static void *reserve(struct rnl_stack *st, enum rnl_mem_id id, size_t bytes)
{
	st->mem[id].base = rnl_mem_reserve(bytes, st->cfg.socket_id);
	st->mem[id].bytes = st->mem[id].base != NULL ? bytes : 0;
	return st->mem[id].base;
}

static int make_pool(struct rnl_stack *st, enum rnl_mem_id id, struct rnl_pool *pool,
		     uint32_t count, const uint32_t stride_link[2])
{
	void *mem = reserve(st, id, rnl_pool_bytes(count, stride_link[0]));

	if (mem == NULL)
		return -ENOMEM;
	rnl_pool_init(pool, mem, count, stride_link[0], stride_link[1]);
	return 0;
}

/* A record for each range in flight: four for each busy connection, and a reserve for a few fast ones. */
static uint32_t range_count(const struct rnl_stack_config *c)
{
	return (uint32_t)RTE_MIN(4 * (uint64_t)c->max_busy + 65536, (uint64_t)UINT32_MAX - 1);
}

static int make_pools(struct rnl_stack *st)
{
	static const uint32_t conn[2] = {sizeof(struct rnl_tcb), offsetof(struct rnl_tcb, next_event)};
	static const uint32_t work[2] = {sizeof(struct rnl_work), offsetof(struct rnl_work, next_free)};
	static const uint32_t range[2] = {sizeof(struct rnl_range), offsetof(struct rnl_range, next)};
	static const uint32_t mini[2] = {sizeof(struct rnl_mini), offsetof(struct rnl_mini, next_free)};
	static const uint32_t chunk[2] = {sizeof(struct rnl_chunk), offsetof(struct rnl_chunk, next)};
	static const uint32_t timer[2] = {sizeof(struct rnl_stack_timer),
					  offsetof(struct rnl_stack_timer, next_free)};
	const struct rnl_stack_config *c = &st->cfg;
	struct rnl_core *core = &st->core;

	if (make_pool(st, RNL_MEM_CONNS, &core->conns, c->max_conns, conn) < 0 ||
	    make_pool(st, RNL_MEM_WORKS, &core->works, c->max_busy, work) < 0 ||
	    make_pool(st, RNL_MEM_RANGES, &core->ranges, range_count(c), range) < 0 ||
	    make_pool(st, RNL_MEM_MINIS, &core->minis, c->max_minis, mini) < 0 ||
	    make_pool(st, RNL_MEM_CHUNKS, &core->chunks, range_count(c), chunk) < 0 ||
	    make_pool(st, RNL_MEM_TIMERS, &st->timers, RNL_TIMER_MAX, timer) < 0)
		return -ENOMEM;
	rnl_wheel_init(&core->conn_wheel, &core->conns, offsetof(struct rnl_tcb, timer),
		       core->now_us);
	rnl_wheel_init(&core->mini_wheel, &core->minis, offsetof(struct rnl_mini, timer),
		       core->now_us);
	rnl_wheel_init(&st->timer_wheel, &st->timers, offsetof(struct rnl_stack_timer, node),
		       core->now_us);
	return 0;
}

static int make_tables(struct rnl_stack *st)
{
	uint32_t flows = st->cfg.max_conns + st->cfg.max_minis;
	ssize_t post_bytes = rte_ring_get_memsize_elem(sizeof(struct rnl_posted), RNL_POST_MAX);
	struct rnl_neigh_config neigh = {
	    .core = &st->core,
	    .routes = &st->routes,
	    .max_entries = NEIGH_MAX,
	    .reachable_ms = st->cfg.neigh_reachable_ms,
	};
	struct rnl_core *core = &st->core;
	void *flow, *listen, *nb, *hosts;

	flow = reserve(st, RNL_MEM_FLOW, rnl_flow_bytes(flows));
	listen = reserve(st, RNL_MEM_LISTEN, rnl_listen_bytes());
	core->fastopen = reserve(st, RNL_MEM_FASTOPEN, RNL_FASTOPEN_SLOTS * sizeof(struct rnl_fastopen));
	nb = reserve(st, RNL_MEM_NEIGH, rnl_neigh_bytes(NEIGH_MAX));
	core->nexthop_port = reserve(st, RNL_MEM_NEXTHOP, NEIGH_MAX + 1);
	hosts = reserve(st, RNL_MEM_HOSTS, rnl_hostcache_bytes(st->cfg.max_hosts));
	core->paths = reserve(st, RNL_MEM_PATHS,
			      (st->cfg.max_conns + UINT64_C(1)) * sizeof(struct rnl_path));
	core->policies = reserve(st, RNL_MEM_POLICIES, RNL_POLICY_MAX * sizeof(struct rnl_policy));
	st->post = reserve(st, RNL_MEM_POST, (size_t)post_bytes);
	core->ecn = reserve(st, RNL_MEM_ECN, (st->cfg.max_conns + 1ul) * sizeof(struct rnl_ecn));
	if (flow == NULL || listen == NULL || nb == NULL || core->nexthop_port == NULL ||
	    core->policies == NULL || st->post == NULL || hosts == NULL ||
	    core->paths == NULL || core->ecn == NULL || core->fastopen == NULL)
		return -ENOMEM;
	rnl_flow_init(&st->flow, flow, flows, st->cfg.secrets.flow);
	rnl_flow_pools(&st->flow, &core->conns, &core->minis);
	rnl_listen_init(&st->listeners, listen);
	rnl_route_init(&st->routes);
	rnl_neigh_init(&st->neigh, nb, &neigh);
	rnl_hostcache_init(&core->hosts, hosts, st->cfg.max_hosts, st->cfg.secrets.flow,
			   &core->counters);
	rnl_ip6_init(&st->ip6, core, &st->routes, &st->neigh);
	if (rnl_fragments_init(&st->fragments, core,
			       st->cfg.max_fragments != NO_FRAGMENTS ? st->cfg.max_fragments : 0,
			       st->cfg.socket_id) < 0)
		return -ENOMEM;
	return rte_ring_init(st->post, "rnl_post", RNL_POST_MAX, RING_F_SC_DEQ);
}

static void release_all(struct rnl_stack *st)
{
	unsigned int i;

	rnl_fragments_fini(&st->fragments);
	for (i = 0; i < RNL_MEM_COUNT; i++)
		rnl_mem_release(st->mem[i].base, st->mem[i].bytes);
	rnl_mem_release(st, sizeof(*st));
}

static void init_core(struct rnl_stack *st)
{
	struct rnl_core *core = &st->core;

	core->pkt_pool = st->cfg.pkt_pool;
	core->hdr_pool = st->cfg.hdr_pool;
	core->held_max = RTE_MAX(st->cfg.max_held, 8u);
	core->time_wait_ms = st->cfg.time_wait_ms;
	core->pmtu_us = st->cfg.pmtu_ms != UINT32_MAX ? st->cfg.pmtu_ms * UINT64_C(1000) : 0;
	core->secrets = st->cfg.secrets;
	core->challenge_second = UINT64_MAX;
	rnl_prng_seed(&core->prng, st->cfg.seed);
	core->ip_id = (uint16_t)rnl_prng_next(&core->prng);
	st->next_port = (uint32_t)rnl_prng_next(&core->prng);
}

int rnl_stack_create(const struct rnl_stack_config *cfg, struct rnl_stack **out,
		     struct rnl_error *err)
{
	struct rnl_stack_config c = {0};
	struct rnl_stack *st;
	int ret;

	memcpy(&c, cfg, cfg->size != 0 ? RTE_MIN((size_t)cfg->size, sizeof(c)) : sizeof(c));
	ret = check_config(&c, err);
	if (ret < 0)
		return ret;
	fill_defaults(&c);
	st = rnl_mem_reserve(sizeof(*st), c.socket_id);
	if (st == NULL)
		return rnl_fail(err, -ENOMEM, "no memory for a stack: lower max_conns");
	st->cfg = c;
	st->burst = c.burst;
	rnl_poll_clock(st, c.now_ns);
	if (make_pools(st) < 0 || make_tables(st) < 0) {
		release_all(st);
		return rnl_fail(err, -ENOMEM,
				"no address space for %u connections: lower max_conns, or raise the "
				"limit of virtual memory (ulimit -v)",
				c.max_conns);
	}
	init_core(st);
	rnl_log_init(st);
	*out = st;
	return 0;
}

static void free_queued(struct rnl_stack *st)
{
	unsigned int i;

	for (i = 0; i < st->nports; i++) {
		struct rnl_txq *q = &st->core.ports[i].txq;

		for (; q->head != q->tail; q->head++)
			rte_pktmbuf_free(q->ring[q->head & q->mask].m);
	}
	for (i = 0; i < st->in_count; i++)
		rte_pktmbuf_free(st->in[i]);
	st->in_count = 0;
}

int rnl_stack_destroy(struct rnl_stack *st)
{
	if (st == NULL)
		return 0;
	st->destroying = true;
	free_queued(st);
	rnl_neigh_fini(&st->neigh);
	if (!rnl_events_destroy(st))
		return -EBUSY;
	free_queued(st); /* last ACKs of those that waited for their reader */
	release_all(st);
	return 0;
}

void rnl_secrets_rotate(struct rnl_stack *st, const uint8_t *cookie, const uint8_t *tfo)
{
	rnl_syncookie_rotate(&st->core, cookie);
	rnl_fastopen_rotate(&st->core, tfo);
}

uint32_t rnl_stack_id(const struct rnl_stack *st)
{
	return st->cfg.id;
}

uint64_t rnl_now_ns(const struct rnl_stack *st)
{
	return st->now_ns;
}

int rnl_port_add(struct rnl_stack *st, const struct rnl_port *port, struct rnl_error *err)
{
	unsigned int i = st->nports;
	struct rnl_core_port *cp = &st->core.ports[i];
	struct rnl_port p = {0};

	memcpy(&p, port, port->size != 0 ? RTE_MIN((size_t)port->size, sizeof(p)) : sizeof(p));
	p.mtu = p.mtu != 0 ? p.mtu : 1500;
	p.tso_max_segs = p.tso_max_segs != 0 ? p.tso_max_segs : 16;
	p.tso_max_bytes = p.tso_max_bytes != 0 ? p.tso_max_bytes : 61440;
	if (i == RNL_MAX_PORTS)
		return rnl_fail(err, -ENOSPC, "a stack has at most %d ports: make another stack",
				RNL_MAX_PORTS);
	if (p.ops == NULL || p.ops->rx == NULL || p.ops->tx == NULL)
		return rnl_fail(err, -EINVAL, "a port needs its rx and tx functions");
	if (p.mtu < 576)
		return rnl_fail(err, -EINVAL, "MTU %u: at least 576", p.mtu);
	if ((p.ipv6 & (RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF)) &&
	    ((p.caps & RNL_CAP_RAW_IP) || p.mtu < RNL_IP6_MIN_MTU))
		return rnl_fail(err, -EINVAL,
				"routers are on Ethernet ports with an MTU of %d or more: leave "
				"RNL_IPV6_ROUTERS and RNL_IPV6_AUTOCONF away",
				RNL_IP6_MIN_MTU);
	if (p.vlan > 4094)
		return rnl_fail(err, -EINVAL, "VLAN %u: must be 1 to 4094, or 0 for none", p.vlan);
	if (!(p.caps & RNL_CAP_TX_MULTI_SEGS) &&
	    p.mtu > rte_pktmbuf_data_room_size(st->cfg.pkt_pool) - RTE_PKTMBUF_HEADROOM)
		return rnl_fail(err, -EINVAL,
				"MTU %u does not fit a buffer and the port sends no chains: lower it",
				p.mtu);
	/* A header and a piece at each end of the payload; and IPv4 has sixteen bits for the length. */
	if ((p.caps & RNL_CAP_TX_TSO) && (p.tso_max_segs < 3 || p.tso_max_bytes > MAX_TSO_BYTES))
		return rnl_fail(err, -EINVAL,
				"TSO with %u segments and %u octets: at least 3 and at most %u, or "
				"leave RNL_CAP_TX_TSO away",
				p.tso_max_segs, p.tso_max_bytes, MAX_TSO_BYTES);
	cp->txq.ring = reserve(st, RNL_MEM_TXQ + i, st->cfg.txq_size * sizeof(struct rnl_txitem));
	if (cp->txq.ring == NULL)
		return rnl_fail(err, -ENOMEM, "no memory for a transmit queue");
	cp->txq.mask = st->cfg.txq_size - 1;
	cp->caps = p.caps;
	cp->mtu = p.mtu;
	cp->mtu6 = p.mtu;
	cp->tso_max_segs = p.tso_max_segs;
	cp->tso_max_bytes = p.tso_max_bytes;
	st->ports[i] = (struct rnl_stack_port){
	    .ops = p.ops,
	    .ctx = p.ctx,
	    .vlan = p.vlan,
	    .raw_ip = p.caps & RNL_CAP_RAW_IP,
	};
	memcpy(st->ports[i].mac, p.mac, sizeof(p.mac));
	rnl_neigh_port_set(&st->neigh, i, &p);
	st->nports++;
	rnl_ip6_port_set(&st->ip6, i, &p);
	return (int)i;
}

int rnl_addr_add(struct rnl_stack *st, unsigned int port, const struct rnl_addr *addr,
		 unsigned int prefix_len, struct rnl_error *err)
{
	char text[RNL_ADDR_STRLEN];
	int ret;

	rnl_addr_format(addr, text);
	if (port >= st->nports)
		return rnl_fail(err, -EINVAL, "no port %u on this stack: rnl_port_add() first", port);
	if (!rnl_addr_is_v4(addr) && !st->ports[port].raw_ip &&
	    st->core.ports[port].mtu < RNL_IP6_MIN_MTU)
		return rnl_fail(err, -EINVAL,
				"%s: IPv6 needs an MTU of %d (RFC 8200 5), the port has %u: raise it",
				text, RNL_IP6_MIN_MTU, st->core.ports[port].mtu);
	ret = rnl_route_add_address(&st->routes, port, addr, prefix_len);
	if (ret == -EINVAL)
		return rnl_fail(err, ret, "%s/%u is no address for a host: give a unicast address and a "
				"prefix length of 1 to %d",
				text, prefix_len, rnl_addr_is_v4(addr) ? 32 : 128);
	if (ret == -EEXIST)
		return rnl_fail(err, ret, "%s is there already: give each address once", text);
	if (ret < 0)
		return rnl_fail(err, ret, "%s: a stack has at most %d addresses and %d routes: spread them "
				"over stacks",
				text, RNL_ROUTE_ADDR_MAX, RNL_ROUTE_MAX);
	if (rnl_addr_is_v4(addr))
		rnl_neigh_announce(&st->neigh, port, addr);
	rnl_ip6_added(&st->ip6, port, addr);
	return 0;
}

int rnl_route_add(struct rnl_stack *st, const struct rnl_addr *prefix, unsigned int prefix_len,
		  const struct rnl_addr *gateway, struct rnl_error *err)
{
	int ret = rnl_route_add_gateway(&st->routes, prefix, prefix_len, gateway);
	char text[RNL_ADDR_STRLEN];

	rnl_addr_format(gateway, text);
	if (ret == -ENETUNREACH)
		return rnl_fail(err, ret, "gateway %s is in the network of no address: add one first",
				text);
	if (ret == -EEXIST)
		return rnl_fail(err, ret, "that network has a route already: give each one gateway");
	if (ret == -ENOSPC)
		return rnl_fail(err, ret, "%d routes exist: use shorter prefixes", RNL_ROUTE_MAX);
	if (ret < 0)
		return rnl_fail(err, ret, "bad route through %s: check prefix and gateway", text);
	return 0;
}

int rnl_neigh_add(struct rnl_stack *st, unsigned int port, const struct rnl_addr *addr,
		  const uint8_t mac[6], struct rnl_error *err)
{
	int ret;

	if (port >= st->nports)
		return rnl_fail(err, -EINVAL, "no port %u on this stack: rnl_port_add() first", port);
	ret = rnl_neigh_add_static(&st->neigh, port, addr, mac);
	if (ret == -EINVAL)
		return rnl_fail(err, ret, "a neighbour needs an Ethernet port, a unicast address and a "
				"unicast MAC");
	if (ret < 0)
		return rnl_fail(err, ret, "%d neighbours are known: let a gateway stand for some", NEIGH_MAX);
	return 0;
}
