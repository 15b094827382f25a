/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds the hand-offs of a program and judges each by a walk forward from it.
 * Stands on boundary.h; boundary_walk.c walks. */
#include "boundary_walk.h"

#include <string.h>
#include "../base/alloc.h"

struct position region_position(const struct program *p, const struct region_event *e)
{
    return program_position(p->funcs.at[e->func].unit->unit, e->loc);
}

/* ---- what both sides do ---- */

static bool some_element(const struct region_flow *f, place_id p)
{
    for (; p; p = f->places[p].a) {
        enum place_op op = (enum place_op)f->places[p].op;
        if (op == PLACE_INDEX && !f->places[p].b)
            return true;
        if (op != PLACE_FIELD && op != PLACE_INDEX && op != PLACE_DEREF)
            return false;
    }
    return false;
}

static bool is_access(const struct region_event *e)
{
    return e->op == REGION_READ || e->op == REGION_WRITE || e->op == REGION_FREE;
}

static bool conflicting(const struct region_flow *f, const struct region_event *a, place_id pa, const struct region_event *b,
                        place_id pb)
{
    if (!is_access(a) || !is_access(b) || (a->op == REGION_READ && b->op == REGION_READ))
        return false;
    if ((a->flags & b->flags & REGION_ATOMIC) || ((a->flags | b->flags) & REGION_GUARDED) || (a->locks & b->locks))
        return false;
    if (some_element(f, pa) || some_element(f, pb))
        return false;
    bool a_whole = (a->flags & REGION_WHOLE) || a->op == REGION_FREE, b_whole = (b->flags & REGION_WHOLE) || b->op == REGION_FREE;
    return pa == pb || (a_whole && place_within(f, pb, pa)) || (b_whole && place_within(f, pa, pb));
}

/* May one happen before the other? Only if one side releases to an object after its access, and the other acquires from an
 * object of that class before its own. And where both acquired from one object before, what they found there may decide which
 * of them goes on: a lock always, an atomic (the last reference) where something is freed. */
static bool ordered(const struct region_event *a, uint64_t a_acquired, uint64_t a_released, const struct region_event *b)
{
    uint64_t both = a_acquired & b->acquired;
    bool frees = a->op == REGION_FREE || b->op == REGION_FREE;
    return (a_released & b->acquired) || (b->released & a_acquired) || (both & CLASS_LOCKS) || (both && frees);
}

/* The same of two threads, whose parent may carry it from one to the other. */
static bool ordered_by_parent(const struct walk *w, const struct region_event *a, const struct region_event *b)
{
    uint64_t takes = w->returns ? UINT64_MAX : w->takes, gives = w->returns ? UINT64_MAX : w->gives;
    return ((a->released & takes) && (b->acquired & gives)) || ((b->released & takes) && (a->acquired & gives));
}

/* Locks that callers may hold when they call the function. */
static uint64_t entry_locks(struct boundaries *b, const struct program *p, uint32_t func, unsigned depth)
{
    const struct linked_func *lf = &p->funcs.at[func];
    uint64_t locks = 0;
    if (depth == 0)
        return UINT64_MAX;
    for (uint32_t i = 0; i < lf->n_callers && locks != UINT64_MAX; i++) {
        const struct call_edge *edge = &p->edges.at[lf->callers[i]];
        const struct region_flow *caller = edge->caller == func ? NULL : regions_flow(b->regions, edge->caller);
        if (edge->caller == func)
            continue;
        locks |= caller ? caller->locks_at[edge->event - caller->first_event] | entry_locks(b, p, edge->caller, depth - 1) : UINT64_MAX;
    }
    return locks;
}

static const char *printed(struct program *p, const struct region_flow *f, place_id place)
{
    char text[300];
    place_print(f, place, text, sizeof text);
    return arena_strdup(&p->arena, text);
}

static bool on_count(struct boundaries *b, const struct region_flow *f, place_id place)
{
    const struct place *at = &f->places[place];
    if (at->op != PLACE_FIELD)
        return false;
    const struct linked_field *field = &f->p->fields.at[at->b];
    struct refcount_of count = traits_refcount_of(b->traits, field->unit->unit, field->unit->unit->fields[field->field].parent);
    return count.kind == REFCOUNT_PLAIN && count.field == field->field;
}

static int writes(const struct conflict *c)
{
    return (c->theirs->op != REGION_READ) + (c->mine->op != REGION_READ);
}

