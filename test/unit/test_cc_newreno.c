/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NewReno: each rule of RFC 5681 3.1, 4.1, RFC 6582 3.2, RFC 3465 2.3 and RFC 6928 2 that a module
 * decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "algo/cc.h"

#define MSS 1000
#define IW (10 * MSS)

static const struct rnl_cc_ops *const reno = &rnl_cc_newreno;

static struct rnl_cc fresh(void)
{
	struct rnl_cc cc;

	memset(&cc, 0xee, sizeof(cc));
	reno->init(&cc, MSS, IW, 0);
	return cc;
}

/* A connection in congestion avoidance. */
static struct rnl_cc avoiding(uint32_t cwnd)
{
	struct rnl_cc cc = fresh();

	cc.cwnd_bytes = cwnd;
	cc.ssthresh_bytes = cwnd;
	return cc;
}

static void ack(struct rnl_cc *cc, uint32_t bytes)
{
	struct rnl_ack_sample s = {
	    .acked_bytes = bytes, .inflight_bytes = cc->cwnd_bytes, .cwnd_limited = true};

	reno->on_ack(cc, &s);
}

static void congestion(struct rnl_cc *cc, enum rnl_cc_cause why, uint32_t flight)
{
	struct rnl_ack_sample s = {.inflight_bytes = flight};

	reno->on_congestion(cc, why, &s);
}

static void cc_newreno__begins_with_the_initial_window(void **state)
{
	struct rnl_cc cc = fresh();

	assert_int_equal(cc.cwnd_bytes, IW);
	assert_int_equal(cc.ssthresh_bytes, UINT32_MAX);
	assert_int_equal(cc.mss, MSS);
	assert_int_equal(cc.pacing_bytes_per_s, 0);
}

static void cc_newreno__slow_start_grows_by_acked_octets(void **state)
{
	struct rnl_cc cc = fresh();

	ack(&cc, 300);
	assert_int_equal(cc.cwnd_bytes, IW + 300);
	ack(&cc, 2 * MSS);
	assert_int_equal(cc.cwnd_bytes, IW + 300 + 2 * MSS);
	ack(&cc, 9 * MSS); /* L = 8 (RFC 9406 4.3) */
	assert_int_equal(cc.cwnd_bytes, IW + 300 + 10 * MSS);
	congestion(&cc, RNL_CC_LOSS, 40 * MSS);
	cc.cwnd_bytes = 4 * MSS;
	ack(&cc, 9 * MSS); /* any later slow start: L = 2 (RFC 3465 2.3) */
	assert_int_equal(cc.cwnd_bytes, 6 * MSS);
}

static void cc_newreno__slow_start_doubles_in_a_round_trip(void **state)
{
	struct rnl_cc cc = fresh();

	for (uint32_t left = cc.cwnd_bytes; left > 0; left -= 2 * MSS)
		ack(&cc, 2 * MSS);
	assert_int_equal(cc.cwnd_bytes, 2 * IW);
}

static void cc_newreno__slow_start_ends_at_ssthresh(void **state)
{
	struct rnl_cc cc = fresh();

	cc.ssthresh_bytes = IW + 500;
	ack(&cc, MSS);
	assert_int_equal(cc.cwnd_bytes, IW + 500);
	ack(&cc, IW); /* 500 were left over */
	assert_int_equal(cc.cwnd_bytes, IW + 500 + MSS);
}

static void cc_newreno__avoidance_grows_one_mss_in_a_round_trip(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);

	for (int trip = 1; trip <= 10; trip++) {
		for (uint32_t left = cc.cwnd_bytes; left > 0; left -= MSS) {
			assert_int_equal(cc.cwnd_bytes, (20 + trip - 1) * MSS);
			ack(&cc, MSS);
		}
		assert_int_equal(cc.cwnd_bytes, (20 + trip) * MSS);
	}
}

static void cc_newreno__one_ack_gives_at_most_one_mss(void **state)
{
	struct rnl_cc cc = avoiding(4 * MSS);

	ack(&cc, 400 * MSS);
	assert_int_equal(cc.cwnd_bytes, 5 * MSS);
	ack(&cc, MSS);
	ack(&cc, MSS);
	assert_true(cc.cwnd_bytes <= 6 * MSS);
}

/* RFC 7661 4.3. */
static void cc_newreno__unused_window_does_not_grow(void **state)
{
	struct rnl_ack_sample s = {.acked_bytes = 100 * MSS, .cwnd_limited = false};
	struct rnl_cc cc = fresh();

	reno->on_ack(&cc, &s);
	assert_int_equal(cc.cwnd_bytes, IW);
	cc = avoiding(4 * MSS);
	for (int i = 0; i < 100; i++)
		reno->on_ack(&cc, &s);
	assert_int_equal(cc.cwnd_bytes, 4 * MSS);
	ack(&cc, 1); /* nor was it saved up */
	assert_int_equal(cc.cwnd_bytes, 4 * MSS);
}

