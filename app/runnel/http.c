/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Engine http: an HTTP/1.1 and 1.0 server of files that are in memory, or of one body for every
 * path. Keep-alive, pipelining, GET and HEAD.
 * Owns: the order of request, answer, request on a connection; its time limits.
 * Refuses: parsing (http_parse.c), making answers (http_answer.c, http_files.c).
 *
 * A connection answers one request at a time. While an answer waits for room, nothing more is
 * consumed, so a client that sends without reading closes its own window. Before it closes a
 * connection that the client may still be writing to, it half-closes and discards for a while
 * (RFC 9112 9.6): a reset would destroy the answer on its way.
 * Floor 6 (app). RFC 9110, RFC 9112.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_branch_prediction.h>

#include "engines.h"
#include "http_parse.h"
#include "slots.h"

/* How long a half-closed connection is drained for before it is closed. */
#define SECOND_NS UINT64_C(1000000000)
#define LINGER_NS (5 * SECOND_NS)
/* A body of the fixed kind is a repeated block of this size at most. */
#define BLOCK_MAX (1u << 20)
/* Zero-copy pieces below this size are not worth a packet's header: better wait for room. */
#define PIECE_MIN UINT64_C(4096)

enum error_answer { E_400, E_404, E_405, E_414, E_431, E_501, E_505, ERRORS };
static const uint16_t error_status[ERRORS] = {400, 404, 405, 414, 431, 501, 505};

struct http_config {
	char root[256]; /* "": one body for every path */
	char type[64];
	uint64_t body_len;
	bool has_body;
	bool close; /* close after each answer */
	uint32_t idle_s, head_timeout_s;
	uint32_t head_max;
	struct rnl_http_files files;
	struct rnl_http_answer fixed;
	void *block; /* DPDK memory of the fixed body */
	struct rnl_http_answer error[ERRORS];
};

/* One stack's server. */
struct http {
	struct rnl_engine_ctx base;
	const struct http_config *cfg;
	struct rnl_http_rules rules;
	uint64_t idle_ns, head_timeout_ns; /* 0: never */
	struct rnl_slots conns;
};

enum phase {
	P_SERVE,
	P_LINGER, /* answered for the last time: discard until the client closes */
};

struct http_conn {
	struct http *http;
	/* The answer on its way: octets to copy, then octets of the block. */
	const uint8_t *copy;
	const struct rnl_http_answer *answer;
	uint64_t block_left, block_at;
	uint32_t copy_left;
	uint8_t phase;
	bool close_after; /* the answer on its way is the last one */
	bool peer_closed;
	uint64_t skip;    /* octets of the request's body still to be discarded */
	uint64_t last_ns; /* when anything moved */
	uint64_t head_ns; /* when the incomplete head began, 0: there is none */
	struct rnl_http_parser p;
};

static bool sending(const struct http_conn *h)
{
	return h->copy_left > 0 || h->block_left > 0;
}

/* ---- sending -------------------------------------------------------------------------------- */

/*
 * Octets of the block to offer now. With little room it asks for more than fits: that takes nothing
 * and makes `writable` follow.
 */
static size_t next_piece(struct rnl_stack *st, rnl_conn_t c, const struct http_conn *h)
{
	uint64_t piece = RTE_MIN(h->block_left, h->answer->block_len - h->block_at);
	uint64_t room = rnl_send_room(st, c);

	room = RTE_MAX(room, PIECE_MIN);
	return (size_t)RTE_MIN(piece, room);
}

/* @return 1 all is queued, 0 there is no room now, negative: the connection takes no more. */
static int push_block(struct rnl_stack *st, rnl_conn_t c, struct http_conn *h)
{
	while (h->block_left > 0) {
		ssize_t n = rnl_send_zc(st, c, h->answer->block + h->block_at, next_piece(st, c, h),
		                        NULL, NULL);

		if (n <= 0)
			return (int)n;
		h->block_left -= (uint64_t)n;
		h->block_at += (uint64_t)n;
		if (h->block_at == h->answer->block_len)
			h->block_at = 0;
	}
	return 1;
}

