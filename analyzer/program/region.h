/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which objects does a function touch, hand over, wait for? Its accesses, hand-offs and joins on places, in order.
 * Stands on linked.h. Solved on demand for the functions that boundaries lead to, and kept.
 *
 * A place is an object's identity inside one function: a local, a global, the object a parameter points to, an allocation,
 * and fields and elements of these. A pointer kept in memory stands for one object only where nothing in the function, nor
 * what it calls, writes that field; else each load gives a place of its own, so nothing is concluded from it. Coarser than
 * the lock solver's terms on purpose: what this finds is reported without a path to check it on.
 *
 * Cost model. A flow holds its own accesses, and of its callees only what hands over, waits, stores: little. What callees
 * touch is said in a function's words when somebody asks of an object (regions_lifted): held in every flow it would grow
 * with the square of the program. Functions that call each other are solved together, in rounds, until nothing changes. */
#ifndef AGLET_PROGRAM_REGION_H
#define AGLET_PROGRAM_REGION_H

#include "linked.h"

enum place_op {
    PLACE_NONE,
    PLACE_LOCAL,  /* local, parameter or temp a (ir_var) */
    PLACE_GLOBAL, /* linked global a */
    PLACE_PARAM,  /* what parameter a points to at entry */
    PLACE_HEAP,   /* allocated by event a */
    PLACE_RESULT, /* what the result of call a points to; b: what the call stored in argument b - 1 points to */
    PLACE_FIELD, /* field b (linked) of place a */
    PLACE_INDEX, /* element b - 1 of place a; b 0: some element; PLACE_BY_VAR | v: the one that local v names at that moment */
    PLACE_DEREF,  /* what the pointer in place a points to, all through the function */
    PLACE_LOADED, /* what the pointer in place a pointed to when event b read it */
    PLACE_ARG, /* where the caller loaded argument a from: the handle in pthread_join(t) of a function that gets t by value */
    PLACE_PHI  /* what local b points to where paths meet at block a */
};
struct place {
    uint32_t op, a, b;
};
#define PLACE_BY_VAR 0x80000000u
typedef uint32_t place_id;

/* A value: what kind it is in the top four bits, of what below. */
typedef uint32_t region_value;
enum value_kind {
    VALUE_UNKNOWN,
    VALUE_ZERO,
    VALUE_POINTER, /* to a place */
    VALUE_FUNC,    /* linked function */
    VALUE_RESULT,  /* the number that call event returned */
    VALUE_NUMBER   /* made a pointer: no address */
};
#define VALUE_OF(kind, x) ((uint32_t)(kind) << 28 | ((x)&0x0fffffffu))
#define VALUE_KIND(v) ((v) >> 28)
#define VALUE_ITEM(v) ((v)&0x0fffffffu)

enum region_op {
    REGION_READ,
    REGION_WRITE,
    REGION_FREE,
    REGION_PASS,  /* handed to code nobody knows: anything may happen to it */
    REGION_SEND,  /* moved away for good: a queue, AGLET_SENDING */
    REGION_SPAWN, /* handed to a thread: spawn */
    REGION_JOIN,  /* place: the handle, or none: some thread */
    REGION_DETACH,
    REGION_ORDER, /* may order this thread and another: takes, gives */
    REGION_KEEP,  /* stored where others find it: in the place `into` */
    REGION_PUT, /* stored under a lock that is now released, so that other threads may take it out: spawn->slot */
    REGION_RETURN /* the pointer that is returned points to it */
};
#define REGION_ATOMIC 1u
#define REGION_WHOLE 2u    /* all of the object, not just what the place names */
#define REGION_LIFTED 4u   /* it stands in a function called here */
#define REGION_GUARDED 8u  /* the member is declared guarded: guarded-by looks after it */
#define REGION_MAYBE 16u   /* not on every way through the function that was called here */
#define REGION_LINK 64u    /* KEEP: a pointer to a pointer */
#define REGION_BRANCH 128u /* by the condition of the branch that ends the block, after its last event */
#define REGION_CONST 32u   /* the initial value of something const */

/* Classes of synchronising objects, as bits of a mask (region_flow.h: region_class). UINT64_MAX: any, known or not. */
#define CLASS_LOCKS UINT64_C(0xffffffff) /* the half of a mask that is not atomics' … */
#define CLASS_MUTEXES UINT64_C(0xffff)   /* … of which these are locks; the others are waited on */
#define CLASS_ATOMICS (UINT64_C(0x0fffffff) << 32)
#define CLASS_EVERY (UINT64_MAX >> 1) /* every one that the program has */
/* The locks in a mask; one that a parameter points to may be any. */
static inline uint64_t region_mutexes(uint64_t classes) {
    return classes & UINT64_C(0xf0000000) ? CLASS_MUTEXES : classes & CLASS_MUTEXES;
}

/* Where something is put for other threads: a field's number, or that of a global with this bit; 0: not known. */
#define SLOT_GLOBAL 0x80000000u

