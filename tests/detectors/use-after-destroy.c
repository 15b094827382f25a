/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a lock is taken after it was destroyed. Finds: uninitialised-lock. */
#include "form.h"

int main(void) {
    static lock_type mu;
    lock_init(&mu);
    lock_destroy(&mu);
    if (mended)
        lock_init(&mu);
    lock(&mu);
    unlock(&mu);
    return 0;
}
