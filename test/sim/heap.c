/* SPDX-License-Identifier: BSD-3-Clause */
/* A binary heap of events: by time, and by order of making when times are equal. */
#include <stdlib.h>

#include <rte_mbuf.h>

#include "sim.h"

static bool before(const struct event *a, const struct event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void heap_push(struct world *w, const struct event *e)
{
	size_t i = w->heap_len++;

	if (i == w->heap_cap) {
		w->heap_cap = w->heap_cap == 0 ? 256 : 2 * w->heap_cap;
		w->heap = realloc(w->heap, w->heap_cap * sizeof(*w->heap));
		if (w->heap == NULL)
			abort();
	}
	w->heap[i] = *e;
	w->heap[i].order = w->order++;
	for (; i > 0 && before(&w->heap[i], &w->heap[(i - 1) / 2]); i = (i - 1) / 2) {
		struct event t = w->heap[i];

		w->heap[i] = w->heap[(i - 1) / 2];
		w->heap[(i - 1) / 2] = t;
	}
}

uint64_t heap_next(const struct world *w)
{
	return w->heap_len == 0 ? UINT64_MAX : w->heap[0].at_ns;
}

bool heap_pop(struct world *w, uint64_t until_ns, struct event *out)
{
	size_t i = 0, child;

	if (heap_next(w) > until_ns || w->heap_len == 0)
		return false;
	*out = w->heap[0];
	w->heap[0] = w->heap[--w->heap_len];
	while ((child = 2 * i + 1) < w->heap_len) {
		struct event t = w->heap[i];

		if (child + 1 < w->heap_len && before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!before(&w->heap[child], &w->heap[i]))
			break;
		w->heap[i] = w->heap[child];
		w->heap[child] = t;
		i = child;
	}
	return true;
}

void event_free(struct event *e)
{
	rte_pktmbuf_free(e->m);
	free(e->frame);
	e->m = NULL;
	e->frame = NULL;
}

void heap_clear(struct world *w)
{
	for (size_t i = 0; i < w->heap_len; i++)
		event_free(&w->heap[i]);
	w->heap_len = 0;
}
