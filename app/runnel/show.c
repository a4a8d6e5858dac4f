/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections and configuration on the console: see show.h. Floor 6. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "print.h"
#include "show.h"

#define SHOW_ADDRS 16

/* Connections of one stack, copied on its worker. */
struct conn_list {
	struct {
		rnl_conn_t id;
		struct rnl_conn_info info;
	} * conn;
	unsigned int n, max;
	uint64_t total;
};

static bool copy_conn(void *arg, rnl_conn_t c, const struct rnl_conn_info *info)
{
	struct conn_list *l = arg;

	l->total++;
	if (l->n < l->max) {
		l->conn[l->n].id = c;
		l->conn[l->n++].info = *info;
	}
	return true;
}

static void list_conns(struct rnl_stack *st, void *arg)
{
	rnl_conn_foreach(st, copy_conn, arg);
}

static void print_end(char *out, size_t size, const struct rnl_addr *addr, uint16_t port)
{
	char text[RNL_ADDR_STRLEN];

	snprintf(out, size, rnl_addr_is_v4(addr) ? "%s:%u" : "[%s]:%u", rnl_addr_format(addr, text),
	         port);
}

static void print_conn(rnl_conn_t id, const struct rnl_conn_info *i)
{
	char local[RNL_ADDR_STRLEN + 10], remote[RNL_ADDR_STRLEN + 10];

	print_end(local, sizeof(local), &i->tuple.laddr, i->tuple.lport);
	print_end(remote, sizeof(remote), &i->tuple.raddr, i->tuple.rport);
	printf("%16" PRIx64 " %-12s %-22s %-22s %9u %6u %9u %9u %7u %12" PRIu64 " %12" PRIu64 " %s\n", id,
	       rnl_state_text(i->tcpi_state), local, remote, i->tcpi_rtt, i->tcpi_snd_cwnd,
	       i->unacked_bytes, i->unread_bytes, i->tcpi_total_retrans, i->tcpi_bytes_received,
	       i->tcpi_bytes_acked, i->cc);
}

void rnl_show_conn(struct rnl_endpoint *e, unsigned int max)
{
	struct conn_list l = {.conn = calloc(max > 0 ? max : 1, sizeof(*l.conn))};
	uint64_t total = 0, shown = 0;
	unsigned int i, j;

	if (l.conn == NULL) {
		puts("out of memory: show fewer connections");
		return;
	}
	printf("%16s %-12s %-22s %-22s %9s %6s %9s %9s %7s %12s %12s %s\n", "id", "state", "local",
	       "remote", "rtt us", "cwnd", "in flight", "unread", "retrans", "received", "acked", "cc");
	for (i = 0; i < e->topo.nb_stacks; i++) {
		l.n = 0;
		l.max = max - (unsigned int)shown;
		l.total = 0;
		if (rnl_endpoint_on_stack(e, i, list_conns, &l) != 0)
			printf("stack %u does not answer\n", i);
		for (j = 0; j < l.n; j++)
			print_conn(l.conn[j].id, &l.conn[j].info);
		shown += l.n;
		total += l.total;
	}
	printf("%" PRIu64 " connections, %" PRIu64 " shown%s\n", total, shown,
	       shown < total ? ": 'show conn all' lists more" : "");
	free(l.conn);
}

static void read_usage(struct rnl_stack *st, void *arg)
{
	rnl_usage(st, arg);
}

/* The IPv6 addresses of a stack, those that it made itself too. */
struct addr_list {
	struct rnl_addr_info info[SHOW_ADDRS];
	unsigned int n, more;
};

static bool list_addr(void *arg, const struct rnl_addr_info *info)
{
	struct addr_list *l = arg;

	if (rnl_addr_is_v4(&info->addr))
		return true;
	if (l->n == SHOW_ADDRS)
		l->more++;
	else
		l->info[l->n++] = *info;
	return true;
}

static void read_addrs(struct rnl_stack *st, void *arg)
{
	rnl_addr_foreach(st, list_addr, arg);
}

