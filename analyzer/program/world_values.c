/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is known of values in a world: ranges, facts, and what a condition says.
 * Stands on world_inside.h. */
#include "world_inside.h"

bool range_is_all(struct range r) {
    return r.lo == INT64_MIN && r.hi == INT64_MAX && !r.nonzero;
}

struct range range_trim(struct range r) {
    if (r.nonzero && r.lo == 0)
        r.lo = 1;
    if (r.nonzero && r.hi == 0)
        r.hi = -1;
    if (r.lo > 0 || r.hi < 0)
        r.nonzero = true;
    return r;
}

bool range_is_empty(struct range r) {
    return r.lo > r.hi;
}

struct range range_meet(struct range a, struct range b) {
    return range_trim(
        (struct range){a.lo > b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi, a.nonzero || b.nonzero});
}

struct range range_hull(struct range a, struct range b) {
    return (struct range){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi, a.nonzero && b.nonzero};
}

struct range range_negated(struct range r) {
    return (struct range){r.hi == INT64_MAX ? INT64_MIN : -r.hi, r.lo == INT64_MIN ? INT64_MAX : -r.lo,
                          r.nonzero};
}

bool range_equal(struct range a, struct range b) {
    return a.lo == b.lo && a.hi == b.hi && a.nonzero == b.nonzero;
}

struct range range_when(uint32_t op, int64_t v) {
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
    return range_trim(r);
}

/* What is near no end of the type stays so when a small number is added. */
static struct range range_plus(struct range r, int64_t v) {
    enum { SMALL = 1000000000 };
    struct range sum = RANGE_ALL;

    if (v <= -SMALL || v >= SMALL)
        return sum;
    if (r.lo > -SMALL)
        sum.lo = r.lo < SMALL ? r.lo + v : SMALL + v;
    if (r.hi < SMALL)
        sum.hi = r.hi > -SMALL ? r.hi + v : v - SMALL;
    return range_trim(sum);
}

/* ---- values ---- */
static const struct fact *find_fact(const struct world *w, term x) {
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

void set_fact(struct arena *a, struct world *w, term x, struct range r) {
    const struct fact *f = find_fact(w, x);
    uint32_t i;

    if (f) {
        i = (uint32_t)(f - w->facts);
        WORLD_OWN(a, w, facts);
        w->facts[i].range = r;
        return;
    }
    GROW(a, w, facts);
    for (i = w->n_facts; i && w->facts[i - 1].of > x; i--)
        w->facts[i] = w->facts[i - 1];
    w->facts[i] = (struct fact){x, r};
    w->n_facts++;
}

/* Is one known to be less than the other? */
static bool is_less(const struct term_table *t, const struct world *w, term x, term y) {
    for (uint32_t i = 0; i < w->n_facts; i++) {
        const struct term_rec *r = &t->recs[w->facts[i].of];
        if (r->op == TERM_BINARY && (r->c == IR_B_LT || r->c == IR_B_GT) && w->facts[i].range.lo == 1 &&
            ((r->a == x && r->b == y) || (r->a == y && r->b == x)))
            return true;
    }
    return false;
}

struct range world_range(const struct term_table *t, const struct world *w, term x) {
    const struct term_rec *r = &t->recs[x];
    struct range known = RANGE_ALL, left, right;
    const struct fact *f;
    int64_t v;

    if (term_is_const(t, x, &v))
        return range_of(v);
    switch (r->op) {
    case TERM_LOCAL:
    case TERM_GLOBAL:
    case TERM_FUNC: known.nonzero = true; return known;
    case TERM_FIELD:
    case TERM_INDEX: known.nonzero = true; break; /* of a null base: its use is wrong anyway */
    case TERM_UNARY:
        if (r->b == IR_U_NEG)
            known = range_negated(world_range(t, w, r->a));
        break;
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
            known = range_plus(world_range(t, w, r->a), v);
        } else if (r->c == IR_B_AND && term_is_const(t, r->b, &v) && v >= 0) {
            known.lo = 0;
            known.hi = v;
        }
        break;
    default: break;
    }
    f = find_fact(w, x);
    if (!f && r->op == TERM_BINARY && r->c == IR_B_EQ && is_less(t, w, r->a, r->b))
        return range_of(0);
    if (!f && r->op == TERM_BINARY && r->c == IR_B_NE && !term_is_const(t, r->b, &v))
        for (uint32_t i = 0; i < w->n_facts; i++) { /* known as x == y */
            const struct term_rec *e = &t->recs[w->facts[i].of];
            const struct range said = w->facts[i].range;
            if (e->op == TERM_BINARY && e->c == IR_B_EQ && e->a == r->a && e->b == r->b && said.lo == said.hi)
                return range_of(said.lo == 0);
        }
    return f ? range_meet(known, f->range) : known;
}

