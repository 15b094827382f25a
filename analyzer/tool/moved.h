/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What was found in a program stays true when its code only stands elsewhere: after a comment, an empty line, another layout. Such
 * findings are kept under what the code is, whatever its lines are, and moved to where it stands now; nothing is solved again.
 * Stands on cache.h and ir/file.h. */
#ifndef AGLET_TOOL_MOVED_H
#define AGLET_TOOL_MOVED_H

#include <stdbool.h>
#include <stddef.h>
#include "cache.h"
#include "ir/unit.h"
#include "report/finding.h"

/* The units of one program. */
struct moved_program {
    struct cache *cache;
    struct unit *const *units; /* NULL entries are passed over */
    const bool *in;            /* by unit; NULL: all */
    const struct cache_id *ids;
    struct cache_id *codes; /* their moved_code, or zero: not known yet */
    size_t n;
};

/* Of all that a unit says but lines, columns and what else the files contain. */
struct cache_id moved_code(const struct unit *u);
/* Add to h the code of the units. */
void moved_hash(struct cache_hash *h, const struct moved_program *p);
/* Note that these units' findings are kept, or soon will be, under `key`; `code`: of moved_hash and the settings. */
void moved_keep(const struct moved_program *p, struct cache_id code, struct cache_id key);
/* The findings of units that moved_keep noted with the same `code`, where the code stands now. NULL: there are none, or some place cannot be told. `load` reads findings that are kept under a key. */
struct report *moved_find(const struct moved_program *p, struct cache_id code,
                          struct report *(*load)(struct cache *, struct cache_id));

#endif
