/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of runnel-gen after "--", checked as far as it can be without the EAL.
 * Floor: 6 (application).
 */
#ifndef GEN_OPTIONS_H
#define GEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"
#include "args.h"
#include "engine.h"
#include "topology.h"
#include "plan.h"
#include "result.h"

enum gen_mode { GEN_RR, GEN_CPS, GEN_TX, GEN_RX, GEN_BIDIR, GEN_HTTP, GEN_MODES };

struct gen_options {
	enum gen_mode mode;
	bool http; /**< requests are GET path */
	const char *path;
	uint32_t connections;
	uint32_t outstanding; /**< requests that a connection may have unanswered */
	uint32_t request_bytes, response_bytes; /**< without http */
	uint64_t requests_per_conn;             /**< 0: unlimited */
	enum gen_close close;
	uint64_t rate; /**< 0: closed loop */
	uint64_t duration_ns, warmup_ns, drain_ns, connect_timeout_ns;
	bool verify;
	struct rnl_addr server;
	struct rnl_port_range server_ports;
	struct rnl_port_range client_ports;
	struct rnl_addr_range clients;
	uint8_t client_prefix_len;
	bool loop;                  /**< --loop: the server runs here */
	bool loop_shared;           /**< --loop-shared: both ends of a lane on one core */
	struct rnl_service service; /**< of --loop */
	struct gen_criteria criteria;
	const char *json; /**< NULL: none */
	bool quiet;       /**< no live lines */
	bool help;
	uint64_t seed;
	struct rnl_topo_opts topo; /**< of the client's side */
	uint32_t server_minis;     /**< --loop: half-open and TIME-WAIT ones of each server stack; 0: as topo says */
};

/** @return "rr", "cps", "tx", "rx", "bidir" or "http". */
const char *gen_mode_text(enum gen_mode m);
/** @return whether the mode streams and has no requests. */
static inline bool gen_mode_bulk(enum gen_mode m)
{
	return m == GEN_TX || m == GEN_RX || m == GEN_BIDIR;
}
/** @return whether connections end and are made anew during the run. */
static inline bool gen_short_lived(const struct gen_options *o)
{
	return o->requests_per_conn != 0;
}

/** Reads argv[1..]. @return 0, or -EINVAL and one line. */
int gen_options_parse(struct gen_options *o, int argc, char *argv[], struct rnl_error *err);
/** The sum of plan.h for these options. */
void gen_options_plan(const struct gen_options *o, struct gen_plan_in *in);

/** Help: what stands above rnl_topo_usage. */
extern const char gen_usage[];
/** What stands below the options of the topology. */
extern const char gen_usage_examples[];

#endif /* GEN_OPTIONS_H */
