/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A parsed packet: host order, every length proved, family-neutral addresses. Nothing above floor 1
 * looks at header octets or checks a length again. Floor 1.
 */
#ifndef RNL_WIRE_SEG_H
#define RNL_WIRE_SEG_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"

/* Control bits in their header order (RFC 9293 3.1); AE of RFC 9768 is bit 8. */
#define RNL_TH_FIN 0x001u
#define RNL_TH_SYN 0x002u
#define RNL_TH_RST 0x004u
#define RNL_TH_PSH 0x008u
#define RNL_TH_ACK 0x010u
#define RNL_TH_URG 0x020u
#define RNL_TH_ECE 0x040u
#define RNL_TH_CWR 0x080u
#define RNL_TH_AE 0x100u
/* No bit of the header: the segment carries a user timeout option. So the predicted path, which
 * compares the flags, need not look at the options. */
#define RNL_SEG_UTO 0x8000u
#define RNL_TH_ACE (RNL_TH_AE | RNL_TH_CWR | RNL_TH_ECE) /* as one counter: RFC 9768 3.2.2 */
#define RNL_TH_CE 0x4000u /* no header bit: the packet came with congestion experienced (RFC 3168 5) */

/* The ECN field of the IP header (RFC 3168 5). */
#define RNL_IPECN_MASK 3u
#define RNL_IPECN_NOT_ECT 0u
#define RNL_IPECN_ECT1 1u
#define RNL_IPECN_ECT0 2u
#define RNL_IPECN_CE 3u

/* What struct rnl_tcpopt holds. */
#define RNL_OPT_MSS 0x0001u
#define RNL_OPT_WSCALE 0x0002u
#define RNL_OPT_SACK_OK 0x0004u
#define RNL_OPT_TS 0x0008u
#define RNL_OPT_SACK 0x0010u
#define RNL_OPT_TFO 0x0040u
#define RNL_OPT_UTO 0x0080u
#define RNL_OPT_ACCECN 0x0100u
#define RNL_OPT_BAD 0x8000u /* an impossible length ended the parse */

#define RNL_SACK_MAX 4
#define RNL_TFO_COOKIE_MAX 16 /* RFC 7413 2 */

struct rnl_sack {
	uint32_t left, right; /* [left, right) */
};

/** An AccECN option (RFC 9768 3.2.3): the first `fields` of its three counters, 24 bits each. */
struct rnl_accecn {
	uint8_t fields; /* 0 to 3 */
	bool order1;    /* kind 174: ECT(1), CE, ECT(0); else 172: ECT(0), CE, ECT(1) */
	uint32_t e0b, ceb, e1b;
};

/** TCP options of one segment; a field counts only when its bit is set in `has`. */
struct rnl_tcpopt {
	uint16_t has; /* RNL_OPT_* */
	uint8_t wscale;
	uint8_t nsack;
	uint16_t mss;
	uint16_t uto; /* as it stands: RFC 5482 3.3 */
	uint32_t tsval, tsecr;
	struct rnl_sack sack[RNL_SACK_MAX];
	struct rnl_accecn accecn;
	uint8_t tfo_len; /* octets of the Fast Open cookie; 0: it is asked for (RFC 7413 2) */
	uint8_t tfo[RNL_TFO_COOKIE_MAX];
};

/** Network header of one packet. */
struct rnl_ip {
	struct rnl_addr src, dst;
	uint16_t l4_off; /* from the mbuf's data start */
	uint16_t l4_len; /* octets after the IP header, trailer excluded */
	uint8_t version; /* 4 or 6 */
	uint8_t proto;   /* IPPROTO_* */
	uint8_t ttl;     /* or hop limit */
	uint8_t tos;     /* DSCP and ECN */
	bool fragment;   /* more fragments follow, or the offset is not 0 */
	bool router_alert; /* a hop-by-hop option asks every router to look (RFC 2711) */
	bool frag_header; /* an IPv6 fragment header stood in it, atomic or not */
};

/** One TCP segment. */
struct rnl_seg {
	struct rte_mbuf *m;
	struct rnl_tuple key; /* as seen from here: local is the destination */
	uint32_t hash;        /* of key, by the flow table */
	uint32_t seq, ack;
	uint32_t len;         /* payload octets */
	uint16_t off;         /* of the payload from the mbuf's data start */
	uint16_t wnd;         /* unscaled */
	uint16_t urp;         /* urgent pointer */
	uint16_t flags;       /* RNL_TH_*, RNL_TH_CE among them */
	uint8_t tos;
	uint8_t ttl;
	uint8_t port;         /* of the stack */
	struct rnl_tcpopt opt;
	/* What TCP finds out while it handles it; not set by the parser. */
	struct rnl_sack dup;  /* what of it had been received before; empty: nothing */
	bool answer;          /* it gets an ACK of its own */
};

#endif /* RNL_WIRE_SEG_H */
