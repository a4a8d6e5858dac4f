/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hierarchical timer wheel with microsecond ticks: arming, moving and stopping are O(1); expiry is
 * O(1) amortised and finds the next occupied slot by bitmap, so an empty stretch of time costs
 * nothing. Timers fire at their microsecond or later, never earlier, and in order of their deadlines
 * as far as deadlines differ.
 * Nodes live inside the objects of one pool and are named by the object's index (below 2^31).
 * Refuses: reading a clock, callbacks. Floor 0.
 */
#ifndef RNL_BASE_WHEEL_H
#define RNL_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

#define RNL_WHEEL_LEVELS 7 /* 64^7 us: 51 days; later deadlines wait in the last slot again */
#define RNL_WHEEL_SLOTS 64
#define RNL_WHEEL_HEAD 0x80000000u /* in prev: the slot's first node, level * 64 + slot below */

/** Embedded in each timed object. All zero: not armed. */
struct rnl_wnode {
	uint64_t at_us; /* deadline; 0: not armed */
	uint32_t next;  /* index of the next object in the slot */
	uint32_t prev;  /* index of the previous one, or RNL_WHEEL_HEAD | slot */
};

struct rnl_wheel {
	const struct rnl_pool *pool;
	uint32_t node_off; /* offset of struct rnl_wnode in an object */
	uint32_t armed;    /* how many nodes are armed */
	uint64_t now_us;   /* everything before it has expired */
	uint64_t bitmap[RNL_WHEEL_LEVELS]; /* which slots hold nodes */
	uint32_t head[RNL_WHEEL_LEVELS][RNL_WHEEL_SLOTS];
};

void rnl_wheel_init(struct rnl_wheel *w, const struct rnl_pool *pool, uint32_t node_off,
		    uint64_t now_us);
/**
 * Arms object i for at_us (> 0), or moves it there. A deadline before the wheel's now_us becomes
 * now_us: the next rnl_wheel_expire() fires it. So who re-arms an expired object in the past gets it
 * again at once, also in the loop that he is in.
 */
void rnl_wheel_arm(struct rnl_wheel *w, uint32_t i, uint64_t at_us);
/** Stops object i; nothing happens when it is not armed. */
void rnl_wheel_stop(struct rnl_wheel *w, uint32_t i);
/**
 * Takes one object whose deadline is <= now_us out of the wheel, the earliest first. Between two
 * calls any object may be armed, moved or stopped, due ones too. now_us does not go back.
 * @return its index, or RNL_NIL when no more are due. Call until then.
 */
uint32_t rnl_wheel_expire(struct rnl_wheel *w, uint64_t now_us);
/**
 * @return a time after the wheel's now_us and not after the earliest deadline that lies after it,
 * us; UINT64_MAX: none armed. Expiring at that time makes progress, so that repeating it reaches
 * every deadline after at most RNL_WHEEL_LEVELS steps (more beyond 51 days).
 */
uint64_t rnl_wheel_next(const struct rnl_wheel *w);

#endif /* RNL_BASE_WHEEL_H */
