/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How the process's heap grows. Stands on glibc's malloc and Linux' madvise; elsewhere it grows as it does. */
#ifndef AGLET_TOOL_HEAP_H
#define AGLET_TOOL_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* The heap grows in steps of megabytes and is not given back: a run takes all it needs, and ends. Arrays from a megabyte on are mapped,
 * so that they grow without a copy, where the heap has no room for them. Before anything is allocated. */
void heap_set_up(void);

/* What the heap takes from here on, up to half a gigabyte, comes in large pages where the system has them: with small
 * ones a good part of a run that solves little anew are page faults, and the end of the process. Only addresses are taken. */
void heap_reserve(void);

/* Bytes in use; 0 where that is not known. */
size_t heap_used(void);

/* Make so many bytes of the heap that are free present in memory: the page faults come now. For while
 * the process would wait. Step by step, until `stop` says so. */
void heap_populate(size_t bytes, bool (*stop)(const void *), const void *context);

#endif
