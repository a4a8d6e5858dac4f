/* SPDX-License-Identifier: BSD-3-Clause */
/* base/prng. */
#include "env.h"

#include "base/prng.h"

/* The authors' generator, started from the state 1, 2, 3, 4. */
static void prng__reference_sequence(void **state)
{
	static const uint64_t expected[] = {
	    11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
	struct rnl_prng p = {{1, 2, 3, 4}};

	for (unsigned int i = 0; i < RTE_DIM(expected); i++)
		assert_int_equal(rnl_prng_next(&p), expected[i]);
}

/* SplitMix64 of 0 begins with this well-known number. */
static void prng__seed(void **state)
{
	struct rnl_prng p, q;

	rnl_prng_seed(&p, 0);
	assert_int_equal(p.s[0], 0xe220a8397b1dcdaf);
	rnl_prng_seed(&q, 0);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(rnl_prng_next(&p), rnl_prng_next(&q));
	rnl_prng_seed(&q, 1);
	assert_int_not_equal(rnl_prng_next(&p), rnl_prng_next(&q));
}

static void prng__below_stays_below(void **state)
{
	static const uint32_t limits[] = {1, 2, 3, 7, 1000, 65536, 0x80000001, UINT32_MAX};
	struct rnl_prng p;

	rnl_prng_seed(&p, 3);
	for (unsigned int l = 0; l < RTE_DIM(limits); l++)
		for (unsigned int i = 0; i < 2000; i++)
			assert_true(rnl_prng_below(&p, limits[l]) < limits[l]);
}

/* Each of n values comes about equally often, also for an n that divides no power of two. */
static void prng__below_is_even(void **state)
{
	enum { N = 12, DRAWS = 120000 };
	unsigned int seen[N] = {0}, upper = 0;
	struct rnl_prng p;

	rnl_prng_seed(&p, 4);
	for (unsigned int i = 0; i < DRAWS; i++)
		seen[rnl_prng_below(&p, N)]++;
	for (unsigned int i = 0; i < N; i++)
		assert_in_range(seen[i], DRAWS / N * 95 / 100, DRAWS / N * 105 / 100);
	for (unsigned int i = 0; i < DRAWS; i++)
		upper += rnl_prng_below(&p, 0xc0000000) >= 0x80000000; /* one third */
	assert_in_range(upper, DRAWS / 3 * 97 / 100, DRAWS / 3 * 103 / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prng__reference_sequence),
	    cmocka_unit_test(prng__seed),
	    cmocka_unit_test(prng__below_stays_below),
	    cmocka_unit_test(prng__below_is_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
