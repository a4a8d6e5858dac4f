/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of app/common/topology.c, topo_map.c, loop.c and of rnl_eal_start(), over ring links and
 * with stacks that only write down what is asked of them.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "port/ringlink.h"

#include "eal.h"
#include "loop.h"
#include "signals.h"
#include "topology.h"

struct rnl_stack {
	struct rnl_stack_config cfg;
	struct rnl_port ports[8];
	unsigned int nb_ports, addrs, routes, neighs;
	uint64_t polls;
};

static unsigned int alive;        /* stacks */
static unsigned int fail_at_addr; /* this address, counted from 1, is refused; 0: none */
static struct rnl_error err;

int rnl_stack_create(const struct rnl_stack_config *cfg, struct rnl_stack **out,
                     struct rnl_error *e)
{
	*out = calloc(1, sizeof(**out));
	assert_non_null(*out);
	(*out)->cfg = *cfg;
	alive++;
	return 0;
}

int rnl_stack_destroy(struct rnl_stack *st)
{
	alive--;
	free(st);
	return 0;
}

int rnl_port_add(struct rnl_stack *st, const struct rnl_port *port, struct rnl_error *e)
{
	st->ports[st->nb_ports] = *port;
	return (int)st->nb_ports++;
}

int rnl_addr_add(struct rnl_stack *st, unsigned int port, const struct rnl_addr *addr,
                 unsigned int prefix_len, struct rnl_error *e)
{
	assert_true(port < st->nb_ports);
	if (++st->addrs != fail_at_addr)
		return 0;
	snprintf(e->text, sizeof(e->text), "refused: by the test");
	return -EINVAL;
}

int rnl_route_add(struct rnl_stack *st, const struct rnl_addr *prefix, unsigned int prefix_len,
                  const struct rnl_addr *gateway, struct rnl_error *e)
{
	assert_int_equal(prefix_len, 0);
	st->routes++;
	return 0;
}

int rnl_neigh_add(struct rnl_stack *st, unsigned int port, const struct rnl_addr *addr,
                  const uint8_t mac[6], struct rnl_error *e)
{
	st->neighs++;
	return 0;
}

unsigned int rnl_poll(struct rnl_stack *st, uint64_t now_ns)
{
	__atomic_add_fetch(&st->polls, 1, __ATOMIC_RELAXED);
	return 0;
}

static uint64_t checked_after; /* polls that an IPv6 address takes to become usable */

void rnl_addr_foreach(const struct rnl_stack *st,
                      bool (*fn)(void *arg, const struct rnl_addr_info *info), void *arg)
{
	struct rnl_addr_info info = {.addr = {.b = {0xfd}}, .prefix_len = 64};

	info.state = st->polls < checked_after ? RNL_ADDR_TENTATIVE : RNL_ADDR_PREFERRED;
	fn(arg, &info);
}

/* Options for a port, with one address on it. */
static struct rnl_topo_opts opts_for(uint16_t port)
{
	return (struct rnl_topo_opts){
	    .portmask = UINT64_C(1) << port,
	    .addrs = {{.port = port, .prefix_len = 24, .range = {rnl_addr_v4(10, 0, 0, 1), 1}}},
	    .nb_addrs = 1,
	    .mbufs = 512,
	    .extra_rx = 64,
	};
}

static void refuse(const struct rnl_topo_opts *o, int rc, const char *hint)
{
	static struct rnl_topo t;

	memset(&err, 0, sizeof(err));
	assert_int_equal(rnl_topo_open(o, &t, &err), rc);
	assert_non_null(strstr(err.text, hint));
	assert_int_equal(alive, 0);
	assert_null(rte_mempool_lookup("rnl_rnl_0_pkt"));
	assert_null(rte_mempool_lookup("rnl_rx_0_0"));
}

