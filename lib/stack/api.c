/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls of runnel.h on listeners, connections and timers: each finds its block, does what the
 * floors below offer, and leaves the rest to the stages. Floor 4.
 * RFC 9293 3.9.1; RFC 6056 3.3.3.
 */
#include <errno.h>

#include "algo/isn.h"
#include "stack/stack.h"
#include "tcp/fastopen.h"
#include "wire/ip.h"

/* ---- listening ---- */

int rnl_listen(struct rnl_stack *st, const struct rnl_listen_config *cfg, rnl_listener_t *out,
	       struct rnl_error *err)
{
	struct rnl_listen_config c = {0};
	int policy, ret;

	memcpy(&c, cfg, cfg->size != 0 ? RTE_MIN((size_t)cfg->size, sizeof(c)) : sizeof(c));
	policy = rnl_policy_get(st, c.ops, &c.opts, err);
	if (policy < 0)
		return policy;
	ret = rnl_listen_add(&st->listeners, &c, (uint16_t)policy, out);
	if (ret == 0) {
		rnl_fastopen_listen(&st->core, *out);
		return 0;
	}
	rnl_policy_put(st, (uint16_t)policy);
	if (ret == -EADDRINUSE)
		return rnl_fail(err, ret,
				"ports %u-%u of that address have a listener already: remove it first",
				c.port_first, c.port_last != 0 ? c.port_last : c.port_first);
	if (ret == -ENOSPC)
		return rnl_fail(err, ret, "%d listeners exist: use port ranges", RNL_LISTEN_MAX);
	return rnl_fail(err, ret, "bad listener: check the prefix (no bits behind its length; 128, or 32 for "
			"IPv4, means one address), the ports, and syncookies");
}

int rnl_listener_set_opts(struct rnl_stack *st, rnl_listener_t id, const struct rnl_conn_opts *opts,
			  struct rnl_error *err)
{
	struct rnl_listener *l = rnl_listen_get(&st->listeners, id);
	int policy;

	if (l == NULL)
		return rnl_fail(err, -ENOENT, "no such listener: it was removed");
	policy = rnl_policy_get(st, st->core.policies[l->policy].ops, opts, err);
	if (policy < 0)
		return policy;
	rnl_policy_put(st, l->policy);
	l->policy = (uint16_t)policy;
	return 0;
}

int rnl_unlisten(struct rnl_stack *st, rnl_listener_t id)
{
	struct rnl_listener *l = rnl_listen_get(&st->listeners, id);
	uint16_t policy;

	if (l == NULL)
		return -ENOENT;
	policy = l->policy;
	rnl_passive_forget(st, id);
	rnl_listen_remove(&st->listeners, id);
	rnl_policy_put(st, policy);
	return 0;
}

/* ---- connecting ---- */

/* RFC 9293 3.9.1.1 (MUST-46). */
static bool connectable(const struct rnl_stack *st, const struct rnl_addr *a)
{
	return !rnl_addr_is_unspecified(a) && !rnl_addr_is_multicast(a) &&
	       !rnl_addr_is_limited_broadcast(a) && !rnl_route_is_broadcast(&st->routes, a);
}

static bool in_use(const struct rnl_stack *st, const struct rnl_tuple *key)
{
	return rnl_flow_find(&st->flow, key, rnl_flow_hash(&st->flow, key)) != 0;
}

/*
 * RFC 6056 3.3.3, simple hash-based selection: the search starts where a keyed hash of the other
 * three says, so ports of one destination are not guessed from those of another.
 */
static bool choose_port(struct rnl_stack *st, struct rnl_tuple *key, uint16_t first, uint16_t last)
{
	uint32_t range = (uint32_t)last - first + 1;
	uint32_t offset = rnl_isn_port_offset(key, st->core.secrets.port);
	uint32_t at, tries;

	at = (uint32_t)(((uint64_t)(offset + st->next_port * 0x9e3779b1u) * range) >> 32);
	st->next_port++;
	for (tries = 0; tries < range; tries++) {
		key->lport = (uint16_t)(first + at);
		if (!in_use(st, key))
			return true;
		at = at + 1 < range ? at + 1 : 0;
	}
	return false;
}

