/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How far is one word from another? For "did you mean". Stands on nothing. */
#ifndef AGLET_BASE_EDITS_H
#define AGLET_BASE_EDITS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { EDITS_MANY = 64 };

/* The fewest insertions, deletions and replacements that make `b` of the first n bytes of `a` (Levenshtein's distance);
 * EDITS_MANY when one of them is longer than that. */
size_t edits_between(const char *a, size_t n, const char *b);

/* As many edits as a misspelling of a word of n letters has at most. */
static inline size_t edits_allowed(size_t n) {
    return n / 3;
}

#ifdef __cplusplus
}
#endif
#endif
