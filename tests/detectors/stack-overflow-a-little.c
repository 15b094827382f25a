/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task needs some more than the stack that was asked for, less than the checked library adds for its
 * reports. Finds: stack-overflow. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

enum { ASKED = 64 * 1024 };

static int recurse(int depth) {
    volatile char room[1024];
    memset((char *)(uintptr_t)room, depth, sizeof room);
    return depth == 0 ? room[0] : recurse(depth - 1) + room[1];
}

static void *work(void *argument) {
    (void)argument;
    return (void *)(intptr_t)recurse(mended ? ASKED / 2048 : ASKED / 1024 + 20);
}

int main(void) {
    return aglet_run(&(struct aglet_executor_options){.stack_size = ASKED}, work, NULL, NULL);
}
