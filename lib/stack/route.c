/* SPDX-License-Identifier: BSD-3-Clause */
/* Own addresses and routes (route.h). Floor 4. */
#include "stack/route.h"

#include <errno.h>
#include <string.h>

#include "wire/ip.h"
#include "wire/nd.h"

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

const struct rnl_route_addr *rnl_route_own(const struct rnl_routes *r, const struct rnl_addr *addr)
{
	const uint32_t mask = (1u << INDEX_BITS) - 1;
	uint32_t i;

	for (i = index_of(addr); r->index[i & mask] != 0; i++) {
		const struct rnl_route_addr *own = &r->addr[r->index[i & mask] - 1];

		if (rnl_addr_equal(&own->addr, addr))
			return own;
	}
	return NULL;
}

int rnl_route_local_port(const struct rnl_routes *r, const struct rnl_addr *addr)
{
	const struct rnl_route_addr *own = rnl_route_own(r, addr);

	return own != NULL && own->state <= RNL_ADDR_DEPRECATED ? own->port : -1;
}

static void index_add(struct rnl_routes *r, const struct rnl_addr *addr, uint16_t place)
{
	const uint32_t mask = (1u << INDEX_BITS) - 1;
	uint32_t i = index_of(addr);

	while (r->index[i & mask] != 0)
		i++;
	r->index[i & mask] = (uint16_t)(place + 1);
}

int rnl_route_own_add(struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr,
                      unsigned int prefix_len, enum rnl_addr_state state)
{
	const unsigned int len = prefix_len + FAMILY_BITS(addr);

	if (prefix_len == 0 || prefix_len > 128 || len > 128 || port > UINT8_MAX ||
	    !rnl_route_unicast(addr))
		return -EINVAL;
	if (rnl_route_own(r, addr) != NULL)
		return -EEXIST;
	if (r->addrs == RNL_ROUTE_ADDR_MAX)
		return -ENOSPC;
	r->addr[r->addrs] = (struct rnl_route_addr){.addr = *addr,
	                                            .prefix_len = (uint8_t)len,
	                                            .port = (uint8_t)port,
	                                            .state = (uint8_t)state};
	index_add(r, addr, r->addrs++);
	return 0;
}

int rnl_route_own_remove(struct rnl_routes *r, const struct rnl_addr *addr)
{
	const struct rnl_route_addr *own = rnl_route_own(r, addr);
	uint16_t i;

	if (own == NULL)
		return -ENOENT;
	/* The order stays: the first address of a port is its first choice. */
	for (i = (uint16_t)(own - r->addr); i + 1 < r->addrs; i++)
		r->addr[i] = r->addr[i + 1];
	r->addrs--;
	memset(r->index, 0, sizeof(r->index));
	for (i = 0; i < r->addrs; i++)
		index_add(r, &r->addr[i].addr, i);
	return 0;
}

void rnl_route_own_state(struct rnl_routes *r, const struct rnl_addr *addr,
                         enum rnl_addr_state state)
{
	const struct rnl_route_addr *own = rnl_route_own(r, addr);

	if (own != NULL)
		r->addr[own - r->addr].state = (uint8_t)state;
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

/* @return the route to the same prefix (and, on link, port), or NULL. */
static struct rnl_route *same(struct rnl_routes *r, const struct rnl_route *new)
{
	unsigned int i;

