/* SPDX-License-Identifier: BSD-3-Clause */
/* stack/api: what calls refuse, handles that are stale, source ports, both kinds of timers. */
#include "pair.h"

#include <rte_common.h>

static struct rnl_error err;

/* ---- listening ---- */

static struct rnl_listen_config listen_config(uint16_t port)
{
	return (struct rnl_listen_config){.size = sizeof(struct rnl_listen_config),
	                                  .port_first = port,
	                                  .ops = &pair_ops,
	                                  .ctx = &w.a};
}

static void listen_refused(const struct rnl_listen_config *c, int code, const char *part)
{
	rnl_listener_t l = 77;

	memset(&err, 0, sizeof(err));
	assert_int_equal(rnl_listen(w.a.st, c, &l, &err), code);
	assert_int_equal(l, 77);
	pair_check_error(&err, part);
	assert_int_equal(rnl_listen(w.a.st, c, &l, NULL), code);
}

static void api__listen_says_what_to_change(void **state)
{
	struct rnl_listen_config c = listen_config(81);
	rnl_listener_t l;

	c.ops = NULL;
	listen_refused(&c, -EINVAL, "set ops");
	c = listen_config(81);
	c.opts.dscp = 64;
	listen_refused(&c, -EINVAL, "0 to 63");
	c = listen_config(81);
	c.port_last = 80;
	listen_refused(&c, -EINVAL, "ports");
	c.port_first = 0;
	listen_refused(&c, -EINVAL, "ports");
	c = listen_config(81);
	c.addr = w.a.addr;
	c.prefix_len = 24;
	listen_refused(&c, -EINVAL, "prefix");
	c.prefix_len = 33;
	listen_refused(&c, -EINVAL, "32");
	c = listen_config(PAIR_PORT);
	listen_refused(&c, -EADDRINUSE, "80-80");
	c.size = offsetof(struct rnl_listen_config, ops); /* its callbacks read as none */
	listen_refused(&c, -EINVAL, "set ops");
	for (uint16_t i = 1; i < 1024; i++) {
		c = listen_config((uint16_t)(1000 + i));
		assert_int_equal(rnl_listen(w.a.st, &c, &l, &err), 0);
	}
	assert_int_equal(pair_usage(&w.a).listeners, 1024);
	c = listen_config(81);
	listen_refused(&c, -ENOSPC, "use port ranges");
	assert_int_equal(rnl_unlisten(w.a.st, l), 0);
	assert_int_equal(rnl_unlisten(w.a.st, l), -ENOENT);
	assert_int_equal(rnl_listen(w.a.st, &c, &l, &err), 0);
}

static void api__unlisten_knows_its_own(void **state)
{
	static const rnl_listener_t garbage[] = {0, 1, 1023, 1024, 12345678, UINT32_MAX};

	for (unsigned int i = 0; i < RTE_DIM(garbage); i++)
		if (garbage[i] != w.a.listener)
			assert_int_equal(rnl_unlisten(w.a.st, garbage[i]), -ENOENT);
	assert_int_equal(rnl_unlisten(w.a.st, w.a.listener), 0);
	assert_int_equal(rnl_unlisten(w.a.st, w.a.listener), -ENOENT);
	assert_int_equal(pair_usage(&w.a).listeners, 0);
}

static const char *cc_of(struct pair_side *s)
{
	struct rnl_conn_info info;

	assert_int_equal(rnl_conn_info(s->st, s->conn, &info), 0);
	return info.cc;
}

static void api__listener_options_are_replaced(void **state)
{
	struct rnl_conn_opts o = {.size = sizeof(o), .cc = &rnl_cc_dctcp};
	rnl_conn_t first;

	pair_connect();
	first = w.a.conn;
	assert_string_equal(cc_of(&w.a), "cubic");
	assert_int_equal(rnl_listener_set_opts(w.a.st, 0, &o, NULL), -ENOENT);
	o.dscp = 64;
	assert_int_equal(rnl_listener_set_opts(w.a.st, w.a.listener, &o, NULL), -EINVAL);
	o.dscp = 0;
	assert_int_equal(rnl_listener_set_opts(w.a.st, w.a.listener, &o, NULL), 0);
	pair_connect();
	assert_string_equal(cc_of(&w.a), "dctcp");
	assert_string_equal(cc_of(&w.b), "cubic");
	w.a.conn = first; /* not touched */
	assert_string_equal(cc_of(&w.a), "cubic");
	assert_int_equal(rnl_unlisten(w.a.st, w.a.listener), 0);
	assert_int_equal(rnl_listener_set_opts(w.a.st, w.a.listener, &o, NULL), -ENOENT);
}

