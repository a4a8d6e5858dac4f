/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports of IPv6 (ip6.h): what they want, which messages go where, and when something is due. One
 * number says when the next thing is; work that finds it too early sets it anew. Floor 4.
 */
#include "stack/ip6.h"

#include <string.h>

#include "stack/ip6_pvt.h"
#include "wire/ip.h"

void rnl_ip6_init(struct rnl_ip6 *v, struct rnl_core *core, struct rnl_routes *routes,
                  struct rnl_neigh *neigh)
{
	memset(v, 0, sizeof(*v));
	v->core = core;
	v->routes = routes;
	v->neigh = neigh;
	v->due_us = UINT64_MAX;
	v->chosen = RNL_IP6_ROUTERS;
}

static void use(struct rnl_ip6 *v, unsigned int port)
{
	struct rnl_ip6_port *p = &v->ports[port];

	if (p->used)
		return;
	p->used = true;
	/* RFC 4862 5.4.2: the first message of an interface waits at random. */
	p->start_us = v->core->now_us;
	if (!(p->flags & RNL_IPV6_NO_DAD))
		p->start_us += rnl_prng_below(&v->core->prng, RNL_IP6_RS_DELAY_US);
	rnl_ip6_link_local(v, port);
	rnl_ip6_groups_changed(v, port);
}

void rnl_ip6_port_set(struct rnl_ip6 *v, unsigned int port, const struct rnl_port *desc)
{
	struct rnl_ip6_port *p = &v->ports[port];

	memset(p, 0, sizeof(*p));
	p->ops = desc->ops;
	p->ctx = desc->ctx;
	memcpy(p->mac, desc->mac, sizeof(p->mac));
	p->vlan = desc->vlan;
	p->mtu = desc->mtu;
	p->flags = desc->ipv6;
	p->ethernet = !(desc->caps & RNL_CAP_RAW_IP);
	if (!p->ethernet || !(p->flags & (RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF)))
		return;
	use(v, port);
	rnl_ip6_router_begin(v, port);
}

void rnl_ip6_added(struct rnl_ip6 *v, unsigned int port, const struct rnl_addr *addr)
{
	if (rnl_addr_is_v4(addr) || !v->ports[port].ethernet)
		return;
	use(v, port);
	rnl_ip6_check(v, port, addr);
}

bool rnl_ip6_for_us(const struct rnl_ip6 *v, unsigned int port, const struct rnl_addr *dst)
{
	if (rnl_addr_is_multicast(dst) && !rnl_addr_is_v4(dst))
		return v->ports[port].used && rnl_ip6_group_is(v, port, dst);
	return rnl_route_is_local(v->routes, dst);
}

void rnl_ip6_nd_input(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
                      const struct rnl_nd *nd)
{
	if (nd->type == RNL_ND_ROUTER_ADVERT)
		rnl_ip6_router_input(v, port, ip, nd);
	else if (!rnl_ip6_addr_input(v, port, ip, nd))
		rnl_neigh_nd_input(v->neigh, port, ip, nd);
}

void rnl_ip6_expire(struct rnl_ip6 *v)
{
	unsigned int i;

	v->due_us = UINT64_MAX;
	/* Groups first: snooping switches must hear of them before the checks (RFC 4862 5.4.2). */
	for (i = 0; i < RNL_MAX_PORTS; i++)
		rnl_ip6_group_expire(v, i);
	rnl_ip6_addr_expire(v);
	rnl_ip6_router_expire(v);
}
