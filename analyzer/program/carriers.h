/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Can a lock or an atomic carry an order from one thread to another?
 * Stands on region.h.
 *
 * That both threads take one lock orders nothing: each may come first. What orders is a state that one thread changes under the
 * lock, after what it did before, and that the other looks at under the lock and goes on by: a flag, a queue's head, a count of
 * what is left. So a lock that protects a log file, or counters that are only added to, carries no order, and neither does an
 * atomic that nobody decides by. */
#ifndef AGLET_PROGRAM_CARRIERS_H
#define AGLET_PROGRAM_CARRIERS_H

#include "region.h"

/* Which way a value sends the function that reads it. */
enum carrier_weight {
    WEIGHT_NONE, /* it is added to, printed, linked into a list */
    WEIGHT_INSIDE, /* it chooses a side of a branch whose sides meet again: what lies inside is decided by it, nothing else */
    WEIGHT_DECIDES /* it ends a loop, is returned, followed, handed on */
};

/* A state is read, or written, in a section of a lock, or is an atomic. */
struct carrier_use {
    uint32_t slot;    /* the member, or global with SLOT_GLOBAL, that keeps it; 0: memory without a name */
    uint32_t kind;    /* of its type, by kind and size; 0: a whole struct, or unknown memory: any */
    uint64_t classes; /* of the locks held there; or of the atomic */
    uint32_t func;
    enum carrier_weight weight; /* of a read */
    const bool *
        inside; /* of a read in a branch that only decides what lies inside: the function's blocks that do; or NULL */
};
struct carrier_uses {
    VEC(struct carrier_use) reads, writes;
};

/* One side of an order: a place in a thread. */
struct carrier_side {
    uint32_t entry; /* it runs this function, and what that calls; 0: it may run any */
    uint32_t func;  /* in which the access stands; 0: anywhere */
    ir_event event; /* the event of `entry` at which it is come to; 0: not known */
};

struct carriers;
struct carriers *carriers_new(struct program *p, struct regions *r);
void carriers_free(struct carriers *c); /* NULL is fine */

/* May an order come from `from`, which releases to `gives` after its access, to `to`, which acquires from `takes` before its own?
 * True where that is not known: where `takes` is UINT64_MAX, or `gives` is and something acquired from is gone by.
 * Cost  the first question that is not trivial looks at every function of the program that takes a lock or uses an atomic. */
bool carriers_order(struct carriers *c, uint64_t gives, uint64_t takes, struct carrier_side from,
                    struct carrier_side to);

/* ---- carriers_find.c ---- */
/* Add what func, whose flow f is, reads and writes where the callers may hold `held`. */
void carriers_find(struct regions *r, const struct region_flow *f, uint64_t held, struct carrier_uses *out);

#endif
