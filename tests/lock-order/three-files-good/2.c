/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One edge: b before c. */
#include "locks.h"

void *two(void *arg) {
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&c);
    pthread_mutex_unlock(&c);
    pthread_mutex_unlock(&b);
    return arg;
}
