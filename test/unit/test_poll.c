/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack/poll, transmit, receive, and passive's TIME-WAIT: ports that refuse packets, packets handed
 * in, posts, deadlines that neither stall nor spin, blocks that give way.
 */
#include "pair.h"
#include "wire/tcphdr.h"

#include <limits.h>
#include <pthread.h>

#include <rte_common.h>

static uint8_t data[1 << 19];

static int filled(void **state)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11 + i / 253);
	return pair_setup(state);
}

static void reopen(const struct pair_config *cfg)
{
	pair_close();
	pair_open(cfg);
}

/* ---- ports that refuse ---- */

/* @return polls until all of it is there; b's port takes `room` packets in each. */
static unsigned int trickle(size_t len, unsigned int room)
{
	size_t sent = 0;
	unsigned int i;

	for (i = 0; i < 20000 && w.a.got_n < len; i++) {
		ssize_t n = rnl_send(w.b.st, w.b.conn, data + sent, len - sent);

		assert_true(n >= 0);
		sent += (size_t)n;
		w.b.out_room = room;
		pair_step(20000);
		assert_true(pair_usage(&w.b).txq <= 1024);
	}
	w.b.out_room = UINT_MAX;
	return i;
}

/* Neither a drop nor a loss signal; what waits goes first. */
static void poll__full_port_keeps_order_and_loses_nothing(void **state)
{
	const size_t len = 300000;

	pair_connect();
	assert_in_range(trickle(len, 2), 100, 4000); /* Nagle and a delayed ACK at the end */
	assert_int_equal(w.a.got_n, len);
	assert_memory_equal(w.a.got, data, len);
	assert_true(pair_counter(&w.b, "tx_full") > 50);
	assert_int_equal(pair_counter(&w.a, "tcp_rx_out_of_order"), 0);
	assert_int_equal(pair_counter(&w.b, "tcp_retransmits"), 0);
	pair_settle();
	assert_int_equal(pair_usage(&w.b).txq, 0);
	/* Octets are counted when they go: what one has sent is what the other got. */
	assert_int_equal(pair_counter(&w.b, "tx_packets"), pair_counter(&w.a, "rx_packets"));
	assert_int_equal(pair_counter(&w.b, "tx_bytes"), pair_counter(&w.a, "rx_bytes"));
}

static void poll__short_queue_stops_output_and_loses_nothing(void **state)
{
	const struct pair_config cfg = {.b = {.txq_size = 4, .burst = 3}};
	const size_t len = 100000;

	reopen(&cfg);
	pair_connect();
	trickle(len, 1);
	assert_int_equal(w.a.got_n, len);
	assert_memory_equal(w.a.got, data, len);
	assert_int_equal(pair_counter(&w.b, "tcp_retransmits"), 0);
	assert_int_equal(pair_counter(&w.a, "tcp_rx_out_of_order"), 0);
}

static void poll__dead_port_is_asked_again_without_spinning(void **state)
{
	unsigned int polls = 0;

	pair_connect();
	pair_run(PAIR_S);
	w.b.out_room = 0;
	assert_int_equal(rnl_send(w.b.st, w.b.conn, data, 1000), 1000);
	pair_step(1000);
	assert_int_equal(pair_usage(&w.b).txq, 1);
	for (uint64_t end = w.now_ns + 10 * PAIR_MS; w.now_ns < end; polls++) {
		uint64_t at = rnl_next_deadline(w.b.st);

		assert_true(at > w.now_ns);
		assert_true(at <= w.now_ns + PAIR_MS);
		rnl_poll(w.b.st, w.now_ns = at);
	}
	assert_in_range(polls, 10, 200);
	w.b.out_room = UINT_MAX;
	pair_run(PAIR_S);
	assert_int_equal(w.a.got_n, 1000);
}

/* ---- packets handed in ---- */

static unsigned int hook_calls, hook_port;
static bool hook_takes;

