/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Follows values to pthread_self() and its like. Stands on owner_test.h. */
#include "owner_test.h"

#include <string.h>
#include "../base/alloc.h"

#define MAX_STEPS 12u /* from a value back to what it was made of, also through callees */

void defs_init(struct defs *d, struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->func];
    const struct ir_range events = func_events(u, fr);

    *d = (struct defs){p, func, f->unit, u, fr, NULL};
    d->of = xcalloc((size_t)fr->locals.count + 1, sizeof *d->of);
    for (ir_event e = events.first; e < events.first + events.count; e++) {
        const struct ir_event_rec *ev = &u->events[e];
        const ir_expr to = ev->op == IR_EV_STORE || ev->op == IR_EV_CALL ? ev->a
                           : ev->op == IR_EV_ATOMIC                      ? ev->b
                                                                         : 0;
        const uint32_t local =
            to && u->exprs[to].op == IR_E_VAR ? u->exprs[to].a - fr->locals.first : UINT32_MAX;
        if (local < fr->locals.count)
            d->of[local] = d->of[local] ? DEFS_MANY : e;
    }
}

void defs_free(struct defs *d) {
    free(d->of);
}

ir_event defs_of(const struct defs *d, ir_expr value) {
    const struct ir_expr_rec *r = &d->u->exprs[value];
    ir_var v;

    if (r->op != IR_E_LOAD || d->u->exprs[r->a].op != IR_E_VAR)
        return 0;
    v = d->u->exprs[r->a].a;
    if (v - d->fr->locals.first >= d->fr->locals.count || d->lu->globals[v] ||
        d->u->vars[v].flags & IR_VF_ADDRESSED)
        return 0;
    const ir_event e = d->of[v - d->fr->locals.first];
    return e == DEFS_MANY ? 0 : e;
}

uint32_t item_of_place(const struct defs *d, ir_expr place) {
    const struct ir_expr_rec *r = &d->u->exprs[place];

    if (r->op == IR_E_FIELD)
        return d->lu->fields[r->b];
    return r->op == IR_E_VAR && d->lu->globals[r->a] ? d->lu->globals[r->a] | ITEM_GLOBAL : 0;
}

/* ---- what is another in each thread ---- */
static bool own_value(const struct defs *d, ir_expr value, uint32_t steps);

static bool own_place(const struct defs *d, ir_expr place, uint32_t steps) {
    const struct unit *u = d->u;

    for (;;) {
        const struct ir_expr_rec *r = &u->exprs[place];
        if (r->op == IR_E_VAR)
            return u->vars[r->a].flags & IR_VF_TLS;
        if (r->op == IR_E_DEREF)
            return own_value(d, r->a, steps);
        if (r->op != IR_E_FIELD)
            return false;
        place = r->a;
    }
}

/* The C library's and some others'; `syscall` asks for the thread's number under one of these. */
static bool names_thread(const struct defs *d, const struct linked_func *callee,
                         const struct ir_event_rec *ev) {
    static const char *const names[] = {"pthread_self",  "thrd_current", "gettid",         "__errno_location",
                                        "g_thread_self", "SDL_ThreadID", "uv_thread_self", NULL};
    static const uint32_t numbers[] = {178 /* AArch64, RISC-V */, 186 /* x86-64 */, 224 /* i386, Arm */,
                                       207 /* PowerPC */};

    for (const char *const *n = names; *n; n++)
        if (!strcmp(callee->name, *n))
            return true;
    if (strcmp(callee->name, "syscall") != 0 || ev->args.count != 1)
        return false;
    const struct ir_expr_rec *r = &d->u->exprs[ir_uncast(d->u, d->u->expr_refs[ev->args.first])];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (r->op == IR_E_CONST && r->a == numbers[i])
            return true;
    return false;
}

