/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the seam's system calls share: a stack, and one peer of bare packets. */
#ifndef RNL_SEAM_TOOL_H
#define RNL_SEAM_TOOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "rawpeer.h"
#include "sys.h"

/* rc is -1 and errno is this. */
#define assert_fails(call, err)                                                                    \
	do {                                                                                       \
		errno = 0;                                                                         \
		assert_int_equal((call), -1);                                                      \
		assert_int_equal(errno, (err));                                                    \
	} while (0)

struct tool {
	struct rnl_seam_sys *h;
	bool ip6;
	uint16_t sport, dport;        /* of the peer, of the stack */
	uint32_t peer_seq, stack_seq; /* what each sends next */
	uint8_t packet[2048];
};

void tool_open(struct tool *t, uint32_t time, bool ip6);
void tool_close(struct tool *t);
/* The stack's own name, or the peer's. @return its length. */
socklen_t tool_name(const struct tool *t, bool own, uint16_t port, struct sockaddr_storage *out);
void tool_give(struct tool *t, uint8_t flags, const void *data, size_t len);
/* The next packet: there must be one. */
struct raw_segment tool_take(struct tool *t);
/* Takes packets until one has these flags. */
struct raw_segment tool_until(struct tool *t, uint8_t flags);
/* Throws away what waits. */
void tool_drain(struct tool *t);
int tool_listen(struct tool *t);
void tool_handshake(struct tool *t);
/* A connection that the peer opened. */
int tool_accepted(struct tool *t);

#endif /* RNL_SEAM_TOOL_H */
