/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Looks for the comparison that decides which of two locks comes first. Stands on lock_relation.h.
 *
 * Variables stand for values, whatever the way: `first = a < b ? a : b` makes `first` come from a and from b. So a comparison of a with b
 * anywhere in the function orders what comes from them. That is generous, and meant to be: only a hint hangs on it. */
#include "lock_order.h"
#include "lock_relation.h"

#include <string.h>

#define VARS_MAX 24u
#define ROUNDS 4u

struct vars {
    ir_var at[VARS_MAX];
    uint32_t n;
};

static bool has(const struct vars *v, ir_var x) {
    for (uint32_t i = 0; i < v->n; i++)
        if (v->at[i] == x)
            return true;
    return false;
}

static bool add(struct vars *v, ir_var x) {
    if (has(v, x) || v->n == VARS_MAX)
        return false;
    v->at[v->n++] = x;
    return true;
}

/* The variables in an expression. */
static bool collect(const struct unit *u, ir_expr e, struct vars *out) {
    const struct ir_expr_rec *r = &u->exprs[e];

    switch (r->op) {
    case IR_E_VAR: return add(out, r->a);
    case IR_E_DEREF:
    case IR_E_FIELD:
    case IR_E_LOAD:
    case IR_E_ADDR:
    case IR_E_UNARY:
    case IR_E_CAST: return collect(u, r->a, out);
    case IR_E_INDEX:
    case IR_E_BINARY: return collect(u, r->a, out) | collect(u, r->b, out);
    default: return false;
    }
}

static void collect_args(const struct unit *u, const struct ir_event_rec *ev, struct vars *out) {
    for (uint32_t i = 0; i < ev->args.count; i++)
        (void)collect(u, u->expr_refs[ev->args.first + i], out);
}

/* What one event adds to the variables; whether it did. */
typedef bool grow_fn(const struct unit *u, const struct ir_event_rec *ev, struct vars *v);

static void close_over(const struct unit *u, const struct ir_func_rec *f, struct vars *v, grow_fn *grow) {
    bool more = true;

    for (uint32_t round = 0; more && round < ROUNDS; round++) {
        more = false;
        for (ir_block b = f->blocks.first; b < f->blocks.first + f->blocks.count; b++)
            for (uint32_t i = 0; i < u->blocks[b].events.count; i++)
                more |= grow(u, &u->events[u->blocks[b].events.first + i], v);
    }
}

/* Those that they are set from. */
static bool add_sources(const struct unit *u, const struct ir_event_rec *ev, struct vars *v) {
    return ev->op == IR_EV_STORE && u->exprs[ev->a].op == IR_E_VAR && has(v, u->exprs[ev->a].a) &&
           collect(u, ev->b, v);
}

struct question {
    const struct program *p;
    uint32_t func;
    const struct unit *u;
    const struct ir_func_rec *f;
    struct vars first, second;
};

/* Is the one side of the first, and the other of the second? A comparison of a variable with itself is none. */
static bool tells_apart(const struct question *q, const struct vars *a, const struct vars *b) {
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++)
            if (a->at[i] != b->at[k] && ((has(&q->first, a->at[i]) && has(&q->second, b->at[k])) ||
                                         (has(&q->first, b->at[k]) && has(&q->second, a->at[i]))))
                return true;
    return false;
}

static bool compared_in(const struct question *q, ir_expr e) {
    const struct ir_expr_rec *r = &q->u->exprs[e];
    struct vars a = {{0}, 0}, b = {{0}, 0};

    switch (r->op) {
    case IR_E_DEREF:
    case IR_E_FIELD:
    case IR_E_LOAD:
    case IR_E_ADDR:
    case IR_E_UNARY:
    case IR_E_CAST: return compared_in(q, r->a);
    case IR_E_INDEX:
    case IR_E_BINARY:
        if (r->op == IR_E_BINARY && ((r->c >= IR_B_LT && r->c <= IR_B_GE) || r->c == IR_B_SUB)) {
            (void)collect(q->u, r->a, &a);
            (void)collect(q->u, r->b, &b);
            if (a.n && b.n) { /* most comparisons are with a constant */
                close_over(q->u, q->f, &a, add_sources);
                close_over(q->u, q->f, &b, add_sources);
            }
            if (tells_apart(q, &a, &b))
                return true;
        }
        return compared_in(q, r->a) || compared_in(q, r->b);
    default: return false;
    }
}

static bool any_comparison(const struct question *q) {
    for (ir_block b = q->f->blocks.first; b < q->f->blocks.first + q->f->blocks.count; b++) {
        const struct ir_block_rec *rec = &q->u->blocks[b];
        if (rec->cond && compared_in(q, rec->cond))
            return true;
        for (ir_event e = rec->events.first; e < rec->events.first + rec->events.count; e++) {
            const struct ir_event_rec *ev = &q->u->events[e];
            if ((ev->op == IR_EV_STORE || ev->op == IR_EV_RETURN) &&
                (ev->op == IR_EV_STORE ? ev->b : ev->a) &&
                compared_in(q, ev->op == IR_EV_STORE ? ev->b : ev->a))
                return true;
        }
    }
    return false;
}

/* Answers hang on nothing but graphs, and are asked for each time that a function is solved, for each pair of locks at two calls. */
static bool was_asked(const struct program *p, uint64_t key, bool *answer) {
    const uint32_t known = map64_get(&p->lock_order->compared, key, 0);

    *answer = known == 2;
    return known != 0;
}

static bool answered(const struct program *p, uint64_t key, bool answer) {
    map64_put(&p->lock_order->compared, key, answer ? 2 : 1);
    return answer;
}

