/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Solves one function's flow: which place each local points to, block by block, then its region events in order.
 * Stands on region.h; calls are applied by region_call.c. */
#include "region_flow.h"

#include <string.h>
#include "../base/alloc.h"

enum { MAX_EVENTS = 4000, MAX_STATE = 1 << 22, MAX_ROUNDS = 12, MAX_DEPTH = 12 };

struct regions {
    struct program *p;
    VEC(struct region_flow *) flows; /* by function; NULL: never asked for */
    unsigned depth;
};

struct regions *regions_new(struct program *p)
{
    struct regions *r = xcalloc(1, sizeof *r);
    r->p = p;
    for (size_t i = 0; i < p->funcs.n; i++)
        vec_push(&r->flows, NULL);
    return r;
}

void regions_free(struct regions *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->flows.n; i++)
        if (r->flows.at[i]) {
            struct region_flow *f = r->flows.at[i];
            free(f->places);
            index_free(&f->place_index);
            free(f->events);
            free(f->first);
            free(f->branches);
            free(f->locks_at);
            map64_free(&f->names);
            free(f);
        }
    vec_free(&r->flows);
    free(r);
}

/* ---- state ---- */

static void state_init(const struct solve *x, struct state *s)
{
    memset(s, 0, sizeof *s);
    s->vars = xcalloc(x->n_vars ? x->n_vars : 1, sizeof *s->vars);
}

static void state_free(struct state *s)
{
    free(s->vars);
    vec_free(&s->cells);
}

static void state_copy(const struct solve *x, struct state *to, const struct state *from)
{
    memcpy(to->vars, from->vars, x->n_vars * sizeof *to->vars);
    vec_clear(&to->cells);
    vec_append(&to->cells, from->cells.at, from->cells.n);
    to->locks = from->locks;
    to->acquired = from->acquired;
    to->reached = from->reached;
}

/* Local variable v as an index of state.vars, or UINT32_MAX. */
static uint32_t var_slot(const struct solve *x, uint32_t v)
{
    if (v >= x->first_param && v - x->first_param < x->n_params)
        return v - x->first_param;
    if (v >= x->first_local && v - x->first_local < x->n_vars - x->n_params)
        return x->n_params + (v - x->first_local);
    return UINT32_MAX;
}

static region_value merged(struct solve *x, region_value a, region_value b, uint32_t var, uint32_t block)
{
    if (a == b)
        return a;
    if (VALUE_KIND(a) == VALUE_ZERO && VALUE_KIND(b) == VALUE_POINTER)
        return b;
    if (VALUE_KIND(b) == VALUE_ZERO && VALUE_KIND(a) == VALUE_POINTER)
        return a;
    if (VALUE_KIND(a) == VALUE_POINTER && VALUE_KIND(b) == VALUE_POINTER)
        return VALUE_OF(VALUE_POINTER, place_make(x->f, PLACE_PHI, block, var));
    return 0;
}

static bool state_merge(struct solve *x, struct state *into, const struct state *from, uint32_t block)
{
    if (!into->reached) {
        state_copy(x, into, from);
        return true;
    }
    bool changed = false;
    for (uint32_t i = 0; i < x->n_vars; i++) {
        uint32_t var = i < x->n_params ? x->first_param + i : x->first_local + (i - x->n_params);
        region_value v = merged(x, into->vars[i], from->vars[i], var, block);
        changed |= v != into->vars[i];
        into->vars[i] = v;
    }
    size_t kept = 0;
    for (size_t i = 0; i < into->cells.n; i++)
        for (size_t j = 0; j < from->cells.n; j++)
            if (from->cells.at[j].at == into->cells.at[i].at && from->cells.at[j].value == into->cells.at[i].value) {
                into->cells.at[kept++] = into->cells.at[i];
                break;
            }
    changed |= kept != into->cells.n || (from->locks & ~into->locks) || (from->acquired & ~into->acquired);
    into->cells.n = kept;
    into->locks |= from->locks;
    into->acquired |= from->acquired;
    return changed;
}

