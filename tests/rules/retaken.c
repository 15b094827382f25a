/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A function gives up its caller's lock, and a helper takes it back, with another one.
 * Stands on pthreads. */
#include <pthread.h>
#include <stddef.h>

struct transfer {
    pthread_mutex_t lock;
    int serial;
};
struct zone {
    pthread_rwlock_t lock;
    int serial;
};
struct zones {
    pthread_rwlock_t lock;
    struct zone *current;
};
/* Begins with no lock, ends with the transfer's and, where there is one, the zone's. */
static int take_back(struct transfer *x, struct zones *all, struct zone **z) {
    pthread_rwlock_rdlock(&all->lock);
    *z = all->current;
    if (!*z) {
        pthread_rwlock_unlock(&all->lock);
        pthread_mutex_lock(&x->lock);
        return 0; // no diagnostic: the caller gave it up before
    }
    pthread_rwlock_wrlock(&(*z)->lock);
    pthread_mutex_lock(&x->lock);
    pthread_rwlock_unlock(&all->lock);
    return 1; // no diagnostic: the caller gives the zone's back, by its own pointer
}
static int update(struct transfer *x, struct zones *all) {
    struct zone *z;
    pthread_mutex_unlock(&x->lock);
    if (!take_back(x, all, &z))
        return 0;
    z->serial = x->serial;
    pthread_rwlock_unlock(&z->lock);
    return 1;
}
int run(struct transfer *x, struct zones *all);
int run(struct transfer *x, struct zones *all) {
    int r;
    pthread_mutex_lock(&x->lock);
    r = update(x, all);
    pthread_mutex_unlock(&x->lock); // no diagnostic: taken back
    return r;
}
static int update_forgetful(struct transfer *x, struct zones *all) {
    struct zone *z;
    pthread_mutex_unlock(&x->lock);
    if (!take_back(x, all, &z))
        return 0;
    if (z->serial == x->serial)
        return 2; // expected-warning {{'z->lock' is still held on this return [aglet-lock-leak]}}
    pthread_rwlock_unlock(&z->lock);
    return 1;
}
int run_forgetful(struct transfer *x, struct zones *all);
int run_forgetful(struct transfer *x, struct zones *all) {
    int r;
    pthread_mutex_lock(&x->lock);
    r = update_forgetful(x, all);
    pthread_mutex_unlock(&x->lock);
    return r;
}

/* The zone's lock is given up for a while by a callee, which needs it held. */
void log_serial(int serial);
static void verify(struct zone *z) {
    pthread_rwlock_unlock(&z->lock);
    log_serial(0);
    pthread_rwlock_wrlock(&z->lock);
}
static int update_verified(struct transfer *x, struct zones *all) {
    struct zone *z;
    pthread_mutex_unlock(&x->lock);
    if (!take_back(x, all, &z))
        return 0;
    verify(z); // no diagnostic: take_back() left it locked
    pthread_rwlock_unlock(&z->lock);
    return 1;
}
int run_verified(struct transfer *x, struct zones *all);
int run_verified(struct transfer *x, struct zones *all) {
    int r;
    pthread_mutex_lock(&x->lock);
    r = update_verified(x, all);
    pthread_mutex_unlock(&x->lock);
    return r;
}
