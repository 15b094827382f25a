/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a lock is held through a sleep. Finds: long-hold, with max_hold_ms=50. */
#include "form.h"

static lock_type mu = LOCK_INIT;

int main(void) {
    lock(&mu);
    if (mended)
        unlock(&mu);
    usleep(150000);
    if (!mended)
        unlock(&mu);
    return 0;
}
