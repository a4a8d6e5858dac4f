/* SPDX-License-Identifier: BSD-3-Clause */
/* Two stacks back to back: see pair.h. */
#include "stack/stack.h" /* first: its inlines have a parameter of the pair's name */

#include "pair.h"

#include <limits.h>

#define STEP_NS 10000
#define SETTLE_MAX 2000
#define RUN_MAX 200000

struct pair w;

/* ---- the ports ---- */

static uint16_t port_rx(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct pair_side *s = port;

	n = RTE_MIN(n, (uint16_t)RTE_MIN(s->in_n, (unsigned int)UINT16_MAX));
	memcpy(m, s->in, n * sizeof(*m));
	s->in_n -= n;
	memmove(s->in, s->in + n, s->in_n * sizeof(*m));
	return n;
}

static uint16_t port_tx(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct pair_side *s = port, *peer = s == &w.a ? &w.b : &w.a;
	uint16_t i;

	for (i = 0; i < n && s->out_room > 0; i++) {
		s->out_room -= s->out_room != UINT_MAX;
		if (s->cut || peer->in_n == PAIR_QUEUE)
			rte_pktmbuf_free(m[i]);
		else
			peer->in[peer->in_n++] = m[i];
	}
	return i;
}

static const struct rnl_port_ops port_ops = {.rx = port_rx, .tx = port_tx};

struct rnl_port pair_port(struct pair_side *s, uint32_t caps)
{
	return (struct rnl_port){.size = sizeof(struct rnl_port),
	                         .ops = &port_ops,
	                         .ctx = s,
	                         .caps = RNL_CAP_RAW_IP | caps};
}

/* ---- the application ---- */

static void note(struct pair_side *s, enum pair_event ev, rnl_conn_t c, void *ctx)
{
	s->count[ev]++;
	s->last = ev;
	s->ctx = ctx;
	if (s->hook[ev] != NULL)
		s->hook[ev](s, c);
}

static struct pair_side *side_of(const struct rnl_stack *st)
{
	return st == w.a.st ? &w.a : &w.b;
}

static bool admit(struct rnl_stack *st, void *ctx, const struct rnl_tuple *tuple)
{
	struct pair_side *s = side_of(st);

	assert_int_not_equal(tuple->lport, 0);
	note(s, EV_ADMIT, 0, ctx);
	return !s->refuse;
}

static void accepted(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	side_of(st)->conn = c;
	note(side_of(st), EV_ACCEPTED, c, ctx);
}

static void connected(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	note(side_of(st), EV_CONNECTED, c, ctx);
}

static void keep(struct pair_side *s, const struct rnl_span *spans, unsigned int n, size_t used)
{
	for (unsigned int i = 0; i < n && used > 0; i++) {
		size_t len = RTE_MIN(used, (size_t)spans[i].len);

		if (s->got_n + len <= sizeof(s->got))
			memcpy(s->got + s->got_n, spans[i].data, len);
		s->got_n += len;
		used -= len;
	}
}

static size_t received(struct rnl_stack *st, rnl_conn_t c, void *ctx, const struct rnl_span *spans,
                       unsigned int n, size_t total)
{
	struct pair_side *s = side_of(st);
	size_t used = RTE_MIN(s->take, total);

	keep(s, spans, n, used);
	s->span = spans;
	s->total = total;
	note(s, EV_RECEIVED, c, ctx);
	s->span = NULL;
	return used;
}

static void writable(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	note(side_of(st), EV_WRITABLE, c, ctx);
}

static void peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	note(side_of(st), EV_PEER_CLOSED, c, ctx);
}

static void timer(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	note(side_of(st), EV_TIMER, c, ctx);
}

static void closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	side_of(st)->reason = reason;
	note(side_of(st), EV_CLOSED, c, ctx);
}

const struct rnl_app_ops pair_ops = {
    .size = sizeof(struct rnl_app_ops),
    .admit = admit,
    .accepted = accepted,
    .connected = connected,
    .received = received,
    .writable = writable,
    .peer_closed = peer_closed,
    .timer = timer,
    .closed = closed,
};

/* ---- making and unmaking ---- */

struct rnl_stack_config pair_stack_config(uint32_t id)
{
	return (struct rnl_stack_config){
	    .size = sizeof(struct rnl_stack_config),
	    .id = id,
	    .socket_id = -1,
	    .max_conns = 256,
	    .pkt_pool = rnl_test_pkt_pool(),
	    .hdr_pool = rnl_test_hdr_pool(),
	    .secrets = {.isn = {1}, .ts = {2}, .port = {3}, .flow = {4}, .cookie = {5}},
	    .seed = id,
	    .now_ns = w.now_ns,
	};
}

static void fill(struct rnl_stack_config *c, uint32_t id)
{
	const struct rnl_stack_config d = pair_stack_config(id);

	c->size = d.size;
	c->id = d.id;
	c->socket_id = -1;
	c->max_conns = c->max_conns != 0 ? c->max_conns : d.max_conns;
	c->pkt_pool = d.pkt_pool;
	c->hdr_pool = d.hdr_pool;
	c->secrets = d.secrets;
	c->seed = d.seed;
	c->now_ns = d.now_ns;
}

