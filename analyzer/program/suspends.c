/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is called with a lock held that yields or blocks, by what way?
 * Stands on solver.h; the effects are of effects.c. */
#include "blocks_when.h"
#include "calls.h"

#include <string.h>

uint32_t effect_next(const struct program *p, uint32_t at, uint32_t effect, uint32_t *when, ir_event *event) {
    const struct linked_func *f = &p->funcs.at[at];

    if (*when) {
        const struct wait_if *w =
            f->summary && *when <= f->summary->n_wait_ifs ? &f->summary->wait_ifs[*when - 1] : NULL;
        *event = w ? w->event : 0;
        *when = w ? w->next : 0;
        return w ? w->callee : 0; /* 0, too, where it is the function handed over that waits */
    }
    for (uint32_t i = 0; f->defined && i < f->n_edges; i++) {
        const struct call_edge *e = &p->edges.at[f->first_edge + i];
        const struct linked_func *callee = &p->funcs.at[e->callee];
        const struct call_wait wait =
            effect == EFFECT_BLOCKS ? call_blocks_when(p, at, e->event) : (struct call_wait){false, false, 0};
        const bool has = callee->summary && callee->summary->effects & effect;
        const uint32_t called = has ? 0 : call_called_with(p, at, e->event, effect);
        if (e->callee == at || (!has && !wait.holds && !called))
            continue;
        *event = e->event;
        *when = has || called ? 0 : wait.next;
        return called ? called : e->callee;
    }
    return 0;
}

/* Async locks may be held across a yield; what only may be held, or belongs to the caller by annotation, counts as held. */
static bool counts(const struct held *h) {
    return (h->mode == HELD_EXCLUSIVE || h->mode == HELD_SHARED) && !(h->flags & HELD_MAYBE) && !h->when;
}

static void report(struct solver *s, const struct held *h, enum lock_problem_kind kind, uint32_t callee,
                   ir_event e, enum lock_problem_detail detail, uint32_t when, uint32_t called) {
    struct lock_problem *pr = problem_new(s, kind, detail, s->u->events[e].loc, h->lock, NULL);

    if (!pr)
        return;
    pr->data = s->p->funcs.at[callee].name;
    pr->class = term_class(&s->t, h->lock);
    problem_taken(s, pr, h);
    problem_way(s, pr,
                &(struct way){.callee = callee,
                              .effect = kind == PROBLEM_YIELD ? EFFECT_YIELDS : EFFECT_BLOCKS,
                              .when = when,
                              .called = called});
}

static bool is_async(const struct solver *s, const struct held *h) {
    const struct object_class c = term_class(&s->t, h->lock);

    return h->flags & HELD_ASYNC || (c.field && s->p->fields.at[c.field].lock.async) ||
           (c.global && s->p->globals.at[c.global].lock.async);
}

static bool is_token(const struct solver *s, term lock) {
    return s->t.recs[lock].op == TERM_TOKEN;
}

/* The conditional wait of the callee that holds here: by constants, or by what is known of values on this way. */
static struct call_wait waits_here(const struct call *c, const struct world *w) {
    struct call_wait found = call_blocks_when(c->s->p, c->s->func, c->event);
    const struct linked_func *f = &c->s->p->funcs.at[c->callee];

    for (uint32_t i = 0; !found.holds && f->defined && i < c->sum->n_wait_ifs; i++) {
        const struct wait_if *wait = &c->sum->wait_ifs[i];
        if (wait->called)
            continue;
        const term value = instantiate(c->s, w, wait->value, c->args, c->n_args, 0);
        if (value && decide_range(&wait->only, world_range(&c->s->t, w, value)) == DECIDED_YES)
            found = (struct call_wait){true, wait->always, i + 1};
    }
    for (uint32_t i = 0; !found.holds && !f->defined && f->model && i < f->model->n_effects; i++) {
        const struct model_effect *m = &f->model->effects[i];
        if (m->kind != MODEL_BLOCKS || m->only.test == MODEL_ALWAYS || m->only.index >= c->n_args ||
            (c->s->p->nonblocking && call_works_on_descriptor(f->name)))
            continue;
        if (decide_range(&m->only, world_range(&c->s->t, w, c->args[m->only.index])) == DECIDED_YES)
            found = (struct call_wait){true, true, 0};
    }
    return found;
}

/* The function that is handed over here, called by the callee, and waits; or 0. *when: the callee's wait_if, + 1. */
static uint32_t called_here(const struct call *c, const struct world *w, uint32_t *when) {
    const uint32_t own = c->sum->effects & (EFFECT_YIELDS | EFFECT_BLOCKS);

    for (uint32_t i = 0; c->callee && i < c->sum->n_wait_ifs; i++) {
        const term value = c->sum->wait_ifs[i].called
                               ? instantiate(c->s, w, c->sum->wait_ifs[i].value, c->args, c->n_args, 0)
                               : 0;
        const struct term_rec r = c->s->t.recs[value];
        if (r.op == TERM_FUNC && waits_of(c->s->p, r.a) & ~own) {
            *when = i + 1;
            return r.a;
        }
    }
    return 0;
}

