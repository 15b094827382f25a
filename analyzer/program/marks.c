/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two passes over a unit, one over its expressions and one over its events. Stands on marks.h. */
#include "marks.h"

#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"

enum type_mark { TYPE_KNOWN = 1, TYPE_FUNCTION = 2, TYPE_OBJECT = 4 };

struct marking {
    const struct unit *u;
    struct unit_marks *m;
    uint8_t *types;   /* by ir_type: enum type_mark */
    bool *names_func; /* by ir_expr: a function is named in it */
};

bool may_hold_function(const struct unit *u, ir_type t) {
    t = type_plain(u, t);
    while (u->types[t].kind == IR_T_ARRAY || u->types[t].kind == IR_T_ATOMIC)
        t = type_plain(u, u->types[t].elem);
    if (u->types[t].kind == IR_T_FUNCTION)
        return true;
    if (u->types[t].kind != IR_T_POINTER)
        return false;
    t = type_plain(u, u->types[t].elem);
    return u->types[t].kind == IR_T_FUNCTION || u->types[t].kind == IR_T_VOID ||
           u->types[t].kind == IR_T_UNKNOWN;
}

/* A struct, or what a typedef's name or an annotation may make a lock. */
static bool may_be_object(const struct unit *u, ir_type t) {
    while (u->types[t].kind == IR_T_QUALIFIED || u->types[t].kind == IR_T_ARRAY) {
        if (u->types[t].annots.count)
            return true;
        t = u->types[t].elem;
    }
    const struct ir_type_rec *r = &u->types[t];
    return r->kind == IR_T_STRUCT || r->kind == IR_T_UNION || r->kind == IR_T_TYPEDEF || r->annots.count;
}

static bool type_is(struct marking *x, ir_type t, enum type_mark mark) {
    if (!x->types[t])
        x->types[t] = (uint8_t)(TYPE_KNOWN | (may_hold_function(x->u, t) ? (unsigned)TYPE_FUNCTION : 0u) |
                                (may_be_object(x->u, t) ? (unsigned)TYPE_OBJECT : 0u));
    return x->types[t] & mark;
}

static bool is_static(const struct unit *u, ir_var v) {
    return u->vars[v].kind == IR_V_GLOBAL || u->vars[v].kind == IR_V_STATIC_LOCAL;
}

/* A member, or a variable that is no function's own. */
static bool is_shared(const struct unit *u, ir_expr place) {
    const struct ir_expr_rec *r = &u->exprs[place];

    return r->op == IR_E_FIELD || (r->op == IR_E_VAR && is_static(u, r->a));
}

/* Is the place a variable that is no function's own, or does it lie in one? Through casts and addresses, too. */
static bool is_in_static(const struct unit *u, ir_expr place) {
    const struct ir_expr_rec *r = &u->exprs[place];

    while (r->op == IR_E_FIELD || r->op == IR_E_INDEX || r->op == IR_E_ADDR || r->op == IR_E_CAST)
        r = &u->exprs[r->a];
    return r->op == IR_E_VAR && is_static(u, r->a);
}

/* Note the place unless its member or variable is noted. */
static void note_once(const struct unit *u, bool *noted, ir_expr place, ir_expr *list, uint32_t *n) {
    const struct ir_expr_rec *r = &u->exprs[place];

    if (!is_shared(u, place))
        return;
    bool *seen = &noted[r->op == IR_E_FIELD ? r->b : u->n_fields + r->a];
    if (!*seen)
        list[(*n)++] = place;
    *seen = true;
}

static void mark_expressions(struct marking *x) {
    const struct unit *u = x->u;
    const size_t all = (size_t)u->n_fields + u->n_vars;
    bool *noted = xcalloc(2 * all + 1, sizeof *noted);

    for (ir_expr e = 1; e < u->n_exprs; e++) { /* operands come before what they are operands of */
        const struct ir_expr_rec *r = &u->exprs[e];
        const unsigned operands = ir_operands(r->op);
        x->names_func[e] = r->op == IR_E_FUNC || ((operands & 1u) && x->names_func[r->a]) ||
                           ((operands & 2u) && x->names_func[r->b]);
        if (r->op == IR_E_LOAD)
            note_once(u, noted, r->a, x->m->loaded, &x->m->n_loaded);
        else if (r->op == IR_E_ADDR)
            note_once(u, noted + all, r->a, x->m->addressed, &x->m->n_addressed);
    }
    free(noted);
}

static bool moves_object(struct marking *x, ir_expr value, ir_type type) {
    return x->u->exprs[value].op == IR_E_LOAD && type_is(x, type, TYPE_OBJECT);
}

