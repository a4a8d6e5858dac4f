/* SPDX-License-Identifier: BSD-3-Clause */
/* algo/hostcache: what is remembered of remote hosts, bounded (RFC 8201 5.2, RFC 7413 4.1.3). */
#include "env.h"

#include <stdlib.h>

#include "algo/hostcache.h"

static const uint8_t key[16] = {1, 2, 3};
static struct rnl_counters counters;
static struct rnl_hostcache h;
static void *mem;

static void make(uint32_t max)
{
	size_t bytes = (rnl_hostcache_bytes(max) + 63) & ~(size_t)63;

	mem = aligned_alloc(64, bytes);
	assert_non_null(mem);
	memset(mem, 0, bytes);
	memset(&counters, 0, sizeof(counters));
	rnl_hostcache_init(&h, mem, max, key, &counters);
}

static int drop(void **state)
{
	free(mem);
	return 0;
}

static struct rnl_addr host(unsigned int i)
{
	struct rnl_addr a = rnl_addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);

	if (i & 1) { /* odd ones are IPv6 */
		memset(a.b, 0x20, 12);
		a.b[0] = 0x20;
	}
	return a;
}

static void hosts__unknown_until_made(void **state)
{
	const struct rnl_addr a = host(2), b = host(3);
	struct rnl_host *e;

	make(8);
	assert_null(rnl_hostcache_find(&h, &a));
	assert_int_equal(rnl_hostcache_pmtu(&h, &a, 5), 0);
	e = rnl_hostcache_get(&h, &a);
	assert_memory_equal(&e->addr, &a, sizeof(a));
	assert_int_equal(e->pmtu | e->tfo_cookie_len, 0);
	assert_ptr_equal(rnl_hostcache_find(&h, &a), e);
	assert_ptr_equal(rnl_hostcache_get(&h, &a), e);
	assert_null(rnl_hostcache_find(&h, &b));
	assert_int_equal(rnl_hostcache_count(&h), 1);
}

/* RFC 8201 5.3: an MTU that was learnt long ago does not count any more. */
static void hosts__pmtu_expires(void **state)
{
	const struct rnl_addr a = host(7);
	struct rnl_host *e;

	make(2);
	e = rnl_hostcache_get(&h, &a);
	e->pmtu = 1400;
	e->pmtu_until_us = 1000;
	assert_int_equal(rnl_hostcache_pmtu(&h, &a, 999), 1400);
	assert_int_equal(rnl_hostcache_pmtu(&h, &a, 1000), 0);
}

static void hosts__oldest_use_gives_way(void **state)
{
	struct rnl_addr a;
	unsigned int i;

	make(4);
	for (i = 0; i < 4; i++) {
		a = host(i);
		rnl_hostcache_get(&h, &a)->pmtu = (uint16_t)(1000 + i);
	}
	a = host(0);
	assert_non_null(rnl_hostcache_find(&h, &a)); /* 1 is the oldest now */
	a = host(4);
	assert_int_equal(rnl_hostcache_get(&h, &a)->pmtu, 0); /* nothing of 1 is left */
	assert_int_equal(counters.v[RNL_C_hosts_evicted], 1);
	assert_int_equal(rnl_hostcache_count(&h), 4);
	a = host(1);
	assert_null(rnl_hostcache_find(&h, &a));
	for (i = 0; i < 4; i++) {
		a = host(i == 1 ? 0 : i);
		assert_int_equal(rnl_hostcache_find(&h, &a)->pmtu, 1000 + (i == 1 ? 0 : i));
	}
}

/* Against a list that is searched from its end: any order of uses, one host and many. */
static void hosts__agree_with_a_list(void **state)
{
	unsigned int max, n, order[16], used, i, x;
	uint32_t seed = 1;

	for (max = 1; max <= 16; max *= 2) {
		make(max);
		for (used = 0, n = 0; n < 5000; n++) {
			struct rnl_addr a;
			struct rnl_host *e;

			seed = seed * 1664525 + 1013904223;
			x = seed >> 20 & 31;
			a = host(x);
			for (i = 0; i < used && order[i] != x; i++)
				;
			e = rnl_hostcache_find(&h, &a);
			assert_int_equal(e != NULL, i < used);
			if (e == NULL) {
				i = used < max ? used++ : max - 1;
				e = rnl_hostcache_get(&h, &a);
				assert_int_equal(e->tfo_mss, 0);
				e->tfo_mss = (uint16_t)(x + 1);
			}
			assert_int_equal(e->tfo_mss, x + 1);
			memmove(order + 1, order, i * sizeof(order[0]));
			order[0] = x;
		}
		assert_int_equal(rnl_hostcache_count(&h), max);
		free(mem);
		mem = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(hosts__unknown_until_made, drop),
	    cmocka_unit_test_teardown(hosts__pmtu_expires, drop),
	    cmocka_unit_test_teardown(hosts__oldest_use_gives_way, drop),
	    cmocka_unit_test_teardown(hosts__agree_with_a_list, drop),
	};

	return cmocka_run_group_tests_name("hostcache", tests, NULL, NULL);
}
