/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads what step_write.c wrote: names, paths, small things, the summary. Stands on step_bytes.h. Texts stay in the bytes. */
#include "step_bytes.h"

/* ---- names and texts ---- */
static void get_one_name(struct reader *x) {
    const bool is_func = get_below(&x->in, 2);
    const uint64_t symbol = get_word(&x->in);
    uint32_t number;

    x->in.bad |= is_func ? !func_of_symbol(x->p, symbol, &number) : !item_of_symbol(x->p, symbol, &number);
    if (!x->in.bad)
        x->asked += name_digest(x->p, is_func, number);
    vec_push(&x->names, number);
}

static uint32_t read_named(struct reader *x) {
    const uint32_t i = get_below(&x->in, x->names.n);

    return x->in.bad ? 0 : x->names.at[i];
}

/* A function, of what may have been written as an item by bytes that are not ours. */
uint32_t read_a_func(struct reader *x) {
    const uint32_t func = read_named(x);

    x->in.bad |= func >= x->p->funcs.n;
    return x->in.bad ? 0 : func;
}

uint32_t read_an_item(struct reader *x) {
    const uint32_t item = read_named(x),
                   n = (uint32_t)(item & ITEM_GLOBAL ? x->p->globals.n : x->p->fields.n);

    x->in.bad |= (item & ~ITEM_GLOBAL) >= n;
    return x->in.bad ? 0 : item;
}

static uint32_t read_field(struct reader *x) {
    const uint32_t item = read_an_item(x);

    x->in.bad |= !item || item & ITEM_GLOBAL;
    return x->in.bad ? 0 : item;
}

static uint32_t read_global(struct reader *x) {
    const uint32_t item = read_an_item(x);

    x->in.bad |= item <= ITEM_GLOBAL;
    return x->in.bad ? 0 : item & ~ITEM_GLOBAL;
}

const char *read_a_text(struct reader *x) {
    const uint32_t i = get_below(&x->in, x->texts.n);

    return x->in.bad ? NULL : x->texts.at[i];
}

/* ---- terms ---- */
term read_path(struct reader *x) {
    const uint32_t i = get_below(&x->in, x->terms.n);

    return x->in.bad ? 0 : x->terms.at[i];
}

static term *read_paths(struct reader *x, uint32_t *n) {
    term *list;

    *n = get_count(&x->in);
    list = ROOM(x, term, *n);
    for (uint32_t i = 0; i < *n; i++)
        list[i] = read_path(x);
    return list;
}

enum { MAX_PARAM = 1000 };
#define ANY (UINT64_C(1) << 32)

static void get_term(struct reader *x) {
    struct term_table *t = &x->p->paths;
    const uint32_t op = get_below(&x->in, TERM_SOME + 1);
    uint32_t a = 0, b = 0, c = 0;

    switch (op) {
    case TERM_FUNC:
        a = read_a_func(x);
        x->in.bad |= !a;
        break;
    case TERM_GLOBAL: a = read_global(x); break;
    case TERM_TOKEN: {
        const char *text = get_text(&x->in);
        a = text ? intern_string(&x->p->names, text) : 0;
        break;
    }
    case TERM_FIELD:
        a = read_path(x);
        b = read_field(x);
        break;
    default:
        a = path_operands(op) ? read_path(x) : get_below(&x->in, op == TERM_PARAM ? MAX_PARAM : ANY);
        b = path_operands(op) == 2 ? read_path(x) : get_below(&x->in, op == TERM_UNARY ? IR_U_OPS : ANY);
        c = get_below(&x->in, op == TERM_BINARY ? IR_B_OPS : ANY);
        x->in.bad |= op == TERM_LOCAL || op == TERM_PHI || op == TERM_FRESH; /* no path is made of these */
        x->in.bad |= op == TERM_OPAQUE && c & 1; /* a term too large is written as what it was made of */
    }
    x->in.bad |= path_operands(op) && !a;
    vec_push(&x->terms, x->in.bad ? 0 : term_make(t, (enum term_op)op, a, b, c));
}

/* ---- small things ---- */
ir_event read_event(struct reader *x) {
    return get_below(&x->in, x->u->n_events);
}

ir_loc read_loc(struct reader *x) {
    return get_below(&x->in, x->u->n_locs);
}

struct site read_place(struct reader *x) {
    struct site at = {read_a_func(x), 0};

    at.loc = memo_loc(x->p, at.func, get_signed(&x->in));
    if (at.loc && (!at.func || at.loc >= x->p->funcs.at[at.func].unit->unit->n_locs))
        x->in.bad = true;
    return at;
}

