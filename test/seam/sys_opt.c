/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options by Linux's levels, names and values. What the stack has no counterpart of
 * is ENOPROTOOPT, never silently taken.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "sys_pvt.h"
#include "sys_tcpinfo.h"

#define MS_NS UINT64_C(1000000)
/* Linux doubles what is asked for, and gives no less than these. */
#define SNDBUF_MIN 4608
#define RCVBUF_MIN 2304
#define BUF_MAX (1 << 29)
#define BUF_DEFAULT 262144

int rnl_sys_apply(struct rnl_seam_sys *h, struct sys_sock *p, const struct rnl_conn_opts *opts)
{
	struct rnl_conn_opts old = p->k->opts;
	int rc = 0;

	p->k->opts = *opts;
	if (p->k->kind == SOCK_CONN && !p->k->st.closed)
		rc = rnl_set_opts(h->s->stack, p->k->conn, opts);
	else if (p->k->kind == SOCK_LISTEN)
		rc = rnl_listener_set_opts(h->s->stack, p->k->listener, opts, NULL);
	if (rc < 0)
		p->k->opts = old;
	return rc < 0 ? rc : rnl_seam_settle(h->s);
}

int rnl_seam_sys_option(struct rnl_seam_sys *h, int fd, const char *name, uint64_t value)
{
	struct rnl_conn_opts old;
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL) {
		old = p->k->opts;
		rc = rnl_seam_setsockopt(h->s, (int)(p - h->socks), name, value);
		if (rc == 0 && p->k->kind == SOCK_LISTEN)
			rc = rnl_listener_set_opts(h->s->stack, p->k->listener, &p->k->opts, NULL);
		if (rc < 0)
			p->k->opts = old;
	}
	return (int)rnl_sys_leave(h, rc);
}

static bool within(int v, int low, int high)
{
	return v >= low && v <= high;
}

/* ---- setting -----------------------------------------------------------------------------------
 */

static int set_keepalive(struct rnl_conn_opts *o, struct sys_sock *p, int v)
{
	o->keepalive_idle_ms = v ? p->keep_idle_ms : 0;
	return 0;
}

