/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC: each rule of RFC 9438 that a module decides, and its course over time beside the RFC's
 * equations in double precision. RFC 9438 4.2, 4.3, 4.4, 4.5, 4.6, 4.7, 4.8, 4.9.2, 4.10, 5.8;
 * RFC 8511 3.1; RFC 5681 3.1, 4.1.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "algo/cc.h"

#define MSS 1000
#define IW (10 * MSS)
#define S UINT64_C(1000000)

static const struct rnl_cc_ops *const cubic = &rnl_cc_cubic;
static uint64_t now = 7 * S;

static struct rnl_cc fresh(uint32_t mss)
{
	struct rnl_cc cc;

	memset(&cc, 0xee, sizeof(cc));
	cubic->init(&cc, mss, 10 * mss, now);
	return cc;
}

static struct rnl_ack_sample sample(const struct rnl_cc *cc, uint32_t acked, uint32_t rtt_us)
{
	return (struct rnl_ack_sample){.now_us = now,
	                               .acked_bytes = acked,
	                               .inflight_bytes = cc->cwnd_bytes,
	                               .srtt_us = rtt_us,
	                               .cwnd_limited = true};
}

static void ack(struct rnl_cc *cc, uint32_t acked, uint32_t rtt_us)
{
	struct rnl_ack_sample s = sample(cc, acked, rtt_us);

	cubic->on_ack(cc, &s);
}

static void congestion(struct rnl_cc *cc, enum rnl_cc_cause why, uint32_t flight)
{
	struct rnl_ack_sample s = {.now_us = now, .inflight_bytes = flight};

	cubic->on_congestion(cc, why, &s);
}

/* A connection with a window of `cwnd`, at a loss there. */
static struct rnl_cc after_loss(uint32_t mss, uint32_t cwnd)
{
	struct rnl_cc cc = fresh(mss);

	cc.cwnd_bytes = cwnd;
	congestion(&cc, RNL_CC_LOSS, cwnd);
	return cc;
}

/* ---- the reference: RFC 9438 4.2 to 4.5, windows in segments, times in seconds ---- */

struct ref {
	double cwnd, w_max, k, epoch, w_est, prior;
};

#define REF_C 0.4
#define REF_ALPHA (3 * (1 - 0.7) / (1 + 0.7))

static double ref_cubic(const struct ref *r, double t)
{
	return REF_C * pow(t - r->k, 3) + r->w_max;
}

static void ref_epoch(struct ref *r, double t)
{
	r->epoch = t;
	r->w_est = r->cwnd;
	r->k = cbrt((r->w_max - r->cwnd) / REF_C);
}

static void ref_ack(struct ref *r, double t, double rtt, double segments)
{
	double target;

	t -= r->epoch;
	r->w_est += (r->w_est >= r->prior ? 1 : REF_ALPHA) * segments / r->cwnd;
	if (ref_cubic(r, t) < r->w_est) {
		r->cwnd = fmax(r->cwnd, r->w_est);
		return;
	}
	target = fmax(r->cwnd, fmin(1.5 * r->cwnd, ref_cubic(r, t + rtt)));
	r->cwnd += (target - r->cwnd) / r->cwnd * segments;
}

/* @return the largest relative difference between module and reference from a loss on. */
static double course(uint32_t mss, double segments, uint32_t rtt_us, double seconds)
{
	uint32_t cwnd = (uint32_t)(segments * mss);
	struct rnl_cc cc = after_loss(mss, cwnd);
	struct ref r = {.w_max = segments, .prior = segments, .cwnd = cc.cwnd_bytes * 1.0 / mss};
	uint64_t begin = now;
	double worst = 0;

	ref_epoch(&r, now * 1e-6);
	while ((now - begin) * 1e-6 < seconds) {
		uint32_t acks = cc.cwnd_bytes / mss > 64 ? 64 : cc.cwnd_bytes / mss;
		uint32_t each = cc.cwnd_bytes / acks;

		for (uint32_t i = 0; i < acks; i++) {
			ack(&cc, each, rtt_us);
			ref_ack(&r, now * 1e-6, rtt_us * 1e-6, each * 1.0 / mss);
			now += rtt_us / acks + (i + 1 == acks ? rtt_us % acks : 0);
		}
		r.cwnd = fmin(r.cwnd, 1073741824.0 / mss);
		worst = fmax(worst, fabs(cc.cwnd_bytes * 1.0 / mss / r.cwnd - 1));
	}
	return worst;
}

