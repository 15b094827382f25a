/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stands on nothing. */
#ifndef AGLET_TOOL_LARGE_PAGES_H
#define AGLET_TOOL_LARGE_PAGES_H

/* Before much is allocated, by the first thread: most of what a large program costs to solve is memory that is touched for the first
 * time, and that costs less by 2 MiB than by 4 KiB. Without effect where the kernel has no such pages to give. */
void heap_in_large_pages(void);

#endif
