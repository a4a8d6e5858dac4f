/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of ip6.h owe each other. Floor 4. */
#ifndef RNL_STACK_IP6_PVT_H
#define RNL_STACK_IP6_PVT_H

#include "stack/ip6.h"

#define RNL_IP6_RETRY_US 1000 /* no room or no buffer */

/** Wakes rnl_ip6_expire() at at_us, or earlier. */
static inline void rnl_ip6_wake(struct rnl_ip6 *v, uint64_t at_us)
{
	v->due_us = RTE_MIN(v->due_us, at_us);
}

/* ---- ip6_addr.c ---- */

/** Checks a new own address of an Ethernet port, or uses it at once where that is asked for. */
void rnl_ip6_check(struct rnl_ip6 *v, unsigned int port, const struct rnl_addr *addr);
/** Makes the port's link-local address, unless it has one. */
void rnl_ip6_link_local(struct rnl_ip6 *v, unsigned int port);
/** A message about an address that is being checked. @return whether it was one. */
bool rnl_ip6_addr_input(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
			const struct rnl_nd *nd);
/** A prefix to make addresses of (RFC 4862 5.5.3). */
void rnl_ip6_autoconf(struct rnl_ip6 *v, unsigned int port, const struct rnl_nd_prefix *p);
void rnl_ip6_addr_expire(struct rnl_ip6 *v);
/** @return whether the port has a link-local address in use; it goes to *out. */
bool rnl_ip6_has_link_local(const struct rnl_ip6 *v, unsigned int port, struct rnl_addr *out);

/* ---- ip6_group.c ---- */

void rnl_ip6_groups_changed(struct rnl_ip6 *v, unsigned int port);
void rnl_ip6_group_expire(struct rnl_ip6 *v, unsigned int port);
bool rnl_ip6_group_is(const struct rnl_ip6 *v, unsigned int port, const struct rnl_addr *group);

/* ---- ip6_router.c ---- */

/** Begins to ask for routers. */
void rnl_ip6_router_begin(struct rnl_ip6 *v, unsigned int port);
/** The port has a link-local address now: asks at once if it has not asked yet. */
void rnl_ip6_router_ask(struct rnl_ip6 *v, unsigned int port);
/** A valid advertisement of a router (RFC 4861 6.3.4). */
void rnl_ip6_router_input(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
			  const struct rnl_nd *nd);
void rnl_ip6_router_expire(struct rnl_ip6 *v);

#endif /* RNL_STACK_IP6_PVT_H */
