/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What does an event read and write of what a task keeps?
 * Stands on kept_walk.h and the callees' summaries. */
#include "kept_walk.h"

#include <string.h>

uint32_t kept_item_of_var(const struct kept_walk *w, ir_var v) {
    if (v >= w->first_var && v - w->first_var < w->n_vars)
        return w->u->vars[v].kind == IR_V_STATIC_LOCAL && !(w->u->vars[v].flags & IR_VF_TLS)
                   ? 0
                   : v - w->first_var + 1;
    if (w->u->vars[v].flags & IR_VF_TLS)
        for (uint32_t i = w->n_vars + 1; i < w->items.n; i++)
            if (w->items.at[i].var == v)
                return i;
    return 0;
}

bool kept_is_thread_item(const struct kept_walk *w, uint32_t i) {
    return i == w->errno_item || (w->items.at[i].var && w->u->vars[w->items.at[i].var].flags & IR_VF_TLS);
}

static bool is_frame_value(const struct kept_walk *w, ir_expr e) {
    e = ir_uncast(w->u, e);
    return w->frame && w->u->exprs[e].op == IR_E_LOAD && w->u->exprs[w->u->exprs[e].a].op == IR_E_VAR &&
           w->u->exprs[w->u->exprs[e].a].a == w->frame;
}

uint32_t kept_item_of(const struct kept_walk *w, ir_expr place) {
    ir_field member = 0;

    for (;;) {
        const struct ir_expr_rec *r = &w->u->exprs[place];
        if (r->op == IR_E_VAR)
            return kept_item_of_var(w, r->a);
        if (r->op == IR_E_FIELD) {
            member = r->b;
            place = r->a;
        } else if (r->op == IR_E_INDEX && w->u->exprs[r->a].op == IR_E_ADDR) {
            place = w->u->exprs[r->a].a;
        } else if (r->op == IR_E_DEREF && member && is_frame_value(w, r->a)) {
            for (uint32_t i = w->n_vars + 1; i < w->items.n; i++)
                if (w->items.at[i].field == member)
                    return i;
            return 0;
        } else {
            return 0;
        }
    }
}

static void used(struct kept_walk *w, uint32_t item, ir_loc loc) {
    if (item && w->recording && w->now[item].wait)
        kept_found(w, item, loc ? loc : w->u->events[w->event].loc);
}

static void written(struct kept_walk *w, uint32_t item) {
    if (!item)
        return;
    if (kept_is_thread_item(w, item))
        used(w, item, 0); /* its address may have been kept by the compiler, too */
    w->now[item] = (struct kept_track){w->event - w->first_event + 1, 0};
}

static void read_place(struct kept_walk *w, ir_expr place) {
    for (;;) {
        const struct ir_expr_rec *r = &w->u->exprs[place];
        if (r->op == IR_E_FIELD) {
            place = r->a;
        } else if (r->op == IR_E_INDEX) {
            kept_read_value(w, r->b);
            if (w->u->exprs[r->a].op != IR_E_ADDR) {
                kept_read_value(w, r->a);
                return;
            }
            place = w->u->exprs[r->a].a;
        } else {
            if (r->op == IR_E_DEREF)
                kept_read_value(w, r->a);
            return;
        }
    }
}

static void touch(struct kept_walk *w, uint32_t item, ir_loc loc) {
    used(w, item, loc);
    if (item && kept_is_thread_item(w, item))
        w->now[item] = (struct kept_track){w->event - w->first_event + 1, 0};
}

void kept_read_value(struct kept_walk *w, ir_expr e) {
    const struct ir_expr_rec *r = &w->u->exprs[e];

    switch (r->op) {
    case IR_E_LOAD:
        read_place(w, r->a);
        touch(w, kept_item_of(w, r->a), r->loc);
        break;
    case IR_E_ADDR:
        read_place(w, r->a);
        if (kept_item_of(w, r->a))
            w->items.at[kept_item_of(w, r->a)].exposed = true;
        break;
    case IR_E_UNARY:
    case IR_E_CAST: kept_read_value(w, r->a); break;
    case IR_E_BINARY:
        kept_read_value(w, r->a);
        kept_read_value(w, r->b);
        break;
    default: break;
    }
}

