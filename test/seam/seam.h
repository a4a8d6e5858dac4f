/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seam - the place where a tool from outside takes hold of the stack: bare IP packets in, bare IP
 * packets out with their time, calls that look like sockets, and a clock that is injected. It
 * stands on runnel.h alone. Same calls, same configuration: same packets, byte for byte.
 *
 * Single-threaded, and no call blocks: what would block returns -EAGAIN, and time passes only
 * in rnl_seam_run(). All calls return a negative errno on failure; a tool that wants -1 and errno,
 * real descriptors and blocking calls wraps this.
 *
 * Refuses: link layers, neighbours, offloads, threads.
 */
#ifndef RNL_SEAM_H
#define RNL_SEAM_H

#include "runnel.h"

struct rnl_seam;

enum rnl_seam_clock {
	RNL_SEAM_VIRTUAL, /**< time moves only in rnl_seam_run(), from deadline to deadline */
	RNL_SEAM_REAL,    /**< CLOCK_MONOTONIC; rnl_seam_run() sleeps between deadlines */
};

/** All zero is a good configuration. */
struct rnl_seam_config {
	enum rnl_seam_clock clock;
	uint64_t start_ns;   /**< virtual time at the begin; 0: 1000 s */
	struct rnl_addr ip4; /**< own address with a /24; unset: 192.0.2.1 */
	struct rnl_addr ip6; /**< own address with a /64; unset: 2001:db8::1 */
	uint16_t mtu;        /**< 0: 1500 */
	uint32_t bufs;       /**< packet buffers; 0: 2048 */
	/** Stack: pools, and secrets that are all zero, are filled in (fixed, so runs repeat). */
	struct rnl_stack_config stack;
};

/**
 * Starts an EAL without hugepages, PCI and shared files, on one CPU of the caller's. Once per
 * process; a tool that has its own EAL leaves it out.
 * @param megabytes memory for pools, such as 256
 * @return 0, or a negative errno.
 */
int rnl_seam_eal_init(const char *program, unsigned int megabytes);

/** @return 0, or a negative errno with err filled. Needs an initialised EAL. */
int rnl_seam_create(const struct rnl_seam_config *cfg, struct rnl_seam **out,
                    struct rnl_error *err);
/**
 * Destroys the stack and frees everything.
 * @return packet buffers that never came back: 0 unless something leaks.
 */
unsigned int rnl_seam_destroy(struct rnl_seam *s);
/** @return the stack, for what this header does not offer. */
struct rnl_stack *rnl_seam_stack(struct rnl_seam *s);

/* ---- clock ------------------------------------------------------------------------------------
 */

/** @return now, ns: the clock that rnl_seam_receive() stamps packets with. */
uint64_t rnl_seam_now(const struct rnl_seam *s);
/**
 * Lets time pass until `until_ns`, running every timer on its deadline; stops early at the first
 * packet that comes out when stop_at_packet is set.
 * @return 0, or -ELOOP when the stack asks to be run again at once for ever.
 */
int rnl_seam_run(struct rnl_seam *s, uint64_t until_ns, bool stop_at_packet);

/* ---- packets ----------------------------------------------------------------------------------
 */

/** Gives the stack one IP packet, now. @return 0, -EMSGSIZE, -ENOBUFS. */
int rnl_seam_send(struct rnl_seam *s, const void *packet, size_t len);
/**
 * Takes the oldest packet that the stack sent.
 * @param time_ns when it was sent; may be NULL
 * @return its length, -EAGAIN (none waits), -EMSGSIZE (longer than cap; it stays).
 */
ssize_t rnl_seam_receive(struct rnl_seam *s, void *packet, size_t cap, uint64_t *time_ns);
/** @return how many packets wait for rnl_seam_receive(). */
unsigned int rnl_seam_waiting(const struct rnl_seam *s);

/* ---- sockets ----------------------------------------------------------------------------------
 */

/** Sockets of one seam. */
#define RNL_SEAM_SOCKETS 256

