/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct tcp_info as Linux 6.7 lays it out, which begins as every older one does: written out here,
 * because the header of the build machine may be older. The names are Linux's without tcpi_.
 */
#ifndef RNL_SEAM_SYS_TCPINFO_H
#define RNL_SEAM_SYS_TCPINFO_H

#include "runnel.h"

struct sys_tcp_info {
	uint8_t state, ca_state, retransmits, probes, backoff, options;
	uint8_t wscale; /* snd in the low half, rcv in the high one */
	uint8_t bits;   /* delivery_rate_app_limited, fastopen_client_fail: always 0 */
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_time;
};

/* Fills out from what runnel knows; what it does not know is 0. */
void rnl_sys_tcp_info(const struct rnl_conn_info *i, struct sys_tcp_info *out);

#endif /* RNL_SEAM_SYS_TCPINFO_H */
