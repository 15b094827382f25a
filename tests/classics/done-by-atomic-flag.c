/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Completion told by an atomic flag with acquire: the order of the two sides is unknown, so nothing is said. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <threads.h>

struct task {
    long result;
    atomic_bool done;
    int plain_done;
};

static void *run(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    atomic_store_explicit(&t->done, 1, memory_order_release);
    return NULL;
}

long polled(struct task *t)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, t) != 0) // no diagnostic: the flag may order the two sides
        return -1;
    pthread_detach(thread);
    while (!atomic_load_explicit(&t->done, memory_order_acquire))
        sched_yield();
    return t->result;
}

/* Without a function: an atomic is read as it is; and gcc's builtins. */
static int run_c11(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    t->done = 1;
    return 0;
}

long polled_plainly(struct task *t)
{
    thrd_t thread;
    if (thrd_create(&thread, run_c11, t) != thrd_success) // no diagnostic
        return -1;
    thrd_detach(thread);
    while (!t->done)
        thrd_yield();
    return t->result;
}

static void *run_builtin(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    __atomic_store_n(&t->plain_done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static int is_done(struct task *t)
{
    return __atomic_load_n(&t->plain_done, __ATOMIC_ACQUIRE);
}

long polled_builtin(struct task *t)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_builtin, t) != 0) // no diagnostic
        return -1;
    pthread_detach(thread);
    while (!is_done(t))
        ;
    return t->result;
}

/* Wrong: relaxed orders nothing. */
static void *run_relaxed(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    atomic_store_explicit(&t->done, 1, memory_order_relaxed);
    return NULL;
}

long polled_relaxed(struct task *t)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_relaxed, t) != 0) // expected-warning {{'t->result' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_detach(thread);
    while (!atomic_load_explicit(&t->done, memory_order_relaxed))
        ;
    return t->result;
}

/* Wrong: the flag is no atomic. */
static void *run_plain(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    t->plain_done = 1;
    return NULL;
}

long polled_plain(struct task *t)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_plain, t) != 0) // expected-warning {{'t->plain_done' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_detach(thread);
    while (!t->plain_done)
        ;
    return 0;
}
