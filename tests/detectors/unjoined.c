/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread has ended, and nobody joined or detached it. Finds: unjoined. */
#include "form.h"

static _Atomic int here;

static void *work(void *argument) {
    atomic_store(&here, 1);
    return argument;
}

int main(void) {
    thread_type t;
    spawn(&t, work, NULL);
    while (atomic_load(&here) == 0)
        usleep(1000);
    usleep(100000);
    if (mended)
        join(&t);
    return 0;
}
