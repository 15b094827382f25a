/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a program's units have that one program does not: two definitions of a function, two compilers, two targets. Stands on ir/unit.h. */
#ifndef AGLET_TOOL_MIXED_H
#define AGLET_TOOL_MIXED_H

#include <stdbool.h>
#include <stddef.h>
#include "ir/unit.h"
#include "report/finding.h"

/* Note it of the units that are `in` (NULL: all), one sentence for each kind; they are analysed together all the same. NULL units are passed
 * over. */
void report_mixed(struct report *r, struct unit *const *units, const bool *in, size_t n);

#endif
