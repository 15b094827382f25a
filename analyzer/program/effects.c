/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What does a function do, whatever the way through it? Memory it writes, parameters it lets go, yields, blocks, spawns.
 * Stands on the call graph and models. One cheap pass per function, callees first; the expensive one (solve.c) runs only where
 * locks are at stake and reads these. */
#include <string.h>
#include "../base/alloc.h"
#include "../base/vec.h"
#include "blocks_when.h"
#include "ways.h"

struct copy {
    uint32_t from, to; /* locals, relative */
};
struct pass {
    struct program *p;
    struct mods_maker *mods;
    const struct linked_unit *lu;
    const struct unit *u;
    const struct ir_func_rec *fr;
    uint32_t func;
    struct summary *s;
    uint64_t *masks; /* by local variable (relative): the parameters whose object it may point into */
    uint8_t *known;  /* by local variable (relative): REACHED, ASKED */
    ir_var first_var;
    uint32_t n_vars;
    uint8_t *fresh; /* by local variable (relative), once asked for */
    VEC(struct copy) copies;
    bool changed; /* something that was asked for before in this round: a further one may come to more */
};
/* It may point to what parameters point to, however far down; what is known of it was asked for in this round. */
enum { REACHED = 1, ASKED = 2 };

static void ask(struct pass *x, ir_var v) {
    if (v >= x->first_var && v - x->first_var < x->n_vars)
        x->known[v - x->first_var] |= ASKED;
}

static uint64_t *var_mask(struct pass *x, ir_var v) {
    static uint64_t none;

    none = 0;
    return v >= x->first_var && v - x->first_var < x->n_vars ? &x->masks[v - x->first_var] : &none;
}

/* Parameters into whose object the pointer value e may point. */
static uint64_t value_mask(struct pass *x, ir_expr e) {
    for (;;) {
        const struct ir_expr_rec *r = &x->u->exprs[e];
        switch (r->op) {
        case IR_E_CAST:
        case IR_E_BINARY:
        case IR_E_UNARY: e = r->a; break;
        case IR_E_LOAD:
            if (x->u->exprs[r->a].op != IR_E_VAR)
                return 0;
            ask(x, x->u->exprs[r->a].a);
            return *var_mask(x, x->u->exprs[r->a].a);
        case IR_E_ADDR:
            e = r->a;
            while (x->u->exprs[e].op == IR_E_FIELD)
                e = x->u->exprs[e].a;
            if (x->u->exprs[e].op != IR_E_DEREF && x->u->exprs[e].op != IR_E_INDEX)
                return 0;
            e = x->u->exprs[e].a;
            break;
        default: return 0;
        }
    }
}

static void write_place(struct pass *x, ir_expr place) {
    const struct unit *u = x->u;
    ir_expr e = place;
    ir_type s;

    while (u->exprs[e].op == IR_E_INDEX && u->exprs[u->exprs[e].a].op == IR_E_ADDR)
        e = u->exprs[u->exprs[e].a].a;
    if (u->exprs[e].op == IR_E_FIELD)
        mods_add(x->mods, MOD_FIELD(x->lu->fields[u->exprs[e].b]));
    else if (u->exprs[e].op == IR_E_VAR) {
        if (x->lu->globals[u->exprs[e].a])
            mods_add(x->mods, MOD_GLOBAL(x->p, x->lu->globals[u->exprs[e].a]));
        return;
    } else if (u->exprs[e].op == IR_E_DEREF || u->exprs[e].op == IR_E_INDEX)
        x->s->writes |= value_mask(x, u->exprs[e].a);
    s = type_struct(u, u->exprs[place].type);
    if (s && x->lu->structs[s]) { /* a whole struct */
        const struct linked_struct *ls = &x->p->structs.at[x->lu->structs[s]];
        for (uint32_t i = 0; i < ls->n_fields; i++)
            mods_add(x->mods, MOD_FIELD(ls->first_field + i));
    }
}

static bool is_local_place(struct pass *x, ir_expr place) {
    while (x->u->exprs[place].op == IR_E_FIELD)
        place = x->u->exprs[place].a;
    if (x->u->exprs[place].op == IR_E_INDEX && x->u->exprs[x->u->exprs[place].a].op == IR_E_ADDR)
        return is_local_place(x, x->u->exprs[x->u->exprs[place].a].a);
    return x->u->exprs[place].op == IR_E_VAR && !x->lu->globals[x->u->exprs[place].a];
}

