/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole of one stack, and what the files of floor 4 offer each other. Applications see runnel.h.
 * Floor 4.
 */
#ifndef RNL_STACK_STACK_H
#define RNL_STACK_STACK_H

#include <rte_ring.h>

#include "stack/flow.h"
#include "stack/fragments.h"
#include "stack/ip6.h"
#include "stack/listen.h"
#include "stack/neigh.h"
#include "stack/route.h"
#include "tcp/tcp.h"

#define RNL_BURST_MAX 256
#define RNL_POLICY_MAX 4096
#define RNL_TIMER_MAX 4096
#define RNL_POST_MAX 1024
#define RNL_LOG_REPORTS 16

struct rnl_stack_port {
	const struct rnl_port_ops *ops;
	void *ctx;
	uint8_t mac[6];
	uint16_t vlan;
	bool raw_ip;
};

/** A timer of the stack; lives in a pool. */
struct rnl_stack_timer {
	uint32_t gen;
	uint32_t next_free;
	struct rnl_wnode node;
	rnl_timer_fn fn;
	void *arg;
};

/** A posted call, as it travels through the ring. */
struct rnl_posted {
	void (*fn)(struct rnl_stack *st, void *arg);
	void *arg;
};

/** A reserved piece of memory. */
struct rnl_mem {
	void *base;
	size_t bytes;
};

enum rnl_mem_id {
	RNL_MEM_CONNS,
	RNL_MEM_WORKS,
	RNL_MEM_RANGES,
	RNL_MEM_MINIS,
	RNL_MEM_CHUNKS,
	RNL_MEM_FLOW,
	RNL_MEM_LISTEN,
	RNL_MEM_FASTOPEN,
	RNL_MEM_NEIGH,
	RNL_MEM_ECN,
	RNL_MEM_NEXTHOP,
	RNL_MEM_POLICIES,
	RNL_MEM_TIMERS,
	RNL_MEM_POST,
	RNL_MEM_HOSTS,
	RNL_MEM_PATHS,
	RNL_MEM_TXQ, /* one for each port from here on */
	RNL_MEM_COUNT = RNL_MEM_TXQ + RNL_MAX_PORTS
};

struct rnl_stack {
	struct rnl_core core; /* must stay first */
	struct rnl_flow flow;
	struct rnl_listeners listeners;
	struct rnl_neigh neigh;
	struct rnl_ip6 ip6;
	struct rnl_fragments fragments;
	uint64_t now_ns;
	unsigned int nports;
	uint16_t burst;
	uint16_t in_count; /* packets handed in by rnl_input() */
	uint32_t policy_count; /* highest policy in use, plus 1 */
	uint32_t next_port;    /* RFC 6056 3.3.3: next_ephemeral */
	struct rnl_tcb *receiving; /* whose `received` runs now, NULL: none */
	bool close_pending;        /* it called rnl_close() meanwhile */
	bool abort_pending;        /* it called rnl_abort() meanwhile */
	bool destroying;           /* rnl_stack_destroy() was called: no new connections */
	int logtype;
	uint64_t report_at_us;              /* when the counters are looked at for the log */
	uint64_t reported[RNL_LOG_REPORTS]; /* what they were */
	struct rnl_pool timers;
	struct rnl_wheel timer_wheel;
	struct rte_ring *post;
	struct rnl_stack_config cfg;
	struct rnl_stack_port ports[RNL_MAX_PORTS];
	struct rnl_mem mem[RNL_MEM_COUNT];
	struct rnl_routes routes;
	struct rte_mbuf *rx[RNL_BURST_MAX];
	struct rnl_seg segs[RNL_BURST_MAX];
	struct rte_mbuf *in[RNL_BURST_MAX];
	uint8_t in_port[RNL_BURST_MAX];
};

/* ---- poll.c ---- */

/** Sets the time that everything below sees. */
void rnl_poll_clock(struct rnl_stack *st, uint64_t now_ns);

/* ---- receive.c: stages receive, parse, look up, TCP ---- */

/** Handles a burst of one port; takes the packets. */
void rnl_receive_burst(struct rnl_stack *st, unsigned int port, struct rte_mbuf **m, unsigned int n);

/* ---- path.c: ICMP errors ---- */

struct rnl_icmp;
struct rnl_icmp_error;

/** Lets the connection that an error is about know; counts what became of it. Any family. */
void rnl_path_error(struct rnl_stack *st, const struct rnl_icmp_error *e);
/** Handles an ICMP message if it is an error. Does not take m. @return whether it is one. */
bool rnl_path_icmp(struct rnl_stack *st, const struct rte_mbuf *m, const struct rnl_ip *ip,
		   const struct rnl_icmp *msg);

