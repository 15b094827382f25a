/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The first level of the cache: under one command and main file, the sets of files it was seen to read, and the unit each gave.
 * Stands on deps.h and file_facts.h. ccache's manifests are the model: the dependencies of a command are not known before it has run once, so
 * they cannot be in its key; several entries let a change of branch and back hit again. */
#ifndef AGLET_TOOL_MANIFEST_H
#define AGLET_TOOL_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include "deps.h"
#include "file_facts.h"

/* A name in the cache: 128 bits. */
struct cache_id {
    uint64_t low, high;
};

enum { MANIFEST_ENTRIES = 8 }; /* the newest are kept */

struct manifest {
    struct manifest_entry {
        struct cache_id unit;
        struct deps deps;
    } entries[MANIFEST_ENTRIES]; /* newest first */
    size_t n;
};

/* The bytes may come from anywhere. Returns false when they are no manifest, or cut off or changed; then *out is empty. */
bool manifest_parse(const char *text, size_t len, struct manifest *out);
/* malloc'd text; its length in *len. */
char *manifest_print(const struct manifest *m, size_t *len);
void manifest_free(struct manifest *m);

/* The entry whose files are all as they were, or -1. A file whose size, time and inode are as recorded is taken as unchanged, any
 * other is hashed; then the entry is brought up to date and *changed set, so that the next run need not hash again. */
int manifest_match(struct manifest *m, struct file_facts *facts, bool *changed);

/* Put an entry first, drop the oldest beyond the limit. Takes the contents of deps. */
void manifest_add(struct manifest *m, struct cache_id unit, struct deps *deps);

/* Forget the times of files so young that a later change could leave them equal (within the clock's grain): these are hashed. */
void deps_distrust_young(struct deps *d, uint64_t now);

#endif
