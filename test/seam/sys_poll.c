/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * poll, select, epoll. What is ours is looked at, what is the kernel's is asked; to wait in real
 * time the kernel waits on the stand-ins, in virtual time the clock moves.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys_pvt.h"

#define MS_NS UINT64_C(1000000)

/* @return how many have something. */
static int look(struct rnl_seam_sys *h, struct pollfd *fds, nfds_t n)
{
	struct sys_sock *p;
	int why, count = 0;

	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		p = rnl_sys_find(h, fds[i].fd, &why);
		if (p == NULL)
			poll(&fds[i], 1, 0);
		else
			fds[i].revents = (short)(rnl_sys_bits(h, p) &
			                         ((uint16_t)fds[i].events | POLLERR | POLLHUP));
		count += fds[i].revents != 0;
	}
	return count;
}

/* @return -ETIMEDOUT when until_ns is reached. */
static int wait_fds(struct rnl_seam_sys *h, struct pollfd *fds, nfds_t n, uint64_t until_ns)
{
	uint64_t now = rnl_seam_now(h->s);
	int rc, ms = -1;

	if (h->time != RNL_SEAM_SYS_REAL)
		return rnl_sys_wait(h, until_ns, false);
	if (now >= until_ns)
		return -ETIMEDOUT;
	if (until_ns != SYS_NEVER) {
		uint64_t left = (until_ns - now + MS_NS - 1) / MS_NS;

		ms = left > INT32_MAX ? INT32_MAX : (int)left;
	}
	rnl_sys_show(h);
	pthread_mutex_unlock(&h->lock);
	rc = poll(fds, n, ms);
	rc = rc < 0 ? -errno : 0;
	rnl_sys_enter(h);
	return rc;
}

static int poll_until(struct rnl_seam_sys *h, struct pollfd *fds, nfds_t n, uint64_t until_ns)
{
	int rc, count;

	for (;;) {
		count = look(h, fds, n);
		if (count > 0)
			return count;
		rc = wait_fds(h, fds, n, until_ns);
		if (rc < 0)
			return rc == -ETIMEDOUT ? look(h, fds, n) : rc;
	}
}

int rnl_seam_sys_poll(struct rnl_seam_sys *h, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	uint64_t until;

	rnl_sys_enter(h);
	until = timeout_ms < 0 ? SYS_NEVER : rnl_seam_now(h->s) + (uint64_t)timeout_ms * MS_NS;
	return (int)rnl_sys_leave(h, poll_until(h, fds, n, until));
}

/* ---- select ------------------------------------------------------------------------------------
 */

#define IN_SET (POLLRDNORM | POLLIN | POLLHUP | POLLERR)
#define OUT_SET (POLLWRNORM | POLLOUT | POLLERR)

static bool wants(const fd_set *set, int fd)
{
	return set != NULL && FD_ISSET(fd, set);
}

static int answer(fd_set *set, int fd, bool asked, bool is)
{
	if (set == NULL || !asked)
		return 0;
	if (!is)
		FD_CLR(fd, set);
	return is;
}

int rnl_seam_sys_select(struct rnl_seam_sys *h, int n, fd_set *in, fd_set *out, fd_set *except,
                        struct timeval *timeout)
{
	struct pollfd fds[FD_SETSIZE];
	nfds_t used = 0;
	int rc, ms = -1, count = 0;

	if (n < 0 || n > FD_SETSIZE || (timeout != NULL && timeout->tv_sec < 0)) {
		errno = EINVAL;
		return -1;
	}
	for (int fd = 0; fd < n; fd++) {
		short events = (short)((wants(in, fd) ? POLLIN | POLLRDNORM : 0) |
		                       (wants(out, fd) ? POLLOUT | POLLWRNORM : 0) |
		                       (wants(except, fd) ? POLLPRI : 0));

		if (events != 0)
			fds[used++] = (struct pollfd){.fd = fd, .events = events};
	}
	if (timeout != NULL)
		ms = (int)(timeout->tv_sec * 1000 + (timeout->tv_usec + 999) / 1000);
	rc = rnl_seam_sys_poll(h, fds, used, ms);
	if (rc < 0)
		return rc;
	for (nfds_t i = 0; i < used; i++) {
		short r = fds[i].revents, e = fds[i].events;

		if (r & POLLNVAL) {
			errno = EBADF;
			return -1;
		}
		count += answer(in, fds[i].fd, e & POLLIN, r & IN_SET);
		count += answer(out, fds[i].fd, e & POLLOUT, r & OUT_SET);
		count += answer(except, fds[i].fd, e & POLLPRI, r & POLLPRI);
	}
	return count;
}

/* ---- epoll: the kernel's, on the stand-ins -----------------------------------------------------
 */

int rnl_seam_sys_epoll_create(struct rnl_seam_sys *h, int size)
{
	return epoll_create(size);
}

int rnl_seam_sys_epoll_ctl(struct rnl_seam_sys *h, int epfd, int op, int fd,
                           struct epoll_event *event)
{
	rnl_sys_enter(h);
	rnl_sys_show(h);
	return (int)rnl_sys_leave(h, epoll_ctl(epfd, op, fd, event) < 0 ? -errno : 0);
}

static int epoll_virtual(struct rnl_seam_sys *h, int epfd, struct epoll_event *events, int max,
                         uint64_t until_ns)
{
	int rc, n;

	for (;;) {
		rnl_sys_show(h);
		n = epoll_wait(epfd, events, max, 0);
		if (n != 0)
			return n < 0 ? -errno : n;
		rc = rnl_sys_wait(h, until_ns, false);
		if (rc < 0)
			return rc == -ETIMEDOUT ? 0 : rc;
	}
}

int rnl_seam_sys_epoll_wait(struct rnl_seam_sys *h, int epfd, struct epoll_event *events, int max,
                            int timeout_ms)
{
	uint64_t until;

	if (h->time == RNL_SEAM_SYS_REAL)
		return epoll_wait(epfd, events, max, timeout_ms);
	rnl_sys_enter(h);
	until = timeout_ms < 0 ? SYS_NEVER : rnl_seam_now(h->s) + (uint64_t)timeout_ms * MS_NS;
	return (int)rnl_sys_leave(h, epoll_virtual(h, epfd, events, max, until));
}

int rnl_seam_sys_pipe(struct rnl_seam_sys *h, int fds[2])
{
	return pipe(fds);
}
