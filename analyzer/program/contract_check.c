/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Does a function keep what its annotations promise? Looked at on each of its returns.
 * Stands on solver.h. */
#include "calls.h"

#include <string.h>

struct promise {
    uint32_t kind; /* annotation */
    term lock;
    const struct lock_path *path; /* of the result: resolved at each return */
    struct result_when when;
    ir_loc loc;
    const char *text;
};

struct return_loader {
    struct solver *s;
    const struct world *w;
    term value;
};

static term load_return(void *data, term at) {
    struct return_loader *l = data;
    const struct term_rec r = l->s->t.recs[at];

    if (r.op == TERM_LOCAL && r.a == UINT32_MAX)
        return l->value;
    if (r.op == TERM_LOCAL)
        return term_make(&l->s->t, TERM_LOAD, at, 0, 0);
    return world_load(&l->s->t, l->w, at);
}

static term promised_lock(struct solver *s, const struct lock_path *path, const struct exit_record *x) {
    struct return_loader l = {s, x->w, x->value};
    term root;

    switch (path->root) {
    case LOCK_AT_PARAM: root = term_make(&s->t, TERM_LOCAL, s->fr->params.first + path->index, 0, 0); break;
    case LOCK_AT_RESULT: root = x->value ? term_make(&s->t, TERM_LOCAL, UINT32_MAX, 0, 0) : 0; break;
    case LOCK_AT_VAR:
        root = s->lu->globals[path->var] ? term_make(&s->t, TERM_GLOBAL, s->lu->globals[path->var], 0, 0) : 0;
        break;
    case LOCK_AT_TOKEN: return term_make(&s->t, TERM_TOKEN, intern_string(&s->p->names, path->name), 0, 0);
    default: return 0;
    }
    return root ? lock_path_term(s->p, &s->t, path, root, load_return, &l) : 0;
}

static void broken(struct solver *s, enum lock_problem_detail detail, const struct exit_record *x, term lock,
                   const struct promise *p) {
    struct lock_problem *pr =
        problem_new(s, PROBLEM_CONTRACT, detail, x->loc ? x->loc : s->fr->body_end, lock, NULL);

    if (!pr)
        return;
    pr->data = s->lf->name;
    problem_trail(s, pr, NULL, x->w->trail);
    problem_story(s, pr, STORY_CONTRACT, s->u, p->loc, p->text);
}

static bool within(struct range inner, struct range outer) {
    return range_equal(range_meet(inner, outer), inner);
}

/* Does the function implement a lock of the program's own, by atomics and parking, and not by calling locks? */
static bool implements(const struct solver *s, const struct promise *p, term lock) {
    const struct unit *u = p->path->type_unit;

    if (!p->path->type || !p->path->type_unit || takes_itself(s, lock))
        return false;
    for (size_t i = 0; i < s->unlocks.n; i++)
        if (term_same_shape(&s->t, s->unlocks.at[i].lock, lock))
            return false;
    for (ir_type t = p->path->type; t;
         t = u->types[t].elem) { /* a lock type that the program declares itself */
        for (uint32_t i = 0; i < u->types[t].annots.count; i++) {
            const uint32_t kind = u->annots[u->types[t].annots.first + i].kind;
            if (kind == IR_A_lock_type || kind == IR_A_async_lock_type)
                return true;
        }
        if (u->types[t].kind != IR_T_TYPEDEF && u->types[t].kind != IR_T_QUALIFIED)
            break;
    }
    return false;
}

static bool is_part(const struct solver *s, term x, term lock) {
    for (; s->t.recs[x].op == TERM_FIELD; x = s->t.recs[x].a)
        if (term_same_shape(&s->t, s->t.recs[x].a, lock))
            return true;
    return false;
}

