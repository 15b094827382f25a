/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds the threads of a program and who lives beside whom: spawns and joins followed through each function
 * that has them. Stands on threads.h and region.h, whose flows name handles. */
#include "threads.h"

#include <string.h>
#include "../base/alloc.h"
#include "boundary.h"
#include "summary.h"

static uint64_t bit(uint32_t thread) {
    return UINT64_C(1) << thread;
}

uint32_t threads_site(struct threads *t, uint32_t func, ir_event event) {
    for (uint32_t i = 1; i <= t->n; i++)
        if (t->at[i].func == func && t->at[i].event == event)
            return i;
    if (t->n == MAX_THREADS) {
        t->overflow = true;
        return 0;
    }
    t->at[++t->n] = (struct thread_site){.func = func, .event = event};
    return t->n;
}

static uint32_t site_number(struct threads *t, const struct handoff_spec *s) {
    return threads_site(t, s->func, s->event);
}

/* ---- who is alive where: one function at a time ---- */
struct flow {
    struct threads *t;
    const struct region_flow *f;
    const struct unit *u;
    const struct ir_func_rec *fr;
    uint64_t *in; /* by relative block */
    uint64_t *joined; /* by relative block, of the head of a loop: the threads that the loop joins … */
    uint32_t *inside; /* … and which of its ways stay in it, as bits */
};

static bool same_handle(const struct region_flow *f, const struct region_event *join,
                        const struct handoff_spec *s) {
    if (!join->place)
        return false;
    for (uint32_t i = 0; i < s->n_handles; i++) {
        const place_id a = s->handles[i], b = join->place;
        const struct place *pa = &f->places[a], *pb = &f->places[b];
        if (a == b)
            return true;
        if (pa->op == PLACE_INDEX && pb->op == PLACE_INDEX && pa->a == pb->a &&
            (!place_element(pa) || !place_element(pb) || pa->b == pb->b))
            return true;
    }
    return false;
}

/* The threads that a join ends. */
static uint64_t ended_by(struct threads *t, const struct region_flow *f, const struct region_event *join) {
    uint64_t ended = 0;

    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *s = &f->events[i];
        if (s->op == REGION_SPAWN && s->spawn && s->spawn->n_entries && same_handle(f, join, s->spawn))
            ended |= bit(site_number(t, s->spawn));
    }
    return ended;
}

static uint64_t started(struct threads *t, uint32_t k, uint64_t live) {
    t->at[k].beside |= live & ~bit(k);
    t->at[k].many |= (live & bit(k)) != 0;
    return live | bit(k);
}

uint64_t threads_left(const struct program *p, const struct threads *t, uint32_t func, ir_event event) {
    uint32_t n = 0;
    const struct call_edge *edges =
        p->funcs.at[func].unit->unit->events[event].op == IR_EV_CALL ? program_calls(p, func, event, &n) : NULL;
    uint64_t left = 0;

    for (uint32_t i = 0; i < n; i++)
        left |= t->leaves[edges[i].callee];
    return left;
}

/* The threads alive after region event e. */
static uint64_t after(struct flow *x, const struct region_event *e, uint64_t live) {
    if (e->op == REGION_SPAWN && e->spawn && e->spawn->n_entries) {
        const uint32_t k = site_number(x->t, e->spawn);
        return k ? started(x->t, k, live) : live;
    }
    return e->op == REGION_JOIN ? live & ~ended_by(x->t, x->f, e) : live;
}

static void remember(struct flow *x, ir_event e, uint64_t live) {
    bool fresh;
    uint32_t *slot = map64_place(&x->t->live, key_pair(x->f->func, e), &fresh);

    if (fresh) {
        *slot = (uint32_t)x->t->masks.n;
        vec_push(&x->t->masks, 0);
    }
    x->t->masks.at[*slot] |= live;
}