static bool is_reached_var(const struct pass *x, ir_var v) {
    return v >= x->first_var && v - x->first_var < x->n_vars && x->known[v - x->first_var] & REACHED;
}

/* A function that calls itself reads its own summary, too. */
static bool tells_more(const struct pass *x, ir_var v) {
    return x->known[v - x->first_var] & ASKED || x->p->funcs.at[x->func].recursive;
}

/* Does the place or value come from what parameters point to, however far down? */
static bool is_reached(struct pass *x, ir_expr e) {
    ir_var v;

    if (!ir_base_var(x->u, e, &v))
        return false;
    ask(x, v);
    return *var_mask(x, v) || is_reached_var(x, v);
}

static void store_reached(struct pass *x, ir_expr place, ir_expr value) {
    const ir_var v = x->u->exprs[place].a - x->first_var;

    if (x->u->exprs[place].op != IR_E_VAR || v >= x->n_vars || x->known[v] & REACHED || !is_reached(x, value))
        return;
    x->known[v] |= REACHED;
    x->changed |= tells_more(x, x->u->exprs[place].a);
}

static void store_value(struct pass *x, ir_expr place, uint64_t mask) {
    if (!mask)
        return;
    if (x->u->exprs[place].op == IR_E_VAR && is_local_place(x, place)) {
        uint64_t *m = var_mask(x, x->u->exprs[place].a);
        if ((*m | mask) != *m) {
            *m |= mask;
            x->changed |= tells_more(x, x->u->exprs[place].a);
        }
    } else if (!is_local_place(x, place)) {
        x->s->escapes |= mask;
        if (!is_reached(x, place))
            x->s->leaves |= mask;
    }
}

static void add_effects(struct pass *x, uint32_t bits, ir_loc loc) {
    for (int i = 0; i < 4; i++)
        if (bits >> i & 1 && !(x->s->effects >> i & 1)) {
            x->s->effects |= 1u << i;
            x->s->effect_at[i] = (struct site){x->func, loc};
        }
}

static ir_var returned_var(struct pass *x, ir_expr e);

/* The effects of a callee that are its callers'. What a function does on its way to ending the program is nobody's wait. */
static uint32_t counted(const struct linked_func *callee, const struct summary *s) {
    const uint32_t waits = EFFECT_BLOCKS | EFFECT_YIELDS;

    if (callee->noreturn || s->never_returns)
        return ~waits;
    return ~0u;
}

/* A call keeps its argument i in what its arguments point to. Is that all in what our parameters point to? */
static bool stays_reached(struct pass *x, const struct ir_event_rec *ev, uint32_t i) {
    int64_t v;

    for (uint32_t k = 0; k < ev->args.count; k++)
        if (k != i && !is_reached(x, x->u->expr_refs[ev->args.first + k]) && !call_arg_const(x->u, ev, k, &v))
            return false;
    return true;
}

static void call(struct pass *x, ir_event event) {
    const struct ir_event_rec *ev = &x->u->events[event];
    uint32_t n;
    const struct call_edge *edges = program_calls(x->p, x->func, event, &n);

    uint32_t all = ~0u; /* a pointer that may lead to several functions waits only if each of them does */

    for (uint32_t k = 0; n > 1 && k < n; k++)
        if (edges[k].indirect && !edges[k].callback)
            all &= x->p->funcs.at[edges[k].callee].summary ? x->p->funcs.at[edges[k].callee].summary->effects
                                                           : 0;
    all |= ~(uint32_t)(EFFECT_BLOCKS | EFFECT_YIELDS);
    if (ev->a)
        write_place(x, ev->a);
    for (uint32_t k = 0; k < n; k++) {
        const struct linked_func *callee = &x->p->funcs.at[edges[k].callee];
        const struct summary *s = callee->summary;
        if (s)
            mods_join(x->mods, s->mods);
        if (s)
            add_effects(x,
                        s->effects & all & counted(callee, s) &
                            (edges[k].callback ? ~(uint32_t)EFFECT_LOCKS : ~0u),
                        ev->loc);
        if (edges[k].callback)
            continue;
        for (uint32_t i = 0; i < ev->args.count && i < 64; i++) {
            const ir_expr arg = x->u->expr_refs[ev->args.first + i];
            const uint64_t mask = value_mask(x, arg), bit = UINT64_C(1) << i;
            if (mask && (!s || !s->known || s->escapes & bit)) {
                x->s->escapes |= mask;
                if (!s || !s->known || s->leaves & bit || !stays_reached(x, ev, i))
                    x->s->leaves |= mask;
            }
            if (mask && (!s || s->writes & bit))
                x->s->writes |= mask;
            if (mask && s && s->frees & bit && returned_var(x, arg)) /* the object itself, not a part of it */
                x->s->frees |= mask;
            if (s && s->writes & bit && x->u->exprs[arg].op == IR_E_ADDR) {
                write_place(x, x->u->exprs[arg].a);
            }
        }
    }
}

