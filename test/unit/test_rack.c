/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK, step by step: RFC 8985 6.2 (steps 1 to 5), RFC 8985 6.3. The queue of sent ranges is the real one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "algo/rack.h"
#include "algo/rtt.h"

#define RANGES 32
#define MSS 100

struct world {
	struct rnl_pool pool;
	struct rnl_sentq q;
	struct rnl_rack rack;
	void *mem;
};

static void world_init(struct world *w)
{
	*w = (struct world){0};
	w->mem = calloc(1, rnl_pool_bytes(RANGES, sizeof(struct rnl_range)));
	assert_non_null(w->mem);
	rnl_pool_init(&w->pool, w->mem, RANGES, sizeof(struct rnl_range),
		      offsetof(struct rnl_range, next));
}

static void world_end(struct world *w)
{
	assert_null(rnl_sentq_check(&w->q, &w->pool));
	rnl_sentq_clear(&w->q, &w->pool);
	free(w->mem);
}

/* Sends one segment. @return its range. */
static uint32_t push(struct world *w, uint32_t seq, uint64_t now_us)
{
	struct rnl_range r = {.seq = seq, .end = seq + MSS, .sent_us = now_us, .mss = MSS};

	return rnl_sentq_push(&w->q, &w->pool, &r);
}

static void resend(struct world *w, uint32_t i, uint64_t now_us)
{
	struct rnl_range r = {.sent_us = now_us};

	rnl_sentq_resent(&w->q, &w->pool, i, &r);
}

/* One acknowledgement at now_us: cumulative to una, one block unless it is empty. */
static void deliver(struct world *w, uint32_t una, struct rnl_sack block, uint64_t now_us)
{
	struct rnl_sentq_acked a = {.spurious_after_us = UINT64_MAX};
	unsigned int steps = 100;

	rnl_sentq_ack(&w->q, &w->pool, una, &a);
	if (block.left != block.right)
		rnl_sentq_sack(&w->q, &w->pool, &block, &steps, &a);
	rnl_rack_delivered(&w->rack, &a, now_us);
}

static bool lost(const struct world *w, uint32_t i)
{
	return rnl_sentq_at(&w->pool, i)->flags & RNL_RANGE_LOST;
}

static uint64_t detect(struct world *w, uint32_t reo_wnd_us, uint64_t now_us)
{
	return rnl_rack_detect(&w->rack, &w->q, &w->pool, reo_wnd_us, now_us);
}

/* RFC 8985 6.2, step 1: the shortest of a window that moves, so that a longer path is noticed. */
static void rack__min_rtt_forgets(void **state)
{
	struct rnl_min_rtt m = {0};
	uint64_t t = 5 * (uint64_t)RNL_MIN_RTT_WINDOW_US;

	assert_int_equal(rnl_min_rtt_us(&m), 0);
	rnl_min_rtt_sample(&m, 10000, t);
	assert_int_equal(rnl_min_rtt_us(&m), 10000);
	rnl_min_rtt_sample(&m, 8000, t + 1);
	rnl_min_rtt_sample(&m, 9000, t + 2);
	assert_int_equal(rnl_min_rtt_us(&m), 8000);
	/* The path got longer: known after one window, believed after two at the latest. */
	t += RNL_MIN_RTT_WINDOW_US + 1;
	rnl_min_rtt_sample(&m, 50000, t);
	assert_int_equal(rnl_min_rtt_us(&m), 8000);
	t += RNL_MIN_RTT_WINDOW_US + 1;
	rnl_min_rtt_sample(&m, 51000, t);
	assert_int_equal(rnl_min_rtt_us(&m), 50000);
	/* Shorter again: at once. */
	rnl_min_rtt_sample(&m, 700, t + 3);
	assert_int_equal(rnl_min_rtt_us(&m), 700);
}

