/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests and answers on a connection: fixed sizes, or HTTP GET. Times are taken when a callback
 * runs: that is when an application would know.
 * Floor: 6 (application). RFC 9112.
 */
#include <string.h>

#include "http.h"
#include "lane.h"

/* Gives the stack what it has room for; `writable` asks for the rest. */
static void push(struct gen_conn *c)
{
	const struct gen_run *run = c->lane->run;
	uint64_t chunk;
	ssize_t n;

	while (c->tx_left != 0) {
		chunk = run->request_len - c->tx_pos;
		n = rnl_send(c->lane->st, c->h, run->request + c->tx_pos, chunk);
		if (n < 0) {
			gen_client_fail(c, GEN_FAIL_SEND);
			return;
		}
		c->tx_left -= (uint64_t)n;
		c->tx_pos += (uint32_t)n;
		if (c->tx_pos == run->request_len)
			c->tx_pos = 0;
		GEN_STAT_ADD(c->lane->stats.live_tx_bytes, (uint64_t)n);
		if (c->lane->phase == GEN_MEASURE)
			GEN_STAT_ADD(c->lane->stats.tx_bytes, (uint64_t)n);
		if ((uint64_t)n < chunk)
			return;
	}
}

static struct gen_request *request_at(const struct gen_conn *c, uint32_t i)
{
	const struct gen_lane *l = c->lane;
	size_t slot = (size_t)(c - l->conns);

	return &l->requests[slot * l->req_room + (i & (l->req_room - 1))];
}

void gen_request_start(struct gen_conn *c, uint64_t planned, uint64_t now)
{
	struct gen_lane *l = c->lane;
	struct gen_request *r = request_at(c, c->head + c->inflight);

	*r = (struct gen_request){.planned_ns = planned, .sent_ns = now};
	c->inflight++;
	l->inflight++;
	if (gen_in_window(l, planned))
		GEN_STAT_ADD(l->stats.sent, 1);
	if (l->opt->mode != GEN_CPS) {
		c->tx_left += l->run->request_len;
		push(c);
		return;
	}
	if (gen_client_connect(c, now))
		return;
	gen_request_lost(c);
	gen_client_not_begun(c, now);
}

void gen_request_ready(struct gen_conn *c, uint64_t now)
{
	struct gen_lane *l = c->lane;
	uint32_t i;

	if (l->opt->mode != GEN_CPS) {
		if (l->phase < GEN_WARMUP)
			return;
		for (i = 0; i < l->opt->outstanding; i++)
			gen_client_list(c);
		gen_lane_dispatch(l, now);
		return;
	}
	if (l->run->request_len == 0) {
		gen_request_complete(c, now);
		return;
	}
	c->tx_left = l->run->request_len;
	push(c);
}

void gen_request_lost(struct gen_conn *c)
{
	struct gen_lane *l = c->lane;

	for (; c->inflight != 0; c->inflight--, c->head++) {
		l->inflight--;
		if (gen_in_window(l, request_at(c, c->head)->planned_ns))
			GEN_STAT_ADD(l->stats.failed, 1);
	}
	c->tx_left = 0;
}

static void count_answer(struct gen_lane *l, const struct gen_request *r, uint64_t now)
{
	GEN_STAT_ADD(l->stats.live_done, 1);
	if (gen_in_window(l, now))
		GEN_STAT_ADD(l->stats.done_in_time, 1);
	if (!gen_in_window(l, r->planned_ns))
		return;
	GEN_STAT_ADD(l->stats.completed, 1);
	gen_hist_record(&l->stats.latency, now - r->planned_ns);
	gen_hist_record(&l->stats.service, now - r->sent_ns);
}

