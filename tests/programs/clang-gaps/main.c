/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The callers: with the lock and without, directly and through an ops table that another file's helper is in.
 * Stands on queue.h; here the guard's type is incomplete. */
#include "queue.h"

static const struct reader reader = {.length = queue_length};
static int last;

static int held(struct queue *q) {
    owner_lock(q->owner);
    int n = queue_length(q) + reader.length(q); // no diagnostic: held
    owner_unlock(q->owner);
    return n;
}

static int bare(struct queue *q) {
    return queue_length(q); // no diagnostic: all its callers are here
}

static int bare_through_table(struct queue *q) {
    return reader.length(q); // no diagnostic: as above
}

static int early(struct queue *q, int limit) {
    owner_lock(q->owner);
    if (q->length > limit)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    owner_unlock(q->owner);
    return 0;
}

int run(struct queue *q);
int run(struct queue *q) {
    queue_start(q);
    last = held(q) + early(q, 3);
    last += bare(q);               // expected-warning {{[aglet-guarded-by]}}
    last += bare_through_table(q); // expected-warning {{[aglet-guarded-by]}}
    return last;
}
