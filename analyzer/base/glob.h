/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Does a path match a pattern as .gitignore writes them? For excludes and per-path settings.
 * Stands on nothing. */
#ifndef AGLET_BASE_GLOB_H
#define AGLET_BASE_GLOB_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `*` and `?` match within one component, `**` over any number of them, `[a-z]` one character. A pattern without a slash
 * matches a component at any depth; one with a slash is relative to the root of `path`. A pattern that matches a
 * directory matches all below it. `path` is relative, or absolute when the pattern begins with a slash.
 * Cost  length of pattern times length of path at worst, for each `**`. */
bool glob_match(const char *pattern, const char *path);

#ifdef __cplusplus
}
#endif
#endif
