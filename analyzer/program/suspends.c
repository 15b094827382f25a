/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is called with a lock held that yields or blocks, by what way?
 * Stands on solver.h; the effects are of effects.c. */
#include "solver.h"

#include <string.h>

uint32_t effect_next(const struct program *p, uint32_t at, uint32_t effect, ir_event *event)
{
    const struct linked_func *f = &p->funcs.at[at];
    const struct unit *u = f->unit->unit;

    for (uint32_t i = 0; f->defined && i < f->n_edges; i++) {
        const struct call_edge *e = &p->edges.at[f->first_edge + i];
        const struct linked_func *callee = &p->funcs.at[e->callee];
        const bool has = callee->summary && callee->summary->effects & effect;
        if (e->callee == at)
            continue;
        if (has || (effect == EFFECT_BLOCKS && call_blocks_if(p, u, &u->events[e->event], callee))) {
            *event = e->event;
            return e->callee;
        }
    }
    return 0;
}

static void tell_way(struct solver *s, struct lock_problem *pr, uint32_t callee, uint32_t effect)
{
    for (int depth = 0; depth < 12 && callee && s->p->funcs.at[callee].defined; depth++) {
        const struct linked_func *f = &s->p->funcs.at[callee];
        ir_event event = 0;
        const uint32_t next = effect_next(s->p, callee, effect, &event);
        if (!next)
            break;
        problem_story(s, pr, STORY_CALLED, f->unit->unit, f->unit->unit->events[event].loc, s->p->funcs.at[next].name);
        callee = next;
    }
}

/* Async locks may be held across a yield; what only may be held, or belongs to the caller by annotation, counts as held. */
static bool counts(const struct held *h)
{
    return (h->mode == HELD_EXCLUSIVE || h->mode == HELD_SHARED) && !(h->flags & HELD_MAYBE) && !h->when;
}

static void report(struct solver *s, const struct held *h, enum lock_problem_kind kind, uint32_t callee, ir_event e,
                   enum lock_problem_detail detail)
{
    struct lock_problem *pr = problem_new(s, kind, detail, s->u->events[e].loc, h->lock, NULL);

    if (!pr)
        return;
    pr->data = s->p->funcs.at[callee].name;
    problem_taken(s, pr, h);
    tell_way(s, pr, callee, kind == PROBLEM_YIELD ? EFFECT_YIELDS : EFFECT_BLOCKS);
}

static bool is_async(const struct solver *s, const struct held *h)
{
    const struct object_class c = term_class(&s->t, h->lock);

    return h->flags & HELD_ASYNC || (c.field && s->p->fields.at[c.field].lock.async) ||
           (c.global && s->p->globals.at[c.global].lock.async);
}

static bool is_token(const struct solver *s, term lock)
{
    return s->t.recs[lock].op == TERM_TOKEN;
}

void check_suspends(struct solver *s, const struct world *w, uint32_t callee, const struct summary *sum, ir_event e)
{
    const struct linked_func *f = &s->p->funcs.at[callee];
    uint32_t effects = sum->effects;

    if (!w->n_held)
        return;
    if (call_blocks_if(s->p, s->u, &s->u->events[e], f))
        effects |= EFFECT_BLOCKS;
    for (uint32_t i = 0; i < w->n_held; i++) {
        const struct held *h = &w->held[i];
        if (!counts(h) || is_token(s, h->lock))
            continue;
        if (effects & EFFECT_YIELDS && !is_async(s, h)) {
            report(s, h, PROBLEM_YIELD, callee, e, DETAIL_NONE);
            return;
        }
        if (effects & EFFECT_BLOCKS) {
            report(s, h, PROBLEM_BLOCK, callee, e, f->defined && !sum->blocks_always ? DETAIL_MAY : DETAIL_NONE);
            return; /* one lock tells the story */
        }
    }
}

void check_wait_suspends(struct solver *s, const struct world *w, uint32_t callee, term own, ir_event e)
{
    for (uint32_t i = 0; i < w->n_held; i++) {
        const struct held *h = &w->held[i];
        if (counts(h) && !term_same_shape(&s->t, h->lock, own) && !is_token(s, h->lock))
            report(s, h, PROBLEM_BLOCK, callee, e, DETAIL_NONE);
    }
}

/* A stackless task returns at an await, with whatever it holds: that lock's leak there, and its unlock afterwards, are the same mistake. */
void program_drop_after_await(struct program *p)
{
    for (size_t i = 0; i < p->locks->problems.n; i++) {
        const struct lock_problem *across = &p->locks->problems.at[i];
        const struct unit *u = across->unit;
        if (across->kind != PROBLEM_YIELD || across->dropped || !u || !func_frame(u, &u->funcs[p->funcs.at[across->func].func]))
            continue;
        for (size_t k = 0; k < p->locks->problems.n; k++) {
            struct lock_problem *pr = &p->locks->problems.at[k];
            const bool follows = pr->kind == PROBLEM_LEAK || pr->kind == PROBLEM_MISMATCH || pr->kind == PROBLEM_UNHELD ||
                                 pr->kind == PROBLEM_DOUBLE;
            if (follows && pr->func == across->func && pr->unit && !strcmp(pr->lock, across->lock))
                pr->dropped = true;
        }
    }
}
