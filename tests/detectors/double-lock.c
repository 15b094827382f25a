/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a function that holds the lock calls another that takes it. Finds: double-lock. */
#include "form.h"

static lock_type mu = LOCK_INIT;
static int total;

static void add(int n) {
    lock(&mu);
    total += n;
    unlock(&mu);
}

int main(void) {
    lock(&mu);
    if (mended)
        unlock(&mu);
    add(1);
    if (!mended)
        unlock(&mu);
    return 0;
}
