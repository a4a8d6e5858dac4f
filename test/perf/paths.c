/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The paths that are counted. An operation is what happens to one connection; it is done for
 * [first, first + n) of them in the same polls.
 */
#include <string.h>

#include "perf.h"

#define FIN 0x01
#define SYN 0x02
#define PSH 0x08
#define ACK 0x10

#define BULK_SEGS 8u /* sent in one operation, acknowledged in pairs */
#define BULK_LEN (BULK_SEGS * PERF_MSS)
#define PULL_WINDOW (2 * BULK_LEN)

static struct perf_world *world(void *ctx)
{
	return ctx;
}

/* What all peers of the operation say next, everything received acknowledged. */
static void say(struct perf_world *w, uint16_t flags, uint32_t len)
{
	for (unsigned int i = 0; i < w->n; i++) {
		struct perf_peer *p = perf_nth(w, i);

		p->acked = p->ack;
		perf_peer_send(w, p, flags, len);
	}
}

/* ---- callbacks ---- */

static void remember(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct perf_world *w = world(ctx);
	struct rnl_conn_info info;

	if (rnl_conn_info(st, c, &info) == 0)
		w->peers[info.tuple.rport - PERF_PEER_PORT].conn = c;
}

static size_t consume(struct rnl_stack *st, rnl_conn_t c, void *ctx, const struct rnl_span *spans,
                      unsigned int n, size_t total)
{
	world(ctx)->told++;
	return total;
}

static size_t echo(struct rnl_stack *st, rnl_conn_t c, void *ctx, const struct rnl_span *spans,
                   unsigned int n, size_t total)
{
	for (unsigned int i = 0; i < n; i++)
		rnl_send(st, c, spans[i].data, spans[i].len);
	world(ctx)->told++;
	return total;
}

/* The client of `active`: one request when connected, done when it is answered. */
static void request(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	rnl_send(st, c, world(ctx)->message, PERF_MSG);
}

static size_t answered(struct rnl_stack *st, rnl_conn_t c, void *ctx, const struct rnl_span *spans,
                       unsigned int n, size_t total)
{
	world(ctx)->told++;
	rnl_close(st, c);
	return total;
}

static void close_too(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	rnl_close(st, c);
}

static void fired(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	world(ctx)->told++;
}

static void ended(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	struct perf_world *w = world(ctx);

	w->closed++;
	w->bad_end += reason != RNL_REASON_NORMAL;
}

static const struct rnl_app_ops quiet_ops = {
    .size = sizeof(struct rnl_app_ops),
    .accepted = remember,
    .received = consume,
    .timer = fired,
    .closed = ended,
};

static const struct rnl_app_ops echo_ops = {
    .size = sizeof(struct rnl_app_ops),
    .accepted = remember,
    .received = echo,
    .closed = ended,
};

/* Connections per second: nothing but what a server does. */
static const struct rnl_app_ops serve_ops = {
    .size = sizeof(struct rnl_app_ops),
    .received = echo,
    .peer_closed = close_too,
    .closed = ended,
};

static const struct rnl_app_ops client_ops = {
    .size = sizeof(struct rnl_app_ops),
    .connected = request,
    .received = answered,
    .closed = ended,
};

/* ---- receiving ---- */

static void op_idle(struct perf_world *w)
{
	perf_step(w, NULL);
}

static void op_rx_data(struct perf_world *w)
{
	say(w, ACK, PERF_MSS);
	perf_step(w, NULL);
}

static void act_send_message(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->n; i++)
		rnl_send(w->st, perf_nth(w, i)->conn, w->message, PERF_MSG);
}

static void op_rx_ack(struct perf_world *w)
{
	perf_step_free(w, act_send_message);
	say(w, ACK, 0);
	perf_step(w, NULL);
}

static void op_rr(struct perf_world *w)
{
	say(w, ACK | PSH, PERF_MSG);
	perf_step(w, NULL);
}

/* ---- sending in bulk: BULK_SEGS segments out, an ACK in for each two of them ---- */

static void ack_pairs(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->n; i++) {
		struct perf_peer *p = perf_nth(w, i);

		for (unsigned int k = 0; k < BULK_SEGS / 2 && p->acked != p->ack; k++) {
			p->acked += 2 * PERF_MSS;
			perf_peer_send(w, p, ACK, 0);
		}
	}
}

static void act_copy(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->n; i++)
		rnl_send(w->st, perf_nth(w, i)->conn, w->message, BULK_LEN);
}

static void op_tx_copy(struct perf_world *w)
{
	ack_pairs(w);
	perf_step(w, act_copy);
}

static void act_zc(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->n; i++)
		rnl_send_zc(w->st, perf_nth(w, i)->conn, w->message, BULK_LEN, NULL, NULL);
}

static void op_tx_zc(struct perf_world *w)
{
	ack_pairs(w);
	perf_step(w, act_zc);
}

static int produce(void *arg, uint64_t offset, void *dst, uint32_t len)
{
	memset(dst, 's', len);
	return 0;
}

static void act_pull(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->n; i++)
		rnl_send_pull(w->st, perf_nth(w, i)->conn, produce, NULL, UINT64_MAX, NULL);
}

