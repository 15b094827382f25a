/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who takes out of a slot under its lock, and what does he do with it without that lock?
 * Stands on exchange.h. */
#include "exchange.h"

#include <string.h>
#include "../base/alloc.h"

enum { MAX_RETURNS = 3 }; /* functions that a taken object is returned through */

static bool has_item(const struct taker *t, place_id p) {
    for (size_t i = 0; i < t->items.n; i++)
        if (t->items.at[i] == p)
            return true;
    return false;
}

/* Fill in item_of for the places that there are by now: each stands behind those that it lies in. */
static void find_items(struct taker *t) {
    const struct region_flow *f = t->flow;
    const place_id first = (place_id)t->item_of.n;
    vec_reserve(&t->item_of, f->n_places - first);
    memset(t->item_of.at + first, 0, (f->n_places - first) * sizeof *t->item_of.at);
    t->item_of.n = f->n_places;
    for (size_t i = 0; i < t->items.n; i++)
        t->item_of.at[t->items.at[i]] = t->items.at[i];
    for (place_id p = first; p < f->n_places; p++) {
        const struct place *at = &f->places[p];
        const bool within =
            at->op == PLACE_FIELD || at->op == PLACE_INDEX || at->op == PLACE_DEREF || at->op == PLACE_LOADED;
        if (within && !t->item_of.at[p])
            t->item_of.at[p] = t->item_of.at[at->a];
    }
}

/* The item that p lies in, or is reached from; 0: none. */
static place_id item_of(struct taker *t, place_id p) {
    if (p >= t->item_of.n)
        find_items(t);
    return t->item_of.at[p];
}

static bool is_item(struct taker *t, place_id p) {
    return p && item_of(t, p) == p;
}

/* Where paths meet, the item may be one of several. */
static void close_items(struct taker *t) {
    const struct region_flow *f = t->flow;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < f->phis.n; i++)
            if (has_item(t, f->phis.at[i].source) && !has_item(t, f->phis.at[i].phi)) {
                vec_push(&t->items, f->phis.at[i].phi);
                changed = true;
            }
    }
}

/* Is what is written the slot, or for an array a member beside it? */
static bool takes_out(struct exchange *x, uint32_t slot, uint32_t written, bool element) {
    bool global = (slot & written & SLOT_GLOBAL) != 0;
    bool beside =
        !((slot | written) & SLOT_GLOBAL) && x->p->fields.at[slot].parent == x->p->fields.at[written].parent;
    return exchange_container(x, slot) == exchange_container(x, written) || (element && (global || beside));
}

/* What f itself writes under locks. */
static void find_writes(struct exchange *x, const struct region_flow *f) {
    vec_clear(&x->writes);
    x->writes_of = f;
    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        const uint64_t locks = e->locks | x->held[f->func];
        const uint32_t slot = e->op == REGION_WRITE && locks ? place_slot(f, e->place) : 0;
        if (slot)
            vec_push(&x->writes, ((struct slot_write){slot, locks}));
    }
}

/* Does f, or what it calls with the container `in`, take out of the slot in a section of the lock what it loads from there? */
static bool removes(struct exchange *x, const struct region_flow *f, uint32_t slot, uint64_t locks,
                    bool element, place_id in) {
    if (x->writes_of != f)
        find_writes(x, f);
    for (size_t i = 0; i < x->writes.n; i++)
        if ((x->writes.at[i].locks & locks) && takes_out(x, slot, x->writes.at[i].slot, element))
            return true;
    if (!regions_may_write(x->b->regions, f, place_object(f, in), region_slot_bit(x->p, slot)))
        return false;
    struct lifted_touches lifted = regions_lifted(x->b->regions, f, place_object(f, in));
    for (uint32_t i = 0; i < lifted.n; i++) {
        const struct region_event *e = &lifted.at[i];
        const bool writes = e->op == REGION_WRITE && ((e->locks | x->held[f->func]) & locks);
        const uint32_t written = writes ? place_slot(f, e->place) : 0;
        if (written && takes_out(x, slot, written, element))
            return true;
    }
    return false;
}

/* ---- what becomes of it: forward from where it is taken, to where it is taken again ---- */

