/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread ends and still holds a lock. Finds: thread-exit-held. */
#include "form.h"

static lock_type mu = LOCK_INIT;

static void *work(void *argument) {
    lock(&mu);
    if (argument != NULL)
        return NULL;
    unlock(&mu);
    return NULL;
}

int main(void) {
    run(work, mended ? NULL : (void *)&mu);
    return 0;
}
