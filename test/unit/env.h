/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What unit tests need of DPDK: an EAL without devices or hugepages, two mempools, packets made of
 * octets in any chain shape, and a count of what leaked. Includes cmocka with what it asks for first.
 */
#ifndef RNL_TEST_ENV_H
#define RNL_TEST_ENV_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_mbuf.h>

/** Starts the EAL and makes the pools, once per process. @return 0; ends the program otherwise. */
int rnl_test_env_init(void);
/** rnl_test_env_init() as a cmocka group set-up. */
int rnl_test_group_setup(void **state);
/** cmocka tear-down: fails the test when it left an mbuf of the two pools behind. */
int rnl_test_no_leak(void **state);

/** Data buffers: 2048 octets of room and 128 of headroom. */
struct rte_mempool *rnl_test_pkt_pool(void);
/** Header buffers: 256 octets of room and 128 of headroom. */
struct rte_mempool *rnl_test_hdr_pool(void);
/** @return mbufs of both pools that somebody holds. */
unsigned int rnl_test_mbufs_out(void);

/** @return one packet of `len` octets in buffers of the data pool, one segment if it fits into one. */
struct rte_mbuf *rnl_test_mbuf(const void *data, uint32_t len);
/**
 * @return a packet of `len` octets that is cut into segments at each of the n ascending offsets (an
 * offset given twice makes an empty segment; offsets past the end are ignored).
 */
struct rte_mbuf *rnl_test_chain(const void *data, uint32_t len, const uint32_t *cuts,
				unsigned int n);
/**
 * As rnl_test_chain(), but each segment's buffer is malloc memory (from the data pool's mbufs, as
 * external buffers) that ends with its last octet, so that AddressSanitizer sees any octet read past
 * a segment's end.
 */
struct rte_mbuf *rnl_test_exact(const void *data, uint32_t len, const uint32_t *cuts,
				unsigned int n);
/** Replaces m by the same octets (and rx metadata) cut at the offsets. m is freed. */
struct rte_mbuf *rnl_test_rechain(struct rte_mbuf *m, const uint32_t *cuts, unsigned int n);
/** @return the packet's octets in a static buffer of at least 65,536 octets; valid until next time. */
const uint8_t *rnl_test_octets(const struct rte_mbuf *m);

/** A cmocka test that must not leak an mbuf. */
#define rnl_unit_test(f) cmocka_unit_test_teardown(f, rnl_test_no_leak)

#endif /* RNL_TEST_ENV_H */
