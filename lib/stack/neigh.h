/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops: one entry for each (port, address), with the link header ready to be copied. TCP keeps
 * its index (0: none) and nothing else; resolving, ageing and a neighbour's new Ethernet address
 * touch no connection. The states of RFC 4861 7.3.2 serve ARP as well.
 *
 *   NEW         made, nothing was sent to it yet
 *   INCOMPLETE  asked for: up to three requests, one second apart; packets are held
 *   REACHABLE   confirmed lately
 *   STALE       known, not confirmed lately: the next use starts DELAY
 *   DELAY       in use; five seconds for TCP to confirm it before it is probed
 *   PROBE       asked directly, up to three times, one second apart
 *   FAILED      answered no request: packets are dropped, and a use starts over after one second
 *   PERMANENT   static, or a port without link addresses
 *
 * ARP (neigh_arp.c) and neighbour discovery (neigh_nd.c) ask and answer; all else is common.
 * Refuses: knowing connections (they count references), choosing routers (ip6_router.c).
 * Floor 4. RFC 826, RFC 1122 2.3.2, RFC 4861 7.2 and 7.3, RFC 5227 2.3 and 2.4.
 */
#ifndef RNL_STACK_NEIGH_H
#define RNL_STACK_NEIGH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/pool.h"
#include "base/wheel.h"
#include "runnel.h"
#include "stack/route.h"
#include "tcp/core.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/nd.h"

#define RNL_NEIGH_HOLD 16         /* packets that wait for one neighbour */
#define RNL_NEIGH_HOLD_ALL 512    /* packets that wait for all of them */
#define RNL_NEIGH_MAX 65535       /* entries: an index is a uint16_t */

/* RFC 4861 10 */
#define RNL_NEIGH_SOLICITS 3            /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */
#define RNL_NEIGH_RETRANS_US 1000000u   /* RETRANS_TIMER; RFC 1122 2.3.2.1: at most one a second */
#define RNL_NEIGH_DELAY_US 5000000u     /* DELAY_FIRST_PROBE_TIME */
/* RFC 5227 1.1 */
#define RNL_NEIGH_ANNOUNCE_US 2000000u  /* ANNOUNCE_INTERVAL; ANNOUNCE_NUM is 2 */
#define RNL_NEIGH_DEFEND_US 10000000u   /* DEFEND_INTERVAL */

enum rnl_neigh_state {
	RNL_NEIGH_FREE = 0,
	RNL_NEIGH_NEW,
	RNL_NEIGH_INCOMPLETE,
	RNL_NEIGH_FAILED,
	RNL_NEIGH_STALE,
	RNL_NEIGH_DELAY, /* from here on a packet just takes the link header */
	RNL_NEIGH_PROBE,
	RNL_NEIGH_REACHABLE,
	RNL_NEIGH_PERMANENT,
};

/** What became of a packet. */
enum rnl_neigh_verdict {
	RNL_NEIGH_USABLE,  /* link header written: the port may have it */
	RNL_NEIGH_HELD,    /* kept until the neighbour is known */
	RNL_NEIGH_DROPPED, /* freed and counted */
};

struct rnl_neigh_entry {
	/* what a packet touches */
	uint8_t hdr[RNL_ETH_MAXLEN]; /* link header */
	uint8_t hdr_len;             /* 0, 14 or 18 */
	uint8_t state;               /* enum rnl_neigh_state */
	uint8_t port;
	uint8_t solicits;            /* sent in INCOMPLETE or PROBE */
	uint8_t held;                /* packets in hold */
	uint8_t hold_first;          /* place of the oldest */
	uint64_t confirmed_us;       /* last proof that it is reachable */
	uint64_t due_us;             /* end of the state's time, 0: none. FAILED: earliest retry */
	struct rnl_addr addr;
	uint32_t refs;               /* connections that use it; a static one counts one itself */
	/* the rest */
	uint32_t next;               /* in its hash chain; links free entries */
	uint32_t older, newer;       /* list of unreferenced entries */
	uint32_t life_ms;            /* ReachableTime drawn for it (RFC 4861 6.3.2) */
	bool fixed;                  /* static: holds a reference itself */
	bool router;                 /* IsRouter (RFC 4861 5.1) */
	struct rnl_wnode timer;
	struct rte_mbuf *hold[RNL_NEIGH_HOLD];
} __attribute__((aligned(64)));

