/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread is joined by the one that holds the lock it needs. Finds: deadlock. */
#include "form.h"

static lock_type mu = LOCK_INIT;
static _Atomic int here;

static void *work(void *argument) {
    meet(&here, 2);
    lock(&mu);
    unlock(&mu);
    return argument;
}

int main(void) {
    thread_type t;
    spawn(&t, work, NULL);
    lock(&mu);
    meet(&here, 2);
    if (mended)
        unlock(&mu);
    join(&t);
    if (!mended)
        unlock(&mu);
    return 0;
}
