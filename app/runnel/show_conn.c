/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything that is known of one connection: see show.h. Floor 6. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

#define F(field, unit)                                                                             \
	{                                                                                          \
#field, unit, offsetof(struct rnl_conn_info, field),                               \
		    sizeof(((struct rnl_conn_info *)0)->field)                                     \
	}

static const struct {
	const char *name, *unit;
	size_t off, size;
} fields[] = {
    F(tcpi_ca_state, "0 open, 3 recovery, 4 loss"),
    F(tcpi_retransmits, ""),
    F(tcpi_probes, ""),
    F(tcpi_backoff, ""),
    F(tcpi_options, "1 timestamps, 2 SACK, 4 window scale, 8 ECN, 16 ECN seen"),
    F(tcpi_snd_wscale, ""),
    F(tcpi_rcv_wscale, ""),
    F(tcpi_rto, "us"),
    F(tcpi_ato, "us"),
    F(tcpi_snd_mss, "octets"),
    F(tcpi_rcv_mss, "octets"),
    F(tcpi_unacked, "segments"),
    F(tcpi_sacked, "segments"),
    F(tcpi_lost, "segments"),
    F(tcpi_retrans, "segments"),
    F(tcpi_last_data_sent, "ms"),
    F(tcpi_last_data_recv, "ms"),
    F(tcpi_last_ack_recv, "ms"),
    F(tcpi_pmtu, "octets"),
    F(tcpi_rcv_ssthresh, "octets"),
    F(tcpi_rtt, "us"),
    F(tcpi_rttvar, "us"),
    F(tcpi_snd_ssthresh, "segments"),
    F(tcpi_snd_cwnd, "segments"),
    F(tcpi_advmss, "octets"),
    F(tcpi_rcv_rtt, "us"),
    F(tcpi_rcv_space, "octets"),
    F(tcpi_total_retrans, "segments"),
    F(tcpi_bytes_acked, "octets"),
    F(tcpi_bytes_received, "octets"),
    F(tcpi_segs_out, "segments"),
    F(tcpi_segs_in, "segments"),
    F(tcpi_notsent_bytes, "octets"),
    F(tcpi_min_rtt, "us"),
    F(tcpi_data_segs_in, "segments"),
    F(tcpi_data_segs_out, "segments"),
    F(tcpi_busy_time, "us"),
    F(tcpi_rwnd_limited, "us"),
    F(tcpi_sndbuf_limited, "us"),
    F(tcpi_delivered, "segments"),
    F(tcpi_bytes_sent, "octets"),
    F(tcpi_bytes_retrans, "octets"),
    F(tcpi_rcv_ooopack, "segments"),
    F(tcpi_snd_wnd, "octets"),
    F(tcpi_rcv_wnd, "octets"),
    F(tcpi_total_rto, ""),
    F(tcpi_total_rto_recoveries, ""),
    F(tcpi_ecn_mode, "0 none, 1 RFC 3168, 2 AccECN, 3 asked for"),
    F(tcpi_delivered_ce, "segments"),
    F(tcpi_received_ce, "segments"),
    F(tcpi_delivered_ce_bytes, "octets"),
    F(tcpi_delivered_e0_bytes, "octets"),
    F(tcpi_delivered_e1_bytes, "octets"),
    F(tcpi_received_ce_bytes, "octets"),
    F(tcpi_received_e0_bytes, "octets"),
    F(tcpi_received_e1_bytes, "octets"),
    F(unread_bytes, "octets"),
    F(ooo_bytes, "octets"),
    F(unacked_bytes, "octets"),
    F(urgent_bytes, "octets"),
    F(user_timeout_ms, "ms"),
    F(peer_uto_s, "s"),
    F(sndbuf_bytes, "octets"),
};

static uint64_t value(const struct rnl_conn_info *info, size_t off, size_t size)
{
	const uint8_t *p = (const uint8_t *)info + off;

	switch (size) {
	case 1:
		return *p;
	case 2:
		return *(const uint16_t *)(const void *)p;
	case 4:
		return *(const uint32_t *)(const void *)p;
	default:
		return *(const uint64_t *)(const void *)p;
	}
}

struct question {
	rnl_conn_t id;
	int answer;
	struct rnl_conn_info info;
};

static void ask(struct rnl_stack *st, void *arg)
{
	struct question *q = arg;

	q->answer = rnl_conn_info(st, q->id, &q->info);
}

static void print(const struct rnl_conn_info *info)
{
	char local[RNL_ADDR_STRLEN], remote[RNL_ADDR_STRLEN];
	size_t i;

	printf("%s port %u to %s port %u, %s, %s\n", rnl_addr_format(&info->tuple.laddr, local),
	       info->tuple.lport, rnl_addr_format(&info->tuple.raddr, remote), info->tuple.rport,
	       rnl_state_text(info->tcpi_state), info->cc);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		printf("  %-26s %12" PRIu64 " %s\n", fields[i].name,
		       value(info, fields[i].off, fields[i].size), fields[i].unit);
	if (info->soft_error != 0)
		printf("  soft error: %s\n", strerror(info->soft_error));
}

void rnl_show_conn_id(struct rnl_endpoint *e, const char *id)
{
	struct question q = {.answer = -ESTALE};
	unsigned int i;
	char *end;

	q.id = strtoull(id, &end, 16);
	if (*id == '\0' || *end != '\0') {
		printf("'%s' is no connection: give 'all', or an id from the first column of "
		       "'show conn'\n",
		       id);
		return;
	}
	for (i = 0; i < e->topo.nb_stacks && q.answer != 0; i++)
		if (rnl_endpoint_on_stack(e, i, ask, &q) != 0)
			printf("stack %u does not answer\n", i);
	if (q.answer != 0)
		printf("connection %s has ended\n", id);
	else
		print(&q.info);
}