/* ---- icmp.c ---- */

/** An ICMP or ICMPv6 packet for this stack, of its own family. Takes m. */
void rnl_icmp_input(struct rnl_stack *st, unsigned int port, struct rte_mbuf *m,
		    const struct rnl_ip *ip);

/* ---- rehome.c ---- */

/** Lets every IPv6 connection find its next hop anew: the default route changed. */
void rnl_rehome_run(struct rnl_stack *st);

/* ---- passive.c: segments without a full block ---- */

/** A segment that hit nothing in the flow table. Takes seg->m. */
void rnl_passive_miss(struct rnl_stack *st, struct rnl_seg *seg);
/** A segment for a mini block. Takes seg->m. */
void rnl_passive_mini(struct rnl_stack *st, uint32_t mini, struct rnl_seg *seg);
/** A mini block's timer fired. */
void rnl_passive_expire(struct rnl_stack *st, uint32_t mini);
/** @return a mini block; if need be the oldest in TIME-WAIT gives way (counted). RNL_NIL: none. */
uint32_t rnl_passive_get(struct rnl_stack *st);
/** Drops the half-open connections of a listener. */
void rnl_passive_forget(struct rnl_stack *st, rnl_listener_t id);
/** Takes a mini block out of everything and frees it. */
void rnl_passive_drop(struct rnl_stack *st, uint32_t mini);

/* ---- events.c: the application stage ---- */

/** Tells applications what happened. @return events told. */
unsigned int rnl_events_run(struct rnl_stack *st);
/** Ends everything for rnl_stack_destroy(). @return false: zero-copy memory is still read. */
bool rnl_events_destroy(struct rnl_stack *st);
/** rnl_abort() on a block. */
void rnl_events_abort(struct rnl_stack *st, struct rnl_tcb *tcb);
/** rnl_close() on a block. */
void rnl_events_close(struct rnl_stack *st, struct rnl_tcb *tcb);
/** Half-close on a block: FIN after what is queued. */
void rnl_events_shutdown(struct rnl_stack *st, struct rnl_tcb *tcb);
/** Frees a block that left every table but the output list. */
void rnl_events_free(struct rnl_stack *st, struct rnl_tcb *tcb);

/* ---- transmit.c: output and transmit stages ---- */

/** Lets the connections on the output list send. @return how many did something. */
unsigned int rnl_transmit_output(struct rnl_stack *st);
/** Resolves, writes link headers, and offers everything to the ports. @return packets they took. */
unsigned int rnl_transmit_drain(struct rnl_stack *st);

/* ---- log.c ---- */

void rnl_log_init(struct rnl_stack *st);
/** Says what happened since the last time that somebody should act on. */
void rnl_log_report(struct rnl_stack *st);

/* ---- policy.c ---- */

/** Interns callbacks and options, defaults filled in; takes a reference. @return its index, -EINVAL,
 * -ENOSPC. */
int rnl_policy_get(struct rnl_stack *st, const struct rnl_app_ops *ops,
		   const struct rnl_conn_opts *opts, struct rnl_error *err);
void rnl_policy_ref(struct rnl_stack *st, uint16_t policy);
void rnl_policy_put(struct rnl_stack *st, uint16_t policy);

/* ---- inspect.c ---- */

/** Verifies every invariant of every connection. @return NULL, or which one is broken. Slow. */
const char *rnl_stack_check(const struct rnl_stack *st);

/* ---- handles ---- */

static inline rnl_conn_t rnl_handle(const struct rnl_stack *st, const struct rnl_tcb *tcb)
{
	return (uint64_t)st->cfg.id << 56 | (uint64_t)tcb->gen << 32 |
	       rnl_core_index(&st->core, tcb);
}

/** Makes every handle of the block stale. */
static inline void rnl_handle_retire(struct rnl_tcb *tcb)
{
	tcb->gen = (tcb->gen + 1) & 0xffffff;
	if (tcb->gen == 0)
		tcb->gen = 1;
}

/** @return the block of a handle, or NULL when it is stale. */
static inline struct rnl_tcb *rnl_handle_tcb(const struct rnl_stack *st, rnl_conn_t c)
{
	uint32_t i = (uint32_t)c;
	struct rnl_tcb *tcb;

	if (i == RNL_NIL || i >= st->core.conns.fresh || c >> 56 != st->cfg.id)
		return NULL;
	tcb = rnl_core_tcb(&st->core, i);
	return tcb->gen == (c >> 32 & 0xffffff) ? tcb : NULL;
}

/** Formats err, if the caller wants it. @return code. */
int rnl_fail(struct rnl_error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* RNL_STACK_STACK_H */