static void cc_newreno__recovery_does_not_grow(void **state)
{
	struct rnl_ack_sample s = {
	    .acked_bytes = 100 * MSS, .cwnd_limited = true, .in_recovery = true};
	struct rnl_cc cc = avoiding(4 * MSS);

	reno->on_ack(&cc, &s);
	assert_int_equal(cc.cwnd_bytes, 4 * MSS);
}

static void cc_newreno__loss_halves_what_is_in_flight(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);

	congestion(&cc, RNL_CC_LOSS, 16 * MSS); /* not cwnd (RFC 5681 3.1) */
	assert_int_equal(cc.ssthresh_bytes, 8 * MSS);
	assert_int_equal(cc.cwnd_bytes, 8 * MSS);
	congestion(&cc, RNL_CC_LOSS, 3 * MSS);
	assert_int_equal(cc.ssthresh_bytes, 2 * MSS);
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
}

static void recovered(struct rnl_cc *cc, uint32_t flight, uint32_t acked)
{
	struct rnl_ack_sample s = {.inflight_bytes = flight, .acked_bytes = acked};

	reno->on_recovered(cc, &s);
}

static void cc_newreno__recovered_window_avoids_a_burst(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);

	congestion(&cc, RNL_CC_LOSS, 20 * MSS);
	recovered(&cc, 20 * MSS, 12 * MSS); /* 8 MSS are still out */
	assert_int_equal(cc.cwnd_bytes, 9 * MSS);
	recovered(&cc, 20 * MSS, 0);
	assert_int_equal(cc.cwnd_bytes, cc.ssthresh_bytes);
	recovered(&cc, 20 * MSS, 20 * MSS); /* nothing is out: max(FlightSize, SMSS) + SMSS */
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
	recovered(&cc, 2 * MSS, 20 * MSS); /* more acknowledged than was thought to be out */
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
}

static void cc_newreno__timeout_begins_again(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);

	congestion(&cc, RNL_CC_RTO, 20 * MSS);
	assert_int_equal(cc.ssthresh_bytes, 10 * MSS);
	assert_int_equal(cc.cwnd_bytes, MSS);
	ack(&cc, 5 * MSS); /* L = 1 after a timeout (RFC 3465 2.3) */
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
}

static void cc_newreno__slow_start_is_itself_again_after_ssthresh(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);

	congestion(&cc, RNL_CC_RTO, 4 * MSS);
	ack(&cc, MSS);
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
	ack(&cc, MSS);
	cc.ssthresh_bytes = 100 * MSS;
	cc.cwnd_bytes = 50 * MSS;
	ack(&cc, 2 * MSS);
	assert_int_equal(cc.cwnd_bytes, 52 * MSS);
}

static void cc_newreno__second_timeout_holds_ssthresh(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);

	congestion(&cc, RNL_CC_RTO, 20 * MSS);
	congestion(&cc, RNL_CC_RTO, MSS);
	assert_int_equal(cc.ssthresh_bytes, 10 * MSS);
	ack(&cc, MSS);
	congestion(&cc, RNL_CC_RTO, 8 * MSS); /* another segment: a new episode */
	assert_int_equal(cc.ssthresh_bytes, 4 * MSS);
}

static void cc_newreno__ecn_lowers_and_never_raises(void **state)
{
	struct rnl_cc cc = avoiding(20 * MSS);

	congestion(&cc, RNL_CC_ECN, 20 * MSS);
	assert_int_equal(cc.cwnd_bytes, 10 * MSS);
	cc.cwnd_bytes = MSS;
	congestion(&cc, RNL_CC_ECN, MSS);
	assert_int_equal(cc.cwnd_bytes, MSS);
}

static void cc_newreno__undo_restores(void **state)
{
	struct rnl_cc cc = fresh();

	reno->on_undo(&cc); /* nothing to undo */
	assert_int_equal(cc.cwnd_bytes, IW);
	congestion(&cc, RNL_CC_RTO, IW);
	congestion(&cc, RNL_CC_RTO, MSS);
	reno->on_undo(&cc);
	assert_int_equal(cc.cwnd_bytes, IW);
	assert_int_equal(cc.ssthresh_bytes, UINT32_MAX);
	ack(&cc, 2 * MSS);
	assert_int_equal(cc.cwnd_bytes, IW + 2 * MSS);
	congestion(&cc, RNL_CC_LOSS, 6 * MSS);
	reno->on_undo(&cc);
	assert_int_equal(cc.cwnd_bytes, IW + 2 * MSS);
	cc.cwnd_bytes = 3 * MSS;
	reno->on_undo(&cc); /* once */
	assert_int_equal(cc.cwnd_bytes, 3 * MSS);
}

