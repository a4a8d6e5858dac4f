/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an Ethernet port needs to speak IPv6 besides its neighbours: own addresses that are checked
 * before they are used, a link-local one, the groups to listen to, and what routers advertise.
 * Tables are bounded; what finds no room is counted and left out.
 *
 *   ip6.c         ports, messages, time
 *   ip6_addr.c    own addresses: duplicate detection, identifiers, lifetimes
 *   ip6_group.c   groups: the port's filter, reports for snooping switches
 *   ip6_router.c  routers and prefixes, and which router is the way out
 *
 * Refuses: forwarding, anycast and temporary addresses, DHCPv6, redirects.
 * DEVIATES RFC 4861 8.3: redirects are ignored; there is no destination cache to note them in.
 * Floor 4. RFC 4861 6.3, RFC 4862, RFC 7217, RFC 7527, RFC 3810, RFC 4191.
 */
#ifndef RNL_STACK_IP6_H
#define RNL_STACK_IP6_H

#include "stack/neigh.h"

#define RNL_IP6_ROUTERS 8   /* RFC 4861 6.3.4: at least two */
#define RNL_IP6_PREFIXES 16 /* on link, advertised */
#define RNL_IP6_AUTO 16     /* addresses made of prefixes */

/* RFC 4861 10 */
#define RNL_IP6_RS_MAX 3              /* MAX_RTR_SOLICITATIONS */
#define RNL_IP6_RS_DELAY_US 1000000u  /* MAX_RTR_SOLICITATION_DELAY */
#define RNL_IP6_RS_US 4000000u        /* RTR_SOLICITATION_INTERVAL */
#define RNL_IP6_DAD_TRANSMITS 1       /* DupAddrDetectTransmits (RFC 4862 5.1) */
#define RNL_IP6_IDGEN_RETRIES 3       /* RFC 7217 6 */
#define RNL_IP6_MIN_MTU 1280          /* RFC 8200 5 */

/** An own address that has not come to rest: it is being checked, or has a lifetime. */
struct rnl_ip6_addr {
	struct rnl_addr addr;
	uint64_t due_us;       /* next step of its check, 0: none under way */
	uint64_t preferred_us; /* end of its lifetimes, UINT64_MAX: none */
	uint64_t valid_us;
	uint8_t nonce[RNL_ND_NONCE_LEN];
	uint8_t port;
	uint8_t left;   /* solicitations that are still to be sent */
	uint8_t tries;  /* DAD_Counter (RFC 7217 5) */
	bool generated; /* its identifier is ours to choose */
	bool autoconf;  /* made of an advertised prefix */
};

struct rnl_ip6_router {
	struct rnl_addr addr;
	uint64_t until_us;
	uint32_t hop; /* in the neighbour table, with a reference */
	uint8_t port;
	int8_t preference;
};

struct rnl_ip6_prefix {
	struct rnl_addr prefix;
	uint64_t until_us; /* UINT64_MAX: for ever */
	uint8_t port, len;
};

struct rnl_ip6_port {
	const struct rnl_port_ops *ops;
	void *ctx;
	uint8_t mac[6];
	uint16_t vlan, mtu;
	uint32_t flags;          /* enum rnl_port_ipv6 */
	bool ethernet;
	bool used;               /* it has a link-local address, or is about to */
	uint64_t start_us;       /* nothing is sent before (RFC 4862 5.4.2) */
	uint8_t rs_left;         /* router solicitations that are still to be sent */
	uint64_t rs_due_us;      /* when the next one is, 0: none */
	bool groups_changed;     /* the port's filter is to be set, groups to be reported */
	uint8_t reports_left;    /* unsolicited ones (RFC 3810 6.1) */
	bool answer;             /* the report that is due answers a query */
	uint64_t report_due_us;  /* 0: none */
	uint64_t mld1_until_us;  /* an MLDv1 querier is there (RFC 3810 8.2.1) */
};

struct rnl_ip6 {
	struct rnl_core *core;
	struct rnl_routes *routes;
	struct rnl_neigh *neigh;
	uint64_t due_us;      /* when rnl_ip6_expire() has something to do; UINT64_MAX: never */
	bool rehome;          /* the default route changed: connections are to find their way anew */
	uint64_t rehome_us;   /* when they may */
	uint64_t rehomed_us;  /* when they did last */
	struct rnl_addr way_out; /* router of the default route, unspecified: none */
	uint16_t addrs;
	uint8_t routers, prefixes, autos;
	uint8_t chosen;       /* router of the default route, RNL_IP6_ROUTERS: none */
	struct rnl_addr duplicate; /* found last */
	struct rnl_ip6_port ports[RNL_MAX_PORTS];
	struct rnl_ip6_router router[RNL_IP6_ROUTERS];
	struct rnl_ip6_prefix prefix[RNL_IP6_PREFIXES];
	struct rnl_ip6_addr addr[RNL_ROUTE_ADDR_MAX];
};

void rnl_ip6_init(struct rnl_ip6 *v, struct rnl_core *core, struct rnl_routes *routes,
		  struct rnl_neigh *neigh);
/** Tells a port; asks for routers and makes a link-local address if it wants that. */
void rnl_ip6_port_set(struct rnl_ip6 *v, unsigned int port, const struct rnl_port *desc);
/**
 * An own IPv6 address was added to the routes of an Ethernet port: it is checked before it is used
 * (RFC 4862 5.4), and the port gets a link-local one. Others are left alone.
 */
void rnl_ip6_added(struct rnl_ip6 *v, unsigned int port, const struct rnl_addr *addr);
/** @return whether packets to this address are for the port: an own address in use, or a group. */
bool rnl_ip6_for_us(const struct rnl_ip6 *v, unsigned int port, const struct rnl_addr *dst);
/** A message of neighbour discovery (rnl_nd_parse() said ok), on an Ethernet port. */
void rnl_ip6_nd_input(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
		      const struct rnl_nd *nd);
/** A query of MLD came in. Both versions' are answered. */
void rnl_ip6_mld_query(struct rnl_ip6 *v, unsigned int port, const struct rnl_ip *ip,
		       const struct rte_mbuf *m, const struct rnl_icmp *icmp);
/** Does all that is due at core->now_us. */
void rnl_ip6_expire(struct rnl_ip6 *v);
/** @return when rnl_ip6_expire() must run, us; UINT64_MAX: not before something else happens. */
static inline uint64_t rnl_ip6_next(const struct rnl_ip6 *v)
{
	return v->neigh->router_lost ? v->core->now_us : v->due_us;
}
/** @return whether rnl_ip6_expire() is to run. */
static inline bool rnl_ip6_due(const struct rnl_ip6 *v)
{
	return rnl_ip6_next(v) <= v->core->now_us;
}

#endif /* RNL_STACK_IP6_H */
