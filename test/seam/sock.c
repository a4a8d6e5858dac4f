/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam's sockets: the stack's callbacks only update a record, the calls look at it. Received
 * data stays in the stack until it is read, so the receive window tells the truth.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "seam_pvt.h"

static struct sock *get(struct rnl_seam *s, int fd)
{
	if (fd < 0 || fd >= RNL_SEAM_SOCKETS || s->socks[fd].kind == SOCK_FREE ||
	    s->socks[fd].forgotten)
		return NULL;
	return &s->socks[fd];
}

static struct sock *take(struct rnl_seam *s, int *fd)
{
	for (int i = 0; i < RNL_SEAM_SOCKETS; i++) {
		struct sock *k = &s->socks[i];

		if (k->kind != SOCK_FREE)
			continue;
		memset(k, 0, sizeof(*k));
		k->seam = s;
		k->kind = SOCK_NEW;
		k->opts.size = sizeof(k->opts);
		*fd = i;
		return k;
	}
	return NULL;
}

/* Every callback of an ended connection is a fault that the tests want to see. */
static struct sock *live(void *ctx)
{
	struct sock *k = ctx;

	if (k->st.closed)
		k->st.late_calls++;
	return k;
}

/* ---- callbacks --------------------------------------------------------------------------------
 */

static bool on_admit(struct rnl_stack *st, void *listener_ctx, const struct rnl_tuple *tuple)
{
	const struct sock *l = listener_ctx;

	return l->only == 0 || (l->only == 4) == rnl_addr_is_v4(&tuple->raddr);
}

static void on_accepted(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx)
{
	struct sock *l = listener_ctx, *k;
	int fd;

	k = take(l->seam, &fd);
	if (k == NULL) {
		rnl_set_ctx(st, c, NULL);
		rnl_abort(st, c);
		return;
	}
	k->kind = SOCK_CONN;
	k->conn = c;
	k->waiting = true;
	k->listener_fd = (int)(l - l->seam->socks);
	k->order = l->seam->next_order++;
	k->opts = l->opts;
	k->st.connected = true;
	rnl_set_ctx(st, c, k);
}

static void on_connected(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	live(ctx)->st.connected = true;
}

static size_t on_received(struct rnl_stack *st, rnl_conn_t c, void *ctx,
                          const struct rnl_span *spans, unsigned int n, size_t total)
{
	struct sock *k = live(ctx);
	size_t taken = 0;

	for (unsigned int i = 0; i < n && k->rd_left > 0; i++) {
		size_t len = spans[i].len < k->rd_left ? spans[i].len : k->rd_left;

		memcpy(k->rd_buf + k->rd_got, spans[i].data, len);
		k->rd_got += len;
		k->rd_left -= len;
		taken += len;
	}
	return k->rd_peek ? 0 : taken;
}

static void on_writable(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	live(ctx)->st.writable_calls++;
}

static void on_peer_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx)
{
	live(ctx)->st.eof = true;
}

static void on_urgent(struct rnl_stack *st, rnl_conn_t c, void *ctx, uint32_t bytes)
{
	live(ctx)->st.urgent_calls++;
	live(ctx)->st.urgent_bytes = bytes;
}

static void on_closed(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason)
{
	struct sock *k = ctx;

	if (k == NULL) /* no socket was free for it */
		return;
	k = live(ctx);
	rnl_conn_info(st, c, &k->last);
	k->st.closed = true;
	k->st.closed_calls++;
	k->st.reason = reason;
	k->conn = 0;
	if (k->forgotten)
		k->kind = SOCK_FREE;
}

const struct rnl_app_ops rnl_seam_app_ops = {
    .size = sizeof(struct rnl_app_ops),
    .admit = on_admit,
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .writable = on_writable,
    .peer_closed = on_peer_closed,
    .closed = on_closed,
    .urgent = on_urgent,
};

/* ---- calls ------------------------------------------------------------------------------------
 */

