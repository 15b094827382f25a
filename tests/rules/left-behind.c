/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Whether a function came back with the lock is told by what it left in a place of the caller's.
 * Stands on pthreads. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct item {
    pthread_mutex_t mu;
    int refs;
};
struct table {
    pthread_mutex_t mu;
    struct item *first;
    int n;
};
struct found {
    struct item *item;
    int at;
};
struct item *look_up(struct table *t, int key);

/* ---- a flag beside the result ---- */
static struct item *get_locked(struct table *t, int key, bool *overflow) {
    struct item *it;
    pthread_mutex_lock(&t->mu);
    it = look_up(t, key);
    if (it && it->refs > 1000) {
        pthread_mutex_unlock(&t->mu);
        it = NULL;
        *overflow = true;
    } else {
        *overflow = false;
    }
    return it; // no diagnostic: locked unless *overflow
}
int use(struct table *t, int key);
int use(struct table *t, int key) {
    bool overflow;
    struct item *it = get_locked(t, key, &overflow);
    int n = 0;
    if (it) {
        n = it->refs;
        pthread_mutex_unlock(&t->mu);
    } else if (overflow) {
        return -1; // no diagnostic: not locked
    } else {
        t->n++;
        pthread_mutex_unlock(&t->mu);
    }
    return n;
}
int forgets(struct table *t, int key);
int forgets(struct table *t, int key) {
    bool overflow;
    struct item *it = get_locked(t, key, &overflow);
    if (overflow)
        return -1;
    if (!it)
        return 0; // expected-warning {{'t->mu' is still held on this return [aglet-lock-leak]}}
    t->n++;
    pthread_mutex_unlock(&t->mu);
    return 1;
}
int unlocks_anyhow(struct table *t, int key);
int unlocks_anyhow(struct table *t, int key) {
    bool overflow;
    struct item *it = get_locked(t, key, &overflow);
    const bool got = it != NULL;
    pthread_mutex_unlock(&t->mu); // expected-warning {{is released where taking it failed [aglet-unlock-unheld]}}
    return got;
}

/* ---- what was found is handed out locked, into a struct that the caller cleared ---- */
static int pull(struct table *t, int flags, struct found *out) {
    pthread_mutex_lock(&t->mu);
    for (struct item *it = t->first; it; it = NULL) {
        if (it->refs > 1)
            break;
        if (flags & 4) {
            out->item = it;
            return 1; // no diagnostic: locked, and out->item says so
        }
        it->refs++;
    }
    pthread_mutex_unlock(&t->mu);
    return flags & 1;
}
int pull_one(struct table *t);
int pull_one(struct table *t) {
    struct found f = {NULL, 0};
    pull(t, 4, &f);
    if (f.item == NULL)
        return 0; // no diagnostic: nothing was found
    f.item->refs++;
    pthread_mutex_unlock(&t->mu);
    return 1;
}
int pull_and_forget(struct table *t);
int pull_and_forget(struct table *t) {
    struct found f = {NULL, 0};
    pull(t, 4, &f);
    if (f.item == NULL)
        return 0;
    return f.item->refs; // expected-warning {{[aglet-lock-mismatch]}}
}
int pull_another(struct table *t, int n);
int pull_another(struct table *t, int n) {
    struct found f = {NULL, n};
    if (!pull(t, 5, &f) || !f.item)
        return n; // no diagnostic: nothing was found
    pthread_mutex_unlock(&t->mu);
    return f.at;
}
