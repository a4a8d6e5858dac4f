/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two independent sets of stacks in one process: each set has its own pools, secrets, ports, clock
 * and addresses - the same addresses in both - and a client and a server stack of its own. The sets
 * never meet, one of them is destroyed while the other works on, and packets of one never count in
 * the other. One link hands packets to rnl_input() instead of a receive burst.
 *
 * In what C11 and C++17 have in common. Usage: two EAL-ARGUMENTS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <runnel.h>

#define BURST 32
#define RING_SIZE 1024
#define BYTES 1000000u
#define STEP_NS 10000u
#define STEPS 2000000u

struct link_end {
	struct rte_ring *from, *to;
};

struct set {
	struct rte_mempool *pkt, *hdr;
	struct rte_ring *rings[2];
	struct link_end ends[2];
	struct rnl_stack *server, *client;
	uint64_t now_ns;
	uint8_t key; /* octets of this set's stream differ from the other's */
	uint32_t sent, echoed;
	bool wrong, closed;
};

#define CHECK(cond, err)                                                                           \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "two: line %d: %s: %s\n", __LINE__, #cond, (err)->text);   \
			exit(EXIT_FAILURE);                                                        \
		}                                                                                  \
	} while (0)

static uint16_t link_rx(void *ctx, struct rte_mbuf **m, uint16_t n)
{
	struct link_end *end = (struct link_end *)ctx;

	return (uint16_t)rte_ring_dequeue_burst(end->from, (void **)m, n, NULL);
}

static uint16_t link_tx(void *ctx, struct rte_mbuf **m, uint16_t n)
{
	struct link_end *end = (struct link_end *)ctx;

	return (uint16_t)rte_ring_enqueue_burst(end->to, (void *const *)m, n, NULL);
}

/* The client's packets come by rnl_input(): its own burst finds nothing. */
static uint16_t no_rx(void *ctx, struct rte_mbuf **m, uint16_t n)
{
	(void)ctx;
	(void)m;
	(void)n;
	return 0;
}

static uint8_t octet(const struct set *s, uint32_t offset)
{
	return (uint8_t)((offset * 7u + offset / 251u) ^ s->key);
}

/* ---- server: echo --------------------------------------------------------------------------- */

static size_t server_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                              const struct rnl_span *spans, unsigned int n, size_t total)
{
	size_t taken = 0;

	(void)ctx;
	(void)total;
	for (unsigned int i = 0; i < n; i++) {
		ssize_t sent = rnl_send(st, c, spans[i].data, spans[i].len);

		if (sent <= 0)
			break;
		taken += (size_t)sent;
		if ((size_t)sent < spans[i].len)
			break;
	}
	return taken;
}

static void server_writable(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	(void)ctx;
	rnl_receive_resume(st, c);
}

static void server_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	(void)ctx;
	rnl_close(st, c);
}

/* ---- client --------------------------------------------------------------------------------- */

static void client_send(struct rnl_stack *st, rnl_conn_t c, struct set *s)
{
	uint8_t chunk[1024];

	while (s->sent < BYTES) {
		uint32_t len =
		    BYTES - s->sent < sizeof(chunk) ? BYTES - s->sent : (uint32_t)sizeof(chunk);
		ssize_t took;

		for (uint32_t i = 0; i < len; i++)
			chunk[i] = octet(s, s->sent + i);
		took = rnl_send(st, c, chunk, len);
		if (took <= 0)
			return;
		s->sent += (uint32_t)took;
		if ((uint32_t)took < len)
			return;
	}
	rnl_shutdown(st, c);
}

static void client_connected(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	client_send(st, c, (struct set *)ctx);
}

static void client_writable(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	client_send(st, c, (struct set *)ctx);
}

static size_t client_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                              const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct set *s = (struct set *)ctx;

	(void)st;
	(void)c;
	for (unsigned int i = 0; i < n; i++)
		for (uint32_t k = 0; k < spans[i].len; k++)
			if (((const uint8_t *)spans[i].data)[k] != octet(s, s->echoed++))
				s->wrong = true;
	return total;
}

