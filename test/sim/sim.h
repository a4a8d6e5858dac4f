/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim - whole stacks on an Ethernet that loses, doubles, delays, damages and re-chains, driven by
 * one seed and a clock that jumps. What its files share; doc/testing.md tells how to use it.
 *
 * Everything random comes from one generator, in one order, so a seed reproduces every octet.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runnel.h"
#include "base/prng.h"

#define SIM_NODES_MAX 4
#define SIM_CONNS_MAX 24
#define SIM_PORT 7
#define SIM_FRAME_MAX 1600
#define SIM_MS UINT64_C(1000000)
#define SIM_S UINT64_C(1000000000)
#define SIM_COUNTERS_MAX 512

struct world;
struct rte_mbuf;

/* One direction of a node's cable, towards the switch. */
struct link_plan {
	uint64_t delay_ns, jitter_ns;
	uint64_t ns_per_octet_x1024;                  /* rate; 0: without limit */
	uint32_t queue;                               /* frames that may wait for the rate */
	uint32_t loss, dup, corrupt, replay, reorder; /* per million */
	uint32_t mark;         /* per million: CE on ECT packets */
	uint32_t bleach;       /* per million: the ECN field cleared, or set to anything */
	uint32_t refuse;                              /* per million: tx takes fewer than offered */
	uint64_t late_free_ns; /* the driver keeps what it sent for so long */
	uint32_t frag_octets;  /* larger packets are cut into fragments of so many; 0: none is */
	bool by_reference;     /* as net_ring: the receiver gets the very mbuf */
};

/* What one seed means. */
struct scenario {
	unsigned int nodes, conns;
	bool ip6;
	bool raw;      /* ports of bare IP */
	uint32_t ipv6; /* enum rnl_port_ipv6 of each port */
	uint64_t quiet_ns; /* before anything begins: addresses are being checked */
	uint16_t vlan;
	uint32_t rechain_pct, pad_pct;
	bool verdicts;                  /* received packets carry checksum verdicts */
	bool noise;                     /* frames from strangers */
	bool clean;                     /* nothing in it may end a connection but its users */
	bool stop_early;                /* stacks are destroyed in mid-flight */
	bool wait_time_wait;            /* runs until the last TIME-WAIT is over */
	bool starve;                    /* buffers are taken away for a while */
	bool picky;                     /* listeners refuse some */
	bool small_pools;               /* connections and working sets are few */
	uint8_t syncookies;             /* of every stack */
	bool meddle;                    /* users call about anything on anybody, also on who is gone */
	uint64_t cut_at_ns, cut_len_ns; /* node 0 is cut off; 0: never */
	uint64_t stop_at_ns;
	uint64_t poll_gap_ns; /* between two polls of a node */
	struct link_plan link[SIM_NODES_MAX];
	uint32_t caps[SIM_NODES_MAX];
	struct rnl_conn_opts opts[SIM_NODES_MAX];
};

enum send_mode { SEND_COPY, SEND_ZC, SEND_PULL, SEND_MODES };

/* What one end of a connection does. */
struct side_plan {
	uint64_t length;      /* octets that it sends */
	uint64_t abort_at;    /* sent octets after which it aborts; UINT64_MAX: never */
	uint64_t close_at;    /* received octets after which it closes at once; UINT64_MAX: never */
	uint64_t fail_at;     /* produced octets after which its producer fails */
	uint32_t chunk;       /* largest write */
	uint32_t pause_pct;   /* chance of a pause after a write */
	uint32_t lazy_pct;    /* chance of leaving received data */
	uint32_t hold_pct;    /* chance of keeping a received buffer */
	uint64_t pause_ns;    /* longest pause */
	uint8_t modes;        /* bits of enum send_mode */
	bool close_when_done; /* close instead of shutdown, once all is received */
	bool wait_for_peer;   /* begins to send when the peer's data is there */
};

