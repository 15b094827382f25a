/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* From a report to its output: the format, the file, the baseline, and the exit status that follows.
 * Stands on report/output.h, which knows the formats. */
#ifndef AGLET_TOOL_PRINT_H
#define AGLET_TOOL_PRINT_H

#include <stdbool.h>
#include "analyse.h"

bool print_knows(const char *format);

/* Print the sorted report as the options say; fills the counts. Returns EXIT_CLEAN, EXIT_FINDINGS, or EXIT_TROUBLE, said. */
int print_report(const struct analyse_options *o, struct report *r, struct analyse_counts *counts);

#endif
