/* SPDX-License-Identifier: BSD-3-Clause */
/* Own addresses and routes (route.h). Floor 4. */
#include "stack/route.h"

#include <errno.h>
#include <string.h>

#include "wire/ip.h"

#define INDEX_BITS 11
#define FAMILY_BITS(a) (rnl_addr_is_v4(a) ? 96u : 0u) /* what an IPv4 prefix length leaves out */

_Static_assert(2 * RNL_ROUTE_ADDR_MAX == 1 << INDEX_BITS, "the index is at most half full");

void rnl_route_init(struct rnl_routes *r)
{
	memset(r, 0, sizeof(*r));
}

bool rnl_route_unicast(const struct rnl_addr *a)
{
	return !rnl_addr_is_unspecified(a) && !rnl_addr_is_multicast(a) &&
	       !rnl_addr_is_limited_broadcast(a) && !rnl_addr_is_loopback(a);
}

/* ---- prefixes: lengths are of 128 bits here ------------------------------------------------- */

static struct rnl_addr masked(const struct rnl_addr *a, unsigned int len)
{
	struct rnl_addr out = *a;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		const unsigned int keep = len > 8 * i ? len - 8 * i : 0;

		if (keep < 8)
			out.b[i] &= (uint8_t)(0xff00u >> keep);
	}
	return out;
}

/* Whether all bits behind the prefix are 1. */
static bool host_all_ones(const struct rnl_addr *a, unsigned int len)
{
	unsigned int i;

	for (i = len; i < 128; i++) {
		if ((a->b[i / 8] >> (7 - i % 8) & 1) == 0)
			return false;
	}
	return true;
}

/* ---- own addresses -------------------------------------------------------------------------- */

static uint32_t index_of(const struct rnl_addr *a)
{
	uint64_t w[2];

	memcpy(w, a, sizeof(w));
	return (uint32_t)(((w[0] ^ w[1]) * 0x9e3779b97f4a7c15ull) >> (64 - INDEX_BITS));
}

int rnl_route_local_port(const struct rnl_routes *r, const struct rnl_addr *addr)
{
	const uint32_t mask = (1u << INDEX_BITS) - 1;
	uint32_t i;

	for (i = index_of(addr); r->index[i & mask] != 0; i++) {
		const struct rnl_route_addr *own = &r->addr[r->index[i & mask] - 1];

		if (rnl_addr_equal(&own->addr, addr))
			return own->port;
	}
	return -1;
}

static void index_add(struct rnl_routes *r, const struct rnl_addr *addr, uint16_t place)
{
	const uint32_t mask = (1u << INDEX_BITS) - 1;
	uint32_t i = index_of(addr);

	while (r->index[i & mask] != 0)
		i++;
	r->index[i & mask] = (uint16_t)(place + 1);
}

/* ---- routes --------------------------------------------------------------------------------- */

/* Longest prefix first, on-link before gateway, then the order in which they came. */
static unsigned int rank(const struct rnl_route *a)
{
	return 2u * a->prefix_len + a->on_link;
}

static void insert(struct rnl_routes *r, const struct rnl_route *new)
{
	unsigned int i = r->routes++;

	for (; i > 0 && rank(&r->route[i - 1]) < rank(new); i--)
		r->route[i] = r->route[i - 1];
	r->route[i] = *new;
}

static bool covers(const struct rnl_route *a, const struct rnl_addr *addr)
{
	/* The IPv4 addresses lie inside ::/0, but not behind IPv6's default route. */
	return rnl_addr_is_v4(&a->prefix) == rnl_addr_is_v4(addr) &&
	       rnl_addr_prefix_match(&a->prefix, addr, a->prefix_len);
}

static bool exists(const struct rnl_routes *r, const struct rnl_route *new)
{
	unsigned int i;

	for (i = 0; i < r->routes; i++) {
		const struct rnl_route *a = &r->route[i];

		if (rank(a) == rank(new) && rnl_addr_equal(&a->prefix, &new->prefix) &&
		    (!new->on_link || a->port == new->port))
			return true;
	}
	return false;
}

/* IPv4 /31 and /32 have neither network nor broadcast address (RFC 3021), IPv6 never. */
static bool reserved_host(const struct rnl_addr *addr, unsigned int len)
{
	struct rnl_addr net = masked(addr, len);

	if (!rnl_addr_is_v4(addr) || len > 126)
		return false;
	return rnl_addr_equal(addr, &net) || host_all_ones(addr, len);
}

