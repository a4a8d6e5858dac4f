/* SPDX-License-Identifier: BSD-3-Clause */
/* A running endpoint: see endpoint.h. Floor 6. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "endpoint.h"

/* How long a worker may take to run what was posted to it: it answers within one iteration. */
#define POST_TIMEOUT_US 2000000u
#define POST_POLL_US 50u

/* A call on its way to a worker. Whoever moves it out of QUEUED decides whether it runs. */
enum call_state { CALL_QUEUED, CALL_RUNNING, CALL_DONE, CALL_ABANDONED };

struct call {
	void (*fn)(struct rnl_stack *st, void *arg);
	void *arg;
	enum call_state state;
};

static bool call_move(struct call *c, enum call_state from, enum call_state to)
{
	return __atomic_compare_exchange_n(&c->state, &from, to, false, __ATOMIC_ACQ_REL,
	                                   __ATOMIC_ACQUIRE);
}

static void run_call(struct rnl_stack *st, void *arg)
{
	struct call *c = arg;

	if (!call_move(c, CALL_QUEUED, CALL_RUNNING)) {
		free(c); /* nobody waits any more */
		return;
	}
	c->fn(st, c->arg);
	__atomic_store_n(&c->state, CALL_DONE, __ATOMIC_RELEASE);
}

/* @return 0 it ran, -ETIMEDOUT it did not and never will. */
static int await_call(struct call *c)
{
	uint32_t waited;

	for (waited = 0; __atomic_load_n(&c->state, __ATOMIC_ACQUIRE) != CALL_DONE;
	     waited += POST_POLL_US) {
		if (waited >= POST_TIMEOUT_US && call_move(c, CALL_QUEUED, CALL_ABANDONED))
			return -ETIMEDOUT;
		usleep(POST_POLL_US);
	}
	free(c);
	return 0;
}

static int post_call(struct rnl_stack *st, void (*fn)(struct rnl_stack *st, void *arg), void *arg)
{
	struct call *c = malloc(sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	*c = (struct call){.fn = fn, .arg = arg};
	if (rnl_post(st, run_call, c) != 0) {
		free(c);
		return -ETIMEDOUT;
	}
	return await_call(c);
}

int rnl_endpoint_on_stack(struct rnl_endpoint *e, unsigned int stack,
                          void (*fn)(struct rnl_stack *st, void *arg), void *arg)
{
	const struct rnl_topo_stack *s = &e->topo.stacks[stack];

	/* The main thread is between two iterations of its own worker. */
	if (!e->running || s->lcore == rte_lcore_id()) {
		fn(s->st, arg);
		return 0;
	}
	return post_call(s->st, fn, arg);
}

/* ---- start and stop ------------------------------------------------------------------------- */

struct listen_call {
	struct rnl_endpoint *e;
	unsigned int stack;
	struct rnl_error *err;
	int ret;
};

static struct rnl_service_run *runs_of(struct rnl_endpoint *e, unsigned int stack)
{
	return e->runs + (size_t)stack * e->params->nb_services;
}

static void unlisten_all(struct rnl_stack *st, void *arg)
{
	struct listen_call *c = arg;
	unsigned int i;

	for (i = 0; i < c->e->params->nb_services; i++)
		rnl_service_unlisten(&runs_of(c->e, c->stack)[i]);
}

static void listen_all(struct rnl_stack *st, void *arg)
{
	struct listen_call *c = arg;
	unsigned int i;

	for (i = 0; c->ret == 0 && i < c->e->params->nb_services; i++) {
		struct rnl_service_run *run = &runs_of(c->e, c->stack)[i];
		struct rnl_error why = {0};

		c->ret = rnl_service_listen(run, &why);
		if (c->ret != 0)
			rnl_service_fail(c->err, c->ret, "cannot listen for %s: %s",
			                 run->service->text, why.text);
	}
}

static int on_all(struct rnl_endpoint *e, void (*fn)(struct rnl_stack *st, void *arg),
                  struct rnl_error *err)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; ret == 0 && i < e->topo.nb_stacks; i++) {
		struct listen_call c = {.e = e, .stack = i, .err = err};

		if (rnl_endpoint_on_stack(e, i, fn, &c) != 0)
			return rnl_service_fail(err, -ETIMEDOUT,
			                        "the worker on lcore %u does not answer: try again",
			                        e->topo.stacks[i].lcore);
		ret = c.ret;
	}
	return ret;
}

int rnl_endpoint_start(struct rnl_endpoint *e, struct rnl_error *err)
{
	int ret = on_all(e, listen_all, err);

	if (ret != 0) {
		on_all(e, unlisten_all, NULL);
		return ret;
	}
	e->listening = true;
	return 0;
}