void region_set(struct solve *x, place_id at, region_value value)
{
    struct region_flow *f = x->f;
    if (f->places[at].op == PLACE_LOCAL) {
        uint32_t slot = var_slot(x, f->places[at].a);
        if (slot != UINT32_MAX)
            x->s->vars[slot] = value;
        if (VALUE_KIND(value) == VALUE_POINTER && *unit_str(x->u, x->u->vars[f->places[at].a].name)) {
            uint32_t op = f->places[VALUE_ITEM(value)].op;
            bool nameless = op == PLACE_HEAP || op == PLACE_RESULT || op == PLACE_LOADED;
            if (nameless && !map64_find(&f->names, VALUE_ITEM(value)))
                map64_put(&f->names, VALUE_ITEM(value), f->places[at].a + 1);
        }
        return;
    }
    enum place_op root = (enum place_op)f->places[place_object(f, at)].op;
    if (root != PLACE_LOCAL && root != PLACE_HEAP)
        return;
    for (size_t i = 0; i < x->s->cells.n; i++)
        if (x->s->cells.at[i].at == at) {
            x->s->cells.at[i].value = value;
            return;
        }
    if (x->s->cells.n < 64) {
        struct cell_value c = {at, value};
        vec_push(&x->s->cells, c);
    }
}

/* Whatever lies in the object may have changed. */
void region_forget(struct solve *x, place_id object)
{
    if (x->f->places[object].op == PLACE_LOCAL) {
        uint32_t slot = var_slot(x, x->f->places[object].a);
        if (slot != UINT32_MAX)
            x->s->vars[slot] = 0;
    }
    size_t kept = 0;
    for (size_t i = 0; i < x->s->cells.n; i++)
        if (place_object(x->f, x->s->cells.at[i].at) != object)
            x->s->cells.at[kept++] = x->s->cells.at[i];
    x->s->cells.n = kept;
}

/* ---- expressions ---- */

static bool is_pointer(const struct unit *u, ir_type t)
{
    t = type_plain(u, t);
    while (u->types[t].kind == IR_T_ATOMIC)
        t = type_plain(u, u->types[t].elem);
    return u->types[t].kind == IR_T_POINTER;
}

/* Does the pointer in this place stay the same all through the function? */
static bool stable(const struct solve *x, place_id at)
{
    const struct place *p = &x->f->places[at];
    const struct summary *s = x->p->funcs.at[x->f->func].summary;
    if (!s)
        return false;
    if (p->op == PLACE_FIELD)
        return !mods_has(s->mods, MOD_FIELD(p->b));
    if (p->op == PLACE_GLOBAL)
        return !mods_has(s->mods, MOD_GLOBAL(x->p, p->a));
    return false;
}

static region_value load(struct solve *x, place_id at, ir_type type)
{
    if (!at)
        return 0;
    if (x->f->places[at].op == PLACE_LOCAL) {
        uint32_t slot = var_slot(x, x->f->places[at].a);
        if (slot != UINT32_MAX && x->s->vars[slot])
            return x->s->vars[slot];
    } else {
        for (size_t i = 0; i < x->s->cells.n; i++)
            if (x->s->cells.at[i].at == at)
                return x->s->cells.at[i].value;
    }
    if (!is_pointer(x->u, type))
        return 0;
    place_id target = stable(x, at) ? place_make(x->f, PLACE_DEREF, at, 0) : place_make(x->f, PLACE_LOADED, at, x->event);
    return VALUE_OF(VALUE_POINTER, target);
}

static place_id element(struct solve *x, place_id array, region_value index, ir_expr index_expr)
{
    const struct ir_expr_rec *e = &x->u->exprs[index_expr];
    (void)index;
    if (x->f->places[array].op == PLACE_INDEX)
        array = x->f->places[array].a;
    uint32_t which = e->op == IR_E_CONST && !e->b && e->a < 0xfffffff ? e->a + 1 : 0;
    return place_make(x->f, PLACE_INDEX, array, which);
}

