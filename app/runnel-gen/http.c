/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The head of an HTTP/1 response. See http.h.
 * Floor: 6 (application). Pure. RFC 9110, RFC 9112.
 */
#include <string.h>
#include <strings.h>

#include "http.h"

/* What the fields said, before they are put together. */
struct fields {
	bool has_length, close, keep_alive;
	uint64_t length;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.x SSS" and then a space or the end (RFC 9112 4). */
static bool parse_status(const char *p, size_t len, struct gen_http_head *out, bool *minor0)
{
	if (len < 12 || memcmp(p, "HTTP/1.", 7) != 0 || !is_digit(p[7]) || p[8] != ' ')
		return false;
	if (!is_digit(p[9]) || !is_digit(p[10]) || !is_digit(p[11]) || p[9] == '0')
		return false;
	if (len > 12 && p[12] != ' ')
		return false;
	*minor0 = p[7] == '0';
	out->status = (uint16_t)((p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0'));
	out->interim = out->status < 200;
	return true;
}

/* A number of at most 18 digits and nothing else: a length past 10^18 is not believed. */
static bool parse_length(const char *p, size_t len, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (len == 0 || len > 18)
		return false;
	for (i = 0; i < len; i++) {
		if (!is_digit(p[i]))
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*out = v;
	return true;
}

static bool is_name(const char *p, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(p, name, len) == 0;
}

static const char *trim(const char *p, size_t *len)
{
	while (*len > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		(*len)--;
	}
	while (*len > 0 && (p[*len - 1] == ' ' || p[*len - 1] == '\t'))
		(*len)--;
	return p;
}

/* The options of Connection, a list (RFC 9110 7.6.1). */
static void parse_connection(const char *p, size_t len, struct fields *f)
{
	const char *comma, *item;
	size_t n, rest;

	for (;;) {
		comma = memchr(p, ',', len);
		rest = comma == NULL ? len : (size_t)(comma - p);
		n = rest;
		item = trim(p, &n);
		f->close |= is_name(item, n, "close");
		f->keep_alive |= is_name(item, n, "keep-alive");
		if (comma == NULL)
			return;
		p += rest + 1;
		len -= rest + 1;
	}
}

static enum gen_http_error parse_field(const char *p, size_t len, struct fields *f)
{
	const char *colon = memchr(p, ':', len), *value;
	size_t name_len, value_len;
	uint64_t length;

	if (colon == NULL || colon == p)
		return GEN_HTTP_MALFORMED;
	name_len = (size_t)(colon - p);
	/* No space before the colon: RFC 9112 5.1. */
	if (p[name_len - 1] == ' ' || p[name_len - 1] == '\t')
		return GEN_HTTP_MALFORMED;
	value_len = len - name_len - 1;
	value = trim(colon + 1, &value_len);
	if (is_name(p, name_len, "transfer-encoding"))
		return GEN_HTTP_CHUNKED;
	if (is_name(p, name_len, "connection"))
		parse_connection(value, value_len, f);
	if (!is_name(p, name_len, "content-length"))
		return GEN_HTTP_OK;
	if (!parse_length(value, value_len, &length) || (f->has_length && f->length != length))
		return GEN_HTTP_MALFORMED;
	f->has_length = true;
	f->length = length;
	return GEN_HTTP_OK;
}

/* RFC 9112 6.3 (body) and 9.3 (persistence), for answers to GET. */
static void conclude(struct gen_http_head *out, const struct fields *f, bool minor0)
{
	bool bodyless = out->interim || out->status == 204 || out->status == 304;

	out->keep_alive = minor0 ? f->keep_alive && !f->close : !f->close;
	out->body_len = f->length;
	if (bodyless) {
		out->body_len = 0;
	} else if (!f->has_length) {
		out->body_len = GEN_HTTP_UNTIL_CLOSE;
		out->keep_alive = false;
	}
}

/* The next line without its CR LF (or lone LF: RFC 9112 2.2). @return NULL when it is not whole. */
static const char *next_line(const char *p, const char *end, size_t *len)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	if (lf == NULL)
		return NULL;
	*len = (size_t)(lf - p);
	if (*len > 0 && p[*len - 1] == '\r')
		(*len)--;
	return lf + 1;
}

/* Something that cannot become a status line needs no end of line to be refused. */
static bool cannot_be_http(const char *p, size_t len)
{
	static const char magic[] = "HTTP/1.";
	size_t n = len < sizeof(magic) - 1 ? len : sizeof(magic) - 1;

	return memcmp(p, magic, n) != 0;
}

enum gen_http_error gen_http_parse(const char *buf, size_t len, struct gen_http_head *out)
{
	const char *p = buf, *end, *next;
	struct fields f = {0};
	bool minor0 = false, first = true;
	enum gen_http_error e;
	size_t n;

	end = buf + (len < GEN_HTTP_HEAD_MAX ? len : GEN_HTTP_HEAD_MAX);
	*out = (struct gen_http_head){0};
	if (cannot_be_http(buf, len))
		return GEN_HTTP_MALFORMED;
	while ((next = next_line(p, end, &n)) != NULL) {
		if (n == 0 && !first) {
			out->head_len = (uint32_t)(next - buf);
			conclude(out, &f, minor0);
			return GEN_HTTP_OK;
		}
		if (first) {
			e = parse_status(p, n, out, &minor0) ? GEN_HTTP_OK : GEN_HTTP_MALFORMED;
			first = false;
		} else {
			e = parse_field(p, n, &f);
		}
		if (e != GEN_HTTP_OK)
			return e;
		p = next;
	}
	return len >= GEN_HTTP_HEAD_MAX ? GEN_HTTP_TOO_LONG : GEN_HTTP_MORE;
}
