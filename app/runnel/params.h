/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of runnel, after the EAL's "--". Read before the EAL starts, so that a wrong
 * option costs nothing. Floor 6.
 */
#ifndef RNL_PARAMS_H
#define RNL_PARAMS_H

#include "engine.h"
#include "topology.h"

#define RNL_PARAMS_MAX_SERVICES 32

struct rnl_params {
	struct rnl_topo_opts topo;
	struct rnl_service services[RNL_PARAMS_MAX_SERVICES];
	unsigned int nb_services;
	bool interactive;         /**< -i: console */
	bool auto_start;          /**< -a: listen at once, also with -i */
	uint64_t stats_period_ns; /**< 0: none */
	const char *cmdline_file; /**< commands to run at start; NULL: none */
};

/** Reads argv[1..]. @return 0, -EINVAL and the like with err; nothing is left to free then. */
int rnl_params_parse(int argc, char *argv[], struct rnl_params *out, struct rnl_error *err);
/** Frees what the services hold. */
void rnl_params_free(struct rnl_params *p);
/** Prints how to use the program. */
void rnl_params_usage(void);

#endif /* RNL_PARAMS_H */
