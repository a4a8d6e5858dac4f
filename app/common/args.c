/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * args - numbers, sizes, times, words and port sets of the command line: see args.h. Floor 6.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "args_err.h"

/* A suffix and what it multiplies by. */
struct unit {
	const char *name;
	double factor;
};

int rnl_arg_uint(const struct rnl_arg *a, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end = NULL;
	unsigned long long v;

	errno = 0;
	v = strtoull(a->text, &end, strncasecmp(a->text, "0x", 2) == 0 ? 16 : 10);
	if (!isdigit((unsigned char)a->text[0]) || *end != '\0' || errno != 0 || v < min || v > max)
		return rnl_arg_bad(a, "a whole number from %llu to %llu", (unsigned long long)min,
		                   (unsigned long long)max);
	*out = v;
	return 0;
}

int rnl_arg_u32(const struct rnl_arg *a, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t v;
	int rc = rnl_arg_uint(a, min, max, &v);

	if (rc == 0)
		*out = (uint32_t)v;
	return rc;
}

int rnl_arg_u16(const struct rnl_arg *a, uint16_t min, uint16_t max, uint16_t *out)
{
	uint64_t v;
	int rc = rnl_arg_uint(a, min, max, &v);

	if (rc == 0)
		*out = (uint16_t)v;
	return rc;
}

/* "12", "1.5k": digits, at most one point, then one of the units. */
static int with_unit(const char *text, const struct unit *units, double *out)
{
	size_t digits = strspn(text, "0123456789.");
	char number[32];
	char *end;

	if (digits == 0 || digits >= sizeof(number) || text[0] == '.')
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	*out = strtod(number, &end);
	if (*end != '\0')
		return -EINVAL;
	for (; units->name != NULL; units++) {
		if (strcasecmp(text + digits, units->name) != 0)
			continue;
		*out *= units->factor;
		return 0;
	}
	return -EINVAL;
}

int rnl_arg_size(const struct rnl_arg *a, uint64_t min, uint64_t max, uint64_t *out)
{
	static const struct unit units[] = {
	    {"", 1}, {"k", 0x1p10}, {"m", 0x1p20}, {"g", 0x1p30}, {"t", 0x1p40}, {NULL, 0},
	};
	double v;

	/* Below 2^63 the conversion to an integer is defined. */
	if (with_unit(a->text, units, &v) != 0 || v != floor(v) || v >= 0x1p63 || v < (double)min ||
	    (uint64_t)v > max)
		return rnl_arg_bad(a, "octets, such as 1500, 64k, 10M or 2G, from %llu to %llu",
		                   (unsigned long long)min, (unsigned long long)max);
	*out = (uint64_t)v;
	return 0;
}

int rnl_arg_rate(const struct rnl_arg *a, double *out)
{
	static const struct unit units[] = {
	    {"", 1}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {NULL, 0},
	};
	double v;

	if (with_unit(a->text, units, &v) != 0 || v <= 0)
		return rnl_arg_bad(a, "a rate per second above 0, such as 500, 2.5k, 1M or 10G");
	*out = v;
	return 0;
}

int rnl_arg_duration(const struct rnl_arg *a, uint64_t *out_ns)
{
	static const struct unit units[] = {
	    {"", 1e9},  {"ns", 1},   {"us", 1e3},   {"ms", 1e6},
	    {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0},
	};
	double v;

	if (with_unit(a->text, units, &v) != 0 || v >= 0x1p63)
		return rnl_arg_bad(
		    a, "a time, such as 10s, 1.5s, 200ms, 50us, 2m or 1h; a bare number "
		       "is seconds");
	*out_ns = (uint64_t)llround(v);
	return 0;
}

int rnl_arg_portmask(const struct rnl_arg *a, uint64_t *out)
{
	const char *t = a->text;
	char *end = NULL;
	unsigned long long v;

	if (strncasecmp(t, "0x", 2) == 0)
		t += 2;
	errno = 0;
	v = strtoull(t, &end, 16);
	if (!isxdigit((unsigned char)t[0]) || *end != '\0' || errno != 0 || v == 0)
		return rnl_arg_bad(a, "a set of ports in hexadecimal, such as 3 for ports 0 and 1");
	*out = v;
	return 0;
}

int rnl_arg_choice(const struct rnl_arg *a, const char *const words[], unsigned int n)
{
	char list[160] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < n; i++)
		if (strcmp(a->text, words[i]) == 0)
			return (int)i;
	for (unsigned int i = 0; i < n && used < sizeof(list); i++) {
		const char *comma = i == 0 ? "" : i + 1 == n ? " or " : ", ";
		int len = snprintf(list + used, sizeof(list) - used, "%s%s", comma, words[i]);

		used += (size_t)len;
	}
	return rnl_arg_bad(a, "%s", list);
}

int rnl_arg_ecn(const struct rnl_arg *a, uint8_t *out)
{
	/* in the order of enum rnl_ecn_mode */
	static const char *const words[] = {"default", "off", "on", "accurate"};
	int mode = rnl_arg_choice(a, words, 4);

	if (mode >= 0)
		*out = (uint8_t)mode;
	return mode < 0 ? mode : 0;
}

int rnl_arg_cc(const struct rnl_arg *a, const struct rnl_cc_ops **out)
{
	const char *words[16];
	unsigned int n = 0;
	int i;

	for (; n < RTE_DIM(words) && rnl_cc_nth(n) != NULL; n++)
		words[n] = rnl_cc_nth(n)->name;
	i = rnl_arg_choice(a, words, n);
	if (i < 0)
		return i;
	*out = rnl_cc_nth((unsigned int)i);
	return 0;
}

int rnl_arg_bool(const struct rnl_arg *a, bool *out)
{
	static const char *const words[] = {"yes", "no", "on", "off", "1", "0"};
	int i = rnl_arg_choice(a, words, 6);

	if (i < 0)
		return i;
	*out = i % 2 == 0;
	return 0;
}

bool rnl_args_help(int argc, char *const argv[])
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}
