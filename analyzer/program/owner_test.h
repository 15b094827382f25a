/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which side of a branch says that this thread is the owner? By the graph alone, before anything is solved. Stands on linked.h. */
#ifndef AGLET_PROGRAM_OWNER_TEST_H
#define AGLET_PROGRAM_OWNER_TEST_H

#include "linked.h"

/* A function being looked at, with the one event that gives each of its variables its value. */
struct defs {
    struct program *p;
    uint32_t func; /* linked_func */
    const struct linked_unit *lu;
    const struct unit *u;
    const struct ir_func_rec *fr;
    ir_event *of; /* by variable from the function's first parameter on; 0: none, DEFS_MANY: several */
};
#define DEFS_MANY UINT32_MAX

/* Requires  the function is defined. */
void defs_init(struct defs *d, struct program *p, uint32_t func);
void defs_free(struct defs *d);
/* The event that alone gives the local that the value reads its value; 0: it reads none, or several events do. */
ir_event defs_of(const struct defs *d, ir_expr value);

/* The member or global that a place is, as an item; 0: neither. */
uint32_t item_of_place(const struct defs *d, ir_expr place);
/* Is it another thing in each thread: pthread_self(), the address or the value of a thread-local, what such a pointer leads to? */
bool is_own_value(const struct defs *d, ir_expr value);
/* Is the place in memory that is this thread's alone? */
bool is_own_place(const struct defs *d, ir_expr place);

/* What a branch tells when its condition compares who owns something with this thread, or a count of this thread's own with how often
 * it took it. */
struct owner_test {
    uint32_t owner;    /* the item that names the owner; 0: a count … */
    uint32_t depth;    /* … which is this item */
    uint32_t own_side; /* the successor where this thread is the owner */
};
bool find_owner_test(const struct defs *d, const struct ir_block_rec *b, struct owner_test *out);
/* Does the condition go by what is in the item? */
bool goes_by(const struct defs *d, ir_expr condition, uint32_t item);

#endif
