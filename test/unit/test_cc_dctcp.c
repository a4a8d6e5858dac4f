/* SPDX-License-Identifier: BSD-3-Clause */
/* DCTCP, from samples alone: RFC 8257 3.3, 3.4, 3.5, 4.2; RFC 9406 4.2 for the first mark. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "algo/cc.h"

#define MSS 1000
#define IW (10 * MSS)

static const struct rnl_cc_ops *const dctcp = &rnl_cc_dctcp;

static struct rnl_cc fresh(void)
{
	struct rnl_cc cc;

	memset(&cc, 0xee, sizeof(cc));
	dctcp->init(&cc, MSS, IW, 0);
	return cc;
}

static struct rnl_cc avoiding(uint32_t cwnd)
{
	struct rnl_cc cc = fresh();

	cc.cwnd_bytes = cwnd;
	cc.ssthresh_bytes = cwnd;
	return cc;
}

static double alpha_of(const struct rnl_cc *cc)
{
	struct rnl_cc_folded folded;

	dctcp->fold(cc, &folded);
	return folded.word[2] / 1048576.0;
}

static void ack(struct rnl_cc *cc, uint32_t flight, uint32_t ce_bytes)
{
	struct rnl_ack_sample s = {.acked_bytes = MSS,
	                           .inflight_bytes = flight,
	                           .ce_bytes = ce_bytes,
	                           .ece = ce_bytes != 0,
	                           .cwnd_limited = true};

	dctcp->on_ack(cc, &s);
}

/* A window ends with the first ACK; the next one ends after n, when n segments stay in flight. */
static void prime(struct rnl_cc *cc, unsigned int n)
{
	ack(cc, n * MSS, 0);
}

/* One window, of which the first ones are marked. */
static void window(struct rnl_cc *cc, unsigned int n, unsigned int marked)
{
	for (unsigned int i = 0; i < n; i++)
		ack(cc, n * MSS, i < marked ? MSS : 0);
}

static void cc_dctcp__alpha_begins_at_one_and_falls(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);
	double want = 1;

	assert_true(alpha_of(&cc) == 1);
	prime(&cc, 20);
	want -= want / 16;
	for (int i = 0; i < 300; i++) {
		window(&cc, 20, 0);
		want -= want / 16;
		assert_true(fabs(alpha_of(&cc) - want) < 0.0001);
	}
	assert_true(alpha_of(&cc) == 0); /* RFC 8257 4.2: able to reach 0 */
}

/* RFC 8257 3.3: alpha goes to the share that is marked. */
static void cc_dctcp__alpha_follows_the_share(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);
	double want = 1;

	prime(&cc, 20);
	want -= want / 16;
	for (int i = 0; i < 200; i++) {
		cc.cwnd_bytes = 20 * MSS;
		window(&cc, 20, 5);
		want += (0.25 - want) / 16;
		assert_true(fabs(alpha_of(&cc) - want) < 0.001);
	}
	for (int i = 0; i < 300; i++) {
		cc.cwnd_bytes = 20 * MSS;
		window(&cc, 20, 20);
	}
	assert_true(alpha_of(&cc) > 0.999 && alpha_of(&cc) <= 1);
}

/* Once for each window: cwnd * (1 - alpha / 2). */
static void cc_dctcp__answers_once_a_window(void **state)
{
	struct rnl_cc cc = avoiding(200 * MSS);
	double alpha;

	prime(&cc, 200);
	for (int i = 0; i < 30; i++)
		window(&cc, 200, 0);
	alpha = alpha_of(&cc);
	assert_true(alpha > 0.1 && alpha < 0.2);
	cc.cwnd_bytes = 200 * MSS;
	for (int i = 0; i < 199; i++) {
		ack(&cc, 200 * MSS, i < 100 ? MSS : 0);
		assert_in_range(cc.cwnd_bytes, 200 * MSS, 201 * MSS);
	}
	ack(&cc, 200 * MSS, 0);
	alpha += (0.5 - alpha) / 16;
	assert_true(fabs(alpha_of(&cc) - alpha) < 0.001);
	assert_true(fabs(cc.cwnd_bytes / (200 * MSS * (1 - alpha / 2)) - 1) < 0.01);
	assert_int_equal(cc.ssthresh_bytes, cc.cwnd_bytes);
}

/* The classic echo, when octets are not told: the whole acknowledgement counts. */
static void cc_dctcp__takes_the_classic_echo(void **state)
{
	struct rnl_ack_sample s = {
	    .acked_bytes = 2 * MSS, .inflight_bytes = 20 * MSS, .ece = true, .cwnd_limited = true};
	struct rnl_cc cc = avoiding(20 * MSS);

	for (int i = 0; i < 100; i++) {
		cc.cwnd_bytes = 20 * MSS;
		dctcp->on_ack(&cc, &s);
	}
	assert_true(alpha_of(&cc) > 0.9999);
}

/* More marks than acknowledged octets (a sender's or receiver's fault) are no more than all. */
static void cc_dctcp__alpha_is_clamped(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);

	for (int i = 0; i < 200; i++)
		ack(&cc, MSS, 4096 * MSS);
	assert_true(alpha_of(&cc) <= 1);
	assert_true(alpha_of(&cc) > 0.9999);
	assert_int_equal(cc.cwnd_bytes, MSS); /* RFC 3168 6.1.2 */
	assert_int_equal(cc.ssthresh_bytes, 2 * MSS);
}

