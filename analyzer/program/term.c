/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Hash-consed terms: making, folding, comparing. Stands on base/hash.h and the linked program for field offsets. */
#include "term.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "linked.h"

struct term_last {
    uint32_t version, block;
    term load, phi;
};

void term_table_free(struct term_table *t) {
    free(t->recs);
    free(t->last);
    index_free(&t->index);
    vec_free(&t->calls);
    map64_free(&t->call_of);
    memset(t, 0, sizeof *t);
}

void term_table_clear(struct term_table *t) {
    t->n = 0;
    index_clear(&t->index);
    vec_clear(&t->calls);
    map64_clear(&t->call_of);
}

#define MAX_ARITHMETIC 64u /* x = x + y, a hundred times, would double at each step */
#define MAX_PATH 400u

static uint32_t size_of(const struct term_table *t, enum term_op op, uint32_t a, uint32_t b) {
    switch (op) {
    case TERM_FIELD:
    case TERM_LOAD:
    case TERM_UNARY:
    case TERM_SOME: return 1 + t->recs[a].size;
    case TERM_INDEX:
    case TERM_BINARY: return 1 + t->recs[a].size + t->recs[b].size;
    default: return 1;
    }
}

/* Not stored, and asked for at every step: two multiplications and a mix. */
static uint64_t hash_of(const uint32_t w[4]) {
    const uint64_t h = (w[0] | (uint64_t)w[1] << 32) * UINT64_C(0x9e3779b97f4a7c15) +
                       (w[2] | (uint64_t)w[3] << 32) * UINT64_C(0xbf58476d1ce4e5b9);

    return (h ^ h >> 32) * UINT64_C(0x94d049bb133111eb);
}

term term_make(struct term_table *t, enum term_op op, uint32_t a, uint32_t b, uint32_t c) {
    const uint32_t size = t->n ? size_of(t, op, a, b) : 1;
    const bool arithmetic = op == TERM_BINARY || op == TERM_UNARY;
    const bool opaque = size > (arithmetic ? MAX_ARITHMETIC : MAX_PATH);
    const uint32_t words[4] = {opaque ? TERM_OPAQUE : (uint32_t)op, a, b,
                               opaque ? c << 8 | (uint32_t)op << 1 | 1 : c};
    const uint64_t hash = hash_of(words);
    struct index_probe probe;

    for (probe = index_first(&t->index, hash); probe.id; index_next(&t->index, &probe))
        if (!memcmp(&t->recs[probe.id], words, sizeof words))
            return probe.id;
    if (!t->n)
        t->n = 1;
    if (t->n + 1 > t->cap) {
        t->cap = t->cap ? t->cap * 2 : 256;
        t->recs = xrealloc(t->recs, t->cap * sizeof *t->recs);
        t->last = xrealloc(t->last, t->cap * sizeof *t->last);
        memset(&t->recs[0], 0, sizeof t->recs[0]);
        memset(&t->last[0], 0, sizeof t->last[0]);
    }
    memcpy(&t->recs[t->n], words, sizeof words);
    t->recs[t->n].size = opaque ? 1 : size;
    memset(&t->last[t->n], 0, sizeof t->last[t->n]);
    index_add(&t->index, hash, t->n);
    return t->n++;
}

term term_load(struct term_table *t, term at, uint32_t version) {
    term x;

    if (at && t->last[at].load && t->last[at].version == version)
        return t->last[at].load;
    x = term_make(t, TERM_LOAD, at, version, 0);
    t->last[at].load = x;
    t->last[at].version = version;
    return x;
}

term term_phi(struct term_table *t, uint32_t block, term at) {
    term x;

    if (at && t->last[at].phi && t->last[at].block == block)
        return t->last[at].phi;
    x = term_make(t, TERM_PHI, block, at, 0);
    t->last[at].phi = x;
    t->last[at].block = block;
    return x;
}

term term_const(struct term_table *t, int64_t value) {
    return term_make(t, TERM_CONST, (uint32_t)value, (uint32_t)((uint64_t)value >> 32), 0);
}

