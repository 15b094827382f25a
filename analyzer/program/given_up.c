/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock of the caller's is released for a while: who calls that without holding it?
 * Stands on calls.h. */
#include <string.h>
#include "calls.h"

void require_given_up(struct solver *s, const struct requirement *r) {
    for (size_t i = 0; i < s->requirements.n; i++) {
        struct requirement *old = &s->requirements.at[i];
        if (old->reason == r->reason && old->lock == r->lock && old->candidate == r->candidate) {
            old->n_when = keep_known(old->when, old->n_when, r->when, r->n_when);
            return;
        }
    }
    if (s->requirements.n < 24)
        vec_push(&s->requirements, *r);
}

/* Does every function that may be called give it up, too? */
static bool all_give_up(const struct call *c, struct world *w, term lock) {
    struct solver *s = c->s;
    uint32_t n;
    const struct call_edge *edges = program_calls(s->p, s->func, c->event, &n);

    for (uint32_t i = 0; i < n && !c->sure; i++) {
        const struct summary *sum = s->p->funcs.at[edges[i].callee].summary;
        bool gives = edges[i].callback != c->callback;
        for (uint32_t k = 0; sum && k < sum->n_requirements && !gives; k++)
            gives = sum->requirements[k].reason == REQUIRED_BY_RELEASE &&
                    instantiate_again(s, w, sum->requirements[k].lock, c->args, c->n_args) == lock;
        if (!gives)
            return false;
    }
    return true;
}

/* May what it goes by be so here? Says in `up` what must be so, in the words of our callers. */
static bool may_give_up(struct call *c, struct world *w, const struct requirement *r,
                        struct requirement *up) {
    struct solver *s = c->s;

    up->n_when = 0;
    for (uint32_t k = 0; k < r->n_when; k++) {
        const term of = instantiate_again(s, w, r->when[k].of, c->args, c->n_args);
        const term path = of ? to_path(s, NULL, of, 0) : 0;
        if (of && (range_is_empty(range_meet(world_range(&s->t, w, of), r->when[k].range)) ||
                   was_excluded(s, w, of, r->when[k].range)))
            return false;
        if (path)
            up->when[up->n_when++] = (struct precondition){path, r->when[k].range};
    }
    return true;
}

/* Was it taken by a call that comes back without it where it need not be taken, and does not say so? Then it was asked for on all ways. */
static bool was_asked_for(const struct solver *s, const struct held *h) {
    uint32_t n = 0;
    const struct call_edge *edges = h->event ? program_calls(s->p, s->func, h->event, &n) : NULL;

    for (uint32_t i = 0; i < n; i++) {
        const struct summary *sum = s->p->funcs.at[edges[i].callee].summary;
        for (uint32_t k = 0; sum && k < sum->n_outcomes; k++)
            if (sum->outcomes[k].n_when && !sum->outcomes[k].n_effects &&
                range_is_all(sum->outcomes[k].result))
                return true;
    }
    return false;
}

static struct given_up_seen *seen_at(struct solver *s, ir_event event, term lock, uint32_t candidate) {
    for (size_t i = 0; i < s->given_up.n; i++) {
        struct given_up_seen *seen = &s->given_up.at[i];
        if (seen->event == event && seen->lock == lock && seen->of == candidate)
            return seen;
    }
    struct given_up_seen *seen = vec_add(&s->given_up);
    *seen = (struct given_up_seen){.event = event, .lock = lock, .of = candidate};
    return seen;
}

void check_given_up(struct call *c, struct world *w, const struct requirement *r, term lock) {
    struct solver *s = c->s;
    const struct held *h = world_held_like(w, &s->t, lock);
    struct requirement up = *r;
    struct given_up_seen *seen;
    int64_t null;

    if (term_is_const(&s->t, lock, &null))
        return;
    if (!h || h->mode == HELD_RELEASED)
        h = held_by_pointer(s, w, lock);
    if (h || collected(s, w, lock) || w->failed) {
        pair(s, r->candidate);
        if (h && h->candidate)
            pair(s, h->candidate);
        if (h && was_asked_for(s, h))
            seen_at(s, c->event, lock, r->candidate)->asked = true;
        return;
    }
    if (!may_give_up(c, w, r, &up))
        return;
    up.perhaps |= !all_give_up(c, w, lock);
    seen = seen_at(s, c->event, lock, r->candidate);
    if (seen->unheld) {
        seen->up.n_when = keep_known(seen->up.when, seen->up.n_when, up.when, up.n_when);
        return;
    }
    seen->unheld = true;
    seen->callee = c->callee;
    seen->up = up;
}

/* There may be callers who hold it, and then those further down are right; but it is said of nobody that he does not. */
static void ask_callers(struct solver *s, struct given_up_seen *seen) {
    seen->up.perhaps = true;
    seen->up.candidate = note(s, (struct noted){.kind = NOTED_CANDIDATE,
                                                .bits = (uint32_t)CANDIDATE_RELEASES | CANDIDATE_PERHAPS,
                                                .from = seen->up.lock,
                                                .class = term_class(&s->t, seen->lock),
                                                .other = seen->of});
    require_given_up(s, &seen->up);
}

static void accuse(struct solver *s, struct given_up_seen *seen) {
    const struct site *site = &seen->up.site;
    const term lock = seen->up.lock;
    struct lock_problem *pr;
    uint32_t number;

    s->now_at = seen->event;
    pr = problem_new(s, PROBLEM_UNHELD, DETAIL_IN_CALLEE, s->u->events[seen->event].loc, seen->lock, &number);
    if (pr) {
        pr->data = s->p->funcs.at[seen->callee].name;
        problem_story_in(s, pr, STORY_UNLOCK, site->func, site->loc, s->p->funcs.at[site->func].name);
        pr->dropped = true;
        pr->candidate =
            lock ? candidate_new(s, CANDIDATE_RELEASES, lock, term_class(&s->t, seen->lock), seen->of) : 0;
        (void)note(s, (struct noted){.kind = NOTED_BAD_CALL, .candidate = seen->of, .number = number});
    }
    seen->up.candidate = s->p->locks->problems.at[number].candidate;
    if (lock && seen->up.candidate && !s->p->locks->candidates.at[seen->up.candidate].condemned)
        require_given_up(s, &seen->up);
}

void settle_given_up(struct solver *s) {
    for (size_t i = 0; i < s->given_up.n; i++) {
        struct given_up_seen *seen = &s->given_up.at[i];
        if (!seen->unheld)
            continue;
        seen->up.lock = to_path(s, NULL, seen->lock, 0);
        if (!seen->up.perhaps && !seen->asked)
            accuse(s, seen);
        else if (seen->up.lock)
            ask_callers(s, seen);
    }
}