static void cc_cubic__follows_the_equations(void **state)
{
	static const struct {
		uint32_t mss;
		double segments;
		uint32_t rtt_us;
		double seconds, within;
	} courses[] = {
	    {1460, 500, 20000, 20, 0.01},
	    {1460, 5000, 100000, 40, 0.01},
	    {1460, 50000, 200000, 80, 0.01},
	    {536, 1000, 50000, 30, 0.01},
	    {8948, 2000, 80000, 40, 0.01},
	    {1460, 700000, 300000, 160, 0.01},
	    {64, 10000000, 300000, 260, 0.01},
	    {1460, 200, 1000, 10, 0.01},
	    /* Reno-friendly: W_est moves by whole segments. */
	    {1460, 300, 5000, 10, 0.02},
	    {1460, 120, 2000, 5, 0.02},
	};

	for (size_t i = 0; i < sizeof(courses) / sizeof(courses[0]); i++) {
		double worst = course(courses[i].mss, courses[i].segments, courses[i].rtt_us,
		                      courses[i].seconds);

		if (worst > courses[i].within)
			fail_msg("course %zu: %.4f apart", i, worst);
	}
}

/* RFC 9438 4.2: back at W_max after K, and on the curve in between and beyond. */
static void cc_cubic__is_on_the_curve(void **state)
{
	const uint32_t rtt_us = 10000, w_max = 4000 * 1460;
	struct rnl_cc cc = after_loss(1460, w_max);
	double k = cbrt(0.3 * 4000 / REF_C), t, w;
	uint64_t begin = now;

	while (now - begin < 25 * S) {
		for (int i = 0; i < 50; i++, now += rtt_us / 50)
			ack(&cc, cc.cwnd_bytes / 50, rtt_us);
		t = (now - begin) * 1e-6;
		w = (REF_C * pow(t - k, 3) + 4000) * 1460;
		assert_true(fabs(cc.cwnd_bytes / w - 1) < 0.01);
	}
	assert_true(cc.cwnd_bytes > w_max); /* convex by now (RFC 9438 4.5) */
}

/* RFC 9438 4.3: with a short round trip it is Reno, at alpha below cwnd_prior, at 1 above. */
static void cc_cubic__is_friendly_to_reno(void **state)
{
	struct rnl_cc cc = after_loss(MSS, 100 * MSS);
	double per_trip;
	uint32_t before;
	int trips = 0;

	for (uint32_t phase = 0; phase < 2; phase++) {
		before = cc.cwnd_bytes;
		for (trips = 0; trips < 40; trips++)
			for (uint32_t i = 0, each = cc.cwnd_bytes / 20; i < 20; i++, now++)
				ack(&cc, each, 100);
		per_trip = (cc.cwnd_bytes - before) / 40.0 / MSS;
		if (phase == 0)
			assert_true(per_trip > 0.5 && per_trip < 0.56);
		else
			assert_true(per_trip > 0.93 && per_trip < 1.05);
		while (cc.cwnd_bytes < 101 * MSS)
			ack(&cc, MSS, 100);
	}
}

/* RFC 9438 4.2: never more than half again in a round trip. */
static void cc_cubic__grows_by_half_at_most(void **state)
{
	struct rnl_cc cc = after_loss(MSS, 20 * MSS);
	uint32_t before;

	ack(&cc, MSS, 1000);
	for (int far = 0; far < 5; far++) {
		now += 100 * S; /* far out on the curve */
		before = cc.cwnd_bytes;
		for (uint32_t left = before; left >= MSS; left -= MSS)
			ack(&cc, MSS, 1000);
		assert_in_range(cc.cwnd_bytes, before + before / 3, before + before / 2);
	}
}

static void cc_cubic__loss_takes_three_tenths(void **state)
{
	struct rnl_cc cc = fresh(MSS);

	cc.cwnd_bytes = 20 * MSS;
	congestion(&cc, RNL_CC_LOSS, 10 * MSS); /* of what is in flight */
	assert_in_range(cc.cwnd_bytes, 7 * MSS - 10, 7 * MSS + 10);
	assert_int_equal(cc.ssthresh_bytes, cc.cwnd_bytes);
	congestion(&cc, RNL_CC_LOSS, MSS);
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
	assert_int_equal(cc.ssthresh_bytes, 2 * MSS);
}

