/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * signals - SIGINT and SIGTERM set a flag and do nothing else; the second SIGINT ends the process
 * at once, for one that hangs. SIGPIPE is ignored. Floor 6.
 */
#ifndef RNL_APP_SIGNALS_H
#define RNL_APP_SIGNALS_H

/** Installs the handlers. Call it after rte_eal_init(). */
void rnl_signals_catch(void);
/** @return the number of the first signal that came, or 0. */
int rnl_signals_caught(void);
/** Forgets it, for a program that drains after the first one. */
void rnl_signals_clear(void);

#endif /* RNL_APP_SIGNALS_H */
