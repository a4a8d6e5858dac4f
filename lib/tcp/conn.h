/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection's memory, in three sizes:
 *   struct rnl_tcb  what every connection keeps, idle ones too: three cache lines;
 *   struct rnl_work what only a busy one needs (anything queued or in flight), from a worker pool;
 *   struct rnl_mini a half-open (SYN-RECEIVED) or TIME-WAIT connection.
 * State variables bear the names of RFC 9293 3.3.1. Floor 3.
 */
#ifndef RNL_TCP_CONN_H
#define RNL_TCP_CONN_H

#include <stddef.h>

#include "algo/cc.h"
#include "algo/pacer.h"
#include "algo/prr.h"
#include "algo/rack.h"
#include "algo/rate.h"
#include "algo/rcvq.h"
#include "algo/reasm.h"
#include "algo/rtt.h"
#include "algo/sentq.h"
#include "algo/sndbuf.h"
#include "base/wheel.h"
#include "runnel.h"
#include "tcp/ecn.h"
#include "wire/tcphdr.h"

#define RNL_CACHE_LINE 64

/* struct rnl_tcb.flags */
#define RNL_F_TS 0x00000001u          /* timestamps agreed */
#define RNL_F_WSCALE 0x00000002u      /* window scaling agreed */
#define RNL_F_PASSIVE 0x00000004u     /* began as a passive open (RFC 9293 3.5, MUST-11) */
#define RNL_F_TS_STALE 0x00000008u    /* TS.Recent is too old to compare with (RFC 7323 5.5) */
#define RNL_F_ACK_NOW 0x00000010u     /* an ACK must go out with the next output */
#define RNL_F_ACK_DELAYED 0x00000020u /* data waits for an ACK */
#define RNL_F_FIN_QUEUED 0x00000040u  /* the application is done sending: FIN follows the data */
#define RNL_F_FIN_SENT 0x00000080u    /* FIN has its sequence number: snd_nxt - 1 */
#define RNL_F_FIN_RCVD 0x00000100u    /* the peer's FIN was reached: rcv_nxt is behind it */
#define RNL_F_PATH 0x00002000u        /* core->paths has an entry for it: tcp/pmtu.h */
#define RNL_F_APP_CLOSED 0x00000200u  /* the application let go: no callback but `closed` */
#define RNL_F_SACK 0x00000400u        /* selective acknowledgements agreed */
#define RNL_F_WANT_WRITE 0x00000800u  /* a send took less than it was given */
#define RNL_F_RX_PAUSED 0x00001000u   /* the application left data; wait for more or resume */
#define RNL_F_ON_EVENTS 0x00004000u   /* stands on the event list */
#define RNL_F_ON_OUTPUT 0x00008000u   /* stands on the output list */
#define RNL_F_FORCE_SEND 0x00010000u  /* the persist timer overrides Nagle and SWS once */
#define RNL_F_RECOVERY 0x00020000u    /* fast recovery */
#define RNL_F_LOSS 0x00040000u        /* recovery after a retransmission timeout */
#define RNL_F_CWND_LIMITED 0x00080000u /* output was held by cwnd since the last ACK */
#define RNL_F_ECN 0x00100000u         /* ECN agreed on, or asked for: there is a struct rnl_ecn */
#define RNL_F_ZERO_WND 0x00200000u    /* the last window sent was smaller than a segment */
#define RNL_F_R1 0x00400000u          /* R1 was passed in this episode */
#define RNL_F_WND_UPDATE 0x00800000u  /* the pending ACK only opens the window */
#define RNL_F_RTX_NOW 0x01000000u     /* the next retransmission does not ask cwnd */
#define RNL_F_WND_HELD 0x40000000u   /* the window stays shut for want of memory */
#define RNL_F_SLEEPS 0x80000000u     /* no timer until the application has read */
#define RNL_F_URGENT 0x04000000u      /* SND.UP is ahead of SND.UNA */
#define RNL_F_DEAD 0x02000000u          /* left every table; the output stage frees the block */
/* The ACE field that the predicted segment carries (RFC 9768 3.2.2). With RFC 3168 it is 0; no segment
 * has all three bits while each must be looked at (RFC 8257 3.2). */
