/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How the functions that a function calls touch one object, in its words: gathered when somebody asks, from callee to
 * callee, and kept.
 * Stands on region_flow.h. */
#include "region_flow.h"

#include <string.h>
#include "../base/alloc.h"

enum {
    MAX_TOUCHES = 4000, /* kept of one object in one function */
    SEEN_SIZE = 8192,   /* of the table that tells them apart: twice as many */
    MAX_CALLS_DEEP = 400
};

/* ---- a function's own ---- */

static void index_touches(struct region_flow *f) {
    f->next_touch = xcalloc(f->n_events + 1, sizeof *f->next_touch);
    f->first_touch = xcalloc(f->n_places, sizeof *f->first_touch);
    f->n_first_touch = f->n_places;
    for (size_t i = f->n_events; i-- > 0;) {
        const struct region_event *e = &f->events[i];
        if (!region_is_touch(e))
            continue;
        uint32_t *first = &f->first_touch[place_object(f, e->place)];
        f->next_touch[i] = *first;
        *first = (uint32_t)i + 1;
    }
}

const struct region_event *regions_touch(const struct region_flow *f, place_id object) {
    if (!f->next_touch)
        index_touches((struct region_flow *)f);
    uint32_t first = object < f->n_first_touch ? f->first_touch[object] : 0; /* else it was made later */
    return first ? &f->events[first - 1] : NULL;
}

const struct region_event *regions_next_touch(const struct region_flow *f, const struct region_event *e) {
    uint32_t next = f->next_touch[e - f->events];
    return next ? &f->events[next - 1] : NULL;
}

/* ---- its callees' ---- */

/* A callee's classes, in the caller's words. */
static uint64_t said_at(const struct region_callsite *c, uint64_t mask) {
    const uint64_t params = CLASS_LOCKS & ~((UINT64_C(1) << CLASS_FIRST_PARAM) - 1);
    if (mask == UINT64_MAX || !(mask & (params | params << 32)))
        return mask;
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
    struct regions *r;
    struct region_flow *f, *callee;
    const struct region_callsite *site; /* at which the callee is called */
    place_id said, as;                  /* the last place said in f's words: neighbours are often of one */
};

static place_id said_here(struct gathering *g, place_id p) {
    if (g->said != p)
        g->as = place_translate(g->callee, p, g->f, &g->f->args.at[g->site->first_arg], g->site->n_args);
    g->said = p;
    return g->as;
}

static uint64_t key_of(const struct region_event *e) {
    return hash_add(hash_add(key_pair(e->op, e->place), e->locks), key_pair(e->flags, e->event));
}

/* Is it none of this list's by now? */
static bool is_new(struct regions *r, const struct region_event *e) {
    const uint64_t key = key_of(e);
    uint32_t i = (uint32_t)key % SEEN_SIZE;
    for (; r->seen[i].fill == r->fills; i = (i + 1) % SEEN_SIZE)
        if (r->seen[i].key == key)
            return false;
    r->seen[i] = (struct touch_key){key, r->fills};
    return true;
}

static void add_touch(struct gathering *g, const struct region_event *from) {
    const struct region_callsite *c = g->site;
    const struct place *at = &g->callee->places[from->place];
    const place_id place = said_here(g, from->place);
    struct region_event e;
    if (!place || g->r->touches.n == MAX_TOUCHES)
        return;
    e = *from;
    e.flags = (uint8_t)((from->flags & ~REGION_BRANCH) | REGION_LIFTED);
    e.place = place;
    e.event = c->event;
    if (e.op == REGION_FREE && !(at->op == PLACE_PARAM && at->a < 64 && g->callee->frees_always >> at->a & 1))
        e.flags |= REGION_MAYBE;
    e.locks = c->locks | said_at(c, from->locks);
    if (!is_new(g->r, &e))
        return;
    e.acquired_inside = said_at(c, from->acquired);
    e.acquired = c->acquired | e.acquired_inside;
    e.released = c->released | said_at(c, from->released);
    vec_push(&g->r->touches, e);
}

