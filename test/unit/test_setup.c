/* SPDX-License-Identifier: BSD-3-Clause */
/* stack/setup: what is refused and how it is told, sizes of structs, the end of a stack. */
#include "pair.h"

#include <stdio.h>

static struct rnl_error err;

static int no_stacks(void **state)
{
	memset(&w, 0, sizeof(w));
	memset(&err, 0, sizeof(err));
	return 0;
}

/* ---- rnl_stack_create() ---- */

static void refused(const struct rnl_stack_config *cfg, int code, const char *part)
{
	struct rnl_stack *st = NULL;

	memset(&err, 0, sizeof(err));
	assert_int_equal(rnl_stack_create(cfg, &st, &err), code);
	assert_null(st);
	pair_check_error(&err, part);
	assert_int_equal(rnl_stack_create(cfg, &st, NULL), code);
}

static struct rte_mempool *small_pool(const char *name, uint16_t room)
{
	struct rte_mempool *p = rte_pktmbuf_pool_create(
	    name, 15, 0, 0, (uint16_t)(room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);

	assert_non_null(p);
	return p;
}

static void setup__create_says_what_to_change(void **state)
{
	struct rte_mempool *p1599 = small_pool("p1599", 1599), *p63 = small_pool("p63", 63);
	struct rnl_cc_ops cc = rnl_cc_newreno;
	struct rnl_stack_config c;

#define REFUSED(field, value, part)                                                                \
	do {                                                                                       \
		c = pair_stack_config(1);                                                          \
		c.field = value;                                                                   \
		refused(&c, -EINVAL, part);                                                        \
	} while (0)
	REFUSED(id, 256, "0 to 255");
	REFUSED(max_conns, (1u << 30) + 1, "max_conns");
	REFUSED(max_minis, (1u << 30) + 1, "max_minis");
	REFUSED(max_fragments, 65537, "max_fragments");
	REFUSED(max_hosts, (1u << 24) + 1, "max_hosts");
	REFUSED(max_busy, (1u << 30) + 1, "max_busy");
	REFUSED(burst, 257, "at most 256");
	REFUSED(txq_size, 1000, "power of two");
	REFUSED(pkt_pool, NULL, "rnl_pools_create()");
	REFUSED(hdr_pool, NULL, "rnl_pools_create()");
	REFUSED(pkt_pool, p1599, "1600");
	REFUSED(hdr_pool, p63, "64");
	cc.size = 0;
	REFUSED(cc, &cc, "size");
	cc = rnl_cc_newreno;
	cc.priv_size = sizeof(((struct rnl_cc *)0)->priv) + 1;
	REFUSED(cc, &cc, "at most");
#undef REFUSED
	rte_mempool_free(p1599);
	rte_mempool_free(p63);
}

/* A machine may well have the address space: then it must be a whole stack. */
static void setup__create_takes_its_maximum_or_says_no(void **state)
{
	struct rnl_stack_config c = pair_stack_config(1);
	struct rnl_stack *st = NULL;
	struct rnl_usage u;

	c.max_conns = c.max_minis = c.max_busy = 1u << 30;
	if (rnl_stack_create(&c, &st, &err) < 0) {
		refused(&c, -ENOMEM, "lower max_conns");
		return;
	}
	rnl_usage(st, &u);
	assert_int_equal(u.busy_max, 1u << 30);
	assert_int_equal(rnl_stack_destroy(st), 0);
}

static void setup__config_fields_past_size_are_zero(void **state)
{
	struct rnl_stack_config c = pair_stack_config(7);
	struct rnl_stack *st;

	/* An older program's struct ends before max_minis; what lies behind is not its own. */
	c.size = offsetof(struct rnl_stack_config, unclaimed);
	memset((char *)&c + c.size, 0xee, sizeof(c) - c.size);
	assert_int_equal(rnl_stack_create(&c, &st, &err), 0);
	assert_int_equal(rnl_stack_id(st), 7);
	assert_int_equal(rnl_now_ns(st), c.now_ns);
	assert_int_equal(rnl_stack_destroy(st), 0);
	c = pair_stack_config(7);
	c.size = offsetof(struct rnl_stack_config, pkt_pool);
	refused(&c, -EINVAL, "pkt_pool");
}

static void setup__defaults_are_those_of_the_header(void **state)
{
	struct rnl_stack_config c = pair_stack_config(0);
	struct rnl_stack *st;
	struct rnl_usage u;

	c.max_conns = 0;
	assert_int_equal(rnl_stack_create(&c, &st, &err), 0);
	rnl_usage(st, &u);
	assert_int_equal(u.conns_max, 65536);
	assert_int_equal(u.minis_max, 65536);
	assert_int_equal(u.busy_max, 65536);
	assert_int_equal(u.held_max, c.pkt_pool->size / 4 * 3);
	assert_int_equal(u.conns + u.minis + u.busy + u.held + u.txq + u.listeners, 0);
	assert_true(u.bytes_per_conn > 0 && u.bytes_per_conn <= 256);
	assert_true(rnl_next_deadline(st) == UINT64_MAX);
	assert_int_equal(rnl_stack_destroy(st), 0);
	c = pair_stack_config(0);
	c.max_held = 1;
	assert_int_equal(rnl_stack_create(&c, &st, &err), 0);
	rnl_usage(st, &u);
	assert_int_equal(u.held_max, 8);
	assert_int_equal(u.minis_max, 256);
	assert_int_equal(rnl_stack_destroy(st), 0);
}

/* ---- ports, addresses, routes, neighbours ---- */

static struct rnl_stack *st;

static int one_stack(void **state)
{
	struct rnl_stack_config c;

	no_stacks(state);
	c = pair_stack_config(1);
	return rnl_stack_create(&c, &st, &err);
}

static int end_stack(void **state)
{
	assert_int_equal(rnl_stack_destroy(st), 0);
	return rnl_test_no_leak(state);
}

static void port_refused(const struct rnl_port *p, int code, const char *part)
{
	memset(&err, 0, sizeof(err));
	assert_int_equal(rnl_port_add(st, p, &err), code);
	pair_check_error(&err, part);
	assert_int_equal(rnl_port_add(st, p, NULL), code);
}

static void setup__port_says_what_to_change(void **state)
{
	struct rnl_port good = pair_port(&w.a, 0), p = good;
	struct rnl_port_ops ops = *good.ops;

	p.ops = NULL;
	port_refused(&p, -EINVAL, "rx and tx");
	p.ops = &ops;
	ops.rx = NULL;
	port_refused(&p, -EINVAL, "rx and tx");
	ops = *good.ops;
	ops.tx = NULL;
	port_refused(&p, -EINVAL, "rx and tx");
	p = good;
	p.mtu = 575;
	port_refused(&p, -EINVAL, "at least 576");
	p = good;
	p.vlan = 4095;
	port_refused(&p, -EINVAL, "1 to 4094");
	p = good;
	p.mtu = 2049;
	port_refused(&p, -EINVAL, "lower it");
	p.caps |= RNL_CAP_TX_MULTI_SEGS;
	assert_int_equal(rnl_port_add(st, &p, &err), 0);
	for (int i = 1; i < 8; i++)
		assert_int_equal(rnl_port_add(st, &good, &err), i);
	port_refused(&good, -ENOSPC, "at most 8");
}

/* What lies behind the size is not the caller's. */
static void setup__port_fields_past_size_are_zero(void **state)
{
	struct rnl_port p = pair_port(&w.a, 0);

	p.size = offsetof(struct rnl_port, mtu);
	memset((char *)&p + p.size, 0xee, sizeof(p) - p.size);
	assert_int_equal(rnl_port_add(st, &p, &err), 0); /* an Ethernet port with the default MTU */
	p.size = offsetof(struct rnl_port, ops);
	port_refused(&p, -EINVAL, "rx and tx");
}

static struct rnl_addr addr(const char *text)
{
	struct rnl_addr a = {{0}};

