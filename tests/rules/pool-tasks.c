/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Thread pools: a function and its argument are put in a queue, and some thread of the pool calls the one with the other. */
#include <pthread.h>
#include <stdlib.h>

typedef void (*task_fn)(void *arg);
struct task {
    struct task *next;
    task_fn fn;
    void *arg;
};
struct pool {
    pthread_mutex_t mu;
    pthread_cond_t work, idle;
    struct task *first, *last;
    int busy, stop;
    int n;
    pthread_t threads[8];
};

static void *pool_thread(void *arg)
{
    struct pool *p = arg;
    for (;;) {
        pthread_mutex_lock(&p->mu);
        while (!p->first && !p->stop)
            pthread_cond_wait(&p->work, &p->mu);
        if (p->stop && !p->first) {
            pthread_mutex_unlock(&p->mu);
            return NULL;
        }
        struct task *t = p->first;
        p->first = t->next;
        if (!p->first)
            p->last = NULL;
        p->busy++;
        pthread_mutex_unlock(&p->mu);

        t->fn(t->arg);
        free(t);

        pthread_mutex_lock(&p->mu);
        if (--p->busy == 0 && !p->first)
            pthread_cond_broadcast(&p->idle);
        pthread_mutex_unlock(&p->mu);
    }
}

int pool_start(struct pool *p)
{
    for (p->n = 0; p->n < 8; p->n++)
        if (pthread_create(&p->threads[p->n], NULL, pool_thread, p) != 0)
            return -1;
    return 0;
}

int pool_submit(struct pool *p, task_fn fn, void *arg)
{
    struct task *t = malloc(sizeof *t);
    if (!t)
        return -1;
    t->fn = fn;
    t->arg = arg;
    t->next = NULL;
    pthread_mutex_lock(&p->mu);
    if (p->last)
        p->last->next = t;
    else
        p->first = t;
    p->last = t;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->mu);
    return 0;
}

void pool_wait(struct pool *p)
{
    pthread_mutex_lock(&p->mu);
    while (p->first || p->busy)
        pthread_cond_wait(&p->idle, &p->mu);
    pthread_mutex_unlock(&p->mu);
}

struct sum {
    const int *from;
    int n;
    long result;
};

static void add(void *arg)
{
    struct sum *s = arg;
    for (int i = 0; i < s->n; i++)
        s->result += s->from[i];
}

long sum_and_wait(struct pool *p, const int *numbers, int n)
{
    struct sum s = {numbers, n, 0};
    if (pool_submit(p, add, &s) != 0) // no diagnostic: the pool is waited for
        return -1;
    pool_wait(p);
    return s.result;
}

long sum_and_leave(struct pool *p, const int *numbers, int n)
{
    struct sum s = {numbers, n, 0};
    if (pool_submit(p, add, &s) != 0) // expected-warning {{local 's' may die while the other thread still uses it [aglet-stack-escape]}} expected-warning {{'s.result' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    return s.result;
}

struct message {
    int to;
    char text[40];
};

static void deliver(void *arg)
{
    struct message *m = arg;
    m->text[0] = 0;
    free(m);
}

int send_message(struct pool *p, int to)
{
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    m->to = to;
    if (pool_submit(p, deliver, m) != 0) {
        free(m); // no diagnostic: it was not put
        return -1;
    }
    return to; // no diagnostic: the task frees it
}

int send_and_free(struct pool *p, int to)
{
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    m->to = to;
    int failed = pool_submit(p, deliver, m);
    free(m); // expected-warning {{'m' is freed after it was given to another thread [aglet-use-after-send]}}
    return failed;
}

static int shared_count;
static void count(void *arg)
{
    (void)arg;
    shared_count++;
}

int count_it(struct pool *p)
{
    return pool_submit(p, count, NULL); // no diagnostic: nothing is handed over
}

/* The ring by value that many copy. */
struct ring_pool {
    pthread_mutex_t lock;
    pthread_cond_t notify;
    pthread_t *threads;
    struct ring_task {
        void (*function)(void *);
        void *argument;
    } *queue;
    int queue_size, head, tail, count;
};

int ring_pool_add(struct ring_pool *pool, void (*function)(void *), void *argument)
{
    int err = 0;
    if (!pool || !function)
        return -2;
    if (pthread_mutex_lock(&pool->lock) != 0)
        return -3;
    int next = (pool->tail + 1) % pool->queue_size;
    do {
        if (pool->count == pool->queue_size) {
            err = -4;
            break;
        }
        pool->queue[pool->tail].function = function;
        pool->queue[pool->tail].argument = argument;
        pool->tail = next;
        pool->count += 1;
        if (pthread_cond_signal(&pool->notify) != 0) {
            err = -3;
            break;
        }
    } while (0);
    if (pthread_mutex_unlock(&pool->lock) != 0)
        err = -3;
    return err;
}

static void *ring_pool_thread(void *arg)
{
    struct ring_pool *pool = arg;
    struct ring_task task;
    for (;;) {
        pthread_mutex_lock(&pool->lock);
        while (pool->count == 0)
            pthread_cond_wait(&pool->notify, &pool->lock);
        task.function = pool->queue[pool->head].function;
        task.argument = pool->queue[pool->head].argument;
        pool->head = (pool->head + 1) % pool->queue_size;
        pool->count -= 1;
        pthread_mutex_unlock(&pool->lock);
        (*(task.function))(task.argument);
    }
    return NULL;
}

int ring_pool_start(struct ring_pool *pool, int n)
{
    for (int i = 0; i < n; i++)
        if (pthread_create(&pool->threads[i], NULL, ring_pool_thread, pool) != 0)
            return -1;
    return 0;
}

int ring_and_free(struct ring_pool *pool)
{
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    ring_pool_add(pool, deliver, m);
    free(m); // expected-warning {{'m' is freed after it was given to another thread [aglet-use-after-send]}}
    return 0;
}

int ring_and_leave(struct ring_pool *pool)
{
    struct sum s = {0};
    ring_pool_add(pool, add, &s); // expected-warning {{local 's' may die while the other thread still uses it [aglet-stack-escape]}}
    return 0;
}

int ring_and_go(struct ring_pool *pool)
{
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return -1;
    m->to = 1;
    return ring_pool_add(pool, deliver, m); // no diagnostic: not touched again
}
