/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN cookies: what a half-open connection would have kept, in the initial sequence number and the
 * timestamp of the SYN-ACK. RFC 4987 3.6, appendix A. Floor 2.
 */
#ifndef RNL_ALGO_COOKIE_H
#define RNL_ALGO_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"

#define RNL_COOKIE_PERIOD_US UINT64_C(64000000) /* the counter's tick (RFC 4987 appendix A) */
#define RNL_COOKIE_AGE_MAX 2                    /* ticks: a cookie lives 128 s at least, 192 at most */
#define RNL_COOKIE_VALID_US ((RNL_COOKIE_AGE_MAX + 1) * RNL_COOKIE_PERIOD_US)

/** What a cookie is made of, but for the MSS. */
struct rnl_cookie {
	const struct rnl_tuple *key;
	const uint8_t *secret; /* 16 octets */
	uint32_t peer_isn;     /* of the SYN */
	uint32_t count;        /* rnl_cookie_count() */
};

/** @return the slowly moving counter. */
static inline uint32_t rnl_cookie_count(uint64_t now_us)
{
	return (uint32_t)(now_us / RNL_COOKIE_PERIOD_US);
}

/** @return the cookie: the ISN of a SYN-ACK. `mss` is an index of rnl_cookie_mss(). */
uint32_t rnl_cookie_isn(const struct rnl_cookie *c, unsigned int mss);
/** @return the index of the MSS in a cookie that is right and at most RNL_COOKIE_AGE_MAX old, or -1. */
int rnl_cookie_check(const struct rnl_cookie *c, uint32_t isn);
/**
 * Whether `isn` is a right cookie for a SYN up to 65535 in front of c->peer_isn, but not of it: its
 * peer's first segment is missing, and this is one behind it. Worth no trust: a guess is right once in
 * 2700 times.
 */
bool rnl_cookie_near(const struct rnl_cookie *c, uint32_t isn);

/** @return the index of the largest MSS that is not above `mss`; below 64 counts as 64. */
unsigned int rnl_cookie_mss_index(bool v4, uint16_t mss);
/** @return the MSS of an index that rnl_cookie_mss_index() or rnl_cookie_check() gave. */
uint16_t rnl_cookie_mss(bool v4, unsigned int index);

#define RNL_COOKIE_TS_BITS 6

/** What the low bits of TSval carry (RFC 4987 3.6). */
struct rnl_cookie_opts {
	bool has_wscale;
	uint8_t wscale; /* the peer's, at most 14 */
	bool sack_ok;
	bool ecn; /* RFC 3168 was agreed */
};

/** @return the TSval that carries o: at most `now`, the clock of the tuple, and less than 64 behind. */
uint32_t rnl_cookie_tsval(uint32_t now, const struct rnl_cookie_opts *o);
/** Reads what rnl_cookie_tsval() wrote. @return false: no TSval of the last RNL_COOKIE_VALID_US. */
bool rnl_cookie_tsecr(uint32_t now, uint32_t tsecr, struct rnl_cookie_opts *o);

#endif /* RNL_ALGO_COOKIE_H */
