/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Looks for cycles in the lock graph that threads can really close: each edge by another thread at the same
 * time, no common gate, not readers only. Stands on lock_order.h.
 *
 * Nodes are classes of locks. Only edges inside a strongly connected component of the class graph can lie in
 * a cycle; those that say the same of the same instances under the same gates and threads are looked at once.
 * Two locks: each pair of classes is asked for one pair of edges. Three and more: only locks that name one
 * object for sure, since classes are seldom the same objects all the way round. Each component has a budget
 * of its own; what it cuts off is counted. */
#include "lock_order.h"

#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "../base/components.h"

#define BUDGET 4000000u /* comparisons of two edges, per component */

struct kind {                      /* of edge */
    const struct order_edge *edge; /* the first of its kind */
    uint32_t from, to;             /* classes */
    uint32_t context;
    bool concrete; /* both ends name one object for sure */
};

struct class_node {
    VEC(uint32_t) kinds; /* that begin here, ascending */
    uint32_t component;
};

struct search {
    struct program *p;
    struct lock_order *o;
    VEC(struct kind) kinds;
    VEC(struct class_node) classes;
    VEC(struct thread_context) contexts;
    struct map64 class_of, context_of, kind_of, parallel;
    struct map64 told; /* class pairs of the edges of cycles found: another cycle through one of them says
                          nothing new */
    uint32_t n_components;
    uint32_t *steps; /* by component */
    const struct kind *way[MAX_CYCLE];
    uint32_t n, start, longest;
    bool far; /* edges of many calls, too */
};

/* ---- what there is ---- */
static uint32_t class_number(struct search *x, term lock) {
    bool fresh;
    uint32_t *slot = map64_place(&x->class_of, order_class(x->p, lock), &fresh);

    if (fresh) {
        *slot = (uint32_t)x->classes.n;
        (void)vec_add(&x->classes);
    }
    return *slot;
}

static uint32_t context_number(struct search *x, const struct order_edge *e) {
    const struct thread_context c = threads_context(x->o->threads, e->func, e->event);
    bool fresh;
    uint32_t *slot = map64_place(&x->context_of, hash_add(hash_add(0, c.runs), c.alive), &fresh);

    if (fresh) {
        *slot = (uint32_t)x->contexts.n;
        vec_push(&x->contexts, c);
    }
    return *slot;
}

static bool one_class(const struct program *p, const struct order_edge *e) {
    return order_class(p, e->from) == order_class(p, e->to) &&
           !(order_concrete(p, e->from) && order_concrete(p, e->to));
}

/* Known by class only, and many calls away. */
static bool is_far(const struct kind *k) {
    return k->edge->depth > NEAR && !k->concrete;
}

static uint64_t kind_key(const struct kind *k) {
    const struct order_edge *e = k->edge;
    uint64_t key = hash_add(key_pair(e->from, e->to),
                            key_pair(k->context, is_far(k) * 4u + e->from_shared * 2u + e->to_shared)),
             gates = 0;

    for (uint32_t i = 0; i < e->n_gates; i++) /* in any order */
        gates += hash_add(0, e->gates[i]);
    return hash_add(key, gates);
}

static void sort_out(struct search *x) {
    for (size_t i = 0; i < x->o->edges.n; i++) {
        const struct order_edge *e = &x->o->edges.at[i];
        bool fresh;
        if (one_class(x->p, e))
            continue;
        struct kind k = {e, class_number(x, e->from), class_number(x, e->to), context_number(x, e),
                         order_concrete(x->p, e->from) && order_concrete(x->p, e->to)};
        uint32_t *slot = map64_place(&x->kind_of, kind_key(&k), &fresh);
        if (!fresh)
            continue;
        *slot = (uint32_t)x->kinds.n;
        vec_push(&x->classes.at[k.from].kinds, *slot);
        vec_push(&x->kinds, k);
    }
}

static bool next_class(const void *search, uint32_t class, uint32_t i, uint32_t *to) {
    const struct search *x = search;

    if (i >= x->classes.at[class].kinds.n)
        return false;
    *to = x->kinds.at[x->classes.at[class].kinds.at[i]].to;
    return true;
}

static void find_components(struct search *x) {
    const uint32_t n = (uint32_t)x->classes.n;
    uint32_t *component = xcalloc((size_t)n + 1, sizeof *component),
             *order = xcalloc((size_t)n + 1, sizeof *order);

    x->n_components = components_find(n, next_class, x, component, order);
    for (uint32_t i = 0; i < n; i++)
        x->classes.at[i].component = component[i];
    free(component);
    free(order);
}

/* ---- the walk ---- */
/* May the two terms name one object? */
static bool meets(const struct program *p, term a, term b) {
    if (a == b)
        return order_concrete(p, a) || order_class(p, a) != 0;
    if (order_class(p, a) != order_class(p, b))
        return false;
    return !(order_concrete(p, a) && order_concrete(p, b)) && !term_distinct(&p->paths, a, b);
}

static bool gated(const struct order_edge *a, const struct order_edge *b) {
    for (uint32_t i = 0; i < a->n_gates; i++)
        if (term_in(b->gates, b->n_gates, a->gates[i]))
            return true;
    return false;
}

