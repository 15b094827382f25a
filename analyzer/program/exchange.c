/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which threads may run a function that puts or takes, and which slots belong together?
 * Stands on exchange.h. */
#include "exchange.h"
#include "ways.h"

#include <stdio.h>
#include <string.h>
#include "../base/alloc.h"

enum { MAX_ROOTS = 62, ROOT_MAIN = 62, ROOT_OUTSIDE = 63 };

static uint64_t bit(uint32_t root) {
    return UINT64_C(1) << root;
}

static uint32_t number_of_entry(struct exchange *x, uint32_t func) {
    uint32_t i = 0;
    while (i < x->n_entries && x->entries[i] != func)
        i++;
    if (i == x->n_entries && i < MAX_ROOTS)
        x->entries[x->n_entries++] = func;
    return i;
}

/* Does the event stand in a loop of its function? */
static bool repeats(const struct region_flow *f, ir_event ev) {
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->p->funcs.at[f->func].func];
    VEC(uint32_t) work = {0};
    bool *seen = xcalloc(fr->blocks.count, sizeof *seen), again = false;
    const uint32_t home = block_with(u, fr, ev);
    if (home < fr->blocks.count)
        vec_push(&work, home);
    while (work.n && !again) {
        const struct ir_block_rec *rec = &u->blocks[fr->blocks.first + vec_pop(&work)];
        for (uint32_t i = 0; i < rec->succs.count; i++) {
            uint32_t to = u->succs[rec->succs.first + i].block - fr->blocks.first;
            again |= to == home;
            if (!seen[to]) {
                seen[to] = true;
                vec_push(&work, to);
            }
        }
    }
    vec_free(&work);
    free(seen);
    return again;
}

/* The entry functions, and those that several threads run: started in a loop, or at two places. */
static void find_entries(struct exchange *x) {
    struct map64 site = {0};
    for (size_t i = 0; i < x->b->handoffs.n; i++) {
        const struct handoff *h = &x->b->handoffs.at[i];
        const struct handoff_spec *s = h->at->spawn;
        for (uint32_t k = 0; h->at->op == REGION_SPAWN && k < s->n_entries; k++) {
            uint32_t n = number_of_entry(x, s->entries[k]), *first = map64_place(&site, s->entries[k], NULL);
            bool second = *first && *first != s->event + 1;
            *first = s->event + 1;
            if (n < MAX_ROOTS && (h->many || second || repeats(h->flow, h->at->event)))
                x->many |= bit(n);
        }
    }
    map64_free(&site);
}

static bool spread(void *data, const struct call_edge *e) {
    struct exchange *x = data;
    uint64_t runs = x->roots[e->callee] | x->roots[e->caller];
    bool changed = runs != x->roots[e->callee];
    x->roots[e->callee] = runs;
    return changed;
}

static void find_roots(struct exchange *x) {
    const struct program *p = x->p;
    for (uint32_t i = 0; i < x->n_entries; i++)
        x->roots[x->entries[i]] |= bit(i);
    for (uint32_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        if (!lf->defined || x->roots[f])
            continue;
        if (strcmp(lf->name, "main") == 0)
            x->roots[f] |= bit(ROOT_MAIN);
        else if (!lf->n_callers)
            x->roots[f] |= bit(ROOT_OUTSIDE);
    }
    program_spread(p, spread, x);
}

bool exchange_crosses(const struct exchange *x, uint32_t putter, uint32_t taker) {
    const uint64_t started = bit(ROOT_MAIN) - 1, a = x->roots[putter], b = x->roots[taker];
    if (a & b & x->many)
        return true;
    /* Two different threads, of which one was started here. */
    const bool another =
        (b & (b - 1)) || (a & started & ~b); /* b has a thread besides one of those that a started here has */
    return ((a & started) && b && another) || ((a & ~started) && (b & started));
}

bool exchange_apart(const struct exchange *x, uint32_t putter, uint32_t taker) {
    return exchange_crosses(x, putter, taker) && !(x->roots[putter] & x->roots[taker] & ~x->many);
}

/* What the slot's pointers point to in the end: a struct by name, or NULL. */
static const char *pointed(const struct program *p, uint32_t slot, uint32_t *parent) {
    const struct unit *u;
    ir_type t;
    *parent = 0;
    if (!slot)
        return NULL;
    if (slot & SLOT_GLOBAL) {
        const struct linked_global *g = &p->globals.at[slot & ~SLOT_GLOBAL];
        u = g->unit->unit;
        t = u->vars[g->var].type;
        *parent = 0;
    } else {
        const struct linked_field *f = &p->fields.at[slot];
        u = f->unit->unit;
        t = u->fields[f->field].type;
        *parent = f->parent;
    }
    t = type_plain(u, t);
    while (u->types[t].kind == IR_T_POINTER || u->types[t].kind == IR_T_ARRAY)
        t = type_plain(u, u->types[t].elem);
    bool named = u->types[t].kind == IR_T_STRUCT && *unit_str(u, u->types[t].name);
    return named ? unit_str(u, u->types[t].name) : NULL;
}

