/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds copies of objects that live at their address.
 * Stands on copies.h and the models' word on types.
 *
 * A copy into an object whose lock the same function initialises afterwards is how C clones objects, and is let be; realloc clones
 * nothing, whatever is initialised at the end of what it moved. So is let be a compound literal, and a local that is initialised and copied and nothing else: it is an initialiser that happens to have an address. */
#include "copies.h"
#include "marks.h"

#include <stdio.h>
#include <string.h>

struct search {
    const struct program *p;
    const struct unit *u;
    uint32_t func;
    bool clones; /* the function initialises a lock */
    void (*found)(void *, const struct copied *);
    void *data;
    char member[128];
    ir_loc declared;
};

/* Does an object of type t live at its address, it or a part? The path to the part is left in x->member. */
static bool stays(struct search *x, ir_type t, size_t at, int depth) {
    const struct model_type *m;
    ir_type s;

    while (x->u->types[t].kind == IR_T_ARRAY)
        t = x->u->types[t].elem;
    m = models_find_ir_type(x->p->models, x->u, t);
    if ((m && m->flags & (MODEL_TF_NO_COPY | MODEL_TF_LOCK | MODEL_TF_RW)) ||
        lock_kind_of(x->p, x->u, t).lock)
        return true;
    s = type_struct(x->u, t);
    if (m || !s || depth > 8)
        return false;
    for (uint32_t i = 0; i < x->u->types[s].fields.count; i++) {
        const struct ir_field_rec *f = &x->u->fields[x->u->types[s].fields.first + i];
        const char *name = unit_str(x->u, f->name);
        const int n = snprintf(x->member + at, sizeof x->member - at, "%s%s", *name ? "." : "", name);
        if (at + (size_t)n >= sizeof x->member)
            return false;
        x->declared = f->loc;
        if (stays(x, f->type, at + (size_t)n, depth + 1))
            return true;
    }
    x->member[at] = 0;
    return false;
}

static const char *type_name(const struct unit *u, ir_type t) {
    while (u->types[t].kind == IR_T_QUALIFIED || u->types[t].kind == IR_T_ARRAY)
        t = u->types[t].elem;
    return unit_str(u, u->types[t].name);
}

static void report(struct search *x, enum copy_kind kind, ir_type t, ir_loc at, const char *callee) {
    struct copied c = {kind, x->u, x->func, at, NULL, x->member, 0, callee};

    x->member[0] = 0;
    x->declared = 0;
    if ((x->clones && kind != COPY_MOVED) || !stays(x, t, 0, 0))
        return;
    c.type = type_name(x->u, t);
    c.declared = x->declared;
    x->found(x->data, &c);
}

/* Is it a local (or its address) that was given constants where it is declared, and is used nowhere else? */
static bool is_initialiser(const struct search *x, ir_expr e) {
    const struct unit *u = x->u;
    const struct ir_func_rec *fr = &u->funcs[x->p->funcs.at[x->func].func];
    uint32_t uses = 0;

    e = ir_uncast(u, e);
    if ((u->exprs[e].op != IR_E_ADDR && u->exprs[e].op != IR_E_LOAD) ||
        u->exprs[u->exprs[e].a].op != IR_E_VAR)
        return false;
    const ir_var v = u->exprs[u->exprs[e].a].a;
    if (u->vars[v].kind != IR_V_LOCAL)
        return false;
    for (uint32_t b = fr->blocks.first; b < fr->blocks.first + fr->blocks.count; b++)
        for (uint32_t i = 0; i < u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + i];
            if (ev->op == IR_EV_BEGIN || ev->op == IR_EV_END)
                continue;
            if (ev->op == IR_EV_STORE && ev->flags & IR_SF_INIT && ir_mentions(u, ev->a, v) &&
                u->exprs[ev->b].op != IR_E_LOAD)
                continue;
            uses += (ev->a && ir_mentions(u, ev->a, v)) + (ev->b && ir_mentions(u, ev->b, v));
            for (uint32_t k = 0; k < ev->args.count; k++)
                uses += ir_mentions(u, u->expr_refs[ev->args.first + k], v);
        }
    return uses == 1;
}

/* A whole object read as a value: not a compound literal, which has no name. */
static bool is_object_value(const struct search *x, ir_expr e) {
    const struct ir_expr_rec *r = &x->u->exprs[e];
    ir_expr place;

    if (r->op != IR_E_LOAD)
        return false;
    place = r->a;
    return x->u->exprs[place].op != IR_E_VAR || x->u->vars[x->u->exprs[place].a].name;
}

static bool initialises_lock(const struct search *x) {
    const struct linked_func *f = &x->p->funcs.at[x->func];

    for (uint32_t i = 0; i < f->n_edges; i++) {
        const struct linked_func *callee = &x->p->funcs.at[x->p->edges.at[f->first_edge + i].callee];
        for (uint32_t k = 0; !callee->defined && callee->model && k < callee->model->n_effects; k++)
            if (callee->model->effects[k].kind == MODEL_LOCK_INIT ||
                callee->model->effects[k].kind == MODEL_COND_INIT)
                return true;
    }
    return false;
}