/* @return as push_block(). */
static int push(struct rnl_stack *st, rnl_conn_t c, struct http_conn *h)
{
	if (h->copy_left > 0) {
		ssize_t n = rnl_send(st, c, h->copy, h->copy_left);

		if (n < 0)
			return (int)n;
		h->copy += n;
		h->copy_left -= (uint32_t)n;
		if (h->copy_left > 0)
			return 0;
	}
	return push_block(st, c, h);
}

/* The last answer is queued. Nothing may touch h after this. */
static void finish(struct rnl_stack *st, rnl_conn_t c, struct http_conn *h)
{
	if (h->peer_closed) {
		rnl_close(st, c);
		return;
	}
	h->phase = P_LINGER;
	rnl_conn_timer(st, c, h->last_ns + LINGER_NS);
	rnl_shutdown(st, c);
}

/*
 * Goes on with the answer. @return whether the next request may be read; if not, h may be gone when
 * *gone is set.
 */
static bool advance(struct rnl_stack *st, rnl_conn_t c, struct http_conn *h, bool *gone)
{
	int ret = push(st, c, h);

	if (unlikely(ret < 0)) {
		*gone = true;
		rnl_abort(st, c);
		return false;
	}
	if (ret == 0)
		return false;
	if (h->close_after || h->peer_closed) {
		*gone = true;
		finish(st, c, h);
		return false;
	}
	return true;
}

/* ---- requests ------------------------------------------------------------------------------- */

static const struct rnl_http_answer *error_answer(const struct http_config *cfg, uint16_t status)
{
	unsigned int i;

	for (i = 0; i < ERRORS - 1; i++)
		if (error_status[i] == status)
			break;
	return &cfg->error[i];
}

static const struct rnl_http_answer *pick(const struct http *http, const struct rnl_http_parser *p)
{
	const struct http_config *cfg = http->cfg;
	const struct rnl_http_answer *a;

	if (unlikely(p->status != 0))
		return error_answer(cfg, p->status);
	if (unlikely(p->method >= RNL_HTTP_NOT_ALLOWED))
		return error_answer(cfg, p->method == RNL_HTTP_NOT_ALLOWED ? 405 : 501);
	if (http->rules.files == NULL)
		return &cfg->fixed;
	a = rnl_http_cursor_find(http->rules.files, &p->at);
	return a != NULL ? a : error_answer(cfg, 404);
}

/* The head is complete: begins the answer. */
static void answer(struct http *http, struct http_conn *h)
{
	const struct rnl_http_parser *p = &h->p;
	const struct rnl_http_answer *a = pick(http, p);
	const bool body = p->method != RNL_HTTP_HEAD;
	enum rnl_http_conn conn = RNL_HTTP_KEEP;

	h->close_after = !rnl_http_parser_keep(p) || http->cfg->close;
	if (h->close_after)
		conn = RNL_HTTP_CLOSE;
	else if (p->minor == 0)
		conn = RNL_HTTP_KEEP10;
	h->answer = a;
	h->copy = a->head[conn];
	h->copy_left = a->head_len[conn] + (body ? a->inline_len : 0);
	h->block_left = body && a->block != NULL ? a->body_len : 0;
	h->block_at = 0;
	h->skip = p->status == 0 ? p->content_length : 0;
	h->head_ns = 0;
	rnl_engine_add(&http->base, RNL_ENGINE_REQUESTS, 1);
	rnl_engine_add(&http->base, RNL_ENGINE_TX_BYTES, h->copy_left + h->block_left);
	if (a->status >= 400)
		rnl_engine_add(&http->base, RNL_ENGINE_HTTP_ERRORS, 1);
	rnl_http_parser_init(&h->p);
}

/* A head began and is not whole: it gets its own time limit. */
static void head_began(struct rnl_stack *st, rnl_conn_t c, struct http_conn *h)
{
	struct http *http = h->http;

	h->head_ns = h->last_ns;
	if (http->head_timeout_ns != 0)
		rnl_conn_timer(st, c, h->head_ns + http->head_timeout_ns);
}