static void note_use(struct taker *t, const struct region_event *e, place_id item, uint64_t since) {
    for (size_t i = 0; i < t->uses.n; i++)
        if (t->uses.at[i].event == e) {
            t->uses.at[i].since |= since;
            return;
        }
    struct taken_use use = {e, item, since};
    vec_push(&t->uses, use);
}

/* What callees do to the items, and to what they point to, by the number of f's event. */
struct callees {
    VEC(const struct region_event *) at;
};

static int by_event(const void *x, const void *y) {
    const struct region_event *a = *(const struct region_event *const *)x,
                              *b = *(const struct region_event *const *)y;
    if (a->event != b->event)
        return a->event < b->event ? -1 : 1;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return (a > b) - (a < b); /* of one list */
}

static void add_callees(struct exchange *x, struct taker *t, place_id object, struct callees *out) {
    struct lifted_touches lifted = regions_lifted(x->b->regions, t->flow, object);
    for (uint32_t i = 0; i < lifted.n; i++)
        if (item_of(t, lifted.at[i].place))
            vec_push(&out->at, &lifted.at[i]);
}

static void find_callees(struct exchange *x, struct taker *t, struct callees *out) {
    struct region_flow *f = (struct region_flow *)t->flow;
    uint32_t first = exchange_inners(x, t->slot), n;
    for (size_t i = 0; i < t->items.n; i++) {
        if (place_object(f, t->items.at[i]) == t->items.at[i])
            add_callees(x, t, t->items.at[i], out);
        for (uint32_t k = first; k; k = x->inners.at[k - 1].next)
            if (x->inners.at[k - 1].member)
                (void)place_make(f, PLACE_DEREF,
                                 place_make(f, PLACE_FIELD, t->items.at[i], x->inners.at[k - 1].member), 0);
    }
    n = f->n_places;
    for (place_id q = 1; q < n; q++) /* what they point to */
        if ((f->places[q].op == PLACE_DEREF || f->places[q].op == PLACE_LOADED) && !is_item(t, q) &&
            item_of(t, q))
            add_callees(x, t, q, out);
    if (out->at.n > 1)
        qsort(out->at.at, out->at.n, sizeof *out->at.at, by_event);
}

static bool is_use(const struct region_event *e) {
    return e->op == REGION_READ || e->op == REGION_WRITE || e->op == REGION_FREE || e->op == REGION_PASS ||
           e->op == REGION_SEND || e->op == REGION_SPAWN || e->op == REGION_PUT || e->op == REGION_RETURN;
}

static uint64_t through(struct taker *t, const struct callees *callees, uint32_t block, ir_event from,
                        uint64_t since, bool *ends) {
    const struct region_flow *f = t->flow;
    const struct unit *u = f->unit->unit;
    const struct ir_block_rec *b = &u->blocks[u->funcs[f->p->funcs.at[f->func].func].blocks.first + block];
    size_t at = 0;
    while (at < callees->at.n && callees->at.at[at]->event < from)
        at++;
    for (ir_event ev = from; ev < b->events.first + b->events.count; ev++) {
        if (ev == t->event) {
            *ends = true;
            return since;
        }
        for (; at < callees->at.n && callees->at.at[at]->event == ev; at++)
            note_use(t, callees->at.at[at], item_of(t, callees->at.at[at]->place), since);
        for (uint32_t i = f->first[ev - f->first_event]; i < f->first[ev - f->first_event + 1]; i++) {
            const struct region_event *e = &f->events[i];
            place_id item = is_use(e) ? item_of(t, e->place) : 0;
            if (item)
                note_use(t, e, item, since);
            since |= e->waits;
        }
    }
    for (uint32_t i = f->branch_first[block]; i < f->branch_first[block + 1]; i++) {
        place_id item = item_of(t, f->events[i].place);
        if (item)
            note_use(t, &f->events[i], item, since);
    }
    return since;
}

