/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections whose way out changed find their next hop anew: a default router expired, resigned, or
 * stopped answering. A walk over all blocks, at most once a second (ip6_router.c). IPv4's routes
 * never change. Floor 4. RFC 4861 6.3.5, 7.2.5, 7.3.3.
 */
#include "stack/stack.h"

/* @return the next hop to go by, with a reference; 0: the one that it has, or there is no other. */
static uint32_t other_way(struct rnl_stack *st, const struct rnl_tuple *key, uint32_t hop)
{
	struct rnl_addr next;
	unsigned int port;
	int found;

	if (rnl_addr_is_v4(&key->raddr) ||
	    rnl_route_back(&st->routes, st->core.nexthop_port[hop], &key->raddr, &port, &next) < 0)
		return 0;
	found = rnl_neigh_get(&st->neigh, port, &next);
	if (found < 0)
		return 0;
	if ((uint32_t)found != hop)
		return (uint32_t)found;
	rnl_neigh_put(&st->neigh, hop);
	return 0;
}

static void move(struct rnl_stack *st, const struct rnl_tuple *key, uint16_t *hop)
{
	uint32_t to = other_way(st, key, *hop);

	if (to == 0)
		return;
	rnl_neigh_put(&st->neigh, *hop);
	*hop = (uint16_t)to;
	rnl_core_count(&st->core, RNL_C_nd_rehomed);
}

void rnl_rehome_run(struct rnl_stack *st)
{
	struct rnl_core *core = &st->core;
	uint32_t i;

	for (i = 1; i < core->conns.fresh; i++) {
		struct rnl_tcb *tcb = rnl_core_tcb(core, i);

		if (rnl_flow_find(&st->flow, &tcb->key, rnl_flow_hash(&st->flow, &tcb->key)) == i)
			move(st, &tcb->key, &tcb->nexthop);
	}
	for (i = 1; i < core->minis.fresh; i++) {
		struct rnl_mini *mini = rnl_core_mini(core, i);

		if (mini->state != 0)
			move(st, &mini->key, &mini->nexthop);
	}
}
