/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lib/port/worker.c, with an rnl_poll() of its own in place of the stack's. Two lcores on
 * one CPU are enough.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>

#include "runnel.h"

struct rnl_stack {
	unsigned int every; /* finds work in each poll whose number divides by this; 0: never */
	unsigned int lcore;
	uint64_t polls, last_ns;
	bool went_back;
	struct rnl_worker *stop_after; /* stopped at poll number stop_at */
	uint64_t stop_at;
};

unsigned int rnl_poll(struct rnl_stack *st, uint64_t now_ns)
{
	st->lcore = rte_lcore_id();
	st->went_back |= now_ns < st->last_ns;
	st->last_ns = now_ns;
	st->polls++;
	if (st->stop_after != NULL && st->polls == st->stop_at)
		rnl_stop(st->stop_after, 1);
	return st->every != 0 && st->polls % st->every == 0;
}

static struct rnl_worker worker_on(unsigned int lcore, struct rnl_stack *st)
{
	return (struct rnl_worker){
	    .size = sizeof(struct rnl_worker), .lcore = lcore, .stacks = {st}};
}

static void worker__main_lcore_runs_until_stopped(void **state)
{
	struct rnl_stack a = {.every = 4, .stop_at = 1000}, b = {0};
	struct rnl_worker w = worker_on(rte_get_main_lcore(), &a);

	w.stacks[1] = &b;
	a.stop_after = &w;
	assert_int_equal(rnl_run(&w, 1, NULL), 0);
	assert_int_equal(a.polls, 0); /* waits for rnl_run_main() */
	rnl_run_main(&w, 1);
	rnl_wait(&w, 1);
	/* the iteration that it is in is finished: b too */
	assert_int_equal(a.polls, 1000);
	assert_int_equal(b.polls, 1000);
	assert_false(a.went_back);
	assert_int_equal(w.stats[0].polls, 1000);
	assert_int_equal(w.stats[0].busy_polls, 250);
	assert_true(w.stats[0].busy_cycles > 0);
	assert_true(w.stats[0].busy_cycles < w.stats[0].total_cycles);
	assert_int_equal(w.stats[1].busy_polls, 0);
	assert_int_equal(w.stats[1].busy_cycles, 0);
}

static void worker__runs_on_its_own_lcore(void **state)
{
	struct rnl_stack a = {.stop_at = 100};
	struct rnl_worker w = worker_on(rte_get_next_lcore(-1, 1, 0), &a);
	struct rnl_error err = {{0}};

	a.stop_after = &w;
	assert_int_equal(rnl_run(&w, 1, &err), 0);
	rnl_run_main(&w, 1); /* not the main lcore's: returns at once */
	rnl_wait(&w, 1);
	assert_int_equal(a.polls, 100);
	assert_int_equal(a.lcore, w.lcore);
	/* and once more: the same worker can be started again */
	a.polls = 0;
	assert_int_equal(rnl_run(&w, 1, &err), 0);
	rnl_wait(&w, 1);
	assert_int_equal(a.polls, 100);
}

static void worker__a_busy_lcore_is_refused(void **state)
{
	struct rnl_stack a = {0}, b = {0};
	unsigned int lcore = rte_get_next_lcore(-1, 1, 0);
	struct rnl_worker w = worker_on(lcore, &a), late = worker_on(lcore, &b);
	struct rnl_error err = {{0}};

	assert_int_equal(rnl_run(&w, 1, NULL), 0);
	assert_int_equal(rnl_run(&late, 1, &err), -EBUSY);
	assert_non_null(strstr(err.text, "take another"));
	rnl_stop(&w, 1);
	rnl_wait(&w, 1);
	assert_int_equal(b.polls, 0);
}

struct ticker {
	struct rnl_worker *w;
	unsigned int ticks;
};

static void on_tick(void *ctx)
{
	struct ticker *t = ctx;

	if (++t->ticks == 3)
		rnl_stop(t->w, 1);
}

static void worker__ticks_at_its_pace(void **state)
{
	struct rnl_stack a = {0};
	struct rnl_worker w = worker_on(rte_get_main_lcore(), &a);
	struct ticker t = {.w = &w};
	uint64_t begin = rte_get_tsc_cycles();

	w.tick = on_tick;
	w.tick_ctx = &t;
	w.tick_us = 2000;
	assert_int_equal(rnl_run(&w, 1, NULL), 0);
	rnl_run_main(&w, 1);
	assert_int_equal(t.ticks, 3);
	/* the first tick comes at once, so three take two periods */
	assert_true(rte_get_tsc_cycles() - begin >= rte_get_tsc_hz() / 1000 * 4);
	assert_true(a.polls > 3);
}

static void worker__bad_ones_are_refused(void **state)
{
	struct rnl_stack a = {0};
	struct rnl_worker w[2] = {worker_on(rte_get_main_lcore(), &a),
	                          worker_on(rte_get_main_lcore(), &a)};
	struct rnl_error err = {{0}};

	assert_int_equal(rnl_run(w, 0, &err), -EINVAL);
	assert_int_equal(rnl_run(w, 2, &err), -EINVAL);
	assert_non_null(strstr(err.text, "two workers on lcore"));
	w[0].lcore = RTE_MAX_LCORE - 1;
	assert_int_equal(rnl_run(w, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "name it with -l"));
	w[0].lcore = RTE_MAX_LCORE;
	assert_int_equal(rnl_run(w, 1, &err), -EINVAL);
	w[1].stacks[0] = NULL;
	assert_int_equal(rnl_run(w + 1, 1, &err), -EINVAL);
	w[1].size = 1;
	assert_int_equal(rnl_run(w + 1, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "size field"));
}

/* The first CPU that this process may use: both lcores live there. */
static int first_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 0;
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(worker__main_lcore_runs_until_stopped),
	    cmocka_unit_test(worker__runs_on_its_own_lcore),
	    cmocka_unit_test(worker__a_busy_lcore_is_refused),
	    cmocka_unit_test(worker__ticks_at_its_pace),
	    cmocka_unit_test(worker__bad_ones_are_refused),
	};
	char prog[] = "test_worker", o1[] = "--no-huge", o2[] = "-m", o3[] = "64",
	     o4[] = "--no-pci", o5[] = "--no-shconf", o6[] = "--no-telemetry",
	     o7[] = "--log-level=4", lcores[64];
	char *argv[] = {prog, o1, o2, o3, o4, o5, o6, o7, lcores, NULL};
	int rc;

	snprintf(lcores, sizeof(lcores), "--lcores=0@%d,1@%d", first_cpu(), first_cpu());
	if (rte_eal_init(RTE_DIM(argv) - 1, argv) < 0)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rte_eal_cleanup();
	return rc;
}
