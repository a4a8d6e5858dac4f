/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log-linear histogram: the parts that do not run per value. See hist.h.
 * Floor: 6 (application). Pure.
 */
#include <string.h>

#include "hist.h"

void gen_hist_reset(struct gen_hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min_ns = UINT64_MAX;
}

/* How far a bucket's values were shifted: the first two halves were not. */
static uint32_t bucket_shift(uint32_t index)
{
	uint32_t half = index >> GEN_HIST_HALF_BITS;

	return half < 2 ? 0 : half - 1;
}

uint64_t gen_hist_low(uint32_t index)
{
	uint32_t shift = bucket_shift(index);

	return (uint64_t)(index - (shift << GEN_HIST_HALF_BITS)) << shift;
}

uint64_t gen_hist_high(uint32_t index)
{
	return gen_hist_low(index) + (UINT64_C(1) << bucket_shift(index)) - 1;
}

void gen_hist_merge(struct gen_hist *to, const struct gen_hist *from)
{
	uint64_t min_ns = GEN_HIST_GET(from->min_ns), max_ns = GEN_HIST_GET(from->max_ns);
	uint32_t i;

	for (i = 0; i < GEN_HIST_BUCKETS; i++)
		to->bucket[i] += GEN_HIST_GET(from->bucket[i]);
	to->count += GEN_HIST_GET(from->count);
	to->over += GEN_HIST_GET(from->over);
	to->sum_hi += GEN_HIST_GET(from->sum_hi);
	to->sum_hi += __builtin_add_overflow(to->sum_ns, GEN_HIST_GET(from->sum_ns), &to->sum_ns);
	if (min_ns < to->min_ns)
		to->min_ns = min_ns;
	if (max_ns > to->max_ns)
		to->max_ns = max_ns;
}

void gen_hist_diff(struct gen_hist *out, const struct gen_hist *now, const struct gen_hist *then)
{
	uint32_t i;

	gen_hist_reset(out);
	for (i = 0; i < GEN_HIST_BUCKETS; i++) {
		out->bucket[i] = now->bucket[i] - then->bucket[i];
		if (out->bucket[i] == 0)
			continue;
		/* Summed, not taken from count: `now` may be a copy torn by its writer. */
		out->count += out->bucket[i];
		out->max_ns = gen_hist_high(i);
		if (out->min_ns == UINT64_MAX)
			out->min_ns = gen_hist_low(i);
	}
	out->over = now->over - then->over;
	out->sum_hi = now->sum_hi - then->sum_hi;
	out->sum_hi -= __builtin_sub_overflow(now->sum_ns, then->sum_ns, &out->sum_ns);
	if (out->max_ns > now->max_ns)
		out->max_ns = now->max_ns;
}

uint64_t gen_hist_percentile(const struct gen_hist *h, uint32_t ppm)
{
	/* The rank, rounded up, without overflow for any count. */
	uint64_t whole = h->count / 1000000, rest = h->count % 1000000;
	uint64_t rank = whole * ppm + (rest * ppm + 999999) / 1000000;
	uint64_t seen = 0, high;
	uint32_t i;

	if (h->count == 0)
		return 0;
	if (rank == 0)
		return h->min_ns;
	if (rank >= h->count)
		return h->max_ns;
	for (i = 0; i < GEN_HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen < rank)
			continue;
		high = gen_hist_high(i);
		return high < h->max_ns ? high : h->max_ns;
	}
	return h->max_ns;
}

double gen_hist_mean(const struct gen_hist *h)
{
	if (h->count == 0)
		return 0.0;
	return ((double)h->sum_hi * 18446744073709551616.0 + (double)h->sum_ns) / (double)h->count;
}

uint64_t gen_hist_above(const struct gen_hist *h, uint64_t ns)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = gen_hist_index(ns) + 1; i < GEN_HIST_BUCKETS; i++)
		n += h->bucket[i];
	return n;
}
