/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam's real descriptors under the kernel's own poll(2), epoll and close(2); calls that block
 * in another thread, in real and in virtual time. Waits for events, never for durations.
 */
#include "tool.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <unistd.h>

#define CALL(name, ...) rnl_seam_sys_##name(t.h, __VA_ARGS__)

/* What the kernel, and the seam, say of a descriptor now. */
static int kernel_says(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	assert_true(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static int seam_says(struct tool *t, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	assert_true(rnl_seam_sys_poll(t->h, &p, 1, 0) >= 0);
	return p.revents;
}

#define assert_ready(fd, bits)                                                                     \
	do {                                                                                       \
		assert_int_equal(seam_says(&t, fd), (bits));                                       \
		assert_int_equal(kernel_says(fd), (bits));                                         \
	} while (0)

static void wait__descriptors_tell_the_state(void **state)
{
	struct tool t;
	char buf[8];
	int l, c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	l = CALL(socket, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(seam_says(&t, l), POLLOUT | POLLHUP); /* as Linux before connect */
	assert_int_equal(kernel_says(l), POLLOUT);
	assert_int_equal(CALL(close, l), 0);
	l = tool_listen(&t);
	assert_ready(l, 0);
	tool_handshake(&t);
	assert_ready(l, POLLIN);
	c = CALL(accept, l, NULL, NULL);
	assert_ready(l, 0);
	assert_ready(c, POLLOUT);
	tool_give(&t, RAW_ACK, "abc", 3);
	assert_ready(c, POLLIN | POLLOUT);
	assert_int_equal(CALL(read, c, buf, 2), 2);
	assert_ready(c, POLLIN | POLLOUT);
	assert_int_equal(CALL(read, c, buf, 2), 1);
	assert_ready(c, POLLOUT);
	tool_give(&t, RAW_ACK | RAW_FIN, NULL, 0);
	assert_ready(c, POLLIN | POLLOUT | POLLRDHUP);
	assert_int_equal(CALL(shutdown, c, SHUT_WR), 0);
	assert_ready(c, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	tool_close(&t);
}

static void wait__full_buffer_is_not_writable(void **state)
{
	static char big[400000];
	struct tool t;
	int c, low = 1000;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, true);
	c = tool_accepted(&t);
	assert_int_equal(CALL(send, c, big, 60000, MSG_DONTWAIT), 60000);
	assert_ready(c, POLLOUT);
	assert_int_equal(CALL(setsockopt, c, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof(low)), 0);
	assert_ready(c, 0);
	low = 0;
	assert_int_equal(CALL(setsockopt, c, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof(low)), 0);
	assert_ready(c, POLLOUT);
	assert_ready(c, POLLOUT);
	assert_true(CALL(send, c, big, sizeof(big), MSG_DONTWAIT) > 0);
	assert_ready(c, 0);
	tool_close(&t);
}

static void wait__acknowledged_buffer_is_writable_again(void **state)
{
	static char big[5 * 536];
	struct raw_segment s;
	struct tool t;
	int c, size = sizeof(big);

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	assert_int_equal(CALL(setsockopt, c, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(CALL(send, c, big, sizeof(big), MSG_DONTWAIT), sizeof(big));
	assert_ready(c, 0);
	for (size_t got = 0; got < sizeof(big); got += s.len)
		s = tool_take(&t);
	tool_give(&t, RAW_ACK, NULL, 0);
	assert_ready(c, POLLOUT);
	tool_close(&t);
}

static void wait__error_shows_until_told(void **state)
{
	int c, err, all = POLLIN | POLLOUT | POLLRDHUP | POLLHUP;
	socklen_t len = sizeof(err);
	struct tool t;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	tool_give(&t, RAW_RST, NULL, 0);
	assert_ready(c, all | POLLERR);
	assert_int_equal(CALL(getsockopt, c, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	assert_int_equal(err, ECONNRESET);
	assert_ready(c, all);
	tool_close(&t);
}

static void wait__failed_connect_gets_a_fresh_stand_in(void **state)
{
	struct sockaddr_storage peer;
	struct tool t;
	socklen_t len;
	int c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	len = tool_name(&t, false, 80, &peer);
	t.sport = 80;
	c = CALL(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_fails(CALL(connect, c, (void *)&peer, len), EINPROGRESS);
	assert_ready(c, 0);
	t.dport = tool_until(&t, RAW_SYN).sport;
	tool_give(&t, RAW_RST | RAW_ACK, NULL, 0);
	assert_true(kernel_says(c) & POLLERR);
	assert_fails(CALL(connect, c, (void *)&peer, len), ECONNREFUSED);
	assert_fails(CALL(connect, c, (void *)&peer, len), EINPROGRESS);
	assert_ready(c, 0);
	t.dport = tool_until(&t, RAW_SYN).sport;
	tool_give(&t, RAW_SYN | RAW_ACK, NULL, 0);
	assert_ready(c, POLLOUT);
	tool_close(&t);
}

static void wait__close_by_the_kernel_closes(void **state)
{
	struct tool t;
	int c, again;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	assert_int_equal(close(c), 0);
	tool_until(&t, RAW_FIN);
	assert_fails(CALL(send, c, "x", 1, 0), EBADF);
	t.sport++;
	c = tool_accepted(&t); /* and again, the number being used again at once */
	assert_int_equal(close(c), 0);
	do
		again = CALL(socket, AF_INET, SOCK_STREAM, 0);
	while (again >= 0 && again != c);
	assert_int_equal(again, c);
	assert_fails(CALL(send, c, "x", 1, 0), EPIPE);
	tool_until(&t, RAW_FIN);
	tool_close(&t);
}

static void wait__select(void **state)
{
	struct timeval tv = {.tv_sec = 1};
	fd_set in, out;
	struct tool t;
	int c;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	FD_ZERO(&in);
	FD_SET(c, &in);
	assert_int_equal(CALL(select, c + 1, &in, NULL, NULL, &tv), 0);
	assert_false(FD_ISSET(c, &in));
	tool_give(&t, RAW_ACK, "a", 1);
	FD_SET(c, &in);
	FD_ZERO(&out);
	FD_SET(c, &out);
	assert_int_equal(CALL(select, c + 1, &in, &out, NULL, NULL), 2);
	assert_true(FD_ISSET(c, &in) && FD_ISSET(c, &out));
	assert_fails(CALL(select, -1, NULL, NULL, NULL, NULL), EINVAL);
	tool_close(&t);
}

static void wait__epoll(void **state)
{
	struct epoll_event e = {.events = EPOLLIN}, got;
	struct timeval before, after;
	struct tool t;
	char buf[8];
	int c, ep;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	c = tool_accepted(&t);
	ep = CALL(epoll_create, 1);
	e.data.fd = c;
	assert_int_equal(CALL(epoll_ctl, ep, EPOLL_CTL_ADD, c, &e), 0);
	CALL(gettimeofday, &before, NULL);
	assert_int_equal(CALL(epoll_wait, ep, &got, 1, 2000), 0);
	CALL(gettimeofday, &after, NULL);
	assert_true(after.tv_sec - before.tv_sec == 2);
	tool_give(&t, RAW_ACK, "ab", 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(CALL(epoll_wait, ep, &got, 1, -1), 1);
	assert_int_equal(got.data.fd, c);
	e.events = EPOLLIN | EPOLLET;
	assert_int_equal(CALL(epoll_ctl, ep, EPOLL_CTL_MOD, c, &e), 0);
	assert_int_equal(CALL(epoll_wait, ep, &got, 1, 0), 1);
	assert_int_equal(CALL(epoll_wait, ep, &got, 1, 0), 0);
	tool_give(&t, RAW_ACK, "c", 1); /* an edge, though old data lies there */
	assert_int_equal(CALL(epoll_wait, ep, &got, 1, 0), 1);
	assert_int_equal(CALL(read, c, buf, 8), 3);
	assert_int_equal(CALL(epoll_wait, ep, &got, 1, 0), 0);
	close(ep);
	assert_fails(CALL(epoll_ctl, ep, EPOLL_CTL_MOD, c, &e), EBADF);
	tool_close(&t);
}

static void wait__poll_of_others(void **state)
{
	struct pollfd p[3] = {{.fd = -1}, {.fd = 9999, .events = POLLIN}, {.events = POLLIN}};
	struct tool t;
	int pipes[2];

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	assert_int_equal(CALL(pipe, pipes), 0);
	p[2].fd = pipes[0];
	assert_int_equal(CALL(poll, p, 3, 0), 1);
	assert_int_equal(p[1].revents, POLLNVAL);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(CALL(poll, p, 3, -1), 2);
	assert_int_equal(p[2].revents, POLLIN);
	close(pipes[0]);
	close(pipes[1]);
	assert_fails(CALL(poll, p, 1, -1), EDEADLK);
	tool_close(&t);
}

/* ---- two threads -------------------------------------------------------------------------------
 */

enum { ACCEPT, READ, WRITE, POLL };

/* A call that blocks in a thread of its own, as a tool runs it. */
struct blocked {
	struct tool *t;
	pthread_t thread;
	int what, fd;
	ssize_t rc;
	char buf[16];
};

static char big[400000];

static void *run(void *arg)
{
	struct blocked *b = arg;
	struct rnl_seam_sys *h = b->t->h;
	struct pollfd p = {.fd = b->fd, .events = POLLIN};

	if (b->what == ACCEPT)
		b->rc = rnl_seam_sys_accept(h, b->fd, NULL, NULL);
	else if (b->what == READ)
		b->rc = rnl_seam_sys_read(h, b->fd, b->buf, sizeof(b->buf));
	else if (b->what == WRITE)
		b->rc = rnl_seam_sys_write(h, b->fd, big, sizeof(big));
	else
		b->rc = rnl_seam_sys_poll(h, &p, 1, -1);
	return NULL;
}

static void begin(struct blocked *b, struct tool *t, int what, int fd)
{
	*b = (struct blocked){.t = t, .what = what, .fd = fd};
	assert_int_equal(pthread_create(&b->thread, NULL, run, b), 0);
}

static ssize_t end(struct blocked *b)
{
	assert_int_equal(pthread_join(b->thread, NULL), 0);
	return b->rc;
}

/* The peer takes and acknowledges all of a write that is larger than the buffer. */
static void swallow(struct tool *t, size_t want)
{
	struct raw_segment s;
	size_t got = 0, len;

	while (got < want) {
		len = sizeof(t->packet);
		assert_int_equal(rnl_seam_sys_netdev_poll(t->h, t->packet, &len, NULL, 1000), 0);
		if (len == 0)
			continue; /* the thread has not come to it */
		assert_true(raw_read(t->packet, len, &s));
		if (s.len == 0 || s.seq != t->stack_seq)
			continue;
		got += s.len;
		t->stack_seq += (uint32_t)s.len;
		tool_give(t, RAW_ACK, NULL, 0);
	}
}

static void two_threads(uint32_t time, bool ip6)
{
	struct blocked b;
	struct tool t;
	int l, c;

	tool_open(&t, time, ip6);
	l = tool_listen(&t);
	begin(&b, &t, ACCEPT, l);
	tool_handshake(&t);
	c = (int)end(&b);
	assert_true(c >= 0);
	begin(&b, &t, READ, c);
	tool_give(&t, RAW_ACK | RAW_PSH, "hello", 5);
	assert_int_equal(end(&b), 5);
	assert_memory_equal(b.buf, "hello", 5);
	begin(&b, &t, WRITE, c);
	swallow(&t, sizeof(big));
	assert_int_equal(end(&b), sizeof(big));
	begin(&b, &t, POLL, c);
	tool_give(&t, RAW_ACK | RAW_FIN, NULL, 0);
	assert_int_equal(end(&b), 1);
	tool_close(&t);
}

/* Takes what waits. @return when the first packet was sent, us; 0: there was none. */
static int64_t take_all(struct tool *t, uint64_t wait_us)
{
	struct raw_segment s;
	int64_t at, first = 0;
	size_t len;

	for (;; wait_us = 0) {
		len = sizeof(t->packet);
		assert_int_equal(rnl_seam_sys_netdev_poll(t->h, t->packet, &len, &at, wait_us), 0);
		if (len == 0)
			return first;
		first = first != 0 ? first : at;
		assert_true(raw_read(t->packet, len, &s));
		t->stack_seq = s.seq + (uint32_t)s.len;
	}
}

/* A writer that an acknowledgement woke sends before virtual time moves on. */
static void wait__virtual_time_waits_for_the_woken(void **state)
{
	int c, size = 5 * 536;
	int64_t begin_us, at;
	struct blocked b;
	struct tool t;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL_THREADS, false);
	c = tool_accepted(&t);
	take_all(&t, 0);
	assert_int_equal(CALL(setsockopt, c, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	begin(&b, &t, WRITE, c);
	do /* until the thread is there */
		begin_us = take_all(&t, 0);
	while (begin_us == 0);
	for (int i = 0; i < 100; i++) {
		tool_give(&t, RAW_ACK, NULL, 0);
		at = take_all(&t, 1000000);
		assert_true(at - begin_us == 0);
	}
	tool_give(&t, RAW_RST, NULL, 0);
	assert_true(end(&b) > 0);
	tool_close(&t);
}

static void wait__two_threads_in_real_time(void **state)
{
	two_threads(RNL_SEAM_SYS_REAL, false);
	two_threads(RNL_SEAM_SYS_REAL, true);
}

static void wait__two_threads_in_virtual_time(void **state)
{
	two_threads(RNL_SEAM_SYS_VIRTUAL_THREADS, false);
	two_threads(RNL_SEAM_SYS_VIRTUAL_THREADS, true);
}

/* The tool does nothing but poll(2): timers run, and the end is told, by themselves. */
static void wait__real_time_runs_timers(void **state)
{
	struct sockaddr_storage peer;
	struct pollfd p = {.events = POLLOUT};
	struct raw_segment first, again;
	struct tool t;
	socklen_t len;
	int err = 0;
	socklen_t err_len = sizeof(err);

	tool_open(&t, RNL_SEAM_SYS_REAL, false);
	len = tool_name(&t, false, 80, &peer);
	p.fd = CALL(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(CALL(option, p.fd, "connect_timeout_ms", 1500), 0);
	assert_fails(CALL(connect, p.fd, (void *)&peer, len), EINPROGRESS);
	first = tool_take(&t);
	again = tool_take(&t);
	assert_true(again.flags == RAW_SYN && again.seq == first.seq);
	assert_int_equal(poll(&p, 1, -1), 1);
	assert_true(p.revents & POLLERR);
	assert_int_equal(CALL(getsockopt, p.fd, SOL_SOCKET, SO_ERROR, &err, &err_len), 0);
	assert_int_equal(err, ETIMEDOUT);
	tool_close(&t);
}

static void wait__real_usleep_reaches_the_clock(void **state)
{
	struct timeval before, after;
	struct tool t;

	tool_open(&t, RNL_SEAM_SYS_REAL, false);
	CALL(gettimeofday, &before, NULL);
	assert_int_equal(CALL(usleep, 3000), 0);
	CALL(gettimeofday, &after, NULL);
	assert_true((after.tv_sec - before.tv_sec) * 1000000 + after.tv_usec - before.tv_usec >=
	            3000);
	tool_close(&t);
}

static void wait__virtual_clock_moves_when_told(void **state)
{
	struct timeval a, b, c;
	struct tool t;

	tool_open(&t, RNL_SEAM_SYS_VIRTUAL, false);
	CALL(gettimeofday, &a, NULL);
	assert_int_equal(a.tv_sec, 1000);
	CALL(gettimeofday, &b, NULL);
	assert_int_equal(b.tv_usec - a.tv_usec, 1);
	assert_int_equal(CALL(usleep, 5000000), 0);
	CALL(gettimeofday, &c, NULL);
	assert_int_equal(c.tv_sec, 1005);
	tool_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wait__descriptors_tell_the_state),
	    cmocka_unit_test(wait__full_buffer_is_not_writable),
	    cmocka_unit_test(wait__acknowledged_buffer_is_writable_again),
	    cmocka_unit_test(wait__error_shows_until_told),
	    cmocka_unit_test(wait__failed_connect_gets_a_fresh_stand_in),
	    cmocka_unit_test(wait__close_by_the_kernel_closes),
	    cmocka_unit_test(wait__select),
	    cmocka_unit_test(wait__epoll),
	    cmocka_unit_test(wait__poll_of_others),
	    cmocka_unit_test(wait__two_threads_in_real_time),
	    cmocka_unit_test(wait__two_threads_in_virtual_time),
	    cmocka_unit_test(wait__virtual_time_waits_for_the_woken),
	    cmocka_unit_test(wait__real_time_runs_timers),
	    cmocka_unit_test(wait__real_usleep_reaches_the_clock),
	    cmocka_unit_test(wait__virtual_clock_moves_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
