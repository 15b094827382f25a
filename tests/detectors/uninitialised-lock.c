/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a lock in memory that holds something else is taken, never initialised. Finds: uninitialised-lock.
 */
#include "form.h"

int main(void) {
    lock_type *mu = malloc(sizeof *mu);
    memset(mu, 0x5b, sizeof *mu);
    if (mended)
        lock_init(mu);
    lock(mu);
    unlock(mu);
    lock_destroy(mu);
    free(mu);
    return 0;
}
