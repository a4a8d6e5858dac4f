/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Draws what a seed means. Most seeds are `clean`: nothing in them may end a connection but its
 * users, so that each must end in order with every octet delivered. The others add what may break
 * connections: cuts, starved pools, aborts, short timeouts.
 */
#include "sim.h"

static uint32_t pick(struct world *w, const uint32_t *v, uint32_t n)
{
	return v[sim_below(w, n)];
}

#define PICK(w, ...)                                                                               \
	pick((w), (const uint32_t[]){__VA_ARGS__},                                                 \
	     sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void link_draw(struct world *w, unsigned int i)
{
	struct link_plan *l = &w->sc.link[i];

	l->delay_ns = PICK(w, 0, 5, 50, 1000, 20000, 80000) * UINT64_C(1000);
	l->jitter_ns = PICK(w, 0, 20, 2000, 30000) * UINT64_C(1000);
	/* 8 ns and 1024/1024 an octet is 1 Gbit/s. */
	l->ns_per_octet_x1024 = PICK(w, 0, 0, 820, 8192, 81920, 819200);
	l->queue = PICK(w, 5, 20, 100, 1000);
	l->loss = PICK(w, 0, 0, 1000, 10000, 40000);
	l->dup = PICK(w, 0, 0, 5000, 30000);
	l->corrupt = PICK(w, 0, 0, 2000, 10000);
	l->replay = PICK(w, 0, 0, 2000);
	l->reorder = PICK(w, 0, 10000, 200000, 1000000);
	l->mark = PICK(w, 0, 20000, 200000, 1000000);
	l->bleach = PICK(w, 0, 0, 0, 20000, 1000000);
	l->refuse = PICK(w, 0, 0, 0, 100000);
	l->late_free_ns = PICK(w, 0, 0, 50, 3000) * UINT64_C(1000);
	l->by_reference = sim_pct(w, 25);
	w->sc.caps[i] = 0;
	if (l->by_reference)
		w->sc.caps[i] = sim_pct(w, 50) ? RNL_CAP_TX_MULTI_SEGS : 0;
	else if (sim_pct(w, 60))
		w->sc.caps[i] = sim_below(w, 8);
	if (w->sc.caps[i] == (RNL_CAP_TX_IPV4_CKSUM | RNL_CAP_TX_TCP_CKSUM | RNL_CAP_TX_MULTI_SEGS))
		w->sc.caps[i] |= sim_pct(w, 70) ? RNL_CAP_TX_TSO : 0;
}

/*
 * One of them all, each as likely. Of the seed, not drawn: another one in the list does not change
 * the rest of the scenario.
 */
static const struct rnl_cc_ops *any_cc(const struct world *w, unsigned int node)
{
	struct rnl_prng prng;
	uint32_t n = 0;

	while (rnl_cc_nth(n) != NULL)
		n++;
	rnl_prng_seed(&prng, w->seed + node);
	return rnl_cc_nth((unsigned int)(rnl_prng_next(&prng) % n));
}

/* Of the seed, not drawn, as above. */
static void cuts_choose(struct world *w)
{
	static const uint32_t octets[] = {256, 576, 1280, 0};

	for (unsigned int i = 0; i < w->sc.nodes && w->seed % 5 == 2; i++)
		w->sc.link[i].frag_octets = octets[(w->seed / 5 + i) % 4];
}

static void opts_draw(struct world *w, unsigned int i)
{
	struct rnl_conn_opts *o = &w->sc.opts[i];

	*o = (struct rnl_conn_opts){.size = sizeof(*o)};
	o->sndbuf_bytes = PICK(w, 0, 0, 3000, 20000);
	o->rcvbuf_bytes = PICK(w, 0, 0, 4000, 30000, 1000000);
	o->nodelay = sim_pct(w, 40);
	o->no_timestamps = sim_pct(w, 30);
	o->no_wscale = sim_pct(w, 30);
	o->no_sack = sim_pct(w, 30);
	o->no_delayed_ack = sim_pct(w, 20);
	o->mss = (uint16_t)PICK(w, 0, 0, 0, 536, 1000);
	o->rto_min_us = PICK(w, 0, 0, 20000);
	o->pacing = sim_pct(w, 15);
	o->cc = sim_pct(w, 25) ? &rnl_cc_bbr : NULL;
	o->max_pacing_bytes_per_s = PICK(w, 0, 0, 0, 0, 1000000, 50000000);
	o->cc = any_cc(w, i);
	o->ecn = (uint8_t)PICK(w, RNL_ECN_DEFAULT, RNL_ECN_DEFAULT, RNL_ECN_OFF, RNL_ECN_ON,
	                       RNL_ECN_ACCURATE, RNL_ECN_ACCURATE);
	if (sim_pct(w, 30)) {
		o->keepalive_idle_ms = 1000 + sim_below(w, 20000);
		o->keepalive_intvl_ms = 500 + sim_below(w, 2000);
		o->keepalive_probes = (uint8_t)(w->sc.clean ? 20 : 1 + sim_below(w, 5));
	}
	if (w->sc.clean)
		return;
	o->user_timeout_ms = PICK(w, 0, 0, 500, 10000);
	o->idle_timeout_ms = PICK(w, 0, 0, 3000, 60000);
	o->retries2 = (uint8_t)PICK(w, 0, 3, 6);
	o->syn_retries = (uint8_t)PICK(w, 0, 0, 1, 3);
	o->connect_timeout_ms = PICK(w, 0, 0, 800, 10000);
	o->fin_wait2_ms = PICK(w, 0, 200, 3000);
}

/* What Ethernet ports do for IPv6. */
static void ipv6_draw(struct world *w)
{
	struct scenario *sc = &w->sc;

	sc->ipv6 = sim_pct(w, 40) ? RNL_IPV6_NO_DAD : 0;
	sc->ipv6 |= sim_pct(w, 40) ? RNL_IPV6_EUI64 : 0;
	sc->ipv6 |= sim_pct(w, 60) ? RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF : 0;
	if ((sc->ipv6 & RNL_IPV6_NO_DAD) == 0)
		sc->quiet_ns = 2100 * SIM_MS;
}

void scenario_draw(struct world *w)
{
	struct scenario *sc = &w->sc;

	*sc = (struct scenario){.nodes = 2 + sim_below(w, SIM_NODES_MAX - 1)};
	sc->conns = 1 + sim_below(w, sim_pct(w, 80) ? 8 : SIM_CONNS_MAX);
	sc->ip6 = sim_pct(w, 40);
	sc->raw = sc->ip6 && sim_pct(w, 30);
	if (sc->ip6 && !sc->raw)
		ipv6_draw(w);
	sc->vlan = !sc->raw && sim_pct(w, 25) ? (uint16_t)(1 + sim_below(w, 4094)) : 0;
	sc->rechain_pct = PICK(w, 0, 10, 100);
	sc->pad_pct = PICK(w, 0, 30);
	sc->verdicts = sim_pct(w, 60);
	sc->noise = sim_pct(w, 30);
	sc->clean = sim_pct(w, 60);
	sc->wait_time_wait = sim_pct(w, 50);
	sc->meddle = sim_pct(w, 30);
	sc->syncookies = w->seed % 7 == 3   ? RNL_SYNCOOKIES_ALWAYS
			 : w->seed % 3 == 1 ? RNL_SYNCOOKIES_NEVER
					    : RNL_SYNCOOKIES_DEFAULT;
	sc->poll_gap_ns = PICK(w, 1, 5, 200) * UINT64_C(1000);
	for (unsigned int i = 0; i < sc->nodes; i++) {
		link_draw(w, i);
		opts_draw(w, i);
	}
	cuts_choose(w);
	if (sc->clean)
		return;
	sc->starve = sim_pct(w, 25);
	if (sc->starve) /* a stack without buffers asks to be polled again at once */
		sc->poll_gap_ns = 200 * UINT64_C(1000);
	sc->small_pools = sim_pct(w, 30);
	sc->picky = sim_pct(w, 20);
	sc->stop_early = sim_pct(w, 20);
	if (sc->stop_early)
		sc->stop_at_ns = sim_below(w, 3000) * SIM_MS;
	if (sim_pct(w, 40)) {
		sc->cut_at_ns = (1 + sim_below(w, 2000)) * SIM_MS;
		sc->cut_len_ns = PICK(w, 100, 2000, 30000, 1000000) * SIM_MS;
	}
}

static void side_draw(struct world *w, struct conn *c, struct side *s)
{
	struct side_plan *p = &s->plan;

	p->length = PICK(w, 0, 1, 100, 1460, 5000, 20000, 60000);
	if (p->length > 1)
		p->length = 1 + sim_below(w, (uint32_t)p->length * 2);
	/* A server of which only a cookie knows hears of a client that lost its ACK when that speaks. */
	if (p->length == 0 && s->which == 0 && w->sc.syncookies == RNL_SYNCOOKIES_ALWAYS)
		p->length = 1;
	p->abort_at = p->close_at = p->fail_at = UINT64_MAX;
	p->chunk = PICK(w, 1, 100, 1460, 4000, 16000);
	if (p->chunk == 1 && p->length > 400)
		p->chunk = 64;
	p->pause_pct = PICK(w, 0, 0, 5, 30);
	p->pause_ns = PICK(w, 1, 100, 3000) * SIM_MS;
	if (p->pause_ns == 3000 * SIM_MS)
		p->pause_pct /= 5;
	p->lazy_pct = PICK(w, 0, 0, 20, 60);
	p->hold_pct = PICK(w, 0, 0, 5);
	p->modes = (uint8_t)(1 + sim_below(w, (1u << SEND_MODES) - 1));
	p->close_when_done = sim_pct(w, 50);
	p->wait_for_peer = s->which == 1 && sim_pct(w, 50) && c->s[0].plan.length > 0;
	if (w->sc.stop_early && w->sc.link[s->node].by_reference)
		p->modes = 1u << SEND_COPY; /* a peer may still read what a destroyed stack sent */
	if (c->clean)
		return;
	if (sim_pct(w, 15))
		p->abort_at = sim_below(w, (uint32_t)p->length + 1);
	if (sim_pct(w, 15))
		p->close_at = sim_below(w, 20000);
	if (sim_pct(w, 5) && (p->modes & 1u << SEND_PULL) != 0)
		p->fail_at = sim_below(w, (uint32_t)p->length + 1);
}

void conn_draw(struct world *w, unsigned int id)
{
	struct conn *c = &w->conn[id];

	*c = (struct conn){.id = id, .key = (uint32_t)rnl_prng_next(&w->prng), .reuse_of = -1};
	c->clean = w->sc.clean && !sim_pct(w, 20);
	c->start_ns = w->sc.quiet_ns + (sim_pct(w, 50) ? 0 : sim_below(w, 2000) * SIM_MS);
	if (id > 0 && sim_pct(w, 20)) {
		c->reuse_of = (int)sim_below(w, id);
		c->clean = false; /* an old TIME-WAIT may refuse it for a while */
	}
	for (unsigned int i = 0; i < 2; i++) {
		c->s[i].w = w;
		c->s[i].conn = c;
		c->s[i].which = i;
	}
	c->s[0].node = sim_below(w, w->sc.nodes);
	c->s[1].node = (c->s[0].node + 1 + sim_below(w, w->sc.nodes - 1)) % w->sc.nodes;
	if (c->reuse_of >= 0) {
		c->s[0].node = w->conn[c->reuse_of].s[0].node;
		c->s[1].node = w->conn[c->reuse_of].s[1].node;
	}
	for (unsigned int i = 0; i < 2; i++)
		side_draw(w, c, &c->s[i]);
}
