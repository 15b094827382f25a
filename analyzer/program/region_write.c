/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A flow as bytes, to be kept from one run to the next. Stands on region_memo.h; region_read.c reads them.
 *
 * First the names of all functions, members and globals it speaks of, then how many there are of everything, then everything, by the
 * names' places in that list. Each event is said as what it has other than the event before it: most masks stay. */
#include "region_memo.h"

#include "../base/alloc.h"

struct writer {
    struct regions *r;
    const struct region_flow *f;
    struct bytes_out body;
    VEC(uint32_t) funcs, slots;
    struct map64 func_numbers, slot_numbers;
    struct map64 loaded; /* slots that a pointer is loaded from */
};

/* 0 is none, 1 the function itself. */
static void write_func(struct writer *w, uint32_t func) {
    bool fresh = false;
    uint32_t *number = func ? map64_place(&w->func_numbers, func, &fresh) : NULL;

    if (fresh) {
        vec_push(&w->funcs, func);
        *number = (uint32_t)w->funcs.n;
    }
    put_number(&w->body, func ? *number : 0);
}

static void write_slot(struct writer *w, uint32_t slot) {
    bool fresh = false;
    uint32_t *number = slot ? map64_place(&w->slot_numbers, slot, &fresh) : NULL;

    if (fresh) {
        vec_push(&w->slots, slot);
        *number = (uint32_t)w->slots.n;
    }
    put_number(&w->body, slot ? *number : 0);
}

static void write_places(struct writer *w) {
    const struct region_flow *f = w->f;
    struct bytes_out *out = &w->body;

    for (uint32_t i = 1; i < f->n_places; i++) {
        const struct place *at = &f->places[i];
        put_number(out, at->op);
        switch ((enum place_op)at->op) {
        case PLACE_FIELD:
            put_number(out, i - at->a);
            write_slot(w, at->b);
            break;
        case PLACE_INDEX:
            put_number(out, i - at->a);
            put_number(out, (uint64_t)(at->b & ~PLACE_BY_VAR) << 1 | at->b >> 31);
            break;
        case PLACE_DEREF:
        case PLACE_LOADED:
            put_number(out, i - at->a);
            put_number(out, at->op == PLACE_LOADED ? at->b - f->first_event : at->b);
            if (f->places[at->a].op == PLACE_FIELD)
                map64_put(&w->loaded, f->places[at->a].b, 1);
            else if (f->places[at->a].op == PLACE_GLOBAL)
                map64_put(&w->loaded, f->places[at->a].a | SLOT_GLOBAL, 1);
            break;
        case PLACE_GLOBAL: write_slot(w, at->a | SLOT_GLOBAL); break;
        case PLACE_HEAP:
        case PLACE_RESULT:
            put_number(out, at->a - f->first_event);
            put_number(out, at->b);
            break;
        case PLACE_NONE:
        case PLACE_LOCAL:
        case PLACE_PARAM:
        case PLACE_ARG:
        case PLACE_PHI:
            put_number(out, at->a);
            put_number(out, at->b);
            break;
        }
    }
}

static void write_when(struct bytes_out *out, const struct result_when *when) {
    put_number(out, when->test);
    put_signed(out, when->value);
}

static void write_spec(struct writer *w, const struct handoff_spec *s) {
    struct bytes_out *out = &w->body;

    put_number(out, (uint64_t)s->result_known | (uint64_t)s->task << 1 | (uint64_t)s->lent << 2 |
                        (uint64_t)s->moves << 3 | (uint64_t)s->nothing << 4 |
                        (uint64_t)s->pointer_handle << 5 | (uint64_t)s->has_attributes << 6 |
                        (uint64_t)s->number << 7);
    put_number(out, s->n_entries);
    for (uint32_t i = 0; i < s->n_entries; i++)
        write_func(w, s->entries[i]);
    put_number(out, s->parameter);
    put_number(out, s->entry_param);
    put_number(out, s->n_handles);
    for (uint32_t i = 0; i < s->n_handles; i++)
        put_number(out, s->handles[i]);
    write_when(out, &s->when);
    put_number(out, s->type);
    write_func(w, s->typed_in);
    write_func(w, s->func);
    put_signed(out, (int64_t)s->event - (int64_t)region_event_base(w->f->p, s->func));
    put_number(out, s->told);
    if (s->told == TELLS)
        write_when(out, &s->told_when);
    write_slot(w, s->slot);
    write_func(w, s->starter);
    write_slot(w, s->inner);
    put_number(out, s->n_functions);
    for (uint32_t i = 0; i < s->n_functions; i++) {
        write_slot(w, s->functions[i].field);
        write_func(w, s->functions[i].func);
        put_number(out, s->functions[i].param);
    }
    put_word(out, s->locks);
}

