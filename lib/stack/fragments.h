/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly of IPv4 and IPv6 fragments, by DPDK's table, within bounds: so many packets at once,
 * each of at most 8 fragments, for 15 s, in no more than a quarter of max_held buffers. Only TCP's:
 * nothing else that is answered here is larger than any link. Floor 4. RFC 791 3.2, RFC 8200 4.5,
 * RFC 5722.
 */
#ifndef RNL_STACK_FRAGMENTS_H
#define RNL_STACK_FRAGMENTS_H

#include <rte_ip_frag.h>

#include "tcp/core.h"
#include "wire/seg.h"

/** How long the fragments of a packet wait for the others, us. */
#define RNL_FRAGMENTS_WAIT_US UINT64_C(15000000)
/** Most packets that may be incomplete at once: struct rnl_stack_config, max_fragments. */
#define RNL_FRAGMENTS_MAX (1u << 16)

struct rnl_fragments {
	struct rnl_core *core;
	struct rte_ip_frag_tbl *table; /* NULL: no reassembly */
	uint32_t bufs;                 /* held in it; part of core->held */
	uint64_t due_us; /* when to look for what is too old; UINT64_MAX: nothing is held */
	struct rte_ip_frag_death_row row; /* empty between two calls */
};

/** Makes the table. @param packets at once; 0: no reassembly. @return 0 or -ENOMEM. */
int rnl_fragments_init(struct rnl_fragments *f, struct rnl_core *core, uint32_t packets,
                       int socket_id);
/** Frees the table and what it holds. Also after a failed or missing init. */
void rnl_fragments_fini(struct rnl_fragments *f);
/**
 * Takes a fragment that is for this stack; counts what became of it.
 * @param ip what rnl_ip_parse() said of the packet m
 * @return the packet that is complete with it, its IP header at octet 0, in buffers of its own;
 * else NULL.
 */
struct rte_mbuf *rnl_fragments_take(struct rnl_fragments *f, struct rte_mbuf *m, uint16_t l3_off,
                                    const struct rnl_ip *ip);
/**
 * May a packet that was put together go on? It must hold TCP, and all headers in its first
 * fragment.
 * @return RNL_C_ok, or why not.
 */
enum rnl_counter rnl_fragments_judge(const struct rte_mbuf *m, const struct rnl_ip *ip);
/** Drops what has waited too long. */
void rnl_fragments_expire(struct rnl_fragments *f);

/** @return whether rnl_fragments_expire() has something to do. */
static inline bool rnl_fragments_due(const struct rnl_fragments *f)
{
	return f->due_us <= f->core->now_us;
}

#endif /* RNL_STACK_FRAGMENTS_H */