static bool unclaimed(void *ctx, struct rnl_stack *st, unsigned int port, struct rte_mbuf *m)
{
	assert_ptr_equal(ctx, &hook_calls);
	assert_ptr_equal(st, w.a.st);
	assert_int_equal(rte_pktmbuf_pkt_len(m), 28);
	assert_int_equal(rnl_test_octets(m)[0], 0x45); /* as it was received */
	hook_calls++;
	hook_port = port;
	if (hook_takes)
		rte_pktmbuf_free(m);
	return hook_takes;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* An IPv4 packet of eight octets of `proto` from 10.0.0.9 to a's address with its last octet. */
static struct rte_mbuf *packet(uint8_t proto, uint8_t last)
{
	uint8_t p[28] = {0x45, 0, 0, 28, 0, 1, 0, 0, 64, proto, 0, 0, 10, 0, 0, 9, 10, 0, 0, last};
	uint32_t sum = 0;

	for (unsigned int i = 0; i < 20; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(p + 10, ~sum);
	return rnl_test_mbuf(p, sizeof(p));
}

static void poll__unclaimed_packets_are_offered(void **state)
{
	const struct pair_config cfg = {
	    .a = {.unclaimed = unclaimed, .unclaimed_ctx = &hook_calls}};
	struct rte_mbuf *m[2];

	reopen(&cfg);
	hook_calls = 0;
	for (unsigned int i = 0; i < 2; i++) {
		hook_takes = i == 0;
		m[0] = packet(17, 1);  /* UDP to us */
		m[1] = packet(17, 77); /* and to somebody else */
		hook_port = 99;
		assert_int_equal(rnl_input(w.a.st, 0, m, 2), 2);
		assert_true(rnl_next_deadline(w.a.st) <= w.now_ns + 1000);
		assert_int_equal(hook_calls, 2 * i);
		pair_step(1000);
		assert_int_equal(hook_calls, 2 * i + 2);
		assert_int_equal(hook_port, 0);
		assert_int_equal(pair_counter(&w.a, "rx_unclaimed"), 2);
		assert_int_equal(pair_counter(&w.a, "ip_rx_unknown_protocol"), i);
		assert_int_equal(pair_counter(&w.a, "ip_rx_other_address"), i);
	}
}

static void poll__input_is_bounded(void **state)
{
	struct rte_mbuf *m[300];

	for (unsigned int i = 0; i < RTE_DIM(m); i++)
		m[i] = packet(17, 1);
	assert_int_equal(rnl_input(w.a.st, 1, m, 1), 0); /* no such port */
	assert_int_equal(rnl_input(w.a.st, UINT_MAX, m, 1), 0);
	assert_int_equal(rnl_input(w.a.st, 0, m, 0), 0);
	assert_int_equal(rnl_input(w.a.st, 0, m, 200), 200);
	assert_int_equal(rnl_input(w.a.st, 0, m + 200, 100), 56);
	assert_int_equal(rnl_input(w.a.st, 0, m + 256, 44), 0);
	pair_step(1000);
	assert_int_equal(pair_counter(&w.a, "rx_packets"), 256);
	assert_int_equal(rnl_input(w.a.st, 0, m + 256, 44), 44); /* left to destruction */
}

/* An appliance with its own receive path: the port's rx gives nothing. */
static void poll__input_carries_connections(void **state)
{
	struct rnl_connect_config c = pair_connect_config();

	assert_int_equal(rnl_connect(w.b.st, &c, &w.b.conn), 0);
	assert_int_equal(rnl_send(w.b.st, w.b.conn, data, 50000), 50000);
	for (unsigned int i = 0; i < 200; i++) {
		unsigned int n = rnl_input(w.a.st, 0, w.a.in, (uint16_t)w.a.in_n);

		assert_int_equal(n, w.a.in_n);
		w.a.in_n = 0;
		pair_step(100000);
	}
	assert_int_equal(w.a.got_n, 50000);
	assert_memory_equal(w.a.got, data, 50000);
}

/* ---- segments in ---- */

/* Ten segments that wait together bring one acknowledgement (RFC 9293 3.10.7.4, MUST-59). */
static void poll__burst_is_acknowledged_once(void **state)
{
	uint64_t before;

	pair_connect();
	pair_settle();
	assert_int_equal(rnl_send(w.b.st, w.b.conn, data, 14000), 14000);
	while (w.a.got_n < 14000) {
		before = pair_counter(&w.a, "tx_packets");
		pair_step(1000);
		assert_true(pair_counter(&w.a, "tx_packets") - before <= 1);
	}
	assert_true(pair_counter(&w.a, "tx_packets") <= 3); /* SYN-ACK, and one or two for all of it */
}

/* A SYN, checksums right, from one address to another. */
static void syn_between(const char *from, const char *to)
{
	struct rnl_tcphdr_out h = {
	    .key = {.rport = PAIR_PORT, .lport = 3333}, .flags = RNL_TH_SYN, .wnd = 1000, .ttl = 64};
	struct rte_mbuf *m = rte_pktmbuf_alloc(rnl_test_pkt_pool());

	assert_non_null(m);
	assert_int_equal(rnl_addr_parse(from, &h.key.laddr), 0);
	assert_int_equal(rnl_addr_parse(to, &h.key.raddr), 0);
	rnl_tcphdr_write(m, &h, 0);
	m->ol_flags = 0;
	assert_int_equal(rnl_input(w.a.st, 0, &m, 1), 1);
	pair_step(1000);
}

/* RFC 9293 3.9.2.3 (MUST-57, MUST-63): to a group or to all, and from what can be no host, our own
 * address among them (LAND, CVE-1999-0016): no answer, and nothing is kept. */
static void poll__misaddressed_segments_are_dropped(void **state)
{
	static const char *const to[] = {"224.0.0.1", "239.1.2.3", "255.255.255.255", "10.0.0.255"};
	static const char *const from[] = {"10.0.0.1", "10.0.0.255", "127.0.0.1", "224.0.0.1",
	                                   "255.255.255.255", "0.0.0.0"};
	unsigned int i;

	for (i = 0; i < RTE_DIM(to); i++)
		syn_between("10.0.0.2", to[i]);
	assert_int_equal(pair_counter(&w.a, "ip_rx_broadcast"), RTE_DIM(to));
	for (i = 0; i < RTE_DIM(from); i++)
		syn_between(from[i], "10.0.0.1");
	assert_int_equal(pair_counter(&w.a, "ip_rx_bad_source"), RTE_DIM(from));
	assert_int_equal(pair_counter(&w.a, "tx_packets"), 0);
	assert_int_equal(pair_usage(&w.a).minis, 0);
	syn_between("10.0.0.2", "10.0.0.1");
	assert_int_equal(pair_usage(&w.a).minis, 1);
}

/* ---- posts ---- */

#define POSTS 1023

static unsigned int ran[POSTS + 64], ran_n;

static void post_fn(struct rnl_stack *st, void *arg)
{
	assert_ptr_equal(st, w.a.st);
	ran[ran_n++ % RTE_DIM(ran)] = (unsigned int)(uintptr_t)arg;
}

static void poll__posts_run_in_order_a_few_in_each(void **state)
{
	unsigned int i;

	ran_n = 0;
	for (i = 0; i < POSTS; i++)
		assert_int_equal(rnl_post(w.a.st, post_fn, (void *)(uintptr_t)i), 0);
	assert_int_equal(rnl_post(w.a.st, post_fn, NULL), -ENOSPC);
	assert_true(rnl_next_deadline(w.a.st) <= w.now_ns + 1000);
	assert_int_equal(ran_n, 0);
	pair_step(1000);
	assert_int_equal(ran_n, 32);
	assert_int_equal(rnl_post(w.a.st, post_fn, (void *)(uintptr_t)POSTS), 0);
	pair_run(PAIR_MS);
	assert_int_equal(ran_n, POSTS + 1);
	for (i = 0; i <= POSTS; i++)
		assert_int_equal(ran[i], i);
	assert_true(rnl_next_deadline(w.a.st) == UINT64_MAX);
}

static void posts_again(struct rnl_stack *st, void *arg)
{
	ran_n++;
	assert_int_equal(rnl_post(st, posts_again, arg), 0);
}

static void poll__posts_that_post_do_not_hang(void **state)
{
	ran_n = 0;
	assert_int_equal(rnl_post(w.a.st, posts_again, NULL), 0);
	pair_step(1000);
	assert_in_range(ran_n, 1, 32);
}

static void *poster(void *arg)
{
	unsigned int id = (unsigned int)(uintptr_t)arg;

	for (unsigned int i = 0; i < 5000;)
		i += rnl_post(w.a.st, post_fn, (void *)(uintptr_t)(id * 10000 + i)) == 0;
	return NULL;
}

static void poll__posts_come_from_any_thread(void **state)
{
	unsigned int next[2] = {0, 10000}, done = 0;
	pthread_t threads[2];

	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, poster, (void *)(uintptr_t)i),
		                 0);
	while (done < 10000) {
		ran_n = 0;
		rnl_poll(w.a.st, w.now_ns += 1000);
		for (unsigned int i = 0; i < ran_n; i++)
			assert_int_equal(ran[i], next[ran[i] / 10000]++);
		done += ran_n;
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(next[0], 5000);
	assert_int_equal(next[1], 15000);
}

/* ---- time ---- */

/* Only the age of TS.Recent (24 days, RFC 7323 5.5) is waited for. */
static void poll__idle_stack_sleeps(void **state)
{
	assert_true(rnl_next_deadline(w.a.st) == UINT64_MAX);
	pair_connect();
	pair_run(10 * PAIR_S);
	assert_true(rnl_next_deadline(w.a.st) > w.now_ns + 3600 * PAIR_S);
	assert_true(rnl_next_deadline(w.b.st) > w.now_ns + 3600 * PAIR_S);
	assert_int_equal(pair_usage(&w.a).busy, 0);
	assert_int_equal(rnl_poll(w.a.st, w.now_ns + PAIR_S), 0);
	w.now_ns += PAIR_S;
	assert_int_equal(rnl_abort(w.a.st, w.a.conn), 0);
	pair_settle();
	assert_true(rnl_next_deadline(w.a.st) == UINT64_MAX);
	assert_true(rnl_next_deadline(w.b.st) == UINT64_MAX);
}

/* Each deadline is one that something happens at, or near: few polls for a long time. */
static void poll__deadlines_lead_to_the_end(void **state)
{
	unsigned int polls = 0;

	pair_connect();
	w.b.cut = true;
	assert_int_equal(rnl_send(w.b.st, w.b.conn, data, 1000), 1000);
	for (; w.b.count[EV_CLOSED] == 0; polls++) {
		uint64_t at = rnl_next_deadline(w.b.st);

		assert_true(at != UINT64_MAX && at > w.now_ns);
		rnl_poll(w.b.st, w.now_ns = at);
	}
	assert_int_equal(w.b.reason, RNL_REASON_TIMEOUT_RETRANSMIT);
	assert_true(polls < 1000);
}

/* A loop that slept between rnl_connect() and rnl_poll(): the time of the call was an old one. */
static void poll__connect_long_before_the_next_poll(void **state)
{
	static const uint64_t gap_s[] = {2, 200, 20000, 10000000};

	for (unsigned int i = 0; i < RTE_DIM(gap_s); i++) {
		const struct pair_config cfg = {.caps = 0};
		struct rnl_connect_config c;

		reopen(&cfg);
		c = pair_connect_config();
		assert_int_equal(rnl_connect(w.b.st, &c, &w.b.conn), 0);
		assert_int_equal(rnl_send(w.b.st, w.b.conn, "hello", 5), 5);
		pair_step(gap_s[i] * PAIR_S);
		assert_int_equal(pair_counter(&w.b, "tx_packets"), 1);
		pair_settle();
		assert_int_equal(w.b.count[EV_CONNECTED], 1);
		assert_int_equal(w.b.count[EV_CLOSED], 0);
		assert_int_equal(w.a.got_n, 5);
		assert_int_equal(pair_counter(&w.b, "tcp_syn_retransmits"), 0);
	}
}

static void poll__send_long_before_the_next_poll(void **state)
{
	pair_connect();
	pair_run(PAIR_S);
	assert_int_equal(rnl_send(w.b.st, w.b.conn, "hello", 5), 5);
	pair_step(2000 * PAIR_S);
	pair_settle();
	assert_int_equal(w.a.got_n, 5);
	assert_int_equal(pair_counter(&w.b, "tcp_retransmits"), 0);
	assert_int_equal(w.a.count[EV_CLOSED] + w.b.count[EV_CLOSED], 0);
}

static void ends(struct pair_side *s, rnl_conn_t c)
{
	rnl_close(s->st, c);
}

/* ---- TIME-WAIT gives way ---- */

/* b connects from lport and closes first. @return 0, or why rnl_connect() failed. */
static int round_trip(uint16_t lport)
{
	struct rnl_connect_config c = pair_connect_config();
	int ret;

	c.lport = lport;
	ret = rnl_connect(w.b.st, &c, &w.b.conn);
	if (ret < 0)
		return ret;
	pair_settle();
	assert_int_equal(rnl_close(w.b.st, w.b.conn), 0);
	pair_settle();
	assert_int_equal(w.b.reason, RNL_REASON_NORMAL);
	return 0;
}

/* RFC 9293 3.6.1. */
static void poll__oldest_time_wait_gives_way(void **state)
{
	const struct pair_config cfg = {.b = {.max_minis = 3}};

	reopen(&cfg);
	w.a.hook[EV_PEER_CLOSED] = ends;
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(round_trip((uint16_t)(40000 + i)), 0);
	assert_int_equal(pair_usage(&w.b).minis, 3);
	for (uint16_t i = 0; i < 3; i++) /* its tuple is taken */
		assert_int_equal(round_trip((uint16_t)(40000 + i)), -EADDRNOTAVAIL);
	assert_int_equal(round_trip(40003), 0);
	assert_int_equal(pair_counter(&w.b, "tcp_time_wait_recycled"), 1);
	assert_int_equal(pair_counter(&w.b, "pool_minis_empty"), 1);
	assert_int_equal(round_trip(40001), -EADDRNOTAVAIL);
	assert_int_equal(round_trip(40002), -EADDRNOTAVAIL);
	assert_int_equal(round_trip(40000), 0); /* the oldest; 40001 goes for it */
	assert_int_equal(round_trip(40002), -EADDRNOTAVAIL);
	assert_int_equal(pair_usage(&w.b).minis, 3);
	pair_run(61 * PAIR_S);
	assert_int_equal(pair_usage(&w.b).minis, 0);
	assert_int_equal(pair_counter(&w.b, "tcp_time_wait_expired"), 3);
	assert_int_equal(w.b.count[EV_CLOSED], 5);
	assert_true(rnl_next_deadline(w.b.st) == UINT64_MAX);
}

/* New connections matter more than old ones' last segments, but not than other new ones. */
static void poll__syn_takes_the_place_of_time_wait(void **state)
{
	const struct pair_config cfg = {.a = {.max_minis = 2}};
	struct rnl_connect_config c;
	rnl_conn_t conn;

	reopen(&cfg);
	w.b.hook[EV_PEER_CLOSED] = ends;
	for (unsigned int i = 0; i < 2; i++) {
		pair_connect();
		assert_int_equal(rnl_close(w.a.st, w.a.conn), 0);
		pair_settle();
	}
	assert_int_equal(pair_usage(&w.a).minis, 2);
	w.a.cut = true; /* half-open ones stay so */
	c = pair_connect_config();
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(rnl_connect(w.b.st, &c, &conn), 0);
		pair_step(1000);
		pair_step(1000);
	}
	assert_int_equal(pair_counter(&w.a, "tcp_time_wait_recycled"), 2);
	assert_int_equal(pair_counter(&w.a, "tcp_syncookies_sent"), 1);
	assert_int_equal(pair_usage(&w.a).minis, 2);
	w.a.cut = false;
	pair_run(10 * PAIR_S);
	assert_int_equal(w.a.count[EV_ACCEPTED], 5);
}

