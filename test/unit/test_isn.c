/* SPDX-License-Identifier: BSD-3-Clause */
/* Initial sequence numbers, timestamp and port offsets: what they depend on and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "algo/isn.h"
#include "base/prng.h"
#include "base/siphash.h"

static const uint8_t secret_a[16] = {1, 2, 3}, secret_b[16] = {1, 2, 4};

static struct rnl_tuple tuple(void)
{
	struct rnl_tuple t = {.lport = 80, .rport = 40000};

	for (int i = 0; i < 16; i++) {
		t.laddr.b[i] = (uint8_t)i;
		t.raddr.b[i] = (uint8_t)(0x80 + i);
	}
	return t;
}

/* RFC 9293 3.4.1 (MUST-8), RFC 6528 3. */
static void isn__clock_ticks_every_4_us(void **state)
{
	struct rnl_tuple t = tuple();
	uint32_t start = rnl_isn(&t, secret_a, 1000);

	assert_int_equal(rnl_isn(&t, secret_a, 1003) - start, 0);
	assert_int_equal(rnl_isn(&t, secret_a, 1004) - start, 1);
	assert_int_equal(rnl_isn(&t, secret_a, 1000 + 4 * UINT64_C(250000)) - start, 250000);
	/* The clock wraps with the sequence space, after 4.77 hours. */
	assert_int_equal(rnl_isn(&t, secret_a, 1000 + (UINT64_C(4) << 32)) - start, 0);
}

/* RFC 9293 3.4.1 (MUST-9), RFC 6528 3. */
static void isn__is_clock_plus_siphash24(void **state)
{
	struct rnl_tuple t = tuple();
	uint32_t f = (uint32_t)rnl_siphash24(secret_a, &t, sizeof(t));

	assert_int_equal(rnl_isn(&t, secret_a, 0), f);
	assert_int_equal(rnl_isn(&t, secret_a, 400), f + 100);
}

typedef uint32_t (*keyed_fn)(const struct rnl_tuple *key, const uint8_t secret[16]);

static uint32_t isn_at_0(const struct rnl_tuple *key, const uint8_t secret[16])
{
	return rnl_isn(key, secret, 0);
}

/* Each octet of the key and the secret changes the value; the local port only where it belongs. */
static void check_dependence(keyed_fn fn, int with_lport)
{
	struct rnl_tuple t = tuple(), u;
	uint32_t was = fn(&t, secret_a);

	assert_int_equal(fn(&t, secret_a), was);
	assert_int_not_equal(fn(&t, secret_b), was);
	for (int i = 0; i < 16; i++) {
		u = t;
		u.laddr.b[i] ^= 1;
		assert_int_not_equal(fn(&u, secret_a), was);
		u = t;
		u.raddr.b[i] ^= 1;
		assert_int_not_equal(fn(&u, secret_a), was);
	}
	u = t;
	u.rport ^= 0x100;
	assert_int_not_equal(fn(&u, secret_a), was);
	u = t;
	u.lport ^= 0x100;
	if (with_lport)
		assert_int_not_equal(fn(&u, secret_a), was);
	else
		assert_int_equal(fn(&u, secret_a), was);
}

/* RFC 9293 3.4.1 (SHLD-1), RFC 6528 3. */
static void isn__depends_on_whole_tuple(void **state)
{
	check_dependence(isn_at_0, 1);
}

/* RFC 7323 5.4. */
static void isn__ts_offset_depends_on_whole_tuple(void **state)
{
	check_dependence(rnl_isn_ts_offset, 1);
}

/* RFC 6056 3.3.3. */
static void isn__port_offset_ignores_local_port(void **state)
{
	check_dependence(rnl_isn_port_offset, 0);
}

/* RFC 6056 3.3.3. */
static void isn__port_index_ignores_local_port(void **state)
{
	check_dependence(rnl_isn_port_index, 0);
}

/* Consecutive destinations fill a table of counters evenly: 4096 of them into 16 slots.
 * RFC 6056 3.3.3. */
static void isn__port_index_spreads(void **state)
{
	struct rnl_tuple t = tuple();
	int slots[16] = {0};

	for (uint16_t port = 1; port <= 4096; port++) {
		t.rport = port;
		slots[rnl_isn_port_index(&t, secret_a) & 15]++;
	}
	for (int i = 0; i < 16; i++)
		assert_in_range(slots[i], 256 - 96, 256 + 96);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(isn__clock_ticks_every_4_us),
	    cmocka_unit_test(isn__is_clock_plus_siphash24),
	    cmocka_unit_test(isn__depends_on_whole_tuple),
	    cmocka_unit_test(isn__ts_offset_depends_on_whole_tuple),
	    cmocka_unit_test(isn__port_offset_ignores_local_port),
	    cmocka_unit_test(isn__port_index_ignores_local_port),
	    cmocka_unit_test(isn__port_index_spreads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