/** @return a small number, not a descriptor of the system; -EMFILE. */
int rnl_seam_socket(struct rnl_seam *s);
/** Sets the local end; an unspecified address means any. @return 0, -EBADF, -EINVAL. */
int rnl_seam_bind(struct rnl_seam *s, int fd, const struct rnl_addr *addr, uint16_t port);
/** @return 0, -EBADF, -EINVAL, or as rnl_listen(). */
int rnl_seam_listen(struct rnl_seam *s, int fd, unsigned int backlog);
/** @return a socket, -EAGAIN, -EBADF, -EINVAL. */
int rnl_seam_accept(struct rnl_seam *s, int fd);
/** @return -EINPROGRESS, -EBADF, -EISCONN, or as rnl_connect(). */
int rnl_seam_connect(struct rnl_seam *s, int fd, const struct rnl_addr *addr, uint16_t port);
/** @return octets taken (fewer: the send buffer is full), -EAGAIN, -EPIPE, -ENOTCONN, -EBADF, or
 * why the connection ended. */
ssize_t rnl_seam_write(struct rnl_seam *s, int fd, const void *data, size_t len);
/** As rnl_seam_write(), with MSG_OOB: the data is urgent, in line. */
ssize_t rnl_seam_write_urgent(struct rnl_seam *s, int fd, const void *data, size_t len);
/**
 * Takes received octets; what is not taken stays in the stack and closes its window.
 * @return octets, 0 at the end of the stream, -EAGAIN, -ENOTCONN, -EBADF, or why the connection
 * ended.
 */
ssize_t rnl_seam_read(struct rnl_seam *s, int fd, void *data, size_t len);
/** Half-close. @return 0, -EBADF, -ENOTCONN, -EPIPE. */
int rnl_seam_shutdown(struct rnl_seam *s, int fd);
/** Closes; the number lives on until rnl_seam_forget(), so that the end can be looked at. @return
 * 0, -EBADF. */
int rnl_seam_close(struct rnl_seam *s, int fd);
/** As close with SO_LINGER and time 0: RST. @return 0, -EBADF, -ENOTCONN. */
int rnl_seam_abort(struct rnl_seam *s, int fd);
/** Closes if need be, and frees the number. */
void rnl_seam_forget(struct rnl_seam *s, int fd);

/**
 * Sets an option by the name of its field in struct rnl_conn_opts, such as "nodelay", or in
 * struct rnl_listen_config ("backlog", "syncookies", and "fastopen_limit" for fastopen); before listen or connect for what they open,
 * later on the connection.
 * @return 0, -EBADF, -ENOPROTOOPT (no such name), -ERANGE, or as rnl_set_opts().
 */
int rnl_seam_setsockopt(struct rnl_seam *s, int fd, const char *name, uint64_t value);
/** The connection's tcp_info; after its end, as it was then. @return 0, -EBADF, -ENOTCONN. */
int rnl_seam_info(struct rnl_seam *s, int fd, struct rnl_conn_info *info);

/** What a poll() would tell, and how the connection ended. */
struct rnl_seam_status {
	bool connected; /**< the handshake is done */
	bool eof;       /**< the peer's FIN was reached */
	bool closed;    /**< the connection ended: reason says why */
	enum rnl_reason reason;
	unsigned int closed_calls;   /**< how often `closed` was called: never more than once */
	unsigned int late_calls;     /**< callbacks after `closed`: a fault of the stack */
	unsigned int writable_calls; /**< how often `writable` was called */
	unsigned int urgent_calls;   /**< how often `urgent` was called */
	uint32_t urgent_bytes;       /**< octets that it said last */
};
/** @return 0, -EBADF. */
int rnl_seam_status(struct rnl_seam *s, int fd, struct rnl_seam_status *out);
/** @return the errno that a socket would give for a reason: 0 for RNL_REASON_NORMAL. */
int rnl_seam_errno(enum rnl_reason reason);

#endif /* RNL_SEAM_H */