/* A link-local peer is on the port of the address that it is called from (RFC 4007 6). */
static int way_to(const struct rnl_stack *st, const struct rnl_connect_config *c,
		  unsigned int *port, struct rnl_addr *next, struct rnl_addr *laddr)
{
	const struct rnl_route_addr *own;

	if (rnl_addr_is_unspecified(&c->laddr))
		return rnl_route_find(&st->routes, &c->raddr, port, next, laddr);
	own = rnl_route_own(&st->routes, &c->laddr);
	if (own == NULL || rnl_addr_is_v4(&c->laddr) != rnl_addr_is_v4(&c->raddr))
		return -EINVAL;
	if (own->state > RNL_ADDR_DEPRECATED)
		return -EADDRNOTAVAIL;
	*laddr = c->laddr;
	if (rnl_route_is_local(&st->routes, &c->raddr))
		return -ENETUNREACH;
	return rnl_route_back(&st->routes, own->port, &c->raddr, port, next);
}

/* Source, port and next hop. @return the next hop with a reference, or negative errno. */
static int resolve(struct rnl_stack *st, const struct rnl_connect_config *c, struct rnl_tuple *key)
{
	uint16_t first = c->lport_first != 0 ? c->lport_first : 32768;
	uint16_t last = c->lport_last != 0 ? c->lport_last : 60999;
	struct rnl_addr next;
	unsigned int port;
	int ret;

	key->raddr = c->raddr;
	key->rport = c->rport;
	if (!connectable(st, &c->raddr) || c->rport == 0 || first > last)
		return -EINVAL;
	ret = way_to(st, c, &port, &next, &key->laddr);
	if (ret < 0)
		return ret;
	key->lport = c->lport;
	if (c->lport != 0 ? in_use(st, key) : !choose_port(st, key, first, last))
		return -EADDRNOTAVAIL;
	return rnl_neigh_get(&st->neigh, port, &next);
}

/* Makes the block and its entry. @return NULL: out of memory, nothing is left behind. */
static struct rnl_tcb *make_tcb(struct rnl_stack *st, const struct rnl_tuple *key, uint16_t policy,
				uint16_t hop)
{
	struct rnl_core *core = &st->core;
	uint32_t hash = rnl_flow_hash(&st->flow, key);
	uint32_t i = rnl_pool_get(&core->conns);
	struct rnl_tcb *tcb;

	if (i == RNL_NIL) {
		rnl_core_count(core, RNL_C_pool_conns_empty);
		return NULL;
	}
	tcb = rnl_core_tcb(core, i);
	rnl_tcb_init(core, tcb, key, policy, hop);
	if (tcb->gen == 0)
		rnl_handle_retire(tcb);
	if (rnl_flow_insert(&st->flow, hash, i) == 0) {
		if (rnl_handshake_connect(core, tcb))
			return tcb;
		rnl_flow_remove(&st->flow, hash, i);
	} else {
		rnl_core_count(core, RNL_C_flow_table_full);
	}
	rnl_pool_put(&core->conns, i);
	return NULL;
}

int rnl_connect(struct rnl_stack *st, const struct rnl_connect_config *cfg, rnl_conn_t *out)
{
	struct rnl_connect_config c = {0};
	struct rnl_tuple key;
	struct rnl_tcb *tcb;
	int policy, hop;

	memcpy(&c, cfg, cfg->size != 0 ? RTE_MIN((size_t)cfg->size, sizeof(c)) : sizeof(c));
	if (st->destroying)
		return -ENOBUFS;
	hop = resolve(st, &c, &key);
	if (hop < 0)
		return hop;
	policy = rnl_policy_get(st, c.ops, &c.opts, NULL);
	if (policy < 0) {
		rnl_neigh_put(&st->neigh, (uint32_t)hop);
		return policy;
	}
	tcb = make_tcb(st, &key, (uint16_t)policy, (uint16_t)hop);
	if (tcb == NULL) {
		rnl_policy_put(st, (uint16_t)policy);
		rnl_neigh_put(&st->neigh, (uint32_t)hop);
		return -ENOBUFS;
	}
	tcb->ctx = c.ctx;
	*out = rnl_handle(st, tcb);
	return 0;
}

