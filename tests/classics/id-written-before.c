/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An id written before the hand-off and only read after. */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

typedef struct {
    int id;
    const char *name;
    pthread_t thread;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    return w->name ? (void *)(long)w->id : NULL;
}

int start(worker *w, int id, const char *name)
{
    w->id = id;
    w->name = name;
    if (pthread_create(&w->thread, NULL, work, w) != 0) // no diagnostic: written before
        return -1;
    return w->id; // and only read after
}

static int work_c11(void *arg)
{
    const int *id = arg;
    return *id;
}

int start_c11(void)
{
    thrd_t t;
    int id = 7;
    if (thrd_create(&t, work_c11, &id) != thrd_success) // no diagnostic: only read by both
        return -1;
    int same = id;
    thrd_join(t, NULL);
    return same;
}

int stop(worker *w)
{
    return pthread_join(w->thread, NULL);
}

/* Wrong: written when the thread may read it already. */
int start_too_early(worker *w, int id)
{
    if (pthread_create(&w->thread, NULL, work, w) != 0) // expected-warning {{'w->id' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    w->id = id;
    return 0;
}

/* Wrong: a setter in a helper, after the start in another one. */
static int worker_start(worker *w)
{
    return pthread_create(&w->thread, NULL, work, w);
}

static void worker_set_name(worker *w, const char *name)
{
    w->name = name;
}

int start_and_name(worker *w, const char *name)
{
    if (worker_start(w) != 0) // expected-warning {{'w->name' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    worker_set_name(w, name);
    return 0;
}