#define RNL_F_ACE 0x38000000u
#define RNL_F_ACE_SHIFT 27

/* struct rnl_tcb.events: what the application stage must tell */
#define RNL_EV_ACCEPTED 0x0001u
#define RNL_EV_CONNECTED 0x0002u
#define RNL_EV_RECEIVED 0x0004u
#define RNL_EV_WRITABLE 0x0008u
#define RNL_EV_EOF 0x0010u
#define RNL_EV_TIMER 0x0020u
#define RNL_EV_URGENT 0x0080u
#define RNL_EV_END 0x0040u /* `closed`, then the block is freed or shrinks to a mini block */

/* struct rnl_tcb.snd_bytes until our SYN is acknowledged: it stands in front of the stream's octet 0. */
#define RNL_BEFORE_STREAM UINT64_MAX

struct rnl_work;

struct rnl_tcb {
	/* line 0: found by, and the edges that every segment is compared with */
	struct rnl_tuple key;  /* must stay first: the flow table compares it */
	uint32_t gen : 24;     /* generation of the handle; survives reuse */
	uint32_t answered : 8; /* half second in which an unacceptable empty segment was answered */
	struct rnl_work *work; /* NULL while idle */
	uint32_t rcv_nxt;
	uint32_t snd_una;
	uint32_t snd_nxt;
	uint32_t rcv_adv; /* RCV.NXT + RCV.WND as last advertised: the right edge, never pulled back */

	/* line 1: receiving */
	uint32_t snd_wnd; /* scaled */
	uint32_t snd_wl1;
	uint32_t snd_wl2;
	uint32_t max_snd_wnd; /* largest window seen (RFC 5961 5.2, RFC 9293 3.8.6.2.1) */
	uint32_t ts_recent;   /* TS.Recent (RFC 7323 4.3) */
	uint32_t last_ack_sent; /* Last.ACK.sent; RCV.NXT of the last segment sent */
	uint32_t flags;         /* RNL_F_* */
	uint8_t state;          /* enum rnl_state */
	uint8_t wscale;         /* ours << 4 | the peer's */
	uint8_t events;         /* RNL_EV_* */
	uint8_t uto;            /* user timeout that the peer advertised, coded; 0: none (uto.c) */
	uint32_t next_event;    /* index of the next on the event list; links free blocks */
	uint32_t next_output;   /* index of the next on the output list */
	uint64_t rcv_bytes;     /* in-order payload octets received */
	void *ctx;              /* the application's */
	uint32_t last_rx_ms;    /* time of the last acceptable segment */
	uint16_t snd_mss;       /* payload octets that fit a segment, options deducted (Eff.snd.MSS) */
	uint16_t policy;        /* index of its struct rnl_policy */

	/* line 2: sending, timers, cold */
	uint64_t snd_bytes;     /* payload octets acknowledged: stream offset of snd_una */
	struct rnl_rtt rtt;
	struct rnl_wnode timer; /* one node for all timers, re-armed lazily */
	uint32_t ts_offset;
	uint32_t app_timer_ms;  /* the application's timer; FIN-WAIT-2's after it closed. 0: off */
	uint16_t nexthop;
	uint8_t backoff;        /* retransmissions or probes of the head without an answer */
	uint8_t probes;         /* keepalive probes without an answer */
	uint8_t reason : 6;     /* enum rnl_reason once EV_END is set */
	uint8_t syn_data : 1;   /* data on a SYN was acknowledged (RFC 7413) */
	uint8_t syn_lost : 1;   /* the SYN was retransmitted (RFC 6298 5.7) */
	uint8_t soft_error : 7; /* errno, 0: none */
	uint8_t eof_told : 1;   /* `peer_closed` was called */
	uint16_t rcv_mss;       /* largest segment of the peer so far: what "full-sized" means */
	struct rnl_cc_folded folded;
};