	if (text != NULL)
		assert_int_equal(rnl_addr_parse(text, &a), 0);
	return a;
}

static void two_ports(void)
{
	struct rnl_port raw = pair_port(&w.a, 0), eth = raw;

	eth.caps = 0;
	eth.mtu = 1279;
	assert_int_equal(rnl_port_add(st, &raw, &err), 0);
	assert_int_equal(rnl_port_add(st, &eth, &err), 1);
}

static int add_addr(unsigned int port, const char *text, unsigned int len)
{
	struct rnl_addr a = addr(text);

	memset(&err, 0, sizeof(err));
	return rnl_addr_add(st, port, &a, len, &err);
}

#define REFUSES(call, code, part)                                                                  \
	do {                                                                                       \
		assert_int_equal(call, code);                                                      \
		pair_check_error(&err, part);                                                      \
	} while (0)

static void setup__address_says_what_to_change(void **state)
{
	two_ports();
	REFUSES(add_addr(2, "10.0.0.1", 24), -EINVAL, "rnl_port_add()");
	REFUSES(add_addr(1, "2001:db8::1", 64), -EINVAL, "raise it"); /* RFC 8200 5 */
	REFUSES(add_addr(0, "10.0.0.0", 24), -EINVAL, "10.0.0.0/24");
	REFUSES(add_addr(0, "10.0.0.255", 24), -EINVAL, "10.0.0.255/24");
	REFUSES(add_addr(0, "10.0.0.1", 33), -EINVAL, "10.0.0.1/33");
	REFUSES(add_addr(0, "10.0.0.1", 0), -EINVAL, "10.0.0.1/0");
	REFUSES(add_addr(0, "10.0.0.1", UINT32_MAX), -EINVAL, "10.0.0.1/");
	REFUSES(add_addr(0, "224.0.0.1", 24), -EINVAL, "224.0.0.1");
	REFUSES(add_addr(0, NULL, 24), -EINVAL, "::/24");
	assert_int_equal(add_addr(0, "2001:db8::1", 64), 0);
	assert_int_equal(add_addr(0, "10.0.0.1", 24), 0);
	REFUSES(add_addr(1, "10.0.0.1", 16), -EEXIST, "10.0.0.1");
	for (int i = 2; i < 1024; i++) {
		struct rnl_addr a = rnl_addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);

		assert_int_equal(rnl_addr_add(st, 0, &a, 32, &err), 0);
	}
	REFUSES(add_addr(0, "10.1.0.1", 32), -ENOSPC, "1024");
}

