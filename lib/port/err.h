/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * err - fills struct rnl_error: one line, what is wrong, a colon, what to do. Floor 5.
 */
#ifndef RNL_PORT_ERR_H
#define RNL_PORT_ERR_H

#include <stdarg.h>
#include <stdio.h>

#include <rte_common.h>

#include "runnel.h"

/** Writes the line, if anybody wants it. @return rc, for `return rnl_port_err(err, -EINVAL, ...)`.
 */
__rte_format_printf(3, 4) static inline int rnl_port_err(struct rnl_error *err, int rc,
                                                         const char *format, ...)
{
	va_list ap;

	if (err == NULL)
		return rc;
	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	return rc;
}

#endif /* RNL_PORT_ERR_H */