static void add_conflict(struct program *p, struct boundaries *b, struct handoff *h, struct conflict c, place_id place)
{
    enum { MOST = 4 };
    c.path = printed(p, h->flow, place);
    c.on_count = on_count(b, h->flow, place);
    c.field = h->flow->places[place].op == PLACE_FIELD ? h->flow->places[place].b : 0;
    for (uint32_t i = 0; i < h->n_conflicts; i++)
        if (strcmp(h->conflicts[i].path, c.path) == 0) {
            /* Writes tell the story better than reads. */
            if (writes(&c) > writes(&h->conflicts[i]))
                h->conflicts[i] = c;
            return;
        }
    if (h->n_conflicts == MOST)
        return;
    if (!h->conflicts)
        h->conflicts = arena_array(&p->arena, struct conflict, MOST);
    h->conflicts[h->n_conflicts++] = c;
}

/* The region as the argument of an entry: what its parameter's object is called on this side. */
static place_id said_here(const struct handoff *h, const struct region_flow *entry, place_id p, place_id region)
{
    region_value args[1] = {VALUE_OF(VALUE_POINTER, region)};
    return place_translate(entry, p, (struct region_flow *)h->flow, args, 1);
}

static void compare(struct program *p, struct boundaries *b, struct handoff *h, const struct walk *w, uint32_t entry_func)
{
    const struct region_flow *e = regions_flow(b->regions, entry_func);
    uint64_t entry = entry_locks(b, p, h->func, 4);
    if (!e)
        return;
    for (size_t i = 0; i < e->n_events; i++) {
        const struct region_event *theirs = &e->events[i];
        if (!is_access(theirs))
            continue;
        place_id there = said_here(h, e, theirs->place, h->region);
        if (!there || (!place_within(h->flow, there, h->region) && !place_within(h->flow, h->region, there)))
            continue;
        for (size_t k = 0; k < w->uses.n; k++) {
            const struct region_event *mine = w->uses.at[k].event;
            uint64_t released = w->returns ? UINT64_MAX : mine->released;
            if ((theirs->locks & entry) || ordered(mine, w->uses.at[k].acquired, released, theirs))
                continue;
            if (conflicting(h->flow, mine, mine->place, theirs, there)) {
                struct conflict c = {.mine = mine, .theirs = theirs, .entry = entry_func};
                bool larger = place_within(h->flow, there, mine->place);
                add_conflict(p, b, h, c, larger ? there : mine->place);
            }
        }
    }
}

/* Two threads that were handed the same region. */
static void compare_threads(struct program *p, struct boundaries *b, struct handoff *h, const struct walk *w, uint32_t one,
                            uint32_t two, const struct region_event *other)
{
    const struct region_flow *e = regions_flow(b->regions, one), *f = regions_flow(b->regions, two);
    if (!e || !f)
        return;
    for (size_t i = 0; i < e->n_events; i++) {
        const struct region_event *a = &e->events[i];
        if (!is_access(a))
            continue;
        place_id pa = said_here(h, e, a->place, h->region);
        if (!pa || !place_within(h->flow, pa, h->region))
            continue;
        for (size_t k = 0; k < f->n_events; k++) {
            const struct region_event *c = &f->events[k];
            if (!is_access(c) || ordered(a, a->acquired, a->released, c) || ordered_by_parent(w, a, c))
                continue;
            place_id pc = said_here(h, f, c->place, h->region);
            if (!pc || !place_within(h->flow, pc, h->region) || !conflicting(h->flow, a, pa, c, pc))
                continue;
            struct conflict found = {.mine = c, .theirs = a, .entry = one, .twice = true, .other = other};
            add_conflict(p, b, h, found, pa);
        }
    }
}

/* ---- one hand-off ---- */

/* The first use that is surely not ordered with the other side's end of the object: nothing that side gives was acquired before
 * the use, nothing this side gives after the use is waited for by that side before it frees. */
static const struct region_event *first_use(const struct walk *w, uint64_t given, uint64_t awaited)
{
    const struct region_event *first = NULL;
    for (size_t i = 0; i < w->uses.n; i++) {
        const struct walk_use *use = &w->uses.at[i];
        bool before = awaited & (w->returns ? UINT64_MAX : use->event->released);
        if (!(use->acquired & given) && !before && (!first || use->event->event < first->event))
            first = use->event;
    }
    return first;
}

/* What the entry may have waited for when it frees its argument. */
static uint64_t awaited_by_free(const struct region_flow *e)
{
    uint64_t awaited = 0;
    for (size_t i = 0; i < e->n_events; i++)
        if (e->events[i].op == REGION_FREE && e->places[e->events[i].place].op == PLACE_PARAM)
            awaited |= e->events[i].acquired;
    return awaited;
}

