/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of congestion-control modules; the default stands first. Floor 2. */
#include <string.h>

#include <rte_common.h>

#include "algo/cc.h"

static const struct rnl_cc_ops *const modules[] = {
    &rnl_cc_cubic,
    &rnl_cc_newreno,
    &rnl_cc_dctcp,
    &rnl_cc_bbr,
};

const struct rnl_cc_ops *rnl_cc_nth(unsigned int i)
{
	return i < RTE_DIM(modules) ? modules[i] : NULL;
}

const struct rnl_cc_ops *rnl_cc_find(const char *name)
{
	for (unsigned int i = 0; name != NULL && i < RTE_DIM(modules); i++)
		if (strcmp(modules[i]->name, name) == 0)
			return modules[i];
	return NULL;
}