static int set_socket(struct rnl_conn_opts *o, struct sys_sock *p, int name, int v)
{
	switch (name) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		v = v < SNDBUF_MIN / 2 ? SNDBUF_MIN / 2 : v > BUF_MAX ? BUF_MAX : v;
		o->sndbuf_bytes = (uint32_t)v;
		o->sndbuf_max_bytes = (uint32_t)v;
		return 0;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		v = v < RCVBUF_MIN / 2 ? RCVBUF_MIN / 2 : v > BUF_MAX ? BUF_MAX : v;
		o->rcvbuf_bytes = (uint32_t)v;
		o->rcvbuf_max_bytes = (uint32_t)v;
		return 0;
	case SO_KEEPALIVE:
		return set_keepalive(o, p, v);
	case SO_REUSEADDR:
		p->reuse_addr = v != 0;
		return 0;
	case SO_REUSEPORT:
		p->reuse_port = v != 0;
		return 0;
	case SO_RCVLOWAT:
		p->rcvlowat = v < 0 ? INT32_MAX : v == 0 ? 1 : (uint32_t)v;
		return 0;
	case SO_OOBINLINE: /* it is in line always (RFC 6093 4) */
		return v ? 0 : -EOPNOTSUPP;
	case SO_PRIORITY:
		p->priority = v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int set_tcp(struct rnl_conn_opts *o, struct sys_sock *p, int name, int v)
{
	switch (name) {
	case TCP_NODELAY:
		o->nodelay = v != 0;
		return 0;
	case TCP_MAXSEG:
		if (v != 0 && !within(v, 88, 32767))
			return -EINVAL;
		o->mss = (uint16_t)v;
		return 0;
	case TCP_KEEPIDLE:
		if (!within(v, 1, 32767))
			return -EINVAL;
		p->keep_idle_ms = (uint32_t)v * 1000;
		if (o->keepalive_idle_ms != 0)
			o->keepalive_idle_ms = p->keep_idle_ms;
		return 0;
	case TCP_KEEPINTVL:
		if (!within(v, 1, 32767))
			return -EINVAL;
		o->keepalive_intvl_ms = (uint32_t)v * 1000;
		return 0;
	case TCP_KEEPCNT:
		if (!within(v, 1, 127))
			return -EINVAL;
		o->keepalive_probes = (uint8_t)v;
		return 0;
	case TCP_SYNCNT:
		if (!within(v, 1, 127))
			return -EINVAL;
		o->syn_retries = (uint8_t)v;
		return 0;
	case TCP_LINGER2:
		if (!within(v, 0, 120))
			return -EINVAL;
		o->fin_wait2_ms = (uint32_t)v * 1000;
		return 0;
	case TCP_QUICKACK:
		o->no_delayed_ack = v != 0;
		return 0;
	case TCP_USER_TIMEOUT:
		if (v < 0)
			return -EINVAL;
		o->user_timeout_ms = (uint32_t)v;
		return 0;
	case TCP_NOTSENT_LOWAT:
		p->notsent_lowat = (uint32_t)v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int set_hops(struct rnl_conn_opts *o, int v)
{
	if (v != -1 && !within(v, 1, 255))
		return -EINVAL;
	o->ttl = v == -1 ? 0 : (uint8_t)v;
	return 0;
}

/* The two ECN bits are the stack's, as Linux has it for streams. */
static int set_tos(struct rnl_conn_opts *o, int v)
{
	if (!within(v, -1, 255))
		return -EINVAL;
	o->dscp = v == -1 ? 0 : (uint8_t)(v >> 2);
	return 0;
}

static int set_ip(struct rnl_conn_opts *o, int name, int v)
{
	switch (name) {
	case IP_TOS:
		return set_tos(o, v & 0xff);
	case IP_TTL:
		return set_hops(o, v);
	case IP_MTU_DISCOVER:
		return v == IP_PMTUDISC_WANT || v == IP_PMTUDISC_DO ? 0 : -EOPNOTSUPP;
	}
	return -ENOPROTOOPT;
}

static int set_ip6(struct rnl_conn_opts *o, struct sys_sock *p, int name, int v)
{
	if (p->family != AF_INET6)
		return -ENOPROTOOPT;
	switch (name) {
	case IPV6_TCLASS:
		return set_tos(o, v);
	case IPV6_UNICAST_HOPS:
		return set_hops(o, v);
	case IPV6_V6ONLY:
		if (p->bound || p->k->kind != SOCK_NEW)
			return -EINVAL;
		p->v6only = v != 0;
		return 0;
	case IPV6_MTU_DISCOVER:
		return v == IPV6_PMTUDISC_WANT || v == IPV6_PMTUDISC_DO ? 0 : -EOPNOTSUPP;
	}
	return -ENOPROTOOPT;
}

static int set_cc(struct rnl_conn_opts *o, const struct sys_sock *p, const char *value,
                  socklen_t len)
{
	char name[17] = "";
	const struct rnl_cc_ops *cc;

	if (len < 1)
		return -EINVAL;
	memcpy(name, value, len < 16 ? len : 16);
	cc = rnl_cc_find(strcmp(name, "reno") == 0 ? "newreno" : name);
	if (cc == NULL)
		return -ENOENT;
	if (p->k->kind == SOCK_CONN) /* a connection keeps what it began with */
		return o->cc == cc ? 0 : -EOPNOTSUPP;
	o->cc = cc;
	return 0;
}

static int set_pacing(struct rnl_conn_opts *o, const void *value, socklen_t len)
{
	uint32_t v32;
	uint64_t v;

	if (len < sizeof(v32))
		return -EINVAL;
	memcpy(&v32, value, sizeof(v32));
	v = v32 == UINT32_MAX ? UINT64_MAX : v32;
	if (len >= sizeof(v))
		memcpy(&v, value, sizeof(v));
	o->max_pacing_bytes_per_s = v == UINT64_MAX ? 0 : v < 256 ? 256 : v;
	return 0;
}

static int set_timeout(uint64_t *ns, const void *value, socklen_t len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, value, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	*ns = tv.tv_sec < 0 ? 1 : (uint64_t)tv.tv_sec * 1000 * MS_NS + (uint64_t)tv.tv_usec * 1000;
	return 0;
}

static int set_linger(struct sys_sock *p, const void *value, socklen_t len)
{
	if (len < sizeof(p->linger))
		return -EINVAL;
	memcpy(&p->linger, value, sizeof(p->linger));
	if (p->linger.l_linger < 0)
		p->linger.l_linger = INT32_MAX;
	return 0;
}

static int set_option(struct rnl_seam_sys *h, struct sys_sock *p, int level, int name,
                      const void *value, socklen_t len)
{
	struct rnl_conn_opts o = p->k->opts;
	int v, rc;

	if (level == SOL_SOCKET && name == SO_LINGER)
		return set_linger(p, value, len);
	if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO))
		return set_timeout(name == SO_RCVTIMEO ? &p->rcvtimeo_ns : &p->sndtimeo_ns, value,
		                   len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		rc = set_cc(&o, p, value, len);
		return rc < 0 ? rc : rnl_sys_apply(h, p, &o);
	}
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE) {
		rc = set_pacing(&o, value, len);
		return rc < 0 ? rc : rnl_sys_apply(h, p, &o);
	}
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, value, sizeof(v));
	rc = level == SOL_SOCKET     ? set_socket(&o, p, name, v)
	     : level == IPPROTO_TCP  ? set_tcp(&o, p, name, v)
	     : level == IPPROTO_IP   ? set_ip(&o, name, v)
	     : level == IPPROTO_IPV6 ? set_ip6(&o, p, name, v)
	                             : -ENOPROTOOPT;
	return rc < 0 ? rc : rnl_sys_apply(h, p, &o);
}

