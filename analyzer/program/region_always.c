/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What holds on every way through a function that is solved: which parameters its caller always loses, what it may release later.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include <string.h>
#include "../base/alloc.h"
#include "ways.h"

/* Where the caller loses a parameter's object. */
struct loss {
    uint32_t param;
    ir_event event;
    bool freed; /* for good; else handed to another thread, or either, as the callee finds */
    bool may_free;
};
struct losses {
    VEC(struct loss) at;
};

static uint32_t param_of(const struct region_flow *f, place_id p) {
    return f->places[p].op == PLACE_PARAM && f->places[p].a < 64 ? f->places[p].a : UINT32_MAX;
}

/* What the function does itself. */
static void find_own(const struct region_flow *f, struct losses *out) {
    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        const uint32_t param = param_of(f, e->place);
        if (param != UINT32_MAX && e->op == REGION_FREE)
            vec_push(&out->at, ((struct loss){param, e->event, true, true}));
        else if (param != UINT32_MAX && e->op == REGION_SEND)
            vec_push(&out->at, ((struct loss){param, e->event, false, true}));
        else if (param != UINT32_MAX && e->op == REGION_PUT && !e->spawn->inner)
            vec_push(&out->at, ((struct loss){param, e->spawn->func == f->func ? e->spawn->event : e->event,
                                              false, false}));
    }
}

/* What the functions do that it calls: where a call may run several, all of them. */
static void find_in_callees(const struct solve *x, struct losses *out) {
    const struct region_flow *f = x->f;
    for (size_t i = 0, next; i < f->calls.n; i = next) {
        const struct region_callsite *c = &f->calls.at[i];
        uint64_t frees = UINT64_MAX, loses = UINT64_MAX, may_free = 0;
        for (next = i; next < f->calls.n && f->calls.at[next].event == c->event; next++) {
            bool unsolved;
            const struct region_flow *callee = regions_callee(x->r, f->calls.at[next].func, &unsolved);
            frees &= callee ? callee->frees_always : 0;
            loses &= callee ? callee->loses : 0;
            may_free |= callee ? callee->may_free : 0;
        }
        for (uint32_t k = 0; k < 64 && loses >> k && k < c->n_args; k++) {
            region_value v = f->args.at[c->first_arg + k];
            const uint32_t param = VALUE_KIND(v) == VALUE_POINTER ? param_of(f, VALUE_ITEM(v)) : UINT32_MAX;
            if ((loses >> k & 1) && param != UINT32_MAX)
                vec_push(&out->at, ((struct loss){param, c->event, frees >> k & 1, may_free >> k & 1}));
        }
    }
}

/* Does every way to the function's end, but those on which the parameter is null, meet such a place? */
static bool on_every_way(const struct solve *x, const struct losses *l, uint32_t param, bool freed_only) {
    bool *marked = xcalloc(x->n_blocks, sizeof *marked), any = false;
    for (uint32_t b = 0; b < x->n_blocks; b++)
        marked[b] = x->f->ends[b]; /* what never returns is no way around */
    for (size_t i = 0; i < l->at.n; i++) {
        const struct loss *loss = &l->at.at[i];
        if (loss->param != param || (freed_only && !loss->freed))
            continue;
        any = true;
        for (uint32_t b = 0; b < x->n_blocks; b++) {
            const struct ir_range events = x->u->blocks[x->first_block + b].events;
            marked[b] |= loss->event >= events.first && loss->event - events.first < events.count;
        }
    }
    const bool always = any && every_way_meets(x->u, x->fr, marked, param);
    free(marked);
    return always;
}

void region_find_losses(const struct solve *x) {
    struct losses losses = {0};
    uint64_t some = 0, may_free = 0;
    find_own(x->f, &losses);
    find_in_callees(x, &losses);
    for (size_t i = 0; i < losses.at.n; i++) {
        some |= UINT64_C(1) << losses.at.at[i].param;
        if (losses.at.at[i].may_free)
            may_free |= UINT64_C(1) << losses.at.at[i].param;
    }
    for (uint32_t param = 0; param < 64 && some >> param; param++) {
        const uint64_t bit = UINT64_C(1) << param;
        if (!(some & bit))
            continue;
        if (on_every_way(x, &losses, param, true))
            x->f->frees_always |= bit;
        if (on_every_way(x, &losses, param, false))
            x->f->loses |= bit;
    }
    x->f->may_free = may_free;
    vec_free(&losses.at);
}

/* What may be released to, and waited for, later. */
struct later {
    uint64_t gives, waits;
};

static struct later either(struct later a, struct later b) {
    return (struct later){a.gives | b.gives, a.waits | b.waits};
}

static struct later of_events(const struct region_flow *f, uint32_t from, uint32_t to) {
    struct later all = {0, 0};
    for (uint32_t i = from; i < to; i++)
        all = either(all, (struct later){f->events[i].gives, f->events[i].waits});
    return all;
}

static uint64_t takes_of(const struct region_flow *f, uint32_t from, uint32_t to) {
    uint64_t takes = 0;
    for (uint32_t i = from; i < to; i++)
        takes |= f->events[i].takes;
    return takes;
}

/* By block: does the program live on from there, to the function's end or round and round? Where an assertion failed, nobody waits any more
 * for what is done. */
static bool *find_living(const struct solve *x) {
    bool *lives = xcalloc(x->n_blocks, sizeof *lives);
    memset(lives, true, x->n_blocks * sizeof *lives);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = x->n_blocks; b-- > 0;) {
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            bool now = rec->term == IR_TERM_RETURN;
            for (uint32_t i = 0; i < rec->succs.count; i++)
                now |= lives[x->u->succs[rec->succs.first + i].block - x->first_block];
            now = x->f->ends[b] ? x->f->ends[b] == WAY_STAYS : now;
            changed |= now != lives[b];
            lives[b] = now;
        }
    }
    x->f->lives = lives[0];
    return lives;
}

/* After each event: backwards over blocks to a fixpoint, then over each block's events. Events of one call stand beside each
 * other: those lifted from the callee know what it gives after them. */
void region_find_released(struct solve *x) {
    struct region_flow *f = x->f;
    bool *lives = find_living(x);
    struct later *after = xcalloc(x->n_blocks, sizeof *after), *inside = xcalloc(x->n_blocks, sizeof *inside);
    for (uint32_t b = 0; b < x->n_blocks; b++) {
        struct ir_range ev = x->u->blocks[x->first_block + b].events;
        if (!ev.count || !lives[b])
            continue;
        inside[b] =
            of_events(f, f->first[ev.first - f->first_event], f->first[ev.first + ev.count - f->first_event]);
        f->gives |= inside[b].gives;
        f->waits |= inside[b].waits;
        f->takes |=
            takes_of(f, f->first[ev.first - f->first_event], f->first[ev.first + ev.count - f->first_event]);
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
        for (uint32_t i = f->branch_first[b]; i < f->branch_first[b + 1]; i++)
            f->events[i].released |= running.gives;
        size_t next = call;
        while (next < f->calls.n && f->calls.at[next].event >= ev.first &&
               f->calls.at[next].event - ev.first < ev.count)
            next++;
        size_t at = next; /* calls of this block, the last first */
        for (uint32_t k = ev.count; k-- > 0;) {
            uint32_t from = f->first[ev.first + k - f->first_event],
                     to = f->first[ev.first + k + 1 - f->first_event];
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
    free(lives);
    free(after);
    free(inside);
}
