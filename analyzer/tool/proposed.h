/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which annotations would all programs of a database keep? Stands on solved.h and program/proposals.h.
 *
 * A member of a header that several programs include is guarded in all of them or in none: what one program proposes is tried in
 * each that has the member, and dropped in all when one of them breaks it. */
#ifndef AGLET_TOOL_PROPOSED_H
#define AGLET_TOOL_PROPOSED_H

#include "base/vec.h"
#include "program/proposals.h"
#include "solved.h"

struct tried_program {
    struct program_units *units;
    struct program *solved; /* with `found` assumed */
    struct proposals found;
};
struct proposed_guard {
    uint64_t item, lock; /* where they are declared, hashed */
    bool dropped;
};

struct proposed {
    struct tried_program *programs;
    size_t n;
    VEC(struct proposed_guard) guards;
    size_t broken; /* dropped, because they are not kept everywhere */
};

/* out is zeroed before. The units are borrowed until proposed_free, which frees them. */
void proposed_find(struct proposed *out, struct program_units *programs, size_t n,
                   const struct program_options *options);
void proposed_free(struct proposed *of);

#endif
