/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbour table (neigh.h): finding, making, counting references, giving up the oldest entry
 * when it is full. What an entry goes through is neigh_state.c's. Floor 4.
 */
#include "stack/neigh.h"

#include <errno.h>
#include <string.h>

#include "base/siphash.h"
#include "stack/neigh_pvt.h"
#include "wire/ip.h"

#define REACHABLE_MS 30000 /* REACHABLE_TIME (RFC 4861 10) */
#define RECLAIM_TRIES 8

/* ---- memory --------------------------------------------------------------------------------- */

static size_t aligned(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static uint32_t head_count(uint32_t max_entries)
{
	uint32_t n = 1;

	while (n < max_entries)
		n *= 2;
	return n;
}

static size_t pool_bytes(uint32_t max_entries)
{
	return aligned(rnl_pool_bytes(max_entries, sizeof(struct rnl_neigh_entry)));
}

static size_t heads_bytes(uint32_t max_entries)
{
	return aligned(head_count(max_entries) * sizeof(uint32_t));
}

size_t rnl_neigh_bytes(uint32_t max_entries)
{
	return pool_bytes(max_entries) + heads_bytes(max_entries) +
	       RNL_ROUTE_ADDR_MAX * sizeof(struct rnl_neigh_announce);
}

void rnl_neigh_init(struct rnl_neigh *n, void *mem, const struct rnl_neigh_config *cfg)
{
	uint8_t *p = mem;

	memset(n, 0, sizeof(*n));
	n->core = cfg->core;
	n->routes = cfg->routes;
	n->reachable_ms =
	    cfg->reachable_ms != 0 ? RTE_MIN(cfg->reachable_ms, (uint32_t)INT32_MAX) : REACHABLE_MS;
	rnl_pool_init(&n->pool, p, cfg->max_entries, sizeof(struct rnl_neigh_entry),
	              offsetof(struct rnl_neigh_entry, next));
	p += pool_bytes(cfg->max_entries);
	n->heads = (uint32_t *)(void *)p;
	n->mask = head_count(cfg->max_entries) - 1;
	p += heads_bytes(cfg->max_entries);
	n->announce = (struct rnl_neigh_announce *)(void *)p;
	rnl_wheel_init(&n->wheel, &n->pool, offsetof(struct rnl_neigh_entry, timer),
	               cfg->core->now_us);
}

void rnl_neigh_port_set(struct rnl_neigh *n, unsigned int port, const struct rnl_port *desc)
{
	struct rnl_neigh_port *p = &n->ports[port];

	memset(p, 0, sizeof(*p));
	memcpy(p->mac, desc->mac, sizeof(p->mac));
	p->vlan = desc->vlan;
	p->raw_ip = (desc->caps & RNL_CAP_RAW_IP) != 0;
}

void rnl_neigh_fini(struct rnl_neigh *n)
{
	uint32_t i;

	for (i = rnl_neigh_iterate(n, 0); i != RNL_NIL; i = rnl_neigh_iterate(n, i))
		rnl_neigh_hold_drop(n, rnl_neigh_at(n, i));
}

/* ---- the list of entries without a reference, oldest first ----------------------------------- */

static void list_remove(struct rnl_neigh *n, struct rnl_neigh_entry *e)
{
	*(e->older != RNL_NIL ? &rnl_neigh_at(n, e->older)->newer : &n->oldest) = e->newer;
	*(e->newer != RNL_NIL ? &rnl_neigh_at(n, e->newer)->older : &n->newest) = e->older;
}

static void list_add_newest(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	e->older = n->newest;
	e->newer = RNL_NIL;
	*(e->older != RNL_NIL ? &rnl_neigh_at(n, e->older)->newer : &n->oldest) = idx;
	n->newest = idx;
}

static void list_add_oldest(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	e->newer = n->oldest;
	e->older = RNL_NIL;
	*(e->newer != RNL_NIL ? &rnl_neigh_at(n, e->newer)->older : &n->newest) = idx;
	n->oldest = idx;
}

void rnl_neigh_sink(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	if (e->refs > 0)
		return;
	list_remove(n, e);
	list_add_oldest(n, idx);
}

/* ---- finding and making --------------------------------------------------------------------- */

static uint32_t *chain_of(const struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr)
{
	/* Keyed: who is on link may choose addresses, but not chains. */
	const uint64_t h = rnl_siphash13(n->core->secrets.flow, addr, sizeof(*addr));

	return &n->heads[(h + port) & n->mask];
}

uint32_t rnl_neigh_lookup(const struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr)
{
	uint32_t i = *chain_of(n, port, addr);

	while (i != RNL_NIL) {
		const struct rnl_neigh_entry *e = rnl_neigh_at(n, i);

		if (e->port == port && rnl_addr_equal(&e->addr, addr))
			break;
		i = e->next;
	}
	return i;
}

/* Packets that still wait for their port name the entry by its index. */
static bool queued_for(const struct rnl_txq *q, uint32_t idx)
{
	uint32_t i;

	for (i = q->head; i != q->tail; i++) {
		const struct rnl_txitem *item = &q->ring[i & q->mask];

		if (!item->ready && item->nexthop == idx)
			return true;
	}
	return false;
}

static void forget(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);
	uint32_t *at = chain_of(n, e->port, &e->addr);

	while (*at != idx)
		at = &rnl_neigh_at(n, *at)->next;
	*at = e->next;
	list_remove(n, e);
	rnl_neigh_hold_drop(n, e);
	rnl_wheel_stop(&n->wheel, idx);
	e->state = RNL_NEIGH_FREE;
	rnl_pool_put(&n->pool, idx);
}

