/* SPDX-License-Identifier: BSD-3-Clause */
/* Delivery-rate samples, by examples that were worked out by hand (draft-ietf-ccwg-bbr 4.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "algo/rate.h"

#define MS 1000u

/* One sender: what it sent, and what the network holds of it. */
struct flow {
	struct rnl_rate c;
	uint32_t inflight, lost, min_rtt_us;
	struct rnl_ack_sample s;
};

static struct rnl_range sent(struct flow *f, uint32_t bytes, uint64_t now_us)
{
	struct rnl_range r = {.seq = 0, .end = bytes, .sent_us = now_us};

	rnl_rate_stamp(&f->c, &r, f->inflight, f->lost);
	f->inflight += bytes;
	return r;
}

/* An acknowledgement delivers `bytes`, of which r is what was sent last. */
static void acked(struct flow *f, const struct rnl_range *r, uint32_t bytes, uint64_t now_us)
{
	struct rnl_sentq_acked a = {
	    .sent_us = r->sent_us,
	    .delivered_us = r->delivered_us,
	    .first_sent_us = r->first_sent_us,
	    .delivered = r->delivered,
	    .lost = r->lost,
	    .inflight = r->inflight,
	    .app_limited = r->flags & RNL_RANGE_APP_LIMITED,
	    .delivered_any = true,
	};

	f->s =
	    (struct rnl_ack_sample){.now_us = now_us, .lost = f->lost, .min_rtt_us = f->min_rtt_us};
	rnl_rate_sample(&f->c, &a, bytes, &f->s);
	f->inflight -= bytes;
}

#define expect_rate(f, bytes, us)                                                                  \
	do {                                                                                       \
		assert_int_equal((f)->s.rate_delivered_bytes, bytes);                              \
		assert_int_equal((f)->s.rate_interval_us, us);                                     \
	} while (0)

/* Two segments at 0, acknowledged one by one at 10 and 11 ms: 1000 in 10 ms, 2000 in 11 ms. */
static void rate__first_flight(void **state)
{
	struct flow f = {0};
	struct rnl_range a = sent(&f, 1000, 100 * MS);
	struct rnl_range b = sent(&f, 1000, 100 * MS);

	assert_int_equal(a.inflight, 1000);
	assert_int_equal(b.inflight, 2000);
	acked(&f, &a, 1000, 110 * MS);
	expect_rate(&f, 1000, 10 * MS);
	assert_int_equal(f.s.prior_delivered, 0);
	assert_int_equal(f.s.delivered, 1000);
	assert_int_equal(f.s.rate_inflight_bytes, 1000);
	acked(&f, &b, 1000, 111 * MS);
	expect_rate(&f, 2000, 11 * MS);
	assert_int_equal(f.s.rate_inflight_bytes, 2000);
	assert_false(f.s.app_limited);
}

/* The network delivers a segment each millisecond; once they are sent so, the sample says exactly
 * that. */
static void rate__steady_state_is_the_bottleneck(void **state)
{
	struct flow f = {.min_rtt_us = 10 * MS};
	struct rnl_range q[60];
	unsigned int i;

	for (i = 0; i < 20; i++)
		q[i] = sent(&f, 1000, 100 * MS);
	for (i = 0; i < 40; i++) {
		acked(&f, &q[i], 1000, (110 + i) * MS);
		q[20 + i] = sent(&f, 1000, (110 + i) * MS);
	}
	for (; i < 60; i++) {
		acked(&f, &q[i], 1000, (110 + i) * MS);
		/* 20 segments since the one that was acknowledged when it was sent: 20 ms. */
		expect_rate(&f, 20000, 20 * MS);
		assert_int_equal(f.s.prior_delivered, (i - 19) * 1000);
	}
}

/* The ACKs of ten segments, sent 1 ms apart, were held up and come within 1 ms: what counts is how
 * fast they were sent (4.1.1.2.3, 4.1.1.2.4). */
