/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Figures of an endpoint for people: the periodic line, the totals at the end, `show stats`.
 * `clear stats` keeps a base line that is subtracted; the counters themselves never go back.
 * Floor 6.
 */
#ifndef RNL_STATS_H
#define RNL_STATS_H

#include "endpoint.h"

struct rnl_stats_view;

/** @return a view whose period begins now, or NULL: out of memory. */
struct rnl_stats_view *rnl_stats_new(const struct rnl_endpoint *e);
void rnl_stats_free(struct rnl_stats_view *v);

/** Prints one line about the time since the last call. */
void rnl_stats_line(struct rnl_stats_view *v);
/** Prints every counter that is not zero, with what it means, then each service. */
void rnl_stats_all(const struct rnl_stats_view *v);
/** Prints a short account of the whole time since start or clear. */
void rnl_stats_totals(const struct rnl_stats_view *v);
/** Counts from here. */
void rnl_stats_clear(struct rnl_stats_view *v);

#endif /* RNL_STATS_H */
