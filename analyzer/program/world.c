/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Worlds: locks, memory, facts, ownership, and how two of them become one.
 * Stands on world.h. */
#include "world.h"

#include <string.h>

#define GROW(a, w, name)                                                                                               \
    do {                                                                                                               \
        if ((w)->n_##name == (w)->cap_##name) {                                                                        \
            void *old_ = (w)->name;                                                                                    \
            (w)->cap_##name = (w)->cap_##name ? (w)->cap_##name * 2 : 4;                                               \
            (w)->name = arena_alloc((a), (w)->cap_##name * sizeof *(w)->name);                                         \
            if ((w)->n_##name)                                                                                         \
                memcpy((w)->name, old_, (w)->n_##name * sizeof *(w)->name);                                            \
        }                                                                                                              \
    } while (0)

#define COPY(a, to, from, name)                                                                                        \
    do {                                                                                                               \
        (to)->cap_##name = (from)->n_##name;                                                                           \
        (to)->name = (from)->n_##name ? arena_copy((a), (from)->name, (from)->n_##name * sizeof *(from)->name) : NULL; \
    } while (0)

struct world *world_new(struct arena *a)
{
    return arena_new(a, struct world);
}

struct world *world_copy(struct arena *a, const struct world *w)
{
    struct world *c = arena_copy(a, w, sizeof *w);

    COPY(a, c, w, held);
    COPY(a, c, w, cells);
    COPY(a, c, w, facts);
    COPY(a, c, w, versions);
    COPY(a, c, w, owned);
    COPY(a, c, w, published);
    COPY(a, c, w, gone);
    return c;
}

/* ---- ranges ---- */
bool range_is_all(struct range r)
{
    return r.lo == INT64_MIN && r.hi == INT64_MAX && !r.nonzero;
}

static struct range trim(struct range r)
{
    if (r.nonzero && r.lo == 0)
        r.lo = 1;
    if (r.nonzero && r.hi == 0)
        r.hi = -1;
    if (r.lo > 0 || r.hi < 0)
        r.nonzero = true;
    return r;
}

bool range_is_empty(struct range r)
{
    return r.lo > r.hi;
}

struct range range_meet(struct range a, struct range b)
{
    return trim((struct range){a.lo > b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi, a.nonzero || b.nonzero});
}

struct range range_hull(struct range a, struct range b)
{
    return (struct range){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi, a.nonzero && b.nonzero};
}

bool range_equal(struct range a, struct range b)
{
    return a.lo == b.lo && a.hi == b.hi && a.nonzero == b.nonzero;
}

struct range range_when(uint32_t op, int64_t v)
{
    struct range r = RANGE_ALL;

    switch (op) {
    case IR_B_EQ: return range_of(v);
    case IR_B_NE:
        if (v == 0)
            r.nonzero = true;
        return r;
    case IR_B_LT: r.hi = v == INT64_MIN ? v : v - 1; break;
    case IR_B_LE: r.hi = v; break;
    case IR_B_GT: r.lo = v == INT64_MAX ? v : v + 1; break;
    case IR_B_GE: r.lo = v; break;
    default: break;
    }
    return trim(r);
}

/* ---- locks ---- */
struct held *world_held(const struct world *w, term lock)
{
    for (uint32_t i = 0; i < w->n_held; i++)
        if (w->held[i].lock == lock)
            return &w->held[i];
    return NULL;
}

struct held *world_held_like(const struct world *w, const struct term_table *t, term lock)
{
    struct held *h = world_held(w, lock);

    for (uint32_t i = 0; !h && i < w->n_held; i++)
        if (term_same_shape(t, w->held[i].lock, lock))
            h = &w->held[i];
    return h;
}

struct held *world_add_held(struct arena *a, struct world *w, const struct held *h)
{
    uint32_t i;

    GROW(a, w, held);
    for (i = w->n_held; i && w->held[i - 1].lock > h->lock; i--)
        w->held[i] = w->held[i - 1];
    w->held[i] = *h;
    w->n_held++;
    return &w->held[i];
}

void world_drop_held(struct arena *a, struct world *w, struct held *h, ir_event by)
{
    struct held gone = *h;
    const uint32_t at = (uint32_t)(h - w->held);

    memmove(h, h + 1, (w->n_held - at - 1) * sizeof *h);
    w->n_held--;
    if (!by)
        return;
    gone.event = by;
    world_note_gone(a, w, &gone);
}

void world_note_gone(struct arena *a, struct world *w, const struct held *h)
{
    for (uint32_t i = 0; i < w->n_gone; i++)
        if (w->gone[i].lock == h->lock) {
            w->gone[i] = *h;
            return;
        }
    GROW(a, w, gone);
    w->gone[w->n_gone++] = *h;
}

const struct held *world_gone(const struct world *w, const struct term_table *t, term lock)
{
    (void)t;
    for (uint32_t i = w->n_gone; i--;)
        if (w->gone[i].lock == lock)
            return &w->gone[i];
    return NULL;
}

bool world_same_locks(const struct world *a, const struct world *b)
{
    if (a->n_held != b->n_held || a->failed != b->failed)
        return false;
    for (uint32_t i = 0; i < a->n_held; i++)
        if (a->held[i].lock != b->held[i].lock || a->held[i].mode != b->held[i].mode ||
            a->held[i].count != b->held[i].count)
            return false;
    return true;
}

/* ---- memory ---- */
uint32_t memory_class(const struct term_table *t, term at)
{
    const struct term_rec *r = &t->recs[at];

    while (r->op == TERM_INDEX)
        r = &t->recs[r->a];
    switch (r->op) {
    case TERM_FIELD: return r->b << 2 | 1;
    case TERM_GLOBAL: return r->a << 2 | 2;
    case TERM_LOCAL: return r->a << 2 | 3;
    default: return 0; /* behind a plain pointer */
    }
}

static uint32_t version_place(const struct world *w, uint32_t key)
{
    uint32_t lo = 0, hi = w->n_versions;

    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (w->versions[mid].key < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static uint32_t default_version(const struct world *w, uint32_t key)
{
    return (key & 3) == 3 ? 0 : w->base_version; /* locals are nobody else's to write */
}

static uint32_t version_of(const struct world *w, uint32_t key)
{
    const uint32_t i = version_place(w, key);

    return i < w->n_versions && w->versions[i].key == key ? w->versions[i].at : default_version(w, key);
}

static void set_version(struct arena *a, struct world *w, uint32_t key, uint32_t at)
{
    const uint32_t i = version_place(w, key);

    if (i < w->n_versions && w->versions[i].key == key) {
        w->versions[i].at = at;
        return;
    }
    GROW(a, w, versions);
    memmove(w->versions + i + 1, w->versions + i, (w->n_versions - i) * sizeof *w->versions);
    w->versions[i] = (struct version){key, at};
    w->n_versions++;
}

static uint32_t cell_place(const struct world *w, term at)
{
    uint32_t lo = 0, hi = w->n_cells;

    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (w->cells[mid].at < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

term world_load(struct term_table *t, const struct world *w, term at)
{
    const uint32_t i = cell_place(w, at);

    if (i < w->n_cells && w->cells[i].at == at)
        return w->cells[i].value;
    return term_make(t, TERM_LOAD, at, version_of(w, memory_class(t, at)), 0);
}

void world_set(struct arena *a, struct world *w, term at, term value)
{
    const uint32_t i = cell_place(w, at);

    if (i < w->n_cells && w->cells[i].at == at) {
        w->cells[i].value = value;
        return;
    }
    GROW(a, w, cells);
    memmove(w->cells + i + 1, w->cells + i, (w->n_cells - i) * sizeof *w->cells);
    w->cells[i] = (struct cell){at, value};
    w->n_cells++;
}

void world_drop_cell(struct world *w, term at)
{
    const uint32_t i = cell_place(w, at);

    if (i < w->n_cells && w->cells[i].at == at) {
        memmove(w->cells + i, w->cells + i + 1, (w->n_cells - i - 1) * sizeof *w->cells);
        w->n_cells--;
    }
}

static void drop_cells(struct term_table *t, struct world *w, uint32_t class, term keep)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_cells; i++) {
        const term at = w->cells[i].at;
        if (memory_class(t, at) == class && at != keep && (!keep || !term_distinct(t, at, keep)))
            continue;
        w->cells[n++] = w->cells[i];
    }
    w->n_cells = n;
}

void world_store(struct arena *a, struct term_table *t, struct world *w, term at, term value, ir_event event)
{
    const enum term_op op = t->recs[at].op;

    if (op != TERM_LOCAL && op != TERM_GLOBAL) {
        const uint32_t class = memory_class(t, at);
        const enum term_op root = t->recs[term_object(t, at)].op;
        drop_cells(t, w, class, at);
        if (root != TERM_LOCAL && root != TERM_GLOBAL) /* other objects of the class may be this one */
            set_version(a, w, class, event);
    }
    world_set(a, w, at, value);
}

static bool lies_in(const struct term_table *t, term at, term object)
{
    for (;;) {
        if (at == object)
            return true;
        if (t->recs[at].op != TERM_FIELD && t->recs[at].op != TERM_INDEX)
            return false;
        at = t->recs[at].a;
    }
}

void world_forget_object(struct arena *a, struct term_table *t, struct world *w, term at, ir_event event)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_cells; i++) {
        if (lies_in(t, w->cells[i].at, at)) {
            set_version(a, w, memory_class(t, w->cells[i].at), event);
            continue;
        }
        w->cells[n++] = w->cells[i];
    }
    w->n_cells = n;
    set_version(a, w, memory_class(t, at), event);
}

void world_forget_class(struct arena *a, struct term_table *t, struct world *w, uint32_t class, ir_event event)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_cells; i++) {
        const term object = term_object(t, w->cells[i].at);
        bool known = t->recs[object].op == TERM_LOCAL; /* a local nobody else knows is nobody else's to write */
        for (uint32_t k = 0; known && k < w->n_published; k++)
            known = w->published[k] != object;
        if (known || memory_class(t, w->cells[i].at) != class)
            w->cells[n++] = w->cells[i];
    }
    w->n_cells = n;
    set_version(a, w, class, event);
}

void world_forget_all(struct term_table *t, struct world *w, ir_event event)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_cells; i++)
        if (t->recs[term_object(t, w->cells[i].at)].op == TERM_LOCAL)
            w->cells[n++] = w->cells[i];
    w->n_cells = n;
    w->n_versions = 0;
    w->base_version = event;
}