static uint64_t through(struct flow *x, uint32_t block, uint64_t live, bool keep) {
    const struct ir_block_rec *b = &x->u->blocks[x->fr->blocks.first + block];

    for (uint32_t i = 0; i < b->events.count; i++) {
        const ir_event e = b->events.first + i;
        const uint64_t left = threads_left(x->f->p, x->t, x->f->func, e);
        if (keep)
            remember(x, e, live);
        for (uint64_t more = left; more; more &= more - 1)
            live = started(x->t, (uint32_t)__builtin_ctzll(more), live);
        if (e < x->f->first_event)
            continue;
        for (uint32_t k = x->f->first[e - x->f->first_event]; k < x->f->first[e - x->f->first_event + 1]; k++)
            live = after(x, &x->f->events[k], live);
    }
    return live;
}

/* The blocks on a way from the join's block back to it: the loop it stands in, if any. */
static bool *loop_of(const struct flow *x, uint32_t block) {
    const uint32_t n = x->fr->blocks.count;
    bool *from = xcalloc(n, sizeof *from), *to = xcalloc(n, sizeof *to), changed = true;

    from[block] = to[block] = true;
    while (changed) {
        changed = false;
        for (uint32_t b = 0; b < n; b++) {
            const struct ir_block_rec *rec = &x->u->blocks[x->fr->blocks.first + b];
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                const uint32_t next = x->u->succs[rec->succs.first + i].block - x->fr->blocks.first;
                changed |= (from[b] && !from[next]) || (to[next] && !to[b]);
                from[next] |= from[b];
                to[b] |= to[next];
            }
        }
    }
    for (uint32_t b = 0; b < n; b++)
        from[b] &= to[b];
    free(to);
    return from;
}

/* A loop that joins elements of an array of handles joins them all, when it ends as its head decides: a loop with no turn is one
 * with no threads. */
static void find_joining_loops(struct flow *x) {
    for (uint32_t b = 0; b < x->fr->blocks.count; b++) {
        const struct ir_block_rec *block = &x->u->blocks[x->fr->blocks.first + b];
        uint64_t joined = 0;
        bool *loop;
        for (size_t i = 0; i < x->f->n_events; i++) {
            const struct region_event *e = &x->f->events[i];
            if (e->op == REGION_JOIN && e->event >= block->events.first && e->event - block->events.first < block->events.count)
                joined |= ended_by(x->t, x->f, e);
        }
        if (!joined)
            continue;
        loop = loop_of(x, b);
        for (uint32_t k = 0; k < x->fr->blocks.count; k++) {
            const struct ir_block_rec *rec = &x->u->blocks[x->fr->blocks.first + k];
            bool entered = false, left = false; /* the head: where ways from outside come in */
            for (uint32_t i = 0; loop[k] && i < rec->succs.count; i++)
                left |= !loop[x->u->succs[rec->succs.first + i].block - x->fr->blocks.first];
            for (uint32_t from = 0; left && from < x->fr->blocks.count; from++) {
                const struct ir_block_rec *before = &x->u->blocks[x->fr->blocks.first + from];
                for (uint32_t i = 0; !loop[from] && i < before->succs.count; i++)
                    entered |= x->u->succs[before->succs.first + i].block - x->fr->blocks.first == k;
            }
            if (left && entered) {
                x->joined[k] |= joined;
                for (uint32_t i = 0; i < rec->succs.count; i++) {
                    const uint32_t to = x->u->succs[rec->succs.first + i].block - x->fr->blocks.first;
                    x->inside[k] |= loop[to] && i < 32 ? 1u << i : 0;
                }
            }
        }
        free(loop);
    }
}

/* The threads alive on the way to a block's successor. */
static uint64_t on_the_way(const struct flow *x, uint32_t block, uint32_t succ, uint64_t live) {
    return x->joined[block] && succ < 32 && !(x->inside[block] >> succ & 1) ? live & ~x->joined[block] : live;
}

