/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A queue whose items are put and taken by helpers that are called with its lock held. */
#include <pthread.h>
#include <stdlib.h>

struct task {
    struct task *next;
    int id;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct task *head;
};

static struct task *take(struct pool *p) {
    struct task *t = p->head;
    if (t)
        p->head = t->next;
    return t;
}

static void *work(void *arg) {
    struct pool *p = arg;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        while (!p->head)
            pthread_cond_wait(&p->more, &p->lock);
        struct task *t = take(p);
        pthread_mutex_unlock(&p->lock);
        free(t);
    }
    return NULL;
}

int start(struct pool *p, pthread_t *thread) {
    return pthread_create(thread, NULL, work, p);
}

int put_and_read(struct pool *p, int id) {
    struct task *t = malloc(sizeof *t);
    if (!t)
        return -1;
    t->id = id;
    pthread_mutex_lock(&p->lock);
    t->next = p->head;
    p->head = t;
    pthread_cond_signal(&p->more);
    pthread_mutex_unlock(&p->lock);
    return t->id; // expected-warning {{'t->id' is read after it was given to another thread [aglet-use-after-send]}}
}

int put(struct pool *p, int id) {
    struct task *t = malloc(sizeof *t);
    if (!t)
        return -1;
    t->id = id;
    pthread_mutex_lock(&p->lock);
    t->next = p->head;
    p->head = t;
    pthread_cond_signal(&p->more);
    pthread_mutex_unlock(&p->lock);
    return id; // no diagnostic: the number it was made with
}