/* ---- values ---- */
static struct fact *find_fact(const struct world *w, term x)
{
    uint32_t lo = 0, hi = w->n_facts;

    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (w->facts[mid].of < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < w->n_facts && w->facts[lo].of == x ? &w->facts[lo] : NULL;
}

static void set_fact(struct arena *a, struct world *w, term x, struct range r)
{
    struct fact *f = find_fact(w, x);
    uint32_t i;

    if (f) {
        f->range = r;
        return;
    }
    GROW(a, w, facts);
    for (i = w->n_facts; i && w->facts[i - 1].of > x; i--)
        w->facts[i] = w->facts[i - 1];
    w->facts[i] = (struct fact){x, r};
    w->n_facts++;
}

struct range world_range(const struct term_table *t, const struct world *w, term x)
{
    const struct term_rec *r = &t->recs[x];
    struct range known = RANGE_ALL, left, right;
    const struct fact *f;
    int64_t v;

    if (term_is_const(t, x, &v))
        return range_of(v);
    switch (r->op) {
    case TERM_LOCAL: case TERM_GLOBAL: case TERM_FUNC: known.nonzero = true; return known;
    case TERM_FIELD: case TERM_INDEX: known.nonzero = true; break; /* of a null base: its use is wrong anyway */
    case TERM_BINARY:
        if (r->c >= IR_B_EQ && r->c <= IR_B_GE) {
            known.lo = 0;
            known.hi = 1;
            left = world_range(t, w, r->a);
            if (term_is_const(t, r->b, &v)) {
                right = range_when(r->c, v);
                if (range_is_empty(range_meet(left, right)))
                    return range_of(0);
                if (r->c == IR_B_NE && v == 0 && left.nonzero)
                    return range_of(1);
                if (r->c == IR_B_NE && (v < left.lo || v > left.hi))
                    return range_of(1);
                if (r->c != IR_B_NE && left.lo >= right.lo && left.hi <= right.hi)
                    return range_of(1);
            }
        } else if (r->c == IR_B_ADD && term_is_const(t, r->b, &v)) {
            left = world_range(t, w, r->a);
            if (left.lo > -1000000000 && left.hi < 1000000000 && v > -1000000000 && v < 1000000000)
                known = trim((struct range){left.lo + v, left.hi + v, false});
        } else if (r->c == IR_B_AND && term_is_const(t, r->b, &v) && v >= 0) {
            known.lo = 0;
            known.hi = v;
        }
        break;
    default: break;
    }
    f = find_fact(w, x);
    if (!f && r->op == TERM_BINARY && r->c == IR_B_NE && !term_is_const(t, r->b, &v))
        for (uint32_t i = 0; i < w->n_facts; i++) { /* known as x == y */
            const struct term_rec *e = &t->recs[w->facts[i].of];
            const struct range said = w->facts[i].range;
            if (e->op == TERM_BINARY && e->c == IR_B_EQ && e->a == r->a && e->b == r->b && said.lo == said.hi)
                return range_of(said.lo == 0);
        }
    return f ? range_meet(known, f->range) : known;
}

bool world_narrow(struct arena *a, struct term_table *t, struct world *w, term x, struct range r)
{
    const struct range old = world_range(t, w, x), now = range_meet(old, r);
    const struct term_rec rec = t->recs[x];
    int64_t v;

    if (range_is_empty(now))
        return false;
    if (range_equal(old, now))
        return true;
    set_fact(a, w, x, now);
    if (rec.op == TERM_BINARY && rec.c == IR_B_ADD && term_is_const(t, rec.b, &v) && now.lo > -1000000000 &&
        now.hi < 1000000000 && v > -1000000000 && v < 1000000000 &&
        !world_narrow(a, t, w, rec.a, trim((struct range){now.lo - v, now.hi - v, false})))
        return false;
    for (uint32_t i = 0; i < w->n_held; i++) {
        struct held *h = &w->held[i];
        if (h->when != x)
            continue;
        if (range_is_empty(range_meet(now, h->ok))) { /* the lock call failed */
            world_drop_held(a, w, h, 0);
            w->failed = true;
            i--;
        } else if (range_equal(range_meet(now, h->ok), now)) {
            h->when = 0;
        }
    }
    return true;
}

bool world_assume(struct arena *a, struct term_table *t, struct world *w, term x, bool truth)
{
    const struct term_rec r = t->recs[x];
    struct range wanted = RANGE_ALL;
    int64_t v;

    if (truth)
        wanted.nonzero = true;
    else
        wanted = range_of(0);
    if (r.op == TERM_BINARY && r.c >= IR_B_EQ && r.c <= IR_B_GE) {
        static const uint8_t negated[] = {IR_B_NE, IR_B_EQ, IR_B_GE, IR_B_GT, IR_B_LE, IR_B_LT};
        const uint32_t op = truth ? r.c : negated[r.c - IR_B_EQ];
        const bool said = term_is_const(t, r.b, &v) && !(op == IR_B_NE && v != 0) && !(op == IR_B_EQ && v != 0);
        /* what the range of the left side says need not be said again of the comparison */
        if (said)
            return world_narrow(a, t, w, r.a, range_when(op, v));
        if (r.c == IR_B_NE && !term_is_const(t, r.b, &v)) /* one fact for x != y and x == y */
            return world_assume(a, t, w, term_binary(t, IR_B_EQ, r.a, r.b), !truth);
        if (!world_narrow(a, t, w, x, truth ? range_of(1) : range_of(0)))
            return false;
        if (term_is_const(t, r.b, &v)) {
            if (op == IR_B_NE && v != 0) {
                const struct range known = world_range(t, w, r.a);
                if (known.lo == v && known.hi == v)
                    return false;
                if (known.lo == v)
                    return world_narrow(a, t, w, r.a, (struct range){v + 1, INT64_MAX, false});
                if (known.hi == v)
                    return world_narrow(a, t, w, r.a, (struct range){INT64_MIN, v - 1, false});
                return true;
            }
            return world_narrow(a, t, w, r.a, range_when(op, v));
        }
        return true;
    }
    if (r.op == TERM_BINARY && r.c == IR_B_AND && truth) /* some bit is set: so is the whole */
        (void)world_narrow(a, t, w, r.a, wanted);
    return world_narrow(a, t, w, x, wanted);
}

/* ---- ownership ---- */
static bool has(const term *list, uint32_t n, term x)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == x)
            return true;
    return false;
}

