/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Pointers that are set to one lock or another by a condition: `m = a < b ? &a->mu : &b->mu`.
 * Stands on solver.h. Where the ways meet again both would be called m, and the lock that is taken next would be neither: worlds
 * in which such a pointer names different objects are kept apart until the lock is taken, which keeps them apart itself. */
#include "solver.h"

/* Is t a pointer to a lock, or to a struct with one? */
static bool leads_to_lock(const struct solver *s, ir_type t) {
    ir_type st;

    t = type_plain(s->u, t);
    if (s->u->types[t].kind != IR_T_POINTER)
        return false;
    t = s->u->types[t].elem;
    st = type_struct(s->u, t);
    return lock_kind_of(s->p, s->u, t).lock ||
           (st && s->lu->structs[st] && s->p->structs.at[s->lu->structs[st]].has_lock);
}

void find_choosers(struct solver *s) {
    uint32_t *stores = arena_array(&s->scratch, uint32_t, s->fr->locals.count + 1);

    vec_clear(&s->choosers);
    for (uint32_t i = 0; i < s->n_events; i++) {
        const struct ir_event_rec *ev = &s->u->events[s->first_event + i];
        const struct ir_expr_rec *place = &s->u->exprs[ev->op == IR_EV_STORE ? ev->a : 0];
        const uint32_t local = place->a - s->fr->locals.first;
        if (ev->op == IR_EV_STORE && place->op == IR_E_VAR && place->a >= s->fr->locals.first &&
            local < s->fr->locals.count && ++stores[local] == 2 && leads_to_lock(s, place->type))
            vec_push(&s->choosers, term_make(&s->t, TERM_LOCAL, place->a, 0, 0));
    }
}

/* Is x an object that callers name, or a part of one: a global's, what a parameter points to? */
static bool is_named(const struct solver *s, term x) {
    int64_t i;

    for (;;) {
        const struct term_rec r = s->t.recs[x];
        switch (r.op) {
        case TERM_GLOBAL: return true;
        case TERM_LOAD:
            return !r.b && s->t.recs[r.a].op == TERM_LOCAL &&
                   s->t.recs[r.a].a - s->fr->params.first < s->fr->params.count;
        case TERM_INDEX:
            if (!term_is_const(&s->t, r.b, &i))
                return false;
            break;
        case TERM_FIELD: break;
        default: return false;
        }
        x = r.a;
    }
}

bool chose_differently(struct solver *s, const struct world *a, const struct world *b) {
    for (size_t i = 0; i < s->choosers.n; i++) {
        const term at = s->choosers.at[i], x = world_load(&s->t, a, at), y = world_load(&s->t, b, at);
        if (x != y && is_named(s, x) && is_named(s, y))
            return true;
    }
    return false;
}
