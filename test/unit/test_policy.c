/* SPDX-License-Identifier: BSD-3-Clause */
/* stack/policy: options are checked, filled in, shared by those that are equal, and given back. */
#include "stack/stack.h" /* first: its inlines have a parameter of the pair's name */

#include "pair.h"

static struct rnl_error err;

static struct rnl_conn_opts defaults(void)
{
	return (struct rnl_conn_opts){.size = sizeof(struct rnl_conn_opts)};
}

static int get(const struct rnl_conn_opts *o)
{
	memset(&err, 0, sizeof(err));
	return rnl_policy_get(w.a.st, &pair_ops, o, &err);
}

static void policy__refuses_and_says_why(void **state)
{
	struct rnl_app_ops ops = pair_ops;
	struct rnl_cc_ops cc = rnl_cc_newreno;
	struct rnl_conn_opts o = defaults();
	int i;

#define REFUSED(field, value, part)                                                                \
	do {                                                                                       \
		o = defaults();                                                                    \
		o.field = value;                                                                   \
		assert_int_equal(get(&o), -EINVAL);                                                \
		pair_check_error(&err, part);                                                      \
	} while (0)
	REFUSED(rcvbuf_bytes, (1u << 30) + 1, "1073741824");
	REFUSED(rcvbuf_max_bytes, (1u << 30) + 1, "1073741824");
	o = defaults();
	o.rcvbuf_bytes = 20000;
	o.rcvbuf_max_bytes = 19999;
	assert_int_equal(get(&o), -EINVAL);
	pair_check_error(&err, "limit is below its size");
	REFUSED(delayed_ack_us, 500000, "below 500000");
	REFUSED(dscp, 64, "0 to 63");
	REFUSED(min_mss, 27, "at least 28");
	REFUSED(linger_ms, (1u << 30) + 1, "linger_ms");
	REFUSED(uto_max_s, 14401, "14400");
	REFUSED(uto_max_s, 99, "uto_min_s is 100");
	REFUSED(uto_change, 3, "uto_change");
	cc.priv_size = sizeof(((struct rnl_cc *)0)->priv) + 1;
	REFUSED(cc, &cc, "at most");
	cc.size = 8;
	REFUSED(cc, &cc, "size");
#undef REFUSED
	o = defaults();
	assert_int_equal(rnl_policy_get(w.a.st, NULL, &o, &err), -EINVAL);
	pair_check_error(&err, "set ops and ops->size");
	ops.size = offsetof(struct rnl_app_ops, urgent); /* added later: older tables do without */
	i = rnl_policy_get(w.a.st, &ops, &o, &err);
	assert_true(i > 0);
	rnl_policy_put(w.a.st, (uint16_t)i);
	ops.size = offsetof(struct rnl_app_ops, closed);
	assert_int_equal(rnl_policy_get(w.a.st, &ops, &o, &err), -EINVAL);
	pair_check_error(&err, "set ops and ops->size");
}

static void policy__takes_the_largest_values(void **state)
{
	struct rnl_conn_opts o = defaults();
	int i;

	o.rcvbuf_bytes = 1u << 30;
	o.delayed_ack_us = 499999;
	o.dscp = 63;
	i = get(&o);
	assert_true(i > 0);
	rnl_policy_put(w.a.st, (uint16_t)i);
}

/* A buffer that was set stays; a limit alone lets it grow, from there if that is less. */
static void policy__buffers_that_are_set_do_not_grow(void **state)
{
	struct rnl_conn_opts o = defaults();
	int i;

	o.rcvbuf_bytes = 30000;
	o.sndbuf_max_bytes = 20000;
	i = get(&o);
	assert_true(i > 0);
	assert_int_equal(w.a.st->core.policies[i].opts.rcvbuf_max_bytes, 30000);
	assert_int_equal(w.a.st->core.policies[i].opts.sndbuf_bytes, 20000);
	assert_int_equal(w.a.st->core.policies[i].opts.sndbuf_max_bytes, 20000);
	rnl_policy_put(w.a.st, (uint16_t)i);
}

