/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds the two halves of recursive locks that a program made itself. Stands on relock.h. */
#include "relock.h"

#include <string.h>
#include "../base/alloc.h"
#include "owner_test.h"

#define MAX_COUNTS 4u

/* What functions do with a lock that a parameter leads to. */
enum { TAKES = 1, GIVES = 2 };
struct lock_use {
    uint8_t does;
    uint8_t param;
};

/* A lock that is taken only by who does not own it, and what is counted where it is owned. */
struct half {
    uint32_t lock;               /* an item */
    uint32_t counts[MAX_COUNTS]; /* items */
    uint32_t n_counts;
    uint32_t owner; /* an item, of the half that takes; or 0 */
    struct level_edge edge;
};

struct finding_relocks {
    struct program *p;
    struct lock_use *uses; /* by function */
    VEC(struct half) takes, gives;
};

/* ---- lock calls ---- */
/* The parameter of the function that the value is reached from; the number of its parameters: none. */
static uint32_t param_of(const struct unit *u, const struct ir_func_rec *fr, ir_expr value) {
    ir_var v;

    if (!ir_base_var(u, value, &v) || v - fr->params.first >= fr->params.count)
        return fr->params.count;
    return v - fr->params.first;
}

static struct lock_use use_by_model(const struct model_function *m) {
    struct lock_use use = {0, 0};

    for (uint32_t i = 0; m && i < m->n_effects; i++)
        if ((m->effects[i].kind == MODEL_ACQUIRES || m->effects[i].kind == MODEL_RELEASES) &&
            m->effects[i].a.root == MODEL_PARAM) {
            use.does |= m->effects[i].kind == MODEL_ACQUIRES ? TAKES : GIVES;
            use.param = m->effects[i].a.index;
        }
    return use;
}

/* What the call does, and with which of its arguments; does 0: nothing that counts here. */
static struct lock_use use_at(const struct finding_relocks *x, const struct call_edge *e) {
    const struct unit *u = x->p->funcs.at[e->caller].unit->unit;
    const struct lock_use use = e->indirect || e->callback ? (struct lock_use){0, 0} : x->uses[e->callee];

    return use.param < u->events[e->event].args.count && (use.does == TAKES || use.does == GIVES)
               ? use
               : (struct lock_use){0, 0};
}

/* A function that only takes, or only gives, is a lock function of the program's own. */
static void find_use(struct finding_relocks *x, uint32_t func) {
    const struct linked_func *f = &x->p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    struct lock_use use = {0, 0};

    for (uint32_t i = f->first_edge; i < f->first_edge + f->n_edges; i++) {
        const struct call_edge *e = &x->p->edges.at[i];
        const struct lock_use at = use_at(x, e);
        const uint32_t param =
            at.does ? param_of(u, &u->funcs[f->func], u->expr_refs[u->events[e->event].args.first + at.param])
                    : 0;
        if (!at.does)
            continue;
        use.does |= param < u->funcs[f->func].params.count && param < 256 ? at.does : TAKES | GIVES;
        use.param = (uint8_t)param;
    }
    x->uses[func] = use;
}

/* What the argument is, where a local stands for it. */
static ir_expr lock_value(const struct defs *d, ir_expr arg) {
    for (int steps = 0; steps < 8; steps++) {
        const ir_event def = defs_of(d, ir_uncast(d->u, arg));
        if (!def || d->u->events[def].op != IR_EV_STORE)
            break;
        arg = d->u->events[def].b;
    }
    return arg;
}

/* The lock that the value names, as an item: of a member that is all lock, the outermost. */
static uint32_t lock_item(const struct defs *d, ir_expr value) {
    const struct unit *u = d->u;
    const ir_expr e = ir_uncast(u, value);
    ir_expr place = u->exprs[e].a;

    if (u->exprs[e].op != IR_E_ADDR && u->exprs[e].op != IR_E_LOAD)
        return 0;
    while (u->exprs[place].op == IR_E_INDEX && u->exprs[u->exprs[place].a].op == IR_E_ADDR)
        place = u->exprs[u->exprs[place].a].a;
    return item_of_place(d, place);
}

