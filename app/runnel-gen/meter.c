/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters and cycles of the measured time. See meter.h.
 * Floor: 6 (application).
 */
#include <string.h>

#include "meter.h"

#define STACKS (sizeof(((struct rnl_worker *)0)->stacks) / sizeof(struct rnl_stack *))

void gen_meter_init(struct gen_meter *m, struct rnl_stack *st, const struct rnl_worker *workers,
                    unsigned int n)
{
	unsigned int w, i;

	memset(m, 0, sizeof(*m));
	m->st = st;
	for (w = 0; w < n; w++)
		for (i = 0; i < STACKS && workers[w].stacks[i] != NULL; i++)
			if (workers[w].stacks[i] == st) {
				m->worker = &workers[w];
				m->slot = i;
			}
}

static unsigned int counters(void)
{
	unsigned int n = rnl_counters_count();

	return n < GEN_METER_COUNTERS ? n : GEN_METER_COUNTERS;
}

void gen_meter_take(struct gen_meter *m, unsigned int when)
{
	const struct rnl_worker_stats *from;
	struct rnl_worker_stats *to;
	unsigned int i;

	rnl_counters_read(m->st, m->at[when].counters, counters());
	for (i = 0; m->worker != NULL && i < STACKS; i++) {
		/* The worker may be another one, and busy: whole words. */
		from = &m->worker->stats[i];
		to = &m->at[when].stats[i];
		to->busy_cycles = __atomic_load_n(&from->busy_cycles, __ATOMIC_RELAXED);
		to->total_cycles = __atomic_load_n(&from->total_cycles, __ATOMIC_RELAXED);
	}
}

uint64_t gen_meter_counter(const struct gen_meter *m, const char *name)
{
	unsigned int i;

	for (i = 0; i < counters(); i++)
		if (strcmp(rnl_counter_name(i), name) == 0)
			return m->at[GEN_METER_END].counters[i] -
			       m->at[GEN_METER_BEGIN].counters[i];
	return 0;
}

uint64_t gen_meter_busy_cycles(const struct gen_meter *m)
{
	return m->at[GEN_METER_END].stats[m->slot].busy_cycles -
	       m->at[GEN_METER_BEGIN].stats[m->slot].busy_cycles;
}

uint64_t gen_meter_core_busy_cycles(const struct gen_meter *m)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < STACKS; i++)
		n += m->at[GEN_METER_END].stats[i].busy_cycles -
		     m->at[GEN_METER_BEGIN].stats[i].busy_cycles;
	return n;
}

uint64_t gen_meter_total_cycles(const struct gen_meter *m)
{
	return m->at[GEN_METER_END].stats[m->slot].total_cycles -
	       m->at[GEN_METER_BEGIN].stats[m->slot].total_cycles;
}