static struct range read_range(struct reader *x) {
    const unsigned bits = get_below(&x->in, 8);
    struct range r = RANGE_ALL;

    if (!(bits & 4)) {
        r.lo = get_signed(&x->in);
        r.hi = bits & 2 ? r.lo : get_signed(&x->in);
    }
    r.nonzero = bits & 1;
    return r;
}

static uint32_t read_when(struct reader *x, struct precondition *list, uint32_t max) {
    const uint32_t n = get_below(&x->in, (uint64_t)max + 1);

    for (uint32_t i = 0; i < n; i++) {
        list[i].of = read_path(x);
        list[i].range = read_range(x);
    }
    return n;
}

uint64_t read_name(struct reader *x) {
    return get_below(&x->in, 2) ? get_word(&x->in) : 0;
}

/* It will be there by then. */
bool read_is_known(const struct reader *x, uint64_t name) {
    return !name || map64_find(&x->made, name) || map64_find(&x->p->locks->candidate_named, name);
}

static void read_candidate(struct reader *x, uint32_t *number) {
    const uint64_t name = read_name(x);

    if (name)
        vec_push(&x->named, ((struct named){number, name}));
}

struct object_class read_class(struct reader *x) {
    struct object_class c = {0, 0, 0};
    const char *text;

    switch (get_below(&x->in, 4)) {
    case 1: c.field = read_field(x); break;
    case 2: c.global = read_global(x); break;
    case 3:
        text = read_a_text(x);
        c.token = text ? intern_string(&x->p->names, text) : 0;
        break;
    default: break;
    }
    return c;
}

uint32_t read_maybe_item(struct reader *x) {
    switch (get_below(&x->in, 3)) {
    case 1: return ITEM_GLOBAL;
    case 2: return read_an_item(x);
    default: return 0;
    }
}

term read_below(struct reader *x, uint32_t callee) {
    const struct summary *s = x->p->funcs.at[callee].summary;
    const uint32_t i = get_below(&x->in, UINT32_MAX);

    if (!i)
        return read_path(x);
    x->in.bad |= !s || i > s->n_inner;
    return x->in.bad ? 0 : s->inner[i - 1].lock;
}

uint32_t read_maybe_field(struct reader *x) {
    const uint32_t item = read_maybe_item(x);

    x->in.bad |= (item & ITEM_GLOBAL) != 0;
    return x->in.bad ? 0 : item;
}

/* ---- the summary ---- */
static void get_effect(struct reader *x, struct lock_effect *e) {
    e->lock = read_path(x);
    const unsigned bits = get_below(&x->in, 256);
    e->kind = (uint8_t)((bits & 1) | (bits >> 7 & 1) << 1);
    x->in.bad |= e->kind > EFFECT_ASSERT;
    e->shared = bits >> 1 & 1;
    e->async = bits >> 2 & 1;
    e->maybe = bits >> 3 & 1;
    e->soft = bits >> 4 & 1;
    e->open = bits >> 5 & 1;
    e->guard = bits >> 6 & 1;
    e->ok = read_range(x);
    e->also = get_signed(&x->in);
    e->site = read_place(x);
    read_candidate(x, &e->candidate);
}

static void get_outcome(struct reader *x, struct outcome *o) {
    struct precondition when[64];

    o->n_effects = get_count(&x->in);
    o->effects = ROOM(x, struct lock_effect, o->n_effects);
    for (uint32_t i = 0; i < o->n_effects; i++)
        get_effect(x, &o->effects[i]);
    o->result = read_range(x);
    o->n_when = read_when(x, when, sizeof when / sizeof *when);
    o->when = o->n_when ? arena_copy(&x->p->arena, when, o->n_when * sizeof *when) : NULL;
    o->n_left = get_below(&x->in, MAX_LEFT + 1);
    for (uint32_t i = 0; i < o->n_left; i++) {
        o->left[i].at = read_path(x);
        o->left[i].range = read_range(x);
        o->left[i].kept = get_below(&x->in, 2);
    }
}

static void get_requirement(struct reader *x, struct requirement *r) {
    r->lock = read_path(x);
    r->object = read_path(x);
    const unsigned bits = get_below(&x->in, 32);
    r->reason = (uint8_t)(bits >> 3);
    r->perhaps = bits >> 2 & 1;
    r->write = bits >> 1 & 1;
    r->excluded = bits & 1;
    r->site = read_place(x);
    r->via = read_place(x);
    r->data = read_a_text(x);
    r->guard = read_a_text(x);
    r->field = read_maybe_field(x);
    r->global = read_maybe_item(x) & ~ITEM_GLOBAL;
    read_candidate(x, &r->candidate);
    r->n_when = read_when(x, r->when, MAX_REQUIRED_WHEN);
}

