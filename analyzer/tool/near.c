/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The nearest rule id, by Levenshtein's distance. Stands on the tables of rules and pages. */
#include "near.h"
#include "page.h"
#include "rules/rule.h"
#include <string.h>

enum { LONGEST = 40 };

static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[LONGEST + 1];
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
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

const char *near_rule(const char *id)
{
    const char *best = NULL;
    size_t least = strlen(id) / 3 + 1;
    for (const struct rule *const *r = rules_all; *r; r++) {
        size_t d = distance(id, (*r)->id);
        if (d < least)
            least = d, best = (*r)->id;
    }
    for (const struct page *p = pages_all; p->id; p++) {
        size_t d = distance(id, p->id);
        if (d < least)
            least = d, best = p->id;
    }
    return best;
}
