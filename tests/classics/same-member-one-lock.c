/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Parent and thread touch the same member: under one lock, under none, under two. */
#include <pthread.h>
#include <threads.h>

struct ledger {
    pthread_mutex_t mu, other;
    pthread_rwlock_t rw;
    long sum;
};

static void add_locked(struct ledger *l, long n)
{
    pthread_mutex_lock(&l->mu);
    l->sum += n;
    pthread_mutex_unlock(&l->mu);
}

static void *add_one(void *arg)
{
    add_locked(arg, 1);
    return NULL;
}

int one_lock(struct ledger *l)
{
    pthread_t t;
    if (pthread_create(&t, NULL, add_one, l) != 0) // no diagnostic: one lock on both sides
        return -1;
    add_locked(l, 2);
    return pthread_join(t, NULL);
}

/* By helpers that lock and unlock, and on one side by a cleanup. */
static void ledger_lock(struct ledger *l)
{
    pthread_mutex_lock(&l->mu);
}

static void ledger_unlock(struct ledger *l)
{
    pthread_mutex_unlock(&l->mu);
}

static void ledger_leave(struct ledger **l)
{
    ledger_unlock(*l);
}

int one_lock_by_helpers(struct ledger *l)
{
    pthread_t t;
    if (pthread_create(&t, NULL, add_one, l) != 0) // no diagnostic
        return -1;
    {
        ledger_lock(l);
        struct ledger *leave __attribute__((cleanup(ledger_leave))) = l;
        leave->sum++;
    }
    return pthread_join(t, NULL);
}

/* Wrong: none here. */
int no_lock(struct ledger *l)
{
    pthread_t t;
    if (pthread_create(&t, NULL, add_one, l) != 0) // expected-warning {{'l->sum' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    l->sum += 2;
    return pthread_join(t, NULL);
}

/* Wrong: another lock here. */
int two_locks(struct ledger *l)
{
    pthread_t t;
    if (pthread_create(&t, NULL, add_one, l) != 0) // expected-warning {{'l->sum' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_mutex_lock(&l->other);
    l->sum += 2;
    pthread_mutex_unlock(&l->other);
    return pthread_join(t, NULL);
}

/* A reader there, a writer here, of one read-write lock. */
static int read_shared(void *arg)
{
    struct ledger *l = arg;
    pthread_rwlock_rdlock(&l->rw);
    long sum = l->sum;
    pthread_rwlock_unlock(&l->rw);
    return sum > 0;
}

int writer_excludes(struct ledger *l)
{
    thrd_t t;
    if (thrd_create(&t, read_shared, l) != thrd_success) // no diagnostic: read shared there, written exclusively here
        return -1;
    pthread_rwlock_wrlock(&l->rw);
    l->sum = 1;
    pthread_rwlock_unlock(&l->rw);
    return thrd_join(t, NULL);
}
