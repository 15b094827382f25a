/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Collects the edges of the lock graph while functions are solved.
 * Stands on lock_order.h; lock_cycle.c looks for cycles. */
#include "lock_order.h"
#include "lock_relation.h"

#include <string.h>
#include "../base/alloc.h"

#define MAX_WAITED 64u /* locks held at once, of which edges to the next are kept */
#define MAX_ORDERS 32u /* edges on parameters that one function hands to its callers */

static uint64_t class_in(const struct term_table *t, term lock) {
    uint64_t members = 0;

    for (term x = lock;; x = t->recs[x].a)
        if (t->recs[x].op == TERM_FIELD)
            members = hash_add(members, t->recs[x].b);
        else if (t->recs[x].op != TERM_INDEX && t->recs[x].op != TERM_SOME)
            break;
    return members ? members : class_known(term_class(t, lock)) ? class_key(term_class(t, lock)) : 0;
}

uint64_t order_class(const struct program *p, term lock) {
    return class_in(&p->paths, lock);
}

/* The same members of an object of which nothing is known. */
static term members_of_some(struct solver *s, term lock) {
    const struct term_rec r = *term_at(&s->t, lock);

    if (r.op == TERM_FIELD)
        return term_make(&s->p->paths, TERM_FIELD, members_of_some(s, r.a), r.b, 0);
    return r.op == TERM_INDEX || r.op == TERM_SOME ? members_of_some(s, r.a)
                                                   : term_make(&s->p->paths, TERM_OPAQUE, 0, 0, 0);
}

/* "Some object of that class": what cannot be said in callers' words. */
static term some_of_class(struct solver *s, term lock) {
    const struct object_class c = term_class(&s->t, lock);
    struct term_table *paths = &s->p->paths;

    if (c.field)
        return members_of_some(s, lock);
    if (c.global)
        return term_make(paths, TERM_INDEX, term_make(paths, TERM_GLOBAL, c.global, 0, 0), 0, 0);
    return 0;
}

static term sayable(struct solver *s, term lock) {
    const term path = s->t.recs[lock].op == TERM_SOME ? 0 : to_path(s, NULL, lock, 0);

    return path ? path : some_of_class(s, lock);
}

static bool mentions_param(const struct term_table *t, term x) {
    const struct term_rec r = *term_at(t, x);

    switch (r.op) {
    case TERM_PARAM:
    case TERM_RESULT: return true;
    case TERM_FIELD:
    case TERM_LOAD:
    case TERM_UNARY: return mentions_param(t, r.a);
    case TERM_INDEX:
    case TERM_BINARY: return mentions_param(t, r.a) || (r.b && mentions_param(t, r.b));
    default: return false;
    }
}

bool order_concrete(const struct program *p, term x) {
    const struct term_rec r = *term_at(&p->paths, x);

    switch (r.op) {
    case TERM_GLOBAL:
    case TERM_TOKEN: return true;
    case TERM_FIELD: return order_concrete(p, r.a);
    case TERM_INDEX: return r.b && term_at(&p->paths, r.b)->op == TERM_CONST && order_concrete(p, r.a);
    default: return false;
    }
}

static bool counts(const struct solver *s, const struct held *h, term lock) {
    return (h->mode == HELD_EXCLUSIVE || h->mode == HELD_SHARED) && !(h->flags & HELD_MAYBE) &&
           h->lock != lock && !term_same_shape(&s->t, h->lock, lock);
}

/* Do the world's facts compare the addresses of the two locks, or of the objects they are in? Then there is an order. */
static bool by_address(const struct solver *s, const struct world *w, term x, term y) {
    for (uint32_t i = 0; i < w->n_facts; i++) {
        const struct term_rec r = s->t.recs[w->facts[i].of];
        if (r.op != TERM_BINARY || r.c < IR_B_LT || r.c > IR_B_GE || !r.a || !r.b)
            continue;
        if ((term_mentions(&s->t, x, r.a) && term_mentions(&s->t, y, r.b)) ||
            (term_mentions(&s->t, x, r.b) && term_mentions(&s->t, y, r.a)))
            return true;
    }
    return false;
}

