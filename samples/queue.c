/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A bounded queue with nothing annotated: what the checker finds in code that never heard of it.
 * Stands on pthreads alone.
 *
 * Lint   cond-wait lock-leak
 * Run    alone exits 0
 * Prints  sum 5050 */
#include <pthread.h>
#include <stdio.h>

enum { SIZE = 4, ITEMS = 100 };

struct queue {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int items[SIZE];
    int head, length, closed;
};

static struct queue queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, 0, 0, 0};

/* Wrong: on a closed queue it returns with the lock held. */
static int queue_put(struct queue *q, int item) {
    pthread_mutex_lock(&q->mu);
    while (q->length == SIZE && !q->closed)
        pthread_cond_wait(&q->changed, &q->mu);
    if (q->closed)
        return -1;
    q->items[(q->head + q->length++) % SIZE] = item;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mu);
    return 0;
}

/* Wrong: a wait may end with the queue still empty, and then there is nothing to take. */
static int queue_take(struct queue *q) {
    int item;
    pthread_mutex_lock(&q->mu);
    if (q->length == 0)
        pthread_cond_wait(&q->changed, &q->mu);
    item = q->items[q->head];
    q->head = (q->head + 1) % SIZE;
    q->length--;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mu);
    return item;
}

static void queue_close(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    q->closed = 1;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mu);
}

static void *produce(void *argument) {
    for (int i = 1; i <= ITEMS; i++)
        queue_put(argument, i);
    queue_close(argument);
    return NULL;
}

int main(void) {
    pthread_t thread;
    int sum = 0;
    if (pthread_create(&thread, NULL, produce, &queue) != 0)
        return 1;
    for (int i = 1; i <= ITEMS; i++)
        sum += queue_take(&queue);
    pthread_join(thread, NULL);
    printf("sum %d\n", sum);
    return 0;
}
