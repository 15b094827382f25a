/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds the hand-offs of a program and judges each by a walk forward from it.
 * Stands on boundary_walk.h; boundary_compare.c compares the two sides, exchange.c finds queues. */
#include "boundary_walk.h"
#include "exchange.h"
#include "marks.h"

#include <string.h>
#include "../base/alloc.h"

struct position region_position(const struct program *p, const struct region_event *e) {
    return program_position(p->funcs.at[e->func].unit->unit, e->loc);
}

uint64_t boundary_released(const struct program *p, const struct walk *w, const struct region_event *use) {
    return !w->returns ? use->released : p->options.whole ? CLASS_EVERY : UINT64_MAX;
}

struct carrier_side boundary_after(const struct walk *w, uint32_t func) {
    return (struct carrier_side){.entry = w->returns ? 0 : w->flow->func, .func = func};
}

const struct region_event *boundary_first_use(const struct boundaries *b, const struct walk *w,
                                              struct other_gives other) {
    const bool known = other.entry && other.frees && !other.several_frees;
    const struct carrier_side there = {
        .entry = other.entry, .func = known ? other.frees->func : 0, .event = known ? other.frees->event : 0};
    const struct region_event *first = NULL;
    for (size_t i = 0; i < w->uses.n; i++) {
        const struct walk_use *use = &w->uses.at[i];
        const struct carrier_side here = {
            .entry = w->flow->func, .func = use->event->func, .event = use->event->event};
        uint64_t released = boundary_released(w->flow->p, w, use->event);
        bool ordered = carriers_order(b->carriers, other.given, use->acquired, there, here) ||
                       carriers_order(b->carriers, released, other.awaited, boundary_after(w, 0), there);
        if (!ordered && (!first || use->event->event < first->event))
            first = use->event;
    }
    return first;
}

static void add_free(struct other_gives *other, const struct region_event *e, place_id argument) {
    if (e->op != REGION_FREE || e->place != argument)
        return;
    other->awaited |= e->acquired;
    other->several_frees |= other->frees && other->frees != e;
    other->frees = e;
}

/* What the entry may have waited for when it, or what it calls, frees its argument. */
static void find_frees(struct regions *r, const struct region_flow *e, uint32_t parameter,
                       struct other_gives *other) {
    place_id argument = place_make((struct region_flow *)e, PLACE_PARAM, parameter, 0);
    struct lifted_touches lifted = regions_lifted(r, e, argument);
    for (const struct region_event *own = regions_touch(e, argument); own; own = regions_next_touch(e, own))
        add_free(other, own, argument);
    for (uint32_t i = 0; i < lifted.n; i++)
        add_free(other, &lifted.at[i], argument);
}

static bool returns(const struct region_flow *f) {
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->p->funcs.at[f->func].func];
    for (uint32_t i = 0; i < fr->blocks.count; i++)
        if (u->blocks[fr->blocks.first + i].term == IR_TERM_RETURN)
            return true;
    return false;
}

static bool detaches_itself(const struct region_flow *e) {
    for (size_t i = 0; i < e->n_events; i++)
        if (e->events[i].op == REGION_DETACH)
            return true;
    return false;
}

/* By member, then by global: does something in the program read it? */
static bool *find_read(const struct program *p) {
    bool *fields = xcalloc(p->fields.n + p->globals.n, sizeof *fields), *globals = fields + p->fields.n;
    for (size_t i = 0; i < p->units.n; i++) {
        const struct linked_unit *lu = &p->units.at[i];
        const struct unit_marks *m = unit_marks(lu->unit);
        for (uint32_t k = 0; k < m->n_loaded; k++) {
            const struct ir_expr_rec *at = &lu->unit->exprs[m->loaded[k]];
            if (at->op == IR_E_FIELD)
                fields[lu->fields[at->b]] = true;
            else
                globals[lu->globals[at->a]] = true;
        }
    }
    return fields;
}

static bool *read_at(const struct program *p, const struct boundaries *b, const struct place *at) {
    return &b->read[at->op == PLACE_FIELD ? at->b : p->fields.n + at->a];
}

/* Members and globals that something joins or detaches by their address, or hands to code nobody knows: that reads none. */
static void find_joined(const struct program *p, struct boundaries *b) {
    for (uint32_t func = 1; func < p->funcs.n; func++) {
        const struct region_flow *f =
            p->funcs.at[func].defined ? regions_flow_within(b->regions, func) : NULL;
        for (size_t i = 0; f && i < f->n_events; i++) {
            const struct region_event *e = &f->events[i];
            const struct place *at = &f->places[e->place];
            if ((e->op == REGION_JOIN || e->op == REGION_DETACH || e->op == REGION_PASS) &&
                (at->op == PLACE_FIELD || at->op == PLACE_GLOBAL))
                *read_at(p, b, at) = true;
        }
    }
    b->joined_found = true;
}