int rnl_seam_sys_setsockopt(struct rnl_seam_sys *h, int fd, int level, int name, const void *value,
                            socklen_t len)
{
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL)
		rc = value == NULL ? -EFAULT : set_option(h, p, level, name, value, len);
	return (int)rnl_sys_leave(h, rc);
}

/* ---- getting -----------------------------------------------------------------------------------
 */

static uint32_t or_default(uint32_t v, uint32_t standard)
{
	return v != 0 ? v : standard;
}

static int get_socket(const struct rnl_conn_opts *o, struct sys_sock *p, int name, int *v)
{
	switch (name) {
	case SO_ERROR:
		*v = rnl_sys_error(p, true);
		return 0;
	case SO_TYPE:
		*v = SOCK_STREAM;
		return 0;
	case SO_DOMAIN:
		*v = p->family;
		return 0;
	case SO_PROTOCOL:
		*v = IPPROTO_TCP;
		return 0;
	case SO_ACCEPTCONN:
		*v = p->k->kind == SOCK_LISTEN;
		return 0;
	case SO_SNDBUF:
		*v = (int)(2 * or_default(o->sndbuf_bytes, BUF_DEFAULT));
		return 0;
	case SO_RCVBUF:
		*v = (int)(2 * or_default(o->rcvbuf_bytes, BUF_DEFAULT));
		return 0;
	case SO_KEEPALIVE:
		*v = o->keepalive_idle_ms != 0;
		return 0;
	case SO_REUSEADDR:
		*v = p->reuse_addr;
		return 0;
	case SO_REUSEPORT:
		*v = p->reuse_port;
		return 0;
	case SO_RCVLOWAT:
		*v = (int)p->rcvlowat;
		return 0;
	case SO_OOBINLINE:
		*v = 1;
		return 0;
	case SO_PRIORITY:
		*v = p->priority;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int get_tcp(struct rnl_seam_sys *h, const struct rnl_conn_opts *o, struct sys_sock *p,
                   int name, int *v)
{
	struct rnl_conn_info i;

	switch (name) {
	case TCP_NODELAY:
		*v = o->nodelay;
		return 0;
	case TCP_MAXSEG:
		*v = rnl_seam_info(h->s, (int)(p - h->socks), &i) == 0 && i.tcpi_snd_mss != 0
		         ? (int)i.tcpi_snd_mss
		         : (int)or_default(o->mss, 536);
		return 0;
	case TCP_KEEPIDLE:
		*v = (int)(p->keep_idle_ms / 1000);
		return 0;
	case TCP_KEEPINTVL:
		*v = (int)(or_default(o->keepalive_intvl_ms, 75000) / 1000);
		return 0;
	case TCP_KEEPCNT:
		*v = (int)or_default(o->keepalive_probes, 9);
		return 0;
	case TCP_SYNCNT:
		*v = (int)or_default(o->syn_retries, 7);
		return 0;
	case TCP_LINGER2:
		*v = (int)(or_default(o->fin_wait2_ms, 60000) / 1000);
		return 0;
	case TCP_QUICKACK:
		*v = o->no_delayed_ack;
		return 0;
	case TCP_USER_TIMEOUT:
		*v = (int)o->user_timeout_ms;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*v = (int)p->notsent_lowat;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int get_mtu(struct rnl_seam_sys *h, struct sys_sock *p, int *v)
{
	struct rnl_conn_info i;
	int rc = rnl_seam_info(h->s, (int)(p - h->socks), &i);

	*v = (int)i.tcpi_pmtu;
	return rc < 0 ? -ENOTCONN : 0;
}

static int get_ip(struct rnl_seam_sys *h, const struct rnl_conn_opts *o, struct sys_sock *p,
                  int name, int *v)
{
	switch (name) {
	case IP_TOS:
		*v = o->dscp << 2;
		return 0;
	case IP_TTL:
		*v = (int)or_default(o->ttl, 64);
		return 0;
	case IP_MTU_DISCOVER:
		*v = IP_PMTUDISC_DO;
		return 0;
	case IP_MTU:
		return get_mtu(h, p, v);
	}
	return -ENOPROTOOPT;
}

static int get_ip6(struct rnl_seam_sys *h, const struct rnl_conn_opts *o, struct sys_sock *p,
                   int name, int *v)
{
	if (p->family != AF_INET6)
		return -ENOPROTOOPT;
	switch (name) {
	case IPV6_TCLASS:
		*v = o->dscp << 2;
		return 0;
	case IPV6_UNICAST_HOPS:
		*v = (int)or_default(o->ttl, 64);
		return 0;
	case IPV6_V6ONLY:
		*v = p->v6only;
		return 0;
	case IPV6_MTU_DISCOVER:
		*v = IPV6_PMTUDISC_DO;
		return 0;
	case IPV6_MTU:
		return get_mtu(h, p, v);
	}
	return -ENOPROTOOPT;
}

/* Gives as much as there is room for. */
static int put(void *value, socklen_t *len, const void *from, size_t size)
{
	*len = *len < size ? *len : (socklen_t)size;
	memcpy(value, from, *len);
	return 0;
}

static int get_info(struct rnl_seam_sys *h, struct sys_sock *p, void *value, socklen_t *len)
{
	struct sys_tcp_info ti = {.state = RNL_CLOSED};
	struct rnl_conn_info i;
	int id = (int)(p - h->socks);

	if (p->k->kind == SOCK_LISTEN) {
		ti.state = RNL_LISTEN;
		ti.unacked = rnl_seam_pending(h->s, id);
	} else if (p->k->kind == SOCK_CONN && rnl_seam_info(h->s, id, &i) == 0) {
		rnl_sys_tcp_info(&i, &ti);
		if (p->k->st.closed)
			ti.state = RNL_CLOSED;
	}
	return put(value, len, &ti, sizeof(ti));
}

static int get_cc(const struct rnl_conn_opts *o, void *value, socklen_t *len)
{
	char name[16] = "";
	const struct rnl_cc_ops *cc = o->cc != NULL ? o->cc : rnl_cc_nth(0);

	strncpy(name, cc->name, sizeof(name) - 1);
	return put(value, len, name, sizeof(name));
}

static int get_timeout(uint64_t ns, void *value, socklen_t *len)
{
	struct timeval tv = {.tv_sec = (time_t)(ns / (1000 * MS_NS)),
	                     .tv_usec = (suseconds_t)(ns / 1000 % 1000000)};

	return put(value, len, &tv, sizeof(tv));
}

static int get_pacing(const struct rnl_conn_opts *o, void *value, socklen_t *len)
{
	uint64_t v = o->max_pacing_bytes_per_s != 0 ? o->max_pacing_bytes_per_s : UINT64_MAX;
	uint32_t v32 = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;

	return *len >= sizeof(v) ? put(value, len, &v, sizeof(v))
	                         : put(value, len, &v32, sizeof(v32));
}

static int get_option(struct rnl_seam_sys *h, struct sys_sock *p, int level, int name, void *value,
                      socklen_t *len)
{
	const struct rnl_conn_opts *o = &p->k->opts;
	int v = 0, rc;

	if ((int)*len < 0)
		return -EINVAL;
	if (level == SOL_SOCKET && name == SO_LINGER)
		return put(value, len, &p->linger, sizeof(p->linger));
	if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO))
		return get_timeout(name == SO_RCVTIMEO ? p->rcvtimeo_ns : p->sndtimeo_ns, value,
		                   len);
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE)
		return get_pacing(o, value, len);
	if (level == IPPROTO_TCP && name == TCP_INFO)
		return get_info(h, p, value, len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION)
		return get_cc(o, value, len);
	rc = level == SOL_SOCKET     ? get_socket(o, p, name, &v)
	     : level == IPPROTO_TCP  ? get_tcp(h, o, p, name, &v)
	     : level == IPPROTO_IP   ? get_ip(h, o, p, name, &v)
	     : level == IPPROTO_IPV6 ? get_ip6(h, o, p, name, &v)
	                             : -ENOPROTOOPT;
	return rc < 0 ? rc : put(value, len, &v, sizeof(v));
}

int rnl_seam_sys_getsockopt(struct rnl_seam_sys *h, int fd, int level, int name, void *value,
                            socklen_t *len)
{
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL)
		rc = value == NULL || len == NULL ? -EFAULT
		                                  : get_option(h, p, level, name, value, len);
	return (int)rnl_sys_leave(h, rc);
}
