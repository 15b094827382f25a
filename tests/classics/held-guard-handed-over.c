/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A guard, or a lock that is held, goes to a thread that is to release it. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>

struct AGLET_GUARD_TYPE guard {
    pthread_mutex_t *mu;
};

static void guard_release(struct guard *g)
{
    if (g->mu)
        pthread_mutex_unlock(g->mu); // expected-warning 0+ {{'g->mu' is released, but nobody took it [aglet-unlock-unheld]}}
}

static void *release_guard(void *arg)
{
    struct guard *g = arg;
    guard_release(g);
    return NULL;
}

/* The guard type says it. */
int by_type(struct guard *g)
{
    pthread_t t;
    if (pthread_create(&t, NULL, release_guard, g) != 0) // expected-warning {{'struct guard' reaches another thread here, and is not Send [aglet-send]}}
        return -1;
    return pthread_join(t, NULL);
}

/* Inside what is handed over. */
struct transfer {
    struct guard guard;
    int amount;
};

static void *finish(void *arg)
{
    struct transfer *tr = arg;
    tr->amount = 0;
    guard_release(&tr->guard);
    return NULL;
}

int inside(struct transfer *tr)
{
    pthread_t t;
    if (pthread_create(&t, NULL, finish, tr) != 0) // expected-warning {{'struct transfer' reaches another thread here, and is not Send [aglet-send]}}
        return -1;
    return pthread_join(t, NULL);
}

/* A variable whose cleanup releases a lock is a guard, whatever its type. */
struct plain_guard {
    pthread_mutex_t *mu;
};

static void plain_release(struct plain_guard *g)
{
    pthread_mutex_unlock(g->mu);
}

static void *use_plain(void *arg)
{
    struct plain_guard *g = arg;
    pthread_mutex_unlock(g->mu); // expected-warning {{'g->mu' is released, but nobody took it [aglet-unlock-unheld]}}
    return NULL;
}

int by_cleanup(pthread_mutex_t *mu)
{
    pthread_t t;
    pthread_mutex_lock(mu);
    struct plain_guard g __attribute__((cleanup(plain_release))) = {mu};
    if (pthread_create(&t, NULL, use_plain, &g) != 0) // expected-warning {{'g' guards a lock held by this thread, and reaches another one here [aglet-send]}}
        return -1;
    return pthread_join(t, NULL); // expected-warning {{'pthread_join' may block, and 'mu' is held [aglet-blocking-while-locked]}}
}

/* A cleanup that looks whether there is anything to release. */
struct maybe_guard {
    pthread_mutex_t *held;
};
static void maybe_release(struct maybe_guard *g)
{
    if (g->held)
        pthread_mutex_unlock(g->held); // expected-warning 0+ {{is released, but nobody took it [aglet-unlock-unheld]}}
}
static void *use_maybe(void *arg)
{
    struct maybe_guard *g = arg;
    return g->held;
}

int by_cleanup_that_looks(pthread_mutex_t *mu)
{
    pthread_t t;
    __attribute__((cleanup(maybe_release))) struct maybe_guard g = {mu};
    pthread_mutex_lock(mu);
    if (pthread_create(&t, NULL, use_maybe, &g) != 0) // expected-warning {{'g' guards a lock held by this thread, and reaches another one here [aglet-send]}}
        return -1;
    return pthread_join(t, NULL); // expected-warning {{'pthread_join' may block, and 'mu' is held [aglet-blocking-while-locked]}}
}

/* Mended: the thread takes the lock itself. */
struct account {
    pthread_mutex_t mu;
    long balance;
};

static void *settle(void *arg)
{
    struct account *a = arg;
    pthread_mutex_lock(&a->mu);
    a->balance = 0;
    pthread_mutex_unlock(&a->mu);
    return NULL;
}

int thread_locks(struct account *a)
{
    pthread_t t;
    pthread_mutex_lock(&a->mu);
    a->balance++;
    pthread_mutex_unlock(&a->mu);
    if (pthread_create(&t, NULL, settle, a) != 0) // no diagnostic: the lock is handed over free
        return -1;
    return pthread_join(t, NULL);
}
