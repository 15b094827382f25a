/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Has anything changed that solving a function reads of other functions? Summaries as hashes.
 * Stands on summary.h. A function solved again with equal inputs comes to the same summary and the same facts, so it need not be;
 * one whose callees differ in nothing that worlds depend on has the same worlds. solve_program.c leaves out the one and the other, in
 * one run; step.h the former from one run to the next. So paths, functions, members and globals count by name, and places by their
 * distance from their function's. */
#ifndef AGLET_PROGRAM_INPUTS_H
#define AGLET_PROGRAM_INPUTS_H

#include "memo.h"
#include "summary.h"

struct summary_hash {
    uint64_t exact;  /* everything, also what is read for stories and measures only */
    uint64_t all;    /* everything that a caller's solving goes by */
    uint64_t worlds; /* what its worlds depend on: not what it only notes once they have come to rest */
};

/* NULL has a hash, too. */
struct summary_hash summary_hash(struct program *p, const struct summary *s);
/* Of a term of p->paths. */
uint64_t path_digest(struct program *p, term x);
/* Of a function that is named; handed over, it may wait. */
uint64_t func_digest(const struct program *p, uint32_t func);
/* How many terms a term of that kind is made of. */
int path_operands(uint32_t op);
/* Of a member or global, and what solving asks of it: is it a lock, and of what kind; which locks lie beside it; is it never written; is
 * a lock taken by it. */
uint64_t item_digest(struct program *p, uint32_t item);
/* Of the locks in a struct. */
uint64_t struct_digest(const struct program *p, uint32_t number);
uint64_t class_digest(const struct program *p, struct object_class c);
uint64_t mods_digest(struct program *p, mod_set mods);

#endif
