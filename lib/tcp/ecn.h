/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection keeps for explicit congestion notification, idle or not. The records lie in an
 * array of their own, by the index of the connection's block: connections without ECN never touch
 * theirs, and no pool can be empty when a handshake has already promised feedback. Floor 3.
 * RFC 3168 6.1, RFC 9768 3.2.
 */
#ifndef RNL_TCP_ECN_H
#define RNL_TCP_ECN_H

#include <stdbool.h>
#include <stdint.h>

/* Byte counters, as bits of `ever` and `since`: in the order of an AccECN0 option. */
#define RNL_ECN_E0 1u
#define RNL_ECN_CE 2u
#define RNL_ECN_E1 4u

/* struct rnl_ecn.opt_in: AccECN options of the peer (RFC 9768 3.2.3.2.3, 3.2.3.2.4). */
enum rnl_ecn_opt_in {
	RNL_ECN_OPT_NONE,  /* none came yet: they are taken for stripped */
	RNL_ECN_OPT_TAKEN, /* they come through */
	RNL_ECN_OPT_BAD,   /* the first one was zeroed: ignored for good */
};

/** Counters of RFC 9768 3.2, 24 bits where the wire has 24; the names of the RFC. */
struct rnl_ecn {
	uint32_t r_cep; /* packets received with CE; AccECN begins at 5 */
	uint32_t s_cep; /* packets of ours that arrived with CE, as far as is known */
	uint32_t r_ceb : 24;
	uint32_t run : 3;      /* CE marks since the last ACK that was sent */
	uint32_t last_ce : 1;  /* the packet before had CE */
	uint32_t ack_due : 1;  /* the segment at hand wants an ACK of its own */
	uint32_t syn_ce : 1;   /* a SYN-ACK with CE is counted: no further one is */
	uint32_t hs : 1;       /* the next segment is the pure ACK of a SYN-ACK */
	uint32_t seen : 1;     /* a packet with ECT or CE was received */
	uint32_t r_e0b : 24;
	uint32_t ever : 3;     /* counters that ever changed */
	uint32_t since : 3;    /* counters that changed since the last option */
	uint32_t accurate : 1; /* AccECN; else RFC 3168 */
	uint32_t ect : 1;      /* new data is sent with ECT(0) */
	uint32_t r_e1b : 24;
	uint32_t syn_ip : 2;   /* ECN field of the latest SYN or SYN-ACK */
	uint32_t ignore : 1;   /* the peer's feedback means nothing */
	uint32_t echo : 1;     /* RFC 3168: ECE is sent; RFC 8257: DCTCP.CE */
	uint32_t cwr : 1;      /* RFC 3168: the next new data says CWR */
	uint32_t checked : 1;  /* the first feedback was tested for zero */
	uint32_t opt_off : 1;  /* our options seem to be blocked */
	uint32_t fell_back : 1; /* a SYN that did not ask was sent */
	uint32_t s_ceb : 24;
	uint32_t opt_in : 2;    /* enum rnl_ecn_opt_in */
	uint32_t cep_moved : 1; /* s_cep grew since the last option of the peer */
	uint32_t test_ack : 1;  /* the first ACK shall carry an option */
	uint32_t test_data : 1; /* and so shall the first data */
	uint32_t pending : 1;   /* our SYN asked; no answer yet */
	uint32_t first_opt : 1; /* our first data carried an option */
};

_Static_assert(sizeof(struct rnl_ecn) <= 24, "the byte budget of an idle connection");

/** What a busy connection keeps besides. */
struct rnl_ecn_work {
	uint32_t recover;   /* SND.NXT of the last response: none before it is passed */
	uint32_t delivered; /* rnl_work.rate.delivered when ACE was read last */
	uint32_t ack_bytes; /* octets that an ACK delivers on average, times 64 */
	uint32_t guessed;   /* CE octets that were told to congestion control without an option */
	uint32_t s_e0b, s_e1b; /* increments since the working set was made */
	uint32_t e0b, e1b;  /* their last fields */
	bool has_e0b, has_e1b;
	bool reduced; /* recover holds */
};

/* struct rnl_mini.ecn. In TIME-WAIT it is the ACE field alone. */
#define RNL_MINI_ECN_SYN 0x03u    /* ECN field of the latest SYN */
#define RNL_MINI_ECN_NO_ECT 0x04u /* a SYN or SYN-ACK without ECN went by (RFC 9768 3.1.5) */
#define RNL_MINI_ECN_NO_OPT 0x08u /* AccECN options may be what is dropped */

#endif /* RNL_TCP_ECN_H */