static int add_route(const char *prefix, unsigned int len, const char *gateway)
{
	struct rnl_addr p = addr(prefix), g = addr(gateway);

	memset(&err, 0, sizeof(err));
	return rnl_route_add(st, &p, len, &g, &err);
}

static void setup__route_says_what_to_change(void **state)
{
	two_ports();
	REFUSES(add_route(NULL, 0, "10.0.0.9"), -ENETUNREACH, "add one first");
	assert_int_equal(add_addr(0, "10.0.0.1", 24), 0);
	assert_int_equal(add_route(NULL, 0, "10.0.0.9"), 0);
	REFUSES(add_route(NULL, 0, "10.0.0.8"), -EEXIST, "already");
	REFUSES(add_route("10.1.0.0", 33, "10.0.0.9"), -EINVAL, "10.0.0.9");
	REFUSES(add_route("10.1.0.1", 16, "10.0.0.9"), -EINVAL, "check prefix and gateway");
	REFUSES(add_route("2001:db8::", 32, "10.0.0.9"), -EINVAL, "check prefix");
	REFUSES(add_route("10.1.0.0", 16, "10.0.0.1"), -EINVAL, "10.0.0.1");
	for (unsigned int i = 2; i < 64; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.%u.0.0", i);
		assert_int_equal(add_route(text, 16, "10.0.0.9"), 0);
	}
	REFUSES(add_route("11.0.0.0", 8, "10.0.0.9"), -ENOSPC, "64 routes");
	REFUSES(add_addr(0, "12.0.0.1", 8), -ENOSPC, "64 routes");
}

static void setup__neighbour_says_what_to_change(void **state)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 9}, group[6] = {1, 0, 0, 0, 0, 9};
	struct rnl_addr a = addr("10.0.0.9"), multi = addr("224.0.0.1");

	two_ports();
	REFUSES(rnl_neigh_add(st, 2, &a, mac, &err), -EINVAL, "rnl_port_add()");
	REFUSES(rnl_neigh_add(st, 0, &a, mac, &err), -EINVAL, "Ethernet");
	REFUSES(rnl_neigh_add(st, 1, &a, group, &err), -EINVAL, "unicast");
	REFUSES(rnl_neigh_add(st, 1, &multi, mac, &err), -EINVAL, "unicast");
	assert_int_equal(rnl_neigh_add(st, 1, &a, mac, &err), 0);
	assert_int_equal(rnl_neigh_add(st, 1, &a, mac, &err), 0); /* again: replaced */
	for (uint32_t i = 0, ret = 0; ret == 0; i++) {
		struct rnl_addr n = rnl_addr_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)(i + 1));

		if (rnl_neigh_add(st, 1, &n, mac, &err) < 0) {
			pair_check_error(&err, "8192");
			break;
		}
		assert_true(i < 8192);
	}
}