bool world_owns(const struct term_table *t, const struct world *w, term at)
{
    for (;;) {
        const enum term_op op = t->recs[at].op;
        if (has(w->owned, w->n_owned, at))
            return true;
        if (op == TERM_LOCAL)
            return !has(w->published, w->n_published, at);
        if (op != TERM_FIELD && op != TERM_INDEX)
            return false;
        at = t->recs[at].a;
    }
}

void world_own(struct arena *a, struct world *w, term object)
{
    if (has(w->owned, w->n_owned, object))
        return;
    GROW(a, w, owned);
    w->owned[w->n_owned++] = object;
}

void world_publish(struct arena *a, struct term_table *t, struct world *w, term value)
{
    const term object = term_object(t, value);
    bool was = false;

    if (t->recs[object].op == TERM_LOCAL) {
        if (has(w->published, w->n_published, object))
            return;
        GROW(a, w, published);
        w->published[w->n_published++] = object;
        was = true;
    }
    for (uint32_t i = 0; i < w->n_owned; i++)
        if (w->owned[i] == object || lies_in(t, value, w->owned[i]) || lies_in(t, w->owned[i], object)) {
            w->owned[i] = w->owned[--w->n_owned];
            was = true;
            i--;
        }
    if (!was)
        return;
    for (uint32_t i = 0; i < w->n_cells; i++) /* and all it points to */
        if (lies_in(t, w->cells[i].at, object) && w->cells[i].value != value)
            world_publish(a, t, w, w->cells[i].value);
}