static bool returns(const struct region_flow *f)
{
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->p->funcs.at[f->func].func];
    for (uint32_t i = 0; i < fr->blocks.count; i++)
        if (u->blocks[fr->blocks.first + i].term == IR_TERM_RETURN)
            return true;
    return false;
}

static bool detaches_itself(const struct region_flow *e)
{
    for (size_t i = 0; i < e->n_events; i++)
        if (e->events[i].op == REGION_DETACH)
            return true;
    return false;
}

/* Does anything in the program read the member or global that holds the handle? */
static bool handle_is_read(const struct program *p, const struct place *handle)
{
    for (size_t i = 0; i < p->units.n; i++) {
        const struct linked_unit *lu = &p->units.at[i];
        const struct unit *u = lu->unit;
        for (ir_expr e = 1; e < u->n_exprs; e++) {
            if (u->exprs[e].op != IR_E_LOAD)
                continue;
            const struct ir_expr_rec *at = &u->exprs[u->exprs[e].a];
            if ((handle->op == PLACE_FIELD && at->op == IR_E_FIELD && lu->fields[at->b] == handle->b) ||
                (handle->op == PLACE_GLOBAL && at->op == IR_E_VAR && lu->globals[at->a] == handle->a))
                return true;
        }
    }
    return false;
}

/* The handle's variable dies, and on this way nobody joined, detached or looked at it. */
static void judge_handle(struct boundaries *b, struct handoff *h)
{
    const struct handoff_spec *s = h->at->spawn;
    const struct program *p = h->flow->p;
    if (h->at->op != REGION_SPAWN || s->task || s->lent || s->has_attributes || s->n_handles != 1)
        return;
    const struct place *handle = &h->flow->places[s->handles[0]];
    bool kept = handle->op == PLACE_FIELD || handle->op == PLACE_GLOBAL;
    bool local = handle->op == PLACE_LOCAL && h->flow->unit->unit->vars[handle->a].kind == IR_V_LOCAL &&
                 h->at->func == h->func && strcmp(p->funcs.at[h->func].name, "main") != 0;
    if (!local && !(kept && p->options.whole))
        return;
    for (uint32_t i = 0; i < s->n_entries; i++) {
        const struct region_flow *e = regions_flow(b->regions, s->entries[i]);
        if (!e || !returns(e) || detaches_itself(e))
            return;
    }
    if (kept) { /* a copy of the handle, or its address, would be a read too */
        h->neither_joined_nor_detached = s->n_entries > 0 && !handle_is_read(p, handle);
        return;
    }
    struct walk w = {.flow = h->flow, .start = h->at, .handle = s->handles[0]};
    walk_from(&w);
    h->neither_joined_nor_detached = w.handle_lost && s->n_entries > 0;
    walk_free(&w);
}

static void judge(struct program *p, struct boundaries *b, struct handoff *h)
{
    const struct handoff_spec *s = h->at->spawn;
    judge_handle(b, h);
    h->verdict = HANDOFF_UNKNOWN;
    if (!h->region || s->lent)
        return;
    struct walk w = {.flow = h->flow, .start = h->at, .region = h->region};
    walk_from(&w);
    uint64_t given = s->n_entries ? 0 : UINT64_MAX, awaited = 0;
    for (uint32_t i = 0; i < s->n_entries; i++) {
        const struct region_flow *e = regions_flow(b->regions, s->entries[i]);
        h->entry_frees |= e && (e->frees_always & 1);
        given |= e ? e->gives : UINT64_MAX;
        awaited |= e ? awaited_by_free(e) : 0;
    }
    if (h->at->op == REGION_SEND || h->entry_frees)
        h->later = first_use(&w, given, awaited);
    for (uint32_t i = 0; i < s->n_entries && !h->later; i++) {
        compare(p, b, h, &w, s->entries[i]);
        if (w.again)
            compare_threads(p, b, h, &w, s->entries[i], s->entries[i], h->at);
        for (size_t k = 0; k < w.spawns.n; k++)
            for (uint32_t j = 0; j < w.spawns.at[k]->spawn->n_entries; j++)
                compare_threads(p, b, h, &w, s->entries[i], w.spawns.at[k]->spawn->entries[j], w.spawns.at[k]);
    }
    if (w.dies.loc && !(w.dies.acquired & given) && strcmp(p->funcs.at[h->func].name, "main") != 0) {
        place_id object = place_object(h->flow, h->region);
        h->escapes = printed(p, h->flow, object);
        h->dies = w.dies.loc;
    }
    h->verdict = w.uses.n || w.again || w.spawns.n ? HANDOFF_SHARED
                 : w.joined                       ? HANDOFF_LENT
                 : w.unknown                      ? HANDOFF_UNKNOWN
                                                  : HANDOFF_SENT;
    walk_free(&w);
}

