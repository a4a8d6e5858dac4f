/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker - the loop of those who have none: polls the stacks of an lcore in turn, accounts the
 * cycles, calls the tick. Refuses to sleep: what an idle worker does is its owner's choice.
 * Floor 5.
 */
#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "runnel.h"
#include "clock.h"
#include "err.h"

/* What the loop keeps beside the worker. */
struct loop {
	struct rnl_clock clock;
	uint64_t begin;      /* TSC */
	uint64_t at;         /* TSC of the last look */
	uint64_t tick_every; /* cycles, 0: no tick */
	uint64_t tick_at;    /* TSC */
};

static inline void add(uint64_t *counter, uint64_t n)
{
	/* One writer; readers of other threads must never see half a store. */
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static void account(struct rnl_worker_stats *s, const struct loop *l, uint64_t now,
                    unsigned int work)
{
	add(&s->polls, 1);
	if (work != 0) {
		add(&s->busy_polls, 1);
		add(&s->busy_cycles, now - l->at);
	}
	__atomic_store_n(&s->total_cycles, now - l->begin, __ATOMIC_RELAXED);
}

static inline bool stopped(const struct rnl_worker *w)
{
	return __atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

static void tick(struct rnl_worker *w, struct loop *l)
{
	w->tick(w->tick_ctx);
	l->at = rte_rdtsc(); /* the tick's own time is nobody's work */
	l->tick_at = l->at + l->tick_every;
}

static int run(void *arg)
{
	struct rnl_worker *w = arg;
	uint64_t begin = rte_rdtsc();
	struct loop l = {.clock = rnl_clock_of_hz(rte_get_tsc_hz()), .begin = begin, .at = begin};

	if (w->tick != NULL)
		l.tick_every = RTE_MAX(rte_get_tsc_hz() / 1000000 * w->tick_us, UINT64_C(1));
	l.tick_at = begin;
	while (!stopped(w)) {
		for (unsigned int i = 0; i < RTE_DIM(w->stacks) && w->stacks[i] != NULL; i++) {
			uint64_t now_ns = rnl_clock_cycles_ns(&l.clock, l.at);
			unsigned int work = rnl_poll(w->stacks[i], now_ns);
			uint64_t now = rte_rdtsc();

			account(&w->stats[i], &l, now, work);
			l.at = now;
		}
		if (l.tick_every != 0 && l.at >= l.tick_at)
			tick(w, &l);
	}
	return 0;
}

static int check(const struct rnl_worker *workers, unsigned int i, struct rnl_error *err)
{
	const struct rnl_worker *w = &workers[i];

	if (w->size != sizeof(*w))
		return rnl_port_err(err, -EINVAL,
		                    "worker %u: set its size field, and compile with the "
		                    "header of this library",
		                    i);
	if (w->stacks[0] == NULL)
		return rnl_port_err(err, -EINVAL, "worker %u has no stack: give it one", i);
	if (w->lcore >= RTE_MAX_LCORE || !rte_lcore_is_enabled(w->lcore))
		return rnl_port_err(err, -EINVAL, "lcore %u is not enabled: name it with -l",
		                    w->lcore);
	for (unsigned int k = 0; k < i; k++)
		if (workers[k].lcore == w->lcore)
			return rnl_port_err(err, -EINVAL,
			                    "two workers on lcore %u: put their stacks "
			                    "into one",
			                    w->lcore);
	if (w->lcore != rte_get_main_lcore() && rte_eal_get_lcore_state(w->lcore) != WAIT)
		return rnl_port_err(err, -EBUSY,
		                    "lcore %u is running something: wait for it, or take "
		                    "another one",
		                    w->lcore);
	return 0;
}

int rnl_run(struct rnl_worker *workers, unsigned int n, struct rnl_error *err)
{
	if (n == 0)
		return rnl_port_err(err, -EINVAL, "no workers to run: give at least one");
	for (unsigned int i = 0; i < n; i++) {
		int rc = check(workers, i, err);

		if (rc != 0)
			return rc;
	}
	for (unsigned int i = 0; i < n; i++)
		__atomic_store_n(&workers[i].stop, false, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < n; i++) {
		if (workers[i].lcore == rte_get_main_lcore())
			continue;
		if (rte_eal_remote_launch(run, &workers[i], workers[i].lcore) == 0)
			continue;
		rnl_stop(workers, i);
		rnl_wait(workers, i);
		return rnl_port_err(err, -EBUSY,
		                    "lcore %u cannot be launched: is it running something?",
		                    workers[i].lcore);
	}
	return 0;
}

void rnl_run_main(struct rnl_worker *workers, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (workers[i].lcore == rte_get_main_lcore())
			run(&workers[i]);
}

void rnl_stop(struct rnl_worker *workers, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		__atomic_store_n(&workers[i].stop, true, __ATOMIC_RELAXED);
}

void rnl_wait(struct rnl_worker *workers, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (workers[i].lcore != rte_get_main_lcore())
			rte_eal_wait_lcore(workers[i].lcore);
}
