/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the paths for test/perf/gate, which counts from outside:
 *   count   under callgrind, which collects inside perf_counted() and writes a part at each call of
 *           perf_part(): every second part is a path's;
 *   lines   under lackey, which writes every access; stores to a page at a fixed address mark the
 *           operations, and the map says what lies where;
 *   cycles  alone: TSC cycles, median of rounds, for orientation.
 * Each run checks that the path did what it says.
 */
#include "perf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <gnu/libc-version.h>

#include <rte_cycles.h>
#include <rte_version.h>

#define CAPS_PLAIN RNL_CAP_TX_MULTI_SEGS
#define CAPS_NIC (CAPS_PLAIN | RNL_CAP_TX_IPV4_CKSUM | RNL_CAP_TX_TCP_CKSUM | RNL_CAP_TX_TSO)

static const struct perf_variant variants[] = {
    {.name = "raw", .caps = CAPS_PLAIN | RNL_CAP_RAW_IP},
    {.name = "eth", .caps = CAPS_PLAIN, .eth = true},
    {.name = "nic", .caps = CAPS_NIC, .eth = true, .verified = true},
};

#define MARK_ADDRESS 0x20000000
enum mark { MARK_RUN = 0x00, MARK_OP = 0x40, MARK_BEGIN = 0x80, MARK_END = 0xc0 };

#define COUNTED (8 * PERF_CONNS) /* operations, after as many that are not counted */
#define CYCLE_ROUNDS 31
#define TRACED 16 /* operations, each on a connection of its own: tracing is slow */

static struct perf_world world;
static volatile uint8_t *marks;
static bool counting;

static void mark(enum mark m)
{
	if (marks != NULL)
		marks[m] = 1;
}

void perf_counted(struct perf_world *w, void (*act)(struct perf_world *w));
void perf_part(void);

