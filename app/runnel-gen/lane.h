/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane: the load that one stack makes. It owns its connections, its schedule and its counts, and
 * shares nothing with other lanes but the few words of struct gen_run. It is driven by one stack
 * timer and by the callbacks of its connections; everything runs on the stack's worker.
 * lane.c: when (phases, timer). client.c: life of a connection. request.c: requests and answers.
 * bulk.c: streams.
 * Floor: 6 (application).
 */
#ifndef GEN_LANE_H
#define GEN_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"
#include "arrivals.h"
#include "meter.h"
#include "options.h"
#include "stats.h"
#include "tuples.h"

enum gen_phase {
	GEN_RAMP, /**< opening the lasting connections */
	GEN_WAIT, /**< for the other lanes */
	GEN_WARMUP,
	GEN_MEASURE,
	GEN_DRAIN, /**< no new requests but those that are overdue */
	GEN_CLOSE, /**< closing what is open */
	GEN_DONE,
};

enum gen_conn_state {
	GEN_CONN_FREE = 0,
	GEN_CONN_CONNECTING,
	GEN_CONN_READY,
	GEN_CONN_WAIT_FIN, /**< done; the server closes */
	GEN_CONN_CLOSING,  /**< closed or aborted by us */
};

/** What the lanes of a run share. Words are atomic; the rest is constant while they run. */
struct gen_run {
	const struct gen_options *opt;
	const uint8_t *request; /**< one request, as it is sent */
	uint32_t request_len;
	uint32_t nb_lanes;
	uint32_t lanes_ready, lanes_done;
	uint64_t start_ns; /**< of the warm-up; 0: not all lanes are ready */
	int stop;          /**< set to end early */
	int broken;        /**< a lane could not go on: `broken_why` says why */
	char broken_why[200];
};

/** One request under way. */
struct gen_request {
	uint64_t planned_ns, sent_ns;
};

/** One place for a connection. */
struct gen_conn {
	struct gen_lane *lane;
	rnl_conn_t h;
	uint64_t connect_ns; /**< when the open began */
	uint64_t rx_left;    /**< octets missing of the answer under way */
	uint64_t rx_pos;     /**< request: octet of the answer; bulk: octets received */
	uint64_t tx_left;    /**< octets of requests that the stack has not taken */
	uint32_t tx_pos;     /**< next octet of the request that is being sent */
	uint32_t served;     /**< answers on this connection */
	uint32_t head;       /**< oldest request, free-running */
	uint16_t inflight;   /**< requests begun and not answered */
	uint16_t listed;     /**< entries of this place in lane->ready */
	uint8_t state;       /**< enum gen_conn_state */
	bool in_body;        /**< http: the head of the answer was read */
	bool last;           /**< http: the server closes after this answer */
	bool counted_end;    /**< why it ends has been counted */
	bool was_up;         /**< a connection was established here before */
	bool waiting;        /**< it is in lane->retry */
	uint64_t acked;      /**< bulk: octets acknowledged at the last look */
};

/** Places with room for a request (cps: free places), oldest first. */
struct gen_ring {
	uint32_t *slot;
	uint32_t mask, head, tail;
};

/** Places that wait before they connect again. All wait equally long, so this is in order. */
struct gen_retry {
	uint32_t slot;
	uint64_t due_ns;
};

struct gen_lane {
	struct gen_run *run;
	const struct gen_options *opt;
	struct rnl_stack *st;
	uint32_t index;
	enum gen_phase phase;
	const struct rnl_app_ops *ops;
	struct gen_conn *conns;
	uint32_t nb_conns;
	struct gen_request *requests; /**< nb_conns x req_room */
	uint32_t req_room;            /**< power of two, at least opt->outstanding */
	struct gen_ring ready;
	struct gen_retry *retry; /**< nb_conns entries */
	uint32_t retry_head, retry_n;
	struct gen_tuples tuples;
	struct gen_arrivals arrivals;
	uint64_t win_start, win_end; /**< the measured time, ns; UINT64_MAX before it is known */
	uint64_t deadline;           /**< of the phase */
	uint64_t progress_ns;        /**< last time that a connection was established */
	uint64_t look_ns;            /**< bulk: when acknowledged octets are read next */
	uint32_t open, connecting;
	uint32_t were_up;          /**< connections of the ramp that were established */
	uint32_t to_prime;         /**< cps: connections of the ramp that are still to be opened */
	uint32_t cursor;           /**< ramp and close: next place */
	uint64_t inflight;         /**< requests of all connections */
	uint8_t *scratch;          /**< http: a head that came in pieces */
	struct gen_meter meter[2]; /**< own stack; the server's of --loop, if any */
	unsigned int nb_meters;
	struct gen_stats stats;
};