static void topology__one_stack_for_each_worker_lcore(void **state)
{
	static struct rnl_topo t;
	struct rnl_topo *all[] = {&t};
	struct rnl_worker w[4];
	struct rnl_topo_opts o;
	uint16_t ids[2];

	assert_int_equal(rnl_ring_link("t", 3, ids, &err), 0);
	o = opts_for(ids[0]);
	o.burst = 16;
	o.first_id = 5;
	o.has_gateway[0] = true;
	o.gateway[0] = rnl_addr_v4(10, 0, 0, 254);
	assert_int_equal(rnl_topo_open(&o, &t, &err), 0);
	/* three queues, but two worker lcores: 1 and 2 */
	assert_int_equal(t.nb_devs, 1);
	assert_int_equal(t.nb_stacks, 2);
	assert_int_equal(t.stacks[0].lcore, 1);
	assert_int_equal(t.stacks[1].lcore, 2);
	assert_int_equal(t.stacks[1].ports[0].queue, 1);
	for (unsigned int i = 0; i < 2; i++) {
		const struct rnl_stack *st = t.stacks[i].st;

		assert_int_equal(st->cfg.id, 5 + i);
		assert_int_equal(st->cfg.burst, 16);
		assert_int_equal(st->cfg.max_held, 64);
		assert_ptr_equal(st->cfg.pkt_pool, t.stacks[i].pkt_pool);
		assert_true(st->nb_ports == 1 && st->addrs == 1 && st->routes == 1);
	}
	/* one endpoint: its stacks share the secrets, which are no zeros */
	assert_memory_equal(&t.stacks[0].st->cfg.secrets, &t.stacks[1].st->cfg.secrets, 64);
	assert_memory_not_equal(t.stacks[0].st->cfg.secrets.isn, t.stacks[0].st->cfg.secrets.ts,
	                        16);
	assert_int_not_equal(t.stacks[0].st->cfg.seed, t.stacks[1].st->cfg.seed);
	assert_int_equal(rnl_topo_workers(all, 1, w, 4, &err), 2);
	assert_int_equal(rnl_topo_workers(all, 1, w, 1, &err), -ENOSPC);
	rnl_topo_close(&t);
	assert_int_equal(alive, 0);
	rnl_ring_unlink("t");
}

/* RFC 4862 5.4: nobody is told that an address works before it does. */
static void topology__waits_for_ipv6_addresses(void **state)
{
	static struct rnl_topo t;
	struct rnl_topo_opts o;
	uint16_t ids[2];

	assert_int_equal(rnl_ring_link("t", 1, ids, &err), 0);
	o = opts_for(ids[0]);
	o.ipv6 = RNL_IPV6_ROUTERS | RNL_IPV6_AUTOCONF;
	o.nb_addrs = 0; /* routers will give one */
	checked_after = 20;
	assert_int_equal(rnl_topo_open(&o, &t, &err), 0);
	assert_true(t.stacks[0].st->polls >= 20);
	assert_int_equal(t.stacks[0].st->ports[0].ipv6, o.ipv6);
	checked_after = 0;
	rnl_topo_close(&t);
	rnl_ring_unlink("t");
}

static void topology__two_of_them_share_an_lcore(void **state)
{
	static struct rnl_topo a, b;
	struct rnl_topo *both[] = {&a, &b};
	struct rnl_worker w[4];
	struct rnl_topo_opts o;
	struct rte_mbuf *m;
	uint16_t ids[2];

	assert_int_equal(rnl_ring_link("t", 1, ids, &err), 0);
	o = opts_for(ids[0]);
	o.map[0] = (struct rnl_queue_map){.port = ids[0], .lcore = 0};
	o.nb_map = 1;
	assert_int_equal(rnl_topo_open(&o, &a, &err), 0);
	o = opts_for(ids[1]);
	o.map[0] = (struct rnl_queue_map){.port = ids[1], .lcore = 0};
	o.nb_map = 1;
	o.name = "srv";
	assert_int_equal(rnl_topo_open(&o, &b, &err), 0);
	assert_int_equal(rnl_topo_workers(both, 2, w, 4, &err), 1);
	assert_ptr_equal(w[0].stacks[0], a.stacks[0].st);
	assert_ptr_equal(w[0].stacks[1], b.stacks[0].st);
	assert_null(w[0].stacks[2]);
	/* a packet is on the wire when both go: its pool must see it again */
	m = rte_pktmbuf_alloc(a.stacks[0].pkt_pool);
	assert_int_equal(a.stacks[0].st->ports[0].ops->tx(a.stacks[0].st->ports[0].ctx, &m, 1), 1);
	rnl_topo_close_all(both, 2);
	assert_null(rte_mempool_lookup("rnl_rnl_0_pkt"));
	assert_null(rte_mempool_lookup("rnl_srv_0_pkt"));
	rnl_ring_unlink("t");
}

