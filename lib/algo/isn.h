/* SPDX-License-Identifier: BSD-3-Clause */
/* Initial sequence numbers (RFC 6528), timestamp offsets (RFC 7323 5.4), source ports (RFC 6056). Floor 2. */
#ifndef RNL_ALGO_ISN_H
#define RNL_ALGO_ISN_H

#include <stdint.h>

#include "runnel.h"

/** @return the ISN at now_us: M + F(tuple, secret) with a 4 us clock (RFC 6528 3). */
uint32_t rnl_isn(const struct rnl_tuple *key, const uint8_t secret[16], uint64_t now_us);
/** @return the timestamp offset of a connection: keyed, ports included. */
uint32_t rnl_isn_ts_offset(const struct rnl_tuple *key, const uint8_t secret[16]);
/** @return where the search for a source port starts (RFC 6056 3.3.3): keyed by addresses and remote port. */
uint32_t rnl_isn_port_offset(const struct rnl_tuple *key, const uint8_t secret[16]);
/** @return which of a table of per-destination counters to use (RFC 6056 3.3.4): mask it to the
 * table's size. Keyed as the offset, and independent of it. */
uint32_t rnl_isn_port_index(const struct rnl_tuple *key, const uint8_t secret[16]);

#endif /* RNL_ALGO_ISN_H */