static void api__unlisten_leaves_connections_and_drops_halves(void **state)
{
	struct rnl_connect_config c = pair_connect_config();
	rnl_conn_t half;

	pair_connect();
	assert_int_equal(rnl_connect(w.b.st, &c, &half), 0);
	rnl_poll(w.b.st, w.now_ns += 1000);
	w.a.cut = true;
	rnl_poll(w.a.st, w.now_ns += 1000);
	w.a.cut = false;
	assert_int_equal(pair_usage(&w.a).minis, 1);
	assert_int_equal(rnl_unlisten(w.a.st, w.a.listener), 0);
	assert_int_equal(pair_usage(&w.a).minis, 0);
	assert_int_equal(rnl_send(w.b.st, w.b.conn, "x", 1), 1);
	pair_run(2 * PAIR_S); /* the SYN again: refused */
	assert_int_equal(w.a.got_n, 1);
	assert_int_equal(w.b.count[EV_CLOSED], 1);
	assert_int_equal(w.b.reason, RNL_REASON_REFUSED);
	assert_int_equal(pair_state(&w.b, half), -1);
	assert_int_equal(pair_state(&w.b, w.b.conn), RNL_ESTABLISHED);
}

static void api__most_specific_listener_gets_it(void **state)
{
	struct rnl_listen_config any = listen_config(0), one = listen_config(PAIR_PORT);
	rnl_listener_t l_any, l_one;
	int x, y;

	any.ctx = &x;
	one.ctx = &y;
	one.addr = w.a.addr;
	one.prefix_len = 32;
	assert_int_equal(rnl_listen(w.a.st, &any, &l_any, &err), 0);
	pair_connect();
	assert_ptr_equal(w.a.ctx, &w.a);
	assert_int_equal(rnl_listen(w.a.st, &one, &l_one, &err), 0);
	pair_connect();
	assert_ptr_equal(w.a.ctx, &y);
	assert_int_equal(rnl_unlisten(w.a.st, l_one), 0);
	assert_int_equal(rnl_unlisten(w.a.st, w.a.listener), 0);
	pair_connect();
	assert_ptr_equal(w.a.ctx, &x);
}

static void api__admit_says_no(void **state)
{
	struct rnl_connect_config c = pair_connect_config();

	w.a.refuse = true;
	assert_int_equal(rnl_connect(w.b.st, &c, &w.b.conn), 0);
	pair_settle();
	assert_int_equal(w.a.count[EV_ADMIT], 1);
	assert_int_equal(w.b.reason, RNL_REASON_REFUSED);
	assert_int_equal(pair_counter(&w.a, "tcp_syn_not_admitted"), 1);
	assert_int_equal(pair_usage(&w.a).minis, 0);
}

static void api__backlog_bounds_half_open_ones(void **state)
{
	struct rnl_listen_config lc = listen_config(81);
	struct rnl_connect_config c = pair_connect_config();
	rnl_listener_t l;
	rnl_conn_t conn;

	lc.backlog = 2;
	lc.syncookies = RNL_SYNCOOKIES_NEVER;
	c.rport = 81;
	assert_int_equal(rnl_listen(w.a.st, &lc, &l, &err), 0);
	w.a.cut = true;
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(rnl_connect(w.b.st, &c, &conn), 0);
	pair_settle();
	assert_int_equal(pair_usage(&w.a).minis, 2);
	assert_int_equal(pair_counter(&w.a, "tcp_syn_dropped_backlog"), 3);
	w.a.cut = false;
	pair_run(10 * PAIR_S);
	assert_int_equal(w.a.count[EV_ACCEPTED], 5);
	assert_int_equal(pair_usage(&w.a).minis, 0);
}

/* ---- connecting ---- */

static void connect_refused(const struct rnl_connect_config *c, int code)
{
	rnl_conn_t conn = 77;

	assert_int_equal(rnl_connect(w.b.st, c, &conn), code);
	assert_int_equal(conn, 77);
	assert_int_equal(pair_usage(&w.b).conns, 0);
	assert_int_equal(pair_usage(&w.b).busy, 0);
}