/** Whether a time lies within the measured time. */
static inline bool gen_in_window(const struct gen_lane *l, uint64_t ns)
{
	return ns >= l->win_start && ns < l->win_end;
}

/* lane.c */
/** Makes lane `index` of run->nb_lanes on a stack. @return 0, -ENOMEM and why. */
int gen_lane_init(struct gen_lane *l, struct gen_run *run, struct rnl_stack *st, uint32_t index,
                  struct rnl_error *err);
/** Frees it. The stack must be gone: its last callbacks still use the lane. */
void gen_lane_free(struct gen_lane *l);
/** Begins. From any thread. @return 0, -ENOSPC. */
int gen_lane_start(struct gen_lane *l);
/** Starts what is due on places that are ready. */
void gen_lane_dispatch(struct gen_lane *l, uint64_t now);
/** Gives up the whole run with a reason. */
void gen_lane_break(struct gen_lane *l, const char *why);

/* client.c */
/** Opens a connection at a place. @return whether it began; failures are counted. */
bool gen_client_connect(struct gen_conn *c, uint64_t now);
/**
 * Opens lasting connections, or for cps one from each client address, so that both ends know each
 * other's neighbours before it counts. One first, then ever more at once.
 */
void gen_client_ramp(struct gen_lane *l, uint64_t now);
/** Connects places whose wait is over. */
void gen_client_retry(struct gen_lane *l, uint64_t now);
/** Ends a connection as --close says. */
void gen_client_finish(struct gen_conn *c);
/** Ends a connection for a counted reason. */
void gen_client_fail(struct gen_conn *c, enum gen_failure f);
/** Closes (or aborts) up to n open connections. */
void gen_client_close_some(struct gen_lane *l, uint32_t n);
/** Puts a place into the ready ring, unless it is there often enough. */
void gen_client_list(struct gen_conn *c);
/** @return the next place that can take a request now, or NULL. */
struct gen_conn *gen_client_unlist(struct gen_lane *l);
/** A place whose connection did not even begin. */
void gen_client_not_begun(struct gen_conn *c, uint64_t now);
/** The server did not close in time. */
void gen_client_timer(struct rnl_stack *st, rnl_conn_t h, void *ctx);
void gen_client_connected(struct rnl_stack *st, rnl_conn_t h, void *ctx);
void gen_client_peer_closed(struct rnl_stack *st, rnl_conn_t h, void *ctx);
void gen_client_closed(struct rnl_stack *st, rnl_conn_t h, void *ctx, enum rnl_reason reason);

/* request.c */
extern const struct rnl_app_ops gen_raw_ops, gen_http_ops;
/** Begins a request (cps: a connection) on a place that can take it. */
void gen_request_start(struct gen_conn *c, uint64_t planned, uint64_t now);
/** The connection is there: cps sends its request, others offer their room. */
void gen_request_ready(struct gen_conn *c, uint64_t now);
/** The answer is whole. */
void gen_request_complete(struct gen_conn *c, uint64_t now);
/** Counts the requests that a connection takes down with it. */
void gen_request_lost(struct gen_conn *c);

/* bulk.c */
extern const struct rnl_app_ops gen_bulk_ops;
/** The connection is there: begins to send if the mode does. */
void gen_bulk_ready(struct gen_conn *c);
/** Reads what was acknowledged since the last look. */
void gen_bulk_look(struct gen_lane *l, uint64_t now);

#endif /* GEN_LANE_H */
