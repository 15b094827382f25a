/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A ring of &ctx[i]: each thread has an element of its own. */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

enum { THREADS = 4 };

struct context {
    int id;
    long sum;
};

static void *work(void *arg)
{
    struct context *ctx = arg;
    for (int i = 0; i < 1000; i++)
        ctx->sum += ctx->id;
    return NULL;
}

long each_its_own(void)
{
    pthread_t threads[THREADS];
    struct context ctx[THREADS];
    long sum = 0;
    for (int i = 0; i < THREADS; i++) {
        ctx[i] = (struct context){.id = i};
        if (pthread_create(&threads[i], NULL, work, &ctx[i]) != 0) // no diagnostic: an element each
            abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += ctx[i].sum;
    }
    return sum;
}

/* By a pointer that walks, on the heap, handle and context in one element. */
struct worker {
    thrd_t thread;
    struct context ctx;
};

static int work_c11(void *arg)
{
    struct worker *w = arg;
    w->ctx.sum++;
    return 0;
}

long by_pointer(size_t n)
{
    long sum = 0;
    struct worker *all = calloc(n, sizeof *all);
    if (!all)
        return -1;
    for (struct worker *w = all; w < all + n; w++)
        if (thrd_create(&w->thread, work_c11, w) != thrd_success) // no diagnostic: another element each turn
            abort();
    for (struct worker *w = all; w < all + n; w++) {
        thrd_join(w->thread, NULL);
        sum += w->ctx.sum;
    }
    free(all);
    return sum;
}

/* Wrong: the first element for all. */
void first_for_all(struct context *ctx)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &ctx[0]) != 0) // expected-warning {{is shared by several threads with nothing to guard it [aglet-sync]}}
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Wrong: the array decays to its first element. */
void array_for_all(void)
{
    pthread_t threads[THREADS];
    struct context ctx[THREADS] = {{0}};
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, ctx) != 0) // expected-warning {{is shared by several threads with nothing to guard it [aglet-sync]}}
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}
