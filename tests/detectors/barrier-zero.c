/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a barrier that was not initialised lets everybody through. Finds: uninitialised-lock. Only with Aglet's API. */
#include "form.h"
#include "aglet/barrier.h"

static aglet_barrier both_here;

static void *work(void *argument) {
    aglet_barrier_wait(&both_here);
    return argument;
}

int main(void) {
    thread_type t;
    if (mended)
        aglet_barrier_init(&both_here, 2);
    spawn(&t, work, NULL);
    aglet_barrier_wait(&both_here);
    join(&t);
    return 0;
}