static void event(struct pass *x, ir_event e) {
    const struct ir_event_rec *ev = &x->u->events[e];

    switch (ev->op) {
    case IR_EV_STORE:
        write_place(x, ev->a);
        store_value(x, ev->a, value_mask(x, ev->b));
        store_reached(x, ev->a, ev->b);
        break;
    case IR_EV_ATOMIC:
        if (ev->c != IR_AT_LOAD && ev->c != IR_AT_FENCE && ev->a)
            write_place(x, ev->a);
        if (ev->b)
            write_place(x, ev->b);
        for (uint32_t i = 0; i < ev->args.count; i++)
            if (ev->a)
                store_value(x, ev->a, value_mask(x, x->u->expr_refs[ev->args.first + i]));
        break;
    case IR_EV_CALL: call(x, e); break;
    default: break;
    }
}

/* ---- does it return a fresh object? ---- */
static ir_var returned_var(struct pass *x, ir_expr e) {
    e = ir_uncast(x->u, e);
    if (x->u->exprs[e].op == IR_E_LOAD && x->u->exprs[x->u->exprs[e].a].op == IR_E_VAR)
        return x->u->exprs[x->u->exprs[e].a].a;
    return 0;
}

static bool is_null(struct pass *x, ir_expr e) {
    e = ir_uncast(x->u, e);
    return x->u->exprs[e].op == IR_E_CONST && !x->u->exprs[e].a && !x->u->exprs[e].b;
}

/* By local variable: is everything ever put into it a fresh object or null, and is it never let go? One pass over the events
 * notes what decides at once and the copies between locals; rounds over these do the rest. */
enum { FRESH_FOUND = 1, FRESH_NOT = 2, FRESH_ROUNDS = 5 };

static uint8_t *fresh_of(struct pass *x, ir_var v) {
    return v >= x->first_var && v - x->first_var < x->n_vars ? &x->fresh[v - x->first_var] : NULL;
}

static bool call_is_fresh(const struct pass *x, const struct call_edge *edges, uint32_t n) {
    return n == 1 && x->p->funcs.at[edges[0].callee].summary &&
           x->p->funcs.at[edges[0].callee].summary->fresh;
}

/* Does a callee let go of its argument k? */
static bool call_keeps(const struct pass *x, const struct call_edge *edges, uint32_t n, uint32_t k) {
    for (uint32_t j = 0; j < n; j++) {
        const struct summary *s = x->p->funcs.at[edges[j].callee].summary;
        if (!s || !s->known || s->escapes >> k & 1)
            return true;
    }
    return !n;
}

