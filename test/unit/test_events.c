/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack/events: every callback may make every call, and still `closed` comes once and last.
 * Reading: what is left is offered again, what is held is counted.
 */
#include "pair.h"

#include <rte_common.h>

/* ---- each call in each callback ---- */

static struct {
	enum pair_event in;               /* the callback under test */
	void (*act)(struct pair_side *s); /* what it does */
	struct pair_side *s;              /* on this side */
	rnl_conn_t c;                     /* to this connection */
	unsigned int acted, closed, late, after_end;
	bool let_go;
	bool reset; /* the peer aborts in the end, and does not close */
} m;

static void let_go(int ret)
{
	assert_int_equal(ret, 0);
	m.let_go = true;
}

static void act_abort(struct pair_side *s)
{
	let_go(rnl_abort(s->st, m.c));
}

static void act_close(struct pair_side *s)
{
	let_go(rnl_close(s->st, m.c));
}

static void act_close_abort(struct pair_side *s)
{
	let_go(rnl_close(s->st, m.c));
	let_go(rnl_abort(s->st, m.c));
}

static void act_abort_close(struct pair_side *s)
{
	let_go(rnl_abort(s->st, m.c));
	let_go(rnl_close(s->st, m.c));
}

static void act_shutdown(struct pair_side *s)
{
	assert_int_equal(rnl_shutdown(s->st, m.c), m.in == EV_CLOSED ? -EPIPE : 0);
	assert_int_equal(rnl_shutdown(s->st, m.c), -EPIPE);
	assert_int_equal(rnl_send(s->st, m.c, "x", 1), -EPIPE);
}

static void act_shutdown_close(struct pair_side *s)
{
	rnl_shutdown(s->st, m.c);
	let_go(rnl_close(s->st, m.c));
}

static void act_send(struct pair_side *s)
{
	ssize_t n = rnl_send(s->st, m.c, "more", 4);

	if (m.in == EV_CLOSED)
		assert_int_equal(n, -EPIPE);
	else
		assert_in_range(n, 0, 4);
}

static void act_send_close(struct pair_side *s)
{
	act_send(s);
	let_go(rnl_close(s->st, m.c));
}

static void act_connect(struct pair_side *s)
{
	struct rnl_connect_config c = pair_connect_config();
	rnl_conn_t conn;

	c.raddr = s == &w.a ? w.b.addr : w.a.addr;
	assert_int_equal(rnl_connect(s->st, &c, &conn), 0);
	assert_true(conn != m.c);
}

static void act_set_opts(struct pair_side *s)
{
	struct rnl_conn_opts o = {.size = sizeof(o), .nodelay = true, .idle_timeout_ms = 100000};

	assert_int_equal(rnl_set_opts(s->st, m.c, &o), 0);
}

static void act_timer(struct pair_side *s)
{
	assert_int_equal(rnl_conn_timer(s->st, m.c, rnl_now_ns(s->st) + PAIR_MS), 0);
}

static void act_resume(struct pair_side *s)
{
	assert_int_equal(rnl_receive_resume(s->st, m.c), 0);
}

static void act_read(struct pair_side *s)
{
	struct rnl_conn_info info;
	struct rnl_conn_opts o = {.size = sizeof(o)};

	assert_int_equal(rnl_conn_info(s->st, m.c, &info), 0);
	assert_int_equal(rnl_get_opts(s->st, m.c, &o), 0);
	assert_ptr_equal(rnl_get_ctx(s->st, m.c), s->ctx);
	assert_true(rnl_now_ns(s->st) == w.now_ns);
}

/* Others than the connection under test end as soon as they can. */
static void watch(struct pair_side *s, rnl_conn_t c)
{
	enum pair_event ev = s->last;

	if (m.c == 0 && (ev == EV_ACCEPTED || ev == EV_CONNECTED))
		m.c = c;
	if (c != m.c) {
		if (ev == EV_CONNECTED || ev == EV_PEER_CLOSED)
			rnl_close(s->st, c);
		return;
	}
	m.after_end += m.closed;
	m.late += m.let_go && ev != EV_CLOSED;
	m.closed += ev == EV_CLOSED;
	if (ev == EV_ACCEPTED || ev == EV_CONNECTED) { /* so that the others come */
		assert_int_equal(rnl_conn_timer(s->st, c, w.now_ns + 5 * PAIR_MS), 0);
		assert_in_range(rnl_send(s->st, c, s->got, 5000), 1, 4999);
	}
	if (ev == m.in && m.acted++ == 0)
		m.act(s);
}

