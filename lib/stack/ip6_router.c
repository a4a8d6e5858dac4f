/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routers (ip6.h): asked for, listed with their lifetimes, and one of them the default route; what
 * they advertise for the link. A router that stops answering gives way to another; connections on
 * their way through it move along (rnl_rehome_run()).
 * Floor 4. RFC 4861 6.3, RFC 4191 3.1 (preferences), RFC 8028 is not followed.
 *
 * DEVIATES RFC 4861 6.3.6: all connections go through one router, the best, and change together;
 * the next one has its turn when that fails.
 */
#include <string.h>

#include "stack/ip6_pvt.h"
#include "wire/ip.h"

#define REHOME_US 1000000u /* moving connections costs a walk over all of them */

/* ---- asking --------------------------------------------------------------------------------- */

void rnl_ip6_router_begin(struct rnl_ip6 *v, unsigned int port)
{
	struct rnl_ip6_port *p = &v->ports[port];

	p->rs_left = RNL_IP6_RS_MAX;
	/* Later than the link-local address is checked; without one it asks from nowhere. */
	p->rs_due_us = p->start_us + RNL_IP6_RS_US;
	if (rnl_ip6_has_link_local(v, port, &(struct rnl_addr){.b = {0}}))
		p->rs_due_us = v->core->now_us;
	rnl_ip6_wake(v, p->rs_due_us);
}

void rnl_ip6_router_ask(struct rnl_ip6 *v, unsigned int port)
{
	struct rnl_ip6_port *p = &v->ports[port];

	if (p->rs_left == 0)
		return;
	p->rs_due_us = v->core->now_us;
	rnl_ip6_wake(v, p->rs_due_us);
}

/* RFC 4861 6.3.7 */
static void solicit(struct rnl_ip6 *v, unsigned int port)
{
	struct rnl_ip6_port *p = &v->ports[port];
	struct rnl_nd nd = {.type = RNL_ND_ROUTER_SOLICIT};
	struct rnl_addr from;

	nd.has_lladdr = rnl_ip6_has_link_local(v, port, &from);
	if (!nd.has_lladdr)
		memset(&from, 0, sizeof(from));
	memcpy(nd.lladdr, p->mac, sizeof(nd.lladdr));
	if (!rnl_neigh_nd_send(
	        v->neigh, port,
	        &(struct rnl_nd_packet){.nd = &nd, .from = &from, .to = &rnl_nd_all_routers})) {
		p->rs_due_us = v->core->now_us + RNL_IP6_RETRY_US;
		return;
	}
	p->rs_left--;
	p->rs_due_us = v->core->now_us + RNL_IP6_RS_US;
}

/* ---- which router --------------------------------------------------------------------------- */

/* RFC 4861 6.3.6 (1): every state but those in which nobody has answered. */
static bool answers(const struct rnl_ip6 *v, const struct rnl_ip6_router *r)
{
	return rnl_neigh_at(v->neigh, r->hop)->state >= RNL_NEIGH_STALE;
}

static int rate(const struct rnl_ip6 *v, const struct rnl_ip6_router *r)
{
	return (answers(v, r) ? 10 : 0) + r->preference;
}

/* The best; among equals the one in use, unless it does not answer: then they take turns (2). */
static uint8_t choose(const struct rnl_ip6 *v)
{
	const uint8_t now = v->chosen;
	uint8_t best = RNL_IP6_ROUTERS;
	unsigned int i;

	if (v->routers == 0)
		return best;
	if (now < v->routers && answers(v, &v->router[now]))
		best = now;
	for (i = 0; i < v->routers; i++) {
		const uint8_t at = (uint8_t)(((now < v->routers ? now : v->routers - 1) + 1 + i) %
		                             v->routers);

		if (best == RNL_IP6_ROUTERS || rate(v, &v->router[at]) > rate(v, &v->router[best]))
			best = at;
	}
	return best;
}

/* Connections move at most once a second: who flaps shall not keep this stack busy. */
static void rehome(struct rnl_ip6 *v)
{
	v->rehome = true;
	v->rehome_us = RTE_MAX(v->core->now_us, v->rehomed_us + REHOME_US);
	rnl_ip6_wake(v, v->rehome_us);
}

