/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Decides conditional waits at calls, and carries the open ones upwards. Stands on blocks_when.h.
 *
 * Values are read off the expressions, whatever the way: this runs for every function. Where locks are at stake the solver knows more
 * and asks again (suspends.c). */
#include "blocks_when.h"

#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "ways.h"

#define DEPTH_MAX 8u

/* Is every value of the range as the test says, or none? */
enum decided decide_range(const struct model_if *test, struct range known) {
    const int64_t v = test->value;
    bool all, none;

    switch (test->test) {
    case MODEL_EQ:
    case MODEL_NE:
        all = known.lo == v && known.hi == v;
        none = v < known.lo || v > known.hi || (!v && known.nonzero);
        break;
    case MODEL_LT:
    case MODEL_GE:
        all = known.hi < v;
        none = known.lo >= v;
        break;
    case MODEL_LE:
    case MODEL_GT:
        all = known.hi <= v;
        none = known.lo > v;
        break;
    case MODEL_HAS:
    case MODEL_LACKS:
        all = known.lo == known.hi && known.lo & v;
        none = known.lo == known.hi && !(known.lo & v);
        break;
    default: return DECIDED_OPEN;
    }
    if (test->test == MODEL_NE || test->test == MODEL_GE || test->test == MODEL_GT ||
        test->test == MODEL_LACKS)
        return all ? DECIDED_NOT : none ? DECIDED_YES : DECIDED_OPEN;
    return all ? DECIDED_YES : none ? DECIDED_NOT : DECIDED_OPEN;
}

struct reader {
    struct program *p;
    const struct linked_unit *lu;
    const struct unit *u;
    const struct ir_func_rec *fr;
    uint32_t func;
};

static term value_of(struct reader *x, ir_expr e, unsigned depth);

/* The address of a place that outlives the function's own variables; or 0. */
static term place_of(struct reader *x, ir_expr e, unsigned depth) {
    const struct ir_expr_rec *r = &x->u->exprs[e];
    term base;

    if (depth > DEPTH_MAX)
        return 0;
    switch (r->op) {
    case IR_E_VAR:
        return x->lu->globals[r->a] ? term_make(&x->p->paths, TERM_GLOBAL, x->lu->globals[r->a], 0, 0) : 0;
    case IR_E_DEREF: return value_of(x, r->a, depth + 1);
    case IR_E_FIELD:
        base = place_of(x, r->a, depth + 1);
        return base && x->lu->fields[r->b] ? term_field(&x->p->paths, x->p, base, x->lu->fields[r->b]) : 0;
    default: return 0;
    }
}

/* Flags may be known in part: `more | MSG_DONTWAIT`. */
static term combined(struct program *p, uint32_t op, term a, term b) {
    const term unknown = term_make(&p->paths, TERM_OPAQUE, 0, 0, 0);

    if (op == IR_B_OR && (a || b))
        return term_binary(&p->paths, op, a ? a : unknown, b ? b : unknown);
    return a && b ? term_binary(&p->paths, op, a, b) : 0;
}

/* The value of a variable that is set at most once: a parameter never, a local where it is declared. */
static term value_of_var(struct reader *x, ir_var v, unsigned depth) {
    const bool param = v >= x->fr->params.first && v < x->fr->params.first + x->fr->params.count;
    ir_expr stored = 0;

    if (x->u->vars[v].flags & IR_VF_ADDRESSED)
        return 0;
    for (uint32_t b = x->fr->blocks.first; b < x->fr->blocks.first + x->fr->blocks.count; b++)
        for (uint32_t i = 0; i < x->u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &x->u->events[x->u->blocks[b].events.first + i];
            const bool writes = ev->op == IR_EV_STORE || ev->op == IR_EV_CALL;
            if (!writes || !ev->a || x->u->exprs[ev->a].op != IR_E_VAR || x->u->exprs[ev->a].a != v)
                continue;
            if (param || stored || ev->op != IR_EV_STORE)
                return 0;
            stored = ev->b;
        }
    if (param)
        return term_make(&x->p->paths, TERM_PARAM, v - x->fr->params.first, 0, 0);
    return stored ? value_of(x, stored, depth + 1) : 0;
}

static term value_of(struct reader *x, ir_expr e, unsigned depth) {
    const struct ir_expr_rec *r = &x->u->exprs[ir_uncast(x->u, e)];
    term a, b;

    if (depth > DEPTH_MAX)
        return 0;
    switch (r->op) {
    case IR_E_FUNC: return term_make(&x->p->paths, TERM_FUNC, x->lu->funcs[r->a], 0, 0);
    case IR_E_DEREF: return value_of(x, r->a, depth + 1); /* of a pointer to a function: itself */
    case IR_E_CONST: return term_const(&x->p->paths, ir_const_value(r));
    case IR_E_ADDR: return place_of(x, r->a, depth + 1);
    case IR_E_LOAD:
        if (x->u->exprs[r->a].op == IR_E_VAR && !x->lu->globals[x->u->exprs[r->a].a])
            return value_of_var(x, x->u->exprs[r->a].a, depth + 1);
        a = place_of(x, r->a, depth + 1);
        return a ? term_make(&x->p->paths, TERM_LOAD, a, 0, 0) : 0;
    case IR_E_BINARY:
        a = value_of(x, r->a, depth + 1);
        b = value_of(x, r->b, depth + 1);
        return combined(x->p, r->c, a, b);
    default: return 0;
    }
}

