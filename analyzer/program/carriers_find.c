/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What does a function read and write under locks, and what does it do by what it read?
 * Stands on carriers.h. Values are followed through the function's locals, whatever the way: a local weighs as much as the
 * weightiest of its uses. */
#include "carriers.h"

#include <string.h>
#include "../base/alloc.h"
#include "boundary.h"
#include "exchange.h"
#include "ways.h"

enum { MOST_BLOCKS = 128 /* past which every branch decides */, MOST_DEEP = 100 };
#define NO_SLOT UINT32_MAX /* no memory that another thread could know */

struct finder {
    struct regions *r;
    const struct region_flow *f;
    const struct unit *u;
    const struct ir_func_rec *fr;
    uint8_t *vars; /* by parameter, then local: enum carrier_weight */
    uint32_t
        *source; /* … the slot that all its values were read from; 0: none yet, NO_SLOT: several, or none */
    bool *handed;       /* … the local is handed to others */
    uint8_t *blocks;    /* by block: how its branch weighs … */
    bool **inside;      /* … and the blocks between it and where its ways meet again; or NULL */
    const bool *branch; /* that of the branch whose condition is weighed now */
    bool changed;
    struct carrier_uses *out; /* NULL while locals are weighed */
    uint64_t locks;           /* held now */
    unsigned deep;
};

/* ---- places ---- */

static uint32_t number_of(const struct finder *x, uint32_t var) {
    const struct ir_range params = x->fr->params, locals = x->fr->locals;
    if (var >= params.first && var - params.first < params.count)
        return var - params.first;
    return var >= locals.first && var - locals.first < locals.count ? params.count + var - locals.first
                                                                    : UINT32_MAX;
}

static bool automatic(const struct finder *x, uint32_t var) {
    uint32_t kind = x->u->vars[var].kind;
    return (kind == IR_V_LOCAL || kind == IR_V_TEMP || kind == IR_V_PARAM) && number_of(x, var) != UINT32_MAX;
}

/* The variable that the place is, or is a member or element of; UINT32_MAX: none. */
static uint32_t root_of(const struct finder *x, ir_expr place) {
    for (unsigned i = 0; i < MOST_DEEP; i++) {
        const struct ir_expr_rec *r = &x->u->exprs[place];
        const struct ir_expr_rec *array = r->op == IR_E_INDEX ? &x->u->exprs[ir_uncast(x->u, r->a)] : NULL;
        if (r->op == IR_E_VAR)
            return r->a;
        if (r->op == IR_E_FIELD)
            place = r->a;
        else if (array && array->op == IR_E_ADDR)
            place = array->a;
        else
            break;
    }
    return UINT32_MAX;
}

/* The place keeps a local's own value, which no other thread can see. */
static bool is_private(const struct finder *x, ir_expr place) {
    uint32_t var = root_of(x, place);
    return var != UINT32_MAX && automatic(x, var) && !x->handed[number_of(x, var)];
}

/* The slot that keeps what is at the place: its last member, or its global. Of what a pointer points to, the pointer's. */
static uint32_t slot_of(const struct finder *x, ir_expr place) {
    for (unsigned i = 0; i < MOST_DEEP; i++) {
        const struct ir_expr_rec *r = &x->u->exprs[place];
        switch ((enum ir_expr_op)r->op) {
        case IR_E_FIELD: return x->f->unit->fields[r->b];
        case IR_E_VAR: return automatic(x, r->a) ? 0 : x->f->unit->globals[r->a] | SLOT_GLOBAL;
        case IR_E_DEREF:
        case IR_E_INDEX: {
            const struct ir_expr_rec *pointer = &x->u->exprs[ir_uncast(x->u, r->a)];
            if (pointer->op != IR_E_LOAD && pointer->op != IR_E_ADDR)
                return 0;
            place = pointer->a;
            break;
        }
        default: return 0;
        }
    }
    return 0;
}

static uint32_t kind_of(const struct unit *u, ir_type t) {
    t = type_plain(u, t);
    if (u->types[t].kind == IR_T_ATOMIC)
        t = type_plain(u, u->types[t].elem);
    bool whole = u->types[t].kind == IR_T_STRUCT || u->types[t].kind == IR_T_UNION ||
                 u->types[t].kind == IR_T_ARRAY || u->types[t].kind == IR_T_UNKNOWN;
    uint32_t kind = u->types[t].kind == IR_T_ENUM ? IR_T_INT : u->types[t].kind;
    return whole ? 0 : kind << 16 | (uint32_t)(u->types[t].size & 0xffff);
}

