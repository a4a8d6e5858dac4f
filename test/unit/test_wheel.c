/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/wheel: single rules by hand, then random histories against a plain array of deadlines. Every
 * history is named by its seed, which a failure prints.
 */
#include "env.h"

#include <stdio.h>

#include "base/prng.h"
#include "base/wheel.h"

#define OBJECTS 257 /* valid indices 1 to 256 */

struct object {
	uint32_t link;
	uint64_t payload;
	struct rnl_wnode node;
};

struct world {
	struct object mem[OBJECTS];
	struct rnl_pool pool;
	struct rnl_wheel wheel;
	struct rnl_prng rng;
	uint64_t at[OBJECTS]; /* the reference: 0 or the deadline */
	uint64_t now;         /* of the last expiry that ran dry */
	unsigned long fired;
};

static void world_init(struct world *w, uint64_t now)
{
	memset(w, 0, sizeof(*w));
	rnl_pool_init(&w->pool, w->mem, OBJECTS - 1, sizeof(struct object),
	              offsetof(struct object, link));
	rnl_wheel_init(&w->wheel, &w->pool, offsetof(struct object, node), now);
	w->now = now;
}

static void expect_fire(struct world *w, uint64_t now, uint32_t i)
{
	assert_int_equal(rnl_wheel_expire(&w->wheel, now), i);
}

static void wheel__fires_at_its_microsecond(void **state)
{
	static const uint64_t spans[] = {1,       2,       63,          64,           65,
	                                 4095,    4096,    4097,        262143,       262144,
	                                 1 << 24, 1 << 30, 68719476736, 4398046511103};
	static const uint64_t begins[] = {0, 1, 63, 64, 4095, 123456789, 4398046511103, 1ull << 60};
	static struct world w;

	for (unsigned int b = 0; b < RTE_DIM(begins); b++)
		for (unsigned int s = 0; s < RTE_DIM(spans); s++) {
			uint64_t at = begins[b] + spans[s];

			world_init(&w, begins[b]);
			rnl_wheel_arm(&w.wheel, 7, at);
			expect_fire(&w, at - 1, RNL_NIL);
			expect_fire(&w, at, 7);
			expect_fire(&w, at, RNL_NIL);
			assert_int_equal(w.wheel.armed, 0);
		}
}

static void wheel__past_fires_next_time(void **state)
{
	static struct world w;

	world_init(&w, 1000);
	rnl_wheel_arm(&w.wheel, 1, 1);
	expect_fire(&w, 1000, 1);
	expect_fire(&w, 5000, RNL_NIL);
	rnl_wheel_arm(&w.wheel, 1, 4000);
	assert_int_equal(rnl_wheel_next(&w.wheel), 5001);
	expect_fire(&w, 5000, 1);
	expect_fire(&w, 5000, RNL_NIL);
}

static void wheel__arm_moves(void **state)
{
	static struct world w;

	world_init(&w, 10);
	rnl_wheel_arm(&w.wheel, 1, 100);
	rnl_wheel_arm(&w.wheel, 1, 100000);
	rnl_wheel_arm(&w.wheel, 2, 100000);
	rnl_wheel_arm(&w.wheel, 2, 50);
	assert_int_equal(w.wheel.armed, 2);
	expect_fire(&w, 99999, 2);
	expect_fire(&w, 99999, RNL_NIL);
	expect_fire(&w, 100000, 1);
}

static void wheel__stop(void **state)
{
	static struct world w;

	world_init(&w, 10);
	rnl_wheel_stop(&w.wheel, 3);
	for (uint32_t i = 1; i <= 3; i++)
		rnl_wheel_arm(&w.wheel, i, 500);
	rnl_wheel_stop(&w.wheel, 2);
	rnl_wheel_stop(&w.wheel, 3);
	expect_fire(&w, 1000, 1);
	expect_fire(&w, 1000, RNL_NIL);
	assert_int_equal(rnl_wheel_next(&w.wheel), UINT64_MAX);
}