/* Does the value come out of a parameter, so that callers may know it? */
static bool from_param(const struct program *p, term value) {
    const struct term_rec *r = term_at(&p->paths, value);

    while (r->op == TERM_LOAD || r->op == TERM_FIELD)
        r = term_at(&p->paths, r->a);
    return r->op == TERM_PARAM;
}

/* A callee's term in the words of the function that calls it; 0 when it cannot be said. */
static term in_own_words(struct reader *x, term of, const struct ir_event_rec *ev) {
    const struct term_rec r = *term_at(&x->p->paths, of);
    term a, b;

    switch (r.op) {
    case TERM_CONST:
    case TERM_GLOBAL:
    case TERM_FUNC: return of;
    case TERM_PARAM: return r.a < ev->args.count ? value_of(x, x->u->expr_refs[ev->args.first + r.a], 0) : 0;
    case TERM_FIELD: a = in_own_words(x, r.a, ev); return a ? term_field(&x->p->paths, x->p, a, r.b) : 0;
    case TERM_LOAD: a = in_own_words(x, r.a, ev); return a ? term_make(&x->p->paths, TERM_LOAD, a, 0, 0) : 0;
    case TERM_BINARY:
        a = in_own_words(x, r.a, ev);
        b = in_own_words(x, r.b, ev);
        return combined(x->p, r.c, a, b);
    case TERM_OPAQUE: return of;
    default: return 0;
    }
}

static enum decided decide(const struct program *p, const struct model_if *test, term value) {
    const struct term_rec r = *term_at(&p->paths, value);
    int64_t n;

    if (term_is_const(&p->paths, value, &n))
        return decide_range(test, range_of(n));
    if (r.op == TERM_LOAD)
        return stored_values_decide(p->stored, term_class(&p->paths, r.a), test);
    if (r.op == TERM_BINARY && r.c == IR_B_OR && (test->test == MODEL_HAS || test->test == MODEL_LACKS))
        for (int i = 0; i < 2; i++) {
            const enum decided side = decide(p, &(struct model_if){MODEL_HAS, 0, test->value}, i ? r.b : r.a);
            if (side == DECIDED_YES)
                return test->test == MODEL_HAS ? DECIDED_YES : DECIDED_NOT;
        }
    return DECIDED_OPEN;
}

/* Is the call met on every way through the function? */
static bool on_every_way(const struct reader *x, ir_event event) {
    bool *marked = xcalloc(x->fr->blocks.count, sizeof *marked), always;

    for (uint32_t b = 0; b < x->fr->blocks.count; b++) {
        const struct ir_range events = x->u->blocks[x->fr->blocks.first + b].events;
        marked[b] = event >= events.first && event < events.first + events.count;
    }
    always = every_way_meets(x->u, x->fr, marked, WAYS_NO_PARAM);
    free(marked);
    return always;
}

struct found {
    struct wait_if open[MAX_WAIT_IFS];
    uint32_t n;
};

static void add_effects(struct reader *x, uint32_t effects, ir_event event) {
    struct summary *s = x->p->funcs.at[x->func].summary;

    for (int i = 0; i < 2; i++)
        if (effects >> i & 1 && !(s->effects >> i & 1)) {
            s->effects |= 1u << i;
            s->effect_at[i] = (struct site){x->func, x->u->events[event].loc};
        }
}

uint32_t waits_of(const struct program *p, uint32_t func) {
    const struct summary *s = p->funcs.at[func].summary;

    return s && !p->funcs.at[func].noreturn && !s->never_returns
               ? s->effects & (EFFECT_YIELDS | EFFECT_BLOCKS)
               : 0;
}

/* The callee calls what w->value points to: a function that waits, or one of ours to say? */
static void consider_called(struct reader *x, const struct call_edge *e, const struct wait_if *w,
                            uint32_t next, struct found *out) {
    const term value = in_own_words(x, w->value, &x->u->events[e->event]);
    const struct term_rec r = *term_at(&x->p->paths, value);
    bool fresh;

    if (r.op == TERM_FUNC && waits_of(x->p, r.a)) {
        *map64_place(&x->p->called_with, key_pair(e->caller, e->event), &fresh) = r.a;
        add_effects(x, waits_of(x->p, r.a), e->event);
    } else if (r.op != TERM_FUNC && from_param(x->p, value) && out->n < MAX_WAIT_IFS) {
        out->open[out->n++] = (struct wait_if){.value = value,
                                               .called = true,
                                               .always = w->always && on_every_way(x, e->event),
                                               .event = e->event,
                                               .callee = e->callee,
                                               .next = next};
    }
}

