/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How two worlds become one.
 * Stands on world_inside.h. */
#include "world_inside.h"

static bool merge_versions(struct arena *a, struct world *into, const struct world *from, ir_block block)
{
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
    into->versions = arena_alloc(a, (into->cap_versions + 1) * sizeof *into->versions);
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
    return changed;
}

/* Cells that differ become a phi. */
static bool merge_cells(struct arena *a, struct term_table *t, struct world *into, const struct world *old,
                        const struct world *from, ir_block block)
{
    bool changed = false;

    if (old->n_cells == from->n_cells && (!old->n_cells || !memcmp(old->cells, from->cells, old->n_cells * sizeof *old->cells)))
        return false;
    for (uint32_t i = 0, j = 0; i < old->n_cells || j < from->n_cells;) {
        const term x = i < old->n_cells ? old->cells[i].at : UINT32_MAX;
        const term y = j < from->n_cells ? from->cells[j].at : UINT32_MAX;
        const term at = x < y ? x : y;
        const term va = x == at ? old->cells[i].value : world_load(t, old, at);
        const term vb = y == at ? from->cells[j].value : world_load(t, from, at);
        const term merged = va == vb ? va : term_make(t, TERM_PHI, block, at, 0);
        const bool in_old = x == at;
        i += x == at;
        j += y == at;
        if (merged == va && !in_old)
            continue; /* what a load gives anyway */
        if (merged != va && !changed) { /* so far it is as it was */
            changed = true;
            into->cap_cells = old->n_cells + from->n_cells;
            into->cells = arena_alloc(a, (into->cap_cells + 1) * sizeof *into->cells);
            into->n_cells = i - in_old;
            if (into->n_cells)
                memcpy(into->cells, old->cells, into->n_cells * sizeof *into->cells);
        }
        if (changed)
            into->cells[into->n_cells++] = (struct cell){at, merged};
    }
    return changed;
}

static bool same_facts(const struct world *x, const struct world *y)
{
    if (x->n_facts != y->n_facts)
        return false;
    for (uint32_t i = 0; i < x->n_facts; i++)
        if (x->facts[i].of != y->facts[i].of || !range_equal(x->facts[i].range, y->facts[i].range))
            return false;
    return true;
}

/* What both know stays known; a phi of this block is judged by what comes into its cell. */
static bool merge_facts(struct arena *a, struct term_table *t, struct world *into, const struct world *old,
                        const struct world *from, ir_block block, bool widen)
{
    const bool new_cells = into->cells != old->cells;
    bool changed = false;

    if (same_facts(old, from) && !new_cells)
        return false;
    for (uint32_t i = 0; i < old->n_facts; i++) {
        const term x = old->facts[i].of;
        const struct term_rec r = t->recs[x];
        const bool own_phi = r.op == TERM_PHI && r.a == block;
        const struct range mine = old->facts[i].range;
        struct range both = range_hull(mine, world_range(t, from, own_phi ? world_load(t, from, r.b) : x));
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
    if (!new_cells) /* no new phi */
        return changed;
    if (!changed) {
        into->cap_facts = old->n_facts + 4;
        into->facts = arena_alloc(a, into->cap_facts * sizeof *into->facts);
        if (old->n_facts)
            memcpy(into->facts, old->facts, old->n_facts * sizeof *into->facts);
    }
    for (uint32_t i = 0; i < into->n_cells; i++) {
        const term at = into->cells[i].at, phi = into->cells[i].value;
        const struct term_rec r = t->recs[phi];
        const term before = world_load(t, old, at);
        struct range both;
        if (r.op != TERM_PHI || r.a != block || r.b != at || before == phi)
            continue;
        both = range_hull(world_range(t, old, before), world_range(t, from, world_load(t, from, at)));
        if (!range_is_all(both))
            set_fact(a, into, phi, both);
    }
    return changed;
}

bool world_merge(struct arena *a, struct term_table *t, struct world *into, const struct world *from, ir_block block,
                 bool widen, bool force)
{
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
            if (from->held[i].flags & HELD_MAYBE && !(into->held[i].flags & HELD_MAYBE)) {
                into->held[i].flags |= HELD_MAYBE;
                changed = true;
            }
            if (into->held[i].when && into->held[i].when != from->held[i].when) {
                into->held[i].when = 0;
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
