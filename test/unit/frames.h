/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets made by hand for tests of lib/wire, and the chain shapes that every parser must bear.
 * Shares nothing with lib/wire, its checksum included.
 */
#ifndef RNL_TEST_FRAMES_H
#define RNL_TEST_FRAMES_H

#include "env.h"

#define FRAME_MAX 2048

static const uint8_t frame_v4_src[4] = {192, 0, 2, 1}, frame_v4_dst[4] = {198, 51, 100, 7};
static const uint8_t frame_v6_src[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
static const uint8_t frame_v6_dst[16] = {0x20, 0x01, 0x0d, 0xb8, [7] = 9, [15] = 2};

static inline void frame_put(uint8_t *p, unsigned int octets, uint32_t v)
{
	while (octets-- > 0) {
		p[octets] = (uint8_t)v;
		v >>= 8;
	}
}

/** @return the sum of big-endian words, as a number; an odd last octet is padded with zero. */
static inline uint32_t frame_sum(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] * 256;
		while (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

/** Stores the Internet checksum of len octets at p, with `sum` added, at p + at. */
static inline void frame_cksum(uint8_t *p, uint32_t len, uint32_t sum, uint32_t at)
{
	frame_put(p + at, 2, 0);
	frame_put(p + at, 2, 0xffff - frame_sum(p, len, sum));
}

/** Writes an IPv4 header (optlen octets of `options` included). @return its length. */
static inline uint32_t frame_v4(uint8_t *p, uint8_t proto, uint32_t payload, const uint8_t *options,
                                uint32_t optlen)
{
	uint32_t hlen = 20 + optlen;

	memset(p, 0, 20);
	p[0] = (uint8_t)(0x40 + hlen / 4);
	p[1] = 0x29;
	frame_put(p + 2, 2, hlen + payload);
	frame_put(p + 4, 2, 0xbeef);
	frame_put(p + 6, 2, 0x4000);
	p[8] = 61;
	p[9] = proto;
	memcpy(p + 12, frame_v4_src, 4);
	memcpy(p + 16, frame_v4_dst, 4);
	if (optlen > 0)
		memcpy(p + 20, options, optlen);
	frame_cksum(p, hlen, 0, 10);
	return hlen;
}

/** Writes an IPv6 header. @return 40. */
static inline uint32_t frame_v6(uint8_t *p, uint8_t next, uint32_t payload)
{
	memset(p, 0, 40);
	frame_put(p, 4, 0x62954321); /* traffic class 0x29 */
	frame_put(p + 4, 2, payload);
	p[6] = next;
	p[7] = 61;
	memcpy(p + 8, frame_v6_src, 16);
	memcpy(p + 24, frame_v6_dst, 16);
	return 40;
}

/** @return the sum of the pseudo header between the frames' addresses. */
static inline uint32_t frame_pseudo(bool v6, uint8_t proto, uint32_t len)
{
	uint8_t p[40] = {0};

	if (!v6) {
		memcpy(p, frame_v4_src, 4);
		memcpy(p + 4, frame_v4_dst, 4);
		p[9] = proto;
		frame_put(p + 10, 2, len);
		return frame_sum(p, 12, 0);
	}
	memcpy(p, frame_v6_src, 16);
	memcpy(p + 16, frame_v6_dst, 16);
	frame_put(p + 32, 4, len);
	p[39] = proto;
	return frame_sum(p, 40, 0);
}

/**
 * Writes a whole IP packet with a TCP segment: ports 40000 to 443, seq 0x11223344, ack 0x55667788,
 * flags PSH ACK, window 0xabcd. @return its length.
 */
static inline uint32_t frame_tcp(uint8_t *p, bool v6, const uint8_t *options, uint32_t optlen,
                                 uint32_t payload)
{
	uint32_t len = 20 + optlen + payload;
	uint32_t l3 = v6 ? frame_v6(p, 6, len) : frame_v4(p, 6, len, NULL, 0);
	uint8_t *t = p + l3;

	memset(t, 0, 20);
	frame_put(t, 2, 40000);
	frame_put(t + 2, 2, 443);
	frame_put(t + 4, 4, 0x11223344);
	frame_put(t + 8, 4, 0x55667788);
	t[12] = (uint8_t)((20 + optlen) / 4 << 4);
	t[13] = 0x18;
	frame_put(t + 14, 2, 0xabcd);
	if (optlen > 0)
		memcpy(t + 20, options, optlen);
	for (uint32_t i = 0; i < payload; i++)
		t[20 + optlen + i] = (uint8_t)(i * 7 + 1);
	frame_cksum(t, len, frame_pseudo(v6, 6, len), 16);
	return l3 + len;
}

/** Writes a whole IP packet with an echo request of `data` octets. @return its length. */
static inline uint32_t frame_echo(uint8_t *p, bool v6, uint32_t data)
{
	uint32_t len = 8 + data;
	uint32_t l3 = v6 ? frame_v6(p, 58, len) : frame_v4(p, 1, len, NULL, 0);
	uint8_t *t = p + l3;

	memset(t, 0, 8);
	t[0] = v6 ? 128 : 8;
	frame_put(t + 4, 4, 0x12340007);
	for (uint32_t i = 0; i < data; i++)
		t[8 + i] = (uint8_t)(i * 5 + 3);
	frame_cksum(t, len, v6 ? frame_pseudo(true, 58, len) : 0, 2);
	return l3 + len;
}

/** Chain shapes of a packet of len octets: whole, octet by octet, with empty segments, one cut. */
#define FRAME_SHAPES(len) ((len) + 2)

/** @return the packet in one of its FRAME_SHAPES, in buffers without an octet to spare. */
static inline struct rte_mbuf *frame_shape(const uint8_t *p, uint32_t len, uint32_t shape)
{
	uint32_t cuts[FRAME_MAX];

	if (shape == 0)
		return rnl_test_exact(p, len, NULL, 0);
	if (shape < len) {
		cuts[0] = shape;
		return rnl_test_exact(p, len, cuts, 1);
	}
	for (uint32_t i = 0; i < len; i++)
		cuts[i] = shape == len ? i + 1 : i / 3 * 3;
	return rnl_test_exact(p, len, cuts, len);
}

#endif /* RNL_TEST_FRAMES_H */