/* RFC 8985 6.2, step 1: after a silence of many windows no old minimum rules. */
static void rack__min_rtt_after_silence(void **state)
{
	struct rnl_min_rtt m = {0};
	uint64_t t = RNL_MIN_RTT_WINDOW_US;

	rnl_min_rtt_sample(&m, 1000, t);
	rnl_min_rtt_sample(&m, 40000, t + 10 * (uint64_t)RNL_MIN_RTT_WINDOW_US);
	assert_int_equal(rnl_min_rtt_us(&m), 40000);
}

/* RFC 8985 6.2, step 2: the latest sent of what was delivered; an older one does not take its place. */
static void rack__newest_delivered(void **state)
{
	struct world w;

	world_init(&w);
	push(&w, 1000, 10);
	push(&w, 1100, 20);
	push(&w, 1200, 30);
	deliver(&w, 1000, (struct rnl_sack){1100, 1200}, 120);
	assert_int_equal(w.rack.xmit_us, 20);
	assert_int_equal(w.rack.end_seq, 1200);
	assert_int_equal(w.rack.rtt_us, 100);
	deliver(&w, 1100, (struct rnl_sack){0}, 125); /* sent at 10: its round trip, not its time */
	assert_int_equal(w.rack.xmit_us, 20);
	assert_int_equal(w.rack.end_seq, 1200);
	assert_int_equal(w.rack.rtt_us, 115);
	deliver(&w, 1300, (struct rnl_sack){0}, 127);
	assert_int_equal(w.rack.xmit_us, 30);
	assert_int_equal(w.rack.end_seq, 1300);
	assert_int_equal(w.rack.rtt_us, 97);
	world_end(&w);
}

/* RFC 8985 6.2, step 2: of equal send times, the higher end counts, across the wrap too. */
static void rack__newest_delivered_by_sequence(void **state)
{
	struct world w;

	world_init(&w);
	push(&w, UINT32_MAX - 149, 10);
	push(&w, UINT32_MAX - 49, 10);
	push(&w, 50, 10);
	deliver(&w, UINT32_MAX - 149, (struct rnl_sack){UINT32_MAX - 49, 50}, 100);
	assert_int_equal(w.rack.end_seq, 50);
	deliver(&w, UINT32_MAX - 49, (struct rnl_sack){0}, 101);
	assert_int_equal(w.rack.end_seq, 50);
	deliver(&w, 150, (struct rnl_sack){0}, 102);
	assert_int_equal(w.rack.end_seq, 150);
	world_end(&w);
}

/* RFC 8985 6.2, step 2: a retransmission that is too young to be what was delivered says nothing. */
static void rack__spurious_retransmission_says_nothing(void **state)
{
	struct rnl_sentq_acked a = {.spurious_after_us = 150};
	struct world w;
	uint32_t i;

	world_init(&w);
	i = push(&w, 1000, 10);
	push(&w, 1100, 20);
	rnl_sentq_mark_lost(&w.q, &w.pool, i);
	resend(&w, i, 200);
	rnl_sentq_ack(&w.q, &w.pool, 1100, &a);
	rnl_rack_delivered(&w.rack, &a, 205);
	assert_int_equal(w.rack.xmit_us, 0);
	assert_int_equal(w.rack.rtt_us, 0);
	assert_int_equal(detect(&w, 0, 1000), 0);
	world_end(&w);
}

/* RFC 8985 6.2, step 3: an original below what was delivered is reordering; a retransmission is not. */
static void rack__reordering_seen(void **state)
{
	struct world w;
	uint32_t first;

	world_init(&w);
	first = push(&w, 1000, 10);
	push(&w, 1100, 20);
	push(&w, 1200, 30);
	push(&w, 1300, 40);
	deliver(&w, 1000, (struct rnl_sack){1200, 1300}, 100);
	assert_false(w.rack.reordering_seen);
	rnl_sentq_mark_lost(&w.q, &w.pool, first);
	resend(&w, first, 110);
	deliver(&w, 1100, (struct rnl_sack){0}, 200);
	assert_false(w.rack.reordering_seen);
	deliver(&w, 1100, (struct rnl_sack){1300, 1400}, 201);
	assert_false(w.rack.reordering_seen);
	deliver(&w, 1400, (struct rnl_sack){0}, 202);
	assert_true(w.rack.reordering_seen);
	world_end(&w);
}

