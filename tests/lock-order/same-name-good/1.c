/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock of the same name as in the other file, and the shared one. */
#include "locks.h"

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

void *one(void *arg) {
    pthread_mutex_lock(&mu);
    pthread_mutex_lock(&shared);
    pthread_mutex_unlock(&shared);
    pthread_mutex_unlock(&mu);
    return arg;
}
