/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a modelled call does to regions.
 * Stands on region_call.h. */
#include "region_call.h"

#include <string.h>

static bool may_happen(const struct solve *x, const struct call *c, const struct model_if *only) {
    if (only->test == MODEL_ALWAYS || only->index >= c->n)
        return only->test == MODEL_ALWAYS;
    const struct ir_expr_rec *e = &x->u->exprs[ir_uncast(x->u, c->expr[only->index])];
    if (e->op != IR_E_CONST)
        return true;
    int64_t v = ir_const_value(e), w = only->value;
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

static bool only_sleeps(const char *name) {
    static const char *const names[] = {"sleep",      "usleep",   "nanosleep", "clock_nanosleep",
                                        "thrd_sleep", "g_usleep", "SDL_Delay", "uv_sleep"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void call_model_effect(struct solve *x, struct call *c, const struct model_function *m,
                       const struct model_effect *e) {
    place_id a = e->a.root == MODEL_PARAM || e->a.root == MODEL_OUT ? call_target(c, e->a.index) : 0;
    if (!may_happen(x, c, &e->only))
        return;
    switch ((enum model_effect_kind)e->kind) {
    case MODEL_LOCK_INIT:
    case MODEL_COND_INIT:
    case MODEL_LOCK_DESTROY:
    case MODEL_COND_DESTROY: call_touch(x, a, REGION_WRITE, 0); break;
    case MODEL_ACQUIRES:
        call_touch(x, a, REGION_READ, REGION_ATOMIC);
        region_lock(x, region_class(x, a));
        break;
    case MODEL_RELEASES: region_unlock(x, region_class(x, a)); break;
    case MODEL_COND_WAIT:
        region_publish(x, UINT64_MAX);
        call_touch(x, a, REGION_READ, REGION_ATOMIC);
        region_order(x, region_class(x, a) | region_class(x, call_target(c, e->b.index)),
                     region_class(x, call_target(c, e->b.index)));
        break;
    case MODEL_COND_SIGNAL:
        call_touch(x, a, REGION_READ, REGION_ATOMIC);
        region_order(x, 0, region_class(x, a));
        break;
    case MODEL_ORDERS:
        region_order(x, e->flags & MODEL_BEFORE ? 0 : region_class(x, a),
                     e->flags & MODEL_BEFORE ? region_class(x, a) : 0);
        break;
    case MODEL_ONCE: region_order(x, UINT64_MAX, UINT64_MAX); break;
    case MODEL_BLOCKS:
        for (uint32_t i = 0; i < m->n_effects; i++)
            if (m->effects[i].kind == MODEL_JOINS)
                return;
        if (!only_sleeps(m->name))
            region_order(x, UINT64_MAX, 0);
        break;
    case MODEL_RECEIVES: region_order(x, UINT64_MAX, 0); break;
    case MODEL_SPAWNS: {
        struct handoff_spec *s = call_spec(x);
        s->when = e->when;
        s->task = e->flags & MODEL_TASK;
        s->lent = e->flags & MODEL_LENT;
        if (e->flags & MODEL_KEPT) {
            s->parameter = (uint32_t)e->c.value - 1;
            call_spawn_kept(x, c, s, e->a.index, e->b.index);
            break;
        }
        if (e->c.root == MODEL_OUT)
            call_add_handle(s, call_target(c, e->c.index));
        else if (e->c.root == MODEL_RETURN)
            call_add_handle(s, place_make(x->f, PLACE_RESULT, x->event, 0));
        if (strncmp(m->name, "pthread_create", 14) == 0 && c->n > 1)
            s->has_attributes = VALUE_KIND(c->value[1]) != VALUE_ZERO;
        call_spawn(x, c, s, e->a.index, e->b.index);
        break;
    }
    case MODEL_JOINS: call_join(x, c, &e->a); break;
    case MODEL_DETACHES:
        region_add(x, REGION_DETACH, e->a.root == MODEL_OUT ? a : call_loaded_from(x, c, e->a.index), 0, 0);
        if (a && e->a.root == MODEL_PARAM)
            region_add(x, REGION_DETACH, a, 0, 0);
        break;
    case MODEL_SENDS:
        if (e->a.root == MODEL_PARAM)
            call_send(x, c, e->a.index, e->when);
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
    case MODEL_READS:
    case MODEL_WRITES:
        if (a)
            region_add(x, e->kind == MODEL_READS ? REGION_READ : REGION_WRITE, a, REGION_WHOLE, 0);
        if (a && e->kind == MODEL_WRITES)
            region_forget(x, place_object(x->f, a));
        break;
    case MODEL_RETURNS:
        if (e->a.root == MODEL_PARAM && e->a.index < c->n)
            c->result = c->value[e->a.index];
        break;
    case MODEL_STORES:
        if (a)
            region_add(x, REGION_KEEP, a, 0, 0);
        if (e->b.root == MODEL_PARAM)
            call_keep(x, c, e->a.index, e->b.index);
        break;
    default: break;
    }
}