/* The connection has room for another request: the next that is due takes the longest-free one. */
static void offer(struct gen_conn *c, uint64_t now)
{
	struct gen_lane *l = c->lane;
	uint64_t planned;

	/* No queue before us: skip the detour. Such a request was late for want of a connection. */
	if (l->ready.head == l->ready.tail && gen_arrivals_take(&l->arrivals, now, &planned)) {
		gen_request_start(c, planned, now);
		return;
	}
	gen_client_list(c);
	gen_lane_dispatch(l, now);
}

void gen_request_complete(struct gen_conn *c, uint64_t now)
{
	struct gen_lane *l = c->lane;
	const struct gen_options *o = l->opt;

	count_answer(l, request_at(c, c->head), now);
	c->head++;
	c->inflight--;
	l->inflight--;
	c->served++;
	c->in_body = false;
	if (c->last || (o->requests_per_conn != 0 && c->served >= o->requests_per_conn)) {
		gen_client_finish(c);
		return;
	}
	if (o->requests_per_conn == 0 || c->served + c->inflight < o->requests_per_conn)
		offer(c, now);
}

static void on_writable(struct rnl_stack *st, rnl_conn_t h, void *ctx)
{
	struct gen_conn *c = ctx;

	if (c->state == GEN_CONN_READY)
		push(c);
}

static void count_received(struct gen_lane *l, size_t total)
{
	GEN_STAT_ADD(l->stats.live_rx_bytes, total);
	if (l->phase == GEN_MEASURE)
		GEN_STAT_ADD(l->stats.rx_bytes, total);
}

/* Answers of an echo are the requests again. @return whether these octets are. */
static bool verify(struct gen_conn *c, const struct rnl_span *spans, unsigned int n)
{
	const struct gen_run *run = c->lane->run;
	const uint8_t *p;
	uint32_t left, chunk;
	unsigned int i;

	for (i = 0; i < n; i++) {
		p = spans[i].data;
		for (left = spans[i].len; left != 0; left -= chunk, p += chunk) {
			chunk = run->request_len - (uint32_t)c->rx_pos;
			if (chunk > left)
				chunk = left;
			if (memcmp(p, run->request + c->rx_pos, chunk) != 0)
				return false;
			c->rx_pos += chunk;
			if (c->rx_pos == run->request_len)
				c->rx_pos = 0;
		}
	}
	return true;
}

static size_t raw_received(struct rnl_stack *st, rnl_conn_t h, void *ctx,
                           const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct gen_conn *c = ctx;
	uint64_t now = rnl_clock_ns();
	size_t left = total, chunk;

	count_received(c->lane, total);
	if (c->lane->opt->verify && !verify(c, spans, n)) {
		gen_client_fail(c, GEN_FAIL_VERIFY);
		return total;
	}
	while (left != 0) {
		if (c->state != GEN_CONN_READY || c->inflight == 0) {
			if (c->state != GEN_CONN_CLOSING)
				gen_client_fail(c, GEN_FAIL_UNEXPECTED);
			return total;
		}
		if (!c->in_body) {
			c->in_body = true;
			c->rx_left = c->lane->opt->response_bytes;
		}
		chunk = left < c->rx_left ? left : c->rx_left;
		c->rx_left -= chunk;
		left -= chunk;
		if (c->rx_left == 0)
			gen_request_complete(c, now);
	}
	return total;
}

/* Where an HTTP reader stands in the spans that it was given. */
struct reader {
	const struct rnl_span *spans;
	unsigned int n, i; /* spans, current one */
	uint32_t off;      /* octets of it that were read */
	size_t left;       /* octets not read, of all */
};

static void reader_skip(struct reader *r, uint64_t len)
{
	uint64_t here;

	r->left -= len;
	while (len != 0) {
		here = r->spans[r->i].len - r->off;
		if (len < here) {
			r->off += (uint32_t)len;
			return;
		}
		len -= here;
		r->i++;
		r->off = 0;
	}
}

