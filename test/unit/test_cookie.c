/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies: what is taken for one and what not (RFC 4987 3.6, appendix A). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "algo/cookie.h"
#include "base/prng.h"

static const uint8_t secret[16] = {1, 2, 3}, other_secret[16] = {1, 2, 4};

static struct rnl_tuple tuple(uint32_t i)
{
	struct rnl_tuple t = {.lport = 80, .rport = (uint16_t)(i * 7)};

	for (int k = 0; k < 16; k++)
		t.raddr.b[k] = (uint8_t)(i >> k % 4 * 8);
	return t;
}

static void cookie__brings_mss_back_for_three_ticks(void **state)
{
	struct rnl_tuple t = tuple(1);
	struct rnl_cookie c = {.key = &t, .secret = secret, .peer_isn = 0xfffffff0};

	/* The counter wraps; only its low eight bits stand in the cookie. */
	for (uint32_t count = UINT32_MAX - 300; count != 300; count++) {
		for (unsigned int mss = 0; mss < 8; mss++) {
			uint32_t isn;

			c.count = count;
			isn = rnl_cookie_isn(&c, mss);
			for (uint32_t age = 0; age < 8; age++) {
				c.count = count + age;
				assert_int_equal(rnl_cookie_check(&c, isn),
				                 age <= RNL_COOKIE_AGE_MAX ? (int)mss : -1);
			}
			c.count = count - 1; /* from the future */
			assert_int_equal(rnl_cookie_check(&c, isn), -1);
		}
	}
}

static void cookie__depends_on_everything(void **state)
{
	struct rnl_tuple t = tuple(1), u = t;
	struct rnl_cookie c = {.key = &t, .secret = secret, .peer_isn = 77, .count = 5};
	uint32_t isn = rnl_cookie_isn(&c, 3);

	assert_int_equal(rnl_cookie_check(&c, isn), 3);
	c.secret = other_secret;
	assert_int_equal(rnl_cookie_check(&c, isn), -1);
	c.secret = secret;
	c.peer_isn = 78;
	assert_int_equal(rnl_cookie_check(&c, isn), -1);
	c.peer_isn = 77;
	c.key = &u;
	for (size_t i = 0; i < sizeof(u); i++) {
		((uint8_t *)&u)[i] ^= 0x10;
		assert_int_equal(rnl_cookie_check(&c, isn), -1);
		((uint8_t *)&u)[i] ^= 0x10;
	}
	assert_int_equal(rnl_cookie_check(&c, isn), 3);
	for (uint32_t k = 1; k < 100000; k++) /* an ACK of some octets more is none */
		assert_int_equal(rnl_cookie_check(&c, isn + k), -1);
}

/* What an old connection sends is no cookie, however much both ends had sent: FIN and FIN, an echo. */
static void cookie__is_not_in_later_segments(void **state)
{
	struct rnl_tuple t = tuple(2);
	struct rnl_cookie c = {.key = &t, .secret = secret, .count = 5};
	uint32_t isn, theirs, ours;

	c.peer_isn = 1000;
	isn = rnl_cookie_isn(&c, 6);
	for (theirs = 0; theirs < 1500; theirs++) {
		c.peer_isn = 1000 + theirs;
		for (ours = 0; ours < 1500; ours++)
			assert_int_equal(rnl_cookie_check(&c, isn + ours),
			                 theirs == 0 && ours == 0 ? 6 : -1);
	}
	for (theirs = 1; theirs < 1u << 21; theirs++) {
		c.peer_isn = 1000 + theirs;
		assert_int_equal(rnl_cookie_check(&c, isn + theirs), -1);
	}
}

/* RFC 4987 appendix A: of one tuple the ISN increases slowly. */
static void cookie__increases_with_the_counter(void **state)
{
	struct rnl_tuple t = tuple(9);
	struct rnl_cookie c = {.key = &t, .secret = secret, .peer_isn = 1};
	uint32_t was = rnl_cookie_isn(&c, 6);

	for (c.count = 1; c.count < 1000; c.count++) {
		uint32_t isn = rnl_cookie_isn(&c, 6);

		assert_true((int32_t)(isn - was) > 0);
		assert_true(isn - was < 2u << 24);
		was = isn;
	}
}

