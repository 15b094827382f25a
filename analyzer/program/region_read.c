/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A flow from bytes, as region_write.c made them. Stands on region_memo.h.
 *
 * The bytes are of a run before, so no number is trusted: each is looked at before it is used as one, and what is past its bound makes
 * the whole entry bad. All lists lie in one piece of memory, since most flows are only looked through. */
#include "region_memo.h"

#include "../base/alloc.h"

struct reader {
    struct regions *r;
    struct region_flow *f;
    const struct unit *u;
    struct bytes_in in;
    uint32_t n_funcs, n_slots;   /* in r->named */
    uint32_t n_events, n_blocks; /* of the function's graph */
};

enum { N_PLACES, N_CONTROL, N_SPAWNS, N_CALLS, N_ARGS, N_PHIS, N_THROUGH, N_COPIES, N_NAMES, N_COUNTS };

static uint32_t read_func(struct reader *d) {
    const uint32_t i = get_below(&d->in, (uint64_t)d->n_funcs + 1);
    return i ? d->r->named.at[i - 1] : 0;
}

static uint32_t read_slot(struct reader *d) {
    const uint32_t i = get_below(&d->in, (uint64_t)d->n_slots + 1);
    return i ? d->r->named.at[d->n_funcs + i - 1] : 0;
}

/* A member's place needs one; so does a call. */
static uint32_t some(struct reader *d, uint32_t number) {
    d->in.bad |= !number;
    return number;
}

/* A member, not a global; 0: none. */
static uint32_t read_field(struct reader *d) {
    const uint32_t slot = read_slot(d);
    d->in.bad |= (slot & SLOT_GLOBAL) != 0;
    return slot & SLOT_GLOBAL ? 0 : slot;
}

/* One that there is: the function itself where the bytes are bad. */
static uint32_t read_some_func(struct reader *d) {
    const uint32_t func = some(d, read_func(d));
    return func ? func : d->f->func;
}

static place_id read_place(struct reader *d) {
    return get_below(&d->in, d->f->n_places);
}

static bool read_names(struct reader *d) {
    struct regions *r = d->r;

    vec_clear(&r->named);
    d->n_funcs = get_count(&d->in);
    for (uint32_t i = 0; i < d->n_funcs && !d->in.bad; i++) {
        const uint32_t func = get_func(&d->in, r->p);
        vec_push(&r->named, some(d, func));
    }
    d->n_slots = get_count(&d->in);
    for (uint32_t i = 0; i < d->n_slots && !d->in.bad; i++) {
        const uint32_t slot = item_slot(get_item(&d->in, r->p)), facts = get_below(&d->in, UINT32_MAX);
        vec_push(&r->named, some(d, slot));
        if (d->in.bad || facts != region_item_facts(r, d->f->func, slot, facts & 1))
            return false;
    }
    return !d->in.bad && d->n_funcs && r->named.at[0] == d->f->func;
}

static void read_places(struct reader *d) {
    struct region_flow *f = d->f;
    struct bytes_in *in = &d->in;

    f->places[0] = (struct place){0, 0, 0};
    for (uint32_t i = 1; i < f->n_places && !in->bad; i++) {
        struct place at = {get_below(in, PLACE_PHI + 1), 0, 0};
        switch ((enum place_op)at.op) {
        case PLACE_FIELD:
            at.a = i - some(d, get_below(in, (uint64_t)i + 1));
            at.b = some(d, read_field(d));
            break;
        case PLACE_INDEX: {
            at.a = i - some(d, get_below(in, (uint64_t)i + 1));
            const uint64_t which = get_number(in);
            at.b = (uint32_t)(which >> 1) | (which & 1 ? PLACE_BY_VAR : 0);
            in->bad |= which & 1 ? which >> 1 >= d->u->n_vars : which >> 1 >= PLACE_BY_VAR;
            break;
        }
        case PLACE_DEREF:
            at.a = i - some(d, get_below(in, (uint64_t)i + 1));
            at.b = get_below(in, UINT32_MAX);
            break;
        case PLACE_LOADED:
            at.a = i - some(d, get_below(in, (uint64_t)i + 1));
            at.b = f->first_event + get_below(in, d->n_events);
            break;
        case PLACE_GLOBAL: {
            const uint32_t slot = some(d, read_slot(d));
            at.a = slot & ~SLOT_GLOBAL;
            in->bad |= !(slot & SLOT_GLOBAL);
            break;
        }
        case PLACE_HEAP:
        case PLACE_RESULT:
            at.a = f->first_event + get_below(in, d->n_events);
            at.b = get_below(in, UINT32_MAX);
            break;
        case PLACE_LOCAL:
            at.a = get_below(in, d->u->n_vars);
            at.b = get_below(in, UINT32_MAX);
            break;
        case PLACE_PHI:
            at.a = get_below(in, d->n_blocks);
            at.b = get_below(in, d->u->n_vars);
            break;
        case PLACE_PARAM:
        case PLACE_ARG:
            at.a = get_below(in, d->u->funcs[d->r->p->funcs.at[f->func].func].params.count);
            at.b = get_below(in, UINT32_MAX);
            break;
        case PLACE_NONE:
            at.a = get_below(in, UINT32_MAX);
            at.b = get_below(in, UINT32_MAX);
            break;
        }
        f->places[i] = at;
    }
}

