/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a lock is destroyed while it is held. Finds: destroy-held. */
#include "form.h"

int main(void) {
    lock_type mu;
    lock_init(&mu);
    lock(&mu);
    if (mended)
        unlock(&mu);
    lock_destroy(&mu);
    return 0;
}
