/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proportional rate reduction: each branch of RFC 9937 6.2, and the recoveries that RFC 6937 4 shows
 * for it, where nothing but the constants differs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "algo/prr.h"
#include "base/prng.h"

#define MSS 1000

/* @return what may be sent, octets: SndCnt. */
static uint32_t sndcnt(struct rnl_prr *p, uint32_t delivered, uint32_t pipe, uint32_t ssthresh,
		       bool safe)
{
	const struct rnl_prr_ack a = {delivered, pipe, ssthresh, MSS, safe};

	return rnl_prr_cwnd(p, &a) - pipe;
}

/*
 * RFC 6937 4: one of twenty segments is lost, ssthresh is ten. The third duplicate ACK (ack 3) begins
 * it, and the forced retransmission goes out. From there on every second ACK lets a segment out, once
 * the octets make a whole one, where RFC 6937 counts in segments and rounds up; then the pipe is full.
 */
static void prr__single_loss(void **state)
{
	static const char sent[] = "R..N.N.N.N.N.N..N"; /* acks 3 to 19 */
	struct rnl_prr p;
	uint32_t pipe = 19 * MSS, total = 0;

	rnl_prr_start(&p, 10 * MSS, 20 * MSS);
	for (unsigned int i = 0; i < sizeof(sent) - 1; i++) {
		uint32_t n;

		pipe -= MSS;
		n = sndcnt(&p, MSS, pipe, 10 * MSS, false) / MSS;
		assert_int_equal(n, sent[i] != '.');
		p.out += n * MSS;
		pipe += n * MSS;
		total += n;
	}
	assert_int_equal(pipe, 10 * MSS); /* it ends where congestion control wants it */
	assert_int_equal(total, 8);
}

/* RFC 9937 6.2: SndCnt = ceil(prr_delivered * ssthresh / RecoverFS) - prr_out. */
static void prr__proportional(void **state)
{
	struct rnl_prr p;

	rnl_prr_start(&p, 7 * MSS, 10 * MSS);
	p.out = MSS;
	assert_int_equal(sndcnt(&p, 3 * MSS, 9 * MSS, 7 * MSS, false), 1100);
	p.out += 1100;
	assert_int_equal(sndcnt(&p, 1, 9 * MSS, 7 * MSS, false), 1); /* rounded up */
	p.out += MSS;
	assert_int_equal(sndcnt(&p, 1, 9 * MSS, 7 * MSS, false), 0); /* ahead of it: nothing */
}

/* RFC 9937 6.2: without a division the quotient is exact where it is whole, else one octet less at most. */
static void prr__proportional_exactly(void **state)
{
	struct rnl_prng rng;

	rnl_prng_seed(&rng, 7);
	for (int i = 0; i < 20000; i++) {
		uint32_t fs = rnl_prng_below(&rng, 100000000) + 2;
		uint32_t ssthresh = rnl_prng_below(&rng, fs - 1) + 1;
		uint32_t delivered = rnl_prng_below(&rng, fs) + 1;
		uint64_t whole = (uint64_t)delivered * ssthresh;
		uint64_t exact = (whole + fs - 1) / fs;
		struct rnl_prr p;

		rnl_prr_start(&p, ssthresh, fs);
		p.out = 1;
		assert_in_range(sndcnt(&p, delivered, ssthresh + 1, ssthresh, false) + 1,
				RTE_MAX(exact - (whole % fs != 0), 1u), exact);
	}
}

/* RFC 9937 6.2: below ssthresh without news of progress, as much goes out as came in (PRR-CRB). */
static void prr__conservative_bound(void **state)
{
	struct rnl_prr p;

	rnl_prr_start(&p, 10 * MSS, 20 * MSS);
	p.out = MSS;
	assert_int_equal(sndcnt(&p, MSS, 4 * MSS, 10 * MSS, false), MSS);
	p.out += MSS;
	assert_int_equal(sndcnt(&p, 2 * MSS, 4 * MSS, 10 * MSS, false), 2 * MSS);
	/* What was not sent before is banked. */
	assert_int_equal(sndcnt(&p, MSS, 4 * MSS, 10 * MSS, false), 2 * MSS);
}

