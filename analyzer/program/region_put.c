/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What does a function put under a lock for other threads to take out? What it stored there is published when the lock is
 * released, together with what that points to already.
 * Stands on region_flow.h; who takes it out, if anybody, is for exchange.h. */
#include "region_flow.h"

#include "../base/alloc.h"

bool region_brought(const struct region_flow *f, place_id p) {
    switch ((enum place_op)f->places[place_object(f, p)].op) {
    case PLACE_LOCAL:
    case PLACE_GLOBAL:
    case PLACE_PARAM:
    case PLACE_HEAP:
    case PLACE_RESULT:
    case PLACE_PHI: return true;
    default: return false;
    }
}

/* A link: a pointer to a pointer, as to the last link of a list. */
static bool is_link(const struct unit *u, ir_type pointed) {
    return pointed && u->types[type_plain(u, pointed)].kind == IR_T_POINTER;
}

/* Callers are told once, and only of what may matter to them: where something is put that the function was given or made, what they
 * find where they said, and in what they are given. */
static bool callers_hear(struct solve *x, place_id into, place_id what) {
    const uint32_t holder = x->f->places[place_object(x->f, into)].op;
    bool is_new = false;
    if (!x->recording || (!region_brought(x->f, what) && holder != PLACE_PARAM && holder != PLACE_HEAP))
        return false;
    map64_place(&x->told, hash_add(key_pair(into, what), x->event), &is_new);
    return is_new;
}

void region_keep(struct solve *x, place_id into, region_value value, ir_type type) {
    enum { MOST = 16 };
    struct region_flow *f = x->f;
    if (VALUE_KIND(value) == VALUE_POINTER) {
        bool link = is_link(x->u, type);
        struct region_event *e =
            callers_hear(x, into, VALUE_ITEM(value))
                ? region_add(x, REGION_KEEP, VALUE_ITEM(value), link ? REGION_LINK : 0, 0)
                : NULL;
        if (e)
            e->into = into;
        if (link || !region_brought(f, VALUE_ITEM(value)))
            return;
    }
    bool itself =
        VALUE_KIND(value) == VALUE_POINTER && place_object(f, VALUE_ITEM(value)) == place_object(f, into);
    if (!x->s->locks || x->s->locks == UINT64_MAX || place_is_own(f, into) || itself || !place_slot(f, into))
        return;
    for (size_t i = 0; i < x->s->kept.n; i++)
        if (x->s->kept.at[i].value == value && x->s->kept.at[i].into == into)
            return;
    struct kept k = {value, into, x->s->locks, x->event, type};
    if (x->s->kept.n < MOST)
        vec_push(&x->s->kept, k);
}

static void add_function(struct handoff_spec *s, const struct region_flow *f, place_id into, region_value v) {
    enum { MOST = sizeof s->functions / sizeof *s->functions };
    const struct place *p = &f->places[VALUE_ITEM(v)];
    struct put_function function = {.field = f->places[into].op == PLACE_FIELD ? f->places[into].b : 0};
    if (VALUE_KIND(v) == VALUE_FUNC)
        function.func = VALUE_ITEM(v);
    else if (VALUE_KIND(v) == VALUE_POINTER && p->op == PLACE_PARAM)
        function.param = p->a + 1;
    if (function.field && (function.func || function.param) && s->n_functions < MOST)
        s->functions[s->n_functions++] = function;
}

static struct handoff_spec *add_put(struct solve *x, const struct handoff_spec *like, place_id item,
                                    uint32_t inner, ir_loc loc) {
    struct region_event *e = region_add(x, REGION_PUT, item, 0, loc);
    if (!e)
        return NULL;
    struct handoff_spec *s = arena_new(&x->p->arena, struct handoff_spec);
    *s = *like;
    s->inner = inner;
    if (inner)
        s->type = 0;
    e->spawn = s;
    return s;
}

void region_put_members(struct solve *x, const struct handoff_spec *like, place_id holder,
                        const struct cell_value *cells, size_t n, ir_loc loc) {
    for (size_t i = 0; i < n; i++) {
        const struct place *at = &x->f->places[cells[i].at];
        if (VALUE_KIND(cells[i].value) != VALUE_POINTER || at->op != PLACE_FIELD || at->a != holder)
            continue;
        struct handoff_spec *s = add_put(x, like, VALUE_ITEM(cells[i].value), at->b, loc);
        for (size_t k = 0; s && k < n; k++)
            if (k != i && x->f->places[cells[k].at].a == holder)
                add_function(s, x->f, cells[k].at, cells[k].value);
    }
}

void region_publish(struct solve *x, uint64_t classes) {
    struct state *st = x->s;
    for (size_t i = 0; i < st->kept.n && x->recording; i++) {
        const struct kept k = st->kept.at[i];
        if (!(k.locks & classes) || VALUE_KIND(k.value) != VALUE_POINTER)
            continue;
        const struct place *into = &x->f->places[k.into];
        place_id holder = into->op == PLACE_FIELD ? into->a : 0;
        struct handoff_spec put = {.func = x->f->func,
                                   .typed_in = x->f->func,
                                   .event = k.event,
                                   .slot = place_slot(x->f, k.into),
                                   .type = k.type,
                                   .locks = k.locks};
        struct handoff_spec *s = add_put(x, &put, VALUE_ITEM(k.value), 0, x->u->events[k.event].loc);
        for (size_t j = 0; s && holder && j < st->kept.n; j++) {
            const struct place *other = &x->f->places[st->kept.at[j].into];
            if (j != i && other->op == PLACE_FIELD && other->a == holder)
                add_function(s, x->f, st->kept.at[j].into, st->kept.at[j].value);
        }
        region_put_members(x, &put, VALUE_ITEM(k.value), st->cells.at, st->cells.n,
                           x->u->events[k.event].loc);
    }
    size_t left = 0;
    for (size_t i = 0; i < st->kept.n; i++)
        if (!(st->kept.at[i].locks & classes))
            st->kept.at[left++] = st->kept.at[i];
    st->kept.n = left;
}