/* Takes from one span what can be taken now. @return octets; h is gone when *gone is set. */
static uint32_t take(struct rnl_stack *st, rnl_conn_t c, struct http_conn *h,
                     const struct rnl_span *span, bool *gone)
{
	const uint8_t *data = span->data;
	uint32_t i = 0;

	while (i < span->len && !sending(h)) {
		if (h->phase == P_LINGER)
			return span->len;
		if (h->skip > 0) {
			uint32_t n = (uint32_t)RTE_MIN(h->skip, (uint64_t)(span->len - i));

			h->skip -= n;
			i += n;
			continue;
		}
		i += rnl_http_parse(&h->p, &h->http->rules, data + i, span->len - i);
		if (!h->p.done)
			break;
		answer(h->http, h);
		if (!advance(st, c, h, gone) && *gone)
			return span->len;
	}
	return i;
}

/* ---- callbacks ------------------------------------------------------------------------------ */

static bool http_admit(struct rnl_stack *st, void *listener_ctx, const struct rnl_tuple *tuple)
{
	struct http *http = listener_ctx;

	if (rnl_slots_room(&http->conns) > 0)
		return true;
	rnl_engine_add(&http->base, RNL_ENGINE_REFUSED, 1);
	return false;
}

static void http_accepted(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx)
{
	struct http *http = listener_ctx;
	struct http_conn *h = rnl_slots_get(&http->conns);

	rnl_set_ctx(st, c, h);
	if (h == NULL) { /* more were half-open than there is room for */
		rnl_engine_add(&http->base, RNL_ENGINE_REFUSED, 1);
		rnl_abort(st, c);
		return;
	}
	memset(h, 0, offsetof(struct http_conn, p));
	rnl_http_parser_init(&h->p);
	h->http = http;
	h->last_ns = rnl_now_ns(st);
	rnl_engine_add(&http->base, RNL_ENGINE_ACCEPTED, 1);
	if (http->idle_ns != 0)
		rnl_conn_timer(st, c, h->last_ns + http->idle_ns);
}

static size_t http_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                            const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct http_conn *h = ctx;
	struct http *http = h->http;
	bool gone = false;
	size_t done = 0;
	unsigned int i;

	h->last_ns = rnl_now_ns(st);
	for (i = 0; i < n; i++) {
		uint32_t took = take(st, c, h, &spans[i], &gone);

		done += took;
		if (gone) {
			done = total;
			break;
		}
		if (took < spans[i].len)
			break;
	}
	rnl_engine_add(&http->base, RNL_ENGINE_RX_BYTES, done);
	if (!gone && h->head_ns == 0 && rnl_http_parser_started(&h->p))
		head_began(st, c, h);
	return done;
}

static void http_writable(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct http_conn *h = ctx;
	bool gone = false;

	if (!sending(h))
		return;
	h->last_ns = rnl_now_ns(st);
	if (advance(st, c, h, &gone))
		rnl_receive_resume(st, c);
}

static void http_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct http_conn *h = ctx;

	h->peer_closed = true;
	if (!sending(h))
		rnl_close(st, c);
}

/* The end is near: an unread answer would keep the connection for as long as the client likes. */
static void expire(struct rnl_stack *st, rnl_conn_t c, struct http_conn *h)
{
	if (h->phase == P_SERVE)
		rnl_engine_add(&h->http->base, RNL_ENGINE_IDLE_CLOSED, 1);
	if (sending(h))
		rnl_abort(st, c);
	else
		rnl_close(st, c);
}

/* The timer is not moved for each request: when it fires, it looks at what the limit is by now. */
static void http_timer(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct http_conn *h = ctx;
	const struct http *http = h->http;
	uint64_t at = http->idle_ns != 0 ? h->last_ns + http->idle_ns : UINT64_MAX;

	if (h->phase == P_LINGER)
		at = h->last_ns + LINGER_NS;
	else if (h->head_ns != 0 && http->head_timeout_ns != 0)
		at = RTE_MIN(at, h->head_ns + http->head_timeout_ns);
	if (at == UINT64_MAX)
		return;
	if (rnl_now_ns(st) >= at)
		expire(st, c, h);
	else
		rnl_conn_timer(st, c, at);
}

