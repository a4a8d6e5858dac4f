/* SPDX-License-Identifier: BSD-3-Clause */
/* base/pool. */
#include "env.h"

#include "base/pool.h"
#include "base/prng.h"

struct object {
	uint64_t value;
	uint32_t link;
	uint8_t more[12];
};

#define COUNT 50

static struct object mem[COUNT + 1];

static void fresh_pool(struct rnl_pool *p)
{
	memset(mem, 0, sizeof(mem));
	rnl_pool_init(p, mem, COUNT, sizeof(struct object), offsetof(struct object, link));
}

static void pool__hands_out_each_once_then_nil(void **state)
{
	bool seen[COUNT + 1] = {false};
	struct rnl_pool p;

	fresh_pool(&p);
	assert_int_equal(rnl_pool_bytes(COUNT, sizeof(struct object)), sizeof(mem));
	for (unsigned int n = 0; n < COUNT; n++) {
		uint32_t i = rnl_pool_get(&p);

		assert_in_range(i, 1, COUNT);
		assert_false(seen[i]);
		seen[i] = true;
		assert_int_equal(rnl_pool_avail(&p), COUNT - 1 - n);
	}
	assert_int_equal(rnl_pool_get(&p), RNL_NIL);
	assert_int_equal(rnl_pool_get(&p), RNL_NIL);
	assert_int_equal(p.used, COUNT);
}

static void pool__reuses_the_last_first(void **state)
{
	struct rnl_pool p;
	uint32_t a, b;

	fresh_pool(&p);
	a = rnl_pool_get(&p);
	b = rnl_pool_get(&p);
	rnl_pool_put(&p, a);
	rnl_pool_put(&p, b);
	assert_int_equal(rnl_pool_get(&p), b);
	assert_int_equal(rnl_pool_get(&p), a);
	assert_int_equal(p.fresh, 3); /* the third was never touched */
}

static void pool__works_again_after_exhaustion(void **state)
{
	struct rnl_pool p;

	fresh_pool(&p);
	while (rnl_pool_get(&p) != RNL_NIL)
		;
	rnl_pool_put(&p, 17);
	assert_int_equal(rnl_pool_avail(&p), 1);
	assert_int_equal(rnl_pool_get(&p), 17);
	assert_int_equal(rnl_pool_get(&p), RNL_NIL);
}

static void pool__index_and_address(void **state)
{
	struct rnl_pool p;

	fresh_pool(&p);
	for (uint32_t i = 1; i <= COUNT; i++) {
		assert_ptr_equal(rnl_pool_at(&p, i), &mem[i]);
		assert_int_equal(rnl_pool_index(&p, &mem[i]), i);
	}
}

/* No object is held twice, and what its holder wrote stays (but for the link). */
static void pool__random_history(void **state)
{
	struct rnl_prng rng;
	struct rnl_pool p;
	uint32_t held[COUNT], n = 0;

	fresh_pool(&p);
	rnl_prng_seed(&rng, 7);
	for (unsigned int step = 0; step < 20000; step++) {
		if (rnl_prng_below(&rng, 2) == 0) {
			uint32_t i = rnl_pool_get(&p);

			assert_int_equal(i == RNL_NIL, n == COUNT);
			if (i == RNL_NIL)
				continue;
			for (uint32_t k = 0; k < n; k++)
				assert_int_not_equal(held[k], i);
			mem[i].value = i * 3;
			held[n++] = i;
		} else if (n > 0) {
			uint32_t k = rnl_prng_below(&rng, n);

			assert_int_equal(mem[held[k]].value, held[k] * 3);
			rnl_pool_put(&p, held[k]);
			held[k] = held[--n];
		}
		assert_int_equal(p.used, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pool__hands_out_each_once_then_nil),
	    cmocka_unit_test(pool__reuses_the_last_first),
	    cmocka_unit_test(pool__works_again_after_exhaustion),
	    cmocka_unit_test(pool__index_and_address),
	    cmocka_unit_test(pool__random_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
