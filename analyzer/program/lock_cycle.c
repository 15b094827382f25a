/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Looks for cycles in the lock graph that threads can really close: each edge by another thread at the same time, no common
 * gate, not readers only; and for edges against a declared order.
 * Stands on lock_order.h. A depth-first walk from each edge over edges that stand after it, with a budget: linear in practice. */
#include "lock_order.h"

#include <string.h>
#include "../base/alloc.h"

#define BUDGET 200000u /* steps for the whole program; a graph that needs more is dense enough to have short cycles */

struct search {
    struct program *p;
    struct lock_order *o;
    VEC(uint32_t) *by_from; /* by class key: edges, ascending */
    struct map64 classes;   /* class key → index into by_from */
    uint32_t n_classes;
    const struct order_edge *way[MAX_CYCLE];
    uint32_t n, start, steps, longest;
    struct map64 told; /* class pairs of the edges of cycles found: a longer cycle through one of them says nothing new */
};

static uint64_t class_key(const struct program *p, term x)
{
    const struct object_class c = term_class(&p->paths, x);

    return hash_add(key_pair(c.field, c.global), c.token);
}

/* ---- gates from callers: what is held at every call of a function ---- */
struct entry_gates {
    term at[MAX_GATES];
    uint32_t n;
    bool known; /* false: no caller seen yet */
};

static void meet(struct entry_gates *g, const struct entry_gates *caller, const struct held_at_call *held, const struct program *p)
{
    struct entry_gates now = {{0}, 0, true};

    for (uint32_t i = 0; held && i < held->n && now.n < MAX_GATES; i++)
        if (order_concrete(p, held->locks[i]))
            now.at[now.n++] = held->locks[i];
    for (uint32_t i = 0; i < caller->n && now.n < MAX_GATES; i++)
        if (!term_in(now.at, now.n, caller->at[i]))
            now.at[now.n++] = caller->at[i];
    if (!g->known) {
        *g = now;
        return;
    }
    for (uint32_t i = 0; i < g->n;)
        if (term_in(now.at, now.n, g->at[i]))
            i++;
        else
            g->at[i] = g->at[--g->n];
}

static void gates_from_callers(struct program *p, struct lock_order *o)
{
    struct entry_gates *g = xcalloc(p->funcs.n + 1, sizeof *g);
    const struct entry_gates none = {{0}, 0, true};

    for (size_t i = p->order.n; i-- > 0;) { /* callers first */
        const uint32_t f = p->order.at[i];
        const struct linked_func *lf = &p->funcs.at[f];
        if (!lf->n_callers || lf->address_taken || lf->recursive)
            g[f] = none;
        for (uint32_t k = 0; k < lf->n_callers; k++) {
            const struct call_edge *e = &p->edges.at[lf->callers[k]];
            const uint32_t *slot = map64_find(&o->held_index, key_pair(e->caller, e->event));
            meet(&g[f], g[e->caller].known ? &g[e->caller] : &none, slot ? &o->held_calls.at[*slot] : NULL, p);
        }
    }
    for (size_t i = 0; i < o->edges.n; i++) {
        struct order_edge *e = &o->edges.at[i];
        for (uint32_t k = 0; k < g[e->func].n && e->n_gates < MAX_GATES; k++)
            if (!term_in(e->gates, e->n_gates, g[e->func].at[k]) && g[e->func].at[k] != e->from && g[e->func].at[k] != e->to)
                e->gates[e->n_gates++] = g[e->func].at[k];
    }
    free(g);
}

/* ---- the walk ---- */
/* May the two terms name one object? */
static bool meets(const struct program *p, term a, term b)
{
    if (a == b)
        return order_concrete(p, a) || class_key(p, a) != 0;
    if (class_key(p, a) != class_key(p, b))
        return false;
    return !(order_concrete(p, a) && order_concrete(p, b)) && !term_distinct(&p->paths, a, b);
}

static bool gated(const struct order_edge *a, const struct order_edge *b)
{
    for (uint32_t i = 0; i < a->n_gates; i++)
        if (term_in(b->gates, b->n_gates, a->gates[i]))
            return true;
    return false;
}

