/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Levenshtein's distance with one row (Wagner and Fischer, The string-to-string correction problem, JACM 1974). */
#include "edits.h"
#include <string.h>

size_t edits_between(const char *a, size_t n, const char *b) {
    size_t m = strlen(b), row[EDITS_MANY];
    if (n >= EDITS_MANY || m >= EDITS_MANY)
        return EDITS_MANY;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[m];
}