/* Is the pointer that parameter i of this call's function takes one to const? */
static bool takes_const(const struct kept_walk *w, const struct ir_event_rec *ev, uint32_t i) {
    const struct unit *u = w->u;
    ir_type t = type_plain(u, u->exprs[ev->b].type);

    if (u->types[t].kind == IR_T_POINTER)
        t = type_plain(u, u->types[t].elem);
    if (u->types[t].kind != IR_T_FUNCTION || i >= u->types[t].params.count)
        return false;
    t = type_plain(u, u->type_refs[u->types[t].params.first + i]);
    if (u->types[t].kind != IR_T_POINTER)
        return false;
    for (t = u->types[t].elem; u->types[t].kind == IR_T_TYPEDEF || u->types[t].kind == IR_T_QUALIFIED;
         t = u->types[t].elem)
        if (u->types[t].flags & IR_TF_CONST)
            return true;
    return false;
}

/* The address of an item goes to a call: is it read there, or written? */
static void pass_address(struct kept_walk *w, const struct ir_event_rec *ev, uint32_t i, ir_expr arg) {
    const uint32_t item = kept_item_of(w, w->u->exprs[arg].a);
    uint32_t n;
    const struct call_edge *e = program_calls(w->p, w->func, w->event, &n);
    const struct linked_func *callee = n == 1 ? &w->p->funcs.at[e[0].callee] : NULL;
    const struct summary *s = callee ? callee->summary : NULL;

    read_place(w, w->u->exprs[arg].a);
    if (!item)
        return;
    if (w->recording && w->resume && w->items.at[item].var && !kept_is_thread_item(w, item) && callee &&
        kept_awaits(w->p, e[0].callee) &&
        !(callee->defined && s && s->known && i < 64 && !(s->escapes >> i & 1)))
        kept_found_address(w, item, 0, ev->loc, e[0].callee);
    if (takes_const(w, ev, i) || ev->flags & IR_SF_CLEANUP ||
        (callee && callee->defined && s && s->known && i < 64 && !(s->writes >> i & 1)))
        touch(w, item, w->u->exprs[arg].loc);
    else
        written(w, item);
}

static void call(struct kept_walk *w) {
    const struct ir_event_rec *ev = &w->u->events[w->event];
    uint32_t n;
    const struct call_edge *e = program_calls(w->p, w->func, w->event, &n);
    bool moves = false;

    kept_read_value(w, ev->b);
    for (uint32_t i = 0; i < ev->args.count; i++) {
        ir_expr arg = ir_uncast(w->u, w->u->expr_refs[ev->args.first + i]);
        if (w->u->exprs[arg].op == IR_E_ADDR)
            pass_address(w, ev, i, arg);
        else
            kept_read_value(w, arg);
    }
    if (kept_is_errno(w->p, w->lu, ev))
        touch(w, w->errno_item, ev->loc);
    for (uint32_t i = 0; i < n && !w->frame; i++)
        moves |= w->moves[e[i].callee] || (w->everywhere && kept_yields(w->p, e[i].callee));
    for (uint32_t i = 1; moves && i < w->items.n; i++)
        if (w->now[i].def && !w->now[i].wait)
            w->now[i].wait = w->event - w->first_event + 1 + w->fr->blocks.count;
    if (ev->a) {
        read_place(w, ev->a);
        written(w, kept_item_of(w, ev->a));
    }
}

void kept_event(struct kept_walk *w) {
    const struct ir_event_rec *ev = &w->u->events[w->event];
    uint32_t item;

    switch (ev->op) {
    case IR_EV_EVAL: kept_read_value(w, ev->a); break;
    case IR_EV_STORE:
        kept_read_value(w, ev->b);
        read_place(w, ev->a);
        written(w, kept_item_of(w, ev->a));
        break;
    case IR_EV_CALL: call(w); break;
    case IR_EV_BEGIN:
        item = kept_item_of_var(w, ev->a);
        w->now[item] = (struct kept_track){0, 0};
        break;
    case IR_EV_RETURN:
        if (ev->a)
            kept_read_value(w, ev->a);
        for (uint32_t i = 1; i < w->items.n; i++)
            if (w->now[i].def && !w->left[i].def)
                w->left[i] = w->now[i];
        break;
    default: /* atomics, asm, va_list: whatever is named counts as written */
        if (ev->op == IR_EV_ATOMIC || ev->op == IR_EV_VA)
            written(w, kept_item_of(w, ev->a));
        if (ev->op == IR_EV_ATOMIC && ev->b)
            written(w, kept_item_of(w, ev->b));
        for (uint32_t i = 0; (ev->op == IR_EV_ATOMIC || ev->op == IR_EV_ASM) && i < ev->args.count; i++) {
            const ir_expr e = w->u->expr_refs[ev->args.first + i];
            if (ir_is_place(w->u->exprs[e].op))
                written(w, kept_item_of(w, e));
            else
                kept_read_value(w, e);
        }
        break;
    }
}
