/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock reached by a member that the loop round it writes: what is given back is what was taken, in each turn.
 * Stands on pthreads. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* The statement or block behind it runs once, with the lock held. */
#define SYNC(mutex)                                                                                          \
    for (unsigned i = 0; i ? (pthread_mutex_unlock(&(mutex)), 0) : (pthread_mutex_lock(&(mutex)), 1); i = 1) \
        for (unsigned j = 0; !j; j = 1)

struct worker {
    pthread_mutex_t mu;
    int state;
};
struct coder {
    pthread_mutex_t mu;
    struct worker *workers, *now;
    int n, error;
};
int more(struct coder *c);

int encode(struct coder *c, int *at, int size);
int encode(struct coder *c, int *at, int size) {
    while (*at < size) {
        bool failed = false;
        if (c->now == NULL) {
            const int ret = more(c);
            if (c->now == NULL)
                return ret;
        }
        SYNC(c->now->mu) {
            if (c->now->state == 0)
                failed = true;
        }
        if (failed) {
            int ret;
            SYNC(c->mu) { // no diagnostic: the worker's lock was given back
                ret = c->error;
            }
            return ret;
        }
        c->now = NULL;
    }
    return 0;
}

int progress(struct coder *c);
int progress(struct coder *c) {
    int n = 0;
    SYNC(c->mu) {
        for (int k = 0; k < c->n; k++)
            SYNC(c->workers[k].mu) { // no diagnostic
                n += c->workers[k].state;
            }
    }
    return n;
}

int encode_and_leak(struct coder *c, int *at, int size);
int encode_and_leak(struct coder *c, int *at, int size) {
    while (*at < size) {
        if (c->now == NULL && more(c))
            return 1;
        SYNC(c->now->mu) {
            if (c->now->state == 0)
                return 2; // expected-warning {{[aglet-lock-leak]}}
        }
        c->now = NULL;
    }
    return 0;
}
