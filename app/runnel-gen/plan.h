/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a load possible? Arithmetic only: client addresses x client ports x server endpoints against
 * the connections that are open at once and those that TIME-WAIT still holds (RFC 9293 3.10.8,
 * RFC 6191). A load that cannot be is refused before it starts, with the sum and a way out.
 * Floor: 6 (application). Pure.
 */
#ifndef GEN_PLAN_H
#define GEN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Who sends the first FIN (or RST), and so who keeps TIME-WAIT. */
enum gen_close { GEN_CLOSE_CLIENT, GEN_CLOSE_SERVER, GEN_CLOSE_RST };

struct gen_plan_in {
	uint64_t client_addrs;      /**< number of client addresses */
	uint64_t client_ports;      /**< ports of each */
	uint64_t server_endpoints;  /**< server addresses x ports */
	uint64_t connections;       /**< open at once, at most */
	bool short_lived;           /**< connections end and are made anew during the run */
	uint64_t requests_per_conn; /**< of a short-lived connection; at least 1 */
	uint64_t rate;              /**< requests per second; 0: closed loop */
	uint64_t run_ms;            /**< how long new connections are made */
	uint64_t time_wait_ms;      /**< how long a tuple is held after closing */
	enum gen_close close;
	uint64_t max_tuples; /**< most connections that memory may hold, open or TIME-WAIT */
};

struct gen_plan {
	uint64_t tuples;  /**< what there is */
	uint64_t hold_ms; /**< how long a closed connection holds its tuple within this run */
	uint64_t needed;  /**< what the load needs; closed loop: connections */
	uint64_t
	    conns_per_s; /**< new connections per second that the rate asks for; 0: no target */
	uint64_t sustained_per_s; /**< new connections per second that the tuples allow; UINT64_MAX:
	                             any */
	uint64_t time_waits; /**< TIME-WAIT blocks that the client's stack must have room for */
	bool feasible;
};

/** Does the sum. Never fails; out->feasible tells. */
void gen_plan_make(const struct gen_plan_in *in, struct gen_plan *out);
/**
 * Writes the refusal of an infeasible plan as one line: the sum, and the changes of which each
 * alone makes it feasible. @return its length.
 */
size_t gen_plan_explain(const struct gen_plan_in *in, const struct gen_plan *p, char *buf,
                        size_t len);

#endif /* GEN_PLAN_H */
