/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which fields and globals may a function write? Sets over all of a program's, equal parts of them kept once.
 * Stands on base/arena.h and base/hash.h.
 *
 * Cost model. A function writes what its callees write, so sets near the roots of a call graph hold much of the program: a bit set
 * of one's own for each function costs the square of the program. They differ little, though. A set is an array of parts of
 * MODS_PART bits, parts and arrays are hash-consed, joining two sets looks only into parts that differ. */
#ifndef AGLET_PROGRAM_MODS_H
#define AGLET_PROGRAM_MODS_H

#include <stdbool.h>
#include <stdint.h>
#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/vec.h"

#define MODS_PART 2048u

/* NULL: the empty set; a part that is NULL is empty. Never changed once made. */
typedef const uint64_t *const *mod_set;

static inline bool mods_has(mod_set mods, uint32_t bit) {
    const uint64_t *part = mods ? mods[bit / MODS_PART] : NULL;

    return part && part[bit % MODS_PART / 64] >> bit % 64 & 1;
}

/* Makes one set after another. */
struct mods_maker {
    struct arena *arena; /* of the sets made */
    uint32_t n_parts;
    const uint64_t **now; /* parts so far: shared ones, or those of `own` */
    uint64_t (*own)[MODS_PART / 64];
    struct index part_index, set_index;
    VEC(const uint64_t *) parts;
    VEC(mod_set) sets;
};

/* For sets over bits 0 … n_bits - 1. */
void mods_init(struct mods_maker *m, struct arena *arena, uint32_t n_bits);
void mods_free(struct mods_maker *m);
void mods_begin(struct mods_maker *m, mod_set from);
void mods_add(struct mods_maker *m, uint32_t bit);
void mods_join(struct mods_maker *m, mod_set other);
mod_set mods_end(struct mods_maker *m);

#endif