/* RFC 9293 3.9.1.1 (MUST-43, MUST-46). */
static void api__connect_refuses(void **state)
{
	struct rnl_connect_config c;

#define REFUSED(field, value, code)                                                                \
	do {                                                                                       \
		c = pair_connect_config();                                                         \
		c.field = value;                                                                   \
		connect_refused(&c, code);                                                         \
	} while (0)
	REFUSED(ops, NULL, -EINVAL);
	REFUSED(rport, 0, -EINVAL);
	REFUSED(raddr, (struct rnl_addr){{0}}, -EINVAL);
	REFUSED(raddr, rnl_addr_v4(224, 0, 0, 1), -EINVAL);
	REFUSED(raddr, rnl_addr_v4(255, 255, 255, 255), -EINVAL);
	REFUSED(raddr, rnl_addr_v4(10, 0, 0, 255), -EINVAL);
	REFUSED(raddr, rnl_addr_v4(0, 0, 0, 0), -EINVAL);
	REFUSED(laddr, rnl_addr_v4(10, 0, 0, 77), -EINVAL);
	REFUSED(lport_first, 61000, -EINVAL);
	REFUSED(opts.dscp, 64, -EINVAL);
	REFUSED(size, offsetof(struct rnl_connect_config, ops), -EINVAL);
	REFUSED(raddr, rnl_addr_v4(11, 0, 0, 1), -ENETUNREACH);
	REFUSED(raddr.b[0], 0x20, -ENETUNREACH); /* an IPv6 address */
	REFUSED(raddr, w.b.addr, -ENETUNREACH);
#undef REFUSED
}

/* RFC 6056 3.3.3. */
static void api__connect_lends_ports_and_takes_them_back(void **state)
{
	struct rnl_connect_config c = pair_connect_config();
	rnl_conn_t conns[10], more;
	uint16_t seen = 0;

	c.lport_first = 40000;
	c.lport_last = 40009;
	for (unsigned int i = 0; i < 10; i++) {
		struct rnl_conn_info info;

		assert_int_equal(rnl_connect(w.b.st, &c, &conns[i]), 0);
		assert_int_equal(rnl_conn_info(w.b.st, conns[i], &info), 0);
		assert_in_range(info.tuple.lport, 40000, 40009);
		seen |= (uint16_t)(1u << (info.tuple.lport - 40000));
	}
	assert_int_equal(seen, 0x3ff);
	assert_int_equal(rnl_connect(w.b.st, &c, &more), -EADDRNOTAVAIL);
	c.rport = 81; /* another destination has its own */
	assert_int_equal(rnl_connect(w.b.st, &c, &more), 0);
	assert_int_equal(rnl_abort(w.b.st, more), 0);
	c.rport = PAIR_PORT;
	c.lport = 40003; /* given, and in use */
	assert_int_equal(rnl_connect(w.b.st, &c, &more), -EADDRNOTAVAIL);
	c.lport = 0;
	pair_settle();
	assert_int_equal(rnl_abort(w.b.st, conns[4]), 0);
	assert_int_equal(rnl_connect(w.b.st, &c, &more), -EADDRNOTAVAIL); /* until `closed` */
	pair_settle();
	assert_int_equal(rnl_connect(w.b.st, &c, &more), 0);
	assert_int_equal(rnl_connect(w.b.st, &c, &more), -EADDRNOTAVAIL);
}

static void api__connect_without_memory_leaves_nothing(void **state)
{
	struct rnl_connect_config c = pair_connect_config();
	const struct pair_config cfg = {.b = {.max_conns = 2, .max_busy = 1}};
	rnl_conn_t conn, none;

	pair_close();
	pair_open(&cfg);
	c = pair_connect_config();
	assert_int_equal(rnl_connect(w.b.st, &c, &conn), 0);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(rnl_connect(w.b.st, &c, &none), -ENOBUFS);
		assert_int_equal(pair_usage(&w.b).conns, 1);
	}
	assert_true(pair_counter(&w.b, "pool_busy_empty") >= 5);
	pair_run(PAIR_S); /* idle: the working set is free again */
	assert_int_equal(pair_usage(&w.b).busy, 0);
	assert_int_equal(rnl_connect(w.b.st, &c, &conn), 0);
	pair_run(PAIR_S);
	assert_int_equal(rnl_connect(w.b.st, &c, &none), -ENOBUFS);
	assert_int_equal(pair_counter(&w.b, "pool_conns_empty"), 1);
	assert_int_equal(w.b.count[EV_CONNECTED], 2);
}

