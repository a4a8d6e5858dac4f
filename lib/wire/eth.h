/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet II and one 802.1Q tag: parse, and write into headroom. Floor 1. */
#ifndef RNL_WIRE_ETH_H
#define RNL_WIRE_ETH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"

struct rte_mbuf;

#define RNL_ETH_ALEN 6
#define RNL_ETH_MAXLEN 18 /* with a tag */
#define RNL_ETHERTYPE_IPV4 0x0800
#define RNL_ETHERTYPE_ARP 0x0806
#define RNL_ETHERTYPE_IPV6 0x86dd

struct rnl_eth {
	uint8_t dst[RNL_ETH_ALEN], src[RNL_ETH_ALEN];
	uint16_t type;  /* host order, inside the tag when there is one */
	uint16_t vlan;  /* VLAN identifier, 0: untagged or priority-tagged */
	uint16_t l3_off;
};

/**
 * Reads the link header of a received packet (a chain of any shape, padded); also takes a VLAN that
 * the device stripped (RTE_MBUF_F_RX_VLAN_STRIPPED) and clears transmit requests that came with the
 * packet. No octet of the packet is written, here or by any other parser of this floor: its sender
 * may still hold it. Headers that cross segments are read through a copy on the stack.
 * @return RNL_C_ok, or RNL_C_rx_runt.
 */
enum rnl_counter rnl_eth_parse(struct rte_mbuf *m, struct rnl_eth *out);
/** Writes a link header (14 octets, or 18 when vlan is not 0) to dst. @return its length. */
uint16_t rnl_eth_write(uint8_t *dst, const uint8_t to[6], const uint8_t from[6], uint16_t vlan,
		       uint16_t type);
static inline bool rnl_eth_is_group(const uint8_t mac[6])
{
	return mac[0] & 1;
}

#endif /* RNL_WIRE_ETH_H */
