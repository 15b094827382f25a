/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What one event does to one world: expressions to terms, stores, lives of locals, returns.
 * Stands on solver.h; calls are in calls.c, the checks of guarded data in guards.c. */
#include "solver.h"

#include <string.h>

void note_hint(struct solver *s, term value, term cell) {
    uint32_t *slot;
    bool fresh;

    if (!value || s->t.recs[value].op != TERM_FRESH || s->t.recs[cell].op != TERM_LOCAL ||
        !s->u->vars[s->t.recs[cell].a].name)
        return;
    slot = map64_place(&s->hints, value, &fresh);
    if (fresh)
        *slot = cell;
}

static bool is_aggregate(const struct unit *u, ir_type t) {
    t = type_plain(u, t);
    return u->types[t].kind == IR_T_STRUCT || u->types[t].kind == IR_T_UNION;
}

/* Asked for at every step: kept by relative number. */
static term local_place(struct solver *s, ir_var var) {
    const uint32_t local = var - s->fr->locals.first;

    if (local >= s->fr->locals.count)
        return term_make(&s->t, TERM_LOCAL, var, 0, 0);
    if (!s->local_places[local])
        s->local_places[local] = term_make(&s->t, TERM_LOCAL, var, 0, 0);
    return s->local_places[local];
}

term eval_place(struct solver *s, struct world *w, ir_expr e, ir_event at) {
    const struct ir_expr_rec *r = &s->u->exprs[e];
    term base, index;

    switch (r->op) {
    case IR_E_VAR:
        if (s->lu->globals[r->a])
            return term_make(&s->t, TERM_GLOBAL, s->lu->globals[r->a], 0, 0);
        return local_place(s, r->a);
    case IR_E_DEREF: return eval(s, w, r->a, at);
    case IR_E_FIELD:
        base = eval_place(s, w, r->a, at);
        return term_field(&s->t, s->p, base, s->lu->fields[r->b]);
    case IR_E_INDEX:
        base = eval(s, w, r->a, at);
        index = eval(s, w, r->b, at);
        return term_index(&s->t, base, index);
    default: return term_make(&s->t, TERM_OPAQUE, e, 0, 0);
    }
}

static term eval_load(struct solver *s, struct world *w, ir_expr e, ir_event at) {
    const struct ir_expr_rec *r = &s->u->exprs[e];
    const struct ir_expr_rec *pr = &s->u->exprs[r->a];
    const term place = eval_place(s, w, r->a, at);
    const ir_loc loc = r->loc ? r->loc : pr->loc ? pr->loc : s->u->events[at].loc;

    check_access(s, w, place, pr->type, is_aggregate(s->u, pr->type) ? ACCESS_COPY_FROM : ACCESS_READ, loc);
    if (pr->op == IR_E_DEREF || pr->op == IR_E_INDEX)
        check_pointee(s, w, pr->a, false, at, loc);
    else if (pr->op == IR_E_FIELD && s->u->exprs[pr->a].op == IR_E_DEREF)
        check_pointee(s, w, s->u->exprs[pr->a].a, false, at, loc);
    if (type_is_volatile(s->u, pr->type))
        return term_make(&s->t, TERM_FRESH, at, e, 0);
    return world_load(&s->t, w, place);
}

term eval(struct solver *s, struct world *w, ir_expr e, ir_event at) {
    const struct ir_expr_rec *r = &s->u->exprs[e];
    term a, b;
    ir_type t;

    switch (r->op) {
    case IR_E_CONST: return term_const(&s->t, ir_const_value(r));
    case IR_E_FUNC: return term_make(&s->t, TERM_FUNC, s->lu->funcs[r->a], 0, 0);
    case IR_E_LOAD: return eval_load(s, w, e, at);
    case IR_E_ADDR: return eval_place(s, w, r->a, at);
    case IR_E_UNARY: a = eval(s, w, r->a, at); return term_unary(&s->t, r->b, a);
    case IR_E_BINARY:
        a = eval(s, w, r->a, at);
        b = eval(s, w, r->b, at);
        t = type_plain(s->u, s->u->exprs[r->a].type);
        if (r->c == IR_B_ADD && s->u->types[t].kind == IR_T_POINTER) {
            const ir_type elem = type_plain(s->u, s->u->types[t].elem);
            int64_t v;
            if (s->u->types[elem].size > 1 || !term_is_const(&s->t, b, &v))
                return term_index(&s->t, a, b);
        }
        return term_binary(&s->t, r->c, a, b);
    case IR_E_CAST:
        a = eval(s, w, r->a, at);
        t = type_plain(s->u, r->type);
        if (s->u->types[t].kind == IR_T_INT && !strcmp(unit_str(s->u, s->u->types[t].name), "_Bool"))
            return term_binary(&s->t, IR_B_NE, a, term_const(&s->t, 0));
        return a;
    case IR_E_VAR:
    case IR_E_DEREF:
    case IR_E_FIELD:
    case IR_E_INDEX: /* a place where a value is meant */ return eval_place(s, w, e, at);
    default: return term_make(&s->t, TERM_OPAQUE, e, 0, 0);
    }
}