/* ---- a connection ---- */

int rnl_set_ctx(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);

	if (tcb == NULL)
		return -ESTALE;
	tcb->ctx = ctx;
	return 0;
}

void *rnl_get_ctx(struct rnl_stack *st, rnl_conn_t c)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);

	return tcb != NULL ? tcb->ctx : NULL;
}

static bool synchronised(const struct rnl_tcb *tcb)
{
	return tcb->state != RNL_SYN_SENT && tcb->state != RNL_SYN_RECEIVED &&
	       tcb->state != RNL_CLOSED && tcb->state != RNL_TIME_WAIT;
}

int rnl_set_opts(struct rnl_stack *st, rnl_conn_t c, const struct rnl_conn_opts *opts)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);
	const struct rnl_cc_ops *cc;
	struct rnl_conn_opts o;
	uint16_t uto;
	int policy;

	if (tcb == NULL)
		return -ESTALE;
	cc = rnl_core_policy(&st->core, tcb)->opts.cc;
	memcpy(&o, &rnl_core_policy(&st->core, tcb)->opts, sizeof(o));
	memcpy(&o, opts, opts->size != 0 ? RTE_MIN((size_t)opts->size, sizeof(o)) : sizeof(o));
	o.size = sizeof(o);
	o.cc = cc; /* its state is under way */
	uto = rnl_uto_field(&rnl_core_policy(&st->core, tcb)->opts);
	policy = rnl_policy_get(st, rnl_core_policy(&st->core, tcb)->ops, &o, NULL);
	if (policy < 0)
		return policy;
	rnl_policy_put(st, tcb->policy);
	tcb->policy = (uint16_t)policy;
	if (tcb->work != NULL) {
		rnl_tcb_template(&st->core, tcb);
		rnl_tune_start(&st->core, tcb);
	}
	if (rnl_uto_field(&rnl_core_policy(&st->core, tcb)->opts) != uto && synchronised(tcb))
		rnl_uto_announce(&st->core, tcb);
	if (tcb->state != RNL_CLOSED) {
		rnl_tcp_rearm(&st->core, tcb);
		rnl_core_output(&st->core, tcb);
	}
	return 0;
}

int rnl_get_opts(struct rnl_stack *st, rnl_conn_t c, struct rnl_conn_opts *opts)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);
	size_t size = opts->size != 0 ? opts->size : sizeof(*opts);

	if (tcb == NULL)
		return -ESTALE;
	memcpy(opts, &rnl_core_policy(&st->core, tcb)->opts, RTE_MIN(size, sizeof(*opts)));
	opts->size = (uint32_t)size; /* what the caller's struct has, not ours */
	return 0;
}

/* May the application still queue data? */
static int sendable(const struct rnl_tcb *tcb)
{
	if (tcb == NULL)
		return -ESTALE;
	if (tcb->flags & (RNL_F_FIN_QUEUED | RNL_F_APP_CLOSED))
		return -EPIPE;
	return tcb->events & RNL_EV_END ? -ENOTCONN : 0;
}

static uint32_t room(const struct rnl_stack *st, const struct rnl_tcb *tcb)
{
	uint32_t sndbuf = rnl_tune_sndbuf(&st->core, tcb);
	uint32_t bytes = tcb->work != NULL ? tcb->work->snd.bytes : 0;

	return bytes < sndbuf ? sndbuf - bytes : 0;
}

/* A send could not take everything: `writable` must follow, if need be by time. */
static void want_write(struct rnl_stack *st, struct rnl_tcb *tcb)
{
	tcb->flags |= RNL_F_WANT_WRITE;
	if (tcb->work == NULL || tcb->work->snd.bytes == 0)
		rnl_core_event(&st->core, tcb, RNL_EV_WRITABLE);
}