static void rate__compressed_acks_do_not_raise_it(void **state)
{
	struct flow f = {0};
	struct rnl_range q[21];
	unsigned int i;

	for (i = 0; i < 21; i++)
		q[i] = sent(&f, 1000, (100 + i) * MS);
	acked(&f, &q[0], 1000, 120 * MS);
	/* q[20] was sent at 120, when nothing was delivered yet. Ten at once: */
	acked(&f, &q[10], 10000, 121 * MS);
	expect_rate(&f, 11000, 21 * MS);
	q[0] = sent(&f, 1000, 121 * MS);
	acked(&f, &q[20], 10000, 121 * MS + 500);
	/* Sent 10 ms after q[10], but since the first send 21.5 ms went by on the way back. */
	expect_rate(&f, 21000, 21 * MS + 500);
	acked(&f, &q[0], 1000, 122 * MS);
	/* Its stamp: delivered 11000 at 121 ms, first sent 110 ms. Sent over 11 ms, acknowledged in
	 * 1 ms: 11000 octets took 11 ms, not 1. */
	expect_rate(&f, 11000, 11 * MS);
}

/* A segment sent twice is stamped anew: the sample is of its second life (4.1.3.5). */
static void rate__retransmitted(void **state)
{
	struct flow f = {0};
	struct rnl_range a = sent(&f, 1000, 100 * MS);
	struct rnl_range b = sent(&f, 1000, 100 * MS);

	acked(&f, &b, 1000, 110 * MS); /* by SACK */
	f.lost += 1000;
	f.inflight -= 1000;
	a.flags = 0;
	a.sent_us = 112 * MS;
	rnl_rate_stamp(&f.c, &a, 500, f.lost); /* something else is still out */
	assert_int_equal(a.inflight, 1500);
	f.inflight += 1000;
	acked(&f, &a, 1000, 122 * MS);
	/* Since 110 ms, when b was delivered; b was sent at 100 ms, so sending took 12 ms as well.
	 */
	expect_rate(&f, 1000, 12 * MS);
	assert_int_equal(f.s.prior_delivered, 1000);
	assert_int_equal(f.s.rate_lost_bytes, 0);
	/* One whose flight lost something says how much. */
	b = sent(&f, 1000, 122 * MS);
	f.lost += 300;
	acked(&f, &b, 1000, 133 * MS);
	assert_int_equal(f.s.rate_lost_bytes, 300);
}

/* A pause between two flights counts in neither (4.1.2.2: nothing in flight). */
static void rate__pause_does_not_count(void **state)
{
	struct flow f = {0};
	struct rnl_range a = sent(&f, 1000, 100 * MS);

	acked(&f, &a, 1000, 110 * MS);
	a = sent(&f, 1000, 5000 * MS);
	acked(&f, &a, 1000, 5010 * MS);
	expect_rate(&f, 1000, 10 * MS);
}

/* 4.1.2.4: from the moment that the application had nothing more until what was out then is
 * delivered. */
static void rate__limited_by_the_application(void **state)
{
	struct flow f = {0};
	struct rnl_range a = sent(&f, 1000, 100 * MS), b, c, d;

	rnl_rate_limited(&f.c, f.inflight);
	b = sent(&f, 1000, 102 * MS);
	assert_false(a.flags & RNL_RANGE_APP_LIMITED);
	assert_true(b.flags & RNL_RANGE_APP_LIMITED);
	acked(&f, &a, 1000, 110 * MS);
	assert_false(f.s.app_limited);
	c = sent(&f, 1000, 110 * MS); /* 1000 is not more than the 1000 that were out: still */
	assert_true(c.flags & RNL_RANGE_APP_LIMITED);
	acked(&f, &b, 1000, 112 * MS);
	assert_true(f.s.app_limited);
	d = sent(&f, 1000, 112 * MS);
	assert_false(d.flags & RNL_RANGE_APP_LIMITED);
	acked(&f, &c, 1000, 120 * MS);
	assert_true(f.s.app_limited);
	acked(&f, &d, 1000, 122 * MS);
	assert_false(f.s.app_limited);
}

