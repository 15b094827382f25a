/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Random work on every lock there is, by many threads, with a ledger: money is moved between accounts and must all be
 * there in the end; a table behind a read-write lock is never seen half written; a bounded store never holds more than
 * its permits; shared objects die exactly once.  Usage: stress_locks SECONDS [SEED]. Stands on aglet.h. */
#include "aglet/aglet.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS = 8, ACCOUNTS = 16, MONEY = 1000, PERMITS = 3, OBJECTS = 4 };

struct account {
    aglet_mutex mu;
    long money AGLET_GUARDED_BY(mu);
};

struct object {
    long value;
};

static struct account accounts[ACCOUNTS];
static aglet_rwlock table_lock;
static long left AGLET_GUARDED_BY(table_lock), right AGLET_GUARDED_BY(table_lock);
static aglet_semaphore permits = AGLET_SEMAPHORE_INIT(PERMITS);
static _Atomic long inside, born, dead, wrong;
static aglet_mutex turn_mu;
static aglet_cond turn_changed;
static long turn AGLET_GUARDED_BY(turn_mu);
static aglet_barrier together = AGLET_BARRIER_INIT(THREADS);
static AGLET_MUTEX_OF(struct object *) shelf[OBJECTS];
static _Atomic bool stop;

#define ADD(counter, n) __atomic_add_fetch((long *)&(counter), (n), __ATOMIC_SEQ_CST)
#define WRONG(what) (fprintf(stderr, "stress_locks: %s\n", what), (void)ADD(wrong, 1))

static void transfer(unsigned *seed)
{
    int from = rand_r(seed) % ACCOUNTS, to = rand_r(seed) % ACCOUNTS, how = rand_r(seed) % 4;
    if (from == to)
        return;
    struct account *first = &accounts[from < to ? from : to], *second = &accounts[from < to ? to : from];
    if (how == 0 && !aglet_mutex_try_lock(&first->mu))
        return;
    if (how == 1 && aglet_mutex_lock_until(&first->mu, aglet_after_ns(rand_r(seed) % 20000)) != 0)
        return;
    if (how > 1)
        aglet_mutex_lock(&first->mu);
    aglet_mutex_lock(&second->mu);
    long n = rand_r(seed) % 10;
    accounts[from].money -= n;
    accounts[to].money += n;
    if (how == 2) { /* in the order of taking */
        aglet_mutex_unlock(&first->mu);
        aglet_mutex_unlock(&second->mu);
    } else {
        aglet_mutex_unlock(&second->mu);
        aglet_mutex_unlock(&first->mu);
    }
}

static void read_or_write(unsigned *seed)
{
    int how = rand_r(seed) % 20;
    if (how == 0) {
        AGLET_WRITE_GUARD(&table_lock);
        left++;
        right++;
    } else if (how == 1) {
        if (aglet_rwlock_write_until(&table_lock, aglet_after_ns(rand_r(seed) % 100000)) != 0)
            return;
        left++;
        right++;
        aglet_rwlock_downgrade(&table_lock);
        if (left != right)
            WRONG("a table half written after a downgrade");
        aglet_rwlock_read_unlock(&table_lock);
    } else {
        if (how == 2 && aglet_rwlock_read_until(&table_lock, aglet_after_ns(rand_r(seed) % 20000)) != 0)
            return;
        if (how == 3 && !aglet_rwlock_try_read(&table_lock))
            return;
        if (how > 3)
            aglet_rwlock_read(&table_lock);
        if (left != right)
            WRONG("a table half written");
        aglet_rwlock_read_unlock(&table_lock);
    }
}

static void use_permit(unsigned *seed)
{
    if (rand_r(seed) % 2 == 0)
        aglet_semaphore_take(&permits);
    else if (aglet_semaphore_take_until(&permits, aglet_after_ns(rand_r(seed) % 20000)) != 0)
        return;
    if (ADD(inside, 1) > PERMITS)
        WRONG("more inside than there are permits");
    ADD(inside, -1);
    aglet_semaphore_give(&permits, 1);
}

static void drop_object(struct object *o)
{
    if (o->value != 7)
        WRONG("an object that is not whole, or dead already");
    o->value = 0;
    ADD(dead, 1);
}

static void swap_object(unsigned *seed)
{
    struct object *mine = AGLET_ARC_NEW(struct object, drop_object);
    if (mine == NULL)
        return;
    mine->value = 7;
    ADD(born, 1);
    struct object *kept;
    {
        AGLET_OPEN(slot, &shelf[rand_r(seed) % OBJECTS]);
        struct object *old = *slot;
        *slot = AGLET_ARC_KEEP(mine);
        kept = old;
    }
    if (kept != NULL && kept->value != 7)
        WRONG("a shared object changed");
    AGLET_ARC_DROP(kept);
    AGLET_ARC_DROP(mine);
}

static void wait_for_turn(unsigned *seed)
{
    aglet_mutex_lock(&turn_mu);
    long now = turn;
    turn++;
    if (rand_r(seed) % 2 == 0)
        aglet_cond_broadcast(&turn_changed);
    else
        aglet_cond_signal(&turn_changed);
    aglet_time deadline = aglet_after_ns(rand_r(seed) % 50000);
    while (turn == now + 1 && aglet_cond_wait_until(&turn_changed, &turn_mu, deadline) == 0)
        ;
    if (turn <= now)
        WRONG("time went backwards");
    aglet_mutex_unlock(&turn_mu);
}

static void *work(void *argument)
{
    unsigned seed = *(unsigned *)argument;
    while (!__atomic_load_n((bool *)&stop, __ATOMIC_RELAXED))
        switch (rand_r(&seed) % 8) {
        case 0: use_permit(&seed); break;
        case 1: wait_for_turn(&seed); break;
        case 2: swap_object(&seed); break;
        case 3: read_or_write(&seed); break;
        default: transfer(&seed); break;
        }
    aglet_barrier_wait(&together);
    return NULL;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 2;
    unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)time(NULL), seeds[THREADS];
    printf("stress_locks: seed %u\n", seed);
    fflush(stdout);
    for (int i = 0; i < ACCOUNTS; i++)
        accounts[i].money = MONEY;
    AGLET_SCOPE(scope) {
        for (int i = 0; i < THREADS; i++) {
            seeds[i] = seed + (unsigned)i * 7919;
            if (aglet_scope_spawn(&scope, work, &seeds[i]) != 0)
                return 2;
        }
        struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        nanosleep(&t, NULL);
        __atomic_store_n((bool *)&stop, true, __ATOMIC_RELAXED);
    }
    long money = 0;
    for (int i = 0; i < ACCOUNTS; i++) {
        AGLET_GUARD(&accounts[i].mu);
        money += accounts[i].money;
    }
    for (int i = 0; i < OBJECTS; i++) {
        AGLET_OPEN(slot, &shelf[i]);
        AGLET_ARC_DROP(*slot);
    }
    if (money != (long)ACCOUNTS * MONEY)
        WRONG("money was lost or made");
    if (born != dead)
        WRONG("objects were lost, or died twice");
    printf("stress_locks: %ld turns, %ld writes, %ld objects, %ld wrong\n", turn, left, born, wrong);
    return wrong != 0;
}
