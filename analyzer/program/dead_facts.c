/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which facts of a world can nothing ask for any more? They are dropped.
 * Stands on solver.h. A value born in the function (the result of a call, a phi) lives while a cell, a lock or another list of the
 * world names it; when none does, no expression will ever evaluate to it again, and a fact about it only costs: a chain of twenty
 * thousand `if ((r = g())) goto out;` would carry twenty thousand of them. Facts in words of the callers' stay: they become
 * preconditions. */
#include "solver.h"

#define FEW 12u
#define MANY                                                                                                 \
    200u /* then what memory held once counts as dead, too, though it can be said in callers' words */

static bool marked(const struct solver *s, term x) {
    return x < s->marks.n && s->marks.at[x] == s->epoch;
}

static void mark(struct solver *s, term x) {
    const struct term_rec r = s->t.recs[x];

    if (!x || marked(s, x))
        return;
    s->marks.at[x] = s->epoch;
    switch (r.op) {
    case TERM_FIELD:
    case TERM_LOAD:
    case TERM_UNARY:
    case TERM_SOME: mark(s, r.a); break;
    case TERM_INDEX:
    case TERM_BINARY:
        mark(s, r.a);
        mark(s, r.b);
        break;
    default: break;
    }
}

static void mark_world(struct solver *s, const struct world *w, term also) {
    while (s->marks.n < s->t.n)
        vec_push(&s->marks, 0);
    s->epoch++;
    mark(s, also);
    for (uint32_t i = 0; i < w->n_cells; i++) {
        mark(s, w->cells[i].at);
        mark(s, w->cells[i].value);
    }
    for (uint32_t i = 0; i < w->n_held; i++) {
        mark(s, w->held[i].lock);
        mark(s, w->held[i].when);
    }
    for (uint32_t i = 0; i < w->n_gone; i++)
        mark(s, w->gone[i].lock);
    for (uint32_t i = 0; i < w->n_owned; i++)
        mark(s, w->owned[i]);
    for (size_t i = 0; i < s->decisive.n; i++)
        mark(s, s->decisive.at[i]);
}

/* May x be asked for again: is each value in it that was born here still named somewhere? `w`: … and what was read from memory
 * is what memory holds now; or NULL. */
static bool alive(struct solver *s, const struct world *w, term x) {
    const struct term_rec r = s->t.recs[x];

    if (!x || marked(s, x))
        return true;
    switch (r.op) {
    case TERM_FRESH:
    case TERM_PHI: return false;
    case TERM_OPAQUE: return !(r.c & 1); /* arithmetic that became too large to follow */
    case TERM_LOAD: return alive(s, w, r.a) && (!w || !r.b || world_load(&s->t, w, r.a) == x);
    case TERM_FIELD:
    case TERM_UNARY:
    case TERM_SOME: return alive(s, w, r.a);
    case TERM_INDEX:
    case TERM_BINARY: return alive(s, w, r.a) && alive(s, w, r.b);
    default: return true;
    }
}

static void keep_alive(struct solver *s, struct world *w, const struct world *now) {
    WORLD_DROP(&s->scratch, w, facts, f, !alive(s, now, f.of));
}

void drop_dead_facts(struct solver *s, struct world *w, term also) {
    if (w->n_facts < FEW || w->n_facts < 2 * w->alive_facts)
        return;
    mark_world(s, w, also);
    keep_alive(s, w, NULL);
    if (w->n_facts > MANY)
        keep_alive(s, w, w);
    w->alive_facts = w->n_facts;
}
