/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which locks are initialised recursive? Fields and globals by class, seen before anything is solved.
 * Stands on linked.h and models. Whatever the way: in a function that makes an attribute object recursive, every lock that is
 * initialised with attributes is. A wrong "recursive" loses a double lock; a wrong "not" would accuse. */
#include "linked.h"
#include "lock_facts.h"
#include "relock.h"

#include <string.h>

static bool constant_argument(const struct unit *u, const struct ir_event_rec *ev, uint32_t index,
                              int64_t *v) {
    ir_expr e;

    if (index >= ev->args.count)
        return false;
    e = ir_uncast(u, u->expr_refs[ev->args.first + index]);
    *v = (int64_t)((uint64_t)u->exprs[e].b << 32 | u->exprs[e].a);
    return u->exprs[e].op == IR_E_CONST;
}

static bool holds(const struct unit *u, const struct ir_event_rec *ev, const struct model_if *only) {
    int64_t v;

    if (only->test == MODEL_ALWAYS)
        return true;
    if (!constant_argument(u, ev, only->index, &v))
        return true; /* perhaps */
    switch (only->test) {
    case MODEL_EQ: return v == only->value;
    case MODEL_NE: return v != only->value;
    case MODEL_HAS: return v & only->value;
    case MODEL_LACKS: return !(v & only->value);
    default: return true;
    }
}

/* Mark the lock at this place, when it is a field or a global. */
static void mark_place(struct program *p, const struct linked_func *f, ir_expr e) {
    const struct unit *u = f->unit->unit;

    while (u->exprs[e].op == IR_E_INDEX && u->exprs[u->exprs[e].a].op == IR_E_ADDR)
        e = u->exprs[u->exprs[e].a].a;
    if (u->exprs[e].op == IR_E_FIELD)
        p->fields.at[f->unit->fields[u->exprs[e].b]].recursive = true;
    else if (u->exprs[e].op == IR_E_VAR && f->unit->globals[u->exprs[e].a])
        p->globals.at[f->unit->globals[u->exprs[e].a]].recursive = true;
}

/* Mark what the pointer argument names. Returns the parameter's position + 1 when it is one, else 0. */
static uint32_t mark(struct program *p, const struct linked_func *f, ir_expr arg) {
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->func];
    ir_expr e = ir_uncast(u, arg);

    if (u->exprs[e].op == IR_E_LOAD && u->exprs[u->exprs[e].a].op == IR_E_VAR) {
        const uint32_t at = u->exprs[u->exprs[e].a].a - fr->params.first;
        return at < fr->params.count ? at + 1 : 0;
    }
    if (u->exprs[e].op == IR_E_ADDR || u->exprs[e].op == IR_E_LOAD)
        e = u->exprs[e].a;
    mark_place(p, f, e);
    return 0;
}

static void visit(struct program *p, uint32_t func) {
    struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    bool makes_recursive = false;

    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < f->n_edges; i++) {
            const struct call_edge *edge = &p->edges.at[f->first_edge + i];
            const struct linked_func *callee = &p->funcs.at[edge->callee];
            const struct ir_event_rec *ev = &u->events[edge->event];
            for (uint32_t k = 0; !callee->defined && callee->model && k < callee->model->n_effects; k++) {
                const struct model_effect *e = &callee->model->effects[k];
                int64_t null;
                uint32_t param;
                if (e->kind == MODEL_ATTR_RECURSIVE && holds(u, ev, &e->only))
                    makes_recursive = true;
                if (pass == 0 || e->kind != MODEL_LOCK_INIT || e->a.root != MODEL_PARAM ||
                    e->a.index >= ev->args.count)
                    continue;
                if (!(e->flags & MODEL_RECURSIVE && holds(u, ev, &e->only)) &&
                    !(makes_recursive && e->b.root == MODEL_PARAM &&
                      !(constant_argument(u, ev, e->b.index, &null) && null == 0)))
                    continue;
                param = mark(p, f, u->expr_refs[ev->args.first + e->a.index]);
                if (param && param <= 64 && f->summary)
                    f->summary->recursive_inits |= UINT64_C(1) << (param - 1);
            }
            if (pass && callee->defined && callee->summary && callee->summary->recursive_inits)
                for (uint32_t k = 0; k < ev->args.count && k < 64; k++)
                    if (callee->summary->recursive_inits >> k & 1) {
                        const uint32_t param = mark(p, f, u->expr_refs[ev->args.first + k]);
                        if (param && param <= 64 && f->summary)
                            f->summary->recursive_inits |= UINT64_C(1) << (param - 1);
                    }
        }
}

/* PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, which glibc spells as a 1 in the member that tells the kind. */
static void visit_initialiser(struct program *p, const struct linked_func *f, const struct ir_event_rec *ev) {
    const struct unit *u = f->unit->unit;
    const ir_expr value = ir_uncast(u, ev->b);
    ir_expr place = ev->a;

    if (u->exprs[place].op != IR_E_FIELD || u->exprs[value].op != IR_E_CONST || u->exprs[value].a != 1 ||
        strcmp(unit_str(u, u->fields[u->exprs[place].b].name), "__kind"))
        return;
    while (u->exprs[place].op == IR_E_FIELD && !lock_kind_of(p, u, u->exprs[place].type).lock)
        place = u->exprs[place].a;
    if (lock_kind_of(p, u, u->exprs[place].type).lock)
        mark_place(p, f, place);
}

void program_find_recursive_locks(struct program *p) {
    for (uint32_t i = 1; i < p->funcs.n; i++) {
        const struct linked_func *f = &p->funcs.at[i];
        const struct unit *u = f->unit->unit;
        const struct ir_range blocks = u->funcs[f->func].blocks;
        if (!(u->funcs[f->func].flags & IR_FF_INITIALISERS))
            continue;
        for (uint32_t b = blocks.first; b < blocks.first + blocks.count; b++)
            for (uint32_t e = u->blocks[b].events.first;
                 e < u->blocks[b].events.first + u->blocks[b].events.count; e++)
                if (u->events[e].op == IR_EV_STORE)
                    visit_initialiser(p, f, &u->events[e]);
    }
    for (size_t i = 0; i < p->order.n; i++)
        visit(p, p->order.at[i]);
    program_find_relocks(p);
}
