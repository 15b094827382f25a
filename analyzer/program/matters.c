/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which functions need worlds at all?
 * Stands on solver.h. */
#include "solver.h"

#include "../base/alloc.h"

static bool calls_annotated_pointer(const struct unit *u, const struct ir_func_rec *fr) {
    const struct ir_range events = func_events(u, fr);

    for (uint32_t i = 0; i < events.count; i++) {
        const struct ir_event_rec *ev = &u->events[events.first + i];
        ir_expr e = ev->b;
        ir_type t;
        if (ev->op != IR_EV_CALL || u->exprs[e].op == IR_E_FUNC)
            continue;
        while (u->exprs[e].op == IR_E_CAST || u->exprs[e].op == IR_E_LOAD || u->exprs[e].op == IR_E_DEREF)
            e = u->exprs[e].a;
        if (u->exprs[e].op == IR_E_FIELD && u->fields[u->exprs[e].b].annots.count)
            return true;
        if (u->exprs[e].op == IR_E_VAR && u->vars[u->exprs[e].a].annots.count)
            return true;
        for (t = u->exprs[e].type; t; t = u->types[t].elem) {
            if (u->types[t].kind == IR_T_TYPEDEF && u->types[t].annots.count)
                return true;
            if (u->types[t].kind != IR_T_TYPEDEF && u->types[t].kind != IR_T_QUALIFIED &&
                u->types[t].kind != IR_T_POINTER)
                break;
        }
    }
    return false;
}

bool function_matters(const struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->func];
    const ir_type result = type_plain(u, u->types[type_plain(u, fr->type)].elem);

    if (fr->flags & IR_FF_INITIALISERS)
        return false;
    for (uint32_t i = 0; i < f->n_edges; i++) {
        const struct summary *sum = p->funcs.at[p->edges.at[f->first_edge + i].callee].summary;
        if (!sum)
            continue;
        if (sum->n_requirements || sum->n_waits || sum->n_inner || sum->n_inits || sum->n_destroys)
            return true;
        for (uint32_t k = 0; k < sum->n_outcomes; k++)
            if (sum->outcomes[k].n_effects)
                return true;
    }
    if (fr->annots.count || (f->calls_pointer && calls_annotated_pointer(u, fr)))
        return true;
    if (fr->blocks.count <= 12 && u->types[result].kind == IR_T_POINTER)
        return true; /* may return a part of its argument, or always the same object */
    return false;
}

static bool touches_guarded(const struct program *p, const struct linked_unit *lu, ir_expr e) {
    const struct unit *u = lu->unit;

    for (;;) {
        const struct ir_expr_rec *r = &u->exprs[e];
        switch (r->op) {
        case IR_E_VAR:
            return lu->globals[r->a] &&
                   (p->globals.at[lu->globals[r->a]].guard || p->globals.at[lu->globals[r->a]].pointee_guard);
        case IR_E_FIELD:
            if (p->fields.at[lu->fields[r->b]].guard || p->fields.at[lu->fields[r->b]].pointee_guard)
                return true;
            e = r->a;
            break;
        case IR_E_DEREF:
        case IR_E_LOAD:
        case IR_E_ADDR:
        case IR_E_UNARY:
        case IR_E_CAST: {
            const ir_type st = type_struct(u, r->type); /* *d = *s */
            if (st && lu->structs[st] && (r->op == IR_E_LOAD || r->op == IR_E_DEREF)) {
                const struct linked_struct *ls = &p->structs.at[lu->structs[st]];
                for (uint32_t i = 0; i < ls->n_fields; i++)
                    if (p->fields.at[ls->first_field + i].guard)
                        return true;
            }
            e = r->a;
            break;
        }
        case IR_E_INDEX:
        case IR_E_BINARY:
            if (touches_guarded(p, lu, r->b))
                return true;
            e = r->a;
            break;
        default: return false;
        }
    }
}

bool *functions_with_guarded(struct program *p) {
    bool *found = xcalloc(p->funcs.n, sizeof *found);
    bool any = false;

    for (size_t i = 1; i < p->fields.n; i++)
        any |= p->fields.at[i].guard || p->fields.at[i].pointee_guard;
    for (size_t i = 1; i < p->globals.n; i++)
        any |= p->globals.at[i].guard || p->globals.at[i].pointee_guard;
    if (!any)
        return found;
    for (size_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        const struct unit *u = lf->unit->unit;
        const struct ir_func_rec *fr = &u->funcs[lf->func];
        if (!lf->defined || fr->flags & IR_FF_INITIALISERS)
            continue;
        for (uint32_t b = fr->blocks.first; b < fr->blocks.first + fr->blocks.count && !found[f]; b++) {
            if (u->blocks[b].cond && touches_guarded(p, lf->unit, u->blocks[b].cond))
                found[f] = true;
            for (uint32_t k = 0; k < u->blocks[b].events.count && !found[f]; k++) {
                const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + k];
                if (ev->op == IR_EV_BEGIN || ev->op == IR_EV_END)
                    continue;
                found[f] = touches_guarded(p, lf->unit, ev->a) ||
                           ((ev->op == IR_EV_STORE || ev->op == IR_EV_ATOMIC) &&
                            touches_guarded(p, lf->unit, ev->b));
                for (uint32_t j = 0; j < ev->args.count && !found[f]; j++) {
                    ir_expr arg = ir_uncast(u, u->expr_refs[ev->args.first + j]);
                    const ir_type t = type_plain(u, u->exprs[arg].type);
                    const ir_type st =
                        u->types[t].kind == IR_T_POINTER ? type_struct(u, u->types[t].elem) : 0;
                    found[f] = touches_guarded(p, lf->unit, arg);
                    if (st && lf->unit->structs[st])
                        for (uint32_t i = 0; i < p->structs.at[lf->unit->structs[st]].n_fields; i++)
                            found[f] |=
                                p->fields.at[p->structs.at[lf->unit->structs[st]].first_field + i].guard !=
                                NULL;
                }
            }
        }
    }
    return found;
}
