/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Marks and the call graph: who suspends, who moves, who is stackless.
 * Stands on kept_moves.h and the facts of tasks.h. */
#include "kept_moves.h"

#include <string.h>
#include "../base/alloc.h"
#include "tasks.h"

static bool func_marked(const struct program *p, uint32_t func, enum ir_annot_kind kind) {
    const struct linked_func *f = &p->funcs.at[func];

    return annotated(f->unit->unit, f->unit->unit->funcs[f->func].annots, kind);
}

bool kept_yields(const struct program *p, uint32_t func) {
    const struct summary *s = p->funcs.at[func].summary;

    return s && s->effects & EFFECT_YIELDS;
}

bool kept_awaits(const struct program *p, uint32_t func) {
    return func_marked(p, func, IR_A_awaits);
}

bool kept_calls_one(const struct program *p, uint32_t func, const bool *of) {
    const struct linked_func *f = &p->funcs.at[func];

    for (uint32_t i = 0; i < f->n_edges; i++)
        if (of[p->edges.at[f->first_edge + i].callee])
            return true;
    return false;
}

/* Everything that a task which may move calls may find itself moved. */
static void spread(const struct program *p, bool *everywhere) {
    VEC(uint32_t) work = {0};

    for (uint32_t f = 1; f < p->funcs.n; f++)
        if (everywhere[f])
            vec_push(&work, f);
    while (work.n) {
        const struct linked_func *f = &p->funcs.at[vec_pop(&work)];
        for (uint32_t i = 0; i < f->n_edges; i++) {
            const uint32_t callee = p->edges.at[f->first_edge + i].callee;
            if (everywhere[callee] || !kept_yields(p, callee))
                continue;
            everywhere[callee] = true;
            vec_push(&work, callee);
        }
    }
    vec_free(&work);
}

bool kept_find_moves(const struct program *p, bool *moves, bool *everywhere) {
    bool any = false, changed = true;

    for (uint32_t f = 1; f < p->funcs.n; f++) {
        const bool entry = func_marked(p, f, IR_A_task_entry);
        if (!func_marked(p, f, IR_A_migrates))
            continue;
        any = true;
        everywhere[f] = p->funcs.at[f].defined;
        moves[f] = !entry;
    }
    for (size_t i = 0; p->tasks && i < p->tasks->entries.n; i++)
        if (p->tasks->entries.at[i].migrates)
            any = everywhere[p->tasks->entries.at[i].func] = true;
    spread(p, everywhere);
    while (any && changed) {
        changed = false;
        for (size_t i = 0; i < p->order.n; i++)
            if (!moves[p->order.at[i]] && kept_calls_one(p, p->order.at[i], moves))
                changed = moves[p->order.at[i]] = true;
    }
    return any;
}

ir_type kept_frame_struct(const struct unit *u, ir_var frame) {
    const ir_type t = type_plain(u, u->vars[frame].type);

    return u->types[t].kind == IR_T_POINTER ? type_struct(u, u->types[t].elem) : 0;
}

bool kept_from_frame(const struct unit *u, ir_expr value, ir_var frame) {
    for (ir_expr e = value; e;) {
        const struct ir_expr_rec *r = &u->exprs[e];
        if (r->op == IR_E_VAR)
            return r->a == frame;
        if (r->op != IR_E_LOAD && r->op != IR_E_FIELD && r->op != IR_E_DEREF && r->op != IR_E_CAST)
            return false;
        e = r->a;
    }
    return false;
}

bool kept_is_errno(const struct program *p, const struct linked_unit *lu, const struct ir_event_rec *call) {
    const struct ir_expr_rec *callee = &lu->unit->exprs[call->b];

    return call->op == IR_EV_CALL && callee->op == IR_E_FUNC &&
           !strcmp(p->funcs.at[lu->funcs[callee->a]].name, "__errno_location");
}
