/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR over a model of one link: a rate, a buffer, a round trip. The samples are those of rate.h,
 * the pace that of pacer.h, so that what is tested is what TCP runs. draft-ietf-ccwg-bbr 5 and the
 * cases of its appendix.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "algo/bbr.h"
#include "algo/pacer.h"
#include "algo/rate.h"

#define MSS 1000u
#define IW (10 * MSS)
#define MBIT 125000u /* octets per second */
#define MS UINT64_C(1000)
#define SEC UINT64_C(1000000)
#define RING 65536u

static const struct rnl_cc_ops *const bbr = &rnl_cc_bbr;

/* A packet on its way; its ACK comes at ack_us, or never. */
struct sent {
	struct rnl_range r;
	uint64_t ack_us;
	bool dropped, gone;
};

struct link {
	uint64_t rate;      /* octets per second */
	uint32_t buffer;    /* octets */
	uint32_t rtt_us;    /* without queue */
	uint32_t drop_of;   /* one of so many packets at random; 0: none */
	uint32_t gather_us; /* ACKs come in bunches of this time; 0: one by one */
	uint64_t app_rate;  /* what the application gives, octets per second; 0: all */
	bool no_sack;

	struct rnl_cc cc;
	struct rnl_rate rate_state;
	struct rnl_pacer pacer;
	uint64_t now_us, free_us, app_us, begun_us;
	uint32_t seq, acked_to, pipe, lost, min_rtt, srtt, random;
	uint32_t recover;
	bool in_recovery, limited, quiet;
	struct sent ring[RING];
	unsigned int head, tail;
	/* observed */
	uint64_t delivered, dropped, sent, worst_queue_us;
	unsigned int visits[RNL_BBR_NONE];
	uint8_t last_state;
};

static struct link the_link;

static struct rnl_bbr *state(struct link *l)
{
	return rnl_bbr_of(&l->cc);
}

static struct link *begin(uint64_t rate, uint32_t rtt_us, uint32_t buffer)
{
	struct link *l = &the_link;

	memset(l, 0, sizeof(*l));
	l->rate = rate;
	l->rtt_us = rtt_us;
	l->buffer = buffer;
	l->now_us = l->begun_us = 1000 * SEC;
	l->random = 1;
	bbr->init(&l->cc, MSS, IW, l->now_us);
	return l;
}

static uint32_t bdp(const struct link *l)
{
	return (uint32_t)(l->rate * l->rtt_us / SEC);
}

static bool chance(struct link *l, uint32_t of)
{
	l->random = l->random * 1664525u + 1013904223u;
	return of != 0 && (l->random >> 8) % of == 0;
}

static void watch(struct link *l)
{
	struct rnl_bbr *b = state(l);

	assert_true(l->cc.cwnd_bytes >= MSS);
	assert_true(l->cc.pacing_bytes_per_s > 0);
	assert_in_range(l->cc.quantum_bytes, 2 * MSS, 65536);
	if (b->state != l->last_state)
		l->visits[b->state]++;
	l->last_state = b->state;
}

static void transmit(struct link *l)
{
	struct sent *p = &l->ring[l->tail % RING];
	uint64_t wire_us = MSS * SEC / l->rate, start;

	assert_true(l->tail - l->head < RING);
	if (l->pipe == 0 && l->head == l->tail && l->sent > 0 && l->quiet) {
		bbr->on_restart(&l->cc, IW, l->now_us - l->app_us, 200000);
		l->quiet = false;
	}
	*p = (struct sent){.r = {.seq = l->seq, .end = l->seq + MSS, .sent_us = l->now_us}};
	rnl_rate_stamp(&l->rate_state, &p->r, l->pipe, l->lost);
	rnl_pacer_sent(&l->pacer, MSS);
	start = l->free_us > l->now_us ? l->free_us : l->now_us;
	p->dropped = (start - l->now_us) * l->rate / SEC > l->buffer || chance(l, l->drop_of);
	if (!p->dropped) {
		l->free_us = start + wire_us;
		p->ack_us = l->free_us + l->rtt_us;
		if (l->gather_us != 0)
			p->ack_us += l->gather_us - p->ack_us % l->gather_us;
		if (start - l->now_us > l->worst_queue_us)
			l->worst_queue_us = start - l->now_us;
	}
	l->seq += MSS;
	l->pipe += MSS;
	l->sent += MSS;
	l->tail++;
}

