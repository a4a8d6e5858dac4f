/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Own IPv6 addresses (ip6.h): checked for duplicates before they are used, made of prefixes and
 * identifiers, used for as long as routers say. The routes hold every address and its state; the
 * table here holds those that something is due for.
 * Floor 4. RFC 4862 5.3 to 5.5, RFC 4291 2.5.1 (EUI-64), RFC 7217, RFC 7527 4.
 *
 * DEVIATES RFC 4862 5.5.4: connections keep an address whose lifetime ended until they end; nothing
 * new is sent from it or accepted for it.
 */
#include <errno.h>
#include <string.h>

#include "base/siphash.h"
#include "stack/ip6_pvt.h"
#include "wire/ip.h"

#define IID_LEN 64
#define CHECK_BURST 32
#define TWO_HOURS_US UINT64_C(7200000000)
#define IDGEN_DELAY_US 1000000u /* RFC 7217 6 */

static const struct rnl_addr link_local_net = {.b = {0xfe, 0x80}};

/* ---- identifiers ---------------------------------------------------------------------------- */

/* RFC 4291 2.5.1, appendix A */
static void eui64(const struct rnl_ip6_port *p, uint8_t iid[8])
{
	const uint8_t v[8] = {p->mac[0] ^ 2, p->mac[1], p->mac[2], 0xff,
	                      0xfe,          p->mac[3], p->mac[4], p->mac[5]};

	memcpy(iid, v, sizeof(v));
}