/* Can e stand in a cycle with the edges on the way? */
static bool fits(struct search *x, const struct order_edge *e)
{
    for (uint32_t i = 0; i < x->n; i++) {
        const struct order_edge *w = x->way[i];
        if (gated(w, e) || !threads_parallel(x->o->threads, w->func, w->event, e->func, e->event))
            return false;
        if (i && meets(x->p, w->from, e->from))
            return false; /* the same lock twice: a shorter cycle says it */
    }
    return true;
}

static bool waits_for(const struct order_edge *e, const struct order_edge *holder)
{
    return !(e->to_shared && holder->from_shared);
}

static struct position edge_position(const struct program *p, const struct order_edge *e)
{
    return program_position(p->funcs.at[e->origin.func].unit->unit, e->origin.loc);
}

static bool stands_before(const struct program *p, const struct order_edge *a, const struct order_edge *b)
{
    const struct position x = edge_position(p, a), y = edge_position(p, b);
    const int by_file = strcmp(x.file ? x.file : "", y.file ? y.file : "");

    return by_file ? by_file < 0 : x.line != y.line ? x.line < y.line : x.col < y.col;
}

static uint64_t edge_key(const struct program *p, const struct order_edge *e)
{
    const uint64_t from = class_key(p, e->from), to = class_key(p, e->to);

    return from == to ? hash_add(key_pair(e->from, e->to), from) : hash_add(from, to);
}

static void tell(struct search *x)
{
    struct lock_cycle c = {{NULL}, x->n};
    uint32_t first = 0;

    for (uint32_t i = 0; i < x->n; i++) {
        if (stands_before(x->p, x->way[i], x->way[first]))
            first = i;
        map64_put(&x->told, edge_key(x->p, x->way[i]), 1);
    }
    for (uint32_t i = 0; i < x->n; i++)
        c.edges[i] = x->way[(first + i) % x->n];
    vec_push(&x->o->cycles, c);
}

static bool one_class(const struct program *p, const struct order_edge *e)
{
    return class_key(p, e->from) == class_key(p, e->to) && !(order_concrete(p, e->from) && order_concrete(p, e->to));
}

/* Three and more locks known by class only are seldom the same objects all the way round. */
static bool all_concrete(const struct search *x)
{
    uint32_t open = 0;

    for (uint32_t i = 0; i < x->n; i++)
        open += !order_concrete(x->p, x->way[i]->from) || !order_concrete(x->p, x->way[i]->to);
    return open == 0;
}

static bool extend(struct search *x)
{
    const struct order_edge *last = x->way[x->n - 1], *first = x->way[0];
    const uint32_t *slot;

    if (x->n >= 2 && meets(x->p, last->to, first->from) && waits_for(last, first) && (x->n == 2 || all_concrete(x))) {
        tell(x);
        return true;
    }
    if (x->n == x->longest || ++x->steps > BUDGET)
        return false;
    slot = map64_find(&x->classes, class_key(x->p, last->to));
    for (size_t i = 0; slot && i < x->by_from[*slot].n; i++) {
        const uint32_t k = x->by_from[*slot].at[i];
        const struct order_edge *e = &x->o->edges.at[k];
        if (k <= x->start || one_class(x->p, e) || map64_find(&x->told, edge_key(x->p, e)) || !meets(x->p, last->to, e->from) || !waits_for(last, e) || !fits(x, e))
            continue;
        x->way[x->n++] = e;
        if (extend(x))
            return true;
        x->n--;
    }
    return false;
}

static void find_cycles(struct program *p, struct lock_order *o)
{
    struct search x;
    memset(&x, 0, sizeof x);

    x.p = p;
    x.o = o;
    x.by_from = xcalloc(o->edges.n + 1, sizeof *x.by_from);
    for (size_t i = 0; i < o->edges.n; i++) {
        bool fresh;
        uint32_t *slot = map64_place(&x.classes, class_key(p, o->edges.at[i].from), &fresh);
        if (fresh)
            *slot = x.n_classes++;
        vec_push(&x.by_from[*slot], (uint32_t)i);
    }
    for (x.longest = 2; x.longest <= MAX_CYCLE; x.longest++)
        for (size_t i = 0; i < o->edges.n && x.steps <= BUDGET; i++) {
            if (one_class(p, &o->edges.at[i]) || map64_find(&x.told, edge_key(p, &o->edges.at[i])))
                continue;
            x.start = (uint32_t)i;
            x.n = 1;
            x.way[0] = &o->edges.at[i];
            (void)extend(&x);
        }
    for (uint32_t i = 0; i < x.n_classes; i++)
        vec_free(&x.by_from[i]);
    free(x.by_from);
    map64_free(&x.classes);
    map64_free(&x.told);
}

