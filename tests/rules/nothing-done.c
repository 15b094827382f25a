/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A function that does nothing, and is the first one solved: nothing was evaluated yet. */
#include <aglet/annotations.h>

void idle(void) AGLET_NO_BLOCK;
// expected-no-diagnostics
void idle(void) {}
