/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads problems, what was noted, and what is held where. Stands on step_bytes.h; step_write_facts.c wrote them. */
#include "step_bytes.h"

#include <stdlib.h>

/* ---- problems ---- */
static const struct guard *get_guard(struct reader *x, const struct linked_unit **lu) {
    const bool pointee = get_below(&x->in, 2);
    const uint32_t item = read_maybe_item(x);
    const struct linked_global *g = &x->p->globals.at[item & ITEM_GLOBAL ? item & ~ITEM_GLOBAL : 0];
    const struct linked_field *f = &x->p->fields.at[item & ITEM_GLOBAL ? 0 : item];

    *lu = item & ITEM_GLOBAL ? g->unit : f->unit;
    if (item & ITEM_GLOBAL)
        return pointee ? g->pointee_guard : g->guard;
    return pointee ? f->pointee_guard : f->guard;
}

static void get_story(struct reader *x, struct story *st) {
    st->kind = (enum story_kind)get_below(&x->in, STORY_WAY + 1);
    if (st->kind == STORY_WAY) {
        struct way w = {0};
        w.callee = read_a_func(x);
        w.lock = read_path(x);
        w.end = read_a_func(x);
        w.effect = get_below(&x->in, 16);
        w.when = get_below(&x->in, UINT32_MAX);
        w.called = read_a_func(x);
        st->way = arena_copy(&x->p->arena, &w, sizeof w);
        return;
    }
    const unsigned where = get_below(&x->in, 3);
    st->unit = x->u;
    if (where == 0) {
        st->loc = read_loc(x);
    } else if (where == 1) {
        const struct site at = read_place(x);
        st->func = at.func;
        st->loc = at.loc;
        st->unit = x->p->funcs.at[at.func].unit ? x->p->funcs.at[at.func].unit->unit : x->u;
    } else {
        const struct linked_unit *lu;
        const struct guard *g = get_guard(x, &lu);
        x->in.bad |= !g;
        st->unit = g ? lu->unit : x->u;
        st->loc = g ? g->loc : 0;
    }
    st->text = read_a_text(x);
}

/* Its number in `candidate` is that in `problems` until it has one of its own. */
void read_problem(struct reader *x) {
    struct lock_problem *pr = vec_add(&x->problems);
    const size_t at = x->problems.n - 1;
    uint64_t name;

    pr->seen_kind = (enum lock_problem_kind)get_below(&x->in, PROBLEM_KINDS);
    pr->seen_class = read_class(x);
    pr->seen_name = get_word(&x->in);
    pr->kind = (enum lock_problem_kind)get_below(&x->in, PROBLEM_KINDS);
    pr->detail = (enum lock_problem_detail)get_below(&x->in, DETAIL_OPEN + 1);
    pr->at = read_loc(x);
    pr->event = read_event(x);
    pr->lock = read_a_text(x);
    pr->data = read_a_text(x);
    pr->near = read_a_text(x);
    const unsigned bits = get_below(&x->in, 4);
    pr->dropped = bits >> 1 & 1;
    pr->doubtful = bits & 1;
    name = read_name(x);
    pr->item = read_maybe_item(x);
    pr->wrapper = read_maybe_item(x);
    pr->class = read_class(x);
    pr->n_story = get_count(&x->in);
    pr->story = ROOM(x, struct story, pr->n_story);
    for (uint32_t i = 0; i < pr->n_story; i++)
        get_story(x, &x->problems.at[at].story[i]);
    x->problems.at[at].named = name;
}

/* ---- what was noted ---- */
static void get_order(struct reader *x, struct noted *n, uint32_t number) {
    const struct summary *s = x->p->funcs.at[n->func].summary;

    if (!s || number >= s->n_orders) {
        x->in.bad = true;
        return;
    }
    n->event = s->orders[number].event;
    n->from = s->orders[number].from;
    n->to = s->orders[number].to;
}

