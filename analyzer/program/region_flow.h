/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The inside of one function's solving: its state, and what a call does to it; and of all functions', in rounds. Private to
 * region_*.c.
 * Stands on region.h and summary.h. */
#ifndef AGLET_PROGRAM_REGION_FLOW_H
#define AGLET_PROGRAM_REGION_FLOW_H

#include "region.h"
#include "summary.h"

enum {
    MAX_TARGETS = 8
}; /* of a call through a pointer that are followed; with more, nothing is known of it */

struct lifted_key {
    struct region_flow *flow;
    uint32_t index;
    uint32_t at, outer; /* its place in regions.gathered; what `oldest` was before */
};

/* A call that leads to the object of a list: of the touches there, the caller says. */
struct lifted_lead {
    uint32_t call;  /* in calls */
    place_id there; /* what the callee calls it … */
    uint32_t list;  /* … and its own list of that + 1, or 0 */
};

struct regions {
    struct program *p;
    VEC(struct region_flow *) flows; /* by function; NULL: never asked for */
    uint64_t kept;                   /* events of all flows */
    uint32_t *component, *position;  /* by function: functions that call each other; callees first */
    bool solving;
    uint32_t now;     /* the component that is being solved */
    uint64_t *hashes; /* by function: its flow as callers see it; 0: none yet */
    struct class_bits {
        uint8_t sync, atomic; /* bits + 1; 0: not asked yet */
    } * classes;              /* by member, then by global (region_class.c) */
    uint64_t *said,
        *links; /* by function, by unit: of what it says, and what it is linked to (region_seen.c); 0: not asked yet */
    VEC(uint32_t) named; /* the functions, then the slots that an entry speaks of, while it is read */
    /* of the accesses that are being gathered */
    unsigned depth;
    VEC(struct lifted_key) gathered;  /* that are not complete: a list after those that it was begun for */
    uint32_t oldest;                  /* of them that was used by what is gathered now: its place + 1 */
    VEC(struct lifted_lead) leads;    /* of the lists that are being gathered, one behind the other */
    VEC(struct region_event) touches; /* of one list, and … */
    struct touch_key {
        uint64_t key;
        uint32_t fill;
    } * seen; /* … what tells them apart: a table of those of this fill */
    uint32_t fills;
    struct arena lifted; /* the lists that are complete */
};

struct cell_value {
    place_id at;
    region_value value;
};

/* Something stored under locks, until one of them is released. */
struct kept {
    region_value value; /* a pointer, or a function */
    place_id into;
    uint64_t locks;
    ir_event event;
    ir_type type; /* that the pointer points to, before its casts; 0: not known */
};

struct state {
    region_value
        *vars; /* by slot (region_vars.c); at a block's start only those that several blocks mention */
    VEC(struct cell_value) cells; /* members of locals and allocations */
    VEC(struct kept) kept;
    uint64_t locks, acquired;
    uint64_t dropped; /* locks that were not taken here, and released on every way */
    bool reached;     /* false after a call that never returns */
    bool stays;       /* … because it goes round for ever */
};

struct solve {
    struct program *p;
    struct regions *r;
    struct region_flow *f;
    const struct unit *u;
    const struct ir_func_rec *fr;
    uint32_t first_block, n_blocks, first_param, n_params, first_local, n_vars;
    uint32_t *slots,
        *in_slot; /* by parameter, then local: its slot; by slot: the variable. The first n_shared outlive a block */
    uint32_t n_shared;
    struct state *in, *s; /* at each block's start; now */
    ir_event event;       /* now */
    ir_event end_event;   /* one past the function's last */
    bool recording;
    bool
        in_branch; /* what is read now is read by the condition at the block's end, and stands here until all blocks are done */
    VEC(struct region_event) branches;
    struct map64 told; /* what was stored where, by which event: said already */
    unsigned nesting;
};

/* ---- region_flow.c ---- */
/* The flow of a function, from what is known of its callees now. */
struct region_flow *region_solve(struct regions *r, uint32_t func);
void region_flow_free(struct region_flow *f);
/* Say that it failed. */
void region_give_up(const struct region_flow *f);
/* The events of the function: first_event; returns the one past the last. */
ir_event region_find_events(struct region_flow *f);
/* ---- region_rounds.c ---- */
/* What is known of a function that is called. NULL: nothing; but *unsolved: it is in this component, and its turn is still to come: until
 * then it counts as never returning, so that the ways around it tell what it does at least. */
