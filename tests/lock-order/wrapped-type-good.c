/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* All locks of the program are of a type of its own, which holds the mutex: a queue's and a log's are two all the same. */
#include <pthread.h>
#include <stdlib.h>

struct my_mutex {
    pthread_mutex_t native;
};
static void my_lock(struct my_mutex *m) {
    pthread_mutex_lock(&m->native);
}
static void my_unlock(struct my_mutex *m) {
    pthread_mutex_unlock(&m->native);
}

struct queue {
    struct my_mutex mu;
    int n;
};
struct log {
    struct my_mutex mu;
    int lines;
};
struct server {
    struct queue *queue;
    struct log *log;
};

static void put(struct server *s) {
    my_lock(&s->queue->mu);
    my_lock(&s->log->mu); // no diagnostic: the queue before the log, everywhere
    s->log->lines += s->queue->n++;
    my_unlock(&s->log->mu);
    my_unlock(&s->queue->mu);
}
static void *rotate(void *arg) {
    struct server *s = arg;
    my_lock(&s->queue->mu);
    my_lock(&s->log->mu);
    s->log->lines = s->queue->n;
    my_unlock(&s->log->mu);
    my_unlock(&s->queue->mu);
    return NULL;
}

int main(void) {
    pthread_t t;
    struct server *s = calloc(1, sizeof *s);
    if (!s || !(s->queue = calloc(1, sizeof *s->queue)) || !(s->log = calloc(1, sizeof *s->log)))
        return 1;
    pthread_mutex_init(&s->queue->mu.native, NULL);
    pthread_mutex_init(&s->log->mu.native, NULL);
    if (pthread_create(&t, NULL, rotate, s))
        return 1;
    put(s);
    return pthread_join(t, NULL);
}