/* Does nothing in the program look after a handle in this member or global? */
static bool is_forgotten(const struct program *p, struct boundaries *b, const struct place *handle) {
    if (!b->read)
        b->read = find_read(p);
    if (!*read_at(p, b, handle) && !b->joined_found)
        find_joined(p, b);
    return !*read_at(p, b, handle);
}

/* The handle's variable dies, and on this way nobody joined, detached or looked at it. */
static void judge_handle(struct boundaries *b, struct handoff *h) {
    const struct handoff_spec *s = h->at->spawn;
    const struct program *p = h->flow->p;
    if (h->at->op != REGION_SPAWN || s->task || s->lent || s->has_attributes || s->pointer_handle ||
        s->n_handles != 1)
        return;
    const struct place *handle = &h->flow->places[s->handles[0]],
                       *object = &h->flow->places[place_object(h->flow, s->handles[0])];
    bool local = object->op == PLACE_LOCAL && h->flow->unit->unit->vars[object->a].kind == IR_V_LOCAL &&
                 strcmp(p->funcs.at[h->func].name, "main") != 0;
    bool kept =
        !local && object->op != PLACE_LOCAL && (handle->op == PLACE_FIELD || handle->op == PLACE_GLOBAL);
    if (!local && !(kept && p->options.whole))
        return;
    for (uint32_t i = 0; i < s->n_entries; i++) {
        const struct region_flow *e = regions_flow(b->regions, s->entries[i]);
        if (!e || !returns(e) || detaches_itself(e))
            return;
    }
    if (kept) { /* a copy of the handle, or its address, would be a read too */
        h->neither_joined_nor_detached = s->n_entries > 0 && is_forgotten(p, b, handle);
        return;
    }
    struct walk w = {
        .regions = b->regions, .flow = h->flow, .start = h->at, .handle = s->handles[0], .next_turn = true};
    walk_from(&w);
    h->neither_joined_nor_detached = w.handle_lost && s->n_entries > 0;
    h->joined_on_some_ways = w.looked_after;
    h->handle_lost = w.dies.loc;
    walk_free(&w);
}

void boundary_note_death(struct program *p, struct handoff *h, const struct walk *w,
                         struct other_gives other) {
    const struct carrier_side there = {.entry = other.entry}, here = {.entry = h->func, .func = h->func};
    if (!w->dies.loc || carriers_order(p->boundaries->carriers, other.given, w->dies.acquired, there, here) ||
        strcmp(p->funcs.at[h->func].name, "main") == 0)
        return;
    h->escapes = boundary_printed(p, h->flow, place_object(h->flow, h->region));
    h->dies = w->dies.loc;
}

/* for (i = 0; i < n; i++) if (pthread_create(&t[i], …, &part[i]) != 0) return -1: the threads of the turns before still run. */
static void note_death_in_next_turn(struct program *p, struct boundaries *b, struct handoff *h,
                                    struct other_gives other) {
    struct walk w = {
        .regions = b->regions, .flow = h->flow, .start = h->at, .region = h->region, .next_turn = true};
    walk_from(&w);
    boundary_note_death(p, h, &w, other);
    walk_free(&w);
}

/* The join gives nothing back of what the entry has freed. */
static const struct region_event *use_after_join(struct boundaries *b, const struct handoff *h,
                                                 struct other_gives other) {
    struct walk w = {
        .regions = b->regions, .flow = h->flow, .start = h->at, .region = h->region, .past_joins = true};
    walk_from(&w);
    const struct region_event *use = boundary_first_use(b, &w, other);
    walk_free(&w);
    return use;
}

/* The cleanup of the local that is handed over, when it gives a lock back, or does where one is held; 0: it has none. */
static ir_event held_guard(struct boundaries *b, const struct handoff *h) {
    const struct region_flow *f = h->flow;
    const struct unit *u = f->unit->unit;
    const struct place *object = &f->places[place_object(f, h->region)];
    const struct ir_func_rec *fr = &u->funcs[f->p->funcs.at[h->func].func];
    if (object->op != PLACE_LOCAL || !(u->vars[object->a].flags & IR_VF_CLEANUP))
        return 0;
    for (uint32_t i = 0; i < fr->blocks.count; i++) {
        struct ir_range events = u->blocks[fr->blocks.first + i].events;
        for (ir_event ev = events.first; ev + 1 < events.first + events.count; ev++) {
            const struct ir_event_rec *call = &u->events[ev], *end = &u->events[ev + 1];
            if (call->op != IR_EV_CALL || !(call->flags & IR_SF_CLEANUP) || end->op != IR_EV_END ||
                end->a != object->a)
                continue;
            uint32_t n;
            const struct call_edge *edges = program_calls(f->p, h->func, ev, &n);
            const struct region_flow *cleanup = n == 1 ? regions_flow(b->regions, edges->callee) : NULL;
            return cleanup && cleanup->may_drop ? ev : 0;
        }
    }
    return 0;
}

