/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: three locks in a circle of orders, pairwise harmless. Finds: lock-order. */
#include "form.h"

static lock_type locks[3] = {LOCK_INIT, LOCK_INIT, LOCK_INIT};

static void *take_two(void *argument) {
    int i = *(int *)argument, next = (i + 1) % 3;
    int first = mended && next < i ? next : i, second = mended && next < i ? i : next;
    lock(&locks[first]);
    lock(&locks[second]);
    unlock(&locks[second]);
    unlock(&locks[first]);
    return NULL;
}

int main(void) {
    for (int i = 0; i < 3; i++)
        run(take_two, &i);
    return 0;
}