/* ---- the end ---- */

static void setup__destroy_of_null_is_nothing(void **state)
{
	assert_int_equal(rnl_stack_destroy(NULL), 0);
}

static void started(void **state)
{
	const struct pair_config cfg = {.caps = RNL_CAP_TX_MULTI_SEGS};

	pair_open(&cfg);
	pair_connect();
}

/* Everything that a stack can hold: connections of each kind, a mini block, queues, timers, posts.
 */
static void never(struct rnl_stack *s, void *arg)
{
	fail_msg("ran after the end");
}

static void setup__destroy_ends_everything_that_lives(void **state)
{
	static const uint8_t data[100000];
	struct rnl_connect_config c;
	rnl_timer_t t;

	started(state);
	w.a.take = 0; /* unread data, and a closed window */
	assert_true(rnl_send(w.b.st, w.b.conn, data, sizeof(data)) > 0);
	pair_settle();
	w.b.cut = true; /* data in flight, and a SYN */
	assert_true(rnl_send(w.a.st, w.a.conn, data, sizeof(data)) > 0);
	c = pair_connect_config();
	assert_int_equal(rnl_connect(w.b.st, &c, &w.b.conn), 0);
	pair_step(1000);
	w.a.cut = true; /* half open at a */
	w.b.cut = false;
	pair_run(3 * PAIR_S);
	w.a.out_room = w.b.out_room = 0; /* packets for a port that is full */
	rnl_send(w.a.st, w.a.conn, data, 10);
	pair_run(5 * PAIR_S);
	assert_int_equal(rnl_timer_start(w.a.st, w.now_ns + PAIR_S, never, NULL, &t), 0);
	assert_int_equal(rnl_post(w.a.st, never, NULL), 0);
	assert_int_equal(w.a.count[EV_CLOSED] + w.b.count[EV_CLOSED], 0);
	assert_true(pair_usage(&w.a).held > 0);
	pair_close();
	assert_int_equal(w.a.count[EV_CLOSED], 1);
	assert_int_equal(w.b.count[EV_CLOSED], 2);
	assert_int_equal(w.a.reason, RNL_REASON_DESTROYED);
	assert_int_equal(w.b.reason, RNL_REASON_DESTROYED);
}

static unsigned int released;

static void on_release(struct rnl_stack *s, void *arg)
{
	released++;
	assert_ptr_equal(s, w.b.st);
	assert_int_equal(w.b.count[EV_CLOSED], 0);
}

static void setup__destroy_waits_for_zero_copy_readers(void **state)
{
	static const uint8_t data[60000];

	released = 0;
	started(state);
	assert_int_equal(rnl_send_zc(w.b.st, w.b.conn, data, sizeof(data), on_release, NULL),
	                 sizeof(data));
	rnl_poll(w.b.st, w.now_ns += 1000);
	assert_true(w.a.in_n > 0); /* its packets are the peer's now */
	assert_int_equal(rnl_stack_destroy(w.b.st), -EBUSY);
	assert_int_equal(rnl_stack_destroy(w.b.st), -EBUSY);
	assert_int_equal(released, 0);
	assert_int_equal(w.b.count[EV_CLOSED], 0);
	rte_pktmbuf_free_bulk(w.a.in, w.a.in_n);
	w.a.in_n = 0;
	assert_int_equal(rnl_stack_destroy(w.b.st), 0);
	assert_int_equal(released, 1);
	assert_int_equal(w.b.count[EV_CLOSED], 1);
	assert_int_equal(w.b.reason, RNL_REASON_DESTROYED);
	w.b.st = NULL;
	pair_close();
}