/* Before anything was sent at all. */
static void rate__limited_at_zero_is_remembered(void **state)
{
	struct flow f = {0};
	struct rnl_range a;

	rnl_rate_limited(&f.c, 0);
	a = sent(&f, 1000, 100 * MS);
	assert_true(a.flags & RNL_RANGE_APP_LIMITED);
	acked(&f, &a, 1000, 110 * MS);
	assert_int_equal(f.c.limited_until, 0);
}

static void rate__none_faster_than_the_round_trip(void **state)
{
	struct flow f = {.min_rtt_us = 10 * MS};
	struct rnl_range a = sent(&f, 1000, 100 * MS);

	acked(&f, &a, 1000, 110 * MS - 1); /* acknowledged before it can have arrived */
	expect_rate(&f, 0, 0);
	assert_int_equal(f.s.delivered, 1000);
	assert_int_equal(f.s.rate_inflight_bytes, 1000);
	a = sent(&f, 1000, 200 * MS);
	acked(&f, &a, 1000, 210 * MS);
	expect_rate(&f, 1000, 10 * MS);
}

static void rate__none_without_delivery_or_time(void **state)
{
	struct flow f = {0};
	struct rnl_range a = sent(&f, 1000, 100 * MS);

	acked(&f, &a, 0, 105 * MS);
	expect_rate(&f, 0, 0);
	assert_int_equal(f.s.delivered, 0);
	acked(&f, &a, 1000, 100 * MS);
	expect_rate(&f, 0, 0);
}

/* tcpi_delivery_rate: limited samples do not hide a faster one that was not. */
static void rate__best_is_shown(void **state)
{
	struct flow f = {0};
	struct rnl_range a = sent(&f, 2000, 100 * MS);

	assert_int_equal(rnl_rate_best(&f.c), 0);
	acked(&f, &a, 2000, 110 * MS);
	assert_int_equal(rnl_rate_best(&f.c), 200000);
	rnl_rate_limited(&f.c, 0);
	a = sent(&f, 1000, 200 * MS);
	acked(&f, &a, 1000, 210 * MS);
	assert_int_equal(rnl_rate_best(&f.c), 200000);
	assert_false(f.c.best_limited);
	rnl_rate_limited(&f.c, 0);
	a = sent(&f, 3000, 300 * MS);
	acked(&f, &a, 3000, 310 * MS);
	assert_int_equal(rnl_rate_best(&f.c), 300000);
	assert_true(f.c.best_limited);
	a = sent(&f, 1000, 400 * MS);
	acked(&f, &a, 1000, 410 * MS);
	assert_int_equal(rnl_rate_best(&f.c), 100000);
	assert_false(f.c.best_limited);
}

/* The stamps are 32 bits wide, the sums are not. */
static void rate__counts_wrap(void **state)
{
	struct flow f = {.c.delivered = (UINT64_C(7) << 32) - 500, .lost = UINT32_MAX - 99};
	struct rnl_range a = sent(&f, 1000, 100 * MS);

	f.lost += 200;
	acked(&f, &a, 1000, 110 * MS);
	expect_rate(&f, 1000, 10 * MS);
	assert_true(f.s.prior_delivered == (UINT64_C(7) << 32) - 500);
	assert_true(f.s.delivered == (UINT64_C(7) << 32) + 500);
	assert_int_equal(f.s.rate_lost_bytes, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rate__first_flight),
	    cmocka_unit_test(rate__steady_state_is_the_bottleneck),
	    cmocka_unit_test(rate__compressed_acks_do_not_raise_it),
	    cmocka_unit_test(rate__retransmitted),
	    cmocka_unit_test(rate__pause_does_not_count),
	    cmocka_unit_test(rate__limited_by_the_application),
	    cmocka_unit_test(rate__limited_at_zero_is_remembered),
	    cmocka_unit_test(rate__none_faster_than_the_round_trip),
	    cmocka_unit_test(rate__none_without_delivery_or_time),
	    cmocka_unit_test(rate__best_is_shown),
	    cmocka_unit_test(rate__counts_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
