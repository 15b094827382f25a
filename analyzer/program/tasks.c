/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds task entries and walks down from each to the calls that block.
 * Stands on tasks.h. Each function is walked once per program, from the first entry that reaches it. */
#include "tasks.h"

#include "../base/alloc.h"
#include "blocks_when.h"

/* Does the function type or pointer t say so, on a typedef on the way? */
static bool type_marked(const struct unit *u, ir_type t, enum ir_annot_kind kind) {
    for (int depth = 0; t && depth < 16; depth++) {
        const struct ir_type_rec *r = &u->types[t];
        if (r->kind == IR_T_TYPEDEF && annotated(u, r->annots, kind))
            return true;
        if (r->kind != IR_T_TYPEDEF && r->kind != IR_T_POINTER && r->kind != IR_T_QUALIFIED)
            return false;
        t = r->elem;
    }
    return false;
}

static void add_entry(struct task_facts *t, uint32_t func, struct site from, bool migrates) {
    for (size_t i = 0; i < t->entries.n; i++)
        if (t->entries.at[i].func == func) {
            t->entries.at[i].migrates |= migrates;
            return;
        }
    vec_push(&t->entries, ((struct task_entry){func, from, migrates}));
}

static void find_entries(const struct program *p, struct task_facts *t) {
    for (uint32_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        const struct unit *u = lf->unit->unit;
        if (lf->defined && annotated(u, u->funcs[lf->func].annots, IR_A_task_entry))
            add_entry(t, f, (struct site){f, u->funcs[lf->func].loc},
                      annotated(u, u->funcs[lf->func].annots, IR_A_migrates));
    }
    for (size_t i = 0; i < p->edges.n; i++) {
        const struct call_edge *e = &p->edges.at[i];
        const struct linked_func *callee = &p->funcs.at[e->callee], *caller = &p->funcs.at[e->caller];
        const struct unit *u = caller->unit->unit, *cu = callee->unit->unit;
        const struct ir_func_rec *fr = &cu->funcs[callee->func];
        const struct ir_event_rec *ev = &u->events[e->event];
        if (e->callback)
            continue;
        for (uint32_t k = 0; k < fr->params.count && k < ev->args.count; k++) {
            ir_expr arg = u->expr_refs[ev->args.first + k];
            const ir_type type = cu->vars[fr->params.first + k].type;
            if (!type_marked(cu, type, IR_A_task_entry))
                continue;
            arg = ir_uncast(u, arg);
            if (u->exprs[arg].op == IR_E_FUNC && p->funcs.at[caller->unit->funcs[u->exprs[arg].a]].defined)
                add_entry(t, caller->unit->funcs[u->exprs[arg].a], (struct site){e->caller, ev->loc},
                          type_marked(cu, type, IR_A_migrates));
        }
    }
}

struct descent {
    const struct program *p;
    struct task_facts *t;
    bool *seen;
    struct task_block way;
};

static bool is_marked(const struct linked_func *f, enum ir_annot_kind kind) {
    return annotated(f->unit->unit, f->unit->unit->funcs[f->func].annots, kind);
}

static void step(struct descent *d, uint32_t func, ir_event event, uint32_t callee) {
    const struct unit *u = d->p->funcs.at[func].unit->unit;

    d->way.via[d->way.n] = (struct site){func, u->events[event].loc};
    d->way.callee[d->way.n++] = callee;
}

/* The call blocks because of what it passes: the way from there to the wait is one. */
static void follow(struct descent *d, const struct call_edge *e, uint32_t when) {
    const uint32_t n = d->way.n;
    uint32_t func = e->caller, callee = e->callee;
    ir_event event = e->event;

    d->way.decided = n;
    while (callee && d->way.n < MAX_TASK_CHAIN) {
        step(d, func, event, callee);
        func = callee;
        callee =
            d->p->funcs.at[func].defined && when ? effect_next(d->p, func, EFFECT_BLOCKS, &when, &event) : 0;
    }
    d->way.blocks = func;
    vec_push(&d->t->blocks, d->way);
    d->way.n = n;
}

static void descend(struct descent *d, uint32_t func);

/* `callee` blocks, and is called at the event, by the callee there or further down where it is handed over. */
static void descend_to(struct descent *d, uint32_t func, ir_event event, uint32_t callee) {
    const struct linked_func *f = &d->p->funcs.at[callee];

    step(d, func, event, callee);
    if (!f->defined || is_marked(f, IR_A_blocks)) {
        d->way.blocks = callee;
        d->way.decided = d->way.n - 1;
        vec_push(&d->t->blocks, d->way);
    } else {
        descend(d, callee);
    }
    d->way.n--;
}

static void descend(struct descent *d, uint32_t func) {
    const struct linked_func *f = &d->p->funcs.at[func];

    if (d->seen[func] || d->way.n == MAX_TASK_CHAIN)
        return;
    d->seen[func] = true;
    for (uint32_t i = 0; i < f->n_edges; i++) {
        const struct call_edge *e = &d->p->edges.at[f->first_edge + i];
        const struct linked_func *callee = &d->p->funcs.at[e->callee];
        const struct summary *s = callee->summary;
        const struct call_wait wait = call_blocks_when(d->p, func, e->event);
        const bool here = s && s->effects & EFFECT_BLOCKS;
        const uint32_t called = here ? 0 : call_called_with(d->p, func, e->event, EFFECT_BLOCKS);
        if ((!here && !wait.holds && !called) ||
            (is_marked(callee, IR_A_yields) && !is_marked(callee, IR_A_blocks)))
            continue; /* what says that it yields suspends the task, however it does that */
        if (wait.holds)
            follow(d, e, wait.next);
        if (here || called)
            descend_to(d, func, e->event, called ? called : e->callee);
    }
}

static void check_promise(const struct program *p, struct task_facts *t, uint32_t func, uint32_t effect) {
    struct effect_broken b = {.func = func, .yields = effect == EFFECT_YIELDS};
    uint32_t at = func, when = 0;

    while (b.n < MAX_TASK_CHAIN && p->funcs.at[at].defined) {
        ir_event event = 0;
        const uint32_t next = effect_next(p, at, effect, &when, &event);
        if (!next)
            break;
        b.via[b.n] = (struct site){at, p->funcs.at[at].unit->unit->events[event].loc};
        b.callee[b.n++] = next;
        at = next;
    }
    if (b.n && !p->funcs.at[func].unchecked)
        vec_push(&t->broken, b);
}

struct task_facts *tasks_find(const struct program *p) {
    struct task_facts *t = xcalloc(1, sizeof *t);
    struct descent d = {.p = p, .t = t, .seen = xcalloc(p->funcs.n + 1, 1)};

    find_entries(p, t);
    for (size_t i = 0; i < t->entries.n; i++) {
        d.way.entry = t->entries.at[i];
        d.way.n = 0;
        if (!p->funcs.at[t->entries.at[i].func].unchecked)
            descend(&d, t->entries.at[i].func);
    }
    for (uint32_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        const struct unit *u = lf->unit->unit;
        if (lf->defined && annotated(u, u->funcs[lf->func].annots, IR_A_no_yield))
            check_promise(p, t, f, EFFECT_YIELDS);
        if (lf->defined && annotated(u, u->funcs[lf->func].annots, IR_A_no_block))
            check_promise(p, t, f, EFFECT_BLOCKS);
    }
    free(d.seen);
    return t;
}

void tasks_free(struct task_facts *t) {
    if (!t)
        return;
    vec_free(&t->entries);
    vec_free(&t->blocks);
    vec_free(&t->broken);
    free(t);
}
