/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lib/stack and lib/tcp from above: two stacks on one wire, calls from inside of callbacks
 * and at bad moments, a port that refuses. What dialogues cannot say.
 */
#include <errno.h>

#include "env.h"
#include "stack/stack.h"

#define QUEUE 4096
#define MS UINT64_C(1000000)
#define PORT 7

struct end {
	struct rnl_stack *stack;
	struct end *peer;
	struct rte_mbuf *in[QUEUE]; /* on the wire towards this end */
	unsigned int in_len;
	unsigned int max_in; /* the most that were taken in one poll */
	bool refuse;         /* the port takes nothing */
	rnl_conn_t conn;
	rnl_listener_t listener;
	unsigned int connected, closed, peer_closed, late;
	enum rnl_reason reason;
	size_t received;
	uint64_t sent_packets;
	void (*on_received)(struct end *e, const struct rnl_span *spans, unsigned int n);
	void (*on_closed)(struct end *e);
};

static struct end a, b;
static uint64_t now;

static uint16_t port_rx(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct end *e = port;
	uint16_t i, got = (uint16_t)RTE_MIN(e->in_len, (unsigned int)n);

	for (i = 0; i < got; i++)
		m[i] = e->in[i];
	e->in_len -= got;
	memmove(e->in, e->in + got, e->in_len * sizeof(e->in[0]));
	return got;
}

static uint16_t port_tx(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct end *e = port;

	if (e->refuse)
		return 0;
	for (uint16_t i = 0; i < n; i++) {
		e->sent_packets++;
		assert_true(e->peer->in_len < QUEUE);
		e->peer->in[e->peer->in_len++] = m[i];
	}
	return n;
}

static const struct rnl_port_ops port_ops = {.rx = port_rx, .tx = port_tx};

static void on_accepted(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct end *e = ctx;

	(void)st;
	e->conn = c;
	e->connected++;
}

static void on_connected(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct end *e = ctx;

	(void)st;
	(void)c;
	e->connected++;
}

static size_t on_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                          const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct end *e = ctx;

	(void)st;
	(void)c;
	if (e->on_received != NULL)
		e->on_received(e, spans, n);
	e->received += total;
	return total;
}

static void on_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct end *e = ctx;

	(void)st;
	(void)c;
	e->peer_closed++;
}

static void on_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	struct end *e = ctx;

	(void)st;
	(void)c;
	e->closed++;
	e->reason = reason;
	if (e->on_closed != NULL)
		e->on_closed(e);
}

static rnl_listener_t listener_of_b;

/* As an appliance that takes one connection and no more. */
static bool on_admit(struct rnl_stack *st, void *ctx, const struct rnl_tuple *tuple)
{
	(void)ctx;
	(void)tuple;
	if (listener_of_b != 0)
		assert_int_equal(rnl_unlisten(st, listener_of_b), 0);
	listener_of_b = 0;
	return true;
}

static const struct rnl_app_ops ops = {
    .size = sizeof(ops),
    .admit = on_admit,
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .peer_closed = on_peer_closed,
    .closed = on_closed,
};

static struct rnl_addr address(const struct end *e)
{
	return rnl_addr_v4(10, 0, 0, e == &a ? 1 : 2);
}

