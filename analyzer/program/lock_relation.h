/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two locks of one class, one taken inside the other: does the program say which comes first? Stands on solver.h.
 *
 * It says so when one object is reached through the other (parent and child, a list's next), by elements taken in the order of their
 * index, or by a comparison of the two (`a < b`, `a->id < b->id`) in the function, in one that it calls with both, or in what sorts the
 * array they come from. All of it is read off values and how they flow; names say nothing. */
#ifndef AGLET_PROGRAM_LOCK_RELATION_H
#define AGLET_PROGRAM_LOCK_RELATION_H

#include "solver.h"

enum lock_relation {
    RELATED_NOT, /* nothing says which comes first */
    RELATED_DOWN, /* the second's object is reached through a member of the first's, or comes after it in an array */
    RELATED_UP, /* the other way round */
    RELATED_FAR, /* reached over so many pointers that it may be one object, or one there is one of: nothing can be said */
    RELATED_ORDERED /* by index, or by a comparison */
};

/* How two locks of one class stand to each other, as their terms say; *link: the member, which may be the array, for DOWN and UP. */
enum lock_relation lock_relation(const struct solver *s, term from, term to, uint32_t *link);

/* Does the function compare what the locks of the two calls (events of it) are found by, or find the second through the first? */
bool lock_calls_ordered(const struct program *p, uint32_t func, ir_event first, ir_event second);

#endif
