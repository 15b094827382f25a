/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How the functions that a function calls touch one object, in its words: gathered when somebody asks, from callee to
 * callee, and kept.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include "../base/alloc.h"

enum { MAX_TOUCHES = 4000 /* kept of one object in one function */, MAX_CALLS_DEEP = 400 };

/* ---- a function's own ---- */

static void index_touches(struct region_flow *f) {
    f->next_touch = xcalloc(f->n_events + 1, sizeof *f->next_touch);
    for (size_t i = f->n_events; i-- > 0;) {
        const struct region_event *e = &f->events[i];
        if (!region_is_touch(e))
            continue;
        uint32_t *first = map64_place(&f->touches_of, place_object(f, e->place), NULL);
        f->next_touch[i] = *first;
        *first = (uint32_t)i + 1;
    }
}

const struct region_event *regions_touch(const struct region_flow *f, place_id object) {
    if (!f->next_touch)
        index_touches((struct region_flow *)f);
    uint32_t first = map64_get(&f->touches_of, object, 0);
    return first ? &f->events[first - 1] : NULL;
}

const struct region_event *regions_next_touch(const struct region_flow *f, const struct region_event *e) {
    uint32_t next = f->next_touch[e - f->events];
    return next ? &f->events[next - 1] : NULL;
}

/* ---- its callees' ---- */

static uint32_t gather(struct regions *r, struct region_flow *f, place_id object);

/* A callee's classes, in the caller's words. */
static uint64_t said_at(const struct region_callsite *c, uint64_t mask) {
    for (uint32_t i = 0; mask != UINT64_MAX && i < 32 - CLASS_FIRST_PARAM; i++)
        for (uint32_t half = 0; mask != UINT64_MAX && half < 64; half += 32) {
            uint64_t stands_for = UINT64_C(1) << (CLASS_FIRST_PARAM + i + half);
            if (mask & stands_for)
                mask = c->classes[i] == UINT64_MAX
                           ? UINT64_MAX
                           : (mask & ~stands_for) | (c->classes[i] & CLASS_LOCKS << half);
        }
    return mask;
}

struct gathering {
    struct region_flow *f;
    uint32_t index; /* of the list in f->lifted */
    struct map64 seen;
    bool grew;
    /* The last that was said in f's words: neighbours are often of one place. */
    const struct region_callsite *site;
    const struct region_flow *callee;
    place_id said, as;
};

static place_id said_here(struct gathering *g, const struct region_callsite *c,
                          const struct region_flow *callee, place_id p) {
    if (g->site != c || g->callee != callee || g->said != p) {
        g->site = c;
        g->callee = callee;
        g->said = p;
        g->as = place_translate(callee, p, g->f, &g->f->args.at[c->first_arg], c->n_args);
    }
    return g->as;
}

static uint64_t key_of(const struct region_event *e) {
    return hash_add(hash_add(key_pair(e->op, e->place), e->locks), key_pair(e->flags, e->event));
}

static void add_touch(struct gathering *g, const struct region_callsite *c, const struct region_flow *callee,
                      const struct region_event *from) {
    struct lifted_touches *list = &g->f->lifted.at[g->index];
    const struct place *at = &callee->places[from->place];
    const place_id place = said_here(g, c, callee, from->place);
    struct region_event e;
    bool is_new;
    if (!place || list->n == MAX_TOUCHES)
        return;
    e = *from;
    e.flags = (uint8_t)((from->flags & ~REGION_BRANCH) | REGION_LIFTED);
    e.place = place;
    e.event = c->event;
    if (e.op == REGION_FREE && !(at->op == PLACE_PARAM && at->a < 64 && callee->frees_always >> at->a & 1))
        e.flags |= REGION_MAYBE;
    e.locks = c->locks | said_at(c, from->locks);
    e.acquired_inside = said_at(c, from->acquired);
    e.acquired = c->acquired | e.acquired_inside;
    e.released = c->released | said_at(c, from->released);
    map64_place(&g->seen, key_of(&e), &is_new);
    if (!is_new)
        return;
    if (list->n == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 8;
        list->at = xrealloc(list->at, list->cap * sizeof *list->at);
    }
    list->at[list->n++] = e;
    g->grew = true;
}

/* How one callee touches its `object`. */
static void add_touches(struct regions *r, struct gathering *g, const struct region_callsite *c,
                        struct region_flow *callee, place_id object) {
    for (const struct region_event *e = regions_touch(callee, object); e; e = regions_next_touch(callee, e))
        add_touch(g, c, callee, e);
    uint32_t list = gather(r, callee, object);
    for (uint32_t i = 0; list && i < callee->lifted.at[list - 1].n; i++) {
        struct region_event from = callee->lifted.at[list - 1].at[i]; /* the list may be the one that grows */
        add_touch(g, c, callee, &from);
    }
}

/* Is it reached from another place? */
static bool is_within(const struct place *at) {
    return at->op == PLACE_FIELD || at->op == PLACE_INDEX || at->op == PLACE_DEREF || at->op == PLACE_LOADED;
}

/* The object, and what it is reached from: an argument that points to any of these leads to it. */
struct way_there {
    place_id at[32];
    uint32_t n;
};

