/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which lock does a field seem to belong to? How often each field is touched with a lock of its own object held, and each global
 * with one of the file that defines it.
 * Stands on solver.h. Collected while functions are solved and from those that need no solving; what callers hold on entry
 * (at every call known) counts as held, by class. */
#ifndef AGLET_PROGRAM_HABITS_H
#define AGLET_PROGRAM_HABITS_H

#include "class_set.h"
#include "solver.h"

#define MAX_SIBLINGS 8u
struct habit_access {
    uint32_t item, func;
    ir_loc loc;
    ir_event event; /* of the function; 0: between events */
    term object;    /* while its function is solved; of a global: itself */
    uint8_t held;   /* bit i: sibling i (habit_siblings) is held */
    uint8_t ever;   /* … on some way here */
    uint8_t near;   /* … is taken by the same function, for the same object */
    bool write, dropped;
    bool given_up; /* the caller's lock was given up before: without it on purpose, so counted and not told */
    uint32_t pass; /* in which it was seen */
};
/* Where it is touched without the lock: an access, or a call whose callee touches it and is called with the lock elsewhere. */
struct habit_exception {
    uint32_t func;
    ir_loc loc;
    uint32_t callee; /* 0: the access stands here */
    bool write;
};
#define HABIT_LOCKED 0x80000000u
#define HABIT_DOUBTED 0x20000000u /* held, or meant to be, as far as can be said */
struct habits {
    VEC(struct habit_access) accesses;
    struct map64 seen; /* func, loc, item → access + 1 */
    VEC(struct class_set)
    sets; /* by call (linked_unit.held_classes): locks held, or of an object that is the caller's own; those held once more as | HABIT_LOCKED, and all as | HABIT_DOUBTED */
    struct map64
        sometimes; /* func and event of a call, class of a lock held there on some way → in which pass that was seen */
    uint32_t *last_pass; /* by function: what an earlier one saw is void */
    uint32_t first_of_function;
    bool *beside_lock; /* by field: is it data of a struct that has a lock? */
    bool *shared;      /* by global: is it data that needs one? */
    struct own_locks {
        uint32_t at[MAX_SIBLINGS], n; /* items */
    } * of_unit, *of_struct; /* the locks that a file defines for itself, and those that a struct has */
    bool *solved;            /* by function */
    struct map64 makers;     /* function, struct → does it make or end objects of that? (habit_judge.c) */
    struct habit {
        uint32_t item, lock; /* the lock is an item, too */
        uint32_t held, total;
        struct habit_exception out[3];
        uint32_t n_out;
    } * found;
    size_t n_found;
    VEC(struct habit) kept; /* never touched without it */
};

/* While solving; recording only. */
void habit_access(struct solver *s, const struct world *w, term at, bool write, ir_loc loc);
/* args: the values of its arguments. */
void habit_call(struct solver *s, const struct world *w, ir_event e, const term *args);
void habit_begin(struct solver *s);
void habit_finish(struct solver *s);
/* One that an earlier run saw; between habit_begin and the next. */
void habit_again(struct program *p, const struct habit_access *a);
/* What was seen of the function is void: it is solved again. */
void habit_forget(struct program *p, uint32_t func);

/* Between the two halves, habits.c and habit_judge.c. */
struct habits *habits_of(struct program *p);
/* The place of a call and a lock in `sometimes`. */
uint64_t habit_sometimes_key(uint32_t func, ir_event event, uint32_t class);
/* The locks of the struct that holds the field, or of the file that defines the global, as items; their number. */
uint32_t habit_siblings(struct program *p, uint32_t item, uint32_t *locks);
/* The item whose lock this is, where it is wrapped in a struct; or 0. */
uint32_t lock_wrapper(const struct program *p, const struct term_table *t, term lock);
/* A function that was not solved: what it touches, and holds nothing at. */
void habit_walk_function(struct program *p, uint32_t func);

/* When all are solved: which functions were. Takes the array over. */
void habits_end(struct program *p, bool *solved);
/* p->habits->found, in the order of items. Requires the threads (lock_order.h). */
void program_find_habits(struct program *p);
void habits_free(struct habits *h); /* NULL is fine */

#endif
