/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the lock graph says when all functions are solved: gates that callers hold, edges against a declared
 * order, cycles. Stands on lock_order.h; the cycles are looked for in lock_search.c. */
#include "lock_order.h"

#include <string.h>
#include "../base/alloc.h"

/* ---- gates from callers: what is held at every call of a function ---- */
struct entry_gates {
    term at[MAX_GATES];
    uint32_t n;
    bool known; /* false: no caller seen yet */
};

static void meet(struct entry_gates *g, const struct entry_gates *caller, const struct held_at_call *held,
                 const struct program *p) {
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

static void gates_from_callers(struct program *p, struct lock_order *o) {
    struct entry_gates *g = xcalloc(p->funcs.n + 1, sizeof *g);
    const struct entry_gates none = {{0}, 0, true};

    for (size_t i = p->order.n; i-- > 0;) { /* callers first */
        const uint32_t f = p->order.at[i];
        const struct linked_func *lf = &p->funcs.at[f];
        if (!lf->n_callers || lf->address_taken || lf->recursive)
            g[f] = none;
        for (uint32_t k = 0; k < lf->n_callers; k++) {
            const struct call_edge *e = &p->edges.at[lf->callers[k]];
            const uint32_t slot = p->funcs.at[e->caller].unit->held_locks[e->event];
            meet(&g[f], g[e->caller].known ? &g[e->caller] : &none, slot ? &o->held_calls.at[slot - 1] : NULL,
                 p);
        }
    }
    for (size_t i = 0; i < o->edges.n; i++) {
        struct order_edge *e = &o->edges.at[i];
        for (uint32_t k = 0; k < g[e->func].n && e->n_gates < MAX_GATES; k++)
            if (!term_in(e->gates, e->n_gates, g[e->func].at[k]) && g[e->func].at[k] != e->from &&
                g[e->func].at[k] != e->to)
                e->gates[e->n_gates++] = g[e->func].at[k];
    }
    free(g);
}

/* ---- declared orders ---- */
static struct object_class path_class(struct program *p, const struct lock_path *path) {
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

static void check_declared(struct program *p, struct lock_order *o, struct object_class self,
                           const struct linked_unit *lu, enum lock_scope scope, uint32_t item,
                           struct ir_range annots) {
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
            if (class_equal(self,
                            other)) { /* among objects of one class: which of them is first, instances say */
                vec_push(&o->nested_classes, class_key(self));
                continue;
            }
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
static void leave_out(const struct program *p, struct lock_order *o) {
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

void program_find_lock_order(struct program *p) {
    struct lock_order *o = p->lock_order;

    order_settle_open(p);
    leave_out(p, o);
    gates_from_callers(p, o);
    o->threads = threads_find(p);
    lock_order_search(p);
    for (uint32_t i = 1; i < p->fields.n; i++) {
        const struct linked_field *f = &p->fields.at[i];
        if (f->unit)
            check_declared(p, o, (struct object_class){i, 0, 0}, f->unit, LOCK_IN_FIELD, f->field,
                           f->unit->unit->fields[f->field].annots);
    }
    for (uint32_t i = 1; i < p->globals.n; i++) {
        const struct linked_global *g = &p->globals.at[i];
        if (g->unit)
            check_declared(p, o, (struct object_class){0, i, 0}, g->unit, LOCK_IN_VAR, g->var,
                           g->unit->unit->vars[g->var].annots);
    }
    lock_order_find_nestings(p);
}
