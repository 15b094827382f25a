/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Findings as bytes and back, and copied from one report to another. Stands on report/finding.h. */
#ifndef AGLET_TOOL_REPORT_FILE_H
#define AGLET_TOOL_REPORT_FILE_H

#include <stddef.h>
#include "report/finding.h"

/* malloc'd bytes; their number in *size. */
char *report_encode(const struct report *r, size_t *size);
/* Add the findings to out. The bytes may come from anywhere: false when they are not what report_encode makes; out may
 * then hold some of them. */
bool report_decode(const char *bytes, size_t size, struct report *out);
/* Add a copy of f, with its notes and fix-its. */
void report_copy(struct report *out, const struct finding *f);

#endif
