/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which structs count their references? Those with a plain integer that one function increments, and that another one decrements
 * and frees something.
 * Stands on summaries. What is found so is a hint for traits, never an answer by itself: it makes unknown, not no. */
#include "boundary.h"
#include "marks.h"
#include "summary.h"

#include "../base/alloc.h"

enum { COUNTS_UP = 1, COUNTS_DOWN = 2 };

/* The linked field that the event adds 1 to or takes 1 from, and which; 0: none. */
static uint32_t counted(const struct linked_unit *lu, const struct ir_event_rec *ev, unsigned *how) {
    const struct unit *u = lu->unit;
    if (ev->op != IR_EV_STORE || !(ev->flags & IR_SF_COMPOUND))
        return 0;
    const struct ir_expr_rec *place = &u->exprs[ev->a], *value = &u->exprs[ir_uncast(u, ev->b)];
    if (place->op != IR_E_FIELD)
        return 0;
    if (value->op != IR_E_BINARY || (value->c != IR_B_ADD && value->c != IR_B_SUB))
        return 0;
    const struct ir_expr_rec *one = &u->exprs[value->b];
    bool minus = one->op == IR_E_CONST && one->a == UINT32_MAX && one->b == UINT32_MAX;
    if (one->op != IR_E_CONST || (one->a != 1 && !minus))
        return 0;
    *how = (value->c == IR_B_ADD) != minus ? COUNTS_UP : COUNTS_DOWN;
    return lu->fields[place->b];
}

static bool frees_something(const struct program *p, uint32_t func) {
    const struct linked_func *lf = &p->funcs.at[func];
    for (uint32_t i = 0; i < lf->n_edges; i++) {
        const struct summary *s = p->funcs.at[p->edges.at[lf->first_edge + i].callee].summary;
        if (s && s->frees)
            return true;
    }
    return false;
}

/* Every unit numbers the struct for itself. */
static void tell(const struct program *p, struct traits *t, const bool *counts) {
    for (size_t i = 0; i < p->units.n; i++) {
        const struct linked_unit *lu = &p->units.at[i];
        for (ir_field f = 1; f < lu->unit->n_fields; f++)
            if (counts[lu->fields[f]])
                traits_refcount(t, lu->unit, lu->unit->fields[f].parent, f);
    }
}

void program_find_refcounts(struct program *p, struct traits *t) {
    struct down {
        uint32_t field, func;
    };
    VEC(struct down) downs = {0};
    uint32_t *up = xcalloc(p->fields.n + 1, sizeof *up); /* a function that increments it */
    bool *counts = xcalloc(p->fields.n + 1, sizeof *counts),
         any = false; /* another decrements it and frees */
    for (uint32_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        if (!lf->defined)
            continue;
        const struct unit *u = lf->unit->unit;
        const struct ir_func_rec *fr = &u->funcs[lf->func];
        const uint8_t *marks = unit_marks(u)->events;
        for (uint32_t b = 0; b < fr->blocks.count; b++) {
            struct ir_range events = u->blocks[fr->blocks.first + b].events;
            for (uint32_t i = 0; i < events.count; i++) {
                if (!(marks[events.first + i] & MARK_SETS))
                    continue;
                unsigned how = 0;
                uint32_t field = counted(lf->unit, &u->events[events.first + i], &how);
                if (field && how == COUNTS_UP)
                    up[field] = f;
                else if (field)
                    vec_push(&downs, ((struct down){field, f}));
            }
        }
    }
    for (size_t i = 0; i < downs.n; i++) {
        const uint32_t field = downs.at[i].field, by = up[field];
        if (by && by != downs.at[i].func && !p->fields.at[field].guard &&
            frees_something(p, downs.at[i].func))
            any = counts[field] = true;
    }
    if (any)
        tell(p, t, counts);
    vec_free(&downs);
    free(up);
    free(counts);
}
