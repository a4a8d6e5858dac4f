/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash-2-4 and SipHash-1-3 with 64-bit output (Aumasson, Bernstein). Floor 0. */
#ifndef RNL_BASE_SIPHASH_H
#define RNL_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/** @return SipHash-2-4 of `len` octets under a 16-octet key. */
uint64_t rnl_siphash24(const uint8_t key[16], const void *data, size_t len);
/** @return SipHash-1-3 of `len` octets under a 16-octet key. */
uint64_t rnl_siphash13(const uint8_t key[16], const void *data, size_t len);

#endif /* RNL_BASE_SIPHASH_H */
