/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors of a script, written from scratch: "icmp TYPE CODE [seq N] [mtu N] [size N] [flow N]
 * [quote N] [ext] [elsewhere] [badsum]". RFC 792, RFC 4443, RFC 1191 4.
 */
#include <arpa/inet.h>
#include <string.h>

#include "dialogue.h"

struct icmp_spec {
	struct number type, code, seq, mtu, size, flow, quote;
	bool bad_cksum, ext, elsewhere;
};

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

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len >= 2; p += 2, len -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	if (len > 0)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static bool parse(struct dialogue *d, char *text, struct icmp_spec *s)
{
	const struct {
		const char *name;
		struct number *at;
	} fields[] = {{"seq", &s->seq},   {"mtu", &s->mtu},     {"size", &s->size},
	              {"flow", &s->flow}, {"quote", &s->quote}};
	const char *w;
	size_t i;

	*s = (struct icmp_spec){.size.value = 1500, .quote.value = 8};
	if (!number_parse(d, word_next(&text), &s->type) ||
	    !number_parse(d, word_next(&text), &s->code))
		return false;
	while ((w = word_next(&text)) != NULL) {
		for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (strcmp(w, fields[i].name) == 0)
				break;
		if (i < sizeof(fields) / sizeof(fields[0])) {
			if (!number_parse(d, word_next(&text), fields[i].at))
				return false;
		} else if (strcmp(w, "badsum") == 0) {
			s->bad_cksum = true;
		} else if (strcmp(w, "ext") == 0) {
			s->ext = true;
		} else if (strcmp(w, "elsewhere") == 0) {
			s->elsewhere = true;
		} else {
			dialogue_fail(d, "\"%s\" is no part of an ICMP error", w);
			return false;
		}
	}
	if (s->flow.value >= 0 && s->flow.value < FLOWS_MAX)
		return true;
	dialogue_fail(d, "flow must be below %d", FLOWS_MAX);
	return false;
}

/* The segment that the stack is said to have sent: headers, and `quote` octets of TCP. */
static size_t quote_write(const struct dialogue *d, const struct icmp_spec *s, uint8_t *p)
{
	const struct flow *f = &d->flow[s->flow.value];
	const char *from = s->elsewhere ? (d->variant->ip6 ? "2001:db8::77" : "192.0.2.77")
	                                : (d->variant->ip6 ? "2001:db8::1" : "192.0.2.1");
	size_t l3 = d->variant->ip6 ? 40 : 20;
	uint32_t seq = s->seq.kind == NUM_ABS ? (uint32_t)s->seq.value
	                                      : f->local_isn + (uint32_t)s->seq.value;

	memset(p, 0, l3 + 28);
	if (d->variant->ip6) {
		p[0] = 0x60;
		put16(p + 4, (uint32_t)s->size.value - 40);
		p[6] = s->ext ? 60 : 6;
		p[7] = 60;
		inet_pton(AF_INET6, from, p + 8);
		inet_pton(AF_INET6, "2001:db8::2", p + 24);
		if (s->ext)
			p[l3] = 6;
	} else {
		p[0] = s->ext ? 0x47 : 0x45;
		put16(p + 2, (uint32_t)s->size.value);
		p[6] = 0x40;
		p[8] = 60;
		p[9] = 6;
		inet_pton(AF_INET, from, p + 12);
		inet_pton(AF_INET, "192.0.2.2", p + 16);
		put16(p + 10, ~sum16(p, l3 + (s->ext ? 8 : 0), 0) & 0xffff);
	}
	l3 += s->ext ? 8 : 0;
	put16(p + l3, LOCAL_PORT);
	put16(p + l3 + 2, PEER_PORT + (uint32_t)s->flow.value);
	put32(p + l3 + 4, seq);
	return l3 + (size_t)s->quote.value;
}

/* From a router between both. */
static size_t ip_write(const struct dialogue *d, uint8_t *p, size_t len)
{
	if (d->variant->ip6) {
		memset(p, 0, 8);
		p[0] = 0x60;
		put16(p + 4, (uint32_t)len);
		p[6] = 58;
		p[7] = 60;
		inet_pton(AF_INET6, "2001:db8::fe", p + 8);
		inet_pton(AF_INET6, "2001:db8::1", p + 24);
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, (uint32_t)len + 20);
	p[8] = 60;
	p[9] = 1;
	inet_pton(AF_INET, "192.0.2.254", p + 12);
	inet_pton(AF_INET, "192.0.2.1", p + 16);
	put16(p + 10, ~sum16(p, 20, 0) & 0xffff);
	return 20;
}

size_t icmp_build(struct dialogue *d, char *text, uint8_t *out, size_t cap)
{
	size_t l3 = d->variant->ip6 ? 40 : 20, len;
	uint8_t *msg = out + l3;
	struct icmp_spec s;
	uint32_t sum;

	if (!parse(d, text, &s) || s.quote.value < 0 || s.quote.value > 28 || cap < 256)
		return 0;
	memset(msg, 0, 8);
	msg[0] = (uint8_t)s.type.value;
	msg[1] = (uint8_t)s.code.value;
	put32(msg + 4, (uint32_t)s.mtu.value);
	len = 8 + quote_write(d, &s, msg + 8);
	ip_write(d, out, len);
	sum = d->variant->ip6 ? sum16(out + 8, 32, 58 + (uint32_t)len) : 0;
	put16(msg + 2, ~sum16(msg, len, sum) & 0xffff);
	if (s.bad_cksum)
		msg[2] ^= 0x55;
	return l3 + len;
}