struct held {
	struct side *side;
	struct rte_mbuf *buf;
	const uint8_t *data;
	uint32_t len;
	uint64_t off; /* stream offset of data */
	bool used;
};

struct side {
	struct world *w;
	struct conn *conn;
	unsigned int which; /* 0 client, 1 server */
	unsigned int node;
	struct side_plan plan;
	rnl_conn_t handle;
	bool open; /* connect succeeded, or accepted */
	bool up;   /* the handshake is done */
	bool closed, peer_closed, shut, closing, aborted, paused, resume_due;
	enum rnl_reason reason;
	uint64_t sent, received;
	unsigned int owed; /* releases that must still come */
	uint64_t produced_max;
	struct held held[4];
};

struct conn {
	unsigned int id;
	uint32_t key; /* of its octets */
	bool gave_up; /* connect said no, as it may */
	bool clean;
	int reuse_of; /* connection whose ports it takes again; -1: none */
	uint64_t start_ns;
	uint64_t opened;        /* order of opening */
	struct rnl_tuple tuple; /* as the client sees it */
	struct side s[2];
};

struct event {
	uint64_t at_ns;
	uint64_t order;
	enum { EV_FRAME, EV_FREE, EV_START, EV_CUT, EV_HEAL, EV_STARVE, EV_FEED, EV_NOISE } kind;
	unsigned int node;  /* EV_FRAME: receiver */
	struct rte_mbuf *m; /* EV_FRAME by reference, EV_FREE */
	uint8_t *frame;     /* EV_FRAME by copy */
	uint32_t len;
	bool damaged, bare; /* bare: not padded to the least length of a frame */
	unsigned int arg;
};

struct node {
	struct world *w;
	unsigned int id;
	struct rnl_stack *stack;
	unsigned int port;
	uint8_t mac[6];
	struct rnl_addr addr;
	uint64_t last_poll_ns, wake_ns, backoff_ns;
	uint64_t line_free_ns; /* when the cable is free again */
	uint32_t line_queue;
	bool cut;
	uint64_t stall_until_ns; /* until then the port takes nothing */
	struct event *rx; /* frames that wait for a poll: rx[rx_head, rx_len) */
	size_t rx_head, rx_len, rx_cap;
};

/* Where the headers of a frame stand; l4 == NULL: no TCP. */
struct layout {
	uint8_t *l3, *l4;
	uint32_t l3_len, l4_len;
	bool ip4;
};

struct truth;

struct world {
	uint64_t seed;
	struct rnl_prng prng;
	struct scenario sc;
	uint64_t now_ns;
	uint64_t hash;                         /* of every frame, with its time */
	uint32_t frag_id;                      /* of the next packet that is cut */
	uint64_t frames, polls, order, octets; /* octets: delivered to users */
	unsigned int delivered_conns;
	unsigned int open_sides; /* that `closed` is still owed to */
	unsigned int conns;      /* of conn[] in use */
	bool well;               /* the troubles are over */
	bool stopping;           /* the stacks are being destroyed */
	bool failed;
	char why[512];
	struct node node[SIM_NODES_MAX];
	struct conn conn[SIM_CONNS_MAX + 1]; /* the last is the probe */
	struct truth *truth; /* what reached whom */
	struct event *heap;
	size_t heap_len, heap_cap;
	struct rte_mbuf *stolen[8192];
	unsigned int nstolen;
	FILE *pcap;
	bool verbose;
	uint64_t counters[SIM_COUNTERS_MAX];
};

/* nic.c */
struct layout nic_layout(const uint8_t *frame, uint32_t len);

/* truth.c: what SACK says. A frame reaches a stack. */
void truth_arrived(struct world *w, const uint8_t *frame, uint32_t len);
/* @return what is wrong with the SACK blocks of a frame that a stack sent, or NULL. */
const char *truth_check(struct world *w, const uint8_t *frame, uint32_t len);
void truth_free(struct world *w);

