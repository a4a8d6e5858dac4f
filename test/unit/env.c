/* SPDX-License-Identifier: BSD-3-Clause */
/* The EAL and packets for unit tests: see env.h. Refuses: devices, hugepages, files. */
#include "env.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#define POOL_SIZE 16383
#define POOL_CACHE 64

static struct rte_mempool *pkt_pool;
static struct rte_mempool *hdr_pool;

static void fail_start(const char *what)
{
	fprintf(stderr, "test env: %s: %s\n", what, rte_strerror(rte_errno));
	exit(1);
}

/* Lcore 0 on whatever CPUs the process may use. */
static void lcore_map(char *buf, size_t size)
{
	cpu_set_t set;
	size_t used = (size_t)snprintf(buf, size, "--lcores=0@(");

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		fail_start("sched_getaffinity");
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
	rte_mempool_free(pkt_pool);
	rte_mempool_free(hdr_pool);
	rte_eal_cleanup();
	rmdir(dir);
}

static void start_eal(void)
{
	char prefix[48], lcores[512];
	char *argv[] = {(char[]){"test"},
	                (char[]){"--no-huge"},
	                (char[]){"--no-pci"},
	                (char[]){"--no-shconf"},
	                (char[]){"-m"},
	                (char[]){"256"},
	                lcores,
	                (char[]){"--no-telemetry"},
	                (char[]){"--log-level=error"},
	                prefix,
	                NULL};

	snprintf(prefix, sizeof(prefix), "--file-prefix=rnl-test-%d", (int)getpid());
	lcore_map(lcores, sizeof(lcores));
	if (rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0)
		fail_start("rte_eal_init");
	atexit(leave);
}

int rnl_test_env_init(void)
{
	if (pkt_pool != NULL)
		return 0;
	start_eal();
	pkt_pool = rte_pktmbuf_pool_create("test_pkt", POOL_SIZE, POOL_CACHE, 0,
	                                   2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	hdr_pool = rte_pktmbuf_pool_create("test_hdr", POOL_SIZE, POOL_CACHE, 0,
	                                   256 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	if (pkt_pool == NULL || hdr_pool == NULL)
		fail_start("rte_pktmbuf_pool_create");
	return 0;
}

int rnl_test_group_setup(void **state)
{
	(void)state;
	return rnl_test_env_init();
}

unsigned int rnl_test_mbufs_out(void)
{
	return rte_mempool_in_use_count(pkt_pool) + rte_mempool_in_use_count(hdr_pool);
}

int rnl_test_no_leak(void **state)
{
	unsigned int out = rnl_test_mbufs_out();

	(void)state;
	if (out != 0)
		fprintf(stderr, "test env: %u mbufs leaked\n", out);
	return out == 0 ? 0 : -1;
}

struct rte_mempool *rnl_test_pkt_pool(void)
{
	return pkt_pool;
}

struct rte_mempool *rnl_test_hdr_pool(void)
{
	return hdr_pool;
}

/* One segment; data that is too long for it is cut by the caller. */
static struct rte_mbuf *segment(const uint8_t *data, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pkt_pool);
	char *room = m != NULL ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;

	if (room == NULL)
		fail_start("no mbuf for a test packet");
	if (len > 0)
		memcpy(room, data, len);
	return m;
}

static void free_exact(void *addr, void *shared)
{
	(void)addr;
	free(shared);
}

/* The buffer's own bookkeeping stands in front of its octets; behind them is nothing. */
static struct rte_mbuf *exact_segment(const uint8_t *data, uint32_t len)
{
	struct rte_mbuf_ext_shared_info *shared = malloc(sizeof(*shared) + len);
	struct rte_mbuf *m = rte_pktmbuf_alloc(pkt_pool);

	if (shared == NULL || m == NULL)
		fail_start("no mbuf for a test packet");
	shared->free_cb = free_exact;
	shared->fcb_opaque = shared;
	rte_mbuf_ext_refcnt_set(shared, 1);
	rte_pktmbuf_attach_extbuf(m, shared + 1, (uintptr_t)(shared + 1), (uint16_t)len, shared);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	if (len > 0)
		memcpy(shared + 1, data, len);
	return m;
}

static struct rte_mbuf *make_chain(const uint8_t *p, uint32_t total, const uint32_t *cuts,
                                   unsigned int n,
                                   struct rte_mbuf *(*make)(const uint8_t *, uint32_t))
{
	struct rte_mbuf *head = NULL, **link = &head;
	uint32_t from = 0;
	uint16_t segs = 0;

	for (unsigned int i = 0; i <= n || from < total;) {
		uint32_t to = i < n ? RTE_MIN(cuts[i], total) : total;

		if (to - from > 2048)
			to = from + 2048;
		else
			i++;
		*link = make(p + from, to - from);
		link = &(*link)->next;
		from = to;
		segs++;
	}
	head->nb_segs = segs;
	head->pkt_len = total;
	return head;
}

struct rte_mbuf *rnl_test_chain(const void *data, uint32_t len, const uint32_t *cuts,
                                unsigned int n)
{
	return make_chain(data, len, cuts, n, segment);
}

struct rte_mbuf *rnl_test_exact(const void *data, uint32_t len, const uint32_t *cuts,
                                unsigned int n)
{
	return make_chain(data, len, cuts, n, exact_segment);
}

struct rte_mbuf *rnl_test_mbuf(const void *data, uint32_t len)
{
	return rnl_test_chain(data, len, NULL, 0);
}

struct rte_mbuf *rnl_test_rechain(struct rte_mbuf *m, const uint32_t *cuts, unsigned int n)
{
	struct rte_mbuf *out = rnl_test_chain(rnl_test_octets(m), m->pkt_len, cuts, n);

	out->ol_flags = m->ol_flags;
	out->vlan_tci = m->vlan_tci;
	out->packet_type = m->packet_type;
	out->hash = m->hash;
	rte_pktmbuf_free(m);
	return out;
}

const uint8_t *rnl_test_octets(const struct rte_mbuf *m)
{
	static uint8_t octets[1 << 17];
	uint32_t at = 0;

	for (; m != NULL; m = m->next) {
		if (at + m->data_len > sizeof(octets))
			fail_start("a test packet is too long");
		memcpy(octets + at, rte_pktmbuf_mtod(m, const void *), m->data_len);
		at += m->data_len;
	}
	return octets;
}
