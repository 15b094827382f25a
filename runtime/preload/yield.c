/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What of this library is called on purpose: the checked runtime, where it finds itself under `aglet run`,
 * tells it which task runs, and asks it about the plain pthread locks that a task holds when it may be
 * suspended. Stands on check.h. */
#include "check.h"

__attribute__((visibility("default"))) unsigned aglet_preload_check_yield_(const void *caller);

__attribute__((visibility("default"))) void aglet_preload_runs_(uint64_t task);

unsigned aglet_preload_check_yield_(const void *caller) {
    return check_yield(caller);
}

void aglet_preload_runs_(uint64_t task) {
    check_runs(task, 0);
}