/* The same calls with addresses of the other family; the listener is for any. */
static void api__connect_over_ipv6(void **state)
{
	struct rnl_connect_config c = pair_connect_config();
	struct rnl_addr a6, b6;
	struct rnl_conn_info info;

	assert_int_equal(rnl_addr_parse("2001:db8::1", &a6), 0);
	assert_int_equal(rnl_addr_parse("2001:db8::2", &b6), 0);
	c.raddr = a6;
	connect_refused(&c, -ENETUNREACH);
	assert_int_equal(rnl_addr_add(w.a.st, 0, &a6, 64, &err), 0);
	assert_int_equal(rnl_addr_add(w.b.st, 0, &b6, 64, &err), 0);
	c.laddr = w.b.addr; /* not of that family */
	connect_refused(&c, -EINVAL);
	c.laddr = (struct rnl_addr){{0}};
	assert_int_equal(rnl_connect(w.b.st, &c, &w.b.conn), 0);
	assert_int_equal(rnl_send(w.b.st, w.b.conn, "hello", 5), 5);
	pair_settle();
	assert_int_equal(w.a.got_n, 5);
	assert_int_equal(rnl_conn_info(w.a.st, w.a.conn, &info), 0);
	assert_memory_equal(&info.tuple.laddr, &a6, sizeof(a6));
	assert_memory_equal(&info.tuple.raddr, &b6, sizeof(b6));
	assert_int_equal(info.tcpi_advmss, 1440);
}

/* ---- pull sends ---- */

static uint64_t pull_fails_at;
static unsigned int pull_released;

static int produce(void *arg, uint64_t offset, void *dst, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		((uint8_t *)dst)[i] = (uint8_t)((offset + i) * 13);
	return offset + len > pull_fails_at ? -1 : 0;
}

static void pulled(struct rnl_stack *st, void *arg)
{
	pull_released++;
	assert_int_equal(w.b.count[EV_CLOSED], 0);
}

static void api__pull_sends_what_is_produced(void **state)
{
	pull_fails_at = UINT64_MAX;
	pull_released = 0;
	pair_connect();
	assert_int_equal(rnl_send_pull(w.b.st, w.b.conn, produce, NULL, 100000, pulled), 0);
	assert_int_equal(rnl_send(w.b.st, w.b.conn, "tail", 4), 4);
	pair_run(PAIR_S);
	assert_int_equal(w.a.got_n, 100004);
	for (unsigned int i = 0; i < 100000; i++)
		if (w.a.got[i] != (uint8_t)(i * 13))
			fail_msg("octet %u", i);
	assert_memory_equal(w.a.got + 100000, "tail", 4);
	assert_int_equal(pull_released, 1);
}

static void api__pull_that_fails_aborts(void **state)
{
	pull_fails_at = 50000;
	pull_released = 0;
	pair_connect();
	assert_int_equal(rnl_send_pull(w.b.st, w.b.conn, produce, NULL, UINT64_MAX, pulled), 0);
	pair_run(PAIR_S);
	assert_int_equal(w.b.count[EV_CLOSED], 1);
	assert_int_equal(w.b.reason, RNL_REASON_PRODUCE_FAILED);
	assert_int_equal(w.a.reason, RNL_REASON_RESET);
	assert_int_equal(pull_released, 1);
	assert_true(w.a.got_n <= 50000);
	assert_int_equal(pair_usage(&w.b).busy, 0);
}

/* ---- handles ---- */

