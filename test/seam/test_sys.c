/* SPDX-License-Identifier: BSD-3-Clause */
/* Each call of the seam's system-call side: what it gives, and its errors. Both IP versions. */
#include "tool.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CALL(name, ...) rnl_seam_sys_##name(t.h, __VA_ARGS__)

typedef void body(bool ip6);

static void twice(body *b)
{
	b(false);
	b(true);
}

static int set(struct tool *t, int fd, int level, int name, int v)
{
	return rnl_seam_sys_setsockopt(t->h, fd, level, name, &v, sizeof(v));
}

static int get(struct tool *t, int fd, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	assert_int_equal(rnl_seam_sys_getsockopt(t->h, fd, level, name, &v, &len), 0);
	assert_int_equal(len, sizeof(v));
	return v;
}

static void sys__socket_errors(void **state)
{
	struct tool t;
	int fd;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	assert_fails(CALL(socket, AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
	assert_fails(CALL(socket, AF_INET, SOCK_DGRAM, 0), ESOCKTNOSUPPORT);
	assert_fails(CALL(socket, AF_INET, 99, 0), EINVAL);
	assert_fails(CALL(socket, AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	fd = CALL(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	assert_true(fd >= 0);
	assert_true(CALL(fcntl, fd, F_GETFL, 0L) & O_NONBLOCK);
	assert_int_equal(CALL(fcntl, fd, F_GETFD, 0L), FD_CLOEXEC);
	assert_int_equal(get(&t, fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	assert_int_equal(get(&t, fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	assert_int_equal(get(&t, fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	assert_int_equal(CALL(close, fd), 0);
	assert_fails(CALL(close, fd), EBADF);
	assert_fails(CALL(listen, 0, 1), fcntl(0, F_GETFD) < 0 ? EBADF : ENOTSOCK);
	tool_close(&t);
}

static void names(bool ip6)
{
	struct sockaddr_storage own, peer, got;
	struct tool t;
	socklen_t len, got_len = sizeof(got);
	int domain = ip6 ? AF_INET6 : AF_INET, a, b;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, ip6);
	a = CALL(socket, domain, SOCK_STREAM, 0);
	b = CALL(socket, domain, SOCK_STREAM, 0);
	len = tool_name(&t, false, 80, &peer);
	assert_fails(CALL(bind, a, (void *)&peer, len), EADDRNOTAVAIL);
	len = tool_name(&t, true, 80, &own);
	assert_fails(CALL(bind, a, (void *)&own, 4), EINVAL);
	own.ss_family = ip6 ? AF_INET : AF_INET6;
	assert_fails(CALL(bind, a, (void *)&own, sizeof(own)), EAFNOSUPPORT);
	own.ss_family = (sa_family_t)domain;
	assert_int_equal(CALL(bind, a, (void *)&own, len), 0);
	assert_fails(CALL(bind, a, (void *)&own, len), EINVAL);
	assert_fails(CALL(bind, b, (void *)&own, len), EADDRINUSE);
	assert_int_equal(set(&t, a, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(set(&t, b, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(CALL(bind, b, (void *)&own, len), 0);
	assert_int_equal(CALL(getsockname, a, (void *)&got, &got_len), 0);
	assert_int_equal(got_len, len);
	assert_memory_equal(&got, &own, len);
	assert_fails(CALL(getpeername, a, (void *)&got, &got_len), ENOTCONN);
	assert_int_equal(CALL(close, b), 0);
	b = CALL(socket, domain, SOCK_STREAM, 0);
	assert_int_equal(CALL(listen, b, 0), 0); /* binds by itself */
	got_len = sizeof(got);
	assert_int_equal(CALL(getsockname, b, (void *)&got, &got_len), 0);
	assert_true(ntohs(((struct sockaddr_in *)&got)->sin_port) >= 32768);
	tool_close(&t);
}

static void sys__names(void **state)
{
	twice(names);
}

static void accepting(bool ip6)
{
	struct sockaddr_storage peer, got;
	struct timeval tv = {.tv_sec = 3}, before, after;
	struct tool t;
	socklen_t len, got_len = sizeof(got);
	int l, c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, ip6);
	c = CALL(socket, ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	assert_fails(CALL(accept, c, NULL, NULL), EINVAL);
	assert_int_equal(CALL(close, c), 0);
	l = tool_listen(&t);
	assert_fails(CALL(accept4, l, NULL, NULL, 1), EINVAL);
	assert_fails(CALL(accept, l, NULL, NULL), EDEADLK); /* nothing can ever come */
	assert_int_equal(CALL(setsockopt, l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	CALL(gettimeofday, &before, NULL);
	assert_fails(CALL(accept, l, NULL, NULL), EAGAIN);
	CALL(gettimeofday, &after, NULL);
	assert_true(after.tv_sec - before.tv_sec == 3);
	assert_int_equal(CALL(fcntl, l, F_SETFL, (long)O_NONBLOCK), 0);
	assert_fails(CALL(accept, l, NULL, NULL), EAGAIN);
	assert_fails(CALL(connect, l, (void *)&peer, tool_name(&t, false, 80, &peer)), EISCONN);
	tool_handshake(&t);
	c = CALL(accept4, l, (void *)&got, &got_len, SOCK_NONBLOCK);
	assert_true(c >= 0);
	len = tool_name(&t, false, t.sport, &peer);
	assert_int_equal(got_len, len);
	assert_memory_equal(&got, &peer, len);
	assert_true(CALL(fcntl, c, F_GETFL, 0L) & O_NONBLOCK);
	assert_int_equal(CALL(getpeername, c, (void *)&got, &got_len), 0);
	assert_memory_equal(&got, &peer, len);
	assert_int_equal(get(&t, l, SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(get(&t, c, SOL_SOCKET, SO_ACCEPTCONN), 0);
	assert_int_equal(CALL(shutdown, l, SHUT_RD), 0); /* no listener any more */
	assert_fails(CALL(accept, l, NULL, NULL), EINVAL);
	t.sport++;
	tool_give(&t, RAW_SYN, NULL, 0);
	tool_until(&t, RAW_RST);
	tool_close(&t);
}

static void sys__accept(void **state)
{
	twice(accepting);
}

static void sys__listener_closed_resets_those_not_accepted(void **state)
{
	struct tool t;
	int l;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	l = tool_listen(&t);
	tool_handshake(&t);
	assert_int_equal(CALL(close, l), 0);
	tool_until(&t, RAW_RST);
	tool_close(&t);
}

static void sys__v6only(void **state)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(8080)};
	struct tool t;
	int l;

	for (int only = 0; only < 2; only++) {
		tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
		l = CALL(socket, AF_INET6, SOCK_STREAM, 0);
		assert_int_equal(set(&t, l, IPPROTO_IPV6, IPV6_V6ONLY, only), 0);
		assert_int_equal(CALL(bind, l, (void *)&any, sizeof(any)), 0);
		assert_fails(set(&t, l, IPPROTO_IPV6, IPV6_V6ONLY, only), EINVAL);
		assert_int_equal(CALL(listen, l, 1), 0);
		tool_give(&t, RAW_SYN, NULL, 0);
		tool_until(&t, only ? RAW_RST : RAW_SYN | RAW_ACK);
		tool_close(&t);
	}
}

static void connecting(bool ip6)
{
	struct sockaddr_storage peer;
	struct tool t;
	socklen_t len;
	int c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, ip6);
	len = tool_name(&t, false, 80, &peer);
	t.sport = 80;
	c = CALL(socket, ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_fails(CALL(connect, c, (void *)&peer, 3), EINVAL);
	assert_fails(CALL(recv, c, &len, 1, 0), ENOTCONN);
	assert_fails(CALL(send, c, "x", 1, 0), EPIPE);
	assert_fails(CALL(shutdown, c, SHUT_WR), ENOTCONN);
	assert_fails(CALL(connect, c, (void *)&peer, len), EINPROGRESS);
	assert_fails(CALL(connect, c, (void *)&peer, len), EALREADY);
	assert_fails(CALL(send, c, "x", 1, 0), EAGAIN);
	t.dport = tool_until(&t, RAW_SYN).sport;
	tool_give(&t, RAW_RST | RAW_ACK, NULL, 0);
	assert_int_equal(get(&t, c, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(get(&t, c, SOL_SOCKET, SO_ERROR), 0);
	/* The same socket may try again. */
	assert_fails(CALL(connect, c, (void *)&peer, len), EINPROGRESS);
	t.dport = tool_until(&t, RAW_SYN).sport;
	tool_give(&t, RAW_SYN | RAW_ACK, NULL, 0);
	tool_until(&t, RAW_ACK);
	assert_fails(CALL(connect, c, (void *)&peer, len), EISCONN);
	assert_int_equal(CALL(send, c, "x", 1, 0), 1);
	assert_int_equal(tool_until(&t, RAW_PSH).len, 1);
	/* A blocking one runs the clock until the stack gives up. */
	c = CALL(socket, ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	assert_fails(CALL(connect, c, (void *)&peer, len), ETIMEDOUT);
	c = CALL(socket, ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	assert_int_equal(CALL(option, c, "connect_timeout_ms", 1000), 0);
	assert_fails(CALL(option, c, "colour", 1), ENOPROTOOPT);
	((uint8_t *)&peer)[ip6 ? 8 : 4] = 9; /* not on link, no gateway */
	assert_fails(CALL(connect, c, (void *)&peer, len), ENETUNREACH);
	tool_close(&t);
}

static void sys__connect(void **state)
{
	twice(connecting);
}

static void reading(bool ip6)
{
	struct iovec iov[2];
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	struct tool t;
	char buf[16], tail[16];
	int c, n;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, ip6);
	c = tool_accepted(&t);
	assert_fails(CALL(recv, c, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	assert_fails(CALL(read, c, buf, sizeof(buf)), EDEADLK);
	tool_give(&t, RAW_ACK, "abcdefghij", 10);
	assert_int_equal(CALL(ioctl, c, FIONREAD, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(CALL(recv, c, buf, 4, MSG_PEEK), 4);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(CALL(recv, c, NULL, 2, MSG_TRUNC), 2);
	assert_fails(CALL(recv, c, buf, 1, MSG_OOB), EINVAL);
	assert_fails(CALL(recv, c, buf, 1, MSG_MORE), EOPNOTSUPP);
	assert_fails(CALL(recv, c, buf, 1, MSG_ERRQUEUE), EAGAIN);
	assert_int_equal(CALL(recvfrom, c, buf, 1, 0, NULL, NULL), 1);
	assert_int_equal(buf[0], 'c');
	iov[0] = (struct iovec){buf, 3};
	iov[1] = (struct iovec){tail, sizeof(tail)};
	assert_int_equal(CALL(recvmsg, c, &msg, MSG_PEEK), 7);
	assert_int_equal(CALL(readv, c, iov, 2), 7);
	assert_memory_equal(buf, "def", 3);
	assert_memory_equal(tail, "ghij", 4);
	assert_fails(CALL(readv, c, iov, -1), EINVAL);
	tool_give(&t, RAW_ACK, "kl", 2);
	assert_int_equal(CALL(recv, c, buf, 3, MSG_WAITALL | MSG_DONTWAIT), 2);
	tool_give(&t, RAW_ACK | RAW_FIN, NULL, 0);
	assert_int_equal(CALL(read, c, buf, sizeof(buf)), 0);
	tool_close(&t);
}

static void sys__read(void **state)
{
	twice(reading);
}

static void writing(bool ip6)
{
	struct iovec iov[2] = {{(void *)(uintptr_t) "ab", 2}, {(void *)(uintptr_t) "cde", 3}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	static char big[100000];
	struct raw_segment s;
	struct tool t;
	int c, n;
	ssize_t all = 0, one;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, ip6);
	c = tool_accepted(&t);
	tool_drain(&t);
	assert_int_equal(CALL(writev, c, iov, 2), 5);
	s = tool_take(&t);
	assert_int_equal(s.len, 5);
	assert_memory_equal(s.data, "abcde", 5);
	assert_int_equal(CALL(ioctl, c, SIOCOUTQ, &n), 0);
	assert_int_equal(n, 5);
	tool_give(&t, RAW_ACK, NULL, 0);
	assert_int_equal(CALL(ioctl, c, SIOCOUTQ, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(CALL(sendmsg, c, &msg, MSG_NOSIGNAL), 5);
	msg.msg_controllen = 16;
	assert_fails(CALL(sendmsg, c, &msg, 0), EOPNOTSUPP);
	assert_fails(CALL(send, c, "x", 1, MSG_MORE), EOPNOTSUPP);
	assert_fails(CALL(sendto, c, "x", 1, MSG_FASTOPEN, NULL, 0), EOPNOTSUPP);
	tool_take(&t);
	tool_give(&t, RAW_ACK, NULL, 0);
	assert_int_equal(CALL(send, c, "!", 1, MSG_OOB), 1); /* RFC 9293 3.8.5 */
	s = tool_take(&t);
	assert_true(s.flags & RAW_URG);
	tool_give(&t, RAW_ACK, NULL, 0);
	assert_int_equal(set(&t, c, SOL_SOCKET, SO_SNDBUF, 50000), 0);
	while ((one = CALL(send, c, big, sizeof(big), MSG_DONTWAIT)) > 0)
		all += one;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(all, 50000);
	assert_int_equal(CALL(ioctl, c, SIOCOUTQNSD, &n), 0);
	assert_true(n > 0 && n < 50000);
	assert_int_equal(CALL(shutdown, c, SHUT_WR), 0);
	assert_fails(CALL(write, c, "x", 1), EPIPE);
	tool_close(&t);
}

static void sys__write(void **state)
{
	twice(writing);
}

static void sys__urgent(void **state)
{
	struct tool t;
	char buf[8];
	int c, n;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	tool_give(&t, RAW_ACK | RAW_URG, "ab!", 3);
	assert_int_equal(CALL(ioctl, c, SIOCATMARK, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(CALL(read, c, buf, 2), 2);
	assert_int_equal(CALL(ioctl, c, SIOCATMARK, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(CALL(read, c, buf, 8), 1);
	assert_int_equal(buf[0], '!');
	tool_close(&t);
}

static void reset(bool ip6)
{
	struct tool t;
	char buf[8];
	int c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, ip6);
	c = tool_accepted(&t);
	tool_give(&t, RAW_RST, NULL, 0);
	assert_fails(CALL(read, c, buf, 8), ECONNRESET); /* once, as Linux */
	assert_int_equal(CALL(read, c, buf, 8), 0);
	assert_fails(CALL(write, c, "x", 1), EPIPE);
	assert_fails(CALL(shutdown, c, SHUT_RDWR), ENOTCONN);
	assert_int_equal(CALL(close, c), 0);
	c = tool_accepted(&t);
	tool_give(&t, RAW_FIN | RAW_ACK, NULL, 0);
	tool_give(&t, RAW_RST, NULL, 0);
	assert_fails(CALL(write, c, "x", 1), EPIPE);
	assert_int_equal(get(&t, c, SOL_SOCKET, SO_ERROR), 0);
	tool_close(&t);
}

static void sys__reset(void **state)
{
	twice(reset);
}

static void sys__shutdown(void **state)
{
	struct tool t;
	char buf[8];
	int c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	assert_fails(CALL(shutdown, c, 3), EINVAL);
	tool_give(&t, RAW_ACK, "ab", 2);
	assert_int_equal(CALL(shutdown, c, SHUT_RD), 0);
	assert_int_equal(CALL(read, c, buf, 8), 2);
	assert_int_equal(CALL(read, c, buf, 8), 0);
	assert_int_equal(CALL(shutdown, c, SHUT_RDWR), 0);
	tool_until(&t, RAW_FIN);
	tool_close(&t);
}

static void sys__linger(void **state)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};
	struct timeval before, after;
	struct tool t;
	int c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	assert_fails(CALL(setsockopt, c, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
	assert_int_equal(CALL(setsockopt, c, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	assert_int_equal(CALL(close, c), 0);
	tool_until(&t, RAW_RST);
	c = tool_accepted(&t);
	l.l_linger = 2;
	assert_int_equal(CALL(setsockopt, c, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	CALL(gettimeofday, &before, NULL);
	assert_int_equal(CALL(close, c), 0); /* nobody acknowledges the FIN */
	CALL(gettimeofday, &after, NULL);
	assert_true(after.tv_sec - before.tv_sec == 2);
	tool_until(&t, RAW_FIN);
	tool_close(&t);
}

struct int_option {
	int level, name, v, got, bad, err; /* err 0: no value is bad */
};

static const struct int_option int_options[] = {
    {SOL_SOCKET, SO_SNDBUF, 10000, 20000, 0, 0},
    {SOL_SOCKET, SO_SNDBUF, 1, 4608, 0, 0},
    {SOL_SOCKET, SO_RCVBUF, 10000, 20000, 0, 0},
    {SOL_SOCKET, SO_KEEPALIVE, 1, 1, 0, 0},
    {SOL_SOCKET, SO_REUSEPORT, 1, 1, 0, 0},
    {SOL_SOCKET, SO_RCVLOWAT, 7, 7, 0, 0},
    {SOL_SOCKET, SO_OOBINLINE, 1, 1, 0, EOPNOTSUPP},
    {SOL_SOCKET, SO_PRIORITY, 3, 3, 0, 0},
    {SOL_SOCKET, SO_MAX_PACING_RATE, 100000, 100000, 0, 0},
    {IPPROTO_TCP, TCP_NODELAY, 1, 1, 0, 0},
    {IPPROTO_TCP, TCP_MAXSEG, 1000, 1000, 40000, EINVAL},
    {IPPROTO_TCP, TCP_KEEPIDLE, 5, 5, 0, EINVAL},
    {IPPROTO_TCP, TCP_KEEPINTVL, 6, 6, 32768, EINVAL},
    {IPPROTO_TCP, TCP_KEEPCNT, 7, 7, 128, EINVAL},
    {IPPROTO_TCP, TCP_SYNCNT, 3, 3, 0, EINVAL},
    {IPPROTO_TCP, TCP_LINGER2, 9, 9, 121, EINVAL},
    {IPPROTO_TCP, TCP_QUICKACK, 1, 1, 0, 0},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, 1234, 1234, -1, EINVAL},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 100, 100, 0, 0},
    {IPPROTO_IP, IP_TOS, 0xb9, 0xb8, 0, 0},
    {IPPROTO_IP, IP_TTL, 33, 33, 256, EINVAL},
    {IPPROTO_IP, IP_MTU_DISCOVER, 2, 2, 0, EOPNOTSUPP},
    {IPPROTO_IPV6, IPV6_TCLASS, 0x50, 0x50, 256, EINVAL},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44, 44, 0, EINVAL},
};

static void sys__options(void **state)
{
	struct tool t;
	int fd, n = sizeof(int_options) / sizeof(int_options[0]);
	uint64_t rate = UINT64_MAX;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, true);
	fd = CALL(socket, AF_INET6, SOCK_STREAM, 0);
	for (int i = 0; i < n; i++) {
		const struct int_option *o = &int_options[i];

		assert_int_equal(set(&t, fd, o->level, o->name, o->v), 0);
		assert_int_equal(get(&t, fd, o->level, o->name), o->got);
		if (o->err != 0)
			assert_fails(set(&t, fd, o->level, o->name, o->bad), o->err);
		assert_fails(CALL(setsockopt, fd, o->level, o->name, &rate, 2), EINVAL);
	}
	assert_fails(set(&t, fd, IPPROTO_TCP, TCP_CORK, 1), ENOPROTOOPT);
	assert_fails(set(&t, fd, 77, 1, 1), ENOPROTOOPT);
	assert_fails(CALL(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, NULL, 4), EFAULT);
	assert_int_equal(CALL(setsockopt, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)),
	                 0);
	assert_int_equal(get(&t, fd, SOL_SOCKET, SO_MAX_PACING_RATE), -1);
	fd = CALL(socket, AF_INET, SOCK_STREAM, 0);
	assert_fails(set(&t, fd, IPPROTO_IPV6, IPV6_TCLASS, 0), ENOPROTOOPT);
	assert_fails(CALL(ioctl, fd, 0x1234, &n), ENOTTY);
	assert_fails(CALL(fcntl, fd, F_DUPFD, 0L), EINVAL);
	tool_close(&t);
}

static void sys__options_reach_the_packets(void **state)
{
	struct raw_segment s;
	struct tool t;
	int l;

	for (int ip6 = 0; ip6 < 2; ip6++) {
		tool_open(&t, RNL_SEAM_SYS_VIRTUAL, ip6);
		l = tool_listen(&t);
		assert_int_equal(set(&t, l, IPPROTO_IP, IP_TOS, 0x68), 0);
		assert_int_equal(set(&t, l, IPPROTO_IP, IP_TTL, 17), 0);
		tool_give(&t, RAW_SYN, NULL, 0);
		s = tool_take(&t);
		assert_int_equal(s.tos, 0x68);
		assert_int_equal(s.ttl, 17);
		tool_close(&t);
	}
}

static void sys__congestion(void **state)
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	struct tool t;
	int l, c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	l = tool_listen(&t);
	assert_fails(CALL(setsockopt, l, IPPROTO_TCP, TCP_CONGESTION, "vegas", 5), ENOENT);
	assert_int_equal(CALL(setsockopt, l, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	tool_handshake(&t);
	c = CALL(accept, l, NULL, NULL);
	assert_int_equal(CALL(getsockopt, c, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "newreno");
	assert_fails(CALL(setsockopt, c, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5), EOPNOTSUPP);
	tool_close(&t);
}

static void sys__tcp_info(void **state)
{
	struct tcp_info ti;
	socklen_t len = sizeof(ti);
	struct tool t;
	int l, c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	l = tool_listen(&t);
	assert_int_equal(CALL(getsockopt, l, IPPROTO_TCP, TCP_INFO, &ti, &len), 0);
	assert_int_equal(len, sizeof(ti));
	assert_int_equal(ti.tcpi_state, 10);
	tool_handshake(&t);
	assert_int_equal(CALL(getsockopt, l, IPPROTO_TCP, TCP_INFO, &ti, &len), 0);
	assert_int_equal(ti.tcpi_unacked, 1); /* one waits for accept */
	c = CALL(accept, l, NULL, NULL);
	tool_give(&t, RAW_ACK, "abc", 3);
	assert_int_equal(CALL(send, c, "hello", 5, 0), 5);
	assert_int_equal(CALL(getsockopt, c, IPPROTO_TCP, TCP_INFO, &ti, &len), 0);
	assert_int_equal(ti.tcpi_state, 1);
	assert_int_equal(ti.tcpi_unacked, 1);
	assert_int_equal(ti.tcpi_bytes_received, 3);
	assert_int_equal(ti.tcpi_snd_wnd, 65535);
	assert_true(ti.tcpi_snd_cwnd > 0);
	assert_int_equal(ti.tcpi_snd_mss, 536); /* the peer offered none: RFC 9293 3.7.1 */
	len = 4;
	assert_int_equal(CALL(getsockopt, c, IPPROTO_TCP, TCP_INFO, &ti, &len), 0);
	assert_int_equal(len, 4);
	tool_give(&t, RAW_RST, NULL, 0);
	assert_int_equal(CALL(getsockopt, c, IPPROTO_TCP, TCP_INFO, &ti, &len), 0);
	assert_int_equal(ti.tcpi_state, 7);
	tool_close(&t);
}

static void sys__splice(void **state)
{
	struct raw_segment s;
	struct tool t;
	char buf[16];
	int c, p[2];

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	tool_drain(&t);
	assert_int_equal(CALL(pipe, p), 0);
	assert_fails(CALL(splice, c, NULL, p[1], NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
	assert_fails(CALL(splice, p[0], NULL, p[1], NULL, 10, 0), EINVAL);
	assert_fails(CALL(splice, c, NULL, -1, NULL, 10, 0), EBADF);
	tool_give(&t, RAW_ACK, "abcdef", 6);
	assert_int_equal(CALL(splice, c, NULL, p[1], NULL, 4, 0), 4);
	assert_int_equal(read(p[0], buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(CALL(recv, c, buf, 8, 0), 2);
	tool_drain(&t);
	assert_fails(CALL(splice, p[0], NULL, c, NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
	assert_int_equal(write(p[1], "xyz", 3), 3);
	assert_int_equal(CALL(splice, p[0], NULL, c, NULL, 10, 0), 3);
	s = tool_take(&t);
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.data, "xyz", 3);
	close(p[0]);
	tool_give(&t, RAW_ACK, "g", 1);
	assert_fails(CALL(splice, c, NULL, p[1], NULL, 1, 0), EPIPE); /* and no SIGPIPE */
	close(p[1]);
	tool_close(&t);
}

static void sys__packets(void **state)
{
	static const uint8_t huge[70000];
	struct tool t;
	size_t len = 10;
	int64_t at;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	assert_fails(CALL(netdev_send, huge, sizeof(huge)), EMSGSIZE);
	assert_int_equal(CALL(netdev_receive, t.packet, &len, &at),
	                 0); /* waits, 10 s of its time */
	assert_int_equal(len, 0);
	tool_listen(&t);
	tool_give(&t, RAW_SYN, NULL, 0);
	len = 10;
	assert_fails(CALL(netdev_receive, t.packet, &len, &at), EMSGSIZE);
	tool_take(&t);
	tool_close(&t);
}

static void sys__open_errors(void **state)
{
	struct rnl_seam_sys_config cfg = {.size = sizeof(cfg), .time = 9, .megabytes = 128};
	char text[128] = "";

	assert_null(rnl_seam_sys_open(&cfg, text, sizeof(text)));
	assert_true(text[0] != 0);
	cfg = (struct rnl_seam_sys_config){.size = sizeof(cfg), .ip4 = "::1"};
	assert_null(rnl_seam_sys_open(&cfg, text, sizeof(text)));
	assert_string_equal(text, "::1 is no IPv4 address");
	cfg = (struct rnl_seam_sys_config){.size = sizeof(cfg), .gateway4 = "198.51.100.1"};
	assert_null(rnl_seam_sys_open(&cfg, text, sizeof(text)));
	assert_int_equal(errno, ENETUNREACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sys__open_errors),
	    cmocka_unit_test(sys__socket_errors),
	    cmocka_unit_test(sys__names),
	    cmocka_unit_test(sys__accept),
	    cmocka_unit_test(sys__listener_closed_resets_those_not_accepted),
	    cmocka_unit_test(sys__v6only),
	    cmocka_unit_test(sys__connect),
	    cmocka_unit_test(sys__read),
	    cmocka_unit_test(sys__write),
	    cmocka_unit_test(sys__urgent),
	    cmocka_unit_test(sys__reset),
	    cmocka_unit_test(sys__shutdown),
	    cmocka_unit_test(sys__linger),
	    cmocka_unit_test(sys__options),
	    cmocka_unit_test(sys__options_reach_the_packets),
	    cmocka_unit_test(sys__congestion),
	    cmocka_unit_test(sys__tcp_info),
	    cmocka_unit_test(sys__splice),
	    cmocka_unit_test(sys__packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
