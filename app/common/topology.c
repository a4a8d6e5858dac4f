/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * topology - opens and closes what topology.h describes. Floor 6.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_log.h>


#include "args_err.h"
#include "signals.h"
#include "topo_map.h"
#include "topology.h"

#define DEFAULT_NAME "rnl"
#define DEFAULT_MBUFS 16384
#define DEFAULT_EXTRA_RX 8192
#define DEFAULT_LINK_WAIT_MS 9000
#define LINK_STEP_MS 100
#define ADDR_WAIT_NS UINT64_C(8000000000)
#define ADDR_STEP_US 1000

/*
 * The machine's id is not to be seen by others (machine-id(5)); the library shows no more than a
 * keyed hash that has this as its key. Without one, identifiers last as long as the process.
 */
static void stable_secret(uint8_t key[16])
{
	FILE *f = fopen("/etc/machine-id", "re");
	unsigned int octet;

	if (f == NULL)
		return;
	for (unsigned int i = 0; i < 16 && fscanf(f, "%2x", &octet) == 1; i++)
		key[i] = (uint8_t)octet;
	fclose(f);
}

int rnl_topo_secrets(struct rnl_secrets *out, struct rnl_error *err)
{
	if (getrandom(out, sizeof(*out), 0) == (ssize_t)sizeof(*out)) {
		stable_secret(out->iid);
		return 0;
	}
	return rnl_app_err(err, -errno,
	                   "getrandom(2) gives no random octets (%s): a kernel of 3.17 or "
	                   "later is needed",
	                   strerror(errno));
}

static int fill_defaults(struct rnl_topo_opts *o, struct rnl_secrets *secrets,
                         struct rnl_error *err)
{
	if (o->name == NULL)
		o->name = DEFAULT_NAME;
	if (o->mbufs == 0)
		o->mbufs = DEFAULT_MBUFS;
	if (o->extra_rx == 0)
		o->extra_rx = DEFAULT_EXTRA_RX;
	if (o->link_wait_ms == 0)
		o->link_wait_ms = DEFAULT_LINK_WAIT_MS;
	if (o->nb_addrs == 0 && !(o->ipv6 & RNL_IPV6_AUTOCONF))
		return rnl_app_err(err, -EINVAL,
		                   "no address: add --ip, such as --ip 10.0.0.1/24, or --ipv6-auto");
	if (o->seed == 0 && getrandom(&o->seed, sizeof(o->seed), 0) != (ssize_t)sizeof(o->seed))
		return rnl_app_err(err, -errno, "getrandom(2) failed (%s): give --seed",
		                   strerror(errno));
	if (o->secrets == NULL)
		return rnl_topo_secrets(secrets, err);
	*secrets = *o->secrets;
	return 0;
}

static int open_dev(struct rnl_topo *t, uint16_t port_id, uint16_t queues, struct rnl_error *err)
{
	const struct rnl_topo_opts *o = &t->opts;
	struct rnl_topo_dev *d = &t->devs[t->nb_devs];
	const struct rnl_dev_config cfg = {
	    .size = sizeof(cfg),
	    .port_id = port_id,
	    .nb_rxq = queues,
	    .nb_txq = RTE_MAX(o->txq, queues),
	    .nb_rxd = o->rxd,
	    .nb_txd = o->txd,
	    .mtu = o->mtu,
	    .vlan = o->vlan,
	    .extra_mbufs = o->extra_rx,
	    .no_tx_offloads = o->no_offloads,
	    .promiscuous = o->promiscuous,
	    .link_wait_ms = 1, /* all links are waited for together, below */
	};
	int rc = rnl_dev_open(&cfg, &d->dev, err);

	if (rc != 0)
		return rc;
	d->port_id = port_id;
	d->nb_queues = queues;
	t->nb_devs++;
	if (rnl_dev_queues(d->dev) < queues)
		return rnl_app_err(err, -EINVAL,
		                   "port %u has %u queues and not %u: change --config or "
		                   "--rxq",
		                   port_id, rnl_dev_queues(d->dev), queues);
	return 0;
}

static unsigned int links_down(const struct rnl_topo *t)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < t->nb_devs; i++) {
		struct rte_eth_link link = {0};

		if (rte_eth_link_get_nowait(t->devs[i].port_id, &link) != 0 ||
		    link.link_status != RTE_ETH_LINK_UP)
			n++;
	}
	return n;
}

