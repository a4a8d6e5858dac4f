/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the arithmetic of SYN cookies: pure functions of a tuple, a secret and a counter. Refuses:
 * clocks, deciding when to use them. Floor 2. RFC 4987 3.6, appendix A.
 *
 *   ISN = SipHash(tuple) + X + counter << 24
 *         + low 24 bits of (SipHash(tuple, counter) + STRIDE * MSS + TWIST * X),   X: the SYN's ISN
 *
 * A guess is right for 24 of 2^32 numbers. X is added as in RFC 4987, so that ISNs of one tuple increase
 * slowly, and so that a later segment of a handshake can be told from nonsense. Were that all, a segment
 * of a connection that is gone would do for a cookie as soon as both ends had sent equally much (FIN and
 * FIN, an echo): hence the twist.
 */
#include "algo/cookie.h"

#include "base/siphash.h"

#define MSS_COUNT 8
#define LOW_BITS 24
#define LOW_MASK ((1u << LOW_BITS) - 1)
#define STRIDE 0x5bd1e9u /* odd: eight indices far apart */
#define TWIST 0x9e3778u  /* 8 times an odd number: 1 + TWIST has an inverse, no multiple is between two
			  * indices, none is 0 before 2^21, and those of small numbers are large */
#define UNTWIST 0xb382c9u /* the inverse of 1 + TWIST, modulo 2^24 */
#define WINDOW 65535u /* the largest of a SYN-ACK */

_Static_assert((((1 + TWIST) * UNTWIST) & LOW_MASK) == 1, "the inverse");

/* The least: what a peer gets that asks for less. Then minimum, tunnels, PPPoE, Ethernet, jumbo. */
static const uint16_t mss_v4[MSS_COUNT] = {64, 536, 1300, 1400, 1440, 1452, 1460, 8960};
static const uint16_t mss_v6[MSS_COUNT] = {64, 1220, 1300, 1380, 1420, 1432, 1440, 8940};

/* What stands still for a tuple. */
static uint32_t base_of(const struct rnl_cookie *c)
{
	return (uint32_t)rnl_siphash24(c->secret, c->key, sizeof(*c->key));
}

/* What the counter changes. */
static uint32_t low_of(const struct rnl_cookie *c, uint32_t count)
{
	struct {
		struct rnl_tuple key;
		uint32_t count;
	} in = {.key = *c->key, .count = count};

	_Static_assert(sizeof(in) == 40, "no padding is hashed");
	return (uint32_t)rnl_siphash24(c->secret, &in, sizeof(in));
}

/* What counter and MSS add to the ISN of a SYN. */
static uint32_t added(uint32_t count, uint32_t low, unsigned int mss, uint32_t syn)
{
	return syn + (count << LOW_BITS) + ((low + STRIDE * mss + TWIST * syn) & LOW_MASK);
}

uint32_t rnl_cookie_isn(const struct rnl_cookie *c, unsigned int mss)
{
	return base_of(c) + added(c->count, low_of(c, c->count), mss, c->peer_isn);
}

int rnl_cookie_check(const struct rnl_cookie *c, uint32_t isn)
{
	uint32_t base = base_of(c);
	uint32_t count = c->count - ((c->count - ((isn - base - c->peer_isn) >> LOW_BITS)) & 0xff);
	uint32_t low;
	int mss;

	if (c->count - count > RNL_COOKIE_AGE_MAX)
		return -1;
	low = low_of(c, count);
	for (mss = MSS_COUNT - 1; mss >= 0; mss--) {
		if (base + added(count, low, (unsigned int)mss, c->peer_isn) == isn)
			break;
	}
	return mss;
}

bool rnl_cookie_near(const struct rnl_cookie *c, uint32_t isn)
{
	uint32_t sum = isn - base_of(c);
	unsigned int age, mss;

	for (age = 0; age <= RNL_COOKIE_AGE_MAX; age++) {
		uint32_t low = low_of(c, c->count - age);

		for (mss = 0; mss < MSS_COUNT; mss++) {
			/* The low bits of the SYN's ISN, if all else is right; then how far it is back. */
			uint32_t syn = UNTWIST * (sum - low - STRIDE * mss);
			uint32_t back = (c->peer_isn - syn) & LOW_MASK;

			if (back - 1 < WINDOW &&
			    added(c->count - age, low, mss, c->peer_isn - back) == sum)
				return true;
		}
	}
	return false;
}

static const uint16_t *table(bool v4)
{
	return v4 ? mss_v4 : mss_v6;
}

unsigned int rnl_cookie_mss_index(bool v4, uint16_t mss)
{
	unsigned int i = MSS_COUNT - 1;

	while (i > 0 && table(v4)[i] > mss)
		i--;
	return i;
}

uint16_t rnl_cookie_mss(bool v4, unsigned int index)
{
	return table(v4)[index];
}

/* Four bits of window scale, 15 for none; then SACK-permitted, ECN. */
#define TS_MASK ((1u << RNL_COOKIE_TS_BITS) - 1)
#define TS_WSCALE_MASK 15u
#define TS_SACK_OK 16u
#define TS_ECN 32u

uint32_t rnl_cookie_tsval(uint32_t now, const struct rnl_cookie_opts *o)
{
	uint32_t bits = o->has_wscale ? o->wscale : TS_WSCALE_MASK;
	uint32_t ts;

	bits |= o->sack_ok ? TS_SACK_OK : 0;
	bits |= o->ecn ? TS_ECN : 0;
	ts = (now & ~TS_MASK) | bits;
	return (int32_t)(ts - now) > 0 ? ts - (TS_MASK + 1) : ts;
}

bool rnl_cookie_tsecr(uint32_t now, uint32_t tsecr, struct rnl_cookie_opts *o)
{
	uint32_t bits = tsecr & TS_MASK;

	if (now - tsecr > RNL_COOKIE_VALID_US / 1000 + TS_MASK)
		return false;
	*o = (struct rnl_cookie_opts){
	    .has_wscale = (bits & TS_WSCALE_MASK) != TS_WSCALE_MASK,
	    .wscale = bits & TS_WSCALE_MASK,
	    .sack_ok = bits & TS_SACK_OK,
	    .ecn = bits & TS_ECN,
	};
	return true;
}
