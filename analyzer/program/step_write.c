/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What solving a function came to, as bytes. Stands on step.h; step_read.c reads them in the same order. Terms, texts,
 * functions, members and globals are numbers in the lists that stand first. Numbers of the function's own unit are written as they are. */
#include "step_bytes.h"

#include "../base/alloc.h"

void writer_free(struct writer *x) {
    if (!x)
        return;
    vec_free(&x->rest.list);
    vec_free(&x->whole.list);
    vec_free(&x->terms.list);
    vec_free(&x->names.list);
    vec_free(&x->texts.list);
    vec_free(&x->path_numbers.of);
    vec_free(&x->func_numbers.of);
    vec_free(&x->field_numbers.of);
    vec_free(&x->global_numbers.of);
    map64_free(&x->text_number);
    free(x);
}

/* The number's place; 0 until it is given one in this entry. */
static uint32_t *number_in(const struct writer *x, struct numbers *list, uint32_t i) {
    struct number *n;

    while (list->of.n <= i)
        (void)vec_add(&list->of);
    n = &list->of.at[i];
    if (n->entry != x->entry)
        *n = (struct number){x->entry, 0};
    return &n->is;
}

/* ---- names and texts ---- */
static void write_name(struct writer *x, struct bytes_out *out, uint32_t *number, uint32_t of, bool is_func) {
    const uint64_t symbol = is_func ? symbol_of_func(x->p, of) : symbol_of_item(x->p, of);

    if (symbol && !*number) {
        put_number(&x->names, is_func);
        put_word(&x->names, symbol);
        x->asked += name_digest(x->p, is_func, of);
        *number = ++x->n_names;
    }
    put_number(out, *number);
}

static void write_func_to(struct writer *x, struct bytes_out *out, uint32_t f) {
    write_name(x, out, number_in(x, &x->func_numbers, f), f, true);
}

void write_func(struct writer *x, uint32_t f) {
    write_func_to(x, x->out, f);
}

void write_an_item(struct writer *x, struct bytes_out *out, uint32_t item) {
    struct numbers *list = item & ITEM_GLOBAL ? &x->global_numbers : &x->field_numbers;

    write_name(x, out, number_in(x, list, item & ~ITEM_GLOBAL), item, false);
}

void write_a_text(struct writer *x, const char *s) {
    bool fresh = false;
    uint32_t *number = s ? map64_place(&x->text_number, hash_string(s), &fresh) : NULL;

    if (fresh) {
        put_text(&x->texts, s);
        *number = ++x->n_texts;
    }
    put_number(x->out, number ? *number : 0);
}

/* ---- paths ---- */
static uint32_t number_of(struct writer *x, term path) {
    const uint32_t known = path ? *number_in(x, &x->path_numbers, path) : 0;
    struct term_rec r;
    uint32_t a, b;

    if (!path || known)
        return known;
    r = *term_at(&x->p->paths, path);
    if (r.op == TERM_OPAQUE && r.c & 1) { /* it was too large: made again of the same, it will be again */
        r.op = r.c >> 1 & 0x7f;
        r.c >>= 8;
    }
    const int operands = path_operands(r.op);
    a = operands ? number_of(x, r.a) : r.a;
    b = operands == 2 ? number_of(x, r.b) : r.b;
    put_number(&x->terms, r.op);
    switch (r.op) {
    case TERM_FUNC: write_func_to(x, &x->terms, a); break;
    case TERM_GLOBAL: write_an_item(x, &x->terms, a | ITEM_GLOBAL); break;
    case TERM_TOKEN: put_text(&x->terms, intern_text(&x->p->names, a)); break;
    case TERM_FIELD:
        put_number(&x->terms, a);
        write_an_item(x, &x->terms, b);
        break;
    default:
        put_number(&x->terms, a);
        put_number(&x->terms, b);
        put_number(&x->terms, r.c);
    }
    return *number_in(x, &x->path_numbers, path) = ++x->n_terms;
}

void write_path(struct writer *x, term at) {
    put_number(x->out, number_of(x, at));
}

void write_paths(struct writer *x, const term *list, uint32_t n) {
    put_number(x->out, n);
    for (uint32_t i = 0; i < n; i++)
        write_path(x, list[i]);
}

