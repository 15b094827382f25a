/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The one function of this library that is called on purpose: the checked runtime, where it finds itself
 * under `aglet run`, asks it about the plain pthread locks that a task holds when it may be suspended. Stands
 * on check.h. */
#include "check.h"

__attribute__((visibility("default"))) unsigned aglet_preload_check_yield_(const void *caller);

unsigned aglet_preload_check_yield_(const void *caller) {
    return check_yield(caller);
}