static void topology__mistakes_leave_nothing_behind(void **state)
{
	struct rnl_topo_opts o, good;
	uint16_t ids[2];

	o = opts_for(0);
	o.portmask = 0;
	refuse(&o, -ENODEV, "no ports: name a device");
	assert_int_equal(rnl_ring_link("t", 2, ids, &err), 0);
	good = opts_for(ids[0]);
	o = good;
	o.portmask = 1u << 9;
	refuse(&o, -ENODEV, "-p names port 9");
	o = good;
	o.nb_addrs = 0;
	refuse(&o, -EINVAL, "add --ip");
	o = good;
	o.addrs[0].port = 7;
	refuse(&o, -EINVAL, "names port 7");
	o = good;
	o.rxq = 5;
	refuse(&o, -EINVAL, "--rxq 5 is more than port");
	o = good;
	o.nb_map = 1;
	o.map[0] = (struct rnl_queue_map){ids[0], 0, 99};
	refuse(&o, -EINVAL, "lcore 99, which is not enabled");
	o.map[0] = (struct rnl_queue_map){ids[0], 1, 1};
	refuse(&o, -EINVAL, "from 0 on");
	o.nb_map = 2;
	o.map[1] = (struct rnl_queue_map){ids[0], 0, 1};
	refuse(&o, -EINVAL, "two queues of port");
	o.map[1] = (struct rnl_queue_map){ids[1], 0, 1};
	refuse(&o, -ENODEV, "-p leaves out");
	rnl_ring_unlink("t");
}

static void topology__late_failures_close_everything(void **state)
{
	struct rnl_topo_opts o;
	uint16_t ids[2];

	assert_int_equal(rnl_ring_link("t", 2, ids, &err), 0);
	o = opts_for(ids[0]);
	fail_at_addr = 1;
	refuse(&o, -EINVAL, "refused: by the test");
	fail_at_addr = 0;
	rnl_ring_unlink("t");
	/* pools that do not fit, after the device is open */
	assert_int_equal(rnl_ring_link("t", 2, ids, &err), 0);
	o = opts_for(ids[0]);
	o.mbufs = 1u << 22;
	refuse(&o, -ENOMEM, "fewer buffers");
	rnl_ring_unlink("t");
}

struct counter {
	struct rnl_stack *st;
	struct rnl_loop *loop;
	unsigned int ticks;
};

static void count(void *ctx)
{
	struct counter *c = ctx;

	if (__atomic_load_n(&c->st->polls, __ATOMIC_RELAXED) == 0)
		return; /* the worker has not begun yet */
	if (++c->ticks == 3 && c->loop != NULL)
		rnl_loop_stop(c->loop);
	else if (c->ticks == 3)
		raise(SIGINT);
}

/* Runs a loop with a stack on `lcore` until the third tick ends it: by a call, or by a signal. */
static void run_loop(unsigned int lcore, bool by_signal)
{
	struct rnl_stack st = {.polls = 0};
	struct rnl_worker w = {.size = sizeof(w), .lcore = lcore, .stacks = {&st}};
	struct counter c = {.st = &st};
	struct rnl_loop loop = {
	    .workers = &w, .nb_workers = 1, .tick = count, .tick_ctx = &c, .tick_us = 500};

	c.loop = by_signal ? NULL : &loop;
	rnl_signals_catch();
	assert_int_equal(rnl_loop_run(&loop, &err), 0);
	assert_int_equal(c.ticks, 3);
	assert_int_equal(rnl_signals_caught(), by_signal ? SIGINT : 0);
	rnl_signals_clear();
	assert_int_equal(rnl_signals_caught(), 0);
}

static void loop__ticks_on_the_main_lcore_with_or_without_a_worker(void **state)
{
	run_loop(0, false);
	run_loop(1, false);
}

static void loop__ends_on_a_signal(void **state)
{
	run_loop(0, true);
	run_loop(1, true);
}

static int first_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 0;
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(topology__one_stack_for_each_worker_lcore),
	    cmocka_unit_test(topology__waits_for_ipv6_addresses),
	    cmocka_unit_test(topology__two_of_them_share_an_lcore),
	    cmocka_unit_test(topology__mistakes_leave_nothing_behind),
	    cmocka_unit_test(topology__late_failures_close_everything),
	    cmocka_unit_test(loop__ticks_on_the_main_lcore_with_or_without_a_worker),
	    cmocka_unit_test(loop__ends_on_a_signal),
	};
	char prog[] = "test_topology", o1[] = "--no-huge", o2[] = "-m", o3[] = "64",
	     o4[] = "--no-pci", o5[] = "--no-shconf", o6[] = "--no-telemetry", lcores[64],
	     end[] = "--", own[] = "-x";
	char *argv[] = {prog, o1, o2, o3, o4, o5, o6, lcores, end, own, NULL};
	const int argc = sizeof(argv) / sizeof(argv[0]) - 1;
	int rc, cpu = first_cpu();

	/* lcores 0 (main), 1 and 2, all on one CPU */
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d,1@%d,2@%d", cpu, cpu, cpu);
	rc = rnl_eal_start(argc, argv, &err);
	if (rc < 0)
		return rnl_eal_fail(prog, &err);
	if (rc != argc - 2 || strcmp(argv[rc + 1], "-x") != 0)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rnl_eal_stop();
	return rc;
}
