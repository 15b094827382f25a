/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is the same thing in two units? The linked program: functions, globals, structs and fields with one number each.
 * Stands on ir/unit.h and models.h; everything else in program/ and rules/ stands on this.
 *
 * A record's number is its place in the program's table; 0 is none. Numbers depend only on the order in which units were
 * added, so two runs give the same. Functions, globals and structs keep a unit in which they are described best (where
 * defined, where complete), and their index there. */
#ifndef AGLET_PROGRAM_LINKED_H
#define AGLET_PROGRAM_LINKED_H

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/intern.h"
#include "../base/vec.h"
#include "lock_expr.h"
#include "models.h"
#include "program.h"
#include "term.h"

struct summary;
struct lock_facts;
struct boundaries;
struct lock_order;
struct habits;
struct task_facts;
struct kept_facts;
struct memo;
struct stored_values;

struct linked_unit {
    struct unit *unit;
    uint64_t id; /* of all that the unit says; 0: not known, and nothing solved from it is kept (memo.h) */
    uint32_t *funcs;        /* by ir_func */
    uint32_t *globals;      /* by ir_var; 0 for locals, parameters and temps */
    uint32_t *structs;      /* by ir_type; 0 for other types */
    uint32_t *fields;       /* by ir_field */
    struct ir_range *calls; /* by ir_event: the edges of that call; none: no call, or of nobody known */
    /* By ir_event, filled while calls are looked at: what is held there, as a number + 1; 0: not looked at. */
    uint32_t *held_classes; /* in habits.sets */
    uint32_t *held_locks;   /* in lock_order.held_calls */
};

struct linked_struct {
    const struct linked_unit *unit;
    ir_type type;
    const char *name;
    uint32_t first_field, n_fields; /* into fields, in the unit's order */
    bool complete;
    bool has_lock; /* a member, however deep but by value, is a lock */
};

/* What kind of lock an object of a type is; all false: none. */
struct lock_kind {
    bool lock, rw, recursive, async, spin;
};

/* A resolved guard: guarded_by or pt_guarded_by of a field or global. */
struct guard {
    struct lock_list locks;
    ir_loc loc; /* of the annotation, in the unit of the field or global */
};

struct linked_field {
    const struct linked_unit *unit;
    ir_field field;
    uint32_t parent; /* linked_struct */
    const char *name;
    const struct guard *guard, *pointee_guard; /* NULL: none */
    struct lock_kind lock;
    uint32_t lock_in; /* item_lock_in */
    bool recursive;   /* some lock in this field is initialised recursive */
    bool own;         /* `p->field = p`: it may point to the object it lies in */
};

struct linked_global {
    const struct linked_unit *unit;
    ir_var var;
    const char *name;
    const struct guard *guard, *pointee_guard;
    uint32_t lock_in; /* item_lock_in */
    struct lock_kind lock;
    bool recursive;
    bool internal; /* seen by one unit only */
};

/* A member or a global by one number: that of the linked field, or of the linked global with this bit. */
#define ITEM_GLOBAL 0x40000000u

/* A call of one function by another, resolved. */
struct call_edge {
    uint32_t caller, callee; /* linked_func */
    ir_event event;          /* in the caller's unit */
    bool indirect;           /* through a function pointer */
    bool callback; /* the callee is an argument that the called function runs: qsort, pthread_once */
};

/* On this edge a level of a lock is taken, or given back, without the call that does it on the other ways; or it is not given back, for
 * who asks does not own it (relock.h). */
struct level_edge {
    uint32_t func;
    ir_block block;
    uint32_t succ;
    ir_event event; /* that call; its lock: */
    uint32_t arg;
    uint32_t item;
    ir_expr lock; /* … as the value of other names than those of locals that it was put into for the call */
    bool refuses;
};