place_id region_place(struct solve *x, ir_expr e)
{
    const struct ir_expr_rec *r = &x->u->exprs[e];
    region_value v;
    place_id a;
    if (++x->nesting > 200) {
        x->nesting--;
        return 0;
    }
    place_id out = 0;
    switch ((enum ir_expr_op)r->op) {
    case IR_E_VAR:
        out = x->f->unit->globals[r->a] ? place_make(x->f, PLACE_GLOBAL, x->f->unit->globals[r->a], 0)
                                        : place_make(x->f, PLACE_LOCAL, r->a, 0);
        break;
    case IR_E_DEREF:
        v = region_eval(x, r->a);
        out = VALUE_KIND(v) == VALUE_POINTER ? VALUE_ITEM(v) : 0;
        break;
    case IR_E_FIELD:
        a = region_place(x, r->a);
        out = a && x->f->unit->fields[r->b] ? place_make(x->f, PLACE_FIELD, a, x->f->unit->fields[r->b]) : 0;
        break;
    case IR_E_INDEX:
        v = region_eval(x, r->a);
        out = VALUE_KIND(v) == VALUE_POINTER ? element(x, VALUE_ITEM(v), 0, r->b) : 0;
        break;
    default:
        break;
    }
    x->nesting--;
    return out;
}

region_value region_eval(struct solve *x, ir_expr e)
{
    const struct ir_expr_rec *r = &x->u->exprs[e];
    place_id at;
    region_value v;
    if (++x->nesting > 200) {
        x->nesting--;
        return 0;
    }
    region_value out = 0;
    switch ((enum ir_expr_op)r->op) {
    case IR_E_CONST:
        out = !r->a && !r->b ? VALUE_OF(VALUE_ZERO, 0) : 0;
        break;
    case IR_E_FUNC:
        out = VALUE_OF(VALUE_FUNC, x->f->unit->funcs[r->a]);
        break;
    case IR_E_LOAD:
        out = load(x, region_place(x, r->a), r->type ? r->type : x->u->exprs[r->a].type);
        break;
    case IR_E_ADDR:
        at = region_place(x, r->a);
        out = at ? VALUE_OF(VALUE_POINTER, at) : 0;
        break;
    case IR_E_CAST:
        out = region_eval(x, r->a);
        break;
    case IR_E_BINARY:
        if (r->c != IR_B_ADD && r->c != IR_B_SUB)
            break;
        v = region_eval(x, r->a);
        if (VALUE_KIND(v) != VALUE_POINTER && r->c == IR_B_ADD) {
            v = region_eval(x, r->b);
            if (VALUE_KIND(v) == VALUE_POINTER)
                out = VALUE_OF(VALUE_POINTER, element(x, VALUE_ITEM(v), 0, r->a));
        } else if (VALUE_KIND(v) == VALUE_POINTER) {
            out = VALUE_OF(VALUE_POINTER, element(x, VALUE_ITEM(v), 0, r->c == IR_B_ADD ? r->b : 0));
        }
        break;
    default:
        break;
    }
    x->nesting--;
    return out;
}

/* ---- events ---- */

struct region_event *region_add(struct solve *x, enum region_op op, place_id place, unsigned flags, ir_loc loc)
{
    struct region_flow *f = x->f;
    if (!x->recording)
        return NULL;
    if (f->n_events >= MAX_EVENTS) {
        f->overflow = true;
        return NULL;
    }
    if (f->n_events == f->cap_events) {
        f->cap_events = f->cap_events ? 2 * f->cap_events : 32;
        f->events = xrealloc(f->events, f->cap_events * sizeof *f->events);
    }
    struct region_event *e = &f->events[f->n_events++];
    memset(e, 0, sizeof *e);
    e->op = (uint8_t)op;
    e->flags = (uint8_t)flags;
    e->acquired = x->s->acquired;
    e->place = place;
    e->locks = x->s->locks;
    e->event = x->event;
    e->func = f->func;
    e->loc = loc ? loc : x->u->events[x->event].loc;
    return e;
}

void region_order(struct solve *x, uint64_t takes, uint64_t gives)
{
    struct region_event *e = takes | gives ? region_add(x, REGION_ORDER, 0, 0, 0) : NULL;
    if (e) {
        e->takes = takes;
        e->gives = gives;
    }
    x->s->acquired |= takes;
    x->f->takes |= takes;
    x->f->gives |= gives;
}

