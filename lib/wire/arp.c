/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP for IPv4 over Ethernet. A sender's address that no host can have (group or all-zero Ethernet
 * address, multicast or broadcast IPv4 address) makes the packet bad, so that nobody learns it; a
 * sender's IPv4 address of 0.0.0.0 is a probe (RFC 5227 2.1.1) and let through.
 * Refuses: a table, state. Floor 1. RFC 826, RFC 5227.
 */
#include "wire/arp.h"

#include <string.h>

#include <rte_mbuf.h>

#include "wire/ip.h"
#include "wire/eth.h"
#include "wire/octets.h"

/* Ethernet, IPv4, and their lengths. */
static const uint8_t kind[6] = {0, 1, 0x08, 0x00, 6, 4};

static bool sender_can_be(const struct rnl_arp *arp)
{
	static const uint8_t none[6];

	return !rnl_eth_is_group(arp->sha) && memcmp(arp->sha, none, sizeof(none)) != 0 &&
	       !rnl_addr_is_multicast(&arp->spa) && !rnl_addr_is_limited_broadcast(&arp->spa);
}

enum rnl_counter rnl_arp_parse(const struct rte_mbuf *m, uint16_t off, struct rnl_arp *out)
{
	uint8_t scratch[RNL_ARP_LEN];
	const uint8_t *p = rte_pktmbuf_read(m, off, RNL_ARP_LEN, scratch);

	if (p == NULL || memcmp(p, kind, sizeof(kind)) != 0)
		return RNL_C_arp_rx_bad;
	out->op = rnl_get16(p + 6);
	memcpy(out->sha, p + 8, 6);
	out->spa = rnl_addr_v4(p[14], p[15], p[16], p[17]);
	memcpy(out->tha, p + 18, 6);
	out->tpa = rnl_addr_v4(p[24], p[25], p[26], p[27]);
	if (out->op != RNL_ARP_REQUEST && out->op != RNL_ARP_REPLY)
		return RNL_C_arp_rx_bad;
	return sender_can_be(out) ? RNL_C_ok : RNL_C_arp_rx_bad;
}

void rnl_arp_write(uint8_t *dst, const struct rnl_arp *arp)
{
	memcpy(dst, kind, sizeof(kind));
	rnl_put16(dst + 6, arp->op);
	memcpy(dst + 8, arp->sha, 6);
	memcpy(dst + 14, arp->spa.b + 12, 4);
	memcpy(dst + 18, arp->tha, 6);
	memcpy(dst + 24, arp->tpa.b + 12, 4);
}
