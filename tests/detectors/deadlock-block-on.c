/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: main holds a mutex while it runs a task that takes it. Finds: deadlock. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static lock_type guard = LOCK_INIT;
static int counter;

static void *count(void *argument) {
    lock(&guard);
    counter++;
    unlock(&guard);
    return argument;
}

int main(void) {
    lock(&guard);
    counter = 1;
    if (mended)
        unlock(&guard);
    int error = aglet_run(NULL, count, NULL, NULL);
    if (!mended)
        unlock(&guard);
    return error;
}
