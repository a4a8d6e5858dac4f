/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One core's world as TCP sees it. It frees floor 3 from globals, clocks and upward calls: time is a
 * number, packets go into transmit queues, and what the floor above must do (tell the application, call
 * output, free a block) goes into two lists that it drains. Floor 3.
 */
#ifndef RNL_TCP_CORE_H
#define RNL_TCP_CORE_H

#include "algo/hostcache.h"
#include "algo/sndbuf.h"
#include "base/counters.h"
#include "base/pkt.h"
#include "base/prng.h"
#include "base/txq.h"
#include "base/wheel.h"
#include "tcp/conn.h"

#define RNL_MAX_PORTS 8
#define RNL_CHALLENGE_PEERS 64
#define RNL_CHALLENGE_CONNS 1024
#define RNL_FASTOPEN_SLOTS 1024 /* one for each listener, by the low bits of its id */

struct rnl_path;

/** What TCP knows of a port. */
struct rnl_core_port {
	struct rnl_txq txq;
	uint32_t caps; /* enum rnl_port_cap */
	uint32_t tso_max_bytes;
	uint16_t tso_max_segs;
	uint16_t mtu;
	uint16_t mtu6;     /* of IPv6: what a router said (RFC 4861 6.3.4), else mtu */
	uint8_t hop_limit; /* of IPv6: what a router said, 0: nothing */
};

/** Callbacks, options and congestion control that many connections share; interned, counted. */
struct rnl_policy {
	const struct rnl_app_ops *ops;
	struct rnl_conn_opts opts; /* every default filled in */
	uint32_t refs;
	uint32_t hash;
};

/** Connections of one listener that a Fast Open cookie opened (RFC 7413 4.2, PendingFastOpenRequests). */
struct rnl_fastopen {
	uint32_t listener;
	uint32_t pending;   /* in SYN-RECEIVED */
	uint32_t resets[2]; /* reset there in this period, and in the one before */
	uint64_t period;
};

/** A list of connections, linked by an index in each. */
struct rnl_list {
	uint32_t head, tail;
};

struct rnl_core {
	uint64_t now_us;
	uint32_t now_ms; /* now_us / 1000, wrapping */
	uint16_t ip_id;
	struct rnl_list events; /* by next_event */
	struct rnl_list parked; /* by next_event: ended, but their zero-copy memory is still read */
	struct rnl_list output; /* by next_output */
	struct rnl_pool conns;  /* struct rnl_tcb */
	struct rnl_pool works;  /* struct rnl_work */
	struct rnl_pool ranges; /* struct rnl_range and struct rnl_run */
	struct rnl_pool minis;  /* struct rnl_mini */
	struct rnl_pool chunks; /* struct rnl_chunk */
	struct rnl_wheel conn_wheel;
	struct rnl_wheel mini_wheel;
	struct rnl_zc_list zc;
	struct rte_mempool *pkt_pool;
	struct rte_mempool *hdr_pool;
	struct rnl_list time_wait; /* by entry, oldest first; rnl_mini.newer */
	uint32_t held;     /* received buffers kept by connections and the application */
	uint32_t held_max;
	uint32_t held_back;  /* blocks to look at for RNL_F_WND_HELD, 0: none */
	uint32_t relieve_at; /* the last that was, */
	uint32_t reclaim_at; /* and the last that was looked at for memory */
	struct rnl_policy *policies;
	struct rnl_ecn *ecn; /* by index of the connection */
	uint8_t *nexthop_port; /* port of each next hop */
	uint64_t challenge_second; /* RFC 5961 7: the second that these limits count for */
	uint8_t challenge_peer[RNL_CHALLENGE_PEERS]; /* left, by a keyed hash of the peer's address */
	uint8_t challenge_conn[RNL_CHALLENGE_CONNS]; /* given, by a keyed hash of the connection */
	uint32_t rst_left; /* RSTs for no connection left in that second */
	uint32_t time_wait_ms;
	struct rnl_secrets secrets;
	struct rnl_hostcache hosts;
	struct rnl_path *paths; /* by index of the connection: tcp/pmtu.h */
	uint64_t pmtu_us;       /* how long a path MTU counts; 0: for ever */
	struct rnl_prng prng;
	struct rnl_core_port ports[RNL_MAX_PORTS];
	struct rnl_counters counters;
	struct rnl_fastopen *fastopen; /* RNL_FASTOPEN_SLOTS */
	uint8_t old_tfo[16];    /* secrets.tfo before the last rotation */
	bool old_tfo_set;       /* there was one */
	uint8_t old_cookie[16]; /* secrets.cookie before the last rotation */
	uint64_t old_cookie_until_us;
};

