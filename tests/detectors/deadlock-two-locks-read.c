/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: each of two readers of two read-write locks wants to write the other's. Finds: deadlock. */
#include "form.h"

static rw_type a = RW_INIT, b = RW_INIT;
static _Atomic int here;

static void cross(rw_type *mine, rw_type *other) {
    rw_read(mine);
    meet(&here, 2);
    if (mended)
        rw_read_unlock(mine);
    rw_write(other);
    rw_write_unlock(other);
    if (!mended)
        rw_read_unlock(mine);
}

static void *work(void *argument) {
    cross(&b, &a);
    return argument;
}

int main(void) {
    thread_type t;
    spawn(&t, work, NULL);
    cross(&a, &b);
    join(&t);
    return 0;
}