/* ---- small things ---- */
void write_site(struct writer *x, struct site at) {
    write_func(x, at.func);
    put_signed(x->out, memo_place(x->p, at.func, at.loc));
}

static void write_range(struct writer *x, struct range r) {
    const unsigned all = range_is_all(r), one = r.lo == r.hi && !all;

    put_number(x->out, all << 2 | one << 1 | (unsigned)r.nonzero);
    if (!all)
        put_signed(x->out, r.lo);
    if (!all && !one)
        put_signed(x->out, r.hi);
}

static void write_when(struct writer *x, const struct precondition *list, uint32_t n) {
    put_number(x->out, n);
    for (uint32_t i = 0; i < n; i++) {
        write_path(x, list[i].of);
        write_range(x, list[i].range);
    }
}

void write_candidate(struct writer *x, uint32_t number) {
    put_number(x->out, number != 0);
    if (number)
        put_word(x->out, x->p->locks->candidates.at[number].name);
}

void write_class(struct writer *x, struct object_class c) {
    put_number(x->out, c.field ? 1 : c.global ? 2 : c.token ? 3 : 0);
    if (c.field)
        write_an_item(x, x->out, c.field);
    else if (c.global)
        write_an_item(x, x->out, c.global | ITEM_GLOBAL);
    else if (c.token)
        write_a_text(x, intern_text(&x->p->names, c.token));
}

/* An item, or nothing, or a global that is none: what a pointer guards. */
void write_item(struct writer *x, uint32_t it) {
    put_number(x->out, !it ? 0 : it == ITEM_GLOBAL ? 1 : 2);
    if (it && it != ITEM_GLOBAL)
        write_an_item(x, x->out, it);
}

void write_below(struct writer *x, uint32_t callee, term lock) {
    const struct summary *s = x->p->funcs.at[callee].summary;
    uint32_t i = 0;

    while (s && i < s->n_inner && s->inner[i].lock != lock)
        i++;
    if (callee && callee != x->s->func && s && i < s->n_inner) {
        put_number(x->out, i + 1);
        return;
    }
    put_number(x->out, 0);
    write_path(x, lock);
}

/* ---- the summary ---- */
static void outcome(struct writer *x, const struct outcome *o) {
    put_number(x->out, o->n_effects);
    for (uint32_t i = 0; i < o->n_effects; i++) {
        const struct lock_effect *e = &o->effects[i];
        write_path(x, e->lock);
        put_number(x->out, (e->kind & 1u) | (unsigned)e->shared << 1 | (unsigned)e->async << 2 |
                               (unsigned)e->maybe << 3 | (unsigned)e->soft << 4 | (unsigned)e->open << 5 |
                               (unsigned)e->guard << 6 | (unsigned)e->kind >> 1 << 7);
        write_range(x, e->ok);
        put_signed(x->out, e->also);
        write_site(x, e->site);
        write_candidate(x, e->candidate);
    }
    write_range(x, o->result);
    write_when(x, o->when, o->n_when);
    put_number(x->out, o->n_left);
    for (uint32_t i = 0; i < o->n_left; i++) {
        write_path(x, o->left[i].at);
        write_range(x, o->left[i].range);
        put_number(x->out, o->left[i].kept);
    }
}

static void requirement(struct writer *x, const struct requirement *r) {
    write_path(x, r->lock);
    write_path(x, r->object);
    put_number(x->out,
               (unsigned)r->reason << 3 | (unsigned)r->perhaps << 2 | (unsigned)r->write << 1 | r->excluded);
    write_site(x, r->site);
    write_site(x, r->via);
    write_a_text(x, r->data);
    write_a_text(x, r->guard);
    write_item(x, r->field);
    write_item(x, r->global ? r->global | ITEM_GLOBAL : 0);
    write_candidate(x, r->candidate);
    write_when(x, r->when, r->n_when);
}