/* A function that was stored beside what was put: the field (linked) it is in, and which it is. */
struct put_function {
    uint32_t field, func;
    uint32_t param; /* PARAM index + 1 that holds it, where it is not known here; else 0 */
};

struct handoff_spec {
    uint32_t entries[4]; /* linked functions it may run */
    uint32_t n_entries;
    uint32_t parameter;   /* of the entry that gets what is handed over, from 0 */
    uint32_t entry_param; /* PARAM index + 1 that holds the entry, where it is not known here; else 0 */
    place_id handles[4];  /* where the handle goes */
    uint32_t n_handles;
    struct result_when when;
    bool result_known;      /* `when` speaks of the result of the call it was lifted through */
    bool task, lent, moves; /* moves: AGLET_SENDING as well */
    bool nothing;           /* the argument is a null pointer, or a number */
    bool
        pointer_handle; /* the handle is a pointer, as to a task: the checked runtime tells of those that are forgotten */
    bool has_attributes; /* may be born detached */
    ir_type type;        /* of what the argument points to, before its casts … */
    uint32_t typed_in;   /* … in the unit of this function: the innermost where no void * hides it */
    bool number;         /* the argument is a number too small for an address */
    uint32_t func;       /* where the spawn itself stands */
    ir_event event;
    enum {
        NOT_ASKED,
        TELLS,
        TELLS_NOT
    } told; /* do the results of `func`'s caller-to-be say that it worked? then so: */
    struct result_when told_when;
    uint32_t slot;    /* PUT: the container's slot; 0: it goes in a member of a thread's argument … */
    uint32_t starter; /* … whose first function this is */
    uint32_t inner;   /* PUT: the member of what was put that points to this; 0: it was put itself */
    struct put_function functions[2];
    uint32_t n_functions;
    uint64_t locks; /* PUT: under which it was stored */
};

struct region_event {
    uint8_t op, flags;
    place_id place;
    place_id into;  /* KEEP */
    uint64_t locks; /* classes of lock that may be held, as a mask */
    uint64_t
        acquired; /* classes of synchronising objects that may have been acquired from, since the function began, before it */
    uint64_t acquired_inside; /* … and since the call was made in which it lies */
    uint64_t released;        /* that may be released to after it, until the function ends */
    uint64_t takes, gives;    /* ORDER, SPAWN, JOIN: what this acquires from, releases to */
    uint64_t waits;           /* of `takes`: not by taking a lock, which waits for nobody's progress */
    uint64_t awaited_after;   /* PUT: what may be waited for after it, until the function ends */
    uint64_t awaited_inside;  /* … until the call returns in which it lies */
    ir_event event;           /* in the function whose list this is in */
    uint32_t func;            /* where it really happens, and at what place in that function's unit */
    ir_loc loc;
    const struct handoff_spec *spawn;
};

/* A struct is copied whole. */
struct struct_copy {
    place_id to, from;
    ir_event event;
};
struct phi_source {
    place_id phi, source;
};
/* j->run(j->arg): a function that was loaded from a field is called with what was loaded from another, as its argument `index`. */
struct call_through {
    uint32_t function, argument, index;
};

/* A call of a function with a flow. */
struct region_callsite {
    ir_event event;
    uint32_t func;              /* that is called */
    uint32_t first_arg, n_args; /* what it is given: region_flow.args */
    uint64_t locks, acquired;   /* before the call */
    uint64_t released;          /* after it has returned, until the caller ends */
    uint64_t classes
        [4]; /* what the first arguments' objects are as classes: of them the callee speaks as CLASS_FIRST_PARAM … */
};
/* What is touched in one object by the functions that are called. */
struct lifted_touches {
    struct region_event *at;
    uint32_t n;
    uint32_t n_leads;                /* calls that lead to the object … */
    const struct lifted_lead *leads; /* … (region_flow.h) */
    uint64_t writes;                 /* bits of the slots that are written there (region_slot_bit) */
    uint32_t open;                   /* where it stands in regions.gathered + 1; 0: it is complete */
    uint32_t filled,
        grown; /* when it was filled last, and when there was more in it than before (regions.fills) */
};

/* Does the way end inside a block? */
enum way_end {
    WAY_GOES_ON,
    WAY_DIES, /* what is called ends the program or the thread; or no way comes here at all */
    WAY_STAYS /* what is called goes round for ever */
};