static void reconsider(struct rnl_ip6 *v)
{
	const struct rnl_addr before = v->way_out;
	const struct rnl_ip6_router *r;

	v->chosen = choose(v);
	r = v->chosen < v->routers ? &v->router[v->chosen] : NULL;
	rnl_route_default(v->routes, r != NULL ? r->port : 0, r != NULL ? &r->addr : NULL);
	memset(&v->way_out, 0, sizeof(v->way_out));
	if (r != NULL)
		v->way_out = r->addr;
	if (!rnl_addr_equal(&before, &v->way_out))
		rehome(v);
}

/* ---- the list ------------------------------------------------------------------------------- */

static struct rnl_ip6_router *find(struct rnl_ip6 *v, unsigned int port,
                                   const struct rnl_addr *addr)
{
	unsigned int i;

	for (i = 0; i < v->routers; i++) {
		if (v->router[i].port == port && rnl_addr_equal(&v->router[i].addr, addr))
			return &v->router[i];
	}
	return NULL;
}

static void add(struct rnl_ip6 *v, const struct rnl_ip6_router *new)
{
	int hop;

	if (v->routers == RNL_IP6_ROUTERS) {
		rnl_core_count(v->core, RNL_C_nd_table_full);
		return;
	}
	hop = rnl_neigh_get(v->neigh, new->port, &new->addr);
	if (hop < 0)
		return;
	rnl_neigh_at(v->neigh, (uint32_t)hop)->router = true;
	v->router[v->routers] = *new;
	v->router[v->routers++].hop = (uint32_t)hop;
}

/* RFC 4861 6.3.5 */
static void take_out(struct rnl_ip6 *v, struct rnl_ip6_router *r)
{
	const uint8_t at = (uint8_t)(r - v->router);
	unsigned int i;

	rnl_core_count(v->core, RNL_C_nd_router_lost);
	rnl_neigh_put(v->neigh, r->hop);
	for (i = at; i + 1u < v->routers; i++)
		v->router[i] = v->router[i + 1];
	v->routers--;
	if (v->chosen == at)
		v->chosen = RNL_IP6_ROUTERS;
	else if (v->chosen != RNL_IP6_ROUTERS && v->chosen > at)
		v->chosen--;
}

static void update_router(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
                          const struct rnl_nd *nd)
{
	struct rnl_ip6_router *r = find(v, port, &ip->src);
	const struct rnl_ip6_router new = {.addr = ip->src,
	                                   .port = (uint8_t)port,
	                                   .preference = nd->preference,
	                                   .until_us = v->core->now_us +
	                                               nd->lifetime_s * UINT64_C(1000000)};

	if (nd->lifetime_s == 0) {
		if (r != NULL)
			take_out(v, r);
		return;
	}
	rnl_ip6_wake(v, new.until_us);
	if (r == NULL) {
		add(v, &new);
		return;
	}
	r->until_us = new.until_us;
	r->preference = new.preference;
}

/* ---- prefixes ------------------------------------------------------------------------------- */

static struct rnl_ip6_prefix *find_prefix(struct rnl_ip6 *v, unsigned int port,
                                          const struct rnl_nd_prefix *p)
{
	unsigned int i;

	for (i = 0; i < v->prefixes; i++) {
		struct rnl_ip6_prefix *q = &v->prefix[i];

		if (q->port == port && q->len == p->len && rnl_addr_equal(&q->prefix, &p->prefix))
			return q;
	}
	return NULL;
}

static void drop_prefix(struct rnl_ip6 *v, struct rnl_ip6_prefix *q)
{
	rnl_route_link_remove(v->routes, q->port, &q->prefix, q->len);
	*q = v->prefix[--v->prefixes];
}

/* RFC 4861 6.3.4: the prefix list. ::/0 on link would make every router needless. */
static void on_link(struct rnl_ip6 *v, unsigned int port, const struct rnl_nd_prefix *p)
{
	const uint64_t until = p->valid_s == UINT32_MAX
	                           ? UINT64_MAX
	                           : v->core->now_us + p->valid_s * UINT64_C(1000000);
	struct rnl_ip6_prefix *q = find_prefix(v, port, p);

	if (!p->on_link || p->len == 0 || rnl_addr_is_link_local(&p->prefix) ||
	    rnl_addr_is_multicast(&p->prefix) || rnl_addr_is_v4(&p->prefix))
		return;
	if (p->valid_s == 0) {
		if (q != NULL)
			drop_prefix(v, q);
		return;
	}
	if (q == NULL) {
		if (v->prefixes == RNL_IP6_PREFIXES ||
		    rnl_route_link_add(v->routes, port, &p->prefix, p->len) != 0) {
			rnl_core_count(v->core, RNL_C_nd_table_full);
			return;
		}
		q = &v->prefix[v->prefixes++];
		*q = (struct rnl_ip6_prefix){
		    .prefix = p->prefix, .port = (uint8_t)port, .len = p->len};
	}
	q->until_us = until;
	rnl_ip6_wake(v, until);
}