uint64_t region_class(const struct solve *x, place_id p)
{
    while (p && (x->f->places[p].op == PLACE_INDEX || x->f->places[p].op == PLACE_DEREF || x->f->places[p].op == PLACE_LOADED))
        p = x->f->places[p].a;
    if (!p)
        return UINT64_MAX;
    const struct place *at = &x->f->places[p];
    if (at->op != PLACE_FIELD && at->op != PLACE_GLOBAL)
        return UINT64_MAX;
    uint32_t item = at->op == PLACE_FIELD ? at->b : at->a;
    return UINT64_C(1) << (hash_mix(key_pair(at->op, item)) & 31);
}

/* Atomics have the upper half of the mask. */
static uint64_t atomic_class(const struct solve *x, place_id p)
{
    uint64_t class = region_class(x, p);
    return class == UINT64_MAX ? class : class << 32;
}

/* Flags that the declarations of the place's members give to every access. */
static unsigned place_flags(const struct solve *x, place_id p, ir_type type)
{
    unsigned flags = 0;
    ir_type bare = type_plain(x->u, type);
    if (x->u->types[bare].kind == IR_T_ATOMIC)
        flags |= REGION_ATOMIC;
    if (x->u->types[bare].kind == IR_T_STRUCT || x->u->types[bare].kind == IR_T_UNION || x->u->types[bare].kind == IR_T_ARRAY)
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

static void access_place(struct solve *x, enum region_op op, ir_expr e, unsigned flags)
{
    if (!x->recording)
        return;
    place_id p = region_place(x, e);
    if (!p)
        return;
    const struct place *object = &x->f->places[place_object(x->f, p)];
    if (object->op == PLACE_LOCAL && (x->u->vars[object->a].kind == IR_V_TEMP || !(x->u->vars[object->a].flags & IR_VF_ADDRESSED)))
        return;
    region_add(x, op, p, flags | place_flags(x, p, x->u->exprs[e].type), x->u->exprs[e].loc);
}

/* Every load inside an expression, and inside the places it names. */
void region_reads(struct solve *x, ir_expr e)
{
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
    case IR_E_DEREF: case IR_E_FIELD: case IR_E_ADDR: case IR_E_UNARY: case IR_E_CAST:
        region_reads(x, r->a);
        break;
    case IR_E_INDEX: case IR_E_BINARY:
        region_reads(x, r->a);
        region_reads(x, r->b);
        break;
    default:
        break;
    }
    x->nesting--;
}

static ir_expr uncast(const struct unit *u, ir_expr e)
{
    while (u->exprs[e].op == IR_E_CAST)
        e = u->exprs[e].a;
    return e;
}

/* A copy of a thread's handle is its handle too. */
static void follow_handle(struct solve *x, ir_expr to, ir_expr from)
{
    place_id target = region_place(x, to);
    region_value v = region_eval(x, from);
    from = uncast(x->u, from);
    place_id source = x->u->exprs[from].op == IR_E_LOAD ? region_place(x, x->u->exprs[from].a) : 0;
    place_id value = VALUE_KIND(v) == VALUE_POINTER ? VALUE_ITEM(v) : 0;
    if (!target || (!source && !value))
        return;
    for (size_t i = 0; i < x->f->n_events; i++) {
        struct handoff_spec *spec = (struct handoff_spec *)x->f->events[i].spawn;
        if (!spec || x->f->events[i].op != REGION_SPAWN)
            continue;
        for (uint32_t h = 0; h < spec->n_handles && spec->n_handles < 4; h++)
            if (spec->handles[h] == source || spec->handles[h] == value) {
                spec->handles[spec->n_handles++] = target;
                break;
            }
    }
}

static bool tracked(const struct unit *u, ir_type t)
{
    uint32_t kind = u->types[type_plain(u, t)].kind;
    return kind == IR_T_POINTER || kind == IR_T_INT || kind == IR_T_ENUM || kind == IR_T_UNKNOWN || kind == IR_T_ATOMIC;
}

