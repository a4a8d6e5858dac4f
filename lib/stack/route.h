/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Own addresses and routes of one stack, both families alike. An address makes its prefix an on-link
 * route of its port; other routes go through a gateway that is on link. Few routes are expected (a
 * linear walk, longest prefix first); addresses may be many and are hashed.
 * What routers advertise (prefixes, one default route) comes and goes; what was configured stays and
 * goes first. An own IPv6 address has a state: while it is checked, or when another host has it, it is
 * not ours to use (RFC 4862 5.4).
 * Refuses: metrics, equal-cost paths, loopback: an own address is no destination.
 * Floor 4. RFC 1122 3.3.1 (local or remote, gateway), 3.3.4.3 (source address); RFC 4861 5.2;
 * RFC 6724 5.
 */
#ifndef RNL_STACK_ROUTE_H
#define RNL_STACK_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runnel.h"

#define RNL_ROUTE_MAX 64
#define RNL_ROUTE_ADDR_MAX 1024

struct rnl_route {
	struct rnl_addr prefix;  /* bits behind prefix_len are 0 */
	struct rnl_addr gateway; /* when not on_link */
	struct rnl_addr src;     /* own address to send from */
	uint8_t prefix_len;      /* of 128 bits: IPv4 lengths plus 96 */
	uint8_t port;
	bool on_link;
	bool advertised; /* by a router: it may go again, and gives way to what is configured */
};

struct rnl_route_addr {
	struct rnl_addr addr;
	uint8_t prefix_len; /* of 128 bits */
	uint8_t port;
	uint8_t state; /* enum rnl_addr_state */
};

struct rnl_routes {
	struct rnl_route route[RNL_ROUTE_MAX]; /* longest prefix first */
	struct rnl_route_addr addr[RNL_ROUTE_ADDR_MAX];
	uint16_t index[2 * RNL_ROUTE_ADDR_MAX]; /* hash of the address -> place in addr, plus 1 */
	uint16_t routes;
	uint16_t addrs;
};

/** Makes an empty set. */
void rnl_route_init(struct rnl_routes *r);
/**
 * Gives `port` an own address and makes its prefix on link. IPv4 prefix lengths count from the IPv4
 * address.
 * @return 0; -EINVAL: no unicast address, prefix length 0 or too long, or the prefix's own network or
 * broadcast address; -EEXIST: we have that address; -ENOSPC.
 */
int rnl_route_add_address(struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr,
			  unsigned int prefix_len);
/**
 * Adds a route through a gateway. With prefix_len 0 (the default route) the gateway tells the family
 * and `prefix` must be all zero or 0.0.0.0.
 * @return 0; -EINVAL: lengths, families, bits behind the prefix, or a gateway that is ourselves or no
 * unicast address; -ENETUNREACH: the gateway is not on link; -EEXIST: that prefix has a route;
 * -ENOSPC.
 */
int rnl_route_add_gateway(struct rnl_routes *r, const struct rnl_addr *prefix,
			  unsigned int prefix_len, const struct rnl_addr *gateway);

/**
 * Where a packet to dst goes: port, neighbour, and the own address to send from. Any of the three may
 * be NULL. @return 0, -ENETUNREACH (also for an own address), or, where src is asked for,
 * -EADDRNOTAVAIL: no address of that family may be used on the port (yet).
 */
int rnl_route_find(const struct rnl_routes *r, const struct rnl_addr *dst, unsigned int *port,
		   struct rnl_addr *next_hop, struct rnl_addr *src);
/**
 * The same for the way back to who sent a packet that came in on `in_port`: a link-local address says
 * nothing of the port that it is on (RFC 4291 2.5.6, RFC 4007 6).
 */
int rnl_route_back(const struct rnl_routes *r, unsigned int in_port, const struct rnl_addr *dst,
		   unsigned int *port, struct rnl_addr *next_hop);

/* ---- own addresses and routes that come and go (IPv6) ---- */

/**
 * Gives `port` an own address without a route. prefix_len counts as for rnl_route_add_address().
 * @return 0, -EINVAL, -EEXIST, -ENOSPC.
 */
int rnl_route_own_add(struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr,
		      unsigned int prefix_len, enum rnl_addr_state state);
/** Takes an own address away. @return 0, -ENOENT. */
int rnl_route_own_remove(struct rnl_routes *r, const struct rnl_addr *addr);
/** Sets the state of an own address, if it is one. */
void rnl_route_own_state(struct rnl_routes *r, const struct rnl_addr *addr,
			 enum rnl_addr_state state);
/** @return the own address in whatever state, or NULL. */
const struct rnl_route_addr *rnl_route_own(const struct rnl_routes *r, const struct rnl_addr *addr);
/** Makes an advertised prefix on link. @return 0 (also when it is so already), -ENOSPC. */
int rnl_route_link_add(struct rnl_routes *r, unsigned int port, const struct rnl_addr *prefix,
		       unsigned int len);
/** Takes an advertised prefix away; a configured one stays. */
void rnl_route_link_remove(struct rnl_routes *r, unsigned int port, const struct rnl_addr *prefix,
			   unsigned int len);
/**
 * Sets the advertised default route to `gateway` (NULL: none) on `port`; nothing happens while one is
 * configured.
 */
void rnl_route_default(struct rnl_routes *r, unsigned int port, const struct rnl_addr *gateway);

/** @return whether the address may be a host's: not unspecified, loopback, multicast or broadcast. */
bool rnl_route_unicast(const struct rnl_addr *addr);
/** @return the port of an own address, or -1 when it is not ours (yet). */
int rnl_route_local_port(const struct rnl_routes *r, const struct rnl_addr *addr);
/** @return whether the address is one of ours, on any port. */
static inline bool rnl_route_is_local(const struct rnl_routes *r, const struct rnl_addr *addr)
{
	return rnl_route_local_port(r, addr) >= 0;
}
/** @return whether the address is the directed broadcast (RFC 1122 3.2.1.3 (c)) of an on-link prefix. */
bool rnl_route_is_broadcast(const struct rnl_routes *r, const struct rnl_addr *addr);
/** @return whether the address is reached on `port` without a gateway. */
bool rnl_route_on_link(const struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr);
/**
 * The own address on `port` to send to `addr` from. IPv4: of the longest prefix that has both, else the
 * port's first. IPv6: RFC 6724 5 (scope, not deprecated, longest prefix). @return 0, or -EADDRNOTAVAIL.
 */
int rnl_route_source(const struct rnl_routes *r, unsigned int port, const struct rnl_addr *addr,
		     struct rnl_addr *src);

#endif /* RNL_STACK_ROUTE_H */
