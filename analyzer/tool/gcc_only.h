/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Options that gcc takes and Clang refuses, and that change nothing of what a program means: dropped when gcc's makefiles meet Clang.
 * Stands on nothing. An option that is not listed is passed on, and Clang says itself what it thinks of it. */
#ifndef AGLET_TOOL_GCC_ONLY_H
#define AGLET_TOOL_GCC_ONLY_H

#include <stdbool.h>

bool is_gcc_only(const char *arg);

#endif