static void client_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	(void)ctx;
	rnl_close(st, c);
}

static void client_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	struct set *s = (struct set *)ctx;

	(void)st;
	(void)c;
	s->closed = true;
	if (reason != RNL_REASON_NORMAL)
		s->wrong = true;
}

/* ---- set-up --------------------------------------------------------------------------------- */

static struct rnl_stack *make_stack(struct set *s, uint32_t id, const struct rnl_port *port,
                                    struct rnl_addr addr)
{
	struct rnl_stack_config cfg;
	struct rnl_stack *st = NULL;
	struct rnl_error err;
	int index;

	memset(&err, 0, sizeof(err));
	memset(&cfg, 0, sizeof(cfg));
	cfg.size = sizeof(cfg);
	cfg.id = id;
	cfg.socket_id = -1;
	cfg.max_conns = 64;
	cfg.pkt_pool = s->pkt;
	cfg.hdr_pool = s->hdr;
	cfg.seed = s->key;
	memset(&cfg.secrets, s->key, sizeof(cfg.secrets));
	CHECK(rnl_stack_create(&cfg, &st, &err) == 0, &err);
	index = rnl_port_add(st, port, &err);
	CHECK(index == 0, &err);
	CHECK(rnl_addr_add(st, 0, &addr, 24, &err) == 0, &err);
	return st;
}

static void make_port(struct rnl_port *port, const struct rnl_port_ops *ops, struct link_end *end,
                      uint8_t last)
{
	memset(port, 0, sizeof(*port));
	port->size = sizeof(*port);
	port->ops = ops;
	port->ctx = end;
	port->mac[0] = 2;
	port->mac[5] = last;
}

static void make_set(struct set *s, const char *name, uint8_t key)
{
	static const struct rnl_port_ops server_ops = {link_rx, link_tx, NULL};
	static const struct rnl_port_ops client_ops = {no_rx, link_tx, NULL};
	struct rnl_error err;
	struct rnl_port port;
	char ring[32];

	memset(s, 0, sizeof(*s));
	memset(&err, 0, sizeof(err));
	s->key = key;
	s->now_ns = key * 1000000000ull;
	CHECK(rnl_pools_create(name, 4096, -1, &s->pkt, &s->hdr, &err) == 0, &err);
	for (unsigned int i = 0; i < 2; i++) {
		snprintf(ring, sizeof(ring), "%s_%u", name, i);
		s->rings[i] = rte_ring_create(ring, RING_SIZE, -1, RING_F_SP_ENQ | RING_F_SC_DEQ);
		CHECK(s->rings[i] != NULL, &err);
	}
	s->ends[0].from = s->rings[0];
	s->ends[0].to = s->rings[1];
	s->ends[1].from = s->rings[1];
	s->ends[1].to = s->rings[0];
	make_port(&port, &server_ops, &s->ends[0], 1);
	s->server = make_stack(s, 0, &port, rnl_addr_v4(192, 0, 2, 1));
	make_port(&port, &client_ops, &s->ends[1], 2);
	s->client = make_stack(s, 1, &port, rnl_addr_v4(192, 0, 2, 2));
}

static void begin(struct set *s, const struct rnl_app_ops *server_ops,
                  const struct rnl_app_ops *client_ops)
{
	struct rnl_listen_config lcfg;
	struct rnl_connect_config ccfg;
	struct rnl_error err;
	rnl_listener_t listener;
	rnl_conn_t conn;

	memset(&err, 0, sizeof(err));
	memset(&lcfg, 0, sizeof(lcfg));
	lcfg.size = sizeof(lcfg);
	lcfg.port_first = 7;
	lcfg.ops = server_ops;
	CHECK(rnl_listen(s->server, &lcfg, &listener, &err) == 0, &err);
	memset(&ccfg, 0, sizeof(ccfg));
	ccfg.size = sizeof(ccfg);
	ccfg.raddr = rnl_addr_v4(192, 0, 2, 1);
	ccfg.rport = 7;
	ccfg.ops = client_ops;
	ccfg.ctx = s;
	/* The stack's clock must stand before anything is asked of it. */
	rnl_poll(s->client, s->now_ns);
	rnl_poll(s->server, s->now_ns);
	CHECK(rnl_connect(s->client, &ccfg, &conn) == 0, &err);
}

