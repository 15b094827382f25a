/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The queue of queue.c with its two mistakes mended and its fields annotated: the checker has nothing to say, and
 * would say so if a field were touched without the lock. Stands on pthreads and the annotations.
 *
 * Lint   quiet
 * Run    alone exits 0
 * Prints  sum 5050 */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdio.h>

enum { SIZE = 4 };

struct queue {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int items[SIZE] AGLET_GUARDED_BY(mu);
    int head AGLET_GUARDED_BY(mu);
    int length AGLET_GUARDED_BY(mu);
    int closed AGLET_GUARDED_BY(mu);
};

static struct queue queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, 0, 0, 0};

static int queue_put(struct queue *q, int item) {
    int result = -1;
    pthread_mutex_lock(&q->mu);
    while (q->length == SIZE && !q->closed)
        pthread_cond_wait(&q->changed, &q->mu);
    if (!q->closed) {
        q->items[(q->head + q->length++) % SIZE] = item;
        pthread_cond_broadcast(&q->changed);
        result = 0;
    }
    pthread_mutex_unlock(&q->mu);
    return result;
}

static int queue_take(struct queue *q, int *item) {
    int result = -1;
    pthread_mutex_lock(&q->mu);
    while (q->length == 0 && !q->closed)
        pthread_cond_wait(&q->changed, &q->mu);
    if (q->length > 0) {
        *item = q->items[q->head];
        q->head = (q->head + 1) % SIZE;
        q->length--;
        pthread_cond_broadcast(&q->changed);
        result = 0;
    }
    pthread_mutex_unlock(&q->mu);
    return result;
}

static void queue_close(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    q->closed = 1;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mu);
}

static void *produce(void *argument) {
    for (int i = 1; i <= 100; i++)
        queue_put(argument, i);
    queue_close(argument);
    return NULL;
}

int main(void) {
    pthread_t thread;
    int item, sum = 0;
    if (pthread_create(&thread, NULL, produce, &queue) != 0)
        return 1;
    while (queue_take(&queue, &item) == 0)
        sum += item;
    pthread_join(thread, NULL);
    printf("sum %d\n", sum);
    return sum == 5050 ? 0 : 1;
}
