/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The program. */
#include "locks.h"
pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;

int main(void) {
    pthread_t t, u;
    pthread_create(&t, NULL, one, NULL);
    pthread_create(&u, NULL, two, NULL);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}
