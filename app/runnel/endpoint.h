/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running endpoint: the topology, each service on each stack, the workers.
 * Owns: their order of birth and death, reaching a stack from the main thread, sums of counters.
 * Refuses: printing. Floor 6.
 */
#ifndef RNL_ENDPOINT_H
#define RNL_ENDPOINT_H

#include "loop.h"
#include "params.h"

struct rnl_endpoint {
	struct rnl_params *params;
	struct rnl_topo topo;
	/* run[stack * nb_services + service] */
	struct rnl_service_run *runs;
	unsigned int nb_runs;
	struct rnl_worker workers[RNL_TOPO_MAX_STACKS];
	unsigned int nb_workers;
	struct rnl_loop loop;
	bool running;   /**< workers poll */
	bool listening; /**< between start and stop */
	uint64_t started_ns;
};

/** Prepares services, opens devices and stacks. Needs the EAL. @return 0, negative errno with err.
 */
int rnl_endpoint_open(struct rnl_endpoint *e, struct rnl_params *params, struct rnl_error *err);
/** Frees everything. Safe after a failed open. */
void rnl_endpoint_close(struct rnl_endpoint *e);

/** Listens with every service on every stack. Main thread. @return 0, negative errno with err. */
int rnl_endpoint_start(struct rnl_endpoint *e, struct rnl_error *err);
/** Stops listening; connections live on. Main thread. @return 0, -ETIMEDOUT with err. */
int rnl_endpoint_stop(struct rnl_endpoint *e, struct rnl_error *err);

/**
 * Has every service use a congestion control for the connections that come from now on. Main
 * thread. @return 0, negative errno with err.
 */
int rnl_endpoint_set_cc(struct rnl_endpoint *e, const struct rnl_cc_ops *cc, struct rnl_error *err);

/**
 * Runs fn on the worker of a stack and waits for it. Main thread.
 * @return 0, or -ETIMEDOUT: the worker does not answer (fn may still run; arg must then stay).
 */
int rnl_endpoint_on_stack(struct rnl_endpoint *e, unsigned int stack,
                          void (*fn)(struct rnl_stack *st, void *arg), void *arg);

/** Sums the first n stack counters over all stacks. */
void rnl_endpoint_counters(const struct rnl_endpoint *e, uint64_t *out, unsigned int n);
/** Sums an engine counter over the stacks; service UINT_MAX: over all services. */
uint64_t rnl_endpoint_engine_counter(const struct rnl_endpoint *e, unsigned int service,
                                     enum rnl_engine_counter i);

#endif /* RNL_ENDPOINT_H */