/* Does the callee give this lock up for a while? Then it need not hold it where it waits. */
static bool gives_up(const struct call *c, const struct world *w, term lock) {
    for (uint32_t i = 0; i < c->sum->n_requirements; i++) {
        const struct requirement *r = &c->sum->requirements[i];
        const term given_up =
            r->reason == REQUIRED_BY_RELEASE ? instantiate(c->s, w, r->lock, c->args, c->n_args, 0) : 0;
        if (given_up && term_same_shape(&c->s->t, given_up, lock))
            return true;
    }
    return false;
}

/* ---- what is meant ---- */
/* The blocks of the innermost loop that holds the event, with its head; or NULL. */
static const uint64_t *innermost_loop(const struct solver *s, ir_event e, uint32_t *head) {
    const uint32_t home = s->event_block[e - s->first_event];
    const uint64_t *found = NULL;

    for (uint32_t b = 0; b < s->n_blocks; b++)
        if (in_set(s->blocks[b].loop, home) && (!found || in_set(found, b))) {
            found = s->blocks[b].loop;
            *head = b;
        }
    return found;
}

/* Can the loop be gone round without that block? */
static bool goes_round_without(struct solver *s, const uint64_t *loop, uint32_t head, uint32_t without) {
    uint32_t *stack = arena_array(&s->scratch, uint32_t, s->n_blocks + 1), n = 0;
    bool *seen = arena_array(&s->scratch, bool, s->n_blocks);

    if (head == without)
        return false;
    stack[n++] = head;
    while (n) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + stack[--n]];
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const uint32_t to = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
            if (to == head)
                return true;
            if (to == without || seen[to] || !in_set(loop, to))
                continue;
            seen[to] = true;
            stack[n++] = to;
        }
    }
    return false;
}

/* Does a way out of the loop hang on a local that the loop counts up or down? Then it has so many turns. */
static bool is_counted(const struct solver *s, const uint64_t *loop) {
    for (uint32_t block = 0; block < s->n_blocks; block++) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];
        bool leaves = false;
        for (uint32_t i = 0; in_set(loop, block) && i < b->succs.count; i++)
            leaves |= !in_set(loop, s->u->succs[b->succs.first + i].block - s->fr->blocks.first);
        for (uint32_t k = 0; leaves && b->cond && k < s->n_events; k++) {
            const struct ir_event_rec *ev = &s->u->events[s->first_event + k];
            if (ev->op != IR_EV_STORE || !in_set(loop, s->event_block[k]) ||
                s->u->exprs[ev->a].op != IR_E_VAR || s->lu->globals[s->u->exprs[ev->a].a])
                continue;
            const struct ir_expr_rec *value = &s->u->exprs[ir_uncast(s->u, ev->b)];
            const ir_var counter = s->u->exprs[ev->a].a;
            if (value->op == IR_E_BINARY && (value->c == IR_B_ADD || value->c == IR_B_SUB) &&
                s->u->exprs[ir_uncast(s->u, value->b)].op == IR_E_CONST &&
                ir_mentions(s->u, value->a, counter) && ir_mentions(s->u, b->cond, counter))
                return true;
        }
    }
    return false;
}

/* A sleep in a loop that has so many turns, or that some of its turns leave out, while all of them hold the lock: it paces the loop,
 * or backs off. What sleeps in every turn until something is so may wait for somebody who needs the lock. */
static bool paces_loop(const struct call *c, const struct held *h) {
    struct solver *s = c->s;
    const bool sleeps = !s->p->funcs.at[c->callee].defined && c->ev->args.count == 1 &&
                        !(c->sum->effects & EFFECT_BLOCKS); /* for as long as its one argument says */
    uint32_t head = 0;
    const uint64_t *loop = sleeps ? innermost_loop(s, c->event, &head) : NULL;

    return loop && !(h->event && in_set(loop, s->event_block[h->event - s->first_event])) &&
           (is_counted(s, loop) ||
            goes_round_without(s, loop, head, s->event_block[c->event - s->first_event]));
}

/* The joined thread's own lock was given back for the join: by what it protects the thread was seen to end. */
static bool joins_the_seen(const struct call *c, const struct world *w) {
    const struct linked_func *f = &c->s->p->funcs.at[c->callee];
    const struct term_table *t = &c->s->t;
    bool joins = false;

    for (uint32_t i = 0; !f->defined && f->model && i < f->model->n_effects; i++)
        joins |= f->model->effects[i].kind == MODEL_JOINS;
    if (!joins || !c->n_args || t->recs[c->args[0]].op != TERM_LOAD)
        return false;
    const term object = term_object(t, t->recs[c->args[0]].a);
    for (uint32_t i = 0; i < w->n_gone; i++)
        if (w->gone[i].mode != HELD_FAILED && w->gone[i].mode != HELD_DOUBTED &&
            term_same_shape(t, term_object(t, w->gone[i].lock), object))
            return true;
    return false;
}