/* A peer that comes later is fine; a signal ends the wait. */
static void wait_links(const struct rnl_topo *t)
{
	unsigned int waited_ms = 0;

	while (links_down(t) != 0 && waited_ms < t->opts.link_wait_ms &&
	       rnl_signals_caught() == 0) {
		rte_delay_us_sleep(LINK_STEP_MS * 1000);
		waited_ms += LINK_STEP_MS;
	}
	if (links_down(t) != 0)
		rte_log(RTE_LOG_WARNING, RTE_LOGTYPE_USER1,
		        "runnel: links of %u ports are down, going on without them\n",
		        links_down(t));
}

/* What a stack still waits for before its IPv6 addresses can be used. */
struct addr_wait {
	bool tentative, global;
};

static bool look_at(void *arg, const struct rnl_addr_info *info)
{
	struct addr_wait *w = arg;

	w->tentative |= info->state == RNL_ADDR_TENTATIVE;
	w->global |= !rnl_addr_is_v4(&info->addr) && info->addr.b[0] != 0xfe &&
	             info->state <= RNL_ADDR_DEPRECATED;
	return true;
}

/* The time until the check for duplicates ends, or a router gave an address (RFC 4862 5.4, 5.5). */
static bool addrs_missing(struct rnl_topo *t)
{
	bool missing = false;

	for (unsigned int i = 0; i < t->nb_stacks; i++) {
		struct addr_wait w = {false, !(t->opts.ipv6 & RNL_IPV6_AUTOCONF)};

		rnl_poll(t->stacks[i].st, rnl_clock_ns());
		rnl_addr_foreach(t->stacks[i].st, look_at, &w);
		missing |= w.tentative || !w.global;
	}
	return missing;
}

/* No worker runs yet: the stacks are this thread's to poll. */
static void wait_addrs(struct rnl_topo *t)
{
	const uint64_t end_ns = rnl_clock_ns() + ADDR_WAIT_NS;

	while (addrs_missing(t) && rnl_signals_caught() == 0) {
		if (rnl_clock_ns() > end_ns) {
			rte_log(RTE_LOG_WARNING, RTE_LOGTYPE_USER1,
			        "runnel: IPv6 addresses are not ready yet, or no router gives "
			        "any: going on without them\n");
			return;
		}
		rte_delay_us_sleep(ADDR_STEP_US);
	}
}

static int make_pools(struct rnl_topo *t, struct rnl_topo_stack *s, struct rnl_error *err)
{
	char name[17];

	snprintf(name, sizeof(name), "%.8s_%u", t->opts.name, (unsigned int)(s - t->stacks));
	return rnl_pools_create(name, t->opts.mbufs, (int)rte_lcore_to_socket_id(s->lcore),
	                        &s->pkt_pool, &s->hdr_pool, err);
}

static int make_stack(struct rnl_topo *t, unsigned int lcore, const struct rnl_secrets *secrets,
                      struct rnl_error *err)
{
	const struct rnl_topo_opts *o = &t->opts;
	struct rnl_topo_stack *s = &t->stacks[t->nb_stacks];
	struct rnl_stack_config cfg = {
	    .size = sizeof(cfg),
	    .id = o->first_id + t->nb_stacks,
	    .socket_id = (int)rte_lcore_to_socket_id(lcore),
	    .max_conns = o->max_conns,
	    .max_minis = o->max_minis,
	    /* What waits for the application must not eat the refill reserve. */
	    .max_held = o->extra_rx,
	    .burst = o->burst,
	    .secrets = *secrets,
	    .seed = o->seed + t->nb_stacks,
	    .time_wait_ms = o->time_wait_ms,
	    .max_hosts = o->max_hosts,
	    .pmtu_ms = o->pmtu_ms,
	    .max_fragments = o->max_fragments,
	    .cc = o->cc,
	};
	int rc;

