/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In which order are locks taken, and can two threads wait for each other? The lock graph and its cycles; what is called
 * with a lock held that yields or blocks.
 * Stands on summary.h and threads.h. Collected while functions are solved, joined when all are; read by lock-order and
 * `aglet graph`.
 *
 * An edge says: `to` was waited for while `from` was held. Its ends are instances where the program names them (a global, a
 * member of one), else classes (the member of whichever object). A callee's edge on its parameters' locks becomes its
 * callers' edge on the locks they pass, so transfer(&x, &y) and transfer(&y, &x) differ. A trylock waits for nothing and
 * makes no edge. Gate locks: two edges under one common lock cannot meet. */
#ifndef AGLET_PROGRAM_LOCK_ORDER_H
#define AGLET_PROGRAM_LOCK_ORDER_H

#include "solver.h"
#include "threads.h"

#define MAX_CYCLE 5u
struct lock_cycle {
    const struct order_edge *edges
        [MAX_CYCLE]; /* each one's `to` is the next one's `from`; the first stands first in the sources */
    uint32_t n;
    bool
        far; /* with an edge of more than NEAR calls between locks known by class only: it can seldom be walked as a whole */
};
#define NEAR 4u
/* An edge against a declared AGLET_ACQUIRED_BEFORE or _AFTER. */
struct order_broken {
    const struct order_edge *edge;
    const struct unit *unit; /* of the declaration */
    ir_loc declared;
};

/* Two locks of one class, with nothing that says which comes first. */
struct order_nesting {
    const struct order_edge *edge;
    const struct order_edge *other; /* the other way round through the same member; or NULL */
};

struct lock_order {
    VEC(struct order_edge) edges;
    VEC(struct lock_cycle) cycles;
    VEC(struct order_broken) broken;
    VEC(struct order_nesting) nestings;
    VEC(uint64_t) nested_classes; /* with a declared order among themselves */
    struct map64 settled_of;      /* function → its last edge in `edges` + 1 … */
    VEC(uint32_t) settled_before; /* … and by edge the one of its function before it, + 1 */
    struct map64 seen;
    /* Edges on parameters' locks that were left to the callers. */
    VEC(struct open_edge {
        struct order_edge edge; /* from 0: forgotten */
        uint32_t next;          /* of the same function, + 1 */
    })
    open;
    struct map64 open_of;   /* function → its last in open, + 1 */
    struct map64 handed_on; /* function, event, from, to: some caller said it in its own words */
    VEC(struct held_at_call {
        uint32_t func;
        ir_event event;
        term locks[MAX_GATES];
        uint32_t n;
        uint32_t pass;
    })
    held_calls;            /* linked_unit.held_locks */
    struct map64 compared; /* lock_compare.c: what was asked of functions' graphs → 1: no, 2: yes */
    struct threads *threads;
    uint32_t cut_short; /* groups of locks so entangled that the search for cycles was ended in them */
};

/* ---- while solving; recording only ---- */
/* A lock is about to be waited for at event e, by the callee with that summary, in `inner` or here. `func` is that callee and
 * `below` what it says of the lock; NULL where it has no graph. */
void order_wait(struct solver *s, const struct world *w, const struct summary *callee, term lock, bool shared,
                struct site inner, ir_event e, uint32_t func, const struct inner_lock *below);
/* The callee's edges on its parameters become edges here; what is held here is remembered for it. */
void order_call(struct solver *s, const struct world *w, ir_event e, uint32_t callee,
                const struct summary *sum, const term *args, uint32_t n_args);
/* Before a function is solved; after it. */
void order_begin(struct solver *s);
void order_finish(struct solver *s);
/* What was said of the function is void: it is solved again. */
void order_forget(struct program *p, const bool *funcs);

/* ---- when all are solved ---- */
/* What no caller could say in its words stands where it was found, known by class. */
void order_settle_open(struct program *p);
void program_find_lock_order(struct program *p);
/* Fill lock_order.cycles from its edges and threads (lock_search.c). */
void lock_order_search(struct program *p);
/* Fill lock_order.nestings (lock_nesting.c). */
void lock_order_find_nestings(struct program *p);
void lock_order_free(struct lock_order *o); /* NULL is fine */

/* The next call on the way from function `at` to where the lock, *lock in its words, is taken: *event of `at`, the callee, and the
 * lock in the callee's words; 0 when `at` takes it itself. */
uint32_t order_next(const struct program *p, uint32_t at, term *lock, ir_event *event);

/* The class of a lock in the graph: all members that lead to it from its object, so that what wraps a mutex in a struct of its own (`struct
 * my_mutex`) does not make one class of all there are; a global's where there is none. 0: unknown. */
uint64_t order_class(const struct program *p, term lock);

/* Does the term name one object for sure? */
bool order_concrete(const struct program *p, term x);

#endif
