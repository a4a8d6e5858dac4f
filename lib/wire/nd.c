/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbour discovery messages: a total parser that says which rule a message breaks, and the
 * writer. Options are read up to the first impossible one, which makes the whole message bad;
 * unknown ones are stepped over.
 * Refuses: state, what a message means, redirects, what routers hear.
 * Floor 1. RFC 4861 4, 6.1.2, 7.1; RFC 6980 5; RFC 7527 3 (nonce); RFC 4191 2.2; RFC 2464.
 */
#include "wire/nd.h"

#include <string.h>

#include <rte_mbuf.h>

#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/octets.h"

#define V6_HLEN 40
#define TARGET_LEN 24 /* of a solicitation or an advertisement without options */
#define ADVERT_LEN 16 /* of a router's advertisement without options */
#define RS_LEN 8

#define FLAG_ROUTER 0x80
#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE 0x20

enum option {
	OPT_SOURCE_LLADDR = 1,
	OPT_TARGET_LLADDR = 2,
	OPT_PREFIX = 3,
	OPT_MTU = 5,
	OPT_NONCE = 14,
};

const struct rnl_addr rnl_nd_all_nodes = {.b = {0xff, 2, [15] = 1}};
const struct rnl_addr rnl_nd_all_routers = {.b = {0xff, 2, [15] = 2}};
const struct rnl_addr rnl_mld_all_routers = {.b = {0xff, 2, [15] = 22}};

struct rnl_addr rnl_nd_solicited_node(const struct rnl_addr *addr)
{
	struct rnl_addr a = {.b = {0xff, 2, [11] = 1, [12] = 0xff}};

	memcpy(a.b + 13, addr->b + 13, 3);
	return a;
}

void rnl_nd_group_mac(const struct rnl_addr *group, uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group->b + 12, 4);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void read_prefix(const uint8_t *o, struct rnl_nd *nd)
{
	struct rnl_nd_prefix *p = &nd->prefix[nd->nprefix];
	unsigned int i;

	if (nd->nprefix == RNL_ND_PREFIX_MAX || o[2] > 128)
		return;
	*p = (struct rnl_nd_prefix){
	    .len = o[2],
	    .on_link = o[3] & 0x80,
	    .autonomous = o[3] & 0x40,
	    .valid_s = rnl_get32(o + 4),
	    .preferred_s = rnl_get32(o + 8),
	};
	memcpy(p->prefix.b, o + 16, 16);
	/* RFC 4861 4.6.2: the bits behind the length are to be ignored. */
	for (i = 0; i < 16; i++) {
		const unsigned int keep = p->len > 8 * i ? p->len - 8 * i : 0;

		if (keep < 8)
			p->prefix.b[i] &= (uint8_t)(0xff00u >> keep);
	}
	nd->nprefix++;
}

/* RFC 4861 4.6.1: on Ethernet a link-layer address fills an option of 8 octets (RFC 2464 6). */
static bool lladdr_option(const struct rnl_nd *nd, const uint8_t *o)
{
	return o[1] == 1 &&
	       o[0] == (nd->type == RNL_ND_ADVERT ? OPT_TARGET_LLADDR : OPT_SOURCE_LLADDR);
}

/* One whole option; what has another length than it should is as unknown as its type. */
static void read_option(const uint8_t *o, struct rnl_nd *nd)
{
	const bool of_router = nd->type == RNL_ND_ROUTER_ADVERT;

	if (lladdr_option(nd, o)) {
		nd->has_lladdr = true;
		memcpy(nd->lladdr, o + 2, 6);
	} else if (o[0] == OPT_PREFIX && o[1] == 4 && of_router) {
		read_prefix(o, nd);
	} else if (o[0] == OPT_MTU && o[1] == 1 && of_router) {
		nd->mtu = rnl_get32(o + 4);
	} else if (o[0] == OPT_NONCE && o[1] == 1 && nd->type == RNL_ND_SOLICIT) {
		nd->has_nonce = true;
		memcpy(nd->nonce, o + 2, RNL_ND_NONCE_LEN);
	}
}

/* RFC 4861 7.1.1: every option has a length that is not 0; and all lie inside the message. */
static bool read_options(const struct rte_mbuf *m, uint32_t off, uint32_t end, struct rnl_nd *nd)
{
	uint8_t scratch[32];

	while (off < end) {
		const uint8_t *o = off + 8 <= end ? rte_pktmbuf_read(m, off, 8, scratch) : NULL;

		if (o == NULL || o[1] == 0 || off + 8u * o[1] > end)
			return false;
		if (o[1] <= 4)
			read_option(rte_pktmbuf_read(m, off, 8u * o[1], scratch), nd);
		off += 8u * o[1];
	}
	return true;
}

