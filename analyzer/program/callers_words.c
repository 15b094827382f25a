/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Says a caller's terms of what a summary speaks of, and a summary's path of a function's own terms: each the other's inverse.
 * Stands on solver.h. */
#include "solver.h"

/* What a path is said as, and whether that may be asked again of the same world and arguments. */
struct saying {
    struct solver *s;
    const struct world *w;
    const term *args;
    uint32_t n_args;
    term result;
    bool again;
};

static term say(const struct saying *x, term path);

static term say_anew(const struct saying *x, term path) {
    struct solver *s = x->s;
    const struct term_rec r = *term_at(&s->p->paths, path);
    term a, b;

    switch (r.op) {
    case TERM_PARAM: return r.a < x->n_args ? x->args[r.a] : 0;
    case TERM_RESULT: return x->result;
    case TERM_GLOBAL:
    case TERM_TOKEN:
    case TERM_CONST:
    case TERM_FUNC: return term_make(&s->t, r.op, r.a, r.b, r.c);
    case TERM_FIELD:
        a = say(x, r.a);
        return a && s->t.recs[a].op != TERM_CONST ? term_field(&s->t, s->p, a, r.b)
                                                  : 0; /* there is nothing at a null pointer */
    case TERM_INDEX:
        a = say(x, r.a);
        if (!r.b)
            return a ? term_make(&s->t, TERM_INDEX, a, 0, 0) : 0;
        b = say(x, r.b);
        return a && b ? term_index(&s->t, a, b) : 0;
    case TERM_LOAD: a = say(x, r.a); return a ? world_load(&s->t, x->w, a) : 0;
    case TERM_UNARY: a = say(x, r.a); return a ? term_unary(&s->t, r.b, a) : 0;
    case TERM_BINARY:
        a = say(x, r.a);
        b = say(x, r.b);
        return a && b ? term_binary(&s->t, r.c, a, b) : 0;
    case TERM_SOME: a = say(x, r.a); return a ? term_make(&s->t, TERM_SOME, a, 0, 0) : 0;
    default: return 0;
    }
}

static term say(const struct saying *x, term path) {
    struct solver *s = x->s;
    term as;

    if (!x->again || path >= s->said.n)
        return say_anew(x, path);
    if (s->said.at[path].saying != s->saying) {
        as = say_anew(x, path);
        s->said.at[path] = (struct said){s->saying, as};
    }
    return s->said.at[path].as;
}

term instantiate(struct solver *s, const struct world *w, term path, const term *args, uint32_t n_args,
                 term result) {
    const struct saying x = {s, w, args, n_args, result, false};

    return say(&x, path);
}

void instantiate_begin(struct solver *s) {
    while (s->said.n < s->p->paths.n)
        vec_push(&s->said, ((struct said){0, 0}));
    s->saying++;
}

term instantiate_again(struct solver *s, const struct world *w, term path, const term *args,
                       uint32_t n_args) {
    const struct saying x = {s, w, args, n_args, 0, true};

    return say(&x, path);
}

static bool is_param(const struct solver *s, uint32_t var, uint32_t *index) {
    *index = var - s->fr->params.first;
    return s->fr->params.count && var >= s->fr->params.first && *index < s->fr->params.count;
}

static term make_path(struct solver *s, const struct world *w, term x, term result) {
    const struct term_rec r = s->t.recs[x];
    struct term_table *paths = &s->p->paths;
    uint32_t index;
    term a = 0, b = 0, out = 0;

    switch (r.op) {
    case TERM_CONST:
    case TERM_FUNC:
    case TERM_GLOBAL:
    case TERM_TOKEN: return term_make(paths, r.op, r.a, r.b, r.c);
    case TERM_LOCAL: return 0;
    case TERM_FIELD: a = to_path(s, w, r.a, result); return a ? term_make(paths, TERM_FIELD, a, r.b, 0) : 0;
    case TERM_INDEX:
        a = to_path(s, w, r.a, result);
        b = r.b ? to_path(s, w, r.b, result) : 0;
        return a && (b || !r.b) ? term_make(paths, TERM_INDEX, a, b, 0) : 0;
    case TERM_UNARY: a = to_path(s, w, r.a, result); return a ? term_make(paths, TERM_UNARY, a, r.b, 0) : 0;
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
        if (w->cells[i].value != x || s->t.recs[w->cells[i].at].op == TERM_LOCAL ||
            term_mentions(&s->t, w->cells[i].at, x))
            continue;
        a = to_path(s, NULL, w->cells[i].at, 0);
        if (a)
            out = term_make(paths, TERM_LOAD, a, 0, 0);
    }
    return out;
}

#define NO_PATH UINT32_MAX

term to_path(struct solver *s, const struct world *w, term x, term result) {
    term path;

    if (w || result) /* more names than the term's own */
        return make_path(s, w, x, result);
    while (s->path_of.n < s->t.n)
        vec_push(&s->path_of, 0);
    path = s->path_of.at[x];
    if (!path) {
        path = make_path(s, NULL, x, 0);
        s->path_of.at[x] = path ? path : NO_PATH;
    }
    return path == NO_PATH ? 0 : path;
}

/* What the lock looks like, whichever element it is of. */
static term any_element(struct solver *s, term x) {
    const struct term_rec r = s->t.recs[x];
    term a;

    switch (r.op) {
    case TERM_SOME: return any_element(s, r.a);
    case TERM_FIELD: a = any_element(s, r.a); return a ? term_make(&s->p->paths, TERM_FIELD, a, r.b, 0) : 0;
    case TERM_INDEX: return any_element(s, r.a); /* the first is named as the array is */
    case TERM_LOAD:                              /* an array of pointers to what has the lock */
        a = s->t.recs[r.a].op == TERM_LOCAL ? to_path(s, NULL, x, 0) : any_element(s, r.a);
        return a && s->t.recs[r.a].op != TERM_LOCAL ? term_make(&s->p->paths, TERM_LOAD, a, 0, 0) : a;
    default: return to_path(s, NULL, x, 0);
    }
}

term collection_path(struct solver *s, term x) {
    const term a = any_element(s, x);

    return a ? term_make(&s->p->paths, TERM_SOME, a, 0, 0) : 0;
}
