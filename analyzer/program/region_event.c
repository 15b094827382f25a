/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What one event of a function does to places: which it reads and writes, what it orders, what a branch asks.
 * Stands on region_flow.h; calls are applied by region_call.c. */
#include "region_flow.h"

#include <string.h>
#include "../base/alloc.h"

enum { MAX_EVENTS = 4000 };

struct region_event *region_add(struct solve *x, enum region_op op, place_id place, unsigned flags,
                                ir_loc loc) {
    struct region_flow *f = x->f;
    struct region_event *e;
    if (!x->recording)
        return NULL;
    if (f->n_events + x->branches.n >= MAX_EVENTS) {
        f->overflow = true;
        return NULL;
    }
    if (x->in_branch) {
        e = vec_add(&x->branches);
    } else {
        if (f->n_events == f->cap_events) {
            f->cap_events = f->cap_events ? 2 * f->cap_events : 32;
            f->events = xrealloc(f->events, f->cap_events * sizeof *f->events);
        }
        if (op > REGION_PASS && op != REGION_ORDER)
            vec_push(&f->control, (uint32_t)f->n_events);
        if (op == REGION_SPAWN)
            vec_push(&f->spawns, (uint32_t)f->n_events);
        e = &f->events[f->n_events++];
        memset(e, 0, sizeof *e);
    }
    e->op = (uint8_t)op;
    e->flags = (uint8_t)(flags | (x->in_branch ? REGION_BRANCH : 0));
    e->acquired = x->s->acquired;
    e->place = place;
    e->locks = x->s->locks;
    e->event = x->event;
    e->func = f->func;
    e->loc = loc ? loc : x->u->events[x->event].loc;
    return e;
}

void region_order_waits(struct solve *x, uint64_t takes, uint64_t gives, uint64_t waits) {
    struct region_event *e = takes | gives ? region_add(x, REGION_ORDER, 0, 0, 0) : NULL;
    if (e) {
        e->takes = takes;
        e->gives = gives;
        e->waits = waits;
    }
    x->s->acquired |= takes;
}

void region_order(struct solve *x, uint64_t takes, uint64_t gives) {
    region_order_waits(x, takes, gives, takes);
}

void region_lock(struct solve *x, uint64_t class) {
    region_order_waits(x, class, 0, 0);
    x->s->locks |= class;
    x->s->dropped &= ~class;
}

void region_unlock(struct solve *x, uint64_t class) {
    region_order(x, 0, class);
    region_publish(x, class);
    if (class != UINT64_MAX)
        x->s->dropped |= class & ~x->s->locks;
    if (x->recording)
        x->f->may_drop |= class & ~x->s->locks;
    x->s->locks = class == UINT64_MAX ? 0 : x->s->locks & ~class;
}

/* Flags that the declarations of the place's members give to every access. */
static unsigned place_flags(const struct solve *x, place_id p, ir_type type) {
    unsigned flags = 0;
    ir_type bare = type_plain(x->u, type);
    if (x->u->types[bare].kind == IR_T_ATOMIC)
        flags |= REGION_ATOMIC;
    if (x->u->types[bare].kind == IR_T_STRUCT || x->u->types[bare].kind == IR_T_UNION ||
        x->u->types[bare].kind == IR_T_ARRAY)
        flags |= REGION_WHOLE;
    for (; p; p = x->f->places[p].a) {
        const struct place *at = &x->f->places[p];
        if (at->op == PLACE_FIELD && x->p->fields.at[at->b].guard)
            flags |= REGION_GUARDED;
        if (at->op == PLACE_GLOBAL && x->p->globals.at[at->a].guard)
            flags |= REGION_GUARDED;
        if (at->op != PLACE_FIELD && at->op != PLACE_INDEX)
            break;
    }
    return flags;
}

static void access_place(struct solve *x, enum region_op op, ir_expr e, unsigned flags) {
    if (!x->recording)
        return;
    place_id p = region_place(x, e);
    if (!p)
        return;
    const struct place *object = &x->f->places[place_object(x->f, p)];
    if (object->op == PLACE_LOCAL &&
        (x->u->vars[object->a].kind == IR_V_TEMP || !(x->u->vars[object->a].flags & IR_VF_ADDRESSED)))
        return;
    region_add(x, op, p, flags | place_flags(x, p, x->u->exprs[e].type), x->u->exprs[e].loc);
}