/* No room at all: the end is as orderly, only without the wait. */
static void poll__time_wait_without_a_block(void **state)
{
	const struct pair_config cfg = {.a = {.max_minis = 1}};
	struct rnl_connect_config c;
	rnl_conn_t half;

	reopen(&cfg);
	w.b.hook[EV_PEER_CLOSED] = ends;
	pair_connect();
	c = pair_connect_config();
	assert_int_equal(rnl_connect(w.b.st, &c, &half), 0);
	rnl_poll(w.b.st, w.now_ns += 1000);
	w.a.cut = true;
	rnl_poll(w.a.st, w.now_ns += 1000);
	w.a.cut = false;
	assert_int_equal(pair_usage(&w.a).minis, 1);
	assert_int_equal(rnl_close(w.a.st, w.a.conn), 0);
	pair_settle();
	assert_int_equal(w.a.count[EV_CLOSED], 1);
	assert_int_equal(w.a.reason, RNL_REASON_NORMAL);
	assert_int_equal(w.b.count[EV_CLOSED], 1); /* the last ACK went out */
	assert_int_equal(w.b.reason, RNL_REASON_NORMAL);
	assert_int_equal(pair_usage(&w.a).conns, 0);
	assert_int_equal(pair_counter(&w.a, "tcp_time_wait_recycled"), 1);
	pair_run(10 * PAIR_S);
	assert_int_equal(w.a.count[EV_ACCEPTED], 2);
}