static bool lladdr_can_be(const struct rnl_nd *nd)
{
	static const uint8_t none[6];

	return !nd->has_lladdr ||
	       (!rnl_eth_is_group(nd->lladdr) && memcmp(nd->lladdr, none, 6) != 0);
}

/* RFC 4861 4.2; RFC 4191 2.2: a preference of 10 is none. */
static void read_router(const uint8_t *h, struct rnl_nd *nd)
{
	static const int8_t preference[4] = {0, 1, 0, -1};

	nd->hop_limit = h[4];
	nd->preference = preference[h[5] >> 3 & 3];
	nd->lifetime_s = rnl_get16(h + 6);
	nd->reachable_ms = rnl_get32(h + 8);
	nd->retrans_ms = rnl_get32(h + 12);
}

static void read_target(const uint8_t *h, struct rnl_nd *nd)
{
	memcpy(nd->target.b, h + 8, 16);
	if (nd->type != RNL_ND_ADVERT)
		return;
	nd->router = h[4] & FLAG_ROUTER;
	nd->solicited = h[4] & FLAG_SOLICITED;
	nd->override = h[4] & FLAG_OVERRIDE;
}

/* RFC 4861 7.1.1 and 7.1.2: what the fixed part says. */
static enum rnl_counter check_target(const struct rnl_ip *ip, const struct rnl_nd *nd)
{
	static const struct rnl_addr groups = {.b = {0xff, 2, [11] = 1, [12] = 0xff}};

	if (rnl_addr_is_multicast(&nd->target) || rnl_addr_is_v4(&nd->target) ||
	    rnl_addr_is_unspecified(&nd->target) || rnl_addr_is_loopback(&nd->target))
		return RNL_C_nd_rx_bad_target;
	if (nd->type == RNL_ND_ADVERT) {
		if (rnl_addr_is_unspecified(&ip->src))
			return RNL_C_nd_rx_bad_source;
		return nd->solicited && rnl_addr_is_multicast(&ip->dst) ? RNL_C_nd_rx_bad_flags
									 : RNL_C_ok;
	}
	/* A check for duplicates comes from nowhere, to the group, and tells no address. */
	if (rnl_addr_is_unspecified(&ip->src) &&
	    (!rnl_addr_prefix_match(&ip->dst, &groups, 104) || nd->has_lladdr))
		return RNL_C_nd_rx_bad_source;
	return RNL_C_ok;
}

