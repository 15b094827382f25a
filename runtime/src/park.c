/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Parkers of OS threads: a futex word each, kept for ever and handed from thread to thread.
 * Stands on futex.h, ilock.h. */
#include "park.h"

#include "ilock.h"
#include "misuse.h"

#include <pthread.h>
#include <stdlib.h>

static bool thread_park(struct parker *p, aglet_time deadline) {
    /* Pairs with the exchange in thread_unpark: what the waker wrote before it is seen after this. */
    uint32_t seen = atomic_exchange_explicit(&p->state, PARKER_EMPTY, memory_order_acquire);
    if (seen == PARKER_TOKEN)
        return true;
    for (int spin = 0; spin < 64 && spinning_pays(); spin++) {
        cpu_relax();
        if (atomic_load_explicit(&p->state, memory_order_relaxed) == PARKER_TOKEN &&
            atomic_exchange_explicit(&p->state, PARKER_EMPTY, memory_order_acquire) == PARKER_TOKEN)
            return true;
    }
    seen = PARKER_EMPTY;
    if (!atomic_compare_exchange_strong_explicit(&p->state, &seen, PARKER_ASLEEP, memory_order_relaxed,
                                                 memory_order_relaxed)) {
        atomic_exchange_explicit(&p->state, PARKER_EMPTY, memory_order_acquire);
        return true;
    }
    for (;;) {
        bool in_time = futex_wait(&p->state, PARKER_ASLEEP, deadline);
        seen = PARKER_TOKEN;
        if (atomic_compare_exchange_strong_explicit(&p->state, &seen, PARKER_EMPTY, memory_order_acquire,
                                                    memory_order_relaxed))
            return true;
        if (!in_time) /* last chance: a token that came between the two is taken */
            return atomic_exchange_explicit(&p->state, PARKER_EMPTY, memory_order_acquire) == PARKER_TOKEN;
    }
}

static void thread_unpark(struct parker *p) {
    /* Pairs with the exchanges in thread_park. Nothing of *p is read after it: see park.h on late unparks. */
    if (atomic_exchange_explicit(&p->state, PARKER_TOKEN, memory_order_release) == PARKER_ASLEEP)
        futex_wake(&p->state, 1);
}

static const struct parker_ops thread_ops = {thread_park, thread_unpark};

static struct ilock pool_lock;
static struct parker *pool; /* parkers without a thread; under pool_lock */
static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;
static _Thread_local struct parker *mine;
static _Thread_local struct parker *current;

static void give_back(void *parker) {
    struct parker *p = parker;
    mine = NULL;
    ilock_take(&pool_lock);
    p->next_free = pool;
    pool = p;
    ilock_give(&pool_lock);
}

static void make_key(void) {
    if (pthread_key_create(&at_exit, give_back) != 0)
        misuse_give_up("no thread-specific key is left, and a waiting thread needs one");
}

struct parker *parker_of_thread(void) {
    if (AGLET_LIKELY(mine != NULL))
        return mine;
    pthread_once(&at_exit_once, make_key);
    ilock_take(&pool_lock);
    struct parker *p = pool;
    if (p != NULL)
        pool = p->next_free;
    ilock_give(&pool_lock);
    if (p == NULL) {
        p = calloc(1, sizeof *p);
        if (p == NULL)
            misuse_give_up("no memory for a waiting thread's state");
        p->ops = &thread_ops;
    }
    mine = p;
    pthread_setspecific(at_exit, p);
    return p;
}

struct parker *parker_current(void) {
    return current != NULL ? current : parker_of_thread();
}

void parker_set_current(struct parker *task_parker) {
    current = task_parker;
}
