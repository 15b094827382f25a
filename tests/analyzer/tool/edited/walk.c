/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Functions of three files that call each other. */
#include "shop.h"

static long step(struct shelf *s, int depth) {
    return depth & 1 ? walk_odd(s, depth - 1) : walk_even(s, depth - 1);
}

long walk_even(struct shelf *s, int depth) {
    long n = shelf_count(s, depth - 1);
    lock_if(&s->mu, strict);
    n += s->hits;
    unlock_if(&s->mu, strict);
    if (depth > 2)
        n += walk_odd(s, depth - 1);
    return n;
}

long walk_odd(struct shelf *s, int depth) {
    if (depth < 1)
        return 0;
    shelf_lock(s);
    s->misses++;
    shelf_unlock(s);
    return step(s, depth) + shelf_hits(s);
}

void sweep_all(struct shelf *s, int depth) {
    if (!s || depth < 0)
        return;
    shelf_lock(s);
    s->n = 0;
    s->first = NULL;
    if (s->ops && s->ops->sweep)
        s->ops->sweep(s->next, depth - 1);
    shelf_unlock(s);
}
