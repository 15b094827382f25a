/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Source files as the outputs need them: by line, read once.
 * Stands on base/. Zeroed is valid and empty. Not thread-safe. */
#ifndef AGLET_REPORT_SOURCE_H
#define AGLET_REPORT_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/vec.h"

/* The whole file, and NUL, in place of what *text held; empty when it cannot be read. For who wants no lines and keeps no text. */
typedef VEC(char) source_text;
void source_read(const char *path, source_text *text);

struct source_file {
    const char *path;
    char *text; /* NUL-terminated; "" when it could not be read */
    size_t size;
    uint32_t *lines; /* where each line begins; lines[n_lines] is the end */
    uint32_t n_lines;
};

struct sources {
    struct arena arena;
    struct source_file **files;
    size_t n, cap;
    struct index index;
};

/* The file, read now if it was not before; never NULL. */
const struct source_file *source_of(struct sources *s, const char *path);
/* Line `line` (1-based) without its newline: its start and length; NULL when there is no such line. */
const char *source_line(const struct source_file *f, uint32_t line, size_t *length);
void sources_free(struct sources *s);

#endif
