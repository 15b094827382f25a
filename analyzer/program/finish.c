/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Makes a solved function's summary of what its returns look like, and its candidates: wrapper or mistake?
 * Stands on solver.h; judge.c decides the candidates when every caller has been seen. */
#include "../base/alloc.h"
#include "solver.h"
#include "ways.h"

/* ---- guarded accesses ---- */
/* One object, whichever of the places where ways join named it: a loop's variable has a name of its own in each block behind. */
static bool is_same_but_joined(const struct term_table *t, term x, term y) {
    for (; x != y; x = t->recs[x].a, y = t->recs[y].a) {
        const struct term_rec a = t->recs[x], b = t->recs[y];
        if (a.op != b.op)
            return false;
        if (a.op == TERM_PHI)
            return a.b == b.b;
        if (!(a.op == TERM_FIELD && a.b == b.b) &&
            !(a.op == TERM_INDEX && a.b && b.b && is_same_but_joined(t, a.b, b.b)))
            return false;
    }
    return true;
}

static bool retired(const struct solver *s, term object) {
    for (;;) {
        for (size_t i = 0; i < s->retired.n; i++)
            if (is_same_but_joined(&s->t, s->retired.at[i], object))
                return true;
        if (s->t.recs[object].op != TERM_FIELD && s->t.recs[object].op != TERM_INDEX)
            return false;
        object = s->t.recs[object].a;
    }
}

bool takes_itself(const struct solver *s, term lock) {
    for (size_t i = 0; i < s->taken.n; i++)
        if (term_same_shape(&s->t, s->taken.at[i], lock))
            return true;
    return false;
}

static void settle_accesses(struct solver *s) {
    const bool defers = defers_to_callers(s);

    for (size_t i = 0; i < s->pending.n; i++)
        s->p->locks->problems.at[s->pending.at[i].problem].dropped = true;
    for (size_t i = 0; i < s->pending.n; i++) {
        struct pending_access *a = &s->pending.at[i];
        bool known = false;
        if (a->r.reason == REQUIRED_BY_ACCESS && a->object && retired(s, a->object))
            continue;
        if (is_misread(s, a->tried))
            continue;
        if (!defers || a->here || takes_itself(s, a->lock)) {
            s->p->locks->problems.at[a->problem].dropped = s->lf->unchecked;
            continue;
        }
        for (size_t k = 0; k < s->requirements.n; k++)
            known |= s->requirements.at[k].lock == a->r.lock && s->requirements.at[k].write >= a->r.write &&
                     s->requirements.at[k].reason == a->r.reason;
        if (!known && s->requirements.n < 24 && !s->lf->unchecked)
            vec_push(&s->requirements, a->r);
    }
}

static void settle_unlocks(struct solver *s) {
    for (size_t i = 0; i < s->unlocks.n; i++) {
        struct unlock_seen *u = &s->unlocks.at[i];
        struct lock_problem *pr = &s->p->locks->problems.at[u->problem];
        if (u->held && u->failed && u->doubted &&
            every_way_rejoins(s->u, s->fr, s->event_block[u->doubted - s->first_event],
                              s->event_block[u->event - s->first_event]))
            s->p->locks->problems.at[u->failed].dropped = true; /* the program does not keep to the failure */
        if (!u->unheld || !u->problem)
            continue;
        struct candidate *c = u->candidate ? &s->p->locks->candidates.at[u->candidate] : NULL;
        u->by_caller = u->held && c && !c->condemned && told_by_caller(s->p, &u->held_when, &u->unheld_when);
        if (u->held) {
            pr->kind = PROBLEM_MISMATCH;
            pr->detail = DETAIL_AT_UNLOCK;
            pr->dropped = s->lf->unchecked || u->by_caller;
            if (u->taken)
                problem_story(s, pr, STORY_TAKEN, s->u, s->u->events[u->taken].loc, pr->lock);
            problem_trail(s, pr, NULL, u->without);
            if (u->by_caller) {
                (void)note(s, (struct noted){.kind = NOTED_MIXED, .candidate = u->candidate});
            } else if (c) { /* no doubt, so nothing to judge */
                (void)note(s, (struct noted){.kind = NOTED_NO_DOUBT, .candidate = u->candidate});
                pr->candidate = 0;
            }
        } else if (u->candidate) {
            pr->dropped = true; /* until judged */
        }
    }
}

/* ---- what is returned and left behind ---- */
/* Do the outcomes tell a null result from the others? */
static bool null_stands_alone(const struct summary *s) {
    bool alone = false;

    for (uint32_t i = 0; i < s->n_outcomes; i++) {
        const bool null = range_equal(s->outcomes[i].result, range_of(0));
        if (!null && !s->outcomes[i].result.nonzero)
            return false;
        alone |= null;
    }
    return alone;
}