/* ---- ways ---- */
static ir_block block_of(const struct defs *d, ir_event e) {
    ir_block b = d->fr->blocks.first;

    while (e - d->u->blocks[b].events.first >= d->u->blocks[b].events.count)
        b++;
    return b;
}

/* Which blocks can be reached from `from`, itself among them, in the same turn of every loop? */
static void reach(const struct defs *d, ir_block from, bool *reached) {
    const ir_block first = d->fr->blocks.first;
    ir_block *stack = xcalloc((size_t)d->fr->blocks.count + 1, sizeof *stack);
    uint32_t n = 0;

    memset(reached, 0, d->fr->blocks.count * sizeof *reached);
    stack[n++] = from;
    reached[from - first] = true;
    while (n) {
        const struct ir_block_rec *b = &d->u->blocks[stack[--n]];
        for (uint32_t i = b->succs.first; i < b->succs.first + b->succs.count; i++) {
            const ir_block to = d->u->succs[i].block;
            if (d->u->succs[i].flags & IR_SUCC_BACK || reached[to - first])
                continue;
            reached[to - first] = true;
            stack[n++] = to;
        }
    }
    free(stack);
}

/* The item that the event counts up (by = IR_B_ADD) or down; 0: none. */
static uint32_t counted(const struct defs *d, ir_event e, uint32_t by) {
    const struct ir_event_rec *ev = &d->u->events[e];
    const uint32_t item = ev->op == IR_EV_STORE || ev->op == IR_EV_ATOMIC ? item_of_place(d, ev->a) : 0;
    const struct ir_expr_rec *r = &d->u->exprs[ev->op == IR_EV_STORE ? ir_uncast(d->u, ev->b) : 0];

    if (!item || ev->op == IR_EV_ATOMIC)
        return item && ev->c == IR_AT_RMW ? item : 0; /* whichever way */
    return r->op == IR_E_BINARY && r->c == by && d->u->exprs[ir_uncast(d->u, r->b)].op == IR_E_CONST &&
                   goes_by(d, r->a, item)
               ? item
               : 0;
}

/* ---- the half that takes ---- */
/* What is counted up in the blocks, or just before the test: the value from before is what it asked. */
static void find_counts(const struct defs *d, const bool *own_way, ir_block test, struct half *h) {
    for (ir_block b = d->fr->blocks.first; b < d->fr->blocks.first + d->fr->blocks.count; b++) {
        const struct ir_range events = d->u->blocks[b].events;
        for (ir_event e = events.first;
             (own_way[b - d->fr->blocks.first] || b == test) && e < events.first + events.count; e++) {
            const uint32_t item = counted(d, e, IR_B_ADD);
            if (item && h->n_counts < MAX_COUNTS)
                h->counts[h->n_counts++] = item;
        }
    }
}

/* Does who took it make itself the owner? */
static bool becomes_owner(const struct defs *d, const bool *behind, uint32_t owner) {
    for (ir_block b = d->fr->blocks.first; b < d->fr->blocks.first + d->fr->blocks.count; b++) {
        const struct ir_range events = d->u->blocks[b].events;
        for (ir_event e = events.first; behind[b - d->fr->blocks.first] && e < events.first + events.count;
             e++) {
            const struct ir_event_rec *ev = &d->u->events[e];
            const ir_expr value = ev->op == IR_EV_STORE ? ev->b
                                  : ev->op == IR_EV_ATOMIC && ev->c == IR_AT_STORE && ev->args.count
                                      ? d->u->expr_refs[ev->args.first]
                                      : 0;
            if (value && item_of_place(d, ev->a) == owner && is_own_value(d, value))
                return true;
        }
    }
    return false;
}