static size_t nothing_stale(struct rnl_stack *st, rnl_conn_t c)
{
	struct rnl_conn_opts o = {.size = sizeof(o)};
	struct rnl_conn_info info;

	assert_int_equal(rnl_set_ctx(st, c, &o), -ESTALE);
	assert_null(rnl_get_ctx(st, c));
	assert_int_equal(rnl_set_opts(st, c, &o), -ESTALE);
	assert_int_equal(rnl_get_opts(st, c, &o), -ESTALE);
	assert_int_equal(rnl_send(st, c, "x", 1), -ESTALE);
	assert_int_equal(rnl_send(st, c, "x", 0), -ESTALE);
	assert_int_equal(rnl_send_zc(st, c, "x", 1, NULL, NULL), -ESTALE);
	assert_int_equal(rnl_send_pull(st, c, NULL, NULL, 1, NULL), -ESTALE);
	assert_int_equal(rnl_send_room(st, c), 0);
	assert_int_equal(rnl_receive_resume(st, c), -ESTALE);
	assert_int_equal(rnl_shutdown(st, c), -ESTALE);
	assert_int_equal(rnl_close(st, c), -ESTALE);
	assert_int_equal(rnl_abort(st, c), -ESTALE);
	assert_int_equal(rnl_conn_timer(st, c, 1), -ESTALE);
	assert_int_equal(rnl_conn_info(st, c, &info), -ESTALE);
	return 0;
}

static void api__wrong_handles_are_stale(void **state)
{
	static const uint64_t flips[] = {UINT64_C(1) << 56, UINT64_C(1) << 32, UINT64_C(1) << 55, 2,
	                                 UINT64_C(1) << 31, UINT64_C(1) << 63};
	rnl_conn_t c;

	nothing_stale(w.b.st, 0);
	nothing_stale(w.b.st, UINT64_C(2) << 56);
	pair_connect();
	c = w.b.conn;
	assert_int_equal(c >> 56, 2);
	nothing_stale(w.a.st, c); /* of the other stack */
	nothing_stale(w.b.st, w.a.conn);
	for (unsigned int i = 0; i < RTE_DIM(flips); i++)
		nothing_stale(w.b.st, c ^ flips[i]);
	nothing_stale(w.b.st, (uint32_t)c);
	nothing_stale(w.b.st, UINT64_MAX);
	assert_int_equal(pair_state(&w.b, c), RNL_ESTABLISHED);
	assert_int_equal(rnl_abort(w.b.st, c), 0);
	assert_int_equal(pair_state(&w.b, c), RNL_CLOSED); /* until `closed` returns */
	pair_settle();
	assert_int_equal(w.b.count[EV_CLOSED], 1);
	nothing_stale(w.b.st, c);
	nothing_stale(w.a.st, w.a.conn);
	pair_connect(); /* in the same block */
	assert_int_equal((uint32_t)w.b.conn, (uint32_t)c);
	nothing_stale(w.b.st, c);
}

/* A handle is told apart from those of 16 million connections before it in the same block. */
static void api__generations_do_not_come_back_soon(void **state)
{
	struct rnl_connect_config c = pair_connect_config();
	rnl_conn_t last = 0, conn;

	w.b.cut = true;
	for (unsigned int i = 0; i < 2000; i++) {
		assert_int_equal(rnl_connect(w.b.st, &c, &conn), 0);
		assert_true(conn > last);
		last = conn;
		assert_int_equal(rnl_close(w.b.st, conn), 0);
		pair_step(1000);
		pair_step(1000);
	}
	assert_int_equal(w.b.count[EV_CLOSED], 2000);
	assert_int_equal(pair_usage(&w.b).conns, 0);
}

static void api__sending_after_the_end(void **state)
{
	rnl_conn_t c;

	pair_connect();
	c = w.b.conn;
	assert_int_equal(rnl_send(w.b.st, c, "x", 0), 0);
	assert_int_equal(rnl_send_zc(w.b.st, c, "x", 0, NULL, NULL), 0);
	assert_int_equal(rnl_send_zc(w.b.st, c, "x", UINT64_C(1) << 31, NULL, NULL), -EINVAL);
	assert_int_equal(rnl_send_pull(w.b.st, c, NULL, NULL, 0, NULL), -EINVAL);
	assert_int_equal(rnl_shutdown(w.b.st, c), 0);
	assert_int_equal(rnl_shutdown(w.b.st, c), -EPIPE);
	assert_int_equal(rnl_send(w.b.st, c, "x", 1), -EPIPE);
	assert_int_equal(rnl_send_zc(w.b.st, c, "x", 1, NULL, NULL), -EPIPE);
	assert_int_equal(rnl_send_pull(w.b.st, c, NULL, NULL, 1, NULL), -EPIPE);
	assert_int_equal(rnl_send_room(w.b.st, c), 0);
	assert_int_equal(rnl_close(w.b.st, c), 0);
	assert_int_equal(rnl_close(w.b.st, c), 0);
	assert_int_equal(rnl_shutdown(w.b.st, c), -EPIPE);
	assert_int_equal(rnl_abort(w.b.st, c), 0);
	assert_int_equal(rnl_abort(w.b.st, c), 0);
	assert_int_equal(rnl_send(w.b.st, c, "x", 1), -EPIPE);
	assert_int_equal(rnl_conn_timer(w.b.st, c, 1), 0);
	pair_settle();
	assert_int_equal(w.b.count[EV_CLOSED], 1);
	assert_int_equal(w.b.count[EV_TIMER], 0);
	nothing_stale(w.b.st, c);
}

