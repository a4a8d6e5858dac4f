/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of runnel: what is taken, and that each refusal is one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "params.h"

/* Parses one line of arguments. The text must outlive *out: file names point into it. */
static int parse(char *line, struct rnl_params *out, struct rnl_error *err)
{
	static char dashes[] = "--";
	char *argv[32] = {dashes}, *save, *word;
	int argc = 1;

	for (word = strtok_r(line, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	return rnl_params_parse(argc, argv, out, err);
}

static void params__all_options(void **state)
{
	static struct rnl_params p;
	struct rnl_error err = {0};
	char line[] = "-i -a -p 0x3 --rxq 2 --txd=512 --ip 192.0.2.2/24 --gateway 192.0.2.1 "
		      "--listen http:80,body=4K --listen=echo --stats-period 1.5 "
		      "--cmdline-file /dev/null --max-conns 1000 --no-sack";

	if (parse(line, &p, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(p.interactive && p.auto_start);
	assert_int_equal(p.nb_services, 2);
	assert_string_equal(p.services[0].engine->name, "http");
	assert_string_equal(p.services[1].engine->name, "echo");
	assert_int_equal(p.stats_period_ns, 1500000000);
	assert_string_equal(p.cmdline_file, "/dev/null");
	assert_int_equal(p.topo.portmask, 3);
	assert_int_equal(p.topo.rxq, 2);
	assert_int_equal(p.topo.txd, 512);
	assert_int_equal(p.topo.max_conns, 1000);
	assert_true(p.topo.has_gateway[0]);
	assert_true(p.services[0].listen.opts.no_sack && p.services[1].listen.opts.no_sack);
	assert_false(p.services[1].listen.opts.no_timestamps);
	rnl_params_free(&p);
	assert_int_equal(p.nb_services, 0);
}

/* The next parse in the same process starts afresh: getopt keeps state of its own. */
static void params__twice(void **state)
{
	static struct rnl_params p;
	struct rnl_error err = {0};
	int i;

	for (i = 0; i < 2; i++) {
		char line[] = "--ip 192.0.2.2/24 --listen sink:9";

		assert_int_equal(parse(line, &p, &err), 0);
		assert_false(p.interactive || p.auto_start);
		rnl_params_free(&p);
	}
}

static void params__refuses_in_one_line(void **state)
{
	static const struct {
		const char *line, *said;
	} bad[] = {
	    {"", "--listen"},
	    {"--listen echo", "--ip"},
	    {"--frob", "--frob"},
	    {"-ix", "-x"},
	    {"--promiscuous -xi", "-x"},
	    {"--interactive=3", "--interactive=3"},
	    {"-p", "-p"},
	    {"--rxq", "--rxq"},
	    {"--rxq none", "none"},
	    {"stray", "stray"},
	    {"--listen frob:1", "frob"},
	    {"--listen echo --ip 192.0.2.2", "192.0.2.2"},
	    {"--listen echo --listen http:80,root=/no/such --ip 192.0.2.2/24", "/no/such"},
	    {"--cmdline-file /no/such", "/no/such"},
	    {"--stats-period soon", "soon"},
	};
	static struct rnl_params p;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rnl_error err = {0};
		char line[128];

		snprintf(line, sizeof(line), "%s", bad[i].line);
		if (parse(line, &p, &err) == 0)
			fail_msg("'%s' was accepted", bad[i].line);
		if (strstr(err.text, bad[i].said) == NULL || strchr(err.text, '\n') != NULL)
			fail_msg("'%s' gives '%s'", bad[i].line, err.text);
		assert_int_equal(p.nb_services, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(params__all_options),
	    cmocka_unit_test(params__twice),
	    cmocka_unit_test(params__refuses_in_one_line),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
