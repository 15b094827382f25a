/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which classes of locks (by field) are held? Small sets, met over ways and callers.
 * Stands on base/arena.h. */
#ifndef AGLET_PROGRAM_CLASS_SET_H
#define AGLET_PROGRAM_CLASS_SET_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

struct class_set {
    uint32_t *at, n; /* ascending */
    bool all;        /* every class: nothing was met yet */
    uint32_t pass;   /* of a call's: in which it was seen */
};

bool class_set_holds(const struct class_set *x, uint32_t class);
/* Requires room in x->at for one more. */
void class_set_add(struct class_set *x, uint32_t class);
/* Keep in x what also one of a and b holds (NULL: holds none). Returns whether something went. */
bool class_set_meet(struct arena *arena, struct class_set *x, const struct class_set *a,
                    const struct class_set *b);

#endif
