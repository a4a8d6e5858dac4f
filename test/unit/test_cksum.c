/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/cksum, against a sum made octet by octet. */
#include "frames.h"

#include <rte_byteorder.h>

#include "wire/cksum.h"

static uint8_t octets[70000];

static int setup(void **state)
{
	for (unsigned int i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * i * 31 + i * 7 + 13);
	return rnl_test_env_init();
}

/* 0 and 0xffff are the same number in one's complement. */
static void same_sum(uint32_t unfolded, uint32_t expected)
{
	uint32_t sum = rte_be_to_cpu_16(rnl_cksum_fold(unfolded));

	assert_int_equal(sum % 0xffff, expected % 0xffff);
}

/* RFC 1071 3: the sum of 00 01 f2 03 f4 f5 f6 f7 is ddf2. */
static void cksum__example_of_rfc1071(void **state)
{
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	same_sum(rnl_cksum_add(example, sizeof(example), 0), 0xddf2);
}

static void cksum__every_length_and_alignment(void **state)
{
	for (uint32_t len = 0; len < 300; len++)
		for (uint32_t at = 0; at < 8; at++)
			same_sum(rnl_cksum_add(octets + at, len, 0),
			         frame_sum(octets + at, len, 0));
}

static void cksum__adds_to_what_is_there(void **state)
{
	static const uint32_t before[] = {0, 1, 0xffff, 0x10000, 0xfffe0001, UINT32_MAX};

	for (unsigned int i = 0; i < RTE_DIM(before); i++) {
		uint32_t start = rte_be_to_cpu_16(rnl_cksum_fold(before[i]));

		same_sum(rnl_cksum_add(octets, 99, before[i]), frame_sum(octets, 99, start));
	}
}

/* The most that carries can pile up: nothing is lost, and there is room for more. */
static void cksum__no_overflow(void **state)
{
	static uint8_t ones[65535];
	uint32_t sum = UINT32_MAX;

	memset(ones, 0xff, sizeof(ones));
	for (unsigned int i = 0; i < 8; i++) {
		sum = rnl_cksum_add(ones, 65534, sum);
		assert_true(sum < 0x20000);
		same_sum(sum, 0);
	}
	same_sum(rnl_cksum_add(ones, 65535, 0), 0xff00);
}

static void cksum__chains_of_every_shape(void **state)
{
	enum { LEN = 47 };

	for (uint32_t shape = 0; shape < FRAME_SHAPES(LEN); shape++) {
		struct rte_mbuf *m = frame_shape(octets, LEN, shape);

		for (uint32_t off = 0; off <= LEN; off++)
			for (uint32_t len = 0; off + len <= LEN; len++)
				same_sum(rnl_cksum_add_mbuf(m, off, len, 0xabcd),
				         frame_sum(octets + off, len, rte_be_to_cpu_16(0xabcd)));
		rte_pktmbuf_free(m);
	}
}

static void cksum__large_chain(void **state)
{
	uint32_t cuts[] = {1, 2, 5, 1000, 1001, 2999, 30000, 65000};
	struct rte_mbuf *m = rnl_test_chain(octets, 65535, cuts, RTE_DIM(cuts));

	same_sum(rnl_cksum_add_mbuf(m, 0, 65535, 0), frame_sum(octets, 65535, 0));
	same_sum(rnl_cksum_add_mbuf(m, 3, 65001, 0), frame_sum(octets + 3, 65001, 0));
	rte_pktmbuf_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(cksum__example_of_rfc1071),
	    rnl_unit_test(cksum__every_length_and_alignment),
	    rnl_unit_test(cksum__adds_to_what_is_there),
	    rnl_unit_test(cksum__no_overflow),
	    rnl_unit_test(cksum__chains_of_every_shape),
	    rnl_unit_test(cksum__large_chain),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
