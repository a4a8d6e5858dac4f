/* SPDX-License-Identifier: BSD-3-Clause */
/* Request heads of engine http, each at every cut. */
#include <stdio.h>
#include <string.h>

#include "http_parse.h"
#include "paper.h"

struct wish {
	const char *text;
	uint16_t status;
	uint8_t method;
	bool keep;
	uint64_t length;
	const char *path; /* that must be found; NULL: none is */
};

static const struct wish wishes[] = {
    {"GET / HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, "/"},
    {"\r\n\nGET / HTTP/1.1\n"
     "host:a\n\n",
     0, RNL_HTTP_GET, true, 0, "/"},
    {"HEAD /a.txt?x=/../y HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_HEAD, true, 0, "/a.txt"},
    {"GET /%61%2Etxt HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, "/a.txt"},
    {"GET http://h:80/a.txt HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, "/a.txt"},
    {"GET HTTP://h HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, "/"},
    {"GET http://h?q HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, "/"},
    {"GET /../etc/passwd HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, NULL},
    {"GET /a.tx HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, NULL},
    {"GET /a.txtt HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, NULL},
    {"GET / HTTP/1.0\r\n\r\n", 0, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, RNL_HTTP_GET, true, 0, "/"},
    {"GET / HTTP/1.1\r\nConnection: x , CLOSE\r\n" HOST "\r\n", 0, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1\r\nConnection: closed\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, "/"},
    {"GET / HTTP/1.7\r\n" HOST "\r\n", 0, RNL_HTTP_GET, true, 0, "/"},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length:  12 \r\n\r\n", 0, RNL_HTTP_GET, true, 12, "/"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n", 0, RNL_HTTP_NOT_ALLOWED, true, 3,
     NULL},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_NOT_ALLOWED, true, 0, NULL},
    {"BREW /pot HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_UNKNOWN, true, 0, NULL},
    {"get / HTTP/1.1\r\n" HOST "\r\n", 0, RNL_HTTP_UNKNOWN, true, 0, NULL},
    {"GET / HTTP/1.1\r\n\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET /\r\n", 400, RNL_HTTP_GET, false, 0, NULL},
    {"GET  / HTTP/1.1\r\n", 400, RNL_HTTP_GET, false, 0, NULL},
    {"GET / HTTX/1.1\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1 \r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/2.0\r\n", 505, RNL_HTTP_GET, false, 0, "/"},
    {"GET /%zz HTTP/1.1\r\n", 400, RNL_HTTP_GET, false, 0, NULL},
    {"GET /%00 HTTP/1.1\r\n", 400, RNL_HTTP_GET, false, 0, NULL},
    {"GET /%4 HTTP/1.1\r\n", 400, RNL_HTTP_GET, false, 0, NULL},
    {"GET /#f HTTP/1.1\r\n", 400, RNL_HTTP_GET, false, 0, NULL},
    {"GET ftp://h/ HTTP/1.1\r\n", 400, RNL_HTTP_GET, false, 0, NULL},
    {"GET / HTTP/1.1\r\nHost : a\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1\r\n" HOST " folded\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1\r\nHost: a\rb\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1\r\n: a\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1\r\n" HOST "\rX", 400, RNL_HTTP_GET, false, 0, "/"},
    {" GET / HTTP/1.1\r\n", 400, RNL_HTTP_GET, false, 0, NULL},
    {"GET / HTTP/1.1\r\nContent-Length: 1 2\r\n", 400, RNL_HTTP_GET, false, 1, "/"},
    {"GET / HTTP/1.1\r\nContent-Length: -1\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1\r\nContent-Length:\r\n", 400, RNL_HTTP_GET, false, 0, "/"},
    {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400, RNL_HTTP_GET, false, 1,
     "/"},
    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 501, RNL_HTTP_GET, false, 0,
     "/"},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
     RNL_HTTP_GET, false, 1, "/"},
    {"GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", 501, RNL_HTTP_GET, false, 0, "/"},
};

static void small_table(struct rnl_http_files *f)
{
	static const char *const paths[] = {"/b/", "/a.txt", "/", "/a", "/b/index.html"};
	const struct rnl_http_content c = {.status = 200};
	unsigned int i;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_non_null(rnl_http_files_add(f, paths[i], &c));
	rnl_http_files_sort(f);
}

static const struct rnl_http_answer *find_by_path(const struct rnl_http_files *f, const char *path)
{
	uint32_t i;

	for (i = 0; i < f->count; i++)
		if (strcmp(f->file[i].path, path) == 0)
			return &f->file[i].answer;
	return NULL;
}

static void check_wish(const struct wish *w, const struct rnl_http_parser *p,
                       const struct rnl_http_files *f)
{
	const struct rnl_http_answer *a;

	if (!p->done || p->status != w->status)
		fail_msg("%s: status %u, not %u", w->text, p->status, w->status);
	assert_int_equal(p->method, w->method);
	assert_int_equal(rnl_http_parser_keep(p), w->keep);
	assert_int_equal(p->content_length, w->length);
	if (p->method > RNL_HTTP_HEAD || p->status != 0)
		return;
	a = rnl_http_cursor_find(f, &p->at);
	if ((a == NULL) != (w->path == NULL))
		fail_msg("%s: path", w->text);
	if (a != NULL)
		assert_ptr_equal(a, find_by_path(f, w->path));
}

/* Feeds text cut at `cut`, then octet by octet when cut is SIZE_MAX. @return octets taken. */
static size_t parse_cut(struct rnl_http_parser *p, const struct rnl_http_rules *rules,
                        const char *text, size_t cut)
{
	size_t len = strlen(text), i = 0;

	rnl_http_parser_init(p);
	while (i < len && !p->done) {
		size_t n = cut == SIZE_MAX ? 1 : i < cut ? cut - i : len - i;

		i += rnl_http_parse(p, rules, (const uint8_t *)text + i, (uint32_t)n);
	}
	return i;
}

static void http_parse__every_request_at_every_cut(void **state)
{
	struct rnl_http_files f;
	const struct rnl_http_rules rules = {.files = &f, .head_max = 4096};
	struct rnl_http_parser p;
	size_t i, cut;

	small_table(&f);
	for (i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		const struct wish *w = &wishes[i];

		for (cut = 0; cut <= strlen(w->text); cut++) {
			size_t took = parse_cut(&p, &rules, w->text, cut);

			check_wish(w, &p, &f);
			if (w->status == 0)
				assert_int_equal(took, strlen(w->text));
		}
		parse_cut(&p, &rules, w->text, SIZE_MAX);
		check_wish(w, &p, &f);
	}
	rnl_http_files_free(&f);
}

static void http_parse__takes_nothing_past_the_head(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\n" HOST "\r\nGET /next";
	const struct rnl_http_rules rules = {.head_max = 4096};
	struct rnl_http_parser p;

	assert_int_equal(parse_cut(&p, &rules, text, 0), strlen(text) - strlen("GET /next"));
}

static void http_parse__limits(void **state)
{
	static char text[RNL_HTTP_TARGET_MAX + 64];
	struct rnl_http_rules rules = {.head_max = 65536};
	struct rnl_http_parser p;

	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "GET /", 5);
	parse_cut(&p, &rules, text, 0);
	assert_int_equal(p.status, 414);
	parse_cut(&p, &rules, text, SIZE_MAX);
	assert_int_equal(p.status, 414);
	rules.head_max = 256;
	parse_cut(&p, &rules, text, 0);
	assert_int_equal(p.status, 414);
	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nX: ");
	text[strlen(text)] = 'a';
	parse_cut(&p, &rules, text, SIZE_MAX);
	assert_int_equal(p.status, 431);
	assert_int_equal(p.head_len, 256);
}

static void http_parse__field_names_are_tokens(void **state)
{
	static const char tchars[] = "!#$%&'*+-.^_`|~0123456789"
				     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const struct rnl_http_rules rules = {.head_max = 4096};
	struct rnl_http_parser p;
	char text[64];
	int c;

	for (c = 1; c < 256; c++) {
		if (c == ':' || c == '\r' || c == '\n')
			continue;
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\na%c: b\r\n" HOST "\r\n", c);
		parse_cut(&p, &rules, text, 0);
		assert_int_equal(p.status, strchr(tchars, c) != NULL ? 0 : 400);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(http_parse__every_request_at_every_cut),
	    cmocka_unit_test(http_parse__takes_nothing_past_the_head),
	    cmocka_unit_test(http_parse__limits),
	    cmocka_unit_test(http_parse__field_names_are_tokens),
	};

	return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}