/* How the callee touches it, and those that it calls. */
static void add_touches(struct regions *r, struct region_flow *f, const struct lifted_lead *lead) {
    struct gathering g = {.r = r, .f = f, .site = &f->calls.at[lead->call]};
    g.callee = r->flows.at[g.site->func];
    const struct region_event *e = regions_touch(g.callee, lead->there);
    for (; e; e = regions_next_touch(g.callee, e))
        add_touch(&g, e);
    const struct lifted_touches further =
        lead->list ? g.callee->lifted.at[lead->list - 1] : (struct lifted_touches){0};
    for (uint32_t i = 0; i < further.n; i++)
        add_touch(&g, &further.at[i]);
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

static uint64_t place_bit(place_id p) {
    return UINT64_C(1) << (p & 63);
}

/* By argument of all calls: the object that it points to, or 0. */
static void find_arg_objects(struct region_flow *f) {
    f->arg_objects = xcalloc(f->args.n + 1, sizeof *f->arg_objects);
    f->call_places = xcalloc(f->calls.n + 1, sizeof *f->call_places);
    for (size_t i = 0; i < f->calls.n; i++) {
        const struct region_callsite *c = &f->calls.at[i];
        for (uint32_t arg = c->first_arg; arg < c->first_arg + c->n_args; arg++) {
            const region_value v = f->args.at[arg];
            if (VALUE_KIND(v) != VALUE_POINTER)
                continue;
            f->arg_objects[arg] = place_object(f, VALUE_ITEM(v));
            f->call_places[i] |= place_bit(f->arg_objects[arg]) | place_bit(VALUE_ITEM(v));
        }
        f->any_call |= f->call_places[i];
    }
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

/* Has the object a name of its own, that any function may know? */
static bool is_named(const struct region_flow *f, const struct way_there *way) {
    return f->places[way->at[way->n - 1]].op == PLACE_GLOBAL;
}

/* Bits of which an argument has one that leads to the object. */
static uint64_t bits_of(const struct way_there *way) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < way->n; i++)
        bits |= place_bit(way->at[i]);
    return bits;
}

/* ---- which calls lead to an object, and what may be written there ---- */

#define WRITES_UNNAMED UINT64_C(1) /* of what an argument points to */
#define WRITES_GLOBALS UINT64_C(2)

uint64_t region_slot_bit(const struct program *p, uint32_t slot) {
    return !slot                ? WRITES_UNNAMED
           : slot & SLOT_GLOBAL ? WRITES_GLOBALS
                                : UINT64_C(4) << p->fields.at[slot].parent % 62;
}

/* What the callee writes of it, and those that it calls, said in f's words. */
static uint64_t written_at(const struct region_flow *f, place_id object, const struct lifted_lead *lead,
                           const struct region_flow *callee) {
    const struct region_callsite *c = &f->calls.at[lead->call];
    uint64_t bits = lead->list ? callee->lifted.at[lead->list - 1].writes : 0;
    const struct region_event *e = regions_touch(callee, lead->there);
    for (; e; e = regions_next_touch(callee, e))
        if (e->op == REGION_WRITE)
            bits |= region_slot_bit(f->p, place_slot(callee, e->place));
    if (!(bits & WRITES_UNNAMED))
        return bits;
    bits &= ~WRITES_UNNAMED;
    for (uint32_t arg = c->first_arg; arg < c->first_arg + c->n_args; arg++)
        if (f->arg_objects[arg] == object)
            bits |= region_slot_bit(f->p, place_slot(f, VALUE_ITEM(f->args.at[arg])));
    return bits;
}

/* The place of the object's list, + 1, where it has one. */
static uint32_t *list_of(struct region_flow *f, place_id object) {
    if (object >= f->n_lifted_of) {
        const uint32_t n = f->cap_places;
        f->lifted_of = xrealloc(f->lifted_of, n * sizeof *f->lifted_of);
        memset(f->lifted_of + f->n_lifted_of, 0, (n - f->n_lifted_of) * sizeof *f->lifted_of);
        f->n_lifted_of = n;
    }
    return &f->lifted_of[object];
}

/* A list is begun; what it stands on is looked at next. Lists that stand on each other end together, with the first of them. */
static struct lifted_key begin(struct regions *r, struct region_flow *f, uint32_t index) {
    const struct lifted_key k = {f, index, (uint32_t)r->gathered.n, r->oldest};
    f->lifted.at[index].open = k.at + 1;
    vec_push(&r->gathered, k);
    r->oldest = UINT32_MAX;
    r->depth++;
    return k;
}

