/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which calls wait only when a value is so: poll by its timeout, recv by its flags, whoever calls back by what it is handed? Stands on
 * the models and summary.h.
 *
 * A test of a model on a value that is known (a constant, a local that is set once, a member or global that only ever gets such
 * constants) is decided at the call. One on a parameter, or on a member of what one points to, goes into the summary as a wait_if, and
 * callers decide it by what they pass. What is neither is taken not to block.
 *
 * A call through a pointer that may lead to several functions, of which some wait, goes the same way: the function is handed on to callers
 * by the pointer's value, and the one that passes a function is the one that waits. */
#ifndef AGLET_PROGRAM_BLOCKS_WHEN_H
#define AGLET_PROGRAM_BLOCKS_WHEN_H

#include "lock_facts.h"
#include "summary.h"

/* Decide the calls of f and fill f's wait_ifs. Requires the effects of its callees. */
void blocks_when(struct program *p, uint32_t func);

/* A call that was found to block, by a condition that holds there. */
struct call_wait {
    bool holds;
    bool always;   /* whatever the way through the callee */
    uint32_t next; /* the callee's wait_if that says so, + 1; 0: it is a model's own */
};
struct call_wait call_blocks_when(const struct program *p, uint32_t func, ir_event event);
/* The function with this effect that is handed over by the call, and called by the callee or further down; or 0. */
uint32_t call_called_with(const struct program *p, uint32_t func, ir_event event, uint32_t effect);
/* Yields and blocks, as far as a function has them for those that call it. */
uint32_t waits_of(const struct program *p, uint32_t func);

enum decided { DECIDED_NOT, DECIDED_OPEN, DECIDED_YES };
/* The test on a value within the range. */
enum decided decide_range(const struct model_if *test, struct range known);

/* ---- stored_values.c ---- */
/* The test on whatever the member or global is ever given; OPEN when that is not known or decides nothing. */
struct stored_values;
struct stored_values *stored_values_find(const struct program *p);
enum decided stored_values_decide(const struct stored_values *v, struct object_class c,
                                  const struct model_if *test);
void stored_values_free(struct stored_values *v); /* NULL is fine */

#endif
