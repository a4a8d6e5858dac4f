/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One stack on a port that is two arrays, a peer that is a script, and the paths that are counted.
 * What is counted happens inside perf_counted() alone: the peer's work, the making of packets and
 * their freeing by the "driver" lie outside of it. See doc/perf-gate.md.
 */
#ifndef RNL_TEST_PERF_H
#define RNL_TEST_PERF_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "runnel.h"

#define PERF_CONNS 64
#define PERF_BURST 32
#define PERF_MSS 1448u
#define PERF_MSG 64u
#define PERF_PEER_PORT 10000
#define PERF_OWN_PORT 80
#define PERF_POLL_NS 20000
#define PERF_QUEUE 512

/** A kind of port. */
struct perf_variant {
	const char *name;
	uint32_t caps;
	bool eth;      /* Ethernet frames, a known neighbour */
	bool verified; /* received packets carry a good checksum verdict */
};

/** The other end of one connection. */
struct perf_peer {
	rnl_conn_t conn;
	uint32_t seq;   /* next to send */
	uint32_t ack;   /* next expected */
	uint32_t acked; /* last ACK sent */
	uint32_t tsecr; /* TSval received last */
	uint16_t wnd;   /* scaled by PERF_WSCALE, but in SYN */
	uint16_t dport; /* the stack's port */
};

#define PERF_WSCALE 7

struct perf_path;

struct perf_world {
	struct rnl_stack *st;
	const struct perf_variant *variant;
	const struct perf_path *path;
	uint64_t now_ns;
	unsigned int port;
	/* the peers of the operation under way: [first, first + n) */
	unsigned int first, n;
	/* the port */
	struct rte_mbuf *rx[PERF_QUEUE], *tx[PERF_QUEUE];
	unsigned int rx_n, tx_n;
	/* for checks */
	uint64_t sent_bytes; /* payload that the peers got */
	uint64_t closed, bad_end, told;
	uint64_t cycles; /* inside perf_counted() */
	struct perf_peer peers[PERF_CONNS];
	uint8_t message[16 * 1460];
};

/** What one path does. */
struct perf_path {
	const char *name;
	const char *text;
	const struct rnl_app_ops *ops;
	bool unconnected;                    /* no connections before the first operation */
	void (*start)(struct perf_world *w); /* once, for all peers; may be NULL */
	void (*op)(struct perf_world *w);    /* for the peers [first, first + n) */
	unsigned int sent_bytes;             /* payload octets that each operation sends */
	unsigned int closed;                 /* connections that each operation ends */
	unsigned int told;                   /* callbacks counted by each operation */
};

extern const struct perf_path perf_paths[];
extern const unsigned int perf_paths_count;

/* ---- world.c ---- */

/** Starts the EAL and makes the pools; ends the program on failure. */
void perf_env_init(void);
/** Makes the stack of a run and, if the path wants them, its established connections. */
void perf_world_open(struct perf_world *w, const struct perf_path *path,
                     const struct perf_variant *v);
/** Checks invariants and leaks, and frees it. */
void perf_world_close(struct perf_world *w);
/** Prints where every structure lies, for the classifier of cache lines. */
void perf_world_map(const struct perf_world *w);
/** Prints where the buffers lie. */
void perf_pools_map(void);
/** @return a buffer of the receive pool. */
struct rte_mbuf *perf_rx_buf(void);
/** Ends the program with a message. */
void perf_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- peer.c ---- */

/** Queues a segment of a peer for the next poll: flags, and len octets of payload. */
void perf_peer_send(struct perf_world *w, struct perf_peer *p, uint16_t flags, uint32_t len);
/** Lets the peers see what the stack sent, and frees it. */
void perf_peer_take(struct perf_world *w);
/** Handshake, begun by the peers [first, first + n). Not counted. */
void perf_peer_connect(struct perf_world *w);

/* ---- main.c ---- */

/** One counted step: the application's act (may be NULL), then rnl_poll(). The peers see the
 * result. */
void perf_step(struct perf_world *w, void (*act)(struct perf_world *w));
/** The same, not counted. */
void perf_step_free(struct perf_world *w, void (*act)(struct perf_world *w));

static inline struct perf_peer *perf_nth(struct perf_world *w, unsigned int i)
{
	return &w->peers[(w->first + i) % PERF_CONNS];
}

#endif /* RNL_TEST_PERF_H */