bool term_is_const(const struct term_table *t, term x, int64_t *value) {
    const struct term_rec *r = &t->recs[x];

    if (!x || r->op != TERM_CONST)
        return false;
    *value = (int64_t)((uint64_t)r->b << 32 | r->a);
    return true;
}

term term_unary(struct term_table *t, uint32_t op, term a) {
    int64_t v;

    if (term_is_const(t, a, &v))
        return term_const(t, op == IR_U_NEG ? (int64_t)(0 - (uint64_t)v) : op == IR_U_NOT ? ~v : !v);
    if (op == IR_U_LNOT)
        return term_binary(t, IR_B_EQ, a, term_const(t, 0));
    return term_make(t, TERM_UNARY, a, op, 0);
}

static bool fold(uint32_t op, int64_t x, int64_t y, int64_t *out) {
    const uint64_t ux = (uint64_t)x, uy = (uint64_t)y;

    switch (op) {
    case IR_B_ADD: *out = (int64_t)(ux + uy); return true;
    case IR_B_SUB: *out = (int64_t)(ux - uy); return true;
    case IR_B_MUL: *out = (int64_t)(ux * uy); return true;
    case IR_B_SHL: *out = uy < 64 ? (int64_t)(ux << uy) : 0; return uy < 64;
    case IR_B_SHR: *out = uy < 64 ? x >> uy : 0; return uy < 64;
    case IR_B_AND: *out = x & y; return true;
    case IR_B_OR: *out = x | y; return true;
    case IR_B_XOR: *out = x ^ y; return true;
    case IR_B_EQ: *out = x == y; return true;
    case IR_B_NE: *out = x != y; return true;
    case IR_B_LT: *out = x < y; return true;
    case IR_B_LE: *out = x <= y; return true;
    case IR_B_GT: *out = x > y; return true;
    case IR_B_GE: *out = x >= y; return true;
    default: return false; /* division keeps its term: its zero is not ours to judge */
    }
}

static bool is_comparison(const struct term_rec *r) {
    return r->op == TERM_BINARY && r->c >= IR_B_EQ && r->c <= IR_B_GE;
}

static uint32_t mirrored(uint32_t op) {
    switch (op) {
    case IR_B_LT: return IR_B_GT;
    case IR_B_LE: return IR_B_GE;
    case IR_B_GT: return IR_B_LT;
    case IR_B_GE: return IR_B_LE;
    default: return op;
    }
}

static uint32_t negated(uint32_t op) {
    switch (op) {
    case IR_B_EQ: return IR_B_NE;
    case IR_B_NE: return IR_B_EQ;
    case IR_B_LT: return IR_B_GE;
    case IR_B_LE: return IR_B_GT;
    case IR_B_GT: return IR_B_LE;
    default: return IR_B_LT;
    }
}

