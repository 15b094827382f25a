/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One task function being followed: what kept.c and kept_event.c share. Private to these two.
 * Stands on kept.h and kept_moves.h. */
#ifndef AGLET_PROGRAM_KEPT_WALK_H
#define AGLET_PROGRAM_KEPT_WALK_H

#include "kept.h"
#include "kept_moves.h"

/* What is followed: the function's own variables, the members of its frame, variables of the thread, errno.
 */
struct kept_item {
    ir_var var;
    ir_field field;
    bool exposed; /* its address is kept in a variable: writes are not seen */
    bool remade;  /* computed before the switch, so each time the task comes back */
};

/* Of one item at one point: the event that wrote it and the wait since, + 1; 0 is none. */
struct kept_track {
    uint32_t def, wait;
};
#define WAIT_START UINT32_MAX /* handed over when the task was started */
#define DEF_BEFORE UINT32_MAX /* a parameter */

struct kept_walk {
    const struct program *p;
    const struct linked_unit *lu;
    const struct unit *u;
    const struct ir_func_rec *fr;
    uint32_t func;
    const bool *moves; /* by function: a call of it may bring the task to another thread */
    bool everywhere;   /* every yield in this function may */
    struct kept_facts *out;

    ir_var frame;          /* the parameter, or 0 */
    uint32_t frame_struct; /* linked */
    ir_block resume;       /* the block that jumps to where the task was, or 0 */
    bool *comes_back;      /* by block of the function */
    bool *only_back;       /* … which no other way leads to */
    ir_var first_var;
    uint32_t n_vars, errno_item;
    VEC(struct kept_item) items;
    struct kept_track *in;   /* block × item */
    struct kept_track *left; /* by item: what reaches a return */
    struct kept_track *now;  /* by item */
    ir_event event, first_event;
    bool recording;
    uint32_t *told; /* by item: the wait it was told of, + 1 */
};

/* kept_event.c */
/* The item that a place is, or is a part of; 0 when it is none. */
uint32_t kept_item_of(const struct kept_walk *w, ir_expr place);
uint32_t kept_item_of_var(const struct kept_walk *w, ir_var v);
bool kept_is_thread_item(const struct kept_walk *w, uint32_t i);
/* What w->event does to w->now. */
void kept_event(struct kept_walk *w);
void kept_read_value(struct kept_walk *w, ir_expr e);

/* kept.c; recording only */
void kept_found(struct kept_walk *w, uint32_t item, ir_loc used);
void kept_found_address(struct kept_walk *w, uint32_t item, ir_loc written, ir_loc wait, uint32_t callee);

#endif