_Static_assert(offsetof(struct rnl_tcb, key) == 0, "the flow table compares the key");
_Static_assert(offsetof(struct rnl_tcb, snd_wnd) == 1 * RNL_CACHE_LINE, "line 1");
_Static_assert(offsetof(struct rnl_tcb, snd_bytes) == 2 * RNL_CACHE_LINE, "line 2");
_Static_assert(sizeof(struct rnl_tcb) == 3 * RNL_CACHE_LINE, "three lines");

/** What tcp_info tells beyond what TCP needs; lost with the working set. */
struct rnl_meter {
	uint64_t bytes_sent;
	uint64_t bytes_retrans;
	uint32_t segs_in, segs_out;
	uint32_t data_segs_in, data_segs_out;
	uint32_t ooo_segs;
	uint32_t last_data_rx_ms;
	uint16_t rtos, rto_episodes;
	uint8_t chrono;          /* enum rnl_chrono: what time is spent with since chrono_us */
	uint64_t chrono_us;
	uint64_t chrono_sum[3]; /* us, by enum rnl_chrono - 1 */
};

/** What a sender spends its time with. */
enum rnl_chrono {
	RNL_CHRONO_NONE,   /* nothing queued or in flight */
	RNL_CHRONO_BUSY,   /* sending, or waiting for acknowledgements or congestion window */
	RNL_CHRONO_RWND,   /* the peer's window takes no more */
	RNL_CHRONO_SNDBUF, /* everything is sent, and the application waits for room */
};

/** Receive-buffer tuning: one measure for each window of data (tune.c). */
struct rnl_tune {
	uint32_t rcvbuf;  /* receive buffer in force, octets */
	uint32_t mark;    /* sequence number at which the measure ends */
	uint64_t since_us;
	uint64_t bytes;   /* rcv_bytes then, less what was unread */
	uint32_t rtt_us;  /* smoothed; 0: no sample */
	uint32_t space;   /* most octets that were consumed in one round trip */
};

struct rnl_work {
	/* what an ACK touches */
	struct rnl_sentq sentq;
	struct rnl_sndbuf snd;
	uint64_t rto_at_us;    /* retransmission or persist timer, 0: off */
	uint64_t loss_at_us;   /* RACK's reordering timer or the tail loss probe's, 0: off */
	uint64_t delack_at_us; /* delayed-ACK timer, 0: off */
	struct rnl_rate rate;  /* what was delivered, and how fast */
	uint64_t unacked_us;   /* since when the head has been unacknowledged, for the user timeout */
	uint64_t last_send_us; /* last segment with payload, for the restart after idle */
	struct rnl_min_rtt min_rtt;
	struct rnl_rack rack;
	struct rnl_prr prr;
	uint32_t recover;      /* SND.NXT when recovery began (RFC 6582, RFC 6675 RecoveryPoint) */
	uint32_t undo_una;     /* SND.UNA then */
	uint32_t undo_bytes;   /* octets sent again since then that have not arrived twice */
	uint32_t undo_tsval;   /* TSval of the first retransmission since then */
	uint32_t tlp_end;      /* TLP.end_seq, while tlp_out */
	uint32_t reordering_bytes; /* farthest that a segment came late, octets */
	uint32_t reord_seen;   /* how often one did */
	uint32_t dsacks;       /* D-SACKs received */
	uint32_t dup_acks;     /* duplicate ACKs: segments known to have left the network */
	uint32_t total_retrans; /* segments, for tcpi_total_retrans */
	uint32_t index;        /* own index in the pool */
	struct rnl_ecn_work ecn;
	uint32_t tfo_listener; /* Fast Open, SYN-RECEIVED: whose limit it counts against; 0: none */
	const struct rnl_cc_ops *ccops;
	struct rnl_cc cc;
	struct rnl_pacer pacer;
	uint64_t pace_at_us;   /* when what waits for the pacer may go on, 0: nothing waits */
	struct rnl_tmpl tmpl;
	/* what received data touches */
	struct rnl_rcvq rcvq;
	struct rnl_reasm reasm;
	uint64_t rcv_up; /* RCV.UP as an offset in the stream; 0: none */
	uint64_t snd_up; /* SND.UP likewise */
	struct rnl_tune tune;
	struct rnl_meter meter;
	uint32_t peer_fin; /* sequence number of a FIN that arrived out of order */
	bool peer_fin_seen;
	uint8_t tfo;  /* RNL_TFO_* */
	bool persist; /* rto_at_us is the persist timer */
	bool loss_is_pto;  /* loss_at_us is the tail loss probe's */
	bool tlp_out;      /* a probe was sent and not acknowledged */
	bool tlp_retrans;  /* it repeated a segment (TLP.is_retrans) */
	bool tlp_rtt_seen; /* a round trip was measured since the last probe */
	bool undo;         /* the last response can be taken back */
	bool undo_stamped; /* undo_tsval holds */
	bool undo_acked;   /* RFC 3522: the acknowledgement that tells has come */
	uint32_t next_free;
};

