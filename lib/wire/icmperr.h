/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP and ICMPv6 errors about a TCP segment that was sent: what they say, in terms of both families,
 * and of which connection the quoted headers are. Nothing in them is proved: anybody can send one.
 * Floor 1. RFC 792, RFC 4443, RFC 1191, RFC 8201.
 */
#ifndef RNL_WIRE_ICMPERR_H
#define RNL_WIRE_ICMPERR_H

#include "wire/icmp.h"

enum rnl_icmp_kind {
	RNL_ICMP_SOFT,    /* RFC 9293 3.9.2.2: may pass by itself */
	RNL_ICMP_HARD,    /* RFC 9293 3.9.2.2: the host or the network will not have it */
	RNL_ICMP_TOO_BIG, /* RFC 1191 4, RFC 4443 3.2 */
};

struct rnl_icmp_error {
	struct rnl_tuple key; /* of the quoted segment, as seen from who sent it: from here */
	uint32_t seq;         /* its sequence number */
	uint32_t mtu;         /* TOO_BIG: next hop's, octets; 0: an old router did not say */
	uint16_t size;        /* TOO_BIG: the quoted packet's length, octets */
	uint8_t kind;         /* enum rnl_icmp_kind */
	uint8_t err;          /* as errno */
};

/** @return whether a message of this type reports an error: one that rnl_icmp_error_parse() reads. */
bool rnl_icmp_is_error(const struct rnl_ip *ip, const struct rnl_icmp *icmp);
/**
 * Reads what an error message quotes: an IP header of the same family, extension headers of IPv6 stepped
 * over, and 8 octets of TCP at least (RFC 792; RFC 4443 gives more).
 * @return RNL_C_ok, or why it says nothing to TCP.
 */
enum rnl_counter rnl_icmp_error_parse(const struct rte_mbuf *m, const struct rnl_ip *ip,
				      const struct rnl_icmp *icmp, struct rnl_icmp_error *out);

#endif /* RNL_WIRE_ICMPERR_H */
