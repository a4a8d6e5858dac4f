/* SPDX-License-Identifier: BSD-3-Clause */
/* Round-trip estimation against RFC 6298 done slowly, in doubles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "algo/rtt.h"
#include "base/prng.h"

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double distance(double a, double b)
{
	return a > b ? a - b : b - a;
}

struct slow {
	double srtt, rttvar;
	int samples;
};

static void slow_sample(struct slow *s, double r)
{
	if (s->samples++ == 0) {
		s->srtt = r;
		s->rttvar = r / 2;
		return;
	}
	s->rttvar = 0.75 * s->rttvar + 0.25 * distance(s->srtt, r);
	s->srtt = 0.875 * s->srtt + 0.125 * r;
}

static double slow_rto(const struct slow *s, double min_us)
{
	double rto = larger(s->srtt + larger(1, 4 * s->rttvar), min_us);

	return rto < RNL_RTO_MAX_US ? rto : RNL_RTO_MAX_US;
}

/* RFC 6298 2.1. */
static void rtt__no_sample(void **state)
{
	struct rnl_rtt r = {0};

	assert_int_equal(rnl_rtt_rto(&r, RNL_RTO_MIN_US), 1000000);
	assert_int_equal(rnl_rtt_rto(&r, 2000000), 2000000);
}

/* RFC 6298 2.2. */
static void rtt__first_sample(void **state)
{
	struct rnl_rtt r = {0};

	rnl_rtt_sample(&r, 100000);
	assert_int_equal(r.srtt_us >> 3, 100000);
	assert_int_equal(r.rttvar_us >> 2, 50000);
	assert_int_equal(rnl_rtt_rto(&r, 1), 300000);
}

/* RFC 6298 2.3. */
static void rtt__second_sample_uses_old_srtt(void **state)
{
	struct rnl_rtt r = {0};

	rnl_rtt_sample(&r, 80000);
	rnl_rtt_sample(&r, 160000);
	/* RTTVAR = 3/4 * 40000 + 1/4 * 80000, SRTT = 7/8 * 80000 + 1/8 * 160000 */
	assert_int_equal(r.rttvar_us >> 2, 50000);
	assert_int_equal(r.srtt_us >> 3, 90000);
	assert_int_equal(rnl_rtt_rto(&r, 1), 290000);
}

static void rtt__zero_counts_as_one(void **state)
{
	struct rnl_rtt r = {0};

	for (int i = 0; i < 1000; i++)
		rnl_rtt_sample(&r, 0);
	assert_true(r.srtt_us >= 8);
	assert_in_range(rnl_rtt_rto(&r, 1), 2, 8);
}

static void rtt__bounds(void **state)
{
	struct rnl_rtt r = {0};

	rnl_rtt_sample(&r, 10);
	assert_int_equal(rnl_rtt_rto(&r, RNL_RTO_MIN_US), RNL_RTO_MIN_US);
	for (int i = 0; i < 1000; i++)
		rnl_rtt_sample(&r, i & 1 ? UINT32_MAX : 0);
	assert_int_equal(rnl_rtt_rto(&r, 1), RNL_RTO_MAX_US);
	assert_int_equal(rnl_rtt_rto(&r, UINT32_MAX), RNL_RTO_MAX_US);
}

static void follow(uint64_t seed, uint32_t spread)
{
	struct rnl_prng prng;
	struct rnl_rtt r = {0};
	struct slow slow = {0};
	uint32_t base;

	rnl_prng_seed(&prng, seed);
	base = 1 + rnl_prng_below(&prng, 10000000);
	for (int i = 0; i < 2000; i++) {
		uint32_t us = base + rnl_prng_below(&prng, spread);

		rnl_rtt_sample(&r, us);
		slow_sample(&slow, us);
		/* Truncation loses less than 1 us of SRTT and, with that, less than 8 of 4 *
		 * RTTVAR. */
		assert_true(distance(r.srtt_us >> 3, slow.srtt) < 2);
		assert_true(distance(rnl_rtt_rto(&r, 1), slow_rto(&slow, 1)) < 10);
		assert_true(distance(rnl_rtt_rto(&r, 200000), slow_rto(&slow, 200000)) < 10);
	}
}

/* RFC 8961 4. */
static void rtt__follows_slow_reference(void **state)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		follow(seed, 1);
		follow(seed, 1000);
		follow(seed, 50000000);
	}
}

/* RFC 6298 2.5. */
static void rtt__backoff(void **state)
{
	assert_int_equal(rnl_rtt_backoff(1000000, 0), 1000000);
	assert_int_equal(rnl_rtt_backoff(1000000, 1), 2000000);
	assert_int_equal(rnl_rtt_backoff(1000000, 5), 32000000);
	assert_int_equal(rnl_rtt_backoff(1000000, 6), RNL_RTO_MAX_US);
	assert_int_equal(rnl_rtt_backoff(1, 31), RNL_RTO_MAX_US);
	assert_int_equal(rnl_rtt_backoff(RNL_RTO_MAX_US, 255), RNL_RTO_MAX_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rtt__no_sample),
	    cmocka_unit_test(rtt__first_sample),
	    cmocka_unit_test(rtt__second_sample_uses_old_srtt),
	    cmocka_unit_test(rtt__zero_counts_as_one),
	    cmocka_unit_test(rtt__bounds),
	    cmocka_unit_test(rtt__follows_slow_reference),
	    cmocka_unit_test(rtt__backoff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
