/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's feasibility sum: what is refused, and that each fix that it names is one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "plan.h"
#include "tuples.h"

/* One address, Linux's ephemeral ports, 10000 connections/s for 10 s. */
static struct gen_plan_in short_lived(void)
{
	return (struct gen_plan_in){
	    .client_addrs = 1,
	    .client_ports = 28232,
	    .server_endpoints = 1,
	    .connections = 64,
	    .short_lived = true,
	    .requests_per_conn = 1,
	    .rate = 10000,
	    .run_ms = 10000,
	    .time_wait_ms = 60000,
	    .close = GEN_CLOSE_CLIENT,
	    .max_tuples = 10000000,
	};
}

static bool feasible(const struct gen_plan_in *in)
{
	struct gen_plan p;

	gen_plan_make(in, &p);
	return p.feasible;
}

static void plan__rate_times_time_wait(void **state)
{
	struct gen_plan_in in = short_lived();
	struct gen_plan p;

	gen_plan_make(&in, &p);
	assert_false(p.feasible);
	assert_int_equal(p.tuples, 28232);
	/* The run is shorter than TIME-WAIT: only what it closes itself is held. */
	assert_int_equal(p.hold_ms, 10000);
	assert_int_equal(p.needed, 10000 * 10 + 64);
	assert_int_equal(p.sustained_per_s, (28232 - 64) / 10);
	in.run_ms = 600000;
	gen_plan_make(&in, &p);
	assert_int_equal(p.hold_ms, 60000);
	assert_int_equal(p.needed, 10000 * 60 + 64);
	assert_int_equal(p.time_waits, 600000);
}

static void plan__exactly_enough(void **state)
{
	struct gen_plan_in in = short_lived();

	in.client_ports = 10032;
	in.client_addrs = 10;
	in.connections = 320;
	assert_true(feasible(&in));
	in.connections++;
	assert_false(feasible(&in));
}

static void plan__other_closing_sides_hold_nothing(void **state)
{
	struct gen_plan_in in = short_lived();

	in.rate = 1000000;
	in.close = GEN_CLOSE_SERVER;
	assert_true(feasible(&in));
	in.close = GEN_CLOSE_RST;
	assert_true(feasible(&in));
}

static void plan__requests_share_a_connection(void **state)
{
	struct gen_plan_in in = short_lived();
	struct gen_plan p;

	in.requests_per_conn = 100;
	gen_plan_make(&in, &p);
	assert_int_equal(p.conns_per_s, 100);
	assert_true(p.feasible);
}

static void plan__long_lived_needs_its_connections(void **state)
{
	struct gen_plan_in in = short_lived();
	struct gen_plan p;

	in.short_lived = false;
	in.connections = 28232;
	assert_true(feasible(&in));
	in.connections = 28233;
	gen_plan_make(&in, &p);
	assert_false(p.feasible);
	assert_int_equal(p.sustained_per_s, UINT64_MAX);
}

static void plan__closed_loop_is_bounded_not_refused(void **state)
{
	struct gen_plan_in in = short_lived();
	struct gen_plan p;

	in.rate = 0;
	in.run_ms = 120000;
	gen_plan_make(&in, &p);
	assert_true(p.feasible);
	assert_int_equal(p.sustained_per_s, (28232 - 64) / 60);
}

static void plan__memory_is_a_limit_too(void **state)
{
	struct gen_plan_in in = short_lived();
	struct gen_plan p;
	char text[512];

	in.client_addrs = 100;
	in.max_tuples = 65536;
	gen_plan_make(&in, &p);
	assert_false(p.feasible);
	gen_plan_explain(&in, &p, text, sizeof(text));
	assert_non_null(strstr(text, "memory for 65536"));
	assert_null(strstr(text, "--client-addr"));
	in.max_tuples = strtoull(strstr(text, "--max-conns ") + 12, NULL, 10);
	assert_true(feasible(&in));
}

/* Reads the number after `key` in the text. */
static uint64_t number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	assert_non_null(at);
	return strtoull(at + strlen(key), NULL, 10);
}