static void http_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	struct http_conn *h = ctx;
	struct http *http;

	if (h == NULL)
		return; /* refused in http_accepted() */
	http = h->http;
	rnl_engine_count_end(&http->base, reason);
	rnl_slots_put(&http->conns, h);
}

static const struct rnl_app_ops http_ops = {
    .size = sizeof(http_ops),
    .admit = http_admit,
    .accepted = http_accepted,
    .received = http_received,
    .writable = http_writable,
    .peer_closed = http_peer_closed,
    .timer = http_timer,
    .closed = http_closed,
};

/* ---- configuration -------------------------------------------------------------------------- */

static void http_defaults(void *config)
{
	struct http_config *cfg = config;

	cfg->idle_s = 60;
	cfg->head_timeout_s = 10;
	cfg->head_max = 16384;
	cfg->body_len = 64;
	strcpy(cfg->type, "text/plain");
}

static int option_number(const char *key, const char *value, uint64_t max, uint32_t *out,
                         struct rnl_error *err)
{
	uint64_t v;

	if (rnl_service_number(value, max, &v) != 0)
		return rnl_service_fail(err, -EINVAL, "%s=%s: give a number up to %llu", key, value,
		                        (unsigned long long)max);
	*out = (uint32_t)v;
	return 1;
}

static int option_text(const char *key, const char *value, char *out, size_t size,
                       struct rnl_error *err)
{
	if (*value == '\0' || strlen(value) >= size)
		return rnl_service_fail(err, -EINVAL, "%s= needs a value of 1 to %zu characters",
		                        key, size - 1);
	strcpy(out, value);
	return 1;
}

static int http_option(void *config, const char *key, const char *value, struct rnl_error *err)
{
	struct http_config *cfg = config;

	if (strcmp(key, "root") == 0)
		return option_text(key, value, cfg->root, sizeof(cfg->root), err);
	if (strcmp(key, "type") == 0)
		return option_text(key, value, cfg->type, sizeof(cfg->type), err);
	if (strcmp(key, "idle") == 0)
		return option_number(key, value, 86400, &cfg->idle_s, err);
	if (strcmp(key, "head-timeout") == 0)
		return option_number(key, value, 86400, &cfg->head_timeout_s, err);
	if (strcmp(key, "head") == 0)
		return option_number(key, value, 1u << 20, &cfg->head_max, err);
	if (strcmp(key, "close") == 0 && *value == '\0') {
		cfg->close = true;
		return 1;
	}
	if (strcmp(key, "body") != 0)
		return 0;
	if (rnl_service_number(value, 1ull << 50, &cfg->body_len) != 0)
		return rnl_service_fail(
		    err, -EINVAL, "body=%s: give a number of octets, such as 64 or 10M", value);
	cfg->has_body = true;
	return 1;
}

static int http_check(void *config, struct rnl_error *err)
{
	const struct http_config *cfg = config;

	if (cfg->head_max < 256)
		return rnl_service_fail(err, -EINVAL, "head=%u: give at least 256 octets",
		                        cfg->head_max);
	if (cfg->root[0] != '\0' && cfg->has_body)
		return rnl_service_fail(err, -EINVAL,
		                        "root= and body= exclude each other: use two listeners");
	return cfg->root[0] != '\0' ? rnl_http_files_check(cfg->root, err) : 0;
}

