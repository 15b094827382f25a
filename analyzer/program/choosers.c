/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Variables that are set to one lock or another by a condition: `m = a < b ? &a->mu : &b->mu`, `lo = i < j ? i : j; lock(&t[lo].mu)`.
 * Stands on solver.h. Where the ways meet again both would be called m, and the lock that is taken next would be neither: worlds
 * in which such a variable names different objects are kept apart until the lock is taken, which keeps them apart itself. */
#include "solver.h"

/* Is t a lock, or a struct with one? */
static bool has_lock(const struct solver *s, ir_type t) {
    const ir_type st = type_struct(s->u, t);

    return lock_kind_of(s->p, s->u, t).lock ||
           (st && s->lu->structs[st] && s->p->structs.at[s->lu->structs[st]].has_lock);
}

static bool leads_to_lock(const struct solver *s, ir_type t) {
    t = type_plain(s->u, t);
    return s->u->types[t].kind == IR_T_POINTER && has_lock(s, s->u->types[t].elem);
}

/* A number for each variable of the function's own, parameters first, or their count. */
static uint32_t number_of(const struct solver *s, ir_var var) {
    const struct ir_range params = s->fr->params, locals = s->fr->locals;

    if (var - params.first < params.count)
        return var - params.first;
    return var - locals.first < locals.count ? params.count + var - locals.first
                                             : params.count + locals.count;
}

/* The variable whose value the expression is; or as above. */
static uint32_t copied(const struct solver *s, ir_expr e) {
    const struct ir_expr_rec *r = &s->u->exprs[ir_uncast(s->u, e)];

    if (r->op == IR_E_LOAD)
        r = &s->u->exprs[r->a];
    return number_of(s, r->op == IR_E_VAR ? r->a : UINT32_MAX);
}

/* Marks what picks the elements with locks that the expression leads through. */
static void mark_indexes(const struct solver *s, ir_expr e, bool *picks) {
    for (;; e = s->u->exprs[e].a) {
        const struct ir_expr_rec *r = &s->u->exprs[e];
        if (r->op < IR_E_DEREF || !(ir_operands(r->op) & 1u))
            return;
        if (r->op == IR_E_INDEX && has_lock(s, r->type))
            picks[copied(s, r->b)] = true;
    }
}

void find_choosers(struct solver *s) {
    const uint32_t n = s->fr->params.count + s->fr->locals.count;
    uint32_t *stores = arena_array(&s->scratch, uint32_t, n + 1);
    bool *picks = arena_array(&s->scratch, bool, n + 1);
    bool changed = true;

    vec_clear(&s->choosers);
    for (uint32_t i = 0; i < s->fr->params.count; i++)
        stores[i] = 1;
    for (uint32_t i = 0; i < s->n_events; i++) {
        const struct ir_event_rec *ev = &s->u->events[s->first_event + i];
        if (ev->op == IR_EV_STORE) {
            const struct ir_expr_rec *place = &s->u->exprs[ev->a];
            stores[number_of(s, place->op == IR_E_VAR ? place->a : UINT32_MAX)]++;
            mark_indexes(s, ev->b, picks);
        }
        for (uint32_t k = 0; ev->op == IR_EV_CALL && k < ev->args.count; k++)
            mark_indexes(s, s->u->expr_refs[ev->args.first + k], picks);
    }
    while (changed) { /* a copy of one that is set twice is one, and what is copied into an index picks */
        changed = false;
        for (uint32_t i = 0; i < s->n_events; i++) {
            const struct ir_event_rec *ev = &s->u->events[s->first_event + i];
            const struct ir_expr_rec *place = &s->u->exprs[ev->op == IR_EV_STORE ? ev->a : 0];
            const uint32_t to = number_of(s, place->op == IR_E_VAR ? place->a : UINT32_MAX),
                           from = ev->op == IR_EV_STORE ? copied(s, ev->b) : n;
            if (to == n || from == n)
                continue;
            if ((stores[from] > 1 && stores[to] < 2) || (picks[to] && !picks[from])) {
                stores[to] = stores[from] > 1 ? 2 : stores[to];
                picks[from] |= picks[to];
                changed = true;
            }
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        const ir_var var =
            i < s->fr->params.count ? s->fr->params.first + i : s->fr->locals.first + i - s->fr->params.count;
        if (stores[i] > 1 && (picks[i] || leads_to_lock(s, s->u->vars[var].type)))
            vec_push(&s->choosers, term_make(&s->t, TERM_LOCAL, var, 0, 0));
    }
}

/* Is x an object that callers name, or a part of one: a global's, what a parameter points to, an element of what they lead to? Or a
 * number that they pass? What else memory holds is another object tomorrow. */
static bool is_named(const struct solver *s, term x) {
    bool element = false;
    int64_t i;

    for (;;) {
        const struct term_rec r = s->t.recs[x];
        switch (r.op) {
        case TERM_GLOBAL: return true;
        case TERM_LOCAL: return r.a - s->fr->params.first < s->fr->params.count;
        case TERM_LOAD:
            if (r.b || (!element && s->t.recs[r.a].op != TERM_LOCAL))
                return false;
            break;
        case TERM_INDEX:
            if (!term_is_const(&s->t, r.b, &i) && !(s->t.recs[r.b].op == TERM_LOAD && is_named(s, r.b)))
                return false;
            element = true;
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