/* ---- what came in --------------------------------------------------------------------------- */

/* RFC 4861 6.3.4: parameters of the link; what says nothing changes nothing. */
static void parameters(struct rnl_ip6 *v, unsigned int port, const struct rnl_nd *nd)
{
	struct rnl_core_port *cp = &v->core->ports[port];

	if (nd->hop_limit != 0)
		cp->hop_limit = nd->hop_limit;
	if (nd->mtu >= RNL_IP6_MIN_MTU && nd->mtu <= v->ports[port].mtu)
		cp->mtu6 = (uint16_t)nd->mtu;
	rnl_neigh_timers_set(v->neigh, port, nd->reachable_ms, nd->retrans_ms);
}

void rnl_ip6_router_input(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
                          const struct rnl_nd *nd)
{
	struct rnl_ip6_port *p = &v->ports[port];
	unsigned int i;

	if (!(p->flags & (RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF)) ||
	    rnl_route_is_local(v->routes, &ip->src)) {
		rnl_core_count(v->core, RNL_C_icmp_rx_other);
		return;
	}
	rnl_core_count(v->core, RNL_C_nd_rx_router_advert);
	/* RFC 4861 6.3.7: enough asked, but once at least. */
	if (nd->lifetime_s != 0)
		p->rs_left = p->rs_left == RNL_IP6_RS_MAX ? 1 : 0;
	parameters(v, port, nd);
	rnl_neigh_router(v->neigh, port, &ip->src, nd->has_lladdr ? nd->lladdr : NULL);
	update_router(v, port, ip, nd);
	for (i = 0; i < nd->nprefix; i++) {
		on_link(v, port, &nd->prefix[i]);
		if (p->flags & RNL_IPV6_AUTOCONF)
			rnl_ip6_autoconf(v, port, &nd->prefix[i]);
	}
	reconsider(v);
}

/* ---- time ----------------------------------------------------------------------------------- */

/* A neighbour said that it is no router any more (RFC 4861 7.2.5), or answers nothing (7.3.3). */
static void lost(struct rnl_ip6 *v)
{
	unsigned int i = v->routers;

	v->neigh->router_lost = false;
	while (i-- > 0) {
		if (!rnl_neigh_at(v->neigh, v->router[i].hop)->router)
			take_out(v, &v->router[i]);
	}
	reconsider(v);
}

static void expire_lists(struct rnl_ip6 *v)
{
	const uint64_t now = v->core->now_us;
	const uint8_t before = v->routers;
	unsigned int i;

	for (i = v->routers; i-- > 0;) {
		if (v->router[i].until_us <= now)
			take_out(v, &v->router[i]);
		else
			rnl_ip6_wake(v, v->router[i].until_us);
	}
	for (i = v->prefixes; i-- > 0;) {
		if (v->prefix[i].until_us <= now)
			drop_prefix(v, &v->prefix[i]);
		else
			rnl_ip6_wake(v, v->prefix[i].until_us);
	}
	if (v->routers != before)
		reconsider(v);
}

void rnl_ip6_router_expire(struct rnl_ip6 *v)
{
	const uint64_t now = v->core->now_us;
	unsigned int i;

	if (v->neigh->router_lost)
		lost(v);
	expire_lists(v);
	for (i = 0; i < RNL_MAX_PORTS; i++) {
		struct rnl_ip6_port *p = &v->ports[i];

		if (p->rs_left > 0 && p->rs_due_us <= now)
			solicit(v, i);
		if (p->rs_left > 0)
			rnl_ip6_wake(v, p->rs_due_us);
	}
	if (v->rehome)
		rnl_ip6_wake(v, v->rehome_us);
}
