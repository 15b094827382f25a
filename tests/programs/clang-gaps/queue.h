/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A queue whose guard lies in a type that only queue.c completes. Stands on the annotations. */
#ifndef QUEUE_H
#define QUEUE_H
#include <aglet/annotations.h>

struct owner;
struct queue {
    struct owner *owner;
    int length AGLET_GUARDED_BY(owner->mu);
};

void owner_lock(struct owner *o);
void owner_unlock(struct owner *o);
int queue_length(struct queue *q);
void queue_start(struct queue *q);

struct reader {
    int (*length)(struct queue *q);
};
#endif