/* ---- timers of the stack ---- */

static unsigned int order[8], order_n;
static rnl_timer_t handles[4096];
static uint64_t fired_at;

static int fresh(void **state)
{
	order_n = 0;
	fired_at = 0;
	return pair_setup(state);
}

static void fired(struct rnl_stack *st, void *arg)
{
	order[order_n++ % RTE_DIM(order)] = (unsigned int)(uintptr_t)arg;
	fired_at = rnl_now_ns(st);
}

static rnl_timer_t start(uint64_t at_ns, rnl_timer_fn fn, unsigned int arg)
{
	rnl_timer_t t = 0;

	assert_int_equal(rnl_timer_start(w.a.st, at_ns, fn, (void *)(uintptr_t)arg, &t), 0);
	assert_int_not_equal(t, 0);
	return t;
}

static void api__timers_fire_in_order_and_never_early(void **state)
{
	uint64_t base = w.now_ns;

	start(base + 3 * PAIR_S, fired, 3);
	start(base + 1 * PAIR_S + 1, fired, 1);
	start(base + 2 * PAIR_S, fired, 2);
	assert_int_equal(rnl_next_deadline(w.a.st) <= base + PAIR_S + 1000, 1);
	pair_step(PAIR_S);
	assert_int_equal(order_n, 0); /* one nanosecond early is early */
	pair_step(1000);
	assert_int_equal(order_n, 1);
	pair_run(PAIR_S);
	assert_int_equal(order_n, 2);
	assert_true(fired_at >= base + 2 * PAIR_S && fired_at < base + 2 * PAIR_S + 2000);
	pair_step(100 * PAIR_S);
	assert_int_equal(order_n, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(order[i], i + 1);
	assert_true(rnl_next_deadline(w.a.st) == UINT64_MAX);
}

static void api__timers_of_the_past_fire_next(void **state)
{
	start(0, fired, 1);
	start(w.now_ns - PAIR_S, fired, 2);
	assert_int_equal(rnl_timer_start(w.a.st, w.now_ns, fired, NULL, NULL), 0);
	pair_step(0);
	assert_int_equal(order_n, 3);
}

/* "Never" as rnl_next_deadline() says it. */
static void api__timers_of_the_far_future_do_not_wrap(void **state)
{
	rnl_timer_t t = start(UINT64_MAX, fired, 1), u = start(UINT64_MAX - 998, fired, 2);

	pair_connect();
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, UINT64_MAX), 0);
	pair_step(3600 * PAIR_S);
	assert_int_equal(order_n, 0);
	assert_int_equal(w.b.count[EV_TIMER], 0);
	assert_int_equal(rnl_timer_stop(w.a.st, t), 0);
	assert_int_equal(rnl_timer_stop(w.a.st, u), 0);
}

static void api__timers_stop_once(void **state)
{
	rnl_timer_t t = start(w.now_ns + 1000, fired, 1), u;

	assert_int_equal(rnl_timer_stop(w.a.st, t), 0);
	assert_int_equal(rnl_timer_stop(w.a.st, t), -ESTALE);
	u = start(w.now_ns + 1000, fired, 2); /* in the same place */
	assert_int_equal((uint32_t)u, (uint32_t)t);
	assert_int_equal(rnl_timer_stop(w.a.st, t), -ESTALE);
	pair_step(2000);
	assert_int_equal(order_n, 1);
	assert_int_equal(order[0], 2);
	assert_int_equal(rnl_timer_stop(w.a.st, u), -ESTALE); /* it fired */
	assert_int_equal(rnl_timer_stop(w.a.st, 0), -ESTALE);
	assert_int_equal(rnl_timer_stop(w.a.st, UINT64_MAX), -ESTALE);
	assert_int_equal(rnl_timer_stop(w.a.st, 4097), -ESTALE);
	assert_int_equal(rnl_timer_stop(w.a.st, 100), -ESTALE); /* never handed out */
}

