/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Solves one function's flow: which place each local points to, block by block, then region events in order.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include <string.h>
#include "../base/alloc.h"

enum { MAX_STATE = 1 << 22, MAX_TURNS = 100 };

void region_flow_free(struct region_flow *f) {
    if (!f)
        return;
    vec_free(&f->lifted);
    free(f->lifted_of);
    free(f->arg_objects);
    free(f->call_places);
    free(f->first_touch);
    free(f->next_touch);
    free(f->places);
    index_free(&f->place_index);
    map64_free(&f->names);
    if (f->kept) {
        free(f->kept);
        free(f);
        return;
    }
    free(f->events);
    free(f->first);
    free(f->branch_first);
    free(f->branches);
    free(f->ends);
    free(f->locks_at);
    vec_free(&f->control);
    vec_free(&f->spawns);
    vec_free(&f->calls);
    vec_free(&f->args);
    vec_free(&f->phis);
    vec_free(&f->calls_through);
    vec_free(&f->copies);
    free(f);
}

static void run_block(struct solve *x, uint32_t b) {
    const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
    region_state_copy(x, x->s, &x->in[b]);
    for (uint32_t i = 0; i < rec->events.count; i++) {
        if (x->recording) {
            x->f->first[rec->events.first + i - x->f->first_event] = (uint32_t)x->f->n_events;
            x->f->locks_at[rec->events.first + i - x->f->first_event] = x->s->locks;
        }
        if (x->s->reached)
            region_apply(x, rec->events.first + i);
    }
    if (x->recording && x->s->reached) {
        x->event = rec->events.count ? rec->events.first + rec->events.count - 1 : x->f->first_event;
        x->in_branch = true;
        if (rec->cond)
            region_reads(x, rec->cond);
        x->in_branch = false;
        region_note_branch(x, rec, &x->f->branches[b]);
    }
}

/* Blocks in reverse postorder, those that are reached: what comes before a block is run before it, but for a loop's end. The blocks of
 * `a && b` are not numbered so. Returns their number. */
static uint32_t order_blocks(const struct solve *x, uint32_t *order) {
    struct visit {
        uint32_t block, next;
    } *stack = xcalloc(x->n_blocks, sizeof *stack);
    bool *seen = xcalloc(x->n_blocks, sizeof *seen);
    uint32_t depth = 0, at = x->n_blocks;
    stack[depth++] = (struct visit){0, 0};
    seen[0] = true;
    while (depth) {
        struct visit *v = &stack[depth - 1];
        const struct ir_range succs = x->u->blocks[x->first_block + v->block].succs;
        if (v->next == succs.count) {
            order[--at] = v->block;
            depth--;
            continue;
        }
        uint32_t to = x->u->succs[succs.first + succs.count - ++v->next].block -
                      x->first_block; /* the last first: it comes last in the order */
        if (!seen[to]) {
            seen[to] = true;
            stack[depth++] = (struct visit){to, 0};
        }
    }
    memmove(order, order + at, (x->n_blocks - at) * sizeof *order);
    free(stack);
    free(seen);
    return x->n_blocks - at;
}

/* What comes out of block b goes into those that follow; those that this taught anything are stale. Returns whether there are any. */
static bool hand_on(struct solve *x, uint32_t b, bool *stale) {
    const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
    bool changed = false;
    for (uint32_t i = 0; i < rec->succs.count && x->s->reached; i++) {
        uint32_t to = x->u->succs[rec->succs.first + i].block - x->first_block;
        stale[to] |= region_state_merge(x, &x->in[to], x->s, to);
        changed |= stale[to];
    }
    return changed;
}

/* Until nothing comes into any block that was not there. Returns whether it came to that. */
static bool find_states(struct solve *x) {
    bool changed = true, *stale = xcalloc(x->n_blocks, sizeof *stale);
    uint32_t *order = xcalloc(x->n_blocks, sizeof *order), n = order_blocks(x, order);
    stale[0] = true;
    for (unsigned turn = 0; changed && turn < MAX_TURNS; turn++) {
        changed = false;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t b = order[i];
            if (!stale[b])
                continue; /* what comes in is as it was: so is what goes out */
            stale[b] = false;
            run_block(x, b);
            changed |= hand_on(x, b, stale);
        }
    }
    free(order);
    free(stale);
    return !changed;
}