static void write_events(struct writer *w) {
    const struct region_flow *f = w->f;
    struct bytes_out *out = &w->body;
    struct region_event before = {.event = f->first_event, .func = f->func};
    int64_t place = 0; /* in the function of the event before */

    for (size_t i = 0; i < f->n_events; i++) {
        const struct region_event *e = &f->events[i];
        const uint64_t now[] = {e->locks, e->acquired, e->acquired_inside, e->released,      e->takes,
                                e->gives, e->waits,    e->awaited_after,   e->awaited_inside};
        const uint64_t then[] = {before.locks,    before.acquired,      before.acquired_inside,
                                 before.released, before.takes,         before.gives,
                                 before.waits,    before.awaited_after, before.awaited_inside};
        uint32_t parts = 0;
        for (unsigned k = 0; k < sizeof now / sizeof *now; k++)
            parts |= now[k] != then[k] ? (uint32_t)PART_LOCKS << k : 0;
        parts |= e->op != before.op || e->flags != before.flags ? PART_OP : 0;
        parts |= e->into != before.into ? PART_INTO : 0;
        parts |= e->func != before.func ? PART_FUNC : 0;
        parts |= e->spawn ? PART_SPAWN : 0;
        parts |= e->event != before.event ? PART_EVENT : 0;
        put_number(out, parts);
        put_number(out, e->place);
        if (parts & PART_OP) {
            put_number(out, e->op);
            put_number(out, e->flags);
        }
        if (parts & PART_INTO)
            put_number(out, e->into);
        for (unsigned k = 0; k < sizeof now / sizeof *now; k++)
            if (now[k] != then[k])
                put_word(out, now[k]);
        if (parts & PART_FUNC)
            write_func(w, e->func);
        if (parts & PART_EVENT)
            put_signed(out, (int64_t)e->event - (int64_t)before.event);
        const int64_t at = memo_place(f->p, e->func, e->loc);
        put_signed(out, (int64_t)((uint64_t)at - (uint64_t)place));
        if (e->spawn)
            write_spec(w, e->spawn);
        before = *e;
        place = at;
    }
}

static void write_calls(struct writer *w) {
    const struct region_flow *f = w->f;
    struct bytes_out *out = &w->body;
    struct region_callsite before = {.event = f->first_event};

    for (size_t i = 0; i < f->calls.n; i++) {
        const struct region_callsite *c = &f->calls.at[i];
        uint32_t parts = c->locks != before.locks ? CALL_LOCKS : 0;
        parts |= c->acquired != before.acquired ? CALL_ACQUIRED : 0;
        parts |= c->released != before.released ? CALL_RELEASED : 0;
        for (unsigned k = 0; k < 4; k++)
            parts |= c->classes[k] != before.classes[k] ? (uint32_t)CALL_CLASSES << k : 0;
        put_number(out, parts);
        put_signed(out, (int64_t)c->event - (int64_t)before.event);
        write_func(w, c->func);
        put_number(out, c->n_args);
        if (parts & CALL_LOCKS)
            put_word(out, c->locks);
        if (parts & CALL_ACQUIRED)
            put_word(out, c->acquired);
        if (parts & CALL_RELEASED)
            put_word(out, c->released);
        for (unsigned k = 0; k < 4; k++)
            if (c->classes[k] != before.classes[k])
                put_word(out, c->classes[k]);
        before = *c;
    }
    for (size_t i = 0; i < f->args.n; i++) {
        const region_value v = f->args.at[i];
        put_number(out, VALUE_KIND(v));
        if (VALUE_KIND(v) == VALUE_FUNC)
            write_func(w, VALUE_ITEM(v));
        else if (VALUE_KIND(v) == VALUE_POINTER || VALUE_KIND(v) == VALUE_RESULT)
            put_number(out, VALUE_ITEM(v));
    }
}