/* A send buffer had room and took nothing: which pool was it? */
static void count_exhausted(struct rnl_stack *st)
{
	rnl_core_count(&st->core, rnl_pool_avail(&st->core.chunks) < 2 ? RNL_C_pool_chunks_empty
									 : RNL_C_tx_no_mbuf);
}

ssize_t rnl_send(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);
	int ret = sendable(tcb);
	struct rnl_sndbuf_env env;
	uint32_t fits, took;

	if (ret < 0)
		return ret;
	if (len == 0)
		return 0;
	if (rnl_tcb_busy(&st->core, tcb) == NULL) {
		want_write(st, tcb);
		return 0;
	}
	env = rnl_core_sndbuf_env(&st->core, tcb->nexthop);
	fits = (uint32_t)RTE_MIN(len, (size_t)room(st, tcb));
	if (tcb->work != NULL)
		rnl_pace_check_limited(tcb);
	took = fits > 0 ? rnl_sndbuf_copy(&tcb->work->snd, &env, data, fits, tcb->snd_mss) : 0;
	if (took < fits)
		count_exhausted(st);
	if (took > 0)
		rnl_core_output(&st->core, tcb);
	if (took < len)
		want_write(st, tcb);
	return took;
}

ssize_t rnl_send_urgent(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len)
{
	ssize_t took = rnl_send(st, c, data, len);

	if (took > 0)
		rnl_urgent_queued(&st->core, rnl_handle_tcb(st, c));
	return took;
}

ssize_t rnl_send_zc(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len,
		    rnl_release_fn release, void *arg)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);
	struct rnl_chunk zc = {
	    .len = len, .v.data = data, .release = release, .release_arg = arg};
	int ret = sendable(tcb);
	struct rnl_sndbuf_env env;

	if (ret < 0)
		return ret;
	if (len == 0 || len > INT32_MAX)
		return len == 0 ? 0 : -EINVAL;
	env = rnl_core_sndbuf_env(&st->core, tcb->nexthop);
	/* Whole or not at all: one larger than the buffer goes in when the buffer is empty. */
	if (rnl_tcb_busy(&st->core, tcb) == NULL ||
	    (len > room(st, tcb) && tcb->work->snd.bytes > 0)) {
		want_write(st, tcb);
		return 0;
	}
	if (tcb->work != NULL)
		rnl_pace_check_limited(tcb);
	if (rnl_sndbuf_zc(&tcb->work->snd, &env, &zc) < 0) {
		count_exhausted(st);
		want_write(st, tcb);
		return 0;
	}
	rnl_core_output(&st->core, tcb);
	return (ssize_t)len;
}

int rnl_send_pull(struct rnl_stack *st, rnl_conn_t c, rnl_produce_fn produce, void *arg,
		  uint64_t len, rnl_release_fn release)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);
	struct rnl_chunk pull = {
	    .len = len, .u.produce = produce, .v.arg = arg, .release = release, .release_arg = arg};
	int ret = sendable(tcb);
	struct rnl_sndbuf_env env;

	if (ret < 0)
		return ret;
	if (rnl_tcb_busy(&st->core, tcb) == NULL)
		return -ENOBUFS;
	env = rnl_core_sndbuf_env(&st->core, tcb->nexthop);
	if (tcb->work != NULL)
		rnl_pace_check_limited(tcb);
	ret = rnl_sndbuf_pull(&tcb->work->snd, &env, &pull);
	if (ret == 0)
		rnl_core_output(&st->core, tcb);
	else
		count_exhausted(st);
	return ret;
}

size_t rnl_send_room(struct rnl_stack *st, rnl_conn_t c)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);

	return sendable(tcb) == 0 ? room(st, tcb) : 0;
}

int rnl_receive_resume(struct rnl_stack *st, rnl_conn_t c)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);

	if (tcb == NULL)
		return -ESTALE;
	if (tcb->flags & RNL_F_RX_PAUSED) {
		tcb->flags &= ~RNL_F_RX_PAUSED;
		rnl_core_event(&st->core, tcb, RNL_EV_RECEIVED);
	}
	return 0;
}

