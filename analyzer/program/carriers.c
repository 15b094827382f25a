/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Answers whether an order can come from one thread to another, from what the program reads and writes under its locks.
 * Stands on carriers.h; carriers_find.c finds the reads and writes of one function. */
#include "carriers.h"
#include "ways.h"

#include <string.h>
#include "../base/alloc.h"

/* The functions that may run in a thread, by its first function. */
struct reach {
    uint32_t from;
    bool *funcs; /* by number */
};

struct carriers {
    struct regions *regions;
    struct program *p;
    bool found;
    bool blind; /* some function could not be looked at */
    struct carrier_uses uses;
    struct map64 writes_of; /* slot → the first of its writes + 1, the next after each in next_write */
    uint32_t *next_write;
    VEC(struct reach) reaches;
    struct map64 answers; /* by question */
};

struct carriers *carriers_new(struct program *p, struct regions *r) {
    struct carriers *c = xcalloc(1, sizeof *c);
    c->regions = r;
    c->p = p;
    return c;
}

void carriers_free(struct carriers *c) {
    if (!c)
        return;
    vec_free(&c->uses.reads);
    vec_free(&c->uses.writes);
    map64_free(&c->writes_of);
    free(c->next_write);
    for (size_t i = 0; i < c->reaches.n; i++)
        free(c->reaches.at[i].funcs);
    vec_free(&c->reaches);
    map64_free(&c->answers);
    free(c);
}

/* Locks that the callers of each function may hold around the call: down the calls until nothing is added. */
static uint64_t *find_held(struct carriers *c) {
    const struct program *p = c->p;
    uint64_t *held = xcalloc(p->funcs.n + 1, sizeof *held);
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = p->order.n; i-- > 0;) {
            const struct region_flow *f = regions_flow_within(c->regions, p->order.at[i]);
            for (size_t k = 0; f && k < f->calls.n; k++) {
                const struct region_callsite *site = &f->calls.at[k];
                uint64_t now = held[site->func] | held[f->func] | site->locks;
                changed |= now != held[site->func];
                held[site->func] = now;
            }
        }
    }
    return held;
}

static void find_all(struct carriers *c) {
    const struct program *p = c->p;
    uint64_t *held = find_held(c);
    for (size_t i = 0; i < p->order.n; i++) {
        const struct region_flow *f = regions_flow_within(c->regions, p->order.at[i]);
        if (f)
            carriers_find(c->regions, f, held[f->func], &c->uses);
        else
            c->blind = true;
    }
    free(held);
    c->next_write = xcalloc(c->uses.writes.n + 1, sizeof *c->next_write);
    for (size_t i = 0; i < c->uses.writes.n; i++) {
        uint32_t *first = map64_place(&c->writes_of, c->uses.writes.at[i].slot, NULL);
        c->next_write[i] = *first;
        *first = (uint32_t)i + 1;
    }
    c->found = true;
}

static const bool *reach_of(struct carriers *c, uint32_t from) {
    for (size_t i = 0; i < c->reaches.n; i++)
        if (c->reaches.at[i].from == from)
            return c->reaches.at[i].funcs;
    const struct program *p = c->p;
    struct reach r = {from, xcalloc(p->funcs.n + 1, sizeof *r.funcs)};
    VEC(uint32_t) work = {0};
    r.funcs[from] = true;
    vec_push(&work, from);
    while (work.n) {
        const struct linked_func *lf = &p->funcs.at[vec_pop(&work)];
        for (uint32_t i = 0; i < lf->n_edges; i++) {
            uint32_t callee = p->edges.at[lf->first_edge + i].callee;
            if (!r.funcs[callee]) {
                r.funcs[callee] = true;
                vec_push(&work, callee);
            }
        }
    }
    vec_free(&work);
    vec_push(&c->reaches, r);
    return r.funcs;
}

static bool runs(struct carriers *c, struct carrier_side side, uint32_t func) {
    return !side.entry || reach_of(c, side.entry)[func];
}

/* Does the read decide whether the access of side `to` is come to? */
static bool decides(struct carriers *c, const struct carrier_use *read, struct carrier_side to) {
    if (read->weight == WEIGHT_DECIDES || !to.func)
        return true;
    if (read->inside && to.event && read->func == to.entry) {
        const struct linked_func *lf = &c->p->funcs.at[to.entry];
        const struct ir_func_rec *fr = &lf->unit->unit->funcs[lf->func];
        const uint32_t b = block_with(lf->unit->unit, fr, to.event);
        return b == fr->blocks.count || read->inside[b];
    }
    return reach_of(c, read->func)[to.func];
}

static bool same_memory(const struct carrier_use *read, const struct carrier_use *write) {
    if (read->slot && write->slot)
        return read->slot == write->slot;
    return !read->kind || !write->kind || read->kind == write->kind;
}

static bool may_be_of(struct carriers *c, const struct carrier_use *read, const struct carrier_use *write,
                      uint64_t classes, struct carrier_side from) {
    return (write->classes & classes) && same_memory(read, write) && runs(c, from, write->func);
}

/* Does `from` write what was read, under a lock it was read under? A read of memory without a name may be of any. */
static bool written_by(struct carriers *c, const struct carrier_use *read, uint64_t classes,
                       struct carrier_side from) {
    const uint64_t common = read->classes & classes;
    for (size_t i = 0; !read->slot && i < c->uses.writes.n; i++)
        if (may_be_of(c, read, &c->uses.writes.at[i], common, from))
            return true;
    const uint32_t slots[2] = {read->slot, 0};
    for (unsigned i = 0; read->slot && i < 2; i++)
        for (uint32_t at = map64_get(&c->writes_of, slots[i], 0); at; at = c->next_write[at - 1])
            if (may_be_of(c, read, &c->uses.writes.at[at - 1], common, from))
                return true;
    return false;
}

static bool some_state_carries(struct carriers *c, uint64_t classes, bool by_anybody,
                               struct carrier_side from, struct carrier_side to) {
    for (size_t i = 0; i < c->uses.reads.n; i++) {
        const struct carrier_use *read = &c->uses.reads.at[i];
        if ((read->classes & classes) && runs(c, to, read->func) && decides(c, read, to) &&
            (by_anybody || written_by(c, read, classes, from)))
            return true;
    }
    return false;
}

bool carriers_order(struct carriers *c, uint64_t gives, uint64_t takes, struct carrier_side from,
                    struct carrier_side to) {
    const uint64_t classes = gives & takes;
    bool is_new;
    if (takes == UINT64_MAX || (classes & ~(CLASS_MUTEXES | CLASS_ATOMICS)))
        return classes != 0; /* not known, or waited for */
    if (!classes)
        return false;
    if (!c->found)
        find_all(c);
    if (c->blind)
        return true;
    const bool by_anybody = gives == UINT64_MAX;
    uint64_t question = hash_add(
        hash_add(hash_add(classes, key_pair(from.entry, to.entry)), key_pair(to.func, to.event)), by_anybody);
    uint32_t *answer = map64_place(&c->answers, question, &is_new);
    if (is_new) {
        bool carries = some_state_carries(c, classes, by_anybody, from, to);
        map64_put(&c->answers, question, carries);
        return carries;
    }
    return *answer;
}