/* The listener's policy is 0. */
static void policy__equal_sets_are_one(void **state)
{
	struct rnl_app_ops other = pair_ops;
	struct rnl_conn_opts o = defaults(), named;
	const struct rnl_policy *p = &w.a.st->core.policies[0];
	int i;

	assert_int_equal(p->refs, 1);
	assert_int_equal(get(&o), 0);
	named = p->opts; /* every default by its value is the same set */
	assert_int_equal(get(&named), 0);
	memset(&named, 0xee, sizeof(named)); /* as is whatever lies behind the size */
	named.size = offsetof(struct rnl_conn_opts, rcvbuf_bytes);
	named.sndbuf_bytes = 0;
	assert_int_equal(get(&named), 0);
	assert_int_equal(p->refs, 4);
	i = rnl_policy_get(w.a.st, &other, &o, &err); /* other callbacks, same options */
	assert_int_equal(i, 1);
	o.nodelay = true;
	assert_int_equal(get(&o), 2);
	rnl_policy_put(w.a.st, 1);
	rnl_policy_put(w.a.st, 2);
	for (i = 0; i < 3; i++)
		rnl_policy_put(w.a.st, 0);
}

static void policy__defaults_are_those_of_the_header(void **state)
{
	struct rnl_conn_opts o = {.size = 0};

	pair_connect();
	assert_int_equal(rnl_get_opts(w.a.st, w.a.conn, &o), 0);
	assert_int_equal(o.size, sizeof(o));
	assert_int_equal(o.sndbuf_bytes, 262144);
	assert_int_equal(o.rcvbuf_bytes, 262144);
	assert_int_equal(o.sndbuf_max_bytes, 4194304);
	assert_int_equal(o.rcvbuf_max_bytes, 6291456);
	assert_int_equal(o.connect_timeout_ms, 180000);
	assert_int_equal(o.user_timeout_ms, 0);
	assert_int_equal(o.idle_timeout_ms, 0);
	assert_int_equal(o.keepalive_idle_ms, 0);
	assert_int_equal(o.keepalive_intvl_ms, 75000);
	assert_int_equal(o.keepalive_probes, 9);
	assert_int_equal(o.retries2, 15);
	assert_int_equal(o.syn_retries, 7);
	assert_int_equal(o.ttl, 64);
	assert_int_equal(o.delayed_ack_us, 40000);
	assert_int_equal(o.rto_min_us, 200000);
	assert_int_equal(o.fin_wait2_ms, 60000);
	assert_int_equal(o.time_wait_ms, 60000);
	assert_ptr_equal(o.cc, &rnl_cc_cubic);
}

static unsigned int in_use(const struct pair_side *s)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < RNL_POLICY_MAX; i++)
		n += s->st->core.policies[i].refs != 0;
	return n;
}

static void policy__4096_sets_and_no_more(void **state)
{
	struct rnl_connect_config c = pair_connect_config();
	struct rnl_conn_opts o = defaults();
	rnl_listener_t l;
	struct rnl_listen_config lc = {
	    .size = sizeof(lc), .port_first = 81, .ops = &pair_ops, .ctx = &w.a};
	rnl_conn_t conn;

	pair_connect();
	for (uint32_t i = 1; i < 4096; i++) {
		o.rto_min_us = i;
		assert_int_equal(get(&o), i);
	}
	o.rto_min_us = 5000;
	assert_int_equal(get(&o), -ENOSPC);
	pair_check_error(&err, "share");
	lc.opts = o;
	assert_int_equal(rnl_listen(w.a.st, &lc, &l, &err), -ENOSPC);
	assert_int_equal(rnl_set_opts(w.a.st, w.a.conn, &o), -ENOSPC);
	c.raddr = w.b.addr;
	c.ctx = &w.a;
	c.opts = o;
	assert_int_equal(rnl_connect(w.a.st, &c, &conn), -ENOSPC);
	assert_int_equal(pair_usage(&w.a).conns, 1);
	o.rto_min_us = 77; /* one that is there is still to be had */
	assert_int_equal(get(&o), 77);
	rnl_policy_put(w.a.st, 77);
	rnl_policy_put(w.a.st, 77);
	o.rto_min_us = 5000;
	assert_int_equal(get(&o), 77); /* the place that became free */
	assert_int_equal(in_use(&w.a), 4096);
	for (uint32_t i = 1; i < 4096; i++)
		rnl_policy_put(w.a.st, (uint16_t)i);
	assert_int_equal(in_use(&w.a), 1);
}

/* Connections, half-open ones, those in TIME-WAIT and listeners each hold one, and give it back. */
static void policy__references_are_given_back(void **state)
{
	struct rnl_connect_config c = pair_connect_config();
	const struct rnl_policy *p = &w.a.st->core.policies[0];

	for (unsigned int i = 0; i < 5; i++)
		pair_connect();
	assert_int_equal(p->refs, 6);
	c.opts.no_wscale = true;
	assert_int_equal(rnl_connect(w.b.st, &c, &w.b.conn), 0);
	rnl_poll(w.b.st, w.now_ns += 1000);
	rnl_poll(w.a.st, w.now_ns += 1000);
	assert_int_equal(p->refs, 7); /* half open */
	assert_int_equal(in_use(&w.b), 2);
	pair_settle();
	assert_int_equal(p->refs, 7);
	assert_int_equal(rnl_unlisten(w.a.st, w.a.listener), 0);
	assert_int_equal(p->refs, 6);
	assert_int_equal(rnl_abort(w.b.st, w.b.conn), 0);
	pair_settle();
	assert_int_equal(p->refs, 5);
	assert_int_equal(in_use(&w.b), 1);
	assert_int_equal(rnl_close(w.a.st, w.a.conn), -ESTALE);
}