/* ---- merging ---- */
static bool merge_versions(struct arena *a, struct world *into, const struct world *from, ir_block block)
{
    const struct world old = *into;
    const uint32_t met = VERSION_BLOCK | block;
    bool changed = false;

    if (old.base_version == from->base_version && old.n_versions == from->n_versions &&
        (!old.n_versions || !memcmp(old.versions, from->versions, old.n_versions * sizeof *old.versions)))
        return false;
    if (old.base_version != from->base_version && old.base_version != met) {
        into->base_version = met;
        changed = true;
    }
    into->n_versions = 0;
    into->cap_versions = old.n_versions + from->n_versions;
    into->versions = arena_alloc(a, (into->cap_versions + 1) * sizeof *into->versions);
    for (uint32_t i = 0, j = 0; i < old.n_versions || j < from->n_versions;) {
        const uint32_t x = i < old.n_versions ? old.versions[i].key : UINT32_MAX;
        const uint32_t y = j < from->n_versions ? from->versions[j].key : UINT32_MAX;
        const uint32_t key = x < y ? x : y;
        const uint32_t mine = x == key ? old.versions[i].at : default_version(&old, key);
        const uint32_t theirs = y == key ? from->versions[j].at : default_version(from, key);
        const uint32_t now = mine == theirs || mine == met ? mine : met;
        i += x == key;
        j += y == key;
        changed |= now != mine;
        into->versions[into->n_versions++] = (struct version){key, now};
    }
    return changed;
}