/* Every load inside an expression, and inside the places it names. */
void region_reads(struct solve *x, ir_expr e) {
    if (!x->recording || ++x->nesting > 200) {
        x->nesting -= x->recording;
        return;
    }
    const struct ir_expr_rec *r = &x->u->exprs[e];
    switch ((enum ir_expr_op)r->op) {
    case IR_E_LOAD:
        region_reads(x, r->a);
        access_place(x, REGION_READ, r->a, 0);
        break;
    case IR_E_DEREF:
    case IR_E_FIELD:
    case IR_E_ADDR:
    case IR_E_UNARY:
    case IR_E_CAST: region_reads(x, r->a); break;
    case IR_E_INDEX:
    case IR_E_BINARY:
        region_reads(x, r->a);
        region_reads(x, r->b);
        break;
    default: break;
    }
    x->nesting--;
}

static ir_type pointee(const struct unit *u, ir_type t) {
    t = type_plain(u, t);
    return u->types[t].kind == IR_T_POINTER ? u->types[t].elem : 0;
}

ir_type region_passed_type(const struct solve *x, ir_expr e) {
    for (;;) {
        const struct ir_expr_rec *r = &x->u->exprs[e];
        ir_type to = pointee(x->u, r->type);
        if (r->op == IR_E_ADDR && x->u->types[type_plain(x->u, x->u->exprs[r->a].type)].kind != IR_T_ARRAY)
            return x->u->exprs[r->a].type;
        if (to && x->u->types[type_plain(x->u, to)].kind != IR_T_VOID)
            return to;
        if (r->op != IR_E_CAST)
            return 0;
        e = r->a;
    }
}

/* A copy of a thread's handle is its handle too. */
static void follow_handle(struct solve *x, ir_expr to, ir_expr from) {
    if (!x->f->spawns.n)
        return;
    place_id target = region_place(x, to);
    region_value v = region_eval(x, from);
    from = ir_uncast(x->u, from);
    place_id source = x->u->exprs[from].op == IR_E_LOAD ? region_place(x, x->u->exprs[from].a) : 0;
    place_id value = VALUE_KIND(v) == VALUE_POINTER ? VALUE_ITEM(v) : 0;
    if (!target || (!source && !value))
        return;
    for (size_t i = 0; i < x->f->spawns.n; i++) {
        struct handoff_spec *spec = (struct handoff_spec *)x->f->events[x->f->spawns.at[i]].spawn;
        if (!spec)
            continue;
        for (uint32_t h = 0; h < spec->n_handles && spec->n_handles < 4; h++)
            if (spec->handles[h] == source || spec->handles[h] == value) {
                spec->handles[spec->n_handles++] = target;
                break;
            }
    }
}

/* What is known of the members of the source is known of those of the target. */
static void copy_struct(struct solve *x, place_id to, ir_expr value) {
    value = ir_uncast(x->u, value);
    place_id from = x->u->exprs[value].op == IR_E_LOAD ? region_place(x, x->u->exprs[value].a) : 0;
    region_forget(x, place_object(x->f, to));
    if (!from)
        return;
    for (size_t i = 0; i < x->s->cells.n; i++) {
        struct cell_value cell = x->s->cells.at[i];
        const struct place *member = &x->f->places[cell.at];
        if (member->op != PLACE_FIELD || member->a != from)
            continue;
        place_id into = place_make(x->f, PLACE_FIELD, to, member->b);
        region_set(x, into, cell.value);
        if (!place_is_own(x->f, into))
            region_keep(x, into, cell.value, 0);
    }
    if (x->recording) {
        struct struct_copy copy = {to, from, x->event};
        vec_push(&x->f->copies, copy);
    }
}

static bool tracked(const struct unit *u, ir_type t) {
    uint32_t kind = u->types[type_plain(u, t)].kind;
    return kind == IR_T_POINTER || kind == IR_T_INT || kind == IR_T_ENUM || kind == IR_T_UNKNOWN ||
           kind == IR_T_ATOMIC;
}

