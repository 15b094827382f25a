/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What may be so at this point? One world: the locks held, what cells hold, what is known of values.
 * Stands on term.h; solve.h keeps a bounded set of worlds per block.
 *
 * Worlds with equal locksets are merged, others kept apart (ESP: Das, Lerner, Seigle, PLDI 2002), so `if (b) lock(); …
 * if (b) unlock();` needs no rule of its own. All arrays are small and sorted by term. A world that rests at a block shares its
 * cells, facts and versions with the worlds that set out from it and those that come to rest behind it, until one of them writes:
 * most blocks write few of them. A persistent map costs more than it saves at this size (median 12 cells). */
#ifndef AGLET_PROGRAM_WORLD_H
#define AGLET_PROGRAM_WORLD_H

#include "../base/arena.h"
#include "../ir/unit.h"
#include "term.h"

/* Values a term may have: lo ≤ v ≤ hi, and not 0 when nonzero is set. */
struct range {
    int64_t lo, hi;
    bool nonzero;
};
#define RANGE_ALL ((struct range){INT64_MIN, INT64_MAX, false})
static inline struct range range_of(int64_t v) {
    return (struct range){v, v, v != 0};
}
bool range_is_all(struct range r);
bool range_is_empty(struct range r);
struct range range_meet(struct range a, struct range b);
struct range range_hull(struct range a, struct range b);
/* The values whose negatives are in r. */
struct range range_negated(struct range r);
bool range_equal(struct range a, struct range b);
/* The values that compare so with v: op is IR_B_EQ … IR_B_GE. */
struct range range_when(uint32_t op, int64_t v);

/* The way here: decisions at branches, newest first. Never part of what makes worlds equal. */
struct trail {
    const struct trail *before;
    ir_block block;
    uint32_t taken; /* 0: condition true, 1: false, else the number of a switch's successor */
    uint32_t depth;
};

enum held_mode {
    HELD_SHARED = 1,
    HELD_EXCLUSIVE = 2,
    HELD_RELEASED = 3, /* the caller's lock, given up here */
    HELD_FAILED = 4,   /* in `gone` only: a trylock that did not get it */
    HELD_DOUBTED = 5   /* in `gone` only: the lock call failed, unless with the result `also` */
};
#define HELD_MAYBE 1u /* on some way only: too many worlds to tell */
#define HELD_ENTRY 2u /* held by the caller, says an annotation */
#define HELD_ASYNC 4u
#define HELD_GUARD 8u /* with HELD_RELEASED: by a guard of the caller, of what it holds, if anything */
#define HELD_SAID                                                                                            \
    32u /* with HELD_MAYBE: taken twice, and that was said; on the ways that meet this one it is held all the same */
#define HELD_SURE 16u /* no result tells any more whether it is held: it is */
struct held {
    term lock;
    uint8_t mode; /* enum held_mode */
    uint8_t flags;
    uint16_t count;   /* of a recursive lock */
    term when;        /* a result that tells whether the lock call worked, or 0: surely held */
    struct range ok;  /* the results of `when` with which it is held */
    int64_t also;     /* … and one more, or 0 */
    uint8_t as;       /* in `gone`: the mode it would have had */
    ir_event event;   /* that took it, or released it, in this function; 0: at entry */
    uint32_t in_func; /* where the lock call really stands: this function or a callee */
    ir_loc in_loc;
    const struct trail *trail; /* when it was taken */
    uint32_t candidate;        /* lock_facts: the callee's doubtful acquire that took it, or 0 */
};

struct cell {
    term at, value;
};
struct fact {
    term of;
    struct range range;
};
struct version {
    uint32_t key,
        at; /* memory class, and the event that last wrote it (VERSION_BLOCK | block where versions met) */
};
#define VERSION_BLOCK 0x80000000u

/* cap 0, but not empty: shared with a world that rests, and copied before it is written (cells, facts and versions only). */
#define WORLD_ARRAY(type, name)                                                                              \
    type *name;                                                                                              \
    uint32_t n_##name, cap_##name
struct world {
    WORLD_ARRAY(struct held, held);
    WORLD_ARRAY(struct cell, cells);
    WORLD_ARRAY(struct fact, facts);
    WORLD_ARRAY(struct version, versions);
    WORLD_ARRAY(term, owned); /* fresh objects and those whose lock was initialised here, not yet published */
    WORLD_ARRAY(term, published);   /* locals that others may know */
    WORLD_ARRAY(struct held, gone); /* locks released on this way, newest last; not part of the key */
    const struct trail *trail;
    bool spawned;          /* another thread may run */
    ir_event spawn;        /* the last call that started one, or 0; not part of what makes worlds equal */
    bool failed;           /* a lock call failed with an error on this way */
    uint32_t base_version; /* of memory classes not in versions */
    uint32_t alive_facts;  /* after the last look for dead ones */
    bool dirty;            /* in a block's set: changed since the block was last run */
};

