/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Octets of packets, written and read from scratch: nothing of the library's own parser is used, so
 * that both cannot share a mistake. RFC 791, RFC 8200, RFC 9293 3.1.
 */
#include <arpa/inet.h>
#include <string.h>

#include "dialogue.h"

uint8_t pattern_in(uint64_t off)
{
	return (uint8_t)(off * 7 + (off >> 8) * 13 + 1);
}

uint8_t pattern_out(uint64_t off)
{
	return (uint8_t)(off * 11 + (off >> 8) * 5 + 2);
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

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len >= 2; p += 2, len -= 2)
		sum += get16(p);
	if (len > 0)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Sum of pseudo header and segment: 0xffff when the checksum in it is right. */
static uint32_t tcp_sum(const uint8_t *ip, bool ip6, const uint8_t *tcp, size_t len)
{
	uint32_t sum = ip6 ? sum16(ip + 8, 32, 0) : sum16(ip + 12, 8, 0);

	return sum16(tcp, len, sum + 6 + (uint32_t)len);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static uint32_t number_in(const struct number *n, uint32_t base, uint32_t last)
{
	switch (n->kind) {
	case NUM_REL:
		return base + (uint32_t)n->value;
	case NUM_ABS:
		return (uint32_t)n->value;
	case NUM_LAST:
		return last;
	default:
		return 0;
	}
}

static size_t option_write(uint8_t *p, const struct option *o, const struct flow *f)
{
	switch (o->kind) {
	case OPT_RAW:
		memcpy(p, o->raw, o->raw_len);
		return o->raw_len;
	case OPT_MSS:
		p[0] = OPT_MSS;
		p[1] = 4;
		put16(p + 2, (uint32_t)o->a.value);
		return 4;
	case OPT_WSCALE:
		p[0] = OPT_WSCALE;
		p[1] = 3;
		p[2] = (uint8_t)o->a.value;
		return 3;
	case OPT_SACKOK:
		p[0] = OPT_SACKOK;
		p[1] = 2;
		return 2;
	case OPT_TS:
		p[0] = OPT_TS;
		p[1] = 10;
		put32(p + 2, (uint32_t)o->a.value);
		put32(p + 6, number_in(&o->b, f->ts_base, f->ts_last));
		return 10;
	case OPT_SACK:
		p[0] = OPT_SACK;
		p[1] = (uint8_t)(2 + 8 * o->nsack);
		for (unsigned int i = 0; i < o->nsack; i++) {
			put32(p + 2 + 8 * i, f->local_isn + o->sack[i][0]);
			put32(p + 6 + 8 * i, f->local_isn + o->sack[i][1]);
		}
		return p[1];
	case OPT_ACCECN0:
	case OPT_ACCECN1:
		p[0] = (uint8_t)o->kind;
		p[1] = (uint8_t)(2 + 3 * o->ncounters);
		for (unsigned int i = 0; i < o->ncounters; i++) {
			p[2 + 3 * i] = (uint8_t)(o->counter[i] >> 16);
			put16(p + 3 + 3 * i, o->counter[i] & 0xffff);
		}
		return p[1];
	case OPT_TFO:
		p[0] = OPT_TFO;
		p[1] = (uint8_t)(2 + o->a.value);
		for (unsigned int i = 2; i < p[1]; i++)
			p[i] = f->cookie[i - 2] ^ (o->wrong ? 0x55 : 0);
		return p[1];
	default:
		p[0] = (uint8_t)o->kind;
		return 1;
	}
}

/* @return octets of options, a multiple of four; filled up with zeros (end of options). */
static size_t options_write(uint8_t *p, const struct spec *s, const struct flow *f)
{
	uint8_t buf[OPTS_MAX * 40] = {0};
	size_t len = 0;

	for (unsigned int i = 0; i < s->nopt; i++)
		len += option_write(buf + len, &s->opt[i], f);
	len = (len + 3) & ~(size_t)3;
	if (len > 40)
		len = 40;
	memcpy(p, buf, len);
	return len;
}

static void addresses(const struct dialogue *d, unsigned int flow, uint8_t *peer, uint8_t *local)
{
	(void)flow;
	if (d->variant->ip6) {
		inet_pton(AF_INET6, "2001:db8::2", peer);
		inet_pton(AF_INET6, "2001:db8::1", local);
	} else {
		inet_pton(AF_INET, "192.0.2.2", peer);
		inet_pton(AF_INET, "192.0.2.1", local);
	}
}

static size_t ip_write(const struct dialogue *d, const struct spec *s, uint8_t *p, size_t l4_len)
{
	uint8_t ttl = s->ttl.kind == NUM_UNSET ? 64 : (uint8_t)s->ttl.value;
	uint8_t tos = s->tos.kind == NUM_UNSET ? 0 : (uint8_t)s->tos.value;

	if (d->variant->ip6) {
		memset(p, 0, 8);
		p[0] = (uint8_t)(0x60 | tos >> 4);
		p[1] = (uint8_t)(tos << 4);
		put16(p + 4, (uint32_t)l4_len);
		p[6] = 6;
		p[7] = ttl;
		addresses(d, s->flow, p + 8, p + 24);
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	p[1] = tos;
	put16(p + 2, (uint32_t)l4_len + 20);
	p[6] = 0x40;
	p[8] = ttl;
	p[9] = 6;
	addresses(d, s->flow, p + 12, p + 16);
	put16(p + 10, ~sum16(p, 20, 0) & 0xffff);
	if (s->bad_ip_cksum)
		p[10] ^= 0x55;
	return 20;
}

static void payload_write(const struct spec *s, const struct flow *f, uint32_t seq, uint8_t *p)
{
	/* Octet 0 of the stream follows the SYN. */
	uint32_t off = seq - f->peer_isn - ((s->flags & TH_SYN) == 0);

	if (s->has_text)
		memcpy(p, s->text, s->len);
	else
		for (uint32_t i = 0; i < s->len; i++)
			p[i] = pattern_in(off + i);
}

size_t packet_build(struct dialogue *d, const struct spec *s, uint8_t *out, size_t cap)
{
	const struct flow *f = &d->flow[s->flow];
	uint32_t base = f->local_known ? f->local_isn : 0;
	uint32_t seq = number_in(&s->seq, f->peer_isn, 0);
	size_t ip_len = d->variant->ip6 ? 40 : 20, opts_len, l4_len;
	uint8_t *tcp = out + ip_len;

	if (s->len + 200 > cap)
		return 0;
	memset(tcp, 0, 20);
	opts_len = options_write(tcp + 20, s, f);
	l4_len = 20 + opts_len + s->len;
	ip_write(d, s, out, l4_len - (size_t)s->cut);
	put16(tcp, PEER_PORT + s->flow);
	put16(tcp + 2, LOCAL_PORT);
	put32(tcp + 4, seq);
	put32(tcp + 8, (s->flags & TH_ACK) != 0 ? number_in(&s->ack, base, 0) : 0);
	tcp[12] = (uint8_t)((s->doff >= 0 ? (unsigned int)s->doff : 5 + opts_len / 4) << 4);
	tcp[12] |= (uint8_t)(s->flags >> 8);
	tcp[13] = (uint8_t)s->flags;
	put16(tcp + 14, s->win.kind == NUM_UNSET ? 65535 : (uint32_t)s->win.value);
	put16(tcp + 18, (uint32_t)s->urg.value);
	payload_write(s, f, seq, tcp + 20 + opts_len);
	put16(tcp + 16, ~tcp_sum(out, d->variant->ip6, tcp, l4_len) & 0xffff);
	if (s->bad_cksum)
		tcp[16] ^= 0x55;
	memset(tcp + l4_len, 0xee, (size_t)s->pad);
	if (s->frag)
		return fragment_cut(d, s, out, ip_len + l4_len);
	return ip_len + l4_len - (size_t)s->cut + (size_t)s->pad;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static const char *ip4_decode(struct packet *p, size_t *l3)
{
	const uint8_t *b = p->bytes;

	*l3 = 20;
	if (p->len < 40)
		return "IPv4 packet shorter than its headers";
	if (b[0] != 0x45)
		return "IPv4 version or header length is not 4 and 5";
	if (get16(b + 2) != p->len)
		return "IPv4 total length is not the packet's";
	if (sum16(b, 20, 0) != 0xffff)
		return "IPv4 header checksum is wrong";
	if ((get16(b + 6) & 0xbfff) != 0)
		return "IPv4 packet is a fragment";
	if (b[9] != 6)
		return "IPv4 protocol is not TCP";
	p->tos = b[1];
	p->ttl = b[8];
	return NULL;
}

static const char *ip6_decode(struct packet *p, size_t *l3)
{
	const uint8_t *b = p->bytes;

	*l3 = 40;
	if (p->len < 60)
		return "IPv6 packet shorter than its headers";
	if (b[0] >> 4 != 6)
		return "IP version is not 6";
	if ((size_t)get16(b + 4) + 40 != p->len)
		return "IPv6 payload length is not the packet's";
	if (b[6] != 6)
		return "IPv6 next header is not TCP";
	p->tos = (uint8_t)(b[0] << 4 | b[1] >> 4);
	p->ttl = b[7];
	return NULL;
}

/* Every option must have a length that fits; padding after the end of options is zero (MUST-69). */
static const char *options_check(const uint8_t *p, unsigned int len)
{
	for (unsigned int i = 0; i < len;) {
		if (p[i] == OPT_NOP) {
			i++;
			continue;
		}
		if (p[i] == OPT_EOL) {
			for (; i < len; i++)
				if (p[i] != 0)
					return "padding after the end of options is not zero";
			return NULL;
		}
		if (i + 1 >= len || p[i + 1] < 2 || i + p[i + 1] > len)
			return "an option's length is impossible";
		i += p[i + 1];
	}
	return NULL;
}

static const char *addresses_check(struct dialogue *d, const struct packet *p)
{
	uint8_t peer[16], local[16];

	addresses(d, 0, peer, local);
	if (p->ip6) {
		if (memcmp(p->bytes + 8, local, 16) != 0 || memcmp(p->bytes + 24, peer, 16) != 0)
			return "an IPv6 address is wrong";
	} else if (memcmp(p->bytes + 12, local, 4) != 0 || memcmp(p->bytes + 16, peer, 4) != 0) {
		return "an IPv4 address is wrong";
	}
	return NULL;
}

static const char *tcp_decode(struct packet *p, const uint8_t *tcp, size_t len)
{
	size_t hlen = (size_t)(tcp[12] >> 4) * 4;

	if (hlen < 20 || hlen > len)
		return "TCP data offset is impossible";
	if (tcp_sum(p->bytes, p->ip6, tcp, len) != 0xffff)
		return "TCP checksum is wrong";
	if ((tcp[12] & 0x0e) != 0)
		return "reserved TCP bits are set";
	p->sport = get16(tcp);
	p->dport = get16(tcp + 2);
	p->seq = get32(tcp + 4);
	p->ack = get32(tcp + 8);
	p->flags = (uint16_t)((tcp[12] & 1) << 8 | tcp[13]);
	p->win = get16(tcp + 14);
	p->urg = get16(tcp + 18);
	p->opts = tcp + 20;
	p->opts_len = (unsigned int)(hlen - 20);
	p->data = tcp + hlen;
	p->data_len = (unsigned int)(len - hlen);
	if ((p->flags & TH_ACK) == 0 && p->ack != 0)
		return "acknowledgement number without ACK is not zero";
	if ((p->flags & TH_URG) == 0 && p->urg != 0)
		return "urgent pointer without URG is not zero";
	return options_check(p->opts, p->opts_len);
}

const char *packet_decode(struct dialogue *d, struct packet *p)
{
	const char *why;
	size_t l3;

	p->ip6 = p->len > 0 && p->bytes[0] >> 4 == 6;
	if (p->ip6 != d->variant->ip6)
		return "packet of the other IP version";
	why = p->ip6 ? ip6_decode(p, &l3) : ip4_decode(p, &l3);
	if (why == NULL)
		why = tcp_decode(p, p->bytes + l3, p->len - l3);
	if (why == NULL)
		why = addresses_check(d, p);
	if (why == NULL &&
	    (p->sport != LOCAL_PORT || p->dport < PEER_PORT || p->dport >= PEER_PORT + FLOWS_MAX))
		why = "a port is wrong";
	return why;
}
