/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread ends the scope that it was spawned in, and would wait for itself. Finds: deadlock. Only with Aglet's
 * API. */
#include "form.h"

static aglet_scope scope;

static void *work(void *argument) {
    usleep(20000);
    if (!mended)
        (void)aglet_scope_end(&scope);
    return argument;
}

int main(void) {
    aglet_scope_begin(&scope);
    (void)aglet_scope_spawn(&scope, work, NULL);
    usleep(100000);
    (void)aglet_scope_end(&scope);
    return 0;
}
