/* SPDX-License-Identifier: BSD-3-Clause */
/* The stacks: made from the scenario, polled when a frame or a deadline is there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "sim.h"
#include "stack/stack.h"

#define POOL_BUFS 2048

static struct rte_mempool *pkt_pools[SIM_NODES_MAX], *hdr_pools[SIM_NODES_MAX];

int node_pools_init(void)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	for (unsigned int i = 0; i < SIM_NODES_MAX; i++) {
		snprintf(name, sizeof(name), "sim_pkt%u", i);
		pkt_pools[i] = rte_pktmbuf_pool_create(name, POOL_BUFS, 0, 0,
		                                       RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
		snprintf(name, sizeof(name), "sim_hdr%u", i);
		hdr_pools[i] = rte_pktmbuf_pool_create(name, 2 * POOL_BUFS, 0, 0,
		                                       RTE_PKTMBUF_HEADROOM + 256, SOCKET_ID_ANY);
		if (pkt_pools[i] == NULL || hdr_pools[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

struct rte_mempool *node_pkt_pool(unsigned int id)
{
	return pkt_pools[id];
}

unsigned int node_pools_leak(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < SIM_NODES_MAX; i++)
		n +=
		    rte_mempool_in_use_count(pkt_pools[i]) + rte_mempool_in_use_count(hdr_pools[i]);
	return n;
}

/* Takes nearly all packet buffers away from every node. */
void node_steal(struct world *w)
{
	for (unsigned int i = 0; i < w->sc.nodes; i++) {
		unsigned int leave = sim_below(w, 40);
		unsigned int take = rte_mempool_avail_count(pkt_pools[i]);

		while (take-- > leave && w->nstolen < sizeof(w->stolen) / sizeof(w->stolen[0])) {
			struct rte_mbuf *m = rte_pktmbuf_alloc(pkt_pools[i]);

			if (m == NULL)
				break;
			w->stolen[w->nstolen++] = m;
		}
	}
}

void node_feed(struct world *w)
{
	while (w->nstolen > 0)
		rte_pktmbuf_free(w->stolen[--w->nstolen]);
}

static void quiet(void *ctx, enum rnl_log_level level, const char *module, const char *text)
{
	struct world *w = ctx;

	if (w->verbose)
		printf("  %llu.%06llu %s: %s\n", (unsigned long long)(w->now_ns / SIM_S),
		       (unsigned long long)(w->now_ns / 1000 % 1000000), module, text);
}

/* An appliance that looks at what is not ours, and takes some of it. */
static bool unclaimed(void *ctx, struct rnl_stack *st, unsigned int port, struct rte_mbuf *m)
{
	if (!sim_pct(ctx, 50))
		return false;
	rte_pktmbuf_free(m);
	return true;
}

static struct rnl_stack_config stack_config(struct world *w, unsigned int id)
{
	struct rnl_stack_config c = {
	    .size = sizeof(c),
	    .id = id,
	    .socket_id = -1,
	    .max_conns = 64,
	    .pkt_pool = pkt_pools[id],
	    .hdr_pool = hdr_pools[id],
	    .seed = w->seed + id,
	    .burst = (uint16_t)(1 + sim_below(w, 64)),
	    .log = quiet,
	    .log_ctx = w,
	    .syncookies = w->sc.syncookies,
	};

	for (unsigned int i = 0; i < sizeof(c.secrets); i++)
		((uint8_t *)&c.secrets)[i] = (uint8_t)(w->seed >> i % 8) ^ (uint8_t)(i * 41);
	if (sim_pct(w, 50)) {
		c.unclaimed = unclaimed;
		c.unclaimed_ctx = w;
	}
	/* A short TIME-WAIT may be over before a lost FIN comes again. */
	c.time_wait_ms = w->sc.clean || sim_pct(w, 50) ? 0 : 100 + sim_below(w, 5000);
	if (sim_pct(w, 30))
		c.txq_size = (uint16_t)(1u << sim_below(w, 8));
	if (w->sc.small_pools) {
		c.max_conns = 2 + sim_below(w, 6);
		c.max_minis = 2 + sim_below(w, 6);
		c.max_busy = 1 + sim_below(w, 4);
		c.max_held = 16 + sim_below(w, 64);
	}
	return c;
}

static struct rnl_addr address(const struct world *w, unsigned int id)
{
	struct rnl_addr a;
	char text[RNL_ADDR_STRLEN];

