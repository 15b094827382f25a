/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: two threads take two locks in opposite orders; this time nothing happens. Finds: lock-order. */
#include "form.h"

static lock_type a = LOCK_INIT, b = LOCK_INIT;

static void *a_then_b(void *argument) {
    lock(&a);
    lock(&b);
    unlock(&b);
    unlock(&a);
    return argument;
}

static void *b_then_a(void *argument) {
    lock(&b);
    lock(&a);
    unlock(&a);
    unlock(&b);
    return argument;
}

int main(void) {
    run(a_then_b, NULL);
    run(mended ? a_then_b : b_then_a, NULL);
    return 0;
}
