/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop - see loop.h. Floor 6.
 */
#include <stdbool.h>
#include <time.h>

#include <rte_lcore.h>

#include "loop.h"
#include "signals.h"

#define DEFAULT_TICK_US 10000

static void tick(void *ctx)
{
	struct rnl_loop *loop = ctx;

	if (loop->tick != NULL)
		loop->tick(loop->tick_ctx);
	if (rnl_signals_caught() != 0)
		rnl_loop_stop(loop);
}

static struct rnl_worker *main_worker(struct rnl_loop *loop)
{
	for (unsigned int i = 0; i < loop->nb_workers; i++)
		if (loop->workers[i].lcore == rte_get_main_lcore())
			return &loop->workers[i];
	return NULL;
}

/* The main lcore polls nothing: it sleeps between ticks, and signals wake it. */
static void idle_main(struct rnl_loop *loop, uint32_t tick_us)
{
	const struct timespec pause = {.tv_sec = tick_us / 1000000,
	                               .tv_nsec = (long)(tick_us % 1000000) * 1000};

	while (!loop->workers[0].stop) {
		tick(loop);
		if (!loop->workers[0].stop)
			nanosleep(&pause, NULL);
	}
}

int rnl_loop_run(struct rnl_loop *loop, struct rnl_error *err)
{
	uint32_t tick_us = loop->tick_us != 0 ? loop->tick_us : DEFAULT_TICK_US;
	struct rnl_worker *own = main_worker(loop);
	int rc;

	if (own != NULL) {
		own->tick = tick;
		own->tick_ctx = loop;
		own->tick_us = tick_us;
	}
	rc = rnl_run(loop->workers, loop->nb_workers, err);
	if (rc != 0)
		return rc;
	if (own != NULL)
		rnl_run_main(loop->workers, loop->nb_workers);
	else
		idle_main(loop, tick_us);
	rnl_wait(loop->workers, loop->nb_workers);
	return 0;
}

void rnl_loop_stop(struct rnl_loop *loop)
{
	rnl_stop(loop->workers, loop->nb_workers);
}
