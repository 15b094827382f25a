/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task holds a mutex while a parallel loop runs, for whose end it gives up its worker. Finds: lock-across-yield.
 * Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"
#include "aglet/pool.h"

enum { NUMBERS = 1000 };

static lock_type guard = LOCK_INIT;
static int numbers[NUMBERS];

static void fill(void *to, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++)
        ((int *)to)[i] = (int)i;
}

static void *work(void *argument) {
    lock(&guard);
    if (mended)
        unlock(&guard);
    aglet_parallel_for(NULL, 0, NUMBERS, 10, fill, numbers);
    if (!mended)
        unlock(&guard);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
