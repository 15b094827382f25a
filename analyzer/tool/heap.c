/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stands on heap.h. */
#include "heap.h"
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { MAPPED_FROM = 1 << 20, PADDING = 4 << 20, STEP = 4 << 20, MOST_MAPPED = 65536 };
enum { LARGE_PAGE = 2 << 20, RESERVED = 512 << 20 };

#ifdef __GLIBC__
/* At the heap's end, and its end again once it is freed. NULL: there is no room. */
static char *block_at_end(size_t bytes) {
    mallopt(M_MMAP_MAX, 0);
    char *block = bytes ? malloc(bytes) : NULL;
    mallopt(M_MMAP_MAX, MOST_MAPPED);
    return block;
}
#endif

void heap_set_up(void) {
#ifdef __GLIBC__
    mallopt(M_TOP_PAD, PADDING);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
#endif
}

void heap_reserve(void) {
#if defined __GLIBC__ && defined MADV_HUGEPAGE
    char *block = block_at_end(RESERVED);
    const uintptr_t first = ((uintptr_t)block + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1),
                    end = ((uintptr_t)block + RESERVED) & ~(uintptr_t)(LARGE_PAGE - 1);
    if (block)
        (void)madvise((void *)first, end - first,
                      MADV_HUGEPAGE); /* where it is refused, the heap has small ones */
    free(block);
#endif
}

size_t heap_used(void) {
#if defined __GLIBC__ && __GLIBC_PREREQ(2, 33)
    const struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
#else
    return 0;
#endif
}

void heap_populate(size_t bytes, bool (*stop)(const void *), const void *context) {
#if defined __GLIBC__ && defined MADV_POPULATE_WRITE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *block = block_at_end(bytes);
    const uintptr_t first = (uintptr_t)block & ~(page - 1), end = (uintptr_t)block + bytes;
    for (uintptr_t at = first; block && at < end && !stop(context); at += STEP)
        if (madvise((void *)at, end - at < STEP ? end - at : STEP, MADV_POPULATE_WRITE) != 0)
            break; /* an older kernel */
    free(block);
#else
    (void)bytes, (void)stop, (void)context;
#endif
}
