/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The name somebody meant: the nearest rule id to a misspelt one. Stands on the table of rules and that of pages. */
#ifndef AGLET_TOOL_NEAR_H
#define AGLET_TOOL_NEAR_H

/* The rule whose id differs from `id` by the fewest edits, at most a third of its letters; NULL when none is near. */
const char *near_rule(const char *id);

#endif
