/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is known of files in this run: each is asked of the system once, its contents hashed only when somebody needs that.
 * Stands on base/hash.h. A thousand units that read one header cost one stat. */
#ifndef AGLET_TOOL_FILE_FACTS_H
#define AGLET_TOOL_FILE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"

struct file_fact {
    char *path;
    bool exists, directory, hashed;
    uint64_t size, mtime, inode; /* mtime in nanoseconds since the epoch */
    uint64_t hash;               /* of the contents; read through file_facts_hash */
};

struct file_facts {
    struct file_fact *v; /* v[0] is unused: ids are from 1 */
    uint32_t n, cap;
    struct index index;
    size_t stats, hashes; /* how many were made, for --verbose */
};

/* What is there at the absolute path. Valid until the next call. */
struct file_fact *file_facts_of(struct file_facts *f, const char *path);
/* The hash of the contents (XXH3, 64 bits), 0 when they cannot be read. */
uint64_t file_facts_hash(struct file_facts *f, struct file_fact *fact);
void file_facts_free(struct file_facts *f);

/* Nanoseconds since the epoch, now. */
uint64_t wall_clock(void);

#endif