term term_binary(struct term_table *t, uint32_t op, term a, term b) {
    int64_t x, y;
    const bool ca = term_is_const(t, a, &x), cb = term_is_const(t, b, &y);

    if (ca && cb && fold(op, x, y, &x))
        return term_const(t, x);
    if (ca && !cb &&
        (op == IR_B_ADD || op == IR_B_MUL || (op >= IR_B_AND && op <= IR_B_XOR) || op >= IR_B_EQ))
        return term_binary(t, mirrored(op), b, a);
    if (!cb && a > b && (op == IR_B_EQ || op == IR_B_NE))
        return term_binary(t, op, b, a);
    if (a == b && a) {
        if (op == IR_B_EQ || op == IR_B_LE || op == IR_B_GE)
            return term_const(t, 1);
        if (op == IR_B_NE || op == IR_B_LT || op == IR_B_GT || op == IR_B_SUB || op == IR_B_XOR)
            return term_const(t, 0);
        if (op == IR_B_AND || op == IR_B_OR)
            return a;
    }
    if (cb && y == 0) {
        if (op == IR_B_ADD || op == IR_B_SUB || op == IR_B_OR || op == IR_B_XOR || op == IR_B_SHL ||
            op == IR_B_SHR)
            return a;
        if (op == IR_B_AND || op == IR_B_MUL)
            return b;
        if (a && is_comparison(&t->recs[a])) { /* (x < y) != 0, !(x < y) */
            const struct term_rec r = t->recs[a];
            if (op == IR_B_NE)
                return a;
            if (op == IR_B_EQ)
                return term_make(t, TERM_BINARY, r.a, r.b, negated(r.c));
        }
    }
    if (cb && a && t->recs[a].op == TERM_BINARY && (op == IR_B_ADD || op == IR_B_SUB) &&
        (t->recs[a].c == IR_B_ADD || t->recs[a].c == IR_B_SUB) && term_is_const(t, t->recs[a].b, &x)) {
        const struct term_rec r = t->recs[a]; /* (z + x) + y */
        const int64_t sum = (int64_t)((r.c == IR_B_ADD ? (uint64_t)x : 0 - (uint64_t)x) +
                                      (op == IR_B_ADD ? (uint64_t)y : 0 - (uint64_t)y));
        return term_binary(t, IR_B_ADD, r.a, term_const(t, sum));
    }
    if (op == IR_B_SUB && cb && y != INT64_MIN)
        return term_make(t, TERM_BINARY, a, term_const(t, -y), IR_B_ADD);
    return term_make(t, TERM_BINARY, a, b, op);
}

term term_index(struct term_table *t, term base, term index) {
    int64_t v;

    if (term_is_const(t, index, &v) && v == 0)
        return base;
    return term_make(t, TERM_INDEX, base, index, 0);
}

term term_object(const struct term_table *t, term x) {
    while (x && (t->recs[x].op == TERM_FIELD || t->recs[x].op == TERM_INDEX))
        x = t->recs[x].a;
    return x;
}

bool term_is_place(const struct term_table *t, term x) {
    switch (t->recs[x].op) {
    case TERM_LOCAL:
    case TERM_GLOBAL:
    case TERM_FIELD:
    case TERM_INDEX: return true;
    default: return false;
    }
}

/* Which of a, b are terms themselves. */
static int operands(const struct term_rec *r) {
    switch (r->op) {
    case TERM_FIELD:
    case TERM_LOAD:
    case TERM_UNARY:
    case TERM_SOME: return 1;
    case TERM_INDEX:
    case TERM_BINARY: return 3;
    case TERM_PHI: return 0; /* its cell is a name, not an operand */
    default: return 0;
    }
}

bool term_mentions(const struct term_table *t, term x, term inner) {
    while (x > inner) { /* operands are older than what is made of them */
        const struct term_rec *r = &t->recs[x];
        const int o = operands(r);
        if (o & 2 && term_mentions(t, r->b, inner))
            return true;
        if (!(o & 1))
            return false;
        x = r->a;
    }
    return x == inner;
}

term term_replace(struct term_table *t, term x, term from, term to) {
    struct term_rec r;
    int o;

    if (x == from)
        return to;
    if (x < from)
        return x;
    r = t->recs[x];
    o = operands(&r);
    if (!o)
        return x;
    r.a = term_replace(t, r.a, from, to);
    if (o & 2)
        r.b = term_replace(t, r.b, from, to);
    if (r.op == TERM_BINARY)
        return term_binary(t, r.c, r.a, r.b);
    return term_make(t, r.op, r.a, r.b, r.c);
}

static bool same_args(const struct term_table *t, const struct term_call *x, const struct term_call *y) {
    if (x->func != y->func || x->n_args != y->n_args)
        return false;
    for (uint32_t i = 0; i < x->n_args; i++)
        if (!term_same_shape(t, x->args[i], y->args[i]))
            return false;
    return true;
}

#define MAX_AS_SEEN 4u /* worlds that differ in a call's arguments */

