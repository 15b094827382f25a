/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One call being done: what calls.c and the call_*.c files share. Private to program/.
 * Stands on solver.h. */
#ifndef AGLET_PROGRAM_CALLS_H
#define AGLET_PROGRAM_CALLS_H

#include "solver.h"

struct call {
    struct solver *s;
    ir_event event;
    const struct ir_event_rec *ev;
    const term *args;
    uint32_t n_args;
    uint32_t callee; /* linked_func */
    const struct summary *sum;
    bool sure;     /* it is the only function that may be called */
    bool callback; /* it is not called here, but by the function that is, which was handed it */
    bool again;    /* what another target of the call needs was checked before, in the same world */
    bool once;     /* … at most once in a run: what it touches is nobody's else before it is done */
    const struct world *world; /* before the call; set while waits are noted */
};

/* call_predicate.c */
/* What the function gives if it only asks (predicates.h), from what it reads in w: the same term again while that is the same; else 0. */
term predicate_result(struct call *c, struct world *w);

/* call_locks.c */
/* Take a lock. Returns false when this outcome cannot be: a trylock of a lock held here succeeds only if it is recursive. */
bool acquire(struct call *c, struct world *w, const struct lock_effect *e, term lock, term result,
             bool is_try);
/* The call came back, so somebody holds the lock for us: nothing to give back, nothing asked of callers. In call_asserts.c. */
void assert_held(struct call *c, struct world *w, term lock, const struct lock_effect *e);
/* A release on some ways through the callee only; candidate: the callee's, or 0. */
void release_maybe(struct solver *s, struct world *w, term lock, uint32_t candidate);
/* The lock, or one of the collection that it stands for, as it is held or was given up; or NULL. */
struct held *held_by_name(struct solver *s, struct world *w, term lock);
void note_taken(struct solver *s, term lock);
/* A lock that the callee takes is held already. `inside`: how it is known that a function of the program takes it;
 * in_callee: the lock in the callee's words, where it gives it back again, or 0. */
void report_double(struct call *c, const struct held *h, term lock, bool shared,
                   enum lock_problem_detail inside, const struct site *site, term in_callee,
                   uint32_t candidate);
/* This function is the other half of a callee's candidate. */
void pair(struct solver *s, uint32_t candidate);
/* A lock that is held, known by a pointer kept elsewhere than the one that leads to this: they may be one. Or NULL. */
struct held *held_by_pointer(const struct solver *s, const struct world *w, term lock);
/* Is it one of a collection of locks that a loop took? */
bool collected(struct solver *s, const struct world *w, term lock);

/* call_needs.c */
/* Which locks the callee needs, gives up for a while, or takes inside: noted while recording, for no world depends on it. */
void check_needs(struct call *c, struct world *w);
/* The same of functions that are handed to a library function which runs them: qsort, pthread_once. */
void check_callbacks(struct call *c, struct world *w, const struct call_edge *edges, uint32_t n);

/* call_needs.c */
/* Was the value seen to be another, before something was written that may have changed it? */
bool was_excluded(const struct solver *s, const struct world *w, term of, struct range range);

/* given_up.c */
/* Callers must hold the lock that is given up. */
void require_given_up(struct solver *s, const struct requirement *r);
/* A callee gives this lock up for a while. */
void check_given_up(struct call *c, struct world *w, const struct requirement *r, term lock);

/* call_waits.c */
void wait_condition(struct call *c, struct world *w, const struct wait_effect *said);

/* steady.c */
/* Is memory of this class as it was when the call comes back, whatever the callee writes elsewhere? */
bool stays_steady(const struct call *c, uint32_t memory_class);

/* call_memory.c */
/* What the callee may write, make known, initialise, destroy or free. */
void memory_effects(struct call *c, struct world *w);
/* The lock is destroyed by event e; `always`: on every way through it. */
void note_destroyed(struct solver *s, term path, bool always, ir_event e);
/* Is path in the list, or the list long enough? */
bool listed(const term *list, size_t n, term path);

#endif
