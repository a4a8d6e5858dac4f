/* SPDX-License-Identifier: BSD-3-Clause */
/* stack/log.c: what a stack says by itself. */
#include <stdio.h>
#include <string.h>

#include "env.h"
#include "runnel.h"

static struct {
	char text[256];
	enum rnl_log_level level;
	unsigned int lines;
} heard;

static void hear(void *ctx, enum rnl_log_level level, const char *module, const char *text)
{
	assert_ptr_equal(ctx, &heard);
	assert_string_equal(module, "stack");
	snprintf(heard.text, sizeof(heard.text), "%s", text);
	heard.level = level;
	heard.lines++;
}

static struct rnl_stack *make_stack(void)
{
	struct rnl_stack_config cfg = {
	    .size = sizeof(cfg),
	    .id = 7,
	    .socket_id = -1,
	    .max_conns = 16,
	    .pkt_pool = rnl_test_pkt_pool(),
	    .hdr_pool = rnl_test_hdr_pool(),
	    .log = hear,
	    .log_ctx = &heard,
	};
	struct rnl_stack *st = NULL;

	memset(&heard, 0, sizeof(heard));
	assert_int_equal(rnl_stack_create(&cfg, &st, NULL), 0);
	return st;
}

static void nothing(struct rnl_stack *st, void *arg)
{
}

static void exhaust_timers(struct rnl_stack *st)
{
	while (rnl_timer_start(st, UINT64_MAX / 2, nothing, NULL, NULL) == 0)
		;
}

static void log__says_what_ran_out_and_what_to_do(void **state)
{
	struct rnl_stack *st = make_stack();

	rnl_poll(st, 1000);
	assert_int_equal(heard.lines, 0);
	exhaust_timers(st);
	rnl_poll(st, UINT64_C(1100000000));
	assert_int_equal(heard.lines, 1);
	assert_int_equal(heard.level, RNL_LOG_WARNING);
	assert_non_null(strstr(heard.text, "stack 7: times no stack timer was free"));
	assert_non_null(strstr(heard.text, "pool_timers_empty): 1 more; share timers"));
	assert_int_equal(rnl_stack_destroy(st), 0);
}

static void log__once_a_second_and_only_news(void **state)
{
	struct rnl_stack *st = make_stack();
	uint64_t ns = UINT64_C(5000000000);

	rnl_poll(st, ns);
	for (unsigned int i = 0; i < 100; i++) {
		exhaust_timers(st);
		rnl_poll(st, ns += 1000000);
	}
	assert_int_equal(heard.lines, 0); /* a tenth of a second went by */
	rnl_poll(st, ns += 1000000000);
	assert_int_equal(heard.lines, 1);
	assert_non_null(strstr(heard.text, ": 100 more;"));
	rnl_poll(st, ns + 2000000000);
	assert_int_equal(heard.lines, 1);
	assert_int_equal(rnl_stack_destroy(st), 0);
}

static int setup(void **state)
{
	return rnl_test_env_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log__says_what_ran_out_and_what_to_do),
	    cmocka_unit_test(log__once_a_second_and_only_news),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
