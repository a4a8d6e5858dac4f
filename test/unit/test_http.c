/* SPDX-License-Identifier: BSD-3-Clause */
/* Engine http over a stack made of paper: files, pipelining, room, ends and time limits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "paper.h"

static void put_file(const char *root, const char *name, size_t len)
{
	char path[512];
	size_t i;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	for (i = 0; i < len; i++)
		fputc((int)('a' + i % 26), f);
	assert_int_equal(fclose(f), 0);
}

static void put_folder(const char *root, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static char site[] = "/tmp/runnel-http-XXXXXX";

static int make_site(void **state)
{
	char path[512];

	assert_non_null(mkdtemp(site));
	put_file(site, "index.html", 10);
	put_file(site, ".hidden", 10);
	put_file(site, "empty", 0);
	put_file(site, "big.bin", 300000);
	put_folder(site, "sub dir");
	put_file(site, "sub dir/index.html", 20);
	snprintf(path, sizeof(path), "%s/link", site);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	return 0;
}

static int remove_site(void **state)
{
	static const char *const names[] = {"index.html",         ".hidden", "empty", "big.bin",
	                                    "sub dir/index.html", "sub dir", "link",  ""};
	char path[512];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", site, names[i]);
		if (remove(path) != 0)
			return -1;
	}
	return 0;
}

/* Status of GET `path` on a server of the site. */
static void expect_status(const char *path, const char *status)
{
	struct peer p;
	char text[600];

	snprintf(text, sizeof(text), "http:80,root=%s", site);
	peer_open(&p, text);
	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
	peer_say(&p, text);
	if (strncmp(peer_heard(), status, strlen(status)) != 0)
		fail_msg("GET %s: %.40s", path, peer_heard());
	peer_close(&p);
}

static void http_files__serves_the_folder_and_nothing_else(void **state)
{
	expect_status("/", "HTTP/1.1 200 OK\r\nContent-Type: text/html");
	expect_status("/index.html", "HTTP/1.1 200");
	expect_status("/empty", "HTTP/1.1 200");
	expect_status("/sub%20dir/", "HTTP/1.1 200");
	expect_status("/sub%20dir", "HTTP/1.1 301 Moved Permanently\r\nLocation: /sub%20dir/\r\n");
	expect_status("/.hidden", "HTTP/1.1 404");
	expect_status("/link", "HTTP/1.1 404");
	expect_status("/../../etc/passwd", "HTTP/1.1 404");
	expect_status("/%2e%2e/%2e%2e/etc/passwd", "HTTP/1.1 404");
	expect_status("//index.html", "HTTP/1.1 404");
	expect_status("/index.htm", "HTTP/1.1 404");
}

static void http_files__large_body_through_any_room(void **state)
{
	static const size_t steps[] = {4096, 5000, 65536, 1u << 20};
	struct peer p;
	char text[600];
	size_t i, j, head;

	snprintf(text, sizeof(text), "http:80,root=%s", site);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		peer_open(&p, text);
		fake.room = 10;
		peer_say(&p, "GET /big.bin HTTP/1.1\r\n" HOST "\r\n"
		             "HEAD /big.bin HTTP/1.1\r\n" HOST "\r\n");
		peer_drain(&p, steps[i]);
		head = (size_t)(strstr(peer_heard(), "\r\n\r\n") + 4 - peer_heard());
		assert_int_equal(fake.out_len, 2 * head + 300000);
		for (j = 0; j < 300000; j++)
			assert_int_equal(fake.out[head + j], 'a' + j % 26);
		assert_memory_equal(fake.out, fake.out + head + 300000, head);
		assert_true(heard("Content-Length: 300000\r\n"));
		assert_true(fake.zc_calls > 0);
		peer_close(&p);
	}
}

