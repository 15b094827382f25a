/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Solves every function's locks, callees first, and again those that a judged mistake misled.
 * Stands on solver.h. */
#include "habits.h"
#include "inputs.h"
#include "lock_order.h"
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"

/* Functions that call each other are solved so often: each time with better summaries of the others. Callees come first but for the
 * calls that close a circle, so what a function only notes (inputs.h) has gone round after two: the last round is for worlds. */
enum { FIRST_ROUND, SECOND_ROUND, LAST_ROUND };

/* What an earlier round said of the function. */
static void forget_problems(struct program *p, uint32_t func) {
    for (uint32_t i = p->locks->last_problem[func]; i; i = p->locks->problems.at[i].before)
        p->locks->problems.at[i].dropped = p->locks->problems.at[i].stale = true;
}

/* Where the functions that call each other with the one at i end, in the order of solving. */
static size_t component_end(const struct program *p, size_t i) {
    size_t end = i;

    while (end < p->order.n && p->funcs.at[p->order.at[end]].scc == p->funcs.at[p->order.at[i]].scc)
        end++;
    return end;
}

/* Of a function's summary as it is now. */
struct known_hash {
    struct summary_hash summary;
    uint64_t exact; /* summary.exact, and what callers read besides */
    bool hashed;    /* summary is that of now … */
    bool whole;     /* … and exact, too */
};

/* The program being solved. */
struct rounds {
    struct solver solver;
    bool *guarded, *solved;  /* by function: is guarded data touched in it; did solving it come to an end */
    struct known_hash *hash; /* by function */
    struct steps *steps;     /* NULL: there is no memo */
};

static struct summary_hash hash_of(struct rounds *r, uint32_t func) {
    struct known_hash *h = &r->hash[func];

    if (!h->hashed)
        h->summary = summary_hash(r->solver.p, r->solver.p->funcs.at[func].summary);
    h->hashed = true;
    return h->summary;
}

/* Of the summaries of all that func may call: one callee's edges need not stand together, each counts. */
static struct summary_hash callees_hash(struct rounds *r, uint32_t func) {
    const struct program *p = r->solver.p;
    const struct linked_func *f = &p->funcs.at[func];
    struct summary_hash all = {f->n_edges, f->n_edges, f->n_edges};

    for (uint32_t i = 0; i < f->n_edges; i++) {
        const uint32_t callee = p->edges.at[f->first_edge + i].callee;
        struct known_hash *h = &r->hash[callee];
        if (!h->whole) {
            h->exact = hash_of(r, callee).exact;
            if (r->steps)
                h->exact = hash_add(h->exact, step_exports(p, callee));
            h->whole = true;
        }
        all.exact = hash_add(all.exact, h->exact);
        all.all = hash_add(all.all, h->summary.all);
        all.worlds = hash_add(all.worlds, h->summary.worlds);
    }
    return all;
}

/* ---- steps that earlier runs took ---- */
/* Done again as an earlier run did it; else *key is what it is to be kept under, or 0. */
static bool known_step(struct rounds *r, uint32_t func, uint64_t callees, uint64_t *key) {
    struct known_hash *h = &r->hash[func];
    struct program *p = r->solver.p;
    struct bytes_in in;

    *key = 0;
    if (!r->steps)
        return false;
    *key = step_key(p, r->steps, func, callees, hash_of(r, func).exact);
    if (!*key || !memo_find(p->memo, *key, &in) || memo_is_checked() ||
        !step_read(&r->solver, r->steps, func, in, &h->summary))
        return false;
    h->whole = false;
    return true;
}

static void keep_step(struct rounds *r, struct solver *s, uint64_t key) {
    const struct bytes_out *out;
    struct bytes_in known;

    if (!key || s->unkeyed)
        return;
    out = step_write(s, r->steps, hash_of(r, s->func));
    if (memo_is_checked() && memo_find(s->p->memo, key, &known) && step_is_usable(known, out))
        memo_compare(known, out, "solving the locks of", s->lf->name);
    else
        memo_put(s->p->memo, key, out);
}

/* Worlds that came to rest are kept until the function's component is done, as long as they take no more than this together. */
#define MAX_KEPT ((size_t)96 << 20)