static void peer_ends(struct pair_side *s, rnl_conn_t c)
{
	rnl_close(s->st, c);
}

static void watch_all(struct pair_side *s, struct pair_side *peer)
{
	for (enum pair_event ev = EV_ACCEPTED; ev < EV_COUNT; ev++)
		s->hook[ev] = watch;
	peer->hook[EV_PEER_CLOSED] = peer_ends;
}

static bool none_left(const struct pair_side *s)
{
	struct rnl_usage u = pair_usage(s);

	return u.conns == 0 && u.minis == 0 && u.busy == 0 && u.held == 0 && u.txq == 0;
}

static void life(struct pair_side *s, struct pair_side *peer)
{
	struct rnl_connect_config c = pair_connect_config();
	rnl_conn_t own;

	watch_all(s, peer);
	c.opts.sndbuf_bytes = 2000;
	assert_int_equal(rnl_connect(w.b.st, &c, &own), 0);
	m.c = s == &w.b ? own : 0;
	pair_settle();
	rnl_send(peer->st, peer == &w.b ? own : w.a.conn, "hello", 5);
	pair_run(20 * PAIR_MS);
	(m.reset ? rnl_abort : rnl_shutdown)(peer->st, peer == &w.b ? own : w.a.conn);
	pair_run(20 * PAIR_MS);
	if (!m.let_go)
		rnl_close(s->st, m.c); /* -ESTALE when `closed` was under test */
	m.let_go = true;
	pair_run(300 * PAIR_S);
}

static void each_call_until(enum pair_event in, struct pair_side *s, bool reset)
{
	static void (*const acts[])(struct pair_side *) = {
	    act_abort,          act_close,  act_close_abort, act_abort_close, act_shutdown,
	    act_shutdown_close, act_send,   act_send_close,  act_connect,     act_set_opts,
	    act_timer,          act_resume, act_read};
	const struct pair_config cfg = {.opts = {.sndbuf_bytes = 2000}};
	const struct rnl_listen_config back = {
	    .size = sizeof(back), .port_first = PAIR_PORT, .ops = &pair_ops, .ctx = &w.b};
	rnl_listener_t l;

	for (unsigned int i = 0; i < RTE_DIM(acts); i++) {
		memset(&m, 0, sizeof(m));
		m.in = in;
		m.reset = reset;
		m.act = acts[i];
		pair_open(&cfg);
		assert_int_equal(rnl_listen(w.b.st, &back, &l, NULL), 0);
		life(s, s == &w.a ? &w.b : &w.a);
		assert_true(m.acted > 0);
		if (m.closed != 1 || m.late != 0 || m.after_end != 0)
			fail_msg("call %u in event %d: closed %u times, %u late, %u after the end",
			         i, (int)in, m.closed, m.late, m.after_end);
		assert_true(none_left(&w.a) && none_left(&w.b));
		pair_close();
		assert_int_equal(rnl_test_mbufs_out(), 0);
	}
}

static void each_call(enum pair_event in, struct pair_side *s)
{
	each_call_until(in, s, false);
}

static void events__any_call_in_accepted(void **state)
{
	each_call(EV_ACCEPTED, &w.a);
}

static void events__any_call_in_connected(void **state)
{
	each_call(EV_CONNECTED, &w.b);
}

static void events__any_call_in_received(void **state)
{
	each_call(EV_RECEIVED, &w.a);
	each_call(EV_RECEIVED, &w.b);
}

static void events__any_call_in_writable(void **state)
{
	each_call(EV_WRITABLE, &w.a);
	each_call(EV_WRITABLE, &w.b);
}

static void events__any_call_in_peer_closed(void **state)
{
	each_call(EV_PEER_CLOSED, &w.a);
	each_call(EV_PEER_CLOSED, &w.b);
}

static void events__any_call_in_timer(void **state)
{
	each_call(EV_TIMER, &w.a);
	each_call(EV_TIMER, &w.b);
}