/* While one expired object is handled, others that are due as well are stopped and moved. */
static void wheel__due_objects_may_be_touched(void **state)
{
	static struct world w;
	uint32_t first, second;

	world_init(&w, 0);
	for (uint32_t i = 1; i <= 4; i++)
		rnl_wheel_arm(&w.wheel, i, 77);
	first = rnl_wheel_expire(&w.wheel, 200);
	for (uint32_t i = 1, n = 0; i <= 4; i++) {
		if (i == first)
			continue;
		if (n == 0)
			rnl_wheel_stop(&w.wheel, i);
		else if (n == 1)
			rnl_wheel_arm(&w.wheel, i, 300);
		n++;
	}
	rnl_wheel_arm(&w.wheel, first, 78);
	second = rnl_wheel_expire(&w.wheel, 200);
	assert_int_not_equal(second, first);
	assert_int_not_equal(second, RNL_NIL);
	expect_fire(&w, 200, first);
	expect_fire(&w, 200, RNL_NIL);
	assert_int_not_equal(rnl_wheel_expire(&w.wheel, 300), RNL_NIL);
	expect_fire(&w, 300, RNL_NIL);
	assert_int_equal(w.wheel.armed, 0);
}

static void wheel__next_reaches_every_deadline(void **state)
{
	static struct world w;

	for (unsigned int bits = 0; bits < 42; bits++) {
		uint64_t at = 12345 + (UINT64_C(1) << bits);
		unsigned int jumps = 0;
		uint64_t now = 12345;

		world_init(&w, now);
		rnl_wheel_arm(&w.wheel, 1, at);
		do {
			uint64_t next = rnl_wheel_next(&w.wheel);

			assert_true(next > now);
			assert_true(next <= at);
			now = next;
			jumps++;
		} while (rnl_wheel_expire(&w.wheel, now) == RNL_NIL);
		assert_int_equal(now, at);
		assert_in_range(jumps, 1, RNL_WHEEL_LEVELS);
	}
}

/* Deadlines beyond the top level's ring wait in its last slot as often as needed. */
static void wheel__very_late(void **state)
{
	static struct world w;
	uint64_t now = (UINT64_C(1) << 42) - 5;
	uint64_t at = now + (UINT64_C(1) << 45) + 99;
	unsigned int jumps = 0;

	world_init(&w, now);
	rnl_wheel_arm(&w.wheel, 1, at);
	rnl_wheel_arm(&w.wheel, 2, UINT64_MAX - 1);
	rnl_wheel_arm(&w.wheel, 3, now + 7);
	expect_fire(&w, now + 6, RNL_NIL);
	expect_fire(&w, now + 7, 3);
	while (rnl_wheel_expire(&w.wheel, rnl_wheel_next(&w.wheel)) == RNL_NIL)
		assert_true(jumps++ < 32);
	assert_int_equal(w.wheel.now_us, at);
	expect_fire(&w, at + 1, RNL_NIL);
	assert_int_equal(w.wheel.armed, 1);
	rnl_wheel_stop(&w.wheel, 2);
	assert_int_equal(rnl_wheel_next(&w.wheel), UINT64_MAX);
}

/* ---- random histories ---- */

static uint32_t any_object(struct world *w)
{
	return 1 + rnl_prng_below(&w->rng, OBJECTS - 1);
}

/* Spans of every magnitude up to 2^bits, so that every level is used. */
static uint64_t any_span(struct world *w, unsigned int bits)
{
	return rnl_prng_next(&w->rng) >> (64 - 1 - rnl_prng_below(&w->rng, bits));
}

static void arm_any(struct world *w, uint32_t i)
{
	uint64_t at = w->wheel.now_us + any_span(w, 44);

	if (rnl_prng_below(&w->rng, 8) == 0)
		at = w->wheel.now_us - RTE_MIN(w->wheel.now_us - 1, any_span(w, 20));
	if (rnl_prng_below(&w->rng, 4) == 0) { /* the same microsecond as another one's */
		uint64_t other = w->at[any_object(w)];

		at = other != 0 ? other : at;
	}
	rnl_wheel_arm(&w->wheel, i, at);
	w->at[i] = RTE_MAX(at, w->wheel.now_us);
}

static void stop_any(struct world *w)
{
	uint32_t i = any_object(w);

	rnl_wheel_stop(&w->wheel, i);
	w->at[i] = 0;
}

static uint64_t earliest(const struct world *w)
{
	uint64_t min = UINT64_MAX;

	for (uint32_t i = 1; i < OBJECTS; i++)
		if (w->at[i] != 0 && w->at[i] < min)
			min = w->at[i];
	return min;
}

