/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One &ctx passed to every thread of a loop, and written by them. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <threads.h>

enum { THREADS = 4 };

struct context {
    const char *name;
    int done;
    atomic_int finished;
};

static void *work(void *arg)
{
    struct context *ctx = arg;
    ctx->done++;
    return NULL;
}

int a_local(void)
{
    pthread_t threads[THREADS];
    struct context ctx = {.name = "all"};
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &ctx) != 0) // expected-warning {{'ctx.done' is shared by several threads with nothing to guard it [aglet-sync]}}
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return ctx.done;
}

/* Unrolled by hand. */
int twice(struct context *ctx)
{
    pthread_t a, b;
    if (pthread_create(&a, NULL, work, ctx) != 0) // expected-warning {{'ctx->done' is shared by several threads with nothing to guard it [aglet-sync]}}
        return -1;
    if (pthread_create(&b, NULL, work, ctx) != 0) { // expected-note {{handed to another thread here too}}
        pthread_join(a, NULL);
        return -1;
    }
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return ctx->done;
}

/* Two entries, one written member. */
static void *watch(void *arg)
{
    struct context *ctx = arg;
    return ctx->done > 3 ? arg : NULL;
}

int worker_and_watcher(struct context *ctx)
{
    pthread_t a, b;
    if (pthread_create(&a, NULL, work, ctx) != 0) // expected-warning {{'ctx->done' is shared by several threads with nothing to guard it [aglet-sync]}}
        return -1;
    if (pthread_create(&b, NULL, watch, ctx) != 0) { // expected-note {{handed to another thread here too}}
        pthread_join(a, NULL);
        return -1;
    }
    pthread_join(a, NULL);
    return pthread_join(b, NULL);
}

/* while, a wrapper, C11's threads, a global context. */
static struct context everyones;

static int work_c11(void *arg)
{
    struct context *ctx = arg;
    ctx->done += 2;
    return 0;
}

static void start_one(thrd_t *t, struct context *ctx)
{
    if (thrd_create(t, work_c11, ctx) != thrd_success)
        abort();
}

void by_wrapper(thrd_t *threads, int n)
{
    int i = 0;
    while (i < n) {
        start_one(threads + i, &everyones); // expected-warning {{'everyones.done' is shared by several threads with nothing to guard it [aglet-sync]}}
        i++;
    }
}

/* Mended: what they write is atomic. */
static void *work_atomic(void *arg)
{
    struct context *ctx = arg;
    ctx->finished++;
    return (void *)ctx->name;
}

int atomic_member(void)
{
    pthread_t threads[THREADS];
    struct context ctx = {.name = "all"};
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work_atomic, &ctx) != 0) // no diagnostic: one atomic member is written, one only read
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return ctx.finished;
}

/* Mended: one after the other. */
int in_turn(struct context *ctx)
{
    pthread_t t;
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&t, NULL, work, ctx) != 0) // no diagnostic: joined before the next is started
            return -1;
        pthread_join(t, NULL);
    }
    return ctx->done;
}
