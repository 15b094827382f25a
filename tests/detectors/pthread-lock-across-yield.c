/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task sleeps with a plain pthread mutex held; run under `aglet run`. Finds: lock-across-yield.
 * Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

#include <pthread.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *argument) {
    pthread_mutex_lock(&mu);
    if (mended)
        pthread_mutex_unlock(&mu);
    (void)aglet_sleep_ms(1);
    if (!mended)
        pthread_mutex_unlock(&mu);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
