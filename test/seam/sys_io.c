/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls that move data. A call that may block tries, waits, finds the descriptor again, and
 * tries again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys_pvt.h"

#define RECV_FLAGS                                                                                 \
	(MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL | MSG_TRUNC | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC)
#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_OOB | MSG_EOR)
#define GATHER_MAX (64u << 20)

/* ---- receiving ---------------------------------------------------------------------------------
 */

/* MSG_TRUNC: octets are taken and thrown away. */
static ssize_t skip(struct rnl_seam_sys *h, int id, size_t len)
{
	char buf[4096];
	size_t got = 0;
	ssize_t n = 0;

	while (got < len) {
		n = rnl_seam_read(h->s, id, buf, len - got < sizeof(buf) ? len - got : sizeof(buf));
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got > 0 ? (ssize_t)got : n;
}

ssize_t rnl_sys_take(struct rnl_seam_sys *h, struct sys_sock *p, void *buf, size_t len, int flags)
{
	int id = (int)(p - h->socks), err;
	ssize_t n;

	if (p->k->kind != SOCK_CONN)
		return -ENOTCONN;
	if (p->k->st.closed) { /* read up to its end: what is left is the reason, told once */
		err = rnl_sys_error(p, true);
		return err != 0 ? -err : p->k->st.connected ? 0 : -ENOTCONN;
	}
	if (!p->k->st.connected)
		return -EAGAIN;
	if (flags & MSG_PEEK)
		n = rnl_seam_peek(h->s, id, buf, len);
	else if (flags & MSG_TRUNC)
		n = skip(h, id, len);
	else
		n = rnl_seam_read(h->s, id, buf, len);
	if (n < 0 && p->k->st.closed)
		return -rnl_sys_error(p, true);
	return n == -EAGAIN && p->shut_rd ? 0 : n;
}

static ssize_t receive(struct rnl_seam_sys *h, int fd, void *buf, size_t len, int flags)
{
	uint64_t until = 0;
	struct sys_sock *p;
	size_t got = 0, want;
	ssize_t n;
	int why = 0;

	if (flags & MSG_ERRQUEUE)
		return rnl_sys_find(h, fd, &why) == NULL ? why : -EAGAIN;
	for (;;) {
		p = rnl_sys_find(h, fd, &why);
		if (p == NULL)
			return got > 0 ? (ssize_t)got : why;
		if (flags & MSG_OOB)
			return -EINVAL; /* urgent data is in line (RFC 6093 4) */
		if (flags & ~RECV_FLAGS)
			return -EOPNOTSUPP;
		if (len == 0)
			return p->k->kind == SOCK_CONN ? 0 : -ENOTCONN;
		want = flags & MSG_WAITALL ? len : p->rcvlowat < len ? p->rcvlowat : len;
		if (flags & MSG_PEEK)
			got = 0;
		n = rnl_sys_take(h, p, (char *)buf + got, len - got, flags);
		if (n > 0)
			got += (size_t)n;
		if ((n <= 0 && n != -EAGAIN) || got >= want)
			break;
		if ((flags & MSG_DONTWAIT) || rnl_sys_nonblock(p))
			break;
		if (until == 0)
			until = rnl_sys_after(h, p->rcvtimeo_ns);
		why = rnl_sys_wait(h, until, false);
		if (why < 0) {
			n = why == -ETIMEDOUT ? -EAGAIN : why;
			break;
		}
	}
	return got > 0 ? (ssize_t)got : n;
}

ssize_t rnl_seam_sys_recv(struct rnl_seam_sys *h, int fd, void *buf, size_t len, int flags)
{
	rnl_sys_enter(h);
	return rnl_sys_leave(h, receive(h, fd, buf, len, flags));
}

ssize_t rnl_seam_sys_read(struct rnl_seam_sys *h, int fd, void *buf, size_t len)
{
	return rnl_seam_sys_recv(h, fd, buf, len, 0);
}

/* TCP gives no address (POSIX leaves it open; Linux writes none). */
ssize_t rnl_seam_sys_recvfrom(struct rnl_seam_sys *h, int fd, void *buf, size_t len, int flags,
                              struct sockaddr *addr, socklen_t *addr_len)
{
	ssize_t n = rnl_seam_sys_recv(h, fd, buf, len, flags);

	if (n >= 0 && addr != NULL && addr_len != NULL)
		*addr_len = 0;
	return n;
}

/* @return octets in all, or -1: too many pieces or octets. */
static ssize_t total(const struct iovec *iov, size_t n)
{
	size_t sum = 0;

	if (n > IOV_MAX)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (iov[i].iov_len > GATHER_MAX - sum)
			return -1;
		sum += iov[i].iov_len;
	}
	return (ssize_t)sum;
}

