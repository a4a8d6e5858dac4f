/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The schedule of requests. See arrivals.h.
 * Floor: 6 (application). Pure.
 */
#include "arrivals.h"

#define NS_PER_S UINT64_C(1000000000)

void gen_arrivals_init(struct gen_arrivals *a, uint64_t rate, uint64_t start_ns, uint32_t lane,
                       uint32_t lanes)
{
	*a = (struct gen_arrivals){.rate = rate, .next_ns = start_ns, .end_ns = UINT64_MAX};
	if (rate == 0)
		return;
	/* Lane i has the planned times i, i + lanes, i + 2 lanes, ... of the whole schedule. */
	a->next_ns += lane * NS_PER_S / rate;
	a->acc = lane * NS_PER_S % rate;
	a->step_ns = lanes * NS_PER_S / rate;
	a->step_rem = lanes * NS_PER_S % rate;
}

void gen_arrivals_end(struct gen_arrivals *a, uint64_t end_ns)
{
	a->end_ns = end_ns;
}

bool gen_arrivals_take(struct gen_arrivals *a, uint64_t now_ns, uint64_t *planned_ns)
{
	if (a->rate == 0) {
		if (now_ns >= a->end_ns)
			return false;
		*planned_ns = now_ns;
		a->taken++;
		return true;
	}
	if (a->next_ns > now_ns || a->next_ns >= a->end_ns)
		return false;
	*planned_ns = a->next_ns;
	a->taken++;
	a->next_ns += a->step_ns;
	a->acc += a->step_rem;
	if (a->acc >= a->rate) {
		a->acc -= a->rate;
		a->next_ns++;
	}
	return true;
}

uint64_t gen_arrivals_backlog(const struct gen_arrivals *a, uint64_t now_ns)
{
	double step;
	uint64_t last = now_ns < a->end_ns ? now_ns : a->end_ns - 1;

	if (a->rate == 0 || a->next_ns > last)
		return 0;
	step = (double)a->step_ns + (double)a->step_rem / (double)a->rate;
	return (uint64_t)((double)(last - a->next_ns) / step) + 1;
}