/* The value that the function returns, if it returns in one place; else 0. */
static ir_expr only_result(const struct defs *d) {
    const struct ir_range events = func_events(d->u, d->fr);
    ir_expr found = 0;

    for (ir_event e = events.first; e < events.first + events.count; e++)
        if (d->u->events[e].op == IR_EV_RETURN) {
            if (found || !d->u->events[e].a)
                return 0;
            found = d->u->events[e].a;
        }
    return found;
}

/* The function that alone is called there; 0: not known. */
static uint32_t only_callee(const struct defs *d, ir_event e) {
    uint32_t n = 0;
    const struct call_edge *edges =
        d->u->events[e].op == IR_EV_CALL ? program_calls(d->p, d->func, e, &n) : NULL;

    return n == 1 && !edges[0].callback ? edges[0].callee : 0;
}

static bool calls_own(const struct defs *d, ir_event e, uint32_t steps) {
    const uint32_t callee = only_callee(d, e);
    struct defs in;
    bool own;

    if (!callee || !d->p->funcs.at[callee].defined)
        return callee && names_thread(d, &d->p->funcs.at[callee], &d->u->events[e]);
    if (!steps)
        return false;
    defs_init(&in, d->p, callee);
    own = own_value(&in, only_result(&in), steps - 1);
    defs_free(&in);
    return own;
}

static bool own_value(const struct defs *d, ir_expr value, uint32_t steps) {
    const ir_expr e = ir_uncast(d->u, value);
    const struct ir_expr_rec *r = &d->u->exprs[e];
    const ir_event def = defs_of(d, e);

    if (!value || !steps)
        return false;
    if (def)
        return d->u->events[def].op == IR_EV_STORE ? own_value(d, d->u->events[def].b, steps - 1)
                                                   : calls_own(d, def, steps - 1);
    return (r->op == IR_E_LOAD || r->op == IR_E_ADDR) && own_place(d, r->a, steps - 1);
}

bool is_own_value(const struct defs *d, ir_expr value) {
    return own_value(d, value, MAX_STEPS);
}

bool is_own_place(const struct defs *d, ir_expr place) {
    return own_place(d, place, MAX_STEPS);
}

/* ---- what a branch asks ---- */
/* The place that the value was read from, directly or through a local of its own; 0: none. */
static ir_expr read_from(const struct defs *d, ir_expr value, uint32_t steps) {
    const ir_expr e = ir_uncast(d->u, value);
    const ir_event def = defs_of(d, e);
    const struct ir_event_rec *ev = &d->u->events[def];

    if (!steps)
        return 0;
    if (def && ev->op == IR_EV_STORE)
        return read_from(d, ev->b, steps - 1);
    if (def)
        return ev->op == IR_EV_ATOMIC && (ev->c == IR_AT_LOAD || ev->c == IR_AT_RMW) ? ev->a : 0;
    return d->u->exprs[e].op == IR_E_LOAD ? d->u->exprs[e].a : 0;
}

/* One of the two names this thread, the other is read from a member or global. */
static bool compares(const struct defs *d, ir_expr a, ir_expr b, uint32_t steps, struct owner_test *out) {
    for (int turn = 0; turn < 2; turn++) {
        const ir_expr place = read_from(d, turn ? b : a, steps);
        const uint32_t item = place && !own_place(d, place, steps) ? item_of_place(d, place) : 0;
        if (item && own_value(d, turn ? a : b, steps)) {
            out->owner = item;
            return true;
        }
    }
    return false;
}

static bool asks_owner(const struct defs *d, ir_expr condition, uint32_t steps, struct owner_test *out);

static bool call_asks_owner(const struct defs *d, ir_event e, uint32_t steps, struct owner_test *out) {
    static const char *const names[] = {"pthread_equal", "thrd_equal", "uv_thread_equal", NULL};
    const struct ir_event_rec *ev = &d->u->events[e];
    const uint32_t callee = only_callee(d, e);
    struct defs in;
    bool found;

    if (!callee)
        return false;
    if (d->p->funcs.at[callee].defined) {
        defs_init(&in, d->p, callee);
        found = asks_owner(&in, only_result(&in), steps, out);
        defs_free(&in);
        return found;
    }
    for (const char *const *n = names; *n; n++)
        if (!strcmp(d->p->funcs.at[callee].name, *n) && ev->args.count == 2) {
            out->own_side = 0;
            return compares(d, d->u->expr_refs[ev->args.first], d->u->expr_refs[ev->args.first + 1], steps,
                            out);
        }
    return false;
}