/* The call's result is known: with that one it holds its lock although it did not succeed. */
static void take_also(struct arena *a, struct world *w, term x, int64_t result) {
    for (uint32_t i = 0; i < w->n_held; i++)
        if (w->held[i].when == x && w->held[i].also && w->held[i].also == result)
            w->held[i].when = 0;
    for (uint32_t i = 0; i < w->n_gone; i++) {
        struct held h = w->gone[i];
        if (h.when != x || !h.also || h.also != result || world_held(w, h.lock))
            continue;
        w->failed &= h.mode != HELD_DOUBTED;
        h.mode = h.as;
        h.when = 0;
        w->gone[i--] = w->gone[--w->n_gone];
        (void)world_add_held(a, w, &h);
    }
}

void world_exclude(struct world *w, term x, int64_t value) {
    for (uint32_t i = 0; value && i < w->n_gone; i++)
        if (w->gone[i].mode == HELD_FAILED && w->gone[i].when == x)
            w->failed = true;
    for (uint32_t i = 0; value && i < w->n_held; i++)
        if (w->held[i].when == x && w->held[i].also == value)
            w->held[i].also = 0;
}

/* A try for a lock failed with result x, of which no more is known than that it is not 0. Is this a test of its sign that 0 passes?
 * Then it is a test for success, and what is negative (or positive) in this program is the other sort of number. Where 1 is
 * success, and less is failure, a test for true is one. */
static bool is_test_for_success(const struct world *w, term x, struct range known, struct range r) {
    const bool of_sign = range_equal(known, range_when(IR_B_NE, 0)) && !range_is_all(r) &&
                         !range_is_empty(range_meet(r, range_of(0)));

    if (!of_sign && !(range_equal(known, range_when(IR_B_LE, 0)) && range_equal(r, range_when(IR_B_NE, 0))))
        return false;
    for (uint32_t i = 0; i < w->n_gone; i++)
        if (w->gone[i].mode == HELD_FAILED && w->gone[i].when == x)
            return true;
    return false;
}

bool world_narrow(struct arena *a, struct term_table *t, struct world *w, term x, struct range r) {
    const struct range old = world_range(t, w, x), now = range_meet(old, r);
    const struct term_rec rec = t->recs[x];
    int64_t v;

    if (range_is_empty(now) || is_test_for_success(w, x, old, r))
        return false;
    if (range_equal(old, now))
        return true;
    set_fact(a, w, x, now);
    if (rec.op == TERM_BINARY && rec.c == IR_B_ADD && term_is_const(t, rec.b, &v) && v != INT64_MIN &&
        !world_narrow(a, t, w, rec.a, range_plus(now, -v)))
        return false;
    if (rec.op == TERM_UNARY && rec.b == IR_U_NEG && !world_narrow(a, t, w, rec.a, range_negated(now)))
        return false;
    if (now.lo == now.hi)
        take_also(a, w, x, now.lo);
    for (uint32_t i = 0; i < w->n_held; i++) {
        struct held *h = &w->held[i];
        if (h->when != x)
            continue;
        if (range_is_empty(range_meet(now, h->ok))) { /* the lock call failed */
            struct held doubted = *h;
            doubted.as = h->mode;
            doubted.mode = HELD_DOUBTED;
            if (range_is_empty(range_meet(now, range_of(h->also))))
                doubted.also = 0;
            world_note_gone(a, w, &doubted);
            world_drop_held(a, w, h, 0);
            w->failed = true;
            i--;
        } else if (range_equal(range_meet(now, h->ok), now)) {
            h->when = 0;
        }
    }
    return true;
}

bool world_assume(struct arena *a, struct term_table *t, struct world *w, term x, bool truth) {
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
        const bool said =
            term_is_const(t, r.b, &v) && !(op == IR_B_NE && v != 0) && !(op == IR_B_EQ && v != 0);
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
                world_exclude(w, r.a, v);
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
