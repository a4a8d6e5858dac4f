/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP (RFC 792) and ICMPv6 (RFC 4443) messages: echo, and the quoted packet of errors. Floor 1. */
#ifndef RNL_WIRE_ICMP_H
#define RNL_WIRE_ICMP_H

#include "base/counters.h"
#include "wire/seg.h"

struct rnl_icmp {
	uint8_t type, code;
	bool echo_request;
	uint16_t off, len; /* of the whole message */
};

/** Reads and verifies (length, checksum) the message behind `ip`. @return RNL_C_ok, or RNL_C_icmp_rx_bad. */
enum rnl_counter rnl_icmp_parse(const struct rte_mbuf *m, const struct rnl_ip *ip,
				struct rnl_icmp *out);
/**
 * Makes `reply` (empty, unshared) the echo reply to the request: IP header from `ip`'s destination to
 * its source, identifier, sequence and data copied (RFC 792; RFC 1122 3.2.2.6: all data returned).
 * @return 0, or -1 when it does not fit into one buffer.
 */
int rnl_icmp_echo_reply(struct rte_mbuf *reply, const struct rte_mbuf *request,
			const struct rnl_ip *ip, const struct rnl_icmp *icmp, uint8_t ttl);

#endif /* RNL_WIRE_ICMP_H */
