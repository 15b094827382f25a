/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who calls whom, function pointers included, and in which order to solve.
 * Stands on linked.h.
 *
 * Function pointers: a field (of its struct type, whichever object), a global, a local, a parameter or a result is one
 * node that holds a set of functions; stores, initialisers, arguments and returns flow from node to node until nothing
 * changes (Andersen's analysis, field-based, functions only). An indirect call runs what its node holds. No fall back on
 * "every function of that type": a call nobody resolves is counted and has no effect, since a wrong callee would accuse. */
#include "marks.h"

#include <string.h>
#include "../base/components.h"
#include "../base/alloc.h"

struct node {
    VEC(uint32_t) funcs, out; /* functions held; nodes it flows to */
    VEC(uint32_t) sites;      /* indirect calls through it */
    size_t done;              /* of funcs: those that went on already */
    bool queued;
};
struct site {
    uint32_t caller;
    ir_event event;
    int callback; /* -1: the call itself; else: the argument the node holds is called */
};
struct graph {
    struct program *p;
    VEC(struct node) nodes;
    VEC(struct site) sites;
    VEC(uint32_t) work;
    struct map64 ids;          /* kind << 60 | … → node + 1 */
    struct map64 seen;         /* call site and callee, once */
    struct map64 holds, flows; /* node and function, node and node, once */
};
enum { NODE_FIELD, NODE_GLOBAL, NODE_LOCAL, NODE_RESULT };

static uint32_t node_of(struct graph *g, int kind, uint32_t unit, uint32_t item) {
    bool fresh;
    uint32_t *slot = map64_place(&g->ids, (uint64_t)kind << 60 | (uint64_t)unit << 32 | item, &fresh);

    if (fresh) {
        (void)vec_add(&g->nodes);
        *slot = (uint32_t)g->nodes.n - 1;
    }
    return *slot;
}

static uint32_t unit_number(const struct graph *g, const struct linked_unit *lu) {
    return (uint32_t)(lu - g->p->units.at);
}

static uint32_t place_node(struct graph *g, const struct linked_unit *lu, ir_expr e) {
    const struct unit *u = lu->unit;

    for (;;) {
        const struct ir_expr_rec *r = &u->exprs[e];
        switch (r->op) {
        case IR_E_VAR:
            if (lu->globals[r->a])
                return node_of(g, NODE_GLOBAL, 0, lu->globals[r->a]);
            return node_of(g, NODE_LOCAL, unit_number(g, lu), r->a);
        case IR_E_FIELD: return lu->fields[r->b] ? node_of(g, NODE_FIELD, 0, lu->fields[r->b]) : 0;
        case IR_E_INDEX:
        case IR_E_DEREF:
        case IR_E_CAST:
        case IR_E_ADDR:
        case IR_E_LOAD: e = r->a; break;
        default: return 0;
        }
    }
}

static void add_func(struct graph *g, uint32_t node, uint32_t func) {
    struct node *n = &g->nodes.at[node];
    bool fresh;

    (void)map64_place(&g->holds, key_pair(node, func), &fresh);
    if (!fresh)
        return;
    vec_push(&n->funcs, func);
    if (!n->queued) {
        n->queued = true;
        vec_push(&g->work, node);
    }
}

static void add_flow(struct graph *g, uint32_t from, uint32_t to) {
    bool fresh;

    if (from == to || !from || !to)
        return;
    (void)map64_place(&g->flows, key_pair(from, to), &fresh);
    if (!fresh)
        return;
    vec_push(&g->nodes.at[from].out, to);
    for (size_t i = 0; i < g->nodes.at[from].funcs.n; i++)
        add_func(g, to, g->nodes.at[from].funcs.at[i]);
}

/* The value e flows into node `to`. */
static void flow_value(struct graph *g, const struct linked_unit *lu, ir_expr e, uint32_t to) {
    const struct unit *u = lu->unit;
    const struct ir_expr_rec *r = &u->exprs[ir_uncast(u, e)];

    if (!to)
        return;
    if (r->op == IR_E_FUNC)
        add_func(g, to, lu->funcs[r->a]);
    else if (r->op == IR_E_LOAD && may_hold_function(u, r->type))
        add_flow(g, place_node(g, lu, r->a), to);
    else if (r->op == IR_E_ADDR && may_hold_function(u, u->exprs[r->a].type))
        add_flow(g, place_node(g, lu, r->a), to); /* an array of handlers passed by address */
}

static void mark_addresses(struct graph *g, const struct linked_unit *lu, ir_expr e) {
    const struct ir_expr_rec *r = &lu->unit->exprs[e];

    switch (r->op) {
    case IR_E_FUNC: g->p->funcs.at[lu->funcs[r->a]].address_taken = true; break;
    case IR_E_DEREF:
    case IR_E_FIELD:
    case IR_E_LOAD:
    case IR_E_ADDR:
    case IR_E_UNARY:
    case IR_E_CAST: mark_addresses(g, lu, r->a); break;
    case IR_E_INDEX:
    case IR_E_BINARY:
        mark_addresses(g, lu, r->a);
        mark_addresses(g, lu, r->b);
        break;
    default: break;
    }
}

/* A call of a function by its name stands once. Only what may run an argument may be called by another way at the same call. */
static bool is_only_call(const struct graph *g, uint32_t callee, bool indirect) {
    return !indirect && (g->p->funcs.at[callee].defined || !g->p->funcs.at[callee].model);
}

static void add_call(struct graph *g, uint32_t caller, ir_event event, uint32_t callee, bool indirect,
                     bool callback) {
    const struct linked_unit *lu = g->p->funcs.at[caller].unit, *cu;
    const struct unit *u = lu->unit;
    const struct ir_event_rec *ev = &u->events[event];
    const struct ir_func_rec *cf;
    struct call_edge edge = {caller, callee, event, indirect, callback};
    bool fresh = true;

    if (!is_only_call(g, callee, indirect))
        (void)map64_place(&g->seen, hash_add(key_pair(caller, event), callee), &fresh);
    if (!fresh)
        return;
    vec_push(&g->p->edges, edge);
    if (callback)
        return;
    cu = g->p->funcs.at[callee].unit;
    cf = &cu->unit->funcs[g->p->funcs.at[callee].func];
    for (uint32_t i = 0; i < ev->args.count && i < cf->params.count; i++)
        if (may_hold_function(cu->unit, cu->unit->vars[cf->params.first + i].type))
            flow_value(g, lu, u->expr_refs[ev->args.first + i],
                       node_of(g, NODE_LOCAL, unit_number(g, cu), cf->params.first + i));
    if (ev->a && may_hold_function(u, u->exprs[ev->a].type))
        add_flow(g, node_of(g, NODE_RESULT, 0, callee), place_node(g, lu, ev->a));
}

static void add_site(struct graph *g, uint32_t caller, ir_event event, uint32_t node, int callback) {
    struct site s = {caller, event, callback};

    if (!node) { /* a value of no place: nobody can say */
        g->p->calls_unresolved += callback < 0;
        return;
    }
    vec_push(&g->sites, s);
    vec_push(&g->nodes.at[node].sites, (uint32_t)g->sites.n - 1);
    for (size_t i = 0; i < g->nodes.at[node].funcs.n; i++)
        add_call(g, caller, event, g->nodes.at[node].funcs.at[i], true, callback >= 0);
}

/* A library function that runs an argument: qsort's comparison, a thread's entry. */
static void model_callbacks(struct graph *g, uint32_t caller, ir_event event,
                            const struct model_function *m) {
    const struct linked_unit *lu = g->p->funcs.at[caller].unit;
    const struct unit *u = lu->unit;
    const struct ir_event_rec *ev = &u->events[event];

    for (uint32_t i = 0; m && i < m->n_effects; i++) {
        const struct model_effect *e = &m->effects[i];
        if (e->kind == MODEL_SPAWNS)
            g->p->has_spawn = true;
        if ((e->kind == MODEL_CALLS || e->kind == MODEL_ONCE || e->kind == MODEL_SPAWNS) &&
            e->a.root == MODEL_PARAM && e->a.index < ev->args.count) {
            ir_expr arg = ir_uncast(u, u->expr_refs[ev->args.first + e->a.index]);
            if (u->exprs[arg].op == IR_E_FUNC) {
                const uint32_t f = lu->funcs[u->exprs[arg].a];
                if (e->kind == MODEL_SPAWNS)
                    g->p->funcs.at[f].is_thread_entry = true;
                else
                    add_call(g, caller, event, f, true, true);
            } else if (e->kind != MODEL_SPAWNS && u->exprs[arg].op == IR_E_LOAD) {
                add_site(g, caller, event, place_node(g, lu, arg), (int)e->a.index);
            }
        }
    }
}

static void visit_call(struct graph *g, uint32_t caller, ir_event event) {
    const struct linked_unit *lu = g->p->funcs.at[caller].unit;
    const struct unit *u = lu->unit;
    const struct ir_event_rec *ev = &u->events[event];
    ir_expr callee = ir_uncast(u, ev->b);

    g->p->funcs.at[caller].calls_pointer |= u->exprs[ev->b].op != IR_E_FUNC;
    if (u->exprs[callee].op == IR_E_FUNC) {
        const uint32_t f = lu->funcs[u->exprs[callee].a];
        const struct ir_func_rec *fr = &g->p->funcs.at[f].unit->unit->funcs[g->p->funcs.at[f].func];
        add_call(g, caller, event, f, false, false);
        if (!g->p->funcs.at[f].defined)
            model_callbacks(g, caller, event, g->p->funcs.at[f].model);
        for (uint32_t i = 0; i < fr->annots.count; i++) {
            const uint32_t kind = g->p->funcs.at[f].unit->unit->annots[fr->annots.first + i].kind;
            if (kind == IR_A_spawns || kind == IR_A_spawns_if)
                g->p->has_spawn = true;
        }
    } else {
        g->p->calls_indirect++;
        mark_addresses(g, lu, callee);
        add_site(g, caller, event, place_node(g, lu, callee), -1);
    }
}

static void visit_event(struct graph *g, uint32_t func, ir_event event) {
    const struct linked_unit *lu = g->p->funcs.at[func].unit;
    const struct unit *u = lu->unit;
    const struct ir_event_rec *ev = &u->events[event];

    note_written(g->p, func, ev);
    switch (ev->op) {
    case IR_EV_STORE:
        mark_addresses(g, lu, ev->a);
        mark_addresses(g, lu, ev->b);
        if (may_hold_function(u, u->exprs[ev->a].type))
            flow_value(g, lu, ev->b, place_node(g, lu, ev->a));
        break;
    case IR_EV_CALL:
        for (uint32_t i = 0; i < ev->args.count; i++)
            mark_addresses(g, lu, u->expr_refs[ev->args.first + i]);
        visit_call(g, func, event);
        break;
    case IR_EV_ATOMIC:
        for (uint32_t i = 0; i < ev->args.count; i++) {
            mark_addresses(g, lu, u->expr_refs[ev->args.first + i]);
            if (ev->a && may_hold_function(u, u->exprs[ev->a].type))
                flow_value(g, lu, u->expr_refs[ev->args.first + i], place_node(g, lu, ev->a));
        }
        break;
    case IR_EV_RETURN:
        mark_addresses(g, lu, ev->a);
        if (ev->a && may_hold_function(u, u->exprs[ev->a].type))
            flow_value(g, lu, ev->a, node_of(g, NODE_RESULT, 0, func));
        break;
    case IR_EV_EVAL: mark_addresses(g, lu, ev->a); break;
    default: break;
    }
}

static int compare_edges(const void *a, const void *b) {
    const struct call_edge *x = a, *y = b;

    if (x->caller != y->caller)
        return x->caller < y->caller ? -1 : 1;
    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    return x->callee < y->callee ? -1 : x->callee > y->callee;
}

static void index_edges(struct program *p) {
    if (p->edges.n)
        qsort(p->edges.at, p->edges.n, sizeof *p->edges.at, compare_edges);
    for (size_t i = 0; i < p->units.n; i++) {
        struct linked_unit *lu = &p->units.at[i];
        lu->calls = arena_array(&p->arena, struct ir_range, lu->unit->n_events + 1);
        lu->held_classes = arena_array(&p->arena, uint32_t, lu->unit->n_events + 1);
        lu->held_locks = arena_array(&p->arena, uint32_t, lu->unit->n_events + 1);
    }
    for (size_t i = 0; i < p->edges.n; i++)
        p->funcs.at[p->edges.at[i].callee].n_callers++;
    for (size_t i = 1; i < p->funcs.n; i++) {
        p->funcs.at[i].callers = arena_array(&p->arena, uint32_t, p->funcs.at[i].n_callers + 1);
        p->funcs.at[i].n_callers = 0;
    }
    for (size_t i = 0; i < p->edges.n; i++) {
        const struct call_edge *e = &p->edges.at[i];
        struct linked_func *caller = &p->funcs.at[e->caller], *callee = &p->funcs.at[e->callee];
        if (!caller->n_edges++)
            caller->first_edge = (uint32_t)i;
        callee->callers[callee->n_callers++] = (uint32_t)i;
        if (!caller->unit->calls[e->event].count++)
            caller->unit->calls[e->event].first = (uint32_t)i;
    }
}

const struct call_edge *program_calls(const struct program *p, uint32_t func, ir_event event, uint32_t *n) {
    const struct ir_range calls = p->funcs.at[func].unit->calls[event];

    *n = calls.count;
    return calls.count ? &p->edges.at[calls.first] : NULL;
}

void program_spread(const struct program *p, spread_along *along, void *data) {
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = p->order.n; i-- > 0;) {
            const struct linked_func *caller = &p->funcs.at[p->order.at[i]];
            for (uint32_t k = caller->first_edge; k < caller->first_edge + caller->n_edges; k++)
                changed |= along(data, &p->edges.at[k]);
        }
    }
}

