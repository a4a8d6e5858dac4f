/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/tcpopt. */
#include "env.h"

#include <stdlib.h>

#include "base/prng.h"
#include "wire/tcpopt.h"

#define ALL (RNL_OPT_MSS | RNL_OPT_WSCALE | RNL_OPT_SACK_OK | RNL_OPT_TS | RNL_OPT_SACK)

/* Parses a copy without an octet to spare, at an odd address, so that overreads are seen. */
static struct rnl_tcpopt parse(const uint8_t *p, unsigned int len)
{
	uint8_t *copy = malloc(len + 1);
	struct rnl_tcpopt opt;

	assert_non_null(copy);
	memset(&opt, 0, sizeof(opt));
	memcpy(copy + 1, p, len);
	rnl_tcpopt_parse(copy + 1, len, &opt);
	free(copy);
	return opt;
}

#define PARSE(...) parse((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void tcpopt__syn_of_linux(void **state)
{
	struct rnl_tcpopt o = PARSE(2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7);

	assert_int_equal(o.has, RNL_OPT_MSS | RNL_OPT_SACK_OK | RNL_OPT_TS | RNL_OPT_WSCALE);
	assert_int_equal(o.mss, 1460);
	assert_int_equal(o.tsval, 0x01020304);
	assert_int_equal(o.tsecr, 0);
	assert_int_equal(o.wscale, 7);
}

static void tcpopt__aligned_timestamps_and_sack(void **state)
{
	struct rnl_tcpopt o = PARSE(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 18, 0, 0, 0, 3, 0,
	                            0, 0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9);

	assert_int_equal(o.has, RNL_OPT_TS | RNL_OPT_SACK);
	assert_int_equal(o.tsval, 1);
	assert_int_equal(o.tsecr, 2);
	assert_int_equal(o.nsack, 2);
	assert_int_equal(o.sack[0].left, 3);
	assert_int_equal(o.sack[0].right, 4);
	assert_int_equal(o.sack[1].left, 0xffffffff);
	assert_int_equal(o.sack[1].right, 9);
}

/* RFC 9293 3.2: any order, any alignment, unknown kinds stepped over, nothing behind END.
 * RFC 9293 3.1 (MUST-4). */
static void tcpopt__order_and_alignment_do_not_matter(void **state)
{
	struct rnl_tcpopt o =
	    PARSE(8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 254, 5, 9, 9, 9, 1, 3, 3, 2, 253, 2, 2, 4, 1, 0);

	assert_int_equal(o.has, RNL_OPT_TS | RNL_OPT_WSCALE | RNL_OPT_MSS);
	assert_int_equal(o.mss, 256);
	o = PARSE(4, 2, 0, 2, 4, 1, 0);
	assert_int_equal(o.has, RNL_OPT_SACK_OK);
	o = PARSE(1, 1, 1, 1);
	assert_int_equal(o.has, 0);
	assert_int_equal(parse((const uint8_t *)"", 0).has, 0);
}

/* RFC 9293 3.1. */
static void tcpopt__impossible_lengths_end_the_parse(void **state)
{
	assert_int_equal(PARSE(2, 0, 1, 1).has, RNL_OPT_BAD);
	assert_int_equal(PARSE(77, 1, 1, 1).has, RNL_OPT_BAD);
	assert_int_equal(PARSE(2, 5, 1, 1).has, RNL_OPT_BAD);
	assert_int_equal(PARSE(1, 1, 1, 2).has, RNL_OPT_BAD);
	assert_int_equal(PARSE(77, 255, 0, 0).has, RNL_OPT_BAD);
	/* What was read before stays. */
	assert_int_equal(PARSE(2, 4, 5, 0xb4, 3, 0, 1, 1).has, RNL_OPT_BAD | RNL_OPT_MSS);
}

/* A known kind with another kind's length is stepped over. */
static void tcpopt__wrong_length_of_a_known_kind(void **state)
{
	assert_int_equal(PARSE(2, 3, 5, 3, 3, 1).has, RNL_OPT_WSCALE);
	assert_int_equal(PARSE(3, 2, 4, 3, 0).has, 0);
	assert_int_equal(PARSE(8, 9, 0, 0, 0, 1, 0, 0, 0, 4, 2).has, RNL_OPT_SACK_OK);
	assert_int_equal(PARSE(5, 2, 4, 2).has, RNL_OPT_SACK_OK);
	assert_int_equal(PARSE(5, 9, 0, 0, 0, 0, 0, 0, 0, 1).has, 0);
	assert_int_equal(PARSE(5, 11, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1).has, 0);
}

