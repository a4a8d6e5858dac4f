/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timer wheel. Time is a number of base-64 digits; a node stands at the level of the highest
 * digit in which its deadline differs from now, in the slot of its deadline's digit there. Hence:
 * - a slot of level 0 holds one microsecond, so that deadlines are exact;
 * - whatever stands at a lower level is earlier than whatever stands at a higher one, and within a
 *   level slots follow in time: the next event is the lowest set bit of the lowest bitmap;
 * - when now enters a slot of a higher level, its nodes move down (a node does so at most once for
 *   each level).
 * The top level alone is a ring: it holds everything whose digits above the others differ, as far
 * as 63 slots ahead; what is later waits in the 63rd and is placed anew from there. Refuses:
 * reading a clock, callbacks, growing. Floor 0.
 */
#include "base/wheel.h"

#include <string.h>

#include <rte_branch_prediction.h>

#define DIGIT_BITS 6
#define DIGIT_MASK (RNL_WHEEL_SLOTS - 1)
#define TOP (RNL_WHEEL_LEVELS - 1)
#define TOP_SHIFT (TOP * DIGIT_BITS)

static inline struct rnl_wnode *node_at(const struct rnl_wheel *w, uint32_t i)
{
	return (struct rnl_wnode *)(void *)((uint8_t *)rnl_pool_at(w->pool, i) + w->node_off);
}

void rnl_wheel_init(struct rnl_wheel *w, const struct rnl_pool *pool, uint32_t node_off,
                    uint64_t now_us)
{
	memset(w, 0, sizeof(*w));
	w->pool = pool;
	w->node_off = node_off;
	w->now_us = now_us;
}

/* Number of the slot for a deadline that is not before now: level * 64 + slot. */
static inline uint32_t place(const struct rnl_wheel *w, uint64_t at_us)
{
	uint64_t differ = at_us ^ w->now_us;
	uint64_t ahead;
	unsigned int level;

	if (likely(differ >> TOP_SHIFT == 0)) {
		level = (unsigned int)(63 - __builtin_clzll(differ | 1)) / DIGIT_BITS;
		return level * RNL_WHEEL_SLOTS + (at_us >> level * DIGIT_BITS & DIGIT_MASK);
	}
	ahead = (at_us >> TOP_SHIFT) - (w->now_us >> TOP_SHIFT);
	if (ahead > DIGIT_MASK)
		ahead = DIGIT_MASK;
	return TOP * RNL_WHEEL_SLOTS + (((w->now_us >> TOP_SHIFT) + ahead) & DIGIT_MASK);
}

static inline void link_node(struct rnl_wheel *w, uint32_t i, struct rnl_wnode *n)
{
	uint32_t where = place(w, n->at_us);
	uint32_t *head = &w->head[where / RNL_WHEEL_SLOTS][where & DIGIT_MASK];

	n->next = *head;
	n->prev = RNL_WHEEL_HEAD | where;
	if (n->next != RNL_NIL)
		node_at(w, n->next)->prev = i;
	*head = i;
	w->bitmap[where / RNL_WHEEL_SLOTS] |= UINT64_C(1) << (where & DIGIT_MASK);
}

static inline void unlink_node(struct rnl_wheel *w, struct rnl_wnode *n)
{
	if (n->next != RNL_NIL)
		node_at(w, n->next)->prev = n->prev;
	if (n->prev & RNL_WHEEL_HEAD) {
		uint32_t where = n->prev & ~RNL_WHEEL_HEAD;

		w->head[where / RNL_WHEEL_SLOTS][where & DIGIT_MASK] = n->next;
		if (n->next == RNL_NIL)
			w->bitmap[where / RNL_WHEEL_SLOTS] &=
			    ~(UINT64_C(1) << (where & DIGIT_MASK));
	} else {
		node_at(w, n->prev)->next = n->next;
	}
}

void rnl_wheel_arm(struct rnl_wheel *w, uint32_t i, uint64_t at_us)
{
	struct rnl_wnode *n = node_at(w, i);

	if (at_us < w->now_us)
		at_us = w->now_us;
	if (n->at_us == at_us)
		return;
	if (n->at_us != 0)
		unlink_node(w, n);
	else
		w->armed++;
	n->at_us = at_us;
	link_node(w, i, n);
}

void rnl_wheel_stop(struct rnl_wheel *w, uint32_t i)
{
	struct rnl_wnode *n = node_at(w, i);

	if (n->at_us == 0)
		return;
	unlink_node(w, n);
	n->at_us = 0;
	w->armed--;
}

/* The first occupied slot of a level that is not empty, and the time at which it begins. */
static inline unsigned int first_slot(const struct rnl_wheel *w, unsigned int level,
                                      uint64_t *begin)
{
	unsigned int shift = level * DIGIT_BITS;
	uint64_t digits = w->now_us >> shift;
	uint64_t map = w->bitmap[level];
	unsigned int slot;

	if (unlikely(level == TOP)) {
		unsigned int turn = digits & DIGIT_MASK;

		/* The slot of now itself is empty: turn it to the end. */
		map = map >> turn | map << (-turn & DIGIT_MASK);
		slot = (unsigned int)__builtin_ctzll(map);
		*begin = (digits + slot) << shift;
		return (turn + slot) & DIGIT_MASK;
	}
	slot = (unsigned int)__builtin_ctzll(map);
	*begin = ((digits & ~(uint64_t)DIGIT_MASK) | slot) << shift;
	return slot;
}

/* The lowest level that holds anything; the wheel is not empty. */
static inline unsigned int first_level(const struct rnl_wheel *w)
{
	unsigned int level = 0;

	while (w->bitmap[level] == 0)
		level++;
	return level;
}

/* now has entered this slot: its nodes find their places at lower levels. */
static void move_down(struct rnl_wheel *w, unsigned int level, unsigned int slot)
{
	uint32_t i = w->head[level][slot];

	w->head[level][slot] = RNL_NIL;
	w->bitmap[level] &= ~(UINT64_C(1) << slot);
	while (i != RNL_NIL) {
		struct rnl_wnode *n = node_at(w, i);
		uint32_t next = n->next;

		link_node(w, i, n);
		i = next;
	}
}

uint32_t rnl_wheel_expire(struct rnl_wheel *w, uint64_t now_us)
{
	while (w->armed != 0) {
		unsigned int level = first_level(w);
		uint64_t begin;
		unsigned int slot = first_slot(w, level, &begin);

		if (begin > now_us)
			break;
		w->now_us = begin;
		if (level == 0) {
			uint32_t i = w->head[0][slot];

			rnl_wheel_stop(w, i);
			return i;
		}
		move_down(w, level, slot);
	}
	if (now_us > w->now_us)
		w->now_us = now_us;
	return RNL_NIL;
}

uint64_t rnl_wheel_next(const struct rnl_wheel *w)
{
	uint64_t begin;

	if (w->armed == 0)
		return UINT64_MAX;
	first_slot(w, first_level(w), &begin);
	return begin > w->now_us ? begin : w->now_us + 1;
}