/* Node v is function v + 1. */
static bool next_callee(const void *program, uint32_t node, uint32_t i, uint32_t *to) {
    const struct program *p = program;
    const struct linked_func *f = &p->funcs.at[node + 1];

    if (i >= f->n_edges)
        return false;
    *to = p->edges.at[f->first_edge + i].callee - 1;
    return true;
}

/* Components come out callees first. */
static void order_functions(struct program *p) {
    const uint32_t n = (uint32_t)p->funcs.n - 1;
    uint32_t *component = xcalloc((size_t)n + 1, sizeof *component),
             *order = xcalloc((size_t)n + 1, sizeof *order);

    components_find(n, next_callee, p, component, order);
    for (uint32_t i = 0; i < n; i++) {
        struct linked_func *f = &p->funcs.at[order[i] + 1];
        f->scc = component[order[i]];
        f->recursive |=
            (i && component[order[i - 1]] == f->scc) || (i + 1 < n && component[order[i + 1]] == f->scc);
        for (uint32_t k = f->first_edge; k < f->first_edge + f->n_edges; k++)
            f->recursive |= p->edges.at[k].callee == order[i] + 1;
        if (f->defined)
            vec_push(&p->order, order[i] + 1);
    }
    free(component);
    free(order);
}

void program_call_graph(struct program *p) {
    struct graph g;

    memset(&g, 0, sizeof g);
    g.p = p;
    (void)vec_add(&g.nodes); /* node 0 is none */
    note_written_outside(p);
    for (uint32_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        const struct unit *u = lf->unit->unit;
        const struct ir_func_rec *fr = &u->funcs[lf->func];
        if (!lf->defined)
            continue;
        const struct ir_range events = func_events(u, fr);
        const uint8_t *marks = unit_marks(u)->events;
        for (ir_event e = events.first; e < events.first + events.count; e++) {
            if (marks[e] & MARK_FLOW)
                visit_event(&g, f, e);
            if (marks[e] & MARK_OWN)
                p->fields.at[lf->unit->fields[u->exprs[u->events[e].a].b]].own = true;
        }
    }
    while (g.work.n) {
        const uint32_t n = vec_pop(&g.work);
        size_t i = g.nodes.at[n].done;
        g.nodes.at[n].queued = false;
        g.nodes.at[n].done = g.nodes.at[n].funcs.n;
        for (; i < g.nodes.at[n].done; i++) { /* flows and sites made since then had what was there at once */
            for (size_t j = 0; j < g.nodes.at[n].out.n; j++)
                add_func(&g, g.nodes.at[n].out.at[j], g.nodes.at[n].funcs.at[i]);
            for (size_t j = 0; j < g.nodes.at[n].sites.n; j++) {
                const struct site s = g.sites.at[g.nodes.at[n].sites.at[j]];
                add_call(&g, s.caller, s.event, g.nodes.at[n].funcs.at[i], true, s.callback >= 0);
            }
        }
    }
    for (size_t i = 1; i < g.nodes.n; i++) {
        if (!g.nodes.at[i].funcs.n)
            for (size_t j = 0; j < g.nodes.at[i].sites.n; j++)
                p->calls_unresolved += g.sites.at[g.nodes.at[i].sites.at[j]].callback < 0;
        vec_free(&g.nodes.at[i].funcs);
        vec_free(&g.nodes.at[i].out);
        vec_free(&g.nodes.at[i].sites);
    }
    vec_free(&g.nodes);
    vec_free(&g.sites);
    vec_free(&g.work);
    map64_free(&g.ids);
    map64_free(&g.seen);
    map64_free(&g.holds);
    map64_free(&g.flows);
    index_edges(p);
    order_functions(p);
}
