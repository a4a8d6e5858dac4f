/* SPDX-License-Identifier: BSD-3-Clause */
/* A peer made of bare packets: writes and reads TCP segments over IPv4 and IPv6. No DPDK, no stack.
 */
#ifndef RNL_SEAM_RAWPEER_H
#define RNL_SEAM_RAWPEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_FIN 0x01
#define RAW_SYN 0x02
#define RAW_RST 0x04
#define RAW_PSH 0x08
#define RAW_ACK 0x10
#define RAW_URG 0x20

struct raw_segment {
	bool ip6;
	uint8_t src[16], dst[16]; /* IPv4: the first four */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t win, urg;
	uint8_t ttl, tos;
	const uint8_t *data;
	size_t len;
};

/* Writes the packet, checksums included. @return its length. */
size_t raw_write(const struct raw_segment *seg, uint8_t *packet);
/* Reads it; data points into the packet. @return false when it is damaged or no TCP. */
bool raw_read(const uint8_t *packet, size_t len, struct raw_segment *seg);

#endif /* RNL_SEAM_RAWPEER_H */