static struct slot_of *slot_at(struct exchange *x, uint32_t slot) {
    return &x->slots[slot & SLOT_GLOBAL ? x->p->fields.n + (slot & ~SLOT_GLOBAL) : slot];
}

uint32_t exchange_container(struct exchange *x, uint32_t slot) {
    uint32_t *known = &slot_at(x, slot)->container, parent;
    bool is_new;
    if (*known)
        return *known - 1;
    const char *to = pointed(x->p, slot, &parent);
    uint32_t container = slot;
    if (to && parent) {
        uint32_t *first = map64_place(&x->containers, hash_add(hash_string(to), parent), &is_new);
        container = *first = is_new ? slot : *first;
    }
    *known = container + 1;
    return container;
}

uint32_t exchange_inners(struct exchange *x, uint32_t slot) {
    return slot_at(x, exchange_container(x, slot))->inners;
}

bool exchange_is_link(const struct program *p, uint32_t slot) {
    uint32_t parent = 0;
    const char *to = pointed(p, slot, &parent), *of = parent ? p->structs.at[parent].name : NULL;
    return to && of && strcmp(to, of) == 0;
}

const char *boundary_slot_name(const struct program *p, uint32_t slot, char *out, size_t size) {
    if (!slot) {
        snprintf(out, size, "the thread's argument");
    } else if (slot & SLOT_GLOBAL) {
        snprintf(out, size, "%s", p->globals.at[slot & ~SLOT_GLOBAL].name);
    } else {
        const struct linked_field *f = &p->fields.at[slot];
        const char *parent = f->parent ? p->structs.at[f->parent].name : "";
        const char *blank = strchr(parent, ' ');
        bool named = *parent && *parent != '(' && !(blank && blank[1] == '(');
        snprintf(out, size, "%s%s%s", named ? blank ? blank + 1 : parent : "", named ? "." : "", f->name);
    }
    return out;
}

static void note_put(struct exchange *x, const struct handoff_spec *s) {
    uint32_t *first = &slot_at(x, exchange_container(x, s->slot))->inners;
    for (uint32_t i = *first; i; i = x->inners.at[i - 1].next)
        if (x->inners.at[i - 1].member == s->inner)
            return;
    vec_push(&x->inners, ((struct put_inner){s->inner, *first}));
    *first = (uint32_t)x->inners.n;
}

static int by_function(const void *a, const void *b) {
    const struct through *x = a, *y = b;
    if (x->call->function != y->call->function)
        return x->call->function < y->call->function ? -1 : 1;
    if (x->flow->func != y->flow->func)
        return x->flow->func < y->flow->func ? -1 : 1;
    return (x->call > y->call) - (x->call < y->call);
}

struct exchange *exchange_find(struct program *p, struct boundaries *b) {
    struct exchange *x = xcalloc(1, sizeof *x);
    x->p = p;
    x->b = b;
    x->roots = xcalloc(p->funcs.n + 1, sizeof *x->roots);
    x->slots = xcalloc(p->fields.n + p->globals.n + 1, sizeof *x->slots);
    find_entries(x);
    if (!x->n_entries) {
        exchange_free(x);
        return NULL;
    }
    find_roots(x);
    for (size_t i = 0; i < p->order.n; i++) {
        const struct region_flow *f = regions_flow_within(b->regions, p->order.at[i]);
        for (size_t k = 0; f && k < f->control.n; k++) {
            const struct region_event *e = &f->events[f->control.at[k]];
            if (e->op == REGION_PUT && e->spawn->slot)
                note_put(x, e->spawn);
        }
        for (size_t k = 0; f && k < f->calls_through.n; k++)
            vec_push(&x->throughs, ((struct through){f, &f->calls_through.at[k]}));
    }
    if (x->throughs.n > 1)
        qsort(x->throughs.at, x->throughs.n, sizeof *x->throughs.at, by_function);
    if (x->inners.n)
        exchange_find_takers(x);
    return x;
}

void exchange_free(struct exchange *x) {
    if (!x)
        return;
    for (size_t i = 0; i < x->takers.n; i++) {
        vec_free(&x->takers.at[i].items);
        vec_free(&x->takers.at[i].uses);
    }
    vec_free(&x->takers);
    free(x->slots);
    vec_free(&x->writes);
    map64_free(&x->containers);
    vec_free(&x->inners);
    vec_free(&x->throughs);
    free(x->held);
    free(x->roots);
    free(x);
}
