/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP and ICMPv6: what a message is, and the reply to an echo request.
 * Refuses: errors' meaning, neighbour discovery, limits of rate.
 * DEVIATES RFC 1122 3.2.2.6: a reply carries no IP options, so routes that were recorded or given
 * by the sender are neither continued nor reversed: this stack uses no IP options. Floor 1. RFC
 * 792, RFC 4443, RFC 1122 3.2.2.6.
 */
#include "wire/icmp.h"

#include <string.h>

#include <rte_mbuf.h>

#include "base/pkt.h"
#include "wire/cksum.h"
#include "wire/ip.h"

#define HLEN 8 /* of every message that is of use here */

enum type { ECHO_REPLY = 0, ECHO_REQUEST = 8, V6_ECHO_REQUEST = 128, V6_ECHO_REPLY = 129 };

/* ICMPv6 alone covers a pseudo header (RFC 4443 2.3). */
static uint32_t pseudo(const struct rnl_addr *src, const struct rnl_addr *dst, uint16_t len)
{
	return rnl_addr_is_v4(dst) ? 0 : rnl_ip_pseudo_sum(src, dst, RNL_IPPROTO_ICMPV6, len);
}

enum rnl_counter rnl_icmp_parse(const struct rte_mbuf *m, const struct rnl_ip *ip,
                                struct rnl_icmp *out)
{
	uint8_t scratch[HLEN];
	const uint8_t *h = rte_pktmbuf_read(m, ip->l4_off, HLEN, scratch);
	uint32_t sum;

	if (h == NULL || ip->l4_len < HLEN || ip->fragment)
		return RNL_C_icmp_rx_bad;
	sum = pseudo(&ip->src, &ip->dst, ip->l4_len);
	if (rnl_cksum_fold(rnl_cksum_add_mbuf(m, ip->l4_off, ip->l4_len, sum)) != 0xffff)
		return RNL_C_icmp_rx_bad;
	out->type = h[0];
	out->code = h[1];
	out->off = ip->l4_off;
	out->len = ip->l4_len;
	out->echo_request =
	    out->type == (ip->version == 4 ? ECHO_REQUEST : V6_ECHO_REQUEST) && out->code == 0;
	return RNL_C_ok;
}

int rnl_icmp_echo_reply(struct rte_mbuf *reply, const struct rte_mbuf *request,
                        const struct rnl_ip *ip, const struct rnl_icmp *icmp, uint8_t ttl)
{
	struct rnl_ip_out out = {.src = &ip->dst,
	                         .dst = &ip->src,
	                         .payload_len = icmp->len,
	                         .proto = ip->proto,
	                         .ttl = ttl,
	                         .tos = ip->tos & 0xfc};
	uint32_t l3_len = rnl_ip_hlen(&ip->src), len = l3_len + icmp->len;
	uint8_t *p, *msg;
	uint16_t sum;

	if (len > rte_pktmbuf_tailroom(reply))
		return -1;
	p = (uint8_t *)rte_pktmbuf_append(reply, (uint16_t)len);
	msg = p + l3_len;
	rnl_ip_write(p, &out);
	rnl_pkt_copy_out(request, icmp->off, icmp->len, msg);
	msg[0] = ip->version == 4 ? ECHO_REPLY : V6_ECHO_REPLY;
	memset(msg + 2, 0, 2);
	sum = (uint16_t)~rnl_cksum_fold(
	    rnl_cksum_add(msg, icmp->len, pseudo(out.src, out.dst, icmp->len)));
	memcpy(msg + 2, &sum, sizeof(sum));
	return 0;
}
