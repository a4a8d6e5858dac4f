/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams: octets of pattern.h are made when they are sent, and checked when they come (--verify).
 * Sent octets count when they are acknowledged.
 * Floor: 6 (application).
 */
#include "lane.h"
#include "pattern.h"

static int produce(void *arg, uint64_t offset, void *dst, uint32_t len)
{
	rnl_pattern_fill(offset, dst, len);
	return 0;
}

void gen_bulk_ready(struct gen_conn *c)
{
	struct gen_lane *l = c->lane;

	if (l->opt->mode == GEN_RX)
		return;
	if (rnl_send_pull(l->st, c->h, produce, NULL, UINT64_MAX, NULL) != 0)
		gen_client_fail(c, GEN_FAIL_SEND);
}

void gen_bulk_look(struct gen_lane *l, uint64_t now)
{
	struct rnl_conn_info info;
	struct gen_conn *c;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; l->opt->mode != GEN_RX && i < l->nb_conns; i++) {
		c = &l->conns[i];
		if (c->state != GEN_CONN_READY || rnl_conn_info(l->st, c->h, &info) != 0)
			continue;
		sum += info.tcpi_bytes_acked - c->acked;
		c->acked = info.tcpi_bytes_acked;
	}
	GEN_STAT_ADD(l->stats.live_tx_bytes, sum);
	if (l->phase == GEN_MEASURE)
		GEN_STAT_ADD(l->stats.tx_bytes, sum);
}

static size_t bulk_received(struct rnl_stack *st, rnl_conn_t h, void *ctx,
                            const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct gen_conn *c = ctx;
	struct gen_lane *l = c->lane;
	unsigned int i;

	GEN_STAT_ADD(l->stats.live_rx_bytes, total);
	if (l->phase == GEN_MEASURE)
		GEN_STAT_ADD(l->stats.rx_bytes, total);
	for (i = 0; l->opt->verify && i < n; i++) {
		if (rnl_pattern_check(c->rx_pos, spans[i].data, spans[i].len) != spans[i].len) {
			gen_client_fail(c, GEN_FAIL_VERIFY);
			break;
		}
		c->rx_pos += spans[i].len;
	}
	return total;
}

const struct rnl_app_ops gen_bulk_ops = {
    .size = sizeof(gen_bulk_ops),
    .connected = gen_client_connected,
    .received = bulk_received,
    .peer_closed = gen_client_peer_closed,
    .closed = gen_client_closed,
};