enum rnl_counter rnl_nd_parse(const struct rte_mbuf *m, const struct rnl_ip *ip,
			      const struct rnl_icmp *icmp, struct rnl_nd *out)
{
	const bool of_router = icmp->type == RNL_ND_ROUTER_ADVERT;
	const uint16_t fixed = of_router ? ADVERT_LEN : TARGET_LEN;
	uint8_t scratch[TARGET_LEN];
	const uint8_t *h;

	memset(out, 0, sizeof(*out));
	out->type = icmp->type;
	if (!of_router && icmp->type != RNL_ND_SOLICIT && icmp->type != RNL_ND_ADVERT)
		return RNL_C_icmp_rx_other;
	if (ip->ttl != RNL_ND_HOP_LIMIT)
		return RNL_C_nd_rx_bad_hop_limit;
	if (ip->frag_header) /* RFC 6980 5 */
		return RNL_C_nd_rx_fragmented;
	if (icmp->code != 0)
		return RNL_C_nd_rx_bad_code;
	h = icmp->len >= fixed ? rte_pktmbuf_read(m, icmp->off, fixed, scratch) : NULL;
	if (h == NULL)
		return RNL_C_nd_rx_bad_length;
	if (of_router)
		read_router(h, out);
	else
		read_target(h, out);
	if (!read_options(m, (uint32_t)icmp->off + fixed, (uint32_t)icmp->off + icmp->len, out) ||
	    !lladdr_can_be(out))
		return RNL_C_nd_rx_bad_option;
	if (!of_router)
		return check_target(ip, out);
	return rnl_addr_is_link_local(&ip->src) ? RNL_C_ok : RNL_C_nd_rx_bad_source;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void fill_checksum(uint8_t *msg, uint16_t len, const struct rnl_addr *from,
			  const struct rnl_addr *to)
{
	uint32_t sum = rnl_ip_pseudo_sum(from, to, RNL_IPPROTO_ICMPV6, len);
	uint16_t v = (uint16_t)~rnl_cksum_fold(rnl_cksum_add(msg, len, sum));

	memcpy(msg + 2, &v, sizeof(v));
}

static uint16_t write_options(uint8_t *p, const struct rnl_nd *nd)
{
	uint16_t len = 0;

	if (nd->has_lladdr) {
		p[0] = nd->type == RNL_ND_ADVERT ? OPT_TARGET_LLADDR : OPT_SOURCE_LLADDR;
		p[1] = 1;
		memcpy(p + 2, nd->lladdr, 6);
		len = 8;
	}
	if (nd->has_nonce) {
		p[len] = OPT_NONCE;
		p[len + 1] = 1;
		memcpy(p + len + 2, nd->nonce, RNL_ND_NONCE_LEN);
		len = (uint16_t)(len + 8);
	}
	return len;
}

uint16_t rnl_nd_write(uint8_t *dst, const struct rnl_nd *nd, const struct rnl_addr *from,
		      const struct rnl_addr *to)
{
	const uint16_t fixed = nd->type == RNL_ND_ROUTER_SOLICIT ? RS_LEN : TARGET_LEN;
	uint8_t *msg = dst + V6_HLEN;
	uint16_t len = (uint16_t)(fixed + write_options(msg + fixed, nd));
	const struct rnl_ip_out ip = {.src = from,
				      .dst = to,
				      .payload_len = len,
				      .proto = RNL_IPPROTO_ICMPV6,
				      .ttl = RNL_ND_HOP_LIMIT};

	rnl_ip_write(dst, &ip);
	memset(msg, 0, fixed);
	msg[0] = nd->type;
	if (nd->type == RNL_ND_ADVERT)
		msg[4] = (uint8_t)((nd->router ? FLAG_ROUTER : 0) |
				   (nd->solicited ? FLAG_SOLICITED : 0) |
				   (nd->override ? FLAG_OVERRIDE : 0));
	if (fixed == TARGET_LEN)
		memcpy(msg + 8, nd->target.b, 16);
	fill_checksum(msg, len, from, to);
	return (uint16_t)(V6_HLEN + len);
}

/* ---- reports to multicast routers and snooping switches ------------------------------------- */

/* IPv6 header and a hop-by-hop header with a router alert (RFC 2711) in front of len octets. */
static uint8_t *mld_packet(uint8_t *dst, uint16_t len, const struct rnl_addr *from,
			   const struct rnl_addr *to)
{
	static const uint8_t alert[8] = {RNL_IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	const struct rnl_ip_out ip = {.src = from,
				      .dst = to,
				      .payload_len = (uint16_t)(sizeof(alert) + len),
				      .proto = 0,
				      .ttl = 1};

	rnl_ip_write(dst, &ip);
	memcpy(dst + V6_HLEN, alert, sizeof(alert));
	memset(dst + V6_HLEN + sizeof(alert), 0, len);
	return dst + V6_HLEN + sizeof(alert);
}

uint16_t rnl_mld_write(uint8_t *dst, const struct rnl_mld_report *r, const struct rnl_addr *from)
{
	const uint16_t len = (uint16_t)(8 + 20 * r->n);
	uint8_t *msg = mld_packet(dst, len, from, &rnl_mld_all_routers);
	unsigned int i;

	msg[0] = RNL_ICMP6_MLD2_REPORT;
	rnl_put16(msg + 6, (uint16_t)r->n);
	for (i = 0; i < r->n; i++) {
		msg[8 + 20 * i] = r->change ? 4 : 2; /* RFC 3810 5.2.12 */
		memcpy(msg + 8 + 20 * i + 4, r->groups[i].b, 16);
	}
	fill_checksum(msg, len, from, &rnl_mld_all_routers);
	return (uint16_t)(V6_HLEN + 8 + len);
}

uint16_t rnl_mld1_write(uint8_t *dst, const struct rnl_addr *group, const struct rnl_addr *from)
{
	uint8_t *msg = mld_packet(dst, TARGET_LEN, from, group);

	msg[0] = RNL_ICMP6_MLD_REPORT;
	memcpy(msg + 8, group->b, 16);
	fill_checksum(msg, TARGET_LEN, from, group);
	return V6_HLEN + 8 + TARGET_LEN;
}
