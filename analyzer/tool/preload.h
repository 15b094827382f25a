/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Will the system load a library into a program that it was not linked with (LD_PRELOAD)? Stands on nothing. */
#ifndef AGLET_TOOL_PRELOAD_H
#define AGLET_TOOL_PRELOAD_H

/* `program` is a path, or a name that is looked for in PATH.
 *
 * Returns  why not, as a sentence's second half; NULL when it will, or when nothing speaks against it (no such program, a
 *          script).
 * Ensures  *first is the sanitizer's library that the program was linked with and that must be loaded before all others,
 *          malloc'd, or NULL. */
const char *preload_refused(const char *program, char **first);

#endif