static struct rnl_ack_sample sample_of(const struct link *l)
{
	return (struct rnl_ack_sample){
	    .now_us = l->now_us,
	    .delivered = l->rate_state.delivered,
	    .lost = l->lost,
	    .pipe_bytes = l->pipe,
	    .srtt_us = l->srtt,
	    .min_rtt_us = l->min_rtt,
	    .cwnd_limited = l->limited,
	    .in_recovery = l->in_recovery,
	    .sack_ok = !l->no_sack,
	};
}

static void lose(struct link *l, struct sent *p)
{
	struct rnl_ack_sample s;
	struct rnl_lost_sample lost;

	p->gone = true;
	l->pipe -= MSS;
	l->lost += MSS;
	l->dropped += MSS;
	lost = (struct rnl_lost_sample){
	    .now_us = l->now_us,
	    .delivered = l->rate_state.delivered,
	    .seq = p->r.seq,
	    .end = p->r.end,
	    .inflight_bytes = p->r.inflight,
	    .lost_bytes = l->lost - p->r.lost,
	    .app_limited = p->r.flags & RNL_RANGE_APP_LIMITED,
	    .sack_ok = !l->no_sack,
	};
	bbr->on_lost(&l->cc, &lost);
	if (l->in_recovery)
		return;
	s = sample_of(l);
	bbr->on_congestion(&l->cc, RNL_CC_LOSS, &s);
	l->in_recovery = true;
	l->recover = l->seq;
}

/* Whatever was dropped before the packet that is acknowledged now, three packets ago, is lost. */
static void detect(struct link *l, unsigned int upto)
{
	for (unsigned int i = l->head; i + 3 <= upto; i++)
		if (l->ring[i % RING].dropped && !l->ring[i % RING].gone)
			lose(l, &l->ring[i % RING]);
	while (l->head != l->tail && l->ring[l->head % RING].gone)
		l->head++;
}

static void acknowledge(struct link *l, unsigned int i)
{
	struct sent *p = &l->ring[i % RING];
	struct rnl_sentq_acked a = {
	    .sent_us = p->r.sent_us,
	    .delivered_us = p->r.delivered_us,
	    .first_sent_us = p->r.first_sent_us,
	    .delivered = p->r.delivered,
	    .lost = p->r.lost,
	    .inflight = p->r.inflight,
	    .app_limited = p->r.flags & RNL_RANGE_APP_LIMITED,
	    .delivered_any = true,
	};
	uint32_t rtt = (uint32_t)(l->now_us - p->r.sent_us);
	struct rnl_ack_sample s;

	p->gone = true;
	l->pipe -= MSS;
	l->delivered += MSS;
	l->min_rtt = l->min_rtt == 0 || rtt < l->min_rtt ? rtt : l->min_rtt;
	l->srtt = l->srtt == 0 ? rtt : (7 * l->srtt + rtt) / 8;
	detect(l, i);
	s = sample_of(l);
	s.rtt_us = rtt;
	rnl_rate_sample(&l->rate_state, &a, MSS, &s);
	if (l->in_recovery && (int32_t)(p->r.seq - l->recover) >= 0) {
		l->in_recovery = s.in_recovery = false;
		bbr->on_recovered(&l->cc, &s);
	}
	bbr->on_ack(&l->cc, &s);
	l->limited = false;
	watch(l);
}

/* @return the packet whose ACK comes next, or tail: none. */
static unsigned int next_ack(const struct link *l)
{
	unsigned int i = l->head;

	while (i != l->tail && (l->ring[i % RING].dropped || l->ring[i % RING].gone))
		i++;
	return i;
}

/* When the next packet may be sent; UINT64_MAX: cwnd is used up. */
static uint64_t next_send(struct link *l)
{
	uint64_t at = l->now_us;

	if (l->quiet)
		return UINT64_MAX;
	if (l->pipe + MSS > l->cc.cwnd_bytes) {
		l->limited = true;
		return UINT64_MAX;
	}
	if (l->app_rate != 0 && l->app_us > at) {
		rnl_rate_limited(&l->rate_state, l->pipe);
		at = l->app_us;
	}
	if (l->pacer.rate != 0 && rnl_pacer_room(&l->pacer) < MSS && l->pacer.next_ns > at * 1000)
		at = (l->pacer.next_ns + 999) / 1000;
	return at;
}

