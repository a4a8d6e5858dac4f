/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of a connection must not be guessed: its initial sequence number, the offset of its
 * timestamp clock, where the search for its source port begins. All are SipHash-2-4 of the tuple.
 * Refuses: a clock, a source of randomness, port bookkeeping. Floor 2.
 * RFC 6528 3, RFC 7323 5.4, RFC 6056 3.3.3 and 3.3.4.
 */
#include "algo/isn.h"
#include "base/siphash.h"

/* The tuple is hashed as it lies in memory: it must have no padding. */
_Static_assert(sizeof(struct rnl_tuple) == 36, "padding in struct rnl_tuple");

/* A destination is a tuple without the local port (RFC 6056 3.3.3). */
static uint64_t hash_destination(const struct rnl_tuple *key, const uint8_t secret[16])
{
	struct rnl_tuple dst = *key;

	dst.lport = 0;
	return rnl_siphash24(secret, &dst, sizeof(dst));
}

/* RFC 9293 3.4.1 (MUST-8, MUST-9, SHLD-1). */
uint32_t rnl_isn(const struct rnl_tuple *key, const uint8_t secret[16], uint64_t now_us)
{
	uint32_t m = (uint32_t)(now_us >> 2); /* one tick: 4 us */

	return m + (uint32_t)rnl_siphash24(secret, key, sizeof(*key));
}

uint32_t rnl_isn_ts_offset(const struct rnl_tuple *key, const uint8_t secret[16])
{
	return (uint32_t)rnl_siphash24(secret, key, sizeof(*key));
}

uint32_t rnl_isn_port_offset(const struct rnl_tuple *key, const uint8_t secret[16])
{
	return (uint32_t)hash_destination(key, secret);
}

uint32_t rnl_isn_port_index(const struct rnl_tuple *key, const uint8_t secret[16])
{
	return (uint32_t)(hash_destination(key, secret) >> 32);
}