static term common_result(struct solver *s) {
    const bool but_null = null_stands_alone(s->s);
    term path = 0;
    int64_t v;

    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        const bool is_const = x->value && term_is_const(&s->t, x->value, &v);
        const term p = x->value && !is_const ? to_path(s, NULL, x->value, 0) : 0;
        if (but_null && is_const && v == 0)
            continue;
        if (!p || (path && p != path))
            return 0;
        path = p;
    }
    return path;
}

static bool is_lock_address(const struct solver *s, term value) {
    const struct object_class c = term_class(&s->t, value);

    return (c.field && s->p->fields.at[c.field].lock.lock) ||
           (c.global && s->p->globals.at[c.global].lock.lock) || s->t.recs[value].op == TERM_LOAD;
}

/* The local struct that every return returns; or 0. */
static term returned_struct(const struct solver *s) {
    term object = 0;

    for (size_t i = 0; i < s->exits.n; i++) {
        if (!s->exits.at[i].value)
            return 0; /* of nothing; there may be no terms at all */
        const struct term_rec r = s->t.recs[s->exits.at[i].value];
        if (r.op != TERM_LOAD || s->t.recs[r.a].op != TERM_LOCAL || (object && r.a != object))
            return 0;
        object = r.a;
    }
    return object;
}

/* A member of the returned struct in the callers' words. */
static term member_of_result(struct solver *s, term at, term object) {
    const struct term_rec r = s->t.recs[at];
    term a;

    if (at == object)
        return term_make(&s->p->paths, TERM_RESULT, 0, 0, 0);
    a = r.op == TERM_FIELD ? member_of_result(s, r.a, object) : 0;
    return a ? term_make(&s->p->paths, TERM_FIELD, a, r.b, 0) : 0;
}

/* Members that hold one sayable value on every return. */
static void keep_stores(struct solver *s) {
    struct summary_store list[MAX_STORES];
    const term returned = returned_struct(s);
    uint32_t n = 0;

    if (!s->exits.n)
        return;
    for (uint32_t i = 0; i < s->exits.at[0].w->n_cells && n < MAX_STORES; i++) {
        const struct cell c = s->exits.at[0].w->cells[i];
        bool same = c.value && s->t.recs[c.at].op == TERM_FIELD && is_lock_address(s, c.value);
        for (size_t k = 1; same && k < s->exits.n; k++)
            same = world_load(&s->t, s->exits.at[k].w, c.at) == c.value;
        if (!same || c.value == term_make(&s->t, TERM_LOAD, c.at, 0, 0))
            continue;
        list[n] = (struct summary_store){to_path(s, NULL, c.at, 0), to_path(s, NULL, c.value, 0)};
        if (!list[n].at && returned)
            list[n].at = member_of_result(s, c.at, returned);
        n += list[n].at && list[n].value;
    }
    s->s->stores = n ? arena_copy(&s->p->arena, list, n * sizeof *list) : NULL;
    s->s->n_stores = n;
}

#define KEEP(s, name)                                                                                        \
    ((s)->s->n_##name = (uint32_t)(s)->name.n,                                                               \
     (s)->s->name =                                                                                          \
         (s)->name.n ? arena_copy(&(s)->p->arena, (s)->name.at, (s)->name.n * sizeof *(s)->name.at) : NULL)

/* Which of the destroyed locks are destroyed on every way. */
static void keep_destroys(struct solver *s) {
    bool *there = xcalloc(s->n_blocks + 1, sizeof *there);

    KEEP(s, destroys);
    s->s->destroys_always = 0;
    for (uint32_t i = 0; i < s->s->n_destroys; i++) {
        const struct term_rec *r = term_at(&s->p->paths, term_object(&s->p->paths, s->s->destroys[i]));
        bool any = false;
        memset(there, 0, s->n_blocks * sizeof *there);
        for (size_t k = 0; k < s->destroyed_at.n; k++)
            if (s->destroyed_at.at[k].path == i)
                any = there[s->destroyed_at.at[k].block] = true;
        if (any && every_way_meets(s->u, s->fr, there, r->op == TERM_PARAM ? r->a : WAYS_NO_PARAM))
            s->s->destroys_always |= 1u << i;
    }
    free(there);
}

void finish_function(struct solver *s) {
    settle_accesses(s);
    settle_unlocks(s);
    settle_given_up(s);
    settle_waits(s);
    check_contract(s);
    settle_returns(s);
    if (!s->exits.n)
        s->s->never_returns = true;
    make_outcomes(s);
    s->s->returns = common_result(s);
    keep_stores(s);
    KEEP(s, requirements);
    KEEP(s, inner);
    KEEP(s, waits);
    KEEP(s, inits);
    keep_destroys(s);
    if (s->fr->annots.count)
        summary_annotate(s->p, s->func, s->s);
}
