/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: two threads hold one lock each and wait for the other's. Finds: deadlock, before anybody hangs. */
#include "form.h"

static lock_type a = LOCK_INIT, b = LOCK_INIT;
static _Atomic int here;

static void *other(void *argument) {
    lock(mended ? &a : &b);
    if (!mended)
        meet(&here, 2);
    lock(mended ? &b : &a);
    unlock(&a);
    unlock(&b);
    return argument;
}

int main(void) {
    thread_type t;
    spawn(&t, other, NULL);
    lock(&a);
    if (!mended)
        meet(&here, 2);
    lock(&b);
    unlock(&b);
    unlock(&a);
    join(&t);
    return 0;
}