static void follow_function(const struct program *p, struct threads *t, uint32_t func) {
    struct flow x = {.t = t, .f = regions_flow(p->boundaries->regions, func)};
    uint64_t all = 0, bare; /* bare: those that no region shows to callers */
    bool changed = true;

    t->blind |= !x.f;
    if (!x.f)
        return;
    x.u = x.f->unit->unit;
    x.fr = &x.u->funcs[p->funcs.at[func].func];
    for (uint32_t i = 0; i < p->funcs.at[func].n_edges; i++)
        all |= t->leaves[p->edges.at[p->funcs.at[func].first_edge + i].callee];
    bare = all;
    for (size_t i = 0; i < x.f->n_events; i++) {
        const struct region_event *e = &x.f->events[i];
        t->blind |= e->op == REGION_SPAWN && !(e->spawn && e->spawn->n_entries);
        if (e->op == REGION_SPAWN && e->spawn && e->spawn->n_entries)
            all |= bit(site_number(t, e->spawn)) & ~UINT64_C(1);
        if (e->op == REGION_SPAWN && e->spawn && e->spawn->n_entries && !e->place)
            bare |= bit(site_number(t, e->spawn)) & ~UINT64_C(1);
    }
    if (!all)
        return;
    x.in = xcalloc(x.fr->blocks.count + 1, sizeof *x.in);
    x.joined = xcalloc(x.fr->blocks.count + 1, sizeof *x.joined);
    x.inside = xcalloc(x.fr->blocks.count + 1, sizeof *x.inside);
    find_joining_loops(&x);
    while (changed) {
        changed = false;
        for (uint32_t b = 0; b < x.fr->blocks.count; b++) {
            const struct ir_block_rec *rec = &x.u->blocks[x.fr->blocks.first + b];
            const uint64_t out = through(&x, b, x.in[b], false);
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                const uint32_t to = x.u->succs[rec->succs.first + i].block - x.fr->blocks.first;
                const uint64_t live = on_the_way(&x, b, i, out);
                changed |= (live & ~x.in[to]) != 0;
                x.in[to] |= live;
            }
        }
    }
    for (uint32_t b = 0; b < x.fr->blocks.count; b++) {
        const uint64_t out = through(&x, b, x.in[b], true);
        if (x.u->blocks[x.fr->blocks.first + b].term == IR_TERM_RETURN)
            t->leaves[func] |= out & bare;
    }
    for (uint32_t i = 1; i <= t->n; i++)
        if (all & bit(i))
            t->at[i].seen |= all;
    free(x.in);
    free(x.joined);
    free(x.inside);
}

/* ---- who runs what ---- */
static uint64_t alive_at(const struct threads *t, uint32_t func, ir_event e) {
    const uint32_t *slot = map64_find(&t->live, key_pair(func, e));
    const uint32_t *gone = map64_find(&t->joined, key_pair(func, e));

    return (t->called[func] | (slot ? t->masks.at[*slot] : 0)) & ~(gone ? t->masks.at[*gone] : 0);
}

void threads_note_joined(struct threads *t, uint32_t func, ir_event e, uint64_t joined) {
    if (!joined)
        return;
    map64_put(&t->joined, key_pair(func, e), (uint32_t)t->masks.n);
    vec_push(&t->masks, joined);
}

/* Somebody outside the program may call it: it is offered to other files, or its address went where we cannot
 * see. */
static bool offered(const struct program *p, uint32_t f) {
    const struct linked_func *lf = &p->funcs.at[f];

    return lf->defined && !lf->n_callers && (!lf->internal || lf->address_taken) &&
           strcmp(lf->name, "main") != 0 && !(lf->unit->unit->funcs[lf->func].flags & IR_FF_INITIALISERS);
}

static bool spread(void *data, const struct call_edge *e)
{
    struct threads *t = data;
    const uint64_t runs = t->runs[e->callee] | t->runs[e->caller];
    const uint64_t called = t->called[e->callee] | (t->runs[e->caller] & 1 ? alive_at(t, e->caller, e->event) : 0);
    const bool changed = runs != t->runs[e->callee] || called != t->called[e->callee];

    t->runs[e->callee] = runs;
    t->called[e->callee] = called;
    return changed;
}

