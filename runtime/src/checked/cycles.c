/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Circles of lock orders: which of them may deadlock. Stands on engine.h, ranks.h; under engine_lock.
 *
 * A circle counts when its edges can stand in as many threads at one time: no two of them may share a lock
 * that both hold meanwhile (a gate), unless both hold it shared. Such edges exclude each other, and there is
 * no deadlock. Circles of up to CYCLE_ROOM edges are searched for by depth, in a bounded number of steps; of
 * the longer ones, and where the steps run out, the shortest is looked at. */
#include "engine.h"

#include <string.h>

enum { SEARCH_STEPS = 20000 };

static struct rank_graph graph;
static struct cycle *free_cycles;

static bool both_shared(uint32_t a, uint32_t b) {
    return (a & b & CHECK_SHARED) != 0;
}

static bool holds(const struct edge *e, const struct lock_record *r, uint32_t mode) {
    if (edge_from(e) == r && !both_shared(e->from_mode, mode))
        return true;
    for (uint32_t i = 0; i < e->gate_count; i++)
        if (e->gates[i].record == r && !both_shared(e->gates[i].mode, mode))
            return true;
    return false;
}

/* Can two threads be at these two edges at one time? */
static bool compatible(const struct edge *a, const struct edge *b) {
    if (holds(a, edge_from(b), b->from_mode))
        return false;
    for (uint32_t i = 0; i < b->gate_count; i++)
        if (holds(a, b->gates[i].record, b->gates[i].mode))
            return false;
    return true;
}

/* Can a thread at the end of `a` be blocked there by one that holds what `b` begins with? */
static bool blocks(const struct edge *a, const struct edge *b) {
    return !both_shared(a->to_mode, b->from_mode);
}

static bool blocks_arc(const struct rank_arc *a, const struct rank_arc *b) {
    return blocks((const struct edge *)(const void *)a, (const struct edge *)(const void *)b);
}

struct path {
    struct edge *edges[CYCLE_ROOM];
    unsigned count;
    int steps;
};

/* Extend the path, which ends at the newest edge's end, until it comes back to the first one's beginning. */
static bool extend(struct path *p, unsigned longest) {
    struct edge *last = p->edges[p->count - 1], *first = p->edges[0];
    for (struct rank_arc *arc = last->arc.to->out; arc != NULL; arc = arc->next_out) {
        struct edge *e = edge_of(arc);
        if (p->steps++ > SEARCH_STEPS)
            return false;
        if (!blocks(last, e))
            continue;
        bool fits = true, closes = arc->to == first->arc.from;
        for (unsigned i = 0; fits && i < p->count; i++)
            fits = arc->to != p->edges[i]->arc.to && compatible(p->edges[i], e);
        if (!fits || (closes && !blocks(e, first)))
            continue;
        p->edges[p->count++] = e;
        if (closes || (p->count < longest && extend(p, longest)))
            return true;
        p->count--;
    }
    return false;
}

static bool find_short(struct edge *fresh, struct path *p) {
    for (unsigned longest = 2; longest <= CYCLE_ROOM; longest *= 2) { /* short ones tell the better story */
        p->edges[0] = fresh;
        p->count = 1;
        p->steps = 0;
        if (extend(p, longest))
            return true;
    }
    return false;
}

enum { MODE_BITS = 8 };

/* The thread with that number holds the lock. Returns false where another one that was seen before excludes it. */
static bool note_holder(struct lock_record *r, uint32_t mode, uint32_t thread) {
    bool met = r->node.mark == graph.search && r->node.note >> MODE_BITS != thread;
    bool excluded = met && !both_shared(r->node.note, mode);
    r->node.mark = graph.search;
    r->node.note = thread << MODE_BITS | mode;
    return !excluded;
}

/* The edge before `e` on the way that the last search found. */
static struct edge *before(const struct edge *e) {
    return edge_of(e->arc.from->came_by);
}

/* Did one nest go through both edges, so that whoever is at the later one holds what the earlier one begins with? Then they are one way of
 * one thread, not two threads that may exclude each other: past ALL_PAIRS_DEPTH a nest has only such edges from its outer locks to its
 * inner ones. */
static bool one_nest(const struct edge *earlier, const struct edge *later) {
    return earlier->to_chain == later->from_chain;
}

