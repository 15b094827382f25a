/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Hand-offs and joins that a call makes, whoever says so: its arguments as places, the entry, the handles.
 * Stands on region_call.h. */
#include "region_call.h"

#include <string.h>
#include "../base/alloc.h"

place_id call_target(const struct call *c, uint32_t i) {
    return i < c->n && VALUE_KIND(c->value[i]) == VALUE_POINTER ? VALUE_ITEM(c->value[i]) : 0;
}

place_id call_loaded_from(struct solve *x, const struct call *c, uint32_t i) {
    if (i >= c->n)
        return 0;
    ir_expr e = ir_uncast(x->u, c->expr[i]);
    place_id p = x->u->exprs[e].op == IR_E_LOAD ? region_place(x, x->u->exprs[e].a) : 0;
    if (p && x->f->places[p].op == PLACE_LOCAL && x->f->places[p].a >= x->first_param &&
        x->f->places[p].a - x->first_param < x->n_params)
        return place_make(x->f, PLACE_ARG, x->f->places[p].a - x->first_param, 0);
    return p;
}

struct handoff_spec *call_spec(struct solve *x) {
    struct handoff_spec *s = arena_new(&x->p->arena, struct handoff_spec);
    s->func = s->typed_in = x->f->func;
    s->event = x->event;
    return s;
}

void call_add_handle(struct handoff_spec *s, place_id p) {
    if (p && s->n_handles < 4)
        s->handles[s->n_handles++] = p;
}

void call_set_entry(struct solve *x, struct handoff_spec *s, const struct call *c, uint32_t i) {
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

static bool is_small_number(const struct solve *x, ir_expr e) {
    const struct ir_expr_rec *r = &x->u->exprs[ir_uncast(x->u, e)];
    const struct ir_type_rec *t = &x->u->types[type_plain(x->u, r->type)];
    return (t->kind == IR_T_INT || t->kind == IR_T_ENUM) && t->size && t->size < x->u->pointer_size &&
           (r->op != IR_E_CONST || r->a);
}

void call_set_type(struct solve *x, struct handoff_spec *s, const struct call *c, uint32_t argument) {
    s->type = region_passed_type(x, c->expr[argument]);
    s->typed_in = x->f->func;
    s->number = is_small_number(x, c->expr[argument]);
}

void call_spawn_members(struct solve *x, const struct call *c, const struct handoff_spec *s,
                        place_id holder) {
    struct handoff_spec like = {.func = s->func,
                                .typed_in = s->typed_in,
                                .event = s->event,
                                .when = s->when,
                                .result_known = s->result_known,
                                .n_handles = s->n_handles,
                                .starter = s->entries[0],
                                .parameter = s->parameter,
                                .task = s->task};
    memcpy(like.handles, s->handles, sizeof like.handles);
    if (holder && like.starter)
        region_put_members(x, &like, holder, c->cells.at, c->cells.n, 0);
}

static void spawn_with(struct solve *x, struct call *c, struct handoff_spec *s, uint32_t entry,
                       place_id region) {
    call_set_entry(x, s, c, entry);
    struct region_event *e = region_add(x, REGION_SPAWN, region, 0, 0);
    if (e) {
        e->spawn = s;
        e->gives = UINT64_MAX; /* through the new thread to any other */
    }
    call_spawn_members(x, c, s, region);
}

void call_spawn(struct solve *x, struct call *c, struct handoff_spec *s, uint32_t entry, uint32_t argument) {
    if (argument < c->n) {
        const struct ir_expr_rec *given = &x->u->exprs[ir_uncast(x->u, c->expr[argument])];
        call_set_type(x, s, c, argument);
        s->nothing = given->op == IR_E_CONST || VALUE_KIND(c->value[argument]) == VALUE_ZERO ||
                     VALUE_KIND(c->value[argument]) == VALUE_NUMBER ||
                     x->u->types[type_plain(x->u, given->type)].kind == IR_T_INT;
    }
    spawn_with(x, c, s, entry, call_target(c, argument));
}

/* Where a modelled object keeps the one pointer that is stored in it: an element no array has. */
static place_id kept_in(struct solve *x, const struct call *c, uint32_t holder) {
    enum { KEPT_ELEMENT = 0x0fffffff };
    return call_target(c, holder) ? place_make(x->f, PLACE_INDEX, call_target(c, holder), KEPT_ELEMENT) : 0;
}

void call_keep(struct solve *x, const struct call *c, uint32_t what, uint32_t holder) {
    place_id into = kept_in(x, c, holder);
    if (into && what < c->n)
        region_set(x, into, c->value[what]);
}

void call_spawn_kept(struct solve *x, struct call *c, struct handoff_spec *s, uint32_t entry,
                     uint32_t holder) {
    place_id from = kept_in(x, c, holder), region = 0;
    for (size_t i = 0; from && i < c->cells.n; i++)
        if (c->cells.at[i].at == from && VALUE_KIND(c->cells.at[i].value) == VALUE_POINTER)
            region = VALUE_ITEM(c->cells.at[i].value);
    spawn_with(x, c, s, entry, region);
}

void call_send(struct solve *x, struct call *c, uint32_t argument, struct result_when when) {
    place_id p = call_target(c, argument);
    if (!p)
        return;
    struct handoff_spec *s = call_spec(x);
    s->moves = true;
    s->when = when;
    call_set_type(x, s, c, argument);
    struct region_event *e = region_add(x, REGION_SEND, p, 0, 0);
    if (e)
        e->spawn = s;
}

static void add_join(struct solve *x, place_id place, unsigned flags) {
    struct region_event *e = region_add(x, REGION_JOIN, place, flags, 0);
    if (e)
        e->takes = e->waits = UINT64_MAX;
}

void call_join(struct solve *x, const struct call *c, const struct model_ref *ref) {
    bool some = false;
    place_id places[2] = {0, 0};
    if (ref->root == MODEL_OUT) {
        places[0] = call_target(c, ref->index);
    } else if (ref->root == MODEL_PARAM) {
        places[0] = call_loaded_from(x, c, ref->index);
        places[1] = call_target(c, ref->index);
    }
    for (int i = 0; i < 2; i++)
        if (places[i] && (i == 0 || places[1] != places[0])) {
            add_join(x, places[i], some ? REGION_MAYBE : 0);
            some = true;
        }
    if (!some)
        add_join(x, 0, 0);
    x->s->acquired = UINT64_MAX;
}

void call_touch(struct solve *x, place_id p, enum region_op op, unsigned flags) {
    if (p)
        region_add(x, op, p, flags | REGION_WHOLE, 0);
}