static void scatter(const struct iovec *iov, size_t n, const char *from, size_t len)
{
	for (size_t i = 0; i < n && len > 0; i++) {
		size_t part = iov[i].iov_len < len ? iov[i].iov_len : len;

		memcpy(iov[i].iov_base, from, part);
		from += part;
		len -= part;
	}
}

static ssize_t receive_pieces(struct rnl_seam_sys *h, int fd, const struct iovec *iov, size_t n,
                              int flags)
{
	ssize_t len = total(iov, n), got;
	char *buf;

	if (len < 0) {
		errno = EINVAL;
		return -1;
	}
	buf = malloc((size_t)len + 1);
	if (buf == NULL)
		return -1;
	got = rnl_seam_sys_recv(h, fd, buf, (size_t)len, flags);
	if (got > 0 && !(flags & MSG_TRUNC))
		scatter(iov, n, buf, (size_t)got);
	free(buf);
	return got;
}

ssize_t rnl_seam_sys_readv(struct rnl_seam_sys *h, int fd, const struct iovec *iov, int n)
{
	return receive_pieces(h, fd, iov, n < 0 ? SIZE_MAX : (size_t)n, 0);
}

ssize_t rnl_seam_sys_recvmsg(struct rnl_seam_sys *h, int fd, struct msghdr *msg, int flags)
{
	ssize_t got = receive_pieces(h, fd, msg->msg_iov, msg->msg_iovlen, flags);

	if (got >= 0) {
		msg->msg_namelen = 0;
		msg->msg_controllen = 0;
		msg->msg_flags = 0;
	}
	return got;
}

/* ---- sending -----------------------------------------------------------------------------------
 */

static ssize_t give(struct rnl_seam_sys *h, struct sys_sock *p, const void *buf, size_t len,
                    int flags)
{
	int id = (int)(p - h->socks), err = rnl_sys_error(p, true);
	ssize_t n;

	if (err != 0)
		return -err;
	if (p->k->kind != SOCK_CONN || p->k->st.closed || p->shut_wr)
		return -EPIPE;
	if (!p->k->st.connected)
		return -EAGAIN;
	if (len == 0)
		return 0;
	n = flags & MSG_OOB ? rnl_seam_write_urgent(h->s, id, buf, len)
	                    : rnl_seam_write(h->s, id, buf, len);
	if (n < 0 && p->k->st.closed) {
		err = rnl_sys_error(p, true);
		return err != 0 ? -err : -EPIPE;
	}
	return n;
}

static ssize_t send_all(struct rnl_seam_sys *h, int fd, const void *buf, size_t len, int flags)
{
	uint64_t until = 0;
	struct sys_sock *p;
	size_t put = 0;
	ssize_t n;
	int why = 0;

	for (;;) {
		p = rnl_sys_find(h, fd, &why);
		if (p == NULL)
			return put > 0 ? (ssize_t)put : why;
		if (flags & ~SEND_FLAGS)
			return -EOPNOTSUPP;
		n = give(h, p, (const char *)buf + put, len - put, flags);
		if (n > 0)
			put += (size_t)n;
		if ((n < 0 && n != -EAGAIN) || put >= len)
			break;
		if (n > 0)
			continue;
		if ((flags & MSG_DONTWAIT) || rnl_sys_nonblock(p))
			break;
		if (until == 0)
			until = rnl_sys_after(h, p->sndtimeo_ns);
		why = rnl_sys_wait(h, until, false);
		if (why < 0) {
			n = why == -ETIMEDOUT ? -EAGAIN : why;
			break;
		}
	}
	return put > 0 ? (ssize_t)put : n;
}

ssize_t rnl_seam_sys_send(struct rnl_seam_sys *h, int fd, const void *buf, size_t len, int flags)
{
	rnl_sys_enter(h);
	return rnl_sys_leave(h, send_all(h, fd, buf, len, flags));
}

ssize_t rnl_seam_sys_write(struct rnl_seam_sys *h, int fd, const void *buf, size_t len)
{
	return rnl_seam_sys_send(h, fd, buf, len, 0);
}

ssize_t rnl_seam_sys_sendto(struct rnl_seam_sys *h, int fd, const void *buf, size_t len, int flags,
                            const struct sockaddr *addr, socklen_t addr_len)
{
	return rnl_seam_sys_send(h, fd, buf, len, flags);
}

