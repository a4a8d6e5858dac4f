/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The console: testpmd's words on librte_cmdline. It is fed from the main thread's tick and never
 * blocks, so that the main lcore may poll too. Floor 6.
 */
#ifndef RNL_CONSOLE_H
#define RNL_CONSOLE_H

#include "endpoint.h"
#include "stats.h"

struct rnl_console;

/**
 * Makes a console; with `interactive` on the terminal. `stats` stays the caller's.
 * @return it, or NULL: out of memory.
 */
struct rnl_console *rnl_console_new(struct rnl_endpoint *e, struct rnl_stats_view *stats,
                                    bool interactive);
/** Puts the terminal back as it was. NULL is fine. */
void rnl_console_free(struct rnl_console *c);
/** Runs --cmdline-file the first time; reads what was typed and prints the periodic line when it is
 * due. */
void rnl_console_tick(void *console);

#endif /* RNL_CONSOLE_H */
