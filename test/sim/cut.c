/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routers on the way that cut packets into fragments, as if DF were not set and IPv6 allowed it: in
 * any order, now and then without one or with one twice. RFC 791 3.2, RFC 8200 4.5.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void finish_v4(uint8_t *ip, uint32_t off, uint32_t part, bool more, uint32_t id)
{
	uint32_t sum = 0;

	put16(ip + 2, 20 + part);
	put16(ip + 4, id);
	put16(ip + 6, off / 8 | (more ? 0x2000 : 0));
	put16(ip + 10, 0);
	for (unsigned int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~sum & 0xffff);
}

static void finish_v6(uint8_t *ip, uint32_t off, uint32_t part, bool more, uint32_t id)
{
	put16(ip + 4, 8 + part);
	ip[40] = ip[6];
	ip[41] = 0;
	put16(ip + 42, off | more);
	put16(ip + 44, 0);
	put16(ip + 46, id);
	ip[6] = 44;
}

static void piece(struct node *n, unsigned int to, uint64_t at_ns, const uint8_t *frame,
                  const struct layout *l, uint32_t off, uint32_t part)
{
	uint32_t l2 = (uint32_t)(l->l3 - frame), hlen = l->ip4 ? 20 : 48;
	uint8_t f[SIM_FRAME_MAX];
	struct event e;

	memcpy(f, frame, l2 + l->l3_len);
	memcpy(f + l2 + hlen, l->l4 + off, part);
	(l->ip4 ? finish_v4 : finish_v6)(f + l2, off, part, off + part < l->l4_len, n->w->frag_id);
	e = wire_event(n->w, to, at_ns, f, l2 + hlen + part);
	e.damaged = true; /* no device says of a fragment that TCP's checksum is right */
	heap_push(n->w, &e);
}

bool cut_send(struct node *n, unsigned int to, uint64_t at_ns, const uint8_t *frame, uint32_t len)
{
	struct world *w = n->w;
	uint32_t octets = w->sc.link[n->id].frag_octets;
	struct layout l;

	if (octets == 0 || len <= octets)
		return false;
	l = nic_layout(frame, len);
	if (l.l4 == NULL || l.l3_len != (l.ip4 ? 20u : 40u))
		return false;
	w->frag_id++;
	truth_arrived(w, frame, len); /* early: what of it will be complete is not known here */
	for (uint32_t off = 0; off < l.l4_len; off += octets) {
		uint32_t part = l.l4_len - off < octets ? l.l4_len - off : octets;

		if (w->well || !sim_chance(w, 2000))
			piece(n, to, at_ns + sim_below(w, 20) * UINT64_C(1000), frame, &l, off,
			      part);
		if (!w->well && sim_chance(w, 2000))
			piece(n, to, at_ns + sim_below(w, 99) * UINT64_C(1000), frame, &l, off,
			      part);
	}
	return true;
}
