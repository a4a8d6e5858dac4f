/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN floods against whole stacks: no state beyond the backlog, and a client gets through (RFC 4987
 * 3.6); secrets that change under way.
 */
#include "pair.h"

#include "wire/tcphdr.h"

#define FLOOD 100000
#define BACKLOG 64

static const uint8_t new_secret[16] = {9}, newer_secret[16] = {10};

static void open_pair(uint8_t syncookies, bool v6)
{
	struct pair_config cfg = {.a.max_conns = 256, .a.max_minis = 256};
	struct rnl_listen_config listen = {.size = sizeof(listen),
	                                   .port_first = PAIR_PORT,
	                                   .backlog = BACKLOG,
	                                   .syncookies = syncookies,
	                                   .ops = &pair_ops,
	                                   .ctx = &w.a};
	struct rnl_addr a6, b6;

	pair_open(&cfg);
	assert_int_equal(rnl_unlisten(w.a.st, w.a.listener), 0);
	assert_int_equal(rnl_listen(w.a.st, &listen, &w.a.listener, NULL), 0);
	if (!v6)
		return;
	rnl_addr_parse("fd00::1", &a6);
	rnl_addr_parse("fd00::2", &b6);
	assert_int_equal(rnl_addr_add(w.a.st, 0, &a6, 64, NULL), 0);
	assert_int_equal(rnl_addr_add(w.b.st, 0, &b6, 64, NULL), 0);
	w.a.addr = a6;
	w.b.addr = b6;
}

/* A SYN of somebody who is not there. */
static void spoof(uint32_t i)
{
	struct rnl_tcphdr_out h = {
	    .key = {.laddr = w.a.addr, .raddr = w.a.addr, .rport = PAIR_PORT},
	    .seq = i * 2654435761u,
	    .flags = RNL_TH_SYN,
	    .wnd = 1000,
	    .ttl = 64,
	    .opt = {.has = RNL_OPT_MSS | (i & 1 ? RNL_OPT_TS | RNL_OPT_WSCALE : 0),
	            .mss = (uint16_t)(i % 1500),
	            .wscale = 7,
	            .tsval = i},
	};
	struct rte_mbuf *m = rte_pktmbuf_alloc(rnl_test_pkt_pool());

	assert_non_null(m);
	h.key.laddr.b[15] = (uint8_t)(3 + i % 250);
	h.key.lport = (uint16_t)(1024 + i / 250);
	rnl_tcphdr_write(m, &h, 0);
	m->ol_flags = 0;
	assert_int_equal(rnl_input(w.a.st, 0, &m, 1), 1);
}

/* So many SYNs; what answers them is lost. */
static void flood(uint32_t from, uint32_t n)
{
	uint32_t i;

	w.a.cut = true;
	for (i = from; i < from + n; i++) {
		spoof(i);
		if (i % 50 == 49)
			pair_step(10000);
	}
	pair_step(10000);
	w.a.cut = false;
}

static void flood_with_client(bool v6)
{
	struct rnl_connect_config cc;
	struct rnl_usage u;
	uint32_t i;

	open_pair(RNL_SYNCOOKIES_AUTO, v6);
	cc = pair_connect_config();
	cc.raddr = w.a.addr;
	cc.laddr = w.b.addr;
	for (i = 0; i < FLOOD; i += 1000) {
		flood(i, 1000);
		u = pair_usage(&w.a);
		assert_in_range(u.minis, 0, BACKLOG); /* bounded */
		assert_in_range(u.conns, 0, i / 25000 + 1);
		if (i % 25000 != 0)
			continue;
		assert_int_equal(u.minis, BACKLOG);
		assert_int_equal(rnl_connect(w.b.st, &cc, &w.b.conn), 0);
		pair_settle();
		assert_int_equal(pair_state(&w.b, w.b.conn), RNL_ESTABLISHED);
		assert_int_equal(rnl_send(w.b.st, w.b.conn, "hello", 5), 5);
		pair_settle();
	}
	assert_int_equal(w.a.count[EV_ACCEPTED], 4);
	assert_int_equal(w.a.got_n, 20);
	assert_int_equal(pair_counter(&w.a, "tcp_syncookies_received"), 4);
	assert_in_range(pair_counter(&w.a, "tcp_syncookies_sent"), FLOOD - 1000, FLOOD + 4);
	assert_int_equal(pair_counter(&w.a, "tcp_syn_dropped_backlog"), 0);
	assert_int_equal(pair_counter(&w.a, "tcp_syncookies_failed"), 0);
	pair_close();
}

static void flood__leaves_room_for_a_client_v4(void **state)
{
	flood_with_client(false);
}

static void flood__leaves_room_for_a_client_v6(void **state)
{
	flood_with_client(true);
}

/* Cookies for all: a flood leaves nothing behind at all. */
static void flood__keeps_no_state(void **state)
{
	struct rnl_usage before, after;

	open_pair(RNL_SYNCOOKIES_ALWAYS, false);
	before = pair_usage(&w.a);
	flood(0, FLOOD);
	after = pair_usage(&w.a);
	before.neighbours = after.neighbours; /* bounded by neighbour discovery */
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(pair_counter(&w.a, "tcp_syncookies_sent"), FLOOD);
	pair_close();
}

