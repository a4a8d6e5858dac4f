/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Ethernet between the nodes: each has a cable with a rate and a queue to a switch that floods
 * what is for everybody. Here frames are lost, doubled, delayed, reordered, damaged and sent again
 * later.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "sim.h"

static void hash_octets(struct world *w, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		w->hash = (w->hash ^ b[i]) * UINT64_C(0x100000001b3);
}

/* One bit of one octet: a one's complement sum always notices. */
static void damage(struct world *w, uint8_t *frame, uint32_t len)
{
	uint32_t l3 = frame[12] == 0x81 && frame[13] == 0 ? 18 : 14;

	if (len > l3)
		frame[l3 + sim_below(w, len - l3)] ^= (uint8_t)(1u << sim_below(w, 8));
}

/* ARP has no checksum, so damage to it would be believed. */
static bool is_arp(const uint8_t *frame)
{
	const uint8_t *type = frame[12] == 0x81 && frame[13] == 0 ? frame + 16 : frame + 12;

	return type[0] == 0x08 && type[1] == 0x06;
}

/* The ECN field of the IP header (RFC 3168 5) lies here; NULL: no IP packet. */
static uint8_t *ip_header(uint8_t *frame, uint32_t len)
{
	uint32_t l3 = frame[12] == 0x81 && frame[13] == 0 ? 18 : 14;
	uint8_t *ip = frame + l3;

	return len >= l3 + 20 && (ip[0] >> 4 == 4 || ip[0] >> 4 == 6) && !is_arp(frame) ? ip : NULL;
}

static unsigned int ecn_get(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? ip[1] & 3 : ip[1] >> 4 & 3;
}

