/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What writes an entry of a step and what reads it: the two sides stand in the same order, file by file. Private to step_*.c.
 * Stands on step.h. */
#ifndef AGLET_PROGRAM_STEP_BYTES_H
#define AGLET_PROGRAM_STEP_BYTES_H

#include "habits.h"
#include "lock_order.h"
#include "step.h"

/* ---- writing ---- */
/* What has which number in a list of the entry that is being written. */
struct number {
    uint32_t entry; /* another: it has none */
    uint32_t is;
};
struct numbers {
    VEC(struct number) of;
};

struct writer {
    struct solver *s;
    struct program *p;
    struct bytes_out *out;
    struct bytes_out rest, whole;
    uint32_t entry; /* which it is in this run */
    /* The lists that stand first; their numbers begin with 1. */
    struct bytes_out terms, names, texts;
    struct numbers path_numbers, func_numbers, field_numbers, global_numbers;
    struct map64 text_number;
    uint32_t n_terms, n_names, n_texts;
    uint64_t asked; /* what the summary's hash says of all names, as one sum */
};
void writer_free(struct writer *x); /* NULL is fine */

/* step_write.c */
void write_func(struct writer *x, uint32_t f);
void write_an_item(struct writer *x, struct bytes_out *out, uint32_t item);
void write_a_text(struct writer *x, const char *s);
void write_path(struct writer *x, term at);
void write_paths(struct writer *x, const term *list, uint32_t n);
void write_site(struct writer *x, struct site at);
void write_candidate(struct writer *x, uint32_t number);
void write_class(struct writer *x, struct object_class c);
/* A lock in the words of a function that is called here, whose summary is part of the key (0: of none): one that it takes inside. */
void write_below(struct writer *x, uint32_t callee, term lock);
/* An item, or nothing, or a global that is none: what a pointer guards. */
void write_item(struct writer *x, uint32_t it);
/* step_write_facts.c */
/* Those of this round; the oldest first. Their numbers in that order go to `number`: problem → 1 … */
void write_problems(struct writer *x, struct map64 *number);
void write_noted(struct writer *x, const struct map64 *problem_number);
void write_wait_fact(struct writer *x, const struct wait_fact *w);
void write_order(struct writer *x, const struct order_edge *e);
void write_accesses(struct writer *x);
/* Of each call that was reached in this pass. */
void write_calls(struct writer *x);

/* ---- reading: one reader for all steps ---- */
/* A candidate that is known by name until what makes it was done. */
struct named {
    uint32_t *number;
    uint64_t name;
};

struct read_noted {
    struct noted n;
    uint64_t candidate, other; /* names */
};

struct read_call {
    ir_event event;
    bool has_set, has_locks;
    struct class_set set;
    struct held_at_call at;
};

struct reader {
    struct solver *s;
    struct program *p;
    uint32_t func;
    struct linked_func *lf;
    const struct unit *u;
    struct bytes_in in;
    struct summary_hash hash;
    uint64_t asked;
    VEC(uint32_t) names; /* functions and items; the first of each list is none */
    VEC(const char *) texts;
    VEC(term) terms;
    VEC(struct named) named;
    struct map64 made; /* names of candidates that are made here */
    struct summary sum;
    VEC(struct inner_lock) inner; /* of sum */
    VEC(struct lock_problem) problems;
    VEC(struct read_noted) noted;
    VEC(struct wait_fact) waits;
    VEC(struct order_edge) orders;
    VEC(struct habit_access) accesses;
    VEC(struct read_call) calls;
};

/* What the summary's hash says of a name: while it is the same of all, the hash is. */
static inline uint64_t name_digest(struct program *p, bool is_func, uint32_t number) {
    return hash_mix(is_func ? func_digest(p, number) : item_digest(p, number));
}

void reader_free(struct reader *x); /* NULL is fine */

/* Room for so many in the program, or NULL. */
#define ROOM(x, type, n) ((n) ? arena_array(&(x)->p->arena, type, (n)) : NULL)

/* step_read.c: x->in.bad where there is no such thing. */
uint32_t read_a_func(struct reader *x);
uint32_t read_an_item(struct reader *x);
const char *read_a_text(struct reader *x);
term read_path(struct reader *x);
ir_event read_event(struct reader *x);
ir_loc read_loc(struct reader *x);
struct site read_place(struct reader *x);
uint64_t read_name(struct reader *x);
/* Will a candidate of that name be there when it is done? */
bool read_is_known(const struct reader *x, uint64_t name);
struct object_class read_class(struct reader *x);
uint32_t read_maybe_item(struct reader *x);
term read_below(struct reader *x, uint32_t callee);
uint32_t read_maybe_field(struct reader *x);
/* Everything. False: it cannot be used. */
bool read_all(struct reader *x);
/* step_read_facts.c */
void read_problem(struct reader *x);
void read_noted(struct reader *x);
void read_wait_fact(struct reader *x);
void read_order(struct reader *x);
void read_access(struct reader *x);
bool read_call(struct reader *x); /* false: there are no more */

#endif