/* A function that is part of a recursion. */
struct member {
    struct summary_hash inputs; /* when it was last solved */
    struct solver *rested;      /* its worlds then, or NULL */
};

/* What is no function's own: room for what is soon forgotten, and the numbers that must not come again. */
static void hand_over(struct solver *from, struct solver *to) {
    to->scratch = from->scratch;
    memcpy(&to->said, &from->said, sizeof to->said);
    to->saying = from->saying;
    to->pass = from->pass;
    memset(&from->scratch, 0, sizeof from->scratch);
    memset(&from->said, 0, sizeof from->said);
}

/* The solver with the function's worlds, out of the program's solver, which goes on empty. */
static struct solver *set_aside(struct solver *s) {
    struct solver *own = xmalloc(sizeof *own);

    *own = *s;
    memset(s, 0, sizeof *s);
    s->p = own->p;
    hand_over(own, s);
    return own;
}

static void free_rested(struct member *m, size_t *kept) {
    if (!m->rested)
        return;
    *kept -= m->rested->arena.total;
    solver_free(m->rested);
    free(m->rested);
    m->rested = NULL;
}

static void record_again(struct rounds *r, struct member *m, uint64_t key) {
    hand_over(&r->solver, m->rested);
    solver_record(m->rested);
    r->hash[m->rested->func].hashed = r->hash[m->rested->func].whole = false;
    keep_step(r, m->rested, key);
    hand_over(m->rested, &r->solver);
}

/* Returns whether solving the function came to an end. */
static bool solve_and_keep(struct rounds *r, uint32_t func, uint64_t key) {
    const bool solved = solve_function(&r->solver, func);

    r->hash[func].hashed = r->hash[func].whole = false;
    if (!solved)
        return false;
    keep_step(r, &r->solver, key);
    return true;
}

static bool is_solved(const struct rounds *r, uint32_t func) {
    return function_matters(r->solver.p, func) || r->guarded[func];
}

