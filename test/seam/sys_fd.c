/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors: each is one end of a pair of Unix sockets, whose other end makes the kernel say of
 * it what is true of the TCP socket: readable (an octet lies in it), not writable (it is full),
 * hung up.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys_pvt.h"

#define IN_BITS (POLLIN | POLLRDNORM)
#define OUT_BITS (POLLOUT | POLLWRNORM)

/* ---- what is true ------------------------------------------------------------------------------
 */

int rnl_sys_error(struct sys_sock *p, bool take)
{
	const struct sock *k = p->k;
	int err;

	if (k->kind != SOCK_CONN || !k->st.closed || p->told)
		return 0;
	err = rnl_seam_errno(k->st.reason);
	if (k->st.reason == RNL_REASON_RESET && k->st.eof)
		err = EPIPE; /* as Linux says it in CLOSE-WAIT */
	if (k->st.reason == RNL_REASON_UNREACHABLE && k->last.soft_error != 0)
		err = k->last.soft_error;
	if (take)
		p->told = true;
	return err;
}

static bool peer_fin(const struct rnl_conn_info *i)
{
	return i->tcpi_state == RNL_CLOSE_WAIT || i->tcpi_state == RNL_LAST_ACK ||
	       i->tcpi_state == RNL_CLOSING || i->tcpi_state == RNL_TIME_WAIT;
}

/* As sk_stream_is_writeable(): a third is free, and TCP_NOTSENT_LOWAT is kept. */
static bool writable(struct rnl_seam_sys *h, const struct sys_sock *p,
                     const struct rnl_conn_info *i)
{
	uint64_t room = rnl_send_room(h->s->stack, p->k->conn);

	if (p->notsent_lowat != 0 && i->tcpi_notsent_bytes >= p->notsent_lowat)
		return false;
	return 3 * room >= i->sndbuf_bytes;
}

static uint32_t open_bits(struct rnl_seam_sys *h, const struct sys_sock *p)
{
	struct rnl_conn_info i;
	bool fin;
	uint32_t bits = 0;

	if (rnl_conn_info(h->s->stack, p->k->conn, &i) < 0)
		return 0;
	fin = p->k->st.eof || peer_fin(&i);
	if (fin || p->shut_rd || i.unread_bytes >= p->rcvlowat)
		bits |= IN_BITS;
	if (fin || p->shut_rd)
		bits |= POLLRDHUP;
	if ((fin || p->shut_rd) && p->shut_wr)
		bits |= POLLHUP;
	if (p->shut_wr || writable(h, p, &i))
		bits |= OUT_BITS;
	if (i.urgent_bytes > 0)
		bits |= POLLPRI;
	return bits;
}

uint32_t rnl_sys_bits(struct rnl_seam_sys *h, const struct sys_sock *p)
{
	const struct sock *k = p->k;
	int id = (int)(k - h->s->socks);

	if (k->kind == SOCK_LISTEN)
		return rnl_seam_pending(h->s, id) > 0 ? IN_BITS : 0;
	if (k->kind == SOCK_NEW)
		return OUT_BITS | POLLHUP;
	if (k->st.closed)
		return IN_BITS | OUT_BITS | POLLRDHUP | POLLHUP |
		       (rnl_sys_error((struct sys_sock *)(uintptr_t)p, false) != 0 ? POLLERR : 0);
	return k->st.connected ? open_bits(h, p) : 0;
}

/* ---- what the stand-in shows -------------------------------------------------------------------
 */