/* RFC 8511 3.1: 0.85; not in slow start (RFC 8511 4). RFC 9438 4.6: down to 1 SMSS. */
static void cc_cubic__mark_takes_less(void **state)
{
	struct rnl_cc cc = fresh(MSS);

	cc.cwnd_bytes = 100 * MSS;
	congestion(&cc, RNL_CC_ECN, 100 * MSS);
	assert_in_range(cc.cwnd_bytes, 70 * MSS - 100, 70 * MSS + 100);
	cc.cwnd_bytes = 100 * MSS;
	congestion(&cc, RNL_CC_ECN, 100 * MSS);
	assert_in_range(cc.cwnd_bytes, 85 * MSS - 100, 85 * MSS + 100);
	for (int i = 0; i < 40; i++)
		congestion(&cc, RNL_CC_ECN, cc.cwnd_bytes);
	assert_int_equal(cc.cwnd_bytes, MSS);
	assert_int_equal(cc.ssthresh_bytes, 2 * MSS);
	congestion(&cc, RNL_CC_ECN, 100 * MSS); /* lowers, never raises */
	assert_int_equal(cc.cwnd_bytes, MSS);
}

/* Seconds until cwnd is back at `bytes`. */
static double back_at(struct rnl_cc *cc, uint32_t bytes)
{
	uint64_t begin = now;

	while (cc->cwnd_bytes < bytes && now - begin < 100 * S) {
		ack(cc, cc->cwnd_bytes / 10, 100000);
		now += 10000;
	}
	return (now - begin) * 1e-6;
}

/* RFC 9438 4.7: a loss below W_max makes the plateau 0.85 of where it was. */
static void cc_cubic__fast_convergence(void **state)
{
	struct rnl_cc cc = after_loss(MSS, 10000 * MSS);
	double t;

	cc.cwnd_bytes = 8000 * MSS;
	congestion(&cc, RNL_CC_LOSS, 8000 * MSS);
	/* W_max is 6800 segments, cwnd 5600. */
	t = back_at(&cc, 6790 * MSS);
	assert_true(fabs(t - (cbrt(1200 / REF_C) - cbrt(10 / REF_C))) < 0.3);
	cc = after_loss(MSS, 8000 * MSS); /* without: W_max is 8000 */
	t = back_at(&cc, 6790 * MSS);
	assert_true(fabs(t - (cbrt(2400 / REF_C) - cbrt(1210 / REF_C))) < 0.3);
}

/* RFC 9438 5.8, 4.2: neither cwnd nor t grows while the application limits. */
static void cc_cubic__time_stands_still_without_use(void **state)
{
	struct rnl_cc cc = after_loss(MSS, 1000 * MSS), other = cc;
	struct rnl_ack_sample s;
	uint64_t begin = now;
	uint32_t before;

	for (int i = 0; i < 100; i++, now += 10000)
		ack(&cc, cc.cwnd_bytes / 10, 100000);
	before = cc.cwnd_bytes;
	for (int i = 0; i < 1000; i++, now += 10000) {
		s = sample(&cc, cc.cwnd_bytes / 10, 100000);
		s.cwnd_limited = false;
		cubic->on_ack(&cc, &s);
		assert_int_equal(cc.cwnd_bytes, before);
	}
	for (int i = 0; i < 100; i++, now += 10000)
		ack(&cc, cc.cwnd_bytes / 10, 100000);
	for (now = begin; now < begin + 2 * S; now += 10000)
		ack(&other, other.cwnd_bytes / 10, 100000);
	assert_true(fabs(cc.cwnd_bytes * 1.0 / other.cwnd_bytes - 1) < 0.01);
	assert_true(cc.cwnd_bytes > before);
}

/* RFC 9438 4.8: ssthresh by beta, W_max anew, K 0; ssthresh is held (RFC 5681 3.1). */
static void cc_cubic__timeout(void **state)
{
	struct rnl_cc cc = after_loss(MSS, 1000 * MSS);
	uint32_t w;
	double t;

	cc.cwnd_bytes = 800 * MSS;
	congestion(&cc, RNL_CC_RTO, 100 * MSS);
	assert_int_equal(cc.cwnd_bytes, MSS);
	assert_in_range(cc.ssthresh_bytes, 69900, 70100);
	congestion(&cc, RNL_CC_RTO, MSS);
	assert_in_range(cc.ssthresh_bytes, 69900, 70100);
	ack(&cc, 5 * MSS, 100000); /* L = 1 (RFC 3465 2.3) */
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
	while (cc.cwnd_bytes < cc.ssthresh_bytes)
		ack(&cc, MSS, 1000000);
	w = cc.ssthresh_bytes;
	ack(&cc, 1, 1000000);
	for (uint64_t begin = now; now < begin + 8 * S; now += 20000)
		ack(&cc, cc.cwnd_bytes / 50, 1000000);
	t = 8 + 1; /* the target is that of the next round trip */
	assert_true(cc.cwnd_bytes > w + REF_C * pow(t - 1, 3) * MSS * 0.97);
	assert_true(cc.cwnd_bytes < w + REF_C * pow(t, 3) * MSS);
}

