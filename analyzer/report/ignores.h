/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The comments `aglet-ignore (rule): why`, by which a programmer accepts a finding, read from the sources themselves.
 * Stands on source.h and ir/unit.h. They are read from the sources and not from the parser's output, so that a build that
 * compiles preprocessed text loses none.
 *
 * A comment beside code speaks of its own line; a comment alone on its line of the next line that holds code. Several
 * rules are separated by commas. What is wrong with a comment is a finding of the rule "ignore". */
#ifndef AGLET_REPORT_IGNORES_H
#define AGLET_REPORT_IGNORES_H

#include "../ir/unit.h"
#include "finding.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ignores;

struct ignores *ignores_new(void);
void ignores_free(struct ignores *ig); /* NULL is fine */

/* Read a file's comments, once however often it is named; a file that cannot be read has none. */
void ignores_read(struct ignores *ig, const char *path);
/* Every file the unit was made from, system headers apart. Call it before the unit is given away. */
void ignores_read_unit(struct ignores *ig, const struct unit *u);

/* Mark what the comments speak of as suppressed (errors are not), and add findings of the rule "ignore" for comments that
 * give no reason or name no rule.
 * `known`, `ran`  NULL-terminated rule ids: all there are; those that ran. NULL: unknown, and all.
 * `whole`         also report comments that suppress nothing, if all their rules ran: true only when the whole program was
 *                 seen, for else another unit may be what they are for.
 * Call it before report_sort. */
void ignores_apply(const struct ignores *ig, struct report *r, const char *const *known,
                   const char *const *ran, bool whole);

#ifdef __cplusplus
}
#endif
#endif
