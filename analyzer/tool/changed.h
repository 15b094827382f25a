/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which files changed since a revision, by git. Stands on the git command. */
#ifndef AGLET_TOOL_CHANGED_H
#define AGLET_TOOL_CHANGED_H

#include <stdbool.h>
#include <stddef.h>
#include "string_list.h"

/* The directory that holds .git, at or above `directory`; malloc'd, or NULL. */
char *repository_root(const char *directory);

/* Absolute paths of files that differ from `revision`, in the index or the work tree, and of files git does not know yet.
 * Returns false with a sentence in err: no repository, no git, no such revision. */
bool changed_since(const char *revision, struct string_list *out, char *err, size_t err_size);

#endif