static bool parallel(struct search *x, uint32_t a, uint32_t b) {
    bool fresh;
    uint32_t *slot = map64_place(&x->parallel, key_pair(a, b), &fresh);

    if (fresh)
        *slot = threads_beside(x->o->threads, &x->contexts.at[a], &x->contexts.at[b]);
    return *slot;
}

/* Can k stand in a cycle with the edges on the way? */
static bool fits(struct search *x, const struct kind *k) {
    for (uint32_t i = 0; i < x->n; i++) {
        const struct kind *w = x->way[i];
        if (gated(w->edge, k->edge) || !parallel(x, w->context, k->context))
            return false;
        if (i && meets(x->p, w->edge->from, k->edge->from))
            return false; /* the same lock twice: a shorter cycle says it */
    }
    return true;
}

static bool waits_for(const struct order_edge *e, const struct order_edge *holder) {
    return !(e->to_shared && holder->from_shared);
}

static struct position edge_position(const struct program *p, const struct order_edge *e) {
    return program_position(p->funcs.at[e->origin.func].unit->unit, e->origin.loc);
}

static bool stands_before(const struct program *p, const struct order_edge *a, const struct order_edge *b) {
    const struct position x = edge_position(p, a), y = edge_position(p, b);
    const int by_file = strcmp(x.file ? x.file : "", y.file ? y.file : "");

    return by_file ? by_file < 0 : x.line != y.line ? x.line < y.line : x.col < y.col;
}

static uint64_t edge_key(const struct kind *k) {
    return k->from == k->to ? hash_add(key_pair(k->edge->from, k->edge->to), k->from)
                            : key_pair(k->from, k->to);
}

static void tell(struct search *x) {
    struct lock_cycle c = {{NULL}, x->n, x->far};
    uint32_t first = 0;

    for (uint32_t i = 0; i < x->n; i++) {
        if (stands_before(x->p, x->way[i]->edge, x->way[first]->edge))
            first = i;
        map64_put(&x->told, edge_key(x->way[i]), 1);
    }
    for (uint32_t i = 0; i < x->n; i++)
        c.edges[i] = x->way[(first + i) % x->n]->edge;
    vec_push(&x->o->cycles, c);
}

static bool closes(const struct search *x) {
    const struct order_edge *last = x->way[x->n - 1]->edge, *first = x->way[0]->edge;

    return x->n >= 2 && meets(x->p, last->to, first->from) && waits_for(last, first);
}

static bool extend(struct search *x) {
    const struct kind *last = x->way[x->n - 1];
    const struct class_node *next = &x->classes.at[last->to];
    uint32_t *steps = &x->steps[next->component];

    if (closes(x)) {
        tell(x);
        return true;
    }
    if (x->n == x->longest)
        return false;
    for (size_t i = 0; i < next->kinds.n; i++) {
        const uint32_t number = next->kinds.at[i];
        const struct kind *k = &x->kinds.at[number];
        if (number <= x->start || (!x->far && is_far(k)) ||
            x->classes.at[k->to].component != next->component || (x->longest > 2 && !k->concrete))
            continue;
        if (x->n + 1 == x->longest && k->to != x->way[0]->from)
            continue; /* it cannot close */
        if (++*steps > BUDGET)
            return false;
        if (map64_find(&x->told, edge_key(k)) || !meets(x->p, last->edge->to, k->edge->from) ||
            !waits_for(last->edge, k->edge) || !fits(x, k))
            continue;
        x->way[x->n++] = k;
        if (extend(x))
            return true;
        x->n--;
    }
    return false;
}

static void walk_all(struct search *x) {
    for (uint32_t i = 0; i < x->kinds.n; i++) {
        const struct kind *k = &x->kinds.at[i];
        const uint32_t component = x->classes.at[k->from].component;
        if (x->classes.at[k->to].component != component || x->steps[component] > BUDGET ||
            (x->longest > 2 && !k->concrete) || (!x->far && is_far(k)) || map64_find(&x->told, edge_key(k)))
            continue;
        x->start = i;
        x->n = 1;
        x->way[0] = k;
        (void)extend(x);
    }
}

void lock_order_search(struct program *p) {
    struct search x;

    memset(&x, 0, sizeof x);
    x.p = p;
    x.o = p->lock_order;
    sort_out(&x);
    find_components(&x);
    x.steps = xcalloc(x.n_components + 1, sizeof *x.steps);
    for (x.longest = 2; x.longest <= MAX_CYCLE; x.longest++)
        walk_all(&x);
    x.far = true;
    for (x.longest = 2; x.longest <= MAX_CYCLE; x.longest++)
        walk_all(&x);
    for (uint32_t i = 0; i < x.n_components; i++)
        x.o->cut_short += x.steps[i] > BUDGET;
    for (uint32_t i = 0; i < x.classes.n; i++)
        vec_free(&x.classes.at[i].kinds);
    vec_free(&x.kinds);
    vec_free(&x.classes);
    vec_free(&x.contexts);
    map64_free(&x.class_of);
    map64_free(&x.context_of);
    map64_free(&x.kind_of);
    map64_free(&x.parallel);
    map64_free(&x.told);
    free(x.steps);
}
