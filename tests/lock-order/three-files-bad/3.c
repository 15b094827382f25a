/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One edge: c before a. */
#include "locks.h"

void *three(void *arg) {
    pthread_mutex_lock(&c);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&c);
    return arg;
}