/* The peers' window is what holds the sender: each ACK lets out as much as it took. */
static void start_pull(struct perf_world *w)
{
	for (unsigned int i = 0; i < PERF_CONNS; i++)
		w->peers[i].wnd = PULL_WINDOW >> PERF_WSCALE;
	say(w, ACK, 0);
	perf_step_free(w, act_pull);
	for (unsigned int round = 0; round < 32; round++) {
		ack_pairs(w);
		perf_step_free(w, NULL);
	}
}

static void op_tx_pull(struct perf_world *w)
{
	ack_pairs(w);
	perf_step(w, NULL);
}

/* ---- connecting and closing ---- */

static void op_passive(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->n; i++) {
		perf_nth(w, i)->dport = PERF_OWN_PORT;
		perf_peer_send(w, perf_nth(w, i), SYN, 0);
	}
	perf_step(w, NULL);
	say(w, ACK, 0);
	perf_step(w, NULL);
	say(w, ACK | PSH, PERF_MSG);
	perf_step(w, NULL);
	say(w, ACK | FIN, 0);
	perf_step(w, NULL);
	say(w, ACK, 0);
	perf_step(w, NULL);
}

static void act_connect(struct perf_world *w)
{
	for (unsigned int i = 0; i < w->n; i++) {
		struct perf_peer *p = perf_nth(w, i);
		struct rnl_connect_config cfg = {
		    .size = sizeof(cfg),
		    .raddr = rnl_addr_v4(10, 0, 0, 2),
		    .rport = (uint16_t)(PERF_PEER_PORT + (p - w->peers)),
		    .ops = &client_ops,
		    .ctx = w,
		    .opts = {.size = sizeof(struct rnl_conn_opts), .time_wait_ms = 1},
		};

		if (rnl_connect(w->st, &cfg, &p->conn) < 0)
			perf_die("active: rnl_connect");
	}
}

static void op_active(struct perf_world *w)
{
	perf_step(w, act_connect);
	say(w, SYN | ACK, 0);
	perf_step(w, NULL);
	say(w, ACK | PSH, PERF_MSG);
	perf_step(w, NULL);
	say(w, ACK | FIN, 0);
	perf_step(w, NULL);
}

/* ---- timers ---- */

static void arm(struct perf_world *w, uint64_t ms)
{
	for (unsigned int i = 0; i < w->n; i++)
		rnl_conn_timer(w->st, perf_nth(w, i)->conn, w->now_ns + ms * 1000000);
}

static void act_arm(struct perf_world *w)
{
	arm(w, 40);
}

static void act_closer(struct perf_world *w)
{
	arm(w, 30);
}

static void act_later(struct perf_world *w)
{
	arm(w, 60);
}

/* Armed, moved closer, postponed; fires for nothing at the old time, then for good. */
static void op_timer(struct perf_world *w)
{
	perf_step(w, act_arm);
	perf_step(w, act_closer);
	perf_step(w, act_later);
	w->now_ns += 32000000;
	perf_step(w, NULL);
	w->now_ns += 32000000;
	perf_step(w, NULL);
}

const struct perf_path perf_paths[] = {
    {.name = "idle", .text = "a poll that finds nothing", .ops = &quiet_ops, .op = op_idle},
    {.name = "rx_data",
     .text = "1448 octets arrive in order and are consumed; every second one is acknowledged",
     .ops = &quiet_ops,
     .op = op_rx_data,
     .told = 1},
    {.name = "rx_ack",
     .text = "an ACK of 64 octets in flight",
     .ops = &quiet_ops,
     .op = op_rx_ack,
     .sent_bytes = PERF_MSG},
    {.name = "rr",
     .text = "a request of 64 octets arrives, 64 octets are sent back",
     .ops = &echo_ops,
     .op = op_rr,
     .sent_bytes = PERF_MSG,
     .told = 1},
    {.name = "tx_copy",
     .text = "rnl_send() of 8 segments, 4 ACKs",
     .ops = &quiet_ops,
     .op = op_tx_copy,
     .sent_bytes = BULK_LEN},
    {.name = "tx_zc",
     .text = "rnl_send_zc() of 8 segments, 4 ACKs",
     .ops = &quiet_ops,
     .op = op_tx_zc,
     .sent_bytes = BULK_LEN},
    {.name = "tx_pull",
     .text = "4 ACKs let 8 segments of an endless pull out",
     .ops = &quiet_ops,
     .start = start_pull,
     .op = op_tx_pull,
     .sent_bytes = BULK_LEN},
    {.name = "passive",
     .text = "SYN, ACK, request, response, FIN of the peer, FIN, ACK",
     .ops = &serve_ops,
     .unconnected = true,
     .op = op_passive,
     .sent_bytes = PERF_MSG,
     .told = 1,
     .closed = 1},
    {.name = "active",
     .text = "rnl_connect(), request, response, own FIN first, TIME-WAIT and its end",
     .ops = &client_ops,
     .unconnected = true,
     .op = op_active,
     .sent_bytes = PERF_MSG,
     .told = 1,
     .closed = 1},
    {.name = "timer",
     .text = "a connection's timer: armed, moved closer, postponed, fired",
     .ops = &quiet_ops,
     .op = op_timer,
     .told = 1},
};
const unsigned int perf_paths_count = sizeof(perf_paths) / sizeof(perf_paths[0]);