static void apply_event(struct solve *x, ir_event ev)
{
    const struct ir_event_rec *r = &x->u->events[ev];
    place_id p;
    x->event = ev;
    switch ((enum ir_event_op)r->op) {
    case IR_EV_EVAL:
    case IR_EV_RETURN:
        region_reads(x, r->a);
        break;
    case IR_EV_STORE: {
        region_reads(x, r->b);
        region_reads(x, r->a);
        if (!(r->flags & IR_SF_INIT) || x->u->exprs[r->a].op != IR_E_VAR)
            access_place(x, REGION_WRITE, r->a, r->flags & IR_SF_AGGREGATE ? REGION_WHOLE : 0);
        if (x->recording)
            follow_handle(x, r->a, r->b);
        p = region_place(x, r->a);
        region_value v = tracked(x->u, x->u->exprs[r->a].type) ? region_eval(x, r->b) : 0;
        if (p && VALUE_KIND(v) == VALUE_POINTER) {
            enum place_op root = (enum place_op)x->f->places[place_object(x->f, p)].op;
            if (root != PLACE_LOCAL)
                region_add(x, REGION_KEEP, VALUE_ITEM(v), 0, 0);
        }
        if (p && (r->flags & IR_SF_AGGREGATE))
            region_forget(x, place_object(x->f, p));
        else if (p)
            region_set(x, p, v);
        break;
    }
    case IR_EV_CALL:
        region_call(x, r);
        break;
    case IR_EV_ATOMIC: {
        unsigned order = r->flags >> IR_SF_ORDER_SHIFT & 7;
        bool writes = r->c != IR_AT_LOAD && r->c != IR_AT_FENCE;
        for (uint32_t i = 0; i < r->args.count; i++)
            region_reads(x, x->u->expr_refs[r->args.first + i]);
        if (r->c != IR_AT_FENCE)
            access_place(x, writes && r->c != IR_AT_INIT ? REGION_WRITE : writes ? REGION_WRITE : REGION_READ, r->a, REGION_ATOMIC);
        uint64_t class = r->c == IR_AT_FENCE ? UINT64_MAX : atomic_class(x, region_place(x, r->a));
        bool reads = r->c != IR_AT_STORE && r->c != IR_AT_INIT;
        bool takes = reads && order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
        bool gives = r->c != IR_AT_LOAD && r->c != IR_AT_INIT && order != __ATOMIC_RELAXED && order != __ATOMIC_ACQUIRE &&
                     order != __ATOMIC_CONSUME;
        region_order(x, takes ? class : 0, gives ? class : 0);
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
    case IR_EV_BEGIN:
        region_forget(x, place_make(x->f, PLACE_LOCAL, r->a, 0));
        break;
    case IR_EV_END:
    case IR_EV_VA:
    case IR_EV_NONE:
    case IR_EV_OPS:
        break;
    }
}

/* What a branch asks of a call's result. */
static void note_branch(struct solve *x, const struct ir_block_rec *b, struct branch_fact *out)
{
    memset(out, 0, sizeof *out);
    if (b->term != IR_TERM_BRANCH)
        return;
    ir_expr e = uncast(x->u, b->cond);
    bool negated = false;
    while (x->u->exprs[e].op == IR_E_UNARY && x->u->exprs[e].b == IR_U_LNOT) {
        negated = !negated;
        e = uncast(x->u, x->u->exprs[e].a);
    }
    const struct ir_expr_rec *r = &x->u->exprs[e];
    uint32_t test = IR_B_NE;
    int64_t value = 0;
    region_value v;
    if (r->op == IR_E_BINARY && r->c >= IR_B_EQ && r->c <= IR_B_GE) {
        ir_expr right = uncast(x->u, r->b);
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

static void run_block(struct solve *x, uint32_t b)
{
    const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
    state_copy(x, x->s, &x->in[b]);
    for (uint32_t i = 0; i < rec->events.count; i++) {
        if (x->recording) {
            x->f->first[rec->events.first + i - x->f->first_event] = (uint32_t)x->f->n_events;
            x->f->locks_at[rec->events.first + i - x->f->first_event] = x->s->locks;
        }
        apply_event(x, rec->events.first + i);
    }
    if (x->recording) {
        x->event = rec->events.count ? rec->events.first + rec->events.count - 1 : x->f->first_event;
        if (rec->cond)
            region_reads(x, rec->cond);
        note_branch(x, rec, &x->f->branches[b]);
    }
}

/* The successor that a branch takes when parameter i is null: 0 or 1; 2 when it asks something else. */
static uint32_t null_side(const struct solve *x, const struct ir_block_rec *b, uint32_t param)
{
    if (b->term != IR_TERM_BRANCH)
        return 2;
    ir_expr e = uncast(x->u, b->cond);
    uint32_t side = 1;
    for (;;) {
        const struct ir_expr_rec *r = &x->u->exprs[e];
        bool zero = r->op == IR_E_BINARY && (r->c == IR_B_EQ || r->c == IR_B_NE) && x->u->exprs[uncast(x->u, r->b)].op == IR_E_CONST &&
                    !x->u->exprs[uncast(x->u, r->b)].a;
        if (r->op == IR_E_UNARY && r->b == IR_U_LNOT)
            side = !side;
        else if (zero)
            side = r->c == IR_B_EQ ? !side : side;
        else
            break;
        e = uncast(x->u, r->a);
    }
    const struct ir_expr_rec *r = &x->u->exprs[e];
    bool asks = r->op == IR_E_LOAD && x->u->exprs[r->a].op == IR_E_VAR && x->u->exprs[r->a].a == x->first_param + param;
    return asks ? side : 2;
}

/* Is there no way from the entry to a return that meets no FREE of parameter i's object, but those on which it is null? */
static bool freed_always(const struct solve *x, uint32_t param)
{
    const struct region_flow *f = x->f;
    VEC(uint32_t) work = {0};
    bool *seen = xcalloc(x->n_blocks, 1), escaped = false, freed = false;
    vec_push(&work, 0);
    seen[0] = true;
    while (work.n && !escaped) {
        uint32_t b = vec_pop(&work);
        const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
        bool stop = false;
        for (size_t i = 0; i < f->n_events && !stop; i++)
            stop = f->events[i].op == REGION_FREE && !(f->events[i].flags & REGION_MAYBE) && f->events[i].event >= rec->events.first &&
                   f->events[i].event - rec->events.first < rec->events.count &&
                   f->places[f->events[i].place].op == PLACE_PARAM && f->places[f->events[i].place].a == param;
        freed |= stop;
        if (stop)
            continue;
        escaped = rec->term == IR_TERM_RETURN;
        uint32_t null = null_side(x, rec, param);
        for (uint32_t i = 0; i < rec->succs.count; i++) {
            uint32_t to = x->u->succs[rec->succs.first + i].block - x->first_block;
            if (!seen[to] && i != null) {
                seen[to] = true;
                vec_push(&work, to);
            }
        }
    }
    vec_free(&work);
    free(seen);
    return freed && !escaped;
}

/* What may be released to after each event: backwards over blocks to a fixpoint, then over each block's events. Events of
 * one call stand beside each other: those lifted from the callee know what it gives after them. */
static void find_released(struct solve *x)
{
    struct region_flow *f = x->f;
    uint64_t *after = xcalloc(x->n_blocks, sizeof *after), *inside = xcalloc(x->n_blocks, sizeof *inside);
    for (uint32_t b = 0; b < x->n_blocks; b++) {
        struct ir_range ev = x->u->blocks[x->first_block + b].events;
        if (ev.count)
            for (uint32_t i = f->first[ev.first - f->first_event]; i < f->first[ev.first + ev.count - f->first_event]; i++)
                inside[b] |= f->events[i].gives;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = x->n_blocks; b-- > 0;) {
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            uint64_t mask = after[b];
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                uint32_t to = x->u->succs[rec->succs.first + i].block - x->first_block;
                mask |= after[to] | inside[to];
            }
            changed |= mask != after[b];
            after[b] = mask;
        }
    }
    for (uint32_t b = 0; b < x->n_blocks; b++) {
        struct ir_range ev = x->u->blocks[x->first_block + b].events;
        uint64_t running = after[b];
        for (uint32_t k = ev.count; k-- > 0;) {
            uint32_t from = f->first[ev.first + k - f->first_event], to = f->first[ev.first + k + 1 - f->first_event];
            uint64_t here = 0;
            for (uint32_t i = from; i < to; i++)
                here |= f->events[i].gives;
            for (uint32_t i = from; i < to; i++)
                f->events[i].released |= running | (f->events[i].flags & REGION_LIFTED ? 0 : here);
            running |= here;
        }
    }
    free(after);
    free(inside);
}

static void solve_function(struct solve *x)
{
    struct region_flow *f = x->f;
    struct state current;
    state_init(x, &current);
    x->s = &current;
    x->in = xcalloc(x->n_blocks, sizeof *x->in);
    for (uint32_t b = 0; b < x->n_blocks; b++)
        state_init(x, &x->in[b]);
    x->in[0].reached = true;
    for (uint32_t i = 0; i < x->n_params; i++)
        if (is_pointer(x->u, x->u->vars[x->first_param + i].type))
            x->in[0].vars[i] = VALUE_OF(VALUE_POINTER, place_make(f, PLACE_PARAM, i, 0));
    bool changed = true;
    for (unsigned round = 0; changed && round < MAX_ROUNDS; round++) {
        changed = false;
        for (uint32_t b = 0; b < x->n_blocks; b++) {
            if (!x->in[b].reached)
                continue;
            run_block(x, b);
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            for (uint32_t i = 0; i < rec->succs.count; i++) {
                uint32_t to = x->u->succs[rec->succs.first + i].block - x->first_block;
                x->s->reached = true;
                changed |= state_merge(x, &x->in[to], x->s, to);
            }
        }
    }
    f->failed = changed;
    x->recording = true;
    uint32_t n_events = x->end_event - f->first_event;
    f->first = xcalloc(n_events + 1, sizeof *f->first);
    f->locks_at = xcalloc(n_events + 1, sizeof *f->locks_at);
    f->branches = xcalloc(x->n_blocks, sizeof *f->branches);
    for (uint32_t b = 0; b < x->n_blocks && !f->failed; b++) {
        if (x->in[b].reached) {
            run_block(x, b);
        } else {
            const struct ir_block_rec *rec = &x->u->blocks[x->first_block + b];
            for (uint32_t i = 0; i < rec->events.count; i++)
                f->first[rec->events.first + i - f->first_event] = (uint32_t)f->n_events;
        }
        if (x->u->blocks[x->first_block + b].term == IR_TERM_RETURN)
            f->adds |= x->s->locks;
    }
    f->first[n_events] = (uint32_t)f->n_events;
    if (!f->failed)
        find_released(x);
    for (uint32_t i = 0; i < x->n_params && i < 64; i++)
        if (freed_always(x, i))
            f->frees_always |= UINT64_C(1) << i;
    for (uint32_t b = 0; b < x->n_blocks; b++)
        state_free(&x->in[b]);
    free(x->in);
    state_free(&current);
}

const struct region_flow *regions_flow(struct regions *r, uint32_t func)
{
    struct program *p = r->p;
    struct region_flow *f = r->flows.at[func];
    if (f)
        return f->solved && !f->failed ? f : NULL;
    const struct linked_func *lf = &p->funcs.at[func];
    if (!lf->defined || r->depth > MAX_DEPTH)
        return NULL;
    f = xcalloc(1, sizeof *f);
    r->flows.at[func] = f;
    f->p = p;
    f->func = func;
    f->unit = lf->unit;
    const struct unit *u = lf->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[lf->func];
    struct solve x = {.p = p, .r = r, .f = f, .u = u, .fr = fr, .first_block = fr->blocks.first, .n_blocks = fr->blocks.count,
                      .first_param = fr->params.first, .n_params = fr->params.count, .first_local = fr->locals.first,
                      .n_vars = fr->params.count + fr->locals.count};
    f->first_event = UINT32_MAX;
    for (uint32_t b = 0; b < x.n_blocks; b++) {
        struct ir_range ev = u->blocks[x.first_block + b].events;
        if (ev.count && ev.first < f->first_event)
            f->first_event = ev.first;
        if (ev.count && ev.first + ev.count > x.end_event)
            x.end_event = ev.first + ev.count;
    }
    if (!x.end_event)
        f->first_event = 0;
    place_make(f, PLACE_NONE, 0, 0);
    r->depth++;
    if (fr->blocks.count && (uint64_t)x.n_blocks * x.n_vars < MAX_STATE)
        solve_function(&x);
    else
        f->failed = true;
    r->depth--;
    f->solved = true;
    return f->failed ? NULL : f;
}
