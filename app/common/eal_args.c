/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * eal_args - reads the EAL's part of a command line as the EAL of DPDK 22.11 does, and keeps what
 * the checks need. Refuses what the EAL would answer with a page of help. Floor 6.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>

#include "args_err.h"
#include "eal.h"

enum code {
	OPT_OTHER = 256,
	OPT_LCORES,
	OPT_NO_HUGE,
	OPT_IN_MEMORY,
	OPT_NO_PCI,
	OPT_VDEV,
	OPT_FILE_PREFIX,
	OPT_SOCKET_MEM,
	OPT_HUGE_DIR,
	OPT_LOG_LEVEL,
	OPT_PROC_TYPE,
};

#define NONE(n, c)                                                                                 \
	{                                                                                          \
		n, no_argument, NULL, c                                                            \
	}
#define VALUE(n, c)                                                                                \
	{                                                                                          \
		n, required_argument, NULL, c                                                      \
	}
#define MAYBE(n, c)                                                                                \
	{                                                                                          \
		n, optional_argument, NULL, c                                                      \
	}
static const struct option options[] = {
    VALUE("lcores", OPT_LCORES),
    NONE("no-huge", OPT_NO_HUGE),
    NONE("in-memory", OPT_IN_MEMORY),
    NONE("no-pci", OPT_NO_PCI),
    VALUE("vdev", OPT_VDEV),
    VALUE("allow", 'a'),
    VALUE("file-prefix", OPT_FILE_PREFIX),
    VALUE("socket-mem", OPT_SOCKET_MEM),
    VALUE("huge-dir", OPT_HUGE_DIR),
    VALUE("log-level", OPT_LOG_LEVEL),
    VALUE("proc-type", OPT_PROC_TYPE),
    NONE("help", 'h'),
    VALUE("base-virtaddr", OPT_OTHER),
    VALUE("block", OPT_OTHER),
    NONE("create-uio-dev", OPT_OTHER),
    VALUE("force-max-simd-bitwidth", OPT_OTHER),
    MAYBE("huge-unlink", OPT_OTHER),
    MAYBE("huge-worker-stack", OPT_OTHER),
    VALUE("iova-mode", OPT_OTHER),
    NONE("legacy-mem", OPT_OTHER),
    VALUE("main-lcore", OPT_OTHER),
    NONE("match-allocations", OPT_OTHER),
    VALUE("mbuf-pool-ops-name", OPT_OTHER),
    NONE("no-hpet", OPT_OTHER),
    NONE("no-shconf", OPT_OTHER),
    NONE("no-telemetry", OPT_OTHER),
    NONE("single-file-segments", OPT_OTHER),
    VALUE("socket-limit", OPT_OTHER),
    VALUE("syslog", OPT_OTHER),
    NONE("telemetry", OPT_OTHER),
    VALUE("trace", OPT_OTHER),
    VALUE("trace-bufsz", OPT_OTHER),
    VALUE("trace-dir", OPT_OTHER),
    VALUE("trace-mode", OPT_OTHER),
    VALUE("vfio-intr", OPT_OTHER),
    VALUE("vfio-vf-token", OPT_OTHER),
    NONE("vmware-tsc-map", OPT_OTHER),
    {NULL, 0, NULL, 0},
};

static void add_cpu(struct rnl_eal_args *a, unsigned int cpu)
{
	uint8_t bit = (uint8_t)(1u << cpu % 8);

	if ((a->cpus[cpu / 8] & bit) == 0)
		a->nb_cpus++;
	a->cpus[cpu / 8] |= bit;
}

/* "3" or "3-5" from *p on, below `limit`. Adds nothing when a is NULL. */
static int range(const char **p, unsigned long limit, struct rnl_eal_args *a)
{
	char *end;
	unsigned long first, last;

	if (**p < '0' || **p > '9')
		return -EINVAL;
	first = last = strtoul(*p, &end, 10);
	if (*end == '-') {
		if (end[1] < '0' || end[1] > '9')
			return -EINVAL;
		last = strtoul(end + 1, &end, 10);
	}
	*p = end;
	if (last < first || last >= limit)
		return -EINVAL;
	for (unsigned long i = first; i <= last && a != NULL; i++)
		add_cpu(a, (unsigned int)i);
	return 0;
}

/* "1,3-5": -l. */
static int core_list(const char *p, struct rnl_eal_args *a)
{
	while (range(&p, RTE_MAX_LCORE, a) == 0) {
		if (*p == '\0')
			return 0;
		if (*p++ != ',')
			break;
	}
	return -EINVAL;
}

/* "2" or "(0-3,7)" from *p on: a set of --lcores. */
static int core_set(const char **p, unsigned long limit, struct rnl_eal_args *a)
{
	if (**p != '(')
		return range(p, limit, a);
	do {
		(*p)++;
		if (range(p, limit, a) != 0)
			return -EINVAL;
	} while (**p == ',');
	return *(*p)++ == ')' ? 0 : -EINVAL;
}

/* "0@2,(1-2)@(3,4),5": lcores, and the CPUs that they run on. */
static int core_map(const char *p, struct rnl_eal_args *a)
{
	for (;; p++) {
		const char *lcores = p;

		if (core_set(&p, RTE_MAX_LCORE, NULL) != 0)
			return -EINVAL;
		if (*p == '@') {
			p++;
			if (core_set(&p, RNL_EAL_MAX_CPUS, a) != 0)
				return -EINVAL;
		} else if (core_set(&lcores, RTE_MAX_LCORE, a) != 0) {
			return -EINVAL;
		}
		if (*p != ',')
			return *p == '\0' ? 0 : -EINVAL;
	}
}

