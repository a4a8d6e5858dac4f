/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be asked of a stack: names, counters, connections, usage. Floor 4. */
#include <errno.h>

#include "stack/stack.h"

uint32_t rnl_version(void)
{
	return RNL_VERSION;
}

const char *rnl_reason_text(enum rnl_reason reason)
{
	static const char *const text[RNL_REASON_COUNT] = {
	    [RNL_REASON_NORMAL] = "closed in order",
	    [RNL_REASON_REFUSED] = "refused by peer",
	    [RNL_REASON_RESET] = "reset by peer",
	    [RNL_REASON_TIMEOUT_CONNECT] = "connect timed out",
	    [RNL_REASON_TIMEOUT_RETRANSMIT] = "retransmissions unanswered",
	    [RNL_REASON_TIMEOUT_USER] = "user timeout",
	    [RNL_REASON_TIMEOUT_KEEPALIVE] = "keepalive unanswered",
	    [RNL_REASON_TIMEOUT_IDLE] = "idle timeout",
	    [RNL_REASON_UNREACHABLE] = "unreachable",
	    [RNL_REASON_NO_RESOURCES] = "out of resources",
	    [RNL_REASON_NOT_ADMITTED] = "not admitted",
	    [RNL_REASON_LOCAL_ABORT] = "aborted locally",
	    [RNL_REASON_PRODUCE_FAILED] = "producer failed",
	    [RNL_REASON_DESTROYED] = "stack destroyed",
	};

	return (unsigned int)reason < RNL_REASON_COUNT ? text[reason] : "unknown";
}

const char *rnl_state_text(enum rnl_state state)
{
	static const char *const text[RNL_STATE_COUNT] = {
	    [RNL_ESTABLISHED] = "ESTABLISHED", [RNL_SYN_SENT] = "SYN-SENT",
	    [RNL_SYN_RECEIVED] = "SYN-RECEIVED", [RNL_FIN_WAIT_1] = "FIN-WAIT-1",
	    [RNL_FIN_WAIT_2] = "FIN-WAIT-2",   [RNL_TIME_WAIT] = "TIME-WAIT",
	    [RNL_CLOSED] = "CLOSED",	   [RNL_CLOSE_WAIT] = "CLOSE-WAIT",
	    [RNL_LAST_ACK] = "LAST-ACK",       [RNL_LISTEN] = "LISTEN",
	    [RNL_CLOSING] = "CLOSING",
	};

	return state > 0 && (unsigned int)state < RNL_STATE_COUNT ? text[state] : "unknown";
}

static const struct {
	const char *name, *text;
} counters[RNL_C_COUNT] = {
#define RNL_COUNTER(id, sentence) [RNL_C_##id] = {#id, sentence},
#include "base/counters.def"
#undef RNL_COUNTER
};

unsigned int rnl_counters_count(void)
{
	return RNL_C_COUNT;
}

const char *rnl_counter_name(unsigned int i)
{
	return i < RNL_C_COUNT ? counters[i].name : NULL;
}

const char *rnl_counter_text(unsigned int i)
{
	return i < RNL_C_COUNT ? counters[i].text : NULL;
}

void rnl_counters_read(const struct rnl_stack *st, uint64_t *out, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && i < RNL_C_COUNT; i++)
		out[i] = __atomic_load_n(&st->core.counters.v[i], __ATOMIC_RELAXED);
}

int rnl_conn_info(struct rnl_stack *st, rnl_conn_t c, struct rnl_conn_info *info)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);

	if (tcb == NULL)
		return -ESTALE;
	rnl_tcb_info(&st->core, tcb, info);
	return 0;
}

static bool in_table(const struct rnl_stack *st, const struct rnl_tcb *tcb, uint32_t i)
{
	return rnl_flow_find(&st->flow, &tcb->key, rnl_flow_hash(&st->flow, &tcb->key)) == i;
}

void rnl_conn_foreach(struct rnl_stack *st,
		      bool (*fn)(void *arg, rnl_conn_t c, const struct rnl_conn_info *info),
		      void *arg)
{
	struct rnl_conn_info info;
	uint32_t i;

	for (i = 1; i < st->core.conns.fresh; i++) {
		struct rnl_tcb *tcb = rnl_core_tcb(&st->core, i);

		if (!in_table(st, tcb, i))
			continue;
		rnl_tcb_info(&st->core, tcb, &info);
		if (!fn(arg, rnl_handle(st, tcb), &info))
			return;
	}
}

void rnl_usage(const struct rnl_stack *st, struct rnl_usage *out)
{
	const struct rnl_core *core = &st->core;
	unsigned int i;

	*out = (struct rnl_usage){
	    .conns = core->conns.used,
	    .conns_max = st->cfg.max_conns,
	    .minis = core->minis.used,
	    .minis_max = st->cfg.max_minis,
	    .busy = core->works.used,
	    .busy_max = st->cfg.max_busy,
	    .held = core->held,
	    .held_max = core->held_max,
	    .hosts = rnl_hostcache_count(&core->hosts),
	    .hosts_max = st->cfg.max_hosts,
	    .listeners = st->listeners.count,
	    .neighbours = st->neigh.pool.used,
	    .routes = st->routes.routes,
	    .addrs = st->routes.addrs,
	    .bytes_per_conn =
		(uint32_t)(sizeof(struct rnl_tcb) + sizeof(struct rnl_ecn) +
			   st->mem[RNL_MEM_FLOW].bytes /
							(st->cfg.max_conns + st->cfg.max_minis)),
	};
	for (i = 0; i < st->nports; i++)
		out->txq += rnl_txq_count(&core->ports[i].txq);
	for (i = 0; i < st->routes.addrs; i++) {
		out->addrs_tentative += st->routes.addr[i].state == RNL_ADDR_TENTATIVE;
		out->addrs_duplicate += st->routes.addr[i].state == RNL_ADDR_DUPLICATE;
	}
}

void rnl_addr_foreach(const struct rnl_stack *st,
		      bool (*fn)(void *arg, const struct rnl_addr_info *info), void *arg)
{
	unsigned int i;

	for (i = 0; i < st->routes.addrs; i++) {
		const struct rnl_route_addr *own = &st->routes.addr[i];
		const struct rnl_addr_info info = {
		    .addr = own->addr,
		    .prefix_len = (uint8_t)(own->prefix_len -
					    (rnl_addr_is_v4(&own->addr) ? 96 : 0)),
		    .state = own->state,
		    .port = own->port,
		};

		if (!fn(arg, &info))
			return;
	}
}

const char *rnl_stack_check(const struct rnl_stack *st)
{
	const struct rnl_core *core = &st->core;
	const char *broken = NULL;
	uint32_t i;

	for (i = 1; i < core->conns.fresh && broken == NULL; i++) {
		const struct rnl_tcb *tcb = rnl_core_tcb(core, i);

		if (in_table(st, tcb, i))
			broken = rnl_tcb_check(core, tcb);
	}
	return broken;
}