/* Was the member set here, to something that has a name of its own? Then it is judged by that. */
static bool told_as_member(const struct handoff *h, uint32_t member) {
    const struct region_flow *f = h->flow;
    for (size_t i = 0; i < f->control.n; i++) {
        const struct region_event *e = &f->events[f->control.at[i]];
        if (e->op == REGION_PUT && e->event == h->at->event && e->spawn->inner == member)
            return true;
    }
    return false;
}

/* The member of `object` through whose pointer the place is come to, by members and pointers only; 0: it is none. */
static uint32_t first_member(const struct region_flow *f, place_id p, place_id object) {
    uint32_t member = 0;
    for (; p && p != object; p = f->places[p].a) {
        enum place_op op = (enum place_op)f->places[p].op;
        if (op != PLACE_FIELD && op != PLACE_INDEX && op != PLACE_DEREF)
            return 0;
        if (op == PLACE_DEREF)
            member = f->places[f->places[p].a].op == PLACE_FIELD ? f->places[f->places[p].a].b : 0;
    }
    return p ? member : 0;
}

/* What the pointers in the object point to, that both sides follow and neither changes: job->owner->count. */
static void judge_inside(struct program *p, struct boundaries *b, struct handoff *h, const struct walk *outer,
                         struct other_end end) {
    enum { MOST = 16, MOST_ARGUMENTS = 4 };
    struct region_flow *e = (struct region_flow *)regions_flow(b->regions, end.entry),
                       *here = (struct region_flow *)h->flow;
    region_value args[MOST_ARGUMENTS] = {0};
    if (!e || end.argument >= MOST_ARGUMENTS)
        return;
    args[end.argument] = VALUE_OF(VALUE_POINTER, h->region);
    end.holder = h->region;
    for (place_id i = 1, n = e->n_places; i < n;
         i++) /* so that what only the thread follows has a name here */
        if (e->places[i].op == PLACE_DEREF)
            place_translate(e, i, here, args, end.argument + 1);
    for (place_id i = 1, n = here->n_places, done = 0; i < n && done < MOST; i++) {
        uint32_t member = here->places[i].op == PLACE_DEREF ? first_member(here, i, h->region) : 0;
        struct handoff inner = *h;
        if (!member || told_as_member(h, member))
            continue;
        inner.region = i;
        struct walk w = {.regions = b->regions, .flow = here, .start = h->at, .region = i};
        walk_from(&w);
        boundary_compare(p, b, &inner, &w, end);
        boundary_compare_others(p, b, &inner, outer, end);
        walk_free(&w);
        h->conflicts = inner.conflicts;
        h->n_conflicts = inner.n_conflicts;
        done++;
    }
}

static void judge(struct program *p, struct boundaries *b, struct handoff *h) {
    const struct handoff_spec *s = h->at->spawn;
    judge_handle(b, h);
    h->verdict = !h->region && s->nothing ? HANDOFF_NOTHING : HANDOFF_UNKNOWN;
    if (!h->region || s->lent)
        return;
    struct walk w = {.regions = b->regions, .flow = h->flow, .start = h->at, .region = h->region};
    walk_from(&w);
    struct other_gives other = {.given = s->n_entries ? 0 : UINT64_MAX,
                                .entry = s->n_entries == 1 ? s->entries[0] : 0};
    for (uint32_t i = 0; i < s->n_entries; i++) {
        const struct region_flow *e = regions_flow(b->regions, s->entries[i]);
        h->entry_frees |= e && (e->frees_always >> s->parameter & 1);
        other.given |= e ? e->gives : UINT64_MAX;
        if (e)
            find_frees(b->regions, e, s->parameter, &other);
    }
    if (h->at->op == REGION_SEND || h->entry_frees)
        h->later = boundary_first_use(b, &w, other);
    if (h->entry_frees && !h->later && w.joined)
        h->later = use_after_join(b, h, other);
    for (uint32_t i = 0; i < s->n_entries && !h->later; i++) {
        struct other_end end = {.entry = s->entries[i], .argument = s->parameter};
        boundary_compare(p, b, h, &w, end);
        boundary_compare_others(p, b, h, &w, end);
        judge_inside(p, b, h, &w, end);
    }
    boundary_note_death(p, h, &w, other);
    if (!h->escapes && w.round)
        note_death_in_next_turn(p, b, h, other);
    h->guard = held_guard(b, h);
    h->many = w.again || s->task;
    h->verdict = w.uses.n || w.again || w.spawns.n ? HANDOFF_SHARED
                 : w.joined                        ? HANDOFF_LENT
                 : w.unknown                       ? HANDOFF_UNKNOWN
                                                   : HANDOFF_SENT;
    walk_free(&w);
}

