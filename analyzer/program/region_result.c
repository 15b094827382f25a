/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which results of a function say that what it hands over inside was handed over? `return -1` where the queue was full, 0 where
 * the job was put.
 * Stands on region_flow.h. Walks the ways through the function, told apart by whether the hand-off lies behind and by the constants
 * in the variables that are returned; gives up where there are too many. */
#include "region_result.h"

#include <string.h>
#include "../base/alloc.h"

enum { MAX_VARS = 6, MAX_STATES = 600, MAX_RESULTS = 8 };

/* What is known of an integer or pointer: nothing, that it is n, that it is not n. */
enum knowledge { ANYTHING, IS, IS_NOT };
struct number {
    uint8_t known;
    int64_t n;
};

struct way {
    uint32_t block;
    bool done;
    struct number vars[MAX_VARS];
};

struct results {
    struct number at[MAX_RESULTS];
    uint32_t n;
    bool any; /* something that is not known */
};

struct finder {
    const struct unit *u;
    const struct ir_func_rec *fr;
    const struct result_question *q;
    uint32_t vars[MAX_VARS], n_vars;
    struct results with, without;
    VEC(struct way) ways; /* seen; those from `next` on are still to be walked */
    struct index known;   /* of these, by what they are */
    bool too_many;
};

static uint32_t slot_of(const struct finder *x, uint32_t var) {
    uint32_t i = 0;
    while (i < x->n_vars && x->vars[i] != var)
        i++;
    return i;
}

static void track(struct finder *x, uint32_t var) {
    uint32_t kind = x->u->vars[var].kind;
    bool local = kind == IR_V_LOCAL || kind == IR_V_TEMP;
    if (local && !(x->u->vars[var].flags & IR_VF_ADDRESSED) && slot_of(x, var) == x->n_vars &&
        x->n_vars < MAX_VARS)
        x->vars[x->n_vars++] = var;
}

/* The variable that e loads, or 0. */
static uint32_t loaded_var(const struct unit *u, ir_expr e) {
    e = ir_uncast(u, e);
    return u->exprs[e].op == IR_E_LOAD && u->exprs[u->exprs[e].a].op == IR_E_VAR ? u->exprs[u->exprs[e].a].a
                                                                                 : 0;
}

/* The variables whose values may come to be returned, and that of the call that hands over. */
static void choose_vars(struct finder *x) {
    for (unsigned round = 0; round < 3; round++)
        for (uint32_t b = 0; b < x->fr->blocks.count; b++) {
            struct ir_range events = x->u->blocks[x->fr->blocks.first + b].events;
            for (ir_event ev = events.first; ev < events.first + events.count; ev++) {
                const struct ir_event_rec *r = &x->u->events[ev];
                uint32_t from = r->op == IR_EV_RETURN && r->a ? loaded_var(x->u, r->a) : 0;
                if (r->op == IR_EV_STORE && x->u->exprs[r->a].op == IR_E_VAR) {
                    uint32_t to = x->u->exprs[r->a].a, of = loaded_var(x->u, r->b);
                    if (slot_of(x, to) < x->n_vars)
                        from = of;
                    else if (of && slot_of(x, of) < x->n_vars)
                        from = to;
                }
                if (r->op == IR_EV_CALL && r->a && x->u->exprs[r->a].op == IR_E_VAR &&
                    result_is_mark(x->q, ev))
                    from = x->u->exprs[r->a].a;
                if (from)
                    track(x, from);
            }
        }
}

static struct number value_of(const struct finder *x, const struct way *w, ir_expr e) {
    struct number none = {ANYTHING, 0};
    e = ir_uncast(x->u, e);
    const struct ir_expr_rec *r = &x->u->exprs[e];
    if (r->op == IR_E_CONST)
        return (struct number){IS, ir_const_value(r)};
    if (r->op == IR_E_ADDR)
        return (struct number){IS_NOT, 0};
    uint32_t var = loaded_var(x->u, e), slot = var ? slot_of(x, var) : x->n_vars;
    if (slot < x->n_vars)
        return w->vars[slot];
    if (r->op == IR_E_UNARY && r->b == IR_U_NEG) {
        struct number v = value_of(x, w, r->a);
        v.n = -v.n;
        return v;
    }
    return none;
}

