/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: one drop too many of a reference-counted object. Finds: arc-count. Only with Aglet's API. */
#include "form.h"

int main(void) {
    long *value = aglet_arc_new(sizeof *value, NULL);
    aglet_arc_drop(value);
    if (!mended)
        aglet_arc_drop(value);
    return 0;
}