static void take_half(struct finding_relocks *x, const struct defs *d, struct level_edge edge, uint32_t lock,
                      const struct owner_test *asked, bool *reached) {
    const struct ir_block_rec *b = &d->u->blocks[edge.block];
    const ir_block own = d->u->succs[b->succs.first + asked->own_side].block;
    const ir_block other = d->u->succs[b->succs.first + !asked->own_side].block;
    const ir_block at = block_of(d, edge.event);
    struct half h = {.lock = lock, .owner = asked->owner, .edge = edge};

    reach(d, other, reached);
    if (!reached[at - d->fr->blocks.first])
        return;
    reach(d, at, reached);
    if (asked->owner && !becomes_owner(d, reached, asked->owner))
        return;
    reach(d, own, reached);
    if (reached[at - d->fr->blocks.first])
        return;
    find_counts(d, reached, edge.block, &h);
    h.edge.succ = asked->own_side;
    if (asked->depth) { /* of all that is counted only what was asked */
        bool there = false;
        for (uint32_t i = 0; i < h.n_counts; i++)
            there |= h.counts[i] == asked->depth;
        h.n_counts = there;
        h.counts[0] = asked->depth;
    }
    if (h.n_counts)
        vec_push(&x->takes, h);
}

/* ---- the half that gives ---- */
static bool counts_down(const struct defs *d, const bool *behind, ir_block test, uint32_t item,
                        bool *reached) {
    for (ir_block b = d->fr->blocks.first; b < d->fr->blocks.first + d->fr->blocks.count; b++) {
        const struct ir_range events = d->u->blocks[b].events;
        for (ir_event e = events.first; e < events.first + events.count; e++) {
            if (counted(d, e, IR_B_SUB) != item)
                continue;
            if (behind[b - d->fr->blocks.first])
                return true;
            reach(d, b, reached);
            if (reached[test - d->fr->blocks.first])
                return true;
        }
    }
    return false;
}

static void give_half(struct finding_relocks *x, const struct defs *d, struct level_edge edge, uint32_t lock,
                      uint32_t count, bool *reached, bool *more) {
    const struct ir_block_rec *b = &d->u->blocks[edge.block];
    const ir_block at = block_of(d, edge.event);

    for (uint32_t side = 0; side < 2; side++) {
        reach(d, d->u->succs[b->succs.first + !side].block, reached);
        if (!reached[at - d->fr->blocks.first])
            continue;
        reach(d, d->u->succs[b->succs.first + side].block, reached);
        if (!reached[at - d->fr->blocks.first] && counts_down(d, reached, edge.block, count, more)) {
            struct half h = {.lock = lock, .counts = {count}, .n_counts = 1, .edge = edge};
            h.edge.succ = side;
            vec_push(&x->gives, h);
        }
    }
}

/* Where somebody else is the owner the call comes back with an error: nobody who holds the lock sees it. */
static void refusing_side(struct finding_relocks *x, const struct defs *d, struct level_edge edge,
                          const struct half *takes, const struct owner_test *asked, bool *reached) {
    const struct ir_block_rec *b = &d->u->blocks[edge.block];
    const ir_type result = type_plain(d->u, d->u->types[type_plain(d->u, d->fr->type)].elem);
    const ir_block at = block_of(d, edge.event);
    struct half h = *takes;

    if (d->u->types[result].kind == IR_T_VOID || !takes->owner || asked->owner != takes->owner)
        return;
    h.edge = edge;
    h.edge.succ = !asked->own_side;
    h.edge.refuses = true;
    reach(d, d->u->succs[b->succs.first + asked->own_side].block, reached);
    if (!reached[at - d->fr->blocks.first])
        return;
    reach(d, d->u->succs[b->succs.first + h.edge.succ].block, reached);
    if (!reached[at - d->fr->blocks.first])
        vec_push(&x->gives, h);
}