int rnl_buf_hold(struct rnl_stack *st, const struct rnl_span *span)
{
	if (st->core.held >= st->core.held_max)
		return -ENOBUFS;
	rte_mbuf_refcnt_update(span->buf, 1);
	st->core.held++;
	return 0;
}

void rnl_buf_release(struct rnl_stack *st, struct rte_mbuf *buf)
{
	st->core.held--;
	rte_pktmbuf_free_seg(buf);
}

int rnl_shutdown(struct rnl_stack *st, rnl_conn_t c)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);

	if (tcb == NULL)
		return -ESTALE;
	if (tcb->flags & (RNL_F_FIN_QUEUED | RNL_F_APP_CLOSED))
		return -EPIPE;
	if (!(tcb->events & RNL_EV_END))
		rnl_events_shutdown(st, tcb);
	return 0;
}

int rnl_close(struct rnl_stack *st, rnl_conn_t c)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);

	if (tcb == NULL)
		return -ESTALE;
	if (tcb->flags & RNL_F_APP_CLOSED)
		return 0;
	/* Inside `received` what counts as read is known when it returns. */
	if (st->receiving == tcb) {
		st->close_pending = true;
		tcb->flags |= RNL_F_APP_CLOSED;
	} else {
		rnl_events_close(st, tcb);
	}
	return 0;
}

int rnl_abort(struct rnl_stack *st, rnl_conn_t c)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);

	if (tcb == NULL)
		return -ESTALE;
	/* Inside `received` its spans stay valid until it returns. */
	if (st->receiving == tcb) {
		st->abort_pending = true;
		tcb->flags |= RNL_F_APP_CLOSED;
	} else {
		rnl_events_abort(st, tcb);
	}
	return 0;
}

/* ---- timers ---- */

int rnl_conn_timer(struct rnl_stack *st, rnl_conn_t c, uint64_t at_ns)
{
	struct rnl_tcb *tcb = rnl_handle_tcb(st, c);
	uint64_t ms;

	if (tcb == NULL)
		return -ESTALE;
	if (tcb->flags & RNL_F_APP_CLOSED)
		return 0;
	tcb->app_timer_ms = 0;
	if (at_ns == 0)
		return 0;
	/* Rounded up: never early. At most 24 days away, as far as the tick can tell. */
	ms = RTE_MAX(at_ns / 1000000 + (at_ns % 1000000 != 0), st->core.now_us / 1000 + 1);
	ms = RTE_MIN(ms, st->core.now_us / 1000 + INT32_MAX);
	tcb->app_timer_ms = (uint32_t)ms != 0 ? (uint32_t)ms : 1;
	rnl_core_timer(&st->core, tcb, ms * 1000);
	return 0;
}

int rnl_timer_start(struct rnl_stack *st, uint64_t at_ns, rnl_timer_fn fn, void *arg,
		    rnl_timer_t *out)
{
	uint32_t i = rnl_pool_get(&st->timers);
	struct rnl_stack_timer *t;

	if (i == RNL_NIL) {
		rnl_core_count(&st->core, RNL_C_pool_timers_empty);
		return -ENOSPC;
	}
	t = rnl_pool_at(&st->timers, i);
	t->fn = fn;
	t->arg = arg;
	rnl_wheel_arm(&st->timer_wheel, i, RTE_MAX(at_ns / 1000 + (at_ns % 1000 != 0), UINT64_C(1)));
	if (out != NULL)
		*out = (uint64_t)t->gen << 32 | i;
	return 0;
}

int rnl_timer_stop(struct rnl_stack *st, rnl_timer_t timer)
{
	uint32_t i = (uint32_t)timer;
	struct rnl_stack_timer *t;

	if (i == RNL_NIL || i >= st->timers.fresh)
		return -ESTALE;
	t = rnl_pool_at(&st->timers, i);
	if (t->gen != timer >> 32 || t->node.at_us == 0)
		return -ESTALE;
	rnl_wheel_stop(&st->timer_wheel, i);
	t->gen++;
	rnl_pool_put(&st->timers, i);
	return 0;
}
