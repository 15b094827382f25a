/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Says a caller's terms of what a summary speaks of, and a summary's path of a function's own terms: each the other's inverse.
 * Stands on solver.h. */
#include "solver.h"

term instantiate(struct solver *s, const struct world *w, term path, const term *args, uint32_t n_args, term result)
{
    const struct term_rec r = *term_at(&s->p->paths, path);
    term a, b;

    switch (r.op) {
    case TERM_PARAM: return r.a < n_args ? args[r.a] : 0;
    case TERM_RESULT: return result;
    case TERM_GLOBAL: case TERM_TOKEN: case TERM_CONST: case TERM_FUNC: return term_make(&s->t, r.op, r.a, r.b, r.c);
    case TERM_FIELD:
        a = instantiate(s, w, r.a, args, n_args, result);
        return a ? term_field(&s->t, s->p, a, r.b) : 0;
    case TERM_INDEX:
        a = instantiate(s, w, r.a, args, n_args, result);
        if (!r.b)
            return a ? term_make(&s->t, TERM_INDEX, a, 0, 0) : 0;
        b = instantiate(s, w, r.b, args, n_args, result);
        return a && b ? term_index(&s->t, a, b) : 0;
    case TERM_LOAD:
        a = instantiate(s, w, r.a, args, n_args, result);
        return a ? world_load(&s->t, w, a) : 0;
    case TERM_UNARY:
        a = instantiate(s, w, r.a, args, n_args, result);
        return a ? term_unary(&s->t, r.b, a) : 0;
    case TERM_BINARY:
        a = instantiate(s, w, r.a, args, n_args, result);
        b = instantiate(s, w, r.b, args, n_args, result);
        return a && b ? term_binary(&s->t, r.c, a, b) : 0;
    case TERM_SOME:
        a = instantiate(s, w, r.a, args, n_args, result);
        return a ? term_make(&s->t, TERM_SOME, a, 0, 0) : 0;
    default: return 0;
    }
}

static bool is_param(const struct solver *s, uint32_t var, uint32_t *index)
{
    *index = var - s->fr->params.first;
    return s->fr->params.count && var >= s->fr->params.first && *index < s->fr->params.count;
}

term to_path(struct solver *s, const struct world *w, term x, term result)
{
    const struct term_rec r = s->t.recs[x];
    struct term_table *paths = &s->p->paths;
    uint32_t index;
    term a = 0, b = 0, out = 0;

    switch (r.op) {
    case TERM_CONST: case TERM_FUNC: case TERM_GLOBAL: case TERM_TOKEN: return term_make(paths, r.op, r.a, r.b, r.c);
    case TERM_LOCAL: return 0;
    case TERM_FIELD:
        a = to_path(s, w, r.a, result);
        return a ? term_make(paths, TERM_FIELD, a, r.b, 0) : 0;
    case TERM_INDEX:
        a = to_path(s, w, r.a, result);
        b = r.b ? to_path(s, w, r.b, result) : 0;
        return a && (b || !r.b) ? term_make(paths, TERM_INDEX, a, b, 0) : 0;
    case TERM_UNARY:
        a = to_path(s, w, r.a, result);
        return a ? term_make(paths, TERM_UNARY, a, r.b, 0) : 0;
    case TERM_BINARY:
        a = to_path(s, w, r.a, result);
        b = a ? to_path(s, w, r.b, result) : 0;
        return a && b ? term_make(paths, TERM_BINARY, a, b, r.c) : 0;
    case TERM_LOAD:
        if (s->t.recs[r.a].op == TERM_LOCAL) {
            if (!r.b && is_param(s, s->t.recs[r.a].a, &index))
                return term_make(paths, TERM_PARAM, index, 0, 0);
        } else if ((a = to_path(s, w, r.a, result))) {
            out = term_make(paths, TERM_LOAD, a, 0, 0);
        }
        break;
    case TERM_SOME: return 0;
    default: break;
    }
    if (!out && result && x == result)
        return term_make(paths, TERM_RESULT, 0, 0, 0);
    for (uint32_t i = 0; w && !out && i < w->n_cells; i++) { /* left in a place that callers know */
        if (w->cells[i].value != x || s->t.recs[w->cells[i].at].op == TERM_LOCAL || term_mentions(&s->t, w->cells[i].at, x))
            continue;
        a = to_path(s, NULL, w->cells[i].at, 0);
        if (a)
            out = term_make(paths, TERM_LOAD, a, 0, 0);
    }
    return out;
}

/* What the lock looks like, whichever element it is of. */
static term any_element(struct solver *s, term x)
{
    const struct term_rec r = s->t.recs[x];
    term a;

    switch (r.op) {
    case TERM_SOME: return any_element(s, r.a);
    case TERM_FIELD:
        a = any_element(s, r.a);
        return a ? term_make(&s->p->paths, TERM_FIELD, a, r.b, 0) : 0;
    case TERM_INDEX:
        a = any_element(s, r.a);
        return a ? term_make(&s->p->paths, TERM_INDEX, a, 0, 0) : 0;
    default: return to_path(s, NULL, x, 0);
    }
}

term collection_path(struct solver *s, term x)
{
    const term a = any_element(s, x);

    return a ? term_make(&s->p->paths, TERM_SOME, a, 0, 0) : 0;
}
