/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls that open, name and end sockets. Errors and states are Linux's (net/ipv4/af_inet.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sys_pvt.h"

#define SOMAXCONN_LINUX 4096
#define SEC_NS UINT64_C(1000000000)

static const struct rnl_addr unset;

static bool is_unset(const struct rnl_addr *a)
{
	static const struct rnl_addr any4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

	return memcmp(a, &unset, sizeof(unset)) == 0 || memcmp(a, &any4, sizeof(any4)) == 0;
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

static int read_name(const struct sys_sock *p, const struct sockaddr *sa, socklen_t len,
                     struct rnl_addr *addr, uint16_t *port)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in = (const void *)sa;
	uint8_t b[4];

	if (len < sizeof(sa_family_t) ||
	    len <
	        (p->family == AF_INET ? sizeof(*in) : offsetof(struct sockaddr_in6, sin6_scope_id)))
		return -EINVAL;
	if (sa->sa_family != p->family)
		return -EAFNOSUPPORT;
	if (p->family == AF_INET) {
		memcpy(b, &in->sin_addr, 4);
		*addr = rnl_addr_v4(b[0], b[1], b[2], b[3]);
		*port = ntohs(in->sin_port);
		return 0;
	}
	memcpy(addr, &in6->sin6_addr, 16);
	*port = ntohs(in6->sin6_port);
	return p->v6only && rnl_addr_is_v4(addr) ? -ENETUNREACH : 0;
}

static int write_name(int family, const struct rnl_addr *addr, uint16_t port, struct sockaddr *sa,
                      socklen_t *len)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t have = family == AF_INET ? sizeof(in) : sizeof(in6);

	if ((int)*len < 0)
		return -EINVAL;
	memcpy(&in.sin_addr, addr->b + 12, 4);
	memcpy(&in6.sin6_addr, addr->b, 16);
	memcpy(sa, family == AF_INET ? (void *)&in : (void *)&in6, *len < have ? *len : have);
	*len = have;
	return 0;
}

static int tuple_of(struct rnl_seam_sys *h, struct sys_sock *p, struct rnl_tuple *t)
{
	struct rnl_conn_info info;
	int rc = rnl_seam_info(h->s, (int)(p - h->socks), &info);

	if (rc == 0)
		*t = info.tuple;
	return rc;
}

int rnl_seam_sys_getsockname(struct rnl_seam_sys *h, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct rnl_tuple t;
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL && tuple_of(h, p, &t) == 0)
		rc = write_name(p->family, &t.laddr, t.lport, addr, len);
	else if (p != NULL)
		rc = write_name(p->family, &p->k->laddr, p->k->lport, addr, len);
	return (int)rnl_sys_leave(h, rc);
}

int rnl_seam_sys_getpeername(struct rnl_seam_sys *h, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct rnl_tuple t;
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL && p->k->kind == SOCK_CONN && p->k->st.connected && !p->k->st.closed &&
	    tuple_of(h, p, &t) == 0)
		rc = write_name(p->family, &t.raddr, t.rport, addr, len);
	else if (p != NULL)
		rc = -ENOTCONN;
	return (int)rnl_sys_leave(h, rc);
}

/* ---- opening -----------------------------------------------------------------------------------
 */

