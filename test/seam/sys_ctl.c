/* SPDX-License-Identifier: BSD-3-Clause */
/* fcntl and ioctl of the seam's descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "sys_pvt.h"

/* The kernel keeps the flags of the stand-in; a duplicate would not be known here. */
int rnl_seam_sys_fcntl(struct rnl_seam_sys *h, int fd, int cmd, ...)
{
	va_list ap;
	int rc = 0;
	long arg;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	rnl_sys_enter(h);
	if (cmd != F_GETFL && cmd != F_SETFL && cmd != F_GETFD && cmd != F_SETFD)
		rc = -EINVAL;
	else if (cmd == F_SETFL)
		arg &= O_NONBLOCK | O_APPEND;
	if (rc == 0) {
		rc = fcntl(fd, cmd, arg);
		rc = rc < 0 ? -errno : rc;
	}
	return (int)rnl_sys_leave(h, rc);
}

static int queued(struct rnl_seam_sys *h, struct sys_sock *p, unsigned long request, int *out)
{
	struct rnl_conn_info i;
	int rc = 0;

	*out = 0;
	if (p->k->kind == SOCK_LISTEN)
		return -EINVAL;
	if (p->k->kind != SOCK_CONN || p->k->st.closed || !p->k->st.connected)
		return 0;
	rc = rnl_conn_info(h->s->stack, p->k->conn, &i);
	if (rc < 0)
		return rc;
	if (request == SIOCINQ)
		*out = (int)i.unread_bytes;
	else if (request == SIOCOUTQ)
		*out = (int)(i.tcpi_notsent_bytes + i.unacked_bytes);
	else if (request == SIOCOUTQNSD)
		*out = (int)i.tcpi_notsent_bytes;
	else
		*out = i.urgent_bytes == 1; /* SIOCATMARK */
	return 0;
}

static int control(struct rnl_seam_sys *h, struct sys_sock *p, unsigned long request, int *arg)
{
	int fl = fcntl(p->fd, F_GETFL);

	switch (request) {
	case FIONBIO:
		fl = *arg ? fl | O_NONBLOCK : fl & ~O_NONBLOCK;
		return fcntl(p->fd, F_SETFL, fl) < 0 ? -errno : 0;
	case SIOCINQ:  /* FIONREAD */
	case SIOCOUTQ: /* TIOCOUTQ */
	case SIOCOUTQNSD:
	case SIOCATMARK:
		return queued(h, p, request, arg);
	}
	return -ENOTTY;
}

int rnl_seam_sys_ioctl(struct rnl_seam_sys *h, int fd, unsigned long request, ...)
{
	struct sys_sock *p;
	va_list ap;
	int rc = 0;
	int *arg;

	va_start(ap, request);
	arg = va_arg(ap, int *);
	va_end(ap);
	rnl_sys_enter(h);
	p = rnl_sys_find(h, fd, &rc);
	if (p != NULL)
		rc = arg == NULL ? -EFAULT : control(h, p, request, arg);
	return (int)rnl_sys_leave(h, rc);
}