static void add_gate(struct order_edge *e, term gate) {
    for (uint32_t i = 0; i < e->n_gates; i++)
        if (e->gates[i] == gate)
            return;
    if (e->n_gates < MAX_GATES && gate != e->from && gate != e->to)
        e->gates[e->n_gates++] = gate;
}

static void gates_of(struct solver *s, const struct world *w, struct order_edge *e) {
    for (uint32_t i = 0; i < w->n_held && e->n_gates < MAX_GATES; i++) {
        const struct held *h = &w->held[i];
        const term path =
            h->mode == HELD_EXCLUSIVE && !(h->flags & HELD_MAYBE) ? to_path(s, NULL, h->lock, 0) : 0;
        if (path)
            add_gate(e, path);
    }
}

/* Gates are what is held whenever the edge is walked. */
static void keep_common(struct order_edge *e, const struct order_edge *other) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < e->n_gates; i++)
        for (uint32_t k = 0; k < other->n_gates; k++)
            if (e->gates[i] == other->gates[k]) {
                e->gates[n++] = e->gates[i];
                break;
            }
    e->n_gates = n;
    if (other->relation == RELATED_NOT)
        e->relation = RELATED_NOT;
    e->from_shared &= other->from_shared;
    e->to_shared &= other->to_shared;
}

/* Two objects of one class: both may be just "some" of it in callers' words, and are two all the same. */
static bool one_class(const struct solver *s, term from, term to) {
    const uint64_t c = class_in(&s->t, from);

    return c && c == class_in(&s->t, to) && !term_same_shape(&s->t, from, to);
}

/* Only for the first edge between the two at a call: names are dear. */
static void name_edge(struct solver *s, struct order_edge *e, term from, term to) {
    e->from_here = print_place(s, from);
    e->to_here = print_place(s, to);
    if (!e->origin.func) {
        e->origin = (struct site){s->func, s->u->events[e->event].loc};
        e->from_name = e->from_here;
        e->to_name = e->to_here;
    }
}

static void add_edge(struct solver *s, const struct world *w, term from, term to, struct order_edge *e) {
    bool fresh;
    uint32_t *slot;

    e->from = sayable(s, from);
    e->to = sayable(s, to);
    if (!e->from || !e->to || (e->from == e->to && !one_class(s, from, to)))
        return;
    if (by_address(s, w, from, to))
        return;
    if (e->relation != RELATED_ORDERED && one_class(s, from, to))
        e->relation = lock_relation(s, from, to, &e->link);
    e->func = s->func;
    gates_of(s, w, e);
    slot = map64_place(&s->order_of, hash_add(key_pair(e->from, e->to), e->event), &fresh);
    if (!fresh) {
        keep_common(&s->orders.at[*slot], e);
        return;
    }
    name_edge(s, e, from, to);
    *slot = (uint32_t)s->orders.n;
    vec_push(&s->orders, *e);
}

/* Does the callee, on some way, destroy a lock of the held one's class? Then what it takes on that way is taken with none held:
 * the last reference of an object is not given up under the object's own lock (destroy-held looks after that). */
static bool destroys_such(const struct solver *s, const struct summary *callee, const struct held *h) {
    const struct object_class c = term_class(&s->t, h->lock);

    for (uint32_t i = 0; i < callee->n_destroys; i++)
        if (class_known(c) && class_equal(c, term_class(&s->p->paths, callee->destroys[i])))
            return true;
    return false;
}

/* Does the call return with that lock, as a lock function or its wrapper does, rather than take it on the way? */
static bool returns_with(const struct summary *callee, struct site inner) {
    if (!inner.func)
        return true;
    for (uint32_t i = 0; i < callee->n_outcomes; i++)
        for (uint32_t k = 0; k < callee->outcomes[i].n_effects; k++) {
            const struct lock_effect *e = &callee->outcomes[i].effects[k];
            if (e->kind == EFFECT_ACQUIRE && e->site.func == inner.func && e->site.loc == inner.loc)
                return true;
        }
    return false;
}