/* The edge of the same nest from the lock below, on to where `chain` ends at `at`; NULL where none was noted. */
static struct edge *below(const struct rank_node *at, uint64_t chain, int *steps) {
    for (struct rank_arc *arc = at->in; arc != NULL && (*steps)-- > 0; arc = arc->next_in) {
        struct edge *e = edge_of(arc);
        if (e->to_chain == chain && order_chain(e->from_chain, edge_to(e), e->to_mode) == chain)
            return e;
    }
    return NULL;
}

/* The thread at this edge holds its whole nest, of which the edge itself knows the outermost only. Returns false where another thread
 * excludes it, or where not all of the nest can be told. */
static bool note_nest(const struct edge *e, uint32_t thread) {
    const struct rank_node *at = e->arc.from;
    uint64_t chain = e->from_chain;
    int steps = SEARCH_STEPS;
    while (chain != order_begins(edge_from(e), e->from_mode)) {
        e = below(at, chain, &steps);
        if (e == NULL || !note_holder(edge_from(e), e->from_mode, thread))
            return false;
        at = e->arc.from;
        chain = e->from_chain;
    }
    return true;
}

/* Returns the length of the shortest circle with `fresh`, if threads can be at all of its edges at one time,
 * else 0. From fresh->from it is read backwards. */
static unsigned find_long(struct edge *fresh) {
    struct rank_node *goal = fresh->arc.from;
    if (!rank_way_back(&graph, &fresh->arc, blocks_arc) || !blocks(edge_of(goal->came_by), fresh))
        return 0;
    unsigned count = 0;
    graph.search++;
    uint32_t thread = 1;
    for (struct edge *e = edge_of(goal->came_by), *later = NULL;; later = e, e = before(e)) {
        const bool another = later == NULL || !one_nest(e, later);
        thread += another;
        if (!note_holder(edge_from(e), e->from_mode, thread) ||
            (another && e->gate_count == GATES && !note_nest(e, thread)))
            return 0;
        for (uint32_t i = 0; i < e->gate_count; i++)
            if (!note_holder(e->gates[i].record, e->gates[i].mode, thread))
                return 0;
        count++;
        if (e == fresh)
            return count;
    }
}

static struct cycle *new_cycle(void) {
    struct cycle *c = free_cycles;
    if (c != NULL)
        free_cycles = c->next_free;
    return c != NULL ? c : engine_memory(sizeof *c);
}

static struct cycle *copy_short(const struct path *p) {
    struct cycle *c = new_cycle();
    for (unsigned i = 0; i < p->count; i++) {
        p->edges[i]->reported = true;
        if (c != NULL)
            c->edges[i] = *p->edges[i];
    }
    if (c != NULL) {
        c->count = p->count;
        c->more = 0;
    }
    return c;
}

/* Its beginning and its last edge, and how many are left out between. */
static struct cycle *copy_long(struct edge *fresh, unsigned count) {
    struct cycle *c = new_cycle();
    if (c != NULL) {
        c->more = count > CYCLE_ROOM ? count - CYCLE_ROOM : 0;
        c->count = count - c->more;
    }
    struct edge *e = edge_of(fresh->arc.from->came_by);
    for (unsigned at = count; at-- > 0; e = before(e)) {
        e->reported = true;
        if (c != NULL && at == count - 1)
            c->edges[c->count - 1] = *e;
        else if (c != NULL && at < c->count - 1)
            c->edges[at] = *e;
    }
    return c;
}

struct cycle *cycle_add(struct edge *fresh, bool wanted, bool *lost) {
    struct path p;
    struct cycle *c;
    unsigned count;
    if (!rank_link(&graph, &fresh->arc) || !wanted)
        return NULL;
    if (find_short(fresh, &p))
        c = copy_short(&p);
    else if ((count = find_long(fresh)) != 0)
        c = copy_long(fresh, count);
    else
        return NULL;
    *lost = c == NULL;
    return c;
}

struct edge *cycle_edge(const struct lock_record *from, const struct lock_record *to,
                        const struct edge *after) {
    return edge_of(rank_between(&graph, &from->node, &to->node, after != NULL ? &after->arc : NULL));
}

void cycle_remove(struct edge *e) {
    rank_unlink(&graph, &e->arc);
}

void cycle_told(struct cycle *c) {
    ilock_take(&engine_lock);
    c->next_free = free_cycles;
    free_cycles = c;
    ilock_give(&engine_lock);
}