/* RFC 5453 3: anycast addresses and what is set aside. */
static bool reserved(const uint8_t iid[8])
{
	static const uint8_t zero[8];
	static const uint8_t ethernet[5] = {0x02, 0x00, 0x5e, 0xff, 0xfe};
	static const uint8_t anycast[7] = {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return memcmp(iid, zero, 8) == 0 || memcmp(iid, ethernet, 5) == 0 ||
	       (memcmp(iid, anycast, 7) == 0 && iid[7] >= 0x80);
}

/* RFC 7217 5: F(Prefix, Net_Iface, Network_ID, DAD_Counter, secret_key). */
static void opaque(const struct rnl_ip6 *v, const struct rnl_ip6_addr *a, uint8_t iid[8])
{
	const struct rnl_ip6_port *p = &v->ports[a->port];
	uint8_t in[17];
	uint64_t rid;

	memcpy(in, a->addr.b, 8);
	memcpy(in + 8, p->mac, 6);
	memcpy(in + 14, &p->vlan, 2);
	in[16] = a->tries;
	rid = rnl_siphash24(v->core->secrets.iid, in, sizeof(in));
	memcpy(iid, &rid, 8);
}

/* Completes a prefix of 64 bits that stands in a->addr. */
static void identify(const struct rnl_ip6 *v, struct rnl_ip6_addr *a)
{
	if (v->ports[a->port].flags & RNL_IPV6_EUI64) {
		eui64(&v->ports[a->port], a->addr.b + 8);
		return;
	}
	opaque(v, a, a->addr.b + 8);
	while (reserved(a->addr.b + 8)) {
		a->tries++;
		opaque(v, a, a->addr.b + 8);
	}
}

/* ---- the table ------------------------------------------------------------------------------ */

static struct rnl_ip6_addr *find(struct rnl_ip6 *v, const struct rnl_addr *addr)
{
	unsigned int i;

	for (i = 0; i < v->addrs; i++) {
		if (rnl_addr_equal(&v->addr[i].addr, addr))
			return &v->addr[i];
	}
	return NULL;
}

static void forget(struct rnl_ip6 *v, struct rnl_ip6_addr *a)
{
	v->autos = (uint8_t)(v->autos - a->autoconf);
	*a = v->addr[--v->addrs];
}

static void begin_check(struct rnl_ip6 *v, struct rnl_ip6_addr *a, uint32_t wait_us)
{
	uint64_t nonce = rnl_prng_next(&v->core->prng);

	memcpy(a->nonce, &nonce, sizeof(a->nonce));
	a->left = RNL_IP6_DAD_TRANSMITS;
	a->due_us = RTE_MAX(v->core->now_us + wait_us, v->ports[a->port].start_us);
	rnl_route_own_state(v->routes, &a->addr, RNL_ADDR_TENTATIVE);
	rnl_ip6_wake(v, a->due_us);
}

static void ready(struct rnl_ip6 *v, struct rnl_ip6_addr *a)
{
	const uint64_t now = v->core->now_us;

	a->due_us = 0;
	rnl_route_own_state(v->routes, &a->addr,
	                    a->preferred_us <= now ? RNL_ADDR_DEPRECATED : RNL_ADDR_PREFERRED);
	rnl_neigh_announce(v->neigh, a->port, &a->addr);
	/* RFC 3590 4: reports so far came from nowhere, if they went out at all. */
	if (rnl_addr_is_link_local(&a->addr)) {
		rnl_ip6_groups_changed(v, a->port);
		rnl_ip6_router_ask(v, a->port);
	}
	if (!a->autoconf)
		forget(v, a);
	else
		rnl_ip6_wake(v, RTE_MIN(a->preferred_us > now ? a->preferred_us : UINT64_MAX,
		                        a->valid_us));
}

/* Begins the check of a->addr, which the routes have, or uses it at once. */
static void enter(struct rnl_ip6 *v, const struct rnl_ip6_addr *new, uint32_t wait_us)
{
	struct rnl_ip6_addr *a;

	if (v->addrs == RNL_ROUTE_ADDR_MAX)
		return; /* as many as the routes hold: cannot be */
	a = &v->addr[v->addrs++];
	*a = *new;
	v->autos = (uint8_t)(v->autos + a->autoconf);
	rnl_ip6_groups_changed(v, a->port);
	if (v->ports[a->port].flags & RNL_IPV6_NO_DAD)
		ready(v, a);
	else
		begin_check(v, a, wait_us);
}

void rnl_ip6_check(struct rnl_ip6 *v, unsigned int port, const struct rnl_addr *addr)
{
	const struct rnl_ip6_addr a = {.addr = *addr,
	                               .port = (uint8_t)port,
	                               .preferred_us = UINT64_MAX,
	                               .valid_us = UINT64_MAX};

	enter(v, &a, 0);
}

/* Gives a generated address its identifier and enters it. */
static void generate(struct rnl_ip6 *v, struct rnl_ip6_addr *a, uint32_t wait_us)
{
	int ret;

	identify(v, a);
	ret = rnl_route_own_add(v->routes, a->port, &a->addr, 64, RNL_ADDR_TENTATIVE);
	if (ret == 0)
		enter(v, a, wait_us);
	else if (ret == -ENOSPC)
		rnl_core_count(v->core, RNL_C_nd_table_full);
}

bool rnl_ip6_has_link_local(const struct rnl_ip6 *v, unsigned int port, struct rnl_addr *out)
{
	return rnl_route_source(v->routes, port, &link_local_net, out) == 0 &&
	       rnl_addr_is_link_local(out);
}

void rnl_ip6_link_local(struct rnl_ip6 *v, unsigned int port)
{
	struct rnl_ip6_addr a = {.addr = link_local_net,
	                         .port = (uint8_t)port,
	                         .generated = true,
	                         .preferred_us = UINT64_MAX,
	                         .valid_us = UINT64_MAX};
	unsigned int i;

	rnl_route_link_add(v->routes, port, &link_local_net, IID_LEN);
	for (i = 0; i < v->routes->addrs; i++) {
		const struct rnl_route_addr *own = &v->routes->addr[i];

		if (own->port == port && rnl_addr_is_link_local(&own->addr))
			return;
	}
	generate(v, &a, 0);
}

/* ---- duplicates ----------------------------------------------------------------------------- */

/*
 * RFC 4862 5.4.5: an identifier that the hardware gave and that is not unique means two ports with
 * one Ethernet address: nothing would work.
 */
static void disable(struct rnl_ip6 *v, unsigned int port)
{
	unsigned int i;

	for (i = 0; i < v->routes->addrs; i++) {
		struct rnl_route_addr *own = &v->routes->addr[i];

		if (own->port == port && !rnl_addr_is_v4(&own->addr))
			own->state = RNL_ADDR_DUPLICATE;
	}
	for (i = 0; i < v->addrs; i++) {
		if (v->addr[i].port == port)
			v->addr[i].due_us = 0;
	}
	v->ports[port].rs_left = 0;
}

static void duplicate(struct rnl_ip6 *v, struct rnl_ip6_addr *a)
{
	struct rnl_ip6_addr other = *a;
	const bool eui = v->ports[a->port].flags & RNL_IPV6_EUI64;

	rnl_core_count(v->core, RNL_C_dad_conflict);
	v->duplicate = a->addr;
	a->due_us = 0;
	rnl_route_own_state(v->routes, &a->addr, RNL_ADDR_DUPLICATE);
	rnl_ip6_groups_changed(v, a->port);
	if (a->generated && !eui && a->tries < RNL_IP6_IDGEN_RETRIES) {
		/* RFC 7217 6: another identifier, after a while. */
		rnl_route_own_remove(v->routes, &a->addr);
		forget(v, a);
		other.tries++;
		generate(v, &other,
		         IDGEN_DELAY_US + rnl_prng_below(&v->core->prng, IDGEN_DELAY_US));
		return;
	}
	if (a->generated && eui && rnl_addr_is_link_local(&a->addr))
		disable(v, a->port);
	if (!a->autoconf)
		forget(v, a);
}

/* RFC 4862 5.4.3, 5.4.4; RFC 7527 4.2: what bears our nonce was sent by us. */
bool rnl_ip6_addr_input(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
                        const struct rnl_nd *nd)
{
	const struct rnl_route_addr *own = rnl_route_own(v->routes, &nd->target);
	struct rnl_ip6_addr *a;

	/* What is in use, and a duplicate, which is a neighbour's, are not checked. */
	if (own == NULL || own->port != port || own->state != RNL_ADDR_TENTATIVE)
		return false;
	a = find(v, &nd->target);
	if (a == NULL)
		return true;
	if (nd->type == RNL_ND_SOLICIT && !rnl_addr_is_unspecified(&ip->src))
		return true; /* somebody looks for it */
	if (nd->type == RNL_ND_SOLICIT && nd->has_nonce &&
	    memcmp(nd->nonce, a->nonce, sizeof(a->nonce)) == 0)
		return true;
	duplicate(v, a);
	return true;
}

/* ---- lifetimes ------------------------------------------------------------------------------ */

static uint64_t end_of(const struct rnl_ip6 *v, uint32_t lifetime_s)
{
	return lifetime_s == UINT32_MAX ? UINT64_MAX
	                                : v->core->now_us + lifetime_s * UINT64_C(1000000);
}

/* RFC 4862 5.5.3 (e): nobody ends an address at once by a forged advertisement. */
static void prolong(struct rnl_ip6 *v, struct rnl_ip6_addr *a, const struct rnl_nd_prefix *p)
{
	const uint64_t now = v->core->now_us, told = end_of(v, p->valid_s);

	a->preferred_us = end_of(v, p->preferred_s);
	if (told > now + TWO_HOURS_US || told > a->valid_us)
		a->valid_us = told;
	else if (a->valid_us > now + TWO_HOURS_US)
		a->valid_us = now + TWO_HOURS_US;
	rnl_ip6_wake(v, now); /* it may have become another kind of address */
}

/* RFC 4862 5.5.3 (d): by prefix, whatever identifier it got. */
static struct rnl_ip6_addr *made_of(struct rnl_ip6 *v, unsigned int port,
                                    const struct rnl_nd_prefix *p)
{
	unsigned int i;

	for (i = 0; i < v->addrs; i++) {
		struct rnl_ip6_addr *a = &v->addr[i];

		if (a->autoconf && a->port == port &&
		    rnl_addr_prefix_match(&a->addr, &p->prefix, IID_LEN))
			return a;
	}
	return NULL;
}

void rnl_ip6_autoconf(struct rnl_ip6 *v, unsigned int port, const struct rnl_nd_prefix *p)
{
	struct rnl_ip6_addr new = {.addr = p->prefix,
	                           .port = (uint8_t)port,
	                           .generated = true,
	                           .autoconf = true};
	struct rnl_ip6_addr *a = made_of(v, port, p);

	if (!p->autonomous || p->len != IID_LEN || rnl_addr_is_link_local(&p->prefix) ||
	    !rnl_route_unicast(&p->prefix) || p->preferred_s > p->valid_s)
		return;
	if (a != NULL) {
		prolong(v, a, p);
		return;
	}
	if (p->valid_s == 0)
		return;
	if (v->autos == RNL_IP6_AUTO) {
		rnl_core_count(v->core, RNL_C_nd_table_full);
		return;
	}
	new.preferred_us = end_of(v, p->preferred_s);
	new.valid_us = end_of(v, p->valid_s);
	/* RFC 4862 5.4.2: all who heard the advertisement would check at once. */
	generate(v, &new, rnl_prng_below(&v->core->prng, RNL_IP6_RS_DELAY_US));
}

static void expired(struct rnl_ip6 *v, struct rnl_ip6_addr *a)
{
	const unsigned int port = a->port;

	rnl_core_count(v->core, RNL_C_addr_expired);
	rnl_route_own_remove(v->routes, &a->addr);
	forget(v, a);
	rnl_ip6_groups_changed(v, port);
}

/* Its lifetimes, once it is in use. @return false when it ended. */
static bool live(struct rnl_ip6 *v, struct rnl_ip6_addr *a)
{
	const uint64_t now = v->core->now_us;
	const struct rnl_route_addr *own = rnl_route_own(v->routes, &a->addr);

	if (a->valid_us <= now) {
		expired(v, a);
		return false;
	}
	rnl_ip6_wake(v, a->valid_us);
	if (own == NULL || own->state > RNL_ADDR_DEPRECATED)
		return true;
	rnl_route_own_state(v->routes, &a->addr,
	                    a->preferred_us <= now ? RNL_ADDR_DEPRECATED : RNL_ADDR_PREFERRED);
	if (a->preferred_us > now)
		rnl_ip6_wake(v, a->preferred_us);
	return true;
}

/* ---- time ----------------------------------------------------------------------------------- */

static uint32_t retrans_us(const struct rnl_ip6 *v, unsigned int port)
{
	const uint32_t told = v->neigh->ports[port].retrans_us;

	return told != 0 ? told : RNL_NEIGH_RETRANS_US;
}

/* RFC 4862 5.4.2 */
static void solicit(struct rnl_ip6 *v, struct rnl_ip6_addr *a)
{
	static const struct rnl_addr nowhere;
	const struct rnl_addr group = rnl_nd_solicited_node(&a->addr);
	struct rnl_nd nd = {.type = RNL_ND_SOLICIT, .target = a->addr, .has_nonce = true};

	memcpy(nd.nonce, a->nonce, sizeof(nd.nonce));
	if (!rnl_neigh_nd_send(
	        v->neigh, a->port,
	        &(struct rnl_nd_packet){.nd = &nd, .from = &nowhere, .to = &group})) {
		a->due_us = v->core->now_us + RNL_IP6_RETRY_US;
		return;
	}
	a->left--;
	a->due_us = v->core->now_us + retrans_us(v, a->port);
}

/* @return whether something was sent. */
static bool step(struct rnl_ip6 *v, struct rnl_ip6_addr *a)
{
	if (a->left > 0) {
		solicit(v, a);
		rnl_ip6_wake(v, a->due_us);
		return true;
	}
	rnl_core_count(v->core, RNL_C_dad_done);
	ready(v, a);
	return false;
}

void rnl_ip6_addr_expire(struct rnl_ip6 *v)
{
	const uint64_t now = v->core->now_us;
	unsigned int left = CHECK_BURST, i = v->addrs;

	/* Backwards: what comes to rest is replaced by the last. */
	while (i-- > 0) {
		struct rnl_ip6_addr *a = &v->addr[i];

		if (a->autoconf && !live(v, a))
			continue;
		if (a->due_us == 0)
			continue;
		if (a->due_us <= now && left > 0)
			left -= step(v, a);
		else
			rnl_ip6_wake(v, a->due_us);
	}
}