static void swallow(int fd)
{
	char buf[4096];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

static void show_out(struct sys_sock *p, bool on)
{
	static const char page[4096];

	if (on)
		swallow(p->far);
	else
		while (send(p->fd, page, sizeof(page), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
}

static void show_in(struct sys_sock *p, bool on)
{
	if (on)
		send(p->far, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		swallow(p->fd);
}

/* For good: hung up, with an error if there is one. */
static void show_end(struct sys_sock *p, bool error)
{
	swallow(p->far);
	if (error) /* what lies unread when the far end closes makes an error of it */
		send(p->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(p->far);
	p->far = -1;
	p->hung = true;
}

static void show_error_taken(struct sys_sock *p)
{
	int err;
	socklen_t len = sizeof(err);

	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len);
}

/* More data is a new edge for epoll even while old data lies there. */
static bool more_came(struct rnl_seam_sys *h, struct sys_sock *p)
{
	struct rnl_conn_info i;
	bool more;

	if (p->k->kind != SOCK_CONN || rnl_conn_info(h->s->stack, p->k->conn, &i) < 0)
		return false;
	more = i.tcpi_bytes_received != p->seen_rx;
	p->seen_rx = i.tcpi_bytes_received;
	return more;
}

static void show(struct rnl_seam_sys *h, struct sys_sock *p)
{
	uint32_t bits = rnl_sys_bits(h, p), changed = bits ^ p->shown;
	bool more = more_came(h, p);

	if (p->hung) {
		if (changed & POLLERR)
			show_error_taken(p);
		p->shown = bits;
		return;
	}
	if (p->k->kind != SOCK_NEW && (bits & POLLHUP)) {
		show_end(p, bits & POLLERR);
		p->shown = bits;
		return;
	}
	if ((changed & POLLIN) || (more && (bits & POLLIN)))
		show_in(p, bits & POLLIN);
	if (changed & POLLOUT)
		show_out(p, bits & POLLOUT);
	if (changed & bits & POLLRDHUP)
		shutdown(p->far, SHUT_WR);
	p->shown = bits;
}

void rnl_sys_show(struct rnl_seam_sys *h)
{
	for (unsigned int i = 0; i < RNL_SEAM_SOCKETS; i++)
		if (h->socks[i].k != NULL && !rnl_sys_gone(&h->socks[i]))
			show(h, &h->socks[i]);
}

/* ---- records -----------------------------------------------------------------------------------
 */

static int stand_in(struct sys_sock *p, int flags)
{
	struct stat st;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | flags, 0, pair) < 0)
		return -errno;
	if (fstat(pair[0], &st) < 0 || fcntl(pair[1], F_SETFD, FD_CLOEXEC) < 0) {
		close(pair[0]);
		close(pair[1]);
		return -EMFILE;
	}
	p->fd = pair[0];
	p->far = pair[1];
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	p->shown = OUT_BITS;
	p->hung = false;
	return 0;
}

struct sys_sock *rnl_sys_add(struct rnl_seam_sys *h, int id, int family, int flags, int *why)
{
	struct sys_sock *p = &h->socks[id];

	memset(p, 0, sizeof(*p));
	*why = stand_in(p, flags & (SOCK_NONBLOCK | SOCK_CLOEXEC));
	if (*why < 0)
		return NULL;
	p->k = &h->s->socks[id];
	p->family = family;
	p->rcvlowat = 1;
	p->keep_idle_ms = 7200000;
	return p;
}

int rnl_sys_renew(struct sys_sock *p)
{
	struct sys_sock fresh = *p;
	int fl = fcntl(p->fd, F_GETFL), fdfl = fcntl(p->fd, F_GETFD), rc;

	rc = stand_in(&fresh, (fl & O_NONBLOCK ? SOCK_NONBLOCK : 0));
	if (rc < 0)
		return rc;
	rc = dup3(fresh.fd, p->fd, fdfl & FD_CLOEXEC ? O_CLOEXEC : 0);
	close(fresh.fd);
	if (rc < 0) {
		close(fresh.far);
		return -errno;
	}
	if (p->far >= 0)
		close(p->far);
	fresh.fd = p->fd;
	*p = fresh;
	return 0;
}

void rnl_sys_drop(struct rnl_seam_sys *h, struct sys_sock *p, bool close_fd)
{
	int id = (int)(p - h->socks), c;

	if (p->k->kind == SOCK_LISTEN) /* Linux resets what nobody accepted */
		while ((c = rnl_seam_accept(h->s, id)) >= 0) {
			rnl_seam_abort(h->s, c);
			rnl_seam_forget(h->s, c);
		}
	if (p->k->kind == SOCK_CONN && p->linger.l_onoff && p->linger.l_linger == 0)
		rnl_seam_abort(h->s, id);
	rnl_seam_forget(h->s, id);
	if (p->far >= 0)
		close(p->far);
	if (close_fd)
		close(p->fd);
	p->k = NULL;
}

struct sys_sock *rnl_sys_find(struct rnl_seam_sys *h, int fd, int *why)
{
	for (unsigned int i = 0; i < RNL_SEAM_SOCKETS; i++)
		if (h->socks[i].k != NULL && h->socks[i].fd == fd)
			return &h->socks[i];
	*why = fcntl(fd, F_GETFD) < 0 ? -EBADF : -ENOTSOCK;
	return NULL;
}

bool rnl_sys_nonblock(const struct sys_sock *p)
{
	return fcntl(p->fd, F_GETFL) & O_NONBLOCK;
}
