/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What floor 3 offers: to the floor above, and its files to each other. Everything takes the core
 * and the connection; nothing calls upwards. A segment's packet (seg->m) is taken by whoever is said
 * to take it. Floor 3.
 */
#ifndef RNL_TCP_TCP_H
#define RNL_TCP_TCP_H

#include "tcp/core.h"

/* ---- conn.c: life of a connection block ---- */

/** Prepares a block from the pool: keeps gen, sets what is known before any segment. */
void rnl_tcb_init(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_tuple *key,
		  uint16_t policy, uint16_t nexthop);
/** Counts a transition of a block that rnl_tcb_set_state() does not change. */
void rnl_tcb_count_transition(struct rnl_core *core, enum rnl_state from, enum rnl_state to);
/** Changes the state and counts the transition. */
void rnl_tcb_set_state(struct rnl_core *core, struct rnl_tcb *tcb, enum rnl_state state);
/** @return the working set, made if the connection was idle; NULL: the pool is empty (counted). */
struct rnl_work *rnl_tcb_busy(struct rnl_core *core, struct rnl_tcb *tcb);
/** Makes the header template anew: what it says was agreed, or changed. There is a working set. */
void rnl_tcb_template(struct rnl_core *core, struct rnl_tcb *tcb);
/** Begins congestion control anew, with what the handshake found out. There is a working set. */
void rnl_tcb_start_cc(struct rnl_core *core, struct rnl_tcb *tcb);
/** Gives the working set back when nothing is queued, in flight or timed. */
void rnl_tcb_fold(struct rnl_core *core, struct rnl_tcb *tcb);
/** Frees whatever the working set holds, and the set. */
void rnl_tcb_drop_work(struct rnl_core *core, struct rnl_tcb *tcb);
/** The connection is over: freezes the reason, makes `closed` due. Queued received data stays for the
 * application only after an orderly end. */
void rnl_tcb_end(struct rnl_core *core, struct rnl_tcb *tcb, enum rnl_reason reason);
/** Sends RST when the state asks for one (RFC 9293 3.10.5), then ends it. */
void rnl_tcb_abort(struct rnl_core *core, struct rnl_tcb *tcb, enum rnl_reason reason);
/** Takes over what both ends said in their SYNs: MSS, window scale, timestamps, SACK. */
void rnl_tcb_negotiated(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_tcpopt *opt);
/** @return the MSS to offer: what the MTU and the options allow (RFC 9293 3.7.1). */
uint16_t rnl_tcb_offer_mss(struct rnl_core *core, const struct rnl_tuple *key, uint16_t nexthop,
			   const struct rnl_conn_opts *opts);
/** @return the window scale to offer for a receive buffer (RFC 7323 2.3). */
uint8_t rnl_tcb_offer_wscale(const struct rnl_conn_opts *opts);
/** @return RTO in force, us, backoff included. */
uint32_t rnl_tcb_rto(const struct rnl_core *core, const struct rnl_tcb *tcb);
/** Verifies every invariant of a connection. @return NULL, or which one is broken. */
const char *rnl_tcb_check(const struct rnl_core *core, const struct rnl_tcb *tcb);

/* ---- input.c, validate.c, ack.c, text.c: a segment arrives (what ack.c calls: tcp/acked.h) ---- */

/** Handles a segment for a connection (RFC 9293 3.10.7.3, 3.10.7.4). Takes seg->m. */
void rnl_tcp_input(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg);

/** Steps 1 to 4 and the acceptability of ACK: what is left of the segment lies in the window.
 * @return false: handled, go no further. */
