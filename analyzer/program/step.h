/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One step of solving locks: one function, from what is known now. Its key, its entry in the memo, and doing it again from the entry.
 * Stands on solver.h, noted.h and memo.h; solve_program.c takes the steps.
 *
 * What goes in: the function's unit; what its callers pass and its callees' summaries; of its own, what earlier steps and judgements left;
 * the environment. What comes out: its summary, its problems, what it noted (noted.h), and what is held at its calls and accesses. No
 * number of a path tells anything, so that paths may have others than in the run that solved it. */
#ifndef AGLET_PROGRAM_STEP_H
#define AGLET_PROGRAM_STEP_H

#include "inputs.h"
#include "solver.h"

/* What steps of one run share. */
struct steps {
    uint64_t environment;
    uint64_t *unit_facts; /* by unit; 0: not asked for */
    uint64_t *fixed;      /* by function: what no step changes; 0: not asked for */
    struct writer *writer;
    struct reader *reader;
    VEC(uint32_t) seen; /* by expression: the epoch in which it was looked at */
    uint32_t epoch;
    struct map64 items; /* which are in `named` */
    struct bytes_out named;
};

/* Before any step; where p has a memo. */
struct steps *steps_new(struct program *p);
void steps_free(struct steps *x); /* NULL is fine */
/* Besides its summary, what callers read of a function. */
uint64_t step_exports(const struct program *p, uint32_t func);
/* The step's key, from the hashes of all its callees and of its own summary before it; 0: it cannot be kept. */
uint64_t step_key(struct program *p, struct steps *x, uint32_t func, uint64_t callees, uint64_t own);
/* What the function solved last came to, and the hash of its summary: the entry's bytes, until the next. */
const struct bytes_out *step_write(struct solver *s, struct steps *x, struct summary_hash hash);
/* Is the hash of the summary in the one entry made of names that are still what they are in the other? Only then are they alike. */
bool step_is_usable(struct bytes_in known, const struct bytes_out *now);
/* Do it again from the bytes; *hash: of its summary then. False: they cannot be used, and nothing was done. */
bool step_read(struct solver *s, struct steps *x, uint32_t func, struct bytes_in in,
               struct summary_hash *hash);

#endif
