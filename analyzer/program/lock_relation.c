/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads relations off terms. Stands on lock_relation.h; comparisons are looked for in lock_compare.c. */
#include "lock_relation.h"

/* Steps of walks down a term: longer ways say nothing. */
#define STEPS_MAX 16u
#define LOADS_MAX 3u /* one of them reads the variable */

static bool same(const struct solver *s, term a, term b) {
    return a == b || term_same_shape(&s->t, a, b);
}

/* The member through which x is reached from the object; 0 when it is not, or is a part of it. */
static uint32_t link_from(const struct solver *s, term object, term x) {
    uint32_t link = 0;

    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        const struct term_rec *r = term_at(&s->t, x);
        if (link && same(s, term_object(&s->t, x), object))
            return link;
        switch (r->op) {
        case TERM_FIELD:
        case TERM_INDEX:
        case TERM_SOME: x = r->a; break;
        case TERM_LOAD:
            link = term_class(&s->t, r->a).field;
            x = r->a;
            break;
        default: return 0;
        }
    }
    return 0;
}

/* The index of the array's element that the lock is in; *base: the array. 0: none. The first element is the array itself. */
static term element(const struct solver *s, term lock, term *base) {
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        const struct term_rec *r = term_at(&s->t, lock);
        if (r->op == TERM_INDEX) {
            *base = r->a;
            return r->b;
        }
        if (r->op != TERM_FIELD && r->op != TERM_SOME)
            return 0;
        lock = r->a;
    }
    return 0;
}

/* Does the lock lie in the object at that place, not behind a pointer? */
static bool lies_in(const struct solver *s, term lock, term place) {
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        const struct term_rec *r = term_at(&s->t, lock);
        if (same(s, lock, place))
            return true;
        if (r->op != TERM_FIELD && r->op != TERM_INDEX && r->op != TERM_SOME)
            return false;
        lock = r->a;
    }
    return false;
}

/* Two elements of one array with constant indexes: which is first? */
static enum lock_relation by_index(const struct solver *s, term from, term to, uint32_t *link) {
    term array = 0, other = 0;
    const term i = element(s, from, &array), k = element(s, to, &other);
    int64_t x = 0, y = 0;

    if (!i && !k)
        return RELATED_NOT;
    if (i ? !term_is_const(&s->t, i, &x) || !lies_in(s, to, array) : !lies_in(s, from, other))
        return RELATED_NOT;
    if (k && term_at(&s->t, k)->op == TERM_PHI)
        return RELATED_ORDERED; /* the index of a loop, which began with the other one */
    if (k && !term_is_const(&s->t, k, &y))
        return RELATED_NOT;
    *link = term_class(&s->t, i ? array : other).field;
    return x < y ? RELATED_DOWN : RELATED_UP;
}

/* Is it the other index and something? The remainder of a division goes round: it is no order. */
static bool is_next_index(const struct solver *s, term other, term index) {
    const struct term_rec *r = term_at(&s->t, index);
    int64_t n;

    return r->op == TERM_BINARY && (r->c == IR_B_ADD || r->c == IR_B_SUB) && same(s, r->a, other) &&
           term_is_const(&s->t, r->b, &n);
}

static uint32_t loads(const struct solver *s, term x) {
    uint32_t n = 0;

    for (;; x = term_at(&s->t, x)->a)
        switch (term_at(&s->t, x)->op) {
        case TERM_LOAD: n++; break;
        case TERM_FIELD:
        case TERM_INDEX:
        case TERM_SOME: break;
        default: return n;
        }
}

/* Is the lock's object known by a pointer that is kept in another: `x->whole`? */
static bool behind_member(const struct solver *s, term lock) {
    const struct term_rec *r = term_at(&s->t, term_object(&s->t, lock));

    return r->op == TERM_LOAD && term_at(&s->t, r->a)->op == TERM_FIELD;
}

enum lock_relation lock_relation(const struct solver *s, term from, term to, uint32_t *link) {
    const bool collected = term_at(&s->t, from)->op == TERM_SOME;
    term array = 0, other_array = 0, i, k;

    *link = 0;
    if (collected)
        from = term_at(&s->t, from)->a;
    if ((*link = link_from(s, term_object(&s->t, from), to)))
        return RELATED_DOWN;
    if ((*link = link_from(s, term_object(&s->t, to), from)))
        return RELATED_UP;
    i = element(s, from, &array);
    k = element(s, to, &other_array);
    if (i && k && same(s, array, other_array) &&
        (collected || is_next_index(s, i, k) || is_next_index(s, k, i)))
        return RELATED_ORDERED;
    if (collected && ((k && !i && lies_in(s, from, other_array)) || (i && !k && lies_in(s, to, array))))
        return RELATED_ORDERED; /* the first element, in one of the turns */
    if (by_index(s, from, to, link) != RELATED_NOT)
        return by_index(s, from, to, link);
    if (collected && term_at(&s->t, term_object(&s->t, to))->op == TERM_PHI)
        return RELATED_ORDERED; /* a list, locked as a loop walks along it */
    if (behind_member(s, from) && behind_member(s, to) && lock_is_recursive(s, to))
        return RELATED_FAR; /* it may well be one object that both point to, taken again */
    return loads(s, from) > LOADS_MAX || loads(s, to) > LOADS_MAX ? RELATED_FAR : RELATED_NOT;
}
