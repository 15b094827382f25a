/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task joins itself. Finds: deadlock. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static aglet_task *child;

static void *work(void *argument) {
    (void)aglet_join(child, NULL);
    return argument;
}

static void *idle(void *argument) {
    return argument;
}

static void *parent(void *argument) {
    if (mended) {
        aglet_task *joiner;
        if (aglet_spawn(&child, idle, NULL) || aglet_spawn(&joiner, work, NULL))
            return NULL;
        (void)aglet_join(joiner, NULL);
    } else {
        if (aglet_spawn_local(&child, work, NULL))
            return NULL;
        (void)aglet_join(child, NULL);
    }
    return argument;
}

int main(void) {
    return aglet_run(NULL, parent, NULL, NULL);
}
