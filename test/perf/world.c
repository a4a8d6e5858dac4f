/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stack of a run, its pools and its port. Everything that a figure might depend on is fixed:
 * addresses, secrets, seed, clock. Refuses: devices, hugepages, files.
 */
#include "perf.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "stack/stack.h"

#define RX_POOL_SIZE 511
#define POOL_SIZE 1535
#define STACK_AREA 65536 /* octets of C stack, to either side of a caller's frame */

static struct rte_mempool *rx_pool, *pkt_pool, *hdr_pool;

void perf_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("runnel-perf: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

/* ---- the EAL ---- */

/* Lcore 0 on whatever CPUs the process may use. */
static void lcore_map(char *buf, size_t size)
{
	cpu_set_t set;
	size_t used = (size_t)snprintf(buf, size, "--lcores=0@(");

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		perf_die("sched_getaffinity failed");
	for (int cpu = 0; cpu < CPU_SETSIZE && used < size - 8; cpu++)
		if (CPU_ISSET(cpu, &set))
			used += (size_t)snprintf(buf + used, size - used, "%d,", cpu);
	snprintf(buf + used - 1, size - used + 1, ")");
}

/* The EAL makes its folder even when it keeps nothing there, and leaves it behind. */
static void leave(void)
{
	char dir[256];

	snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
	rte_mempool_free(rx_pool);
	rnl_pools_free(pkt_pool, hdr_pool);
	rte_eal_cleanup();
	rmdir(dir);
}

void perf_env_init(void)
{
	char prefix[48], lcores[512];
	char *argv[] = {(char[]){"perf"},
	                (char[]){"--no-huge"},
	                (char[]){"--no-pci"},
	                (char[]){"--no-shconf"},
	                (char[]){"-m"},
	                (char[]){"16"},
	                (char[]){"--no-telemetry"},
	                (char[]){"--log-level=error"},
	                lcores,
	                prefix,
	                NULL};
	struct rnl_error err;

	snprintf(prefix, sizeof(prefix), "--file-prefix=rnl-perf-%d", (int)getpid());
	lcore_map(lcores, sizeof(lcores));
	if (rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0)
		perf_die("rte_eal_init: %s", rte_strerror(rte_errno));
	atexit(leave);
	rx_pool = rte_pktmbuf_pool_create("perf_rx", RX_POOL_SIZE, 256, 0,
	                                  2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	if (rx_pool == NULL)
		perf_die("no receive pool: %s", rte_strerror(rte_errno));
	if (rnl_pools_create("perf", POOL_SIZE, SOCKET_ID_ANY, &pkt_pool, &hdr_pool, &err) < 0)
		perf_die("%s", err.text);
}

struct rte_mbuf *perf_rx_buf(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rx_pool);

	if (m == NULL)
		perf_die("the receive pool is empty");
	return m;
}

/* ---- the port ---- */

static uint16_t port_rx(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct perf_world *w = port;

	n = RTE_MIN(n, (uint16_t)w->rx_n);
	memcpy(m, w->rx, n * sizeof(*m));
	w->rx_n -= n;
	if (unlikely(w->rx_n > 0))
		memmove(w->rx, w->rx + n, w->rx_n * sizeof(*m));
	return n;
}

static uint16_t port_tx(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct perf_world *w = port;

	n = RTE_MIN(n, (uint16_t)(PERF_QUEUE - w->tx_n));
	memcpy(&w->tx[w->tx_n], m, n * sizeof(*m));
	w->tx_n += n;
	return n;
}

static const struct rnl_port_ops port_ops = {.rx = port_rx, .tx = port_tx};

/* ---- the stack ---- */

static void check(int ret, const struct rnl_error *err)
{
	if (ret < 0)
		perf_die("%s", err->text);
}

static void make_stack(struct perf_world *w)
{
	static const struct rnl_secrets secrets = {
	    .isn = {1}, .ts = {2}, .port = {3}, .flow = {4}, .cookie = {5}};
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
	struct rnl_addr own = rnl_addr_v4(10, 0, 0, 1), peer = rnl_addr_v4(10, 0, 0, 2);
	struct rnl_stack_config cfg = {
	    .size = sizeof(cfg),
	    .id = 1,
	    .socket_id = -1,
	    .max_conns = 4096,
	    .burst = 256,
	    .pkt_pool = pkt_pool,
	    .hdr_pool = hdr_pool,
	    .secrets = secrets,
	    .seed = 1,
	    .now_ns = w->now_ns,
	};
	struct rnl_port port = {.size = sizeof(port),
	                        .ops = &port_ops,
	                        .ctx = w,
	                        .caps = w->variant->caps,
	                        .tso_max_segs = 32};
	struct rnl_listen_config listen = {
	    .size = sizeof(listen), .port_first = PERF_OWN_PORT, .ops = w->path->ops, .ctx = w};
	struct rnl_error err;
	rnl_listener_t l;
	int ret;

	memcpy(port.mac, mac, sizeof(mac));
	check(rnl_stack_create(&cfg, &w->st, &err), &err);
	ret = rnl_port_add(w->st, &port, &err);
	check(ret, &err);
	w->port = (unsigned int)ret;
	check(rnl_addr_add(w->st, w->port, &own, 24, &err), &err);
	if (w->variant->eth)
		check(rnl_neigh_add(w->st, w->port, &peer, peer_mac, &err), &err);
	check(rnl_listen(w->st, &listen, &l, &err), &err);
}

void perf_world_open(struct perf_world *w, const struct perf_path *path,
                     const struct perf_variant *v)
{
	memset(w, 0, sizeof(*w));
	memset(w->message, 'm', sizeof(w->message));
	w->path = path;
	w->variant = v;
	w->now_ns = UINT64_C(10000000000);
	for (unsigned int i = 0; i < PERF_CONNS; i++) {
		w->peers[i].seq = 1000000 * (i + 1);
		w->peers[i].wnd = 1 << 13;
	}
	make_stack(w);
	w->n = PERF_CONNS;
	if (!path->unconnected)
		perf_peer_connect(w);
	if (path->start != NULL)
		path->start(w);
}

static unsigned int mbufs_out(void)
{
	return rte_mempool_in_use_count(rx_pool) + rte_mempool_in_use_count(pkt_pool) +
	       rte_mempool_in_use_count(hdr_pool);
}

void perf_world_close(struct perf_world *w)
{
	const char *broken = rnl_stack_check(w->st);

	if (broken != NULL)
		perf_die("%s/%s: invariant broken: %s", w->path->name, w->variant->name, broken);
	if (rnl_stack_destroy(w->st) != 0)
		perf_die("%s/%s: the stack cannot be destroyed", w->path->name, w->variant->name);
	if (mbufs_out() != 0)
		perf_die("%s/%s: %u mbufs leaked", w->path->name, w->variant->name, mbufs_out());
}

/* ---- where everything lies ---- */

static void range(const char *name, const void *base, size_t len, size_t stride)
{
	printf("range %s %lx %zx %zx\n", name, (unsigned long)(uintptr_t)base, len, stride);
}

static void mem_range(const struct rnl_stack *st, const char *name, enum rnl_mem_id id,
                      size_t stride)
{
	range(name, st->mem[id].base, st->mem[id].bytes, stride);
}

static void field(const char *name, size_t off, size_t len)
{
	printf("field work %s %zx %zx\n", name, off, len);
}

static void object(struct rte_mempool *mp, void *arg, void *obj, unsigned int i)
{
	printf(" %lx", (unsigned long)(uintptr_t)obj);
}

static void pool_objects(const char *name, struct rte_mempool *mp)
{
	printf("pool %s %x", name, mp->elt_size);
	rte_mempool_obj_iter(mp, object, NULL);
	printf("\n");
}

void perf_pools_map(void)
{
	pool_objects("rx", rx_pool);
	pool_objects("pkt", pkt_pool);
	pool_objects("hdr", hdr_pool);
}

static void pool_range(struct rte_mempool *mp)
{
	range("mempool", mp, RTE_MEMPOOL_HEADER_SIZE(mp, mp->cache_size), 0);
}

#define CORE_RANGE(name, member) range(name, &st->core.member, sizeof(st->core.member), 0)
#define STACK_RANGE(name, member) range(name, &st->member, sizeof(st->member), 0)
#define WORK_FIELD(name, from, to)                                                                 \
	field(name, offsetof(struct rnl_work, from),                                               \
	      offsetof(struct rnl_work, to) - offsetof(struct rnl_work, from))

/* The first range that holds an address is its name: inner ones come first. */
void perf_world_map(const struct perf_world *w)
{
	const struct rnl_stack *st = w->st;

	CORE_RANGE("wheel", conn_wheel);
	CORE_RANGE("wheel", mini_wheel);
	CORE_RANGE("counters", counters);
	CORE_RANGE("core", ports);
	STACK_RANGE("core", core);
	STACK_RANGE("wheel", timer_wheel);
	STACK_RANGE("wheel", neigh.wheel);
	STACK_RANGE("burst", rx);
	STACK_RANGE("burst", segs);
	range("stack", st, sizeof(*st), 0);
	mem_range(st, "bucket", RNL_MEM_FLOW, 0);
	mem_range(st, "conn", RNL_MEM_CONNS, sizeof(struct rnl_tcb));
	mem_range(st, "work", RNL_MEM_WORKS, sizeof(struct rnl_work));
	mem_range(st, "range", RNL_MEM_RANGES, 0);
	mem_range(st, "mini", RNL_MEM_MINIS, 0);
	mem_range(st, "chunk", RNL_MEM_CHUNKS, 0);
	mem_range(st, "listen", RNL_MEM_LISTEN, 0);
	mem_range(st, "neigh", RNL_MEM_NEIGH, 0);
	mem_range(st, "neigh", RNL_MEM_NEXTHOP, 0);
	mem_range(st, "policy", RNL_MEM_POLICIES, 0);
	mem_range(st, "post", RNL_MEM_POST, 0);
	mem_range(st, "txq", (enum rnl_mem_id)RNL_MEM_TXQ, 0);
	pool_range(rx_pool);
	pool_range(pkt_pool);
	pool_range(hdr_pool);
	range("harness", w, sizeof(*w), 0);
	range("cstack", (const void *)((uintptr_t)&st - STACK_AREA), (size_t)2 * STACK_AREA, 0);
	WORK_FIELD("sentq", sentq, snd);
	WORK_FIELD("sndbuf", snd, rto_at_us);
	WORK_FIELD("deadlines", rto_at_us, ccops);
	WORK_FIELD("cc", ccops, tmpl);
	WORK_FIELD("template", tmpl, rcvq);
	WORK_FIELD("rcvq", rcvq, reasm);
	WORK_FIELD("reasm", reasm, peer_fin);
}
