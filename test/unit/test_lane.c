/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane of the generator on a fake stack with a virtual clock: the schedule against a server that
 * stalls, refuses, resets or answers wrongly. What is sent, what is counted, and that nothing is
 * lost.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lane.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define MAX_CONNS 64
#define MAX_DATA 1024

enum event { EV_CONNECTED, EV_DATA, EV_FIN, EV_CLOSED, EV_TIMER };

/* ---- the fake stack: a list of events in order of their time -------------------------------- */

struct pending {
	uint64_t at, order;
	enum event what;
	rnl_conn_t c;
	enum rnl_reason reason;
	rnl_timer_fn fn;
	void *arg;
	uint32_t len;
};

struct peer {
	bool used, closing, doomed;
	const struct rnl_app_ops *ops;
	void *ctx;
	struct rnl_tuple tuple;
	uint64_t got;  /* octets of requests */
	uint64_t held; /* octets that wait to be consumed */
	char held_data[MAX_DATA];
};

static struct {
	uint64_t now, order, rtt, busy_until;
	uint64_t stall_from, stall_to; /* answers of this time come at its end */
	struct pending ev[4096];
	unsigned int n;
	struct peer peer[20000];
	uint32_t conns, open, max_open, sends;
	int connect_error;      /* of every connect but the first, if not 0 */
	enum rnl_reason refuse; /* of every connect, if not NORMAL */
	uint64_t reset_after;   /* each connection, after this time, if not 0 */
	bool mute;              /* answers nothing */
	bool wrong;             /* answers other octets */
	bool server_closes;     /* FIN after each answer */
	const char *http;       /* answer instead of an echo */
	uint32_t request_len;
	uint64_t cut; /* answers come in pieces of this size, 0: whole */
} f;

static struct pending *event(enum event what, rnl_conn_t c, uint64_t after)
{
	struct pending *e = &f.ev[f.n++];

	assert_true(f.n < sizeof(f.ev) / sizeof(f.ev[0]));
	*e = (struct pending){.at = f.now + after, .order = f.order++, .what = what, .c = c};
	return e;
}

uint64_t rnl_clock_ns(void)
{
	return f.now;
}

unsigned int rnl_counters_count(void)
{
	return 0;
}

const char *rnl_counter_name(unsigned int i)
{
	return NULL;
}

void rnl_counters_read(const struct rnl_stack *st, uint64_t *out, unsigned int n)
{
}

struct rnl_addr rnl_addr_range_at(const struct rnl_addr_range *r, uint32_t i)
{
	struct rnl_addr a = r->first;

	a.b[15] = (uint8_t)(a.b[15] + i);
	return a;
}

int rnl_timer_start(struct rnl_stack *st, uint64_t at_ns, rnl_timer_fn fn, void *arg,
                    rnl_timer_t *out)
{
	struct pending *e = event(EV_TIMER, 0, at_ns > f.now ? at_ns - f.now : 0);

	e->fn = fn;
	e->arg = arg;
	return 0;
}

int rnl_post(struct rnl_stack *st, void (*fn)(struct rnl_stack *st, void *arg), void *arg)
{
	rnl_timer_t t;

	return rnl_timer_start(st, f.now, fn, arg, &t);
}

int rnl_conn_timer(struct rnl_stack *st, rnl_conn_t c, uint64_t at_ns)
{
	return 0;
}

int rnl_connect(struct rnl_stack *st, const struct rnl_connect_config *cfg, rnl_conn_t *out)
{
	if (f.connect_error != 0 && f.conns != 0) /* the one of the ramp is let through */
		return f.connect_error;
	*out = ++f.conns;
	assert_true(f.conns < sizeof(f.peer) / sizeof(f.peer[0]));
	f.peer[*out] = (struct peer){.used = true, .ops = cfg->ops, .ctx = cfg->ctx};
	f.open++;
	f.max_open = f.open > f.max_open ? f.open : f.max_open;
	if (f.refuse != RNL_REASON_NORMAL)
		event(EV_CLOSED, *out, f.rtt)->reason = f.refuse;
	else
		event(EV_CONNECTED, *out, f.rtt);
	return 0;
}

