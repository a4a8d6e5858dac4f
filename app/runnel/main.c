/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runnel: a TCP endpoint on DPDK ports. Options, EAL, endpoint, console, and back.
 * Floor 6.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "console.h"
#include "eal.h"
#include "params.h"
#include "signals.h"

static const char prog[] = "runnel";

/* Runs until a signal, `quit`, or the end of input. @return 0, negative errno with err. */
static int run(struct rnl_endpoint *e, struct rnl_console *c, struct rnl_error *err)
{
	int ret;

	e->loop.tick = rnl_console_tick;
	e->loop.tick_ctx = c;
	e->running = true;
	ret = rnl_loop_run(&e->loop, err);
	e->running = false;
	return ret;
}

static void banner(const struct rnl_endpoint *e)
{
	unsigned int i;

	if (!e->listening) {
		puts("not listening yet: type 'start', or 'help'");
		return;
	}
	for (i = 0; i < e->params->nb_services; i++)
		printf("listening: %s\n", e->params->services[i].text);
	fflush(stdout);
}

/* Listens if that is asked for, and runs. */
static int serve(struct rnl_endpoint *e, struct rnl_console *c, struct rnl_error *err)
{
	const struct rnl_params *p = e->params;
	int ret = 0;

	if (!p->interactive || p->auto_start)
		ret = rnl_endpoint_start(e, err);
	if (ret != 0)
		return ret;
	banner(e);
	return run(e, c, err);
}

static int with_console(struct rnl_endpoint *e, struct rnl_error *err)
{
	struct rnl_stats_view *stats = rnl_stats_new(e);
	struct rnl_console *c = NULL;
	int ret = -1;

	if (stats != NULL)
		c = rnl_console_new(e, stats, e->params->interactive);
	if (c == NULL)
		rnl_service_fail(err, -1, "out of memory");
	else
		ret = serve(e, c, err);
	rnl_console_free(c);
	if (ret == 0) {
		putchar('\n');
		rnl_stats_totals(stats);
	}
	rnl_stats_free(stats);
	return ret;
}

static int with_eal(struct rnl_params *params, struct rnl_error *err)
{
	struct rnl_endpoint *e = calloc(1, sizeof(*e));
	int ret;

	if (e == NULL)
		return rnl_service_fail(err, -1, "out of memory");
	ret = rnl_endpoint_open(e, params, err);
	if (ret == 0) {
		ret = with_console(e, err);
		rnl_endpoint_close(e);
	}
	free(e);
	return ret;
}

/* Where the program's own arguments begin: its argv[0] is the "--". */
static int find_own(int argc, char *argv[])
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc - 1;
}

static int start(int argc, char *argv[], struct rnl_params *params, struct rnl_error *err)
{
	int own = find_own(argc, argv);
	int ret;

	ret = rnl_params_parse(argc - own, argv + own, params, err);
	if (ret != 0)
		return ret;
	ret = rnl_eal_start(argc, argv, err);
	if (ret >= 0) {
		rnl_signals_catch();
		ret = with_eal(params, err);
		rnl_params_free(params);
		rnl_eal_stop();
		return ret;
	}
	rnl_params_free(params);
	return ret;
}

int main(int argc, char *argv[])
{
	struct rnl_params *params = calloc(1, sizeof(*params));
	struct rnl_error err = {.text = "out of memory"};
	int ret = -1;

	/* librte_cmdline writes past stdio: whole lines keep the order. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (rnl_args_help(argc, argv)) {
		rnl_params_usage();
		free(params);
		return 0;
	}
	if (params != NULL)
		ret = start(argc, argv, params, &err);
	free(params);
	return ret == 0 ? 0 : rnl_eal_fail(prog, &err);
}
