/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the hash chains and the order of use of the remote hosts that are remembered. Refuses to
 * grow. Floor 2. RFC 8201 5.2, RFC 7413 4.1.3.
 */
#include "algo/hostcache.h"

#include <string.h>

#include "base/siphash.h"

#define ALIGN 64

static uint32_t head_count(uint32_t max_hosts)
{
	uint32_t n = 1;

	while (n < max_hosts && n < UINT32_C(1) << 31)
		n <<= 1;
	return n;
}

static size_t pool_bytes(uint32_t max_hosts)
{
	return (rnl_pool_bytes(max_hosts, sizeof(struct rnl_host)) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

size_t rnl_hostcache_bytes(uint32_t max_hosts)
{
	return pool_bytes(max_hosts) + head_count(max_hosts) * sizeof(uint32_t);
}

void rnl_hostcache_init(struct rnl_hostcache *h, void *mem, uint32_t max_hosts, const uint8_t *key,
			struct rnl_counters *counters)
{
	*h = (struct rnl_hostcache){
	    .heads = (uint32_t *)(void *)((uint8_t *)mem + pool_bytes(max_hosts)),
	    .mask = head_count(max_hosts) - 1,
	    .key = key,
	    .counters = counters,
	};
	rnl_pool_init(&h->pool, mem, max_hosts, sizeof(struct rnl_host),
		      offsetof(struct rnl_host, next));
}

static struct rnl_host *at(const struct rnl_hostcache *h, uint32_t i)
{
	return rnl_pool_at(&h->pool, i);
}

static uint32_t *chain(const struct rnl_hostcache *h, const struct rnl_addr *addr)
{
	return &h->heads[rnl_siphash13(h->key, addr, sizeof(*addr)) & h->mask];
}

static void unlist(struct rnl_hostcache *h, uint32_t i)
{
	const struct rnl_host *e = at(h, i);

	*(e->older != RNL_NIL ? &at(h, e->older)->newer : &h->oldest) = e->newer;
	*(e->newer != RNL_NIL ? &at(h, e->newer)->older : &h->newest) = e->older;
}

static void list_newest(struct rnl_hostcache *h, uint32_t i)
{
	struct rnl_host *e = at(h, i);

	e->older = h->newest;
	e->newer = RNL_NIL;
	*(h->newest != RNL_NIL ? &at(h, h->newest)->newer : &h->oldest) = i;
	h->newest = i;
}

static void evict(struct rnl_hostcache *h)
{
	uint32_t i = h->oldest;
	uint32_t *link = chain(h, &at(h, i)->addr);

	while (*link != i)
		link = &at(h, *link)->next;
	*link = at(h, i)->next;
	unlist(h, i);
	rnl_pool_put(&h->pool, i);
	rnl_count(h->counters, RNL_C_hosts_evicted);
}

struct rnl_host *rnl_hostcache_find(struct rnl_hostcache *h, const struct rnl_addr *addr)
{
	uint32_t i;

	if (h->pool.used == 0)
		return NULL;
	for (i = *chain(h, addr); i != RNL_NIL; i = at(h, i)->next) {
		if (memcmp(&at(h, i)->addr, addr, sizeof(*addr)) != 0)
			continue;
		if (h->newest != i) {
			unlist(h, i);
			list_newest(h, i);
		}
		return at(h, i);
	}
	return NULL;
}

struct rnl_host *rnl_hostcache_get(struct rnl_hostcache *h, const struct rnl_addr *addr)
{
	struct rnl_host *e = rnl_hostcache_find(h, addr);
	uint32_t i, *head;

	if (e != NULL)
		return e;
	i = rnl_pool_get(&h->pool);
	if (i == RNL_NIL) {
		evict(h);
		i = rnl_pool_get(&h->pool);
	}
	head = chain(h, addr);
	e = at(h, i);
	*e = (struct rnl_host){.addr = *addr, .next = *head};
	*head = i;
	list_newest(h, i);
	return e;
}

uint16_t rnl_hostcache_pmtu(struct rnl_hostcache *h, const struct rnl_addr *addr, uint64_t now_us)
{
	const struct rnl_host *e = rnl_hostcache_find(h, addr);

	return e != NULL && now_us < e->pmtu_until_us ? e->pmtu : 0;
}