bool rnl_validate(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg);
/** PAWS: @return whether the segment's timestamp is older than TS.Recent (RFC 7323 5). */
bool rnl_validate_paws_old(const struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** RFC 7323 4.3: takes TSval over when the segment covers Last.ACK.sent. */
void rnl_validate_ts_update(struct rnl_tcb *tcb, const struct rnl_seg *seg);

/** Step 5: takes the acknowledgement and the window. @return false: the connection ended. */
bool rnl_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** @return octets that are in the network as far as is known (RFC 6675 2, pipe). */
static inline uint32_t rnl_ack_inflight(const struct rnl_tcb *tcb)
{
	const struct rnl_work *w = tcb->work;
	uint32_t out = tcb->snd_nxt - tcb->snd_una;
	uint32_t gone =
	    w->sentq.sacked_bytes + w->sentq.lost_bytes + w->dup_acks * (uint32_t)tcb->snd_mss;

	return out > gone ? out - gone : 0;
}
/** Fills in what a sample says of the connection, without an acknowledgement. */
void rnl_ack_describe(const struct rnl_core *core, const struct rnl_tcb *tcb,
		      struct rnl_ack_sample *s);
/** (Re)starts the retransmission timer (RFC 6298 5). */
void rnl_ack_arm_rto(struct rnl_core *core, struct rnl_tcb *tcb);
/** Makes `writable` due when enough of the send buffer is free. */
void rnl_ack_maybe_writable(struct rnl_core *core, struct rnl_tcb *tcb);

/** Steps 7 and 8: payload and FIN. Sets seg->answer when the segment must be acknowledged by itself.
 * @return whether seg->m was taken. */
bool rnl_text(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg);
/** After in-order data: when the ACK goes out (RFC 9293 3.8.6.3). */
void rnl_text_schedule_ack(struct rnl_core *core, struct rnl_tcb *tcb, bool at_once);
/** The application consumed `len` octets of received data: the window may open. */
void rnl_text_consumed(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t len);

/* ---- tune.c: buffers that follow the path ---- */

/** Begins to measure: the working set is new, or the buffers' options changed. */
void rnl_tune_start(const struct rnl_core *core, struct rnl_tcb *tcb);
/** A window's worth of data came: the receive buffer may grow. */
void rnl_tune_received(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** @return octets that the receive buffer has in force. */
static inline uint32_t rnl_tune_rcvbuf(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	return tcb->work != NULL ? tcb->work->tune.rcvbuf
				 : rnl_core_policy(core, tcb)->opts.rcvbuf_bytes;
}
/** @return octets that the send buffer has in force: room for two congestion windows, so that an
 * application that refills it each round trip keeps the path full. */
static inline uint32_t rnl_tune_sndbuf(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	uint32_t want = tcb->work != NULL ? RTE_MIN(tcb->work->cc.cwnd_bytes, 1u << 30) * 2 : 0;

	return RTE_MAX(opts->sndbuf_bytes, RTE_MIN(want, opts->sndbuf_max_bytes));
}

/* ---- pressure.c: who gives way when received buffers run short ---- */

/** @return whether a segment out of order may be kept. May take memory from other connections. */
bool rnl_pressure_takes(struct rnl_core *core, const struct rnl_tcb *tcb);
/** Drops what other connections hold out of order beyond their share. @return whether there is room. */
bool rnl_pressure_reclaim(struct rnl_core *core, const struct rnl_tcb *asks);
/** The connection's window stays shut because there is no memory. */
void rnl_pressure_held_back(struct rnl_core *core, struct rnl_tcb *tcb);
/** @return whether windows that stayed shut may open. */
bool rnl_pressure_over(const struct rnl_core *core);
/** Lets some of them say so. */
void rnl_pressure_relieve(struct rnl_core *core);

/* ---- uto.c: user timeout option ---- */

/** @return the option's 16 bits for what a connection advertises; 0: it does not use the option. */
uint16_t rnl_uto_field(const struct rnl_conn_opts *opts);
/** @return one octet for the option's 16 bits, rounded up; 0: they say nothing. */
uint8_t rnl_uto_code(uint16_t field);
/** @return seconds of a code; 0: none. */
uint32_t rnl_uto_seconds(uint8_t code);
/** The peer advertised a user timeout. */
void rnl_uto_received(struct rnl_core *core, struct rnl_tcb *tcb, uint16_t field);
/** @return whether the peer's user timeout counts: it then stands in the place of R2 as well. */
bool rnl_uto_adopted(const struct rnl_core *core, const struct rnl_tcb *tcb);
/** @return the user timeout in force, ms; 0: none. */
uint32_t rnl_uto_timeout_ms(const struct rnl_core *core, const struct rnl_tcb *tcb);
/** Tells the peer ours, if the connection uses the option. */
void rnl_uto_announce(struct rnl_core *core, struct rnl_tcb *tcb);

/* ---- urgent.c ---- */

/** The segment has URG. */
void rnl_urgent_received(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** @return octets up to the urgent pointer that the application has not consumed. */
uint32_t rnl_urgent_pending(const struct rnl_tcb *tcb);
/** What was queued last is urgent. */
void rnl_urgent_queued(struct rnl_core *core, struct rnl_tcb *tcb);
/** @return URG, or 0, for a segment from `seq` on; RNL_F_URGENT goes when the end is acknowledged. */
uint16_t rnl_urgent_flag(struct rnl_tcb *tcb, uint32_t seq);
/** @return the urgent field of a segment from `seq` on. */
uint16_t rnl_urgent_pointer(const struct rnl_tcb *tcb, uint32_t seq);

/* ---- info.c: what is known of a connection ---- */

/** Fills *info. */
void rnl_tcb_info(const struct rnl_core *core, const struct rnl_tcb *tcb,
		  struct rnl_conn_info *info);
/** Before output: a pause that began with the last acknowledgement is over. */
void rnl_info_before_output(const struct rnl_core *core, struct rnl_tcb *tcb);
/** After output: what holds the sender now. */
void rnl_info_after_output(const struct rnl_core *core, struct rnl_tcb *tcb);

/* ---- ecn.c: only with RNL_F_ECN, but for the inlines ---- */

/** What ECN says of a segment that is about to leave. */
struct rnl_ecn_out {
	uint32_t len; /* in: payload octets */
	bool fresh;   /* in: new data inside the window */
	uint16_t flags;
	uint8_t tos;
};

/** Counts the marks of an acceptable segment; before its text is taken. */
void rnl_ecn_received(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** After its text: the ACK that RFC 9768 3.2.2.5.1 or RFC 8257 3.2 demands, unless it has gone. */
void rnl_ecn_answer(struct rnl_core *core, struct rnl_tcb *tcb);
/** Fills *out, and adds to *opt, which holds SACK blocks or nothing. The segment will be sent. */
void rnl_ecn_send(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_ecn_out *out,
		  struct rnl_tcpopt *opt);
/** @return octets that an option which is due takes from the next segment with data. */
uint32_t rnl_ecn_reserve(const struct rnl_core *core, const struct rnl_tcb *tcb);
/** @return whether a port with these caps may cut the next packet into segments. */
bool rnl_ecn_may_cut(const struct rnl_core *core, const struct rnl_tcb *tcb, uint32_t caps);
/** Reads what an acknowledgement says of marks into the sample; delivered is up to date. */
void rnl_ecn_acked(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg,
		   struct rnl_ack_sample *s);
/** Answers s->ece by congestion control, once for each round trip. */
void rnl_ecn_respond(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_ack_sample *s);
/** The congestion window was reduced, for whatever reason. */
void rnl_ecn_reduced(struct rnl_core *core, struct rnl_tcb *tcb);
/** Takes the counters of an AccECN option. @return octets newly reported with CE. */
uint32_t rnl_ecn_take_option(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** Counts the marks of a SYN-ACK. */
void rnl_ecn_syn_ack_counts(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** Sets s.cep, and what the predicted segment carries. */
void rnl_ecn_set_cep(struct rnl_tcb *tcb, struct rnl_ecn *e, uint32_t cep);
/** The option of a SYN-ACK: what all counters begin with. */
void rnl_ecn_first_option(struct rnl_tcpopt *opt);
/** Fills in what is known of ECN; nothing without RNL_F_ECN. */
void rnl_ecn_info(const struct rnl_core *core, const struct rnl_tcb *tcb,
		  struct rnl_conn_info *info);

/** rnl_ecn_reduced(), where it may matter. */
static inline void rnl_ecn_cwnd_reduced(struct rnl_core *core, struct rnl_tcb *tcb)
{
	if (unlikely(tcb->flags & RNL_F_ECN))
		rnl_ecn_reduced(core, tcb);
}

/* ---- ecn_open.c: any connection ---- */

/** An active open begins: whether it asks. */
void rnl_ecn_connect(struct rnl_core *core, struct rnl_tcb *tcb);
/** @return flags of our SYN, or of the SYN-ACK of a simultaneous open; may add an option. */
uint16_t rnl_ecn_syn(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_tcpopt *opt);
/** The peer's SYN or SYN-ACK came in SYN-SENT: the mode is settled. */
void rnl_ecn_answered(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** The SYN-ACK made it ESTABLISHED: the ACK goes now, or with the next output. */
void rnl_ecn_established(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** Sends the pure ACK of a SYN-ACK, AccECN (RFC 9768 3.2.2.1). @return false: no room or no buffer. */
bool rnl_ecn_ack_syn_ack(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** @return the ACE flags that reflect an ECN field (RFC 9768 3.1.1, 3.2.2.1). */
uint16_t rnl_ecn_reflected(unsigned int ip_ecn);
/** A SYN for a listener: what is agreed to. */
void rnl_ecn_offer(struct rnl_mini *mini, const struct rnl_conn_opts *opts,
		   const struct rnl_seg *seg);
/**
 * Which of RNL_MINI_ACCECN and RNL_MINI_ECN a handshake had of which nothing was kept: AccECN shows in
 * the final ACK's flags (RFC 9768 5.1), RFC 3168 does not: `remembered` has RNL_MINI_ECN if the cookie
 * says so. The SYN-ACK must have been rnl_ecn_mini()'s for what rnl_ecn_offer() agreed to.
 */
uint8_t rnl_ecn_of_final_ack(const struct rnl_conn_opts *opts, uint16_t flags, uint8_t remembered);
/** @return flags of a SYN-ACK or of an ACK of a mini block; may add an option. */
uint16_t rnl_ecn_mini(const struct rnl_mini *mini, bool syn, struct rnl_tcpopt *opt);
/** The SYN of a half-open connection came again. @return false: reset it (RFC 9768 3.1.5). */
bool rnl_ecn_syn_again(struct rnl_core *core, struct rnl_mini *mini, const struct rnl_seg *seg);
/** The SYN-ACK is about to be sent again: retries is up to date. */
void rnl_ecn_mini_expired(struct rnl_core *core, struct rnl_mini *mini);
/** The handshake is complete. */
void rnl_ecn_promote(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_mini *mini,
		     const struct rnl_seg *seg);
/** What ACKs from TIME-WAIT say. */
void rnl_ecn_timewait(const struct rnl_core *core, const struct rnl_tcb *tcb,
		      struct rnl_mini *mini);

/* ---- handshake.c, timewait.c (fastopen.c: tcp/fastopen.h) ---- */

/* DEVIATES RFC 9293 3.8.3: a SYN-ACK is given up after a minute, not three: half-open blocks are what
 * a flood fills. */
#define RNL_SYN_ACK_RETRIES 5

/** Begins an active open: SYN-SENT, SYN on the output list. @return false: no memory. */
bool rnl_handshake_connect(struct rnl_core *core, struct rnl_tcb *tcb);
/** A segment in SYN-SENT (RFC 9293 3.10.7.3). Takes seg->m. */
void rnl_handshake_syn_sent(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg);
/** A SYN for a listener: fills a mini block and sends SYN-ACK (RFC 9293 3.10.7.2). mini->gen stays. */
void rnl_handshake_syn(struct rnl_core *core, struct rnl_mini *mini, const struct rnl_seg *seg,
		       uint16_t policy, uint16_t nexthop);

/** What both SYNs say: fills everything of a mini block but numbers of our own and time. */
void rnl_handshake_offer(struct rnl_core *core, struct rnl_mini *mini, const struct rnl_seg *seg,
			 uint16_t policy, uint16_t nexthop);

/** What a segment did to a mini block. */
enum rnl_mini_verdict {
	RNL_MINI_KEEP,    /* nothing: the segment is done with */
	RNL_MINI_DROP,    /* free the block */
	RNL_MINI_PROMOTE, /* the handshake is complete: make a connection of it */
	RNL_MINI_RESTART, /* TIME-WAIT: free the block and treat the SYN as a new one */
};

/** A segment for a half-open connection. Does not take seg->m. */
enum rnl_mini_verdict rnl_handshake_mini(struct rnl_core *core, struct rnl_mini *mini,
					 const struct rnl_seg *seg);
/** Takes over what both SYNs say, by way of the mini block. */
void rnl_handshake_adopt(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_mini *mini);
/** Makes an ESTABLISHED connection of a half-open one; tcb was initialised with its key. */
void rnl_handshake_promote(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_mini *mini,
			   const struct rnl_seg *seg);
/**
 * Whether a mini block answers once more what is out of place. Two such blocks that face each other
 * (a forged SYN to each), or one and an end that disagrees, must not talk for ever (RFC 5961 7). A
 * half-open one gets its answers back with each retransmission of its SYN-ACK.
 */
static inline bool rnl_handshake_may_answer(struct rnl_mini *mini)
{
	return mini->answers < 4 && ++mini->answers > 0;
}
/** The timer of a half-open connection. @return false: given up, free the block. */
bool rnl_handshake_mini_expire(struct rnl_core *core, struct rnl_mini *mini);

/** Fills a mini block from a connection that enters TIME-WAIT, and arms 2 MSL. */
void rnl_timewait_init(struct rnl_core *core, struct rnl_mini *mini, const struct rnl_tcb *tcb);
/** Takes the block off the list of those in TIME-WAIT. */
void rnl_timewait_unlist(struct rnl_core *core, struct rnl_mini *mini);
/** A segment in TIME-WAIT (RFC 9293 3.10.7.4, RFC 6191, RFC 1337). Does not take seg->m. */
enum rnl_mini_verdict rnl_timewait_input(struct rnl_core *core, struct rnl_mini *mini,
					 const struct rnl_seg *seg);

/* ---- syncookie.c ---- */

/** Answers a SYN for a listener with a cookie: nothing is kept (RFC 4987 3.6). @return false: no room
 * or no buffer. */
bool rnl_syncookie_send(struct rnl_core *core, const struct rnl_seg *seg, uint16_t policy,
			uint16_t nexthop);

/** What an ACK for a listener that sent cookies is. */
enum rnl_syncookie {
	RNL_SYNCOOKIE_BAD,   /* no cookie of ours */
	RNL_SYNCOOKIE_EARLY, /* of a handshake that its first segment did not complete yet */
	RNL_SYNCOOKIE_GOOD,  /* it completes the handshake */
};

/** Looks for a cookie in an ACK. GOOD fills *out: what the half-open block would have been, but for
 * policy, next hop and listener. */
enum rnl_syncookie rnl_syncookie_check(struct rnl_core *core, const struct rnl_seg *seg,
				       uint16_t policy, struct rnl_mini *out);
/** New secrets of cookies (each 16 octets; NULL: stays): the old one is taken for one period more. */
void rnl_syncookie_rotate(struct rnl_core *core, const uint8_t *cookie);

/* ---- output.c, expire.c ---- */

/** Sends what may be sent now. @return false: a resource was missing, call again next iteration. */
bool rnl_tcp_output(struct rnl_core *core, struct rnl_tcb *tcb);
/** Sends one octet (or FIN) past a closed window, or again what is out already. @return false: not. */
bool rnl_output_probe(struct rnl_core *core, struct rnl_tcb *tcb);
/** Sends one segment more for a tail loss probe: new data if there is any and the window takes it, else
 * the last segment again (*retrans). @return false: not. */
bool rnl_output_tlp(struct rnl_core *core, struct rnl_tcb *tcb, bool *retrans);
/** The connection's timer fired: handles every deadline that passed, arms the next one. */
void rnl_tcp_expire(struct rnl_core *core, struct rnl_tcb *tcb);
/** Arms the timer for the earliest deadline: after options or the application's timer changed, and
 * when a connection is established. */
void rnl_tcp_rearm(struct rnl_core *core, struct rnl_tcb *tcb);

/* ---- pace.c: how fast ---- */

/** @return the rate that the congestion control or the options ask for, octets per second; 0: none.
 * There is a working set. */
uint64_t rnl_pace_rate(const struct rnl_core *core, const struct rnl_tcb *tcb);
/** Begins the next quantum if its time has come; takes over a new rate. */
void rnl_pace_open(struct rnl_core *core, struct rnl_tcb *tcb);
/** Something must wait until the pacer allows it: arms the timer. */
void rnl_pace_wait(struct rnl_core *core, struct rnl_tcb *tcb);
/** Whether the application has nothing to send while it might: before it gives more, an acknowledgement
 * is taken, or a timer sends. There is a working set. */
void rnl_pace_check_limited(struct rnl_tcb *tcb);
/** Before output looks at the pacer. */
static inline void rnl_pace_begin(struct rnl_core *core, struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;
	const struct rnl_work *w = tcb->work;

	if (unlikely((w->cc.pacing_bytes_per_s | opts->max_pacing_bytes_per_s | opts->pacing |
		      w->pacer.rate) != 0))
		rnl_pace_open(core, tcb);
}

/* ---- emit.c: segments without payload from sndbuf ---- */

/** Sends a segment without payload now; ACK is set. @return false: no room or no buffer. */
bool rnl_emit_ack(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t seq, uint16_t flags);
/** An ACK that must not wait: sent now, or with the next output when it cannot be. */
void rnl_emit_ack_now(struct rnl_core *core, struct rnl_tcb *tcb);
/** The ACK that a segment gets at once and for itself: says what of it was a duplicate (RFC 2883 4). */
void rnl_emit_answer(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_seg *seg);
/** @return whether the limits of challenge ACKs for a connection and for its peer's address leave one;
 * counts it either way (RFC 5961 7). */
bool rnl_emit_challenged(struct rnl_core *core, const struct rnl_tuple *key);
/** Answers a segment without octets that is not acceptable: rarely for each connection, so that two
 * ends that disagree do not talk for ever (RFC 5961 7). */
void rnl_emit_disagree(struct rnl_core *core, struct rnl_tcb *tcb);
/** A challenge ACK (RFC 5961), within the limits of its connection and of its peer's address. */
void rnl_emit_challenge(struct rnl_core *core, struct rnl_tcb *tcb);
/** An ACK with the user timeout option, now; not at all when there is no room: it is advice. */
void rnl_emit_uto(struct rnl_core *core, struct rnl_tcb *tcb);
/** SYN or SYN-ACK of a full block. */
bool rnl_emit_syn(struct rnl_core *core, struct rnl_tcb *tcb);
/** SYN-ACK, or an ACK without data, of a mini block. @return false: no room or no buffer. */
bool rnl_emit_mini(struct rnl_core *core, const struct rnl_mini *mini, bool syn);
/** RST that answers a segment of no connection (RFC 9293 3.10.7.1), within its limit. */
void rnl_emit_reset(struct rnl_core *core, const struct rnl_seg *seg, uint16_t nexthop);
/** RST of a connection, <SEQ=SND.NXT>. */
void rnl_emit_abort(struct rnl_core *core, struct rnl_tcb *tcb);
/** @return the right edge that the free receive buffer and the header's field allow. */
uint32_t rnl_emit_edge(const struct rnl_core *core, const struct rnl_tcb *tcb);
#define RNL_TX_FRESH 0x2000u /* no header bit: new data, inside the window */
/** Writes the headers of m (payload) from the template and queues it. There is room. flags may have
 * RNL_TX_FRESH. */
void rnl_emit_data(struct rnl_core *core, struct rnl_tcb *tcb, struct rte_mbuf *m, uint32_t seq,
		   uint16_t flags);
/** @return TSval of now (RFC 7323 4.1): 1 ms ticks. */
static inline uint32_t rnl_emit_tsval(const struct rnl_core *core, uint32_t ts_offset)
{
	return core->now_ms + ts_offset;
}

#endif /* RNL_TCP_TCP_H */