static void events__any_call_in_closed(void **state)
{
	each_call(EV_CLOSED, &w.a);
	each_call(EV_CLOSED, &w.b);
	each_call_until(EV_CLOSED, &w.a, true);
	each_call_until(EV_CLOSED, &w.b, true);
}

/* ---- one connection's callback ends others ---- */

static rnl_conn_t others[4];

static void ends_others(struct pair_side *s, rnl_conn_t c)
{
	for (unsigned int i = 0; i < RTE_DIM(others); i++)
		if (others[i] != c)
			(i % 2 ? rnl_abort : rnl_close)(s->st, others[i]);
}

/* All have news in the same iteration: the first one told ends those that are still to be told. */
static void events__others_may_be_ended(void **state)
{
	rnl_conn_t ours[RTE_DIM(others)];

	for (unsigned int i = 0; i < RTE_DIM(others); i++) {
		pair_connect();
		others[i] = w.a.conn;
		ours[i] = w.b.conn;
	}
	for (unsigned int i = 0; i < RTE_DIM(others); i++)
		assert_int_equal(rnl_send(w.b.st, ours[i], "hello", 5), 5);
	w.a.hook[EV_RECEIVED] = ends_others;
	pair_settle();
	assert_int_equal(w.a.count[EV_RECEIVED], 1);
	assert_int_equal(w.a.count[EV_CLOSED], 3);
	assert_int_equal(pair_usage(&w.a).conns, 1);
	assert_int_equal(pair_usage(&w.a).held, 0);
}

static void aborts_admitted(struct pair_side *s, rnl_conn_t c)
{
	assert_int_equal(rnl_abort(s->st, others[0]), 0);
	others[0] = 0;
}

static void events__admit_may_end_others(void **state)
{
	pair_connect();
	others[0] = w.a.conn;
	w.a.hook[EV_ADMIT] = aborts_admitted;
	pair_connect();
	assert_int_equal(w.a.count[EV_CLOSED], 1);
	assert_int_equal(w.b.count[EV_CLOSED], 1);
	assert_int_equal(w.b.reason, RNL_REASON_RESET);
	assert_int_equal(pair_usage(&w.a).conns, 1);
}

/* ---- no callbacks at all ---- */

static void events__callbacks_may_be_missing(void **state)
{
	static const struct rnl_app_ops none = {.size = sizeof(none)};
	const struct rnl_listen_config lc = {
	    .size = sizeof(lc), .port_first = 81, .ops = &none, .ctx = &w.a};
	struct rnl_connect_config c = pair_connect_config();
	rnl_listener_t l;

	assert_int_equal(rnl_listen(w.a.st, &lc, &l, NULL), 0);
	c.rport = 81;
	assert_int_equal(rnl_connect(w.b.st, &c, &w.b.conn), 0);
	assert_int_equal(rnl_send(w.b.st, w.b.conn, "lost", 4), 4);
	pair_settle();
	assert_int_equal(pair_usage(&w.a).conns, 1);
	assert_int_equal(pair_usage(&w.a).held, 0);       /* `received` consumes everything */
	assert_int_equal(rnl_close(w.b.st, w.b.conn), 0); /* `peer_closed` sends FIN as well */
	pair_settle();
	assert_int_equal(w.b.reason, RNL_REASON_NORMAL);
	assert_int_equal(pair_usage(&w.a).conns, 0);
}

/* ---- reading ---- */

static uint8_t *pattern(size_t n)
{
	static uint8_t data[1 << 19];

	assert_true(n <= sizeof(data));
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	return data;
}