void term_note_call(struct term_table *t, uint32_t event, uint32_t func, const term *args, uint32_t n_args) {
    struct term_call call = {.func = func, .n_args = n_args};
    uint32_t *first, n = 0;
    bool fresh;

    memcpy(call.args, args, n_args * sizeof *args);
    first = map64_place(&t->call_of, event, &fresh);
    for (uint32_t i = fresh ? 0 : *first; i; i = t->calls.at[i].next, n++)
        if (n == MAX_AS_SEEN || same_args(t, &t->calls.at[i], &call))
            return;
    if (!t->calls.n)
        vec_push(&t->calls, call);
    call.next = fresh ? 0 : *first;
    *first = (uint32_t)t->calls.n;
    vec_push(&t->calls, call);
}

/* Are the values that were born at two events results of one function for the same arguments? */
static bool same_call(const struct term_table *t, uint32_t event, uint32_t other) {
    for (uint32_t i = map64_get(&t->call_of, event, 0); i; i = t->calls.at[i].next)
        for (uint32_t k = map64_get(&t->call_of, other, 0); k; k = t->calls.at[k].next)
            if (same_args(t, &t->calls.at[i], &t->calls.at[k]))
                return true;
    return false;
}

bool term_same_shape(const struct term_table *t, term x, term y) {
    for (;;) {
        const struct term_rec *rx = &t->recs[x], *ry = &t->recs[y];
        if (x == y)
            return true;
        if (!x || !y || rx->op != ry->op)
            return false;
        switch (rx->op) {
        case TERM_LOAD: break;
        case TERM_FIELD:
            if (rx->b != ry->b)
                return false;
            break;
        case TERM_INDEX:
            if (rx->b && ry->b && !term_same_shape(t, rx->b, ry->b))
                return false;
            break;
        case TERM_BINARY:
            if (rx->c != ry->c || !term_same_shape(t, rx->b, ry->b))
                return false;
            break;
        case TERM_UNARY:
            if (rx->b != ry->b)
                return false;
            break;
        case TERM_FRESH: return !rx->b && !ry->b && same_call(t, rx->a, ry->a);
        default: return false;
        }
        x = rx->a;
        y = ry->a;
    }
}

static bool is_own_object(const struct term_rec *r) {
    return r->op == TERM_LOCAL || r->op == TERM_GLOBAL || (r->op == TERM_FRESH && r->c & TERM_ALLOCATED);
}

bool term_distinct(const struct term_table *t, term x, term y) {
    const term ox = term_object(t, x), oy = term_object(t, y);
    int64_t i, j;

    if (x == y)
        return false;
    if (ox != oy)
        return is_own_object(&t->recs[ox]) && is_own_object(&t->recs[oy]);
    if (t->recs[x].op == TERM_FIELD && t->recs[y].op == TERM_FIELD && t->recs[x].b == t->recs[y].b)
        return term_distinct(t, t->recs[x].a, t->recs[y].a);
    if (t->recs[x].op == TERM_FIELD && t->recs[y].op == TERM_FIELD && t->recs[x].a == t->recs[y].a)
        return true;
    if (t->recs[x].op == TERM_INDEX && t->recs[y].op == TERM_INDEX && t->recs[x].a == t->recs[y].a)
        return term_is_const(t, t->recs[x].b, &i) && term_is_const(t, t->recs[y].b, &j) && i != j;
    return false;
}

struct object_class term_class(const struct term_table *t, term x) {
    struct object_class c = {0, 0, 0};

    while (x && (t->recs[x].op == TERM_INDEX || t->recs[x].op == TERM_SOME))
        x = t->recs[x].a;
    if (t->recs[x].op == TERM_FIELD)
        c.field = t->recs[x].b;
    else if (t->recs[x].op == TERM_GLOBAL)
        c.global = t->recs[x].a;
    else if (t->recs[x].op == TERM_TOKEN)
        c.token = t->recs[x].a;
    else if (t->recs[x].op == TERM_LOAD) /* a lock behind a pointer is known by where the pointer is kept */
        return t->recs[t->recs[x].a].op == TERM_LOCAL ? c : term_class(t, t->recs[x].a);
    return c;
}

bool term_in(const term *list, size_t n, term x) {
    for (size_t i = 0; i < n; i++)
        if (list[i] == x)
            return true;
    return false;
}
