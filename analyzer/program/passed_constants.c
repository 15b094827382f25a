/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which ways through a function does no caller ask for, by the constants that it passes? A switch's default where each passes one of
 * the cases; a return for flags that go with no other argument.
 * Stands on solver.h. Asks the calls themselves: constants only, not what is handed on. */
#include "solver.h"

static bool is_a_case(const struct solver *s, const struct ir_block_rec *b, int64_t v) {
    for (uint32_t i = 0; i < b->succs.count; i++) {
        const struct ir_succ_rec *c = &s->u->succs[b->succs.first + i];
        const int64_t lo = (int64_t)((uint64_t)c->lo[1] << 32 | c->lo[0]),
                      hi = (int64_t)((uint64_t)c->hi[1] << 32 | c->hi[0]);
        if (!(c->flags & IR_SUCC_DEFAULT) && v >= lo && v <= hi)
            return true;
    }
    return false;
}

static bool knows_callers(const struct solver *s) {
    return defers_to_callers(s) && !s->lf->address_taken;
}

bool callers_pass_cases(const struct solver *s, const struct ir_block_rec *b, term value) {
    const struct term_rec r = s->t.recs[value], at = s->t.recs[r.op == TERM_LOAD ? r.a : 0];
    const uint32_t index = at.a - s->fr->params.first;

    if (r.op != TERM_LOAD || r.b || at.op != TERM_LOCAL || index >= s->fr->params.count || !knows_callers(s))
        return false;
    for (uint32_t i = 0; i < s->lf->n_callers; i++) {
        const struct call_edge *e = &s->p->edges.at[s->lf->callers[i]];
        const struct unit *u = s->p->funcs.at[e->caller].unit->unit;
        int64_t v;
        if (e->callback || !call_arg_const(u, &u->events[e->event], index, &v) || !is_a_case(s, b, v))
            return false;
    }
    return true;
}

/* What the call passes, put into a path of ours: a constant, or the path as it is where it says nothing. */
static term pass(struct program *p, const struct call_edge *e, term path) {
    const struct unit *u = p->funcs.at[e->caller].unit->unit;
    const struct term_rec r = *term_at(&p->paths, path);
    int64_t v;

    switch (r.op) {
    case TERM_PARAM:
        return call_arg_const(u, &u->events[e->event], r.a, &v) ? term_const(&p->paths, v) : path;
    case TERM_UNARY: return term_unary(&p->paths, r.b, pass(p, e, r.a));
    case TERM_BINARY: {
        const term a = pass(p, e, r.a), b = pass(p, e, r.b);
        return term_binary(&p->paths, r.c, a, b);
    }
    default: return path;
    }
}

/* May the call, with the constants it passes, have led to this world? */
static bool leads_here(struct solver *s, const struct world *w, const struct call_edge *e) {
    for (uint32_t i = 0; i < w->n_facts; i++) {
        const term path = to_path(s, NULL, w->facts[i].of, 0);
        int64_t v;
        if (path && term_is_const(&s->p->paths, pass(s->p, e, path), &v) &&
            range_is_empty(range_meet(range_of(v), w->facts[i].range)))
            return false;
    }
    return true;
}

bool some_caller_leads_here(struct solver *s, const struct world *w) {
    enum { SEVERAL = 2 /* one call says what is called today, not what the function is for */, ENOUGH = 24 };

    if (!knows_callers(s) || s->lf->n_callers < SEVERAL || s->lf->n_callers > ENOUGH)
        return true;
    for (uint32_t i = 0; i < s->lf->n_callers; i++) {
        const struct call_edge *e = &s->p->edges.at[s->lf->callers[i]];
        if (e->callback || leads_here(s, w, e))
            return true;
    }
    return false;
}