	snprintf(text, sizeof(text), w->sc.ip6 ? "fd00::%u" : "10.0.0.%u", id + 1);
	rnl_addr_parse(text, &a);
	return a;
}

static int listen_on(struct world *w, struct node *n, struct rnl_error *err)
{
	struct rnl_listen_config lc = {.size = sizeof(lc),
	                               .port_first = SIM_PORT,
	                               .ops = &app_ops,
	                               .ctx = w,
	                               .opts = w->sc.opts[n->id]};
	rnl_listener_t l;

	if (w->sc.small_pools && sim_pct(w, 50))
		lc.backlog = 1 + sim_below(w, 3);
	return rnl_listen(n->stack, &lc, &l, err);
}

static void on_far_timer(struct rnl_stack *st, void *arg)
{
}

/* Uses up the stack's timers, so that the users must do without. */
static void take_timers(struct world *w, struct node *n)
{
	unsigned int i = 0;
	rnl_timer_t t;

	while (rnl_timer_start(n->stack, w->now_ns + 100000 * SIM_S, on_far_timer, w, &t) == 0)
		if (++i > 100000) {
			sim_fail(w, "node %u has timers without end", n->id);
			return;
		}
}

bool node_create(struct world *w, unsigned int id)
{
	struct node *n = &w->node[id];
	struct rnl_stack_config c = stack_config(w, id);
	struct rnl_port p = {.size = sizeof(p),
	                     .ops = &wire_port_ops,
	                     .ctx = n,
	                     .mac = {2, 0, 0, 0, 0, (uint8_t)(id + 1)},
	                     .vlan = w->sc.vlan,
	                     .caps = w->sc.caps[id] | (w->sc.raw ? RNL_CAP_RAW_IP : 0),
	                     .ipv6 = w->sc.ipv6};
	struct rnl_error err = {""};
	int rc;

	*n = (struct node){
	    .w = w, .id = id, .addr = address(w, id), .backoff_ns = w->sc.poll_gap_ns};
	memcpy(n->mac, p.mac, sizeof(n->mac));
	rc = rnl_stack_create(&c, &n->stack, &err);
	if (rc == 0) {
		rc = rnl_port_add(n->stack, &p, &err);
		n->port = (unsigned int)rc;
	}
	if (rc >= 0)
		rc = rnl_addr_add(n->stack, n->port, &n->addr, w->sc.ip6 ? 64 : 24, &err);
	if (rc >= 0)
		rc = listen_on(w, n, &err);
	if (rc < 0)
		sim_fail(w, "node %u cannot be made: %s (%d)", id, err.text, rc);
	else
		node_poll(w, n); /* the stack learns what time it is */
	if (rc >= 0 && w->sc.small_pools && sim_pct(w, 10))
		take_timers(w, n);
	return rc >= 0;
}

void node_destroy(struct world *w, unsigned int id)
{
	struct node *n = &w->node[id];
	uint64_t v[SIM_COUNTERS_MAX] = {0};
	unsigned int count = rnl_counters_count();

	if (n->stack == NULL)
		return;
	rnl_counters_read(n->stack, v, count);
	for (unsigned int i = 0; i < count && i < SIM_COUNTERS_MAX; i++)
		w->counters[i] += v[i];
	if (v[0] != 0)
		sim_fail(w, "node %u: a transition between states that does not exist", id);
	rnl_stack_destroy(n->stack);
	n->stack = NULL;
}

/*
 * A stack that waits for something that no deadline brings (memory, a driver) asks to be polled
 * again at once. As an idle loop would, this one backs off as long as no packet comes.
 */
void node_poll(struct world *w, struct node *n)
{
	bool received = n->rx_head < n->rx_len;
	const char *broken;
	uint64_t at, soonest;

	w->polls++;
	n->last_poll_ns = w->now_ns;
	rnl_poll(n->stack, w->now_ns);
	broken = rnl_stack_check(n->stack);
	if (broken != NULL)
		sim_fail(w, "node %u: %s", n->id, broken);
	at = rnl_next_deadline(n->stack);
	if (received || at > w->now_ns + 2000)
		n->backoff_ns = w->sc.poll_gap_ns;
	else if (n->backoff_ns < 20 * SIM_MS)
		n->backoff_ns *= 2;
	soonest = w->now_ns + (at > w->now_ns + 2000 ? w->sc.poll_gap_ns : n->backoff_ns);
	n->wake_ns = at < soonest ? soonest : at;
}
