/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In how many ways can a call of this function come back, and what has it taken or released then?
 * Stands on solver.h. Returns are put together where callers cannot tell them apart. */
#include "solver.h"

#include <string.h>

/* The unlock that gave it up: of that lock, or in a loop, where the next turn knows it by another name, at that place. */
static struct unlock_seen *unlock_of(struct solver *s, const struct held *h) {
    struct unlock_seen *at = NULL;

    for (size_t i = 0; i < s->unlocks.n; i++) {
        struct unlock_seen *u = &s->unlocks.at[i];
        if (u->event != h->event)
            continue;
        if (term_same_shape(&s->t, u->lock, h->lock))
            return u;
        at = u->candidate ? u : at;
    }
    return at;
}

struct cluster {
    struct lock_effect effects[MAX_EFFECTS];
    uint32_t n;
    struct range result;
    VEC(const struct exit_record *) exits;
};

enum { MAX_CLUSTERS = 6, MAX_PAIRS = 256 }; /* pairs of returns: beyond, two clusters are not told apart */

static void soften(const struct solver *s, struct lock_effect *e, const struct held *h,
                   const struct exit_record *x) {
    e->soft = results_with(s, x, h, &e->ok);
    e->also = e->soft && x->value == h->when ? h->also : 0;
}

/* One of the collection's locks stands for all. */
static bool has_effect(const struct cluster *c, const struct lock_effect *e) {
    for (uint32_t i = 0; i < c->n; i++)
        if (c->effects[i].kind == e->kind && c->effects[i].lock == e->lock)
            return true;
    return false;
}

static bool tells_callers(const struct candidate *c) {
    return !c->condemned && !c->over_time;
}

static void add_effect(struct solver *s, const struct exit_record *x, const struct held *h,
                       struct cluster *c) {
    const bool some = is_collected(s, h);
    struct lock_effect e;

    memset(&e, 0, sizeof e);
    e.ok = RANGE_ALL;
    e.site = (struct site){h->in_func, h->in_loc};
    if (!h->in_loc && h->event)
        e.site = (struct site){s->func, s->u->events[h->event].loc};
    if (h->flags & HELD_ENTRY)
        return;
    if (h->mode == HELD_RELEASED) {
        const struct unlock_seen *u = unlock_of(s, h);
        if (u && u->held && !u->by_caller)
            return;
        e.kind = EFFECT_RELEASE;
        e.guard = h->flags & HELD_GUARD;
        e.candidate = u ? u->candidate : 0;
    } else {
        e.kind = EFFECT_ACQUIRE;
        e.shared = h->mode == HELD_SHARED;
        e.async = h->flags & HELD_ASYNC;
        e.maybe = h->flags & HELD_MAYBE;
        soften(s, &e, h, x);
    }
    e.lock = some ? collection_path(s, h->lock) : callers_name(s, x, h->lock);
    if (!e.lock || (some && (has_effect(c, &e) || (e.kind == EFFECT_ACQUIRE && is_swept(s, h, x)))))
        return;
    if (e.kind == EFFECT_ACQUIRE)
        e.candidate = candidate_new(s, CANDIDATE_HELD_ON_RETURN, some ? e.lock : to_path(s, NULL, h->lock, 0),
                                    term_class(&s->t, h->lock), h->candidate);
    if (!e.candidate || tells_callers(&s->p->locks->candidates.at[e.candidate]))
        c->effects[c->n++] = e;
}

static void effects_at(struct solver *s, const struct exit_record *x, struct cluster *c) {
    for (uint32_t i = 0; i < x->w->n_held && c->n < MAX_EFFECTS; i++)
        add_effect(s, x, &x->w->held[i], c);
    for (size_t k = 0; k < s->exits.n; k++) { /* all of an array of no elements */
        const struct exit_record *y = &s->exits.at[k];
        for (uint32_t i = 0; y->loc == x->loc && i < y->w->n_held && c->n < MAX_EFFECTS; i++)
            if (y->w->held[i].mode != HELD_RELEASED && lacks_all(s, x, &y->w->held[i]))
                add_effect(s, y, &y->w->held[i], c);
    }
}

