/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread gives a lock that another one holds. Finds: unlock-unheld. */
#include "form.h"

static lock_type mu = LOCK_INIT;

static void *give(void *argument) {
    (void)argument;
    if (mended)
        lock(&mu);
    unlock(&mu);
    return NULL;
}

int main(void) {
    lock(&mu);
    if (mended)
        unlock(&mu);
    run(give, NULL);
    return 0;
}