static struct result_when read_when(struct bytes_in *in) {
    struct result_when when = {(enum result_test)get_below(in, RESULT_GE + 1), 0};
    when.value = get_signed(in);
    return when;
}

static const struct handoff_spec *read_spec(struct reader *d) {
    struct program *p = d->r->p;
    struct bytes_in *in = &d->in;
    struct handoff_spec *s = arena_new(&p->arena, struct handoff_spec);
    const uint32_t bits = get_below(in, 256);

    s->result_known = bits & 1;
    s->task = bits >> 1 & 1;
    s->lent = bits >> 2 & 1;
    s->moves = bits >> 3 & 1;
    s->nothing = bits >> 4 & 1;
    s->pointer_handle = bits >> 5 & 1;
    s->has_attributes = bits >> 6 & 1;
    s->number = bits >> 7 & 1;
    s->n_entries = get_below(in, sizeof s->entries / sizeof *s->entries + 1);
    for (uint32_t i = 0; i < s->n_entries; i++)
        s->entries[i] = read_some_func(d);
    s->parameter = get_below(in, 64);
    s->entry_param = get_below(in, UINT32_MAX);
    s->n_handles = get_below(in, sizeof s->handles / sizeof *s->handles + 1);
    for (uint32_t i = 0; i < s->n_handles; i++)
        s->handles[i] = read_place(d);
    s->when = read_when(in);
    s->type = get_below(in, UINT32_MAX);
    s->typed_in = read_some_func(d);
    s->func = read_some_func(d);
    s->event = (ir_event)((int64_t)region_event_base(p, s->func) + get_signed(in));
    s->told = get_below(in, TELLS_NOT + 1);
    if (s->told == TELLS)
        s->told_when = read_when(in);
    s->slot = read_slot(d);
    s->starter = read_func(d);
    s->inner = read_field(d);
    s->n_functions = get_below(in, sizeof s->functions / sizeof *s->functions + 1);
    for (uint32_t i = 0; i < s->n_functions; i++) {
        s->functions[i].field = some(d, read_field(d));
        s->functions[i].func = read_func(d);
        s->functions[i].param = get_below(in, UINT32_MAX);
    }
    s->locks = get_word(in);
    if (!in->bad)
        in->bad |= s->type >= p->funcs.at[s->typed_in].unit->unit->n_types ||
                   s->event >= p->funcs.at[s->func].unit->unit->n_events;
    return s;
}

static ir_event read_event(struct reader *d, ir_event before) {
    const uint64_t event = (uint64_t)before + (uint64_t)get_signed(&d->in);

    d->in.bad |= event - d->f->first_event >= (d->n_events ? d->n_events : 1);
    return (ir_event)event;
}

static void read_masks(struct reader *d, struct region_event *e, uint32_t parts) {
    uint64_t *const masks[] = {&e->locks, &e->acquired, &e->acquired_inside, &e->released,      &e->takes,
                               &e->gives, &e->waits,    &e->awaited_after,   &e->awaited_inside};

    for (unsigned k = 0; k < sizeof masks / sizeof *masks; k++)
        if (parts & (uint32_t)PART_LOCKS << k)
            *masks[k] = get_word(&d->in);
}

