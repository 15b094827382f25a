/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Can an access on this side and one on the other meet? Pairs of accesses to one place of which one writes, with nothing that
 * orders them.
 * Stands on boundary_walk.h. */
#include "boundary_walk.h"

#include <string.h>
#include "../base/alloc.h"

static bool some_element(const struct region_flow *f, place_id p) {
    for (; p; p = f->places[p].a) {
        enum place_op op = (enum place_op)f->places[p].op;
        if (op == PLACE_INDEX && !f->places[p].b)
            return true;
        if (op != PLACE_FIELD && op != PLACE_INDEX && op != PLACE_DEREF)
            return false;
    }
    return false;
}

bool boundary_is_access(const struct region_event *e) {
    return e->op == REGION_READ || e->op == REGION_WRITE || e->op == REGION_FREE;
}

bool boundary_conflicting(const struct region_flow *f, const struct region_event *a, place_id pa,
                          const struct region_event *b, place_id pb) {
    if (!boundary_is_access(a) || !boundary_is_access(b) || (a->op == REGION_READ && b->op == REGION_READ))
        return false;
    if ((a->flags & b->flags & REGION_ATOMIC) || ((a->flags | b->flags) & REGION_GUARDED) ||
        (a->locks & b->locks))
        return false;
    if (some_element(f, pa) || some_element(f, pb))
        return false;
    bool a_whole = (a->flags & REGION_WHOLE) || a->op == REGION_FREE,
         b_whole = (b->flags & REGION_WHOLE) || b->op == REGION_FREE;
    return pa == pb || (a_whole && place_within(f, pb, pa)) || (b_whole && place_within(f, pa, pb));
}

/* An access, and what was acquired before it and may be released to after it. */
struct moment {
    const struct region_event *event;
    uint64_t acquired, released;
    struct carrier_side before, after; /* who acquires, and who releases */
};

static struct moment in_thread(const struct region_event *e, uint32_t entry) {
    const struct carrier_side side = {.entry = entry, .func = e->func, .event = e->event};
    return (struct moment){e, e->acquired, e->released, side, side};
}

/* May one happen before the other? Only if one side releases to an object after its access, and the other acquires from an
 * object of that class before its own, which can carry an order. And where both acquired from one object before, what they found
 * there may decide which of them goes on: a lock, and an atomic (the last reference) where something is freed. */
static bool ordered(struct carriers *c, struct moment a, struct moment b) {
    bool frees = a.event->op == REGION_FREE || b.event->op == REGION_FREE;
    uint64_t both = frees || a.acquired == UINT64_MAX ? a.acquired : a.acquired & CLASS_LOCKS;
    return carriers_order(c, a.released, b.acquired, a.after, b.before) ||
           carriers_order(c, b.released, a.acquired, b.after, a.before) ||
           carriers_order(c, both, b.acquired, a.before, b.before) ||
           carriers_order(c, b.acquired, both, b.before, a.before);
}

/* The same of two threads, whose parent may carry it from one to the other. */
static bool ordered_by_parent(struct carriers *c, const struct program *p, const struct walk *w,
                              struct moment a, struct moment b) {
    const struct carrier_side parent = boundary_after(w, 0);
    uint64_t every = p->options.whole ? CLASS_EVERY : UINT64_MAX;
    uint64_t takes = w->returns ? every : w->takes, gives = w->returns ? every : w->gives;
    return (carriers_order(c, a.released, takes, a.after, parent) &&
            carriers_order(c, gives, b.acquired, parent, b.before)) ||
           (carriers_order(c, b.released, takes, b.after, parent) &&
            carriers_order(c, gives, a.acquired, parent, a.before));
}

/* Locks that callers may hold when they call the function. */
static uint64_t entry_locks(struct boundaries *b, const struct program *p, uint32_t func, unsigned depth) {
    const struct linked_func *lf = &p->funcs.at[func];
    uint64_t locks = 0;
    if (depth == 0)
        return UINT64_MAX;
    for (uint32_t i = 0; i < lf->n_callers && locks != UINT64_MAX; i++) {
        const struct call_edge *edge = &p->edges.at[lf->callers[i]];
        const struct region_flow *caller =
            edge->caller == func ? NULL : regions_flow(b->regions, edge->caller);
        if (edge->caller == func)
            continue;
        locks |= caller ? caller->locks_at[edge->event - caller->first_event] |
                              entry_locks(b, p, edge->caller, depth - 1)
                        : UINT64_MAX;
    }
    return locks;
}