/* RFC 9406 4.2: the first mark ends slow start, before the window's end. */
static void cc_dctcp__mark_ends_slow_start(void **state)
{
	struct rnl_cc cc = fresh();
	uint32_t before;

	ack(&cc, 10 * MSS, 0);
	ack(&cc, 10 * MSS, 0);
	assert_int_equal(cc.cwnd_bytes, IW + 2 * MSS);
	before = cc.cwnd_bytes;
	ack(&cc, 10 * MSS, MSS);
	assert_int_equal(cc.cwnd_bytes, before);
	assert_int_equal(cc.ssthresh_bytes, before);
	cc = fresh();
	dctcp->on_congestion(&cc, RNL_CC_ECN, &(struct rnl_ack_sample){.inflight_bytes = IW});
	assert_int_equal(cc.cwnd_bytes, IW); /* how much less is the window's end's to say */
	assert_int_equal(cc.ssthresh_bytes, IW);
}

/* RFC 8257 3.4: without marks it grows as newreno does. */
static void cc_dctcp__grows_as_newreno(void **state)
{
	struct rnl_cc cc = fresh(), reno;

	memset(&reno, 0, sizeof(reno));
	rnl_cc_newreno.init(&reno, MSS, IW, 0);
	for (int i = 0; i < 500; i++) {
		struct rnl_ack_sample s = {.acked_bytes = MSS,
		                           .inflight_bytes = cc.cwnd_bytes,
		                           .cwnd_limited = i % 7 != 0};

		if (i == 50)
			cc.ssthresh_bytes = reno.ssthresh_bytes = cc.cwnd_bytes;
		dctcp->on_ack(&cc, &s);
		rnl_cc_newreno.on_ack(&reno, &s);
		assert_int_equal(cc.cwnd_bytes, reno.cwnd_bytes);
	}
}

/* RFC 8257 3.5: losses as newreno, and no second answer to marks in the same window. */
static void cc_dctcp__loss_is_answered_as_newreno(void **state)
{
	struct rnl_ack_sample s = {.inflight_bytes = 20 * MSS};
	struct rnl_cc cc = avoiding(20 * MSS);

	prime(&cc, 20);
	ack(&cc, 20 * MSS, MSS);
	dctcp->on_congestion(&cc, RNL_CC_LOSS, &s);
	assert_int_equal(cc.cwnd_bytes, 10 * MSS);
	for (int i = 0; i < 20; i++)
		ack(&cc, 20 * MSS, MSS);
	assert_in_range(cc.cwnd_bytes, 10 * MSS, 12 * MSS);
	for (int i = 0; i < 20; i++)
		ack(&cc, 20 * MSS, MSS);
	assert_true(cc.cwnd_bytes < 7 * MSS);
	cc = avoiding(20 * MSS);
	dctcp->on_congestion(&cc, RNL_CC_RTO, &s);
	assert_int_equal(cc.cwnd_bytes, MSS); /* no more than the loss window */
	dctcp->on_undo(&cc);
	assert_int_equal(cc.cwnd_bytes, 20 * MSS);
}

static void cc_dctcp__alpha_outlives_idleness(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS), back;
	struct rnl_cc_folded folded;

	for (int i = 0; i < 10; i++)
		window(&cc, 20, 0);
	memset(&back, 0xee, sizeof(back));
	back.mss = MSS;
	dctcp->fold(&cc, &folded);
	dctcp->unfold(&back, &folded, 5);
	assert_int_equal(back.cwnd_bytes, cc.cwnd_bytes);
	assert_int_equal(back.ssthresh_bytes, cc.ssthresh_bytes);
	assert_true(alpha_of(&back) == alpha_of(&cc));
	dctcp->on_restart(&back, IW, 300000, 200000);
	assert_int_equal(back.cwnd_bytes, IW);
	assert_true(alpha_of(&back) == alpha_of(&cc));
}

static void cc_dctcp__asks_for_ecn(void **state)
{
	assert_ptr_equal(rnl_cc_find("dctcp"), dctcp);
	assert_true(dctcp->flags & RNL_CC_NEEDS_ECN);
	assert_int_equal(dctcp->size, sizeof(struct rnl_cc_ops));
	assert_in_range(dctcp->priv_size, 1, sizeof(((struct rnl_cc *)0)->priv));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cc_dctcp__alpha_begins_at_one_and_falls),
	    cmocka_unit_test(cc_dctcp__alpha_follows_the_share),
	    cmocka_unit_test(cc_dctcp__answers_once_a_window),
	    cmocka_unit_test(cc_dctcp__takes_the_classic_echo),
	    cmocka_unit_test(cc_dctcp__alpha_is_clamped),
	    cmocka_unit_test(cc_dctcp__mark_ends_slow_start),
	    cmocka_unit_test(cc_dctcp__grows_as_newreno),
	    cmocka_unit_test(cc_dctcp__loss_is_answered_as_newreno),
	    cmocka_unit_test(cc_dctcp__alpha_outlives_idleness),
	    cmocka_unit_test(cc_dctcp__asks_for_ecn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