static void meet_open(struct regions *r, const struct lifted_touches *list) {
    if (list->open && list->open < r->oldest)
        r->oldest = list->open;
}

/* Does nothing that was begun before stand below it, so that all lists from it on are complete? */
static bool is_first(const struct regions *r, const struct lifted_key *k) {
    return r->oldest > k->at;
}

static void end(struct regions *r, const struct lifted_key *k) {
    r->depth--;
    if (is_first(r, k)) {
        for (size_t i = k->at; i < r->gathered.n; i++)
            r->gathered.at[i].flow->lifted.at[r->gathered.at[i].index].open = 0;
        r->gathered.n = k->at;
        r->oldest = k->outer;
    } else if (k->outer < r->oldest) {
        r->oldest = k->outer;
    }
}

static bool too_deep(struct regions *r, const struct region_flow *f) {
    if (r->depth == MAX_CALLS_DEEP)
        program_give_up(r->p, f->func,
                        "the rules about hand-offs, where an object goes through too many calls");
    return r->depth == MAX_CALLS_DEEP;
}

static uint32_t find_list(struct regions *r, struct region_flow *f, place_id object);

/* The calls of f that lead to the object: they go to r->leads. */
static void find_leads(struct regions *r, struct region_flow *f, place_id object,
                       const struct way_there *way) {
    const bool named = is_named(f, way);
    const uint64_t bits = bits_of(way);
    for (uint32_t i = 0; i < f->calls.n; i++) {
        const struct region_callsite *c = &f->calls.at[i];
        place_id done[4] = {0};
        uint32_t n = 0;
        if (!named && !(f->call_places[i] & bits))
            continue;
        struct region_flow *callee = r->flows.at[c->func];
        if (!callee || callee->failed)
            continue;
        for (uint32_t k = 0; k < c->n_args + named && n < 4; k++) {
            place_id there =
                k < c->n_args ? called(f, c, k, callee, way) : place_translate(f, object, callee, NULL, 0);
            bool again = !there;
            for (uint32_t j = 0; j < n; j++)
                again |= done[j] == there;
            if (again)
                continue;
            done[n++] = there;
            const uint32_t list = find_list(r, callee, there);
            if (list || regions_touch(callee, there))
                vec_push(&r->leads, ((struct lifted_lead){i, there, list}));
        }
    }
}

/* The place + 1 of the object's list, with its leads; 0: there are none, or it is too many calls deep. */
static uint32_t find_list(struct regions *r, struct region_flow *f, place_id object) {
    const uint32_t known = *list_of(f, object), index = (uint32_t)f->lifted.n;
    const size_t first = r->leads.n;
    if (known) {
        meet_open(r, &f->lifted.at[known - 1]);
        return known;
    }
    if (!f->arg_objects)
        find_arg_objects(f);
    const struct way_there way = way_to(f, object);
    if ((!is_named(f, &way) && !(f->any_call & bits_of(&way))) || too_deep(r, f))
        return 0;
    (void)vec_add(&f->lifted);
    *list_of(f, object) = index + 1;
    const struct lifted_key k = begin(r, f, index);
    find_leads(r, f, object, &way);
    struct lifted_touches *list = &f->lifted.at[index];
    for (size_t i = first; i < r->leads.n; i++)
        list->writes |=
            written_at(f, object, &r->leads.at[i], r->flows.at[f->calls.at[r->leads.at[i].call].func]);
    list->n_leads = (uint32_t)(r->leads.n - first);
    if (list->n_leads)
        list->leads = arena_copy(&r->lifted, r->leads.at + first, list->n_leads * sizeof *list->leads);
    r->leads.n = first;
    if (is_first(r, &k)) {
        uint64_t all = 0;
        for (size_t i = k.at; i < r->gathered.n; i++)
            all |= r->gathered.at[i].flow->lifted.at[r->gathered.at[i].index].writes;
        for (size_t i = k.at; i < r->gathered.n; i++)
            r->gathered.at[i].flow->lifted.at[r->gathered.at[i].index].writes = all;
    }
    end(r, &k);
    return index + 1;
}

/* ---- the touches ---- */