const char *boundary_printed(struct program *p, const struct region_flow *f, place_id place) {
    char text[300];
    place_print(f, place, text, sizeof text);
    return arena_strdup(&p->arena, text);
}

static bool on_count(struct boundaries *b, const struct region_flow *f, place_id place) {
    const struct place *at = &f->places[place];
    if (at->op != PLACE_FIELD)
        return false;
    const struct linked_field *field = &f->p->fields.at[at->b];
    struct refcount_of count =
        traits_refcount_of(b->traits, field->unit->unit, field->unit->unit->fields[field->field].parent);
    return count.kind == REFCOUNT_PLAIN && count.field == field->field;
}

static int writes(const struct conflict *c) {
    return (c->theirs->op != REGION_READ) + (c->mine->op != REGION_READ);
}

void boundary_add_conflict(struct program *p, struct boundaries *b, struct handoff *h, struct conflict c,
                           place_id place) {
    enum { MOST = 4 };
    c.path = boundary_printed(p, h->flow, place);
    c.on_count = on_count(b, h->flow, place);
    c.field = h->flow->places[place].op == PLACE_FIELD ? h->flow->places[place].b : 0;
    for (uint32_t i = 0; i < h->n_conflicts; i++) {
        struct conflict *said = &h->conflicts[i];
        bool one_mistake =
            c.mine == said->mine && ((c.mine->flags & REGION_WHOLE) || c.mine->op == REGION_FREE);
        if (strcmp(said->path, c.path) == 0 || one_mistake) {
            /* Writes tell the story better than reads. */
            if (writes(&c) > writes(said))
                *said = c;
            return;
        }
    }
    if (h->n_conflicts == MOST)
        return;
    if (!h->conflicts)
        h->conflicts = arena_array(&p->arena, struct conflict, MOST);
    h->conflicts[h->n_conflicts++] = c;
}

/* What the other end's place is called on this side; 0: it is no part of the region. */
static place_id said_here(const struct handoff *h, const struct region_flow *entry, place_id p,
                          struct other_end end) {
    enum { MOST_ARGUMENTS = 4 };
    struct region_flow *here = (struct region_flow *)h->flow;
    region_value args[MOST_ARGUMENTS] = {0};
    if (end.argument >= MOST_ARGUMENTS)
        return 0;
    if (!end.inner) {
        args[end.argument] = VALUE_OF(VALUE_POINTER, end.holder ? end.holder : h->region);
        return place_translate(entry, p, here, args, end.argument + 1);
    }
    place_id object = place_object(entry, p);
    const struct place *at = &entry->places[object], *member = &entry->places[at->a],
                       *argument = &entry->places[member->a];
    if (at->op == PLACE_DEREF && member->op == PLACE_FIELD && member->b == end.inner &&
        argument->op == PLACE_PARAM && argument->a == end.argument)
        return place_rebase(entry, p, object, here, h->region);
    return place_translate(entry, p, here, args, 0);
}

struct access {
    const struct region_event *event;
    place_id there; /* what it is called on this side */
};
struct accesses {
    VEC(struct access) at;
};

/* Keep the access if it lies in the region, or is one of all that the region is part of. */
static void keep_access(struct accesses *out, const struct handoff *h, const struct region_flow *e,
                        const struct region_event *event, struct other_end end) {
    place_id there = boundary_is_access(event) ? said_here(h, e, event->place, end) : 0;
    if (there && (place_within(h->flow, there, h->region) || place_within(h->flow, h->region, there)))
        vec_push(&out->at, ((struct access){event, there}));
}

