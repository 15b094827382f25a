/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One edge: a before c. */
#include "locks.h"

void *three(void *arg) {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&c);
    pthread_mutex_unlock(&c);
    pthread_mutex_unlock(&a);
    return arg;
}
