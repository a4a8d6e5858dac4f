/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two stacks back to back: what one sends stands in an array until the other polls. Both have an
 * application that notes each callback and calls the test's hook in it. Refuses: clocks, devices.
 */
#ifndef RNL_TEST_PAIR_H
#define RNL_TEST_PAIR_H

#include "env.h"

#include <errno.h>

#include "runnel.h"

#define PAIR_QUEUE 4096
#define PAIR_PORT 80
#define PAIR_MS UINT64_C(1000000)
#define PAIR_S (1000 * PAIR_MS)

enum pair_event {
	EV_ADMIT,
	EV_ACCEPTED,
	EV_CONNECTED,
	EV_RECEIVED,
	EV_WRITABLE,
	EV_PEER_CLOSED,
	EV_TIMER,
	EV_CLOSED,
	EV_COUNT
};

struct pair_side {
	struct rnl_stack *st;
	struct rnl_addr addr;
	struct rte_mbuf *in[PAIR_QUEUE]; /* for this side to receive */
	unsigned int in_n;
	unsigned int out_room; /* packets that its port still takes; UINT_MAX: all */
	bool cut;              /* packets from this side are lost */
	rnl_listener_t listener;
	rnl_conn_t conn; /* the last one that was accepted, or connected to */
	unsigned int count[EV_COUNT];
	enum pair_event last;
	enum rnl_reason reason;                            /* of the last `closed` */
	void (*hook[EV_COUNT])(struct pair_side *s, rnl_conn_t c); /* NULL: none */
	size_t take;                                       /* octets consumed by each `received` */
	uint8_t got[1 << 20];                              /* what was consumed, in order */
	size_t got_n;
	const struct rnl_span *span; /* the first one, inside `received` */
	size_t total;                /* octets offered, inside `received` */
	bool refuse;                 /* `admit` says no */
	void *ctx;                   /* of the last callback */
};

struct pair {
	struct pair_side a, b; /* a listens, b connects */
	uint64_t now_ns;
};

/** What a pair is made of; a member that is 0 means the default. */
struct pair_config {
	struct rnl_stack_config a, b; /* pools, addresses, ids and time are filled in */
	uint32_t caps;                /* beyond RNL_CAP_RAW_IP */
	struct rnl_conn_opts opts;    /* of the listener */
};

extern struct pair w;
extern const struct rnl_app_ops pair_ops; /* ctx must be a struct pair_side */

/** Makes both stacks, with ids 1 and 2, and a's listener. */
void pair_open(const struct pair_config *cfg);
/** Destroys both and frees what is under way; fails if an invariant was broken or events came late. */
void pair_close(void);
/** As cmocka's set-up and tear-down; the tear-down fails on leaks too. */
int pair_setup(void **state);
int pair_teardown(void **state);

/** @return a configuration that rnl_stack_create() takes. */
struct rnl_stack_config pair_stack_config(uint32_t id);
/** @return the port of a side. */
struct rnl_port pair_port(struct pair_side *s, uint32_t caps);
/** @return what b connects to a with. */
struct rnl_connect_config pair_connect_config(void);

/** Polls both once, ns later. */
void pair_step(uint64_t ns);
/** Polls both each 10 us until nothing is under way. */
void pair_settle(void);
/** Jumps from deadline to deadline until ns from now; fails when a deadline is late or spins. */
void pair_run(uint64_t ns);
/** Connects b to a; both ends are established then. */
void pair_connect(void);
/** @return counter `name` of a side. */
uint64_t pair_counter(const struct pair_side *s, const char *name);
struct rnl_usage pair_usage(const struct pair_side *s);
/** @return the state of a connection, or -1 when the handle is stale. */
int pair_state(const struct pair_side *s, rnl_conn_t c);
/** Is the message one line that says what to do, and does it contain `part`? */
void pair_check_error(const struct rnl_error *err, const char *part);

/** A test with a pair of the default configuration. */
#define pair_test(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)

#endif /* RNL_TEST_PAIR_H */