int rnl_route_add_address(struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr,
                          unsigned int prefix_len)
{
	const unsigned int len = prefix_len + FAMILY_BITS(addr);
	const struct rnl_route link = {.prefix = masked(addr, len < 128 ? len : 128),
	                               .src = *addr,
	                               .prefix_len = (uint8_t)len,
	                               .port = (uint8_t)port,
	                               .on_link = true};
	/* A prefix of one address has nobody else on it. */
	const bool needs_route = len < 128 && !exists(r, &link);

	if (prefix_len == 0 || prefix_len > 128 || len > 128 || port > UINT8_MAX ||
	    !rnl_route_unicast(addr) || reserved_host(addr, len))
		return -EINVAL;
	if (rnl_route_is_local(r, addr))
		return -EEXIST;
	if (r->addrs == RNL_ROUTE_ADDR_MAX || (needs_route && r->routes == RNL_ROUTE_MAX))
		return -ENOSPC;
	if (needs_route)
		insert(r, &link);
	r->addr[r->addrs] = (struct rnl_route_addr){
	    .addr = *addr, .prefix_len = (uint8_t)len, .port = (uint8_t)port};
	index_add(r, addr, r->addrs++);
	return 0;
}

static const struct rnl_route *lookup(const struct rnl_routes *r, const struct rnl_addr *dst)
{
	unsigned int i;

	for (i = 0; i < r->routes; i++) {
		if (covers(&r->route[i], dst))
			return &r->route[i];
	}
	return NULL;
}

/* Reads prefix and gateway into *new. @return 0, or -EINVAL. */
static int read_route(const struct rnl_addr *prefix, unsigned int prefix_len,
                      const struct rnl_addr *gateway, struct rnl_route *new)
{
	const bool v4 = rnl_addr_is_v4(gateway);
	const unsigned int len = prefix_len + FAMILY_BITS(gateway);

	if (prefix_len > 128 || len > 128 || !rnl_route_unicast(gateway))
		return -EINVAL;
	*new = (struct rnl_route){.prefix_len = (uint8_t)len, .gateway = *gateway};
	if (prefix_len == 0) {
		new->prefix = masked(gateway, len);
		return rnl_addr_is_unspecified(prefix) ? 0 : -EINVAL;
	}
	new->prefix = masked(prefix, len);
	if (rnl_addr_is_v4(prefix) != v4 || !rnl_addr_equal(prefix, &new->prefix))
		return -EINVAL;
	return 0;
}

int rnl_route_add_gateway(struct rnl_routes *r, const struct rnl_addr *prefix,
                          unsigned int prefix_len, const struct rnl_addr *gateway)
{
	struct rnl_route new;
	const struct rnl_route *via;

	if (read_route(prefix, prefix_len, gateway, &new) != 0 || rnl_route_is_local(r, gateway))
		return -EINVAL;
	via = lookup(r, gateway);
	if (via == NULL || !via->on_link)
		return -ENETUNREACH;
	if (exists(r, &new))
		return -EEXIST;
	if (r->routes == RNL_ROUTE_MAX)
		return -ENOSPC;
	new.port = via->port;
	new.src = via->src;
	insert(r, &new);
	return 0;
}

int rnl_route_find(const struct rnl_routes *r, const struct rnl_addr *dst, unsigned int *port,
                   struct rnl_addr *next_hop, struct rnl_addr *src)
{
	const struct rnl_route *a = lookup(r, dst);

	if (a == NULL || rnl_route_is_local(r, dst))
		return -ENETUNREACH;
	if (port != NULL)
		*port = a->port;
	if (next_hop != NULL)
		*next_hop = a->on_link ? *dst : a->gateway;
	if (src != NULL)
		*src = a->src;
	return 0;
}

bool rnl_route_is_broadcast(const struct rnl_routes *r, const struct rnl_addr *addr)
{
	unsigned int i;

	for (i = 0; i < r->routes && rnl_addr_is_v4(addr); i++) {
		const struct rnl_route *a = &r->route[i];

		if (a->on_link && a->prefix_len <= 126 && covers(a, addr) &&
		    host_all_ones(addr, a->prefix_len))
			return true;
	}
	return false;
}

/* The longest on-link prefix of `port` that has addr, or NULL. */
static const struct rnl_route *link_of(const struct rnl_routes *r, unsigned int port,
                                       const struct rnl_addr *addr)
{
	unsigned int i;

	for (i = 0; i < r->routes; i++) {
		const struct rnl_route *a = &r->route[i];

		if (a->on_link && a->port == port && covers(a, addr))
			return a;
	}
	return NULL;
}

bool rnl_route_on_link(const struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr)
{
	return link_of(r, port, addr) != NULL;
}

int rnl_route_source(const struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr,
                     struct rnl_addr *src)
{
	const struct rnl_route *a = link_of(r, port, addr);
	unsigned int i;

	if (a != NULL) {
		*src = a->src;
		return 0;
	}
	for (i = 0; i < r->addrs; i++) {
		const struct rnl_route_addr *own = &r->addr[i];

		if (own->port == port && rnl_addr_is_v4(&own->addr) == rnl_addr_is_v4(addr)) {
			*src = own->addr;
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}