static void cc_newreno__restart_after_idle(void **state)
{
	struct rnl_cc cc = avoiding(50 * MSS);

	reno->on_restart(&cc, IW, 200000, 200000);
	assert_int_equal(cc.cwnd_bytes, 50 * MSS);
	reno->on_restart(&cc, IW, 200001, 200000);
	assert_int_equal(cc.cwnd_bytes, IW);
	assert_int_equal(cc.ssthresh_bytes, 50 * MSS);
	cc.cwnd_bytes = 2 * MSS;
	reno->on_restart(&cc, IW, UINT64_MAX, 200000);
	assert_int_equal(cc.cwnd_bytes, 2 * MSS);
}

static void cc_newreno__folds_and_unfolds(void **state)
{
	struct rnl_cc cc = avoiding(50 * MSS), back;
	struct rnl_cc_folded folded;

	memset(&back, 0xee, sizeof(back));
	back.mss = MSS;
	ack(&cc, 49 * MSS);
	reno->fold(&cc, &folded);
	reno->unfold(&back, &folded, 5);
	assert_int_equal(back.cwnd_bytes, 50 * MSS);
	assert_int_equal(back.ssthresh_bytes, 50 * MSS);
	assert_int_equal(back.mss, MSS);
	assert_int_equal(back.pacing_bytes_per_s, 0);
	ack(&back, MSS);
	assert_int_equal(back.cwnd_bytes, 50 * MSS);
}

static void cc_newreno__window_is_bounded(void **state)
{
	struct rnl_cc cc = fresh();

	for (int i = 0; i < 2000000; i++)
		ack(&cc, UINT32_MAX / 2);
	assert_in_range(cc.cwnd_bytes, 1u << 30, (1u << 30) + 2 * MSS);
}

static void cc_newreno__is_in_the_list(void **state)
{
	assert_ptr_equal(rnl_cc_find("newreno"), &rnl_cc_newreno);
	assert_null(rnl_cc_find("reno"));
	assert_null(rnl_cc_find(""));
	for (unsigned int i = 0; rnl_cc_nth(i) != NULL; i++)
		assert_ptr_equal(rnl_cc_find(rnl_cc_nth(i)->name), rnl_cc_nth(i));
	assert_int_equal(rnl_cc_newreno.size, sizeof(struct rnl_cc_ops));
	assert_in_range(rnl_cc_newreno.priv_size, 1, sizeof(((struct rnl_cc *)0)->priv));
}

static void cc__initial_window(void **state)
{
	assert_int_equal(rnl_cc_initial_window(536), 5360);
	assert_int_equal(rnl_cc_initial_window(1460), 14600);
	assert_int_equal(rnl_cc_initial_window(1500), 14600);
	assert_int_equal(rnl_cc_initial_window(8960), 17920);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cc_newreno__begins_with_the_initial_window),
	    cmocka_unit_test(cc_newreno__slow_start_grows_by_acked_octets),
	    cmocka_unit_test(cc_newreno__slow_start_doubles_in_a_round_trip),
	    cmocka_unit_test(cc_newreno__slow_start_ends_at_ssthresh),
	    cmocka_unit_test(cc_newreno__avoidance_grows_one_mss_in_a_round_trip),
	    cmocka_unit_test(cc_newreno__one_ack_gives_at_most_one_mss),
	    cmocka_unit_test(cc_newreno__unused_window_does_not_grow),
	    cmocka_unit_test(cc_newreno__recovery_does_not_grow),
	    cmocka_unit_test(cc_newreno__loss_halves_what_is_in_flight),
	    cmocka_unit_test(cc_newreno__recovered_window_avoids_a_burst),
	    cmocka_unit_test(cc_newreno__timeout_begins_again),
	    cmocka_unit_test(cc_newreno__slow_start_is_itself_again_after_ssthresh),
	    cmocka_unit_test(cc_newreno__second_timeout_holds_ssthresh),
	    cmocka_unit_test(cc_newreno__ecn_lowers_and_never_raises),
	    cmocka_unit_test(cc_newreno__undo_restores),
	    cmocka_unit_test(cc_newreno__restart_after_idle),
	    cmocka_unit_test(cc_newreno__folds_and_unfolds),
	    cmocka_unit_test(cc_newreno__window_is_bounded),
	    cmocka_unit_test(cc_newreno__is_in_the_list),
	    cmocka_unit_test(cc__initial_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
