/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one stack and its worker did within the measured time: counters and cycles, read at its
 * begin and its end.
 * Floor: 6 (application).
 */
#ifndef GEN_METER_H
#define GEN_METER_H

#include <stdint.h>

#include "runnel.h"

#define GEN_METER_COUNTERS 256

struct gen_meter {
	struct rnl_stack *st;
	const struct rnl_worker *worker; /**< NULL: not known, no cycles */
	unsigned int slot;               /**< of the stack in worker->stacks */
	struct {
		uint64_t counters[GEN_METER_COUNTERS];
		struct rnl_worker_stats stats[8];
	} at[2]; /**< begin and end */
};

enum { GEN_METER_BEGIN, GEN_METER_END };

/** Finds the stack among the workers. */
void gen_meter_init(struct gen_meter *m, struct rnl_stack *st, const struct rnl_worker *workers,
                    unsigned int n);
/** Reads all. */
void gen_meter_take(struct gen_meter *m, unsigned int when);
/** @return how much a counter grew between begin and end; 0 for an unknown name. */
uint64_t gen_meter_counter(const struct gen_meter *m, const char *name);
/** @return TSC cycles of this stack's polls that found work, between begin and end. */
uint64_t gen_meter_busy_cycles(const struct gen_meter *m);
/** @return the same of all stacks of the worker. */
uint64_t gen_meter_core_busy_cycles(const struct gen_meter *m);
/** @return all cycles of the worker between begin and end; 0: not known. */
uint64_t gen_meter_total_cycles(const struct gen_meter *m);

#endif /* GEN_METER_H */
