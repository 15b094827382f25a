/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Solves functions' flows on demand: which place each local points to, block by block, then region events in order.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include <string.h>
#include "../base/alloc.h"

enum { EVENTS_AT_LEAST = 2000000, EVENTS_EACH = 20 /* of the program's functions */ };
enum { MAX_STATE = 1 << 22, MAX_ROUNDS = 100, MAX_DEPTH = 12 };

struct regions {
    struct program *p;
    VEC(struct region_flow *) flows; /* by function; NULL: never asked for */
    unsigned depth;
    uint64_t kept; /* events of all flows */
};

struct regions *regions_new(struct program *p)
{
    struct regions *r = xcalloc(1, sizeof *r);
    r->p = p;
    for (size_t i = 0; i < p->funcs.n; i++)
        vec_push(&r->flows, NULL);
    return r;
}

void regions_free(struct regions *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->flows.n; i++)
        if (r->flows.at[i]) {
            struct region_flow *f = r->flows.at[i];
            free(f->places);
            index_free(&f->place_index);
            free(f->events);
            free(f->first);
            free(f->branches);
            free(f->locks_at);
            vec_free(&f->phis);
            vec_free(&f->calls_through);
            vec_free(&f->copies);
            map64_free(&f->names);
            free(f);
        }
    vec_free(&r->flows);
    free(r);
}

static void run_block(struct solve *x, uint32_t b)
{
    const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
    region_state_copy(x, x->s, &x->in[b]);
    for (uint32_t i = 0; i < rec->events.count; i++) {
        if (x->recording) {
            x->f->first[rec->events.first + i - x->f->first_event] = (uint32_t)x->f->n_events;
            x->f->locks_at[rec->events.first + i - x->f->first_event] = x->s->locks;
        }
        region_apply(x, rec->events.first + i);
    }
    if (x->recording) {
        x->event = rec->events.count ? rec->events.first + rec->events.count - 1 : x->f->first_event;
        x->in_branch = true;
        if (rec->cond)
            region_reads(x, rec->cond);
        x->in_branch = false;
        region_note_branch(x, rec, &x->f->branches[b]);
    }
}

static void solve_function(struct solve *x)
{
    struct region_flow *f = x->f;
    struct state current;
    region_state_init(x, &current);
    x->s = &current;
    x->in = xcalloc(x->n_blocks, sizeof *x->in);
    for (uint32_t b = 0; b < x->n_blocks; b++)
        region_state_init(x, &x->in[b]);
    x->in[0].reached = true;
    for (uint32_t i = 0; i < x->n_params; i++)
        if (region_is_pointer(x->u, x->u->vars[x->first_param + i].type))
            x->in[0].vars[i] = VALUE_OF(VALUE_POINTER, place_make(f, PLACE_PARAM, i, 0));
    bool *stale = xcalloc(x->n_blocks, sizeof *stale);
    stale[0] = true;
    bool changed = true;
    for (unsigned round = 0; changed && round < MAX_ROUNDS; round++) {
        changed = false;
        for (uint32_t b = 0; b < x->n_blocks; b++) {
            if (!stale[b])
                continue; /* what comes in is as it was: so is what goes out */
            stale[b] = false;
            run_block(x, b);
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                uint32_t to = x->u->succs[rec->succs.first + i].block - x->first_block;
                x->s->reached = true;
                stale[to] |= region_state_merge(x, &x->in[to], x->s, to);
                changed |= stale[to];
            }
        }
    }
    free(stale);
    f->failed = changed;
    bool returned = false;
    x->recording = true;
    uint32_t n_events = x->end_event - f->first_event;
    f->first = xcalloc(n_events + 1, sizeof *f->first);
    f->locks_at = xcalloc(n_events + 1, sizeof *f->locks_at);
    f->branches = xcalloc(x->n_blocks, sizeof *f->branches);
    for (uint32_t b = 0; b < x->n_blocks && !f->failed; b++) {
        if (x->in[b].reached) {
            run_block(x, b);
        } else {
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            for (uint32_t i = 0; i < rec->events.count; i++)
                f->first[rec->events.first + i - f->first_event] = (uint32_t)f->n_events;
        }
        if (x->in[b].reached && x->u->blocks[x->first_block + b].term == IR_TERM_RETURN) {
            f->adds |= x->s->locks;
            f->drops = returned ? f->drops & x->s->dropped : x->s->dropped;
            returned = true;
        }
    }
    f->first[n_events] = (uint32_t)f->n_events;
    if (!f->failed)
        region_find_released(x);
    for (uint32_t i = 0; i < x->n_params && i < 64; i++)
        if (region_freed_always(x, i))
            f->frees_always |= UINT64_C(1) << i;
    for (uint32_t b = 0; b < x->n_blocks; b++)
        region_state_free(&x->in[b]);
    free(x->in);
    region_state_free(&current);
}

const struct region_flow *regions_flow(struct regions *r, uint32_t func)
{
    struct program *p = r->p;
    struct region_flow *f = r->flows.at[func];
    if (f)
        return f->solved && !f->failed ? f : NULL;
    const struct linked_func *lf = &p->funcs.at[func];
    if (!lf->defined || r->depth > MAX_DEPTH)
        return NULL;
    f = xcalloc(1, sizeof *f);
    r->flows.at[func] = f;
    f->p = p;
    f->func = func;
    f->unit = lf->unit;
    const struct unit *u = lf->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[lf->func];
    struct solve x = {.p = p, .r = r, .f = f, .u = u, .fr = fr, .first_block = fr->blocks.first, .n_blocks = fr->blocks.count,
                      .first_param = fr->params.first, .n_params = fr->params.count, .first_local = fr->locals.first,
                      .n_vars = fr->params.count + fr->locals.count};
    f->first_event = UINT32_MAX;
    for (uint32_t b = 0; b < x.n_blocks; b++) {
        struct ir_range ev = u->blocks[x.first_block + b].events;
        if (ev.count && ev.first < f->first_event)
            f->first_event = ev.first;
        if (ev.count && ev.first + ev.count > x.end_event)
            x.end_event = ev.first + ev.count;
    }
    if (!x.end_event)
        f->first_event = 0;
    place_make(f, PLACE_NONE, 0, 0);
    r->depth++;
    if (fr->blocks.count && (uint64_t)x.n_blocks * x.n_vars < MAX_STATE)
        solve_function(&x);
    else
        f->failed = true;
    if (f->failed && fr->blocks.count)
        program_give_up(p, func, "the rules about hand-offs, being too large");
    r->depth--;
    r->kept += f->n_events;
    f->solved = true;
    return f->failed ? NULL : f;
}

const struct region_flow *regions_flow_within(struct regions *r, uint32_t func)
{
    if (r->flows.at[func] || r->kept < EVENTS_AT_LEAST + (uint64_t)EVENTS_EACH * r->p->funcs.n)
        return regions_flow(r, func);
    if (r->p->funcs.at[func].defined)
        program_give_up(r->p, func, "the search for objects handed over through fields and queues, the program's flows being too large");
    return NULL;
}