/** Link layer of one port. */
struct rnl_neigh_port {
	uint8_t mac[6];
	uint16_t vlan;
	bool raw_ip;
	bool conflict_seen;    /* conflict_us counts */
	uint64_t conflict_us;  /* last packet from somebody who uses our address */
	uint32_t reachable_ms; /* BaseReachableTime that a router advertised, 0: the table's */
	uint32_t retrans_us;   /* RetransTimer that a router advertised, 0: RNL_NEIGH_RETRANS_US */
};

/** An own address that is to be announced. */
struct rnl_neigh_announce {
	struct rnl_addr addr;
	uint64_t again_us; /* when the second one is due */
	uint8_t port;
};

struct rnl_neigh {
	struct rnl_core *core;
	const struct rnl_routes *routes;
	struct rnl_pool pool;
	struct rnl_wheel wheel;
	uint32_t *heads; /* hash chains */
	uint32_t mask;
	uint32_t oldest, newest; /* unreferenced entries */
	uint32_t held;           /* packets in the entries' hold */
	uint32_t reachable_ms;   /* BaseReachableTime (RFC 4861 6.3.2) */
	bool router_lost;        /* a router stopped answering, or is none any more; ip6 clears it */
	struct rnl_neigh_announce *announce; /* ring of RNL_ROUTE_ADDR_MAX, free-running places: */
	uint32_t announce_tail;   /* next free */
	uint32_t announce_first;  /* next to be announced the first time */
	uint32_t announce_second; /* next to be announced the second time */
	uint64_t announce_retry_us; /* none before: the last one could not be sent */
	struct rnl_neigh_port ports[RNL_MAX_PORTS];
};

struct rnl_neigh_config {
	struct rnl_core *core; /* its nexthop_port has max_entries + 1 elements */
	const struct rnl_routes *routes;
	uint32_t max_entries;  /* 1 to RNL_NEIGH_MAX */
	uint32_t reachable_ms; /* BaseReachableTime; each entry draws 0.5 to 1.5 of it. 0: 30000 */
};

/** @return octets of memory that max_entries need. */
size_t rnl_neigh_bytes(uint32_t max_entries);
/** Makes an empty table in zeroed memory of rnl_neigh_bytes(), aligned to 64 octets. */
void rnl_neigh_init(struct rnl_neigh *n, void *mem, const struct rnl_neigh_config *cfg);
/** Drops the packets that are held; the table is not used again. */
void rnl_neigh_fini(struct rnl_neigh *n);
/** Tells the link layer of a port; before its first address and neighbour. */
void rnl_neigh_port_set(struct rnl_neigh *n, unsigned int port, const struct rnl_port *desc);
/**
 * Announces an own address, twice (RFC 5227 2.3, RFC 4861 7.2.6), from the next rnl_neigh_expire() on.
 * Nothing happens for a port without link addresses.
 */
void rnl_neigh_announce(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr);
/**
 * Adds a neighbour that never ages, or makes a known one such.
 * @return 0; -EINVAL: a group or zero Ethernet address, a port without link addresses, or no unicast
 * address; -ENOSPC.
 */
int rnl_neigh_add_static(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr,
			 const uint8_t mac[6]);

/**
 * Finds or makes the entry of a next hop and takes a reference. When the table is full, the entry
 * that has been without a reference for the longest time gives way.
 * @return its index (> 0); -ENOSPC, counted.
 */
int rnl_neigh_get(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *next_hop);
/** Takes one more reference. */
void rnl_neigh_ref(struct rnl_neigh *n, uint32_t idx);
/** Gives a reference back. The entry stays known while there is room. */
void rnl_neigh_put(struct rnl_neigh *n, uint32_t idx);

/**
 * An ARP packet came in: learns, replies to a request for an own address of that port, notices
 * who else uses one.
 */
void rnl_neigh_arp_input(struct rnl_neigh *n, unsigned int port, const struct rnl_arp *arp);
/** A valid solicitation or advertisement (wire/nd.h) that is not about an address being checked. */
void rnl_neigh_nd_input(struct rnl_neigh *n, unsigned int port, const struct rnl_ip *ip,
			const struct rnl_nd *nd);
/**
 * A router told that it is one, and maybe (mac not NULL) its Ethernet address (RFC 4861 6.3.4).
 * @return its index, without a reference, or RNL_NIL.
 */