int rnl_seam_errno(enum rnl_reason reason)
{
	static const int map[RNL_REASON_COUNT] = {
	    [RNL_REASON_REFUSED] = ECONNREFUSED,      [RNL_REASON_RESET] = ECONNRESET,
	    [RNL_REASON_TIMEOUT_CONNECT] = ETIMEDOUT, [RNL_REASON_TIMEOUT_RETRANSMIT] = ETIMEDOUT,
	    [RNL_REASON_TIMEOUT_USER] = ETIMEDOUT,    [RNL_REASON_TIMEOUT_KEEPALIVE] = ETIMEDOUT,
	    [RNL_REASON_TIMEOUT_IDLE] = ETIMEDOUT,    [RNL_REASON_UNREACHABLE] = EHOSTUNREACH,
	    [RNL_REASON_NO_RESOURCES] = ENOBUFS,      [RNL_REASON_NOT_ADMITTED] = ECONNREFUSED,
	    [RNL_REASON_LOCAL_ABORT] = ECONNABORTED,  [RNL_REASON_PRODUCE_FAILED] = EIO,
	    [RNL_REASON_DESTROYED] = ENETDOWN,
	};

	return (unsigned int)reason < RNL_REASON_COUNT ? map[reason] : EIO;
}

int rnl_seam_socket(struct rnl_seam *s)
{
	int fd;

	return take(s, &fd) != NULL ? fd : -EMFILE;
}

int rnl_seam_bind(struct rnl_seam *s, int fd, const struct rnl_addr *addr, uint16_t port)
{
	struct sock *k = get(s, fd);

	if (k == NULL)
		return -EBADF;
	if (k->kind != SOCK_NEW)
		return -EINVAL;
	k->laddr = *addr;
	k->lport = port;
	return 0;
}

int rnl_seam_listen(struct rnl_seam *s, int fd, unsigned int backlog)
{
	static const struct rnl_addr unset;
	struct rnl_listen_config cfg = {.size = sizeof(cfg), .ops = &rnl_seam_app_ops};
	struct sock *k = get(s, fd);
	struct rnl_error err;
	int rc;

	if (k == NULL)
		return -EBADF;
	if (k->kind != SOCK_NEW)
		return -EINVAL;
	cfg.addr = k->laddr;
	if (memcmp(&k->laddr, &unset, sizeof(unset)) != 0)
		cfg.prefix_len = rnl_addr_is_v4(&k->laddr) ? 32 : 128;
	cfg.port_first = k->lport;
	cfg.backlog = backlog != 0 ? backlog : k->lopts.backlog;
	cfg.syncookies = k->lopts.syncookies;
	cfg.fastopen = k->lopts.fastopen_limit;
	cfg.ctx = k;
	cfg.opts = k->opts;
	rc = rnl_listen(s->stack, &cfg, &k->listener, &err);
	if (rc == 0)
		k->kind = SOCK_LISTEN;
	return rc;
}

int rnl_seam_accept(struct rnl_seam *s, int fd)
{
	struct sock *l = get(s, fd);
	int best = -EAGAIN;

	if (l == NULL)
		return -EBADF;
	if (l->kind != SOCK_LISTEN)
		return -EINVAL;
	for (int i = 0; i < RNL_SEAM_SOCKETS; i++) {
		struct sock *k = &s->socks[i];

		if (k->kind == SOCK_CONN && k->waiting && k->listener_fd == fd &&
		    (best < 0 || k->order < s->socks[best].order))
			best = i;
	}
	if (best >= 0)
		s->socks[best].waiting = false;
	return best;
}

unsigned int rnl_seam_pending(const struct rnl_seam *s, int fd)
{
	unsigned int n = 0;

	for (int i = 0; i < RNL_SEAM_SOCKETS; i++)
		n += s->socks[i].kind == SOCK_CONN && s->socks[i].waiting &&
		     s->socks[i].listener_fd == fd;
	return n;
}

int rnl_seam_connect(struct rnl_seam *s, int fd, const struct rnl_addr *addr, uint16_t port)
{
	struct rnl_connect_config cfg = {.size = sizeof(cfg), .ops = &rnl_seam_app_ops};
	struct sock *k = get(s, fd);
	int rc;

	if (k == NULL)
		return -EBADF;
	if (k->kind != SOCK_NEW)
		return -EISCONN;
	cfg.raddr = *addr;
	cfg.rport = port;
	cfg.laddr = k->laddr;
	cfg.lport = k->lport;
	cfg.ctx = k;
	cfg.opts = k->opts;
	rc = rnl_connect(s->stack, &cfg, &k->conn);
	if (rc < 0)
		return rc;
	k->kind = SOCK_CONN;
	rc = rnl_seam_settle(s);
	return rc < 0 ? rc : -EINPROGRESS;
}

/* @return a connection that the user may still use, or NULL with why. */
static struct sock *conn(struct rnl_seam *s, int fd, int *why)
{
	struct sock *k = get(s, fd);

