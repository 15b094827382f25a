/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Ten findings about hand-offs, whose whole words are compared: handoffs.txt. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>

struct name {
    int refs AGLET_REFCOUNT;
};
struct conn {
    struct name *name;
};
struct job {
    struct conn conn;
    long count;
};
struct request {
    char *url;
};
struct AGLET_GUARD_TYPE guard {
    pthread_mutex_t *mu;
};
struct AGLET_SYNC promise {
    long naked;
};
struct counter {
    struct {
        long hits;
    } stats;
};
struct queue;
void queue_put(struct queue *q, struct counter *AGLET_SENDING c);

static void *count(void *arg) {
    struct counter *c = arg;
    c->stats.hits++;
    return NULL;
}

static void *release(void *arg) {
    struct name *n = arg;
    n->refs--;
    return NULL;
}

static void *finish(void *arg) {
    struct counter *c = arg;
    c->stats.hits++;
    free(c);
    return NULL;
}

static void *work(void *arg) {
    struct job *job = arg;
    return job->count ? arg : NULL;
}

static void *unlock(void *arg) {
    struct guard *g = arg;
    return g->mu;
}

int reference_stays(struct name *n, pthread_t *t) {
    int failed = pthread_create(t, NULL, release, n);
    n->refs--;
    return failed;
}

int member_is_not_send(struct job *job, pthread_t *t) {
    return pthread_create(t, NULL, work, job);
}

int held_guard(struct guard *g, pthread_t *t) {
    return pthread_create(t, NULL, unlock, g);
}

int both_use_it(struct counter *c, pthread_t *t) {
    int failed = pthread_create(t, NULL, count, c);
    c->stats.hits = 0;
    return failed;
}

int one_for_all(struct counter *c, pthread_t *t) {
    int failed = 0;
    for (int i = 0; i < 4; i++)
        failed |= pthread_create(&t[i], NULL, count, c);
    return failed;
}

long sent_away(struct queue *q, struct counter *c) {
    queue_put(q, c);
    return c->stats.hits;
}

int freed_twice(struct counter *c, pthread_t *t) {
    int failed = pthread_create(t, NULL, finish, c);
    free(c);
    return failed;
}

int dies_too_early(pthread_t *t) {
    struct counter c = {{0}};
    return pthread_create(t, NULL, count, &c);
}

int another_type(struct request *r, pthread_t *t) {
    return pthread_create(t, NULL, work, r);
}

int forgotten(void) {
    pthread_t t;
    return pthread_create(&t, NULL, count, NULL);
}
