/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Paths as outputs name them.
 * Stands on nothing. */
#include "paths.h"
#include <string.h>

const char *path_below(const char *directory, const char *path) {
    size_t n = directory ? strlen(directory) : 0;
    while (n > 1 && directory[n - 1] == '/')
        n--;
    if (!n || strncmp(path, directory, n) != 0)
        return path;
    if (n == 1 && path[1]) /* the root directory */
        return path + 1;
    return path[n] == '/' && path[n + 1] ? path + n + 1 : path;
}
