/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How two worlds become one.
 * Stands on world_inside.h. */
#include "world_inside.h"

/* The array that was made anew is as it will be: the room it does not need goes back, and it is shared from now on. */
#define END(a, w, name)                                                                                      \
    (arena_trim((a), (w)->name, (w)->cap_##name * sizeof *(w)->name, (w)->n_##name * sizeof *(w)->name),     \
     (w)->cap_##name = 0)

static bool merge_versions(struct arena *a, struct world *into, const struct world *from, ir_block block) {
    const struct world old = *into;
    const uint32_t met = VERSION_BLOCK | block;
    bool changed = false;

    if (old.base_version == from->base_version && old.n_versions == from->n_versions &&
        (!old.n_versions || !memcmp(old.versions, from->versions, old.n_versions * sizeof *old.versions)))
        return false;
    if (old.base_version != from->base_version && old.base_version != met) {
        into->base_version = met;
        changed = true;
    }
    into->n_versions = 0;
    into->cap_versions = old.n_versions + from->n_versions;
    into->versions = arena_alloc(a, into->cap_versions * sizeof *into->versions);
    for (uint32_t i = 0, j = 0; i < old.n_versions || j < from->n_versions;) {
        const uint32_t x = i < old.n_versions ? old.versions[i].key : UINT32_MAX;
        const uint32_t y = j < from->n_versions ? from->versions[j].key : UINT32_MAX;
        const uint32_t key = x < y ? x : y;
        const uint32_t mine = x == key ? old.versions[i].at : default_version(&old, key);
        const uint32_t theirs = y == key ? from->versions[j].at : default_version(from, key);
        const uint32_t now = mine == theirs || mine == met ? mine : met;
        i += x == key;
        j += y == key;
        changed |= now != mine;
        into->versions[into->n_versions++] = (struct version){key, now};
    }
    END(a, into, versions);
    if (old.n_versions && into->n_versions == old.n_versions &&
        !memcmp(into->versions, old.versions, old.n_versions * sizeof *old.versions)) {
        arena_trim(a, into->versions, into->n_versions * sizeof *into->versions, 0);
        into->versions = old.versions; /* as it was, and shared on */
    }
    return changed;
}

/* Is `value` what loading the cell at `at` gives where no store to it was seen? */
static bool is_load(const struct term_table *t, const struct world *w, term at, term value) {
    const struct term_rec *r = &t->recs[value];

    return r->op == TERM_LOAD && r->a == at && r->b == world_version(w, memory_class(t, at));
}

static bool is_phi(const struct term_table *t, ir_block block, term at, term value) {
    const struct term_rec *r = &t->recs[value];

    return r->op == TERM_PHI && r->a == block && r->b == at;
}

/* Cells that differ become a phi. Most are equal, or this block's phi from an earlier merge: no term is looked up for those. */
static bool merge_cells(struct arena *a, struct term_table *t, struct world *into, const struct world *old,
                        const struct world *from, ir_block block) {
    bool changed = false;

    if (old->n_cells == from->n_cells &&
        (!old->n_cells || !memcmp(old->cells, from->cells, old->n_cells * sizeof *old->cells)))
        return false;
    for (uint32_t i = 0, j = 0; i < old->n_cells || j < from->n_cells;) {
        const term x = i < old->n_cells ? old->cells[i].at : UINT32_MAX;
        const term y = j < from->n_cells ? from->cells[j].at : UINT32_MAX;
        const term at = x < y ? x : y;
        const bool in_old = x == at, in_from = y == at;
        const term mine = in_old ? old->cells[i].value : 0, theirs = in_from ? from->cells[j].value : 0;
        const bool same = in_old && in_from ? mine == theirs
                          : in_old          ? is_load(t, from, at, mine)
                                            : is_load(t, old, at, theirs);
        const term merged = same || (in_old && is_phi(t, block, at, mine)) ? mine : term_phi(t, block, at);
        i += in_old;
        j += in_from;
        if (same && !in_old)
            continue;                     /* what a load gives anyway */
        if (merged != mine && !changed) { /* so far it is as it was */
            changed = true;
            into->cap_cells = old->n_cells + from->n_cells;
            into->cells = arena_alloc(a, into->cap_cells * sizeof *into->cells);
            into->n_cells = i - in_old;
            if (into->n_cells)
                memcpy(into->cells, old->cells, into->n_cells * sizeof *into->cells);
        }
        if (changed)
            into->cells[into->n_cells++] = (struct cell){at, merged};
    }
    if (changed)
        END(a, into, cells);
    return changed;
}

static bool same_facts(const struct world *x, const struct world *y) {
    if (x->n_facts != y->n_facts)
        return false;
    for (uint32_t i = 0; i < x->n_facts; i++)
        if (x->facts[i].of != y->facts[i].of || !range_equal(x->facts[i].range, y->facts[i].range))
            return false;
    return true;
}

/* Is all that is known of such a value what a fact says? */
static bool is_plain(enum term_op op) {
    return op == TERM_LOAD || op == TERM_FRESH || op == TERM_PHI;
}

/* What both know stays known; a phi of this block is judged by what comes into its cell. */
static bool merge_facts(struct arena *a, struct term_table *t, struct world *into, const struct world *old,
                        const struct world *from, ir_block block, bool widen) {
    const bool new_cells = into->cells != old->cells;
    bool changed = false;

    if (same_facts(old, from) && !new_cells)
        return false;
    for (uint32_t i = 0, j = 0; i < old->n_facts; i++) {
        const term x = old->facts[i].of;
        const struct term_rec r = t->recs[x];
        const bool own_phi = r.op == TERM_PHI && r.a == block;
        const struct range mine = old->facts[i].range;
        struct range theirs, both;
        while (j < from->n_facts && from->facts[j].of < x)
            j++;
        if (!own_phi && j < from->n_facts && from->facts[j].of == x &&
            range_equal(from->facts[j].range, mine))
            theirs = mine;
        else if (own_phi)
            theirs = world_range(t, from, world_load(t, from, r.b));
        else if (is_plain(r.op))
            theirs = j < from->n_facts && from->facts[j].of == x ? from->facts[j].range : RANGE_ALL;
        else
            theirs = world_range(t, from, x);
        both = range_hull(mine, theirs);
        if (widen && both.lo != mine.lo)
            both.lo = INT64_MIN;
        if (widen && both.hi != mine.hi)
            both.hi = INT64_MAX;
        if (!changed && !range_equal(both, mine)) {
            changed = true;
            into->cap_facts = old->n_facts + 4;
            into->facts = arena_alloc(a, into->cap_facts * sizeof *into->facts);
            into->n_facts = i;
            if (i)
                memcpy(into->facts, old->facts, i * sizeof *into->facts);
        }
        if (changed && !range_is_all(both))
            into->facts[into->n_facts++] = (struct fact){x, both};
    }
    if (!new_cells) { /* no new phi */
        if (changed)
            END(a, into, facts);
        return changed;
    }
    for (uint32_t i = 0; i < into->n_cells; i++) {
        const term at = into->cells[i].at, phi = into->cells[i].value;
        struct range both;
        term before;
        if (!is_phi(t, block, at, phi))
            continue;
        before = world_load(t, old, at);
        if (before == phi)
            continue;
        both = range_hull(world_range(t, old, before), world_range(t, from, world_load(t, from, at)));
        if (!range_is_all(both))
            set_fact(a, into, phi, both);
    }
    END(a, into, facts);
    return changed;
}

/* Does v tell in this world that the lock is held as it does in the other one? */
static bool tells(const struct term_table *t, const struct world *w, const struct held *h, struct range ok,
                  term v) {
    return h->when ? v == h->when : range_equal(range_meet(world_range(t, w, v), ok), world_range(t, w, v));
}

/* On one way the lock is held if its call's result says so, on the other by another result or for sure. A cell that holds the
 * result on the one and a good value on the other still tells, by its phi: `if (error == EOWNERDEAD) error = 0;`. Or 0. */
static term common_result(struct term_table *t, const struct world *x, const struct held *h,
                          const struct world *y, const struct held *g, ir_block block) {
    const struct range ok = h->when ? h->ok : g->ok;

    if (h->when && g->when && !range_equal(h->ok, g->ok))
        return 0;
    for (uint32_t i = 0; i < x->n_cells; i++) {
        const term at = x->cells[i].at, phi = term_phi(t, block, at);
        const term mine = x->cells[i].value, theirs = world_load(t, y, at);
        if (h->when && mine == phi && h->when == phi && tells(t, y, g, ok, theirs))
            return phi;
        if (mine != theirs && t->recs[at].op == TERM_LOCAL && tells(t, x, h, ok, mine) &&
            tells(t, y, g, ok, theirs))
            return phi;
    }
    return 0;
}

/* Of two ways with a lock: in doubt is what is on either, but for the doubt that only keeps a mistake from being said again. */
static uint8_t doubt_of(uint8_t x, uint8_t y) {
    if ((x & (HELD_MAYBE | HELD_SAID)) == HELD_MAYBE || (y & (HELD_MAYBE | HELD_SAID)) == HELD_MAYBE)
        return HELD_MAYBE;
    return x & y & (HELD_MAYBE | HELD_SAID);
}

bool world_merge(struct arena *a, struct term_table *t, struct world *into, const struct world *from,
                 ir_block block, bool widen, bool force) {
    const struct world old = *into; /* its arrays are not written below: new ones are made */
    bool changed = false;
    uint32_t i = 0, j = 0;

    if (force) {
        for (i = 0; i < into->n_held; i++)
            if (!world_held(from, into->held[i].lock) && !(into->held[i].flags & HELD_MAYBE)) {
                into->held[i].flags |= HELD_MAYBE;
                changed = true;
            }
        for (i = 0; i < from->n_held; i++)
            if (!world_held(into, from->held[i].lock)) {
                world_add_held(a, into, &from->held[i])->flags |= HELD_MAYBE;
                changed = true;
            }
    } else {
        for (i = 0; i < into->n_held; i++) {
            const uint8_t doubt = doubt_of(old.held[i].flags, from->held[i].flags);
            if (doubt != (old.held[i].flags & (HELD_MAYBE | HELD_SAID))) {
                into->held[i].flags = (uint8_t)((into->held[i].flags & ~(HELD_MAYBE | HELD_SAID)) | doubt);
                changed = true;
            }
            const struct held *mine = &old.held[i], *theirs = &from->held[i];
            const term when = mine->when == theirs->when || mine->flags & HELD_SURE
                                  ? mine->when
                                  : common_result(t, &old, mine, from, theirs, block);
            if (mine->when != theirs->when && !when)
                into->held[i].flags |= HELD_SURE;
            if (when != mine->when) {
                if (!mine->when) {
                    into->held[i].ok = theirs->ok;
                    into->held[i].also = theirs->also;
                }
                into->held[i].when = when;
                changed = true;
            }
        }
    }
    changed |= merge_cells(a, t, into, &old, from, block);
    changed |= merge_facts(a, t, into, &old, from, block, widen);
    changed |= merge_versions(a, into, from, block);
    for (i = 0; i < into->n_owned; i++)
        if (!term_in(from->owned, from->n_owned, into->owned[i])) {
            into->owned[i] = into->owned[--into->n_owned];
            changed = true;
            i--;
        }
    for (i = 0; i < from->n_published; i++)
        if (!term_in(into->published, into->n_published, from->published[i])) {
            GROW(a, into, published);
            into->published[into->n_published++] = from->published[i];
            changed = true;
        }
    for (i = 0; i < into->n_gone; i++) { /* released on every way */
        bool both = false;
        for (j = 0; j < from->n_gone; j++)
            both |= from->gone[j].lock == into->gone[i].lock;
        if (!both) {
            memmove(into->gone + i, into->gone + i + 1, (into->n_gone - i - 1) * sizeof *into->gone);
            into->n_gone--;
            changed = true;
            i--;
        }
    }
    if (from->spawned && !into->spawned)
        into->spawned = changed = true;
    return changed;
}