/* Is it that lock, or one within the struct that is named as the lock: a mutex wrapped together with its owner? */
static bool is_or_holds(const struct term_table *t, term named, term held) {
    while (!term_same_shape(t, held, named)) {
        if (t->recs[held].op != TERM_FIELD)
            return false;
        held = t->recs[held].a;
    }
    return true;
}

static int status_of(struct solver *s, const struct world *w, term lock, bool write) {
    const struct object_class class = term_class(&s->t, lock);
    int best = 0;

    for (uint32_t i = 0; i < w->n_held; i++) {
        const struct held *h = &w->held[i];
        int status;
        if (h->mode != HELD_EXCLUSIVE && h->mode != HELD_SHARED)
            continue;
        if (!is_or_holds(&s->t, lock, h->lock) &&
            !(is_collected(s, h) && class_known(class) && class_equal(class, term_class(&s->t, h->lock))))
            continue;
        status = h->mode == HELD_SHARED && write ? 1 : 2;
        if (status > best)
            best = status;
    }
    return best;
}

int lock_status(struct solver *s, const struct world *w, term lock, bool write) {
    int best = status_of(s, w, lock, write);

    for (uint32_t i = 0; best < 2 && i < w->n_facts; i++) { /* by its object's other name, where a == b */
        const struct term_rec r = s->t.recs[w->facts[i].of];
        int64_t v;
        if (r.op != TERM_BINARY || r.c != IR_B_EQ || w->facts[i].range.lo != 1 ||
            term_is_const(&s->t, r.b, &v))
            continue;
        for (int turn = 0; turn < 2; turn++) {
            const term from = turn ? r.b : r.a, to = turn ? r.a : r.b;
            const int other = term_mentions(&s->t, lock, from)
                                  ? status_of(s, w, term_replace(&s->t, lock, from, to), write)
                                  : 0;
            if (other > best)
                best = other;
        }
    }
    return best;
}

/* *d = *s: what is known of the parts of one is known of the other. */
static void copy_object(struct solver *s, struct world *w, term to, term from, ir_event e) {
    const uint32_t n = w->n_cells;
    struct cell *cells = n ? arena_copy(&s->scratch, w->cells, n * sizeof *cells) : NULL;

    world_forget_object(&s->scratch, &s->t, w, to, e);
    for (uint32_t i = 0; i < n; i++) {
        term at = cells[i].at;
        while (at != from && (s->t.recs[at].op == TERM_FIELD || s->t.recs[at].op == TERM_INDEX))
            at = s->t.recs[at].a;
        if (at == from && from)
            world_set(&s->scratch, w, term_replace(&s->t, cells[i].at, from, to), cells[i].value);
    }
}

/* A local that begins all zero: each of its plain members is, by which its owner tells later whether something was put there. */
static void zero_members(struct solver *s, struct world *w, term object, ir_type type) {
    enum { ENOUGH = 12 };
    const uint32_t st = s->lu->structs[type_struct(s->u, type)];
    const struct linked_struct *of = &s->p->structs.at[st];

    if (s->t.recs[object].op != TERM_LOCAL || !st || of->n_fields > ENOUGH)
        return;
    for (uint32_t i = of->first_field; i < of->first_field + of->n_fields; i++) {
        const struct linked_field *f = &s->p->fields.at[i];
        const struct unit *u = f->unit->unit;
        const uint32_t kind = u->types[type_plain(u, u->fields[f->field].type)].kind;
        if (kind == IR_T_POINTER || kind == IR_T_INT || kind == IR_T_ENUM)
            world_set(&s->scratch, w, term_field(&s->t, s->p, object, i), term_const(&s->t, 0));
    }
}

static void store(struct solver *s, struct world *w, ir_event e) {
    const struct ir_event_rec *ev = &s->u->events[e];
    const struct ir_expr_rec *place = &s->u->exprs[ev->a], *value = &s->u->exprs[ev->b];
    const bool whole = ev->flags & IR_SF_AGGREGATE || is_aggregate(s->u, place->type);
    const ir_loc loc = place->loc ? place->loc : ev->loc;
    term v = eval(s, w, ev->b, e);
    const term at = eval_place(s, w, ev->a, e);

    check_access(s, w, at, place->type, whole ? ACCESS_COPY_TO : ACCESS_WRITE, loc);
    if (place->op == IR_E_DEREF || place->op == IR_E_INDEX)
        check_pointee(s, w, place->a, true, e, loc);
    else if (place->op == IR_E_FIELD && s->u->exprs[place->a].op == IR_E_DEREF)
        check_pointee(s, w, s->u->exprs[place->a].a, true, e, loc);
    if (whole) {
        if (value->op == IR_E_LOAD)
            copy_object(s, w, at, eval_place(s, w, value->a, e), e);
        else
            world_forget_object(&s->scratch, &s->t, w, at, e);
        if (value->op == IR_E_INIT && value->a &&
            s->u->types[type_plain(s->u, place->type)].kind == IR_T_STRUCT)
            zero_members(s, w, at, place->type);
        return;
    }
    if (s->t.recs[term_object(&s->t, at)].op != TERM_LOCAL && !world_owns(&s->t, w, at)) {
        check_escape(s, w, v, at, DETAIL_STORED, ev->loc);
        world_publish(&s->scratch, &s->t, w, v);
    }
    note_hint(s, v, at);
    world_store(&s->scratch, &s->t, w, at, v, e);
}

