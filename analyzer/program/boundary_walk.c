/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Walks forward from a hand-off, each block once, and stops where the other side may be done or be waited for.
 * Stands on boundary_walker.h. Ways on which the hand-off failed are not walked. */
#include "boundary_walker.h"
#include "ways.h"

#include <string.h>
#include "../base/alloc.h"

void walk_free(struct walk *w) {
    vec_free(&w->uses);
    vec_free(&w->spawns);
}

static bool named_directly(const struct region_flow *f, place_id p) {
    place_id object = place_object(f, p);
    return object && (f->places[object].op == PLACE_LOCAL || f->places[object].op == PLACE_GLOBAL);
}

static place_id array_of(const struct region_flow *f, place_id p) {
    return f->places[p].op == PLACE_INDEX ? f->places[p].a : p;
}

enum join_match walker_join(const struct walker *k, const struct region_event *e) {
    const struct handoff_spec *s = k->w->start->spawn;
    if (!s || !s->n_handles || !e->place)
        return JOIN_MAYBE;
    bool other = true;
    for (uint32_t i = 0; i < s->n_handles; i++) {
        if (array_of(k->f, s->handles[i]) == array_of(k->f, e->place))
            return s->handles[i] == e->place || !place_element(&k->f->places[e->place]) ||
                           !place_element(&k->f->places[s->handles[i]])
                       ? JOIN_THIS
                       : JOIN_OTHER;
        other &= named_directly(k->f, s->handles[i]) && named_directly(k->f, e->place);
    }
    return other ? JOIN_OTHER : JOIN_MAYBE;
}

/* Does the place's name stand on that of an element a[v], for local v (0: any)? */
static bool by_variable(const struct region_flow *f, place_id p, uint32_t var) {
    for (; p; p = f->places[p].a) {
        const struct place *at = &f->places[p];
        if (at->op == PLACE_INDEX && (var ? at->b == (PLACE_BY_VAR | var) : (at->b & PLACE_BY_VAR) != 0))
            return true;
        if (at->op != PLACE_FIELD && at->op != PLACE_INDEX && at->op != PLACE_DEREF && at->op != PLACE_LOADED)
            return false;
    }
    return false;
}

/* The region's element is a[i], and i changes. */
static bool names_another(const struct walker *k, ir_event ev) {
    uint32_t var = k->w->region ? walker_written_var(k->u, &k->u->events[ev]) : 0;
    return var && by_variable(k->f, k->w->region, var);
}

static bool overlaps(const struct walker *k, const struct region_event *e) {
    if (!e->place)
        return false;
    bool whole = (e->flags & REGION_WHOLE) || e->op == REGION_FREE;
    if (k->moved && by_variable(k->f, e->place, 0))
        return false; /* of another element, for all that is known */
    return place_within(k->f, e->place, k->w->region) ||
           (whole && place_within(k->f, k->w->region, e->place));
}

static void note_use(struct walk *w, const struct region_event *e, uint64_t acquired) {
    for (size_t i = 0; i < w->uses.n; i++)
        if (w->uses.at[i].event == e) {
            w->uses.at[i].acquired |= acquired;
            return;
        }
    struct walk_use use = {e, acquired};
    vec_push(&w->uses, use);
}

/* Is the object found through an element that is not told from others of its array? Then another turn may well find another. */
static bool through_some_element(const struct region_flow *f, place_id p) {
    for (;;) {
        const struct place *r = &f->places[p];
        if (r->op == PLACE_INDEX && !place_element(r))
            return true;
        if (r->op != PLACE_FIELD && r->op != PLACE_INDEX && r->op != PLACE_DEREF && r->op != PLACE_LOADED)
            return false;
        p = r->a;
    }
}

/* Returns false when the way ends here. */
static bool meet_region(struct walker *k, const struct region_event *e) {
    struct walk *w = k->w;
    switch ((enum region_op)e->op) {
    case REGION_ORDER:
        if (w->start->op == REGION_PUT && e->event == w->start->event)
            return true; /* of the call that puts: what comes after that is known apart */
        k->now |= e->takes;
        w->takes |= e->takes;
        w->gives |= e->gives;
        w->unknown |= e->takes != 0;
        return true;
    case REGION_JOIN: {
        enum join_match match = walker_join(k, e);
        w->joined |= match == JOIN_THIS;
        w->unknown |= match == JOIN_MAYBE;
        if (match == JOIN_THIS && w->past_joins)
            return true;
        k->now = UINT64_MAX;
        if (match == JOIN_OTHER)
            w->takes = UINT64_MAX;
        return match == JOIN_OTHER;
    }
    case REGION_SPAWN:
        if (e->event == w->start->event && e->spawn->event == w->start->spawn->event &&
            e->place == w->region) {
            w->again |= !through_some_element(k->f, w->region);
            w->round = true;
            return w->next_turn;
        }
        if (e->place == w->region && e->event != w->start->event && !k->moved)
            vec_push(&w->spawns, e);
        return true;
    case REGION_PUT: /* in a member of a thread's argument */
        if (e == w->start && e->spawn->starter) {
            w->again |= !through_some_element(k->f, w->region);
            return false;
        }
        if (e->place == w->region && e->event != w->start->event && e->spawn->starter && !k->moved)
            vec_push(&w->spawns, e);
        return true;
    case REGION_READ:
    case REGION_WRITE:
    case REGION_FREE:
    case REGION_PASS:
    case REGION_SEND:
        if ((e->event != w->start->event || (e->flags & REGION_BRANCH)) && overlaps(k, e) &&
            !(e->flags & REGION_MAYBE) && !walker_gives_null(k, e))
            note_use(w, e, k->now | e->acquired_inside);
        return true;
    default: return true;
    }
}

