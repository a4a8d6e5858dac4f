/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * preflight - the parts of rnl_eal_preflight(), and how they look at the machine. Internal to
 * app/common. Floor 6.
 */
#ifndef RNL_APP_PREFLIGHT_H
#define RNL_APP_PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "eal.h"

/* Numbers of linux/capability.h. */
#define RNL_CAP_NET_ADMIN 12
#define RNL_CAP_NET_RAW 13
#define RNL_CAP_IPC_LOCK 14

/** @return whether the process has a capability in effect. */
bool rnl_preflight_has_cap(unsigned int cap);
/** Reads a decimal number from a file such as those of sysfs. @return it, or -1. */
long long rnl_preflight_number(const char *path);
/** @return MiB of free hugepages of all sizes. */
uint64_t rnl_preflight_free_huge_mb(void);
/** Checks a PCI device of -a; text in another form belongs to another bus and passes. */
int rnl_preflight_pci(const struct rnl_eal_args *args, const char *text, struct rnl_error *err);
/** Checks the rights, files and interfaces that a --vdev needs. */
int rnl_preflight_vdev(const char *text, struct rnl_error *err);

#endif /* RNL_APP_PREFLIGHT_H */
