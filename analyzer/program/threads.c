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

static uint32_t site_number(struct threads *t, const struct handoff_spec *s) {
    for (uint32_t i = 1; i <= t->n; i++)
        if (t->at[i].func == s->func && t->at[i].event == s->event)
            return i;
    if (t->n == MAX_THREADS) {
        t->overflow = true;
        return 0;
    }
    t->at[++t->n] = (struct thread_site){.func = s->func, .event = s->event};
    return t->n;
}

/* ---- who is alive where: one function at a time ---- */
struct flow {
    struct threads *t;
    const struct region_flow *f;
    const struct unit *u;
    const struct ir_func_rec *fr;
    uint64_t *in; /* by relative block */
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
            (!pa->b || !pb->b || pa->b == pb->b))
            return true;
    }
    return false;
}

/* The threads alive after region event e. */
static uint64_t after(struct flow *x, const struct region_event *e, uint64_t live) {
    if (e->op == REGION_SPAWN && e->spawn && e->spawn->n_entries) {
        const uint32_t k = site_number(x->t, e->spawn);
        if (!k)
            return live;
        struct thread_site *me = &x->t->at[k];
        me->beside |= live & ~bit(k);
        me->many |= (live & bit(k)) != 0;
        return live | bit(k);
    }
    if (e->op == REGION_JOIN)
        for (size_t i = 0; i < x->f->n_events; i++) {
            const struct region_event *s = &x->f->events[i];
            if (s->op == REGION_SPAWN && s->spawn && s->spawn->n_entries && same_handle(x->f, e, s->spawn))
                live &= ~bit(site_number(x->t, s->spawn));
        }
    return live;
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
        if (keep && x->u->events[e].op == IR_EV_CALL)
            remember(x, e, live);
        if (e < x->f->first_event)
            continue;
        for (uint32_t k = x->f->first[e - x->f->first_event]; k < x->f->first[e - x->f->first_event + 1]; k++)
            live = after(x, &x->f->events[k], live);
    }
    return live;
}

static void follow_function(const struct program *p, struct threads *t, uint32_t func) {
    struct flow x = {t, regions_flow(p->boundaries->regions, func), NULL, NULL, NULL};
    uint64_t all = 0;
    bool changed = true;

    if (!x.f || !x.f->n_events)
        return;
    x.u = x.f->unit->unit;
    x.fr = &x.u->funcs[p->funcs.at[func].func];
    for (size_t i = 0; i < x.f->n_events; i++) {
        const struct region_event *e = &x.f->events[i];
        if (e->op == REGION_SPAWN && e->spawn && e->spawn->n_entries)
            all |= bit(site_number(t, e->spawn)) & ~UINT64_C(1);
    }
    if (!all)
        return;
    x.in = xcalloc(x.fr->blocks.count + 1, sizeof *x.in);
    while (changed) {
        changed = false;
        for (uint32_t b = 0; b < x.fr->blocks.count; b++) {
            const struct ir_block_rec *rec = &x.u->blocks[x.fr->blocks.first + b];
            const uint64_t out = through(&x, b, x.in[b], false);
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                const uint32_t to = x.u->succs[rec->succs.first + i].block - x.fr->blocks.first;
                if ((x.in[to] | out) != x.in[to]) {
                    x.in[to] |= out;
                    changed = true;
                }
            }
        }
    }
    for (uint32_t b = 0; b < x.fr->blocks.count; b++)
        (void)through(&x, b, x.in[b], true);
    for (uint32_t i = 1; i <= t->n; i++)
        if (all & bit(i))
            t->at[i].seen |= all;
    free(x.in);
}

/* ---- who runs what ---- */
static uint64_t alive_at(const struct threads *t, uint32_t func, ir_event e) {
    const uint32_t *slot = map64_find(&t->live, key_pair(func, e));

    return t->called[func] | (slot ? t->masks.at[*slot] : 0);
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

struct threads *threads_find(const struct program *p) {
    struct threads *t = xcalloc(1, sizeof *t);
    const struct boundaries *b = p->boundaries;

    t->runs = xcalloc(p->funcs.n + 1, sizeof *t->runs);
    t->called = xcalloc(p->funcs.n + 1, sizeof *t->called);
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
    for (uint32_t i = 1; i <= t->n; i++) /* started by several threads, or by callers nobody counts */
        t->at[i].many |= (t->runs[t->at[i].func] & bit(THREAD_OUTSIDE)) != 0;
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 1; i <= t->n; i++)
            for (uint32_t k = 1; k <= t->n; k++)
                t->at[i].many |= (t->runs[t->at[i].func] & bit(k)) && t->at[k].many;
    return t;
}

void threads_free(struct threads *t) {
    if (!t)
        return;
    free(t->runs);
    free(t->called);
    map64_free(&t->live);
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