static bool same_cluster(const struct cluster *a, const struct cluster *b) {
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b->n; k++)
            found |= a->effects[i].lock == b->effects[k].lock && a->effects[i].kind == b->effects[k].kind &&
                     a->effects[i].shared == b->effects[k].shared;
        if (!found)
            return false;
    }
    return true;
}

/* Outcomes that callers cannot tell apart become one, its effects uncertain where they differ. */
static void unite(struct cluster *into, const struct cluster *from) {
    for (uint32_t i = 0; i < into->n; i++) {
        bool found = false;
        for (uint32_t k = 0; k < from->n; k++)
            if (into->effects[i].lock == from->effects[k].lock &&
                into->effects[i].kind == from->effects[k].kind) {
                found = true;
                into->effects[i].shared &= from->effects[k].shared; /* for writing, where it cannot be told */
            }
        into->effects[i].maybe |= !found;
    }
    for (uint32_t k = 0; k < from->n; k++) {
        bool found = false;
        for (uint32_t i = 0; i < into->n; i++)
            found |= into->effects[i].lock == from->effects[k].lock &&
                     into->effects[i].kind == from->effects[k].kind;
        if (!found && into->n < MAX_EFFECTS) {
            into->effects[into->n] = from->effects[k];
            into->effects[into->n++].maybe = true;
        }
    }
    into->result = range_hull(into->result, from->result);
}

/* What is known of a value on every return of the cluster. */
static struct range range_in(const struct solver *s, const struct cluster *c, term of) {
    struct range r = world_range(&s->t, c->exits.at[0]->w, of);

    for (size_t i = 1; i < c->exits.n && !range_is_all(r); i++)
        r = range_hull(r, world_range(&s->t, c->exits.at[i]->w, of));
    return r;
}

/* Can callers tell the two apart, by the result, by what they pass or by what is left to them? */
static bool clusters_apart(const struct solver *s, const struct cluster *a, const struct cluster *b) {
    if (range_is_empty(range_meet(a->result, b->result)))
        return true;
    if (a->exits.n * b->exits.n > MAX_PAIRS)
        return false;
    for (size_t i = 0; i < a->exits.n; i++)
        for (size_t k = 0; k < b->exits.n; k++)
            if (!told_apart(s, a->exits.at[i], b->exits.at[k]))
                return false;
    return true;
}

static bool any_releases(const struct cluster *all, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < all[i].n; k++)
            if (all[i].effects[k].kind == EFFECT_RELEASE)
                return true;
    return false;
}

/* Is the value a parameter as it came? */
static bool is_argument(const struct solver *s, term value) {
    const struct term_rec r = s->t.recs[value];

    return r.op == TERM_LOAD && !r.b && s->t.recs[r.a].op == TERM_LOCAL &&
           s->t.recs[r.a].a - s->fr->params.first < s->fr->params.count;
}

/* What must be so for callers to get this outcome: what tells it from another; of what only takes locks, what an argument must be
 * (`wait` is 0 where it comes back without); of what gives some up, the values by which locks are taken. */
static void preconditions(struct solver *s, const struct cluster *all, uint32_t n, uint32_t self,
                          struct outcome *o) {
    const struct world *w = all[self].exits.at[0]->w;
    const bool takes_only = !any_releases(all, n);
    struct precondition list[6];

    for (uint32_t i = 0; i < w->n_facts && o->n_when < 6; i++) {
        const term value = w->facts[i].of;
        struct range r;
        bool helps = false;
        term of;
        if (s->t.recs[value].op == TERM_PHI || s->t.recs[value].op == TERM_FRESH)
            continue;
        r = range_in(s, &all[self], value);
        for (uint32_t k = 0; k < n && !range_is_all(r); k++)
            helps |= k != self && range_is_empty(range_meet(r, range_in(s, &all[k], value)));
        if (!range_is_all(r))
            helps |= takes_only ? is_argument(s, value) : all[self].n && is_lock_decider(s->p, &s->t, value);
        of = helps ? to_path(s, NULL, value, 0) : 0;
        if (of)
            list[o->n_when++] = (struct precondition){of, r};
    }
    if (o->n_when)
        o->when = arena_copy(&s->p->arena, list, o->n_when * sizeof *list);
}

/* One more return with the same effects: where on one of the two they stand on the lock call's result, they do on both; and callers
 * speak of both when they do their half. */
