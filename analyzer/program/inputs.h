/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Has anything changed that solving a function reads of other functions? Summaries as hashes.
 * Stands on summary.h. A function solved again with equal inputs comes to the same summary and the same facts, so it need not be;
 * one whose callees differ in nothing that worlds depend on has the same worlds. solve_program.c leaves out the one and the other. */
#ifndef AGLET_PROGRAM_INPUTS_H
#define AGLET_PROGRAM_INPUTS_H

#include "summary.h"

/* Of summaries, in one run: terms count by number. */
struct summary_hash {
    uint64_t all;    /* everything that a caller's solving may read */
    uint64_t worlds; /* what its worlds depend on: not what it only notes once they have come to rest */
};

/* NULL has a hash, too. */
struct summary_hash summary_hash(const struct summary *s);

#endif
