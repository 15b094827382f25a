/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a call does to memory: cells forgotten, objects made known, initialised, destroyed or freed.
 * Stands on calls.h. */
#include "calls.h"

static term object_of_lock(const struct solver *s, term lock)
{
    return s->t.recs[lock].op == TERM_FIELD ? s->t.recs[lock].a : lock;
}

static void retire(struct solver *s, term object)
{
    if (!term_in(s->retired.at, s->retired.n, object))
        vec_push(&s->retired, object);
}

static void check_destroyed(struct call *c, struct world *w, term object, bool whole)
{
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

bool listed(const term *list, size_t n, term path)
{
    return n >= 16 || term_in(list, n, path);
}

void note_destroyed(struct solver *s, term path, bool always, ir_event e)
{
    uint32_t i = 0, b = 0;

    while (i < s->destroys.n && s->destroys.at[i] != path)
        i++;
    if (i == s->destroys.n && i < MAX_DESTROYS)
        vec_push(&s->destroys, path);
    if (!always || i == s->destroys.n)
        return;
    while (e - s->u->blocks[s->fr->blocks.first + b].events.first >= s->u->blocks[s->fr->blocks.first + b].events.count)
        b++;
    vec_push(&s->destroyed_at, ((struct destroyed_at){i, b}));
}

void memory_effects(struct call *c, struct world *w)
{
    struct solver *s = c->s;
    const struct summary *sum = c->sum;
    term x;

    if (sum->mods) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < w->n_cells; i++) {
            const uint32_t class = memory_class(&s->t, w->cells[i].at);
            const bool local = s->t.recs[term_object(&s->t, w->cells[i].at)].op == TERM_LOCAL;
            if (!local && ((class & 3) == 1 ? mods_has(sum->mods, MOD_FIELD(class >> 2))
                                            : (class & 3) == 2 && mods_has(sum->mods, MOD_GLOBAL(s->p, class >> 2))))
                continue;
            w->cells[n++] = w->cells[i];
        }
        w->n_cells = n;
        for (size_t i = 0; i < s->keys.n; i++) {
            const uint32_t class = s->keys.at[i];
            if ((class & 3) == 1 ? mods_has(sum->mods, MOD_FIELD(class >> 2))
                                 : mods_has(sum->mods, MOD_GLOBAL(s->p, class >> 2)))
                world_forget_class(&s->scratch, &s->t, w, class, c->event);
        }
    }
    for (uint32_t i = 0; i < c->ev->args.count && i < 64; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        if (!c->args[i])
            continue;
        if (sum->writes & bit || (!sum->known && term_is_place(&s->t, c->args[i])))
            world_forget_object(&s->scratch, &s->t, w, c->args[i], c->event);
        else if (sum->mods && s->t.recs[term_object(&s->t, c->args[i])].op == TERM_LOCAL) {
            uint32_t n = 0; /* members of a local that the callee may write through the pointer */
            for (uint32_t k = 0; k < w->n_cells; k++)
                if (term_object(&s->t, w->cells[k].at) != term_object(&s->t, c->args[i]) || s->t.recs[w->cells[k].at].op != TERM_FIELD ||
                    !mods_has(sum->mods, MOD_FIELD(s->t.recs[w->cells[k].at].b)))
                    w->cells[n++] = w->cells[k];
            w->n_cells = n;
        }
        if (sum->escapes & bit || !sum->known)
            world_publish(&s->scratch, &s->t, w, c->args[i]);
        if (sum->frees_always & bit) { /* one reference of several, given up, leaves an object that others know */
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
        if ((s->recording || sum->destroys_always >> i & 1) && (x = instantiate(s, w, sum->destroys[i], c->args, c->n_args, 0))) {
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
