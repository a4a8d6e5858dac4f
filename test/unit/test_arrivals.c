/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's schedule: even, without drift, never dropping, and the same for any number of
 * lanes. Also the reader of HTTP heads that stands behind it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "arrivals.h"
#include "http.h"

#define SECOND UINT64_C(1000000000)
#define START UINT64_C(123456789)

static void arrivals__evenly_spaced_without_drift(void **state)
{
	static const uint64_t rates[] = {1, 3, 7, 1000, 999983, 3333333, 1000000000};
	struct gen_arrivals a;
	uint64_t planned, i, n, last;
	unsigned int r;

	for (r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		gen_arrivals_init(&a, rates[r], START, 0, 1);
		n = rates[r] < 1000000 ? 3 * rates[r] : 1000000;
		last = 0;
		for (i = 0; i < n; i++) {
			assert_true(gen_arrivals_take(&a, UINT64_MAX - 1, &planned));
			/* The i-th is at exactly i / rate, rounded down. */
			assert_int_equal(planned - START, i * SECOND / rates[r]);
			assert_true(i == 0 || planned >= last);
			last = planned;
		}
	}
}

static void arrivals__not_before_their_time(void **state)
{
	struct gen_arrivals a;
	uint64_t planned;

	gen_arrivals_init(&a, 1000, START, 0, 1);
	assert_false(gen_arrivals_take(&a, START - 1, &planned));
	assert_true(gen_arrivals_take(&a, START, &planned));
	assert_false(gen_arrivals_take(&a, START + 999999, &planned));
	assert_true(gen_arrivals_take(&a, START + 1000000, &planned));
	assert_int_equal(planned, START + 1000000);
	assert_int_equal(a.taken, 2);
}

/* A stall of two seconds: all requests of that time come out, each with its own planned time. */
static void arrivals__a_stall_drops_nothing(void **state)
{
	struct gen_arrivals a;
	uint64_t planned, n = 0;

	gen_arrivals_init(&a, 1000, START, 0, 1);
	assert_int_equal(gen_arrivals_backlog(&a, START - 1), 0);
	assert_int_equal(gen_arrivals_backlog(&a, START), 1);
	assert_int_equal(gen_arrivals_backlog(&a, START + 2 * SECOND - 1), 2000);
	while (gen_arrivals_take(&a, START + 2 * SECOND - 1, &planned)) {
		assert_int_equal(planned, START + n * 1000000);
		n++;
	}
	assert_int_equal(n, 2000);
	assert_int_equal(gen_arrivals_backlog(&a, START + 2 * SECOND - 1), 0);
}

static void arrivals__lanes_share_one_schedule(void **state)
{
	struct gen_arrivals one, lane[3];
	uint64_t expect, planned;
	unsigned int i;

	gen_arrivals_init(&one, 70001, START, 0, 1);
	for (i = 0; i < 3; i++)
		gen_arrivals_init(&lane[i], 70001, START, i, 3);
	for (i = 0; i < 210003; i++) {
		assert_true(gen_arrivals_take(&one, UINT64_MAX - 1, &expect));
		assert_true(gen_arrivals_take(&lane[i % 3], UINT64_MAX - 1, &planned));
		assert_int_equal(planned, expect);
	}
}

static void arrivals__nothing_planned_past_the_end(void **state)
{
	struct gen_arrivals a;
	uint64_t planned, n = 0;

	gen_arrivals_init(&a, 1000, START, 0, 1);
	gen_arrivals_end(&a, START + SECOND);
	assert_int_equal(gen_arrivals_backlog(&a, START + 5 * SECOND), 1000);
	while (gen_arrivals_take(&a, START + 5 * SECOND, &planned))
		n++;
	assert_int_equal(n, 1000);
}

static void arrivals__closed_loop_is_always_due(void **state)
{
	struct gen_arrivals a;
	uint64_t planned;

	gen_arrivals_init(&a, 0, START, 0, 1);
	gen_arrivals_end(&a, START + 10);
	assert_true(gen_arrivals_take(&a, START + 5, &planned));
	assert_int_equal(planned, START + 5);
	assert_true(gen_arrivals_take(&a, START + 5, &planned));
	assert_int_equal(gen_arrivals_backlog(&a, START + 9), 0);
	assert_false(gen_arrivals_take(&a, START + 10, &planned));
}

static enum gen_http_error parse(const char *text, struct gen_http_head *head)
{
	return gen_http_parse(text, strlen(text), head);
}

