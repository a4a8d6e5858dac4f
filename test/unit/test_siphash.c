/* SPDX-License-Identifier: BSD-3-Clause */
/* base/siphash: the paper's vector, and every length against a second, naive implementation. */
#include "env.h"

#include "base/siphash.h"

/* Written from the paper's definition, octet by octet, to share nothing with the library's. */
struct naive {
	uint64_t a, b, c, d;
};

static uint64_t turn_left(uint64_t x, int n)
{
	return (x << n) + (x >> (64 - n));
}

static void naive_round(struct naive *s)
{
	s->a += s->b;
	s->b = turn_left(s->b, 13);
	s->b ^= s->a;
	s->a = turn_left(s->a, 32);
	s->c += s->d;
	s->d = turn_left(s->d, 16);
	s->d ^= s->c;
	s->a += s->d;
	s->d = turn_left(s->d, 21);
	s->d ^= s->a;
	s->c += s->b;
	s->b = turn_left(s->b, 17);
	s->b ^= s->c;
	s->c = turn_left(s->c, 32);
}

static uint64_t number(const uint8_t *p)
{
	uint64_t x = 0;

	for (int i = 7; i >= 0; i--)
		x = x * 256 + p[i];
	return x;
}

static uint64_t naive_siphash(const uint8_t *key, const uint8_t *data, size_t len, int c, int d)
{
	uint8_t padded[512] = {0};
	size_t words = len / 8 + 1;
	uint64_t k0 = number(key), k1 = number(key + 8);
	struct naive s = {
	    k0 ^ number((const uint8_t *)"uespemos"), k1 ^ number((const uint8_t *)"modnarod"),
	    k0 ^ number((const uint8_t *)"arenegyl"), k1 ^ number((const uint8_t *)"setybdet")};

	memcpy(padded, data, len);
	padded[words * 8 - 1] = (uint8_t)len;
	for (size_t i = 0; i < words; i++) {
		uint64_t m = number(padded + 8 * i);

		s.d ^= m;
		for (int r = 0; r < c; r++)
			naive_round(&s);
		s.a ^= m;
	}
	s.c ^= 0xff;
	for (int r = 0; r < d; r++)
		naive_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

static void siphash__vector_of_the_paper(void **state)
{
	uint8_t key[16], msg[15];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	memcpy(msg, key, sizeof(msg));
	assert_int_equal(rnl_siphash24(key, msg, sizeof(msg)), 0xa129ca6149be45e5);
	assert_int_equal(naive_siphash(key, msg, sizeof(msg), 2, 4), 0xa129ca6149be45e5);
}

/* Each length, at each alignment of the data, read from a copy without an octet to spare. */
static void siphash__every_length_and_alignment(void **state)
{
	uint8_t key[16], msg[300];

	for (unsigned int i = 0; i < 16; i++)
		key[i] = (uint8_t)(37 * i + 11);
	for (unsigned int i = 0; i < sizeof(msg); i++)
		msg[i] = (uint8_t)(i * i + 5 * i + 3);
	for (size_t len = 0; len < 290; len++) {
		const uint8_t *p = msg + len % 8;

		assert_int_equal(rnl_siphash24(key, p, len), naive_siphash(key, p, len, 2, 4));
		assert_int_equal(rnl_siphash13(key, p, len), naive_siphash(key, p, len, 1, 3));
	}
}

static void siphash__every_bit_matters(void **state)
{
	uint8_t key[16] = {0}, msg[24] = {0};
	uint64_t before = rnl_siphash13(key, msg, sizeof(msg));

	for (unsigned int bit = 0; bit < 8 * sizeof(key); bit++) {
		key[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(rnl_siphash13(key, msg, sizeof(msg)), before);
		key[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned int bit = 0; bit < 8 * sizeof(msg); bit++) {
		msg[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(rnl_siphash13(key, msg, sizeof(msg)), before);
		msg[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(siphash__vector_of_the_paper),
	    cmocka_unit_test(siphash__every_length_and_alignment),
	    cmocka_unit_test(siphash__every_bit_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