/* ---- all functions ---- */
/* A function in which locks are taken or given back, and where it asks whether this thread is the owner. */
struct asking {
    struct defs d;
    VEC(struct asked_at {
        ir_block block;
        struct owner_test asked;
    })
    tests;
    bool *reached, *more; /* by block: room for searches */
};

static void begin_asking(struct asking *a, struct program *p, uint32_t func) {
    defs_init(&a->d, p, func);
    for (ir_block b = a->d.fr->blocks.first; b < a->d.fr->blocks.first + a->d.fr->blocks.count; b++) {
        struct asked_at at = {.block = b};
        if (find_owner_test(&a->d, &a->d.u->blocks[b], &at.asked))
            vec_push(&a->tests, at);
    }
    a->reached = xcalloc((size_t)a->d.fr->blocks.count + 1, sizeof *a->reached);
    a->more = xcalloc((size_t)a->d.fr->blocks.count + 1, sizeof *a->more);
}

static void end_asking(struct asking *a) {
    defs_free(&a->d);
    vec_free(&a->tests);
    free(a->reached);
    free(a->more);
}

/* The ways round the call that gives back a lock of which the other half is known. */
static void look_at_giving(struct finding_relocks *x, struct asking *a, struct level_edge edge,
                           const struct half *takes) {
    const struct defs *d = &a->d;

    for (size_t i = 0; i < a->tests.n; i++) {
        edge.block = a->tests.at[i].block;
        refusing_side(x, d, edge, takes, &a->tests.at[i].asked, a->reached);
    }
    for (ir_block b = d->fr->blocks.first; b < d->fr->blocks.first + d->fr->blocks.count; b++)
        for (uint32_t k = 0; d->u->blocks[b].term == IR_TERM_BRANCH && d->u->blocks[b].succs.count == 2 &&
                             k < takes->n_counts;
             k++)
            if (goes_by(d, d->u->blocks[b].cond, takes->counts[k])) {
                edge.block = b;
                give_half(x, d, edge, takes->lock, takes->counts[k], a->reached, a->more);
            }
}

static void look_at(struct finding_relocks *x, struct asking *a, ir_event call, struct lock_use use) {
    const struct defs *d = &a->d;
    const ir_expr value = lock_value(d, d->u->expr_refs[d->u->events[call].args.first + use.param]);
    const uint32_t lock = lock_item(d, value);
    struct level_edge edge = {.func = d->func, .event = call, .arg = use.param, .item = lock, .lock = value};

    if (use.does == GIVES) {
        for (size_t i = 0; i < x->takes.n; i++)
            if (x->takes.at[i].lock == lock)
                look_at_giving(x, a, edge, &x->takes.at[i]);
        return;
    }
    for (size_t i = 0; lock && i < a->tests.n; i++) {
        edge.block = a->tests.at[i].block;
        take_half(x, d, edge, lock, &a->tests.at[i].asked, a->reached);
    }
}

static void each_call(struct finding_relocks *x, unsigned does) {
    for (size_t i = 0; i < x->p->order.n; i++) {
        const struct linked_func *f = &x->p->funcs.at[x->p->order.at[i]];
        struct asking a = {.reached = NULL};
        for (uint32_t k = f->first_edge; k < f->first_edge + f->n_edges; k++) {
            const struct lock_use use = use_at(x, &x->p->edges.at[k]);
            if (use.does != does)
                continue;
            if (!a.reached)
                begin_asking(&a, x->p, x->p->order.at[i]);
            look_at(x, &a, x->p->edges.at[k].event, use);
        }
        end_asking(&a);
    }
}

static bool shares_count(const struct half *a, const struct half *b) {
    for (uint32_t i = 0; a->lock == b->lock && i < a->n_counts; i++)
        for (uint32_t k = 0; k < b->n_counts; k++)
            if (a->counts[i] == b->counts[k])
                return true;
    return false;
}