static void cookie__is_rarely_guessed(void **state)
{
	struct rnl_prng prng;
	unsigned int hits = 0, near_hits = 0;

	rnl_prng_seed(&prng, 1);
	for (uint32_t i = 0; i < 1000000; i++) {
		struct rnl_tuple t = tuple(i);
		struct rnl_cookie c = {.key = &t, .secret = secret, .peer_isn = i, .count = 1000};
		uint32_t guess = (uint32_t)rnl_prng_next(&prng);

		hits += rnl_cookie_check(&c, guess) >= 0;
		if (i % 16 == 0)
			near_hits += rnl_cookie_near(&c, guess);
	}
	assert_int_equal(hits, 0); /* 0.006 expected */
	assert_in_range(near_hits, 5, 60); /* 23 expected */
}

static void cookie__knows_later_segments_of_a_handshake(void **state)
{
	struct rnl_tuple t = tuple(3);
	struct rnl_cookie c = {.key = &t, .secret = secret, .peer_isn = UINT32_MAX - 5, .count = 7};
	uint32_t isn = rnl_cookie_isn(&c, 5), first = c.peer_isn;

	assert_false(rnl_cookie_near(&c, isn)); /* that is the first one */
	for (uint32_t count = 7; count < 7 + 3; count++) {
		c.count = count;
		c.peer_isn = first + 1;
		assert_true(rnl_cookie_near(&c, isn));
		c.peer_isn = first + 65535;
		assert_true(rnl_cookie_near(&c, isn));
		c.peer_isn = first + 65536;
		assert_false(rnl_cookie_near(&c, isn));
		c.peer_isn = first - 1;
		assert_false(rnl_cookie_near(&c, isn));
	}
	c.count = 7 + 3;
	c.peer_isn = first + 1;
	assert_false(rnl_cookie_near(&c, isn));
}

/* RFC 4987 appendix A: "the largest i for which msstab[i] <= the incoming MSS". */
static void cookie__mss_is_rounded_down(void **state)
{
	for (int v4 = 0; v4 < 2; v4++) {
		for (uint32_t mss = 64; mss <= UINT16_MAX; mss++) {
			unsigned int i = rnl_cookie_mss_index(v4, (uint16_t)mss);

			assert_in_range(i, 0, 7);
			assert_true(rnl_cookie_mss(v4, i) <= mss);
			assert_true(i == 7 || rnl_cookie_mss(v4, i + 1) > mss);
		}
		assert_int_equal(rnl_cookie_mss(v4, rnl_cookie_mss_index(v4, 0)), 64);
	}
	assert_int_equal(rnl_cookie_mss(true, rnl_cookie_mss_index(true, 1460)), 1460);
	assert_int_equal(rnl_cookie_mss(true, rnl_cookie_mss_index(true, 536)), 536);
	assert_int_equal(rnl_cookie_mss(false, rnl_cookie_mss_index(false, 1440)), 1440);
	assert_int_equal(rnl_cookie_mss(false, rnl_cookie_mss_index(false, 1220)), 1220);
}

static void cookie__timestamp_brings_options_back(void **state)
{
	struct rnl_prng prng;

	rnl_prng_seed(&prng, 2);
	for (unsigned int i = 0; i < 20000; i++) {
		uint32_t now = i < 200 ? i - 100 : (uint32_t)rnl_prng_next(&prng);
		struct rnl_cookie_opts o = {.has_wscale = i & 1,
		                            .wscale = (uint8_t)(i & 1 ? i % 15 : 0),
		                            .sack_ok = i >> 1 & 1,
		                            .ecn = i >> 2 & 1},
		                       got = {0};
		uint32_t ts = rnl_cookie_tsval(now, &o);

		assert_in_range(now - ts, 0, 63); /* never ahead of the clock */
		assert_true(rnl_cookie_tsecr(now + 1000, ts, &got));
		assert_int_equal(got.has_wscale, o.has_wscale);
		if (o.has_wscale)
			assert_int_equal(got.wscale, o.wscale);
		assert_int_equal(got.sack_ok, o.sack_ok);
		assert_int_equal(got.ecn, o.ecn);
		assert_true(rnl_cookie_tsecr(now + 192000, ts, &got));
		assert_false(rnl_cookie_tsecr(now + 192064, ts, &got));
		assert_false(rnl_cookie_tsecr(now, now + 1, &got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cookie__brings_mss_back_for_three_ticks),
	    cmocka_unit_test(cookie__depends_on_everything),
	    cmocka_unit_test(cookie__is_not_in_later_segments),
	    cmocka_unit_test(cookie__increases_with_the_counter),
	    cmocka_unit_test(cookie__is_rarely_guessed),
	    cmocka_unit_test(cookie__knows_later_segments_of_a_handshake),
	    cmocka_unit_test(cookie__mss_is_rounded_down),
	    cmocka_unit_test(cookie__timestamp_brings_options_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