static void stops_others(struct rnl_stack *st, void *arg)
{
	order_n++;
	assert_int_equal(rnl_timer_stop(st, handles[0]) + rnl_timer_stop(st, handles[1]) +
	                     rnl_timer_stop(st, handles[2]),
	                 -ESTALE); /* itself */
}

static void api__timers_stop_each_other(void **state)
{
	for (unsigned int i = 0; i < 3; i++)
		handles[i] = start(w.now_ns + 5000, stops_others, i);
	pair_step(5000);
	assert_int_equal(order_n, 1);
}

static void again(struct rnl_stack *st, void *arg)
{
	order_n++;
	assert_int_equal(rnl_timer_start(st, rnl_now_ns(st) + PAIR_MS, again, arg, NULL), 0);
}

static void api__timers_start_themselves_anew(void **state)
{
	start(w.now_ns + PAIR_MS, again, 0);
	pair_run(100 * PAIR_MS + 1);
	assert_int_equal(order_n, 100);
}

static void api__timers_run_out_at_4096(void **state)
{
	rnl_timer_t t;

	for (unsigned int i = 0; i < 4096; i++)
		handles[i] = start(w.now_ns + PAIR_S + i * 1000, fired, i);
	assert_int_equal(rnl_timer_start(w.a.st, w.now_ns, fired, NULL, &t), -ENOSPC);
	assert_int_equal(pair_counter(&w.a, "pool_timers_empty"), 1);
	assert_int_equal(rnl_timer_stop(w.a.st, handles[5]), 0);
	handles[5] = start(w.now_ns + PAIR_S, fired, 5);
	pair_step(2 * PAIR_S); /* more than one iteration is ready to do */
	assert_in_range(order_n, 1, 4095);
	assert_true(rnl_next_deadline(w.a.st) <= w.now_ns + 1000);
	pair_run(PAIR_MS);
	assert_int_equal(order_n, 4096);
	for (unsigned int i = 0; i < 4096; i++)
		assert_int_equal(rnl_timer_stop(w.a.st, handles[i]), -ESTALE);
}

/* ---- the timer of a connection ---- */

static void api__conn_timer_fires_once_and_never_early(void **state)
{
	uint64_t at;

	pair_connect();
	at = w.now_ns + 5 * PAIR_MS + 1;
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, at), 0);
	pair_step(5 * PAIR_MS);
	assert_int_equal(w.b.count[EV_TIMER], 0);
	pair_run(2 * PAIR_MS);
	assert_int_equal(w.b.count[EV_TIMER], 1);
	pair_run(PAIR_S);
	assert_int_equal(w.b.count[EV_TIMER], 1);
}

static void api__conn_timer_moves_and_stops(void **state)
{
	pair_connect();
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, w.now_ns + PAIR_S), 0);
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, w.now_ns + 3 * PAIR_S), 0); /* later */
	pair_run(2 * PAIR_S);
	assert_int_equal(w.b.count[EV_TIMER], 0);
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, w.now_ns + PAIR_S / 2), 0); /* sooner */
	pair_run(PAIR_S * 3 / 4);
	assert_int_equal(w.b.count[EV_TIMER], 1);
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, w.now_ns + PAIR_S), 0);
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, 0), 0);
	pair_run(3 * PAIR_S);
	assert_int_equal(w.b.count[EV_TIMER], 1);
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, 1), 0); /* the past: next */
	pair_run(3 * PAIR_MS);
	assert_int_equal(w.b.count[EV_TIMER], 2);
}

static void rearm(struct pair_side *s, rnl_conn_t c)
{
	assert_int_equal(rnl_conn_timer(s->st, c, rnl_now_ns(s->st) + 10 * PAIR_MS), 0);
}

static void api__conn_timer_is_armed_anew_inside(void **state)
{
	pair_connect();
	w.b.hook[EV_TIMER] = rearm;
	rearm(&w.b, w.b.conn);
	pair_run(105 * PAIR_MS);
	assert_int_equal(w.b.count[EV_TIMER], 10);
	assert_int_equal(rnl_close(w.b.st, w.b.conn), 0);
	pair_run(PAIR_S);
	assert_int_equal(w.b.count[EV_TIMER], 10);
}

