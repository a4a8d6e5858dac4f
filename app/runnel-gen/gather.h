/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts a finished run into a struct gen_result: host, link, counters, counts of all lanes.
 * Floor: 6 (application).
 */
#ifndef GEN_GATHER_H
#define GEN_GATHER_H

#include "lane.h"
#include "link.h"
#include "plan.h"
#include "result.h"

/** Texts and tables that a result points into. */
struct gen_gather {
	struct gen_stats stats;
	struct gen_counter counters[2][GEN_METER_COUNTERS];
	char command_line[2048], server[96], clients[160], kernel[160], cpu[128], started_at[32];
	char version[32], dpdk[64], lcores[2][160], device[2][64], offloads[2][160], driver[2][64];
};

/** What is known before the run: time, command line. */
void gen_gather_begin(struct gen_gather *g, int argc, char *const argv[]);
/** All the rest, while the link is still open. */
void gen_gather_result(struct gen_gather *g, const struct gen_link *k, const struct gen_lane *lanes,
                       const struct gen_plan *plan, struct gen_result *r);

#endif /* GEN_GATHER_H */
