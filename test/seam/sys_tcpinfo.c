/* SPDX-License-Identifier: BSD-3-Clause */
/* From struct rnl_conn_info to Linux's struct tcp_info; the units are the same. */
#include <linux/tcp.h>
#include <stddef.h>

#include "sys_tcpinfo.h"

#define SAME_PLACE(name)                                                                           \
	_Static_assert(offsetof(struct sys_tcp_info, name) ==                                      \
	                   offsetof(struct tcp_info, tcpi_##name),                                 \
	               "struct tcp_info: " #name)
SAME_PLACE(options);
SAME_PLACE(rto);
SAME_PLACE(fackets);
SAME_PLACE(pmtu);
SAME_PLACE(reordering);
SAME_PLACE(total_retrans);
SAME_PLACE(pacing_rate);
SAME_PLACE(segs_out);
SAME_PLACE(data_segs_out);
SAME_PLACE(delivery_rate);
SAME_PLACE(delivered);
SAME_PLACE(bytes_sent);
SAME_PLACE(rcv_ooopack);
SAME_PLACE(snd_wnd);

/* Linux's threshold that is not yet known. */
#define SSTHRESH_INFINITE 0x7fffffff

void rnl_sys_tcp_info(const struct rnl_conn_info *i, struct sys_tcp_info *out)
{
	*out = (struct sys_tcp_info){
#define COPY(name) .name = i->tcpi_##name
	    COPY(state),
	    COPY(ca_state),
	    COPY(retransmits),
	    COPY(probes),
	    COPY(backoff),
	    COPY(options),
	    .wscale = (uint8_t)(i->tcpi_snd_wscale | i->tcpi_rcv_wscale << 4),
	    COPY(rto),
	    COPY(ato),
	    COPY(snd_mss),
	    COPY(rcv_mss),
	    COPY(unacked),
	    COPY(sacked),
	    COPY(lost),
	    COPY(retrans),
	    COPY(last_data_sent),
	    COPY(last_data_recv),
	    COPY(last_ack_recv),
	    COPY(pmtu),
	    COPY(rcv_ssthresh),
	    COPY(rtt),
	    COPY(rttvar),
	    .snd_ssthresh =
		i->tcpi_snd_ssthresh == UINT32_MAX ? SSTHRESH_INFINITE : i->tcpi_snd_ssthresh,
	    COPY(snd_cwnd),
	    COPY(advmss),
	    COPY(reordering),
	    COPY(rcv_rtt),
	    COPY(rcv_space),
	    COPY(total_retrans),
	    COPY(pacing_rate),
	    COPY(max_pacing_rate),
	    COPY(bytes_acked),
	    COPY(bytes_received),
	    COPY(segs_out),
	    COPY(segs_in),
	    COPY(notsent_bytes),
	    COPY(min_rtt),
	    COPY(data_segs_in),
	    COPY(data_segs_out),
	    COPY(busy_time),
	    COPY(rwnd_limited),
	    COPY(sndbuf_limited),
	    COPY(delivered),
	    COPY(bytes_sent),
	    COPY(bytes_retrans),
	    COPY(dsack_dups),
	    COPY(reord_seen),
	    COPY(rcv_ooopack),
	    COPY(snd_wnd),
	    COPY(rcv_wnd),
	    COPY(total_rto),
	    COPY(total_rto_recoveries),
#undef COPY
	};
}
