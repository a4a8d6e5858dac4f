/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * signals - see signals.h. The flag is the one thing that a handler touches. Floor 6.
 */
#include <signal.h>
#include <stddef.h>

#include "signals.h"

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	if (caught == 0)
		caught = number;
}

static void install(void)
{
	/* Once: the next one does what it does by default. No SA_RESTART: reads of the console end.
	 */
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

void rnl_signals_catch(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, NULL);
	caught = 0;
	install();
}

int rnl_signals_caught(void)
{
	return caught;
}

void rnl_signals_clear(void)
{
	caught = 0;
	install();
}