static ssize_t send_pieces(struct rnl_seam_sys *h, int fd, const struct iovec *iov, size_t n,
                           int flags)
{
	ssize_t len = total(iov, n);
	size_t at = 0;
	char *buf;

	if (len < 0) {
		errno = EINVAL;
		return -1;
	}
	buf = malloc((size_t)len + 1);
	if (buf == NULL)
		return -1;
	for (size_t i = 0; i < n; at += iov[i++].iov_len)
		memcpy(buf + at, iov[i].iov_base, iov[i].iov_len);
	len = rnl_seam_sys_send(h, fd, buf, (size_t)len, flags);
	free(buf);
	return len;
}

ssize_t rnl_seam_sys_writev(struct rnl_seam_sys *h, int fd, const struct iovec *iov, int n)
{
	return send_pieces(h, fd, iov, n < 0 ? SIZE_MAX : (size_t)n, 0);
}

ssize_t rnl_seam_sys_sendmsg(struct rnl_seam_sys *h, int fd, const struct msghdr *msg, int flags)
{
	if (msg->msg_controllen > 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return send_pieces(h, fd, msg->msg_iov, msg->msg_iovlen, flags);
}

/* ---- splice ------------------------------------------------------------------------------------
 */

static ssize_t write_now(int fd, const void *buf, size_t len)
{
	struct pollfd pf = {.fd = fd, .events = POLLOUT};
	ssize_t n;

	/* A pipe that has an empty slot takes a page at least without blocking. */
	if (poll(&pf, 1, 0) <= 0)
		return -EAGAIN;
	if (pf.revents & POLLERR) /* no reader: write() would raise SIGPIPE */
		return -EPIPE;
	n = write(fd, buf, len < 4096 ? len : 4096);
	return n < 0 ? -errno : n;
}

/* Peeks, and takes what the pipe took: nothing gets lost. */
static ssize_t to_pipe(struct rnl_seam_sys *h, struct sys_sock *p, int out, size_t len)
{
	char buf[4096];
	ssize_t n, put = 0, all = 0;

	while ((size_t)all < len) {
		size_t part = len - (size_t)all < sizeof(buf) ? len - (size_t)all : sizeof(buf);

		n = rnl_sys_take(h, p, buf, part, MSG_PEEK);
		if (n <= 0)
			return all > 0 ? all : n;
		put = write_now(out, buf, (size_t)n);
		if (put < 0)
			return all > 0 ? all : put;
		rnl_sys_take(h, p, NULL, (size_t)put, MSG_TRUNC);
		all += put;
	}
	return all;
}

static ssize_t from_pipe(struct rnl_seam_sys *h, struct sys_sock *p, int in, size_t len)
{
	struct pollfd pf = {.fd = in, .events = POLLIN};
	size_t room = rnl_send_room(h->s->stack, p->k->conn);
	ssize_t n, all = 0;
	char buf[4096];

	n = give(h, p, NULL, 0, 0);
	while (n >= 0 && (size_t)all < len) {
		size_t part = len - (size_t)all;

		part = part < sizeof(buf) ? part : sizeof(buf);
		if (room == 0 || poll(&pf, 1, 0) <= 0) {
			n = -EAGAIN;
			break;
		}
		n = read(in, buf, part < room ? part : room);
		if (n <= 0) {
			n = n < 0 ? -errno : 0;
			break;
		}
		n = give(h, p, buf, (size_t)n, 0);
		all += n > 0 ? n : 0;
		room = rnl_send_room(h->s->stack, p->k->conn);
	}
	return all > 0 ? all : n;
}

static ssize_t splice_once(struct rnl_seam_sys *h, int in, int out, size_t len,
                           struct sys_sock **which)
{
	int why = 0;
	struct sys_sock *from = rnl_sys_find(h, in, &why), *to = rnl_sys_find(h, out, &why);

	*which = from != NULL ? from : to;
	if ((from == NULL) == (to == NULL))
		return why == -EBADF ? -EBADF : -EINVAL;
	if (fcntl(from != NULL ? out : in, F_GETPIPE_SZ) < 0)
		return why == -EBADF ? -EBADF : -EINVAL;
	return from != NULL ? to_pipe(h, from, out, len) : from_pipe(h, to, in, len);
}

ssize_t rnl_seam_sys_splice(struct rnl_seam_sys *h, int in, int64_t *off_in, int out,
                            int64_t *off_out, size_t len, unsigned int flags)
{
	struct sys_sock *p;
	ssize_t n;

	rnl_sys_enter(h);
	if (off_in != NULL || off_out != NULL)
		return rnl_sys_leave(h, -ESPIPE);
	for (;;) {
		n = len == 0 ? 0 : splice_once(h, in, out, len, &p);
		if (n != -EAGAIN || (flags & SPLICE_F_NONBLOCK) || rnl_sys_nonblock(p))
			break;
		n = rnl_sys_wait(h, SYS_NEVER, false);
		if (n < 0)
			break;
	}
	return rnl_sys_leave(h, n);
}
