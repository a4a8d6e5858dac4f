/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request head, parsed as it arrives: see http_parse.h. One function per state; each takes as
 * many octets as belong to its state, so the inner loops are tight and a head may be cut anywhere.
 * Strict where leniency lets one request pass for two (RFC 9112 11.2): space before a colon, folded
 * lines, bare CR, repeated or odd Content-Length are all 400. A bare LF ends a line (RFC 9112 2.2).
 * Floor 6 (app).
 */
#include <string.h>

#include <rte_common.h>

#include "http_parse.h"

enum state {
	S_START, /* before the request line: empty lines are skipped */
	S_METHOD,
	S_TARGET,
	S_SCHEME,
	S_AUTHORITY,
	S_PATH,
	S_PERCENT,
	S_QUERY, /* also the target of methods that are not served */
	S_VERSION,
	S_LINE_LF, /* CR seen at the end of a line */
	S_NAME_START,
	S_NAME,
	S_VALUE,
	S_END_LF, /* CR seen on the empty line */
	S_DONE
};

enum field { F_OTHER, F_HOST, F_LENGTH, F_CONNECTION, F_CODING, F_EXPECT };

/* What F_LENGTH has seen: kept in tok_len. */
enum { LENGTH_NONE, LENGTH_DIGITS, LENGTH_AFTER };

/* One run of octets within a state. */
struct piece {
	struct rnl_http_parser *p;
	const struct rnl_http_rules *rules;
	const uint8_t *data;
	uint32_t len;
};

void rnl_http_parser_init(struct rnl_http_parser *p)
{
	memset(p, 0, offsetof(struct rnl_http_parser, tok));
}

bool rnl_http_parser_started(const struct rnl_http_parser *p)
{
	return p->state != S_START;
}

bool rnl_http_parser_keep(const struct rnl_http_parser *p)
{
	if (p->status != 0 || p->want_close)
		return false;
	return p->minor > 0 || p->want_keep;
}

/* RFC 9110 5.6.2 */
static bool is_tchar(uint8_t c)
{
	static const uint32_t map[8] = {
	    [1] = 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 11 |
	          1u << 13 | 1u << 14 | 0x3ffu << 16,
	    [2] = 0x3ffffffu << 1 | 1u << 30 | 1u << 31,
	    [3] = 1u << 0 | 0x3ffffffu << 1 | 1u << 28 | 1u << 30,
	};

	return map[c >> 5] >> (c & 31) & 1;
}