/* struct rnl_mini.flags */
#define RNL_MINI_TS 0x01u
#define RNL_MINI_WSCALE 0x02u
#define RNL_MINI_SACK_OK 0x04u
#define RNL_MINI_ECN 0x08u    /* RFC 3168 */
#define RNL_MINI_ACCECN 0x10u /* RFC 9768 */
#define RNL_MINI_TFO 0x20u    /* the next SYN-ACK brings a Fast Open cookie (RFC 7413 4.2.1) */
#define RNL_MINI_COOKIE 0x80u /* made of a SYN cookie: nobody knows when the SYN-ACK was sent */

struct rnl_mini {
	struct rnl_tuple key;   /* must stay first: the flow table compares it */
	uint32_t gen;
	uint8_t state;          /* RNL_SYN_RECEIVED or RNL_TIME_WAIT */
	uint8_t flags;          /* RNL_MINI_* */
	uint8_t wscale;         /* ours << 4 | the peer's */
	uint8_t retries;        /* SYN-ACK retransmissions so far */
	uint32_t snd_nxt;       /* SYN-RECEIVED: ISS + 1 */
	uint32_t rcv_nxt;       /* SYN-RECEIVED: IRS + 1 */
	uint32_t ts_recent;
	uint32_t ts_offset;
	uint32_t sent_us;       /* low 32 bits of when the SYN-ACK was first sent */
	uint32_t next_free;
	uint8_t uto;            /* as in struct rnl_tcb */
	uint8_t answers;        /* answers to what is out of place; see rnl_handshake_may_answer() */
	uint8_t ecn;            /* RNL_MINI_ECN_* */
	struct rnl_wnode timer;
	uint16_t peer_mss;
	uint16_t policy;
	uint16_t nexthop;
	uint16_t wnd;           /* SYN-RECEIVED: window of the SYN. TIME-WAIT: the window we offer */
	uint32_t listener;      /* SYN-RECEIVED: whose backlog it counts against */
	uint32_t older, newer;  /* TIME-WAIT: list by entry */
};

_Static_assert(offsetof(struct rnl_mini, key) == 0, "the flow table compares the key");
_Static_assert(sizeof(struct rnl_mini) <= 112, "a mini block is small");

static inline uint8_t rnl_wscale_pack(uint8_t ours, uint8_t theirs)
{
	return (uint8_t)(ours << 4 | theirs);
}

static inline uint8_t rnl_wscale_ours(uint8_t w)
{
	return w >> 4;
}

static inline uint8_t rnl_wscale_theirs(uint8_t w)
{
	return w & 15;
}

#endif /* RNL_TCP_CONN_H */
