/* SPDX-License-Identifier: BSD-3-Clause */
/* stack/mem: zeroed, aligned, lazy, and harmless when asked for the impossible. */
#include "env.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "stack/mem.h"

#define MIB ((size_t)1 << 20)

static size_t resident_pages(void *mem, size_t bytes)
{
	static unsigned char vec[65536];
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (bytes + page - 1) / page;
	size_t n = 0;

	assert_true(pages <= sizeof(vec));
	assert_int_equal(mincore(mem, bytes, vec), 0);
	for (size_t i = 0; i < pages; i++)
		n += vec[i] & 1;
	return n;
}

static void mem__is_zeroed_and_aligned(void **state)
{
	static const size_t sizes[] = {1, 63, 4096, 4097, MIB, 2 * MIB, 2 * MIB + 1, 5 * MIB};

	for (unsigned int i = 0; i < RTE_DIM(sizes); i++) {
		uint8_t *p = rnl_mem_reserve(sizes[i], -1);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % (sizes[i] >= 2 * MIB ? 2 * MIB : 4096), 0);
		assert_int_equal(p[0] | p[sizes[i] / 2] | p[sizes[i] - 1], 0);
		p[0] = p[sizes[i] - 1] = 1;
		rnl_mem_release(p, sizes[i]);
	}
}

static void mem__is_not_touched_before_use(void **state)
{
	const size_t bytes = 64 * MIB;
	uint8_t *p = rnl_mem_reserve(bytes, 0);

	assert_non_null(p);
	assert_int_equal(resident_pages(p, bytes), 0);
	p[32 * MIB] = 1;
	/* One page, or one huge page. */
	assert_in_range(resident_pages(p, bytes), 1, 512);
	rnl_mem_release(p, bytes);
}

static void mem__gives_everything_back(void **state)
{
	const size_t bytes = 3 * MIB;
	uint8_t *p = rnl_mem_reserve(bytes, -1);
	unsigned char vec;

	rnl_mem_release(p, bytes);
	for (size_t off = 0; off < 4 * MIB; off += MIB) {
		assert_int_equal(mincore(p + off, 1, &vec), -1);
		assert_int_equal(errno, ENOMEM);
	}
	rnl_mem_release(NULL, 100);
}

static void mem__survives_impossible_requests(void **state)
{
	void *p = rnl_mem_reserve(100, 4000); /* no such node */

	assert_non_null(p);
	rnl_mem_release(p, 100);
	p = rnl_mem_reserve(100, 1023);
	assert_non_null(p);
	rnl_mem_release(p, 100);
	assert_null(rnl_mem_reserve(0, -1));
	assert_null(rnl_mem_reserve(SIZE_MAX, -1));
	assert_null(rnl_mem_reserve(SIZE_MAX - 8 * MIB, -1));
	assert_null(rnl_mem_reserve((size_t)1 << 60, -1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mem__is_zeroed_and_aligned),
	    cmocka_unit_test(mem__is_not_touched_before_use),
	    cmocka_unit_test(mem__gives_everything_back),
	    cmocka_unit_test(mem__survives_impossible_requests),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