/* ---- finding them ---- */

static bool hands_over(const struct program *p, uint32_t func) {
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
            if (region_moves_argument(u->annots[annots.first + k].kind))
                return true;
    }
    return false;
}

static bool of_parameter(const struct region_flow *f, place_id p) {
    const place_id object = place_object(f, p);
    return object && f->places[object].op == PLACE_PARAM;
}

static void judge_function(struct program *p, struct boundaries *b, uint32_t func, bool *lifts) {
    const struct region_flow *f = regions_flow(b->regions, func);
    *lifts = false;
    if (!f)
        return;
    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        *lifts |= e->op == REGION_JOIN && of_parameter(f, e->place);
        if (e->op != REGION_SPAWN && e->op != REGION_SEND)
            continue;
        struct handoff h = {.func = func, .flow = f, .at = e, .region = e->place};
        judge(p, b, &h);
        vec_push(&b->handoffs, h);
        *lifts |= of_parameter(f, e->place);
    }
    boundary_find_second_joins(b, f);
}

static void find_contradictions(struct program *p) {
    for (size_t i = 0; i < p->units.n; i++) {
        const struct unit *u = p->units.at[i].unit;
        for (ir_type t = 1; u->n_annots > 1 && t < u->n_types; t++) {
            ir_loc where = 0;
            const char *text = u->types[t].annots.count ? traits_contradiction(u, t, &where) : NULL;
            if (text) {
                struct annotation_error error = {.unit = u, .loc = where, .text = text};
                vec_push(&p->errors, error);
            }
        }
    }
}

static void find_wrong(struct program *p, const struct lock_context *context, struct ir_range annots) {
    for (uint32_t i = 0; i < annots.count; i++) {
        const struct ir_annot_rec *a = &context->unit->annots[annots.first + i];
        bool ours = a->kind == IR_A_spawns || a->kind == IR_A_spawns_if || a->kind == IR_A_joins ||
                    a->kind == IR_A_sending_if;
        struct lock_list list;
        const char *why;
        if (ours && lock_expr_annotation(context, &p->arena, a, &list, &why) == LOCK_WRONG)
            vec_push(&p->errors,
                     ((struct annotation_error){.unit = context->unit, .loc = a->loc, .text = why}));
    }
}

/* What functions and their parameters say of hand-offs, where that is no sense. */
static void find_wrong_annotations(struct program *p) {
    for (size_t i = 0; i < p->units.n; i++) {
        const struct unit *u = p->units.at[i].unit;
        for (ir_func f = 1; f < u->n_funcs; f++) {
            struct lock_context context = lock_context_of(u, LOCK_IN_FUNCTION, f);
            find_wrong(p, &context, u->funcs[f].annots);
            for (uint32_t k = 0; k < u->funcs[f].params.count; k++)
                find_wrong(p, &context, u->vars[u->funcs[f].params.first + k].annots);
        }
    }
}

/* Functions that hand over themselves; then the callers of those that hand over, or join, what they were given. */
void program_find_boundaries(struct program *p) {
    struct boundaries *b = xcalloc(1, sizeof *b);
    p->boundaries = b;
    b->regions = regions_new(p);
    b->carriers = carriers_new(p, b->regions);
    b->traits = traits_new(p->models, p->options.whole ? program_complete : NULL, p);
    find_contradictions(p);
    find_wrong_annotations(p);
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
    b->exchange = exchange_find(p, b);
    if (b->exchange)
        exchange_judge(b->exchange);
}

void boundaries_free(struct boundaries *b) {
    if (!b)
        return;
    exchange_free(b->exchange);
    carriers_free(b->carriers);
    regions_free(b->regions);
    free(b->read);
    traits_free(b->traits);
    vec_free(&b->handoffs);
    vec_free(&b->second_joins);
    free(b);
}