static void atomic(struct solver *s, struct world *w, ir_event e) {
    const struct ir_event_rec *ev = &s->u->events[e];
    term at = ev->a ? eval_place(s, w, ev->a, e) : 0;

    for (uint32_t i = 0; i < ev->args.count; i++) {
        const ir_expr arg = s->u->expr_refs[ev->args.first + i];
        const term v = eval(s, w, arg, e);
        if (ev->c == IR_AT_COMPARE_EXCHANGE && i == 0)
            world_forget_object(&s->scratch, &s->t, w, v, e);
        else if (at && s->t.recs[term_object(&s->t, at)].op != TERM_LOCAL)
            world_publish(&s->scratch, &s->t, w, v);
    }
    if (at && ev->c != IR_AT_FENCE)
        world_store(&s->scratch, &s->t, w, at, term_make(&s->t, TERM_FRESH, e, 1, 0), e);
    if (ev->b) {
        at = eval_place(s, w, ev->b, e);
        world_store(&s->scratch, &s->t, w, at, term_make(&s->t, TERM_FRESH, e, 2, 0), e);
    }
}

/* May something lie in the variable that is not the variable itself? */
static bool has_parts(const struct unit *u, ir_var v) {
    const uint32_t kind = u->types[type_plain(u, u->vars[v].type)].kind;

    return u->vars[v].flags & IR_VF_ADDRESSED ||
           (kind != IR_T_INT && kind != IR_T_FLOAT && kind != IR_T_ENUM && kind != IR_T_POINTER);
}

static void local_ends(struct solver *s, struct world *w, ir_event e) {
    const struct ir_event_rec *ev = &s->u->events[e];
    const term local = term_make(&s->t, TERM_LOCAL, ev->a, 0, 0);

    if (s->lu->globals[ev->a])
        return;
    for (uint32_t i = 0; i < w->n_held; i++) {
        struct held *h = &w->held[i];
        if (term_object(&s->t, h->lock) != local || h->mode == HELD_RELEASED)
            continue;
        if (s->recording && !(h->flags & HELD_MAYBE) && !(s->u->vars[ev->a].flags & IR_VF_CLEANUP)) {
            struct lock_problem *pr =
                problem_new(s, PROBLEM_DESTROY, DETAIL_LOCAL_DIES, s->u->vars[ev->a].loc, h->lock, NULL);
            problem_taken(s, pr, h);
        }
        world_drop_held(&s->scratch, w, h, 0);
        i--;
    }
    world_end_local(&s->scratch, &s->t, w, local, has_parts(s->u, ev->a));
}

void transfer_event(struct solver *s, struct world *w, ir_event e) {
    const struct ir_event_rec *ev = &s->u->events[e];
    struct exit_record x;
    term at;

    s->now_at = e;
    switch (ev->op) {
    case IR_EV_EVAL: (void)eval(s, w, ev->a, e); break;
    case IR_EV_STORE: store(s, w, e); break;
    case IR_EV_CALL: transfer_call(s, w, e); return;
    case IR_EV_ATOMIC: atomic(s, w, e); break;
    case IR_EV_ASM:
        for (uint32_t i = 0; i < ev->args.count; i++) {
            const ir_expr arg = s->u->expr_refs[ev->args.first + i];
            const uint32_t op = s->u->exprs[arg].op;
            if (op == IR_E_VAR || op == IR_E_DEREF || op == IR_E_FIELD || op == IR_E_INDEX) {
                at = eval_place(s, w, arg, e);
                world_store(&s->scratch, &s->t, w, at, term_make(&s->t, TERM_FRESH, e, i + 1, 0), e);
            } else {
                (void)eval(s, w, arg, e);
            }
        }
        break;
    case IR_EV_BEGIN:
        at = term_make(&s->t, TERM_LOCAL, ev->a, 0, 0);
        if (has_parts(s->u, ev->a))
            world_forget_object(&s->scratch, &s->t, w, at, e);
        else
            world_forget_cell(&s->scratch, &s->t, w, at, e);
        break;
    case IR_EV_END: local_ends(s, w, e); break;
    case IR_EV_VA:
        if (ev->a)
            (void)eval_place(s, w, ev->a, e);
        break;
    case IR_EV_RETURN:
        at = ev->a ? eval(s, w, ev->a, e) : 0;
        if (at)
            check_escape(s, w, at, 0, DETAIL_RETURNED, ev->loc);
        if (s->recording && some_caller_leads_here(s, w)) {
            x = (struct exit_record){w, at, ev->loc, e, 0};
            vec_push(&s->exits, x);
        }
        break;
    default: break;
    }
    vec_push(&s->next, w);
}