	if (t->nb_stacks == RNL_TOPO_MAX_STACKS)
		return rnl_app_err(err, -EINVAL, "more than %d lcores poll queues: use fewer",
		                   RNL_TOPO_MAX_STACKS);
	s->lcore = lcore;
	t->nb_stacks++;
	rc = make_pools(t, s, err);
	if (rc != 0)
		return rc;
	cfg.pkt_pool = s->pkt_pool;
	cfg.hdr_pool = s->hdr_pool;
	cfg.now_ns = rnl_clock_ns();
	return rnl_stack_create(&cfg, &s->st, err);
}

static struct rnl_topo_stack *stack_on(struct rnl_topo *t, unsigned int lcore)
{
	for (unsigned int i = 0; i < t->nb_stacks; i++)
		if (t->stacks[i].lcore == lcore)
			return &t->stacks[i];
	return NULL;
}

static int attach(struct rnl_topo *t, const struct rnl_queue_map *m, struct rnl_error *err)
{
	struct rnl_topo_stack *s = stack_on(t, m->lcore);
	unsigned int i = 0;
	struct rnl_port port;
	int index;

	while (t->devs[i].port_id != m->port)
		i++;
	if (rnl_dev_queue(t->devs[i].dev, m->queue, &port) != 0)
		return rnl_app_err(err, -EINVAL, "port %u has no queue %u: change --config",
		                   m->port, m->queue);
	port.ipv6 = t->opts.ipv6;
	index = rnl_port_add(s->st, &port, err);
	if (index < 0)
		return index;
	s->ports[index].port_id = m->port;
	s->ports[index].queue = m->queue;
	s->nb_ports = (unsigned int)index + 1;
	return 0;
}

static int make_stacks(struct rnl_topo *t, const struct rnl_secrets *secrets, struct rnl_error *err)
{
	int rc = 0;

	for (unsigned int i = 0; i < t->opts.nb_map && rc == 0; i++) {
		const struct rnl_queue_map *m = &t->opts.map[i];

		if (stack_on(t, m->lcore) == NULL)
			rc = make_stack(t, m->lcore, secrets, err);
		if (rc == 0)
			rc = attach(t, m, err);
	}
	return rc;
}