static struct way_there way_to(const struct region_flow *f, place_id object) {
    struct way_there way = {{0}, 0};
    for (place_id p = object; p && way.n < sizeof way.at / sizeof *way.at; p = f->places[p].a) {
        way.at[way.n++] = p;
        if (!is_within(&f->places[p]))
            break;
    }
    return way;
}

/* By argument of all calls: the object that it points to, or 0. */
static void find_arg_objects(struct region_flow *f) {
    f->arg_objects = xcalloc(f->args.n + 1, sizeof *f->arg_objects);
    for (size_t i = 0; i < f->args.n; i++)
        if (VALUE_KIND(f->args.at[i]) == VALUE_POINTER)
            f->arg_objects[i] = place_object(f, VALUE_ITEM(f->args.at[i]));
}

/* What the callee calls the object, when it has it from argument i; 0: it does not. */
static place_id called(const struct region_flow *f, const struct region_callsite *c, uint32_t i,
                       struct region_flow *callee, const struct way_there *way) {
    const uint32_t arg = c->first_arg + i;
    const place_id object = f->arg_objects[arg], item = VALUE_ITEM(f->args.at[arg]);
    if (!object)
        return 0;
    if (object == way->at[0])
        return place_make(callee, PLACE_PARAM, i, 0);
    for (uint32_t k = 0; k < way->n; k++)
        if (way->at[k] == item)
            return place_rebase(f, way->at[0], item, callee, place_make(callee, PLACE_PARAM, i, 0));
    return 0;
}

static bool gather_once(struct regions *r, struct region_flow *f, uint32_t index, place_id object) {
    struct gathering g = {.f = f, .index = index};
    const struct way_there way = way_to(f, object);
    if (!f->arg_objects)
        find_arg_objects(f);
    f->lifted.at[index].active = true;
    for (uint32_t i = 0; i < f->lifted.at[index].n; i++)
        map64_place(&g.seen, key_of(&f->lifted.at[index].at[i]), NULL);
    for (size_t i = 0; i < f->calls.n; i++) {
        const struct region_callsite *c = &f->calls.at[i];
        struct region_flow *callee = r->flows.at[c->func];
        place_id done[4] = {0};
        uint32_t n = 0;
        if (!callee || callee->failed)
            continue;
        for (uint32_t k = 0; k <= c->n_args && n < 4; k++) {
            place_id there =
                k < c->n_args ? called(f, c, k, callee, &way) : place_translate(f, object, callee, NULL, 0);
            bool again = !there;
            for (uint32_t j = 0; j < n; j++)
                again |= done[j] == there;
            if (again)
                continue;
            done[n++] = there;
            add_touches(r, &g, c, callee, there);
        }
    }
    map64_free(&g.seen);
    f->lifted.at[index].active = false;
    return g.grew;
}

static int by_event(const void *x, const void *y) {
    const struct region_event *a = x, *b = y;
    const uint64_t one[] = {a->event, key_pair(a->func, a->loc), key_pair(a->op, a->place), a->flags,
                            a->locks};
    const uint64_t two[] = {b->event, key_pair(b->func, b->loc), key_pair(b->op, b->place), b->flags,
                            b->locks};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        if (one[i] != two[i])
            return one[i] < two[i] ? -1 : 1;
    return 0;
}

/* The list's place + 1; 0: too many calls deep. */
static uint32_t gather(struct regions *r, struct region_flow *f, place_id object) {
    uint32_t *known = map64_find(&f->lifted_of, object);
    if (known) {
        r->partial |= f->lifted.at[*known - 1].active;
        return *known;
    }
    if (r->depth == MAX_CALLS_DEEP) {
        program_give_up(r->p, f->func,
                        "the rules about hand-offs, where an object goes through too many calls");
        return 0;
    }
    uint32_t index = (uint32_t)f->lifted.n;
    (void)vec_add(&f->lifted);
    map64_put(&f->lifted_of, object, index + 1);
    vec_push(&r->gathered, ((struct lifted_key){f, index, object}));
    r->depth++;
    gather_once(r, f, index, object);
    r->depth--;
    return index + 1;
}

struct lifted_touches regions_lifted(struct regions *r, const struct region_flow *flow, place_id object) {
    struct region_flow *f = (struct region_flow *)flow;
    uint32_t list;
    r->partial = false;
    vec_clear(&r->gathered);
    list = object ? gather(r, f, object) : 0;
    /* Where functions call each other, until nothing is added any more. */
    for (bool again = r->partial; again;) {
        again = false;
        for (size_t i = 0; i < r->gathered.n; i++) {
            struct lifted_key k = r->gathered.at[i];
            again |= gather_once(r, k.flow, k.index, k.object);
        }
    }
    for (size_t i = 0; i < r->gathered.n; i++) {
        const struct lifted_touches *l = &r->gathered.at[i].flow->lifted.at[r->gathered.at[i].index];
        if (l->n > 1)
            qsort(l->at, l->n, sizeof *l->at, by_event);
    }
    return list ? f->lifted.at[list - 1] : (struct lifted_touches){0};
}