static void plan__each_fix_is_one(void **state)
{
	struct gen_plan_in in = short_lived(), fixed;
	struct gen_plan p;
	char text[512];

	gen_plan_make(&in, &p);
	gen_plan_explain(&in, &p, text, sizeof(text));
	assert_null(strchr(text, '\n'));
	assert_non_null(strstr(text, "10000 connections/s x 10.000 s of TIME-WAIT + 64 open"));
	assert_non_null(strstr(text, "1 client addresses x 28232 ports x 1 server endpoints"));
	/* Wider ports alone would not do. */
	assert_null(strstr(text, "--client-ports"));
	fixed = in;
	fixed.client_addrs = number_after(text, ": give ");
	assert_true(feasible(&fixed));
	fixed.client_addrs--;
	assert_false(feasible(&fixed));
	fixed = in;
	fixed.rate = number_after(text, "--rate to ");
	assert_true(feasible(&fixed));
	fixed.rate++;
	assert_false(feasible(&fixed));
	assert_non_null(strstr(text, "--close server"));
	in.rate = 5000;
	gen_plan_make(&in, &p);
	gen_plan_explain(&in, &p, text, sizeof(text));
	assert_non_null(strstr(text, "--client-ports 1024-65535"));
	in.client_ports = 64512;
	assert_true(feasible(&in));
}

static void plan__too_many_connections_names_the_limit(void **state)
{
	struct gen_plan_in in = short_lived();
	struct gen_plan p;
	char text[512];

	in.short_lived = false;
	in.connections = 100000;
	gen_plan_make(&in, &p);
	gen_plan_explain(&in, &p, text, sizeof(text));
	assert_int_equal(number_after(text, "--connections to "), 28232);
	assert_int_equal(number_after(text, ": give "), 4);
}

/* Absurd numbers saturate instead of wrapping into something feasible. */
static void plan__no_overflow(void **state)
{
	struct gen_plan_in in = short_lived();

	in.rate = UINT64_MAX / 2;
	in.run_ms = UINT64_MAX / 2;
	in.time_wait_ms = UINT64_MAX / 2;
	assert_false(feasible(&in));
	in = short_lived();
	in.client_addrs = UINT64_MAX / 2;
	in.server_endpoints = 1000;
	assert_true(feasible(&in));
}

/* A line that does not fit is cut, and stays a string. */
static void plan__explain_is_bounded(void **state)
{
	struct gen_plan_in in = short_lived();
	struct gen_plan p;
	char text[64];
	size_t n;

	gen_plan_make(&in, &p);
	for (n = 1; n <= sizeof(text); n++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(gen_plan_explain(&in, &p, text, n), n - 1);
		assert_int_equal(strlen(text), n - 1);
	}
}

/* A round of all lanes holds every tuple once, whatever the seed. */
static void tuples__each_once_in_a_round(void **state)
{
	const uint16_t sports[2] = {80, 82}, lports[2] = {1024, 1034};
	static uint8_t seen[5][3][11];
	struct gen_tuples t;
	struct gen_tuple x;
	uint64_t n, i, total = 0;
	uint32_t lane;

	for (lane = 0; lane < 2; lane++) {
		gen_tuples_init(&t, 5, sports, lports, lane, 2);
		gen_tuples_seed(&t, UINT64_C(0x123456789abcdef0) + lane);
		n = gen_tuples_count(&t);
		total += n;
		for (i = 0; i < n; i++) {
			x = gen_tuples_next(&t);
			assert_true(x.addr < 5 && x.sport >= 80 && x.sport <= 82);
			assert_true(x.lport >= 1024 && x.lport <= 1034);
			assert_int_equal((x.lport - 1024) % 2, lane);
			assert_int_equal(seen[x.addr][x.sport - 80][x.lport - 1024]++, 0);
		}
	}
	assert_int_equal(total, 5 * 3 * 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plan__rate_times_time_wait),
	    cmocka_unit_test(plan__exactly_enough),
	    cmocka_unit_test(plan__other_closing_sides_hold_nothing),
	    cmocka_unit_test(plan__requests_share_a_connection),
	    cmocka_unit_test(plan__long_lived_needs_its_connections),
	    cmocka_unit_test(plan__closed_loop_is_bounded_not_refused),
	    cmocka_unit_test(plan__memory_is_a_limit_too),
	    cmocka_unit_test(plan__each_fix_is_one),
	    cmocka_unit_test(plan__too_many_connections_names_the_limit),
	    cmocka_unit_test(plan__no_overflow),
	    cmocka_unit_test(plan__explain_is_bounded),
	    cmocka_unit_test(tuples__each_once_in_a_round),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
