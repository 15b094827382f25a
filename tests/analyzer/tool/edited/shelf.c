/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Shelves: members that one lock keeps, nearly everywhere. */
#include "shop.h"

struct shelf shelves[4];

static void note(struct shelf *s, bool hit) {
    if (hit)
        s->hits++;
    else
        s->misses++;
}

static void put_locked(struct shelf *s, struct item *i) {
    i->next = s->first;
    s->first = i;
    s->n++;
}

long shelf_put(struct shelf *s, struct item *i) {
    long n;
    shelf_lock(s);
    if (s->n >= s->limit) {
        shelf_unlock(s);
        return -1;
    }
    put_locked(s, i);
    n = s->n;
    shelf_unlock(s);
    return n;
}

struct item *shelf_take(struct shelf *s) {
    struct item *i = NULL;
    shelf_lock(s);
    if (!s->first)
        goto out;
    i = s->first;
    s->first = i->next;
    s->n--;
    note(s, true);
out:
    shelf_unlock(s);
    return i;
}

void shelf_move(struct shelf *from, struct shelf *to) {
    lock_both(from, to);
    if (from->first) {
        struct item *i = from->first;
        from->first = i->next;
        from->n--;
        put_locked(to, i);
    }
    unlock_both(from, to);
}

long shelf_count(struct shelf *s, int depth) {
    long n;
    if (depth < 0)
        return 0;
    shelf_lock(s);
    n = s->n + s->hits;
    shelf_unlock(s);
    return n + (s->next ? walk_even(s->next, depth - 1) : 0);
}

void shelf_open(struct shelf *s) {
    if (!shelf_try(s))
        return;
    s->open = true;
    s->limit = 10;
    shelf_unlock(s);
}

long shelf_peek(struct shelf *s) {
    return s->n;
}
