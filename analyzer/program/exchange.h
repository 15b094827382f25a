/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Does another thread take out what was put under a lock? Queues, lists, rings and globals of the program's own, with no
 * annotation and no model.
 * Stands on region.h: the PUT events of all functions, and the loads under a lock from the same slots. Private to boundary.c
 * and exchange*.c.
 *
 * A slot is a member or global that holds pointers (`queue.head`). What is put there is handed over only if some function that
 * another thread runs loads it from there under the lock, takes it out (writes the slot, or a count or index beside it, in the
 * same section), and goes on with it without the lock. Objects that are only looked up stay shared: registries, tables. */
#ifndef AGLET_PROGRAM_EXCHANGE_H
#define AGLET_PROGRAM_EXCHANGE_H

#include "boundary.h"

/* One use of what was taken, and what may have been acquired from since it was. */
struct taken_use {
    const struct region_event *event;
    place_id item; /* the root that event->place lies in */
    uint64_t since;
};

/* Somebody takes out of a slot: f loads it, or a function that f calls returns it. */
struct taker {
    const struct region_flow *flow;
    uint32_t slot, inner; /* inner: not what was put, but what that member of it points to */
    ir_event event;       /* where f has it from: that load, that call */
    uint64_t locks;       /* under which it is taken */
    bool removes;         /* it is surely no longer in the slot afterwards */
    VEC(place_id) items;  /* what it is called there */
    VEC(place_id)
    item_of; /* by place, while it is looked for uses: the item that it lies in, or is reached from; 0: none */
    VEC(struct taken_use) uses;
};

/* Something is put as what this member of an item points to. */
struct put_inner {
    uint32_t member, next; /* next: another of the container, + 1 */
};
struct through {
    const struct region_flow *flow;
    const struct call_through *call;
};

/* A slot is written under locks. */
struct slot_write {
    uint32_t slot;
    uint64_t locks;
};

struct exchange {
    struct program *p;
    struct boundaries *b;
    struct slot_of {
        uint32_t container; /* + 1; 0: not asked for */
        uint32_t inners;    /* of a container that something is put in: the first + 1 */
    } * slots;              /* by member, then by global */
    VEC(struct put_inner) inners;
    struct map64 containers;      /* what they hold, and where → the first slot of each */
    VEC(struct through) throughs; /* all of the program's, by the member that the function is loaded from */
    VEC(struct taker) takers;
    VEC(struct slot_write) writes;       /* that a function does itself, under locks … */
    const struct region_flow *writes_of; /* … this one */
    uint64_t *held;                      /* by function: locks that every call in sight is made under */
    uint64_t *
        roots; /* by function: threads that may run it; bits 0 … MAX_ROOTS - 1 entries, then main, then callers outside */
    uint64_t many; /* entries that several threads run */
    uint32_t entries[64];
    uint32_t n_entries;
};

/* Everything that is put and taken in the program; NULL where nothing starts a thread. Requires the hand-offs by spawn. */
struct exchange *exchange_find(struct program *p, struct boundaries *b);
void exchange_free(struct exchange *x);

/* exchange_judge.c: the hand-offs that it makes, judged, into b->handoffs. */
void exchange_judge(struct exchange *x);

/* exchange_take.c: fill in the takers of the slots that are put to. */
void exchange_find_takers(struct exchange *x);
/* Is the slot a member of what it points to itself: the link of a list's items? */
bool exchange_is_link(const struct program *p, uint32_t slot);
/* A number that two slots share which belong to one container: the head and the tail of a list. */
uint32_t exchange_container(struct exchange *x, uint32_t slot);
/* The first of what is put in the slot's container, + 1; 0: nothing is. */
uint32_t exchange_inners(struct exchange *x, uint32_t slot);

/* May `taker` be run by another thread than `putter`? */
bool exchange_crosses(const struct exchange *x, uint32_t putter, uint32_t taker);
/* Are they surely run by different threads, or by one function's several? */
bool exchange_apart(const struct exchange *x, uint32_t putter, uint32_t taker);

#endif