static void read_events(struct reader *d, const uint32_t *counts) {
    struct region_flow *f = d->f;
    struct bytes_in *in = &d->in;
    struct region_event now = {.event = f->first_event, .func = f->func};
    const struct program *p = f->p;
    uint64_t place = 0;

    for (size_t i = 0; i < f->n_events && !in->bad; i++) {
        const uint32_t parts = get_below(in, PART_EVENT << 1);
        now.place = read_place(d);
        if (parts & PART_OP) {
            now.op = (uint8_t)get_below(in, REGION_RETURN + 1);
            now.flags = (uint8_t)get_below(in, 256);
        }
        if (parts & PART_INTO)
            now.into = read_place(d);
        read_masks(d, &now, parts);
        if (parts & PART_FUNC)
            now.func = read_some_func(d);
        if (parts & PART_EVENT)
            now.event = read_event(d, now.event);
        place += (uint64_t)get_signed(in);
        now.loc = memo_loc(p, now.func, (int64_t)place);
        now.spawn = parts & PART_SPAWN ? read_spec(d) : NULL;
        in->bad |= now.loc >= p->funcs.at[now.func].unit->unit->n_locs;
        in->bad |= !now.spawn && (now.op == REGION_SPAWN || now.op == REGION_SEND || now.op == REGION_PUT);
        in->bad |= now.op == REGION_PUT && now.spawn && !now.spawn->slot && !now.spawn->inner;
        if (now.op > REGION_PASS && now.op != REGION_ORDER) {
            if (f->control.n < counts[N_CONTROL])
                f->control.at[f->control.n++] = (uint32_t)i;
            else
                in->bad = true;
        }
        if (now.op == REGION_SPAWN) {
            if (f->spawns.n < counts[N_SPAWNS])
                f->spawns.at[f->spawns.n++] = (uint32_t)i;
            else
                in->bad = true;
        }
        f->events[i] = now;
    }
    in->bad |= f->control.n != counts[N_CONTROL] || f->spawns.n != counts[N_SPAWNS];
}

static void read_calls(struct reader *d, const uint32_t *counts) {
    struct region_flow *f = d->f;
    struct bytes_in *in = &d->in;
    struct region_callsite now = {.event = f->first_event};

    for (uint32_t i = 0; i < counts[N_CALLS] && !in->bad; i++) {
        const uint32_t parts = get_below(in, CALL_CLASSES << 4);
        now.event = read_event(d, now.event);
        now.func = read_some_func(d);
        now.first_arg += now.n_args;
        now.n_args = get_below(in, (uint64_t)counts[N_ARGS] - now.first_arg + 1);
        if (parts & CALL_LOCKS)
            now.locks = get_word(in);
        if (parts & CALL_ACQUIRED)
            now.acquired = get_word(in);
        if (parts & CALL_RELEASED)
            now.released = get_word(in);
        for (unsigned k = 0; k < 4; k++)
            if (parts & (uint32_t)CALL_CLASSES << k)
                now.classes[k] = get_word(in);
        f->calls.at[f->calls.n++] = now;
    }
    for (uint32_t i = 0; i < counts[N_ARGS] && !in->bad; i++) {
        const uint32_t kind = get_below(in, VALUE_NUMBER + 1);
        uint32_t item = 0;
        if (kind == VALUE_FUNC)
            item = read_some_func(d);
        else if (kind == VALUE_POINTER)
            item = read_place(d);
        else if (kind == VALUE_RESULT)
            item = get_below(in, d->n_events);
        f->args.at[f->args.n++] = VALUE_OF(kind, item);
    }
}

static void read_lists(struct reader *d, const uint32_t *counts) {
    struct region_flow *f = d->f;
    struct bytes_in *in = &d->in;

    for (; f->phis.n < counts[N_PHIS] && !in->bad; f->phis.n++) {
        f->phis.at[f->phis.n].phi = read_place(d);
        f->phis.at[f->phis.n].source = read_place(d);
    }
    for (; f->calls_through.n < counts[N_THROUGH] && !in->bad; f->calls_through.n++) {
        f->calls_through.at[f->calls_through.n].function = some(d, read_field(d));
        f->calls_through.at[f->calls_through.n].argument = some(d, read_field(d));
        f->calls_through.at[f->calls_through.n].index = get_below(in, UINT32_MAX);
    }
    for (; f->copies.n < counts[N_COPIES] && !in->bad; f->copies.n++) {
        f->copies.at[f->copies.n].to = read_place(d);
        f->copies.at[f->copies.n].from = read_place(d);
        f->copies.at[f->copies.n].event = f->first_event + get_below(in, d->n_events);
    }
    for (uint32_t i = 0; i < counts[N_NAMES] && !in->bad; i++) {
        const place_id p = read_place(d);
        map64_put(&f->names, p, get_below(in, d->u->n_vars) + 1);
    }
}

/* Numbers of events, each at most `end`. */
static void read_firsts(struct bytes_in *in, uint32_t *at, uint32_t n, uint64_t end) {
    uint64_t now = 0;

    for (uint32_t i = 0; i <= n && !in->bad; i++) {
        now += (uint64_t)get_signed(in);
        in->bad |= now > end;
        at[i] = (uint32_t)now;
    }
}

