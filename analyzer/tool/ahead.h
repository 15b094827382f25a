/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What solving needs and what hangs on no changed file, made ready while changed files are parsed. Stands on known_steps.h.
 * Each part is asked for whether it was made ready or not; what was made ready for another program than it came to is dropped. */
#ifndef AGLET_TOOL_AHEAD_H
#define AGLET_TOOL_AHEAD_H

#include "analyse.h"
#include "known_steps.h"
#include "report/ignores.h"

/* a: as it will be if every file parses; units are NULL where they are still being made. files: the main file of each unit that
 * will be there. */
struct ahead *ahead_new(const struct analysis *a, const char *const *files);
/* The heap that solving will take, as far as it is known. */
size_t ahead_room(const struct ahead *h);
void ahead_free(struct ahead *h); /* NULL is fine */

/* The aglet-ignore comments of every file of every unit. The analysis keeps them. */
struct ignores *ahead_ignores(struct analysis *a);
/* What moved_program wants. */
struct cache_id *ahead_codes(const struct analysis *a);
/* What earlier runs solved of the program. */
struct known_steps ahead_steps(const struct analysis *a, const char *const *files, const bool *in,
                               bool whole);

#endif
