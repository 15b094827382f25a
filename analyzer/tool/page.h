/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The pages of docs/rules, compiled in: what `aglet explain` prints. Stands on nothing. */
#ifndef AGLET_TOOL_PAGE_H
#define AGLET_TOOL_PAGE_H

#include <stddef.h>

struct page {
    const char *id;
    const unsigned char *text; /* Markdown, NUL after it */
    size_t size;
};

extern const struct page pages_all[]; /* sorted by id; the last has a NULL id */

#endif
