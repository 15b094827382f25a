/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a function that needs the lock is called without it. Finds: requires. Only with Aglet's API. */
#include "form.h"

static lock_type mu = LOCK_INIT;
static long total AGLET_GUARDED_BY(mu);

static void add(long n) AGLET_REQUIRES(mu);
static void add(long n) {
    aglet_assert_held(&mu);
    total += n;
}

int main(void) {
    lock(&mu);
    if (!mended)
        unlock(&mu);
    add(1);
    if (mended)
        unlock(&mu);
    return 0;
}
