/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What holds on every way through a function that is solved: which parameters it always frees, what it may release later.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include "../base/alloc.h"
#include "ways.h"

/* Is there no way from the entry to a return that meets no FREE of parameter i's object, but those on which it is null? */
bool region_freed_always(const struct solve *x, uint32_t param)
{
    const struct region_flow *f = x->f;
    bool *frees = xcalloc(x->n_blocks, 1);

    for (size_t i = 0; i < f->n_events; i++)
        if (f->events[i].op == REGION_FREE && !(f->events[i].flags & REGION_MAYBE) && f->places[f->events[i].place].op == PLACE_PARAM &&
            f->places[f->events[i].place].a == param)
            for (uint32_t b = 0; b < x->n_blocks; b++) {
                const struct ir_range events = x->u->blocks[x->first_block + b].events;
                frees[b] |= f->events[i].event >= events.first && f->events[i].event - events.first < events.count;
            }
    const bool always = every_way_meets(x->u, x->fr, frees, param);
    free(frees);
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
    for (uint32_t b = 0; b < x->n_blocks; b++) {
        struct ir_range ev = x->u->blocks[x->first_block + b].events;
        struct later running = after[b];
        for (uint32_t k = ev.count; k-- > 0;) {
            uint32_t from = f->first[ev.first + k - f->first_event], to = f->first[ev.first + k + 1 - f->first_event];
            struct later here = of_events(f, from, to);
            for (uint32_t i = from; i < to; i++) {
                struct region_event *e = &f->events[i];
                bool lifted = e->flags & REGION_LIFTED;
                e->released |= running.gives | (lifted ? 0 : here.gives);
                e->awaited_after |= running.waits | e->awaited_inside;
            }
            running = either(running, here);
        }
    }
    free(after);
    free(inside);
}