static void events__resume_offers_again(void **state)
{
	uint8_t *data = pattern(10);

	pair_connect();
	w.a.take = 0;
	assert_int_equal(rnl_send(w.b.st, w.b.conn, data, 10), 10);
	pair_run(PAIR_S);
	assert_int_equal(w.a.count[EV_RECEIVED], 1);
	assert_int_equal(w.a.total, 10);
	assert_int_equal(pair_usage(&w.a).held, 1);
	w.a.take = 3;
	for (unsigned int i = 2; i <= 4; i++) {
		assert_int_equal(rnl_receive_resume(w.a.st, w.a.conn), 0);
		assert_int_equal(rnl_receive_resume(w.a.st, w.a.conn), 0); /* twice is once */
		pair_settle();
		assert_int_equal(w.a.count[EV_RECEIVED], i);
		assert_int_equal(w.a.total, 10 - 3 * (i - 2));
	}
	assert_int_equal(w.a.got_n, 9);
	w.a.take = SIZE_MAX;
	assert_int_equal(rnl_send(w.b.st, w.b.conn, "!", 1), 1); /* new data offers the rest too */
	pair_settle();
	assert_int_equal(w.a.total, 2);
	assert_int_equal(rnl_receive_resume(w.a.st, w.a.conn), 0); /* nothing to offer */
	pair_settle();
	assert_int_equal(w.a.count[EV_RECEIVED], 5);
	assert_memory_equal(w.a.got, data, 10);
	assert_int_equal(w.a.got[10], '!');
	assert_int_equal(pair_usage(&w.a).held, 0);
}

/* Backpressure: the window closes, nothing is lost, and it opens again by what is consumed. */
static void events__unread_data_holds_the_sender(void **state)
{
	const size_t len = 200000;
	uint8_t *data = pattern(len);
	const struct pair_config cfg = {.opts = {.rcvbuf_bytes = 20000}};

	pair_close();
	pair_open(&cfg);
	pair_connect();
	w.a.take = 0;
	assert_int_equal(rnl_send(w.b.st, w.b.conn, data, len), len);
	pair_run(5 * PAIR_S);
	assert_in_range(w.a.total, 1, 20000);
	assert_true(pair_counter(&w.b, "tcp_persist_probes") > 0);
	w.a.take = 1111;
	for (unsigned int i = 0; i < 400 && w.a.got_n < len; i++) {
		assert_int_equal(rnl_receive_resume(w.a.st, w.a.conn), 0);
		pair_run(50 * PAIR_MS);
		assert_true(w.a.total <= 20000);
	}
	assert_int_equal(w.a.got_n, len);
	assert_memory_equal(w.a.got, data, len);
	assert_int_equal(pair_usage(&w.a).held, 0);
}

static struct rte_mbuf *kept[16];
static const uint8_t *kept_data[16];
static unsigned int kept_n;
static int hold_ret;

static void holds(struct pair_side *s, rnl_conn_t c)
{
	hold_ret = rnl_buf_hold(s->st, s->span);
	if (hold_ret == 0) {
		kept_data[kept_n] = s->span->data;
		kept[kept_n++] = s->span->buf;
	}
}

static void send_each(unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		uint8_t octet = (uint8_t)i;

		assert_int_equal(rnl_send(w.b.st, w.b.conn, &octet, 1), 1);
		pair_run(100 * PAIR_MS);
	}
}

static void events__held_buffers_are_counted(void **state)
{
	const struct pair_config cfg = {.a = {.max_held = 8}};

	pair_close();
	pair_open(&cfg);
	kept_n = 0;
	pair_connect();
	w.a.hook[EV_RECEIVED] = holds;
	send_each(0, 7);
	assert_int_equal(kept_n, 7);
	assert_int_equal(pair_usage(&w.a).held, 7);
	send_each(7, 8); /* inside, the span itself counts as well: 8 of 8 */
	assert_int_equal(hold_ret, -ENOBUFS);
	assert_int_equal(pair_usage(&w.a).held, 7);
	assert_int_equal(w.a.got_n, 8);
	for (unsigned int i = 0; i < 7; i++)
		assert_int_equal(*kept_data[i], i); /* long after it was consumed */
	rnl_buf_release(w.a.st, kept[--kept_n]);
	send_each(8, 9);
	assert_int_equal(hold_ret, 0);
	assert_int_equal(rnl_abort(w.a.st, w.a.conn), 0); /* the buffers outlive their connection */
	pair_settle();
	assert_int_equal(w.a.count[EV_CLOSED], 1);
	assert_int_equal(pair_usage(&w.a).held, 7);
	while (kept_n > 0)
		rnl_buf_release(w.a.st, kept[--kept_n]);
	assert_int_equal(pair_usage(&w.a).held, 0);
}