static inline struct rnl_tcb *rnl_core_tcb(const struct rnl_core *core, uint32_t i)
{
	return rnl_pool_at(&core->conns, i);
}

static inline struct rnl_mini *rnl_core_mini(const struct rnl_core *core, uint32_t i)
{
	return rnl_pool_at(&core->minis, i);
}

static inline uint32_t rnl_core_mini_index(const struct rnl_core *core, const struct rnl_mini *mini)
{
	return (uint32_t)(mini - (const struct rnl_mini *)(const void *)core->minis.base);
}

static inline struct rnl_core_port *rnl_core_port(struct rnl_core *core, uint16_t nexthop)
{
	return &core->ports[core->nexthop_port[nexthop]];
}

/** @return the largest packet that a next hop's link takes, of the address's family. */
static inline uint16_t rnl_core_mtu(const struct rnl_core *core, uint16_t nexthop,
				    const struct rnl_addr *peer)
{
	const struct rnl_core_port *port = &core->ports[core->nexthop_port[nexthop]];

	return rnl_addr_is_v4(peer) ? port->mtu : port->mtu6;
}

static inline const struct rnl_policy *rnl_core_policy(const struct rnl_core *core,
						       const struct rnl_tcb *tcb)
{
	return &core->policies[tcb->policy];
}

/** @return the index of a connection block: a shift and a multiplication by a constant, no division. */
static inline uint32_t rnl_core_index(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	return (uint32_t)(tcb - (const struct rnl_tcb *)(const void *)core->conns.base);
}

/** @return what a connection with RNL_F_ECN keeps of it. */
static inline struct rnl_ecn *rnl_ecn_of(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	return &core->ecn[rnl_core_index(core, tcb)];
}

/** Appends a connection to a list by next_event. */
static inline void rnl_core_append(struct rnl_core *core, struct rnl_list *list,
				   struct rnl_tcb *tcb)
{
	uint32_t i = rnl_core_index(core, tcb);

	tcb->flags |= RNL_F_ON_EVENTS;
	tcb->next_event = RNL_NIL;
	if (list->head == RNL_NIL)
		list->head = i;
	else
		rnl_core_tcb(core, list->tail)->next_event = i;
	list->tail = i;
}

/** Notes events, and puts the connection on the event list. */
static inline void rnl_core_event(struct rnl_core *core, struct rnl_tcb *tcb, uint8_t events)
{
	tcb->events |= events;
	if (!(tcb->flags & RNL_F_ON_EVENTS))
		rnl_core_append(core, &core->events, tcb);
}

/** Puts a connection on the output list. */
static inline void rnl_core_output(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint32_t i;

	if (tcb->flags & RNL_F_ON_OUTPUT)
		return;
	tcb->flags |= RNL_F_ON_OUTPUT;
	tcb->next_output = RNL_NIL;
	i = rnl_core_index(core, tcb);
	if (core->output.head == RNL_NIL)
		core->output.head = i;
	else
		rnl_core_tcb(core, core->output.tail)->next_output = i;
	core->output.tail = i;
}

/** Arms the connection's timer for at_us unless it fires earlier already: the lazy way. */
static inline void rnl_core_timer(struct rnl_core *core, struct rnl_tcb *tcb, uint64_t at_us)
{
	if (tcb->timer.at_us == 0 || at_us < tcb->timer.at_us)
		rnl_wheel_arm(&core->conn_wheel, rnl_core_index(core, tcb), at_us);
}

/** @return what sndbuf needs, for packets towards a next hop. */
static inline struct rnl_sndbuf_env rnl_core_sndbuf_env(struct rnl_core *core, uint16_t nexthop)
{
	return (struct rnl_sndbuf_env){
	    .chunks = &core->chunks,
	    .pkt_pool = core->pkt_pool,
	    .hdr_pool = core->hdr_pool,
	    .zc = &core->zc,
	    .multi_segs = rnl_core_port(core, nexthop)->caps & RNL_CAP_TX_MULTI_SEGS,
	};
}

static inline void rnl_core_count(struct rnl_core *core, enum rnl_counter id)
{
	rnl_count(&core->counters, id);
}

#endif /* RNL_TCP_CORE_H */
