/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What may come after a hand-off, before anything can order it? One walk forward over a function's blocks.
 * Stands on boundary.h. Private to the files boundary*.c. */
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
    struct regions *regions;
    const struct region_flow *flow;
    const struct region_event *start;
    place_id region, handle, joined_handle;
    bool past_joins; /* region: uses after its join count as well, for what the other side has freed */
    bool
        next_turn; /* goes on where the hand-off is reached once more, and may fail then: only `dies` and `handle_lost` count */
    /* answers */
    VEC(struct walk_use) uses;               /* reads, writes, frees, passes, sends of the region */
    VEC(const struct region_event *) spawns; /* other hand-offs of it */
    bool again;   /* the same hand-off is reached once more, with the same region */
    bool round;   /* … with whatever region */
    bool returns; /* some way comes to the function's end unjoined: what callers do then is not known */
    uint64_t takes, gives; /* all that is acquired from and released to on the ways walked */
    bool joined;           /* some way comes to the join of its handle */
    bool unknown;          /* some way comes to what may order the two sides */
    struct walk_death {
        ir_loc loc;
        uint64_t acquired;
    } dies; /* where the local that the region or handle lies in dies, unjoined; the way there that acquires least */
    bool handle_lost;
    bool
        looked_after; /* handle: it is joined, detached or looked at on some way; joined_handle: it is written */
    const struct region_event *second_join;
};
void walk_from(struct walk *w);
void walk_free(struct walk *w);

/* ---- boundary_joins.c ---- */
/* Note each join in f that another join of the same handle follows. */
void boundary_find_second_joins(struct boundaries *b, const struct region_flow *f);

/* ---- boundary_compare.c ---- */
bool boundary_is_access(const struct region_event *e);
/* Do both touch one place, one of them writing, with no lock in common and not both atomically? pa and pb are places of f. */
bool boundary_conflicting(const struct region_flow *f, const struct region_event *a, place_id pa,
                          const struct region_event *b, place_id pb);
/* Keep c, on `place`, as wrong about h: once per path, the pair that tells most. */
void boundary_add_conflict(struct program *p, struct boundaries *b, struct handoff *h, struct conflict c,
                           place_id place);
/* How the other thread comes by the region: `entry` gets it as its argument number `argument`, or, where `inner` is a member,
 * in that member of what the argument points to; or, where `holder` is not 0, the argument is that, and the region's name in this
 * function's places begins with it. */
struct other_end {
    uint32_t entry, argument, inner;
    place_id holder;
};
/* The uses on this side against those of the thread at the other end. True when that thread touches the region at all. */
bool boundary_compare(struct program *p, struct boundaries *b, struct handoff *h, const struct walk *w,
                      struct other_end end);
/* Two threads that were handed the same region; `other` is the second hand-off. */
void boundary_compare_threads(struct program *p, struct boundaries *b, struct handoff *h,
                              const struct walk *w, struct other_end one, struct other_end two,
                              const struct region_event *other);
/* The thread at `end` against itself, where the walk came to the hand-off again, and against those of the other hand-offs it met. */
void boundary_compare_others(struct program *p, struct boundaries *b, struct handoff *h, const struct walk *w,
                             struct other_end end);
/* The place as C spells it, for as long as the program. */
const char *boundary_printed(struct program *p, const struct region_flow *f, place_id place);

/* ---- boundary.c ---- */
/* What the thread at the other end may release to, and may have waited for before it frees the object. */
struct other_gives {
    uint64_t given, awaited;
    uint32_t entry;                   /* the thread's first function; 0: it may be any … */
    const struct region_event *frees; /* … where it frees the object; or NULL */
    bool several_frees;
};
/* The first use that is surely not ordered with the other side's end of the object: no order comes from that side to the use, nor
 * from after the use to where that side frees. */
const struct region_event *boundary_first_use(const struct boundaries *b, const struct walk *w,
                                              struct other_gives other);
/* Does the local that h hands over die with no order from the other side in between? */
void boundary_note_death(struct program *p, struct handoff *h, const struct walk *w,
                         struct other_gives other);
/* Who goes on after a use in func: this function and what it calls; where it returns, anybody. */
struct carrier_side boundary_after(const struct walk *w, uint32_t func);
/* What may be released to after a use: where the function returns, its callers go on. */
uint64_t boundary_released(const struct program *p, const struct walk *w, const struct region_event *use);

#endif