struct world *world_new(struct arena *a);
struct world *world_copy(struct arena *a, const struct world *w);
/* A copy that stays in `a`, where every world rests that w's shared arrays are from; what it has is shared from now on. */
struct world *world_rest(struct arena *a, const struct world *w);

/* Drop those of an array's items for which `when` holds: `item` is the name of each in it. */
#define WORLD_DROP(a, w, name, item, when)                                                                   \
    do {                                                                                                     \
        uint32_t kept_ = 0;                                                                                  \
        for (uint32_t i_ = 0; i_ < (w)->n_##name; i_++) {                                                    \
            const __typeof__(*(w)->name) item = (w)->name[i_];                                               \
            if (when)                                                                                        \
                WORLD_OWN(a, w, name);                                                                       \
            else if (kept_++ != i_)                                                                          \
                (w)->name[kept_ - 1] = item;                                                                 \
        }                                                                                                    \
        (w)->n_##name = kept_;                                                                               \
    } while (0)
/* The array is about to be written. */
#define WORLD_OWN(a, w, name)                                                                                \
    do {                                                                                                     \
        if (!(w)->cap_##name && (w)->n_##name) {                                                             \
            (w)->name = arena_copy((a), (w)->name, (w)->n_##name * sizeof *(w)->name);                       \
            (w)->cap_##name = (w)->n_##name;                                                                 \
        }                                                                                                    \
    } while (0)

/* ---- locks ---- */
struct held *world_held(const struct world *w, term lock);
/* The same lock, if versions of memory are not looked at; exact matches first. */
struct held *world_held_like(const struct world *w, const struct term_table *t, term lock);
struct held *world_add_held(struct arena *a, struct world *w, const struct held *h);
void world_drop_held(struct arena *a, struct world *w, struct held *h, ir_event by);
/* Given up on this way, or a trylock that failed on it; or NULL. */
const struct held *world_gone(const struct world *w, const struct term_table *t, term lock);
/* Equal locksets, taken by the same wrappers: what is merged, and what is not. */
bool world_same_locks(const struct world *a, const struct world *b);

/* ---- memory ---- */
/* Which class of memory a cell belongs to: cells of different classes never alias. */
uint32_t memory_class(const struct term_table *t, term at);
term world_load(struct term_table *t, const struct world *w, term at);
void world_set(struct arena *a, struct world *w, term at, term value);
/* Store with all it may overwrite elsewhere. */
void world_store(struct arena *a, struct term_table *t, struct world *w, term at, term value, ir_event event);
/* Whatever lies in the object at `at` has an unknown value from now on. */
void world_forget_object(struct arena *a, struct term_table *t, struct world *w, term at, ir_event event);
/* The same of an object that has no parts. */
void world_forget_cell(struct arena *a, struct term_table *t, struct world *w, term at, ir_event event);
/* A local is no more; whole: it may have parts. Nothing is kept of it: a function may have thousands, one after the other. */
void world_end_local(struct arena *a, struct term_table *t, struct world *w, term local, bool whole);
void world_forget_class(struct arena *a, struct term_table *t, struct world *w, uint32_t memory_class,
                        ir_event event);
/* Another thread may have written anything that is not local, but for memory of these classes. */
void world_forget_all(struct arena *a, struct term_table *t, struct world *w, const uint32_t *but,
                      size_t n_but, ir_event event);
void world_note_gone(struct arena *a, struct world *w, const struct held *h);
void world_drop_cell(struct arena *a, struct world *w, term at);

/* ---- values ---- */
struct range world_range(const struct term_table *t, const struct world *w, term x);
/* Note that x is within r. Returns false when that cannot be: this world ends. Locks whose call is now known to have
 * failed are dropped. */
bool world_narrow(struct arena *a, struct term_table *t, struct world *w, term x, struct range r);
/* x has not this value. A trylock that was asked whether it was busy, and was not, failed by a mistake of the program. */
void world_exclude(struct world *w, term x, int64_t value);
/* Note that condition x is true or false. */
bool world_assume(struct arena *a, struct term_table *t, struct world *w, term x, bool truth);

/* ---- ownership ---- */
bool world_owns(const struct term_table *t, const struct world *w, term at);
void world_own(struct arena *a, struct world *w, term object);
void world_publish(struct arena *a, struct term_table *t, struct world *w, term value);

/* Merge `from` into `into` at `block`; locksets are equal, or `force` makes locks of one of them HELD_MAYBE.
 * Returns whether `into` changed. */
bool world_merge(struct arena *a, struct term_table *t, struct world *into, const struct world *from,
                 ir_block block, bool widen, bool force);

#endif
