/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the system-call side of the seam share. Everything here is called with the lock
 * held; functions return a negative errno.
 */
#ifndef RNL_SEAM_SYS_PVT_H
#define RNL_SEAM_SYS_PVT_H

#include <pthread.h>
#include <sys/types.h>

#include "seam_pvt.h"
#include "sys.h"

#define SYS_NEVER UINT64_MAX

/*
 * A descriptor; its index is that of the seam's socket; k is NULL when it is free. The stand-in is
 * a pair of Unix sockets: the tool has one end, `far` is ours.
 */
struct sys_sock {
	int fd, far;
	dev_t dev; /* of the stand-in: says whether the kernel closed it */
	ino_t ino;
	struct sock *k; /* the seam's socket */
	int family;     /* AF_INET, AF_INET6 */
	bool bound;     /* has a local port of its own */
	bool shut_rd, shut_wr;
	bool told;                         /* the error of its end was reported */
	bool hung;                         /* the stand-in has hung up */
	uint32_t shown;                    /* poll bits that the stand-in shows */
	uint64_t seen_rx;                  /* received octets when it last showed some: edges */
	uint64_t rcvtimeo_ns, sndtimeo_ns; /* 0: none */
	uint32_t rcvlowat, notsent_lowat;
	uint32_t keep_idle_ms; /* what SO_KEEPALIVE would switch on */
	struct linger linger;
	bool reuse_addr, reuse_port, v6only;
	int priority;
};

struct rnl_seam_sys {
	pthread_mutex_t lock;
	pthread_cond_t news;
	/* Virtual time stands still until those that the last news woke sleep or are done. */
	pthread_cond_t settled;
	unsigned int asleep, woken;
	uint64_t news_count;
	struct rnl_seam *s;
	enum rnl_seam_sys_time time;
	uint64_t receive_wait_ns;
	pthread_t thread; /* runs timers in real time */
	bool has_thread, stop;
	struct sys_sock socks[RNL_SEAM_SOCKETS];
	uint16_t next_port; /* where the search for a free one goes on */
};

/* Takes the lock and closes what the kernel closed. */
void rnl_sys_enter(struct rnl_seam_sys *h);
/* Shows the new state on the stand-ins, wakes the others, gives the lock back. @return rc, or -1
 * with errno. */
ssize_t rnl_sys_leave(struct rnl_seam_sys *h, ssize_t rc);
/*
 * Lets something happen, or time pass, at the latest until `until_ns`; `drive` lets it move
 * virtual time even where another thread ought to. The lock is free meanwhile: the descriptor
 * may be another's after it, so find it again. @return 0, -ETIMEDOUT (it is until_ns), -EDEADLK.
 */
int rnl_sys_wait(struct rnl_seam_sys *h, uint64_t until_ns, bool drive);
/* Shows the state of all on their stand-ins. */
void rnl_sys_show(struct rnl_seam_sys *h);
/* @return `ns` from now, SYS_NEVER for 0. */
uint64_t rnl_sys_after(struct rnl_seam_sys *h, uint64_t ns);

/* @return the descriptor's record, or NULL with -EBADF or -ENOTSOCK in why. */
struct sys_sock *rnl_sys_find(struct rnl_seam_sys *h, int fd, int *why);
/* A record and a stand-in for the seam's socket id. @return it, or NULL with why. */
struct sys_sock *rnl_sys_add(struct rnl_seam_sys *h, int id, int family, int flags, int *why);
/* A new stand-in under the same number, when the old one has hung up. */
int rnl_sys_renew(struct sys_sock *p);
/* Closes in the stack and drops the record; close_fd: the stand-in too. */
void rnl_sys_drop(struct rnl_seam_sys *h, struct sys_sock *p, bool close_fd);
/* @return whether the kernel closed the descriptor: its number may be another file's. */
bool rnl_sys_gone(const struct sys_sock *p);
bool rnl_sys_nonblock(const struct sys_sock *p);

/* @return the poll bits of a socket. */
uint32_t rnl_sys_bits(struct rnl_seam_sys *h, const struct sys_sock *p);
/* @return the error that was not told yet, 0: none. take: now it is. */
int rnl_sys_error(struct sys_sock *p, bool take);
/* Hands changed options to the connection or listener; takes them back if they are refused. */
int rnl_sys_apply(struct rnl_seam_sys *h, struct sys_sock *p, const struct rnl_conn_opts *opts);
/* @return octets received or -EAGAIN, as a non-blocking recv. */
ssize_t rnl_sys_take(struct rnl_seam_sys *h, struct sys_sock *p, void *buf, size_t len, int flags);

#endif /* RNL_SEAM_SYS_PVT_H */