static void join_alike(struct solver *s, struct cluster *into, const struct cluster *c) {
    for (uint32_t i = 0; i < into->n; i++)
        for (uint32_t k = 0; k < c->n; k++) {
            struct lock_effect *e = &into->effects[i];
            const struct lock_effect *f = &c->effects[k];
            if (e->lock != f->lock || e->kind != f->kind)
                continue;
            if (e->candidate && f->candidate && e->candidate != f->candidate)
                (void)note(s, (struct noted){
                                  .kind = NOTED_TOLD_AS, .candidate = f->candidate, .other = e->candidate});
            if (!e->soft && !f->soft)
                continue;
            e->ok = range_hull(e->soft ? e->ok : into->result, f->soft ? f->ok : c->result);
            e->soft = true;
            e->also = e->also ? e->also : f->also;
        }
}

/* Every effect of `with` is there with certain results only, and none of them is a result of `without`, which has no effects: then
 * the other results of `with`, with which it has none either, are its. */
static bool part_by_result(struct cluster *with, struct cluster *without) {
    if (!with->n || without->n)
        return false;
    for (uint32_t i = 0; i < with->n; i++)
        if (!with->effects[i].soft || with->effects[i].also ||
            !range_equal(with->effects[i].ok, with->effects[0].ok))
            return false;
    if (!range_is_empty(range_meet(with->effects[0].ok, without->result)))
        return false;
    with->result = range_meet(with->result, with->effects[0].ok);
    for (uint32_t i = 0; i < with->n; i++)
        with->effects[i].soft = false;
    return true;
}

/* What callers can say that tells the return from all of the other clusters, where locks are given up a value by which they are taken;
 * or 0. */
static term tells(struct solver *s, const struct exit_record *x, const struct cluster *all, uint32_t n,
                  uint32_t self) {
    const bool takes_only = !any_releases(all, n);

    for (uint32_t i = 0; i < x->w->n_facts; i++) {
        const struct fact *f = &x->w->facts[i];
        bool apart = s->t.recs[f->of].op != TERM_PHI && s->t.recs[f->of].op != TERM_FRESH &&
                     (takes_only || is_lock_decider(s->p, &s->t, f->of));
        for (uint32_t k = 0; k < n && apart; k++)
            apart = k == self || range_is_empty(range_meet(f->range, range_in(s, &all[k], f->of)));
        if (apart && to_path(s, NULL, f->of, 0))
            return f->of;
    }
    return 0;
}

/* `if (s->shared && s->ready) lock(&s->mu);` comes back without the lock for one reason or another, and no one value tells it from
 * the way with the lock: an outcome for each reason. Returns how many clusters there are now. */
static uint32_t split_by_reason(struct solver *s, struct cluster *all, uint32_t n) {
    struct cluster *c = all;
    term reasons[MAX_CLUSTERS] = {0};
    uint32_t n_parts = 0, n_all = n;

    while (c < all + n && c->n)
        c++;
    if (n < 2 || c == all + n || c->exits.n < 2 || c->exits.n > MAX_PAIRS)
        return n;
    const uint32_t self = (uint32_t)(c - all);
    for (size_t i = 0; i < c->exits.n; i++) {
        const term reason = tells(s, c->exits.at[i], all, n, self);
        uint32_t k = 0;
        while (k < n_parts && reasons[k] != reason)
            k++;
        if (!reason || (k == n_parts && n + n_parts > MAX_CLUSTERS))
            return n;
        reasons[k] = reason;
        n_parts += k == n_parts;
    }
    if (n_parts < 2)
        return n;
    struct cluster whole = *c;
    memset(&c->exits, 0, sizeof c->exits);
    for (uint32_t k = 1; k < n_parts; k++)
        memset(&all[n_all++], 0, sizeof *all);
    for (size_t i = 0; i < whole.exits.n; i++) {
        const struct exit_record *x = whole.exits.at[i];
        const term reason = tells(s, x, all, n, self);
        uint32_t k = 0;
        while (reasons[k] != reason)
            k++;
        struct cluster *part = k ? &all[n + k - 1] : c;
        part->result = part->exits.n ? range_hull(part->result, result_range(s, x)) : result_range(s, x);
        vec_push(&part->exits, x);
    }
    vec_free(&whole.exits);
    return n_all;
}

