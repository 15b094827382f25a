/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The units that the plugin put into object files: the section .aglet of ELF objects, also inside archives.
 * Stands on <elf.h> and ir/file.h. Files may come from anywhere: every offset is checked before it is followed. */
#ifndef AGLET_TOOL_OBJECT_UNITS_H
#define AGLET_TOOL_OBJECT_UNITS_H

#include <stdbool.h>
#include <stddef.h>

/* One encoded unit: bytes inside the file given, and the archive member it is of (or ""). */
typedef void object_unit(void *context, const unsigned char *bytes, size_t size, const char *member);

enum object_kind {
    OBJECT_FOREIGN /* neither object nor archive nor unit */,
    OBJECT_ELF,
    OBJECT_ARCHIVE,
    OBJECT_UNIT /* a bare unit file */
};

/* Call `found` for each unit, in the file's order. Returns what the file is; *broken (may be NULL) is a reason in words when it is cut off
 * or inconsistent, else NULL. */
enum object_kind object_units(const unsigned char *bytes, size_t size, object_unit *found, void *context,
                              const char **broken);

#endif
