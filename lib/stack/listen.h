/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listeners of one stack: address, prefix or any; port, range or any. The most specific one gets a
 * SYN: longest prefix, then narrowest port range, then the one that was added first.
 * Refuses: knowing what a policy or a context is. Floor 4.
 */
#ifndef RNL_STACK_LISTEN_H
#define RNL_STACK_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "runnel.h"

#define RNL_LISTEN_MAX 1024

struct rnl_listener {
	rnl_listener_t id;    /* generation and slot; 0: the slot is free */
	uint32_t gen;         /* survives reuse */
	struct rnl_addr addr; /* bits behind the prefix are 0 */
	uint8_t prefix_len;   /* of 128 bits: an IPv4 address's own length plus 96; 0: any */
	uint16_t port_first;  /* any port: 0 to 65535 */
	uint16_t port_last;
	uint16_t next;        /* slot of the next in its list, plus 1; also links free slots */
	uint16_t policy;      /* the caller's */
	uint32_t backlog;     /* half-open connections allowed */
	uint32_t half_open;   /* the caller counts */
	uint32_t fastopen;    /* connections that Fast Open cookies may open at once; 0: none */
	uint8_t syncookies;   /* enum rnl_syncookies, as it was asked for */
	uint64_t cookies_until_us; /* the caller's: ACKs until then may bring a cookie; 0: none was sent */
	void *ctx;
};

struct rnl_listeners {
	struct rnl_listener *slots;
	uint32_t count;
	uint16_t free;                     /* slot + 1 of the first free one that was used before */
	uint16_t fresh;                    /* lowest slot that was never used */
	uint16_t ranges;                   /* slot + 1: more than one port, most specific first */
	uint16_t by_port[RNL_LISTEN_MAX];  /* slot + 1: one port, by its low bits, same order */
};

/** @return octets of memory that the listeners need. */
size_t rnl_listen_bytes(void);
/** Makes an empty set in zeroed memory of rnl_listen_bytes(). */
void rnl_listen_init(struct rnl_listeners *ls, void *mem);
/**
 * Adds a listener; of cfg, addr, prefix_len, the ports, backlog (0: 1024), syncookies,
 * fastopen and ctx are used.
 * @return 0; -EINVAL: the prefix is too long, bits behind it are set, the ports make no range, or
 * there is no such way with cookies;
 * -EADDRINUSE: one with the same prefix and ports exists; -ENOSPC: RNL_LISTEN_MAX exist.
 */
int rnl_listen_add(struct rnl_listeners *ls, const struct rnl_listen_config *cfg, uint16_t policy,
		   rnl_listener_t *out);
/** Removes a listener. @return 0, or -ENOENT. */
int rnl_listen_remove(struct rnl_listeners *ls, rnl_listener_t id);
/** @return the listener, or NULL when the id is stale. */
struct rnl_listener *rnl_listen_get(const struct rnl_listeners *ls, rnl_listener_t id);
/** @return the listener for a SYN to laddr and lport, or NULL. */
struct rnl_listener *rnl_listen_find(const struct rnl_listeners *ls, const struct rnl_addr *laddr,
				     uint16_t lport);
/** @return the listener after `prev` (NULL: the first), in no order that means anything, or NULL. */
struct rnl_listener *rnl_listen_next(const struct rnl_listeners *ls,
				     const struct rnl_listener *prev);

#endif /* RNL_STACK_LISTEN_H */