/* A call through a pointer that leads to several functions, of which some wait. */
static void note_called(struct reader *x, ir_event event, const struct call_edge *edges, uint32_t n,
                        struct found *out) {
    uint32_t some = 0, all = ~0u;
    term value;

    for (uint32_t i = 0; i < n; i++) {
        some |= edges[i].callback ? 0 : waits_of(x->p, edges[i].callee);
        all &= waits_of(x->p, edges[i].callee);
    }
    if (!(some & ~all) || out->n == MAX_WAIT_IFS || annotated(x->u, x->fr->annots, IR_A_no_yield))
        return;
    value = value_of(x, x->u->events[event].b, 0);
    if (value && from_param(x->p, value))
        out->open[out->n++] = (struct wait_if){
            .value = value, .called = true, .always = on_every_way(x, event), .event = event};
}

/* What holds, fails or stays open of one condition of the callee at the call. */
static void consider(struct reader *x, const struct call_edge *e, const struct wait_if *w, uint32_t next,
                     struct found *out) {
    const term value = in_own_words(x, w->value, &x->u->events[e->event]);
    const enum decided how = value ? decide(x->p, &w->only, value) : DECIDED_NOT;
    bool fresh;

    if (how == DECIDED_YES) {
        uint32_t *slot = map64_place(&x->p->call_waits, key_pair(e->caller, e->event), &fresh);
        if (fresh || w->always)
            *slot = next << 1 | w->always;
        add_effects(x, EFFECT_BLOCKS, e->event);
    } else if (how == DECIDED_OPEN && out->n < MAX_WAIT_IFS) {
        out->open[out->n++] = (struct wait_if){.value = value,
                                               .only = w->only,
                                               .always = w->always && on_every_way(x, e->event),
                                               .event = e->event,
                                               .callee = e->callee,
                                               .next = next};
    }
}

void blocks_when(struct program *p, uint32_t func) {
    struct linked_func *f = &p->funcs.at[func];
    struct reader x = {p, f->unit, f->unit->unit, &f->unit->unit->funcs[f->func], func};
    struct found found = {.n = 0};
    uint32_t targets;

    for (uint32_t i = 0; i < f->n_edges; i++) {
        const struct call_edge *e = &p->edges.at[f->first_edge + i];
        const struct linked_func *callee = &p->funcs.at[e->callee];
        const struct model_function *m = callee->defined ? NULL : callee->model;
        const struct call_edge *edges = program_calls(p, func, e->event, &targets);
        if (targets > 1 && e == edges && e->indirect)
            note_called(&x, e->event, edges, targets, &found);
        if (e->callback || e->callee == func || callee->noreturn || targets != 1 ||
            (callee->summary && callee->summary->never_returns))
            continue;
        for (uint32_t k = 0;
             m && k < m->n_effects && !(p->nonblocking && call_works_on_descriptor(callee->name)); k++)
            if (m->effects[k].kind == MODEL_BLOCKS && m->effects[k].only.test != MODEL_ALWAYS) {
                const struct wait_if own = {
                    .value = term_make(&p->paths, TERM_PARAM, m->effects[k].only.index, 0, 0),
                    .only = m->effects[k].only,
                    .always = true};
                consider(&x, e, &own, 0, &found);
            }
        for (uint32_t k = 0; callee->defined && callee->summary && k < callee->summary->n_wait_ifs; k++)
            (callee->summary->wait_ifs[k].called ? consider_called : consider)(
                &x, e, &callee->summary->wait_ifs[k], k + 1, &found);
    }
    f->summary->wait_ifs = NULL;
    f->summary->n_wait_ifs = annotated(x.u, x.fr->annots, IR_A_no_block) ? 0 : found.n;
    if (f->summary->n_wait_ifs) {
        f->summary->wait_ifs = arena_array(&p->arena, struct wait_if, found.n);
        memcpy(f->summary->wait_ifs, found.open, found.n * sizeof *found.open);
    }
}

uint32_t call_called_with(const struct program *p, uint32_t func, ir_event event, uint32_t effect) {
    const uint32_t *slot = map64_find(&p->called_with, key_pair(func, event));

    return slot && waits_of(p, *slot) & effect ? *slot : 0;
}

struct call_wait call_blocks_when(const struct program *p, uint32_t func, ir_event event) {
    const uint32_t *slot = map64_find(&p->call_waits, key_pair(func, event));

    return slot ? (struct call_wait){true, *slot & 1, *slot >> 1} : (struct call_wait){false, false, 0};
}
