/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Ranks of a graph's nodes, kept so that arcs go upwards. Stands on ranks.h, which says why. */
#include "ranks.h"

static void reach(struct rank_graph *g, struct rank_node *n, struct rank_arc *by, struct rank_node **last) {
    n->mark = g->search;
    n->came_by = by;
    n->next_seen = NULL;
    if (*last != NULL)
        (*last)->next_seen = n;
    *last = n;
}

bool rank_way_back(struct rank_graph *g, struct rank_arc *arc,
                   bool (*follows)(const struct rank_arc *, const struct rank_arc *)) {
    struct rank_node *last = NULL, *goal = arc->from;
    g->search++;
    reach(g, arc->to, arc, &last);
    for (struct rank_node *n = arc->to; n != NULL && goal->mark != g->search; n = n->next_seen)
        for (struct rank_arc *a = n->out; a != NULL; a = a->next_out)
            if (a->to->mark != g->search && (follows == NULL || follows(n->came_by, a)))
                reach(g, a->to, a, &last);
    return goal->mark == g->search;
}

/* All that is to be reached from `first` and ranked below `goal`; false when `goal` itself is reached. */
static bool reach_up(struct rank_graph *g, struct rank_node *first, const struct rank_node *goal) {
    struct rank_node *last = NULL;
    g->search++;
    reach(g, first, NULL, &last);
    for (struct rank_node *n = first; n != NULL; n = n->next_seen)
        for (struct rank_arc *a = n->out; a != NULL; a = a->next_out) {
            if (a->to == goal && !a->against)
                return false;
            if (!a->against && a->to->mark != g->search && a->to->rank < goal->rank)
                reach(g, a->to, a, &last);
        }
    return true;
}

/* All from which `first` is to be reached and ranked above `bound`. */
static void reach_down(struct rank_graph *g, struct rank_node *first, int64_t bound) {
    struct rank_node *last = NULL;
    g->search++;
    reach(g, first, NULL, &last);
    for (struct rank_node *n = first; n != NULL; n = n->next_seen)
        for (struct rank_arc *a = n->in; a != NULL; a = a->next_in)
            if (!a->against && a->from->mark != g->search && a->from->rank > bound)
                reach(g, a->from, a, &last);
}

static struct rank_node *merged(struct rank_node *a, struct rank_node *b) {
    struct rank_node *first = NULL, **link = &first;
    while (a != NULL && b != NULL) {
        struct rank_node **lower = a->rank < b->rank ? &a : &b;
        *link = *lower;
        link = &(*lower)->next_seen;
        *lower = *link;
    }
    *link = a != NULL ? a : b;
    return first;
}

/* By rank; runs of 1, 2, 4 … nodes wait in `runs` to be merged with their like. */
static struct rank_node *sorted(struct rank_node *list) {
    struct rank_node *runs[32] = {NULL}, *all = NULL;
    while (list != NULL) {
        struct rank_node *run = list;
        list = list->next_seen;
        run->next_seen = NULL;
        unsigned i = 0;
        for (; runs[i] != NULL; i++) {
            run = merged(runs[i], run);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    for (unsigned i = 0; i < sizeof runs / sizeof *runs; i++)
        all = merged(runs[i], all);
    return all;
}

/* The nodes of both lists share out the ranks they have: first all of `low`, then all of `high`. */
static void share_out(struct rank_node *low, struct rank_node *high) {
    struct rank_node *next = low;
    bool in_low = true;
    for (struct rank_node *a = low, *b = high; a != NULL || b != NULL; next = next->next_seen) {
        struct rank_node **lower = b == NULL || (a != NULL && a->rank < b->rank) ? &a : &b;
        if (next == NULL && in_low) {
            next = high;
            in_low = false;
        }
        next->next_rank = (*lower)->rank;
        *lower = (*lower)->next_seen;
    }
    for (; low != NULL; low = low->next_seen)
        low->rank = low->next_rank;
    for (; high != NULL; high = high->next_seen)
        high->rank = high->next_rank;
}

/* Make the ranks fit the arc; false where it closes a circle with such as fit. */
static bool fit(struct rank_graph *g, struct rank_arc *arc) {
    struct rank_node *from = arc->from, *to = arc->to;
    if (from->rank == 0 && to->rank == 0)
        from->rank = ++g->highest;
    if (to->rank == 0)
        to->rank = ++g->highest;
    if (from->rank == 0)
        from->rank = --g->lowest;
    if (from->rank < to->rank)
        return true;
    if (!reach_up(g, to, from))
        return false;
    struct rank_node *high = sorted(to); /* before the next search links its own nodes */
    reach_down(g, from, to->rank);
    share_out(sorted(from), high);
    return true;
}

static size_t pair_of(const struct rank_node *from, const struct rank_node *to) {
    uint64_t h = (uint64_t)(uintptr_t)from * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)(uintptr_t)to;
    return (size_t)(h * UINT64_C(0xd6e8feb86659fd93) >> (64 - RANK_PAIR_BITS));
}

struct rank_arc *rank_between(const struct rank_graph *g, const struct rank_node *from,
                              const struct rank_node *to, const struct rank_arc *arc) {
    struct rank_arc *next = arc != NULL ? arc->next_pair : g->pairs[pair_of(from, to)];
    while (next != NULL && (next->from != from || next->to != to))
        next = next->next_pair;
    return next;
}

bool rank_link(struct rank_graph *g, struct rank_arc *arc) {
    arc->against = !fit(g, arc);
    struct rank_node *from = arc->from, *to = arc->to;
    arc->next_out = from->out;
    arc->link_out = &from->out;
    if (arc->next_out != NULL)
        arc->next_out->link_out = &arc->next_out;
    from->out = arc;
    arc->next_in = to->in;
    arc->link_in = &to->in;
    if (arc->next_in != NULL)
        arc->next_in->link_in = &arc->next_in;
    to->in = arc;
    struct rank_arc **pair = &g->pairs[pair_of(from, to)];
    arc->next_pair = *pair;
    *pair = arc;
    bool back = arc->against || (g->against != 0 && rank_way_back(g, arc, NULL));
    g->against += arc->against;
    return back;
}

void rank_unlink(struct rank_graph *g, struct rank_arc *arc) {
    *arc->link_out = arc->next_out;
    if (arc->next_out != NULL)
        arc->next_out->link_out = arc->link_out;
    *arc->link_in = arc->next_in;
    if (arc->next_in != NULL)
        arc->next_in->link_in = arc->link_in;
    struct rank_arc **pair = &g->pairs[pair_of(arc->from, arc->to)];
    while (*pair != arc)
        pair = &(*pair)->next_pair;
    *pair = arc->next_pair;
    g->against -= arc->against;
    if (arc->from->out == NULL && arc->from->in == NULL)
        arc->from->rank = 0;
    if (arc->to->out == NULL && arc->to->in == NULL)
        arc->to->rank = 0;
}
