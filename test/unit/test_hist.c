/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's histogram against brute force: a sorted array of the same values.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hist.h"

#define VALUES 20000

static uint64_t next_random(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static struct gen_hist *hist_new(void)
{
	struct gen_hist *h = malloc(sizeof(*h));

	assert_non_null(h);
	gen_hist_reset(h);
	return h;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void hist__empty(void **state)
{
	struct gen_hist *h = hist_new();

	assert_int_equal(gen_hist_percentile(h, 500000), 0);
	assert_true(gen_hist_mean(h) == 0.0);
	assert_int_equal(h->min_ns, UINT64_MAX);
	free(h);
}

/* Buckets cover the range without gap or overlap, and each edge falls into its own bucket. */
static void hist__buckets_tile_the_range(void **state)
{
	uint64_t expect = 0;
	uint32_t i;

	for (i = 0; i < GEN_HIST_BUCKETS; i++) {
		assert_int_equal(gen_hist_low(i), expect);
		assert_int_equal(gen_hist_index(gen_hist_low(i)), i);
		assert_int_equal(gen_hist_index(gen_hist_high(i)), i);
		/* Three significant digits: width at most 1/1024 of the value. */
		assert_true((gen_hist_high(i) - gen_hist_low(i)) * 1024 <= gen_hist_low(i));
		expect = gen_hist_high(i) + 1;
	}
	assert_int_equal(expect - 1, GEN_HIST_MAX_NS);
}

static void hist__past_the_range(void **state)
{
	struct gen_hist *h = hist_new();

	gen_hist_record(h, GEN_HIST_MAX_NS);
	assert_int_equal(h->over, 0);
	gen_hist_record(h, UINT64_MAX);
	gen_hist_record(h, UINT64_MAX);
	assert_int_equal(h->over, 2);
	assert_int_equal(h->count, 3);
	assert_int_equal(h->bucket[GEN_HIST_BUCKETS - 1], 3);
	assert_int_equal(gen_hist_percentile(h, 1000000), UINT64_MAX);
	/* The sum does not wrap: mean of two times 2^64 and 2^42 is beyond 2^63. */
	assert_true(gen_hist_mean(h) > 1.2e19 && gen_hist_mean(h) < 1.3e19);
	free(h);
}

/* Values over all magnitudes; each percentile must be the exact one's bucket. */
static void hist__percentiles_equal_brute_force(void **state)
{
	static const uint32_t ppm[] = {0,      1,      10000,  250000, 500000, 900000,
	                               990000, 999000, 999900, 999990, 999999, 1000000};
	uint64_t *values = malloc(VALUES * sizeof(*values)), seed = 1, rank, exact, got, sum = 0;
	struct gen_hist *h = hist_new();
	unsigned int i;

	assert_non_null(values);
	for (i = 0; i < VALUES; i++) {
		values[i] = next_random(&seed) >> (22 + next_random(&seed) % 42);
		gen_hist_record(h, values[i]);
		sum += values[i];
	}
	qsort(values, VALUES, sizeof(*values), compare);
	assert_int_equal(h->count, VALUES);
	assert_int_equal(h->min_ns, values[0]);
	assert_int_equal(h->max_ns, values[VALUES - 1]);
	assert_true(gen_hist_mean(h) == (double)sum / VALUES);
	for (i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
		rank = ((uint64_t)VALUES * ppm[i] + 999999) / 1000000;
		exact = values[rank == 0 ? 0 : rank - 1];
		got = gen_hist_percentile(h, ppm[i]);
		assert_int_equal(gen_hist_index(got), gen_hist_index(exact));
		assert_true(got >= exact);
	}
	free(h);
	free(values);
}

static void hist__merge_equals_one(void **state)
{
	struct gen_hist *a = hist_new(), *b = hist_new(), *all = hist_new();
	uint64_t seed = 2, v;
	unsigned int i;

	for (i = 0; i < VALUES; i++) {
		v = next_random(&seed) >> (20 + i % 44);
		gen_hist_record(i % 3 == 0 ? a : b, v);
		gen_hist_record(all, v);
	}
	gen_hist_merge(a, b);
	assert_memory_equal(a, all, sizeof(*a));
	free(a);
	free(b);
	free(all);
}

static void hist__diff_is_what_came_between(void **state)
{
	struct gen_hist *then = hist_new(), *now = hist_new(), *d = hist_new();
	unsigned int i;

	for (i = 0; i < 100; i++)
		gen_hist_record(now, 1000000);
	*then = *now;
	for (i = 0; i < 10; i++)
		gen_hist_record(now, 5000);
	gen_hist_diff(d, now, then);
	assert_int_equal(d->count, 10);
	assert_int_equal(gen_hist_index(gen_hist_percentile(d, 500000)), gen_hist_index(5000));
	assert_true(gen_hist_mean(d) == 5000.0);
	assert_int_equal(gen_hist_index(d->max_ns), gen_hist_index(5000));
	gen_hist_diff(d, now, now);
	assert_int_equal(d->count, 0);
	free(then);
	free(now);
	free(d);
}

static void hist__above_counts_larger_buckets(void **state)
{
	struct gen_hist *h = hist_new();
	uint64_t v;

	for (v = 1; v <= 2000; v++)
		gen_hist_record(h, v);
	assert_int_equal(gen_hist_above(h, 1500), 500);
	assert_int_equal(gen_hist_above(h, 0), 2000);
	assert_int_equal(gen_hist_above(h, UINT64_MAX), 0);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hist__empty),
	    cmocka_unit_test(hist__buckets_tile_the_range),
	    cmocka_unit_test(hist__past_the_range),
	    cmocka_unit_test(hist__percentiles_equal_brute_force),
	    cmocka_unit_test(hist__merge_equals_one),
	    cmocka_unit_test(hist__diff_is_what_came_between),
	    cmocka_unit_test(hist__above_counts_larger_buckets),
	};

	return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