static void tcpopt__first_of_a_repeated_one_counts(void **state)
{
	struct rnl_tcpopt o = PARSE(2, 4, 0, 1, 2, 4, 0, 2, 3, 3, 1, 3, 3, 2);

	assert_int_equal(o.mss, 1);
	assert_int_equal(o.wscale, 1);
	o = PARSE(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4);
	assert_int_equal(o.tsval, 1);
	o = PARSE(5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4);
	assert_int_equal(o.nsack, 1);
	assert_int_equal(o.sack[0].left, 1);
}

/* RFC 7323 2.3. */
static void tcpopt__window_scale_is_at_most_14(void **state)
{
	for (uint8_t shift = 0; shift < 255; shift++)
		assert_int_equal(PARSE(3, 3, shift).wscale, RTE_MIN(shift, 14));
}

static struct rnl_tcpopt full(uint16_t has, uint8_t nsack)
{
	struct rnl_tcpopt o = {.has = has, .nsack = nsack, .mss = 8960, .wscale = 9};

	o.tsval = 0xcafe0001;
	o.tsecr = 0x80000002;
	for (uint32_t i = 0; i < RNL_SACK_MAX; i++)
		o.sack[i] = (struct rnl_sack){1000 * i, 1000 * i + 500};
	return o;
}

/* Every set of options is written aligned, within 40 octets, and read back as it was.
 * RFC 9293 3.1 (MUST-69). */
static void tcpopt__write_is_read_back(void **state)
{
	for (unsigned int has = 0; has <= ALL; has++)
		for (uint8_t n = 0; n <= RNL_SACK_MAX; n++) {
			struct rnl_tcpopt in = full((uint8_t)has, n), out;
			uint8_t p[RNL_TCPOPT_MAXLEN + 8];
			unsigned int len;

			memset(p, 0xa5, sizeof(p));
			len = rnl_tcpopt_write(p, &in);
			assert_int_equal(len % 4, 0);
			assert_in_range(len, 0, RNL_TCPOPT_MAXLEN);
			assert_int_equal(p[len], 0xa5);
			out = parse(p, len);
			if (!(has & RNL_OPT_SACK) || n == 0)
				in.has &= (uint16_t)~RNL_OPT_SACK;
			assert_int_equal(out.has, in.has);
			if (has & RNL_OPT_MSS)
				assert_int_equal(out.mss, in.mss);
			if (has & RNL_OPT_WSCALE)
				assert_int_equal(out.wscale, in.wscale);
			if (has & RNL_OPT_TS)
				assert_int_equal(out.tsval + (uint64_t)out.tsecr,
				                 in.tsval + (uint64_t)in.tsecr);
			assert_memory_equal(out.sack, in.sack, out.nsack * sizeof(in.sack[0]));
		}
}

static unsigned int blocks(uint16_t has, uint8_t nsack, unsigned int room)
{
	struct rnl_tcpopt in = full(has, nsack);
	uint8_t p[RNL_TCPOPT_MAXLEN];
	unsigned int len = rnl_tcpopt_write_room(p, &in, room);

	assert_true(len <= room);
	return parse(p, len).nsack;
}

static void tcpopt__as_many_sack_blocks_as_fit(void **state)
{
	assert_int_equal(blocks(RNL_OPT_SACK, 4, 40), 4);
	assert_int_equal(blocks(RNL_OPT_SACK, 4, 28), 3);
	assert_int_equal(blocks(RNL_OPT_SACK, 4, 27), 2);
	assert_int_equal(blocks(RNL_OPT_SACK, 4, 11), 0);
	assert_int_equal(blocks(RNL_OPT_SACK, 4, 0), 0);
	assert_int_equal(blocks(RNL_OPT_SACK | RNL_OPT_TS, 4, 40), 3);
	assert_int_equal(blocks(RNL_OPT_SACK | RNL_OPT_TS, 2, 40), 2);
	assert_int_equal(blocks(ALL, 4, 40), 2);
}

