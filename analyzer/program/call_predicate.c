/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a function that only asks (predicates.h) gives for these arguments, from what it reads as the caller's world has it.
 * Stands on calls.h. */
#include "calls.h"

#include <string.h>
#include "predicates.h"

struct asked {
    struct call *c;
    struct world *w;
    const struct predicate *q;
};

static term value_of(struct asked *x, ir_expr e);

static term place_of(struct asked *x, ir_expr e) {
    struct solver *s = x->c->s;
    const struct ir_expr_rec *r = &x->q->unit->unit->exprs[e];
    term base;

    switch (r->op) {
    case IR_E_VAR:
        return x->q->unit->globals[r->a] ? term_make(&s->t, TERM_GLOBAL, x->q->unit->globals[r->a], 0, 0) : 0;
    case IR_E_DEREF: return value_of(x, r->a);
    case IR_E_FIELD:
        base = place_of(x, r->a);
        return base ? term_field(&s->t, s->p, base, x->q->unit->fields[r->b]) : 0;
    default: return 0;
    }
}

/* 0: it cannot be said. */
static term value_of(struct asked *x, ir_expr e) {
    struct solver *s = x->c->s;
    const struct unit *u = x->q->unit->unit;
    const struct ir_expr_rec *r = &u->exprs[e];
    term a, b;

    switch (r->op) {
    case IR_E_CONST: return term_const(&s->t, ir_const_value(r));
    case IR_E_LOAD: {
        const ir_var v = u->exprs[r->a].a;
        if (u->exprs[r->a].op == IR_E_VAR && v - x->q->params < x->q->n_params)
            return v - x->q->params < x->c->n_args ? x->c->args[v - x->q->params] : 0;
        a = place_of(x, r->a);
        return a ? world_load(&s->t, x->w, a) : 0;
    }
    case IR_E_UNARY: a = value_of(x, r->a); return a ? term_unary(&s->t, r->b, a) : 0;
    case IR_E_BINARY:
        a = value_of(x, r->a);
        b = value_of(x, r->b);
        return a && b ? term_binary(&s->t, r->c, a, b) : 0;
    case IR_E_CAST: {
        const ir_type t = type_plain(u, r->type);
        a = value_of(x, r->a);
        return a && u->types[t].kind == IR_T_INT && !strcmp(unit_str(u, u->types[t].name), "_Bool")
                   ? term_binary(&s->t, IR_B_NE, a, term_const(&s->t, 0))
                   : a;
    }
    default: return 0;
    }
}

term predicate_result(struct call *c, struct world *w) {
    struct solver *s = c->s;
    struct asked x = {c, w, c->sure ? predicate_called(s->p, s->func, c->event) : NULL};
    term all;

    if (!x.q)
        return 0;
    if (x.q->value)
        return value_of(&x, x.q->value);
    /* Some value that hangs on these alone: a term that no other value has. What the function makes of them does not matter. */
    all = term_make(&s->t, TERM_FUNC, c->callee, 0, 0);
    for (uint32_t i = 0; i < x.q->n_params && all; i++)
        all = i < c->n_args && c->args[i] ? term_make(&s->t, TERM_BINARY, all, c->args[i], IR_B_DIV) : 0;
    for (uint32_t i = 0; i < x.q->n_reads && all; i++) {
        const term read = value_of(&x, x.q->reads[i]);
        all = read ? term_make(&s->t, TERM_BINARY, all, read, IR_B_DIV) : 0;
    }
    return all;
}
