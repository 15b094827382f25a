/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stands on predicates.h. */
#include "predicates.h"

#include "../base/alloc.h"
#include "../base/arena.h"
#include "program.h"

enum { MOST_BLOCKS = 12, MOST_READS = 8 };

struct predicates {
    struct map64 known; /* function → place in `list`, + 1; NONE */
    VEC(struct predicate *) list;
    struct arena arena;
};
#define NONE UINT32_MAX

struct looking {
    const struct linked_unit *lu;
    const struct ir_func_rec *fr;
    ir_expr reads[MOST_READS];
    uint32_t n;
    bool fails;
};

static bool is_own_var(const struct looking *x, ir_var v) {
    return !x->lu->globals[v];
}

/* A place that callers can name: a member of what a parameter points to, or of a global; through members that are pointers, too. */
static bool is_sayable(const struct looking *x, ir_expr place) {
    const struct ir_expr_rec *r = &x->lu->unit->exprs[place];

    switch (r->op) {
    case IR_E_VAR: return !is_own_var(x, r->a);
    case IR_E_FIELD: return is_sayable(x, r->a);
    case IR_E_DEREF: {
        const struct ir_expr_rec *by = &x->lu->unit->exprs[ir_uncast(x->lu->unit, r->a)];
        const struct ir_expr_rec *at = &x->lu->unit->exprs[by->a];
        if (by->op != IR_E_LOAD)
            return false;
        return at->op == IR_E_VAR && is_own_var(x, at->a) ? at->a - x->fr->params.first < x->fr->params.count
                                                          : is_sayable(x, by->a);
    }
    default: return false;
    }
}

static void look(struct looking *x, ir_expr e) {
    const struct unit *u = x->lu->unit;
    const struct ir_expr_rec *r = &u->exprs[e];

    switch (r->op) {
    case IR_E_CONST:
    case IR_E_FLOAT: return;
    case IR_E_CAST:
    case IR_E_UNARY: look(x, r->a); return;
    case IR_E_BINARY:
        look(x, r->a);
        look(x, r->b);
        return;
    case IR_E_LOAD:
        if (u->exprs[r->a].op == IR_E_VAR && is_own_var(x, u->exprs[r->a].a)) {
            x->fails |= u->vars[u->exprs[r->a].a].kind == IR_V_STATIC_LOCAL;
            return;
        }
        for (uint32_t i = 0; i < x->n; i++)
            if (x->reads[i] == e)
                return;
        x->fails |= x->n == MOST_READS || !is_sayable(x, r->a) || type_is_volatile(u, u->exprs[r->a].type);
        if (!x->fails)
            x->reads[x->n++] = e;
        return;
    default: x->fails = true;
    }
}

/* Does it write nothing but locals that are its own alone, and call nobody? */
static void look_at_event(struct looking *x, const struct ir_event_rec *ev) {
    const struct unit *u = x->lu->unit;
    const struct ir_expr_rec *to = &u->exprs[ev->a];

    switch (ev->op) {
    case IR_EV_BEGIN:
    case IR_EV_END: return;
    case IR_EV_EVAL: look(x, ev->a); return;
    case IR_EV_RETURN:
        x->fails |= !ev->a;
        look(x, ev->a);
        return;
    case IR_EV_STORE:
        x->fails |= to->op != IR_E_VAR || !is_own_var(x, to->a) || u->vars[to->a].flags & IR_VF_ADDRESSED ||
                    u->vars[to->a].kind == IR_V_STATIC_LOCAL ||
                    to->a - x->fr->params.first < x->fr->params.count;
        look(x, ev->b);
        return;
    default: x->fails = true;
    }
}

static struct predicate *find(struct predicates *all, const struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    struct looking x = {.lu = f->unit};
    struct predicate *made;
    ir_expr value = 0;

    if (!f->defined || f->n_edges || f->calls_pointer)
        return NULL;
    const struct unit *u = f->unit->unit;
    x.fr = &u->funcs[f->func];
    const enum ir_type_kind kind = u->types[type_plain(u, u->types[type_plain(u, x.fr->type)].elem)].kind;
    if (x.fr->blocks.count > MOST_BLOCKS || x.fr->flags & (IR_FF_INITIALISERS | IR_FF_VARIADIC) ||
        x.fr->annots.count || (kind != IR_T_INT && kind != IR_T_ENUM))
        return NULL;
    for (uint32_t b = x.fr->blocks.first; b < x.fr->blocks.first + x.fr->blocks.count && !x.fails; b++) {
        const struct ir_block_rec *rec = &u->blocks[b];
        if (rec->cond)
            look(&x, rec->cond);
        for (ir_event e = rec->events.first; e < rec->events.first + rec->events.count && !x.fails; e++)
            look_at_event(&x, &u->events[e]);
    }
    if (x.fails || !x.n)
        return NULL;
    if (x.fr->blocks.count == 1 && u->blocks[x.fr->blocks.first].events.count == 1)
        value = u->events[u->blocks[x.fr->blocks.first].events.first].a;
    made = arena_new(&all->arena, struct predicate);
    *made = (struct predicate){.unit = f->unit,
                               .params = x.fr->params.first,
                               .n_params = x.fr->params.count,
                               .reads = arena_copy(&all->arena, x.reads, x.n * sizeof *x.reads),
                               .n_reads = x.n,
                               .value = value};
    return made;
}

const struct predicate *predicate_of(const struct program *p, uint32_t func) {
    struct predicates *all = p->predicates;
    bool fresh;

    if (!all)
        all = ((struct program *)(uintptr_t)p)->predicates = xcalloc(1, sizeof *all);
    uint32_t *known = map64_place(&all->known, func, &fresh);
    if (fresh) {
        struct predicate *made = find(all, p, func);
        *known = NONE;
        if (made) {
            vec_push(&all->list, made);
            *known = (uint32_t)all->list.n - 1;
        }
    }
    return *known == NONE ? NULL : all->list.at[*known];
}

const struct predicate *predicate_called(const struct program *p, uint32_t func, ir_event event) {
    uint32_t n;
    const struct call_edge *edges = program_calls(p, func, event, &n);

    return n == 1 && !edges->indirect && !edges->callback ? predicate_of(p, edges->callee) : NULL;
}

void predicates_free(struct predicates *x) {
    if (!x)
        return;
    map64_free(&x->known);
    vec_free(&x->list);
    arena_free(&x->arena);
    free(x);
}
