/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyStart++: rounds, the delay that ends slow start, and the way back. RFC 9406 4.2, 4.3;
 * RFC 3465 2.3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "algo/hystart.h"

#define MSS 1000

static struct rnl_cc wide(void)
{
	return (struct rnl_cc){.cwnd_bytes = 100 * MSS, .ssthresh_bytes = UINT32_MAX, .mss = MSS};
}

static struct rnl_hystart begun(void)
{
	struct rnl_hystart h;

	memset(&h, 0xee, sizeof(h));
	rnl_hystart_begin(&h);
	return h;
}

static bool ack(struct rnl_hystart *h, uint32_t flight, uint32_t rtt_us)
{
	struct rnl_ack_sample s = {
	    .acked_bytes = MSS, .inflight_bytes = flight, .rtt_us = rtt_us, .cwnd_limited = true};

	return rnl_hystart_on_ack(h, &s);
}

/* One round: n segments in flight at its begin, each acknowledged alone. */
static bool round_of(struct rnl_hystart *h, unsigned int n, uint32_t rtt_us)
{
	bool over = false;

	for (unsigned int i = 0; i < n && !over; i++)
		over = ack(h, (n + 1) * MSS, rtt_us);
	return over;
}

/* The first ACK ends the round that began before anything was sent. */
static struct rnl_hystart running(unsigned int n, uint32_t rtt_us)
{
	struct rnl_hystart h = begun();

	assert_false(ack(&h, (n + 1) * MSS, rtt_us));
	assert_false(round_of(&h, n, rtt_us));
	return h;
}

static void hystart__flat_round_trip_goes_on(void **state)
{
	struct rnl_hystart h = running(20, 50000);

	for (int i = 0; i < 100; i++) {
		assert_false(round_of(&h, 20, 50000 + i % 3 * 1000));
		assert_int_equal(h.phase, RNL_HYSTART_SS);
	}
}

/* RttThresh: an eighth, from 4 to 16 ms. */
static void hystart__threshold(void **state)
{
	static const struct {
		uint32_t rtt_us, thresh_us;
	} cases[] = {{100, 4000}, {8000, 4000}, {80000, 10000}, {128000, 16000}, {900000, 16000}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rnl_hystart h = running(20, cases[i].rtt_us);

		round_of(&h, 20, cases[i].rtt_us + cases[i].thresh_us - 1);
		assert_int_equal(h.phase, RNL_HYSTART_SS);
		h = running(20, cases[i].rtt_us);
		round_of(&h, 20, cases[i].rtt_us + cases[i].thresh_us);
		assert_int_equal(h.phase, RNL_HYSTART_CSS);
	}
}

static void hystart__one_short_trip_in_a_round_is_enough(void **state)
{
	struct rnl_hystart h = running(20, 50000);

	for (int i = 0; i < 20; i++)
		ack(&h, 21 * MSS, i == 3 ? 50000 : 90000);
	assert_int_equal(h.phase, RNL_HYSTART_SS);
}

static void hystart__eight_samples_are_asked_for(void **state)
{
	struct rnl_hystart h = running(20, 50000);

	for (int i = 0; i < 7; i++)
		ack(&h, 21 * MSS, 90000);
	ack(&h, 21 * MSS, 0); /* no sample */
	assert_int_equal(h.phase, RNL_HYSTART_SS);
	ack(&h, 21 * MSS, 90000);
	assert_int_equal(h.phase, RNL_HYSTART_CSS);
	h = running(20, 50000); /* fewer segments in a round never decide */
	for (int i = 0; i < 50; i++)
		round_of(&h, 7, 50000 + (uint32_t)i * 50000);
	assert_int_equal(h.phase, RNL_HYSTART_SS);
}

/* The round in which CSS began is the first of five. */
static void hystart__five_rounds_of_css_end_it(void **state)
{
	struct rnl_hystart h = running(20, 50000);
	int rounds = 1;

	assert_false(round_of(&h, 20, 60000));
	assert_int_equal(h.phase, RNL_HYSTART_CSS);
	while (!round_of(&h, 20, 61000))
		rounds++;
	assert_int_equal(rounds + 1, 5);
	assert_int_equal(h.phase, RNL_HYSTART_OFF);
	assert_false(round_of(&h, 20, 200000));
}

static void hystart__spurious_exit_is_taken_back(void **state)
{
	struct rnl_hystart h = running(20, 50000);

	round_of(&h, 20, 60000);
	round_of(&h, 20, 60000);
	assert_int_equal(h.phase, RNL_HYSTART_CSS);
	round_of(&h, 20, 59999);
	assert_int_equal(h.phase, RNL_HYSTART_SS);
	round_of(&h, 20, 70000); /* and again, with rounds counted anew */
	assert_int_equal(h.phase, RNL_HYSTART_CSS);
	assert_int_equal(h.css_rounds, 1);
}

