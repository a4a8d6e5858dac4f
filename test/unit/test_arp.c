/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/arp. */
#include "frames.h"

#include "wire/arp.h"
#include "wire/ip.h"

/* A request as RFC 826 lays it out, behind three octets that are not its own. */
static const uint8_t request[3 + RNL_ARP_LEN] = {
    0xee, 0xee, 0xee,             /* */
    0,    1,    0x08, 0, 6, 4,    /* Ethernet, IPv4, lengths */
    0,    1,                      /* request */
    2,    0,    0,    0, 0, 0x17, /* sender */
    192,  0,    2,    1,          /* */
    0,    0,    0,    0, 0, 0,    /* target */
    192,  0,    2,    9,
};

/* Parses the packet in every chain shape; all agree. @return the verdict. */
static enum rnl_counter parse(const uint8_t *p, uint32_t len, struct rnl_arp *out)
{
	enum rnl_counter verdict = RNL_C_COUNT;

	for (uint32_t shape = 0; shape < FRAME_SHAPES(len); shape++) {
		struct rte_mbuf *m = frame_shape(p, len, shape);
		struct rnl_arp arp = {0};
		enum rnl_counter v = rnl_arp_parse(m, 3, &arp);

		rte_pktmbuf_free(m);
		if (shape > 0) {
			assert_int_equal(v, verdict);
			assert_memory_equal(&arp, out, sizeof(arp));
		}
		verdict = v;
		*out = arp;
	}
	return verdict;
}

static void arp__request(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x17};
	struct rnl_addr spa = rnl_addr_v4(192, 0, 2, 1), tpa = rnl_addr_v4(192, 0, 2, 9);
	struct rnl_arp arp;

	assert_int_equal(parse(request, sizeof(request), &arp), RNL_C_ok);
	assert_int_equal(arp.op, RNL_ARP_REQUEST);
	assert_memory_equal(arp.sha, mac, 6);
	assert_true(rnl_addr_equal(&arp.spa, &spa));
	assert_true(rnl_addr_equal(&arp.tpa, &tpa));
}

static void arp__write_is_the_inverse(void **state)
{
	uint8_t p[RNL_ARP_LEN];
	struct rnl_arp arp;

	parse(request, sizeof(request), &arp);
	rnl_arp_write(p, &arp);
	assert_memory_equal(p, request + 3, sizeof(p));
}

static void arp__every_truncation_is_bad(void **state)
{
	struct rnl_arp arp;

	for (uint32_t len = 0; len < sizeof(request); len++)
		assert_int_equal(parse(request, len, &arp), RNL_C_arp_rx_bad);
}

static void arp__padding_does_not_matter(void **state)
{
	uint8_t p[64] = {0};
	struct rnl_arp arp;

	memcpy(p, request, sizeof(request));
	assert_int_equal(parse(p, sizeof(p), &arp), RNL_C_ok);
}

/* Each octet of the fixed part, and an operation that is neither request nor reply. */
static void arp__other_kinds_are_bad(void **state)
{
	struct rnl_arp arp;
	uint8_t p[sizeof(request)];

	for (unsigned int i = 3; i < 3 + 7; i++) {
		memcpy(p, request, sizeof(p));
		p[i] ^= 0x10;
		assert_int_equal(parse(p, sizeof(p), &arp), RNL_C_arp_rx_bad);
	}
	memcpy(p, request, sizeof(p));
	p[10] = 2;
	assert_int_equal(parse(p, sizeof(p), &arp), RNL_C_ok);
	p[10] = 0;
	assert_int_equal(parse(p, sizeof(p), &arp), RNL_C_arp_rx_bad);
	p[10] = 3;
	assert_int_equal(parse(p, sizeof(p), &arp), RNL_C_arp_rx_bad);
}

static void with_sender(const uint8_t mac[6], const uint8_t ip[4], enum rnl_counter expected)
{
	struct rnl_arp arp;
	uint8_t p[sizeof(request)];

	memcpy(p, request, sizeof(p));
	memcpy(p + 11, mac, 6);
	memcpy(p + 17, ip, 4);
	assert_int_equal(parse(p, sizeof(p), &arp), expected);
}

static void arp__senders_that_cannot_be(void **state)
{
	static const uint8_t good[6] = {2, 0, 0, 0, 0, 1}, none[6];
	static const uint8_t group[6] = {3, 0, 0, 0, 0, 1};
	static const uint8_t ip[4] = {192, 0, 2, 1};
	static const uint8_t probe[4];
	static const uint8_t multicast[4] = {224, 0, 0, 1}, broadcast[4] = {255, 255, 255, 255};

	with_sender(good, ip, RNL_C_ok);
	with_sender(good, probe, RNL_C_ok); /* RFC 5227 2.1.1 */
	with_sender(none, ip, RNL_C_arp_rx_bad);
	with_sender(group, ip, RNL_C_arp_rx_bad);
	with_sender(good, multicast, RNL_C_arp_rx_bad);
	with_sender(good, broadcast, RNL_C_arp_rx_bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rnl_unit_test(arp__request),
	    rnl_unit_test(arp__write_is_the_inverse),
	    rnl_unit_test(arp__every_truncation_is_bad),
	    rnl_unit_test(arp__padding_does_not_matter),
	    rnl_unit_test(arp__other_kinds_are_bad),
	    rnl_unit_test(arp__senders_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
