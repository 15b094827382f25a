/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What may come after a hand-off, before anything can order it? One walk forward over a function's blocks.
 * Stands on boundary.h. Private to boundary.c and boundary_walk.c. */
#ifndef AGLET_PROGRAM_BOUNDARY_WALK_H
#define AGLET_PROGRAM_BOUNDARY_WALK_H

#include "boundary.h"

/* A use, and what may have been acquired from between the hand-off and it, on some way. */
struct walk_use {
    const struct region_event *event;
    uint64_t acquired;
};

/* Set one question: `region` (uses of it, until joined), `handle` (is it lost?), or `joined_handle` (is it joined again?). */
struct walk {
    const struct region_flow *flow;
    const struct region_event *start;
    place_id region, handle, joined_handle;
    /* answers */
    VEC(struct walk_use) uses; /* reads, writes, frees, passes, sends of the region */
    VEC(const struct region_event *) spawns; /* other hand-offs of it */
    bool again;       /* the same hand-off is reached once more, with the same region */
    bool returns;     /* some way comes to the function's end unjoined: what callers do then is not known */
    uint64_t takes, gives; /* all that is acquired from and released to on the ways walked */
    bool joined;      /* some way comes to the join of its handle */
    bool unknown;     /* some way comes to what may order the two sides */
    struct walk_death {
        ir_loc loc;
        uint64_t acquired;
    } dies; /* where the local that the region lies in dies, unjoined; the way there that acquires least */
    bool handle_lost;
    const struct region_event *second_join;
};
void walk_from(struct walk *w);
void walk_free(struct walk *w);

#endif