static void fresh_by_event(struct pass *x, ir_event e) {
    const struct unit *u = x->u;
    const struct ir_event_rec *ev = &u->events[e];
    uint8_t *to = ev->a && u->exprs[ev->a].op == IR_E_VAR ? fresh_of(x, u->exprs[ev->a].a) : NULL, *from;
    const struct call_edge *edges;
    uint32_t n;

    if (ev->op == IR_EV_STORE) {
        from = fresh_of(x, returned_var(x, ev->b));
        if (to && is_null(x, ev->b))
            *to |= FRESH_FOUND;
        else if (to && from)
            vec_push(&x->copies, ((struct copy){(uint32_t)(from - x->fresh), (uint32_t)(to - x->fresh)}));
        else if (to)
            *to |= FRESH_NOT;
        if (from && !is_local_place(x, ev->a))
            *from |= FRESH_NOT;
    } else if (ev->op == IR_EV_CALL) {
        edges = program_calls(x->p, x->func, e, &n);
        if (to)
            *to |= call_is_fresh(x, edges, n) ? FRESH_FOUND : FRESH_NOT;
        for (uint32_t k = 0; k < ev->args.count && k < 64; k++) {
            from = fresh_of(x, returned_var(x, u->expr_refs[ev->args.first + k]));
            if (from && !(*from & FRESH_NOT) && call_keeps(x, edges, n, k))
                *from |= FRESH_NOT;
        }
    }
}

static void find_fresh(struct pass *x) {
    const struct ir_range events = func_events(x->u, x->fr);
    bool changed = true;

    x->fresh = xcalloc(x->n_vars + 1, sizeof *x->fresh);
    for (uint32_t i = 0; i < x->n_vars; i++)
        if (x->u->vars[x->first_var + i].kind == IR_V_PARAM ||
            x->u->vars[x->first_var + i].flags & IR_VF_ADDRESSED)
            x->fresh[i] = FRESH_NOT;
    for (ir_event e = events.first; e < events.first + events.count; e++)
        fresh_by_event(x, e);
    for (int round = 0; changed && round <= FRESH_ROUNDS; round++) {
        changed = false;
        for (size_t i = 0; i < x->copies.n; i++) {
            const uint8_t from = x->fresh[x->copies.at[i].from], now = x->fresh[x->copies.at[i].to];
            const uint8_t next =
                now | (from & (FRESH_FOUND | FRESH_NOT)) | (round == FRESH_ROUNDS ? FRESH_NOT : 0);
            changed |= next != now;
            x->fresh[x->copies.at[i].to] = next;
        }
    }
    vec_free(&x->copies);
}

static bool only_fresh(struct pass *x, ir_var v) {
    if (!x->fresh)
        find_fresh(x);
    const uint8_t *f = fresh_of(x, v);
    return f && *f == FRESH_FOUND;
}

static bool returns_fresh(struct pass *x) {
    const struct unit *u = x->u;
    bool found = false;

    for (uint32_t b = x->fr->blocks.first; b < x->fr->blocks.first + x->fr->blocks.count; b++) {
        const struct ir_block_rec *rec = &u->blocks[b];
        if (rec->term != IR_TERM_RETURN) /* a return stands at the end of such a block, and nowhere else */
            continue;
        const ir_expr value = u->events[rec->events.first + rec->events.count - 1].a;
        if (!value || is_null(x, value))
            continue;
        if (type_plain(u, u->exprs[value].type) &&
            u->types[type_plain(u, u->exprs[value].type)].kind != IR_T_POINTER)
            return false;
        if (!returned_var(x, value) || !only_fresh(x, returned_var(x, value)))
            return false;
        found = true;
    }
    return found;
}

/* Does a call in block b surely end the object that the bare parameter points to? */
static bool block_frees(struct pass *x, uint32_t b, uint32_t param) {
    const struct ir_block_rec *rec = &x->u->blocks[b];

    for (ir_event e = rec->events.first; e < rec->events.first + rec->events.count; e++) {
        const struct ir_event_rec *ev = &x->u->events[e];
        uint32_t n;
        const struct call_edge *edges = ev->op == IR_EV_CALL ? program_calls(x->p, x->func, e, &n) : NULL;
        const struct summary *s =
            edges && n == 1 && !edges[0].callback ? x->p->funcs.at[edges[0].callee].summary : NULL;
        for (uint32_t i = 0; s && i < ev->args.count && i < 64; i++)
            if (s->frees_always >> i & 1 &&
                value_mask(x, x->u->expr_refs[ev->args.first + i]) == UINT64_C(1) << param)
                return true;
    }
    return false;
}

