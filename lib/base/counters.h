/* SPDX-License-Identifier: BSD-3-Clause */
/* Named outcomes: each stands once in counters.def with its name and its sentence. Floor 0. */
#ifndef RNL_BASE_COUNTERS_H
#define RNL_BASE_COUNTERS_H

#include <stdint.h>

enum rnl_counter {
#define RNL_COUNTER(id, text) RNL_C_##id,
#include "base/counters.def"
#undef RNL_COUNTER
	RNL_C_COUNT
};

struct rnl_counters {
	uint64_t v[RNL_C_COUNT];
};

/** Counts one outcome. The owner writes, any thread may read: a plain 64-bit store is whole. */
static inline void rnl_count(struct rnl_counters *c, enum rnl_counter id)
{
	c->v[id]++;
}

static inline void rnl_count_n(struct rnl_counters *c, enum rnl_counter id, uint64_t n)
{
	c->v[id] += n;
}

#endif /* RNL_BASE_COUNTERS_H */