static int by_place(const void *a, const void *b) {
    const struct map64_slot *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static void write_lists(struct writer *w) {
    const struct region_flow *f = w->f;
    struct bytes_out *out = &w->body;
    VEC(struct map64_slot) names = {0};
    const struct map64_slot *s;

    for (size_t i = 0; i < f->phis.n; i++) {
        put_number(out, f->phis.at[i].phi);
        put_number(out, f->phis.at[i].source);
    }
    for (size_t i = 0; i < f->calls_through.n; i++) {
        write_slot(w, f->calls_through.at[i].function);
        write_slot(w, f->calls_through.at[i].argument);
        put_number(out, f->calls_through.at[i].index);
    }
    for (size_t i = 0; i < f->copies.n; i++) {
        put_number(out, f->copies.at[i].to);
        put_number(out, f->copies.at[i].from);
        put_number(out, f->copies.at[i].event - f->first_event);
    }
    for (uint32_t i = 0; (s = map64_each(&f->names, &i));)
        vec_push(&names, *s);
    if (names.n)
        qsort(names.at, names.n, sizeof *names.at, by_place);
    for (size_t i = 0; i < names.n; i++) {
        put_number(out, names.at[i].key);
        put_number(out, names.at[i].value - 1);
    }
    vec_free(&names);
}

/* What there is by event and by block of the function. */
static void write_graph(struct writer *w, uint32_t n_events, uint32_t n_blocks) {
    const struct region_flow *f = w->f;
    struct bytes_out *out = &w->body;
    uint32_t before = 0;

    for (uint32_t i = 0; i <= n_events; i++) {
        put_signed(out, (int64_t)f->first[i] - (int64_t)before);
        before = f->first[i];
    }
    for (uint32_t i = 0, next; i < n_events; i = next) {
        for (next = i + 1; next < n_events && f->locks_at[next] == f->locks_at[i];)
            next++;
        put_number(out, next - i);
        put_word(out, f->locks_at[i]);
    }
    before = 0;
    for (uint32_t b = 0; b <= n_blocks; b++) {
        put_signed(out, (int64_t)f->branch_first[b] - (int64_t)before);
        before = f->branch_first[b];
    }
    for (uint32_t b = 0; b < n_blocks; b++) {
        const struct branch_fact *fact = &f->branches[b];
        const bool known = fact->event || fact->test || fact->value;
        put_number(out, (uint64_t)f->ends[b] << 1 | known);
        if (!known)
            continue;
        put_number(out, fact->event);
        put_number(out, fact->test);
        put_signed(out, fact->value);
    }
}

void region_write(struct regions *r, const struct region_flow *f, struct bytes_out *out) {
    struct writer w = {.r = r, .f = f};
    struct region_flow frame = {.p = f->p, .func = f->func, .unit = f->unit};
    const ir_event end = region_find_events(&frame);

    put_number(out, (uint64_t)f->failed | (uint64_t)f->returns << 1 | (uint64_t)f->lives << 2 |
                        (uint64_t)f->overflow << 3);
    put_word(out, f->seen);
    put_number(out, f->n_events);
    if (f->failed)
        return; /* nobody looks into it */
    vec_push(&w.funcs, f->func);
    map64_put(&w.func_numbers, f->func, 1);
    write_places(&w);
    write_events(&w);
    write_calls(&w);
    write_lists(&w);
    write_graph(&w, end - f->first_event, f->unit->unit->funcs[f->p->funcs.at[f->func].func].blocks.count);
    put_number(out, w.funcs.n);
    for (size_t i = 0; i < w.funcs.n; i++)
        put_func(out, f->p, w.funcs.at[i]);
    put_number(out, w.slots.n);
    for (size_t i = 0; i < w.slots.n; i++) {
        const bool loaded = map64_find(&w.loaded, w.slots.at[i]) != NULL;
        put_item(out, f->p, slot_item(w.slots.at[i]));
        put_number(out, region_item_facts(r, f->func, w.slots.at[i], loaded));
    }
    const size_t counts[] = {f->n_places, f->control.n,       f->spawns.n, f->calls.n, f->args.n,
                             f->phis.n,   f->calls_through.n, f->copies.n, f->names.n};
    const uint64_t masks[] = {f->takes,    f->gives,        f->waits, f->adds,    f->drops,
                              f->may_drop, f->frees_always, f->loses, f->may_free};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        put_number(out, counts[i]);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        put_word(out, masks[i]);
    put_bytes(out, w.body.list.at, w.body.list.n);
    vec_free(&w.body.list);
    vec_free(&w.funcs);
    vec_free(&w.slots);
    map64_free(&w.func_numbers);
    map64_free(&w.slot_numbers);
    map64_free(&w.loaded);
}