/* An end that waits for its reader may still owe an ACK: it goes nowhere, and leaks nothing. */
static void setup__destroy_frees_a_last_ack(void **state)
{
	const struct pair_config cfg = {.b = {.txq_size = 1}};

	pair_open(&cfg);
	pair_connect();
	w.b.take = 0;
	assert_int_equal(rnl_send(w.a.st, w.a.conn, "unread", 6), 6);
	pair_settle();
	assert_int_equal(rnl_shutdown(w.b.st, w.b.conn), 0);
	pair_settle();
	assert_int_equal(pair_state(&w.b, w.b.conn), RNL_FIN_WAIT_2);
	w.b.out_room = 0;
	struct rnl_connect_config c = pair_connect_config();
	rnl_conn_t other;

	assert_int_equal(rnl_connect(w.b.st, &c, &other), 0); /* fills the queue */
	pair_step(1000);
	assert_int_equal(rnl_close(w.a.st, w.a.conn), 0);
	pair_run(10 * PAIR_MS);
	assert_int_equal(pair_state(&w.b, w.b.conn), RNL_TIME_WAIT);
	assert_int_equal(pair_usage(&w.b).txq, 1);
	pair_close();
}

/* ---- two of them, and their numbers ---- */

static void setup__stacks_are_independent(void **state)
{
	struct rnl_stack_config c;
	struct rnl_stack *other;
	uint64_t before;

	started(state);
	c = pair_stack_config(1); /* even with the same id and pools */
	assert_int_equal(rnl_stack_create(&c, &other, &err), 0);
	before = pair_counter(&w.a, "tcp_rx_segments");
	assert_true(before > 0);
	rnl_poll(other, w.now_ns + 100 * PAIR_S);
	assert_true(rnl_now_ns(other) > rnl_now_ns(w.a.st));
	assert_int_equal(rnl_stack_destroy(other), 0);
	assert_int_equal(rnl_send(w.a.st, w.a.conn, "x", 1), 1);
	pair_settle();
	assert_int_equal(w.b.got_n, 1);
	pair_run(PAIR_S);
	assert_true(pair_counter(&w.a, "tcp_rx_segments") > before);
	pair_close();
}

static void setup__counters_are_named_and_bounded(void **state)
{
	unsigned int n = rnl_counters_count();
	uint64_t v[3] = {7, 7, 7};

	started(state);
	for (unsigned int i = 0; i < n; i++) {
		assert_true(strlen(rnl_counter_name(i)) > 1);
		assert_true(strlen(rnl_counter_text(i)) > 8);
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(rnl_counter_name(i), rnl_counter_name(j));
	}
	assert_null(rnl_counter_name(n));
	assert_null(rnl_counter_text(n));
	rnl_counters_read(w.a.st, v, 2); /* 0 is reserved, 1 counts packets */
	assert_int_equal(v[0], 0);
	assert_true(v[1] > 0);
	assert_int_equal(v[2], 7);
	rnl_counters_read(w.a.st, v, 0);
	assert_int_equal(pair_counter(&w.b, "tcp_active_opens"), 1);
	assert_int_equal(pair_counter(&w.a, "tcp_passive_opens"), 1);
	pair_close();
}

#define setup_test(f) cmocka_unit_test_setup_teardown(f, no_stacks, rnl_test_no_leak)
#define stack_test(f) cmocka_unit_test_setup_teardown(f, one_stack, end_stack)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    setup_test(setup__create_says_what_to_change),
	    setup_test(setup__create_takes_its_maximum_or_says_no),
	    setup_test(setup__config_fields_past_size_are_zero),
	    setup_test(setup__defaults_are_those_of_the_header),
	    stack_test(setup__port_says_what_to_change),
	    stack_test(setup__port_fields_past_size_are_zero),
	    stack_test(setup__address_says_what_to_change),
	    stack_test(setup__route_says_what_to_change),
	    stack_test(setup__neighbour_says_what_to_change),
	    setup_test(setup__destroy_of_null_is_nothing),
	    setup_test(setup__destroy_ends_everything_that_lives),
	    setup_test(setup__destroy_waits_for_zero_copy_readers),
	    setup_test(setup__destroy_frees_a_last_ack),
	    setup_test(setup__stacks_are_independent),
	    setup_test(setup__counters_are_named_and_bounded),
	};

	return cmocka_run_group_tests_name("setup", tests, rnl_test_group_setup, NULL);
}