static bool is_text(uint8_t c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static uint32_t stop(struct piece *in, uint16_t status, uint32_t at)
{
	in->p->status = status;
	in->p->state = S_DONE;
	return at;
}

static void tok_add(struct rnl_http_parser *p, uint8_t c)
{
	if (p->tok_len < sizeof(p->tok))
		p->tok[p->tok_len] = (char)c;
	if (p->tok_len < UINT8_MAX)
		p->tok_len++;
}

static bool tok_is(const struct rnl_http_parser *p, const char *text)
{
	size_t n = strlen(text);

	return p->tok_len == n && memcmp(p->tok, text, n) == 0;
}

static uint32_t step_start(struct piece *in)
{
	if (in->data[0] == '\r' || in->data[0] == '\n')
		return 1;
	in->p->state = S_METHOD;
	in->p->tok_len = 0;
	return 0;
}

static uint8_t method_of(const struct rnl_http_parser *p)
{
	static const char *const others[] = {"POST",    "PUT",   "DELETE", "OPTIONS",
	                                     "CONNECT", "TRACE", "PATCH"};
	unsigned int i;

	if (tok_is(p, "GET"))
		return RNL_HTTP_GET;
	if (tok_is(p, "HEAD"))
		return RNL_HTTP_HEAD;
	for (i = 0; i < RTE_DIM(others); i++)
		if (tok_is(p, others[i]))
			return RNL_HTTP_NOT_ALLOWED;
	return RNL_HTTP_UNKNOWN;
}

static uint32_t step_method(struct piece *in)
{
	uint32_t i;

	for (i = 0; i < in->len && is_tchar(in->data[i]); i++)
		tok_add(in->p, in->data[i]);
	if (i == in->len)
		return i;
	if (in->data[i] != ' ' || in->p->tok_len == 0)
		return stop(in, 400, i);
	in->p->method = method_of(in->p);
	in->p->state = S_TARGET;
	return i + 1;
}

static uint32_t step_target(struct piece *in)
{
	struct rnl_http_parser *p = in->p;
	uint8_t c = in->data[0];

	p->tok_len = 0;
	if (in->rules->files != NULL)
		rnl_http_cursor_init(in->rules->files, &p->at);
	if (c == ' ')
		return stop(in, 400, 0);
	if (p->method != RNL_HTTP_GET && p->method != RNL_HTTP_HEAD)
		p->state = S_QUERY;
	else if (c == '/')
		p->state = S_PATH;
	else
		p->state = S_SCHEME;
	return 0;
}

/* The absolute form, RFC 9112 3.2.2: a server must take it. */
static uint32_t step_scheme(struct piece *in)
{
	static const char scheme[] = "http://";
	struct rnl_http_parser *p = in->p;

	if (lower(in->data[0]) != (uint8_t)scheme[p->tok_len])
		return stop(in, 400, 0);
	p->target_len++;
	if (++p->tok_len == sizeof(scheme) - 1)
		p->state = S_AUTHORITY;
	return 1;
}

static void walk(struct piece *in, uint8_t c)
{
	if (in->rules->files != NULL)
		rnl_http_cursor_step(in->rules->files, &in->p->at, c);
}

/* Counts n octets of target. */
static uint32_t target_took(struct piece *in, uint32_t n)
{
	if (in->p->target_len + n > RNL_HTTP_TARGET_MAX)
		return stop(in, 414, n);
	in->p->target_len += (uint16_t)n;
	return n;
}

static bool is_target(uint8_t c)
{
	return c > 0x20 && c != 0x7f && c != '#';
}

/* The octet after a target's part at data[i]: what comes next. */
static uint32_t target_next(struct piece *in, uint32_t i)
{
	struct rnl_http_parser *p = in->p;

	switch (in->data[i]) {
	case ' ':
		p->state = S_VERSION;
		p->tok_len = 0;
		break;
	case '?':
		p->state = S_QUERY;
		break;
	case '%':
		p->state = S_PERCENT;
		p->hex = 0;
		break;
	default:
		return stop(in, 400, i);
	}
	return target_took(in, i + 1);
}

static uint32_t step_authority(struct piece *in)
{
	uint32_t i;
	uint8_t c = 0;

	for (i = 0; i < in->len; i++) {
		c = in->data[i];
		if (c == '/' || c == '?' || !is_target(c))
			break;
	}
	if (i == in->len)
		return target_took(in, i);
	if (c == '/') {
		in->p->state = S_PATH;
		return target_took(in, i);
	}
	walk(in, '/'); /* an empty path is "/" */
	return target_next(in, i);
}

static uint32_t step_path(struct piece *in)
{
	uint32_t i;

	for (i = 0; i < in->len; i++) {
		uint8_t c = in->data[i];

		if (c == '?' || c == '%' || !is_target(c))
			return target_next(in, i);
		walk(in, c);
	}
	return target_took(in, i);
}

static int hex_digit(uint8_t c)
{
	c = lower(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t step_percent(struct piece *in)
{
	struct rnl_http_parser *p = in->p;
	int digit = hex_digit(in->data[0]);

	if (digit < 0)
		return stop(in, 400, 0);
	if ((p->hex & 0x80) == 0) {
		p->hex = (uint8_t)(0x80 | digit);
		return target_took(in, 1);
	}
	digit |= (p->hex & 0xf) << 4;
	if (digit == 0)
		return stop(in, 400, 0);
	walk(in, (uint8_t)digit);
	p->state = S_PATH;
	return target_took(in, 1);
}

static uint32_t step_query(struct piece *in)
{
	uint32_t i;

	for (i = 0; i < in->len && is_target(in->data[i]); i++)
		;
	if (i == in->len)
		return target_took(in, i);
	if (in->data[i] != ' ')
		return stop(in, 400, i);
	return target_next(in, i);
}

static uint16_t check_version(struct rnl_http_parser *p)
{
	if (p->tok_len != 8 || memcmp(p->tok, "HTTP/", 5) != 0 || p->tok[6] != '.' ||
	    hex_digit((uint8_t)p->tok[5]) < 0 || p->tok[7] < '0' || p->tok[7] > '9')
		return 400;
	if (p->tok[5] != '1')
		return 505;
	p->minor = p->tok[7] != '0';
	return 0;
}

static uint32_t step_version(struct piece *in)
{
	struct rnl_http_parser *p = in->p;
	uint16_t status;
	uint32_t i;

	for (i = 0; i < in->len && is_text(in->data[i]); i++)
		tok_add(p, in->data[i]);
	if (i == in->len)
		return i;
	if (in->data[i] != '\r' && in->data[i] != '\n')
		return stop(in, 400, i);
	status = check_version(p);
	if (status != 0)
		return stop(in, status, i);
	p->state = in->data[i] == '\r' ? S_LINE_LF : S_NAME_START;
	return i + 1;
}

static uint32_t step_line_lf(struct piece *in)
{
	if (in->data[0] != '\n')
		return stop(in, 400, 0);
	in->p->state = S_NAME_START;
	return 1;
}

/* The head is whole: what the fields mean together. */
static uint16_t verdict(const struct rnl_http_parser *p)
{
	if (p->minor > 0 && !p->has_host)
		return 400; /* RFC 9112 3.2 */
	if (p->chunked)
		return p->has_length ? 400 : 501; /* RFC 9112 6.3 */
	return p->expect ? 501 : 0;
}

static uint32_t step_end_lf(struct piece *in)
{
	if (in->data[0] != '\n')
		return stop(in, 400, 0);
	return stop(in, verdict(in->p), 1);
}

static uint32_t step_name_start(struct piece *in)
{
	struct rnl_http_parser *p = in->p;

	if (in->data[0] == '\r') {
		p->state = S_END_LF;
		return 1;
	}
	if (in->data[0] == '\n')
		return stop(in, verdict(p), 1);
	p->tok_len = 0;
	p->state = S_NAME;
	return 0;
}

static uint8_t field_of(const struct rnl_http_parser *p)
{
	static const struct {
		const char *name;
		enum field field;
	} fields[] = {
	    {"host", F_HOST},
	    {"content-length", F_LENGTH},
	    {"connection", F_CONNECTION},
	    {"transfer-encoding", F_CODING},
	    {"expect", F_EXPECT},
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(fields); i++)
		if (tok_is(p, fields[i].name))
			return (uint8_t)fields[i].field;
	return F_OTHER;
}

/* A field begins. @return whether the request is still right. */
static bool field_begin(struct rnl_http_parser *p)
{
	bool again = false;

	p->field = field_of(p);
	p->tok_len = 0; /* LENGTH_NONE */
	switch (p->field) {
	case F_HOST:
		again = p->has_host;
		p->has_host = true;
		break;
	case F_LENGTH:
		again = p->has_length;
		p->has_length = true;
		break;
	case F_CODING:
		p->chunked = true;
		break;
	case F_EXPECT:
		p->expect = true;
		break;
	default:
		break;
	}
	return !again;
}

static uint32_t step_name(struct piece *in)
{
	struct rnl_http_parser *p = in->p;
	uint32_t i;

	for (i = 0; i < in->len && is_tchar(in->data[i]); i++)
		tok_add(p, lower(in->data[i]));
	if (i == in->len)
		return i;
	if (in->data[i] != ':' || p->tok_len == 0 || !field_begin(p))
		return stop(in, 400, i);
	p->state = S_VALUE;
	return i + 1;
}

/* One octet of Content-Length (RFC 9110 8.6). @return whether it may stand there. */
static bool length_octet(struct rnl_http_parser *p, uint8_t c)
{
	if (c == ' ' || c == '\t') {
		if (p->tok_len == LENGTH_DIGITS)
			p->tok_len = LENGTH_AFTER;
		return true;
	}
	if (c < '0' || c > '9' || p->tok_len == LENGTH_AFTER || p->content_length >> 58 != 0)
		return false;
	p->tok_len = LENGTH_DIGITS;
	p->content_length = p->content_length * 10 + (c - '0');
	return true;
}

static void connection_end(struct rnl_http_parser *p)
{
	p->want_close |= tok_is(p, "close");
	p->want_keep |= tok_is(p, "keep-alive");
	p->tok_len = 0;
}

/* One octet of Connection: a list of tokens (RFC 9110 7.6.1). */
static void connection_octet(struct rnl_http_parser *p, uint8_t c)
{
	if (c == ',')
		connection_end(p);
	else if (c != ' ' && c != '\t')
		tok_add(p, lower(c));
}

/* A value's octet for the two fields that are read. @return whether it may stand there. */
static bool value_octet(struct rnl_http_parser *p, uint8_t c)
{
	if (p->field == F_LENGTH)
		return length_octet(p, c);
	connection_octet(p, c);
	return true;
}

static uint32_t step_value(struct piece *in)
{
	struct rnl_http_parser *p = in->p;
	const bool read = p->field == F_LENGTH || p->field == F_CONNECTION;
	uint32_t i;

	for (i = 0; i < in->len && is_text(in->data[i]); i++)
		if (read && !value_octet(p, in->data[i]))
			return stop(in, 400, i);
	if (i == in->len)
		return i;
	if (in->data[i] != '\r' && in->data[i] != '\n')
		return stop(in, 400, i);
	if (p->field == F_LENGTH && p->tok_len == LENGTH_NONE)
		return stop(in, 400, i);
	if (p->field == F_CONNECTION)
		connection_end(p);
	p->state = in->data[i] == '\r' ? S_LINE_LF : S_NAME_START;
	return i + 1;
}

/* The head is longer than the rules allow. */
static uint16_t too_long(const struct rnl_http_parser *p)
{
	return p->state >= S_TARGET && p->state <= S_QUERY ? 414 : 431;
}

uint32_t rnl_http_parse(struct rnl_http_parser *p, const struct rnl_http_rules *rules,
                        const uint8_t *data, uint32_t len)
{
	static uint32_t (*const steps[])(struct piece * in) = {
	    [S_START] = step_start,           [S_METHOD] = step_method,
	    [S_TARGET] = step_target,         [S_SCHEME] = step_scheme,
	    [S_AUTHORITY] = step_authority,   [S_PATH] = step_path,
	    [S_PERCENT] = step_percent,       [S_QUERY] = step_query,
	    [S_VERSION] = step_version,       [S_LINE_LF] = step_line_lf,
	    [S_NAME_START] = step_name_start, [S_NAME] = step_name,
	    [S_VALUE] = step_value,           [S_END_LF] = step_end_lf,
	};
	uint32_t room = rules->head_max - p->head_len;
	struct piece in = {.p = p, .rules = rules};
	uint32_t i = 0;

	while (p->state != S_DONE && i < RTE_MIN(len, room)) {
		in.data = data + i;
		in.len = RTE_MIN(len, room) - i;
		i += steps[p->state](&in);
	}
	p->head_len += i;
	if (p->state != S_DONE && p->head_len == rules->head_max) {
		p->status = too_long(p);
		p->state = S_DONE;
	}
	p->done = p->state == S_DONE;
	return i;
}
