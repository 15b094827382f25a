/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The timers. */
#include "timer.h"

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct timer *first;

void timers_add_locked(struct timer *t) {
    t->next = first;
    first = t;
}
void timers_add(struct timer *t) {
    pthread_mutex_lock(&mu);
    timers_add_locked(t);
    pthread_mutex_unlock(&mu);
}
void timers_run(void) {
    pthread_mutex_lock(&mu);
    for (struct timer *t = first; t; t = t->next)
        t->fire(t); // no diagnostic: callbacks add with the lock held
    pthread_mutex_unlock(&mu);
}