/* A handshake that finds no block stays half open, and finishes when there is one. */
static void poll__handshake_waits_for_a_block(void **state)
{
	const struct pair_config cfg = {.a = {.max_conns = 1, .max_minis = 4}};
	struct rnl_connect_config c;
	rnl_conn_t first, conn;

	reopen(&cfg);
	c = pair_connect_config();
	pair_connect();
	first = w.a.conn;
	assert_int_equal(rnl_connect(w.b.st, &c, &conn), 0);
	pair_run(PAIR_S / 2);
	assert_int_equal(w.a.count[EV_ACCEPTED], 1);
	assert_true(pair_counter(&w.a, "tcp_promote_failed") > 0);
	assert_int_equal(rnl_abort(w.a.st, first), 0);
	pair_run(10 * PAIR_S);
	assert_int_equal(w.a.count[EV_ACCEPTED], 2);
	assert_int_equal(pair_state(&w.b, conn), RNL_ESTABLISHED);
	assert_int_equal(pair_state(&w.a, w.a.conn), RNL_ESTABLISHED);
}

#define poll_test(f) cmocka_unit_test_setup_teardown(f, filled, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    poll_test(poll__full_port_keeps_order_and_loses_nothing),
	    poll_test(poll__short_queue_stops_output_and_loses_nothing),
	    poll_test(poll__dead_port_is_asked_again_without_spinning),
	    poll_test(poll__unclaimed_packets_are_offered),
	    poll_test(poll__input_is_bounded),
	    poll_test(poll__input_carries_connections),
	    poll_test(poll__burst_is_acknowledged_once),
	    poll_test(poll__misaddressed_segments_are_dropped),
	    poll_test(poll__posts_run_in_order_a_few_in_each),
	    poll_test(poll__posts_that_post_do_not_hang),
	    poll_test(poll__posts_come_from_any_thread),
	    poll_test(poll__idle_stack_sleeps),
	    poll_test(poll__deadlines_lead_to_the_end),
	    poll_test(poll__connect_long_before_the_next_poll),
	    poll_test(poll__send_long_before_the_next_poll),
	    poll_test(poll__oldest_time_wait_gives_way),
	    poll_test(poll__syn_takes_the_place_of_time_wait),
	    poll_test(poll__time_wait_without_a_block),
	    poll_test(poll__handshake_waits_for_a_block),
	};

	return cmocka_run_group_tests_name("poll", tests, rnl_test_group_setup, NULL);
}
