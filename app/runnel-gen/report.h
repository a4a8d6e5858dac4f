/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes a finished run: for people and as JSON (doc/report.schema.json; keys are only ever added).
 * Floor: 6 (application). Pure, but for the file it writes.
 */
#ifndef GEN_REPORT_H
#define GEN_REPORT_H

#include <stdio.h>

#include "runnel.h"
#include "result.h"

/** Prints the final table, the latency histogram and the verdict. */
void gen_report_text(const struct gen_result *r, FILE *out);
/** Writes the JSON report to path ("-": stdout). @return 0, or a negative errno and why. */
int gen_report_json(const struct gen_result *r, const char *path, struct rnl_error *err);

#endif /* GEN_REPORT_H */
