/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery (RFC 4861) and MLDv2 reports (RFC 3810): read and write. Floor 1. */
#ifndef RNL_WIRE_ND_H
#define RNL_WIRE_ND_H

#include "base/counters.h"
#include "wire/icmp.h"
#include "wire/seg.h"

#define RNL_ND_MAXLEN 88      /* of a packet of rnl_nd_write(), IP header included */
#define RNL_ND_PREFIX_MAX 8   /* prefixes that are read of one advertisement; others are ignored */
#define RNL_ND_NONCE_LEN 6    /* RFC 3971 5.3.2: at least 6 octets */
#define RNL_ND_HOP_LIMIT 255

enum rnl_icmp6_type {
	RNL_ICMP6_ERROR_LAST = 127, /* errors are below (RFC 4443 2.1) */
	RNL_ICMP6_MLD_QUERY = 130,
	RNL_ICMP6_MLD_REPORT = 131,
	RNL_ICMP6_MLD_DONE = 132,
	RNL_ND_ROUTER_SOLICIT = 133,
	RNL_ND_ROUTER_ADVERT = 134,
	RNL_ND_SOLICIT = 135,
	RNL_ND_ADVERT = 136,
	RNL_ND_REDIRECT = 137,
	RNL_ICMP6_MLD2_REPORT = 143,
};

/** Prefix information (RFC 4861 4.6.2). */
struct rnl_nd_prefix {
	struct rnl_addr prefix; /* bits behind len are 0 */
	uint32_t valid_s, preferred_s; /* UINT32_MAX: for ever */
	uint8_t len;
	bool on_link, autonomous;
};

/** One message; members that its type does not have are 0. */
struct rnl_nd {
	uint8_t type; /* RNL_ND_* */
	bool router, solicited, override; /* of an advertisement */
	bool has_lladdr;
	uint8_t lladdr[6]; /* source or target link-layer address, as the type has it */
	bool has_nonce;
	uint8_t nonce[RNL_ND_NONCE_LEN];
	struct rnl_addr target;
	/* of a router's advertisement; 0: it does not say */
	uint8_t hop_limit;
	uint8_t nprefix;
	int8_t preference; /* RFC 4191 2.1: 1, 0, -1 */
	uint16_t lifetime_s;
	uint32_t reachable_ms, retrans_ms, mtu;
	struct rnl_nd_prefix prefix[RNL_ND_PREFIX_MAX];
};

/**
 * Reads a solicitation, an advertisement or a router's advertisement that rnl_icmp_parse() has read,
 * and applies every rule of RFC 4861 6.1.2, 7.1.1, 7.1.2 and RFC 6980 5.
 * @return RNL_C_ok, or the rule that it breaks; RNL_C_icmp_rx_other for another type.
 */
enum rnl_counter rnl_nd_parse(const struct rte_mbuf *m, const struct rnl_ip *ip,
			      const struct rnl_icmp *icmp, struct rnl_nd *out);
/**
 * Writes a whole IPv6 packet with a solicitation, an advertisement or a router solicitation, hop
 * limit 255, checksum filled, to dst (RNL_ND_MAXLEN octets). @return its length.
 */
uint16_t rnl_nd_write(uint8_t *dst, const struct rnl_nd *nd, const struct rnl_addr *from,
		      const struct rnl_addr *to);

#define RNL_MLD_GROUPS 60 /* in one report: it fits the smallest MTU */
/** Octets of a report of n groups, IP header and router alert included. */
#define RNL_MLD_LEN(n) (40u + 8 + 8 + 20u * (n))

/** A report of n groups, all of them in mode EXCLUDE {}: everything is wanted (RFC 3810 5.2). */
struct rnl_mld_report {
	const struct rnl_addr *groups;
	unsigned int n;  /* 1 to RNL_MLD_GROUPS */
	bool change;     /* CHANGE_TO_EXCLUDE_MODE instead of MODE_IS_EXCLUDE */
};
/** Writes a whole packet of RNL_MLD_LEN(n) octets, hop limit 1, router alert. @return its length. */
uint16_t rnl_mld_write(uint8_t *dst, const struct rnl_mld_report *r, const struct rnl_addr *from);
/** Writes an MLDv1 report for one group (RFC 2710 3), 72 octets. @return its length. */
uint16_t rnl_mld1_write(uint8_t *dst, const struct rnl_addr *group, const struct rnl_addr *from);

/* ---- addresses that ND speaks of ---- */

/** @return the solicited-node group, ff02::1:ff and its last 24 bits (RFC 4291 2.7.1). */
struct rnl_addr rnl_nd_solicited_node(const struct rnl_addr *addr);
/** Ethernet address of an IPv6 group (RFC 2464 7). */
void rnl_nd_group_mac(const struct rnl_addr *group, uint8_t mac[6]);
/** @return whether the address is of fe80::/10. */
static inline bool rnl_addr_is_link_local(const struct rnl_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/** ff02::1, ff02::2 and ff02::16 (RFC 3810 5.2.14). */
extern const struct rnl_addr rnl_nd_all_nodes, rnl_nd_all_routers, rnl_mld_all_routers;

#endif /* RNL_WIRE_ND_H */
