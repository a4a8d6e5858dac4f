/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which tuple the next connection takes: an odometer over client addresses (fastest), server ports
 * and client ports, from a place that the seed decides. Each tuple comes once per round, so that
 * the time between two uses is as long as the plan allows. Lanes have disjoint client ports. Floor:
 * 6 (application). Pure.
 */
#ifndef GEN_TUPLES_H
#define GEN_TUPLES_H

#include <stdint.h>

struct gen_tuples {
	uint32_t addrs;                   /**< client addresses */
	uint16_t sport_first, sport_last; /**< server ports */
	uint32_t lport_first, lport_last; /**< client ports of this lane, step lport_step */
	uint32_t lport_step;
	uint32_t addr; /**< what comes next */
	uint32_t sport, lport;
};

/** One choice. */
struct gen_tuple {
	uint32_t addr; /**< index of the client address */
	uint16_t sport, lport;
};

/** Client ports first..last are dealt out to `lanes` lanes in turn; first + lane must be <= last.
 */
void gen_tuples_init(struct gen_tuples *t, uint32_t addrs, const uint16_t sports[2],
                     const uint16_t lports[2], uint32_t lane, uint32_t lanes);
/** Begins the round at a place that depends on seed. */
void gen_tuples_seed(struct gen_tuples *t, uint64_t seed);
/** @return the next tuple. Never fails: after the last comes the first. */
struct gen_tuple gen_tuples_next(struct gen_tuples *t);
/** @return tuples in one round. */
uint64_t gen_tuples_count(const struct gen_tuples *t);

#endif /* GEN_TUPLES_H */