/* Does the function compare what two of its parameters are, or lead to? */
static bool compares_params(const struct program *p, uint32_t func, uint32_t i, uint32_t k) {
    const struct linked_func *f = &p->funcs.at[func];
    struct question q;
    uint64_t key;
    bool answer;

    if (!f->defined)
        return false;
    memset(&q, 0, sizeof q);
    q = (struct question){.p = p, .func = func, .u = f->unit->unit, .f = &f->unit->unit->funcs[f->func]};
    if (i >= q.f->params.count || k >= q.f->params.count)
        return false;
    key = hash_add(key_pair(func, UINT32_MAX), key_pair(i, k));
    if (was_asked(p, key, &answer))
        return answer;
    (void)add(&q.first, q.f->params.first + i);
    (void)add(&q.second, q.f->params.first + k);
    return answered(p, key, any_comparison(&q));
}

static bool meets(const struct unit *u, ir_expr e, const struct vars *v) {
    struct vars in = {{0}, 0};

    (void)collect(u, e, &in);
    for (uint32_t i = 0; i < in.n; i++)
        if (has(v, in.at[i]))
            return true;
    return false;
}

/* Does the call compare the two, or sort what they are taken from? */
static bool call_orders(const struct question *q, ir_event event) {
    const struct ir_event_rec *ev = &q->u->events[event];
    uint32_t n;
    const struct call_edge *edges = program_calls(q->p, q->func, event, &n);

    for (uint32_t k = 0; k < n; k++) {
        if (edges[k].callback) {
            bool ours = false;
            for (uint32_t i = 0; i < ev->args.count; i++)
                ours |= meets(q->u, q->u->expr_refs[ev->args.first + i], &q->first) ||
                        meets(q->u, q->u->expr_refs[ev->args.first + i], &q->second);
            if (ours && compares_params(q->p, edges[k].callee, 0, 1))
                return true;
            continue;
        }
        for (uint32_t i = 0; i < ev->args.count; i++)
            for (uint32_t j = 0; j < ev->args.count; j++)
                if (i != j && meets(q->u, q->u->expr_refs[ev->args.first + i], &q->first) &&
                    meets(q->u, q->u->expr_refs[ev->args.first + j], &q->second) &&
                    compares_params(q->p, edges[k].callee, i, j))
                    return true;
    }
    return false;
}

/* The variables that a value was only copied from, or to: what is `at` in this turn of a loop is `before` in the next. */
static bool add_copies(const struct unit *u, const struct ir_event_rec *ev, struct vars *v) {
    const struct ir_expr_rec *value = ev->op == IR_EV_STORE ? &u->exprs[ir_uncast(u, ev->b)] : NULL;

    if (!value || u->exprs[ev->a].op != IR_E_VAR || value->op != IR_E_LOAD ||
        u->exprs[value->a].op != IR_E_VAR)
        return false;
    if (has(v, u->exprs[ev->a].a))
        return add(v, u->exprs[value->a].a);
    return has(v, u->exprs[value->a].a) && add(v, u->exprs[ev->a].a);
}

/* Is a variable of the second call set to a member of what one of the first points to (`at = before->next`)? Then the one is found
 * through the other, whatever turn of a loop it is. */
static bool found_through(const struct question *q, const struct vars *first, const struct vars *second) {
    for (ir_block b = q->f->blocks.first; b < q->f->blocks.first + q->f->blocks.count; b++)
        for (uint32_t i = 0; i < q->u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &q->u->events[q->u->blocks[b].events.first + i];
            struct vars base = {{0}, 0};
            ir_expr e;
            if (ev->op != IR_EV_STORE || q->u->exprs[ev->a].op != IR_E_VAR ||
                !has(second, q->u->exprs[ev->a].a))
                continue;
            e = ir_uncast(q->u, ev->b);
            if (q->u->exprs[e].op != IR_E_LOAD || q->u->exprs[q->u->exprs[e].a].op != IR_E_FIELD)
                continue;
            (void)collect(q->u, e, &base);
            if (base.n == 1 && has(first, base.at[0]))
                return true;
        }
    return false;
}

static bool calls_ordered(const struct program *p, uint32_t func, ir_event first, ir_event second) {
    const struct linked_func *f = &p->funcs.at[func];
    struct question q;
    struct vars copies;

    memset(&q, 0, sizeof q);
    q = (struct question){.p = p, .func = func, .u = f->unit->unit, .f = &f->unit->unit->funcs[f->func]};
    collect_args(q.u, &q.u->events[first], &q.first);
    collect_args(q.u, &q.u->events[second], &q.second);
    copies = q.first;
    close_over(q.u, q.f, &copies, add_copies);
    if (found_through(&q, &copies, &q.second))
        return true;
    close_over(q.u, q.f, &q.first, add_sources);
    close_over(q.u, q.f, &q.second, add_sources);
    if (any_comparison(&q))
        return true;
    for (ir_block b = q.f->blocks.first; b < q.f->blocks.first + q.f->blocks.count; b++)
        for (uint32_t i = 0; i < q.u->blocks[b].events.count; i++) {
            const ir_event e = q.u->blocks[b].events.first + i;
            if (q.u->events[e].op == IR_EV_CALL && call_orders(&q, e))
                return true;
        }
    return false;
}

bool lock_calls_ordered(const struct program *p, uint32_t func, ir_event first, ir_event second) {
    const uint64_t key = hash_add(key_pair(func, first), second);
    bool answer;

    return was_asked(p, key, &answer) ? answer : answered(p, key, calls_ordered(p, func, first, second));
}