static const struct rnl_rack_state quiet = {.min_rtt_us = 4000, .srtt_us = 9000};

/* RFC 8985 6.2, step 4: a quarter of the round trip; zero in recovery and at DupThresh. */
static void rack__window_before_reordering(void **state)
{
	struct rnl_rack_state s = quiet;
	struct rnl_rack r = {0};

	assert_int_equal(rnl_rack_reo_wnd(&r, &s), 1000);
	s.dup_thresh = true;
	assert_int_equal(rnl_rack_reo_wnd(&r, &s), 0);
	s = quiet;
	s.in_recovery = true;
	assert_int_equal(rnl_rack_reo_wnd(&r, &s), 0);
}

/* RFC 8985 6.2, step 4: once reordering was seen, neither DupThresh nor recovery makes it zero. */
static void rack__window_after_reordering(void **state)
{
	struct rnl_rack_state s = quiet;
	struct rnl_rack r = {.reordering_seen = true};

	s.dup_thresh = true;
	assert_int_equal(rnl_rack_reo_wnd(&r, &s), 1000);
	s.in_recovery = true;
	assert_int_equal(rnl_rack_reo_wnd(&r, &s), 1000);
}

/* RFC 8985 6.2, step 4: N rounds with D-SACK make (N + 1) quarters, at most SRTT. */
static void rack__window_grows_by_round(void **state)
{
	struct rnl_rack r = {0};

	rnl_rack_dsack(&r, true, 100, 200);
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), 2000);
	rnl_rack_dsack(&r, true, 150, 300); /* the same round */
	rnl_rack_dsack(&r, true, 199, 300);
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), 2000);
	rnl_rack_dsack(&r, true, 200, 300); /* the next */
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), 3000);
	rnl_rack_dsack(&r, false, 300, 400); /* that one ended without */
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), 3000);
	for (uint32_t n = 4; n < 600; n++)
		rnl_rack_dsack(&r, true, n * 100, n * 100 + 100);
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), quiet.srtt_us);
}

/* RFC 8985 6.2, step 4: the wide window stays for 16 recoveries; a D-SACK begins the count anew. */
static void rack__window_persists(void **state)
{
	struct rnl_rack r = {0};

	rnl_rack_dsack(&r, true, 100, 200);
	for (int i = 0; i < 15; i++)
		rnl_rack_recovered(&r);
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), 2000);
	rnl_rack_dsack(&r, true, 200, 300);
	for (int i = 0; i < 15; i++)
		rnl_rack_recovered(&r);
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), 3000);
	rnl_rack_recovered(&r);
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), 1000);
	rnl_rack_recovered(&r); /* nothing left to count */
	assert_int_equal(rnl_rack_reo_wnd(&r, &quiet), 1000);
}

/* RFC 8985 6.2, step 5: lost from send time + RACK.rtt + window on, to the microsecond. */
static void rack__lost_after_the_window(void **state)
{
	struct world w;
	uint32_t a, b, c, d;

	world_init(&w);
	a = push(&w, 1000, 100);
	b = push(&w, 1100, 130);
	c = push(&w, 1200, 140);
	d = push(&w, 1300, 150);
	deliver(&w, 1000, (struct rnl_sack){1200, 1300}, 1140); /* rtt 1000 */
	/* The timer covers all that waits, hence the latest. */
	assert_int_equal(detect(&w, 50, 1149), 1180);
	assert_false(lost(&w, a));
	assert_int_equal(detect(&w, 50, 1150), 1180);
	assert_true(lost(&w, a));
	assert_false(lost(&w, b));
	assert_int_equal(detect(&w, 50, 1179), 1180);
	assert_false(lost(&w, b));
	assert_int_equal(detect(&w, 50, 1180), 0);
	assert_true(lost(&w, b));
	assert_false(lost(&w, c));
	assert_int_equal(detect(&w, 50, 100000), 0); /* nothing sent later was delivered */
	assert_false(lost(&w, d));
	world_end(&w);
}