/* Lines of 64 octets, so that a body is pleasant to look at and to verify. */
static void fill_block(uint8_t *dst, size_t len)
{
	static const char line[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";
	size_t i;

	for (i = 0; i < len; i++)
		dst[i] = (uint8_t)line[i % (sizeof(line) - 1)];
}

static int prepare_fixed(struct http_config *cfg, struct rnl_error *err)
{
	const uint64_t len = RTE_MIN(cfg->body_len, (uint64_t)BLOCK_MAX);
	struct rnl_http_content c = {.status = 200, .type = cfg->type, .block_len = len};

	cfg->block = rte_malloc("runnel_http", (size_t)RTE_MAX(len, 1ull), RTE_CACHE_LINE_SIZE);
	if (cfg->block == NULL)
		return rnl_service_fail(
		    err, -ENOMEM,
		    "no DPDK memory for a body of %llu octets: give EAL more with "
		    "-m MiB",
		    (unsigned long long)len);
	fill_block(cfg->block, (size_t)len);
	c.body = cfg->block;
	c.body_len = cfg->body_len;
	return rnl_http_answer_make(&cfg->fixed, &c);
}

static int http_prepare(void *config, struct rnl_error *err)
{
	struct http_config *cfg = config;
	unsigned int i;
	int ret;

	for (i = 0; i < ERRORS; i++)
		if (rnl_http_answer_error(&cfg->error[i], error_status[i]) != 0)
			return rnl_service_fail(err, -ENOMEM, "out of memory");
	if (cfg->root[0] == '\0')
		return prepare_fixed(cfg, err);
	ret = rnl_http_files_load(&cfg->files, cfg->root, err);
	if (ret == 0 && cfg->files.count == 0)
		return rnl_service_fail(
		    err, -ENOENT,
		    "the root folder '%s' holds no file: put files in it (names that "
		    "begin with a dot and symbolic links are not served)",
		    cfg->root);
	return ret;
}

static void http_release(void *config)
{
	struct http_config *cfg = config;
	unsigned int i;

	rnl_http_files_free(&cfg->files);
	rnl_http_answer_free(&cfg->fixed);
	for (i = 0; i < ERRORS; i++)
		rnl_http_answer_free(&cfg->error[i]);
	rte_free(cfg->block);
	cfg->block = NULL;
}

static int http_begin(const void *config, const struct rnl_engine_env *env,
                      struct rnl_engine_ctx **ctx, struct rnl_error *err)
{
	const struct http_config *cfg = config;
	struct http *http = rnl_engine_ctx_new(env, sizeof(*http), err);

	if (http == NULL)
		return -ENOMEM;
	http->cfg = cfg;
	http->rules.files = cfg->root[0] != '\0' ? &cfg->files : NULL;
	http->rules.head_max = cfg->head_max;
	http->idle_ns = cfg->idle_s * SECOND_NS;
	http->head_timeout_ns = cfg->head_timeout_s * SECOND_NS;
	if (rnl_slots_init(&http->conns, env->max_conns, sizeof(struct http_conn),
	                   env->socket_id) != 0) {
		rnl_engine_ctx_free(http);
		return rnl_service_fail(
		    err, -ENOMEM,
		    "no DPDK memory for %u connections: lower conns=, or give EAL "
		    "more with -m MiB",
		    env->max_conns);
	}
	*ctx = &http->base;
	return 0;
}

static void http_end(struct rnl_engine_ctx *ctx)
{
	struct http *http = (struct http *)ctx;

	rnl_slots_free(&http->conns);
	rnl_engine_ctx_free(http);
}

const struct rnl_engine rnl_engine_http = {
    .name = "http",
    .help = "HTTP/1.1 and 1.0 server: files of a folder, or one body for every path",
    .options = "root=DIR        files of this folder, read into memory at start\n"
	       "body=N          a body of N octets for every path (default: 64)\n"
	       "type=TYPE       Content-Type of that body (text/plain)\n"
	       "close           close after each answer\n"
	       "idle=SEC        close when nothing moves for this long (60; 0: never)\n"
	       "head-timeout=SEC  time for a request head to arrive (10; 0: no limit)\n"
	       "head=N          longest request head, octets (16384)\n",
    .default_port = 80,
    .config_size = sizeof(struct http_config),
    .ops = &http_ops,
    .defaults = http_defaults,
    .option = http_option,
    .check = http_check,
    .prepare = http_prepare,
    .release = http_release,
    .begin = http_begin,
    .end = http_end,
};