static int open_socket(struct rnl_seam_sys *h, int domain, int type, int protocol)
{
	int id, rc, kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct sys_sock *p;

	if (domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if (kind < 0 || kind > 10)
		return -EINVAL;
	if (kind != SOCK_STREAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != 0 && protocol != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	id = rnl_seam_socket(h->s);
	if (id < 0)
		return id;
	p = rnl_sys_add(h, id, domain, type, &rc);
	if (p == NULL) {
		rnl_seam_forget(h->s, id);
		return rc;
	}
	return p->fd;
}

int rnl_seam_sys_socket(struct rnl_seam_sys *h, int domain, int type, int protocol)
{
	rnl_sys_enter(h);
	return (int)rnl_sys_leave(h, open_socket(h, domain, type, protocol));
}

struct lookup {
	const struct rnl_addr *addr;
	bool found;
};

static bool is_own(void *arg, const struct rnl_addr_info *info)
{
	struct lookup *l = arg;

	l->found = memcmp(&info->addr, l->addr, sizeof(info->addr)) == 0;
	return !l->found;
}

static bool own_addr(struct rnl_seam_sys *h, const struct rnl_addr *addr)
{
	struct lookup l = {.addr = addr};

	rnl_addr_foreach(h->s->stack, is_own, &l);
	return l.found;
}

static bool both_overlap(const struct sys_sock *a, const struct rnl_addr *addr)
{
	return is_unset(&a->k->laddr) || is_unset(addr) ||
	       memcmp(&a->k->laddr, addr, sizeof(*addr)) == 0;
}

static bool in_use(struct rnl_seam_sys *h, const struct sys_sock *p, const struct rnl_addr *addr,
                   uint16_t port)
{
	for (unsigned int i = 0; i < RNL_SEAM_SOCKETS; i++) {
		const struct sys_sock *o = &h->socks[i];

		if (o->k == NULL || o == p || !o->bound || o->k->lport != port ||
		    !both_overlap(o, addr))
			continue;
		if (!(o->reuse_addr && p->reuse_addr && o->k->kind != SOCK_LISTEN) &&
		    !(o->reuse_port && p->reuse_port))
			return true;
	}
	return false;
}

static int bind_port(struct rnl_seam_sys *h, struct sys_sock *p, const struct rnl_addr *addr,
                     uint16_t port)
{
	const uint16_t first = 32768, count = 28232; /* as ip_local_port_range */

	if (port != 0 && in_use(h, p, addr, port))
		return -EADDRINUSE;
	for (unsigned int i = 0; port == 0 && i < count; i++) {
		uint16_t try = (uint16_t)(first + h->next_port);

		h->next_port = (uint16_t)((h->next_port + 1) % count);
		if (!in_use(h, p, addr, try))
			port = try;
	}
	if (port == 0)
		return -EADDRINUSE;
	p->k->laddr = is_unset(addr) ? unset : *addr;
	p->k->lport = port;
	p->bound = true;
	return 0;
}

static int bind_to(struct rnl_seam_sys *h, struct sys_sock *p, const struct sockaddr *sa,
                   socklen_t len)
{
	struct rnl_addr addr;
	uint16_t port;
	int rc = read_name(p, sa, len, &addr, &port);

	if (rc < 0)
		return rc == -ENETUNREACH ? -EINVAL : rc;
	if (p->bound || p->k->kind != SOCK_NEW)
		return -EINVAL;
	if (!is_unset(&addr) && !own_addr(h, &addr))
		return -EADDRNOTAVAIL;
	return bind_port(h, p, &addr, port);
}

int rnl_seam_sys_bind(struct rnl_seam_sys *h, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL)
		rc = bind_to(h, p, addr, len);
	return (int)rnl_sys_leave(h, rc);
}

static int start_listening(struct rnl_seam_sys *h, struct sys_sock *p, int backlog)
{
	unsigned int n =
	    backlog < 0 || backlog > SOMAXCONN_LINUX ? SOMAXCONN_LINUX : (unsigned int)backlog;
	int rc = 0;

	if (p->k->kind == SOCK_LISTEN)
		return 0; /* the backlog stays: DIFFERS, doc/seam.md */
	if (p->k->kind != SOCK_NEW)
		return -EINVAL;
	if (!p->bound)
		rc = bind_port(h, p, &unset, 0);
	if (rc < 0)
		return rc;
	p->k->only = p->family == AF_INET ? 4 : p->v6only ? 6 : 0;
	return rnl_seam_listen(h->s, (int)(p - h->socks), n == 0 ? 1 : n);
}

int rnl_seam_sys_listen(struct rnl_seam_sys *h, int fd, int backlog)
{
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL)
		rc = start_listening(h, p, backlog);
	return (int)rnl_sys_leave(h, rc);
}

/* ---- accept ------------------------------------------------------------------------------------
 */

