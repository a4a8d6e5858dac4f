/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runnel-gen: TCP load from DPDK ports. Options and plan are checked before the EAL starts, so that
 * a load that cannot be costs no time. Exit: 0 passed, 1 could not run, 2 a criterion failed, 3
 * inconclusive. Floor: 6 (application).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eal.h"
#include "gather.h"
#include "lane.h"
#include "link.h"
#include "live.h"
#include "loop.h"
#include "report.h"
#include "signals.h"

#define PROG "runnel-gen"
/** Connections that a closed loop of short ones has room for, TIME-WAIT included, by default. */
#define CLOSED_LOOP_ROOM (UINT64_C(1) << 20)

/** The whole program. Large: not on the stack. */
struct program {
	struct gen_options opt;
	struct gen_plan plan;
	struct gen_run run;
	struct gen_link link;
	struct gen_lane lanes[GEN_MAX_LANES];
	struct gen_live live;
	struct gen_gather gather;
	struct gen_result result;
	struct rnl_loop loop;
	uint8_t *request;
	bool interrupted;
};

static void print_usage(void)
{
	printf("%s%s%s", gen_usage, rnl_topo_usage, gen_usage_examples);
}

/* Room for the TIME-WAIT blocks of the side that closes first. */
static uint64_t time_wait_room(const struct gen_options *o)
{
	struct gen_plan_in in;
	struct gen_plan plan;

	gen_options_plan(o, &in);
	in.close = GEN_CLOSE_CLIENT;
	gen_plan_make(&in, &plan);
	if (o->close == GEN_CLOSE_RST || plan.hold_ms == 0)
		return 0;
	if (o->rate != 0)
		return plan.time_waits + plan.time_waits / 8;
	return plan.time_waits < CLOSED_LOOP_ROOM ? plan.time_waits : CLOSED_LOOP_ROOM;
}

/* How many connections each stack can hold, unless the user said. */
static void size_stacks(struct gen_options *o)
{
	uint32_t open = o->connections + o->connections / 8 + 1024;
	uint32_t waits = (uint32_t)(open + time_wait_room(o));

	if (o->topo.max_conns != 0)
		return;
	o->topo.max_conns = open;
	o->topo.max_minis = o->close == GEN_CLOSE_SERVER ? open : waits;
	o->server_minis = o->close == GEN_CLOSE_SERVER ? waits : open;
}

/* Refuses what cannot be, and sizes the stacks for what can. */
static int make_plan(struct program *p)
{
	struct gen_plan_in in;
	char why[512];

	gen_options_plan(&p->opt, &in);
	gen_plan_make(&in, &p->plan);
	if (!p->plan.feasible) {
		/* Longer than a struct rnl_error holds: the sum and every way out. */
		gen_plan_explain(&in, &p->plan, why, sizeof(why));
		fprintf(stderr, PROG ": %s\n", why);
		return -EINVAL;
	}
	size_stacks(&p->opt);
	return 0;
}

/* Now, and not when the measurement is over. */
static int check_json(const char *path, struct rnl_error *err)
{
	FILE *f;

	if (path == NULL || strcmp(path, "-") == 0)
		return 0;
	f = fopen(path, "a");
	if (f == NULL) {
		snprintf(err->text, sizeof(err->text),
		         "--json %s: %s; name a file in a folder that can be written", path,
		         strerror(errno));
		return -EINVAL;
	}
	fclose(f);
	return 0;
}

/* The octets of one request. */
static int make_request(struct program *p, struct rnl_error *err)
{
	const struct gen_options *o = &p->opt;
	char host[RNL_ADDR_STRLEN];
	bool close = o->requests_per_conn == 1 && o->close == GEN_CLOSE_SERVER;
	size_t room = o->http ? strlen(o->path) + 256 : (size_t)o->request_bytes + 1;
	uint32_t i;

	p->request = malloc(room);
	if (p->request == NULL) {
		snprintf(err->text, sizeof(err->text), "no memory for a request: lower --size");
		return -ENOMEM;
	}
	p->run.request = p->request;
	p->run.request_len = o->request_bytes;
	for (i = 0; !o->http && i < o->request_bytes; i++)
		p->request[i] = (uint8_t)(i % 251);
	if (o->http)
		p->run.request_len = (uint32_t)snprintf(
		    (char *)p->request, room, "GET %s HTTP/1.1\r\nHost: %s%s%s\r\n%s\r\n", o->path,
		    rnl_addr_is_v4(&o->server) ? "" : "[", rnl_addr_format(&o->server, host),
		    rnl_addr_is_v4(&o->server) ? "" : "]", close ? "Connection: close\r\n" : "");
	return 0;
}