static bool meet_handle(struct walker *k, const struct region_event *e) {
    struct walk *w = k->w;
    place_id object = place_object(k->f, w->handle);
    bool touched = e->place && place_object(k->f, e->place) == object;
    bool ends = e->op == REGION_JOIN || e->op == REGION_DETACH
                    ? touched || !e->place || !named_directly(k->f, e->place)
                    : touched && e->event != w->start->event;
    w->looked_after |= ends;
    return !ends;
}

/* The cleanup of a local struct: a group of threads, which knows whether any of them is left. */
static bool ends_a_struct(const struct walker *k, const struct region_event *e) {
    const struct place *handle = &k->f->places[k->w->joined_handle];
    uint32_t kind = k->u->types[type_plain(k->u, k->u->vars[handle->a].type)].kind;
    return k->u->events[e->event].flags & IR_SF_CLEANUP && (kind == IR_T_STRUCT || kind == IR_T_UNION);
}

static bool meet_join(struct walker *k, const struct region_event *e) {
    struct walk *w = k->w;
    if (e->op == REGION_JOIN && e->place == w->joined_handle) {
        if (e->event == w->start->event && e != w->start)
            return true; /* said where both stand */
        if (!ends_a_struct(k, e))
            w->second_join = e;
        return false;
    }
    bool touched =
        e->op != REGION_READ && e->place &&
        (place_within(k->f, w->joined_handle, e->place) || place_within(k->f, e->place, w->joined_handle));
    if (e->op == REGION_SPAWN)
        for (uint32_t i = 0; i < e->spawn->n_handles; i++)
            touched |= e->spawn->handles[i] == w->joined_handle;
    w->looked_after |= touched;
    return !touched;
}

static bool meet(struct walker *k, const struct region_event *e) {
    return k->w->region ? meet_region(k, e) : k->w->handle ? meet_handle(k, e) : meet_join(k, e);
}

/* The life of the local in question ends here, or begins anew. Returns false when the way ends. */
static bool lives_on(struct walker *k, ir_event ev) {
    const struct ir_event_rec *r = &k->u->events[ev];
    const struct place *object = &k->f->places[k->object];
    if ((object->op == PLACE_HEAP || object->op == PLACE_RESULT) && object->a == ev &&
        ev != k->w->start->event)
        return false; /* another object from now on */
    if (object->op == PLACE_LOADED && object->b == ev && ev != k->w->start->event)
        return false;
    if (object->op != PLACE_LOCAL)
        return true;
    uint32_t kind = k->u->vars[object->a].kind;
    bool ends =
        (r->op == IR_EV_END && r->a == object->a) || (r->op == IR_EV_RETURN && kind != IR_V_STATIC_LOCAL);
    if (ends && kind != IR_V_STATIC_LOCAL) {
        bool better = !k->w->dies.loc || (k->w->dies.acquired && !k->now);
        if (better)
            k->w->dies = (struct walk_death){r->loc ? r->loc : k->fr->body_end, k->now};
        k->w->handle_lost |= k->w->handle != 0;
        return false;
    }
    return !(r->op == IR_EV_BEGIN && r->a == object->a);
}

/* Does the call at ev join, and end the way? What it touches after that is not on it. */
static bool joins_at(const struct walker *k, ir_event ev) {
    size_t i, end;
    for (walker_events(k, ev, &i, &end); i < end; i++)
        if (k->f->events[i].op == REGION_JOIN && walker_join(k, &k->f->events[i]) != JOIN_OTHER)
            return true;
    return false;
}