ssize_t rnl_send(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len)
{
	struct peer *p = &f.peer[c];
	uint64_t at = f.rtt;

	assert_true(p->used && !p->closing);
	f.sends++;
	p->got += len;
	if (f.mute)
		return (ssize_t)len;
	if (f.now >= f.stall_from && f.now < f.stall_to)
		at += f.stall_to - f.now;
	for (; p->got >= f.request_len; p->got -= f.request_len)
		event(EV_DATA, c, at)->len =
		    (uint32_t)(f.http != NULL ? strlen(f.http) : f.request_len);
	if (f.server_closes)
		event(EV_FIN, c, at);
	return (ssize_t)len;
}

int rnl_send_pull(struct rnl_stack *st, rnl_conn_t c, rnl_produce_fn produce, void *arg,
                  uint64_t len, rnl_release_fn release)
{
	return 0;
}

int rnl_conn_info(struct rnl_stack *st, rnl_conn_t c, struct rnl_conn_info *info)
{
	/* 1000 octets are acknowledged each millisecond. */
	*info = (struct rnl_conn_info){.tcpi_bytes_acked = f.now / MS * 1000};
	return 0;
}

static int end(rnl_conn_t c, enum rnl_reason reason)
{
	struct peer *p = &f.peer[c];

	assert_true(p->used && !p->closing);
	p->closing = true;
	if (p->doomed)
		return 0;
	event(EV_CLOSED, c, reason == RNL_REASON_NORMAL ? f.rtt : 0)->reason = reason;
	return 0;
}

int rnl_close(struct rnl_stack *st, rnl_conn_t c)
{
	return end(c, RNL_REASON_NORMAL);
}

int rnl_abort(struct rnl_stack *st, rnl_conn_t c)
{
	return end(c, RNL_REASON_LOCAL_ABORT);
}

/* Hands over what is there, as the stack would: again from the first octet not consumed. */
static void deliver(struct peer *p, rnl_conn_t c, const char *data, uint32_t len)
{
	struct rnl_span spans[2];
	uint64_t half;
	size_t used;

	assert_true(p->held + len <= MAX_DATA);
	memcpy(p->held_data + p->held, data, len);
	p->held += len;
	half = p->held / 2;
	spans[0] = (struct rnl_span){.data = p->held_data, .len = (uint32_t)half};
	spans[1] =
	    (struct rnl_span){.data = p->held_data + half, .len = (uint32_t)(p->held - half)};
	used = p->ops->received(NULL, c, p->ctx, half != 0 ? spans : spans + 1, half != 0 ? 2 : 1,
	                        p->held);
	assert_true(used <= p->held);
	p->held -= used;
	memmove(p->held_data, p->held_data + used, p->held);
}

static void answer(struct peer *p, rnl_conn_t c, uint32_t len)
{
	char data[MAX_DATA];
	uint32_t i, n;

	for (i = 0; i < len; i++)
		data[i] = f.http != NULL ? f.http[i] : (char)(i % f.request_len);
	if (f.wrong)
		data[len / 2] ^= 1;
	for (i = 0; i < len && p->used && !p->closing; i += n) {
		n = f.cut != 0 && f.cut < len - i ? (uint32_t)f.cut : len - i;
		deliver(p, c, data + i, n);
	}
}

static void connected(struct peer *p, rnl_conn_t c)
{
	if (f.reset_after != 0) {
		p->doomed = true;
		event(EV_CLOSED, c, f.reset_after)->reason = RNL_REASON_RESET;
	}
	p->ops->connected(NULL, c, p->ctx);
}

static void fire(const struct pending *e)
{
	struct peer *p = &f.peer[e->c];

	if (e->what == EV_TIMER) {
		e->fn(NULL, e->arg);
		return;
	}
	if (!p->used || (p->closing && e->what != EV_CLOSED))
		return;
	if (e->what == EV_CONNECTED)
		connected(p, e->c);
	else if (e->what == EV_DATA)
		answer(p, e->c, e->len);
	else if (e->what == EV_FIN)
		p->ops->peer_closed(NULL, e->c, p->ctx);
	if (e->what != EV_CLOSED)
		return;
	p->used = false;
	f.open--;
	p->ops->closed(NULL, e->c, p->ctx, e->reason);
}

/* Runs the earliest event. @return whether there was one before `until`. */
static bool run_one(uint64_t until)
{
	unsigned int i, first = 0;
	struct pending e;

	for (i = 1; i < f.n; i++)
		if (f.ev[i].at < f.ev[first].at ||
		    (f.ev[i].at == f.ev[first].at && f.ev[i].order < f.ev[first].order))
			first = i;
	if (f.n == 0 || f.ev[first].at >= until)
		return false;
	e = f.ev[first];
	f.ev[first] = f.ev[--f.n];
	if (e.at > f.now)
		f.now = e.at;
	fire(&e);
	return true;
}