/* ---- finding them ---- */

static bool hands_over(const struct program *p, uint32_t func)
{
    const struct linked_func *lf = &p->funcs.at[func];
    if (lf->model && !lf->defined)
        for (uint32_t i = 0; i < lf->model->n_effects; i++)
            if (lf->model->effects[i].kind == MODEL_SPAWNS || lf->model->effects[i].kind == MODEL_SENDS ||
                lf->model->effects[i].kind == MODEL_JOINS)
                return true;
    const struct unit *u = lf->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[lf->func];
    for (uint32_t i = 0; i < fr->annots.count; i++) {
        uint32_t kind = u->annots[fr->annots.first + i].kind;
        if (kind == IR_A_spawns || kind == IR_A_spawns_if || kind == IR_A_joins)
            return true;
    }
    for (uint32_t i = 0; i < fr->params.count; i++) {
        struct ir_range annots = u->vars[fr->params.first + i].annots;
        for (uint32_t k = 0; k < annots.count; k++)
            if (u->annots[annots.first + k].kind == IR_A_sending || u->annots[annots.first + k].kind == IR_A_owned)
                return true;
    }
    return false;
}

/* Joins of one local handle that another join of it surely follows. */
static void find_second_joins(struct boundaries *b, const struct region_flow *f)
{
    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        if (e->op != REGION_JOIN || !e->place || e->func != f->func || (e->flags & REGION_MAYBE) || f->places[e->place].op != PLACE_LOCAL)
            continue;
        struct walk w = {.flow = f, .start = e, .joined_handle = e->place};
        walk_from(&w);
        if (w.second_join && w.second_join != e) {
            struct second_join s = {f, e, w.second_join};
            vec_push(&b->second_joins, s);
        }
        walk_free(&w);
    }
}

static void judge_function(struct program *p, struct boundaries *b, uint32_t func, bool *lifts)
{
    const struct region_flow *f = regions_flow(b->regions, func);
    *lifts = false;
    if (!f)
        return;
    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        if (e->op != REGION_SPAWN && e->op != REGION_SEND)
            continue;
        struct handoff h = {.func = func, .flow = f, .at = e, .region = e->place};
        judge(p, b, &h);
        vec_push(&b->handoffs, h);
        place_id object = place_object(f, e->place);
        *lifts |= object && f->places[object].op == PLACE_PARAM;
    }
    find_second_joins(b, f);
}

static void find_contradictions(struct program *p)
{
    for (size_t i = 0; i < p->units.n; i++) {
        const struct unit *u = p->units.at[i].unit;
        for (ir_type t = 1; t < u->n_types; t++) {
            ir_loc where = 0;
            const char *text = u->types[t].annots.count ? traits_contradiction(u, t, &where) : NULL;
            if (text) {
                struct annotation_error error = {u, where, text};
                vec_push(&p->errors, error);
            }
        }
    }
}

/* Functions that hand over themselves; then the callers of those that hand over what they were given. */
void program_find_boundaries(struct program *p)
{
    struct boundaries *b = xcalloc(1, sizeof *b);
    p->boundaries = b;
    b->regions = regions_new(p);
    b->traits = traits_new(p->models, p->options.whole ? program_complete : NULL, p);
    find_contradictions(p);
    program_find_refcounts(p, b->traits);
    bool *wanted = xcalloc(p->funcs.n + 1, sizeof *wanted);
    VEC(uint32_t) work = {0};
    for (uint32_t f = 1; f < p->funcs.n; f++)
        if (hands_over(p, f))
            for (uint32_t i = 0; i < p->funcs.at[f].n_callers; i++) {
                uint32_t caller = p->edges.at[p->funcs.at[f].callers[i]].caller;
                if (!wanted[caller]) {
                    wanted[caller] = true;
                    vec_push(&work, caller);
                }
            }
    for (size_t i = 0; i < work.n; i++) {
        uint32_t f = work.at[i];
        bool lifts;
        judge_function(p, b, f, &lifts);
        for (uint32_t k = 0; lifts && k < p->funcs.at[f].n_callers; k++) {
            uint32_t caller = p->edges.at[p->funcs.at[f].callers[k]].caller;
            if (!wanted[caller]) {
                wanted[caller] = true;
                vec_push(&work, caller);
            }
        }
    }
    vec_free(&work);
    free(wanted);
}

void boundaries_free(struct boundaries *b)
{
    if (!b)
        return;
    regions_free(b->regions);
    traits_free(b->traits);
    vec_free(&b->handoffs);
    vec_free(&b->second_joins);
    free(b);
}
