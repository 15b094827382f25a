/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: an early return leaves a lock held that the thread never gives. Finds: thread-exit-held. */
#include "form.h"

static lock_type mu = LOCK_INIT;

#ifdef FORM_AGLET
static int put(int full) {
#ifdef MENDED
    AGLET_GUARD(&mu);
#else
    aglet_guard guard = aglet_guard_lock(&mu); /* not a scope guard: nothing releases it */
#endif
    if (full)
        return -1;
#ifndef MENDED
    aglet_guard_release(&guard);
#endif
    return 0;
}
#else
static int put(int full) {
    lock(&mu);
    if (full) {
        if (mended)
            unlock(&mu);
        return -1;
    }
    unlock(&mu);
    return 0;
}
#endif

static void *work(void *argument) {
    (void)argument;
    put(1);
    return NULL;
}

int main(void) {
    run(work, NULL);
    return 0;
}