static int add_range(struct rnl_topo_stack *s, unsigned int port, const struct rnl_topo_addr *a,
                     struct rnl_error *err)
{
	for (uint32_t i = 0; i < a->range.count; i++) {
		struct rnl_addr addr = rnl_addr_range_at(&a->range, i);
		int rc = rnl_addr_add(s->st, port, &addr, a->prefix_len, err);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int address_port(struct rnl_topo *t, struct rnl_topo_stack *s, unsigned int port,
                        struct rnl_error *err)
{
	const struct rnl_topo_opts *o = &t->opts;
	uint16_t id = s->ports[port].port_id;
	int rc = 0;

	for (unsigned int i = 0; i < o->nb_addrs && rc == 0; i++)
		if (o->addrs[i].port == id)
			rc = add_range(s, port, &o->addrs[i], err);
	for (unsigned int i = 0; i < o->nb_neighs && rc == 0; i++)
		if (o->neighs[i].port == id)
			rc = rnl_neigh_add(s->st, port, &o->neighs[i].addr, o->neighs[i].mac, err);
	return rc;
}

static int address_stack(struct rnl_topo *t, struct rnl_topo_stack *s, struct rnl_error *err)
{
	const struct rnl_addr any[2] = {rnl_addr_v4(0, 0, 0, 0), {{0}}};
	int rc = 0;

	for (unsigned int p = 0; p < s->nb_ports && rc == 0; p++)
		rc = address_port(t, s, p, err);
	for (unsigned int i = 0; i < 2 && rc == 0; i++)
		if (t->opts.has_gateway[i])
			rc = rnl_route_add(s->st, &any[i], 0, &t->opts.gateway[i], err);
	return rc;
}

/* An option for a port that is not used is a mistake, not a no-op. */
static int check_ports(const struct rnl_topo *t, const struct rnl_topo_ports *ports,
                       struct rnl_error *err)
{
	uint64_t used = 0, named = 0;

	for (unsigned int i = 0; i < ports->n; i++)
		used |= UINT64_C(1) << ports->id[i] % 64;
	for (unsigned int i = 0; i < t->opts.nb_addrs; i++)
		named |= UINT64_C(1) << t->opts.addrs[i].port % 64;
	for (unsigned int i = 0; i < t->opts.nb_neighs; i++)
		named |= UINT64_C(1) << t->opts.neighs[i].port % 64;
	if ((named & ~used) == 0)
		return 0;
	return rnl_app_err(err, -EINVAL,
	                   "--ip or --neigh names port %d, which is not used: write "
	                   "PORT:ADDRESS with a port in use",
	                   __builtin_ctzll(named & ~used));
}

static int open_all(struct rnl_topo *t, struct rnl_error *err)
{
	struct rnl_topo_ports ports;
	struct rnl_secrets secrets;
	int rc = fill_defaults(&t->opts, &secrets, err);

	if (rc == 0)
		rc = rnl_topo_map(&t->opts, &ports, err);
	if (rc == 0)
		rc = check_ports(t, &ports, err);
	for (unsigned int i = 0; rc == 0 && i < ports.n; i++)
		rc = open_dev(t, ports.id[i], ports.queues[i], err);
	if (rc == 0)
		rc = make_stacks(t, &secrets, err);
	for (unsigned int i = 0; rc == 0 && i < t->nb_stacks; i++)
		rc = address_stack(t, &t->stacks[i], err);
	if (rc == 0) {
		wait_links(t);
		wait_addrs(t);
	}
	return rc;
}

int rnl_topo_open(const struct rnl_topo_opts *opts, struct rnl_topo *out, struct rnl_error *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->opts = *opts;
	rc = open_all(out, err);
	if (rc != 0)
		rnl_topo_close(out);
	return rc;
}

static void close_stacks(struct rnl_topo *t)
{
	for (unsigned int i = 0; i < t->nb_stacks; i++)
		if (t->stacks[i].st != NULL)
			rnl_stack_destroy(t->stacks[i].st);
}

static void close_devs(struct rnl_topo *t)
{
	for (unsigned int i = 0; i < t->nb_devs; i++)
		rnl_dev_close(t->devs[i].dev);
}

static void free_pools(struct rnl_topo *t)
{
	for (unsigned int i = 0; i < t->nb_stacks; i++)
		rnl_pools_free(t->stacks[i].pkt_pool, t->stacks[i].hdr_pool);
	t->nb_stacks = 0;
	t->nb_devs = 0;
}

void rnl_topo_close_all(struct rnl_topo *const topos[], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close_stacks(topos[i]);
	for (unsigned int i = 0; i < n; i++)
		close_devs(topos[i]);
	for (unsigned int i = 0; i < n; i++)
		free_pools(topos[i]);
}

void rnl_topo_close(struct rnl_topo *t)
{
	rnl_topo_close_all(&t, 1);
}

static struct rnl_worker *worker_on(struct rnl_worker *w, unsigned int n, unsigned int lcore)
{
	for (unsigned int i = 0; i < n; i++)
		if (w[i].lcore == lcore)
			return &w[i];
	return NULL;
}

static int add_stack(struct rnl_worker *w, struct rnl_stack *st, struct rnl_error *err)
{
	for (unsigned int i = 0; i < RTE_DIM(w->stacks); i++) {
		if (w->stacks[i] != NULL)
			continue;
		w->stacks[i] = st;
		return 0;
	}
	return rnl_app_err(err, -ENOSPC,
	                   "lcore %u would poll more than %zu stacks: use more lcores", w->lcore,
	                   RTE_DIM(w->stacks));
}

int rnl_topo_workers(struct rnl_topo *const topos[], unsigned int n, struct rnl_worker *out,
                     unsigned int max, struct rnl_error *err)
{
	unsigned int used = 0;

	for (unsigned int t = 0; t < n; t++) {
		for (unsigned int i = 0; i < topos[t]->nb_stacks; i++) {
			const struct rnl_topo_stack *s = &topos[t]->stacks[i];
			struct rnl_worker *w = worker_on(out, used, s->lcore);

			if (w == NULL && used == max)
				return rnl_app_err(err, -ENOSPC,
				                   "more than %u lcores poll: use "
				                   "fewer",
				                   max);
			if (w == NULL) {
				w = &out[used++];
				*w = (struct rnl_worker){.size = sizeof(*w), .lcore = s->lcore};
			}
			if (add_stack(w, s->st, err) != 0)
				return -ENOSPC;
		}
	}
	return (int)used;
}
