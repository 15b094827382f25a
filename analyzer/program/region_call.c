/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a call does to regions: by its model, by its annotations, by the flow of the function it runs; or, when nothing is
 * known of it, anything.
 * Stands on region_call.h. */
#include "region_call.h"

#include "../base/alloc.h"
#include "ways.h"

/* ---- annotations ---- */

/* The lock that an annotation's path names at this call, as a place; 0 when it cannot be said. */
static place_id annotated_lock(struct solve *x, const struct call *c, const struct lock_path *path) {
    place_id p = 0;
    uint32_t i = 0;
    if (path->root == LOCK_AT_PARAM && path->n_steps && path->steps[0].kind == LOCK_STEP_DEREF) {
        p = call_target(c, path->index);
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

static void annotated_locks(struct solve *x, const struct call *c, enum ir_annot_kind kind,
                            const struct lock_list *list) {
    for (uint32_t i = 0; i < list->n_paths; i++) {
        place_id p = annotated_lock(x, c, &list->paths[i]);
        uint64_t class = region_class(x, p);
        if (kind == IR_A_releases) {
            region_unlock(x, class);
        } else {
            call_touch(x, p, REGION_READ, REGION_ATOMIC);
            region_lock(x, class);
        }
    }
}

/* A function that says AGLET_SENDING, and whose body is known: its results may tell whether it sent. */
static void infer_result(struct solve *x, uint32_t func, uint32_t param) {
    bool unsolved;
    const struct region_flow *callee =
        x->recording && x->p->funcs.at[func].defined ? regions_callee(x->r, func, &unsolved) : NULL;
    struct region_event *send = x->f->n_events ? &x->f->events[x->f->n_events - 1] : NULL;
    if (!callee || !send || send->op != REGION_SEND || send->event != x->event)
        return;
    struct handoff_spec *s = (struct handoff_spec *)send->spawn;
    for (size_t i = 0; i < callee->control.n && !s->result_known; i++) {
        const struct region_event *e = &callee->events[callee->control.at[i]];
        const struct place *object = &callee->places[place_object(callee, e->place)];
        if (e->spawn && object->op == PLACE_PARAM && object->a == param)
            s->result_known = region_tells(callee, e, &s->when);
    }
}

/* The results of the call with which the argument has left the caller. */
static struct result_when sent_when(struct solve *x, const struct lock_context *context,
                                    const struct ir_annot_rec *a) {
    struct lock_list list = {.when = {RESULT_ANY, 0}};
    const char *why;
    if (a->kind == IR_A_sending_if &&
        lock_expr_annotation(context, &x->p->arena, a, &list, &why) != LOCK_RESOLVED)
        list.when.test = RESULT_ANY;
    return list.when;
}

static bool annotated_effects(struct solve *x, struct call *c, uint32_t func) {
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
        bool locks = a->kind == IR_A_acquires || a->kind == IR_A_acquires_shared ||
                     a->kind == IR_A_try_acquires || a->kind == IR_A_try_acquires_shared ||
                     a->kind == IR_A_releases;
        known |=
            values || locks || a->kind == IR_A_yields || a->kind == IR_A_awaits || a->kind == IR_A_blocks;
        if (a->kind == IR_A_yields || a->kind == IR_A_awaits)
            region_order(x, UINT64_MAX, UINT64_MAX);
        if ((!values && !locks) ||
            lock_expr_annotation(&context, &x->p->arena, a, &list, &why) != LOCK_RESOLVED)
            continue;
        if (locks) {
            annotated_locks(x, c, (enum ir_annot_kind)a->kind, &list);
        } else if (a->kind == IR_A_joins) {
            struct model_ref ref = {.root = MODEL_PARAM, .index = (uint8_t)list.paths[0].index};
            call_join(x, c, &ref);
        } else if (list.paths[0].root == LOCK_AT_PARAM && list.paths[1].root == LOCK_AT_PARAM) {
            s = call_spec(x);
            s->when = list.when;
            spawned = list.paths[1].index;
            for (uint32_t k = 0; k < c->n && k < fr->params.count; k++)
                if (k != spawned && k != list.paths[0].index) {
                    ir_type handle = type_plain(u, u->vars[fr->params.first + k].type);
                    s->pointer_handle |=
                        u->types[handle].kind == IR_T_POINTER && region_is_pointer(u, u->types[handle].elem);
                    call_add_handle(s, call_target(c, k));
                }
            if (VALUE_KIND(c->result) == VALUE_POINTER)
                call_add_handle(s, place_make(x->f, PLACE_RESULT, x->event, 0));
            call_spawn(x, c, s, list.paths[0].index, spawned);
        }
    }
    for (uint32_t k = 0; k < fr->params.count && k < c->n; k++) {
        struct ir_range annots = u->vars[fr->params.first + k].annots;
        for (uint32_t i = 0; i < annots.count; i++) {
            const struct ir_annot_rec *a = &u->annots[annots.first + i];
            if (region_moves_argument(a->kind) && k != spawned) {
                struct result_when when = sent_when(x, &context, a);
                call_send(x, c, k, when);
                if (when.test == RESULT_ANY)
                    infer_result(x, func, k);
                known = true;
            } else if (a->kind == IR_A_sending && s) {
                s->moves = true;
            }
        }
    }
    return known;
}

/* ---- functions with a graph ---- */

/* A callee's classes: those that stand for its parameters' objects are what the arguments are here. */
static uint64_t said_here(struct solve *x, const struct call *c, uint64_t mask) {
    if (mask == UINT64_MAX)
        return mask;
    for (uint32_t i = 0; i < 32 - CLASS_FIRST_PARAM; i++)
        for (uint32_t half = 0; half < 64; half += 32) {
            uint64_t stands_for = UINT64_C(1) << (CLASS_FIRST_PARAM + i + half);
            if (!(mask & stands_for))
                continue;
            uint64_t class =
                half ? region_class_atomic(x, call_target(c, i)) : region_class(x, call_target(c, i));
            if (class == UINT64_MAX)
                return class;
            mask = (mask & ~stands_for) | class;
        }
    return mask;
}

/* In a recursion: a list's item after item. What is at any of them is not said; the accesses are, when somebody asks of an object. */
static bool turns_in_itself(const struct region_flow *f, place_id p) {
    for (unsigned depth = 0; p && depth < 32; p = f->places[p].a, depth++) {
        enum place_op op = (enum place_op)f->places[p].op;
        if (op != PLACE_FIELD && op != PLACE_INDEX && op != PLACE_DEREF && op != PLACE_LOADED)
            return false;
        for (place_id q = f->places[p].a; op == PLACE_FIELD && q; q = f->places[q].a) {
            enum place_op above = (enum place_op)f->places[q].op;
            if (above == PLACE_FIELD && f->places[q].b == f->places[p].b)
                return true;
            if (above != PLACE_FIELD && above != PLACE_INDEX && above != PLACE_DEREF && above != PLACE_LOADED)
                break;
        }
    }
    return false;
}

/* What a callee stores in what it is given, or in what it returns. */
static void lift_keeps(struct solve *x, struct call *c, const struct region_flow *callee) {
    const bool recursive = x->r->component[callee->func] == x->r->now;
    place_id returned = 0;
    for (size_t i = 0; i < callee->control.n; i++) {
        const struct region_event *e = &callee->events[callee->control.at[i]];
        if (e->op == REGION_RETURN && callee->places[e->place].op == PLACE_HEAP)
            returned = e->place;
    }
    for (size_t i = 0; i < callee->control.n; i++) {
        const struct region_event *from = &callee->events[callee->control.at[i]];
        if (from->op != REGION_KEEP || (from->flags & REGION_LINK))
            continue;
        const struct place *what = &callee->places[from->place];
        region_value v = 0;
        if (what->op == PLACE_PARAM && what->a < c->n) {
            v = c->value[what->a];
        } else {
            place_id p = place_translate(callee, from->place, x->f, c->value, c->n);
            v = p ? VALUE_OF(VALUE_POINTER, p) : 0;
        }
        const struct place *out = &callee->places[from->into];
        place_id filled = out->op == PLACE_PARAM ? call_target(c, out->a) : 0;
        if (filled) /* *out = …: whatever it is, it has one name from here on */
            region_set(x, filled,
                       v ? v : VALUE_OF(VALUE_POINTER, place_make(x->f, PLACE_RESULT, x->event, out->a + 1)));
        if (filled || (VALUE_KIND(v) != VALUE_POINTER && VALUE_KIND(v) != VALUE_FUNC))
            continue;
        place_id into = place_translate(callee, from->into, x->f, c->value, c->n);
        if (recursive && (turns_in_itself(x->f, into) ||
                          (VALUE_KIND(v) == VALUE_POINTER && turns_in_itself(x->f, VALUE_ITEM(v)))))
            continue;
        if (!into && returned && VALUE_KIND(c->result) == VALUE_POINTER)
            into = place_rebase(callee, from->into, returned, x->f, VALUE_ITEM(c->result));
        if (!into)
            continue;
        if (x->f->places[place_object(x->f, into)].op == PLACE_HEAP)
            region_set(x, into, v);
        else if (x->f->places[place_object(x->f, into)].op != PLACE_LOCAL)
            region_keep(x, into, v, 0);
    }
}

static void lifted_spec(struct solve *x, const struct call *c, const struct region_flow *callee,
                        const struct region_event *from, struct region_event *to) {
    struct handoff_spec *s = arena_new(&x->p->arena, struct handoff_spec);
    *s = *from->spawn;
    s->told = NOT_ASKED;
    s->result_known = region_tells(callee, from, &s->when);
    s->n_handles = 0;
    for (uint32_t i = 0; i < from->spawn->n_handles; i++)
        call_add_handle(s, place_translate(callee, from->spawn->handles[i], x->f, c->value, c->n));
    s->locks = said_here(x, c, s->locks);
    const struct place *argument = &callee->places[from->place];
    if (!s->type && argument->op == PLACE_PARAM && argument->a < c->n && from->op != REGION_PUT)
        call_set_type(x, s, c, argument->a);
    for (uint32_t i = 0; i < s->n_functions; i++) {
        struct put_function *function = &s->functions[i];
        region_value v = function->param && function->param <= c->n ? c->value[function->param - 1] : 0;
        if (!function->param)
            continue;
        function->param = 0;
        if (VALUE_KIND(v) == VALUE_FUNC)
            function->func = VALUE_ITEM(v);
        else if (VALUE_KIND(v) == VALUE_POINTER && x->f->places[VALUE_ITEM(v)].op == PLACE_PARAM)
            function->param = x->f->places[VALUE_ITEM(v)].a + 1;
    }
    if (s->entry_param) {
        uint32_t i = s->entry_param - 1;
        s->entry_param = 0;
        call_set_entry(x, s, c, i);
    }
    to->spawn = s;
}

/* What it reads and writes is asked for later. */
static void note_callsite(struct solve *x, const struct call *c, const struct region_flow *callee) {
    struct region_flow *f = x->f;
    struct region_callsite site = {
        x->event, callee->func, (uint32_t)f->args.n, c->n, x->s->locks, x->s->acquired, 0, {0}};
    for (uint32_t i = 0; i < 32 - CLASS_FIRST_PARAM; i++)
        site.classes[i] = region_class(x, call_target(c, i)) | region_class_atomic(x, call_target(c, i));
    vec_append(&f->args, c->value, c->n);
    vec_push(&f->calls, site);
}

/* Is it handed over only where an argument is not null, which is here? */
static bool needs_what_is_null(const struct call *c, const struct region_flow *callee,
                               const struct region_event *from) {
    const struct unit *u = callee->unit->unit;
    const struct ir_func_rec *f = &u->funcs[callee->p->funcs.at[callee->func].func];

    if (from->op != REGION_PUT && from->op != REGION_SPAWN && from->op != REGION_SEND)
        return false;
    for (uint32_t i = 0; i < c->n; i++)
        if (VALUE_KIND(c->value[i]) == VALUE_ZERO &&
            !reached_where_null(u, f, i, block_with(u, f, from->event)))
            return true;
    return false;
}

static void run_callee(struct solve *x, struct call *c, const struct region_flow *callee) {
    struct map64 seen = {0};
    uint64_t locks = x->s->locks;
    uint64_t acquired = x->s->acquired;
    bool recursive = x->r->component[callee->func] == x->r->now;
    if (x->recording)
        note_callsite(x, c, callee);
    for (size_t i = 0; i < callee->control.n && x->recording; i++) {
        const struct region_event *from = &callee->events[callee->control.at[i]];
        if (from->op == REGION_KEEP || from->op == REGION_RETURN || needs_what_is_null(c, callee, from))
            continue;
        place_id p = callee->places[from->place].op == PLACE_ARG
                         ? call_loaded_from(x, c, callee->places[from->place].a)
                         : place_translate(callee, from->place, x->f, c->value, c->n);
        bool global = from->op == REGION_PUT && (from->flags & REGION_LIFTED) &&
                      callee->places[place_object(callee, from->place)].op == PLACE_GLOBAL;
        if ((!p && from->op != REGION_JOIN) || (recursive && turns_in_itself(x->f, p)) || global ||
            (from->op == REGION_PUT && !region_brought(x->f, p) &&
             callee->places[from->place].op != PLACE_PARAM))
            continue; /* what lay in memory, and was not even an argument, is put by others; a global by who calls who puts it */
        uint64_t key = hash_add(hash_add(key_pair(from->op, p), from->locks),
                                (uint64_t)from->flags << 32 | (from->spawn ? from->event : 0));
        if (from->op == REGION_PUT)
            key = hash_add(key, key_pair(from->spawn->slot, from->spawn->inner));
        bool is_new;
        map64_place(&seen, key, &is_new);
        struct region_event *e =
            is_new ? region_add(x, (enum region_op)from->op, p, from->flags & ~REGION_BRANCH, 0) : NULL;
        if (!e)
            continue;
        e->locks = locks | said_here(x, c, from->locks);
        e->func = from->func;
        e->loc = from->loc;
        e->flags |= REGION_LIFTED;
        e->acquired_inside = said_here(x, c, from->acquired);
        e->acquired = acquired | e->acquired_inside;
        e->released = said_here(x, c, from->released);
        e->takes = said_here(x, c, from->takes);
        e->gives = said_here(x, c, from->gives);
        e->waits = said_here(x, c, from->waits);
        e->awaited_inside = said_here(x, c, from->awaited_after);
        if (from->spawn)
            lifted_spec(x, c, callee, from, e);
        if (from->op == REGION_PUT && !from->spawn->inner)
            region_put_members(x, e->spawn, p, c->cells.at, c->cells.n,
                               x->p->funcs.at[e->func].unit == x->f->unit ? e->loc : 0);
        if (from->op == REGION_SPAWN)
            call_spawn_members(x, c, e->spawn, p);
    }
    map64_free(&seen);
    lift_keeps(x, c, callee);
    uint64_t drops = said_here(x, c, callee->drops), adds = said_here(x, c, callee->adds);
    if (drops)
        region_publish(x, drops);
    if (x->recording)
        x->f->may_drop |= said_here(x, c, callee->may_drop) & ~x->s->locks;
    x->s->dropped |= drops & ~x->s->locks;
    x->s->locks = drops == UINT64_MAX ? 0 : x->s->locks & ~drops;
    x->s->locks |= adds;
    x->s->dropped &= ~adds;
    if (callee->overflow)
        region_order(x, UINT64_MAX, UINT64_MAX);
    else
        region_order_waits(x, said_here(x, c, callee->takes), said_here(x, c, callee->gives),
                           said_here(x, c, callee->waits));
}

/* Nothing is known of it: what it is handed may be used, now or later, and it may wait for anybody. */
static void run_unknown(struct solve *x, const struct call *c) {
    for (uint32_t i = 0; i < c->n; i++)
        if (call_target(c, i))
            region_add(x, REGION_PASS, call_target(c, i), 0, 0);
    region_order(x, UINT64_MAX, UINT64_MAX);
}

/* A function that the program does not define goes by its model; so does one that starts or ends threads where the program
 * has a stand-in for it, whose body calls the real one by a pointer. */
static bool goes_by_model(const struct linked_func *lf) {
    if (!lf->model || !lf->defined)
        return lf->model;
    for (uint32_t i = 0; i < lf->model->n_effects; i++)
        if (lf->model->effects[i].kind == MODEL_JOINS || lf->model->effects[i].kind == MODEL_SPAWNS)
            return true;
    return false;
}

/* Returns false when the call does not return. */
static bool run(struct solve *x, struct call *c, uint32_t func) {
    const struct linked_func *lf = &x->p->funcs.at[func];
    bool known = annotated_effects(x, c, func);
    if (goes_by_model(lf)) {
        for (uint32_t i = 0; i < lf->model->n_effects; i++)
            call_model_effect(x, c, lf->model, &lf->model->effects[i]);
        return true;
    }
    if (known)
        return true;
    bool unsolved = false;
    const struct region_flow *callee = lf->defined ? regions_callee(x->r, func, &unsolved) : NULL;
    if (callee)
        run_callee(x, c, callee);
    else if (!unsolved)
        run_unknown(x, c);
    x->s->stays |= callee && !callee->returns && callee->lives;
    return callee ? callee->returns : !unsolved;
}

/* The field that a pointer was loaded from; 0: no field. */
static uint32_t loaded_field(const struct region_flow *f, region_value v) {
    const struct place *p = &f->places[VALUE_KIND(v) == VALUE_POINTER ? VALUE_ITEM(v) : 0];
    bool loaded = (p->op == PLACE_DEREF || p->op == PLACE_LOADED) && f->places[p->a].op == PLACE_FIELD;
    return loaded ? f->places[p->a].b : 0;
}

/* j->run(j->arg): a stored function is called with what was stored beside it. */
static void note_call_through(struct solve *x, const struct call *c, region_value function) {
    uint32_t field = loaded_field(x->f, function);
    for (uint32_t i = 0; field && x->recording && i < c->n; i++) {
        struct call_through t = {field, loaded_field(x->f, c->value[i]), i};
        if (t.argument)
            vec_push(&x->f->calls_through, t);
    }
}

/* b = buf_ref(a): where the result is always one of the arguments, it is that; else what it was taken for. */
static region_value returned_argument(const struct solve *x, const struct call *c, const struct summary *s) {
    const struct term_rec *r = s->returns ? term_at(&x->p->paths, s->returns) : NULL;
    bool argument = r && r->op == TERM_PARAM && r->a < c->n && VALUE_KIND(c->value[r->a]) == VALUE_POINTER;
    return argument ? c->value[r->a] : c->result;
}

void region_call(struct solve *x, const struct ir_event_rec *rec) {
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
    ir_expr callee = ir_uncast(x->u, rec->b);
    if (x->u->exprs[callee].op == IR_E_ADDR)
        callee = ir_uncast(x->u, x->u->exprs[callee].a);
    const struct linked_func *direct = x->u->exprs[callee].op == IR_E_FUNC
                                           ? &x->p->funcs.at[x->f->unit->funcs[x->u->exprs[callee].a]]
                                           : NULL;
    if (pointer && direct && direct->summary && direct->summary->fresh)
        c.result = VALUE_OF(VALUE_POINTER, place_make(x->f, PLACE_HEAP, x->event, 0));
    else if (pointer && direct && direct->summary)
        c.result = returned_argument(x, &c, direct->summary);
    if (x->recording)
        vec_append(&c.cells, x->s->cells.at, x->s->cells.n);
    for (uint32_t i = 0; i < c.n; i++) { /* before the effects, which may say what is in them now */
        place_id p = call_target(&c, i);
        if (p)
            region_forget(x, place_object(x->f, p));
    }
    if (x->u->exprs[callee].op == IR_E_FUNC) {
        x->s->reached = run(x, &c, x->f->unit->funcs[x->u->exprs[callee].a]);
    } else {
        uint32_t n;
        const struct call_edge *edges = program_calls(x->p, x->f->func, x->event, &n);
        note_call_through(x, &c, region_eval(x, callee));
        bool ran = false, returns = false; /* of one that stays, others may return */
        uint64_t locks = x->s->locks;
        for (uint32_t i = 0; i < n && n <= MAX_TARGETS; i++)
            if (!edges[i].callback) {
                returns |= run(x, &c, edges[i].callee);
                locks |= x->s->locks;
                ran = true;
            }
        x->s->locks = locks;
        x->s->reached = returns || !ran;
        if (!ran)
            run_unknown(x, &c);
    }
    if (rec->a) {
        place_id to = region_place(x, rec->a);
        if (to)
            region_set(x, to, c.result);
    }
    vec_free(&c.cells);
}