static bool close_each(void *arg, rnl_conn_t c, const struct rnl_conn_info *info)
{
	rnl_conn_t **next = arg;

	assert_int_equal(info->tcpi_state, RNL_ESTABLISHED);
	*(*next)++ = c;
	return true;
}

static void policy__time_wait_holds_its_set(void **state)
{
	const struct rnl_policy *p = &w.a.st->core.policies[0];
	rnl_conn_t conns[8], *end = conns;

	for (unsigned int i = 0; i < 5; i++)
		pair_connect();
	rnl_conn_foreach(w.a.st, close_each, &end);
	assert_int_equal(end - conns, 5);
	while (end > conns)
		assert_int_equal(rnl_close(w.a.st, *--end), 0);
	end = conns;
	rnl_conn_foreach(w.b.st, close_each, &end);
	pair_settle();
	while (end > conns)
		assert_int_equal(rnl_close(w.b.st, *--end), 0);
	pair_settle();
	assert_int_equal(pair_usage(&w.a).conns, 0);
	assert_int_equal(pair_usage(&w.a).minis, 5);
	assert_int_equal(p->refs, 6);
	assert_int_equal(in_use(&w.b), 0);
	pair_run(61 * PAIR_S);
	assert_int_equal(pair_usage(&w.a).minis, 0);
	assert_int_equal(p->refs, 1);
}

static void policy__set_opts_replaces(void **state)
{
	struct rnl_cc_ops other = rnl_cc_newreno;
	struct rnl_conn_opts o = defaults(), now = defaults();

	pair_connect();
	o.sndbuf_bytes = 1000;
	o.cc = &other; /* stays what it was: its state is under way */
	assert_int_equal(rnl_set_opts(w.a.st, w.a.conn, &o), 0);
	assert_int_equal(rnl_get_opts(w.a.st, w.a.conn, &now), 0);
	assert_int_equal(now.sndbuf_bytes, 1000);
	assert_ptr_equal(now.cc, &rnl_cc_cubic);
	assert_int_equal(rnl_send_room(w.a.st, w.a.conn), 1000);
	assert_int_equal(in_use(&w.a), 2);
	o.dscp = 64;
	assert_int_equal(rnl_set_opts(w.a.st, w.a.conn, &o), -EINVAL);
	assert_int_equal(rnl_send_room(w.a.st, w.a.conn), 1000);
	o = defaults();
	assert_int_equal(rnl_set_opts(w.a.st, w.a.conn, &o), 0);
	assert_int_equal(in_use(&w.a), 1);
	assert_int_equal(w.a.st->core.policies[0].refs, 2);
}

/* What an older program reads, it may hand back: its struct does not grow on the way. */
static void policy__get_opts_keeps_to_the_size(void **state)
{
	struct rnl_conn_opts o;
	const uint32_t size = offsetof(struct rnl_conn_opts, connect_timeout_ms);

	pair_connect();
	memset(&o, 0xee, sizeof(o));
	o.size = size;
	assert_int_equal(rnl_get_opts(w.a.st, w.a.conn, &o), 0);
	assert_int_equal(o.size, size);
	assert_int_equal(o.rcvbuf_bytes, 262144);
	assert_int_equal(o.connect_timeout_ms, 0xeeeeeeee);
	assert_int_equal(rnl_set_opts(w.a.st, w.a.conn, &o), 0);
	assert_int_equal(in_use(&w.a), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(policy__refuses_and_says_why),
	    pair_test(policy__takes_the_largest_values),
	    pair_test(policy__buffers_that_are_set_do_not_grow),
	    pair_test(policy__equal_sets_are_one),
	    pair_test(policy__defaults_are_those_of_the_header),
	    pair_test(policy__4096_sets_and_no_more),
	    pair_test(policy__references_are_given_back),
	    pair_test(policy__time_wait_holds_its_set),
	    pair_test(policy__set_opts_replaces),
	    pair_test(policy__get_opts_keeps_to_the_size),
	};

	return cmocka_run_group_tests_name("policy", tests, rnl_test_group_setup, NULL);
}