static void send_now(struct link *l)
{
	uint64_t rate = l->cc.pacing_bytes_per_s;

	if (l->pacer.rate == 0 || l->now_us * 1000 >= l->pacer.next_ns) {
		rnl_pacer_set(&l->pacer, rate, l->cc.quantum_bytes);
		rnl_pacer_open(&l->pacer, l->now_us * 1000);
	}
	transmit(l);
	if (l->app_rate != 0)
		l->app_us =
		    (l->app_us > l->now_us ? l->app_us : l->now_us) + MSS * SEC / l->app_rate;
}

/* One event, at `end` at the latest. */
static void step(struct link *l, uint64_t end)
{
	unsigned int i = next_ack(l);
	uint64_t ack = i != l->tail ? l->ring[i % RING].ack_us : UINT64_MAX;
	uint64_t send = next_send(l);
	uint64_t at = RTE_MIN(ack, send);

	if (at == UINT64_MAX && l->head != l->tail) {
		/* Everything in flight was dropped: what TCP finds with a probe. */
		detect(l, l->tail + 3);
	} else if (at >= end) {
		l->now_us = end;
	} else {
		l->now_us = RTE_MAX(at, l->now_us);
		if (ack <= send)
			acknowledge(l, i);
		else
			send_now(l);
	}
}

static void run(struct link *l, uint64_t us)
{
	uint64_t end = l->now_us + us;

	while (l->now_us < end)
		step(l, end);
}

/* Until the state is reached, at most so long. */
static void run_until(struct link *l, enum rnl_bbr_state s, uint64_t us)
{
	uint64_t end = l->now_us + us;

	while (l->now_us < end && state(l)->state != s)
		step(l, end);
	assert_int_equal(state(l)->state, s);
}

static uint64_t estimate(struct link *l)
{
	return state(l)->max_bw * 15625 >> 14;
}

#define assert_near(a, b, percent)                                                                 \
	assert_in_range(a, (uint64_t)(b) * (100 - (percent)) / 100,                                \
	                (uint64_t)(b) * (100 + (percent)) / 100)

static uint64_t goodput(struct link *l, uint64_t us)
{
	uint64_t before = l->delivered;

	run(l, us);
	return (l->delivered - before) * SEC / us;
}

/* ---- the whole ---- */

static void finds(uint64_t rate, uint32_t rtt_us)
{
	struct link *l = begin(rate, rtt_us, 0);
	uint32_t drained;

	l->buffer = 4 * bdp(l) + 20 * MSS;
	run_until(l, RNL_BBR_DRAIN, 60 * (uint64_t)rtt_us + SEC);
	assert_true(state(l)->full_bw_reached);
	assert_near(estimate(l), rate, 5);
	run_until(l, RNL_BBR_CRUISE, 10 * (uint64_t)rtt_us);
	/* The queue that Startup made is gone: what is in flight fits the path. */
	drained = rnl_bbr_inflight(&l->cc, rnl_bbr_bw(state(l)), 100);
	assert_true(l->pipe <= drained + MSS);
	l->worst_queue_us = 0;
	assert_near(goodput(l, 4 * SEC), rate, 7);
	assert_near(estimate(l), rate, 5);
	assert_int_equal(l->dropped, 0);
	assert_in_range(state(l)->min_rtt_us, rtt_us, rtt_us + 2 * MSS * SEC / rate);
}

static void bbr__finds_the_bandwidth_and_drains(void **st)
{
	finds(10 * MBIT, 40 * MS);
	finds(100 * MBIT, 20 * MS);
	finds(1000 * MBIT, 10 * MS);
	finds(100 * MBIT, 100 * MS);
	finds(1 * MBIT, 200 * MS);
}

static void bbr__fits_in_the_private_octets(void **st)
{
	assert_true(sizeof(struct rnl_bbr) <= 192);
	assert_int_equal(bbr->priv_size, sizeof(struct rnl_bbr));
}