static ir_type pointee(const struct search *x, ir_expr e) {
    ir_type t;

    e = ir_uncast(x->u, e);
    t = type_plain(x->u, x->u->exprs[e].type);
    return x->u->types[t].kind == IR_T_POINTER ? x->u->types[t].elem : 0;
}

static void visit_moved(struct search *x, const struct ir_event_rec *ev, uint32_t callee) {
    const struct linked_func *lf = &x->p->funcs.at[callee];

    for (uint32_t i = 0; i < lf->model->n_effects; i++) {
        const struct model_effect *e = &lf->model->effects[i];
        if (e->kind == MODEL_REALLOCATES && e->a.root == MODEL_PARAM && e->a.index < ev->args.count)
            report(x, COPY_MOVED, pointee(x, x->u->expr_refs[ev->args.first + e->a.index]), ev->loc,
                   lf->name);
    }
}

static void visit_call(struct search *x, const struct ir_event_rec *ev) {
    const struct ir_expr_rec *callee = &x->u->exprs[ev->b];
    const char *name = callee->op == IR_E_FUNC ? unit_str(x->u, x->u->funcs[callee->a].name) : "";
    static const char *const bytes[] = {"memcpy", "memmove", "__builtin_memcpy", "__builtin_memmove", NULL};

    for (uint32_t i = 0; i < ev->args.count; i++) {
        const ir_expr arg = x->u->expr_refs[ev->args.first + i];
        if (is_object_value(x, arg) && type_struct(x->u, x->u->exprs[arg].type))
            report(x, COPY_PASSED, x->u->exprs[arg].type,
                   x->u->exprs[arg].loc ? x->u->exprs[arg].loc : ev->loc, name);
    }
    for (int i = 0; ev->args.count == 3 && bytes[i]; i++)
        if (!strcmp(name, bytes[i]) && !is_initialiser(x, x->u->expr_refs[ev->args.first + 1]))
            report(x, COPY_BYTES, pointee(x, x->u->expr_refs[ev->args.first]), ev->loc, name);
    if (ev->args.count == 3 && !strcmp(name, "memcmp"))
        report(x, COPY_COMPARED, pointee(x, x->u->expr_refs[ev->args.first]), ev->loc, name);
}

static void visit(struct search *x, const struct ir_func_rec *fr) {
    const struct ir_range events = func_events(x->u, fr);
    const uint8_t *marks = unit_marks(x->u)->events;

    for (uint32_t i = 0; i < events.count; i++) {
        if (!(marks[events.first + i] & MARK_OBJECT))
            continue;
        const struct ir_event_rec *ev = &x->u->events[events.first + i];
        if (ev->op == IR_EV_STORE && is_object_value(x, ev->b)) {
            const ir_type t = x->u->exprs[ev->a].type;
            const struct ir_expr_rec *place = &x->u->exprs[ev->a];
            const bool to_temp =
                place->op == IR_E_VAR && !x->u->vars[place->a].name; /* its use is what counts */
            if (!to_temp && (type_struct(x->u, t) || lock_kind_of(x->p, x->u, t).lock) &&
                !is_initialiser(x, ev->b))
                report(x, COPY_ASSIGNED, t, ev->loc, NULL);
        } else if (ev->op == IR_EV_RETURN && ev->a && is_object_value(x, ev->a) &&
                   type_struct(x->u, x->u->exprs[ev->a].type)) {
            report(x, COPY_RETURNED, x->u->exprs[ev->a].type, ev->loc, NULL);
        } else if (ev->op == IR_EV_CALL) {
            visit_call(x, ev);
        }
    }
}

/* In this function, or not at all: it is the program's, and its own code. */
static bool begin(struct search *x, const struct program *p, uint32_t func) {
    const struct linked_func *lf = &p->funcs.at[func];

    x->u = lf->unit->unit;
    x->func = func;
    return lf->defined && !lf->unchecked && !(x->u->funcs[lf->func].flags & IR_FF_INITIALISERS);
}

/* Calls of realloc and its kin, where it is no function of the program. */
static void visit_moves(struct search *x, const struct program *p, uint32_t callee) {
    const struct linked_func *lf = &p->funcs.at[callee];

    if (lf->defined || !lf->model || !lf->model->n_effects)
        return;
    for (uint32_t i = 0; i < lf->n_callers; i++) {
        const struct call_edge *e = &p->edges.at[lf->callers[i]];
        if (e->indirect || e->callback || !begin(x, p, e->caller))
            continue;
        visit_moved(x, &x->u->events[e->event], callee);
    }
}

void program_copies(const struct program *p, void (*found)(void *data, const struct copied *c), void *data) {
    struct search x = {.p = p, .found = found, .data = data};

    for (uint32_t f = 1; f < p->funcs.n; f++) {
        visit_moves(&x, p, f);
        if (!begin(&x, p, f))
            continue;
        x.clones = initialises_lock(&x);
        visit(&x, &x.u->funcs[p->funcs.at[f].func]);
    }
}