static void set_var(const struct finder *x, struct way *w, ir_expr place, struct number v) {
    uint32_t slot = place && x->u->exprs[place].op == IR_E_VAR ? slot_of(x, x->u->exprs[place].a) : x->n_vars;
    if (slot < x->n_vars)
        w->vars[slot] = v;
}

static void go(struct finder *x, struct way w) {
    const uint64_t hash = hash_bytes(&w, sizeof w);
    for (struct index_probe p = index_first(&x->known, hash); p.id; index_next(&x->known, &p))
        if (memcmp(&x->ways.at[p.id - 1], &w, sizeof w) == 0)
            return;
    if (x->ways.n == MAX_STATES) {
        x->too_many = true;
        return;
    }
    vec_push(&x->ways, w);
    index_add(&x->known, hash, (uint32_t)x->ways.n);
}

static void add_result(struct results *r, struct number v) {
    r->any |= v.known == ANYTHING;
    for (uint32_t i = 0; i < r->n; i++)
        if (r->at[i].known == v.known && r->at[i].n == v.n)
            return;
    if (r->n == MAX_RESULTS)
        r->any = true;
    else if (v.known != ANYTHING)
        r->at[r->n++] = v;
}

/* Can the branch be taken to its side `yes`? What it teaches of a variable is kept in w. */
static bool may_go(const struct finder *x, struct way *w, ir_expr cond, bool yes) {
    cond = ir_uncast(x->u, cond);
    const struct ir_expr_rec *r = &x->u->exprs[cond];
    if (r->op == IR_E_UNARY && r->b == IR_U_LNOT)
        return may_go(x, w, r->a, !yes);
    ir_expr tested = cond;
    int64_t with = 0;
    bool equal = !yes;
    if (r->op == IR_E_BINARY && r->c >= IR_B_EQ && r->c <= IR_B_GE) {
        struct number left = value_of(x, w, r->a), right = value_of(x, w, r->b);
        if (left.known == IS && right.known == IS) {
            bool holds = r->c == IR_B_EQ   ? left.n == right.n
                         : r->c == IR_B_NE ? left.n != right.n
                         : r->c == IR_B_LT ? left.n < right.n
                         : r->c == IR_B_LE ? left.n <= right.n
                         : r->c == IR_B_GT ? left.n > right.n
                                           : left.n >= right.n;
            return holds == yes;
        }
        if (right.known != IS || (r->c != IR_B_EQ && r->c != IR_B_NE))
            return true;
        tested = r->a;
        with = right.n;
        equal = (r->c == IR_B_EQ) == yes;
    }
    struct number v = value_of(x, w, tested);
    if (v.known == IS && (v.n == with) != equal)
        return false;
    if (v.known == IS_NOT && v.n == with && equal)
        return false;
    uint32_t var = loaded_var(x->u, tested), slot = var ? slot_of(x, var) : x->n_vars;
    if (slot < x->n_vars && v.known != IS)
        w->vars[slot] = (struct number){equal ? IS : IS_NOT, with};
    return true;
}

/* The call that hands over: it worked, or it did not, as its result says. */
static void fork_at_mark(struct finder *x, struct way w, const struct ir_event_rec *r, uint32_t block,
                         ir_event ev);