static void read_graph(struct reader *d) {
    struct region_flow *f = d->f;
    struct bytes_in *in = &d->in;

    read_firsts(in, f->first, d->n_events, f->n_events);
    for (uint32_t i = 0; i < d->n_events && !in->bad;) {
        const uint32_t same = some(d, get_below(in, (uint64_t)d->n_events - i + 1));
        const uint64_t locks = get_word(in);
        for (uint32_t k = 0; k < same; k++)
            f->locks_at[i++] = locks;
    }
    f->locks_at[d->n_events] = 0;
    read_firsts(in, f->branch_first, d->n_blocks, f->n_events);
    for (uint32_t b = 0; b < d->n_blocks && !in->bad; b++) {
        const uint32_t end = get_below(in, (uint64_t)(WAY_STAYS + 1) << 1);
        f->ends[b] = (uint8_t)(end >> 1);
        f->branches[b] = (struct branch_fact){0, 0, 0};
        if (!(end & 1))
            continue;
        f->branches[b].event = get_below(in, d->u->n_events);
        f->branches[b].test = get_below(in, UINT32_MAX);
        f->branches[b].value = get_signed(in);
    }
}

/* Room for all lists but the places, the widest first; each count is at most the bytes that are left. */
static void make_room(struct reader *d, const uint32_t *counts) {
    struct region_flow *f = d->f;
    size_t size = 8;
    char *at;

#define ROOM(n, list) size += ((size_t)(n) * sizeof *(list) + 7) & ~(size_t)7
#define TAKE(n, list) ((list) = (void *)at, at += ((size_t)(n) * sizeof *(list) + 7) & ~(size_t)7)
#define EACH(DO)                                                                                             \
    DO(f->n_events, f->events);                                                                              \
    DO(d->n_events + (size_t)1, f->locks_at);                                                                \
    DO(d->n_events + (size_t)1, f->first);                                                                   \
    DO(d->n_blocks + (size_t)1, f->branch_first);                                                            \
    DO(d->n_blocks, f->branches);                                                                            \
    DO(d->n_blocks, f->ends);                                                                                \
    DO(counts[N_CONTROL], f->control.at);                                                                    \
    DO(counts[N_SPAWNS], f->spawns.at);                                                                      \
    DO(counts[N_CALLS], f->calls.at);                                                                        \
    DO(counts[N_ARGS], f->args.at);                                                                          \
    DO(counts[N_PHIS], f->phis.at);                                                                          \
    DO(counts[N_THROUGH], f->calls_through.at);                                                              \
    DO(counts[N_COPIES], f->copies.at)
    EACH(ROOM);
    at = f->kept = xmalloc(size);
    EACH(TAKE);
#undef EACH
#undef TAKE
#undef ROOM
    f->n_places = f->cap_places = counts[N_PLACES];
    f->places = xmalloc(((size_t)f->n_places + 1) * sizeof *f->places);
}

static void read_body(struct reader *d) {
    struct region_flow *f = d->f;
    struct bytes_in *in = &d->in;
    uint64_t *const masks[] = {&f->takes,    &f->gives,        &f->waits, &f->adds,    &f->drops,
                               &f->may_drop, &f->frees_always, &f->loses, &f->may_free};
    uint32_t counts[N_COUNTS];

    for (int i = 0; i < N_COUNTS; i++)
        counts[i] = get_count(in);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        *masks[i] = get_word(in);
    in->bad |= !counts[N_PLACES] || f->n_events > (size_t)(in->end - in->at);
    if (in->bad)
        return;
    make_room(d, counts);
    read_places(d);
    read_events(d, counts);
    read_calls(d, counts);
    read_lists(d, counts);
    read_graph(d);
    in->bad |= in->at != in->end;
}

struct region_flow *region_read(struct regions *r, uint32_t func, struct bytes_in in) {
    const struct linked_func *lf = &r->p->funcs.at[func];
    struct reader d = {.r = r, .f = xcalloc(1, sizeof *d.f), .u = lf->unit->unit, .in = in};
    struct region_flow *f = d.f;
    const uint32_t bits = get_below(&d.in, 16);

    f->p = r->p;
    f->func = func;
    f->unit = lf->unit;
    f->solved = true;
    d.n_events = region_find_events(f);
    d.n_events -= f->first_event;
    d.n_blocks = d.u->funcs[lf->func].blocks.count;
    f->failed = bits & 1;
    f->returns = bits >> 1 & 1;
    f->lives = bits >> 2 & 1;
    f->overflow = bits >> 3 & 1;
    f->seen = get_word(&d.in);
    f->n_events = get_below(&d.in, UINT32_MAX);
    if (!f->failed && read_names(&d))
        read_body(&d);
    else
        d.in.bad |= !f->failed;
    if (!d.in.bad)
        return f;
    region_flow_free(f);
    return NULL;
}