/* RFC 9438 4.9.2 */
static void cc_cubic__undo_restores_all(void **state)
{
	struct rnl_cc cc = after_loss(MSS, 1000 * MSS), other;

	for (int i = 0; i < 100; i++, now += 10000)
		ack(&cc, cc.cwnd_bytes / 10, 100000);
	other = cc;
	congestion(&cc, RNL_CC_LOSS, cc.cwnd_bytes);
	ack(&cc, MSS, 100000);
	cubic->on_undo(&cc);
	assert_int_equal(cc.cwnd_bytes, other.cwnd_bytes);
	assert_int_equal(cc.ssthresh_bytes, other.ssthresh_bytes);
	for (int i = 0; i < 1000; i++, now += 10000) {
		ack(&cc, cc.cwnd_bytes / 10, 100000);
		ack(&other, other.cwnd_bytes / 10, 100000);
		assert_true(fabs(cc.cwnd_bytes * 1.0 / other.cwnd_bytes - 1) < 0.001);
	}
	cc = fresh(MSS);
	cubic->on_undo(&cc); /* nothing to undo */
	assert_int_equal(cc.cwnd_bytes, IW);
	congestion(&cc, RNL_CC_RTO, IW);
	congestion(&cc, RNL_CC_RTO, MSS);
	cubic->on_undo(&cc);
	assert_int_equal(cc.cwnd_bytes, IW);
	assert_int_equal(cc.ssthresh_bytes, UINT32_MAX);
	ack(&cc, 8 * MSS, 1000); /* in the initial slow start again */
	assert_int_equal(cc.cwnd_bytes, IW + 8 * MSS);
	congestion(&cc, RNL_CC_LOSS, IW);
	cc.cwnd_bytes = 30 * MSS;
	cubic->on_undo(&cc); /* it is past that by now */
	assert_int_equal(cc.cwnd_bytes, 30 * MSS);
	cc.cwnd_bytes = 3 * MSS;
	cubic->on_undo(&cc); /* once */
	assert_int_equal(cc.cwnd_bytes, 3 * MSS);
}

/* RFC 9438 4.10: slow start that HyStart++ ended: K is 0, W_max is cwnd. */
static void cc_cubic__slow_start_without_loss(void **state)
{
	struct rnl_cc cc = fresh(MSS);
	uint32_t w = 2000 * MSS;
	double t = 10;

	ack(&cc, 20 * MSS, 1000);
	assert_int_equal(cc.cwnd_bytes, IW + 8 * MSS); /* RFC 9406 4.3: L = 8 */
	cc.cwnd_bytes = cc.ssthresh_bytes = w;
	for (uint64_t begin = now; now < begin + 10 * S; now += 1000)
		ack(&cc, cc.cwnd_bytes / 100, 100000);
	assert_true(fabs(cc.cwnd_bytes / (w + REF_C * t * t * t * MSS) - 1) < 0.01);
}

static void cc_cubic__recovery_does_not_grow(void **state)
{
	struct rnl_cc cc = after_loss(MSS, 20 * MSS);
	struct rnl_ack_sample s = sample(&cc, 10 * MSS, 1000);
	uint32_t before = cc.cwnd_bytes;

	s.in_recovery = true;
	cubic->on_ack(&cc, &s);
	assert_int_equal(cc.cwnd_bytes, before);
	s = (struct rnl_ack_sample){.inflight_bytes = 20 * MSS, .acked_bytes = 12 * MSS};
	cubic->on_recovered(&cc, &s); /* RFC 6582 3.2 */
	assert_int_equal(cc.cwnd_bytes, 9 * MSS);
	s.acked_bytes = 0;
	cubic->on_recovered(&cc, &s);
	assert_int_equal(cc.cwnd_bytes, cc.ssthresh_bytes);
}

