/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a stack remembers of remote hosts beyond their connections: the path MTU that was learnt
 * (RFC 8201 5.2) and the Fast Open cookie (RFC 7413 4.1.3). Bounded: when it is full, the host that
 * was not asked for the longest gives way. Memory is the caller's, reserved at start; both families.
 * It stands on floor 2 because TCP asks it when it makes a SYN and when it knows the peer's MSS.
 * Refuses: clocks, knowing what a sound MTU is. Floor 2.
 */
#ifndef RNL_ALGO_HOSTCACHE_H
#define RNL_ALGO_HOSTCACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/pool.h"
#include "runnel.h"
#include "wire/seg.h"

/** One remote host. What is zero is not known. */
struct rnl_host {
	struct rnl_addr addr;
	uint32_t next;         /* in its hash chain; links free entries */
	uint32_t older, newer; /* by the last use */
	uint16_t pmtu;         /* largest IP packet that the path takes, octets; 0: not known */
	uint16_t tfo_mss;      /* MSS of the SYN-ACK that brought the cookie; 0: none came */
	uint64_t pmtu_until_us; /* when pmtu is forgotten */
	uint64_t tfo_blocked_until_us; /* no data on SYN before (RFC 7413 4.1.3.1) */
	struct rnl_addr tfo_laddr; /* own address that the cookie is for (RFC 7413 4.1.3) */
	uint8_t tfo_cookie[RNL_TFO_COOKIE_MAX];
	uint8_t tfo_cookie_len; /* octets; 0: no cookie */
	uint8_t tfo_failures;   /* Fast Opens in a row that the path swallowed */
};

struct rnl_hostcache {
	struct rnl_pool pool;
	uint32_t *heads; /* hash chains */
	uint32_t mask;
	uint32_t oldest, newest;
	const uint8_t *key; /* 16 octets: outsiders must not choose who shares a chain */
	struct rnl_counters *counters;
};

/** @return octets of memory that max_hosts (> 0) need. */
size_t rnl_hostcache_bytes(uint32_t max_hosts);
/**
 * Makes an empty cache in zeroed memory of rnl_hostcache_bytes(), aligned to 64 octets. `key` (16 octets,
 * secret) and `counters` must live on.
 */
void rnl_hostcache_init(struct rnl_hostcache *h, void *mem, uint32_t max_hosts, const uint8_t *key,
			struct rnl_counters *counters);
/** @return what is known of the host, which counts as used now; NULL: nothing. Valid until the next get. */
struct rnl_host *rnl_hostcache_find(struct rnl_hostcache *h, const struct rnl_addr *addr);
/** As find, but makes an entry if there is none; the least recently used gives way (counted). Never NULL. */
struct rnl_host *rnl_hostcache_get(struct rnl_hostcache *h, const struct rnl_addr *addr);

/** @return the path MTU to a host, octets; 0: not known, or it was learnt too long ago. */
uint16_t rnl_hostcache_pmtu(struct rnl_hostcache *h, const struct rnl_addr *addr, uint64_t now_us);

/** @return how many hosts are known. */
static inline uint32_t rnl_hostcache_count(const struct rnl_hostcache *h)
{
	return h->pool.used;
}

#endif /* RNL_ALGO_HOSTCACHE_H */
