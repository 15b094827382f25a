/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: the signal comes before the wait, and nothing but the signal says that it came. Finds: lost-wakeup.
 */
#include "form.h"

static lock_type mu = LOCK_INIT;
static cond_type ready = COND_INIT;
static int is_ready;

static void *announce(void *argument) {
    lock(&mu);
    is_ready = 1;
    cond_signal(&ready);
    unlock(&mu);
    return argument;
}

int main(void) {
    thread_type t;
    spawn(&t, announce, NULL);
    usleep(100000);
    lock(&mu);
    if (mended)
        while (!is_ready)
            cond_wait(&ready, &mu);
    else
        cond_wait(&ready, &mu);
    unlock(&mu);
    join(&t);
    return 0;
}
