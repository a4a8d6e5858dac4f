/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines of the generator: what they mean, and that each refusal says what to do. The
 * engines' own grammar is not tested here: --loop finds a fake one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "options.h"

static const struct rnl_engine engines[] = {
    {.name = "echo", .default_port = 7},
    {.name = "sink", .default_port = 9},
    {.name = "source", .default_port = 19},
    {.name = "http", .default_port = 80},
};

int rnl_service_parse(const char *text, struct rnl_service *out, struct rnl_error *err)
{
	size_t len = strcspn(text, ",:"), i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (strlen(engines[i].name) == len && strncmp(engines[i].name, text, len) == 0) {
			out->engine = &engines[i];
			out->listen.port_first = engines[i].default_port;
			out->listen.port_last = engines[i].default_port;
			return 0;
		}
	snprintf(err->text, sizeof(err->text), "no engine '%s'", text);
	return -1;
}

static struct gen_options o;
static struct rnl_error err;

/* Parses a line of words. @return what gen_options_parse() does. */
static int parse(const char *line)
{
	static char copy[512];
	static char name[] = "runnel-gen";
	char *argv[64] = {name}, *save = NULL, *word;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	memset(&err, 0, sizeof(err));
	return gen_options_parse(&o, argc, argv, &err);
}

static void options__loop_decides_both_ends_and_the_mode(void **state)
{
	static const struct {
		const char *line;
		enum gen_mode mode;
		uint16_t port;
	} cases[] = {
	    {"--loop echo", GEN_RR, 7},
	    {"--loop http,body=1400", GEN_HTTP, 80},
	    {"--loop sink", GEN_TX, 9},
	    {"--loop source", GEN_RX, 19},
	    {"--loop echo --mode cps", GEN_CPS, 7},
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].line), 0);
		assert_int_equal(o.mode, cases[i].mode);
		assert_int_equal(o.server_ports.first, cases[i].port);
		assert_int_equal(o.clients.count, cases[i].mode == GEN_CPS ? 64 : 1);
		assert_true(o.seed != 0 && o.seed <= INT64_MAX);
		assert_int_equal(o.topo.seed, o.seed);
	}
	/* Connections of cps carry one request. */
	assert_int_equal(o.requests_per_conn, 1);
	assert_int_equal(parse("--loop http --mode cps"), 0);
	assert_true(o.http);
}

static void options__everything_of_a_network_run(void **state)
{
	assert_int_equal(parse("--server 10.0.0.1:8000-8009 --client-addr 10.0.0.10-10.0.0.19/16 "
	                       "--client-ports 2000-2999 --mode rr -c 1000 --size 64:1k "
	                       "--outstanding 4 --rate 1.5M --duration 3s --warmup 250ms --drain 1 "
	                       "--connect-timeout 9s --close rst --requests-per-conn 7 --seed 5 "
	                       "--time-wait 1s --expect-min-rate 2k --expect-p99-us 50 "
	                       "--max-errors 0 --json out.json --quiet"),
	                 0);
	assert_int_equal(o.server_ports.last, 8009);
	assert_int_equal(o.clients.count, 10);
	assert_int_equal(o.client_prefix_len, 16);
	assert_int_equal(o.topo.addrs[0].range.count, 10);
	assert_int_equal(o.topo.nb_addrs, 1);
	assert_int_equal(o.request_bytes, 64);
	assert_int_equal(o.response_bytes, 1024);
	assert_int_equal(o.rate, 1500000);
	assert_int_equal(o.duration_ns, UINT64_C(3000000000));
	assert_int_equal(o.warmup_ns, 250000000);
	assert_int_equal(o.requests_per_conn, 7);
	assert_int_equal(o.close, GEN_CLOSE_RST);
	assert_int_equal(o.seed, 5);
	assert_int_equal(o.topo.time_wait_ms, 1000);
	assert_int_equal(o.criteria.p99_ns, 50000);
	assert_int_equal(o.criteria.max_errors, 0);
	assert_true(o.criteria.min_rate == 2000.0);
	assert_true(o.quiet);
	assert_string_equal(o.json, "out.json");
}

