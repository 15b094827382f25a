/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which value is it? Hash-consed symbolic values and addresses: equal terms have equal numbers.
 * Stands on base/hash.h. One table per function being solved, and one per program for what summaries keep.
 *
 * An address term is an object's identity: a lock is one, and so locks are told apart per instance (a->mu, b->mu) and
 * recognised under every alias. A load carries the version of memory it read: the same place read before and after
 * somebody wrote it gives two terms. term_same_shape looks through versions, for questions where "probably the same" must
 * be answered with yes. Rejected: access paths as text or as chains of names; they lose `m = &s->mu` and reassignment. */
#ifndef AGLET_PROGRAM_TERM_H
#define AGLET_PROGRAM_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../base/hash.h"
#include "../base/vec.h"

typedef uint32_t term; /* 0: none */

enum term_op {
    TERM_NONE,
    TERM_CONST,  /* a low, b high half */
    TERM_FUNC,   /* address of function a (linked) */
    TERM_LOCAL,  /* address of local, parameter or temp a (ir_var) */
    TERM_GLOBAL, /* address of global a (linked) */
    TERM_TOKEN,  /* a lock with no object; a = name in program.names */
    TERM_FIELD,  /* address of field b (linked) of the object at a */
    TERM_INDEX,  /* address of element b (term; 0: some element, in annotations) of the array at a */
    TERM_LOAD,   /* value of the cell at a, version b; version 0: at entry */
    TERM_PARAM,  /* summaries only: value of parameter a at entry */
    TERM_RESULT, /* summaries only: value the function returns */
    TERM_PHI,    /* value of cell b where paths join at block a */
    TERM_FRESH,  /* value born at event a; b tells several of one event apart; c = TERM_ALLOCATED … */
    TERM_OPAQUE, /* value of expression a (string, float …): the same each time */
    TERM_UNARY,  /* a term, b ir_unary_op */
    TERM_BINARY, /* a, b terms, c ir_binary_op */
    TERM_SOME /* some element of a collection: a lock taken in an earlier turn of a loop; a = what it looked like */
};
#define TERM_ALLOCATED 1u /* FRESH: a new object nobody else knows */

struct term_rec {
    uint32_t op, a, b, c;
    uint32_t
        size; /* nodes in it, shared ones counted each time; past a bound a term is OPAQUE, so walks over terms stay short */
};

/* A call with its arguments, as some world had them. */
#define TERM_CALL_ARGS 4u
struct term_call {
    uint32_t func; /* linked_func */
    uint32_t next; /* as another world had them; or 0 */
    uint32_t n_args;
    term args[TERM_CALL_ARGS];
};

struct linked_unit;
struct term_table {
    struct term_rec *recs;
    struct term_last *last; /* by term: what was made of it last, which is mostly what is asked for next */
    uint32_t n, cap;
    struct index index;
    VEC(struct term_call)
    calls; /* those that give the same for the same arguments, as far as can be told; 0 unused */
    struct map64 call_of;           /* by event: the first of them */
    const struct linked_unit *unit; /* whose variables the locals are; or NULL */
};

struct program;

void term_table_free(struct term_table *t);
void term_table_clear(struct term_table *t);
term term_make(struct term_table *t, enum term_op op, uint32_t a, uint32_t b, uint32_t c);
static inline const struct term_rec *term_at(const struct term_table *t, term x) {
    return &t->recs[x];
}
/* LOAD of the cell at `at`, and PHI of it where ways join at a block. */
term term_load(struct term_table *t, term at, uint32_t version);
term term_phi(struct term_table *t, uint32_t block, term at);
term term_const(struct term_table *t, int64_t value);
/* Is x a constant? *value then is it. */
bool term_is_const(const struct term_table *t, term x, int64_t *value);

/* With folding and normal forms: !!x, x == 0 as !x, constants to the right. */
term term_unary(struct term_table *t, uint32_t op, term a);
term term_binary(struct term_table *t, uint32_t op, term a, term b);

/* The address of a field or element. container_of is undone: the field at an offset of (pointer - offset) is the pointer. */
term term_field(struct term_table *t, const struct program *p, term base, uint32_t field);
term term_index(struct term_table *t, term base, term index);
bool term_in(const term *list, size_t n, term x);

/* The object that address x lies in: x without FIELD and INDEX. */
term term_object(const struct term_table *t, term x);
/* Is x an address made by FIELD, INDEX, LOCAL or GLOBAL: a known place, not just a pointer value? */
bool term_is_place(const struct term_table *t, term x);
/* Does `inner` occur in x? */
bool term_mentions(const struct term_table *t, term x, term inner);
/* x with every occurrence of `from` replaced. */
term term_replace(struct term_table *t, term x, term from, term to);
/* The call at that event, whose result is FRESH, gives the same whenever its arguments are the same. */
void term_note_call(struct term_table *t, uint32_t event, uint32_t func, const term *args, uint32_t n_args);
/* Equal but for versions of memory, and for calls made again with such arguments. */
bool term_same_shape(const struct term_table *t, term x, term y);
/* Surely two different objects: two distinct locals, globals or allocations, two fields of one object … */
bool term_distinct(const struct term_table *t, term x, term y);

/* The place at address x (s->mu), or the value x, as C would spell it. `hint` gives a cell that holds a nameless value,
 * or 0. Returns the length, truncated to size - 1. */
typedef term term_hint(const void *data, term x);
int term_print_place(const struct term_table *t, const struct program *p, const struct linked_unit *u,
                     term_hint *hint, const void *data, term x, char *out, size_t size);

/* What class of object the address names: the last field's number, or a global's; equal for all instances. */
struct object_class {
    uint32_t field, global, token;
};
struct object_class term_class(const struct term_table *t, term x);
static inline bool class_known(struct object_class c) {
    return c.field || c.global || c.token;
}
static inline uint64_t class_key(struct object_class c) {
    return hash_add(key_pair(c.field, c.global), c.token);
}
static inline bool class_equal(struct object_class a, struct object_class b) {
    return a.field == b.field && a.global == b.global && a.token == b.token;
}

#endif
