/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a thread is spawned in a scope that has ended, so nobody would join it. Finds: unjoined. Only with Aglet's
 * API. */
#include "form.h"

static void *work(void *argument) {
    return argument;
}

int main(void) {
    aglet_scope scope;
    aglet_scope_begin(&scope);
    if (!mended)
        (void)aglet_scope_end(&scope);
    (void)aglet_scope_spawn(&scope, work, NULL);
    (void)aglet_scope_end(&scope);
    return 0;
}