/* RFC 8985 6.2, step 5: of equal send times the lower sequence was sent first. */
static void rack__equal_times_by_sequence(void **state)
{
	struct world w;
	uint32_t before, after;

	world_init(&w);
	before = push(&w, 1000, 100);
	push(&w, 1100, 100);
	after = push(&w, 1200, 100);
	deliver(&w, 1000, (struct rnl_sack){1100, 1200}, 1100);
	assert_int_equal(detect(&w, 0, 1100), 0);
	assert_true(lost(&w, before));
	assert_false(lost(&w, after));
	world_end(&w);
}

/* RFC 8985 6.2, step 5: a retransmission counts from its own time, and can be found lost as well. */
static void rack__lost_retransmission(void **state)
{
	struct world w;
	uint32_t i;

	world_init(&w);
	i = push(&w, 1000, 100);
	push(&w, 1100, 110);
	push(&w, 1200, 300);
	push(&w, 1300, 1200);
	deliver(&w, 1000, (struct rnl_sack){1100, 1200}, 1110);
	detect(&w, 0, 1110);
	assert_true(lost(&w, i));
	resend(&w, i, 1110);
	deliver(&w, 1000, (struct rnl_sack){1200, 1300}, 1300); /* sent before the retransmission */
	assert_int_equal(detect(&w, 0, 5000), 0);
	assert_false(lost(&w, i));
	deliver(&w, 1000, (struct rnl_sack){1300, 1400}, 2200); /* sent after it */
	assert_int_equal(detect(&w, 0, 2200), 0);
	assert_true(lost(&w, i));
	world_end(&w);
}

/* RFC 8985 6.3: what is older than a round trip and the window is lost; the young is not. */
static void rack__timeout_spares_the_young(void **state)
{
	struct world w;
	uint32_t a, b, c;

	world_init(&w);
	push(&w, 900, 50);
	a = push(&w, 1000, 100);
	b = push(&w, 1100, 200);
	c = push(&w, 1200, 201);
	deliver(&w, 1000, (struct rnl_sack){0}, 1050); /* rtt 1000 */
	rnl_rack_timeout(&w.rack, &w.q, &w.pool, 100, 1300);
	assert_true(lost(&w, a));
	assert_true(lost(&w, b));
	assert_false(lost(&w, c));
	world_end(&w);
}

/* RFC 8985 6.2, step 5: what was found lost is not looked at again: each range costs one visit. */
static void rack__found_once(void **state)
{
	struct world w;

	world_init(&w);
	for (uint32_t k = 0; k < 20; k++)
		push(&w, 1000 + k * MSS, 100 + k);
	deliver(&w, 1000, (struct rnl_sack){2900, 3000}, 5000);
	detect(&w, 0, 5000);
	assert_int_equal(w.q.lost_total, 19 * MSS);
	assert_int_equal(w.q.thead, RNL_NIL);
	detect(&w, 0, 6000);
	assert_int_equal(w.q.lost_total, 19 * MSS);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rack__min_rtt_forgets),
	    cmocka_unit_test(rack__min_rtt_after_silence),
	    cmocka_unit_test(rack__newest_delivered),
	    cmocka_unit_test(rack__newest_delivered_by_sequence),
	    cmocka_unit_test(rack__spurious_retransmission_says_nothing),
	    cmocka_unit_test(rack__reordering_seen),
	    cmocka_unit_test(rack__window_before_reordering),
	    cmocka_unit_test(rack__window_after_reordering),
	    cmocka_unit_test(rack__window_grows_by_round),
	    cmocka_unit_test(rack__window_persists),
	    cmocka_unit_test(rack__lost_after_the_window),
	    cmocka_unit_test(rack__equal_times_by_sequence),
	    cmocka_unit_test(rack__lost_retransmission),
	    cmocka_unit_test(rack__timeout_spares_the_young),
	    cmocka_unit_test(rack__found_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