static void find_many(struct threads *t) {
    for (uint32_t i = 1; i <= t->n; i++) /* started by several threads, or by callers nobody counts */
        t->at[i].many |= (t->runs[t->at[i].func] & bit(THREAD_OUTSIDE)) != 0;
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 1; i <= t->n; i++)
            for (uint32_t k = 1; k <= t->n; k++)
                t->at[i].many |= (t->runs[t->at[i].func] & bit(k)) && t->at[k].many;
}

struct threads *threads_find(const struct program *p) {
    struct threads *t = xcalloc(1, sizeof *t);
    const struct boundaries *b = p->boundaries;

    t->runs = xcalloc(p->funcs.n + 1, sizeof *t->runs);
    t->called = xcalloc(p->funcs.n + 1, sizeof *t->called);
    t->leaves = xcalloc(p->funcs.n + 1, sizeof *t->leaves);
    for (size_t i = 0; b && i < p->order.n; i++)
        if (p->funcs.at[p->order.at[i]].summary &&
            p->funcs.at[p->order.at[i]].summary->effects & EFFECT_SPAWNS)
            follow_function(p, t, p->order.at[i]);
    for (size_t i = 0; b && i < b->handoffs.n; i++) {
        const struct handoff_spec *s = b->handoffs.at[i].at->spawn;
        const uint32_t k = b->handoffs.at[i].at->op == REGION_SPAWN && s && s->n_entries ? site_number(t, s) : 0;
        for (uint32_t j = 0; s && k && j < s->n_entries; j++)
            t->runs[s->entries[j]] |= bit(k);
    }
    for (uint32_t f = 1; f < p->funcs.n; f++) {
        if (strcmp(p->funcs.at[f].name, "main") == 0 && p->funcs.at[f].defined)
            t->runs[f] |= 1;
        else if (p->funcs.at[f].is_thread_entry && !t->runs[f])
            t->runs[f] |= bit(THREAD_OUTSIDE);
        else if (offered(p, f) && !t->runs[f])
            t->runs[f] |= bit(THREAD_OUTSIDE);
    }
    program_spread(p, spread, t);
    find_many(t);
    if (b)
        threads_find_joined(p, t);
    memset(t->called, 0, p->funcs.n * sizeof *t->called);
    program_spread(p, spread, t); /* now that it is known who is joined where */
    return t;
}

void threads_free(struct threads *t) {
    if (!t)
        return;
    free(t->runs);
    free(t->called);
    free(t->leaves);
    map64_free(&t->live);
    map64_free(&t->joined);
    vec_free(&t->masks);
    free(t);
}

static bool beside(const struct threads *t, uint32_t a, uint64_t alive, uint32_t b) {
    if (a == THREAD_OUTSIDE || b == THREAD_OUTSIDE)
        return true;
    if (a == b)
        return a != 0 && t->at[a].many;
    if (a == 0)
        return (alive & bit(b)) != 0;
    if (b == 0)
        return true; /* asked the other way round as well */
    if (t->at[a].seen & bit(b))
        return (t->at[a].beside & bit(b)) || (t->at[b].beside & bit(a));
    return true;
}

struct thread_context threads_context(const struct threads *t, uint32_t func, ir_event e) {
    return (struct thread_context){t->runs[func],
                                   t->runs[func] & 1 && !t->overflow ? alive_at(t, func, e) : 0};
}

bool threads_alone(const struct threads *t, uint32_t func, ir_event e) {
    return t->n && !t->overflow && !t->blind && t->runs[func] == 1 && !alive_at(t, func, e);
}

bool threads_beside(const struct threads *t, const struct thread_context *x, const struct thread_context *y) {
    if (t->overflow)
        return x->runs && y->runs;
    for (uint64_t left = x->runs; left; left &= left - 1)
        for (uint64_t right = y->runs; right; right &= right - 1) {
            const uint32_t a = (uint32_t)__builtin_ctzll(left), b = (uint32_t)__builtin_ctzll(right);
            if (beside(t, a, x->alive, b) && beside(t, b, y->alive, a))
                return true;
        }
    return false;
}