static void step(struct set *s)
{
	struct rte_mbuf *m[BURST];
	unsigned int n;
	uint16_t took;

	s->now_ns += STEP_NS;
	rnl_poll(s->server, s->now_ns);
	n = rte_ring_dequeue_burst(s->ends[1].from, (void **)m, BURST, NULL);
	took = rnl_input(s->client, 0, m, (uint16_t)n);
	for (unsigned int i = took; i < n; i++)
		rte_pktmbuf_free(m[i]); /* a loss, which TCP repairs */
	rnl_poll(s->client, s->now_ns);
}

static void end_set(struct set *s)
{
	void *m = NULL;

	rnl_stack_destroy(s->server);
	if (s->client != NULL)
		rnl_stack_destroy(s->client);
	for (unsigned int i = 0; i < 2; i++) {
		while (rte_ring_dequeue(s->rings[i], &m) == 0)
			rte_pktmbuf_free((struct rte_mbuf *)m);
		rte_ring_free(s->rings[i]);
	}
	/* Every buffer came back: nothing was lost, nothing taken from the other set. */
	if (rte_mempool_in_use_count(s->pkt) != 0 || rte_mempool_in_use_count(s->hdr) != 0)
		s->wrong = true;
	rnl_pools_free(s->pkt, s->hdr);
}

static int verdict(const char *name, bool ok)
{
	printf("%s: two/%s\n", ok ? "PASS" : "FAIL", name);
	return ok ? 0 : 1;
}

int main(int argc, char *argv[])
{
	static struct set a, b;
	struct rnl_app_ops server_ops, client_ops;
	int failed = 0;

	if (rte_eal_init(argc, argv) < 0)
		return EXIT_FAILURE;
	memset(&server_ops, 0, sizeof(server_ops));
	server_ops.size = sizeof(server_ops);
	server_ops.received = server_received;
	server_ops.writable = server_writable;
	server_ops.peer_closed = server_peer_closed;
	memset(&client_ops, 0, sizeof(client_ops));
	client_ops.size = sizeof(client_ops);
	client_ops.connected = client_connected;
	client_ops.writable = client_writable;
	client_ops.received = client_received;
	client_ops.peer_closed = client_peer_closed;
	client_ops.closed = client_closed;

	make_set(&a, "set_a", 0x5a);
	make_set(&b, "set_b", 0x03);
	begin(&a, &server_ops, &client_ops);
	begin(&b, &server_ops, &client_ops);
	/* Together until the first set is half done; then it goes, in the middle of its stream. */
	for (uint32_t i = 0; i < STEPS && a.echoed < BYTES / 2; i++) {
		step(&a);
		if (i % 3 == 0)
			step(&b);
	}
	failed +=
	    verdict("both-work", !a.wrong && !b.wrong && a.echoed >= BYTES / 2 && b.echoed > 0);
	failed += verdict("each-has-its-clock", rnl_now_ns(a.client) != rnl_now_ns(b.client));
	a.closed = false;
	rnl_stack_destroy(a.client);
	failed += verdict("destroyed-in-a-stream", a.closed && b.closed == false);
	a.wrong = false; /* closed said "destroyed", as it must */
	a.client = NULL;
	end_set(&a);
	failed += verdict("gave-everything-back", !a.wrong);
	for (uint32_t i = 0; i < STEPS && !b.closed; i++)
		step(&b);
	failed += verdict("the-other-finishes", b.closed && !b.wrong && b.echoed == BYTES);
	end_set(&b);
	failed += verdict("and-gives-everything-back", !b.wrong);
	rte_eal_cleanup();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