/* world.c: one seed from begin to end. @return whether all was well; w->why tells. */
bool sim_run(struct world *w, uint64_t seed);
void sim_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline uint32_t sim_below(struct world *w, uint32_t n)
{
	return n == 0 ? 0 : rnl_prng_below(&w->prng, n);
}
/* @return true with a chance of n in a million. */
static inline bool sim_chance(struct world *w, uint32_t per_million)
{
	return per_million != 0 && sim_below(w, 1000000) < per_million;
}
static inline bool sim_pct(struct world *w, uint32_t pct)
{
	return sim_below(w, 100) < pct;
}

/* scenario.c: draws what a seed means. */
void scenario_draw(struct world *w);
void conn_draw(struct world *w, unsigned int id);

/* heap.c: events in order of time, then of making. */
void heap_push(struct world *w, const struct event *e);
bool heap_pop(struct world *w, uint64_t until_ns, struct event *out);
uint64_t heap_next(const struct world *w);
void heap_clear(struct world *w);
void event_free(struct event *e);

/* node.c: stacks and their polling. Pools are made once and shared by all seeds. */
int node_pools_init(void);
bool node_create(struct world *w, unsigned int id);
void node_destroy(struct world *w, unsigned int id);
void node_poll(struct world *w, struct node *n);
void node_steal(struct world *w);
void node_feed(struct world *w);
/* @return buffers that never came back. */
unsigned int node_pools_leak(void);
struct rte_mempool *node_pkt_pool(unsigned int id);

/* wire.c: the Ethernet. */
extern const struct rnl_port_ops wire_port_ops;
void wire_deliver(struct world *w, const struct event *e);
void wire_clear(struct node *n);
/* An event for a frame, by copy. */
struct event wire_event(struct world *w, unsigned int to, uint64_t at_ns, const uint8_t *frame,
                        uint32_t len);
/* cut.c: sends a frame in fragments, if the cable of n makes some of it. @return whether it does. */
bool cut_send(struct node *n, unsigned int to, uint64_t at_ns, const uint8_t *frame, uint32_t len);
/* Sends a frame. m: the mbuf that it is, or NULL. @return whether m now belongs to the wire. */
typedef bool (*wire_emit_fn)(struct node *n, const uint8_t *frame, uint32_t len,
                             struct rte_mbuf *m);
bool wire_emit(struct node *n, const uint8_t *frame, uint32_t len, struct rte_mbuf *m);

/* nic.c: what a device does with a packet: offloads, and received packets as mbufs of any shape. */
/* Sends what m asks for. @return whether m now belongs to the wire. */
bool nic_send(struct node *n, struct rte_mbuf *m, wire_emit_fn emit);
/* @return the packet; NULL: no buffer. e's memory stays the caller's, but for e->m. */
struct rte_mbuf *nic_receive(struct node *n, const struct event *e);
/* @return NULL, or what is wrong with a frame that a stack sent. */
const char *nic_check_frame(const uint8_t *frame, uint32_t len, uint16_t vlan);

/* noise.c: frames of strangers. */
void noise_inject(struct world *w);

/* app.c: the users of the connections. */
extern const struct rnl_app_ops app_ops;
void app_start(struct world *w, struct conn *c);
bool app_start_due(const struct world *w, const struct conn *c);
void app_release_held(struct world *w);
void app_send(struct side *s);
/* send.c: copy, zero-copy and pull. @return octets taken. */
uint64_t send_some(struct side *s, uint32_t len);
uint8_t send_octet(const struct side *s, uint64_t off);
/* check.c */
void check_octets(struct side *to, const uint8_t *data, uint32_t len, uint64_t off);
void check_closed(struct side *s);
void check_end(struct world *w);
void check_usage(struct world *w);

/* pcap.c */
FILE *pcap_open(const char *file);
void pcap_write(FILE *f, uint64_t at_ns, const uint8_t *frame, uint32_t len);

#endif /* SIM_H */
