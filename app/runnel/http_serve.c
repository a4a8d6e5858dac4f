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

#include "http_serve.h"

/* How long a half-closed connection is drained for before it is closed. */
#define SECOND_NS UINT64_C(1000000000)
#define LINGER_NS (5 * SECOND_NS)
/* Zero-copy pieces below this size are not worth a packet's header: better wait for room. */
#define PIECE_MIN UINT64_C(4096)

enum phase {
	P_SERVE,
	P_LINGER, /* answered for the last time: discard until the client closes */
};

struct http_conn {
	struct rnl_http *http;
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
	uint64_t head_ns; /* when the incomplete head, or the draining, began; 0: neither */
	struct rnl_http_parser p;
};

/* @return when the connection has been idle, slow or drained for long enough; UINT64_MAX: never. */
static uint64_t deadline(const struct http_conn *h)
{
	const struct rnl_http *http = h->http;
	uint64_t at = http->idle_ns != 0 ? h->last_ns + http->idle_ns : UINT64_MAX;

	if (h->phase == P_LINGER)
		return h->head_ns + LINGER_NS;
	if (h->head_ns != 0 && http->head_timeout_ns != 0)
		at = RTE_MIN(at, h->head_ns + http->head_timeout_ns);
	return at;
}

static void arm(struct rnl_stack *st, rnl_conn_t c, const struct http_conn *h)
{
	uint64_t at = deadline(h);

	if (at != UINT64_MAX)
		rnl_conn_timer(st, c, at);
}

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
	h->head_ns = h->last_ns; /* from here on, whatever still comes in */
	arm(st, c, h);
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

const uint16_t rnl_http_error_status[RNL_HTTP_ERRORS] = {400, 404, 405, 414, 431, 505, 501};

static const struct rnl_http_answer *error_answer(const struct rnl_http_config *cfg,
                                                  uint16_t status)
{
	unsigned int i;

	for (i = 0; i < RNL_HTTP_ERRORS - 1; i++)
		if (rnl_http_error_status[i] == status)
			break;
	return &cfg->error[i];
}

static const struct rnl_http_answer *pick(const struct rnl_http *http,
                                          const struct rnl_http_parser *p)
{
	const struct rnl_http_config *cfg = http->cfg;
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
static void answer(struct rnl_http *http, struct http_conn *h)
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
	struct rnl_http *http = listener_ctx;

	if (rnl_slots_room(&http->conns) > 0)
		return true;
	rnl_engine_add(&http->base, RNL_ENGINE_REFUSED, 1);
	return false;
}

static void http_accepted(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx)
{
	struct rnl_http *http = listener_ctx;
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
	arm(st, c, h);
}

static size_t http_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                            const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct http_conn *h = ctx;
	struct rnl_http *http = h->http;
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
	if (!gone && h->head_ns == 0 && rnl_http_parser_started(&h->p)) {
		h->head_ns = h->last_ns; /* a head that is not whole has a limit of its own */
		arm(st, c, h);
	}
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

	if (rnl_now_ns(st) >= deadline(h))
		expire(st, c, h);
	else
		arm(st, c, h);
}

static void http_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	struct http_conn *h = ctx;
	struct rnl_http *http;

	if (h == NULL)
		return; /* refused in http_accepted() */
	http = h->http;
	rnl_engine_count_end(&http->base, reason);
	rnl_slots_put(&http->conns, h);
}

const struct rnl_app_ops rnl_http_ops = {
    .size = sizeof(rnl_http_ops),
    .admit = http_admit,
    .accepted = http_accepted,
    .received = http_received,
    .writable = http_writable,
    .peer_closed = http_peer_closed,
    .timer = http_timer,
    .closed = http_closed,
};

const uint32_t rnl_http_conn_size = sizeof(struct http_conn);
