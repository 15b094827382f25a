/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A queue between threads, with a condition. */
#include "shop.h"

struct box orders = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0, false};

static bool is_empty(const struct box *b) {
    return !b->head;
}

void box_put(struct box *b, struct item *i) {
    pthread_mutex_lock(&b->mu);
    i->next = b->head;
    b->head = i;
    if (b->waiting)
        pthread_cond_signal(&b->some);
    pthread_mutex_unlock(&b->mu);
}

struct item *box_take(struct box *b) {
    struct item *i;
    pthread_mutex_lock(&b->mu);
    b->waiting++;
    while (is_empty(b) && !b->closed)
        pthread_cond_wait(&b->some, &b->mu);
    b->waiting--;
    i = b->head;
    if (i)
        b->head = i->next;
    pthread_mutex_unlock(&b->mu);
    return i;
}

void box_close(struct box *b) {
    pthread_mutex_lock(&b->mu);
    b->closed = true;
    pthread_cond_broadcast(&b->some);
    pthread_mutex_unlock(&b->mu);
}
