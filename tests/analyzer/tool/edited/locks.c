/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrappers: a plain one, one decided by a flag, one that may fail, one that takes two. */
#include "shop.h"

int strict;

static void note(struct shelf *s) {
    s->misses++;
}

void shelf_lock(struct shelf *s) {
    pthread_mutex_lock(&s->mu);
}

void shelf_unlock(struct shelf *s) {
    pthread_mutex_unlock(&s->mu);
}

void lock_if(pthread_mutex_t *mu, bool wanted) {
    if (wanted)
        pthread_mutex_lock(mu);
}

void unlock_if(pthread_mutex_t *mu, bool wanted) {
    if (wanted)
        pthread_mutex_unlock(mu);
}

bool shelf_try(struct shelf *s) {
    if (pthread_mutex_trylock(&s->mu) != 0)
        return false;
    note(s);
    return true;
}

void lock_both(struct shelf *a, struct shelf *b) {
    shelf_lock(a);
    if (a != b)
        shelf_lock(b);
}

void unlock_both(struct shelf *a, struct shelf *b) {
    if (a != b)
        shelf_unlock(b);
    shelf_unlock(a);
}
