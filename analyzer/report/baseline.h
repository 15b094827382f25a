/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The baseline: findings a project knows of and does not want to hear about again, kept as a text file in its repository.
 * Stands on finding.h. A line is "fingerprint rule file function"; only the fingerprint counts, the rest is for people
 * who read the diff. */
#ifndef AGLET_REPORT_BASELINE_H
#define AGLET_REPORT_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "finding.h"

#ifdef __cplusplus
extern "C" {
#endif

struct baseline;

/* Read a baseline, or NULL with "path:line: what" (or "path: what") in err. Owned by the caller. */
struct baseline *baseline_read(const char *path, char *err, size_t err_size);
void baseline_free(struct baseline *b); /* NULL is fine */
/* Is the finding in it? Errors never are: they are to be mended. A NULL baseline holds nothing. */
bool baseline_has(const struct baseline *b, const struct finding *f);
/* How many of its entries the sorted report no longer has: they may be dropped by writing it anew. */
size_t baseline_gone(const struct baseline *b, const struct report *r);

/* May a baseline be written there: is there nothing yet, an empty file or a baseline? Else false with a sentence in err. */
bool baseline_may_replace(const char *path, char *err, size_t err_size);
/* Write the findings of a sorted report (errors, hints and suppressed ones left out) as a baseline; paths relative to root
 * if that is not NULL. The lines of `kept` (NULL: none) stay as they are, before what they do not hold.
 * Returns false when `out` had an error. */
bool baseline_write(const struct report *r, const char *root, const struct baseline *kept, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