static void note(struct finder *x, ir_expr place, bool write, enum carrier_weight weight, bool atomic) {
    const ir_type type = x->u->exprs[place].type;
    const struct ir_type_rec *t = &x->u->types[type_plain(x->u, type)];
    atomic |= t->kind == IR_T_ATOMIC;
    if (!x->out || (!x->locks && !atomic) || is_private(x, place))
        return;
    struct carrier_use use = {slot_of(x, place), kind_of(x->u, type), x->locks, x->f->func, weight,
                              x->branch};
    if (!use.slot && t->kind == IR_T_INT && t->size == 1)
        return; /* text */
    if (atomic)
        use.classes |= use.slot ? region_atomic_class(x->r, use.slot) : CLASS_ATOMICS;
    if (write)
        vec_push(&x->out->writes, use);
    else
        vec_push(&x->out->reads, use);
}

/* ---- values ---- */

static void raise_var(struct finder *x, uint32_t var, enum carrier_weight weight) {
    uint32_t i = automatic(x, var) ? number_of(x, var) : UINT32_MAX;
    if (i == UINT32_MAX || x->vars[i] >= weight)
        return;
    x->vars[i] = (uint8_t)weight;
    x->changed = true;
}

static void weigh(struct finder *x, ir_expr value, enum carrier_weight weight, uint32_t into);

/* What the place's name is made of: a pointer that is followed decides. */
static void weigh_place(struct finder *x, ir_expr place) {
    const struct ir_expr_rec *r = &x->u->exprs[place];
    if (r->op == IR_E_FIELD) {
        weigh_place(x, r->a);
    } else if (r->op == IR_E_DEREF || r->op == IR_E_INDEX) {
        weigh(x, r->a, WEIGHT_DECIDES, NO_SLOT);
        if (r->op == IR_E_INDEX)
            weigh(x, r->b, WEIGHT_DECIDES, NO_SLOT);
    }
}

/* A value is used with this weight; what was read from slot `into` itself weighs nothing: it is counted up. */
static void weigh(struct finder *x, ir_expr value, enum carrier_weight weight, uint32_t into) {
    const struct ir_expr_rec *r = &x->u->exprs[value];
    if (++x->deep > MOST_DEEP) {
        x->deep--;
        return;
    }
    switch ((enum ir_expr_op)r->op) {
    case IR_E_LOAD: {
        uint32_t var = root_of(x, r->a),
                 i = var != UINT32_MAX && automatic(x, var) ? number_of(x, var) : UINT32_MAX;
        bool itself =
            into != NO_SLOT && into && (i != UINT32_MAX ? x->source[i] == into : slot_of(x, r->a) == into);
        weigh_place(x, r->a);
        if (i != UINT32_MAX && !itself)
            raise_var(x, var, weight);
        if (weight != WEIGHT_NONE && !itself)
            note(x, r->a, false, weight, false);
        break;
    }
    case IR_E_ADDR: weigh_place(x, r->a); break;
    case IR_E_UNARY:
    case IR_E_CAST: weigh(x, r->a, weight, into); break;
    case IR_E_BINARY:
        weigh(x, r->a, weight, into);
        weigh(x, r->b, weight, into);
        break;
    default:
        if (ir_is_place(r->op))
            weigh_place(x, value);
        break;
    }
    x->deep--;
}

/* How much a value weighs that goes into a local; where it goes into memory it may be looked at anywhere, unless it only makes
 * a list's item point to the next. */
static enum carrier_weight weight_of_place(const struct finder *x, ir_expr place) {
    uint32_t var = place ? root_of(x, place) : UINT32_MAX;
    if (!place)
        return WEIGHT_NONE;
    if (var != UINT32_MAX && automatic(x, var))
        return (enum carrier_weight)x->vars[number_of(x, var)];
    uint32_t slot = slot_of(x, place);
    return slot && !(slot & SLOT_GLOBAL) && exchange_is_link(x->f->p, slot) ? WEIGHT_NONE : WEIGHT_DECIDES;
}

/* ---- events ---- */

static bool changes_locks(const struct model_function *m) {
    for (uint32_t i = 0; i < m->n_effects; i++)
        if (m->effects[i].kind >= MODEL_ACQUIRES && m->effects[i].kind <= MODEL_COND_SIGNAL)
            return true;
    return false;
}