/* Did a call take it that gives locks of its class back where something else is so, as an iterator does? What else it leaves tells
 * which was done, and that is followed only so far. */
static bool is_iterators(const struct solver *s, const struct held *h) {
    const struct object_class class = term_class(&s->t, h->lock);
    uint32_t n = 0;
    const struct call_edge *edges = h->event ? program_calls(s->p, s->func, h->event, &n) : NULL;

    for (uint32_t i = 0; i < n; i++) {
        const struct summary *sum = s->p->funcs.at[edges[i].callee].summary;
        for (uint32_t k = 0; sum && k < sum->n_outcomes; k++)
            for (uint32_t j = 0; j < sum->outcomes[k].n_effects; j++)
                if (sum->outcomes[k].effects[j].kind == EFFECT_RELEASE &&
                    class_equal(class, term_class(&s->p->paths, sum->outcomes[k].effects[j].lock)))
                    return true;
    }
    return false;
}

void check_suspends(const struct call *c, const struct world *w) {
    struct solver *s = c->s;
    uint32_t effects = c->sum->effects, when = 0, called;
    struct call_wait wait;
    bool sure;

    if (!w->n_held)
        return;
    wait = waits_here(c, w);
    called = called_here(c, w, &when);
    sure = !s->p->funcs.at[c->callee].defined || c->sum->blocks_always || wait.always ||
           (called && c->sum->wait_ifs[when - 1].always && s->p->funcs.at[called].summary->blocks_always);
    if (wait.holds)
        effects |= EFFECT_BLOCKS;
    if (called)
        effects |= waits_of(s->p, called);
    const uint32_t wait_if = c->sum->effects & EFFECT_BLOCKS ? 0 : called ? when : wait.next;
    const struct held *meant = NULL;
    for (uint32_t i = 0; i < w->n_held; i++) {
        const struct held *h = &w->held[i];
        if (!counts(h) || is_token(s, h->lock) ||
            (effects & (EFFECT_YIELDS | EFFECT_BLOCKS) && gives_up(c, w, h->lock)))
            continue;
        if (effects & EFFECT_YIELDS && !is_async(s, h)) {
            report(s, h, PROBLEM_YIELD, c->callee, c->event, DETAIL_NONE,
                   c->sum->effects & EFFECT_YIELDS ? 0 : when, called);
            return;
        }
        if (!(effects & EFFECT_BLOCKS) || is_iterators(s, h))
            continue;
        if (sure && (paces_loop(c, h) || joins_the_seen(c, w))) {
            meant = h;
            continue;
        }
        report(s, h, PROBLEM_BLOCK, c->callee, c->event, sure ? DETAIL_NONE : DETAIL_MAY, wait_if, called);
        return; /* one lock tells the story */
    }
    if (meant)
        report(s, meant, PROBLEM_BLOCK, c->callee, c->event, DETAIL_MEANT, wait_if, called);
}

void check_wait_suspends(struct solver *s, const struct world *w, uint32_t callee, term own, ir_event e) {
    for (uint32_t i = 0; i < w->n_held; i++) {
        const struct held *h = &w->held[i];
        if (!counts(h) || term_same_shape(&s->t, h->lock, own) || is_token(s, h->lock) ||
            (is_collected(s, h) && class_equal(term_class(&s->t, h->lock), term_class(&s->t, own))))
            continue; /* of a row of which this is one, it is not known which are held still */
        report(s, h, PROBLEM_BLOCK, callee, e, DETAIL_NONE, 0, 0);
        return; /* one lock tells the story */
    }
}

/* A stackless task returns at an await, with whatever it holds: that lock's leak there, and its unlock afterwards, are the same mistake. */
void program_drop_after_await(struct program *p) {
    for (size_t i = 0; i < p->locks->problems.n; i++) {
        const struct lock_problem *across = &p->locks->problems.at[i];
        const struct unit *u = across->unit;
        if (across->kind != PROBLEM_YIELD || across->dropped || !u ||
            !func_frame(u, &u->funcs[p->funcs.at[across->func].func]))
            continue;
        for (size_t k = 0; k < p->locks->problems.n; k++) {
            struct lock_problem *pr = &p->locks->problems.at[k];
            const bool follows = pr->kind == PROBLEM_LEAK || pr->kind == PROBLEM_MISMATCH ||
                                 pr->kind == PROBLEM_UNHELD || pr->kind == PROBLEM_DOUBLE;
            if (follows && pr->func == across->func && pr->unit && !strcmp(pr->lock, across->lock))
                pr->dropped = true;
        }
    }
}