/* What a lock of one's own is made of is taken and released with it: the promise speaks for it. */
static void speak_for_parts(struct solver *s, term lock, struct exit_record *x) {
    for (uint32_t i = 0; i < x->w->n_held; i++)
        if (is_part(s, x->w->held[i].lock, lock))
            x->w->held[i].flags |= HELD_ENTRY;
    for (size_t i = 0; i < s->unlocks.n; i++)
        if (s->unlocks.at[i].candidate && is_part(s, s->unlocks.at[i].lock, lock))
            pair(s, s->unlocks.at[i].candidate);
}

static void check_promise(struct solver *s, const struct promise *p, struct exit_record *x) {
    static const uint8_t op[] = {0, IR_B_EQ, IR_B_NE, IR_B_LT, IR_B_LE, IR_B_GT, IR_B_GE};
    const term lock = promised_lock(s, p->path, x);
    struct held *h = lock ? world_held_like(x->w, &s->t, lock) : NULL;
    const bool held = h && h->mode != HELD_RELEASED;

    if (p->kind == IR_A_returns_lock) {
        if (lock && x->value && term_is_place(&s->t, x->value) && !term_same_shape(&s->t, lock, x->value))
            broken(s, DETAIL_OTHER_INSTANCE, x, lock, p);
        return;
    }
    if (lock && implements(s, p, lock))
        speak_for_parts(s, lock, x);
    if (!lock || x->w->failed || (h && h->flags & HELD_MAYBE) || implements(s, p, lock))
        return;
    switch (p->kind) {
    case IR_A_acquires:
    case IR_A_acquires_shared:
        if (!held)
            broken(s, DETAIL_NOT_ACQUIRED, x, lock, p);
        break;
    case IR_A_releases:
        if (held)
            broken(s, DETAIL_NOT_RELEASED, x, lock, p);
        break;
    case IR_A_requires:
    case IR_A_requires_shared:
        if (h && !held)
            broken(s, DETAIL_LOST, x, lock, p);
        break;
    case IR_A_try_acquires:
    case IR_A_try_acquires_shared: {
        const struct range got = x->value ? world_range(&s->t, x->w, x->value) : RANGE_ALL;
        const struct range good = range_when(op[p->when.test], p->when.value);
        if (p->when.test == RESULT_ANY)
            break;
        if (!held && within(got, good))
            broken(s, DETAIL_NOT_ACQUIRED, x, lock, p);
        if (held && range_is_empty(range_meet(got, good)))
            broken(s, DETAIL_STILL_HELD, x, lock, p);
        break;
    }
    default: break;
    }
    if (h && p->kind != IR_A_requires && p->kind != IR_A_requires_shared)
        h->flags |= HELD_ENTRY; /* spoken for: no leak, no inferred effect */
}

void check_contract(struct solver *s) {
    for (uint32_t i = 0; i < s->fr->annots.count; i++) {
        const struct ir_annot_rec *a = &s->u->annots[s->fr->annots.first + i];
        struct lock_context context = program_context(s->p, s->u, LOCK_IN_FUNCTION, s->lf->func);
        struct lock_list list = {NULL, 0, {RESULT_ANY, 0}};
        const char *why;
        switch (a->kind) {
        case IR_A_acquires:
        case IR_A_acquires_shared:
        case IR_A_releases:
        case IR_A_requires:
        case IR_A_requires_shared:
        case IR_A_try_acquires:
        case IR_A_try_acquires_shared:
        case IR_A_returns_lock: break;
        default: continue;
        }
        if (lock_expr_annotation(&context, &s->scratch, a, &list, &why) != LOCK_RESOLVED)
            continue;
        for (uint32_t k = 0; k < list.n_paths; k++) {
            const struct promise p = {
                a->kind,   0,      &list.paths[k],
                list.when, a->loc, arena_strdup(&s->p->arena, list.paths[k].text ? list.paths[k].text : "")};
            for (size_t x = 0; x < s->exits.n; x++)
                check_promise(s, &p, &s->exits.at[x]);
        }
    }
}