static bool writes_argument(const struct model_function *m, uint32_t argument) {
    for (uint32_t i = 0; i < m->n_effects; i++)
        if (m->effects[i].kind == MODEL_WRITES && m->effects[i].a.root == MODEL_PARAM &&
            m->effects[i].a.index == argument)
            return true;
    return false;
}

/* What an argument points to, for a function without a body: a container in which it looks, and which it changes. */
static void meet_pointer(struct finder *x, ir_expr argument, enum carrier_weight weight) {
    const struct unit *u = x->u;
    ir_type type = type_plain(u, u->exprs[argument].type);
    const struct ir_expr_rec *r = &u->exprs[ir_uncast(u, argument)];
    if (u->types[type].kind != IR_T_POINTER || (r->op != IR_E_ADDR && r->op != IR_E_LOAD) ||
        is_private(x, r->a))
        return;
    bool constant = u->types[u->types[type].elem].kind == IR_T_QUALIFIED;
    if (weight != WEIGHT_NONE)
        note(x, r->a, false, weight, false);
    if (!constant)
        note(x, r->a, true, WEIGHT_NONE, false);
}

static void meet_call(struct finder *x, const struct ir_event_rec *r) {
    const struct program *p = x->f->p;
    ir_expr callee = ir_uncast(x->u, r->b);
    if (x->u->exprs[callee].op == IR_E_ADDR)
        callee = ir_uncast(x->u, x->u->exprs[callee].a);
    const struct linked_func *lf =
        x->u->exprs[callee].op == IR_E_FUNC ? &p->funcs.at[x->f->unit->funcs[x->u->exprs[callee].a]] : NULL;
    const struct model_function *model = lf && !lf->defined ? lf->model : NULL;
    enum carrier_weight result = weight_of_place(x, r->a);
    bool fills = false; /* something that is looked at later */
    weigh(x, r->b, WEIGHT_DECIDES, NO_SLOT);
    for (uint32_t i = 0; model && i < r->args.count; i++)
        fills |= writes_argument(model, i);
    for (uint32_t i = 0; i < r->args.count; i++) {
        ir_expr argument = x->u->expr_refs[r->args.first + i];
        bool pointer = x->u->types[type_plain(x->u, x->u->exprs[argument].type)].kind == IR_T_POINTER;
        enum carrier_weight weight = !model ? WEIGHT_DECIDES : fills && pointer ? WEIGHT_DECIDES : result;
        weigh(x, argument, weight, NO_SLOT);
        if ((!lf || !lf->defined) && !(model && changes_locks(model)))
            meet_pointer(x, argument, weight);
    }
    if (r->a) {
        weigh_place(x, r->a);
        note(x, r->a, true, WEIGHT_NONE, false);
    }
}

static void note_source(struct finder *x, const struct ir_event_rec *r) {
    uint32_t var = x->u->exprs[r->a].op == IR_E_VAR ? x->u->exprs[r->a].a : UINT32_MAX;
    uint32_t i = var != UINT32_MAX && automatic(x, var) ? number_of(x, var) : UINT32_MAX;
    ir_expr value = ir_uncast(x->u, r->b);
    if (i == UINT32_MAX)
        return;
    if (x->u->exprs[value].op == IR_E_BINARY &&
        x->u->exprs[ir_uncast(x->u, x->u->exprs[value].b)].op == IR_E_CONST)
        value = ir_uncast(x->u, x->u->exprs[value].a); /* n + 1 */
    bool memory = x->u->exprs[value].op == IR_E_LOAD && !is_private(x, x->u->exprs[value].a);
    uint32_t slot = memory ? slot_of(x, x->u->exprs[value].a) : 0;
    x->source[i] = slot && (!x->source[i] || x->source[i] == slot) ? slot : NO_SLOT;
}