/* One function's solved flow. */
struct region_flow {
    struct program *p;
    uint32_t func;
    const struct linked_unit *unit;
    bool solved, failed;
    bool returns; /* some way comes to its end */
    bool lives;   /* … or goes round for ever */
    struct place *places;
    uint32_t n_places, cap_places;
    struct index place_index;
    struct region_event *events; /* in block order; then what the branches at the blocks' ends read */
    size_t n_events, cap_events;
    VEC(uint32_t) control;             /* those of them that are no region_is_touch and no ORDER */
    VEC(uint32_t) spawns;              /* those that are SPAWN */
    VEC(struct region_callsite) calls; /* in block order */
    VEC(region_value) args;
    VEC(struct lifted_touches) lifted;
    uint32_t *lifted_of, n_lifted_of; /* by object: its place in `lifted` + 1 */
    place_id *arg_objects; /* by argument in `args`: the object it points to; made when asked for … */
    uint64_t *call_places, /* … with, by call, bits for what its arguments point to and these objects */
        any_call;          /* … and all of them */
    uint32_t *first_touch, n_first_touch, /* by object: the first that touches it in `events` + 1 … */
        *next_touch;                      /* … and the next after each; made when asked for */
    uint32_t *first; /* by event of the function (relative): its first region event; one more at the end */
    uint32_t *
        branch_first; /* by block of the function (relative): its branch's first region event; one more at the end */
    ir_event first_event;
    uint64_t *locks_at;           /* by event of the function (relative): locks that may be held there */
    uint64_t takes, gives, waits; /* all that it, and what it calls, acquires from and releases to */
    bool overflow;                /* more than is kept */
    uint64_t adds;                /* locks it may return with */
    uint64_t drops;               /* its callers' locks that it gives back on every way … */
    uint64_t may_drop;            /* … on some */
    VEC(struct phi_source) phis;  /* what a PLACE_PHI may be */
    VEC(struct call_through) calls_through;
    VEC(struct struct_copy) copies;
    uint64_t frees_always; /* parameters whose object is freed on every way */
    uint64_t loses;        /* … or put where another thread takes it out */
    uint64_t may_free;     /* … freed on some, as where the queue is closed */
    struct map64 names;    /* place without a name of its own → local + 1 that held it first */
    struct branch_fact {
        ir_event event; /* the condition compares the result of this call … */
        uint32_t test;  /* … so (ir_binary_op) … */
        int64_t value;  /* … with this; event 0: not known */
    } * branches;       /* by block of the function (relative) */
    uint8_t *ends;      /* by block: enum way_end */
    uint64_t seen;      /* region_seen; 0: not asked */
    void *kept; /* holds all but places, names and what is made on demand, where it was read from an entry */
};

struct regions;
struct regions *regions_new(struct program *p);
void regions_free(struct regions *r);
/* The flow of a defined function, solved; NULL when it has no graph, or was given up (which is said). */
const struct region_flow *regions_flow(struct regions *r, uint32_t func);
/* The same for questions asked of every function: NULL, and said, once the flows of the program have as much as they may. */
const struct region_flow *regions_flow_within(struct regions *r, uint32_t func);
/* Those that callers do not hear of before they ask for an object: READ, WRITE, FREE, PASS. */
static inline bool region_is_touch(const struct region_event *e) {
    return e->op <= REGION_PASS;
}
/* Does this annotation of a parameter say that its argument leaves the caller? */
static inline bool region_moves_argument(uint32_t kind) {
    return kind == IR_A_sending || kind == IR_A_sending_if || kind == IR_A_owned;
}
/* How the functions that f calls touch `object` (a place_object of f's), by the number of f's event.
 * Valid as long as the flow. */
struct lifted_touches regions_lifted(struct regions *r, const struct region_flow *f, place_id object);
/* May one of them write a slot with this bit? Costs less than to ask for them. */
bool regions_may_write(struct regions *r, const struct region_flow *f, place_id object, uint64_t slot_bit);
/* One bit for all members of a struct, one for all globals. */
uint64_t region_slot_bit(const struct program *p, uint32_t slot);
/* How f itself touches `object`: the first event, and the one after e; NULL when there are no more. */
const struct region_event *regions_touch(const struct region_flow *f, place_id object);
const struct region_event *regions_next_touch(const struct region_flow *f, const struct region_event *e);

/* The class of the atomic in a slot. */
uint64_t region_atomic_class(struct regions *r, uint32_t slot);
/* The slot that a place is, or is an element of; 0 when it has no name. */
uint32_t place_slot(const struct region_flow *f, place_id p);
/* Does the place lie in an object that the function made, or in what a pointer in such an object points to? */
bool place_is_own(const struct region_flow *f, place_id p);
/* The place `p` in `from`, which begins at `root`, said of `region` in `to`; 0 when it does not begin there, or is too deep. A load
 * on the way is taken for the one object that the member points to. */
place_id place_rebase(const struct region_flow *from, place_id p, place_id root, struct region_flow *to,
                      place_id region);
place_id place_make(struct region_flow *f, enum place_op op, uint32_t a, uint32_t b);
/* The element's number + 1; 0 when it is not known which. */
static inline uint32_t place_element(const struct place *p) {
    return p->b & PLACE_BY_VAR ? 0 : p->b;
}
/* Without FIELD and INDEX: the object. */
place_id place_object(const struct region_flow *f, place_id p);
/* Is p the object, or a part of it? */
bool place_within(const struct region_flow *f, place_id p, place_id object);
/* p of a callee, said in the caller's places, where parameter i's object is args[i]; 0 when it cannot be said. */
place_id place_translate(const struct region_flow *from, place_id p, struct region_flow *to,
                         const region_value *args, uint32_t n_args);
/* As C spells it: "job->conn.buf". */
int place_print(const struct region_flow *f, place_id p, char *out, size_t size);

#endif
