/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What cells hold in a world, and what a store or an unknown writer makes forgotten.
 * Stands on world_inside.h. */
#include "world_inside.h"

uint32_t memory_class(const struct term_table *t, term at) {
    const struct term_rec *r = &t->recs[at];

    while (r->op == TERM_INDEX)
        r = &t->recs[r->a];
    switch (r->op) {
    case TERM_FIELD: return r->b << 2 | 1;
    case TERM_GLOBAL: return r->a << 2 | 2;
    case TERM_LOCAL: return r->a << 2 | 3;
    default: return 0; /* behind a plain pointer */
    }
}

static uint32_t version_place(const struct world *w, uint32_t key) {
    uint32_t lo = 0, hi = w->n_versions;

    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (w->versions[mid].key < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

uint32_t default_version(const struct world *w, uint32_t key) {
    return (key & 3) == 3 ? 0 : w->base_version; /* locals are nobody else's to write */
}

uint32_t world_version(const struct world *w, uint32_t key) {
    const uint32_t i = version_place(w, key);

    return i < w->n_versions && w->versions[i].key == key ? w->versions[i].at : default_version(w, key);
}

static void set_version(struct arena *a, struct world *w, uint32_t key, uint32_t at) {
    const uint32_t i = version_place(w, key);

    if (i < w->n_versions && w->versions[i].key == key) {
        if (w->versions[i].at != at) {
            WORLD_OWN(a, w, versions);
            w->versions[i].at = at;
        }
        return;
    }
    GROW(a, w, versions);
    memmove(w->versions + i + 1, w->versions + i, (w->n_versions - i) * sizeof *w->versions);
    w->versions[i] = (struct version){key, at};
    w->n_versions++;
}

static uint32_t cell_place(const struct world *w, term at) {
    uint32_t lo = 0, hi = w->n_cells;

    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (w->cells[mid].at < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

term world_load(struct term_table *t, const struct world *w, term at) {
    const uint32_t i = cell_place(w, at);

    if (i < w->n_cells && w->cells[i].at == at)
        return w->cells[i].value;
    return term_load(t, at, world_version(w, memory_class(t, at)));
}

void world_set(struct arena *a, struct world *w, term at, term value) {
    const uint32_t i = cell_place(w, at);

    if (i < w->n_cells && w->cells[i].at == at) {
        if (w->cells[i].value != value) {
            WORLD_OWN(a, w, cells);
            w->cells[i].value = value;
        }
        return;
    }
    GROW(a, w, cells);
    memmove(w->cells + i + 1, w->cells + i, (w->n_cells - i) * sizeof *w->cells);
    w->cells[i] = (struct cell){at, value};
    w->n_cells++;
}

void world_drop_cell(struct arena *a, struct world *w, term at) {
    const uint32_t i = cell_place(w, at);

    if (i < w->n_cells && w->cells[i].at == at) {
        WORLD_OWN(a, w, cells);
        memmove(w->cells + i, w->cells + i + 1, (w->n_cells - i - 1) * sizeof *w->cells);
        w->n_cells--;
    }
}

void world_forget_cell(struct arena *a, struct term_table *t, struct world *w, term at, ir_event event) {
    world_drop_cell(a, w, at);
    set_version(a, w, memory_class(t, at), event);
}

void world_end_local(struct arena *a, struct term_table *t, struct world *w, term local, bool whole) {
    const uint32_t key = memory_class(t, local), v = version_place(w, key);

    if (whole)
        WORLD_DROP(a, w, cells, c, term_object(t, c.at) == local);
    else
        world_drop_cell(a, w, local);
    if (v < w->n_versions && w->versions[v].key == key) {
        WORLD_OWN(a, w, versions);
        memmove(w->versions + v, w->versions + v + 1, (w->n_versions - v - 1) * sizeof *w->versions);
        w->n_versions--;
    }
}

void world_store(struct arena *a, struct term_table *t, struct world *w, term at, term value,
                 ir_event event) {
    const enum term_op op = t->recs[at].op;

    if (op != TERM_LOCAL && op != TERM_GLOBAL) {
        const uint32_t class = memory_class(t, at);
        const enum term_op root = t->recs[term_object(t, at)].op;
        WORLD_DROP(a, w, cells, c,
                   memory_class(t, c.at) == class && c.at != at && !term_distinct(t, c.at, at));
        if (root != TERM_LOCAL && root != TERM_GLOBAL) /* other objects of the class may be this one */
            set_version(a, w, class, event);
    }
    world_set(a, w, at, value);
}

void world_forget_object(struct arena *a, struct term_table *t, struct world *w, term at, ir_event event) {
    for (uint32_t i = 0; i < w->n_cells; i++)
        if (lies_in(t, w->cells[i].at, at))
            set_version(a, w, memory_class(t, w->cells[i].at), event);
    WORLD_DROP(a, w, cells, c, lies_in(t, c.at, at));
    set_version(a, w, memory_class(t, at), event);
}

/* A local nobody else knows is nobody else's to write. */
static bool is_private(const struct term_table *t, const struct world *w, term at) {
    const term object = term_object(t, at);

    return t->recs[object].op == TERM_LOCAL && !term_in(w->published, w->n_published, object);
}

void world_forget_class(struct arena *a, struct term_table *t, struct world *w, uint32_t class,
                        ir_event event) {
    WORLD_DROP(a, w, cells, c, memory_class(t, c.at) == class && !is_private(t, w, c.at));
    set_version(a, w, class, event);
}

static bool is_among(const uint32_t *keys, size_t n, uint32_t key) {
    for (size_t i = 0; i < n; i++)
        if (keys[i] == key)
            return true;
    return false;
}

void world_forget_all(struct arena *a, struct term_table *t, struct world *w, const uint32_t *but,
                      size_t n_but, ir_event event) {
    uint32_t *kept = n_but ? arena_array(a, uint32_t, n_but) : NULL;

    for (size_t i = 0; i < n_but; i++)
        kept[i] = world_version(w, but[i]);
    WORLD_DROP(a, w, cells, c,
               t->recs[term_object(t, c.at)].op != TERM_LOCAL &&
                   !is_among(but, n_but, memory_class(t, c.at)));
    w->n_versions = 0;
    w->base_version = event;
    for (size_t i = 0; i < n_but; i++)
        set_version(a, w, but[i], kept[i]);
}
