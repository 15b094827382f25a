/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What earlier runs solved of a program of the same files, whatever they held then. Stands on program/memo.h and cache.h. */
#ifndef AGLET_TOOL_KNOWN_STEPS_H
#define AGLET_TOOL_KNOWN_STEPS_H

#include "analyse.h"
#include "program/memo.h"

struct known_steps {
    struct cache_id key[2]; /* by memo_part */
    struct file_view kept[2];
    struct memo *memo; /* NULL: nothing is kept */
    size_t room;       /* bytes of the heap that solving took when it was last kept; 0: not known */
};

/* files: the main file of each unit, NULL where there is none; in: as for a program, or NULL. */
struct known_steps known_steps_load(const struct analysis *a, const char *const *files, const bool *in,
                                    bool whole);
/* Are they those of that program? */
bool known_steps_are(const struct known_steps *s, const struct analysis *a, const char *const *files,
                     const bool *in, bool whole);
/* After solving, which took so many bytes: keep what is new; free. */
void known_steps_keep(const struct analysis *a, struct known_steps *s, size_t took);
void known_steps_free(struct known_steps *s);

#endif
