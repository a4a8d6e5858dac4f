/* SPDX-License-Identifier: BSD-3-Clause */
/* Pacer: the rate is kept, a quantum leaves at once, lateness is made up for by half of it at most
 * (draft-ietf-ccwg-bbr 5.6.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "algo/pacer.h"

#define SEC UINT64_C(1000000000)

static struct rnl_pacer paced(uint64_t rate, uint32_t quantum)
{
	struct rnl_pacer p = {0};

	rnl_pacer_set(&p, rate, quantum);
	return p;
}

static void pacer__zero_is_not_paced(void **state)
{
	struct rnl_pacer p = {0};

	assert_int_equal(rnl_pacer_room(&p), UINT32_MAX);
	rnl_pacer_sent(&p, 100000);
	assert_int_equal(rnl_pacer_room(&p), UINT32_MAX);
	assert_int_equal(p.next_ns, 0);
}

static void pacer__a_quantum_leaves_at_once(void **state)
{
	struct rnl_pacer p = paced(1000000, 3000);

	p.next_ns = 5 * SEC;
	rnl_pacer_open(&p, 5 * SEC - 1);
	assert_int_equal(rnl_pacer_room(&p), 0);
	rnl_pacer_open(&p, 5 * SEC);
	assert_int_equal(rnl_pacer_room(&p), 3000);
	rnl_pacer_sent(&p, 1000);
	assert_int_equal(rnl_pacer_room(&p), 2000);
	rnl_pacer_sent(&p, 2000);
	assert_int_equal(rnl_pacer_room(&p), 0);
	/* 3000 octets at 1 MB/s */
	assert_in_range(p.next_ns, 5 * SEC + 2999990, 5 * SEC + 3000000);
	rnl_pacer_open(&p, 5 * SEC + 2900000);
	assert_int_equal(rnl_pacer_room(&p), 0);
	rnl_pacer_open(&p, 5 * SEC + 3000000);
	assert_int_equal(rnl_pacer_room(&p), 3000);
}

static void pacer__what_was_not_used_stays_until_the_next(void **state)
{
	struct rnl_pacer p = paced(1000000, 3000);

	p.next_ns = SEC;
	rnl_pacer_open(&p, SEC);
	rnl_pacer_sent(&p, 500);
	rnl_pacer_open(&p, SEC + 100000);
	assert_int_equal(rnl_pacer_room(&p), 2500);
	rnl_pacer_open(&p, SEC + 500000);
	assert_int_equal(rnl_pacer_room(&p), 3000);
}

static void pacer__half_a_quantum_of_lateness_is_made_up_for(void **state)
{
	struct rnl_pacer p = paced(1000000, 3000);

	p.next_ns = SEC;
	rnl_pacer_open(&p, SEC + 400000); /* 0.4 ms late: all of it */
	assert_int_equal(p.next_ns, SEC);
	rnl_pacer_sent(&p, 3000);
	rnl_pacer_open(&p, 10 * SEC); /* after a pause: 1.5 ms */
	assert_in_range(p.next_ns, 10 * SEC - 1500000, 10 * SEC - 1499990);
	assert_int_equal(rnl_pacer_room(&p), 3000);
}

/* What is sent without asking is paid for later. */
static void pacer__debt_is_paid(void **state)
{
	struct rnl_pacer p = paced(1000000, 3000);

	p.next_ns = SEC;
	rnl_pacer_open(&p, SEC);
	rnl_pacer_sent(&p, 3000);
	rnl_pacer_sent(&p, 1000);
	assert_int_equal(rnl_pacer_room(&p), 0);
	rnl_pacer_open(&p, SEC + 3500000);
	assert_int_equal(rnl_pacer_room(&p), 0);
	rnl_pacer_open(&p, SEC + 4000000);
	assert_int_equal(rnl_pacer_room(&p), 3000);
}

/* Over a second, with a timer of a microsecond that is late now and then. */
static void keeps(uint64_t rate, uint32_t quantum)
{
	struct rnl_pacer p = paced(rate, quantum);
	uint64_t now = SEC, sent = 0;

	p.next_ns = now;
	while (now < 2 * SEC) {
		rnl_pacer_open(&p, now);
		assert_int_equal(rnl_pacer_room(&p), quantum);
		rnl_pacer_sent(&p, quantum);
		sent += quantum;
		now = (p.next_ns + 999) / 1000 * 1000 + (sent / quantum % 2) * 1000;
	}
	assert_in_range(sent, rate - rate / 200, rate + rate / 200 + quantum);
}

static void pacer__keeps_the_rate(void **state)
{
	keeps(100000, 3000);       /* 0.8 Mbit/s */
	keeps(12500000, 12500);    /* 100 Mbit/s */
	keeps(1250000000, 65536);  /* 10 Gbit/s */
	keeps(12500000000, 65536); /* 100 Gbit/s: 5 us apart */
}

static void pacer__extremes_do_not_overflow(void **state)
{
	struct rnl_pacer p = paced(1, 65536);

	/* Slower than the slowest: 256 octets per second. */
	assert_int_equal(rnl_pacer_cost(&p, 256), SEC);
	assert_int_equal(rnl_pacer_cost(&p, 1u << 20), 4096 * SEC);
	p = paced(UINT64_MAX, 65536);
	assert_true(rnl_pacer_cost(&p, 65536) < 1000);
	rnl_pacer_set(&p, 0, 65536);
	assert_int_equal(rnl_pacer_room(&p), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pacer__zero_is_not_paced),
	    cmocka_unit_test(pacer__a_quantum_leaves_at_once),
	    cmocka_unit_test(pacer__what_was_not_used_stays_until_the_next),
	    cmocka_unit_test(pacer__half_a_quantum_of_lateness_is_made_up_for),
	    cmocka_unit_test(pacer__debt_is_paid),
	    cmocka_unit_test(pacer__keeps_the_rate),
	    cmocka_unit_test(pacer__extremes_do_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