void region_apply(struct solve *x, ir_event ev) {
    const struct ir_event_rec *r = &x->u->events[ev];
    place_id p;
    x->event = ev;
    switch ((enum ir_event_op)r->op) {
    case IR_EV_EVAL: region_reads(x, r->a); break;
    case IR_EV_RETURN: {
        region_reads(x, r->a);
        region_value v = r->a ? region_eval(x, r->a) : 0;
        if (VALUE_KIND(v) == VALUE_POINTER)
            region_add(x, REGION_RETURN, VALUE_ITEM(v), 0, 0);
        break;
    }
    case IR_EV_STORE: {
        region_reads(x, r->b);
        region_reads(x, r->a);
        if (!(r->flags & IR_SF_INIT) || x->u->exprs[r->a].op != IR_E_VAR)
            access_place(x, REGION_WRITE, r->a, r->flags & IR_SF_AGGREGATE ? REGION_WHOLE : 0);
        if (x->recording)
            follow_handle(x, r->a, r->b);
        p = region_place(x, r->a);
        region_value v = tracked(x->u, x->u->exprs[r->a].type) ? region_eval(x, r->b) : 0;
        if (p && (VALUE_KIND(v) == VALUE_POINTER || VALUE_KIND(v) == VALUE_FUNC) &&
            x->f->places[place_object(x->f, p)].op != PLACE_LOCAL)
            region_keep(x, p, v, region_passed_type(x, r->b));
        if (p && (r->flags & IR_SF_AGGREGATE))
            copy_struct(x, p, r->b);
        else if (p)
            region_set(x, p, v);
        break;
    }
    case IR_EV_CALL: region_call(x, r); break;
    case IR_EV_ATOMIC: {
        unsigned order = r->flags >> IR_SF_ORDER_SHIFT & 7;
        bool writes = r->c != IR_AT_LOAD && r->c != IR_AT_FENCE;
        for (uint32_t i = 0; i < r->args.count; i++)
            region_reads(x, x->u->expr_refs[r->args.first + i]);
        if (r->c != IR_AT_FENCE)
            access_place(x,
                         writes && r->c != IR_AT_INIT ? REGION_WRITE
                         : writes                     ? REGION_WRITE
                                                      : REGION_READ,
                         r->a, REGION_ATOMIC);
        uint64_t class = r->c == IR_AT_FENCE ? UINT64_MAX : region_class_atomic(x, region_place(x, r->a));
        bool reads = r->c != IR_AT_STORE && r->c != IR_AT_INIT;
        bool takes = reads && order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
        bool gives = r->c != IR_AT_LOAD && r->c != IR_AT_INIT && order != __ATOMIC_RELAXED &&
                     order != __ATOMIC_ACQUIRE && order != __ATOMIC_CONSUME;
        bool counts = r->c == IR_AT_RMW; /* what it finds there waits for nobody */
        region_order_waits(x, takes ? class : 0, gives ? class : 0, takes && !counts ? class : 0);
        if (r->b && (p = region_place(x, r->b)))
            region_set(x, p, 0);
        break;
    }
    case IR_EV_ASM:
        for (uint32_t i = 0; i < r->args.count; i++)
            region_reads(x, x->u->expr_refs[r->args.first + i]);
        if (r->flags & IR_SF_CLOBBERS)
            region_order(x, UINT64_MAX, UINT64_MAX);
        break;
    case IR_EV_BEGIN: region_forget(x, place_make(x->f, PLACE_LOCAL, r->a, 0)); break;
    case IR_EV_END:
    case IR_EV_VA:
    case IR_EV_NONE:
    case IR_EV_OPS: break;
    }
}

/* What a branch asks of a call's result. */
void region_note_branch(struct solve *x, const struct ir_block_rec *b, struct branch_fact *out) {
    memset(out, 0, sizeof *out);
    if (b->term != IR_TERM_BRANCH)
        return;
    ir_expr e = ir_uncast(x->u, b->cond);
    bool negated = false;
    while (x->u->exprs[e].op == IR_E_UNARY && x->u->exprs[e].b == IR_U_LNOT) {
        negated = !negated;
        e = ir_uncast(x->u, x->u->exprs[e].a);
    }
    const struct ir_expr_rec *r = &x->u->exprs[e];
    uint32_t test = IR_B_NE;
    int64_t value = 0;
    region_value v;
    if (r->op == IR_E_BINARY && r->c >= IR_B_EQ && r->c <= IR_B_GE) {
        ir_expr right = ir_uncast(x->u, r->b);
        if (x->u->exprs[right].op != IR_E_CONST)
            return;
        value = (int64_t)((uint64_t)x->u->exprs[right].b << 32 | x->u->exprs[right].a);
        test = r->c;
        v = region_eval(x, r->a);
    } else {
        v = region_eval(x, e);
    }
    static const uint32_t opposite[] = {IR_B_NE, IR_B_EQ, IR_B_GE, IR_B_GT, IR_B_LE, IR_B_LT};
    ir_event event = 0;
    if (VALUE_KIND(v) == VALUE_RESULT)
        event = x->f->first_event + VALUE_ITEM(v);
    else if (VALUE_KIND(v) == VALUE_POINTER && x->f->places[VALUE_ITEM(v)].op == PLACE_RESULT)
        event = x->f->places[VALUE_ITEM(v)].a;
    *out = (struct branch_fact){event, negated ? opposite[test - IR_B_EQ] : test, value};
}
