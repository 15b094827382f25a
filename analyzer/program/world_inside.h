/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What world.c and the world_*.c files share. Private to them.
 * Stands on world.h. */
#ifndef AGLET_PROGRAM_WORLD_INSIDE_H
#define AGLET_PROGRAM_WORLD_INSIDE_H

#include "world.h"

#include <string.h>

#define GROW(a, w, name)                                                                                     \
    do {                                                                                                     \
        if ((w)->n_##name >= (w)->cap_##name) {                                                              \
            void *old_ = (w)->name;                                                                          \
            (w)->cap_##name = (w)->n_##name ? (w)->n_##name * 2 : 4;                                         \
            (w)->name = arena_alloc((a), (w)->cap_##name * sizeof *(w)->name);                               \
            if ((w)->n_##name)                                                                               \
                memcpy((w)->name, old_, (w)->n_##name * sizeof *(w)->name);                                  \
        }                                                                                                    \
    } while (0)

#define COPY(a, to, from, name)                                                                              \
    do {                                                                                                     \
        (to)->cap_##name = (from)->n_##name;                                                                 \
        (to)->name = (from)->n_##name                                                                        \
                         ? arena_copy((a), (from)->name, (from)->n_##name * sizeof *(from)->name)            \
                         : NULL;                                                                             \
    } while (0)

/* The same, of an array that resting worlds share. */
#define COPY_SHARED(a, to, from, name)                                                                       \
    do {                                                                                                     \
        if ((from)->cap_##name)                                                                              \
            COPY(a, to, from, name);                                                                         \
    } while (0)

/* The range in its normal form: 0 left out at the ends where it is known not to be meant. */
struct range range_trim(struct range r);
/* The version of a memory class that no store was seen to; that which a load reads now. */
uint32_t default_version(const struct world *w, uint32_t key);
uint32_t world_version(const struct world *w, uint32_t key);
void set_fact(struct arena *a, struct world *w, term x, struct range r);
/* Is `at` the object or a part of it? */
bool lies_in(const struct term_table *t, term at, term object);

#endif
