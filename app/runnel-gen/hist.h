/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log-linear histogram of nanoseconds, after HdrHistogram: values below 2048 are counted exactly,
 * larger ones in buckets whose width is at most 1/1024 of their value (three significant digits).
 * Fixed memory, one addition per value, mergeable by adding bucket by bucket.
 * Refuses nothing: values past GEN_HIST_MAX_NS (73 minutes) count in the last bucket and in `over`;
 * the exact maximum and sum are kept beside the buckets.
 * Floor: 6 (application). Pure.
 */
#ifndef GEN_HIST_H
#define GEN_HIST_H

#include <stdint.h>

#define GEN_HIST_HALF_BITS 10u
#define GEN_HIST_HALF (1u << GEN_HIST_HALF_BITS)
#define GEN_HIST_MAX_BITS 42u
#define GEN_HIST_MAX_NS ((UINT64_C(1) << GEN_HIST_MAX_BITS) - 1)
/** Two halves at full resolution, then one half for each further power of two. */
#define GEN_HIST_BUCKETS (GEN_HIST_HALF * (GEN_HIST_MAX_BITS - GEN_HIST_HALF_BITS + 1))

struct gen_hist {
	uint64_t count;  /**< values recorded, exact */
	uint64_t over;   /**< of them, larger than GEN_HIST_MAX_NS */
	uint64_t min_ns; /**< UINT64_MAX: none */
	uint64_t max_ns;
	uint64_t sum_ns, sum_hi; /**< 128-bit sum */
	uint64_t bucket[GEN_HIST_BUCKETS];
};

/** Empties the histogram. */
void gen_hist_reset(struct gen_hist *h);
/** @return the bucket of a value. */
static inline uint32_t gen_hist_index(uint64_t ns)
{
	uint32_t shift;

	if (ns > GEN_HIST_MAX_NS)
		ns = GEN_HIST_MAX_NS;
	/* The leading GEN_HIST_HALF_BITS + 1 bits say where in its half a value is. */
	shift = 63u - (uint32_t)__builtin_clzll(ns | GEN_HIST_HALF) - GEN_HIST_HALF_BITS;
	return (shift << GEN_HIST_HALF_BITS) + (uint32_t)(ns >> shift);
}
/* One writer, whole words: another thread may look on while it counts. */
#define GEN_HIST_SET(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)
#define GEN_HIST_GET(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)

/** Counts one value. */
static inline void gen_hist_record(struct gen_hist *h, uint64_t ns)
{
	uint32_t i = gen_hist_index(ns);
	uint64_t sum;

	GEN_HIST_SET(h->bucket[i], h->bucket[i] + 1);
	GEN_HIST_SET(h->count, h->count + 1);
	GEN_HIST_SET(h->over, h->over + (ns > GEN_HIST_MAX_NS));
	GEN_HIST_SET(h->sum_hi, h->sum_hi + __builtin_add_overflow(h->sum_ns, ns, &sum));
	GEN_HIST_SET(h->sum_ns, sum);
	if (ns < h->min_ns)
		GEN_HIST_SET(h->min_ns, ns);
	if (ns > h->max_ns)
		GEN_HIST_SET(h->max_ns, ns);
}
/** @return the smallest value of a bucket. */
uint64_t gen_hist_low(uint32_t index);
/** @return the largest value of a bucket. */
uint64_t gen_hist_high(uint32_t index);
/** Adds what `from` counted to `to`. `from` may be counting meanwhile. */
void gen_hist_merge(struct gen_hist *to, const struct gen_hist *from);
/**
 * Sets `out` to what `now` counted after `then`, an earlier copy of it. Minimum and maximum are
 * those of the buckets' edges, since the exact ones of the time between are not known.
 */
void gen_hist_diff(struct gen_hist *out, const struct gen_hist *now, const struct gen_hist *then);
/**
 * @return the value that `ppm` millionths of the values do not exceed (990000: p99): the upper edge
 * of its bucket, never above the exact maximum; 0 when empty.
 */
uint64_t gen_hist_percentile(const struct gen_hist *h, uint32_t ppm);
/** @return the mean, 0 when empty. */
double gen_hist_mean(const struct gen_hist *h);
/** @return how many values were larger than `ns`, by bucket (those of the bucket of `ns` are not).
 */
uint64_t gen_hist_above(const struct gen_hist *h, uint64_t ns);

#endif /* GEN_HIST_H */