/* NULL exactly where the lock call failed, else an object: callers that ask know, so these are two outcomes. */
static bool returns_null_on_failure(const struct solver *s) {
    bool sound = false, failed = false;
    int64_t v;

    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        if (x->w->failed && (!x->value || !term_is_const(&s->t, x->value, &v) || v))
            return false;
        if (!x->w->failed &&
            (!result_range(s, x).nonzero || !to_path((struct solver *)(uintptr_t)s, NULL, x->value, 0)))
            return false;
        *(x->w->failed ? &failed : &sound) = true;
    }
    return sound && failed;
}

/* Does it come back with an error where the caller does not own what it would give back? */
static bool may_refuse(const struct solver *s) {
    for (uint32_t i = 0; i < s->n_levels; i++)
        if (s->levels[i].refuses)
            return true;
    return false;
}

void make_outcomes(struct solver *s) {
    struct cluster list[MAX_CLUSTERS];
    uint32_t n = 0;
    const bool null_tells = returns_null_on_failure(s);
    bool any_failed = false, any_sound = false;
    struct range failed = RANGE_ALL;

    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        if (!x->w->failed) {
            any_sound |= !x->odd_lock;
            continue;
        }
        failed = any_failed ? range_hull(failed, result_range(s, x)) : result_range(s, x);
        any_failed = true;
    }
    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        struct cluster c;
        uint32_t k;
        memset(&c, 0, sizeof c);
        if (x->w->failed && any_sound && !null_tells)
            continue; /* the lock function itself failed */
        if (x->odd_lock && any_sound)
            continue;
        effects_at(s, x, &c);
        c.result = result_range(s, x);
        for (k = 0; k < n && !same_cluster(&list[k], &c); k++)
            ;
        if (k < n) {
            join_alike(s, &list[k], &c);
            list[k].result = range_hull(list[k].result, c.result);
        } else if (n < MAX_CLUSTERS) {
            list[n++] = c;
        } else {
            unite(&list[k = MAX_CLUSTERS - 1], &c);
        }
        vec_push(&list[k].exits, x);
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = i + 1; k < n;) {
            if (part_by_result(&list[i], &list[k]) || part_by_result(&list[k], &list[i]) ||
                clusters_apart(s, &list[i], &list[k])) {
                k++;
                continue;
            }
            unite(&list[i], &list[k]);
            for (size_t m = 0; m < list[k].exits.n; m++)
                vec_push(&list[i].exits, list[k].exits.at[m]);
            vec_free(&list[k].exits);
            list[k] = list[--n];
        }
    n = split_by_reason(s, list, n);
    s->s->n_outcomes = n;
    s->s->outcomes = n ? arena_array(&s->p->arena, struct outcome, n) : NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct outcome *o = &s->s->outcomes[i];
        o->n_effects = list[i].n;
        o->effects =
            list[i].n ? arena_copy(&s->p->arena, list[i].effects, list[i].n * sizeof *o->effects) : NULL;
        o->result = list[i].result;
        if (n > 1)
            preconditions(s, list, n, i, o);
        for (uint32_t k = 0; k < o->n_effects; k++)
            if (any_failed && any_sound && !null_tells && o->effects[k].kind == EFFECT_ACQUIRE &&
                !o->effects[k].soft && range_is_empty(range_meet(failed, o->result))) {
                o->effects[k].soft = true;
                o->effects[k].ok = o->result;
                o->result = RANGE_ALL;
            }
    }
    if (n == 1 && any_failed && any_sound && may_refuse(s)) /* callers may ask */
        s->s->outcomes[0].result = range_hull(failed, s->s->outcomes[0].result);
    if (n > 1) {
        struct returns groups[MAX_CLUSTERS];
        for (uint32_t i = 0; i < n; i++)
            groups[i] = (struct returns){list[i].exits.at, list[i].exits.n, &s->s->outcomes[i]};
        keep_left(s, groups, n);
    }
    if (n == 1 && !list[0].n && range_is_all(list[0].result))
        s->s->n_outcomes = 0; /* nothing to say */
    for (uint32_t i = 0; i < n; i++)
        vec_free(&list[i].exits);
}
