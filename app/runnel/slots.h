/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pool of equal objects for one worker: a free list threaded through the objects themselves.
 * All memory is taken at the start; empty is an answer, not an error. Floor 6 (app).
 */
#ifndef RNL_SLOTS_H
#define RNL_SLOTS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_malloc.h>

struct rnl_slots {
	uint8_t *mem;
	void *free; /* first free object; its first word points to the next */
	uint32_t object_size;
	uint32_t used;
	uint32_t fresh; /* objects never handed out yet: their memory is not touched at start */
	uint32_t count;
};

/** Takes memory for count objects of size octets on a NUMA node. @return 0, -ENOMEM. */
static inline int rnl_slots_init(struct rnl_slots *p, uint32_t count, uint32_t size, int socket_id)
{
	const size_t align = 64;

	size = (size + 15u) & ~15u;
	*p = (struct rnl_slots){.object_size = size, .count = count};
	p->mem = rte_malloc_socket("runnel_slots", (size_t)count * size, align, socket_id);
	return p->mem == NULL ? -ENOMEM : 0;
}

static inline void rnl_slots_free(struct rnl_slots *p)
{
	rte_free(p->mem);
	*p = (struct rnl_slots){0};
}

static inline uint32_t rnl_slots_room(const struct rnl_slots *p)
{
	return p->count - p->used;
}

/** @return an object with undefined contents, or NULL when all are used. */
static inline void *rnl_slots_get(struct rnl_slots *p)
{
	void *o = p->free;

	if (o != NULL)
		p->free = *(void **)o;
	else if (p->fresh < p->count)
		o = p->mem + (size_t)p->fresh++ * p->object_size;
	else
		return NULL;
	p->used++;
	return o;
}

static inline void rnl_slots_put(struct rnl_slots *p, void *o)
{
	*(void **)o = p->free;
	p->free = o;
	p->used--;
}

#endif /* RNL_SLOTS_H */
