/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Solves every function's locks, callees first, and again those that a judged mistake misled.
 * Stands on solver.h. */
#include "habits.h"
#include "inputs.h"
#include "lock_order.h"

#include <string.h>
#include "../base/alloc.h"

/* Functions that call each other are solved so often: each time with better summaries of the others. */
#define ROUNDS 3

/* What an earlier round said of the function. */
static void forget_problems(struct program *p, uint32_t func)
{
    for (uint32_t i = p->locks->last_problem[func]; i; i = p->locks->problems.at[i].before)
        p->locks->problems.at[i].dropped = p->locks->problems.at[i].stale = true;
}

/* Where the functions that call each other with the one at i end, in the order of solving. */
static size_t component_end(const struct program *p, size_t i)
{
    size_t end = i;

    while (end < p->order.n && p->funcs.at[p->order.at[end]].scc == p->funcs.at[p->order.at[i]].scc)
        end++;
    return end;
}

static void solve_component(struct solver *s, const uint32_t *funcs, size_t n, const bool *guarded, bool *solved)
{
    struct program *p = s->p;
    const bool recursive = p->funcs.at[funcs[0]].recursive;
    uint64_t *inputs = recursive ? xcalloc(n, sizeof *inputs) : NULL;
    bool any = true;

    for (int left = recursive ? ROUNDS : 1; any && left--;) {
        p->locks->round++;
        any = false;
        for (size_t i = 0; i < n; i++) {
            const uint64_t now = recursive ? callees_hash(p, funcs[i]) : 0;
            if (recursive && left < ROUNDS - 1 && now == inputs[i])
                continue; /* it would come to the same */
            if (recursive)
                inputs[i] = now;
            any = true;
            forget_problems(p, funcs[i]);
            solved[funcs[i]] = false;
            if (function_matters(p, funcs[i]) || guarded[funcs[i]])
                solved[funcs[i]] = solve_function(s, funcs[i]);
        }
    }
    free(inputs);
}

/* What solving locks said of these functions, their summaries included: one pass over everything said. */
static void forget_functions(struct program *p, const bool *funcs)
{
    for (size_t i = 0; i < p->order.n; i++) {
        const uint32_t f = p->order.at[i];
        struct summary *s = p->funcs.at[f].summary;
        if (!funcs[f])
            continue;
        s->n_outcomes = s->n_requirements = s->n_inner = s->n_waits = s->n_inits = s->n_destroys = s->n_orders = 0;
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
static bool solve_again(struct solver *s, const bool *guarded, bool *solved)
{
    struct program *p = s->p;
    bool *again = xcalloc(p->funcs.n, sizeof *again);
    const bool any = program_condemn(p, again);

    for (size_t i = 0, end; any && i < p->order.n; i = end) { /* callees come first; a component is solved as a whole */
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
    for (size_t i = 0, end; any && i < p->order.n; i = end) {
        end = component_end(p, i);
        if (again[p->order.at[i]])
            solve_component(s, p->order.at + i, end - i, guarded, solved);
    }
    free(again);
    return any;
}

void program_solve_locks(struct program *p)
{
    struct solver s;
    bool *guarded = functions_with_guarded(p), *solved = xcalloc(p->funcs.n, sizeof *solved);

    memset(&s, 0, sizeof s);
    s.p = p;
    p->locks = arena_new(&p->arena, struct lock_facts);
    p->locks->last_problem = xcalloc(p->funcs.n, sizeof *p->locks->last_problem);
    (void)vec_add(&p->locks->problems);
    (void)vec_add(&p->locks->candidates);
    for (size_t i = 0, end; i < p->order.n; i = end) {
        end = component_end(p, i);
        solve_component(&s, p->order.at + i, end - i, guarded, solved);
    }
    for (int round = 0; round < 2 && solve_again(&s, guarded, solved); round++)
        ;
    program_find_habits(p, solved);
    free(solved);
    free(guarded);
    term_table_free(&s.t);
    arena_free(&s.arena);
    map64_free(&s.hints);
    vec_free(&s.marks);
    vec_free(&s.keys);
    vec_free(&s.now);
    vec_free(&s.next);
    vec_free(&s.exits);
    vec_free(&s.pending);
    vec_free(&s.unlocks);
    vec_free(&s.taken);
    vec_free(&s.retired);
    vec_free(&s.decisive);
    vec_free(&s.collections);
    vec_free(&s.requirements);
    vec_free(&s.inner);
    vec_free(&s.waits);
    vec_free(&s.waits_seen);
    vec_free(&s.inits);
    vec_free(&s.destroys);
    vec_free(&s.destroyed_at);
    vec_free(&s.orders);
    map64_free(&s.order_of);
}
