/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A compile database that grows as a plain make runs. Stands on command.h, libjansson and flock.
 * The file is a valid database after each compilation, also under make -j: rows are added under a lock. */
#ifndef AGLET_TOOL_RECORD_H
#define AGLET_TOOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include "string_list.h"

/* Add a row for each source that this command compiles; nothing for one that only links or preprocesses.
 * Returns false with a sentence in err when the file cannot be written or is not such a file. */
bool record_command(const char *database, const struct string_list *args, char *err, size_t err_size);

#endif
