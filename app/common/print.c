/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print - numbers for people: see print.h. Floor 6.
 */
#include <stdio.h>

#include "print.h"

/* Three significant digits of n in steps of `step`, with the unit of the step and a tail. */
static const char *scaled(struct rnl_text *t, double n, double step, const char *const units[])
{
	unsigned int i = 0;
	int decimals;

	/* 999.5 would round up to four digits: it belongs to the next unit. */
	while (units[i + 1] != NULL && n >= step - 0.5) {
		n /= step;
		i++;
	}
	decimals = i == 0 ? 0 : n < 9.995 ? 2 : n < 99.95 ? 1 : 0;
	snprintf(t->s, sizeof(t->s), "%.*f%s", decimals, n, units[i]);
	return t->s;
}

const char *rnl_print_count(struct rnl_text *t, double n)
{
	static const char *const units[] = {"", "k", "M", "G", "T", NULL};

	return scaled(t, n, 1000, units);
}

const char *rnl_print_bps(struct rnl_text *t, double octets_per_s)
{
	static const char *const units[] = {" bit/s",  " kbit/s", " Mbit/s",
	                                    " Gbit/s", " Tbit/s", NULL};

	return scaled(t, octets_per_s * 8, 1000, units);
}

const char *rnl_print_bytes(struct rnl_text *t, uint64_t octets)
{
	static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", NULL};

	return scaled(t, (double)octets, 1024, units);
}

const char *rnl_print_ns(struct rnl_text *t, uint64_t ns)
{
	static const char *const units[] = {" ns", " us", " ms", " s", NULL};
	uint64_t s = (ns + 500000000) / 1000000000;

	if (s < 60)
		return scaled(t, (double)ns, 1000, units);
	if (s < 3600)
		snprintf(t->s, sizeof(t->s), "%um%02us", (unsigned int)(s / 60),
		         (unsigned int)(s % 60));
	else
		snprintf(t->s, sizeof(t->s), "%lluh%02um", (unsigned long long)(s / 3600),
		         (unsigned int)(s / 60 % 60));
	return t->s;
}

const char *rnl_print_percent(struct rnl_text *t, double part, double whole)
{
	if (whole <= 0)
		snprintf(t->s, sizeof(t->s), "-");
	else
		snprintf(t->s, sizeof(t->s), "%.1f %%", 100 * part / whole);
	return t->s;
}
