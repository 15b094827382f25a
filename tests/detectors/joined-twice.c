/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread is joined a second time. Finds: unjoined. */
#include "form.h"

static void *work(void *argument) {
    return argument;
}

int main(void) {
    thread_type t;
    spawn(&t, work, NULL);
    thread_type copy = t;
    join(&t);
    if (!mended)
        join(&copy);
    return 0;
}
