/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread waits with a deadline for the lock it holds; the program goes on, late and without the
 * lock. Finds: double-lock. */
#include "form.h"

static lock_type mu = LOCK_INIT;
static int total;

static void add(int n) {
    if (lock_ms(&mu, 50) != 0)
        return;
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