static void http_files__refuses_a_folder_that_is_not_there(void **state)
{
	struct rnl_service s;
	struct rnl_error err;

	assert_int_equal(rnl_service_parse("http:80,root=/no/such/folder", &s, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/no/such/folder"));
}

#define OK_HEAD(n) "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " n "\r\n"

static void http__pipelined_requests_at_every_cut(void **state)
{
	static const char in[] = "GET /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
				 "HEAD /b HTTP/1.1\r\n" HOST "\r\n"
				 "\r\nGET /c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
				 "DELETE /d HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nxx"
				 "GET /e HTTP/1.1\r\n" HOST "\r\n";
	static const char expected[] = OK_HEAD("4") "\r\n0123" OK_HEAD("4") "\r\n" OK_HEAD(
	    "4") "Connection: keep-alive\r\n\r\n0123"
		 "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\n"
		 "Allow: GET, HEAD\r\nContent-Length: 23\r\n\r\n405 Method Not Allowed\n" OK_HEAD(
		     "4") "\r\n0123";
	struct peer p;
	size_t cut;

	for (cut = 0; cut <= strlen(in); cut++) {
		peer_open(&p, "http:80,body=4");
		fake.room = cut; /* the send buffer's room varies along */
		peer_input(&p, in, cut);
		peer_input(&p, in + cut, strlen(in) - cut);
		peer_drain(&p, 1 + cut % 7);
		assert_string_equal(peer_heard(), expected);
		assert_int_equal(p.in_len, 0);
		assert_false(fake.fin || fake.closed);
		assert_int_equal(rnl_engine_read(p.run.ctx, RNL_ENGINE_REQUESTS), 5);
		assert_int_equal(rnl_engine_read(p.run.ctx, RNL_ENGINE_RX_BYTES), strlen(in));
		peer_close(&p);
	}
}

static void http__consumes_nothing_while_an_answer_waits(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\n" HOST "\r\n";
	struct peer p;

	peer_open(&p, "http:80,body=100000");
	fake.room = 5000;
	peer_say(&p, get);
	peer_say(&p, get);
	assert_int_equal(p.in_len, strlen(get));
	fake.want_writable = false;
	fake.room = OUT_MAX - fake.out_len;
	p.ops->writable(no_stack, CONN, fake.ctx);
	assert_true(fake.resumed);
	peer_offer(&p);
	assert_int_equal(p.in_len, 0);
	peer_close(&p);
}

static void http__repeated_block_is_one_body(void **state)
{
	const size_t len = 3u * (1u << 20) + 777;
	struct peer p;
	size_t head, i;
	uint8_t sum = 0;

	peer_open(&p, "http:80,body=3146505");
	peer_say(&p, "GET / HTTP/1.1\r\n" HOST "\r\n");
	peer_drain(&p, 100000);
	assert_non_null(strstr(peer_heard(), "Content-Length: 3146505\r\n"));
	head = (size_t)(strstr(peer_heard(), "\r\n\r\n") + 4 - peer_heard());
	assert_int_equal(fake.out_len, head + len);
	for (i = 64; i < len; i++)
		sum |= fake.out[head + i] ^ fake.out[head + i - 64];
	assert_int_equal(sum, 0);
	peer_close(&p);
}

static void http__close_half_closes_and_drains(void **state)
{
	struct peer p;

	peer_open(&p, "http:80,body=4");
	peer_say(&p, "GET / HTTP/1.1\r\nConnection: close\r\n" HOST "\r\nGET /never HTTP/1.1\r\n");
	assert_string_equal(peer_heard(), OK_HEAD("4") "Connection: close\r\n\r\n0123");
	assert_true(fake.fin && !fake.closed);
	peer_say(&p, "more that nobody reads");
	assert_int_equal(p.in_len, 0);
	p.ops->peer_closed(no_stack, CONN, fake.ctx);
	assert_true(fake.closed && !fake.aborted);
	peer_close(&p);
}

static void http__drain_ends_by_the_clock(void **state)
{
	struct peer p;

	peer_open(&p, "http:80,body=4,close");
	peer_say(&p, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_true(fake.fin);
	assert_int_not_equal(fake.timer, 0);
	fake.now = fake.timer - 1;
	peer_say(&p, "a client that goes on sending gains nothing");
	p.ops->timer(no_stack, CONN, fake.ctx);
	assert_false(fake.closed);
	fake.now++;
	p.ops->timer(no_stack, CONN, fake.ctx);
	assert_true(fake.closed);
	peer_close(&p);
}

static void http__errors_close_the_connection(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
	    {"GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 "},
	    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 501 "},
	    {"GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", "HTTP/1.1 501 "},
	};
	struct peer p;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		peer_open(&p, "http:80");
		peer_say(&p, cases[i].in);
		assert_memory_equal(peer_heard(), cases[i].out, strlen(cases[i].out));
		assert_true(heard("Connection: close\r\n"));
		assert_true(fake.fin);
		assert_int_equal(rnl_engine_read(p.run.ctx, RNL_ENGINE_HTTP_ERRORS), 1);
		peer_close(&p);
	}
}

static void http__long_heads_and_targets(void **state)
{
	static char big[20000];
	struct peer p;

	memset(big, 'x', sizeof(big) - 1);
	peer_open(&p, "http:80");
	peer_say(&p, "GET /");
	peer_say(&p, big);
	assert_memory_equal(peer_heard(), "HTTP/1.1 414 ", 13);
	peer_close(&p);
	peer_open(&p, "http:80");
	peer_say(&p, "GET / HTTP/1.1\r\nX: ");
	peer_say(&p, big);
	assert_memory_equal(peer_heard(), "HTTP/1.1 431 ", 13);
	peer_close(&p);
}

static void http__peer_closes_while_an_answer_waits(void **state)
{
	struct peer p;

	peer_open(&p, "http:80,body=5000");
	fake.room = 0;
	peer_say(&p, "GET / HTTP/1.1\r\n" HOST "\r\n");
	p.ops->peer_closed(no_stack, CONN, fake.ctx);
	assert_false(fake.closed);
	peer_drain(&p, 1500);
	assert_true(fake.out_len > 5000);
	assert_true(fake.closed && !fake.aborted);
	peer_close(&p);
}

static void http__peer_closes_when_idle(void **state)
{
	struct peer p;

	peer_open(&p, "http:80");
	p.ops->peer_closed(no_stack, CONN, fake.ctx);
	assert_true(fake.closed);
	peer_close(&p);
}

#define S UINT64_C(1000000000)

static void http__idle_timeout_is_lazy(void **state)
{
	struct peer p;

	peer_open(&p, "http:80,idle=60");
	assert_int_equal(fake.timer, 1000 + 60 * S);
	fake.now = 50 * S;
	peer_say(&p, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(fake.timer, 1000 + 60 * S); /* not moved by a request */
	fake.now = fake.timer;
	p.ops->timer(no_stack, CONN, fake.ctx);
	assert_false(fake.closed);
	assert_int_equal(fake.timer, 110 * S);
	fake.now = fake.timer;
	p.ops->timer(no_stack, CONN, fake.ctx);
	assert_true(fake.closed && !fake.aborted);
	assert_int_equal(rnl_engine_read(p.run.ctx, RNL_ENGINE_IDLE_CLOSED), 1);
	peer_close(&p);
}

static void http__slow_head_is_cut_off(void **state)
{
	struct peer p;

	peer_open(&p, "http:80,idle=60,head-timeout=10");
	fake.now = 5 * S;
	peer_say(&p, "G");
	assert_int_equal(fake.timer, 15 * S);
	fake.now = 14 * S;
	peer_say(&p, "ET / HTTP/1.1\r\nX: y\r\n"); /* progress does not help */
	fake.now = 15 * S;
	p.ops->timer(no_stack, CONN, fake.ctx);
	assert_true(fake.closed);
	peer_close(&p);
}

static void http__idle_limit_holds_within_a_head(void **state)
{
	struct peer p;

	peer_open(&p, "http:80,idle=2,head-timeout=10");
	fake.now = 1 * S;
	peer_say(&p, "G");
	assert_int_equal(fake.timer, 3 * S);
	peer_close(&p);
	peer_open(&p, "http:80,idle=0,head-timeout=10");
	assert_int_equal(fake.timer, 0);
	fake.now = 1 * S;
	peer_say(&p, "G");
	assert_int_equal(fake.timer, 11 * S);
	peer_close(&p);
}

static void http__unread_answer_is_aborted(void **state)
{
	struct peer p;

	peer_open(&p, "http:80,idle=60,body=1M");
	fake.room = 100;
	peer_say(&p, "GET / HTTP/1.1\r\n" HOST "\r\n");
	fake.now = 61 * S;
	p.ops->timer(no_stack, CONN, fake.ctx);
	assert_true(fake.aborted);
	peer_close(&p);
}

static void http__no_state_left_refuses(void **state)
{
	struct peer p;
	void *mine;
	int i;

	peer_open(&p, "http:80,conns=2");
	mine = fake.ctx;
	assert_true(p.ops->admit(no_stack, p.listener_ctx, NULL));
	p.ops->accepted(no_stack, CONN + 1, p.listener_ctx);
	assert_ptr_not_equal(fake.ctx, mine);
	for (i = 0; i < 3; i++)
		assert_false(p.ops->admit(no_stack, p.listener_ctx, NULL));
	assert_int_equal(rnl_engine_read(p.run.ctx, RNL_ENGINE_REFUSED), 3);
	p.ops->closed(no_stack, CONN + 1, fake.ctx, RNL_REASON_RESET);
	assert_int_equal(rnl_engine_read(p.run.ctx, RNL_ENGINE_FAILED), 1);
	assert_true(p.ops->admit(no_stack, p.listener_ctx, NULL));
	/* One that was half-open all the while comes too late. */
	p.ops->accepted(no_stack, CONN + 1, p.listener_ctx);
	p.ops->accepted(no_stack, CONN + 2, p.listener_ctx);
	assert_true(fake.aborted);
	assert_null(fake.ctx);
	p.ops->closed(no_stack, CONN + 2, fake.ctx, RNL_REASON_LOCAL_ABORT);
	fake.ctx = mine;
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(http_files__serves_the_folder_and_nothing_else),
	    cmocka_unit_test(http_files__large_body_through_any_room),
	    cmocka_unit_test(http_files__refuses_a_folder_that_is_not_there),
	    cmocka_unit_test(http__pipelined_requests_at_every_cut),
	    cmocka_unit_test(http__consumes_nothing_while_an_answer_waits),
	    cmocka_unit_test(http__repeated_block_is_one_body),
	    cmocka_unit_test(http__close_half_closes_and_drains),
	    cmocka_unit_test(http__drain_ends_by_the_clock),
	    cmocka_unit_test(http__errors_close_the_connection),
	    cmocka_unit_test(http__long_heads_and_targets),
	    cmocka_unit_test(http__peer_closes_while_an_answer_waits),
	    cmocka_unit_test(http__peer_closes_when_idle),
	    cmocka_unit_test(http__idle_timeout_is_lazy),
	    cmocka_unit_test(http__slow_head_is_cut_off),
	    cmocka_unit_test(http__idle_limit_holds_within_a_head),
	    cmocka_unit_test(http__unread_answer_is_aborted),
	    cmocka_unit_test(http__no_state_left_refuses),
	};

	if (paper_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("http", tests, make_site, remove_site);
}