uint32_t rnl_neigh_router(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr,
			  const uint8_t *mac);
/** Takes the timers that a router advertised (RFC 4861 6.3.4); 0: keeps what is known. */
void rnl_neigh_timers_set(struct rnl_neigh *n, unsigned int port, uint32_t reachable_ms,
			  uint32_t retrans_ms);

/** A message of neighbour discovery on its way out. */
struct rnl_nd_packet {
	const struct rnl_nd *nd;
	const struct rnl_addr *from, *to;
	const uint8_t *mac; /* NULL: of the group, or to be resolved */
};
/** Sends it. @return false when there is no room or no buffer for it now (counted). */
bool rnl_neigh_nd_send(struct rnl_neigh *n, unsigned int port, const struct rnl_nd_packet *p);
/** @return an empty packet, if the port's queue has room for it; else NULL, counted. */
struct rte_mbuf *rnl_neigh_alloc(struct rnl_neigh *n, unsigned int port, struct rte_mempool *pool);
/** Sends an IPv6 packet to an Ethernet address; takes it. @return false: no headroom, counted. */
bool rnl_neigh_send_to(struct rnl_neigh *n, unsigned int port, const uint8_t to[6],
		       struct rte_mbuf *m);

/** Runs every timer that is due at core->now_us. */
void rnl_neigh_expire(struct rnl_neigh *n);
/** @return when rnl_neigh_expire() must run, us; UINT64_MAX: not before something else happens. */
uint64_t rnl_neigh_next(const struct rnl_neigh *n);

static inline struct rnl_neigh_entry *rnl_neigh_at(const struct rnl_neigh *n, uint32_t idx)
{
	return rnl_pool_at(&n->pool, idx);
}

/** The part of rnl_neigh_output() for neighbours that are not simply usable. */
enum rnl_neigh_verdict rnl_neigh_output_slow(struct rnl_neigh *n, uint32_t idx,
					     struct rte_mbuf *m);
/** Writes the link header of a usable entry. @return USABLE, or DROPPED: no headroom, counted. */
enum rnl_neigh_verdict rnl_neigh_write(struct rnl_neigh *n, const struct rnl_neigh_entry *e,
				       struct rte_mbuf *m);

/**
 * Sends a packet from the IP header up to its next hop: with room for the link header before it, in
 * a first segment that nobody shares. Called when a transmit queue is drained.
 * @return USABLE: m has its link header and l2_len; HELD, DROPPED: m is not the caller's any more.
 */
static inline enum rnl_neigh_verdict rnl_neigh_output(struct rnl_neigh *n, uint32_t idx,
						      struct rte_mbuf *m)
{
	const struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	if (__builtin_expect(e->state >= RNL_NEIGH_DELAY, 1))
		return rnl_neigh_write(n, e, m);
	return rnl_neigh_output_slow(n, idx, m);
}

/** Makes a known neighbour that is not REACHABLE so. */
void rnl_neigh_confirm_slow(struct rnl_neigh *n, uint32_t idx);

/** Progress above proves that the neighbour forwards (RFC 4861 7.3.1). Cheap. */
static inline void rnl_neigh_confirm(struct rnl_neigh *n, uint32_t idx)
{
	struct rnl_neigh_entry *e = rnl_neigh_at(n, idx);

	if (__builtin_expect(e->state == RNL_NEIGH_REACHABLE, 1))
		e->confirmed_us = n->core->now_us;
	else if (e->state != RNL_NEIGH_PERMANENT)
		rnl_neigh_confirm_slow(n, idx);
}

/** @return how many entries exist. */
static inline uint32_t rnl_neigh_count(const struct rnl_neigh *n)
{
	return n->pool.used;
}

/** @return the index after `prev` (0: the first) that is in use, or 0 past the last. */
uint32_t rnl_neigh_iterate(const struct rnl_neigh *n, uint32_t prev);
/** @return the neighbour's Ethernet address, or NULL while it is not known. */
const uint8_t *rnl_neigh_mac(const struct rnl_neigh_entry *e);
/** @return a state's name as the RFC writes it, such as "REACHABLE". Never NULL. */
const char *rnl_neigh_state_text(enum rnl_neigh_state state);

#endif /* RNL_STACK_NEIGH_H */