static void meet_event(struct finder *x, const struct ir_event_rec *r) {
    switch ((enum ir_event_op)r->op) {
    case IR_EV_EVAL: weigh(x, r->a, WEIGHT_NONE, NO_SLOT); break;
    case IR_EV_RETURN:
        if (r->a)
            weigh(x, r->a, WEIGHT_DECIDES, NO_SLOT);
        break;
    case IR_EV_STORE:
        weigh_place(x, r->a);
        weigh(x, r->b, weight_of_place(x, r->a), is_private(x, r->a) ? NO_SLOT : slot_of(x, r->a));
        note(x, r->a, true, WEIGHT_NONE, false);
        break;
    case IR_EV_CALL: meet_call(x, r); break;
    case IR_EV_ATOMIC: {
        enum carrier_weight weight = weight_of_place(x, r->b);
        weigh_place(x, r->a);
        for (uint32_t i = 0; i < r->args.count; i++)
            weigh(x, x->u->expr_refs[r->args.first + i], WEIGHT_NONE, NO_SLOT);
        if (r->c != IR_AT_FENCE && weight != WEIGHT_NONE)
            note(x, r->a, false, weight, true);
        if (r->c != IR_AT_LOAD && r->c != IR_AT_FENCE && r->c != IR_AT_INIT)
            note(x, r->a, true, WEIGHT_NONE, true);
        break;
    }
    case IR_EV_ASM:
        for (uint32_t i = 0; i < r->args.count; i++)
            weigh(x, x->u->expr_refs[r->args.first + i], WEIGHT_DECIDES, NO_SLOT);
        break;
    default: break;
    }
}

static const struct ir_block_rec *block_at(const struct finder *x, uint32_t b) {
    return &x->u->blocks[x->fr->blocks.first + b];
}

/* Over all of the function, once; in the last pass reads and writes are noted. */
static void pass(struct finder *x, uint64_t held) {
    const struct region_flow *f = x->f;
    for (uint32_t b = 0; b < x->fr->blocks.count; b++) {
        const struct ir_block_rec *rec = block_at(x, b);
        for (ir_event ev = rec->events.first; ev < rec->events.first + rec->events.count; ev++) {
            x->locks = region_mutexes(f->locks_at[ev - f->first_event] | held);
            meet_event(x, &x->u->events[ev]);
        }
        if (rec->term != IR_TERM_BRANCH && rec->term != IR_TERM_SWITCH && rec->term != IR_TERM_INDIRECT)
            continue;
        uint64_t locks = held;
        for (uint32_t i = f->branch_first[b]; i < f->branch_first[b + 1]; i++)
            locks |= f->events[i].locks;
        x->locks = region_mutexes(locks);
        x->branch = x->inside[b];
        weigh(x, rec->cond, (enum carrier_weight)x->blocks[b], NO_SLOT);
        x->branch = NULL;
    }
}

/* ---- branches ---- */

/* Is the variable named in a block that is not `inside`? */
static bool named_outside(const struct finder *x, uint32_t var, const bool *inside) {
    for (uint32_t b = 0; b < x->fr->blocks.count; b++) {
        const struct ir_block_rec *rec = block_at(x, b);
        if (inside[b])
            continue;
        if (rec->cond && ir_mentions(x->u, rec->cond, var))
            return true;
        for (ir_event ev = rec->events.first; ev < rec->events.first + rec->events.count; ev++) {
            const struct ir_event_rec *r = &x->u->events[ev];
            bool two = r->op == IR_EV_STORE || r->op == IR_EV_CALL || r->op == IR_EV_ATOMIC,
                 one = two || r->op == IR_EV_EVAL || r->op == IR_EV_RETURN;
            if ((one && r->a && ir_mentions(x->u, r->a, var)) ||
                (two && r->b && ir_mentions(x->u, r->b, var)))
                return true;
            for (uint32_t i = 0; i < r->args.count; i++)
                if (ir_mentions(x->u, x->u->expr_refs[r->args.first + i], var))
                    return true;
        }
    }
    return false;
}

/* Does a block inside leave something in a local that weighs anything outside? */
static bool leaves_something(const struct finder *x, uint32_t b, const bool *inside) {
    const struct ir_range events = block_at(x, b)->events;
    for (ir_event ev = events.first; ev < events.first + events.count; ev++) {
        const struct ir_event_rec *r = &x->u->events[ev];
        ir_expr to = r->op == IR_EV_STORE || r->op == IR_EV_CALL ? r->a : r->op == IR_EV_ATOMIC ? r->b : 0;
        uint32_t var = to ? root_of(x, to) : UINT32_MAX;
        if (var != UINT32_MAX && automatic(x, var) && x->vars[number_of(x, var)] &&
            named_outside(x, var, inside))
            return true;
    }
    return false;
}

/* All ways out of block b come to block `to`, leave nothing in a local on the way, and do not come by b again: *inside are the
 * blocks between. */