/* The application holds everything there is: the receiver is not deaf for ever. */
static void events__receiving_goes_on_after_release(void **state)
{
	const struct pair_config cfg = {.a = {.max_held = 8}};

	pair_close();
	pair_open(&cfg);
	kept_n = 0;
	pair_connect();
	w.a.hook[EV_RECEIVED] = holds;
	w.a.take = 0; /* unread and held: two for each */
	for (unsigned int i = 0; i < 12; i++) {
		assert_int_equal(rnl_send(w.b.st, w.b.conn, "abc", 3), 3);
		pair_run(100 * PAIR_MS);
		assert_true(pair_usage(&w.a).held <= 8);
	}
	while (kept_n > 0)
		rnl_buf_release(w.a.st, kept[--kept_n]);
	w.a.hook[EV_RECEIVED] = NULL;
	w.a.take = SIZE_MAX;
	assert_int_equal(rnl_receive_resume(w.a.st, w.a.conn), 0);
	pair_run(120 * PAIR_S);
	assert_int_equal(w.a.got_n, 36);
	assert_int_equal(pair_usage(&w.a).held, 0);
}

/* ---- zero-copy releases ---- */

static unsigned int released, released_at_close;

static void on_release(struct rnl_stack *st, void *arg)
{
	released++;
	assert_ptr_equal(arg, &released);
	assert_int_equal(w.b.count[EV_CLOSED], 0);
}

static void notes_released(struct pair_side *s, rnl_conn_t c)
{
	released_at_close = released;
}

static void events__releases_come_before_closed(void **state)
{
	const struct pair_config cfg = {.caps = RNL_CAP_TX_MULTI_SEGS};
	uint8_t *data = pattern(50000);

	pair_close();
	for (unsigned int how = 0; how < 3; how++) {
		released = released_at_close = 0;
		pair_open(&cfg);
		w.b.hook[EV_CLOSED] = notes_released;
		w.a.hook[EV_PEER_CLOSED] = peer_ends;
		pair_connect();
		for (unsigned int i = 0; i < 5; i++)
			assert_int_equal(rnl_send_zc(w.b.st, w.b.conn, data + i * 10000, 10000,
			                             on_release, &released),
			                 10000);
		if (how > 0)
			rnl_poll(w.b.st, w.now_ns += 1000);
		assert_int_equal((how < 2 ? rnl_abort : rnl_close)(w.b.st, w.b.conn), 0);
		assert_int_equal(w.b.count[EV_CLOSED], 0); /* never inside the call */
		if (how == 1) {                            /* the peer reads them still */
			rnl_poll(w.b.st, w.now_ns += 100 * PAIR_MS);
			assert_int_equal(w.b.count[EV_CLOSED], 0);
			assert_in_range(released, 0, 4);
		}
		pair_run(PAIR_S);
		assert_int_equal(w.b.count[EV_CLOSED], 1);
		assert_int_equal(released_at_close, 5);
		assert_int_equal(released, 5);
		assert_int_equal(w.b.reason, how < 2 ? RNL_REASON_LOCAL_ABORT : RNL_REASON_NORMAL);
		if (how == 2)
			assert_memory_equal(w.a.got, data, 50000);
		pair_close();
		assert_int_equal(rnl_test_mbufs_out(), 0);
	}
	pair_open(&cfg);
}

#define plain_test(f) cmocka_unit_test_teardown(f, rnl_test_no_leak)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    plain_test(events__any_call_in_accepted),
	    plain_test(events__any_call_in_connected),
	    plain_test(events__any_call_in_received),
	    plain_test(events__any_call_in_writable),
	    plain_test(events__any_call_in_peer_closed),
	    plain_test(events__any_call_in_timer),
	    plain_test(events__any_call_in_closed),
	    pair_test(events__others_may_be_ended),
	    pair_test(events__admit_may_end_others),
	    pair_test(events__callbacks_may_be_missing),
	    pair_test(events__resume_offers_again),
	    pair_test(events__unread_data_holds_the_sender),
	    pair_test(events__held_buffers_are_counted),
	    pair_test(events__receiving_goes_on_after_release),
	    pair_test(events__releases_come_before_closed),
	};

	return cmocka_run_group_tests_name("events", tests, rnl_test_group_setup, NULL);
}