/* What an accepted socket has of its listener. */
static void inherit(struct sys_sock *p, const struct sys_sock *l)
{
	p->rcvtimeo_ns = l->rcvtimeo_ns;
	p->sndtimeo_ns = l->sndtimeo_ns;
	p->rcvlowat = l->rcvlowat;
	p->notsent_lowat = l->notsent_lowat;
	p->keep_idle_ms = l->keep_idle_ms;
	p->linger = l->linger;
	p->reuse_addr = l->reuse_addr;
	p->reuse_port = l->reuse_port;
	p->v6only = l->v6only;
	p->priority = l->priority;
}

static int take_one(struct rnl_seam_sys *h, struct sys_sock *l, int flags)
{
	int id, rc;
	struct sys_sock *p;

	if (l->k->kind != SOCK_LISTEN)
		return -EINVAL;
	id = rnl_seam_accept(h->s, (int)(l - h->socks));
	if (id < 0)
		return id;
	p = rnl_sys_add(h, id, l->family, flags, &rc);
	if (p == NULL) {
		rnl_seam_abort(h->s, id);
		rnl_seam_forget(h->s, id);
		return rc;
	}
	inherit(p, l);
	return p->fd;
}

int rnl_seam_sys_accept4(struct rnl_seam_sys *h, int fd, struct sockaddr *addr, socklen_t *len,
                         int flags)
{
	uint64_t until = 0;
	struct sys_sock *l, *p;
	struct rnl_tuple t;
	int rc;

	rnl_sys_enter(h);
	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return (int)rnl_sys_leave(h, -EINVAL);
	for (;;) {
		l = rnl_sys_find(h, fd, &rc);
		rc = l == NULL ? rc : take_one(h, l, flags);
		if (rc != -EAGAIN || rnl_sys_nonblock(l))
			break;
		if (until == 0)
			until = rnl_sys_after(h, l->rcvtimeo_ns);
		rc = rnl_sys_wait(h, until, false);
		if (rc < 0) {
			rc = rc == -ETIMEDOUT ? -EAGAIN : rc;
			break;
		}
	}
	if (rc >= 0 && addr != NULL) {
		int fresh = rc;

		p = rnl_sys_find(h, fresh, &rc);
		rc = p == NULL ? rc : tuple_of(h, p, &t);
		rc = rc < 0 ? rc : write_name(p->family, &t.raddr, t.rport, addr, len);
		rc = rc < 0 ? rc : fresh;
	}
	return (int)rnl_sys_leave(h, rc);
}

int rnl_seam_sys_accept(struct rnl_seam_sys *h, int fd, struct sockaddr *addr, socklen_t *len)
{
	return rnl_seam_sys_accept4(h, fd, addr, len, 0);
}

/* ---- connect -----------------------------------------------------------------------------------
 */

/* A socket whose attempt failed may try again, once it was told. */
static void reopen(struct rnl_seam_sys *h, struct sys_sock *p)
{
	if (p->k->kind != SOCK_CONN || !p->k->st.closed || p->k->st.connected)
		return;
	memset(&p->k->st, 0, sizeof(p->k->st));
	p->k->kind = SOCK_NEW;
	p->k->user_closed = false;
	p->told = false;
	p->shut_rd = p->shut_wr = false;
	if (p->hung)
		rnl_sys_renew(p);
}

static int begin_connect(struct rnl_seam_sys *h, struct sys_sock *p, const struct sockaddr *sa,
                         socklen_t len)
{
	struct rnl_addr addr;
	uint16_t port;
	int rc = read_name(p, sa, len, &addr, &port);

	if (rc < 0)
		return rc;
	return rnl_seam_connect(h->s, (int)(p - h->socks), &addr, port);
}

/* @return 0, -EINPROGRESS while it goes on, or why it failed. */
static int connect_state(struct sys_sock *p)
{
	int err = rnl_sys_error(p, true);

	if (err != 0)
		return -err;
	if (p->k->kind != SOCK_CONN || (p->k->st.closed && !p->k->st.connected))
		return -ECONNABORTED;
	return p->k->st.connected ? 0 : -EINPROGRESS;
}

