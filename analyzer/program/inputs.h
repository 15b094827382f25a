/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Has anything changed that solving a function reads of other functions? Summaries as hashes.
 * Stands on summary.h. A function solved again with equal inputs comes to the same summary and the same facts, so it need not be:
 * the cut-off that ends the rounds over functions that call each other. */
#ifndef AGLET_PROGRAM_INPUTS_H
#define AGLET_PROGRAM_INPUTS_H

#include "summary.h"

/* Everything in s that a caller's solving may read; NULL has a hash, too. Terms count by number, so hashes are of one run. */
uint64_t summary_hash(const struct summary *s);
/* Of the summaries of all that func may call. */
uint64_t callees_hash(const struct program *p, uint32_t func);

#endif