static void open_side(struct pair_side *s, const struct rnl_stack_config *cfg, uint32_t caps)
{
	struct rnl_port port = pair_port(s, caps);
	struct rnl_error err = {""};

	s->out_room = UINT_MAX;
	s->take = SIZE_MAX;
	s->addr = rnl_addr_v4(10, 0, 0, (uint8_t)cfg->id);
	assert_int_equal(rnl_stack_create(cfg, &s->st, &err), 0);
	assert_int_equal(rnl_port_add(s->st, &port, &err), 0);
	assert_int_equal(rnl_addr_add(s->st, 0, &s->addr, 24, &err), 0);
	assert_string_equal(err.text, "");
}

void pair_open(const struct pair_config *cfg)
{
	struct pair_config c = *cfg;
	struct rnl_listen_config listen = {.size = sizeof(listen),
	                                   .port_first = PAIR_PORT,
	                                   .ops = &pair_ops,
	                                   .ctx = &w.a,
	                                   .opts = c.opts};

	memset(&w, 0, sizeof(w));
	w.now_ns = 10 * PAIR_S;
	fill(&c.a, 1);
	fill(&c.b, 2);
	open_side(&w.a, &c.a, c.caps);
	open_side(&w.b, &c.b, c.caps);
	assert_int_equal(rnl_listen(w.a.st, &listen, &w.a.listener, NULL), 0);
}

static void close_side(struct pair_side *s)
{
	if (s->st == NULL)
		return;
	assert_null(rnl_stack_check(s->st));
	assert_int_equal(rnl_stack_destroy(s->st), 0);
	s->st = NULL;
}

static void free_under_way(struct pair_side *s)
{
	rte_pktmbuf_free_bulk(s->in, s->in_n);
	s->in_n = 0;
}

void pair_close(void)
{
	free_under_way(&w.a);
	free_under_way(&w.b);
	close_side(&w.a);
	close_side(&w.b);
}

int pair_setup(void **state)
{
	const struct pair_config cfg = {.caps = 0};

	pair_open(&cfg);
	return 0;
}

int pair_teardown(void **state)
{
	pair_close();
	return rnl_test_no_leak(state);
}

/* ---- time ---- */

void pair_step(uint64_t ns)
{
	w.now_ns += ns;
	if (w.a.st != NULL)
		rnl_poll(w.a.st, w.now_ns);
	if (w.b.st != NULL)
		rnl_poll(w.b.st, w.now_ns);
}

void pair_settle(void)
{
	unsigned int quiet = 0;

	for (unsigned int i = 0; i < SETTLE_MAX && quiet < 3; i++) {
		unsigned int n = 0;

		w.now_ns += STEP_NS;
		if (w.a.st != NULL)
			n += rnl_poll(w.a.st, w.now_ns);
		if (w.b.st != NULL)
			n += rnl_poll(w.b.st, w.now_ns);
		quiet = n == 0 && w.a.in_n + w.b.in_n == 0 ? quiet + 1 : 0;
	}
	assert_int_equal(quiet, 3);
}

static uint64_t deadline(const struct pair_side *s)
{
	if (s->st == NULL)
		return UINT64_MAX;
	return s->in_n > 0 ? w.now_ns : rnl_next_deadline(s->st);
}

void pair_run(uint64_t ns)
{
	uint64_t end = w.now_ns + ns;
	unsigned int i;

	for (i = 0; i < RUN_MAX; i++) {
		uint64_t at = RTE_MIN(deadline(&w.a), deadline(&w.b));

		if (at >= end)
			break;
		pair_step(at > w.now_ns ? at - w.now_ns : 1000);
	}
	assert_int_not_equal(i, RUN_MAX);
	pair_step(end - w.now_ns);
}

/* ---- connections ---- */

struct rnl_connect_config pair_connect_config(void)
{
	return (struct rnl_connect_config){.size = sizeof(struct rnl_connect_config),
	                                   .raddr = w.a.addr,
	                                   .rport = PAIR_PORT,
	                                   .ops = &pair_ops,
	                                   .ctx = &w.b};
}

void pair_connect(void)
{
	struct rnl_connect_config c = pair_connect_config();
	unsigned int before = w.a.count[EV_ACCEPTED];

	assert_int_equal(rnl_connect(w.b.st, &c, &w.b.conn), 0);
	pair_settle();
	assert_int_equal(w.a.count[EV_ACCEPTED], before + 1);
}

uint64_t pair_counter(const struct pair_side *s, const char *name)
{
	uint64_t v[256];
	unsigned int i;

	assert_true(rnl_counters_count() <= RTE_DIM(v));
	rnl_counters_read(s->st, v, RTE_DIM(v));
	for (i = 0; i < rnl_counters_count(); i++)
		if (strcmp(rnl_counter_name(i), name) == 0)
			return v[i];
	fail_msg("no counter %s", name);
	return 0;
}

struct rnl_usage pair_usage(const struct pair_side *s)
{
	struct rnl_usage u;

	rnl_usage(s->st, &u);
	return u;
}

int pair_state(const struct pair_side *s, rnl_conn_t c)
{
	struct rnl_conn_info info;

	return rnl_conn_info(s->st, c, &info) == 0 ? info.tcpi_state : -1;
}

void pair_check_error(const struct rnl_error *err, const char *part)
{
	if (strstr(err->text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err->text, part);
	assert_null(strchr(err->text, '\n'));
	assert_true(strlen(err->text) > 20);
}
