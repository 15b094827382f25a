/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: one unlock too many on a path. Finds: unlock-unheld. */
#include "form.h"

static lock_type mu = LOCK_INIT;

int main(void) {
    lock(&mu);
    unlock(&mu);
    if (!mended)
        unlock(&mu);
    lock(&mu);
    unlock(&mu);
    return 0;
}
