/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Keeps a cache directory under its bound: what was used longest ago goes first. Stands on file times. */
#ifndef AGLET_TOOL_EVICT_H
#define AGLET_TOOL_EVICT_H

#include <stdint.h>

/* Mark a cache file as used now; costs a system call only once an hour per file. */
void evict_touch(const char *path);

/* A run has stored so many bytes. When m/, u/, r/ and s/ may be over the bound, or after many runs, look at them all, remove files until
 * they are under four fifths of the bound, if they are over it, and what killed runs left in tmp/ more than a day ago. The bound is
 * $AGLET_CACHE_SIZE ("500M", "4G"; plain numbers are bytes), else 2 GiB. */
void evict_after(const char *directory, uint64_t stored);

#endif
