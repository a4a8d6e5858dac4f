/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pool of fixed-size objects, named by 32-bit index. Memory is the caller's, reserved once at start
 * and zeroed; an object that was never handed out was never touched. The free list is LIFO, so a
 * small working set stays in cache. Index 0 is never handed out: RNL_NIL.
 * Refuses: growing, locking, running constructors. Floor 0.
 */
#ifndef RNL_BASE_POOL_H
#define RNL_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#define RNL_NIL 0u

struct rnl_pool {
	uint8_t *base;
	uint32_t stride;   /* octets between objects */
	uint32_t link_off; /* where a free object keeps the index of the next free one */
	uint32_t free;     /* head of the free list */
	uint32_t fresh;    /* lowest index that was never handed out */
	uint32_t end;      /* one past the highest index */
	uint32_t used;
};

/** @return octets of memory that `count` objects of `stride` octets need. */
static inline size_t rnl_pool_bytes(uint32_t count, uint32_t stride)
{
	return ((size_t)count + 1) * stride;
}

/** Makes a pool of `count` objects in zeroed memory of rnl_pool_bytes(). */
static inline void rnl_pool_init(struct rnl_pool *p, void *mem, uint32_t count, uint32_t stride,
				 uint32_t link_off)
{
	*p = (struct rnl_pool){
	    .base = mem, .stride = stride, .link_off = link_off, .fresh = 1, .end = count + 1};
}

/** @return object `i`, which must be a valid index. */
static inline void *rnl_pool_at(const struct rnl_pool *p, uint32_t i)
{
	return p->base + (size_t)i * p->stride;
}

static inline uint32_t *rnl_pool_link(const struct rnl_pool *p, uint32_t i)
{
	return (uint32_t *)(void *)((uint8_t *)rnl_pool_at(p, i) + p->link_off);
}

/** @return the index of an object. A division: not for the per-packet path. */
static inline uint32_t rnl_pool_index(const struct rnl_pool *p, const void *obj)
{
	return (uint32_t)((size_t)((const uint8_t *)obj - p->base) / p->stride);
}

/** @return an index, or RNL_NIL when all are used. The object holds what its last user left. */
static inline uint32_t rnl_pool_get(struct rnl_pool *p)
{
	uint32_t i = p->free;

	if (i != RNL_NIL)
		p->free = *rnl_pool_link(p, i);
	else if (p->fresh < p->end)
		i = p->fresh++;
	else
		return RNL_NIL;
	p->used++;
	return i;
}

/** Gives object `i` back. */
static inline void rnl_pool_put(struct rnl_pool *p, uint32_t i)
{
	*rnl_pool_link(p, i) = p->free;
	p->free = i;
	p->used--;
}

static inline uint32_t rnl_pool_avail(const struct rnl_pool *p)
{
	return p->end - 1 - p->used;
}

#endif /* RNL_BASE_POOL_H */
