/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Members of what a `void *` leads to are named by the variable that has its type. Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>

struct pool {
    pthread_mutex_t mu;
    int stop AGLET_GUARDED_BY(mu);
};

void *worker(void *argument);
void *worker(void *argument) {
    struct pool *p = argument;
    while (!p->stop) // expected-warning {{'p->stop' is read without 'p->mu' held [aglet-guarded-by]}}
        ;
    pthread_mutex_lock(&p->mu);
    if (p->stop == 2)
        return NULL; // expected-warning {{'p->mu' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&p->mu);
    return NULL;
}
void *by_cast(void *argument);
void *by_cast(void *argument) {
    ((struct pool *)argument)->stop = 1; // expected-warning {{'argument->stop' is written without 'argument->mu' held [aglet-guarded-by]}}
    return NULL;
}
void *two(void *argument, struct pool *other);
void *two(void *argument, struct pool *other) {
    struct pool *p = argument;
    p->stop = 1; // expected-warning {{'argument->stop' is written without 'argument->mu' held [aglet-guarded-by]}}
    p = other;   // the name stands for two by now
    p->stop = 1; // expected-warning {{'other->stop' is written without 'other->mu' held [aglet-guarded-by]}}
    return NULL;
}