const struct region_flow *regions_callee(struct regions *r, uint32_t func, bool *unsolved);
/* ---- region_vars.c ---- */
/* Fill in slots, in_slot and n_shared. */
void region_number_vars(struct solve *x);
/* The slot of a parameter or local; UINT32_MAX for other variables. */
uint32_t region_var_slot(const struct solve *x, uint32_t var);
/* ---- region_value.c ---- */
void region_state_init(struct state *s, uint32_t n_vars);
void region_state_free(struct state *s);
void region_state_copy(const struct solve *x, struct state *to, const struct state *from);
/* At the start of `block`, ways come together; true when that taught anything new. */
bool region_state_merge(struct solve *x, struct state *into, const struct state *from, uint32_t block);
bool region_is_pointer(const struct unit *u, ir_type t);
place_id region_place(struct solve *x, ir_expr e);
region_value region_eval(struct solve *x, ir_expr e);
void region_set(struct solve *x, place_id at, region_value value);
void region_forget(struct solve *x, place_id object);
/* ---- region_event.c ---- */
/* Every load inside an expression is a read. */
void region_reads(struct solve *x, ir_expr e);
void region_apply(struct solve *x, ir_event ev);
/* What the branch at the end of a block asks of a call's result. */
void region_note_branch(struct solve *x, const struct ir_block_rec *b, struct branch_fact *out);
/* Note an event now; NULL while nothing is recorded, or when there is no room. */
struct region_event *region_add(struct solve *x, enum region_op op, place_id place, unsigned flags,
                                ir_loc loc);
/* An operation that may order this thread with another one that does the opposite on an object of the same class. */
void region_order(struct solve *x, uint64_t takes, uint64_t gives);
/* The same, where only `waits` of `takes` waits for another thread's progress. */
void region_order_waits(struct solve *x, uint64_t takes, uint64_t gives, uint64_t waits);
/* ---- region_class.c ---- */
/* The class of a lock or other synchronising object as one bit: the last member, or the variable; all bits when it is not
 * known. By names, so that it is the same in every program. Two classes may share a bit: that only silences. Locks and what is waited on have the lower half (CLASS_LOCKS), atomics
 * the upper. The upper four bits of each half stand for what the first four parameters point to, and are said in the caller's
 * words at a call. */
#define CLASS_FIRST_PARAM 28u
uint64_t region_class(const struct solve *x, place_id p);
/* The same of an atomic. */
uint64_t region_class_atomic(const struct solve *x, place_id p);
/* Those of the member or global in a slot. */
struct class_bits region_slot_classes(struct regions *r, uint32_t slot);
/* ---- region_event.c ---- */
/* A lock is taken, or released (class UINT64_MAX: some lock). */
void region_lock(struct solve *x, uint64_t class);
void region_unlock(struct solve *x, uint64_t class);
/* The type that a pointer points to before it was cast to void *. */
ir_type region_passed_type(const struct solve *x, ir_expr e);

/* ---- region_put.c ---- */
/* Is it an object that this function was given, or made: not one that lay in memory before, and is only linked anew? */
bool region_brought(const struct region_flow *f, place_id p);
/* A pointer or function goes into a place that is no local's. */
void region_keep(struct solve *x, place_id into, region_value value, ir_type type);
/* Locks of these classes are released: what was stored under them may be taken out by others from now on. */
void region_publish(struct solve *x, uint64_t classes);
/* `holder` was put, as s says: so is what its members point to, and the functions beside them. */
void region_put_members(struct solve *x, const struct handoff_spec *s, place_id holder,
                        const struct cell_value *cells, size_t n, ir_loc loc);

/* ---- region_always.c: once all events are recorded ---- */
/* Fill in frees_always, loses and may_free. */
void region_find_losses(const struct solve *x);
/* Fill in what may be released to after each event, and all that is acquired from, released to and waited for on ways that return. */
void region_find_released(struct solve *x);

/* ---- region_tells.c ---- */
/* Which results of the callee say that it handed over what `from` says. False: they do not tell. Asked once. */
bool region_tells(const struct region_flow *callee, const struct region_event *from, struct result_when *out);
/* Ask it of all that callers may ask of. */
void region_ask_results(const struct region_flow *f);
/* ---- region_call.c, region_model.c ---- */
/* Apply a call: its arguments are read, then what the functions it may run do. */
void region_call(struct solve *x, const struct ir_event_rec *call);

#endif
