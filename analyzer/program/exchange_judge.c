/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Judges what is put under a lock and taken out by another thread, as a hand-off: the uses after the lock is released against
 * what those who take it out do with it.
 * Stands on exchange.h and boundary_walk.h. */
#include "boundary_walk.h"
#include "exchange.h"

/* What of a taken object the hand-off is about: itself, or what its member `inner` points to. The root that p lies in, or 0. */
static place_id root_of(const struct taker *t, const struct taken_use *use, uint32_t inner) {
    const struct region_flow *f = t->flow;
    if (t->inner || !inner)
        return t->inner == inner ? use->item : 0;
    for (place_id p = use->event->place; p && p != use->item; p = f->places[p].a) {
        const struct place *at = &f->places[p], *member = &f->places[at->a];
        bool loaded = at->op == PLACE_DEREF || at->op == PLACE_LOADED;
        if (loaded && member->op == PLACE_FIELD && member->b == inner && member->a == use->item)
            return p;
    }
    return 0;
}

struct other_side {
    struct other_gives order; /* what it gives after it took the object */
    bool frees;
};

/* One who takes it: which use of it ends it, and which conflict with uses on this side. */
static void compare_taker(struct exchange *x, struct handoff *h, const struct walk *w, const struct taker *t,
                          struct other_side *side) {
    const struct handoff_spec *s = h->at->spawn;
    const bool apart = w->uses.n && exchange_apart(x, h->func, t->flow->func);
    side->order.given |= t->flow->gives;
    for (size_t i = 0; i < t->uses.n; i++) {
        const struct taken_use *use = &t->uses.at[i];
        const struct region_event *theirs = use->event;
        place_id root = root_of(t, use, s->inner);
        if (!root)
            continue;
        bool ends = theirs->op == REGION_FREE && theirs->place == root && !(theirs->flags & REGION_MAYBE);
        if (ends || !h->taken) {
            h->taken = theirs;
            h->taken_in = t->flow->func;
        }
        if (ends) {
            side->frees = true;
            side->order.awaited |= use->since;
        }
        if (!apart || !boundary_is_access(theirs) || (theirs->flags & REGION_MAYBE))
            continue;
        place_id there = place_rebase(t->flow, theirs->place, root, (struct region_flow *)h->flow, h->region);
        for (size_t k = 0; there && k < w->uses.n; k++) {
            const struct region_event *mine = w->uses.at[k].event;
            const struct carrier_side here = {.entry = h->func, .func = mine->func, .event = mine->event},
                                      other = {.func = theirs->func};
            if ((mine->locks & s->locks) ||
                !boundary_conflicting(h->flow, mine, mine->place, theirs, there) ||
                carriers_order(x->b->carriers, boundary_released(x->p, w, mine), use->since,
                               boundary_after(w, mine->func), other) ||
                carriers_order(x->b->carriers, t->flow->gives, w->uses.at[k].acquired, other, here))
                continue;
            struct conflict c = {.mine = mine, .theirs = theirs, .entry = t->flow->func};
            boundary_add_conflict(x->p, x->b, h, c,
                                  place_within(h->flow, there, mine->place) ? there : mine->place);
        }
    }
}

