/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: one condition, waited for with two mutexes at one time. Finds: cond-wait. */
#include "form.h"

static lock_type mu = LOCK_INIT, other = LOCK_INIT;
static cond_type changed = COND_INIT;
static _Atomic int here;

static void *wait_with(void *argument) {
    lock_type *m = argument;
    meet(&here, 2);
    lock(m);
    (void)cond_wait_ms(&changed, m, 200);
    unlock(m);
    return NULL;
}

int main(void) {
    thread_type t;
    spawn(&t, wait_with, mended ? &mu : &other);
    wait_with(&mu);
    join(&t);
    return 0;
}