/* Connects up to the SYN-ACK, which is on its way to b then. */
static void connect_up_to_syn_ack(void)
{
	struct rnl_connect_config cc = pair_connect_config();

	assert_int_equal(rnl_connect(w.b.st, &cc, &w.b.conn), 0);
	rnl_poll(w.b.st, w.now_ns);
	rnl_poll(w.a.st, w.now_ns);
	assert_int_equal(pair_usage(&w.a).minis, 0);
}

static void rotate__keeps_handshakes_under_way(void **state)
{
	open_pair(RNL_SYNCOOKIES_ALWAYS, false);
	connect_up_to_syn_ack();
	rnl_secrets_rotate(w.a.st, new_secret, NULL);
	pair_settle();
	assert_int_equal(w.a.count[EV_ACCEPTED], 1);
	/* and the new one works */
	connect_up_to_syn_ack();
	pair_settle();
	assert_int_equal(w.a.count[EV_ACCEPTED], 2);
	pair_close();
}

static void rotate__forgets_the_one_before_the_last(void **state)
{
	open_pair(RNL_SYNCOOKIES_ALWAYS, false);
	connect_up_to_syn_ack();
	rnl_secrets_rotate(w.a.st, new_secret, NULL);
	rnl_secrets_rotate(w.a.st, NULL, NULL); /* nothing */
	rnl_secrets_rotate(w.a.st, newer_secret, NULL);
	pair_settle();
	assert_int_equal(w.a.count[EV_ACCEPTED], 0);
	assert_int_equal(pair_counter(&w.a, "tcp_syncookies_failed"), 1);
	assert_int_equal(w.b.reason, RNL_REASON_RESET);
	pair_close();
}

static void refuse(struct pair_side *s, rnl_conn_t c)
{
	s->refuse = s->count[EV_ADMIT] == 2;
}

/* `admit` is asked at the SYN, and again when nothing is left of its answer. */
static void admit__is_asked_at_both_ends_of_the_handshake(void **state)
{
	open_pair(RNL_SYNCOOKIES_ALWAYS, false);
	w.a.hook[EV_ADMIT] = refuse;
	connect_up_to_syn_ack();
	assert_int_equal(w.a.count[EV_ADMIT], 1);
	pair_settle();
	assert_int_equal(w.a.count[EV_ADMIT], 2);
	assert_int_equal(w.a.count[EV_ACCEPTED], 0);
	assert_int_equal(w.b.reason, RNL_REASON_RESET);
	assert_int_equal(pair_counter(&w.a, "tcp_syn_not_admitted"), 1);
	pair_close();
}

/* No connection block: the peer's next segment tries again. */
static void memory__may_be_missing_at_the_end(void **state)
{
	struct pair_config cfg = {.a.max_conns = 1, .a.syncookies = RNL_SYNCOOKIES_ALWAYS};
	struct rnl_connect_config cc;
	rnl_conn_t first;

	pair_open(&cfg);
	pair_connect();
	first = w.a.conn;
	cc = pair_connect_config();
	assert_int_equal(rnl_connect(w.b.st, &cc, &w.b.conn), 0);
	pair_settle();
	assert_int_equal(w.a.count[EV_ACCEPTED], 1);
	assert_int_equal(pair_counter(&w.a, "tcp_promote_failed"), 1);
	assert_int_equal(rnl_abort(w.a.st, first), 0);
	assert_int_equal(rnl_send(w.b.st, w.b.conn, "again", 5), 5);
	pair_run(2 * PAIR_S);
	assert_int_equal(w.a.count[EV_ACCEPTED], 2);
	assert_int_equal(w.a.got_n, 5);
	pair_close();
}

static void config__is_checked(void **state)
{
	struct rnl_stack_config c;
	struct rnl_listen_config l = {.size = sizeof(l), .port_first = 81, .ops = &pair_ops};
	struct rnl_error err = {""};
	struct rnl_stack *st;
	rnl_listener_t id;

	open_pair(0, false);
	c = pair_stack_config(3);
	c.syncookies = RNL_SYNCOOKIES_COUNT;
	assert_int_equal(rnl_stack_create(&c, &st, &err), -EINVAL);
	pair_check_error(&err, "syncookies");
	l.syncookies = RNL_SYNCOOKIES_COUNT;
	assert_int_equal(rnl_listen(w.a.st, &l, &id, &err), -EINVAL);
	pair_check_error(&err, "syncookies");
	pair_close();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, NULL, rnl_test_no_leak)
	const struct CMUnitTest tests[] = {
	    TEST(flood__leaves_room_for_a_client_v4),
	    TEST(flood__leaves_room_for_a_client_v6),
	    TEST(flood__keeps_no_state),
	    TEST(rotate__keeps_handshakes_under_way),
	    TEST(rotate__forgets_the_one_before_the_last),
	    TEST(admit__is_asked_at_both_ends_of_the_handshake),
	    TEST(memory__may_be_missing_at_the_end),
	    TEST(config__is_checked),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
