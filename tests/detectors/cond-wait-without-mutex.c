/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a condition is waited for with a mutex that the thread does not hold. Finds: cond-wait. */
#include "form.h"

static lock_type mu = LOCK_INIT;
static cond_type changed = COND_INIT;

int main(void) {
    if (mended)
        lock(&mu);
    (void)cond_wait_ms(&changed, &mu, 10);
    if (mended)
        unlock(&mu);
    return 0;
}