/* The first of the accesses at ev or later. */
static uint32_t lifted_from(const struct lifted_touches *l, ir_event ev) {
    uint32_t low = 0, high = l->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (l->at[middle].event < ev)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What is called at ev touches the object in question; *at goes past it. Returns false when the way ends here. */
static bool meet_lifted(struct walker *k, ir_event ev, uint32_t *at) {
    bool joins = k->w->region && *at < k->lifted.n && k->lifted.at[*at].event == ev && joins_at(k, ev),
         on = true;
    for (; *at < k->lifted.n && k->lifted.at[*at].event == ev; ++*at)
        if (!joins || k->lifted.at[*at].acquired != UINT64_MAX)
            on &= meet(k, &k->lifted.at[*at]);
    return on;
}

/* Walk the events of block b from the given one on; false when the way ends inside. */
static bool through(struct walker *k, uint32_t b, ir_event from, size_t skip) {
    const struct ir_block_rec *rec = walker_block(k, b);
    uint32_t lifted = lifted_from(&k->lifted, from);
    for (ir_event ev = from; ev < rec->events.first + rec->events.count; ev++) {
        size_t i, end;
        if (!skip && !lives_on(k, ev))
            return false;
        k->moved |= names_another(k, ev);
        if (!meet_lifted(k, ev, &lifted))
            return false;
        walker_events(k, ev, &i, &end);
        for (i = skip ? skip : i; i < end; i++)
            if (!meet(k, &k->f->events[i]))
                return false;
        skip = 0;
    }
    for (uint32_t i = k->f->branch_first[b]; i < k->f->branch_first[b + 1]; i++)
        if (!meet(k, &k->f->events[i]))
            return false;
    return true;
}

static void leave(struct walker *k, uint32_t b) {
    const struct ir_block_rec *rec = walker_block(k, b);
    if (k->f->ends[b] != WAY_GOES_ON)
        return;
    k->w->returns |= rec->term == IR_TERM_RETURN;
    const struct branch_fact *fact = &k->f->branches[b];
    bool asked = rec->term == IR_TERM_BRANCH && fact->event && fact->event == k->w->start->event &&
                 !(k->began && k->w->next_turn);
    static const struct result_when joined = {RESULT_EQ, 0};
    const struct result_when *when = k->w->start->spawn ? &k->w->start->spawn->when : &joined;
    bool silent = k->w->start->op == REGION_SEND && when->test == RESULT_ANY;
    bool inferred = k->w->start->spawn && k->w->start->spawn->result_known;
    if (asked && !inferred && (silent || k->w->start->func != k->f->func)) {
        k->w->unknown =
            true; /* a wrapper's result, or a queue's, where nothing tells which one says that it worked */
        return;
    }
    bool holds = false, decided = rec->term == IR_TERM_BRANCH && walker_decides(k, rec->cond, &holds);
    for (uint32_t i = 0; i < rec->succs.count; i++) {
        uint32_t to = walker_successor(k, rec, i);
        if (decided && holds != (i == 0))
            continue;
        if (asked && !result_agrees(when, fact, i == 0))
            continue;
        if (k->stops[to]) {
            k->w->unknown = k->w->looked_after = true;
            continue;
        }
        const struct place *object = &k->f->places[k->object];
        if (object->op == PLACE_PHI && object->a == to)
            continue;
        if (!k->seen[to] || (k->now & ~k->acquired[to]) || (k->moved_at[to] && !k->moved)) {
            k->moved_at[to] = k->moved && (!k->seen[to] || k->moved_at[to]);
            k->seen[to] = true;
            k->acquired[to] |= k->now;
            vec_push(&k->work, to);
        }
    }
}

void walk_from(struct walk *w) {
    const struct region_flow *f = w->flow;
    struct walker k = {.w = w, .f = f, .u = f->unit->unit};
    k.fr = &k.u->funcs[f->p->funcs.at[f->func].func];
    k.seen = xcalloc(k.fr->blocks.count, sizeof *k.seen);
    k.stops = xcalloc(k.fr->blocks.count, sizeof *k.stops);
    k.acquired = xcalloc(k.fr->blocks.count, sizeof *k.acquired);
    k.moved_at = xcalloc(k.fr->blocks.count, sizeof *k.moved_at);
    k.object = place_object(f, w->region ? w->region : w->handle ? w->handle : w->joined_handle);
    k.lifted = regions_lifted(w->regions, f, k.object);
    uint32_t b = block_with(k.u, k.fr, w->start->event);
    bool put_here = w->start->op == REGION_PUT &&
                    w->start->func == f->func; /* the event is where others come to see it */
    uint32_t given = put_here ? block_with(k.u, k.fr, w->start->spawn->event) : b;
    if (b < k.fr->blocks.count) {
        walker_find_loops(&k, b);
        if (given < k.fr->blocks.count)
            walker_find_constants(&k, given);
        k.now = w->start->awaited_inside;
        w->takes |= k.now;
        w->unknown |= k.now != 0;
        if (through(&k, b, w->start->event, (size_t)(w->start - f->events) + 1))
            leave(&k, b);
        k.began = true;
        while (k.work.n) {
            b = vec_pop(&k.work);
            k.now = k.acquired[b];
            k.moved = k.moved_at[b];
            if (through(&k, b, walker_block(&k, b)->events.first, 0))
                leave(&k, b);
        }
    }
    free(k.seen);
    free(k.stops);
    free(k.acquired);
    free(k.moved_at);
    vec_free(&k.work);
}
