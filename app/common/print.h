/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print - numbers for people: four significant digits at most, unit attached. Each call writes into
 * the caller's buffer and returns it, so that several fit one printf(). Floor 6.
 */
#ifndef RNL_APP_PRINT_H
#define RNL_APP_PRINT_H

#include <stdint.h>

/** Room for any of these. */
struct rnl_text {
	char s[32];
};

/** Count or rate in powers of 1000: "999", "12.3k", "4.56M". */
const char *rnl_print_count(struct rnl_text *t, double n);
/** Bits per second from octets per second: "9.41 Gbit/s". */
const char *rnl_print_bps(struct rnl_text *t, double octets_per_s);
/** Octets in powers of 1024: "1.50 GiB". */
const char *rnl_print_bytes(struct rnl_text *t, uint64_t octets);
/** Time: "850 ns", "12.3 us", "4.56 ms", "1.25 s", "2m03s". */
const char *rnl_print_ns(struct rnl_text *t, uint64_t ns);
/** part of whole: "12.3 %"; "-" when whole is 0. */
const char *rnl_print_percent(struct rnl_text *t, double part, double whole);

#endif /* RNL_APP_PRINT_H */
