/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of strangers over IPv6: neighbour discovery that keeps the rules of RFC 4861 and that
 * breaks each of them, routers that come, go and lie, queries for groups, pings.
 */
#include <string.h>

#include "noise.h"

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

/* An address of this network, the last octet given. */
static void address(uint8_t *p, uint32_t net, uint8_t last)
{
	memset(p, 0, 16);
	put16(p, net);
	p[15] = last;
}

static uint8_t own(const struct noise *n)
{
	return (uint8_t)(n->to->id + 1);
}

/* An IPv6 header before `len` octets, which are zero. @return them. */
static uint8_t *ip6(struct world *w, struct noise *n, uint32_t len)
{
	uint8_t *p;

	noise_ethernet(w, n, 0x86dd);
	p = n->f + n->l3;
	p[0] = 0x60;
	put16(p + 4, len);
	p[6] = 58;
	p[7] = 255;
	address(p + 8, 0xfd00, n->host);
	address(p + 24, 0xfd00, own(n));
	n->len = n->l3 + 40 + len;
	return p + 40;
}

static void checksum(struct noise *n)
{
	uint8_t *h = n->f + n->l3, *msg = h + 40;
	uint32_t len = n->len - n->l3 - 40;

	put16(msg + 2, 0);
	put16(msg + 2, ~noise_sum16(msg, len, noise_sum16(h + 8, 32, 58 + len)) & 0xffff);
}

static void lladdr(struct noise *n, uint8_t *o, uint8_t type)
{
	o[0] = type;
	o[1] = 1;
	memcpy(o + 2, n->f + 6, 6);
}

/* The solicited-node group of the node, on the link too. */
static void to_group(struct noise *n)
{
	uint8_t *dst = n->f + n->l3 + 24;

	address(dst, 0xff02, own(n));
	dst[11] = 1;
	dst[12] = 0xff;
	n->f[0] = n->f[1] = 0x33;
	memcpy(n->f + 2, dst + 12, 4);
}

/* Breaks one rule of RFC 4861 7.1. */
static void spoil(struct world *w, struct noise *n, uint8_t *msg)
{
	uint8_t *h = n->f + n->l3;

	switch (sim_below(w, 7)) {
	case 0:
		h[7] = 254;
		break;
	case 1:
		msg[1] = 1;
		break;
	case 2:
		n->len -= 16;
		put16(h + 4, n->len - n->l3 - 40);
		break;
	case 3:
		msg[25] = 0;
		break;
	case 4:
		msg[8] = 0xff;
		break;
	case 5: /* from nowhere, yet with an address or not to a group */
		memset(h + 8, 0, 16);
		break;
	default:
		h[6] = 44; /* in a fragment of its own */
		memmove(h + 48, h + 40, 32);
		memset(h + 40, 0, 8);
		h[40] = 58;
		put16(h + 4, 40);
		n->len += 8;
		return;
	}
	checksum(n);
}

/* Solicitations for the node, advertisements of the stranger, conflicts. */
void noise_nd(struct world *w, struct noise *n)
{
	const bool advert = sim_pct(w, 40);
	uint8_t *msg = ip6(w, n, 32);

	msg[0] = advert ? 136 : 135;
	lladdr(n, msg + 24, advert ? 2 : 1);
	if (advert) {
		address(msg + 8, 0xfd00, sim_pct(w, 80) ? n->host : own(n));
		msg[4] = (uint8_t)sim_below(w, 256);
		if (sim_pct(w, 20))
			to_group(n);
	} else {
		address(msg + 8, 0xfd00, sim_pct(w, 80) ? own(n) : 99);
		if (sim_pct(w, 50))
			to_group(n);
	}
	if (!advert && sim_pct(w, 20)) { /* a check for duplicates */
		to_group(n);
		memset(n->f + n->l3 + 8, 0, 16);
		n->len -= 8;
		put16(n->f + n->l3 + 4, 24);
	} else if (!advert && sim_pct(w, 10)) { /* does not say where it is */
		n->len -= 8;
		put16(n->f + n->l3 + 4, 24);
	}
	checksum(n);
	if (n->len - n->l3 == 72 && sim_pct(w, 40))
		spoil(w, n, msg);
}

/* A prefix of its own: never the one that the nodes live in. */
static void prefix(struct world *w, struct noise *n, uint8_t *o)
{
	static const uint32_t lifetimes[] = {0, 1, 3, 20, 100000, UINT32_MAX};

	o[0] = 3;
	o[1] = 4;
	o[2] = (uint8_t)(sim_pct(w, 80) ? 64 : sim_below(w, 129));
	o[3] = (uint8_t)(sim_below(w, 4) << 6);
	put32(o + 4, lifetimes[sim_below(w, 6)]);
	put32(o + 8, lifetimes[sim_below(w, 6)]);
	address(o + 16, 0x2001, 0);
	o[19] = (uint8_t)sim_below(w, 24);
	o[23] = n->host;
}

void noise_ra(struct world *w, struct noise *n)
{
	static const uint32_t lifetimes[] = {0, 1, 2, 30, 9000};
	const uint32_t prefixes = sim_below(w, 4);
	uint8_t *msg = ip6(w, n, 16 + 8 + 8 + 32 * prefixes);

	address(n->f + n->l3 + 8, sim_pct(w, 95) ? 0xfe80 : 0xfd00, n->host);
	address(n->f + n->l3 + 24, 0xff02, 1);
	msg[0] = 134;
	msg[4] = (uint8_t)(sim_pct(w, 50) ? 0 : 255);
	msg[5] = (uint8_t)(sim_below(w, 4) << 3);
	put16(msg + 6, lifetimes[sim_below(w, 5)]);
	put32(msg + 8, sim_pct(w, 50) ? 0 : 5000 + sim_below(w, 100000));
	put32(msg + 12, sim_pct(w, 50) ? 0 : 1000 + sim_below(w, 3000));
	lladdr(n, msg + 16, sim_pct(w, 80) ? 1 : 77);
	msg[24] = 5;
	msg[25] = 1;
	put32(msg + 28, 1200 + sim_below(w, 400));
	for (uint32_t i = 0; i < prefixes; i++)
		prefix(w, n, msg + 32 + 32 * i);
	checksum(n);
}

/* Pings, to a group too; a query of MLD; errors and types that nobody knows. */
void noise_icmp6(struct world *w, struct noise *n)
{
	static const uint8_t types[] = {128, 128, 130, 1, 2, 3, 4, 137, 200};
	uint8_t *msg = ip6(w, n, 48), *h = n->f + n->l3;

	msg[0] = types[sim_below(w, sizeof(types))];
	if (msg[0] == 128 && sim_pct(w, 50)) {
		address(h + 24, 0xff02, 1);
	} else if (msg[0] == 130) { /* with router alert, from a link-local address, one hop */
		memmove(msg + 8, msg, 28);
		memcpy(msg, (const uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0}, 8);
		h[6] = 0;
		h[7] = (uint8_t)(sim_pct(w, 80) ? 1 : 2);
		address(h + 8, 0xfe80, n->host);
		address(h + 24, 0xff02, 1);
		put16(msg + 12, sim_below(w, 65536));
		n->len = n->l3 + 40 + 8 + (sim_pct(w, 80) ? 28u : 24u);
		put16(h + 4, n->len - n->l3 - 40);
		put16(msg + 10, ~noise_sum16(msg + 8, n->len - n->l3 - 48,
		                             noise_sum16(h + 8, 32, 58 + n->len - n->l3 - 48)) &
		                    0xffff);
		return;
	}
	checksum(n);
}