/* The octets ahead in one piece: where they lie, or copied together. */
static const uint8_t *reader_peek(const struct reader *r, uint8_t *scratch, size_t *len)
{
	const uint8_t *here = (const uint8_t *)r->spans[r->i].data + r->off;
	size_t n = r->spans[r->i].len - r->off;
	unsigned int i;

	*len = n < r->left ? n : r->left;
	if (*len == r->left || *len >= GEN_HTTP_HEAD_MAX)
		return here;
	memcpy(scratch, here, *len);
	for (i = r->i + 1; i < r->n && *len < GEN_HTTP_HEAD_MAX; i++) {
		n = GEN_HTTP_HEAD_MAX - *len;
		if (n > r->spans[i].len)
			n = r->spans[i].len;
		memcpy(scratch + *len, r->spans[i].data, n);
		*len += n;
	}
	return scratch;
}

static enum gen_failure http_failure(enum gen_http_error e)
{
	if (e == GEN_HTTP_CHUNKED)
		return GEN_FAIL_HTTP_CHUNKED;
	return e == GEN_HTTP_TOO_LONG ? GEN_FAIL_HTTP_TOO_LONG : GEN_FAIL_HTTP_MALFORMED;
}

/* Reads one head. @return false to wait for more octets, or when the connection was given up. */
static bool http_head(struct gen_conn *c, struct reader *r)
{
	struct gen_stats *s = &c->lane->stats;
	struct gen_http_head head;
	enum gen_http_error e;
	const uint8_t *p;
	size_t len;

	p = reader_peek(r, c->lane->scratch, &len);
	e = gen_http_parse((const char *)p, len, &head);
	/* The head may go on in the next span. */
	if (e == GEN_HTTP_MORE)
		return false;
	if (e != GEN_HTTP_OK) {
		gen_client_fail(c, http_failure(e));
		return false;
	}
	reader_skip(r, head.head_len);
	if (head.status < 600)
		GEN_STAT_ADD(s->http_status[head.status / 100 - 1], 1);
	if (head.interim)
		return true;
	if (head.status / 100 != 2)
		GEN_STAT_ADD(s->failures[GEN_FAIL_HTTP_STATUS], 1);
	c->in_body = true;
	c->rx_left = head.body_len;
	c->last = !head.keep_alive;
	return true;
}

static size_t http_received(struct rnl_stack *st, rnl_conn_t h, void *ctx,
                            const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct gen_conn *c = ctx;
	struct reader r = {.spans = spans, .n = n, .left = total};
	uint64_t now = rnl_clock_ns(), chunk;

	while (r.left != 0 || (c->in_body && c->rx_left == 0)) {
		if (c->state == GEN_CONN_CLOSING) /* given up, or done */
			return total;
		if (c->state != GEN_CONN_READY || c->inflight == 0) {
			gen_client_fail(c, GEN_FAIL_UNEXPECTED);
			return total;
		}
		if (!c->in_body && !http_head(c, &r))
			break;
		if (!c->in_body) /* after an interim response */
			continue;
		chunk = r.left < c->rx_left ? r.left : c->rx_left;
		reader_skip(&r, chunk);
		if (c->rx_left != GEN_HTTP_UNTIL_CLOSE)
			c->rx_left -= chunk;
		if (c->rx_left == 0)
			gen_request_complete(c, now);
	}
	if (c->state == GEN_CONN_CLOSING)
		r.left = 0;
	count_received(c->lane, total - r.left);
	return total - r.left;
}

const struct rnl_app_ops gen_raw_ops = {
    .size = sizeof(gen_raw_ops),
    .connected = gen_client_connected,
    .received = raw_received,
    .writable = on_writable,
    .peer_closed = gen_client_peer_closed,
    .timer = gen_client_timer,
    .closed = gen_client_closed,
};

const struct rnl_app_ops gen_http_ops = {
    .size = sizeof(gen_http_ops),
    .connected = gen_client_connected,
    .received = http_received,
    .writable = on_writable,
    .peer_closed = gen_client_peer_closed,
    .timer = gen_client_timer,
    .closed = gen_client_closed,
};
