/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Small functions that only ask: `static bool is_shared(const struct store *s) { return s->users > 1; }`. Called twice with what it
 * reads unchanged, such a function answers the same, as the expression in its place would: `if (is_shared(s)) lock(&s->mu); …
 * if (is_shared(s)) unlock(&s->mu);`.
 * Stands on linked.h and the call graph. */
#ifndef AGLET_PROGRAM_PREDICATES_H
#define AGLET_PROGRAM_PREDICATES_H

#include "linked.h"

struct predicate {
    const struct linked_unit *unit; /* whose expressions these are */
    ir_var params;                  /* the first */
    uint32_t n_params;
    const ir_expr *reads; /* the loads of what is not its own: members of what parameters point to, globals */
    uint32_t n_reads;
    ir_expr value; /* what it returns, where nothing comes before; else 0 */
};

/* NULL: it is none. Made when it is first asked for, and kept as long as the program. Not for two threads at once. */
const struct predicate *predicate_of(const struct program *p, uint32_t func);

/* Is the event the call of one? */
const struct predicate *predicate_called(const struct program *p, uint32_t func, ir_event event);

struct predicates;
void predicates_free(struct predicates *x); /* NULL is fine */

#endif
