/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The helpers, in another file than their callers. Stands on pthreads. */
#include "queue.h"
#include <pthread.h>

struct owner {
    pthread_mutex_t mu;
};

void owner_lock(struct owner *o) {
    pthread_mutex_lock(&o->mu); // no diagnostic: a wrapper
}

void owner_unlock(struct owner *o) {
    pthread_mutex_unlock(&o->mu); // no diagnostic: a wrapper
}

int queue_length(struct queue *q) {
    return q->length; // no diagnostic: its callers are in this program
}

static void *work(void *argument) {
    struct queue *q = argument;
    owner_lock(q->owner);
    q->length++; // no diagnostic: held
    owner_unlock(q->owner);
    return NULL;
}

void queue_start(struct queue *q) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, q) == 0)
        pthread_detach(thread);
}