static void walk_on(struct finder *x, struct way w, uint32_t block, ir_event from) {
    const struct ir_block_rec *rec = &x->u->blocks[x->fr->blocks.first + block];
    for (ir_event ev = from; ev < rec->events.first + rec->events.count; ev++) {
        const struct ir_event_rec *r = &x->u->events[ev];
        struct number unknown = {ANYTHING, 0};
        if (r->op == IR_EV_STORE)
            set_var(x, &w, r->a, value_of(x, &w, r->b));
        else if (r->op == IR_EV_CALL && r->a)
            set_var(x, &w, r->a, unknown);
        else if (r->op == IR_EV_ATOMIC && r->b)
            set_var(x, &w, r->b, unknown);
        else if (r->op == IR_EV_RETURN && r->a)
            add_result(w.done ? &x->with : &x->without, value_of(x, &w, r->a));
        if (!w.done && result_is_mark(x->q, ev)) {
            if (x->q->when.test != RESULT_ANY && r->op == IR_EV_CALL) {
                fork_at_mark(x, w, r, block, ev);
                return;
            }
            w.done = true;
        }
    }
    for (uint32_t i = 0; i < rec->succs.count; i++) {
        struct way to = w;
        to.block = x->u->succs[rec->succs.first + i].block - x->fr->blocks.first;
        if (rec->term != IR_TERM_BRANCH || may_go(x, &to, rec->cond, i == 0))
            go(x, to);
    }
}

static void fork_at_mark(struct finder *x, struct way w, const struct ir_event_rec *r, uint32_t block,
                         ir_event ev) {
    struct way failed = w;
    const struct result_when *when = &x->q->when;
    bool equal = when->test == RESULT_EQ, differs = when->test == RESULT_NE;
    struct number it = {IS, when->value}, other = {IS_NOT, when->value}, unknown = {ANYTHING, 0};
    w.done = true;
    set_var(x, &w, r->a, equal ? it : differs ? other : unknown);
    set_var(x, &failed, r->a, equal ? other : differs ? it : unknown);
    walk_on(x, w, block, ev + 1);
    walk_on(x, failed, block, ev + 1);
}

/* Is v surely none of those in r? */
static bool apart(const struct results *r, int64_t v) {
    for (uint32_t i = 0; i < r->n; i++)
        if (r->at[i].known == IS ? r->at[i].n == v : r->at[i].n != v)
            return false;
    return !r->any;
}

static bool all_signed(const struct results *r, bool negative) {
    for (uint32_t i = 0; i < r->n; i++)
        if (r->at[i].known != IS || (r->at[i].n < 0) != negative)
            return false;
    return r->n && !r->any;
}

bool result_tells(const struct result_question *q, struct result_when *out) {
    struct finder x = {.u = q->unit, .fr = q->function, .q = q};
    struct way start;
    memset(&start, 0, sizeof start);
    choose_vars(&x);
    go(&x, start);
    for (size_t i = 0; i < x.ways.n && !x.too_many; i++) {
        struct way w = x.ways.at[i];
        walk_on(&x, w, w.block, x.u->blocks[x.fr->blocks.first + w.block].events.first);
    }
    vec_free(&x.ways);
    index_free(&x.known);
    if (x.too_many)
        return false;
    bool never_without = !x.without.n && !x.without.any, one_with = x.with.n == 1 && !x.with.any,
         one_without = x.without.n == 1 && !x.without.any;
    if (never_without)
        *out = (struct result_when){RESULT_ANY, 0};
    else if (one_with && x.with.at[0].known == IS && apart(&x.without, x.with.at[0].n))
        *out = (struct result_when){RESULT_EQ, x.with.at[0].n};
    else if (one_without && x.without.at[0].known == IS && apart(&x.with, x.without.at[0].n))
        *out = (struct result_when){RESULT_NE, x.without.at[0].n};
    else if (one_with && one_without && x.with.at[0].known == IS_NOT && x.without.at[0].known == IS &&
             x.with.at[0].n == x.without.at[0].n)
        *out = (struct result_when){RESULT_NE, x.with.at[0].n};
    else if (all_signed(&x.with, false) && all_signed(&x.without, true))
        *out = (struct result_when){RESULT_GE, 0};
    else
        return false;
    return true;
}