static void show_ipv6(struct rnl_endpoint *e, unsigned int i)
{
	static const char *const states[] = {"", " (deprecated)", " (being checked)",
	                                     " (another host has it: not used)"};
	struct addr_list l = {.n = 0};
	char text[RNL_ADDR_STRLEN];

	if (rnl_endpoint_on_stack(e, i, read_addrs, &l) != 0)
		return;
	for (i = 0; i < l.n; i++)
		printf("  %s/%u%s\n", rnl_addr_format(&l.info[i].addr, text), l.info[i].prefix_len,
		       states[l.info[i].state & 3]);
	if (l.more > 0)
		printf("  and %u IPv6 addresses more\n", l.more);
}

static void show_stack(struct rnl_endpoint *e, unsigned int i)
{
	const struct rnl_topo_stack *s = &e->topo.stacks[i];
	struct rnl_usage u = {0};
	unsigned int j;

	printf("Stack %u on lcore %u:", i, s->lcore);
	for (j = 0; j < s->nb_ports; j++)
		printf(" port %u queue %u", s->ports[j].port_id, s->ports[j].queue);
	putchar('\n');
	if (rnl_endpoint_on_stack(e, i, read_usage, &u) != 0) {
		puts("  does not answer");
		return;
	}
	printf("  connections %u of %u, busy %u of %u, half-open and TIME-WAIT %u of %u\n", u.conns,
	       u.conns_max, u.busy, u.busy_max, u.minis, u.minis_max);
	printf(
	    "  received buffers held %u of %u, packets waiting %u, octets per idle connection %u\n",
	    u.held, u.held_max, u.txq, u.bytes_per_conn);
	printf("  listeners %u, neighbours %u, routes %u, hosts remembered %u of %u\n", u.listeners,
	       u.neighbours, u.routes, u.hosts, u.hosts_max);
	show_ipv6(e, i);
}

static void show_addrs(const struct rnl_topo_opts *o)
{
	char text[RNL_ADDR_STRLEN];
	unsigned int i;

	for (i = 0; i < o->nb_addrs; i++) {
		const struct rnl_topo_addr *a = &o->addrs[i];

		printf("Port %u: %s/%u", a->port, rnl_addr_format(&a->range.first, text),
		       a->prefix_len);
		if (a->range.count > 1)
			printf(" and the next %u addresses", a->range.count - 1);
		putchar('\n');
	}
	for (i = 0; i < 2; i++)
		if (o->has_gateway[i])
			printf("Gateway: %s\n", rnl_addr_format(&o->gateway[i], text));
	if (o->ipv6 & RNL_IPV6_AUTOCONF)
		puts("IPv6: as routers advertise");
}

/* The service's congestion control, or the one of all. */
static void show_service(const struct rnl_service *s, const struct rnl_cc_ops *all)
{
	const struct rnl_cc_ops *cc = s->listen.opts.cc != NULL ? s->listen.opts.cc : all;

	printf("  %s (%s)\n", s->text, cc != NULL ? cc->name : rnl_cc_nth(0)->name);
}

void rnl_show_config(struct rnl_endpoint *e)
{
	const struct rnl_topo_opts *o = &e->topo.opts;
	char vlan[8] = "none";
	unsigned int i;

	if (o->vlan != 0)
		snprintf(vlan, sizeof(vlan), "%u", o->vlan);
	printf("%s\n", e->listening ? "Listening:" : "Stopped; 'start' listens for:");
	for (i = 0; i < e->params->nb_services; i++)
		show_service(&e->params->services[i], o->cc);
	show_addrs(o);
	for (i = 0; i < e->topo.nb_devs; i++)
		printf("Port %u: %u queues\n", e->topo.devs[i].port_id, e->topo.devs[i].nb_queues);
	printf("Burst: %u packets; VLAN: %s; offloads: %s\n", o->burst != 0 ? o->burst : 32, vlan,
	       o->no_offloads ? "off" : "as the device has them");
	for (i = 0; i < e->topo.nb_stacks; i++)
		show_stack(e, i);
}