/* 5.3.1.1: the rate doubles in each round: here 1250 times the initial window fit, that is ten or
 * eleven, three more to be sure, and one or two of waiting. */
static void bbr__startup_doubles(void **st)
{
	struct link *l = begin(1000 * MBIT, 100 * MS, 100000000);

	run_until(l, RNL_BBR_DRAIN, 2000 * MS);
	assert_near(estimate(l), l->rate, 5);
}

/* 5.3.3: DOWN, CRUISE, REFILL, UP, in turn, UP after 2 to 3 s, or after 63 rounds. */
static void bbr__cycles(void **st)
{
	struct link *l = begin(100 * MBIT, 100 * MS, 5000000);
	uint64_t begun;

	for (unsigned int i = 0; i < 3; i++) {
		run_until(l, RNL_BBR_CRUISE, 6 * SEC);
		state(l)->probe_rtt_min_ms = (uint32_t)(l->now_us / MS); /* not that now */
		begun = l->now_us;
		run_until(l, RNL_BBR_REFILL, 4 * SEC);
		if (i > 0)
			assert_in_range(l->now_us - begun, 1 * SEC, 3 * SEC);
		begun = l->now_us;
		run_until(l, RNL_BBR_UP, SEC);
		assert_in_range(l->now_us - begun, 95 * MS, 250 * MS);
		assert_true(state(l)->is_bw_probe_sample);
		run_until(l, RNL_BBR_DOWN, 3 * SEC);
		assert_in_range(state(l)->wait_ms, 2000, 3000);
		assert_in_range(state(l)->rounds_since_probe_up, 0, 1);
	}
	/* Short round trips: as a Reno flow would, when its window had grown by the BDP. */
	l = begin(100 * MBIT, 2 * MS, 500000);
	run_until(l, RNL_BBR_CRUISE, SEC);
	begun = l->now_us;
	run_until(l, RNL_BBR_REFILL, SEC);
	assert_in_range(l->now_us - begun, 20 * MS, 180 * MS);
}

/* 5.6.1: what each state does to the rate. */
static void bbr__paces_by_state(void **st)
{
	struct link *l = begin(100 * MBIT, 50 * MS, 5000000);
	uint64_t bw;

	run_until(l, RNL_BBR_DRAIN, 2 * SEC);
	bw = rnl_bbr_bw(state(l)) * 15625 >> 14;
	assert_near(l->cc.pacing_bytes_per_s, bw * 99 / 100 / 2, 1);
	run_until(l, RNL_BBR_CRUISE, 2 * SEC);
	bw = rnl_bbr_bw(state(l)) * 15625 >> 14;
	assert_near(l->cc.pacing_bytes_per_s, bw * 99 / 100, 1);
	run_until(l, RNL_BBR_UP, 5 * SEC);
	bw = rnl_bbr_bw(state(l)) * 15625 >> 14;
	assert_near(l->cc.pacing_bytes_per_s, bw * 124 / 100, 1);
	/* 5.6.3: a millisecond's */
	assert_near(l->cc.quantum_bytes, l->cc.pacing_bytes_per_s / 1000, 1);
	run_until(l, RNL_BBR_DOWN, 2 * SEC);
	bw = rnl_bbr_bw(state(l)) * 15625 >> 14;
	assert_near(l->cc.pacing_bytes_per_s, bw * 89 / 100, 1);
}

/* 5.3.4: each 5 s for 200 ms with half a BDP, then back to where it was. */
static void bbr__probes_the_round_trip(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	uint64_t begun;
	uint32_t cwnd;

	run_until(l, RNL_BBR_CRUISE, 4 * SEC);
	for (unsigned int i = 0; i < 3; i++) {
		run_until(l, RNL_BBR_PROBE_RTT, 5500 * MS);
		cwnd = state(l)->prior_cwnd;
		begun = l->now_us;
		run(l, 60 * MS);
		assert_true(l->pipe <= bdp(l) * 11 / 20 + MSS);
		run_until(l, RNL_BBR_CRUISE, SEC);
		assert_in_range(l->now_us - begun, 200 * MS, 400 * MS);
		assert_in_range(l->cc.cwnd_bytes, bdp(l), cwnd + MSS);
		assert_in_range(state(l)->min_rtt_us, 40 * MS, 42 * MS);
	}
	begun = l->visits[RNL_BBR_PROBE_RTT];
	run(l, 30 * SEC);
	assert_in_range(l->visits[RNL_BBR_PROBE_RTT] - begun, 5, 6);
	assert_near(goodput(l, 10 * SEC), l->rate, 5);
}

