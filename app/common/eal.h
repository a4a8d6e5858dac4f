/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * eal - starting the EAL so that a failure is one line: what is wrong and what to do. The checks
 * run before rte_eal_init(), which reports the same faults in many lines and may leave half of
 * itself behind. Refuses to repair anything, and never switches to other settings by itself.
 * Floor 6.
 */
#ifndef RNL_APP_EAL_H
#define RNL_APP_EAL_H

#include <stdbool.h>
#include <stdint.h>

#include "runnel.h"

#define RNL_EAL_MAX_CPUS 1024
#define RNL_EAL_MAX_DEVS 32

/** The EAL arguments that decide whether a start can succeed. Strings point into argv. */
struct rnl_eal_args {
	uint8_t cpus[RNL_EAL_MAX_CPUS / 8]; /**< CPUs named by -l, -c or --lcores */
	unsigned int nb_cpus; /**< 0: none named, the EAL takes those that are allowed */
	const char
	    *pci[RNL_EAL_MAX_DEVS]; /**< -a of PCI devices, text up to the first comma counts */
	unsigned int nb_pci;
	const char *vdev[RNL_EAL_MAX_DEVS]; /**< --vdev arguments */
	unsigned int nb_vdev;
	uint64_t mem_mb;         /**< -m or the sum of --socket-mem; 0: not said */
	const char *huge_dir;    /**< --huge-dir, or NULL */
	const char *file_prefix; /**< --file-prefix, or NULL */
	bool no_huge;            /**< --no-huge */
	bool in_memory;          /**< --in-memory */
	bool no_pci;             /**< --no-pci */
	bool log_level;          /**< --log-level was given: the EAL may speak */
	bool secondary;          /**< --proc-type other than primary */
	bool help;               /**< -h or --help */
	bool version;            /**< -v or --version */
};

/**
 * Reads the EAL's part of a command line (up to "--"). Arguments that it does not know are the
 * EAL's business. @return 0, or -EINVAL with a line about the first one that cannot work.
 */
int rnl_eal_parse(int argc, char *const argv[], struct rnl_eal_args *out, struct rnl_error *err);

/**
 * Checks CPUs, memory, devices and rights against this machine.
 * @return 0, or a negative errno and the first thing that would make the start fail.
 */
int rnl_eal_preflight(const struct rnl_eal_args *args, struct rnl_error *err);

/**
 * Parses, checks and starts the EAL. Its log is kept from the terminal while it starts and held at
 * warnings after that, on standard error, unless --log-level was given; when it fails, the reason
 * that it gave becomes part of the one line.
 * @return how many arguments it used, as rte_eal_init(): argc - n and argv + n are then the
 * program's own; or a negative errno.
 */
int rnl_eal_start(int argc, char *argv[], struct rnl_error *err);

/** Ends the EAL: closes what is left of devices, unlinks its files. */
void rnl_eal_stop(void);

/** Prints "PROG: text" on stderr. @return 1, the exit code. */
int rnl_eal_fail(const char *prog, const struct rnl_error *err);

#endif /* RNL_APP_EAL_H */