/* RFC 1624: the IPv4 checksum follows. */
static void ecn_set(uint8_t *ip, unsigned int ecn)
{
	uint32_t sum;

	if (ip[0] >> 4 == 6) {
		ip[1] = (uint8_t)((ip[1] & 0xcf) | ecn << 4);
		return;
	}
	sum = (uint32_t)(~(ip[10] << 8 | ip[11]) & 0xffff) + (~(ip[0] << 8 | ip[1]) & 0xffffu);
	ip[1] = (uint8_t)((ip[1] & ~3u) | ecn);
	sum += (uint32_t)(ip[0] << 8 | ip[1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

/* A queue that marks, or something that knows nothing of ECN and writes where it stands. */
static void mark(struct world *w, const struct link_plan *l, uint8_t *frame, uint32_t len)
{
	uint8_t *ip = ip_header(frame, len);

	if (ip == NULL)
		return;
	if (ecn_get(ip) != 0 && sim_chance(w, l->mark))
		ecn_set(ip, 3);
	if (sim_chance(w, l->bleach))
		ecn_set(ip, sim_pct(w, 80) ? 0 : sim_below(w, 4));
}

static uint64_t line_time(struct node *n, uint32_t len)
{
	const struct link_plan *l = &n->w->sc.link[n->id];
	uint64_t now = n->w->now_ns, start = n->line_free_ns > now ? n->line_free_ns : now;
	uint64_t took = (len + 24) * l->ns_per_octet_x1024 / 1024;

	if (l->ns_per_octet_x1024 == 0)
		return now;
	/* The queue is as long as what it holds takes. */
	if (start - now > (uint64_t)l->queue * 1538 * l->ns_per_octet_x1024 / 1024)
		return UINT64_MAX;
	n->line_free_ns = start + took;
	return start + took;
}

struct event wire_event(struct world *w, unsigned int to, uint64_t at_ns, const uint8_t *frame,
                        uint32_t len)
{
	struct event e = {.at_ns = at_ns, .kind = EV_FRAME, .node = to, .len = len};

	e.frame = malloc(len);
	if (e.frame == NULL)
		abort();
	memcpy(e.frame, frame, len);
	return e;
}

static void send_to(struct node *n, unsigned int to, uint64_t at_ns, const uint8_t *frame,
                    uint32_t len)
{
	struct world *w = n->w;
	struct event e;

	if (cut_send(n, to, at_ns, frame, len))
		return;
	e = wire_event(w, to, at_ns, frame, len);
	mark(w, &w->sc.link[n->id], e.frame, len);
	if (!is_arp(frame) && sim_chance(w, w->sc.link[n->id].corrupt)) {
		damage(w, e.frame, len);
		e.damaged = true;
	}
	heap_push(w, &e);
}

static void switch_copy(struct node *n, uint64_t at_ns, const uint8_t *frame, uint32_t len)
{
	struct world *w = n->w;

	for (unsigned int i = 0; i < w->sc.nodes; i++)
		if (i != n->id && ((frame[0] & 1) != 0 || memcmp(frame, w->node[i].mac, 6) == 0))
			send_to(n, i, at_ns, frame, len);
}

/* As a ring passes packets: the receiver gets the very mbuf. @return whether somebody took it. */
static bool switch_mbuf(struct node *n, uint64_t at_ns, const uint8_t *frame, struct rte_mbuf *m)
{
	struct event e = {.at_ns = at_ns, .kind = EV_FRAME, .len = m->pkt_len, .m = m};
	struct world *w = n->w;

	for (unsigned int i = 0; i < w->sc.nodes; i++) {
		if (i == n->id || memcmp(frame, w->node[i].mac, 6) != 0)
			continue;
		e.node = i;
		heap_push(w, &e);
		return true;
	}
	return false;
}

bool wire_emit(struct node *n, const uint8_t *frame, uint32_t len, struct rte_mbuf *m)
{
	struct world *w = n->w;
	const struct link_plan *l = &w->sc.link[n->id];
	const char *bad = nic_check_frame(frame, len, w->sc.vlan);
	bool taken = false;
	uint64_t at;

	w->frames++;
	hash_octets(w, &w->now_ns, sizeof(w->now_ns));
	hash_octets(w, frame, len);
	if (w->pcap != NULL)
		pcap_write(w->pcap, w->now_ns, frame, len);
	if (bad == NULL)
		bad = truth_check(w, frame, len);
	if (bad != NULL) {
		sim_fail(w, "node %u sent a bad frame: %s", n->id, bad);
		return false;
	}
	at = line_time(n, len);
	if (n->cut || at == UINT64_MAX || sim_chance(w, l->loss))
		return false;
	at += l->delay_ns;
	if (l->jitter_ns != 0 && sim_chance(w, l->reorder))
		at += sim_below(w, (uint32_t)(l->jitter_ns / 1000)) * UINT64_C(1000);
	if (sim_chance(w, l->dup))
		switch_copy(n, at + sim_below(w, 2000) * UINT64_C(1000), frame, len);
	if (!is_arp(frame) && sim_chance(w, l->replay))
		switch_copy(n, at + sim_below(w, 20000) * SIM_MS, frame, len);
	if (l->by_reference && m != NULL && (frame[0] & 1) == 0)
		taken = switch_mbuf(n, at, frame, m);
	else
		switch_copy(n, at, frame, len);
	if (taken)
		truth_arrived(w, frame, len);
	return taken;
}

/* ---- the port of a node -----------------------------------------------------------------------
 */

void wire_deliver(struct world *w, const struct event *e)
{
	struct node *n = &w->node[e->node];
	struct event gone = *e;

	if (n->cut || n->stack == NULL) {
		event_free(&gone);
		return;
	}
	if (e->frame != NULL && !e->damaged)
		truth_arrived(w, e->frame, e->len);
	if (n->rx_len == n->rx_cap) {
		n->rx_cap = n->rx_cap == 0 ? 64 : 2 * n->rx_cap;
		n->rx = realloc(n->rx, n->rx_cap * sizeof(*n->rx));
		if (n->rx == NULL)
			abort();
	}
	n->rx[n->rx_len++] = *e;
}

void wire_clear(struct node *n)
{
	while (n->rx_head < n->rx_len)
		event_free(&n->rx[n->rx_head++]);
	free(n->rx);
	n->rx = NULL;
	n->rx_head = n->rx_len = n->rx_cap = 0;
}

static uint16_t port_rx(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct node *node = port;
	uint16_t got = 0;

	while (got < n && node->rx_head < node->rx_len) {
		struct event *e = &node->rx[node->rx_head++];

		m[got] = nic_receive(node, e);
		if (m[got] != NULL)
			got++;
		free(e->frame);
	}
	if (node->rx_head == node->rx_len)
		node->rx_head = node->rx_len = 0;
	return got;
}

/* What is sent stays with the driver for a while: nobody may write to it. */
static void driver_free(struct node *n, struct rte_mbuf *m)
{
	uint64_t late = n->w->sc.link[n->id].late_free_ns;
	struct event e = {.at_ns = n->w->now_ns + late, .kind = EV_FREE, .node = n->id, .m = m};

	if (late == 0)
		rte_pktmbuf_free(m);
	else
		heap_push(n->w, &e);
}

static uint16_t port_tx(void *port, struct rte_mbuf **m, uint16_t n)
{
	struct node *node = port;
	const struct link_plan *l = &node->w->sc.link[node->id];

	if (node->w->now_ns < node->stall_until_ns)
		return 0;
	if (sim_chance(node->w, l->refuse)) {
		n = (uint16_t)sim_below(node->w, n);
		/* Now and then the device pauses: longer than a retransmission takes. */
		if (!node->w->well && sim_pct(node->w, 2))
			node->stall_until_ns = node->w->now_ns + sim_below(node->w, 1500) * SIM_MS;
	}
	for (uint16_t i = 0; i < n; i++)
		if (!nic_send(node, m[i], wire_emit))
			driver_free(node, m[i]);
	return n;
}

const struct rnl_port_ops wire_port_ops = {.rx = port_rx, .tx = port_tx};
