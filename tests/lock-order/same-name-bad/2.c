/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Comes back into the other file with the shared lock held. */
#include "locks.h"

void both(void);
void *two(void *arg) {
    pthread_mutex_lock(&shared);
    both();
    pthread_mutex_unlock(&shared);
    return arg;
}
