/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of strangers: ARP of every kind, pings, fragments, impossible headers, segments for
 * nobody. None names a live connection, so none may disturb one. Those of IPv6 are in noise6.c.
 */
#include <stdlib.h>
#include <string.h>

#include "noise.h"

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

uint32_t noise_sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len >= 2; p += 2, len -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	if (len > 0)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void noise_ethernet(struct world *w, struct noise *n, uint32_t type)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 1, n->host};

	memcpy(n->f, n->to->mac, 6);
	memcpy(n->f + 6, mac, 6);
	n->l3 = 14;
	if (w->sc.vlan != 0) {
		put16(n->f + 12, 0x8100);
		put16(n->f + 14, w->sc.vlan);
		n->l3 = 18;
	}
	put16(n->f + n->l3 - 2, type);
}

static void address(uint8_t *p, uint8_t last)
{
	p[0] = 10;
	p[1] = p[2] = 0;
	p[3] = last;
}

static void arp(struct world *w, struct noise *n)
{
	uint8_t *p = n->f + n->l3, own = (uint8_t)(n->to->id + 1);

	noise_ethernet(w, n, 0x0806);
	p = n->f + n->l3;
	put16(p, 1);
	put16(p + 2, 0x0800);
	p[4] = 6;
	p[5] = 4;
	put16(p + 6, 1 + sim_below(w, 2));
	memcpy(p + 8, n->f + 6, 6);
	address(p + 14, n->host);
	address(p + 24, own);
	n->len = n->l3 + 28;
	switch (sim_below(w, 6)) {
	case 0:
		address(p + 14, own); /* somebody uses our address */
		break;
	case 1:
		p[sim_below(w, 8)] ^= 0x10;
		break;
	case 2:
		n->len -= 5;
		break;
	case 3:
		memset(p + 14, 0, 4); /* a probe */
		break;
	case 4:
		address(p + 24, 99);
		break;
	default:
		break;
	}
}

/* An IPv4 header in front of `len` octets of payload, which are zero. @return the payload. */
static uint8_t *ip(struct world *w, struct noise *n, uint8_t proto, uint32_t len)
{
	uint8_t *p;

	noise_ethernet(w, n, 0x0800);
	p = n->f + n->l3;
	p[0] = 0x45;
	put16(p + 2, 20 + len);
	p[8] = 64;
	p[9] = proto;
	address(p + 12, n->host);
	address(p + 16, (uint8_t)(n->to->id + 1));
	n->len = n->l3 + 20 + len;
	return p + 20;
}

static void ip_sum(struct noise *n)
{
	put16(n->f + n->l3 + 10, 0);
	put16(n->f + n->l3 + 10, ~noise_sum16(n->f + n->l3, 20, 0) & 0xffff);
}

static void icmp(struct world *w, struct noise *n)
{
	uint32_t len = 8 + sim_below(w, 60), kind = sim_below(w, 5);
	uint8_t *p = ip(w, n, 1, len);

	ip_sum(n);
	p[0] = kind == 0 ? 13 : kind == 1 ? 0 : 8;
	for (uint32_t i = 4; i < len; i++)
		p[i] = (uint8_t)sim_below(w, 256);
	put16(p + 2, (~noise_sum16(p, len, 0) & 0xffff) ^ (kind == 2 ? 0x0101 : 0));
}

static void bad_ip(struct world *w, struct noise *n)
{
	static const uint8_t sources[][4] = {
	    {0, 0, 0, 0}, {127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255}};
	uint8_t *h;

	ip(w, n, (uint8_t)(sim_pct(w, 50) ? 6 : 47), 40);
	h = n->f + n->l3;
	switch (sim_below(w, 7)) {
	case 0:
		h[0] = 0x44;
		break;
	case 1:
		put16(h + 2, 2000);
		break;
	case 2:
		put16(h + 6, 0x2000 | sim_below(w, 100));
		break;
	case 3:
		memcpy(h + 12, sources[sim_below(w, 4)], 4);
		break;
	case 4:
		address(h + 16, 99);
		break;
	case 5:
		address(h + 16, 255);
		break;
	default:
		h[9] = 47;
		break;
	}
	ip_sum(n);
}

static void tcp(struct world *w, struct noise *n)
{
	static const uint8_t flags[] = {0x02, 0x10, 0x04, 0x11, 0x00, 0x12, 0x3f};
	uint8_t *p = ip(w, n, 6, 20 + sim_below(w, 30));
	uint32_t len = n->len - n->l3 - 20, sum;

	if (sim_pct(w, 10))
		n->f[n->l3 + 12] = 172; /* nobody on this link: there is no way back */
	if (sim_pct(w, 8))
		address(n->f + n->l3 + 16, 255);
	ip_sum(n);
	put16(p, 1000 + sim_below(w, 60000));
	put16(p + 2, sim_pct(w, 15) ? SIM_PORT : 9999);
	for (unsigned int i = 4; i < 12; i++)
		p[i] = (uint8_t)sim_below(w, 256);
	p[12] = (uint8_t)(sim_pct(w, 10) ? sim_below(w, 256) : 0x50);
	p[13] = flags[sim_below(w, sizeof(flags))];
	put16(p + 14, sim_below(w, 65536));
	sum = noise_sum16(n->f + n->l3 + 12, 8, 6 + len);
	put16(p + 16, (~noise_sum16(p, len, sum) & 0xffff) ^ (sim_pct(w, 10) ? 0x8000 : 0));
}

static void odd_frame(struct world *w, struct noise *n)
{
	tcp(w, n);
	switch (sim_below(w, 5)) {
	case 0:
		n->f[5] ^= 0x40; /* for somebody else */
		break;
	case 1:
		put16(n->f + n->l3 - 2, 0x88cc);
		break;
	case 2:
		n->len = sim_below(w, 20) + 1;
		break;
	case 3:
		if (w->sc.vlan != 0)
			put16(n->f + 14, w->sc.vlan % 4094 + 1);
		break;
	default:
		n->len = n->l3 + sim_below(w, 30);
		break;
	}
}

static const struct noise_kinds {
	void (*make[5])(struct world *, struct noise *);
} kinds[2] = {{{arp, icmp, bad_ip, tcp, odd_frame}},
              {{noise_nd, noise_nd, noise_ra, noise_icmp6, odd_frame}}};

void noise_inject(struct world *w)
{
	struct noise n = {.to = &w->node[sim_below(w, w->sc.nodes)],
	                  .host = (uint8_t)(200 + sim_below(w, 6))};
	struct event e = {.at_ns = w->now_ns,
	                  .kind = EV_FRAME,
	                  .node = n.to->id,
	                  .damaged = true,
	                  .bare = sim_pct(w, 50)};

	kinds[w->sc.ip6].make[sim_below(w, 5)](w, &n);
	e.len = n.len;
	e.frame = malloc(n.len);
	if (e.frame == NULL)
		abort();
	memcpy(e.frame, n.f, n.len);
	heap_push(w, &e);
}