static void solve_function(struct solve *x) {
    struct region_flow *f = x->f;
    struct state current;
    region_state_init(&current, x->n_vars);
    x->s = &current;
    x->in = xcalloc(x->n_blocks, sizeof *x->in);
    for (uint32_t b = 0; b < x->n_blocks; b++)
        region_state_init(&x->in[b], x->n_shared);
    x->in[0].reached = true;
    for (uint32_t i = 0; i < x->n_params; i++)
        if (region_is_pointer(x->u, x->u->vars[x->first_param + i].type))
            x->in[0].vars[x->slots[i]] = VALUE_OF(VALUE_POINTER, place_make(f, PLACE_PARAM, i, 0));
    f->failed = !find_states(x);
    x->recording = true;
    uint32_t n_events = x->end_event - f->first_event;
    f->first = xcalloc(n_events + 1, sizeof *f->first);
    f->locks_at = xcalloc(n_events + 1, sizeof *f->locks_at);
    f->branches = xcalloc(x->n_blocks, sizeof *f->branches);
    f->ends = xcalloc(x->n_blocks, sizeof *f->ends);
    f->branch_first = xcalloc(x->n_blocks + 1, sizeof *f->branch_first);
    for (uint32_t b = 0; b < x->n_blocks && !f->failed; b++) {
        f->branch_first[b] = (uint32_t)x->branches.n;
        if (x->in[b].reached) {
            run_block(x, b);
        } else {
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            for (uint32_t i = 0; i < rec->events.count; i++)
                f->first[rec->events.first + i - f->first_event] = (uint32_t)f->n_events;
        }
        f->ends[b] = x->in[b].reached && x->s->reached ? WAY_GOES_ON
                     : x->in[b].reached && x->s->stays ? WAY_STAYS
                                                       : WAY_DIES;
        if (!f->ends[b] && x->u->blocks[x->first_block + b].term == IR_TERM_RETURN) {
            f->adds |= x->s->locks;
            f->drops = f->returns ? f->drops & x->s->dropped : x->s->dropped;
            f->returns = true;
        }
    }
    f->first[n_events] = (uint32_t)f->n_events;
    f->branch_first[x->n_blocks] = (uint32_t)x->branches.n;
    for (uint32_t b = 0; b <= x->n_blocks; b++)
        f->branch_first[b] += (uint32_t)f->n_events;
    f->cap_events = f->n_events + x->branches.n;
    f->events = xrealloc(f->events, (f->cap_events + 1) * sizeof *f->events);
    if (x->branches.n)
        memcpy(f->events + f->n_events, x->branches.at, x->branches.n * sizeof *f->events);
    f->n_events = f->cap_events;
    vec_free(&x->branches);
    map64_free(&x->told);
    if (!f->failed)
        region_find_released(x);
    region_find_losses(x);
    for (uint32_t b = 0; b < x->n_blocks; b++)
        region_state_free(&x->in[b]);
    free(x->in);
    region_state_free(&current);
}

void region_give_up(const struct region_flow *f) {
    if (f->unit->unit->funcs[f->p->funcs.at[f->func].func].blocks.count)
        program_give_up(f->p, f->func, "the rules about hand-offs, being too large");
}

ir_event region_find_events(struct region_flow *f) {
    const struct unit *u = f->unit->unit;
    const struct ir_range blocks = u->funcs[f->p->funcs.at[f->func].func].blocks;
    ir_event end = 0;
    f->first_event = UINT32_MAX;
    for (uint32_t b = 0; b < blocks.count; b++) {
        struct ir_range ev = u->blocks[blocks.first + b].events;
        if (ev.count && ev.first < f->first_event)
            f->first_event = ev.first;
        if (ev.count && ev.first + ev.count > end)
            end = ev.first + ev.count;
    }
    if (!end)
        f->first_event = 0;
    return end;
}

struct region_flow *region_solve(struct regions *r, uint32_t func) {
    struct program *p = r->p;
    struct region_flow *f = xcalloc(1, sizeof *f);
    const struct linked_func *lf = &p->funcs.at[func];
    f->p = p;
    f->func = func;
    f->unit = lf->unit;
    const struct unit *u = lf->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[lf->func];
    struct solve x = {.p = p,
                      .r = r,
                      .f = f,
                      .u = u,
                      .fr = fr,
                      .first_block = fr->blocks.first,
                      .n_blocks = fr->blocks.count,
                      .first_param = fr->params.first,
                      .n_params = fr->params.count,
                      .first_local = fr->locals.first,
                      .n_vars = fr->params.count + fr->locals.count};
    x.end_event = region_find_events(f);
    place_make(f, PLACE_NONE, 0, 0);
    region_number_vars(&x);
    if (fr->blocks.count && (uint64_t)x.n_blocks * x.n_shared < MAX_STATE)
        solve_function(&x);
    else
        f->failed = true;
    free(x.slots);
    free(x.in_slot);
    if (f->failed)
        region_give_up(f);
    f->solved = true;
    return f;
}