/* How often this thread took it, compared with none (of the value before it is counted on) or with one. */
static bool asks_count(const struct defs *d, ir_expr value, uint32_t op, struct owner_test *out) {
    const ir_expr place = read_from(d, value, MAX_STEPS);
    const uint32_t item = place ? item_of_place(d, place) : 0;

    if (!item || !own_place(d, place, MAX_STEPS))
        return false;
    out->depth = item;
    out->own_side = op == IR_B_EQ || op == IR_B_LT || op == IR_B_LE;
    return true;
}

static bool asks_owner(const struct defs *d, ir_expr condition, uint32_t steps, struct owner_test *out) {
    const ir_expr e = ir_uncast(d->u, condition);
    const struct ir_expr_rec *r = &d->u->exprs[e];
    const ir_event def = defs_of(d, e);
    const ir_expr right = r->op == IR_E_BINARY ? ir_uncast(d->u, r->b) : 0;

    if (!condition || !steps)
        return false;
    if (r->op == IR_E_UNARY && r->b == IR_U_LNOT) {
        if (!asks_owner(d, r->a, steps - 1, out))
            return false;
        out->own_side = !out->own_side;
        return true;
    }
    if (right && d->u->exprs[right].op == IR_E_CONST && r->c >= IR_B_EQ && r->c <= IR_B_GE) {
        if ((r->c == IR_B_EQ || r->c == IR_B_NE) && !ir_const_value(&d->u->exprs[right]) &&
            asks_owner(d, r->a, steps - 1, out) && out->owner) {
            if (r->c == IR_B_EQ)
                out->own_side = !out->own_side;
            return true;
        }
        return asks_count(d, r->a, r->c, out);
    }
    if (right && (r->c == IR_B_EQ || r->c == IR_B_NE)) {
        out->own_side = r->c == IR_B_NE;
        return compares(d, r->a, r->b, steps - 1, out);
    }
    if (def && d->u->events[def].op == IR_EV_CALL)
        return call_asks_owner(d, def, steps - 1, out);
    if (def && d->u->events[def].op == IR_EV_STORE && asks_owner(d, d->u->events[def].b, steps - 1, out))
        return true;
    return asks_count(d, e, IR_B_NE, out);
}

bool find_owner_test(const struct defs *d, const struct ir_block_rec *b, struct owner_test *out) {
    *out = (struct owner_test){0, 0, 0};
    return b->term == IR_TERM_BRANCH && b->succs.count == 2 && asks_owner(d, b->cond, MAX_STEPS, out);
}

static bool reads_item(const struct defs *d, ir_expr e, uint32_t item, uint32_t steps) {
    const struct ir_expr_rec *r = &d->u->exprs[e];
    const unsigned operands = ir_operands(r->op);
    const ir_event def = steps ? defs_of(d, e) : 0;
    const struct ir_event_rec *ev = &d->u->events[def];

    if (r->op == IR_E_LOAD && item_of_place(d, r->a) == item)
        return true;
    if (def && ev->op == IR_EV_STORE)
        return reads_item(d, ev->b, item, steps - 1);
    if (def && ev->op == IR_EV_ATOMIC)
        return item_of_place(d, ev->a) == item;
    return ((operands & 1u) && reads_item(d, r->a, item, steps)) ||
           ((operands & 2u) && reads_item(d, r->b, item, steps));
}

bool goes_by(const struct defs *d, ir_expr condition, uint32_t item) {
    return condition && reads_item(d, condition, item, MAX_STEPS);
}
