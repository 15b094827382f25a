/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task recurses deeper than its stack is. Finds: stack-overflow. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static int recurse(int depth) {
    volatile char room[1024];
    memset((char *)(uintptr_t)room, depth, sizeof room);
    return depth == 0 ? room[0] : recurse(depth - 1) + room[1];
}

static void *work(void *argument) {
    (void)argument;
    return (void *)(intptr_t)recurse(mended ? 20 : 20000);
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
