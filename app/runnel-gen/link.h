/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the load runs on: the client's devices and stacks and, with --loop, a ring with the server's
 * stacks and engine behind it. Which lcore polls what.
 * Floor: 6 (application).
 */
#ifndef GEN_LINK_H
#define GEN_LINK_H

#include <stdbool.h>

#include "runnel.h"
#include "engine.h"
#include "options.h"
#include "topology.h"

#define GEN_MAX_LANES 16

struct gen_link {
	struct rnl_topo client, server; /**< server: with --loop */
	bool has_client, has_server, has_ring, has_service;
	struct rnl_service_run runs[GEN_MAX_LANES];
	unsigned int nb_runs;
	struct rnl_worker workers[2 * GEN_MAX_LANES];
	unsigned int nb_workers;
};

/** Opens all. Needs the EAL. @return 0, or a negative errno and why; then nothing is left open. */
int gen_link_open(struct gen_link *k, struct gen_options *o, struct rnl_error *err);
/** Stops nothing: the workers must have stopped. Closes all. */
void gen_link_close(struct gen_link *k, struct gen_options *o);

#endif /* GEN_LINK_H */
