/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What holds on every way through a function that is solved: which parameters it always frees, what it may release later.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include <string.h>
#include "../base/alloc.h"
#include "ways.h"

struct freed {
    uint32_t param;
    ir_event event;
};

/* By parameter: every way that comes to the function's end must meet a place where its object is freed for sure, here or in a callee. */
uint64_t region_freed_always(const struct solve *x)
{
    const struct region_flow *f = x->f;
    VEC(struct freed) freed = {0};
    uint64_t some = 0, always = 0;

    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        const struct place *object = &f->places[e->place];
        if (e->op == REGION_FREE && object->op == PLACE_PARAM && object->a < 64)
            vec_push(&freed, ((struct freed){object->a, e->event}));
    }
    for (size_t i = 0; i < f->calls.n; i++) {
        const struct region_callsite *c = &f->calls.at[i];
        bool unsolved;
        const struct region_flow *callee = regions_callee(x->r, c->func, &unsolved);
        for (uint32_t k = 0; callee && callee->frees_always >> k && k < c->n_args; k++) {
            region_value v = f->args.at[c->first_arg + k];
            const struct place *object = &f->places[VALUE_KIND(v) == VALUE_POINTER ? VALUE_ITEM(v) : 0];
            if ((callee->frees_always >> k & 1) && object->op == PLACE_PARAM && object->a < 64)
                vec_push(&freed, ((struct freed){object->a, c->event}));
        }
    }
    for (size_t i = 0; i < freed.n; i++)
        some |= UINT64_C(1) << freed.at[i].param;
    for (uint32_t param = 0; param < 64 && some >> param; param++) {
        if (!(some >> param & 1))
            continue;
        bool *frees = xcalloc(x->n_blocks, sizeof *frees);
        memcpy(frees, f->ends, x->n_blocks * sizeof *frees); /* what never returns is no way around */
        for (size_t i = 0; i < freed.n; i++)
            for (uint32_t b = 0; freed.at[i].param == param && b < x->n_blocks; b++) {
                const struct ir_range events = x->u->blocks[x->first_block + b].events;
                frees[b] |= freed.at[i].event >= events.first && freed.at[i].event - events.first < events.count;
            }
        if (every_way_meets(x->u, x->fr, frees, param))
            always |= UINT64_C(1) << param;
        free(frees);
    }
    vec_free(&freed);
    return always;
}

/* What may be released to, and waited for, later. */
struct later {
    uint64_t gives, waits;
};

static struct later either(struct later a, struct later b)
{
    return (struct later){a.gives | b.gives, a.waits | b.waits};
}

static struct later of_events(const struct region_flow *f, uint32_t from, uint32_t to)
{
    struct later all = {0, 0};
    for (uint32_t i = from; i < to; i++)
        all = either(all, (struct later){f->events[i].gives, f->events[i].waits});
    return all;
}

/* After each event: backwards over blocks to a fixpoint, then over each block's events. Events of one call stand beside each
 * other: those lifted from the callee know what it gives after them. */
void region_find_released(struct solve *x)
{
    struct region_flow *f = x->f;
    struct later *after = xcalloc(x->n_blocks, sizeof *after), *inside = xcalloc(x->n_blocks, sizeof *inside);
    for (uint32_t b = 0; b < x->n_blocks; b++) {
        struct ir_range ev = x->u->blocks[x->first_block + b].events;
        if (ev.count)
            inside[b] = of_events(f, f->first[ev.first - f->first_event], f->first[ev.first + ev.count - f->first_event]);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = x->n_blocks; b-- > 0;) {
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            struct later now = after[b];
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                uint32_t to = x->u->succs[rec->succs.first + i].block - x->first_block;
                now = either(now, either(after[to], inside[to]));
            }
            changed |= now.gives != after[b].gives || now.waits != after[b].waits;
            after[b] = now;
        }
    }
    size_t call = 0;
    for (uint32_t b = 0; b < x->n_blocks; b++) {
        struct ir_range ev = x->u->blocks[x->first_block + b].events;
        struct later running = after[b];
        size_t next = call;
        while (next < f->calls.n && f->calls.at[next].event >= ev.first && f->calls.at[next].event - ev.first < ev.count)
            next++;
        size_t at = next; /* calls of this block, the last first */
        for (uint32_t k = ev.count; k-- > 0;) {
            uint32_t from = f->first[ev.first + k - f->first_event], to = f->first[ev.first + k + 1 - f->first_event];
            struct later here = of_events(f, from, to);
            for (uint32_t i = from; i < to; i++) {
                struct region_event *e = &f->events[i];
                bool lifted = e->flags & REGION_LIFTED;
                e->released |= running.gives | (lifted ? 0 : here.gives);
                e->awaited_after |= running.waits | e->awaited_inside;
            }
            for (; at > call && f->calls.at[at - 1].event == ev.first + k; at--)
                f->calls.at[at - 1].released = running.gives;
            running = either(running, here);
        }
        call = next;
    }
    free(after);
    free(inside);
}
