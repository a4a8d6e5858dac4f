/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An appliance that embeds runnel: its own EAL, its own loop, one stack on one device. It is
 * written in what C11 and C++17 have in common, and compiled as both.
 *
 * Port 7 echoes (RFC 862). Port 80 answers an HTTP request with the request itself, for curl.
 * Usage: echo EAL-ARGUMENTS -- ADDRESS PREFIX-LENGTH
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <rte_eal.h>

#include <runnel.h>

#define PKT_BUFFERS 8192
#define MAX_CONNS 1024

static volatile sig_atomic_t ended;

static void on_signal(int signum)
{
	ended = signum;
}

static int fail(const char *what, const struct rnl_error *err)
{
	fprintf(stderr, "echo: %s: %s\n", what, err->text);
	return EXIT_FAILURE;
}

/* ---- port 7 --------------------------------------------------------------------------------- */

/* What does not fit into the send buffer stays unread: the peer's window closes. */
static size_t echo_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
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

static void echo_writable(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	(void)ctx;
	rnl_receive_resume(st, c);
}

static void echo_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	(void)ctx;
	rnl_close(st, c);
}

static void echo_ops(struct rnl_app_ops *ops)
{
	memset(ops, 0, sizeof(*ops));
	ops->size = sizeof(*ops);
	ops->received = echo_received;
	ops->writable = echo_writable;
	ops->peer_closed = echo_peer_closed;
}

/* ---- port 80 -------------------------------------------------------------------------------- */

/* One request per connection, ended by an empty line; it is short, so it fits into the buffer. */
static size_t http_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                            const struct rnl_span *spans, unsigned int n, size_t total)
{
	static const char head[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n";
	const char *tail = (const char *)spans[n - 1].data + spans[n - 1].len;

	if (spans[n - 1].len < 4 || memcmp(tail - 4, "\r\n\r\n", 4) != 0)
		return 0; /* the rest comes with the next segment */
	rnl_send(st, c, head, sizeof(head) - 1);
	echo_received(st, c, ctx, spans, n, total);
	rnl_shutdown(st, c);
	return total;
}

static void http_ops(struct rnl_app_ops *ops)
{
	memset(ops, 0, sizeof(*ops));
	ops->size = sizeof(*ops);
	ops->received = http_received;
	ops->peer_closed = echo_peer_closed;
}

/* ---- set-up --------------------------------------------------------------------------------- */

static int listen_on(struct rnl_stack *st, uint16_t port, const struct rnl_app_ops *ops,
                     struct rnl_error *err)
{
	struct rnl_listen_config cfg;
	rnl_listener_t listener;

	memset(&cfg, 0, sizeof(cfg));
	cfg.size = sizeof(cfg);
	cfg.port_first = port;
	cfg.ops = ops;
	return rnl_listen(st, &cfg, &listener, err);
}

static int make_stack(struct rte_mempool *pkt, struct rte_mempool *hdr, struct rnl_stack **st,
                      struct rnl_error *err)
{
	struct rnl_stack_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.size = sizeof(cfg);
	cfg.socket_id = -1;
	cfg.max_conns = MAX_CONNS;
	cfg.pkt_pool = pkt;
	cfg.hdr_pool = hdr;
	if (getrandom(&cfg.secrets, sizeof(cfg.secrets), 0) != (ssize_t)sizeof(cfg.secrets) ||
	    getrandom(&cfg.seed, sizeof(cfg.seed), 0) != (ssize_t)sizeof(cfg.seed)) {
		snprintf(err->text, sizeof(err->text), "getrandom failed");
		return -1;
	}
	return rnl_stack_create(&cfg, st, err);
}

static int attach(struct rnl_stack *st, struct rnl_dev *dev, char *argv[], struct rnl_error *err)
{
	struct rnl_addr addr;
	struct rnl_port port;
	int index;

	if (rnl_addr_parse(argv[1], &addr) != 0) {
		snprintf(err->text, sizeof(err->text), "%s is not an address", argv[1]);
		return -1;
	}
	memset(&port, 0, sizeof(port));
	port.size = sizeof(port);
	if (rnl_dev_queue(dev, 0, &port) != 0) {
		snprintf(err->text, sizeof(err->text), "the device has no queue 0");
		return -1;
	}
	index = rnl_port_add(st, &port, err);
	if (index < 0)
		return index;
	return rnl_addr_add(st, (unsigned int)index, &addr, (unsigned int)atoi(argv[2]), err);
}

static int serve(struct rnl_stack *st, struct rnl_dev *dev, char *argv[], struct rnl_error *err)
{
	struct rnl_app_ops echo, http;

	echo_ops(&echo);
	http_ops(&http);
	if (attach(st, dev, argv, err) != 0 || listen_on(st, 7, &echo, err) != 0 ||
	    listen_on(st, 80, &http, err) != 0)
		return fail("set-up", err);
	printf("serving on %s\n", argv[1]);
	fflush(stdout);
	while (!ended)
		rnl_poll(st, rnl_clock_ns());
	/* The callback tables live on this function's stack: nothing may call them afterwards. */
	rnl_stack_destroy(st);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	struct rnl_error err;
	struct rnl_dev_config dev_cfg;
	struct rnl_dev *dev = NULL;
	struct rte_mempool *pkt = NULL, *hdr = NULL;
	struct rnl_stack *st = NULL;
	int used, rc;

	used = rte_eal_init(argc, argv);
	if (used < 0 || argc - used != 3) {
		fprintf(stderr, "usage: echo EAL-ARGUMENTS -- ADDRESS PREFIX-LENGTH\n");
		return EXIT_FAILURE;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (rnl_version() != RNL_VERSION)
		fprintf(stderr, "echo: header and library differ in version\n");

	memset(&dev_cfg, 0, sizeof(dev_cfg));
	dev_cfg.size = sizeof(dev_cfg);
	if (rnl_dev_open(&dev_cfg, &dev, &err) != 0)
		return fail("device", &err);
	if (rnl_pools_create("echo", PKT_BUFFERS, -1, &pkt, &hdr, &err) != 0)
		return fail("pools", &err);
	if (make_stack(pkt, hdr, &st, &err) != 0)
		return fail("stack", &err);
	rc = serve(st, dev, argv + used, &err);
	rnl_dev_close(dev);
	rnl_pools_free(pkt, hdr);
	rte_eal_cleanup();
	return rc;
}