static void inner(struct writer *x, const struct inner_lock *in) {
    write_path(x, in->lock);
    put_number(x->out, in->shared);
    write_site(x, in->site);
    write_when(x, in->when, in->n_when);
    write_path(x, in->without[0]);
    write_path(x, in->without[1]);
    put_number(x->out, in->via);
    write_func(x, in->via_callee);
    write_below(x, in->via_callee, in->via_lock);
    put_number(x->out, in->depth);
}

static void wait(struct writer *x, const struct wait_effect *w) {
    write_path(x, w->condition);
    write_path(x, w->lock);
    write_site(x, w->site);
    put_number(x->out, (unsigned)w->timed << 2 | (unsigned)w->looped << 1 | w->open);
    write_when(x, w->when, w->n_when);
}

static void write_summary(struct writer *x, const struct summary *s) {
    put_number(x->out, s->n_outcomes);
    for (uint32_t i = 0; i < s->n_outcomes; i++)
        outcome(x, &s->outcomes[i]);
    put_number(x->out, s->n_requirements);
    for (uint32_t i = 0; i < s->n_requirements; i++)
        requirement(x, &s->requirements[i]);
    put_number(x->out, s->n_inner);
    for (uint32_t i = 0; i < s->n_inner; i++)
        inner(x, &s->inner[i]);
    put_number(x->out, s->n_waits);
    for (uint32_t i = 0; i < s->n_waits; i++)
        wait(x, &s->waits[i]);
    put_number(x->out, s->n_stores);
    for (uint32_t i = 0; i < s->n_stores; i++) {
        write_path(x, s->stores[i].at);
        write_path(x, s->stores[i].value);
    }
    write_paths(x, s->inits, s->n_inits);
    write_paths(x, s->destroys, s->n_destroys);
    put_number(x->out, s->destroys_always);
    write_path(x, s->returns);
    put_number(x->out, s->effects << 2 | (unsigned)s->known << 1 | s->never_returns); /* annotations say so */
}

/* ---- all of it ---- */
enum { HEAD_WORDS = 4 }; /* the summary's hash, and what is asked of all names */

bool step_is_usable(struct bytes_in known, const struct bytes_out *now) {
    const size_t at = (HEAD_WORDS - 1) * sizeof(uint64_t);

    return (size_t)(known.end - known.at) > at + sizeof(uint64_t) &&
           !memcmp(known.at + at, now->list.at + at, sizeof(uint64_t));
}

const struct bytes_out *step_write(struct solver *s, struct steps *steps, struct summary_hash hash) {
    struct writer *x = steps->writer ? steps->writer : (steps->writer = xcalloc(1, sizeof *x));
    struct map64 problem_number = {0};

    x->s = s;
    x->p = s->p;
    x->out = &x->rest;
    x->entry++;
    x->n_terms = x->n_names = x->n_texts = 0;
    x->asked = 0;
    vec_clear(&x->rest.list);
    vec_clear(&x->whole.list);
    vec_clear(&x->terms.list);
    vec_clear(&x->names.list);
    vec_clear(&x->texts.list);
    map64_clear(&x->text_number);
    write_summary(x, s->s);
    write_problems(x, &problem_number);
    write_noted(x, &problem_number);
    put_number(x->out, s->p->locks->waits.n - s->first_wait);
    for (size_t i = s->first_wait; i < s->p->locks->waits.n; i++)
        write_wait_fact(x, &s->p->locks->waits.at[i]);
    put_number(x->out, s->orders.n);
    for (size_t i = 0; i < s->orders.n; i++)
        write_order(x, &s->orders.at[i]);
    write_accesses(x);
    write_calls(x);
    put_word(&x->whole, hash.exact);
    put_word(&x->whole, hash.all);
    put_word(&x->whole, hash.worlds);
    put_word(&x->whole, x->asked);
    put_number(&x->whole, x->n_names);
    put_bytes(&x->whole, x->names.list.at, x->names.list.n);
    put_number(&x->whole, x->n_texts);
    put_bytes(&x->whole, x->texts.list.at, x->texts.list.n);
    put_number(&x->whole, x->n_terms);
    put_bytes(&x->whole, x->terms.list.at, x->terms.list.n);
    put_bytes(&x->whole, x->rest.list.at, x->rest.list.n);
    map64_free(&problem_number);
    return &x->whole;
}
