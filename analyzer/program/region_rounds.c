/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In which order are flows solved, and how often? Callees first, only those that are asked for and what they call; functions that call
 * each other in rounds, until what they tell their callers changes no more.
 * Stands on region_flow.h and components.h. */
#include "region_flow.h"

#include "../base/alloc.h"
#include "../base/components.h"
#include "region_memo.h"

enum { EVENTS_AT_LEAST = 2000000, EVENTS_EACH = 20 /* of the program's functions */ };
enum { MAX_ROUNDS = 30 };

/* Does solving the caller read the callee's flow? */
static bool followed(const struct program *p, const struct call_edge *e) {
    uint32_t n = 0;
    if (e->callback || !p->funcs.at[e->callee].defined)
        return false;
    if (e->indirect)
        (void)program_calls(p, e->caller, e->event, &n);
    return n <= MAX_TARGETS;
}

/* Node v is function v + 1; an edge that is not followed leads back to it. */
static bool next_callee(const void *program, uint32_t node, uint32_t i, uint32_t *to) {
    const struct program *p = program;
    const struct linked_func *f = &p->funcs.at[node + 1];

    if (i >= f->n_edges)
        return false;
    const struct call_edge *e = &p->edges.at[f->first_edge + i];
    *to = followed(p, e) ? e->callee - 1 : node;
    return true;
}

struct regions *regions_new(struct program *p) {
    struct regions *r = xcalloc(1, sizeof *r);
    const uint32_t n = (uint32_t)p->funcs.n - 1;
    uint32_t *order = xcalloc((size_t)n + 1, sizeof *order),
             *component = xcalloc((size_t)n + 1, sizeof *component);
    r->p = p;
    for (size_t i = 0; i < p->funcs.n; i++)
        vec_push(&r->flows, NULL);
    r->component = xcalloc(p->funcs.n, sizeof *r->component);
    r->position = xcalloc(p->funcs.n, sizeof *r->position);
    r->hashes = xcalloc(p->funcs.n, sizeof *r->hashes);
    r->said = xcalloc(p->funcs.n, sizeof *r->said);
    r->links = xcalloc(p->units.n + 1, sizeof *r->links);
    r->classes = xcalloc(p->fields.n + p->globals.n + 1, sizeof *r->classes);
    components_find(n, next_callee, p, component, order);
    for (uint32_t i = 0; i < n; i++) {
        r->position[order[i] + 1] = i;
        r->component[i + 1] = component[i];
    }
    free(order);
    free(component);
    return r;
}

void regions_free(struct regions *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->flows.n; i++)
        region_flow_free(r->flows.at[i]);
    vec_free(&r->flows);
    vec_free(&r->gathered);
    vec_free(&r->leads);
    vec_free(&r->touches);
    free(r->seen);
    arena_free(&r->lifted);
    vec_free(&r->named);
    free(r->component);
    free(r->position);
    free(r->hashes);
    free(r->classes);
    free(r->said);
    free(r->links);
    free(r);
}

/* ---- rounds ---- */

const struct region_flow *regions_callee(struct regions *r, uint32_t func, bool *unsolved) {
    const struct region_flow *f = r->flows.at[func];
    *unsolved = !f && r->component[func] == r->now && r->p->funcs.at[func].defined;
    return f && !f->failed ? f : NULL;
}

/* What the component's own functions tell this one. */
static uint64_t hash_inputs(const struct regions *r, uint32_t func, bool *any) {
    const struct linked_func *lf = &r->p->funcs.at[func];
    uint64_t h = 1;
    for (uint32_t i = lf->first_edge; i < lf->first_edge + lf->n_edges; i++) {
        const struct call_edge *e = &r->p->edges.at[i];
        if (r->component[e->callee] == r->component[func] && followed(r->p, e)) {
            h = hash_add(h, r->hashes[e->callee]);
            *any = true;
        }
    }
    return h;
}

static void solve_component(struct regions *r, const uint32_t *funcs, size_t n) {
    uint64_t *inputs = xcalloc(n, sizeof *inputs);
    bool changed = true;
    r->now = r->component[funcs[0]];
    for (unsigned round = 0; changed; round++) {
        changed = false;
        for (size_t i = 0; i < n; i++) {
            const uint32_t func = funcs[i];
            bool recursive = false;
            const uint64_t now = hash_inputs(r, func, &recursive);
            if (now == inputs[i])
                continue; /* it would come to the same */
            inputs[i] = now;
            struct region_flow *f = region_remember(r, func);
            region_flow_free(r->flows.at[func]);
            r->flows.at[func] = f;
            if (!recursive) {
                r->hashes[func] = f->seen;
                continue;
            }
            const uint64_t hash = f->seen ? f->seen : region_seen(f);
            if (round == MAX_ROUNDS && hash != r->hashes[func]) {
                f->failed = true;
                program_give_up(r->p, func, "the rules about hand-offs, its recursion not coming to rest");
            }
            changed |= hash != r->hashes[func] && !f->failed;
            r->hashes[func] = hash;
        }
    }
    for (size_t i = 0; i < n; i++)
        r->kept += r->flows.at[funcs[i]]->n_events;
    free(inputs);
}

struct wanted {
    uint32_t position, func;
};

static int by_position(const void *a, const void *b) {
    const struct wanted *x = a, *y = b;
    return (x->position > y->position) - (x->position < y->position);
}

/* The function and all that it leads to and that is not solved yet. */
static void solve_with_callees(struct regions *r, uint32_t func) {
    VEC(struct wanted) wanted = {0};
    struct map64 seen = {0};
    VEC(uint32_t) funcs = {0};
    vec_push(&wanted, ((struct wanted){r->position[func], func}));
    map64_put(&seen, func, 1);
    for (size_t i = 0; i < wanted.n; i++) {
        const struct linked_func *lf = &r->p->funcs.at[wanted.at[i].func];
        for (uint32_t k = lf->first_edge; k < lf->first_edge + lf->n_edges; k++) {
            const struct call_edge *e = &r->p->edges.at[k];
            bool is_new = false;
            if (r->flows.at[e->callee] || !followed(r->p, e))
                continue;
            map64_place(&seen, e->callee, &is_new);
            if (is_new)
                vec_push(&wanted, ((struct wanted){r->position[e->callee], e->callee}));
        }
    }
    qsort(wanted.at, wanted.n, sizeof *wanted.at, by_position);
    for (size_t i = 0; i < wanted.n;) {
        const uint32_t component = r->component[wanted.at[i].func];
        vec_clear(&funcs);
        for (; i < wanted.n && r->component[wanted.at[i].func] == component; i++)
            vec_push(&funcs, wanted.at[i].func);
        solve_component(r, funcs.at, funcs.n);
    }
    vec_free(&funcs);
    vec_free(&wanted);
    map64_free(&seen);
}

const struct region_flow *regions_flow(struct regions *r, uint32_t func) {
    if (!r->flows.at[func] && r->p->funcs.at[func].defined)
        solve_with_callees(r, func);
    const struct region_flow *f = r->flows.at[func];
    return f && !f->failed ? f : NULL;
}

const struct region_flow *regions_flow_within(struct regions *r, uint32_t func) {
    if (r->flows.at[func] || r->kept < EVENTS_AT_LEAST + (uint64_t)EVENTS_EACH * r->p->funcs.n)
        return regions_flow(r, func);
    if (r->p->funcs.at[func].defined)
        program_give_up(r->p, func,
                        "the search for objects handed over through fields and queues, the program's flows "
                        "being too large");
    return NULL;
}