/* ---- the lane under test -------------------------------------------------------------------- */

static struct gen_options opt;
static struct gen_run run;
static struct gen_lane lane;
static uint8_t request[256];

static void prepare(enum gen_mode mode, uint64_t rate, uint32_t connections)
{
	unsigned int i;

	memset(&f, 0, sizeof(f));
	memset(&run, 0, sizeof(run));
	f.now = 5 * SECOND;
	f.rtt = 10000;
	f.request_len = 64;
	for (i = 0; i < sizeof(request); i++)
		request[i] = (uint8_t)(i % 64);
	opt = (struct gen_options){
	    .mode = mode,
	    .connections = connections,
	    .outstanding = 1,
	    .request_bytes = 64,
	    .response_bytes = 64,
	    .rate = rate,
	    .duration_ns = SECOND,
	    .drain_ns = SECOND,
	    .connect_timeout_ns = 2 * SECOND,
	    .clients = {.count = 1},
	    .client_ports = {1024, 65535},
	    .server_ports = {80, 80},
	    .seed = 1,
	    .requests_per_conn = mode == GEN_CPS ? 1 : 0,
	    .http = mode == GEN_HTTP,
	};
	run.opt = &opt;
	run.request = request;
	run.request_len = 64;
	run.nb_lanes = 1;
}

static void go_until(uint64_t end_ns)
{
	while (run.lanes_done == 0 && run_one(end_ns))
		;
}

static void start(void)
{
	struct rnl_error err;

	assert_int_equal(gen_lane_init(&lane, &run, NULL, 0, &err), 0);
	assert_int_equal(gen_lane_start(&lane), 0);
}

static void go(void)
{
	start();
	go_until(f.now + 60 * SECOND);
	assert_int_equal(run.lanes_done, 1);
	assert_int_equal(lane.inflight, 0);
	/* Every connection that began has ended. */
	assert_int_equal(f.open, 0);
	assert_int_equal(lane.stats.connects, lane.stats.closed);
}

static void done(void)
{
	gen_lane_free(&lane);
}

static void lane__closed_loop_keeps_every_connection_busy(void **state)
{
	prepare(GEN_RR, 0, 4);
	go();
	/* 4 connections, 10 us a request, 1 s. */
	assert_in_range(lane.stats.done_in_time, 399990, 400010);
	assert_int_equal(lane.stats.sent, lane.stats.completed);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	assert_int_equal(lane.stats.latency.min_ns, 10000);
	assert_int_equal(lane.stats.latency.max_ns, 10000);
	assert_int_equal(lane.stats.window_ns, SECOND);
	assert_in_range(lane.stats.tx_bytes / 64, 399990, 400010);
	assert_in_range(lane.stats.rx_bytes / 64, 399990, 400010);
	assert_int_equal(lane.stats.connect.count, 4);
	done();
}

static void lane__outstanding_requests_pipeline(void **state)
{
	prepare(GEN_RR, 0, 2);
	opt.outstanding = 8;
	opt.verify = true;
	go();
	assert_in_range(lane.stats.done_in_time, 1599900, 1600100);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	done();
}

static void lane__open_loop_sends_what_was_planned(void **state)
{
	prepare(GEN_RR, 5000, 4);
	opt.warmup_ns = 100 * MS;
	go();
	assert_int_equal(lane.stats.sent, 5000);
	assert_int_equal(lane.stats.completed, 5000);
	assert_int_equal(lane.stats.failed, 0);
	assert_int_equal(lane.stats.latency.max_ns, 10000);
	assert_int_equal(lane.stats.lag.max_ns, 0);
	assert_in_range(lane.stats.done_in_time, 4999, 5001);
	done();
}

/* The server stalls for half a second: the requests of that time go out late, none is dropped, and
 * the latency from the planned time tells, where that from the actual one does not. */
