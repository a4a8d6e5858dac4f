/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of congestion-control modules. Floor 2. */
#include <string.h>

#include <rte_common.h>

#include "algo/cc.h"

static const struct rnl_cc_ops *const modules[] = {
    &rnl_cc_newreno,
};

const struct rnl_cc_ops *rnl_cc_nth(unsigned int i)
{
	return i < RTE_DIM(modules) ? modules[i] : NULL;
}

const struct rnl_cc_ops *rnl_cc_find(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(modules); i++)
		if (strcmp(modules[i]->name, name) == 0)
			return modules[i];
	return NULL;
}