static void reclaim(struct rnl_neigh *n)
{
	uint32_t i = n->oldest, tries;

	for (tries = 0; i != RNL_NIL && tries < RECLAIM_TRIES; tries++) {
		const struct rnl_neigh_entry *e = rnl_neigh_at(n, i);

		if (!queued_for(&n->core->ports[e->port].txq, i)) {
			forget(n, i);
			return;
		}
		i = e->newer;
	}
}

uint32_t rnl_neigh_make(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr)
{
	uint32_t idx, *chain = chain_of(n, port, addr);
	struct rnl_neigh_entry *e;

	if (rnl_pool_avail(&n->pool) == 0)
		reclaim(n);
	idx = rnl_pool_get(&n->pool);
	if (idx == RNL_NIL) {
		rnl_core_count(n->core, RNL_C_neigh_full);
		return RNL_NIL;
	}
	e = rnl_neigh_at(n, idx);
	memset(e, 0, sizeof(*e));
	e->addr = *addr;
	e->port = (uint8_t)port;
	/* Without link addresses there is nothing to resolve: an empty header is the right one. */
	e->state = n->ports[port].raw_ip ? RNL_NEIGH_PERMANENT : RNL_NEIGH_NEW;
	e->next = *chain;
	*chain = idx;
	list_add_newest(n, idx);
	n->core->nexthop_port[idx] = e->port;
	return idx;
}

int rnl_neigh_get(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *next_hop)
{
	uint32_t idx = rnl_neigh_lookup(n, port, next_hop);

	if (idx == RNL_NIL)
		idx = rnl_neigh_make(n, port, next_hop);
	if (idx == RNL_NIL)
		return -ENOSPC;
	rnl_neigh_ref(n, idx);
	return (int)idx;
}

void rnl_neigh_ref(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	if (e->refs++ == 0)
		list_remove(n, e);
}

void rnl_neigh_put(struct rnl_neigh *n, uint32_t idx)
{
	if (--rnl_neigh_at(n, idx)->refs == 0)
		list_add_newest(n, idx);
}

static bool mac_is_host(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !rnl_eth_is_group(mac) && memcmp(mac, zero, 6) != 0;
}

int rnl_neigh_add_static(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr,
                         const uint8_t mac[6])
{
	struct rnl_neigh_entry *e;
	uint32_t idx;

	if (port >= RNL_MAX_PORTS || n->ports[port].raw_ip || !mac_is_host(mac) ||
	    !rnl_route_unicast(addr))
		return -EINVAL;
	idx = rnl_neigh_lookup(n, port, addr);
	if (idx == RNL_NIL)
		idx = rnl_neigh_make(n, port, addr);
	if (idx == RNL_NIL)
		return -ENOSPC;
	e = rnl_neigh_at(n, idx);
	if (!e->fixed)
		rnl_neigh_ref(n, idx);
	e->fixed = true;
	rnl_neigh_fix(n, idx, mac);
	return 0;
}

/* ---- showing -------------------------------------------------------------------------------- */

uint32_t rnl_neigh_iterate(const struct rnl_neigh *n, uint32_t prev)
{
	uint32_t i;

	for (i = prev + 1; i < n->pool.fresh; i++) {
		if (rnl_neigh_at(n, i)->state != RNL_NEIGH_FREE)
			return i;
	}
	return RNL_NIL;
}

const char *rnl_neigh_state_text(enum rnl_neigh_state state)
{
	static const char *const text[] = {
	    [RNL_NEIGH_FREE] = "FREE",
	    [RNL_NEIGH_NEW] = "NEW",
	    [RNL_NEIGH_INCOMPLETE] = "INCOMPLETE",
	    [RNL_NEIGH_FAILED] = "FAILED",
	    [RNL_NEIGH_STALE] = "STALE",
	    [RNL_NEIGH_DELAY] = "DELAY",
	    [RNL_NEIGH_PROBE] = "PROBE",
	    [RNL_NEIGH_REACHABLE] = "REACHABLE",
	    [RNL_NEIGH_PERMANENT] = "PERMANENT",
	};

	return (unsigned int)state < RTE_DIM(text) ? text[state] : "?";
}

const uint8_t *rnl_neigh_mac(const struct rnl_neigh_entry *e)
{
	return e->state >= RNL_NEIGH_STALE && e->hdr_len > 0 ? e->hdr : NULL;
}