/* Both FINs went by, but the application has not read everything: it still lives by its timer. */
static void api__conn_timer_runs_after_the_end_with_unread_data(void **state)
{
	pair_connect();
	w.b.take = 0;
	assert_int_equal(rnl_send(w.a.st, w.a.conn, "unread", 6), 6);
	pair_settle();
	assert_int_equal(rnl_shutdown(w.b.st, w.b.conn), 0);
	pair_settle();
	assert_int_equal(rnl_close(w.a.st, w.a.conn), 0);
	pair_settle();
	assert_int_equal(pair_state(&w.b, w.b.conn), RNL_TIME_WAIT);
	assert_int_equal(w.b.count[EV_CLOSED], 0);
	assert_int_equal(rnl_conn_timer(w.b.st, w.b.conn, w.now_ns + PAIR_S), 0);
	pair_run(2 * PAIR_S);
	assert_int_equal(w.b.count[EV_TIMER], 1);
	assert_int_equal(w.b.count[EV_CLOSED], 0);
	w.b.take = SIZE_MAX;
	assert_int_equal(rnl_receive_resume(w.b.st, w.b.conn), 0);
	pair_settle();
	assert_int_equal(w.b.got_n, 6);
	assert_int_equal(w.b.count[EV_PEER_CLOSED], 1);
	assert_int_equal(w.b.count[EV_CLOSED], 1);
	assert_int_equal(w.b.reason, RNL_REASON_NORMAL);
}

/* ... and what it leaves behind, it aborted. */
static void api__abort_and_close_with_unread_data_are_no_normal_end(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		pair_connect();
		w.b.take = 0;
		assert_int_equal(rnl_send(w.a.st, w.a.conn, "unread", 6), 6);
		assert_int_equal(rnl_close(w.a.st, w.a.conn), 0);
		pair_settle();
		assert_int_equal(rnl_shutdown(w.b.st, w.b.conn), 0);
		pair_settle();
		assert_int_equal(pair_state(&w.b, w.b.conn), RNL_CLOSED);
		assert_int_equal(w.b.count[EV_CLOSED], i);
		assert_int_equal((i == 0 ? rnl_close : rnl_abort)(w.b.st, w.b.conn), 0);
		pair_settle();
		assert_int_equal(w.b.count[EV_CLOSED], i + 1);
		assert_int_equal(w.b.reason, RNL_REASON_LOCAL_ABORT);
		assert_int_equal(pair_usage(&w.b).held, 0);
	}
}

#define timer_test(f) cmocka_unit_test_setup_teardown(f, fresh, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(api__listen_says_what_to_change),
	    pair_test(api__unlisten_knows_its_own),
	    pair_test(api__listener_options_are_replaced),
	    pair_test(api__unlisten_leaves_connections_and_drops_halves),
	    pair_test(api__most_specific_listener_gets_it),
	    pair_test(api__admit_says_no),
	    pair_test(api__backlog_bounds_half_open_ones),
	    pair_test(api__connect_refuses),
	    pair_test(api__connect_lends_ports_and_takes_them_back),
	    pair_test(api__connect_without_memory_leaves_nothing),
	    pair_test(api__connect_over_ipv6),
	    pair_test(api__pull_sends_what_is_produced),
	    pair_test(api__pull_that_fails_aborts),
	    pair_test(api__wrong_handles_are_stale),
	    pair_test(api__generations_do_not_come_back_soon),
	    pair_test(api__sending_after_the_end),
	    timer_test(api__timers_fire_in_order_and_never_early),
	    timer_test(api__timers_of_the_past_fire_next),
	    timer_test(api__timers_of_the_far_future_do_not_wrap),
	    timer_test(api__timers_stop_once),
	    timer_test(api__timers_stop_each_other),
	    timer_test(api__timers_start_themselves_anew),
	    timer_test(api__timers_run_out_at_4096),
	    pair_test(api__conn_timer_fires_once_and_never_early),
	    pair_test(api__conn_timer_moves_and_stops),
	    pair_test(api__conn_timer_is_armed_anew_inside),
	    pair_test(api__conn_timer_runs_after_the_end_with_unread_data),
	    pair_test(api__abort_and_close_with_unread_data_are_no_normal_end),
	};

	return cmocka_run_group_tests_name("api", tests, rnl_test_group_setup, NULL);
}
