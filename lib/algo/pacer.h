/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a paced connection may send: at most a quantum at once, then nothing until the time that the
 * rate says. Time is charged with a multiplication; the division is made when the rate changes.
 * Refuses: clocks, timers, choosing the rate. Floor 2. draft-ietf-ccwg-bbr 5.6.2.
 */
#ifndef RNL_ALGO_PACER_H
#define RNL_ALGO_PACER_H

#include <stdbool.h>
#include <stdint.h>

#define RNL_PACER_SHIFT 20         /* of ns_per_byte: 0.005 % at 400 Gbit/s */
#define RNL_PACER_MIN 256u         /* octets per second: the slowest rate */
#define RNL_PACER_MAX (1ull << 37) /* the fastest: a Tbit/s */

/** A connection's. All zero: not paced. */
struct rnl_pacer {
	uint64_t next_ns;     /* when the rate allows the next octet */
	uint64_t rate;        /* octets per second as it was given; 0: not paced */
	uint64_t ns_per_byte; /* << RNL_PACER_SHIFT */
	uint32_t quantum;     /* octets that may leave at once */
	uint32_t budget;      /* what is left of them until next_ns */
};

/** @return ns that `bytes` take (below 2^22 of them). */
static inline uint64_t rnl_pacer_cost(const struct rnl_pacer *p, uint32_t bytes)
{
	return bytes * p->ns_per_byte >> RNL_PACER_SHIFT;
}

/** Sets the rate, octets per second (0: not paced), and the quantum. Divides when the rate is new. */
static inline void rnl_pacer_set(struct rnl_pacer *p, uint64_t rate, uint32_t quantum)
{
	uint64_t r = rate < RNL_PACER_MIN ? RNL_PACER_MIN : rate;

	p->quantum = quantum;
	if (rate == p->rate)
		return;
	p->rate = rate;
	r = r > RNL_PACER_MAX ? RNL_PACER_MAX : r;
	p->ns_per_byte = rate != 0 ? (UINT64_C(1000000000) << RNL_PACER_SHIFT) / r : 0;
}

/**
 * Time is now_ns: the next quantum may begin if the rate allows. What a late timer lost is made up
 * for, by at most half a quantum.
 */
static inline void rnl_pacer_open(struct rnl_pacer *p, uint64_t now_ns)
{
	uint64_t late, most;

	if (now_ns < p->next_ns)
		return;
	late = now_ns - p->next_ns;
	most = rnl_pacer_cost(p, p->quantum) / 2;
	p->next_ns = now_ns - (late < most ? late : most);
	p->budget = p->quantum;
}

/** @return octets that may leave now; UINT32_MAX: not paced. */
static inline uint32_t rnl_pacer_room(const struct rnl_pacer *p)
{
	return p->rate != 0 ? p->budget : UINT32_MAX;
}

/** `bytes` left, with the pacer's consent or without it. */
static inline void rnl_pacer_sent(struct rnl_pacer *p, uint32_t bytes)
{
	if (__builtin_expect(p->rate == 0, 1))
		return;
	p->next_ns += rnl_pacer_cost(p, bytes);
	p->budget -= bytes < p->budget ? bytes : p->budget;
}

#endif /* RNL_ALGO_PACER_H */
