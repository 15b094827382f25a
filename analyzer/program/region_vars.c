/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which variables of a function does a later block need? Only their values are kept where blocks meet: macros and conditions make
 * thousands of temps, each of which lives in one block.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include "../base/alloc.h"

#define SEVERAL UINT32_MAX

struct scan {
    const struct solve *x;
    uint32_t *
        home; /* by variable, as in solve.slots: the block + 1 that alone mentions it, or SEVERAL; 0: none does */
    uint32_t block;
};

static uint32_t number_of(const struct solve *x, uint32_t var) {
    if (var >= x->first_param && var - x->first_param < x->n_params)
        return var - x->first_param;
    if (var >= x->first_local && var - x->first_local < x->n_vars - x->n_params)
        return x->n_params + (var - x->first_local);
    return UINT32_MAX;
}

/* A block that reads it before it writes it may read what its last turn left. */
static void mention(struct scan *c, uint32_t var, bool written) {
    const uint32_t i = number_of(c->x, var);

    if (i == UINT32_MAX)
        return;
    if (!c->home[i] && written && i >= c->x->n_params && !(c->x->u->vars[var].flags & IR_VF_ADDRESSED))
        c->home[i] = c->block + 1;
    else if (c->home[i] != c->block + 1)
        c->home[i] = SEVERAL;
}

static void scan_expr(struct scan *c, ir_expr e) {
    const struct ir_expr_rec *r = &c->x->u->exprs[e];

    switch (r->op) {
    case IR_E_VAR: mention(c, r->a, false); break;
    case IR_E_FIELD:
    case IR_E_DEREF:
    case IR_E_LOAD:
    case IR_E_UNARY:
    case IR_E_CAST: scan_expr(c, r->a); break;
    case IR_E_ADDR:
        if (c->x->u->exprs[r->a].op == IR_E_VAR && number_of(c->x, c->x->u->exprs[r->a].a) != UINT32_MAX)
            c->home[number_of(c->x, c->x->u->exprs[r->a].a)] = SEVERAL;
        scan_expr(c, r->a);
        break;
    case IR_E_INDEX:
    case IR_E_BINARY:
        scan_expr(c, r->a);
        scan_expr(c, r->b);
        break;
    default: break;
    }
}

static void scan_event(struct scan *c, const struct ir_event_rec *ev) {
    const struct unit *u = c->x->u;
    const bool stores = ev->op == IR_EV_STORE || ev->op == IR_EV_CALL,
               both = stores || ev->op == IR_EV_ATOMIC;
    const bool written = stores && u->exprs[ev->a].op == IR_E_VAR;

    if (ev->op == IR_EV_BEGIN || ev->op == IR_EV_END)
        return;
    if (!written)
        scan_expr(c, ev->a);
    if (both)
        scan_expr(c, ev->b);
    for (uint32_t i = 0; i < ev->args.count; i++)
        scan_expr(c, u->expr_refs[ev->args.first + i]);
    if (written)
        mention(c, u->exprs[ev->a].a, true);
}

void region_number_vars(struct solve *x) {
    struct scan c = {x, xcalloc((size_t)x->n_vars + 1, sizeof *c.home), 0};
    uint32_t next;

    for (; c.block < x->n_blocks; c.block++) {
        const struct ir_block_rec *b = &x->u->blocks[x->first_block + c.block];
        for (uint32_t i = 0; i < b->events.count; i++)
            scan_event(&c, &x->u->events[b->events.first + i]);
        if (b->cond)
            scan_expr(&c, b->cond);
    }
    x->slots = xcalloc((size_t)x->n_vars + 1, sizeof *x->slots);
    x->in_slot = xcalloc((size_t)x->n_vars + 1, sizeof *x->in_slot);
    for (uint32_t i = 0; i < x->n_vars; i++)
        x->n_shared += i < x->n_params || c.home[i] == SEVERAL;
    next = x->n_shared;
    for (uint32_t i = 0, shared = 0; i < x->n_vars; i++) {
        x->slots[i] = i < x->n_params || c.home[i] == SEVERAL ? shared++ : next++;
        x->in_slot[x->slots[i]] = i < x->n_params ? x->first_param + i : x->first_local + (i - x->n_params);
    }
    free(c.home);
}

uint32_t region_var_slot(const struct solve *x, uint32_t var) {
    const uint32_t i = number_of(x, var);

    return i == UINT32_MAX ? i : x->slots[i];
}