static void make(struct end *e, struct end *peer)
{
	struct rnl_stack_config cfg = {.size = sizeof(cfg),
	                               .id = e == &a ? 1 : 2,
	                               .socket_id = -1,
	                               .max_conns = 16,
	                               .txq_size = 16,
	                               .pkt_pool = rnl_test_pkt_pool(),
	                               .hdr_pool = rnl_test_hdr_pool(),
	                               .now_ns = now,
	                               .seed = 3};
	struct rnl_port port = {.size = sizeof(port),
	                        .ops = &port_ops,
	                        .ctx = e,
	                        .caps = RNL_CAP_RAW_IP | RNL_CAP_TX_MULTI_SEGS};
	struct rnl_listen_config listen = {
	    .size = sizeof(listen), .port_first = PORT, .ops = &ops, .ctx = e};
	struct rnl_addr addr = address(e);

	*e = (struct end){.peer = peer};
	assert_int_equal(rnl_stack_create(&cfg, &e->stack, NULL), 0);
	assert_int_equal(rnl_port_add(e->stack, &port, NULL), 0);
	assert_int_equal(rnl_addr_add(e->stack, 0, &addr, 24, NULL), 0);
	assert_int_equal(rnl_listen(e->stack, &listen, &e->listener, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	now = 1000 * 1000 * MS;
	make(&a, &b);
	make(&b, &a);
	return 0;
}

static int teardown(void **state)
{
	struct end *ends[] = {&a, &b};

	for (unsigned int i = 0; i < 2; i++) {
		while (ends[i]->in_len > 0)
			rte_pktmbuf_free(ends[i]->in[--ends[i]->in_len]);
		ends[i]->on_closed = NULL;
	}
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(rnl_stack_destroy(ends[i]->stack), 0);
	return rnl_test_no_leak(state);
}

/* Polls both for `ms` milliseconds, each millisecond. */
static void run(unsigned int ms)
{
	for (unsigned int i = 0; i < ms; i++) {
		now += MS;
		rnl_poll(a.stack, now);
		rnl_poll(b.stack, now);
		assert_null(rnl_stack_check(a.stack));
		assert_null(rnl_stack_check(b.stack));
	}
}

static rnl_conn_t open_to(struct end *from, const struct rnl_conn_opts *opts)
{
	struct rnl_connect_config cfg = {.size = sizeof(cfg),
	                                 .raddr = address(from->peer),
	                                 .rport = PORT,
	                                 .ops = &ops,
	                                 .ctx = from};
	rnl_conn_t c;

	if (opts != NULL)
		cfg.opts = *opts;
	assert_int_equal(rnl_connect(from->stack, &cfg, &c), 0);
	return c;
}

static void establish(const struct rnl_conn_opts *opts)
{
	a.conn = open_to(&a, opts);
	run(5);
	assert_int_equal(a.connected, 1);
	assert_int_equal(b.connected, 1);
}

static uint32_t held(const struct end *e)
{
	struct rnl_usage u;

	rnl_usage(e->stack, &u);
	return u.held;
}

/* Fills the transmit queue of an end whose port refuses: nothing more can be sent. */
static void fill_txq(struct end *e)
{
	e->refuse = true;
	for (unsigned int i = 0; i < 12; i++)
		open_to(e, NULL);
	run(1);
	for (unsigned int i = 0; i < 4; i++) {
		run(1000);
		if (rnl_txq_room(&e->stack->core.ports[0].txq) == 0)
			return;
	}
	fail_msg("the transmit queue is not full");
}

/* ---- a port that refuses for long ------------------------------------------------------------ */

static void calls__shutdown_while_port_is_full(void **state)
{
	(void)state;
	establish(NULL);
	run(10000); /* idle: the working set is gone */
	fill_txq(&a);
	assert_int_equal(rnl_shutdown(a.stack, a.conn), 0);
	run(5000);
	a.refuse = false;
	run(10000);
	assert_int_equal(b.peer_closed, 1);
}

static void calls__connect_while_port_is_full(void **state)
{
	rnl_conn_t c;

	(void)state;
	fill_txq(&a);
	c = open_to(&a, NULL);
	run(5000);
	a.refuse = false;
	run(10000);
	assert_int_equal(a.connected, 13);
	assert_int_equal(rnl_abort(a.stack, c), 0);
}

static void calls__connect_times_out_while_port_is_full(void **state)
{
	struct rnl_conn_opts opts = {.size = sizeof(opts), .connect_timeout_ms = 3000};

	(void)state;
	fill_txq(&a);
	open_to(&a, &opts);
	run(5000);
	assert_int_equal(a.closed, 1);
	assert_int_equal(a.reason, RNL_REASON_TIMEOUT_CONNECT);
}

/* ---- calls from inside of callbacks ---------------------------------------------------------- */

static void abort_inside(struct end *e, const struct rnl_span *spans, unsigned int n)
{
	unsigned int before = rnl_test_mbufs_out();

	assert_true(n >= 3);
	assert_int_equal(rnl_abort(e->stack, e->conn), 0);
	/* The spans are valid until the callback returns. */
	assert_true(rnl_test_mbufs_out() >= before);
	assert_int_equal(rnl_buf_hold(e->stack, &spans[0]), 0);
	rnl_buf_release(e->stack, spans[0].buf);
	assert_int_equal(rnl_send(e->stack, e->conn, "x", 1), -EPIPE);
}

static void calls__abort_inside_received(void **state)
{
	const struct rnl_conn_opts opts = {.size = sizeof(opts), .nodelay = true};
	static const uint8_t data[4000];

	(void)state;
	establish(&opts);
	b.on_received = abort_inside;
	assert_int_equal(rnl_send(a.stack, a.conn, data, sizeof(data)), sizeof(data));
	run(10);
	assert_int_equal(b.closed, 1);
	assert_int_equal(b.reason, RNL_REASON_LOCAL_ABORT);
	assert_int_equal(a.closed, 1);
	assert_int_equal(a.reason, RNL_REASON_RESET);
	assert_int_equal(held(&b), 0);
}

static void close_inside(struct end *e, const struct rnl_span *spans, unsigned int n)
{
	(void)spans;
	(void)n;
	assert_int_equal(rnl_send(e->stack, e->conn, "xy", 2), 2);
	assert_int_equal(rnl_close(e->stack, e->conn), 0);
	assert_int_equal(rnl_send(e->stack, e->conn, "z", 1), -EPIPE);
	assert_int_equal(rnl_shutdown(e->stack, e->conn), -EPIPE);
}

static void calls__close_inside_received(void **state)
{
	(void)state;
	establish(NULL);
	b.on_received = close_inside;
	assert_int_equal(rnl_send(a.stack, a.conn, "abc", 3), 3);
	run(10);
	assert_int_equal(a.received, 2);
	assert_int_equal(a.peer_closed, 1);
	assert_int_equal(rnl_close(a.stack, a.conn), 0);
	run(10);
	assert_int_equal(a.closed, 1);
	assert_int_equal(b.closed, 1);
	assert_int_equal(b.reason, RNL_REASON_NORMAL);
}

static void calls__unlisten_inside_admit(void **state)
{
	struct rnl_usage u;

	(void)state;
	listener_of_b = b.listener;
	open_to(&a, NULL);
	run(10);
	rnl_usage(b.stack, &u);
	assert_int_equal(u.minis, 0);
	assert_int_equal(u.listeners, 0);
	assert_int_equal(b.connected, 0);
}

static void reconnect(struct end *e)
{
	struct rnl_connect_config cfg = {
	    .size = sizeof(cfg), .raddr = address(e->peer), .rport = PORT, .ops = &ops, .ctx = e};
	rnl_conn_t c;

	assert_int_equal(rnl_connect(e->stack, &cfg, &c), -ENOBUFS);
}

static void calls__connect_inside_destroy(void **state)
{
	(void)state;
	open_to(&a, NULL);
	open_to(&a, NULL);
	run(5);
	a.on_closed = reconnect;
	assert_int_equal(rnl_stack_destroy(a.stack), 0);
	assert_int_equal(a.closed, 2);
	a.stack = NULL;
}

/* ---- options --------------------------------------------------------------------------------- */

static void refused_option(const struct rnl_conn_opts *opts)
{
	struct rnl_connect_config cfg = {.size = sizeof(cfg),
	                                 .raddr = address(&b),
	                                 .rport = PORT,
	                                 .ops = &ops,
	                                 .ctx = &a,
	                                 .opts = *opts};
	rnl_conn_t c;

	assert_int_equal(rnl_connect(a.stack, &cfg, &c), -EINVAL);
}

static void calls__options_out_of_range(void **state)
{
	struct rnl_conn_opts o = {.size = sizeof(o)};

	(void)state;
	refused_option(&(struct rnl_conn_opts){.size = sizeof(o), .idle_timeout_ms = UINT32_MAX});
	refused_option(&(struct rnl_conn_opts){.size = sizeof(o), .fin_wait2_ms = 1u << 31});
	refused_option(&(struct rnl_conn_opts){.size = sizeof(o), .keepalive_idle_ms = UINT32_MAX});
	refused_option(&(struct rnl_conn_opts){
	    .size = sizeof(o), .keepalive_idle_ms = 1, .keepalive_intvl_ms = 1u << 30});
	refused_option(&(struct rnl_conn_opts){.size = sizeof(o), .mss = 12});
}

static void calls__info_counts_octets_not_sent(void **state)
{
	struct rnl_conn_info info;
	rnl_conn_t c;

	(void)state;
	c = open_to(&a, NULL);
	assert_int_equal(rnl_send(a.stack, c, "abc", 3), 3);
	rnl_poll(a.stack, now); /* SYN is out, and nothing else */
	assert_int_equal(rnl_conn_info(a.stack, c, &info), 0);
	assert_int_equal(info.tcpi_notsent_bytes, 3);
}

static void on_timer(struct rnl_stack *st, void *arg)
{
	(void)st;
	++*(unsigned int *)arg;
}

static void calls__timer_for_never(void **state)
{
	unsigned int fired = 0;
	rnl_timer_t t;

	(void)state;
	assert_int_equal(rnl_timer_start(a.stack, UINT64_MAX, on_timer, &fired, &t), 0);
	run(10);
	assert_int_equal(fired, 0);
	assert_int_equal(rnl_timer_stop(a.stack, t), 0);
}

#define calls_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    calls_test(calls__shutdown_while_port_is_full),
	    calls_test(calls__connect_while_port_is_full),
	    calls_test(calls__connect_times_out_while_port_is_full),
	    calls_test(calls__abort_inside_received),
	    calls_test(calls__close_inside_received),
	    calls_test(calls__unlisten_inside_admit),
	    calls_test(calls__connect_inside_destroy),
	    calls_test(calls__options_out_of_range),
	    calls_test(calls__info_counts_octets_not_sent),
	    calls_test(calls__timer_for_never),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
