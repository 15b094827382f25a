/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a call does to regions: by its model, by its annotations, by the flow of the function it runs; or, when nothing is
 * known of it, anything.
 * Stands on region_flow.h. */
#include <string.h>
#include "../base/alloc.h"
#include "region_flow.h"

enum { MAX_ARGS = 16 };

struct call {
    const struct ir_event_rec *rec;
    uint32_t n;
    ir_expr expr[MAX_ARGS];
    region_value value[MAX_ARGS];
    region_value result;
};

static ir_expr uncast(const struct unit *u, ir_expr e)
{
    while (u->exprs[e].op == IR_E_CAST)
        e = u->exprs[e].a;
    return e;
}

static place_id target(const struct call *c, uint32_t i)
{
    return i < c->n && VALUE_KIND(c->value[i]) == VALUE_POINTER ? VALUE_ITEM(c->value[i]) : 0;
}

/* The place that argument i was loaded from: pthread_join(t) names the handle in t. */
static place_id loaded_from(struct solve *x, const struct call *c, uint32_t i)
{
    if (i >= c->n)
        return 0;
    ir_expr e = uncast(x->u, c->expr[i]);
    place_id p = x->u->exprs[e].op == IR_E_LOAD ? region_place(x, x->u->exprs[e].a) : 0;
    if (p && x->f->places[p].op == PLACE_LOCAL && x->f->places[p].a >= x->first_param &&
        x->f->places[p].a - x->first_param < x->n_params)
        return place_make(x->f, PLACE_ARG, x->f->places[p].a - x->first_param, 0);
    return p;
}

static ir_type pointee(const struct unit *u, ir_type t)
{
    t = type_plain(u, t);
    return u->types[t].kind == IR_T_POINTER ? u->types[t].elem : 0;
}