/* 5.3.4.4: Startup goes on as Startup. */
static void bbr__probe_rtt_in_startup(void **st)
{
	struct link *l = begin(1000 * MBIT, 40 * MS, 50000000);

	l->app_rate = MBIT;
	run_until(l, RNL_BBR_PROBE_RTT, 6 * SEC);
	assert_false(state(l)->full_bw_reached);
	run_until(l, RNL_BBR_STARTUP, 2 * SEC);
	l->app_rate = 0;
	run_until(l, RNL_BBR_DRAIN, 2 * SEC);
	assert_near(estimate(l), l->rate, 5);
}

/* ---- losses ---- */

/* 5.5.10.2: a shallow buffer: more than 2 % are lost in Startup and UP, seldom otherwise. */
static void bbr__reacts_to_two_percent(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 0);

	l->buffer = bdp(l) / 10;
	run(l, 3 * SEC);
	assert_true(state(l)->full_bw_reached);
	assert_true(state(l)->inflight_longterm != RNL_BBR_NO_LIMIT);
	l->dropped = l->sent = 0;
	assert_in_range(goodput(l, 30 * SEC), l->rate * 85 / 100, l->rate);
	assert_true(l->dropped * 50 < l->sent);
	assert_in_range(state(l)->inflight_longterm, bdp(l) * 7 / 10, bdp(l) * 13 / 10);
}

/* 5.3.1.3: six holes in a round and more than 2 %. */
static void bbr__startup_ends_by_losses(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);

	l->drop_of = 20;
	l->app_rate = 80 * MBIT; /* limited by the application, so that nothing else ends it */
	run(l, 3 * SEC);
	assert_true(state(l)->full_bw_reached);
	assert_true(state(l)->state != RNL_BBR_STARTUP);
	/* Below the threshold it does not end. */
	l = begin(100 * MBIT, 40 * MS, 5000000);
	l->drop_of = 500;
	l->app_rate = 20 * MBIT;
	run(l, 4 * SEC);
	assert_false(state(l)->full_bw_reached);
	assert_int_equal(state(l)->state, RNL_BBR_STARTUP);
}

/* 5.3.1.3: without selective ACKs one loss is enough. */
static void bbr__startup_without_sack(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);

	l->no_sack = true;
	l->drop_of = 300;
	l->app_rate = 20 * MBIT;
	run(l, 3 * SEC);
	assert_true(state(l)->full_bw_reached);
}

/* Losses that are no congestion, below the threshold, cost little. */
static void bbr__stands_random_loss(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);

	l->drop_of = 100;
	run(l, 3 * SEC);
	assert_in_range(goodput(l, 20 * SEC), l->rate * 75 / 100, l->rate);
}

/* 5.5.10.3: once for each round with a loss, to what is delivered or 0.7, and not while probing. */
static void bbr__shortterm_follows_losses(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	uint64_t before;

	run_until(l, RNL_BBR_CRUISE, 4 * SEC);
	run(l, 100 * MS);
	assert_true(state(l)->bw_shortterm == RNL_BBR_NO_BW);
	before = state(l)->max_bw;
	l->rate /= 2;
	l->buffer = 10 * MSS;
	run(l, 500 * MS);
	assert_true(state(l)->bw_shortterm < before * 6 / 10);
	assert_true(state(l)->inflight_shortterm != RNL_BBR_NO_LIMIT);
	run_until(l, RNL_BBR_REFILL, 4 * SEC);
	assert_true(state(l)->bw_shortterm == RNL_BBR_NO_BW);
	assert_true(state(l)->inflight_shortterm == RNL_BBR_NO_LIMIT);
}