void order_wait(struct solver *s, const struct world *w, const struct summary *callee, term lock, bool shared,
                struct site inner, ir_event event, uint32_t func, const struct inner_lock *below) {
    if (w->n_held > MAX_WAITED)
        (void)note(s, (struct noted){.kind = NOTED_TOO_MANY});
    for (uint32_t i = 0; i < w->n_held && i < MAX_WAITED; i++) {
        const struct held *h = &w->held[i];
        struct order_edge e;
        if (!counts(s, h, lock) || destroys_such(s, callee, h))
            continue;
        memset(&e, 0, sizeof e);
        e.from_shared = h->mode == HELD_SHARED;
        e.to_shared = shared;
        e.event = event;
        e.held_at = h->event ? s->u->events[h->event].loc : 0;
        e.held_event = h->event;
        e.inner = inner;
        if (below && inner.func) {
            e.callee = func;
            e.callee_to = below->lock;
            e.depth = below->depth + 1;
        }
        e.direct = returns_with(callee, inner);
        add_edge(s, w, h->lock, lock, &e);
    }
}

static void remember_held(struct solver *s, const struct world *w, ir_event event) {
    struct lock_order *o = s->p->lock_order;
    struct held_at_call now = {s->func, event, {0}, 0, s->pass}, *old;
    struct order_edge all;
    uint32_t *slot = &s->lu->held_locks[event];

    memset(&all, 0, sizeof all);
    gates_of(s, w, &all);
    now.n = all.n_gates;
    memcpy(now.locks, all.gates, sizeof now.locks);
    if (!*slot) {
        vec_push(&o->held_calls, now);
        *slot = (uint32_t)o->held_calls.n;
        return;
    }
    old = &o->held_calls.at[*slot - 1];
    if (old->pass != s->pass) { /* solved again */
        *old = now;
        return;
    }
    for (uint32_t i = 0; i < old->n;) {
        bool both = false;
        for (uint32_t k = 0; k < now.n; k++)
            both |= old->locks[i] == now.locks[k];
        if (both)
            i++;
        else
            old->locks[i] = old->locks[--old->n];
    }
}

void order_call(struct solver *s, const struct world *w, ir_event event, uint32_t callee,
                const struct summary *sum, const term *args, uint32_t n_args) {
    if (s->p->funcs.at[callee].defined)
        remember_held(s, w, event);
    for (uint32_t i = 0; i < sum->n_orders; i++) {
        const struct order_edge *in = &sum->orders[i];
        const term from = instantiate_again(s, w, in->from, args, n_args),
                   to = instantiate_again(s, w, in->to, args, n_args);
        if (from && to)
            (void)note(s, (struct noted){.kind = NOTED_HANDED_ON,
                                         .func = callee,
                                         .number = i,
                                         .event = in->event,
                                         .from = in->from,
                                         .to = in->to});
        if (!from || !to || from == to || term_same_shape(&s->t, from, to))
            continue;
        struct order_edge e = *in;
        e.event = e.held_event = event;
        e.n_gates = 0;
        for (uint32_t k = 0; k < in->n_gates; k++) {
            const term gate = instantiate_again(s, w, in->gates[k], args, n_args);
            const term path = gate ? to_path(s, NULL, gate, 0) : 0;
            if (path)
                add_gate(&e, path);
        }
        add_edge(s, w, from, to, &e);
    }
}

uint32_t order_next(const struct program *p, uint32_t at, term *lock, ir_event *event) {
    const struct summary *s = p->funcs.at[at].summary;

    for (uint32_t i = 0; s && i < s->n_inner; i++)
        if (s->inner[i].lock == *lock && s->inner[i].via) {
            *event = s->inner[i].via;
            *lock = s->inner[i].via_lock;
            return s->inner[i].via_callee;
        }
    return 0;
}

void order_begin(struct solver *s) {
    vec_clear(&s->orders);
    map64_clear(&s->order_of);
}

static void settle(struct program *p, const struct order_edge *e) {
    struct lock_order *o = p->lock_order;
    const uint64_t key = hash_add(key_pair(e->func, e->event), key_pair(e->from, e->to));
    bool fresh;
    uint32_t *slot = map64_place(&o->seen, key, &fresh);

    if (!fresh) {
        o->edges.at[*slot] = *e;
        return;
    }
    *slot = (uint32_t)o->edges.n;
    vec_push(&o->edges, *e);
    uint32_t *first = map64_place(&o->settled_of, e->func, &fresh);
    vec_push(&o->settled_before, fresh ? 0 : *first);
    *first = (uint32_t)o->edges.n;
}

