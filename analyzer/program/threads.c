/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds the threads of a program and who lives beside whom: spawns and joins followed through each function
 * that has them. Stands on threads.h and region.h, whose flows name handles. */
#include "threads.h"

#include <string.h>
#include "../base/alloc.h"
#include "../base/components.h"
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
    uint64_t *in;     /* by relative block */
    uint64_t *joined; /* by relative block, of the head of a loop: the threads that the loop joins … */
    uint32_t *inside; /* … and which of its ways stay in it, as bits */
    struct map64
        started; /* by place: the threads whose handle it is; by array: all of its elements', and those of some element */
    VEC(uint64_t) masks;
};
enum handle_of { HANDLE_HERE, HANDLE_OF_ALL, HANDLE_OF_SOME };

static void note_handle(struct flow *x, enum handle_of how, place_id place, uint64_t threads) {
    bool fresh;
    uint32_t *slot = map64_place(&x->started, key_pair(how, place), &fresh);

    if (fresh) {
        *slot = (uint32_t)x->masks.n;
        vec_push(&x->masks, 0);
    }
    x->masks.at[*slot] |= threads;
}

static uint64_t threads_of_handle(const struct flow *x, enum handle_of how, place_id place) {
    const uint32_t *slot = map64_find(&x->started, key_pair(how, place));

    return slot ? x->masks.at[*slot] : 0;
}

static void note_handles(struct flow *x, const struct handoff_spec *s) {
    const uint64_t thread = bit(site_number(x->t, s));

    for (uint32_t i = 0; i < s->n_handles; i++) {
        const struct place *handle = &x->f->places[s->handles[i]];
        note_handle(x, HANDLE_HERE, s->handles[i], thread);
        if (handle->op != PLACE_INDEX)
            continue;
        note_handle(x, HANDLE_OF_ALL, handle->a, thread);
        if (!place_element(handle))
            note_handle(x, HANDLE_OF_SOME, handle->a, thread);
    }
}

static void free_handles(struct flow *x) {
    map64_free(&x->started);
    vec_free(&x->masks);
}

/* The threads that a join ends: an element that is not known may be any. */
static uint64_t ended_by(const struct flow *x, const struct region_event *join) {
    const struct place *handle = &x->f->places[join->place];

    if (!join->place)
        return 0;
    if (handle->op != PLACE_INDEX)
        return threads_of_handle(x, HANDLE_HERE, join->place);
    if (!place_element(handle))
        return threads_of_handle(x, HANDLE_OF_ALL, handle->a);
    return threads_of_handle(x, HANDLE_HERE, join->place) | threads_of_handle(x, HANDLE_OF_SOME, handle->a);
}

static uint64_t started(struct threads *t, uint32_t k, uint64_t live) {
    t->at[k].beside |= live & ~bit(k);
    t->at[k].many |= (live & bit(k)) != 0;
    return live | bit(k);
}

uint64_t threads_left(const struct program *p, const struct threads *t, uint32_t func, ir_event event) {
    uint32_t n = 0;
    const struct call_edge *edges = p->funcs.at[func].unit->unit->events[event].op == IR_EV_CALL
                                        ? program_calls(p, func, event, &n)
                                        : NULL;
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
    return e->op == REGION_JOIN ? live & ~ended_by(x, e) : live;
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

static bool next_block(const void *flow, uint32_t block, uint32_t i, uint32_t *to) {
    const struct flow *x = flow;
    const struct ir_range succs = x->u->blocks[x->fr->blocks.first + block].succs;

    if (i >= succs.count)
        return false;
    *to = x->u->succs[succs.first + i].block - x->fr->blocks.first;
    return true;
}

static uint64_t joined_in(const struct flow *x, uint32_t block) {
    const struct ir_range events = x->u->blocks[x->fr->blocks.first + block].events;
    uint64_t joined = 0;

    if (!events.count)
        return 0;
    for (uint32_t i = x->f->first[events.first - x->f->first_event];
         i < x->f->first[events.first + events.count - x->f->first_event]; i++)
        if (x->f->events[i].op == REGION_JOIN)
            joined |= ended_by(x, &x->f->events[i]);
    return joined;
}

/* A loop that joins elements of an array of handles joins them all, when it ends as its head decides: a loop with no turn is one
 * with no threads. Loops are components of the blocks; a head is where ways from outside come in, and one goes out. */
static void find_joining_loops(struct flow *x) {
    const uint32_t n = x->fr->blocks.count;
    uint32_t *loop = xcalloc(n, sizeof *loop), *order = xcalloc(n, sizeof *order);
    uint64_t *joined = xcalloc(components_find(n, next_block, x, loop, order), sizeof *joined); /* by loop */
    bool *entered = xcalloc(n, sizeof *entered);

    entered[0] = true;
    for (uint32_t b = 0, to; b < n; b++) {
        joined[loop[b]] |= joined_in(x, b);
        for (uint32_t i = 0; next_block(x, b, i, &to); i++)
            entered[to] |= loop[b] != loop[to];
    }
    for (uint32_t b = 0, to; b < n; b++) {
        uint32_t inside = 0;
        bool left = false;
        for (uint32_t i = 0; next_block(x, b, i, &to); i++) {
            left |= loop[to] != loop[b];
            inside |= loop[to] == loop[b] && i < 32 ? 1u << i : 0;
        }
        if (!joined[loop[b]] || !inside || !left || !entered[b])
            continue;
        x->joined[b] = joined[loop[b]];
        x->inside[b] = inside;
    }
    free(loop);
    free(order);
    free(joined);
    free(entered);
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
        if (e->op == REGION_SPAWN && e->spawn && e->spawn->n_entries)
            note_handles(&x, e->spawn);
    }
    if (!all) {
        free_handles(&x);
        return;
    }
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
    free_handles(&x);
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

static bool spread(void *data, const struct call_edge *e) {
    struct threads *t = data;
    const uint64_t runs = t->runs[e->callee] | t->runs[e->caller];
    const uint64_t called =
        t->called[e->callee] | (t->runs[e->caller] & 1 ? alive_at(t, e->caller, e->event) : 0);
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
        const uint32_t k =
            b->handoffs.at[i].at->op == REGION_SPAWN && s && s->n_entries ? site_number(t, s) : 0;
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