static void tcpopt__layout_of_appendix_a(void **state)
{
	static const uint8_t ts[] = {1, 1, 8, 10, 0xca, 0xfe, 0, 1, 0x80, 0, 0, 2};
	static const uint8_t syn[] = {2, 4, 0x23, 0, 4, 2, 8, 10, 0xca, 0xfe,
	                              0, 1, 0x80, 0, 0, 2, 1, 3,  3,    9};
	static const uint8_t plain[] = {2, 4, 0x23, 0, 1, 1, 4, 2, 1, 3, 3, 9};
	struct rnl_tcpopt o = full(RNL_OPT_TS, 0);
	uint8_t p[RNL_TCPOPT_MAXLEN];

	assert_int_equal(rnl_tcpopt_write(p, &o), sizeof(ts));
	assert_memory_equal(p, ts, sizeof(ts));
	o = full(ALL & ~RNL_OPT_SACK, 0);
	assert_int_equal(rnl_tcpopt_write(p, &o), sizeof(syn));
	assert_memory_equal(p, syn, sizeof(syn));
	o = full(ALL & ~(RNL_OPT_SACK | RNL_OPT_TS), 0);
	assert_int_equal(rnl_tcpopt_write(p, &o), sizeof(plain));
	assert_memory_equal(p, plain, sizeof(plain));
}

/* Any octets at all: the parse ends, within the octets, with sound numbers. */
/* RFC 5482 3.3: kind 28, length 4; it gives way where a header is full. */
static void tcpopt__user_timeout(void **state)
{
	struct rnl_tcpopt o = PARSE(28, 4, 0x81, 2, 28, 4, 0, 9), full;
	uint8_t out[RNL_TCPOPT_MAXLEN];

	assert_int_equal(o.has, RNL_OPT_UTO);
	assert_int_equal(o.uto, 0x8102);
	assert_int_equal(PARSE(28, 3, 1, 1).has, 0);
	assert_int_equal(rnl_tcpopt_write(out, &o), 4);
	assert_memory_equal(out, ((uint8_t[]){28, 4, 0x81, 2}), 4);
	full = (struct rnl_tcpopt){.has = ALL | RNL_OPT_UTO, .nsack = 4, .uto = 7};
	assert_true(rnl_tcpopt_write(out, &full) <= RNL_TCPOPT_MAXLEN);
	assert_int_equal(parse(out, rnl_tcpopt_write(out, &full)).uto, 7);
}

/* RFC 7413 2: kind 34; a cookie of 4 to 16 octets, an even number; none asks for one. */
static void tcpopt__fast_open(void **state)
{
	struct rnl_tcpopt o = PARSE(34, 8, 1, 2, 3, 4, 5, 6, 34, 2), back;
	uint8_t out[RNL_TCPOPT_MAXLEN];

	assert_int_equal(o.has, RNL_OPT_TFO);
	assert_int_equal(o.tfo_len, 6);
	assert_memory_equal(o.tfo, ((uint8_t[]){1, 2, 3, 4, 5, 6}), 6);
	assert_int_equal(rnl_tcpopt_write(out, &o), 8);
	assert_memory_equal(out, ((uint8_t[]){34, 8, 1, 2, 3, 4, 5, 6}), 8);
	o = PARSE(34, 2);
	assert_int_equal(o.has, RNL_OPT_TFO);
	assert_int_equal(o.tfo_len, 0);
	assert_int_equal(rnl_tcpopt_write(out, &o), 4);
	assert_memory_equal(out, ((uint8_t[]){1, 1, 34, 2}), 4);
	assert_int_equal(PARSE(34, 4, 1, 2).has, 0);
	assert_int_equal(PARSE(34, 7, 1, 2, 3, 4, 5).has, 0);
	assert_int_equal(PARSE(34, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18).has,
			 0);
	/* With all else that a SYN carries the longest cookie just fits; the user timeout gives way. */
	o = full((ALL & ~RNL_OPT_SACK) | RNL_OPT_TFO | RNL_OPT_UTO, 0);
	o.tfo_len = 16;
	memset(o.tfo, 7, 16);
	assert_int_equal(rnl_tcpopt_write(out, &o), 40);
	back = parse(out, 40);
	assert_int_equal(back.has, (ALL & ~RNL_OPT_SACK) | RNL_OPT_TFO);
	assert_int_equal(back.tfo_len, 16);
	assert_memory_equal(back.tfo, o.tfo, 16);
	/* A server's cookie and AccECN (RFC 9768 3.2.3.3): two counters are left, none with user timeout. */
	o = full((ALL & ~RNL_OPT_SACK) | RNL_OPT_TFO | RNL_OPT_ACCECN, 0);
	o.tfo_len = 8;
	o.accecn = (struct rnl_accecn){.fields = 3, .e0b = 1, .ceb = 2, .e1b = 3};
	assert_int_equal(rnl_tcpopt_write(out, &o), 40);
	back = parse(out, 40);
	assert_int_equal(back.has, o.has);
	assert_int_equal(back.accecn.fields, 2);
	o.has |= RNL_OPT_UTO;
	assert_int_equal(rnl_tcpopt_write(out, &o), 40);
	assert_int_equal(parse(out, 40).accecn.fields, 0);
	o.tfo_len = 16;
	assert_int_equal(rnl_tcpopt_write(out, &o), 40);
	assert_int_equal(parse(out, 40).has, (ALL & ~RNL_OPT_SACK) | RNL_OPT_TFO);
}