void read_noted(struct reader *x) {
    struct read_noted *r = vec_add(&x->noted);
    struct noted *n = &r->n;

    n->kind = (enum noted_kind)get_below(&x->in, NOTED_KINDS);
    switch (n->kind) {
    case NOTED_CANDIDATE:
        n->bits = get_below(&x->in, CANDIDATE_PERHAPS * CANDIDATE_KINDS);
        n->from = read_path(x);
        n->class = read_class(x);
        r->other = read_name(x);
        if (!x->in.bad)
            map64_put(&x->made, candidate_name(x->p, x->func, n, r->other), 1);
        break;
    case NOTED_PAIR:
    case NOTED_CLASH:
    case NOTED_NO_DOUBT:
    case NOTED_MIXED: r->candidate = read_name(x); break;
    case NOTED_PROBLEM:
    case NOTED_BAD_CALL:
        r->candidate = read_name(x);
        n->number = get_below(&x->in, x->problems.n + 1);
        break;
    case NOTED_RETURNS:
    case NOTED_CONDEMNED:
        r->candidate = read_name(x);
        n->bits = get_below(&x->in, 8);
        break;
    case NOTED_TOLD_AS:
        r->candidate = read_name(x);
        r->other = read_name(x);
        break;
    case NOTED_NAMELESS:
        r->candidate = read_name(x);
        n->class = read_class(x);
        break;
    case NOTED_SECTION:
        n->class = read_class(x);
        n->event = read_event(x);
        n->bits = get_below(&x->in, 2);
        break;
    case NOTED_GIVEN_BACK: n->class = read_class(x); break;
    case NOTED_EXCUSED: n->func = read_a_func(x); break;
    case NOTED_HANDED_ON:
        n->func = read_a_func(x);
        get_order(x, n, get_below(&x->in, UINT32_MAX));
        break;
    case NOTED_SOMETIMES:
        n->event = read_event(x);
        n->item = read_maybe_item(x);
        break;
    case NOTED_TOO_MANY:
    case NOTED_KINDS: break;
    }
    x->in.bad |= !read_is_known(x, r->candidate) || !read_is_known(x, r->other);
}

void read_wait_fact(struct reader *x) {
    struct wait_fact *w = vec_add(&x->waits);

    w->func = x->func;
    w->condition = read_path(x);
    w->lock = read_path(x);
    w->at = read_loc(x);
    w->condition_text = read_a_text(x);
    w->lock_text = read_a_text(x);
}

/* ---- what is held where ---- */
void read_order(struct reader *x) {
    struct order_edge *e = vec_add(&x->orders);

    e->from = read_path(x);
    e->to = read_path(x);
    const unsigned bits = get_below(&x->in, 8);
    e->from_shared = bits >> 2 & 1;
    e->to_shared = bits >> 1 & 1;
    e->direct = bits & 1;
    e->relation = (uint8_t)get_below(&x->in, 256);
    e->link = read_maybe_field(x);
    e->held_event = read_event(x);
    e->event = read_event(x);
    e->func = x->func;
    e->origin = read_place(x);
    e->held_at = memo_loc(x->p, e->origin.func, get_signed(&x->in));
    e->inner = read_place(x);
    e->callee = read_a_func(x);
    e->callee_to = read_below(x, e->callee);
    e->depth = get_below(&x->in, UINT32_MAX);
    e->from_name = read_a_text(x);
    e->to_name = read_a_text(x);
    e->from_here = read_a_text(x);
    e->to_here = read_a_text(x);
    e->n_gates = get_below(&x->in, MAX_GATES + 1);
    for (uint32_t i = 0; i < e->n_gates; i++)
        e->gates[i] = read_path(x);
    x->in.bad |=
        e->held_at && (!e->origin.func || e->held_at >= x->p->funcs.at[e->origin.func].unit->unit->n_locs);
}

void read_access(struct reader *x) {
    struct habit_access *a = vec_add(&x->accesses);

    a->func = x->func;
    a->item = read_an_item(x);
    a->loc = read_loc(x);
    a->event = read_event(x);
    const unsigned sets = get_below(&x->in, 1u << 24), bits = get_below(&x->in, 8);
    a->held = (uint8_t)(sets >> 16);
    a->ever = (uint8_t)(sets >> 8);
    a->near = (uint8_t)sets;
    a->write = bits >> 2 & 1;
    a->dropped = bits >> 1 & 1;
    a->given_up = bits & 1;
}

static int by_number(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

bool read_call(struct reader *x) {
    const ir_event event = read_event(x);
    struct read_call *c;

    if (!event)
        return false;
    c = vec_add(&x->calls);
    c->event = event;
    const unsigned bits = get_below(&x->in, 4);
    c->has_set = bits >> 1;
    c->has_locks = bits & 1;
    if (c->has_set) {
        c->set.all = get_below(&x->in, 2);
        c->set.n = get_count(&x->in);
        c->set.at = ROOM(x, uint32_t, c->set.n);
        for (uint32_t i = 0; i < c->set.n; i++) {
            const uint32_t bits_of = get_below(&x->in, UINT64_C(1) << 32);
            c->set.at[i] = (bits_of & (HABIT_LOCKED | HABIT_DOUBTED)) | read_an_item(x);
        }
        if (c->set.n > 1)
            qsort(c->set.at, c->set.n, sizeof *c->set.at, by_number);
    }
    if (c->has_locks) {
        c->at.func = x->func;
        c->at.event = event;
        c->at.n = get_below(&x->in, MAX_GATES + 1);
        for (uint32_t i = 0; i < c->at.n; i++)
            c->at.locks[i] = read_path(x);
    }
    return true;
}
