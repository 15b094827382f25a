/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The nearest rule id. Stands on base/edits.h and the tables of rules and pages. */
#include "near.h"
#include "page.h"
#include "base/edits.h"
#include "rules/rule.h"
#include <string.h>

const char *near_rule(const char *id) {
    const char *best = NULL;
    size_t n = strlen(id), least = edits_allowed(n) + 1;
    for (const struct rule *const *r = rules_all; *r; r++) {
        size_t d = edits_between(id, n, (*r)->id);
        if (d < least)
            least = d, best = (*r)->id;
    }
    for (const struct page *p = pages_all; p->id; p++) {
        size_t d = edits_between(id, n, p->id);
        if (d < least)
            least = d, best = p->id;
    }
    return best;
}
