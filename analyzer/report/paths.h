/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Paths as outputs name them.
 * Stands on nothing. */
#ifndef AGLET_REPORT_PATHS_H
#define AGLET_REPORT_PATHS_H

/* `path` without `directory` and its slash when it lies below it; else `path`. A NULL directory holds nothing. */
const char *path_below(const char *directory, const char *path);

#endif
