/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connection table: from a tuple to the reference of a connection or mini block.
 *
 * Buckets of one cache line: eight 16-bit tags, compared at once, eight references, and a count of
 * the entries that passed this bucket because it was full. Such an entry stands in one of the next
 * buckets; a look-up goes on only while that count is not zero, and removing an entry takes it out of
 * the counts along its path: no tombstones, so the table does not age. Keys stay in the blocks: a
 * matching tag is checked there, in the line that the segment needs next anyway.
 * Refuses: growing, checking that an entry is absent. Floor 4.
 */
#ifndef RNL_STACK_FLOW_H
#define RNL_STACK_FLOW_H

#include <stddef.h>
#include <stdint.h>

#include <rte_prefetch.h>

#include "base/pool.h"
#include "runnel.h"

/** Set in a reference to a struct rnl_mini; clear in one to a struct rnl_tcb. */
#define RNL_FLOW_MINI 0x80000000u
#define RNL_FLOW_SLOTS 8

struct rnl_flow_bucket {
	uint16_t tag[RNL_FLOW_SLOTS]; /* 0: free */
	uint32_t ref[RNL_FLOW_SLOTS];
	uint32_t overflow; /* entries that belong here or before and stand behind */
	uint32_t pad[3];
} __attribute__((aligned(64)));

struct rnl_flow {
	struct rnl_flow_bucket *buckets;
	uint32_t mask; /* buckets - 1 */
	uint32_t count;
	uint32_t max;
	const struct rnl_pool *conns; /* struct rnl_tcb: key first */
	const struct rnl_pool *minis; /* struct rnl_mini: key first */
	uint64_t key[4];              /* expanded secret */
};

/** @return octets of memory that a table for max_entries needs, at a load of at most 3/4. */
size_t rnl_flow_bytes(uint32_t max_entries);
/** Makes an empty table in zeroed memory of rnl_flow_bytes(max_entries), aligned to 64 octets. */
void rnl_flow_init(struct rnl_flow *f, void *mem, uint32_t max_entries, const uint8_t secret[16]);
/** Says where the blocks are that references point into; before the first look-up. */
void rnl_flow_pools(struct rnl_flow *f, const struct rnl_pool *conns, const struct rnl_pool *minis);

/** @return the keyed hash of a tuple. */
uint32_t rnl_flow_hash(const struct rnl_flow *f, const struct rnl_tuple *key);
/** @return the reference of the entry with this key, or 0. */
uint32_t rnl_flow_find(const struct rnl_flow *f, const struct rnl_tuple *key, uint32_t hash);
/** Adds an entry that is not in the table (the caller knows). ref is not 0. @return 0, -ENOSPC. */
int rnl_flow_insert(struct rnl_flow *f, uint32_t hash, uint32_t ref);
/** Takes an entry out. @return 0, or -ENOENT. */
int rnl_flow_remove(struct rnl_flow *f, uint32_t hash, uint32_t ref);
/** Makes the entry of old_ref point to new_ref, which has the same key. @return 0, or -ENOENT. */
int rnl_flow_replace(struct rnl_flow *f, uint32_t hash, uint32_t old_ref, uint32_t new_ref);

/** Stage one of a burst: asks for the bucket. */
static inline void rnl_flow_prefetch(const struct rnl_flow *f, uint32_t hash)
{
	rte_prefetch0(&f->buckets[hash & f->mask]);
}

/** Stage two, when the bucket has arrived: asks for the line that holds the likely entry's key. */
void rnl_flow_prefetch_entry(const struct rnl_flow *f, uint32_t hash);

/* Inner pieces and their portable twins, here so that a test can compare them. */

/** @return low half xor high half of the 128-bit product. */
uint64_t rnl_flow_fold(uint64_t a, uint64_t b);
uint64_t rnl_flow_fold_portable(uint64_t a, uint64_t b);
/** @return a mask of the slots whose tag equals `tag`: bit 2i is set for slot i. */
uint32_t rnl_flow_match(const uint16_t tags[RNL_FLOW_SLOTS], uint16_t tag);
uint32_t rnl_flow_match_portable(const uint16_t tags[RNL_FLOW_SLOTS], uint16_t tag);

#endif /* RNL_STACK_FLOW_H */
