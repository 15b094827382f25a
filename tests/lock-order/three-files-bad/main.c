/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The program. */
#include "locks.h"

int main(void) {
    pthread_t t, u, v;
    pthread_create(&t, NULL, one, NULL);
    pthread_create(&u, NULL, two, NULL);
    pthread_create(&v, NULL, three, NULL);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    pthread_join(v, NULL);
    return 0;
}
