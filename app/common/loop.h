/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop - runs the workers of a program until they are stopped, and its console or statistics beside
 * them: on the main lcore, or from that lcore's worker when it has one (-l 0). Floor 6.
 */
#ifndef RNL_APP_LOOP_H
#define RNL_APP_LOOP_H

#include <stdint.h>

#include "runnel.h"

struct rnl_loop {
	struct rnl_worker *workers;
	unsigned int nb_workers;
	/** Called about every tick_us on the main thread, whether or not it also polls. */
	void (*tick)(void *ctx);
	void *tick_ctx;
	uint32_t tick_us; /**< 0: 10000 */
};

/**
 * Starts the workers and returns when rnl_loop_stop() was called or a signal that
 * rnl_signals_catch() watches came in, and all workers have stopped.
 * @return 0, or a negative errno of rnl_run().
 */
int rnl_loop_run(struct rnl_loop *loop, struct rnl_error *err);

/** Asks for the end. From any thread, and from tick. */
void rnl_loop_stop(struct rnl_loop *loop);

#endif /* RNL_APP_LOOP_H */