int rnl_endpoint_stop(struct rnl_endpoint *e, struct rnl_error *err)
{
	int ret = on_all(e, unlisten_all, err);

	if (ret == 0)
		e->listening = false;
	return ret;
}

static void set_opts_all(struct rnl_stack *st, void *arg)
{
	struct listen_call *c = arg;
	unsigned int i;

	for (i = 0; c->ret == 0 && i < c->e->params->nb_services; i++)
		c->ret = rnl_service_set_opts(&runs_of(c->e, c->stack)[i], c->err);
}

int rnl_endpoint_set_cc(struct rnl_endpoint *e, const struct rnl_cc_ops *cc, struct rnl_error *err)
{
	unsigned int i;

	for (i = 0; i < e->params->nb_services; i++)
		e->params->services[i].listen.opts.cc = cc;
	return on_all(e, set_opts_all, err);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int prepare_services(struct rnl_params *p, struct rnl_error *err)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; ret == 0 && i < p->nb_services; i++)
		ret = rnl_service_prepare(&p->services[i], err);
	return ret;
}

static int begin_runs(struct rnl_endpoint *e, unsigned int stack, struct rnl_error *err)
{
	const struct rnl_topo_stack *s = &e->topo.stacks[stack];
	struct rnl_engine_env env = {
	    .stack = s->st,
	    .socket_id = (int)rte_lcore_to_socket_id(s->lcore),
	};
	struct rnl_usage usage;
	unsigned int i;
	int ret = 0;

	rnl_usage(s->st, &usage);
	env.max_conns = usage.conns_max;
	for (i = 0; ret == 0 && i < e->params->nb_services; i++)
		ret = rnl_service_begin(&e->params->services[i], &env, &runs_of(e, stack)[i], err);
	return ret;
}

static int make_workers(struct rnl_endpoint *e, struct rnl_error *err)
{
	struct rnl_topo *const topos[] = {&e->topo};
	int n = rnl_topo_workers(topos, 1, e->workers, RNL_TOPO_MAX_STACKS, err);

	if (n < 0)
		return n;
	e->nb_workers = (unsigned int)n;
	e->loop.workers = e->workers;
	e->loop.nb_workers = e->nb_workers;
	return 0;
}

static int open_all(struct rnl_endpoint *e, struct rnl_error *err)
{
	unsigned int i;
	int ret;

	ret = prepare_services(e->params, err);
	if (ret != 0)
		return ret;
	ret = rnl_topo_open(&e->params->topo, &e->topo, err);
	if (ret != 0) {
		memset(&e->topo, 0, sizeof(e->topo));
		return ret;
	}
	e->nb_runs = e->topo.nb_stacks * e->params->nb_services;
	e->runs = calloc(e->nb_runs, sizeof(*e->runs));
	if (e->runs == NULL)
		return rnl_service_fail(err, -ENOMEM, "out of memory");
	for (i = 0; ret == 0 && i < e->topo.nb_stacks; i++)
		ret = begin_runs(e, i, err);
	return ret != 0 ? ret : make_workers(e, err);
}

int rnl_endpoint_open(struct rnl_endpoint *e, struct rnl_params *params, struct rnl_error *err)
{
	int ret;

	memset(e, 0, sizeof(*e));
	e->params = params;
	ret = open_all(e, err);
	if (ret != 0)
		rnl_endpoint_close(e);
	else
		e->started_ns = rnl_clock_ns();
	return ret;
}

void rnl_endpoint_close(struct rnl_endpoint *e)
{
	unsigned int i;

	if (e->topo.nb_stacks != 0)
		rnl_topo_close(&e->topo);
	for (i = 0; i < e->nb_runs; i++)
		rnl_service_end(&e->runs[i]);
	free(e->runs);
	e->runs = NULL;
	e->nb_runs = 0;
}

/* ---- numbers -------------------------------------------------------------------------------- */

void rnl_endpoint_counters(const struct rnl_endpoint *e, uint64_t *out, unsigned int n)
{
	uint64_t *one = calloc(n, sizeof(*one));
	unsigned int i, j;

	memset(out, 0, n * sizeof(*out));
	for (i = 0; one != NULL && i < e->topo.nb_stacks; i++) {
		rnl_counters_read(e->topo.stacks[i].st, one, n);
		for (j = 0; j < n; j++)
			out[j] += one[j];
	}
	free(one);
}

uint64_t rnl_endpoint_engine_counter(const struct rnl_endpoint *e, unsigned int service,
                                     enum rnl_engine_counter i)
{
	const unsigned int n = e->params->nb_services;
	uint64_t sum = 0;
	unsigned int r;

	for (r = 0; r < e->nb_runs; r++)
		if (service == UINT_MAX || r % n == service)
			sum += rnl_engine_read(e->runs[r].ctx, i);
	return sum;
}