static size_t first_through(const struct exchange *x, uint32_t function) {
    size_t low = 0, high = x->throughs.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (x->throughs.at[middle].call->function < function)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Is the function that was put beside it called with it, by somebody who may have it from here? */
static bool calls_what_is_put(const struct exchange *x, const struct handoff *h, uint32_t function,
                              const struct through *by) {
    const struct handoff_spec *s = h->at->spawn;

    return by->call->function == function && by->call->argument == (s->inner ? s->inner : s->slot) &&
           (s->slot ? exchange_crosses(x, h->func, by->flow->func) : by->flow->func == s->starter);
}

/* The function that was put beside it is called with it: then it is as if that were the entry of a thread. */
static bool compare_functions(struct exchange *x, struct handoff *h, const struct walk *w,
                              struct other_side *side) {
    const struct handoff_spec *s = h->at->spawn;
    bool called = false;
    for (uint32_t i = 0; i < s->n_functions; i++)
        for (size_t k = first_through(x, s->functions[i].field); k < x->throughs.n; k++) {
            const struct region_flow *f = x->throughs.at[k].flow;
            const struct call_through *t = x->throughs.at[k].call;
            if (t->function != s->functions[i].field)
                break;
            if (!calls_what_is_put(x, h, t->function, &x->throughs.at[k]))
                continue;
            called = true;
            h->taken_in = f->func;
            const struct region_flow *entry =
                s->functions[i].func ? regions_flow(x->b->regions, s->functions[i].func) : NULL;
            side->order.given |= f->gives | (entry ? entry->gives : UINT64_MAX);
            if (!entry || s->n_entries)
                continue;
            ((struct handoff_spec *)s)->entries[((struct handoff_spec *)s)->n_entries++] =
                s->functions[i].func;
            if (t->index < 64 && entry->frees_always >> t->index & 1) {
                side->frees = h->entry_frees = true;
                side->order.awaited |= entry->waits;
            }
            if (s->slot && !exchange_apart(x, h->func, f->func))
                continue;
            struct walk unordered = {.regions = w->regions,
                                     .flow = w->flow,
                                     .start = w->start,
                                     .region = w->region,
                                     .returns = w->returns};
            for (size_t u = 0; u < w->uses.n; u++)
                if (!(w->uses.at[u].acquired & f->gives))
                    vec_push(&unordered.uses, w->uses.at[u]);
            boundary_compare(x->p, x->b, h, &unordered,
                             (struct other_end){.entry = s->functions[i].func, .argument = t->index});
            walk_free(&unordered);
        }
    return called;
}

static bool counts_references(const struct exchange *x, const struct handoff_spec *s) {
    const struct unit *u = x->p->funcs.at[s->typed_in].unit->unit;
    ir_type t = s->type ? type_struct(u, s->type) : 0;
    return t && traits_refcount_of(x->b->traits, u, t).kind != REFCOUNT_NONE;
}

static bool is_function(const struct exchange *x, const struct handoff_spec *s) {
    const struct unit *u = x->p->funcs.at[s->typed_in].unit->unit;
    ir_type t = s->type ? type_plain(u, s->type) : 0;
    if (t && u->types[t].kind == IR_T_FUNCTION)
        return true;
    uint32_t slot = s->inner ? s->inner : s->slot;
    if (slot & SLOT_GLOBAL)
        return false;
    u = x->p->fields.at[slot].unit->unit;
    t = type_plain(u, u->fields[x->p->fields.at[slot].field].type);
    return u->types[t].kind == IR_T_POINTER &&
           u->types[type_plain(u, u->types[t].elem)].kind == IR_T_FUNCTION;
}

/* Is this use of what a member points to told of already, as a use of what holds the member? */
static bool told_of_holder(const struct exchange *x, const struct handoff *h) {
    for (size_t i = x->b->handoffs.n; i-- > 0;) {
        const struct handoff *other = &x->b->handoffs.at[i];
        if (other->flow != h->flow || other->at->event != h->at->event)
            return false;
        if (other->later && h->later && other->later->event == h->later->event)
            return true;
    }
    return false;
}

/* Does the call that puts take the object from its caller whatever happens: frees it where it does not put it? Then no waiting makes
 * a use right. */
static bool consumed(struct exchange *x, const struct handoff *h) {
    const struct region_flow *f = h->flow;
    bool all = true, any = false;
    for (size_t i = 0; i < f->calls.n; i++) {
        const struct region_callsite *c = &f->calls.at[i];
        const struct region_flow *callee =
            c->event == h->at->event ? regions_flow(x->b->regions, c->func) : NULL;
        bool this = false;
        for (uint32_t k = 0; callee && k < c->n_args && k < 64; k++)
            this |= f->args.at[c->first_arg + k] == VALUE_OF(VALUE_POINTER, h->region) &&
                    (callee->loses & callee->may_free) >> k & 1;
        any |= this;
        all &= c->event != h->at->event || this;
    }
    return any && all;
}

static bool takes_what_is_put(struct exchange *x, const struct handoff *h, const struct taker *t) {
    return t->removes && exchange_container(x, h->at->spawn->slot) == exchange_container(x, t->slot) &&
           exchange_crosses(x, h->func, t->flow->func);
}

/* Of most that is put nobody is known who takes it: then there is no need to look at what is done with it here. */
static bool anybody_takes(struct exchange *x, const struct handoff *h) {
    const struct handoff_spec *s = h->at->spawn;

    if (s->starter)
        return true;
    for (uint32_t i = 0; i < s->n_functions; i++)
        for (size_t k = first_through(x, s->functions[i].field);
             k < x->throughs.n && x->throughs.at[k].call->function == s->functions[i].field; k++)
            if (calls_what_is_put(x, h, s->functions[i].field, &x->throughs.at[k]))
                return true;
    for (size_t i = 0; s->slot && i < x->takers.n; i++)
        if (takes_what_is_put(x, h, &x->takers.at[i]))
            return true;
    return false;
}

static void judge_put(struct exchange *x, struct handoff h) {
    const struct handoff_spec *s = h.at->spawn;
    bool taken = false;
    if (is_function(x, s) || !anybody_takes(x, &h))
        return;
    struct walk w = {.regions = x->b->regions, .flow = h.flow, .start = h.at, .region = h.region};
    struct other_side side = {0};
    walk_from(&w);
    if (s->n_functions && compare_functions(x, &h, &w, &side)) {
        taken = true;
    } else if (s->starter) {
        struct other_end end = {.entry = s->starter, .argument = s->parameter, .inner = s->inner};
        const struct region_flow *entry = regions_flow(x->b->regions, s->starter);
        side.order.given = entry ? entry->gives : UINT64_MAX;
        h.many = w.again;
        h.taken_in = s->starter;
        taken = boundary_compare(x->p, x->b, &h, &w, end);
        boundary_compare_others(x->p, x->b, &h, &w, end);
    } else {
        for (size_t i = 0; s->slot && i < x->takers.n; i++) {
            if (takes_what_is_put(x, &h, &x->takers.at[i])) {
                compare_taker(x, &h, &w, &x->takers.at[i], &side);
                taken = true;
            }
        }
        taken = taken && h.taken;
    }
    if (!taken) {
        walk_free(&w);
        return;
    }
    if (counts_references(x, s)) {
        h.n_conflicts = 0;
    } else {
        if (!s->inner && consumed(x, &h)) {
            side.order.given = side.order.awaited = 0;
            side.frees = h.consumed = true;
        }
        if (side.frees) {
            h.later = boundary_first_use(x->b, &w, side.order);
            h.n_conflicts = 0;
        }
        boundary_note_death(x->p, &h, &w, side.order);
    }
    if (s->inner && told_of_holder(x, &h))
        h.later = NULL;
    bool at_once = w.again;
    for (size_t i = 0; i < w.uses.n; i++)
        at_once |= !(w.uses.at[i].acquired & side.order.given);
    h.verdict = h.consumed              ? h.later ? HANDOFF_SHARED : HANDOFF_SENT
                : at_once               ? HANDOFF_SHARED
                : w.joined              ? HANDOFF_LENT
                : w.uses.n || w.unknown ? HANDOFF_UNKNOWN
                                        : HANDOFF_SENT;
    vec_push(&x->b->handoffs, h);
    walk_free(&w);
}

/* One object put in several slots of one container, at its head and at its tail, is handed over once. */
static bool put_before(const struct exchange *x, const struct handoff *h) {
    for (size_t i = x->b->handoffs.n; i-- > 0 && x->b->handoffs.at[i].flow == h->flow;) {
        const struct handoff *other = &x->b->handoffs.at[i];
        if (other->at->op == REGION_PUT && other->at->event == h->at->event && other->region == h->region &&
            other->at->spawn->inner == h->at->spawn->inner)
            return true;
    }
    return false;
}

/* Containers first, then the links of their items, which name them worse. */
void exchange_judge(struct exchange *x) {
    for (size_t i = 0; i < x->p->order.n; i++) {
        const struct region_flow *f = regions_flow_within(x->b->regions, x->p->order.at[i]);
        for (unsigned links = 0; f && links < 2; links++)
            for (size_t k = 0; k < f->control.n; k++) {
                const struct region_event *e = &f->events[f->control.at[k]];
                struct handoff h = {.func = f->func, .flow = f, .at = e, .region = e->place};
                if (e->op == REGION_PUT && exchange_is_link(x->p, e->spawn->slot) == links &&
                    !put_before(x, &h))
                    judge_put(x, h);
            }
    }
}
