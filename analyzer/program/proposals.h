/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which annotations would the program keep, if somebody wrote them? Stands on habits.h and summary.h; for `aglet infer`.
 *
 * 1. proposals_guards: fields that somebody writes and that are always touched with one lock of their own struct held, and
 *    globals with one of their file.
 * 2. A second program of the same units is solved with these taken as said (program_options.assumed); proposals_broken
 *    drops those that draw a finding there. Again, until none is dropped.
 * 3. proposals_needs: what functions with external linkage then need of their callers, so that a file compiled alone,
 *    where the callers are not seen, stays quiet too. A guard that leads to a need which cannot be written down, or which
 *    some caller meets otherwise than with the lock, is dropped; then again from 2. */
#ifndef AGLET_PROGRAM_PROPOSALS_H
#define AGLET_PROGRAM_PROPOSALS_H

#include "../base/vec.h"
#include "linked.h"

struct proposed_need {
    uint32_t func; /* linked_func */
    term lock;     /* program.paths */
    bool shared;   /* held for reading is enough */
    /* Where to write it: a prototype that other files see, else the definition. */
    bool prototype;
    const struct unit *unit;
    ir_loc at;        /* the function's name there */
    const char *text; /* the lock in the words of that place's parameters: "s->mu"; in the program's arena */
};

struct proposals {
    VEC(struct assumed_guard) guards; /* by item */
    VEC(struct proposed_need) needs;
};

/* From the habits of p, solved with nothing assumed. */
void proposals_guards(const struct program *p, struct proposals *out);
/* Drop the guards that draw a finding in p, which was solved with them assumed. Returns how many were dropped. */
size_t proposals_broken(const struct program *p, struct proposals *of);
/* The needs that are left in p, solved with of->guards assumed. Returns how many guards were dropped for them. */
size_t proposals_needs(struct program *p, struct proposals *of);
/* By item, as the above want them. */
void proposals_sort(struct proposals *of);
void proposals_free(struct proposals *of);

#endif
