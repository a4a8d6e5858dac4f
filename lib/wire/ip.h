/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers: parse and write. Floor 1. */
#ifndef RNL_WIRE_IP_H
#define RNL_WIRE_IP_H

#include "base/counters.h"
#include "wire/seg.h"

#define RNL_IPPROTO_ICMP 1
#define RNL_IPPROTO_TCP 6
#define RNL_IPPROTO_ICMPV6 58

/**
 * Reads the IP header at l3_off (by its version nibble), proves every length, verifies the IPv4
 * checksum unless the device did, trims what follows the packet, and rejects sources that cannot be
 * (RFC 1122 3.2.1.3: broadcast, multicast, loopback, 0/8; RFC 4291 2.5.3, 2.7, and IPv4-mapped ones,
 * which would pass for IPv4 here). The unspecified IPv6 address is let through: neighbour discovery
 * needs it. IPv4 options and IPv6 hop-by-hop, routing and destination options are stepped over (at
 * most 8 headers), fragments are marked; an atomic fragment is none (RFC 6946).
 * @return RNL_C_ok, or the verdict.
 */
enum rnl_counter rnl_ip_parse(struct rte_mbuf *m, uint16_t l3_off, struct rnl_ip *out);

/** @return whether an IPv6 next-header value names an extension header that is stepped over. */
static inline bool rnl_ip_is_extension(uint8_t next)
{
	return next == 0 || next == 43 || next == 44 || next == 60;
}

/** @return octets of an IP header without options for this address's family: 20 or 40. */
static inline uint16_t rnl_ip_hlen(const struct rnl_addr *a)
{
	return rnl_addr_is_v4(a) ? 20 : 40;
}

/** Fields of a packet that is to be written. */
struct rnl_ip_out {
	const struct rnl_addr *src, *dst;
	uint16_t payload_len; /* octets after the IP header */
	uint16_t id;          /* IPv4 identification */
	uint8_t proto, ttl, tos;
};

/** Writes an IP header (20 or 40 octets), DF set, IPv4 checksum computed. @return its length. */
uint16_t rnl_ip_write(uint8_t *dst, const struct rnl_ip_out *ip);

/** @return the unfolded sum of the pseudo header for upper-layer length `len` (RFC 9293 3.1). */
uint32_t rnl_ip_pseudo_sum(const struct rnl_addr *src, const struct rnl_addr *dst, uint8_t proto,
			   uint32_t len);

/* Addresses that TCP may not talk to (RFC 9293 3.9.2.3): of either family, in wire/addr.c. */
bool rnl_addr_is_unspecified(const struct rnl_addr *a);
bool rnl_addr_is_multicast(const struct rnl_addr *a);
bool rnl_addr_is_limited_broadcast(const struct rnl_addr *a);
bool rnl_addr_is_loopback(const struct rnl_addr *a);
/** @return whether the first `len` bits agree (0-128; an IPv4 prefix counts from bit 96). */
bool rnl_addr_prefix_match(const struct rnl_addr *a, const struct rnl_addr *b, unsigned int len);

static inline bool rnl_addr_equal(const struct rnl_addr *a, const struct rnl_addr *b)
{
	return __builtin_memcmp(a, b, sizeof(*a)) == 0;
}

#endif /* RNL_WIRE_IP_H */