static void solve_recursive(struct rounds *r, const uint32_t *funcs, size_t n) {
    struct solver *s = &r->solver;
    struct program *p = s->p;
    struct member *members = xcalloc(n, sizeof *members);
    size_t kept = 0;
    bool any = true;

    for (int round = FIRST_ROUND; any && round <= LAST_ROUND; round++) {
        p->locks->round++;
        any = false;
        for (size_t i = 0; i < n; i++) {
            const uint32_t func = funcs[i];
            struct member *m = &members[i];
            const struct summary_hash now = callees_hash(r, func), before = m->inputs;
            const bool same_worlds = round != FIRST_ROUND && now.worlds == before.worlds;
            if (same_worlds && (now.all == before.all || round == LAST_ROUND))
                continue; /* it would come to the same, or note more of the same */
            m->inputs = now;
            any = true;
            forget_problems(p, func);
            uint64_t key = 0;
            const bool solves = is_solved(r, func);
            if (solves && known_step(r, func, now.exact, &key)) {
                r->solved[func] = true;
                free_rested(m, &kept);
                continue;
            }
            if (m->rested && same_worlds) {
                record_again(r, m, key);
                continue;
            }
            free_rested(m, &kept);
            r->solved[func] = solves && solve_and_keep(r, func, key);
            if (round == FIRST_ROUND && r->solved[func] && kept + s->arena.total <= MAX_KEPT) {
                kept += s->arena.total;
                m->rested = set_aside(s);
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        free_rested(&members[i], &kept);
    free(members);
}

static void solve_component(struct rounds *r, const uint32_t *funcs, size_t n) {
    struct program *p = r->solver.p;

    if (p->funcs.at[funcs[0]].recursive) {
        solve_recursive(r, funcs, n);
        return;
    }
    const bool solves = is_solved(r, funcs[0]);
    uint64_t key = 0;
    p->locks->round++;
    forget_problems(p, funcs[0]);
    const bool known = solves && r->steps && known_step(r, funcs[0], callees_hash(r, funcs[0]).exact, &key);
    r->solved[funcs[0]] = known || (solves && solve_and_keep(r, funcs[0], key));
}

/* What solving locks said of these functions, their summaries included: one pass over everything said. */
static void forget_functions(struct program *p, const bool *funcs) {
    for (size_t i = 0; i < p->order.n; i++) {
        const uint32_t f = p->order.at[i];
        struct summary *s = p->funcs.at[f].summary;
        if (!funcs[f])
            continue;
        s->n_outcomes = s->n_requirements = s->n_inner = s->n_waits = s->n_inits = s->n_destroys =
            s->n_orders = 0;
        s->returns = 0;
        s->never_returns = p->funcs.at[f].noreturn;
        forget_problems(p, f);
        habit_forget(p, f);
    }
    order_forget(p, funcs);
    for (size_t i = 1; i < p->locks->candidates.n; i++) {
        struct candidate *c = &p->locks->candidates.at[i];
        size_t k = 0;
        for (size_t j = 0; j < c->pairs.n; j++)
            if (!funcs[c->pairs.at[j]])
                c->pairs.at[k++] = c->pairs.at[j];
        c->pairs.n = k;
        c->paired = k != 0;
        for (size_t j = k = 0; j < c->clashes.n; j++)
            if (!funcs[c->clashes.at[j]])
                c->clashes.at[k++] = c->clashes.at[j];
        c->clashes.n = k;
        if (funcs[c->func]) {
            vec_clear(&c->problems);
            vec_clear(&c->bad_calls);
            c->stale = true;
        }
    }
    for (size_t i = 0; i < p->locks->waits.n; i++)
        if (funcs[p->locks->waits.at[i].func])
            p->locks->waits.at[i--] = p->locks->waits.at[--p->locks->waits.n];
}

/* Mistakes found by judging are taken out of their functions' summaries, and whatever stands on these is solved again: a
 * forgotten unlock is said once, not at every caller. */
static bool solve_again(struct rounds *r) {
    struct program *p = r->solver.p;
    bool *again = xcalloc(p->funcs.n, sizeof *again);
    const bool any = program_condemn(p, again);

    for (size_t i = 0, end; any && i < p->order.n;
         i = end) { /* callees come first; a component is solved as a whole */
        bool some = false;
        end = component_end(p, i);
        for (size_t k = i; k < end; k++)
            some |= again[p->order.at[k]];
        for (size_t k = i; some && k < end; k++) {
            const struct linked_func *f = &p->funcs.at[p->order.at[k]];
            again[p->order.at[k]] = true;
            for (uint32_t j = 0; j < f->n_callers; j++)
                again[p->edges.at[f->callers[j]].caller] = true;
        }
    }
    if (any)
        forget_functions(p, again);
    for (size_t f = 0; any && f < p->funcs.n; f++)
        if (again[f])
            r->hash[f].hashed = r->hash[f].whole = false;
    for (size_t i = 0, end; any && i < p->order.n; i = end) {
        end = component_end(p, i);
        if (again[p->order.at[i]])
            solve_component(r, p->order.at + i, end - i);
    }
    free(again);
    return any;
}

void program_solve_locks(struct program *p) {
    struct rounds r = {.guarded = functions_with_guarded(p),
                       .solved = xcalloc(p->funcs.n, sizeof *r.solved),
                       .hash = xcalloc(p->funcs.n, sizeof *r.hash)};

    r.solver.p = p;
    p->locks = arena_new(&p->arena, struct lock_facts);
    p->locks->last_problem = xcalloc(p->funcs.n, sizeof *p->locks->last_problem);
    p->locks->last_candidate = xcalloc(p->funcs.n, sizeof *p->locks->last_candidate);
    (void)vec_add(&p->locks->problems);
    (void)vec_add(&p->locks->candidates);
    program_find_lock_deciders(p);
    program_find_section_flags(p);
    r.steps = p->memo ? steps_new(p) : NULL;
    vec_reserve(&p->lock_order->held_calls, p->edges.n);
    vec_reserve(&habits_of(p)->sets, p->edges.n);
    for (size_t i = 0, end; i < p->order.n; i = end) {
        end = component_end(p, i);
        solve_component(&r, p->order.at + i, end - i);
    }
    for (int round = 0; round < 2 && solve_again(&r); round++)
        ;
    program_tell_ways(p);
    habits_end(p, r.solved);
    steps_free(r.steps);
    solver_free(&r.solver);
    free(r.guarded);
    free(r.hash);
}