/* A round is over when all that was in flight at its begin is acknowledged. */
static void hystart__rounds_are_windows(void **state)
{
	struct rnl_hystart h = begun();

	ack(&h, 6 * MSS, 50000);
	assert_int_equal(h.last_min_us, 50000);
	for (int i = 0; i < 4; i++) {
		ack(&h, 30 * MSS, 40000);
		assert_int_equal(h.last_min_us, 50000);
	}
	ack(&h, 30 * MSS, 40000);
	assert_int_equal(h.last_min_us, 40000);
	assert_int_equal(h.min_us, UINT32_MAX);
	assert_int_equal(h.samples, 0);
}

static uint32_t grown(struct rnl_hystart h, uint64_t pacing, uint32_t acked, bool after_rto)
{
	struct rnl_cc cc = wide();

	cc.pacing_bytes_per_s = pacing;
	assert_int_equal(rnl_hystart_grow(&h, &cc, acked, after_rto), 0);
	return cc.cwnd_bytes - 100 * MSS;
}

/* L is 8, or none when paced; a quarter in CSS; the standard slow start has 2, after a timeout 1.
 * RFC 5681 3.1.
 */
static void hystart__growth(void **state)
{
	struct rnl_hystart h = begun();

	assert_int_equal(grown(h, 0, 300, false), 300);
	assert_int_equal(grown(h, 0, 8 * MSS, false), 8 * MSS);
	assert_int_equal(grown(h, 0, 20 * MSS, false), 8 * MSS);
	assert_int_equal(grown(h, 1, 20 * MSS, false), 20 * MSS);
	h.phase = RNL_HYSTART_CSS;
	assert_int_equal(grown(h, 0, 4 * MSS, false), MSS);
	assert_int_equal(grown(h, 0, 20 * MSS, false), 2 * MSS);
	assert_int_equal(grown(h, 1, 20 * MSS, false), 5 * MSS);
	rnl_hystart_end(&h);
	assert_int_equal(grown(h, 0, 20 * MSS, false), 2 * MSS);
	assert_int_equal(grown(h, 0, 20 * MSS, true), MSS);
}

static void hystart__ends_at_ssthresh(void **state)
{
	struct rnl_hystart h = begun();
	struct rnl_cc cc = wide();

	cc.ssthresh_bytes = 103 * MSS;
	assert_int_equal(rnl_hystart_grow(&h, &cc, 5 * MSS, false), 2 * MSS);
	assert_int_equal(cc.cwnd_bytes, 103 * MSS);
	assert_int_equal(h.phase, RNL_HYSTART_OFF);
	h = begun();
	cc = (struct rnl_cc){
	    .cwnd_bytes = (1u << 30) - 1, .ssthresh_bytes = UINT32_MAX, .mss = 65535};
	rnl_hystart_grow(&h, &cc, UINT32_MAX, false);
	assert_int_equal(cc.cwnd_bytes, 1u << 30);
}

/*
 * A path of 10 Mbyte/s and 40 ms with a deep queue. With HyStart++ slow start ends near the path's
 * 400 segments; the standard one would go on until the queue is full.
 */
static void slow_start_on_a_path(const char *name)
{
	const struct rnl_cc_ops *ops = rnl_cc_find(name);
	uint64_t now_us = 0;
	struct rnl_cc cc;

	memset(&cc, 0, sizeof(cc));
	ops->init(&cc, MSS, 10 * MSS, 0);
	for (int trip = 0; trip < 40 && cc.ssthresh_bytes == UINT32_MAX; trip++) {
		uint32_t segments = cc.cwnd_bytes / MSS;

		for (uint32_t i = 0; i < segments; i++) {
			/* Two go out for each ACK: half of the window queues. */
			uint32_t over = cc.cwnd_bytes / MSS > 400 ? cc.cwnd_bytes / MSS - 400 : 0;
			struct rnl_ack_sample s = {.now_us = now_us,
			                           .acked_bytes = MSS,
			                           .inflight_bytes = cc.cwnd_bytes,
			                           .rtt_us = 40000 + over * 100,
			                           .srtt_us = 40000,
			                           .cwnd_limited = true};

			ops->on_ack(&cc, &s);
			now_us += 100;
		}
	}
	assert_in_range(cc.ssthresh_bytes, 400 * MSS, 2400 * MSS);
	assert_true(cc.cwnd_bytes >= cc.ssthresh_bytes);
}

static void hystart__serves_the_modules(void **state)
{
	slow_start_on_a_path("cubic"); /* RFC 9438 4.10 */
	slow_start_on_a_path("newreno");
	slow_start_on_a_path("dctcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hystart__flat_round_trip_goes_on),
	    cmocka_unit_test(hystart__threshold),
	    cmocka_unit_test(hystart__one_short_trip_in_a_round_is_enough),
	    cmocka_unit_test(hystart__eight_samples_are_asked_for),
	    cmocka_unit_test(hystart__five_rounds_of_css_end_it),
	    cmocka_unit_test(hystart__spurious_exit_is_taken_back),
	    cmocka_unit_test(hystart__rounds_are_windows),
	    cmocka_unit_test(hystart__growth),
	    cmocka_unit_test(hystart__ends_at_ssthresh),
	    cmocka_unit_test(hystart__serves_the_modules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
