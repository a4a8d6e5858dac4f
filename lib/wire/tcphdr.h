/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP header: parse into struct rnl_seg; write whole headers (handshake, RST) and, for established
 * connections, from a template. RFC 9293 3.1. Floor 1.
 */
#ifndef RNL_WIRE_TCPHDR_H
#define RNL_WIRE_TCPHDR_H

#include "base/counters.h"
#include "wire/seg.h"

#define RNL_TCP_HLEN 20

/**
 * Reads the TCP header behind `ip` (in a chain of any shape): proves the data offset, verifies
 * the checksum as the device's verdict demands (compared under RTE_MBUF_F_RX_L4_CKSUM_MASK:
 * GOOD and NONE accept, UNKNOWN and BAD verify in software), parses the options, and fills seg but
 * for hash and port.
 * @return RNL_C_ok, or the verdict. RNL_OPT_BAD is no verdict: the caller counts it.
 */
enum rnl_counter rnl_tcphdr_parse(struct rte_mbuf *m, const struct rnl_ip *ip, struct rnl_seg *seg);

/** Offloads to ask for: the port's RNL_CAP_TX_IPV4_CKSUM, RNL_CAP_TX_TCP_CKSUM, RNL_CAP_TX_TSO. */

/** A segment to be written whole. */
struct rnl_tcphdr_out {
	struct rnl_tuple key; /* local is the source */
	uint32_t seq, ack;
	uint16_t flags, wnd, urp;
	uint16_t ip_id;
	uint8_t ttl, tos;
	struct rnl_tcpopt opt;
};

/**
 * Prepends IP and TCP headers to m, whose data is the payload (its pkt_len; may be 0), and makes or
 * requests the checksums. m is unshared and has headroom for 100 octets plus a link header.
 * Requests stand on the packet as rte_mbuf.h wants them, but for l2_len, which stays 0 for whoever
 * writes the link header.
 */
void rnl_tcphdr_write(struct rte_mbuf *m, const struct rnl_tcphdr_out *h, uint32_t caps);

#define RNL_TMPL_MAXLEN 72 /* IPv6 40 + TCP 20 + timestamps 12 */

/**
 * Headers of an established connection, all but what changes from segment to segment. They stand at
 * the end of hdr, so that one copy of fixed size serves every kind of connection: it ends where the
 * payload begins, and what it writes in front of a shorter header is headroom.
 */
struct rnl_tmpl {
	uint8_t hdr[RNL_TMPL_MAXLEN]; /* IP, TCP, NOP NOP TS: the last `len` octets */
	uint8_t len;                  /* octets of hdr in use */
	uint8_t l3_len;               /* 20 or 40 */
	bool ts;                      /* carries timestamps */
	uint8_t pad;
	uint16_t pseudo_sum; /* folded sums: the pseudo header with length 0, */
	uint16_t tcp_sum;    /* the constant TCP words, */
	uint16_t ip_sum;     /* the constant IPv4 words */
};

/** What changes from segment to segment. */
struct rnl_tmpl_fields {
	uint32_t seq, ack;
	uint32_t tsval, tsecr;
	uint16_t flags, wnd;
	uint16_t ip_id;
	uint16_t tso_mss;      /* 0, or cut into segments of this many octets (RNL_CAP_TX_TSO) */
	const struct rnl_tcpopt *sack; /* NULL, or further options (SACK blocks) behind the timestamps */
};

void rnl_tmpl_init(struct rnl_tmpl *t, const struct rnl_tuple *key, bool ts, uint8_t ttl,
		   uint8_t tos);
/**
 * As rnl_tcphdr_write(), from the template. tos_ecn is or-ed into the traffic class (ECN bits).
 * Of f->sack as many blocks are written as fit (three beside timestamps, else four).
 */
void rnl_tmpl_write(const struct rnl_tmpl *t, struct rte_mbuf *m, const struct rnl_tmpl_fields *f,
		    uint8_t tos_ecn, uint32_t caps);

#endif /* RNL_WIRE_TCPHDR_H */
