/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold, whatever the network did. */
#include <errno.h>

#include "sim.h"

/* Octets that `to` received from its peer, the first at stream offset off. */
void check_octets(struct side *to, const uint8_t *data, uint32_t len, uint64_t off)
{
	const struct side *from = &to->conn->s[1 - to->which];

	if (off + len > from->sent) {
		sim_fail(to->w, "conn %u.%u: received up to %llu, sent were %llu", to->conn->id,
		         to->which, (unsigned long long)(off + len),
		         (unsigned long long)from->sent);
		return;
	}
	for (uint32_t i = 0; i < len; i++)
		if (data[i] != send_octet(from, off + i)) {
			sim_fail(to->w, "conn %u.%u: octet %llu is 0x%02x, sent was 0x%02x",
			         to->conn->id, to->which, (unsigned long long)(off + i), data[i],
			         send_octet(from, off + i));
			return;
		}
}

/* An end that closed of its own accord, or whose stack was destroyed, may leave octets unread. */
static bool is_short(const struct side *s, const struct side *from)
{
	return s->received != from->sent && !s->w->stopping;
}

void check_closed(struct side *s)
{
	struct conn *c = s->conn;
	const struct side *p = &c->s[1 - s->which];

	if (s->w->verbose)
		printf("  %llu.%06llu conn %u.%u closed: %s (sent %llu, received %llu)\n",
		       (unsigned long long)(s->w->now_ns / SIM_S),
		       (unsigned long long)(s->w->now_ns / 1000 % 1000000), c->id, s->which,
		       rnl_reason_text(s->reason), (unsigned long long)s->sent,
		       (unsigned long long)s->received);
	if (s->owed != 0)
		sim_fail(s->w, "conn %u.%u: closed before %u releases", c->id, s->which, s->owed);
	if (c->clean && s->reason != RNL_REASON_NORMAL)
		sim_fail(s->w, "conn %u.%u: ended as \"%s\", and nothing was wrong", c->id,
		         s->which, rnl_reason_text(s->reason));
	if (s->reason != RNL_REASON_NORMAL || !p->closed || p->reason != RNL_REASON_NORMAL)
		return;
	s->w->delivered_conns++;
	if (is_short(s, p) || is_short(p, s))
		sim_fail(s->w, "conn %u: ended in order with %llu of %llu and %llu of %llu octets",
		         c->id, (unsigned long long)s->received, (unsigned long long)p->sent,
		         (unsigned long long)p->received, (unsigned long long)s->sent);
}

/* Nothing is open any more: stacks must hold nothing, and old handles must be refused. */
void check_usage(struct world *w)
{
	for (unsigned int i = 0; i < w->sc.nodes; i++) {
		struct rnl_usage u;

		rnl_usage(w->node[i].stack, &u);
		if (u.conns != 0 || u.busy != 0 || u.held != 0 || u.txq != 0)
			sim_fail(w,
			         "node %u still has %u connections, %u busy, %u held, %u to send",
			         i, u.conns, u.busy, u.held, u.txq);
		if (w->sc.wait_time_wait && u.minis != 0)
			sim_fail(w, "node %u still has %u mini blocks", i, u.minis);
	}
	for (unsigned int i = 0; i < 2 * w->conns; i++) {
		const struct side *s = &w->conn[i / 2].s[i % 2];
		uint8_t octet = 0;

		if (s->open && rnl_send(w->node[s->node].stack, s->handle, &octet, 1) != -ESTALE)
			sim_fail(w, "conn %u.%u: a handle outlived its connection", i / 2, i % 2);
	}
}

void check_end(struct world *w)
{
	unsigned int lost = node_pools_leak();

	for (unsigned int i = 0; i < 2 * w->conns; i++) {
		const struct side *s = &w->conn[i / 2].s[i % 2];

		if (s->open && !s->closed)
			sim_fail(w, "conn %u.%u was never closed", i / 2, i % 2);
	}
	if (lost != 0)
		sim_fail(w, "%u packet buffers leaked", lost);
}