/* On the main thread, 100 times a second. */
static void on_tick(void *ctx)
{
	struct program *p = ctx;

	/* The first signal ends the load in order; the second ends the loop at once. */
	if (rnl_signals_caught() != 0 && !p->interrupted) {
		p->interrupted = true;
		rnl_signals_clear();
		__atomic_store_n(&p->run.stop, 1, __ATOMIC_RELEASE);
	}
	gen_live_tick(&p->live, rnl_clock_ns());
	if (__atomic_load_n(&p->run.lanes_done, __ATOMIC_ACQUIRE) == p->run.nb_lanes)
		rnl_loop_stop(&p->loop);
}

static int make_lanes(struct program *p, struct rnl_error *err)
{
	struct gen_link *k = &p->link;
	uint32_t n = k->client.nb_stacks, i;
	int ret = 0;

	p->run.opt = &p->opt;
	p->run.nb_lanes = n;
	if (n > p->opt.connections ||
	    n > (uint32_t)p->opt.client_ports.last - p->opt.client_ports.first + 1) {
		snprintf(err->text, sizeof(err->text),
		         "%u lanes need at least as many connections and client ports: raise "
		         "--connections or name fewer lcores",
		         n);
		return -EINVAL;
	}
	for (i = 0; i < n && ret == 0; i++) {
		ret = gen_lane_init(&p->lanes[i], &p->run, k->client.stacks[i].st, i, err);
		if (ret != 0)
			break;
		gen_meter_init(&p->lanes[i].meter[0], k->client.stacks[i].st, k->workers,
		               k->nb_workers);
		p->lanes[i].nb_meters = 1;
		if (!p->opt.loop)
			continue;
		gen_meter_init(&p->lanes[i].meter[1], k->server.stacks[i].st, k->workers,
		               k->nb_workers);
		p->lanes[i].nb_meters = 2;
	}
	for (i = 0; i < n && ret == 0; i++)
		ret = gen_lane_start(&p->lanes[i]);
	return ret;
}

static int run_load(struct program *p, struct rnl_error *err)
{
	int ret;

	p->loop = (struct rnl_loop){.workers = p->link.workers,
	                            .nb_workers = p->link.nb_workers,
	                            .tick = on_tick,
	                            .tick_ctx = p};
	gen_live_init(
	    &p->live, p->lanes, p->run.nb_lanes,
	    p->opt.quiet
		? NULL
		: (p->opt.json != NULL && strcmp(p->opt.json, "-") == 0 ? stderr : stdout));
	ret = rnl_loop_run(&p->loop, err);
	return ret;
}

/* @return the exit code. */
static int report(struct program *p)
{
	bool json_only = p->opt.json != NULL && strcmp(p->opt.json, "-") == 0;
	struct rnl_error err;

	p->result.interrupted = p->interrupted;
	p->result.broken = p->run.broken ? p->run.broken_why : NULL;
	gen_gather_result(&p->gather, &p->link, p->lanes, &p->plan, &p->result);
	gen_result_judge(&p->result);
	gen_report_text(&p->result, json_only ? stderr : stdout);
	if (p->opt.json != NULL && gen_report_json(&p->result, p->opt.json, &err) != 0)
		return rnl_eal_fail(PROG, &err);
	return (int)p->result.verdict;
}

/* With the EAL up. @return the exit code. */
static int run(struct program *p)
{
	struct rnl_error err = {{0}};
	int code;
	uint32_t i;

	if (gen_link_open(&p->link, &p->opt, &err) != 0)
		return rnl_eal_fail(PROG, &err);
	if (make_lanes(p, &err) != 0 || run_load(p, &err) != 0)
		code = rnl_eal_fail(PROG, &err);
	else
		code = report(p);
	gen_link_close(&p->link, &p->opt);
	for (i = 0; i < GEN_MAX_LANES; i++)
		gen_lane_free(&p->lanes[i]);
	return code;
}

/* @return the index of "--", or argc. */
static int find_dashes(int argc, char *const argv[])
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		;
	return i;
}

int main(int argc, char *argv[])
{
	static struct program p;
	struct rnl_error err = {{0}};
	int at = find_dashes(argc, argv), code;

	if (argc == 1 || rnl_args_help(argc, argv)) {
		print_usage();
		return argc == 1 ? GEN_COULD_NOT_RUN : GEN_PASSED;
	}
	if (at == argc) {
		snprintf(
		    err.text, sizeof(err.text),
		    "no \"--\": EAL arguments stand before it, options after it; -h shows them");
		return rnl_eal_fail(PROG, &err);
	}
	gen_gather_begin(&p.gather, argc, argv);
	if (gen_options_parse(&p.opt, argc - at, argv + at, &err) != 0)
		return rnl_eal_fail(PROG, &err);
	if (make_plan(&p) != 0)
		return GEN_COULD_NOT_RUN;
	if (check_json(p.opt.json, &err) != 0 || make_request(&p, &err) != 0 ||
	    rnl_eal_start(argc, argv, &err) < 0) {
		free(p.request);
		return rnl_eal_fail(PROG, &err);
	}
	rnl_signals_catch();
	code = run(&p);
	free(p.request);
	rnl_eal_stop();
	return code;
}