static void options__plan_is_theirs(void **state)
{
	struct gen_plan_in in;
	struct gen_plan p;

	assert_int_equal(parse("--loop echo --mode cps --rate 100k --client-addr 198.18.0.1/15"),
	                 0);
	gen_options_plan(&o, &in);
	assert_int_equal(in.client_ports, 64512);
	assert_int_equal(in.run_ms, 10500);
	assert_int_equal(in.time_wait_ms, 60000);
	gen_plan_make(&in, &p);
	assert_false(p.feasible);
	assert_int_equal(parse("--loop echo --mode cps --rate 100k --client-addr "
	                       "198.18.0.1-198.18.0.20/15"),
	                 0);
	gen_options_plan(&o, &in);
	gen_plan_make(&in, &p);
	assert_true(p.feasible);
}

/* Each of these is refused with one line that has the words given. */
static void options__refusals_say_what_to_do(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
	    {"", "give --server"},
	    {"--server 10.0.0.1:80", "give --client-addr"},
	    {"--server 80 --client-addr 10.0.0.2", "give an address"},
	    {"--server 10.0.0.1:80 --client-addr fd00::2", "different families"},
	    {"--server 10.0.0.1:80 --client-addr 10.0.0.0-10.0.255.255/16", "at most 1024"},
	    {"--loop echo --rate 0", "--rate"},
	    {"--loop echo --mode nonsense", "--mode"},
	    {"--loop echo --size 64:128", "echo answers with as many"},
	    {"--loop echo --size 0", "at least 1 octet"},
	    {"--loop echo --mode cps --size 0:5", "0:0"},
	    {"--loop echo --mode http", "use --loop http"},
	    {"--loop http --mode rr", "use --loop echo"},
	    {"--loop http --size 5", "use --path"},
	    {"--loop http --verify", "leave it out"},
	    {"--loop sink --rate 5", "leave --rate out"},
	    {"--loop sink --outstanding 2", "no requests"},
	    {"--loop echo --mode cps --requests-per-conn 3", "use --mode rr"},
	    {"--loop echo --mode cps --outstanding 3", "one request"},
	    {"--loop echo --mode cps --close server", "use --loop http"},
	    {"--loop echo --close server", "live until the end"},
	    {"--loop echo --path /x", "--path goes with"},
	    {"--loop echo --duration 0", "--duration"},
	    {"--loop echo --frobnicate", "no such option"},
	    {"--loop echo --rate", "value is missing"},
	    {"--loop echo extra", "not an option"},
	    {"--loop echo --loop http", "once"},
	    {"--loop nonsense", "no engine"},
	    {"--loop echo --max-errors -1", "--max-errors"},
	    {"--loop echo -c 0", "--connections"},
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(parse(cases[i].line) < 0);
		if (strstr(err.text, cases[i].words) == NULL)
			print_message("%s -> %s\n", cases[i].line, err.text);
		assert_non_null(strstr(err.text, cases[i].words));
		assert_null(strchr(err.text, '\n'));
	}
}

static void options__size_zero_opens_and_closes(void **state)
{
	assert_int_equal(parse("--loop http --mode cps --size 0"), 0);
	assert_int_equal(o.request_bytes, 0);
	assert_false(o.http);
}

static void options__help_needs_nothing_else(void **state)
{
	assert_int_equal(parse("-h"), 0);
	assert_true(o.help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options__loop_decides_both_ends_and_the_mode),
	    cmocka_unit_test(options__everything_of_a_network_run),
	    cmocka_unit_test(options__plan_is_theirs),
	    cmocka_unit_test(options__refusals_say_what_to_do),
	    cmocka_unit_test(options__size_zero_opens_and_closes),
	    cmocka_unit_test(options__help_needs_nothing_else),
	};

	return cmocka_run_group_tests_name("gen_options", tests, NULL, NULL);
}