/* The appendix: ten times slower, ten times faster. */
static void bbr__follows_the_rate(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 500000);

	run(l, 3 * SEC);
	l->rate /= 10;
	run(l, 15 * SEC);
	assert_near(estimate(l), l->rate, 10);
	assert_in_range(goodput(l, 5 * SEC), l->rate * 80 / 100, l->rate * 101 / 100);
	l->rate *= 10;
	run(l, 20 * SEC);
	assert_near(estimate(l), l->rate, 5);
	assert_in_range(goodput(l, 5 * SEC), l->rate * 90 / 100, l->rate);
}

static struct rnl_ack_sample quiet_sample(struct link *l)
{
	return sample_of(l);
}

/* 5.6.4.4: one segment after a timeout; what was is there again when the recovery is over. */
static void bbr__timeout(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	struct rnl_ack_sample s;
	uint32_t cwnd;

	run_until(l, RNL_BBR_CRUISE, 4 * SEC);
	cwnd = l->cc.cwnd_bytes;
	s = quiet_sample(l);
	s.pipe_bytes = 0;
	bbr->on_congestion(&l->cc, RNL_CC_RTO, &s);
	assert_int_equal(l->cc.cwnd_bytes, MSS);
	l->in_recovery = true;
	l->recover = l->seq;
	run(l, 500 * MS);
	assert_false(state(l)->in_recovery);
	assert_in_range(l->cc.cwnd_bytes, cwnd / 2, 2 * cwnd);
}

/* 5.5.11: what a spurious recovery lowered is back, the state as well. */
static void bbr__undo(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	struct rnl_lost_sample lost = {.sack_ok = true, .inflight_bytes = 600000};
	struct rnl_ack_sample s;
	uint32_t cwnd;

	run_until(l, RNL_BBR_UP, 6 * SEC);
	s = quiet_sample(l);
	cwnd = l->cc.cwnd_bytes;
	lost.now_us = l->now_us;
	lost.delivered = s.delivered;
	for (unsigned int i = 0; i < 20; i++) {
		lost.seq = i * 2 * MSS;
		lost.end = lost.seq + MSS;
		lost.lost_bytes += MSS;
		bbr->on_lost(&l->cc, &lost);
	}
	bbr->on_congestion(&l->cc, RNL_CC_LOSS, &s);
	assert_int_equal(state(l)->state, RNL_BBR_DOWN);
	assert_true(state(l)->prev_probe_too_high);
	/* The 13th made it more than 2 % of 600000: what was in flight before it. */
	assert_int_equal(state(l)->inflight_longterm, 599000);
	bbr->on_undo(&l->cc);
	assert_int_equal(state(l)->state, RNL_BBR_REFILL);
	assert_int_equal(state(l)->inflight_longterm, RNL_BBR_NO_LIMIT);
	assert_true(l->cc.cwnd_bytes >= cwnd);
	assert_false(state(l)->in_recovery);
	/* Startup that ended by losses begins again. */
	l = begin(100 * MBIT, 40 * MS, 5000000);
	run(l, 150 * MS);
	s = quiet_sample(l);
	bbr->on_congestion(&l->cc, RNL_CC_LOSS, &s);
	rnl_bbr_startup_lossy(&l->cc);
	assert_int_equal(state(l)->state, RNL_BBR_DRAIN);
	bbr->on_undo(&l->cc);
	assert_int_equal(state(l)->state, RNL_BBR_STARTUP);
	assert_false(state(l)->full_bw_reached);
}

/* 3.7: a mark is congestion: Startup ends, UP ends, CRUISE adapts at the end of the round. */
static void bbr__marks_are_congestion(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	struct rnl_ack_sample s;

	run(l, 150 * MS);
	s = quiet_sample(l);
	bbr->on_congestion(&l->cc, RNL_CC_ECN, &s);
	assert_int_equal(state(l)->state, RNL_BBR_DRAIN);
	run_until(l, RNL_BBR_UP, 8 * SEC);
	s = quiet_sample(l);
	bbr->on_congestion(&l->cc, RNL_CC_ECN, &s);
	assert_int_equal(state(l)->state, RNL_BBR_DOWN);
	assert_in_range(state(l)->inflight_longterm, s.pipe_bytes, s.pipe_bytes + MSS);
	run_until(l, RNL_BBR_CRUISE, 4 * SEC);
	s = quiet_sample(l);
	bbr->on_congestion(&l->cc, RNL_CC_ECN, &s);
	run(l, 100 * MS);
	assert_true(state(l)->bw_shortterm != RNL_BBR_NO_BW);
}

