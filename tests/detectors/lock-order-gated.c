/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: opposite orders, one of them without the outer lock that makes it harmless. Finds: lock-order. The
 * twin takes the outer lock both times, and no deadlock is possible. */
#include "form.h"

static lock_type outer = LOCK_INIT, a = LOCK_INIT, b = LOCK_INIT;

static void *a_then_b(void *argument) {
    lock(&outer);
    lock(&a);
    lock(&b);
    unlock(&b);
    unlock(&a);
    unlock(&outer);
    return argument;
}

static void *b_then_a(void *argument) {
    if (mended)
        lock(&outer);
    lock(&b);
    lock(&a);
    unlock(&a);
    unlock(&b);
    if (mended)
        unlock(&outer);
    return argument;
}

int main(void) {
    run(a_then_b, NULL);
    run(b_then_a, NULL);
    return 0;
}
