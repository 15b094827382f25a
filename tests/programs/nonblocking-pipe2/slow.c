/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What waits otherwise is said all the same. */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t slow = PTHREAD_MUTEX_INITIALIZER;
void pause_a_little(void);
void pause_a_little(void) {
    pthread_mutex_lock(&slow);
    sleep(1); // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&slow);
}