static void http__status_length_keepalive(void **state)
{
	struct gen_http_head h;
	const char *text = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:  1400 \r\n\r\nbody";

	assert_int_equal(parse(text, &h), GEN_HTTP_OK);
	assert_int_equal(h.status, 200);
	assert_int_equal(h.body_len, 1400);
	assert_true(h.keep_alive);
	assert_false(h.interim);
	assert_int_equal(h.head_len, strlen(text) - 4);
	assert_int_equal(parse("HTTP/1.1 404 Not Found\r\nConnection: foo, Close\r\n"
	                       "Content-Length: 0\r\n\r\n",
	                       &h),
	                 GEN_HTTP_OK);
	assert_int_equal(h.status, 404);
	assert_int_equal(h.body_len, 0);
	assert_false(h.keep_alive);
	assert_int_equal(parse("HTTP/1.0 200\r\nContent-Length: 5\r\n\r\n", &h), GEN_HTTP_OK);
	assert_false(h.keep_alive);
	assert_int_equal(
	    parse("HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 5\n\n", &h),
	    GEN_HTTP_OK);
	assert_true(h.keep_alive);
}

static void http__bodies_without_length(void **state)
{
	struct gen_http_head h;

	assert_int_equal(parse("HTTP/1.1 200 OK\r\n\r\n", &h), GEN_HTTP_OK);
	assert_int_equal(h.body_len, GEN_HTTP_UNTIL_CLOSE);
	assert_false(h.keep_alive);
	assert_int_equal(parse("HTTP/1.1 204 No Content\r\n\r\n", &h), GEN_HTTP_OK);
	assert_int_equal(h.body_len, 0);
	assert_true(h.keep_alive);
	assert_int_equal(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", &h),
	                 GEN_HTTP_OK);
	assert_int_equal(h.body_len, 0);
	assert_int_equal(parse("HTTP/1.1 100 Continue\r\n\r\n", &h), GEN_HTTP_OK);
	assert_true(h.interim);
	assert_int_equal(h.body_len, 0);
}

static void http__refuses(void **state)
{
	static const struct {
		const char *text;
		enum gen_http_error want;
	} cases[] = {
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", GEN_HTTP_CHUNKED},
	    {"SSH-2.0-OpenSSH", GEN_HTTP_MALFORMED},
	    {"HTTP/2", GEN_HTTP_MALFORMED},
	    {"\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 2000\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 020 X\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
	     GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", GEN_HTTP_MALFORMED},
	    {"HTTP/1.1 200 OK\r\n: x\r\n\r\n", GEN_HTTP_MALFORMED},
	};
	struct gen_http_head h;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(parse(cases[i].text, &h), cases[i].want);
}

/* Every cut of a good head asks for more, and never reads past the octets that it was given. */
static void http__every_prefix_asks_for_more(void **state)
{
	const char *text =
	    "HTTP/1.1 200 OK\r\nContent-Length: 64\r\nConnection: keep-alive\r\n\r\n";
	char copy[128];
	struct gen_http_head h;
	size_t n;

	for (n = 0; n < strlen(text); n++) {
		memset(copy, '9', sizeof(copy));
		memcpy(copy, text, n);
		assert_int_equal(gen_http_parse(copy, n, &h), GEN_HTTP_MORE);
	}
	assert_int_equal(parse(text, &h), GEN_HTTP_OK);
}

static void http__head_without_end(void **state)
{
	static char big[GEN_HTTP_HEAD_MAX + 100];
	struct gen_http_head h;

	memset(big, 'a', sizeof(big));
	memcpy(big, "HTTP/1.1 200 OK\r\nX: ", 20);
	assert_int_equal(gen_http_parse(big, GEN_HTTP_HEAD_MAX - 1, &h), GEN_HTTP_MORE);
	assert_int_equal(gen_http_parse(big, sizeof(big), &h), GEN_HTTP_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arrivals__evenly_spaced_without_drift),
	    cmocka_unit_test(arrivals__not_before_their_time),
	    cmocka_unit_test(arrivals__a_stall_drops_nothing),
	    cmocka_unit_test(arrivals__lanes_share_one_schedule),
	    cmocka_unit_test(arrivals__nothing_planned_past_the_end),
	    cmocka_unit_test(arrivals__closed_loop_is_always_due),
	    cmocka_unit_test(http__status_length_keepalive),
	    cmocka_unit_test(http__bodies_without_length),
	    cmocka_unit_test(http__refuses),
	    cmocka_unit_test(http__every_prefix_asks_for_more),
	    cmocka_unit_test(http__head_without_end),
	};

	return cmocka_run_group_tests_name("arrivals", tests, NULL, NULL);
}