/* Fill the list with what is known of the callees' by now. True: there is more than there was. */
static bool fill_once(struct regions *r, struct region_flow *f, struct lifted_touches *list) {
    if (!r->seen)
        r->seen = xcalloc(SEEN_SIZE, sizeof *r->seen);
    list->filled = ++r->fills;
    vec_clear(&r->touches);
    vec_append(&r->touches, list->at, list->n);
    for (uint32_t i = 0; i < list->n; i++)
        (void)is_new(r, &list->at[i]);
    for (uint32_t i = 0; i < list->n_leads; i++)
        add_touches(r, f, &list->leads[i]);
    if (r->touches.n == list->n)
        return false;
    list->at = arena_copy(&r->lifted, r->touches.at, r->touches.n * sizeof *list->at);
    list->n = (uint32_t)r->touches.n;
    list->grown = r->fills;
    return true;
}

static int by_event(const void *x, const void *y) {
    const struct region_event *a = x, *b = y;
    if (a->event != b->event)
        return a->event < b->event ? -1 : 1;
    const uint64_t one[] = {key_pair(a->func, a->loc), key_pair(a->op, a->place), a->flags, a->locks};
    const uint64_t two[] = {key_pair(b->func, b->loc), key_pair(b->op, b->place), b->flags, b->locks};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        if (one[i] != two[i])
            return one[i] < two[i] ? -1 : 1;
    return 0;
}

static struct lifted_touches *list_at(struct regions *r, const struct region_flow *f,
                                      const struct lifted_lead *lead) {
    return lead->list ? &r->flows.at[f->calls.at[lead->call].func]->lifted.at[lead->list - 1] : NULL;
}

/* Is there more now in what it stands on? */
static bool is_stale(struct regions *r, const struct region_flow *f, const struct lifted_touches *list) {
    for (uint32_t i = 0; i < list->n_leads; i++) {
        const struct lifted_touches *further = list_at(r, f, &list->leads[i]);
        if (further && further->grown >= list->filled)
            return true;
    }
    return false;
}

static void fill(struct regions *r, struct region_flow *f, uint32_t index) {
    struct lifted_touches *list = &f->lifted.at[index];
    if (list->filled) {
        meet_open(r, list);
        return;
    }
    if (too_deep(r, f))
        return;
    list->filled = ++r->fills;
    const struct lifted_key k = begin(r, f, index);
    for (uint32_t i = 0; i < list->n_leads; i++)
        if (list->leads[i].list)
            fill(r, r->flows.at[f->calls.at[list->leads[i].call].func], list->leads[i].list - 1);
    (void)fill_once(r, f, list);
    /* Where functions call each other, until nothing is added any more. */
    for (bool again = r->oldest == k.at + 1; again;) {
        again = false;
        for (size_t i = r->gathered.n; i-- > k.at;) {
            struct region_flow *of = r->gathered.at[i].flow;
            struct lifted_touches *l = &of->lifted.at[r->gathered.at[i].index];
            again |= is_stale(r, of, l) && fill_once(r, of, l);
        }
    }
    for (size_t i = k.at; i < r->gathered.n && is_first(r, &k); i++) {
        const struct lifted_touches *l = &r->gathered.at[i].flow->lifted.at[r->gathered.at[i].index];
        if (l->n > 1)
            qsort(l->at, l->n, sizeof *l->at, by_event);
    }
    end(r, &k);
}

/* The object's list, with its leads; NULL: there is none. */
static struct lifted_touches *asked(struct regions *r, struct region_flow *f, place_id object) {
    r->oldest = UINT32_MAX;
    const uint32_t list = object ? find_list(r, f, object) : 0;
    return list ? &f->lifted.at[list - 1] : NULL;
}

bool regions_may_write(struct regions *r, const struct region_flow *f, place_id object, uint64_t slot_bit) {
    const struct lifted_touches *list = asked(r, (struct region_flow *)f, object);
    return list && (list->writes & (slot_bit | WRITES_UNNAMED));
}

struct lifted_touches regions_lifted(struct regions *r, const struct region_flow *f, place_id object) {
    const struct lifted_touches *list = asked(r, (struct region_flow *)f, object);
    if (list)
        fill(r, (struct region_flow *)f, (uint32_t)(list - f->lifted.at));
    return list ? *list : (struct lifted_touches){0};
}