static void tcpopt__garbage(void **state)
{
	static const uint8_t likely_octets[] = {0, 1, 2, 3, 4, 5, 8, 10, 18, 34, 255};
	struct rnl_prng rng;
	uint8_t p[64];

	rnl_prng_seed(&rng, 11);
	for (unsigned int n = 0; n < 50000; n++) {
		unsigned int len = rnl_prng_below(&rng, sizeof(p) + 1);
		struct rnl_tcpopt o;

		for (unsigned int i = 0; i < len; i++)
			p[i] = rnl_prng_below(&rng, 3) == 0
			           ? (uint8_t)rnl_prng_next(&rng)
			           : likely_octets[rnl_prng_below(&rng, sizeof(likely_octets))];
		o = parse(p, len);
		assert_true(o.nsack <= RNL_SACK_MAX);
		assert_int_equal((o.has & RNL_OPT_SACK) != 0, o.nsack > 0);
		assert_true(o.wscale <= 14);
		if (o.has & RNL_OPT_TFO)
			assert_true(o.tfo_len <= 16 && o.tfo_len % 2 == 0 && o.tfo_len != 2);
	}
}

/* RFC 9768 3.2.3, figure 4, table 5: both orders, every length; of others the whole fields. */
static void tcpopt__accecn(void **state)
{
	struct rnl_tcpopt o = PARSE(172, 11, 0, 0, 1, 0, 1, 0, 1, 0, 0);
	uint8_t out[RNL_TCPOPT_MAXLEN];

	assert_int_equal(o.has, RNL_OPT_ACCECN);
	assert_int_equal(o.accecn.fields, 3);
	assert_int_equal(o.accecn.e0b, 1);
	assert_int_equal(o.accecn.ceb, 0x100);
	assert_int_equal(o.accecn.e1b, 0x10000);
	o = PARSE(174, 8, 0, 0, 7, 0, 0, 9);
	assert_true(o.accecn.order1);
	assert_int_equal(o.accecn.fields, 2);
	assert_int_equal(o.accecn.e1b, 7);
	assert_int_equal(o.accecn.ceb, 9);
	assert_int_equal(PARSE(172, 2).accecn.fields, 0);
	assert_int_equal(PARSE(172, 7, 0, 0, 5, 1, 1).accecn.fields, 1);
	assert_int_equal(PARSE(172, 14, 0, 0, 5, 0, 0, 6, 0, 0, 7, 1, 1, 1).accecn.e1b, 7);
	for (uint8_t n = 0; n <= 3; n++) {
		struct rnl_tcpopt in = {.has = RNL_OPT_ACCECN | RNL_OPT_TS | RNL_OPT_SACK,
		                        .nsack = 4,
		                        .accecn = {n, n == 2, 0x123456, 0xabcdef, 0x654321}};
		unsigned int len = rnl_tcpopt_write(out, &in);

		o = parse(out, len);
		assert_int_equal(o.accecn.fields, n);
		assert_int_equal(o.accecn.order1, n == 2);
		assert_int_equal(o.accecn.ceb, n >= 2 ? 0xabcdef : 0);
		assert_int_equal(o.nsack, (40 - 12 - rnl_tcpopt_accecn_len(n) - 4) / 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tcpopt__syn_of_linux),
	    cmocka_unit_test(tcpopt__accecn),
	    cmocka_unit_test(tcpopt__aligned_timestamps_and_sack),
	    cmocka_unit_test(tcpopt__order_and_alignment_do_not_matter),
	    cmocka_unit_test(tcpopt__impossible_lengths_end_the_parse),
	    cmocka_unit_test(tcpopt__wrong_length_of_a_known_kind),
	    cmocka_unit_test(tcpopt__first_of_a_repeated_one_counts),
	    cmocka_unit_test(tcpopt__window_scale_is_at_most_14),
	    cmocka_unit_test(tcpopt__write_is_read_back),
	    cmocka_unit_test(tcpopt__as_many_sack_blocks_as_fit),
	    cmocka_unit_test(tcpopt__layout_of_appendix_a),
	    cmocka_unit_test(tcpopt__user_timeout),
	    cmocka_unit_test(tcpopt__fast_open),
	    cmocka_unit_test(tcpopt__garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
