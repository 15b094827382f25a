/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Is a member of what is handed over set by the thread that gets it, and by nobody else?
 * Stands on boundary.h and lock_order.h. One pass over all stores of the program, asked only where a hand-off would be reported. */
#include "boundary.h"
#include "lock_order.h"

static const struct linked_unit *linked(const struct program *p, const struct unit *u) {
    for (size_t i = 0; i < p->units.n; i++)
        if (p->units.at[i].unit == u)
            return &p->units.at[i];
    return NULL;
}

/* What a thread of this hand-off runs, all its threads run. */
static bool runs_in(const struct threads *t, uint32_t func, const struct handoff_spec *s) {
    for (uint32_t i = 0; i < s->n_entries; i++)
        if (!t->runs[s->entries[i]] || (t->runs[s->entries[i]] & ~t->runs[func]))
            return false;
    return s->n_entries != 0;
}

static bool is_member(const struct linked_unit *lu, ir_expr e, uint32_t member) {
    return e && lu->unit->exprs[e].op == IR_E_FIELD && lu->fields[lu->unit->exprs[e].b] == member;
}

bool member_set_by_thread(const struct program *p, const struct handoff_spec *s, const struct unit *unit,
                          ir_field field) {
    const struct threads *t = p->lock_order->threads;
    const struct linked_unit *home = linked(p, unit);
    const uint32_t member = home ? home->fields[field] : 0;
    bool some = false;

    if (!member || t->overflow || t->blind)
        return false;
    for (size_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        const struct unit *u = lf->defined ? lf->unit->unit : NULL;
        const struct ir_func_rec *fr = u ? &u->funcs[lf->func] : NULL;
        for (uint32_t b = 0; fr && b < fr->blocks.count; b++) {
            const struct ir_range events = u->blocks[fr->blocks.first + b].events;
            for (ir_event e = events.first; e < events.first + events.count; e++) {
                const struct ir_event_rec *ev = &u->events[e];
                const struct ir_expr_rec *value = &u->exprs[ir_uncast(u, ev->b)];
                if (ev->op == IR_EV_BEGIN || ev->op == IR_EV_END || !is_member(lf->unit, ev->a, member) ||
                    (ev->op == IR_EV_STORE && value->op == IR_E_CONST))
                    continue;
                if (!runs_in(t, (uint32_t)f, s))
                    return false;
                some = true;
            }
        }
    }
    for (size_t i = 0; some && i < p->units.n; i++)
        for (ir_expr e = 1; e < p->units.at[i].unit->n_exprs; e++) {
            const struct ir_expr_rec *r = &p->units.at[i].unit->exprs[e];
            if (r->op == IR_E_ADDR && is_member(&p->units.at[i], r->a, member))
                return false; /* set who knows where */
        }
    return some;
}
