/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The blocking pools. Stands on task_sleep.h; its threads sleep on a futex that counts work. */
#include "blocking.h"
#include "check.h"
#include "fork.h"

#include <pthread.h>
#include <signal.h>

static struct pool {
    struct slock lock;
    struct work *head, *tail; /* under lock, with the counts */
    unsigned threads, idle, limit, queued;
    _Atomic uint32_t unfinished; /* pieces of work whose waiter was not woken yet */
    _Atomic uint32_t tickets;    /* grows with each piece of work; the futex of idle threads */
} pools[BLOCKING_POOLS] = {[BLOCKING_GENERAL] = {.limit = 64}, [BLOCKING_LOOKUP] = {.limit = 8}};

static const int64_t idle_ns = INT64_C(10000000000);

static struct work *take(struct pool *p) {
    struct work *w = p->head;
    if (w) {
        p->head = w->next;
        p->queued--;
    }
    return w;
}

static void *serve(void *pool) {
    struct pool *p = pool;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    slock_lock(&p->lock);
    for (;;) {
        struct work *w = take(p);
        if (w) {
            slock_unlock(&p->lock);
            tsan_observe(w);
            w->result = w->run(w->arg);
            wake_send(sleeper_fire(w->sleeper));
            atomic_fetch_sub(&p->unfinished, 1);
            slock_lock(&p->lock);
            continue;
        }
        uint32_t seen = atomic_load(&p->tickets);
        p->idle++;
        slock_unlock(&p->lock);
        if (aglet_checked)
            check_idle_begin(NULL);
        /* The checked library's stay: to end one would wake those that look whether anybody is awake. */
        bool in_time = futex_wait(&p->tickets, seen, aglet_checked ? AGLET_FOREVER : aglet_after_ns(idle_ns));
        if (aglet_checked)
            check_block_end();
        slock_lock(&p->lock);
        p->idle--;
        if (!in_time && !p->head)
            break;
    }
    p->threads--;
    slock_unlock(&p->lock);
    return NULL;
}

/* One more thread, or false. The count was already raised. */
static bool start_thread(struct pool *p) {
    pthread_t thread;
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool ok = pthread_create(&thread, &attr, serve, p) == 0;
    pthread_attr_destroy(&attr);
    return ok;
}

bool blocking_withdraw(enum blocking_pool pool, struct work *mine) {
    struct pool *p = &pools[pool];
    bool found = false;
    slock_lock(&p->lock);
    struct work *before = NULL;
    for (struct work *w = p->head; w; before = w, w = w->next)
        if (w == mine) {
            if (before)
                before->next = w->next;
            else
                p->head = w->next;
            if (p->tail == w)
                p->tail = before;
            p->queued--;
            atomic_fetch_sub(&p->unfinished, 1);
            found = true;
            break;
        }
    slock_unlock(&p->lock);
    return found;
}

int blocking_submit(enum blocking_pool pool, struct work *w) {
    struct pool *p = &pools[pool];
    atomic_fetch_add(&p->unfinished, 1);
    tsan_publish(w); /* partner: serve */
    slock_lock(&p->lock);
    w->next = NULL;
    if (p->head)
        p->tail->next = w;
    else
        p->head = w;
    p->tail = w;
    /* Two pieces may wait for each other: an idle thread that was woken for the first is none for the second.
     */
    bool grow = ++p->queued > p->idle && p->threads < p->limit;
    p->threads += grow;
    slock_unlock(&p->lock);
    atomic_fetch_add(&p->tickets, 1);
    futex_wake(&p->tickets, 1);
    if (!grow || start_thread(p))
        return 0;
    slock_lock(&p->lock);
    bool none = --p->threads == 0;
    slock_unlock(&p->lock);
    return none && blocking_withdraw(pool, w) ? -ENOMEM : 0;
}

int blocking_run(enum blocking_pool pool, void *(*run)(void *), void *arg, void **result, const char *why,
                 const void *caller) {
    int error = await_begin(why, caller);
    if (error)
        return error;
    struct sleeper s;
    sleeper_init(&s);
    struct work w = {.run = run, .arg = arg, .sleeper = &s};
    if (!s.task) {
        w.result = run(arg);
    } else {
        error = blocking_submit(pool, &w);
        if (error)
            return error;
        /* Work that runs cannot be stopped, and its argument may lie in the caller's frame. */
        while (sleeper_wait(&s, AGLET_FOREVER, why) == -ECANCELED) {
            if (blocking_withdraw(pool, &w))
                return -ECANCELED;
            while (!sleeper_is_fired(&s))
                task_park(s.task);
        }
    }
    if (result)
        *result = w.result;
    return 0;
}

int aglet_run_blocking(void *(*work)(void *), void *arg, void **result) {
    return blocking_run(BLOCKING_GENERAL, work, arg, result, "blocking work", CALLER());
}

void blocking_fork(enum fork_moment moment) {
    for (int i = 0; i < BLOCKING_POOLS; i++) {
        struct pool *p = &pools[i];
        if (moment == BEFORE_FORK) {
            slock_lock(&p->lock);
            continue;
        }
        if (moment == IN_CHILD) { /* the threads are the parent's, and who waits for the work is, too */
            p->head = p->tail = NULL;
            p->threads = p->idle = p->queued = 0;
            atomic_store(&p->unfinished, 0);
        }
        slock_unlock(&p->lock);
    }
}

void blocking_count(unsigned *threads, unsigned *busy) {
    *threads = *busy = 0;
    for (int i = 0; i < BLOCKING_POOLS; i++) {
        slock_lock(&pools[i].lock);
        *threads += pools[i].threads;
        *busy += atomic_load(&pools[i].unfinished);
        slock_unlock(&pools[i].lock);
    }
}