static int try_connect(struct rnl_seam_sys *h, struct sys_sock *p, const struct sockaddr *sa,
                       socklen_t len)
{
	int err = rnl_sys_error(p, true);

	if (err != 0)
		return -err;
	reopen(h, p);
	if (p->k->kind == SOCK_NEW)
		return begin_connect(h, p, sa, len);
	if (p->k->kind == SOCK_LISTEN || p->k->st.connected)
		return -EISCONN;
	return -EALREADY;
}

int rnl_seam_sys_connect(struct rnl_seam_sys *h, int fd, const struct sockaddr *addr, socklen_t len)
{
	uint64_t until;
	struct sys_sock *p;
	int rc = 0, begun;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p == NULL)
		return (int)rnl_sys_leave(h, rc);
	rc = begun = try_connect(h, p, addr, len);
	until = rnl_sys_after(h, p->sndtimeo_ns);
	while ((rc == -EINPROGRESS || rc == -EALREADY) && !rnl_sys_nonblock(p)) {
		rc = rnl_sys_wait(h, until, false);
		if (rc < 0) {
			rc = rc == -ETIMEDOUT ? begun : rc;
			break;
		}
		p = rnl_sys_find(h, fd, &rc);
		if (p == NULL)
			break;
		rc = connect_state(p);
	}
	return (int)rnl_sys_leave(h, rc);
}

/* ---- ending ------------------------------------------------------------------------------------
 */

static int shut(struct rnl_seam_sys *h, struct sys_sock *p, int how)
{
	int id = (int)(p - h->socks), rc = 0;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (p->k->kind == SOCK_LISTEN) {
		if (how == SHUT_WR)
			return 0;
		while ((rc = rnl_seam_accept(h->s, id)) >= 0) {
			rnl_seam_abort(h->s, rc);
			rnl_seam_forget(h->s, rc);
		}
		rc = rnl_seam_close(h->s, id);
		p->k->user_closed = false;
		return rc;
	}
	if (p->k->kind != SOCK_CONN || p->k->st.closed)
		return -ENOTCONN;
	if (!p->k->st.connected)
		return rnl_seam_abort(h->s, id);
	if (how != SHUT_RD && !p->shut_wr) {
		p->shut_wr = true;
		rc = rnl_seam_shutdown(h->s, id);
	}
	if (how != SHUT_WR)
		p->shut_rd = true;
	return rc;
}

int rnl_seam_sys_shutdown(struct rnl_seam_sys *h, int fd, int how)
{
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL)
		rc = shut(h, p, how);
	return (int)rnl_sys_leave(h, rc);
}

/* As sk_stream_wait_close(): until our FIN is acknowledged, or the time is over. */
static void linger(struct rnl_seam_sys *h, struct sys_sock *p)
{
	uint64_t until = rnl_sys_after(h, (uint64_t)p->linger.l_linger * SEC_NS);
	struct rnl_conn_info i;
	int id = (int)(p - h->socks), rc = rnl_seam_close(h->s, id), fd = p->fd;

	while (rc == 0) {
		if (rnl_seam_info(h->s, id, &i) < 0 || p->k->st.closed ||
		    (i.tcpi_state != RNL_FIN_WAIT_1 && i.tcpi_state != RNL_LAST_ACK &&
		     i.tcpi_state != RNL_CLOSING))
			return;
		rc = rnl_sys_wait(h, until, false);
		if (rnl_sys_find(h, fd, &rc) != p)
			return;
	}
}

int rnl_seam_sys_close(struct rnl_seam_sys *h, int fd)
{
	struct sys_sock *p;
	int rc = 0;

	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL && p->k->kind == SOCK_CONN && p->linger.l_onoff && p->linger.l_linger > 0)
		linger(h, p);
	p = rc < 0 ? NULL : rnl_sys_find(h, fd, &rc);
	if (p != NULL)
		rnl_sys_drop(h, p, true);
	return (int)rnl_sys_leave(h, rc);
}