	for (i = 0; i < r->routes; i++) {
		struct rnl_route *a = &r->route[i];

		if (rank(a) == rank(new) && rnl_addr_equal(&a->prefix, &new->prefix) &&
		    rnl_addr_is_v4(&a->prefix) == rnl_addr_is_v4(&new->prefix) &&
		    (!new->on_link || a->port == new->port))
			return a;
	}
	return NULL;
}

static void take_out(struct rnl_routes *r, const struct rnl_route *gone)
{
	unsigned int i;

	for (i = (unsigned int)(gone - r->route); i + 1 < r->routes; i++)
		r->route[i] = r->route[i + 1];
	r->routes--;
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
	struct rnl_route *old = len < 128 ? same(r, &link) : NULL;
	const bool needs_route = len < 128 && old == NULL;
	int ret;

	if (reserved_host(addr, len))
		return -EINVAL;
	if (needs_route && r->routes == RNL_ROUTE_MAX)
		return -ENOSPC;
	ret = rnl_route_own_add(r, port, addr, prefix_len, RNL_ADDR_PREFERRED);
	if (ret != 0)
		return ret;
	if (needs_route)
		insert(r, &link);
	else if (old != NULL && old->advertised)
		*old = link;
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
	struct rnl_route new, *old;
	const struct rnl_route *via;

	if (read_route(prefix, prefix_len, gateway, &new) != 0 || rnl_route_own(r, gateway) != NULL)
		return -EINVAL;
	via = lookup(r, gateway);
	if (via == NULL || !via->on_link)
		return -ENETUNREACH;
	new.port = via->port;
	new.src = via->src;
	old = same(r, &new);
	if (old != NULL && !old->advertised)
		return -EEXIST;
	if (old == NULL && r->routes == RNL_ROUTE_MAX)
		return -ENOSPC;
	if (old != NULL)
		*old = new;
	else
		insert(r, &new);
	return 0;
}

int rnl_route_link_add(struct rnl_routes *r, unsigned int port, const struct rnl_addr *prefix,
                       unsigned int len)
{
	const struct rnl_route link = {.prefix = masked(prefix, len),
	                               .prefix_len = (uint8_t)len,
	                               .port = (uint8_t)port,
	                               .on_link = true,
	                               .advertised = true};

	if (same(r, &link) != NULL)
		return 0;
	if (r->routes == RNL_ROUTE_MAX)
		return -ENOSPC;
	insert(r, &link);
	return 0;
}

void rnl_route_link_remove(struct rnl_routes *r, unsigned int port, const struct rnl_addr *prefix,
                           unsigned int len)
{
	const struct rnl_route link = {.prefix = masked(prefix, len),
	                               .prefix_len = (uint8_t)len,
	                               .port = (uint8_t)port,
	                               .on_link = true};
	const struct rnl_route *old = same(r, &link);

	if (old != NULL && old->advertised)
		take_out(r, old);
}

void rnl_route_default(struct rnl_routes *r, unsigned int port, const struct rnl_addr *gateway)
{
	struct rnl_route new = {.port = (uint8_t)port, .advertised = true};
	const struct rnl_route *old = same(r, &new);

	if (old != NULL && !old->advertised)
		return;
	if (old != NULL)
		take_out(r, old);
	if (gateway == NULL || r->routes == RNL_ROUTE_MAX)
		return;
	new.gateway = *gateway;
	insert(r, &new);
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
	if (src == NULL)
		return 0;
	if (!rnl_addr_is_v4(dst))
		return rnl_route_source(r, a->port, dst, src);
	*src = a->src;
	return 0;
}

int rnl_route_back(const struct rnl_routes *r, unsigned int in_port, const struct rnl_addr *dst,
                   unsigned int *port, struct rnl_addr *next_hop)
{
	if (!rnl_addr_is_link_local(dst))
		return rnl_route_find(r, dst, port, next_hop, NULL);
	if (!rnl_route_on_link(r, in_port, dst))
		return -ENETUNREACH;
	*port = in_port;
	*next_hop = *dst;
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

/* ---- source addresses ----------------------------------------------------------------------- */

static int source_v4(const struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr,
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

		if (own->port == port && rnl_addr_is_v4(&own->addr)) {
			*src = own->addr;
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

/* RFC 6724 3.1, unicast and multicast: what matters is the order. */
static unsigned int scope(const struct rnl_addr *a)
{
	if (rnl_addr_is_multicast(a))
		return a->b[1] & 0xf;
	return rnl_addr_is_link_local(a) ? 2 : 14;
}

/* RFC 6724 2.2: no longer than the source's prefix. */
static unsigned int common_bits(const struct rnl_route_addr *own, const struct rnl_addr *dst)
{
	unsigned int n = 0;

	while (n < own->prefix_len &&
	       ((own->addr.b[n / 8] ^ dst->b[n / 8]) >> (7 - n % 8) & 1) == 0)
		n++;
	return n;
}

/*
 * RFC 6724 5, rules 2, 3 and 8. Rules 1, 4, 5 and 7 have nothing to choose here: an own address is
 * no destination, and all candidates are of one port.
 * DEVIATES RFC 6724 5: rules 5.5 and 6 are left out: there is no table of labels.
 */
static bool better_source(const struct rnl_route_addr *a, const struct rnl_route_addr *b,
                          const struct rnl_addr *dst)
{
	const unsigned int of_a = scope(&a->addr), of_b = scope(&b->addr), to = scope(dst);

	if (of_a != of_b)
		return of_a < of_b ? of_a >= to : of_b < to;
	if (a->state != b->state)
		return a->state < b->state;
	return common_bits(a, dst) > common_bits(b, dst);
}

static int source_v6(const struct rnl_routes *r, unsigned int port, const struct rnl_addr *dst,
                     struct rnl_addr *src)
{
	const struct rnl_route_addr *best = NULL;
	unsigned int i;

	for (i = 0; i < r->addrs; i++) {
		const struct rnl_route_addr *own = &r->addr[i];

		if (own->port != port || own->state > RNL_ADDR_DEPRECATED ||
		    rnl_addr_is_v4(&own->addr))
			continue;
		if (best == NULL || better_source(own, best, dst))
			best = own;
	}
	if (best == NULL)
		return -EADDRNOTAVAIL;
	*src = best->addr;
	return 0;
}

int rnl_route_source(const struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr,
                     struct rnl_addr *src)
{
	return rnl_addr_is_v4(addr) ? source_v4(r, port, addr, src)
	                            : source_v6(r, port, addr, src);
}