/* Callgrind writes out what it collected. */
__attribute__((noinline)) void perf_part(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void perf_counted(struct perf_world *w, void (*act)(struct perf_world *w))
{
	if (act != NULL)
		act(w);
	rnl_poll(w->st, w->now_ns);
	__asm__ volatile(""); /* no tail call: callgrind must see the return */
}

static void step(struct perf_world *w, void (*act)(struct perf_world *w), bool counted)
{
	uint64_t begin;

	w->now_ns += PERF_POLL_NS;
	if (!counted) {
		if (act != NULL)
			act(w);
		rnl_poll(w->st, w->now_ns);
	} else {
		mark(MARK_BEGIN);
		begin = rte_rdtsc_precise();
		perf_counted(w, act);
		w->cycles += rte_rdtsc_precise() - begin;
		mark(MARK_END);
	}
	if (w->rx_n > 0)
		perf_die("%s: %u packets left", w->path->name, w->rx_n);
	perf_peer_take(w);
}

void perf_step(struct perf_world *w, void (*act)(struct perf_world *w))
{
	step(w, act, counting);
}

void perf_step_free(struct perf_world *w, void (*act)(struct perf_world *w))
{
	step(w, act, false);
}

/* n operations in turn on all connections, `burst` of them together. */
static void operations(struct perf_world *w, unsigned int n, unsigned int burst)
{
	for (unsigned int done = 0; done < n; done += burst) {
		w->first = done % PERF_CONNS;
		w->n = burst;
		if (counting)
			mark(MARK_OP);
		w->path->op(w);
	}
}

static void measured(struct perf_world *w, unsigned int n, unsigned int burst)
{
	uint64_t sent = w->sent_bytes, closed = w->closed, told = w->told;

	w->cycles = 0;
	counting = true;
	operations(w, n, burst);
	counting = false;
	if (w->sent_bytes - sent != (uint64_t)n * w->path->sent_bytes)
		perf_die("%s/%s/%u: %lu octets sent by %u operations", w->path->name,
		         w->variant->name, burst, w->sent_bytes - sent, n);
	if (w->told - told != (uint64_t)n * w->path->told)
		perf_die("%s/%s/%u: %lu callbacks for %u operations", w->path->name,
		         w->variant->name, burst, w->told - told, n);
	if (w->closed - closed != (uint64_t)n * w->path->closed || w->bad_end > 0)
		perf_die("%s/%s/%u: %lu connections ended in %u operations, %lu badly",
		         w->path->name, w->variant->name, burst, w->closed - closed, n, w->bad_end);
}

/* ---- the modes ---- */

static void run_count(struct perf_world *w, unsigned int burst)
{
	perf_part();
	measured(w, COUNTED, burst);
	perf_part();
	printf("part %s %s %u %u\n", w->path->name, w->variant->name, burst, COUNTED);
}

static void run_lines(struct perf_world *w, unsigned int burst)
{
	printf("run %s %s %u\n", w->path->name, w->variant->name, burst);
	perf_world_map(w);
	mark(MARK_RUN);
	measured(w, TRACED, burst);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run_cycles(struct perf_world *w, unsigned int burst)
{
	double round[CYCLE_ROUNDS];

	for (unsigned int i = 0; i < CYCLE_ROUNDS; i++) {
		measured(w, COUNTED, burst);
		round[i] = (double)w->cycles / (COUNTED);
	}
	qsort(round, CYCLE_ROUNDS, sizeof(round[0]), compare);
	printf("cycles %s %s %u %.0f %.0f %.0f\n", w->path->name, w->variant->name, burst,
	       round[CYCLE_ROUNDS / 2], round[0], round[CYCLE_ROUNDS * 3 / 4]);
}

static const struct mode {
	const char *name;
	void (*run)(struct perf_world *w, unsigned int burst);
	unsigned int warm; /* operations before */
	bool one_only;     /* bursts of one: an operation's own lines */
	bool raw_only;
} modes[] = {
    {"count", run_count, COUNTED, false, false},
    {"lines", run_lines, 2 * PERF_CONNS, true, true},
    {"cycles", run_cycles, COUNTED, false, false},
};

static void run(const struct mode *mode, const struct perf_path *path, const struct perf_variant *v,
                unsigned int burst)
{
	perf_world_open(&world, path, v);
	operations(&world, mode->warm, mode->one_only ? PERF_BURST : burst);
	mode->run(&world, burst);
	perf_world_close(&world);
	fflush(stdout);
}

/* A poll that finds nothing has no burst; and in lines mode one port is enough but for `rr`. */
static bool wanted(const struct mode *mode, const struct perf_path *path,
                   const struct perf_variant *v, unsigned int burst)
{
	if (burst > 1 && (mode->one_only || strcmp(path->name, "idle") == 0))
		return false;
	return !mode->raw_only || v == &variants[0] || strcmp(path->name, "rr") == 0;
}

static void run_paths(const struct mode *mode, const char *only)
{
	static const unsigned int bursts[] = {1, PERF_BURST};

	for (unsigned int p = 0; p < perf_paths_count; p++) {
		if (only != NULL && strcmp(only, perf_paths[p].name) != 0)
			continue;
		for (unsigned int v = 0; v < RTE_DIM(variants); v++)
			for (unsigned int b = 0; b < RTE_DIM(bursts); b++)
				if (wanted(mode, &perf_paths[p], &variants[v], bursts[b]))
					run(mode, &perf_paths[p], &variants[v], bursts[b]);
	}
}

static void make_marks(void)
{
	void *page = mmap((void *)(uintptr_t)MARK_ADDRESS, 4096, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (page == MAP_FAILED)
		perf_die("no page for the marks at %x", MARK_ADDRESS);
	marks = page;
}

int main(int argc, char **argv)
{
	const struct mode *mode = NULL;

	for (unsigned int i = 0; i < RTE_DIM(modes) && argc > 1; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			mode = &modes[i];
	if (mode == NULL || argc > 3) {
		fprintf(stderr, "usage: runnel-perf count|lines|cycles [PATH]\n");
		for (unsigned int p = 0; p < perf_paths_count; p++)
			fprintf(stderr, "  %-10s %s\n", perf_paths[p].name, perf_paths[p].text);
		return 2;
	}
	printf("env compiler %s\nenv flags %s\nenv dpdk %s\nenv libc %s\n", PERF_COMPILER,
	       PERF_FLAGS, rte_version(), gnu_get_libc_version());
	perf_env_init();
	if (strcmp(mode->name, "lines") == 0) {
		make_marks();
		perf_pools_map();
	}
	run_paths(mode, argc > 2 ? argv[2] : NULL);
	return 0;
}