/* Cells that differ become a phi. */
static bool merge_cells(struct arena *a, struct term_table *t, struct world *into, const struct world *old,
                        const struct world *from, ir_block block)
{
    bool changed = false;

    if (old->n_cells == from->n_cells && (!old->n_cells || !memcmp(old->cells, from->cells, old->n_cells * sizeof *old->cells)))
        return false;
    into->n_cells = 0;
    into->cap_cells = old->n_cells + from->n_cells;
    into->cells = arena_alloc(a, (into->cap_cells + 1) * sizeof *into->cells);
    for (uint32_t i = 0, j = 0; i < old->n_cells || j < from->n_cells;) {
        const term x = i < old->n_cells ? old->cells[i].at : UINT32_MAX;
        const term y = j < from->n_cells ? from->cells[j].at : UINT32_MAX;
        const term at = x < y ? x : y;
        const term va = x == at ? old->cells[i].value : world_load(t, old, at);
        const term vb = y == at ? from->cells[j].value : world_load(t, from, at);
        const term merged = va == vb ? va : term_make(t, TERM_PHI, block, at, 0);
        const bool in_old = x == at;
        i += x == at;
        j += y == at;
        if (merged != va)
            changed = true;
        else if (!in_old)
            continue; /* what a load gives anyway */
        into->cells[into->n_cells++] = (struct cell){at, merged};
    }
    return changed;
}

