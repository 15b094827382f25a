/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a reader takes the lock for writing without giving it first. Finds: deadlock. */
#include "form.h"

static rw_type rw = RW_INIT;

int main(void) {
    rw_read(&rw);
    if (mended)
        rw_read_unlock(&rw);
    rw_write(&rw);
    rw_write_unlock(&rw);
    return 0;
}
