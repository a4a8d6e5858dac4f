/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet II with at most one 802.1Q tag, in the frame or stripped by the device. A tag with VLAN
 * identifier 0 carries only a priority and counts as none (IEEE 802.1Q 9.6). A second tag, 802.1ad
 * and 802.3 lengths are left to the caller as types that he does not know.
 * Refuses: addresses, filtering. Floor 1. RFC 894.
 */
#include "wire/eth.h"

#include <string.h>

#include <rte_mbuf.h>

#include "base/pkt.h"
#include "wire/octets.h"

#define UNTAGGED_LEN 14
#define ETHERTYPE_VLAN 0x8100
#define VLAN_MASK 0x0fff

enum rnl_counter rnl_eth_parse(struct rte_mbuf *m, struct rnl_eth *out)
{
	uint8_t scratch[RNL_ETH_MAXLEN];
	const uint8_t *h = rte_pktmbuf_read(m, 0, UNTAGGED_LEN, scratch);

	rnl_pkt_sanitize(m);
	if (unlikely(h == NULL))
		return RNL_C_rx_runt;
	memcpy(out->dst, h, RNL_ETH_ALEN);
	memcpy(out->src, h + RNL_ETH_ALEN, RNL_ETH_ALEN);
	out->type = rnl_get16(h + 12);
	out->vlan = 0;
	out->l3_off = UNTAGGED_LEN;
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
		out->vlan = m->vlan_tci & VLAN_MASK;
	} else if (out->type == ETHERTYPE_VLAN) {
		h = rte_pktmbuf_read(m, 0, RNL_ETH_MAXLEN, scratch);
		if (unlikely(h == NULL))
			return RNL_C_rx_runt;
		out->vlan = rnl_get16(h + 14) & VLAN_MASK;
		out->type = rnl_get16(h + 16);
		out->l3_off = RNL_ETH_MAXLEN;
	}
	return RNL_C_ok;
}

uint16_t rnl_eth_write(uint8_t *dst, const uint8_t to[6], const uint8_t from[6], uint16_t vlan,
                       uint16_t type)
{
	memcpy(dst, to, RNL_ETH_ALEN);
	memcpy(dst + RNL_ETH_ALEN, from, RNL_ETH_ALEN);
	if (vlan == 0) {
		rnl_put16(dst + 12, type);
		return UNTAGGED_LEN;
	}
	rnl_put16(dst + 12, ETHERTYPE_VLAN);
	rnl_put16(dst + 14, vlan & VLAN_MASK);
	rnl_put16(dst + 16, type);
	return RNL_ETH_MAXLEN;
}