static uint64_t frees_always(struct pass *x) {
    const uint32_t n = x->fr->blocks.count;
    bool *frees = x->s->frees ? xcalloc(n, sizeof *frees) : NULL;
    uint64_t always = 0;

    for (uint32_t i = 0; frees && i < x->fr->params.count && i < 64; i++) {
        if (!(x->s->frees >> i & 1))
            continue;
        for (uint32_t b = 0; b < n; b++)
            frees[b] = block_frees(x, x->fr->blocks.first + b, i);
        if (every_way_meets(x->u, x->fr, frees, i))
            always |= UINT64_C(1) << i;
    }
    free(frees);
    return always;
}

static void effects_of(struct program *p, struct mods_maker *mods, uint32_t func) {
    struct linked_func *f = &p->funcs.at[func];
    struct pass x = {p,    mods,       f->unit,      f->unit->unit, &f->unit->unit->funcs[f->func],
                     func, f->summary, NULL,         NULL,          0,
                     0,    NULL,       {NULL, 0, 0}, false};

    if (!x.s) {
        x.s = f->summary = arena_new(&p->arena, struct summary);
        x.s->known = true;
        if (f->unit->unit->funcs[f->func].flags & IR_FF_NORETURN)
            x.s->never_returns = true;
    }
    const struct ir_range events = func_events(x.u, x.fr);
    mods_begin(mods, x.s->mods);
    x.first_var = x.fr->params.count ? x.fr->params.first : x.fr->locals.first;
    x.n_vars = x.fr->locals.count && x.fr->locals.first + x.fr->locals.count > x.first_var
                   ? x.fr->locals.first + x.fr->locals.count - x.first_var
                   : x.fr->params.count;
    x.masks = xcalloc(x.n_vars + 1, sizeof *x.masks);
    x.known = xcalloc(x.n_vars + 1, sizeof *x.known);
    for (uint32_t i = 0; i < x.fr->params.count && i < 64; i++)
        *var_mask(&x, x.fr->params.first + i) = UINT64_C(1) << i;
    for (int round = 0; round < 4; round++) {
        x.changed = false;
        for (ir_event e = events.first; e < events.first + events.count; e++)
            event(&x, e);
        if (!x.changed)
            break;
        for (uint32_t i = 0; i < x.n_vars; i++)
            x.known[i] &= REACHED;
    }
    x.s->mods = mods_end(mods);
    x.s->fresh = returns_fresh(&x);
    blocks_when(p, func);
    x.s->blocks_always = function_blocks_always(p, func);
    x.s->frees_always = frees_always(&x);
    for (uint32_t i = 0; i < x.fr->annots.count; i++) { /* what it says of itself counts for its callers */
        const struct ir_annot_rec *a = &x.u->annots[x.fr->annots.first + i];
        if (a->kind == IR_A_yields || a->kind == IR_A_awaits || a->kind == IR_A_blocks)
            add_effects(&x, a->kind == IR_A_blocks ? EFFECT_BLOCKS : EFFECT_YIELDS, a->loc);
    }
    free(x.masks);
    free(x.known);
    free(x.fresh);
}

void program_solve_effects(struct program *p) {
    p->nonblocking = program_makes_nonblocking(p);
    p->stored = stored_values_find(p);
    struct mods_maker mods;

    for (uint32_t f = 1; f < p->funcs.n; f++) {
        struct linked_func *lf = &p->funcs.at[f];
        const struct unit *u = lf->unit->unit;
        if (lf->defined)
            continue;
        if (lf->model)
            lf->summary = summary_of_model(p, f);
        if (lf->summary && p->nonblocking && call_works_on_descriptor(lf->name))
            lf->summary->effects &= ~(uint32_t)EFFECT_BLOCKS;
        if (u->funcs[lf->func].annots.count || u->funcs[lf->func].flags & (IR_FF_NORETURN | IR_FF_PURE)) {
            if (!lf->summary)
                lf->summary = arena_new(&p->arena, struct summary);
            lf->summary->known |= u->funcs[lf->func].flags & IR_FF_PURE;
            summary_annotate(p, f, lf->summary);
        }
    }
    mods_init(&mods, &p->arena, (uint32_t)(p->fields.n + p->globals.n));
    for (size_t i = 0; i < p->order.n; i++) {
        effects_of(p, &mods, p->order.at[i]);
        if (p->funcs.at[p->order.at[i]].recursive)
            effects_of(p, &mods, p->order.at[i]);
    }
    mods_free(&mods);
}
