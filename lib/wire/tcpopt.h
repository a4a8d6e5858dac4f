/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP options: a total parser (any octets in, no loop, nothing read past the end) and an emitter.
 * RFC 9293 3.2, RFC 7323 2, 3, RFC 2018 2, 3, RFC 9768 3.2.3, RFC 7413 2. Floor 1.
 */
#ifndef RNL_WIRE_TCPOPT_H
#define RNL_WIRE_TCPOPT_H

#include "wire/seg.h"

#define RNL_TCPOPT_MAXLEN 40

/**
 * Parses `len` octets of options. Unknown kinds are stepped over by their length; a length that is
 * less than 2 or runs past the end sets RNL_OPT_BAD and ends the parse; what was read before stays.
 * Of a repeated option the first counts. A window scale over 14 reads as 14 (RFC 7323 2.3).
 */
void rnl_tcpopt_parse(const uint8_t *p, unsigned int len, struct rnl_tcpopt *out);
/**
 * Writes the options in `has` (SACK blocks: as many as fit into 40 octets; Fast Open before the user
 * timeout, each if it fits), padded with NOP to a
 * multiple of four, each aligned as RFC 7323 appendix A recommends.
 * @return octets written, at most 40.
 */
unsigned int rnl_tcpopt_write(uint8_t *dst, const struct rnl_tcpopt *opt);
/** @return octets that an AccECN option with so many counters takes, its padding included. */
static inline unsigned int rnl_tcpopt_accecn_len(unsigned int fields)
{
	return (2 + 3 * fields + 3) & ~3u;
}
/** As rnl_tcpopt_write(), SACK blocks limited to `room` octets of options in all (at most 40). */
unsigned int rnl_tcpopt_write_room(uint8_t *dst, const struct rnl_tcpopt *opt, unsigned int room);

#endif /* RNL_WIRE_TCPOPT_H */
