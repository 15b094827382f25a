/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What reading one source file touched, as the extractor's --deps file says it: each file that was read, each probe that
 * found nothing. The cache judges from this whether a unit still holds. Stands on strings and libxxhash alone.
 *
 * The format, one record a line, written by aglet-extract-N:
 *
 *     aglet-deps 1
 *     read SIZE MTIME INODE HASH PATH
 *     miss PATH
 *     end
 *
 * SIZE in bytes, MTIME in nanoseconds since the epoch, INODE as stat gives it, all decimal; HASH is XXH3_64bits of the
 * contents that were parsed, 16 hexadecimal digits, or 0000000000000000 where only stat is to be trusted (a shared
 * library). PATH is absolute, as the compiler opened it (symbolic links kept), and runs to the end of the line; it is the last field
 * because it may hold spaces. `read` lines: the main file first, every header once, and the shared library that holds
 * Clang. `miss` lines: every path at which an #include or __has_include looked and found no file. The single line
 * "uncacheable" in place of a record says that the unit must not be kept (a path with a line end in it, a file that
 * changed while it was read). The line "end" closes the list: without it the file is taken as truncated. */
#ifndef AGLET_TOOL_DEPS_H
#define AGLET_TOOL_DEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dep {
    char *path;
    uint64_t size, mtime, inode; /* of a read; 0 of a miss */
    uint64_t hash;               /* 0: judged by stat alone */
    bool miss;
};

struct deps {
    struct dep *v;
    size_t n, cap;
    bool uncacheable;
};

/* Parse the text of a --deps file. Returns false when it is not one or is cut off; then *out is empty. */
bool deps_parse(const char *text, size_t len, struct deps *out);
void deps_free(struct deps *d);

#endif