static bool is_known(const struct program *p, const struct level_edge *e) {
    for (size_t i = 0; i < p->level_edges.n; i++) {
        const struct level_edge *k = &p->level_edges.at[i];
        if (k->func == e->func && k->block == e->block && k->succ == e->succ && k->event == e->event)
            return true;
    }
    return false;
}

/* Is an object of the type a lock, as an annotation says, and of that struct? */
static bool is_lock_of(const struct linked_unit *lu, struct lock_kind kind, ir_type t, uint32_t structure) {
    const ir_type st = kind.lock ? type_struct(lu->unit, t) : 0;

    return st && lu->structs[st] == structure;
}

/* It, and where the struct that it is in is a lock itself all that are of it. */
static void mark(struct program *p, uint32_t lock) {
    if (lock & ITEM_GLOBAL) {
        p->globals.at[lock & ~ITEM_GLOBAL].recursive = true;
        return;
    }
    p->fields.at[lock].recursive = true;
    for (size_t i = 1; i < p->fields.n; i++) {
        struct linked_field *f = &p->fields.at[i];
        f->recursive |=
            is_lock_of(f->unit, f->lock, f->unit->unit->fields[f->field].type, p->fields.at[lock].parent);
    }
    for (size_t i = 1; i < p->globals.n; i++) {
        struct linked_global *g = &p->globals.at[i];
        g->recursive |=
            is_lock_of(g->unit, g->lock, g->unit->unit->vars[g->var].type, p->fields.at[lock].parent);
    }
}

static void keep(struct program *p, const struct half *h) {
    if (is_known(p, &h->edge))
        return;
    vec_push(&p->level_edges, h->edge);
    mark(p, h->lock);
}

static int by_place(const void *a, const void *b) {
    const struct level_edge *x = a, *y = b;
    const uint32_t of_x[] = {x->func, x->block, x->succ, x->event},
                   of_y[] = {y->func, y->block, y->succ, y->event};

    for (size_t i = 0; i < 4; i++)
        if (of_x[i] != of_y[i])
            return of_x[i] < of_y[i] ? -1 : 1;
    return 0;
}

void program_find_relocks(struct program *p) {
    struct finding_relocks x = {.p = p, .uses = xcalloc(p->funcs.n + 1, sizeof *x.uses)};

    for (uint32_t i = 1; i < p->funcs.n; i++)
        if (!p->funcs.at[i].defined)
            x.uses[i] = use_by_model(p->funcs.at[i].model);
    for (size_t i = 0; i < p->order.n; i++)
        find_use(&x, p->order.at[i]);
    each_call(&x, TAKES);
    if (x.takes.n)
        each_call(&x, GIVES);
    for (size_t i = 0; i < x.takes.n; i++) {
        bool both = false;
        for (size_t k = 0; k < x.gives.n; k++)
            both |= !x.gives.at[k].edge.refuses && shares_count(&x.takes.at[i], &x.gives.at[k]);
        if (!both)
            continue;
        keep(p, &x.takes.at[i]);
        for (size_t k = 0; k < x.gives.n; k++)
            if (shares_count(&x.takes.at[i], &x.gives.at[k]))
                keep(p, &x.gives.at[k]);
    }
    if (p->level_edges.n)
        qsort(p->level_edges.at, p->level_edges.n, sizeof *p->level_edges.at, by_place);
    free(x.uses);
    vec_free(&x.takes);
    vec_free(&x.gives);
}

const struct level_edge *level_edges(const struct program *p, uint32_t func, uint32_t *n) {
    size_t first = 0, end;

    while (first < p->level_edges.n && p->level_edges.at[first].func != func)
        first++;
    for (end = first; end < p->level_edges.n && p->level_edges.at[end].func == func;)
        end++;
    *n = (uint32_t)(end - first);
    return *n ? &p->level_edges.at[first] : NULL;
}