static void get_inner(struct reader *x, struct inner_lock *in) {
    in->lock = read_path(x);
    in->shared = get_below(&x->in, 2);
    in->site = read_place(x);
    in->n_when = read_when(x, in->when, MAX_WHEN);
    in->without[0] = read_path(x);
    in->without[1] = read_path(x);
    in->via = read_event(x);
    in->via_callee = read_a_func(x);
    in->via_lock = read_below(x, in->via_callee);
    in->depth = get_below(&x->in, UINT32_MAX);
}

static void get_wait(struct reader *x, struct wait_effect *w) {
    w->condition = read_path(x);
    w->lock = read_path(x);
    w->site = read_place(x);
    const unsigned bits = get_below(&x->in, 8);
    w->timed = bits >> 2 & 1;
    w->looped = bits >> 1 & 1;
    w->open = bits & 1;
    w->n_when = read_when(x, w->when, MAX_WAIT_WHEN);
}

#define GET_LIST(x, n, list, type, get)                                                                      \
    do {                                                                                                     \
        (n) = get_count(&(x)->in);                                                                           \
        (list) = ROOM((x), type, (n));                                                                       \
        for (uint32_t i_ = 0; i_ < (n); i_++)                                                                \
            get((x), &(list)[i_]);                                                                           \
    } while (0)

static void get_store(struct reader *x, struct summary_store *s) {
    s->at = read_path(x);
    s->value = read_path(x);
}

static void get_summary(struct reader *x) {
    struct summary *s = &x->sum;

    GET_LIST(x, s->n_outcomes, s->outcomes, struct outcome, get_outcome);
    GET_LIST(x, s->n_requirements, s->requirements, struct requirement, get_requirement);
    s->n_inner = get_count(&x->in);
    for (uint32_t i = 0; i < s->n_inner && !x->in.bad; i++)
        get_inner(x, vec_add(&x->inner));
    GET_LIST(x, s->n_waits, s->waits, struct wait_effect, get_wait);
    GET_LIST(x, s->n_stores, s->stores, struct summary_store, get_store);
    s->inits = read_paths(x, &s->n_inits);
    s->destroys = read_paths(x, &s->n_destroys);
    s->destroys_always = get_below(&x->in, UINT64_C(1) << 32);
    s->returns = read_path(x);
    const uint32_t said = get_below(&x->in, 64);
    s->effects = said >> 2;
    s->known = said & 2;
    s->never_returns = said & 1;
}

/* ---- all of it ---- */
bool read_all(struct reader *x) {
    uint64_t asked;
    uint32_t n;

    x->hash.exact = get_word(&x->in);
    x->hash.all = get_word(&x->in);
    x->hash.worlds = get_word(&x->in);
    asked = get_word(&x->in);
    n = get_count(&x->in);
    vec_push(&x->names, 0);
    for (uint32_t i = 0; i < n && !x->in.bad; i++)
        get_one_name(x);
    x->in.bad |= x->asked != asked; /* the hash would be another */
    n = get_count(&x->in);
    vec_push(&x->texts, NULL);
    for (uint32_t i = 0; i < n && !x->in.bad; i++)
        vec_push(&x->texts, get_text(&x->in));
    n = get_count(&x->in);
    vec_push(&x->terms, 0);
    for (uint32_t i = 0; i < n && !x->in.bad; i++)
        get_term(x);
    get_summary(x);
    n = get_count(&x->in);
    for (uint32_t i = 0; i < n && !x->in.bad; i++)
        read_problem(x);
    n = get_count(&x->in);
    for (uint32_t i = 0; i < n && !x->in.bad; i++)
        read_noted(x);
    n = get_count(&x->in);
    for (uint32_t i = 0; i < n && !x->in.bad; i++)
        read_wait_fact(x);
    n = get_count(&x->in);
    for (uint32_t i = 0; i < n && !x->in.bad; i++)
        read_order(x);
    n = get_count(&x->in);
    for (uint32_t i = 0; i < n && !x->in.bad; i++)
        read_access(x);
    while (!x->in.bad && read_call(x))
        ;
    for (size_t i = 0; i < x->named.n; i++)
        x->in.bad |= !read_is_known(x, x->named.at[i].name);
    for (size_t i = 0; i < x->problems.n; i++)
        x->in.bad |= !read_is_known(x, x->problems.at[i].named);
    return !x->in.bad && x->in.at == x->in.end;
}