static unsigned mark_call(struct marking *x, const struct ir_event_rec *ev) {
    static const char *const names[] = {"memcpy", "memmove", "__builtin_memcpy", "__builtin_memmove",
                                        "memcmp", NULL};
    const struct unit *u = x->u;
    const struct ir_expr_rec *callee = &u->exprs[ev->b];

    for (uint32_t i = 0; i < ev->args.count; i++) {
        const ir_expr arg = u->expr_refs[ev->args.first + i];
        if (moves_object(x, arg, u->exprs[arg].type))
            return MARK_FLOW | MARK_OBJECT;
    }
    const char *name =
        ev->args.count == 3 && callee->op == IR_E_FUNC ? unit_str(u, u->funcs[callee->a].name) : "";
    for (int i = 0; *name && names[i]; i++)
        if (!strcmp(name, names[i]))
            return MARK_FLOW | MARK_OBJECT;
    return MARK_FLOW;
}

/* `p->link = p` */
static bool links_itself(const struct unit *u, const struct ir_event_rec *ev) {
    const struct ir_expr_rec *in = &u->exprs[u->exprs[ev->a].a], *value = &u->exprs[ir_uncast(u, ev->b)];

    if (u->exprs[ev->a].op != IR_E_FIELD || in->op != IR_E_DEREF || value->op != IR_E_LOAD)
        return false;
    const struct ir_expr_rec *pointer = &u->exprs[ir_uncast(u, in->a)];
    return pointer->op == IR_E_LOAD && u->exprs[pointer->a].op == IR_E_VAR &&
           u->exprs[value->a].op == IR_E_VAR && u->exprs[pointer->a].a == u->exprs[value->a].a;
}

static unsigned mark_store(struct marking *x, const struct ir_event_rec *ev) {
    const ir_type type = x->u->exprs[ev->a].type;
    const bool flows = x->names_func[ev->a] || x->names_func[ev->b] || type_is(x, type, TYPE_FUNCTION) ||
                       is_in_static(x->u, ev->a);

    return (flows ? (unsigned)MARK_FLOW : 0u) | (links_itself(x->u, ev) ? (unsigned)MARK_OWN : 0u) |
           (moves_object(x, ev->b, type) ? (unsigned)MARK_OBJECT : 0u);
}

static unsigned mark_event(struct marking *x, const struct ir_event_rec *ev) {
    const struct unit *u = x->u;
    const bool writes = ev->op == IR_EV_STORE || ev->op == IR_EV_ATOMIC || ev->op == IR_EV_CALL;
    const unsigned sets = writes && ev->a && is_shared(u, ev->a) ? (unsigned)MARK_SETS : 0u;

    switch (ev->op) {
    case IR_EV_STORE: return sets | mark_store(x, ev);
    case IR_EV_CALL: return sets | mark_call(x, ev);
    case IR_EV_ATOMIC:
    case IR_EV_ASM: return sets | MARK_FLOW;
    case IR_EV_RETURN:
    case IR_EV_EVAL:
        return (x->names_func[ev->a] || type_is(x, u->exprs[ev->a].type, TYPE_FUNCTION) ? (unsigned)MARK_FLOW
                                                                                        : 0u) |
               (moves_object(x, ev->a, u->exprs[ev->a].type) ? (unsigned)MARK_OBJECT : 0u);
    default: return 0;
    }
}

/* One piece of memory, which unit_free frees: the marks, the lists, the bytes. */
static struct unit_marks *new_marks(const struct unit *u) {
    const size_t most = (size_t)u->n_fields + u->n_vars; /* places of a list */
    struct unit_marks *m = xcalloc(1, sizeof *m + 2 * most * sizeof(ir_expr) + u->n_events * sizeof(uint8_t));

    m->loaded = (ir_expr *)(void *)(m + 1);
    m->addressed = m->loaded + most;
    m->events = (uint8_t *)(void *)(m->addressed + most);
    return m;
}

const struct unit_marks *unit_marks(const struct unit *u) {
    if (u->marks)
        return u->marks;
    struct marking x = {.u = u, .m = new_marks(u)};
    x.types = xcalloc((size_t)u->n_types + 1, sizeof *x.types);
    x.names_func = xcalloc((size_t)u->n_exprs + 1, sizeof *x.names_func);
    mark_expressions(&x);
    for (ir_event e = 1; e < u->n_events; e++)
        x.m->events[e] = (uint8_t)mark_event(&x, &u->events[e]);
    free(x.types);
    free(x.names_func);
    ((struct unit *)u)->marks = x.m;
    return x.m;
}