	if (k == NULL)
		*why = -EBADF;
	else if (k->kind != SOCK_CONN)
		*why = -ENOTCONN;
	else if (k->st.closed)
		*why = -rnl_seam_errno(k->st.reason);
	else
		return k;
	return NULL;
}

static ssize_t write_by(struct rnl_seam *s, int fd, const void *data, size_t len,
                        ssize_t (*send)(struct rnl_stack *, rnl_conn_t, const void *, size_t))
{
	int why = 0, rc;
	struct sock *k = conn(s, fd, &why);
	ssize_t n;

	if (k == NULL)
		return why == 0 ? -EPIPE : why;
	n = send(s->stack, k->conn, data, len);
	rc = rnl_seam_settle(s);
	if (rc < 0)
		return rc;
	return n == 0 && len > 0 ? -EAGAIN : n;
}

ssize_t rnl_seam_write(struct rnl_seam *s, int fd, const void *data, size_t len)
{
	return write_by(s, fd, data, len, rnl_send);
}

ssize_t rnl_seam_write_urgent(struct rnl_seam *s, int fd, const void *data, size_t len)
{
	return write_by(s, fd, data, len, rnl_send_urgent);
}

/* Offers go on until the user has enough or the stack has no more. */
static int pull_received(struct rnl_seam *s, struct sock *k)
{
	size_t before;
	int rc;

	do {
		before = k->rd_got;
		rc = rnl_receive_resume(s->stack, k->conn);
		if (rc == 0)
			rc = rnl_seam_settle(s);
	} while (rc == 0 && !k->st.closed && k->rd_left > 0 && k->rd_got > before);
	return rc;
}

ssize_t rnl_seam_read(struct rnl_seam *s, int fd, void *data, size_t len)
{
	int why = 0, rc;
	struct sock *k = conn(s, fd, &why);
	size_t got;

	if (k == NULL)
		return why;
	k->rd_buf = data;
	k->rd_left = len;
	k->rd_got = 0;
	rc = pull_received(s, k);
	got = k->rd_got;
	k->rd_left = 0;
	k->rd_buf = NULL;
	if (got > 0)
		return (ssize_t)got;
	if (rc < 0 && rc != -ESTALE)
		return rc;
	if (k->st.eof)
		return 0;
	return k->st.closed ? -rnl_seam_errno(k->st.reason) : -EAGAIN;
}

ssize_t rnl_seam_peek(struct rnl_seam *s, int fd, void *data, size_t len)
{
	int why = 0, rc;
	struct sock *k = conn(s, fd, &why);
	size_t got;

	if (k == NULL)
		return why;
	k->rd_buf = data;
	k->rd_left = len;
	k->rd_got = 0;
	k->rd_peek = true;
	rc = rnl_receive_resume(s->stack, k->conn);
	if (rc == 0) /* one iteration is one offer; a second would copy the same again */
		rnl_poll(s->stack, s->now_ns = rnl_seam_now(s));
	got = k->rd_got;
	k->rd_left = 0;
	k->rd_buf = NULL;
	k->rd_peek = false;
	rc = rnl_seam_settle(s);
	if (got > 0)
		return (ssize_t)got;
	return rc < 0 ? rc : k->st.eof ? 0 : -EAGAIN;
}

int rnl_seam_shutdown(struct rnl_seam *s, int fd)
{
	int why = 0, rc, settled;
	struct sock *k = conn(s, fd, &why);

	if (k == NULL)
		return why == 0 ? -EPIPE : why;
	rc = rnl_shutdown(s->stack, k->conn);
	settled = rnl_seam_settle(s);
	return rc < 0 ? rc : settled;
}

static int end(struct rnl_seam *s, struct sock *k, int (*how)(struct rnl_stack *, rnl_conn_t))
{
	int rc = 0;

	if (k->kind == SOCK_LISTEN)
		rc = rnl_unlisten(s->stack, k->listener);
	else if (k->kind == SOCK_CONN && !k->st.closed && !k->user_closed)
		rc = how(s->stack, k->conn);
	k->user_closed = true;
	if (k->kind == SOCK_LISTEN)
		k->kind = SOCK_NEW;
	return rc < 0 ? rc : rnl_seam_settle(s);
}

int rnl_seam_close(struct rnl_seam *s, int fd)
{
	struct sock *k = get(s, fd);

	return k == NULL ? -EBADF : end(s, k, rnl_close);
}

