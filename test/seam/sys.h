/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sys - the seam as an outside conformance tool wants it: calls that behave as Linux's socket calls
 * do, on real descriptors, blocking and not, in virtual and in real time, from several threads;
 * bare IP packets in and out. This header needs nothing but the C library's; librnl_seam.so has the
 * calls and brings its own EAL. doc/seam.md lists each call and where it differs from Linux.
 *
 * Socket calls return -1 and set errno. A descriptor is a Unix socket that stands in: what poll(2),
 * epoll and fcntl(2) say of it is what they would say of the TCP socket; everything else has to go
 * through here. O_NONBLOCK is kept by the kernel. A descriptor that the kernel closed (close(2)) is
 * closed in the stack at the next call.
 *
 * Refuses: fork, a second EAL in the process, SIGPIPE (no signal is ever sent).
 */
#ifndef RNL_SEAM_SYS_H
#define RNL_SEAM_SYS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Changes when old adapters no longer work. */
#define RNL_SEAM_SYS_ABI 1

struct rnl_seam_sys;

/** How time passes, and what a call does that has to wait. */
enum rnl_seam_sys_time {
	/** Time moves in usleep, gettimeofday (1 us) and while a call waits: a call that blocks
	 * runs the clock from deadline to deadline, and fails with EDEADLK when none is left. For
	 * tools with one thread. */
	RNL_SEAM_SYS_VIRTUAL = 0,
	/** The same, but a socket call that blocks waits for another thread of the tool, which
	 * moves time by usleep, gettimeofday and netdev_receive. */
	RNL_SEAM_SYS_VIRTUAL_THREADS = 1,
	/** CLOCK_MONOTONIC; a thread of the seam runs the timers. */
	RNL_SEAM_SYS_REAL = 2,
};

/** All zero is a good configuration. */
struct rnl_seam_sys_config {
	uint32_t size;            /**< sizeof(struct rnl_seam_sys_config) */
	uint32_t time;            /**< enum rnl_seam_sys_time */
	uint64_t start_us;        /**< virtual time at the begin; 0: 1000 s */
	const char *ip4;          /**< own address, a /24 is on link; NULL: 192.0.2.1 */
	const char *ip6;          /**< own address, a /64 is on link; NULL: 2001:db8::1 */
	const char *gateway4;     /**< default gateway; NULL: none */
	const char *gateway6;     /**< the same for IPv6 */
	uint32_t mtu;             /**< largest IP packet; 0: 1500 */
	uint32_t receive_wait_ms; /**< how long netdev_receive waits; 0: 10000 */
	uint32_t megabytes;       /**< memory of the EAL; 0: 256. Of the first open alone */
};

/** @return RNL_SEAM_SYS_ABI of the shared object. */
uint32_t rnl_seam_sys_abi(void);
/**
 * Makes a stack and a network of one cable. The first one in a process starts the EAL.
 * @param text gets one line when it fails; may be NULL
 * @return NULL when it fails; errno says more.
 */
struct rnl_seam_sys *rnl_seam_sys_open(const struct rnl_seam_sys_config *cfg, char *text,
                                       size_t text_len);
/**
 * Closes every descriptor, destroys the stack. No other thread may be in a call.
 * @return packet buffers that never came back: 0 unless something leaks.
 */
unsigned int rnl_seam_sys_free(struct rnl_seam_sys *h);
/** Sets a runnel option by its name in struct rnl_conn_opts, such as "no_sack". */
int rnl_seam_sys_option(struct rnl_seam_sys *h, int fd, const char *name, uint64_t value);

/* ---- packets and time --------------------------------------------------------------------------
 */

/** Gives the stack one IP packet. @return 0. */
int rnl_seam_sys_netdev_send(struct rnl_seam_sys *h, const void *packet, size_t len);
/**
 * Takes the oldest packet that the stack sent, or waits for one, receive_wait_ms at most.
 * @param len in: room; out: its length, 0 if none came
 * @param time_us when it was sent, by the clock of gettimeofday
 * @return 0, -1 (EMSGSIZE: no room, it stays).
 */
int rnl_seam_sys_netdev_receive(struct rnl_seam_sys *h, void *packet, size_t *len,
                                int64_t *time_us);
/** The same with a wait of its own; 0 does not wait. */
int rnl_seam_sys_netdev_poll(struct rnl_seam_sys *h, void *packet, size_t *len, int64_t *time_us,
                             uint64_t wait_us);
