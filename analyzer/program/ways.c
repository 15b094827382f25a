/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Searches a function's graph for a way around marked blocks. Stands on ways.h. */
#include "ways.h"

#include <stdlib.h>
#include "../base/alloc.h"

#define NO_SIDE UINT32_MAX
#define NO_BLOCK UINT32_MAX

/* The successor that a branch takes when the variable is null: 0 or 1; NO_SIDE when it asks something else.
 */
static uint32_t null_side(const struct unit *u, const struct ir_block_rec *b, ir_var var) {
    uint32_t side = 1;
    ir_expr e;

    if (b->term != IR_TERM_BRANCH)
        return NO_SIDE;
    for (e = ir_uncast(u, b->cond);; e = ir_uncast(u, u->exprs[e].a)) {
        const struct ir_expr_rec *r = &u->exprs[e];
        const ir_expr right = r->op == IR_E_BINARY ? ir_uncast(u, r->b) : 0;
        if (r->op == IR_E_UNARY && r->b == IR_U_LNOT)
            side = !side;
        else if (right && (r->c == IR_B_EQ || r->c == IR_B_NE) && u->exprs[right].op == IR_E_CONST &&
                 !u->exprs[right].a)
            side = r->c == IR_B_EQ ? !side : side;
        else
            break;
    }
    return u->exprs[e].op == IR_E_LOAD && u->exprs[u->exprs[e].a].op == IR_E_VAR &&
                   u->exprs[u->exprs[e].a].a == var
               ? side
               : NO_SIDE;
}

enum { MEETS = 1, GOES_ROUND = 2 }; /* some way meets a marked block; some way returns without */

/* The ways from behind block `from`, or from the entry: NO_BLOCK. Those on which `var` (0: none) is null, or else is not, are left out. */
static unsigned ways(const struct unit *u, const struct ir_func_rec *f, const bool *marked, ir_var var,
                     bool null, uint32_t from) {
    const uint32_t n = f->blocks.count, first = f->blocks.first;
    uint32_t *stack, top = 0;
    unsigned found = 0;
    bool *seen;

    if (!n)
        return 0;
    stack = xcalloc(n + 1, sizeof *stack);
    seen = xcalloc(n, sizeof *seen);
    stack[top++] = from == NO_BLOCK ? 0 : from;
    seen[0] = from == NO_BLOCK;
    for (bool start = from != NO_BLOCK; top; start = false) {
        const uint32_t b = stack[--top];
        const struct ir_block_rec *rec = &u->blocks[first + b];
        const uint32_t side = var ? null_side(u, rec, var) : NO_SIDE;
        const uint32_t out = side == NO_SIDE || null ? side : !side;
        if (marked[b] && !start) {
            found |= MEETS;
            continue;
        }
        found |= rec->term == IR_TERM_RETURN ? GOES_ROUND : 0;
        for (uint32_t i = 0; i < rec->succs.count; i++) {
            const uint32_t to = u->succs[rec->succs.first + i].block - first;
            if (!seen[to] && i != out) {
                seen[to] = true;
                stack[top++] = to;
            }
        }
    }
    free(stack);
    free(seen);
    return found;
}

bool every_way_meets(const struct unit *u, const struct ir_func_rec *f, const bool *marked, uint32_t param) {
    const ir_var var = param < f->params.count ? f->params.first + param : 0;

    return ways(u, f, marked, var, true, NO_BLOCK) == MEETS;
}

bool param_keeps_value(const struct unit *u, const struct ir_func_rec *f, uint32_t param) {
    const ir_var var = f->params.first + param;

    if (u->vars[var].flags & IR_VF_ADDRESSED)
        return false;
    for (uint32_t b = f->blocks.first; b < f->blocks.first + f->blocks.count; b++)
        for (uint32_t i = 0; i < u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + i];
            if (ev->a && (ev->op == IR_EV_STORE || ev->op == IR_EV_CALL || ev->op == IR_EV_ATOMIC) &&
                u->exprs[ev->a].op == IR_E_VAR && u->exprs[ev->a].a == var)
                return false;
        }
    return true;
}

bool reached_where_null(const struct unit *u, const struct ir_func_rec *f, uint32_t param, uint32_t block) {
    bool *marked, reached;

    if (param >= f->params.count || block >= f->blocks.count || !param_keeps_value(u, f, param))
        return true;
    marked = xcalloc(f->blocks.count, sizeof *marked);
    marked[block] = true;
    reached = ways(u, f, marked, f->params.first + param, false, NO_BLOCK) & MEETS;
    free(marked);
    return reached;
}

bool every_way_rejoins(const struct unit *u, const struct ir_func_rec *f, uint32_t from, uint32_t to) {
    bool *marked = xcalloc(f->blocks.count, sizeof *marked), all;

    marked[to] = true;
    all = ways(u, f, marked, 0, true, from) == MEETS;
    free(marked);
    return all;
}

uint32_t block_with(const struct unit *u, const struct ir_func_rec *f, ir_event event) {
    for (uint32_t b = 0; b < f->blocks.count; b++) {
        const struct ir_range events = u->blocks[f->blocks.first + b].events;
        if (event >= events.first && event - events.first < events.count)
            return b;
    }
    return f->blocks.count;
}
