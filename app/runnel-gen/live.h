/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line each second while a run goes on. Reads the lanes' counts from the main thread without
 * stopping them.
 * Floor: 6 (application).
 */
#ifndef GEN_LIVE_H
#define GEN_LIVE_H

#include <stdint.h>
#include <stdio.h>

#include "lane.h"

struct gen_live {
	const struct gen_lane *lanes;
	uint32_t nb_lanes;
	FILE *out;
	uint64_t next_ns, last_ns;
	uint64_t done, rx_bytes, tx_bytes; /**< at the last line */
	struct gen_hist now, then, diff;
};

/** Begins. out may be NULL: no lines. */
void gen_live_init(struct gen_live *v, const struct gen_lane *lanes, uint32_t n, FILE *out);
/** Prints a line if a second has passed. */
void gen_live_tick(struct gen_live *v, uint64_t now_ns);

#endif /* GEN_LIVE_H */
