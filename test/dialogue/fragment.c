/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments of segments that go in, cut from scratch. RFC 791 3.2, RFC 8200 4.5. */
#include <string.h>

#include "dialogue.h"

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Octets of the fragment that exist; all beyond the packet's end are zero when its begin is too. */
static void slice(const struct spec *s, uint8_t *l4, uint8_t *to, size_t l4_len)
{
	for (uint32_t i = 0; i < s->frag_len; i++)
		to[i] = s->frag_off + i < l4_len ? l4[s->frag_off + i] : 0;
}

size_t fragment_cut(const struct dialogue *d, const struct spec *s, uint8_t *packet, size_t len)
{
	size_t l3 = d->variant->ip6 ? 40 : 20, l4_len = len - l3;
	bool more = s->frag_off + s->frag_len < l4_len;
	uint32_t sum = 0, part = s->frag_len;
	uint8_t data[PACKET_MAX];

	if (s->frag_off < l4_len && s->frag_off + part > l4_len)
		part = (uint32_t)(l4_len - s->frag_off);
	if (part > sizeof(data) - 64)
		return 0;
	slice(s, packet + l3, data, l4_len);
	if (d->variant->ip6) {
		put16(packet + 4, 8 + part);
		packet[40] = packet[6];
		packet[41] = 0;
		put16(packet + 42, s->frag_off | more);
		put16(packet + 44, 0);
		put16(packet + 46, s->frag_id);
		packet[6] = 44;
		l3 = 48;
	} else {
		put16(packet + 2, 20 + part);
		put16(packet + 4, s->frag_id);
		put16(packet + 6, s->frag_off / 8 | (more ? 0x2000 : 0));
		put16(packet + 10, 0);
		for (int i = 0; i < 20; i += 2)
			sum += (uint32_t)packet[i] << 8 | packet[i + 1];
		while (sum >> 16 != 0)
			sum = (sum & 0xffff) + (sum >> 16);
		put16(packet + 10, ~sum & 0xffff);
	}
	memcpy(packet + l3, data, part);
	return l3 + part;
}