static void lane__a_stall_is_not_omitted(void **state)
{
	prepare(GEN_RR, 1000, 4);
	f.stall_from = f.now + 200 * MS;
	f.stall_to = f.stall_from + 500 * MS;
	go();
	assert_int_equal(lane.stats.sent, 1000);
	assert_int_equal(lane.stats.completed, 1000);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	assert_in_range(gen_hist_above(&lane.stats.latency, 1 * MS), 495, 505);
	assert_int_equal(gen_hist_above(&lane.stats.service, 1 * MS), 4);
	/* They waited for the server, not for the generator. */
	assert_int_equal(gen_hist_above(&lane.stats.lag, 1 * MS), 0);
	done();
}

/* It never recovers: what was planned counts as failed, and the run ends after the drain time. */
static void lane__what_never_went_out_is_unfinished(void **state)
{
	prepare(GEN_RR, 1000, 4);
	f.mute = true;
	go();
	assert_int_equal(lane.stats.sent, 4);
	assert_int_equal(lane.stats.completed, 0);
	assert_int_equal(lane.stats.failed, 1000);
	assert_int_equal(lane.stats.failures[GEN_FAIL_UNFINISHED], 1000);
	done();
}

static void lane__cps_open_loop(void **state)
{
	prepare(GEN_CPS, 2000, 16);
	go();
	assert_int_equal(lane.stats.sent, 2000);
	assert_int_equal(lane.stats.completed, 2000);
	assert_int_equal(lane.stats.opened_in_time, 2000);
	/* Handshake and request. */
	assert_int_equal(lane.stats.latency.max_ns, 20000);
	assert_int_equal(lane.stats.connect.max_ns, 10000);
	assert_true(f.max_open <= 16);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	done();
}

static void lane__cps_without_data_and_by_reset(void **state)
{
	prepare(GEN_CPS, 2000, 16);
	opt.close = GEN_CLOSE_RST;
	run.request_len = 0;
	go();
	assert_int_equal(lane.stats.completed, 2000);
	assert_int_equal(f.sends, 0);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	done();
}

static void lane__cps_closed_by_the_server(void **state)
{
	prepare(GEN_CPS, 2000, 16);
	opt.close = GEN_CLOSE_SERVER;
	f.server_closes = true;
	go();
	assert_int_equal(lane.stats.completed, 2000);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	done();
}

static void lane__cps_closed_loop(void **state)
{
	prepare(GEN_CPS, 0, 3);
	opt.duration_ns = 100 * MS;
	go();
	/* Handshake, request, close: 30 us for each of three. */
	assert_in_range(lane.stats.done_in_time, 9990, 10010);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	done();
}

static void lane__requests_per_connection(void **state)
{
	prepare(GEN_RR, 1000, 4);
	opt.requests_per_conn = 10;
	go();
	assert_int_equal(lane.stats.completed, 1000);
	assert_in_range(f.conns, 100, 110);
	done();
}

/* No port is free: each planned connection fails under its name, and a closed loop does not spin.
 */
static void lane__connect_errors_have_names(void **state)
{
	prepare(GEN_CPS, 1000, 4);
	f.connect_error = -EADDRNOTAVAIL;
	go();
	assert_int_equal(lane.stats.failures[GEN_FAIL_NO_PORT], 1000);
	assert_int_equal(lane.stats.failed, 1000);
	done();
	prepare(GEN_CPS, 0, 4);
	f.connect_error = -ENOBUFS;
	go();
	assert_in_range(lane.stats.failures[GEN_FAIL_NO_BUFFER], 60, 100);
	done();
}

/* Lasting connections that nobody accepts: the run cannot begin, and says so. */
static void lane__refused_ramp_breaks_the_run(void **state)
{
	prepare(GEN_RR, 0, 4);
	f.refuse = RNL_REASON_REFUSED;
	go();
	assert_int_equal(run.broken, 1);
	assert_non_null(strstr(run.broken_why, "0 of 4 connections"));
	assert_true(lane.stats.reasons[RNL_REASON_REFUSED] > 0);
	done();
}

static void lane__wrong_octets_are_seen(void **state)
{
	prepare(GEN_RR, 100, 2);
	opt.verify = true;
	f.wrong = true;
	go();
	assert_true(lane.stats.failures[GEN_FAIL_VERIFY] > 0);
	assert_int_equal(lane.stats.completed, 0);
	/* Requests while all places wait to connect again are not lost either: all are accounted.
	 */
	assert_int_equal(lane.stats.failed, 100);
	done();
}