/* ---- declared orders ---- */
static struct object_class path_class(struct program *p, const struct lock_path *path)
{
    struct object_class c = {0, 0, 0};
    const struct linked_unit *lu;

    for (uint32_t i = path->n_steps; i-- > 0;)
        if (path->steps[i].kind == LOCK_STEP_FIELD) {
            lu = program_unit(p, path->steps[i].unit);
            c.field = lu ? lu->fields[path->steps[i].field] : 0;
            return c;
        }
    if (path->root == LOCK_AT_VAR) {
        lu = program_unit(p, path->unit);
        c.global = lu ? lu->globals[path->var] : 0;
    } else if (path->root == LOCK_AT_TOKEN) {
        c.token = intern_string(&p->names, path->name);
    }
    return c;
}

static void check_declared(struct program *p, struct lock_order *o, struct object_class self, const struct linked_unit *lu,
                           enum lock_scope scope, uint32_t item, struct ir_range annots)
{
    for (uint32_t i = 0; i < annots.count; i++) {
        const struct ir_annot_rec *a = &lu->unit->annots[annots.first + i];
        struct lock_context context = program_context(p, lu->unit, scope, item);
        struct lock_list list = {NULL, 0, {RESULT_ANY, 0}};
        const char *why;
        if (a->kind != IR_A_acquired_before && a->kind != IR_A_acquired_after)
            continue;
        if (lock_expr_annotation(&context, &p->arena, a, &list, &why) != LOCK_RESOLVED)
            continue;
        for (uint32_t k = 0; k < list.n_paths; k++) {
            const struct object_class other = path_class(p, &list.paths[k]);
            const struct object_class first = a->kind == IR_A_acquired_before ? self : other;
            const struct object_class second = a->kind == IR_A_acquired_before ? other : self;
            for (size_t e = 0; class_known(other) && e < o->edges.n; e++)
                if (class_equal(term_class(&p->paths, o->edges.at[e].from), second) &&
                    class_equal(term_class(&p->paths, o->edges.at[e].to), first)) {
                    struct order_broken b = {&o->edges.at[e], lu->unit, a->loc};
                    vec_push(&o->broken, b);
                }
        }
    }
}

/* Without the forgotten edges, and those of locks that leaked: what comes after a leak is that mistake, told already. */
static void leave_out(const struct program *p, struct lock_order *o)
{
    struct map64 leaks;
    size_t n = 0;

    memset(&leaks, 0, sizeof leaks);
    for (size_t i = 0; i < p->locks->problems.n; i++) {
        const struct lock_problem *pr = &p->locks->problems.at[i];
        for (uint32_t k = 0; pr->kind == PROBLEM_LEAK && !pr->dropped && pr->unit && k < pr->n_story; k++)
            if (pr->story[k].kind == STORY_TAKEN)
                map64_put(&leaks, key_pair(pr->func, pr->story[k].loc), 1);
    }
    for (size_t i = 0; i < o->edges.n; i++) {
        const struct order_edge *e = &o->edges.at[i];
        if (e->from && !(e->held_at && map64_find(&leaks, key_pair(e->origin.func, e->held_at))))
            o->edges.at[n++] = *e;
    }
    o->edges.n = n;
    map64_free(&leaks);
}

void program_find_lock_order(struct program *p)
{
    struct lock_order *o = p->lock_order;

    order_settle_open(p);
    leave_out(p, o);
    gates_from_callers(p, o);
    o->threads = threads_find(p);
    find_cycles(p, o);
    for (uint32_t i = 1; i < p->fields.n; i++) {
        const struct linked_field *f = &p->fields.at[i];
        if (f->unit)
            check_declared(p, o, (struct object_class){i, 0, 0}, f->unit, LOCK_IN_FIELD, f->field, f->unit->unit->fields[f->field].annots);
    }
    for (uint32_t i = 1; i < p->globals.n; i++) {
        const struct linked_global *g = &p->globals.at[i];
        if (g->unit)
            check_declared(p, o, (struct object_class){0, i, 0}, g->unit, LOCK_IN_VAR, g->var, g->unit->unit->vars[g->var].annots);
    }
}
