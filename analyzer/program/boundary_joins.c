/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which threads are joined twice? Joins of one handle that follow each other, in the function itself or in one that it calls.
 * Stands on boundary_walk.h and ways.h. */
#include "../base/alloc.h"
#include "boundary_walk.h"
#include "ways.h"

/* A local, or a member of an object that has one name here. */
static bool is_followed(const struct region_flow *f, place_id p) {
    while (f->places[p].op == PLACE_FIELD)
        p = f->places[p].a;
    return p && (f->places[p].op == PLACE_LOCAL || f->places[p].op == PLACE_PARAM ||
                 f->places[p].op == PLACE_HEAP);
}

/* Does the call at e run one function only, which joins on every way and starts no thread? What joins only a thread that runs, by a
 * flag of its own, may be called any number of times. */
static bool joins_surely(struct boundaries *b, const struct region_flow *f, const struct region_event *e) {
    uint32_t n;
    const struct call_edge *edges = program_calls(f->p, f->func, e->event, &n);
    const struct region_flow *callee;
    const struct unit *u;
    const struct ir_func_rec *fr;
    bool *marked, sure = true;

    if (e->func == f->func)
        return !(e->flags & REGION_MAYBE);
    callee = n == 1 && edges[0].callee == e->func ? regions_flow(b->regions, e->func) : NULL;
    if (!callee)
        return false;
    u = callee->unit->unit;
    fr = &u->funcs[f->p->funcs.at[e->func].func];
    marked = xcalloc(fr->blocks.count + 1, sizeof *marked);
    for (size_t i = 0; i < callee->n_events; i++) {
        const struct region_event *in = &callee->events[i];
        sure &= in->op != REGION_SPAWN;
        if (in->op == REGION_JOIN && in->func == e->func && in->loc == e->loc)
            marked[block_with(u, fr, in->event)] = true;
    }
    sure &= every_way_meets(u, fr, marked, WAYS_NO_PARAM);
    free(marked);
    return sure;
}

void boundary_find_second_joins(struct boundaries *b, const struct region_flow *f) {
    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        struct walk w = {.regions = b->regions, .flow = f, .start = e, .joined_handle = e->place};

        if (e->op != REGION_JOIN || !e->place || !is_followed(f, e->place) || !joins_surely(b, f, e))
            continue;
        walk_from(&w);
        /* whether a member's thread runs may be kept beside it: there, nothing but the second join may follow */
        if (w.second_join && w.second_join != e && joins_surely(b, f, w.second_join) &&
            (f->places[e->place].op == PLACE_LOCAL || !(w.returns || w.looked_after)))
            vec_push(&b->second_joins, ((struct second_join){f, e, w.second_join}));
        walk_free(&w);
    }
}