/* What the entry, and all that it calls, does to the region, which it knows as its argument, by that one's member, or by name. */
static void find_accesses(struct boundaries *b, const struct handoff *h, struct other_end end,
                          struct accesses *out) {
    struct region_flow *e = (struct region_flow *)regions_flow(b->regions, end.entry);
    if (!e)
        return;
    const struct place *object = &h->flow->places[place_object(h->flow, h->region)];
    place_id argument = place_make(e, PLACE_PARAM, end.argument, 0);
    place_id objects[2] = {
        end.inner    ? place_make(e, PLACE_DEREF, place_make(e, PLACE_FIELD, argument, end.inner), 0)
        : end.holder ? place_rebase(h->flow, h->region, end.holder, e, argument)
                     : argument,
        object->op == PLACE_GLOBAL ? place_make(e, PLACE_GLOBAL, object->a, 0) : 0};
    for (int i = 0; i < 2 && objects[i]; i++) {
        for (const struct region_event *own = regions_touch(e, objects[i]); own;
             own = regions_next_touch(e, own))
            keep_access(out, h, e, own, end);
        struct lifted_touches lifted = regions_lifted(b->regions, e, objects[i]);
        for (uint32_t k = 0; k < lifted.n; k++)
            keep_access(out, h, e, &lifted.at[k], end);
    }
}

bool boundary_compare(struct program *p, struct boundaries *b, struct handoff *h, const struct walk *w,
                      struct other_end end) {
    struct accesses found = {0};
    uint64_t entry = w->uses.n ? entry_locks(b, p, h->func, 4) : 0;
    if (w->uses.n || end.inner)
        find_accesses(b, h, end, &found);
    for (size_t i = 0; i < found.at.n; i++) {
        const struct region_event *theirs = found.at.at[i].event;
        place_id there = found.at.at[i].there;
        for (size_t k = 0; k < w->uses.n; k++) {
            const struct region_event *mine = w->uses.at[k].event;
            uint64_t gate = (h->at->locks & mine->locks) |
                            entry; /* held since before the hand-off: who takes it later comes later */
            if ((theirs->locks & entry) || (theirs->acquired & gate) ||
                !boundary_conflicting(h->flow, mine, mine->place, theirs, there))
                continue;
            const struct carrier_side before = {.entry = h->func, .func = mine->func, .event = mine->event},
                                      after = boundary_after(w, mine->func);
            struct moment here = {mine, w->uses.at[k].acquired, boundary_released(p, w, mine), before, after};
            if (ordered(b->carriers, here, in_thread(theirs, end.entry)))
                continue;
            struct conflict c = {.mine = mine, .theirs = theirs, .entry = end.entry};
            bool larger = place_within(h->flow, there, mine->place);
            boundary_add_conflict(p, b, h, c, larger ? there : mine->place);
        }
    }
    bool touched = found.at.n != 0;
    vec_free(&found.at);
    return touched;
}

void boundary_compare_threads(struct program *p, struct boundaries *b, struct handoff *h,
                              const struct walk *w, struct other_end one, struct other_end two,
                              const struct region_event *other) {
    struct accesses of_one = {0}, of_two = {0};
    find_accesses(b, h, one, &of_one);
    find_accesses(b, h, two, &of_two);
    for (size_t i = 0; i < of_one.at.n; i++)
        for (size_t k = 0; k < of_two.at.n; k++) {
            struct access a = of_one.at.at[i], c = of_two.at.at[k];
            if (!place_within(h->flow, a.there, h->region) || !place_within(h->flow, c.there, h->region) ||
                !boundary_conflicting(h->flow, a.event, a.there, c.event, c.there))
                continue;
            struct moment first = in_thread(a.event, one.entry), second = in_thread(c.event, two.entry);
            if (ordered(b->carriers, first, second) || ordered_by_parent(b->carriers, p, w, first, second))
                continue;
            struct conflict found = {
                .mine = c.event, .theirs = a.event, .entry = one.entry, .twice = true, .other = other};
            boundary_add_conflict(p, b, h, found, a.there);
        }
    vec_free(&of_one.at);
    vec_free(&of_two.at);
}

void boundary_compare_others(struct program *p, struct boundaries *b, struct handoff *h, const struct walk *w,
                             struct other_end end) {
    if (w->again)
        boundary_compare_threads(p, b, h, w, end, end, h->at);
    for (size_t k = 0; k < w->spawns.n; k++) {
        const struct handoff_spec *s = w->spawns.at[k]->spawn;
        for (uint32_t j = 0; j < s->n_entries; j++)
            boundary_compare_threads(
                p, b, h, w, end,
                (struct other_end){.entry = s->entries[j], .argument = s->parameter, .holder = end.holder},
                w->spawns.at[k]);
        if (s->starter && !s->n_entries)
            boundary_compare_threads(
                p, b, h, w, end,
                (struct other_end){.entry = s->starter, .argument = s->parameter, .inner = s->inner},
                w->spawns.at[k]);
    }
}