int rnl_seam_sys_usleep(struct rnl_seam_sys *h, uint64_t us);
/** In virtual time 1 us passes with each call, so that a loop on it ends. tz is not looked at. */
int rnl_seam_sys_gettimeofday(struct rnl_seam_sys *h, struct timeval *tv, void *tz);

/* ---- sockets -----------------------------------------------------------------------------------
 */

int rnl_seam_sys_socket(struct rnl_seam_sys *h, int domain, int type, int protocol);
int rnl_seam_sys_bind(struct rnl_seam_sys *h, int fd, const struct sockaddr *addr, socklen_t len);
int rnl_seam_sys_listen(struct rnl_seam_sys *h, int fd, int backlog);
int rnl_seam_sys_accept(struct rnl_seam_sys *h, int fd, struct sockaddr *addr, socklen_t *len);
int rnl_seam_sys_accept4(struct rnl_seam_sys *h, int fd, struct sockaddr *addr, socklen_t *len,
                         int flags);
int rnl_seam_sys_connect(struct rnl_seam_sys *h, int fd, const struct sockaddr *addr,
                         socklen_t len);
int rnl_seam_sys_getsockname(struct rnl_seam_sys *h, int fd, struct sockaddr *addr, socklen_t *len);
int rnl_seam_sys_getpeername(struct rnl_seam_sys *h, int fd, struct sockaddr *addr, socklen_t *len);
int rnl_seam_sys_shutdown(struct rnl_seam_sys *h, int fd, int how);
int rnl_seam_sys_close(struct rnl_seam_sys *h, int fd);

ssize_t rnl_seam_sys_read(struct rnl_seam_sys *h, int fd, void *buf, size_t len);
ssize_t rnl_seam_sys_readv(struct rnl_seam_sys *h, int fd, const struct iovec *iov, int n);
ssize_t rnl_seam_sys_recv(struct rnl_seam_sys *h, int fd, void *buf, size_t len, int flags);
ssize_t rnl_seam_sys_recvfrom(struct rnl_seam_sys *h, int fd, void *buf, size_t len, int flags,
                              struct sockaddr *addr, socklen_t *addr_len);
ssize_t rnl_seam_sys_recvmsg(struct rnl_seam_sys *h, int fd, struct msghdr *msg, int flags);
ssize_t rnl_seam_sys_write(struct rnl_seam_sys *h, int fd, const void *buf, size_t len);
ssize_t rnl_seam_sys_writev(struct rnl_seam_sys *h, int fd, const struct iovec *iov, int n);
ssize_t rnl_seam_sys_send(struct rnl_seam_sys *h, int fd, const void *buf, size_t len, int flags);
ssize_t rnl_seam_sys_sendto(struct rnl_seam_sys *h, int fd, const void *buf, size_t len, int flags,
                            const struct sockaddr *addr, socklen_t addr_len);
ssize_t rnl_seam_sys_sendmsg(struct rnl_seam_sys *h, int fd, const struct msghdr *msg, int flags);
ssize_t rnl_seam_sys_splice(struct rnl_seam_sys *h, int in, int64_t *off_in, int out,
                            int64_t *off_out, size_t len, unsigned int flags);

int rnl_seam_sys_fcntl(struct rnl_seam_sys *h, int fd, int cmd, ...);
int rnl_seam_sys_ioctl(struct rnl_seam_sys *h, int fd, unsigned long request, ...);
int rnl_seam_sys_setsockopt(struct rnl_seam_sys *h, int fd, int level, int name, const void *value,
                            socklen_t len);
int rnl_seam_sys_getsockopt(struct rnl_seam_sys *h, int fd, int level, int name, void *value,
                            socklen_t *len);

int rnl_seam_sys_poll(struct rnl_seam_sys *h, struct pollfd *fds, nfds_t n, int timeout_ms);
int rnl_seam_sys_select(struct rnl_seam_sys *h, int n, fd_set *in, fd_set *out, fd_set *except,
                        struct timeval *timeout);
int rnl_seam_sys_epoll_create(struct rnl_seam_sys *h, int size);
int rnl_seam_sys_epoll_ctl(struct rnl_seam_sys *h, int epfd, int op, int fd,
                           struct epoll_event *event);
int rnl_seam_sys_epoll_wait(struct rnl_seam_sys *h, int epfd, struct epoll_event *events, int max,
                            int timeout_ms);
int rnl_seam_sys_pipe(struct rnl_seam_sys *h, int fds[2]);

#ifdef __cplusplus
}
#endif
#endif /* RNL_SEAM_SYS_H */