/* The type that argument i points to before it was cast to void *. */
static ir_type passed_type(const struct solve *x, ir_expr e)
{
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

/* ---- hand-offs ---- */

static struct handoff_spec *new_spec(struct solve *x)
{
    struct handoff_spec *s = arena_new(&x->p->arena, struct handoff_spec);
    s->func = x->f->func;
    s->event = x->event;
    return s;
}

static void add_handle(struct handoff_spec *s, place_id p)
{
    if (p && s->n_handles < 4)
        s->handles[s->n_handles++] = p;
}

static void set_entry(struct solve *x, struct handoff_spec *s, const struct call *c, uint32_t i)
{
    if (i >= c->n)
        return;
    region_value v = c->value[i];
    if (VALUE_KIND(v) == VALUE_FUNC) {
        s->entries[s->n_entries++] = VALUE_ITEM(v);
    } else if (VALUE_KIND(v) == VALUE_POINTER) {
        const struct place *p = &x->f->places[VALUE_ITEM(v)];
        if (p->op == PLACE_PARAM)
            s->entry_param = p->a + 1;
    }
}

static void spawn(struct solve *x, struct call *c, struct handoff_spec *s, uint32_t entry, uint32_t argument)
{
    set_entry(x, s, c, entry);
    s->type = argument < c->n ? passed_type(x, c->expr[argument]) : 0;
    struct region_event *e = region_add(x, REGION_SPAWN, target(c, argument), 0, 0);
    if (e) {
        e->spawn = s;
        e->gives = UINT64_MAX; /* through the new thread to any other */
    }
    x->f->gives = UINT64_MAX;
}

static void send(struct solve *x, struct call *c, uint32_t argument)
{
    place_id p = target(c, argument);
    if (!p)
        return;
    struct handoff_spec *s = new_spec(x);
    s->moves = true;
    s->type = passed_type(x, c->expr[argument]);
    struct region_event *e = region_add(x, REGION_SEND, p, 0, 0);
    if (e)
        e->spawn = s;
}

static void add_join(struct solve *x, place_id place, unsigned flags)
{
    struct region_event *e = region_add(x, REGION_JOIN, place, flags, 0);
    if (e)
        e->takes = UINT64_MAX;
}

static void join(struct solve *x, const struct call *c, const struct model_ref *ref)
{
    bool some = false;
    place_id places[2] = {0, 0};
    if (ref->root == MODEL_OUT) {
        places[0] = target(c, ref->index);
    } else if (ref->root == MODEL_PARAM) {
        places[0] = loaded_from(x, c, ref->index);
        places[1] = target(c, ref->index);
    }
    for (int i = 0; i < 2; i++)
        if (places[i] && (i == 0 || places[1] != places[0])) {
            add_join(x, places[i], some ? REGION_MAYBE : 0);
            some = true;
        }
    if (!some)
        add_join(x, 0, 0);
    x->s->acquired = UINT64_MAX;
    x->f->takes = UINT64_MAX;
}

/* ---- models ---- */

static bool may_happen(const struct solve *x, const struct call *c, const struct model_if *only)
{
    if (only->test == MODEL_ALWAYS || only->index >= c->n)
        return only->test == MODEL_ALWAYS;
    const struct ir_expr_rec *e = &x->u->exprs[uncast(x->u, c->expr[only->index])];
    if (e->op != IR_E_CONST)
        return true;
    int64_t v = (int64_t)((uint64_t)e->b << 32 | e->a), w = only->value;
    switch ((enum model_test)only->test) {
    case MODEL_EQ: return v == w;
    case MODEL_NE: return v != w;
    case MODEL_LT: return v < w;
    case MODEL_LE: return v <= w;
    case MODEL_GT: return v > w;
    case MODEL_GE: return v >= w;
    case MODEL_HAS: return v & w;
    case MODEL_LACKS: return !(v & w);
    case MODEL_ALWAYS: break;
    }
    return true;
}

static bool only_sleeps(const char *name)
{
    static const char *const names[] = {"sleep",     "usleep",    "nanosleep", "clock_nanosleep", "thrd_sleep",
                                        "g_usleep",  "SDL_Delay", "uv_sleep"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* A lock that is taken is touched, though never in a way that races with another taker. */
static void touch(struct solve *x, place_id p, enum region_op op, unsigned flags)
{
    if (p)
        region_add(x, op, p, flags | REGION_WHOLE, 0);
}

static void model_effect(struct solve *x, struct call *c, const struct model_function *m, const struct model_effect *e)
{
    place_id a = e->a.root == MODEL_PARAM || e->a.root == MODEL_OUT ? target(c, e->a.index) : 0;
    if (!may_happen(x, c, &e->only))
        return;
    switch ((enum model_effect_kind)e->kind) {
    case MODEL_LOCK_INIT: case MODEL_COND_INIT: case MODEL_LOCK_DESTROY: case MODEL_COND_DESTROY:
        touch(x, a, REGION_WRITE, 0);
        break;
    case MODEL_ACQUIRES:
        touch(x, a, REGION_READ, REGION_ATOMIC);
        region_order(x, region_class(x, a), 0);
        x->s->locks |= region_class(x, a);
        break;
    case MODEL_RELEASES:
        region_order(x, 0, region_class(x, a));
        if (region_class(x, a) != UINT64_MAX)
            x->s->locks &= ~region_class(x, a);
        else
            x->s->locks = 0;
        break;
    case MODEL_COND_WAIT:
        touch(x, a, REGION_READ, REGION_ATOMIC);
        region_order(x, region_class(x, a) | region_class(x, target(c, e->b.index)), region_class(x, target(c, e->b.index)));
        break;
    case MODEL_COND_SIGNAL:
        touch(x, a, REGION_READ, REGION_ATOMIC);
        region_order(x, 0, region_class(x, a));
        break;
    case MODEL_ORDERS:
        region_order(x, e->flags & MODEL_BEFORE ? 0 : region_class(x, a), e->flags & MODEL_BEFORE ? region_class(x, a) : 0);
        break;
    case MODEL_ONCE:
        region_order(x, UINT64_MAX, UINT64_MAX);
        break;
    case MODEL_BLOCKS:
        for (uint32_t i = 0; i < m->n_effects; i++)
            if (m->effects[i].kind == MODEL_JOINS)
                return;
        if (!only_sleeps(m->name))
            region_order(x, UINT64_MAX, 0);
        break;
    case MODEL_RECEIVES:
        region_order(x, UINT64_MAX, 0);
        break;
    case MODEL_SPAWNS: {
        struct handoff_spec *s = new_spec(x);
        s->when = e->when;
        s->task = e->flags & MODEL_TASK;
        s->lent = e->flags & MODEL_LENT;
        if (e->c.root == MODEL_OUT)
            add_handle(s, target(c, e->c.index));
        else if (e->c.root == MODEL_RETURN)
            add_handle(s, place_make(x->f, PLACE_RESULT, x->event, 0));
        if (strncmp(m->name, "pthread_create", 14) == 0 && c->n > 1)
            s->has_attributes = VALUE_KIND(c->value[1]) != VALUE_ZERO;
        spawn(x, c, s, e->a.index, e->b.index);
        break;
    }
    case MODEL_JOINS:
        join(x, c, &e->a);
        break;
    case MODEL_DETACHES:
        region_add(x, REGION_DETACH, e->a.root == MODEL_OUT ? a : loaded_from(x, c, e->a.index), 0, 0);
        if (a && e->a.root == MODEL_PARAM)
            region_add(x, REGION_DETACH, a, 0, 0);
        break;
    case MODEL_SENDS:
        if (e->a.root == MODEL_PARAM)
            send(x, c, e->a.index);
        region_order(x, 0, UINT64_MAX);
        break;
    case MODEL_ALLOCATES:
        if (e->a.root == MODEL_RETURN)
            c->result = VALUE_OF(VALUE_POINTER, place_make(x->f, PLACE_HEAP, x->event, 0));
        else if (a)
            region_set(x, a, VALUE_OF(VALUE_POINTER, place_make(x->f, PLACE_HEAP, x->event, 0)));
        break;
    case MODEL_FREES:
        if (a)
            region_add(x, REGION_FREE, a, 0, 0);
        break;
    case MODEL_REALLOCATES:
        if (a)
            region_add(x, REGION_FREE, a, 0, 0);
        c->result = VALUE_OF(VALUE_POINTER, place_make(x->f, PLACE_HEAP, x->event, 0));
        break;
    case MODEL_READS: case MODEL_WRITES:
        if (a)
            region_add(x, e->kind == MODEL_READS ? REGION_READ : REGION_WRITE, a, REGION_WHOLE, 0);
        if (a && e->kind == MODEL_WRITES)
            region_forget(x, place_object(x->f, a));
        break;
    case MODEL_RETURNS:
        if (e->a.index < c->n)
            c->result = c->value[e->a.index];
        break;
    case MODEL_STORES:
        if (a)
            region_add(x, REGION_KEEP, a, 0, 0);
        break;
    default:
        break;
    }
}

/* ---- annotations ---- */

/* The lock that an annotation's path names at this call, as a place; 0 when it cannot be said. */
static place_id annotated_lock(struct solve *x, const struct call *c, const struct lock_path *path)
{
    place_id p = 0;
    uint32_t i = 0;
    if (path->root == LOCK_AT_PARAM && path->n_steps && path->steps[0].kind == LOCK_STEP_DEREF) {
        p = target(c, path->index);
        i = 1;
    } else if (path->root == LOCK_AT_VAR) {
        uint32_t global = program_unit(x->p, path->unit)->globals[path->var];
        p = global ? place_make(x->f, PLACE_GLOBAL, global, 0) : 0;
    }
    for (; p && i < path->n_steps; i++) {
        const struct lock_step *s = &path->steps[i];
        uint32_t field = s->kind == LOCK_STEP_FIELD ? program_unit(x->p, s->unit)->fields[s->field] : 0;
        if (s->kind == LOCK_STEP_FIELD)
            p = field ? place_make(x->f, PLACE_FIELD, p, field) : 0;
        else
            p = place_make(x->f, s->kind == LOCK_STEP_DEREF ? PLACE_DEREF : PLACE_INDEX, p, 0);
    }
    return p;
}

static void annotated_locks(struct solve *x, const struct call *c, enum ir_annot_kind kind, const struct lock_list *list)
{
    for (uint32_t i = 0; i < list->n_paths; i++) {
        place_id p = annotated_lock(x, c, &list->paths[i]);
        uint64_t class = region_class(x, p);
        if (kind == IR_A_releases) {
            region_order(x, 0, class);
            x->s->locks = class == UINT64_MAX ? 0 : x->s->locks & ~class;
        } else {
            touch(x, p, REGION_READ, REGION_ATOMIC);
            region_order(x, class, 0);
            x->s->locks |= class;
        }
    }
}

static bool annotated_effects(struct solve *x, struct call *c, uint32_t func)
{
    const struct linked_func *lf = &x->p->funcs.at[func];
    const struct unit *u = lf->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[lf->func];
    struct lock_context context = lock_context_of(u, LOCK_IN_FUNCTION, lf->func);
    bool known = false;
    uint32_t spawned = UINT32_MAX;
    struct handoff_spec *s = NULL;
    for (uint32_t i = 0; i < fr->annots.count; i++) {
        const struct ir_annot_rec *a = &u->annots[fr->annots.first + i];
        struct lock_list list;
        const char *why;
        bool values = a->kind == IR_A_spawns || a->kind == IR_A_spawns_if || a->kind == IR_A_joins;
        bool locks = a->kind == IR_A_acquires || a->kind == IR_A_acquires_shared || a->kind == IR_A_try_acquires ||
                     a->kind == IR_A_try_acquires_shared || a->kind == IR_A_releases;
        known |= values || locks || a->kind == IR_A_yields || a->kind == IR_A_blocks;
        if (a->kind == IR_A_yields)
            region_order(x, UINT64_MAX, UINT64_MAX);
        if ((!values && !locks) || lock_expr_annotation(&context, &x->p->arena, a, &list, &why) != LOCK_RESOLVED)
            continue;
        if (locks) {
            annotated_locks(x, c, (enum ir_annot_kind)a->kind, &list);
        } else if (a->kind == IR_A_joins) {
            struct model_ref ref = {.root = MODEL_PARAM, .index = (uint8_t)list.paths[0].index};
            join(x, c, &ref);
        } else if (list.paths[0].root == LOCK_AT_PARAM && list.paths[1].root == LOCK_AT_PARAM) {
            s = new_spec(x);
            s->when = list.when;
            spawned = list.paths[1].index;
            for (uint32_t k = 0; k < c->n && k < fr->params.count; k++)
                if (k != spawned && k != list.paths[0].index)
                    add_handle(s, target(c, k));
            add_handle(s, place_make(x->f, PLACE_RESULT, x->event, 0));
            spawn(x, c, s, list.paths[0].index, spawned);
        }
    }
    for (uint32_t k = 0; k < fr->params.count && k < c->n; k++) {
        struct ir_range annots = u->vars[fr->params.first + k].annots;
        for (uint32_t i = 0; i < annots.count; i++) {
            uint32_t kind = u->annots[annots.first + i].kind;
            if ((kind == IR_A_sending || kind == IR_A_owned) && k != spawned) {
                send(x, c, k);
                known = true;
            } else if (kind == IR_A_sending && s) {
                s->moves = true;
            }
        }
    }
    return known;
}

/* ---- functions with a graph ---- */

static void lifted_spec(struct solve *x, const struct call *c, const struct region_flow *callee, const struct region_event *from,
                        struct region_event *to)
{
    struct handoff_spec *s = arena_new(&x->p->arena, struct handoff_spec);
    *s = *from->spawn;
    s->n_handles = 0;
    for (uint32_t i = 0; i < from->spawn->n_handles; i++)
        add_handle(s, place_translate(callee, from->spawn->handles[i], x->f, c->value, c->n));
    if (s->entry_param) {
        uint32_t i = s->entry_param - 1;
        s->entry_param = 0;
        set_entry(x, s, c, i);
    }
    to->spawn = s;
}

static void run_callee(struct solve *x, struct call *c, const struct region_flow *callee)
{
    struct map64 seen = {0};
    uint64_t locks = x->s->locks;
    uint64_t acquired = x->s->acquired;
    for (size_t i = 0; i < callee->n_events && x->recording; i++) {
        const struct region_event *from = &callee->events[i];
        if (from->op == REGION_ORDER || from->op == REGION_KEEP)
            continue;
        place_id p = callee->places[from->place].op == PLACE_ARG ? loaded_from(x, c, callee->places[from->place].a)
                                                                 : place_translate(callee, from->place, x->f, c->value, c->n);
        if (!p && from->op != REGION_JOIN)
            continue;
        uint64_t key = hash_add(hash_add(key_pair(from->op, p), from->locks), (uint64_t)from->flags << 32 | (from->spawn ? from->event : 0));
        bool is_new;
        map64_place(&seen, key, &is_new);
        struct region_event *e = is_new ? region_add(x, (enum region_op)from->op, p, from->flags, 0) : NULL;
        if (!e)
            continue;
        e->locks = locks | from->locks;
        e->func = from->func;
        e->loc = from->loc;
        e->flags |= REGION_LIFTED;
        e->acquired = acquired | from->acquired;
        e->released = from->released;
        e->takes = from->takes;
        e->gives = from->gives;
        if (from->op == REGION_FREE && !(callee->places[from->place].op == PLACE_PARAM && callee->places[from->place].a < 64 &&
                                         callee->frees_always >> callee->places[from->place].a & 1))
            e->flags |= REGION_MAYBE;
        if (from->spawn)
            lifted_spec(x, c, callee, from, e);
    }
    map64_free(&seen);
    x->s->locks |= callee->adds;
    region_order(x, callee->overflow ? UINT64_MAX : callee->takes, callee->overflow ? UINT64_MAX : callee->gives);
}

/* Nothing is known of it: what it is handed may be used, now or later, and it may wait for anybody. */
static void run_unknown(struct solve *x, const struct call *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (target(c, i))
            region_add(x, REGION_PASS, target(c, i), 0, 0);
    region_order(x, UINT64_MAX, UINT64_MAX);
}

static void run(struct solve *x, struct call *c, uint32_t func)
{
    const struct linked_func *lf = &x->p->funcs.at[func];
    bool known = annotated_effects(x, c, func);
    if (lf->model && !lf->defined) {
        for (uint32_t i = 0; i < lf->model->n_effects; i++)
            model_effect(x, c, lf->model, &lf->model->effects[i]);
        return;
    }
    if (known)
        return;
    const struct region_flow *callee = lf->defined ? regions_flow(x->r, func) : NULL;
    if (callee)
        run_callee(x, c, callee);
    else
        run_unknown(x, c);
}

void region_call(struct solve *x, const struct ir_event_rec *rec)
{
    struct call c = {.rec = rec, .n = rec->args.count < MAX_ARGS ? rec->args.count : MAX_ARGS};
    region_reads(x, rec->b);
    for (uint32_t i = 0; i < c.n; i++) {
        c.expr[i] = x->u->expr_refs[rec->args.first + i];
        region_reads(x, c.expr[i]);
        c.value[i] = region_eval(x, c.expr[i]);
    }
    ir_type result = rec->a ? x->u->exprs[rec->a].type : 0;
    bool pointer = result && x->u->types[type_plain(x->u, result)].kind == IR_T_POINTER;
    c.result = pointer ? VALUE_OF(VALUE_POINTER, place_make(x->f, PLACE_RESULT, x->event, 0))
                       : VALUE_OF(VALUE_RESULT, x->event - x->f->first_event);
    ir_expr callee = uncast(x->u, rec->b);
    if (x->u->exprs[callee].op == IR_E_ADDR)
        callee = uncast(x->u, x->u->exprs[callee].a);
    for (uint32_t i = 0; i < c.n; i++) { /* before the effects, which may say what is in them now */
        place_id p = target(&c, i);
        if (p)
            region_forget(x, place_object(x->f, p));
    }
    if (x->u->exprs[callee].op == IR_E_FUNC) {
        run(x, &c, x->f->unit->funcs[x->u->exprs[callee].a]);
    } else {
        uint32_t n;
        const struct call_edge *edges = program_calls(x->p, x->f->func, x->event, &n);
        unsigned ran = 0;
        uint64_t locks = x->s->locks;
        for (uint32_t i = 0; i < n && ran < 8; i++)
            if (!edges[i].callback) {
                run(x, &c, edges[i].callee);
                locks |= x->s->locks;
                ran++;
            }
        x->s->locks = locks;
        if (!ran)
            run_unknown(x, &c);
    }
    if (rec->a) {
        place_id to = region_place(x, rec->a);
        if (to)
            region_set(x, to, c.result);
    }
}