/* RFC 9937 6.2: below ssthresh with progress and no further loss, one segment more (PRR-SSRB). */
static void prr__slow_start_bound(void **state)
{
	struct rnl_prr p;

	rnl_prr_start(&p, 10 * MSS, 20 * MSS);
	p.out = MSS;
	assert_int_equal(sndcnt(&p, MSS, 4 * MSS, 10 * MSS, true), 2 * MSS);
	p.out += 2 * MSS;
	assert_int_equal(sndcnt(&p, MSS, 5 * MSS, 10 * MSS, true), 2 * MSS);
}

/* RFC 9937 6.2: neither bound goes beyond ssthresh. */
static void prr__not_beyond_ssthresh(void **state)
{
	struct rnl_prr p;

	rnl_prr_start(&p, 10 * MSS, 20 * MSS);
	p.out = MSS;
	assert_int_equal(sndcnt(&p, 5 * MSS, 9 * MSS, 10 * MSS, true), MSS);
	assert_int_equal(sndcnt(&p, 5 * MSS, 10 * MSS, 10 * MSS, true), 0);
}

/* RFC 9937 6.2: the first retransmission goes out, whatever the rest says; only the first. */
static void prr__forced_first(void **state)
{
	struct rnl_prr p;

	rnl_prr_start(&p, MSS, 100 * MSS);
	assert_int_equal(sndcnt(&p, MSS, 90 * MSS, MSS, false), MSS);
	p.out += MSS;
	assert_int_equal(sndcnt(&p, MSS, 90 * MSS, MSS, false), 0);
	rnl_prr_start(&p, 10 * MSS, 20 * MSS);
	assert_int_equal(sndcnt(&p, MSS, 10 * MSS, 10 * MSS, false), MSS);
}

/* RFC 6937 4: fifteen of twenty are lost; each of the five ACKs lets out what was delivered. */
static void prr__many_losses(void **state)
{
	struct rnl_prr p;
	uint32_t pipe = 4 * MSS;

	rnl_prr_start(&p, 10 * MSS, 20 * MSS);
	for (int i = 0; i < 5; i++) {
		uint32_t n = sndcnt(&p, MSS, pipe, 10 * MSS, false);

		assert_int_equal(n, MSS);
		p.out += n;
	}
	/* Then the retransmissions are acknowledged: two for each, until the pipe is full again. */
	for (pipe = 4 * MSS; pipe < 10 * MSS; pipe += MSS) {
		uint32_t n = sndcnt(&p, MSS, pipe, 10 * MSS, true);

		assert_int_equal(n, 2 * MSS);
		p.out += n;
		if (pipe == 8 * MSS)
			break;
	}
}

/* RFC 9937 6: octets and not ACKs count: split and stretched ACKs let the same amount out. */
static void prr__stretched_and_split(void **state)
{
	struct rnl_prr one, many;
	uint32_t n = 0;

	rnl_prr_start(&one, 10 * MSS, 20 * MSS);
	rnl_prr_start(&many, 10 * MSS, 20 * MSS);
	one.out = many.out = 1;
	for (int i = 0; i < 100; i++) {
		n = sndcnt(&many, MSS / 10, 15 * MSS, 10 * MSS, false);
		many.out += n;
	}
	one.out += sndcnt(&one, 10 * MSS, 15 * MSS, 10 * MSS, false);
	assert_int_equal(one.out, many.out);
}

/* RFC 9937 6: an empty flight, or one below ssthresh, divides by nothing and exceeds nothing. */
static void prr__odd_starts(void **state)
{
	struct rnl_prr p;

	rnl_prr_start(&p, 2 * MSS, 0);
	assert_int_equal(sndcnt(&p, MSS, 0, 2 * MSS, false), MSS);
	rnl_prr_start(&p, 20 * MSS, MSS);
	assert_int_equal(sndcnt(&p, MSS, 0, 20 * MSS, true), 2 * MSS);
	rnl_prr_start(&p, UINT32_MAX, UINT32_MAX);
	p.out = 1;
	assert_int_equal(sndcnt(&p, MSS, 0, UINT32_MAX, false), MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prr__single_loss),
	    cmocka_unit_test(prr__proportional),
	    cmocka_unit_test(prr__proportional_exactly),
	    cmocka_unit_test(prr__conservative_bound),
	    cmocka_unit_test(prr__slow_start_bound),
	    cmocka_unit_test(prr__not_beyond_ssthresh),
	    cmocka_unit_test(prr__forced_first),
	    cmocka_unit_test(prr__many_losses),
	    cmocka_unit_test(prr__stretched_and_split),
	    cmocka_unit_test(prr__odd_starts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
