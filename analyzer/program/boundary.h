/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What crosses from one thread to another, and is it safe there? Every hand-off, what both sides do with the region, and
 * what is wrong with it.
 * Stands on region.h and traits.h. Filled by program_solve; the rules send, sync, use-after-send, stack-escape, entry-type
 * and unjoined word it.
 *
 * Only what is certain is kept as wrong: a use counts when it is reached after the hand-off with no join and nothing in between
 * that may order the two sides; an access of the other side when nothing it does before may wait. */
#ifndef AGLET_PROGRAM_BOUNDARY_H
#define AGLET_PROGRAM_BOUNDARY_H

#include "carriers.h"
#include "region.h"
#include "traits.h"

enum handoff_verdict {
    HANDOFF_SENT,    /* this side does nothing more with it */
    HANDOFF_LENT,    /* uses come after the join only */
    HANDOFF_SHARED,  /* both sides use it at once */
    HANDOFF_UNKNOWN, /* who uses it when cannot be told */
    HANDOFF_NOTHING  /* a null pointer, a number: nothing is handed over */
};

/* Two accesses that may happen at once. */
struct conflict {
    const struct region_event *mine;   /* on this side; or the other of two threads */
    const struct region_event *theirs; /* in the entry function, or what it calls */
    uint32_t entry;                    /* the function that does theirs */
    bool twice;                        /* both are threads: the region was handed over more than once */
    const struct region_event *other;  /* twice: the second hand-off (or the same, in a loop) */
    const char *path;                  /* "ctx.count" */
    uint32_t field;                    /* linked_field at the end of the path, or 0 */
    bool on_count;                     /* of a reference count */
};

struct handoff {
    uint32_t func;                  /* linked function in which it is judged */
    const struct region_flow *flow; /* of that */
    const struct region_event *at;  /* its SPAWN or SEND; at->spawn the details */
    place_id region;                /* 0: nothing is handed over that can be named */
    enum handoff_verdict verdict;
    struct conflict *conflicts;
    uint32_t n_conflicts;
    const struct region_event *later; /* a use after an explicit move, or after the entry freed it; or NULL */
    bool entry_frees;
    ir_event guard;      /* the cleanup of the local handed over, which gives a lock back; or 0 */
    const char *escapes; /* the name of a local that dies before the other side is surely done; or NULL */
    ir_loc dies;         /* where */
    bool neither_joined_nor_detached;
    bool joined_on_some_ways; /* … but not on the one that ends at: */
    ir_loc handle_lost;       /* 0: the handle is kept in a member or global that nobody reads */
    bool many;                /* SPAWN: several threads are started here */
    const struct region_event
        *taken;        /* PUT: a use by a thread that took it out; the one that frees it, if any */
    uint32_t taken_in; /* the function that has taken->event */
    bool consumed;     /* PUT: where the call does not put it, it frees it */
};

/* A handle joined a second time. */
struct second_join {
    const struct region_flow *flow;
    const struct region_event *first, *second;
};

struct boundaries {
    struct regions *regions;
    struct traits *traits;
    VEC(struct handoff) handoffs; /* in the order of functions and events */
    VEC(struct second_join) second_joins;
    bool *read; /* by member, then by global: the program reads it; made when a handle is kept in one */
    bool joined_found;         /* … and those that it joins, in `read` as well */
    struct exchange *exchange; /* exchange.h; NULL: no queues were looked for */
    struct carriers *carriers;
};

/* Find and judge them all. Requires summaries. */
void program_find_boundaries(struct program *p);
/* Is the member of what is handed over set to something by functions that the started thread runs, and by no other? Then what it holds
 * when it is handed over is not known. Requires the threads (lock_order.h). */
bool member_set_by_thread(const struct program *p, const struct handoff_spec *s, const struct unit *unit,
                          ir_field field);
/* Tell t of the structs that count their references, by the way they are used. */
void program_find_refcounts(struct program *p, struct traits *t);
void boundaries_free(struct boundaries *b); /* NULL is fine */

/* "queue.head", or the name of a global. */
const char *boundary_slot_name(const struct program *p, uint32_t slot, char *out, size_t size);

/* Where a region event really stands. */
struct position region_position(const struct program *p, const struct region_event *e);

#endif
