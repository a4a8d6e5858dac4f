/* SPDX-License-Identifier: BSD-3-Clause */
/* Bare TCP segments: RFC 791, RFC 8200, RFC 9293 3.1, checksums by RFC 1071. */
#include "rawpeer.h"

#include <string.h>

static uint32_t sum(const uint8_t *p, size_t len, uint32_t acc)
{
	for (size_t i = 0; i < len; i++)
		acc += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return acc;
}

static uint16_t fold(uint32_t acc)
{
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	return (uint16_t)~acc;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint16_t tcp_sum(const struct raw_segment *s, const uint8_t *tcp, size_t len)
{
	size_t n = s->ip6 ? 16 : 4;

	return fold(sum(tcp, len, sum(s->src, n, sum(s->dst, n, (uint32_t)len + 6))));
}

static size_t write_ip(const struct raw_segment *s, uint8_t *p, size_t payload)
{
	if (s->ip6) {
		memset(p, 0, 8);
		p[0] = (uint8_t)(0x60 | s->tos >> 4);
		p[1] = (uint8_t)(s->tos << 4);
		put16(p + 4, (uint32_t)payload);
		p[6] = 6;
		p[7] = s->ttl ? s->ttl : 64;
		memcpy(p + 8, s->src, 16);
		memcpy(p + 24, s->dst, 16);
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	p[1] = s->tos;
	put16(p + 2, (uint32_t)payload + 20);
	p[6] = 0x40; /* DF */
	p[8] = s->ttl ? s->ttl : 64;
	p[9] = 6;
	memcpy(p + 12, s->src, 4);
	memcpy(p + 16, s->dst, 4);
	put16(p + 10, fold(sum(p, 20, 0)));
	return 20;
}

size_t raw_write(const struct raw_segment *s, uint8_t *packet)
{
	size_t ip = write_ip(s, packet, 20 + s->len);
	uint8_t *t = packet + ip;

	memset(t, 0, 20);
	put16(t, s->sport);
	put16(t + 2, s->dport);
	put32(t + 4, s->seq);
	put32(t + 8, s->ack);
	t[12] = 5 << 4;
	t[13] = s->flags;
	put16(t + 14, s->win);
	put16(t + 18, s->urg);
	if (s->len > 0)
		memcpy(t + 20, s->data, s->len);
	put16(t + 16, tcp_sum(s, t, 20 + s->len));
	return ip + 20 + s->len;
}

bool raw_read(const uint8_t *p, size_t len, struct raw_segment *s)
{
	size_t ip, off;
	const uint8_t *t;

	memset(s, 0, sizeof(*s));
	s->ip6 = len >= 40 && p[0] >> 4 == 6;
	ip = s->ip6 ? 40 : 20;
	if (len < ip + 20 || (s->ip6 ? p[6] : p[9]) != 6)
		return false;
	if (!s->ip6 && (p[0] != 0x45 || fold(sum(p, 20, 0)) != 0 || get16(p + 2) != len))
		return false;
	memcpy(s->src, p + (s->ip6 ? 8 : 12), s->ip6 ? 16 : 4);
	memcpy(s->dst, p + (s->ip6 ? 24 : 16), s->ip6 ? 16 : 4);
	s->ttl = s->ip6 ? p[7] : p[8];
	s->tos = s->ip6 ? (uint8_t)(p[0] << 4 | p[1] >> 4) : p[1];
	t = p + ip;
	off = (size_t)(t[12] >> 4) * 4;
	if (off < 20 || ip + off > len || tcp_sum(s, t, len - ip) != 0)
		return false;
	s->sport = get16(t);
	s->dport = get16(t + 2);
	s->seq = get32(t + 4);
	s->ack = get32(t + 8);
	s->flags = t[13];
	s->win = get16(t + 14);
	s->urg = get16(t + 18);
	s->data = t + off;
	s->len = len - ip - off;
	return true;
}