struct linked_func {
    const struct linked_unit *unit;
    ir_func func;
    const char *name;
    bool defined;  /* has a graph in `unit` */
    bool internal; /* static */
    bool noreturn;
    bool address_taken; /* used as a value other than the callee of a call */
    bool calls_pointer; /* some call in it names no function */
    bool is_thread_entry;
    bool unchecked; /* AGLET_UNCHECKED */
    bool
        needs_excused; /* some caller needs not hold what it touches data under: the object is its own, or it runs alone */
    const struct model_function *model; /* used where there is no graph */
    uint32_t *callers;                  /* edges by index into program.edges, ends with count n_callers */
    uint32_t n_callers;
    uint32_t first_edge, n_edges; /* its own calls: edges of one caller stand together */
    uint32_t scc;                 /* components are numbered callees first */
    bool recursive;               /* in a component of several, or calls itself */
    struct summary *summary; /* set by solving; NULL before and for functions of which nothing is known */
};

struct program {
    struct program_options options;
    const struct models *models;
    struct arena arena;
    struct interner names;
    struct memo *memo;    /* not owned; NULL: none */
    uint64_t environment; /* memo_environment; after the effects */
    struct symbols {      /* memo.h; only where there is a memo */
        uint64_t *of_func, *of_field, *of_global;
        struct map64 funcs, items;
        uint64_t shared; /* of all names that several have */
    } symbols;
    struct digests {              /* inputs.h */
        VEC(uint64_t) path;       /* by term of `paths`; 0: not asked for */
        uint64_t *field, *global; /* the same of members and globals */
        struct map64 guards;      /* unit and place of a guard's annotation → whose it is (step_write.c) */
        struct map64 part;        /* part of a mod_set → its place in `of_part` */
        VEC(uint64_t) of_part;
        ir_event *first_event; /* by function … */
        ir_loc *first_loc;     /* … and where that stands */
    } digests;
    VEC(struct linked_unit) units;
    VEC(struct linked_struct) structs;
    VEC(struct linked_field) fields;
    VEC(struct linked_global) globals;
    VEC(struct linked_func) funcs;
    VEC(struct call_edge) edges;
    VEC(uint32_t) order;                /* defined functions, callees first */
    VEC(struct level_edge) level_edges; /* by function */
    struct map64 pointers; /* unit, field or variable → its annotated summary in pointer_summaries */
    VEC(struct summary *) pointer_summaries;
    struct term_table paths; /* summaries' terms: parameters by value, globals, the result; see summary.h */
    struct lock_facts *locks;
    struct boundaries *boundaries;             /* boundary.h */
    struct lock_order *lock_order;             /* lock_order.h */
    struct habits *habits;                     /* habits.h */
    struct task_facts *tasks;                  /* tasks.h */
    struct kept_facts *kept;                   /* kept.h */
    uint32_t calls_indirect, calls_unresolved; /* counters for --verbose and the benches */
    struct stored_values *stored;              /* blocks_when.h */
    struct map64 call_waits;                   /* blocks_when.h: the calls whose conditional wait holds */
    struct map64
        called_with; /* … and those that hand over a function which is called and may wait → that function */
    struct map64
        lock_deciders; /* memory classes by which some function decides whether to take a lock (steady.c) */
    struct predicates *predicates; /* predicates.h */
    bool *written;                 /* by global: something writes it (never_written.c) */
    struct map64 section_flags; /* memory that tells a thread what it is in the middle of (section_flags.c) */
    bool nonblocking;           /* it makes descriptors that do not block */
    bool has_spawn;             /* some function in it hands work to another thread */
    bool solved;
    VEC(struct program_phase) phases;
    VEC(struct given_up {
        uint32_t func;
        const char *by; /* "the lock rules, being too large"; func 0: a whole sentence */
    })
    given_up;
    struct map64 given_up_once; /* who and by what */
    VEC(struct annotation_error {
        const struct unit *unit;
        ir_loc loc;
        const char *text;
        const char *model; /* the file of a user's model that is wrong; NULL: unit and loc tell */
        uint32_t line;     /* … there */
        uint32_t column;
    })
    errors;
};

/* Give every unit's functions, globals, structs and fields their numbers, resolve guards and lock types. */
void program_link(struct program *p);

