/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where Aglet's own parts and the Clang they fit are: plugins and extractors beside the command, compilers by major version.
 * Stands on files.h. Looks in $AGLET_HOME/lib/aglet, then in lib/aglet beside the directory of the command itself, which is
 * right in a build tree and after an install. */
#ifndef AGLET_TOOL_LAYOUT_H
#define AGLET_TOOL_LAYOUT_H

#include <stddef.h>

/* The absolute path of this program, or NULL when the system does not tell. Valid for ever. */
const char *layout_self(void);

/* The path of lib/aglet/NAME, malloc'd, or NULL when there is none. */
char *layout_find(const char *name);

/* The newest extractor (aglet-extract-N), or that of $AGLET_CLANG_MAJOR when it is set. $AGLET_EXTRACTOR names one outright.
 * Returns  its path, malloc'd; NULL with a sentence in err when there is none. */
char *layout_extractor(char *err, size_t err_size);

/* A clang and the plugin that fits it: $AGLET_CLANG when it is set (asked for its version), else the newest clang-N that has one.
 * Returns  the compiler's path, malloc'd, and the plugin's in *plugin; NULL with a sentence in err. */
char *layout_clang(char **plugin, char *err, size_t err_size);

#endif
