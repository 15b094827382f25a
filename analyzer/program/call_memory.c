/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a call does to memory: cells forgotten, objects made known, initialised, destroyed or freed.
 * Stands on calls.h. */
#include "calls.h"

static term object_of_lock(const struct solver *s, term lock) {
    return s->t.recs[lock].op == TERM_FIELD ? s->t.recs[lock].a : lock;
}

static void retire(struct solver *s, term object) {
    if (!term_in(s->retired.at, s->retired.n, object))
        vec_push(&s->retired, object);
}

static void check_destroyed(struct call *c, struct world *w, term object, bool whole) {
    struct solver *s = c->s;

    for (uint32_t i = 0; i < w->n_held; i++) {
        struct held *h = &w->held[i];
        term at = h->lock;
        while (whole && at != object && (s->t.recs[at].op == TERM_FIELD || s->t.recs[at].op == TERM_INDEX))
            at = s->t.recs[at].a;
        if (at != object || h->mode == HELD_RELEASED || h->flags & HELD_MAYBE)
            continue;
        if (s->recording) {
            struct lock_problem *pr = problem_new(s, PROBLEM_DESTROY, DETAIL_NONE, c->ev->loc, h->lock, NULL);
            if (pr)
                pr->data = s->p->funcs.at[c->callee].name;
            problem_taken(s, pr, h);
        }
        world_drop_held(&s->scratch, w, h, 0); /* said; it is no leak besides */
        i--;
    }
}

bool listed(const term *list, size_t n, term path) {
    return n >= 16 || term_in(list, n, path);
}

void note_destroyed(struct solver *s, term path, bool always, ir_event e) {
    uint32_t i = 0, b = 0;

    while (i < s->destroys.n && s->destroys.at[i] != path)
        i++;
    if (i == s->destroys.n && i < MAX_DESTROYS)
        vec_push(&s->destroys, path);
    if (!always || i == s->destroys.n)
        return;
    while (e - s->u->blocks[s->fr->blocks.first + b].events.first >=
           s->u->blocks[s->fr->blocks.first + b].events.count)
        b++;
    vec_push(&s->destroyed_at, ((struct destroyed_at){i, b}));
}

/* Is memory of this class written? */
static bool modifies(const struct solver *s, mod_set mods, uint32_t class) {
    switch (class & 3) {
    case 1: return mods_has(mods, MOD_FIELD(class >> 2));
    case 2: return mods_has(mods, MOD_GLOBAL(s->p, class >> 2));
    default: return false;
    }
}

/* May the call have written memory of this class, as far as this function goes by it? */
static bool writes_class(const struct call *c, uint32_t class) {
    return modifies(c->s, c->sum->mods, class) && !stays_steady(c, class);
}

static bool is_local(const struct solver *s, term at) {
    return s->t.recs[term_object(&s->t, at)].op == TERM_LOCAL;
}

/* A member of the local that `pointer` points into, which the callee may write through it. */
static bool is_modified_member(const struct solver *s, mod_set mods, term at, term pointer) {
    return term_object(&s->t, at) == term_object(&s->t, pointer) && s->t.recs[at].op == TERM_FIELD &&
           mods_has(mods, MOD_FIELD(s->t.recs[at].b));
}

void memory_effects(struct call *c, struct world *w) {
    struct solver *s = c->s;
    const struct summary *sum = c->sum;
    term x;

    if (sum->mods) {
        WORLD_DROP(&s->scratch, w, cells, cell,
                   writes_class(c, memory_class(&s->t, cell.at)) && !is_local(s, cell.at));
        for (size_t i = 0; i < s->keys.n; i++)
            if (writes_class(c, s->keys.at[i]))
                world_forget_class(&s->scratch, &s->t, w, s->keys.at[i], c->event);
    }
    for (uint32_t i = 0; i < c->ev->args.count && i < 64; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        if (!c->args[i])
            continue;
        if (sum->writes & bit || (!sum->known && term_is_place(&s->t, c->args[i])))
            world_forget_object(&s->scratch, &s->t, w, c->args[i], c->event);
        else if (sum->mods && is_local(s, c->args[i]))
            WORLD_DROP(&s->scratch, w, cells, cell, is_modified_member(s, sum->mods, cell.at, c->args[i]));
        if (sum->escapes & bit || !sum->known)
            world_publish(&s->scratch, &s->t, w, c->args[i]);
        if (sum->frees_always &
            bit) { /* one reference of several, given up, leaves an object that others know */
            if (c->sure)
                check_destroyed(c, w, c->args[i], true);
            retire(s, c->args[i]);
        }
    }
    for (uint32_t i = 0; i < sum->n_inits; i++)
        if ((x = instantiate(s, w, sum->inits[i], c->args, c->n_args, 0))) {
            const term path = s->recording ? to_path(s, NULL, x, 0) : 0;
            if (path)
                (void)(listed(s->inits.at, s->inits.n, path) || vec_push(&s->inits, path));
            retire(s, object_of_lock(s, x));
            if (s->t.recs[term_object(&s->t, x)].op != TERM_GLOBAL)
                world_own(&s->scratch, w, object_of_lock(s, x));
        }
    for (uint32_t i = 0; i < sum->n_destroys; i++)
        if ((s->recording || sum->destroys_always >> i & 1) &&
            (x = instantiate(s, w, sum->destroys[i], c->args, c->n_args, 0))) {
            const term path = s->recording ? to_path(s, NULL, x, 0) : 0;
            const bool always = sum->destroys_always >> i & 1;
            if (path)
                note_destroyed(s, path, always && c->sure, c->event);
            if (always && c->sure)
                check_destroyed(c, w, x, false);
            if (always)
                retire(s, object_of_lock(s, x));
        }
    if (sum->effects & EFFECT_SPAWNS) {
        w->spawned = true;
        w->spawn = c->event;
    }
}
