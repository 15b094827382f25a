/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which threads has a function surely joined before an event of it? By handles that are globals or members of one: what one
 * function starts, another one joins. Stands on threads.h and region.h. */
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "boundary.h"
#include "threads.h"

/* The same global place has the same key in every function; 0: it is none, or some element of an array. */
static uint64_t key_of(const struct region_flow *f, place_id handle) {
    uint64_t key = 0;

    for (place_id p = handle; p; p = f->places[p].a)
        switch (f->places[p].op) {
        case PLACE_GLOBAL: return hash_add(hash_add(key, PLACE_GLOBAL), f->places[p].a);
        case PLACE_FIELD: key = hash_add(hash_add(key, PLACE_FIELD), f->places[p].b); break;
        case PLACE_INDEX:
            if (!f->places[p].b)
                return 0;
            key = hash_add(hash_add(key, PLACE_INDEX), f->places[p].b);
            break;
        default: return 0;
        }
    return 0;
}

struct handles {
    VEC(uint64_t) masks;
    struct map64 of; /* key → its place in masks */
};

static uint64_t joined_by(const struct handles *h, const struct region_flow *f,
                          const struct region_event *e) {
    const uint64_t key = e->op == REGION_JOIN && !(e->flags & REGION_MAYBE) ? key_of(f, e->place) : 0;
    const uint32_t *slot = key ? map64_find(&h->of, key) : NULL;

    return slot ? h->masks.at[*slot] : 0;
}

/* What is joined after the event, of what was before it: a thread that is started again is alive again. */
static uint64_t after(const struct handles *h, struct threads *t, const struct region_flow *f,
                      const struct region_event *e, uint64_t joined) {
    if (e->op == REGION_SPAWN && e->spawn && e->spawn->n_entries)
        joined &= ~(UINT64_C(1) << threads_site(t, e->spawn->func, e->spawn->event));
    return joined | joined_by(h, f, e);
}

static void collect(const struct program *p, struct threads *t, struct handles *h) {
    const struct boundaries *b = p->boundaries;

    for (size_t i = 0; i < b->handoffs.n; i++) {
        const struct handoff *off = &b->handoffs.at[i];
        const struct handoff_spec *s = off->at->spawn;
        const uint32_t k =
            off->at->op == REGION_SPAWN && s && s->n_entries ? threads_site(t, s->func, s->event) : 0;
        for (uint32_t j = 0; k && !t->at[k].many && j < s->n_handles; j++) {
            const uint64_t key = key_of(off->flow, s->handles[j]);
            bool fresh;
            uint32_t *slot = key ? map64_place(&h->of, key, &fresh) : NULL;
            if (!slot)
                continue;
            if (fresh) {
                *slot = (uint32_t)h->masks.n;
                vec_push(&h->masks, 0);
            }
            h->masks.at[*slot] |= UINT64_C(1) << k;
        }
    }
}

/* Through block b; noted where `note` is set. */
static uint64_t through(const struct handles *h, struct threads *t, const struct region_flow *f, ir_block b,
                        uint64_t joined, bool note) {
    const struct ir_block_rec *rec = &f->unit->unit->blocks[b];

    for (ir_event e = rec->events.first; e < rec->events.first + rec->events.count; e++) {
        if (note)
            threads_note_joined(t, f->func, e, joined);
        joined &= ~threads_left(f->p, t, f->func, e);
        if (e < f->first_event)
            continue;
        for (uint32_t k = f->first[e - f->first_event]; k < f->first[e - f->first_event + 1]; k++)
            joined = after(h, t, f, &f->events[k], joined);
    }
    return joined;
}

/* Forward, what all ways have in common. */
static void follow(const struct handles *h, struct threads *t, const struct region_flow *f) {
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->p->funcs.at[f->func].func];
    const uint64_t unreached = ~UINT64_C(0);
    uint64_t *in = xcalloc(fr->blocks.count + 1, sizeof *in);
    bool changed = true;

    for (uint32_t b = 1; b < fr->blocks.count; b++)
        in[b] = unreached;
    while (changed) {
        changed = false;
        for (uint32_t b = 0; b < fr->blocks.count; b++) {
            const struct ir_block_rec *rec = &u->blocks[fr->blocks.first + b];
            const uint64_t out =
                in[b] == unreached ? unreached : through(h, t, f, fr->blocks.first + b, in[b], false);
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                uint64_t *to = &in[u->succs[rec->succs.first + i].block - fr->blocks.first];
                changed |= (*to & ~out) != 0;
                *to &= out;
            }
        }
    }
    for (uint32_t b = 0; b < fr->blocks.count; b++)
        if (in[b] != unreached)
            (void)through(h, t, f, fr->blocks.first + b, in[b], true);
    free(in);
}

void threads_find_joined(const struct program *p, struct threads *t) {
    struct handles h;

    memset(&h, 0, sizeof h);
    collect(p, t, &h);
    for (size_t i = 0; h.masks.n && i < p->order.n; i++) {
        const struct region_flow *f = regions_flow_within(p->boundaries->regions, p->order.at[i]);
        bool joins = false;
        for (size_t k = 0; f && k < f->n_events && !joins; k++)
            joins = joined_by(&h, f, &f->events[k]) != 0;
        if (joins)
            follow(&h, t, f);
    }
    vec_free(&h.masks);
    map64_free(&h.of);
}
