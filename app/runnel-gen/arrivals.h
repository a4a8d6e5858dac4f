/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When requests are due. Closed loop: whenever there is room. Open loop: evenly spaced at a rate,
 * whatever the answers do; a request that finds no free connection is not dropped: it stays due,
 * and keeps its planned time. Since the n-th planned time is arithmetic, waiting requests need no
 * memory. Several lanes interleave: together they form the one even schedule. Takes `now`; reads no
 * clock. No drift: the remainder of the spacing is carried (Bresenham). Floor: 6 (application).
 * Pure.
 */
#ifndef GEN_ARRIVALS_H
#define GEN_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

/** Highest rate of one schedule, per second. */
#define GEN_ARRIVALS_MAX_RATE UINT64_C(1000000000)

struct gen_arrivals {
	uint64_t rate;     /**< of all lanes together, per second; 0: closed loop */
	uint64_t next_ns;  /**< planned time of the next request of this lane */
	uint64_t end_ns;   /**< no request is planned at or after this */
	uint64_t step_ns;  /**< whole part of the spacing of this lane */
	uint64_t step_rem; /**< its remainder, in 1/rate ns */
	uint64_t acc;      /**< remainder collected so far, < rate */
	uint64_t taken;    /**< requests handed out */
};

/**
 * Begins a schedule at start_ns for lane `lane` of `lanes`.
 * rate: requests per second of all lanes, at most GEN_ARRIVALS_MAX_RATE; 0: closed loop.
 */
void gen_arrivals_init(struct gen_arrivals *a, uint64_t rate, uint64_t start_ns, uint32_t lane,
                       uint32_t lanes);
/** No request is planned at or after end_ns (UINT64_MAX at init). */
void gen_arrivals_end(struct gen_arrivals *a, uint64_t end_ns);
/**
 * Hands out the next request if it is due at now_ns; planned_ns gets its planned time (closed loop:
 * now_ns). @return whether there was one.
 */
bool gen_arrivals_take(struct gen_arrivals *a, uint64_t now_ns, uint64_t *planned_ns);
/** @return how many requests are due at now_ns and not handed out; closed loop: 0. */
uint64_t gen_arrivals_backlog(const struct gen_arrivals *a, uint64_t now_ns);

#endif /* GEN_ARRIVALS_H */
