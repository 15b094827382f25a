/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task sleeps with a thread lock held. Finds: lock-across-yield. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static aglet_mutex mu;

static void *work(void *argument) {
    aglet_mutex_lock(&mu);
    if (mended)
        aglet_mutex_unlock(&mu);
    (void)aglet_sleep_ms(1);
    if (!mended)
        aglet_mutex_unlock(&mu);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
