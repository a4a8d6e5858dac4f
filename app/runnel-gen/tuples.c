/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The odometer of tuples. See tuples.h.
 * Floor: 6 (application). Pure.
 */
#include "tuples.h"

void gen_tuples_init(struct gen_tuples *t, uint32_t addrs, const uint16_t sports[2],
                     const uint16_t lports[2], uint32_t lane, uint32_t lanes)
{
	*t = (struct gen_tuples){
	    .addrs = addrs,
	    .sport_first = sports[0],
	    .sport_last = sports[1],
	    .lport_first = lports[0] + lane,
	    .lport_last = lports[1],
	    .lport_step = lanes,
	    .sport = sports[0],
	    .lport = lports[0] + lane,
	};
}

void gen_tuples_seed(struct gen_tuples *t, uint64_t seed)
{
	uint32_t ports = (t->lport_last - t->lport_first) / t->lport_step + 1;

	t->addr = (uint32_t)(seed % t->addrs);
	t->lport = t->lport_first + (uint32_t)((seed >> 32) % ports) * t->lport_step;
}

uint64_t gen_tuples_count(const struct gen_tuples *t)
{
	uint64_t ports = (t->lport_last - t->lport_first) / t->lport_step + 1;

	return ports * t->addrs * (uint64_t)(t->sport_last - t->sport_first + 1);
}

struct gen_tuple gen_tuples_next(struct gen_tuples *t)
{
	struct gen_tuple r = {
	    .addr = t->addr, .sport = (uint16_t)t->sport, .lport = (uint16_t)t->lport};

	if (++t->addr < t->addrs)
		return r;
	t->addr = 0;
	if (t->sport++ < t->sport_last)
		return r;
	t->sport = t->sport_first;
	t->lport += t->lport_step;
	if (t->lport > t->lport_last)
		t->lport = t->lport_first;
	return r;
}
