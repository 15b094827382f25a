/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Completion told by a condition: the order of the two sides is unknown, so nothing is said. */
#include <pthread.h>
#include <stdbool.h>
#include <threads.h>

struct task {
    pthread_mutex_t mu;
    pthread_cond_t cond;
    bool done;
    long result;
};

static void *run(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    pthread_mutex_lock(&t->mu);
    t->done = true;
    pthread_cond_signal(&t->cond);
    pthread_mutex_unlock(&t->mu);
    return NULL;
}

static void task_wait(struct task *t)
{
    pthread_mutex_lock(&t->mu);
    while (!t->done)
        pthread_cond_wait(&t->cond, &t->mu);
    pthread_mutex_unlock(&t->mu);
}

long waited(struct task *t)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, t) != 0) // no diagnostic: the wait may order the two sides
        return -1;
    pthread_detach(thread);
    task_wait(t);
    return t->result;
}

/* A local: the thread may be done with it when it has told so. */
long waited_local(void)
{
    pthread_t thread;
    struct task t = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};
    if (pthread_create(&thread, NULL, run, &t) != 0) // no diagnostic
        return -1;
    pthread_detach(thread);
    task_wait(&t);
    return t.result;
}

struct c11_task {
    mtx_t mu;
    cnd_t cond;
    int done;
    long result;
};

static int run_c11(void *arg)
{
    struct c11_task *t = arg;
    t->result = 42;
    mtx_lock(&t->mu);
    t->done = 1;
    mtx_unlock(&t->mu);
    cnd_broadcast(&t->cond);
    return 0;
}

long waited_c11(struct c11_task *t)
{
    thrd_t thread;
    if (thrd_create(&thread, run_c11, t) != thrd_success) // no diagnostic
        return -1;
    thrd_detach(thread);
    mtx_lock(&t->mu);
    while (!t->done)
        cnd_wait(&t->cond, &t->mu);
    mtx_unlock(&t->mu);
    return t->result;
}

/* Wrong: the result is read before the wait. */
long read_too_early(struct task *t)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, t) != 0) // expected-warning {{'t->result' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_detach(thread);
    long result = t->result;
    task_wait(t);
    return result;
}
