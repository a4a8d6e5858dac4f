/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the neighbour table (neigh.c), its entries' states (neigh_state.c) and the protocol that
 * resolve for them (neigh_arp.c, neigh_nd.c) owe each other. Floor 4.
 */
#ifndef RNL_STACK_NEIGH_PVT_H
#define RNL_STACK_NEIGH_PVT_H

#include "stack/neigh.h"

/** @return the entry of an address on a port, or RNL_NIL. */
uint32_t rnl_neigh_lookup(const struct rnl_neigh *n, unsigned int port,
                          const struct rnl_addr *addr);
/** Makes a NEW entry without a reference. The address has none. @return RNL_NIL: full, counted. */
uint32_t rnl_neigh_make(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr);
/**
 * The neighbour told its Ethernet address. `solicited`: in an answer to us, which proves that it
 * hears us. Held packets go out.
 */
void rnl_neigh_learn(struct rnl_neigh *n, uint32_t idx, const uint8_t mac[6], bool solicited);
/** What an advertisement says of a neighbour. */
struct rnl_neigh_told {
	const uint8_t *mac; /* NULL: nothing */
	bool solicited, override, router;
};
/** Applies an advertisement (RFC 4861 7.2.5). Held packets go out. */
void rnl_neigh_hear(struct rnl_neigh *n, uint32_t idx, const struct rnl_neigh_told *told);
/** Somebody uses an own address: counted, and defended now and then (RFC 5227 2.4). */
void rnl_neigh_conflict(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr);
/** Makes an entry PERMANENT with this Ethernet address. Held packets go out. */
void rnl_neigh_fix(struct rnl_neigh *n, uint32_t idx, const uint8_t mac[6]);
/** Drops the packets that an entry holds, counted. */
void rnl_neigh_hold_drop(struct rnl_neigh *n, struct rnl_neigh_entry *e);
/** Makes an entry the first to be reclaimed, if it has no reference. */
void rnl_neigh_sink(struct rnl_neigh *n, uint32_t idx);
/** Appends a packet that has its link header; the caller has seen room. */
void rnl_neigh_queue(struct rnl_neigh *n, unsigned int port, struct rte_mbuf *m);

/**
 * Asks for the neighbour's Ethernet address: everybody, or the neighbour itself in PROBE.
 * @return false when there is no room or no buffer for the request now.
 */
bool rnl_neigh_arp_solicit(struct rnl_neigh *n, const struct rnl_neigh_entry *e);
/** The same by neighbour discovery. */
bool rnl_neigh_nd_solicit(struct rnl_neigh *n, const struct rnl_neigh_entry *e);
/** Tells all nodes of an own IPv6 address. @return false when there is no room or no buffer. */
bool rnl_neigh_nd_announce(struct rnl_neigh *n, unsigned int port, const struct rnl_addr *addr);
/** Sends the announcements that are due. */
void rnl_neigh_announce_due(struct rnl_neigh *n);
/** @return when the next one is due, us; UINT64_MAX: none. */
uint64_t rnl_neigh_announce_next(const struct rnl_neigh *n);

#endif /* RNL_STACK_NEIGH_PVT_H */
