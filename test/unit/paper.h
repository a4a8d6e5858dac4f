/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack made of paper: the rnl_ functions that engines call, defined by the test, so that the
 * send buffer's room, the cut of the input and the clock are the test's; and one connection to an
 * engine. Programs that use it are not linked with librunnel.
 */
#ifndef RNL_TEST_PAPER_H
#define RNL_TEST_PAPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine.h"

#define OUT_MAX (8u << 20)
#define CONN ((rnl_conn_t)7)
#define HOST "Host: a\r\n"

struct paper_stack {
	void *ctx;
	uint64_t now, timer;
	size_t room; /* octets that the send buffer takes */
	uint8_t *out;
	size_t out_len;
	size_t zc_calls;
	bool want_writable, fin, closed, aborted, resumed;
	rnl_produce_fn produce;
	void *produce_arg;
	uint64_t produce_len;
};

extern struct paper_stack fake;
extern struct rnl_stack *const no_stack;

struct peer {
	struct rnl_service service;
	struct rnl_service_run run;
	const struct rnl_app_ops *ops;
	void *listener_ctx;
	uint8_t in[65536]; /* received by the stack, not consumed */
	size_t in_len;
};

/** Starts the EAL: engines take their memory from it. @return 0, negative on failure. */
int paper_init(void);
/** Opens one connection to a service, as --listen names it. */
void peer_open(struct peer *p, const char *text);
void peer_close(struct peer *p);
/** Offers what is queued, as two spans when it can be cut, until nothing is consumed any more. */
void peer_offer(struct peer *p);
void peer_input(struct peer *p, const void *data, size_t len);
void peer_say(struct peer *p, const char *text);
/** Gives the send buffer `step` octets at a time until the engine asks for no more. */
void peer_drain(struct peer *p, size_t step);
/** @return what the engine sent. */
const char *peer_heard(void);
bool heard(const char *text);

#endif /* RNL_TEST_PAPER_H */