/* ---- the application ---- */

/* 5.5.4 and the appendix: limited samples end nothing and lower nothing. */
static void bbr__limited_by_the_application(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	uint64_t bw;

	l->app_rate = 10 * MBIT;
	run(l, 4 * SEC);
	assert_int_equal(state(l)->state, RNL_BBR_STARTUP);
	l->app_rate = 0;
	run_until(l, RNL_BBR_CRUISE, 4 * SEC);
	bw = estimate(l);
	l->app_rate = 10 * MBIT;
	run(l, 20 * SEC);
	assert_true(estimate(l) >= bw * 99 / 100);
}

/* 5.4: after a pause at bw, without ProbeRTT. */
static void bbr__restart_from_idle(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	unsigned int probes;
	uint64_t bw;

	run_until(l, RNL_BBR_CRUISE, 4 * SEC);
	bw = estimate(l);
	probes = l->visits[RNL_BBR_PROBE_RTT];
	l->quiet = true;
	run(l, SEC);
	assert_int_equal(l->pipe, 0);
	l->now_us += 6 * SEC;
	l->app_us = l->now_us - 7 * SEC;
	rnl_rate_limited(&l->rate_state, 0);
	bbr->on_restart(&l->cc, IW, 7 * SEC, 200000);
	l->quiet = false;
	assert_true(state(l)->idle_restart);
	assert_near(l->cc.pacing_bytes_per_s, bw * 99 / 100, 1);
	run(l, 100 * MS);
	assert_false(state(l)->idle_restart);
	assert_int_equal(l->visits[RNL_BBR_PROBE_RTT], probes);
	/* In ProbeRTT the pause was what it wanted. */
	run_until(l, RNL_BBR_PROBE_RTT, 8 * SEC);
	run(l, 100 * MS);
	l->quiet = true;
	run(l, SEC);
	if (state(l)->state == RNL_BBR_PROBE_RTT) {
		bbr->on_restart(&l->cc, IW, SEC, 200000);
		assert_int_equal(state(l)->state, RNL_BBR_CRUISE);
	}
}

/* Sixteen octets remember bandwidth, round trip, bounds. */
static void bbr__folds(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	struct rnl_cc_folded f;
	struct rnl_cc again = {.mss = MSS};
	struct rnl_bbr *b = rnl_bbr_of(&again);

	run(l, 4 * SEC);
	state(l)->inflight_longterm = 654321;
	bbr->fold(&l->cc, &f);
	assert_true(f.word[0] != 0);
	bbr->unfold(&again, &f, l->now_us + SEC);
	assert_near(b->max_bw, state(l)->max_bw, 1);
	assert_int_equal(b->min_rtt_us, state(l)->min_rtt_us);
	assert_in_range(b->min_rtt_ms, state(l)->min_rtt_ms - 2, state(l)->min_rtt_ms + 2);
	assert_int_equal(b->inflight_longterm, 654321);
	assert_int_equal(b->state, RNL_BBR_CRUISE);
	assert_near(again.pacing_bytes_per_s, l->rate * 99 / 100, 6);
	assert_in_range(again.cwnd_bytes, bdp(l), 654321);
	/* Before anything was measured. */
	l = begin(100 * MBIT, 40 * MS, 5000000);
	bbr->fold(&l->cc, &f);
	assert_true(f.word[0] != 0);
	bbr->unfold(&again, &f, l->now_us + SEC);
	assert_int_equal(b->state, RNL_BBR_STARTUP);
	assert_int_equal(again.cwnd_bytes, IW);
	assert_int_equal(b->max_bw, 0);
	assert_true(again.pacing_bytes_per_s > 0);
}