/* The lock that an item is: itself, or the one lock in a small struct made round it, as the linked field; 0: none. */
uint32_t item_lock_in(const struct program *p, uint32_t item);
/* It as an annotation beside it names it: "mu", "lock.mu". */
void item_lock_text(const struct program *p, uint32_t item, char *out, size_t size);
/* The name of an item, and its guard; *u (may be NULL) and *loc: where it is declared. */
const char *item_name(const struct program *p, uint32_t item);
const struct guard *item_guard(const struct program *p, uint32_t item);
ir_loc item_loc(const struct program *p, uint32_t item, const struct unit **u);

/* What kind of lock an object of type t is (typedefs, qualifiers and arrays are looked through). */
struct lock_kind lock_kind_of(const struct program *p, const struct unit *u, ir_type t);
/* The struct or union that t is, through typedefs and qualifiers, or 0. */
ir_type type_struct(const struct unit *u, ir_type t);
/* t without typedefs and qualifiers. */
ir_type type_plain(const struct unit *u, ir_type t);
/* Is it volatile or _Atomic, read anew each time? */
bool type_is_volatile(const struct unit *u, ir_type t);
/* The callback of struct lock_context: another unit where the struct or union of that tag is complete. */
const struct unit *program_complete(void *program, const char *name, ir_type *type);
/* Where an annotation stands; in a whole program with the types that other units complete. */
struct lock_context program_context(struct program *p, const struct unit *u, enum lock_scope scope,
                                    uint32_t item);
/* The linked unit of u. */
const struct linked_unit *program_unit(const struct program *p, const struct unit *u);
/* Where loc of u is, for reports; text is valid as long as the program. */
struct position program_position(const struct unit *u, ir_loc loc);
/* Annotations of no known word, and those the frontend found malformed or misplaced (unknown_words.c). */
void program_report_unknown_words(const struct program *p, struct report *out);

/* Is an annotation of this kind in the list? */
static inline bool annotated(const struct unit *u, struct ir_range annots, enum ir_annot_kind kind) {
    for (uint32_t i = 0; i < annots.count; i++)
        if (u->annots[annots.first + i].kind == kind)
            return true;
    return false;
}

/* All events of a function: those of its blocks stand one after the other (unit_check). */
static inline struct ir_range func_events(const struct unit *u, const struct ir_func_rec *f) {
    const struct ir_block_rec *b = u->blocks + f->blocks.first, *last = b + f->blocks.count;

    while (b < last && !b->events.count)
        b++;
    if (b == last)
        return (struct ir_range){0, 0};
    while (!last[-1].events.count)
        last--;
    return (struct ir_range){b->events.first,
                             last[-1].events.first + last[-1].events.count - b->events.first};
}

/* The parameter marked AGLET_FRAME, which makes f a stackless task; or 0. */
static inline ir_var func_frame(const struct unit *u, const struct ir_func_rec *f) {
    for (uint32_t i = 0; i < f->params.count; i++)
        if (annotated(u, u->vars[f->params.first + i].annots, IR_A_frame))
            return f->params.first + i;
    return 0;
}

/* What callers give their callees: `along` each edge, callers first, until it says of none any more that something changed. Only
 * functions that call each other need more than two rounds. */
typedef bool spread_along(void *data, const struct call_edge *e);
void program_spread(const struct program *p, spread_along *along, void *data);

/* A function is past a bound on what is spent on one: noted once, and said with the findings. `by` is a literal. */
void program_give_up(struct program *p, uint32_t func, const char *by);

/* never_written.c: what the graphs do not tell of globals; what an event of a function writes. */
void note_written_outside(struct program *p);
void note_written(struct program *p, uint32_t func, const struct ir_event_rec *ev);
/* Does the global keep what it is initialised with? After the call graph. */
bool never_written(const struct program *p, uint32_t global);

/* Resolve all calls, and note which globals are written: edges, callers, order. Requires program_link. */
void program_call_graph(struct program *p);
/* The functions that a call may run, as edges; *n of them. */
const struct call_edge *program_calls(const struct program *p, uint32_t func, ir_event event, uint32_t *n);

#endif
