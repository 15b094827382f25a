/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread ends with the lock that another waits for; nobody else will give it. Finds: deadlock. */
#include "form.h"

static lock_type mu = LOCK_INIT;
static _Atomic int arrived;

static void *work(void *argument) {
    lock(&mu);
    atomic_store(&arrived, 1);
    usleep(50000);
    if (mended)
        unlock(&mu);
    return argument;
}

int main(void) {
    thread_type t;
    spawn(&t, work, NULL);
    while (atomic_load(&arrived) == 0)
        usleep(1000);
    lock(&mu);
    unlock(&mu);
    join(&t);
    return 0;
}
