/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Insertions into source files, shown as a unified diff. Stands on report/source.h and the diff command.
 * Places are found in the text itself, past what stands between a name and the end of its declarator. */
#ifndef AGLET_TOOL_EDITS_H
#define AGLET_TOOL_EDITS_H

#include <stdbool.h>
#include "base/vec.h"
#include "report/finding.h"
#include "report/source.h"

struct edits {
    struct sources sources;
    VEC(struct edit {
        const struct source_file *file;
        size_t offset;
        char *text;
    })
    list;
};

/* Behind the whole declarator of the member or variable named at `at` (array bounds, a bit-field's width), before its ',', ';' or '='.
 * These return false, and add nothing, where the text is not what it should be: a macro's use, a changed file. */
bool edits_declarator(struct edits *e, const struct position *at, const char *text);
/* Behind the parameter list of the prototype of the function named at `at`. */
bool edits_prototype(struct edits *e, const struct position *at, const char *text);
/* Before the definition of the function named at `at`: between specifiers and name an attribute may be taken for one of the type.
 * False, too, where the use of a macro stands between. */
bool edits_definition(struct edits *e, const struct position *at, const char *text);

/* Make every file that is edited include `header` (<aglet/annotations.h>) unless it names it already: behind its leading
 * comments, and inside its include guard. */
void edits_include(struct edits *e, const char *header);

/* Print the diff of all files to standard output; names are relative to `root` (a/src/x.c, b/src/x.c), as `git apply` and
 * `patch -p1` read them. Returns false with a sentence in err when diff or a temporary file fails. */
bool edits_print(struct edits *e, const char *root, char *err, size_t err_size);
size_t edits_files(const struct edits *e);
void edits_free(struct edits *e);

#endif