/* 5.5.9: ACKs in bunches: cwnd has room for what they bring beyond the bandwidth. */
static void bbr__stands_aggregation(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);

	l->gather_us = 20 * MS;
	run(l, 3 * SEC);
	assert_true(state(l)->full_bw_reached);
	assert_true(RTE_MAX(state(l)->extra_acked[0], state(l)->extra_acked[1]) > 50 * MSS);
	assert_in_range(goodput(l, 10 * SEC), l->rate * 90 / 100, l->rate * 101 / 100);
}

/* The appendix: less than a packet fits the path. */
static void bbr__sub_packet_bdp(void **st)
{
	struct link *l = begin(MBIT, MS, 100000);

	run(l, 5 * SEC);
	assert_in_range(l->cc.cwnd_bytes, 4 * MSS, 14 * MSS);
	assert_in_range(goodput(l, 10 * SEC), l->rate * 90 / 100, l->rate * 101 / 100);
}

/* The very same input gives the very same state. */
static void bbr__is_deterministic(void **st)
{
	struct link *l = begin(50 * MBIT, 30 * MS, 100000);
	struct rnl_cc before;

	l->drop_of = 200;
	run(l, 8 * SEC);
	before = l->cc;
	l = begin(50 * MBIT, 30 * MS, 100000);
	l->drop_of = 200;
	run(l, 8 * SEC);
	assert_memory_equal(&before, &l->cc, sizeof(before));
}

/* Any numbers at all: nothing overflows, cwnd and rate stay sane. */
static void bbr__stands_any_sample(void **st)
{
	struct link *l = begin(100 * MBIT, 40 * MS, 5000000);
	struct rnl_ack_sample s;

	for (unsigned int i = 0; i < 20000; i++) {
		uint32_t shift = l->random >> 27;

		chance(l, 2);
		s = (struct rnl_ack_sample){
		    .now_us = l->now_us += l->random >> shift,
		    .delivered = l->delivered += l->random >> (shift | 4),
		    .rate_delivered_bytes = l->random >> (31 - shift),
		    .rate_interval_us = l->random >> shift,
		    .rate_inflight_bytes = l->random,
		    .rate_lost_bytes = l->random >> shift,
		    .pipe_bytes = l->random >> (shift | 1),
		    .rtt_us = l->random >> shift,
		    .srtt_us = 1,
		    .cwnd_limited = i & 1,
		    .sack_ok = i & 2,
		};
		s.prior_delivered = s.delivered - s.rate_delivered_bytes;
		s.rate_interval_us += s.rate_interval_us == 0;
		bbr->on_ack(&l->cc, &s);
		if (i % 7 == 0)
			bbr->on_congestion(&l->cc, (enum rnl_cc_cause)(i % 3), &s);
		if (i % 11 == 0)
			bbr->on_undo(&l->cc);
		assert_in_range(l->cc.cwnd_bytes, 1, RNL_BBR_WINDOW_MAX + MSS);
		assert_true(l->cc.pacing_bytes_per_s > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bbr__finds_the_bandwidth_and_drains),
	    cmocka_unit_test(bbr__fits_in_the_private_octets),
	    cmocka_unit_test(bbr__startup_doubles),
	    cmocka_unit_test(bbr__cycles),
	    cmocka_unit_test(bbr__paces_by_state),
	    cmocka_unit_test(bbr__probes_the_round_trip),
	    cmocka_unit_test(bbr__probe_rtt_in_startup),
	    cmocka_unit_test(bbr__reacts_to_two_percent),
	    cmocka_unit_test(bbr__startup_ends_by_losses),
	    cmocka_unit_test(bbr__startup_without_sack),
	    cmocka_unit_test(bbr__stands_random_loss),
	    cmocka_unit_test(bbr__shortterm_follows_losses),
	    cmocka_unit_test(bbr__follows_the_rate),
	    cmocka_unit_test(bbr__timeout),
	    cmocka_unit_test(bbr__undo),
	    cmocka_unit_test(bbr__marks_are_congestion),
	    cmocka_unit_test(bbr__limited_by_the_application),
	    cmocka_unit_test(bbr__restart_from_idle),
	    cmocka_unit_test(bbr__folds),
	    cmocka_unit_test(bbr__stands_aggregation),
	    cmocka_unit_test(bbr__sub_packet_bdp),
	    cmocka_unit_test(bbr__is_deterministic),
	    cmocka_unit_test(bbr__stands_any_sample),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
