/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP for IPv4 over Ethernet (RFC 826): parse and write. Floor 1. */
#ifndef RNL_WIRE_ARP_H
#define RNL_WIRE_ARP_H

#include "base/counters.h"
#include "wire/seg.h"

#define RNL_ARP_REQUEST 1
#define RNL_ARP_REPLY 2
#define RNL_ARP_LEN 28

struct rnl_arp {
	uint16_t op;
	uint8_t sha[6], tha[6];
	struct rnl_addr spa, tpa;
};

/** Reads the ARP packet at off. @return RNL_C_ok, or RNL_C_arp_rx_bad. */
enum rnl_counter rnl_arp_parse(const struct rte_mbuf *m, uint16_t off, struct rnl_arp *out);
/** Writes RNL_ARP_LEN octets. */
void rnl_arp_write(uint8_t *dst, const struct rnl_arp *arp);

#endif /* RNL_WIRE_ARP_H */
