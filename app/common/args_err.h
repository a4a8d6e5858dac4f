/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * args_err - one line about a value that is not accepted. Internal to app/common. Floor 6.
 */
#ifndef RNL_APP_ARGS_ERR_H
#define RNL_APP_ARGS_ERR_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <rte_common.h>

#include "args.h"

/** Writes "OPTION 'VALUE' is not accepted: give ...". @return -EINVAL. */
__rte_format_printf(2, 3) static inline int rnl_arg_bad(const struct rnl_arg *a,
                                                        const char *accepted, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, accepted);
	vsnprintf(text, sizeof(text), accepted, ap);
	va_end(ap);
	snprintf(a->err->text, sizeof(a->err->text), "%.24s '%.40s' is not accepted: give %s",
	         a->opt, a->text, text);
	return -EINVAL;
}

/** Fills an error with a formatted line. @return rc. */
__rte_format_printf(3, 4) static inline int rnl_app_err(struct rnl_error *err, int rc,
                                                        const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	return rc;
}

#endif /* RNL_APP_ARGS_ERR_H */
