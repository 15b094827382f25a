/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Worlds: made, copied, the locks in them, and which objects nobody else knows.
 * Stands on world_inside.h. */
#include "world_inside.h"

struct world *world_new(struct arena *a) {
    return arena_new(a, struct world);
}

struct world *world_copy(struct arena *a, const struct world *w) {
    struct world *c = arena_copy(a, w, sizeof *w);

    COPY(a, c, w, held);
    COPY_SHARED(a, c, w, cells);
    COPY_SHARED(a, c, w, facts);
    COPY_SHARED(a, c, w, versions);
    COPY(a, c, w, owned);
    COPY(a, c, w, published);
    COPY(a, c, w, gone);
    return c;
}

struct world *world_rest(struct arena *a, const struct world *w) {
    struct world *c = world_copy(a, w);

    c->cap_cells = c->cap_facts = c->cap_versions = 0;
    return c;
}

/* ---- locks ---- */
struct held *world_held(const struct world *w, term lock) {
    for (uint32_t i = 0; i < w->n_held; i++)
        if (w->held[i].lock == lock)
            return &w->held[i];
    return NULL;
}

struct held *world_held_like(const struct world *w, const struct term_table *t, term lock) {
    struct held *h = world_held(w, lock);

    for (uint32_t i = 0; !h && i < w->n_held; i++)
        if (term_same_shape(t, w->held[i].lock, lock))
            h = &w->held[i];
    return h;
}

struct held *world_add_held(struct arena *a, struct world *w, const struct held *h) {
    uint32_t i;

    GROW(a, w, held);
    for (i = w->n_held; i && w->held[i - 1].lock > h->lock; i--)
        w->held[i] = w->held[i - 1];
    w->held[i] = *h;
    w->n_held++;
    return &w->held[i];
}

void world_drop_held(struct arena *a, struct world *w, struct held *h, ir_event by) {
    struct held gone = *h;
    const uint32_t at = (uint32_t)(h - w->held);

    memmove(h, h + 1, (w->n_held - at - 1) * sizeof *h);
    w->n_held--;
    if (!by)
        return;
    gone.event = by;
    world_note_gone(a, w, &gone);
}

void world_note_gone(struct arena *a, struct world *w, const struct held *h) {
    for (uint32_t i = 0; i < w->n_gone; i++)
        if (w->gone[i].lock == h->lock) {
            w->gone[i] = *h;
            return;
        }
    GROW(a, w, gone);
    w->gone[w->n_gone++] = *h;
}

const struct held *world_gone(const struct world *w, const struct term_table *t, term lock) {
    (void)t;
    for (uint32_t i = w->n_gone; i--;)
        if (w->gone[i].lock == lock && w->gone[i].mode != HELD_DOUBTED)
            return &w->gone[i];
    return NULL;
}

bool world_same_locks(const struct world *a, const struct world *b) {
    if (a->n_held != b->n_held || a->failed != b->failed)
        return false;
    for (uint32_t i = 0; i < a->n_held; i++)
        if (a->held[i].lock != b->held[i].lock || a->held[i].mode != b->held[i].mode ||
            a->held[i].count != b->held[i].count || a->held[i].candidate != b->held[i].candidate)
            return false; /* by two wrappers: who gives it back does the other half of both */
    return true;
}

/* ---- ownership ---- */
bool lies_in(const struct term_table *t, term at, term object) {
    for (;;) {
        if (at == object)
            return true;
        if (t->recs[at].op != TERM_FIELD && t->recs[at].op != TERM_INDEX)
            return false;
        at = t->recs[at].a;
    }
}

bool world_owns(const struct term_table *t, const struct world *w, term at) {
    for (;;) {
        const enum term_op op = t->recs[at].op;
        if (term_in(w->owned, w->n_owned, at))
            return true;
        if (op == TERM_LOCAL)
            return !term_in(w->published, w->n_published, at);
        if (op != TERM_FIELD && op != TERM_INDEX)
            return false;
        at = t->recs[at].a;
    }
}

void world_own(struct arena *a, struct world *w, term object) {
    if (term_in(w->owned, w->n_owned, object))
        return;
    GROW(a, w, owned);
    w->owned[w->n_owned++] = object;
}

void world_publish(struct arena *a, struct term_table *t, struct world *w, term value) {
    const term object = term_object(t, value);
    bool was = false;

    if (t->recs[object].op == TERM_LOCAL) {
        if (term_in(w->published, w->n_published, object))
            return;
        GROW(a, w, published);
        w->published[w->n_published++] = object;
        was = true;
    }
    for (uint32_t i = 0; i < w->n_owned; i++)
        if (w->owned[i] == object || lies_in(t, value, w->owned[i]) || lies_in(t, w->owned[i], object)) {
            w->owned[i] = w->owned[--w->n_owned];
            was = true;
            i--;
        }
    if (!was)
        return;
    for (uint32_t i = 0; i < w->n_cells; i++) /* and all it points to */
        if (lies_in(t, w->cells[i].at, object) && w->cells[i].value != value)
            world_publish(a, t, w, w->cells[i].value);
}
