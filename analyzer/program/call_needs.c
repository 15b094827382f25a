/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a callee needs of its caller: locks held, given up for a while, or free to be taken inside.
 * Stands on calls.h. */
#include "calls.h"
#include "lock_order.h"

/* What must be so for the callee to take the lock: false when it is not so here. What is open goes to own, in the words of
 * our callers; what cannot be said in them makes the lock uncertain: then false, too. */
static bool inner_conditions(struct call *c, struct world *w, const struct inner_lock *in, struct inner_lock *own)
{
    struct solver *s = c->s;

    own->n_when = 0;
    for (uint32_t k = 0; k < in->n_when; k++) {
        const term of = instantiate(s, w, in->when[k].of, c->args, c->n_args, 0);
        const struct range known = of ? world_range(&s->t, w, of) : RANGE_ALL;
        const struct range both = range_meet(known, in->when[k].range);
        term path;
        if (range_is_empty(both))
            return false;
        if (range_equal(both, known) && of)
            continue;
        path = of ? to_path(s, NULL, of, 0) : 0;
        if (!path)
            return false;
        own->when[own->n_when++] = (struct precondition){path, in->when[k].range};
    }
    return true;
}

/* Keep a lock taken inside, with what is known on all ways to it. */
static void note_inner(struct solver *s, const struct world *w, const struct inner_lock *in)
{
    struct inner_lock new = *in, *old = NULL;
    uint32_t given_up = 0;

    new.without[0] = new.without[1] = 0;
    for (uint32_t i = 0; i < w->n_held && given_up < 2; i++)
        if (w->held[i].mode == HELD_RELEASED)
            new.without[given_up++] = to_path(s, NULL, w->held[i].lock, 0);

    for (uint32_t i = 0; i < w->n_facts && new.n_when < MAX_WHEN; i++) {
        const struct fact f = w->facts[i];
        const enum term_op op = s->t.recs[f.of].op;
        const term path = op == TERM_FRESH || op == TERM_PHI ? 0 : to_path(s, NULL, f.of, 0);
        if (path)
            new.when[new.n_when++] = (struct precondition){path, f.range};
    }
    for (size_t k = 0; k < s->inner.n; k++)
        if (s->inner.at[k].lock == new.lock)
            old = &s->inner.at[k];
    if (!old) {
        if (s->inner.n < 24)
            vec_push(&s->inner, new);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (old->without[i] != new.without[0] && old->without[i] != new.without[1])
            old->without[i] = 0;
    for (uint32_t i = 0; i < old->n_when; i++) {
        bool known = false;
        for (uint32_t k = 0; k < new.n_when; k++)
            if (new.when[k].of == old->when[i].of) {
                old->when[i].range = range_hull(old->when[i].range, new.when[k].range);
                known = !range_is_all(old->when[i].range);
            }
        if (!known)
            old->when[i--] = old->when[--old->n_when];
    }
}

/* A callee gives this lock up for a while. */
static void check_given_up(struct call *c, struct world *w, const struct requirement *r, term lock)
{
    struct solver *s = c->s;
    const struct linked_func *site = &s->p->funcs.at[r->site.func];
    const struct held *h = world_held_like(w, &s->t, lock);
    struct requirement up = *r;
    struct lock_problem *pr;
    uint32_t number;
    int64_t null;

    if (!s->recording || term_is_const(&s->t, lock, &null))
        return;
    if ((h && h->mode != HELD_RELEASED) || collected(s, w, lock) || w->failed) {
        pair(s, r->candidate);
        if (h && h->candidate)
            pair(s, h->candidate);
        return;
    }
    up.lock = to_path(s, NULL, lock, 0);
    pr = problem_new(s, PROBLEM_UNHELD, DETAIL_IN_CALLEE, c->ev->loc, lock, &number);
    if (pr) {
        pr->data = s->p->funcs.at[c->callee].name;
        problem_story(s, pr, STORY_UNLOCK, site->unit->unit, r->site.loc, site->name);
        pr->dropped = true;
        pr->candidate = up.lock ? candidate_new(s, CANDIDATE_RELEASES, up.lock, term_class(&s->t, lock), r->candidate) : 0;
        vec_push(&s->p->locks->candidates.at[r->candidate].bad_calls, number);
    }
    up.candidate = s->p->locks->problems.at[number].candidate;
    if (up.lock && up.candidate && !s->p->locks->candidates.at[up.candidate].condemned && s->requirements.n < 24)
        vec_push(&s->requirements, up);
}

/* The world with only those locks held that the callee does not give up before it takes this one. */
static const struct world *without_given_up(struct call *c, const struct world *w, const struct inner_lock *in)
{
    struct world *copy = NULL;

    for (int i = 0; i < 2; i++) {
        const term lock = in->without[i] ? instantiate(c->s, w, in->without[i], c->args, c->n_args, 0) : 0;
        struct held *h;
        if (!lock || !world_held_like(w, &c->s->t, lock))
            continue;
        if (!copy)
            copy = world_copy(&c->s->arena, w);
        h = world_held_like(copy, &c->s->t, lock);
        if (h)
            world_drop_held(&c->s->arena, copy, h, 0);
    }
    return copy ? copy : w;
}

void check_needs(struct call *c, struct world *w)
{
    struct solver *s = c->s;
    const struct linked_func *cf = &s->p->funcs.at[c->callee];

    for (uint32_t i = 0; i < c->sum->n_requirements; i++) {
        const struct requirement *r = &c->sum->requirements[i];
        const term lock = instantiate(s, w, r->lock, c->args, c->n_args, 0);
        if (lock && r->reason == REQUIRED_BY_RELEASE)
            check_given_up(c, w, r, lock);
        else if (lock)
            check_requirement(s, w, r, c->callee, lock, r->object ? instantiate(s, w, r->object, c->args, c->n_args, 0) : 0,
                              c->ev->loc);
    }
    for (uint32_t i = 0; i < c->sum->n_inner; i++) {
        const struct inner_lock *in = &c->sum->inner[i];
        const term lock = instantiate(s, w, in->lock, c->args, c->n_args, 0);
        struct held *h = lock ? world_held(w, lock) : NULL;
        struct inner_lock own = *in;
        if (!lock || !inner_conditions(c, w, in, &own))
            continue;
        if (c->sure && cf->defined && !own.n_when && h && h->mode != HELD_RELEASED && !lock_is_recursive(s, lock) &&
            !(h->mode == HELD_SHARED && in->shared))
            report_double(c, h, lock, in->shared, &in->site, 0);
        if (s->recording && !h)
            order_wait(s, without_given_up(c, w, in), c->sum, lock, in->shared, cf->defined ? in->site : (struct site){0, 0}, c->event,
                       c->callee, in);
        if (c->sure && s->recording && !h && (own.lock = to_path(s, NULL, lock, 0))) {
            own.depth = cf->defined ? in->depth + 1 : 0;
            own.via = cf->defined ? c->event : 0;
            own.via_callee = cf->defined ? c->callee : 0;
            own.via_lock = cf->defined ? in->lock : 0;
            if (!cf->defined)
                own.site = (struct site){s->func, c->ev->loc};
            note_inner(s, w, &own);
        }
    }
    if (s->recording) {
        order_call(s, w, c->event, c->callee, c->sum, c->args, c->n_args);
        check_suspends(s, w, c->callee, c->sum, c->event);
    }
}
