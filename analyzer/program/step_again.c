/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Does again what a step came to. Stands on step_bytes.h. Everything is read and looked at before anything is done: what cannot be used (a
 * function that is gone) leaves the program as it was, but for paths that nobody asks for. */
#include "step_bytes.h"

static uint32_t number_named(const struct program *p, uint64_t name) {
    return name ? map64_get(&p->locks->candidate_named, name, 0) : 0;
}

static void do_calls(struct reader *x) {
    const struct linked_unit *lu = x->lf->unit;
    struct lock_order *o = x->p->lock_order;
    struct habits *h = habits_of(x->p);

    for (size_t i = 0; i < x->calls.n; i++) {
        struct read_call *c = &x->calls.at[i];
        uint32_t *set = &lu->held_classes[c->event], *locks = &lu->held_locks[c->event];
        c->set.pass = c->at.pass = x->s->pass;
        if (c->has_set && *set) {
            h->sets.at[*set - 1] = c->set;
        } else if (c->has_set) {
            vec_push(&h->sets, c->set);
            *set = (uint32_t)h->sets.n;
        }
        if (c->has_locks && *locks) {
            o->held_calls.at[*locks - 1] = c->at;
        } else if (c->has_locks) {
            vec_push(&o->held_calls, c->at);
            *locks = (uint32_t)o->held_calls.n;
        }
    }
}

static void do_all(struct reader *x) {
    struct program *p = x->p;
    struct solver *s = x->s;
    struct summary *sum = x->lf->summary;
    uint32_t *numbers = arena_array(&p->arena, uint32_t, x->problems.n + 1);

    solver_at(s, x->func);
    s->pass++;
    for (size_t i = 0; i < x->problems.n; i++)
        numbers[i + 1] = problem_again(p, x->func, &x->problems.at[i]);
    for (size_t i = 0; i < x->noted.n; i++) {
        struct read_noted *r = &x->noted.at[i];
        r->n.candidate = number_named(p, r->candidate);
        r->n.other = number_named(p, r->other);
        r->n.number = numbers[r->n.number];
        (void)noted_do(p, x->func, s->pass, &r->n);
    }
    for (size_t i = 0; i < x->problems.n; i++)
        p->locks->problems.at[numbers[i + 1]].candidate = number_named(p, x->problems.at[i].named);
    for (size_t i = 0; i < x->named.n; i++)
        *x->named.at[i].number = number_named(p, x->named.at[i].name);
    vec_append(&p->locks->waits, x->waits.at, x->waits.n);
    sum->outcomes = x->sum.outcomes;
    sum->n_outcomes = x->sum.n_outcomes;
    sum->requirements = x->sum.requirements;
    sum->n_requirements = x->sum.n_requirements;
    if (x->inner.n > sum->n_inner) /* else there is room, from the round before */
        sum->inner = arena_array(&p->arena, struct inner_lock, x->inner.n);
    if (x->inner.n)
        memcpy(sum->inner, x->inner.at, x->inner.n * sizeof *sum->inner);
    sum->n_inner = (uint32_t)x->inner.n;
    sum->waits = x->sum.waits;
    sum->n_waits = x->sum.n_waits;
    sum->stores = x->sum.stores;
    sum->n_stores = x->sum.n_stores;
    sum->inits = x->sum.inits;
    sum->n_inits = x->sum.n_inits;
    sum->destroys = x->sum.destroys;
    sum->n_destroys = x->sum.n_destroys;
    sum->destroys_always = x->sum.destroys_always;
    sum->returns = x->sum.returns;
    sum->never_returns = x->sum.never_returns;
    sum->effects = x->sum.effects;
    sum->known = x->sum.known;
    habit_begin(s);
    for (size_t i = 0; i < x->accesses.n; i++)
        habit_again(p, &x->accesses.at[i]);
    do_calls(x);
    vec_clear(&s->orders);
    vec_append(&s->orders, x->orders.at, x->orders.n);
    order_finish(s);
}

static void clear(struct reader *x) {
    vec_clear(&x->names);
    vec_clear(&x->texts);
    vec_clear(&x->terms);
    vec_clear(&x->named);
    map64_clear(&x->made);
    vec_clear(&x->inner);
    vec_clear(&x->problems);
    vec_clear(&x->noted);
    vec_clear(&x->waits);
    vec_clear(&x->orders);
    vec_clear(&x->accesses);
    vec_clear(&x->calls);
    x->asked = 0;
}

void reader_free(struct reader *x) {
    if (!x)
        return;
    vec_free(&x->names);
    vec_free(&x->texts);
    vec_free(&x->terms);
    vec_free(&x->named);
    map64_free(&x->made);
    vec_free(&x->inner);
    vec_free(&x->problems);
    vec_free(&x->noted);
    vec_free(&x->waits);
    vec_free(&x->orders);
    vec_free(&x->accesses);
    vec_free(&x->calls);
    free(x);
}

bool step_read(struct solver *s, struct steps *steps, uint32_t func, struct bytes_in in,
               struct summary_hash *hash) {
    struct reader *x = steps->reader ? steps->reader : (steps->reader = xcalloc(1, sizeof *x));

    clear(x);
    x->s = s;
    x->p = s->p;
    x->func = func;
    x->lf = &s->p->funcs.at[func];
    x->u = x->lf->unit->unit;
    x->in = in;
    if (!read_all(x))
        return false;
    do_all(x);
    *hash = x->hash;
    return true;
}