static bool rejoins(const struct finder *x, uint32_t b, uint32_t to, bool *inside) {
    bool plain = every_way_rejoins(x->u, x->fr, b, to);
    VEC(uint32_t) work = {0};
    vec_push(&work, b);
    for (size_t i = 0; i < work.n && plain; i++) {
        const struct ir_block_rec *rec = block_at(x, work.at[i]);
        for (uint32_t k = 0; k < rec->succs.count; k++) {
            uint32_t next = x->u->succs[rec->succs.first + k].block - x->fr->blocks.first;
            if (next == to || inside[next] || x->f->ends[next] == WAY_DIES)
                continue;
            inside[next] = true;
            plain &= next != b && x->f->ends[next] == WAY_GOES_ON;
            vec_push(&work, next);
        }
    }
    for (size_t i = 1; i < work.n && plain; i++)
        plain = !leaves_something(x, work.at[i], inside);
    vec_free(&work);
    return plain;
}

static void weigh_branches(struct finder *x) {
    const uint32_t n = x->fr->blocks.count;
    bool *inside = NULL;
    for (uint32_t b = 0; b < n && n <= MOST_BLOCKS; b++) {
        uint32_t term = block_at(x, b)->term;
        for (uint32_t to = 0; (term == IR_TERM_BRANCH || term == IR_TERM_SWITCH) && to < n; to++) {
            inside = inside ? inside : arena_array(&x->f->p->arena, bool, n);
            memset(inside, 0, n * sizeof *inside);
            if (to != b && rejoins(x, b, to, inside)) {
                x->blocks[b] = WEIGHT_INSIDE;
                x->inside[b] = inside;
                inside = NULL;
                break;
            }
        }
    }
}

static void settle(struct finder *x) {
    do {
        x->changed = false;
        pass(x, 0);
    } while (x->changed);
}

/* Locals whose address others get: only those are memory that another thread may know. */
static void find_handed(struct finder *x) {
    const struct region_flow *f = x->f;
    for (size_t i = 0; i < f->control.n; i++) {
        const struct region_event *e = &f->events[f->control.at[i]];
        const struct place *object = &f->places[place_object(f, e->place)];
        bool goes =
            e->op == REGION_SPAWN || e->op == REGION_PUT || e->op == REGION_SEND || e->op == REGION_KEEP;
        if (goes && object->op == PLACE_LOCAL && automatic(x, object->a))
            x->handed[number_of(x, object->a)] = true;
    }
}

/* Does the function look at anything that could carry an order? */
static bool concerned(const struct finder *x, uint64_t held) {
    const struct region_flow *f = x->f;
    for (uint32_t b = 0; b < x->fr->blocks.count; b++) {
        const struct ir_range events = block_at(x, b)->events;
        for (ir_event ev = events.first; ev < events.first + events.count; ev++)
            if (f->locks_at[ev - f->first_event] || x->u->events[ev].op == IR_EV_ATOMIC)
                return true;
    }
    return held != 0;
}

void carriers_find(struct regions *r, const struct region_flow *f, uint64_t held, struct carrier_uses *out) {
    struct finder x = {.r = r, .f = f, .u = f->unit->unit};
    x.fr = &x.u->funcs[f->p->funcs.at[f->func].func];
    if (!concerned(&x, held))
        return;
    uint32_t n = x.fr->params.count + x.fr->locals.count;
    x.vars = xcalloc(n + 1, sizeof *x.vars);
    x.source = xcalloc(n + 1, sizeof *x.source);
    x.blocks = xcalloc(x.fr->blocks.count + 1, sizeof *x.blocks);
    x.handed = xcalloc(n + 1, sizeof *x.handed);
    x.inside = xcalloc(x.fr->blocks.count + 1, sizeof *x.inside);
    memset(x.blocks, WEIGHT_DECIDES, x.fr->blocks.count);
    find_handed(&x);
    for (uint32_t b = 0; b < x.fr->blocks.count; b++) {
        const struct ir_range events = block_at(&x, b)->events;
        for (ir_event ev = events.first; ev < events.first + events.count; ev++)
            if (x.u->events[ev].op == IR_EV_STORE)
                note_source(&x, &x.u->events[ev]);
    }
    settle(&x);
    weigh_branches(&x);
    memset(x.vars, WEIGHT_NONE, n);
    settle(&x);
    x.out = out;
    pass(&x, held);
    free(x.vars);
    free(x.source);
    free(x.handed);
    free(x.blocks);
    free(x.inside);
}