int rnl_seam_abort(struct rnl_seam *s, int fd)
{
	struct sock *k = get(s, fd);

	if (k == NULL)
		return -EBADF;
	k->user_closed = false; /* a closing connection may still be aborted */
	return k->kind == SOCK_CONN ? end(s, k, rnl_abort) : -ENOTCONN;
}

void rnl_seam_forget(struct rnl_seam *s, int fd)
{
	struct sock *k = get(s, fd);

	if (k == NULL)
		return;
	end(s, k, rnl_close);
	if (k->kind == SOCK_CONN && !k->st.closed)
		k->forgotten = true;
	else
		k->kind = SOCK_FREE;
}

/* ---- options and news -------------------------------------------------------------------------
 */

#define OPT(field)                                                                                 \
	{                                                                                          \
#field, offsetof(struct sock, opts.field), sizeof(((struct sock *)0)->opts.field)                  \
	}
#define LISTEN_OPT(field)                                                                          \
	{                                                                                          \
#field, offsetof(struct sock, lopts.field), sizeof(((struct sock *)0)->lopts.field)                \
	}

static const struct {
	const char *name;
	size_t off, size;
} options[] = {
    OPT(sndbuf_bytes),
    OPT(rcvbuf_bytes),
    OPT(connect_timeout_ms),
    OPT(user_timeout_ms),
    OPT(idle_timeout_ms),
    OPT(keepalive_idle_ms),
    OPT(keepalive_intvl_ms),
    OPT(keepalive_probes),
    OPT(retries2),
    OPT(syn_retries),
    OPT(dscp),
    OPT(ttl),
    OPT(nodelay),
    OPT(no_timestamps),
    OPT(no_wscale),
    OPT(no_sack),
    OPT(no_delayed_ack),
    OPT(mss),
    OPT(delayed_ack_us),
    OPT(rto_min_us),
    OPT(fin_wait2_ms),
    OPT(time_wait_ms),
    OPT(sndbuf_max_bytes),
    OPT(rcvbuf_max_bytes),
    OPT(pacing),
    OPT(max_pacing_bytes_per_s),
    OPT(linger_ms),
    OPT(uto),
    OPT(uto_change),
    OPT(uto_adv_s),
    OPT(uto_min_s),
    OPT(uto_max_s),
    OPT(min_mss),
    OPT(orphan_retries),
    OPT(ecn),
    OPT(no_soft_errors),
    LISTEN_OPT(backlog),
    LISTEN_OPT(syncookies),
    LISTEN_OPT(fastopen_limit),
    OPT(no_black_hole),
};

static void put(void *at, size_t size, uint64_t value)
{
	if (size == 1)
		*(uint8_t *)at = (uint8_t)value;
	else if (size == 2)
		*(uint16_t *)at = (uint16_t)value;
	else if (size == 4)
		*(uint32_t *)at = (uint32_t)value;
	else
		*(uint64_t *)at = value;
}

static int store(struct sock *k, const char *name, uint64_t value)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(options[i].name, name) != 0)
			continue;
		if (options[i].size < 8 && value >> (8 * options[i].size) != 0)
			return -ERANGE;
		put((uint8_t *)k + options[i].off, options[i].size, value);
		return 0;
	}
	return -ENOPROTOOPT;
}

int rnl_seam_setsockopt(struct rnl_seam *s, int fd, const char *name, uint64_t value)
{
	struct sock *k = get(s, fd);
	int rc;

	if (k == NULL)
		return -EBADF;
	rc = store(k, name, value);
	if (rc < 0 || k->kind != SOCK_CONN || k->st.closed)
		return rc;
	rc = rnl_set_opts(s->stack, k->conn, &k->opts);
	return rc < 0 ? rc : rnl_seam_settle(s);
}

int rnl_seam_info(struct rnl_seam *s, int fd, struct rnl_conn_info *info)
{
	struct sock *k = get(s, fd);

	if (k == NULL)
		return -EBADF;
	if (k->kind != SOCK_CONN)
		return -ENOTCONN;
	if (!k->st.closed)
		return rnl_conn_info(s->stack, k->conn, info);
	*info = k->last;
	return 0;
}

int rnl_seam_status(struct rnl_seam *s, int fd, struct rnl_seam_status *out)
{
	struct sock *k = get(s, fd);

	if (k == NULL)
		return -EBADF;
	*out = k->st;
	return 0;
}
