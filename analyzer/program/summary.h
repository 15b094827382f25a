/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What do callers need to know of a function? Its summary: from a model, from annotations, or inferred from its graph.
 * Stands on linked.h, mods.h and world.h. A call is interpreted only through this, so a lock function of pthreads, a wrapper nobody
 * annotated and an annotated ops-table entry are one thing to the solver.
 *
 * Terms here live in program.paths: PARAM (a parameter's value at entry), GLOBAL, TOKEN, RESULT, with FIELD, INDEX and
 * LOAD on top. */
#ifndef AGLET_PROGRAM_SUMMARY_H
#define AGLET_PROGRAM_SUMMARY_H

#include "linked.h"
#include "mods.h"
#include "world.h"

/* A place in the program, for stories. */
struct site {
    uint32_t func; /* linked_func; its unit numbers loc */
    ir_loc loc;
};

enum lock_effect_kind {
    EFFECT_ACQUIRE,
    EFFECT_RELEASE,
    EFFECT_ASSERT /* held by whoever called us, or it does not return */
};
struct lock_effect {
    term lock;
    uint8_t kind; /* enum lock_effect_kind */
    bool shared, async;
    bool maybe; /* on some ways that cannot be told apart from outside */
    bool
        soft; /* ACQUIRE: missing only when the lock call itself fails with an error; `ok` are the results that say it worked */
    struct range ok;    /* soft only */
    int64_t also;       /* one more result with which it is held; or 0 */
    struct site site;   /* where it really happens */
    uint32_t candidate; /* lock_facts: whether it is meant is still to be judged; or 0 */
    bool open;          /* while a call is done: it hangs on what is not known there */
    bool guard; /* RELEASE: by a function handed an AGLET_GUARD_TYPE: of what the guard holds, if anything */
};

/* What must be so before the call for an outcome: a value (parameter, field of one, global) in a range. */
struct precondition {
    term of;
    struct range range;
};

/* What is in a place of the callers' when the call came back so. */
struct left_value {
    term at;
    struct range range;
    bool kept; /* what was there before */
};

/* One way a call can come back. */
#define MAX_EFFECTS 8u /* of one inferred outcome */
#define MAX_LEFT 3u
struct outcome {
    struct lock_effect *effects;
    uint32_t n_effects;
    struct range result;
    struct precondition *when;
    uint32_t n_when;
    struct left_value left[MAX_LEFT]; /* by which callers tell it from another */
    uint32_t n_left;
};

enum requirement_reason {
    REQUIRED_BY_ANNOTATION,
    REQUIRED_BY_ACCESS,  /* guarded data is touched */
    REQUIRED_BY_RELEASE, /* the lock is released */
    REQUIRED_BY_WAIT     /* a condition wait */
};
#define MAX_REQUIRED_WHEN 4u
/* A lock that must be held at the call. */
struct requirement {
    term lock;
    term object;    /* whose data is touched: its owner needs no lock; 0 otherwise */
    uint8_t reason; /* enum requirement_reason */
    bool write;     /* exclusively */
    bool excluded;  /* the opposite: it must not be held (AGLET_EXCLUDES) */
    bool
        perhaps; /* RELEASE: by one of several functions that some call may run: no evidence against callers */
    struct site site;       /* the access, release or annotation */
    struct site via;        /* the call in this function that leads there; func 0: it stands here */
    const char *data;       /* ACCESS: "s->n" as written at the site */
    const char *guard;      /* the lock as written there */
    uint32_t field, global; /* ACCESS: what is guarded */
    uint32_t candidate;     /* RELEASE: its record in lock_facts */
    /* RELEASE: of what locks are taken by, what is so on every way to it; a caller where it is not needs no lock. */
    struct precondition when[MAX_REQUIRED_WHEN];
    uint32_t n_when;
};

/* A lock taken inside, whether or not it is held on return: callers that hold it already lock twice. */
#define MAX_WHEN 8u
struct inner_lock {
    term lock;
    bool shared;
    struct site site;
    struct precondition
        when[MAX_WHEN]; /* on every way to it; callers report only where all are sure to hold */
    uint32_t n_when;
    term without[2]; /* the callers' locks that are given up meanwhile, on every way to it; or 0 */
    /* For stories, and so no part of what callers go by. */
    ir_event via;        /* the call in this function that leads there; 0: it stands here */
    uint32_t via_callee; /* whom it calls */
    term via_lock;       /* the lock in that function's words */
    uint32_t depth;      /* calls from here to there */
};

/* One lock waited for while another is held; see lock_order.h. */
#define MAX_GATES 4u
struct order_edge {
    term from, to; /* program.paths */
    bool from_shared, to_shared;
    bool direct;         /* both are taken in the origin, by lock functions or their wrappers */
    uint8_t relation;    /* enum lock_relation, where both are of one class … */
    uint32_t link;       /* … and the member that leads from one to the other, or 0 */
    ir_event held_event; /* in func: the call that took `from`, or that does both; 0: held at entry */
    uint32_t func;       /* where the objects are known best: the origin or a caller of it */
    ir_event event;      /* the call there that leads to it */
    struct site origin;  /* in the function that holds `from`: the call that waits for `to` */
    ir_loc held_at;      /* there: where `from` was taken, or 0 */
    struct site inner;   /* where `to` is really taken, if in a callee of the origin */
    uint32_t callee;     /* whom the origin calls then, and `to` in its words; or 0 */
    term callee_to;
    uint32_t depth;                  /* calls from the origin to where `to` is taken */
    const char *from_name, *to_name; /* as C spells them in the origin */
    const char *from_here, *to_here; /* … in func */
    term gates[MAX_GATES];
    uint32_t n_gates;
};

/* A condition wait. What elsewhere decides whether a lock is taken may decide on the way to it whether it is waited at all. */
#define MAX_WAIT_WHEN 2u
struct wait_effect {
    term condition, lock;
    struct site site;
    bool timed, looped;
    bool open; /* that cannot be said in the callers' words: nobody is accused of waiting without the lock */
    struct precondition when[MAX_WAIT_WHEN]; /* callers are accused only where all are sure to hold */
    uint32_t n_when;
};

/* It stops the thread, or suspends the task, when a value that callers know is so; see blocks_when.h. */
#define MAX_WAIT_IFS 4u
struct wait_if {
    term value;
    struct model_if only; /* its index says nothing here */
    bool always;          /* on every way through the function */
    bool called;          /* the value is a function that is called, which may wait; `only` says nothing */
    ir_event event;       /* the call here that waits … */
    uint32_t callee;      /* … whom it calls; 0: the value … */
    uint32_t next; /* … and which of that one's wait_ifs it is, + 1; 0: the wait of a modelled function */
};

/* On every return the cell at `at` (a member of what a parameter points to, of a global, or of the struct that is returned: RESULT
 * stands for it) holds `value`: what keeps a lock that was put into a struct the same lock. */
#define MAX_STORES 6u
struct summary_store {
    term at, value;
};

enum effect_bit { EFFECT_YIELDS = 1, EFFECT_BLOCKS = 2, EFFECT_SPAWNS = 4, EFFECT_LOCKS = 8 };

struct summary {
    struct outcome *outcomes;
    uint32_t n_outcomes;
    struct requirement *requirements;
    uint32_t n_requirements;
    struct inner_lock *inner;
    uint32_t n_inner;
    struct order_edge *orders; /* lock_order.h: edges on parameters' locks */
    uint32_t n_orders;
    struct wait_effect *waits;
    uint32_t n_waits;
    struct wait_if *wait_ifs;
    uint32_t n_wait_ifs;
    struct summary_store *stores;
    uint32_t n_stores;
    term *inits, *destroys;
    uint32_t n_inits, n_destroys;
    uint32_t destroys_always; /* bit i: destroys[i], on every way */
    mod_set mods;             /* fields, then globals: memory that may be written */
    uint64_t escapes;         /* parameters (bit i) that may be known to others afterwards */
    uint64_t leaves;          /* … elsewhere than in what the parameters point to: a part of `escapes` */
    uint64_t writes;          /* parameters whose own pointee may be written through */
    uint64_t reads;           /* … read through: models' READS */
    uint64_t frees;           /* parameters whose object ends, on some way */
    uint64_t frees_always;    /* … on every way on which they are not null */
    uint64_t recursive_attr;  /* parameters: attribute objects that now make recursive locks */
    uint64_t recursive_inits; /* parameters: locks initialised recursive */
    bool fresh;               /* returns an object nobody else knows */
    bool never_returns;
    bool blocks_always;       /* every way through it blocks */
    bool known;               /* model, annotation or graph: what is not said here does not happen */
    term returns;             /* the result when it is always this; or 0 */
    uint32_t effects;         /* enum effect_bit */
    struct site effect_at[4]; /* first cause of each: a call in this function, or the function itself */
};

#define MOD_FIELD(field) (field)
#define MOD_GLOBAL(p, global) ((uint32_t)(p)->fields.n + (global))

/* models_check.c: the address of a member that a model names, in the function's words ("$1->mu"); or 0. */
term model_member(struct program *p, uint32_t func, const struct model_ref *r);
/* Models of the user's own that name what their functions do not have: errors where they stand, whatever rules are chosen. */
void models_check(struct program *p);

/* From the model of function f, in p's arena. */
struct summary *summary_of_model(struct program *p, uint32_t func);
/* Put what the function's annotations say into s; what they say wins over what was inferred. `inferred` may hold nothing yet. */
void summary_annotate(struct program *p, uint32_t func, struct summary *s);

/* What annotations on a function pointer (a field, variable or parameter with them, its typedef) promise of whatever it points
 * to; NULL when they say nothing about locks. Sibling locks of a field are paths from PARAM OBJECT_PARAM, the address of
 * the object that holds the pointer. `func` is named in stories. */
#define OBJECT_PARAM 60u
struct summary *summary_of_pointer(struct program *p, const struct linked_unit *lu, ir_type type,
                                   struct ir_range annots, ir_field field, uint32_t func);
/* The same of the pointer that a call of the function goes through. *object: the expression of the place that holds it, for OBJECT_PARAM;
 * 0 where it is in no object. */
const struct summary *summary_of_call(struct program *p, uint32_t func, const struct ir_event_rec *call,
                                      ir_expr *object);

/* A lock path of an annotation as a term of table t. `root` is the place (address) of what the path starts at; `load` reads
 * a cell. Returns 0 when the path cannot be expressed. */
term lock_path_term(struct program *p, struct term_table *t, const struct lock_path *path, term root,
                    term (*load)(void *data, term at), void *data);
/* The same in program.paths: parameters and result as PARAM and RESULT. */
term lock_path_summary(struct program *p, const struct lock_path *path);

#endif