static void follow(struct exchange *x, struct taker *t) {
    const struct region_flow *f = t->flow;
    struct callees callees = {0};
    find_callees(x, t, &callees);
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->p->funcs.at[f->func].func];
    uint64_t *since = xcalloc(fr->blocks.count, sizeof *since);
    bool *seen = xcalloc(fr->blocks.count, sizeof *seen);
    VEC(uint32_t) work = {0};
    ir_event from = 0;
    for (uint32_t b = 0; b < fr->blocks.count && !from; b++) {
        struct ir_range ev = u->blocks[fr->blocks.first + b].events;
        if (t->event >= ev.first && t->event - ev.first < ev.count) {
            from = t->event + 1;
            vec_push(&work, b);
        }
    }
    while (work.n) {
        uint32_t b = vec_pop(&work);
        const struct ir_block_rec *rec = &u->blocks[fr->blocks.first + b];
        bool ends = false;
        uint64_t out = through(t, &callees, b, from ? from : rec->events.first, since[b], &ends);
        from = 0;
        for (uint32_t i = 0; i < rec->succs.count && !ends; i++) {
            uint32_t to = u->succs[rec->succs.first + i].block - fr->blocks.first;
            if (!seen[to] || (out & ~since[to])) {
                seen[to] = true;
                since[to] |= out;
                vec_push(&work, to);
            }
        }
    }
    vec_free(&callees.at);
    vec_free(&work);
    free(since);
    free(seen);
}

static void add_taker(struct exchange *x, struct taker t, unsigned depth);

/* The member of an item that p was loaded from; 0: none. */
static uint32_t member_of_item(struct taker *t, place_id p) {
    const struct place *at = &t->flow->places[p], *member = &t->flow->places[at->a];
    bool loaded = at->op == PLACE_DEREF || at->op == PLACE_LOADED;
    return loaded && member->op == PLACE_FIELD && is_item(t, member->a) ? member->b : 0;
}

/* Whoever calls f and gets it, or what its member `inner` points to, from there. `out` is 0 for the result, or the number of the argument, from 1, that it is stored in. */
static void hand_up(struct exchange *x, const struct taker *t, uint32_t inner, uint32_t out, unsigned depth) {
    const struct linked_func *lf = &x->p->funcs.at[t->flow->func];
    for (uint32_t i = 0; depth < MAX_RETURNS && i < lf->n_callers; i++) {
        const struct call_edge *edge = &x->p->edges.at[lf->callers[i]];
        const struct region_flow *f = edge->callback ? NULL : regions_flow(x->b->regions, edge->caller);
        if (!f || edge->caller == t->flow->func)
            continue;
        struct taker up = {.flow = f,
                           .slot = t->slot,
                           .inner = inner,
                           .event = edge->event,
                           .locks = t->locks,
                           .removes = t->removes};
        vec_push(&up.items, place_make((struct region_flow *)f, PLACE_RESULT, edge->event, out));
        add_taker(x, up, depth + 1);
    }
}

static void add_taker(struct exchange *x, struct taker t, unsigned depth) {
    const struct region_flow *f = t.flow;
    enum { MOST = 4000 };
    bool up = false, outside = false;
    uint32_t inner = 0;
    close_items(&t);
    follow(x, &t);
    for (size_t i = 0; i < t.uses.n; i++) {
        const struct region_event *e = t.uses.at[i].event;
        if (e->op == REGION_RETURN && e->place == t.uses.at[i].item)
            up = true;
        else if (e->op == REGION_RETURN && !t.inner && member_of_item(&t, e->place))
            inner = member_of_item(&t, e->place);
        outside |=
            e->op == REGION_FREE || (!((e->locks | x->held[f->func]) & t.locks) && e->op != REGION_RETURN);
    }
    if (up)
        hand_up(x, &t, t.inner, 0, depth);
    if (inner)
        hand_up(x, &t, inner, 0, depth);
    for (size_t i = 0; i < f->control.n; i++) {
        const struct region_event *e = &f->events[f->control.at[i]];
        if (e->op == REGION_KEEP && f->places[e->into].op == PLACE_PARAM && is_item(&t, e->place))
            hand_up(x, &t, t.inner, f->places[e->into].a + 1, depth);
    }
    vec_free(&t.item_of);
    if (outside && x->takers.n < MOST) {
        vec_push(&x->takers, t);
    } else {
        vec_free(&t.items);
        vec_free(&t.uses);
    }
}