static bool same_facts(const struct world *x, const struct world *y)
{
    if (x->n_facts != y->n_facts)
        return false;
    for (uint32_t i = 0; i < x->n_facts; i++)
        if (x->facts[i].of != y->facts[i].of || !range_equal(x->facts[i].range, y->facts[i].range))
            return false;
    return true;
}

/* What both know stays known; a phi of this block is judged by what comes into its cell. */
static bool merge_facts(struct arena *a, struct term_table *t, struct world *into, const struct world *old,
                        const struct world *from, ir_block block, bool widen)
{
    bool changed = false;

    if (same_facts(old, from) && into->cells == old->cells)
        return false;
    into->n_facts = 0;
    into->cap_facts = old->n_facts + 4;
    into->facts = arena_alloc(a, into->cap_facts * sizeof *into->facts);
    for (uint32_t i = 0; i < old->n_facts; i++) {
        const term x = old->facts[i].of;
        const struct term_rec r = t->recs[x];
        const bool own_phi = r.op == TERM_PHI && r.a == block;
        const struct range mine = old->facts[i].range;
        struct range both = range_hull(mine, world_range(t, from, own_phi ? world_load(t, from, r.b) : x));
        if (widen && both.lo != mine.lo)
            both.lo = INT64_MIN;
        if (widen && both.hi != mine.hi)
            both.hi = INT64_MAX;
        if (!range_equal(both, mine))
            changed = true;
        if (!range_is_all(both))
            into->facts[into->n_facts++] = (struct fact){x, both};
    }
    for (uint32_t i = 0; i < into->n_cells; i++) {
        const term at = into->cells[i].at, phi = into->cells[i].value;
        const struct term_rec r = t->recs[phi];
        const term before = world_load(t, old, at);
        struct range both;
        if (r.op != TERM_PHI || r.a != block || r.b != at || before == phi)
            continue;
        both = range_hull(world_range(t, old, before), world_range(t, from, world_load(t, from, at)));
        if (!range_is_all(both))
            set_fact(a, into, phi, both);
    }
    return changed;
}

bool world_merge(struct arena *a, struct term_table *t, struct world *into, const struct world *from, ir_block block,
                 bool widen, bool force)
{
    const struct world old = *into; /* its arrays are not written below: new ones are made */
    bool changed = false;
    uint32_t i = 0, j = 0;

    if (force) {
        for (i = 0; i < into->n_held; i++)
            if (!world_held(from, into->held[i].lock) && !(into->held[i].flags & HELD_MAYBE)) {
                into->held[i].flags |= HELD_MAYBE;
                changed = true;
            }
        for (i = 0; i < from->n_held; i++)
            if (!world_held(into, from->held[i].lock)) {
                world_add_held(a, into, &from->held[i])->flags |= HELD_MAYBE;
                changed = true;
            }
    } else {
        for (i = 0; i < into->n_held; i++) {
            if (from->held[i].flags & HELD_MAYBE && !(into->held[i].flags & HELD_MAYBE)) {
                into->held[i].flags |= HELD_MAYBE;
                changed = true;
            }
            if (into->held[i].when && into->held[i].when != from->held[i].when) {
                into->held[i].when = 0;
                changed = true;
            }
        }
    }
    changed |= merge_cells(a, t, into, &old, from, block);
    changed |= merge_facts(a, t, into, &old, from, block, widen);
    changed |= merge_versions(a, into, from, block);
    for (i = 0; i < into->n_owned; i++)
        if (!has(from->owned, from->n_owned, into->owned[i])) {
            into->owned[i] = into->owned[--into->n_owned];
            changed = true;
            i--;
        }
    for (i = 0; i < from->n_published; i++)
        if (!has(into->published, into->n_published, from->published[i])) {
            GROW(a, into, published);
            into->published[into->n_published++] = from->published[i];
            changed = true;
        }
    for (i = 0; i < into->n_gone; i++) { /* released on every way */
        bool both = false;
        for (j = 0; j < from->n_gone; j++)
            both |= from->gone[j].lock == into->gone[i].lock;
        if (!both) {
            memmove(into->gone + i, into->gone + i + 1, (into->n_gone - i - 1) * sizeof *into->gone);
            into->n_gone--;
            changed = true;
            i--;
        }
    }
    if (from->spawned && !into->spawned)
        into->spawned = changed = true;
    return changed;
}