/* "f0" or "0xf0": -c. */
static int core_mask(const char *p, struct rnl_eal_args *a)
{
	size_t n;

	if (strncasecmp(p, "0x", 2) == 0)
		p += 2;
	n = strspn(p, "0123456789abcdefABCDEF");
	if (n == 0 || p[n] != '\0' || n > RTE_MAX_LCORE / 4)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const char digit[2] = {p[n - 1 - i], '\0'};
		unsigned long v = strtoul(digit, NULL, 16);

		for (unsigned int bit = 0; bit < 4; bit++)
			if ((v >> bit & 1) != 0)
				add_cpu(a, (unsigned int)i * 4 + bit);
	}
	return a->nb_cpus != 0 ? 0 : -EINVAL;
}

/* "512" or "512,512": the sum. */
static int megabytes(const char *p, uint64_t *out)
{
	*out = 0;
	for (;; p++) {
		char *end;

		if (*p < '0' || *p > '9')
			return -EINVAL;
		*out += strtoul(p, &end, 10);
		p = end;
		if (*p != ',')
			return *p == '\0' ? 0 : -EINVAL;
	}
}

static int take_device(const char *list[], unsigned int *n, const char *text, struct rnl_error *err)
{
	if (*n == RNL_EAL_MAX_DEVS)
		return rnl_app_err(err, -EINVAL,
		                   "more than %d devices: name fewer with -a and --vdev",
		                   RNL_EAL_MAX_DEVS);
	list[(*n)++] = text;
	return 0;
}

static int take_cores(int code, const char *text, struct rnl_eal_args *a, struct rnl_error *err)
{
	if (code == 'l' && core_list(text, a) != 0)
		return rnl_app_err(err, -EINVAL,
		                   "-l '%s' is not accepted: give lcores below %d, such as "
		                   "0,2-3",
		                   text, RTE_MAX_LCORE);
	if (code == 'c' && core_mask(text, a) != 0)
		return rnl_app_err(err, -EINVAL,
		                   "-c '%s' is not accepted: give a hexadecimal set of "
		                   "lcores, such as f",
		                   text);
	if (code == OPT_LCORES && core_map(text, a) != 0)
		return rnl_app_err(err, -EINVAL,
		                   "--lcores '%s' is not accepted: give lcores and CPUs, "
		                   "such as 0@1,(2-3)@4",
		                   text);
	return 0;
}

static int take(int code, const char *text, struct rnl_eal_args *a, struct rnl_error *err)
{
	switch (code) {
	case 'l':
	case 'c':
	case OPT_LCORES:
		return take_cores(code, text, a, err);
	case 'm':
	case OPT_SOCKET_MEM:
		if (megabytes(text, &a->mem_mb) != 0)
			return rnl_app_err(err, -EINVAL,
			                   "%s '%s' is not accepted: give MiB, such as 512",
			                   code == 'm' ? "-m" : "--socket-mem", text);
		return 0;
	case 'a':
		return take_device(a->pci, &a->nb_pci, text, err);
	case OPT_VDEV:
		return take_device(a->vdev, &a->nb_vdev, text, err);
	case OPT_HUGE_DIR:
		a->huge_dir = text;
		return 0;
	case OPT_FILE_PREFIX:
		a->file_prefix = text;
		return 0;
	case OPT_PROC_TYPE:
		a->secondary = strcmp(text, "primary") != 0;
		return 0;
	default:
		break;
	}
	a->no_huge |= code == OPT_NO_HUGE;
	a->in_memory |= code == OPT_IN_MEMORY;
	a->no_pci |= code == OPT_NO_PCI;
	a->log_level |= code == OPT_LOG_LEVEL;
	a->help |= code == 'h';
	a->version |= code == 'v';
	return 0;
}

/* How many arguments are the EAL's: up to "--". */
static int eal_part(int argc, char *const argv[])
{
	int n = 1;

	while (n < argc && strcmp(argv[n], "--") != 0)
		n++;
	return n;
}

static int read_all(int argc, char *argv[], struct rnl_eal_args *out, struct rnl_error *err)
{
	int code, rc = 0;

	optind = 0; /* glibc: forget earlier scans */
	opterr = 0;
	while (rc == 0 &&
	       (code = getopt_long(argc, argv, ":a:b:c:d:hl:S:m:n:r:vs:", options, NULL)) != -1) {
		const char *culprit = argv[optind - 1];

		if (code == '?')
			return rnl_app_err(err, -EINVAL,
			                   "unknown EAL argument '%s': arguments of the "
			                   "program come after --",
			                   culprit);
		if (code == ':')
			return rnl_app_err(err, -EINVAL,
			                   "EAL argument '%s' needs a value: give one", culprit);
		rc = take(code, optarg, out, err);
	}
	if (rc == 0 && optind < argc)
		return rnl_app_err(err, -EINVAL,
		                   "'%s' is no EAL argument: arguments of the program come "
		                   "after --",
		                   argv[optind]);
	return rc;
}

int rnl_eal_parse(int argc, char *const argv[], struct rnl_eal_args *out, struct rnl_error *err)
{
	int n = eal_part(argc, argv);
	char **copy = malloc(((size_t)n + 1) * sizeof(*copy)); /* getopt reorders it */
	int rc;

	if (copy == NULL)
		return rnl_app_err(err, -ENOMEM, "no memory to read the arguments: free some");
	memcpy(copy, argv, (size_t)n * sizeof(*copy));
	copy[n] = NULL;
	memset(out, 0, sizeof(*out));
	rc = read_all(n, copy, out, err);
	optind = 1;
	free(copy);
	return rc;
}