/* Members of a struct that was copied out of a slot, a ring of jobs. */
static void find_copied(struct exchange *x, const struct region_flow *f, place_id q) {
    const struct place loaded = f->places[q], member = f->places[loaded.a];
    for (size_t i = 0; member.op == PLACE_FIELD && i < f->copies.n; i++) {
        const struct struct_copy *copy = &f->copies.at[i];
        uint32_t slot = copy->to == member.a && !place_is_own(f, copy->from) ? place_slot(f, copy->from) : 0;
        uint64_t locks = slot ? f->locks_at[copy->event - f->first_event] | x->held[f->func] : 0;
        bool wanted = locks && exchange_inners(x, member.b);
        if (!wanted || locks == UINT64_MAX || !removes(x, f, slot, locks, true, copy->from))
            continue;
        struct taker t = {.flow = f, .slot = member.b, .event = copy->event, .locks = locks, .removes = true};
        vec_push(&t.items, q);
        add_taker(x, t, 0);
    }
}

/* Where f loads from the place under a lock; 0: nowhere. */
static ir_event load_under_lock(const struct region_flow *f, place_id from, uint64_t held) {
    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        if (e->op == REGION_READ && e->place == from && (e->locks | held) && e->locks != UINT64_MAX &&
            !(e->flags & REGION_LIFTED))
            return e->event;
    }
    return 0;
}

static void find_in(struct exchange *x, const struct region_flow *f) {
    uint32_t n = f->n_places; /* more are made meanwhile */
    for (place_id q = 1; q < n; q++) {
        const struct place loaded = f->places[q];
        if (loaded.op != PLACE_LOADED && loaded.op != PLACE_DEREF)
            continue;
        find_copied(x, f, q);
        uint32_t slot = place_slot(f, loaded.a);
        bool wanted = slot && exchange_inners(x, slot);
        ir_event at = !wanted                     ? 0
                      : loaded.op == PLACE_LOADED ? loaded.b
                                                  : load_under_lock(f, loaded.a, x->held[f->func]);
        uint64_t locks = at ? f->locks_at[at - f->first_event] | x->held[f->func] : 0;
        if (!locks || locks == UINT64_MAX || place_is_own(f, loaded.a) ||
            !removes(x, f, slot, locks, f->places[loaded.a].op == PLACE_INDEX, loaded.a))
            continue;
        struct taker t = {.flow = f, .slot = slot, .event = at, .locks = locks, .removes = true};
        vec_push(&t.items, q);
        add_taker(x, t, 0);
    }
}

/* A helper that takes out of a queue is called with the queue's lock held: what all calls in sight hold, down the calls. Callers
 * come first, so that one pass is enough but for recursion. */
static void find_held(struct exchange *x) {
    const struct program *p = x->p;
    uint64_t *now = xcalloc(p->funcs.n + 1, sizeof *now), *held = xcalloc(p->funcs.n + 1, sizeof *held);
    memset(held, 0xff, (p->funcs.n + 1) * sizeof *held);
    for (bool changed = true; changed;) {
        memcpy(now, held, (p->funcs.n + 1) * sizeof *now);
        for (uint32_t i = 0; i < x->n_entries; i++)
            now[x->entries[i]] = 0;
        for (size_t i = p->order.n; i-- > 0;) {
            const struct region_flow *f = regions_flow_within(x->b->regions, p->order.at[i]);
            for (size_t k = 0; f && k < f->calls.n; k++) {
                const uint64_t outer = now[f->func] == UINT64_MAX ? 0 : now[f->func];
                now[f->calls.at[k].func] &= (f->calls.at[k].locks & CLASS_MUTEXES) | outer;
            }
        }
        changed = memcmp(now, held, (p->funcs.n + 1) * sizeof *now) != 0;
        memcpy(held, now, (p->funcs.n + 1) * sizeof *held);
    }
    for (size_t i = 0; i <= p->funcs.n; i++)
        held[i] = held[i] == UINT64_MAX ? 0 : held[i]; /* nobody in sight calls it */
    x->held = held;
    free(now);
}

void exchange_find_takers(struct exchange *x) {
    find_held(x);
    for (size_t i = 0; i < x->p->order.n; i++) {
        const struct region_flow *f = regions_flow_within(x->b->regions, x->p->order.at[i]);
        if (f)
            find_in(x, f);
    }
}