static void lane__interruption_keeps_what_was_measured(void **state)
{
	prepare(GEN_RR, 1000, 4);
	start();
	go_until(f.now + 500 * MS);
	run.stop = 1;
	go_until(f.now + 60 * SECOND);
	assert_int_equal(run.lanes_done, 1);
	assert_in_range(lane.stats.window_ns, 480 * MS, 520 * MS);
	assert_in_range(lane.stats.completed, 480, 520);
	assert_int_equal(lane.stats.failed, 0);
	done();
}

/* The server accepts and resets at once: the run begins, counts, and ends. */
static void lane__accepted_and_reset(void **state)
{
	prepare(GEN_RR, 0, 4);
	f.reset_after = 5000;
	go();
	assert_int_equal(run.broken, 0);
	assert_true(lane.stats.reasons[RNL_REASON_RESET] > 4);
	assert_int_equal(lane.stats.completed, 0);
	done();
}

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/* Heads and bodies cut at every place. */
static void lane__http_in_pieces(void **state)
{
	for (uint64_t cut = 0; cut <= sizeof(ok); cut++) {
		prepare(GEN_HTTP, 100, 2);
		f.http = ok;
		f.cut = cut;
		go();
		assert_int_equal(lane.stats.completed, 100);
		assert_int_equal(lane.stats.http_status[1], 100);
		assert_int_equal(lane.stats.rx_bytes, 100 * (sizeof(ok) - 1));
		assert_int_equal(gen_stats_errors(&lane.stats), 0);
		done();
	}
}

static void lane__http_refusals_have_names(void **state)
{
	prepare(GEN_HTTP, 10, 2);
	f.http = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
	go();
	assert_int_equal(lane.stats.failures[GEN_FAIL_HTTP_CHUNKED], 10);
	assert_int_equal(lane.stats.completed, 0);
	done();
	prepare(GEN_HTTP, 10, 2);
	f.http = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
	go();
	assert_int_equal(lane.stats.failures[GEN_FAIL_HTTP_STATUS], 10);
	assert_int_equal(lane.stats.completed, 10);
	assert_int_equal(lane.stats.http_status[3], 10);
	done();
	prepare(GEN_HTTP, 10, 2);
	f.http = "220 smtp.example ESMTP\r\n";
	go();
	assert_int_equal(lane.stats.failures[GEN_FAIL_HTTP_MALFORMED], 10);
	done();
}

/* A body that ends with the connection, and a server that says that it will close. */
static void lane__http_until_close(void **state)
{
	prepare(GEN_HTTP, 100, 2);
	f.http = "HTTP/1.1 200 OK\r\n\r\nuntil the end";
	f.server_closes = true;
	go();
	assert_int_equal(lane.stats.completed, 100);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	done();
	prepare(GEN_HTTP, 100, 2);
	f.http = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
	f.server_closes = true;
	go();
	assert_int_equal(lane.stats.completed, 100);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	done();
}

static void lane__bulk_counts_what_is_acknowledged(void **state)
{
	prepare(GEN_TX, 0, 2);
	opt.warmup_ns = 100 * MS;
	go();
	assert_int_equal(lane.stats.tx_bytes, 2 * 1000 * 1000);
	assert_int_equal(gen_stats_errors(&lane.stats), 0);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lane__closed_loop_keeps_every_connection_busy),
	    cmocka_unit_test(lane__outstanding_requests_pipeline),
	    cmocka_unit_test(lane__open_loop_sends_what_was_planned),
	    cmocka_unit_test(lane__a_stall_is_not_omitted),
	    cmocka_unit_test(lane__what_never_went_out_is_unfinished),
	    cmocka_unit_test(lane__cps_open_loop),
	    cmocka_unit_test(lane__cps_without_data_and_by_reset),
	    cmocka_unit_test(lane__cps_closed_by_the_server),
	    cmocka_unit_test(lane__cps_closed_loop),
	    cmocka_unit_test(lane__requests_per_connection),
	    cmocka_unit_test(lane__connect_errors_have_names),
	    cmocka_unit_test(lane__refused_ramp_breaks_the_run),
	    cmocka_unit_test(lane__accepted_and_reset),
	    cmocka_unit_test(lane__wrong_octets_are_seen),
	    cmocka_unit_test(lane__interruption_keeps_what_was_measured),
	    cmocka_unit_test(lane__http_in_pieces),
	    cmocka_unit_test(lane__http_refusals_have_names),
	    cmocka_unit_test(lane__http_until_close),
	    cmocka_unit_test(lane__bulk_counts_what_is_acknowledged),
	};

	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