/* Expires up to now; each object must be the earliest there is. Handlers arm and stop at random. */
static void expire_all(struct world *w, uint64_t now)
{
	uint32_t i;

	while ((i = rnl_wheel_expire(&w->wheel, now)) != RNL_NIL) {
		assert_true(w->at[i] != 0 && w->at[i] <= now);
		assert_int_equal(w->at[i], earliest(w));
		assert_int_equal(w->mem[i].node.at_us, 0);
		w->at[i] = 0;
		w->fired++;
		if (rnl_prng_below(&w->rng, 4) == 0)
			stop_any(w);
		if (rnl_prng_below(&w->rng, 4) == 0)
			arm_any(w, rnl_prng_below(&w->rng, 2) ? i : any_object(w));
		if (rnl_prng_below(&w->rng, 64) == 0)
			return; /* a budget that ran out */
	}
	assert_true(earliest(w) > now);
	w->now = now;
}

static void check_next(struct world *w)
{
	uint64_t first = earliest(w), next = rnl_wheel_next(&w->wheel);

	assert_true(next > w->wheel.now_us);
	if (first == UINT64_MAX)
		assert_int_equal(next, UINT64_MAX);
	else
		assert_true(next <= RTE_MAX(first, w->wheel.now_us + 1));
}

static void random_step(struct world *w)
{
	uint64_t next = rnl_wheel_next(&w->wheel);

	switch (rnl_prng_below(&w->rng, 8)) {
	case 0:
		stop_any(w);
		break;
	case 1:
		expire_all(w, RTE_MAX(w->now, w->wheel.now_us) + any_span(w, 30));
		break;
	case 2:
		expire_all(w, w->wheel.now_us); /* no time has passed */
		break;
	case 3:
		if (next != UINT64_MAX)
			expire_all(w, next);
		break;
	case 4:
		if (rnl_prng_below(&w->rng, 16) == 0)
			expire_all(w, w->wheel.now_us + any_span(w, 43));
		break;
	default:
		arm_any(w, any_object(w));
	}
	check_next(w);
}

/* Jumps from deadline to deadline, as a simulator does, until nothing is armed. */
static void drain(struct world *w)
{
	unsigned long jumps = 0, limit = 32ul * (w->wheel.armed + 1);
	uint32_t i;

	while (w->wheel.armed != 0) {
		uint64_t next = rnl_wheel_next(&w->wheel);

		while ((i = rnl_wheel_expire(&w->wheel, next)) != RNL_NIL) {
			assert_int_equal(w->at[i], earliest(w));
			w->at[i] = 0;
		}
		assert_true(jumps++ < limit);
	}
	assert_int_equal(earliest(w), UINT64_MAX);
	for (unsigned int l = 0; l < RNL_WHEEL_LEVELS; l++)
		assert_int_equal(w->wheel.bitmap[l], 0);
}

static void wheel__random_histories(void **state)
{
	static struct world w;
	unsigned long fired = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		print_message("seed %lu\r", (unsigned long)seed);
		memset(&w, 0, sizeof(w));
		rnl_prng_seed(&w.rng, seed);
		uint64_t start = seed % 3 == 0 ? 0 : rnl_prng_next(&w.rng) >> (seed % 50 + 4);
		struct rnl_prng rng = w.rng;

		world_init(&w, start);
		w.rng = rng;
		for (unsigned int n = 0; n < 3000; n++) {
			uint32_t armed = 0;

			random_step(&w);
			for (uint32_t i = 1; n % 64 == 0 && i < OBJECTS; i++)
				armed += w.at[i] != 0;
			if (n % 64 == 0)
				assert_int_equal(armed, w.wheel.armed);
		}
		drain(&w);
		fired += w.fired;
	}
	assert_true(fired > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wheel__fires_at_its_microsecond),
	    cmocka_unit_test(wheel__past_fires_next_time),
	    cmocka_unit_test(wheel__arm_moves),
	    cmocka_unit_test(wheel__stop),
	    cmocka_unit_test(wheel__due_objects_may_be_touched),
	    cmocka_unit_test(wheel__next_reaches_every_deadline),
	    cmocka_unit_test(wheel__very_late),
	    cmocka_unit_test(wheel__random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