/* What an earlier round said of the function, of which its component knew less, is void. */
static void forget_settled(struct lock_order *o, uint32_t func) {
    const uint32_t *first = map64_find(&o->settled_of, func);

    for (uint32_t i = first ? *first : 0; i; i = o->settled_before.at[i - 1])
        o->edges.at[i - 1].from = 0;
}

/* What a function hands to its callers, until it is known that one of them could say it in its own words: only where it takes
 * both locks itself, for what is taken far below depends on the way, and so on who calls. */
static void forget_open(struct lock_order *o, uint32_t func) {
    uint32_t *slot = map64_find(&o->open_of, func);

    for (uint32_t i = slot ? *slot : 0; i; i = o->open.at[i - 1].next)
        o->open.at[i - 1].edge.from = 0;
}

static void keep_open(struct lock_order *o, uint32_t func, const struct order_edge *e) {
    bool fresh;
    uint32_t *slot = map64_place(&o->open_of, func, &fresh);
    const struct open_edge kept = {*e, fresh ? 0 : *slot};

    vec_push(&o->open, kept);
    *slot = (uint32_t)o->open.n;
}

void order_settle_open(struct program *p) {
    struct lock_order *o = p->lock_order;

    for (size_t i = 0; i < o->open.n; i++) {
        const struct order_edge *e = &o->open.at[i].edge;
        if (e->from &&
            !map64_find(&o->handed_on, hash_add(key_pair(e->func, e->event), key_pair(e->from, e->to))))
            settle(p, e);
    }
}

void order_forget(struct program *p, const bool *funcs) {
    for (size_t i = 0; i < p->lock_order->open.n; i++)
        if (funcs[p->lock_order->open.at[i].edge.func])
            p->lock_order->open.at[i].edge.from = 0;
    for (size_t i = 0; i < p->lock_order->edges.n; i++)
        if (funcs[p->lock_order->edges.at[i].func])
            p->lock_order->edges.at[i].from = 0;
    for (size_t i = 0; i < p->lock_order->held_calls.n; i++)
        if (funcs[p->lock_order->held_calls.at[i].func])
            p->lock_order->held_calls.at[i].n = p->lock_order->held_calls.at[i].pass = 0;
}

static bool nests_unordered(const struct solver *s, const struct order_edge *e) {
    return e->relation == RELATED_NOT && e->held_event &&
           order_class(s->p, e->from) == order_class(s->p, e->to);
}

void order_finish(struct solver *s) {
    struct order_edge up[MAX_ORDERS];
    uint32_t n = 0;

    forget_open(s->p->lock_order, s->func);
    forget_settled(s->p->lock_order, s->func);
    for (size_t i = 0; i < 2 * s->orders.n; i++) { /* those it takes itself first: there may be too many */
        struct order_edge *e = &s->orders.at[i % s->orders.n];
        if (e->direct != (i < s->orders.n))
            continue;
        const bool open = mentions_param(&s->p->paths, e->from) || mentions_param(&s->p->paths, e->to);
        if (nests_unordered(s, e)) {
            s->unkeyed = true; /* what callees do is read there */
            if (lock_calls_ordered(s->p, s->func, e->held_event, e->event))
                e->relation = RELATED_ORDERED;
        }
        if (open && s->lf->n_callers && n < MAX_ORDERS)
            up[n++] = *e;
        if (open && s->lf->n_callers && e->direct)
            keep_open(s->p->lock_order, s->func, e);
        if (!open || !s->lf->n_callers)
            settle(s->p, e);
    }
    if (n > s->s->n_orders) /* else there is room, from the round before */
        s->s->orders = arena_array(&s->p->arena, struct order_edge, n);
    if (n)
        memcpy(s->s->orders, up, n * sizeof *up);
    s->s->n_orders = n;
}

void lock_order_free(struct lock_order *o) {
    if (!o)
        return;
    vec_free(&o->edges);
    vec_free(&o->cycles);
    vec_free(&o->broken);
    vec_free(&o->nestings);
    vec_free(&o->nested_classes);
    map64_free(&o->seen);
    map64_free(&o->settled_of);
    vec_free(&o->settled_before);
    vec_free(&o->held_calls);
    vec_free(&o->open);
    map64_free(&o->open_of);
    map64_free(&o->compared);
    map64_free(&o->handed_on);
    threads_free(o->threads);
    free(o);
}