/* RFC 5681 4.1; RFC 9438 4.2: the time of the pause is none of t. */
static void cc_cubic__restart_after_idle(void **state)
{
	struct rnl_cc cc = after_loss(MSS, 100 * MSS);
	uint32_t before;

	ack(&cc, MSS, 100000);
	before = cc.cwnd_bytes;
	cubic->on_restart(&cc, IW, 200000, 200000);
	assert_int_equal(cc.cwnd_bytes, before);
	now += 1000 * S;
	cubic->on_restart(&cc, IW, 1000 * S, 200000);
	assert_int_equal(cc.cwnd_bytes, IW);
	while (cc.cwnd_bytes < cc.ssthresh_bytes)
		ack(&cc, MSS, 100000);
	for (int i = 0; i < 10; i++)
		ack(&cc, cc.cwnd_bytes / 10, 100000);
	assert_in_range(cc.cwnd_bytes, cc.ssthresh_bytes, cc.ssthresh_bytes + 10 * MSS);
	cc.cwnd_bytes = 2 * MSS;
	cubic->on_restart(&cc, IW, UINT64_MAX, 200000);
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
}

/* W_max matters with a long round trip, cwnd_prior with a short one. */
static void folds_and_unfolds(uint32_t cwnd, uint32_t rtt_us)
{
	struct rnl_cc cc = after_loss(MSS, cwnd), back;
	struct rnl_cc_folded folded;

	memset(&back, 0xee, sizeof(back));
	back.mss = MSS;
	cubic->fold(&cc, &folded);
	cubic->unfold(&back, &folded, now);
	assert_int_equal(back.cwnd_bytes, cc.cwnd_bytes);
	assert_int_equal(back.ssthresh_bytes, cc.ssthresh_bytes);
	assert_int_equal(back.mss, MSS);
	for (int i = 0; i < 2000; i++, now += rtt_us / 10) {
		ack(&cc, cc.cwnd_bytes / 10, rtt_us);
		ack(&back, back.cwnd_bytes / 10, rtt_us);
		assert_int_equal(back.cwnd_bytes, cc.cwnd_bytes);
	}
}

static void cc_cubic__folds_and_unfolds(void **state)
{
	folds_and_unfolds(1000 * MSS, 100000);
	folds_and_unfolds(100 * MSS, 1000);
}

/* 1 GiB is the most that there can be (RFC 7323 2.3). */
static void cc_cubic__window_is_bounded(void **state)
{
	static const uint32_t mss[] = {64, 1460, 65535};
	uint32_t before;

	for (unsigned int m = 0; m < 3; m++) {
		struct rnl_cc cc = after_loss(mss[m], 1u << 30);

		for (int i = 0; i < 200000; i++) {
			before = cc.cwnd_bytes;
			ack(&cc, i % 3 ? UINT32_MAX : mss[m], i % 2 ? UINT32_MAX : 1);
			assert_true(cc.cwnd_bytes >= before);
			assert_true(cc.cwnd_bytes <= 1u << 30);
			now += i % 1000 ? 1000 : 10000 * S;
		}
		assert_int_equal(cc.cwnd_bytes, 1u << 30);
		cc = fresh(mss[m]);
		for (int i = 0; i < 100000; i++)
			ack(&cc, UINT32_MAX, 1000);
		assert_true(cc.cwnd_bytes <= (1u << 30) + 2 * mss[m]);
	}
}

static void cc_cubic__is_in_the_list(void **state)
{
	assert_ptr_equal(rnl_cc_find("cubic"), cubic);
	assert_ptr_equal(rnl_cc_nth(0), cubic);
	assert_null(rnl_cc_find(NULL));
	assert_int_equal(cubic->size, sizeof(struct rnl_cc_ops));
	assert_in_range(cubic->priv_size, 1, sizeof(((struct rnl_cc *)0)->priv));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cc_cubic__follows_the_equations),
	    cmocka_unit_test(cc_cubic__is_on_the_curve),
	    cmocka_unit_test(cc_cubic__is_friendly_to_reno),
	    cmocka_unit_test(cc_cubic__grows_by_half_at_most),
	    cmocka_unit_test(cc_cubic__loss_takes_three_tenths),
	    cmocka_unit_test(cc_cubic__mark_takes_less),
	    cmocka_unit_test(cc_cubic__fast_convergence),
	    cmocka_unit_test(cc_cubic__time_stands_still_without_use),
	    cmocka_unit_test(cc_cubic__timeout),
	    cmocka_unit_test(cc_cubic__undo_restores_all),
	    cmocka_unit_test(cc_cubic__slow_start_without_loss),
	    cmocka_unit_test(cc_cubic__recovery_does_not_grow),
	    cmocka_unit_test(cc_cubic__restart_after_idle),
	    cmocka_unit_test(cc_cubic__folds_and_unfolds),
	    cmocka_unit_test(cc_cubic__window_is_bounded),
	    cmocka_unit_test(cc_cubic__is_in_the_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
