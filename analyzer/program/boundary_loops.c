/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Loops that wait: a way that comes to one is taken to wait there, however often the loop turns.
 * Stands on boundary_walker.h. */
#include "boundary_walker.h"

#include "../base/alloc.h"

/* Where each block is come from, and which block each event stands in: made once per walk of a function with loops. */
struct shape {
    uint32_t *first, *from; /* predecessors of b: from[first[b]] … from[first[b + 1] - 1] */
    bool *waits;            /* by block: an event in it ends ways */
    bool *inside;
};

static bool ends_ways(const struct walker *k, const struct region_event *e) {
    if (k->w->handle)
        return e->op == REGION_JOIN || e->op == REGION_DETACH;
    if (k->w->joined_handle)
        return false;
    return (e->op == REGION_ORDER && e->takes) || (e->op == REGION_JOIN && walker_join(k, e) != JOIN_OTHER);
}

static void shape_make(const struct walker *k, struct shape *s) {
    uint32_t n = k->fr->blocks.count, edges = 0;
    s->first = xcalloc(n + 2, sizeof *s->first);
    for (uint32_t b = 0; b < n; b++)
        for (uint32_t i = 0; i < walker_block(k, b)->succs.count; i++, edges++)
            s->first[walker_successor(k, walker_block(k, b), i) + 2]++;
    for (uint32_t b = 2; b < n + 2; b++)
        s->first[b] += s->first[b - 1];
    s->from = xcalloc(edges + 1, sizeof *s->from);
    for (uint32_t b = 0; b < n; b++)
        for (uint32_t i = 0; i < walker_block(k, b)->succs.count; i++)
            s->from[s->first[walker_successor(k, walker_block(k, b), i) + 1]++] = b;
    s->waits = xcalloc(n, sizeof *s->waits);
    s->inside = xcalloc(n, sizeof *s->inside);
    for (uint32_t b = 0; b < n; b++) {
        struct ir_range events = walker_block(k, b)->events;
        size_t i, end, unused;
        if (!events.count)
            continue;
        walker_events(k, events.first, &i, &unused);
        walker_events(k, events.first + events.count - 1, &unused, &end);
        for (; i < end && !s->waits[b]; i++)
            s->waits[b] = ends_ways(k, &k->f->events[i]);
    }
}

/* The loop that the edge from `last` to `head` closes: does it wait, and is the hand-off outside of it? */
static void mark_loop(const struct walker *k, struct shape *s, uint32_t head, uint32_t last,
                      uint32_t start_block) {
    VEC(uint32_t) body = {0};
    bool waits = false;
    s->inside[head] = true;
    vec_push(&body, head);
    if (last != head) {
        s->inside[last] = true;
        vec_push(&body, last);
    }
    for (size_t i = 0; i < body.n; i++) {
        uint32_t b = body.at[i];
        waits |= s->waits[b];
        for (uint32_t e = s->first[b]; b != head && e < s->first[b + 1]; e++)
            if (!s->inside[s->from[e]]) {
                s->inside[s->from[e]] = true;
                vec_push(&body, s->from[e]);
            }
    }
    k->stops[head] |= waits && !s->inside[start_block];
    for (size_t i = 0; i < body.n; i++)
        s->inside[body.at[i]] = false;
    vec_free(&body);
}

void walker_find_loops(const struct walker *k, uint32_t start_block) {
    enum { MOST = 256 };
    struct shape s = {0};
    unsigned loops = 0;
    for (uint32_t b = 0; b < k->fr->blocks.count; b++)
        for (uint32_t i = 0; i < walker_block(k, b)->succs.count; i++)
            if ((k->u->succs[walker_block(k, b)->succs.first + i].flags & IR_SUCC_BACK) && loops++ < MOST) {
                if (!s.first)
                    shape_make(k, &s);
                mark_loop(k, &s, walker_successor(k, walker_block(k, b), i), b, start_block);
            }
    free(s.first);
    free(s.from);
    free(s.waits);
    free(s.inside);
}
